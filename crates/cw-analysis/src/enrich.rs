//! A closed candle with everything that is known at its close.
//!
//! [`Enricher::push`] takes one candle at a time and allocates nothing; [`Enricher::with_history`] begins with a whole
//! series at once and ends in the same state. What a field means is written at its type; all of it is a function of
//! closed candles, and [`schema_hash`] names the definitions.

mod context;
mod patterns;
mod plan;

use std::sync::OnceLock;

use cw_core::{Calendar, Candle, InstrumentId, Timeframe, Timestamp};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

pub use context::{
    CHART_SHAPES, ChartShape, Context, Level, Levels, Momentum, MomentumState, PriceAction, Regime, RegimeKind, Trend,
    TrendDirection, Usual, Volatility, VolumeContext,
};
pub use patterns::{PatternHit, RECENT, RecentPatterns};

use crate::candlestick::Scanner;
use crate::features::{self, N, Vector, WARM_UP};
use crate::indicators::Cycles;
use crate::ohlcv::{Columns, Ohlcv};
use crate::structure::Structure;
use crate::study::StudyState;
use plan::{Helpers, plan};

/// Counts changes of what the fields mean.
pub const VERSION: u32 = 1;

/// Candles that an enriched candle is best made from: recursive averages have settled, and a session of minutes is whole.
pub const HISTORY: usize = 1_500;
/// Candles after which recursive averages have forgotten how they began, and [`EnrichedCandle::confidence`] is whole.
const SETTLED: u64 = 3 * WARM_UP as u64;
/// Newest candles that the candlestick scanner is shown when a series is taken at once: those whose patterns are kept, and
/// more than any pattern looks back.
const SCANNED: usize = RECENT + 16;

/// One closed candle with everything that is known at its close.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct EnrichedCandle {
    pub ohlcv: Candle,
    /// Every indicator at its usual settings, by the name that `indicators compute` takes; null while warming up.
    #[cfg_attr(feature = "schema", ts(type = "Record<string, number | null>"))]
    pub indicators: Indicators,
    pub context: Context,
    /// The feature vector by name, in its order; null while warming up.
    #[serde(serialize_with = "by_name")]
    #[cfg_attr(feature = "schema", ts(type = "Record<string, number> | null"))]
    #[cfg_attr(feature = "schema", schemars(with = "Option<std::collections::BTreeMap<String, f64>>"))]
    pub features: Option<Vector>,
    /// When this was computed, by the clock of whoever asked.
    pub processed_at: Timestamp,
    /// How far the numbers can be trusted, 0–1: the part of the history that recursive averages need, less a fifth where
    /// no volume is known.
    pub confidence: f64,
    pub metadata: Metadata,
}

/// Where an enriched candle comes from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[cfg_attr(feature = "schema", ts(rename = "EnrichedMetadata"), schemars(rename = "EnrichedMetadata"))]
pub struct Metadata {
    pub instrument: InstrumentId,
    pub timeframe: Timeframe,
    /// Who gave the candles.
    pub provider: String,
    /// Names the definitions of everything here; see `schema_version` for what counts changes.
    pub schema_hash: &'static str,
    pub schema_version: u32,
    /// Names the feature vector.
    pub feature_schema_hash: &'static str,
    /// Candles taken in so far, this one included.
    pub candles: u64,
    /// Candles that the features need.
    pub warm_up: u64,
    /// There are as many.
    pub ready: bool,
}

/// The values of [`indicators`], in that order. NaN is warming up.
#[derive(Debug, Clone, PartialEq)]
pub struct Indicators(Vec<f64>);

impl Indicators {
    pub fn values(&self) -> &[f64] {
        &self.0
    }
    /// The value of an indicator by its name; `None` while warming up and where there is no such name.
    pub fn get(&self, name: &str) -> Option<f64> {
        let place = indicators().iter().position(|column| column == name)?;
        self.0.get(place).copied().filter(|value| value.is_finite())
    }
}

impl Serialize for Indicators {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in indicators().iter().zip(&self.0) {
            map.serialize_entry(name, &Some(*value).filter(|value| value.is_finite()))?;
        }
        map.end()
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Indicators {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Indicators".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        <std::collections::BTreeMap<String, Option<f64>>>::json_schema(generator)
    }
}

#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
fn by_name<S: Serializer>(features: &Option<Vector>, serializer: S) -> Result<S::Ok, S::Error> {
    let Some(vector) = features else { return serializer.serialize_none() };
    let mut map = serializer.serialize_map(Some(N))?;
    for (feature, value) in features::features().iter().zip(vector) {
        map.serialize_entry(feature.name, value)?;
    }
    map.end()
}

/// The names of all indicators of an enriched candle, in their order.
pub fn indicators() -> &'static [String] {
    plan().indicators()
}

/// BLAKE3 of version, indicators with their definitions, context and features, as lowercase hex.
pub fn schema_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| plan().schema_hash())
}

/// Enriches the candles of one instrument and timeframe, oldest first.
#[derive(Debug, Clone)]
pub struct Enricher {
    study: StudyState,
    cycles: Cycles,
    scanner: Scanner,
    recent: RecentPatterns,
    structure: Structure,
    /// Closes in a row that rose, or fell where negative.
    streak: i32,
    enriched: EnrichedCandle,
}

impl Enricher {
    pub fn new(instrument: InstrumentId, timeframe: Timeframe, provider: String) -> Self {
        let plan = plan();
        let metadata = Metadata {
            instrument,
            timeframe,
            provider,
            schema_hash: schema_hash(),
            schema_version: VERSION,
            feature_schema_hash: features::schema_hash(),
            candles: 0,
            warm_up: WARM_UP as u64,
            ready: false,
        };
        Self {
            study: plan.new_state(),
            cycles: Cycles::new(),
            scanner: Scanner::new(),
            recent: RecentPatterns::default(),
            structure: Structure::new(),
            streak: 0,
            enriched: EnrichedCandle {
                ohlcv: EMPTY,
                indicators: Indicators(vec![f64::NAN; plan.indicators().len()]),
                context: Context::default(),
                features: None,
                processed_at: Timestamp::EPOCH,
                confidence: 0.0,
                metadata,
            },
        }
    }

    /// For a market with sessions; told before the first candle.
    #[must_use]
    pub fn in_calendar(mut self, calendar: Calendar) -> Self {
        self.study = self.study.in_calendar(calendar);
        self
    }

    /// Takes in a series at once, as pushing its candles one by one does.
    pub fn with_history(mut self, candles: &[Candle], processed_at: Timestamp) -> Self {
        let Some((last, before)) = candles.split_last() else { return self };
        if self.enriched.metadata.candles == 0 {
            self.begin(before);
        } else {
            for candle in before {
                self.push(candle, processed_at);
            }
        }
        self.push(last, processed_at);
        self
    }

    /// All candles before the first that anybody sees enriched.
    fn begin(&mut self, candles: &[Candle]) {
        let columns = Columns::from_candles(candles);
        plan().warm_up(&mut self.study, &columns);
        self.cycles.warm_up(columns.close());
        let (older, newer) = columns.split(candles.len().saturating_sub(SCANNED));
        self.scanner.warm_up(&older);
        for candle in newer.rows() {
            self.recent.push(self.scanner.push(&candle));
        }
        for candle in older.rows().chain(newer.rows()) {
            self.structure.push(&candle);
        }
        for pair in candles.windows(2) {
            self.streak = context::streak(self.streak, pair[0].close.raw(), pair[1].close.raw());
        }
        if let Some(newest) = candles.last() {
            self.enriched.ohlcv = *newest;
            self.enriched.metadata.candles = candles.len() as u64;
        }
    }

    /// Takes the next closed candle. `processed_at` is the caller's clock.
    pub fn push(&mut self, candle: &Candle, processed_at: Timestamp) -> &EnrichedCandle {
        let ohlcv = Ohlcv::from(candle);
        plan().push(&mut self.study, &ohlcv);
        let cycles = self.cycles.push(ohlcv.close);
        self.recent.push(self.scanner.push(&ohlcv));
        self.structure.push(&ohlcv);
        let enriched = &mut self.enriched;
        if enriched.metadata.candles > 0 {
            self.streak = context::streak(self.streak, enriched.ohlcv.close.raw(), candle.close.raw());
        }
        enriched.metadata.candles += 1;
        enriched.metadata.ready = enriched.metadata.candles >= WARM_UP as u64;
        enriched.ohlcv = *candle;
        let row = self.study.values();
        plan().read_indicators(row, cycles, &mut enriched.indicators.0);
        let helpers = Helpers::read(plan(), row);
        enriched.context = Context::of(&ohlcv, &helpers, self.streak, self.recent, &self.structure);
        enriched.features = enriched
            .metadata
            .ready
            .then(|| features::assemble(plan().feature_values(row), &self.recent, candle.open_time));
        enriched.processed_at = processed_at;
        let settled = enriched.metadata.candles.min(SETTLED) as f64 / SETTLED as f64;
        let has_volume = helpers.mean_volume > 0.0 || ohlcv.volume > 0.0;
        enriched.confidence = settled * if has_volume { 1.0 } else { 0.8 };
        enriched
    }

    /// The newest enriched candle.
    pub fn latest(&self) -> Option<&EnrichedCandle> {
        (self.enriched.metadata.candles > 0).then_some(&self.enriched)
    }
}

const EMPTY: Candle = Candle {
    open_time: Timestamp::EPOCH,
    open: cw_core::Price::ZERO,
    high: cw_core::Price::ZERO,
    low: cw_core::Price::ZERO,
    close: cw_core::Price::ZERO,
    volume: cw_core::Volume::ZERO,
};

#[cfg(test)]
mod tests;
