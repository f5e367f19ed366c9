//! The true range and its averages.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::{Marker, formulas};
use crate::filter::{BLOCK, Block, Filter, Smoothing, ratio, shifted};
use crate::indicator::{Group, Indicator, Out, Param, Rows, Spec, row_by_row};
use crate::ohlcv::{ColumnSlice, Ohlcv};
use crate::wide::wide;
use crate::window::larger;

/// The largest of high − low, |high − previous close| and |low − previous close|.
#[inline(always)]
pub(crate) fn true_range(candle: &Ohlcv, previous_close: f64) -> f64 {
    widest(candle.high, candle.low, previous_close)
}

#[inline(always)]
pub(crate) fn widest(high: f64, low: f64, previous_close: f64) -> f64 {
    larger(larger(high - low, (high - previous_close).abs()), (low - previous_close).abs())
}

/// [`true_range`] of neighbouring candles; the close before them becomes their last.
#[inline(always)]
pub(crate) fn true_ranges(high: &Block, low: &Block, close: &Block, previous_close: &mut f64) -> Block {
    let previous = shifted(previous_close, *close);
    std::array::from_fn(|row| widest(high[row], low[row], previous[row]))
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct TrueRange {
    previous_close: Option<f64>,
}

impl TrueRange {
    pub(crate) const fn new() -> Self {
        Self { previous_close: None }
    }
    #[inline(always)]
    pub(crate) fn push(&mut self, candle: &Ohlcv) -> f64 {
        self.previous_close.replace(candle.close).map_or(f64::NAN, |previous| true_range(candle, previous))
    }
}

/// Wilder's average of the true range.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AverageRange {
    pub(crate) range: TrueRange,
    pub(crate) average: Smoothing,
}

impl AverageRange {
    pub(crate) fn new(length: u32) -> Self {
        Self { range: TrueRange::new(), average: Smoothing::wilder(length) }
    }
    /// Leaves the first candles out, so that it gives its first value at the same candle as something slower.
    pub(crate) fn after(self, candles: u32) -> Self {
        Self { average: self.average.after(candles), ..self }
    }
    #[inline(always)]
    pub(crate) fn push(&mut self, candle: &Ohlcv) -> f64 {
        self.average.feed(self.range.push(candle))
    }
    /// [`push`](Self::push) for neighbouring candles once the seed is complete.
    #[inline(always)]
    pub(crate) fn block(&mut self, high: &Block, low: &Block, close: &Block) -> Block {
        let mut previous = self.range.previous_close.unwrap_or(f64::NAN);
        let ranges = true_ranges(high, low, close, &mut previous);
        self.range.previous_close = Some(previous);
        self.average.block(ranges)
    }
}

wide! {
    fn all(average: &mut AverageRange, candles: &ColumnSlice<'_>, out: &mut [f64]) {
        let mut own = average.clone();
        for ([high, low, close], out) in candles.sides().zip(out.as_chunks_mut::<BLOCK>().0) {
            *out = own.block(high, low, close);
        }
        for row in candles.rest() {
            out[row] = own.push(&candles.row(row));
        }
        *average = own;
    }
}

pub trait RangeFormula: Marker {
    const SPEC: Spec;
    fn of(average: f64, close: f64) -> f64;
}

formulas! { Plain, Relative }

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Averaged<F> {
    average: AverageRange,
    formula: PhantomData<F>,
}

pub type Atr = Averaged<Plain>;
pub type Natr = Averaged<Relative>;

impl<F: RangeFormula> Indicator for Averaged<F> {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = F::SPEC;

    fn new(params: &[f64]) -> Self {
        Self { average: AverageRange::new(params[0] as u32), formula: PhantomData }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        [F::of(self.average.push(&candle), candle.close)]
    }
    fn batch(&mut self, rows: Rows<'_>, out: Out<'_>) {
        if !self.average.average.is_seeded() {
            return row_by_row(self, rows, out);
        }
        let [column] = out.columns();
        all(&mut self.average, &rows.candles, column);
        for (average, close) in column.iter_mut().zip(rows.candles.close) {
            *average = F::of(*average, *close);
        }
    }
}

impl RangeFormula for Plain {
    const SPEC: Spec = Spec::new("atr", "Average true range", Group::Volatility)
        .params(&[Param::period("length", 14, 1)])
        .recursive()
        .doc("Wilder's average of the true range, seeded with the mean of the first `length` ranges. The first candle has no \
              previous close and gives no range.", "TA-Lib ATR (Wilder 1978)");
    #[inline(always)]
    fn of(average: f64, _: f64) -> f64 {
        average
    }
}

impl RangeFormula for Relative {
    const SPEC: Spec = Spec::new("natr", "Normalized average true range", Group::Volatility)
        .params(&[Param::period("length", 14, 1)])
        .recursive()
        .doc("The ATR in percent of the close; 0 where that is 0.", "TA-Lib NATR (Forman 2006)");
    #[inline(always)]
    fn of(average: f64, close: f64) -> f64 {
        100.0 * ratio(average, close, 0.0)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trange(TrueRange);

impl Indicator for Trange {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("trange", "True range", Group::Volatility).doc(
        "The largest of high − low, |high − last close| and |low − last close|; the first candle has none.",
        "TA-Lib TRANGE (Wilder 1978)",
    );

    fn new(_: &[f64]) -> Self {
        Self(TrueRange::new())
    }
    fn warm_up(_: &[f64]) -> usize {
        1
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        [self.0.push(&candle)]
    }
}
