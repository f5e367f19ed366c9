//! Tells a quiet market from a stream that forgot a subscription: pings prove nothing of it.
//!
//! An instrument that was not heard of for a while is asked about by request. When the venue has something newer than what
//! was heard, and the stream does not bring it soon after, the connection is given up. From the first event
//! that is missing to that takes less than ten seconds.

use std::time::Duration;

use cw_core::{InstrumentId, Timestamp};
use cw_market::ProviderError;
use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::link::{Canary, Link, LinkError};

/// Without a word of an instrument before it is asked about.
const SILENCE: Duration = Duration::from_secs(3);
/// From one request to the next.
const EVERY: Duration = Duration::from_secs(5);
/// What the stream has to bring what a request has brought already.
const GRACE: Duration = Duration::from_millis(1_500);
/// How much newer the venue's must be: clocks differ, and an event takes its time.
const NEWER: i64 = 2 * Timestamp::NANOS_PER_SECOND;
/// What an answer may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// Asked about in one request.
const MOST: usize = 200;

type Answer = (Vec<usize>, Option<Vec<Option<Timestamp>>>);

/// What is known of every subscription of one connection.
pub(super) struct Quiet<'a> {
    link: &'a Link<'a>,
    canary: Option<&'a Canary>,
    each: Vec<Heard>,
    asked: Instant,
    /// Where the next request begins, so that each has its turn.
    turn: usize,
    asking: Option<BoxFuture<'static, Answer>>,
}

struct Heard {
    at: Instant,
    /// The same on the clock that event times are compared with.
    clock: Timestamp,
    /// The venue had something newer: until then it may still come.
    suspect: Option<Instant>,
}

impl<'a> Quiet<'a> {
    pub fn new(link: &'a Link<'a>, now: Instant) -> Self {
        let clock = link.clock.now();
        let heard = |_: &InstrumentId| Heard { at: now, clock, suspect: None };
        let each = if link.canary.is_some() { link.instruments.iter().map(heard).collect() } else { Vec::new() };
        Self { link, canary: link.canary, each, asked: now, turn: 0, asking: None }
    }

    pub fn ready(&mut self, now: Instant) {
        let clock = self.link.clock.now();
        self.each.iter_mut().for_each(|heard| *heard = Heard { at: now, clock, suspect: None });
    }

    pub fn heard(&mut self, places: &[usize], now: Instant) {
        if self.each.is_empty() || places.is_empty() {
            return;
        }
        let clock = self.link.clock.now();
        for place in places {
            if let Some(heard) = self.each.get_mut(*place) {
                *heard = Heard { at: now, clock, suspect: None };
            }
        }
    }

    /// When to look again; far away where nobody can be asked.
    pub fn deadline(&self, ready: bool) -> Instant {
        let far = self.asked + Duration::from_hours(24);
        let Some(oldest) = self.each.iter().map(|heard| heard.at).min().filter(|_| ready) else { return far };
        let look = if self.asking.is_some() { far } else { (oldest + SILENCE).max(self.asked + EVERY) };
        let suspect = self.each.iter().filter_map(|heard| heard.suspect).min();
        suspect.map_or(look, |suspect| suspect.min(look))
    }

    /// Asks where it is time to; an error when the stream did not bring what the venue has.
    pub fn look(&mut self, ready: bool) -> Result<(), LinkError> {
        let now = Instant::now();
        if let Some(place) = self.each.iter().position(|heard| heard.suspect.is_some_and(|until| now >= until)) {
            let id = &self.link.instruments[place];
            return Err(LinkError::Lost(format!("{id} was silent while the venue had news of it")));
        }
        let Some(canary) = self.canary.filter(|_| ready && self.asking.is_none() && now >= self.asked + EVERY) else {
            return Ok(());
        };
        let count = self.each.len();
        let turns = (0..count).map(|step| (self.turn + step) % count);
        let places: Vec<usize> = turns.filter(|place| now >= self.each[*place].at + SILENCE).take(MOST).collect();
        let Some(last) = places.last() else { return Ok(()) };
        (self.asked, self.turn) = (now, last + 1);
        let ask = canary(places.iter().map(|place| self.link.instruments[*place].clone()).collect());
        self.asking = Some(Box::pin(async move { (places, answer(ask).await) }));
        Ok(())
    }

    /// What was asked for; never where nothing was.
    pub async fn told(&mut self) -> Answer {
        match self.asking.as_mut() {
            Some(asking) => {
                let told = asking.await;
                self.asking = None;
                told
            }
            None => std::future::pending().await,
        }
    }

    pub fn suspect(&mut self, (places, newest): &Answer) {
        let Some(newest) = newest else { return };
        // Event times are the venue's, ours is what was heard when.
        let offset = self.link.health.venue_now().nanos_since(self.link.clock.now());
        for (place, newest) in places.iter().zip(newest) {
            let heard = &mut self.each[*place];
            let newer = newest.is_some_and(|newest| newest.plus_nanos(-offset).nanos_since(heard.clock) > NEWER);
            if newer && heard.suspect.is_none() && Instant::now() >= heard.at + SILENCE {
                heard.suspect = Some(Instant::now() + GRACE);
            }
        }
    }
}

async fn answer(
    ask: BoxFuture<'static, Result<Vec<Option<Timestamp>>, ProviderError>>,
) -> Option<Vec<Option<Timestamp>>> {
    tokio::time::timeout(PATIENCE, ask).await.ok()?.ok()
}
