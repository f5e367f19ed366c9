use serde::{Deserialize, Serialize};

use crate::indicator::{Group, Indicator, Pane, Param, Spec, VALUE};
use crate::window::Extreme;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Highest {
    extreme: Extreme<true>,
    length: u32,
}

impl Indicator for Highest {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec {
        name: "highest",
        title: "Highest value",
        group: Group::Overlap,
        pane: Pane::Overlay,
        params: &[Param::period("length", 20, 1)],
        outputs: VALUE,
        doc: "The largest of the newest `length` values. For a breakout take the candles before this one: `highest(high, 20)[1]`.",
        source: "TA-Lib MAX",
    };

    fn new(params: &[f64]) -> Self {
        Self { extreme: Extreme::new(params[0] as usize), length: params[0] as u32 }
    }
    fn warm_up(&self) -> usize {
        self.length as usize - 1
    }
    #[inline]
    fn update(&mut self, value: f64) -> [f64; 1] {
        [self.extreme.push(value).unwrap_or(f64::NAN)]
    }
}
