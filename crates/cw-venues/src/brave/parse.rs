//! From Brave's words to ours.

use cw_core::{NewsItem, Timestamp};

use super::wire;
use crate::net::{Health, address, parse_rows, plain, time};

const HEADLINE: usize = 300;
const SUMMARY: usize = 1_000;
const SECOND: i64 = Timestamp::NANOS_PER_SECOND;
/// A page of the future is one whose clock is wrong.
const AHEAD: i64 = 3_600 * SECOND;

/// What was found, each page once. `symbol` is what was asked for: it is what Brave found them by.
pub(super) fn found(
    body: &[u8],
    symbol: Option<&str>,
    now: Timestamp,
    health: &Health,
) -> Result<Vec<NewsItem>, serde_json::Error> {
    let answer: wire::Answer<'_> = serde_json::from_slice(body)?;
    let mut items: Vec<NewsItem> = Vec::new();
    for item in parse_rows(&answer.results.unwrap_or_default(), health, |w: wire::Found| item(&w, symbol, now)) {
        if items.iter().all(|have| have.id != item.id) {
            items.push(item);
        }
    }
    Ok(items)
}

fn item(w: &wire::Found, symbol: Option<&str>, now: Timestamp) -> Result<NewsItem, String> {
    let address = address(&w.url).ok_or("an address that is none")?;
    let headline = plain(&w.title, HEADLINE);
    if headline.is_empty() {
        return Err("a page without a title".to_owned());
    }
    let (published_at, approximate) = published(w, now);
    Ok(NewsItem {
        id: address.id,
        headline,
        summary: plain(w.description.as_deref().unwrap_or_default(), SUMMARY),
        url: address.url,
        source: address.host,
        provider: "brave".to_owned(),
        symbols: symbol.map(str::to_owned).into_iter().collect(),
        published_at,
        approximate,
        fetched_at: now,
    })
}

/// When it was published, and whether that is a guess: the page's time, else its age, else now.
fn published(w: &wire::Found, now: Timestamp) -> (Timestamp, bool) {
    let page = w.page_age.as_deref().and_then(|text| Some((time(text).ok()?, !has_zone(text))));
    let page = page.filter(|(at, _)| at.nanos_since(now) <= AHEAD);
    let aged = || Some((now.plus_nanos(-age(w.age.as_deref()?)?), true));
    page.or_else(aged).map_or((now, true), |(at, guess)| (at.min(now), guess))
}

fn has_zone(text: &str) -> bool {
    let clock = text.split_once(['T', ' ']).map_or("", |(_, clock)| clock);
    clock.ends_with(['Z', 'z']) || clock.contains(['+', '-'])
}

/// "2 hours ago" as nanoseconds.
fn age(text: &str) -> Option<i64> {
    let mut words = text.split_whitespace();
    let count: i64 = words.next()?.parse().ok().filter(|count| (0..1_000).contains(count))?;
    let seconds = match words.next()?.trim_end_matches('s') {
        "second" => 1,
        "minute" => 60,
        "hour" => 3_600,
        "day" => 86_400,
        "week" => 7 * 86_400,
        "month" => 30 * 86_400,
        "year" => 365 * 86_400,
        _ => return None,
    };
    Some(count * seconds * SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_the_page_s_or_guessed() {
        let now: Timestamp = "2026-01-15T16:00:00Z".parse().unwrap();
        let check = |page: Option<&str>, age: Option<&str>, expected: &str, guess: bool| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            let (title, url) = (String::new(), String::new());
            let w = wire::Found { title, url, description: None, age: owned(age), page_age: owned(page) };
            assert_eq!(published(&w, now), (expected.parse().unwrap(), guess), "{page:?} {age:?}");
        };
        check(Some("2026-01-15T14:30:00"), Some("2 hours ago"), "2026-01-15T14:30:00Z", true);
        check(Some("2026-01-15T14:30:00Z"), None, "2026-01-15T14:30:00Z", false);
        check(Some("2026-01-15T14:30:00-05:00"), None, "2026-01-15T16:00:00Z", true);
        check(Some("2026-01-15T14:30:00+01:00"), None, "2026-01-15T13:30:00Z", false);
        check(Some("yesterday"), Some("1 day ago"), "2026-01-14T16:00:00Z", true);
        check(None, Some("3 weeks ago"), "2025-12-25T16:00:00Z", true);
        check(None, Some("a while ago"), "2026-01-15T16:00:00Z", true);
        check(None, None, "2026-01-15T16:00:00Z", true);
    }
}
