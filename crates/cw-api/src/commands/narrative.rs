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

/// Puts the descriptions of closed candles where `narrative search` finds them. What is there already is written again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct IndexNarratives {
    #[schemars(extend("x-position" = 0))]
    pub instrument: InstrumentId,
    #[schemars(extend("x-alias" = "tf"))]
    pub timeframe: Timeframe,
    /// First open time, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Last open time, exclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// The newest this many; without it all from `from` on, or the newest 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct IndexedNarratives {
    /// Candles whose description is found from now on.
    pub indexed: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
}

/// Finds candles by the words of their description, among those that `narrative index` was given; the best match first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct SearchNarratives {
    /// Words that all have to occur, in any form: "hammer support".
    #[schemars(extend("x-position" = 0))]
    pub words: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<InstrumentId>,
    #[schemars(extend("x-alias" = "tf"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeframe: Option<Timeframe>,
    /// First open time, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Last open time, exclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// At most this many, 20 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct FoundNarratives {
    pub found: Vec<FoundNarrative>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct FoundNarrative {
    pub instrument: InstrumentId,
    pub timeframe: Timeframe,
    /// When the candle opened.
    pub at: Timestamp,
    pub text: String,
    pub keywords: Vec<String>,
}

command!(IndexNarratives => "narrative.index", Trade, None, IndexedNarratives, analysis.index_narratives);
command!(SearchNarratives => "narrative.search", Read, None, FoundNarratives, analysis.search_narratives);
command!(DescribeCandle => "narrative.describe", Read, None, FileContent, analysis.describe_candle);
command!(GetNarrative => "narrative.get", Read, None, CandleNarrative, analysis.get_narrative);
