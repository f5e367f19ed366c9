//! Alpaca, venue code `ALPACA`: US stocks (`AAPL.ALPACA`) and crypto (`BTC/USD.ALPACA`).
//!
//! Stocks come from one feed that the configuration names (`iex`, `sip` or `delayed_sip`): volumes of different feeds
//! differ by a factor of thirty, so a candle's source says which it was. Prices are raw, or adjusted for
//! splits where that is wished, never for dividends. Minutes include trading before and after the session; daily candles follow the exchange's official rules
//! and stand at midnight UTC of their New York date. Minutes without trades have no candle.

mod parse;
mod rest;
mod wire;
mod ws;

use std::sync::Arc;

use cw_core::{Adjustment, AssetClass, Candle, Currency, Instrument, InstrumentId, Price, Timestamp};
use cw_market::{Capabilities, ProviderError};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::catalog::{self, Settings, SetupError};
use crate::net::{BaseUrl, Connection, Handles, Kind, Native, Plan, Secret, Site, Venue};

/// How Alpaca is reached.
pub struct Alpaca {
    rest: BaseUrl,
    stream: BaseUrl,
    keys: Option<Arc<Keys>>,
    feed: Feed,
    adjustment: Adjustment,
}

struct Keys {
    id: Secret,
    secret: Secret,
}

/// Whose trades and quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Feed {
    Iex,
    Sip,
    DelayedSip,
}

impl Feed {
    const fn word(self) -> &'static str {
        match self {
            Self::Iex => "iex",
            Self::Sip => "sip",
            Self::DelayedSip => "delayed_sip",
        }
    }
}

/// Crypto symbols have a slash: `BTC/USD`.
fn is_crypto(id: &InstrumentId) -> bool {
    id.symbol().contains('/')
}

/// A provider with these settings.
pub fn connect(settings: &Settings, handles: Handles) -> Result<Venue<Alpaca>, SetupError> {
    let feed = match settings.feed.as_deref() {
        None | Some("iex") => Feed::Iex,
        Some("sip") => Feed::Sip,
        Some("delayed_sip") => Feed::DelayedSip,
        Some(other) => return Err(SetupError::value("feed", other, "iex, sip or delayed_sip")),
    };
    let keys = match (&settings.key, &settings.secret) {
        (Some(id), Some(secret)) => {
            Some(Arc::new(Keys { id: Secret::new(id.clone()), secret: Secret::new(secret.clone()) }))
        }
        (None, None) => None,
        _ => return Err(SetupError::Missing("key and secret")),
    };
    let kind = Alpaca {
        rest: settings.rest("https://data.alpaca.markets")?,
        stream: settings.stream("wss://stream.data.alpaca.markets")?,
        keys,
        feed,
        adjustment: settings.adjustment()?,
    };
    Ok(Venue { site: Arc::new(Site::new("ALPACA", settings.manner(rest::MANNER), handles)), kind })
}

impl Kind for Alpaca {
    fn capabilities(&self) -> &'static Capabilities {
        &catalog::ALPACA
    }

    fn natives(&self, id: &InstrumentId) -> &'static [Native] {
        // Crypto days begin at an hour that is not ours: they are folded.
        if is_crypto(id) { rest::INTRADAY } else { rest::NATIVES }
    }

    fn page_size(&self) -> usize {
        rest::PAGE
    }

    fn page<'a>(
        &'a self,
        site: &'a Site,
        id: &'a InstrumentId,
        plan: &'a Plan,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Candle>, ProviderError>> {
        self.bars(site, id, plan, from, to).boxed()
    }

    fn describe<'a>(
        &'a self,
        site: &'a Site,
        id: &'a InstrumentId,
    ) -> BoxFuture<'a, Result<Instrument, ProviderError>> {
        async move {
            self.latest_bar(site, id).await?.ok_or_else(|| site.refused(format!("there is no instrument {id}")))?;
            Ok(instrument(id))
        }
        .boxed()
    }

    fn adjustment(&self) -> Adjustment {
        self.adjustment
    }

    fn source(&self, site: &Site, id: &InstrumentId) -> String {
        format!("{}:{}", site.code, if is_crypto(id) { "crypto" } else { self.feed.word() })
    }

    fn connections(&self, site: &Arc<Site>, instruments: &[InstrumentId]) -> Result<Vec<Connection>, ProviderError> {
        ws::connections(self, site, instruments)
    }
}

/// Alpaca's rules: cents for stocks from one dollar on; crypto as its own listing says, which needs a trading account.
fn instrument(id: &InstrumentId) -> Instrument {
    let mut instrument = Instrument::from_file(id.clone(), 2, if is_crypto(id) { 9 } else { 4 });
    if let Some((base, quote)) = id.symbol().split_once('/') {
        instrument.asset_class = AssetClass::Crypto;
        base.clone_into(&mut instrument.base);
        instrument.quote_currency = Currency::new(quote).unwrap_or(Currency::USD);
    } else {
        instrument.asset_class = AssetClass::Equity;
        instrument.tick_size = Price::from_raw(10_000_000);
    }
    instrument
}

#[cfg(test)]
mod tests;
