//! One venue's followed instruments, kept current in the store and in the engine.

mod writing;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cw_core::{AssetClass, Calendar, Instrument, InstrumentId, Timeframe, Timestamp};
use cw_engine::Command;
use cw_market::{Followed, Provider, Told, follow};
use cw_store::{CandleQuery, Channel, OutageQuery, OutageState, SortOrder, StoreError, TimeRange};
use tokio::sync::{mpsc, watch};

use super::ledger::Ledger;
use crate::broker::MarketTick;
use crate::shared::Shared;
use crate::{enforce, feed};

/// What a provider may be ahead of the tables.
const QUEUE: usize = 8_192;
/// Written at a time.
const BATCH: usize = 1_024;
/// A symbol that is followed for the first time begins with its day, at least so long ago; more is asked for by `data
/// fetch`.
const FIRST: i64 = 3_600 * Timestamp::NANOS_PER_SECOND;
/// After a longer pause the stream begins anew and leaves the rest to `data fetch`.
const LONGEST_PAUSE: i64 = 24 * FIRST;
/// A pause of the program that is no outage worth a row.
const SHORT_PAUSE: i64 = 120 * Timestamp::NANOS_PER_SECOND;
/// When an instrument that could not be followed is tried again.
const AGAIN: Duration = Duration::from_secs(30);
/// A close that is older says nothing about the price of now.
const LONGEST_REFERENCE: i64 = 7 * LONGEST_PAUSE;
/// What is decided on: a minute that is told within so long of its end, the venue's own delay not counted.
const FRESH: i64 = 120 * Timestamp::NANOS_PER_SECOND;

/// Keeps a venue's followed symbols current in the store and in the engine, until the program stops. When others are
/// followed it begins anew with what the store has.
pub(crate) async fn keep_current(shared: Arc<Shared>, code: &'static str, brokers: Vec<mpsc::Sender<MarketTick>>) {
    let Some(venue) = shared.venues.find(code) else { return };
    let mut wanted = venue.wanted.subscribe();
    let mut keeping = Keeping {
        shared: &shared,
        provider: &*venue.provider,
        brokers: &brokers,
        numbers: BTreeMap::new(),
        ledger: Ledger::default(),
        settled: BTreeMap::new(),
    };
    loop {
        let ids = wanted.borrow_and_update().clone();
        let again = !ids.is_empty() && keeping.run(ids, &mut wanted).await;
        if !again && wanted.changed().await.is_err() {
            return;
        }
    }
}

struct Keeping<'a> {
    shared: &'a Arc<Shared>,
    provider: &'a dyn Provider,
    brokers: &'a [mpsc::Sender<MarketTick>],
    /// What the engine has of the followed ones.
    numbers: BTreeMap<InstrumentId, u32>,
    ledger: Ledger,
    /// For each instrument, the end of what was told before: candles come in order, so that what lies between two of
    /// them is known to be nothing.
    settled: BTreeMap<InstrumentId, Timestamp>,
}

impl Keeping<'_> {
    /// Follows these until others are wanted (true), or the venue refuses. Those that it could not describe are tried
    /// again after a while.
    async fn run(&mut self, ids: Vec<InstrumentId>, wanted: &mut watch::Receiver<Vec<InstrumentId>>) -> bool {
        let venue = self.provider.venue();
        // Before anything is dated.
        self.provider.ask_time().await;
        let mut followed = Vec::new();
        let mut all = true;
        for id in ids {
            let listed = match self.list(&id).await {
                Ok(()) => self.begin(&id).await.map_err(|error| error.to_string()),
                Err(error) => Err(error),
            };
            match listed {
                Ok(from) => followed.push(self.followed(id, from).await),
                Err(error) => {
                    all = false;
                    tracing::error!(target: "venues", %error, instrument = %id, "not followed");
                }
            }
        }
        if followed.is_empty() {
            // Until others are wanted or it is time to try again; both mean the same.
            let _waited = tokio::time::timeout(AGAIN, wanted.changed()).await;
            return true;
        }
        let (told, mut queue) = mpsc::channel(QUEUE);
        let (provider, clock) = (self.provider, Arc::clone(&self.shared.clock));
        let writing = async {
            let mut batch = Vec::with_capacity(BATCH);
            let again = tokio::time::sleep(AGAIN);
            tokio::pin!(again);
            let others = loop {
                tokio::select! {
                    biased;
                    // The sender lives as long as the program.
                    _ = wanted.changed() => break true,
                    () = &mut again, if !all => break true,
                    count = queue.recv_many(&mut batch, BATCH) => {
                        if count == 0 {
                            break false;
                        }
                        if let Err(error) = self.take(&mut batch).await {
                            // What is not written is not covered either: it is asked for again at the next start.
                            tracing::error!(target: "venues", venue, %error, "candles could not be written");
                        }
                    }
                }
            };
            // Nobody listens any more: following ends.
            drop(queue);
            others
        };
        let (ended, others) = tokio::join!(follow(provider, &followed, &*clock, told), writing);
        if let Err(error) = ended {
            tracing::error!(target: "venues", venue, %error, "the venue is no longer followed");
        }
        others
    }

    /// What is to be followed, with what is known of its prices.
    async fn followed(&self, id: InstrumentId, from: Timestamp) -> Followed {
        let class = self.instrument(&id).map_or(AssetClass::Other, |instrument| instrument.asset_class);
        let query = CandleQuery { limit: Some(1), order: SortOrder::NewestFirst, ..CandleQuery::default() };
        // Without one the first price has nothing to be compared with; that is no reason not to follow.
        let newest = self.shared.store.read_candles(&id, Timeframe::M1, &query).await.unwrap_or_default();
        let recent = newest.first().filter(|newest| from.nanos_since(newest.open_time) < LONGEST_REFERENCE);
        Followed { instrument: id, from, class, reference: recent.map(|candle| candle.close) }
    }

    fn instrument(&self, id: &InstrumentId) -> Option<Arc<Instrument>> {
        self.shared.directory.number(id).and_then(|number| self.shared.directory.instrument(number))
    }

    /// Where the daily candle of now begins; now where the market is closed.
    fn day(&self, id: &InstrumentId) -> Timestamp {
        let calendar = self.instrument(id).map_or(Calendar::Continuous, |instrument| instrument.calendar());
        let (now, day) = (self.now(), calendar.window(Timeframe::D1, self.now()));
        if day.shut { now } else { day.open_time }
    }

    /// Has the engine take an instrument on, with the candles of its day.
    async fn list(&mut self, id: &InstrumentId) -> Result<(), String> {
        if self.numbers.contains_key(id) {
            return Ok(());
        }
        let shared = self.shared;
        let known = shared.store.instrument(id).await.map_err(|error| error.to_string())?;
        let instrument = if let Some(instrument) = known {
            instrument
        } else {
            let instrument = self.provider.describe(id).await.map_err(|error| error.to_string())?;
            let put = shared.store.put_instruments(std::slice::from_ref(&instrument)).await;
            put.map_err(|error| error.to_string())?;
            instrument
        };
        if shared.directory.number(id).is_none() {
            enforce::command(shared, Command::ListInstrument(Box::new(instrument))).await?;
            let engines = |engine: &cw_engine::Engine| -> Vec<_> {
                engine.instruments().iter().map(|state| state.instrument.clone()).collect()
            };
            let all = shared.engine.read(engines).await.map_err(|error| error.to_string())?;
            shared.directory.add(&all);
        }
        let number = shared.directory.number(id).ok_or("the engine did not take it on")?;
        let query = CandleQuery { from: Some(self.day(id)), ..CandleQuery::default() };
        let candles = shared.store.read_candles(id, Timeframe::M1, &query).await.map_err(|error| error.to_string())?;
        shared.engine.backfill(number, candles).await.map_err(|error| error.to_string())?;
        self.numbers.insert(id.clone(), number);
        Ok(())
    }

    /// Writes what was told, then tells the engine: who hears of a candle can read it.
    async fn take(&mut self, batch: &mut Vec<Told>) -> Result<(), StoreError> {
        let told = std::mem::take(batch);
        let written = self.write(&told).await;
        for told in told {
            if !self.pass_on(told).await {
                break;
            }
        }
        written
    }

    /// False when the engine is gone.
    async fn pass_on(&self, told: Told) -> bool {
        let (shared, number) = (self.shared, |id: &InstrumentId| self.numbers.get(id).copied());
        match told {
            Told::Candle { instrument, candle, .. } => {
                let Some(number) = number(&instrument) else { return true };
                let end = Timeframe::M1.close_time(candle.open_time);
                let delay = i64::from(self.provider.capabilities().candle_delay_ms) * 1_000_000;
                shared.venues.settle(&instrument, end);
                shared.engine.minute(number, candle, self.now().nanos_since(end) < FRESH + delay).await.is_ok()
            }
            Told::Settled { instrument, to } => {
                let Some(number) = number(&instrument) else { return true };
                shared.venues.settle(&instrument, to);
                shared.engine.settled(number, to).await.is_ok()
            }
            Told::Event(event) => {
                let Some(event) = event.market() else { return true };
                let Some(number) = number(&event.instrument) else { return true };
                shared.recorder.offer(&event);
                shared.venues.event(&event, self.provider.capabilities().trades, shared.clock.now());
                feed::deliver(shared, self.brokers, number, event.kind).await
            }
            Told::Gap { .. } | Told::Outage { .. } => true,
        }
    }

    /// The venue's time.
    fn now(&self) -> Timestamp {
        self.provider.venue_time(self.shared.clock.now())
    }

    /// The first minute that nobody answered for yet. The newest candle does not tell: a market that is closed has none.
    async fn begin(&mut self, id: &InstrumentId) -> Result<Timestamp, StoreError> {
        let (store, now) = (&self.shared.store, self.now());
        let (earliest, channel) = (now.plus_nanos(-LONGEST_PAUSE), Channel::Candles(Timeframe::M1));
        let missing = store.missing_ranges(id, channel, TimeRange::new(earliest, now)).await?;
        let next = missing.last().filter(|range| range.to == now).map_or(now, |range| range.from);
        let recent = Some(next).filter(|next| *next > earliest);
        let first = now.plus_nanos(-FIRST).min(self.day(id)).max(earliest);
        let begin = Timeframe::M1.open_time(recent.unwrap_or(first));
        let query = OutageQuery {
            instrument: Some(id.clone()),
            state: Some(OutageState::Open),
            limit: 1_000,
            ..OutageQuery::default()
        };
        let (_, left) = store.outages(&query).await?;
        if left.is_empty() && recent.is_some_and(|next| now.nanos_since(next) >= SHORT_PAUSE) {
            self.ledger.lost(id, begin, "the program was not following it", now);
            self.ledger.back(id, begin, now, "", now);
        }
        self.ledger.resume(left, now);
        self.settled.insert(id.clone(), begin);
        store.put_outages(&self.ledger.take()).await?;
        Ok(begin)
    }
}
