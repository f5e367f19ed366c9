//! OANDA v20, venue code `OANDA`: currencies and CFDs, `EUR_USD.OANDA`.
//!
//! Candles are of bid, ask or their middle, as `feed` says, and never mixed. Days begin at midnight UTC, not at OANDA's
//! 17:00 in New York: the venue is asked for them so. Volume counts price updates.

mod parse;
mod rest;
mod wire;
mod ws;

use std::sync::Arc;

use cw_core::{Adjustment, Candle, Instrument, InstrumentId, Timestamp};
use cw_market::{Capabilities, ProviderError};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::catalog::{self, Settings, SetupError};
use crate::decode::{self, Decoder};
use crate::net::{BaseUrl, Connection, Handles, Kind, Listing, Native, Plan, Secret, Site, Venue};

/// How OANDA is reached.
#[derive(Clone)]
pub struct Oanda {
    rest: BaseUrl,
    stream: BaseUrl,
    token: Arc<Secret>,
    account: String,
    price: Side,
    listing: Arc<Listing>,
}

/// Which price candles are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Mid,
    Bid,
    Ask,
}

impl Side {
    const fn letter(self) -> &'static str {
        match self {
            Self::Mid => "M",
            Self::Bid => "B",
            Self::Ask => "A",
        }
    }
}

/// A provider with these settings. Practice accounts set both addresses.
pub fn connect(settings: &Settings, handles: Handles) -> Result<Venue<Oanda>, SetupError> {
    let price = match settings.feed.as_deref() {
        None | Some("mid") => Side::Mid,
        Some("bid") => Side::Bid,
        Some("ask") => Side::Ask,
        Some(other) => return Err(SetupError::value("feed", other, "mid, bid or ask")),
    };
    settings.only(Adjustment::Raw)?;
    let account = settings.account.clone().ok_or(SetupError::Missing("account"))?;
    if account.is_empty() || !account.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        return Err(SetupError::value("account", &account, "digits and dashes, as 101-004-1234567-001"));
    }
    let kind = Oanda {
        rest: settings.rest("https://api-fxpractice.oanda.com/v3")?,
        stream: BaseUrl::http(settings.stream_url.as_deref().unwrap_or("https://stream-fxpractice.oanda.com/v3"))?,
        token: Arc::new(Secret::new(settings.key.clone().ok_or(SetupError::Missing("key"))?)),
        account,
        price,
        listing: Arc::default(),
    };
    let site = Site::new("OANDA", settings.manner(rest::MANNER), handles).at(&kind.rest);
    Ok(Venue { site: Arc::new(site), kind })
}

impl Kind for Oanda {
    fn capabilities(&self) -> &'static Capabilities {
        &catalog::OANDA
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
        self.candles(site, id, plan, from, to).boxed()
    }

    fn listing(&self) -> Option<&Listing> {
        Some(&self.listing)
    }

    fn list<'a>(&'a self, site: &'a Site) -> BoxFuture<'a, Result<Vec<Instrument>, ProviderError>> {
        self.account_instruments(site).boxed()
    }

    fn source(&self, site: &Site, _: &InstrumentId) -> String {
        format!("{}:{}", site.code, self.price.letter())
    }

    fn connections(&self, site: &Arc<Site>, instruments: &[InstrumentId]) -> Result<Vec<Connection>, ProviderError> {
        Ok(ws::connections(self, site, instruments))
    }
}

/// What reads its payloads, see [`crate::decode`].
pub(crate) const DECODERS: &[Decoder] = &[
    Decoder::new("oanda", "candles", |body| {
        let sides = [Side::Mid, Side::Bid, Side::Ask];
        let read = |side| decode::answer(|health| parse::candles(cw_core::Timeframe::D1, side, body, health));
        // Days begin at another hour where nobody asked for ours.
        let read_minutes = |side| decode::answer(|health| parse::candles(cw_core::Timeframe::M1, side, body, health));
        let all = sides.into_iter().flat_map(|side| [read(side), read_minutes(side)]);
        all.max_by_key(|decoded| decoded.taken).unwrap_or_default()
    }),
    Decoder::new("oanda", "instruments", |body| decode::answer(|health| parse::instruments("OANDA", body, health))),
    Decoder::new("oanda", "prices", |body| {
        decode::answer(|_| {
            let pricing: wire::Pricing = serde_json::from_slice(body)?;
            let names = pricing.prices.iter().filter_map(|line| line.instrument.as_deref());
            let ids: Vec<InstrumentId> = names.filter_map(|name| format!("{name}.OANDA").parse().ok()).collect();
            Ok(parse::latest_prices(&ids, body)?.into_iter().flatten().collect())
        })
    }),
    Decoder::new("oanda", "stream", |payload| {
        let (account, key) = (Some("101-004-1234567-001".to_owned()), Some("k".to_owned()));
        let venue = connect(&Settings { key, account, ..Settings::default() }, decode::handles());
        venue.map_or_else(decode::unusable, |venue| decode::message(&venue, payload, |name| format!("{name}.OANDA")))
    }),
];

#[cfg(test)]
mod tests;
