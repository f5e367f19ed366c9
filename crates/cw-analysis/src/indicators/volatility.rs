//! How much prices move: estimators from ranges, and what compares ranges.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::atr::{TrueRange, true_range};
use super::{Marker, formulas};
use crate::filter::{Filter, Lag, Mean, Smoothing, ratio};
use crate::indicator::{Group, Indicator, Param, Spec, lengths};
use crate::ohlcv::Ohlcv;
use crate::window::{Moments, MovingSum, Range};

/// A variance that one candle gives by itself.
pub trait CandleVariance: Marker {
    const SPEC: Spec;
    fn of(candle: &Ohlcv) -> f64;
}

formulas! { Parkinson, GarmanKlass, RogersSatchell }

const PARAMS: &[Param] = &[Param::period("length", 10, 2), Param::number("per_year", 252.0, 1.0, 1e7)];

/// The square root of the mean variance of `length` candles times their number per year.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimated<F> {
    variance: Mean,
    per_year: f64,
    formula: PhantomData<F>,
}

impl<F: CandleVariance> Indicator for Estimated<F> {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = F::SPEC;

    fn new(params: &[f64]) -> Self {
        Self { variance: Mean::new(params[0] as u32), per_year: params[1], formula: PhantomData }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        let prices = [candle.open, candle.high, candle.low, candle.close];
        let variance = if prices.iter().all(|price| *price > 0.0) { F::of(&candle) } else { 0.0 };
        [root(self.variance.push(variance) * self.per_year)]
    }
}

/// The square root, 0 of what rounding left below it; NaN stays.
#[inline]
fn root(variance: f64) -> f64 {
    if variance < 0.0 { 0.0 } else { variance.sqrt() }
}

impl CandleVariance for Parkinson {
    const SPEC: Spec = Spec::new("parkinson", "Parkinson volatility", Group::Volatility).params(PARAMS).doc(
        "√(mean of ln²(high / low) / (4 ln 2) × per_year) over `length` candles, as a fraction. A candle without positive \
         prices counts as 0.",
        "Parkinson 1980",
    );
    #[inline(always)]
    fn of(candle: &Ohlcv) -> f64 {
        let range = libm::log(candle.high / candle.low);
        range * range / (4.0 * std::f64::consts::LN_2)
    }
}

impl CandleVariance for GarmanKlass {
    const SPEC: Spec = Spec::new("garman_klass", "Garman–Klass volatility", Group::Volatility).params(PARAMS).doc(
        "√(mean of ½ ln²(high / low) − (2 ln 2 − 1) ln²(close / open) × per_year) over `length` candles, as a fraction. A \
         candle without positive prices counts as 0.",
        "Garman, Klass 1980",
    );
    #[inline(always)]
    fn of(candle: &Ohlcv) -> f64 {
        let (range, body) = (libm::log(candle.high / candle.low), libm::log(candle.close / candle.open));
        0.5 * range * range - (2.0 * std::f64::consts::LN_2 - 1.0) * body * body
    }
}

impl CandleVariance for RogersSatchell {
    const SPEC: Spec = Spec::new("rogers_satchell", "Rogers–Satchell volatility", Group::Volatility).params(PARAMS).doc(
        "√(mean of ln(h/c) ln(h/o) + ln(l/c) ln(l/o) × per_year) over `length` candles, as a fraction; a trend does not \
         bias it. A candle without positive prices counts as 0.",
        "TA-Lib ROGERSSATCHELL (1991)",
    );
    #[inline(always)]
    fn of(candle: &Ohlcv) -> f64 {
        let Ohlcv { open, high, low, close, .. } = *candle;
        libm::log(high / close) * libm::log(high / open) + libm::log(low / close) * libm::log(low / open)
    }
}

/// Three variances: over night, from open to close, and within the candle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct YangZhang {
    night: Moments,
    day: Moments,
    within: Mean,
    previous_close: Option<f64>,
    per_year: f64,
    /// Weight of the day's variance; n / (n − 1).
    weight: f64,
    sample: f64,
}

impl Indicator for YangZhang {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("yang_zhang", "Yang–Zhang volatility", Group::Volatility).params(PARAMS).doc(
        "√((V(ln(open / last close)) + k V(ln(close / open)) + (1 − k) RS) × per_year) over `length` candles, as a fraction: V is \
         the sample variance, RS as in rogers_satchell, k = 0.34 / (1.34 + (n + 1) / (n − 1)). A candle without positive prices \
         counts as unmoved.",
        "Yang, Zhang 2000",
    );

    fn new(params: &[f64]) -> Self {
        let n = params[0];
        Self {
            night: Moments::new(n as usize),
            day: Moments::new(n as usize),
            within: Mean::new(n as u32),
            previous_close: None,
            per_year: params[1],
            weight: 0.34 / (1.34 + (n + 1.0) / (n - 1.0)),
            sample: n / (n - 1.0),
        }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        let Some(previous) = self.previous_close.replace(candle.close) else { return [f64::NAN] };
        let prices = [candle.open, candle.high, candle.low, candle.close, previous];
        let (mut night, mut day, mut within) = (0.0, 0.0, 0.0);
        if prices.iter().all(|price| *price > 0.0) {
            night = libm::log(candle.open / previous);
            day = libm::log(candle.close / candle.open);
            within = RogersSatchell::of(&candle);
        }
        let within = self.within.push(within);
        let (Some((_, night)), Some((_, day))) = (self.night.push(night), self.day.push(day)) else {
            return [f64::NAN];
        };
        let variance = self.sample * (night + self.weight * day) + (1.0 - self.weight) * within;
        [root(variance * self.per_year)]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoricalVolatility {
    returns: Moments,
    previous: Option<f64>,
    scale: f64,
}

impl Indicator for HistoricalVolatility {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("hv", "Historical volatility", Group::Volatility).params(PARAMS).doc(
        "The sample standard deviation of `length` logarithmic changes × √per_year, as a fraction. A change that is not between \
         positive values counts as 0.",
        "Close-to-close volatility, as TradingView's Historical Volatility",
    );

    fn new(params: &[f64]) -> Self {
        let scale = params[1] * params[0] / (params[0] - 1.0);
        Self { returns: Moments::new(params[0] as usize), previous: None, scale }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        let Some(previous) = self.previous.replace(value) else { return [f64::NAN] };
        let change = if value > 0.0 && previous > 0.0 { libm::log(value / previous) } else { 0.0 };
        [self.returns.push(change).map_or(f64::NAN, |(_, variance)| (variance * self.scale).sqrt())]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chop {
    range: Range,
    path: MovingSum,
    true_range: TrueRange,
    scale: f64,
}

impl Indicator for Chop {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("chop", "Choppiness index", Group::Volatility).guides(&[38.2, 61.8])
        .params(&[Param::period("length", 14, 2)])
        .doc("100 × log(Σ true range / (highest high − lowest low)) / log(length) over `length` candles: 100 goes nowhere, low \
              values are a trend. 100 where nothing has moved.", "TA-Lib CHOP (Dreiss)");

    fn new(params: &[f64]) -> Self {
        let [length] = lengths(params);
        Self {
            range: Range::new(length),
            path: MovingSum::new(length as usize),
            true_range: TrueRange::new(),
            scale: 100.0 / libm::log10(params[0]),
        }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        let range = self.range.push(candle.high, candle.low);
        let step = self.true_range.push(&candle);
        if step.is_nan() {
            return [f64::NAN];
        }
        match (range, self.path.push(step)) {
            (Some((high, low)), Some(path)) if path > 0.0 && high > low => {
                [libm::log10(path / (high - low)) * self.scale]
            }
            (Some(_), Some(_)) => [100.0],
            _ => [f64::NAN],
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cvi {
    average: Smoothing,
    lag: Lag,
}

impl Indicator for Cvi {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("cvi", "Chaikin volatility", Group::Volatility)
        .params(&[Param::period("length", 10, 1), Param::period("change", 10, 1)])
        .recursive()
        .doc(
            "The change in percent over `change` candles of the EMA of high − low; 0 where that was 0.",
            "TA-Lib CVI (Chaikin)",
        );

    fn new(params: &[f64]) -> Self {
        let [length, change] = lengths(params);
        Self { average: Smoothing::exponential(length), lag: Lag::new(change) }
    }
    fn warm_up(params: &[f64]) -> usize {
        (params[0] + params[1]) as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        let average = self.average.push(candle.high - candle.low);
        let before = self.lag.push(average);
        [ratio(100.0 * (average - before), before, 0.0)]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AverageDayRange(Mean);

impl Indicator for AverageDayRange {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("adr", "Average range", Group::Volatility)
        .params(&[Param::period("length", 14, 1)])
        .doc("The mean of high − low over `length` candles; on daily candles the average day range.", "TA-Lib ADR");

    fn new(params: &[f64]) -> Self {
        Self(Mean::new(params[0] as u32))
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        [self.0.push(candle.high - candle.low)]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MassIndex {
    once: Smoothing,
    twice: Smoothing,
    sum: MovingSum,
}

impl Indicator for MassIndex {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("massi", "Mass index", Group::Volatility)
        .params(&[Param::period("fast", 9, 1), Param::period("slow", 25, 1)])
        .recursive()
        .doc("Σ over `slow` candles of ema(high − low) / ema of that, both over `fast`; a ratio of nothing to nothing is 1.",
            "TA-Lib MASSI (Dorsey 1992)");

    fn new(params: &[f64]) -> Self {
        let [fast, slow] = lengths(params);
        let average = Smoothing::exponential(fast);
        Self { once: average.clone(), twice: average, sum: MovingSum::new(slow as usize) }
    }
    fn warm_up(params: &[f64]) -> usize {
        (2.0 * params[0] + params[1]) as usize - 3
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        let once = self.once.push(candle.high - candle.low);
        let twice = self.twice.feed(once);
        if twice.is_nan() {
            return [f64::NAN];
        }
        [self.sum.push(ratio(once, twice, 1.0)).unwrap_or(f64::NAN)]
    }
}

/// Dorsey's RSI of the standard deviation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RelativeVolatility {
    moments: Moments,
    up: Smoothing,
    down: Smoothing,
    previous: Option<f64>,
}

impl Indicator for RelativeVolatility {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("rvi", "Relative volatility index", Group::Volatility)
        .params(&[Param::period("length", 14, 1), Param::period("stddev_length", 10, 2)])
        .recursive()
        .doc("The share in percent of the standard deviation over `stddev_length` of the candles that rose in that of all that \
              moved, both smoothed by Wilder's average over `length`; 50 where nothing has moved.", "TA-Lib RVI (Dorsey 1993)");

    fn new(params: &[f64]) -> Self {
        let [length, deviation] = lengths(params);
        let average = Smoothing::wilder(length);
        Self { moments: Moments::new(deviation as usize), up: average.clone(), down: average, previous: None }
    }
    fn warm_up(params: &[f64]) -> usize {
        (params[0] + params[1]) as usize - 2
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        let previous = self.previous.replace(value);
        let (Some((_, variance)), Some(previous)) = (self.moments.push(value), previous) else { return [f64::NAN] };
        let deviation = variance.sqrt();
        let up = self.up.push(if value > previous { deviation } else { 0.0 });
        let down = self.down.push(if value < previous { deviation } else { 0.0 });
        [ratio(100.0 * up, up + down, 50.0)]
    }
}

/// Larry Williams' three lengths of buying pressure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UltOsc {
    pressure: [MovingSum; 3],
    range: [MovingSum; 3],
    previous_close: Option<f64>,
}

impl Indicator for UltOsc {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("ultosc", "Ultimate oscillator", Group::Momentum).guides(&[30.0, 70.0])
        .params(&[Param::period("short", 7, 1), Param::period("middle", 14, 1), Param::period("long", 28, 1)])
        .doc("The close's distance from the true low, summed, as a share of the summed true range, over three lengths; the \
              shortest counts four times, the middle one twice. 0 to 100; a length in which nothing has moved counts as 0.",
            "TA-Lib ULTOSC (Williams 1976)");

    fn new(params: &[f64]) -> Self {
        let mut sorted = [params[0], params[1], params[2]];
        sorted.sort_by(f64::total_cmp);
        let sums = sorted.map(|length| MovingSum::new(length as usize));
        Self { pressure: sums.clone(), range: sums, previous_close: None }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0].max(params[1]).max(params[2]) as usize
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        let Some(previous) = self.previous_close.replace(candle.close) else { return [f64::NAN] };
        let pressure = candle.close - candle.low.min(previous);
        let range = true_range(&candle, previous);
        let (mut total, mut known) = (0.0, true);
        let weights = [4.0, 2.0, 1.0];
        for ((pressures, ranges), weight) in self.pressure.iter_mut().zip(&mut self.range).zip(weights) {
            match (pressures.push(pressure), ranges.push(range)) {
                (Some(part), Some(whole)) => total += if whole > 0.0 { weight * (part / whole) } else { 0.0 },
                _ => known = false,
            }
        }
        [if known { 100.0 * (total / 7.0) } else { f64::NAN }]
    }
}
