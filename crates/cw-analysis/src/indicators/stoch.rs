use serde::{Deserialize, Serialize};

use crate::indicator::{Group, Indicator, Output, Pane, Param, Spec};
use crate::ohlcv::Ohlcv;
use crate::window::{Extreme, MovingSum};

/// Where `close` lies between `low` and `high`, 0 to 1; `None` where they are the same but for rounding.
#[inline]
pub(crate) fn position(close: f64, low: f64, high: f64) -> Option<f64> {
    let range = high - low;
    (range > 1e-14 * (high.abs() + low.abs())).then(|| (close - low) / range)
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stoch {
    highest: Extreme<true>,
    lowest: Extreme<false>,
    k: MovingSum,
    d: MovingSum,
    inverse_k: f64,
    inverse_d: f64,
    warm_up: u32,
}

impl Indicator for Stoch {
    type Input = Ohlcv;
    type Output = [f64; 2];
    const SPEC: Spec = Spec {
        name: "stoch",
        title: "Stochastic",
        group: Group::Momentum,
        pane: Pane::Own,
        params: &[Param::period("length", 14, 1), Param::period("smooth_k", 1, 1), Param::period("smooth_d", 3, 1)],
        outputs: &[Output { name: "k", title: "%K" }, Output { name: "d", title: "%D" }],
        doc: "Where the close lies between the lowest low and the highest high of `length` candles, in percent, averaged \
              over `smooth_k` (%K) and again over `smooth_d` (%D); 0 where nothing has moved. Both begin together.",
        source: "TA-Lib STOCH with simple averages (Lane)",
    };

    fn new(params: &[f64]) -> Self {
        let (length, k, d) = (params[0] as usize, params[1] as usize, params[2] as usize);
        Self {
            highest: Extreme::new(length),
            lowest: Extreme::new(length),
            k: MovingSum::new(k),
            d: MovingSum::new(d),
            inverse_k: 1.0 / params[1],
            inverse_d: 1.0 / params[2],
            warm_up: (length + k + d - 3) as u32,
        }
    }
    fn warm_up(&self) -> usize {
        self.warm_up as usize
    }
    #[inline]
    fn update(&mut self, candle: Ohlcv) -> [f64; 2] {
        let (Some(high), Some(low)) = (self.highest.push(candle.high), self.lowest.push(candle.low)) else {
            return [f64::NAN; 2];
        };
        let raw = position(candle.close, low, high).map_or(0.0, |position| position * 100.0);
        let Some(k) = self.k.push(raw).map(|sum| sum * self.inverse_k) else { return [f64::NAN; 2] };
        match self.d.push(k) {
            Some(sum) => [k, sum * self.inverse_d],
            None => [f64::NAN; 2],
        }
    }
}
