//! The place of a price in its range.

use serde::{Deserialize, Serialize};

use crate::filter::{Filter, Mean, Smoothing, Stepwise, Swings, ratio};
use crate::indicator::{Group, Indicator, Out, Output, Param, Rows, Spec, lengths};
use crate::ohlcv::Ohlcv;
use crate::wide::wide;
use crate::window::Range;

/// Where `close` lies between `low` and `high`, 0 to 1; `None` where they are the same but for rounding.
#[inline(always)]
pub(crate) fn position(close: f64, low: f64, high: f64) -> Option<f64> {
    let range = high - low;
    (range > 1e-14 * (high.abs() + low.abs())).then(|| (close - low) / range)
}

const K_AND_D: &[Output] = &[Output::new("k", "%K"), Output::new("d", "%D")];

/// %K smoothed twice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Core {
    range: Range,
    k: Mean,
    d: Mean,
}

impl Core {
    fn new(length: u32, k: u32, d: u32) -> Self {
        Self { range: Range::new(length), k: Mean::new(k), d: Mean::new(d) }
    }
    #[inline(always)]
    fn push(&mut self, high: f64, low: f64, close: f64) -> [f64; 2] {
        let Some((high, low)) = self.range.push(high, low) else { return [f64::NAN; 2] };
        let raw = position(close, low, high).map_or(0.0, |position| position * 100.0);
        let k = self.k.push(raw);
        let d = self.d.feed(k);
        if d.is_nan() { [f64::NAN; 2] } else { [k, d] }
    }
    fn run(&mut self, rows: &Rows<'_>, out: Out<'_>) {
        let [k, d] = out.columns();
        let candles = rows.candles.of_one_length();
        self.range.run(candles.high, candles.low, k, d);
        places(k, d, candles.close);
        self.k.run(k);
        self.d.run_into(k, d);
        let unknown = d.iter().take_while(|value| value.is_nan()).count();
        k[..unknown].fill(f64::NAN);
    }
}

wide! {
    /// From the highest, the lowest and the closes to the place of the close in percent, 0 where nothing has moved; NaN
    /// stays.
    fn places(highest: &mut [f64], lowest: &[f64], closes: &[f64]) {
        for ((high, low), close) in highest.iter_mut().zip(lowest).zip(closes) {
            let place = position(*close, *low, *high).map_or(0.0, |position| position * 100.0);
            *high = if high.is_nan() { f64::NAN } else { place };
        }
    }
}

macro_rules! stochastic {
    ($($name:ident, $params:expr, $spec:expr, |$given:ident| $core:expr;)+) => {$(
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub struct $name(Core);

        impl Indicator for $name {
            type Input = Ohlcv;
            type Output = [f64; 2];
            const SPEC: Spec = $spec.params($params).outputs(K_AND_D);

            fn new($given: &[f64]) -> Self {
                Self($core)
            }
            fn warm_up(params: &[f64]) -> usize {
                params.iter().sum::<f64>() as usize - params.len()
            }
            #[inline(always)]
            fn update(&mut self, candle: Ohlcv) -> [f64; 2] {
                self.0.push(candle.high, candle.low, candle.close)
            }
            fn batch(&mut self, rows: Rows<'_>, out: Out<'_>) {
                self.0.run(&rows, out);
            }
        }
    )+};
}

stochastic! {
    Stoch, &[Param::period("length", 14, 1), Param::period("smooth_k", 1, 1), Param::period("smooth_d", 3, 1)],
        Spec::new("stoch", "Stochastic", Group::Momentum).guides(&[20.0, 80.0]).doc(
            "Where the close lies between the lowest low and the highest high of `length` candles, in percent, averaged over \
             `smooth_k` (%K) and again over `smooth_d` (%D); 0 where nothing has moved. Both begin together.",
            "TA-Lib STOCH with simple averages (Lane)"),
        |params| { let [length, k, d] = lengths(params); Core::new(length, k, d) };
    StochFast, &[Param::period("length", 5, 1), Param::period("smooth_d", 3, 1)],
        Spec::new("stochf", "Fast stochastic", Group::Momentum).guides(&[20.0, 80.0]).doc(
            "The stochastic without smoothing of %K; %D is its simple average over `smooth_d`. Both begin together.",
            "TA-Lib STOCHF with a simple average (Lane)"),
        |params| { let [length, d] = lengths(params); Core::new(length, 1, d) };
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StochRsi {
    swings: Swings,
    core: Core,
}

impl Indicator for StochRsi {
    type Input = f64;
    type Output = [f64; 2];
    const SPEC: Spec = Spec::new("stochrsi", "Stochastic RSI", Group::Momentum)
        .guides(&[20.0, 80.0])
        .params(&[
            Param::period("rsi_length", 14, 2),
            Param::period("length", 14, 1),
            Param::period("smooth_k", 3, 1),
            Param::period("smooth_d", 3, 1),
        ])
        .outputs(K_AND_D)
        .recursive()
        .doc(
            "The stochastic of rsi(rsi_length) instead of the price. TA-Lib's is the one with smooth_k 1.",
            "TA-Lib STOCHRSI, TradingView Stoch RSI (Chande, Kroll 1994)",
        );

    fn new(params: &[f64]) -> Self {
        let [rsi, length, k, d] = lengths(params);
        Self { swings: Swings::new(rsi), core: Core::new(length, k, d) }
    }
    fn warm_up(params: &[f64]) -> usize {
        params.iter().sum::<f64>() as usize - 3
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 2] {
        let rsi = self.swings.strength(value);
        if rsi.is_nan() { [f64::NAN; 2] } else { self.core.push(rsi, rsi, rsi) }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kdj {
    range: Range,
    k: Smoothing,
    d: Smoothing,
}

impl Indicator for Kdj {
    type Input = Ohlcv;
    type Output = [f64; 3];
    const SPEC: Spec = Spec::new("kdj", "KDJ", Group::Momentum)
        .guides(&[20.0, 80.0])
        .params(&[Param::period("length", 9, 1), Param::period("smooth_k", 3, 1), Param::period("smooth_d", 3, 1)])
        .outputs(&[Output::new("k", "K"), Output::new("d", "D"), Output::new("j", "J")])
        .recursive()
        .doc(
            "The stochastic with Wilder's averages in place of simple ones, and J = 3K − 2D. All begin together.",
            "TA-Lib KDJ",
        );

    fn new(params: &[f64]) -> Self {
        let [length, k, d] = lengths(params);
        Self { range: Range::new(length), k: Smoothing::wilder(k), d: Smoothing::wilder(d) }
    }
    fn warm_up(params: &[f64]) -> usize {
        params.iter().sum::<f64>() as usize - 3
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 3] {
        let Some((high, low)) = self.range.push(candle.high, candle.low) else { return [f64::NAN; 3] };
        let raw = position(candle.close, low, high).map_or(0.0, |position| position * 100.0);
        let k = self.k.push(raw);
        let d = self.d.feed(k);
        if d.is_nan() { [f64::NAN; 3] } else { [k, d, 3.0 * k - 2.0 * d] }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Smi {
    range: Range,
    place: [Smoothing; 2],
    width: [Smoothing; 2],
    signal: Smoothing,
}

impl Indicator for Smi {
    type Input = Ohlcv;
    type Output = [f64; 2];
    const SPEC: Spec = Spec::new("smi", "Stochastic momentum index", Group::Momentum).guides(&[-40.0, 40.0])
        .params(&[
            Param::period("length", 13, 1),
            Param::period("fast", 2, 1),
            Param::period("slow", 25, 1),
            Param::period("signal", 9, 1),
        ])
        .outputs(&[Output::new("", "SMI"), Output::new("signal", "Signal")])
        .recursive()
        .doc("The close's distance from the middle of its range over `length` candles, smoothed by EMAs over `slow` and then \
              `fast`, in percent of half of the range smoothed alike; the signal is its EMA. Both begin together.",
            "TA-Lib SMI (Blau 1993)");

    fn new(params: &[f64]) -> Self {
        let [length, fast, slow, signal] = lengths(params);
        let stages = [Smoothing::exponential(slow), Smoothing::exponential(fast)];
        Self { range: Range::new(length), place: stages.clone(), width: stages, signal: Smoothing::exponential(signal) }
    }
    fn warm_up(params: &[f64]) -> usize {
        params.iter().sum::<f64>() as usize - 4
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 2] {
        let Some((high, low)) = self.range.push(candle.high, candle.low) else { return [f64::NAN; 2] };
        let place = twice(&mut self.place, candle.close - 0.5 * (high + low));
        let width = twice(&mut self.width, high - low);
        if width.is_nan() {
            return [f64::NAN; 2];
        }
        let value = if width > 0.0 { 200.0 * place / width } else { 0.0 };
        let signal = self.signal.push(value);
        if signal.is_nan() { [f64::NAN; 2] } else { [value, signal] }
    }
}

/// One smoothing after the other.
#[inline(always)]
fn twice([first, second]: &mut [Smoothing; 2], value: f64) -> f64 {
    second.feed(first.push(value))
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tsi {
    change: [Smoothing; 2],
    size: [Smoothing; 2],
    signal: Smoothing,
    previous: Option<f64>,
}

impl Indicator for Tsi {
    type Input = f64;
    type Output = [f64; 2];
    const SPEC: Spec = Spec::new("tsi", "True strength index", Group::Momentum).guides(&[0.0])
        .params(&[Param::period("long", 25, 1), Param::period("short", 13, 1), Param::period("signal", 13, 1)])
        .outputs(&[Output::new("", "TSI"), Output::new("signal", "Signal")])
        .recursive()
        .doc("The change from candle to candle, smoothed by EMAs over `long` and then `short`, in percent of its size smoothed \
              alike; the signal is its EMA. 0 where nothing has moved.", "TA-Lib TSI (Blau 1991)");

    fn new(params: &[f64]) -> Self {
        let [long, short, signal] = lengths(params);
        let stages = [Smoothing::exponential(long), Smoothing::exponential(short)];
        Self { change: stages.clone(), size: stages, signal: Smoothing::exponential(signal), previous: None }
    }
    fn warm_up(params: &[f64]) -> usize {
        params.iter().sum::<f64>() as usize - 2
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 2] {
        let Some(previous) = self.previous.replace(value) else { return [f64::NAN; 2] };
        let change = value - previous;
        let (part, whole) = (twice(&mut self.change, change), twice(&mut self.size, change.abs()));
        let strength = ratio(100.0 * part, whole, 0.0);
        [strength, self.signal.feed(strength)]
    }
}

/// Schaff's trend cycle: the stochastic of the MACD line, smoothed, and the stochastic of that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stc {
    fast: Stepwise,
    slow: Stepwise,
    line: Stage,
    smooth: Stage,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Stage {
    range: Range,
    place: f64,
    value: Option<f64>,
}

impl Stage {
    fn new(length: u32) -> Self {
        Self { range: Range::new(length), place: 0.0, value: None }
    }
    #[inline(always)]
    fn push(&mut self, value: f64) -> f64 {
        let Some((high, low)) = self.range.push(value, value) else { return f64::NAN };
        // Where nothing has moved, the place stays.
        if high > low {
            self.place = (value - low) / (high - low) * 100.0;
        }
        let smoothed = self.value.get_or_insert(self.place);
        *smoothed += 0.5 * (self.place - *smoothed);
        *smoothed
    }
}

impl Indicator for Stc {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("stc", "Schaff trend cycle", Group::Momentum).guides(&[25.0, 75.0])
        .params(&[Param::period("fast", 23, 2), Param::period("slow", 50, 2), Param::period("cycle", 10, 2)])
        .recursive()
        .doc("The stochastic over `cycle` of the MACD line, smoothed by half of each change, and the same again of the result: \
              0 to 100. Where nothing has moved it stays. Lengths in the wrong order are swapped.", "TA-Lib STC (Schaff 1999)");

    fn new(params: &[f64]) -> Self {
        let [a, b, cycle] = lengths(params);
        let (fast, slow) = (a.min(b), a.max(b));
        Self {
            fast: Stepwise::exponential(fast, slow - fast),
            slow: Stepwise::exponential(slow, 0),
            line: Stage::new(cycle),
            smooth: Stage::new(cycle),
        }
    }
    fn warm_up(params: &[f64]) -> usize {
        let [a, b, cycle] = lengths(params);
        (a.max(b) - 1 + 2 * (cycle - 1)) as usize
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        let line = self.fast.push(value) - self.slow.push(value);
        if line.is_nan() {
            return [f64::NAN];
        }
        let first = self.line.push(line);
        [if first.is_nan() { first } else { self.smooth.push(first) }]
    }
}
