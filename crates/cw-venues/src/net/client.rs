//! HTTP as every venue gets it: budget, breaker, time limits, and retries of what may be asked twice.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cw_core::{Clock, Timestamp};
use cw_market::ProviderError;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use http::{HeaderMap, Method, StatusCode};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::Url;

use super::backoff::Backoff;
use super::breaker::{Breaker, Tolerance};
use super::budget::{Budget, Hint, Lane, Limits, Turn};
use super::health::Health;
use super::random::Random;

/// Tries of one call that may be repeated.
const TRIES: u32 = 4;
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(8);
/// Who is told to wait longer than this hears so instead of waiting in here.
const MOST_PATIENCE: Duration = Duration::from_mins(1);
/// What asking for the time may take, and when it is asked for again.
const TIME_PATIENCE: Duration = Duration::from_secs(5);
const TIME_AGAIN: Duration = Duration::from_secs(10);
/// How long a lockout lasts when the venue does not say.
const LOCKOUT: Duration = Duration::from_mins(2);

/// One request.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// What it costs of the venue's budget.
    pub weight: u32,
    pub lane: Lane,
    /// Answers that are taken whatever their status is.
    pub enough: fn(&Reply) -> bool,
}

impl Call {
    pub fn get(url: Url) -> Self {
        let (headers, body) = (HeaderMap::new(), Bytes::new());
        Self { method: Method::GET, url, headers, body, weight: 1, lane: Lane::Look, enough: |_| false }
    }

    /// Takes some answers whatever their status is.
    #[must_use]
    pub fn or(self, enough: fn(&Reply) -> bool) -> Self {
        Self { enough, ..self }
    }

    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        // A key with a line break in it is no key: the venue will say so.
        if let Ok(mut value) = http::HeaderValue::from_str(value) {
            value.set_sensitive(true);
            self.headers.insert(name, value);
        }
        self
    }

    #[must_use]
    pub const fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    #[must_use]
    pub const fn lane(mut self, lane: Lane) -> Self {
        self.lane = lane;
        self
    }
}

/// One answer, whole.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// No answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    #[error("{0}")]
    Failed(String),
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}

/// What carries a call.
pub trait Transport: Send + Sync {
    /// Sends and reads the whole answer, within the transport's time limits.
    fn send<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Reply, TransportError>>;

    /// Sends, and hands out the body as it comes.
    fn open<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<(Reply, Parts), TransportError>>;
}

/// A body that does not end.
pub type Parts = BoxStream<'static, Result<Bytes, TransportError>>;

/// What differs between venues.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    pub limits: Limits,
    /// Reads the budget from an answer's headers.
    pub hint: fn(&HeaderMap) -> Hint,
    /// The venue's own words in an error's body.
    pub explain: fn(&[u8]) -> Option<String>,
    /// What an answer means where its status does not say it.
    pub meaning: fn(&Reply) -> Meaning,
    /// How long to wait, at first and at most, after an answer that asks for patience and does not say how much; each of
    /// them is a failure then. `None` = for the budget's window, of a venue that is well.
    pub throttled: Option<(Duration, Duration)>,
    pub tolerance: Tolerance,
    /// Calls under way at the same time.
    pub at_once: usize,
}

impl Manner {
    /// Of a venue that does as the others do; what it allows is its own.
    pub const USUAL: Self = Self {
        limits: Limits { per_window: 60, window: Duration::from_mins(1), spacing: Duration::ZERO },
        hint: |_| Hint::NONE,
        explain: |_| None,
        meaning: |_| Meaning::Plain,
        throttled: None,
        tolerance: Tolerance::USUAL,
        at_once: Semaphore::MAX_PERMITS,
    };
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// What its status says.
    Plain,
    /// Come again later, for this reason.
    Busy(&'static str),
    /// Nothing that we could do will change it.
    Closed(&'static str),
}

pub struct HttpClient {
    venue: &'static str,
    transport: Arc<dyn Transport>,
    manner: Manner,
    pub budget: Arc<Budget>,
    pub breaker: Arc<Breaker>,
    health: Arc<Health>,
    clock: Arc<dyn Clock>,
    random: Random,
    /// The waits of a venue that asks for patience and does not say how much.
    throttled: Mutex<Backoff>,
    /// When the time was asked for last, and how often our clock had been set by then.
    time_asked: tokio::sync::Mutex<Option<(Instant, u64)>>,
}

impl HttpClient {
    pub fn new(
        venue: &'static str,
        transport: Arc<dyn Transport>,
        manner: Manner,
        health: Arc<Health>,
        clock: Arc<dyn Clock>,
        random: Random,
    ) -> Self {
        let budget = Arc::new(Budget::new(manner.limits).at_once(manner.at_once));
        let breaker = Arc::new(Breaker::new(manner.tolerance, random.clone()));
        health.watch(Arc::clone(&budget), Arc::clone(&breaker));
        let (first, most) = manner.throttled.unwrap_or((LOCKOUT, LOCKOUT));
        Self {
            venue,
            transport,
            manner,
            budget,
            breaker,
            health,
            clock,
            random,
            throttled: Mutex::new(Backoff::new(first, most)),
            time_asked: tokio::sync::Mutex::default(),
        }
    }

    /// Makes a call; the answer has a status below 300, or is one that the call takes. Calls that read are repeated, others
    /// never: whether an order arrived is asked, not tried again.
    pub async fn call(&self, call: &Call) -> Result<Reply, ProviderError> {
        let tries = if call.method.is_safe() { TRIES } else { 1 };
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
        loop {
            let last = backoff.tries() + 1 >= tries;
            let (error, told) = match self.once(call).await {
                Ok(reply) => return Ok(reply),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Again { error, told }) => (error, told),
            };
            // Once the breaker is open, what opened it says more than that it is.
            if last || told.is_some_and(|told| told > MOST_PATIENCE) || self.breaker.left().is_some() {
                return Err(error);
            }
            let wait = backoff.next(&self.random);
            tokio::time::sleep(told.map_or(wait, |told| told.max(wait))).await;
        }
    }

    /// Opens a body that does not end. Not repeated here: who reads it comes back by its own rules.
    pub async fn open(&self, call: &Call) -> Result<Parts, ProviderError> {
        let _turn = self.admit(call).await?;
        let probe = Probe::new(&self.breaker);
        let (reply, parts) = match self.transport.open(call).await {
            Ok(opened) => opened,
            Err(error) => return Err(probe.failed(self.retryable(error.to_string(), None))),
        };
        match self.judge(call, reply, probe) {
            Ok(_) => Ok(parts),
            Err(Failure::Final(error) | Failure::Again { error, .. }) => Err(error),
        }
    }

    async fn once(&self, call: &Call) -> Result<Reply, Failure> {
        let _turn = self.admit(call).await.map_err(Failure::Final)?;
        let outcome = self.sent(call).await;
        if let Err(Failure::Final(error) | Failure::Again { error, .. }) = &outcome {
            self.health.failed(error.to_string());
        }
        outcome
    }

    async fn sent(&self, call: &Call) -> Result<Reply, Failure> {
        let probe = Probe::new(&self.breaker);
        let asked = self.clock.steady();
        match self.transport.send(call).await {
            Ok(reply) => {
                self.health.heard(self.clock.now());
                self.measure_clock(asked, &reply);
                self.judge(call, reply, probe)
            }
            Err(error @ TransportError::TooLarge(_)) => {
                probe.answered();
                Err(Failure::Final(ProviderError::Refused { venue: self.venue, reason: error.to_string() }))
            }
            Err(error) => {
                let error = probe.failed(self.retryable(error.to_string(), None));
                Err(Failure::Again { error, told: None })
            }
        }
    }

    async fn admit(&self, call: &Call) -> Result<Turn<'_>, ProviderError> {
        let told =
            |wait: Duration| self.retryable(format!("it wants no request for {} s more", wait.as_secs()), Some(wait));
        let turn = self.budget.take(call.weight, call.lane, MOST_PATIENCE).await.map_err(told)?;
        let open = |wait: Duration| {
            let reason = format!("it failed several times in a row and is left alone for {} s more", wait.as_secs());
            self.retryable(reason, Some(wait))
        };
        self.breaker.admit().map_err(open)?;
        Ok(turn)
    }

    fn judge(&self, call: &Call, reply: Reply, probe: Probe<'_>) -> Result<Reply, Failure> {
        let hint = (self.manner.hint)(&reply.headers);
        self.budget.learn(hint);
        let told = retry_after(&reply.headers, self.clock.now());
        let status = reply.status;
        let locked_out = matches!(status.as_u16(), 418 | 999);
        let throttled = locked_out || status == StatusCode::TOO_MANY_REQUESTS;
        if (call.enough)(&reply) && !throttled {
            probe.answered();
            return Ok(reply);
        }
        let meaning = (self.manner.meaning)(&reply);
        if status.is_success() && meaning == Meaning::Plain {
            probe.answered();
            self.throttled.lock().reset();
            return Ok(reply);
        }
        let words = match meaning {
            Meaning::Plain => (self.manner.explain)(&reply.body).unwrap_or_else(|| excerpt(&reply.body)),
            Meaning::Busy(words) | Meaning::Closed(words) => words.to_owned(),
        };
        let name = status.canonical_reason().map(|name| format!(" {name}")).unwrap_or_default();
        let reason = format!("{}{name}: {words}", status.as_u16());
        if throttled || matches!(meaning, Meaning::Busy(_)) {
            let told = if locked_out { told } else { told.or(hint.wait) };
            return Err(self.asked_to_wait(reason, told, locked_out, probe));
        }
        if matches!(meaning, Meaning::Closed(_)) {
            probe.answered();
            return Err(Failure::Final(ProviderError::Fatal { venue: self.venue, reason }));
        }
        if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
            if let Some(wait) = told {
                self.budget.hold(wait);
            }
            let error = probe.failed(self.retryable(reason, told));
            return Err(Failure::Again { error, told });
        }
        probe.answered();
        let venue = self.venue;
        Err(Failure::Final(match status {
            StatusCode::UNAUTHORIZED => ProviderError::Fatal { venue, reason },
            _ => ProviderError::Refused { venue, reason },
        }))
    }

    /// The venue wants no calls for a while: those for data wait, all of them where it locks us out.
    fn asked_to_wait(&self, reason: String, told: Option<Duration>, all: bool, probe: Probe<'_>) -> Failure {
        let (wait, failure) = match told {
            Some(told) => (told, false),
            None if self.manner.throttled.is_some() => (self.throttled.lock().next(&self.random), true),
            None => (if all { LOCKOUT } else { self.budget.window() }, false),
        };
        let error = self.retryable(reason, Some(wait));
        // The breaker first: who waits for the budget then finds it ready.
        let error = if failure {
            probe.failed_for(wait, error)
        } else {
            probe.answered();
            error
        };
        if all {
            self.budget.silence(wait);
        } else {
            self.budget.hold(wait);
        }
        Failure::Again { error, told: Some(wait) }
    }

    fn retryable(&self, reason: String, told: Option<Duration>) -> ProviderError {
        let retry_after_ms = told.map(|told| u64::try_from(told.as_millis()).unwrap_or(u64::MAX));
        ProviderError::Retryable { venue: self.venue, reason, retry_after_ms }
    }

    fn measure_clock(&self, asked: i64, reply: &Reply) {
        let date = reply.headers.get(http::header::DATE).and_then(|date| date.to_str().ok()).and_then(http_date);
        if let Some(date) = date {
            self.health.measured_clock(asked, date);
        }
    }

    /// Finds out what time it is at the venue, unless that is known: every answer says so, whatever it is about. Asked once,
    /// and again after our clock was set, or after a while where nobody answered.
    pub async fn ask_time(&self, at: &Url) {
        if self.health.clock_offset().is_some() {
            return;
        }
        let mut asked = self.time_asked.lock().await;
        let settings = self.health.clock_settings();
        let recently = |(when, of): (Instant, u64)| of == settings && when.elapsed() < TIME_AGAIN;
        if self.health.clock_offset().is_some() || asked.is_some_and(recently) {
            return;
        }
        *asked = Some((Instant::now(), settings));
        let call = Call { method: Method::HEAD, ..Call::get(at.clone()) }.lane(Lane::Follow);
        // Without an answer it stays unknown; a refusal has a date as well.
        let asking = async {
            let _turn = self.admit(&call).await?;
            Ok::<_, ProviderError>(self.sent(&call).await)
        };
        let _told = tokio::time::timeout(TIME_PATIENCE, asking).await;
    }
}

enum Failure {
    Final(ProviderError),
    Again { error: ProviderError, told: Option<Duration> },
}

/// Tells the breaker how a call ended, also when it was dropped half-way.
struct Probe<'a>(Option<&'a Breaker>);

impl<'a> Probe<'a> {
    const fn new(breaker: &'a Breaker) -> Self {
        Self(Some(breaker))
    }
    fn answered(mut self) {
        self.0.take().into_iter().for_each(Breaker::succeeded);
    }
    fn failed(self, error: ProviderError) -> ProviderError {
        self.failed_for(Duration::ZERO, error)
    }
    /// With how long the venue is to be left alone.
    fn failed_for(mut self, least: Duration, error: ProviderError) -> ProviderError {
        self.0.take().into_iter().for_each(|breaker| breaker.failed(least));
        error
    }
}

impl Drop for Probe<'_> {
    fn drop(&mut self) {
        self.0.into_iter().for_each(Breaker::abandoned);
    }
}

/// The start of a body that nobody can read, for a message.
fn excerpt(body: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(body).chars().filter(|c| !c.is_control()).take(160).collect();
    if text.is_empty() { "no explanation".to_owned() } else { text }
}

/// `Retry-After`: seconds or a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(u64::from(seconds)));
    }
    let until = http_date(text)?;
    Some(Duration::from_nanos(u64::try_from(until.nanos_since(now)).unwrap_or(0)))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7).
pub fn http_date(text: &str) -> Option<Timestamp> {
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    i64::try_from(date.timestamp().as_nanosecond()).ok().map(Timestamp::from_nanos)
}

#[cfg(test)]
mod tests;
