//! The straight line of least squares through a window, and what is read off it.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::atr::TrueRange;
use super::{Marker, formulas};
use crate::filter::{Filter, Mean, ratio};
use crate::indicator::{Group, Indicator, Output, Pane, Param, Spec};
use crate::ohlcv::Ohlcv;
use crate::window::{Line, Moments, Range};

/// One number read off the line.
pub trait LineFormula: Marker {
    const SPEC: Spec;
    /// `mean` and `slope` of the line through `length` values.
    fn of(mean: f64, slope: f64, length: f64) -> f64;
}

formulas! { LinReg, Slope, Intercept, Angle, Forecast }

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Regression<F> {
    line: Line,
    formula: PhantomData<F>,
}

impl<F: LineFormula> Indicator for Regression<F> {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = F::SPEC;

    fn new(params: &[f64]) -> Self {
        Self { line: Line::new(params[0] as usize), formula: PhantomData }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        [self.line.push(value).map_or(f64::NAN, |(mean, slope)| F::of(mean, slope, self.line.length()))]
    }
}

macro_rules! lines {
    ($($formula:ident, $name:literal, $title:literal, $pane:ident, $doc:literal, $source:literal, $of:expr;)+) => {$(
        impl LineFormula for $formula {
            const SPEC: Spec = Spec { pane: Pane::$pane, ..Spec::new($name, $title, Group::Statistics) }
                .params(&[Param::period("length", 14, 2)])
                .doc($doc, $source);
            #[inline(always)]
            fn of(mean: f64, slope: f64, length: f64) -> f64 {
                ($of)(mean, slope, length)
            }
        }
    )+};
}

lines! {
    LinReg, "linreg", "Linear regression (least squares moving average)", Overlay,
        "The last point of the line of least squares through the newest `length` values. Also known as LSMA.",
        "TA-Lib LINEARREG, TradingView ta.linreg", |mean: f64, slope: f64, length: f64| mean + slope * (0.5 * (length - 1.0));
    Slope, "linreg_slope", "Linear regression slope", Own,
        "The slope per candle of the line of least squares through the newest `length` values.",
        "TA-Lib LINEARREG_SLOPE", |_, slope: f64, _| slope;
    Intercept, "linreg_intercept", "Linear regression intercept", Overlay,
        "The first point of the line of least squares through the newest `length` values.",
        "TA-Lib LINEARREG_INTERCEPT", |mean: f64, slope: f64, length: f64| mean - slope * (0.5 * (length - 1.0));
    Angle, "linreg_angle", "Linear regression angle", Own,
        "The angle in degrees of the line of least squares through the newest `length` values, a candle being as wide as one \
         unit of the price is high.", "TA-Lib LINEARREG_ANGLE",
        |_, slope: f64, _| libm::atan(slope) * (180.0 / std::f64::consts::PI);
    Forecast, "tsf", "Time series forecast", Overlay,
        "The line of least squares through the newest `length` values, one candle further.", "TA-Lib TSF",
        |mean: f64, slope: f64, length: f64| mean + slope * (0.5 * (length + 1.0));
}

/// The forecast oscillator: how far the value is from what the line through those before it foretold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fosc {
    line: Line,
    forecast: Option<f64>,
}

impl Indicator for Fosc {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("fosc", "Forecast oscillator", Group::Momentum)
        .guides(&[0.0])
        .params(&[Param::period("length", 5, 2)])
        .doc(
            "The value's distance from the last candle's tsf, in percent of the value; 0 where that is 0.",
            "TA-Lib FOSC (Chande)",
        );

    fn new(params: &[f64]) -> Self {
        Self { line: Line::new(params[0] as usize), forecast: None }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        let next = self.line.push(value).map(|(mean, slope)| Forecast::of(mean, slope, self.line.length()));
        match std::mem::replace(&mut self.forecast, next) {
            Some(forecast) => [ratio(100.0 * (value - forecast), value, 0.0)],
            None => [f64::NAN],
        }
    }
}

/// Squeeze momentum: whether the Bollinger bands are inside a Keltner channel, and where the price leans.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Squeeze {
    range: Range,
    moments: Moments,
    mean: Mean,
    true_range: TrueRange,
    width: Mean,
    line: Line,
    deviations: f64,
}

impl Indicator for Squeeze {
    type Input = Ohlcv;
    type Output = [f64; 2];
    const SPEC: Spec = Spec::new("squeeze", "Squeeze momentum", Group::Volatility).guides(&[0.0])
        .params(&[
            Param::period("length", 20, 2),
            Param::number("deviations", 2.0, 0.001, 50.0),
            Param::period("kc_length", 20, 2),
        ])
        .outputs(&[
            Output::new("", "Momentum"),
            Output::new("state", "Squeeze"),
        ])
        .doc("The momentum is linreg over `kc_length` of the close − the mean of midprice and sma over as many candles. The \
              state says how tightly the Bollinger bands lie inside a channel of mean true ranges around the mean: 3 within one \
              range, 2 within 1.5, 1 within 2, −1 outside of 2 on both sides, else 0.", "TA-Lib SQZMOM (Carter 2005, LazyBear)");

    fn new(params: &[f64]) -> Self {
        let length = params[2] as u32;
        Self {
            range: Range::new(length),
            moments: Moments::new(params[0] as usize),
            mean: Mean::new(length),
            true_range: TrueRange::new(),
            width: Mean::new(length),
            line: Line::new(length as usize),
            deviations: params[1],
        }
    }
    fn warm_up(params: &[f64]) -> usize {
        let (length, channel) = (params[0] as usize, params[2] as usize);
        (length - 1).max(2 * (channel - 1)).max(channel)
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 2] {
        let close = candle.close;
        let moments = self.moments.push(close);
        let center = self.mean.push(close);
        let width = self.width.feed(self.true_range.push(&candle));
        let Some((high, low)) = self.range.push(candle.high, candle.low) else { return [f64::NAN; 2] };
        let lean = self.line.push(close - 0.5 * (0.5 * (high + low) + center));
        let (Some((mean, slope)), Some((basis, variance))) = (lean, moments) else { return [f64::NAN; 2] };
        if width.is_nan() {
            return [f64::NAN; 2];
        }
        let distance = variance.sqrt() * self.deviations;
        let (upper, lower) = (basis + distance, basis - distance);
        let inside = |factor: f64| lower > center - factor * width && upper < center + factor * width;
        let state = if inside(1.0) {
            3.0
        } else if inside(1.5) {
            2.0
        } else if inside(2.0) {
            1.0
        } else if lower < center - 2.0 * width && upper > center + 2.0 * width {
            -1.0
        } else {
            0.0
        };
        [LinReg::of(mean, slope, self.line.length()), state]
    }
}
