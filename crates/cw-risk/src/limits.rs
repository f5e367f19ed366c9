//! What an account may do.

use std::collections::BTreeSet;

use cw_core::{Amount, InstrumentId, Ratio};
use serde::{Deserialize, Serialize};

/// Limits of one account, in its own currency. `None` means not limited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest notional of a single order.
    pub max_order_notional: Option<Amount>,
    /// Largest notional of one position, counting open orders that would add to it.
    pub max_position_notional: Option<Amount>,
    /// Largest sum of all positions' notional as a multiple of equity.
    pub max_leverage: Option<Ratio>,
    /// How far a limit or stop price may be from the market, as a fraction of it.
    pub price_collar: Option<Ratio>,
    pub max_open_orders: Option<u32>,
    pub max_orders_per_minute: Option<u32>,
    /// No new risk once the day's result is below minus this.
    pub max_daily_loss: Option<Amount>,
    /// No new risk once equity is this fraction below its peak.
    pub max_drawdown: Option<Ratio>,
    /// No new risk on a quote older than this.
    pub max_quote_age_ms: Option<u64>,
    /// The same order (instrument, side, type, quantity, price) is refused within this time.
    pub duplicate_window_ms: Option<u64>,
    /// Instruments that may not be traded.
    pub restricted: BTreeSet<InstrumentId>,
}

impl Default for Limits {
    /// What a new paper account starts with.
    fn default() -> Self {
        let units = |n: i128| Some(Amount::from_raw(n * 1_000_000_000_000_000_000));
        Self {
            max_order_notional: units(100_000),
            max_position_notional: units(150_000),
            max_leverage: Some(Ratio::from_raw(10_000_000_000)),
            price_collar: Some(Ratio::from_bps(1_000)),
            max_open_orders: Some(50),
            max_orders_per_minute: Some(120),
            max_daily_loss: units(3_000),
            max_drawdown: Some(Ratio::from_bps(2_500)),
            max_quote_age_ms: Some(15_000),
            duplicate_window_ms: Some(500),
            restricted: BTreeSet::new(),
        }
    }
}

/// Why a limit could not be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LimitError {
    /// No limit has this name.
    Unknown(String),
    /// The value does not fit the limit.
    Invalid { name: String, value: String, expected: &'static str },
}

impl std::fmt::Display for LimitError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "no limit is called \"{name}\"; there are {}", Limits::NAMES.join(", ")),
            Self::Invalid { name, value, expected } => write!(f, "{name} must be {expected}, not \"{value}\""),
        }
    }
}
impl std::error::Error for LimitError {}

impl Limits {
    /// The names that [`Limits::set`] and [`Limits::get`] know, in the order they are shown.
    pub const NAMES: [&'static str; 10] = [
        "max_order_notional",
        "max_position_notional",
        "max_leverage",
        "price_collar",
        "max_open_orders",
        "max_orders_per_minute",
        "max_daily_loss",
        "max_drawdown",
        "max_quote_age_ms",
        "duplicate_window_ms",
    ];

    /// Nothing limited. For backtests, whose report says so.
    pub const fn unlimited() -> Self {
        Self {
            max_order_notional: None,
            max_position_notional: None,
            max_leverage: None,
            price_collar: None,
            max_open_orders: None,
            max_orders_per_minute: None,
            max_daily_loss: None,
            max_drawdown: None,
            max_quote_age_ms: None,
            duplicate_window_ms: None,
            restricted: BTreeSet::new(),
        }
    }

    /// The limit's value as text, `None` when it is not set or not known.
    pub fn get(&self, name: &str) -> Option<String> {
        match name {
            "max_order_notional" => self.max_order_notional.map(|v| v.to_string()),
            "max_position_notional" => self.max_position_notional.map(|v| v.to_string()),
            "max_leverage" => self.max_leverage.map(|v| v.to_string()),
            "price_collar" => self.price_collar.map(|v| v.to_string()),
            "max_open_orders" => self.max_open_orders.map(|v| v.to_string()),
            "max_orders_per_minute" => self.max_orders_per_minute.map(|v| v.to_string()),
            "max_daily_loss" => self.max_daily_loss.map(|v| v.to_string()),
            "max_drawdown" => self.max_drawdown.map(|v| v.to_string()),
            "max_quote_age_ms" => self.max_quote_age_ms.map(|v| v.to_string()),
            "duplicate_window_ms" => self.duplicate_window_ms.map(|v| v.to_string()),
            _ => None,
        }
    }

    /// A copy with one limit changed; `"none"` removes it.
    pub fn with(&self, name: &str, value: &str) -> Result<Self, LimitError> {
        fn read<T: std::str::FromStr + PartialOrd + Default>(
            name: &str,
            value: &str,
            expected: &'static str,
        ) -> Result<Option<T>, LimitError> {
            if value == "none" {
                return Ok(None);
            }
            match value.parse::<T>() {
                Ok(parsed) if parsed >= T::default() => Ok(Some(parsed)),
                _ => Err(LimitError::Invalid { name: name.to_owned(), value: value.to_owned(), expected }),
            }
        }
        const AMOUNT: &str = "an amount of at least 0, or none";
        const RATIO: &str = "a fraction of at least 0, or none";
        const COUNT: &str = "a whole number of at least 0, or none";
        let mut next = self.clone();
        match name {
            "max_order_notional" => next.max_order_notional = read(name, value, AMOUNT)?,
            "max_position_notional" => next.max_position_notional = read(name, value, AMOUNT)?,
            "max_leverage" => next.max_leverage = read(name, value, RATIO)?,
            "price_collar" => next.price_collar = read(name, value, RATIO)?,
            "max_open_orders" => next.max_open_orders = read(name, value, COUNT)?,
            "max_orders_per_minute" => next.max_orders_per_minute = read(name, value, COUNT)?,
            "max_daily_loss" => next.max_daily_loss = read(name, value, AMOUNT)?,
            "max_drawdown" => next.max_drawdown = read(name, value, RATIO)?,
            "max_quote_age_ms" => next.max_quote_age_ms = read(name, value, COUNT)?,
            "duplicate_window_ms" => next.duplicate_window_ms = read(name, value, COUNT)?,
            _ => return Err(LimitError::Unknown(name.to_owned())),
        }
        Ok(next)
    }
}

/// The stricter of two limits, where smaller is stricter and none is loosest.
fn smaller<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

impl Limits {
    /// These limits where `wanted` is looser, `wanted` where it is stricter: what a configuration file may do to limits
    /// that a person has confirmed.
    #[must_use]
    pub fn tightened(&self, wanted: &Self) -> Self {
        Self {
            max_order_notional: smaller(self.max_order_notional, wanted.max_order_notional),
            max_position_notional: smaller(self.max_position_notional, wanted.max_position_notional),
            max_leverage: smaller(self.max_leverage, wanted.max_leverage),
            price_collar: smaller(self.price_collar, wanted.price_collar),
            max_open_orders: smaller(self.max_open_orders, wanted.max_open_orders),
            max_orders_per_minute: smaller(self.max_orders_per_minute, wanted.max_orders_per_minute),
            max_daily_loss: smaller(self.max_daily_loss, wanted.max_daily_loss),
            max_drawdown: smaller(self.max_drawdown, wanted.max_drawdown),
            max_quote_age_ms: smaller(self.max_quote_age_ms, wanted.max_quote_age_ms),
            // A longer window refuses more; none refuses nothing, and sorts before every number.
            duplicate_window_ms: self.duplicate_window_ms.max(wanted.duplicate_window_ms),
            restricted: self.restricted.union(&wanted.restricted).cloned().collect(),
        }
    }

    /// Names of the limits that differ, with the value they have in `other` (`none` where it has none).
    pub fn changes(&self, other: &Self) -> Vec<(&'static str, String)> {
        let value = |limits: &Self, name| limits.get(name).unwrap_or_else(|| "none".to_owned());
        let changed = Self::NAMES.into_iter().filter(|name| self.get(name) != other.get(name));
        changed.map(|name| (name, value(other, name))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_can_be_read_and_set() {
        let limits = Limits::default();
        for name in Limits::NAMES {
            let text = limits.get(name).expect(name);
            assert_eq!(limits.with(name, &text).as_ref(), Ok(&limits), "{name}");
            assert_eq!(limits.with(name, "none").unwrap().get(name), None, "{name}");
            assert!(limits.with(name, "-1").is_err(), "{name}");
            assert!(limits.with(name, "lots").is_err(), "{name}");
        }
        assert!(limits.with("max_fun", "1").unwrap_err().to_string().contains("no limit is called"));
    }

    #[test]
    fn a_configuration_can_only_tighten() {
        let units = |n: i128| Some(Amount::from_raw(n * 1_000_000_000_000_000_000));
        let confirmed = Limits { max_drawdown: None, ..Limits::default() };
        let wanted = Limits {
            max_order_notional: units(50_000),
            max_position_notional: units(1_000_000),
            max_leverage: None,
            max_drawdown: Some(Ratio::from_bps(500)),
            duplicate_window_ms: Some(100),
            restricted: BTreeSet::from(["DOGE-PERP.SIM".parse().unwrap()]),
            ..confirmed.clone()
        };
        let tight = confirmed.tightened(&wanted);
        let changes = [("max_order_notional", "50000".to_owned()), ("max_drawdown", "0.05".to_owned())];
        assert_eq!(confirmed.changes(&tight), changes, "the looser ones stay");
        assert_eq!(tight.restricted.len(), 1);
        assert_eq!(Limits { duplicate_window_ms: None, ..confirmed.clone() }.tightened(&confirmed), confirmed);
        assert_eq!(tight.tightened(&Limits::unlimited()), tight);
    }
}
