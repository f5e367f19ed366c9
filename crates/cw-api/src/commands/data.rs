//! Candles, trades and quotes from files and providers; the simulated market.

use std::collections::BTreeMap;

use cw_core::{Adjustment, InstrumentId, Timeframe, Timestamp};

use super::backtests::StartedJob;
use crate::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum DataKind {
    Candles,
    Trades,
    Quotes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    Csv,
    Json,
    Parquet,
}

/// Imports candles, trades or quotes from a CSV or Parquet file. Bad lines are reported, good ones kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ImportData {
    /// Path of the file on the engine's machine; `-` at the command line reads standard input.
    #[schemars(extend("x-position" = 0, "x-file" = true))]
    pub file: String,
    pub instrument: InstrumentId,
    /// Of the candles; for trades and quotes, the candles to build (1m without it).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeframe: Option<Timeframe>,
    /// What the file holds; told from its columns without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<DataKind>,
    /// Told from the file's name without it.
    #[serde(alias = "format")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_format: Option<FileFormat>,
    /// Which of the file's columns is which of ours: `{"close": "c"}`.
    #[serde(default, deserialize_with = "crate::text_map")]
    #[ts(optional, as = "Option<_>")]
    pub columns: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct ImportReport {
    pub instrument: InstrumentId,
    pub kind: DataKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeframe: Option<Timeframe>,
    pub accepted: u64,
    /// How many lines were refused; `rejected` names the first of them.
    pub rejected_count: u64,
    pub rejected: Vec<RejectedLine>,
    pub duplicates: u64,
    /// Values that had more than nine decimals and were rounded.
    pub rounded: u64,
    /// How many ranges are missing; `gaps` names the first of them.
    pub gap_count: u64,
    pub gaps: Vec<TimeRange>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct RejectedLine {
    /// Line of the file, the header being 1.
    pub line: u64,
    pub reason: String,
}

/// `from` inclusive, `to` exclusive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct TimeRange {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// Writes stored candles, trades or quotes as a file. What is exported imports to the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ExportData {
    #[schemars(extend("x-position" = 0))]
    pub instrument: InstrumentId,
    /// Of the candles; trades and quotes have none.
    #[schemars(extend("x-alias" = "tf"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeframe: Option<Timeframe>,
    /// What to write; candles without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<DataKind>,
    /// First open time, or time of a trade or quote, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Last one, exclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// CSV without it.
    #[schemars(extend("x-flag" = "format"))]
    #[serde(alias = "format")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_format: Option<FileFormat>,
}

/// Gets candles from the instrument's venue and keeps them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct FetchData {
    #[schemars(extend("x-position" = 0))]
    pub instrument: InstrumentId,
    #[schemars(extend("x-alias" = "tf"))]
    pub timeframe: Timeframe,
    /// First open time, inclusive.
    #[schemars(extend("x-alias" = "start"))]
    pub from: Timestamp,
    /// Last open time, exclusive; now without it.
    #[schemars(extend("x-alias" = "end"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct FetchReport {
    pub instrument: InstrumentId,
    pub timeframe: Timeframe,
    pub fetched: u64,
    pub stored: u64,
    pub gaps: Vec<TimeRange>,
    /// Who gave what was fetched; empty when nobody had to be asked.
    #[serde(default)]
    pub providers: Vec<FetchedFrom>,
}

/// What one provider gave to a fetch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct FetchedFrom {
    /// As it is stored with the candles: `ALPACA:iex`.
    pub provider: String,
    pub candles: u64,
    /// Why one that stands before it in `data.priority` did not give them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<String>,
}

/// Starts a fetch as a job and answers at once. It shows in the list of jobs and can be canceled there; what it has
/// fetched until then is kept, and the next fetch goes on where it stopped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(transparent)]
pub struct StartFetch(pub FetchData);

/// Lists what is stored of each instrument and timeframe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct DataCoverage {
    #[schemars(extend("x-position" = 0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<InstrumentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeframe: Option<Timeframe>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct CoverageList {
    pub coverage: Vec<Coverage>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct Coverage {
    pub instrument: InstrumentId,
    pub timeframe: Timeframe,
    pub first: Timestamp,
    pub last: Timestamp,
    pub candles: u64,
    pub gap_count: u64,
    /// What providers were asked for and answered, oldest first, whether or not the market traded; files say nothing here.
    #[serde(default)]
    pub ranges: Vec<CoveredRange>,
    /// The newest thousand stretches without candles between two that exist, oldest first.
    #[serde(default)]
    pub gaps: Vec<CoverageGap>,
    /// Whether its prices are adjusted for splits; unknown of files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjustment: Option<Adjustment>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct CoveredRange {
    pub from: Timestamp,
    pub to: Timestamp,
    pub provider: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct CoverageGap {
    pub from: Timestamp,
    pub to: Timestamp,
    /// How many candles would fit.
    pub missing: u64,
    pub reason: GapReason,
}

/// Why there are no candles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// A provider was asked and has none: the market was closed or nobody traded.
    NoTrades,
    /// Nobody was asked.
    NotFetched,
    /// The provider could not say what was there.
    Lost,
    /// A file does not say.
    Unknown,
}

/// Starts the simulated market.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct EnableMock {
    /// The same seed gives the same prices to the byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// How fast its time runs: `10` or `10x`.
    #[schemars(extend("x-number-suffix" = "x"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<f64>,
}

/// Stops the simulated market.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct DisableMock {}

/// Changes how fast the simulated market's time runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct SetMockSpeed {
    #[schemars(extend("x-position" = 0, "x-number-suffix" = "x"))]
    pub speed: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct MockState {
    pub enabled: bool,
    pub seed: u64,
    pub speed: f64,
    pub instruments: u32,
}

/// Checks the simulated market: statistics of its prices and that the same seed gives the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct TestMock {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct MockReport {
    pub ok: bool,
    pub seed: u64,
    pub checks: Vec<MockCheck>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct MockCheck {
    pub check: String,
    pub pass: bool,
    /// What was measured and what is accepted.
    pub reason: String,
}

command!(ImportData => "data.import", Admin, Low, ImportReport, market.import_data);
command!(ExportData => "data.export", Read, None, FileContent, market.export_data);
command!(FetchData => "data.fetch", Trade, Low, FetchReport, market.fetch_data);
command!(StartFetch => "fetch.start", Trade, Low, StartedJob, market.start_fetch);
command!(DataCoverage => "data.coverage", Read, None, CoverageList, market.coverage);
command!(EnableMock => "mock.enable", Admin, Low, MockState, market.enable_mock);
command!(DisableMock => "mock.disable", Admin, Low, MockState, market.disable_mock);
command!(SetMockSpeed => "mock.speed", Admin, Low, MockState, market.set_mock_speed);
command!(TestMock => "mock.test", Read, None, MockReport, market.test_mock);
