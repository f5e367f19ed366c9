//! What the market tells: trades, quotes and candles.

use serde::{Deserialize, Serialize};

use crate::ids::InstrumentId;
use crate::number::{Price, Quantity, Volume};
use crate::order::Side;
use crate::timestamp::Timestamp;

/// One public print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trade {
    /// The venue's clock.
    pub event_time: Timestamp,
    pub price: Price,
    pub qty: Quantity,
    /// The side that took liquidity, where the venue tells.
    pub aggressor: Option<Side>,
    /// The venue's running number, 0 where it has none.
    pub trade_id: u64,
}

/// Best bid and ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    pub event_time: Timestamp,
    pub bid: Price,
    pub ask: Price,
    pub bid_qty: Quantity,
    pub ask_qty: Quantity,
}

impl Quote {
    /// Halfway between bid and ask, rounded down to 10⁻⁹.
    pub const fn mid(&self) -> Price {
        Price::from_raw(self.bid.raw().midpoint(self.ask.raw()))
    }
    pub const fn is_crossed(&self) -> bool {
        self.bid.raw() > self.ask.raw()
    }
}

/// Why a candle is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CandleError {
    #[error("high {high} is below low {low}")]
    HighBelowLow { high: Price, low: Price },
    #[error("{field} {price} lies outside low {low} and high {high}")]
    OutsideRange { field: &'static str, price: Price, low: Price, high: Price },
    #[error("{0} must be greater than zero")]
    NotPositive(&'static str),
    #[error("volume is negative")]
    NegativeVolume,
}

/// A closed candle: nothing in it will change, except by a marked revision. Strategies see only these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct Candle {
    pub open_time: Timestamp,
    pub open: Price,
    pub high: Price,
    pub low: Price,
    pub close: Price,
    pub volume: Volume,
}

impl Candle {
    /// Checks what every candle must hold: positive prices, low ≤ open, close ≤ high, volume not negative.
    pub fn validate(&self) -> Result<(), CandleError> {
        if self.high < self.low {
            return Err(CandleError::HighBelowLow { high: self.high, low: self.low });
        }
        for (field, price) in [("open", self.open), ("high", self.high), ("low", self.low), ("close", self.close)] {
            if !price.is_positive() {
                return Err(CandleError::NotPositive(field));
            }
        }
        for (field, price) in [("open", self.open), ("close", self.close)] {
            if price < self.low || price > self.high {
                return Err(CandleError::OutsideRange { field, price, low: self.low, high: self.high });
            }
        }
        if self.volume.is_negative() {
            return Err(CandleError::NegativeVolume);
        }
        Ok(())
    }
}

/// A candle whose time is not over. Another type than [`Candle`], so that a strategy cannot be handed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormingCandle {
    pub so_far: Candle,
    /// Event time of the newest event in it.
    pub as_of: Timestamp,
}

/// One thing that a provider reports about one instrument.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketEvent {
    pub instrument: InstrumentId,
    /// Our clock when it came in.
    pub received_at: Timestamp,
    pub kind: MarketEventKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarketEventKind {
    Trade(Trade),
    Quote(Quote),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candle(o: i64, h: i64, l: i64, c: i64) -> Candle {
        Candle {
            open_time: Timestamp::EPOCH,
            open: Price::from_raw(o),
            high: Price::from_raw(h),
            low: Price::from_raw(l),
            close: Price::from_raw(c),
            volume: Volume::ZERO,
        }
    }

    #[test]
    fn candles_must_make_sense() {
        assert!(candle(2, 4, 1, 3).validate().is_ok());
        for (bad, expected) in [
            (candle(2, 1, 4, 3), "high 0.000000001 is below low 0.000000004"),
            (candle(5, 4, 1, 3), "open 0.000000005 lies outside low 0.000000001 and high 0.000000004"),
            (candle(0, 4, 0, 3), "open must be greater than zero"),
        ] {
            assert_eq!(bad.validate().unwrap_err().to_string(), expected);
        }
    }
}
