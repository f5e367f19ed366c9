//! A value against the one some candles ago.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::{Marker, formulas};
use crate::filter::{Filter, Lag};
use crate::indicator::{Group, Indicator, Out, Param, Rows, Spec, row_by_row};

pub trait ChangeFormula: Marker {
    const SPEC: Spec;
    fn of(now: f64, before: f64) -> f64;
}

formulas! { Mom, Roc, Rocp, Rocr, Rocr100 }

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change<F> {
    lag: Lag,
    formula: PhantomData<F>,
}

impl<F: ChangeFormula> Indicator for Change<F> {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = F::SPEC;

    fn new(params: &[f64]) -> Self {
        Self { lag: Lag::new(params[0] as u32), formula: PhantomData }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        let before = self.lag.push(value);
        // NaN while warming up compares unequal to zero and stays NaN.
        [F::of(value, before)]
    }
    fn batch(&mut self, rows: Rows<'_>, out: Out<'_>) {
        let Some(series) = rows.series() else { return row_by_row(self, rows, out) };
        let [column] = out.columns();
        self.lag.run_into(series, column);
        for (before, value) in column.iter_mut().zip(series) {
            *before = F::of(*value, *before);
        }
    }
}

/// Change in percent, 0 where it began at 0.
#[inline(always)]
pub(crate) fn percent(now: f64, before: f64) -> f64 {
    if before == 0.0 { 0.0 } else { (now / before - 1.0) * 100.0 }
}

macro_rules! changes {
    ($($formula:ident, $name:literal, $title:literal, $length:literal, $doc:literal, $source:literal, $of:expr;)+) => {$(
        impl ChangeFormula for $formula {
            const SPEC: Spec = Spec::new($name, $title, Group::Momentum)
                .params(&[Param::period("length", $length, 1)])
                .doc($doc, $source);
            #[inline(always)]
            fn of(now: f64, before: f64) -> f64 {
                ($of)(now, before)
            }
        }
    )+};
}

changes! {
    Mom, "mom", "Momentum", 10, "The change from the value `length` candles ago.", "TA-Lib MOM", |now, before| now - before;
    Roc, "roc", "Rate of change", 9,
        "The change from the value `length` candles ago, in percent of it; 0 where that value is 0.", "TA-Lib ROC", percent;
    Rocp, "rocp", "Rate of change, fraction", 10,
        "The change from the value `length` candles ago as a fraction of it; 0 where that value is 0.", "TA-Lib ROCP",
        |now: f64, before: f64| if before == 0.0 { 0.0 } else { (now - before) / before };
    Rocr, "rocr", "Rate of change, ratio", 10,
        "The value divided by the one `length` candles ago; 0 where that value is 0.", "TA-Lib ROCR",
        |now: f64, before: f64| if before == 0.0 { 0.0 } else { now / before };
    Rocr100, "rocr100", "Rate of change, ratio × 100", 10,
        "100 times the value divided by the one `length` candles ago; 0 where that value is 0.", "TA-Lib ROCR100",
        |now: f64, before: f64| if before == 0.0 { 0.0 } else { now / before * 100.0 };
}
