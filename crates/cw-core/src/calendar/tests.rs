use jiff::ToSpan;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn rows(table: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    table.lines().filter(|line| !line.starts_with('#')).map(|line| line.split(' ').collect())
}

/// A moment as the tables write it.
fn minute(text: &str) -> Timestamp {
    at(&text.replace('Z', ":00Z"))
}

#[test]
fn nyse_holidays_and_half_days_of_31_years() {
    let mut years = 0;
    for row in rows(include_str!("testdata/nyse.txt")) {
        let year: i16 = row[0].parse().unwrap();
        let split = row.iter().position(|word| *word == "half").unwrap();
        let (mut closed, mut half) = (Vec::new(), Vec::new());
        for day in date(year, 1, 1).series(1.day()).take_while(|day| day.year() == year) {
            let text = day.strftime("%m-%d").to_string();
            match nyse::day(day) {
                nyse::Day::Closed if !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) => closed.push(text),
                nyse::Day::Half => half.push(text),
                _ => {}
            }
        }
        assert_eq!(closed, row[2..split], "closed in {year}");
        assert_eq!(half, row[split + 1..], "half days of {year}");
        years += 1;
    }
    assert_eq!(years, 31);
}

#[test]
fn clocks_change_when_the_tables_say() {
    let mut changes = 0;
    for row in rows(include_str!("testdata/dst.txt")) {
        let (zone, change, offset) = (zone(row[0]), minute(row[1]), row[2].parse::<i32>().unwrap());
        assert_eq!(zone.to_offset(change.to_jiff()).seconds(), offset * 60, "{row:?}");
        let before = zone.to_offset(change.plus_nanos(-1).to_jiff()).seconds();
        assert_eq!((before - offset * 60).abs(), 3_600, "{row:?}");
        changes += 1;
    }
    assert_eq!(changes, 3 * 31 * 2);
}

#[test]
fn daily_candles_around_every_change_of_the_clock() {
    let mut sessions = 0;
    for row in rows(include_str!("testdata/sessions.txt")) {
        let (calendar, day) = (row[0].parse::<Calendar>().unwrap(), day(row[1]));
        let (open, close) = (minute(row[2]), minute(row[3]));
        let session = calendar.session(day).unwrap();
        assert_eq!((session.open, session.close), (open, close), "{row:?}");
        let whole = Window { open_time: open, close_time: close, shut: false };
        for inside in [open, open.plus_nanos(HOUR), close.plus_nanos(-1)] {
            assert_eq!(calendar.window(Timeframe::D1, inside), whole, "{row:?}");
            assert_eq!(calendar.phase(inside), Phase::Open);
        }
        sessions += 1;
    }
    assert_eq!(sessions, 396);
}

/// Candles of every timeframe divide the time without holes or overlaps, and finer ones never cross coarser ones.
#[test]
fn windows_follow_each_other() {
    let spans = [("2024-03-07T00:00:00Z", "2024-03-13T00:00:00Z"), ("2024-11-01T00:00:00Z", "2024-11-06T00:00:00Z")];
    for calendar in Calendar::ALL {
        for text in ["1m", "15m", "1h", "45m", "4h", "1d", "3d", "1w", "1M"] {
            let timeframe: Timeframe = text.parse().unwrap();
            for (from, to) in spans {
                let mut window = calendar.window(timeframe, at(from));
                while window.close_time < at(to) {
                    assert!(window.open_time < window.close_time);
                    let last = window.close_time.plus_nanos(-1);
                    assert_eq!(calendar.window(timeframe, last), window, "{calendar} {text}");
                    let next = calendar.window(timeframe, window.close_time);
                    assert_eq!(next.open_time, window.close_time, "{calendar} {text}");
                    for coarser in ["4h", "1d", "1w", "1M"].map(|t| t.parse::<Timeframe>().unwrap()) {
                        if coarser.is_multiple_of(timeframe) && !window.shut {
                            let outer = calendar.window(coarser, window.open_time);
                            assert!(
                                outer.open_time <= window.open_time && outer.close_time >= window.close_time,
                                "{calendar} {text} in {coarser}: {window:?} {outer:?}"
                            );
                        }
                    }
                    window = next;
                }
            }
        }
    }
}

#[track_caller]
fn check(calendar: Calendar, timeframe: &str, time: &str, open: &str, close: &str, shut: bool) {
    let window = calendar.window(timeframe.parse().unwrap(), at(time));
    assert_eq!(window, Window { open_time: at(open), close_time: at(close), shut });
}

#[test]
fn candles_are_counted_from_the_opening() {
    use Calendar::{Continuous, Fx, Nyse};
    // A trading day of the summer: 13:30 to 20:00 UTC.
    check(Nyse, "1h", "2024-07-02T14:45:00Z", "2024-07-02T14:30:00Z", "2024-07-02T15:30:00Z", false);
    check(Nyse, "4h", "2024-07-02T18:00:00Z", "2024-07-02T17:30:00Z", "2024-07-02T20:00:00Z", false);
    check(Nyse, "4h", "2024-07-03T16:59:00Z", "2024-07-03T13:30:00Z", "2024-07-03T17:00:00Z", false);
    check(Nyse, "1d", "2024-07-03T20:00:00Z", "2024-07-03T17:00:00Z", "2024-07-05T13:30:00Z", true);
    check(Nyse, "30m", "2024-07-04T12:10:00Z", "2024-07-04T12:00:00Z", "2024-07-04T12:30:00Z", false);
    check(Nyse, "1w", "2024-07-04T12:10:00Z", "2024-07-01T13:30:00Z", "2024-07-05T20:00:00Z", false);
    check(Nyse, "1w", "2024-07-06T12:00:00Z", "2024-07-05T20:00:00Z", "2024-07-08T13:30:00Z", true);
    // June's first session is on the 3rd, its last on the 28th.
    check(Nyse, "1M", "2024-06-15T00:00:00Z", "2024-06-03T13:30:00Z", "2024-06-28T20:00:00Z", false);
    check(Fx, "4h", "2024-03-11T02:00:00Z", "2024-03-11T01:00:00Z", "2024-03-11T05:00:00Z", false);
    check(Fx, "1h", "2024-03-09T12:30:00Z", "2024-03-09T12:00:00Z", "2024-03-09T13:00:00Z", false);
    check(Fx, "1d", "2024-03-09T12:30:00Z", "2024-03-08T22:00:00Z", "2024-03-10T21:00:00Z", true);
    check(Fx, "1w", "2024-03-13T12:30:00Z", "2024-03-10T21:00:00Z", "2024-03-15T21:00:00Z", false);
    check(Continuous, "1d", "2024-02-29T12:30:00Z", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z", false);
}

#[test]
fn when_it_opens_and_closes_next() {
    let eve = at("2024-12-24T20:00:00Z");
    assert_eq!(Calendar::Nyse.phase(eve), Phase::PostMarket);
    assert_eq!(Calendar::Nyse.next_open(eve), Some(at("2024-12-26T14:30:00Z")));
    assert_eq!(Calendar::Nyse.next_close(eve), Some(at("2024-12-26T21:00:00Z")));
    assert_eq!(Calendar::Nyse.phase(at("2024-12-26T09:00:00Z")), Phase::PreMarket);
    assert_eq!(Calendar::Nyse.phase(at("2024-12-26T08:59:59Z")), Phase::Closed);
    assert_eq!(Calendar::Nyse.phase(at("2024-12-25T15:00:00Z")), Phase::Closed);
    let wednesday = at("2024-07-03T12:00:00Z");
    assert_eq!(Calendar::Fx.next_close(wednesday), Some(at("2024-07-05T21:00:00Z")));
    assert_eq!(Calendar::Fx.next_open(wednesday), Some(at("2024-07-07T21:00:00Z")));
    assert_eq!(Calendar::Continuous.next_close(wednesday), None);
    assert_eq!(Calendar::Continuous.next_open(wednesday), None);
}

#[test]
fn open_spans_leave_out_what_is_closed() {
    let spans = |calendar: Calendar, from, to| calendar.open_spans(at(from), at(to)).collect::<Vec<_>>();
    assert_eq!(
        spans(Calendar::Nyse, "2024-07-03T15:00:00Z", "2024-07-08T14:00:00Z"),
        [
            (at("2024-07-03T15:00:00Z"), at("2024-07-03T17:00:00Z")),
            (at("2024-07-05T13:30:00Z"), at("2024-07-05T20:00:00Z")),
            (at("2024-07-08T13:30:00Z"), at("2024-07-08T14:00:00Z")),
        ]
    );
    assert_eq!(
        spans(Calendar::Fx, "2024-07-03T15:00:00Z", "2024-07-07T22:00:00Z"),
        [
            (at("2024-07-03T15:00:00Z"), at("2024-07-05T21:00:00Z")),
            (at("2024-07-07T21:00:00Z"), at("2024-07-07T22:00:00Z"))
        ]
    );
    assert_eq!(spans(Calendar::Nyse, "2024-07-04T00:00:00Z", "2024-07-04T23:00:00Z"), []);
    assert_eq!(spans(Calendar::Continuous, "2024-07-04T00:00:00Z", "2024-07-05T00:00:00Z").len(), 1);
}

#[test]
fn quiet_is_the_night_and_not_the_hours_around_a_session() {
    let quiet = |calendar: Calendar, from, to| calendar.is_quiet(at(from), at(to));
    assert!(quiet(Calendar::Nyse, "2024-07-06T00:00:00Z", "2024-07-08T08:00:00Z"));
    assert!(!quiet(Calendar::Nyse, "2024-07-05T23:59:59Z", "2024-07-08T08:00:00Z"), "four hours after Friday's end");
    assert!(!quiet(Calendar::Nyse, "2024-07-06T00:00:00Z", "2024-07-08T08:00:01Z"), "from four on Monday");
    assert!(quiet(Calendar::Fx, "2024-07-05T21:00:00Z", "2024-07-07T21:00:00Z"));
    assert!(!quiet(Calendar::Fx, "2024-07-04T21:00:00Z", "2024-07-04T21:01:00Z"));
    assert!(!quiet(Calendar::Continuous, "2024-07-06T00:00:00Z", "2024-07-06T00:01:00Z"));
}

#[test]
fn far_ends_of_time_have_an_answer() {
    for calendar in Calendar::ALL {
        for time in [Timestamp::MIN, Timestamp::MIN.plus_nanos(86_400_000_000_000), Timestamp::MAX] {
            let window = calendar.window(Timeframe::D1, time);
            assert!(window.open_time <= time);
            let _span = calendar.span_at(time);
        }
    }
    assert_eq!(Calendar::of(&"EURUSD.SIM".parse().unwrap(), AssetClass::Fx), Calendar::Continuous);
    assert_eq!(Calendar::of(&"EUR_USD.OANDA".parse().unwrap(), AssetClass::Fx), Calendar::Fx);
}
