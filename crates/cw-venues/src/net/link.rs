//! A stream that comes back: connects, signs in, subscribes, listens, notices silence, and begins anew.

use std::sync::Arc;
use std::time::Duration;

use cw_core::{Clock, InstrumentId, Timestamp};
use cw_market::{EventSink, FeedEvent, ProviderError, ProviderState};
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;
use url::Url;

use super::backoff::Backoff;
use super::canary::Quiet;
use super::client::HttpClient;
use super::health::Health;
use super::random::Random;
use super::wire::{Frame, Wire};

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It may work again: connect anew.
    #[error("{0}")]
    Lost(String),
    /// It will not: the key is wrong, the plan does not include the feed.
    #[error("{0}")]
    Refused(String),
}

/// What a dialect makes of a message.
#[derive(Debug, Default)]
pub struct Out {
    pub events: Vec<FeedEvent>,
    /// To be sent back.
    pub replies: Vec<String>,
    /// Subscriptions (by their place in the list) that were heard from.
    pub heard: Vec<usize>,
    /// Everything is subscribed; said once per connection.
    pub ready: bool,
}

/// One venue's way of talking over a connection. Made anew for every connection, so that nothing is left of the last one.
pub trait Dialect: Send {
    fn connect(&mut self) -> BoxFuture<'_, Result<Box<dyn Wire>, LinkError>>;
    /// What is said first.
    fn greet(&mut self, out: &mut Out);
    /// Takes a message. What it does not understand it counts, and goes on; an error ends the connection.
    fn on_data(&mut self, data: &[u8], now: Timestamp, out: &mut Out) -> Result<(), LinkError>;
}

/// How long what may take.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// From connecting to being subscribed.
    pub handshake: Duration,
    /// Between two messages of any kind, pulses included.
    pub silence: Duration,
    /// How often a pulse is asked for; `None` where the venue has a heartbeat of its own.
    pub ping: Option<Duration>,
    /// Between two messages of one subscription, where the venue has a cadence; `None` where a market may be quiet.
    pub cadence: Option<Duration>,
    /// After this long the connection is made anew, before the venue cuts it.
    pub lifetime: Option<Duration>,
    pub first_wait: Duration,
    pub longest_wait: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(10),
            silence: Duration::from_secs(10),
            ping: Some(Duration::from_secs(4)),
            cadence: None,
            lifetime: None,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
        }
    }
}

/// Asks the venue, by request, when it last heard of each of these instruments; `None` where it does not say.
pub type Canary =
    Arc<dyn Fn(Vec<InstrumentId>) -> BoxFuture<'static, Result<Vec<Option<Timestamp>>, ProviderError>> + Send + Sync>;

/// Lets others end a connection that only looks alive.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<(Notify, Mutex<String>)>);

impl Gate {
    pub fn reconnect(&self, reason: &str) {
        reason.clone_into(&mut self.0.1.lock());
        self.0.0.notify_waiters();
    }

    async fn closed(&self) -> String {
        self.0.0.notified().await;
        self.0.1.lock().clone()
    }
}

/// What a stream needs besides its dialect.
pub struct Link<'a> {
    pub venue: &'static str,
    pub pace: Pace,
    /// What this connection is about; a dialect counts its subscriptions by their place in here.
    pub instruments: Arc<[InstrumentId]>,
    pub events: &'a EventSink,
    pub health: &'a Health,
    pub clock: &'a dyn Clock,
    pub random: &'a Random,
    pub gate: &'a Gate,
    pub canary: Option<&'a Canary>,
    /// Where the venue can be asked for its time.
    pub time: Option<(&'a HttpClient, Url)>,
}

/// Streams until the receiver is gone or the venue refuses for good.
pub async fn run(link: &Link<'_>, mut dialect: impl FnMut() -> Box<dyn Dialect>) -> Result<(), ProviderError> {
    let mut backoff = Backoff::new(link.pace.first_wait, link.pace.longest_wait);
    loop {
        link.health.become_state(ProviderState::Connecting, "connecting");
        // What a connection tells is dated by the venue's clock.
        tokio::select! {
            biased;
            () = link.events.closed() => return Ok(()),
            () = async { if let Some((http, at)) = &link.time { http.ask_time(at).await } } => {}
        }
        let mut was_ready = false;
        let ended = tokio::select! {
            biased;
            () = link.events.closed() => return Ok(()),
            reason = link.gate.closed() => Err(LinkError::Lost(reason)),
            ended = connection(link, dialect(), &mut was_ready) => ended,
        };
        let reason = match ended {
            Ok(()) => return Ok(()),
            Err(LinkError::Refused(reason)) => {
                link.health.failed(reason.clone());
                link.health.become_state(ProviderState::Down, reason.clone());
                return Err(ProviderError::Fatal { venue: link.venue, reason });
            }
            Err(LinkError::Lost(reason)) => reason,
        };
        tracing::warn!(target: "venues", venue = link.venue, reason, "the stream was lost");
        link.health.failed(reason.clone());
        if was_ready {
            backoff.reset();
            let lost = FeedEvent::Lost {
                at: link.health.venue_now(),
                instruments: Arc::clone(&link.instruments),
                reason: reason.clone(),
            };
            if link.events.send(lost).await.is_err() {
                return Ok(());
            }
        }
        link.health.become_state(ProviderState::Connecting, format!("connecting again: {reason}"));
        tokio::select! {
            biased;
            () = link.events.closed() => return Ok(()),
            () = tokio::time::sleep(backoff.next(link.random)) => {}
        }
    }
}

async fn connection(link: &Link<'_>, mut dialect: Box<dyn Dialect>, was_ready: &mut bool) -> Result<(), LinkError> {
    let pace = &link.pace;
    let begun = Instant::now();
    let handshake = begun + pace.handshake;
    let late = |_| LinkError::Lost("the venue took too long to sign us in".to_owned());
    let mut wire = tokio::time::timeout_at(handshake, dialect.connect()).await.map_err(late)??;
    let mut out = Out::default();
    dialect.greet(&mut out);
    let mut watch = Watch::new(pace, &link.instruments, begun);
    let mut quiet = Quiet::new(link, begun);
    loop {
        for reply in out.replies.drain(..) {
            let sent = tokio::time::timeout(pace.silence, wire.send(reply)).await;
            sent.map_err(|_| LinkError::Lost("the venue does not read what we send".to_owned()))??;
        }
        if std::mem::take(&mut out.ready) && !*was_ready {
            *was_ready = true;
            watch.ready(Instant::now());
            quiet.ready(Instant::now());
            link.health.become_state(ProviderState::Live, "streaming");
            // Before anything that came with it.
            out.events.insert(
                0,
                FeedEvent::Connected { at: link.health.venue_now(), instruments: Arc::clone(&link.instruments) },
            );
        }
        let newest = out.events.iter().filter_map(event_time).max();
        link.health.handed_over(out.events.len(), newest);
        for event in out.events.drain(..) {
            if link.events.send(event).await.is_err() {
                return Ok(());
            }
        }
        quiet.heard(&out.heard, Instant::now());
        watch.heard(&mut out.heard, Instant::now());
        let deadline = watch.deadline(*was_ready).min(quiet.deadline(*was_ready));
        tokio::select! {
            biased;
            frame = wire.next() => {
                let now = link.clock.now();
                link.health.heard(now);
                watch.alive(Instant::now());
                if let Frame::Data(data) = frame? {
                    dialect.on_data(&data, now, &mut out)?;
                }
            }
            told = quiet.told() => quiet.suspect(&told),
            () = tokio::time::sleep_until(deadline) => {
                quiet.look(*was_ready)?;
                if deadline < watch.deadline(*was_ready) {
                    continue;
                }
                if watch.due(*was_ready, Instant::now())? {
                    wire.ping().await?;
                }
            }
        }
    }
}

fn event_time(event: &FeedEvent) -> Option<Timestamp> {
    match event {
        FeedEvent::Market(event) => Some(match event.kind {
            cw_core::MarketEventKind::Trade(trade) => trade.event_time,
            cw_core::MarketEventKind::Quote(quote) => quote.event_time,
        }),
        FeedEvent::Candle { timeframe, candle, .. } => Some(timeframe.close_time(candle.open_time)),
        FeedEvent::Forming { received_at, .. } => Some(*received_at),
        FeedEvent::Book(diff) => Some(diff.event_time),
        FeedEvent::Mark { event_time, .. } => Some(*event_time),
        FeedEvent::News(item) => Some(item.published_at),
        FeedEvent::Connected { .. } | FeedEvent::Lost { .. } | FeedEvent::TradeRevised { .. } => None,
    }
}

/// When was what heard last, and what is overdue.
struct Watch<'a> {
    pace: &'a Pace,
    instruments: &'a [InstrumentId],
    begun: Instant,
    any: Instant,
    pinged: Instant,
    each: Vec<Instant>,
}

impl<'a> Watch<'a> {
    fn new(pace: &'a Pace, instruments: &'a [InstrumentId], now: Instant) -> Self {
        let each = if pace.cadence.is_some() { vec![now; instruments.len()] } else { Vec::new() };
        Self { pace, instruments, begun: now, any: now, pinged: now, each }
    }
    fn ready(&mut self, now: Instant) {
        self.each.fill(now);
    }
    const fn alive(&mut self, now: Instant) {
        self.any = now;
    }
    fn heard(&mut self, heard: &mut Vec<usize>, now: Instant) {
        for index in heard.drain(..) {
            if let Some(at) = self.each.get_mut(index) {
                *at = now;
            }
        }
    }

    /// When to look again.
    fn deadline(&self, ready: bool) -> Instant {
        if !ready {
            return self.begun + self.pace.handshake;
        }
        let cadence = self.pace.cadence.and_then(|cadence| Some(*self.each.iter().min()? + cadence));
        [
            Some(self.any + self.pace.silence),
            self.pace.ping.map(|ping| self.any.max(self.pinged) + ping),
            cadence,
            self.pace.lifetime.map(|lifetime| self.begun + lifetime),
        ]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(self.any + self.pace.silence)
    }

    /// Whether a pulse is to be asked for; an error when something is overdue.
    fn due(&mut self, ready: bool, now: Instant) -> Result<bool, LinkError> {
        let lost = |reason: String| Err(LinkError::Lost(reason));
        if !ready {
            return lost("the venue took too long to sign us in".to_owned());
        }
        if now >= self.any + self.pace.silence {
            return lost(format!("silent for {} s", self.pace.silence.as_secs()));
        }
        if let Some(cadence) = self.pace.cadence
            && let Some(place) = self.each.iter().position(|at| now >= *at + cadence)
        {
            return lost(format!("{} was silent for {} s", self.instruments[place], cadence.as_secs()));
        }
        if self.pace.lifetime.is_some_and(|lifetime| now >= self.begun + lifetime) {
            return lost("it was made anew before the venue ends it".to_owned());
        }
        let ping = self.pace.ping.is_some_and(|ping| now >= self.any.max(self.pinged) + ping);
        if ping {
            self.pinged = now;
        }
        Ok(ping)
    }
}

#[cfg(test)]
mod tests;
