//! What an expression compiles to: a flat list of steps over numbered slots, run once per closed candle.
//!
//! A slot holds one number per candle. Truth is 1, falsehood 0, and NaN is "unknown": a value that is still warming up
//! makes what depends on it unknown instead of false, so that `not rsi(14) < 30` does not fire in the first candles.
//! Every step reads slots with lower numbers only, its own state, and the candle: there is no way to name a later one.

mod batch;
mod copy;
mod frame;
mod graph;
mod reach;

use cw_core::{Cadence, Calendar, Candle, Timeframe};
use serde::{Deserialize, Serialize};

use frame::{Fold, Frame, FrameState};
pub(crate) use frame::{binary, unary};
pub(crate) use graph::{CrossOp, Graph, Op, Slot, Source, UnaryOp};

use crate::expr::Value;
use crate::indicator::InputKind;
use crate::ohlcv::Ohlcv;
use crate::strategy::TraceValue;

/// A program cannot run on candles of this length.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("on(\"{wanted}\", …) cannot be folded from {base} candles")]
pub struct TimeframeMismatch {
    pub wanted: Timeframe,
    pub base: Cadence,
}

/// Compiled expressions with their outputs. Immutable; all that changes is in a [`State`].
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// The base candles first, then one frame per timeframe named by `on`.
    frames: Vec<Frame>,
    /// Slots of the base frame.
    outputs: Vec<Slot>,
    /// Identifies the program in a saved state.
    fingerprint: u64,
    /// Neighbouring outputs in neighbouring slots: where they begin and how many.
    runs: Vec<(Slot, u32)>,
    /// Nothing but the close is read, so nothing else has to be converted.
    only_close: bool,
}

/// What a program remembers between candles. Saved states are binary (postcard), because NaN has no JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    fingerprint: u64,
    base: Cadence,
    calendar: Calendar,
    frames: Vec<FrameState>,
    folds: Vec<Fold>,
}

impl Program {
    /// Takes what the expressions were lowered to. `outputs` are slots of the base graph; they get other numbers here,
    /// see [`outputs`](Self::outputs).
    pub(crate) fn new(graphs: Vec<Graph>, mut outputs: Vec<Slot>) -> Self {
        let graphs = graph::compact(graphs, &mut outputs);
        let fingerprint = graph::fingerprint(&graphs, &outputs);
        let only_close = graphs.len() == 1
            && graphs[0].ops().iter().all(|op| match op {
                Op::Source(source) => *source == Source::Close,
                Op::Call { entry, .. } => crate::indicators::numbered(*entry).input != InputKind::Candle,
                _ => true,
            });
        let mut runs: Vec<(Slot, u32)> = Vec::new();
        for slot in &outputs {
            match runs.last_mut() {
                Some((from, len)) if *from + *len == *slot => *len += 1,
                _ => runs.push((*slot, 1)),
            }
        }
        Self { frames: graphs.into_iter().map(Frame::new).collect(), outputs, runs, fingerprint, only_close }
    }

    pub(crate) fn new_state(&self, base: Cadence) -> Result<State, TimeframeMismatch> {
        for wanted in self.frames.iter().filter_map(Frame::timeframe) {
            // A candle that ends with what was traded may reach over the end of any timeframe.
            if !base.timeframe().is_some_and(|base| wanted.is_multiple_of(base)) {
                return Err(TimeframeMismatch { wanted, base });
            }
        }
        Ok(State {
            fingerprint: self.fingerprint,
            base,
            calendar: Calendar::Continuous,
            frames: self.frames.iter().map(Frame::new_state).collect(),
            folds: self.frames.iter().filter_map(Frame::timeframe).map(Fold::new).collect(),
        })
    }

    /// Whether `state` was made by this program: a saved one may belong to an earlier wording.
    pub(crate) fn fits(&self, state: &State) -> bool {
        self.fingerprint == state.fingerprint
            && self.frames.len() == state.frames.len()
            && state.folds.len() + 1 == self.frames.len()
            && self.frames.iter().zip(&state.frames).all(|(frame, state)| frame.fits(state))
    }

    #[inline]
    pub(crate) fn update(&self, state: &mut State, candle: &Candle) {
        if self.only_close {
            let close = Ohlcv { close: candle.close.to_f64(), ..Ohlcv::EMPTY };
            self.frames[0].run(&mut state.frames[0], &close);
        } else {
            self.update_ohlcv(state, &Ohlcv::from(candle));
        }
    }

    pub(crate) fn update_ohlcv(&self, state: &mut State, candle: &Ohlcv) {
        if self.frames.len() > 1 {
            self.update_folds(state, candle);
            let (base, higher) = state.frames.split_at_mut(1);
            self.frames[0].read_higher(&mut base[0], higher);
        }
        self.frames[0].run(&mut state.frames[0], candle);
    }

    /// Folds the candle into the higher timeframes and runs those that it, or its absence before, has closed.
    fn update_folds(&self, state: &mut State, candle: &Ohlcv) {
        let Some(base) = state.base.timeframe() else { return };
        let calendar = state.calendar;
        let closes_at = calendar.window(base, candle.open_time).close_time;
        for ((frame, fold), frame_state) in self.frames[1..].iter().zip(&mut state.folds).zip(&mut state.frames[1..]) {
            fold.push(candle, closes_at, calendar, |closed| frame.run(frame_state, closed));
        }
    }

    /// The value of each output after the newest candle.
    pub(crate) fn output(&self, state: &State, index: usize) -> f64 {
        state.frames[0].value(self.outputs[index])
    }
    /// Appends the values of all outputs after the newest candle.
    #[inline]
    pub(crate) fn read_outputs(&self, state: &State, row: &mut Vec<f64>) {
        let values = &state.frames[0].values.0;
        for (from, len) in &self.runs {
            row.extend_from_slice(&values[*from as usize..(*from + *len) as usize]);
        }
    }
    pub(crate) fn outputs(&self) -> &[Slot] {
        &self.outputs
    }
    pub(crate) fn base(&self) -> &Frame {
        &self.frames[0]
    }
    /// Whether an indicator, by its number, is called in any timeframe.
    pub(crate) fn calls(&self, number: u16) -> bool {
        let is_it = |op: &Op| matches!(op, Op::Call { entry, .. } if *entry == number);
        self.frames.iter().any(|frame| frame.graph.ops().iter().any(is_it))
    }
    /// The value of a slot that may depend on the entry price.
    pub(crate) fn evaluate_late(&self, state: &State, slot: Slot, entry: f64) -> f64 {
        self.frames[0].evaluate_late(&state.frames[0], slot, entry)
    }
    /// Every value of the base candles that is computed, in order of computation; of patterns and structure what is read.
    pub(crate) fn trace(&self, state: &State) -> Vec<TraceValue> {
        let graph = &self.frames[0].graph;
        let read = graph.read();
        (0..graph.len() as Slot)
            .filter(|slot| !graph.is_hidden(*slot) || read[*slot as usize] || self.outputs.contains(slot))
            .filter(|slot| {
                !graph.is_late(*slot)
                    && !matches!(graph.ops()[*slot as usize], Op::Number(_) | Op::Bool(_) | Op::Label(..))
            })
            .map(|slot| TraceValue {
                expr: graph.text(slot).to_owned(),
                value: Value::of(state.frames[0].value(slot), graph.is_bool(slot)),
            })
            .collect()
    }
    pub(crate) fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

impl State {
    /// Every slot of the base candles.
    #[inline]
    pub(crate) fn values(&self) -> &[f64] {
        &self.frames[0].values.0
    }
    /// For a market with sessions; told before the first candle.
    pub(crate) fn in_calendar(mut self, calendar: Calendar) -> Self {
        self.calendar = calendar;
        self.frames.iter_mut().for_each(|frame| frame.set_calendar(calendar));
        self
    }
    #[inline]
    pub(crate) fn value(&self, slot: Slot) -> f64 {
        self.frames[0].value(slot)
    }
}
