//! What came after the neighbours, beside what comes after any candle.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::Query;
use super::statistics::{Interval, binomial_p_value, holm, median_interval, quantile, quantiles, wilson};

/// Which quantiles a distribution is told by.
pub const QUANTILES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// Returns over one horizon, as fractions of the close they start from: 0.01 is one percent up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    pub count: usize,
    pub mean: f64,
    /// At [`QUANTILES`]; the third is the median.
    pub quantiles: [f64; 5],
    /// The share of returns above zero.
    pub up: f64,
}

/// How it went on over one horizon.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// In candles.
    pub horizon: usize,
    /// After the neighbours.
    pub similar: Distribution,
    /// Of the share that rose (Wilson).
    pub up_interval: Interval,
    /// Of the median return (bootstrap).
    pub median_interval: Interval,
    /// After every candle that was compared: what a coin with this market's drift would show.
    pub base: Distribution,
    /// How likely so different a share would be if the neighbours were any candles.
    pub p_value: f64,
    /// The same, for having looked at all horizons.
    pub p_adjusted: f64,
}

/// The spread of the neighbours' paths some candles on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FanStep {
    /// Candles after the neighbour.
    pub step: usize,
    /// Returns at [`QUANTILES`].
    pub quantiles: [f64; 5],
}

pub(super) fn outcomes(closes: &[f64], moments: &[usize], eligible: Range<usize>, query: &Query) -> Vec<Outcome> {
    let mut scratch = Vec::with_capacity(eligible.len());
    let mut outcomes: Vec<Outcome> = query
        .horizons
        .iter()
        .map(|&horizon| {
            let returns: Vec<f64> = moments.iter().map(|&at| change(closes, at, horizon)).collect();
            let median = median_interval(&returns, query.confidence, query.seed);
            let similar = distribution(&returns);
            let hits = returns.iter().filter(|value| **value > 0.0).count();
            scratch.clear();
            scratch.extend(eligible.clone().map(|at| change(closes, at, horizon)));
            let base = distribution(&scratch);
            Outcome {
                horizon,
                similar,
                up_interval: wilson(hits, returns.len(), query.confidence),
                median_interval: median,
                base,
                p_value: binomial_p_value(hits, returns.len(), base.up),
                p_adjusted: 1.0,
            }
        })
        .collect();
    let p_values: Vec<f64> = outcomes.iter().map(|outcome| outcome.p_value).collect();
    for (outcome, adjusted) in outcomes.iter_mut().zip(holm(&p_values)) {
        outcome.p_adjusted = adjusted;
    }
    outcomes
}

pub(super) fn fan(closes: &[f64], moments: &[usize], longest: usize) -> Vec<FanStep> {
    let mut returns = vec![0.0; moments.len()];
    (1..=longest)
        .map(|step| {
            for (value, &at) in returns.iter_mut().zip(moments) {
                *value = change(closes, at, step);
            }
            returns.sort_unstable_by(f64::total_cmp);
            FanStep { step, quantiles: QUANTILES.map(|q| quantile(&returns, q)) }
        })
        .collect()
}

fn change(closes: &[f64], at: usize, horizon: usize) -> f64 {
    closes[at + horizon] / closes[at] - 1.0
}

fn distribution(values: &[f64]) -> Distribution {
    let count = values.len();
    let mean = values.iter().sum::<f64>() / count as f64;
    let up = values.iter().filter(|value| **value > 0.0).count() as f64 / count as f64;
    Distribution { count, mean, quantiles: quantiles(values, QUANTILES), up }
}
