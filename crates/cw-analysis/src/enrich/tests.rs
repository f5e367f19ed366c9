use proptest::prelude::*;

use super::*;
use crate::testing::walk;

fn enricher() -> Enricher {
    Enricher::new("BTC-PERP.SIM".parse().unwrap(), Timeframe::H1, "SIM".to_owned())
}

/// Everything as text with every digit, so that NaN compares as well.
fn text(enriched: &EnrichedCandle) -> String {
    format!("{enriched:?}")
}

#[test]
fn a_series_at_once_ends_where_one_by_one_does() {
    for (len, step) in
        [(1, 40), (2, 40), (21, 40), (37, 4), (63, 40), (200, 1), (261, 3), (500, 40), (777, 0), (1_033, 5)]
    {
        let candles = walk(7 + len as u64, len, step);
        let now = Timestamp::from_secs(5);
        let mut one_by_one = enricher();
        for candle in &candles {
            one_by_one.push(candle, now);
        }
        let mut at_once = enricher().with_history(&candles, now);
        assert_eq!(text(at_once.latest().unwrap()), text(one_by_one.latest().unwrap()), "{len} candles");
        // And both go on the same way.
        for candle in walk(8, 40, step) {
            assert_eq!(text(at_once.push(&candle, now)), text(one_by_one.push(&candle, now)));
        }
    }
    assert!(enricher().with_history(&[], Timestamp::EPOCH).latest().is_none());
}

#[test]
fn features_and_indicators_are_those_of_their_own_modules() {
    let candles = walk(9, 420, 40);
    let mut enricher = enricher();
    let mut features = crate::features::FeatureState::new();
    let study = crate::StudySet::parse(&plan::listed().join(", ")).unwrap();
    assert_eq!(study.columns(), indicators());
    let (mut state, mut row) = (study.new_state(Timeframe::H1).unwrap(), Vec::new());
    for candle in &candles {
        let enriched = enricher.push(candle, Timestamp::EPOCH).clone();
        assert_eq!(enriched.features.map(|v| v.map(f64::to_bits)), features.push(candle).map(|v| v.map(f64::to_bits)));
        study.push(&mut state, candle, &mut row);
        for ((name, value), known) in study.columns().iter().zip(&row).zip(enriched.indicators.values()) {
            assert!(known.to_bits() == value.to_bits() || (known.is_nan() && value.is_nan()), "{name}");
        }
        assert_eq!(enriched.metadata.ready, enriched.features.is_some());
        assert_eq!(enriched.metadata.ready, enriched.metadata.candles >= WARM_UP as u64);
    }
    for entry in crate::indicators::all() {
        let here = indicators().iter().any(|name| name.split(['(', '.']).next() == Some(entry.spec.name));
        let needs_more = crate::StudySet::parse(entry.spec.name).is_err();
        assert!(here || needs_more, "{} is left out", entry.spec.name);
    }
}

#[test]
fn confidence_grows_with_history_and_knows_of_missing_volume() {
    let mut enricher = enricher();
    let mut last = 0.0;
    for candle in walk(11, 700, 40) {
        let confidence = enricher.push(&candle, Timestamp::EPOCH).confidence;
        assert!(confidence >= last && confidence <= 1.0);
        last = confidence;
    }
    assert_eq!(last, 1.0);
    let silent = Candle { volume: cw_core::Volume::ZERO, ..walk(12, 1, 40)[0] };
    for _ in 0..30 {
        enricher.push(&silent, Timestamp::EPOCH);
    }
    assert_eq!(enricher.latest().unwrap().confidence, 0.8);
    assert_eq!(enricher.latest().unwrap().context.volume.ratio, None);
}

#[test]
fn it_is_json_with_every_field_in_its_place() {
    let enricher = enricher().with_history(&walk(13, 300, 40), Timestamp::from_secs(1_700_000_000));
    let json = serde_json::to_value(enricher.latest().unwrap()).unwrap();
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["ohlcv", "indicators", "context", "features", "processed_at", "confidence", "metadata"]);
    assert_eq!(json["indicators"].as_object().unwrap().len(), indicators().len());
    assert_eq!(json["features"].as_object().unwrap().len(), N);
    assert!(json["context"]["trend"]["score"].is_number());
    assert!(json["context"]["patterns"].is_array());
    assert_eq!(json["metadata"]["schema_hash"].as_str().unwrap().len(), 64);
    assert_eq!(json["metadata"]["ready"], true);
    let cold = serde_json::to_value(self::enricher().push(&walk(14, 1, 40)[0], Timestamp::EPOCH)).unwrap();
    assert_eq!(cold["features"], serde_json::Value::Null);
    assert_eq!(cold["indicators"]["ema(200)"], serde_json::Value::Null);
    assert_eq!(cold["context"]["regime"]["confidence"], 0.0);
}

/// Candles that rise, or fall where `slope` is negative, with small steps back.
fn slope(slope: f64) -> Vec<Candle> {
    let mut close = 1_000.0;
    (0..400)
        .map(|at| {
            let open = close;
            close += slope * if at % 4 == 3 { -0.5 } else { 1.0 };
            let [open, high, low, close] = [open, open.max(close) + 0.2, open.min(close) - 0.2, close]
                .map(|price| cw_core::Price::from_f64(price).unwrap());
            let volume = cw_core::Volume::from_f64(10.0).unwrap();
            Candle { open_time: Timestamp::from_secs(60 * at), open, high, low, close, volume }
        })
        .collect()
}

#[test]
fn the_context_names_what_anybody_sees() {
    let last = |candles: &[Candle]| enricher().with_history(candles, Timestamp::EPOCH).latest().unwrap().context;
    let up = last(&slope(1.0));
    assert_eq!((up.trend.direction, up.regime.kind), (TrendDirection::Up, RegimeKind::TrendUp));
    assert!(up.trend.score == 1.0 && up.regime.confidence > 0.5 && up.price.change_20 > Some(0.0));
    let down = last(&slope(-1.0));
    assert_eq!((down.trend.direction, down.regime.kind), (TrendDirection::Down, RegimeKind::TrendDown));
    let still = last(&walk(1, 400, 0));
    assert_eq!((still.trend.direction, still.regime.kind), (TrendDirection::Flat, RegimeKind::Range));
    assert_eq!((still.price.streak, still.price.body, still.levels.support), (0, 0.0, None));
    let walked = last(&walk(21, 400, 40));
    for (level, above) in [(walked.levels.resistance, true), (walked.levels.support, false)] {
        let level = level.unwrap();
        assert!(level.touches > 0 && level.strength > 0.0 && level.strength <= 1.0 && level.age < 400);
        let close = walk(21, 400, 40)[399].close.to_f64();
        assert_eq!(level.price > close, above);
    }
    let mut streaks = Vec::new();
    let mut enricher = enricher();
    for candle in &slope(1.0)[..9] {
        streaks.push(enricher.push(candle, Timestamp::EPOCH).context.price.streak);
    }
    assert_eq!(streaks, [0, 1, 2, -1, 1, 2, 3, -1, 1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn what_comes_later_changes_nothing(seed in 1u64..1_000_000, cut in 1usize..400) {
        let candles = walk(seed, 420, 40);
        let mut one = enricher();
        let mut two = enricher();
        let mut known = String::new();
        for (at, candle) in candles.iter().enumerate() {
            let said = text(one.push(candle, Timestamp::EPOCH));
            if at == cut {
                known = said;
            }
        }
        for candle in &candles[..=cut] {
            two.push(candle, Timestamp::EPOCH);
        }
        prop_assert_eq!(text(two.latest().unwrap()), known);
    }
}
