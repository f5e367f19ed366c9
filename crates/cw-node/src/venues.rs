//! The venues behind a network: set up as the configuration says, followed while the program runs.

mod heard;
mod ledger;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cw_core::{Candle, Clock, FormingCandle, InstrumentId, MarketEvent, MarketEventKind, Timeframe, Timestamp, Volume};
use cw_engine::Command;
use cw_market::{Delivery, FeedEvent, Followed, Provider, Told, follow};
use cw_store::{
    CandleQuery, Channel, OutageQuery, OutageState, Page, Refused, Source, SourceKind, StoreError, TimeRange,
};
use cw_venues::catalog::{self, Settings};
use cw_venues::net::{Handles, Network, Random};
use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};

use crate::broker::MarketTick;
use crate::config::link_of;
use crate::shared::Shared;
use crate::{enforce, feed};
use heard::Heard;
use ledger::Ledger;

/// What a provider may be ahead of the tables.
const QUEUE: usize = 8_192;
/// Written at a time.
const BATCH: usize = 1_024;
/// A symbol that is followed for the first time begins so long ago; more is asked for by `data fetch`.
const FIRST: i64 = 3_600 * Timestamp::NANOS_PER_SECOND;
/// After a longer pause the stream begins anew and leaves the rest to `data fetch`.
const LONGEST_PAUSE: i64 = 24 * FIRST;
/// A pause of the program that is no outage worth a row.
const SHORT_PAUSE: i64 = 120 * Timestamp::NANOS_PER_SECOND;
/// When an instrument that could not be followed is tried again.
const AGAIN: Duration = Duration::from_secs(30);
/// What is decided on: a minute that is told within so long of its end, the venue's own delay not counted.
const FRESH: i64 = 120 * Timestamp::NANOS_PER_SECOND;
/// How often providers are asked for what they did not take.
const LOOK: Duration = Duration::from_secs(1);

/// Our clock, chance of our own for waiting times, and the network.
pub(crate) fn handles(clock: &Arc<dyn Clock>) -> Result<Handles, String> {
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).map_err(|error| error.to_string())?;
    let random = Random::seeded(u64::from_le_bytes(seed));
    Ok(Handles { clock: Arc::clone(clock), random, transport: Arc::new(Network::shared()) })
}

/// One venue that the configuration switches on.
pub(crate) struct Venue {
    pub provider: Arc<dyn Provider>,
    /// What is kept current while the program runs.
    wanted: watch::Sender<Vec<InstrumentId>>,
    /// Of those, what the configuration names.
    configured: Vec<InstrumentId>,
}

impl Venue {
    pub fn followed(&self) -> Vec<InstrumentId> {
        self.wanted.borrow().clone()
    }
}

/// All of them, in the order of their names.
#[derive(Default)]
pub(crate) struct Venues {
    all: Vec<Venue>,
    /// Who stands in for whom, as `data.priority` says.
    chains: BTreeMap<InstrumentId, Vec<InstrumentId>>,
    heard: Mutex<BTreeMap<InstrumentId, Heard>>,
}

impl Venues {
    /// Nothing is sent yet.
    pub fn new(
        settings: &BTreeMap<String, Settings>,
        priority: &BTreeMap<String, Vec<String>>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let mut venues = Vec::new();
        for (name, settings) in settings.iter().filter(|(_, settings)| settings.enabled) {
            let handles = handles(clock)?;
            let entry = catalog::find(name).ok_or_else(|| unknown(name))?;
            let provider = (entry.connect)(settings, handles).map_err(|error| format!("venues.{name}: {error}"))?;
            let id = |symbol: &String| {
                let id = InstrumentId::new(&format!("{symbol}.{}", entry.code));
                id.map_err(|error| format!("venues.{name}.symbols: {error}"))
            };
            let configured = settings.symbols.iter().map(id).collect::<Result<Vec<_>, _>>()?;
            venues.push(Venue { provider, wanted: watch::Sender::new(configured.clone()), configured });
        }
        let mut made = Self { all: venues, chains: BTreeMap::new(), heard: Mutex::default() };
        for (instrument, links) in priority {
            let id: InstrumentId = instrument.parse().map_err(|error| format!("data.priority: {error}"))?;
            let links = links.iter().map(|link| link_of(&id, link)).collect::<Result<Vec<_>, _>>()?;
            made.chains.insert(id.clone(), links);
            let mut kinds = made.chain(&id).into_iter().map(|(provider, id)| provider.adjustment(&id));
            if let Some(first) = kinds.next()
                && kinds.any(|kind| kind != first)
            {
                return Err(format!(
                    "data.priority.\"{instrument}\": some of these adjust prices for splits and some do not; they cannot \
                     share a series"
                ));
            }
        }
        Ok(made)
    }

    pub fn all(&self) -> &[Venue] {
        &self.all
    }

    pub fn find(&self, code: &str) -> Option<&Venue> {
        self.all.iter().find(|venue| venue.provider.venue() == code)
    }

    fn heard(&self, id: &InstrumentId, at: Timestamp) {
        self.heard.lock().entry(id.clone()).or_default().at = Some(at);
    }

    /// Whether an instrument is kept current while the program runs.
    pub fn is_followed(&self, id: &InstrumentId) -> bool {
        self.find(id.venue()).is_some_and(|venue| venue.wanted.borrow().contains(id))
    }

    pub fn is_configured(&self, id: &InstrumentId) -> bool {
        self.find(id.venue()).is_some_and(|venue| venue.configured.contains(id))
    }

    /// Keeps an instrument current from now on, or no more. False when it is so already or its venue is off.
    pub fn follow(&self, id: &InstrumentId, on: bool) -> bool {
        let Some(venue) = self.find(id.venue()) else { return false };
        venue.wanted.send_if_modified(|wanted| {
            let known = wanted.contains(id);
            match (known, on) {
                (false, true) => wanted.push(id.clone()),
                (true, false) => wanted.retain(|known| known != id),
                _ => return false,
            }
            true
        })
    }

    /// Those that are followed because somebody asked for it, not because the configuration names them.
    pub fn added(&self) -> Vec<InstrumentId> {
        let added = |venue: &Venue| {
            let followed = venue.followed().into_iter();
            followed.filter(|id| !venue.configured.contains(id)).collect::<Vec<_>>()
        };
        self.all.iter().flat_map(added).collect()
    }

    /// The minute that is not over, of what was heard in it; not before the one before it is settled.
    pub fn forming(&self, id: &InstrumentId) -> Option<FormingCandle> {
        self.heard.lock().get(id)?.forming()
    }

    fn event(&self, event: &MarketEvent, has_trades: bool, now: Timestamp) {
        let mut heard = self.heard.lock();
        let heard = heard.entry(event.instrument.clone()).or_default();
        heard.at = Some(now);
        match event.kind {
            MarketEventKind::Trade(trade) => heard.print(trade.event_time, trade.price, Volume::from(trade.qty)),
            MarketEventKind::Quote(quote) if !has_trades && !quote.is_crossed() && quote.bid.is_positive() => {
                heard.print(quote.event_time, quote.mid(), Volume::ZERO);
            }
            MarketEventKind::Quote(_) => {}
        }
    }

    /// Everything before `to` is closed.
    fn settle(&self, id: &InstrumentId, to: Timestamp) {
        let mut heard = self.heard.lock();
        let heard = heard.entry(id.clone()).or_default();
        heard.settled = heard.settled.max(Some(to));
    }

    /// Whom to ask for an instrument's history, first to last, and what each calls it.
    pub fn chain(&self, id: &InstrumentId) -> Vec<(Arc<dyn Provider>, InstrumentId)> {
        let own = [id.clone()];
        let links = self.chains.get(id).map_or(&own[..], Vec::as_slice);
        links.iter().filter_map(|link| Some((Arc::clone(self.of(link)?), link.clone()))).collect()
    }

    /// Our clock when the newest of a followed instrument came in.
    pub fn last_heard(&self, id: &InstrumentId) -> Option<Timestamp> {
        self.heard.lock().get(id)?.at
    }

    /// Who gives the data of an instrument: its own venue and no other.
    pub fn of(&self, id: &InstrumentId) -> Option<&Arc<dyn Provider>> {
        self.all.iter().map(|venue| &venue.provider).find(|provider| provider.venue() == id.venue())
    }
}

/// A venue that the table does not have.
pub(crate) fn unknown(name: &str) -> String {
    let known: Vec<&str> = catalog::VENUES.iter().map(|entry| entry.name).collect();
    format!("there is no venue {name}; there are {}", known.join(", "))
}

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

/// The setting with what was added by name.
const ADDED_KEY: &str = "venues.followed";

/// Follows again what was added before the program was stopped.
pub(crate) async fn follow_added(shared: &Shared) -> Result<(), StoreError> {
    let kept = shared.store.setting(ADDED_KEY).await?;
    let kept: Vec<InstrumentId> = kept.and_then(|kept| serde_json::from_value(kept).ok()).unwrap_or_default();
    for id in kept {
        shared.venues.follow(&id, true);
    }
    Ok(())
}

/// Keeps an instrument current from now on and after the next start, or no more.
pub(crate) async fn set_followed(shared: &Shared, id: &InstrumentId, on: bool) -> Result<(), StoreError> {
    if !shared.venues.follow(id, on) {
        return Ok(());
    }
    shared.store.set_setting(ADDED_KEY, &serde_json::json!(shared.venues.added())).await
}

/// Writes down what providers send that is not taken, as long as the program runs.
pub(crate) async fn keep_refused(shared: Arc<Shared>) {
    let mut interval = tokio::time::interval(LOOK);
    loop {
        interval.tick().await;
        for venue in shared.venues.all() {
            let rows: Vec<Refused> = venue.provider.refused().into_iter().map(|row| refused(venue, row)).collect();
            if let Err(error) = shared.store.add_refused(&rows).await {
                tracing::error!(target: "venues", %error, "what was not taken could not be written down");
            }
        }
    }
}

fn refused(venue: &Venue, row: cw_market::Refused) -> Refused {
    let cw_market::Refused { at, reason, raw } = row;
    Refused { provider: venue.provider.venue().to_owned(), reason, raw, count: 1, first_time: at, last_time: at }
}

/// Candles of one instrument that came in one way, with the ranges that they settle.
type Parts = BTreeMap<(InstrumentId, &'static str), (SourceKind, Vec<Candle>)>;

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
        let mut followed = Vec::new();
        let mut all = true;
        for id in ids {
            let listed = match self.list(&id).await {
                Ok(()) => self.begin(&id).await.map_err(|error| error.to_string()),
                Err(error) => Err(error),
            };
            match listed {
                Ok(from) => followed.push(Followed { instrument: id, from }),
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

    /// Has the engine take an instrument on, with today's candles.
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
        let today = Timeframe::D1.open_time(shared.clock.now());
        let query = CandleQuery { from: Some(today), ..CandleQuery::default() };
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
        let now = shared.clock.now();
        match told {
            Told::Candle { instrument, candle, .. } => {
                let Some(number) = number(&instrument) else { return true };
                let end = Timeframe::M1.close_time(candle.open_time);
                let delay = i64::from(self.provider.capabilities().candle_delay_ms) * 1_000_000;
                shared.venues.settle(&instrument, end);
                shared.engine.minute(number, candle, now.nanos_since(end) < FRESH + delay).await.is_ok()
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
                shared.venues.event(&event, self.provider.capabilities().trades, now);
                feed::deliver(shared, self.brokers, number, event.kind).await
            }
            Told::Gap { .. } | Told::Outage { .. } => true,
        }
    }

    /// The first minute that nobody answered for yet. The newest candle does not tell: a market that is closed has none.
    async fn begin(&mut self, id: &InstrumentId) -> Result<Timestamp, StoreError> {
        let (store, now) = (&self.shared.store, self.shared.clock.now());
        let (earliest, channel) = (now.plus_nanos(-LONGEST_PAUSE), Channel::Candles(Timeframe::M1));
        let missing = store.missing_ranges(id, channel, TimeRange::new(earliest, now)).await?;
        let next = missing.last().filter(|range| range.to == now).map_or(now, |range| range.from);
        let recent = Some(next).filter(|next| *next > earliest);
        let begin = Timeframe::M1.open_time(recent.unwrap_or(now.plus_nanos(-FIRST)));
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

    /// Writes what was told.
    async fn write(&mut self, batch: &[Told]) -> Result<(), StoreError> {
        let mut covered: BTreeMap<InstrumentId, Vec<TimeRange>> = BTreeMap::new();
        let mut parts: Parts = BTreeMap::new();
        let now = self.shared.clock.now();
        for told in batch {
            match told {
                Told::Candle { instrument, candle, delivery } => {
                    let kind = match delivery {
                        Delivery::Streamed => SourceKind::Streamed,
                        Delivery::Backfilled => SourceKind::Backfilled,
                        Delivery::Revised => SourceKind::Revised,
                    };
                    if kind == SourceKind::Backfilled {
                        self.ledger.backfilled(instrument, candle.open_time);
                    }
                    // A revision says nothing about what lies around it.
                    if kind != SourceKind::Revised {
                        self.settle(instrument, Timeframe::M1.close_time(candle.open_time), &mut covered);
                    }
                    self.shared.venues.heard(instrument, now);
                    parts.entry((instrument.clone(), kind.as_str())).or_insert((kind, Vec::new())).1.push(*candle);
                }
                Told::Gap { instrument, from, to, reason } => {
                    tracing::warn!(target: "venues", %instrument, %from, %to, reason, "a gap that the venue cannot fill");
                    self.settle(instrument, *from, &mut covered);
                    self.settled.insert(instrument.clone(), *to);
                    self.ledger.gap(instrument, *from, *to, reason, now);
                    self.ledger.settled(instrument, *to);
                }
                Told::Outage { instrument, from, to, reason } => {
                    self.ledger.back(instrument, *from, *to, reason, now);
                }
                Told::Settled { instrument, to } => self.settle(instrument, *to, &mut covered),
                Told::Event(FeedEvent::Lost { at, instruments, reason }) => {
                    instruments.iter().for_each(|id| self.ledger.lost(id, *at, reason, now));
                }
                Told::Event(_) => {}
            }
        }
        self.write_parts(parts, covered).await?;
        self.shared.store.put_outages(&self.ledger.take()).await
    }

    /// Everything of an instrument before `to` is told.
    fn settle(&mut self, id: &InstrumentId, to: Timestamp, covered: &mut BTreeMap<InstrumentId, Vec<TimeRange>>) {
        let begin = self.settled.get(id).copied().unwrap_or(to);
        if begin < to {
            self.settled.insert(id.clone(), to);
            let ranges = covered.entry(id.clone()).or_default();
            match ranges.last_mut().filter(|last| last.to == begin) {
                Some(last) => last.to = to,
                None => ranges.push(TimeRange::new(begin, to)),
            }
        }
        self.ledger.settled(id, to.max(begin));
    }

    async fn write_parts(
        &self,
        parts: Parts,
        mut covered: BTreeMap<InstrumentId, Vec<TimeRange>>,
    ) -> Result<(), StoreError> {
        let store = &self.shared.store;
        let page =
            |id: &InstrumentId, kind| (Source::new(self.provider.source(id), kind), self.provider.adjustment(id));
        let mut last_part: BTreeMap<&InstrumentId, SourceKind> = BTreeMap::new();
        for ((id, _), (kind, _)) in &parts {
            last_part.insert(id, *kind);
        }
        for ((id, _), (kind, candles)) in &parts {
            let (source, adjustment) = page(id, *kind);
            // The ranges go with the last of an instrument's candles: then all that they cover is there.
            let last = last_part.get(id) == Some(kind);
            let ranges = if last { covered.remove(id).unwrap_or_default() } else { Vec::new() };
            let page = Page { candles, source: &source, covered: &ranges, adjustment };
            store.write_page(id, Timeframe::M1, page).await?;
            if let (Some(first), Some(last)) = (candles.first(), candles.last()) {
                let range = TimeRange::new(first.open_time, Timeframe::M1.close_time(last.open_time));
                store.update_gaps(id, Timeframe::M1, range).await?;
            }
        }
        for (id, ranges) in covered {
            let (source, adjustment) = page(&id, SourceKind::Backfilled);
            store
                .write_page(&id, Timeframe::M1, Page { candles: &[], source: &source, covered: &ranges, adjustment })
                .await?;
        }
        Ok(())
    }
}
