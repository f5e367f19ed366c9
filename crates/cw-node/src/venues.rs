//! The venues behind a network: set up as the configuration says, followed while the program runs.

mod heard;
mod keeping;
mod ledger;
#[cfg(test)]
mod many;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cw_core::{Clock, FormingCandle, InstrumentId, MarketEvent, MarketEventKind, Timestamp, Volume};
use cw_market::{Provider, ProviderState};
use cw_store::{Refused, StoreError};
use cw_venues::catalog::{self, Settings};
use cw_venues::net::{Handles, Network, Random};
use parking_lot::Mutex;
use tokio::sync::watch;

pub(crate) use self::keeping::keep_current;
use crate::config::link_of;
use crate::shared::Shared;
use heard::Heard;

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
    /// Drops its connections and begins anew. A stream that is up is cut, so that what is missed meanwhile is an outage like
    /// any other; everything else is begun by following the same symbols again. False where nobody keeps them current.
    pub fn restart(&self, reason: &str) -> bool {
        if self.wanted.is_closed() {
            return false;
        }
        let can = self.provider.capabilities();
        let streams = can.trades || can.quotes || can.streams_candles;
        let up = matches!(self.provider.status().state, ProviderState::Live | ProviderState::Degraded);
        self.provider.reconnect(reason);
        if !(streams && up) {
            self.wanted.send_modify(|_| {});
        }
        true
    }

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
        if !on {
            self.heard.lock().remove(id);
        }
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
