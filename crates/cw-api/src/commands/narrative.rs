//! Candles in words.

pub use cw_analysis::narrative::Narrative;
use cw_core::{InstrumentId, Timeframe, Timestamp};

use crate::prelude::*;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum NarrativeFormat {
    #[default]
    Text,
    Json,
    Markdown,
}

/// Describes a closed candle in words: price, trend, momentum, volatility, volume, patterns, levels, regime, and what would
/// change the view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct DescribeCandle {
    #[schemars(extend("x-position" = 0))]
    pub instrument: InstrumentId,
    #[schemars(extend("x-alias" = "tf"))]
    pub timeframe: Timeframe,
    /// The candle that holds this time; the newest closed one without it. Nothing after it is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Plain text without it.
    #[schemars(extend("x-flag" = "format"))]
    #[serde(alias = "format")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub narrative_format: Option<NarrativeFormat>,
}

/// Gets the description of a closed candle sentence by sentence, each with the fields that it came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct GetNarrative {
    #[schemars(extend("x-position" = 0))]
    pub instrument: InstrumentId,
    #[schemars(extend("x-alias" = "tf"))]
    pub timeframe: Timeframe,
    /// The candle that holds this time; the newest closed one without it. Nothing after it is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// A closed candle in words.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct CandleNarrative {
    pub instrument: InstrumentId,
    pub timeframe: Timeframe,
    /// When the candle opened.
    pub at: Timestamp,
    #[serde(flatten)]
    pub narrative: Narrative,
    /// All of it as plain text.
    pub text: String,
    /// And as Markdown.
    pub markdown: String,
}

command!(DescribeCandle => "narrative.describe", Read, None, FileContent, analysis.describe_candle);
command!(GetNarrative => "narrative.get", Read, None, CandleNarrative, analysis.get_narrative);
