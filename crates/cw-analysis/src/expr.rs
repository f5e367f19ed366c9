//! The expression language: text to [`Expression`], errors with a place, completion.

mod complete;
mod error;
mod functions;
mod lower;
mod parse;
mod token;

use std::collections::BTreeMap;

use cw_core::{Cadence, Candle};
use serde::{Deserialize, Serialize};

pub use complete::{Completion, CompletionItem, complete, complete_with};
pub use error::ExprError;
pub(crate) use error::{floor_boundary, nearest};
pub(crate) use lower::{Constant, Lowering, signature};
pub(crate) use parse::{BinaryOp, NEGATE_POWER, NOT_POWER, parse, parse_list};
pub use parse::{MAX_DEPTH, MAX_TEXT};

use crate::ohlcv::Columns;
use crate::program::{Program, Source, State, TimeframeMismatch};

/// The two types of the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Number,
    Bool,
}

/// What an expression comes to on one candle.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Value {
    Number(f64),
    Bool(bool),
    /// Still warming up, or without a value (division by zero).
    Unknown,
}

impl Value {
    pub(crate) fn of(number: f64, is_bool: bool) -> Self {
        if !number.is_finite() {
            Self::Unknown
        } else if is_bool {
            Self::Bool(number == 1.0)
        } else {
            Self::Number(number)
        }
    }
}

/// Whether `name` can name a parameter: a word that means nothing else in the language.
pub(crate) fn check_param_name(name: &str) -> Result<(), &'static str> {
    let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase());
    if !starts_well
        || name.len() > 32
        || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    {
        return Err("a parameter's name has 1 to 32 lower-case letters, digits and `_`, and starts with a letter");
    }
    let taken = name == "entry"
        || token::KEYWORDS.contains(&name)
        || Source::named(name).is_some()
        || functions::find(name).is_some()
        || crate::indicators::find(name).is_some()
        || crate::indicators::market::find(name).is_some();
    if taken { Err("this name means something else in expressions; choose another") } else { Ok(()) }
}

/// One compiled expression over closed candles: an alert's condition, a scanner's column.
///
/// ```
/// use cw_analysis::{Expression, Kind};
/// let rule = Expression::parse("cross_above(ema(close, 10), ema(close, 20)) and rsi(close, 14) < 70")?;
/// assert_eq!(rule.kind(), Kind::Bool);
/// let error = Expression::parse("close[-1]").unwrap_err();
/// assert_eq!(error.message, "this would look into the future; only closed candles can be read");
/// # Ok::<(), cw_analysis::ExprError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Expression {
    program: Program,
    kind: Kind,
}

/// What an [`Expression`] remembers between candles. Save it in a binary format: NaN has no JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExpressionState(State);

impl Expression {
    pub fn parse(text: &str) -> Result<Self, ExprError> {
        let params = BTreeMap::new();
        let mut lowering = Lowering::new(&params);
        let (slot, kind) = lowering.lower(&parse(text)?, None, false)?;
        Ok(Self { program: Program::new(lowering.into_graphs(), vec![slot]), kind })
    }
    /// The same, refusing an expression of the other type with a place and a reason.
    pub fn parse_as(text: &str, kind: Kind) -> Result<Self, ExprError> {
        let params = BTreeMap::new();
        let mut lowering = Lowering::new(&params);
        let (slot, kind) = lowering.lower(&parse(text)?, Some(kind), false)?;
        Ok(Self { program: Program::new(lowering.into_graphs(), vec![slot]), kind })
    }
    pub fn kind(&self) -> Kind {
        self.kind
    }
    /// The expression in its canonical wording: defaults filled in, spaces and brackets as needed.
    pub fn text(&self) -> &str {
        self.program.base().graph.text(self.program.outputs()[0])
    }
    /// A fresh state for candles of `base`; an `on` of a timeframe that they cannot be folded to is an error.
    pub fn new_state(&self, base: impl Into<Cadence>) -> Result<ExpressionState, TimeframeMismatch> {
        self.program.new_state(base.into()).map(ExpressionState)
    }
    /// Whether `state`, perhaps a saved one, belongs to this expression.
    pub fn fits(&self, state: &ExpressionState) -> bool {
        self.program.fits(&state.0)
    }
    /// Takes the next closed candle. Candles come in order of time.
    pub fn update(&self, state: &mut ExpressionState, candle: &Candle) -> Value {
        self.program.update(&mut state.0, candle);
        Value::of(self.program.output(&state.0, 0), self.kind == Kind::Bool)
    }
    /// One number per candle: NaN is unknown, a condition is 1 or 0.
    pub fn batch(&self, state: &mut ExpressionState, candles: &Columns) -> Vec<f64> {
        let mut columns = Vec::new();
        self.program.batch(&mut state.0, candles, &mut columns);
        columns.pop().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
