//! Rule strategies: a TOML file of expressions, compiled into one program.

mod file;

use std::collections::BTreeMap;

use cw_core::{Cadence, Calendar, Candle, Side};
use serde::{Deserialize, Serialize};

pub use file::StrategyError;

use crate::expr::Value;
use crate::program::{Program, Slot, State, TimeframeMismatch};

/// A strategy that comes with the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shipped {
    pub name: &'static str,
    /// The file's text.
    pub source: &'static str,
}

const SHIPPED: &[Shipped] = &[
    Shipped { name: "ema-cross", source: include_str!("../strategies/ema-cross.toml") },
    Shipped { name: "rsi-reversion", source: include_str!("../strategies/rsi-reversion.toml") },
    Shipped { name: "breakout", source: include_str!("../strategies/breakout.toml") },
];

/// A parameter that a user may set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StrategyParam {
    pub name: String,
    pub default: ParamValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    pub description: String,
    /// What it is in this strategy: the default or what was given.
    pub value: ParamValue,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ParamValue {
    Bool(bool),
    Number(f64),
}

impl std::fmt::Display for ParamValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
        }
    }
}

/// What the rules say after a closed candle. Several may be true at once; the engine decides by its position.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signals {
    pub enter_long: bool,
    pub exit_long: bool,
    pub enter_short: bool,
    pub exit_short: bool,
}

impl Signals {
    pub fn any(self) -> bool {
        self.enter_long || self.exit_long || self.enter_short || self.exit_short
    }
}

/// How much to trade. Floats, because rules compute it; whoever makes an order rounds to the quantity step and says how.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// Units of the instrument.
    Units(f64),
    /// Worth this much in the quote currency.
    Notional(f64),
    /// Worth this percentage of equity: 10 is a tenth.
    EquityPercent(f64),
    /// So large that the stop loses this percentage of equity: 1 is a hundredth.
    RiskPercent(f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SizeUnit {
    Units,
    Notional,
    EquityPercent,
    RiskPercent,
}

/// One line of the explanation why a strategy traded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TraceValue {
    pub expr: String,
    pub value: Value,
}

/// Compiled rules with their parameters filled in. Immutable; share it between runs.
#[derive(Debug, Clone)]
pub struct Strategy {
    name: String,
    title: String,
    description: String,
    params: Vec<StrategyParam>,
    program: Program,
    /// Slots of enter_long, exit_long, enter_short, exit_short.
    rules: [Slot; 4],
    stop: [Option<Slot>; 2],
    target: [Option<Slot>; 2],
    size: (SizeUnit, Slot),
}

/// What a strategy remembers between candles: plain data. Save it in a binary format (postcard); NaN has no JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StrategyState(State);

impl StrategyState {
    /// For a market with sessions: those begin where its calendar says, and so do longer candles. Told before the first
    /// candle.
    #[must_use]
    pub fn in_calendar(self, calendar: Calendar) -> Self {
        Self(self.0.in_calendar(calendar))
    }
}

impl Strategy {
    /// Compiles a strategy file. `params` overrides defaults, as text: `"20"`, `"0.5"`, `"true"`.
    pub fn from_toml(text: &str, params: &BTreeMap<String, String>) -> Result<Self, StrategyError> {
        file::compile(text, params)
    }

    /// The strategies that come with the program.
    pub fn shipped() -> &'static [Shipped] {
        SHIPPED
    }

    pub fn name(&self) -> &str {
        &self.name
    }
    pub fn title(&self) -> &str {
        &self.title
    }
    pub fn description(&self) -> &str {
        &self.description
    }
    /// In the order of the file.
    pub fn params(&self) -> &[StrategyParam] {
        &self.params
    }
    /// Identifies rules and parameters: equal text and values give the same number on every machine.
    pub fn fingerprint(&self) -> u64 {
        self.program.fingerprint()
    }

    /// A fresh state for candles of `base`. The length is needed to know when a candle of `on("1h", …)` is closed; a
    /// timeframe that cannot be folded from `base` is an error.
    pub fn new_state(&self, base: impl Into<Cadence>) -> Result<StrategyState, TimeframeMismatch> {
        self.program.new_state(base.into()).map(StrategyState)
    }

    /// Whether `state`, perhaps a saved one, belongs to these rules and parameters. Ask before going on with it.
    pub fn fits(&self, state: &StrategyState) -> bool {
        self.program.fits(&state.0)
    }

    /// Takes the next closed candle and says what to do. Candles come in order of time, each once. Allocates nothing.
    #[inline]
    pub fn update(&self, state: &mut StrategyState, candle: &Candle) -> Signals {
        self.program.update(&mut state.0, candle);
        self.signals(state)
    }

    /// What the rules said at the newest candle.
    #[inline]
    pub fn signals(&self, state: &StrategyState) -> Signals {
        let is_true = |rule: usize| state.0.value(self.rules[rule]) == 1.0;
        Signals { enter_long: is_true(0), exit_long: is_true(1), enter_short: is_true(2), exit_short: is_true(3) }
    }

    /// Where to stop a position of `side` (`Buy` is long) entered at `entry`, by the newest candle's values. `None`
    /// without such a rule, while it is warming up, and where it gives no positive price.
    pub fn stop_price(&self, state: &StrategyState, side: Side, entry: f64) -> Option<f64> {
        self.price(state, self.stop[side_index(side)], entry)
    }
    /// Where to take profit; see [`stop_price`](Self::stop_price).
    pub fn target_price(&self, state: &StrategyState, side: Side, entry: f64) -> Option<f64> {
        self.price(state, self.target[side_index(side)], entry)
    }
    /// Whether a position of `side` is meant to have a stop, so that entering without one is a fault.
    pub fn has_stop(&self, side: Side) -> bool {
        self.stop[side_index(side)].is_some()
    }

    fn price(&self, state: &StrategyState, slot: Option<Slot>, entry: f64) -> Option<f64> {
        let price = self.program.evaluate_late(&state.0, slot?, entry);
        (price.is_finite() && price > 0.0).then_some(price)
    }

    /// How much to trade; `None` while warming up or where the rule gives no positive number.
    pub fn size(&self, state: &StrategyState) -> Option<Size> {
        let (unit, slot) = self.size;
        let value = state.0.value(slot);
        if !value.is_finite() || value <= 0.0 {
            return None;
        }
        Some(match unit {
            SizeUnit::Units => Size::Units(value),
            SizeUnit::Notional => Size::Notional(value),
            SizeUnit::EquityPercent => Size::EquityPercent(value),
            SizeUnit::RiskPercent => Size::RiskPercent(value),
        })
    }

    /// Every value that the rules were made from at the newest candle, inner ones first.
    pub fn trace(&self, state: &StrategyState) -> Vec<TraceValue> {
        self.program.trace(&state.0)
    }
}

fn side_index(side: Side) -> usize {
    match side {
        Side::Buy => 0,
        Side::Sell => 1,
    }
}
