use cw_core::{Price, Volume};
use proptest::prelude::*;

use super::*;
use crate::testing::walk;

fn one_by_one(candles: &[Candle]) -> Vec<Vector> {
    let mut state = FeatureState::new();
    candles.iter().filter_map(|candle| state.push(candle)).collect()
}

fn bits(rows: &[Vector]) -> Vec<[u64; N]> {
    rows.iter().map(|row| row.map(f64::to_bits)).collect()
}

#[test]
fn the_table_is_in_order() {
    let table = features();
    for (place, feature) in table.iter().enumerate() {
        let is_expression = matches!(feature.definition, Definition::Expression(_));
        assert_eq!(is_expression, place < table::EXPRESSIONS, "{}", feature.name);
        assert_eq!(position(feature.name), Some(place), "a name is given twice");
        assert!(!feature.doc.is_empty());
    }
    assert_eq!(study().columns().len(), table::EXPRESSIONS);
    // A change of the vector is a new version: raise VERSION, then write its hash here.
    assert_eq!((VERSION, &schema_hash()[..16]), (1, "83b1102e606c9c38"));
}

#[test]
fn batch_and_one_by_one_give_the_same_bits() {
    for step in [0, 1, 40] {
        let candles = walk(3, 700, step);
        let rows = one_by_one(&candles);
        assert_eq!(rows.len(), 701 - WARM_UP);
        assert_eq!(bits(&rows), bits(&batch(&Columns::from_candles(&candles), Calendar::Continuous)));
        assert!(rows.iter().flatten().all(|value| value.is_finite()));
    }
}

#[test]
fn the_warm_up_is_no_longer_than_it_must_be() {
    let candles = walk(5, WARM_UP, 40);
    let mut state = FeatureState::new();
    let mut complete = Vec::new();
    for candle in &candles {
        state.push(candle);
        complete.push(state.row.iter().all(|value| value.is_finite()));
    }
    assert_eq!(complete.iter().position(|complete| *complete), Some(WARM_UP - 1));
}

#[test]
fn bounded_features_keep_their_bounds() {
    for row in one_by_one(&walk(7, 3_000, 40)) {
        for (value, feature) in row.iter().zip(features()) {
            let (low, high) = feature.unit.bounds().unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
            assert!((low - 1e-9..=high + 1e-9).contains(value), "{} = {value}", feature.name);
        }
    }
}

#[test]
fn the_scale_of_prices_does_not_matter() {
    let candles = walk(9, 600, 40);
    let larger: Vec<Candle> = candles
        .iter()
        .map(|candle| {
            let [open, high, low, close] =
                [candle.open, candle.high, candle.low, candle.close].map(|price| Price::from_raw(price.raw() * 64));
            Candle { open, high, low, close, volume: Volume::from_raw(candle.volume.raw() * 8), ..*candle }
        })
        .collect();
    for (a, b) in one_by_one(&candles).iter().zip(&one_by_one(&larger)) {
        for ((a, b), feature) in a.iter().zip(b).zip(features()) {
            assert!((a - b).abs() < 1e-6 * a.abs().max(1.0), "{}: {a} and {b}", feature.name);
        }
    }
}

#[test]
fn a_state_goes_on_where_it_was_saved() {
    let candles = walk(11, 400, 40);
    let mut state = FeatureState::new();
    for candle in &candles[..300] {
        state.push(candle);
    }
    let saved = postcard::to_stdvec(&state).unwrap();
    let mut restored: FeatureState = postcard::from_bytes(&saved).unwrap();
    for candle in &candles[300..] {
        assert_eq!(restored.push(candle), state.push(candle));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn what_comes_later_changes_nothing(seed in 1u64..1_000_000, cut in WARM_UP..500usize) {
        let candles = walk(seed, 520, 40);
        let mut other = candles.clone();
        other[cut..].copy_from_slice(&walk(seed + 1, 520, 90)[cut..]);
        let known = cut + 1 - WARM_UP;
        let (all, other) = (one_by_one(&candles), one_by_one(&other));
        prop_assert_eq!(bits(&all[..known]), bits(&other[..known]));
        // And so does its scaling.
        let mut walks = [WalkForward::new(Bounds::default(), None, 20), WalkForward::new(Bounds::default(), None, 20)];
        for (a, b) in all[..known].iter().zip(&other[..known]) {
            let [one, two] = &mut walks;
            prop_assert_eq!(one.push(a), two.push(b));
        }
    }
}

#[test]
fn a_scaler_knows_the_past_alone() {
    let rows = one_by_one(&walk(13, 1_200, 40));
    let mut expanding = WalkForward::new(Bounds::Extremes, None, 50);
    let mut rolling = WalkForward::new(Bounds::Extremes, Some(100), 50);
    for (at, row) in rows.iter().enumerate() {
        let fitted = at / 50 * 50;
        for (walk, from) in [(&mut expanding, 0), (&mut rolling, fitted.saturating_sub(100))] {
            let scaled = walk.push(row).unwrap();
            assert_eq!(scaled.is_some(), fitted > 0);
            let Some(scaled) = scaled.filter(|_| at % 7 == 0) else { continue };
            let by_hand = Scaler::fit(&rows[from..fitted], Bounds::Extremes).unwrap();
            assert_eq!(walk.scaler(), Some(&by_hand), "row {at}");
            assert_eq!(scaled, by_hand.scale(row));
            assert!(scaled.iter().all(|value| (0.0..=1.0).contains(value)));
        }
    }
}

#[test]
fn a_scaler_is_stored_with_its_hash() {
    let rows = one_by_one(&walk(15, 400, 40));
    let scaler = Scaler::fit(&rows, Bounds::default()).unwrap();
    scaler.check().unwrap();
    let text = serde_json::to_string(&scaler).unwrap();
    let mut read: Scaler = serde_json::from_str(&text).unwrap();
    assert_eq!(read, scaler);
    read.low[3] *= 1.01;
    assert_eq!(read.check(), Err(ScalerError::Hash));
    read.schema_hash = "other".into();
    assert!(matches!(read.check(), Err(ScalerError::Schema { .. })));
    assert_eq!(Scaler::fit(&rows[..1], Bounds::default()), Err(FitError::TooFewRows));
    assert_eq!(Scaler::fit(&rows, Bounds::Quantiles { low: 0.9, high: 0.1 }), Err(FitError::Quantiles));
    let mut wild = rows.clone();
    wild[7][2] = f64::INFINITY;
    assert_eq!(Scaler::fit(&wild, Bounds::default()), Err(FitError::NotFinite(7)));
}
