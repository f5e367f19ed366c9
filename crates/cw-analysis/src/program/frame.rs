//! Running the steps of one timeframe.

use std::ops::Range;

use cw_core::{Calendar, Timeframe, Timestamp};
use serde::{Deserialize, Serialize};

use super::batch::Layout;
use super::graph::{CrossOp, Graph, Op, Slot, Source, UnaryOp};
use super::reach::{self, StepReach};
use crate::expr::BinaryOp;
use crate::indicator::Indicator;
use crate::indicators::{self, Cell};
use crate::ohlcv::Ohlcv;
use crate::wide::{Width, wide};
use crate::window::{Ring, Values};

/// One operation with the numbers of its operands, of the slot it fills and of its state.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Step {
    Source { source: Source, out: Slot },
    Call { cell: u32, inputs: [Slot; 2], out: Slot, width: u32 },
    Unary { op: UnaryOp, a: Slot, out: Slot },
    Binary { op: BinaryOp, a: Slot, b: Slot, out: Slot },
    Select { condition: Slot, yes: Slot, no: Slot, out: Slot },
    Cross { op: CrossOp, a: Slot, b: Slot, memory: u32, out: Slot },
    History { ring: u32, input: Slot, out: Slot },
}

impl Step {
    /// The slots that it fills.
    #[inline]
    pub(crate) fn fills(&self) -> Range<Slot> {
        match *self {
            Self::Call { out, width, .. } => out..out + width,
            Self::Source { out, .. }
            | Self::Unary { out, .. }
            | Self::Binary { out, .. }
            | Self::Select { out, .. }
            | Self::Cross { out, .. }
            | Self::History { out, .. } => out..out + 1,
        }
    }
}

/// What runs for one candle at a time.
#[derive(Debug, Clone, Copy)]
enum Joined {
    One(Step),
    EmaCross(EmaCross),
}

/// The commonest rule as one step: two EMAs of a source and their crossings, both ways.
#[derive(Debug, Clone, Copy)]
struct EmaCross {
    source: Source,
    /// Slots of the source, the two averages, and their crossings.
    input: Slot,
    averages: [Slot; 2],
    crossings: [Slot; 2],
    cells: [u32; 2],
    memory: [u32; 2],
}

#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) graph: Graph,
    /// One operation each, for batches.
    pub(crate) steps: Vec<Step>,
    /// The same work in fewer steps.
    joined: Vec<Joined>,
    pub(crate) higher: Vec<Higher>,
    initial: FrameState,
    /// How far back each step remembers.
    reaches: Vec<StepReach>,
    narrow: Layout,
}

/// Copies a slot of a higher frame (numbered from 0) into one of ours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Higher {
    pub(crate) frame: u32,
    pub(crate) slot: Slot,
    pub(crate) out: Slot,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct FrameState {
    pub(crate) values: Values,
    pub(crate) cells: Vec<Cell>,
    pub(crate) rings: Vec<Ring>,
    /// The last difference of each crossing pair.
    pub(crate) memory: Values,
}

impl FrameState {
    #[inline]
    pub(crate) fn value(&self, slot: Slot) -> f64 {
        self.values.0[slot as usize]
    }
    pub(crate) fn set_calendar(&mut self, calendar: Calendar) {
        self.cells.iter_mut().for_each(|cell| cell.set_calendar(calendar));
    }
}

impl Frame {
    pub(crate) fn new(graph: Graph) -> Self {
        let mut steps = Vec::new();
        let mut higher = Vec::new();
        let mut state = FrameState {
            values: Values(vec![f64::NAN; graph.len()]),
            cells: Vec::new(),
            rings: Vec::new(),
            memory: Values(Vec::new()),
        };
        for (slot, op) in graph.ops().iter().enumerate() {
            let out = slot as Slot;
            if graph.is_late(out) {
                continue;
            }
            match op {
                Op::Number(number) | Op::Label(_, number) => state.values.0[slot] = number.get(),
                Op::Bool(value) => state.values.0[slot] = f64::from(u8::from(*value)),
                Op::Source(source) => steps.push(Step::Source { source: *source, out }),
                Op::Call { entry, params, inputs } => {
                    let entry = indicators::numbered(*entry);
                    let params: Vec<f64> = params.iter().map(|param| param.get()).collect();
                    let cell = state.cells.len() as u32;
                    state.cells.push(entry.build(&params));
                    let width = entry.spec.outputs.len() as u32;
                    let inputs = inputs.map(|input| input.unwrap_or(0));
                    steps.push(Step::Call { cell, inputs, out, width });
                }
                Op::Part { .. } | Op::EntryPrice => {}
                Op::Unary(op, a) => steps.push(Step::Unary { op: *op, a: *a, out }),
                Op::Binary(op, a, b) => steps.push(Step::Binary { op: *op, a: *a, b: *b, out }),
                Op::Select { condition, yes, no } => {
                    steps.push(Step::Select { condition: *condition, yes: *yes, no: *no, out });
                }
                Op::Cross(op, a, b) => {
                    let memory = state.memory.0.len() as u32;
                    state.memory.0.push(f64::NAN);
                    steps.push(Step::Cross { op: *op, a: *a, b: *b, memory, out });
                }
                Op::History { input, lag } => {
                    let ring = state.rings.len() as u32;
                    state.rings.push(Ring::full_of(*lag as usize, f64::NAN));
                    steps.push(Step::History { ring, input: *input, out });
                }
                Op::Higher { frame, slot, .. } => higher.push(Higher { frame: frame - 1, slot: *slot, out }),
            }
        }
        let joined = Self::join(&steps, &state.cells);
        let reaches: Vec<StepReach> = steps.iter().map(|step| StepReach::of(&graph, step)).collect();
        let narrow = Layout::narrow(&reaches, graph.len());
        Self { graph, steps, joined, higher, initial: state, reaches, narrow }
    }

    pub(crate) fn timeframe(&self) -> Option<Timeframe> {
        self.graph.timeframe()
    }
    /// Whether a slot holds a price or the volume of the candle, or a mean of its prices.
    #[inline]
    pub(crate) fn is_source(&self, slot: Slot) -> bool {
        matches!(self.graph.ops().get(slot as usize), Some(Op::Source(_)))
    }
    /// The price or volume in a slot that is a column of the candles.
    #[inline]
    pub(crate) fn plain_source(&self, slot: Slot) -> Option<Source> {
        match self.graph.ops().get(slot as usize) {
            Some(Op::Source(Source::Hl2 | Source::Hlc3 | Source::Ohlc4)) => None,
            Some(Op::Source(source)) => Some(*source),
            _ => None,
        }
    }
    pub(crate) fn new_state(&self) -> FrameState {
        self.initial.clone()
    }
    /// The columns of a batch that gives no columns.
    pub(super) fn narrow(&self) -> &Layout {
        &self.narrow
    }
    /// For each step the row at which it may begin, so that all is as it would be after `rows` candles from the first.
    pub(crate) fn starts(&self, rows: usize) -> Vec<usize> {
        reach::starts(&self.reaches, rows)
    }
    pub(crate) fn fits(&self, state: &FrameState) -> bool {
        self.initial.values.0.len() == state.values.0.len()
            && self.initial.cells.len() == state.cells.len()
            && self.initial.rings.len() == state.rings.len()
            && self.initial.memory.0.len() == state.memory.0.len()
    }

    /// The steps for one candle at a time: as many as possible joined into one, because a step costs more than what it
    /// computes. Batch computation wants them separate.
    fn join(steps: &[Step], cells: &[Cell]) -> Vec<Joined> {
        let is_ema = |cell: u32| matches!(cells[cell as usize], Cell::Ema(_));
        let mut joined = Vec::with_capacity(steps.len());
        let mut rest = steps;
        while let [first, after @ ..] = rest {
            match *rest {
                [
                    Step::Source { source, out: input },
                    Step::Call { cell: cell_a, inputs: [input_a, _], out: a, .. },
                    Step::Call { cell: cell_b, inputs: [input_b, _], out: b, .. },
                    Step::Cross { op: CrossOp::Above, a: above_a, b: above_b, memory: memory_a, out: above },
                    Step::Cross { op: CrossOp::Below, a: below_a, b: below_b, memory: memory_b, out: below },
                    ..,
                ] if is_ema(cell_a)
                    && is_ema(cell_b)
                    && [input_a, input_b] == [input, input]
                    && [above_a, above_b, below_a, below_b] == [a, b, a, b] =>
                {
                    joined.push(Joined::EmaCross(EmaCross {
                        source,
                        input,
                        averages: [a, b],
                        crossings: [above, below],
                        cells: [cell_a, cell_b],
                        memory: [memory_a, memory_b],
                    }));
                    rest = &rest[5..];
                }
                _ => {
                    joined.push(Joined::One(*first));
                    rest = after;
                }
            }
        }
        joined
    }

    /// Copies what the higher timeframes last said.
    pub(crate) fn read_higher(&self, state: &mut FrameState, higher: &[FrameState]) {
        for copy in &self.higher {
            state.values.0[copy.out as usize] = higher[copy.frame as usize].value(copy.slot);
        }
    }

    #[inline]
    pub(crate) fn run(&self, state: &mut FrameState, candle: &Ohlcv) {
        run(&self.joined, state, candle);
    }

    /// The value of a slot that may depend on the entry price.
    pub(crate) fn evaluate_late(&self, state: &FrameState, slot: Slot, entry: f64) -> f64 {
        if !self.graph.is_late(slot) {
            return state.value(slot);
        }
        let at = |slot: Slot| self.evaluate_late(state, slot, entry);
        match &self.graph.ops()[slot as usize] {
            Op::EntryPrice => entry,
            Op::Unary(op, a) => unary(*op, at(*a)),
            Op::Binary(op, a, b) => binary(*op, at(*a), at(*b)),
            Op::Select { condition, yes, no } => select(at(*condition), at(*yes), at(*no)),
            // The compiler lets no operation with memory depend on the entry price.
            _ => f64::NAN,
        }
    }
}

wide! {
    /// All steps for one candle.
    fn run(joined: &[Joined], state: &mut FrameState, candle: &Ohlcv) {
        let processor = Width::of_processor();
        let FrameState { values: Values(values), cells, rings, memory: Values(memory) } = state;
        for joined in joined {
            let step = match joined {
                Joined::One(step) => *step,
                Joined::EmaCross(step) => {
                    step.run(values, cells, memory, candle);
                    continue;
                }
            };
            match step {
                Step::Source { source, out } => values[out as usize] = read_source(source, candle),
                Step::Call { cell, inputs, out, width } => {
                    let inputs = inputs.map(|input| values[input as usize]);
                    let outputs = &mut values[out as usize..(out + width) as usize];
                    cells[cell as usize].update(processor, candle, inputs, outputs);
                }
                Step::Unary { op, a, out } => values[out as usize] = unary(op, values[a as usize]),
                Step::Binary { op, a, b, out } => {
                    values[out as usize] = binary(op, values[a as usize], values[b as usize]);
                }
                Step::Select { condition, yes, no, out } => {
                    values[out as usize] =
                        select(values[condition as usize], values[yes as usize], values[no as usize]);
                }
                Step::Cross { op, a, b, memory: at, out } => {
                    let difference = values[a as usize] - values[b as usize];
                    let previous = std::mem::replace(&mut memory[at as usize], difference);
                    values[out as usize] = cross(op, previous, difference);
                }
                Step::History { ring, input, out } => {
                    values[out as usize] = rings[ring as usize].push(values[input as usize]);
                }
            }
        }
    }
}

impl EmaCross {
    #[inline(always)]
    fn run(&self, values: &mut [f64], cells: &mut [Cell], memory: &mut [f64], candle: &Ohlcv) {
        let [a, b] = self.cells.map(|cell| cell as usize);
        let Ok([Cell::Ema(a), Cell::Ema(b)]) = cells.get_disjoint_mut([a, b]) else { return };
        // A source is finite, so it needs no check on its way into the averages.
        let value = read_source(self.source, candle);
        let ([a], [b]) = (a.update(value), b.update(value));
        let difference = a - b;
        let [above, below] = self.memory.map(|at| at as usize);
        let previous = std::mem::replace(&mut memory[above], difference);
        memory[below] = difference;
        values[self.input as usize] = value;
        values[self.averages[0] as usize] = a;
        values[self.averages[1] as usize] = b;
        values[self.crossings[0] as usize] = cross(CrossOp::Above, previous, difference);
        values[self.crossings[1] as usize] = cross(CrossOp::Below, previous, difference);
    }
}

#[inline]
pub(crate) fn read_source(source: Source, candle: &Ohlcv) -> f64 {
    match source {
        Source::Open => candle.open,
        Source::High => candle.high,
        Source::Low => candle.low,
        Source::Close => candle.close,
        Source::Volume => candle.volume,
        Source::Hl2 => 0.5 * (candle.high + candle.low),
        Source::Hlc3 => candle.typical(),
        Source::Ohlc4 => (candle.open + candle.high + candle.low + candle.close) / 4.0,
    }
}

#[inline]
pub(crate) fn unary(op: UnaryOp, a: f64) -> f64 {
    match op {
        UnaryOp::Negate => -a,
        UnaryOp::Not => 1.0 - a,
        UnaryOp::Abs => a.abs(),
        UnaryOp::Sqrt => a.sqrt(),
        UnaryOp::Log => libm::log(a),
        UnaryOp::Exp => libm::exp(a),
    }
}

#[inline]
fn truth(known: bool, value: bool) -> f64 {
    if known { f64::from(u8::from(value)) } else { f64::NAN }
}

#[inline]
pub(crate) fn binary(op: BinaryOp, a: f64, b: f64) -> f64 {
    let known = !(a.is_nan() || b.is_nan());
    match op {
        // False decides an `and` and true an `or`, whatever the unknown other side turns out to be.
        BinaryOp::And => {
            if a == 0.0 || b == 0.0 {
                0.0
            } else {
                a * b
            }
        }
        BinaryOp::Or => {
            if a == 1.0 || b == 1.0 {
                1.0
            } else {
                a + b
            }
        }
        BinaryOp::Less => truth(known, a < b),
        BinaryOp::LessEqual => truth(known, a <= b),
        BinaryOp::Greater => truth(known, a > b),
        BinaryOp::GreaterEqual => truth(known, a >= b),
        BinaryOp::Equal => truth(known, a == b),
        BinaryOp::NotEqual => truth(known, a != b),
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div => a / b,
        BinaryOp::Min => {
            if known {
                if b < a { b } else { a }
            } else {
                f64::NAN
            }
        }
        BinaryOp::Max => {
            if known {
                if b > a { b } else { a }
            } else {
                f64::NAN
            }
        }
    }
}

#[inline]
pub(crate) fn select(condition: f64, yes: f64, no: f64) -> f64 {
    if condition == 1.0 {
        yes
    } else if condition == 0.0 {
        no
    } else {
        f64::NAN
    }
}

/// `previous` and `now` are differences a − b; a cross begins at a ≤ b and ends above it.
#[inline]
pub(crate) fn cross(op: CrossOp, previous: f64, now: f64) -> f64 {
    let known = !(previous.is_nan() || now.is_nan());
    let above = previous <= 0.0 && now > 0.0;
    let below = previous >= 0.0 && now < 0.0;
    match op {
        CrossOp::Above => truth(known, above),
        CrossOp::Below => truth(known, below),
        CrossOp::Either => truth(known, above || below),
    }
}

/// A higher timeframe's candle in the making.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fold {
    timeframe: Timeframe,
    candle: Option<Ohlcv>,
    closes_at: Timestamp,
}

impl Fold {
    pub(crate) fn new(timeframe: Timeframe) -> Self {
        Self { timeframe, candle: None, closes_at: Timestamp::MIN }
    }

    /// Takes the next base candle, which closes at `closes_at`. A higher candle is closed by the base candle that ends
    /// with it or, where that one is missing, by the first one after it. What is outside of the sessions is in none whose
    /// timeframe is counted from their beginning.
    pub(crate) fn push(
        &mut self,
        base: &Ohlcv,
        closes_at: Timestamp,
        calendar: Calendar,
        mut closed: impl FnMut(&Ohlcv),
    ) {
        if base.open_time >= self.closes_at
            && let Some(candle) = self.candle.take()
        {
            closed(&candle);
        }
        if let Some(candle) = &mut self.candle {
            candle.high = candle.high.max(base.high);
            candle.low = candle.low.min(base.low);
            candle.close = base.close;
            candle.volume += base.volume;
        } else {
            let window = calendar.window(self.timeframe, base.open_time);
            if window.shut {
                return;
            }
            self.closes_at = window.close_time;
            self.candle = Some(Ohlcv { open_time: window.open_time, ..*base });
        }
        if closes_at >= self.closes_at
            && let Some(candle) = self.candle.take()
        {
            closed(&candle);
        }
    }
}
