//! Fixed-length memory of indicators: a ring of the newest values, and exact-enough moving sums over it.

use serde::{Deserialize, Serialize, Serializer};

/// Floats that are compared and saved by value: any NaN equals any other and is saved as the same bits, because
/// processors disagree about a NaN's sign and a state must hash the same on each of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Values(pub(crate) Vec<f64>);

impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self.0.iter().zip(&other.0).all(|(a, b)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()))
    }
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|value| if value.is_nan() { f64::NAN } else { *value }))
    }
}

/// The newest `len` values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ring {
    values: Values,
    /// Where the next value goes; that place holds the oldest one once the ring is full.
    head: u32,
    filled: bool,
}

impl Ring {
    pub(crate) fn new(len: usize) -> Self {
        Self { values: Values(vec![0.0; len.max(1)]), head: 0, filled: false }
    }
    pub(crate) fn full_of(len: usize, value: f64) -> Self {
        Self { values: Values(vec![value; len.max(1)]), head: 0, filled: true }
    }
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.filled
    }
    /// Adds a value and gives back the one it pushed out, 0 while the ring fills.
    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> f64 {
        let head = self.head as usize;
        let old = std::mem::replace(&mut self.values.0[head], value);
        if head + 1 == self.values.0.len() {
            self.head = 0;
            self.filled = true;
        } else {
            self.head += 1;
        }
        old
    }
    /// Whether the last push wrote the last place: once every `len` pushes.
    #[inline]
    pub(crate) fn wrapped(&self) -> bool {
        self.head == 0
    }
    /// The values in memory order, which is no order of time.
    #[inline]
    pub(crate) fn values(&self) -> &[f64] {
        &self.values.0
    }
    /// The values pushed since the ring last began anew and those from before, each oldest first.
    #[inline]
    pub(crate) fn split(&self) -> (&[f64], &[f64]) {
        self.values.0.split_at(self.head as usize)
    }
}

/// How far a moving quantity may fall below its largest value since it was last computed from scratch before its
/// digits are no longer trusted: eleven digits are left at this point.
const TRUST: f64 = 1e-5;

/// A moving sum that does not drift: it is summed anew each time the ring wraps, which costs one addition per value,
/// and when a large value has just left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct MovingSum {
    ring: Ring,
    sum: f64,
    peak: f64,
}

impl MovingSum {
    pub(crate) fn new(len: usize) -> Self {
        Self { ring: Ring::new(len), sum: 0.0, peak: 0.0 }
    }
    /// The sum of the newest `len` values, `None` until there are that many.
    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> Option<f64> {
        let old = self.ring.push(value);
        self.sum += value - old;
        if self.ring.wrapped() || self.sum.abs() < self.peak * TRUST {
            self.sum = self.ring.values().iter().sum();
            self.peak = 0.0;
        }
        self.peak = self.peak.max(self.sum.abs());
        self.ring.is_full().then_some(self.sum)
    }
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.ring.is_full()
    }
    /// The sum of the values there are.
    #[inline]
    pub(crate) fn so_far(&self) -> f64 {
        self.sum
    }
}

/// Mean and population variance of the newest `len` values.
///
/// Values are summed relative to a recent mean, so that prices far from zero do not cancel, and afresh each time the
/// ring wraps and whenever too many digits were lost, so that nothing drifts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Moments {
    ring: Ring,
    shift: f64,
    sum: f64,
    sum_of_squares: f64,
    peak: f64,
    inverse: f64,
}

impl Moments {
    pub(crate) fn new(len: usize) -> Self {
        let ring = Ring::new(len);
        Self { ring, shift: 0.0, sum: 0.0, sum_of_squares: 0.0, peak: 0.0, inverse: 1.0 / len as f64 }
    }
    /// Mean and variance, `None` until the window is full.
    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> Option<(f64, f64)> {
        let old = self.ring.push(value);
        if !self.ring.is_full() {
            return None;
        }
        if self.ring.wrapped() {
            self.refresh();
        } else {
            let (entering, leaving) = (value - self.shift, old - self.shift);
            self.sum += entering - leaving;
            self.sum_of_squares += (entering - leaving) * (entering + leaving);
            self.peak = self.peak.max(self.sum_of_squares);
            if self.sum_of_squares - self.sum * self.sum * self.inverse < self.peak * TRUST {
                self.refresh();
            }
        }
        let mean = self.sum * self.inverse;
        Some((self.shift + mean, (self.sum_of_squares * self.inverse - mean * mean).max(0.0)))
    }
    #[inline(never)]
    fn refresh(&mut self) {
        let values = self.ring.values();
        // Twice, because the first mean of huge or uneven values is itself rounded.
        let rough = values.iter().sum::<f64>() * self.inverse;
        self.shift = rough + values.iter().map(|value| value - rough).sum::<f64>() * self.inverse;
        self.sum = 0.0;
        self.sum_of_squares = 0.0;
        for value in values {
            let distance = value - self.shift;
            self.sum += distance;
            self.sum_of_squares += distance * distance;
        }
        self.peak = self.sum_of_squares;
    }
}

/// The extreme of the newest `len` values, amortised O(1): a ring plus the index of the current extreme.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Extreme<const HIGHEST: bool> {
    ring: Ring,
    value: f64,
    /// How many pushes ago the extreme came in.
    age: u32,
    len: u32,
}

impl<const HIGHEST: bool> Extreme<HIGHEST> {
    pub(crate) fn new(len: usize) -> Self {
        let start = if HIGHEST { f64::NEG_INFINITY } else { f64::INFINITY };
        Self { ring: Ring::new(len), value: start, age: 0, len: len as u32 }
    }
    #[inline]
    fn beats(a: f64, b: f64) -> bool {
        if HIGHEST { a >= b } else { a <= b }
    }
    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> Option<f64> {
        self.ring.push(value);
        self.age += 1;
        if Self::beats(value, self.value) {
            self.value = value;
            self.age = 0;
        } else if self.age >= self.len {
            self.rescan();
        }
        self.ring.is_full().then_some(self.value)
    }
    /// How many pushes ago the extreme came in, the newest of equals.
    #[inline]
    pub(crate) fn age(&self) -> u32 {
        self.age
    }
    /// Finds the extreme among the values that are left, and how long ago it came in last.
    #[inline(never)]
    fn rescan(&mut self) {
        let start = if HIGHEST { f64::NEG_INFINITY } else { f64::INFINITY };
        // Four lanes side by side, so that the comparisons do not wait for one another.
        let mut lanes = [start; 4];
        let (chunks, rest) = self.ring.values().as_chunks::<4>();
        for chunk in chunks {
            for (lane, value) in lanes.iter_mut().zip(chunk) {
                *lane = Self::better(*value, *lane);
            }
        }
        let all = lanes.iter().chain(rest).fold(start, |best, value| Self::better(*value, best));
        let (newer, older) = self.ring.split();
        let age = match newer.iter().rposition(|value| *value == all) {
            Some(at) => newer.len() - 1 - at,
            None => newer.len() + older.iter().rev().take_while(|value| **value != all).count(),
        };
        self.value = all;
        self.age = age as u32;
    }
    #[inline]
    fn better(a: f64, b: f64) -> f64 {
        if (HIGHEST && a > b) || (!HIGHEST && a < b) { a } else { b }
    }
}

/// The highest of one series and the lowest of another over the same window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Range {
    pub(crate) highest: Extreme<true>,
    pub(crate) lowest: Extreme<false>,
}

impl Range {
    pub(crate) fn new(len: u32) -> Self {
        Self { highest: Extreme::new(len as usize), lowest: Extreme::new(len as usize) }
    }
    /// Highest and lowest, `None` until the window is full.
    #[inline]
    pub(crate) fn push(&mut self, high: f64, low: f64) -> Option<(f64, f64)> {
        let (high, low) = (self.highest.push(high), self.lowest.push(low));
        Some((high?, low?))
    }
}

/// The line of least squares through the newest `len` values.
///
/// Sums are taken relative to a recent mean and afresh each time the ring wraps, as in [`Moments`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Line {
    ring: Ring,
    shift: f64,
    sum: f64,
    /// Σ value × place, which is 1 for the oldest and the length for the newest.
    weighted: f64,
    size: f64,
    len: f64,
}

impl Line {
    pub(crate) fn new(len: usize) -> Self {
        Self { ring: Ring::new(len), shift: 0.0, sum: 0.0, weighted: 0.0, size: 0.0, len: len as f64 }
    }
    pub(crate) fn length(&self) -> f64 {
        self.len
    }
    /// The mean of the values, where the line is in its middle, and its slope.
    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> Option<(f64, f64)> {
        let old = self.ring.push(value);
        if !self.ring.is_full() {
            return None;
        }
        let (entering, leaving) = (value - self.shift, old - self.shift);
        self.weighted += entering * self.len - self.sum;
        self.sum += entering - leaving;
        self.size += entering.abs() - leaving.abs();
        if self.ring.wrapped() || leaving.abs() > 100.0 * self.size {
            self.refresh();
        }
        let mean = self.sum / self.len;
        let slope =
            (self.weighted - 0.5 * (self.len + 1.0) * self.sum) * 12.0 / (self.len * (self.len * self.len - 1.0));
        Some((self.shift + mean, slope))
    }
    #[inline(never)]
    fn refresh(&mut self) {
        let (newer, older) = self.ring.split();
        self.shift = self.ring.values().iter().sum::<f64>() / self.len;
        (self.sum, self.weighted, self.size) = (0.0, 0.0, 0.0);
        for (index, value) in older.iter().chain(newer).enumerate() {
            let distance = value - self.shift;
            self.sum += distance;
            self.weighted += distance * (index + 1) as f64;
            self.size += distance.abs();
        }
    }
}

/// Moments of the newest `len` pairs, relative to a recent mean as in [`Moments`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PairMoments {
    rings: [Ring; 2],
    shifts: [f64; 2],
    sums: [f64; 2],
    squares: [f64; 2],
    product: f64,
    peaks: [f64; 2],
    inverse: f64,
}

/// Σ (a − ā)², Σ (b − b̄)² and Σ (a − ā)(b − b̄).
pub(crate) struct Spread {
    pub(crate) squares: [f64; 2],
    pub(crate) product: f64,
}

impl PairMoments {
    pub(crate) fn new(len: usize) -> Self {
        Self {
            rings: [Ring::new(len), Ring::new(len)],
            shifts: [0.0; 2],
            sums: [0.0; 2],
            squares: [0.0; 2],
            product: 0.0,
            peaks: [0.0; 2],
            inverse: 1.0 / len as f64,
        }
    }
    /// `None` until the window is full.
    #[inline]
    pub(crate) fn push(&mut self, pair: [f64; 2]) -> Option<Spread> {
        let [first, second] = &mut self.rings;
        let old = [first.push(pair[0]), second.push(pair[1])];
        if !first.is_full() {
            return None;
        }
        let wrapped = first.wrapped();
        self.add(pair, 1.0);
        self.add(old, -1.0);
        let mut spread = self.spread();
        let trusted = |side: usize, spread: &Spread| spread.squares[side] >= self.peaks[side] * TRUST;
        if wrapped || !trusted(0, &spread) || !trusted(1, &spread) {
            self.refresh();
            spread = self.spread();
        }
        for (peak, square) in self.peaks.iter_mut().zip(self.squares) {
            *peak = peak.max(square);
        }
        // What rounding leaves of a side in which nothing moved.
        for (square, whole) in spread.squares.iter_mut().zip(self.squares) {
            if *square <= 1e-14 * whole {
                *square = 0.0;
            }
        }
        Some(spread)
    }
    #[inline]
    fn add(&mut self, pair: [f64; 2], sign: f64) {
        let distances = [pair[0] - self.shifts[0], pair[1] - self.shifts[1]];
        for ((sum, square), distance) in self.sums.iter_mut().zip(&mut self.squares).zip(distances) {
            *sum += sign * distance;
            *square += sign * (distance * distance);
        }
        self.product += sign * (distances[0] * distances[1]);
    }
    #[inline]
    fn spread(&self) -> Spread {
        let [a, b] = self.sums;
        Spread {
            squares: [self.squares[0] - a * a * self.inverse, self.squares[1] - b * b * self.inverse],
            product: self.product - a * b * self.inverse,
        }
    }
    #[inline(never)]
    fn refresh(&mut self) {
        for side in 0..2 {
            let values = self.rings[side].values();
            let rough = values.iter().sum::<f64>() * self.inverse;
            self.shifts[side] = rough + values.iter().map(|value| value - rough).sum::<f64>() * self.inverse;
        }
        (self.sums, self.squares, self.product) = ([0.0; 2], [0.0; 2], 0.0);
        for at in 0..self.rings[0].values().len() {
            self.add([self.rings[0].values()[at], self.rings[1].values()[at]], 1.0);
        }
        self.peaks = self.squares;
    }
}

/// The newest `len` values in order of size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sorted {
    ring: Ring,
    values: Values,
}

impl Sorted {
    pub(crate) fn new(len: usize) -> Self {
        Self { ring: Ring::new(len), values: Values(Vec::with_capacity(len)) }
    }
    /// The values from the smallest to the largest, `None` until the window is full.
    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> Option<&[f64]> {
        let full = self.ring.is_full();
        let old = self.ring.push(value);
        let values = &mut self.values.0;
        let to = values.partition_point(|known| *known <= value);
        if full {
            // The old one's place is closed and the new one's opened by moving what lies between them.
            let from = values.partition_point(|known| *known < old);
            if from < to {
                values.copy_within(from + 1..to, from);
                values[to - 1] = value;
            } else {
                values.copy_within(to..from, to + 1);
                values[to] = value;
            }
        } else {
            values.insert(to, value);
        }
        self.ring.is_full().then_some(values)
    }
}

/// Four partial sums side by side: the order is fixed, and the additions do not wait for one another.
#[inline]
pub(crate) fn sum_of(values: &[f64], f: impl Fn(f64) -> f64) -> f64 {
    let mut lanes = [0.0; 4];
    let (chunks, rest) = values.as_chunks::<4>();
    for chunk in chunks {
        for (lane, value) in lanes.iter_mut().zip(chunk) {
            *lane += f(*value);
        }
    }
    let tail: f64 = rest.iter().map(|value| f(*value)).sum();
    (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]) + tail
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn moving_values_equal_their_definition(
            values in prop::collection::vec(-1e6f64..1e6, 1..300),
            len in 1usize..40,
        ) {
            let (mut sum, mut moments) = (MovingSum::new(len), Moments::new(len));
            let (mut high, mut low) = (Extreme::<true>::new(len), Extreme::<false>::new(len));
            for t in 0..values.len() {
                let x = values[t];
                let got = (sum.push(x), moments.push(x), high.push(x), low.push(x));
                if t + 1 < len {
                    prop_assert_eq!(got, (None, None, None, None));
                    continue;
                }
                let window = &values[t + 1 - len..=t];
                let mean = window.iter().sum::<f64>() / len as f64;
                let variance = window.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / len as f64;
                prop_assert!((got.0.unwrap() / len as f64 - mean).abs() < 1e-7);
                prop_assert!((got.1.unwrap().0 - mean).abs() < 1e-7);
                prop_assert!((got.1.unwrap().1 - variance).abs() <= 1e-9 * variance.max(1.0));
                prop_assert_eq!(got.2.unwrap(), window.iter().copied().fold(f64::NEG_INFINITY, f64::max));
                prop_assert_eq!(got.3.unwrap(), window.iter().copied().fold(f64::INFINITY, f64::min));
            }
        }
    }

    #[test]
    fn a_constant_has_no_variance_however_large() {
        for value in [0.1, 68_412.5, 1e15, 1e-9] {
            let mut moments = Moments::new(20);
            for _ in 0..100 {
                if let Some((mean, variance)) = moments.push(value) {
                    assert_eq!((mean, variance), (value, 0.0));
                }
            }
        }
    }
}
