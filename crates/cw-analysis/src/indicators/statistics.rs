//! Numbers that describe a window of values.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::{Marker, formulas};
use crate::filter::{Filter, Lag, Mean, ratio};
use crate::indicator::{Group, Indicator, Param, Spec, lengths};
use crate::window::{PairMoments, Ring, Sorted, sum_of};

/// A number made of the values of a window, in no order of time, and the newest of them.
pub trait WindowFormula: Marker {
    const SPEC: Spec;
    fn of(values: &[f64], inverse: f64) -> f64;
}

formulas! { AvgDev, Skew, Kurtosis }

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Windowed<F> {
    ring: Ring,
    inverse: f64,
    formula: PhantomData<F>,
}

impl<F: WindowFormula> Indicator for Windowed<F> {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = F::SPEC;

    fn new(params: &[f64]) -> Self {
        Self { ring: Ring::new(params[0] as usize), inverse: 1.0 / params[0], formula: PhantomData }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        self.ring.push(value);
        [if self.ring.is_full() { F::of(self.ring.values(), self.inverse) } else { f64::NAN }]
    }
}

impl WindowFormula for AvgDev {
    const SPEC: Spec = Spec::new("avgdev", "Average deviation", Group::Statistics)
        .params(&[Param::period("length", 14, 2)])
        .doc("The mean distance of the newest `length` values from their mean.", "TA-Lib AVGDEV");
    #[inline(always)]
    fn of(values: &[f64], inverse: f64) -> f64 {
        let mean = sum_of(values, |value| value) * inverse;
        sum_of(values, |value| (value - mean).abs()) * inverse
    }
}

/// The means of the square and of the given power of the distance from the mean; the square is 0 where it is only what
/// rounding left.
#[inline]
fn moments(values: &[f64], inverse: f64, power: impl Fn(f64) -> f64) -> (f64, f64) {
    let rough = sum_of(values, |value| value) * inverse;
    // Twice, because the first mean of huge or uneven values is itself rounded.
    let mean = rough + sum_of(values, |value| value - rough) * inverse;
    let square = sum_of(values, |value| (value - mean) * (value - mean)) * inverse;
    let noise = 1e-15 * mean;
    let square = if square <= noise * noise { 0.0 } else { square };
    (square, sum_of(values, |value| power(value - mean)) * inverse)
}

impl WindowFormula for Skew {
    const SPEC: Spec = Spec::new("skew", "Skewness", Group::Statistics)
        .params(&[Param::period("length", 30, 3)])
        .doc("The sample skewness of the newest `length` values, adjusted for its size: positive where the long tail is above. 0 \
              where nothing has moved.", "Fisher–Pearson G₁");
    #[inline(always)]
    fn of(values: &[f64], inverse: f64) -> f64 {
        let (square, cube) = moments(values, inverse, |distance| distance * distance * distance);
        let n = values.len() as f64;
        if square > 0.0 { cube / (square * square.sqrt()) * ((n * (n - 1.0)).sqrt() / (n - 2.0)) } else { 0.0 }
    }
}

impl WindowFormula for Kurtosis {
    const SPEC: Spec = Spec::new("kurtosis", "Excess kurtosis", Group::Statistics)
        .params(&[Param::period("length", 30, 4)])
        .doc("The sample excess kurtosis of the newest `length` values, adjusted for its size: positive where the tails are \
              heavier than the normal distribution's. 0 where nothing has moved.", "TA-Lib KURTOSIS (G₂)");
    #[inline(always)]
    fn of(values: &[f64], inverse: f64) -> f64 {
        let (square, fourth) = moments(values, inverse, |distance| (distance * distance) * (distance * distance));
        let n = values.len() as f64;
        if square <= 0.0 {
            return 0.0;
        }
        let excess = fourth / (square * square) - 3.0;
        (n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * excess + 6.0)
    }
}

/// A quantile of a window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Percentile {
    sorted: Sorted,
    share: f64,
}

impl Indicator for Percentile {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::overlay("percentile", "Percentile", Group::Statistics)
        .params(&[Param::period("length", 30, 1), Param::number("percent", 50.0, 0.0, 100.0)])
        .doc("The value that `percent` of the newest `length` values are below, by nearest rank: the smallest value that at least \
              that share of them does not exceed.", "TA-Lib PERCENTILE, TradingView ta.percentile_nearest_rank");

    fn new(params: &[f64]) -> Self {
        Self { sorted: Sorted::new(params[0] as usize), share: params[1] / 100.0 }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        let share = self.share;
        [self.sorted.push(value).map_or(f64::NAN, |values| {
            let rank = libm::ceil(share * values.len() as f64) as usize;
            values[rank.clamp(1, values.len()) - 1]
        })]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Median(Sorted);

impl Indicator for Median {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec =
        Spec::overlay("median", "Median", Group::Statistics).params(&[Param::period("length", 30, 1)]).doc(
            "The middle one of the newest `length` values in order of size, or the mean of the two in the middle.",
            "TA-Lib MEDIAN",
        );

    fn new(params: &[f64]) -> Self {
        Self(Sorted::new(params[0] as usize))
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        [self.0.push(value).map_or(f64::NAN, |values| {
            let (lower, upper) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
            lower + 0.5 * (upper - lower)
        })]
    }
}

/// The share in percent of the values of a window before this one that are smaller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PercentRank {
    ring: Ring,
    scale: f64,
}

impl PercentRank {
    pub(crate) fn new(length: u32) -> Self {
        Self { ring: Ring::new(length as usize), scale: 100.0 / f64::from(length) }
    }
}

impl Filter for PercentRank {
    #[inline(always)]
    fn push(&mut self, value: f64) -> f64 {
        let full = self.ring.is_full();
        let smaller = self.ring.values().iter().map(|known| u32::from(*known < value)).sum::<u32>();
        self.ring.push(value);
        if full { f64::from(smaller) * self.scale } else { f64::NAN }
    }
}

impl Indicator for PercentRank {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("percentrank", "Percent rank", Group::Statistics)
        .params(&[Param::period("length", 100, 1)])
        .doc("How many of the `length` values before this one are smaller, in percent (TradingView's also counts equal ones).",
            "TA-Lib PERCENTRANK");

    fn new(params: &[f64]) -> Self {
        Self::new(params[0] as u32)
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        [self.push(value)]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Correl(PairMoments);

impl Indicator for Correl {
    type Input = [f64; 2];
    type Output = [f64; 1];
    const SPEC: Spec =
        Spec::new("correl", "Correlation", Group::Statistics).params(&[Param::period("length", 30, 2)]).doc(
            "Pearson's correlation of the newest `length` pairs, −1 to 1; 0 where one of the two has not moved.",
            "TA-Lib CORREL (Pearson)",
        );

    fn new(params: &[f64]) -> Self {
        Self(PairMoments::new(params[0] as usize))
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, pair: [f64; 2]) -> [f64; 1] {
        [correlation(&mut self.0, pair)]
    }
}

#[inline]
fn correlation(pairs: &mut PairMoments, pair: [f64; 2]) -> f64 {
    pairs.push(pair).map_or(f64::NAN, |spread| {
        let [a, b] = spread.squares;
        let scale = (a * b).sqrt();
        if scale > 0.0 { (spread.product / scale).clamp(-1.0, 1.0) } else { 0.0 }
    })
}

/// The correlation with the passing of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cti {
    pairs: PairMoments,
    time: f64,
}

impl Indicator for Cti {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("cti", "Correlation trend indicator", Group::Momentum)
        .params(&[Param::period("length", 20, 2)])
        .doc("The correlation of the newest `length` values with a straight line: 1 rising, −1 falling, 0 without a trend.",
            "TA-Lib CTI (Ehlers 2020)");

    fn new(params: &[f64]) -> Self {
        Self { pairs: PairMoments::new(params[0] as usize), time: 0.0 }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        self.time += 1.0;
        [correlation(&mut self.pairs, [value, self.time])]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Beta {
    pairs: PairMoments,
    previous: Option<[f64; 2]>,
}

impl Indicator for Beta {
    type Input = [f64; 2];
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("beta", "Beta", Group::Statistics)
        .params(&[Param::period("length", 5, 2)])
        .doc("The slope of b's relative changes on a's over `length` of them: how much b moves when a moves by one. Name the \
              benchmark first: `beta(on(\"1h\", close), close)`. 0 where a has not moved.", "TA-Lib BETA");

    fn new(params: &[f64]) -> Self {
        Self { pairs: PairMoments::new(params[0] as usize), previous: None }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize
    }
    #[inline(always)]
    fn update(&mut self, pair: [f64; 2]) -> [f64; 1] {
        let Some(previous) = self.previous.replace(pair) else { return [f64::NAN] };
        let change = |side: usize| ratio(pair[side] - previous[side], previous[side], 0.0);
        [self
            .pairs
            .push([change(0), change(1)])
            .map_or(f64::NAN, |spread| ratio(spread.product, spread.squares[0], 0.0))]
    }
}

/// How the size of changes grows with the distance in time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hurst {
    lags: Vec<Lag>,
    squares: Vec<Mean>,
}

/// The distances: powers of two, so that their logarithms are 0, 1, 2, 3, 4.
const DISTANCES: [u32; 5] = [1, 2, 4, 8, 16];

impl Indicator for Hurst {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("hurst", "Hurst exponent", Group::Statistics).guides(&[0.5])
        .params(&[Param::period("length", 100, 20)])
        .doc("Half of the slope of log₂ of the mean square change over 1, 2, 4, 8 and 16 candles against log₂ of that distance; \
              the means are over `length` changes. 0.5 is a random walk, above it trends, below it reverts; 0.5 where nothing \
              has moved.", "Generalised Hurst exponent, q = 2 (Di Matteo 2007)");

    fn new(params: &[f64]) -> Self {
        let [length] = lengths(params);
        Self { lags: DISTANCES.map(Lag::new).to_vec(), squares: vec![Mean::new(length); DISTANCES.len()] }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize + 15
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        let (mut slope, mut known, mut moved) = (0.0, true, true);
        for (at, (lag, square)) in self.lags.iter_mut().zip(&mut self.squares).enumerate() {
            let change = value - lag.push(value);
            let mean = square.feed(change * change);
            known &= !mean.is_nan();
            moved &= mean > 0.0;
            if known && moved {
                slope += (at as f64 - 2.0) * libm::log2(mean);
            }
        }
        // Σ (x − 2)² over 0..=4 is 10.
        [if !known {
            f64::NAN
        } else if moved {
            0.5 * slope / 10.0
        } else {
            0.5
        }]
    }
}
