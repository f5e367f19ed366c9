//! A [`Provider`] from what is particular to a venue.

use std::sync::Arc;

use cw_core::{Adjustment, Candle, Clock, Instrument, InstrumentId, Timestamp};
use cw_market::{
    CandleRequest, Capabilities, Depth, EventSink, Provider, ProviderError, ProviderState, ProviderStatus, Refused,
};
use futures_util::FutureExt;
use futures_util::future::{self, BoxFuture};
use tokio::sync::mpsc;
use url::Url;

use super::base_url::BaseUrl;
use super::client::{Call, HttpClient, Manner, Reply, Transport};
use super::health::Health;
use super::history::{self, Native, Plan};
use super::link::{self, Canary, Dialect, Gate, Link, Pace};
use super::listing::Listing;
use super::random::Random;

/// How often an answer that cannot be read is asked for.
const GARBLED_TRIES: u32 = 3;
/// How far the venue's time is known.
const UNSURE: i64 = 2 * Timestamp::NANOS_PER_SECOND;

/// Time, chance and the network, as everything here gets them.
#[derive(Clone)]
pub struct Handles {
    pub clock: Arc<dyn Clock>,
    pub random: Random,
    pub transport: Arc<dyn Transport>,
}

/// What talks to one venue.
pub struct Site {
    pub code: &'static str,
    pub handles: Handles,
    pub health: Arc<Health>,
    pub http: Arc<HttpClient>,
    pub gate: Gate,
    /// Any address of the venue: an answer from there says what time it is.
    root: Option<Url>,
}

impl Site {
    pub fn new(code: &'static str, manner: Manner, handles: Handles) -> Self {
        let health = Arc::new(Health::new(Arc::clone(&handles.clock)));
        let transport = Arc::clone(&handles.transport);
        let (clock, random) = (Arc::clone(&handles.clock), handles.random.clone());
        let http = Arc::new(HttpClient::new(code, transport, manner, Arc::clone(&health), clock, random));
        Self { code, handles, health, http, gate: Gate::default(), root: None }
    }

    /// With an address at which it can be asked for its time, without more than that.
    #[must_use]
    pub fn at(self, base: &BaseUrl) -> Self {
        Self { root: Some(base.join("/")), ..self }
    }

    /// Finds out what time it is at the venue, where that is not known.
    pub async fn ask_time(&self) {
        if let Some(root) = &self.root {
            self.http.ask_time(root).await;
        }
    }

    /// Keeps a connection up until nobody takes its events or the venue refuses for good.
    pub async fn run(&self, connection: Connection, events: EventSink) -> Result<(), ProviderError> {
        let link = Link {
            venue: self.code,
            pace: connection.pace,
            instruments: connection.instruments,
            events: &events,
            health: &self.health,
            clock: &*self.handles.clock,
            random: &self.handles.random,
            gate: &self.gate,
            canary: connection.canary.as_ref(),
            time: self.root.clone().map(|root| (&*self.http, root)),
        };
        link::run(&link, connection.dialect).await
    }

    pub fn refused(&self, reason: impl Into<String>) -> ProviderError {
        ProviderError::Refused { venue: self.code, reason: reason.into() }
    }

    /// Calls and reads the answer. One that cannot be read is asked for again: it may be right the next time.
    pub async fn get<T>(
        &self,
        call: &Call,
        what: &str,
        read: impl Fn(&[u8]) -> Result<T, serde_json::Error>,
    ) -> Result<T, ProviderError> {
        self.get_reply(call, what, |reply| read(&reply.body)).await
    }

    /// As [`Site::get`], for who has to see the status of answers that the call takes.
    pub async fn get_reply<T>(
        &self,
        call: &Call,
        what: &str,
        read: impl Fn(&Reply) -> Result<T, serde_json::Error>,
    ) -> Result<T, ProviderError> {
        let mut tries = 0;
        loop {
            let reply = self.http.call(call).await?;
            match read(&reply) {
                Ok(value) => return Ok(value),
                Err(error) => {
                    self.health.quarantine(format!("{what}: {error}"), &reply.body);
                    tries += 1;
                    if tries == GARBLED_TRIES {
                        let reason = format!("{what} cannot be read: {error}");
                        return Err(ProviderError::Retryable { venue: self.code, reason, retry_after_ms: None });
                    }
                }
            }
        }
    }
}

/// One connection of a stream.
pub struct Connection {
    pub pace: Pace,
    pub instruments: Arc<[InstrumentId]>,
    /// Makes the dialect of each connecting.
    pub dialect: Box<dyn Fn() -> Box<dyn Dialect> + Send + Sync>,
    /// Tells a quiet market from a silent stream, where the stream has no cadence.
    pub canary: Option<Canary>,
}

impl Connection {
    /// With somebody who asks the venue what is newest.
    #[must_use]
    pub fn watched_by(self, canary: Canary) -> Self {
        Self { canary: Some(canary), ..self }
    }
}

/// What is particular to a venue.
pub trait Kind: Send + Sync + 'static {
    fn capabilities(&self) -> &'static Capabilities;

    /// The candle lengths it serves on our grid.
    fn natives(&self, id: &InstrumentId) -> &'static [Native];

    /// Candles in one page.
    fn page_size(&self) -> usize;

    /// One page of candles of `plan.asked`: open times in [`from`, `to`). Rows outside, twice or out of order do no harm.
    fn page<'a>(
        &'a self,
        site: &'a Site,
        id: &'a InstrumentId,
        plan: &'a Plan,
        from: Timestamp,
        to: Timestamp,
    ) -> BoxFuture<'a, Result<Vec<Candle>, ProviderError>>;

    /// What the venue lists, where one answer holds all of it.
    fn listing(&self) -> Option<&Listing> {
        None
    }

    /// Asks for all that is listed.
    fn list<'a>(&'a self, site: &'a Site) -> BoxFuture<'a, Result<Vec<Instrument>, ProviderError>> {
        future::ready(Err(site.refused("it does not list its instruments"))).boxed()
    }

    /// One instrument: from the list, unless the venue is asked in another way.
    fn describe<'a>(
        &'a self,
        site: &'a Site,
        id: &'a InstrumentId,
    ) -> BoxFuture<'a, Result<Instrument, ProviderError>> {
        match self.listing() {
            Some(listing) => listing.describe(site, id, self.list(site)).boxed(),
            None => future::ready(Err(site.refused(format!("there is no instrument {id}")))).boxed(),
        }
    }

    /// Instruments by symbol or name: from the list, or the one of exactly this symbol.
    fn find<'a>(
        &'a self,
        site: &'a Site,
        text: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Instrument>, ProviderError>> {
        if let Some(listing) = self.listing() {
            return listing.find(text, limit, self.list(site)).boxed();
        }
        async move {
            let symbol = text.trim().to_uppercase();
            let Ok(id) = InstrumentId::new(&format!("{symbol}.{}", site.code)) else { return Ok(Vec::new()) };
            match self.describe(site, &id).await {
                Ok(instrument) => Ok(vec![instrument]),
                Err(ProviderError::Refused { .. }) => Ok(Vec::new()),
                Err(error) => Err(error),
            }
        }
        .boxed()
    }

    /// Follows an order book, see [`Provider::depth`].
    fn depth<'a>(
        &'a self,
        site: &'a Arc<Site>,
        id: &'a InstrumentId,
        _levels: usize,
        _depths: mpsc::Sender<Depth>,
    ) -> BoxFuture<'a, Result<(), ProviderError>> {
        future::ready(Err(site.refused(format!("it gives no order book of {id}")))).boxed()
    }

    fn source(&self, site: &Site, _: &InstrumentId) -> String {
        site.code.to_owned()
    }

    /// What is done to the prices of its candles.
    fn adjustment(&self) -> Adjustment {
        Adjustment::Raw
    }

    /// The connections that bring these instruments' events; none where there is nothing but asking.
    fn connections(&self, site: &Arc<Site>, instruments: &[InstrumentId]) -> Result<Vec<Connection>, ProviderError>;
}

/// A venue behind a network.
pub struct Venue<K> {
    pub site: Arc<Site>,
    pub kind: K,
}

impl<K: Kind> Venue<K> {
    fn check(&self, id: &InstrumentId) -> Result<(), ProviderError> {
        if id.venue() == self.site.code {
            return Ok(());
        }
        Err(self.site.refused(format!("{id} belongs to another venue")))
    }

    async fn history(&self, request: &CandleRequest) -> Result<Vec<Candle>, ProviderError> {
        let (site, id) = (&*self.site, &request.instrument);
        self.check(id)?;
        site.ask_time().await;
        // Who names an end that is over within what is known of the venue's time has it from the venue.
        let known = |now: Timestamp| request.to.filter(|to| *to > now && to.nanos_since(now) <= UNSURE).unwrap_or(now);
        let now = known(site.health.venue_now());
        let Some(plan) = history::plan(site.code, request, self.kind.natives(id), now)? else {
            return Ok(Vec::new());
        };
        let page = |from, to| self.kind.page(site, id, &plan, from, to);
        let rows = history::page_through(&plan, self.kind.page_size(), page).await?;
        // The answers may have told that our clock is further ahead of the venue's: a candle that is forming there is none.
        let now = now.min(known(site.health.venue_now()));
        let closed = history::plan(site.code, request, self.kind.natives(id), now)?;
        Ok(closed.map_or_else(Vec::new, |closed| history::within(&closed, rows)))
    }

    async fn listen(&self, instruments: &[InstrumentId], events: EventSink) -> Result<(), ProviderError> {
        instruments.iter().try_for_each(|id| self.check(id))?;
        let connections = self.kind.connections(&self.site, instruments)?;
        let _listening = Listening::new(&self.site.health, instruments.len());
        if connections.is_empty() {
            self.site.health.become_state(ProviderState::Live, "asked when a candle closes");
            events.closed().await;
            return Ok(());
        }
        let run = |connection: Connection| self.site.run(connection, events.clone());
        future::try_join_all(connections.into_iter().map(run)).await.map(drop)
    }
}

/// Says that nobody listens any more, however a stream ended; a refusal stays visible.
struct Listening<'a>(&'a Health);

impl<'a> Listening<'a> {
    fn new(health: &'a Health, instruments: usize) -> Self {
        health.subscribed(instruments);
        Self(health)
    }
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        if self.0.status().state != ProviderState::Down {
            self.0.become_state(ProviderState::Idle, "nobody listens");
        }
        self.0.subscribed(0);
    }
}

impl<K: Kind> Provider for Venue<K> {
    fn venue(&self) -> &'static str {
        self.site.code
    }
    fn capabilities(&self) -> &'static Capabilities {
        self.kind.capabilities()
    }
    fn instruments(&self) -> Vec<Instrument> {
        self.kind.listing().map(Listing::known).unwrap_or_default()
    }
    fn find<'a>(&'a self, text: &'a str, limit: usize) -> BoxFuture<'a, Result<Vec<Instrument>, ProviderError>> {
        self.kind.find(&self.site, text, limit)
    }
    fn depth<'a>(
        &'a self,
        instrument: &'a InstrumentId,
        levels: usize,
        depths: mpsc::Sender<Depth>,
    ) -> BoxFuture<'a, Result<(), ProviderError>> {
        match self.check(instrument) {
            Ok(()) => self.kind.depth(&self.site, instrument, levels, depths),
            Err(error) => future::ready(Err(error)).boxed(),
        }
    }
    fn describe<'a>(&'a self, id: &'a InstrumentId) -> BoxFuture<'a, Result<Instrument, ProviderError>> {
        match self.check(id) {
            Ok(()) => self.kind.describe(&self.site, id),
            Err(error) => future::ready(Err(error)).boxed(),
        }
    }
    fn source(&self, id: &InstrumentId) -> String {
        self.kind.source(&self.site, id)
    }
    fn candles<'a>(&'a self, request: &'a CandleRequest) -> BoxFuture<'a, Result<Vec<Candle>, ProviderError>> {
        self.history(request).boxed()
    }
    fn stream<'a>(
        &'a self,
        instruments: &'a [InstrumentId],
        events: EventSink,
    ) -> BoxFuture<'a, Result<(), ProviderError>> {
        self.listen(instruments, events).boxed()
    }
    fn adjustment(&self, _: &InstrumentId) -> Adjustment {
        self.kind.adjustment()
    }
    fn quarantine(&self, reason: &str, raw: &str) {
        self.site.health.quarantine(reason, raw.as_bytes());
    }
    fn refused(&self) -> Vec<Refused> {
        self.site.health.take_quarantined()
    }
    fn reconnect(&self, reason: &str) {
        self.site.gate.reconnect(reason);
    }
    fn clock_offset(&self) -> Option<i64> {
        self.site.health.clock_offset()
    }
    fn ask_time(&self) -> BoxFuture<'_, ()> {
        self.site.ask_time().boxed()
    }
    fn status(&self) -> ProviderStatus {
        self.site.health.status()
    }
}
