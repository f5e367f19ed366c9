//! AsterDEX perpetual futures, venue code `ASTER`: `BTCUSDT.ASTER`.
//!
//! Every minute has a candle, also one in which nobody traded. Days and hours are UTC's. Public market data needs no key.

mod depth;
mod parse;
mod rest;
mod wire;
mod ws;

use std::sync::Arc;

use cw_core::{Adjustment, Candle, Instrument, InstrumentId, Timestamp};
use cw_market::{Capabilities, Depth, ProviderError};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

use crate::catalog::{self, Settings, SetupError};
use crate::decode::{self, Decoder};
use crate::net::{BaseUrl, Connection, Handles, Kind, Listing, Native, Plan, Site, Venue};

/// How AsterDEX is reached.
pub struct Aster {
    rest: BaseUrl,
    stream: BaseUrl,
    listing: Listing,
}

/// A provider with these settings.
pub fn connect(settings: &Settings, handles: Handles) -> Result<Venue<Aster>, SetupError> {
    settings.only(Adjustment::Raw)?;
    let kind = Aster {
        rest: settings.rest("https://fapi.asterdex.com")?,
        stream: settings.stream("wss://fstream.asterdex.com")?,
        listing: Listing::default(),
    };
    let site = Site::new("ASTER", settings.manner(rest::MANNER), handles).at(&kind.rest);
    Ok(Venue { site: Arc::new(site), kind })
}

impl Kind for Aster {
    fn capabilities(&self) -> &'static Capabilities {
        &catalog::ASTER
    }

    fn natives(&self, _: &InstrumentId) -> &'static [Native] {
        rest::NATIVES
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
        self.klines(site, id, plan, from, to).boxed()
    }

    fn listing(&self) -> Option<&Listing> {
        Some(&self.listing)
    }

    fn list<'a>(&'a self, site: &'a Site) -> BoxFuture<'a, Result<Vec<Instrument>, ProviderError>> {
        self.exchange_info(site).boxed()
    }

    fn depth<'a>(
        &'a self,
        site: &'a Arc<Site>,
        id: &'a InstrumentId,
        levels: usize,
        depths: mpsc::Sender<Depth>,
    ) -> BoxFuture<'a, Result<(), ProviderError>> {
        depth::follow(self, site, id, levels, depths).boxed()
    }

    fn connections(&self, site: &Arc<Site>, instruments: &[InstrumentId]) -> Result<Vec<Connection>, ProviderError> {
        Ok(ws::connections(&self.stream, site, instruments))
    }
}

/// What reads its payloads, see [`crate::decode`].
pub(crate) const DECODERS: &[Decoder] = &[
    Decoder::new("aster", "klines", |body| {
        decode::answer(|health| parse::klines(cw_core::Timeframe::M1, body, health))
    }),
    Decoder::new("aster", "symbols", |body| decode::answer(|health| parse::instruments("ASTER", body, health))),
    Decoder::new("aster", "order book", |body| {
        decode::answer(|_| {
            let book = parse::book(body)?.unwrap_or_default();
            Ok([book.bids, book.asks].concat())
        })
    }),
    Decoder::new("aster", "stream", |payload| {
        let venue = connect(&Settings::default(), decode::handles());
        venue.map_or_else(decode::unusable, |venue| {
            // A message without its wrapper, as samples have it.
            let wrapped = [&br#"{"stream":"x","data":"#[..], payload, b"}"].concat();
            let id = |name: &str| format!("{name}.ASTER");
            let (bare, wrapped) = (decode::message(&venue, payload, id), decode::message(&venue, &wrapped, id));
            if bare.taken > 0 || wrapped.taken == 0 { bare } else { wrapped }
        })
    }),
];

#[cfg(test)]
mod tests;
