//! Keeps one instrument's candles whole: what a stream delivered, what it lost, and what has to be asked for.
//!
//! A candle is released when everything before it is certain. A stream's candle that follows the last one is; one that
//! leaves a hole waits until the venue has said what was in the hole. After every connection is made anew, the venue is
//! asked before anything is released. What the venue cannot say becomes a gap; nothing is invented.

use std::collections::BTreeMap;

use cw_core::{Calendar, Candle, Timeframe, Timestamp};

/// Released candles that are remembered, to tell a repetition from a revision.
const REMEMBERED: usize = 1_500;
/// Candles before the watermark that are asked for again after a connection was lost: the venue may have revised them.
const OVERLAP: i64 = 3;
/// A hole whose question fails this often becomes a gap; it is filled when somebody asks later.
const FAILURES: u32 = 8;
/// How often a venue that has a candle for every minute may say that it has none before that is a gap.
const DENIALS: u32 = 4;
/// Candles of a stream are compared with the venue's history when there are so many of them …
const COMPARED: i64 = 5;
/// … and so many more are closed: venues revise their newest ones.
const UNSETTLED: i64 = 2;

/// How a candle came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// By the stream, in its turn.
    Streamed,
    /// Asked for, because the stream did not bring it.
    Backfilled,
    /// With other values than were released before, or too late.
    Revised,
}

/// What the keeper has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    Candle {
        candle: Candle,
        delivery: Delivery,
    },
    /// Nobody could say what was in [`from`, `to`).
    Gap {
        from: Timestamp,
        to: Timestamp,
        reason: String,
    },
}

/// A question to the venue: closed candles with open times in [`from`, `to`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    pub from: Timestamp,
    pub to: Timestamp,
}

#[derive(Debug, Clone)]
pub struct Keeper {
    timeframe: Timeframe,
    calendar: Calendar,
    /// Every candle exists: a missing one was lost.
    dense: bool,
    /// How long after its end a candle may come by itself.
    delay_ns: i64,
    /// Everything before this open time is released or known not to exist.
    next: Timestamp,
    /// Came, and waits for what is before it.
    waiting: BTreeMap<Timestamp, Candle>,
    released: BTreeMap<Timestamp, Candle>,
    /// A connection was made anew: the venue is asked before anything is released.
    resync: bool,
    /// Before this open time the venue's history was asked as well as its stream.
    compared: Timestamp,
    failures: u32,
    denials: u32,
}

impl Keeper {
    /// `from` is the first candle that is wanted; what is before is somebody else's.
    pub fn new(timeframe: Timeframe, from: Timestamp, dense: bool, delay_ns: i64) -> Self {
        Self {
            timeframe,
            calendar: Calendar::Continuous,
            dense,
            delay_ns,
            next: timeframe.open_time(from),
            waiting: BTreeMap::new(),
            released: BTreeMap::new(),
            resync: true,
            compared: timeframe.open_time(from),
            failures: 0,
            denials: 0,
        }
    }

    /// While the market is closed nothing is asked for, and nothing there is a gap.
    pub const fn with_calendar(mut self, calendar: Calendar) -> Self {
        self.calendar = calendar;
        self
    }

    /// Everything before this open time is settled.
    pub const fn settled_to(&self) -> Timestamp {
        self.next
    }

    /// Whether the venue is asked before anything is released.
    pub const fn is_resyncing(&self) -> bool {
        self.resync
    }

    /// A connection is up, the first or another one.
    pub const fn connected(&mut self) {
        self.resync = true;
    }

    /// The stream brought a candle.
    pub fn streamed(&mut self, candle: Candle, out: &mut Vec<Kept>) {
        if candle.open_time < self.next {
            return self.again(candle, out);
        }
        if self.calendar.is_quiet(candle.open_time, self.timeframe.close_time(candle.open_time)) {
            // A market that speaks while its calendar has it closed has another calendar.
            self.calendar = Calendar::Continuous;
        }
        // The later one is the better one.
        self.waiting.insert(candle.open_time, candle);
        if !self.resync {
            self.release(out);
        }
    }

    /// The end of what is over: whole candles that had their time to come by themselves, and those before one that came.
    /// Without the time, the latter alone.
    pub fn certain(&self, now: Option<Timestamp>) -> Timestamp {
        let due = now.map(|now| self.timeframe.open_time(now.plus_nanos(-self.delay_ns)));
        let proven = self.waiting.keys().next_back().copied().unwrap_or(self.next);
        due.map_or(proven, |due| due.max(proven))
    }

    /// What has to be asked for now.
    pub fn question(&self, now: Timestamp) -> Option<Question> {
        let to = self.certain(Some(now));
        if self.resync {
            let overlap = self.timeframe.approx_nanos() * OVERLAP;
            let from = match self.released.keys().next() {
                Some(first) => self.timeframe.open_time(self.next.plus_nanos(-overlap)).max(*first),
                None => self.next,
            };
            return (from < to).then_some(Question { from, to });
        }
        let hole_ends = self.waiting.keys().next().copied().unwrap_or(to);
        let asked = self.next < hole_ends && !self.calendar.is_quiet(self.next, hole_ends);
        asked.then_some(Question { from: self.next, to: hole_ends })
    }

    /// What the stream told and the venue's history has not confirmed yet, when there is nothing more urgent to ask.
    pub fn comparison(&self, now: Timestamp) -> Option<Question> {
        if self.resync || !self.waiting.is_empty() || self.question(now).is_some() {
            return None;
        }
        let length = self.timeframe.approx_nanos();
        let old = self.timeframe.open_time(now.plus_nanos(-self.delay_ns - UNSETTLED * length));
        let known = self.released.keys().next().copied()?;
        let (from, to) = (self.compared.max(known), old.min(self.next));
        let enough = to.nanos_since(from) >= COMPARED * length && self.released.range(from..to).next().is_some();
        enough.then_some(Question { from, to })
    }

    /// Whether the stream alone must be trusted: nothing is closed yet that could be asked for.
    pub fn nothing_to_ask(&mut self, now: Timestamp, out: &mut Vec<Kept>) {
        if self.resync && self.question(now).is_none() {
            self.resync = false;
            self.release(out);
        }
    }

    /// The venue answered a question. `refused` are its candles that are not believed, in order, and why: they become gaps.
    /// Returns how many candles of it the stream should have brought.
    pub fn answered(
        &mut self,
        question: Question,
        candles: &[Candle],
        refused: &[(Timestamp, String)],
        out: &mut Vec<Kept>,
    ) -> usize {
        self.failures = 0;
        let mut missed = 0;
        let inside = |at: Timestamp| at >= question.from && at < question.to;
        let mut refused = refused.iter().filter(|(at, _)| inside(*at)).peekable();
        for candle in candles.iter().filter(|candle| inside(candle.open_time)) {
            while let Some((at, reason)) = refused.next_if(|(at, _)| *at < candle.open_time) {
                self.disbelieve(*at, reason, out);
            }
            if candle.open_time < self.next {
                self.again(*candle, out);
            } else if let Some(waiting) = self.waiting.get_mut(&candle.open_time) {
                // What is asked for afterwards includes what came late.
                *waiting = *candle;
            } else {
                missed += 1;
                self.settle_before(candle.open_time, out);
                self.put_out(*candle, Delivery::Backfilled, out);
            }
        }
        refused.for_each(|(at, reason)| self.disbelieve(*at, reason, out));
        let quiet = self.first_silent(question);
        match quiet {
            // A venue that is never quiet may only be late: it is asked again.
            Some(_) if self.dense && self.denials < DENIALS => self.denials += 1,
            Some(from) if self.dense => {
                self.denials = 0;
                self.gap(from, question.to, "the venue has no candle there", out);
            }
            _ => {
                self.denials = 0;
                self.settle_before(question.to, out);
            }
        }
        if self.next >= question.to {
            self.resync = false;
        }
        // What was forgotten cannot be compared any more.
        let known = self.released.keys().next().copied().unwrap_or(question.from);
        if question.from <= self.compared.max(known) {
            self.compared = self.compared.max(question.to.min(self.next));
        }
        if !self.resync {
            self.release(out);
        }
        missed
    }

    /// A candle that is not believed is none, unless the stream brought a better one.
    fn disbelieve(&mut self, at: Timestamp, reason: &str, out: &mut Vec<Kept>) {
        if at >= self.next && !self.waiting.contains_key(&at) {
            self.gap(at, self.timeframe.close_time(at), reason, out);
        }
    }

    /// The venue did not answer. Final when it refused; otherwise the question stands, for a while.
    pub fn unanswered(&mut self, question: Question, reason: &str, refused: bool, out: &mut Vec<Kept>) {
        if !self.resync && question.to <= self.next {
            // Nothing waits for it.
            return;
        }
        self.failures += 1;
        if refused || self.failures >= FAILURES {
            self.failures = 0;
            self.gap(self.next, question.to, reason, out);
            self.resync = false;
            self.release(out);
        }
    }

    /// The first open time inside a question that is still unsettled and that nothing waits at.
    fn first_silent(&self, question: Question) -> Option<Timestamp> {
        let mut at = self.next;
        while at < question.to {
            if !self.waiting.contains_key(&at) && self.calendar.is_open(at) {
                return Some(at);
            }
            at = self.timeframe.close_time(at);
        }
        None
    }

    /// Marks what is missing in [`from`, `to`) and goes on behind it.
    fn gap(&mut self, from: Timestamp, to: Timestamp, reason: &str, out: &mut Vec<Kept>) {
        self.settle_before(from, out);
        let from = from.max(self.next);
        let end = self.waiting.range(from..).next().map_or(to, |(at, _)| (*at).min(to));
        if from < end {
            let open = self.calendar.open_spans(from, end);
            out.extend(open.map(|(from, to)| Kept::Gap { from, to, reason: reason.to_owned() }));
            self.next = end;
        }
        if end < to {
            // Others may wait behind this one.
            self.release(out);
            if self.next < to {
                self.gap(self.next, to, reason, out);
            }
        }
    }

    /// Everything before `to` is known: releases what waits there and moves on.
    fn settle_before(&mut self, to: Timestamp, out: &mut Vec<Kept>) {
        while let Some((at, candle)) = self.waiting.first_key_value().map(|(at, candle)| (*at, *candle))
            && at < to
        {
            self.waiting.remove(&at);
            self.put_out(candle, Delivery::Streamed, out);
        }
        self.next = self.next.max(to);
    }

    /// Releases what follows without a hole.
    fn release(&mut self, out: &mut Vec<Kept>) {
        while let Some((at, candle)) = self.waiting.first_key_value().map(|(at, candle)| (*at, *candle)) {
            if at != self.next && !self.calendar.is_quiet(self.next, at) {
                break;
            }
            self.waiting.remove(&at);
            self.put_out(candle, Delivery::Streamed, out);
        }
    }

    fn put_out(&mut self, candle: Candle, delivery: Delivery, out: &mut Vec<Kept>) {
        out.push(Kept::Candle { candle, delivery });
        self.next = self.next.max(self.timeframe.close_time(candle.open_time));
        self.remember(candle);
    }

    fn remember(&mut self, candle: Candle) {
        self.released.insert(candle.open_time, candle);
        if self.released.len() > REMEMBERED {
            self.released.pop_first();
        }
    }

    /// A candle of a time that is settled: the same again, or a revision.
    fn again(&mut self, candle: Candle, out: &mut Vec<Kept>) {
        let forgotten = self.released.first_key_value().is_none_or(|(first, _)| candle.open_time < *first);
        if forgotten || self.released.get(&candle.open_time) == Some(&candle) {
            return;
        }
        out.push(Kept::Candle { candle, delivery: Delivery::Revised });
        self.remember(candle);
    }
}

#[cfg(test)]
mod tests;
