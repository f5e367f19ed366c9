//! Candles by request.

use std::time::Duration;

use cw_core::TimeframeUnit::{Day, Hour, Minute};
use cw_core::{InstrumentId, Timeframe, Timestamp};
use cw_market::ProviderError;

use super::{Yahoo, parse};
use crate::net::{Call, Hint, Limits, Manner, Native, Site, segment};

/// Seven days of minutes: eight are refused.
pub(super) const PAGE: usize = 7 * 1_440;

/// Half hours are folded: Yahoo's own are hours.
pub(super) const NATIVES: &[Native] = &[
    Native::of(1, Minute, "1m"),
    Native::of(5, Minute, "5m"),
    Native::of(15, Minute, "15m"),
    Native::of(1, Hour, "1h"),
    Native::of(1, Day, "1d"),
];

pub(super) const MANNER: Manner = Manner {
    limits: Limits { per_window: 30, window: Duration::from_mins(1), spacing: Duration::from_secs(2) },
    hint: |_| Hint::NONE,
    explain,
};

fn explain(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    Some(body.pointer("/chart/error/description")?.as_str()?.chars().take(300).collect())
}

impl Yahoo {
    pub(super) async fn chart(
        &self,
        site: &Site,
        id: &InstrumentId,
        timeframe: Timeframe,
        word: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<parse::Chart, ProviderError> {
        // A session's date may begin half a day before ours.
        let early = if timeframe == Timeframe::D1 { 12 * 3_600 } else { 0 };
        let mut url = self.rest.join(&format!("/v8/finance/chart/{}", segment(id.symbol())));
        url.query_pairs_mut()
            .append_pair("interval", word)
            .append_pair("period1", &(from.as_secs() - early).max(0).to_string())
            .append_pair("period2", &to.as_secs().to_string())
            .append_pair("includePrePost", "false")
            .append_pair("events", "div,splits");
        let read = |body: &[u8]| parse::chart(timeframe, body, &site.health);
        site.get(&Call::get(url), "a chart", read).await?.map_err(|reason| site.refused(reason))
    }
}
