//! Averages whose weights have a shape.

use serde::{Deserialize, Serialize};

use crate::filter::{Filter, Mean, Weighted, ratio};
use crate::indicator::{Group, Indicator, Param, Spec, lengths};
use crate::window::{MovingSum, Ring, Values};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trima {
    inner: Mean,
    outer: Mean,
}

impl Indicator for Trima {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::overlay("trima", "Triangular moving average", Group::Overlap)
        .params(&[Param::period("length", 18, 1)])
        .doc("The mean of means: the middle of the newest `length` values weighs most.", "TA-Lib TRIMA");

    fn new(params: &[f64]) -> Self {
        let [length] = lengths(params);
        // Both together span `length` values: halves that differ by one where it is even.
        Self { inner: Mean::new(length.div_ceil(2)), outer: Mean::new(length / 2 + 1) }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        [self.outer.feed(self.inner.push(value))]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hma {
    full: Weighted,
    half: Weighted,
    smooth: Weighted,
}

/// The whole part of a length's square root.
fn root(length: u32) -> u32 {
    f64::from(length).sqrt() as u32
}

impl Indicator for Hma {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec =
        Spec::overlay("hma", "Hull moving average", Group::Overlap).params(&[Param::period("length", 9, 2)]).doc(
            "wma(2 × wma(value, length / 2) − wma(value, length), √length); both lengths are rounded down.",
            "TA-Lib HMA, TradingView ta.hma (Hull 2005)",
        );

    fn new(params: &[f64]) -> Self {
        let [length] = lengths(params);
        Self { full: Weighted::new(length), half: Weighted::new(length / 2), smooth: Weighted::new(root(length)) }
    }
    fn warm_up(params: &[f64]) -> usize {
        let [length] = lengths(params);
        (length - 1 + root(length) - 1) as usize
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        let (full, half) = (self.full.push(value), self.half.push(value));
        [self.smooth.feed(2.0 * half - full)]
    }
}

/// Weights of a window, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alma {
    ring: Ring,
    weights: Values,
}

impl Indicator for Alma {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::overlay("alma", "Arnaud Legoux moving average", Group::Overlap)
        .params(&[
            Param::period("length", 9, 1),
            Param::number("offset", 0.85, 0.0, 1.0),
            Param::number("sigma", 6.0, 0.1, 100.0),
            Param { name: "floor", default: 0.0, min: 0.0, max: 1.0, integer: true },
        ])
        .doc("The newest `length` values weighted by a bell curve whose top is at `offset` (0 the oldest, 1 the newest) and \
              whose width is length / `sigma`. With `floor` 1 the top is on a whole candle, as in TA-Lib.",
            "TradingView ta.alma, TA-Lib ALMA with floor (Legoux, Kouzis-Loukas 2009)");

    fn new(params: &[f64]) -> Self {
        let (length, mut center) = (params[0], params[1] * (params[0] - 1.0));
        if params[3] > 0.0 {
            center = center.floor();
        }
        let width = length / params[2];
        let raw = (0..length as u32).map(|at| {
            let distance = f64::from(at) - center;
            libm::exp(-(distance * distance) / (2.0 * width * width))
        });
        let raw: Vec<f64> = raw.collect();
        let total: f64 = raw.iter().sum();
        let weights = raw.iter().map(|weight| weight / total).collect();
        Self { ring: Ring::new(length as usize), weights: Values(weights) }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        self.ring.push(value);
        if !self.ring.is_full() {
            return [f64::NAN];
        }
        let (newer, older) = self.ring.split();
        let (old_weights, new_weights) = self.weights.0.split_at(older.len());
        [dot(older, old_weights) + dot(newer, new_weights)]
    }
}

fn dot(values: &[f64], weights: &[f64]) -> f64 {
    let (a, b) = (values.as_chunks::<4>(), weights.as_chunks::<4>());
    let mut lanes = [0.0; 4];
    for (values, weights) in a.0.iter().zip(b.0) {
        for ((lane, value), weight) in lanes.iter_mut().zip(values).zip(weights) {
            *lane += value * weight;
        }
    }
    let rest: f64 = a.1.iter().zip(b.1).map(|(value, weight)| value * weight).sum();
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + rest
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vwma {
    value: MovingSum,
    volume: MovingSum,
    plain: Mean,
}

impl Indicator for Vwma {
    type Input = [f64; 2];
    type Output = [f64; 1];
    const SPEC: Spec = Spec::overlay("vwma", "Volume-weighted moving average", Group::Overlap)
        .params(&[Param::period("length", 20, 1)])
        .doc(
            "Σ(a × b) / Σ b over `length` candles; the plain mean where all weights are 0.",
            "TA-Lib VWMA, TradingView ta.vwma",
        );

    fn new(params: &[f64]) -> Self {
        let [length] = lengths(params);
        Self {
            value: MovingSum::new(length as usize),
            volume: MovingSum::new(length as usize),
            plain: Mean::new(length),
        }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, [value, weight]: [f64; 2]) -> [f64; 1] {
        let mean = self.plain.push(value);
        match (self.value.push(value * weight), self.volume.push(weight)) {
            (Some(value), Some(weight)) => [ratio(value, weight, mean)],
            _ => [f64::NAN],
        }
    }
}

/// Weights 1 2 2 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Swma {
    newest: [f64; 3],
    seen: u32,
}

impl Indicator for Swma {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::overlay("swma", "Symmetrically weighted moving average", Group::Overlap)
        .doc("The newest four values weighted 1/6, 2/6, 2/6, 1/6.", "TradingView ta.swma");

    fn new(_: &[f64]) -> Self {
        Self { newest: [0.0; 3], seen: 0 }
    }
    fn warm_up(_: &[f64]) -> usize {
        3
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        let [first, second, third] = self.newest;
        self.newest = [second, third, value];
        if self.seen < 3 {
            self.seen += 1;
            return [f64::NAN];
        }
        [super::oscillators::symmetric([first, second, third, value])]
    }
}
