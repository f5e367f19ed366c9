//! How a venue fares, as its status tells.

use std::collections::VecDeque;
use std::sync::Arc;

use cw_core::{Clock, Timestamp};
use cw_market::{ConnectionStatus, ProviderState, ProviderStatus, Refused};
use parking_lot::Mutex;

use super::breaker::Breaker;
use super::budget::Budget;

/// Rows kept to be looked at.
const KEPT: usize = 64;
/// Of a row that is kept, at most this much.
const RAW: usize = 240;
/// Clock measurements that the offset is the middle of.
const MEASUREMENTS: usize = 9;

/// What a call may take and still tell the venue's time.
const LONGEST_TRIP: i64 = 2 * Timestamp::NANOS_PER_SECOND;

/// Shared by everything that talks to one venue.
pub struct Health {
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
}

struct Inner {
    state: ProviderState,
    detail: String,
    last_event: Option<Timestamp>,
    events: u64,
    status: ConnectionStatus,
    offsets: VecDeque<i64>,
    recent: VecDeque<Refused>,
    /// Of those counted, how many were told.
    told: u64,
    watched: Option<(Arc<Budget>, Arc<Breaker>)>,
}

impl Health {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let inner = Inner {
            state: ProviderState::Idle,
            detail: "nobody listens".to_owned(),
            last_event: None,
            events: 0,
            status: ConnectionStatus::default(),
            offsets: VecDeque::new(),
            recent: VecDeque::new(),
            told: 0,
            watched: None,
        };
        Self { clock, inner: Mutex::new(inner) }
    }

    pub(super) fn watch(&self, budget: Arc<Budget>, breaker: Arc<Breaker>) {
        self.inner.lock().watched = Some((budget, breaker));
    }

    pub fn become_state(&self, state: ProviderState, detail: impl Into<String>) {
        let mut inner = self.inner.lock();
        let now = self.clock.now();
        if inner.state != state {
            if matches!(inner.state, ProviderState::Live | ProviderState::Degraded)
                && matches!(state, ProviderState::Connecting | ProviderState::Down)
            {
                inner.status.reconnects += 1;
            }
            inner.state = state;
            inner.status.since = Some(now);
        }
        inner.detail = detail.into();
    }

    pub fn subscribed(&self, count: usize) {
        self.inner.lock().status.subscriptions = u32::try_from(count).unwrap_or(u32::MAX);
    }

    /// A frame or an answer came in.
    pub fn heard(&self, now: Timestamp) {
        self.inner.lock().status.last_message = Some(now);
    }

    /// Events were handed over, the newest of this time.
    pub fn handed_over(&self, count: usize, newest: Option<Timestamp>) {
        let mut inner = self.inner.lock();
        inner.events += count as u64;
        inner.last_event = inner.last_event.max(newest);
    }

    /// Counts something that is not taken, and keeps its beginning.
    pub fn quarantine(&self, reason: impl Into<String>, raw: &[u8]) {
        let mut inner = self.inner.lock();
        inner.status.quarantined += 1;
        let raw = String::from_utf8_lossy(&raw[..raw.len().min(RAW)]).into_owned();
        let row = Refused { at: self.clock.now(), reason: reason.into(), raw };
        inner.status.last_quarantine = Some(format!("{}: {}", row.reason, row.raw));
        if inner.recent.len() == KEPT {
            inner.recent.pop_front();
        }
        inner.recent.push_back(row);
    }

    /// The newest of what was not taken.
    pub fn quarantined(&self) -> Vec<Refused> {
        self.inner.lock().recent.iter().cloned().collect()
    }

    /// Those that were not told before.
    pub fn take_quarantined(&self) -> Vec<Refused> {
        let mut inner = self.inner.lock();
        let count = inner.status.quarantined;
        let new = usize::try_from(count - std::mem::replace(&mut inner.told, count)).unwrap_or(KEPT);
        let known = inner.recent.len().saturating_sub(new);
        inner.recent.range(known..).cloned().collect()
    }

    /// Something went wrong; stays to be seen after it is right again.
    pub fn failed(&self, reason: impl Into<String>) {
        let mut inner = self.inner.lock();
        inner.status.last_error = Some(reason.into());
        inner.status.last_error_at = Some(self.clock.now());
    }

    pub fn quarantine_count(&self) -> u64 {
        self.inner.lock().status.quarantined
    }

    /// The venue said what time it is, in whole seconds, between two moments of ours.
    pub(super) fn measured_clock(&self, asked: Timestamp, answered: Timestamp, venue: Timestamp) {
        // An answer that took longer does not say when it was given.
        if !(0..=LONGEST_TRIP).contains(&answered.nanos_since(asked)) {
            return;
        }
        let halfway = asked.plus_nanos(answered.nanos_since(asked) / 2);
        // A date is cut to its second: the middle of that second is the best guess.
        let offset = venue.plus_nanos(Timestamp::NANOS_PER_SECOND / 2).nanos_since(halfway);
        let mut inner = self.inner.lock();
        if inner.offsets.len() == MEASUREMENTS {
            inner.offsets.pop_front();
        }
        inner.offsets.push_back(offset);
        let mut sorted: Vec<i64> = inner.offsets.iter().copied().collect();
        sorted.sort_unstable();
        inner.status.clock_offset_ms = Some(sorted[sorted.len() / 2] / 1_000_000);
    }

    /// What the venue's clock says now. Offsets below two seconds are within what a date header can tell, and left out;
    /// one of hours is no clock that candles could be dated by.
    pub fn venue_now(&self) -> Timestamp {
        let offset = self.inner.lock().status.clock_offset_ms.unwrap_or(0);
        let offset = if (2_000..7_200_000).contains(&offset.abs()) { offset } else { 0 };
        self.clock.now().plus_nanos(offset.saturating_mul(1_000_000))
    }

    pub fn status(&self) -> ProviderStatus {
        let inner = self.inner.lock();
        let mut status = inner.status.clone();
        if let Some((budget, breaker)) = &inner.watched {
            let (left, limit, wait) = budget.left();
            (status.budget_left, status.budget_limit) = (left, limit);
            let now = self.clock.now();
            status.held_until = wait.map(|wait| now.plus_nanos(i64::try_from(wait.as_nanos()).unwrap_or(i64::MAX)));
            status.breaker = breaker.state();
        }
        ProviderStatus {
            state: inner.state,
            detail: inner.detail.clone(),
            last_event: inner.last_event,
            events: inner.events,
            connection: Some(status),
        }
    }
}

#[cfg(test)]
mod tests {
    use cw_core::ManualClock;

    use super::*;

    #[test]
    fn the_clock_s_offset_is_the_middle_of_its_measurements() {
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_000)));
        let health = Health::new(clock);
        assert_eq!(health.venue_now(), Timestamp::from_secs(1_000));
        for venue in [1_009, 1_010, 1_011, 5_000, 1_010] {
            health.measured_clock(
                Timestamp::from_secs(1_000),
                Timestamp::from_secs(1_001),
                Timestamp::from_secs(venue),
            );
        }
        assert_eq!(health.status().connection.unwrap().clock_offset_ms, Some(10_000));
        assert_eq!(health.venue_now(), Timestamp::from_secs(1_010));
    }

    #[test]
    fn what_is_not_taken_is_counted_and_its_newest_kept() {
        let health = Health::new(Arc::new(ManualClock::new(Timestamp::EPOCH)));
        for number in 0..1_000 {
            health.quarantine("nonsense", format!("{number}{}", "x".repeat(10_000)).as_bytes());
        }
        let kept = health.quarantined();
        assert_eq!((health.quarantine_count(), kept.len()), (1_000, KEPT));
        assert!(kept[KEPT - 1].raw.starts_with("999") && kept[KEPT - 1].raw.len() <= RAW);
        assert_eq!(health.take_quarantined(), kept);
        health.quarantine("again", b"once");
        assert_eq!(health.take_quarantined().len(), 1);
        assert!(health.take_quarantined().is_empty());
    }

    #[test]
    fn a_lost_connection_counts_as_one_reconnect() {
        let health = Health::new(Arc::new(ManualClock::new(Timestamp::EPOCH)));
        for state in
            [ProviderState::Connecting, ProviderState::Live, ProviderState::Connecting, ProviderState::Connecting]
        {
            health.become_state(state, "");
        }
        health.become_state(ProviderState::Live, "");
        assert_eq!(health.status().connection.unwrap().reconnects, 1);
    }
}
