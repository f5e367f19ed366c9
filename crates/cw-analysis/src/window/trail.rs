//! Short windows, looked at as a whole.
//!
//! Nothing is kept running, so nothing drifts and no spike leaves a trace. In a batch the windows of neighbouring candles
//! are computed side by side, which the processor does several at once, and what they share (sums of values four places
//! apart) is computed once. The order of the operations is the same in both ways of computing, so the bits are: all but
//! the few oldest values are added up in four interleaved lanes, oldest first, then the lanes, then those few before.

use serde::{Deserialize, Serialize};

use super::Values;
use crate::indicator::CHUNK;
use crate::wide::wide;

/// The longest window that is looked at as a whole.
pub(crate) const SHORT: usize = 32;
/// Rows that are computed at once where rows behind the last do no harm.
const SIDE: usize = 8;
const LANES: usize = 4;

/// The newest `len` values, oldest first and in one piece.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trail {
    /// Every value twice, `len` places apart, so that some `len` places in a row are always the window.
    values: Values,
    /// Where the oldest value is, and the next one goes.
    head: u32,
    /// Values still missing.
    missing: u32,
}

/// A window whose newest value is not in memory yet: a wide load across a value just written would wait for it.
#[derive(Clone, Copy)]
pub(crate) struct Window<'a> {
    /// Oldest first; the last place holds something else.
    values: &'a [f64],
    newest: f64,
}

/// A chunk of values behind those of the window before it.
pub(crate) struct Joined {
    values: [f64; CHUNK + SHORT + SIDE],
    rows: usize,
    /// Values before the first row's own: the window is this and one long.
    older: usize,
}

impl Trail {
    pub(crate) fn new(len: usize) -> Self {
        let len = len.max(1);
        Self { values: Values(vec![0.0; 2 * len]), head: 0, missing: len as u32 }
    }
    #[inline(always)]
    fn len(&self) -> usize {
        self.values.0.len() / 2
    }
    /// How many values are missing until the window is full.
    #[inline(always)]
    pub(crate) fn missing(&self) -> u32 {
        self.missing
    }
    /// The window as it is once `value` is taken; zeros stand for values that are missing.
    #[inline(always)]
    pub(crate) fn with(&self, value: f64) -> Window<'_> {
        Window { values: &self.values.0[self.head as usize + 1..][..self.len()], newest: value }
    }
    #[inline(always)]
    pub(crate) fn push(&mut self, value: f64) {
        let (len, head) = (self.len(), self.head as usize);
        self.values.0[head] = value;
        self.values.0[head + len] = value;
        self.missing = self.missing.saturating_sub(1);
        self.head = if head + 1 == len { 0 } else { self.head + 1 };
    }
    /// Whether the window may be joined with a chunk.
    #[inline(always)]
    pub(crate) fn is_short(&self) -> bool {
        self.len() <= SHORT
    }
    /// Takes at most [`CHUNK`] values and gives them with those before. Short windows only.
    pub(crate) fn join<'a>(&mut self, column: &[f64], joined: &'a mut Joined) -> &'a Joined {
        let (len, head, rows) = (self.len(), self.head as usize, column.len());
        (joined.rows, joined.older) = (rows, len - 1);
        joined.values[..len - 1].copy_from_slice(&self.values.0[head + 1..][..len - 1]);
        joined.values[len - 1..][..rows].copy_from_slice(column);
        self.missing = self.missing.saturating_sub(rows as u32);
        self.head = ((head + rows) % len) as u32;
        // The window ends before the head, so its oldest value goes there.
        let head = self.head as usize;
        let (early, late) = joined.values[(rows + len - 1).saturating_sub(len)..][..len].split_at(len - head);
        if rows > 0 {
            for half in self.values.0.chunks_exact_mut(len) {
                half[head..].copy_from_slice(early);
                half[..head].copy_from_slice(late);
            }
        }
        joined
    }
}

/// Blanks the rows whose window was not complete, if `missing` values were missing before the first.
#[inline]
pub(crate) fn blank(missing: u32, column: &mut [f64]) {
    let blank = (missing as usize).saturating_sub(1).min(column.len());
    column[..blank].fill(f64::NAN);
}

impl Joined {
    pub(crate) fn new() -> Self {
        Self { values: [0.0; CHUNK + SHORT + SIDE], rows: 0, older: 0 }
    }
    fn len(&self) -> usize {
        self.older + 1
    }
}

impl Window<'_> {
    /// Every four of the window's newest values, oldest first, and the few before them.
    #[inline(always)]
    fn each(self, mut few: impl FnMut(f64), mut four: impl FnMut([f64; LANES])) {
        let (head, body) = self.values.split_at(self.values.len() % LANES);
        let (fours, _) = body.as_chunks::<LANES>();
        if let [fours @ .., last] = fours {
            for value in head {
                few(*value);
            }
            for values in fours {
                four(*values);
            }
            four([last[0], last[1], last[2], self.newest]);
        } else if let [head @ .., _] = head {
            for value in head {
                few(*value);
            }
            few(self.newest);
        }
    }
    #[inline(always)]
    fn sum_of(self, f: impl Fn(f64) -> f64) -> f64 {
        let (mut few, mut lanes) = (0.0, [0.0; LANES]);
        self.each(|value| few += f(value), |values| lanes = both(lanes, map(values, &f), |a, b| a + b));
        few + ((lanes[0] + lanes[2]) + (lanes[1] + lanes[3]))
    }
    #[inline(always)]
    pub(crate) fn sum(self) -> f64 {
        self.sum_of(|value| value)
    }
    /// Mean and mean absolute deviation.
    #[inline(always)]
    pub(crate) fn deviation(self, inverse: f64) -> (f64, f64) {
        let mean = self.sum() * inverse;
        (mean, self.sum_of(|value| (value - mean).abs()) * inverse)
    }
    /// Sum and sum of squares of the distances from the newest value.
    #[inline(always)]
    pub(crate) fn distances(self) -> [f64; 2] {
        let newest = self.newest;
        let (mut few, mut sums, mut squares) = ([0.0; 2], [0.0; LANES], [0.0; LANES]);
        self.each(
            |value| few = [few[0] + (value - newest), (value - newest).mul_add(value - newest, few[1])],
            |values| {
                let distances = map(values, |value| value - newest);
                sums = both(sums, distances, |a, b| a + b);
                squares = both(squares, distances, |square, distance| distance.mul_add(distance, square));
            },
        );
        let total = |lanes: [f64; LANES]| (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
        [few[0] + total(sums), few[1] + total(squares)]
    }
}

/// The larger of two numbers if `HIGHEST`, else the smaller.
#[inline(always)]
pub(crate) fn better<const HIGHEST: bool>(a: f64, b: f64) -> f64 {
    if (HIGHEST && a > b) || (!HIGHEST && a < b) { a } else { b }
}

#[inline(always)]
pub(crate) fn load<const N: usize>(values: &[f64]) -> [f64; N] {
    let mut array = [0.0; N];
    array.copy_from_slice(&values[..N]);
    array
}

#[inline(always)]
pub(crate) fn map<const N: usize>(mut values: [f64; N], f: impl Fn(f64) -> f64) -> [f64; N] {
    for value in &mut values {
        *value = f(*value);
    }
    values
}

#[inline(always)]
pub(crate) fn both<const N: usize>(mut a: [f64; N], b: [f64; N], f: impl Fn(f64, f64) -> f64) -> [f64; N] {
    for (a, b) in a.iter_mut().zip(b) {
        *a = f(*a, b);
    }
    a
}

/// Sums over the windows of [`SIDE`] neighbouring rows, the first of which begins with `values`; `f` adds a value of
/// each. Lane by lane, so that the compiler sees one way to do several rows at once.
#[inline(always)]
fn side_by_side<const M: usize>(values: &[f64], len: usize, f: impl Fn(&mut Sides<M>, [f64; SIDE])) -> Sides<M> {
    let (few, values) = (len % LANES, &values[..len - 1 + SIDE]);
    let mut sums = every(values, 0..few, 1, &f);
    let a = every(values, few..len, LANES, &f);
    let b = every(values, few + 1..len, LANES, &f);
    let c = every(values, few + 2..len, LANES, &f);
    let d = every(values, few + 3..len, LANES, &f);
    for (at, sum) in sums.iter_mut().enumerate() {
        *sum = add(*sum, add(add(a[at], c[at]), add(b[at], d[at])));
    }
    sums
}

/// `M` numbers of each of some neighbouring rows.
type Sides<const M: usize> = [[f64; SIDE]; M];

/// The sums over places that are `step` apart.
#[inline(always)]
fn every<const M: usize>(
    values: &[f64],
    places: std::ops::Range<usize>,
    step: usize,
    f: &impl Fn(&mut Sides<M>, [f64; SIDE]),
) -> Sides<M> {
    let mut sums = [[0.0; SIDE]; M];
    let mut place = places.start;
    while place < places.end {
        f(&mut sums, load(&values[place..]));
        place += step;
    }
    sums
}

#[inline(always)]
fn add<const N: usize>(a: [f64; N], b: [f64; N]) -> [f64; N] {
    both(a, b, |a, b| a + b)
}

/// The first row of every [`SIDE`]; those of the last may be behind the chunk, where there is room.
#[inline(always)]
fn sides(rows: usize) -> impl Iterator<Item = usize> {
    (0..rows.next_multiple_of(SIDE)).step_by(SIDE)
}

wide! {
    /// The sum of each row's window, times `scale`, and the last one unscaled.
    pub(crate) fn sums(joined: &Joined, scale: f64, out: &mut [f64]) -> f64 {
        let len = joined.len();
        let few = len % LANES;
        // Sums of values that are four places apart, which four neighbouring rows share.
        let mut lanes = [0.0; CHUNK + 2 * SIDE];
        if len >= LANES {
            for row in sides(joined.rows + LANES - 1) {
                let mut sum = [0.0; SIDE];
                let mut place = row + few;
                while place < row + len {
                    sum = both(sum, load(&joined.values[place..]), |a, b| a + b);
                    place += LANES;
                }
                lanes[row..row + SIDE].copy_from_slice(&sum);
            }
        }
        let mut pairs = [0.0; CHUNK + 1];
        let pairs = &mut pairs[..=joined.rows];
        for ((pair, early), late) in pairs.iter_mut().zip(&lanes).zip(&lanes[2..]) {
            *pair = early + late;
        }
        for place in 0..few {
            let values = &joined.values[place..][..joined.rows];
            for (sum, value) in out.iter_mut().zip(values) {
                *sum = if place == 0 { *value } else { *sum + value };
            }
        }
        for (sum, pair) in out.iter_mut().zip(pairs.array_windows::<2>()) {
            *sum = if few == 0 { 0.0 } else { *sum } + (pair[0] + pair[1]);
        }
        let last = out.last().copied().unwrap_or_default();
        for sum in out {
            *sum *= scale;
        }
        last
    }

    /// Mean and mean absolute deviation of each row's window.
    pub(crate) fn deviations(joined: &Joined, inverse: f64, means: &mut [f64; CHUNK], deviations: &mut [f64; CHUNK]) {
        sums(joined, inverse, &mut means[..joined.rows]);
        for row in sides(joined.rows) {
            let middle: [f64; SIDE] = load(&means[row..]);
            let [sum] = side_by_side(&joined.values[row..], joined.len(), |[sum], values| {
                *sum = add(*sum, both(values, middle, |value, mean| (value - mean).abs()));
            });
            deviations[row..row + SIDE].copy_from_slice(&map(sum, |sum| sum * inverse));
        }
    }

    /// Sum and sum of squares of the distances from the newest value of each row's window.
    pub(crate) fn distances(joined: &Joined, sums: &mut [f64; CHUNK], squares: &mut [f64; CHUNK]) {
        for row in sides(joined.rows) {
            let newest: [f64; SIDE] = load(&joined.values[row + joined.older..]);
            let [sum, square] = side_by_side(&joined.values[row..], joined.len(), |[sum, square], values| {
                let distances = both(values, newest, |value, newest| value - newest);
                *sum = add(*sum, distances);
                *square = both(*square, distances, |square, distance| distance.mul_add(distance, square));
            });
            sums[row..row + SIDE].copy_from_slice(&sum);
            squares[row..row + SIDE].copy_from_slice(&square);
        }
    }

    /// The extremes of all windows within the values, by doubling: of two values, of two such pairs, and so on.
    pub(crate) fn extremes<const HIGHEST: bool>(values: &[f64], len: usize, out: &mut [f64]) {
        let (mut one, mut other) = ([0.0; CHUNK], [0.0; CHUNK]);
        one[..values.len()].copy_from_slice(values);
        let (mut from, mut to) = (&mut one, &mut other);
        let mut span = 1;
        while 2 * span <= len {
            let pairs = from.iter().zip(&from[span..]);
            for (wider, (early, late)) in to[..=values.len() - 2 * span].iter_mut().zip(pairs) {
                *wider = better::<HIGHEST>(*early, *late);
            }
            std::mem::swap(&mut from, &mut to);
            span *= 2;
        }
        for ((out, early), late) in out.iter_mut().zip(&*from).zip(&from[len - span..]) {
            *out = better::<HIGHEST>(*early, *late) + 0.0;
        }
    }
}
