//! The whole path of news: a node, its store, and the sources' own protocols on this machine.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cw_api::{ApiError, Caller, Context, ErrorCode, Output, dispatch};
use cw_core::{Surface, Timestamp};
use cw_node::{LogRing, Node, NodeConfig};
use cw_simex::{Dialect, Exchange, Market, Server};
use serde_json::{Value, json};

const MINUTE: i64 = 60_000_000_000;

fn begin() -> Timestamp {
    "2026-03-04T15:00:00Z".parse().expect("a time")
}

/// A node whose clock is the exchange's; without sources where none are given.
async fn open(dir: &Path, exchange: &Exchange, brave: Option<&str>, alpaca: Option<&Server>) -> Node {
    let mut config = if alpaca.is_some() { NodeConfig::live(dir) } else { NodeConfig::offline(dir) };
    config.settings.mock.enabled = false;
    if let Some(url) = brave {
        config.settings.news.brave.key = Some("key".to_owned());
        config.settings.news.brave.base_url = Some(url.to_owned());
    }
    if let Some(server) = alpaca {
        config.settings.news.alpaca.key = Some("key".to_owned());
        config.settings.news.alpaca.secret = Some("secret".to_owned());
        config.settings.news.alpaca.rest_url = Some(server.rest_url());
        config.settings.news.alpaca.stream_url = Some(server.stream_url());
    }
    let clock = Arc::new(exchange.clock());
    Node::open_with_clock(config, LogRing::new(), clock).await.expect("the node opens")
}

async fn call(node: &Node, name: &str, body: Value) -> Result<Value, ApiError> {
    let context = Context::new(Caller::operator(Surface::Rest), node.services());
    dispatch(name, body, &context).await.map(Output::into_json)
}

fn headlines(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().expect("items");
    items.iter().map(|item| item["headline"].as_str().expect("a headline").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_asks_once_and_works_without_the_source() {
    let exchange = Exchange::new(Market::seeded(3), begin());
    let server = Server::news(&exchange).await.expect("a server");
    let dir = tempfile::tempdir().expect("a folder");
    let node = open(dir.path(), &exchange, Some(&server.rest_url()), None).await;
    let search = json!({"text": "court", "symbol": "AAPL.ALPACA", "limit": 5, "since": "2026-03-04T00:00:00Z"});
    let first = call(&node, "news.search", search.clone()).await.expect("news");
    assert_eq!(first["providers"][0]["answer"], "fresh");
    let truth = exchange.articles("2026-03-04".parse().expect("a time"), begin(), Dialect::Alpaca.symbols());
    let wanted = truth.iter().rev().filter(|a| a.headline.contains("AAPL") && a.headline.contains("court"));
    assert_eq!(headlines(&first), wanted.map(|a| a.headline.clone()).take(5).collect::<Vec<_>>());
    assert_eq!(first["items"][0]["provider"], "brave");

    // Asked the same again, nobody is asked; asked later, somebody is.
    exchange.advance_to(begin().plus_nanos(9 * MINUTE));
    let asked = exchange.counts().0;
    let again = call(&node, "news.search", search.clone()).await.expect("news");
    assert_eq!((&again["providers"][0]["answer"], exchange.counts().0), (&json!("kept"), asked));
    assert_eq!(again["items"], first["items"]);
    exchange.advance_to(begin().plus_nanos(11 * MINUTE));
    let later = call(&node, "news.search", search.clone()).await.expect("news");
    assert_eq!(later["providers"][0]["answer"], "fresh");

    // The source is gone: what is known stands in, and the answer says so.
    node.stop().await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let node = open(dir.path(), &exchange, Some(&format!("http://{port}")), None).await;
    exchange.advance_to(begin().plus_nanos(60 * MINUTE));
    let offline = call(&node, "news.search", search.clone()).await.expect("news");
    assert_eq!(offline["providers"][0]["answer"], "failed");
    assert!(offline["providers"][0]["problem"].is_string());
    assert_eq!(headlines(&offline), headlines(&later));
    let nothing = call(&node, "news.search", json!({"text": "zeppelin"})).await.expect_err("nobody knows");
    assert_eq!((nothing.code, nothing.retryable), (ErrorCode::Unavailable, true));
    node.stop().await;

    // And without any source, after a restart.
    let node = open(dir.path(), &exchange, None, None).await;
    let known = call(&node, "news.search", json!({"text": "courts", "symbol": "AAPL"})).await.expect("news");
    assert_eq!(known["providers"], json!([]));
    assert!(headlines(&known).contains(&headlines(&later)[0]));
    let listed = call(&node, "news.list", json!({"source": "brave", "limit": 3})).await.expect("news");
    assert_eq!(headlines(&listed).len(), 3);
    for bad in [json!({"text": "?!"}), json!({"text": "x", "limit": 0}), json!({"text": "x", "symbol": "A B"})] {
        assert_eq!(call(&node, "news.search", bad).await.expect_err("refused").code, ErrorCode::InvalidRequest);
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_comes_in_by_itself_and_each_story_once() {
    let exchange = Exchange::new(Market::seeded(3), begin());
    let (web, market) = (
        Server::news(&exchange).await.expect("a server"),
        Server::start(Dialect::Alpaca, &exchange).await.expect("a server"),
    );
    let dir = tempfile::tempdir().expect("a folder");
    let node = open(dir.path(), &exchange, Some(&web.rest_url()), Some(&market)).await;
    let end = begin().plus_nanos(30 * MINUTE);
    let begun = Instant::now();
    while exchange.counts().1 == 0 {
        assert!(begun.elapsed() < Duration::from_secs(30), "nobody listens");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    exchange.advance_to(end);
    let truth = exchange.articles(begin(), end.plus_nanos(1 - MINUTE), Dialect::Alpaca.symbols());
    let expected: Vec<String> = truth.iter().rev().map(|article| article.headline.clone()).collect();
    let list = json!({"since": begin().to_string(), "before": end.plus_nanos(1 - MINUTE).to_string()});
    loop {
        let listed = call(&node, "news.list", list.clone()).await.expect("news");
        if headlines(&listed) == expected {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{listed:#} is not {expected:#?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Found by Brave as well, they are the same stories.
    let found =
        call(&node, "news.search", json!({"text": "percent", "since": begin().to_string()})).await.expect("news");
    let ids: Vec<&Value> = found["items"].as_array().expect("items").iter().map(|item| &item["id"]).collect();
    assert!(ids.len() >= expected.len() && ids.iter().enumerate().all(|(place, id)| !ids[..place].contains(id)));
    let listed = call(&node, "news.list", list).await.expect("news");
    assert_eq!(headlines(&listed), expected);
    assert_eq!(listed["items"][0]["provider"], "alpaca", "who told it first");
    node.stop().await;
}
