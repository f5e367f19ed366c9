//! Live topics: what a surface can subscribe to and what arrives.
//!
//! Every subscription begins with a snapshot; deltas follow. The surface numbers them, so that a client that misses one
//! can ask again.

use std::borrow::Cow;

use cw_analysis::enrich::EnrichedCandle;
use cw_core::{Cadence, InstrumentId, Price, Quantity, Side, Timeframe, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use crate::commands::backtests::Job;
use crate::commands::market::QuoteView;
use crate::commands::orders::OrderView;
use crate::commands::portfolio::{AccountView, FillView, PositionList};
use crate::commands::risk::Approval;
use crate::commands::strategies::Decision;
use crate::commands::system::{Health, LogLine};
use crate::error::{ApiError, ErrorCode};

/// What a client asks to be told about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "topic", content = "params", rename_all = "snake_case")]
pub enum Topic {
    Quotes(QuotesParams),
    Chart(ChartParams),
    Trades(InstrumentParams),
    Depth(InstrumentParams),
    Enriched(SeriesParams),
    Orders(NoParams),
    Fills(NoParams),
    Positions(NoParams),
    Accounts(NoParams),
    Decisions(NoParams),
    Approvals(NoParams),
    Jobs(NoParams),
    Health(NoParams),
    Logs(NoParams),
    Stats(NoParams),
}

impl Topic {
    /// Reads a topic and its parameters as a client writes them.
    pub fn parse(topic: &str, params: Value) -> Result<Self, ApiError> {
        if !TOPICS.iter().any(|entry| entry.name == topic) {
            let shown: String = topic.chars().take(60).collect();
            return Err(
                ApiError::new(ErrorCode::NotFound, format!("there is no topic \"{shown}\"")).with_field("topic")
            );
        }
        let params = if params.is_null() { Value::Object(serde_json::Map::new()) } else { params };
        let whole = serde_json::json!({ "topic": topic, "params": params });
        serde_json::from_value(whole).map_err(|error| ApiError::invalid("params", error.to_string()))
    }

    pub const fn name(&self) -> &'static str {
        match self {
            Self::Quotes(_) => "quotes",
            Self::Chart(_) => "chart",
            Self::Trades(_) => "trades",
            Self::Depth(_) => "depth",
            Self::Enriched(_) => "enriched",
            Self::Orders(_) => "orders",
            Self::Fills(_) => "fills",
            Self::Positions(_) => "positions",
            Self::Accounts(_) => "accounts",
            Self::Decisions(_) => "decisions",
            Self::Approvals(_) => "approvals",
            Self::Jobs(_) => "jobs",
            Self::Health(_) => "health",
            Self::Logs(_) => "logs",
            Self::Stats(_) => "stats",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct QuotesParams {
    /// Only these; all without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruments: Option<Vec<InstrumentId>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct ChartParams {
    pub instrument: InstrumentId,
    pub timeframe: Cadence,
    /// Indicators, as `chart.window` takes them.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub set: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct SeriesParams {
    pub instrument: InstrumentId,
    pub timeframe: Timeframe,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct InstrumentParams {
    pub instrument: InstrumentId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct NoParams {}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum UpdateKind {
    /// Everything there is; forget what came before.
    Snapshot,
    /// What changed since the last update.
    Delta,
}

/// One message of a subscription.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    pub kind: UpdateKind,
    pub data: UpdateData,
}

/// What a message carries, by topic.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum UpdateData {
    Quotes(Vec<QuoteView>),
    Chart(ChartUpdate),
    Trades(Vec<TradeView>),
    Depth(DepthView),
    /// Each candle as it closes, oldest first; a snapshot has the newest one.
    Enriched(Vec<EnrichedCandle>),
    Orders(Vec<OrderView>),
    Fills(Vec<FillView>),
    Positions(PositionList),
    Accounts(Vec<AccountView>),
    Decisions(Vec<Decision>),
    Approvals(Vec<Approval>),
    Jobs(Vec<Job>),
    Health(Health),
    Logs(Vec<LogLine>),
    Stats(Stats),
}

/// The forming candle with its plots, and candles that closed since the last update.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct ChartUpdate {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forming: Option<ChartPoint>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(optional, as = "Option<_>")]
    pub closed: Vec<ChartPoint>,
}

/// A candle as the chart draws it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ChartPoint {
    /// Open time in Unix seconds.
    pub time: f64,
    pub o: f64,
    pub h: f64,
    pub l: f64,
    pub c: f64,
    pub v: f64,
    /// One per output of the set; null is warming up.
    pub plots: Vec<Option<f64>>,
}

/// One public print.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[schemars(rename = "Trade")]
#[ts(rename = "Trade", optional_fields)]
pub struct TradeView {
    pub time: Timestamp,
    pub price: Price,
    pub qty: Quantity,
    /// Who crossed the spread, where the venue tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
}

/// The order book, best first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[schemars(rename = "Depth")]
#[ts(rename = "Depth")]
pub struct DepthView {
    pub bids: Vec<DepthLevel>,
    pub asks: Vec<DepthLevel>,
    pub spread: Price,
    /// Spread in basis points of the mid price.
    pub spread_bp: f64,
}

/// Price, quantity, and the sum of quantities from the best price to this one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct DepthLevel(pub Price, pub Quantity, pub Quantity);

/// How the program is doing, once a second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct Stats {
    pub messages_per_s: f64,
    pub event_to_screen_p99_ms: f64,
    /// Of one core: 1 is one core busy.
    pub cpu: f64,
    pub memory_mb: f64,
    pub queue_depth: u32,
    pub automation: AutomationStats,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct AutomationStats {
    pub running: u32,
    pub paused: u32,
}

/// A topic with the TypeScript of its parameters and data.
pub struct TopicEntry {
    pub name: &'static str,
    pub params: fn(&ts_rs::Config) -> Cow<'static, str>,
    pub data: fn(&ts_rs::Config) -> Cow<'static, str>,
    pub export: fn(&ts_rs::Config) -> Result<(), ts_rs::ExportError>,
}

macro_rules! topic {
    ($name:literal, $params:ty, $data:ty, $item:ty) => {
        TopicEntry {
            name: $name,
            params: |cfg| <$params as TS>::name(cfg).into(),
            data: |cfg| <$data as TS>::name(cfg).into(),
            export: |cfg| {
                <$params as TS>::export_all(cfg)?;
                <$item as TS>::export_all(cfg)
            },
        }
    };
}

/// Every topic, one line each.
pub const TOPICS: &[TopicEntry] = &[
    topic!("quotes", QuotesParams, Vec<QuoteView>, QuoteView),
    topic!("chart", ChartParams, ChartUpdate, ChartUpdate),
    topic!("trades", InstrumentParams, Vec<TradeView>, TradeView),
    topic!("depth", InstrumentParams, DepthView, DepthView),
    topic!("enriched", SeriesParams, Vec<EnrichedCandle>, EnrichedCandle),
    topic!("orders", NoParams, Vec<OrderView>, OrderView),
    topic!("fills", NoParams, Vec<FillView>, FillView),
    topic!("positions", NoParams, PositionList, PositionList),
    topic!("accounts", NoParams, Vec<AccountView>, AccountView),
    topic!("decisions", NoParams, Vec<Decision>, Decision),
    topic!("approvals", NoParams, Vec<Approval>, Approval),
    topic!("jobs", NoParams, Vec<Job>, Job),
    topic!("health", NoParams, Health, Health),
    topic!("logs", NoParams, Vec<LogLine>, LogLine),
    topic!("stats", NoParams, Stats, Stats),
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_listed_topic_can_be_subscribed_under_its_name() {
        for entry in TOPICS {
            let params = match entry.name {
                "chart" | "enriched" => json!({"instrument": "BTC-PERP.SIM", "timeframe": "15m"}),
                "trades" | "depth" => json!({"instrument": "BTC-PERP.SIM"}),
                _ => Value::Null,
            };
            assert_eq!(Topic::parse(entry.name, params).unwrap().name(), entry.name);
        }
    }

    #[test]
    fn unknown_topics_and_bad_params_are_refused() {
        assert_eq!(Topic::parse("gossip", Value::Null).unwrap_err().code, ErrorCode::NotFound);
        let error = Topic::parse("chart", json!({"instrument": "nowhere", "timeframe": "15m"})).unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::InvalidRequest, Some("params")));
        assert!(Topic::parse("orders", json!({"all": true})).is_err());
    }
}
