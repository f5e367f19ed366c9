//! What a window's mean and deviation give.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::{Marker, formulas};
use crate::filter::ratio;
use crate::indicator::{CHUNK, Group, Indicator, Out, Output, Param, Rows, Spec, row_by_row};
use crate::wide::wide;
use crate::window::Moments;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bb {
    moments: Moments,
    deviations: f64,
}

const BAND_PARAMS: &[Param] = &[Param::period("length", 20, 2), Param::number("deviations", 2.0, 0.001, 50.0)];

impl Indicator for Bb {
    type Input = f64;
    type Output = [f64; 3];
    const SPEC: Spec = Spec::overlay("bb", "Bollinger bands", Group::Overlap)
        .params(BAND_PARAMS)
        .outputs(&[
            Output::new("upper", "Upper band"),
            Output::new("middle", "Middle"),
            Output::new("lower", "Lower band"),
        ])
        .doc("The mean of the newest `length` values, and as many standard deviations above and below it. The deviation is \
              that of the population (divided by the length).", "TA-Lib BBANDS (Bollinger)");

    fn new(params: &[f64]) -> Self {
        Self { moments: Moments::new(params[0] as usize), deviations: params[1] }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 3] {
        let Some((mean, variance)) = self.moments.push(value) else { return [f64::NAN; 3] };
        let distance = variance.sqrt() * self.deviations;
        [mean + distance, mean, mean - distance]
    }
    fn batch(&mut self, rows: Rows<'_>, out: Out<'_>) {
        let Some(series) = rows.series() else { return row_by_row(self, rows, out) };
        let [upper, middle, lower] = out.columns();
        self.moments.run(series, middle, lower);
        bands(upper, middle, lower, self.deviations);
    }
}

wide! {
    /// From mean and variance, which is where the lower band will be.
    fn bands(upper: &mut [f64], middle: &[f64], lower: &mut [f64], deviations: f64) {
        for ((upper, mean), lower) in upper.iter_mut().zip(middle).zip(lower) {
            let distance = lower.sqrt() * deviations;
            (*upper, *lower) = (*mean + distance, *mean - distance);
        }
    }
}

/// A number made of value, mean and variance of a window.
pub trait DispersionFormula: Marker {
    const SPEC: Spec;
    fn of(value: f64, mean: f64, variance: f64, deviations: f64) -> f64;
}

formulas! { Stddev, Var, Zscore, PercentB, BbWidth }

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dispersion<F> {
    moments: Moments,
    deviations: f64,
    formula: PhantomData<F>,
}

impl<F: DispersionFormula> Indicator for Dispersion<F> {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = F::SPEC;

    fn new(params: &[f64]) -> Self {
        let deviations = params.get(1).copied().unwrap_or(1.0);
        Self { moments: Moments::new(params[0] as usize), deviations, formula: PhantomData }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        [self.moments.push(value).map_or(f64::NAN, |(mean, variance)| F::of(value, mean, variance, self.deviations))]
    }
    fn batch(&mut self, rows: Rows<'_>, out: Out<'_>) {
        let Some(series) = rows.series() else { return row_by_row(self, rows, out) };
        let ([means], mut variances) = (out.columns(), [0.0; CHUNK]);
        self.moments.run(series, means, &mut variances[..series.len()]);
        for ((mean, variance), value) in means.iter_mut().zip(variances).zip(series) {
            *mean = if mean.is_nan() { f64::NAN } else { F::of(*value, *mean, variance, self.deviations) };
        }
    }
}

const LENGTH: &[Param] = &[Param::period("length", 20, 2)];

impl DispersionFormula for Stddev {
    const SPEC: Spec = Spec::new("stddev", "Standard deviation", Group::Statistics).params(LENGTH).doc(
        "The standard deviation of the newest `length` values as a population (divided by the length).",
        "TA-Lib STDDEV",
    );
    #[inline(always)]
    fn of(_: f64, _: f64, variance: f64, _: f64) -> f64 {
        variance.sqrt()
    }
}

impl DispersionFormula for Var {
    const SPEC: Spec = Spec::new("var", "Variance", Group::Statistics)
        .params(LENGTH)
        .doc("The variance of the newest `length` values as a population (divided by the length).", "TA-Lib VAR");
    #[inline(always)]
    fn of(_: f64, _: f64, variance: f64, _: f64) -> f64 {
        variance
    }
}

impl DispersionFormula for Zscore {
    const SPEC: Spec = Spec::new("zscore", "Z-score", Group::Statistics).guides(&[-2.0, 2.0]).params(LENGTH).doc(
        "(value − mean) / standard deviation of the newest `length` values as a population; 0 where nothing has moved.",
        "The standard score",
    );
    #[inline(always)]
    fn of(value: f64, mean: f64, variance: f64, _: f64) -> f64 {
        ratio(value - mean, variance.sqrt(), 0.0)
    }
}

impl DispersionFormula for PercentB {
    const SPEC: Spec =
        Spec::new("percent_b", "Bollinger %B", Group::Volatility).guides(&[0.0, 1.0]).params(BAND_PARAMS).doc(
            "Where the value lies between the Bollinger bands: 0 at the lower, 1 at the upper; 0.5 where they are one.",
            "TA-Lib PERCENTB (Bollinger)",
        );
    #[inline(always)]
    fn of(value: f64, mean: f64, variance: f64, deviations: f64) -> f64 {
        let distance = variance.sqrt() * deviations;
        ratio(value - (mean - distance), 2.0 * distance, 0.5)
    }
}

impl DispersionFormula for BbWidth {
    const SPEC: Spec = Spec::new("bb_width", "Bollinger bandwidth", Group::Volatility)
        .params(BAND_PARAMS)
        .doc("(upper − lower band) in percent of the middle one; 0 where that is 0.", "TA-Lib BBW (Bollinger)");
    #[inline(always)]
    fn of(_: f64, mean: f64, variance: f64, deviations: f64) -> f64 {
        ratio(200.0 * variance.sqrt() * deviations, mean, 0.0)
    }
}
