//! What ends a candle: the clock, or what was traded.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::number::{Price, Quantity};
use crate::timeframe::Timeframe;

/// Ends a candle by what was traded and not by the clock. The letters are none of those that a timeframe ends with, so
/// that a text says which of the two it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BarRule {
    /// So many trades: `100t`.
    Trades(u32),
    /// So much volume: `500v`. A trade that is more than what is left is divided, so that every candle has exactly as much.
    Volume(Quantity),
    /// So much notional, price × quantity, in the quote currency: `1000000n`. The trade that reaches it is the candle's
    /// last.
    Notional(Price),
    /// High and low so far apart: `2.5r`. The trade that would go further begins the next candle.
    Range(Price),
    /// A move by one brick from the last brick's end, by two in the other direction: `10k`. Bricks lie on the grid of their
    /// size; high and low are the brick's own.
    Renko(Price),
}

impl BarRule {
    fn parse(text: &str) -> Option<Self> {
        let number = text.get(..text.len().checked_sub(1)?)?;
        if !number.starts_with(|c: char| c.is_ascii_digit())
            || number.contains(|c: char| c != '.' && !c.is_ascii_digit())
        {
            return None;
        }
        let price = || number.parse::<Price>().ok().filter(|price| price.is_positive());
        match text.as_bytes().last()? {
            b't' => number.parse().ok().filter(|n| *n > 0).map(Self::Trades),
            b'v' => number.parse::<Quantity>().ok().filter(|qty| qty.is_positive()).map(Self::Volume),
            b'n' => price().map(Self::Notional),
            b'r' => price().map(Self::Range),
            b'k' => price().map(Self::Renko),
            _ => None,
        }
    }

    /// When a candle ends, as a person reads it.
    pub fn describe(&self) -> String {
        match self {
            Self::Trades(n) => format!("a candle ends with its trade {n}"),
            Self::Volume(qty) => format!("a candle ends with a volume of {qty}, in the middle of a trade if it must"),
            Self::Notional(money) => format!("a candle ends with the trade that brings it to a notional of {money}"),
            Self::Range(price) => format!("a candle ends before the trade that would make it higher than {price}"),
            Self::Renko(price) => {
                format!("a candle is a move of {price} on, or the second {price} back; several may end with one trade")
            }
        }
    }
}

impl fmt::Display for BarRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trades(n) => write!(f, "{n}t"),
            Self::Volume(qty) => write!(f, "{qty}v"),
            Self::Notional(money) => write!(f, "{money}n"),
            Self::Range(price) => write!(f, "{price}r"),
            Self::Renko(price) => write!(f, "{price}k"),
        }
    }
}

/// What ends each candle of a series: its time, or what was traded in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(ts_rs::TS), ts(type = "string"))]
pub enum Cadence {
    Time(Timeframe),
    Traded(BarRule),
}

crate::schema::text_schema!(
    Cadence,
    "What ends a candle: its time (1s, 1m, 15m, 4h, 1d, 1w, 1M), or so many trades (100t), so much volume (500v), \
     so much notional (1000000n), such a range (2.5r) or move (10k, renko)",
    r"^[0-9]*\.?[0-9]+[smhdwMtvnrk]$"
);

/// A text that says neither.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is neither a timeframe, a number and s, m, h, d, w or M: 1m, 15m, 4h, 1d, 1M; nor a kind of bars: 100t \
     (trades), 500v (volume), 1000000n (notional), 2.5r (range), 10k (renko)"
)]
pub struct CadenceError(String);

impl Cadence {
    pub const fn timeframe(self) -> Option<Timeframe> {
        match self {
            Self::Time(timeframe) => Some(timeframe),
            Self::Traded(_) => None,
        }
    }
}

impl From<Timeframe> for Cadence {
    fn from(timeframe: Timeframe) -> Self {
        Self::Time(timeframe)
    }
}
impl From<BarRule> for Cadence {
    fn from(rule: BarRule) -> Self {
        Self::Traded(rule)
    }
}

impl FromStr for Cadence {
    type Err = CadenceError;
    fn from_str(text: &str) -> Result<Self, CadenceError> {
        if let Ok(timeframe) = text.parse() {
            return Ok(Self::Time(timeframe));
        }
        BarRule::parse(text).map(Self::Traded).ok_or_else(|| CadenceError(text.chars().take(30).collect()))
    }
}
impl fmt::Display for Cadence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(timeframe) => timeframe.fmt(f),
            Self::Traded(rule) => rule.fmt(f),
        }
    }
}
impl Serialize for Cadence {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Cadence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_says_which_of_the_two_it_is() {
        for text in ["1s", "15m", "4h", "1d", "1w", "1M"] {
            let cadence: Cadence = text.parse().unwrap();
            assert_eq!((cadence.timeframe(), cadence.to_string()), (text.parse().ok(), text.to_owned()));
        }
        for (text, rule) in [
            ("100t", BarRule::Trades(100)),
            ("0.5v", BarRule::Volume("0.5".parse().unwrap())),
            ("1000000n", BarRule::Notional("1000000".parse().unwrap())),
            ("2.5r", BarRule::Range("2.5".parse().unwrap())),
            ("10k", BarRule::Renko("10".parse().unwrap())),
        ] {
            let cadence: Cadence = text.parse().unwrap();
            assert_eq!((cadence, cadence.to_string(), cadence.timeframe()), (rule.into(), text.to_owned(), None));
            let told = serde_json::to_string(&cadence).unwrap();
            assert_eq!(serde_json::from_str::<Cadence>(&told).unwrap(), cadence);
        }
        for text in ["", "t", "0t", "-1v", "0v", "5", "1.5t", "+1r", "é", "1e3v", "1000000d", "100 t", "100T"] {
            let error = text.parse::<Cadence>().unwrap_err().to_string();
            assert!(error.contains("100t (trades)") && error.contains("15m"), "{text}: {error}");
        }
    }
}
