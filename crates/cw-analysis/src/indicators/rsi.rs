use serde::{Deserialize, Serialize};

use crate::indicator::{Group, Indicator, Pane, Param, Spec, VALUE};
use crate::indicators::ema::Smoothing;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rsi {
    gain: Smoothing,
    loss: Smoothing,
    previous: Option<f64>,
    length: u32,
}

impl Indicator for Rsi {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec {
        name: "rsi",
        title: "Relative strength index",
        group: Group::Momentum,
        pane: Pane::Own,
        params: &[Param::period("length", 14, 2)],
        outputs: VALUE,
        doc: "100 × gain / (gain + loss), both Wilder averages of the changes, seeded with the mean of the first \
              `length` changes; 50 where nothing has moved. Recursive.",
        source: "TA-Lib RSI 0.8 (Wilder 1978)",
    };

    fn new(params: &[f64]) -> Self {
        let length = params[0] as u32;
        Self { gain: Smoothing::wilder(length), loss: Smoothing::wilder(length), previous: None, length }
    }
    fn warm_up(&self) -> usize {
        self.length as usize
    }
    #[inline]
    fn update(&mut self, value: f64) -> [f64; 1] {
        let Some(previous) = self.previous.replace(value) else { return [f64::NAN] };
        let change = value - previous;
        let up = if change > 0.0 { change } else { 0.0 };
        let (gain, loss) = (self.gain.push(up), self.loss.push(up - change));
        let total = gain + loss;
        // NaN while seeding goes through the first branch.
        [if total == 0.0 { 50.0 } else { 100.0 * (gain / total) }]
    }
}
