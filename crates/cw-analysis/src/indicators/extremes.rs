//! The highest and the lowest of a window, and where they are.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::stoch::position;
use super::{Marker, formulas};
use crate::filter::{Filter, Lag, Mean, ratio};
use crate::indicator::{CHUNK, Group, Indicator, Input, Out, Output, Param, Rows, Spec, lengths, row_by_row};
use crate::ohlcv::Ohlcv;
use crate::wide::wide;
use crate::window::{Dated, Extreme, Range};

/// The highest of a window if `HIGHEST`, else the lowest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OneSide<const HIGHEST: bool>(Extreme<HIGHEST>);

/// How long ago it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BarsSince<const HIGHEST: bool>(Dated<HIGHEST>);

const SIDE: &[Param] = &[Param::period("length", 20, 1)];

macro_rules! one_sided {
    ($($type:ty, $window:ident, $highest_spec:expr, $lowest_spec:expr, |$state:ident, $value:ident| $of:expr;)+) => {$(
        impl<const HIGHEST: bool> Indicator for $type {
            type Input = f64;
            type Output = [f64; 1];
            const SPEC: Spec =
                if HIGHEST { $highest_spec } else { $lowest_spec }.params(SIDE);

            fn new(params: &[f64]) -> Self {
                Self($window::new(params[0] as usize))
            }
            fn warm_up(params: &[f64]) -> usize {
                params[0] as usize - 1
            }
            #[inline(always)]
            fn update(&mut self, $value: f64) -> [f64; 1] {
                let $state = &mut self.0;
                [$of.unwrap_or(f64::NAN)]
            }
        }
    )+};
}

one_sided! {
    OneSide<HIGHEST>, Extreme, Spec::overlay("highest", "Highest value", Group::Overlap).doc(
        "The largest of the newest `length` values. For a breakout take the candles before this one: `highest(high, 20)[1]`.",
        "TA-Lib MAX"),
        Spec::overlay("lowest", "Lowest value", Group::Overlap).doc(
        "The smallest of the newest `length` values. For a breakdown take the candles before this one: `lowest(low, 20)[1]`.",
        "TA-Lib MIN"), |state, value| state.push(value);
    BarsSince<HIGHEST>, Dated, Spec::new("highest_bars", "Candles since the highest value", Group::Statistics).doc(
        "How many candles ago the largest of the newest `length` values was, the newest of equals: 0 is this one.",
        "TA-Lib MAXINDEX, as a distance"),
        Spec::new("lowest_bars", "Candles since the lowest value", Group::Statistics).doc(
        "How many candles ago the smallest of the newest `length` values was, the newest of equals: 0 is this one.",
        "TA-Lib MININDEX, as a distance"), |state, value| state.push(value).map(|_| f64::from(state.age()));
}

formulas! { MidPoint, MidPrice, Wpr }

/// One number made of both extremes.
pub trait RangeFormula: Marker {
    const SPEC: Spec;
    type Input: Input;
    /// High and low of the input.
    fn sides(input: Self::Input) -> (f64, f64);
    /// The same of a chunk, if all of it is usable.
    fn columns<'a>(rows: &Rows<'a>) -> Option<[&'a [f64]; 2]>;
    fn of(input: Self::Input, high: f64, low: f64) -> f64;
    /// The same of a chunk, whose highest values are in `column`; NaN, while warming up, stays.
    fn all(rows: &Rows<'_>, column: &mut [f64], lowest: &[f64]) {
        let candles = rows.candles.of_one_length();
        for (row, (value, low)) in column.iter_mut().zip(lowest).enumerate() {
            let input = Self::Input::pick_row(&candles, rows.values, row);
            *value = if value.is_nan() { f64::NAN } else { Self::of(input, *value, *low) };
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ranged<F> {
    range: Range,
    formula: PhantomData<F>,
}

impl<F: RangeFormula> Indicator for Ranged<F> {
    type Input = F::Input;
    type Output = [f64; 1];
    const SPEC: Spec = F::SPEC;

    fn new(params: &[f64]) -> Self {
        Self { range: Range::new(params[0] as u32), formula: PhantomData }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, input: F::Input) -> [f64; 1] {
        let (high, low) = F::sides(input);
        [self.range.push(high, low).map_or(f64::NAN, |(high, low)| F::of(input, high, low))]
    }
    fn batch(&mut self, rows: Rows<'_>, out: Out<'_>) {
        let Some([highs, lows]) = F::columns(&rows) else { return row_by_row(self, rows, out) };
        let ([column], mut lowest) = (out.columns(), [0.0; CHUNK]);
        let lowest = &mut lowest[..highs.len()];
        self.range.run(highs, lows, column, lowest);
        F::all(&rows, column, lowest);
    }
}

impl RangeFormula for MidPoint {
    const SPEC: Spec = Spec::overlay("midpoint", "Midpoint", Group::Overlap)
        .params(&[Param::period("length", 14, 1)])
        .doc("(highest + lowest) / 2 of the newest `length` values.", "TA-Lib MIDPOINT");
    type Input = f64;
    #[inline(always)]
    fn sides(value: f64) -> (f64, f64) {
        (value, value)
    }
    fn columns<'a>(rows: &Rows<'a>) -> Option<[&'a [f64]; 2]> {
        rows.series().map(|series| [series; 2])
    }
    #[inline(always)]
    fn of(_: f64, high: f64, low: f64) -> f64 {
        0.5 * (high + low)
    }
}

impl RangeFormula for MidPrice {
    const SPEC: Spec = Spec::overlay("midprice", "Midpoint price", Group::Overlap)
        .params(&[Param::period("length", 14, 1)])
        .doc("(highest high + lowest low) / 2 of the newest `length` candles.", "TA-Lib MIDPRICE");
    type Input = Ohlcv;
    #[inline(always)]
    fn sides(candle: Ohlcv) -> (f64, f64) {
        (candle.high, candle.low)
    }
    fn columns<'a>(rows: &Rows<'a>) -> Option<[&'a [f64]; 2]> {
        Some([rows.candles.high, rows.candles.low])
    }
    #[inline(always)]
    fn of(_: Ohlcv, high: f64, low: f64) -> f64 {
        0.5 * (high + low)
    }
}

impl RangeFormula for Wpr {
    const SPEC: Spec = Spec::new("wpr", "Williams %R", Group::Momentum).guides(&[-80.0, -20.0])
        .params(&[Param::period("length", 14, 2)])
        .doc("How far the close is below the highest high of `length` candles, in percent of their range: −100 to 0; 0 where \
              nothing has moved.", "TA-Lib WILLR (Williams)");
    type Input = Ohlcv;
    #[inline(always)]
    fn sides(candle: Ohlcv) -> (f64, f64) {
        (candle.high, candle.low)
    }
    fn columns<'a>(rows: &Rows<'a>) -> Option<[&'a [f64]; 2]> {
        Some([rows.candles.high, rows.candles.low])
    }
    #[inline(always)]
    fn of(candle: Ohlcv, high: f64, low: f64) -> f64 {
        // Measured from the top, so that the rounding is the original's.
        position(-candle.close, -high, -low).map_or(0.0, |position| position * -100.0)
    }
    fn all(rows: &Rows<'_>, column: &mut [f64], lowest: &[f64]) {
        below_top(column, lowest, rows.candles.close);
    }
}

wide! {
    fn below_top(highest: &mut [f64], lowest: &[f64], closes: &[f64]) {
        for ((high, low), close) in highest.iter_mut().zip(lowest).zip(closes) {
            let below = position(-*close, -*high, -*low).map_or(0.0, |position| position * -100.0);
            *high = if high.is_nan() { f64::NAN } else { below };
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Donchian(Range);

impl Indicator for Donchian {
    type Input = Ohlcv;
    type Output = [f64; 3];
    const SPEC: Spec = Spec::overlay("donchian", "Donchian channel", Group::Overlap)
        .params(&[Param::period("length", 20, 1)])
        .outputs(&[Output::new("upper", "Upper"), Output::new("middle", "Middle"), Output::new("lower", "Lower")])
        .doc("The highest high and the lowest low of the newest `length` candles, and their mean.", "TA-Lib DONCHIAN");

    fn new(params: &[f64]) -> Self {
        Self(Range::new(params[0] as u32))
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 3] {
        match self.0.push(candle.high, candle.low) {
            Some((upper, lower)) => [upper, 0.5 * (upper + lower), lower],
            None => [f64::NAN; 3],
        }
    }
    fn batch(&mut self, rows: Rows<'_>, out: Out<'_>) {
        let [upper, middle, lower] = out.columns();
        self.0.run(rows.candles.high, rows.candles.low, upper, lower);
        for ((upper, middle), lower) in upper.iter().zip(middle).zip(lower) {
            *middle = 0.5 * (*upper + *lower);
        }
    }
}

/// How long ago the extremes of `length` + 1 candles were: 100 is now, 0 is `length` candles ago.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Aroon {
    highest: Dated<true>,
    lowest: Dated<false>,
    length: f64,
}

impl Aroon {
    #[inline(always)]
    fn sides(&mut self, candle: &Ohlcv) -> [f64; 2] {
        let (Some(_), Some(_)) = (self.highest.push(candle.high), self.lowest.push(candle.low)) else {
            return [f64::NAN; 2];
        };
        let place = |age: u32| 100.0 * (self.length - f64::from(age)) / self.length;
        [place(self.highest.age()), place(self.lowest.age())]
    }
}

impl Indicator for Aroon {
    type Input = Ohlcv;
    type Output = [f64; 2];
    const SPEC: Spec = Spec::new("aroon", "Aroon", Group::Momentum)
        .params(&[Param::period("length", 14, 1)])
        .outputs(&[Output::new("up", "Aroon up"), Output::new("down", "Aroon down")])
        .doc("How long ago the highest high and the lowest low of `length` + 1 candles were, the newest of equals: 100 is this \
              candle, 0 is `length` candles ago.", "TA-Lib AROON (Chande 1995)");

    fn new(params: &[f64]) -> Self {
        let span = params[0] as usize + 1;
        Self { highest: Dated::new(span), lowest: Dated::new(span), length: params[0] }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 2] {
        self.sides(&candle)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AroonOscillator(Aroon);

impl Indicator for AroonOscillator {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("aroonosc", "Aroon oscillator", Group::Momentum)
        .guides(&[-50.0, 50.0])
        .params(&[Param::period("length", 14, 1)])
        .doc(
            "Aroon up − Aroon down: 100 where the high is new and the low old, −100 the other way round.",
            "TA-Lib AROONOSC",
        );

    fn new(params: &[f64]) -> Self {
        Self(Aroon::new(params))
    }
    fn warm_up(params: &[f64]) -> usize {
        Aroon::warm_up(params)
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        let [up, down] = self.0.sides(&candle);
        [up - down]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ichimoku {
    conversion: Range,
    base: Range,
    slow: Range,
    span_a: Lag,
    span_b: Lag,
}

impl Indicator for Ichimoku {
    type Input = Ohlcv;
    type Output = [f64; 4];
    const SPEC: Spec = Spec::overlay("ichimoku", "Ichimoku cloud", Group::Overlap)
        .params(&[
            Param::period("conversion", 9, 1),
            Param::period("base", 26, 1),
            Param::period("span", 52, 1),
            Param::period("displacement", 26, 1),
        ])
        .outputs(&[
            Output::new("conversion", "Conversion line"),
            Output::new("base", "Base line"),
            Output::new("span_a", "Leading span A"),
            Output::new("span_b", "Leading span B"),
        ])
        .doc("Middles of the range of `conversion` and `base` candles, and the cloud over this candle: the mean of both lines \
              and the middle of `span` candles, as they were `displacement` − 1 candles ago, which is where a chart draws them. \
              With displacement 1 they are those of this candle, as TA-Lib gives them. The lagging line is the close.",
            "TA-Lib ICHIMOKU, TradingView's displacement (Hosoda)");

    fn new(params: &[f64]) -> Self {
        let [conversion, base, slow, displacement] = lengths(params);
        Self {
            conversion: Range::new(conversion),
            base: Range::new(base),
            slow: Range::new(slow),
            span_a: Lag::new(displacement - 1),
            span_b: Lag::new(displacement - 1),
        }
    }
    fn warm_up(params: &[f64]) -> usize {
        let [conversion, base, slow, displacement] = lengths(params);
        (conversion.max(base).max(slow) - 1 + displacement - 1) as usize
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 4] {
        let middle =
            |range: &mut Range| range.push(candle.high, candle.low).map_or(f64::NAN, |(high, low)| 0.5 * (high + low));
        let (conversion, base) = (middle(&mut self.conversion), middle(&mut self.base));
        let (span_a, span_b) = (0.5 * (conversion + base), middle(&mut self.slow));
        [conversion, base, self.span_a.push(span_a), self.span_b.push(span_b)]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fisher {
    range: Range,
    smoothed: f64,
    value: f64,
}

impl Indicator for Fisher {
    type Input = Ohlcv;
    type Output = [f64; 2];
    const SPEC: Spec = Spec::new("fisher", "Fisher transform", Group::Momentum)
        .params(&[Param::period("length", 9, 2)])
        .outputs(&[Output::new("", "Fisher"), Output::new("trigger", "Trigger")])
        .recursive()
        .doc("½ ln((1 + x) / (1 − x)) plus half of its last value, where x is the smoothed place of (high + low) / 2 in its \
              range over `length` candles, −0.999 to 0.999. The trigger is the value before.", "TA-Lib FISHER (Ehlers 2002)");

    fn new(params: &[f64]) -> Self {
        Self { range: Range::new(params[0] as u32), smoothed: 0.0, value: 0.0 }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 2] {
        let price = candle.median();
        let Some((high, low)) = self.range.push(price, price) else { return [f64::NAN; 2] };
        let place = position(price, low, high).unwrap_or(0.5);
        self.smoothed = 0.67 * self.smoothed + 0.66 * (place - 0.5);
        if self.smoothed.abs() > 0.99 {
            self.smoothed = 0.999f64.copysign(self.smoothed);
        }
        let before = self.value;
        self.value = 0.5 * libm::log((1.0 + self.smoothed) / (1.0 - self.smoothed)) + 0.5 * before;
        [self.value, before]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ulcer {
    highest: Extreme<true>,
    squares: Mean,
}

impl Indicator for Ulcer {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("ulcer", "Ulcer index", Group::Volatility)
        .params(&[Param::period("length", 14, 1)])
        .doc("The square root of the mean square of the drop from the highest of `length` values, in percent, over as many \
              candles; 0 where the highest is 0.", "Martin 1987");

    fn new(params: &[f64]) -> Self {
        let [length] = lengths(params);
        Self { highest: Extreme::new(length as usize), squares: Mean::new(length) }
    }
    fn warm_up(params: &[f64]) -> usize {
        2 * (params[0] as usize - 1)
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        let Some(highest) = self.highest.push(value) else { return [f64::NAN] };
        let drop = ratio(100.0 * (value - highest), highest, 0.0);
        [self.squares.push(drop * drop).sqrt()]
    }
}
