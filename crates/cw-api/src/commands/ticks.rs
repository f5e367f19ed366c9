//! Recordings of trades and quotes as they come.

use cw_core::{Candle, InstrumentId, Timeframe, Timestamp};

use crate::prelude::*;

/// Records every trade and quote of some instruments from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct StartRecording {
    #[schemars(extend("x-position" = 0))]
    pub instruments: Vec<InstrumentId>,
}

/// Ends the recording of some instruments; what is recorded stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct StopRecording {
    /// Only these; all without it.
    #[schemars(extend("x-position" = 0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruments: Option<Vec<InstrumentId>>,
}

/// Lists what is recorded, and what is being recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
pub struct ListRecordings {}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema, TS)]
pub struct RecordingList {
    pub recordings: Vec<RecordingView>,
    /// Bytes of all of them, on the disk.
    pub bytes: u64,
    /// When they are more, the oldest are removed.
    pub max_bytes: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct RecordingView {
    pub instrument: InstrumentId,
    /// It goes on.
    pub recording: bool,
    /// Our clock at the first and the last event on the disk; the newest half minute may not be there yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
    pub events: u64,
    pub bytes: u64,
    pub segments: u32,
    /// Events since the program started that came faster than they could be written; breaks in the recording say where.
    pub dropped: u64,
}

/// Plays a recording through the aggregation again and gives the candles that come of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ReplayTicks {
    #[schemars(extend("x-position" = 0))]
    pub instrument: InstrumentId,
    #[schemars(extend("x-alias" = "tf"))]
    pub timeframe: Timeframe,
    /// From this time of our clock on; from the beginning without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Before this time of our clock; to the end without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// The newest so many candles; 500 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema, TS)]
pub struct TickReplay {
    pub instrument: InstrumentId,
    pub timeframe: Timeframe,
    pub trades: u64,
    pub quotes: u64,
    /// Places where something is missing; a recording begins with one.
    pub breaks: u64,
    /// Events known to be missing there.
    pub lost: u64,
    /// Bytes that are not what was written and were passed over.
    pub damaged_bytes: u64,
    /// Trades and quotes that went into no candle: repeated, too late, or nonsense.
    pub discarded: u64,
    /// From the trades, or from the middle of the quotes where there are no trades. The first and the last may lack what
    /// was not recorded.
    pub candles: Vec<Candle>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum TickKind {
    #[default]
    Trades,
    Quotes,
}

/// Writes a recording's trades or quotes as CSV, in the columns that `data import` reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ExportTicks {
    #[schemars(extend("x-position" = 0))]
    pub instrument: InstrumentId,
    /// Trades without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<TickKind>,
    /// From this time of our clock on; from the beginning without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Before this time of our clock; to the end without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
}

command!(StartRecording => "ticks.start", Admin, Low, RecordingList, feeds.start_recording);
command!(StopRecording => "ticks.stop", Admin, Low, RecordingList, feeds.stop_recording);
command!(ListRecordings => "ticks.list", Read, None, RecordingList, feeds.list_recordings);
command!(ReplayTicks => "ticks.replay", Read, None, TickReplay, feeds.replay_ticks);
command!(ExportTicks => "ticks.export", Read, None, FileContent, feeds.export_ticks);
