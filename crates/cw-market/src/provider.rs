//! What every source of market data implements.

use cw_core::{Candle, Instrument, InstrumentId, MarketEvent, Timeframe, Timestamp};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

/// Where a provider puts what it hears. Bounded: when it is full the provider waits, it never drops.
pub type EventSink = tokio::sync::mpsc::Sender<MarketEvent>;

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
    pub needs_credentials: bool,
    pub pacing: Pacing,
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
}

/// A source of instruments, history and live events.
pub trait Provider: Send + Sync {
    /// The venue's code as instrument ids carry it: `SIM`.
    fn venue(&self) -> &'static str;

    fn capabilities(&self) -> &'static Capabilities;

    /// The instruments known now.
    fn instruments(&self) -> Vec<Instrument>;

    /// Closed candles only; the one whose time is not over is never among them.
    fn candles<'a>(&'a self, request: &'a CandleRequest) -> BoxFuture<'a, Result<Vec<Candle>, ProviderError>>;

    /// Streams events of `instruments` into `events` until the receiver is gone (`Ok`) or the venue fails. The caller
    /// runs this future in a task of its own and stops it by dropping it.
    fn stream<'a>(
        &'a self,
        instruments: &'a [InstrumentId],
        events: EventSink,
    ) -> BoxFuture<'a, Result<(), ProviderError>>;

    fn status(&self) -> ProviderStatus;
}
