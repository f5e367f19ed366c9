//! Stops calling a venue that does not answer.

use std::time::Duration;

use cw_market::BreakerState;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::backoff::Backoff;
use super::random::Random;

/// Failures in a row that open it.
const FAILURES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);

/// Open after five failures in a row; then one call at a time finds out whether the venue is back.
#[derive(Debug)]
pub struct Breaker {
    state: Mutex<State>,
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
    pub const fn new(random: Random) -> Self {
        let pause = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
        Self { state: Mutex::new(State { failures: 0, pause, until: None, probing: false }), random }
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

    /// No answer, or one that says the venue itself is broken.
    pub fn failed(&self) {
        let mut state = self.state.lock();
        state.failures = state.failures.saturating_add(1);
        if state.probing || (state.until.is_none() && state.failures >= FAILURES) {
            let pause = state.pause.next(&self.random);
            state.until = Some(Instant::now() + pause);
            state.probing = false;
        }
    }

    /// A call that was let through ended without an answer of either kind: it was given up.
    pub fn abandoned(&self) {
        self.state.lock().probing = false;
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

    #[tokio::test(start_paused = true)]
    async fn opens_after_five_failures_and_lets_one_probe_through() {
        let breaker = Breaker::new(Random::seeded(7));
        for _ in 0..4 {
            breaker.failed();
        }
        breaker.admit().unwrap();
        breaker.failed();
        assert_eq!(breaker.state(), BreakerState::Open);
        let wait = breaker.admit().unwrap_err();
        assert!(wait >= FIRST_PAUSE / 2 && wait <= FIRST_PAUSE);
        tokio::time::advance(wait).await;
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        breaker.admit().unwrap();
        assert!(breaker.admit().is_err(), "one probe at a time");
        breaker.failed();
        let longer = breaker.admit().unwrap_err();
        assert!(longer >= FIRST_PAUSE, "the second pause is longer");
        tokio::time::advance(longer).await;
        breaker.admit().unwrap();
        breaker.succeeded();
        assert_eq!(breaker.state(), BreakerState::Closed);
        for _ in 0..4 {
            breaker.failed();
        }
        breaker.admit().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_was_given_up_makes_room_for_another() {
        let breaker = Breaker::new(Random::seeded(7));
        (0..FAILURES).for_each(|_| breaker.failed());
        tokio::time::advance(FIRST_PAUSE).await;
        breaker.admit().unwrap();
        breaker.abandoned();
        breaker.admit().unwrap();
    }
}
