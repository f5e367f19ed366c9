//! Features to 0–1, by bounds that the past gave.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{N, Vector, features, schema_hash};
use crate::similar::quantiles;

/// Where the bounds of a feature that has none by nature are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bounds {
    /// The smallest and the largest value.
    Extremes,
    /// Two quantiles, so that one wild candle does not press all others together; what lies outside becomes 0 or 1.
    Quantiles { low: f64, high: f64 },
}

impl Default for Bounds {
    fn default() -> Self {
        Self::Quantiles { low: 0.01, high: 0.99 }
    }
}

/// Why there is no scaler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FitError {
    #[error("a scaler needs at least two rows")]
    TooFewRows,
    #[error("the quantiles must satisfy 0 ≤ low < high ≤ 1")]
    Quantiles,
    #[error("row {0} holds a value that is not finite")]
    NotFinite(usize),
}

/// Why a stored scaler cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScalerError {
    #[error("the scaler was fitted on features {found}, these are {expected}")]
    Schema { found: String, expected: &'static str },
    #[error("the scaler's content does not match its hash")]
    Hash,
}

/// Linear scales, one per feature. Plain data: store it with the model that was trained on its output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scaler {
    /// Of the features it was fitted on; see [`schema_hash`].
    pub schema_hash: String,
    pub bounds: Bounds,
    /// How many rows it was fitted on.
    pub rows: u64,
    /// What becomes 0, by feature. Short floats, which any JSON reader gives back bit for bit.
    pub low: Vec<f32>,
    /// What becomes 1, by feature.
    pub high: Vec<f32>,
    /// BLAKE3 of all the above.
    pub hash: String,
}

impl Scaler {
    /// Fits on the rows given and nothing else: hand over only those that are past.
    pub fn fit<'a>(rows: impl IntoIterator<Item = &'a Vector>, bounds: Bounds) -> Result<Self, FitError> {
        let fractions = match bounds {
            Bounds::Extremes => [0.0, 1.0],
            Bounds::Quantiles { low, high } if 0.0 <= low && low < high && high <= 1.0 => [low, high],
            Bounds::Quantiles { .. } => return Err(FitError::Quantiles),
        };
        let rows: Vec<&Vector> = rows.into_iter().collect();
        if rows.len() < 2 {
            return Err(FitError::TooFewRows);
        }
        if let Some(row) = rows.iter().position(|row| row.iter().any(|value| !value.is_finite())) {
            return Err(FitError::NotFinite(row));
        }
        let (mut low, mut high) = (Vec::with_capacity(N), Vec::with_capacity(N));
        let mut column = Vec::with_capacity(rows.len());
        for (place, feature) in features().iter().enumerate() {
            let (from, to) = feature.unit.bounds().unwrap_or_else(|| {
                column.clear();
                column.extend(rows.iter().map(|row| row[place]));
                let [from, to] = quantiles(&column, fractions);
                (from, to)
            });
            low.push(from as f32);
            high.push(to as f32);
        }
        let rows = rows.len() as u64;
        let mut scaler = Self { schema_hash: schema_hash().to_owned(), bounds, rows, low, high, hash: String::new() };
        scaler.hash = scaler.content_hash();
        Ok(scaler)
    }

    fn content_hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(format!("{}\t{:?}\t{}\n", self.schema_hash, self.bounds, self.rows).as_bytes());
        for value in self.low.iter().chain(&self.high) {
            hasher.update(&value.to_le_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Whether a stored scaler is whole and belongs to the features of this program. Ask before using it.
    pub fn check(&self) -> Result<(), ScalerError> {
        if self.schema_hash != schema_hash() {
            return Err(ScalerError::Schema { found: self.schema_hash.clone(), expected: schema_hash() });
        }
        let whole = self.low.len() == N && self.high.len() == N && self.hash == self.content_hash();
        if whole { Ok(()) } else { Err(ScalerError::Hash) }
    }

    /// The vector with every value in 0–1; 0.5 for a feature that was constant.
    pub fn scale(&self, vector: &Vector) -> [f32; N] {
        let mut scaled = [0.5; N];
        for (((place, value), low), high) in scaled.iter_mut().zip(vector).zip(&self.low).zip(&self.high) {
            let (low, high) = (f64::from(*low), f64::from(*high));
            if high > low {
                *place = ((value - low) / (high - low)).clamp(0.0, 1.0) as f32;
            }
        }
        scaled
    }
}

/// Scales a series as it would have been scaled live: each row by bounds fitted on rows before it.
#[derive(Debug, Clone, PartialEq)]
pub struct WalkForward {
    bounds: Bounds,
    /// Only the newest so many rows count; all of them without it.
    window: Option<usize>,
    /// Rows between two fits.
    every: usize,
    rows: VecDeque<Vector>,
    since_fit: usize,
    scaler: Option<Scaler>,
}

impl WalkForward {
    /// Fits anew after each `every` rows, on all rows before (expanding) or on the newest `window` of them (rolling).
    pub fn new(bounds: Bounds, window: Option<usize>, every: usize) -> Self {
        Self { bounds, window, every: every.max(1), rows: VecDeque::new(), since_fit: 0, scaler: None }
    }

    /// The next row, scaled; `None` until the first fit, which needs `every` rows.
    pub fn push(&mut self, vector: &Vector) -> Result<Option<[f32; N]>, FitError> {
        if self.since_fit >= self.every.max(2) || (self.scaler.is_some() && self.since_fit >= self.every) {
            self.scaler = Some(Scaler::fit(&self.rows, self.bounds)?);
            self.since_fit = 0;
        }
        let scaled = self.scaler.as_ref().map(|scaler| scaler.scale(vector));
        self.rows.push_back(*vector);
        self.since_fit += 1;
        if self.window.is_some_and(|window| self.rows.len() > window.max(2)) {
            self.rows.pop_front();
        }
        Ok(scaled)
    }

    /// What rows are scaled by now.
    pub fn scaler(&self) -> Option<&Scaler> {
        self.scaler.as_ref()
    }
}
