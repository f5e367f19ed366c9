//! Candles by request.

use std::time::Duration;

use cw_core::TimeframeUnit::{Day, Hour, Minute, Second};
use cw_core::{Adjustment, Candle, Instrument, InstrumentId, Timestamp};
use cw_market::ProviderError;
use url::Url;

use super::{Polygon, parse};
use crate::net::{Call, Hint, Lane, Limits, Manner, Native, Plan, Site, segment};

/// A page holds at most this many base aggregates; every candle here is one.
pub(super) const PAGE: usize = 50_000;
/// A request is answered in pages; more of them than this is a loop.
const MOST_PAGES: usize = 1_000;

pub(super) const NATIVES: &[Native] = &[
    Native::of(1, Second, "1/second"),
    Native::of(1, Minute, "1/minute"),
    Native::of(5, Minute, "5/minute"),
    Native::of(15, Minute, "15/minute"),
    Native::of(30, Minute, "30/minute"),
    Native::of(1, Hour, "1/hour"),
    Native::of(1, Day, "1/day"),
];

/// Five a minute without a plan. No header says more: the owner of a plan says so in `requests_per_minute`.
pub(super) const MANNER: Manner = Manner {
    limits: Limits { per_window: 5, window: Duration::from_mins(1), spacing: Duration::ZERO },
    hint: |_| Hint::NONE,
    explain,
    ..Manner::USUAL
};

fn explain(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let words = body.get("error").or_else(|| body.get("message"))?.as_str()?;
    Some(words.chars().take(300).collect())
}

impl Polygon {
    fn call(&self, url: Url) -> Call {
        Call::get(url).header("authorization", &format!("Bearer {}", self.key.reveal()))
    }

    pub(super) async fn aggregates(
        &self,
        site: &Site,
        id: &InstrumentId,
        plan: &Plan,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Candle>, ProviderError> {
        let symbol = segment(id.symbol());
        let (from, to) = (from.as_millis(), to.plus_nanos(-1).as_millis());
        let mut url = self.rest.join(&format!("/v2/aggs/ticker/{symbol}/range/{}/{from}/{to}", plan.word));
        url.query_pairs_mut()
            .append_pair("adjusted", if self.adjustment == Adjustment::Splits { "true" } else { "false" })
            .append_pair("sort", "asc")
            .append_pair("limit", &PAGE.to_string());
        let mut rows = Vec::new();
        for _ in 0..MOST_PAGES {
            let call = self.call(url.clone()).lane(plan.lane);
            let read = |body: &[u8]| parse::page(plan.asked, body, &site.health);
            let (page, next) = site.get(&call, "a page of aggregates", read).await?;
            rows.extend(page);
            match next.and_then(|next| self.next_page(&next)) {
                None => return Ok(rows),
                Some(next) if next == url => break,
                Some(next) => url = next,
            }
        }
        let reason = format!("its pages of {id} do not end");
        Err(ProviderError::Retryable { venue: site.code, reason, retry_after_ms: None })
    }

    /// The next page as an address below ours: some answers still name the old host, and the key goes to no other.
    fn next_page(&self, next: &str) -> Option<Url> {
        let next = Url::parse(next).ok()?;
        let mut url = self.rest.join("");
        url.set_path(next.path());
        url.set_query(next.query());
        Some(url)
    }

    /// When each was traded or quoted last.
    pub(super) async fn latest(
        &self,
        site: &Site,
        ids: &[InstrumentId],
    ) -> Result<Vec<Option<Timestamp>>, ProviderError> {
        let names: Vec<&str> = ids.iter().map(InstrumentId::symbol).collect();
        let mut url = self.rest.join("/v3/snapshot");
        url.query_pairs_mut().append_pair("ticker.any_of", &names.join(",")).append_pair("limit", "250");
        site.get(&self.call(url).lane(Lane::Follow), "the latest snapshots", |body| parse::latest(ids, body)).await
    }

    /// What the venue finds by symbol or name.
    pub(super) async fn search(&self, site: &Site, text: &str, limit: usize) -> Result<Vec<Instrument>, ProviderError> {
        let mut url = self.rest.join("/v3/reference/tickers");
        url.query_pairs_mut()
            .append_pair("search", text.trim())
            .append_pair("active", "true")
            .append_pair("limit", &limit.clamp(1, 1_000).to_string());
        let read = |body: &[u8]| parse::tickers(site.code, body, &site.health);
        site.get(&self.call(url), "a page of tickers", read).await
    }

    pub(super) async fn exists(&self, site: &Site, id: &InstrumentId) -> Result<bool, ProviderError> {
        let call = self.call(self.rest.join(&format!("/v2/aggs/ticker/{}/prev", segment(id.symbol()))));
        let read = |body: &[u8]| parse::page(cw_core::Timeframe::D1, body, &site.health);
        Ok(!site.get(&call, "the previous day", read).await?.0.is_empty())
    }
}
