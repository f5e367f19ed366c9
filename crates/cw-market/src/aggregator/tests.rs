use std::collections::BTreeMap;

use cw_core::{Price, Quantity};
use proptest::prelude::*;

use super::*;
use crate::{fold, fold_sessions};

const SECOND: i64 = 1_000_000_000;

fn tf(text: &str) -> Timeframe {
    text.parse().unwrap()
}

fn trade(nanos: i64, price: i64, qty: i128, trade_id: u64) -> Trade {
    Trade {
        event_time: Timestamp::from_nanos(nanos),
        price: Price::from_raw(price),
        qty: Quantity::from_raw(qty),
        aggressor: None,
        trade_id,
    }
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// What a store holds after the updates: the newest version of each candle.
#[derive(Default)]
struct Stored {
    candles: BTreeMap<(Timeframe, Timestamp), Candle>,
    closed: BTreeMap<Timeframe, Timestamp>,
    gaps: BTreeMap<Timeframe, Vec<(Timestamp, Timestamp)>>,
    stale: Vec<(Timeframe, Timestamp)>,
}

impl Stored {
    fn apply(&mut self, update: CandleUpdate) {
        match update {
            CandleUpdate::Closed { timeframe, candle, .. } => {
                let before = self.closed.insert(timeframe, candle.open_time);
                assert!(before.is_none_or(|before| before < candle.open_time), "closed twice or out of order");
                assert!(self.candles.insert((timeframe, candle.open_time), candle).is_none());
            }
            CandleUpdate::Revised { timeframe, candle, revision, .. } => {
                assert!(revision > 0);
                self.candles.insert((timeframe, candle.open_time), candle);
            }
            CandleUpdate::Gap { timeframe, from, to } => {
                assert!(from < to);
                self.gaps.entry(timeframe).or_default().push((from, to));
            }
            CandleUpdate::Stale { timeframe, open_time } => self.stale.push((timeframe, open_time)),
        }
    }
    fn of(&self, timeframe: Timeframe) -> Vec<Candle> {
        self.candles.iter().filter(|((tf, _), _)| *tf == timeframe).map(|(_, candle)| *candle).collect()
    }
}

fn run(aggregator: &mut Aggregator, trades: &[Trade]) -> Stored {
    let mut stored = Stored::default();
    for (seq, trade) in trades.iter().enumerate() {
        aggregator.on_trade(trade, seq as u64, &mut |update| stored.apply(update));
    }
    stored
}

fn close_all(aggregator: &mut Aggregator, stored: &mut Stored) {
    aggregator.advance(at("2024-05-02"), &mut |update| stored.apply(update));
}

/// The candles of one timeframe by definition: sort by event time and id, then group.
fn by_definition(trades: &[Trade], timeframe: Timeframe, calendar: Calendar) -> Vec<Candle> {
    let mut sorted = trades.to_vec();
    sorted.sort_by_key(|trade| (trade.event_time, trade.trade_id));
    let ticks: Vec<Candle> = sorted
        .iter()
        .map(|trade| Candle {
            open_time: trade.event_time,
            open: trade.price,
            high: trade.price,
            low: trade.price,
            close: trade.price,
            volume: trade.qty.into(),
        })
        .collect();
    fold_sessions(&ticks, timeframe, calendar)
}

#[test]
fn a_forming_candle_closes_when_the_next_one_begins() {
    let mut aggregator = Aggregator::new(&[tf("5m"), tf("1m")], 5 * SECOND);
    let start = at("2024-03-31T00:58:00Z").as_nanos();
    let stored = run(
        &mut aggregator,
        &[
            trade(start + 1, 100, 1, 0),
            trade(start + 2, 120, 2, 0),
            trade(start + 3, 90, 3, 0),
            trade(start + 60 * SECOND, 95, 4, 0),
        ],
    );
    let closed = stored.of(tf("1m"));
    assert_eq!(closed.len(), 1);
    let candle = closed[0];
    assert_eq!([candle.open, candle.high, candle.low, candle.close].map(Price::raw), [100, 120, 90, 90]);
    assert_eq!(candle.volume.raw(), 6);
    assert!(stored.of(tf("5m")).is_empty());
    let forming = aggregator.forming(tf("5m")).unwrap();
    assert_eq!(forming.so_far.open_time, at("2024-03-31T00:55:00Z"));
    assert_eq!((forming.so_far.open.raw(), forming.so_far.close.raw(), forming.so_far.volume.raw()), (100, 95, 10));
    assert_eq!(forming.as_of.as_nanos(), start + 60 * SECOND);
    assert_eq!(aggregator.provenance(tf("1m"), candle.open_time), Some(SeqRange { first: 0, last: 2 }));
    assert_eq!(aggregator.provenance(tf("5m"), forming.so_far.open_time), Some(SeqRange { first: 0, last: 3 }));
    assert_eq!(aggregator.forming(tf("1h")), None);
}

#[test]
fn a_late_trade_revises_its_candle_and_all_above() {
    let mut aggregator = Aggregator::new(&[tf("1m"), tf("5m"), tf("1h")], 10 * SECOND);
    let boundary = at("2024-01-01T12:05:00Z").as_nanos();
    let mut stored =
        run(&mut aggregator, &[trade(boundary - 4 * SECOND, 100, 1, 1), trade(boundary + SECOND, 101, 1, 2)]);
    let mut updates = Vec::new();
    let late = trade(boundary - 5 * SECOND, 50, 7, 3);
    assert_eq!(aggregator.on_trade(&late, 9, &mut |update| updates.push(update)), Verdict::Revised);
    let revised: Vec<_> = updates
        .iter()
        .map(|update| match update {
            CandleUpdate::Revised { timeframe, candle, revision: 1, source } => {
                (*timeframe, candle.open.raw(), candle.low.raw(), candle.close.raw(), candle.volume.raw(), *source)
            }
            other => panic!("{other:?}"),
        })
        .collect();
    let source = SeqRange { first: 0, last: 9 };
    assert_eq!(revised, [(tf("1m"), 50, 50, 100, 8, source), (tf("5m"), 50, 50, 100, 8, source)]);
    let hour = aggregator.forming(tf("1h")).unwrap().so_far;
    assert_eq!((hour.open.raw(), hour.low.raw(), hour.close.raw(), hour.volume.raw()), (50, 50, 101, 9));

    let too_late = trade(boundary - 10 * SECOND, 1, 1, 4);
    assert_eq!(aggregator.on_trade(&too_late, 10, &mut |update| stored.apply(update)), Verdict::TooLate);
    assert_eq!(aggregator.on_trade(&late, 11, &mut |update| stored.apply(update)), Verdict::Duplicate);
    let nonsense = [trade(boundary, 0, 1, 0), trade(boundary, 1, -1, 0), trade(-1, 1, 1, 0), trade(i64::MAX, 1, 1, 0)];
    for trade in nonsense {
        assert_eq!(aggregator.on_trade(&trade, 12, &mut |update| stored.apply(update)), Verdict::Invalid);
    }
    assert_eq!(aggregator.discarded(), Discarded { duplicate: 1, too_late: 1, invalid: 4 });
}

#[test]
fn silence_is_marked_once_and_never_filled() {
    let mut aggregator = Aggregator::new(&[tf("1m"), tf("5m")], 5 * SECOND);
    let mut stored = run(&mut aggregator, &[trade(at("2024-01-01T12:00:30Z").as_nanos(), 100, 1, 0)]);
    for time in ["2024-01-01T12:01:00.3Z", "2024-01-01T12:03:30Z", "2024-01-01T12:03:40Z", "2024-01-01T12:06:59Z"] {
        aggregator.advance(at(time), &mut |update| stored.apply(update));
    }
    assert_eq!(stored.of(tf("1m")).len(), 1);
    assert_eq!(stored.of(tf("5m")).len(), 1);
    let late = trade(at("2024-01-01T12:08:10Z").as_nanos(), 100, 1, 0);
    aggregator.on_trade(&late, 1, &mut |update| stored.apply(update));
    let span = |from: &str, to: &str| (at(from), at(to));
    assert_eq!(
        stored.gaps[&tf("1m")],
        [
            span("2024-01-01T12:01:00Z", "2024-01-01T12:03:00Z"),
            span("2024-01-01T12:03:00Z", "2024-01-01T12:06:00Z"),
            span("2024-01-01T12:06:00Z", "2024-01-01T12:08:00Z"),
        ]
    );
    assert!(!stored.gaps.contains_key(&tf("5m")));
}

#[test]
fn no_timeframe_is_no_candle() {
    let mut aggregator = Aggregator::new(&[], 5 * SECOND);
    let stored = run(&mut aggregator, &[trade(1, 100, 1, 0), trade(SECOND, 100, 1, 0)]);
    assert!(stored.candles.is_empty());
    assert_eq!(aggregator.on_candle(tf("1m"), &minute(0, 5), 1, &mut |_| {}), Verdict::Invalid);
}

#[test]
fn quotes_make_candles_of_their_middle() {
    let mut aggregator = Aggregator::new(&[tf("1m")], 5 * SECOND);
    let quote = |bid: i64, ask: i64| Quote {
        event_time: at("2024-01-01T12:00:30Z"),
        bid: Price::from_raw(bid),
        ask: Price::from_raw(ask),
        bid_qty: Quantity::ZERO,
        ask_qty: Quantity::ZERO,
    };
    for (bid, ask, expected) in [(10, 12, Verdict::Accepted), (14, 12, Verdict::Invalid), (14, 16, Verdict::Accepted)] {
        assert_eq!(aggregator.on_quote(&quote(bid, ask), 1, &mut |_| {}), expected);
    }
    let candle = aggregator.forming(tf("1m")).unwrap().so_far;
    assert_eq!([candle.open, candle.high, candle.low, candle.close].map(Price::raw), [11, 15, 11, 15]);
    assert!(candle.volume.is_zero());
}

fn minute(index: i64, price: i64) -> Candle {
    let price = Price::from_raw(price);
    let open_time = Timestamp::from_nanos(at("2024-01-01").as_nanos() + index * 60 * SECOND);
    Candle { open_time, open: price, high: price, low: price, close: price, volume: cw_core::Volume::from_raw(1) }
}

#[test]
fn candles_fold_upwards_and_can_be_replaced() {
    let mut aggregator = Aggregator::new(&[tf("1m"), tf("15m"), tf("1h"), tf("1d")], 5 * SECOND);
    let mut stored = Stored::default();
    let mut minutes: Vec<Candle> = (0..192).map(|index| minute(index, 1000 + (index * 7919) % 101)).collect();
    for (seq, candle) in minutes.iter().enumerate() {
        let verdict = aggregator.on_candle(tf("1m"), candle, seq as u64, &mut |update| stored.apply(update));
        assert_eq!(verdict, Verdict::Accepted);
    }
    for timeframe in [tf("1m"), tf("15m"), tf("1h")] {
        let expected = fold(&minutes, timeframe);
        let whole = expected.iter().filter(|c| timeframe.close_time(c.open_time) <= at("2024-01-01T03:12:00Z"));
        assert!(stored.of(timeframe).iter().eq(whole), "{timeframe}");
    }
    // Within what is kept: made again from the finer ones, up to the forming day.
    minutes[178] = minute(178, 5);
    let verdict = aggregator.on_candle(tf("1m"), &minutes[178], 300, &mut |update| stored.apply(update));
    assert_eq!(verdict, Verdict::Revised);
    assert_eq!(stored.of(tf("15m"))[11], fold(&minutes, tf("15m"))[11]);
    assert_eq!(stored.of(tf("1h"))[2], fold(&minutes, tf("1h"))[2]);
    assert_eq!(aggregator.forming(tf("1d")).unwrap().so_far, fold(&minutes, tf("1d"))[0]);
    assert_eq!(stored.stale, []);
    let again = aggregator.on_candle(tf("1m"), &minutes[178], 301, &mut |update| stored.apply(update));
    assert_eq!(again, Verdict::Duplicate);
    // Beyond it nothing is guessed.
    let verdict = aggregator.on_candle(tf("1m"), &minute(3, 5), 302, &mut |update| stored.apply(update));
    assert_eq!(verdict, Verdict::TooLate);
    let verdict = aggregator.on_candle(tf("5m"), &minute(205, 5), 303, &mut |update| stored.apply(update));
    assert_eq!(verdict, Verdict::Invalid, "only the finest timeframe comes in as candles");
}

#[test]
fn a_closed_market_is_no_gap_and_a_day_is_a_session() {
    let mut aggregator = Aggregator::new(&[tf("1m"), tf("1h"), tf("1d")], 0).with_calendar(Calendar::Nyse);
    let times = ["19:58:00", "19:59:00", "20:00:00"].map(|time| format!("2024-07-05T{time}Z"));
    let times = times.iter().map(String::as_str).chain(["2024-07-08T13:00:00Z", "2024-07-08T13:31:00Z"]);
    let trades: Vec<Trade> =
        times.zip(1i64..).map(|(time, price)| trade(at(time).as_nanos(), price, 1, price as u64)).collect();
    let mut stored = run(&mut aggregator, &trades);
    aggregator.advance(at("2024-07-08T13:32:00Z"), &mut |update| stored.apply(update));
    let day = stored.of(tf("1d"));
    assert_eq!(day.len(), 1, "the trades after the end and before the beginning are in none");
    assert_eq!((day[0].open_time, day[0].close.raw(), day[0].volume.raw()), (at("2024-07-05T13:30:00Z"), 2, 2));
    assert_eq!(aggregator.forming(tf("1d")).unwrap().so_far.open_time, at("2024-07-08T13:30:00Z"));
    assert_eq!(aggregator.forming(tf("1d")).unwrap().so_far.open.raw(), 5);
    assert_eq!(stored.of(tf("1m")).len(), 5, "minutes exist outside the session");
    assert_eq!(stored.of(tf("1h"))[0].open_time, at("2024-07-05T19:30:00Z"));
    // The minute after Monday's opening is silent; the week-end is not.
    assert_eq!(stored.gaps[&tf("1m")], [(at("2024-07-08T13:30:00Z"), at("2024-07-08T13:31:00Z"))]);
    assert!(!stored.gaps.contains_key(&tf("1d")) && !stored.gaps.contains_key(&tf("1h")));
}

#[test]
fn a_coarser_candle_that_cannot_be_made_again_is_stale() {
    let mut aggregator = Aggregator::new(&[tf("1m"), tf("1d")], 0);
    let mut stored = Stored::default();
    for index in 0..300 {
        aggregator.on_candle(tf("1m"), &minute(index, 1000), 0, &mut |update| stored.apply(update));
    }
    let verdict = aggregator.on_candle(tf("1m"), &minute(290, 5), 1, &mut |update| stored.apply(update));
    assert_eq!(verdict, Verdict::Revised);
    assert_eq!(stored.stale, [(tf("1d"), at("2024-01-01"))]);
}

/// Trades around a daylight-saving change, in order of time, ids running.
fn trades() -> impl Strategy<Value = Vec<Trade>> {
    trades_from(Just("2024-03-30T23:59:00Z"))
}

fn trades_from(start: impl Strategy<Value = &'static str>) -> impl Strategy<Value = Vec<Trade>> {
    let step = prop_oneof![
        4 => 0i64..3 * SECOND,
        2 => 0i64..90 * SECOND,
        1 => Just(0),
        1 => 0i64..7_200 * SECOND,
    ];
    (start, proptest::collection::vec((step, 1i64..500, 0i128..50), 1..250)).prop_map(|(start, steps)| {
        let mut time = at(start).as_nanos();
        steps
            .into_iter()
            .enumerate()
            .map(|(index, (step, price, qty))| {
                time += step;
                trade(time, price, qty, 1 + index as u64)
            })
            .collect()
    })
}

fn timeframes() -> impl Strategy<Value = Vec<Timeframe>> {
    let all = ["1s", "7s", "1m", "5m", "7m", "15m", "1h", "4h", "1d", "1w", "1M"].map(tf).to_vec();
    proptest::sample::subsequence(all, 1..=11)
}

/// An order of arrival in which nothing is later than `lateness`, with repetitions.
fn arrival(trades: &[Trade], lateness: i64, keys: &[u32]) -> Vec<Trade> {
    let delayed = |index: usize, trade: &Trade, salt: usize| {
        let key = i64::from(keys[(index * 2 + salt) % keys.len()]);
        (trade.event_time.as_nanos() + key % (lateness + 1), key, *trade)
    };
    let mut arrivals: Vec<_> = trades.iter().enumerate().map(|(index, trade)| delayed(index, trade, 0)).collect();
    arrivals.extend(trades.iter().enumerate().filter(|(index, _)| index % 3 == 0).map(|(i, t)| delayed(i, t, 1)));
    arrivals.sort_by_key(|(time, key, _)| (*time, *key));
    arrivals.into_iter().map(|(_, _, trade)| trade).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn order_of_arrival_and_repetition_do_not_matter(
        // Europe's clocks change; New York's do, over a week-end that begins or has just ended.
        trades in trades_from(proptest::sample::select(
            ["2024-03-30T23:59:00Z", "2024-03-08T20:40:00Z", "2024-03-11T13:10:00Z"].as_slice(),
        )),
        calendar in proptest::sample::select(Calendar::ALL.as_slice()),
        timeframes in timeframes(),
        lateness in prop_oneof![Just(0i64), Just(5 * SECOND), Just(100 * SECOND)],
        keys in proptest::collection::vec(any::<u32>(), 1..300),
        ticks in proptest::collection::vec(0usize..250, 0..4),
    ) {
        let arrivals = arrival(&trades, lateness, &keys);
        let mut aggregator = Aggregator::new(&timeframes, lateness).with_calendar(calendar);
        let mut stored = Stored::default();
        for (seq, trade) in arrivals.iter().enumerate() {
            aggregator.on_trade(trade, seq as u64, &mut |update| stored.apply(update));
            if ticks.contains(&seq) {
                aggregator.advance(trade.event_time.plus_nanos(SECOND), &mut |update| stored.apply(update));
            }
        }
        close_all(&mut aggregator, &mut stored);
        prop_assert_eq!(aggregator.discarded().too_late, 0);
        prop_assert_eq!(aggregator.discarded().duplicate as usize, arrivals.len() - trades.len());
        let finest = stored.of(timeframes[0]);
        for timeframe in &timeframes {
            let expected = by_definition(&trades, *timeframe, calendar);
            prop_assert_eq!(stored.of(*timeframe), expected, "{} of {}", timeframe, calendar);
            if timeframe.is_multiple_of(timeframes[0]) {
                let folded = fold_sessions(&finest, *timeframe, calendar);
                prop_assert_eq!(stored.of(*timeframe), folded, "{} of {} as a fold", timeframe, calendar);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn candles_and_gaps_tile_time(trades in trades(), timeframes in timeframes()) {
        let mut aggregator = Aggregator::new(&timeframes, 0);
        let stored = run(&mut aggregator, &trades);
        for timeframe in &timeframes {
            let candles = stored.of(*timeframe).into_iter().map(|c| (c.open_time, timeframe.close_time(c.open_time)));
            let gaps = stored.gaps.get(timeframe).cloned().unwrap_or_default();
            let mut spans: Vec<_> = candles.chain(gaps).collect();
            spans.sort_unstable();
            for pair in spans.windows(2) {
                prop_assert_eq!(pair[0].1, pair[1].0, "{}", timeframe);
            }
        }
    }

    #[test]
    fn a_prefix_a_run_and_a_restored_state_agree(
        trades in trades(),
        timeframes in timeframes(),
        cut in 0usize..250,
        keys in proptest::collection::vec(any::<u32>(), 1..300),
    ) {
        let arrivals = arrival(&trades, 5 * SECOND, &keys);
        let cut = cut.min(arrivals.len());
        let mut one_by_one = Aggregator::new(&timeframes, 5 * SECOND);
        let mut expected = Vec::new();
        for (seq, trade) in arrivals.iter().enumerate() {
            one_by_one.on_trade(trade, seq as u64, &mut |update| expected.push(update));
        }
        let mut updates = Vec::new();
        let mut in_runs = Aggregator::new(&timeframes, 5 * SECOND);
        in_runs.on_trades(arrivals[..cut].iter().copied(), 0, &mut |update| updates.push(update));
        let bytes = postcard::to_stdvec(&in_runs).unwrap();
        let mut restored: Aggregator = postcard::from_bytes(&bytes).unwrap();
        prop_assert_eq!(&restored, &in_runs);
        restored.on_trades(arrivals[cut..].iter().copied(), cut as u64, &mut |update| updates.push(update));
        prop_assert_eq!(&updates, &expected);
        prop_assert_eq!(restored, one_by_one);
    }

    #[test]
    fn a_forming_candle_is_what_closing_now_would_give(trades in trades(), timeframes in timeframes()) {
        let mut aggregator = Aggregator::new(&timeframes, 0);
        run(&mut aggregator, &trades);
        for timeframe in &timeframes {
            let forming = aggregator.forming(*timeframe).unwrap();
            let whole = by_definition(&trades, *timeframe, Calendar::Continuous);
            prop_assert_eq!(forming.so_far, *whole.last().unwrap());
        }
    }
}
