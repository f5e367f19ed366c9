//! Every provider against its simulated venue, over real sockets: history in pages, a stream, and what goes wrong with
//! both. What comes out is compared with the market's own record.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails, and prints its table")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cw_core::{Candle, Clock, InstrumentId, Timeframe, Timestamp};
use cw_market::{CandleRequest, Delivery, Followed, Provider, ProviderState, Told, follow};
use cw_simex::{Dialect, Exchange, Fault, Market, Plan, SYMBOLS, Server};
use cw_venues::catalog::{self, Settings};
use cw_venues::net::{Call, Handles, Network, Random, Transport};
use futures_util::{FutureExt, StreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

const MINUTE: i64 = 60_000_000_000;
/// Minutes of market time in one run; the fault comes in the fourth.
const MINUTES: i64 = 8;
const FAULTY: u32 = 3;
/// Of our time, until what is due must be there.
const PATIENCE: Duration = Duration::from_secs(30);

fn begin() -> Timestamp {
    "2026-03-04T15:00:00Z".parse().unwrap()
}

fn name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Alpaca => "alpaca",
        Dialect::Aster => "aster",
        Dialect::Oanda => "oanda",
        Dialect::Polygon => "polygon",
        Dialect::Yahoo => "yahoo",
    }
}

/// Which provider, and what is particular about the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Setup {
    dialect: Dialect,
    msgpack: bool,
}

impl From<Dialect> for Setup {
    fn from(dialect: Dialect) -> Self {
        Self { dialect, msgpack: false }
    }
}

impl Setup {
    /// Every provider, and the one of two codecs with both.
    fn all() -> Vec<Self> {
        let packed = Self { msgpack: true, ..Dialect::Alpaca.into() };
        Dialect::ALL.map(Self::from).into_iter().chain([packed]).collect()
    }

    fn name(self) -> String {
        let name = name(self.dialect);
        if self.msgpack { format!("{name} (msgpack)") } else { name.to_owned() }
    }
}

/// A venue with its provider.
struct Rig {
    dialect: Dialect,
    clock: Arc<dyn Clock>,
    exchange: Arc<Exchange>,
    provider: Arc<dyn Provider>,
    ids: Vec<InstrumentId>,
    _server: Server,
}

impl Rig {
    async fn new(setup: impl Into<Setup>, seed: u64) -> Self {
        let Setup { dialect, msgpack } = setup.into();
        let exchange = Exchange::new(Market::seeded(seed), begin());
        let server = Server::start(dialect, &exchange).await.unwrap();
        let entry = catalog::find(name(dialect)).unwrap();
        let path = if dialect == Dialect::Oanda { "/v3" } else { "" };
        let stream = if dialect == Dialect::Oanda { server.rest_url() } else { server.stream_url() };
        let settings = Settings {
            enabled: true,
            rest_url: Some(format!("{}{path}", server.rest_url())),
            stream_url: Some(format!("{stream}{path}")),
            key: Some("key".to_owned()),
            secret: (dialect == Dialect::Alpaca).then(|| "secret".to_owned()),
            account: Some("101-004-1234567-001".to_owned()),
            requests_per_minute: Some(1_000_000),
            codec: msgpack.then(|| "msgpack".to_owned()),
            trading_url: Some(server.rest_url()),
            ..Settings::default()
        };
        let clock: Arc<dyn Clock> = Arc::new(exchange.clock());
        let handles =
            Handles { clock: Arc::clone(&clock), random: Random::seeded(seed), transport: Arc::new(Network::shared()) };
        let provider = (entry.connect)(&settings, handles).unwrap();
        let ids = dialect.symbols().map(|symbol| format!("{symbol}.{}", entry.code).parse().unwrap());
        Self { dialect, clock, exchange, provider, ids: ids.into(), _server: server }
    }

    fn truth(&self, symbol: usize, from: Timestamp, to: Timestamp) -> Vec<Candle> {
        self.exchange.truth(symbol, from, to, self.dialect.is_dense())
    }

    async fn history(&self, symbol: usize, timeframe: Timeframe, from: Timestamp, to: Timestamp) -> Vec<Candle> {
        let instrument = self.ids[symbol].clone();
        let request = CandleRequest { instrument, timeframe, from: Some(from), to: Some(to), limit: usize::MAX };
        self.provider.candles(&request).await.unwrap()
    }
}

/// What following brought.
struct Following {
    rig: Rig,
    told: mpsc::Receiver<Told>,
    task: JoinHandle<()>,
    table: Vec<BTreeMap<Timestamp, Candle>>,
    streamed: u32,
    backfilled: u32,
    revised: u32,
    doubled: u32,
    gaps: u32,
    outages: u32,
    events: u32,
}

impl Drop for Following {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Following {
    async fn start(rig: Rig, from: Timestamp) -> Self {
        let (sink, told) = mpsc::channel(4_096);
        let followed: Vec<Followed> = rig.ids.iter().map(|id| Followed { instrument: id.clone(), from }).collect();
        let (provider, clock) = (Arc::clone(&rig.provider), Arc::clone(&rig.clock));
        let task = tokio::runtime::Handle::current().spawn(async move {
            let ended = follow(&*provider, &followed, &*clock, sink).await;
            ended.unwrap();
        });
        let mut following = Self {
            rig,
            told,
            task,
            table: vec![BTreeMap::new(); SYMBOLS],
            streamed: 0,
            backfilled: 0,
            revised: 0,
            doubled: 0,
            gaps: 0,
            outages: 0,
            events: 0,
        };
        following.live().await;
        following
    }

    /// Waits until the stream is up.
    async fn live(&mut self) {
        let begun = Instant::now();
        while self.rig.provider.status().state != ProviderState::Live {
            assert!(begun.elapsed() < PATIENCE, "{:?}: {:?}", self.rig.dialect, self.rig.provider.status());
            self.drain(Duration::from_millis(10)).await;
        }
    }

    /// Takes what comes until nothing came for `quiet`.
    async fn drain(&mut self, quiet: Duration) {
        while let Ok(Some(told)) = tokio::time::timeout(quiet, self.told.recv()).await {
            let symbol = |id: &InstrumentId| self.rig.ids.iter().position(|known| known == id).unwrap();
            match told {
                Told::Candle { instrument, candle, delivery } => {
                    let known = self.table[symbol(&instrument)].insert(candle.open_time, candle);
                    match delivery {
                        Delivery::Streamed => self.streamed += 1,
                        Delivery::Backfilled => self.backfilled += 1,
                        Delivery::Revised => self.revised += 1,
                    }
                    self.doubled += u32::from(known.is_some() && delivery != Delivery::Revised);
                }
                Told::Gap { .. } => self.gaps += 1,
                Told::Outage { .. } => self.outages += 1,
                Told::Event(_) => self.events += 1,
                Told::Settled { .. } => {}
            }
        }
    }

    fn delay(&self) -> i64 {
        i64::from(self.rig.provider.capabilities().candle_delay_ms) * 1_000_000
    }

    /// Candles that differ from the market's record of [`from`, `to`): lost, and misdated or of other values.
    fn differences(&self, from: Timestamp, to: Timestamp) -> (u32, u32) {
        let (mut lost, mut wrong) = (0, 0);
        for symbol in 0..SYMBOLS {
            let truth: BTreeMap<Timestamp, Candle> =
                self.rig.truth(symbol, from, to).into_iter().map(|c| (c.open_time, c)).collect();
            let have = &self.table[symbol];
            lost += truth.keys().filter(|time| !have.contains_key(time)).count() as u32;
            wrong += have.iter().filter(|(at, c)| **at < to && truth.get(at) != Some(c)).count() as u32;
        }
        (lost, wrong)
    }

    /// Waits until everything that had its time is there.
    async fn settle(&mut self, from: Timestamp) {
        let due = Timeframe::M1.open_time(self.rig.exchange.now().plus_nanos(-self.delay()));
        let begun = Instant::now();
        while self.differences(from, due) != (0, 0) && begun.elapsed() < PATIENCE {
            self.drain(Duration::from_millis(10)).await;
        }
    }

    /// One more minute of market time, and the time that a candle may be late.
    async fn minute(&mut self, from: Timestamp) {
        let now = self.rig.exchange.now();
        let end = Timeframe::M1.open_time(now).plus_nanos(MINUTE);
        self.rig.exchange.advance_to(end);
        self.drain(Duration::from_millis(40)).await;
        self.rig.exchange.advance_to(end.plus_nanos(self.delay().min(MINUTE / 2) + MINUTE / 60));
        self.settle(from).await;
    }
}

/// One line of the matrix.
#[derive(Debug)]
struct Outcome {
    setup: Setup,
    faults: String,
    candles: u32,
    streamed: u32,
    backfilled: u32,
    revised: u32,
    outages: u32,
    gaps: u32,
    lost: u32,
    doubled: u32,
    misdated: u32,
    /// Requests before the end of the wait that the venue asked for.
    early: u64,
    /// The stream works again after it.
    healed: bool,
}

async fn run(setup: Setup, seed: u64, plan: Plan) -> Outcome {
    let rig = Rig::new(setup, seed).await;
    let faults = match plan.faults[..] {
        [(_, fault)] => format!("{fault:?}"),
        [] => "none".to_owned(),
        _ => "drawn".to_owned(),
    };
    rig.exchange.set_plan(plan);
    let from = begin().plus_nanos(-5 * MINUTE);
    let mut following = Following::start(rig, from).await;
    for _ in 0..MINUTES {
        following.minute(from).await;
    }
    let end = Timeframe::M1.open_time(following.rig.exchange.now());
    following.rig.exchange.set_plan(Plan::default());
    // What is late by agreement becomes due.
    let delay = following.delay();
    following.rig.exchange.advance_to(following.rig.exchange.now().plus_nanos(delay));
    following.settle(from).await;
    let (lost, misdated) = following.differences(from, end);
    Outcome {
        setup,
        faults,
        early: following.rig.exchange.offenses(),
        candles: following.table.iter().map(|table| table.len() as u32).sum(),
        healed: healed(&mut following, from).await,
        streamed: following.streamed,
        backfilled: following.backfilled,
        revised: following.revised,
        outages: following.outages,
        gaps: following.gaps,
        lost,
        doubled: following.doubled,
        misdated,
    }
}

/// Whether candles come by the stream again, or prices where candles never do.
async fn healed(following: &mut Following, from: Timestamp) -> bool {
    if following.rig.dialect == Dialect::Yahoo {
        return true;
    }
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        following.live().await;
        let (streamed, events) = (following.streamed, following.events);
        following.minute(from).await;
        let streams = following.rig.provider.capabilities().streams_candles;
        if (streams && following.streamed > streamed) || (!streams && following.events > events) {
            return true;
        }
    }
    false
}

/// One line per provider and fault: how many runs, and the sums of what came out of them.
fn print(outcomes: &[Outcome]) {
    let mut lines: BTreeMap<(Setup, &str), Vec<&Outcome>> = BTreeMap::new();
    for outcome in outcomes {
        lines.entry((outcome.setup, &outcome.faults)).or_default().push(outcome);
    }
    println!(
        "provider         fault       runs candles streamed backfilled revised outages gaps | lost doubled misdated early"
    );
    for ((setup, faults), runs) in lines {
        let sum = |of: fn(&Outcome) -> u32| runs.iter().map(|run| of(run)).sum::<u32>();
        println!(
            "{:<16} {:<11} {:>4} {:>7} {:>8} {:>10} {:>7} {:>7} {:>4} | {:>4} {:>7} {:>8} {:>5}",
            setup.name(),
            faults,
            runs.len(),
            sum(|o| o.candles),
            sum(|o| o.streamed),
            sum(|o| o.backfilled),
            sum(|o| o.revised),
            sum(|o| o.outages),
            sum(|o| o.gaps),
            sum(|o| o.lost),
            sum(|o| o.doubled),
            sum(|o| o.misdated),
            runs.iter().map(|run| run.early).sum::<u64>(),
        );
    }
}

fn check(outcomes: &[Outcome]) {
    print(outcomes);
    for o in outcomes {
        assert!((o.lost, o.doubled, o.misdated, o.gaps, o.early) == (0, 0, 0, 0, 0) && o.healed, "{o:?}");
        assert!(o.candles >= 30, "{o:?}");
    }
}

/// A few at a time: more of them wait for one another and for nothing else.
const AT_ONCE: usize = 16;

async fn all(plans: impl Iterator<Item = (Setup, u64, Plan)>) -> Vec<Outcome> {
    let runs = plans
        .map(|(setup, seed, plan)| tokio::runtime::Handle::current().spawn(run(setup, seed, plan)).map(Result::unwrap));
    futures_util::stream::iter(runs).buffered(AT_ONCE).collect().await
}

/// Seeds of plans in which something goes wrong. `CANDLEWICK_CONTRACT_SEEDS` asks for more of them than a test run has time
/// for.
fn drawn() -> Vec<(u64, Plan)> {
    let wanted = std::env::var("CANDLEWICK_CONTRACT_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(6);
    let plans = (1..).map(|seed| (seed, Plan::drawn(seed, MINUTES as u32, &Fault::ALL)));
    plans.filter(|(_, plan)| !plan.faults.is_empty()).take(wanted).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_fault_loses_doubles_or_misdates_a_candle() {
    let plans =
        Setup::all().into_iter().flat_map(|setup| Fault::ALL.map(|fault| (setup, 11, Plan::one(FAULTY, fault))));
    check(&all(plans).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_faults_together_lose_nothing_either() {
    let plans =
        Setup::all().into_iter().flat_map(|setup| drawn().into_iter().map(move |(seed, plan)| (setup, seed, plan)));
    check(&all(plans).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_faults_candles_come_by_the_stream_where_there_is_one() {
    for dialect in Dialect::ALL {
        let outcome = run(dialect.into(), 3, Plan::default()).await;
        let streams = catalog::find(name(dialect)).unwrap().capabilities.streams_candles;
        assert_eq!(outcome.streamed > 16, streams, "{outcome:?}");
        assert_eq!((outcome.lost, outcome.doubled, outcome.misdated, outcome.gaps), (0, 0, 0, 0), "{outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_is_the_market_s_record_page_by_page_whatever_goes_wrong() {
    for dialect in Dialect::ALL {
        let rig = Rig::new(dialect, 5).await;
        let plan = [Fault::Throttle, Fault::ServerError, Fault::GarbageBody, Fault::CutBody];
        rig.exchange.set_plan(Plan { faults: (0..).zip(plan).collect() });
        let from = begin().plus_nanos(-2_000 * MINUTE);
        for round in 0..=plan.len() {
            let begun = Instant::now();
            let (symbol, to) = (round % SYMBOLS, rig.exchange.now());
            let got = rig.history(symbol, Timeframe::M1, from, to).await;
            assert_eq!(got, rig.truth(symbol, from, to), "{dialect:?} {symbol}");
            let hours = rig.history(symbol, Timeframe::H1, from, to).await;
            let aligned = Timeframe::H1.open_time(from).plus_nanos(60 * MINUTE);
            let truth = rig.truth(symbol, aligned, Timeframe::H1.open_time(to));
            assert_eq!(hours, cw_market::fold(&truth, Timeframe::H1), "{dialect:?} {symbol} hours");
            println!("{dialect:?}, round {round}: {} ms", begun.elapsed().as_millis());
            // The next request meets the next fault.
            rig.exchange.advance_to(Timeframe::M1.open_time(to).plus_nanos(MINUTE));
        }
        assert!(rig.provider.status().connection.unwrap().quarantined >= 2, "{dialect:?}: garbage was met");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instruments_are_described_and_unknown_ones_refused() {
    for dialect in Dialect::ALL {
        let rig = Rig::new(dialect, 5).await;
        rig.exchange.advance_to(begin().plus_nanos(5 * MINUTE));
        let described = rig.provider.describe(&rig.ids[0]).await.unwrap();
        assert_eq!(described.id, rig.ids[0]);
        let code = catalog::find(name(dialect)).unwrap().code;
        let error = rig.provider.describe(&format!("NOPE.{code}").parse().unwrap()).await.unwrap_err();
        assert!(!error.is_retryable(), "{dialect:?}: {error}");
        assert!(rig.provider.describe(&"X.ELSEWHERE".parse().unwrap()).await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn instruments_are_found_by_symbol_or_name() {
    for dialect in Dialect::ALL {
        let rig = Rig::new(dialect, 5).await;
        rig.exchange.advance_to(begin().plus_nanos(5 * MINUTE));
        // Yahoo cannot be searched: it knows exact symbols.
        let symbol = dialect.symbols()[0];
        let text = if dialect == Dialect::Yahoo { symbol } else { &symbol[..3] };
        let found = rig.provider.find(&text.to_lowercase(), 10).await.unwrap();
        let ids: Vec<&InstrumentId> = found.iter().map(|instrument| &instrument.id).collect();
        assert!(ids.contains(&&rig.ids[0]) && ids.len() < SYMBOLS, "{dialect:?}: {ids:?}");
        assert!(rig.provider.find("nothing of this name", 10).await.unwrap().is_empty(), "{dialect:?}");
        assert_eq!(rig.provider.describe(&rig.ids[0]).await.unwrap().id, rig.ids[0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_followed_book_is_the_venue_s_after_every_fault() {
    const LEVELS: usize = 5;
    for fault in [Fault::Drop, Fault::Stall, Fault::Duplicate, Fault::Garbage, Fault::Throttle, Fault::CutBody] {
        let rig = Rig::new(Dialect::Aster, 8).await;
        rig.exchange.set_plan(Plan { faults: vec![(2, fault), (5, Fault::Drop)] });
        let (sink, mut depths) = mpsc::channel(256);
        let (provider, id) = (Arc::clone(&rig.provider), rig.ids[0].clone());
        let task =
            tokio::runtime::Handle::current().spawn(async move { provider.depth(&id, LEVELS, sink).await.unwrap() });
        let mut last = depths.recv().await.unwrap();
        for minute in 1..=8 {
            rig.exchange.advance_to(begin().plus_nanos(minute * MINUTE));
            let truth = rig.exchange.book(0, LEVELS).unwrap();
            let begun = Instant::now();
            // A stall hides what happens for three minutes, and so does a change that is lost until the next one.
            while (&last.bids, &last.asks) != (&truth.0, &truth.1) && (fault != Fault::Stall || minute > 5) {
                assert!(begun.elapsed() < PATIENCE, "{fault:?}, minute {minute}: {last:?} is not {truth:?}");
                if let Ok(depth) = tokio::time::timeout(Duration::from_millis(100), depths.recv()).await {
                    last = depth.unwrap();
                }
            }
        }
        drop(depths);
        task.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_key_ends_the_stream_for_good() {
    let rig = Rig::new(Dialect::Alpaca, 1).await;
    let handles = Handles {
        clock: Arc::new(rig.exchange.clock()),
        random: Random::seeded(1),
        transport: Arc::new(Network::shared()),
    };
    let server = Server::start(Dialect::Alpaca, &rig.exchange).await.unwrap();
    let settings = Settings {
        rest_url: Some(server.rest_url()),
        stream_url: Some(server.stream_url()),
        key: Some(String::new()),
        secret: Some("s".to_owned()),
        ..Settings::default()
    };
    let provider = (catalog::find("alpaca").unwrap().connect)(&settings, handles).unwrap();
    let (sink, _events) = mpsc::channel(8);
    let error = provider.stream(&rig.ids, sink).await.unwrap_err();
    assert!(error.to_string().contains("402"), "{error}");
    assert_eq!(provider.status().state, ProviderState::Down);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_control_port_moves_the_clock_and_tells_the_truth() {
    let exchange = Exchange::new(Market::seeded(1), begin());
    let control = Server::control(&exchange).await.unwrap();
    let network = Network::shared();
    let ask = async |method: http::Method, path: &str, body: String| {
        let url = format!("{}/{path}", control.rest_url()).parse().unwrap();
        let call = Call { method, body: body.into(), ..Call::get(url) }.header("content-type", "application/json");
        String::from_utf8(network.send(&call).await.unwrap().body.to_vec()).unwrap()
    };
    let plan = r#"{"faults":[[0,"drop"],[2,"half_open"]]}"#;
    assert_eq!(ask(http::Method::POST, "plan", plan.to_owned()).await, r#"{"faults":2}"#);
    let to = begin().plus_nanos(3 * MINUTE);
    ask(http::Method::POST, "clock", format!(r#"{{"to":"{to}"}}"#)).await;
    assert_eq!(exchange.clock().now(), to);
    assert_eq!(ask(http::Method::POST, "seed", r#"{"seed":9}"#.to_owned()).await, r#"{"seed":9}"#);
    assert_eq!(exchange.truth(0, begin(), to, true), Market::seeded(9).candles(0, begin(), to, true));
    let query = format!("truth?dialect=aster&symbol=BTCUSDT&from={}&to={to}", begin());
    let truth = ask(http::Method::GET, &query, String::new()).await;
    assert_eq!(truth.matches("open_time").count(), 3, "{truth}");
}
