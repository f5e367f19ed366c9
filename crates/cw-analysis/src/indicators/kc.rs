//! Channels around an average.

use serde::{Deserialize, Serialize};

use super::atr::AverageRange;
use crate::filter::{BLOCK, Filter, Mean, Smoothing};
use crate::indicator::{Group, Indicator, Out, Output, Param, Rows, Spec, lengths, row_by_row};
use crate::ohlcv::{ColumnSlice, Ohlcv, typical};
use crate::wide::wide;

const CHANNEL: &[Output] =
    &[Output::new("upper", "Upper"), Output::new("middle", "Middle"), Output::new("lower", "Lower")];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kc {
    basis: Smoothing,
    range: AverageRange,
    multiplier: f64,
}

impl Indicator for Kc {
    type Input = Ohlcv;
    type Output = [f64; 3];
    const SPEC: Spec = Spec::overlay("kc", "Keltner channel", Group::Overlap)
        .params(&[
            Param::period("length", 20, 2),
            Param::period("atr_length", 10, 1),
            Param::number("multiplier", 2.0, 0.001, 50.0),
        ])
        .outputs(CHANNEL)
        .recursive()
        .doc("The EMA of the typical price over `length` candles, and `multiplier` average true ranges above and below it, \
              both seeded at the same candle.", "TA-Lib KC (Keltner, Raschke)");

    fn new(params: &[f64]) -> Self {
        let [length, atr_length] = lengths(params);
        let warm_up = Self::warm_up(params) as u32;
        Self {
            basis: Smoothing::exponential(length).after(warm_up - (length - 1)),
            range: AverageRange::new(atr_length).after(warm_up - atr_length),
            multiplier: params[2],
        }
    }
    fn warm_up(params: &[f64]) -> usize {
        let [length, atr_length] = lengths(params);
        (length - 1).max(atr_length) as usize
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 3] {
        let middle = self.basis.push(candle.typical());
        let distance = self.range.push(&candle) * self.multiplier;
        [middle + distance, middle, middle - distance]
    }
    fn batch(&mut self, rows: Rows<'_>, out: Out<'_>) {
        if !self.basis.is_seeded() || !self.range.average.is_seeded() {
            return row_by_row(self, rows, out);
        }
        all(self, &rows.candles, out.columns());
    }
}

wide! {
    /// All that comes after the seeds.
    fn all(channel: &mut Kc, candles: &ColumnSlice<'_>, columns: [&mut [f64]; 3]) {
        let mut own = channel.clone();
        let [uppers, middles, lowers] = columns;
        let outs = uppers.as_chunks_mut::<BLOCK>().0.iter_mut().zip(middles.as_chunks_mut::<BLOCK>().0);
        let outs = outs.zip(lowers.as_chunks_mut::<BLOCK>().0);
        for ([high, low, close], ((upper, middle), lower)) in candles.sides().zip(outs) {
            *middle = own.basis.block(std::array::from_fn(|row| typical(high[row], low[row], close[row])));
            let ranges = own.range.block(high, low, close);
            for row in 0..BLOCK {
                let distance = ranges[row] * own.multiplier;
                (upper[row], lower[row]) = (middle[row] + distance, middle[row] - distance);
            }
        }
        for row in candles.rest() {
            [uppers[row], middles[row], lowers[row]] = own.update(candles.row(row));
        }
        *channel = own;
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AccBands {
    upper: Mean,
    middle: Mean,
    lower: Mean,
}

impl Indicator for AccBands {
    type Input = Ohlcv;
    type Output = [f64; 3];
    const SPEC: Spec = Spec::overlay("accbands", "Acceleration bands", Group::Overlap)
        .params(&[Param::period("length", 20, 2)])
        .outputs(CHANNEL)
        .doc("Means over `length` of high × (1 + w), the close, and low × (1 − w), where w = 4 (high − low) / (high + low).",
            "TA-Lib ACCBANDS (Headley)");

    fn new(params: &[f64]) -> Self {
        let mean = Mean::new(params[0] as u32);
        Self { upper: mean.clone(), middle: mean.clone(), lower: mean }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 3] {
        let Ohlcv { high, low, close, .. } = candle;
        let total = high + low;
        let width = if total.abs() > 1e-14 * (high.abs() + low.abs()) { 4.0 * (high - low) / total } else { 0.0 };
        [self.upper.push(high * (1.0 + width)), self.middle.push(close), self.lower.push(low * (1.0 - width))]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Eri(Smoothing);

impl Indicator for Eri {
    type Input = Ohlcv;
    type Output = [f64; 2];
    const SPEC: Spec = Spec::new("eri", "Elder ray", Group::Momentum)
        .params(&[Param::period("length", 13, 1)])
        .outputs(&[Output::new("bull", "Bull power"), Output::new("bear", "Bear power")])
        .recursive()
        .doc("High − ema(close) and low − ema(close).", "TA-Lib ERI (Elder 1989)");

    fn new(params: &[f64]) -> Self {
        Self(Smoothing::exponential(params[0] as u32))
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 2] {
        let average = self.0.push(candle.close);
        [candle.high - average, candle.low - average]
    }
}

/// Chande and Kroll's stops: the extreme of stops that hang `multiplier` ranges off the extreme.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cksp {
    range: AverageRange,
    extremes: crate::window::Range,
    stops: crate::window::Range,
    multiplier: f64,
}

impl Indicator for Cksp {
    type Input = Ohlcv;
    type Output = [f64; 2];
    const SPEC: Spec = Spec::overlay("cksp", "Chande Kroll stop", Group::Overlap)
        .params(&[
            Param::period("length", 10, 1),
            Param::number("multiplier", 1.0, 0.0, 50.0),
            Param::period("stop_length", 9, 1),
        ])
        .outputs(&[Output::new("long", "Long stop"), Output::new("short", "Short stop")])
        .recursive()
        .doc(
            "`multiplier` average true ranges below the highest high of `length` candles, and of that the highest over \
              `stop_length`; and the same upside down.",
            "TA-Lib CKSP (Chande, Kroll 1995)",
        );

    fn new(params: &[f64]) -> Self {
        let length = params[0] as u32;
        Self {
            range: AverageRange::new(length),
            extremes: crate::window::Range::new(length),
            stops: crate::window::Range::new(params[2] as u32),
            multiplier: params[1],
        }
    }
    fn warm_up(params: &[f64]) -> usize {
        (params[0] + params[2]) as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 2] {
        let range = self.range.push(&candle) * self.multiplier;
        let Some((high, low)) = self.extremes.push(candle.high, candle.low) else { return [f64::NAN; 2] };
        if range.is_nan() {
            return [f64::NAN; 2];
        }
        self.stops.push(high - range, low + range).map_or([f64::NAN; 2], |(long, short)| [long, short])
    }
}
