use cw_core::{Price, Volume};
use proptest::prelude::*;

use super::*;

const MINUTE: i64 = 60_000_000_000;
const DELAY: i64 = 3_000_000_000;

fn minute(number: i64) -> Timestamp {
    Timestamp::from_nanos(number * MINUTE)
}

fn candle(number: i64, close: i64) -> Candle {
    let price = Price::from_raw(1_000 + close);
    Candle { open_time: minute(number), open: price, high: price, low: price, close: price, volume: Volume::ZERO }
}

fn keeper(dense: bool) -> Keeper {
    Keeper::new(Timeframe::M1, minute(0), dense, DELAY)
}

/// What came out, in short: `s3` = minute 3 as streamed, `b`ackfilled, `r`evised, `g2-4` = a gap.
fn short(out: &[Kept]) -> String {
    let number = |time: Timestamp| time.as_nanos() / MINUTE;
    let words = out.iter().map(|kept| match kept {
        Kept::Candle { candle, delivery } => {
            let letter = match delivery {
                Delivery::Streamed => 's',
                Delivery::Backfilled => 'b',
                Delivery::Revised => 'r',
            };
            format!("{letter}{}", number(candle.open_time))
        }
        Kept::Gap { from, to, .. } => format!("g{}-{}", number(*from), number(*to)),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn live(keeper: &mut Keeper, now: i64) {
    keeper.connected();
    keeper.nothing_to_ask(minute(now), &mut Vec::new());
}

#[test]
fn candles_in_order_go_straight_through() {
    let (mut keeper, mut out) = (keeper(false), Vec::new());
    live(&mut keeper, 0);
    (0..4).for_each(|n| keeper.streamed(candle(n, n), &mut out));
    assert_eq!(short(&out), "s0 s1 s2 s3");
    assert_eq!(keeper.question(minute(4)), None);
    assert_eq!(keeper.question(minute(5)), None, "it may still come by itself");
    let late = minute(5).plus_nanos(DELAY);
    assert_eq!(keeper.question(late), Some(Question { from: minute(4), to: minute(5) }));
}

#[test]
fn a_candle_that_is_not_believed_is_a_gap_unless_the_stream_brought_a_better_one() {
    for dense in [false, true] {
        let (mut keeper, mut out) = (keeper(dense), Vec::new());
        live(&mut keeper, 0);
        keeper.streamed(candle(2, 2), &mut out);
        keeper.streamed(candle(5, 5), &mut out);
        let question = Question { from: minute(0), to: minute(5) };
        let refused = [1, 2, 4].map(|number| (minute(number), "a hundredfold".to_owned()));
        keeper.answered(question, &[candle(0, 0), candle(3, 3)], &refused, &mut out);
        assert_eq!(short(&out), "b0 g1-2 s2 b3 g4-5 s5");
        assert_eq!(keeper.settled_to(), minute(6));
    }
}

#[test]
fn a_closed_market_is_neither_asked_nor_a_gap() {
    let number = |text: &str| text.parse::<Timestamp>().unwrap().as_nanos() / MINUTE;
    let (friday, sunday) = (number("2024-07-05T21:00:00Z"), number("2024-07-07T21:00:00Z"));
    for dense in [false, true] {
        let mut out = Vec::new();
        let mut keeper = Keeper::new(Timeframe::M1, minute(friday - 1), dense, DELAY).with_calendar(Calendar::Fx);
        live(&mut keeper, friday - 1);
        keeper.streamed(candle(friday - 1, 0), &mut out);
        assert_eq!(keeper.question(minute(sunday - 1)), None);
        keeper.streamed(candle(sunday, 1), &mut out);
        keeper.streamed(candle(sunday + 3, 1), &mut out);
        assert_eq!(short(&out), format!("s{} s{sunday}", friday - 1), "the week-end is no hole");
        let question = keeper.question(minute(sunday + 4)).unwrap();
        assert_eq!(question, Question { from: minute(sunday + 1), to: minute(sunday + 3) });
        out.clear();
        keeper.unanswered(question, "refused", true, &mut out);
        assert_eq!(short(&out), format!("g{}-{} s{}", sunday + 1, sunday + 3, sunday + 3));
    }
    // Refused over a week-end: the gap is what was open.
    let mut keeper = Keeper::new(Timeframe::M1, minute(friday - 2), true, DELAY).with_calendar(Calendar::Fx);
    let question = keeper.question(minute(sunday + 5)).unwrap();
    let mut out = Vec::new();
    keeper.unanswered(question, "refused", true, &mut out);
    assert_eq!(short(&out), format!("g{}-{friday} g{sunday}-{}", friday - 2, sunday + 4));
}

#[test]
fn a_market_that_speaks_is_open_whatever_its_calendar_says() {
    let saturday = "2024-07-06T12:00:00Z".parse::<Timestamp>().unwrap().as_nanos() / MINUTE;
    let mut out = Vec::new();
    let mut keeper = Keeper::new(Timeframe::M1, minute(saturday), false, DELAY).with_calendar(Calendar::Fx);
    live(&mut keeper, saturday);
    keeper.streamed(candle(saturday, 0), &mut out);
    keeper.streamed(candle(saturday + 2, 0), &mut out);
    assert_eq!(short(&out), format!("s{saturday}"));
    assert!(keeper.question(minute(saturday + 3)).is_some());
}

#[test]
fn a_hole_is_asked_for_before_what_follows_is_released() {
    let (mut keeper, mut out) = (keeper(false), Vec::new());
    live(&mut keeper, 0);
    keeper.streamed(candle(0, 0), &mut out);
    keeper.streamed(candle(3, 3), &mut out);
    assert_eq!(short(&out), "s0");
    let question = keeper.question(minute(4)).unwrap();
    assert_eq!(question, Question { from: minute(1), to: minute(3) });
    // Minute 1 was quiet.
    assert_eq!(keeper.answered(question, &[candle(2, 2)], &[], &mut out), 1);
    assert_eq!(short(&out), "s0 b2 s3");
    assert_eq!(keeper.question(minute(4)), None);
}

#[test]
fn what_the_stream_told_is_compared_with_the_history() {
    let (mut keeper, mut out) = (keeper(false), Vec::new());
    live(&mut keeper, 0);
    // Minute 2 is told wrong and never put right; minute 4 is not told, and was quiet as far as is known then.
    for (n, close) in [(0, 0), (1, 1), (2, 9), (3, 3)] {
        keeper.streamed(candle(n, close), &mut out);
    }
    keeper.streamed(candle(5, 5), &mut out);
    let hole = keeper.question(minute(6)).unwrap();
    keeper.answered(hole, &[], &[], &mut out);
    keeper.streamed(candle(6, 6), &mut out);
    assert_eq!(short(&out), "s0 s1 s2 s3 s5 s6");
    assert_eq!(keeper.comparison(minute(7)), None, "the newest are revised by their venues");
    let now = minute(7).plus_nanos(DELAY);
    let question = keeper.comparison(now).unwrap();
    assert_eq!(question, Question { from: minute(0), to: minute(5) });
    out.clear();
    // A failure leaves everything as it is.
    (0..20).for_each(|_| keeper.unanswered(question, "away", true, &mut out));
    assert_eq!((short(&out).as_str(), keeper.comparison(now)), ("", Some(question)));
    let history: Vec<Candle> = (0..5).map(|n| candle(n, n)).collect();
    assert_eq!(keeper.answered(question, &history, &[], &mut out), 0);
    assert_eq!(short(&out), "r2 r4");
    assert_eq!(keeper.comparison(now), None, "once");
    keeper.streamed(candle(7, 7), &mut out);
    assert_eq!(keeper.settled_to(), minute(8));
}

#[test]
fn after_a_reconnect_the_venue_is_asked_first() {
    let (mut keeper, mut out) = (keeper(false), Vec::new());
    live(&mut keeper, 0);
    (0..3).for_each(|n| keeper.streamed(candle(n, n), &mut out));
    keeper.connected();
    // In its turn, but what was revised meanwhile is not known yet.
    keeper.streamed(candle(3, 3), &mut out);
    assert_eq!(short(&out), "s0 s1 s2");
    let question = keeper.question(minute(4)).unwrap();
    assert_eq!(question.from, minute(0));
    keeper.answered(question, &[candle(0, 0), candle(1, 1), candle(2, 7)], &[], &mut out);
    assert_eq!(short(&out), "s0 s1 s2 r2 s3");
}

#[test]
fn what_cannot_be_asked_is_a_gap_and_what_is_asked_is_not_invented() {
    let (mut keeper, mut out) = (keeper(true), Vec::new());
    live(&mut keeper, 0);
    keeper.streamed(candle(2, 2), &mut out);
    keeper.streamed(candle(4, 4), &mut out);
    let question = keeper.question(minute(5)).unwrap();
    for _ in 0..FAILURES - 1 {
        keeper.unanswered(question, "timeout", false, &mut out);
    }
    assert_eq!(short(&out), "");
    keeper.unanswered(question, "timeout", false, &mut out);
    assert_eq!(short(&out), "g0-2 s2");
    let question = keeper.question(minute(5)).unwrap();
    assert_eq!(question, Question { from: minute(3), to: minute(4) });
    keeper.unanswered(question, "not in your plan", true, &mut out);
    assert_eq!(short(&out), "g0-2 s2 g3-4 s4");
}

#[test]
fn a_venue_that_is_never_quiet_is_asked_again_before_that_is_a_gap() {
    let (mut keeper, mut out) = (keeper(true), Vec::new());
    live(&mut keeper, 0);
    keeper.streamed(candle(0, 0), &mut out);
    keeper.streamed(candle(2, 2), &mut out);
    for _ in 0..DENIALS {
        let question = keeper.question(minute(3)).unwrap();
        keeper.answered(question, &[], &[], &mut out);
        assert_eq!(short(&out), "s0");
    }
    let question = keeper.question(minute(3)).unwrap();
    keeper.answered(question, &[], &[], &mut out);
    assert_eq!(short(&out), "s0 g1-2 s2");
}

#[test]
fn repetitions_are_dropped_and_revisions_told() {
    let (mut keeper, mut out) = (keeper(false), Vec::new());
    live(&mut keeper, 0);
    for (number, close) in [(0, 0), (0, 0), (1, 1), (0, 5), (0, 5), (1, 1)] {
        keeper.streamed(candle(number, close), &mut out);
    }
    assert_eq!(short(&out), "s0 s1 r0");
}

/// What a line does to one minute's candle.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Told,
    Lost,
    Twice,
    /// Told this many minutes late.
    Late(i64),
    /// Told with other values first.
    Corrected,
    /// The connection is lost before it and comes back after it.
    Outage,
}

fn fates() -> impl Strategy<Value = Vec<(bool, Fate, u8)>> {
    let fate = prop_oneof![
        6 => Just(Fate::Told),
        2 => Just(Fate::Lost),
        1 => Just(Fate::Twice),
        1 => (1i64..5).prop_map(Fate::Late),
        1 => Just(Fate::Corrected),
        1 => Just(Fate::Outage),
    ];
    prop::collection::vec((prop::bool::weighted(0.8), fate, 0u8..3), 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    /// Whatever the line does: as long as the venue answers in the end, every candle comes out once, dated and valued as
    /// the venue has it, and in order but for revisions.
    #[test]
    fn nothing_is_lost_doubled_or_misdated(plan in fates(), dense in any::<bool>()) {
        let exists = |n: usize| dense || plan[n].0;
        let truth: Vec<Candle> = (0..plan.len()).filter(|n| exists(*n)).map(|n| candle(n as i64, n as i64)).collect();
        let (mut keeper, mut out) = (keeper(dense), Vec::new());
        live(&mut keeper, 0);
        let mut late: Vec<(i64, Candle)> = Vec::new();
        for (number, (_, fate, refusals)) in plan.iter().enumerate() {
            let (n, told) = (number as i64, candle(number as i64, number as i64));
            for (_, candle) in late.extract_if(.., |(at, _)| *at <= n) {
                keeper.streamed(candle, &mut out);
            }
            if exists(number) {
                match fate {
                    Fate::Told => keeper.streamed(told, &mut out),
                    Fate::Twice => (0..2).for_each(|_| keeper.streamed(told, &mut out)),
                    Fate::Late(by) => late.push((n + by, told)),
                    Fate::Corrected => {
                        keeper.streamed(candle(n, -1), &mut out);
                        keeper.streamed(told, &mut out);
                    }
                    Fate::Outage => keeper.connected(),
                    Fate::Lost => {}
                }
            }
            let now = minute(n + 1).plus_nanos(DELAY);
            for _ in 0..*refusals {
                if let Some(question) = keeper.question(now) {
                    keeper.unanswered(question, "busy", false, &mut out);
                }
            }
            let mut asked = 0;
            while let Some(question) = keeper.question(now) {
                let answer: Vec<Candle> =
                    truth.iter().filter(|c| c.open_time >= question.from && c.open_time < question.to).copied().collect();
                keeper.answered(question, &answer, &[], &mut out);
                asked += 1;
                prop_assert!(asked < 20, "it asks for ever: {question:?}");
            }
        }
        let mut table = BTreeMap::new();
        let mut newest = Timestamp::MIN;
        for kept in &out {
            let Kept::Candle { candle, delivery } = kept else { panic!("a gap: {kept:?}") };
            let old = table.insert(candle.open_time, *candle);
            if *delivery == Delivery::Revised {
                prop_assert_ne!(old, Some(*candle), "a revision revises");
            } else {
                prop_assert!(old.is_none() && candle.open_time > newest, "once, and in order");
                newest = candle.open_time;
            }
        }
        prop_assert_eq!(table.into_values().collect::<Vec<_>>(), truth);
    }
}
