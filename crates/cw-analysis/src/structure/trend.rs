//! Trend strength and regime.

use serde::{Deserialize, Serialize};

use super::swing::Pivot;
use crate::ohlcv::Ohlcv;

/// Candles of the regression.
pub(super) const WINDOW: usize = 30;
/// Parts that their sums are taken in.
const LANES: usize = 6;
/// Their numbers, counted from the middle.
const NUMBERS: [f64; WINDOW] = {
    let (mut numbers, mut at) = ([0.0; WINDOW], 0);
    while at < WINDOW {
        numbers[at] = at as f64 - (WINDOW as f64 - 1.0) / 2.0;
        at += 1;
    }
    numbers
};
/// Wilder's usual period of the directional movement.
const PERIOD: f64 = 14.0;
/// Candles over which the usual range is averaged.
const USUAL: f64 = 100.0;
/// Candles in a row that have to agree before a label changes: one candle never turns it.
pub(super) const PERSIST: u32 = 3;

/// How strongly prices trend.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Strength {
    /// Average directional index of 14 candles (Wilder, New Concepts in Technical Trading Systems): 0 to 100.
    pub adx: f64,
    pub plus_di: f64,
    pub minus_di: f64,
    /// Slope of the regression of the last 30 closes, in average true ranges per candle.
    pub slope: f64,
    /// How much of the closes' variance that line explains: 0 to 1.
    pub r_squared: f64,
}

/// Directional movement, smoothed as Wilder does: sums of 14, then a fourteenth falls out with each candle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Directional {
    count: u32,
    last: [f64; 3],
    plus: f64,
    minus: f64,
    range: f64,
    adx: f64,
}

impl Directional {
    const NEW: Self = Self { count: 0, last: [0.0; 3], plus: 0.0, minus: 0.0, range: 0.0, adx: 0.0 };

    /// ADX, +DI and −DI with this candle.
    fn push(&mut self, candle: &Ohlcv) -> [f64; 3] {
        let [high, low, close] = std::mem::replace(&mut self.last, [candle.high, candle.low, candle.close]);
        self.count = self.count.saturating_add(1);
        if self.count == 1 {
            return [0.0; 3];
        }
        let (up, down) = (candle.high - high, low - candle.low);
        let decay = if f64::from(self.count) <= PERIOD { 1.0 } else { 1.0 - 1.0 / PERIOD };
        self.plus = self.plus * decay + if up > down && up > 0.0 { up } else { 0.0 };
        self.minus = self.minus * decay + if down > up && down > 0.0 { down } else { 0.0 };
        self.range = self.range * decay + (candle.high.max(close) - candle.low.min(close));
        let part = |sum: f64| if self.range > 0.0 { 100.0 * sum / self.range } else { 0.0 };
        let (plus, minus) = (part(self.plus), part(self.minus));
        let dx = if plus + minus > 0.0 { 100.0 * (plus - minus).abs() / (plus + minus) } else { 0.0 };
        // The mean while there are fewer than fourteen.
        let weight = PERIOD.min(f64::from(self.count) - PERIOD).max(1.0);
        self.adx = if f64::from(self.count) <= PERIOD { 0.0 } else { self.adx + (dx - self.adx) / weight };
        [self.adx, plus, minus]
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trend {
    Up,
    Down,
    Range,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Volatility {
    High,
    Normal,
    Low,
}

/// What kind of market it is, why, and since when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Regime {
    pub trend: Trend,
    pub volatility: Volatility,
    /// 0 to 1: how far the evidence is on this trend's side.
    pub confidence: f64,
    /// The features that decided, each with what it adds to the trend's score from −1 (down) to 1 (up).
    pub reasons: [Reason; 4],
    /// Average range of 14 candles over that of 100.
    pub range_ratio: f64,
    /// What the newest candle asks for; a label changes when three candles in a row ask for the same other one.
    pub asks_trend: Trend,
    pub asks_volatility: Volatility,
    /// The candle from which this pair of labels holds.
    pub since_index: u64,
}

/// A feature and its weight in the trend's score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reason {
    pub feature: Feature,
    pub value: f64,
    pub adds: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// ADX, on the side of the larger directional indicator.
    Adx,
    /// Fit of the regression line, on the side of its slope.
    RSquared,
    /// Slope of the regression line in average true ranges per candle.
    Slope,
    /// 1 for higher highs and lows, −1 for lower ones, 0 for mixed.
    Swings,
}

/// A label that changes only after a few candles in a row ask for the same other one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Held<T> {
    label: T,
    asked: T,
    times: u32,
}

impl<T: Copy + PartialEq> Held<T> {
    const fn new(label: T) -> Self {
        Self { label, asked: label, times: 0 }
    }
    /// Whether the label changed.
    fn ask(&mut self, label: T) -> bool {
        self.times = if label == self.asked { self.times.saturating_add(1) } else { 1 };
        self.asked = label;
        let changes = label != self.label && self.times >= PERSIST;
        if changes {
            self.label = label;
        }
        changes
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Regimes {
    directional: Directional,
    closes: [f64; WINDOW],
    count: u64,
    /// Mean of ranges over about a hundred candles.
    usual: f64,
    trend: Held<Trend>,
    volatility: Held<Volatility>,
    since_index: u64,
    score: f64,
    strength: Strength,
    reasons: [Reason; 4],
    range_ratio: f64,
}

const NO_REASON: Reason = Reason { feature: Feature::Swings, value: 0.0, adds: 0.0 };

impl Regimes {
    pub(super) const NEW: Self = Self {
        directional: Directional::NEW,
        closes: [0.0; WINDOW],
        count: 0,
        usual: 0.0,
        trend: Held::new(Trend::Range),
        volatility: Held::new(Volatility::Normal),
        since_index: 0,
        score: 0.0,
        strength: Strength { adx: 0.0, plus_di: 0.0, minus_di: 0.0, slope: 0.0, r_squared: 0.0 },
        reasons: [NO_REASON; 4],
        range_ratio: 1.0,
    };

    pub(super) fn strength(&self) -> Strength {
        self.strength
    }

    /// The regime, once the regression has its candles.
    pub(super) fn regime(&self) -> Option<Regime> {
        let trend = self.trend.label;
        let side = match trend {
            Trend::Up => self.score,
            Trend::Down => -self.score,
            Trend::Range => 1.0 - self.score.abs(),
        };
        (self.count > WINDOW as u64).then_some(Regime {
            trend,
            volatility: self.volatility.label,
            confidence: side.clamp(0.0, 1.0),
            reasons: self.reasons,
            range_ratio: self.range_ratio,
            asks_trend: self.trend.asked,
            asks_volatility: self.volatility.asked,
            since_index: self.since_index,
        })
    }

    pub(super) fn push(&mut self, index: u64, candle: &Ohlcv, atr: f64, pivots: &[Pivot]) {
        let [adx, plus_di, minus_di] = self.directional.push(candle);
        self.closes.copy_within(1.., 0);
        self.closes[WINDOW - 1] = candle.close;
        self.count += 1;
        self.usual += (candle.high - candle.low - self.usual) / USUAL.min(self.count as f64);
        if self.count < WINDOW as u64 {
            return;
        }
        let (slope, r_squared) = regression(&self.closes);
        let slope = if atr > 0.0 { slope / atr } else { 0.0 };
        self.strength = Strength { adx, plus_di, minus_di, slope, r_squared };
        let swings = swing_side(pivots);
        let side = |value: f64| {
            if value > 0.0 {
                1.0
            } else if value < 0.0 {
                -1.0
            } else {
                0.0
            }
        };
        let reason = |feature, value, adds| Reason { feature, value, adds };
        self.reasons = [
            reason(Feature::Adx, adx, 0.35 * side(plus_di - minus_di) * ((adx - 15.0) / 20.0).clamp(0.0, 1.0)),
            reason(Feature::RSquared, r_squared, 0.25 * side(slope) * r_squared),
            reason(Feature::Slope, slope, 0.2 * (slope / 0.1).clamp(-1.0, 1.0)),
            reason(Feature::Swings, swings, 0.2 * swings),
        ];
        self.score = self.reasons.iter().map(|reason| reason.adds).sum();
        self.range_ratio = if self.usual > 0.0 { atr / self.usual } else { 1.0 };
        let turned = self.trend.ask(self.trend_asked());
        if self.volatility.ask(self.volatility_asked()) || turned {
            self.since_index = index;
        }
    }

    /// A trend begins at a score of half and ends below three tenths.
    fn trend_asked(&self) -> Trend {
        let up = if self.trend.label == Trend::Up { 0.3 } else { 0.5 };
        let down = if self.trend.label == Trend::Down { 0.3 } else { 0.5 };
        match self.score {
            score if score >= up => Trend::Up,
            score if score <= -down => Trend::Down,
            _ => Trend::Range,
        }
    }
    /// Ranges half as high again as usual are high and end a quarter above; the same downwards.
    fn volatility_asked(&self) -> Volatility {
        let high = if self.volatility.label == Volatility::High { 1.25 } else { 1.5 };
        let low = if self.volatility.label == Volatility::Low { 0.8 } else { 0.67 };
        match self.range_ratio {
            ratio if ratio >= high => Volatility::High,
            ratio if ratio <= low => Volatility::Low,
            _ => Volatility::Normal,
        }
    }
}

/// 1 where the last two highs and the last two lows rise, −1 where both fall.
fn swing_side(pivots: &[Pivot]) -> f64 {
    let Some([a, b, c, d]) = pivots.last_chunk() else { return 0.0 };
    match (c.price > a.price, d.price > b.price) {
        (true, true) => 1.0,
        (false, false) => -1.0,
        _ => 0.0,
    }
}

/// Least squares over candle numbers: slope per candle and R².
fn regression(closes: &[f64; WINDOW]) -> (f64, f64) {
    let n = WINDOW as f64;
    // Prices are counted from the first close: nothing cancels.
    let first = closes[0];
    // Side by side, so that an addition does not wait for the last one.
    let [mut sums, mut products, mut squares] = [[0.0; LANES]; 3];
    for (closes, numbers) in closes.as_chunks::<LANES>().0.iter().zip(NUMBERS.as_chunks::<LANES>().0) {
        for (lane, (close, number)) in closes.iter().zip(numbers).enumerate() {
            let price = close - first;
            sums[lane] += price;
            squares[lane] += price * price;
            products[lane] += number * price;
        }
    }
    let [sum, product, squares] = [sums, products, squares].map(|lanes| lanes.iter().sum::<f64>());
    let spread = n * (n * n - 1.0) / 12.0;
    let variance = squares - sum * sum / n;
    let r_squared = if variance > 0.0 { (product * product / (spread * variance)).min(1.0) } else { 0.0 };
    (product / spread, r_squared)
}
