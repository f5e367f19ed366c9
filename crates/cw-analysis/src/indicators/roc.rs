use serde::{Deserialize, Serialize};

use crate::indicator::{Group, Indicator, Pane, Param, Spec, VALUE};
use crate::window::Ring;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Roc {
    ring: Ring,
    length: u32,
}

impl Indicator for Roc {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec {
        name: "roc",
        title: "Rate of change",
        group: Group::Momentum,
        pane: Pane::Own,
        params: &[Param::period("length", 9, 1)],
        outputs: VALUE,
        doc: "The change from the value `length` candles ago, in percent of it; 0 where that value is 0.",
        source: "TA-Lib ROC",
    };

    fn new(params: &[f64]) -> Self {
        Self { ring: Ring::new(params[0] as usize), length: params[0] as u32 }
    }
    fn warm_up(&self) -> usize {
        self.length as usize
    }
    #[inline]
    fn update(&mut self, value: f64) -> [f64; 1] {
        let full = self.ring.is_full();
        let before = self.ring.push(value);
        if !full {
            return [f64::NAN];
        }
        [if before == 0.0 { 0.0 } else { (value / before - 1.0) * 100.0 }]
    }
}
