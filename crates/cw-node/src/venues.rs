//! The venues behind a network: set up as the configuration says, followed while the program runs.

mod ledger;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cw_core::{Candle, Clock, InstrumentId, Timeframe, Timestamp};
use cw_market::{Delivery, FeedEvent, Followed, Provider, Told, follow};
use cw_store::{CandleQuery, OutageQuery, OutageState, Page, Refused, Source, SourceKind, StoreError, TimeRange};
use cw_venues::catalog::{self, Settings};
use cw_venues::net::{Handles, Network, Random};
use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::shared::Shared;
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
/// How often providers are asked for what they did not take.
const LOOK: Duration = Duration::from_secs(1);

/// One venue that the configuration switches on.
pub(crate) struct Venue {
    pub provider: Arc<dyn Provider>,
    pub followed: Vec<InstrumentId>,
}

/// All of them, in the order of their names.
#[derive(Default)]
pub(crate) struct Venues {
    all: Vec<Venue>,
    /// Our clock when the newest of each followed instrument came in.
    heard: Mutex<BTreeMap<InstrumentId, Timestamp>>,
}

impl Venues {
    /// Nothing is sent yet.
    pub fn new(settings: &BTreeMap<String, Settings>, clock: &Arc<dyn Clock>) -> Result<Self, String> {
        let mut venues = Vec::new();
        for (name, settings) in settings.iter().filter(|(_, settings)| settings.enabled) {
            let mut seed = [0; 8];
            getrandom::fill(&mut seed).map_err(|error| error.to_string())?;
            let handles = Handles {
                clock: Arc::clone(clock),
                random: Random::seeded(u64::from_le_bytes(seed)),
                transport: Arc::new(Network::shared()),
            };
            let entry = catalog::find(name).ok_or_else(|| unknown(name))?;
            let provider = (entry.connect)(settings, handles).map_err(|error| format!("venues.{name}: {error}"))?;
            let id = |symbol: &String| {
                let id = InstrumentId::new(&format!("{symbol}.{}", entry.code));
                id.map_err(|error| format!("venues.{name}.symbols: {error}"))
            };
            let followed = settings.symbols.iter().map(id).collect::<Result<_, _>>()?;
            venues.push(Venue { provider, followed });
        }
        Ok(Self { all: venues, heard: Mutex::default() })
    }

    pub fn all(&self) -> &[Venue] {
        &self.all
    }

    pub fn find(&self, code: &str) -> Option<&Venue> {
        self.all.iter().find(|venue| venue.provider.venue() == code)
    }

    fn heard(&self, id: &InstrumentId, at: Timestamp) {
        let mut heard = self.heard.lock();
        match heard.get_mut(id) {
            Some(known) => *known = at,
            None => drop(heard.insert(id.clone(), at)),
        }
    }

    /// Whether an instrument is kept current while the program runs.
    pub fn is_followed(&self, id: &InstrumentId) -> bool {
        self.find(id.venue()).is_some_and(|venue| venue.followed.contains(id))
    }

    /// Whom to ask for an instrument's history, first to last, and what each calls it.
    pub fn chain(&self, id: &InstrumentId) -> Vec<(Arc<dyn Provider>, InstrumentId)> {
        self.of(id).map(|provider| (Arc::clone(provider), id.clone())).into_iter().collect()
    }

    /// Our clock when the newest of a followed instrument came in.
    pub fn last_heard(&self, id: &InstrumentId) -> Option<Timestamp> {
        self.heard.lock().get(id).copied()
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

/// Keeps a venue's followed symbols current in the store, until the program stops or the venue refuses.
pub(crate) async fn keep_current(shared: Arc<Shared>, provider: Arc<dyn Provider>, ids: Vec<InstrumentId>) {
    let venue = provider.venue();
    let mut keeping =
        Keeping { shared: &shared, provider: &*provider, ledger: Ledger::default(), settled: BTreeMap::new() };
    let mut followed = Vec::new();
    for id in ids {
        match keeping.begin(&id).await {
            Ok(from) => followed.push(Followed { instrument: id, from }),
            Err(error) => tracing::error!(target: "venues", %error, instrument = %id, "not followed"),
        }
    }
    let (told, mut queue) = mpsc::channel(QUEUE);
    let writing = async {
        let mut batch = Vec::with_capacity(BATCH);
        while queue.recv_many(&mut batch, BATCH).await > 0 {
            if let Err(error) = keeping.write(&mut batch).await {
                // What is not written is not covered either: it is asked for again at the next start.
                tracing::error!(target: "venues", venue, %error, "candles could not be written");
            }
        }
    };
    let (ended, ()) = tokio::join!(follow(&*provider, &followed, &*shared.clock, told), writing);
    if let Err(error) = ended {
        tracing::error!(target: "venues", venue, %error, "the venue is no longer followed");
    }
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
    shared: &'a Shared,
    provider: &'a dyn Provider,
    ledger: Ledger,
    /// For each instrument, the end of what was told before: candles come in order, so that what lies between two of
    /// them is known to be nothing.
    settled: BTreeMap<InstrumentId, Timestamp>,
}

impl Keeping<'_> {
    /// The first minute that is not in the store yet.
    async fn begin(&mut self, id: &InstrumentId) -> Result<Timestamp, StoreError> {
        let (store, now) = (&self.shared.store, self.shared.clock.now());
        let newest = store.read_candles(id, Timeframe::M1, &CandleQuery::newest(1)).await?;
        let next = newest.first().map(|candle| Timeframe::M1.close_time(candle.open_time));
        let recent = next.filter(|next| now.nanos_since(*next) < LONGEST_PAUSE);
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
    async fn write(&mut self, batch: &mut Vec<Told>) -> Result<(), StoreError> {
        let mut covered: BTreeMap<InstrumentId, Vec<TimeRange>> = BTreeMap::new();
        let mut parts: Parts = BTreeMap::new();
        let now = self.shared.clock.now();
        for told in batch.drain(..) {
            match told {
                Told::Candle { instrument, candle, delivery } => {
                    let kind = match delivery {
                        Delivery::Streamed => SourceKind::Streamed,
                        Delivery::Backfilled => SourceKind::Backfilled,
                        Delivery::Revised => SourceKind::Revised,
                    };
                    if kind == SourceKind::Backfilled {
                        self.ledger.backfilled(&instrument, candle.open_time);
                    }
                    // A revision says nothing about what lies around it.
                    if kind != SourceKind::Revised {
                        self.settle(&instrument, Timeframe::M1.close_time(candle.open_time), &mut covered);
                    }
                    self.shared.venues.heard(&instrument, now);
                    parts.entry((instrument, kind.as_str())).or_insert((kind, Vec::new())).1.push(candle);
                }
                Told::Gap { instrument, from, to, reason } => {
                    tracing::warn!(target: "venues", %instrument, %from, %to, reason, "a gap that the venue cannot fill");
                    self.settle(&instrument, from, &mut covered);
                    self.settled.insert(instrument.clone(), to);
                    self.ledger.gap(&instrument, from, to, &reason, now);
                    self.ledger.settled(&instrument, to);
                }
                Told::Outage { instrument, from, to, reason } => {
                    self.ledger.back(&instrument, from, to, &reason, now);
                }
                Told::Settled { instrument, to } => self.settle(&instrument, to, &mut covered),
                Told::Event(FeedEvent::Lost { at, instruments, reason }) => {
                    instruments.iter().for_each(|id| self.ledger.lost(id, at, &reason, now));
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
