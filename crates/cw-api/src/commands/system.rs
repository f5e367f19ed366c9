//! The program itself: health, metrics, connections, logs, audit, settings, workspaces, the database's version.

use std::collections::BTreeMap;

use cw_core::{Surface, Timestamp};

use crate::access::{Access, Risk};
use crate::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum HealthStatus {
    Ok,
    Degraded,
    Down,
}

impl HealthStatus {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::Down => "down",
        }
    }
}

/// Gets the state of every part of the program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct GetHealth {}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct Health {
    /// The worst of its components.
    pub status: HealthStatus,
    pub version: String,
    pub uptime_s: u64,
    #[schemars(extend("x-rows" = true))]
    pub components: Vec<Component>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct Component {
    pub name: String,
    pub status: HealthStatus,
    pub detail: String,
    pub since: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

/// Gets counters, gauges and histograms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct GetMetrics {}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct Metrics {
    pub counters: Vec<Metric>,
    pub gauges: Vec<Metric>,
    pub histograms: Vec<Histogram>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct Metric {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct Histogram {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub unit: String,
    pub count: u64,
    pub sum: f64,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub max: f64,
}

/// Lists connections to venues and other services.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ListConnections {}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct ConnectionList {
    pub connections: Vec<Connection>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    Connecting,
    Open,
    /// Connected, but behind or partly missing.
    Degraded,
    Retrying,
    Closed,
}

/// Whether calls to a venue are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Breaker {
    Closed,
    /// One call is let through to see whether the venue is back.
    HalfOpen,
    /// No call is made.
    Open,
}

/// Whether what a venue tells is of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Pacing {
    /// Events come as they happen.
    RealTime,
    /// Events come late by agreement.
    Delayed,
    /// A clock of its own, which may run faster or stop.
    Simulated,
}

/// What a venue's data can do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct ConnectionCapabilities {
    /// Streams public trades.
    pub trades: bool,
    /// Streams best bid and ask.
    pub quotes: bool,
    /// Streams closed one-minute candles; otherwise they are asked for when their time is over.
    pub streams_candles: bool,
    /// Every minute has a candle: one that is missing was lost.
    pub dense: bool,
    pub needs_credentials: bool,
    /// Absent = no history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finest_candle: Option<String>,
    /// Most candles per request.
    pub max_candles: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct Connection {
    pub name: String,
    pub venue: String,
    /// `simulated`, `websocket`, `http`.
    pub kind: String,
    pub state: ConnectionState,
    pub since: Timestamp,
    pub reconnects: u64,
    /// Seconds since the last message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_message_age_s: Option<f64>,
    pub subscriptions: u32,
    /// One sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Events that it brought, since start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker: Option<Breaker>,
    /// Requests left of the venue's budget now, of `budget_limit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_left: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_limit: Option<u32>,
    /// Until when no data are asked for: the venue wants it so, or it failed too often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
    /// The venue's clock less ours, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_offset_ms: Option<i64>,
    /// Rows and frames that were not taken, since start; `data.quarantine` lists them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantined: Option<u64>,
    /// The newest of them: its reason and its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_quarantine: Option<String>,
    /// What went wrong last, and when; stays after it is right again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error_at: Option<Timestamp>,
    /// What a person must know about the source: delayed, unofficial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pacing: Option<Pacing>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<ConnectionCapabilities>,
}

/// Drops a venue's connections and begins anew, also where the venue refused for good. What is missed meanwhile is asked for,
/// as after any outage; what the venue asked us to wait is waited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct RestartConnection {
    /// As `connections list` names it: `ALPACA`.
    #[schemars(extend("x-position" = 0))]
    pub venue: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// Lists recent log lines, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ListLogs {
    /// This level and worse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<LogLevel>,
    /// Part of the message.
    #[schemars(extend("x-position" = 0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// At most this many; 200 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct LogList {
    pub logs: Vec<LogLine>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct LogLine {
    pub time: Timestamp,
    pub level: LogLevel,
    /// The part of the program that wrote it.
    pub component: String,
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    pub fields: BTreeMap<String, String>,
}

/// Lists who did what, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ListAudit {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// At most this many; 200 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct AuditList {
    pub rows: Vec<AuditRow>,
}

/// One call of a command, whoever made it and however it ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct AuditRow {
    pub time: Timestamp,
    pub trace_id: String,
    /// `operator`, `agent claude`.
    pub actor: String,
    pub surface: Surface,
    pub command: String,
    /// What the command needs.
    pub access: Access,
    pub risk: Risk,
    /// The arguments, with secrets masked and long text cut.
    pub request: Value,
    /// `ok` or the error's code.
    pub outcome: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    pub duration_us: u64,
}

/// Gets a setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct GetSetting {
    #[schemars(extend("x-position" = 0))]
    pub key: String,
}

/// Changes a setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct SetSetting {
    #[schemars(extend("x-position" = 0))]
    pub key: String,
    #[schemars(extend("x-position" = 1))]
    pub value: Value,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct Setting {
    pub key: String,
    /// Null when it was never set.
    pub value: Value,
}

/// Gets a saved workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct GetWorkspace {
    /// The one used last without it.
    #[schemars(extend("x-position" = 0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Saves a workspace; the last 20 revisions are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct SaveWorkspace {
    #[schemars(extend("x-position" = 0))]
    pub name: String,
    /// The docked layout, as the UI writes it.
    pub layout: Value,
    /// Revision it was changed from; refused when another one was saved since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_revision: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct Workspace {
    pub name: String,
    /// Null when nothing was saved under this name.
    pub layout: Value,
    pub schema_version: u32,
    pub revision: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum MigrateAction {
    Up,
    Down,
    Status,
}

/// Moves the database's schema to the newest version, one version back, or tells where it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct MigrateDatabase {
    #[schemars(extend("x-position" = 0))]
    pub action: MigrateAction,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct MigrationStatus {
    /// `sqlite` or `postgres`.
    pub backend: String,
    pub version: i64,
    pub migrations: Vec<Migration>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct Migration {
    pub version: i64,
    pub name: String,
    pub applied: bool,
}

command!(GetHealth => "health.get", Read, None, Health, system.health);
command!(GetMetrics => "metrics.get", Read, None, Metrics, system.metrics);
command!(ListConnections => "connections.list", Read, None, ConnectionList, system.list_connections);
command!(RestartConnection => "connections.restart", Admin, Low, Connection, system.restart_connection);
command!(ListLogs => "logs.list", Read, None, LogList, system.list_logs);
command!(ListAudit => "audit.list", Read, None, AuditList, system.list_audit);
command!(GetSetting => "settings.get", Read, None, Setting, system.get_setting);
command!(SetSetting => "settings.set", Admin, Low, Setting, system.set_setting);
command!(GetWorkspace => "workspaces.get", Read, None, Workspace, system.get_workspace);
command!(SaveWorkspace => "workspaces.save", Trade, None, Workspace, system.save_workspace);
command!(MigrateDatabase => "db.migrate", Admin, High, MigrationStatus, system.migrate);
