//! The journal: is it whole, does it replay to the same state, and why did something happen.

use cw_core::Timestamp;

use crate::prelude::*;

/// Checks the hash chain of the journal from its first block to its last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct VerifyJournal {}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct JournalCheck {
    pub ok: bool,
    pub blocks: u64,
    pub entries: u64,
    /// Hash of the last block, in hexadecimal.
    pub head_hash: String,
    /// Number of the first block that does not fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_bad: Option<u64>,
}

/// Replays the journal into an empty engine and compares the state's hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ReplayJournal {}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct ReplayReport {
    pub entries: u64,
    /// Hash of the state after the last entry, in hexadecimal.
    pub state_hash: String,
    /// What the engine recorded at the same place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_hash: Option<String>,
    pub matches: bool,
}

/// Prints the chain of causes from a fill or an order back to the market events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ExplainJournal {
    /// Id of a fill, or number of an order.
    #[schemars(extend("x-position" = 0))]
    pub id: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct Explanation {
    /// From the effect back to its first cause.
    pub steps: Vec<ExplainStep>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct ExplainStep {
    /// Number of the journal entry.
    pub seq: u64,
    pub time: Timestamp,
    /// Kind of entry: `fill`, `order`, `decision`, `candle`, `trade`.
    pub kind: String,
    pub title: String,
    /// Its facts by name.
    #[ts(type = "Record<string, JsonValue>")]
    pub detail: serde_json::Map<String, Value>,
    /// Number of the entry that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caused_by: Option<u64>,
}

command!(VerifyJournal => "journal.verify", Read, None, JournalCheck, journal.verify);
command!(ReplayJournal => "journal.replay", Read, None, ReplayReport, journal.replay);
command!(ExplainJournal => "journal.explain", Read, None, Explanation, journal.explain);
