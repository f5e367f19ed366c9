//! The shape of an indicator.

use cw_core::Calendar;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ohlcv::{ColumnSlice, Ohlcv};
use crate::wide::wide;

/// The longest period any parameter accepts: bounds the memory of what a user types.
pub const MAX_PERIOD: u32 = 5_000;

/// What an indicator reads per candle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// One number: a price or any other series. The source defaults to the close.
    Series,
    /// Two numbers, such as a price and a benchmark. They default to the close and the volume.
    Pair,
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
    Cycle,
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
    /// Levels by which it is usually read, such as 30 and 70: a chart draws them as thin lines.
    pub guides: &'static [f64],
    /// The definition in a sentence or two, with seeding and special cases.
    pub doc: &'static str,
    /// Where the definition comes from.
    pub source: &'static str,
    /// Values depend on where the history begins, not only on the candles of the warm-up: feed it some multiples of its
    /// lengths before the last digits are trusted.
    pub recursive: bool,
    /// Nothing is known before the first session of the data has ended, however few candles the warm-up names.
    pub by_session: bool,
}

impl Spec {
    /// One output, no parameters, drawn below the candles.
    pub(crate) const fn new(name: &'static str, title: &'static str, group: Group) -> Self {
        Self {
            name,
            title,
            group,
            pane: Pane::Own,
            params: &[],
            outputs: VALUE,
            guides: &[],
            doc: "",
            source: "",
            recursive: false,
            by_session: false,
        }
    }
    /// Drawn on the candles.
    pub(crate) const fn overlay(name: &'static str, title: &'static str, group: Group) -> Self {
        Self { pane: Pane::Overlay, ..Self::new(name, title, group) }
    }
    pub(crate) const fn params(self, params: &'static [Param]) -> Self {
        Self { params, ..self }
    }
    pub(crate) const fn outputs(self, outputs: &'static [Output]) -> Self {
        Self { outputs, ..self }
    }
    pub(crate) const fn guides(self, guides: &'static [f64]) -> Self {
        Self { guides, ..self }
    }
    pub(crate) const fn recursive(self) -> Self {
        Self { recursive: true, ..self }
    }
    pub(crate) const fn by_session(self) -> Self {
        Self { by_session: true, ..self }
    }
    /// The definition and where it comes from.
    pub(crate) const fn doc(self, doc: &'static str, source: &'static str) -> Self {
        Self { doc, source, ..self }
    }
    /// The index of the output that the bare name means, where there is one.
    pub fn main_output(&self) -> Option<usize> {
        self.outputs.iter().position(|output| output.name.is_empty())
    }
}

pub(crate) const VALUE: &[Output] = &[Output { name: "", title: "Value" }];

impl Output {
    pub(crate) const fn new(name: &'static str, title: &'static str) -> Self {
        Self { name, title }
    }
}

/// What an indicator is fed with: [`f64`], two of them or [`Ohlcv`].
pub trait Input: Copy {
    const KIND: InputKind;
    #[doc(hidden)]
    fn pick(candle: &Ohlcv, values: [f64; 2]) -> Self;
    /// A value that is not finite (warming up, divided by zero) is passed over: the indicator gives NaN and keeps its state.
    #[doc(hidden)]
    fn is_usable(self) -> bool;
    #[doc(hidden)]
    #[expect(private_interfaces, reason = "a sealed detail of batch computation")]
    fn pick_row(candles: &ColumnSlice<'_>, values: [&[f64]; 2], row: usize) -> Self;
}

impl Input for f64 {
    const KIND: InputKind = InputKind::Series;
    #[inline]
    fn pick(_: &Ohlcv, [value, _]: [f64; 2]) -> Self {
        value
    }
    #[inline]
    fn is_usable(self) -> bool {
        self.is_finite()
    }
    #[inline]
    #[expect(private_interfaces, reason = "a sealed detail of batch computation")]
    fn pick_row(_: &ColumnSlice<'_>, [values, _]: [&[f64]; 2], row: usize) -> Self {
        values[row]
    }
}

impl Input for [f64; 2] {
    const KIND: InputKind = InputKind::Pair;
    #[inline]
    fn pick(_: &Ohlcv, values: [f64; 2]) -> Self {
        values
    }
    #[inline]
    fn is_usable(self) -> bool {
        self[0].is_finite() && self[1].is_finite()
    }
    #[inline]
    #[expect(private_interfaces, reason = "a sealed detail of batch computation")]
    fn pick_row(_: &ColumnSlice<'_>, values: [&[f64]; 2], row: usize) -> Self {
        values.map(|column| column[row])
    }
}

impl Input for Ohlcv {
    const KIND: InputKind = InputKind::Candle;
    #[inline]
    fn pick(candle: &Ohlcv, _: [f64; 2]) -> Self {
        *candle
    }
    #[inline]
    fn is_usable(self) -> bool {
        true
    }
    #[inline]
    #[expect(private_interfaces, reason = "a sealed detail of batch computation")]
    fn pick_row(candles: &ColumnSlice<'_>, _: [&[f64]; 2], row: usize) -> Self {
        candles.row(row)
    }
}

/// Most rows that are computed at once: few enough that the columns of a dozen indicators stay in the cache.
pub(crate) const CHUNK: usize = 256;

/// What an indicator reads of a chunk: at most [`CHUNK`] rows.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    pub(crate) candles: ColumnSlice<'a>,
    pub(crate) values: [&'a [f64]; 2],
    /// The first of the values comes from candles, where every number is finite.
    pub(crate) finite: bool,
}

impl<'a> Rows<'a> {
    pub(crate) fn len(&self) -> usize {
        self.candles.len()
    }
    /// The series, if all of it is usable.
    #[inline]
    pub(crate) fn series(&self) -> Option<&'a [f64]> {
        let series = &self.values[0][..self.len()];
        (self.finite || all_finite(series)).then_some(series)
    }
}

wide! {
    /// Every number is finite. Without leaving early, so that many are looked at together.
    fn all_finite(values: &[f64]) -> bool {
        const EXPONENT: u64 = 0x7ff << 52;
        values.iter().fold(true, |finite, value| finite & (value.to_bits() & EXPONENT != EXPONENT))
    }
}

/// Where an indicator's outputs of a chunk go.
pub struct Out<'a> {
    pub(crate) values: &'a mut [f64],
    /// Distance between the outputs' columns.
    pub(crate) stride: usize,
    pub(crate) rows: usize,
}

impl<'a> Out<'a> {
    /// One column per output.
    #[inline]
    pub(crate) fn columns<const N: usize>(self) -> [&'a mut [f64]; N] {
        let rows = self.rows;
        let mut columns = self.values.chunks_mut(self.stride);
        std::array::from_fn(|_| columns.next().map(|whole| &mut whole[..rows]).unwrap_or_default())
    }
}

/// One row after the other.
pub(crate) fn row_by_row<I: Indicator>(state: &mut I, rows: Rows<'_>, out: Out<'_>) {
    let candles = rows.candles.of_one_length();
    let width = I::SPEC.outputs.len();
    for row in 0..candles.len() {
        let input = I::Input::pick_row(&candles, rows.values, row);
        if input.is_usable() {
            let result = state.update(input);
            for (output, value) in result.as_ref().iter().enumerate() {
                out.values[output * out.stride + row] = *value;
            }
        } else {
            for output in 0..width {
                out.values[output * out.stride + row] = f64::NAN;
            }
        }
    }
}

/// Parameters as lengths: `let [fast, slow] = lengths(params)`. The rest is left out.
pub(crate) fn lengths<const N: usize>(params: &[f64]) -> [u32; N] {
    let mut lengths = [0; N];
    for (length, param) in lengths.iter_mut().zip(params) {
        *length = *param as u32;
    }
    lengths
}

/// A technical indicator: a small state that takes one closed candle at a time.
///
/// Batch computation does what [`update`](Self::update) does, in the same order per value, so that both give the same
/// bits. The state is plain data: clone it to branch, serialize it (binary, for instance postcard: NaN has no JSON) to go on later.
/// Nothing allocates after [`new`](Self::new).
pub trait Indicator: Clone + PartialEq + Serialize + DeserializeOwned {
    type Input: Input;
    /// `[f64; N]`, one per output of [`SPEC`](Self::SPEC); NaN while warming up.
    type Output: AsRef<[f64]>;
    const SPEC: Spec;

    /// `params` has one value per parameter of the spec, each inside its range.
    fn new(params: &[f64]) -> Self;

    /// How many inputs give no complete output with these parameters: the index of the first candle with all outputs.
    fn warm_up(params: &[f64]) -> usize;

    /// Told before the first candle, where sessions matter.
    #[doc(hidden)]
    fn set_calendar(&mut self, _: Calendar) {}

    /// Takes the next closed candle (or source value) and gives the outputs there.
    fn update(&mut self, input: Self::Input) -> Self::Output;

    /// [`update`](Self::update) for a chunk of rows: the same operations on the same numbers, so the same bits, but where
    /// it pays, one operation at a time over all rows.
    #[doc(hidden)]
    fn batch(&mut self, rows: Rows<'_>, out: Out<'_>) {
        row_by_row(self, rows, out);
    }

    /// The outputs if `input` were the next one, for a candle that is still forming. The state stays as it is.
    fn preview(&self, input: Self::Input) -> Self::Output {
        self.clone().update(input)
    }
}
