//! Brave Search, its news endpoint.
//! Source: brave/brave-search-skills "news-search", 2026-04, and the documentation of the rate limit's headers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cw_core::Timestamp;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::exchange::Exchange;
use crate::market::MINUTE;
use crate::news::Article;
use crate::server::{Dialect, refuse};

const DAY: i64 = 1_440 * MINUTE;
/// What the smallest plan allows: one request in any second.
const WINDOW: Duration = Duration::from_secs(1);

pub(crate) fn router() -> Router<Arc<Exchange>> {
    let last: Arc<Mutex<Option<Instant>>> = Arc::default();
    let answer = move |exchange: State<Arc<Exchange>>, query: Query<BTreeMap<String, String>>, headers: HeaderMap| {
        let reply = throttled(&last).unwrap_or_else(|| search(&exchange, &query, &headers));
        if reply.status() == StatusCode::TOO_MANY_REQUESTS {
            exchange.offended();
        }
        std::future::ready((
            [("x-ratelimit-limit", "1, 15000"), ("x-ratelimit-policy", "1;w=1, 15000;w=2592000")],
            reply,
        ))
    };
    Router::new().route("/res/v1/news/search", get(answer))
}

fn error(status: u16, code: &str, detail: &str) -> Response {
    let error = json!({ "id": "0", "status": status, "code": code, "detail": detail, "meta": {} });
    refuse(status, json!({ "type": "ErrorResponse", "error": error, "time": 0 }))
}

fn throttled(last: &Mutex<Option<Instant>>) -> Option<Response> {
    let now = Instant::now();
    let mut last = last.lock();
    if last.is_some_and(|last| now < last + WINDOW) {
        let reply = error(429, "RATE_LIMITED", "Request rate limit exceeded for plan.");
        return Some(
            ([("x-ratelimit-remaining", "0, 14000"), ("x-ratelimit-reset", "1, 1000000")], reply).into_response(),
        );
    }
    *last = Some(now);
    None
}

fn search(exchange: &Exchange, query: &BTreeMap<String, String>, headers: &HeaderMap) -> Response {
    let text = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let key = headers.get("x-subscription-token").and_then(|key| key.to_str().ok()).unwrap_or_default();
    if key.is_empty() || key == "wrong" {
        return error(422, "SUBSCRIPTION_TOKEN_INVALID", "The provided subscription token is invalid.");
    }
    let words: Vec<String> = text("q").split_whitespace().map(str::to_lowercase).collect();
    let (count, offset) = (text("count").parse().unwrap_or(20), text("offset").parse().unwrap_or(0));
    let fits = (1..=400).contains(&text("q").chars().count()) && words.len() <= 50;
    if !fits || !(1..=50usize).contains(&count) || offset > 9usize {
        return error(422, "VALIDATION", "Unable to validate request parameter(s)");
    }
    let now = exchange.now();
    let Some((from, to)) = freshness(text("freshness"), now) else {
        return error(422, "VALIDATION", "freshness");
    };
    let mut found = exchange.articles(from, to, Dialect::Alpaca.symbols());
    found.retain(|article| words.iter().all(|word| matches(word, article)));
    found.reverse();
    let page: Vec<Value> = found.iter().skip(offset * count).take(count).map(|article| result(article, now)).collect();
    let body = json!({ "type": "news", "query": { "original": text("q"), "spellcheck_off": false }, "results": page });
    ([("x-ratelimit-remaining", "0, 14000"), ("x-ratelimit-reset", "1, 1000000")], axum::Json(body)).into_response()
}

/// A word, a phrase's word, or `site:`.
fn matches(word: &str, article: &Article) -> bool {
    if let Some(site) = word.strip_prefix("site:") {
        return article.host() == site;
    }
    let text = format!("{} {}", article.headline, article.summary).to_lowercase();
    text.contains(word.trim_matches('"'))
}

/// What a window means; the last half year of what there is where none is given.
fn freshness(text: &str, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let back = |days: i64| Some((now.plus_nanos(-days * DAY), now.plus_nanos(1)));
    match text {
        "pd" => back(1),
        "pw" => back(7),
        "pm" => back(31),
        "py" | "" => back(182),
        range => {
            let (from, to) = range.split_once("to")?;
            Some((from.parse().ok()?, to.parse::<Timestamp>().ok()?.plus_nanos(DAY)))
        }
    }
}

fn result(article: &Article, now: Timestamp) -> Value {
    let emphasized = article.headline.replacen("percent", "<strong>percent</strong>", 1);
    let host = article.host();
    // Their clock without its zone.
    let page_age = article.time.to_string().trim_end_matches('Z').to_owned();
    let minutes = now.nanos_since(article.time) / MINUTE;
    json!({
        "type": "news_result", "title": emphasized,
        "url": format!("{}?utm_source=search", article.url().replace("https://", "https://www.")),
        "description": article.summary.replace('&', "&amp;"),
        "age": format!("{minutes} minutes ago"), "page_age": page_age,
        "meta_url": { "scheme": "https", "netloc": host, "hostname": format!("www.{host}"), "path": "› story" },
        "thumbnail": { "src": "https://imgs.search.brave.com/x" },
    })
}
