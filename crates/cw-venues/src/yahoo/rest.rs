//! Candles by request.

use std::time::Duration;

use cw_core::TimeframeUnit::{Day, Hour, Minute};
use cw_core::{InstrumentId, Timeframe, Timestamp};
use cw_market::ProviderError;
use url::Url;

use super::parse::Refusal;
use super::session::{self, Session};
use super::{Yahoo, parse};
use crate::net::{Call, Limits, Manner, Meaning, Native, Plan, Reply, Site, Tolerance, plain, segment};

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
    explain,
    meaning,
    // At least half of a wait is waited: from half a minute on.
    throttled: Some((Duration::from_mins(1), Duration::from_mins(15))),
    tolerance: Tolerance { failures: 3, first_pause: Duration::from_mins(1), longest_pause: Duration::from_mins(15) },
    at_once: 1,
    ..Manner::USUAL
};

const DOWN: &[u8] = b"Will be right back";
const TOO_MANY: &[u8] = b"Too Many Requests";
/// Where the European Union's visitors are sent, and what is on that page.
const CONSENT: [&[u8]; 2] = [b"consent.yahoo.com", b"collectConsent"];
const CONSENT_WANTED: &str =
    "it wants consent to its cookies, on a page for people in a browser; this program gives none";

fn explain(body: &[u8]) -> Option<String> {
    let json = parse::problem(body).map(|(_, description)| description);
    // A page, or plain text.
    let words = json.unwrap_or_else(|| plain(&String::from_utf8_lossy(body), 160));
    (!words.is_empty()).then_some(words)
}

/// Pages that come under any status.
fn meaning(reply: &Reply) -> Meaning {
    let has = |text: &[u8], part: &[u8]| text.windows(part.len()).any(|window| window == part);
    let to = reply.headers.get(http::header::LOCATION).map_or(&b""[..], |to| to.as_bytes());
    if reply.status.is_redirection() && (has(to, b"://guce.") || has(to, b"://consent.")) {
        return Meaning::Closed(CONSENT_WANTED);
    }
    // What is no page is what was asked for.
    if reply.body.first().is_none_or(|first| matches!(first, b'{' | b'[')) {
        return Meaning::Plain;
    }
    if has(&reply.body, DOWN) {
        return Meaning::Busy("its page says that it will be right back");
    }
    if reply.status.is_success() && has(&reply.body, TOO_MANY) {
        return Meaning::Busy("too many requests");
    }
    if CONSENT.iter().any(|part| has(&reply.body, part)) {
        return Meaning::Closed(CONSENT_WANTED);
    }
    Meaning::Plain
}

impl Yahoo {
    pub(super) async fn chart(
        &self,
        site: &Site,
        id: &InstrumentId,
        plan: &Plan,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<parse::Chart, ProviderError> {
        // A session's date may begin half a day before ours.
        let early = if plan.asked == Timeframe::D1 { 12 * 3_600 } else { 0 };
        let mut url = self.rest.join(&format!("/v8/finance/chart/{}", segment(id.symbol())));
        url.query_pairs_mut()
            .append_pair("interval", plan.word)
            .append_pair("period1", &(from.as_secs() - early).max(0).to_string())
            .append_pair("period2", &to.as_secs().to_string())
            .append_pair("includePrePost", "false")
            .append_pair("events", "div,splits");
        let kept = self.sessions.kept(site.health.venue_now()).await;
        let mut answer = ask(site, &url, plan, kept.as_deref()).await?;
        if let Err(Refusal::Stranger(_)) = answer {
            let renewed = self.sessions.renewed(site, &self.rest, kept.as_ref()).await;
            let session = renewed.inspect_err(|error| site.health.hindered(Some(error.to_string())))?;
            answer = ask(site, &url, plan, Some(&session)).await?;
        }
        let refusal = match answer {
            Ok(chart) => {
                site.health.hindered(None);
                return Ok(chart);
            }
            Err(refusal) => refusal,
        };
        match refusal {
            Refusal::Nothing(reason) => {
                site.health.hindered(None);
                Err(site.refused(reason))
            }
            Refusal::Stranger(words) => {
                let error = session::failed(site, format!("those that it gave are refused: {words}"));
                self.sessions.is_of_no_use(&error).await;
                site.health.hindered(Some(error.to_string()));
                Err(error)
            }
        }
    }
}

/// Asks once, as somebody whom Yahoo knows or as a stranger.
async fn ask(
    site: &Site,
    url: &Url,
    plan: &Plan,
    session: Option<&Session>,
) -> Result<Result<parse::Chart, Refusal>, ProviderError> {
    let stranger = Call::get(url.clone()).lane(plan.lane).or(parse::is_stranger);
    let call = match session {
        Some(session) => session.signed(stranger),
        None => stranger,
    };
    let read = |reply: &Reply| {
        if parse::is_stranger(reply) {
            return Ok(Err(Refusal::Stranger(explain(&reply.body).unwrap_or_else(|| reply.status.to_string()))));
        }
        parse::chart(plan.asked, &reply.body, &site.health)
    };
    site.get_reply(&call, "a chart", read).await
}
