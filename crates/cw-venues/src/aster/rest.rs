//! Candles and the list of instruments by request.

use std::time::Duration;

use cw_core::TimeframeUnit::{Day, Hour, Minute};
use cw_core::{Candle, Instrument, InstrumentId, Timestamp};
use cw_market::ProviderError;
use http::HeaderMap;

use super::{Aster, parse};
use crate::net::{Call, Hint, Limits, Manner, Native, Plan, Site};

/// The largest page that weighs five: one of 1,500 weighs ten.
pub(super) const PAGE: usize = 1_000;
/// How many candles weigh how much.
const WEIGHTS: [(i64, u32); 3] = [(99, 1), (499, 2), (1_000, 5)];

pub(super) const NATIVES: &[Native] = &[
    Native::of(1, Minute, "1m"),
    Native::of(3, Minute, "3m"),
    Native::of(5, Minute, "5m"),
    Native::of(15, Minute, "15m"),
    Native::of(30, Minute, "30m"),
    Native::of(1, Hour, "1h"),
    Native::of(2, Hour, "2h"),
    Native::of(4, Hour, "4h"),
    Native::of(6, Hour, "6h"),
    Native::of(8, Hour, "8h"),
    Native::of(12, Hour, "12h"),
    Native::of(1, Day, "1d"),
];

pub(super) const MANNER: Manner = Manner {
    limits: Limits { per_window: 2_400, window: Duration::from_mins(1), spacing: Duration::ZERO },
    hint,
    explain,
    ..Manner::USUAL
};

fn hint(headers: &HeaderMap) -> Hint {
    let used = headers.get("x-mbx-used-weight-1m").and_then(|used| used.to_str().ok()?.trim().parse().ok());
    Hint { used, ..Hint::NONE }
}

fn explain(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let words: String = body.get("msg")?.as_str()?.chars().take(300).collect();
    Some(format!("{} {words}", body.get("code").unwrap_or(&serde_json::Value::Null)))
}

impl Aster {
    pub(super) async fn klines(
        &self,
        site: &Site,
        id: &InstrumentId,
        plan: &Plan,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Candle>, ProviderError> {
        let count = to.nanos_since(from) / plan.asked.approx_nanos();
        let weight = WEIGHTS.iter().find(|(most, _)| count <= *most).map_or(10, |(_, weight)| *weight);
        let mut url = self.rest.join("/fapi/v3/klines");
        url.query_pairs_mut()
            .append_pair("symbol", id.symbol())
            .append_pair("interval", plan.word)
            .append_pair("startTime", &from.as_millis().to_string())
            .append_pair("endTime", &to.plus_nanos(-1).as_millis().to_string())
            .append_pair("limit", &count.max(1).to_string());
        let call = Call::get(url).weight(weight).lane(plan.lane);
        site.get(&call, "a page of klines", |body| parse::klines(plan.asked, body, &site.health)).await
    }

    pub(super) async fn exchange_info(&self, site: &Site) -> Result<Vec<Instrument>, ProviderError> {
        let call = Call::get(self.rest.join("/fapi/v3/exchangeInfo"));
        site.get(&call, "the list of symbols", |body| parse::instruments(site.code, body, &site.health)).await
    }
}
