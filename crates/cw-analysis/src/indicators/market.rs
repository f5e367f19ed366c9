//! The market's structure as one indicator, so that `support`, `regime` or `chart_pattern(double_top)` of an expression
//! are outputs of it and any number of them cost one pass over the candles.

use serde::{Deserialize, Serialize};

use crate::indicator::{Group, Indicator, Output, Spec, VALUE};
use crate::ohlcv::Ohlcv;
use crate::structure::{ChartKind, ChartPattern, Level, Status, Structure, Trend, Volatility};

/// What stands in the brackets of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Argument {
    None,
    /// A constant from 1 to [`MOST_TOUCHES`]: levels with fewer touches are left out.
    Touches,
    /// The name of a chart pattern, or `any`.
    ChartPattern,
}

/// Levels can be asked for by the number of their touches up to this.
pub(crate) const MOST_TOUCHES: usize = 3;

impl Argument {
    /// How many values it has.
    const fn count(self) -> usize {
        match self {
            Self::None => 1,
            Self::Touches => MOST_TOUCHES,
            Self::ChartPattern => ChartKind::ALL.len() + 1,
        }
    }
}

/// A name of the language that reads the structure. Its first output is what the bare name means.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Series {
    pub(crate) name: &'static str,
    pub(crate) signature: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) argument: Argument,
    pub(crate) outputs: &'static [Output],
}

const LEVEL: &[Output] = &[
    Output::new("", "its price"),
    Output::new("distance", "from the close, in average true ranges of 14 candles"),
    Output::new("touches", "swings that turned there"),
    Output::new("strength", "0 to 1: touches count up, breaks and time since the last touch count down"),
    Output::new("breaks", "closes that went through it"),
    Output::new("age", "candles since the first swing there"),
];
const LINE: &[Output] = &[
    Output::new("", "the line's price at this candle"),
    Output::new("slope", "price per candle"),
    Output::new("touches", "swings on the line"),
];
const SWING: &[Output] =
    &[Output::new("", "its price"), Output::new("age", "candles since it, not since it was confirmed")];
const REGIME: &[Output] = &[
    Output::new("", "1 \"up\", 0 \"range\", -1 \"down\""),
    Output::new("confidence", "0 to 1: how far the evidence is on this trend's side"),
    Output::new("volatility", "1 \"high\", 0 \"normal\", -1 \"low\""),
    Output::new("range_ratio", "average range of 14 candles over that of 100"),
    Output::new("age", "candles since trend and volatility have these labels"),
];
const STRENGTH: &[Output] = &[
    Output::new("", "the regime's score, -1 falling to 1 rising"),
    Output::new("adx", "average directional index of 14 candles"),
    Output::new("plus_di", "directional indicator upwards"),
    Output::new("minus_di", "directional indicator downwards"),
    Output::new("slope", "of the regression of 30 closes, in average true ranges per candle"),
    Output::new("r_squared", "how much of the closes' variance that line explains"),
];
const CHART: &[Output] = &[
    Output::new("", "100 on the candle that confirmed it upwards, -100 downwards, else 0"),
    Output::new("forming", "how many have all their points and wait for the close beyond their line"),
    Output::new("target", "of the newest confirmed one that has not ended"),
    Output::new("age", "candles since that one was confirmed"),
];

/// All series, in the order of their outputs.
pub(crate) const SERIES: &[Series] = &[
    Series {
        name: "support",
        signature: "support(touches = 1)",
        doc: "the nearest level at or below the close with as many touches, 1 to 3",
        argument: Argument::Touches,
        outputs: LEVEL,
    },
    Series {
        name: "resistance",
        signature: "resistance(touches = 1)",
        doc: "the nearest level above the close",
        argument: Argument::Touches,
        outputs: LEVEL,
    },
    Series {
        name: "support_line",
        signature: "support_line",
        doc: "the line under rising lows, while it holds",
        argument: Argument::None,
        outputs: LINE,
    },
    Series {
        name: "resistance_line",
        signature: "resistance_line",
        doc: "the line over falling highs, while it holds",
        argument: Argument::None,
        outputs: LINE,
    },
    Series {
        name: "swing_high",
        signature: "swing_high",
        doc: "the newest confirmed swing high",
        argument: Argument::None,
        outputs: SWING,
    },
    Series {
        name: "swing_low",
        signature: "swing_low",
        doc: "the newest confirmed swing low",
        argument: Argument::None,
        outputs: SWING,
    },
    Series {
        name: "regime",
        signature: "regime",
        doc: "the trend's label: compare it with \"up\", \"range\" or \"down\"",
        argument: Argument::None,
        outputs: REGIME,
    },
    Series {
        name: "trend_strength",
        signature: "trend_strength",
        doc: "how strongly prices trend, and which way",
        argument: Argument::None,
        outputs: STRENGTH,
    },
    Series {
        name: "chart_pattern",
        signature: "chart_pattern(name)",
        doc: "a chart pattern at the close that confirms it",
        argument: Argument::ChartPattern,
        outputs: CHART,
    },
];

const COUNT: usize = {
    let (mut count, mut series) = (0, 0);
    while series < SERIES.len() {
        count += SERIES[series].argument.count() * SERIES[series].outputs.len();
        series += 1;
    }
    count
};

const OUTPUTS: [Output; COUNT] = [VALUE[0]; COUNT];

pub(crate) fn find(name: &str) -> Option<&'static Series> {
    SERIES.iter().find(|series| series.name == name)
}

impl Series {
    /// The first of its outputs for a value of its argument, counted from 0.
    pub(crate) fn first_output(&self, argument: usize) -> usize {
        let before = SERIES.iter().take_while(|series| series.name != self.name);
        before.map(|series| series.argument.count() * series.outputs.len()).sum::<usize>()
            + argument * self.outputs.len()
    }
}

/// The value of a chart pattern's name, `any` first.
pub(crate) fn chart_pattern(name: &str) -> Option<usize> {
    chart_names().position(|known| known == name)
}

pub(crate) fn chart_names() -> impl Iterator<Item = &'static str> {
    std::iter::once("any").chain(ChartKind::ALL.iter().map(|kind| kind.name()))
}

/// An output in the language's own words.
pub(crate) fn wording(output: usize) -> String {
    let mut first = 0;
    for series in SERIES {
        let width = series.outputs.len();
        let end = first + series.argument.count() * width;
        if output < end {
            let (argument, part) = ((output - first) / width, (output - first) % width);
            let dot = if part == 0 { "" } else { "." };
            let argument = match series.argument {
                Argument::None => String::new(),
                Argument::Touches => format!("({})", argument + 1),
                Argument::ChartPattern => format!("({})", chart_names().nth(argument).unwrap_or_default()),
            };
            return format!("{}{argument}{dot}{}", series.name, series.outputs[part].name);
        }
        first = end;
    }
    String::new()
}

/// Words that stand for the values of a series.
pub(crate) type Labels = &'static [(&'static str, f64)];

pub(crate) const TREND_LABELS: Labels = &[("up", 1.0), ("range", 0.0), ("down", -1.0)];
pub(crate) const VOLATILITY_LABELS: Labels = &[("high", 1.0), ("normal", 0.0), ("low", -1.0)];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Market {
    structure: Box<Structure>,
}

/// Fills the outputs one series after the other.
struct Writer<'a> {
    outputs: &'a mut [f64],
    at: usize,
}

impl Writer<'_> {
    fn write<const N: usize>(&mut self, values: [f64; N]) {
        self.outputs[self.at..self.at + N].copy_from_slice(&values);
        self.at += N;
    }
    fn skip(&mut self, outputs: usize) {
        self.at += outputs;
    }
}

impl Market {
    fn levels(&self, close: f64, above: bool, writer: &mut Writer<'_>) {
        let index = self.structure.len() - 1;
        let atr = self.structure.atr();
        let distance = |level: &Level| (level.price - close).abs();
        let mut nearest: [Option<&Level>; MOST_TOUCHES] = [None; MOST_TOUCHES];
        for level in self.structure.levels().iter().filter(|level| (level.price > close) == above) {
            for place in nearest.iter_mut().take(level.touches as usize) {
                if place.is_none_or(|known| distance(level) < distance(known)) {
                    *place = Some(level);
                }
            }
        }
        for level in nearest {
            match level {
                Some(level) => writer.write([
                    level.price,
                    if atr > 0.0 { distance(level) / atr } else { f64::NAN },
                    f64::from(level.touches),
                    level.strength(index),
                    f64::from(level.breaks),
                    level.age(index) as f64,
                ]),
                None => writer.skip(LEVEL.len()),
            }
        }
    }

    fn lines_and_swings(&self, writer: &mut Writer<'_>) {
        let index = self.structure.len() - 1;
        for support in [true, false] {
            match self.structure.trend_lines().find(|line| line.is_support() == support) {
                Some(line) => writer.write([line.price_at(index), line.slope(), f64::from(line.touches)]),
                None => writer.skip(LINE.len()),
            }
        }
        for high in [true, false] {
            match self.structure.pivots().iter().rev().find(|pivot| pivot.high == high) {
                Some(pivot) => writer.write([pivot.price, (index - pivot.index) as f64]),
                None => writer.skip(SWING.len()),
            }
        }
    }

    fn trend(&self, writer: &mut Writer<'_>) {
        let index = self.structure.len() - 1;
        let Some(regime) = self.structure.regime() else {
            writer.skip(REGIME.len() + STRENGTH.len());
            return;
        };
        let trend = match regime.trend {
            Trend::Up => 1.0,
            Trend::Range => 0.0,
            Trend::Down => -1.0,
        };
        let volatility = match regime.volatility {
            Volatility::High => 1.0,
            Volatility::Normal => 0.0,
            Volatility::Low => -1.0,
        };
        let age = (index - regime.since_index) as f64;
        writer.write([trend, regime.confidence, volatility, regime.range_ratio, age]);
        let strength = self.structure.strength();
        let score: f64 = regime.reasons.iter().map(|reason| reason.adds).sum();
        writer.write([score, strength.adx, strength.plus_di, strength.minus_di, strength.slope, strength.r_squared]);
    }

    fn chart_patterns(&self, writer: &mut Writer<'_>) {
        let index = self.structure.len() - 1;
        let first = writer.at;
        // Nothing is there: a signal of 0, none forming, no target.
        for _ in 0..Argument::ChartPattern.count() {
            writer.write([0.0, 0.0, f64::NAN, f64::NAN]);
        }
        let outputs = &mut writer.outputs[first..];
        let mut note = |pattern: &ChartPattern, is_active: bool| {
            // `any` and its own kind.
            for place in [0, pattern.kind as usize + 1] {
                let [signal, forming, target, age] = &mut outputs[place * CHART.len()..][..CHART.len()] else { return };
                let sign = if pattern.up == Some(true) { 100.0 } else { -100.0 };
                match (pattern.status, pattern.confirmed_index) {
                    (Status::Forming, _) => *forming += 1.0,
                    (Status::Confirmed, Some(at)) => {
                        if at == index {
                            *signal = sign;
                        }
                        let own = (index - at) as f64;
                        // The newest one comes last, but an older one may have been confirmed later.
                        if is_active && (age.is_nan() || own <= *age) {
                            (*target, *age) = (pattern.target.unwrap_or(f64::NAN), own);
                        }
                    }
                    _ => {}
                }
            }
        };
        self.structure.ended_patterns().iter().for_each(|pattern| note(pattern, false));
        self.structure.active_patterns().iter().for_each(|pattern| note(pattern, true));
    }
}

impl Indicator for Market {
    type Input = Ohlcv;
    type Output = [f64; COUNT];
    const SPEC: Spec = Spec::new("structure", "Market structure", Group::Statistics)
        .outputs(&OUTPUTS)
        .recursive()
        .doc("Levels, lines, swings, regime, trend strength and chart patterns.", "see the module `structure`");

    fn new(_: &[f64]) -> Self {
        Self { structure: Box::new(Structure::new()) }
    }

    fn warm_up(_: &[f64]) -> usize {
        31
    }

    fn update(&mut self, candle: Ohlcv) -> [f64; COUNT] {
        self.structure.push(&candle);
        let mut outputs = [f64::NAN; COUNT];
        let mut writer = Writer { outputs: &mut outputs, at: 0 };
        self.levels(candle.close, false, &mut writer);
        self.levels(candle.close, true, &mut writer);
        self.lines_and_swings(&mut writer);
        self.trend(&mut writer);
        self.chart_patterns(&mut writer);
        outputs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_kinds_is_that_of_their_names() {
        for (place, kind) in ChartKind::ALL.iter().enumerate() {
            assert_eq!(*kind as usize, place);
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
        assert_eq!(wording(0), "support(1)");
        assert_eq!(wording(COUNT - 1), "chart_pattern(breakout_down).age");
        for series in SERIES {
            assert_eq!(series.outputs[0].name, "");
            assert!(wording(series.first_output(0)).starts_with(series.name));
        }
    }
}
