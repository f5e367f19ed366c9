use serde::{Deserialize, Serialize};

use super::average::MACD_OUTPUTS;
use crate::filter::{BLOCK, Filter, Smoothing};
use crate::indicator::{Group, Indicator, Out, Param, Rows, Spec, lengths, row_by_row};
use crate::wide::wide;
use crate::window::both;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Macd {
    fast: Smoothing,
    slow: Smoothing,
    signal: Smoothing,
}

impl Indicator for Macd {
    type Input = f64;
    type Output = [f64; 3];
    const SPEC: Spec = Spec::new("macd", "Moving average convergence/divergence", Group::Momentum).guides(&[0.0])
        .params(&[Param::period("fast", 12, 2), Param::period("slow", 26, 2), Param::period("signal", 9, 1)])
        .outputs(MACD_OUTPUTS)
        .recursive()
        .doc("ema(fast) − ema(slow); the signal is its EMA and the histogram their difference. The fast average is seeded with \
              the values that end where the slow one is seeded. All three begin together, with the signal. Lengths in the \
              wrong order are swapped.", "TA-Lib MACD (Appel 1979)");

    fn new(params: &[f64]) -> Self {
        let [a, b, signal] = lengths(params);
        let (fast, slow) = (a.min(b), a.max(b));
        Self {
            fast: Smoothing::exponential(fast).after(slow - fast),
            slow: Smoothing::exponential(slow),
            signal: Smoothing::exponential(signal),
        }
    }
    fn warm_up(params: &[f64]) -> usize {
        (params[0].max(params[1]) + params[2]) as usize - 2
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 3] {
        let line = self.fast.push(value) - self.slow.push(value);
        let signal = self.signal.feed(line);
        if signal.is_nan() { [f64::NAN; 3] } else { [line, signal, line - signal] }
    }
    fn batch(&mut self, rows: Rows<'_>, out: Out<'_>) {
        let Some(series) = rows.series() else { return row_by_row(self, rows, out) };
        if !self.signal.is_seeded() {
            return row_by_row(self, rows, out);
        }
        all(self, series, out.columns());
    }
}

wide! {
    /// All that comes after the seeds.
    fn all(macd: &mut Macd, series: &[f64], columns: [&mut [f64]; 3]) {
        let mut own = macd.clone();
        let [lines, signals, histograms] = columns;
        let (inputs, rest) = series.as_chunks::<BLOCK>();
        let from = series.len() - rest.len();
        let outs = lines.as_chunks_mut::<BLOCK>().0.iter_mut().zip(signals.as_chunks_mut::<BLOCK>().0);
        for (((line, signal), histogram), input) in outs.zip(histograms.as_chunks_mut::<BLOCK>().0).zip(inputs) {
            let (fast, slow) = (own.fast.block(*input), own.slow.block(*input));
            *line = both(fast, slow, |fast, slow| fast - slow);
            *signal = own.signal.block(*line);
            *histogram = both(*line, *signal, |line, signal| line - signal);
        }
        for (row, value) in rest.iter().enumerate() {
            [lines[from + row], signals[from + row], histograms[from + row]] = own.update(*value);
        }
        *macd = own;
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MacdFix(Macd);

impl Indicator for MacdFix {
    type Input = f64;
    type Output = [f64; 3];
    const SPEC: Spec = Spec::new("macdfix", "MACD 12/26 with fixed weights", Group::Momentum)
        .guides(&[0.0])
        .params(&[Param::period("signal", 9, 1)])
        .outputs(MACD_OUTPUTS)
        .recursive()
        .doc(
            "macd(12, 26, signal) with Appel's original weights 0.15 and 0.075 instead of 2/13 and 2/27.",
            "TA-Lib MACDFIX (Appel 1979)",
        );

    fn new(params: &[f64]) -> Self {
        let [signal] = lengths(params);
        Self(Macd {
            fast: Smoothing::new(0.15, 12).after(14),
            slow: Smoothing::new(0.075, 26),
            signal: Smoothing::exponential(signal),
        })
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize + 24
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 3] {
        self.0.update(value)
    }
    fn batch(&mut self, rows: Rows<'_>, out: Out<'_>) {
        self.0.batch(rows, out);
    }
}
