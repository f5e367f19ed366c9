//! The venues behind a network: set up as the configuration says, followed while the program runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use cw_core::{Candle, Clock, InstrumentId, Timeframe, Timestamp};
use cw_market::{Delivery, Followed, Provider, Told, follow};
use cw_store::{CandleQuery, Channel, OnConflict, Source, SourceKind, StoreError, TimeRange};
use cw_venues::catalog::{self, Settings};
use cw_venues::net::{Handles, Network, Random};
use tokio::sync::mpsc;

use crate::shared::Shared;

/// What a provider may be ahead of the tables.
const QUEUE: usize = 8_192;
/// Written at a time.
const BATCH: usize = 1_024;
/// A symbol that is followed for the first time begins so long ago; more is asked for by `data fetch`.
const FIRST: i64 = 3_600 * Timestamp::NANOS_PER_SECOND;
/// After a longer pause the stream begins anew and leaves the rest to `data fetch`.
const LONGEST_PAUSE: i64 = 24 * FIRST;

/// One venue that the configuration switches on.
pub(crate) struct Venue {
    pub provider: Arc<dyn Provider>,
    pub followed: Vec<InstrumentId>,
}

/// All of them, in the order of their names.
#[derive(Default)]
pub(crate) struct Venues(Vec<Venue>);

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
        Ok(Self(venues))
    }

    pub fn all(&self) -> &[Venue] {
        &self.0
    }

    /// Who gives the data of an instrument: its own venue and no other.
    pub fn of(&self, id: &InstrumentId) -> Option<&Arc<dyn Provider>> {
        self.0.iter().map(|venue| &venue.provider).find(|provider| provider.venue() == id.venue())
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
    let mut followed = Vec::new();
    for id in ids {
        match begin(&shared, &id).await {
            Ok(from) => followed.push(Followed { instrument: id, from }),
            Err(error) => tracing::error!(target: "venues", %error, instrument = %id, "not followed"),
        }
    }
    let (told, mut queue) = mpsc::channel(QUEUE);
    let mut settled: BTreeMap<InstrumentId, Timestamp> =
        followed.iter().map(|f| (f.instrument.clone(), f.from)).collect();
    let writing = async {
        let mut batch = Vec::with_capacity(BATCH);
        while queue.recv_many(&mut batch, BATCH).await > 0 {
            if let Err(error) = write(&shared, &*provider, &mut batch, &mut settled).await {
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

/// The first minute that is not in the store yet.
async fn begin(shared: &Shared, id: &InstrumentId) -> Result<Timestamp, StoreError> {
    let now = shared.clock.now();
    let newest = shared.store.read_candles(id, Timeframe::M1, &CandleQuery::newest(1)).await?;
    let next = newest.first().map(|candle| Timeframe::M1.close_time(candle.open_time));
    let recent = next.filter(|next| now.nanos_since(*next) < LONGEST_PAUSE);
    Ok(Timeframe::M1.open_time(recent.unwrap_or(now.plus_nanos(-FIRST))))
}

/// Candles of one instrument that came in one way.
type Parts = BTreeMap<(InstrumentId, &'static str), (SourceKind, Vec<Candle>)>;

/// Writes what was told. `settled` is, for each instrument, the end of what was told before: candles come in order, so
/// that what lies between two of them is known to be nothing.
async fn write(
    shared: &Shared,
    provider: &dyn Provider,
    batch: &mut Vec<Told>,
    settled: &mut BTreeMap<InstrumentId, Timestamp>,
) -> Result<(), StoreError> {
    let mut covered: BTreeMap<InstrumentId, Vec<TimeRange>> = BTreeMap::new();
    let mut parts: Parts = BTreeMap::new();
    let mut gaps = Vec::new();
    for told in batch.drain(..) {
        match told {
            Told::Candle { instrument, candle, delivery } => {
                let kind = match delivery {
                    Delivery::Streamed => SourceKind::Streamed,
                    Delivery::Backfilled => SourceKind::Backfilled,
                    Delivery::Revised => SourceKind::Revised,
                };
                let end = Timeframe::M1.close_time(candle.open_time);
                // A revision says nothing about what lies around it.
                if kind != SourceKind::Revised {
                    let begin = settled.insert(instrument.clone(), end).unwrap_or(candle.open_time);
                    let ranges = covered.entry(instrument.clone()).or_default();
                    match ranges.last_mut().filter(|last| last.to == begin) {
                        Some(last) => last.to = end,
                        None => ranges.push(TimeRange::new(begin, end)),
                    }
                }
                parts.entry((instrument, kind.as_str())).or_insert((kind, Vec::new())).1.push(candle);
            }
            Told::Gap { instrument, from, to, reason } => {
                tracing::warn!(target: "venues", %instrument, %from, %to, reason, "a gap that the venue cannot fill");
                settled.insert(instrument.clone(), to);
                gaps.push((instrument, TimeRange::new(from, to)));
            }
            Told::Outage { instrument, from, to, reason } => {
                tracing::info!(target: "venues", %instrument, %from, %to, reason, "the stream was away; what it missed was asked for");
            }
            Told::Event(_) => {}
        }
    }
    for ((instrument, _), (kind, candles)) in parts {
        let source = Source::new(provider.source(&instrument), kind);
        let store = &shared.store;
        store.write_candles(&instrument, Timeframe::M1, &candles, &source, OnConflict::Revise).await?;
        if let (Some(first), Some(last)) = (candles.first(), candles.last()) {
            let range = TimeRange::new(first.open_time, Timeframe::M1.close_time(last.open_time));
            store.update_gaps(&instrument, Timeframe::M1, range).await?;
        }
    }
    for (instrument, ranges) in covered {
        let source = provider.source(&instrument);
        for range in ranges {
            let channel = Channel::Candles(Timeframe::M1);
            shared.store.add_coverage(&instrument, channel, range, &source).await?;
        }
    }
    for (instrument, range) in gaps {
        shared.store.update_gaps(&instrument, Timeframe::M1, range).await?;
    }
    Ok(())
}
