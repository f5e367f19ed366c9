//! When a market is open: sessions, half days and holidays, and the candles that follow from them.

mod nyse;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::civil::{Date, Time, Weekday, date, time};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

use crate::ids::InstrumentId;
use crate::instrument::{AssetClass, Instrument};
use crate::timeframe::{Timeframe, TimeframeUnit};
use crate::timestamp::Timestamp;

/// No market is closed for longer: the week of September 2001 and the week-ends around it are nine days.
const LONGEST_CLOSURE_DAYS: i64 = 15;
const HOUR: i64 = 3_600 * Timestamp::NANOS_PER_SECOND;

static NEW_YORK: LazyLock<TimeZone> = LazyLock::new(|| zone("America/New_York"));

/// A zone of the data that comes with the program; UTC for a name that is not there.
fn zone(name: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(name).unwrap_or(TimeZone::UTC)
}

/// The moment of a civil time. In the hour that is skipped it is the same span after the change, in the hour that comes
/// twice the first one; no session begins or ends in either.
fn moment(zone: &TimeZone, date: Date, time: Time) -> Timestamp {
    let found = zone.to_ambiguous_timestamp(date.to_datetime(time)).compatible().map(jiff::Timestamp::as_nanosecond);
    found.ok().and_then(|nanos| i64::try_from(nanos).ok()).map_or(Timestamp::MAX, Timestamp::from_nanos)
}

/// When an instrument trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub enum Calendar {
    /// Always; a day is a day of UTC.
    #[default]
    #[serde(rename = "24x7")]
    Continuous,
    /// Sunday 17:00 to Friday 17:00 in New York; a day ends at 17:00. Holidays are quiet but not closed.
    #[serde(rename = "fx")]
    Fx,
    /// Monday to Friday 9:30 to 16:00 in New York, half days to 13:00, without the exchange's holidays; before it from
    /// 4:00 and after it for four hours at the edges.
    #[serde(rename = "nyse")]
    Nyse,
}

/// What a market does at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Closed,
    PreMarket,
    Open,
    PostMarket,
}

/// One session: trading in [`open`, `close`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// The day that the session counts as; an FX session begins on the evening before.
    pub date: Date,
    pub open: Timestamp,
    pub close: Timestamp,
    /// Ends before its usual time.
    pub half_day: bool,
}

/// [`from`, `to`) is either a session or the time between two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub from: Timestamp,
    pub to: Timestamp,
    /// `None` = the market is closed.
    pub session: Option<Session>,
}

/// Where a candle begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub open_time: Timestamp,
    pub close_time: Timestamp,
    /// The time between two candles: the market is closed in all of it.
    pub shut: bool,
}

impl Calendar {
    pub const ALL: [Self; 3] = [Self::Continuous, Self::Fx, Self::Nyse];

    /// The calendar of an asset class at a venue. The simulated market never closes.
    pub fn of(id: &InstrumentId, class: AssetClass) -> Self {
        match class {
            _ if id.venue() == "SIM" => Self::Continuous,
            AssetClass::Equity => Self::Nyse,
            AssetClass::Fx | AssetClass::Metal => Self::Fx,
            AssetClass::Crypto | AssetClass::Other => Self::Continuous,
        }
    }

    /// The session of a day; `None` on days without one.
    pub fn session(self, day: Date) -> Option<Session> {
        let (open, close, half_day) = match self {
            Self::Continuous => (utc(day), utc(day.tomorrow().ok()?), false),
            Self::Fx => {
                if matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
                    return None;
                }
                let end = time(17, 0, 0, 0);
                (moment(&NEW_YORK, day.yesterday().ok()?, end), moment(&NEW_YORK, day, end), false)
            }
            Self::Nyse => {
                let half = match nyse::day(day) {
                    nyse::Day::Closed => return None,
                    nyse::Day::Half => true,
                    nyse::Day::Full => false,
                };
                let close = if half { time(13, 0, 0, 0) } else { time(16, 0, 0, 0) };
                (moment(&NEW_YORK, day, time(9, 30, 0, 0)), moment(&NEW_YORK, day, close), half)
            }
        };
        Some(Session { date: day, open, close, half_day })
    }

    /// The session, or the time between two, that `at` lies in.
    pub fn span_at(self, at: Timestamp) -> Span {
        let day = self.local_date(at);
        // The evening's FX session belongs to the next day.
        let evening = || day.tomorrow().ok().filter(|_| self == Self::Fx).and_then(|day| self.session(day));
        let holds = |session: &Session| (session.open..session.close).contains(&at);
        if let Some(session) = self.session(day).filter(holds).or_else(|| evening().filter(holds)) {
            return Span { from: session.open, to: session.close, session: Some(session) };
        }
        let before = self.nearest(day, -1, |session| session.close <= at).map_or(Timestamp::MIN, |s| s.close);
        let after = self.nearest(day, 1, |session| session.open > at).map_or(Timestamp::MAX, |s| s.open);
        Span { from: before, to: after, session: None }
    }

    pub fn is_open(self, at: Timestamp) -> bool {
        self == Self::Continuous || self.span_at(at).session.is_some()
    }

    /// Trading outside the session included.
    pub fn phase(self, at: Timestamp) -> Phase {
        if self.is_open(at) {
            return Phase::Open;
        }
        let Some(session) = self.session(self.local_date(at)) else { return Phase::Closed };
        let (from, to) = self.extended(&session);
        if at >= from && at < session.open {
            Phase::PreMarket
        } else if at >= session.close && at < to {
            Phase::PostMarket
        } else {
            Phase::Closed
        }
    }

    /// Whether nothing can be traded in [`from`, `to`), before and after the sessions either.
    pub fn is_quiet(self, from: Timestamp, to: Timestamp) -> bool {
        let ahead = |session: &Session| self.extended(session).1 > from;
        self != Self::Continuous
            && self.nearest(self.local_date(from), 1, ahead).is_none_or(|session| self.extended(&session).0 >= to)
    }

    /// A session with the trading before and after it.
    fn extended(self, session: &Session) -> (Timestamp, Timestamp) {
        match self {
            Self::Continuous | Self::Fx => (session.open, session.close),
            Self::Nyse => (moment(&NEW_YORK, session.date, time(4, 0, 0, 0)), session.close.plus_nanos(4 * HOUR)),
        }
    }

    /// When the market closes next, or would if it were open now: sessions that follow each other without a break count
    /// as one. `None` = never.
    pub fn next_close(self, at: Timestamp) -> Option<Timestamp> {
        if self == Self::Continuous {
            return None;
        }
        let mut span = self.span_at(at);
        if span.session.is_none() {
            span = self.span_at(span.to);
        }
        while span.session.is_some() {
            span = self.span_at(span.to);
        }
        Some(span.from)
    }

    /// When the market opens next; `None` = it never closes.
    pub fn next_open(self, at: Timestamp) -> Option<Timestamp> {
        let closed_from = match self.span_at(at).session {
            Some(_) => self.next_close(at)?,
            None => at,
        };
        Some(self.span_at(closed_from).to)
    }

    /// The parts of [`from`, `to`) in which the market is open, sessions without a break between them joined.
    pub fn open_spans(self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let mut at = from;
        std::iter::from_fn(move || {
            while at < to {
                if self == Self::Continuous {
                    return Some((std::mem::replace(&mut at, to), to));
                }
                let span = self.span_at(at);
                let begin = std::mem::replace(&mut at, span.to);
                if span.session.is_none() {
                    continue;
                }
                loop {
                    let next = if at < to { self.span_at(at) } else { break };
                    if next.session.is_none() {
                        break;
                    }
                    at = next.to;
                }
                return Some((begin, at.min(to)));
            }
            None
        })
    }

    /// The session that begins at `at` or after it.
    pub fn session_from(self, at: Timestamp) -> Option<Session> {
        let day = self.local_date(at);
        self.nearest(day.yesterday().unwrap_or(day), 1, |session| session.open >= at)
    }

    /// Whether candles of `timeframe` are counted from the sessions' beginning. All others lie where they always do, since
    /// sessions begin and end on their boundaries; they exist outside the sessions as well.
    pub const fn anchors(self, timeframe: Timeframe) -> bool {
        let grid = match self {
            Self::Continuous => return false,
            Self::Fx => HOUR,
            Self::Nyse => HOUR / 2,
        };
        match timeframe.fixed_nanos() {
            Some(length) => grid % length != 0,
            None => true,
        }
    }

    /// The candle of `timeframe` that `at` falls into.
    ///
    /// A daily candle is a session. Longer ones reach from the opening of their first session to the end of their last,
    /// weeks and months by the sessions' dates. Shorter ones that do not fit the sessions' boundaries ([`Self::anchors`])
    /// are counted from the opening, and the last of a session ends with it.
    pub fn window(self, timeframe: Timeframe, at: Timestamp) -> Window {
        if !self.anchors(timeframe) {
            let open_time = timeframe.open_time(at);
            return Window { open_time, close_time: timeframe.close_time(open_time), shut: false };
        }
        let span = self.span_at(at);
        let whole = Window { open_time: span.from, close_time: span.to, shut: span.session.is_none() };
        match timeframe.unit() {
            TimeframeUnit::Day if timeframe.count() == 1 => whole,
            TimeframeUnit::Second | TimeframeUnit::Minute | TimeframeUnit::Hour => {
                let length = timeframe.approx_nanos();
                if whole.shut {
                    return whole;
                }
                let open_time = span.from.plus_nanos(at.nanos_since(span.from).div_euclid(length) * length);
                Window { open_time, close_time: open_time.plus_nanos(length).min(span.to), shut: false }
            }
            TimeframeUnit::Day | TimeframeUnit::Week | TimeframeUnit::Month => self.block(timeframe, &span),
        }
    }

    /// The candle of several sessions that `span` belongs to, or the time between two of them.
    fn block(self, timeframe: Timeframe, span: &Span) -> Window {
        let of = |session: Session| timeframe.open_time(utc(session.date));
        let before = self.span_at(span.from.plus_nanos(-1)).session;
        let block = match (span.session, before, self.span_at(span.to).session) {
            (Some(session), ..) => of(session),
            (None, Some(before), Some(after)) if of(before) == of(after) => of(before),
            _ => return Window { open_time: span.from, close_time: span.to, shut: true },
        };
        let (first, end) = (block.to_civil().date(), timeframe.close_time(block).to_civil().date());
        let open_time = self.nearest(first.yesterday().unwrap_or(first), 1, |s| s.date >= first);
        let close_time = self.nearest(end, -1, |s| s.date < end);
        Window {
            open_time: open_time.map_or(span.from, |s| s.open),
            close_time: close_time.map_or(span.to, |s| s.close),
            shut: false,
        }
    }

    fn local_date(self, at: Timestamp) -> Date {
        match self {
            Self::Continuous => at.to_civil().date(),
            Self::Fx | Self::Nyse => NEW_YORK.to_datetime(at.to_jiff()).date(),
        }
    }

    fn nearest(self, day: Date, step: i64, wanted: impl Fn(&Session) -> bool) -> Option<Session> {
        let days = (0..=LONGEST_CLOSURE_DAYS).map_while(|n| day.checked_add(jiff::Span::new().days(n * step)).ok());
        days.filter_map(|day| self.session(day)).find(|session| wanted(session))
    }
}

impl Instrument {
    /// When it trades.
    pub fn calendar(&self) -> Calendar {
        Calendar::of(&self.id, self.asset_class)
    }
}

/// Midnight of a day in UTC; the nearest moment there is for days before 1678 and after 2261.
fn utc(day: Date) -> Timestamp {
    let days = (day - date(1970, 1, 1)).get_days();
    Timestamp::from_secs(i64::from(days) * 86_400)
}

/// A text that names no calendar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a calendar; there are 24x7, fx and nyse")]
pub struct CalendarError(String);

impl FromStr for Calendar {
    type Err = CalendarError;
    fn from_str(text: &str) -> Result<Self, CalendarError> {
        let named = Self::ALL.into_iter().find(|calendar| calendar.to_string() == text);
        named.ok_or_else(|| CalendarError(text.chars().take(20).collect()))
    }
}

impl fmt::Display for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Continuous => "24x7",
            Self::Fx => "fx",
            Self::Nyse => "nyse",
        })
    }
}
