//! Market structure: what is said is never taken back, memory stays bounded, and drawn shapes are recognized.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod common;

use std::collections::BTreeMap;

use cw_analysis::Ohlcv;
use cw_analysis::structure::{ChartKind, ChartPattern, Level, Pivot, Regime, Status, Structure};
use cw_core::Timestamp;
use proptest::prelude::*;

fn walk(seed: u64, rows: usize) -> Vec<Ohlcv> {
    common::walk(seed, rows).iter().map(Ohlcv::from).collect()
}

/// What is reported at one candle.
#[derive(Debug, Clone, PartialEq)]
struct Report {
    pivots: Vec<Pivot>,
    levels: Vec<Level>,
    patterns: BTreeMap<u64, ChartPattern>,
    regime: Option<Regime>,
}

fn report(structure: &Structure) -> Report {
    let patterns = structure.active_patterns().iter().chain(structure.ended_patterns());
    Report {
        pivots: structure.pivots().to_vec(),
        levels: structure.levels().to_vec(),
        patterns: patterns.map(|pattern| (pattern.id, pattern.clone())).collect(),
        regime: structure.regime(),
    }
}

fn reports(candles: &[Ohlcv]) -> Vec<Report> {
    let mut structure = Structure::new();
    let mut reports = Vec::new();
    for candle in candles {
        structure.push(candle);
        reports.push(report(&structure));
    }
    reports
}

/// A pattern as it was known at candle `index`, by what its last version says.
fn as_of(last: &ChartPattern, index: u64) -> ChartPattern {
    let known = |at: Option<u64>| at.filter(|at| *at <= index);
    let mut then = last.clone();
    then.ended_index = known(last.ended_index);
    then.reached_index = known(last.reached_index);
    then.retested_index = known(last.retested_index);
    then.confirmed_index = known(last.confirmed_index);
    if then.confirmed_index.is_none() {
        (then.confirmed_at, then.up, then.break_price, then.target) = (None, None, None, None);
    }
    then.status = match (then.confirmed_index, then.ended_index) {
        (_, Some(_)) => last.status,
        (Some(_), None) => Status::Confirmed,
        (None, None) => Status::Forming,
    };
    then
}

/// All that a pattern tells; whether a breakout's price came back to its level yet is the follower's own affair.
fn told(pattern: &ChartPattern) -> serde_json::Value {
    let mut value = serde_json::to_value(pattern).unwrap();
    value.as_object_mut().unwrap().remove("touched");
    value
}

/// The report of every candle from the data up to it, against what all of history says of that candle.
fn check_never_taken_back(candles: &[Ohlcv]) {
    let reports = reports(candles);
    let mut last = BTreeMap::new();
    let mut pivots: Vec<Pivot> = Vec::new();
    let mut levels: BTreeMap<u64, Level> = BTreeMap::new();
    for (index, report) in reports.iter().enumerate() {
        last.extend(report.patterns.clone());
        pivots.extend(report.pivots.last().filter(|pivot| pivot.confirmed_index == index as u64));
        for level in &report.levels {
            let first = levels.entry(level.id).or_insert(*level);
            let made = |level: &Level| (level.price.to_bits(), level.zone.to_bits(), level.first_index);
            assert_eq!(made(first), made(level), "a level stays where it was made");
            assert!(level.touches >= first.touches && level.breaks >= first.breaks);
            *first = *level;
        }
    }
    for (index, report) in reports.iter().enumerate() {
        let known: Vec<Pivot> = pivots.iter().filter(|p| p.confirmed_index <= index as u64).copied().collect();
        assert!(known.ends_with(&report.pivots) && (report.pivots.len() == known.len() || known.len() > 32));
        for (id, pattern) in &report.patterns {
            assert_eq!(told(&as_of(&last[id], index as u64)), told(pattern), "at candle {index}");
        }
    }
    for pair in pivots.windows(2) {
        assert!(pair[0].high != pair[1].high && pair[0].index < pair[1].index);
        assert!(pair[0].confirmed_index < pair[1].confirmed_index && pair[1].index >= pair[0].index);
    }
    for pivot in &pivots {
        let candle = &candles[pivot.index as usize];
        let extreme = if pivot.high { candle.high } else { candle.low };
        assert!(pivot.confirmed_index > pivot.index && extreme.to_bits() == pivot.price.to_bits());
    }
}

#[test]
fn nothing_is_taken_back() {
    for seed in 1..=3 {
        check_never_taken_back(&walk(seed, 2_500));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    /// What is reported at a candle needs no candle after it: a series that ends there gives the same.
    #[test]
    fn a_report_needs_only_what_came_before(seed in any::<u64>(), rows in 40usize..900) {
        let candles = walk(seed, 1_000);
        let mut structure = Structure::new();
        for candle in &candles[..rows] {
            structure.push(candle);
        }
        prop_assert_eq!(&report(&structure), &reports(&candles)[rows - 1]);
        // A saved state goes on as if it had never stopped.
        let saved = postcard::to_stdvec(&structure).unwrap();
        let mut again: Structure = postcard::from_bytes(&saved).unwrap();
        prop_assert_eq!(&again, &structure);
        for candle in &candles[rows..] {
            structure.push(candle);
            again.push(candle);
        }
        prop_assert_eq!(again, structure);
    }

    /// While no candle before it asked for another label, one candle, however large, does not change it.
    #[test]
    fn one_candle_never_turns_a_regime(seed in any::<u64>(), rows in 60usize..900, size in -300.0f64..300.0) {
        let mut structure = Structure::new();
        let candles = walk(seed, rows);
        for candle in &candles {
            structure.push(candle);
        }
        let before = structure.regime().unwrap();
        let last = candles[rows - 1];
        let close = last.close + size;
        let (high, low) = (last.close.max(close), last.close.min(close));
        structure.push(&Ohlcv { open: last.close, high, low, close, ..last });
        let after = structure.regime().unwrap();
        prop_assert!(before.asks_trend != before.trend || after.trend == before.trend);
        prop_assert!(before.asks_volatility != before.volatility || after.volatility == before.volatility);
    }
}

#[test]
fn memory_is_bounded() {
    let mut structure = Structure::new();
    let mut largest = 0;
    for (row, candle) in walk(3, 40_000).iter().enumerate() {
        structure.push(candle);
        if row % 500 == 499 {
            largest = largest.max(postcard::to_stdvec(&structure).unwrap().len());
        }
        assert!(structure.pivots().len() <= 32 && structure.levels().len() <= 24);
        assert!(structure.active_patterns().len() <= 16 && structure.ended_patterns().len() <= 16);
    }
    assert!(largest < 32_000, "{largest} bytes");
    assert_eq!(structure.len(), 40_000);
}

/// The same moves, for some hundreds of candles at a time a third or three times as large.
fn calm_and_wild(candles: &[Ohlcv]) -> Vec<Ohlcv> {
    let (mut before, mut level) = (candles[0].open, candles[0].open);
    let scaled = candles.iter().enumerate().map(|(row, candle)| {
        let factor = [1.0, 3.0, 1.0, 0.3][row / 300 % 4];
        let price = |price: f64| level + (price - before) * factor;
        let (open, high, low, close) = (price(candle.open), price(candle.high), price(candle.low), price(candle.close));
        (before, level) = (candle.close, close);
        Ohlcv { open, high, low, close, ..*candle }
    });
    scaled.collect()
}

#[test]
fn a_regime_holds_for_some_candles() {
    let mut seen = BTreeMap::new();
    for seed in 1..=8 {
        let reports = reports(&calm_and_wild(&walk(seed, 4_000)));
        let labels: Vec<_> = reports.iter().filter_map(|report| report.regime.as_ref()).collect();
        for regime in &labels {
            *seen.entry((regime.trend as u8, regime.volatility as u8)).or_insert(0) += 1;
            assert!((0.0..=1.0).contains(&regime.confidence));
            let score: f64 = regime.reasons.iter().map(|reason| reason.adds).sum();
            assert!(score.abs() <= 1.0 + 1e-9);
        }
        let mut changes = Vec::new();
        for (row, pair) in labels.windows(2).enumerate() {
            if pair[0].trend != pair[1].trend {
                changes.push(row);
            }
        }
        assert!(changes.windows(2).all(|pair| pair[1] - pair[0] >= 3), "a label holds for three candles or more");
    }
    assert!(seen.len() >= 7, "{seen:?}");
}

/// Candles along straight lines through these prices, so many candles apart.
fn drawn(corners: &[(f64, u32)]) -> Vec<Ohlcv> {
    let mut close: f64 = corners[0].0;
    let mut candles: Vec<Ohlcv> = Vec::new();
    let mut add = |from: f64, to: f64| {
        let open_time = Timestamp::from_secs(60 * candles.len() as i64);
        let (high, low) = (from.max(to) + 0.1, from.min(to) - 0.1);
        candles.push(Ohlcv { open_time, open: from, high, low, close: to, volume: 1.0 });
    };
    for (target, steps) in &corners[1..] {
        let start = close;
        for step in 1..=*steps {
            let next = start + (target - start) * f64::from(step) / f64::from(*steps);
            add(close, next);
            close = next;
        }
    }
    candles
}

/// The last pattern of a kind in a drawing, which mirrored (`200 - price`) has the last pattern of the other kind.
fn check(corners: &[(f64, u32)], kind: ChartKind, mirror: ChartKind, expected: (Status, Option<bool>, Option<f64>)) {
    let (status, up, target) = expected;
    let flipped: Vec<(f64, u32)> = corners.iter().map(|(price, steps)| (200.0 - price, *steps)).collect();
    for (corners, kind, up, target) in
        [(corners, kind, up, target), (&flipped, mirror, up.map(|up| !up), target.map(|target| 200.0 - target))]
    {
        let mut structure = Structure::new();
        for candle in drawn(corners) {
            structure.push(&candle);
        }
        let all: Vec<_> = structure.ended_patterns().iter().chain(structure.active_patterns()).collect();
        let kinds: Vec<_> = all.iter().map(|pattern| (pattern.kind, pattern.status)).collect();
        let found = all.iter().rfind(|pattern| pattern.kind == kind).unwrap_or_else(|| panic!("{kind:?} in {kinds:?}"));
        assert_eq!((found.status, found.up), (status, up), "{kind:?} of {kinds:?}");
        match (target, found.target) {
            (Some(expected), Some(_)) if expected.is_infinite() => {}
            (Some(expected), Some(target)) => assert!((expected - target).abs() < 1.0, "{kind:?}: target {target}"),
            (expected, target) => assert_eq!(expected, target, "{kind:?}"),
        }
        assert!(found.points.iter().all(|point| point.confirmed_index <= found.formed_index));
    }
}

/// A target that is not looked at.
const ANY: Option<f64> = Some(f64::INFINITY);

use ChartKind as K;
use Status::{Broken, Confirmed, Failed, Forming};

#[test]
fn tops_and_bottoms() {
    let rise = [(80.0, 0), (90.0, 20), (85.0, 10)];
    let draw = |corners: &[(f64, u32)]| [&rise[..], corners].concat();
    let top = draw(&[(110.0, 25), (100.0, 10), (110.0, 10)]);
    check(&[&top[..], &[(104.0, 6)]].concat(), K::DoubleTop, K::DoubleBottom, (Forming, None, None));
    let falls = [&top[..], &[(97.0, 13)]].concat();
    check(&falls, K::DoubleTop, K::DoubleBottom, (Confirmed, Some(false), Some(90.0)));
    check(&[&top[..], &[(88.0, 22)]].concat(), K::DoubleTop, K::DoubleBottom, (Confirmed, Some(false), Some(90.0)));
    check(&[&falls[..], &[(108.0, 11)]].concat(), K::DoubleTop, K::DoubleBottom, (Broken, Some(false), Some(90.0)));
    let fails = [&top[..], &[(104.0, 6), (114.0, 10)]].concat();
    check(&fails, K::DoubleTop, K::DoubleBottom, (Failed, None, None));
    let triple = draw(&[(110.0, 25), (100.0, 10), (110.3, 10), (100.5, 10), (110.1, 10), (97.0, 13)]);
    check(&triple, K::TripleTop, K::TripleBottom, (Confirmed, Some(false), Some(90.0)));
    let head = draw(&[(110.0, 25), (101.0, 10), (117.0, 16), (101.0, 16), (110.0, 10), (98.0, 12)]);
    check(&head, K::HeadAndShoulders, K::InverseHeadAndShoulders, (Confirmed, Some(false), Some(85.0)));
}

#[test]
fn shapes_between_lines() {
    let draw = |corners: &[(f64, u32)]| [&[(70.0, 0), (60.0, 20), (90.0, 12)], corners].concat();
    let rectangle = draw(&[(110.0, 20), (100.0, 10), (110.0, 10), (100.0, 10), (110.0, 10), (103.0, 7)]);
    check(&rectangle, K::Rectangle, K::Rectangle, (Forming, None, None));
    let down = [&rectangle[..], &[(97.0, 6)]].concat();
    check(&down, K::Rectangle, K::Rectangle, (Confirmed, Some(false), Some(90.0)));
    let triangle = draw(&[(110.0, 20), (96.0, 14), (110.0, 14), (102.0, 8), (110.0, 8), (106.0, 5), (113.0, 8)]);
    check(&triangle, K::AscendingTriangle, K::DescendingTriangle, (Confirmed, Some(true), Some(124.0)));
    let both = draw(&[(116.0, 26), (94.0, 22), (113.0, 19), (98.0, 15), (109.0, 11), (104.0, 5), (113.0, 9)]);
    check(&both, K::SymmetricalTriangle, K::SymmetricalTriangle, (Confirmed, Some(true), ANY));
    let channel = draw(&[(104.0, 15), (96.0, 8), (109.0, 13), (101.0, 8), (114.0, 13), (102.0, 12)]);
    check(&channel, K::RisingChannel, K::FallingChannel, (Confirmed, Some(false), ANY));
    let wedge = draw(&[(108.0, 20), (94.0, 14), (111.0, 17), (103.0, 8), (114.0, 11), (104.0, 10)]);
    check(&wedge, K::RisingWedge, K::FallingWedge, (Confirmed, Some(false), Some(93.9)));
}

#[test]
fn flags_and_pennants() {
    let draw = |corners: &[(f64, u32)]| [&[(86.0, 0), (82.0, 20), (84.0, 20), (80.0, 8)], corners].concat();
    let flag = draw(&[(110.0, 15), (104.0, 6), (108.5, 5), (102.0, 6), (112.0, 10)]);
    check(&flag, K::BullFlag, K::BearFlag, (Confirmed, Some(true), ANY));
    let pennant = draw(&[(112.0, 15), (102.0, 10), (109.0, 7), (104.5, 5), (112.0, 8)]);
    check(&pennant, K::BullPennant, K::BearPennant, (Confirmed, Some(true), ANY));
}

#[test]
fn a_broken_level_is_tested_again() {
    let held = [
        (90.0, 0),
        (85.0, 15),
        (110.0, 25),
        (100.0, 10),
        (110.2, 10),
        (99.0, 11),
        (110.1, 11),
        (102.0, 8),
        (116.0, 14),
    ];
    check(&held, K::BreakoutUp, K::BreakoutDown, (Forming, None, None));
    let tested = [&held[..], &[(110.3, 6), (114.0, 4)]].concat();
    check(&tested, K::BreakoutUp, K::BreakoutDown, (Confirmed, Some(true), ANY));
    let lost = [&held[..], &[(104.0, 12)]].concat();
    check(&lost, K::BreakoutUp, K::BreakoutDown, (Failed, None, None));
}
