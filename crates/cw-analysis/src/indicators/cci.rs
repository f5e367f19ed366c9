use serde::{Deserialize, Serialize};

use crate::indicator::{Group, Indicator, Pane, Param, Spec, VALUE};
use crate::ohlcv::Ohlcv;
use crate::window::Ring;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cci {
    ring: Ring,
    length: u32,
    inverse: f64,
}

impl Indicator for Cci {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec {
        name: "cci",
        title: "Commodity channel index",
        group: Group::Momentum,
        pane: Pane::Own,
        params: &[Param::period("length", 20, 2)],
        outputs: VALUE,
        doc: "The typical price's distance from its mean over `length` candles, in units of 0.015 mean absolute \
              deviations; 0 where nothing has moved.",
        source: "TA-Lib CCI (Lambert)",
    };

    fn new(params: &[f64]) -> Self {
        Self { ring: Ring::new(params[0] as usize), length: params[0] as u32, inverse: 1.0 / params[0] }
    }
    fn warm_up(&self) -> usize {
        self.length as usize - 1
    }
    #[inline]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        let typical = candle.typical();
        self.ring.push(typical);
        if !self.ring.is_full() {
            return [f64::NAN];
        }
        let mean = sum(self.ring.values(), |value| value) * self.inverse;
        let deviation = sum(self.ring.values(), |value| (value - mean).abs()) * self.inverse;
        let distance = typical - mean;
        // What rounding leaves of a window in which nothing moved.
        let flat = 1e-14 * mean.abs();
        let scale = 0.015 * deviation;
        [if distance.abs() <= flat || deviation <= flat || scale == 0.0 { 0.0 } else { distance / scale }]
    }
}

/// Four partial sums side by side: the order is fixed, and the additions do not wait for one another.
#[inline]
fn sum(values: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    let mut lanes = [0.0; 4];
    let (chunks, rest) = values.as_chunks::<4>();
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += f(*value);
        }
    }
    let tail: f64 = rest.iter().map(|value| f(*value)).sum();
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + tail
}
