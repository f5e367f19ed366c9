//! What volume says about the price.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::{Marker, formulas};
use crate::filter::{Filter, Mean, Smoothing, ratio};
use crate::indicator::{CHUNK, Group, Indicator, Out, Output, Param, Rows, Spec, lengths, row_by_row};
use crate::ohlcv::{ColumnSlice, Ohlcv, typical_prices};
use crate::wide::wide;
use crate::window::{MovingSum, larger};

/// A running total: what each candle adds, given the one before.
pub trait RunningFormula: Marker {
    const SPEC: Spec;
    /// The total at the first candle.
    fn first(candle: &Ohlcv) -> f64;
    /// The next total.
    fn next(total: f64, previous: Previous, candle: &Ohlcv) -> f64;
}

/// What a total remembers of the candle before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Previous {
    close: f64,
    volume: f64,
}

formulas! { Obv, Ad, Nvi, Pvi, Pvt, Wad }

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Running<F> {
    previous: Option<Previous>,
    total: f64,
    formula: PhantomData<F>,
}

impl<F: RunningFormula> Indicator for Running<F> {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = F::SPEC;

    fn new(_: &[f64]) -> Self {
        Self { previous: None, total: 0.0, formula: PhantomData }
    }
    fn warm_up(_: &[f64]) -> usize {
        0
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        let previous = self.previous.replace(Previous { close: candle.close, volume: candle.volume });
        self.total = match previous {
            Some(previous) => F::next(self.total, previous, &candle),
            None => F::first(&candle),
        };
        [self.total]
    }
}

impl RunningFormula for Obv {
    const SPEC: Spec = Spec::new("obv", "On-balance volume", Group::Volume).recursive().doc(
        "The running sum of volume, added when the close rises and taken away when it falls; it begins with the first candle's \
         volume. Only its changes mean something.",
        "TA-Lib OBV (Granville)",
    );
    #[inline(always)]
    fn first(candle: &Ohlcv) -> f64 {
        candle.volume
    }
    #[inline(always)]
    fn next(total: f64, previous: Previous, candle: &Ohlcv) -> f64 {
        // Directions are a coin toss to the branch predictor: compute instead of deciding.
        let rise = f64::from(u8::from(candle.close > previous.close));
        let fall = f64::from(u8::from(candle.close < previous.close));
        total + (rise - fall) * candle.volume
    }
}

/// Chaikin's share of the volume: −volume at the low, volume at the high, 0 where the candle has no range.
#[inline(always)]
fn flow(candle: &Ohlcv) -> f64 {
    let range = candle.high - candle.low;
    let place = (candle.close - candle.low) - (candle.high - candle.close);
    if range > 0.0 { place / range * candle.volume } else { 0.0 }
}

impl RunningFormula for Ad {
    const SPEC: Spec = Spec::new("ad", "Accumulation/distribution", Group::Volume).recursive().doc(
        "The running sum of volume × ((close − low) − (high − close)) / (high − low). Only its changes mean something.",
        "TA-Lib AD (Chaikin)",
    );
    #[inline(always)]
    fn first(candle: &Ohlcv) -> f64 {
        flow(candle)
    }
    #[inline(always)]
    fn next(total: f64, _: Previous, candle: &Ohlcv) -> f64 {
        total + flow(candle)
    }
}

/// A total that the price's relative change moves, if `moves`.
#[inline(always)]
fn compound(total: f64, previous: Previous, candle: &Ohlcv, moves: bool) -> f64 {
    let next = total + ratio(candle.close - previous.close, previous.close, 0.0) * total;
    if moves && next.is_finite() { next } else { total }
}

impl RunningFormula for Nvi {
    const SPEC: Spec = Spec::new("nvi", "Negative volume index", Group::Volume).recursive().doc(
        "Begins at 1000 and moves by the close's relative change on candles whose volume is less than the last one's.",
        "TA-Lib NVI (Dysart 1936, Fosback)",
    );
    #[inline(always)]
    fn first(_: &Ohlcv) -> f64 {
        1_000.0
    }
    #[inline(always)]
    fn next(total: f64, previous: Previous, candle: &Ohlcv) -> f64 {
        compound(total, previous, candle, candle.volume < previous.volume)
    }
}

impl RunningFormula for Pvi {
    const SPEC: Spec = Spec::new("pvi", "Positive volume index", Group::Volume).recursive().doc(
        "Begins at 1000 and moves by the close's relative change on candles whose volume is more than the last one's.",
        "TA-Lib PVI (Dysart 1936, Fosback)",
    );
    #[inline(always)]
    fn first(_: &Ohlcv) -> f64 {
        1_000.0
    }
    #[inline(always)]
    fn next(total: f64, previous: Previous, candle: &Ohlcv) -> f64 {
        compound(total, previous, candle, candle.volume > previous.volume)
    }
}

impl RunningFormula for Pvt {
    const SPEC: Spec = Spec::new("pvt", "Price volume trend", Group::Volume)
        .recursive()
        .doc("The running sum of volume × the close's relative change. Only its changes mean something.", "TA-Lib PVT");
    #[inline(always)]
    fn first(_: &Ohlcv) -> f64 {
        0.0
    }
    #[inline(always)]
    fn next(total: f64, previous: Previous, candle: &Ohlcv) -> f64 {
        total + ratio(candle.close - previous.close, previous.close, 0.0) * candle.volume
    }
}

impl RunningFormula for Wad {
    const SPEC: Spec = Spec::new("wad", "Williams accumulation/distribution", Group::Volume).recursive().doc(
        "The running sum of the close's distance from the true low when it rises and from the true high when it falls.",
        "TA-Lib WAD (Williams 1972)",
    );
    #[inline(always)]
    fn first(_: &Ohlcv) -> f64 {
        0.0
    }
    #[inline(always)]
    fn next(total: f64, previous: Previous, candle: &Ohlcv) -> f64 {
        if candle.close > previous.close {
            total + (candle.close - candle.low.min(previous.close))
        } else if candle.close < previous.close {
            total + (candle.close - candle.high.max(previous.close))
        } else {
            total
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdOsc {
    total: f64,
    fast: Smoothing,
    slow: Smoothing,
    missing: u32,
}

impl Indicator for AdOsc {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("adosc", "Chaikin oscillator", Group::Volume)
        .guides(&[0.0])
        .params(&[Param::period("fast", 3, 2), Param::period("slow", 10, 2)])
        .recursive()
        .doc("Fast − slow EMA of ad, both beginning with the first candle's.", "TA-Lib ADOSC (Chaikin)");

    fn new(params: &[f64]) -> Self {
        let [fast, slow] = lengths(params);
        Self {
            total: 0.0,
            fast: Smoothing::exponential(fast).beginning_at_first(),
            slow: Smoothing::exponential(slow).beginning_at_first(),
            missing: Self::warm_up(params) as u32,
        }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0].max(params[1]) as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        self.total += flow(&candle);
        let value = self.fast.push(self.total) - self.slow.push(self.total);
        if self.missing > 0 {
            self.missing -= 1;
            return [f64::NAN];
        }
        [value]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cmf {
    flow: MovingSum,
    volume: MovingSum,
}

impl Indicator for Cmf {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("cmf", "Chaikin money flow", Group::Volume)
        .guides(&[0.0])
        .params(&[Param::period("length", 20, 1)])
        .doc(
            "What ad adds over `length` candles, divided by their volume: −1 to 1; 0 without volume.",
            "TA-Lib CMF (Chaikin)",
        );

    fn new(params: &[f64]) -> Self {
        let sum = MovingSum::new(params[0] as usize);
        Self { flow: sum.clone(), volume: sum }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        match (self.flow.push(flow(&candle)), self.volume.push(candle.volume)) {
            (Some(flow), Some(volume)) => [if volume > 0.0 { flow / volume } else { 0.0 }],
            _ => [f64::NAN],
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Efi {
    average: Smoothing,
    previous: Option<f64>,
}

impl Indicator for Efi {
    type Input = [f64; 2];
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("efi", "Elder force index", Group::Volume)
        .guides(&[0.0])
        .params(&[Param::period("length", 13, 1)])
        .recursive()
        .doc("The EMA of the price's change × volume; a is the price, b the volume.", "TA-Lib EFI (Elder 1993)");

    fn new(params: &[f64]) -> Self {
        Self { average: Smoothing::exponential(params[0] as u32), previous: None }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize
    }
    #[inline(always)]
    fn update(&mut self, [price, volume]: [f64; 2]) -> [f64; 1] {
        match self.previous.replace(price) {
            Some(previous) => [self.average.push((price - previous) * volume)],
            None => [f64::NAN],
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EaseOfMovement {
    mean: Mean,
    divisor: f64,
    previous: Option<f64>,
}

impl Indicator for EaseOfMovement {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("eom", "Ease of movement", Group::Volume).guides(&[0.0])
        .params(&[Param::period("length", 14, 1), Param::number("divisor", 10_000.0, 1e-9, 1e12)])
        .doc("The mean over `length` of the change of (high + low) / 2 × (high − low) × divisor / volume; 0 for a candle without \
              range or volume.", "TA-Lib EMV, TradingView's divisor (Arms)");

    fn new(params: &[f64]) -> Self {
        Self { mean: Mean::new(params[0] as u32), divisor: params[1], previous: None }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        let middle = candle.median();
        let Some(previous) = self.previous.replace(middle) else { return [f64::NAN] };
        let height = ratio(candle.volume / self.divisor, candle.high - candle.low, 0.0);
        [self.mean.push(ratio(middle - previous, height, 0.0))]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RelativeVolume(Mean, f64);

impl Indicator for RelativeVolume {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("rvol", "Relative volume", Group::Volume)
        .params(&[Param::period("length", 20, 1)])
        .doc("The volume divided by the mean of the `length` candles before; 0 where that is 0.", "TA-Lib RVOL");

    fn new(params: &[f64]) -> Self {
        Self(Mean::new(params[0] as u32), 0.0)
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        let before = self.0.last();
        self.0.push(candle.volume);
        [if before > 0.0 {
            candle.volume / before
        } else if before.is_nan() {
            before
        } else {
            0.0
        }]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kvo {
    fast: Smoothing,
    slow: Smoothing,
    signal: Smoothing,
    /// Sum of the prices, range and direction of the candle before.
    previous: Option<[f64; 3]>,
    /// Ranges added up since the direction changed.
    measure: f64,
    missing: u32,
}

impl Indicator for Kvo {
    type Input = Ohlcv;
    type Output = [f64; 2];
    const SPEC: Spec = Spec::new("kvo", "Klinger volume oscillator", Group::Volume).guides(&[0.0])
        .params(&[Param::period("fast", 34, 1), Param::period("slow", 55, 1), Param::period("signal", 13, 1)])
        .outputs(&[Output::new("", "KVO"), Output::new("signal", "Signal")])
        .recursive()
        .doc("Fast − slow EMA of the volume force ±100 × volume × |2 × range / Σ ranges since the typical price turned − 1|, and \
              its EMA; all begin with their first value.", "TA-Lib KVO (Klinger 1997)");

    fn new(params: &[f64]) -> Self {
        let [fast, slow, signal] = lengths(params).map(|length| Smoothing::exponential(length).beginning_at_first());
        Self { fast, slow, signal, previous: None, measure: 0.0, missing: Self::warm_up(params) as u32 - 1 }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0].max(params[1]).max(params[2]) as usize
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 2] {
        let (total, range) = (candle.high + candle.low + candle.close, candle.high - candle.low);
        let Some([last_total, last_range, last_trend]) = self.previous else {
            self.previous = Some([total, range, 1.0]);
            // The first turn counts the first range, whichever way it goes.
            self.measure = range;
            return [f64::NAN; 2];
        };
        let trend = if total > last_total {
            1.0
        } else if total < last_total {
            -1.0
        } else {
            last_trend
        };
        self.previous = Some([total, range, trend]);
        self.measure = if trend == last_trend { self.measure } else { last_range } + range;
        let share = ratio(range, self.measure, f64::NAN);
        let force = if share.is_nan() { 0.0 } else { candle.volume * (2.0 * share - 1.0).abs() * 100.0 * trend };
        let value = self.fast.push(force) - self.slow.push(force);
        let signal = self.signal.push(value);
        if self.missing > 0 {
            self.missing -= 1;
            return [f64::NAN; 2];
        }
        [value, signal]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mfi {
    into: MovingSum,
    out_of: MovingSum,
    previous: Option<f64>,
}

impl Indicator for Mfi {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("mfi", "Money flow index", Group::Volume).guides(&[20.0, 80.0])
        .params(&[Param::period("length", 14, 2)])
        .doc("Typical price × volume of the candles whose typical price rose, in percent of that of all that moved, over \
              `length` candles; 0 where there was none.", "TA-Lib MFI");

    fn new(params: &[f64]) -> Self {
        let sum = MovingSum::new(params[0] as usize);
        Self { into: sum.clone(), out_of: sum, previous: None }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        let typical = candle.typical();
        let Some(previous) = self.previous.replace(typical) else { return [f64::NAN] };
        let [rise, fall] = money(typical, previous, candle.volume);
        match (self.into.push(rise), self.out_of.push(fall)) {
            (Some(into), Some(out_of)) => [share(into, out_of)],
            _ => [f64::NAN],
        }
    }
    fn batch(&mut self, rows: Rows<'_>, out: Out<'_>) {
        let Some(previous) = self.previous else { return row_by_row(self, rows, out) };
        let ([into], mut out_of) = (out.columns(), [0.0; CHUNK]);
        let out_of = &mut out_of[..into.len()];
        self.previous = Some(all_money(&rows.candles, previous, into, out_of));
        self.into.run(into, 1.0);
        self.out_of.run(out_of, 1.0);
        all_shares(into, out_of);
    }
}

wide! {
    /// Money that flowed in and out with each candle; gives the last typical price.
    fn all_money(candles: &ColumnSlice<'_>, previous: f64, into: &mut [f64], out_of: &mut [f64]) -> f64 {
        let mut typical = [previous; CHUNK + 1];
        typical_prices(candles, &mut typical[1..]);
        let flows = into.iter_mut().zip(out_of);
        for (((into, out_of), typical), volume) in flows.zip(typical.array_windows::<2>()).zip(candles.volume) {
            [*into, *out_of] = money(typical[1], typical[0], *volume);
        }
        typical[candles.len()]
    }

    fn all_shares(into: &mut [f64], out_of: &[f64]) {
        for (into, out_of) in into.iter_mut().zip(out_of) {
            *into = if into.is_nan() { f64::NAN } else { share(*into, *out_of) };
        }
    }
}

/// Money that flowed in and out at a typical price.
#[inline(always)]
fn money(typical: f64, previous: f64, volume: f64) -> [f64; 2] {
    let change = typical - previous;
    let least = 1e-14 * (typical.abs() + previous.abs());
    // Directions are a coin toss to the branch predictor: compute instead of deciding.
    let flow = typical * volume;
    [if change > least { flow } else { 0.0 }, if change < -least { flow } else { 0.0 }]
}

/// Money in as a share of all, in percent.
#[inline(always)]
fn share(into: f64, out_of: f64) -> f64 {
    // A sum that was moved along may end a rounding error away from zero.
    let (into, out_of) = (larger(into, 0.0), larger(out_of, 0.0));
    let total = into + out_of;
    if total > 0.0 { 100.0 * (into / total) } else { 0.0 }
}
