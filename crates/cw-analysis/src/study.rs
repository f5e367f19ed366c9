//! Study sets: what a chart or a table shows beside the candles.

use std::collections::BTreeMap;

use cw_core::{Cadence, Calendar, Candle, FormingCandle};
use serde::{Deserialize, Serialize};

use crate::expr::{ExprError, Lowering, parse_list};
use crate::ohlcv::{Columns, Ohlcv};
use crate::program::{Program, State, TimeframeMismatch};

/// A list of indicators and expressions, computed together; what they share is computed once.
///
/// Columns are named as they were written, without spaces; an indicator with several outputs gives one column each:
///
/// ```
/// use cw_analysis::StudySet;
/// let set = StudySet::parse("ema(20), macd(12,26,9), close - ema(50)")?;
/// assert_eq!(
///     set.columns(),
///     ["ema(20)", "macd(12,26,9)", "macd(12,26,9).signal", "macd(12,26,9).histogram", "close-ema(50)"]
/// );
/// # Ok::<(), cw_analysis::ExprError>(())
/// ```
#[derive(Debug, Clone)]
pub struct StudySet {
    columns: Vec<String>,
    program: Program,
}

/// What a [`StudySet`] remembers between candles. Save it in a binary format: NaN has no JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudyState(State);

impl StudyState {
    /// All that was computed for the newest candle.
    #[inline]
    pub(crate) fn values(&self) -> &[f64] {
        self.0.values()
    }
    /// For a market with sessions: those begin where its calendar says, and so do longer candles. Told before the first
    /// candle.
    #[must_use]
    pub fn in_calendar(self, calendar: Calendar) -> Self {
        Self(self.0.in_calendar(calendar))
    }
}

impl StudySet {
    /// Reads comma-separated indicators and expressions. Writing the same one twice gives one column.
    pub fn parse(text: &str) -> Result<Self, ExprError> {
        let params = BTreeMap::new();
        let mut lowering = Lowering::new(&params);
        let (mut columns, mut outputs) = (Vec::new(), Vec::new());
        for node in parse_list(text)? {
            let written = text.get(node.span.start..node.span.end).unwrap_or_default();
            let name = column_name(written);
            for (slot, suffix) in lowering.lower_study(&node)? {
                let column = if suffix.is_empty() { name.clone() } else { format!("{name}.{suffix}") };
                if !columns.contains(&column) {
                    columns.push(column);
                    outputs.push(slot);
                }
            }
        }
        Ok(Self { columns, program: Program::new(lowering.into_graphs(), outputs) })
    }

    pub fn columns(&self) -> &[String] {
        &self.columns
    }
    /// Whether levels, swings, chart patterns or the regime are read: they need a longer history than averages.
    pub fn reads_structure(&self) -> bool {
        self.program.calls(crate::indicators::STRUCTURE)
    }
    /// A fresh state for candles of `base`.
    pub fn new_state(&self, base: impl Into<Cadence>) -> Result<StudyState, TimeframeMismatch> {
        self.program.new_state(base.into()).map(StudyState)
    }
    /// Whether `state`, perhaps a saved one, belongs to this set.
    pub fn fits(&self, state: &StudyState) -> bool {
        self.program.fits(&state.0)
    }

    /// All candles at once: one column of numbers per name, NaN while warming up. `state` ends as if they had been
    /// pushed one by one, and every value has the same bits.
    pub fn batch(&self, state: &mut StudyState, candles: &Columns) -> Vec<Vec<f64>> {
        let mut columns = Vec::new();
        self.batch_into(state, candles, &mut columns);
        columns
    }

    /// The same into columns that are used again.
    pub fn batch_into(&self, state: &mut StudyState, candles: &Columns, columns: &mut Vec<Vec<f64>>) {
        self.program.batch(&mut state.0, candles, columns);
    }

    /// Takes in a series for a fresh state behind it alone.
    pub(crate) fn warm_up(&self, state: &mut StudyState, candles: &Columns) {
        self.program.warm_up(&mut state.0, candles);
    }

    /// The next closed candle, without a copy of what it gives; see [`StudyState::values`].
    #[inline]
    pub(crate) fn advance(&self, state: &mut StudyState, candle: &Ohlcv) {
        self.program.update_ohlcv(&mut state.0, candle);
    }
    /// The place of each column among [`StudyState::values`].
    pub(crate) fn places(&self) -> &[u32] {
        self.program.outputs()
    }

    /// The next closed candle; `row` receives one value per column.
    pub fn push(&self, state: &mut StudyState, candle: &Candle, row: &mut Vec<f64>) {
        self.push_ohlcv(state, &Ohlcv::from(candle), row);
    }

    /// The row as it would be if the forming candle closed now; nothing is remembered of it.
    pub fn preview(&self, state: &StudyState, forming: &FormingCandle, row: &mut Vec<f64>) {
        self.push(&mut state.clone(), &forming.so_far, row);
    }

    fn push_ohlcv(&self, state: &mut StudyState, candle: &Ohlcv, row: &mut Vec<f64>) {
        self.program.update_ohlcv(&mut state.0, candle);
        row.clear();
        self.program.read_outputs(&state.0, row);
    }
}

/// The text without spaces, except between words.
pub(crate) fn column_name(text: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut name = String::with_capacity(text.len());
    let mut spaced = false;
    for c in text.chars() {
        if c.is_whitespace() {
            spaced = true;
            continue;
        }
        if spaced && is_word(c) && name.chars().next_back().is_some_and(is_word) {
            name.push(' ');
        }
        spaced = false;
        name.push(c);
    }
    name
}
