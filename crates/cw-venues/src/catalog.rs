//! Every venue in one table: what it can do, where it is, what it needs.

use std::sync::Arc;
use std::time::Duration;

use cw_core::Adjustment;
use cw_market::{Capabilities, Pacing, Provider};
use serde::Deserialize;

use crate::net::{BaseUrl, Handles, Limits, Manner, UrlError};
use crate::{alpaca, aster, oanda, polygon, yahoo};

/// What the configuration says of one venue. What is not said has the venue's own default.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub enabled: bool,
    pub rest_url: Option<String>,
    pub stream_url: Option<String>,
    /// Key id, or token where there is one text only. Better in the environment than in a file.
    pub key: Option<String>,
    pub secret: Option<String>,
    /// OANDA's account.
    pub account: Option<String>,
    /// Which of several feeds: Alpaca `iex`, `sip`, `delayed_sip`, `boats`; OANDA `mid`, `bid`, `ask`.
    pub feed: Option<String>,
    /// Prices of history: `raw` or adjusted for `splits`, where the venue has both (Alpaca, Polygon); raw without it.
    pub adjustment: Option<String>,
    /// What Alpaca's stream is written in: `json` or `msgpack`.
    pub codec: Option<String>,
    /// Where Alpaca lists its instruments, which is not where its market data are.
    pub trading_url: Option<String>,
    /// Where Yahoo gives the cookie that it asks some callers for.
    pub cookie_url: Option<String>,
    /// What the plan allows, where it is more than the venue gives everybody.
    pub requests_per_minute: Option<u32>,
    /// Kept current while the program runs.
    pub symbols: Vec<String>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hidden = |secret: &Option<String>| secret.as_ref().map(|_| "***");
        f.debug_struct("Settings")
            .field("enabled", &self.enabled)
            .field("rest_url", &self.rest_url)
            .field("stream_url", &self.stream_url)
            .field("key", &hidden(&self.key))
            .field("secret", &hidden(&self.secret))
            .field("account", &self.account)
            .field("feed", &self.feed)
            .field("adjustment", &self.adjustment)
            .field("codec", &self.codec)
            .field("trading_url", &self.trading_url)
            .field("cookie_url", &self.cookie_url)
            .field("requests_per_minute", &self.requests_per_minute)
            .field("symbols", &self.symbols)
            .finish()
    }
}

impl Settings {
    /// A venue's manner with the limits of the user's own plan.
    pub(crate) const fn manner(&self, mut manner: Manner) -> Manner {
        if let Some(per_window) = self.requests_per_minute {
            manner.limits = Limits { per_window, window: Duration::from_mins(1), spacing: Duration::ZERO };
        }
        manner
    }
    /// The kind of prices that is asked for.
    pub(crate) fn adjustment(&self) -> Result<Adjustment, SetupError> {
        match self.adjustment.as_deref() {
            None | Some("raw") => Ok(Adjustment::Raw),
            Some("splits") => Ok(Adjustment::Splits),
            Some(other) => Err(SetupError::value("adjustment", other, "raw or splits")),
        }
    }
    /// For venues whose prices are of one kind only.
    pub(crate) fn only(&self, adjustment: Adjustment) -> Result<(), SetupError> {
        match (self.adjustment.as_deref(), adjustment) {
            (None, _) => Ok(()),
            (Some("raw"), Adjustment::Raw) | (Some("splits"), Adjustment::Splits) => Ok(()),
            (Some(other), Adjustment::Raw) => Err(SetupError::value("adjustment", other, "raw here")),
            (Some(other), Adjustment::Splits) => Err(SetupError::value("adjustment", other, "splits here")),
        }
    }
    pub(crate) fn rest(&self, default: &str) -> Result<BaseUrl, SetupError> {
        Ok(BaseUrl::http(self.rest_url.as_deref().unwrap_or(default))?)
    }
    pub(crate) fn stream(&self, default: &str) -> Result<BaseUrl, SetupError> {
        Ok(BaseUrl::socket(self.stream_url.as_deref().unwrap_or(default))?)
    }
}

/// Why a venue cannot be set up as the configuration says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error("{0} must be set")]
    Missing(&'static str),
    #[error("{field} must be {allowed}, not {value:?}")]
    Value { field: &'static str, value: String, allowed: &'static str },
}

impl SetupError {
    pub(crate) fn value(field: &'static str, value: &str, allowed: &'static str) -> Self {
        Self::Value { field, value: value.chars().take(40).collect(), allowed }
    }
}

/// Makes a provider; nothing is sent before it is used.
pub type Connect = fn(&Settings, Handles) -> Result<Arc<dyn Provider>, SetupError>;

/// One line of the table.
pub struct Entry {
    /// As the configuration names it: `[venues.alpaca]`.
    pub name: &'static str,
    /// As instrument ids carry it.
    pub code: &'static str,
    pub capabilities: &'static Capabilities,
    pub connect: Connect,
}

macro_rules! entry {
    ($module:ident, $code:literal, $capabilities:ident) => {
        Entry {
            name: stringify!($module),
            code: $code,
            capabilities: &$capabilities,
            connect: |settings, handles| Ok(Arc::new($module::connect(settings, handles)?)),
        }
    };
}

/// The venues behind a network.
pub static VENUES: &[Entry] = &[
    entry!(alpaca, "ALPACA", ALPACA),
    entry!(aster, "ASTER", ASTER),
    entry!(oanda, "OANDA", OANDA),
    entry!(polygon, "POLYGON", POLYGON),
    entry!(yahoo, "YAHOO", YAHOO),
];

/// The line of a venue, by its name or code.
pub fn find(name: &str) -> Option<&'static Entry> {
    VENUES.iter().find(|entry| entry.name == name || entry.code == name)
}

pub(crate) static ALPACA: Capabilities = Capabilities {
    trades: true,
    quotes: true,
    finest_candle: Some("1m"),
    max_candles: 10_000,
    any_timeframe: false,
    session_days: false,
    needs_credentials: true,
    pacing: Pacing::RealTime,
    streams_candles: true,
    dense: false,
    candle_delay_ms: 3_000,
    notice: "",
};

/// The feed that is a quarter of an hour late.
pub(crate) static ALPACA_DELAYED: Capabilities = Capabilities {
    pacing: Pacing::Delayed,
    candle_delay_ms: 15 * 60_000 + 5_000,
    notice: "Delayed by fifteen minutes.",
    trades: true,
    quotes: true,
    finest_candle: Some("1m"),
    max_candles: 10_000,
    any_timeframe: false,
    session_days: false,
    needs_credentials: true,
    streams_candles: true,
    dense: false,
};

pub(crate) static ASTER: Capabilities = Capabilities {
    trades: true,
    quotes: true,
    finest_candle: Some("1m"),
    max_candles: 1_000,
    any_timeframe: false,
    session_days: false,
    needs_credentials: false,
    pacing: Pacing::RealTime,
    streams_candles: true,
    dense: true,
    candle_delay_ms: 2_000,
    notice: "",
};

pub(crate) static OANDA: Capabilities = Capabilities {
    trades: false,
    quotes: true,
    finest_candle: Some("5s"),
    max_candles: 5_000,
    any_timeframe: false,
    session_days: false,
    needs_credentials: true,
    pacing: Pacing::RealTime,
    streams_candles: false,
    dense: false,
    candle_delay_ms: 1_500,
    notice: "Volume counts price updates, not what was traded.",
};

pub(crate) static POLYGON: Capabilities = Capabilities {
    trades: true,
    quotes: true,
    finest_candle: Some("1s"),
    max_candles: 50_000,
    any_timeframe: false,
    session_days: false,
    needs_credentials: true,
    pacing: Pacing::RealTime,
    streams_candles: true,
    dense: false,
    candle_delay_ms: 3_000,
    notice: "",
};

pub(crate) static YAHOO: Capabilities = Capabilities {
    trades: false,
    quotes: false,
    finest_candle: Some("1m"),
    max_candles: 10_000,
    any_timeframe: false,
    session_days: true,
    needs_credentials: false,
    pacing: Pacing::Delayed,
    streams_candles: false,
    dense: false,
    candle_delay_ms: 90_000,
    notice: "Delayed and unofficial: Yahoo does not offer this to programs; for personal use only.",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_printed() {
        let settings = Settings { key: Some("AKIA1".into()), secret: Some("hush".into()), ..Settings::default() };
        let text = format!("{settings:?}");
        assert!(!text.contains("AKIA1") && !text.contains("hush"), "{text}");
    }

    #[test]
    fn codes_can_be_in_instrument_ids() {
        for entry in VENUES {
            cw_core::InstrumentId::new(&format!("X.{}", entry.code)).unwrap();
            assert_eq!(find(entry.name).unwrap().code, entry.code);
        }
    }
}
