//! One timeframe of an aggregator.

use std::collections::VecDeque;

use cw_core::{Calendar, Timeframe, Timestamp, Window};
use serde::{Deserialize, Serialize};

use super::CandleUpdate;
use crate::bucket::{Bucket, Print};

/// Closed candles kept at least, for provenance.
const KEPT: usize = 32;
/// Closed candles kept at most for making coarser ones again: the forming one and the one before, where that is few.
const KEPT_FOR_PARENTS: usize = 128;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Level {
    pub(super) timeframe: Timeframe,
    /// Index of the coarsest finer level that divides this one; `None` = takes events itself.
    pub(super) source: Option<u16>,
    /// In nanoseconds; zero for months.
    length: i64,
    pub(super) start: i64,
    pub(super) end: i64,
    /// What this level knows of [`start`, `end`): everything for a root, otherwise what its source has closed.
    pub(super) current: Bucket,
    pub(super) closed: VecDeque<Bucket>,
    capacity: usize,
    /// Open time of the newest candle that left `closed`.
    forgotten: i64,
    /// Not part of the state: who restores an aggregator says it again.
    #[serde(skip)]
    sessions: Sessions,
}

/// What a market's calendar means for one timeframe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Sessions {
    calendar: Calendar,
    /// Candles are counted from the sessions' beginning and hold nothing from outside of them.
    anchored: bool,
    /// The market is closed in all of [`start`, `end`).
    shut: bool,
}

pub(super) enum Replaced {
    Same,
    Forgotten,
    Changed(Bucket),
}

impl Level {
    /// One level per timeframe. `timeframes` are sorted, finest first.
    pub(super) fn tree(timeframes: &[Timeframe], lateness: i64) -> Vec<Self> {
        let source = |at: usize| (0..at).rev().find(|finer| timeframes[at].is_multiple_of(timeframes[*finer]));
        let capacity = |at: usize| {
            let length = timeframes[at].approx_nanos();
            let late = usize::try_from(lateness / length).unwrap_or(usize::MAX).saturating_add(3);
            let parents = (at + 1..timeframes.len()).filter(|parent| source(*parent) == Some(at));
            let children = parents.map(|parent| timeframes[parent].approx_nanos() / length + 2).max().unwrap_or(0);
            late.max(KEPT).max(usize::try_from(children).unwrap_or(usize::MAX).min(KEPT_FOR_PARENTS))
        };
        let level = |at: usize| Self {
            timeframe: timeframes[at],
            source: source(at).map(|finer| u16::try_from(finer).expect("nobody asks for 65536 timeframes")),
            length: timeframes[at].fixed_nanos().unwrap_or(0),
            start: i64::MIN,
            end: i64::MIN,
            current: Bucket::EMPTY,
            closed: VecDeque::with_capacity(capacity(at) + 1),
            capacity: capacity(at),
            forgotten: i64::MIN,
            sessions: Sessions::default(),
        };
        (0..timeframes.len()).map(level).collect()
    }

    /// Takes over a calendar, before the first event or after the state was read back.
    pub(super) fn set_calendar(&mut self, calendar: Calendar) {
        let anchored = calendar.anchors(self.timeframe);
        let begun = self.start != i64::MIN;
        let shut = anchored && begun && calendar.window(self.timeframe, Timestamp::from_nanos(self.start)).shut;
        self.sessions = Sessions { calendar, anchored, shut };
    }

    /// The candle that `time` lies in.
    pub(super) fn window(&self, time: i64) -> Window {
        self.sessions.calendar.window(self.timeframe, Timestamp::from_nanos(time))
    }

    /// Whether a candle begins there.
    pub(super) fn begins_at(&self, time: Timestamp) -> bool {
        let window = self.window(time.as_nanos());
        !window.shut && window.open_time == time
    }

    /// Whether what happened, or began, at `time` counts in a candle of this level.
    #[inline]
    pub(super) fn takes(&self, time: i64) -> bool {
        !self.sessions.shut && self.took(time)
    }

    /// [`Self::takes`] of a time that need not lie in the current candle.
    fn took(&self, time: i64) -> bool {
        !self.sessions.anchored || self.sessions.calendar.is_open(Timestamp::from_nanos(time))
    }

    /// How far events that take no look at the calendar may go into the current candle.
    pub(super) fn unquestioned_end(&self) -> i64 {
        if !self.sessions.anchored {
            return self.end;
        }
        let span = self.sessions.calendar.span_at(Timestamp::from_nanos(self.start));
        if span.session.is_some() { span.to.as_nanos().min(self.end) } else { i64::MIN }
    }

    /// Marks [`from`, `to`) as silent, but for the time that the market was closed.
    fn silent(&self, from: i64, to: i64, out: &mut impl FnMut(CandleUpdate)) {
        let (from, to) = (Timestamp::from_nanos(from), Timestamp::from_nanos(to));
        for (from, to) in self.sessions.calendar.open_spans(from, to) {
            out(CandleUpdate::Gap { timeframe: self.timeframe, from, to });
        }
    }

    pub(super) fn place_at(&mut self, time: i64) {
        if self.sessions.anchored {
            let window = self.window(time);
            self.start = window.open_time.as_nanos();
            self.end = window.close_time.as_nanos();
            self.sessions.shut = window.shut;
        } else if self.length > 0 && time >= self.end && time - self.length < self.end {
            self.start = self.end;
            self.end += self.length;
        } else {
            let start = self.timeframe.open_time(Timestamp::from_nanos(time));
            self.start = start.as_nanos();
            self.end = self.timeframe.close_time(start).as_nanos();
        }
    }

    /// Ends the current candle because `time` lies past it and moves on to the one that `time` lies in.
    pub(super) fn close(&mut self, time: i64, out: &mut impl FnMut(CandleUpdate)) -> Option<Bucket> {
        let bucket = std::mem::replace(&mut self.current, Bucket::EMPTY);
        let silent_since = if bucket.is_empty() { self.start } else { self.end };
        if !bucket.is_empty() {
            self.keep(bucket);
            out(CandleUpdate::Closed { timeframe: self.timeframe, candle: bucket.candle(), source: bucket.source() });
        }
        self.place_at(time);
        if self.start > silent_since {
            self.silent(silent_since, self.start, out);
        }
        (!bucket.is_empty()).then_some(bucket)
    }

    /// Puts an event into the current candle.
    pub(super) fn insert(&mut self, print: &Print) {
        if self.current.is_empty() {
            self.current = Bucket::start(self.start, print);
        } else {
            self.current.insert(print);
        }
    }

    /// Puts an event into the closed candle it belongs to, which may have to be made.
    pub(super) fn revise(&mut self, print: &Print) -> Option<CandleUpdate> {
        if !self.took(print.time) {
            return None;
        }
        let open_time = self.window(print.time).open_time.as_nanos();
        let bucket = match self.closed.binary_search_by_key(&open_time, |bucket| bucket.open_time) {
            Ok(at) => {
                let bucket = &mut self.closed[at];
                bucket.insert(print);
                bucket.revision += 1;
                *bucket
            }
            // What is kept spans the allowed lateness, so this is a caller's clock gone wrong, not a late event.
            Err(_) if open_time <= self.forgotten => return None,
            Err(at) => self.keep_at(at, Bucket { revision: 1, ..Bucket::start(open_time, print) }),
        };
        Some(self.revised(&bucket))
    }

    pub(super) fn revised(&self, bucket: &Bucket) -> CandleUpdate {
        CandleUpdate::Revised {
            timeframe: self.timeframe,
            candle: bucket.candle(),
            revision: bucket.revision,
            source: bucket.source(),
        }
    }

    pub(super) fn find_closed(&self, open_time: i64) -> Option<&Bucket> {
        let at = self.closed.binary_search_by_key(&open_time, |bucket| bucket.open_time).ok()?;
        self.closed.get(at)
    }

    /// Puts a whole candle in place of the closed one of the same time.
    pub(super) fn replace_closed(&mut self, new: Bucket) -> Replaced {
        match self.closed.binary_search_by_key(&new.open_time, |bucket| bucket.open_time) {
            Ok(at) => {
                let old = &mut self.closed[at];
                if old.candle() == new.candle() {
                    return Replaced::Same;
                }
                let (revision, first_seq) = (old.revision + 1, old.first_seq.min(new.first_seq));
                *old = Bucket { first_seq, revision, ..new };
                Replaced::Changed(*old)
            }
            Err(_) if new.open_time <= self.forgotten => Replaced::Forgotten,
            Err(at) => Replaced::Changed(self.keep_at(at, Bucket { revision: 1, ..new })),
        }
    }

    /// Makes the candle that `time` lies in again from the closed candles of `source`. False when they do not suffice.
    pub(super) fn refold(&mut self, source: &Level, time: i64, out: &mut impl FnMut(CandleUpdate)) -> bool {
        if !self.took(time) {
            return true;
        }
        let window = self.window(time);
        let (start, end) = (window.open_time.as_nanos(), window.close_time.as_nanos());
        if source.forgotten >= start {
            return false;
        }
        let mut bucket = Bucket::EMPTY;
        for finer in source.closed.iter().filter(|finer| (start..end).contains(&finer.open_time)) {
            if self.took(finer.open_time) {
                bucket.append_bucket(start, finer);
            }
        }
        if start >= self.start {
            self.current = bucket;
            return true;
        }
        match self.replace_closed(bucket) {
            Replaced::Same => true,
            Replaced::Forgotten => false,
            Replaced::Changed(changed) => {
                out(self.revised(&changed));
                true
            }
        }
    }

    fn keep(&mut self, bucket: Bucket) {
        if self.closed.len() == self.capacity
            && let Some(oldest) = self.closed.pop_front()
        {
            self.forgotten = oldest.open_time;
        }
        self.closed.push_back(bucket);
    }

    /// Keeps a candle that appeared between others, at index `at` of the kept ones.
    fn keep_at(&mut self, at: usize, bucket: Bucket) -> Bucket {
        self.closed.insert(at, bucket);
        if self.closed.len() > self.capacity
            && let Some(oldest) = self.closed.pop_front()
        {
            self.forgotten = oldest.open_time;
        }
        bucket
    }
}
