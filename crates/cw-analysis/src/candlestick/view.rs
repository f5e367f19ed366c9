//! Exact prices and averages around one row, for conditions that are too rare to be computed for every row.

use super::words::{FIVE, SUMS};

/// Columns of prices with some rows of history, and the moving sums of each row.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    pub(super) open: &'a [f64],
    pub(super) high: &'a [f64],
    pub(super) low: &'a [f64],
    pub(super) close: &'a [f64],
    pub(super) sums: &'a [[f64; SUMS]],
    /// The index in the prices, and in the sums, of bit 0 of the words. Negative: only high bits are ever asked for.
    pub(super) price_origin: isize,
    pub(super) sum_origin: isize,
}

impl<'a> Columns<'a> {
    /// The candidates of which `test` is true.
    #[inline]
    pub(super) fn keep(&self, mut candidates: u64, test: impl Fn(Row<'a>) -> bool) -> u64 {
        let mut kept = 0;
        while candidates != 0 {
            let bit = candidates.trailing_zeros();
            if test(self.row(bit)) {
                kept |= 1 << bit;
            }
            candidates &= candidates - 1;
        }
        kept
    }
    #[inline]
    pub(super) fn row(&self, bit: u32) -> Row<'a> {
        let index = |origin: isize| origin.wrapping_add(bit as isize) as usize;
        Row { columns: *self, price: index(self.price_origin), sum: index(self.sum_origin) }
    }
}

/// One row; `lag` counts back from it.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    columns: Columns<'a>,
    price: usize,
    sum: usize,
}

/// The phases of the sums of five ranges.
#[derive(Clone, Copy)]
pub(super) enum Five {
    P5,
    P6,
    P10,
    P11,
}

impl Row<'_> {
    #[inline]
    pub(super) fn open(&self, lag: usize) -> f64 {
        self.columns.open[self.price - lag]
    }
    #[inline]
    pub(super) fn high(&self, lag: usize) -> f64 {
        self.columns.high[self.price - lag]
    }
    #[inline]
    pub(super) fn low(&self, lag: usize) -> f64 {
        self.columns.low[self.price - lag]
    }
    #[inline]
    pub(super) fn close(&self, lag: usize) -> f64 {
        self.columns.close[self.price - lag]
    }
    #[inline]
    pub(super) fn body(&self, lag: usize) -> f64 {
        (self.close(lag) - self.open(lag)).abs()
    }
    /// The upper end of the body.
    #[inline]
    pub(super) fn top(&self, lag: usize) -> f64 {
        self.open(lag).max(self.close(lag))
    }
    /// The lower end of the body.
    #[inline]
    pub(super) fn bottom(&self, lag: usize) -> f64 {
        self.open(lag).min(self.close(lag))
    }
    #[inline]
    fn five(&self, phase: Five, lag: usize) -> f64 {
        self.columns.sums[self.sum - lag][FIVE + phase as usize] / 5.0
    }
    #[inline]
    pub(super) fn near(&self, phase: Five, lag: usize) -> f64 {
        0.2 * self.five(phase, lag)
    }
    #[inline]
    pub(super) fn far(&self, phase: Five, lag: usize) -> f64 {
        0.6 * self.five(phase, lag)
    }
    #[inline]
    fn equal(&self, phase: Five, lag: usize) -> f64 {
        0.05 * self.five(phase, lag)
    }
    /// Whether `price` is about `level`, the averages being those of the candle `lag` rows ago.
    #[inline]
    pub(super) fn about(&self, price: f64, level: f64, phase: Five, lag: usize) -> bool {
        let equal = self.equal(phase, lag);
        price <= level + equal && price >= level - equal
    }
    /// Whether `price` is at most `level` or barely above.
    #[inline]
    pub(super) fn at_most(&self, price: f64, level: f64, phase: Five, lag: usize) -> bool {
        price <= level + self.equal(phase, lag)
    }
    /// The doji limit of the candle `lag` rows ago, in phase 10.
    #[inline]
    pub(super) fn doji(&self, lag: usize) -> f64 {
        0.1 * (self.columns.sums[self.sum - lag][super::words::DOJI.sums] / 10.0)
    }
    /// A close that is more than `part` of the white body `lag` rows ago below its close.
    #[inline]
    pub(super) fn closes_into_white(&self, lag: usize, part: f64) -> bool {
        self.close(0) < self.close(lag) - self.body(lag) * part
    }
    /// The level that is `part` of the black body `lag` rows ago above its close. TA-Lib rounds once.
    #[inline]
    pub(super) fn inside_black(&self, lag: usize, part: f64) -> f64 {
        libm::fma(self.body(lag), part, self.close(lag))
    }
}
