//! Where data comes from and what became of it: outages and gaps, refused rows, the provenance of a range.

use cw_core::{Adjustment, InstrumentId, Timeframe, Timestamp};

use crate::prelude::*;

/// Lists the outages of live data and what became of the candles in them, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ListGaps {
    #[schemars(extend("x-position" = 0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<InstrumentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub venue: Option<String>,
    /// Only those that touch what is at or after this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Only those that begin before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Only those in this state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<GapState>,
    /// At most this many; 200 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What became of the candles of an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum GapState {
    /// There is no connection yet, or the venue has not answered yet.
    Open,
    /// The venue was asked for all of it and told what was there.
    Backfilled,
    /// The venue could not say: a gap that is shown and not made up.
    Gap,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct GapList {
    /// How many match, of which `gaps` are the newest.
    pub total: u64,
    #[schemars(extend("x-rows" = true))]
    pub gaps: Vec<GapRow>,
}

/// One stretch in which an instrument's stream was away or its venue could not say what was there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct GapRow {
    pub venue: String,
    pub instrument: InstrumentId,
    pub from: Timestamp,
    /// Unknown while the stream is away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    pub state: GapState,
    pub reason: String,
    /// One-minute candles in it that came by asking.
    pub candles: u64,
    /// When it was noticed.
    pub noted_at: Timestamp,
}

/// Lists what providers and files sent that was not taken, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ListQuarantine {
    /// A venue, or `FILE`.
    #[schemars(extend("x-position" = 0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// At most this many; 200 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct QuarantineList {
    /// Rows that were ever refused, by these providers.
    pub total: u64,
    #[schemars(extend("x-rows" = true))]
    pub rows: Vec<QuarantinedRow>,
}

/// A row or frame that was refused. The same one again counts up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct QuarantinedRow {
    /// When it came last.
    pub time: Timestamp,
    /// When it came first.
    pub first_time: Timestamp,
    /// A venue, or `FILE`.
    pub provider: String,
    pub reason: String,
    /// Its beginning, as it came.
    pub text: String,
    pub count: u64,
    /// Of a file: its name and the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

/// Tells where the candles of a range come from: who gave them, how, and what is missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct GetProvenance {
    #[schemars(extend("x-position" = 0))]
    pub instrument: InstrumentId,
    #[schemars(extend("x-alias" = "tf"))]
    pub timeframe: Timeframe,
    /// First open time, inclusive; the newest 500 candles without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Last open time, exclusive; now without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
}

/// How candles came to us, or that they did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum ProvenanceKind {
    /// Live, as they closed.
    Streamed,
    /// Asked for afterwards.
    Backfilled,
    /// Corrected by the provider or by late events.
    Revised,
    /// From a file.
    Imported,
    /// From the simulated market.
    Simulated,
    /// Not there, and not known to be nothing.
    Gap,
}

/// How fresh what is shown is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// Events come as they happen.
    Live,
    /// They come late by agreement.
    Delayed,
    /// Followed, but the newest is older than it should be, or the connection is down.
    Stale,
    /// Nothing follows it: what is shown is what was asked for.
    Stored,
    /// Of the simulated market.
    Simulated,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct Provenance {
    pub instrument: InstrumentId,
    pub timeframe: Timeframe,
    /// Who is asked for its candles first: `ALPACA:iex`, `SIM`, `FILE`.
    pub provider: String,
    pub freshness: Freshness,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjustment: Option<Adjustment>,
    /// What a person must know about the provider: delayed, unofficial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// Our clock when the newest event or candle of it came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_update: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_update_age_s: Option<f64>,
    /// Stretches of the range that are gaps.
    pub gap_count: u64,
    /// Candles whose values changed after they were first stored.
    pub revised_count: u64,
    /// Side by side, oldest first.
    #[schemars(extend("x-rows" = true))]
    pub segments: Vec<ProvenanceSegment>,
}

/// Candles in a row that came from the same provider in the same way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct ProvenanceSegment {
    /// Open time of the first.
    pub from: Timestamp,
    /// Close time of the last.
    pub to: Timestamp,
    pub kind: ProvenanceKind,
    /// Nobody's in a gap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    pub candles: u64,
    /// Why it is a gap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

command!(ListGaps => "data.gaps", Read, None, GapList, market.list_gaps);
command!(ListQuarantine => "data.quarantine", Read, None, QuarantineList, market.list_quarantine);
command!(GetProvenance => "data.provenance", Read, None, Provenance, market.provenance);
