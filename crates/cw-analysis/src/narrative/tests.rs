use cw_core::{Candle, Timeframe, Timestamp};
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::enrich::Enricher;
use crate::testing::walk;

fn enrich(candles: &[Candle]) -> EnrichedCandle {
    let enricher = Enricher::new("SPX500-X.SIM".parse().unwrap(), Timeframe::M15, "SIM".to_owned());
    enricher.with_history(candles, Timestamp::EPOCH).latest().unwrap().clone()
}

/// The value at a path of the candle's JSON. Keys may hold dots of their own.
fn at<'a>(json: &'a Value, path: &str) -> Option<&'a Value> {
    match json {
        Value::Object(object) => object.iter().find_map(|(key, value)| {
            let rest = path.strip_prefix(key.as_str())?;
            if rest.is_empty() { Some(value) } else { at(value, rest.strip_prefix('.')?) }
        }),
        Value::Array(items) => {
            let (index, rest) = path.split_once('.').unwrap_or((path, ""));
            let item = items.get(index.parse::<usize>().ok()?)?;
            if rest.is_empty() { Some(item) } else { at(item, rest) }
        }
        _ => None,
    }
}

/// The number that a piece of text shows, as a fraction where it is percent, and half of its last digit.
fn read(printed: &str) -> Option<(f64, f64)> {
    let (digits, unit) = printed.strip_suffix(" %").map_or((printed, 1.0), |digits| (digits, 0.01));
    let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    Some((digits.parse::<f64>().ok()? * unit, 0.5 * unit / 10f64.powi(decimals as i32)))
}

/// Every number in the text is a field of the candle under its rounding, and every field is what the candle has.
#[track_caller]
fn check(sentence: &Sentence, json: &Value) {
    let mut rest = sentence.text.as_str();
    for field in &sentence.fields {
        let place = rest.find(&field.printed).unwrap_or_else(|| panic!("{field:?} is not in {:?}", sentence.text));
        assert!(!rest[..place].contains(|c: char| c.is_ascii_digit()), "a number from nowhere in {:?}", sentence.text);
        rest = &rest[place + field.printed.len()..];
        let constant = CONSTANTS.iter().find(|(path, _)| *path == field.path);
        let found = constant.map_or_else(|| at(json, &field.path).cloned(), |(_, value)| Some(Value::from(*value)));
        let found = found.unwrap_or_else(|| panic!("nothing at {}", field.path));
        match &field.value {
            FieldValue::Number(value) => {
                let known = found.as_f64().or_else(|| found.as_str().and_then(|text| text.parse().ok())).unwrap();
                assert!((known - value).abs() <= 1e-9 * known.abs().max(1.0), "{} is {known}, not {value}", field.path);
                if let Some((printed, tolerance)) = read(&field.printed) {
                    let off = (printed - value.abs()).abs();
                    assert!(off <= tolerance * 1.000_001, "{field:?}: {off}");
                }
            }
            FieldValue::Text(text) => {
                let near = |known: f64| text.parse().is_ok_and(|value: f64| (value - known).abs() <= 0.005_000_1);
                assert!(
                    found == text.as_str() || found.as_f64().is_some_and(near),
                    "{} is {found}, not {text}",
                    field.path
                );
            }
            FieldValue::Flag(flag) => assert_eq!(found, *flag, "{}", field.path),
        }
    }
    assert!(!rest.contains(|c: char| c.is_ascii_digit()), "a number from nowhere in {:?}", sentence.text);
}

fn check_all(candle: &EnrichedCandle, decimals: u8) -> Narrative {
    let narrative = describe(candle, decimals);
    let json = serde_json::to_value(candle).unwrap();
    for sentence in narrative.sentences.iter().chain([&narrative.technical_summary, &narrative.pattern_explanation]) {
        check(sentence, &json);
    }
    narrative
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]
    #[test]
    fn every_number_is_a_field_of_the_candle(
        seed in 1u64..1_000_000, len in 1usize..420, step in 0i64..200, decimals in 0u8..6,
    ) {
        let candle = enrich(&walk(seed, len, step));
        let narrative = check_all(&candle, decimals);
        prop_assert_eq!(&narrative, &describe(&candle, decimals), "the same candle has the same text");
        let sections: Vec<Section> = narrative.sentences.iter().map(|sentence| sentence.section).collect();
        prop_assert!(sections.is_sorted());
        if len >= 250 && step > 4 {
            for wanted in [Section::Trend, Section::Momentum, Section::Volatility, Section::Levels, Section::Change] {
                prop_assert!(sections.contains(&wanted), "{:?} is missing", wanted);
            }
        }
        let text = narrative.text();
        for promise in ["will ", "guarantee", "certain", "should buy", "should sell"] {
            prop_assert!(!text.contains(promise), "{}", text);
        }
    }
}

/// A mistake in any number is found: the test above would not pass by itself.
#[test]
fn a_wrong_number_is_noticed() {
    let candle = enrich(&walk(5, 400, 40));
    let json = serde_json::to_value(&candle).unwrap();
    let narrative = describe(&candle, 2);
    let wrong = |change: fn(&mut Sentence)| {
        let mut sentence = narrative.sentences.iter().find(|s| s.section == Section::Momentum).unwrap().clone();
        change(&mut sentence);
        std::panic::catch_unwind(|| check(&sentence, &json)).is_err()
    };
    assert!(!wrong(|_| {}));
    assert!(wrong(|s| s.text.push_str(" Target 70000.")));
    assert!(wrong(|s| s.fields[1].value = FieldValue::Number(1.0)));
    assert!(wrong(|s| {
        let printed = std::mem::replace(&mut s.fields[1].printed, "99.9".to_owned());
        s.text = s.text.replace(&printed, "99.9");
    }));
    assert!(wrong(|s| s.fields[0].path = "context.momentum.mood".to_owned()));
}

#[test]
fn text_and_markdown_hold_every_sentence() {
    let narrative = check_all(&enrich(&walk(7, 400, 40)), 2);
    let (text, markdown) = (narrative.text(), narrative.markdown());
    for sentence in &narrative.sentences {
        assert!(text.contains(&sentence.text));
        assert!(markdown.contains(&escaped(&sentence.text)));
    }
    assert!(markdown.starts_with("## SPX500-X.SIM, 15m: ") && markdown.contains("\n- **Momentum.** Momentum is "));
    assert!(text.ends_with("\nA description of closed candles, no advice and no forecast.\n"));
    assert!(narrative.keywords.starts_with(&["SPX500-X.SIM".to_owned(), "15m".to_owned()]));
    let unique: std::collections::BTreeSet<_> = narrative.keywords.iter().collect();
    assert_eq!(unique.len(), narrative.keywords.len());
}

#[test]
fn patterns_are_explained_in_their_own_words() {
    let candles = walk(1, 400, 40);
    let candle = (300..400)
        .map(|end| enrich(&candles[..end]))
        .find(|candle| candle.context.patterns.iter().count() > 1)
        .unwrap();
    let narrative = check_all(&candle, 2);
    let hit = candle.context.patterns.iter().next().unwrap();
    let doc = crate::candlestick::PATTERNS[crate::candlestick::find(hit.name).unwrap()].doc;
    assert!(narrative.pattern_explanation.text.contains(doc));
    assert!(narrative.keywords.iter().any(|word| word == hit.name));
    let still = check_all(&enrich(&walk(1, 3, 0)), 2);
    assert!(still.pattern_explanation.text.starts_with("The newest candles"), "{}", still.pattern_explanation.text);
}
