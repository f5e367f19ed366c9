use serde::{Deserialize, Serialize};

use crate::indicator::{Group, Indicator, Pane, Param, Spec, VALUE};
use crate::window::MovingSum;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sma {
    sum: MovingSum,
    length: u32,
    inverse: f64,
}

impl Indicator for Sma {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec {
        name: "sma",
        title: "Simple moving average",
        group: Group::Overlap,
        pane: Pane::Overlay,
        params: &[Param::period("length", 9, 1)],
        outputs: VALUE,
        doc: "The mean of the newest `length` values.",
        source: "TA-Lib SMA",
    };

    fn new(params: &[f64]) -> Self {
        let length = params[0] as u32;
        Self { sum: MovingSum::new(length as usize), length, inverse: 1.0 / f64::from(length) }
    }
    fn warm_up(&self) -> usize {
        self.length as usize - 1
    }
    #[inline]
    fn update(&mut self, value: f64) -> [f64; 1] {
        [self.sum.push(value).map_or(f64::NAN, |sum| sum * self.inverse)]
    }
}
