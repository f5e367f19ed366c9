//! Cookie and crumb. Yahoo asks some callers for them, at some times: a chart is asked for without, and who is refused gets
//! a cookie from one address and, with it, a crumb from another. Both are kept until they are refused in turn.

use std::sync::Arc;
use std::time::Duration;

use cw_core::Timestamp;
use cw_market::ProviderError;
use http::header::SET_COOKIE;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::net::{BaseUrl, Call, Lane, Reply, Secret, Site, http_date};

/// The cookie's name.
const COOKIE: &str = "A3";
/// After a failure, how long no other session is asked for.
const AGAIN: Duration = Duration::from_mins(1);
const LONGEST_COOKIE: usize = 4_096;
const LONGEST_CRUMB: usize = 100;
/// A number of seconds since 1970 or until the end that is larger than this is one of milliseconds.
const MOST_SECONDS: i64 = 30_000_000_000;
const MOST_AGE_SECONDS: i64 = 1_000_000_000;

/// What proves to Yahoo that we have been there.
pub(super) struct Session {
    cookie: Secret,
    crumb: Secret,
    until: Option<Timestamp>,
}

impl Session {
    /// The chart's request, with both.
    pub fn signed(&self, mut call: Call) -> Call {
        call.url.query_pairs_mut().append_pair("crumb", self.crumb.reveal());
        call.header("cookie", self.cookie.reveal())
    }
}

/// The session that is kept, and where another one comes from.
pub(super) struct Sessions {
    cookies: BaseUrl,
    /// Held by who asks for one, so that others wait for the same.
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    session: Option<Arc<Session>>,
    /// When no session of use could be had, and why: that is not tried again by every chart.
    failed: Option<(Instant, ProviderError)>,
}

impl Sessions {
    pub fn from_cookies_of(cookies: BaseUrl) -> Self {
        Self { cookies, kept: Mutex::default() }
    }

    /// The one that is kept, unless it is over.
    pub async fn kept(&self, now: Timestamp) -> Option<Arc<Session>> {
        let kept = self.kept.lock().await;
        kept.session.as_ref().filter(|kept| kept.until.is_none_or(|until| now < until)).cloned()
    }

    /// Another one than the `refused`: asked for, unless somebody else did so meanwhile.
    pub async fn renewed(
        &self,
        site: &Site,
        rest: &BaseUrl,
        refused: Option<&Arc<Session>>,
    ) -> Result<Arc<Session>, ProviderError> {
        let now = site.health.venue_now();
        let mut kept = self.kept.lock().await;
        let is_other = |kept: &&Arc<Session>| {
            let usable = kept.until.is_none_or(|until| now < until);
            usable && !refused.is_some_and(|refused| Arc::ptr_eq(kept, refused))
        };
        if let Some(other) = kept.session.as_ref().filter(is_other) {
            return Ok(Arc::clone(other));
        }
        if let Some((_, error)) = kept.failed.as_ref().filter(|(at, _)| at.elapsed() < AGAIN) {
            return Err(error.clone());
        }
        match self.ask(site, rest, now).await {
            Ok(session) => {
                let session = Arc::new(session);
                *kept = Kept { session: Some(Arc::clone(&session)), failed: None };
                Ok(session)
            }
            Err(error) => {
                *kept = Kept { session: None, failed: Some((Instant::now(), error.clone())) };
                Err(error)
            }
        }
    }

    /// What was given a moment ago is refused.
    pub async fn is_of_no_use(&self, error: &ProviderError) {
        *self.kept.lock().await = Kept { session: None, failed: Some((Instant::now(), error.clone())) };
    }

    async fn ask(&self, site: &Site, rest: &BaseUrl, now: Timestamp) -> Result<Session, ProviderError> {
        // Its status and its body mean nothing as long as there is a cookie.
        let call = Call::get(self.cookies.join("")).lane(Lane::Follow).or(|reply| cookie(reply).is_some());
        let reply = site.http.call(&call).await.map_err(|error| because("no cookie", error))?;
        let given = cookie(&reply).map(|(value, attributes)| (format!("{COOKIE}={value}"), end(attributes, now)));
        let Some((cookie, until)) = given.filter(|(_, until)| until.is_none_or(|until| now < until)) else {
            return Err(failed(site, format!("no cookie: the answer has none that is called {COOKIE} and is of use")));
        };
        let call = Call::get(rest.join("/v1/test/getcrumb")).lane(Lane::Follow);
        let call = call.header("cookie", &cookie).header("accept", "text/plain");
        let reply = site.http.call(&call).await.map_err(|error| because("no crumb", error))?;
        let Some(crumb) = crumb(&reply.body) else {
            return Err(failed(site, "no crumb: the answer is none".to_owned()));
        };
        Ok(Session { cookie: Secret::new(cookie), crumb: Secret::new(crumb), until })
    }
}

/// It demands what it does not give: nothing about the request is wrong, and asking again changes nothing.
pub(super) fn failed(site: &Site, reason: String) -> ProviderError {
    ProviderError::Fatal { venue: site.code, reason: format!("it asks for a cookie and crumb; {reason}") }
}

/// The same failure, and what it was that failed.
fn because(what: &str, error: ProviderError) -> ProviderError {
    let told = |reason: &str| format!("it asks for a cookie and crumb; {what}: {reason}");
    match error {
        ProviderError::Retryable { venue, reason, retry_after_ms } => {
            ProviderError::Retryable { venue, reason: told(&reason), retry_after_ms }
        }
        ProviderError::Refused { venue, reason } | ProviderError::Fatal { venue, reason } => {
            ProviderError::Fatal { venue, reason: told(&reason) }
        }
    }
}

/// The value of the cookie that counts, and its attributes.
fn cookie(reply: &Reply) -> Option<(&str, &str)> {
    reply.headers.get_all(SET_COOKIE).iter().find_map(|header| {
        let (pair, attributes) = header.to_str().ok()?.split_once(';').unwrap_or((header.to_str().ok()?, ""));
        let (name, value) = pair.split_once('=')?;
        let fits = name.trim() == COOKIE && !value.trim().is_empty() && value.len() <= LONGEST_COOKIE;
        fits.then(|| (value.trim(), attributes))
    })
}

/// When a cookie is over: `Max-Age` or else `Expires`, as a date or as a number, in seconds or in milliseconds.
fn end(attributes: &str, now: Timestamp) -> Option<Timestamp> {
    let attribute = |wanted: &str| {
        let mut all = attributes.split(';').filter_map(|attribute| attribute.split_once('='));
        all.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    let number = |text: &str, most: i64| {
        let number: i64 = text.parse().ok()?;
        Some(if number > most { number / 1_000 } else { number })
    };
    let nanos = |seconds: i64| seconds.saturating_mul(Timestamp::NANOS_PER_SECOND);
    if let Some(age) = attribute("max-age").and_then(|age| number(age, MOST_AGE_SECONDS)) {
        return Some(now.plus_nanos(nanos(age)));
    }
    let expires = attribute("expires")?;
    match number(expires, MOST_SECONDS) {
        Some(seconds) => Some(Timestamp::from_nanos(nanos(seconds))),
        None => http_date(&expires.replace('-', " ")),
    }
}

/// What a crumb may be: one word. A page, an apology and nothing are none.
fn crumb(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?.trim();
    let fits = (1..=LONGEST_CRUMB).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    (fits && !text.contains(['<', '>', '{', '"'])).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_s_end_is_a_date_or_a_number_of_whatever_unit() {
        let now = Timestamp::from_secs(1_772_636_400);
        let check = |attributes: &str, expected: Option<i64>| {
            assert_eq!(end(attributes, now), expected.map(Timestamp::from_secs), "{attributes}");
        };
        check(" Domain=.yahoo.com; Path=/; Secure", None);
        check(" Max-Age=60; Expires=1", Some(1_772_636_460));
        check(" max-age=31557600000", Some(1_772_636_400 + 31_557_600));
        check(" Max-Age=0", Some(1_772_636_400));
        check(" Expires=1804194000", Some(1_804_194_000));
        check(" Expires=1804194000000", Some(1_804_194_000));
        check(" Expires=Thu, 05 Mar 2026 15:00:00 GMT; Path=/", Some(1_772_722_800));
        check(" expires=Thu, 05-Mar-2026 15:00:00 GMT", Some(1_772_722_800));
        check(" Expires=whenever", None);
        assert!(end(&format!(" Max-Age={}", i64::MAX), now).unwrap() > now, "never, nearly");
    }

    #[test]
    fn a_crumb_is_one_word() {
        assert_eq!(crumb(b"a/b.C+d=\n").as_deref(), Some("a/b.C+d="));
        for none in ["", " \n", "<html></html>", "Too Many Requests", "{\"finance\":1}", "\u{e9}"] {
            assert_eq!(crumb(none.as_bytes()), None, "{none}");
        }
        assert_eq!(crumb("x".repeat(200).as_bytes()), None);
        assert_eq!(crumb(&[0xff]), None);
    }
}
