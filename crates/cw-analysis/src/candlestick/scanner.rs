//! One candle after another.

use serde::{Deserialize, Serialize};

use super::hikkake::Hikkakes;
use super::rules::{Context, Signals, evaluate};
use super::sums::{ALL_MOVE, Parts, REACH, Steps, advance, begin};
use super::table::PATTERNS;
use super::view::Columns;
use super::words::*;
use super::{RowSignals, collect};
use crate::ohlcv::{ColumnSlice, Ohlcv};

/// Prices that are kept: the newest and those that its moving sums reach back to.
const KEPT: usize = REACH + 1;
/// Rows whose sums are kept: the longest pattern's.
const SUM_ROWS: usize = 5;

/// All patterns, one closed candle at a time.
///
/// The state is plain data of about two kilobytes: clone it to branch, serialize it to go on later. Nothing allocates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scanner {
    /// How many candles were pushed, counted as far as warming up needs.
    rows: u64,
    open: [f64; KEPT],
    high: [f64; KEPT],
    low: [f64; KEPT],
    close: [f64; KEPT],
    sums: [[f64; SUMS]; SUM_ROWS],
    words: Words,
    hikkakes: Hikkakes,
}

impl Default for Scanner {
    fn default() -> Self {
        Self::new()
    }
}

impl Scanner {
    pub const fn new() -> Self {
        let none = [0.0; KEPT];
        Self {
            rows: 0,
            open: none,
            high: none,
            low: none,
            close: none,
            sums: [[0.0; SUMS]; SUM_ROWS],
            words: Words::NONE,
            hikkakes: Hikkakes::NONE,
        }
    }

    /// Takes the next closed candle and gives the patterns that it completes.
    pub fn push(&mut self, candle: &Ohlcv) -> RowSignals {
        self.take(candle);
        let row = self.rows;
        self.rows = (row + 1).min(1 << 32);
        self.advance_sums(row);
        self.observe(candle);
        let derived = Frame { now: &self.words, before: &Words::NONE }.derived();
        for (index, bits) in derived.into_iter().enumerate() {
            self.words.set_bit(GAP_UP + index, 63, bits >> 63 == 1);
        }
        let context = Context {
            frame: Frame { now: &self.words, before: &Words::NONE },
            columns: Columns {
                open: &self.open,
                high: &self.high,
                low: &self.low,
                close: &self.close,
                sums: &self.sums,
                price_origin: KEPT as isize - 64,
                sum_origin: SUM_ROWS as isize - 64,
            },
            valid: 1 << 63,
        };
        let mut signals = Signals::NONE;
        evaluate(&context, &mut signals);
        self.hikkakes.evaluate(&context, |first| if row >= first { u64::MAX } else { 0 }, &mut signals);
        collect(&signals, 63, warm(row))
    }

    /// The patterns if this forming candle closed now. The state stays as it is.
    pub fn preview(&self, forming: &Ohlcv) -> RowSignals {
        self.clone().push(forming)
    }

    /// Takes in what comes before the candles whose patterns are asked for, as a fresh scanner: of these rows prices and
    /// moving sums are kept, which go on from the first row to the last.
    pub(crate) fn warm_up(&mut self, candles: &ColumnSlice<'_>) {
        let nothing = Parts::new(0.0, 0.0, 0.0, 0.0);
        let parts: Vec<Parts> = candles.rows().map(|c| Parts::new(c.open, c.high, c.low, c.close)).collect();
        let mut sums = self.sums[SUM_ROWS - 1];
        for row in 0..parts.len() {
            let before = |back: usize| row.checked_sub(back).map_or(nothing, |at| parts[at]);
            let steps = Steps::of(before(1), before(11), before(6));
            if (row as u64) < ALL_MOVE {
                begin(&mut sums, row as u64, &steps, before);
            } else {
                advance(&mut sums, &steps);
            }
            if row + SUM_ROWS >= parts.len() {
                self.sums.rotate_left(1);
                self.sums[SUM_ROWS - 1] = sums;
            }
        }
        for (column, source) in [
            (&mut self.open, candles.open),
            (&mut self.high, candles.high),
            (&mut self.low, candles.low),
            (&mut self.close, candles.close),
        ] {
            let kept = source.len().min(KEPT);
            column[KEPT - kept..].copy_from_slice(&source[source.len() - kept..]);
        }
        self.rows = parts.len() as u64;
    }

    fn take(&mut self, candle: &Ohlcv) {
        for (column, value) in [
            (&mut self.open, candle.open),
            (&mut self.high, candle.high),
            (&mut self.low, candle.low),
            (&mut self.close, candle.close),
        ] {
            column.copy_within(1.., 0);
            column[KEPT - 1] = value;
        }
        self.words.shift();
    }

    /// The parts of the candle `back` rows before the newest.
    fn parts(&self, back: usize) -> Parts {
        let at = KEPT - 1 - back;
        Parts::new(self.open[at], self.high[at], self.low[at], self.close[at])
    }

    fn advance_sums(&mut self, row: u64) {
        let (entering, leaving, leaving_five) = (self.parts(1), self.parts(11), self.parts(6));
        let steps = Steps::of(entering, leaving, leaving_five);
        let mut sums = self.sums[SUM_ROWS - 1];
        if row < ALL_MOVE {
            begin(&mut sums, row, &steps, |back| self.parts(back));
        } else {
            advance(&mut sums, &steps);
        }
        self.sums.copy_within(1.., 0);
        self.sums[SUM_ROWS - 1] = sums;
    }

    fn observe(&mut self, candle: &Ohlcv) {
        let parts = self.parts(0);
        let sums = &self.sums[SUM_ROWS - 1];
        for (compare, value) in [
            (&BODY, parts.body),
            (&UPPER, parts.upper),
            (&LOWER, parts.lower),
            (&DOJI, parts.body),
            (&UPPER_SHORT, parts.upper),
            (&LOWER_SHORT, parts.lower),
        ] {
            self.words.compare(compare, 63, value, sums);
        }
        let (open, high, low, close) = (candle.open, candle.high, candle.low, candle.close);
        let last = KEPT - 2;
        let (open_1, high_1, low_1, close_1) = (self.open[last], self.high[last], self.low[last], self.close[last]);
        for (word, value) in [
            (WHITE, close >= open),
            (UPPER_GT_BODY, parts.upper > parts.body),
            (LOWER_GT_BODY, parts.lower > parts.body),
            (UPPER_GT_TWICE, parts.upper > 2.0 * parts.body),
            (LOWER_GT_TWICE, parts.lower > 2.0 * parts.body),
            (OO_GT, open > open_1),
            (OO_LT, open < open_1),
            (OC_GT, open > close_1),
            (OC_LT, open < close_1),
            (CO_GT, close > open_1),
            (CO_LT, close < open_1),
            (CC_GT, close > close_1),
            (CC_LT, close < close_1),
            (HH_GT, high > high_1),
            (HH_LT, high < high_1),
            (LL_GT, low > low_1),
            (LL_LT, low < low_1),
            (LH_GT, low > high_1),
            (HL_LT, high < low_1),
            (OH_GT, open > high_1),
            (OL_LT, open < low_1),
        ] {
            self.words.set_bit(word, 63, value);
        }
    }
}

/// The patterns that can have a signal in row `row` of a series.
pub(super) fn warm(row: u64) -> u64 {
    if row >= ALL_MOVE {
        return u64::MAX;
    }
    PATTERNS
        .iter()
        .enumerate()
        .fold(0, |mask, (index, pattern)| mask | u64::from(row >= u64::from(pattern.warm_up)) << index)
}
