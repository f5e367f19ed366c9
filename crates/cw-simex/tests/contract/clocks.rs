//! A clock of ours that is wrong, is set, or slept: candles are the venue's all the same.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use cw_core::{Clock, Timeframe, Timestamp};
use cw_simex::{Dialect, Exchange, ExchangeClock, Fault, Market, Plan, SYMBOLS};
use futures_util::StreamExt;
use tokio::time::Instant;

use super::rig::{Following, MINUTE, PATIENCE, Rig, begin};

const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3_600 * SECOND;
/// Minutes before and after something happens to the clock.
const MINUTES: i64 = 4;

/// Ours: the venue's, set wrong by so much, of a machine that slept for so long.
struct Wrong {
    venue: ExchangeClock,
    ahead: AtomicI64,
    slept: AtomicI64,
}

impl Clock for Wrong {
    fn now(&self) -> Timestamp {
        self.venue.now().plus_nanos(self.ahead.load(Ordering::Acquire))
    }
    fn steady(&self) -> i64 {
        self.venue.now().as_nanos() - self.slept.load(Ordering::Acquire)
    }
}

/// What happens to our clock in the middle of a run.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Event {
    Nothing,
    /// It is set, by so much.
    Set(i64),
    /// The machine sleeps; its connections are dead when it wakes.
    Sleep(i64),
}

/// One run.
#[derive(Debug, Clone, Copy)]
struct Case {
    dialect: Dialect,
    /// How much our clock is ahead at first.
    ahead: i64,
    event: Event,
}

#[derive(Debug)]
struct Outcome {
    case: Case,
    candles: u32,
    lost: u32,
    wrong: u32,
    doubled: u32,
    early: u32,
    gaps: u32,
    outages: u32,
    requests: u64,
    /// What is shown of the difference at the end, in seconds, and what it is.
    offset: Option<i64>,
    truth: i64,
    /// From the event to the next connection, of our time.
    back: Duration,
}

async fn run(case: Case) -> Outcome {
    let exchange = Exchange::new(Market::seeded(21), begin());
    let clock =
        Arc::new(Wrong { venue: exchange.clock(), ahead: AtomicI64::new(case.ahead), slept: AtomicI64::new(0) });
    let rig = Rig::with_clock(case.dialect, 21, Arc::clone(&exchange), Arc::clone(&clock) as Arc<dyn Clock>).await;
    let from = begin().plus_nanos(-5 * MINUTE);
    let mut following = Following::start(rig, from).await;
    for _ in 0..MINUTES {
        following.minute(from).await;
    }
    let streams = exchange.counts().1;
    let asleep = match case.event {
        Event::Nothing => 0,
        Event::Set(by) => {
            clock.ahead.fetch_add(by, Ordering::AcqRel);
            0
        }
        Event::Sleep(length) => {
            // Nobody answers on the old connection, and nobody closes it.
            let minute = (exchange.now().nanos_since(begin()) / MINUTE) as u32;
            exchange.set_plan(Plan::one(minute, Fault::HalfOpen));
            exchange.advance_to(exchange.now().plus_nanos(length));
            clock.slept.fetch_add(length, Ordering::AcqRel);
            length / MINUTE
        }
    };
    let begun = Instant::now();
    if case.event != Event::Nothing && case.dialect != Dialect::Yahoo {
        while exchange.counts().1 == streams {
            assert!(begun.elapsed() < PATIENCE, "{case:?}: no new connection");
            following.drain(Duration::from_millis(5)).await;
        }
    }
    let back = begun.elapsed();
    following.live().await;
    let before = exchange.counts().0;
    for _ in 0..MINUTES {
        following.minute(from).await;
    }
    // What is late by agreement becomes due.
    let end = Timeframe::M1.open_time(exchange.now());
    exchange.advance_to(exchange.now().plus_nanos(following.delay()));
    following.settle(from).await;
    let (lost, wrong) = following.differences(from, end);
    let requests = exchange.counts().0 - before;
    let connection = following.rig.provider.status().connection.unwrap();
    let candles = following.table.iter().map(|table| table.len() as u32).sum();
    assert!(i64::from(candles) >= asleep);
    Outcome {
        case,
        candles,
        lost,
        wrong,
        doubled: following.doubled,
        early: following.early,
        gaps: following.gaps,
        outages: following.outages,
        requests,
        offset: connection.clock_offset_ms.map(|ms| (ms as f64 / 1e3).round() as i64),
        truth: -clock.ahead.load(Ordering::Acquire) / SECOND,
        back,
    }
}

async fn all(cases: Vec<Case>) -> Vec<Outcome> {
    let runs =
        cases.into_iter().map(|case| async move { tokio::runtime::Handle::current().spawn(run(case)).await.unwrap() });
    futures_util::stream::iter(runs).buffered(8).collect().await
}

fn check(outcomes: &[Outcome]) {
    println!("provider ahead event | candles lost wrong doubled early gaps outages requests offset back");
    for o in outcomes {
        println!(
            "{:<8} {:>5} {:?} | {} {} {} {} {} {} {} {} {:?} {:?}",
            o.case.dialect.name(),
            o.case.ahead / SECOND,
            o.case.event,
            o.candles,
            o.lost,
            o.wrong,
            o.doubled,
            o.early,
            o.gaps,
            o.outages,
            o.requests,
            o.offset,
            o.back
        );
    }
    for o in outcomes {
        assert_eq!((o.lost, o.wrong, o.doubled, o.early, o.gaps), (0, 0, 0, 0, 0), "{o:?}");
        // A date is whole seconds.
        assert!(o.offset.is_some_and(|offset| (offset - o.truth).abs() <= 1), "{o:?}");
        // Each symbol is asked about once a minute where nothing streams, and after a connection was made anew.
        assert!(o.requests <= (SYMBOLS as u64) * (MINUTES as u64 + 4) + 4, "{o:?}");
        if o.case.event != Event::Nothing {
            assert!(o.outages >= SYMBOLS as u32, "{o:?}: it is no disconnect");
            assert!(o.back < Duration::from_secs(5), "{o:?}: it was noticed by silence only");
        }
    }
    let kinds: BTreeMap<&str, usize> = outcomes.iter().map(|o| (o.case.dialect.name(), 1)).collect();
    assert_eq!(kinds.len(), Dialect::ALL.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_wrong_closes_nothing_early_and_loses_nothing() {
    let cases = Dialect::ALL.into_iter().flat_map(|dialect| {
        [10 * SECOND, -10 * SECOND, HOUR, -HOUR].map(|ahead| Case { dialect, ahead, event: Event::Nothing })
    });
    check(&all(cases.collect()).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_and_a_machine_that_slept_are_a_disconnect() {
    let events = [Event::Set(10 * SECOND), Event::Set(HOUR), Event::Set(-HOUR), Event::Sleep(8 * HOUR)];
    let cases = Dialect::ALL.into_iter().flat_map(|dialect| events.map(|event| Case { dialect, ahead: 0, event }));
    check(&all(cases.collect()).await);
}
