//! Candlestick patterns: all 61 of TA-Lib, with its default settings and the same signal on every row.
//!
//! A signal is 100 or −100 as TA-Lib gives it, 80 where two bodies share an end, 200 where a hikkake is confirmed.
//! [`PATTERNS`] says what each one means. [`scan`] takes a whole series, [`Scanner`] one candle at a time; both give
//! the same.
//!
//! ```
//! use cw_analysis::candlestick::{self, PATTERNS, Scanner};
//! use cw_analysis::Ohlcv;
//! use cw_core::Timestamp;
//!
//! let mut scanner = Scanner::new();
//! let mut last = None;
//! for (minute, (open, close)) in [(10.0, 11.0), (11.0, 10.0), (9.9, 11.1)].into_iter().enumerate() {
//!     let open_time = Timestamp::from_secs(60 * minute as i64);
//!     let (high, low) = (f64::max(open, close), f64::min(open, close));
//!     last = Some(scanner.push(&Ohlcv { open_time, open, high, low, close, volume: 1.0 }));
//! }
//! let engulfing = candlestick::find("engulfing").unwrap();
//! assert_eq!(last.unwrap().signal(engulfing), 100);
//! assert_eq!(PATTERNS[engulfing].ta_lib, "CDLENGULFING");
//! ```

mod batch;
mod hikkake;
mod rules;
mod scanner;
mod sums;
mod table;
mod view;
mod words;

use serde::{Deserialize, Serialize};

pub use batch::{scan, scan_into};
pub use scanner::Scanner;
pub use table::{COUNT, Direction, PATTERNS, Pattern, find};

use rules::{ODD, Signals};

/// A pattern that a candle completes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// Of the candle that completes it.
    pub row: usize,
    /// Index in [`PATTERNS`].
    pub pattern: usize,
    /// −200 to 200, never 0.
    pub signal: i16,
}

/// The patterns that one candle completes: a bit per pattern.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowSignals {
    hits: u64,
    bearish: u64,
    /// Not ±100.
    odd: u64,
}

impl RowSignals {
    pub fn is_empty(&self) -> bool {
        self.hits == 0
    }
    /// How many patterns there are.
    pub fn len(&self) -> usize {
        self.hits.count_ones() as usize
    }
    /// TA-Lib's value for a pattern (an index in [`PATTERNS`]): 0 where it is not there.
    #[inline]
    pub fn signal(&self, pattern: usize) -> i16 {
        let bit = |mask: u64| mask >> pattern & 1 == 1;
        if pattern >= COUNT || !bit(self.hits) {
            return 0;
        }
        let size = match bit(self.odd) {
            false => 100,
            true if pattern == ODD[3] as usize || pattern == ODD[4] as usize => 200,
            true => 80,
        };
        if bit(self.bearish) { -size } else { size }
    }
    /// The patterns in the order of [`PATTERNS`], each with its signal.
    pub fn iter(self) -> impl Iterator<Item = (usize, i16)> {
        let mut left = self.hits;
        std::iter::from_fn(move || {
            let pattern = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            (pattern < COUNT).then(|| (pattern, self.signal(pattern)))
        })
    }
    /// Whether any of `patterns` (a bit per index) is there.
    pub fn any_of(&self, patterns: u64) -> bool {
        self.hits & patterns != 0
    }
}

/// The patterns of a whole series, row by row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    rows: Vec<RowSignals>,
}

impl Scan {
    pub fn rows(&self) -> &[RowSignals] {
        &self.rows
    }
    /// All hits, oldest row first.
    pub fn hits(&self) -> impl Iterator<Item = Hit> {
        self.rows
            .iter()
            .enumerate()
            .flat_map(|(row, signals)| signals.iter().map(move |(pattern, signal)| Hit { row, pattern, signal }))
    }
    /// The column of one pattern, as TA-Lib would give it.
    pub fn column(&self, pattern: usize) -> Vec<i16> {
        self.rows.iter().map(|signals| signals.signal(pattern)).collect()
    }
}

/// One row of the signals; `warm` has a bit for each pattern that may have a signal yet.
#[inline]
fn collect(signals: &Signals, bit: u32, warm: u64) -> RowSignals {
    let (mut hits, mut bearish, mut odd) = (0, 0, 0);
    for pattern in 0..COUNT {
        let bear = signals.bear[pattern] >> bit & 1;
        bearish |= bear << pattern;
        hits |= (signals.bull[pattern] >> bit & 1 | bear) << pattern;
    }
    for (id, word) in ODD.iter().zip(signals.odd) {
        odd |= (word >> bit & 1) << *id as usize;
    }
    RowSignals { hits: hits & warm, bearish: bearish & warm, odd: odd & warm }
}
