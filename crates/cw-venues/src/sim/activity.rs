//! How busy a market is at each minute of the week, and the clock that follows from it.

use cw_core::AssetClass;

/// Units of activity in an average minute.
pub(super) const UNITS_PER_MINUTE: u32 = 1024;
const MINUTES_PER_DAY: i64 = 1_440;
pub(super) const MINUTES_PER_WEEK: i64 = 7 * MINUTES_PER_DAY;
/// Weeks begin on Sunday 00:00 UTC, when clocks change and nothing happens; 1970-01-01 was a Thursday.
const SUNDAY_OFFSET: i64 = 4 * MINUTES_PER_DAY;

/// A clock over minutes since 1970 that runs with the activity of a kind of market.
#[derive(Debug)]
pub(super) struct ActivityClock {
    /// Units passed since the week began, at each minute and at the week's end: in winter and in summer.
    passed: [Vec<u32>; 2],
    follows_new_york: bool,
}

impl ActivityClock {
    pub(super) fn new(class: AssetClass) -> Self {
        let (profile, follows_new_york): (fn(i64) -> f64, bool) = match class {
            AssetClass::Equity => (equity, true),
            AssetClass::Fx | AssetClass::Metal => (currency, true),
            AssetClass::Crypto | AssetClass::Other => (crypto, false),
        };
        let week = |summer: bool| {
            // The profiles of New York's markets are written in its winter time; in summer all comes an hour earlier.
            let shift = if summer { 60 } else { 0 };
            let raw: Vec<f64> =
                (0..MINUTES_PER_WEEK).map(|minute| profile((minute + shift) % MINUTES_PER_WEEK)).collect();
            let mean = raw.iter().sum::<f64>() / MINUTES_PER_WEEK as f64;
            let mut passed = Vec::with_capacity(raw.len() + 1);
            let mut total = 0u32;
            for activity in raw {
                passed.push(total);
                total += ((activity / mean * f64::from(UNITS_PER_MINUTE)) as u32).max(16);
            }
            passed.push(total);
            passed
        };
        let mut passed = [week(false), week(true)];
        // Both kinds of week have the same length, so that the clock does not depend on how many of each went by.
        let longest = passed[0][MINUTES_PER_WEEK as usize].max(passed[1][MINUTES_PER_WEEK as usize]);
        for week in &mut passed {
            week[MINUTES_PER_WEEK as usize] = longest;
        }
        Self { passed, follows_new_york }
    }

    /// Units per week.
    pub(super) fn per_week(&self) -> u32 {
        self.passed[0][MINUTES_PER_WEEK as usize]
    }

    /// The clock at the beginning of `minute` (counted from 1970, not negative), and how many units the minute lasts.
    #[inline]
    pub(super) fn at(&self, minute: i64) -> (u64, u32) {
        let since_sunday = minute + SUNDAY_OFFSET;
        let (week, inside) = (since_sunday / MINUTES_PER_WEEK, (since_sunday % MINUTES_PER_WEEK) as usize);
        let summer = self.follows_new_york && is_summer_week(week);
        let passed = &self.passed[usize::from(summer)];
        let begin = passed[inside];
        ((week as u64) * u64::from(self.per_week()) + u64::from(begin), passed[inside + 1] - begin)
    }
}

/// Whether New York keeps summer time in the week that begins on the Sunday `week` weeks after 1969-12-28:
/// from the second Sunday of March to the first of November.
fn is_summer_week(week: i64) -> bool {
    let (month, day) = month_and_day(week * 7 - 4);
    match month {
        4..=10 => true,
        // A Sunday from the 8th on is the second one or later.
        3 => day >= 8,
        _ => false,
    }
}

/// Month and day of month of a day counted from 1970-01-01 (Howard Hinnant, "civil_from_days").
fn month_and_day(days: i64) -> (i64, i64) {
    let shifted = days + 719_468;
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    (if month < 10 { month + 3 } else { month - 9 }, day_of_year - (153 * month + 2) / 5 + 1)
}

/// A bell of `height` around `center` (hours of the day) with a half-width of `width` hours.
fn bell(hour: f64, center: f64, width: f64, height: f64) -> f64 {
    let away = ((hour - center + 36.0) % 24.0 - 12.0) / width;
    height / (1.0 + away * away)
}

fn day_and_hour(minute: i64) -> (i64, f64) {
    (minute / MINUTES_PER_DAY, (minute % MINUTES_PER_DAY) as f64 / 60.0)
}

/// Around the clock; busiest when Europe and America are awake, quieter at weekends.
fn crypto(minute: i64) -> f64 {
    let (day, hour) = day_and_hour(minute);
    let weekend = if day == 0 || day == 6 { 0.7 } else { 1.0 };
    weekend * (0.6 + bell(hour, 15.0, 3.0, 0.9) + bell(hour, 1.0, 2.0, 0.3))
}

/// New York 09:30 to 16:00 (14:30 to 21:00 UTC in winter) with a busy open and close, thin before, after and between.
fn equity(minute: i64) -> f64 {
    let (day, hour) = day_and_hour(minute);
    let weekday = (1..=5).contains(&day);
    match hour {
        _ if !weekday => 0.25,
        14.5..21.0 => {
            let (after_open, before_close) = (hour - 14.5, 21.0 - hour);
            2.2 + 4.0 / (1.0 + after_open * 3.0) + 3.0 / (1.0 + before_close * 4.0)
        }
        9.0..14.5 => 0.5,
        21.0..24.0 => 0.4,
        _ => 0.25,
    }
}

/// Sunday 22:00 to Friday 22:00 UTC in winter: Tokyo, London, New York; the break between two New York days is thin.
fn currency(minute: i64) -> f64 {
    let (day, hour) = day_and_hour(minute);
    let closed = match day {
        0 => hour < 22.0,
        5 => hour >= 22.0,
        6 => true,
        _ => false,
    };
    if closed {
        return 0.25;
    }
    if (22.0..23.0).contains(&hour) {
        return 0.4;
    }
    0.4 + bell(hour, 1.0, 2.0, 0.4) + bell(hour, 9.0, 2.0, 0.9) + bell(hour, 14.5, 2.0, 1.6)
}

#[cfg(test)]
mod tests {
    use cw_core::Timestamp;

    use super::*;

    fn minute(time: &str) -> i64 {
        time.parse::<Timestamp>().unwrap().as_secs() / 60
    }

    #[test]
    fn new_york_opens_at_half_past_nine_all_year() {
        let clock = ActivityClock::new(AssetClass::Equity);
        let busy = |time: &str| clock.at(minute(time)).1 > 2 * UNITS_PER_MINUTE;
        for (time, expected) in [
            ("2026-01-15T14:29:00Z", false),
            ("2026-01-15T14:30:00Z", true),
            ("2026-01-15T20:59:00Z", true),
            ("2026-01-15T21:00:00Z", false),
            // Summer time: 2026-03-08 to 2026-11-01.
            ("2026-03-06T14:00:00Z", false),
            ("2026-03-09T13:30:00Z", true),
            ("2026-03-09T20:00:00Z", false),
            ("2026-10-30T13:30:00Z", true),
            ("2026-11-02T13:30:00Z", false),
            ("2026-11-21T15:00:00Z", false),
        ] {
            assert_eq!(busy(time), expected, "{time}");
        }
    }

    #[test]
    fn the_clock_never_stops_and_never_jumps() {
        for class in [AssetClass::Crypto, AssetClass::Equity, AssetClass::Fx] {
            let clock = ActivityClock::new(class);
            // Over both changes of 2026.
            let (mut now, mut lasts) = clock.at(minute("2026-01-01"));
            for minute in minute("2026-01-01") + 1..minute("2026-12-31") {
                let (next, next_lasts) = clock.at(minute);
                assert_eq!(next, now + u64::from(lasts), "{class:?} {minute}");
                assert!((16..12 * UNITS_PER_MINUTE).contains(&next_lasts), "{class:?} {next_lasts}");
                (now, lasts) = (next, next_lasts);
            }
        }
    }
}
