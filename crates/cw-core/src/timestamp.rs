//! UTC time in nanoseconds.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a time could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    #[error(
        "\"{0}\" is not a time; use ISO-8601 (2024-01-31 or 2024-01-31T12:00:00Z) or a Unix epoch in s, ms, us or ns"
    )]
    Syntax(String),
}

/// A moment in UTC, nanoseconds since 1970-01-01T00:00:00Z (years 1678 to 2262).
///
/// Text form is RFC 3339 with only the digits it needs: `2021-12-31T23:01:00Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "schema", derive(ts_rs::TS), ts(type = "string"))]
pub struct Timestamp(i64);
crate::schema::text_schema!(Timestamp, "A time in UTC: RFC 3339, a date alone, or a Unix epoch", r"^[-+0-9TtZz:. ]+$");

impl Timestamp {
    pub const EPOCH: Self = Self(0);
    pub const MIN: Self = Self(i64::MIN);
    pub const MAX: Self = Self(i64::MAX);
    pub const NANOS_PER_SECOND: i64 = 1_000_000_000;

    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(Self::NANOS_PER_SECOND))
    }
    pub const fn as_nanos(self) -> i64 {
        self.0
    }
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(Self::NANOS_PER_SECOND)
    }
    #[must_use]
    pub const fn plus_nanos(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }
    /// Nanoseconds from `earlier` to `self`; negative when `earlier` is later.
    pub const fn nanos_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Reads ISO-8601 (a date alone means midnight UTC, a time without a zone is taken as UTC) or a Unix epoch, whose
    /// unit follows from its magnitude: up to 11 digits seconds, 14 milliseconds, 17 microseconds, else nanoseconds.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let text = text.trim();
        let bad = || TimeError::Syntax(text.chars().take(40).collect());
        let digits = text.strip_prefix('-').unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
            let value: i64 = text.parse().map_err(|_| bad())?;
            let unit = match digits.len() {
                ..=11 => 1_000_000_000,
                12..=14 => 1_000_000,
                15..=17 => 1_000,
                _ => 1,
            };
            return value.checked_mul(unit).map(Self).ok_or_else(bad);
        }
        if let Some((whole, fraction)) = digits.split_once('.')
            && !whole.is_empty()
            && whole.len() <= 11
            && whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
        {
            // Seconds with a fraction, as Python's time.time() prints them.
            let raw = crate::decimal::parse(text, 9, Some(crate::Rounding::HalfEven)).map_err(|_| bad())?;
            return i64::try_from(raw).map(Self).map_err(|_| bad());
        }
        if let Some(fast) = parse_rfc3339_utc(text.as_bytes()) {
            return Ok(Self(fast));
        }
        let nanos = if let Ok(ts) = text.parse::<jiff::Timestamp>() {
            ts.as_nanosecond()
        } else {
            let civil: jiff::civil::DateTime = match text.parse::<jiff::civil::DateTime>() {
                Ok(dt) => dt,
                Err(_) => {
                    text.parse::<jiff::civil::Date>().map_err(|_| bad())?.to_datetime(jiff::civil::Time::midnight())
                }
            };
            civil.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| bad())?.timestamp().as_nanosecond()
        };
        i64::try_from(nanos).map(Self).map_err(|_| bad())
    }

    /// The civil date and time in UTC.
    pub fn to_civil(self) -> jiff::civil::DateTime {
        jiff::tz::TimeZone::UTC.to_datetime(self.to_jiff())
    }
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_nanosecond(i128::from(self.0)).expect("an i64 of nanoseconds is inside jiff's range")
    }
    /// Midnight-based civil UTC back to a timestamp.
    pub fn from_civil(civil: jiff::civil::DateTime) -> Result<Self, TimeError> {
        let bad = || TimeError::Syntax(civil.to_string());
        let nanos = civil.to_zoned(jiff::tz::TimeZone::UTC).map_err(|_| bad())?.timestamp().as_nanosecond();
        i64::try_from(nanos).map(Self).map_err(|_| bad())
    }
}

/// The one shape that fills files: `2021-12-31T23:01:00[.fraction](Z)`, without a detour through a calendar library.
fn parse_rfc3339_utc(b: &[u8]) -> Option<i64> {
    if b.len() < 20 || b[b.len() - 1] != b'Z' {
        return None;
    }
    if b[4] != b'-' || b[7] != b'-' || !matches!(b[10], b'T' | b' ') || b[13] != b':' || b[16] != b':' {
        return None;
    }
    let two = |i: usize| -> Option<i64> {
        let (h, l) = (b[i].wrapping_sub(b'0'), b[i + 1].wrapping_sub(b'0'));
        (h < 10 && l < 10).then(|| i64::from(h) * 10 + i64::from(l))
    };
    let year = two(0)? * 100 + two(2)?;
    let (month, day) = (two(5)?, two(8)?);
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in_month = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if !(1700..=2261).contains(&year) || day < 1 || day > days_in_month || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let mut nanos = 0i64;
    if b[19] == b'.' {
        let fraction = &b[20..b.len() - 1];
        if fraction.is_empty() || fraction.len() > 9 {
            return None;
        }
        for &d in fraction {
            if !d.is_ascii_digit() {
                return None;
            }
            nanos = nanos * 10 + i64::from(d - b'0');
        }
        nanos *= 10i64.pow(9 - fraction.len() as u32);
    } else if b.len() != 20 {
        return None;
    }
    // Days from civil (Howard Hinnant, "chrono-compatible low-level date algorithms").
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let yoe = y.rem_euclid(400);
    let doy = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719_468;
    Some(
        ((days * 24 + hour) * 60 + minute) * 60 * Timestamp::NANOS_PER_SECOND
            + second * Timestamp::NANOS_PER_SECOND
            + nanos,
    )
}

impl FromStr for Timestamp {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        Self::parse(text)
    }
}
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_jiff().fmt(f)
    }
}
impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { serializer.serialize_i64(self.0) }
    }
}
impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = Timestamp;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an ISO-8601 time or a Unix epoch")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Timestamp, E> {
                Timestamp::parse(text).map_err(E::custom)
            }
            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Timestamp, E> {
                Timestamp::parse(&value.to_string()).map_err(E::custom)
            }
            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Timestamp, E> {
                Timestamp::parse(&value.to_string()).map_err(E::custom)
            }
        }
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(Text)
        } else {
            i64::deserialize(deserializer).map(Self)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(Timestamp::parse(text).map(|t| t.to_string()).map_err(|e| e.to_string()), Ok(expected.to_owned()));
    }

    #[test]
    fn reads_the_forms_that_files_use() {
        check("2021-12-31T23:01:00Z", "2021-12-31T23:01:00Z");
        check("2021-12-31 23:01:00", "2021-12-31T23:01:00Z");
        check("2021-12-31", "2021-12-31T00:00:00Z");
        check("2020-01-01T22:00:00.065Z", "2020-01-01T22:00:00.065Z");
        check("2021-12-31T23:01:00+01:00", "2021-12-31T22:01:00Z");
        check("1640991660", "2021-12-31T23:01:00Z");
        check("1640991660000", "2021-12-31T23:01:00Z");
        check("1640991660000000", "2021-12-31T23:01:00Z");
        check("1640991660000000000", "2021-12-31T23:01:00Z");
        check("1640991660.5", "2021-12-31T23:01:00.5Z");
    }

    #[test]
    fn refuses_other_text() {
        for text in ["", "yesterday", "2021-13-01", "2021-02-30T00:00:00Z", "12:00"] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn parse_of_print_is_identity(nanos in -8_000_000_000_000_000_000i64..9_000_000_000_000_000_000) {
            let ts = Timestamp::from_nanos(nanos);
            prop_assert_eq!(Timestamp::parse(&ts.to_string()), Ok(ts));
        }
    }
}
