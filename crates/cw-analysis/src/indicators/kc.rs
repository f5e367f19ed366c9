use serde::{Deserialize, Serialize};

use crate::indicator::{Group, Indicator, Output, Pane, Param, Spec};
use crate::indicators::atr::Atr;
use crate::indicators::ema::Smoothing;
use crate::ohlcv::Ohlcv;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kc {
    basis: Smoothing,
    atr: Atr,
    multiplier: f64,
    warm_up: u32,
    /// Candles that each part waits for, so that both are seeded at the same one.
    basis_delay: u32,
    atr_delay: u32,
}

impl Indicator for Kc {
    type Input = Ohlcv;
    type Output = [f64; 3];
    const SPEC: Spec = Spec {
        name: "kc",
        title: "Keltner channel",
        group: Group::Overlap,
        pane: Pane::Overlay,
        params: &[
            Param::period("length", 20, 2),
            Param::period("atr_length", 10, 1),
            Param::number("multiplier", 2.0, 0.001, 50.0),
        ],
        outputs: &[
            Output { name: "upper", title: "Upper" },
            Output { name: "middle", title: "Middle" },
            Output { name: "lower", title: "Lower" },
        ],
        doc: "The EMA of the typical price over `length` candles, and `multiplier` average true ranges above and below \
              it, both seeded at the same candle. Recursive.",
        source: "TA-Lib KC (Keltner, Raschke)",
    };

    fn new(params: &[f64]) -> Self {
        let (length, atr_length) = (params[0] as u32, params[1] as u32);
        let warm_up = (length - 1).max(atr_length);
        Self {
            basis: Smoothing::exponential(length),
            atr: Atr::new(&[params[1]]),
            multiplier: params[2],
            warm_up,
            basis_delay: warm_up - (length - 1),
            atr_delay: warm_up - atr_length,
        }
    }
    fn warm_up(&self) -> usize {
        self.warm_up as usize
    }
    #[inline]
    fn update(&mut self, candle: Ohlcv) -> [f64; 3] {
        let mut middle = f64::NAN;
        if self.basis_delay > 0 {
            self.basis_delay -= 1;
        } else {
            middle = self.basis.push(candle.typical());
        }
        let mut range = f64::NAN;
        if self.atr_delay > 0 {
            self.atr_delay -= 1;
        } else {
            [range] = self.atr.update(candle);
        }
        let distance = range * self.multiplier;
        if distance.is_nan() || middle.is_nan() {
            return [f64::NAN; 3];
        }
        [middle + distance, middle, middle - distance]
    }
}
