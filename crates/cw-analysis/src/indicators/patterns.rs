//! All candlestick patterns as one indicator, so that an expression's `pattern(hammer)` is an output of it and any number
//! of them cost one scan.

use serde::{Deserialize, Serialize};

use crate::candlestick::{COUNT, PATTERNS, Scanner};
use crate::indicator::{Group, Indicator, Output, Spec};
use crate::ohlcv::Ohlcv;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Patterns {
    scanner: Box<Scanner>,
    /// Candles so far, counted as far as warming up needs.
    rows: u8,
}

const OUTPUTS: [Output; COUNT] = {
    let mut outputs = [Output::new("", ""); COUNT];
    let mut index = 0;
    while index < COUNT {
        outputs[index] = Output::new(PATTERNS[index].name, PATTERNS[index].title);
        index += 1;
    }
    outputs
};

impl Indicator for Patterns {
    type Input = Ohlcv;
    type Output = [f64; COUNT];
    const SPEC: Spec = Spec::new("pattern", "Candlestick patterns", Group::Statistics).outputs(&OUTPUTS).doc(
        "The signal of each candlestick pattern as TA-Lib gives it, 0 where it is not there.",
        "TA-Lib CDL functions",
    );

    fn new(_: &[f64]) -> Self {
        Self { scanner: Box::new(Scanner::new()), rows: 0 }
    }

    fn warm_up(_: &[f64]) -> usize {
        PATTERNS.iter().map(|pattern| usize::from(pattern.warm_up)).max().unwrap_or_default()
    }

    fn update(&mut self, candle: Ohlcv) -> [f64; COUNT] {
        let signals = self.scanner.push(&candle);
        let row = self.rows;
        self.rows = self.rows.saturating_add(1);
        std::array::from_fn(
            |pattern| {
                if row < PATTERNS[pattern].warm_up { f64::NAN } else { f64::from(signals.signal(pattern)) }
            },
        )
    }
}
