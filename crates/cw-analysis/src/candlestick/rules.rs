//! The definitions of TA-Lib's 61 candlestick functions, with its default settings, as operations on words of rows.
//!
//! `body.gt(p)`, `upper.lt(p)` … name comparisons of [`words`](super::words) in phase `10 + p`; a condition that few
//! candidates reach is computed exactly for those alone ([`Columns::keep`]).

mod doubles;
mod longer;
mod singles;
mod triples;

use super::table::Id;
use super::view::Columns;
use super::words::*;

/// The signals of 64 rows: a word per pattern.
pub(super) struct Signals {
    pub(super) bull: [u64; 64],
    pub(super) bear: [u64; 64],
    /// Signals of 80 instead of 100, in [`ODD`]'s order, and then those of 200.
    pub(super) odd: [u64; ODD.len()],
}

/// The patterns that have signals other than ±100; all but the last two mean 80 by that, those mean 200.
pub(super) const ODD: [Id; 5] = [Id::Engulfing, Id::Harami, Id::HaramiCross, Id::Hikkake, Id::ModifiedHikkake];

impl Signals {
    pub(super) const NONE: Self = Self { bull: [0; 64], bear: [0; 64], odd: [0; ODD.len()] };

    #[inline]
    fn bull(&mut self, id: Id, bits: u64) {
        self.bull[id as usize] = bits;
    }
    #[inline]
    fn bear(&mut self, id: Id, bits: u64) {
        self.bear[id as usize] = bits;
    }
    /// Both signs of `bits`: bullish where `up` is set.
    #[inline]
    fn signed(&mut self, id: Id, bits: u64, up: u64) {
        self.bull(id, bits & up);
        self.bear(id, bits & !up);
    }
}

/// What the rules read: the words, and prices for exact questions.
pub(super) struct Context<'a> {
    pub(super) frame: Frame<'a>,
    pub(super) columns: Columns<'a>,
    /// The rows that exist; others are never looked at exactly.
    pub(super) valid: u64,
}

impl Context<'_> {
    #[inline]
    fn white(&self, lag: u32) -> u64 {
        self.frame.at(WHITE, lag)
    }
    #[inline]
    fn black(&self, lag: u32) -> u64 {
        !self.frame.at(WHITE, lag)
    }
    #[inline]
    fn at(&self, word: usize, lag: u32) -> u64 {
        self.frame.at(word, lag)
    }
    /// A long body `lag` rows ago, longer than the average in phase `10 + phase`.
    #[inline]
    fn long(&self, phase: usize, lag: u32) -> u64 {
        self.frame.at(BODY.gt(phase), lag)
    }
    #[inline]
    fn short(&self, phase: usize, lag: u32) -> u64 {
        self.frame.at(BODY.lt(phase), lag)
    }
    /// Not longer than the average.
    #[inline]
    fn small(&self, phase: usize, lag: u32) -> u64 {
        self.frame.at(BODY.le(phase), lag)
    }
    #[inline]
    fn doji(&self, phase: usize, lag: u32) -> u64 {
        self.frame.at(DOJI.le(phase), lag)
    }
    /// Hardly any upper shadow.
    #[inline]
    fn no_upper(&self, phase: usize, lag: u32) -> u64 {
        self.frame.at(UPPER.lt(phase), lag)
    }
    #[inline]
    fn no_lower(&self, phase: usize, lag: u32) -> u64 {
        self.frame.at(LOWER.lt(phase), lag)
    }
    /// A long body without shadows.
    #[inline]
    fn marubozu(&self, phase: usize, lag: u32) -> u64 {
        self.long(phase, lag) & self.no_upper(phase, lag) & self.no_lower(phase, lag)
    }
}

/// All patterns but the two that remember; the rows before a pattern's warm-up have whatever comes out.
#[inline]
pub(super) fn evaluate(context: &Context, out: &mut Signals) {
    singles::shapes(context, out);
    singles::dojis(context, out);
    doubles::bodies(context, out);
    doubles::hammers(context, out);
    doubles::necks(context, out);
    doubles::reversals(context, out);
    triples::stars(context, out);
    triples::dojis(context, out);
    triples::crows(context, out);
    triples::soldiers(context, out);
    triples::gaps(context, out);
    triples::lows(context, out);
    longer::four(context, out);
    longer::breakaway(context, out);
    longer::bottoms(context, out);
    longer::mat_hold(context, out);
    longer::three_methods(context, out);
}
