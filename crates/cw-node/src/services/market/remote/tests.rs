//! A node and a simulated Alpaca, over real sockets.

use std::sync::Arc;
use std::time::Duration;

use cw_api::commands::backtests::{CancelJob, Job, JobState, ListJobs};
use cw_api::commands::data::{DataCoverage, FetchData, FetchReport, StartFetch};
use cw_api::commands::market::{AddSymbol, GetCandles, ListQuotes, QuoteView, SearchSymbols};
use cw_api::commands::sources::{Freshness, GapState, GetProvenance, ListGaps, ListQuarantine, ProvenanceKind};
use cw_api::commands::system::{Breaker, ConnectionState, ListConnections};
use cw_api::{ApiError, Caller, Services};
use cw_core::{Adjustment, Candle, Surface, Timeframe, Timestamp};
use cw_simex::{Dialect, Exchange, Fault, Market, Plan, Server};
use cw_store::{CandleQuery, Store, StoreConfig};

use crate::config::NodeConfig;
use crate::logs::LogRing;
use crate::node::Node;

mod honesty;
mod looking;
mod restarts;

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

    /// Looks, and lets a quarter of a minute of market time pass whenever nothing was found for a while.
    async fn moving<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        for _ in 0..100 {
            let looking = until(what, async || look().await);
            if let Ok(found) = tokio::time::timeout(Duration::from_millis(400), looking).await {
                return found;
            }
            self.exchange.advance_to(self.exchange.now().plus_nanos(MINUTE / 4));
        }
        panic!("{what} did not come");
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

const fn no_gap_filter() -> ListGaps {
    ListGaps { instrument: None, venue: None, from: None, to: None, state: None, limit: None }
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
    let request = GetCandles { instrument, timeframe: Timeframe::M1.into(), from, to: None, limit: Some(10_000) };
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
    tokio::time::timeout(Duration::from_mins(1), async {
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
    let gaps = services.market.list_gaps(&caller(), no_gap_filter()).await.unwrap();
    let outages: Vec<_> = gaps.gaps.iter().map(|gap| (gap.instrument.to_string(), gap.state)).collect();
    for name in ["AAPL.ALPACA", "MSFT.ALPACA"] {
        assert!(outages.contains(&(name.to_owned(), GapState::Backfilled)), "{gaps:?}");
    }
    assert!(gaps.gaps.iter().all(|gap| gap.to.is_some() && gap.state != GapState::Gap), "{gaps:?}");
    let request =
        GetProvenance { instrument: "AAPL.ALPACA".parse().unwrap(), timeframe: Timeframe::M1, from: None, to: None };
    let provenance = services.market.provenance(&caller(), request).await.unwrap();
    assert_eq!((provenance.freshness, provenance.gap_count), (Freshness::Live, 0), "{provenance:?}");
    assert_eq!(provenance.adjustment, Some(Adjustment::Raw));
    let kinds: Vec<_> = provenance.segments.iter().map(|segment| segment.kind).collect();
    assert!(kinds.contains(&ProvenanceKind::Backfilled) && kinds.contains(&ProvenanceKind::Streamed), "{kinds:?}");
    node.stop().await;
    drop(node);
    let store =
        Store::open(&StoreConfig { data_dir: f.dir.path().join("data"), url: None, read_only: true }).await.unwrap();
    let query = CandleQuery::default();
    let stored = store.read_stored_candles(&"AAPL.ALPACA".parse().unwrap(), Timeframe::M1, &query).await.unwrap();
    assert!(stored.iter().all(|candle| candle.source.provider == "ALPACA:iex" && candle.revision == 0));
    assert!(stored.iter().any(|candle| candle.source.kind == cw_store::SourceKind::Streamed));
}

async fn jobs(services: &Services) -> Vec<Job> {
    services.backtests.list_jobs(&caller(), ListJobs { limit: None }).await.unwrap().jobs
}

async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            match look().await {
                Some(found) => return found,
                None => tokio::task::yield_now().await,
            }
        }
    };
    let waited = tokio::time::timeout(Duration::from_mins(1), looking).await;
    waited.unwrap_or_else(|_| panic!("{what} did not come"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fetch_as_a_job_shows_its_progress_and_what_was_canceled_goes_on_later() {
    let f = Fixture::new().await;
    let (node, services) = f.open(f.config()).await;
    let request = |days: i64| FetchData {
        instrument: "AAPL.ALPACA".parse().unwrap(),
        timeframe: Timeframe::M1,
        from: ago(days * 1_440),
        to: Some(ago(0)),
    };
    // The free plan's 200 requests a minute end in the middle of this.
    let job = services.market.start_fetch(&caller(), StartFetch(request(100))).await.unwrap().job_id;
    let seen = until("a page", async || {
        let fetch = jobs(&services).await.into_iter().find(|j| j.id == job)?.fetch?;
        (fetch.candles > 0).then_some(fetch)
    });
    let seen = seen.await;
    assert!(seen.expected >= 143_999 && seen.done_to > seen.from && seen.done_to < seen.to, "{seen:?}");
    services.backtests.cancel_job(&caller(), CancelJob { job_id: job.clone() }).await.unwrap();
    let ended =
        until("the end", async || jobs(&services).await.into_iter().find(|j| j.id == job && j.finished_at.is_some()));
    assert_eq!(ended.await.state, JobState::Canceled);
    node.stop().await;
    let (node, services) = f.open(f.config()).await;
    let coverage =
        services.market.coverage(&caller(), DataCoverage { instrument: None, timeframe: None }).await.unwrap();
    let [series] = &coverage.coverage[..] else { panic!("{coverage:?}") };
    assert!(series.candles >= seen.candles && series.ranges.len() == 1, "{:?}", series.ranges);
    assert_eq!((series.ranges[0].from, series.ranges[0].provider.as_str()), (seen.from, "ALPACA:iex"));
    let had = i64::try_from(series.candles).unwrap();
    let days = 1 + had / 1_440;
    let (from, to) = (ago(100 * 1_440), ago((100 - days) * 1_440));
    let rest = fetch(&services, from, to).await.unwrap();
    let truth = f.truth(0, from, to);
    assert_eq!(rest.fetched + series.candles, truth.len() as u64, "only what was not there");
    assert_eq!(candles_between(&services, from, to).await, truth);
    node.stop().await;
}

async fn candles_between(services: &Services, from: Timestamp, to: Timestamp) -> Vec<Candle> {
    let instrument = "AAPL.ALPACA".parse().unwrap();
    let request =
        GetCandles { instrument, timeframe: Timeframe::M1.into(), from: Some(from), to: Some(to), limit: None };
    services.market.get_candles(&caller(), request).await.unwrap().candles
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instrument_that_is_added_moves_like_one_of_the_simulated_market() {
    let f = Fixture::new().await;
    let mut config = f.config();
    config.live = true;
    let (node, services) = f.open(config.clone()).await;
    let search = SearchSymbols { text: "aapl".to_owned(), venue: None, online: true, limit: None };
    let found = services.market.search_symbols(&caller(), search.clone()).await.unwrap();
    let alpaca = found.symbols.iter().find(|f| f.instrument.as_str() == "AAPL.ALPACA").unwrap();
    assert!(!alpaca.known && !alpaca.live && found.unavailable.is_empty(), "{found:?}");
    let add: AddSymbol = serde_json::from_value(serde_json::json!({ "instrument": "AAPL.ALPACA" })).unwrap();
    services.market.add_symbol(&caller(), add).await.unwrap();
    let found = services.market.search_symbols(&caller(), search).await.unwrap().symbols;
    assert!(found[0].known && found[0].live && found[0].provider == "ALPACA:iex", "{found:?}");
    let quote = async |services: &Services| -> Option<QuoteView> {
        let list = services.market.list_quotes(&caller(), ListQuotes { instruments: None }).await.unwrap();
        list.quotes.into_iter().find(|q| q.instrument.as_str() == "AAPL.ALPACA")
    };
    let first = f.moving("a quote", async || quote(&services).await).await;
    assert!(first.ask > first.bid && !first.simulated, "{first:?}");
    let forming = f.moving("a forming candle", async || {
        let instrument = "AAPL.ALPACA".parse().unwrap();
        let request = GetCandles { instrument, timeframe: Timeframe::M5.into(), from: None, to: None, limit: Some(5) };
        services.market.get_candles(&caller(), request).await.unwrap().forming
    });
    assert!(forming.await.high.is_positive());
    node.stop().await;
    // It is followed after the next start as well.
    let (node, services) = f.open(config).await;
    let list = services.system.list_connections(&caller(), ListConnections {}).await.unwrap();
    assert!(list.connections.iter().any(|c| c.venue == "ALPACA"));
    f.moving("a quote after the restart", async || quote(&services).await).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_venue_sends_that_is_not_taken_can_be_looked_at_later() {
    let f = Fixture::new().await;
    let (node, services) = f.open(f.config()).await;
    f.exchange.spoil(Fault::GarbageBody, 2);
    fetch(&services, ago(60), ago(0)).await.unwrap();
    let rows = until("a refused row", async || {
        let request = ListQuarantine { provider: Some("ALPACA".to_owned()), limit: None };
        let list = services.market.list_quarantine(&caller(), request).await.unwrap();
        (list.total >= 2).then_some(list.rows)
    });
    let rows = rows.await;
    assert!(rows[0].text.contains("not what was asked for") && rows[0].count == 2, "{rows:?}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_provider_stands_in_only_where_the_configuration_names_it_and_says_so() {
    let f = Fixture::new().await;
    let polygon = Server::start(Dialect::Polygon, &f.exchange).await.unwrap();
    let mut config = f.config();
    // Its own venue lets nobody in.
    config.settings.venues.get_mut("alpaca").unwrap().key = Some(String::new());
    let settings = config.settings.venues.entry("polygon".to_owned()).or_default();
    settings.enabled = true;
    settings.rest_url = Some(polygon.rest_url());
    settings.stream_url = Some(polygon.stream_url());
    settings.key = Some("key".to_owned());
    let (node, services) = f.open(config.clone()).await;
    fetch(&services, ago(60), ago(0)).await.unwrap_err();
    node.stop().await;
    let chain = vec!["alpaca".to_owned(), "polygon".to_owned()];
    config.settings.data.priority.insert("AAPL.ALPACA".to_owned(), chain);
    let (node, services) = f.open(config).await;
    let report = fetch(&services, ago(60), ago(0)).await.unwrap();
    assert_eq!((report.fetched, report.providers.len()), (60, 1));
    assert_eq!(report.providers[0].provider, "POLYGON");
    assert!(report.providers[0].instead_of.as_ref().unwrap().contains("ALPACA"), "{report:?}");
    let request =
        GetProvenance { instrument: "AAPL.ALPACA".parse().unwrap(), timeframe: Timeframe::M1, from: None, to: None };
    let provenance = services.market.provenance(&caller(), request).await.unwrap();
    assert_eq!(provenance.segments[0].provider.as_deref(), Some("POLYGON"));
    assert_eq!((provenance.segments.len(), provenance.freshness), (1, Freshness::Stored));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prices_of_the_other_kind_are_fetched_anew_and_take_the_place_of_those_that_were_there() {
    let f = Fixture::new().await;
    let (node, services) = f.open(f.config()).await;
    fetch(&services, ago(120), ago(0)).await.unwrap();
    node.stop().await;
    let mut config = f.config();
    config.settings.venues.get_mut("alpaca").unwrap().adjustment = Some("splits".to_owned());
    let (node, services) = f.open(config).await;
    let report = fetch(&services, ago(60), ago(0)).await.unwrap();
    assert_eq!(report.fetched, 60, "covered with raw prices is not covered with adjusted ones");
    let coverage =
        services.market.coverage(&caller(), DataCoverage { instrument: None, timeframe: None }).await.unwrap();
    assert_eq!((coverage.coverage[0].candles, coverage.coverage[0].adjustment), (60, Some(Adjustment::Splits)));
    assert_eq!(fetch(&services, ago(60), ago(0)).await.unwrap().fetched, 0);
    node.stop().await;
}
