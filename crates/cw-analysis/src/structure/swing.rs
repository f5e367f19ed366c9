//! Swing highs and lows that never move again: each with the candle that confirmed it.

use cw_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ohlcv::Ohlcv;

/// How far the price has to come back from an extreme to make it a pivot, in average true ranges.
pub(super) const REVERSAL: f64 = 2.0;
/// Wilder's usual period.
const ATR_PERIOD: f64 = 14.0;

/// A confirmed swing high or low.
///
/// An extreme is a pivot once a later candle trades two average true ranges (Wilder, 14) away from it on the other
/// side. That candle is stored, so that nothing is ever drawn before it was known. Highs and lows alternate. Source:
/// the directional-change or zigzag definition (Guillaume et al., 1997) with the threshold in average true ranges.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pivot {
    /// The candle's number in its series, and its open time.
    pub index: u64,
    pub time: Timestamp,
    /// Its high or low.
    pub price: f64,
    pub high: bool,
    /// The candle that confirmed it.
    pub confirmed_index: u64,
    pub confirmed_at: Timestamp,
}

/// Wilder's average true range of 14 candles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Atr {
    count: u32,
    sum: f64,
    close: f64,
    value: f64,
}

impl Atr {
    pub(super) const NEW: Self = Self { count: 0, sum: 0.0, close: 0.0, value: 0.0 };

    /// The average with this candle; the mean of what there is while there are fewer than 14.
    pub(super) fn push(&mut self, candle: &Ohlcv) -> f64 {
        let range = match self.count {
            0 => candle.high - candle.low,
            _ => candle.high.max(self.close) - candle.low.min(self.close),
        };
        self.close = candle.close;
        if f64::from(self.count) < ATR_PERIOD {
            self.count += 1;
            self.sum += range;
            self.value = self.sum / f64::from(self.count);
        } else {
            self.value += (range - self.value) / ATR_PERIOD;
        }
        self.value
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Extreme {
    index: u64,
    time: Timestamp,
    price: f64,
}

/// Follows the swings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Swings {
    /// The highest high and the lowest low since the last pivot (the other one: since the first of them).
    high: Option<Extreme>,
    low: Option<Extreme>,
    /// The kind of the last pivot.
    last_high: Option<bool>,
}

impl Swings {
    pub(super) const NEW: Self = Self { high: None, low: None, last_high: None };

    /// Takes the next candle; gives the pivot that it confirms.
    pub(super) fn push(&mut self, index: u64, candle: &Ohlcv, atr: f64) -> Option<Pivot> {
        let at = |price| Extreme { index, time: candle.open_time, price };
        let new_high = self.high.is_none_or(|high| candle.high > high.price);
        let new_low = self.low.is_none_or(|low| candle.low < low.price);
        // While a high is looked for, the low counts from the candle after it, and the other way.
        match self.last_high {
            Some(false) if new_high => (self.high, self.low) = (Some(at(candle.high)), None),
            Some(true) if new_low => (self.high, self.low) = (None, Some(at(candle.low))),
            _ => {
                self.high = if new_high { Some(at(candle.high)) } else { self.high };
                self.low = if new_low { Some(at(candle.low)) } else { self.low };
            }
        }
        let threshold = REVERSAL * atr;
        if threshold <= 0.0 {
            return None;
        }
        let (high, low) = (self.high, self.low);
        // A candle that makes a new extreme does not also confirm it: its own order of prices is not known.
        let falls = |high: Extreme| !new_high && candle.low <= high.price - threshold;
        let rises = |low: Extreme| !new_low && candle.high >= low.price + threshold;
        let (extreme, is_high) = match (high, low) {
            (Some(high), _) if self.last_high != Some(true) && falls(high) => (high, true),
            (_, Some(low)) if self.last_high != Some(false) && rises(low) => (low, false),
            _ => return None,
        };
        self.last_high = Some(is_high);
        if is_high {
            self.low = self.low.filter(|low| low.index > extreme.index).or(Some(at(candle.low)));
            self.high = None;
        } else {
            self.high = self.high.filter(|high| high.index > extreme.index).or(Some(at(candle.high)));
            self.low = None;
        }
        Some(Pivot {
            index: extreme.index,
            time: extreme.time,
            price: extreme.price,
            high: is_high,
            confirmed_index: index,
            confirmed_at: candle.open_time,
        })
    }
}
