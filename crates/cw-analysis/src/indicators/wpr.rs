use serde::{Deserialize, Serialize};

use crate::indicator::{Group, Indicator, Pane, Param, Spec, VALUE};
use crate::indicators::stoch::position;
use crate::ohlcv::Ohlcv;
use crate::window::Extreme;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wpr {
    highest: Extreme<true>,
    lowest: Extreme<false>,
    length: u32,
}

impl Indicator for Wpr {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec {
        name: "wpr",
        title: "Williams %R",
        group: Group::Momentum,
        pane: Pane::Own,
        params: &[Param::period("length", 14, 2)],
        outputs: VALUE,
        doc: "How far the close is below the highest high of `length` candles, in percent of their range: −100 to 0; 0 \
              where nothing has moved.",
        source: "TA-Lib WILLR (Williams)",
    };

    fn new(params: &[f64]) -> Self {
        let length = params[0] as u32;
        Self { highest: Extreme::new(length as usize), lowest: Extreme::new(length as usize), length }
    }
    fn warm_up(&self) -> usize {
        self.length as usize - 1
    }
    #[inline]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        let (Some(high), Some(low)) = (self.highest.push(candle.high), self.lowest.push(candle.low)) else {
            return [f64::NAN];
        };
        // Measured from the top, so that the rounding is the original's.
        [position(-candle.close, -high, -low).map_or(0.0, |position| position * -100.0)]
    }
}
