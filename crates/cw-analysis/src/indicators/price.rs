//! Numbers that one candle gives by itself.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::{Marker, formulas};
use crate::filter::ratio;
use crate::indicator::{Group, Indicator, Spec};
use crate::ohlcv::Ohlcv;

pub trait PriceFormula: Marker {
    const SPEC: Spec;
    fn of(candle: &Ohlcv) -> f64;
}

formulas! { AvgPrice, MedPrice, TypPrice, WclPrice, Bop, Ibs, MarketFi }

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Price<F>(PhantomData<F>);

impl<F: PriceFormula> Indicator for Price<F> {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = F::SPEC;

    fn new(_: &[f64]) -> Self {
        Self(PhantomData)
    }
    fn warm_up(_: &[f64]) -> usize {
        0
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        [F::of(&candle)]
    }
}

impl PriceFormula for AvgPrice {
    const SPEC: Spec = Spec::overlay("avgprice", "Average price", Group::Overlap)
        .doc("(open + high + low + close) / 4.", "TA-Lib AVGPRICE");
    #[inline(always)]
    fn of(candle: &Ohlcv) -> f64 {
        (candle.open + candle.high + candle.low + candle.close) * 0.25
    }
}

impl PriceFormula for MedPrice {
    const SPEC: Spec = Spec::overlay("medprice", "Median price", Group::Overlap)
        .doc("(high + low) / 2 of the candle.", "TA-Lib MEDPRICE");
    #[inline(always)]
    fn of(candle: &Ohlcv) -> f64 {
        candle.median()
    }
}

impl PriceFormula for TypPrice {
    const SPEC: Spec = Spec::overlay("typprice", "Typical price", Group::Overlap)
        .doc("(high + low + close) / 3 of the candle.", "TA-Lib TYPPRICE");
    #[inline(always)]
    fn of(candle: &Ohlcv) -> f64 {
        candle.typical()
    }
}

impl PriceFormula for WclPrice {
    const SPEC: Spec = Spec::overlay("wclprice", "Weighted close", Group::Overlap)
        .doc("(high + low + 2 × close) / 4: the close counts twice.", "TA-Lib WCLPRICE");
    #[inline(always)]
    fn of(candle: &Ohlcv) -> f64 {
        (candle.high + candle.low + 2.0 * candle.close) * 0.25
    }
}

impl PriceFormula for Bop {
    const SPEC: Spec = Spec::new("bop", "Balance of power", Group::Momentum)
        .guides(&[0.0])
        .doc("(close − open) / (high − low); 0 where the candle has no range.", "TA-Lib BOP (Livshin)");
    #[inline(always)]
    fn of(candle: &Ohlcv) -> f64 {
        let range = candle.high - candle.low;
        // As in TA-Lib, a range below this is none.
        if range < 1e-14 { 0.0 } else { (candle.close - candle.open) / range }
    }
}

impl PriceFormula for Ibs {
    const SPEC: Spec = Spec::new("ibs", "Internal bar strength", Group::Momentum).doc(
        "(close − low) / (high − low): 0 at the low, 1 at the high, 0.5 where the candle has no range.",
        "TA-Lib IBS",
    );
    #[inline(always)]
    fn of(candle: &Ohlcv) -> f64 {
        ratio(candle.close - candle.low, candle.high - candle.low, 0.5)
    }
}

impl PriceFormula for MarketFi {
    const SPEC: Spec = Spec::new("marketfi", "Market facilitation index", Group::Volume).doc(
        "(high − low) / volume: how far one unit of volume moved the price; 0 without volume.",
        "TA-Lib MARKETFI (Williams)",
    );
    #[inline(always)]
    fn of(candle: &Ohlcv) -> f64 {
        ratio(candle.high - candle.low, candle.volume, 0.0)
    }
}
