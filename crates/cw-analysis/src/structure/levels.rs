//! Support and resistance: prices at which swings turned, and lines along them.

use cw_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::swing::Pivot;
use crate::ohlcv::Ohlcv;

/// Levels that are kept; the weakest makes room.
pub(super) const MOST_LEVELS: usize = 24;
/// Half the height of a level's zone, in average true ranges at the time it was made.
const ZONE: f64 = 0.5;
/// Swings that have to have turned at a level for its break to be a breakout.
const BREAKS_FROM: u32 = 3;
/// After so many candles without a touch a level counts half.
const HALF_LIFE: f64 = 250.0;

/// A price at which the market turned, with a zone around it. Price and zone stay as they were made.
///
/// Each swing that turns inside the zone is a touch, from above or from below: a broken resistance becomes a support
/// (Edwards & Magee, Technical Analysis of Stock Trends, chapter 13).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// Number of the level in its series, counted from 1.
    pub id: u64,
    pub price: f64,
    /// Half the height of the zone.
    pub zone: f64,
    /// Swings that turned here.
    pub touches: u32,
    /// Closes through the whole zone.
    pub breaks: u32,
    /// The candle of the first swing and of the last one, and when the last one was confirmed.
    pub first_index: u64,
    pub first_time: Timestamp,
    pub last_index: u64,
    pub last_time: Timestamp,
    pub confirmed_at: Timestamp,
    /// Whether the last close beyond the zone was above it: then it is a support, else a resistance.
    pub support: bool,
}

impl Level {
    /// From 0 to 1: touches count up, breaks and time since the last touch count down.
    pub fn strength(&self, index: u64) -> f64 {
        let touches = f64::from(self.touches) / (f64::from(self.touches) + 2.0);
        let intact = 1.0 / (1.0 + 0.5 * f64::from(self.breaks));
        let idle = index.saturating_sub(self.last_index) as f64;
        touches * intact * HALF_LIFE / (HALF_LIFE + idle)
    }
    /// Candles since the first swing.
    pub fn age(&self, index: u64) -> u64 {
        index.saturating_sub(self.first_index)
    }
}

/// A close that went through a level at which three swings or more had turned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Breakout {
    pub(super) level: Level,
    pub(super) up: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Levels {
    levels: Vec<Level>,
    made: u64,
}

impl Levels {
    pub(super) fn new() -> Self {
        Self { levels: Vec::with_capacity(MOST_LEVELS), made: 0 }
    }
    pub(super) fn all(&self) -> &[Level] {
        &self.levels
    }

    /// Notes which side of each level the candle closed on; the strongest level that it broke, if any.
    pub(super) fn close(&mut self, index: u64, candle: &Ohlcv) -> Option<Breakout> {
        let mut broken: Option<Breakout> = None;
        for level in &mut self.levels {
            let beyond = if level.support { level.price - candle.close } else { candle.close - level.price };
            if beyond <= level.zone {
                continue;
            }
            let strength = level.strength(index);
            let up = !level.support;
            level.breaks += 1;
            level.support = up;
            if level.touches >= BREAKS_FROM && broken.is_none_or(|other| strength > other.level.strength(index)) {
                broken = Some(Breakout { level: *level, up });
            }
        }
        broken
    }

    /// A new swing touches the nearest level that it turned at, or makes one.
    pub(super) fn touch(&mut self, pivot: &Pivot, close: f64, atr: f64) {
        let distance = |level: &Level| (level.price - pivot.price).abs();
        let near = self.levels.iter_mut().filter(|level| distance(level) <= level.zone);
        if let Some(level) = near.min_by(|a, b| distance(a).total_cmp(&distance(b))) {
            level.touches += 1;
            level.last_index = pivot.index;
            level.last_time = pivot.time;
            level.confirmed_at = pivot.confirmed_at;
            return;
        }
        if self.levels.len() == MOST_LEVELS {
            let now = pivot.confirmed_index;
            let weakest =
                (0..MOST_LEVELS).min_by(|a, b| self.levels[*a].strength(now).total_cmp(&self.levels[*b].strength(now)));
            self.levels.remove(weakest.unwrap_or(0));
        }
        self.made += 1;
        self.levels.push(Level {
            id: self.made,
            price: pivot.price,
            zone: ZONE * atr,
            touches: 1,
            breaks: 0,
            first_index: pivot.index,
            first_time: pivot.time,
            last_index: pivot.index,
            last_time: pivot.time,
            confirmed_at: pivot.confirmed_at,
            support: close > pivot.price,
        });
    }
}

/// A straight line through two swings of one kind, extended to the right.
///
/// Up along rising lows or down along falling highs (Edwards & Magee, chapter 14). It is known from the candle that
/// confirmed its second swing, and ends with the close that goes through it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TrendLine {
    pub from: Pivot,
    pub to: Pivot,
    /// Swings on the line, both ends included.
    pub touches: u32,
}

impl TrendLine {
    /// Price per candle.
    pub fn slope(&self) -> f64 {
        slope(&self.from, &self.to)
    }
    /// The line's price at candle `index`.
    pub fn price_at(&self, index: u64) -> f64 {
        price_at(&self.from, self.slope(), index)
    }
    /// Along lows.
    pub fn is_support(&self) -> bool {
        !self.from.high
    }
    fn is_broken(&self, index: u64, close: f64) -> bool {
        let line = self.price_at(index);
        if self.is_support() { close < line } else { close > line }
    }
}

pub(super) fn slope(from: &Pivot, to: &Pivot) -> f64 {
    (to.price - from.price) / (to.index as f64 - from.index as f64)
}

/// The price at candle `index` of the line through `from` with this slope.
pub(super) fn price_at(from: &Pivot, slope: f64, index: u64) -> f64 {
    from.price + slope * (index as f64 - from.index as f64)
}

/// The line under rising lows and the one over falling highs, while they hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Lines {
    pub(super) support: Option<TrendLine>,
    pub(super) resistance: Option<TrendLine>,
}

/// Swings that a line is looked for in.
const LOOK_BACK: usize = 6;

impl Lines {
    pub(super) const NONE: Self = Self { support: None, resistance: None };

    pub(super) fn close(&mut self, index: u64, close: f64) {
        self.support = self.support.filter(|line| !line.is_broken(index, close));
        self.resistance = self.resistance.filter(|line| !line.is_broken(index, close));
    }

    /// The best line that ends at the newest pivot: with the most touches, then the longest.
    pub(super) fn extend(&mut self, pivots: &[Pivot], index: u64, close: f64, atr: f64) {
        let Some(newest) = pivots.last() else { return };
        let same = |pivot: &&Pivot| pivot.high == newest.high;
        let earlier: Vec<Pivot> = pivots.iter().rev().skip(1).filter(same).take(LOOK_BACK).copied().collect();
        let mut best: Option<TrendLine> = None;
        for from in &earlier {
            let sign = if newest.high { -1.0 } else { 1.0 };
            if (newest.price - from.price) * sign <= 0.0 {
                continue;
            }
            let slope = slope(from, newest);
            let between = earlier.iter().filter(|pivot| pivot.index > from.index);
            let gaps = between.map(|pivot| (pivot.price - price_at(from, slope, pivot.index)) * sign);
            let (mut touches, mut clean) = (2, true);
            for gap in gaps {
                clean &= gap >= -0.25 * atr;
                touches += u32::from(gap.abs() <= 0.25 * atr);
            }
            let line = TrendLine { from: *from, to: *newest, touches };
            if clean && !line.is_broken(index, close) && best.is_none_or(|best| touches >= best.touches) {
                best = Some(line);
            }
        }
        let kept = if newest.high { &mut self.resistance } else { &mut self.support };
        *kept = best.or(*kept);
    }
}
