use serde::{Deserialize, Serialize};

use crate::indicator::{Group, Indicator, Pane, Param, Spec, VALUE};
use crate::indicators::ema::Smoothing;
use crate::ohlcv::Ohlcv;

/// The largest of high − low, |high − previous close| and |low − previous close|.
#[inline]
pub(crate) fn true_range(candle: &Ohlcv, previous_close: f64) -> f64 {
    let range = candle.high - candle.low;
    let up = (candle.high - previous_close).abs();
    let down = (candle.low - previous_close).abs();
    range.max(up).max(down)
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Atr {
    average: Smoothing,
    previous_close: Option<f64>,
    length: u32,
}

impl Indicator for Atr {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec {
        name: "atr",
        title: "Average true range",
        group: Group::Volatility,
        pane: Pane::Own,
        params: &[Param::period("length", 14, 1)],
        outputs: VALUE,
        doc: "Wilder's average of the true range, seeded with the mean of the first `length` ranges. The first candle \
              has no previous close and gives no range. Recursive.",
        source: "TA-Lib ATR (Wilder 1978)",
    };

    fn new(params: &[f64]) -> Self {
        let length = params[0] as u32;
        Self { average: Smoothing::wilder(length), previous_close: None, length }
    }
    fn warm_up(&self) -> usize {
        self.length as usize
    }
    #[inline]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        match self.previous_close.replace(candle.close) {
            Some(previous) => [self.average.push(true_range(&candle, previous))],
            None => [f64::NAN],
        }
    }
}
