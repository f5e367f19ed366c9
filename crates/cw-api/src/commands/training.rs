//! Features and descriptions of candles, for models and for retrieval.

pub use cw_analysis::rag::RagReadyCandle;
use cw_core::{InstrumentId, Timeframe, Timestamp};

use crate::prelude::*;

/// Lists the features of the vector in their order, with definitions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ListFeatures {}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct FeatureList {
    #[schemars(extend("x-rows" = true))]
    pub features: Vec<FeatureInfo>,
    /// Names their order and definitions: store it with whatever is trained on them.
    pub schema_hash: String,
    pub schema_version: u32,
    /// Candles before the first vector.
    pub warm_up: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct FeatureInfo {
    pub name: String,
    /// `log_return`, `atrs` (average true ranges), `ratio`, `share` (0 to 1), `signed` (−1 to 1).
    pub unit: String,
    pub doc: String,
    /// An expression of the strategy language, or words where it has none.
    pub definition: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum FeatureFormat {
    /// The manifest as the first line, then one object per candle.
    #[default]
    Jsonl,
    /// The manifest in the footer, under `candlewick.manifest`.
    Parquet,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum RagFormat {
    /// The manifest as the first line, then one object per candle.
    #[default]
    Jsonl,
    /// The manifest in the footer, under `candlewick.manifest`.
    Parquet,
    /// One point per line (id, vector, payload), as Qdrant takes them; the scaler's hash is in the payload.
    Qdrant,
}

/// Writes the feature vectors of closed candles as a file with a manifest: hashes, range, schema, and the scale that a
/// model needs, fitted on candles before the range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ExportFeatures {
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
    /// The newest so many of the range; 5,000 without it, at most 200,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// JSON lines without it.
    #[schemars(extend("x-flag" = "format"))]
    #[serde(alias = "format")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_format: Option<FeatureFormat>,
}

/// Writes closed candles for retrieval as a file with a manifest: description, keywords, summary, patterns explained, and
/// a vector per candle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ExportRag {
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
    /// The newest so many of the range; 1,000 without it, at most 50,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// JSON lines without it.
    #[schemars(extend("x-flag" = "format"))]
    #[serde(alias = "format")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_format: Option<RagFormat>,
}

/// Gets one closed candle for retrieval, as an export has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct GetRag {
    #[schemars(extend("x-position" = 0))]
    pub instrument: InstrumentId,
    #[schemars(extend("x-alias" = "tf"))]
    pub timeframe: Timeframe,
    /// The candle that holds this time; the newest closed one without it. Nothing after it is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// What a live export appends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum LiveRagFormat {
    /// One object per candle.
    #[default]
    Jsonl,
    /// One point per line, as Qdrant takes them.
    Qdrant,
}

/// Lists the live exports for retrieval, and says whether vectors go to PostgreSQL as well.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ListLiveRag {}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct LiveRagList {
    #[schemars(extend("x-rows" = true))]
    pub exports: Vec<LiveRag>,
    /// pgvector is there, and what closes is written to its table `candle_vectors` too.
    pub vectors: bool,
    /// Its version, or why there is none.
    pub vectors_detail: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct LiveRag {
    pub instrument: InstrumentId,
    pub timeframe: Timeframe,
    pub format: LiveRagFormat,
    /// On the engine's machine; `FILE.manifest.json` beside it says what it holds.
    pub file: String,
    /// Lines in the file, of earlier runs too.
    pub rows: u64,
    /// Open time of the newest candle in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
    /// Rows written to PostgreSQL since it was started.
    pub vectors_written: u64,
    /// What went wrong last; it is tried again with the next candle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Starts a live export: each candle that closes is appended to a file in the data directory, and written to PostgreSQL
/// where pgvector is. It ends with the program or with `rag.stop` and goes on where it ended; the scale stays the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct StartLiveRag {
    #[schemars(extend("x-position" = 0))]
    pub instrument: InstrumentId,
    #[schemars(extend("x-alias" = "tf"))]
    pub timeframe: Timeframe,
    /// JSON lines without it.
    #[schemars(extend("x-flag" = "format"))]
    #[serde(alias = "format")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_format: Option<LiveRagFormat>,
}

/// Stops the live exports of a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct StopLiveRag {
    #[schemars(extend("x-position" = 0))]
    pub instrument: InstrumentId,
    #[schemars(extend("x-alias" = "tf"))]
    pub timeframe: Timeframe,
}

/// Checks an exported file line by line and against its manifest: hash, rows, range, schema, ids, order and vectors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ValidateExport {
    /// Path of the file on the engine's machine: JSON lines, whose manifest is the first line or `FILE.manifest.json`, or
    /// Parquet, whose manifest is in its footer.
    #[schemars(extend("x-position" = 0, "x-file" = true))]
    pub file: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct ExportValidity {
    /// Nothing is wrong with it.
    pub ok: bool,
    /// `features` or `rag` from the manifest; without one, `points` for what Qdrant takes.
    pub kind: String,
    pub manifest: bool,
    pub rows: u64,
    /// Rows whose id came again later: the later one counts.
    pub replaced: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
    /// The features are those of this program, so that its vectors can be compared with the file's.
    pub current_schema: bool,
    /// How many things are wrong; `problems` has the first twenty.
    pub problem_count: u64,
    pub problems: Vec<String>,
}

command!(ListFeatures => "features.list", Read, None, FeatureList, analysis.list_features);
command!(ExportFeatures => "features.export", Read, None, FileContent, analysis.export_features);
command!(GetRag => "rag.get", Read, None, RagReadyCandle, analysis.get_rag);
command!(ExportRag => "rag.export", Read, None, FileContent, analysis.export_rag);
command!(ListLiveRag => "rag.live", Read, None, LiveRagList, analysis.list_live_rag);
command!(StartLiveRag => "rag.start", Trade, Low, LiveRag, analysis.start_live_rag);
command!(StopLiveRag => "rag.stop", Trade, Low, LiveRagList, analysis.stop_live_rag);
command!(ValidateExport => "rag.validate", Admin, None, ExportValidity, analysis.validate_export);
