//! Indicators by the sessions of a market's calendar: in batches and candle by candle alike.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use cw_analysis::{Columns, StudySet};
use cw_core::{Calendar, Candle, Price, Timeframe, Timestamp, Volume};

/// Five days of minutes around the change to summer time in New York, 10 March 2024, traded day and night.
fn minutes() -> Vec<Candle> {
    let begin: Timestamp = "2024-03-07T18:00:00Z".parse().unwrap();
    let one = |minute: i64| {
        let close = Price::from_raw((100 + (minute * 7) % 13) * 1_000_000_000);
        let [high, low] = [1, -1].map(|way| Price::from_raw(close.raw() + way * 500_000_000));
        let open_time = begin.plus_nanos(minute * 60 * Timestamp::NANOS_PER_SECOND);
        Candle { open_time, open: close, high, low, close, volume: Volume::from_raw(i128::from(1 + minute % 5)) }
    };
    (0..5 * 1_440).map(one).collect()
}

/// The values of a set over the minutes; the same from a batch and from pushing.
fn values(text: &str, calendar: Calendar) -> Vec<Vec<f64>> {
    let (set, candles) = (StudySet::parse(text).unwrap(), minutes());
    let fresh = || set.new_state(Timeframe::M1).unwrap().in_calendar(calendar);
    let columns = set.batch(&mut fresh(), &Columns::from_candles(&candles));
    let (mut state, mut row) = (fresh(), Vec::new());
    for (at, candle) in candles.iter().enumerate() {
        set.push(&mut state, candle, &mut row);
        for (pushed, column) in row.iter().zip(&columns) {
            assert_eq!(pushed.to_bits(), column[at].to_bits(), "{text} {calendar} at {}", candle.open_time);
        }
    }
    columns
}

#[test]
fn vwap_begins_anew_with_each_session() {
    for calendar in Calendar::ALL {
        let found = values("vwap", calendar).remove(0);
        let (mut end, mut value, mut volume) = (Timestamp::MIN, 0.0, 0.0);
        let mut begun = Vec::new();
        for (candle, found) in minutes().iter().zip(found) {
            let time = candle.open_time;
            if time >= end {
                end = calendar.span_at(time).to;
                (value, volume) = (0.0, 0.0);
                begun.push(time.to_string());
            }
            let [high, low, close] = [candle.high, candle.low, candle.close].map(Price::to_f64);
            value += (high + low + close) / 3.0 * candle.volume.to_f64();
            volume += candle.volume.to_f64();
            assert!((found - value / volume).abs() < 1e-9, "{calendar} at {time}: {found}");
        }
        match calendar {
            Calendar::Continuous => assert_eq!(begun[1], "2024-03-08T00:00:00Z"),
            Calendar::Fx => assert!(begun.contains(&"2024-03-10T21:00:00Z".to_owned()), "{begun:?}"),
            Calendar::Nyse => {
                for opening in ["2024-03-08T14:30:00Z", "2024-03-11T13:30:00Z", "2024-03-12T13:30:00Z"] {
                    assert!(begun.contains(&opening.to_owned()), "{begun:?}");
                }
            }
        }
    }
    // Who names a length counts from midnight.
    assert_eq!(values("vwap(8)", Calendar::Nyse), values("vwap(8)", Calendar::Continuous));
}

#[test]
fn pivots_are_of_the_session_before_and_days_are_sessions() {
    let candles = minutes();
    let columns = values("pivots, on(\"1d\", close)", Calendar::Nyse);
    let at = |time: &str| {
        let time: Timestamp = time.parse().unwrap();
        candles.iter().position(|candle| candle.open_time == time).unwrap()
    };
    let close = |time: &str| candles[at(time)].close.to_f64();
    let days = columns.last().unwrap();
    // 16:00 in New York, in winter and in summer; what is traded until the next opening changes nothing.
    for (last, until) in
        [("2024-03-08T20:59:00Z", "2024-03-11T19:58:00Z"), ("2024-03-11T19:59:00Z", "2024-03-12T17:59:00Z")]
    {
        assert_eq!([days[at(last)], days[at(until)]].map(f64::to_bits), [close(last); 2].map(f64::to_bits), "{last}");
    }
    let session = &candles[at("2024-03-08T14:30:00Z")..=at("2024-03-08T20:59:00Z")];
    let high = session.iter().map(|candle| candle.high.to_f64()).fold(f64::MIN, f64::max);
    let low = session.iter().map(|candle| candle.low.to_f64()).fold(f64::MAX, f64::min);
    let pivot = (high + low + close("2024-03-08T20:59:00Z")) / 3.0;
    for time in ["2024-03-11T13:30:00Z", "2024-03-11T19:59:00Z", "2024-03-11T23:00:00Z"] {
        assert!((columns[0][at(time)] - pivot).abs() < 1e-9, "{time}: {} is not {pivot}", columns[0][at(time)]);
    }
}
