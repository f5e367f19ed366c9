//! Market structure.

use cw_core::{InstrumentId, Timeframe, Timestamp};

use crate::prelude::*;

/// Gets the market structure at a candle: swings, support and resistance, trend lines, chart patterns, regime and trend
/// strength. All of it was known at that candle's close, and none of it is taken back later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct GetStructure {
    #[schemars(extend("x-position" = 0))]
    pub instrument: InstrumentId,
    #[schemars(extend("x-alias" = "tf"))]
    pub timeframe: Timeframe,
    /// The candle that holds this time; the newest closed one without it. Nothing after it is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// How many candles to read up to there; 2,000 without it, at most 50,000.
    #[schemars(range(min = 50, max = 50000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct StructureView {
    pub instrument: InstrumentId,
    pub timeframe: Timeframe,
    /// When the candle opened.
    pub at: Timestamp,
    pub close: f64,
    /// Average true range of 14 candles.
    pub atr: f64,
    /// By strength, the strongest first.
    #[schemars(extend("x-rows" = true))]
    pub levels: Vec<LevelView>,
    /// Oldest first: those that something may still become of, then those that ended lately.
    pub patterns: Vec<ChartPatternView>,
    /// Confirmed swings, oldest first.
    pub pivots: Vec<PivotView>,
    pub trend_lines: Vec<TrendLineView>,
    /// Nothing while there are fewer than 31 candles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regime: Option<RegimeView>,
    pub strength: TrendStrength,
}

/// A price at which swings turned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct LevelView {
    /// Made of the time of its first swing: the same in every answer.
    pub id: String,
    pub price: f64,
    /// Half the height of its zone.
    pub zone: f64,
    pub side: LevelSide,
    /// Swings that turned here.
    pub touches: u32,
    /// Closes through it.
    pub breaks: u32,
    /// 0 to 1, from touches, breaks and the time since the last touch.
    pub strength: f64,
    /// Candles since the first swing.
    pub age: u64,
    pub first_touch: Timestamp,
    pub last_touch: Timestamp,
    /// The candle that confirmed the last touch.
    pub confirmed_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum LevelSide {
    Support,
    Resistance,
}

/// A swing high or low.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct PivotView {
    pub time: Timestamp,
    pub price: f64,
    pub high: bool,
    /// The candle that confirmed it: before that nobody could know.
    pub confirmed_at: Timestamp,
}

/// A straight line between two candles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct LineView {
    pub from_time: Timestamp,
    pub from_price: f64,
    pub to_time: Timestamp,
    pub to_price: f64,
}

/// A line along two or more swings that no close has broken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct TrendLineView {
    pub side: LevelSide,
    /// From the first swing to this candle.
    pub line: LineView,
    pub touches: u32,
    /// Price per candle.
    pub slope: f64,
    /// The candle that confirmed its second swing.
    pub confirmed_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum ChartPatternStatus {
    /// All points are there; the close beyond its line is not.
    Forming,
    /// A candle closed beyond the line that the definition names.
    Confirmed,
    /// Confirmed, and then closed back beyond the pattern's middle before the target was reached.
    Broken,
    /// Closed on the wrong side first, or nothing came of it in time.
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum ChartPatternSide {
    Up,
    Down,
}

/// A shape made of swings, or a broken level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct ChartPatternView {
    /// Made of its kind and the time it formed: the same in every answer.
    pub id: String,
    /// `double_top`, `head_and_shoulders`, `ascending_triangle`, `bull_flag`, `breakout_up` …
    pub kind: String,
    pub status: ChartPatternStatus,
    /// The swings that made it, oldest first; none for a breakout.
    pub points: Vec<PivotView>,
    /// The candle that confirmed the last point, or broke the level.
    pub formed_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
    /// Which way it was confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<ChartPatternSide>,
    /// Where its line broke.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub break_price: Option<f64>,
    /// The usual measure: its height beyond the broken line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_reached_at: Option<Timestamp>,
    /// The first candle that came back to the broken line and closed on the far side of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retested_at: Option<Timestamp>,
    /// When nothing more could become of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The lines whose break upwards and downwards confirms it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<LineView>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<LineView>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum TrendLabel {
    Up,
    Down,
    Range,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum VolatilityLabel {
    High,
    Normal,
    Low,
}

/// What kind of market it is, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct RegimeView {
    pub trend: TrendLabel,
    pub volatility: VolatilityLabel,
    /// 0 to 1.
    pub confidence: f64,
    /// The candle from which both labels hold.
    pub since: Timestamp,
    /// What the newest candle asks for; a label changes when three in a row ask for the same.
    pub asks_trend: TrendLabel,
    pub asks_volatility: VolatilityLabel,
    /// Average range of 14 candles over that of 100.
    pub range_ratio: f64,
    pub reasons: Vec<RegimeReason>,
}

/// A feature, and what it adds to the trend's score from −1 (down) to 1 (up).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct RegimeReason {
    /// `adx`, `r_squared`, `slope` or `swings`.
    pub feature: String,
    pub value: f64,
    pub adds: f64,
}

/// How strongly prices trend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct TrendStrength {
    /// Average directional index of 14 candles, 0 to 100.
    pub adx: f64,
    pub plus_di: f64,
    pub minus_di: f64,
    /// Slope of the regression of 30 closes, in average true ranges per candle.
    pub slope: f64,
    /// How much of their variance it explains, 0 to 1.
    pub r_squared: f64,
}

command!(GetStructure => "structure.get", Read, None, StructureView, analysis.get_structure);
