//! The shape of an indicator.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ohlcv::{ColumnSlice, Ohlcv};

/// The longest period any parameter accepts: bounds the memory of what a user types.
pub const MAX_PERIOD: u32 = 5_000;

/// What an indicator reads per candle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// One number: a price or any other series. The source defaults to the close.
    Series,
    /// The whole candle; there is no source to choose.
    Candle,
}

/// The family an indicator is listed under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    Overlap,
    Momentum,
    Volatility,
    Volume,
    Statistics,
}

/// Where a chart draws it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pane {
    /// On the candles, because it has the unit of a price.
    Overlay,
    /// Below them.
    Own,
}

/// One parameter with its range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Param {
    pub name: &'static str,
    pub default: f64,
    pub min: f64,
    pub max: f64,
    /// Only whole numbers make sense.
    pub integer: bool,
}

impl Param {
    /// A whole number of candles, from `min` to [`MAX_PERIOD`].
    pub(crate) const fn period(name: &'static str, default: u32, min: u32) -> Self {
        Self { name, default: default as f64, min: min as f64, max: MAX_PERIOD as f64, integer: true }
    }
    pub(crate) const fn number(name: &'static str, default: f64, min: f64, max: f64) -> Self {
        Self { name, default, min, max, integer: false }
    }
}

/// One series that an indicator gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Output {
    /// What follows the dot in `macd(12,26,9).signal`; empty for the one that the bare name means.
    pub name: &'static str,
    pub title: &'static str,
}

/// Everything the outside knows about an indicator.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spec {
    pub name: &'static str,
    pub title: &'static str,
    pub group: Group,
    pub pane: Pane,
    pub params: &'static [Param],
    pub outputs: &'static [Output],
    /// The definition in a sentence or two, with seeding and special cases.
    pub doc: &'static str,
    /// Where the definition comes from.
    pub source: &'static str,
}

impl Spec {
    /// The index of the output that the bare name means, where there is one.
    pub fn main_output(&self) -> Option<usize> {
        self.outputs.iter().position(|output| output.name.is_empty())
    }
}

pub(crate) const VALUE: &[Output] = &[Output { name: "", title: "Value" }];

/// What an indicator is fed with: [`f64`] or [`Ohlcv`].
pub trait Input: Copy {
    const KIND: InputKind;
    #[doc(hidden)]
    fn pick(candle: &Ohlcv, value: f64) -> Self;
    /// A value that is not finite (warming up, divided by zero) is passed over: the indicator gives NaN and keeps its state.
    #[doc(hidden)]
    fn is_usable(self) -> bool;
    #[doc(hidden)]
    #[expect(private_interfaces, reason = "a sealed detail of batch computation")]
    fn pick_row(candles: &ColumnSlice<'_>, values: &[f64], row: usize) -> Self;
}

impl Input for f64 {
    const KIND: InputKind = InputKind::Series;
    #[inline]
    fn pick(_: &Ohlcv, value: f64) -> Self {
        value
    }
    #[inline]
    fn is_usable(self) -> bool {
        self.is_finite()
    }
    #[inline]
    #[expect(private_interfaces, reason = "a sealed detail of batch computation")]
    fn pick_row(_: &ColumnSlice<'_>, values: &[f64], row: usize) -> Self {
        values[row]
    }
}

impl Input for Ohlcv {
    const KIND: InputKind = InputKind::Candle;
    #[inline]
    fn pick(candle: &Ohlcv, _: f64) -> Self {
        *candle
    }
    #[inline]
    fn is_usable(self) -> bool {
        true
    }
    #[inline]
    #[expect(private_interfaces, reason = "a sealed detail of batch computation")]
    fn pick_row(candles: &ColumnSlice<'_>, _: &[f64], row: usize) -> Self {
        candles.row(row)
    }
}

/// A technical indicator: a small state that takes one closed candle at a time.
///
/// Batch computation runs the very same [`update`](Self::update) over columns, so that both give the same bits. The
/// state is plain data: clone it to branch, serialize it (binary, for instance postcard: NaN has no JSON) to go on later.
/// Nothing allocates after [`new`](Self::new).
pub trait Indicator: Clone + PartialEq + Serialize + DeserializeOwned {
    type Input: Input;
    /// `[f64; N]`, one per output of [`SPEC`](Self::SPEC); NaN while warming up.
    type Output: AsRef<[f64]>;
    const SPEC: Spec;

    /// `params` has one value per parameter of the spec, each inside its range.
    fn new(params: &[f64]) -> Self;

    /// How many inputs give no complete output: the index of the first candle with all outputs.
    fn warm_up(&self) -> usize;

    /// Takes the next closed candle (or source value) and gives the outputs there.
    fn update(&mut self, input: Self::Input) -> Self::Output;

    /// The outputs if `input` were the next one, for a candle that is still forming. The state stays as it is.
    fn preview(&self, input: Self::Input) -> Self::Output {
        self.clone().update(input)
    }
}
