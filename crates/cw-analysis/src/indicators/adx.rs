use serde::{Deserialize, Serialize};

use crate::indicator::{Group, Indicator, Output, Pane, Param, Spec};
use crate::indicators::atr::true_range;
use crate::ohlcv::Ohlcv;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adx {
    /// High, low and close of the candle before.
    previous: Option<[f64; 3]>,
    /// Wilder sums of directional movement and true range.
    plus: f64,
    minus: f64,
    range: f64,
    average: f64,
    length: u32,
    inverse: f64,
    /// Changes seen, up to the end of the warm-up.
    seen: u32,
}

impl Indicator for Adx {
    type Input = Ohlcv;
    type Output = [f64; 3];
    const SPEC: Spec = Spec {
        name: "adx",
        title: "Average directional index",
        group: Group::Momentum,
        pane: Pane::Own,
        params: &[Param::period("length", 14, 2)],
        outputs: &[
            Output { name: "", title: "ADX" },
            Output { name: "plus_di", title: "+DI" },
            Output { name: "minus_di", title: "−DI" },
        ],
        doc: "+DI and −DI are the Wilder sums of upward and downward movement in percent of that of the true range; ADX is \
              Wilder's average of |+DI − −DI| / (+DI + −DI) × 100, seeded with the mean of the first `length` of them. The \
              sums are seeded with the first `length` − 1 changes. Recursive.",
        source: "TA-Lib ADX, PLUS_DI, MINUS_DI (Wilder 1978)",
    };

    fn new(params: &[f64]) -> Self {
        let length = params[0] as u32;
        let inverse = 1.0 / params[0];
        Self { previous: None, plus: 0.0, minus: 0.0, range: 0.0, average: 0.0, length, inverse, seen: 0 }
    }
    fn warm_up(&self) -> usize {
        2 * self.length as usize - 1
    }
    #[inline]
    fn update(&mut self, candle: Ohlcv) -> [f64; 3] {
        let Some(previous) = self.previous.replace([candle.high, candle.low, candle.close]) else {
            return [f64::NAN; 3];
        };
        let [previous_high, previous_low, previous_close] = previous;
        let (up, down) = (candle.high - previous_high, previous_low - candle.low);
        // Directions are a coin toss to the branch predictor: compute instead of deciding.
        let rise = |distance: f64| if distance > 0.0 { distance } else { 0.0 };
        let plus = f64::from(u8::from(up > down)) * rise(up);
        let minus = f64::from(u8::from(down > up)) * rise(down);
        let range = true_range(&candle, previous_close);
        if self.seen < self.length - 1 {
            self.seen += 1;
            self.plus += plus;
            self.minus += minus;
            self.range += range;
            return [f64::NAN; 3];
        }
        self.plus += plus - self.plus * self.inverse;
        self.minus += minus - self.minus * self.inverse;
        self.range += range - self.range * self.inverse;
        let (mut plus_di, mut minus_di, mut index) = (0.0, 0.0, None);
        if self.range > 0.0 {
            plus_di = 100.0 * (self.plus / self.range);
            minus_di = 100.0 * (self.minus / self.range);
            let total = plus_di + minus_di;
            if total >= 1e-14 {
                index = Some(100.0 * ((plus_di - minus_di).abs() / total));
            }
        }
        let end = 2 * self.length - 1;
        if self.seen == end {
            // Where nothing moved there is no index, and the average stays.
            self.average += index.map_or(0.0, |index| (index - self.average) * self.inverse);
            return [self.average, plus_di, minus_di];
        }
        self.seen += 1;
        self.average += index.unwrap_or(0.0);
        if self.seen < end {
            return [f64::NAN, plus_di, minus_di];
        }
        self.average *= self.inverse;
        [self.average, plus_di, minus_di]
    }
}
