//! The simulated market as a [`Provider`].

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering};

use cw_core::{
    Candle, Clock, Instrument, InstrumentId, MarketEvent, MarketEventKind, Price, Timeframe, Timestamp, Volume,
};
use cw_market::{
    CandleRequest, Capabilities, EventSink, Pacing, Provider, ProviderError, ProviderState, ProviderStatus,
};
use futures_util::future::BoxFuture;

use super::clock::{MarketClock, Speed};
use super::market::{MINUTE, MinuteBar, Reader, SimMarket, Stock};
use super::ticks::{self, Tick};

pub(super) const VENUE: &str = "SIM";
/// History begins on 2015-01-01.
const FIRST: Timestamp = Timestamp::from_secs(1_420_070_400);
const MAX_CANDLES: usize = 100_000;
/// Other tasks get a turn after this many simulated minutes: a few milliseconds.
const MINUTES_PER_TURN: i64 = 20_000;
/// Market time waits for listeners that are further behind than this much of our time.
const HOLD_AFTER: i64 = 2 * Timestamp::NANOS_PER_SECOND;
/// After so many trades the clock is looked at again.
const TRADES_PER_LOOK: usize = 256;

static CAPABILITIES: Capabilities = Capabilities {
    trades: true,
    quotes: true,
    finest_candle: Some("1s"),
    max_candles: MAX_CANDLES,
    any_timeframe: true,
    session_days: false,
    needs_credentials: false,
    pacing: Pacing::Simulated,
    streams_candles: false,
    dense: true,
    candle_delay_ms: 0,
    notice: "",
};

/// History and live events of a [`SimMarket`] under a [`MarketClock`].
///
/// A stream begins with the first trade of the minute in which it is opened, so that history up to that minute and the
/// stream together miss nothing. Event times are market time; a listener that does not keep up slows market time down.
#[derive(Debug)]
pub struct SimProvider {
    market: SimMarket,
    clock: MarketClock,
    state: AtomicU8,
    last_event: AtomicI64,
    events: AtomicU64,
}

impl SimProvider {
    /// `resume` is the newest market time of an earlier run under the same seed, see [`MarketClock::new`].
    pub fn new(seed: u64, clock: Arc<dyn Clock>, resume: Option<Timestamp>) -> Self {
        Self {
            market: SimMarket::new(seed),
            clock: MarketClock::new(clock, resume),
            state: AtomicU8::new(IDLE),
            last_event: AtomicI64::new(i64::MIN),
            events: AtomicU64::new(0),
        }
    }

    pub const fn market(&self) -> &SimMarket {
        &self.market
    }

    pub const fn clock(&self) -> &MarketClock {
        &self.clock
    }

    pub fn set_speed(&self, speed: Speed) {
        self.clock.set_speed(speed);
    }

    fn stock(&self, id: &InstrumentId) -> Result<&Stock, ProviderError> {
        self.market.stock(id).ok_or_else(|| refused(format!("there is no instrument {id}")))
    }

    async fn history(&self, request: &CandleRequest) -> Result<Vec<Candle>, ProviderError> {
        let stock = self.stock(&request.instrument)?;
        let Some((from, to)) = range(request, self.clock.now()) else { return Ok(Vec::new()) };
        let mut reader = stock.reader();
        let mut fold = Fold::new(request.timeframe);
        let whole_minutes = request.timeframe.is_multiple_of(Timeframe::M1);
        let mut ticks = Vec::new();
        let (first, last) = (from.as_nanos().div_euclid(MINUTE), (to.as_nanos() - 1).div_euclid(MINUTE));
        for minute in first..=last {
            if (minute - first) % MINUTES_PER_TURN == MINUTES_PER_TURN - 1 {
                tokio::task::yield_now().await;
            }
            let bar = reader.bar(minute);
            if whole_minutes {
                fold.add(minute * MINUTE, [bar.open, bar.high, bar.low, bar.close], bar.lots);
                continue;
            }
            ticks::fill(&bar, &mut ticks);
            for tick in &ticks {
                let time = minute * MINUTE + tick.offset as i64;
                if (from.as_nanos()..to.as_nanos()).contains(&time) {
                    fold.add(time, [tick.price; 4], tick.lots);
                }
            }
        }
        Ok(fold.finish(stock))
    }

    async fn run(&self, instruments: &[InstrumentId], events: EventSink) -> Result<(), ProviderError> {
        let subscribed_at = self.clock.now();
        let begin = Timeframe::M1.open_time(subscribed_at).as_nanos() / MINUTE;
        let stocks = instruments.iter().map(|id| self.stock(id)).collect::<Result<Vec<_>, _>>()?;
        let mut feeds: Vec<Feed<'_>> = stocks.into_iter().map(|stock| Feed::new(stock, begin)).collect();
        let mut next: BinaryHeap<_> = feeds.iter().enumerate().map(|(at, feed)| Reverse((feed.time(), at))).collect();
        if next.is_empty() {
            events.closed().await;
            return Ok(());
        }
        self.state.store(LIVE, Ordering::Relaxed);
        while let Some(Reverse((time, _))) = next.peek() {
            let due = Timestamp::from_nanos(*time);
            let now = self.clock.now();
            if due > now {
                tokio::select! {
                    biased;
                    () = events.closed() => return Ok(()),
                    () = self.clock.wait_for(due) => {}
                }
                continue;
            }
            for _ in 0..TRADES_PER_LOOK {
                let Some(mut top) = next.peek_mut() else { break };
                let Reverse((time, at)) = *top;
                if time > now.as_nanos() {
                    break;
                }
                let feed = &mut feeds[at];
                let stock = feed.reader.stock();
                let tick = feed.ticks[feed.next];
                let (quote, trade) = (stock.quote(&feed.bar, &tick), stock.trade(&feed.bar, &tick));
                feed.advance();
                *top = Reverse((feed.time(), at));
                drop(top);
                for kind in [MarketEventKind::Quote(quote), MarketEventKind::Trade(trade)] {
                    let received_at = self.clock.ours();
                    let event = MarketEvent { instrument: stock.instrument.id.clone(), received_at, kind };
                    if events.send(event.into()).await.is_err() {
                        return Ok(());
                    }
                }
                self.last_event.store(time, Ordering::Relaxed);
                self.events.fetch_add(2, Ordering::Relaxed);
            }
            self.yield_to_listener(&next, subscribed_at);
        }
        Ok(())
    }

    /// When the oldest event that is due is long overdue, market time goes back to it. What was already past when the
    /// stream was opened is not overdue.
    fn yield_to_listener(&self, next: &BinaryHeap<Reverse<(i64, usize)>>, subscribed_at: Timestamp) {
        let Some(Reverse((time, _))) = next.peek() else { return };
        let behind = self.clock.now().as_nanos() - time;
        let held = *time > subscribed_at.as_nanos() && behind > self.clock.speed().market_nanos(HOLD_AFTER);
        if held {
            self.clock.hold_at(Timestamp::from_nanos(*time));
        }
        self.state.store(if held { DEGRADED } else { LIVE }, Ordering::Relaxed);
    }
}

const IDLE: u8 = 0;
const LIVE: u8 = 1;
const DEGRADED: u8 = 2;

/// Says that the stream is over, however it ended.
struct Subscribed<'a>(&'a AtomicU8);

impl Drop for Subscribed<'_> {
    fn drop(&mut self) {
        self.0.store(IDLE, Ordering::Relaxed);
    }
}

impl Provider for SimProvider {
    fn venue(&self) -> &'static str {
        VENUE
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn instruments(&self) -> Vec<Instrument> {
        self.market.instruments().cloned().collect()
    }

    fn candles<'a>(&'a self, request: &'a CandleRequest) -> BoxFuture<'a, Result<Vec<Candle>, ProviderError>> {
        Box::pin(self.history(request))
    }

    fn stream<'a>(
        &'a self,
        instruments: &'a [InstrumentId],
        events: EventSink,
    ) -> BoxFuture<'a, Result<(), ProviderError>> {
        Box::pin(async move {
            let _subscribed = Subscribed(&self.state);
            self.run(instruments, events).await
        })
    }

    fn status(&self) -> ProviderStatus {
        let last_event = self.last_event.load(Ordering::Relaxed);
        let speed = self.clock.speed();
        let (state, detail) = match self.state.load(Ordering::Relaxed) {
            LIVE if self.clock.is_paused() => (ProviderState::Live, "paused".to_owned()),
            LIVE => (ProviderState::Live, format!("running at {speed}")),
            DEGRADED => (ProviderState::Degraded, format!("slower than {speed}: a listener does not keep up")),
            _ => (ProviderState::Idle, "nobody listens".to_owned()),
        };
        ProviderStatus {
            state,
            detail,
            last_event: (last_event != i64::MIN).then(|| Timestamp::from_nanos(last_event)),
            events: self.events.load(Ordering::Relaxed),
            connection: None,
        }
    }
}

fn refused(reason: String) -> ProviderError {
    ProviderError::Refused { venue: VENUE, reason }
}

/// From the first wanted open time to the end of the last wanted candle, which is closed at `now`.
fn range(request: &CandleRequest, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let timeframe = request.timeframe;
    let up = |time: Timestamp| {
        let open_time = timeframe.open_time(time);
        if open_time < time { timeframe.close_time(open_time) } else { open_time }
    };
    let limit = request.limit.min(MAX_CANDLES) as i64;
    let forming = timeframe.open_time(now);
    let to = request.to.map_or(forming, |to| up(to).min(forming));
    // Stepping back by the longest possible candle may give too early a start, which the loop below corrects.
    let reach = timeframe.approx_nanos().saturating_add(if timeframe.fixed_nanos().is_none() {
        2 * 86_400 * Timestamp::NANOS_PER_SECOND * i64::from(timeframe.count())
    } else {
        0
    });
    let mut earliest = timeframe.open_time(to.plus_nanos(reach.saturating_mul(limit).saturating_neg())).max(up(FIRST));
    if timeframe.fixed_nanos().is_none() {
        let mut opens = Vec::new();
        while earliest < to {
            opens.push(earliest);
            earliest = timeframe.close_time(earliest);
        }
        earliest = *opens.get(opens.len().saturating_sub(limit as usize))?;
    }
    let from = request.from.map_or(earliest, |from| up(from).max(earliest));
    (from < to && limit > 0).then_some((from, to))
}

/// Collects candles of one timeframe in ticks and lots.
struct Fold {
    timeframe: Timeframe,
    end: i64,
    /// Open time, open, high, low, close, lots.
    candles: Vec<(i64, [i64; 4], i64)>,
}

impl Fold {
    const fn new(timeframe: Timeframe) -> Self {
        Self { timeframe, end: i64::MIN, candles: Vec::new() }
    }

    fn add(&mut self, time: i64, [open, high, low, close]: [i64; 4], lots: i64) {
        if time < self.end
            && let Some((_, prices, sum)) = self.candles.last_mut()
        {
            *prices = [prices[0], prices[1].max(high), prices[2].min(low), close];
            *sum += lots;
            return;
        }
        let open_time = self.timeframe.open_time(Timestamp::from_nanos(time));
        self.end = self.timeframe.close_time(open_time).as_nanos();
        self.candles.push((open_time.as_nanos(), [open, high, low, close], lots));
    }

    fn finish(self, stock: &Stock) -> Vec<Candle> {
        let candle = |(open_time, prices, lots): (i64, [i64; 4], i64)| {
            let [open, high, low, close]: [Price; 4] = prices.map(|ticks| stock.price(ticks));
            let volume = Volume::from(stock.quantity(lots));
            Candle { open_time: Timestamp::from_nanos(open_time), open, high, low, close, volume }
        };
        self.candles.into_iter().map(candle).collect()
    }
}

/// One instrument's place in the stream.
struct Feed<'a> {
    reader: Reader<'a>,
    bar: MinuteBar,
    ticks: Vec<Tick>,
    next: usize,
}

impl<'a> Feed<'a> {
    fn new(stock: &'a Stock, minute: i64) -> Self {
        let mut reader = stock.reader();
        let bar = reader.bar(minute);
        Self { reader, bar, ticks: ticks::of(&bar), next: 0 }
    }

    fn time(&self) -> i64 {
        self.bar.minute * MINUTE + self.ticks[self.next].offset as i64
    }

    fn advance(&mut self) {
        self.next += 1;
        if self.next == self.ticks.len() {
            self.bar = self.reader.bar(self.bar.minute + 1);
            ticks::fill(&self.bar, &mut self.ticks);
            self.next = 0;
        }
    }
}

#[cfg(test)]
mod tests;
