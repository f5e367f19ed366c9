//! Market data from the provider into the engine and the paper venues.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cw_core::{InstrumentId, MarketEventKind, Timeframe, Timestamp};
use cw_market::{CandleRequest, Provider, Purpose};
use tokio::sync::mpsc;

use crate::broker::MarketTick;
use crate::shared::{Counters, Shared};

/// Events that may wait between provider and engine.
const QUEUE: usize = 4_096;

/// Hands the engine today's candles, so that the longer timeframes are whole from the first event on, then everything the
/// provider streams. Ends with the provider or the engine.
pub(crate) async fn run(shared: Arc<Shared>, brokers: Vec<mpsc::Sender<MarketTick>>) {
    let instruments = shared.directory.instruments();
    let listed = (0u32..).zip(instruments.iter().map(|i| i.id.clone()));
    let numbers: HashMap<InstrumentId, u32> =
        listed.filter(|(_, id)| id.venue() == shared.sim.venue()).map(|(number, id)| (id, number)).collect();
    let ids: Vec<InstrumentId> =
        instruments.iter().map(|i| i.id.clone()).filter(|id| numbers.contains_key(id)).collect();
    for id in &ids {
        let number = numbers[id];
        let now = shared.sim.clock().now();
        let request = CandleRequest {
            instrument: id.clone(),
            timeframe: Timeframe::M1,
            from: Some(Timeframe::D1.open_time(now)),
            to: Some(now),
            limit: 1_440,
            purpose: Purpose::Follow,
        };
        match shared.sim.candles(&request).await {
            Ok(candles) => {
                if shared.engine.backfill(number, candles).await.is_err() {
                    return;
                }
            }
            Err(error) => tracing::warn!(target: "feed", %error, instrument = %id, "no history for today"),
        }
    }
    let (events, mut queue) = mpsc::channel(QUEUE);
    let provider = Arc::clone(&shared.sim);
    shared.supervisor.spawn_until_stopped("feed-sim", async move {
        if let Err(error) = provider.stream(&ids, events).await {
            tracing::error!(target: "feed", %error, "the simulated market has stopped");
        }
    });
    tracing::info!(target: "feed", instruments = numbers.len(), "the simulated market is streaming");
    while let Some(event) = queue.recv().await {
        let Some(event) = event.market() else { continue };
        let Some(&number) = numbers.get(&event.instrument) else { continue };
        shared.recorder.offer(&event);
        if !deliver(&shared, &brokers, number, event.kind).await {
            return;
        }
    }
}

/// Hands an event to the engine and to the paper venues; false when the engine is gone.
pub(crate) async fn deliver(
    shared: &Shared,
    brokers: &[mpsc::Sender<MarketTick>],
    number: u32,
    event: MarketEventKind,
) -> bool {
    Counters::add(&shared.counters.market_events, 1);
    let (sent, tick, time) = match event {
        MarketEventKind::Trade(trade) => {
            (shared.engine.trade(number, trade).await, MarketTick::Trade(number, trade), trade.event_time)
        }
        MarketEventKind::Quote(quote) => {
            (shared.engine.quote(number, quote).await, MarketTick::Quote(number, quote), quote.event_time)
        }
    };
    let simulated = shared.sim.market().instruments().len() as u32;
    if !shared.live || number < simulated {
        shared.counters.last_event_ns.store(time.as_nanos(), Ordering::Relaxed);
    }
    for broker in brokers {
        // A broker that is gone is being shut down; the engine still wants to know.
        let _sent = broker.send(tick).await;
    }
    sent.is_ok()
}

/// Tells the engine that time passes, four times a second. The market's clock counts only as far as its events have been
/// handed over: a simulated market may run hundreds of times faster than ours, and a candle must not be closed before
/// its trades are in.
pub(crate) async fn tick(shared: Arc<Shared>) {
    let mut interval = tokio::time::interval(Duration::from_millis(250));
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        interval.tick().await;
        let newest = shared.counters.last_event_ns.load(Ordering::Relaxed);
        // Real venues alone go by our clock; their minutes close by what they tell, not by the time.
        let newest = if shared.live { newest } else { shared.clock.now().as_nanos() };
        if newest != 0 && shared.engine.timer(Timestamp::from_nanos(newest)).await.is_err() {
            return;
        }
    }
}
