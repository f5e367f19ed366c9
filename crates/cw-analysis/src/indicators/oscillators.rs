//! Oscillators that fit no other family.

use serde::{Deserialize, Serialize};

use super::change::percent;
use super::statistics::PercentRank;
use super::stoch::position;
use crate::filter::{Filter, Lag, Mean, Smoothing, Stepwise, Swings, ratio};
use crate::indicator::{CHUNK, Group, Indicator, Out, Output, Param, Rows, Spec, lengths, row_by_row};
use crate::ohlcv::{Ohlcv, typical_prices};
use crate::wide::wide;
use crate::window::{Joined, MovingSum, Range, Trail, blank, deviations};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rsi(Swings);

impl Indicator for Rsi {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("rsi", "Relative strength index", Group::Momentum).guides(&[30.0, 70.0])
        .params(&[Param::period("length", 14, 2)])
        .recursive()
        .doc("100 × gain / (gain + loss), both Wilder averages of the changes, seeded with the mean of the first `length` \
              changes; 50 where nothing has moved.", "TA-Lib RSI 0.8 (Wilder 1978)");

    fn new(params: &[f64]) -> Self {
        Self(Swings::new(params[0] as u32))
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        [self.0.strength(value)]
    }
    fn batch(&mut self, rows: Rows<'_>, out: Out<'_>) {
        let Some(series) = rows.series() else { return row_by_row(self, rows, out) };
        let [column] = out.columns();
        self.0.run(series, column);
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cmo(Swings);

impl Indicator for Cmo {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("cmo", "Chande momentum oscillator", Group::Momentum).guides(&[-50.0, 50.0])
        .params(&[Param::period("length", 14, 2)])
        .recursive()
        .doc("100 × (gain − loss) / (gain + loss) with Wilder averages as in rsi; 0 where nothing has moved. For Chande's own \
              plain sums see cmou.", "TA-Lib CMO");

    fn new(params: &[f64]) -> Self {
        Self(Swings::new(params[0] as u32))
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        let [gain, loss] = self.0.push(value);
        [ratio(100.0 * (gain - loss), gain + loss, 0.0)]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cci {
    window: Trail,
    inverse: f64,
}

impl Cci {
    #[inline(always)]
    fn of(typical: f64, mean: f64, deviation: f64) -> f64 {
        let distance = typical - mean;
        // What rounding leaves of a window in which nothing moved.
        let flat = 1e-14 * mean.abs();
        let scale = 0.015 * deviation;
        if distance.abs() <= flat || deviation <= flat || scale == 0.0 { 0.0 } else { distance / scale }
    }
}

wide! {
    /// From typical prices to the index.
    fn all_away(column: &mut [f64], means: &[f64; CHUNK], deviations: &[f64; CHUNK]) {
        for ((typical, mean), deviation) in column.iter_mut().zip(means).zip(deviations) {
            *typical = Cci::of(*typical, *mean, *deviation);
        }
    }
}

impl Indicator for Cci {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("cci", "Commodity channel index", Group::Momentum).guides(&[-100.0, 100.0])
        .params(&[Param::period("length", 20, 2)])
        .doc("The typical price's distance from its mean over `length` candles, in units of 0.015 mean absolute deviations; 0 \
              where nothing has moved.", "TA-Lib CCI (Lambert)");

    fn new(params: &[f64]) -> Self {
        Self { window: Trail::new(params[0] as usize), inverse: 1.0 / params[0] }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        let typical = candle.typical();
        let (mean, deviation) = self.window.with(typical).deviation(self.inverse);
        self.window.push(typical);
        [if self.window.missing() == 0 { Self::of(typical, mean, deviation) } else { f64::NAN }]
    }
    fn batch(&mut self, rows: Rows<'_>, out: Out<'_>) {
        if !self.window.is_short() {
            return row_by_row(self, rows, out);
        }
        let ([column], mut means, mut away) = (out.columns(), [0.0; CHUNK], [0.0; CHUNK]);
        typical_prices(&rows.candles, column);
        let missing = self.window.missing();
        let mut joined = Joined::new();
        deviations(self.window.join(column, &mut joined), self.inverse, &mut means, &mut away);
        all_away(column, &means, &away);
        blank(missing, column);
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConnorsRsi {
    price: Swings,
    streak_rsi: Swings,
    rank: PercentRank,
    previous: Option<f64>,
    streak: f64,
}

impl Indicator for ConnorsRsi {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("crsi", "Connors RSI", Group::Momentum).guides(&[10.0, 90.0])
        .params(&[Param::period("length", 3, 2), Param::period("streak_length", 2, 2), Param::period("rank_length", 100, 1)])
        .recursive()
        .doc("The mean of rsi(length), the RSI over `streak_length` of how many candles in a row rose (or, negative, fell), and \
              the percent rank of the last relative change among the `rank_length` before.", "TA-Lib CRSI (Connors 2012)");

    fn new(params: &[f64]) -> Self {
        let [length, streak, rank] = lengths(params);
        Self {
            price: Swings::new(length),
            streak_rsi: Swings::new(streak),
            rank: PercentRank::new(rank),
            previous: None,
            streak: 0.0,
        }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0].max(params[1] + 1.0).max(params[2] + 1.0) as usize
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        let strength = self.price.strength(value);
        let Some(previous) = self.previous.replace(value) else { return [f64::NAN] };
        self.streak = if value > previous {
            self.streak.max(0.0) + 1.0
        } else if value < previous {
            self.streak.min(0.0) - 1.0
        } else {
            0.0
        };
        let streak = self.streak_rsi.strength(self.streak);
        let rank = self.rank.push(ratio(value - previous, previous, 0.0));
        [(strength + streak + rank) / 3.0]
    }
}

/// Bill Williams' fast and slow mean of the middle price.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Awesome {
    fast: Mean,
    slow: Mean,
}

impl Awesome {
    fn of(fast: u32, slow: u32) -> Self {
        Self { fast: Mean::new(fast), slow: Mean::new(slow) }
    }
    #[inline(always)]
    fn push(&mut self, candle: &Ohlcv) -> f64 {
        let middle = candle.median();
        self.fast.push(middle) - self.slow.push(middle)
    }
}

impl Indicator for Awesome {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("ao", "Awesome oscillator", Group::Momentum)
        .guides(&[0.0])
        .params(&[Param::period("fast", 5, 1), Param::period("slow", 34, 1)])
        .doc("Fast − slow mean of (high + low) / 2.", "TA-Lib AO (Williams)");

    fn new(params: &[f64]) -> Self {
        let [fast, slow] = lengths(params);
        Self::of(fast, slow)
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0].max(params[1]) as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        [self.push(&candle)]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Accelerator {
    awesome: Awesome,
    signal: Mean,
}

impl Indicator for Accelerator {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("ac", "Accelerator oscillator", Group::Momentum)
        .guides(&[0.0])
        .params(&[Param::period("fast", 5, 1), Param::period("slow", 34, 1), Param::period("signal", 5, 1)])
        .doc("ao minus its mean over `signal` candles.", "TA-Lib AC (Williams)");

    fn new(params: &[f64]) -> Self {
        let [fast, slow, signal] = lengths(params);
        Self { awesome: Awesome::of(fast, slow), signal: Mean::new(signal) }
    }
    fn warm_up(params: &[f64]) -> usize {
        (params[0].max(params[1]) + params[2]) as usize - 2
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        let value = self.awesome.push(&candle);
        [value - self.signal.feed(value)]
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dpo {
    mean: Mean,
    lag: Lag,
}

impl Indicator for Dpo {
    type Input = f64;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("dpo", "Detrended price oscillator", Group::Momentum)
        .guides(&[0.0])
        .params(&[Param::period("length", 21, 1)])
        .doc(
            "The value length / 2 + 1 candles ago (rounded down) minus the mean of the newest `length` values.",
            "TA-Lib DPO, TradingView's without centering",
        );

    fn new(params: &[f64]) -> Self {
        let [length] = lengths(params);
        Self { mean: Mean::new(length), lag: Lag::new(length / 2 + 1) }
    }
    fn warm_up(params: &[f64]) -> usize {
        let length = params[0] as usize;
        (length - 1).max(length / 2 + 1)
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 1] {
        [self.lag.push(value) - self.mean.push(value)]
    }
}

/// Pring's four smoothed rates of change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kst {
    lags: [Lag; 4],
    means: [Mean; 4],
    signal: Mean,
}

impl Indicator for Kst {
    type Input = f64;
    type Output = [f64; 2];
    const SPEC: Spec = Spec::new("kst", "Know sure thing", Group::Momentum).guides(&[0.0])
        .params(&[
            Param::period("roc1", 10, 1),
            Param::period("roc2", 15, 1),
            Param::period("roc3", 20, 1),
            Param::period("roc4", 30, 1),
            Param::period("mean1", 10, 1),
            Param::period("mean2", 10, 1),
            Param::period("mean3", 10, 1),
            Param::period("mean4", 15, 1),
            Param::period("signal", 9, 1),
        ])
        .outputs(&[Output::new("", "KST"), Output::new("signal", "Signal")])
        .doc("Four rates of change in percent, each averaged, times 1, 2, 3 and 4, added up; the signal is the mean of that. Both \
              begin together.", "TA-Lib KST (Pring 1992)");

    fn new(params: &[f64]) -> Self {
        let [a, b, c, d, e, f, g, h, signal] = lengths(params);
        Self { lags: [a, b, c, d].map(Lag::new), means: [e, f, g, h].map(Mean::new), signal: Mean::new(signal) }
    }
    fn warm_up(params: &[f64]) -> usize {
        let leg = |at: usize| (params[at] + params[at + 4]) as usize - 1;
        leg(0).max(leg(1)).max(leg(2)).max(leg(3)) + params[8] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 2] {
        let mut total = 0.0;
        for ((lag, mean), weight) in self.lags.iter_mut().zip(&mut self.means).zip([1.0, 2.0, 3.0, 4.0]) {
            total += weight * mean.feed(percent(value, lag.push(value)));
        }
        let signal = self.signal.feed(total);
        if signal.is_nan() { [f64::NAN; 2] } else { [total, signal] }
    }
}

/// Chande's RSI of candle bodies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Imi {
    up: MovingSum,
    down: MovingSum,
}

impl Indicator for Imi {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("imi", "Intraday momentum index", Group::Momentum).guides(&[30.0, 70.0])
        .params(&[Param::period("length", 14, 2)])
        .doc("The bodies (close − open) of candles that rose, in percent of the size of all bodies, over `length` candles; 50 where \
              there are none.", "TA-Lib IMI (Chande)");

    fn new(params: &[f64]) -> Self {
        let sum = MovingSum::new(params[0] as usize);
        Self { up: sum.clone(), down: sum }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        let body = candle.close - candle.open;
        let up = body.max(0.0);
        match (self.up.push(up), self.down.push(up - body)) {
            (Some(up), Some(down)) => {
                let (up, down) = (up.max(0.0), down.max(0.0));
                [ratio(100.0 * up, up + down, 50.0)]
            }
            _ => [f64::NAN],
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Qstick(Mean);

impl Indicator for Qstick {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("qstick", "Qstick", Group::Momentum)
        .params(&[Param::period("length", 14, 1)])
        .doc("The mean body (close − open) of `length` candles.", "TA-Lib QSTICK (Chande)");

    fn new(params: &[f64]) -> Self {
        Self(Mean::new(params[0] as u32))
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        [self.0.push(candle.close - candle.open)]
    }
}

/// Ehlers' vigor: bodies over ranges, both smoothed 1 2 2 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vigor {
    newest: [[f64; 2]; 3],
    seen: u32,
    body: MovingSum,
    range: MovingSum,
    values: [f64; 3],
    known: u32,
}

impl Indicator for Vigor {
    type Input = Ohlcv;
    type Output = [f64; 2];
    const SPEC: Spec = Spec::new("rvgi", "Relative vigor index", Group::Momentum)
        .params(&[Param::period("length", 10, 1)])
        .outputs(&[Output::new("", "RVGI"), Output::new("signal", "Signal")])
        .doc("Σ over `length` of the bodies (close − open), smoothed 1 2 2 1, divided by that of the ranges (high − low); the \
              signal is smoothed 1 2 2 1 again. 0 where there is no range.", "Ehlers 2002, as TradingView's RVGI");

    fn new(params: &[f64]) -> Self {
        let sum = MovingSum::new(params[0] as usize);
        Self { newest: [[0.0; 2]; 3], seen: 0, body: sum.clone(), range: sum, values: [0.0; 3], known: 0 }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize + 5
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 2] {
        let now = [candle.close - candle.open, candle.high - candle.low];
        let [first, second, third] = self.newest;
        self.newest = [second, third, now];
        if self.seen < 3 {
            self.seen += 1;
            return [f64::NAN; 2];
        }
        let smooth = |side: usize| symmetric([first[side], second[side], third[side], now[side]]);
        let (Some(body), Some(range)) = (self.body.push(smooth(0)), self.range.push(smooth(1))) else {
            return [f64::NAN; 2];
        };
        let value = if range > 0.0 { body / range } else { 0.0 };
        let [first, second, third] = self.values;
        self.values = [second, third, value];
        if self.known < 3 {
            self.known += 1;
            return [value, f64::NAN];
        }
        [value, symmetric([first, second, third, value])]
    }
}

/// Four values weighted 1 2 2 1.
#[inline]
pub(crate) fn symmetric([first, second, third, fourth]: [f64; 4]) -> f64 {
    (first + 2.0 * (second + third) + fourth) * (1.0 / 6.0)
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WaveTrend {
    average: Stepwise,
    deviation: Stepwise,
    wave: Smoothing,
    signal: Mean,
    previous: [f64; 2],
}

impl Indicator for WaveTrend {
    type Input = Ohlcv;
    type Output = [f64; 2];
    const SPEC: Spec = Spec::new("wavetrend", "Wave trend", Group::Momentum).guides(&[-60.0, 60.0])
        .params(&[Param::period("channel", 10, 1), Param::period("average", 21, 1), Param::period("signal", 4, 1)])
        .outputs(&[Output::new("", "Wave"), Output::new("signal", "Signal")])
        .recursive()
        .doc("The typical price's distance from its EMA over `channel`, in units of 0.015 EMAs of that distance's size, smoothed by \
              an EMA over `average`; the signal is its mean. Both begin together.", "TA-Lib WAVETREND (LazyBear)");

    fn new(params: &[f64]) -> Self {
        let [channel, average, signal] = lengths(params);
        Self {
            average: Stepwise::exponential(channel, 0),
            deviation: Stepwise::exponential(channel, 0),
            wave: Smoothing::exponential(average),
            signal: Mean::new(signal),
            previous: [0.0; 2],
        }
    }
    fn warm_up(params: &[f64]) -> usize {
        (2.0 * params[0] + params[1] + params[2]) as usize - 4
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 2] {
        // Rounded as the original: where the price stops moving, the quotient of two rounding errors is seen.
        let price = (candle.high + candle.low + candle.close) / 3.0;
        let average = self.average.push(price);
        if average.is_nan() {
            return [f64::NAN; 2];
        }
        // An average that has stopped at a rounding error from a price that stands still is there.
        let distance = if self.previous == [price, average] { 0.0 } else { price - average };
        self.previous = [price, average];
        let deviation = self.deviation.push(distance.abs());
        if deviation.is_nan() {
            return [f64::NAN; 2];
        }
        let wave = self.wave.push(ratio(distance, 0.015 * deviation, 0.0));
        let signal = self.signal.feed(wave);
        if signal.is_nan() { [f64::NAN; 2] } else { [wave, signal] }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PremierStochastic {
    range: Range,
    once: Smoothing,
    twice: Smoothing,
}

impl Indicator for PremierStochastic {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::new("pso", "Premier stochastic", Group::Momentum)
        .params(&[Param::period("length", 8, 1), Param::period("smooth", 5, 1)])
        .recursive()
        .doc("tanh(s / 2), where s is a tenth of the stochastic's distance from 50, smoothed by two EMAs over `smooth`: −1 to 1.",
            "TA-Lib PSO (Leibfarth 2008)");

    fn new(params: &[f64]) -> Self {
        let [length, smooth] = lengths(params);
        let average = Smoothing::exponential(smooth);
        Self { range: Range::new(length), once: average.clone(), twice: average }
    }
    fn warm_up(params: &[f64]) -> usize {
        (params[0] + 2.0 * params[1]) as usize - 3
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        let Some((high, low)) = self.range.push(candle.high, candle.low) else { return [f64::NAN] };
        let place = position(candle.close, low, high).unwrap_or(0.5);
        let smooth = self.twice.feed(self.once.push(10.0 * place - 5.0));
        [if smooth.is_nan() { smooth } else { libm::tanh(0.5 * smooth) }]
    }
}
