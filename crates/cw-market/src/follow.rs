//! Follows a provider's stream and asks for what it loses: one task per provider, one [`Keeper`] per instrument.

use std::collections::BTreeMap;
use std::time::Duration;

use cw_core::{Candle, Clock, InstrumentId, Timeframe, Timestamp};
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;

use crate::keeper::{Delivery, Keeper, Kept, Question};
use crate::provider::{CandleRequest, FeedEvent, Provider, ProviderError};

/// Events that may wait between a provider and here.
const QUEUE: usize = 4_096;
/// Questions to one provider at a time.
const QUESTIONS: usize = 4;
/// How often time alone is looked at.
const TICK: Duration = Duration::from_millis(100);
/// Candles in a row that a stream should have brought and did not, before it is made anew.
const STRIKES: u32 = 2;
const FIRST_WAIT_MS: u64 = 500;
const LONGEST_WAIT_MS: u64 = 30_000;

/// Clocks that differ by less are the same; those that differ by more than hours are wrong.
const SAME_MS: i64 = 2_000;
const BELIEVED_MS: i64 = 7_200_000;

/// What is to be followed: the minutes of an instrument from a time on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    pub instrument: InstrumentId,
    pub from: Timestamp,
}

/// What following brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// One minute, once; again only as a revision.
    Candle { instrument: InstrumentId, candle: Candle, delivery: Delivery },
    /// The venue could not say what was there.
    Gap { instrument: InstrumentId, from: Timestamp, to: Timestamp, reason: String },
    /// There was no connection in [`from`, `to`); what it lost has been asked for.
    Outage { instrument: InstrumentId, from: Timestamp, to: Timestamp, reason: String },
    /// Everything before this time is told: candles, gaps, or that there is nothing.
    Settled { instrument: InstrumentId, to: Timestamp },
    /// Anything else that the stream brought.
    Event(FeedEvent),
}

struct Place {
    id: InstrumentId,
    keeper: Keeper,
    /// A question is on its way.
    asking: bool,
    tries: u32,
    strikes: u32,
    connected: bool,
    lost: Option<(Timestamp, String)>,
}

type Answer = (usize, Question, bool, Result<Vec<Candle>, ProviderError>);

/// Runs until the listener is gone (`Ok`) or the provider ends.
pub async fn follow(
    provider: &dyn Provider,
    followed: &[Followed],
    clock: &dyn Clock,
    told: mpsc::Sender<Told>,
) -> Result<(), ProviderError> {
    let ids: Vec<InstrumentId> = followed.iter().map(|f| f.instrument.clone()).collect();
    let (sink, mut events) = mpsc::channel(QUEUE);
    let mut stream = provider.stream(&ids, sink);
    let mut follower = Follower::new(provider, followed, clock, told);
    let mut answers: FuturesUnordered<BoxFuture<'_, Answer>> = FuturesUnordered::new();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut heard = Vec::with_capacity(64);
    loop {
        tokio::select! {
            biased;
            ended = &mut stream => return ended,
            () = follower.told.closed() => return Ok(()),
            Some(answer) = answers.next(), if !answers.is_empty() => follower.answered(answer),
            _ = tick.tick() => follower.all(),
            count = events.recv_many(&mut heard, 64) => {
                if count == 0 {
                    return (&mut stream).await;
                }
                heard.drain(..).for_each(|event| follower.heard(event));
            }
        }
        follower.ask(&mut answers);
        if !follower.hand_over().await {
            return Ok(());
        }
    }
}

struct Follower<'a> {
    provider: &'a dyn Provider,
    clock: &'a dyn Clock,
    told: mpsc::Sender<Told>,
    places: Vec<Place>,
    numbers: BTreeMap<InstrumentId, usize>,
    /// Instruments that may have something to ask.
    changed: Vec<usize>,
    out: Vec<Told>,
}

impl<'a> Follower<'a> {
    fn new(provider: &'a dyn Provider, followed: &[Followed], clock: &'a dyn Clock, told: mpsc::Sender<Told>) -> Self {
        let capabilities = provider.capabilities();
        let delay = i64::from(capabilities.candle_delay_ms) * 1_000_000;
        let place = |f: &Followed| Place {
            id: f.instrument.clone(),
            keeper: Keeper::new(Timeframe::M1, f.from, capabilities.dense, delay)
                .with_calendar(provider.calendar(&f.instrument)),
            asking: false,
            tries: 0,
            strikes: 0,
            connected: false,
            lost: None,
        };
        let numbers = followed.iter().enumerate().map(|(place, f)| (f.instrument.clone(), place)).collect();
        let places = followed.iter().map(place).collect();
        Self { provider, clock, told, places, numbers, changed: Vec::new(), out: Vec::new() }
    }

    fn all(&mut self) {
        self.changed.extend(0..self.places.len());
    }

    fn heard(&mut self, event: FeedEvent) {
        match event {
            FeedEvent::Candle { instrument, timeframe: Timeframe::M1, candle, .. } => {
                let Some(&number) = self.numbers.get(&instrument) else { return };
                let mut kept = Vec::new();
                self.places[number].keeper.streamed(candle, &mut kept);
                self.places[number].strikes = 0;
                self.keep(number, kept);
            }
            FeedEvent::Connected { at, ref instruments } => {
                for number in instruments.iter().filter_map(|id| self.numbers.get(id)).copied() {
                    let place = &mut self.places[number];
                    place.keeper.connected();
                    place.connected = true;
                    place.strikes = 0;
                    if let Some((from, reason)) = place.lost.take() {
                        self.out.push(Told::Outage { instrument: place.id.clone(), from, to: at, reason });
                    }
                    self.changed.push(number);
                }
                self.out.push(Told::Event(event));
            }
            FeedEvent::Lost { at, ref instruments, ref reason } => {
                for number in instruments.iter().filter_map(|id| self.numbers.get(id)).copied() {
                    self.places[number].connected = false;
                    self.places[number].lost.get_or_insert((at, reason.clone()));
                }
                self.out.push(Told::Event(event));
            }
            other => self.out.push(Told::Event(other)),
        }
    }

    fn keep(&mut self, number: usize, kept: Vec<Kept>) {
        let instrument = &self.places[number].id;
        self.out.extend(kept.into_iter().map(|kept| match kept {
            Kept::Candle { candle, delivery } => Told::Candle { instrument: instrument.clone(), candle, delivery },
            Kept::Gap { from, to, reason } => Told::Gap { instrument: instrument.clone(), from, to, reason },
        }));
        self.changed.push(number);
    }

    /// Our time, or the venue's where its clock is behind ours: what is not closed there cannot be asked for yet.
    fn now(&self) -> Timestamp {
        let offset_ms = self.provider.status().connection.and_then(|link| link.clock_offset_ms).unwrap_or(0);
        let behind_ms = if (-BELIEVED_MS..-SAME_MS).contains(&offset_ms) { offset_ms } else { 0 };
        self.clock.now().plus_nanos(behind_ms * 1_000_000)
    }

    fn ask(&mut self, answers: &mut FuturesUnordered<BoxFuture<'a, Answer>>) {
        let now = self.now();
        let mut later = Vec::new();
        for number in std::mem::take(&mut self.changed) {
            let place = &mut self.places[number];
            if place.asking {
                continue;
            }
            let mut kept = Vec::new();
            place.keeper.nothing_to_ask(now, &mut kept);
            let question = place.keeper.question(now);
            if !kept.is_empty() {
                self.keep(number, kept);
                self.changed.pop();
            }
            let Some(question) = question else { continue };
            if answers.len() >= QUESTIONS {
                later.push(number);
                continue;
            }
            let place = &mut self.places[number];
            place.asking = true;
            let resync = place.keeper.is_resyncing();
            let wait = (place.tries > 0)
                .then(|| Duration::from_millis(LONGEST_WAIT_MS.min(FIRST_WAIT_MS << place.tries.min(6))));
            answers.push(pose(self.provider, number, place.id.clone(), question, resync, wait).boxed());
        }
        self.changed = later;
    }

    fn answered(&mut self, (number, question, resync, answer): Answer) {
        let now = self.now();
        let place = &mut self.places[number];
        place.asking = false;
        // The answer may have told that our clock is ahead of the venue's: what is not over there is not settled by it.
        let still = if resync { place.keeper.question(now) } else { None };
        let to = still.map_or(question.to, |still| still.to.min(question.to));
        let question = Question { to, ..question };
        let mut kept = Vec::new();
        match answer {
            Ok(candles) => {
                let missed = place.keeper.answered(question, &candles, &mut kept);
                // A venue that has not got it yet is not asked again at once.
                let settled = place.keeper.settled_to() >= question.to;
                place.tries = if settled { 0 } else { place.tries + 1 };
                if missed > 0 && place.connected && !resync && self.provider.capabilities().streams_candles {
                    place.strikes += 1;
                }
                if place.strikes >= STRIKES {
                    place.strikes = 0;
                    self.provider.reconnect();
                }
            }
            Err(error) => {
                place.tries += 1;
                let refused = !error.is_retryable();
                place.keeper.unanswered(question, &error.to_string(), refused, &mut kept);
            }
        }
        self.keep(number, kept);
        let place = &self.places[number];
        self.out.push(Told::Settled { instrument: place.id.clone(), to: place.keeper.settled_to() });
    }

    /// Whether somebody still listens.
    async fn hand_over(&mut self) -> bool {
        for told in self.out.drain(..) {
            if self.told.send(told).await.is_err() {
                return false;
            }
        }
        true
    }
}

async fn pose(
    provider: &dyn Provider,
    number: usize,
    instrument: InstrumentId,
    question: Question,
    resync: bool,
    wait: Option<Duration>,
) -> Answer {
    if let Some(wait) = wait {
        tokio::time::sleep(wait).await;
    }
    let Question { from, to } = question;
    let request =
        CandleRequest { instrument, timeframe: Timeframe::M1, from: Some(from), to: Some(to), limit: usize::MAX };
    let answer = provider.candles(&request).await;
    (number, question, resync, answer)
}
