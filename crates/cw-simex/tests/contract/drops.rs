//! Connections that are cut again and again.

use std::collections::BTreeMap;
use std::time::Duration;

use cw_core::Timeframe;
use cw_market::ProviderState;
use cw_simex::{Dialect, Fault, Plan, SYMBOLS};
use futures_util::future;
use tokio::time::Instant;

use super::rig::{Following, MINUTE, PATIENCE, Rig, begin};

/// Cuts every connection of a provider so often; how many candles there were then.
async fn run(dialect: Dialect, drops: u32) -> usize {
    let rig = Rig::new(dialect, 31).await;
    let exchange = rig.exchange.clone();
    exchange.set_plan(Plan { faults: (0..drops).map(|minute| (minute, Fault::Drop)).collect() });
    let from = begin().plus_nanos(-5 * MINUTE);
    let mut following = Following::start(rig, from).await;
    // Some providers need several connections for all of it.
    let begun = Instant::now();
    while exchange.subscriptions().len() < SYMBOLS || following.rig.provider.status().state != ProviderState::Live {
        assert!(begun.elapsed() < PATIENCE, "{dialect:?}: {:?}", exchange.subscriptions());
        following.drain(Duration::from_millis(5)).await;
    }
    let wanted = exchange.subscriptions();
    for drop in 1..=drops {
        exchange.advance_to(Timeframe::M1.open_time(exchange.now()).plus_nanos(MINUTE));
        let begun = Instant::now();
        while exchange.subscriptions().values().any(|count| *count < u64::from(drop) + 1) {
            assert!(begun.elapsed() < PATIENCE, "{dialect:?}, drop {drop}: {:?}", exchange.subscriptions());
            following.drain(Duration::from_millis(5)).await;
        }
    }
    let all: BTreeMap<String, u64> = wanted.into_keys().map(|topic| (topic, u64::from(drops) + 1)).collect();
    assert_eq!(exchange.subscriptions(), all, "{dialect:?}: each once after each drop");
    // Each of them brings something again.
    let before = following.events;
    for _ in 0..2 {
        following.minute(from).await;
    }
    exchange.advance_to(exchange.now().plus_nanos(following.delay()));
    following.settle(from).await;
    assert!(following.events > before, "{dialect:?}");
    let lost = following.differences(from, Timeframe::M1.open_time(exchange.now().plus_nanos(-following.delay())));
    let found = (lost, following.doubled, following.early, following.gaps);
    assert_eq!(found, ((0, 0), 0, 0, 0), "{dialect:?}: lost and wrong, doubled, early, gaps");
    let outages = following.rig.provider.status().connection.unwrap().reconnects;
    assert!(outages >= u64::from(drops) && following.outages >= drops, "{dialect:?}: {outages} {}", following.outages);
    following.table.iter().map(BTreeMap::len).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_drops_lose_no_subscription_and_no_candle() {
    let runs = [(Dialect::Alpaca, 28), (Dialect::Aster, 28), (Dialect::Polygon, 28), (Dialect::Oanda, 16)];
    let candles = future::join_all(runs.map(|(dialect, drops)| run(dialect, drops))).await;
    println!("candles: {candles:?}");
}
