//! Short windows, looked at as a whole.
//!
//! What cannot be kept running (distances from a moving mean) is computed anew for every candle. In a batch the windows of
//! neighbouring candles are computed side by side, which the processor does several at once. The order of the operations
//! is the same in both, so the bits are.

#![expect(clippy::inline_always, reason = "parts of loops that are compiled for wider instructions")]

use serde::{Deserialize, Serialize};

use super::Values;
use crate::indicator::CHUNK;
use crate::wide::wide;

/// The longest window that a batch computes side by side.
pub(crate) const SHORT: usize = 32;
/// Rows of a batch whose windows are folded side by side.
const SIDE: usize = 8;

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

/// A chunk of values behind those of the window before it.
pub(crate) struct Joined {
    values: [f64; CHUNK + SHORT],
    rows: usize,
    /// Values before the first row's own: the window is this and one long.
    older: usize,
}

impl Trail {
    pub(crate) fn new(len: usize) -> Self {
        Self { values: Values(vec![0.0; 2 * len]), head: 0, missing: len as u32 }
    }
    #[inline]
    fn len(&self) -> usize {
        self.values.0.len() / 2
    }
    /// How many values are missing until the window is full.
    #[inline]
    pub(crate) fn missing(&self) -> u32 {
        self.missing
    }
    /// Takes a value and gives the window with it; zeros stand for values that are missing.
    #[inline]
    pub(crate) fn push(&mut self, value: f64) -> &[f64] {
        let (len, head) = (self.len(), self.head as usize);
        self.values.0[head] = value;
        self.values.0[head + len] = value;
        self.missing = self.missing.saturating_sub(1);
        self.head = if head + 1 == len { 0 } else { self.head + 1 };
        &self.values.0[head + 1..][..len]
    }
    /// Whether the window may be joined with a chunk.
    #[inline]
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
        Self { values: [0.0; CHUNK + SHORT], rows: 0, older: 0 }
    }
}

/// `N` neighbouring windows in one piece: the first begins with the piece, the last ends with it.
#[derive(Clone, Copy)]
struct Windows<'a, const N: usize>(&'a [f64]);

impl<const N: usize> Windows<'_, N> {
    #[inline(always)]
    fn newest(self) -> [f64; N] {
        load(&self.0[self.0.len() - N..])
    }
    /// Folds `f` of all values but the newest: four interleaved lanes, then those, then the rest.
    #[inline(always)]
    fn fold(self, start: f64, f: impl Fn([f64; N]) -> [f64; N], of: impl Fn(f64, f64) -> f64) -> [f64; N] {
        let older = self.0.len() - N;
        let mut lanes = [[start; N]; 4];
        let mut place = 0;
        while place + 4 <= older {
            let four = &self.0[place..place + 3 + N];
            for (lane, folded) in lanes.iter_mut().enumerate() {
                *folded = both(*folded, f(load(&four[lane..lane + N])), &of);
            }
            place += 4;
        }
        let [a, b, c, d] = lanes;
        let mut folded = both(both(a, b, &of), both(c, d, &of), &of);
        while place < older {
            folded = both(folded, f(load(&self.0[place..place + N])), &of);
            place += 1;
        }
        folded
    }
    /// Σ f(value). The newest value comes last: it was only just written, and a wide load across it would wait for that.
    #[inline(always)]
    fn sum(self, f: impl Fn([f64; N]) -> [f64; N]) -> [f64; N] {
        both(self.fold(0.0, &f, |a, b| a + b), f(self.newest()), |a, b| a + b)
    }
    /// Mean and mean absolute deviation.
    #[inline(always)]
    fn deviation(self, inverse: f64) -> [[f64; N]; 2] {
        let means = map(self.sum(|values| values), |sum| sum * inverse);
        let sums = self.sum(|values| both(values, means, |value, mean| (value - mean).abs()));
        [means, map(sums, |sum| sum * inverse)]
    }
}

#[inline(always)]
fn load<const N: usize>(values: &[f64]) -> [f64; N] {
    let mut array = [0.0; N];
    array.copy_from_slice(values);
    array
}

#[inline(always)]
fn map<const N: usize>(mut values: [f64; N], f: impl Fn(f64) -> f64) -> [f64; N] {
    for value in &mut values {
        *value = f(*value);
    }
    values
}

#[inline(always)]
fn both<const N: usize>(mut a: [f64; N], b: [f64; N], f: impl Fn(f64, f64) -> f64) -> [f64; N] {
    for (a, b) in a.iter_mut().zip(b) {
        *a = f(*a, b);
    }
    a
}

#[inline]
pub(crate) fn sum_of_window(window: &[f64]) -> f64 {
    let [sum] = Windows(window).sum(|values| values);
    sum
}

#[inline]
pub(crate) fn deviation_of_window(window: &[f64], inverse: f64) -> (f64, f64) {
    let [[mean], [deviation]] = Windows(window).deviation(inverse);
    (mean, deviation)
}

/// Runs `of` for the windows of all rows, [`SIDE`] at once as far as they go.
macro_rules! rows {
    ($joined:ident, |$windows:ident, $row:ident, $n:ident| $of:expr) => {{
        let mut $row = 0;
        while $row + SIDE <= $joined.rows {
            const $n: usize = SIDE;
            let $windows = Windows::<SIDE>(&$joined.values[$row..][..$joined.older + SIDE]);
            $of;
            $row += SIDE;
        }
        while $row < $joined.rows {
            const $n: usize = 1;
            let $windows = Windows::<1>(&$joined.values[$row..][..$joined.older + 1]);
            $of;
            $row += 1;
        }
    }};
}

wide! {
    /// The sum of each row's window.
    pub(crate) fn sums(joined: &Joined, out: &mut [f64]) {
        rows!(joined, |windows, row, N| out[row..][..N].copy_from_slice(&windows.sum(|values| values)));
    }

    pub(crate) fn deviations(joined: &Joined, inverse: f64, means: &mut [f64], deviations: &mut [f64]) {
        rows!(joined, |windows, row, N| {
            let [mean, deviation] = windows.deviation(inverse);
            means[row..][..N].copy_from_slice(&mean);
            deviations[row..][..N].copy_from_slice(&deviation);
        });
    }
}
