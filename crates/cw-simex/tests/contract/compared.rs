//! A stream that tells a candle wrong and never corrects it.

use std::time::Duration;

use cw_core::Timeframe;
use cw_simex::{Fault, Plan, SYMBOLS};
use futures_util::future;
use tokio::time::Instant;

use super::rig::{Following, MINUTE, PATIENCE, Rig, Setup, begin};

/// Minutes of market time; the wrong candles are those of the fourth.
const MINUTES: i64 = 14;
const WRONG: u32 = 3;

/// How many instruments had a wrong candle before the venue's history was looked at.
async fn run(setup: Setup) -> u32 {
    let rig = Rig::new(setup, 41).await;
    if !rig.provider.capabilities().streams_candles {
        return 0;
    }
    let exchange = rig.exchange.clone();
    exchange.set_plan(Plan::one(WRONG, Fault::Mistell));
    let from = begin();
    let mut following = Following::start(rig, from).await;
    let mut misdated = 0;
    for minute in 0..MINUTES {
        let end = Timeframe::M1.open_time(exchange.now()).plus_nanos(MINUTE);
        exchange.advance_to(end);
        following.drain(Duration::from_millis(40)).await;
        exchange.advance_to(end.plus_nanos(MINUTE / 4));
        following.drain(Duration::from_millis(40)).await;
        if minute == i64::from(WRONG) + 1 {
            misdated = following.differences(from, end).1;
        }
    }
    let due = Timeframe::M1.open_time(exchange.now());
    let begun = Instant::now();
    while following.differences(from, due) != (0, 0) {
        assert!(begun.elapsed() < PATIENCE, "{setup:?}: {:?}", following.differences(from, due));
        // Comparisons are made as time goes on.
        exchange.advance_to(exchange.now().plus_nanos(MINUTE / 60));
        following.drain(Duration::from_millis(20)).await;
    }
    assert!(following.revised >= misdated && following.backfilled == 0, "{setup:?}: {}", following.revised);
    assert_eq!((following.doubled, following.early, following.gaps), (0, 0, 0), "{setup:?}");
    misdated
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_stream_tells_wrong_is_put_right_by_the_history() {
    let wrong = future::join_all(Setup::all().into_iter().map(run)).await;
    // Alpaca with two codecs, AsterDEX and Polygon stream candles.
    assert!(wrong.iter().filter(|count| **count == SYMBOLS as u32).count() >= 3, "{wrong:?}");
}
