//! Follows a provider's stream and asks for what it loses: one task per provider, one [`Keeper`] per instrument.

use std::collections::BTreeMap;
use std::time::Duration;

use cw_core::{
    AssetClass, Calendar, Candle, Clock, InstrumentId, MarketEvent, MarketEventKind, Price, Quote, Timeframe,
    Timestamp, Trade,
};
use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::filter::{Filter, FilterRules};
use crate::keeper::{Delivery, Keeper, Kept, Question};
use crate::provider::{CandleRequest, ConnectionStatus, FeedEvent, Provider, ProviderError, Purpose};

/// Events that may wait between a provider and here.
const QUEUE: usize = 4_096;
/// Questions to one provider at a time.
const QUESTIONS: usize = 4;
/// How often time alone is looked at.
const TICK: Duration = Duration::from_millis(100);
/// Candles in a row that a stream should have brought and did not, before it is made anew.
const STRIKES: u32 = 2;
/// Between two comparisons of what was streamed with the venue's history …
const COMPARE_AGAIN: i64 = Timestamp::NANOS_PER_SECOND;
/// … and after one that was not answered.
const COMPARE_LATER: i64 = 60 * Timestamp::NANOS_PER_SECOND;
const FIRST_WAIT_MS: u64 = 500;
const LONGEST_WAIT_MS: u64 = 30_000;

/// A clock that moved by so much more or less than time did was set, or the machine slept.
const SET: i64 = 2 * Timestamp::NANOS_PER_SECOND;
/// The program did not run for so long: whoever it was connected with may have given up.
const STOPPED: Duration = Duration::from_secs(30);

/// What is to be followed: the minutes of an instrument from a time on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    pub instrument: InstrumentId,
    pub from: Timestamp,
    /// What is believed of it, and when it trades.
    pub class: AssetClass,
    /// The last close that is known, which the first price is compared with.
    pub reference: Option<Price>,
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
    filter: Filter,
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
    // Who is never told anything unasked must know when it is time to ask.
    let mut time = Some(provider.ask_time());
    loop {
        tokio::select! {
            biased;
            ended = &mut stream => return ended,
            () = follower.told.closed() => return Ok(()),
            Some(answer) = answers.next(), if !answers.is_empty() => {
                follower.look_at_clock();
                follower.answered(answer);
            }
            () = async { if let Some(time) = &mut time { time.await } }, if time.is_some() => time = None,
            _ = tick.tick() => {
                if time.is_none() && provider.clock_offset().is_none() {
                    time = Some(provider.ask_time());
                }
                follower.all();
            }
            count = events.recv_many(&mut heard, 64) => {
                if count == 0 {
                    return (&mut stream).await;
                }
                heard.drain(..).for_each(|event| follower.heard(event));
            }
        }
        follower.look_at_clock();
        follower.ask(&mut answers);
        if !follower.hand_over().await {
            return Ok(());
        }
    }
}

/// Our clock when it was looked at last, and the time since.
#[derive(Debug, Clone, Copy)]
struct Looked {
    ours: Timestamp,
    steady: i64,
    at: Instant,
    /// The venue's.
    venue: Timestamp,
}

struct Follower<'a> {
    provider: &'a dyn Provider,
    clock: &'a dyn Clock,
    told: mpsc::Sender<Told>,
    places: Vec<Place>,
    numbers: BTreeMap<InstrumentId, usize>,
    looked: Looked,
    /// Instruments that may have something to ask.
    changed: Vec<usize>,
    /// When, and from which place on, one is looked for whose stream can be compared with the venue's history.
    compare_at: Timestamp,
    compare_next: usize,
    out: Vec<Told>,
}

impl<'a> Follower<'a> {
    fn new(provider: &'a dyn Provider, followed: &[Followed], clock: &'a dyn Clock, told: mpsc::Sender<Told>) -> Self {
        let capabilities = provider.capabilities();
        let delay = i64::from(capabilities.candle_delay_ms) * 1_000_000;
        let place = |f: &Followed| {
            let calendar = Calendar::of(&f.instrument, f.class);
            let filter = Filter::new(FilterRules::of(f.class)).with_calendar(calendar);
            Place {
                id: f.instrument.clone(),
                keeper: Keeper::new(Timeframe::M1, f.from, capabilities.dense, delay).with_calendar(calendar),
                filter: f.reference.map_or(filter.clone(), |price| filter.with_reference(price)),
                asking: false,
                tries: 0,
                strikes: 0,
                connected: false,
                lost: None,
            }
        };
        let numbers = followed.iter().enumerate().map(|(place, f)| (f.instrument.clone(), place)).collect();
        let places = followed.iter().map(place).collect();
        let ours = clock.now();
        let looked = Looked { ours, steady: clock.steady(), at: Instant::now(), venue: provider.venue_time(ours) };
        Self {
            provider,
            clock,
            told,
            places,
            numbers,
            looked,
            changed: Vec::new(),
            compare_at: ours,
            compare_next: 0,
            out: Vec::new(),
        }
    }

    /// Nothing that was known of connections holds after our clock was set or the machine slept: they are made anew, and
    /// the venue is asked before anything more is told.
    fn look_at_clock(&mut self) {
        let before = self.looked;
        let (ours, steady, at) = (self.clock.now(), self.clock.steady(), Instant::now());
        let moved = ours.nanos_since(before.ours) - (steady - before.steady);
        let away = at - before.at;
        // While the venue's clock is not known it went on at least as long as time did.
        let since = before.venue.plus_nanos((steady - before.steady).max(0));
        let venue = if moved.abs() < SET { self.known_now().unwrap_or(since) } else { since };
        self.looked = Looked { ours, steady, at, venue };
        let reason = if moved.abs() >= SET {
            format!("our clock moved by {} s at once", moved / Timestamp::NANOS_PER_SECOND)
        } else if away >= STOPPED {
            format!("the program stood still for {} s", away.as_secs())
        } else {
            return;
        };
        let from = before.venue;
        for place in &mut self.places {
            place.keeper.connected();
            place.connected = false;
            place.lost.get_or_insert_with(|| (from, reason.clone()));
        }
        let instruments = self.places.iter().map(|place| place.id.clone()).collect();
        self.out.push(Told::Event(FeedEvent::Lost { at: from, instruments, reason: reason.clone() }));
        self.provider.reconnect(&reason);
        self.all();
    }

    fn all(&mut self) {
        self.changed.extend(0..self.places.len());
    }

    fn heard(&mut self, event: FeedEvent) {
        match event {
            FeedEvent::Candle { instrument, timeframe: Timeframe::M1, candle, .. } => {
                let Some(&number) = self.numbers.get(&instrument) else { return };
                // One that is refused is missing, and will be asked for.
                if self.refuse(number, &candle).is_some() {
                    return;
                }
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
            FeedEvent::Market(ref market) => {
                let now = self.known_now();
                let Some(&number) = self.numbers.get(&market.instrument) else { return };
                match self.places[number].filter.check(market, now) {
                    Ok(()) => self.out.push(Told::Event(event)),
                    Err(suspicion) => self.provider.quarantine(&suspicion.to_string(), &words(market)),
                }
            }
            other => self.out.push(Told::Event(other)),
        }
    }

    /// Why a candle is not believed; it is in quarantine then.
    fn refuse(&mut self, number: usize, candle: &Candle) -> Option<String> {
        let now = self.known_now();
        let place = &mut self.places[number];
        let reason =
            place.filter.check_candle(candle, Timeframe::M1.close_time(candle.open_time), now).err()?.to_string();
        let Candle { open_time, open, high, low, close, volume } = candle;
        let words = format!("{} 1m {open_time} {open} {high} {low} {close} {volume}", place.id);
        self.provider.quarantine(&reason, &words);
        Some(reason)
    }

    fn keep(&mut self, number: usize, kept: Vec<Kept>) {
        let instrument = &self.places[number].id;
        self.out.extend(kept.into_iter().map(|kept| match kept {
            Kept::Candle { candle, delivery } => Told::Candle { instrument: instrument.clone(), candle, delivery },
            Kept::Gap { from, to, reason } => Told::Gap { instrument: instrument.clone(), from, to, reason },
        }));
        self.changed.push(number);
    }

    /// The venue's time; ours while it is not known.
    fn now(&self) -> Timestamp {
        self.provider.venue_time(self.clock.now())
    }

    /// The venue's time, where it is known.
    fn known_now(&self) -> Option<Timestamp> {
        self.provider.clock_offset().map(|offset| self.clock.now().plus_nanos(offset))
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
        if answers.is_empty() && now >= self.compare_at {
            self.compare_at = now.plus_nanos(COMPARE_AGAIN);
            self.compare(now, answers);
        }
    }

    /// Asks for what the stream told, one instrument after the other, while there is nothing else to ask and at least half
    /// of the venue's request budget is left.
    fn compare(&mut self, now: Timestamp, answers: &mut FuturesUnordered<BoxFuture<'a, Answer>>) {
        let busy = |link: &ConnectionStatus| link.budget_left * 2 < link.budget_limit;
        if !self.provider.capabilities().streams_candles || self.provider.status().connection.as_ref().is_some_and(busy)
        {
            return;
        }
        let count = self.places.len();
        let asked = (0..count).map(|turn| (self.compare_next + turn) % count).find_map(|number| {
            let place = &self.places[number];
            let question = if place.asking { None } else { place.keeper.comparison(now) };
            question.map(|question| (number, question))
        });
        let Some((number, question)) = asked else { return };
        self.compare_next = number + 1;
        self.places[number].asking = true;
        let id = self.places[number].id.clone();
        answers.push(pose(self.provider, number, id, question, false, None).boxed());
    }

    fn answered(&mut self, (number, question, resync, answer): Answer) {
        let now = self.now();
        let place = &mut self.places[number];
        place.asking = false;
        let mut kept = Vec::new();
        match answer {
            Ok(mut candles) => {
                let mut refused = Vec::new();
                candles.retain(|candle| {
                    let reason = self.refuse(number, candle);
                    refused.extend(reason.iter().map(|reason| (candle.open_time, reason.clone())));
                    reason.is_none()
                });
                let place = &mut self.places[number];
                // The answer may have told that it is earlier at the venue than we thought: what is not over there is not
                // settled by it.
                let to = question.to.min(place.keeper.certain(Some(now)));
                let question = Question { to, ..question };
                let missed = place.keeper.answered(question, &candles, &refused, &mut kept);
                // A venue that has not got it yet is not asked again at once.
                let settled = place.keeper.settled_to() >= question.to;
                place.tries = if settled { 0 } else { place.tries + 1 };
                if missed > 0 && place.connected && !resync && self.provider.capabilities().streams_candles {
                    place.strikes += 1;
                }
                if place.strikes >= STRIKES {
                    place.strikes = 0;
                    self.provider.reconnect("it delivered less than the venue has");
                }
                self.asked_instead(number, now);
            }
            Err(_) if !resync && question.to <= place.keeper.settled_to() => {
                // It was a comparison; nothing waits for it.
                self.compare_at = now.plus_nanos(COMPARE_LATER);
            }
            Err(error) => {
                place.tries += 1;
                // Who does not know the venue's time knows no more to be over than what came.
                let known = self.known_now();
                let place = &mut self.places[number];
                let to = question.to.min(place.keeper.certain(known));
                let refused = !error.is_retryable();
                place.keeper.unanswered(Question { to, ..question }, &error.to_string(), refused, &mut kept);
            }
        }
        self.keep(number, kept);
        let place = &self.places[number];
        self.out.push(Told::Settled { instrument: place.id.clone(), to: place.keeper.settled_to() });
    }

    /// Where nothing is streamed an answer ends an outage.
    fn asked_instead(&mut self, number: usize, now: Timestamp) {
        let capabilities = self.provider.capabilities();
        if capabilities.streams_candles || capabilities.trades || capabilities.quotes {
            return;
        }
        let place = &mut self.places[number];
        if let Some((from, reason)) = place.lost.take() {
            self.out.push(Told::Outage { instrument: place.id.clone(), from, to: now.max(from), reason });
        }
    }

    /// Whether somebody still listens.
    async fn hand_over(&mut self) -> bool {
        for told in self.out.drain(..) {
            if self.told.send(told).await.is_err() {
                return false;
            }
        }
        // Who listens may take its time: that is no pause of the program.
        self.looked.at = Instant::now();
        true
    }
}

/// An event as quarantine shows it.
fn words(event: &MarketEvent) -> String {
    let id = &event.instrument;
    match &event.kind {
        MarketEventKind::Trade(Trade { event_time, price, qty, .. }) => {
            format!("{id} trade {event_time} {qty} at {price}")
        }
        MarketEventKind::Quote(Quote { event_time, bid, ask, .. }) => {
            format!("{id} quote {event_time} bid {bid} ask {ask}")
        }
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
    let request = CandleRequest {
        instrument,
        timeframe: Timeframe::M1,
        from: Some(from),
        to: Some(to),
        limit: usize::MAX,
        purpose: Purpose::Follow,
    };
    let answer = provider.candles(&request).await;
    (number, question, resync, answer)
}
