//! What is true of each candle, one bit per row in words of 64 rows: patterns are then a few bit operations for all
//! rows at once.

use serde::{Deserialize, Serialize};

/// A comparison of a candle's part with an average of the candles before it.
///
/// TA-Lib adds up each average in a moving sum that begins where the function's first row needs it, so that the same
/// average of the same row differs in its last digits from function to function. Prices in ticks meet their averages
/// exactly often enough for that to show. Hence one sum, and one bit, per start ("phase"): the phase of a rule that
/// looks `k` candles back is the function's first row less `k`, less 10.
pub(super) struct Compare {
    /// The words of "greater", "less" and "less or equal" begin here, one word per phase.
    pub(super) words: usize,
    pub(super) phases: usize,
    /// The first of its sums.
    pub(super) sums: usize,
    pub(super) factor: f64,
}

/// Bodies against the average body: long and short.
pub(super) const BODY: Compare = Compare { words: 0, phases: 5, sums: 0, factor: 1.0 };
/// Upper shadows against a tenth of the average range: very short.
pub(super) const UPPER: Compare = Compare { words: 15, phases: 4, sums: 5, factor: 0.1 };
/// The same for lower shadows.
pub(super) const LOWER: Compare = Compare { words: 27, phases: 4, sums: 5, factor: 0.1 };
/// Bodies against a tenth of the average range: doji.
pub(super) const DOJI: Compare = Compare { words: 39, phases: 2, sums: 5, factor: 0.1 };
/// Upper shadows against half the average of both shadows: short.
pub(super) const UPPER_SHORT: Compare = Compare { words: 45, phases: 3, sums: 9, factor: 0.5 };
/// The same for lower shadows.
pub(super) const LOWER_SHORT: Compare = Compare { words: 54, phases: 1, sums: 9, factor: 0.5 };

impl Compare {
    pub(super) const fn gt(&self, phase: usize) -> usize {
        self.words + phase
    }
    pub(super) const fn lt(&self, phase: usize) -> usize {
        self.words + self.phases + phase
    }
    pub(super) const fn le(&self, phase: usize) -> usize {
        self.words + 2 * self.phases + phase
    }
}

/// How many moving sums there are: bodies by 5 phases, ranges of 10 by 4, shadows by 3, ranges of 5 by 4.
pub(super) const SUMS: usize = 16;
/// The first of the sums of five ranges, which "near", "far" and "equal" are measured by: phases 5, 6, 10 and 11.
pub(super) const FIVE: usize = 12;

/// The close is not below the open.
pub(super) const WHITE: usize = 57;
/// Shadows longer than the body, and than twice the body.
pub(super) const UPPER_GT_BODY: usize = 58;
pub(super) const LOWER_GT_BODY: usize = 59;
pub(super) const UPPER_GT_TWICE: usize = 60;
pub(super) const LOWER_GT_TWICE: usize = 61;
/// A price of the candle against one of the candle before: the first letter is this candle's price.
pub(super) const OO_GT: usize = 62;
pub(super) const OO_LT: usize = 63;
pub(super) const OC_GT: usize = 64;
pub(super) const OC_LT: usize = 65;
pub(super) const CO_GT: usize = 66;
pub(super) const CO_LT: usize = 67;
pub(super) const CC_GT: usize = 68;
pub(super) const CC_LT: usize = 69;
pub(super) const HH_GT: usize = 70;
pub(super) const HH_LT: usize = 71;
pub(super) const LL_GT: usize = 72;
pub(super) const LL_LT: usize = 73;
pub(super) const LH_GT: usize = 74;
pub(super) const HL_LT: usize = 75;
pub(super) const OH_GT: usize = 76;
pub(super) const OL_LT: usize = 77;
/// These follow from the others: the body lies wholly above or below the body before, strictly inside it, or inside it with a shared end allowed.
pub(super) const GAP_UP: usize = 78;
pub(super) const GAP_DOWN: usize = 79;
pub(super) const INSIDE: usize = 80;
pub(super) const INSIDE_OR_EQUAL: usize = 81;

/// All words of 64 rows. The nesting is for serde, which knows arrays of up to 32.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Words([[u64; 28]; 3]);

impl Words {
    pub(super) const NONE: Self = Self([[0; 28]; 3]);

    #[inline]
    pub(super) fn get(&self, word: usize) -> u64 {
        self.0.as_flattened()[word]
    }
    #[inline]
    pub(super) fn set(&mut self, word: usize, bits: u64) {
        self.0.as_flattened_mut()[word] = bits;
    }
    /// Of a bit that is not set yet.
    #[inline]
    pub(super) fn set_bit(&mut self, word: usize, bit: u32, value: bool) {
        self.0.as_flattened_mut()[word] |= u64::from(value) << bit;
    }
    /// Makes room for a new row at bit 63.
    #[inline]
    pub(super) fn shift(&mut self) {
        for word in self.0.as_flattened_mut() {
            *word >>= 1;
        }
    }
    /// The comparison of one row with the exact averages of all phases. `sums` are those of the row.
    #[inline]
    pub(super) fn compare(&mut self, compare: &Compare, bit: u32, value: f64, sums: &[f64; SUMS]) {
        for phase in 0..compare.phases {
            let sum = sums[compare.sums + phase] / 10.0;
            // TA-Lib multiplies by a factor of 1 and by the half of "both shadows" in this order; both are exact.
            let average = compare.factor * sum;
            self.set_bit(compare.gt(phase), bit, value > average);
            self.set_bit(compare.lt(phase), bit, value < average);
            self.set_bit(compare.le(phase), bit, value <= average);
        }
    }
}

/// The words of 64 rows with those of the 64 rows before.
pub(super) struct Frame<'a> {
    pub(super) now: &'a Words,
    pub(super) before: &'a Words,
}

impl Frame<'_> {
    /// The word as it was `lag` rows before each row; `lag` is below 64.
    #[inline]
    pub(super) fn at(&self, word: usize, lag: u32) -> u64 {
        match lag {
            0 => self.now.get(word),
            _ => self.now.get(word) << lag | self.before.get(word) >> (64 - lag),
        }
    }

    /// The words that follow from the observed ones.
    #[inline]
    pub(super) fn derived(&self) -> [u64; 4] {
        let white = self.at(WHITE, 1);
        let now = |word| self.now.get(word);
        // The body before ends at its close on top and its open below if it is white, the other way if it is black.
        let pick = |on_white: u64, on_black: u64| white & on_white | !white & on_black;
        [
            pick(now(OC_GT) & now(CC_GT), now(OO_GT) & now(CO_GT)),
            pick(now(OO_LT) & now(CO_LT), now(OC_LT) & now(CC_LT)),
            pick(now(OC_LT) & now(CC_LT) & now(OO_GT) & now(CO_GT), now(OO_LT) & now(CO_LT) & now(OC_GT) & now(CC_GT)),
            !pick(now(OC_GT) | now(CC_GT) | now(OO_LT) | now(CO_LT), now(OO_GT) | now(CO_GT) | now(OC_LT) | now(CC_LT)),
        ]
    }
}
