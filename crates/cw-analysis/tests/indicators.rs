//! What must hold for every registered indicator, and equality with TA-Lib where it has the function.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod common;

use cw_analysis::{Columns, Indicator, InputKind, Ohlcv, Pane, StudySet, indicators};
use cw_core::{Candle, FormingCandle, Timeframe};
use proptest::prelude::*;

/// The longest warm-up that `length`-like parameters of the tests below can cause, with room.
const ROWS: usize = 700;

fn batch(set: &str, columns: &Columns) -> Vec<Vec<f64>> {
    let set = StudySet::parse(set).expect("a valid set");
    let mut state = set.new_state(Timeframe::M1).expect("no other timeframe");
    set.batch(&mut state, columns)
}

fn same_bits(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()))
}

/// Every indicator with its defaults, the smallest and some other parameters.
fn variants() -> Vec<String> {
    let mut sets = Vec::new();
    for entry in indicators::all() {
        let pick = |f: &dyn Fn(&cw_analysis::Param) -> f64| {
            let params: Vec<String> = entry.spec.params.iter().map(|param| f(param).to_string()).collect();
            format!("{}({})", entry.spec.name, params.join(","))
        };
        sets.push(pick(&|param| param.default));
        sets.push(pick(&|param| param.min));
        sets.push(pick(&|param| (param.default * 3.0 + 1.0).min(param.max)));
    }
    sets
}

#[test]
fn the_registry_is_well_formed() {
    let mut names: Vec<&str> = indicators::all().iter().map(|entry| entry.spec.name).collect();
    assert!(names.len() >= 150);
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), indicators::all().len(), "names are unique");
    for entry in indicators::all() {
        let spec = &entry.spec;
        assert!(spec.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{}", spec.name);
        assert!(!spec.title.is_empty() && spec.doc.len() > 20 && !spec.source.is_empty(), "{}", spec.name);
        assert!(!spec.outputs.is_empty(), "{}", spec.name);
        for param in spec.params {
            assert!(param.min <= param.default && param.default <= param.max, "{}.{}", spec.name, param.name);
        }
        assert_eq!(indicators::find(spec.name).map(|found| found.spec.name), Some(spec.name));
    }
}

#[test]
fn warm_up_is_as_declared() {
    let columns = Columns::from_candles(&common::walk(11, ROWS));
    for entry in indicators::all().iter().filter(|entry| !entry.spec.by_session) {
        let mut params = entry.defaults();
        for scale in [1.0, 2.0] {
            for (value, param) in params.iter_mut().zip(entry.spec.params) {
                *value = (*value * scale).clamp(param.min, param.max);
            }
            let text: Vec<String> = params.iter().map(f64::to_string).collect();
            let set = format!("{}({})", entry.spec.name, text.join(","));
            let outputs = batch(&set, &columns);
            let complete = (0..ROWS).find(|row| outputs.iter().all(|column| !column[*row].is_nan()));
            assert_eq!(complete, Some(entry.warm_up(&params)), "{set}");
            for column in &outputs {
                let first = column.iter().position(|value| !value.is_nan()).unwrap();
                assert!(column[first..].iter().all(|value| value.is_finite()), "{set} has holes");
            }
        }
    }
}

/// Batch, one by one, through a saved state and after previews: the same bits.
fn check_all_ways(set: &str, candles: &[Candle]) {
    let expected = batch(set, &Columns::from_candles(candles));
    let set = StudySet::parse(set).unwrap();
    let mut state = set.new_state(Timeframe::M1).unwrap();
    let (mut row, mut preview) = (Vec::new(), Vec::new());
    for (t, candle) in candles.iter().enumerate() {
        if t % 7 == 3 {
            let bytes = postcard::to_stdvec(&state).unwrap();
            state = postcard::from_bytes(&bytes).unwrap();
            assert!(set.fits(&state));
        }
        let untouched = state.clone();
        set.preview(&state, &FormingCandle { so_far: *candle, as_of: candle.open_time }, &mut preview);
        assert_eq!(state, untouched, "{:?}: a preview leaves no trace", set.columns());
        set.push(&mut state, candle, &mut row);
        assert!(same_bits(&row, &preview), "{:?}: a preview is what comes", set.columns());
        let batch_row: Vec<f64> = expected.iter().map(|column| column[t]).collect();
        assert!(same_bits(&row, &batch_row), "{:?} row {t}: {row:?} {batch_row:?}", set.columns());
    }
    // Batch leaves the state where pushing does.
    let mut after_batch = set.new_state(Timeframe::M1).unwrap();
    set.batch(&mut after_batch, &Columns::from_candles(candles));
    assert_eq!(after_batch, state, "{:?}", set.columns());
}

#[test]
fn every_indicator_is_the_same_in_every_way_of_computing() {
    for set in variants() {
        check_all_ways(&set, &common::walk(5, ROWS));
    }
    check_all_ways(
        "ema(rsi(14),5), cross_above(ema(3),ema(9)), close[3]-close, on(\"5m\", atr(3)), bb(5,2).upper[2]",
        &common::walk(6, ROWS),
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn incremental_equals_batch_on_random_candles(seed in any::<u64>(), n in 1usize..400, index in 0usize..1000) {
        let variants = variants();
        check_all_ways(&variants[index % variants.len()], &common::walk(seed, n));
    }

    #[test]
    fn no_value_depends_on_later_candles(seed in any::<u64>(), cut in 1usize..300, index in 0usize..1000) {
        let variants = variants();
        let set = &variants[index % variants.len()];
        let mut candles = common::walk(seed, 300);
        let full = batch(set, &Columns::from_candles(&candles));
        candles.truncate(cut);
        let prefix = batch(set, &Columns::from_candles(&candles));
        for (full, prefix) in full.iter().zip(&prefix) {
            prop_assert!(same_bits(&full[..cut], prefix), "{}", set);
        }
    }
}

/// What an indicator computes by itself, without the language around it.
#[test]
fn the_trait_works_alone() {
    let spec = indicators::find("ema").unwrap();
    assert_eq!((spec.input, spec.spec.pane), (InputKind::Series, Pane::Overlay));
    let json = serde_json::to_value(spec).unwrap();
    assert_eq!(json["name"], "ema");
    assert_eq!(json["params"][0]["name"], "length");
    fn is_indicator<I: Indicator>() {}
    let _: fn() = is_indicator::<indicators::Ema>;
    let mut ema = indicators::Ema::new(&[3.0]);
    let values: Vec<f64> = [1.0, 2.0, 6.0, 5.0].into_iter().map(|value| ema.update(value)[0]).collect();
    assert!(values[0].is_nan() && values[1].is_nan());
    assert_eq!(values[2..], [3.0, 4.0]);
}

/// What is not marked as recursive is a function of the candles of its warm-up and this one.
#[test]
fn windows_forget() {
    let candles = common::market(3, ROWS);
    let later = 150;
    for entry in indicators::all().iter().filter(|entry| !entry.spec.recursive && !entry.spec.by_session) {
        let set = format!("{}()", entry.spec.name);
        let full = batch(&set, &Columns::from_candles(&candles));
        let part = batch(&set, &Columns::from_candles(&candles[later..]));
        for (full, part) in full.iter().zip(&part) {
            for (row, (full, part)) in full[later..].iter().zip(part).enumerate().skip(entry.warm_up(&entry.defaults()))
            {
                assert!((full - part).abs() <= 1e-8 * full.abs().max(1.0), "{set} row {row}: {full} {part}");
            }
        }
    }
}

#[test]
fn hostile_input_stays_finite() {
    for (name, columns) in common::hostile() {
        for set in variants() {
            for column in batch(&set, &columns) {
                if let Some(first) = column.iter().position(|value| !value.is_nan()) {
                    assert!(column[first..].iter().all(|value| value.is_finite()), "{set} on {name}");
                }
            }
        }
    }
}

/// Once a wild value has left the window, everything is as if it had never been there.
#[test]
fn a_spike_leaves_no_trace() {
    let (_, columns) = common::hostile().into_iter().find(|(name, _)| *name == "spike").unwrap();
    let after = 301;
    let tail = |column: &[f64]| column[after..].to_vec();
    let calm = Columns::try_new(
        columns.open_time()[after..].to_vec(),
        tail(columns.open()),
        tail(columns.high()),
        tail(columns.low()),
        tail(columns.close()),
        tail(columns.volume()),
    )
    .unwrap();
    let windowed =
        "sma(20),wma(20),stddev(20),bb(20,2),cci(20),mfi(14),stoch(14,3,3),wpr(14),donchian(20),highest,lowest,roc";
    for (with, without) in batch(windowed, &columns).iter().zip(batch(windowed, &calm)) {
        for (with, without) in with[after..].iter().zip(&without).skip(40) {
            assert!((with - without).abs() <= 1e-9 * without.abs().max(1.0), "{with} is not {without}");
        }
    }
}

/// VWAP by its words, session by session.
#[test]
fn vwap_restarts_with_the_utc_day() {
    let candles = common::walk(2, 4_000);
    let ours = batch("vwap(24), vwap(1)", &Columns::from_candles(&candles));
    for (hours, column) in [(24, &ours[0]), (1, &ours[1])] {
        let length = hours * 3_600;
        for t in [0, 500, 1_439, 1_440, 1_441, 2_900, 3_999] {
            let session = candles[t].open_time.as_secs().div_euclid(length);
            let rows = candles[..=t].iter().filter(|c| c.open_time.as_secs().div_euclid(length) == session);
            let rows: Vec<Ohlcv> = rows.map(Ohlcv::from).collect();
            let volume: f64 = rows.iter().map(|row| row.volume).sum();
            let value: f64 = rows.iter().map(|row| (row.high + row.low + row.close) / 3.0 * row.volume).sum();
            let expected = value / volume;
            assert!((column[t] - expected).abs() < 1e-9 * expected, "{hours} h, row {t}: {} {expected}", column[t]);
        }
    }
}
