//! Moments like the present one, and what came after them.

use cw_core::{InstrumentId, Price, Timeframe, Timestamp};

use crate::prelude::*;

/// Finds the moments of an instrument's past that look most like a candle, and tells how it went on after them beside how
/// it goes on after any candle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct SearchSimilar {
    #[schemars(extend("x-position" = 0))]
    pub instrument: InstrumentId,
    #[schemars(extend("x-alias" = "tf"))]
    pub timeframe: Timeframe,
    /// The candle that holds this time; the newest closed one without it. Nothing after it is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// How many moments; 40 without it, at most 1,000.
    #[schemars(range(min = 1, max = 1000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top: Option<u32>,
    /// How many candles later the outcome is taken; 5, 20 and 60 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub horizons: Option<Vec<u32>>,
    /// Candles from one moment to the next, at least; the longest horizon without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<u32>,
    /// How many candles to search, the newest before the one asked about; 50,000 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct SimilarMoments {
    pub instrument: InstrumentId,
    pub timeframe: Timeframe,
    /// When the candle asked about opened.
    pub at: Timestamp,
    /// Its close: a return of 0.01 in the fan is this price and one percent.
    pub close: Price,
    /// Most alike first.
    #[schemars(extend("x-rows" = true))]
    pub moments: Vec<SimilarMoment>,
    /// One per horizon.
    pub outcomes: Vec<SimilarOutcome>,
    /// The spread of how the moments went on, candle by candle.
    pub fan: Vec<FanPoint>,
    /// How many candles were compared.
    pub searched: u64,
    /// The oldest and the newest of them.
    pub searched_from: Timestamp,
    pub searched_to: Timestamp,
    /// Names the features that were compared.
    pub schema_hash: String,
    /// What to keep in mind when reading p-values.
    pub note: String,
}

/// A moment like the one asked about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct SimilarMoment {
    pub open_time: Timestamp,
    /// 1 is equal, 0 as different as two moments can be.
    pub likeness: f64,
    /// Between the two rows of features.
    pub distance: f64,
    pub close: Price,
    /// The fraction gained after each horizon.
    pub returns: Vec<f64>,
}

/// How it went on over one horizon. Returns are fractions: 0.01 is one percent up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct SimilarOutcome {
    /// In candles.
    pub horizon: u32,
    pub count: u32,
    /// The share that rose, with its interval of 95 % (Wilson).
    pub up: f64,
    pub up_low: f64,
    pub up_high: f64,
    /// The share that rose after any of the candles compared.
    pub base_up: f64,
    /// How likely so different a share is by chance.
    pub p_value: f64,
    /// The same, for having looked at all horizons (Holm).
    pub p_adjusted: f64,
    /// The median return, with its interval of 95 % (bootstrap).
    pub median: f64,
    pub median_low: f64,
    pub median_high: f64,
    pub base_median: f64,
    pub mean: f64,
    pub base_mean: f64,
    /// Returns at 5, 25, 75 and 95 %.
    pub q05: f64,
    pub q25: f64,
    pub q75: f64,
    pub q95: f64,
    pub base_q05: f64,
    pub base_q25: f64,
    pub base_q75: f64,
    pub base_q95: f64,
}

/// Returns of the moments some candles on, by quantile.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct FanPoint {
    /// Candles later.
    pub step: u32,
    pub q05: f64,
    pub q25: f64,
    pub median: f64,
    pub q75: f64,
    pub q95: f64,
}

command!(SearchSimilar => "similar.search", Read, None, SimilarMoments, analysis.search_similar);
