//! Fixed-length memory of indicators: a ring of the newest values, and exact-enough moving sums over it.

mod extremes;
mod pairs;
mod trail;

use serde::{Deserialize, Serialize, Serializer};
pub(crate) use trail::{Joined, Trail, blank, both, deviations};

pub(crate) use extremes::{Dated, Extreme, Range};
pub(crate) use pairs::{Line, PairMoments, Sorted};

use self::trail::SHORT;
use crate::indicator::CHUNK;
use crate::wide::wide;

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
    #[inline(always)]
    pub(crate) fn is_full(&self) -> bool {
        self.filled
    }
    /// Adds a value and gives back the one it pushed out, 0 while the ring fills.
    #[inline(always)]
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
    /// Takes note of values that were put into their places.
    #[inline]
    fn advance(&mut self, count: usize) {
        self.head += count as u32;
        if self.head as usize == self.values.0.len() {
            self.head = 0;
            self.filled = true;
        }
    }
    /// The same as [`push`](Self::push) for many values in place.
    pub(crate) fn run(&mut self, column: &mut [f64]) {
        let mut rest = column;
        while !rest.is_empty() {
            let places = &mut self.values.0[self.head as usize..];
            let rows = rest.len().min(places.len());
            let (now, later) = rest.split_at_mut(rows);
            now.swap_with_slice(&mut places[..rows]);
            self.advance(rows);
            rest = later;
        }
    }
    /// The same from one column into another: where the ring is the shorter, what it held and then the input itself.
    pub(crate) fn delay(&mut self, input: &[f64], out: &mut [f64]) {
        let (len, rows) = (self.values.0.len(), input.len());
        if rows < len {
            out.copy_from_slice(input);
            return self.run(out);
        }
        let head = self.head as usize;
        let (newer, older) = self.values.0.split_at_mut(head);
        let (first, rest) = out.split_at_mut(len);
        first[..len - head].copy_from_slice(older);
        first[len - head..].copy_from_slice(newer);
        rest.copy_from_slice(&input[..rows - len]);
        // The oldest of what is left goes to the new head.
        let head = (head + rows) % len;
        let (early, late) = input[rows - len..].split_at(len - head);
        self.values.0[head..].copy_from_slice(early);
        self.values.0[..head].copy_from_slice(late);
        (self.head, self.filled) = (head as u32, true);
    }
    /// Whether the last push wrote the last place: once every `len` pushes.
    #[inline(always)]
    pub(crate) fn wrapped(&self) -> bool {
        self.head == 0
    }
    /// The values in memory order, which is no order of time.
    #[inline(always)]
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

/// The sum of the newest `len` values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct MovingSum {
    sum: f64,
    window: SumWindow,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum SumWindow {
    Short(Trail),
    Long(RunningSum),
}

impl MovingSum {
    pub(crate) fn new(len: usize) -> Self {
        let window =
            if len <= SHORT { SumWindow::Short(Trail::new(len)) } else { SumWindow::Long(RunningSum::new(len)) };
        Self { sum: 0.0, window }
    }
    /// The sum of the newest `len` values, `None` until there are that many.
    #[inline(always)]
    pub(crate) fn push(&mut self, value: f64) -> Option<f64> {
        self.sum = match &mut self.window {
            SumWindow::Short(trail) => {
                let sum = trail.with(value).sum();
                trail.push(value);
                sum
            }
            SumWindow::Long(running) => running.push(value),
        };
        self.is_full().then_some(self.sum)
    }
    /// The same for many values in place, times `scale`; NaN until there are enough.
    pub(crate) fn run(&mut self, column: &mut [f64], scale: f64) {
        match &mut self.window {
            SumWindow::Short(trail) => {
                for column in column.chunks_mut(CHUNK) {
                    self.sum = trail_sums(trail, None, column, scale);
                }
            }
            SumWindow::Long(running) => {
                running.run(column, scale);
                self.sum = running.sum;
            }
        }
    }
    /// The same from one column of at most [`CHUNK`] values into another.
    pub(crate) fn run_into(&mut self, input: &[f64], out: &mut [f64], scale: f64) {
        if let SumWindow::Short(trail) = &mut self.window {
            self.sum = trail_sums(trail, Some(input), out, scale);
        } else {
            out.copy_from_slice(input);
            self.run(out, scale);
        }
    }
    #[inline(always)]
    pub(crate) fn is_full(&self) -> bool {
        match &self.window {
            SumWindow::Short(trail) => trail.missing() == 0,
            SumWindow::Long(running) => running.ring.is_full(),
        }
    }
    /// The sum of the values there are.
    #[inline(always)]
    pub(crate) fn so_far(&self) -> f64 {
        self.sum
    }
}

/// The sums at each value of a chunk, which is in `out` if it is not `input`, times `scale`; the last one unscaled.
fn trail_sums(trail: &mut Trail, input: Option<&[f64]>, out: &mut [f64], scale: f64) -> f64 {
    let (missing, mut joined) = (trail.missing(), Joined::new());
    let joined = trail.join(input.unwrap_or(out), &mut joined);
    let last = trail::sums(joined, scale, out);
    blank(missing, out);
    last
}

/// A moving sum that does not drift: it is summed anew each time the ring wraps, which costs one addition per value,
/// and when a large value has just left.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct RunningSum {
    ring: Ring,
    sum: f64,
    peak: f64,
}

impl RunningSum {
    fn new(len: usize) -> Self {
        Self { ring: Ring::new(len), sum: 0.0, peak: 0.0 }
    }
    /// The sum of the values there are.
    #[inline(always)]
    fn push(&mut self, value: f64) -> f64 {
        let old = self.ring.push(value);
        self.sum += value - old;
        if self.ring.wrapped() || self.sum.abs() < self.peak * TRUST {
            self.refresh();
        }
        self.peak = larger(self.peak, self.sum.abs());
        self.sum
    }
    /// The same for many values in place, times `scale`; NaN until there are enough.
    fn run(&mut self, column: &mut [f64], scale: f64) {
        let mut rest = column;
        while !rest.is_empty() {
            let was_full = self.ring.filled;
            let head = self.ring.head as usize;
            let (mut sum, mut peak, mut done, mut trusted) = (self.sum, self.peak, 0, true);
            for (value, place) in rest.iter_mut().zip(&mut self.ring.values.0[head..]) {
                sum += *value - std::mem::replace(place, *value);
                done += 1;
                if sum.abs() < peak * TRUST {
                    trusted = false;
                    break;
                }
                peak = larger(peak, sum.abs());
                *value = sum * scale;
            }
            (self.sum, self.peak) = (sum, peak);
            self.ring.advance(done);
            let (now, later) = rest.split_at_mut(done);
            if let [early @ .., last] = now {
                if self.ring.wrapped() || !trusted {
                    self.refresh();
                    self.peak = self.sum.abs();
                    *last = self.sum * scale;
                }
                if !was_full {
                    early.fill(f64::NAN);
                    if !self.ring.filled {
                        *last = f64::NAN;
                    }
                }
            }
            rest = later;
        }
    }
    #[inline(never)]
    fn refresh(&mut self) {
        self.sum = sum_of(self.ring.values(), |value| value);
        self.peak = 0.0;
    }
}

/// Mean and population variance of the newest `len` values.
///
/// Of a short window they are taken around its newest value, which is exact where nothing has moved and costs no more
/// digits than the window has: the square of the newest value's distance from the mean is less than `len` variances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Moments {
    inverse: f64,
    window: MomentWindow,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum MomentWindow {
    Short(Trail),
    Long(RunningMoments),
}

impl Moments {
    pub(crate) fn new(len: usize) -> Self {
        let window = if len <= SHORT {
            MomentWindow::Short(Trail::new(len))
        } else {
            MomentWindow::Long(RunningMoments::new(len))
        };
        Self { inverse: 1.0 / len as f64, window }
    }
    /// Mean and variance, `None` until the window is full.
    #[inline(always)]
    pub(crate) fn push(&mut self, value: f64) -> Option<(f64, f64)> {
        match &mut self.window {
            MomentWindow::Short(trail) => {
                let sums = trail.with(value).distances();
                trail.push(value);
                (trail.missing() == 0).then(|| around(value, sums, self.inverse))
            }
            MomentWindow::Long(running) => running.push(value),
        }
    }
    /// The same for at most [`CHUNK`] values: mean and variance, NaN until there are enough.
    pub(crate) fn run(&mut self, series: &[f64], means: &mut [f64], variances: &mut [f64]) {
        match &mut self.window {
            MomentWindow::Short(trail) => {
                let (missing, mut joined) = (trail.missing(), Joined::new());
                let (mut sums, mut squares) = ([0.0; CHUNK], [0.0; CHUNK]);
                trail::distances(trail.join(series, &mut joined), &mut sums, &mut squares);
                all_around(series, [&sums, &squares], self.inverse, means, variances);
                blank(missing, means);
                blank(missing, variances);
            }
            MomentWindow::Long(running) => {
                means.copy_from_slice(series);
                running.run(means, variances);
            }
        }
    }
}

/// Mean and variance from sum and sum of squares of the distances from a value.
#[inline(always)]
fn around(value: f64, [sum, squares]: [f64; 2], inverse: f64) -> (f64, f64) {
    let mean = sum * inverse;
    (value + mean, larger(squares * inverse - mean * mean, 0.0))
}

wide! {
    fn all_around(series: &[f64], sums: [&[f64; CHUNK]; 2], inverse: f64, means: &mut [f64], variances: &mut [f64]) {
        let results = means.iter_mut().zip(variances);
        for (((mean, variance), value), (sum, squares)) in results.zip(series).zip(sums[0].iter().zip(sums[1])) {
            (*mean, *variance) = around(*value, [*sum, *squares], inverse);
        }
    }
}

/// Moments of a longer window.
///
/// Values are summed relative to a recent mean, so that prices far from zero do not cancel, and afresh each time the
/// ring wraps and whenever too many digits were lost, so that nothing drifts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct RunningMoments {
    ring: Ring,
    shift: f64,
    sum: f64,
    sum_of_squares: f64,
    peak: f64,
    inverse: f64,
}

impl RunningMoments {
    fn new(len: usize) -> Self {
        let ring = Ring::new(len);
        Self { ring, shift: 0.0, sum: 0.0, sum_of_squares: 0.0, peak: 0.0, inverse: 1.0 / len as f64 }
    }
    /// Mean and variance, `None` until the window is full.
    #[inline(always)]
    fn push(&mut self, value: f64) -> Option<(f64, f64)> {
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
            self.peak = larger(self.peak, self.sum_of_squares);
            if self.sum_of_squares - self.sum * self.sum * self.inverse < self.peak * TRUST {
                self.refresh();
            }
        }
        Some(self.now())
    }
    #[inline(always)]
    fn now(&self) -> (f64, f64) {
        let mean = self.sum * self.inverse;
        (self.shift + mean, larger(self.sum_of_squares * self.inverse - mean * mean, 0.0))
    }
    /// The same for many values: `column` holds the values and then the means. NaN until there are enough.
    fn run(&mut self, column: &mut [f64], variances: &mut [f64]) {
        let mut row = 0;
        while row < column.len() {
            if self.ring.filled && self.ring.head as usize + 1 < self.ring.values.0.len() {
                row += self.run_within(&mut column[row..], &mut variances[row..]);
            } else {
                // Filling up, or the last place, where sums are computed from scratch.
                (column[row], variances[row]) = self.push(column[row]).unwrap_or((f64::NAN, f64::NAN));
                row += 1;
            }
        }
    }
    /// As many as fit before the last place of a full ring, at least one.
    #[inline]
    fn run_within(&mut self, column: &mut [f64], variances: &mut [f64]) -> usize {
        let (mut sum, mut squares, mut peak) = (self.sum, self.sum_of_squares, self.peak);
        let (shift, inverse) = (self.shift, self.inverse);
        let (mut done, mut trusted) = (0, true);
        let end = self.ring.values.0.len() - 1;
        let places = &mut self.ring.values.0[self.ring.head as usize..end];
        for ((value, variance), place) in column.iter_mut().zip(variances.iter_mut()).zip(places) {
            let (entering, leaving) = (*value - shift, std::mem::replace(place, *value) - shift);
            sum += entering - leaving;
            squares += (entering - leaving) * (entering + leaving);
            peak = larger(peak, squares);
            done += 1;
            if squares - sum * sum * inverse < peak * TRUST {
                trusted = false;
                break;
            }
            let mean = sum * inverse;
            *value = shift + mean;
            *variance = larger(squares * inverse - mean * mean, 0.0);
        }
        (self.sum, self.sum_of_squares, self.peak) = (sum, squares, peak);
        self.ring.advance(done);
        if !trusted {
            self.refresh();
            (column[done - 1], variances[done - 1]) = self.now();
        }
        done
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

/// The larger of two numbers in one instruction: [`f64::max`] takes more to tell what it thinks of NaN.
#[inline(always)]
pub(crate) fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
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
            let (mut late_high, mut late_low) = (Dated::<true>::new(len), Dated::<false>::new(len));
            for t in 0..values.len() {
                let x = values[t];
                prop_assert_eq!((high.clone().push(x), low.clone().push(x)), (late_high.push(x), late_low.push(x)));
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

    proptest! {
        /// Of any length, in chunks of any size, with zeros of both signs: the same bits.
        #[test]
        fn many_at_once_equal_one_by_one(
            values in prop::collection::vec(prop_oneof![-1e3f64..1e3, Just(0.0), Just(-0.0)], 1..400),
            len in 1usize..70,
            chunk in 1usize..=CHUNK,
        ) {
            let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            let (mut sum, mut moments) = (MovingSum::new(len), Moments::new(len));
            let (mut high, mut low) = (Extreme::<true>::new(len), Extreme::<false>::new(len));
            let before = (sum.clone(), moments.clone(), high.clone(), low.clone());
            let mut single = [vec![], vec![], vec![], vec![], vec![]];
            for value in &values {
                let (mean, variance) = moments.push(*value).unwrap_or((f64::NAN, f64::NAN));
                let sum = sum.push(*value).map_or(f64::NAN, |sum| sum * 0.5);
                let extremes = [high.push(*value), low.push(*value)].map(|extreme| extreme.unwrap_or(f64::NAN));
                for (column, value) in single.iter_mut().zip([sum, mean, variance, extremes[0], extremes[1]]) {
                    column.push(value);
                }
            }
            let mut joint = [(); 5].map(|()| vec![0.0; values.len()]);
            let (mut sums, mut joint_moments, mut highs, mut lows) = before;
            for (index, values) in values.chunks(chunk).enumerate() {
                let [a, b, c, d, e] = joint.each_mut().map(|column| &mut column[index * chunk..][..values.len()]);
                sums.run_into(values, a, 0.5);
                joint_moments.run(values, b, c);
                highs.run(values, d);
                lows.run(values, e);
            }
            for (joint, single) in joint.iter().zip(&single) {
                prop_assert_eq!(bits(joint), bits(single));
            }
            prop_assert_eq!((sums, joint_moments, highs, lows), (sum, moments, high, low));
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
