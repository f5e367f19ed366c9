//! The simulated market's own time.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use cw_core::{Clock, Timestamp};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// How many times faster than ours the market's time runs: 0.1 to 1000, in steps of a thousandth. Text: `10x`, `0.5x`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Speed(u32);

/// Why a speed was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeedError(String);

impl fmt::Display for SpeedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" is not a speed; use 0.1x to 1000x", self.0)
    }
}
impl std::error::Error for SpeedError {}

impl Speed {
    pub const NORMAL: Self = Self(1_000);

    /// Nanoseconds of market time in `nanos` of ours.
    pub(super) fn market_nanos(self, nanos: i64) -> i64 {
        (i128::from(nanos) * i128::from(self.0) / 1_000) as i64
    }
    /// Nanoseconds of our time in which the market's moves by `nanos`, rounded up.
    fn ours(self, nanos: i64) -> i64 {
        ((i128::from(nanos) * 1_000 + i128::from(self.0) - 1) / i128::from(self.0)) as i64
    }
}

impl Default for Speed {
    fn default() -> Self {
        Self::NORMAL
    }
}
impl FromStr for Speed {
    type Err = SpeedError;
    fn from_str(text: &str) -> Result<Self, SpeedError> {
        let bad = || SpeedError(text.chars().take(20).collect());
        let number: cw_core::Ratio = text.strip_suffix(['x', 'X']).unwrap_or(text).parse().map_err(|_| bad())?;
        let permille = number.raw() / 1_000_000;
        match u32::try_from(permille) {
            Ok(permille @ 100..=1_000_000) => Ok(Self(permille)),
            _ => Err(bad()),
        }
    }
}
impl fmt::Display for Speed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x", cw_core::Ratio::from_raw(i64::from(self.0) * 1_000_000))
    }
}
impl TryFrom<String> for Speed {
    type Error = SpeedError;
    fn try_from(text: String) -> Result<Self, SpeedError> {
        text.parse()
    }
}
impl From<Speed> for String {
    fn from(speed: Speed) -> Self {
        speed.to_string()
    }
}

/// Market time: starts at ours, or later where it was left, and runs at a speed that can be changed.
pub struct MarketClock {
    ours: Arc<dyn Clock>,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Clone, Copy)]
struct State {
    /// Where market time stood when `since` was read off our clock.
    market: i64,
    since: i64,
    speed: Speed,
    paused: bool,
}

impl State {
    fn at(&self, ours: i64) -> i64 {
        // A machine's clock that is set back stops the market for a while, it does not turn it around.
        if self.paused {
            self.market
        } else {
            self.market.saturating_add(self.speed.market_nanos((ours - self.since).max(0)))
        }
    }
}

impl fmt::Debug for MarketClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MarketClock").field("state", &*self.state.lock()).finish_non_exhaustive()
    }
}

impl MarketClock {
    /// `resume` is the market time of the last event of an earlier run: time never goes back behind it.
    pub fn new(ours: Arc<dyn Clock>, resume: Option<Timestamp>) -> Self {
        let now = ours.now();
        let market = resume.map_or(now, |resume| resume.max(now));
        let state = State { market: market.as_nanos(), since: now.as_nanos(), speed: Speed::NORMAL, paused: false };
        Self { ours, state: Mutex::new(state), changed: Notify::new() }
    }

    pub(super) fn ours(&self) -> Timestamp {
        self.ours.now()
    }

    pub fn now(&self) -> Timestamp {
        let ours = self.ours.now().as_nanos();
        Timestamp::from_nanos(self.state.lock().at(ours))
    }

    pub fn speed(&self) -> Speed {
        self.state.lock().speed
    }

    pub fn is_paused(&self) -> bool {
        self.state.lock().paused
    }

    pub fn set_speed(&self, speed: Speed) {
        self.change(|state| state.speed = speed);
    }

    pub fn set_paused(&self, paused: bool) {
        self.change(|state| state.paused = paused);
    }

    /// Sets market time back to `time` because whoever listens cannot follow.
    pub(super) fn hold_at(&self, time: Timestamp) {
        self.change(|state| state.market = state.market.min(time.as_nanos()));
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let ours = self.ours.now().as_nanos();
        let mut state = self.state.lock();
        state.market = state.at(ours);
        state.since = state.since.max(ours);
        change(&mut state);
        drop(state);
        self.changed.notify_waiters();
    }

    /// Waits until market time may have reached `time`, at most a fifth of a second, or until the clock was changed.
    pub(super) async fn wait_for(&self, time: Timestamp) {
        const LONGEST: i64 = 200_000_000;
        const SHORTEST: i64 = 1_000_000;
        let changed = self.changed.notified();
        let missing = time.nanos_since(self.now());
        let state = *self.state.lock();
        let nanos = if state.paused { LONGEST } else { state.speed.ours(missing).clamp(SHORTEST, LONGEST) };
        tokio::select! {
            biased;
            () = changed => {}
            () = tokio::time::sleep(std::time::Duration::from_nanos(nanos as u64)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use cw_core::ManualClock;

    use super::*;

    #[test]
    fn time_runs_at_the_speed_set_and_never_back() {
        let at = Timestamp::from_secs;
        let ours = Arc::new(ManualClock::new(at(1_000)));
        let clock = MarketClock::new(ours.clone(), None);
        ours.set(at(1_010));
        assert_eq!(clock.now(), at(1_010));
        clock.set_speed("10x".parse().unwrap());
        ours.set(at(1_020));
        assert_eq!(clock.now(), at(1_110));
        clock.set_paused(true);
        ours.set(at(1_030));
        assert_eq!(clock.now(), at(1_110));
        clock.set_paused(false);
        clock.set_speed("0.5x".parse().unwrap());
        ours.set(at(1_040));
        assert_eq!(clock.now(), at(1_115));
        ours.set(at(900));
        assert_eq!(clock.now(), at(1_110), "our clock was set back: wait where it was last changed");
        assert_eq!(MarketClock::new(ours, Some(at(2_000))).now(), at(2_000));
    }

    #[test]
    fn speeds_are_text() {
        for (text, expected) in [("10x", "10x"), ("0.1", "0.1x"), ("1000X", "1000x"), ("2.5x", "2.5x")] {
            assert_eq!(text.parse::<Speed>().unwrap().to_string(), expected);
        }
        for text in ["", "x", "0x", "0.05x", "1001x", "-1x", "fast"] {
            assert!(text.parse::<Speed>().is_err(), "{text}");
        }
    }
}
