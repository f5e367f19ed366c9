//! Averages that follow faster when the price moves with purpose, and the measures of that purpose.

use serde::{Deserialize, Serialize};

use crate::filter::{Filter, Lag};
use crate::indicator::{Group, Indicator, Param, Spec, lengths};
use crate::ohlcv::Ohlcv;
use crate::window::{MovingSum, Range};

/// Net change over the path walked: 1 for a straight line, near 0 for noise; 1 where nothing has moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Efficiency {
    lag: Lag,
    path: MovingSum,
    previous: Option<f64>,
}

impl Efficiency {
    fn new(length: u32) -> Self {
        Self { lag: Lag::new(length), path: MovingSum::new(length as usize), previous: None }
    }
}

impl Filter for Efficiency {
    #[inline(always)]
    fn push(&mut self, value: f64) -> f64 {
        let before = self.lag.push(value);
        let Some(previous) = self.previous.replace(value) else { return f64::NAN };
        let Some(path) = self.path.push((value - previous).abs()) else { return f64::NAN };
        let change = value - before;
        if path <= 0.0 || path <= change { 1.0 } else { (change / path).abs().min(1.0) }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Er(Efficiency);

impl Indicator for Er {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("er", "Efficiency ratio", Group::Momentum)
        .params(&[Param::period("length", 10, 2)])
        .doc("|value − value `length` candles ago| / Σ |change from candle to candle|: 1 is a straight line, near 0 noise; 1 \
              where nothing has moved.", "TA-Lib ER (Kaufman 1995)");

    fn new(params: &[f64]) -> Self {
        Self(Efficiency::new(params[0] as u32))
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        [self.0.push(value)]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kama {
    efficiency: Efficiency,
    value: f64,
}

impl Indicator for Kama {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::overlay("kama", "Kaufman adaptive moving average", Group::Overlap)
        .params(&[Param::period("length", 10, 2)])
        .recursive()
        .doc("kama += c² × (value − kama), where c goes from 2/31 (a slow EMA) to 2/3 (a fast one) with the efficiency ratio \
              over `length` candles. Begins at the value before its first.", "TA-Lib KAMA (Kaufman 1995)");

    fn new(params: &[f64]) -> Self {
        Self { efficiency: Efficiency::new(params[0] as u32), value: 0.0 }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        const SLOW: f64 = 2.0 / 31.0;
        let efficiency = self.efficiency.push(value);
        if efficiency.is_nan() {
            self.value = value;
            return [f64::NAN];
        }
        let weight = efficiency * (2.0 / 3.0 - SLOW) + SLOW;
        self.value += weight * weight * (value - self.value);
        [self.value]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vhf {
    range: Range,
    path: MovingSum,
    previous: Option<f64>,
}

impl Indicator for Vhf {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("vhf", "Vertical horizontal filter", Group::Momentum)
        .params(&[Param::period("length", 28, 2)])
        .doc("(highest − lowest of `length` values) / Σ |change from candle to candle| over the same candles; high in a trend, \
              low in a range.", "TA-Lib VHF (White 1991)");

    fn new(params: &[f64]) -> Self {
        let [length] = lengths(params);
        Self { range: Range::new(length), path: MovingSum::new(length as usize), previous: None }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        let range = self.range.push(value, value);
        let Some(previous) = self.previous.replace(value) else { return [f64::NAN] };
        match (range, self.path.push((value - previous).abs())) {
            (Some((high, low)), Some(path)) => [if path > 0.0 { (high - low) / path } else { 0.0 }],
            _ => [f64::NAN],
        }
    }
}

/// Sums of rises and falls over a window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Balance {
    rises: MovingSum,
    falls: MovingSum,
    previous: Option<f64>,
}

impl Balance {
    pub(crate) fn new(length: u32) -> Self {
        Self { rises: MovingSum::new(length as usize), falls: MovingSum::new(length as usize), previous: None }
    }
    /// (rises − falls) / (rises + falls) over what the window holds so far, and whether it is full; 0 where nothing
    /// has moved.
    #[inline(always)]
    pub(crate) fn push(&mut self, value: f64) -> (f64, bool) {
        let Some(previous) = self.previous.replace(value) else { return (0.0, false) };
        let change = value - previous;
        let rise = change.max(0.0);
        let full = self.rises.push(rise).is_some();
        self.falls.push(rise - change);
        // A sum that was moved along may end a rounding error away from zero.
        let (rises, falls) = (self.rises.so_far().max(0.0), self.falls.so_far().max(0.0));
        let total = rises + falls;
        (if total > 0.0 { (rises - falls) / total } else { 0.0 }, full)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cmou(Balance);

impl Indicator for Cmou {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("cmou", "Chande momentum oscillator, unsmoothed", Group::Momentum)
        .params(&[Param::period("length", 9, 1)])
        .doc("100 × (Σ rises − Σ falls) / (Σ rises + Σ falls) over `length` changes, as Chande defined it and TradingView's \
              ta.cmo computes it; 0 where nothing has moved. For TA-Lib's smoothed one see cmo.", "TA-Lib CMOU (Chande 1994)");

    fn new(params: &[f64]) -> Self {
        Self(Balance::new(params[0] as u32))
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        let (balance, full) = self.0.push(value);
        [if full { 100.0 * balance } else { f64::NAN }]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vidya {
    balance: Balance,
    weight: f64,
    value: Option<f64>,
}

impl Indicator for Vidya {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::overlay("vidya", "Variable index dynamic average", Group::Overlap)
        .params(&[Param::period("length", 12, 1), Param::period("cmo_length", 9, 1)])
        .recursive()
        .doc("An EMA whose weight 2 / (length + 1) is multiplied by |Chande's momentum| over `cmo_length` changes. Begins at \
              the first value.", "TA-Lib VIDYA (Chande 1992)");

    fn new(params: &[f64]) -> Self {
        Self { balance: Balance::new(params[1] as u32), weight: 2.0 / (params[0] + 1.0), value: None }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[1] as usize
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        let (balance, full) = self.balance.push(value);
        let average = self.value.get_or_insert(value);
        *average += self.weight * balance.abs() * (value - *average);
        [if full { *average } else { f64::NAN }]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Frama {
    newer: Range,
    high: Lag,
    low: Lag,
    value: Option<f64>,
}

impl Indicator for Frama {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::overlay("frama", "Fractal adaptive moving average", Group::Overlap)
        .params(&[Param::period("length", 16, 4)])
        .recursive()
        .doc("An EMA of (high + low) / 2 with weight exp(−4.6 × (D − 1)), where D is the fractal dimension of the two halves \
              of the newest `length` candles (an odd length counts as one less).", "TA-Lib FRAMA (Ehlers 2005)");

    fn new(params: &[f64]) -> Self {
        let half = params[0] as u32 / 2;
        Self { newer: Range::new(half), high: Lag::new(half), low: Lag::new(half), value: None }
    }
    fn warm_up(params: &[f64]) -> usize {
        2 * (params[0] as usize / 2)
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        let price = candle.median();
        let Some((high, low)) = self.newer.push(candle.high, candle.low) else { return [f64::NAN] };
        let (old_high, old_low) = (self.high.push(high), self.low.push(low));
        if old_high.is_nan() {
            return [f64::NAN];
        }
        let Some(value) = &mut self.value else {
            self.value = Some(price);
            return [f64::NAN];
        };
        let parts = (high - low) + (old_high - old_low);
        let whole = high.max(old_high) - low.min(old_low);
        if high > low && old_high > old_low && parts > whole {
            let weight = libm::exp(-4.6 / std::f64::consts::LN_2 * libm::log(parts / whole));
            *value += weight * (price - *value);
        } else {
            *value = price;
        }
        [*value]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct McGinley {
    value: Option<f64>,
    length: f64,
    seen: u32,
}

impl Indicator for McGinley {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::overlay("mcginley", "McGinley dynamic", Group::Overlap)
        .params(&[Param::period("length", 14, 1)])
        .recursive()
        .doc("md += (value − md) / (length × (value / md)⁴), beginning at the first value; a step without a finite result is \
              left out.", "TA-Lib MCGD (McGinley 1990)");

    fn new(params: &[f64]) -> Self {
        Self { value: None, length: params[0], seen: 0 }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        let average = self.value.get_or_insert(value);
        let ratio = value / *average;
        let square = ratio * ratio;
        let next = *average + (value - *average) / (self.length * (square * square));
        if next.is_finite() {
            *average = next;
        }
        let result = *average;
        if self.seen + 1 < self.length as u32 {
            self.seen += 1;
            return [f64::NAN];
        }
        [result]
    }
}
