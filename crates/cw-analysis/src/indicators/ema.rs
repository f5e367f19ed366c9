use serde::{Deserialize, Serialize};

use crate::indicator::{Group, Indicator, Pane, Param, Spec, VALUE};

/// Exponential smoothing with a given weight, seeded with the mean of the first `length` values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Smoothing {
    weight: f64,
    /// The average; while seeding, the sum so far.
    value: f64,
    length: u32,
    /// Values still missing from the seed.
    missing: u32,
}

impl Smoothing {
    /// Weight 2 / (length + 1): an EMA.
    pub(crate) fn exponential(length: u32) -> Self {
        Self { weight: 2.0 / (f64::from(length) + 1.0), value: 0.0, length, missing: length }
    }
    /// Weight 1 / length: Wilder's.
    pub(crate) fn wilder(length: u32) -> Self {
        Self { weight: 1.0 / f64::from(length), value: 0.0, length, missing: length }
    }
    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> f64 {
        if self.missing == 0 {
            self.value += (value - self.value) * self.weight;
            return self.value;
        }
        self.seed(value)
    }
    #[cold]
    fn seed(&mut self, value: f64) -> f64 {
        self.value += value;
        self.missing -= 1;
        if self.missing > 0 {
            return f64::NAN;
        }
        self.value /= f64::from(self.length);
        self.value
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ema(Smoothing);

impl Indicator for Ema {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec {
        name: "ema",
        title: "Exponential moving average",
        group: Group::Overlap,
        pane: Pane::Overlay,
        params: &[Param::period("length", 9, 1)],
        outputs: VALUE,
        doc: "ema += (value − ema) × 2 / (length + 1), seeded with the mean of the first `length` values. \
              Recursive: it depends on where the history begins.",
        source: "TA-Lib EMA, default compatibility",
    };

    fn new(params: &[f64]) -> Self {
        Self(Smoothing::exponential(params[0] as u32))
    }
    fn warm_up(&self) -> usize {
        self.0.length as usize - 1
    }
    #[inline]
    fn update(&mut self, value: f64) -> [f64; 1] {
        [self.0.push(value)]
    }
}
