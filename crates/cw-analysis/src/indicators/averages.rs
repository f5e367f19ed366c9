//! Moving averages that are one filter, and those that chain exponential averages.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::{Marker, formulas};
use crate::filter::{Chain, Filter, Mean, Smoothing, Weighted};
use crate::indicator::{Group, Indicator, Out, Param, Rows, Spec, lengths, row_by_row};

/// Declares moving averages that are a filter from window or recursion.
macro_rules! averages {
    ($($name:ident($filter:ty) = $build:path, $spec:expr;)+) => {$(
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub struct $name($filter);

        impl Indicator for $name {
            type Input = f64;
            type Output = [f64; 1];
            const SPEC: Spec = $spec;

            fn new(params: &[f64]) -> Self {
                Self($build(params[0] as u32))
            }
            fn warm_up(params: &[f64]) -> usize {
                params[0] as usize - 1
            }
            #[inline(always)]
            fn update(&mut self, value: f64) -> [f64; 1] {
                [self.0.push(value)]
            }
            fn batch(&mut self, rows: Rows<'_>, out: Out<'_>) {
                let Some(series) = rows.series() else { return row_by_row(self, rows, out) };
                let [column] = out.columns();
                self.0.run_into(series, column);
            }
        }
    )+};
}

const LENGTH: &[Param] = &[Param::period("length", 9, 1)];

averages! {
    Sma(Mean) = Mean::new, Spec::overlay("sma", "Simple moving average", Group::Overlap)
        .params(LENGTH)
        .doc("The mean of the newest `length` values.", "TA-Lib SMA");
    Ema(Smoothing) = Smoothing::exponential, Spec::overlay("ema", "Exponential moving average", Group::Overlap)
        .params(LENGTH)
        .recursive()
        .doc("ema += (value − ema) × 2 / (length + 1), seeded with the mean of the first `length` values.",
            "TA-Lib EMA, default compatibility");
    Rma(Smoothing) = Smoothing::wilder, Spec::overlay("rma", "Smoothed moving average (Wilder's)", Group::Overlap)
        .params(&[Param::period("length", 14, 1)])
        .recursive()
        .doc("rma += (value − rma) / length, seeded with the mean of the first `length` values. Also known as SMMA.",
            "TA-Lib RMA, TradingView ta.rma (Wilder 1978)");
    Wma(Weighted) = Weighted::new, Spec::overlay("wma", "Weighted moving average", Group::Overlap)
        .params(LENGTH)
        .doc("The mean of the newest `length` values, weighted 1 for the oldest to `length` for the newest.", "TA-Lib WMA");
}

/// A combination of `STAGES` exponential averages of one another.
pub trait ChainFormula: Marker {
    const SPEC: Spec;
    const STAGES: usize;
    /// `[first average, its average, …]`.
    fn of(stages: [f64; 6], params: [f64; 4]) -> f64;
    /// Factors computed once from the parameters.
    fn factors(_params: &[f64]) -> [f64; 4] {
        [0.0; 4]
    }
}

formulas! { Dema, Tema, T3 }

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chained<F> {
    chain: Chain,
    factors: [f64; 4],
    formula: PhantomData<F>,
}

impl<F: ChainFormula> Indicator for Chained<F> {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = F::SPEC;

    fn new(params: &[f64]) -> Self {
        Self { chain: Chain::new(params[0] as u32, F::STAGES), factors: F::factors(params), formula: PhantomData }
    }
    fn warm_up(params: &[f64]) -> usize {
        F::STAGES * (params[0] as usize - 1)
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        [F::of(self.chain.push(value), self.factors)]
    }
}

impl ChainFormula for Dema {
    const SPEC: Spec = Spec::overlay("dema", "Double exponential moving average", Group::Overlap)
        .params(LENGTH)
        .recursive()
        .doc("2 × ema − ema of ema, which takes most of the lag out.", "TA-Lib DEMA (Mulloy 1994)");
    const STAGES: usize = 2;
    #[inline(always)]
    fn of([first, second, ..]: [f64; 6], _: [f64; 4]) -> f64 {
        2.0 * first - second
    }
}

impl ChainFormula for Tema {
    const SPEC: Spec = Spec::overlay("tema", "Triple exponential moving average", Group::Overlap)
        .params(LENGTH)
        .recursive()
        .doc("3 × ema − 3 × ema of ema + ema of that.", "TA-Lib TEMA (Mulloy 1994)");
    const STAGES: usize = 3;
    #[inline(always)]
    fn of([first, second, third, ..]: [f64; 6], _: [f64; 4]) -> f64 {
        3.0 * first - 3.0 * second + third
    }
}

impl ChainFormula for T3 {
    const SPEC: Spec = Spec::overlay("t3", "Tillson T3", Group::Overlap)
        .params(&[Param::period("length", 5, 1), Param::number("factor", 0.7, 0.0, 1.0)])
        .recursive()
        .doc("Six exponential averages of one another, combined so that `factor` 0 is an average of averages and 1 leads \
              the most: the generalised DEMA applied three times.", "TA-Lib T3 (Tillson 1998)");
    const STAGES: usize = 6;
    #[inline(always)]
    fn of([_, _, third, fourth, fifth, sixth]: [f64; 6], [c1, c2, c3, c4]: [f64; 4]) -> f64 {
        c1 * sixth + c2 * fifth + c3 * fourth + c4 * third
    }
    fn factors(params: &[f64]) -> [f64; 4] {
        let v = params[1];
        let square = v * v;
        let cube = square * v;
        [-cube, 3.0 * (square + cube), -6.0 * square - 3.0 * (v + cube), 1.0 + 3.0 * v + cube + 3.0 * square]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trix {
    chain: Chain,
    previous: Option<f64>,
}

impl Indicator for Trix {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("trix", "TRIX", Group::Momentum)
        .guides(&[0.0])
        .params(&[Param::period("length", 18, 1)])
        .recursive()
        .doc(
            "The change in percent from candle to candle of the value smoothed by three exponential averages.",
            "TA-Lib TRIX (Hutson)",
        );

    fn new(params: &[f64]) -> Self {
        Self { chain: Chain::new(params[0] as u32, 3), previous: None }
    }
    fn warm_up(params: &[f64]) -> usize {
        3 * (params[0] as usize - 1) + 1
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        let [.., smoothed] = self.chain.push::<3>(value);
        if smoothed.is_nan() {
            return [f64::NAN];
        }
        match self.previous.replace(smoothed) {
            Some(previous) => [super::change::percent(smoothed, previous)],
            None => [f64::NAN],
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Zlema {
    average: Smoothing,
    lag: crate::filter::Lag,
}

impl Indicator for Zlema {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec =
        Spec::overlay("zlema", "Zero-lag exponential moving average", Group::Overlap).params(LENGTH).recursive().doc(
            "The EMA of the value plus its change over (length − 1) / 2 candles, which is about the EMA's lag.",
            "TA-Lib ZLEMA (Ehlers, Way)",
        );

    fn new(params: &[f64]) -> Self {
        let [length] = lengths(params);
        Self { average: Smoothing::exponential(length), lag: crate::filter::Lag::new((length - 1) / 2) }
    }
    fn warm_up(params: &[f64]) -> usize {
        let length = params[0] as usize;
        length - 1 + (length - 1) / 2
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        let before = self.lag.push(value);
        [self.average.feed(2.0 * value - before)]
    }
}
