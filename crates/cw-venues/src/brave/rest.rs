//! News by request.

use std::time::Duration;

use cw_core::{NewsItem, Timestamp};
use cw_market::{NewsRequest, ProviderError};
use http::HeaderMap;
use url::Url;

use super::{Brave, parse};
use crate::net::{Call, Hint, Lane, Limits, Manner};

/// The most that one answer holds.
pub(super) const PAGE: usize = 50;
/// Of a search, what Brave takes.
const MOST_WORDS: usize = 50;
const MOST_LETTERS: usize = 400;
/// Their window of one second slides: a little more than one keeps clear of it.
const SPACING: Duration = Duration::from_millis(1_050);

/// One request a second, unless the plan allows more.
pub(super) fn manner(requests_per_minute: Option<u32>) -> Manner {
    let spacing = requests_per_minute.map_or(SPACING, |most| Duration::from_mins(1) / most.max(1));
    // Every fifth is kept for those that must not wait; nothing here is such.
    let per_window = requests_per_minute.unwrap_or(60).saturating_mul(5) / 4;
    Manner { limits: Limits { per_window, window: Duration::from_mins(1), spacing }, hint, explain, ..Manner::USUAL }
}

/// Of several windows ("1, 15000") those in which nothing is left say how long to wait.
fn hint(headers: &HeaderMap) -> Hint {
    let list = |name: &str| -> Vec<u64> {
        let text = headers.get(name).and_then(|text| text.to_str().ok()).unwrap_or_default();
        text.split(',').map(|part| part.trim().parse().unwrap_or(u64::MAX)).collect()
    };
    let (left, reset) = (list("x-ratelimit-remaining"), list("x-ratelimit-reset"));
    let wait =
        left.iter().zip(&reset).filter(|(left, reset)| **left == 0 && **reset < u64::MAX).map(|(_, reset)| *reset);
    Hint { wait: wait.max().map(Duration::from_secs), ..Hint::NONE }
}

fn explain(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let text = |name: &str| body["error"][name].as_str().unwrap_or_default().to_owned();
    let words: String = format!("{} {}", text("code"), text("detail")).chars().take(300).collect();
    (words.len() > 1).then_some(words)
}

/// What is asked for: the words, the symbol in quotes, the publisher's site.
fn query(request: &NewsRequest) -> String {
    // Operators of the caller's would ask for something else than the words say.
    let mut words: Vec<String> = request.text.split_whitespace().map(|word| word.replace(['"', ':'], " ")).collect();
    words.extend(request.symbol.iter().map(|symbol| format!("\"{symbol}\"")));
    let site = request.site.iter().map(|site| format!("site:{site}"));
    words.truncate(MOST_WORDS - 1);
    words.extend(site);
    words.join(" ").chars().take(MOST_LETTERS).collect()
}

impl Brave {
    fn address(&self) -> Url {
        // A base of its host alone stands for all of it.
        let path = self.base.join("").path().trim_end_matches('/').to_owned();
        self.base.join(if path.is_empty() { "/res/v1/news/search" } else { "/news/search" })
    }

    pub(super) async fn ask(&self, request: &NewsRequest) -> Result<Vec<NewsItem>, ProviderError> {
        let now = self.site.handles.clock.now();
        let day = |at: Timestamp| at.to_civil().date().to_string();
        let freshness = match request.since {
            Some(since) => format!("{}to{}", day(since.min(now)), day(now)),
            None => self.freshness.clone(),
        };
        let count = if request.limit == 0 { self.count } else { request.limit.min(self.count) };
        let mut url = self.address();
        url.query_pairs_mut()
            .append_pair("q", &query(request))
            .append_pair("country", &self.country)
            .append_pair("search_lang", &self.language)
            .append_pair("count", &count.to_string())
            .append_pair("freshness", &freshness)
            // It takes tickers for typing mistakes.
            .append_pair("spellcheck", if request.symbol.is_some() { "false" } else { "true" });
        let call = Call::get(url)
            .lane(Lane::Follow)
            .header("x-subscription-token", self.key.reveal())
            .header("accept", "application/json");
        let symbol = request.symbol.as_deref();
        let read = |body: &[u8]| parse::found(body, symbol, now, &self.site.health);
        self.site.get(&call, "a page of news", read).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_month_s_end_is_waited_for_when_the_plan_is_used_up() {
        let check = |left: &str, expected: Option<u64>| {
            let mut headers = HeaderMap::new();
            headers.insert("x-ratelimit-remaining", left.parse().unwrap());
            headers.insert("x-ratelimit-reset", "1, 86400".parse().unwrap());
            assert_eq!(hint(&headers).wait, expected.map(Duration::from_secs), "{left}");
        };
        check("1, 14000", None);
        check("0, 14000", Some(1));
        check("0, 0", Some(86_400));
        check("nonsense", None);
        assert_eq!(hint(&HeaderMap::new()).wait, None);
    }

    #[test]
    fn a_search_is_words_symbol_and_site() {
        let request = NewsRequest {
            text: "rates \"now\" site:evil.example".to_owned(),
            symbol: Some("AAPL".to_owned()),
            site: Some("reuters.com".to_owned()),
            ..NewsRequest::default()
        };
        assert_eq!(query(&request), "rates  now  site evil.example \"AAPL\" site:reuters.com");
        let long = NewsRequest { text: "word ".repeat(200), ..NewsRequest::default() };
        assert_eq!(query(&long).split(' ').count(), 49);
    }
}
