//! Intervals and tests for small samples.

use serde::{Deserialize, Serialize};

/// An interval that holds the true value with the confidence asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// Quantile `q` (0–1) of ascending values, linear between neighbours (type 7 of Hyndman and Fan 1996). NaN of none.
pub fn quantile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = q.clamp(0.0, 1.0) * last as f64;
    let below = place as usize;
    let above = (below + 1).min(last);
    sorted[below] + (place - below as f64) * (sorted[above] - sorted[below])
}

/// The normal distribution's quantile for a two-sided `confidence`: 1.96 of 0.95. Newton's method on `erfc`.
fn normal_score(confidence: f64) -> f64 {
    let tail = 1.0 - confidence.clamp(0.0, 1.0 - 1e-12);
    let mut z = 1.0;
    for _ in 0..60 {
        // Two-sided tail of z and its slope.
        let error = libm::erfc(z / std::f64::consts::SQRT_2) - tail;
        let slope = -2.0 * libm::exp(-0.5 * z * z) / (2.0 * std::f64::consts::PI).sqrt();
        let step = (error / slope).clamp(-0.5, 0.5);
        z -= step;
        if step.abs() < 1e-13 {
            break;
        }
    }
    z
}

/// Wilson's interval of a share: `hits` of `count` (Wilson 1927). It stays inside 0–1 and holds for small counts. Of
/// none it is the whole range.
pub fn wilson(hits: usize, count: usize, confidence: f64) -> Interval {
    if count == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let (n, share) = (count as f64, hits as f64 / count as f64);
    let z = normal_score(confidence);
    let z2 = z * z;
    let middle = share + z2 / (2.0 * n);
    let reach = z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    let whole = 1.0 + z2 / n;
    Interval { low: ((middle - reach) / whole).max(0.0), high: ((middle + reach) / whole).min(1.0) }
}

/// How likely a count at least as far from what `share` predicts would be by chance: exact binomial, both tails as twice
/// the smaller one. 1 where nothing can be told.
pub fn binomial_p_value(hits: usize, count: usize, share: f64) -> f64 {
    if count == 0 || !(share > 0.0 && share < 1.0) {
        return 1.0;
    }
    let n = count as f64;
    let probability = |k: usize| {
        let k = k as f64;
        let ways = libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
        libm::exp(ways + k * libm::log(share) + (n - k) * libm::log(1.0 - share))
    };
    let below: f64 = (0..=hits).map(probability).sum();
    let above: f64 = (hits..=count).map(probability).sum();
    (2.0 * below.min(above)).min(1.0)
}

/// P-values adjusted for having made all of these tests (Holm 1979), in the same order.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut adjusted = vec![0.0; p_values.len()];
    let mut so_far: f64 = 0.0;
    for (rank, test) in order.into_iter().enumerate() {
        so_far = so_far.max(p_values[test] * (p_values.len() - rank) as f64).min(1.0);
        adjusted[test] = so_far;
    }
    adjusted
}

/// The interval of the median by resampling `values` with replacement (percentile bootstrap, Efron 1979).
pub(super) fn median_interval(values: &[f64], confidence: f64, seed: u64) -> Interval {
    const RESAMPLES: usize = 1_000;
    if values.is_empty() {
        return Interval { low: f64::NAN, high: f64::NAN };
    }
    let mut state = seed;
    let mut sample = vec![0.0; values.len()];
    let mut medians: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            for value in &mut sample {
                let drawn = (u128::from(split_mix(&mut state)) * values.len() as u128) >> 64;
                *value = values[drawn as usize];
            }
            let middle = sample.len() / 2;
            let (below, median, _) = sample.select_nth_unstable_by(middle, f64::total_cmp);
            let median = *median;
            if values.len() % 2 == 1 {
                return median;
            }
            let other = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            0.5 * (median + other)
        })
        .collect();
    medians.sort_unstable_by(f64::total_cmp);
    let tail = 0.5 * (1.0 - confidence);
    Interval { low: quantile(&medians, tail), high: quantile(&medians, 1.0 - tail) }
}

/// SplitMix64 (Steele, Lea and Flood 2014).
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Several quantiles, ascending, of values in any order, as [`quantile`] gives them of sorted ones. Counts by the leading
/// bits say where each one lies, and only those few values are sorted.
pub fn quantiles<const Q: usize>(values: &[f64], qs: [f64; Q]) -> [f64; Q] {
    let Some(last) = values.len().checked_sub(1) else { return [f64::NAN; Q] };
    let mut counts = vec![0usize; 1 << 16];
    for value in values {
        counts[bucket(*value)] += 1;
    }
    // From counts to the rank at which a bucket begins.
    let mut begin = 0;
    for count in &mut counts {
        begin += std::mem::replace(count, begin);
    }
    let ranks = qs.map(|q| q.clamp(0.0, 1.0) * last as f64);
    let home = |rank: usize| counts.partition_point(|begin| *begin <= rank) - 1;
    let mut homes: Vec<usize> =
        ranks.iter().flat_map(|rank| [*rank as usize, (*rank as usize + 1).min(last)]).map(home).collect();
    homes.dedup();
    let mut wanted = vec![false; 1 << 16];
    for home in &homes {
        wanted[*home] = true;
    }
    let mut near: Vec<f64> = values.iter().copied().filter(|value| wanted[bucket(*value)]).collect();
    near.sort_unstable_by(f64::total_cmp);
    // Where the values of each wanted bucket begin among the sorted ones.
    let begins: Vec<usize> = homes.iter().map(|home| near.partition_point(|value| bucket(*value) < *home)).collect();
    let at = |rank: usize| {
        let place = homes.partition_point(|home| counts[*home] <= rank) - 1;
        near[begins[place] + rank - counts[homes[place]]]
    };
    ranks.map(|rank| {
        let below = rank as usize;
        let low = at(below);
        low + (rank - below as f64) * (at((below + 1).min(last)) - low)
    })
}

/// Sign, exponent and four bits, in the order of the values.
fn bucket(value: f64) -> usize {
    let bits = value.to_bits();
    let ordered = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
    (ordered >> 48) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::QUANTILES;
    use super::*;

    proptest! {
        #[test]
        fn quantiles_are_those_of_the_sorted_values(
            values in prop::collection::vec(prop_oneof![-1e-3f64..1e-3, -2.0f64..2.0, Just(0.0), Just(-0.0)], 1..400),
        ) {
            let mut sorted = values.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            prop_assert_eq!(quantiles(&values, QUANTILES), QUANTILES.map(|q| quantile(&sorted, q)));
        }
    }
}
