//! Candles with everything that is known at their close.

pub use cw_analysis::enrich::EnrichedCandle;
use cw_core::{InstrumentId, Timeframe, Timestamp};

use crate::prelude::*;

/// Gets a closed candle with its indicators, the situation in named fields, and the feature vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct GetEnriched {
    #[schemars(extend("x-position" = 0))]
    pub instrument: InstrumentId,
    #[schemars(extend("x-alias" = "tf"))]
    pub timeframe: Timeframe,
    /// The candle that holds this time; the newest closed one without it. Nothing after it is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

command!(GetEnriched => "enrich.get", Read, None, EnrichedCandle, analysis.get_enriched);
