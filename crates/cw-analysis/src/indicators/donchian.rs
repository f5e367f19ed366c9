use serde::{Deserialize, Serialize};

use crate::indicator::{Group, Indicator, Output, Pane, Param, Spec};
use crate::ohlcv::Ohlcv;
use crate::window::Extreme;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Donchian {
    highest: Extreme<true>,
    lowest: Extreme<false>,
    length: u32,
}

impl Indicator for Donchian {
    type Input = Ohlcv;
    type Output = [f64; 3];
    const SPEC: Spec = Spec {
        name: "donchian",
        title: "Donchian channel",
        group: Group::Overlap,
        pane: Pane::Overlay,
        params: &[Param::period("length", 20, 1)],
        outputs: &[
            Output { name: "upper", title: "Upper" },
            Output { name: "middle", title: "Middle" },
            Output { name: "lower", title: "Lower" },
        ],
        doc: "The highest high and the lowest low of the newest `length` candles, and their mean.",
        source: "TA-Lib DONCHIAN",
    };

    fn new(params: &[f64]) -> Self {
        let length = params[0] as u32;
        Self { highest: Extreme::new(length as usize), lowest: Extreme::new(length as usize), length }
    }
    fn warm_up(&self) -> usize {
        self.length as usize - 1
    }
    #[inline]
    fn update(&mut self, candle: Ohlcv) -> [f64; 3] {
        match (self.highest.push(candle.high), self.lowest.push(candle.low)) {
            (Some(upper), Some(lower)) => [upper, 0.5 * (upper + lower), lower],
            _ => [f64::NAN; 3],
        }
    }
}
