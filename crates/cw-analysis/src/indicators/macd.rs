use serde::{Deserialize, Serialize};

use crate::indicator::{Group, Indicator, Output, Pane, Param, Spec};
use crate::indicators::ema::Smoothing;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Macd {
    fast: Smoothing,
    slow: Smoothing,
    signal: Smoothing,
    /// Values that the fast average waits for, so that both averages are seeded at the same candle.
    delay: u32,
    warm_up: u32,
}

impl Indicator for Macd {
    type Input = f64;
    type Output = [f64; 3];
    const SPEC: Spec = Spec {
        name: "macd",
        title: "Moving average convergence/divergence",
        group: Group::Momentum,
        pane: Pane::Own,
        params: &[Param::period("fast", 12, 2), Param::period("slow", 26, 2), Param::period("signal", 9, 1)],
        outputs: &[
            Output { name: "", title: "MACD" },
            Output { name: "signal", title: "Signal" },
            Output { name: "histogram", title: "Histogram" },
        ],
        doc: "ema(fast) − ema(slow); the signal is its EMA and the histogram their difference. The fast average is \
              seeded with the values that end where the slow one is seeded. All three begin together, with the \
              signal. Lengths in the wrong order are swapped. Recursive.",
        source: "TA-Lib MACD (Appel 1979)",
    };

    fn new(params: &[f64]) -> Self {
        let (a, b, signal) = (params[0] as u32, params[1] as u32, params[2] as u32);
        let (fast, slow) = (a.min(b), a.max(b));
        Self {
            fast: Smoothing::exponential(fast),
            slow: Smoothing::exponential(slow),
            signal: Smoothing::exponential(signal),
            delay: slow - fast,
            warm_up: slow + signal - 2,
        }
    }
    fn warm_up(&self) -> usize {
        self.warm_up as usize
    }
    #[inline]
    fn update(&mut self, value: f64) -> [f64; 3] {
        let slow = self.slow.push(value);
        if self.delay > 0 {
            self.delay -= 1;
            return [f64::NAN; 3];
        }
        let line = self.fast.push(value) - slow;
        if line.is_nan() {
            return [f64::NAN; 3];
        }
        let signal = self.signal.push(line);
        if signal.is_nan() { [f64::NAN; 3] } else { [line, signal, line - signal] }
    }
}
