//! Backtests and the jobs that long work becomes.

use std::collections::BTreeMap;

use cw_core::{Amount, Cadence, InstrumentId, Price, Quantity, Ratio, Side, Timeframe, Timestamp};

use crate::prelude::*;

/// When an order of a backtest fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "kebab-case")]
pub enum FillRule {
    /// At the open of the candle after the signal.
    #[default]
    NextOpen,
    /// At the close of the candle that gave the signal; flatters results.
    SameClose,
}

/// What a backtest runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct BacktestRequest {
    /// Name of a strategy, or path of a TOML file.
    #[schemars(extend("x-file" = true))]
    pub strategy: String,
    /// Parameters by name.
    #[serde(default, deserialize_with = "crate::text_map")]
    #[schemars(extend("x-flag" = "param"))]
    #[ts(optional, as = "Option<_>")]
    pub params: BTreeMap<String, String>,
    pub instrument: InstrumentId,
    /// A length (15m), or candles by what was traded (100t, 500v) of trades that were imported, recorded or simulated.
    #[schemars(extend("x-alias" = "tf"))]
    pub timeframe: Cadence,
    /// First open time, inclusive; the first stored candle without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Last open time, exclusive; the end of the data without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Starting cash; 10000 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cash: Option<Amount>,
    /// Fee in basis points of notional; the instrument's own without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_bps: Option<Ratio>,
    /// Slippage of market orders in basis points; 0 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slippage_bps: Option<Ratio>,
    /// When orders fill; at the next open without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<FillRule>,
}

/// Runs a strategy over stored candles and answers with its trades, equity and metrics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(transparent)]
pub struct RunBacktest(pub BacktestRequest);

/// Starts a backtest as a job and answers at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(transparent)]
pub struct StartBacktest(pub BacktestRequest);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct StartedJob {
    pub job_id: String,
}

/// Gets the result of a backtest that was started as a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct GetBacktestResult {
    #[schemars(extend("x-position" = 0))]
    pub job_id: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct BacktestResult {
    pub trades: Vec<RoundTrip>,
    pub equity: Vec<EquityPoint>,
    /// By name, as decimal text; null where it is not defined.
    pub metrics: BTreeMap<String, Option<String>>,
    /// What was assumed: fees, fills, data.
    pub assumptions: BTreeMap<String, String>,
    /// The same inputs give the same fingerprint.
    pub fingerprint: String,
}

/// From an entry to its exit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct RoundTrip {
    /// Side of the entry.
    pub side: Side,
    pub qty: Quantity,
    pub entry_time: Timestamp,
    pub entry_price: Price,
    pub exit_time: Timestamp,
    pub exit_price: Price,
    /// After fees.
    pub pnl: Amount,
    pub fees: Amount,
    /// `signal`, `stop`, `target`, `end`.
    pub exit_reason: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct EquityPoint {
    pub time: Timestamp,
    pub equity: Amount,
    /// 0 to 1 below the peak.
    pub drawdown: Ratio,
}

/// Lists jobs, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ListJobs {
    /// At most this many; 100 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct JobList {
    pub jobs: Vec<Job>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    Queued,
    Running,
    Done,
    Failed,
    Canceled,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct Job {
    pub id: String,
    /// `backtest`, `fetch`.
    pub kind: String,
    pub title: String,
    pub state: JobState,
    /// 0 to 1.
    pub progress: f64,
    pub message: String,
    pub started_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Of a fetch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fetch: Option<FetchProgress>,
}

/// How far a fetch is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct FetchProgress {
    pub instrument: InstrumentId,
    pub timeframe: Timeframe,
    pub from: Timestamp,
    pub to: Timestamp,
    /// Everything before this time is there.
    pub done_to: Timestamp,
    /// Came so far.
    pub candles: u64,
    /// Would fit into what had to be asked for; a market that closes has fewer.
    pub expected: u64,
}

/// Cancels a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct CancelJob {
    #[schemars(extend("x-position" = 0))]
    pub job_id: String,
}

command!(RunBacktest => "backtest.run", Read, None, BacktestResult, backtests.run);
command!(StartBacktest => "backtest.start", Read, None, StartedJob, backtests.start);
command!(GetBacktestResult => "backtest.result", Read, None, BacktestResult, backtests.result);
command!(ListJobs => "jobs.list", Read, None, JobList, backtests.list_jobs);
command!(CancelJob => "jobs.cancel", Trade, Low, Job, backtests.cancel_job);
