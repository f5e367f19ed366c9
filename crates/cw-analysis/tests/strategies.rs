//! Strategy files: the shipped ones behave as described, wrong ones are refused with key, line and place.

mod common;

use std::collections::BTreeMap;

use cw_analysis::{Signals, Size, Strategy, Value};
use cw_core::{Side, Timeframe};

fn params(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn shipped(name: &str, pairs: &[(&str, &str)]) -> Strategy {
    let source = Strategy::shipped().iter().find(|shipped| shipped.name == name).expect("it is shipped").source;
    Strategy::from_toml(source, &params(pairs)).expect("a shipped file compiles")
}

/// The contract's words as plain arithmetic: an EMA seeded with the mean of the first n closes.
fn ema(closes: &[f64], n: usize) -> Vec<Option<f64>> {
    let mut value = None;
    (0..closes.len())
        .map(|t| {
            value = match value {
                None if t + 1 == n => Some(closes[..n].iter().sum::<f64>() / n as f64),
                None => None,
                Some(ema) => Some(ema + (closes[t] - ema) * (2.0 / (n as f64 + 1.0))),
            };
            value
        })
        .collect()
}

#[test]
fn ema_cross_is_the_contract() {
    let candles = common::walk(7, 5_000);
    let closes: Vec<f64> = candles.iter().map(|candle| candle.close.to_f64()).collect();
    let (fast, slow) = (ema(&closes, 10), ema(&closes, 20));
    for short in [false, true] {
        let strategy = shipped("ema-cross", &[("short", &short.to_string())]);
        let mut state = strategy.new_state(Timeframe::M1).unwrap();
        let mut crosses = 0;
        for t in 0..candles.len() {
            let got = strategy.update(&mut state, &candles[t]);
            let mut expected = Signals::default();
            if t > 0
                && let (Some(f0), Some(s0), Some(f1), Some(s1)) = (fast[t - 1], slow[t - 1], fast[t], slow[t])
            {
                let (above, below) = (f0 <= s0 && f1 > s1, f0 >= s0 && f1 < s1);
                expected =
                    Signals { enter_long: above, exit_long: below, enter_short: short && below, exit_short: above };
                crosses += usize::from(above) + usize::from(below);
            }
            assert_eq!(got, expected, "candle {t}");
        }
        assert!(crosses > 100, "the walk must cross often, it did {crosses} times");
        assert_eq!(strategy.size(&state), Some(Size::Units(1.0)));
        assert_eq!(strategy.stop_price(&state, Side::Buy, 100.0), None);
    }
}

#[test]
fn every_shipped_strategy_trades_both_ways() {
    let candles = common::walk(3, 20_000);
    for shipped in Strategy::shipped() {
        let strategy = Strategy::from_toml(shipped.source, &BTreeMap::new()).unwrap();
        assert_eq!(strategy.name(), shipped.name);
        assert!(!strategy.title().is_empty() && !strategy.description().is_empty());
        let mut state = strategy.new_state(Timeframe::M1).unwrap();
        let (mut enters, mut exits) = (0, 0);
        for candle in &candles {
            let signals = strategy.update(&mut state, candle);
            enters += usize::from(signals.enter_long);
            exits += usize::from(signals.exit_long);
            assert!(!signals.enter_short, "{}: short is off by default", shipped.name);
        }
        assert!(enters > 10 && exits > 10, "{}: {enters} entries, {exits} exits", shipped.name);
    }
}

#[test]
fn stop_and_target_use_the_entry_price_and_the_newest_values() {
    let candles = common::walk(5, 300);
    let strategy = shipped("breakout", &[("stop_atr", "2"), ("target_atr", "6")]);
    let mut state = strategy.new_state(Timeframe::M1).unwrap();
    assert_eq!(strategy.stop_price(&state, Side::Buy, 100.0), None, "no value before the warm-up is over");
    for candle in &candles {
        strategy.update(&mut state, candle);
    }
    let trace = strategy.trace(&state);
    let atr = trace.iter().find(|line| line.expr == "atr(14)").unwrap();
    let Value::Number(atr) = atr.value else { panic!("{atr:?}") };
    assert_eq!(strategy.stop_price(&state, Side::Buy, 100.0), Some(100.0 - 2.0 * atr));
    assert_eq!(strategy.stop_price(&state, Side::Sell, 100.0), Some(100.0 + 2.0 * atr));
    assert_eq!(strategy.target_price(&state, Side::Buy, 100.0), Some(100.0 + 6.0 * atr));
    assert_eq!(strategy.stop_price(&state, Side::Buy, atr), None, "a stop below zero is none");
    assert_eq!(strategy.size(&state), Some(Size::RiskPercent(1.0)));
}

/// Levels, swings, patterns and the regime of two timeframes in one file; the trace shows those that are read.
#[test]
fn rules_read_the_structure_of_the_market() {
    let text = r#"
name = "structure"
[entry]
long = "(support.distance < 1.5 or pattern(engulfing) > 0 or chart_pattern(any) > 0) and on('5m', regime) != 'down'"
[exit]
long = "regime == 'down'"
[stop]
long = "min(entry - atr, swing_low)"
[size]
risk_percent = 1
"#;
    let strategy = Strategy::from_toml(text, &params(&[])).unwrap();
    let mut state = strategy.new_state(Timeframe::M1).unwrap();
    let mut entries = 0;
    for candle in &common::market(3, 2_000) {
        let signals = strategy.update(&mut state, candle);
        if signals.enter_long {
            entries += 1;
            let close = candle.close.to_f64();
            assert!(strategy.stop_price(&state, Side::Buy, close).is_none_or(|stop| stop < close));
        }
    }
    assert!(entries > 20, "{entries}");
    let names: Vec<String> = strategy.trace(&state).into_iter().map(|line| line.expr).collect();
    for read in ["support(1).distance", "chart_pattern(any)", "pattern(engulfing)", "regime", "on(\"5m\", regime)"] {
        assert!(names.iter().any(|name| name == read), "{read}: {names:?}");
    }
    assert!(names.len() < 24, "{names:?}");
}

#[test]
fn the_trace_names_what_the_rules_saw() {
    let strategy = shipped("ema-cross", &[("fast", "3"), ("slow", "5")]);
    let mut state = strategy.new_state(Timeframe::M1).unwrap();
    for candle in &common::walk(1, 5) {
        strategy.update(&mut state, candle);
    }
    let trace = strategy.trace(&state);
    let names: Vec<&str> = trace.iter().map(|line| line.expr.as_str()).collect();
    assert_eq!(
        names,
        [
            "close",
            "ema(close, 3)",
            "ema(close, 5)",
            "cross_above(ema(close, 3), ema(close, 5))",
            "cross_below(ema(close, 3), ema(close, 5))",
        ]
    );
    assert!(matches!(trace[2].value, Value::Number(_)));
    assert_eq!(trace[3].value, Value::Unknown, "there is no previous pair at the first common value");
}

#[test]
fn a_saved_state_goes_on_and_belongs_to_its_rules() {
    let candles = common::walk(9, 2_000);
    for shipped in Strategy::shipped() {
        let strategy = Strategy::from_toml(shipped.source, &BTreeMap::new()).unwrap();
        let mut state = strategy.new_state(Timeframe::M1).unwrap();
        for candle in &candles[..1_003] {
            strategy.update(&mut state, candle);
        }
        let bytes = postcard::to_stdvec(&state).unwrap();
        let mut restored: cw_analysis::StrategyState = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(restored, state);
        assert!(strategy.fits(&restored));
        for candle in &candles[1_003..] {
            assert_eq!(strategy.update(&mut restored, candle), strategy.update(&mut state, candle));
        }
        assert_eq!(restored, state);
    }
    let other = shipped("ema-cross", &[("fast", "11")]);
    let state = shipped("ema-cross", &[]).new_state(Timeframe::M1).unwrap();
    assert!(!other.fits(&state));
}

#[track_caller]
fn refused(toml: &str, given: &[(&str, &str)], expected: &str) {
    match Strategy::from_toml(toml, &params(given)) {
        Ok(_) => panic!("accepted"),
        Err(error) => assert_eq!(error.to_string(), expected),
    }
}

const GOOD: &str = "name = \"x\"\n[params]\nfast = { default = 10, min = 1, max = 50 }\non_ = true\n[entry]\nlong = \"close > ema(fast)\"\n[exit]\nlong = \"close < ema(fast)\"\n[size]\nunits = 1\n";

#[test]
fn faults_name_key_and_line() {
    assert!(Strategy::from_toml(GOOD, &params(&[])).is_ok());
    refused(GOOD, &[("fsat", "3")], "params.fsat: there is no parameter `fsat` (did you mean `fast`?)");
    refused(GOOD, &[("fast", "0")], "params.fast: must be at least 1, not 0");
    refused(GOOD, &[("fast", "ten")], "params.fast: must be a number, not \"ten\"");
    refused(GOOD, &[("fast", "NaN")], "params.fast: must be a number, not \"NaN\"");
    refused(GOOD, &[("on_", "1")], "params.on_: must be true or false, not \"1\"");
    refused(
        &GOOD.replace("ema(fast)\"\n[exit]", "emma(fast)\"\n[exit]"),
        &[],
        "line 6: entry.long: there is no function `emma` (did you mean `ema`?)",
    );
    refused(
        &GOOD.replace("[exit]", "[exitt]"),
        &[],
        "line 7: unknown field `exitt`, expected one of `name`, `title`, `description`, `params`, `entry`, `exit`, `stop`, `target`, `size`",
    );
    refused(
        &GOOD.replace("max = 50", "mx = 50"),
        &[],
        "line 3: params.fast: unknown key `mx`, expected default, min, max or description",
    );
    refused(
        &GOOD.replace("fast =", "close ="),
        &[],
        "line 3: params.close: this name means something else in expressions; choose another",
    );
    refused(&GOOD.replace("default = 10", "default = 100"), &[], "line 3: params.fast: must be at most 50, not 100");
    refused(
        &GOOD.replace("units = 1", "risk_percent = 1"),
        &[],
        "line 10: size.risk_percent: a size by risk needs a stop for each side that is entered",
    );
    refused(
        &GOOD.replace("units = 1", "units = \"close > 1\""),
        &[],
        "line 10: size.units: expected a number, found a condition",
    );
    refused(
        &GOOD.replace("long = \"close <", "short = \"close <"),
        &[],
        "line 6: entry.long: nothing ends a long position: give exit.long, stop.long or target.long",
    );
    refused(
        &GOOD.replace("close < ema", "entry < ema"),
        &[],
        "line 8: exit.long: `entry`, the entry price, is known to stop and target only",
    );
    refused(
        &format!("{GOOD}[stop]\nlong = \"ema(entry, 3)\"\n"),
        &[],
        "line 12: stop.long: the entry price has no history: it cannot go into an indicator or `[ ]`",
    );
}

#[test]
fn the_excerpt_points_into_the_file() {
    let bad = GOOD.replace("close < ema(fast)", "close < ema(fast, 3)");
    let error = Strategy::from_toml(&bad, &params(&[])).unwrap_err();
    assert_eq!((error.line, error.column), (8, 17));
    assert_eq!(
        error.excerpt,
        "long = \"close < ema(fast, 3)\"\n                ^^^^^^^^^^^^ `ema` cannot take 2 arguments like these\n                             write ema(source = close, length = 9)"
    );
}
