//! Wilder's directional movement and what is made of it.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::atr::{true_range, true_ranges};
use super::{Marker, formulas};
use crate::filter::{Filter, Lag, ratio};
use crate::indicator::{Group, Indicator, Out, Output, Param, Rows, Spec, lengths, row_by_row};
use crate::ohlcv::{ColumnSlice, Ohlcv};
use crate::wide::wide;
use crate::window::{MovingSum, larger};

/// Wilder's sums of upward and downward movement and of the true range, seeded with the first `length` − 1 changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Movement {
    /// High, low and close of the candle before.
    previous: Option<[f64; 3]>,
    sums: [f64; 3],
    /// What is left of the sums after a candle: 1 − 1 / length.
    keep: f64,
    /// Changes still missing from the seed.
    missing: u32,
}

impl Movement {
    fn new(length: u32) -> Self {
        Self {
            previous: None,
            sums: [0.0; 3],
            keep: (f64::from(length) - 1.0) / f64::from(length),
            missing: length - 1,
        }
    }
    /// The sums of upward movement, downward movement and true range; whether they are past their seed, which is
    /// complete as soon as nothing is missing.
    #[inline]
    fn push(&mut self, candle: &Ohlcv) -> Option<bool> {
        let previous = self.previous.replace([candle.high, candle.low, candle.close])?;
        let changes = changes(candle, previous);
        if self.missing > 0 {
            self.missing -= 1;
            for (sum, change) in self.sums.iter_mut().zip(changes) {
                *sum += change;
            }
            return Some(false);
        }
        for (sum, change) in self.sums.iter_mut().zip(changes) {
            *sum = self.keep.mul_add(*sum, change);
        }
        Some(true)
    }
    /// Past the seed: the sums after each candle.
    fn run(&mut self, rows: &Rows<'_>, [plus, minus, range]: [&mut [f64]; 3]) {
        let previous = self.previous.unwrap_or([f64::NAN; 3]);
        all_changes(&rows.candles, previous, plus, minus, range);
        self.previous = rows.candles.last().map(|last| [last.high, last.low, last.close]).or(self.previous);
        add_up(&mut self.sums, self.keep, [plus, minus, range]);
    }
    /// +DI and −DI, 0 where nothing has moved.
    #[inline]
    fn indices(&self) -> [f64; 2] {
        indices(self.sums)
    }
}

#[inline]
fn indices([plus, minus, range]: [f64; 3]) -> [f64; 2] {
    if range > 0.0 { [100.0 * (plus / range), 100.0 * (minus / range)] } else { [0.0; 2] }
}

/// Upward movement, downward movement and true range.
#[inline]
fn changes(candle: &Ohlcv, [previous_high, previous_low, previous_close]: [f64; 3]) -> [f64; 3] {
    let [plus, minus] = directions(candle.high - previous_high, previous_low - candle.low);
    [plus, minus, true_range(candle, previous_close)]
}

#[inline]
fn directions(up: f64, down: f64) -> [f64; 2] {
    // Directions are a coin toss to the branch predictor: compute instead of deciding.
    [if up > down { larger(up, 0.0) } else { 0.0 }, if down > up { larger(down, 0.0) } else { 0.0 }]
}

wide! {
    fn all_changes(
        candles: &ColumnSlice<'_>,
        previous: [f64; 3],
        plus: &mut [f64],
        minus: &mut [f64],
        range: &mut [f64],
    ) {
        true_ranges(candles, previous[2], range);
        let (Some(first), [plus, pluses @ ..], [minus, minuses @ ..]) = (candles.first(), plus, minus) else { return };
        [*plus, *minus, _] = changes(&first, previous);
        let sides = candles.high.array_windows::<2>().zip(candles.low.array_windows::<2>());
        for ((plus, minus), (high, low)) in pluses.iter_mut().zip(minuses).zip(sides) {
            [*plus, *minus] = directions(high[1] - high[0], low[0] - low[1]);
        }
    }

    /// Three sums side by side.
    fn add_up(sums: &mut [f64; 3], keep: f64, columns: [&mut [f64]; 3]) {
        let [plus, minus, range] = columns;
        let [mut a, mut b, mut c] = *sums;
        for ((plus, minus), range) in plus.iter_mut().zip(minus).zip(range) {
            a = keep.mul_add(a, *plus);
            b = keep.mul_add(b, *minus);
            c = keep.mul_add(c, *range);
            (*plus, *minus, *range) = (a, b, c);
        }
        *sums = [a, b, c];
    }

    /// From sums to both indices, and from the range to the index of their difference; NaN where nothing moved.
    fn all_indices(plus: &mut [f64], minus: &mut [f64], range: &mut [f64]) {
        for ((plus, minus), range) in plus.iter_mut().zip(minus).zip(range) {
            let (up, down) = (100.0 * (*plus / *range), 100.0 * (*minus / *range));
            let moved = *range > 0.0;
            (*plus, *minus) = (if moved { up } else { 0.0 }, if moved { down } else { 0.0 });
            let total = *plus + *minus;
            let index = 100.0 * ((*plus - *minus).abs() / total);
            *range = if total >= 1e-14 { index } else { f64::NAN };
        }
    }

    fn average_known(value: &mut f64, keep: f64, column: &mut [f64]) {
        let (mut average, weight) = (*value, 1.0 - keep);
        for index in column {
            let next = keep.mul_add(average, weight * *index);
            average = if index.is_nan() { average } else { next };
            *index = average;
        }
        *value = average;
    }
}

/// |+DI − −DI| in percent of their sum; `None` where nothing moved in a direction.
#[inline]
fn index([plus, minus]: [f64; 2]) -> Option<f64> {
    let total = plus + minus;
    (total >= 1e-14).then(|| 100.0 * ((plus - minus).abs() / total))
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
    #[inline]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        let past_seed = self.movement.push(&candle);
        let known = past_seed == Some(true) || (F::FROM_SEED && past_seed.is_some() && self.movement.missing == 0);
        if !known {
            return [f64::NAN];
        }
        let [plus, minus, _] = self.movement.sums;
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
            #[inline]
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
        Self { movement: Movement::new(length), average: 0.0, length, missing: length }
    }
    fn warm_up(params: &[f64]) -> usize {
        2 * params[0] as usize - 1
    }
    #[inline]
    fn update(&mut self, candle: Ohlcv) -> [f64; 3] {
        if self.movement.push(&candle) != Some(true) {
            return [f64::NAN; 3];
        }
        let indices = self.movement.indices();
        let [plus, minus] = indices;
        let index = index(indices);
        if self.missing == 0 {
            // Where nothing moved there is no index, and the average stays.
            let keep = self.movement.keep;
            self.average = index.map_or(self.average, |index| keep.mul_add(self.average, (1.0 - keep) * index));
            return [self.average, plus, minus];
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
        let [average, plus, minus] = out.columns();
        self.movement.run(&rows, [&mut *plus, &mut *minus, &mut *average]);
        all_indices(plus, minus, average);
        average_known(&mut self.average, self.movement.keep, average);
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
    #[inline]
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
    #[inline]
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
