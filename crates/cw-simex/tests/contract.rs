//! Every provider against its simulated venue, over real sockets: history in pages, a stream, and what goes wrong with
//! both. What comes out is compared with the market's own record.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test that cannot go on fails, and prints its table")]

#[path = "contract/clocks.rs"]
mod clocks;
#[path = "contract/compared.rs"]
mod compared;
#[path = "contract/drops.rs"]
mod drops;
#[path = "contract/rig.rs"]
mod rig;
#[path = "contract/yahoo.rs"]
mod yahoo;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cw_core::{Clock, InstrumentId, Timeframe, Timestamp};
use cw_market::ProviderState;
use cw_simex::{Dialect, Exchange, Fault, Market, Plan, SYMBOLS, Server};
use cw_venues::catalog::{self, Settings};
use cw_venues::net::{Call, Handles, Network, Random, Transport};
use futures_util::{FutureExt, StreamExt};
use tokio::sync::mpsc;
use tokio::time::Instant;

use rig::{Following, MINUTE, PATIENCE, Rig, Setup, begin};

/// Minutes of market time in one run; the fault comes in the fourth.
const MINUTES: i64 = 8;
const FAULTY: u32 = 3;
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
        // A quiet market leaves some minutes out.
        assert!(o.candles >= 24, "{o:?}");
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
        let streams = catalog::find(dialect.name()).unwrap().capabilities.streams_candles;
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
        let code = catalog::find(dialect.name()).unwrap().code;
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
