//! What the numbers of a candle mean beside those before it.

use serde::Serialize;

use super::patterns::{RecentPatterns, as_hits};
use super::plan::Helpers;
use crate::ohlcv::Ohlcv;
use crate::structure::{self, ChartKind, ChartPattern, Status, Structure};

/// Declares plain data that crosses a surface: serialized here, described and exported by the contract.
macro_rules! words {
    ($($(#[$meta:meta])* pub $kind:tt $name:ident { $($body:tt)* })+) => {
        $(#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
        #[serde(rename_all = "snake_case")]
        $(#[$meta])*
        pub $kind $name { $($body)* })+
    };
}

words! {
    /// The situation at a close. A value is null where it is not known yet.
    #[derive(Default)]
    #[cfg_attr(feature = "schema", ts(rename = "MarketContext"), schemars(rename = "MarketContext"))]
    pub struct Context {
        pub price: PriceAction,
        pub trend: Trend,
        pub momentum: Momentum,
        pub volatility: Volatility,
        pub volume: VolumeContext,
        pub levels: Levels,
        pub regime: Regime,
        /// The newest chart patterns that something may still become of, newest first.
        #[serde(serialize_with = "as_shapes")]
        #[cfg_attr(feature = "schema", ts(as = "Vec<ChartShape>"), schemars(with = "Vec<ChartShape>"))]
        pub chart_patterns: [Option<ChartShape>; CHART_SHAPES],
        /// The candlestick patterns of the newest five candles, newest first.
        #[serde(serialize_with = "as_hits")]
        #[cfg_attr(feature = "schema", ts(as = "Vec<super::PatternHit>"), schemars(with = "Vec<super::PatternHit>"))]
        pub patterns: RecentPatterns,
    }

    /// What the price did.
    #[derive(Default)]
    pub struct PriceAction {
        /// From the close before, as a fraction.
        pub change: Option<f64>,
        /// The same in average true ranges.
        pub change_atr: Option<f64>,
        /// Over twenty candles, as a fraction.
        pub change_20: Option<f64>,
        /// The candle's range in average true ranges.
        pub range_atr: Option<f64>,
        /// Its body as a part of its range, negative where it fell; 0 without a range.
        pub body: f64,
        /// Where in its range it closed: 0 at the low, 1 at the high; one half without a range.
        pub close_location: f64,
        /// From the close before to its open, in average true ranges.
        pub gap_atr: Option<f64>,
        /// Closes in a row that rose; fell where negative.
        pub streak: i32,
        /// It closed above the high of the twenty candles before.
        pub breakout: bool,
        /// It closed below their low.
        pub breakdown: bool,
    }

    pub enum TrendDirection { Up, Down, Flat }

    /// Where the price is going, by five questions: above EMA 50, above EMA 200, EMA 21 above EMA 50, EMA 50 rising, +DI above
    /// −DI.
    pub struct Trend {
        pub direction: TrendDirection,
        /// The mean of the answers that are known, yes as 1 and no as −1.
        pub score: f64,
        /// ADX over 50, at most 1, times the agreement of the answers: 0 is no trend.
        pub strength: Option<f64>,
        /// ADX of 14 candles.
        pub adx: Option<f64>,
        /// Close above EMA 21, 50 and 200, in average true ranges.
        pub ema_21_distance: Option<f64>,
        pub ema_50_distance: Option<f64>,
        pub ema_200_distance: Option<f64>,
    }

    pub enum MomentumState { Overbought, Strong, Neutral, Weak, Oversold }

    /// How fast it is going there.
    pub struct Momentum {
        /// By RSI: overbought from 70, strong from 55, weak to 45, oversold to 30.
        pub state: MomentumState,
        /// RSI of 14 candles.
        pub rsi: Option<f64>,
        /// What it gained in five candles.
        pub rsi_change: Option<f64>,
        /// MACD (12, 26, 9) above its signal, in the unit of the price.
        pub macd_histogram: Option<f64>,
        /// What that gained in one candle.
        pub macd_histogram_change: Option<f64>,
        /// Stochastic %K (14, 3, 3).
        pub stoch_k: Option<f64>,
    }

    /// Beside what is usual: below two thirds low, above one and a half times high.
    pub enum Usual { Low, Usual, High }

    /// How far it moves.
    pub struct Volatility {
        /// By `ratio`.
        pub state: Usual,
        /// Average true range of 14 candles.
        pub atr: Option<f64>,
        /// The same as a fraction of the close.
        pub atr_share: Option<f64>,
        /// Deviation of the returns of 20 candles over that of 100.
        pub ratio: Option<f64>,
        /// Place between the Bollinger bands (20, 2): 0 at the lower, 1 at the upper.
        pub bb_position: Option<f64>,
        /// The Bollinger bands lie inside the Keltner channel (20, 1.5).
        pub squeeze: bool,
    }

    /// How much was traded.
    pub struct VolumeContext {
        /// By `ratio`.
        pub state: Usual,
        /// Beside the mean of 20 candles; null where nothing was traded.
        pub ratio: Option<f64>,
        /// Volume of rising minus that of falling closes over all, of 20 candles: −1 to 1.
        pub balance: Option<f64>,
    }

    /// The nearest prices at which the market turned before.
    #[derive(Default)]
    pub struct Levels {
        /// At or above the close.
        pub resistance: Option<Level>,
        /// At or below it.
        pub support: Option<Level>,
    }

    #[cfg_attr(feature = "schema", ts(rename = "PriceLevel"), schemars(rename = "PriceLevel"))]
    pub struct Level {
        pub price: f64,
        /// From the close, in average true ranges.
        pub distance_atr: f64,
        /// Swings that turned there.
        pub touches: u32,
        /// Candles since the first of them.
        pub age: u64,
        /// 0–1: touches count up, breaks and time without a touch count down.
        pub strength: f64,
    }

    /// A chart pattern that is forming or confirmed.
    pub struct ChartShape {
        #[cfg_attr(feature = "schema", ts(type = "string"), schemars(with = "String"))]
        pub kind: ChartKind,
        /// A candle closed beyond the line that its definition names.
        pub confirmed: bool,
        /// Which way: upwards where true; null until then.
        pub up: Option<bool>,
        /// What its height measures from the broken line; null until then.
        pub target: Option<f64>,
        /// Candles since it was seen.
        pub age: u64,
    }

    pub enum RegimeKind { TrendUp, TrendDown, Range, Unknown }

    /// The kind of market, by ADX, a regression and the swings. It changes when three candles in a row ask for the same
    /// other one; unknown for the first candles.
    pub struct Regime {
        pub kind: RegimeKind,
        /// 0–1: how far the evidence is on its side.
        pub confidence: f64,
        /// The average range of 14 candles beside that of 100.
        pub volatility: Usual,
        /// Candles for which it has held.
        pub age: u64,
    }
}

/// How many chart patterns a context holds.
pub const CHART_SHAPES: usize = 4;

fn as_shapes<S: serde::Serializer>(
    shapes: &[Option<ChartShape>; CHART_SHAPES],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(shapes.iter().flatten())
}

impl Default for Trend {
    fn default() -> Self {
        let none = None;
        Self {
            direction: TrendDirection::Flat,
            score: 0.0,
            strength: none,
            adx: none,
            ema_21_distance: none,
            ema_50_distance: none,
            ema_200_distance: none,
        }
    }
}
impl Default for Momentum {
    fn default() -> Self {
        let state = MomentumState::Neutral;
        Self { state, rsi: None, rsi_change: None, macd_histogram: None, macd_histogram_change: None, stoch_k: None }
    }
}
impl Default for Volatility {
    fn default() -> Self {
        Self { state: Usual::Usual, atr: None, atr_share: None, ratio: None, bb_position: None, squeeze: false }
    }
}
impl Default for VolumeContext {
    fn default() -> Self {
        Self { state: Usual::Usual, ratio: None, balance: None }
    }
}
impl Default for Regime {
    fn default() -> Self {
        Self { kind: RegimeKind::Unknown, confidence: 0.0, volatility: Usual::Usual, age: 0 }
    }
}

#[inline]
fn known(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// Closes in a row of one direction, after one more.
#[inline]
pub(super) fn streak(streak: i32, before: i64, close: i64) -> i32 {
    match close.cmp(&before) {
        std::cmp::Ordering::Greater => streak.max(0).saturating_add(1),
        std::cmp::Ordering::Less => streak.min(0).saturating_sub(1),
        std::cmp::Ordering::Equal => 0,
    }
}

impl Context {
    #[inline]
    pub(super) fn of(
        candle: &Ohlcv,
        helpers: &Helpers,
        streak: i32,
        patterns: RecentPatterns,
        structure: &Structure,
    ) -> Self {
        Self {
            price: PriceAction::of(candle, helpers, streak),
            momentum: Momentum::of(helpers),
            volume: VolumeContext::of(candle, helpers),
            levels: Levels::of(candle, helpers, structure),
            regime: Regime::of(structure),
            trend: Trend::of(candle, helpers),
            volatility: Volatility::of(candle, helpers),
            chart_patterns: shapes(structure),
            patterns,
        }
    }
}

impl PriceAction {
    #[inline]
    fn of(candle: &Ohlcv, h: &Helpers, streak: i32) -> Self {
        let range = candle.high - candle.low;
        let part = |value: f64, without: f64| if range > 0.0 { value / range } else { without };
        Self {
            change: known(candle.close / h.close_1 - 1.0),
            change_atr: known((candle.close - h.close_1) / h.atr_before),
            change_20: known(candle.close / h.close_20 - 1.0),
            range_atr: known(range / h.atr_before),
            body: part(candle.close - candle.open, 0.0),
            close_location: part(candle.close - candle.low, 0.5),
            gap_atr: known((candle.open - h.close_1) / h.atr_before),
            streak,
            breakout: candle.close > h.high_20,
            breakdown: candle.close < h.low_20,
        }
    }
}

impl Trend {
    #[inline]
    fn of(candle: &Ohlcv, h: &Helpers) -> Self {
        let questions = [
            candle.close - h.ema_50,
            candle.close - h.ema_200,
            h.ema_21 - h.ema_50,
            h.ema_50 - h.ema_50_before,
            h.plus_di - h.minus_di,
        ];
        let (mut sum, mut answers) = (0.0, 0.0);
        for question in questions {
            if question > 0.0 {
                sum += 1.0;
            } else if question < 0.0 {
                sum -= 1.0;
            }
            answers += f64::from(u8::from(question.is_finite()));
        }
        let score = if answers > 0.0 { sum / answers } else { 0.0 };
        let distance = |average: f64| known((candle.close - average) / h.atr);
        Self {
            direction: if score >= 0.6 {
                TrendDirection::Up
            } else if score <= -0.6 {
                TrendDirection::Down
            } else {
                TrendDirection::Flat
            },
            score,
            strength: known((h.adx / 50.0).min(1.0) * score.abs()).filter(|_| h.adx.is_finite()),
            adx: known(h.adx),
            ema_21_distance: distance(h.ema_21),
            ema_50_distance: distance(h.ema_50),
            ema_200_distance: distance(h.ema_200),
        }
    }
}

impl Momentum {
    #[inline]
    fn of(h: &Helpers) -> Self {
        // Comparisons with NaN are false: unknown is neutral.
        let state = match h.rsi {
            rsi if rsi >= 70.0 => MomentumState::Overbought,
            rsi if rsi >= 55.0 => MomentumState::Strong,
            rsi if rsi <= 30.0 => MomentumState::Oversold,
            rsi if rsi <= 45.0 => MomentumState::Weak,
            _ => MomentumState::Neutral,
        };
        Self {
            state,
            rsi: known(h.rsi),
            rsi_change: known(h.rsi - h.rsi_before),
            macd_histogram: known(h.histogram),
            macd_histogram_change: known(h.histogram - h.histogram_before),
            stoch_k: known(h.stoch_k),
        }
    }
}

impl Usual {
    #[inline]
    fn of(ratio: f64) -> Self {
        if ratio > 1.5 {
            Self::High
        } else if ratio < 2.0 / 3.0 {
            Self::Low
        } else {
            Self::Usual
        }
    }
}

impl Volatility {
    #[inline]
    fn of(candle: &Ohlcv, h: &Helpers) -> Self {
        let ratio = h.deviation / h.usual_deviation;
        Self {
            state: Usual::of(ratio),
            atr: known(h.atr),
            atr_share: known(h.atr / candle.close),
            ratio: known(ratio),
            bb_position: known((candle.close - h.lower) / (h.upper - h.lower)),
            squeeze: h.upper - h.lower < h.keltner_width,
        }
    }
}

impl VolumeContext {
    #[inline]
    fn of(candle: &Ohlcv, h: &Helpers) -> Self {
        let ratio = candle.volume / h.mean_volume;
        Self { state: Usual::of(ratio), ratio: known(ratio), balance: known(h.volume_balance / h.mean_volume) }
    }
}

impl Levels {
    #[inline]
    fn of(candle: &Ohlcv, h: &Helpers, structure: &Structure) -> Self {
        let newest = structure.len().saturating_sub(1);
        let nearest = |above: bool| {
            let mut nearest: Option<&structure::Level> = None;
            for level in structure.levels() {
                let distance = (level.price - candle.close).abs();
                let nearer = nearest.is_none_or(|known| distance < (known.price - candle.close).abs());
                if (level.price > candle.close) == above && nearer {
                    nearest = Some(level);
                }
            }
            nearest.and_then(|level| {
                let distance_atr = (level.price - candle.close).abs() / h.atr;
                distance_atr.is_finite().then(|| Level {
                    price: level.price,
                    distance_atr,
                    touches: level.touches,
                    age: level.age(newest),
                    strength: level.strength(newest),
                })
            })
        };
        Self { resistance: nearest(true), support: nearest(false) }
    }
}

impl Regime {
    #[inline]
    fn of(structure: &Structure) -> Self {
        let Some(regime) = structure.regime() else { return Self::default() };
        Self {
            kind: match regime.trend {
                structure::Trend::Up => RegimeKind::TrendUp,
                structure::Trend::Down => RegimeKind::TrendDown,
                structure::Trend::Range => RegimeKind::Range,
            },
            confidence: regime.confidence,
            volatility: match regime.volatility {
                structure::Volatility::High => Usual::High,
                structure::Volatility::Normal => Usual::Usual,
                structure::Volatility::Low => Usual::Low,
            },
            age: structure.len().saturating_sub(1).saturating_sub(regime.since_index),
        }
    }
}

#[inline]
fn shapes(structure: &Structure) -> [Option<ChartShape>; CHART_SHAPES] {
    let mut shapes = [None; CHART_SHAPES];
    let newest = structure.len().saturating_sub(1);
    let alive = |pattern: &&ChartPattern| matches!(pattern.status, Status::Forming | Status::Confirmed);
    for (place, pattern) in shapes.iter_mut().zip(structure.active_patterns().iter().rev().filter(alive)) {
        *place = Some(ChartShape {
            kind: pattern.kind,
            confirmed: pattern.status == Status::Confirmed,
            up: pattern.up,
            target: pattern.target.filter(|target| target.is_finite()),
            age: newest.saturating_sub(pattern.formed_index),
        });
    }
    shapes
}

/// The word that each value has in JSON.
macro_rules! names {
    ($($kind:ident { $($value:ident => $name:literal,)+ })+) => {
        $(impl $kind {
            pub const fn name(self) -> &'static str {
                match self { $(Self::$value => $name),+ }
            }
        })+
    };
}

names! {
    TrendDirection { Up => "up", Down => "down", Flat => "flat", }
    MomentumState {
        Overbought => "overbought", Strong => "strong", Neutral => "neutral", Weak => "weak", Oversold => "oversold",
    }
    Usual { Low => "low", Usual => "usual", High => "high", }
    RegimeKind {
        TrendUp => "trend_up", TrendDown => "trend_down", Range => "range", Unknown => "unknown",
    }
}
