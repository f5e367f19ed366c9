use serde::{Deserialize, Serialize};

use crate::indicator::{Group, Indicator, Pane, Param, Spec, VALUE};
use crate::window::Ring;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wma {
    ring: Ring,
    sum: f64,
    weighted: f64,
    length: u32,
    divider: f64,
}

impl Indicator for Wma {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec {
        name: "wma",
        title: "Weighted moving average",
        group: Group::Overlap,
        pane: Pane::Overlay,
        params: &[Param::period("length", 9, 1)],
        outputs: VALUE,
        doc: "The mean of the newest `length` values, weighted 1 for the oldest to `length` for the newest.",
        source: "TA-Lib WMA",
    };

    fn new(params: &[f64]) -> Self {
        let n = params[0];
        Self { ring: Ring::new(n as usize), sum: 0.0, weighted: 0.0, length: n as u32, divider: 2.0 / (n * (n + 1.0)) }
    }
    fn warm_up(&self) -> usize {
        self.length as usize - 1
    }
    #[inline]
    fn update(&mut self, value: f64) -> [f64; 1] {
        let old = self.ring.push(value);
        if self.ring.wrapped() {
            // The memory is in order of time at this point: start from scratch, so that rounding does not add up.
            (self.sum, self.weighted) = (0.0, 0.0);
            for (index, value) in self.ring.values().iter().enumerate() {
                self.sum += value;
                self.weighted += value * (index + 1) as f64;
            }
        } else if self.ring.is_full() {
            self.weighted += value * f64::from(self.length) - self.sum;
            self.sum += value - old;
        } else {
            return [f64::NAN];
        }
        [self.weighted * self.divider]
    }
}
