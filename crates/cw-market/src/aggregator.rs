//! Events of one instrument to candles of many timeframes.
//!
//! Only the finest candle is touched per event. When its time is over it is folded into the next coarser one, and so
//! on upwards; a timeframe that no other divides takes the events itself. An event that comes late corrects the candle
//! it belongs to and every coarser one that already contains that candle.

mod level;
#[cfg(test)]
mod tests;

use cw_core::{Calendar, Candle, FormingCandle, Quote, Timeframe, Timestamp, Trade};
use serde::{Deserialize, Serialize};

use crate::bucket::{Bucket, Print};
use crate::seen::{Seen, SeenIds};
use level::Level;

/// Sequence numbers of the first and last event that a candle was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeqRange {
    pub first: u64,
    pub last: u64,
}

/// What the aggregator has to say. For one timeframe, `Closed` comes once per candle and in order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum CandleUpdate {
    /// The time of a candle is over.
    Closed { timeframe: Timeframe, candle: Candle, source: SeqRange },
    /// A candle whose time was over has changed, or has appeared where none was. `revision` counts from 1.
    Revised { timeframe: Timeframe, candle: Candle, revision: u32, source: SeqRange },
    /// Nothing was heard in [`from`, `to`), which are candle boundaries. A candle may still appear there, as `Revised`.
    Gap { timeframe: Timeframe, from: Timestamp, to: Timestamp },
    /// A finer candle was replaced after this one was made from it, and what is kept here does not suffice to make it
    /// again: [`crate::fold`] it from stored candles.
    Stale { timeframe: Timeframe, open_time: Timestamp },
}

/// What became of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Went into the forming candle.
    Accepted,
    /// Changed a candle that was closed.
    Revised,
    /// Dropped: the same trade was already counted.
    Duplicate,
    /// Dropped: older than the allowed lateness, or than every trade id remembered.
    TooLate,
    /// Dropped: price or quantity out of range, bid above ask, a time no market has, or a timeframe not expected.
    Invalid,
}

/// How many events were dropped, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Discarded {
    pub duplicate: u64,
    pub too_late: u64,
    pub invalid: u64,
}

/// Aggregates one instrument. The same inputs give the same state and the same updates, on every machine.
///
/// Within the allowed lateness the candles do not depend on the order of arrival: opening and closing price belong to
/// the earliest and latest event time, ties are broken by the venue's trade id, and by arrival where it has none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aggregator {
    /// Finest first; a level's source stands before it.
    levels: Vec<Level>,
    lateness: i64,
    grace: i64,
    /// The earliest end among the candles that take events themselves; `i64::MIN` before the first event.
    next_end: i64,
    /// `next_end` when only `levels[0]` takes events, else `i64::MIN`.
    fast_end: i64,
    /// Whether each level is made from the one before it: then a candle that goes on means that all coarser ones do.
    chain: bool,
    /// The newest event time, as far as it is not in `levels[0]`.
    watermark: i64,
    seen: SeenIds,
    discarded: Discarded,
}

/// Event times outside 1970 to 2200 are nonsense and would move the watermark for ever.
const LAST_EVENT_TIME: i64 = 7_258_118_400_000_000_000;

/// Below this a sum of volumes cannot overflow: 2⁹⁶ × 10⁻⁹ is more than 10¹⁹ units.
const fn is_volume(raw: i128) -> bool {
    raw.cast_unsigned() >> 96 == 0
}

impl Aggregator {
    /// `timeframes` in any order; `lateness` in nanoseconds: an event older than the newest one by more is dropped.
    ///
    /// The lateness is cut to 4096 candles of the finest timeframe, which bounds what is kept. Candles are closed by
    /// [`Self::advance`] a quarter of a second after their end, or `lateness` if that is less; see [`Self::with_grace`].
    pub fn new(timeframes: &[Timeframe], lateness: i64) -> Self {
        let mut sorted = timeframes.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        let finest = sorted.first().map_or(0, |timeframe| timeframe.approx_nanos());
        let lateness = lateness.clamp(0, finest.saturating_mul(4096));
        let levels = Level::tree(&sorted, lateness);
        let chain = !levels.is_empty()
            && levels.iter().skip(1).zip(0_u16..).all(|(level, before)| level.source == Some(before));
        Self {
            levels,
            chain,
            lateness,
            grace: lateness.min(250_000_000),
            next_end: i64::MIN,
            fast_end: i64::MIN,
            watermark: i64::MIN,
            seen: SeenIds::default(),
            discarded: Discarded::default(),
        }
    }

    /// How long after its end [`Self::advance`] closes a candle, in nanoseconds: time for the last events to come in.
    pub fn with_grace(mut self, grace: i64) -> Self {
        self.grace = grace.max(0);
        self
    }

    /// Follows the sessions of a market: daily candles are sessions, what is counted from the opening is, and the time
    /// that the market is closed is no gap. Not part of the serialized state: say it again after reading one back.
    ///
    /// Events outside the sessions go into the candles of the timeframes that are not counted from the opening
    /// ([`Calendar::anchors`]), and into no others.
    pub fn with_calendar(mut self, calendar: Calendar) -> Self {
        self.set_calendar(calendar);
        self
    }

    /// [`Self::with_calendar`] in place.
    pub fn set_calendar(&mut self, calendar: Calendar) {
        self.levels.iter_mut().for_each(|level| level.set_calendar(calendar));
    }

    /// Counts a trade. `seq` is its number in the journal.
    #[inline]
    pub fn on_trade(&mut self, trade: &Trade, seq: u64, out: &mut impl FnMut(CandleUpdate)) -> Verdict {
        if trade.trade_id != 0 {
            match self.seen.admit(trade.trade_id) {
                Seen::New => {}
                Seen::Repeated => return self.discard(Verdict::Duplicate),
                Seen::Forgotten => return self.discard(Verdict::TooLate),
            }
        }
        let print = Print {
            time: trade.event_time.as_nanos(),
            price: trade.price.raw(),
            volume: trade.qty.raw(),
            id: trade.trade_id,
            seq,
        };
        self.on_print(&print, out)
    }

    /// Counts a run of trades; `first_seq` numbers the first, the others follow. The same as [`Self::on_trade`] for each.
    pub fn on_trades(
        &mut self,
        trades: impl IntoIterator<Item = Trade>,
        first_seq: u64,
        out: &mut impl FnMut(CandleUpdate),
    ) {
        if self.levels.is_empty() {
            return;
        }
        // The candle being made lives outside the state for the length of a run, where the compiler can keep it in
        // registers.
        let mut current = self.levels[0].current;
        for (trade, seq) in trades.into_iter().zip(first_seq..) {
            let print = Print {
                time: trade.event_time.as_nanos(),
                price: trade.price.raw(),
                volume: trade.qty.raw(),
                id: trade.trade_id,
                seq,
            };
            let newer = print.id == 0 || self.seen.admit_newer(print.id);
            if newer && continues(&current, self.fast_end, &print) {
                current.append(&print);
                continue;
            }
            self.levels[0].current = current;
            let verdict = if newer { Seen::New } else { self.seen.admit(print.id) };
            match verdict {
                Seen::New => self.place(&print, out),
                Seen::Repeated => self.discard(Verdict::Duplicate),
                Seen::Forgotten => self.discard(Verdict::TooLate),
            };
            current = self.levels[0].current;
        }
        self.levels[0].current = current;
    }

    /// Counts a quote of an instrument that has no public trades (FX): its middle, without volume.
    #[inline]
    pub fn on_quote(&mut self, quote: &Quote, seq: u64, out: &mut impl FnMut(CandleUpdate)) -> Verdict {
        if quote.is_crossed() || !quote.bid.is_positive() {
            return self.discard(Verdict::Invalid);
        }
        let print = Print { time: quote.event_time.as_nanos(), price: quote.mid().raw(), volume: 0, id: 0, seq };
        self.on_print(&print, out)
    }

    /// Counts a closed candle of the finest timeframe, for sources that have no trades.
    ///
    /// A candle that was there and differs replaces it; coarser candles are made again from what is kept, or reported
    /// as [`CandleUpdate::Stale`].
    pub fn on_candle(
        &mut self,
        timeframe: Timeframe,
        candle: &Candle,
        seq: u64,
        out: &mut impl FnMut(CandleUpdate),
    ) -> Verdict {
        let fits = self.levels.first().is_some_and(|level| level.timeframe == timeframe)
            && self.levels[1..].iter().all(|level| level.source.is_some())
            && self.levels[0].begins_at(candle.open_time)
            && candle.validate().is_ok()
            && is_volume(candle.volume.raw());
        let open_time = candle.open_time.as_nanos();
        if !fits || !(0..=LAST_EVENT_TIME).contains(&open_time) {
            return self.discard(Verdict::Invalid);
        }
        let close_time = self.levels[0].window(open_time).close_time.as_nanos();
        let bucket = Bucket::whole(candle, close_time, seq);
        if self.next_end == i64::MIN {
            self.begin(open_time);
        }
        if open_time >= self.levels[0].start {
            if open_time >= self.next_end {
                self.roll(open_time, out);
            }
            self.levels[0].current = bucket;
            self.watermark = self.watermark.max(close_time - 1);
            self.roll(close_time, out);
            return Verdict::Accepted;
        }
        match self.levels[0].replace_closed(bucket) {
            level::Replaced::Same => return self.discard(Verdict::Duplicate),
            level::Replaced::Forgotten => return self.discard(Verdict::TooLate),
            level::Replaced::Changed(changed) => out(self.levels[0].revised(&changed)),
        }
        let mut sound = vec![true; self.levels.len()];
        for at in 1..self.levels.len() {
            let (finer, coarser) = self.levels.split_at_mut(at);
            let level = &mut coarser[0];
            let source = level.source.map_or(0, usize::from);
            sound[at] = sound[source] && level.refold(&finer[source], open_time, out);
            if !sound[at] {
                out(CandleUpdate::Stale { timeframe: level.timeframe, open_time: level.window(open_time).open_time });
            }
        }
        Verdict::Revised
    }

    /// Closes candles whose time is over at `now` and marks what was silent since. Call it a few times per second of
    /// market time, so that a candle closes although no event follows.
    pub fn advance(&mut self, now: Timestamp, out: &mut impl FnMut(CandleUpdate)) {
        let cutoff = now.as_nanos().saturating_sub(self.grace).min(LAST_EVENT_TIME);
        if self.next_end != i64::MIN && cutoff >= self.next_end {
            self.roll(cutoff, out);
        }
    }

    /// The candle of `timeframe` whose time is not over; `None` while nothing was heard in it.
    pub fn forming(&self, timeframe: Timeframe) -> Option<FormingCandle> {
        let bucket = self.forming_bucket(self.level(timeframe)?)?;
        Some(FormingCandle { so_far: bucket.candle(), as_of: Timestamp::from_nanos(bucket.last.time) })
    }

    /// The events that a candle was made of, for the forming and the recently closed ones.
    pub fn provenance(&self, timeframe: Timeframe, open_time: Timestamp) -> Option<SeqRange> {
        let at = self.level(timeframe)?;
        let open_time = open_time.as_nanos();
        if let Some(bucket) = self.levels[at].find_closed(open_time) {
            return Some(bucket.source());
        }
        self.forming_bucket(at).filter(|bucket| bucket.open_time == open_time).map(|bucket| bucket.source())
    }

    /// Recently closed candles of a timeframe, oldest first: what a late event can still change, and some more.
    pub fn recent(&self, timeframe: Timeframe) -> impl DoubleEndedIterator<Item = Candle> {
        let level = self.level(timeframe).map(|at| &self.levels[at]);
        level.into_iter().flat_map(|level| level.closed.iter().map(Bucket::candle))
    }

    /// The timeframes, finest first.
    pub fn timeframes(&self) -> impl Iterator<Item = Timeframe> {
        self.levels.iter().map(|level| level.timeframe)
    }

    /// The newest event time; `None` before the first event.
    pub fn watermark(&self) -> Option<Timestamp> {
        let newest = self.newest();
        (newest != i64::MIN).then(|| Timestamp::from_nanos(newest))
    }

    pub const fn discarded(&self) -> Discarded {
        self.discarded
    }

    #[inline]
    fn on_print(&mut self, print: &Print, out: &mut impl FnMut(CandleUpdate)) -> Verdict {
        if let Some(level) = self.levels.first_mut()
            && continues(&level.current, self.fast_end, print)
        {
            level.current.append(print);
            return Verdict::Accepted;
        }
        self.place(print, out)
    }

    /// The general case: a new candle, an event out of order, several timeframes that take events, nonsense.
    #[inline(never)]
    fn place(&mut self, print: &Print, out: &mut impl FnMut(CandleUpdate)) -> Verdict {
        if print.price <= 0 || !is_volume(print.volume) || !(0..=LAST_EVENT_TIME).contains(&print.time) {
            return self.discard(Verdict::Invalid);
        }
        if self.next_end == i64::MIN {
            self.begin(print.time);
        } else if print.time >= self.next_end {
            self.roll(print.time, out);
        } else if print.time < self.newest().saturating_sub(self.lateness) {
            return self.discard(Verdict::TooLate);
        }
        self.watermark = self.watermark.max(print.time);
        if self.chain && print.time >= self.levels[0].start {
            if self.levels[0].takes(print.time) {
                self.levels[0].insert(print);
            }
            return Verdict::Accepted;
        }
        let mut verdict = Verdict::Accepted;
        for at in 0..self.levels.len() {
            if let Some(source) = self.levels[at].source
                && print.time >= self.levels[usize::from(source)].start
            {
                // Comes up from the source when that closes.
                continue;
            }
            let level = &mut self.levels[at];
            if print.time >= level.start {
                if level.takes(print.time) {
                    level.insert(print);
                }
            } else if let Some(update) = level.revise(print) {
                out(update);
                verdict = Verdict::Revised;
            }
        }
        verdict
    }

    fn begin(&mut self, time: i64) {
        for level in &mut self.levels {
            level.place_at(time);
        }
        self.set_ends();
    }

    /// Moves every timeframe to the candle that `time` lies in, finest first, closing what is over.
    fn roll(&mut self, time: i64, out: &mut impl FnMut(CandleUpdate)) {
        self.watermark = self.newest();
        for at in 0..self.levels.len() {
            if time < self.levels[at].end {
                if self.chain {
                    break;
                }
                continue;
            }
            let (finer, coarser) = self.levels.split_at_mut(at + 1);
            let level = &mut finer[at];
            let Some(bucket) = level.close(time, out) else { continue };
            if self.chain {
                if let Some(parent) = coarser.first_mut().filter(|parent| parent.takes(bucket.open_time)) {
                    parent.current.append_bucket(parent.start, &bucket);
                }
            } else {
                for parent in coarser.iter_mut().filter(|parent| parent.source.map(usize::from) == Some(at)) {
                    if parent.takes(bucket.open_time) {
                        parent.current.append_bucket(parent.start, &bucket);
                    }
                }
            }
        }
        self.set_ends();
    }

    fn set_ends(&mut self) {
        if self.chain {
            self.next_end = self.levels.first().map_or(i64::MAX, |level| level.end);
            self.fast_end = self.levels.first().map_or(i64::MAX, Level::unquestioned_end);
            return;
        }
        let roots = self.levels.iter().filter(|level| level.source.is_none());
        self.next_end = roots.clone().map(|level| level.end).min().unwrap_or(i64::MAX);
        let fast_end = self.levels.first().map_or(i64::MIN, Level::unquestioned_end);
        self.fast_end = if roots.count() == 1 { fast_end } else { i64::MIN };
    }

    fn newest(&self) -> i64 {
        match self.levels.first() {
            Some(level) if !level.current.is_empty() => self.watermark.max(level.current.last.time),
            _ => self.watermark,
        }
    }

    fn level(&self, timeframe: Timeframe) -> Option<usize> {
        self.levels.iter().position(|level| level.timeframe == timeframe)
    }

    fn forming_bucket(&self, at: usize) -> Option<Bucket> {
        let level = &self.levels[at];
        let mut bucket = level.current;
        if let Some(source) = level.source
            && let Some(finer) = self.forming_bucket(usize::from(source))
            && level.takes(finer.open_time)
        {
            bucket.append_bucket(level.start, &finer);
        }
        (!bucket.is_empty()).then_some(bucket)
    }

    #[cold]
    fn discard(&mut self, verdict: Verdict) -> Verdict {
        match verdict {
            Verdict::Duplicate => self.discarded.duplicate += 1,
            Verdict::TooLate => self.discarded.too_late += 1,
            Verdict::Invalid => self.discarded.invalid += 1,
            Verdict::Accepted | Verdict::Revised => {}
        }
        verdict
    }
}

/// Whether `print` simply comes next in `current`, the candle of the only timeframe that takes events.
#[inline]
fn continues(current: &Bucket, end: i64, print: &Print) -> bool {
    current.precedes(print) && print.time < end && print.price > 0 && is_volume(print.volume)
}
