//! News from Brave and Alpaca, over real sockets, compared with what was published.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;
use std::time::Duration;

use cw_core::{NewsItem, Timestamp};
use cw_market::{NewsProvider, NewsRequest, ProviderError};
use cw_simex::{Dialect, Exchange, Fault, Market, Plan, Server};
use cw_venues::net::{Handles, Network, Random};
use cw_venues::{brave, catalog};
use tokio::sync::mpsc;
use tokio::time::Instant;

const MINUTE: i64 = 60_000_000_000;
const DAY: i64 = 1_440 * MINUTE;
const PATIENCE: Duration = Duration::from_secs(30);

fn begin() -> Timestamp {
    "2026-03-04T15:00:00Z".parse().unwrap()
}

fn exchange() -> Arc<Exchange> {
    Exchange::new(Market::seeded(3), begin())
}

fn handles(exchange: &Exchange) -> Handles {
    let clock = Arc::new(exchange.clock());
    Handles { clock, random: Random::seeded(1), transport: Arc::new(Network::shared()) }
}

fn brave_with_key(exchange: &Exchange, server: &Server, key: &str) -> brave::Brave {
    let settings =
        brave::Settings { key: Some(key.to_owned()), base_url: Some(server.rest_url()), ..brave::Settings::default() };
    brave::connect(&settings, handles(exchange)).unwrap()
}

fn alpaca(exchange: &Exchange, server: &Server) -> cw_venues::alpaca::AlpacaNews {
    let settings = catalog::Settings {
        rest_url: Some(server.rest_url()),
        stream_url: Some(server.stream_url()),
        key: Some("key".to_owned()),
        secret: Some("secret".to_owned()),
        ..catalog::Settings::default()
    };
    cw_venues::alpaca::news(&settings, handles(exchange)).unwrap()
}

/// Headlines, newest first, of what was published since and is of interest.
fn truth(exchange: &Exchange, since: Timestamp, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let all = exchange.articles(since, exchange.now().plus_nanos(1), Dialect::Alpaca.symbols());
    all.into_iter().rev().map(|article| article.headline).filter(|headline| wanted(headline)).collect()
}

fn headlines(items: &[NewsItem]) -> Vec<String> {
    items.iter().map(|item| item.headline.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn brave_finds_by_words_symbol_site_and_time_whatever_goes_wrong() {
    let exchange = exchange();
    let server = Server::news(&exchange).await.unwrap();
    let brave = brave_with_key(&exchange, &server, "key");
    let request = NewsRequest {
        text: "court".to_owned(),
        symbol: Some("AAPL".to_owned()),
        since: Some(begin().plus_nanos(-DAY)),
        limit: 10,
        ..NewsRequest::default()
    };
    let day_before = "2026-03-03".parse().unwrap();
    let faults =
        [None, Some(Fault::Throttle), Some(Fault::ServerError), Some(Fault::GarbageBody), Some(Fault::CutBody)];
    for (minute, fault) in (0..).zip(faults) {
        // The fault spoils the next requests.
        exchange.set_plan(Plan { faults: fault.map(|fault| (minute, fault)).into_iter().collect() });
        exchange.advance_to(begin().plus_nanos(i64::from(minute + 1) * MINUTE));
        let wanted = |headline: &str| headline.contains("court") && headline.contains("AAPL");
        let expected = truth(&exchange, day_before, wanted);
        let found = brave.search(&request).await.unwrap();
        assert_eq!(headlines(&found), expected[..10], "{fault:?}");
        assert!(found.iter().all(|item| item.symbols == ["AAPL"] && item.approximate && item.provider == "brave"));
    }
    assert_eq!(exchange.offenses(), 0, "never asked sooner than the plan allows");
    let site = NewsRequest { text: "percent".to_owned(), site: Some("wire1.example".to_owned()), ..request };
    let found = brave.search(&NewsRequest { symbol: None, ..site }).await.unwrap();
    assert!(found.len() == 10 && found.iter().all(|item| item.source == "wire1.example"), "{found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_token_is_told_and_not_tried_again() {
    let exchange = exchange();
    let server = Server::news(&exchange).await.unwrap();
    let brave = brave_with_key(&exchange, &server, "wrong");
    let error = brave.search(&NewsRequest { text: "x".to_owned(), ..NewsRequest::default() }).await.unwrap_err();
    assert!(matches!(error, ProviderError::Refused { .. }) && error.to_string().contains("TOKEN_INVALID"), "{error}");
    assert_eq!(exchange.counts().0, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alpaca_answers_page_by_page() {
    let exchange = exchange();
    let server = Server::start(Dialect::Alpaca, &exchange).await.unwrap();
    let news = alpaca(&exchange, &server);
    let since = begin().plus_nanos(-DAY * 7 / 10);
    let all = news.search(&NewsRequest { since: Some(since), ..NewsRequest::default() }).await.unwrap();
    let expected = truth(&exchange, since, |_| true);
    assert!(expected.len() > 100, "several pages");
    assert_eq!(headlines(&all), expected);
    let symbol = Some("BTCUSD".to_owned());
    let some = news.search(&NewsRequest { since: Some(since), symbol, ..NewsRequest::default() }).await.unwrap();
    assert_eq!(headlines(&some), truth(&exchange, since, |headline| headline.contains("BTC/USD")));
    assert!(some.iter().all(|item| item.symbols == ["BTCUSD"] && !item.approximate));
}

/// What both sources tell of one article has one id.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_sources_tell_one_article_under_one_id() {
    let exchange = exchange();
    let (web, market) =
        (Server::news(&exchange).await.unwrap(), Server::start(Dialect::Alpaca, &exchange).await.unwrap());
    let request = NewsRequest {
        text: "court".to_owned(),
        since: Some(begin().plus_nanos(-DAY / 2)),
        limit: 5,
        ..NewsRequest::default()
    };
    let found = brave_with_key(&exchange, &web, "key").search(&request).await.unwrap();
    let told = alpaca(&exchange, &market).search(&request).await.unwrap();
    for item in &found {
        let same = told.iter().find(|other| other.headline == item.headline).unwrap();
        assert_eq!((&same.id, &same.summary, &same.source), (&item.id, &item.summary, &item.source));
    }
    assert_eq!(found.len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_article_is_lost_when_the_stream_is() {
    let exchange = exchange();
    let server = Server::start(Dialect::Alpaca, &exchange).await.unwrap();
    let news = Arc::new(alpaca(&exchange, &server));
    let (sink, mut items) = mpsc::channel(64);
    let streaming = Arc::clone(&news);
    let task = tokio::runtime::Handle::current().spawn(async move { streaming.stream(sink).await });
    let first = exchange.articles(begin(), begin().plus_nanos(DAY), Dialect::Alpaca.symbols());
    assert!(first.is_empty(), "nothing of the future is told");
    // Articles come every seven minutes.
    let first = (0..7).find(|minute| (begin().as_nanos() / MINUTE + minute) % 7 == 0).unwrap() as u32;
    let faults =
        [(7, Fault::Drop), (14, Fault::Duplicate), (20, Fault::Throttle), (21, Fault::Drop), (28, Fault::Drop)];
    exchange.set_plan(Plan { faults: faults.map(|(after, fault)| (first + after, fault)).into() });
    let mut told: Vec<String> = Vec::new();
    for minute in 0..50 {
        exchange.advance_to(begin().plus_nanos((minute + 1) * MINUTE));
        // An article is told when its minute is over.
        let over = exchange.now().plus_nanos(1 - MINUTE);
        let expected: Vec<String> = exchange
            .articles(begin(), over, Dialect::Alpaca.symbols())
            .into_iter()
            .map(|article| article.headline)
            .collect();
        let begun = Instant::now();
        while expected.iter().any(|headline| !told.contains(headline)) {
            assert!(begun.elapsed() < PATIENCE, "minute {minute}: {told:?}");
            if let Ok(item) = tokio::time::timeout(Duration::from_millis(200), items.recv()).await {
                told.push(item.unwrap().headline);
            }
        }
    }
    assert!(truth(&exchange, begin(), |_| true).len() >= 7);
    assert_eq!(exchange.counts().1, 4, "the first connection and one after each drop");
    drop(items);
    task.await.unwrap().unwrap();
}
