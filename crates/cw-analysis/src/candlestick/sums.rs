//! TA-Lib's moving sums of bodies, ranges and shadows, each from the row where TA-Lib begins it.

use super::words::{FIVE, SUMS};

/// The row of the first average of each sum: its phase.
const STARTS: [u64; SUMS] = [10, 11, 12, 13, 14, 10, 11, 12, 13, 10, 11, 12, 5, 6, 10, 11];
/// From this row on every sum moves.
pub(super) const ALL_MOVE: u64 = 15;
/// How many candles back the longest sum reaches, the one that leaves it included.
pub(super) const REACH: usize = 11;

/// The parts of a candle that are summed: body, range and both shadows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts {
    pub(super) body: f64,
    pub(super) upper: f64,
    pub(super) lower: f64,
    pub(super) range: f64,
    pub(super) shadows: f64,
}

impl Parts {
    #[inline]
    pub(super) fn new(open: f64, high: f64, low: f64, close: f64) -> Self {
        let (upper, lower) = (high - open.max(close), open.min(close) - low);
        Self { body: (close - open).abs(), upper, lower, range: high - low, shadows: upper + lower }
    }
}

/// What one row adds to the sums: the candle before it enters, the one before the window leaves.
#[derive(Clone, Copy)]
pub(super) struct Steps {
    pub(super) body: f64,
    pub(super) range: f64,
    pub(super) shadows: f64,
    pub(super) range_of_five: f64,
}

impl Steps {
    #[inline]
    pub(super) fn of(entering: Parts, leaving: Parts, leaving_five: Parts) -> Self {
        Self {
            body: entering.body - leaving.body,
            range: entering.range - leaving.range,
            shadows: entering.shadows - leaving.shadows,
            range_of_five: entering.range - leaving_five.range,
        }
    }
}

#[inline]
pub(super) fn advance(sums: &mut [f64; SUMS], steps: &Steps) {
    let (ten, five) = sums.split_at_mut(FIVE);
    let (bodies, ten) = ten.split_at_mut(5);
    let (ranges, shadows) = ten.split_at_mut(4);
    for (group, step) in
        [(bodies, steps.body), (ranges, steps.range), (shadows, steps.shadows), (five, steps.range_of_five)]
    {
        for sum in group {
            *sum += step;
        }
    }
}

/// The same for the first rows of a series, where sums begin. `before(k)` is the candle `k` rows before this one.
#[inline(never)]
pub(super) fn begin(sums: &mut [f64; SUMS], row: u64, steps: &Steps, before: impl Fn(usize) -> Parts) {
    let moving = {
        let mut moving = *sums;
        advance(&mut moving, steps);
        moving
    };
    for index in 0..SUMS {
        let period = if index < FIVE { 10 } else { 5 };
        sums[index] = match row {
            row if row < STARTS[index] => 0.0,
            row if row > STARTS[index] => moving[index],
            _ => (1..=period).rev().fold(0.0, |sum, back| {
                let parts = before(back);
                sum + match index {
                    0..5 => parts.body,
                    9..12 => parts.shadows,
                    _ => parts.range,
                }
            }),
        };
    }
}
