//! The candle that is not closed yet, in any timeframe: the engine's own where it aggregates that timeframe, folded from
//! the longest shorter one it does aggregate otherwise.

use cw_api::ApiError;
use cw_core::{Calendar, Candle, FormingCandle, InstrumentId, Timeframe, Timestamp};

use super::{Market, Span};
use crate::services::events::Seconds;
use crate::shared::stopped;

const MINUTE: i64 = 60 * Timestamp::NANOS_PER_SECOND;

/// The longest of `timeframes` that divides `wanted`.
pub(super) fn base_of(timeframes: impl IntoIterator<Item = Timeframe>, wanted: Timeframe) -> Option<Timeframe> {
    timeframes.into_iter().filter(|base| wanted.is_multiple_of(*base)).max()
}

/// Makes candles of one timeframe out of closed candles of another that divides it, as they come.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::services) struct Folder {
    base: Timeframe,
    timeframe: Timeframe,
    calendar: Calendar,
    /// The candle that waits for its last parts.
    open: Option<Candle>,
    last: Option<Candle>,
}

impl Folder {
    pub fn new(base: Timeframe, timeframe: Timeframe, calendar: Calendar) -> Self {
        Self { base, timeframe, calendar, open: None, last: None }
    }

    pub const fn base(&self) -> Timeframe {
        self.base
    }

    /// Takes the next closed candle of the base and hands out what it closes: the candle before it where the market was
    /// silent at that one's end, and its own. One that came before is passed over.
    pub fn push(&mut self, candle: &Candle, mut closed: impl FnMut(Candle)) {
        if self.last.is_some_and(|last| candle.open_time <= last.open_time) {
            return;
        }
        self.last = Some(*candle);
        let window = self.calendar.window(self.timeframe, candle.open_time);
        let bucket = window.open_time;
        if let Some(before) = self.open.take_if(|open| open.open_time != bucket) {
            closed(before);
        }
        if window.shut {
            // Outside of the sessions.
            return;
        }
        let whole = join(self.open.as_ref(), candle, bucket);
        if self.base.close_time(candle.open_time) == window.close_time {
            self.open = None;
            closed(whole);
        } else {
            self.open = Some(whole);
        }
    }

    /// Whether nothing can lie between the last closed candle of the base and this forming one.
    pub fn touches(&self, forming: &FormingCandle) -> bool {
        self.last.is_some_and(|last| self.base.close_time(last.open_time) == forming.so_far.open_time)
    }

    /// The forming candle of the base with what of its bucket has closed. `None` when it is older than that.
    pub fn forming(&self, base: &FormingCandle) -> Option<FormingCandle> {
        if self.last.is_some_and(|last| base.so_far.open_time <= last.open_time) {
            return None;
        }
        let window = self.calendar.window(self.timeframe, base.so_far.open_time);
        if window.shut {
            return None;
        }
        let bucket = window.open_time;
        let before = self.open.as_ref().filter(|open| open.open_time == bucket);
        Some(FormingCandle { so_far: join(before, &base.so_far, bucket), as_of: base.as_of })
    }
}

/// Two parts of one candle.
fn join(before: Option<&Candle>, next: &Candle, open_time: Timestamp) -> Candle {
    match before {
        None => Candle { open_time, ..*next },
        Some(before) => Candle {
            open_time,
            open: before.open,
            high: before.high.max(next.high),
            low: before.low.min(next.low),
            close: next.close,
            volume: before.volume.saturating_add(next.volume),
        },
    }
}

impl Market {
    /// The timeframe that the engine aggregates and that `timeframe` can be followed by; `None` for instruments without
    /// live data and for timeframes below a minute, see [`Self::below_a_minute`].
    pub(in crate::services) async fn base(
        &self,
        instrument: &InstrumentId,
        timeframe: Timeframe,
    ) -> Result<Option<(u32, Timeframe)>, ApiError> {
        let Some(number) = self.shared.directory.number(instrument).filter(|_| self.is_live(instrument)) else {
            return Ok(None);
        };
        if !self.is_simulated(instrument) {
            // Its minutes are the venue's; longer candles are folded from those and from the minute that is forming.
            let whole = timeframe.is_multiple_of(Timeframe::M1);
            return Ok(whole.then_some((number, Timeframe::M1)));
        }
        let base = self
            .shared
            .engine
            .read(move |engine| {
                let state = engine.instruments().get(number as usize)?;
                base_of(state.aggregator.timeframes(), timeframe)
            })
            .await
            .map_err(stopped)?;
        Ok(base.map(|base| (number, base)))
    }

    /// Live candles of a timeframe below a minute, for an instrument that trades.
    pub(in crate::services) fn below_a_minute(
        &self,
        instrument: &InstrumentId,
        timeframe: Timeframe,
    ) -> Option<Seconds> {
        let number = self.shared.directory.number(instrument).filter(|_| self.is_live(instrument))?;
        timeframe
            .fixed_nanos()
            .filter(|length| *length < MINUTE)
            .map(|_| Seconds::new(number, timeframe, self.now_of(instrument)))
    }

    /// What the engine has of the base's forming candle, with the number of its newest journal entry.
    pub(in crate::services) async fn engine_forming(
        &self,
        number: u32,
        base: Timeframe,
    ) -> Result<(u64, Option<FormingCandle>), ApiError> {
        let read = self.shared.engine.read(move |engine| {
            let state = engine.instruments().get(number as usize);
            let by_minutes = state.is_some_and(|state| state.by_minutes);
            (engine.seq(), by_minutes, state.and_then(|state| state.aggregator.forming(base)))
        });
        let (seq, by_minutes, forming) = read.await.map_err(stopped)?;
        if by_minutes {
            let instrument = self.shared.directory.instrument(number);
            return Ok((seq, instrument.and_then(|i| self.shared.venues.forming(&i.id))));
        }
        Ok((seq, forming))
    }

    /// A folder that knows the closed parts of the candle that is forming now.
    pub(in crate::services) async fn folder(
        &self,
        instrument: &InstrumentId,
        base: Timeframe,
        timeframe: Timeframe,
    ) -> Result<Folder, ApiError> {
        let calendar = self.calendar_of(instrument).await?;
        let mut folder = Folder::new(base, timeframe, calendar);
        // One candle before the bucket, so that what touches it is known also at its begin.
        let begin = calendar.window(timeframe, self.now_of(instrument)).open_time;
        let from = base.open_time(begin.plus_nanos(-1));
        let closed = self.span(instrument, base, Span { from: Some(from), ..Span::default() }).await?;
        for candle in &closed {
            folder.push(candle, |_| {});
        }
        Ok(folder)
    }

    /// The forming candle; `None` without live data, and where nothing was heard in it yet.
    pub(super) async fn forming(
        &self,
        instrument: &InstrumentId,
        timeframe: Timeframe,
    ) -> Result<Option<FormingCandle>, ApiError> {
        let Some((number, base)) = self.base(instrument, timeframe).await? else { return Ok(None) };
        let (_, forming) = self.engine_forming(number, base).await?;
        let Some(forming) = forming else { return Ok(None) };
        if base == timeframe {
            return Ok(Some(forming));
        }
        Ok(self.folder(instrument, base, timeframe).await?.forming(&forming))
    }
}

#[cfg(test)]
mod tests {
    use cw_core::{Price, Timestamp, Volume};

    use super::*;

    fn candle(minute: i64, ohlc: [i64; 4]) -> Candle {
        Candle {
            open_time: Timestamp::from_secs(minute * 60),
            open: Price::from_raw(ohlc[0]),
            high: Price::from_raw(ohlc[1]),
            low: Price::from_raw(ohlc[2]),
            close: Price::from_raw(ohlc[3]),
            volume: Volume::from_raw(1),
        }
    }

    fn push(folder: &mut Folder, candle: &Candle) -> Vec<Candle> {
        let mut closed = Vec::new();
        folder.push(candle, |c| closed.push(c));
        closed
    }

    #[test]
    fn a_candle_closes_with_its_last_part_and_holes_do_not_hold_it_open() {
        let mut folder = Folder::new(Timeframe::M1, "3m".parse().unwrap(), Calendar::Continuous);
        assert_eq!(push(&mut folder, &candle(0, [10, 12, 9, 11])), []);
        assert_eq!(push(&mut folder, &candle(0, [10, 12, 9, 11])), [], "the same one again");
        assert_eq!(push(&mut folder, &candle(2, [11, 15, 11, 14]))[0].high.raw(), 15);
        assert_eq!(push(&mut folder, &candle(3, [14, 14, 13, 13])), []);
        let after_silence = push(&mut folder, &candle(6, [13, 14, 8, 9]));
        assert_eq!(after_silence.len(), 1);
        assert_eq!((after_silence[0].open_time, after_silence[0].close.raw()), (Timestamp::from_secs(180), 13));
    }

    #[test]
    fn a_session_s_candles_are_counted_from_its_opening_and_know_nothing_of_what_is_outside() {
        let opening = "2024-07-01T13:30:00Z".parse::<Timestamp>().unwrap().as_secs() / 60;
        let one = |minute: i64| candle(opening + minute, [10, 12, 9, 11]);
        let mut folder = Folder::new(Timeframe::M1, Timeframe::H1, Calendar::Nyse);
        assert_eq!(push(&mut folder, &one(-1)), []);
        (0..59).for_each(|minute| assert_eq!(push(&mut folder, &one(minute)), []));
        let [hour] = push(&mut folder, &one(59))[..] else { panic!() };
        assert_eq!((hour.open_time.as_secs() / 60, hour.volume.raw()), (opening, 60));
        // The last of the day is half an hour.
        assert_eq!(push(&mut folder, &one(385)), []);
        let [last] = push(&mut folder, &one(389))[..] else { panic!() };
        assert_eq!((last.open_time.as_secs() / 60, last.volume.raw()), (opening + 360, 2));
        let evening = FormingCandle { so_far: one(391), as_of: Timestamp::from_secs(0) };
        assert_eq!((push(&mut folder, &one(390)), folder.forming(&evening)), (vec![], None));
    }

    #[test]
    fn the_forming_candle_holds_what_closed_before_it() {
        let mut folder = Folder::new(Timeframe::M1, "3m".parse().unwrap(), Calendar::Continuous);
        push(&mut folder, &candle(0, [10, 12, 9, 11]));
        let now =
            |minute, ohlc| FormingCandle { so_far: candle(minute, ohlc), as_of: Timestamp::from_secs(minute * 60) };
        let forming = folder.forming(&now(1, [11, 20, 11, 13])).unwrap().so_far;
        assert_eq!([forming.open, forming.high, forming.low, forming.close].map(Price::raw), [10, 20, 9, 13]);
        assert_eq!(forming.volume.raw(), 2);
        assert!(folder.touches(&now(1, [11, 20, 11, 13])) && !folder.touches(&now(2, [1, 1, 1, 1])));
        assert_eq!(folder.forming(&now(0, [10, 12, 9, 11])), None, "it has closed since");
        let next = folder.forming(&now(3, [5, 6, 4, 5])).unwrap().so_far;
        assert_eq!((next.open_time, next.open.raw()), (Timestamp::from_secs(180), 5));
    }

    #[test]
    fn the_longest_divisor_is_the_base() {
        let engine = [Timeframe::M1, Timeframe::M15, Timeframe::H1, Timeframe::D1];
        assert_eq!(base_of(engine, Timeframe::H1), Some(Timeframe::H1));
        assert_eq!(base_of(engine, "45m".parse().unwrap()), Some(Timeframe::M15));
        assert_eq!(base_of(engine, Timeframe::W1), Some(Timeframe::D1));
        assert_eq!(base_of(engine, Timeframe::S1), None);
    }
}
