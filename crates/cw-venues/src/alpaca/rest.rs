//! Bars by request.

use std::time::Duration;

use cw_core::TimeframeUnit::{Day, Hour, Minute};
use cw_core::{Adjustment, Candle, Instrument, InstrumentId, Timestamp};
use cw_market::ProviderError;
use http::HeaderMap;
use url::Url;

use super::{Alpaca, is_crypto, parse};
use crate::net::{Call, Hint, Lane, Limits, Manner, Native, Plan, Site};

/// The most that one page holds.
pub(super) const PAGE: usize = 10_000;
/// A request is answered in pages; more of them than this is a loop.
const MOST_PAGES: usize = 1_000;

pub(super) const NATIVES: &[Native] = &[
    Native::of(1, Minute, "1Min"),
    Native::of(5, Minute, "5Min"),
    Native::of(15, Minute, "15Min"),
    Native::of(30, Minute, "30Min"),
    Native::of(1, Hour, "1Hour"),
    Native::of(1, Day, "1Day"),
];
pub(super) const INTRADAY: &[Native] = NATIVES.split_at(5).0;

/// 200 a minute on the free plan; the headers say it when it is more.
pub(super) const MANNER: Manner = Manner {
    limits: Limits { per_window: 200, window: Duration::from_mins(1), spacing: Duration::ZERO },
    hint,
    explain,
    ..Manner::USUAL
};

fn hint(headers: &HeaderMap) -> Hint {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u32>().ok();
    let limit = number("x-ratelimit-limit");
    let used = limit.zip(number("x-ratelimit-remaining")).map(|(limit, left)| limit.saturating_sub(left));
    Hint { limit, used, wait: None }
}

fn explain(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    Some(body.get("message")?.as_str()?.chars().take(300).collect())
}

impl Alpaca {
    fn call(&self, id: &InstrumentId, what: &str, query: &[(&str, &str)]) -> Call {
        let root = if is_crypto(id) { "/v1beta3/crypto/us" } else { "/v2/stocks" };
        let mut url: Url = self.rest.join(&format!("{root}/{what}"));
        url.query_pairs_mut().append_pair("symbols", id.symbol()).extend_pairs(query);
        if !is_crypto(id) {
            let latest = what.ends_with("latest");
            let feed = if latest { self.feed.word() } else { self.feed.historical() };
            url.query_pairs_mut().append_pair("feed", feed);
        }
        self.signed(url)
    }

    /// A request with our keys, where there are any.
    pub(super) fn signed(&self, url: Url) -> Call {
        let call = Call::get(url);
        match &self.keys {
            Some(keys) => {
                call.header("apca-api-key-id", keys.id.reveal()).header("apca-api-secret-key", keys.secret.reveal())
            }
            None => call,
        }
    }

    /// Every page of a range. A page may be empty and still have a next one.
    pub(super) async fn bars(
        &self,
        site: &Site,
        id: &InstrumentId,
        plan: &Plan,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Candle>, ProviderError> {
        // A daily bar begins some hours into our day; both ends are inclusive at Alpaca.
        let (start, end) = (from.to_string(), to.plus_nanos(-1).to_string());
        let limit = PAGE.to_string();
        let mut rows = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut query =
                vec![("timeframe", plan.word), ("start", &start), ("end", &end), ("limit", &limit), ("sort", "asc")];
            if !is_crypto(id) {
                let word = match self.adjustment {
                    Adjustment::Raw => "raw",
                    Adjustment::Splits => "split",
                };
                query.push(("adjustment", word));
            }
            if let Some(token) = &token {
                query.push(("page_token", token));
            }
            let call = self.call(id, "bars", &query).lane(plan.lane);
            let (page, next) =
                site.get(&call, "a page of bars", |body| parse::page(id, plan.asked, body, &site.health)).await?;
            rows.extend(page);
            match next {
                None => return Ok(rows),
                Some(next) if token.as_ref() == Some(&next) => break,
                next => token = next,
            }
        }
        let reason = format!("its pages of {id} do not end");
        Err(ProviderError::Retryable { venue: site.code, reason, retry_after_ms: None })
    }

    /// When each of these, all of one kind, was quoted last.
    pub(super) async fn latest_quotes(
        &self,
        site: &Site,
        ids: &[InstrumentId],
    ) -> Result<Vec<Option<Timestamp>>, ProviderError> {
        let crypto = ids.first().is_some_and(is_crypto);
        let path = if crypto { "/v1beta3/crypto/us/latest/quotes" } else { "/v2/stocks/quotes/latest" };
        let symbols: Vec<&str> = ids.iter().map(InstrumentId::symbol).collect();
        let mut url = self.rest.join(path);
        url.query_pairs_mut().append_pair("symbols", &symbols.join(","));
        if !crypto {
            url.query_pairs_mut().append_pair("feed", self.feed.word());
        }
        let call = self.signed(url).lane(Lane::Follow);
        site.get(&call, "the latest quotes", |body| parse::latest_quotes(ids, body)).await
    }

    /// What can be traded, from the trading side of Alpaca.
    pub(super) async fn assets(&self, site: &Site) -> Result<Vec<Instrument>, ProviderError> {
        let mut url = self.trading.join("/v2/assets");
        url.query_pairs_mut().append_pair("status", "active");
        let read = |body: &[u8]| parse::assets(site.code, body, &site.health);
        site.get(&self.signed(url), "the list of assets", read).await
    }

    pub(super) async fn latest_bar(&self, site: &Site, id: &InstrumentId) -> Result<Option<Candle>, ProviderError> {
        let call = self.call(id, "bars/latest", &[]);
        site.get(&call, "the latest bar", |body| parse::latest(id, body, &site.health)).await
    }
}
