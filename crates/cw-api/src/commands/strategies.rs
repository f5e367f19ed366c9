//! Strategies that run, and what they decided.

use std::collections::BTreeMap;

use cw_core::{AccountId, Cadence, InstrumentId, OrderId, Price, Quantity, StrategyId, Timeframe, Timestamp};

use crate::prelude::*;

/// Lists the strategies that can be started or backtested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ListStrategies {}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct StrategyList {
    pub strategies: Vec<StrategyInfo>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct StrategyInfo {
    pub name: String,
    pub title: String,
    pub description: String,
    pub params: Vec<StrategyParam>,
    /// `shipped` or the file it came from.
    pub source: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct StrategyParam {
    pub name: String,
    pub default: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<String>,
}

/// Starts a strategy on an instrument's closed candles; its orders go to the account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct StartStrategy {
    /// Name of a strategy, or path of a TOML file.
    #[schemars(extend("x-position" = 0, "x-file" = true))]
    pub strategy: String,
    /// Parameters by name.
    #[serde(default, deserialize_with = "crate::text_map")]
    #[schemars(extend("x-flag" = "param"))]
    #[ts(optional, as = "Option<_>")]
    pub params: BTreeMap<String, String>,
    pub instrument: InstrumentId,
    pub timeframe: Timeframe,
    pub account: AccountId,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct StartedStrategy {
    pub id: StrategyId,
}

/// Stops a running strategy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct StopStrategy {
    #[schemars(extend("x-position" = 0))]
    pub id: StrategyId,
    /// Close what it holds as well.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub flatten: bool,
}

/// Lists strategies that were started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct RunningStrategies {}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct RunningStrategyList {
    pub strategies: Vec<RunningStrategy>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum StrategyState {
    /// Its indicators do not have enough candles yet.
    Warming,
    Running,
    Paused,
    Stopped,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct RunningStrategy {
    pub id: StrategyId,
    pub strategy: String,
    pub instrument: InstrumentId,
    pub timeframe: Cadence,
    pub account: AccountId,
    pub params: BTreeMap<String, String>,
    pub state: StrategyState,
    pub signal_count: u64,
    pub order_count: u64,
    pub since: Timestamp,
}

/// Lists decisions, newest first: also those not to trade, with the reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ListDecisions {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<InstrumentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<StrategyId>,
    /// At most this many; 200 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct DecisionList {
    pub decisions: Vec<Decision>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Buy,
    Sell,
    Hold,
    Skip,
    Block,
    Error,
}

/// What a strategy made of a closed candle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct Decision {
    pub id: String,
    pub time: Timestamp,
    pub instrument: InstrumentId,
    pub strategy: StrategyId,
    pub verdict: Verdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qty: Option<Quantity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    pub reason: String,
    /// 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
}

command!(ListStrategies => "strategies.list", Read, None, StrategyList, trading.list_strategies);
command!(StartStrategy => "strategies.start", Trade, High, StartedStrategy, trading.start_strategy);
command!(StopStrategy => "strategies.stop", Trade, Low, RunningStrategy, trading.stop_strategy);
command!(RunningStrategies => "strategies.running", Read, None, RunningStrategyList, trading.running_strategies);
command!(ListDecisions => "decisions.list", Read, None, DecisionList, trading.list_decisions);
