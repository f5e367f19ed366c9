//! Stops calling a venue that does not answer.

use std::time::Duration;

use cw_market::BreakerState;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::backoff::Backoff;
use super::random::Random;

/// When it opens, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Tolerance {
    /// Failures in a row that open it.
    pub failures: u32,
    pub first_pause: Duration,
    pub longest_pause: Duration,
}

impl Tolerance {
    pub const USUAL: Self =
        Self { failures: 5, first_pause: Duration::from_secs(10), longest_pause: Duration::from_mins(5) };
}

/// Open after some failures in a row; then one call at a time finds out whether the venue is back.
#[derive(Debug)]
pub struct Breaker {
    state: Mutex<State>,
    failures: u32,
    random: Random,
}

#[derive(Debug)]
struct State {
    failures: u32,
    pause: Backoff,
    /// Set while open.
    until: Option<Instant>,
    probing: bool,
}

impl Breaker {
    pub const fn new(tolerance: Tolerance, random: Random) -> Self {
        let Tolerance { failures, first_pause, longest_pause } = tolerance;
        let pause = Backoff::new(first_pause, longest_pause);
        Self { state: Mutex::new(State { failures: 0, pause, until: None, probing: false }), failures, random }
    }

    /// Whether a call may be made now; otherwise how long not.
    pub fn admit(&self) -> Result<(), Duration> {
        let mut state = self.state.lock();
        let Some(until) = state.until else { return Ok(()) };
        let now = Instant::now();
        if now < until {
            return Err(until - now);
        }
        if state.probing {
            return Err(Duration::from_secs(1));
        }
        state.probing = true;
        Ok(())
    }

    /// The venue answered, whatever it said.
    pub fn succeeded(&self) {
        let mut state = self.state.lock();
        *state = State { failures: 0, pause: state.pause.clone(), until: None, probing: false };
        state.pause.reset();
    }

    /// No answer, or one that says the venue itself is broken. If it opens, it is open for `least` at least.
    pub fn failed(&self, least: Duration) {
        let mut state = self.state.lock();
        state.failures = state.failures.saturating_add(1);
        if state.probing || (state.until.is_none() && state.failures >= self.failures) {
            let pause = state.pause.next(&self.random).max(least);
            state.until = Some(Instant::now() + pause);
            state.probing = false;
        }
    }

    /// A call that was let through ended without an answer of either kind: it was given up.
    pub fn abandoned(&self) {
        self.state.lock().probing = false;
    }

    /// How long no call is made.
    pub fn left(&self) -> Option<Duration> {
        let left = self.state.lock().until?.checked_duration_since(Instant::now());
        left.filter(|left| !left.is_zero())
    }

    pub fn state(&self) -> BreakerState {
        let state = self.state.lock();
        match state.until {
            None => BreakerState::Closed,
            Some(until) if Instant::now() < until => BreakerState::Open,
            Some(_) => BreakerState::HalfOpen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST_PAUSE: Duration = Tolerance::USUAL.first_pause;

    fn usual() -> Breaker {
        Breaker::new(Tolerance::USUAL, Random::seeded(7))
    }

    #[tokio::test(start_paused = true)]
    async fn opens_after_five_failures_and_lets_one_probe_through() {
        let breaker = usual();
        for _ in 0..4 {
            breaker.failed(Duration::ZERO);
        }
        breaker.admit().unwrap();
        breaker.failed(Duration::ZERO);
        assert_eq!(breaker.state(), BreakerState::Open);
        let wait = breaker.admit().unwrap_err();
        assert!(wait >= FIRST_PAUSE / 2 && wait <= FIRST_PAUSE);
        tokio::time::advance(wait).await;
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        breaker.admit().unwrap();
        assert!(breaker.admit().is_err(), "one probe at a time");
        breaker.failed(Duration::ZERO);
        let longer = breaker.admit().unwrap_err();
        assert!(longer >= FIRST_PAUSE, "the second pause is longer");
        tokio::time::advance(longer).await;
        breaker.admit().unwrap();
        breaker.succeeded();
        assert_eq!(breaker.state(), BreakerState::Closed);
        for _ in 0..4 {
            breaker.failed(Duration::ZERO);
        }
        breaker.admit().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_was_given_up_makes_room_for_another() {
        let breaker = usual();
        (0..Tolerance::USUAL.failures).for_each(|_| breaker.failed(Duration::ZERO));
        tokio::time::advance(FIRST_PAUSE).await;
        breaker.admit().unwrap();
        breaker.abandoned();
        breaker.admit().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_venue_may_be_left_alone_sooner_and_for_longer() {
        let tolerance = Tolerance { failures: 3, ..Tolerance::USUAL };
        let breaker = Breaker::new(tolerance, Random::seeded(7));
        let long = Duration::from_mins(2);
        (0..2).for_each(|_| breaker.failed(long));
        assert_eq!((breaker.state(), breaker.left()), (BreakerState::Closed, None));
        breaker.failed(long);
        assert_eq!((breaker.state(), breaker.left()), (BreakerState::Open, Some(long)));
        tokio::time::advance(long).await;
        assert_eq!((breaker.state(), breaker.left()), (BreakerState::HalfOpen, None));
    }
}
