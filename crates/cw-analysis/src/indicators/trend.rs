//! Stops that follow the price and turn.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::atr::AverageRange;
use super::{Marker, formulas};
use crate::indicator::{Group, Indicator, Output, Param, Spec};
use crate::ohlcv::Ohlcv;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuperTrend {
    range: AverageRange,
    multiplier: f64,
    /// Upper band, lower band, last close.
    bands: Option<[f64; 3]>,
    rising: bool,
}

impl Indicator for SuperTrend {
    type Input = Ohlcv;
    type Output = [f64; 2];
    const SPEC: Spec = Spec::overlay("supertrend", "SuperTrend", Group::Overlap)
        .params(&[Param::period("length", 10, 1), Param::number("factor", 3.0, 0.001, 50.0)])
        .outputs(&[Output::new("", "SuperTrend"), Output::new("direction", "Direction")])
        .recursive()
        .doc("Bands of `factor` average true ranges around (high + low) / 2 that only move towards the price until it has closed \
              beyond them; the line is the lower band in a rising trend, else the upper one. The direction is 1 in a rising \
              trend and −1 in a falling one (TradingView's has the other sign). Begins rising.",
            "TA-Lib SUPERTREND (Seban 2008)");

    fn new(params: &[f64]) -> Self {
        Self { range: AverageRange::new(params[0] as u32), multiplier: params[1], bands: None, rising: true }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 2] {
        let range = self.range.push(&candle);
        if range.is_nan() {
            return [f64::NAN; 2];
        }
        let (middle, distance) = (candle.median(), self.multiplier * range);
        let (mut upper, mut lower) = (middle + distance, middle - distance);
        if let Some([last_upper, last_lower, close]) = self.bands {
            if upper >= last_upper && close <= last_upper {
                upper = last_upper;
            }
            if lower <= last_lower && close >= last_lower {
                lower = last_lower;
            }
        }
        self.bands = Some([upper, lower, candle.close]);
        self.rising = if self.rising { candle.close >= lower } else { candle.close > upper };
        if self.rising { [lower, 1.0] } else { [upper, -1.0] }
    }
}

/// Acceleration of one side.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Pace {
    first: f64,
    step: f64,
    most: f64,
}

/// Wilder's parabolic system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Parabolic {
    long: Pace,
    short: Pace,
    /// Distance added at each turn, as a fraction.
    offset: f64,
    /// Where it begins: 0 finds out by itself, positive is long, negative is short.
    start: f64,
    previous: Option<[f64; 2]>,
    running: bool,
    is_long: bool,
    stop: f64,
    extreme: f64,
    acceleration: f64,
}

impl Parabolic {
    fn new(long: Pace, short: Pace, offset: f64, start: f64) -> Self {
        Self {
            long,
            short,
            offset,
            start,
            previous: None,
            running: false,
            is_long: false,
            stop: 0.0,
            extreme: 0.0,
            acceleration: 0.0,
        }
    }
    fn begin(&mut self, [high, low]: [f64; 2], candle: &Ohlcv) {
        let (up, down) = (candle.high - high, low - candle.low);
        self.is_long = if self.start == 0.0 { !(down > up && down > 0.0) } else { self.start > 0.0 };
        self.extreme = if self.is_long { candle.high } else { candle.low };
        self.stop = match (self.start == 0.0, self.is_long) {
            (true, true) => low,
            (true, false) => high,
            (false, _) => self.start.abs(),
        };
        self.acceleration = if self.is_long { self.long.first } else { self.short.first };
        self.running = true;
    }
    /// The stop of this candle, and whether the position is long.
    #[inline(always)]
    fn push(&mut self, candle: &Ohlcv) -> Option<(f64, bool)> {
        let mut previous = self.previous.replace([candle.high, candle.low])?;
        if !self.running {
            self.begin(previous, candle);
            // The first stop is held against this candle alone.
            previous = [candle.high, candle.low];
        }
        let (highest, lowest) = (candle.high.max(previous[0]), candle.low.min(previous[1]));
        let beyond = |stop: f64, is_long: bool| if is_long { stop.min(lowest) } else { stop.max(highest) };
        let hit = if self.is_long { candle.low <= self.stop } else { candle.high >= self.stop };
        if hit {
            self.is_long = !self.is_long;
            let sign = if self.is_long { -1.0 } else { 1.0 };
            self.stop = beyond(self.extreme, self.is_long);
            self.stop += sign * self.stop * self.offset;
            self.extreme = if self.is_long { candle.high } else { candle.low };
            self.acceleration = if self.is_long { self.long.first } else { self.short.first };
        }
        let stop = self.stop;
        if !hit {
            let (newer, pace) = if self.is_long {
                (candle.high > self.extreme, self.long)
            } else {
                (candle.low < self.extreme, self.short)
            };
            if newer {
                self.extreme = if self.is_long { candle.high } else { candle.low };
                self.acceleration = (self.acceleration + pace.step).min(pace.most);
            }
        }
        self.stop = beyond(self.stop + self.acceleration * (self.extreme - self.stop), self.is_long);
        Some((stop, self.is_long))
    }
}

/// How the stop is shown.
pub trait ParabolicFormula: Marker {
    const SPEC: Spec;
    fn build(params: &[f64]) -> [f64; 8];
    fn of(stop: f64, is_long: bool) -> f64;
}

formulas! { Sar, SarExt }

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stop<F> {
    parabolic: Parabolic,
    formula: PhantomData<F>,
}

impl<F: ParabolicFormula> Indicator for Stop<F> {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = F::SPEC;

    fn new(params: &[f64]) -> Self {
        let [start, offset, first_long, long, most_long, first_short, short, most_short] = F::build(params);
        let pace = |first: f64, step: f64, most: f64| Pace { first: first.min(most), step: step.min(most), most };
        let parabolic =
            Parabolic::new(pace(first_long, long, most_long), pace(first_short, short, most_short), offset, start);
        Self { parabolic, formula: PhantomData }
    }
    fn warm_up(_: &[f64]) -> usize {
        1
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        [self.parabolic.push(&candle).map_or(f64::NAN, |(stop, is_long)| F::of(stop, is_long))]
    }
}

impl ParabolicFormula for Sar {
    const SPEC: Spec = Spec::overlay("sar", "Parabolic SAR", Group::Overlap)
        .params(&[Param::number("acceleration", 0.02, 0.0, 1.0), Param::number("maximum", 0.2, 0.0, 1.0)])
        .recursive()
        .doc("A stop that closes in on the extreme since the last turn, by `acceleration` more with each new extreme up to \
              `maximum`, and never enters the range of this candle and the last. It turns where the price meets it. Begins \
              long unless the second candle moved down.", "TA-Lib SAR (Wilder 1978)");
    fn build(params: &[f64]) -> [f64; 8] {
        [0.0, 0.0, params[0], params[0], params[1], params[0], params[0], params[1]]
    }
    #[inline(always)]
    fn of(stop: f64, _: bool) -> f64 {
        stop
    }
}

impl ParabolicFormula for SarExt {
    const SPEC: Spec = Spec::overlay("sarext", "Parabolic SAR, extended", Group::Overlap)
        .params(&[
            Param::number("start", 0.0, -1e12, 1e12),
            Param::number("offset", 0.0, 0.0, 1.0),
            Param::number("first_long", 0.02, 0.0, 1.0),
            Param::number("long", 0.02, 0.0, 1.0),
            Param::number("max_long", 0.2, 0.0, 1.0),
            Param::number("first_short", 0.02, 0.0, 1.0),
            Param::number("short", 0.02, 0.0, 1.0),
            Param::number("max_short", 0.2, 0.0, 1.0),
        ])
        .recursive()
        .doc("sar with paces of its own for each side, a fraction added at each turn, and a start: 0 finds the side by itself, a \
              positive one begins long at that stop, a negative one short. While short the stop is negative.",
            "TA-Lib SAREXT");
    fn build(params: &[f64]) -> [f64; 8] {
        let mut copy = [0.0; 8];
        copy.copy_from_slice(params);
        copy
    }
    #[inline(always)]
    fn of(stop: f64, is_long: bool) -> f64 {
        if is_long { stop } else { -stop }
    }
}
