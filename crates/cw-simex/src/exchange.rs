//! The state behind all dialects: market, clock, plan, and who listens.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use cw_core::{Candle, Clock, Timestamp};
use parking_lot::Mutex;
use tokio::sync::broadcast;
use tokio::time::Instant;

use crate::fault::{Fault, Plan};
use crate::market::{MINUTE, Market, Print, SYMBOLS};
use crate::yahoo::Door;

/// Messages that a slow stream may be behind before it is cut.
const BEHIND: usize = 65_536;

/// What a request may be under way.
const UNDER_WAY: Duration = Duration::from_millis(500);

/// What happened in the market.
#[derive(Debug, Clone)]
pub(crate) enum Tick {
    Trade {
        symbol: usize,
        print: Print,
    },
    Quote {
        symbol: usize,
        time: Timestamp,
        bid: i64,
        ask: i64,
    },
    /// A minute is over. Dialects fill in flat candles where their venue has them.
    Minute {
        symbol: usize,
        minute: i64,
    },
}

/// How far ahead of itself it dates what it dates wrong, in minutes.
pub(crate) const AHEAD: i64 = 60;

impl Tick {
    /// A trade or quote as a fault tells it once more; `None` for faults of another kind.
    pub fn spoiled(&self, fault: Fault) -> Option<Self> {
        let later = |time: Timestamp| time.plus_nanos(AHEAD * MINUTE);
        match (fault, self) {
            (Fault::Spike, Self::Trade { symbol, print }) => {
                Some(Self::Trade { symbol: *symbol, print: Print { cents: print.cents * 100, ..*print } })
            }
            (Fault::Spike, Self::Quote { symbol, time, bid, ask }) => {
                Some(Self::Quote { symbol: *symbol, time: *time, bid: bid * 100, ask: ask * 100 })
            }
            (Fault::Cross, Self::Quote { symbol, time, bid, ask }) => {
                Some(Self::Quote { symbol: *symbol, time: *time, bid: *ask, ask: *bid })
            }
            (Fault::Ahead, Self::Trade { symbol, print }) => {
                Some(Self::Trade { symbol: *symbol, print: Print { time: later(print.time), ..*print } })
            }
            (Fault::Ahead, Self::Quote { symbol, time, bid, ask }) => {
                Some(Self::Quote { symbol: *symbol, time: later(*time), bid: *bid, ask: *ask })
            }
            _ => None,
        }
    }
}

/// One simulated exchange.
pub struct Exchange {
    pub(crate) market: Market,
    clock: Arc<AtomicI64>,
    begun: i64,
    plan: Mutex<Plan>,
    /// Requests that are still to be spoiled, and how.
    spoiled: Mutex<Option<(Fault, u32)>>,
    full_pages: AtomicBool,
    requests: AtomicU64,
    streams: AtomicU64,
    subscriptions: Mutex<BTreeMap<String, u64>>,
    offenses: AtomicU64,
    /// Whom Yahoo lets in.
    pub(crate) door: Mutex<Door>,
    /// From when until when nobody may ask.
    held: Mutex<Option<(Instant, Instant)>>,
    ticks: broadcast::Sender<Arc<Tick>>,
}

impl Exchange {
    pub fn new(market: Market, now: Timestamp) -> Arc<Self> {
        Arc::new(Self {
            market,
            clock: Arc::new(AtomicI64::new(now.as_nanos())),
            begun: now.as_nanos().div_euclid(MINUTE),
            plan: Mutex::default(),
            spoiled: Mutex::default(),
            full_pages: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            streams: AtomicU64::new(0),
            subscriptions: Mutex::default(),
            offenses: AtomicU64::new(0),
            door: Mutex::default(),
            held: Mutex::default(),
            ticks: broadcast::channel(BEHIND).0,
        })
    }

    pub fn set_plan(&self, plan: Plan) {
        *self.plan.lock() = plan;
    }

    /// Pages of history as large as the real ones; small ones without this, so that tests meet many.
    pub fn give_full_pages(&self) {
        self.full_pages.store(true, Ordering::Relaxed);
    }

    /// The most rows of one page.
    pub(crate) fn page(&self, small: usize, full: usize) -> usize {
        if self.full_pages.load(Ordering::Relaxed) { full } else { small }
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.clock.load(Ordering::Acquire))
    }

    /// The exchange's clock, for a client that shall have the same.
    pub fn clock(&self) -> ExchangeClock {
        ExchangeClock(Arc::clone(&self.clock))
    }

    /// Moves the clock to `to` and tells every stream what happened on the way.
    pub fn advance_to(&self, to: Timestamp) {
        let from = self.clock.load(Ordering::Acquire);
        if to.as_nanos() <= from {
            return;
        }
        let (first, last) = (from.div_euclid(MINUTE), to.as_nanos().div_euclid(MINUTE));
        for minute in first..=last {
            for symbol in 0..SYMBOLS {
                let prints = self.market.prints(symbol, minute);
                for print in prints.into_iter().filter(|p| p.time.as_nanos() >= from && p.time < to) {
                    let (bid, ask) = (print.cents - 1, print.cents + 1);
                    self.tell(Tick::Quote { symbol, time: print.time, bid, ask });
                    self.tell(Tick::Trade { symbol, print });
                }
            }
            if minute < last {
                match self.fault_at(minute) {
                    Some(fault) if fault.is_lasting() => self.door.lock().turn(fault),
                    Some(fault) if fault.requests() > 0 => self.spoil(fault, fault.requests()),
                    _ => {}
                }
                self.clock.store((minute + 1) * MINUTE, Ordering::Release);
                (0..SYMBOLS).for_each(|symbol| self.tell(Tick::Minute { symbol, minute }));
            }
        }
        self.clock.store(to.as_nanos(), Ordering::Release);
    }

    fn tell(&self, tick: Tick) {
        // Nobody listening is fine.
        let _listeners = self.ticks.send(Arc::new(tick));
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<Arc<Tick>> {
        self.streams.fetch_add(1, Ordering::Relaxed);
        self.ticks.subscribe()
    }

    /// What goes wrong in a minute of market time.
    pub(crate) fn fault_at(&self, minute: i64) -> Option<Fault> {
        self.plan.lock().at(minute - self.begun)
    }

    /// Counts a request that is never spoiled.
    pub(crate) fn count_request(&self) -> Option<Fault> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        None
    }

    /// Counts a request, and says how it is to be spoiled.
    pub(crate) fn request(&self) -> Option<Fault> {
        self.count_request();
        let mut spoiled = self.spoiled.lock();
        let (fault, left) = (*spoiled)?;
        *spoiled = (left > 1).then(|| (fault, left - 1));
        Some(fault)
    }

    /// Spoils the next `requests` requests.
    pub fn spoil(&self, fault: Fault, requests: u32) {
        *self.spoiled.lock() = (requests > 0).then_some((fault, requests));
    }

    /// Makes the market that of another seed.
    pub fn reseed(&self, seed: u64) -> bool {
        self.market.reseed(seed)
    }

    /// Requests are told to stay away for so long, on our clock. Those that were on their way already do no wrong.
    pub(crate) fn hold(&self, wait: Duration) {
        let now = Instant::now();
        let mut held = self.held.lock();
        let since = held.filter(|(_, until)| now < *until).map_or(now + UNDER_WAY, |(since, _)| since);
        *held = Some((since, now + wait));
    }

    /// Whether somebody who asks now was told not to.
    pub(crate) fn is_held(&self) -> bool {
        self.held.lock().is_some_and(|(since, until)| (since..until).contains(&Instant::now()))
    }

    /// Somebody asked more often than it may.
    pub(crate) fn offended(&self) {
        self.offenses.fetch_add(1, Ordering::Relaxed);
    }

    /// Requests since the start that came sooner than they may: before the end of a rate limit's window, or of the wait that
    /// an answer asked for.
    pub fn offenses(&self) -> u64 {
        self.offenses.load(Ordering::Relaxed)
    }

    /// Requests answered since the start, and streams opened.
    pub fn counts(&self) -> (u64, u64) {
        (self.requests.load(Ordering::Relaxed), self.streams.load(Ordering::Relaxed))
    }

    /// A client asked a stream for something.
    pub(crate) fn subscribed(&self, topic: impl Into<String>) {
        *self.subscriptions.lock().entry(topic.into()).or_default() += 1;
    }

    /// How often each topic was subscribed since the start, on whichever stream.
    pub fn subscriptions(&self) -> BTreeMap<String, u64> {
        self.subscriptions.lock().clone()
    }

    /// Closed minutes of a symbol with open times in [`from`, `to`), as the market has them.
    pub fn truth(&self, symbol: usize, from: Timestamp, to: Timestamp, dense: bool) -> Vec<Candle> {
        let closed = Timestamp::from_nanos(self.now().as_nanos().div_euclid(MINUTE) * MINUTE);
        self.market.candles(symbol, from, to.min(closed), dense)
    }
}

/// A clock that stands where the exchange's does.
#[derive(Debug, Clone)]
pub struct ExchangeClock(Arc<AtomicI64>);

impl Clock for ExchangeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::Acquire))
    }
}
