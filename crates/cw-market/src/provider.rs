//! What every source of market data implements.

use std::sync::Arc;

use cw_core::{
    Adjustment, Candle, Instrument, InstrumentId, MarketEvent, NewsItem, Price, Quantity, Ratio, Timeframe, Timestamp,
};
use futures_util::future::{self, BoxFuture, FutureExt};
use serde::{Deserialize, Serialize};

use crate::book::{BookDiff, Depth};

/// Where a provider puts what it hears. Bounded: when it is full the provider waits, it never drops.
pub type EventSink = tokio::sync::mpsc::Sender<FeedEvent>;

/// What comes out of a provider's stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedEvent {
    /// A connection is up and these are subscribed. What happened to them while there was none is missing.
    Connected {
        at: Timestamp,
        instruments: Arc<[InstrumentId]>,
    },
    /// The connection is gone; the provider is looking for another one.
    Lost {
        at: Timestamp,
        instruments: Arc<[InstrumentId]>,
        reason: String,
    },
    Market(MarketEvent),
    /// A closed candle as the venue computed it. The same open time may come again with other values: a revision.
    Candle {
        instrument: InstrumentId,
        timeframe: Timeframe,
        candle: Candle,
        received_at: Timestamp,
    },
    /// A trade told before was wrong, or never was (`replacement` is `None`).
    TradeRevised {
        instrument: InstrumentId,
        trade_id: u64,
        replacement: Option<(Price, Quantity)>,
    },
    /// The price that margin and funding follow, where it is not the last trade's.
    Mark {
        instrument: InstrumentId,
        event_time: Timestamp,
        price: Price,
        funding: Option<Funding>,
    },
    /// A candle whose time is not over, where the venue tells of one that we do not make ourselves.
    Forming {
        instrument: InstrumentId,
        timeframe: Timeframe,
        candle: Candle,
        received_at: Timestamp,
    },
    /// Levels of an order book changed.
    Book(Box<BookDiff>),
    /// What a publisher wrote.
    News(Box<NewsItem>),
}

/// What holders of a position pay one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Funding {
    /// Of the position's value, as it stands now; above zero those who are long pay.
    pub rate: Ratio,
    pub next: Timestamp,
}

impl FeedEvent {
    /// The trade or quote, when it is one.
    pub fn market(self) -> Option<MarketEvent> {
        if let Self::Market(event) = self { Some(event) } else { None }
    }
}

impl From<MarketEvent> for FeedEvent {
    fn from(event: MarketEvent) -> Self {
        Self::Market(event)
    }
}

/// Which candles are wanted: open times in [`from`, `to`), oldest first, at most the newest `limit` of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CandleRequest {
    pub instrument: InstrumentId,
    pub timeframe: Timeframe,
    /// `None` = as far back as `limit` reaches.
    pub from: Option<Timestamp>,
    /// `None` = up to now.
    pub to: Option<Timestamp>,
    pub limit: usize,
    pub purpose: Purpose,
}

/// What candles are asked for. A venue lets us ask so many times a minute, and who fetches years of history or looks at
/// charts leaves a part of that to what is more urgent: a followed instrument is not late for it. The most urgent is last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Purpose {
    /// History by the year.
    Fetch,
    /// A chart, or what else somebody waits for.
    #[default]
    Look,
    /// Keeping a followed instrument current.
    Follow,
}

/// What a caller can do about a provider's failure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// Nothing is wrong with the request: the network, a time limit, a rate limit. Ask again.
    #[error("{venue} did not answer: {reason}")]
    Retryable {
        venue: &'static str,
        reason: String,
        /// How long the venue asks us to wait, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// The venue, or we, cannot do what was asked. Asking again changes nothing.
    #[error("{venue} refused: {reason}")]
    Refused { venue: &'static str, reason: String },
    /// The provider cannot go on: credentials were revoked, the protocol changed.
    #[error("{venue} failed: {reason}")]
    Fatal { venue: &'static str, reason: String },
}

impl ProviderError {
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Retryable { .. })
    }
}

/// What a provider's clock follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pacing {
    /// Events come as they happen.
    RealTime,
    /// Events come late by agreement (delayed feeds).
    Delayed,
    /// The provider has a clock of its own that may run faster or stop.
    Simulated,
}

/// What a provider can do, declared once and read by routing, commands and documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Capabilities {
    /// Streams public trades.
    pub trades: bool,
    /// Streams best bid and ask.
    pub quotes: bool,
    /// Finest candle it serves, as text; `None` = no history.
    pub finest_candle: Option<&'static str>,
    /// Most candles per request.
    pub max_candles: usize,
    /// Serves any timeframe itself; otherwise we fold.
    pub any_timeframe: bool,
    /// Daily candles of shares are the exchange's sessions, by their date; otherwise they are days of UTC.
    pub session_days: bool,
    pub needs_credentials: bool,
    pub pacing: Pacing,
    /// Streams closed one-minute candles; otherwise they are asked for when their time is over.
    pub streams_candles: bool,
    /// Every minute has a candle: one that is missing was lost, not quiet.
    pub dense: bool,
    /// How long after a minute's end its candle may come before it is asked for, in milliseconds.
    pub candle_delay_ms: u32,
    /// What a person must know about this source, in a sentence; empty = nothing.
    pub notice: &'static str,
}

/// How a provider's connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderState {
    /// Nobody subscribed.
    Idle,
    Connecting,
    Live,
    /// Connected but behind or partly missing.
    Degraded,
    Down,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProviderStatus {
    pub state: ProviderState,
    /// One sentence for people.
    pub detail: String,
    /// Event time of the newest event handed over.
    pub last_event: Option<Timestamp>,
    /// Events handed over since start.
    pub events: u64,
    /// Only of providers behind a network.
    pub connection: Option<ConnectionStatus>,
}

/// How calls to a venue fare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    #[default]
    Closed,
    /// One call is let through to see whether the venue is back.
    HalfOpen,
    /// No call is made.
    Open,
}

/// What is known of a venue at the other end of a network.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ConnectionStatus {
    /// Since when the state is what it is.
    pub since: Option<Timestamp>,
    pub reconnects: u64,
    /// Our clock when the last frame or answer came in.
    pub last_message: Option<Timestamp>,
    pub subscriptions: u32,
    pub breaker: BreakerState,
    /// Of the venue's request budget: what is left, of how much.
    pub budget_left: u32,
    pub budget_limit: u32,
    /// Until when no data are asked for: the venue wants it so, or it failed too often.
    pub held_until: Option<Timestamp>,
    /// The venue's clock less ours, in milliseconds; `None` until it was measured.
    pub clock_offset_ms: Option<i64>,
    /// Rows and frames that were not taken, since start.
    pub quarantined: u64,
    /// The newest reason, with the text it was about.
    pub last_quarantine: Option<String>,
    /// What went wrong last, and when by our clock.
    pub last_error: Option<String>,
    pub last_error_at: Option<Timestamp>,
}

/// Something a provider sent that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Our clock when it came in.
    pub at: Timestamp,
    pub reason: String,
    /// Its beginning, as it came.
    pub raw: String,
}

/// A source of instruments, history and live events.
pub trait Provider: Send + Sync {
    /// The venue's code as instrument ids carry it: `SIM`.
    fn venue(&self) -> &'static str;

    fn capabilities(&self) -> &'static Capabilities;

    /// The instruments known now, without asking the venue.
    fn instruments(&self) -> Vec<Instrument>;

    /// The specification of one instrument, asked of the venue where it is not known yet.
    fn describe<'a>(&'a self, id: &'a InstrumentId) -> BoxFuture<'a, Result<Instrument, ProviderError>> {
        let known = self.instruments().into_iter().find(|i| i.id == *id);
        let refused = || ProviderError::Refused { venue: self.venue(), reason: format!("there is no instrument {id}") };
        future::ready(known.ok_or_else(refused)).boxed()
    }

    /// Instruments whose symbol or name contains `text`, at most `limit`; asked of the venue where it can be. One that can
    /// neither list nor search knows the exact symbol alone.
    fn find<'a>(&'a self, text: &'a str, limit: usize) -> BoxFuture<'a, Result<Vec<Instrument>, ProviderError>> {
        let mut all = self.instruments();
        all.retain(|instrument| matches(instrument, text));
        all.truncate(limit);
        future::ready(Ok(all)).boxed()
    }

    /// Puts the best `levels` of an instrument's book into `depths` whenever they changed, until the receiver is gone. A
    /// book that may be wrong is asked for again before anything more is told.
    fn depth<'a>(
        &'a self,
        instrument: &'a InstrumentId,
        _levels: usize,
        _depths: tokio::sync::mpsc::Sender<Depth>,
    ) -> BoxFuture<'a, Result<(), ProviderError>> {
        let reason = format!("it gives no order book of {instrument}");
        future::ready(Err(ProviderError::Refused { venue: self.venue(), reason })).boxed()
    }

    /// Who gave a candle, as it is stored beside it. More than the venue where one venue has several feeds that must not
    /// be mixed: `ALPACA:iex`.
    fn source(&self, _: &InstrumentId) -> String {
        self.venue().to_owned()
    }

    /// What is done to the prices of its candles.
    fn adjustment(&self, _: &InstrumentId) -> Adjustment {
        Adjustment::Raw
    }

    /// The newest of what was not taken since this was asked last.
    fn refused(&self) -> Vec<Refused> {
        Vec::new()
    }

    /// Counts something of it that was not taken, with why, and its beginning.
    fn quarantine(&self, _reason: &str, _raw: &str) {}

    /// Closed candles only; the one whose time is not over is never among them.
    fn candles<'a>(&'a self, request: &'a CandleRequest) -> BoxFuture<'a, Result<Vec<Candle>, ProviderError>>;

    /// Streams events of `instruments` into `events` until the receiver is gone (`Ok`) or the venue refuses for good. A
    /// connection that breaks is made again, as often as it takes; [`FeedEvent::Connected`] tells of each. The caller runs
    /// this future in a task of its own and stops it by dropping it.
    fn stream<'a>(
        &'a self,
        instruments: &'a [InstrumentId],
        events: EventSink,
    ) -> BoxFuture<'a, Result<(), ProviderError>>;

    /// Drops a connection that looks alive but is not believed, for the reason given; the stream makes a new one.
    fn reconnect(&self, _reason: &str) {}

    /// How much the venue's clock is ahead of ours, in nanoseconds; `None` as long as nobody knows. Zero where the two agree as
    /// far as can be told.
    fn clock_offset(&self) -> Option<i64> {
        Some(0)
    }

    /// Asks the venue what time it is, unless that is known. What cannot be found out stays unknown.
    fn ask_time(&self) -> BoxFuture<'_, ()> {
        future::ready(()).boxed()
    }

    /// What the venue's clock shows when ours shows `ours`; ours while the difference is not known.
    fn venue_time(&self, ours: Timestamp) -> Timestamp {
        ours.plus_nanos(self.clock_offset().unwrap_or(0))
    }

    fn status(&self) -> ProviderStatus;
}

/// Whether an instrument's symbol, name or base contains a text, in any case.
pub fn matches(instrument: &Instrument, text: &str) -> bool {
    let text = text.trim().to_lowercase();
    let has = |field: &str| field.to_lowercase().contains(&text);
    has(instrument.id.as_str()) || has(&instrument.name) || has(&instrument.base)
}
