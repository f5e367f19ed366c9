//! A node and a simulated Alpaca, over real sockets.

use std::sync::Arc;
use std::time::Duration;

use cw_api::commands::data::{DataCoverage, FetchData, FetchReport};
use cw_api::commands::market::GetCandles;
use cw_api::commands::system::{Breaker, ConnectionState, ListConnections};
use cw_api::{ApiError, Caller, Services};
use cw_core::{Candle, Surface, Timeframe, Timestamp};
use cw_simex::{Dialect, Exchange, Fault, Market, Plan, Server};
use cw_store::{CandleQuery, Store, StoreConfig};

use crate::config::NodeConfig;
use crate::logs::LogRing;
use crate::node::Node;

const MINUTE: i64 = 60_000_000_000;

struct Fixture {
    dir: tempfile::TempDir,
    exchange: Arc<Exchange>,
    server: Server,
}

impl Fixture {
    async fn new() -> Self {
        let exchange = Exchange::new(Market::seeded(4), begin());
        let server = Server::start(Dialect::Alpaca, &exchange).await.unwrap();
        Self { dir: tempfile::tempdir().unwrap(), exchange, server }
    }

    fn config(&self) -> NodeConfig {
        let mut config = NodeConfig::offline(self.dir.path().join("data"));
        config.settings.mock.enabled = false;
        let alpaca = config.settings.venues.entry("alpaca".to_owned()).or_default();
        alpaca.enabled = true;
        alpaca.rest_url = Some(self.server.rest_url());
        alpaca.stream_url = Some(self.server.stream_url());
        alpaca.key = Some("key".to_owned());
        alpaca.secret = Some("secret".to_owned());
        config
    }

    async fn open(&self, config: NodeConfig) -> (Node, Arc<Services>) {
        let node = Node::open_with_clock(config, LogRing::new(), Arc::new(self.exchange.clock())).await.unwrap();
        let services = node.services();
        (node, services)
    }

    fn truth(&self, symbol: usize, from: Timestamp, to: Timestamp) -> Vec<Candle> {
        self.exchange.truth(symbol, from, to, false)
    }
}

fn begin() -> Timestamp {
    "2026-03-04T15:00:30Z".parse().unwrap()
}

fn ago(minutes: i64) -> Timestamp {
    Timeframe::M1.open_time(begin()).plus_nanos(-minutes * MINUTE)
}

fn caller() -> Caller {
    Caller::operator(Surface::Rest)
}

async fn fetch(services: &Services, from: Timestamp, to: Timestamp) -> Result<FetchReport, ApiError> {
    let instrument = "AAPL.ALPACA".parse().unwrap();
    let request = FetchData { instrument, timeframe: Timeframe::M1, from, to: Some(to) };
    services.market.fetch_data(&caller(), request).await
}

async fn candles(services: &Services, symbol: &str, from: Timestamp) -> Vec<Candle> {
    let (instrument, from) = (format!("{symbol}.ALPACA").parse().unwrap(), Some(from));
    let request = GetCandles { instrument, timeframe: Timeframe::M1, from, to: None, limit: Some(10_000) };
    services.market.get_candles(&caller(), request).await.unwrap().candles
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_fetched_once_is_not_asked_for_again() {
    let f = Fixture::new().await;
    let (node, services) = f.open(f.config()).await;
    let report = fetch(&services, ago(1_500), ago(0)).await.unwrap();
    let truth = f.truth(0, ago(1_500), ago(0));
    assert_eq!((report.fetched, report.stored), (truth.len() as u64, truth.len() as u64));
    let (requests, _) = f.exchange.counts();
    assert!(requests >= 4, "several pages");
    let report = fetch(&services, ago(1_500), ago(0)).await.unwrap();
    assert_eq!((report.fetched, f.exchange.counts().0), (0, requests));
    assert_eq!(candles(&services, "AAPL", ago(1_500)).await, truth);
    assert_eq!(f.exchange.counts().0, requests, "a chart of it asks nobody either");
    let coverage =
        services.market.coverage(&caller(), DataCoverage { instrument: None, timeframe: None }).await.unwrap();
    assert_eq!(coverage.coverage.iter().map(|c| c.candles).sum::<u64>(), truth.len() as u64);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fetch_that_failed_goes_on_where_it_stopped() {
    let f = Fixture::new().await;
    let (node, services) = f.open(f.config()).await;
    fetch(&services, ago(900), ago(400)).await.unwrap();
    node.stop().await;
    // Another process; only what is missing on both sides is asked for.
    let (node, services) = f.open(f.config()).await;
    let report = fetch(&services, ago(1_000), ago(0)).await.unwrap();
    assert_eq!(report.fetched, 500);
    assert_eq!(candles(&services, "AAPL", ago(1_000)).await, f.truth(0, ago(1_000), ago(0)));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_venue_that_is_off_says_so_and_nobody_takes_its_place() {
    let f = Fixture::new().await;
    let mut config = f.config();
    config.settings.venues.get_mut("alpaca").unwrap().enabled = false;
    let (node, services) = f.open(config).await;
    let error = fetch(&services, ago(10), ago(0)).await.unwrap_err();
    assert!(error.message.contains("venues.alpaca.enabled"), "{}", error.message);
    assert_eq!(f.exchange.counts().0, 0);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn followed_symbols_are_kept_current_through_a_lost_connection() {
    let f = Fixture::new().await;
    f.exchange.set_plan(Plan::one(2, Fault::Drop));
    let mut config = f.config();
    config.live = true;
    config.settings.venues.get_mut("alpaca").unwrap().symbols = vec!["AAPL".to_owned(), "MSFT".to_owned()];
    let (node, services) = f.open(config).await;
    let state = async || {
        let list = services.system.list_connections(&caller(), ListConnections {}).await.unwrap();
        list.connections.into_iter().find(|c| c.venue == "ALPACA").unwrap()
    };
    let minutes = 6;
    tokio::time::timeout(Duration::from_secs(60), async {
        while state().await.state != ConnectionState::Open {
            tokio::task::yield_now().await;
        }
        for minute in 1..=minutes {
            let end = ago(0).plus_nanos(minute * MINUTE);
            f.exchange.advance_to(end);
            let told = async {
                for (symbol, name) in ["AAPL", "MSFT"].iter().enumerate() {
                    let truth = f.truth(symbol, ago(30), end);
                    while candles(&services, name, ago(30)).await != truth {
                        tokio::task::yield_now().await;
                    }
                }
            };
            // By the stream alone, as long as there is one.
            if tokio::time::timeout(Duration::from_secs(1), told).await.is_err() {
                // A candle may be three seconds late; then it is asked for.
                f.exchange.advance_to(end.plus_nanos(4_000_000_000));
            }
        }
        f.exchange.advance_to(ago(0).plus_nanos(minutes * MINUTE + 4_000_000_000));
        for (symbol, name) in ["AAPL", "MSFT"].iter().enumerate() {
            let truth = f.truth(symbol, ago(30), ago(0).plus_nanos(minutes * MINUTE));
            while candles(&services, name, ago(30)).await != truth {
                tokio::task::yield_now().await;
            }
        }
    })
    .await
    .unwrap();
    let connection = state().await;
    assert!(connection.reconnects >= 1 && connection.subscriptions == 2, "{connection:?}");
    assert_eq!(connection.breaker, Some(Breaker::Closed), "{connection:?}");
    assert!(connection.last_error.is_some() && connection.budget_left < connection.budget_limit, "{connection:?}");
    node.stop().await;
    drop(node);
    let store =
        Store::open(&StoreConfig { data_dir: f.dir.path().join("data"), url: None, read_only: true }).await.unwrap();
    let query = CandleQuery::default();
    let stored = store.read_stored_candles(&"AAPL.ALPACA".parse().unwrap(), Timeframe::M1, &query).await.unwrap();
    assert!(stored.iter().all(|candle| candle.source.provider == "ALPACA:iex" && candle.revision == 0));
    assert!(stored.iter().any(|candle| candle.source.kind == cw_store::SourceKind::Streamed));
}
