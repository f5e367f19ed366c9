//! Names: what an unknown one probably meant, and how a known one is written.

use super::super::error::{ExprError, Span, nearest};
use super::super::functions;
use super::super::token::KEYWORDS;
use super::Lowering;
use crate::indicator::InputKind;
use crate::indicators::{self, Entry, market};
use crate::program::Source;

impl Lowering<'_> {
    pub(super) fn unknown(&self, name: &str, span: Span, what: &str) -> ExprError {
        let error = ExprError::new(span, format!("{what} `{name}`"));
        let names = (Source::ALL.iter().map(|(name, ..)| *name))
            .chain(indicators::all().iter().map(|entry| entry.spec.name))
            .chain(market::SERIES.iter().map(|series| series.name))
            .chain(functions::FUNCTIONS.iter().map(|function| function.name))
            .chain(KEYWORDS.iter().copied())
            .chain(self.params.keys().map(String::as_str));
        match alias(name).or_else(|| nearest(name, names)) {
            Some(meant) => error.hint(format!("did you mean `{meant}`?")),
            None => error,
        }
    }
}

/// `macd(source = close, fast = 12, slow = 26, signal = 9)`.
pub(crate) fn signature(entry: &Entry) -> String {
    let source: &[&str] = match entry.input {
        InputKind::Candle => &[],
        InputKind::Series => &["source = close"],
        InputKind::Pair => &["a = close", "b = volume"],
    };
    let params = entry.spec.params.iter().map(|param| format!("{} = {}", param.name, param.default));
    let arguments: Vec<String> = source.iter().map(|source| (*source).to_owned()).chain(params).collect();
    format!("{}({})", entry.spec.name, arguments.join(", "))
}

/// Names that other platforms use for what we have.
fn alias(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "crossover" | "crossabove" | "crosses_above" | "cross_over" => "cross_above",
        "crossunder" | "crossbelow" | "crosses_below" | "cross_under" => "cross_below",
        "cross" => "crosses",
        "bbands" | "bollinger" => "bb",
        "o" => "open",
        "h" => "high",
        "l" => "low",
        "c" | "price" | "last" => "close",
        "v" | "vol" => "volume",
        "iff" | "iif" => "if",
        "ln" => "log",
        "request" | "security" => "on",
        "stdev" | "std" => "stddev",
        "willr" | "williams_r" => "wpr",
        "keltner" => "kc",
        "dmi" | "di" => "adx",
        "moving_average" => "sma",
        "smma" | "wilder" => "rma",
        "lsma" | "linearreg" | "lin_reg" => "linreg",
        "psar" | "parabolic" | "parabolic_sar" => "sar",
        "variance" => "var",
        "uo" => "ultosc",
        "emv" => "eom",
        "mcgd" => "mcginley",
        "percentb" | "pctb" => "percent_b",
        "bbw" | "bandwidth" => "bb_width",
        "volume_ma" | "vma" => "vol_ma",
        "trend" | "strength" | "trendstrength" => "trend_strength",
        "chartpattern" | "chart_patterns" => "chart_pattern",
        "candlestick" | "candle_pattern" => "pattern",
        "pivot_high" | "pivothigh" => "swing_high",
        "pivot_low" | "pivotlow" => "swing_low",
        "max_index" | "highestbars" => "highest_bars",
        "min_index" | "lowestbars" => "lowest_bars",
        _ => return None,
    })
}
