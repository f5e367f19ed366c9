//! Candles and the list of instruments by request.

use std::time::Duration;

use cw_core::TimeframeUnit::{Day, Hour, Minute, Second};
use cw_core::{Candle, Instrument, InstrumentId, Timestamp};
use cw_market::ProviderError;

use super::{Oanda, parse};
use crate::net::{Call, Hint, Lane, Limits, Manner, Native, Plan, Secret, Site, segment};

/// The most that one answer holds.
pub(super) const PAGE: usize = 5_000;

pub(super) const NATIVES: &[Native] = &[
    Native::of(5, Second, "S5"),
    Native::of(10, Second, "S10"),
    Native::of(15, Second, "S15"),
    Native::of(30, Second, "S30"),
    Native::of(1, Minute, "M1"),
    Native::of(2, Minute, "M2"),
    Native::of(4, Minute, "M4"),
    Native::of(5, Minute, "M5"),
    Native::of(10, Minute, "M10"),
    Native::of(15, Minute, "M15"),
    Native::of(30, Minute, "M30"),
    Native::of(1, Hour, "H1"),
    Native::of(2, Hour, "H2"),
    Native::of(3, Hour, "H3"),
    Native::of(4, Hour, "H4"),
    Native::of(6, Hour, "H6"),
    Native::of(8, Hour, "H8"),
    Native::of(12, Hour, "H12"),
    Native::of(1, Day, "D"),
];

/// 120 a second and address; advised are 100.
pub(super) const MANNER: Manner = Manner {
    limits: Limits { per_window: 100, window: Duration::from_secs(1), spacing: Duration::ZERO },
    hint: |_| Hint::NONE,
    explain,
    ..Manner::USUAL
};

fn explain(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    Some(body.get("errorMessage")?.as_str()?.chars().take(300).collect())
}

/// Adds the token.
pub(super) fn signed(call: Call, token: &Secret) -> Call {
    call.header("authorization", &format!("Bearer {}", token.reveal())).header("accept-datetime-format", "RFC3339")
}

impl Oanda {
    pub(super) async fn candles(
        &self,
        site: &Site,
        id: &InstrumentId,
        plan: &Plan,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Candle>, ProviderError> {
        let mut url = self.rest.join(&format!("/instruments/{}/candles", segment(id.symbol())));
        url.query_pairs_mut()
            .append_pair("price", self.price.letter())
            .append_pair("granularity", plan.word)
            .append_pair("from", &from.to_string())
            .append_pair("to", &to.to_string())
            // Their day begins at 17:00 in New York; ours at midnight UTC, summer and winter.
            .append_pair("dailyAlignment", "0")
            .append_pair("alignmentTimezone", "UTC");
        let call = signed(Call::get(url), &self.token).lane(plan.lane);
        site.get(&call, "a page of candles", |body| parse::candles(plan.asked, self.price, body, &site.health)).await
    }

    /// When the price of each changed last.
    pub(super) async fn latest_prices(
        &self,
        site: &Site,
        ids: &[InstrumentId],
    ) -> Result<Vec<Option<Timestamp>>, ProviderError> {
        let names: Vec<&str> = ids.iter().map(InstrumentId::symbol).collect();
        let mut url = self.rest.join(&format!("/accounts/{}/pricing", self.account));
        url.query_pairs_mut().append_pair("instruments", &names.join(","));
        let call = signed(Call::get(url), &self.token).lane(Lane::Follow);
        site.get(&call, "the latest prices", |body| parse::latest_prices(ids, body)).await
    }

    pub(super) async fn account_instruments(&self, site: &Site) -> Result<Vec<Instrument>, ProviderError> {
        let url = self.rest.join(&format!("/accounts/{}/instruments", self.account));
        let call = signed(Call::get(url), &self.token);
        site.get(&call, "the list of instruments", |body| parse::instruments(site.code, body, &site.health)).await
    }
}
