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
/// Clocks drift: an older measurement counts only while there is no other.
const BELIEVED_FOR: i64 = 600 * Timestamp::NANOS_PER_SECOND;
/// Less than this is within what a date header can tell.
const SAME: i64 = 2 * Timestamp::NANOS_PER_SECOND;
/// A clock that is wrong by more than a wrong zone or date is not this machine's, but a venue's that says nonsense.
const MOST_OFFSET: i64 = 36 * 3_600 * Timestamp::NANOS_PER_SECOND;

/// Shared by everything that talks to one venue.
pub struct Health {
    clock: Arc<dyn Clock>,
    inner: Mutex<Inner>,
}

struct Inner {
    state: ProviderState,
    detail: String,
    /// Why a venue that is up does not serve what is asked.
    hindrance: Option<String>,
    last_event: Option<Timestamp>,
    events: u64,
    status: ConnectionStatus,
    /// When it was measured, by the steady clock, and how much the venue's was ahead.
    offsets: VecDeque<(i64, i64)>,
    /// Our clock less the steady one, when it was looked at last.
    set: Option<i64>,
    settings: u64,
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
            hindrance: None,
            last_event: None,
            events: 0,
            status: ConnectionStatus::default(),
            offsets: VecDeque::new(),
            set: None,
            settings: 0,
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

    /// The venue is there and does not serve what is asked, for this reason, or does so again.
    pub fn hindered(&self, by: Option<String>) {
        if let Some(reason) = &by {
            self.failed(reason.clone());
        }
        self.inner.lock().hindrance = by;
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

    /// The venue said what time it is, in whole seconds, after a call that began `asked` by the steady clock.
    pub(super) fn measured_clock(&self, asked: i64, venue: Timestamp) {
        let mut inner = self.inner.lock();
        self.notice_setting(&mut inner);
        let (now, answered) = (self.clock.now(), self.clock.steady());
        // An answer that took longer does not say when it was given.
        if !(0..=LONGEST_TRIP).contains(&(answered - asked)) {
            return;
        }
        let halfway = now.plus_nanos(-(answered - asked) / 2);
        // A date is cut to its second: the middle of that second is the best guess.
        let offset = venue.plus_nanos(Timestamp::NANOS_PER_SECOND / 2).nanos_since(halfway);
        inner.offsets.retain(|(at, _)| answered - at < BELIEVED_FOR);
        if inner.offsets.len() == MEASUREMENTS {
            inner.offsets.pop_front();
        }
        inner.offsets.push_back((answered, offset));
        let mut sorted: Vec<i64> = inner.offsets.iter().map(|(_, offset)| *offset).collect();
        sorted.sort_unstable();
        inner.status.clock_offset_ms = Some(sorted[sorted.len() / 2] / 1_000_000);
    }

    /// A clock that was set, or a machine that slept, makes what was measured before worthless.
    fn notice_setting(&self, inner: &mut Inner) {
        let set = self.clock.now().as_nanos().saturating_sub(self.clock.steady());
        if inner.set.replace(set).is_some_and(|before| set.saturating_sub(before).saturating_abs() > SAME) {
            inner.offsets.clear();
            inner.status.clock_offset_ms = None;
            inner.settings += 1;
        }
    }

    /// How much the venue's clock is ahead of ours, as [`Provider::clock_offset`] tells.
    ///
    /// [`Provider::clock_offset`]: cw_market::Provider::clock_offset
    pub fn clock_offset(&self) -> Option<i64> {
        let mut inner = self.inner.lock();
        self.notice_setting(&mut inner);
        let offset = inner.status.clock_offset_ms?.saturating_mul(1_000_000);
        Some(if (SAME..MOST_OFFSET).contains(&offset.saturating_abs()) { offset } else { 0 })
    }

    /// How often our clock was set since the start.
    pub(super) fn clock_settings(&self) -> u64 {
        let mut inner = self.inner.lock();
        self.notice_setting(&mut inner);
        inner.settings
    }

    /// What the venue's clock says now, as far as it is known.
    pub fn venue_now(&self) -> Timestamp {
        self.clock.now().plus_nanos(self.clock_offset().unwrap_or(0))
    }

    pub fn status(&self) -> ProviderStatus {
        let mut inner = self.inner.lock();
        self.notice_setting(&mut inner);
        let mut status = inner.status.clone();
        if let Some((budget, breaker)) = &inner.watched {
            let (left, limit, wait) = budget.left();
            (status.budget_left, status.budget_limit) = (left, limit);
            let now = self.clock.now();
            let wait = wait.max(breaker.left());
            status.held_until = wait.map(|wait| now.plus_nanos(i64::try_from(wait.as_nanos()).unwrap_or(i64::MAX)));
            status.breaker = breaker.state();
        }
        let (state, detail) = match &inner.hindrance {
            Some(reason) if inner.state == ProviderState::Live => (ProviderState::Degraded, reason),
            _ => (inner.state, &inner.detail),
        };
        ProviderStatus {
            state,
            detail: detail.clone(),
            last_event: inner.last_event,
            events: inner.events,
            connection: Some(status),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use cw_core::ManualClock;

    use super::*;

    /// Ours can be set, and the machine can sleep.
    #[derive(Default)]
    struct Ours {
        now: AtomicI64,
        steady: AtomicI64,
    }

    impl Ours {
        fn pass(&self, seconds: i64) {
            self.steady.fetch_add(seconds * Timestamp::NANOS_PER_SECOND, Ordering::Relaxed);
            self.set(seconds);
        }
        fn set(&self, seconds: i64) {
            self.now.fetch_add(seconds * Timestamp::NANOS_PER_SECOND, Ordering::Relaxed);
        }
    }

    impl Clock for Ours {
        fn now(&self) -> Timestamp {
            Timestamp::from_nanos(self.now.load(Ordering::Relaxed))
        }
        fn steady(&self) -> i64 {
            self.steady.load(Ordering::Relaxed)
        }
    }

    fn measure(health: &Health, clock: &Ours, took: i64, venue: i64) {
        let asked = clock.steady();
        clock.pass(took);
        health.measured_clock(asked, Timestamp::from_secs(venue));
    }

    #[test]
    fn the_clock_s_offset_is_the_middle_of_its_measurements() {
        let clock = Arc::new(Ours::default());
        let health = Health::new(Arc::clone(&clock) as Arc<dyn Clock>);
        clock.pass(1_000);
        assert_eq!((health.clock_offset(), health.venue_now()), (None, Timestamp::from_secs(1_000)));
        for venue in [1_010, 1_012, 1_014, 5_000, 1_018] {
            measure(&health, &clock, 1, venue);
            clock.pass(1);
        }
        assert_eq!(health.status().connection.unwrap().clock_offset_ms, Some(10_000));
        assert_eq!(health.venue_now(), Timestamp::from_secs(1_020));
        measure(&health, &clock, 3, 9_000);
        assert_eq!(health.clock_offset(), Some(10_000_000_000), "too slow an answer tells nothing");
        // Clocks drift apart: after a while the newest alone counts.
        clock.pass(601);
        measure(&health, &clock, 0, 1_640);
        assert_eq!(health.clock_offset(), Some(26_500_000_000));
        measure(&health, &clock, 0, 1_640);
        assert_eq!(health.status().connection.unwrap().clock_offset_ms, Some(26_500));
    }

    #[test]
    fn a_clock_that_is_set_and_a_machine_that_slept_make_the_offset_unknown() {
        let clock = Arc::new(Ours::default());
        let health = Health::new(Arc::clone(&clock) as Arc<dyn Clock>);
        for set in [-3_600, 3_600, 28_800] {
            measure(&health, &clock, 0, clock.now().as_secs());
            assert_eq!(health.clock_offset(), Some(0));
            clock.set(set);
            assert_eq!((health.clock_offset(), health.status().connection.unwrap().clock_offset_ms), (None, None));
        }
        assert_eq!(health.clock_settings(), 3);
        // A wrong zone is believed, a venue that lives in another year is not.
        clock.set(3);
        measure(&health, &clock, 0, clock.now().as_secs() + 9 * 3_600);
        assert_eq!(health.clock_offset(), Some(32_400_500_000_000));
        clock.set(3);
        measure(&health, &clock, 0, clock.now().as_secs() + 400 * 86_400);
        assert_eq!(health.clock_offset(), Some(0));
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
