//! Lines, pairs and ranks of a window.

use serde::{Deserialize, Serialize};

use super::{Ring, TRUST, Values};

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
    #[inline(always)]
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
    #[inline(always)]
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
    #[inline(always)]
    fn add(&mut self, pair: [f64; 2], sign: f64) {
        let distances = [pair[0] - self.shifts[0], pair[1] - self.shifts[1]];
        for ((sum, square), distance) in self.sums.iter_mut().zip(&mut self.squares).zip(distances) {
            *sum += sign * distance;
            *square += sign * (distance * distance);
        }
        self.product += sign * (distances[0] * distances[1]);
    }
    #[inline(always)]
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
    #[inline(always)]
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
