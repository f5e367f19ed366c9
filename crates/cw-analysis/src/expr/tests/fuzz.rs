//! Random programs: none panics, none reads the future, none is larger than it may be.

use proptest::prelude::*;

use super::*;

/// Random text of the language's own words: most of it is wrong, some of it is right.
fn words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "close",
        "open",
        "high",
        "volume",
        "hl2",
        "ema",
        "rsi",
        "macd",
        "bb",
        "atr",
        "vwap",
        "highest",
        "pattern",
        "doji",
        "support",
        "resistance(2)",
        "regime",
        "regime.volatility",
        "\"up\"",
        "\"low\"",
        "trend_strength",
        "swing_low",
        "support_line",
        "chart_pattern",
        "double_top",
        "any",
        ".distance",
        ".target",
        "change",
        "on",
        "if",
        "(",
        ")",
        "(",
        ")",
        "[",
        "]",
        "[1]",
        ".upper",
        ".signal",
        ",",
        "+",
        "-",
        "*",
        "/",
        "<",
        ">",
        "==",
        "and",
        "or",
        "not",
        "1",
        "2",
        "14",
        "0.5",
        "-1",
        "\"1h\"",
        "\"5m\"",
        "'",
        "cross_above",
        "crosses",
        "min",
        "true",
        "entry",
        "é",
        "💥",
        "\n",
        "5000",
    ]);
    prop::collection::vec(word, 0..24).prop_map(|words| words.join(" "))
}

/// A valid expression of either type.
fn valid() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        prop::sample::select(vec![
            "close",
            "open",
            "high",
            "low",
            "volume",
            "hlc3",
            "1.5",
            "20",
            "macd",
            "atr(3)",
            "bb(4,2).upper",
            "pattern(doji)",
            "if(regime.volatility[1] != \"low\", regime, -1)",
        ])
        .prop_map(str::to_owned),
        any::<prop::sample::Index>().prop_map(structure),
    ];
    number.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone(), prop::sample::select(vec!["+", "-", "*", "/"]))
                .prop_map(|(a, b, op)| format!("({a} {op} {b})")),
            (inner.clone(), 0u32..6).prop_map(|(a, n)| format!("({a})[{n}]")),
            (
                inner.clone(),
                prop::sample::select(vec!["ema", "sma", "rsi", "highest", "stddev", "wma", "roc"]),
                2u32..9
            )
                .prop_map(|(a, name, n)| format!("{name}({a} + close, {n})")),
            (inner.clone(), inner.clone(), any::<prop::sample::Index>(), any::<prop::sample::Index>())
                .prop_map(|(a, b, entry, output)| any_indicator(&a, &b, entry, output)),
            (inner.clone(), prop::sample::select(vec!["5m", "3m", "1h"]))
                .prop_filter_map("no on inside on", |(a, tf)| {
                    (!a.contains("on(")).then(|| format!("on(\"{tf}\", {a})"))
                }),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("if({a} > {b}, {b}, {c})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("if(cross_above({a}, {b}) or not {a} < {b}, 1, 2)")),
        ]
    })
}

/// One of the outputs that read the market's structure.
fn structure(output: prop::sample::Index) -> String {
    use crate::indicators::market;
    let width = crate::indicators::numbered(crate::indicators::STRUCTURE).spec.outputs.len();
    market::wording(output.index(width))
}

/// One of the registered indicators with one of its outputs, on sources that may warm up or have no value.
fn any_indicator(a: &str, b: &str, entry: prop::sample::Index, output: prop::sample::Index) -> String {
    let entry = &crate::indicators::all()[entry.index(crate::indicators::all().len())];
    let sources = match entry.input {
        crate::InputKind::Candle => String::new(),
        crate::InputKind::Series => format!("{a} + close"),
        crate::InputKind::Pair => format!("{a} + close, {b} + open"),
    };
    match entry.spec.outputs[output.index(entry.spec.outputs.len())].name {
        "" => format!("{}({sources})", entry.spec.name),
        name => format!("{}({sources}).{name}", entry.spec.name),
    }
}

/// A random walk with swings in it. A minute is missing now and then.
fn walk(seed: u64, n: usize) -> Vec<Candle> {
    let mut state = seed | 1;
    let (mut close, mut drift) = (100.0f64, 0.0f64);
    (0..n)
        .map(|minute| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let part = |shift: u32| ((state >> shift) & 0xff) as f64 / 255.0 - 0.5;
            drift = 0.95 * drift + 0.3 * part(20);
            let open = close;
            close = (close + drift + 0.8 * part(30)).max(1.0);
            let price = |price: f64| Price::from_f64((price * 100.0).round() / 100.0).unwrap();
            Candle {
                open_time: Timestamp::from_secs((minute as i64 * 2 - (state % 2) as i64) * 60),
                open: price(open),
                high: price(open.max(close) + 0.4 * (part(40) + 0.5)),
                low: price((open.min(close) - 0.4 * (part(48) + 0.5)).max(0.5)),
                close: price(close),
                volume: Volume::from_raw(i128::from(state >> 50) * 1_000_000),
            }
        })
        .collect()
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in ".{0,200}", cursor in 0usize..300) {
        if let Err(error) = Expression::parse(&text) {
            error.render(&text);
            prop_assert!(error.start <= error.end && error.end <= text.len().max(error.start));
        }
        complete(&text, cursor);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let text = String::from_utf8_lossy(&bytes);
        if let Err(error) = Expression::parse(&text) {
            error.render(&text);
        }
        let params = BTreeMap::from([(text.chars().take(9).collect::<String>(), text.clone().into_owned())]);
        let _ = crate::Strategy::from_toml(&text, &params).is_ok();
        let rule = format!("name = \"x\"\n[entry]\nlong = '''{text}'''\n[exit]\nlong = \"close > 1\"\n[size]\nunits = 1");
        let _ = crate::Strategy::from_toml(&rule, &BTreeMap::new()).is_ok();
    }

    #[test]
    fn arbitrary_words_never_panic(text in words(), cursor in 0usize..200) {
        match Expression::parse(&text) {
            Ok(expression) => {
                let mut state = expression.new_state(Timeframe::M1).unwrap();
                prop_assert!(expression.program.base().graph.len() <= 4_096 + 256);
                prop_assert!(expression.text().len() <= 65_536);
                for candle in walk(7, 30) {
                    expression.update(&mut state, &candle);
                }
            }
            Err(error) => {
                prop_assert!(!error.message.is_empty());
                error.render(&text);
            }
        }
        complete(&text, cursor);
        // A study set reads the same words.
        let _ = crate::StudySet::parse(&text).is_ok();
    }

    /// No program reads the future: what a prefix gives is what the whole gives there, one by one and in columns.
    #[test]
    fn a_value_depends_on_the_past_only(text in valid(), seed in any::<u64>(), cut in 1usize..400) {
        let candles = walk(seed, 400);
        // Deep combinations can exceed a limit, or be a constant without a value.
        let Ok(expression) = Expression::parse(&text) else { return Ok(()) };
        let start = || expression.new_state(Timeframe::M1).unwrap();
        let columns = |candles: &[Candle]| expression.batch(&mut start(), &crate::Columns::from_candles(candles));
        let (full, prefix) = (columns(&candles), columns(&candles[..cut]));
        let mut state = start();
        for t in 0..cut {
            expression.update(&mut state, &candles[t]);
            let one = expression.program.output(&state.0, 0);
            prop_assert!(full[t].to_bits() == prefix[t].to_bits() || full[t].is_nan() && prefix[t].is_nan(), "{} at {}", text, t);
            prop_assert!(full[t].to_bits() == one.to_bits() || full[t].is_nan() && one.is_nan(), "{} at {}: {} {}", text, t, full[t], one);
        }
    }

    #[test]
    fn the_canonical_wording_means_the_same(text in valid()) {
        let Ok(expression) = Expression::parse(&text) else { return Ok(()) };
        let canonical = expression.text().to_owned();
        // Filled-in defaults may make it longer than a text may be.
        if canonical.len() <= MAX_TEXT {
            let again = Expression::parse(&canonical).map_err(|error| TestCaseError::fail(error.render(&canonical)))?;
            prop_assert_eq!(again.text(), canonical);
        }
    }
}
