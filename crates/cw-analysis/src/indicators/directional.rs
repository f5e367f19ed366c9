//! Wilder's directional movement and what is made of it.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::atr::{true_range, widest};
use super::{Marker, formulas};
use crate::filter::{Filter, Lag, Smoothing, ratio, smooth_three};
use crate::indicator::{Group, Indicator, Out, Output, Param, Rows, Spec, lengths, row_by_row};
use crate::ohlcv::{ColumnSlice, Ohlcv};
use crate::wide::wide;
use crate::window::{MovingSum, larger};

/// Wilder's sums of upward and downward movement and of the true range, seeded with the first `length` − 1 changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Movement {
    /// High, low and close of the candle before.
    previous: Option<[f64; 3]>,
    sums: [Smoothing; 3],
}

impl Movement {
    fn new(length: u32) -> Self {
        let sum = Smoothing::wilder_sum(length);
        Self { previous: None, sums: [sum.clone(), sum.clone(), sum] }
    }
    #[inline(always)]
    fn is_seeded(&self) -> bool {
        self.sums[0].is_seeded()
    }
    /// The sums of upward movement, downward movement and true range; whether they are past their seed, which is
    /// complete as soon as nothing is missing.
    #[inline(always)]
    fn push(&mut self, candle: &Ohlcv) -> Option<bool> {
        let previous = self.previous.replace([candle.high, candle.low, candle.close])?;
        let past_seed = self.is_seeded();
        for (sum, change) in self.sums.iter_mut().zip(changes(candle, previous)) {
            sum.push(change);
        }
        Some(past_seed)
    }
    /// +DI and −DI, 0 where nothing has moved.
    #[inline(always)]
    fn indices(&self) -> [f64; 2] {
        let [plus, minus, range] = &self.sums;
        indices([plus.value(), minus.value(), range.value()])
    }
}

#[inline(always)]
fn indices([plus, minus, range]: [f64; 3]) -> [f64; 2] {
    // One division for both. Of less than this, a part of a percent would be more than a float holds.
    let scale = 100.0 / range;
    if range > 1e-300 { [plus * scale, minus * scale] } else { [0.0; 2] }
}

/// Upward movement, downward movement and true range.
#[inline(always)]
fn changes(candle: &Ohlcv, [previous_high, previous_low, previous_close]: [f64; 3]) -> [f64; 3] {
    let [plus, minus] = directions(candle.high - previous_high, previous_low - candle.low);
    [plus, minus, true_range(candle, previous_close)]
}

#[inline(always)]
fn directions(up: f64, down: f64) -> [f64; 2] {
    // Directions are a coin toss to the branch predictor: compute instead of deciding.
    [if up > down { larger(up, 0.0) } else { 0.0 }, if down > up { larger(down, 0.0) } else { 0.0 }]
}

wide! {
    /// All that comes after the seeds. Each column holds what the last step has made of it.
    fn all(adx: &mut Adx, candles: &ColumnSlice<'_>, columns: [&mut [f64]; 3]) {
        let [average, plus, minus] = columns;
        all_changes(candles, adx.movement.previous.unwrap_or([f64::NAN; 3]), [&mut *plus, &mut *minus, &mut *average]);
        adx.movement.previous = candles.last().map(|last| [last.high, last.low, last.close]).or(adx.movement.previous);
        smooth_three(&mut adx.movement.sums, [&mut *plus, &mut *minus, &mut *average]);
        let mut known = true;
        for ((plus, minus), range) in plus.iter_mut().zip(minus).zip(&mut *average) {
            [*plus, *minus] = indices([*plus, *minus, *range]);
            let total = *plus + *minus;
            *range = 100.0 * ((*plus - *minus).abs() / total);
            known &= total >= NOTHING;
        }
        let mut own = adx.clone();
        for index in average {
            *index = if known || index.is_finite() { own.step(*index) } else { own.average };
        }
        *adx = own;
    }
}

/// Upward movement, downward movement and true range of each candle, given high, low and close of the one before.
#[inline(always)]
fn all_changes(candles: &ColumnSlice<'_>, previous: [f64; 3], columns: [&mut [f64]; 3]) {
    let [plus, minus, range] = columns;
    let Some(first) = candles.first() else { return };
    [plus[0], minus[0], range[0]] = changes(&first, previous);
    let before = candles.high.iter().zip(candles.low).zip(candles.close);
    let now = candles.high[1..].iter().zip(&candles.low[1..]);
    let columns = plus[1..].iter_mut().zip(&mut minus[1..]).zip(&mut range[1..]);
    for ((((plus, minus), range), (high, low)), ((last_high, last_low), last_close)) in columns.zip(now).zip(before) {
        [*plus, *minus] = directions(high - last_high, last_low - low);
        *range = widest(*high, *low, *last_close);
    }
}

/// Directional movement below this is none.
const NOTHING: f64 = 1e-14;

/// |+DI − −DI| in percent of their sum; `None` where nothing moved in a direction.
#[inline(always)]
fn index([plus, minus]: [f64; 2]) -> Option<f64> {
    let total = plus + minus;
    (total >= NOTHING).then(|| 100.0 * ((plus - minus).abs() / total))
}

/// One number made of the movement.
pub trait MovementFormula: Marker {
    const SPEC: Spec;
    /// Known once the seed is complete, one candle before the others.
    const FROM_SEED: bool;
    fn of(movement: Sums, before: f64) -> f64;
}

/// The sums of [`Movement`] and the indices made of them.
#[derive(Debug, Clone, Copy)]
pub struct Sums {
    plus: f64,
    minus: f64,
    indices: [f64; 2],
}

formulas! { PlusDm, MinusDm, PlusDi, MinusDi, Dx }

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Directional<F> {
    movement: Movement,
    value: f64,
    formula: PhantomData<F>,
}

const LENGTH: &[Param] = &[Param::period("length", 14, 2)];

impl<F: MovementFormula> Indicator for Directional<F> {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = F::SPEC;

    fn new(params: &[f64]) -> Self {
        Self { movement: Movement::new(params[0] as u32), value: 0.0, formula: PhantomData }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - usize::from(F::FROM_SEED)
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        let past_seed = self.movement.push(&candle);
        let known = past_seed == Some(true) || (F::FROM_SEED && past_seed.is_some() && self.movement.is_seeded());
        if !known {
            return [f64::NAN];
        }
        let [plus, minus, _] = &self.movement.sums;
        let (plus, minus) = (plus.value(), minus.value());
        self.value = F::of(Sums { plus, minus, indices: self.movement.indices() }, self.value);
        [self.value]
    }
}

macro_rules! directional {
    ($($formula:ident, $name:literal, $title:literal, $from_seed:literal, $doc:literal, $source:literal, $of:expr;)+) => {$(
        impl MovementFormula for $formula {
            const SPEC: Spec =
                Spec::new($name, $title, Group::Momentum).params(LENGTH).recursive().doc($doc, $source);
            const FROM_SEED: bool = $from_seed;
            #[inline(always)]
            fn of(sums: Sums, before: f64) -> f64 {
                ($of)(sums, before)
            }
        }
    )+};
}

directional! {
    PlusDm, "plus_dm", "Plus directional movement", true,
        "Wilder's sum over `length` of upward movement: the rise of the high where it is more than the fall of the low. Seeded \
         with the first `length` − 1 changes.", "TA-Lib PLUS_DM (Wilder 1978)", |sums: Sums, _| sums.plus;
    MinusDm, "minus_dm", "Minus directional movement", true,
        "Wilder's sum over `length` of downward movement: the fall of the low where it is more than the rise of the high. \
         Seeded with the first `length` − 1 changes.", "TA-Lib MINUS_DM (Wilder 1978)", |sums: Sums, _| sums.minus;
    PlusDi, "plus_di", "Plus directional indicator", false,
        "plus_dm in percent of Wilder's sum of the true range; 0 where nothing has moved.",
        "TA-Lib PLUS_DI (Wilder 1978)", |sums: Sums, _| sums.indices[0];
    MinusDi, "minus_di", "Minus directional indicator", false,
        "minus_dm in percent of Wilder's sum of the true range; 0 where nothing has moved.",
        "TA-Lib MINUS_DI (Wilder 1978)", |sums: Sums, _| sums.indices[1];
    Dx, "dx", "Directional movement index", false,
        "|+DI − −DI| in percent of their sum; where nothing has moved in a direction it stays, at 0 in the beginning.",
        "TA-Lib DX (Wilder 1978)", |sums: Sums, before| index(sums.indices).unwrap_or(before);
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adx {
    movement: Movement,
    average: f64,
    keep: f64,
    length: u32,
    /// Indices still missing from the average's seed.
    missing: u32,
}

impl Indicator for Adx {
    type Input = Ohlcv;
    type Output = [f64; 3];
    const SPEC: Spec = Spec::new("adx", "Average directional index", Group::Momentum).guides(&[25.0])
        .params(LENGTH)
        .outputs(&[Output::new("", "ADX"), Output::new("plus_di", "+DI"), Output::new("minus_di", "−DI")])
        .recursive()
        .doc("+DI and −DI are the Wilder sums of upward and downward movement in percent of that of the true range; ADX is \
              Wilder's average of |+DI − −DI| / (+DI + −DI) × 100, seeded with the mean of the first `length` of them. The \
              sums are seeded with the first `length` − 1 changes.", "TA-Lib ADX, PLUS_DI, MINUS_DI (Wilder 1978)");

    fn new(params: &[f64]) -> Self {
        let [length] = lengths(params);
        let keep = (params[0] - 1.0) / params[0];
        Self { movement: Movement::new(length), average: 0.0, keep, length, missing: length }
    }
    fn warm_up(params: &[f64]) -> usize {
        2 * params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 3] {
        if self.movement.push(&candle) != Some(true) {
            return [f64::NAN; 3];
        }
        let indices = self.movement.indices();
        let [plus, minus] = indices;
        let index = index(indices);
        if self.missing == 0 {
            // Where nothing moved there is no index, and the average stays.
            let average = index.map_or(self.average, |index| self.step(index));
            return [average, plus, minus];
        }
        self.missing -= 1;
        self.average += index.unwrap_or(0.0);
        if self.missing > 0 {
            return [f64::NAN, plus, minus];
        }
        self.average /= f64::from(self.length);
        [self.average, plus, minus]
    }
    fn batch(&mut self, rows: Rows<'_>, out: Out<'_>) {
        if self.missing > 0 {
            return row_by_row(self, rows, out);
        }
        all(self, &rows.candles, out.columns());
    }
}

impl Adx {
    #[inline(always)]
    fn step(&mut self, index: f64) -> f64 {
        self.average = self.keep.mul_add(self.average, (1.0 - self.keep) * index);
        self.average
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Adxr {
    adx: Adx,
    lag: Lag,
}

impl Indicator for Adxr {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("adxr", "Average directional index rating", Group::Momentum)
        .guides(&[25.0])
        .params(LENGTH)
        .recursive()
        .doc("The mean of the ADX and what it was `length` − 1 candles ago.", "TA-Lib ADXR (Wilder 1978)");

    fn new(params: &[f64]) -> Self {
        Self { adx: Adx::new(params), lag: Lag::new(params[0] as u32 - 1) }
    }
    fn warm_up(params: &[f64]) -> usize {
        3 * params[0] as usize - 2
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        let [adx, ..] = self.adx.update(candle);
        [0.5 * (adx + self.lag.push(adx))]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vortex {
    up: MovingSum,
    down: MovingSum,
    range: MovingSum,
    previous: Option<[f64; 3]>,
}

impl Indicator for Vortex {
    type Input = Ohlcv;
    type Output = [f64; 2];
    const SPEC: Spec = Spec::new("vortex", "Vortex", Group::Momentum)
        .params(LENGTH)
        .outputs(&[Output::new("plus", "VI+"), Output::new("minus", "VI−")])
        .doc("Σ |high − last low| and Σ |low − last high| over `length` candles, divided by Σ true range; 0 where nothing has \
              moved.", "TA-Lib VORTEX (Botes, Siepman 2010)");

    fn new(params: &[f64]) -> Self {
        let sum = MovingSum::new(params[0] as usize);
        Self { up: sum.clone(), down: sum.clone(), range: sum, previous: None }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 2] {
        let Some([high, low, close]) = self.previous.replace([candle.high, candle.low, candle.close]) else {
            return [f64::NAN; 2];
        };
        let up = self.up.push((candle.high - low).abs());
        let down = self.down.push((candle.low - high).abs());
        match (up, down, self.range.push(true_range(&candle, close))) {
            (Some(up), Some(down), Some(range)) => [ratio(up, range, 0.0), ratio(down, range, 0.0)],
            _ => [f64::NAN; 2],
        }
    }
}
