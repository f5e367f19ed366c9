//! When a market is open.

use cw_core::{Calendar, InstrumentId, Phase, Timestamp};

use crate::prelude::*;

/// Tells whether an instrument's market is open, when it opens and closes next, and its next sessions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct GetSessions {
    #[schemars(extend("x-position" = 0))]
    pub instrument: InstrumentId,
    /// At this time; now without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// So many sessions, the running one first; 5 without it, at most 366.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct MarketSessions {
    pub instrument: InstrumentId,
    pub calendar: Calendar,
    pub at: Timestamp,
    pub phase: Phase,
    /// When it opens next; nothing where it never closes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub opens: Option<Timestamp>,
    /// When it closes next; nothing where it never does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closes: Option<Timestamp>,
    pub sessions: Vec<SessionView>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct SessionView {
    /// The day that it counts as: `2024-07-03`.
    pub date: String,
    pub open: Timestamp,
    pub close: Timestamp,
    /// Ends before its usual time.
    pub half_day: bool,
}

command!(GetSessions => "market.sessions", Read, None, MarketSessions, feeds.sessions);
