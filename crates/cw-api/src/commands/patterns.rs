//! Candlestick patterns.

use cw_core::{InstrumentId, Timeframe, Timestamp};

use crate::prelude::*;

/// Lists the candlestick patterns with their definitions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ListPatterns {}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct PatternList {
    pub patterns: Vec<PatternInfo>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct PatternInfo {
    pub name: String,
    /// TA-Lib's function.
    pub ta_lib: String,
    pub title: String,
    /// How many candles it is made of, the one that completes it included.
    pub candles: u32,
    pub direction: PatternDirection,
    /// The definition in plain words.
    pub doc: String,
    /// Where the definition comes from.
    pub source: String,
}

/// Which way a pattern's signal points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum PatternDirection {
    Bullish,
    Bearish,
    /// Positive is bullish, negative is bearish.
    Both,
    /// The sign is no direction: 100, or the candle's color.
    Neutral,
}

/// Finds candlestick patterns in closed candles, TA-Lib's 61 with its settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ScanPatterns {
    #[schemars(extend("x-position" = 0))]
    pub instrument: InstrumentId,
    #[schemars(extend("x-alias" = "tf"))]
    pub timeframe: Timeframe,
    /// Only these, by their name or TA-Lib's: `hammer,engulfing`. All without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Vec<String>>,
    /// First open time, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Last open time, exclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// The newest candles of the range. Without it: all of the range when both ends are given, else 500 of a venue's
    /// and 50,000 of a file's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct PatternScan {
    pub instrument: InstrumentId,
    pub timeframe: Timeframe,
    /// Oldest first; more than one per candle where it completes several.
    #[schemars(extend("x-rows" = true))]
    pub hits: Vec<PatternSignal>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct PatternSignal {
    /// Of the candle that completes the pattern.
    pub open_time: Timestamp,
    pub pattern: String,
    /// −200 to 200 as TA-Lib gives it; most are 100 or −100.
    pub signal: i32,
}

command!(ListPatterns => "patterns.list", Read, None, PatternList, market.list_patterns);
command!(ScanPatterns => "patterns.scan", Read, None, PatternScan, market.scan_patterns);
