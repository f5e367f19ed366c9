//! The candlestick patterns of the newest candles.

use serde::{Deserialize, Serialize, Serializer};

use crate::candlestick::{Direction, PATTERNS, RowSignals};

/// How many candles count as new.
pub const RECENT: usize = 5;

/// Which patterns the newest [`RECENT`] candles completed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentPatterns {
    /// Newest first.
    rows: [RowSignals; RECENT],
}

/// A candlestick pattern that one of the newest candles completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct PatternHit {
    pub name: &'static str,
    pub title: &'static str,
    /// 1 is bullish, −1 bearish, 0 neither.
    pub direction: i8,
    /// TA-Lib's value: 100, −100 and in a few cases 80 or 200.
    pub signal: i16,
    /// How many candles ago; 0 is the newest.
    pub age: u8,
}

impl RecentPatterns {
    #[inline]
    pub(crate) fn push(&mut self, row: RowSignals) {
        self.rows.rotate_right(1);
        self.rows[0] = row;
    }

    /// All of them, newest first.
    pub fn iter(&self) -> impl Iterator<Item = PatternHit> {
        self.rows.iter().enumerate().flat_map(|(age, row)| {
            row.iter().map(move |(pattern, signal)| {
                let known = &PATTERNS[pattern];
                let direction = if known.direction == Direction::Neutral { 0 } else { signal.signum() as i8 };
                PatternHit { name: known.name, title: known.title, direction, signal, age: age as u8 }
            })
        })
    }

    /// How many are bullish and bearish, and how many there are.
    #[inline]
    pub fn count(&self) -> [u32; 3] {
        let mut counts = [0; 3];
        for hit in self.iter() {
            counts[0] += u32::from(hit.direction > 0);
            counts[1] += u32::from(hit.direction < 0);
            counts[2] += 1;
        }
        counts
    }
}

/// As a list of hits.
pub(super) fn as_hits<S: Serializer>(patterns: &RecentPatterns, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(patterns.iter())
}
