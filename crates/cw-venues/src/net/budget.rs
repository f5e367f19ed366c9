//! How much a venue lets us ask.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// What a venue allows, before its answers tell more.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Weight in one window.
    pub per_window: u32,
    pub window: Duration,
    /// Between two calls, at least.
    pub spacing: Duration,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// History that is fetched by the year: half, for it takes as much as it gets.
    Fetch,
    /// What somebody looks at: charts, searches.
    Look,
    /// What keeps followed instruments current: their closed candles, gaps after a lost connection, signs of life.
    Follow,
    /// Canceling, reconciling: may use all of it, and does not wait for what calls for data were told.
    Reserve,
}

impl Lane {
    const COUNT: usize = 4;

    /// Of a hundred, what is this lane's own in every window, however much the more urgent ones spend.
    const fn guaranteed(self) -> u32 {
        match self {
            Self::Fetch => 5,
            Self::Look => 10,
            Self::Follow | Self::Reserve => 0,
        }
    }

    /// Of a hundred, how much may be spent by all before this lane has to wait.
    const fn percent(self) -> u32 {
        match self {
            Self::Fetch => 50,
            Self::Look => 65,
            Self::Follow => 80,
            Self::Reserve => 100,
        }
    }
}

/// What an answer's headers say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Hint {
    /// Weight allowed in one window.
    pub limit: Option<u32>,
    /// Weight used in the running window, as the venue counts.
    pub used: Option<u32>,
    /// Nothing is left for this long.
    pub wait: Option<Duration>,
}

impl Hint {
    /// The headers say nothing.
    pub const NONE: Self = Self { limit: None, used: None, wait: None };
}

/// A request budget that slides: in no window of the venue's length is more spent than it allows, wherever its own
/// windows begin. What the venue counts more than we do (other programs at the same address) is believed.
#[derive(Debug)]
pub struct Budget {
    limits: Limits,
    state: Mutex<State>,
    /// Of those who wait in one lane the first goes first.
    queues: [tokio::sync::Mutex<()>; Lane::COUNT],
    at_once: Semaphore,
}

/// Leave to make a call, until it is dropped.
#[derive(Debug)]
pub struct Turn<'a> {
    _permit: Option<SemaphorePermit<'a>>,
}

#[derive(Debug)]
struct State {
    limit: u32,
    /// When how much was spent, oldest first, and the sum.
    spent: VecDeque<(Instant, u32, Lane)>,
    used: u32,
    /// Of it, by each lane.
    own: [u32; Lane::COUNT],
    last: Option<Instant>,
    /// Calls for data wait until then: the venue said so.
    held: Option<Instant>,
    /// All calls wait until then.
    silent: Option<Instant>,
}

impl Budget {
    pub const fn new(limits: Limits) -> Self {
        let state = State {
            limit: limits.per_window,
            spent: VecDeque::new(),
            used: 0,
            own: [0; Lane::COUNT],
            last: None,
            held: None,
            silent: None,
        };
        let queues = [const { tokio::sync::Mutex::const_new(()) }; Lane::COUNT];
        Self { limits, state: Mutex::new(state), queues, at_once: Semaphore::const_new(Semaphore::MAX_PERMITS) }
    }

    /// With no more than so many calls at the same time.
    #[must_use]
    pub fn at_once(self, calls: usize) -> Self {
        Self { at_once: Semaphore::new(calls), ..self }
    }

    /// Waits until `weight` may be spent and spends it. Where the venue itself said to wait for longer than `patience`, calls
    /// for data hear at once how long.
    pub async fn take(&self, weight: u32, lane: Lane, patience: Duration) -> Result<Turn<'_>, Duration> {
        let too_long = || self.left().2.filter(|told| *told > patience && lane != Lane::Reserve);
        if let Some(told) = too_long() {
            return Err(told);
        }
        let _first = self.queues[lane as usize].lock().await;
        loop {
            // Before it is spent, so that what was let through is sent at once; and not while waiting, so that nobody
            // waits for one who may spend less.
            let turn = Turn { _permit: self.at_once.acquire().await.ok() };
            match self.try_take(weight, lane) {
                Ok(()) => return Ok(turn),
                Err(wait) => {
                    if let Some(told) = too_long() {
                        return Err(told);
                    }
                    drop(turn);
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    /// Spends `weight`, or says how long to wait before trying again.
    pub fn try_take(&self, weight: u32, lane: Lane) -> Result<(), Duration> {
        let now = Instant::now();
        let mut state = self.state.lock();
        let held = if lane == Lane::Reserve { None } else { state.held };
        if let Some(until) = held.max(state.silent).filter(|until| *until > now) {
            return Err(until - now);
        }
        if let Some(last) = state.last
            && now < last + self.limits.spacing
        {
            return Err(last + self.limits.spacing - now);
        }
        state.forget(now, self.limits.window);
        let (allowed, used) = (state.allowed(lane), state.used + weight);
        let is_its_own = weight <= state.kept_for(lane) && used <= state.for_data();
        // One call that is heavier than the whole budget goes when the window is empty.
        let is_alone = state.used == 0;
        if used > allowed && !is_its_own && !is_alone {
            let excess = used - allowed;
            let mut freed = 0;
            let enough = state.spent.iter().find(|(_, weight, _)| {
                freed += weight;
                freed >= excess
            });
            let oldest = enough.or(state.spent.back()).map_or(now, |(at, ..)| *at);
            return Err((oldest + self.limits.window).saturating_duration_since(now).max(Duration::from_millis(1)));
        }
        state.spend(now, weight, lane);
        state.last = Some(now);
        Ok(())
    }

    /// Takes over what an answer says.
    pub fn learn(&self, hint: Hint) {
        let now = Instant::now();
        let mut state = self.state.lock();
        state.forget(now, self.limits.window);
        if let Some(limit) = hint.limit.filter(|limit| *limit > 0) {
            state.limit = limit;
        }
        if let Some(used) = hint.used.map(|used| used.min(state.limit)).filter(|used| *used > state.used) {
            let more = used - state.used;
            state.spend(now, more, Lane::Reserve);
        }
        if let Some(wait) = hint.wait {
            state.held = state.held.max(Some(now + wait));
        }
    }

    /// The venue asked for patience: calls for data wait. Never shortened by a later, shorter wish.
    pub fn hold(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut state = self.state.lock();
        state.held = state.held.max(Some(until));
    }

    /// The venue locked us out: no call of any kind until then.
    pub fn silence(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut state = self.state.lock();
        state.silent = state.silent.max(Some(until));
    }

    /// What is left, of how much, and how long calls for data have to wait.
    pub fn left(&self) -> (u32, u32, Option<Duration>) {
        let now = Instant::now();
        let mut state = self.state.lock();
        state.forget(now, self.limits.window);
        let wait = state.held.max(state.silent).and_then(|until| until.checked_duration_since(now));
        (state.limit.saturating_sub(state.used), state.limit, wait.filter(|wait| !wait.is_zero()))
    }

    pub const fn window(&self) -> Duration {
        self.limits.window
    }
}

impl State {
    fn share(&self, percent: u32) -> u32 {
        (u64::from(self.limit) * u64::from(percent) / 100) as u32
    }

    /// What all calls for data together may spend.
    fn for_data(&self) -> u32 {
        self.share(Lane::Follow.percent())
    }

    /// What is guaranteed to a lane and not spent.
    fn kept_for(&self, lane: Lane) -> u32 {
        let least = u32::from(lane == Lane::Look);
        self.share(lane.guaranteed()).max(least).saturating_sub(self.own[lane as usize])
    }

    /// How much all may have spent after a call of this lane.
    fn allowed(&self, lane: Lane) -> u32 {
        let allowed = match lane {
            Lane::Reserve => self.limit,
            Lane::Follow => self.for_data().saturating_sub(self.kept_for(Lane::Fetch) + self.kept_for(Lane::Look)),
            // Rounded up: a plan of five a minute is small enough.
            Lane::Fetch | Lane::Look => (self.limit - self.share(100 - lane.percent())).min(self.for_data()),
        };
        allowed.max(1)
    }

    fn spend(&mut self, now: Instant, weight: u32, lane: Lane) {
        self.spent.push_back((now, weight, lane));
        self.used = self.used.saturating_add(weight);
        self.own[lane as usize] = self.own[lane as usize].saturating_add(weight);
    }

    fn forget(&mut self, now: Instant, window: Duration) {
        while let Some((at, weight, lane)) = self.spent.front().copied()
            && now.saturating_duration_since(at) >= window
        {
            self.spent.pop_front();
            self.used = self.used.saturating_sub(weight);
            self.own[lane as usize] = self.own[lane as usize].saturating_sub(weight);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use proptest::prelude::*;

    use super::*;

    const PATIENCE: Duration = Duration::from_mins(5);
    const LIMITS: Limits = Limits { per_window: 100, window: Duration::from_mins(1), spacing: Duration::ZERO };

    #[tokio::test(start_paused = true)]
    async fn each_lane_leaves_a_part_to_the_more_urgent_ones() {
        let budget = Budget::new(LIMITS);
        for (lane, share) in [(Lane::Fetch, 50), (Lane::Look, 15), (Lane::Follow, 15), (Lane::Reserve, 20)] {
            for _ in 0..share {
                budget.try_take(1, lane).unwrap();
            }
            assert_eq!(budget.try_take(1, lane).unwrap_err(), Duration::from_mins(1), "{lane:?}");
        }
        tokio::time::advance(Duration::from_mins(1)).await;
        budget.try_take(65, Lane::Look).unwrap();
        budget.try_take(10, Lane::Follow).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn following_leaves_a_part_to_looking_as_well() {
        let budget = Budget::new(LIMITS);
        for _ in 0..65 {
            budget.try_take(1, Lane::Follow).unwrap();
        }
        assert!(budget.try_take(1, Lane::Follow).is_err());
        for (lane, share) in [(Lane::Look, 10), (Lane::Fetch, 5)] {
            for _ in 0..share {
                budget.try_take(1, lane).unwrap();
            }
            assert!(budget.try_take(1, lane).is_err(), "{lane:?}");
        }
        budget.try_take(20, Lane::Reserve).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn of_five_a_minute_one_is_left_to_orders() {
        let budget = Budget::new(Limits { per_window: 5, ..LIMITS });
        budget.try_take(1, Lane::Follow).unwrap();
        for _ in 0..3 {
            budget.try_take(1, Lane::Look).unwrap();
        }
        assert!(budget.try_take(1, Lane::Look).is_err() && budget.try_take(1, Lane::Follow).is_err());
        budget.try_take(1, Lane::Reserve).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_longest_goes_first() {
        let budget = Budget::new(Limits { per_window: 2, ..LIMITS });
        budget.take(1, Lane::Look, PATIENCE).await.unwrap();
        let order = Mutex::new(Vec::new());
        let greedy = async {
            for _ in 0..4 {
                budget.take(1, Lane::Look, PATIENCE).await.unwrap();
                order.lock().push("greedy");
            }
        };
        let modest = async {
            budget.take(1, Lane::Look, PATIENCE).await.unwrap();
            order.lock().push("modest");
        };
        tokio::join!(greedy, modest);
        assert_eq!(order.into_inner()[..2], ["greedy", "modest"]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_call_at_a_time_and_the_urgent_one_does_not_wait_for_one_that_may_not_go_yet() {
        let budget = Budget::new(LIMITS).at_once(1);
        for _ in 0..50 {
            drop(budget.take(1, Lane::Fetch, PATIENCE).await);
        }
        let mut fetching = Box::pin(budget.take(1, Lane::Fetch, PATIENCE));
        assert!(fetching.as_mut().now_or_never().is_none(), "its half is spent");
        let looking = budget.take(1, Lane::Look, PATIENCE).now_or_never().unwrap();
        assert!(budget.take(1, Lane::Follow, PATIENCE).now_or_never().is_none(), "one at a time");
        drop(looking);
        assert!(budget.take(1, Lane::Follow, PATIENCE).now_or_never().is_some());
        drop(fetching.await);
    }

    #[tokio::test(start_paused = true)]
    async fn no_call_before_the_venue_says_so() {
        let budget = Budget::new(LIMITS);
        budget.hold(Duration::from_secs(30));
        budget.hold(Duration::from_secs(5));
        assert_eq!(budget.try_take(1, Lane::Look).unwrap_err(), Duration::from_secs(30));
        budget.try_take(1, Lane::Reserve).unwrap();
        budget.silence(Duration::from_mins(2));
        assert_eq!(budget.try_take(1, Lane::Reserve).unwrap_err(), Duration::from_mins(2));
        let begun = Instant::now();
        budget.take(1, Lane::Look, PATIENCE).await.unwrap();
        assert!(begun.elapsed() >= Duration::from_mins(2));
        assert_eq!(budget.left().2, None);
        budget.hold(Duration::from_mins(6));
        assert_eq!(budget.take(1, Lane::Look, PATIENCE).await.unwrap_err(), Duration::from_mins(6));
        budget.take(1, Lane::Reserve, PATIENCE).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn the_venue_s_count_is_believed_when_it_is_higher() {
        let budget = Budget::new(LIMITS);
        budget.try_take(10, Lane::Look).unwrap();
        budget.learn(Hint { limit: Some(50), used: Some(40), wait: None });
        assert_eq!(budget.left(), (10, 50, None));
        assert!(budget.try_take(1, Lane::Follow).is_err(), "40 of 40");
        budget.try_take(10, Lane::Reserve).unwrap();
        budget.learn(Hint { used: Some(3), ..Hint::default() });
        assert_eq!(budget.left().0, 0, "a lower count is an older one");
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!(budget.left().0, 50);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_keep_their_distance_and_a_heavy_one_still_goes() {
        let budget = Budget::new(Limits { spacing: Duration::from_secs(2), ..LIMITS });
        budget.try_take(500, Lane::Look).unwrap();
        assert_eq!(budget.try_take(1, Lane::Look).unwrap_err(), Duration::from_secs(2));
    }

    proptest! {
        #[test]
        fn no_window_holds_more_than_the_limit(calls in prop::collection::vec((1u32..30, 0u64..9_000), 1..200)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
            runtime.block_on(async {
                let budget = Budget::new(LIMITS);
                let mut made: Vec<(Instant, u32)> = Vec::new();
                for (weight, pause) in calls {
                    budget.take(weight, Lane::Look, PATIENCE).await.unwrap();
                    made.push((Instant::now(), weight));
                    tokio::time::advance(Duration::from_millis(pause)).await;
                }
                for (begin, _) in &made {
                    let inside = made.iter().filter(|(at, _)| at >= begin && *at - *begin < LIMITS.window);
                    let spent: u32 = inside.map(|(_, weight)| weight).sum();
                    assert!(spent <= 65, "{spent}");
                }
            });
        }
    }
}
