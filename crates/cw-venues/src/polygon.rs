//! Polygon, now called Massive, venue code `POLYGON`: `AAPL.POLYGON`, `X:BTCUSD.POLYGON`, `C:EURUSD.POLYGON`.
//!
//! Prices of stocks are raw, or adjusted for splits where that is wished. Minutes include trading before and after the session; days stand at
//! midnight UTC of their New York date. Minutes without trades have no candle, and late trades are not told again: the
//! candle that is asked for afterwards is the better one.

mod parse;
mod rest;
mod wire;
mod ws;

use std::sync::Arc;

use cw_core::{Adjustment, AssetClass, Candle, Currency, Instrument, InstrumentId, Timestamp};
use cw_market::{Capabilities, ProviderError};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::catalog::{self, Settings, SetupError};
use crate::decode::{self, Decoder};
use crate::net::{BaseUrl, Connection, Handles, Kind, Native, Plan, Secret, Site, Venue};

/// How Polygon is reached.
#[derive(Clone)]
pub struct Polygon {
    rest: BaseUrl,
    stream: BaseUrl,
    key: Arc<Secret>,
    adjustment: Adjustment,
}

/// The kinds of instruments, each with a stream and words of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cluster {
    Stocks,
    Crypto,
    Forex,
}

impl Cluster {
    fn of(id: &InstrumentId) -> Self {
        match id.symbol().split_once(':') {
            Some(("X", _)) => Self::Crypto,
            Some(("C", _)) => Self::Forex,
            _ => Self::Stocks,
        }
    }
}

/// `X:BTCUSD` is BTC in USD: the last three letters, or four where the quote is a stablecoin.
fn pair(symbol: &str) -> Option<(&str, &str)> {
    let (_, pair) = symbol.split_once(':')?;
    let quote = if ["USDT", "USDC"].iter().any(|coin| pair.ends_with(coin)) { 4 } else { 3 };
    let split = pair.len().checked_sub(quote).filter(|at| *at > 0 && pair.is_char_boundary(*at))?;
    Some(pair.split_at(split))
}

/// A provider with these settings.
pub fn connect(settings: &Settings, handles: Handles) -> Result<Venue<Polygon>, SetupError> {
    let kind = Polygon {
        rest: settings.rest("https://api.massive.com")?,
        stream: settings.stream("wss://socket.massive.com")?,
        key: Arc::new(Secret::new(settings.key.clone().ok_or(SetupError::Missing("key"))?)),
        adjustment: settings.adjustment()?,
    };
    let site = Site::new("POLYGON", settings.manner(rest::MANNER), handles).at(&kind.rest);
    Ok(Venue { site: Arc::new(site), kind })
}

impl Kind for Polygon {
    fn capabilities(&self) -> &'static Capabilities {
        &catalog::POLYGON
    }

    fn natives(&self, _: &InstrumentId) -> &'static [Native] {
        rest::NATIVES
    }

    fn adjustment(&self) -> Adjustment {
        self.adjustment
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
        self.aggregates(site, id, plan, from, to).boxed()
    }

    fn describe<'a>(
        &'a self,
        site: &'a Site,
        id: &'a InstrumentId,
    ) -> BoxFuture<'a, Result<Instrument, ProviderError>> {
        async move {
            if !self.exists(site, id).await? {
                return Err(site.refused(format!("there is no instrument {id}")));
            }
            Ok(instrument(id))
        }
        .boxed()
    }

    fn find<'a>(
        &'a self,
        site: &'a Site,
        text: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Instrument>, ProviderError>> {
        self.search(site, text, limit).boxed()
    }

    fn connections(&self, site: &Arc<Site>, instruments: &[InstrumentId]) -> Result<Vec<Connection>, ProviderError> {
        Ok(ws::connections(self, site, instruments))
    }
}

fn instrument(id: &InstrumentId) -> Instrument {
    let (class, decimals) = match Cluster::of(id) {
        Cluster::Stocks => (AssetClass::Equity, 2),
        Cluster::Crypto => (AssetClass::Crypto, 2),
        Cluster::Forex => (AssetClass::Fx, 5),
    };
    let mut instrument = Instrument::from_file(id.clone(), decimals, 4);
    instrument.asset_class = class;
    if let Some((base, quote)) = pair(id.symbol()) {
        base.clone_into(&mut instrument.base);
        instrument.quote_currency = Currency::new(quote).unwrap_or(Currency::USD);
    }
    instrument
}

/// What reads its payloads, see [`crate::decode`].
pub(crate) const DECODERS: &[Decoder] = &[
    Decoder::new("polygon", "aggregates", |body| {
        // As days: those may begin at any hour.
        decode::answer(|health| Ok(parse::page(cw_core::Timeframe::D1, body, health)?.0))
    }),
    Decoder::new("polygon", "tickers", |body| decode::answer(|health| parse::tickers("POLYGON", body, health))),
    Decoder::new("polygon", "snapshots", |body| {
        decode::answer(|_| {
            let page: wire::Snapshots = serde_json::from_slice(body)?;
            let names = page.results.iter().map(|row| format!("{}.POLYGON", row.ticker));
            let ids: Vec<InstrumentId> = names.filter_map(|name| name.parse().ok()).collect();
            Ok(parse::latest(&ids, body)?.into_iter().flatten().collect())
        })
    }),
    Decoder::new("polygon", "stream", |payload| {
        let venue = connect(&Settings { key: Some("k".into()), ..Settings::default() }, decode::handles());
        let id = |name: &str| match (name.split_once('-'), name.split_once('/')) {
            (Some((base, quote)), _) => format!("X:{base}{quote}.POLYGON"),
            (_, Some((base, quote))) => format!("C:{base}{quote}.POLYGON"),
            _ => format!("{name}.POLYGON"),
        };
        // One message without its list, as samples have it.
        let listed = [&b"["[..], payload, b"]"].concat();
        venue.map_or_else(decode::unusable, |venue| {
            let (bare, listed) = (decode::message(&venue, payload, id), decode::message(&venue, &listed, id));
            if bare.taken > 0 || listed.taken == 0 { bare } else { listed }
        })
    }),
];

#[cfg(test)]
mod tests;
