//! Small machines that take one number and give one, NaN until they have enough: what indicators are made of.

use serde::{Deserialize, Serialize};

use crate::wide::wide;
use crate::window::{MovingSum, Ring};

pub(crate) trait Filter {
    fn push(&mut self, value: f64) -> f64;
    /// The same behind another filter: what is still warming up there is passed over here.
    #[inline]
    fn feed(&mut self, value: f64) -> f64 {
        if value.is_nan() { f64::NAN } else { self.push(value) }
    }
    /// [`feed`](Self::feed) for many values in place.
    fn run(&mut self, column: &mut [f64]) {
        for value in column {
            *value = self.feed(*value);
        }
    }
}

/// A column without the values at its beginning that are still warming up.
#[inline]
fn known(column: &mut [f64]) -> &mut [f64] {
    let unknown = column.iter().take_while(|value| value.is_nan()).count();
    &mut column[unknown..]
}

/// Exponential smoothing with a given weight, seeded with the mean of its first values.
///
/// A step is `keep × average + weight × value` with one rounding at the end (a fused multiply-add). As `keep` and
/// `weight` add up to exactly 1, an average of equal values is that value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Smoothing {
    weight: f64,
    keep: f64,
    /// The average; while seeding, the sum so far.
    value: f64,
    /// Values that make the seed.
    seed: u32,
    /// Values still missing: those to be left out first, then the seed.
    missing: u32,
}

impl Smoothing {
    pub(crate) fn new(weight: f64, seed: u32) -> Self {
        Self::keeping(1.0 - weight, seed)
    }
    fn keeping(keep: f64, seed: u32) -> Self {
        // A difference from 1 is exact if the other operand is at least a half.
        let weight = 1.0 - keep;
        Self { weight, keep: if keep < 0.5 { 1.0 - weight } else { keep }, value: 0.0, seed, missing: seed }
    }
    /// Weight 2 / (length + 1): an EMA.
    pub(crate) fn exponential(length: u32) -> Self {
        Self::keeping((f64::from(length) - 1.0) / (f64::from(length) + 1.0), length)
    }
    /// Weight 1 / length: Wilder's.
    pub(crate) fn wilder(length: u32) -> Self {
        Self::keeping((f64::from(length) - 1.0) / f64::from(length), length)
    }
    /// Leaves the first values out, so that two averages can be seeded at the same candle.
    pub(crate) fn after(self, left_out: u32) -> Self {
        Self { missing: self.missing + left_out, ..self }
    }
    /// Begins with its first value instead of a mean.
    pub(crate) fn beginning_at_first(self) -> Self {
        Self { seed: 1, missing: 1, ..self }
    }
    #[cold]
    fn start(&mut self, value: f64) -> f64 {
        self.missing -= 1;
        if self.missing >= self.seed {
            return f64::NAN;
        }
        self.value += value;
        if self.missing > 0 {
            return f64::NAN;
        }
        self.value /= f64::from(self.seed);
        self.value
    }
}

impl Filter for Smoothing {
    #[inline]
    fn push(&mut self, value: f64) -> f64 {
        if self.missing == 0 {
            self.value = self.keep.mul_add(self.value, self.weight * value);
            return self.value;
        }
        self.start(value)
    }
    fn run(&mut self, column: &mut [f64]) {
        let column = known(column);
        let (seed, rest) = column.split_at_mut(column.len().min(self.missing as usize));
        for value in seed {
            *value = self.start(*value);
        }
        if !rest.is_empty() {
            smooth(self, rest);
        }
    }
}

wide! {
    /// Smooths what comes after the seed, in place.
    fn smooth(state: &mut Smoothing, column: &mut [f64]) {
        let Smoothing { weight, keep, mut value, .. } = *state;
        for place in column {
            value = keep.mul_add(value, weight * *place);
            *place = value;
        }
        state.value = value;
    }

    /// Two averages side by side, so that a step of one does not wait for the last step of the other.
    fn smooth_pair(a: &mut Smoothing, b: &mut Smoothing, column_a: &mut [f64], column_b: &mut [f64]) {
        let ([mut value_a, mut value_b], [weight_a, weight_b]) = ([a.value, b.value], [a.weight, b.weight]);
        let (keep_a, keep_b) = (a.keep, b.keep);
        for (place_a, place_b) in column_a.iter_mut().zip(column_b) {
            value_a = keep_a.mul_add(value_a, weight_a * *place_a);
            value_b = keep_b.mul_add(value_b, weight_b * *place_b);
            (*place_a, *place_b) = (value_a, value_b);
        }
        (a.value, b.value) = (value_a, value_b);
    }
}

/// [`Filter::run`] of two averages over columns of one length.
pub(crate) fn run_pair([a, b]: [&mut Smoothing; 2], [column_a, column_b]: [&mut [f64]; 2]) {
    if a.missing > 0 || b.missing > 0 || column_a.len() != column_b.len() {
        a.run(column_a);
        b.run(column_b);
    } else {
        smooth_pair(a, b, column_a, column_b);
    }
}

/// The mean of the newest values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mean {
    sum: MovingSum,
    inverse: f64,
}

impl Mean {
    pub(crate) fn new(length: u32) -> Self {
        Self { sum: MovingSum::new(length as usize), inverse: 1.0 / f64::from(length) }
    }
    /// What the last push gave.
    #[inline]
    pub(crate) fn last(&self) -> f64 {
        if self.sum.is_full() { self.sum.so_far() * self.inverse } else { f64::NAN }
    }
}

impl Filter for Mean {
    #[inline]
    fn push(&mut self, value: f64) -> f64 {
        self.sum.push(value).map_or(f64::NAN, |sum| sum * self.inverse)
    }
    fn run(&mut self, column: &mut [f64]) {
        self.sum.run(known(column), self.inverse);
    }
}

/// The mean of the newest values, weighted 1 for the oldest to `length` for the newest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Weighted {
    ring: Ring,
    sum: f64,
    products: f64,
    length: f64,
    divider: f64,
}

impl Weighted {
    pub(crate) fn new(length: u32) -> Self {
        let n = f64::from(length);
        Self { ring: Ring::new(length as usize), sum: 0.0, products: 0.0, length: n, divider: 2.0 / (n * (n + 1.0)) }
    }
}

impl Filter for Weighted {
    #[inline]
    fn push(&mut self, value: f64) -> f64 {
        let old = self.ring.push(value);
        if self.ring.wrapped() {
            // The memory is in order of time at this point: start from scratch, so that rounding does not add up.
            (self.sum, self.products) = (0.0, 0.0);
            for (index, value) in self.ring.values().iter().enumerate() {
                self.sum += value;
                self.products += value * (index + 1) as f64;
            }
        } else if self.ring.is_full() {
            self.products += value * self.length - self.sum;
            self.sum += value - old;
        } else {
            return f64::NAN;
        }
        self.products * self.divider
    }
}

/// The value `distance` pushes ago.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lag(Option<Ring>);

impl Lag {
    pub(crate) fn new(distance: u32) -> Self {
        Self((distance > 0).then(|| Ring::full_of(distance as usize, f64::NAN)))
    }
}

impl Filter for Lag {
    #[inline]
    fn push(&mut self, value: f64) -> f64 {
        self.0.as_mut().map_or(value, |ring| ring.push(value))
    }
    fn run(&mut self, column: &mut [f64]) {
        if let Some(ring) = &mut self.0 {
            ring.run(known(column));
        }
    }
}

/// Exponential averages of one another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Chain(Vec<Smoothing>);

impl Chain {
    pub(crate) fn new(length: u32, stages: usize) -> Self {
        Self(vec![Smoothing::exponential(length); stages])
    }
    /// The averages from the first stage to the last, NaN where one is still warming up.
    #[inline]
    pub(crate) fn push<const N: usize>(&mut self, value: f64) -> [f64; N] {
        let mut values = [f64::NAN; N];
        let mut value = value;
        for (stage, out) in self.0.iter_mut().zip(&mut values) {
            value = stage.push(value);
            if value.is_nan() {
                break;
            }
            *out = value;
        }
        values
    }
}

/// The change if it is not a fall, else 0.
#[inline]
fn rise(change: f64) -> f64 {
    if change < 0.0 { 0.0 } else { change }
}

wide! {
    fn rises_and_falls(previous: f64, series: &[f64], gains: &mut [f64], losses: &mut [f64]) {
        let ([first, ..], [gain, gains @ ..], [loss, losses @ ..]) = (series, gains, losses) else { return };
        let both = |now: f64, before: f64| {
            let up = rise(now - before);
            (up, up - (now - before))
        };
        (*gain, *loss) = both(*first, previous);
        for ((pair, gain), loss) in series.array_windows::<2>().zip(gains).zip(losses) {
            (*gain, *loss) = both(pair[1], pair[0]);
        }
    }
}

/// Wilder's averages of rises and falls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Swings {
    gain: Smoothing,
    loss: Smoothing,
    previous: Option<f64>,
}

impl Swings {
    pub(crate) fn new(length: u32) -> Self {
        Self { gain: Smoothing::wilder(length), loss: Smoothing::wilder(length), previous: None }
    }
    /// The average rise and the average fall, both NaN while seeding.
    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> [f64; 2] {
        let Some(previous) = self.previous.replace(value) else { return [f64::NAN; 2] };
        let change = value - previous;
        let up = rise(change);
        [self.gain.push(up), self.loss.push(up - change)]
    }
    /// [`push`](Self::push) for a series of at least one value.
    pub(crate) fn run(&mut self, series: &[f64], gains: &mut [f64], losses: &mut [f64]) {
        // NaN at the very first one, which the averages pass over.
        rises_and_falls(self.previous.unwrap_or(f64::NAN), series, gains, losses);
        self.previous = series.last().copied().or(self.previous);
        run_pair([&mut self.gain, &mut self.loss], [gains, losses]);
    }
    /// The share of rises in percent, 50 where nothing has moved.
    #[inline]
    pub(crate) fn strength(&mut self, value: f64) -> f64 {
        strength(self.push(value))
    }
}

/// The share of the gain in percent, 50 where there is neither.
#[inline]
pub(crate) fn strength([gain, loss]: [f64; 2]) -> f64 {
    let total = gain + loss;
    // NaN while seeding stays.
    if total == 0.0 { 50.0 } else { 100.0 * (gain / total) }
}

/// `part / whole`, or `otherwise` where the whole is nothing.
#[inline]
pub(crate) fn ratio(part: f64, whole: f64, otherwise: f64) -> f64 {
    if whole == 0.0 { otherwise } else { part / whole }
}
