use serde::{Deserialize, Serialize};

use crate::indicator::{Group, Indicator, Pane, Spec, VALUE};
use crate::ohlcv::Ohlcv;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Obv {
    previous_close: f64,
    value: f64,
}

impl Indicator for Obv {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec {
        name: "obv",
        title: "On-balance volume",
        group: Group::Volume,
        pane: Pane::Own,
        params: &[],
        outputs: VALUE,
        doc: "The running sum of volume, added when the close rises and taken away when it falls; it begins with the \
              first candle's volume. Only its changes mean something.",
        source: "TA-Lib OBV (Granville)",
    };

    fn new(_: &[f64]) -> Self {
        Self {
            // Any first close is a rise from here: it adds the first volume.
            previous_close: f64::NEG_INFINITY,
            value: 0.0,
        }
    }
    fn warm_up(&self) -> usize {
        0
    }
    #[inline]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        // Directions are a coin toss to the branch predictor: compute instead of deciding.
        let rise = f64::from(u8::from(candle.close > self.previous_close));
        let fall = f64::from(u8::from(candle.close < self.previous_close));
        self.previous_close = candle.close;
        self.value += (rise - fall) * candle.volume;
        [self.value]
    }
}
