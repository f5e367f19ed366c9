//! Where "now" comes from. Everything that decides takes a [`Clock`]; nothing reads the wall clock by itself.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use crate::timestamp::Timestamp;

/// A source of the current time.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;

    /// Nanoseconds since some moment, by a clock that nobody sets. What [`Clock::now`] moves more or less than this, it was
    /// set by, or the machine slept.
    fn steady(&self) -> i64 {
        self.now().as_nanos()
    }
}

/// The machine's clock. The only place that reads it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that the rule points to")]
    fn now(&self) -> Timestamp {
        let since_epoch = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .expect("the machine's clock is set after 1970");
        Timestamp::from_nanos(i64::try_from(since_epoch.as_nanos()).expect("the machine's clock is set before 2262"))
    }

    fn steady(&self) -> i64 {
        static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
        i64::try_from(BEGUN.elapsed().as_nanos()).unwrap_or(i64::MAX)
    }
}

/// A clock that moves only when told: backtests, replays, tests.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub const fn new(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.as_nanos()))
    }
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_nanos(), Ordering::Release);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::Acquire))
    }
}
