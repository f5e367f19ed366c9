//! Moving averages chosen by number, and the oscillators made of two of them.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::adaptive::Kama;
use super::averages::{Chained, Dema, Ema, Rma, Sma, T3, Tema, Wma, Zlema};
use super::hilbert::Mama;
use super::weighted::{Hma, Trima};
use super::{Marker, formulas};
use crate::filter::{Filter, Lag};
use crate::indicator::{Group, Indicator, Output, Param, Spec, lengths};
use crate::ohlcv::Ohlcv;

/// Generates the averages, numbered as TA-Lib numbers them.
macro_rules! average {
    ($($number:literal $variant:ident($indicator:ty, |$length:ident| $params:expr)),+ $(,)?) => {
        /// A moving average of any kind.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub(crate) enum Average { $($variant($indicator)),+ }

        impl Average {
            pub(crate) fn new(kind: u32, length: u32) -> Self {
                match kind {
                    $($number => { let $length = f64::from(length); Self::$variant(<$indicator>::new(&$params)) })+
                    _ => Self::Sma(Sma::new(&[f64::from(length)])),
                }
            }
            pub(crate) fn warm_up(kind: u32, length: u32) -> usize {
                match kind {
                    $($number => { let $length = f64::from(length); <$indicator>::warm_up(&$params) })+
                    _ => length as usize - 1,
                }
            }
        }

        impl Filter for Average {
            #[inline(always)]
            fn push(&mut self, value: f64) -> f64 {
                match self { $(Self::$variant(state) => state.update(value)[0]),+ }
            }
        }
    };
}

average! {
    0 Sma(Sma, |length| [length]),
    1 Ema(Ema, |length| [length]),
    2 Wma(Wma, |length| [length]),
    3 Dema(Chained<Dema>, |length| [length]),
    4 Tema(Chained<Tema>, |length| [length]),
    5 Trima(Trima, |length| [length]),
    6 Kama(Kama, |length| [length]),
    7 Mama(Mama, |_length| [0.5, 0.05]),
    8 T3(Chained<T3>, |length| [length, 0.7]),
    9 Hma(Hma, |length| [length]),
    10 Rma(Rma, |length| [length]),
    11 Zlema(Zlema, |length| [length]),
}

/// The parameter that chooses an average.
const fn kind(name: &'static str, default: u32) -> Param {
    Param { name, default: default as f64, min: 0.0, max: 11.0, integer: true }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ma(Average);

impl Indicator for Ma {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::overlay("ma", "Moving average of any kind", Group::Overlap)
        .params(&[Param::period("length", 30, 2), kind("kind", 0)])
        .recursive()
        .doc("The moving average of that number: 0 SMA, 1 EMA, 2 WMA, 3 DEMA, 4 TEMA, 5 TRIMA, 6 KAMA, 7 MAMA, 8 T3, 9 HMA, \
              10 RMA, 11 ZLEMA. Recursive where that one is.", "TA-Lib MA (its numbers, up to 9)");

    fn new(params: &[f64]) -> Self {
        let [length, kind] = lengths(params);
        Self(Average::new(kind, length))
    }
    fn warm_up(params: &[f64]) -> usize {
        let [length, kind] = lengths(params);
        Average::warm_up(kind, length)
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        [self.0.push(value)]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VolumeMa(Average);

impl Indicator for VolumeMa {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("vol_ma", "Volume moving average", Group::Volume)
        .params(&[Param::period("length", 20, 2), kind("kind", 0)])
        .recursive()
        .doc("The moving average of the volume; `kind` is a number as in ma (0 SMA, 1 EMA, …). Recursive where that one is.",
            "TA-Lib MA of the volume");

    fn new(params: &[f64]) -> Self {
        Self(Ma::new(params).0)
    }
    fn warm_up(params: &[f64]) -> usize {
        Ma::warm_up(params)
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        [self.0.push(candle.volume)]
    }
}

/// The distance of a fast average from a slow one.
pub trait DistanceFormula: Marker {
    const SPEC: Spec;
    type Input: crate::indicator::Input;
    fn value(input: Self::Input) -> f64;
    fn of(fast: f64, slow: f64) -> f64;
}

formulas! { Apo, Ppo, Pvo }

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distance<F> {
    fast: Average,
    slow: Average,
    formula: PhantomData<F>,
}

const DISTANCE: &[Param] = &[Param::period("fast", 12, 2), Param::period("slow", 26, 2), kind("kind", 1)];

impl<F: DistanceFormula> Indicator for Distance<F> {
    type Input = F::Input;
    type Output = [f64; 1];
    const SPEC: Spec = F::SPEC;

    fn new(params: &[f64]) -> Self {
        let [a, b, kind] = lengths(params);
        Self { fast: Average::new(kind, a.min(b)), slow: Average::new(kind, a.max(b)), formula: PhantomData }
    }
    fn warm_up(params: &[f64]) -> usize {
        let [a, b, kind] = lengths(params);
        Average::warm_up(kind, a.max(b))
    }
    #[inline(always)]
    fn update(&mut self, input: F::Input) -> [f64; 1] {
        let value = F::value(input);
        let (fast, slow) = (self.fast.push(value), self.slow.push(value));
        [F::of(fast, slow)]
    }
}

/// In percent of the slow one; 0 where that is 0.
#[inline(always)]
fn percent_of(fast: f64, slow: f64) -> f64 {
    if slow.abs() < 1e-14 { 0.0 } else { (fast - slow) / slow * 100.0 }
}

impl DistanceFormula for Apo {
    const SPEC: Spec = Spec::new("apo", "Absolute price oscillator", Group::Momentum).guides(&[0.0]).params(DISTANCE).recursive().doc(
        "Fast average − slow average, each seeded at its own first candle; `kind` is a number as in ma. Lengths in the \
              wrong order are swapped.",
        "TA-Lib APO",
    );
    type Input = f64;
    #[inline(always)]
    fn value(input: f64) -> f64 {
        input
    }
    #[inline(always)]
    fn of(fast: f64, slow: f64) -> f64 {
        fast - slow
    }
}

impl DistanceFormula for Ppo {
    const SPEC: Spec = Spec::new("ppo", "Percentage price oscillator", Group::Momentum).guides(&[0.0])
        .params(DISTANCE)
        .recursive()
        .doc("(fast average − slow average) in percent of the slow one; `kind` is a number as in ma. 0 where the slow one \
              is 0.", "TA-Lib PPO (Appel)");
    type Input = f64;
    #[inline(always)]
    fn value(input: f64) -> f64 {
        input
    }
    #[inline(always)]
    fn of(fast: f64, slow: f64) -> f64 {
        percent_of(fast, slow)
    }
}

impl DistanceFormula for Pvo {
    const SPEC: Spec = Spec::new("pvo", "Volume oscillator", Group::Volume).guides(&[0.0])
        .params(DISTANCE)
        .recursive()
        .doc("(fast − slow average of the volume) in percent of the slow one; `kind` is a number as in ma. 0 without volume.",
            "TA-Lib PVO");
    type Input = Ohlcv;
    #[inline(always)]
    fn value(input: Ohlcv) -> f64 {
        input.volume
    }
    #[inline(always)]
    fn of(fast: f64, slow: f64) -> f64 {
        percent_of(fast, slow)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MacdExt {
    fast: Average,
    slow: Average,
    signal: Average,
    /// Values that each average waits for, so that both give their first at the same candle.
    fast_delay: u32,
    slow_delay: u32,
}

impl Indicator for MacdExt {
    type Input = f64;
    type Output = [f64; 3];
    const SPEC: Spec = Spec::new("macdext", "MACD of any averages", Group::Momentum).guides(&[0.0])
        .params(&[
            Param::period("fast", 12, 2),
            kind("fast_kind", 1),
            Param::period("slow", 26, 2),
            kind("slow_kind", 1),
            Param::period("signal", 9, 2),
            kind("signal_kind", 1),
        ])
        .outputs(MACD_OUTPUTS)
        .recursive()
        .doc("macd with moving averages of any kind, numbered as in ma. Lengths in the wrong order are swapped with their \
              kinds.", "TA-Lib MACDEXT");

    fn new(params: &[f64]) -> Self {
        let [fast, fast_kind, slow, slow_kind, signal, signal_kind] = Self::in_order(params);
        let (quick, late) = (Average::warm_up(fast_kind, fast) as u32, Average::warm_up(slow_kind, slow) as u32);
        Self {
            fast: Average::new(fast_kind, fast),
            slow: Average::new(slow_kind, slow),
            signal: Average::new(signal_kind, signal),
            fast_delay: late.saturating_sub(quick),
            slow_delay: quick.saturating_sub(late),
        }
    }
    fn warm_up(params: &[f64]) -> usize {
        let [fast, fast_kind, slow, slow_kind, signal, signal_kind] = Self::in_order(params);
        Average::warm_up(fast_kind, fast).max(Average::warm_up(slow_kind, slow)) + Average::warm_up(signal_kind, signal)
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 3] {
        let delayed = |delay: &mut u32, average: &mut Average| {
            if *delay > 0 {
                *delay -= 1;
                return f64::NAN;
            }
            average.push(value)
        };
        let line = delayed(&mut self.fast_delay, &mut self.fast) - delayed(&mut self.slow_delay, &mut self.slow);
        let signal = self.signal.feed(line);
        if signal.is_nan() { [f64::NAN; 3] } else { [line, signal, line - signal] }
    }
}

pub(crate) const MACD_OUTPUTS: &[Output] =
    &[Output::new("", "MACD"), Output::new("signal", "Signal"), Output::new("histogram", "Histogram")];

impl MacdExt {
    fn in_order(params: &[f64]) -> [u32; 6] {
        let [fast, fast_kind, slow, slow_kind, signal, signal_kind] = lengths(params);
        if slow < fast {
            [slow, slow_kind, fast, fast_kind, signal, signal_kind]
        } else {
            [fast, fast_kind, slow, slow_kind, signal, signal_kind]
        }
    }
}

/// Coppock's two rates of change, averaged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Coppock {
    long: Lag,
    short: Lag,
    average: Wma,
}

impl Indicator for Coppock {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("coppock", "Coppock curve", Group::Momentum)
        .guides(&[0.0])
        .params(&[Param::period("length", 10, 1), Param::period("long", 14, 1), Param::period("short", 11, 1)])
        .doc(
            "The weighted average over `length` of the sum of two rates of change in percent, over `long` and `short` \
              candles.",
            "TA-Lib COPPOCK (Coppock 1962)",
        );

    fn new(params: &[f64]) -> Self {
        let [_, long, short] = lengths(params);
        Self { long: Lag::new(long), short: Lag::new(short), average: Wma::new(params) }
    }
    fn warm_up(params: &[f64]) -> usize {
        (params[1].max(params[2]) + params[0]) as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        let change = |lag: &mut Lag| super::change::percent(value, lag.push(value));
        let sum = change(&mut self.long) + change(&mut self.short);
        if sum.is_nan() { [f64::NAN] } else { self.average.update(sum) }
    }
}
