//! The New York Stock Exchange's holidays and half days, by its rule 7.2 and its announcements.
//!
//! Right from 2007 on, as far as closures were announced (the newest known is of 2025); earlier years lack single days
//! beside the long closure of 2001 and the funerals of presidents.

use jiff::civil::{Date, Weekday, date};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Day {
    Full,
    /// Ends at 13:00.
    Half,
    Closed,
}

/// Closed by decision and not by rule: attacks, funerals of presidents, the hurricane Sandy.
const CLOSED: [(i16, i8, i8); 11] = [
    (1994, 4, 27),
    (2001, 9, 11),
    (2001, 9, 12),
    (2001, 9, 13),
    (2001, 9, 14),
    (2004, 6, 11),
    (2007, 1, 2),
    (2012, 10, 29),
    (2012, 10, 30),
    (2018, 12, 5),
    (2025, 1, 9),
];

pub(super) fn day(day: Date) -> Day {
    if matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
        || is_holiday(day)
        || CLOSED.contains(&(day.year(), day.month(), day.day()))
    {
        Day::Closed
    } else if is_half(day) {
        Day::Half
    } else {
        Day::Full
    }
}

/// `day` is a weekday.
fn is_holiday(day: Date) -> bool {
    let nth = |n: i8, weekday| day.nth_weekday_of_month(n, weekday).is_ok_and(|found| found == day);
    match day.month() {
        // A New Year's Day on a Saturday is not made up for: the Friday before ends the year's accounts.
        1 => {
            (day.day() == 1 || (day.day() == 2 && day.weekday() == Weekday::Monday))
                || (day.year() >= 1998 && nth(3, Weekday::Monday))
        }
        2 => nth(3, Weekday::Monday),
        3 | 4 => day == good_friday(day.year()),
        5 => nth(-1, Weekday::Monday),
        6 => day.year() >= 2022 && observed(day, 19),
        7 => observed(day, 4),
        9 => nth(1, Weekday::Monday),
        11 => nth(4, Weekday::Thursday),
        12 => observed(day, 25),
        _ => false,
    }
}

/// Whether a holiday on the `of`-th of the month is kept on `day`: on Friday when it is a Saturday, on Monday when it is a
/// Sunday.
fn observed(day: Date, of: i8) -> bool {
    match day.weekday() {
        Weekday::Friday => day.day() == of || day.day() + 1 == of,
        Weekday::Monday => day.day() == of || day.day() - 1 == of,
        _ => day.day() == of,
    }
}

/// `day` has a session.
fn is_half(day: Date) -> bool {
    match (day.month(), day.day()) {
        // Before a Fourth of July on a weekday; until 2012, when that was a Thursday, the Friday after it instead.
        (7, 3) => match day.weekday() {
            Weekday::Monday | Weekday::Tuesday | Weekday::Thursday => true,
            Weekday::Wednesday => day.year() >= 2013,
            _ => false,
        },
        (7, 5) => day.weekday() == Weekday::Friday && day.year() < 2013,
        (11, _) => {
            day.nth_weekday_of_month(4, Weekday::Thursday).and_then(Date::tomorrow).is_ok_and(|after| after == day)
        }
        (12, 24) => true,
        _ => false,
    }
}

/// Two days before Easter, by the anonymous Gregorian algorithm (Meeus, Astronomical Algorithms, chapter 8).
fn good_friday(year: i16) -> Date {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let (d, e) = (b / 4, b % 4);
    let f = (b + 8) / 25;
    let g = (b - f + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let easter = h + l - 7 * m + 114;
    let easter = date(year, (easter / 31) as i8, (easter % 31 + 1) as i8);
    easter.saturating_sub(jiff::Span::new().days(2))
}
