//! A whole series, 64 rows at a time.

use super::hikkake::Hikkakes;
use super::rules::{Context, ODD, Signals, evaluate};
use super::scanner::warm;
use super::sums::{ALL_MOVE, Parts, Steps, advance, begin};
use super::table::COUNT;
use super::view;
use super::words::*;
use super::{RowSignals, Scan};
use crate::ohlcv::Columns;

const ROWS: usize = 64;
/// Rows that are kept before those of the block: what sums and patterns reach back to.
const BACK: usize = 16;
const LEN: usize = BACK + ROWS;

/// All patterns of a series.
pub fn scan(candles: &Columns) -> Scan {
    let mut scan = Scan::default();
    scan_into(candles, &mut scan);
    scan
}

/// The same into a result that is used again.
pub fn scan_into(candles: &Columns, scan: &mut Scan) {
    scan.rows.clear();
    scan.rows.resize(candles.len(), RowSignals::default());
    let mut block = Block::new();
    let (mut now, mut before) = (Words::NONE, Words::NONE);
    let mut hikkakes = Hikkakes::NONE;
    let mut signals = Signals::NONE;
    for (start, rows) in (0..).step_by(ROWS).zip(scan.rows.chunks_mut(ROWS)) {
        block.load(candles, start, rows.len());
        std::mem::swap(&mut now, &mut before);
        block.observe(&mut now);
        let derived = Frame { now: &now, before: &before }.derived();
        for (index, bits) in derived.into_iter().enumerate() {
            now.set(GAP_UP + index, bits);
        }
        let valid = u64::MAX >> (ROWS - rows.len());
        let context = Context { frame: Frame { now: &now, before: &before }, columns: block.columns(), valid };
        evaluate(&context, &mut signals);
        let from_row = |first: u64| if start == 0 { u64::MAX << first } else { u64::MAX };
        hikkakes.evaluate(&context, from_row, &mut signals);
        by_row(&mut signals, rows);
        if start == 0 {
            for (row, signals) in rows.iter_mut().enumerate() {
                let warm = warm(row as u64);
                signals.hits &= warm;
                signals.bearish &= warm;
                signals.odd &= warm;
            }
        }
    }
}

/// Prices of 64 rows and some before them, their parts and moving sums.
struct Block {
    open: [f64; LEN],
    high: [f64; LEN],
    low: [f64; LEN],
    close: [f64; LEN],
    body: [f64; LEN],
    upper: [f64; LEN],
    lower: [f64; LEN],
    range: [f64; LEN],
    shadows: [f64; LEN],
    sums: [[f64; SUMS]; LEN],
    /// The sums of the first phase of each kind, once more by column.
    first_sums: [[f64; ROWS]; 3],
    /// How far the sums of different phases may be apart, by kind.
    apart: [f64; 3],
}

/// The sums of one kind: bodies, ranges, shadows.
const KINDS: [std::ops::Range<usize>; 3] = [0..5, 5..9, 9..12];

#[inline]
fn now(column: &[f64; LEN]) -> &[f64; ROWS] {
    column.last_chunk().expect("a column is longer than a block")
}
/// The rows before those of [`now`].
#[inline]
fn previous(column: &[f64; LEN]) -> &[f64; ROWS] {
    column[BACK - 1..].first_chunk().expect("a column is longer than a block and one row")
}

/// One bit per row.
#[inline]
fn pack(test: impl Fn(usize) -> bool) -> u64 {
    let mut bytes = [0u8; ROWS];
    for (row, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from(test(row));
    }
    // The product brings bit 0 of byte k to bit 56 + k; no two of its terms meet.
    let octet = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    bytes.as_chunks().0.iter().rev().fold(0, |word, bytes| word << 8 | octet(bytes))
}

impl Block {
    fn new() -> Self {
        let none = [0.0; LEN];
        Self {
            open: none,
            high: none,
            low: none,
            close: none,
            body: none,
            upper: none,
            lower: none,
            range: none,
            shadows: none,
            sums: [[0.0; SUMS]; LEN],
            first_sums: [[0.0; ROWS]; 3],
            apart: [f64::INFINITY; 3],
        }
    }

    /// Moves on to the rows from `start`; rows past the end of the series keep what was there.
    fn load(&mut self, candles: &Columns, start: usize, rows: usize) {
        for (column, source) in [
            (&mut self.open, candles.open()),
            (&mut self.high, candles.high()),
            (&mut self.low, candles.low()),
            (&mut self.close, candles.close()),
        ] {
            column.copy_within(ROWS.., 0);
            column[BACK..BACK + rows].copy_from_slice(&source[start..start + rows]);
        }
        for column in [&mut self.body, &mut self.upper, &mut self.lower, &mut self.range, &mut self.shadows] {
            column.copy_within(ROWS.., 0);
        }
        self.sums.copy_within(ROWS.., 0);
        for row in BACK..LEN {
            let parts = Parts::new(self.open[row], self.high[row], self.low[row], self.close[row]);
            self.body[row] = parts.body;
            self.upper[row] = parts.upper;
            self.lower[row] = parts.lower;
            self.range[row] = parts.range;
            self.shadows[row] = parts.shadows;
        }
        self.advance_sums(start == 0);
    }

    fn parts(&self, row: usize) -> Parts {
        Parts::new(self.open[row], self.high[row], self.low[row], self.close[row])
    }

    fn advance_sums(&mut self, first: bool) {
        let mut sums = self.sums[BACK - 1];
        for row in BACK..LEN {
            let steps = Steps {
                body: self.body[row - 1] - self.body[row - 11],
                range: self.range[row - 1] - self.range[row - 11],
                shadows: self.shadows[row - 1] - self.shadows[row - 11],
                range_of_five: self.range[row - 1] - self.range[row - 6],
            };
            let number = (row - BACK) as u64;
            if first && number < ALL_MOVE {
                begin(&mut sums, number, &steps, |back| self.parts(row - back));
            } else {
                advance(&mut sums, &steps);
            }
            self.sums[row] = sums;
            for (column, kind) in self.first_sums.iter_mut().zip(&KINDS) {
                column[row - BACK] = sums[kind.start];
            }
        }
        self.bound(first);
    }

    /// Sums of different phases take the same steps, so that they part only by rounding: at most one unit in the last
    /// place of the larger one for each row.
    fn bound(&mut self, first: bool) {
        const ROUNDING: f64 = 4.0 * ROWS as f64 * f64::EPSILON;
        for (index, kind) in KINDS.iter().enumerate() {
            let before = &self.sums[BACK - 1][kind.clone()];
            let apart = before.iter().fold(0.0, |most: f64, sum| most.max((sum - before[0]).abs()));
            let largest = self.first_sums[index].iter().fold(0.0, |most: f64, sum| most.max(sum.abs()));
            self.apart[index] = if first { f64::INFINITY } else { apart + (apart + largest) * ROUNDING };
        }
    }

    fn columns(&self) -> view::Columns<'_> {
        view::Columns {
            open: &self.open,
            high: &self.high,
            low: &self.low,
            close: &self.close,
            sums: &self.sums,
            price_origin: BACK as isize,
            sum_origin: BACK as isize,
        }
    }

    fn observe(&self, words: &mut Words) {
        self.observe_alone(words);
        self.observe_pairs(words);
        self.compare(words, &BODY, now(&self.body), 0);
        self.compare(words, &UPPER, now(&self.upper), 1);
        self.compare(words, &LOWER, now(&self.lower), 1);
        self.compare(words, &DOJI, now(&self.body), 1);
        self.compare(words, &UPPER_SHORT, now(&self.upper), 2);
        self.compare(words, &LOWER_SHORT, now(&self.lower), 2);
    }

    /// One comparison decides for all phases, unless the value is so near to the average that it has to be looked at
    /// exactly.
    #[inline]
    fn compare(&self, words: &mut Words, compare: &Compare, values: &[f64; ROWS], kind: usize) {
        let (sums, factor, apart) = (&self.first_sums[kind], compare.factor * 0.1, self.apart[kind]);
        let greater = pack(|row| values[row] > sums[row] * factor);
        // Written so that what cannot be compared counts as near.
        let far = pack(|row| (values[row] - sums[row] * factor).abs() > apart);
        for phase in 0..compare.phases {
            words.set(compare.gt(phase), greater & far);
            words.set(compare.lt(phase), !greater & far);
            words.set(compare.le(phase), !greater & far);
        }
        let mut near = !far;
        while near != 0 {
            let bit = near.trailing_zeros();
            words.compare(compare, bit, values[bit as usize], &self.sums[BACK + bit as usize]);
            near &= near - 1;
        }
    }

    fn observe_alone(&self, words: &mut Words) {
        let (open, close) = (now(&self.open), now(&self.close));
        let (body, upper, lower) = (now(&self.body), now(&self.upper), now(&self.lower));
        words.set(WHITE, pack(|row| close[row] >= open[row]));
        words.set(UPPER_GT_BODY, pack(|row| upper[row] > body[row]));
        words.set(LOWER_GT_BODY, pack(|row| lower[row] > body[row]));
        words.set(UPPER_GT_TWICE, pack(|row| upper[row] > 2.0 * body[row]));
        words.set(LOWER_GT_TWICE, pack(|row| lower[row] > 2.0 * body[row]));
    }

    fn observe_pairs(&self, words: &mut Words) {
        let (open, open_1) = (now(&self.open), previous(&self.open));
        let (high, high_1) = (now(&self.high), previous(&self.high));
        let (low, low_1) = (now(&self.low), previous(&self.low));
        let (close, close_1) = (now(&self.close), previous(&self.close));
        for (greater, less, column, before) in [
            (OO_GT, OO_LT, open, open_1),
            (OC_GT, OC_LT, open, close_1),
            (CO_GT, CO_LT, close, open_1),
            (CC_GT, CC_LT, close, close_1),
            (HH_GT, HH_LT, high, high_1),
            (LL_GT, LL_LT, low, low_1),
        ] {
            words.set(greater, pack(|row| column[row] > before[row]));
            words.set(less, pack(|row| column[row] < before[row]));
        }
        words.set(LH_GT, pack(|row| low[row] > high_1[row]));
        words.set(HL_LT, pack(|row| high[row] < low_1[row]));
        words.set(OH_GT, pack(|row| open[row] > high_1[row]));
        words.set(OL_LT, pack(|row| open[row] < low_1[row]));
    }
}

/// Turns words of rows into masks of patterns.
fn by_row(signals: &mut Signals, rows: &mut [RowSignals]) {
    let mut odd = [0u64; ROWS];
    for (id, word) in ODD.iter().zip(signals.odd) {
        let mut left = word;
        while left != 0 {
            odd[left.trailing_zeros() as usize] |= 1 << *id as usize;
            left &= left - 1;
        }
    }
    let mut hits = [0u64; ROWS];
    let mut bearish = [0u64; ROWS];
    for pattern in 0..COUNT {
        hits[pattern] = signals.bull[pattern] | signals.bear[pattern];
        bearish[pattern] = signals.bear[pattern];
    }
    transpose(&mut hits);
    transpose(&mut bearish);
    for (index, row) in rows.iter_mut().enumerate() {
        *row = RowSignals { hits: hits[index], bearish: bearish[index], odd: odd[index] };
    }
}

/// Swaps rows and columns of 64 × 64 bits, bit 0 being the first column (Hacker's Delight, 7-3).
fn transpose(bits: &mut [u64; 64]) {
    let mut mask = u64::MAX >> 32;
    for width in [32, 16, 8, 4, 2, 1] {
        for pair in bits.chunks_exact_mut(2 * width) {
            let (upper, lower) = pair.split_at_mut(width);
            for (a, b) in upper.iter_mut().zip(lower) {
                let swap = (*a >> width ^ *b) & mask;
                *a ^= swap << width;
                *b ^= swap;
            }
        }
        mask ^= mask << (width / 2);
    }
}
