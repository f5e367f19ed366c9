//! Market structure: swings, support and resistance, trend lines, chart patterns, regime and trend strength.
//!
//! [`Structure`] takes one closed candle at a time and says what is known then. Nothing it said is taken back: a swing
//! carries the candle that confirmed it, a level keeps the price it was made with, a pattern keeps its points, and what
//! becomes of it is added with the candle at which it did. Memory is bounded, so that a state can run for years.
//!
//! ```
//! use cw_analysis::{Ohlcv, structure::Structure};
//! use cw_core::Timestamp;
//!
//! let mut structure = Structure::new();
//! for minute in 0..200 {
//!     let price = 100.0 + f64::from((minute % 40i32 - 20).abs());
//!     let open_time = Timestamp::from_secs(60 * i64::from(minute));
//!     let (high, low) = (price + 0.5, price - 0.5);
//!     structure.push(&Ohlcv { open_time, open: price, high, low, close: price, volume: 1.0 });
//! }
//! let pivot = structure.pivots().last().unwrap();
//! assert!(pivot.confirmed_at > pivot.time);
//! assert!(structure.levels().iter().any(|level| level.touches > 2 && (level.price - 120.5).abs() < 1.0));
//! ```

mod levels;
mod pattern;
mod shapes;
mod swing;
mod trend;

use serde::{Deserialize, Serialize};

pub use levels::{Level, TrendLine};
pub use pattern::{ChartKind, ChartPattern, Line, Status};
pub use swing::Pivot;
pub use trend::{Feature, Reason, Regime, Strength, Trend, Volatility};

use levels::{Levels, Lines};
use pattern::{MOST_ACTIVE, MOST_ENDED};
use swing::{Atr, Swings};
use trend::Regimes;

use crate::ohlcv::Ohlcv;

/// Swings that are remembered.
const MOST_PIVOTS: usize = 32;

/// The structure of a series up to its newest closed candle. Plain data: clone it to branch, serialize it to go on later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Structure {
    /// Candles so far; the newest has this number less one.
    count: u64,
    atr: Atr,
    atr_value: f64,
    swings: Swings,
    pivots: Vec<Pivot>,
    levels: Levels,
    lines: Lines,
    made: u64,
    active: Vec<ChartPattern>,
    ended: Vec<ChartPattern>,
    regimes: Regimes,
}

impl Default for Structure {
    fn default() -> Self {
        Self::new()
    }
}

/// Adds to a bounded list; the oldest makes room.
fn remember<T>(list: &mut Vec<T>, item: T, most: usize) {
    if list.len() == most {
        list.remove(0);
    }
    list.push(item);
}

impl Structure {
    pub fn new() -> Self {
        Self {
            count: 0,
            atr: Atr::NEW,
            atr_value: 0.0,
            swings: Swings::NEW,
            pivots: Vec::with_capacity(MOST_PIVOTS),
            levels: Levels::new(),
            lines: Lines::NONE,
            made: 0,
            active: Vec::with_capacity(MOST_ACTIVE),
            ended: Vec::with_capacity(MOST_ENDED),
            regimes: Regimes::NEW,
        }
    }

    /// Takes the next closed candle.
    pub fn push(&mut self, candle: &Ohlcv) {
        let index = self.count;
        self.count += 1;
        let atr = self.atr.push(candle);
        self.atr_value = atr;
        let pivot = self.swings.push(index, candle, atr);
        let broken = self.levels.close(index, candle);
        self.lines.close(index, candle.close);
        for pattern in &mut self.active {
            pattern.follow(index, candle, atr);
        }
        if let Some(breakout) = broken {
            let opposite = self.pivots.iter().rev().find(|pivot| pivot.high != breakout.up);
            let height = opposite.map_or(atr, |pivot| (breakout.level.price - pivot.price).abs());
            self.made += 1;
            let pattern = ChartPattern::breakout(self.made, &breakout, height, (index, candle.open_time));
            self.add(pattern, index);
        }
        if let Some(pivot) = pivot {
            remember(&mut self.pivots, pivot, MOST_PIVOTS);
            self.levels.touch(&pivot, candle.close, atr);
            self.lines.extend(&self.pivots, index, candle.close, atr);
            self.form(index, candle, atr);
        }
        while let Some(at) = self.active.iter().position(ChartPattern::is_ended) {
            let pattern = self.active.remove(at);
            remember(&mut self.ended, pattern, MOST_ENDED);
        }
        self.regimes.push(index, candle, atr, &self.pivots);
    }

    /// Patterns that the newest swing completes, unless they are the same swings seen again.
    fn form(&mut self, index: u64, candle: &Ohlcv, atr: f64) {
        for draft in shapes::detect(&self.pivots, atr) {
            let points = &self.pivots[self.pivots.len() - draft.points..];
            let shared = |other: &ChartPattern| {
                let shared = points.iter().filter(|point| other.points.iter().any(|p| p.index == point.index)).count();
                shared >= if draft.points == 3 { 2 } else { 3 }
            };
            if self.active.iter().any(|other| same_group(other.kind, draft.kind) && shared(other)) {
                continue;
            }
            self.made += 1;
            let at = (index, candle.open_time);
            let mut pattern = ChartPattern::new(self.made, draft.kind, points, draft.plan, at);
            pattern.follow(index, candle, atr);
            self.add(pattern, index);
        }
    }

    fn add(&mut self, pattern: ChartPattern, index: u64) {
        if self.active.len() == MOST_ACTIVE {
            let mut oldest = self.active.remove(0);
            oldest.end(index, if oldest.status == Status::Forming { Status::Failed } else { oldest.status });
            remember(&mut self.ended, oldest, MOST_ENDED);
        }
        self.active.push(pattern);
    }

    /// How many candles there were.
    pub fn len(&self) -> u64 {
        self.count
    }
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
    /// Wilder's average true range of 14 candles.
    pub fn atr(&self) -> f64 {
        self.atr_value
    }
    /// The newest 32 confirmed swings, oldest first.
    pub fn pivots(&self) -> &[Pivot] {
        &self.pivots
    }
    /// At most 24 levels, in the order they were made.
    pub fn levels(&self) -> &[Level] {
        self.levels.all()
    }
    /// The rising support line and the falling resistance line, where they hold.
    pub fn trend_lines(&self) -> impl Iterator<Item = &TrendLine> {
        self.lines.support.iter().chain(&self.lines.resistance)
    }
    /// Patterns that something may still become of, oldest first.
    pub fn active_patterns(&self) -> &[ChartPattern] {
        &self.active
    }
    /// The newest 16 patterns that have ended, in the order they did.
    pub fn ended_patterns(&self) -> &[ChartPattern] {
        &self.ended
    }
    /// Trend and volatility, once there are 31 candles.
    pub fn regime(&self) -> Option<Regime> {
        self.regimes.regime()
    }
    /// Zeros while there are fewer than 30 candles.
    pub fn strength(&self) -> Strength {
        self.regimes.strength()
    }
}

/// Whether two kinds are two readings of the same swings: any two made of lines, or the same kind.
fn same_group(a: ChartKind, b: ChartKind) -> bool {
    use ChartKind as K;
    let of_lines = |kind| {
        matches!(
            kind,
            K::AscendingTriangle
                | K::DescendingTriangle
                | K::SymmetricalTriangle
                | K::RisingWedge
                | K::FallingWedge
                | K::RisingChannel
                | K::FallingChannel
                | K::Rectangle
        )
    };
    a == b || of_lines(a) && of_lines(b)
}
