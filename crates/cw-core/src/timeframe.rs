//! Candle lengths and their boundaries.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::timestamp::Timestamp;

/// Why a timeframe could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a timeframe; use a number and s, m, h, d, w or M: 1m, 15m, 4h, 1d, 1M")]
pub struct TimeframeError(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimeframeUnit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
}

/// A candle's length: a unit and how many of it, `1s` … `1M` and any multiple.
///
/// Seconds to days are counted from the epoch, weeks start on Monday, months on the first, all in UTC.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "schema", derive(ts_rs::TS), ts(type = "string"))]
pub struct Timeframe {
    count: u16,
    unit: TimeframeUnit,
}

crate::schema::text_schema!(Timeframe, "A candle's length: 1s, 1m, 15m, 4h, 1d, 1w, 1M", "^[1-9][0-9]*[smhdwM]$");

const SECOND: i64 = Timestamp::NANOS_PER_SECOND;
const DAY: i64 = 86_400 * SECOND;
/// 1970-01-01 was a Thursday: Monday-based weeks begin four days later.
const FIRST_MONDAY: i64 = 4 * DAY;

impl Timeframe {
    pub const S1: Self = Self { count: 1, unit: TimeframeUnit::Second };
    pub const M1: Self = Self { count: 1, unit: TimeframeUnit::Minute };
    pub const M5: Self = Self { count: 5, unit: TimeframeUnit::Minute };
    pub const M15: Self = Self { count: 15, unit: TimeframeUnit::Minute };
    pub const M30: Self = Self { count: 30, unit: TimeframeUnit::Minute };
    pub const H1: Self = Self { count: 1, unit: TimeframeUnit::Hour };
    pub const H4: Self = Self { count: 4, unit: TimeframeUnit::Hour };
    pub const D1: Self = Self { count: 1, unit: TimeframeUnit::Day };
    pub const W1: Self = Self { count: 1, unit: TimeframeUnit::Week };
    pub const MN1: Self = Self { count: 1, unit: TimeframeUnit::Month };

    pub fn new(count: u16, unit: TimeframeUnit) -> Result<Self, TimeframeError> {
        if count == 0 || (unit == TimeframeUnit::Month && count > 1200) {
            return Err(TimeframeError(count.to_string()));
        }
        Ok(Self { count, unit })
    }
    pub const fn count(self) -> u16 {
        self.count
    }
    pub const fn unit(self) -> TimeframeUnit {
        self.unit
    }

    /// The length in nanoseconds when it is the same everywhere: `None` for months.
    pub const fn fixed_nanos(self) -> Option<i64> {
        let unit = match self.unit {
            TimeframeUnit::Second => SECOND,
            TimeframeUnit::Minute => 60 * SECOND,
            TimeframeUnit::Hour => 3_600 * SECOND,
            TimeframeUnit::Day => DAY,
            TimeframeUnit::Week => 7 * DAY,
            TimeframeUnit::Month => return None,
        };
        Some(unit * self.count as i64)
    }

    /// A length for ordering and for rough spans; a month counts 30 days.
    pub const fn approx_nanos(self) -> i64 {
        match self.fixed_nanos() {
            Some(nanos) => nanos,
            None => 30 * DAY * self.count as i64,
        }
    }

    /// The open time of the candle that `time` falls into.
    pub fn open_time(self, time: Timestamp) -> Timestamp {
        match self.fixed_nanos() {
            Some(length) => {
                let origin = if self.unit == TimeframeUnit::Week { FIRST_MONDAY } else { 0 };
                let since = time.as_nanos().saturating_sub(origin);
                Timestamp::from_nanos(since.div_euclid(length).saturating_mul(length).saturating_add(origin))
            }
            None => month_start(month_index(time).div_euclid(i64::from(self.count)) * i64::from(self.count)),
        }
    }

    /// The first moment after the candle that opens at `open_time`.
    pub fn close_time(self, open_time: Timestamp) -> Timestamp {
        match self.fixed_nanos() {
            Some(length) => open_time.plus_nanos(length),
            None => month_start(month_index(open_time) + i64::from(self.count)),
        }
    }

    /// Whether candles of `self` can be folded from candles of `finer` without splitting one.
    pub fn is_multiple_of(self, finer: Timeframe) -> bool {
        match (self.fixed_nanos(), finer.fixed_nanos()) {
            // A multi-week candle and a multi-day one do not share their origin.
            (Some(a), Some(b)) => {
                a % b == 0
                    && (self.unit != TimeframeUnit::Week || FIRST_MONDAY % b == 0 || finer.unit == TimeframeUnit::Week)
            }
            (None, Some(b)) => DAY % b == 0,
            (None, None) => self.count.is_multiple_of(finer.count),
            (Some(_), None) => false,
        }
    }
}

/// Months since 1970-01.
fn month_index(time: Timestamp) -> i64 {
    let civil = time.to_civil();
    (i64::from(civil.year()) - 1970) * 12 + i64::from(civil.month()) - 1
}

fn month_start(index: i64) -> Timestamp {
    let year = i16::try_from(1970 + index.div_euclid(12)).unwrap_or(i16::MAX).clamp(1678, 2262);
    let month = i8::try_from(index.rem_euclid(12) + 1).expect("a month index is 1 to 12");
    Timestamp::from_civil(jiff::civil::date(year, month, 1).at(0, 0, 0, 0)).unwrap_or(Timestamp::MAX)
}

impl FromStr for Timeframe {
    type Err = TimeframeError;
    fn from_str(text: &str) -> Result<Self, TimeframeError> {
        let bad = || TimeframeError(text.chars().take(20).collect());
        let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
        let count = if split == 0 { 1 } else { text[..split].parse().map_err(|_| bad())? };
        let unit = match &text[split..] {
            "s" | "S" => TimeframeUnit::Second,
            "m" => TimeframeUnit::Minute,
            "h" | "H" => TimeframeUnit::Hour,
            "d" | "D" => TimeframeUnit::Day,
            "w" | "W" => TimeframeUnit::Week,
            "M" => TimeframeUnit::Month,
            _ => return Err(bad()),
        };
        Self::new(count, unit).map_err(|_| bad())
    }
}
impl fmt::Display for Timeframe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            TimeframeUnit::Second => 's',
            TimeframeUnit::Minute => 'm',
            TimeframeUnit::Hour => 'h',
            TimeframeUnit::Day => 'd',
            TimeframeUnit::Week => 'w',
            TimeframeUnit::Month => 'M',
        };
        write!(f, "{}{unit}", self.count)
    }
}
impl fmt::Debug for Timeframe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timeframe({self})")
    }
}
impl PartialOrd for Timeframe {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Timeframe {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.approx_nanos(), self.unit, self.count).cmp(&(other.approx_nanos(), other.unit, other.count))
    }
}
impl Serialize for Timeframe {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for Timeframe {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(timeframe: &str, time: &str, open: &str, close: &str) {
        let timeframe: Timeframe = timeframe.parse().unwrap();
        let opened = timeframe.open_time(time.parse().unwrap());
        assert_eq!(opened.to_string(), open);
        assert_eq!(timeframe.close_time(opened).to_string(), close);
    }

    #[test]
    fn boundaries() {
        check("1m", "2024-02-29T23:59:59.999Z", "2024-02-29T23:59:00Z", "2024-03-01T00:00:00Z");
        check("4h", "2024-02-29T23:59:59Z", "2024-02-29T20:00:00Z", "2024-03-01T00:00:00Z");
        check("1w", "2024-02-29T12:00:00Z", "2024-02-26T00:00:00Z", "2024-03-04T00:00:00Z");
        check("1M", "2024-02-29T12:00:00Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z");
        check("3M", "2024-02-29T12:00:00Z", "2024-01-01T00:00:00Z", "2024-04-01T00:00:00Z");
        check("1h", "1969-12-31T23:30:00Z", "1969-12-31T23:00:00Z", "1970-01-01T00:00:00Z");
    }

    #[test]
    fn text_round_trips_and_refuses() {
        for text in ["1s", "1m", "15m", "4h", "1d", "1w", "1M", "90m"] {
            assert_eq!(text.parse::<Timeframe>().unwrap().to_string(), text);
        }
        assert_eq!("D".parse::<Timeframe>().unwrap(), Timeframe::D1);
        for text in ["", "0m", "5", "m5", "1y", "70000m"] {
            assert!(text.parse::<Timeframe>().is_err(), "{text}");
        }
    }

    #[test]
    fn multiples() {
        let tf = |t: &str| t.parse::<Timeframe>().unwrap();
        assert!(tf("1h").is_multiple_of(tf("15m")));
        assert!(!tf("1h").is_multiple_of(tf("25m")));
        assert!(tf("1w").is_multiple_of(tf("1d")));
        assert!(!tf("1w").is_multiple_of(tf("7d")));
        assert!(tf("1M").is_multiple_of(tf("1d")));
        assert!(!tf("1d").is_multiple_of(tf("1M")));
    }
}
