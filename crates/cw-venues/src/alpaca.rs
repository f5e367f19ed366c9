//! Alpaca, venue code `ALPACA`: US stocks (`AAPL.ALPACA`) and crypto (`BTC/USD.ALPACA`).
//!
//! Stocks come from one feed that the configuration names (`iex`, `sip` or `delayed_sip`): volumes of different feeds
//! differ by a factor of thirty, so a candle's source says which it was. Prices are raw, or adjusted for
//! splits where that is wished, never for dividends. Minutes include trading before and after the session; daily candles follow the exchange's official rules
//! and stand at midnight UTC of their New York date. Minutes without trades have no candle.

mod news;
mod parse;
mod rest;
mod wire;
mod ws;

use std::sync::Arc;

use cw_core::{Adjustment, AssetClass, Candle, Currency, Instrument, InstrumentId, Price, Timestamp};
use cw_market::{Capabilities, ProviderError};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

pub use self::news::AlpacaNews;
use crate::catalog::{self, Settings, SetupError};
use crate::decode::{self, Decoder};
use crate::net::{BaseUrl, Connection, Handles, Kind, Listing, Native, Plan, Secret, Site, Venue};

/// How Alpaca is reached.
#[derive(Clone)]
pub struct Alpaca {
    rest: BaseUrl,
    stream: BaseUrl,
    trading: BaseUrl,
    keys: Option<Arc<Keys>>,
    feed: Feed,
    adjustment: Adjustment,
    codec: Codec,
    listing: Arc<Listing>,
}

/// What messages of the stream are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Codec {
    Json,
    Msgpack,
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
    /// Overnight trades of Blue Ocean.
    Boats,
}

impl Feed {
    const fn word(self) -> &'static str {
        match self {
            Self::Iex => "iex",
            Self::Sip => "sip",
            Self::DelayedSip => "delayed_sip",
            Self::Boats => "boats",
        }
    }

    /// As history is asked for: the delayed feed's is that of the feed it delays.
    const fn historical(self) -> &'static str {
        if matches!(self, Self::DelayedSip) { Self::Sip.word() } else { self.word() }
    }
}

/// Crypto symbols have a slash: `BTC/USD`.
fn is_crypto(id: &InstrumentId) -> bool {
    id.symbol().contains('/')
}

fn reach(settings: &Settings) -> Result<Alpaca, SetupError> {
    let feed = match settings.feed.as_deref() {
        None | Some("iex") => Feed::Iex,
        Some("sip") => Feed::Sip,
        Some("delayed_sip") => Feed::DelayedSip,
        Some("boats") => Feed::Boats,
        Some(other) => return Err(SetupError::value("feed", other, "iex, sip, delayed_sip or boats")),
    };
    let codec = match settings.codec.as_deref() {
        None | Some("json") => Codec::Json,
        Some("msgpack") => Codec::Msgpack,
        Some(other) => return Err(SetupError::value("codec", other, "json or msgpack")),
    };
    let keys = match (&settings.key, &settings.secret) {
        (Some(id), Some(secret)) => {
            Some(Arc::new(Keys { id: Secret::new(id.clone()), secret: Secret::new(secret.clone()) }))
        }
        (None, None) => None,
        _ => return Err(SetupError::Missing("key and secret")),
    };
    Ok(Alpaca {
        rest: settings.rest("https://data.alpaca.markets")?,
        stream: settings.stream("wss://stream.data.alpaca.markets")?,
        trading: BaseUrl::http(settings.trading_url.as_deref().unwrap_or("https://paper-api.alpaca.markets"))?,
        keys,
        feed,
        adjustment: settings.adjustment()?,
        codec,
        listing: Arc::default(),
    })
}

/// A provider with these settings.
pub fn connect(settings: &Settings, handles: Handles) -> Result<Venue<Alpaca>, SetupError> {
    let kind = reach(settings)?;
    let site = Site::new("ALPACA", settings.manner(rest::MANNER), handles).at(&kind.rest);
    Ok(Venue { site: Arc::new(site), kind })
}

/// The news that Alpaca passes on, with the same settings.
pub fn news(settings: &Settings, handles: Handles) -> Result<AlpacaNews, SetupError> {
    AlpacaNews::new(reach(settings)?, settings, handles)
}

impl Kind for Alpaca {
    fn capabilities(&self) -> &'static Capabilities {
        if self.feed == Feed::DelayedSip { &catalog::ALPACA_DELAYED } else { &catalog::ALPACA }
    }

    fn listing(&self) -> Option<&Listing> {
        Some(&self.listing)
    }

    fn list<'a>(&'a self, site: &'a Site) -> BoxFuture<'a, Result<Vec<Instrument>, ProviderError>> {
        self.assets(site).boxed()
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
            if let Some(listed) = self.listing.known().into_iter().find(|listed| listed.id == *id) {
                return Ok(listed);
            }
            // The list is long, lies elsewhere and may need other keys: a bar proves enough.
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

/// What reads its payloads, see [`crate::decode`].
pub(crate) const DECODERS: &[Decoder] = &[
    Decoder::new("alpaca", "bars", |body| {
        // Of every symbol that is in it, as days: those may begin at any hour.
        decode::answer(|health| {
            let page: wire::BarsPage<'_> = serde_json::from_slice(body)?;
            let names: Vec<String> = page.bars.unwrap_or_default().into_keys().collect();
            let ids = names.iter().filter_map(|name| format!("{name}.ALPACA").parse().ok());
            let pages = ids.map(|id| Ok(parse::page(&id, cw_core::Timeframe::D1, body, health)?.0));
            Ok(pages.collect::<Result<Vec<_>, serde_json::Error>>()?.concat())
        })
    }),
    Decoder::new("alpaca", "latest quotes", |body| {
        decode::answer(|_| {
            let latest: wire::LatestQuotes = serde_json::from_slice(body)?;
            let names: Vec<String> = latest.quotes.unwrap_or_default().into_keys().collect();
            let ids: Vec<_> = names.iter().filter_map(|name| format!("{name}.ALPACA").parse().ok()).collect();
            Ok(parse::latest_quotes(&ids, body)?.into_iter().flatten().collect())
        })
    }),
    Decoder::new("alpaca", "assets", |body| decode::answer(|health| parse::assets("ALPACA", body, health))),
    Decoder::new("alpaca", "news", |body| {
        decode::answer(|health| news::page(body, decode::NOW, health).map(|(all, _)| all))
    }),
    Decoder::new("alpaca", "stream", |payload| {
        let settings = Settings { key: Some("k".into()), secret: Some("s".into()), ..Settings::default() };
        let venue = connect(&settings, decode::handles());
        venue.map_or_else(decode::unusable, |venue| decode::message(&venue, payload, |name| format!("{name}.ALPACA")))
    }),
];

#[cfg(test)]
mod tests;
