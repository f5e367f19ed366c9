//! "Now looks like these moments": exact nearest neighbours over feature rows, and what came after them.
//!
//! [`Index`] holds the rows and finds neighbours; [`Library`] adds the closes and says how it went on afterwards beside
//! how it goes on after any moment at all. Two things make such a search lie, and both are refused here: neighbours that
//! are the same moment counted several times (they keep a distance, [`Query::gap`]), and neighbours whose future is
//! not over yet or overlaps the moment asked about (they end before it, [`Query::embargo`]).

mod index;
mod moments;
mod outcome;
mod statistics;

use serde::{Deserialize, Serialize};

pub use index::{Index, Neighbour, NotFinite};
pub use moments::Moments;
pub use outcome::{Distribution, FanStep, Outcome, QUANTILES};
pub use statistics::{Interval, binomial_p_value, holm, quantile, quantiles, wilson};

/// The most neighbours one search gives.
pub const MAX_COUNT: usize = 1_000;
/// The farthest that a search looks ahead, in candles.
pub const MAX_HORIZON: usize = 10_000;

/// What to search for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// The candle asked about, by its number in the library. Nothing after it is read.
    pub at: usize,
    /// How many neighbours, at most [`MAX_COUNT`].
    pub count: usize,
    /// Candles from one neighbour to the next, at least.
    pub gap: usize,
    /// How many candles later the outcome is taken, each at least 1.
    pub horizons: Vec<usize>,
    /// Candles between the end of a neighbour's longest horizon and `at`, at least: as many as the features look back,
    /// so that what came after a neighbour is no part of what is asked about.
    pub embargo: usize,
    /// Of the intervals: 0.95 is usual.
    pub confidence: f64,
    /// Of the bootstrap behind the interval of the median.
    pub seed: u64,
}

impl Query {
    /// The 40 nearest, five to sixty candles ahead, neighbours a longest horizon apart.
    pub fn new(at: usize) -> Self {
        Self { at, count: 40, gap: 60, horizons: vec![5, 20, 60], embargo: 60, confidence: 0.95, seed: 0 }
    }
    fn longest(&self) -> usize {
        self.horizons.iter().copied().max().unwrap_or(0)
    }
}

/// Why there is nothing to compare with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    #[error("candle {at} is not among the {len} known ones")]
    NoCandle { at: usize, len: usize },
    #[error("candle {at} has no features yet: the first that has is {first}")]
    WarmingUp { at: usize, first: usize },
    #[error("{0}")]
    Invalid(&'static str),
    #[error("too little history: the first comparable candle is {first}, the last one whose outcome is known {last}")]
    TooShort { first: usize, last: i64 },
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    /// Nearest first.
    pub neighbours: Vec<Neighbour>,
    /// One per horizon, in the order asked for.
    pub outcomes: Vec<Outcome>,
    /// How the neighbours went on, candle by candle up to the longest horizon.
    pub fan: Vec<FanStep>,
    /// The oldest candle that was compared, and how many were.
    pub first: usize,
    pub searched: usize,
    /// What to keep in mind when reading the p-values.
    pub note: String,
}

/// Feature rows with the closes they belong to. A candle whose features are still warming up has a close and no row.
#[derive(Debug, Clone, Default)]
pub struct Library<const N: usize> {
    index: Index<N>,
    closes: Vec<f64>,
    /// The number of the first candle with a row.
    first: usize,
}

impl<const N: usize> Library<N> {
    pub fn new() -> Self {
        Self { index: Index::new(), closes: Vec::new(), first: 0 }
    }

    /// Adds the next candle: its close, which must be a positive number, and its features, once they are there.
    pub fn push(&mut self, close: f64, row: Option<&[f32; N]>) -> Result<(), NotFinite> {
        if !(close.is_finite() && close > 0.0) {
            return Err(NotFinite);
        }
        match row {
            Some(row) => self.index.push(row)?,
            None if self.index.is_empty() => self.first += 1,
            // Features do not go away once they are there.
            None => return Err(NotFinite),
        }
        self.closes.push(close);
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.closes.len()
    }
    pub fn is_empty(&self) -> bool {
        self.closes.is_empty()
    }
    pub fn index(&self) -> &Index<N> {
        &self.index
    }
    /// The close of candle `at`.
    pub fn close(&self, at: usize) -> Option<f64> {
        self.closes.get(at).copied()
    }

    /// The moments most like candle `query.at` and what came after them.
    pub fn search(&self, query: &Query) -> Result<Findings, SearchError> {
        let eligible = self.eligible(query)?;
        let asked = self.index.row(query.at - self.first);
        let rows = eligible.start - self.first..eligible.end - self.first;
        let mut neighbours = self.index.nearest(asked, rows, query.count, query.gap);
        for neighbour in &mut neighbours {
            neighbour.at += self.first;
        }
        let moments: Vec<usize> = neighbours.iter().map(|neighbour| neighbour.at).collect();
        let outcomes = outcome::outcomes(&self.closes, &moments, eligible.clone(), query);
        let fan = outcome::fan(&self.closes, &moments, query.longest());
        Ok(Findings { neighbours, outcomes, fan, first: eligible.start, searched: eligible.len(), note: note(query) })
    }

    /// The candles that may be neighbours: with features, and with an outcome that is over before `at` is in sight.
    fn eligible(&self, query: &Query) -> Result<std::ops::Range<usize>, SearchError> {
        let at = query.at;
        if at >= self.closes.len() {
            return Err(SearchError::NoCandle { at, len: self.closes.len() });
        }
        if at < self.first {
            return Err(SearchError::WarmingUp { at, first: self.first });
        }
        if !(1..=MAX_COUNT).contains(&query.count) {
            return Err(SearchError::Invalid("the count must be from 1 to 1000"));
        }
        if query.horizons.is_empty() || query.horizons.iter().any(|h| !(1..=MAX_HORIZON).contains(h)) {
            return Err(SearchError::Invalid("each horizon must be from 1 to 10000 candles, and there must be one"));
        }
        if !(query.confidence > 0.0 && query.confidence < 1.0) {
            return Err(SearchError::Invalid("the confidence must lie between 0 and 1"));
        }
        let last = at as i64 - query.longest() as i64 - query.embargo.min(at) as i64;
        if last < self.first as i64 {
            return Err(SearchError::TooShort { first: self.first, last });
        }
        Ok(self.first..last as usize + 1)
    }
}

fn note(query: &Query) -> String {
    let tests = query.horizons.len();
    format!(
        "{tests} {} tested at once; adjusted p-values account for these (Holm) but not for other searches made before or \
         after this one. A past frequency is no promise.",
        if tests == 1 { "horizon was" } else { "horizons were" }
    )
}

#[cfg(test)]
mod tests;
