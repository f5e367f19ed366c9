//! What a model, a search and a rule see of a candle: 64 numbers without a scale, in a fixed order.
//!
//! Training, backtest and live trading run the same [`FeatureState::push`], one closed candle at a time, so what a model
//! learned from is what it is asked about. Nearly all features are written in the strategy language ([`FEATURES`] shows
//! each definition), which has no way to look ahead. [`schema_hash`] names their order and definitions; whoever stores a
//! vector or a model stores it beside.
//!
//! [`Scaler`] brings them to 0–1 with bounds taken from the past alone.

mod scaler;
mod table;

use std::sync::OnceLock;

use cw_core::{Calendar, Candle, Timeframe, Timestamp};
use serde::{Deserialize, Serialize};

pub use scaler::{Bounds, FitError, Scaler, ScalerError, WalkForward};

use crate::candlestick::{self, Scanner};
use crate::enrich::RecentPatterns;
use crate::ohlcv::{Columns, Ohlcv};
use crate::study::{StudySet, StudyState};

/// How many features there are.
pub const N: usize = 64;
/// Counts changes of their order or definitions.
pub const VERSION: u32 = 1;
/// So many candles must have been seen before there is a vector.
pub const WARM_UP: usize = 200;

/// One value per feature, in the order of [`features`].
pub type Vector = [f64; N];

/// What a feature counts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// The logarithm of a ratio of prices: about the fraction gained.
    LogReturn,
    /// Average true ranges of 14 candles.
    Atrs,
    /// A part of something else, without bounds.
    Ratio,
    /// From 0 to 1.
    Share,
    /// From −1 to 1.
    Signed,
}

impl Unit {
    /// The bounds that hold for any market, where there are such.
    pub fn bounds(self) -> Option<(f64, f64)> {
        match self {
            Self::Share => Some((0.0, 1.0)),
            Self::Signed => Some((-1.0, 1.0)),
            Self::LogReturn | Self::Atrs | Self::Ratio => None,
        }
    }
    /// What stands for a value that does not exist: a share of nothing, a distance in units of zero.
    pub fn neutral(self) -> f64 {
        match self {
            Self::Share => 0.5,
            Self::Ratio => 1.0,
            Self::LogReturn | Self::Atrs | Self::Signed => 0.0,
        }
    }
}

/// How a feature is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "text", rename_all = "snake_case")]
pub enum Definition {
    /// An expression of the strategy language.
    Expression(&'static str),
    /// In words, where that language has none.
    Computed(&'static str),
}

/// One feature.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Feature {
    pub name: &'static str,
    pub unit: Unit,
    pub definition: Definition,
    pub doc: &'static str,
    /// What it counts for when moments are compared; no part of the schema.
    pub weight: f32,
}

/// All features, in the order of the vector.
pub fn features() -> &'static [Feature; N] {
    &table::FEATURES
}

/// The place of a feature in the vector.
pub fn position(name: &str) -> Option<usize> {
    features().iter().position(|feature| feature.name == name)
}

/// BLAKE3 of version, names, units and definitions in their order, as lowercase hex.
pub fn schema_hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| {
        let mut hasher = blake3::Hasher::new();
        hasher.update(format!("candlewick features {VERSION}\n").as_bytes());
        for feature in features() {
            let (Definition::Expression(text) | Definition::Computed(text)) = feature.definition;
            hasher.update(format!("{}\t{:?}\t{text}\n", feature.name, feature.unit).as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    })
}

/// The expressions that stand before what is computed otherwise.
pub(crate) fn expressions() -> impl Iterator<Item = &'static str> {
    features()[..table::EXPRESSIONS].iter().map(|feature| match feature.definition {
        Definition::Expression(text) | Definition::Computed(text) => text,
    })
}

fn study() -> &'static StudySet {
    static STUDY: OnceLock<StudySet> = OnceLock::new();
    STUDY.get_or_init(|| {
        let texts = expressions().collect::<Vec<_>>().join(", ");
        let study = StudySet::parse(&texts).expect("the table's expressions are checked by a test");
        assert_eq!(study.columns().len(), table::EXPRESSIONS, "each expression gives one column");
        study
    })
}

/// The vector of one candle from the values of the expressions there.
pub(crate) fn assemble(values: impl Iterator<Item = f64>, patterns: &RecentPatterns, open_time: Timestamp) -> Vector {
    let mut vector = [0.0; N];
    for ((place, value), feature) in vector.iter_mut().zip(values).zip(features()) {
        *place = if value.is_finite() { value } else { feature.unit.neutral() };
    }
    let [bullish, bearish, all] = patterns.count().map(f64::from);
    let directed = bullish + bearish;
    let bias = if directed > 0.0 { (bullish - bearish) / directed } else { 0.0 };
    let [day_sin, day_cos, week_sin, week_cos] = clock(open_time);
    let computed = [bias, all / (all + 5.0), day_sin, day_cos, week_sin, week_cos];
    vector[table::EXPRESSIONS..].copy_from_slice(&computed);
    vector
}

/// Sine and cosine of the time of day and of the week, UTC.
fn clock(time: Timestamp) -> [f64; 4] {
    const DAY: i64 = 86_400_000_000_000;
    // The epoch was a Thursday.
    let since_monday = time.as_nanos().wrapping_add(3 * DAY).rem_euclid(7 * DAY);
    let angle = |part: i64, whole: i64| 2.0 * std::f64::consts::PI * (part as f64 / whole as f64);
    let (day, week) = (angle(since_monday % DAY, DAY), angle(since_monday, 7 * DAY));
    [libm::sin(day), libm::cos(day), libm::sin(week), libm::cos(week)]
}

/// What the features remember between candles. Save it in a binary format: NaN has no JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureState {
    study: StudyState,
    scanner: Scanner,
    recent: RecentPatterns,
    seen: u64,
    #[serde(skip)]
    row: Vec<f64>,
}

impl FeatureState {
    /// For candles of one timeframe, whichever it is: features count in candles.
    pub fn new() -> Self {
        let study = study().new_state(Timeframe::M1).expect("no feature reads another timeframe");
        let (scanner, recent) = (Scanner::new(), RecentPatterns::default());
        Self { study, scanner, recent, seen: 0, row: Vec::with_capacity(table::EXPRESSIONS) }
    }

    /// For a market with sessions; told before the first candle.
    #[must_use]
    pub fn in_calendar(mut self, calendar: Calendar) -> Self {
        self.study = self.study.in_calendar(calendar);
        self
    }

    /// Takes the next closed candle and gives the features there, `None` for the first [`WARM_UP`] − 1. All are finite:
    /// what does not exist (a share of no volume) is its unit's neutral value.
    pub fn push(&mut self, candle: &Candle) -> Option<Vector> {
        study().push(&mut self.study, candle, &mut self.row);
        self.recent.push(self.scanner.push(&Ohlcv::from(candle)));
        self.seen += 1;
        self.is_ready().then(|| assemble(self.row.iter().copied(), &self.recent, candle.open_time))
    }

    pub fn is_ready(&self) -> bool {
        self.seen >= WARM_UP as u64
    }
}

impl Default for FeatureState {
    fn default() -> Self {
        Self::new()
    }
}

/// The vectors of many candles at once: the first belongs to candle [`WARM_UP`] − 1. Every value has the bits that
/// pushing the candles one by one gives.
pub fn batch(candles: &Columns, calendar: Calendar) -> Vec<Vector> {
    let state = study().new_state(Timeframe::M1).expect("no feature reads another timeframe");
    let mut state = state.in_calendar(calendar);
    let columns = study().batch(&mut state, candles);
    let scan = candlestick::scan(candles);
    let mut recent = RecentPatterns::default();
    let mut rows = Vec::with_capacity(candles.len().saturating_sub(WARM_UP - 1));
    for (row, patterns) in scan.rows().iter().enumerate() {
        recent.push(*patterns);
        if row + 1 >= WARM_UP {
            rows.push(assemble(columns.iter().map(|column| column[row]), &recent, candles.open_time()[row]));
        }
    }
    rows
}

#[cfg(test)]
mod tests;
