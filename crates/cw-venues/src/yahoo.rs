//! Yahoo's chart endpoint, venue code `YAHOO`: `AAPL.YAHOO`, `EURUSD=X.YAHOO`, `^GSPC.YAHOO`.
//!
//! Not an offer to programs: delayed, without a promise, for personal use. It needs no key and is off until it is switched
//! on. Prices are adjusted for splits, not for dividends. There is no stream: candles are asked for when they close, one
//! request in two seconds and one at a time. Some callers are asked for a cookie and a crumb, see [`session`].

mod parse;
mod rest;
mod session;
mod wire;

use std::sync::Arc;

use cw_core::{Adjustment, Candle, Instrument, InstrumentId, Timeframe, Timestamp};
use cw_market::{Capabilities, ProviderError};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::catalog::{self, Settings, SetupError};
use crate::decode::{self, Decoder};
use crate::net::{BaseUrl, Connection, Handles, Kind, Lane, Native, Plan, Site, Venue};
use session::Sessions;

/// How Yahoo is reached.
pub struct Yahoo {
    rest: BaseUrl,
    sessions: Sessions,
}

/// A provider with these settings.
pub fn connect(settings: &Settings, handles: Handles) -> Result<Venue<Yahoo>, SetupError> {
    settings.only(Adjustment::Splits)?;
    let cookies = BaseUrl::http(settings.cookie_url.as_deref().unwrap_or("https://fc.yahoo.com"))?;
    let kind = Yahoo {
        rest: settings.rest("https://query2.finance.yahoo.com")?,
        sessions: Sessions::from_cookies_of(cookies),
    };
    let site = Site::new("YAHOO", settings.manner(rest::MANNER), handles).at(&kind.rest);
    Ok(Venue { site: Arc::new(site), kind })
}

impl Kind for Yahoo {
    fn capabilities(&self) -> &'static Capabilities {
        &catalog::YAHOO
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
        async move { Ok(self.chart(site, id, plan, from, to).await?.candles) }.boxed()
    }

    fn describe<'a>(
        &'a self,
        site: &'a Site,
        id: &'a InstrumentId,
    ) -> BoxFuture<'a, Result<Instrument, ProviderError>> {
        async move {
            let now = site.health.venue_now();
            let week = now.plus_nanos(-7 * 86_400 * Timestamp::NANOS_PER_SECOND);
            let (wanted, asked) = (Timeframe::D1, Timeframe::D1);
            let plan = Plan { wanted, asked, word: "1d", from: week, to: now, limit: 7, lane: Lane::Look };
            let chart = self.chart(site, id, &plan, week, now).await?;
            Ok(parse::instrument(id, &chart.meta))
        }
        .boxed()
    }

    fn adjustment(&self) -> Adjustment {
        Adjustment::Splits
    }

    fn connections(&self, _: &Arc<Site>, _: &[InstrumentId]) -> Result<Vec<Connection>, ProviderError> {
        Ok(Vec::new())
    }
}

/// What reads its payloads, see [`crate::decode`].
pub(crate) const DECODERS: &[Decoder] = &[Decoder::new("yahoo", "chart", |body| {
    let read = |timeframe| {
        decode::answer(|health| {
            Ok(parse::chart(timeframe, body, health)?.map_or_else(|_| Vec::new(), |chart| chart.candles))
        })
    };
    let (minutes, days) = (read(Timeframe::M1), read(Timeframe::D1));
    if minutes.taken > days.taken { minutes } else { days }
})];

#[cfg(test)]
mod tests;
