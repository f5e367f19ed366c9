//! The steps as data: deduplicated on the way in, so that `ema(close, 20)` in two rules is one indicator.

use std::collections::HashMap;
use std::fmt::Write as _;

use cw_core::Timeframe;

use crate::expr::BinaryOp;
use crate::indicators;

/// Number of a value within a frame.
pub(crate) type Slot = u32;

/// A float that can be a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Bits(u64);

impl From<f64> for Bits {
    fn from(value: f64) -> Self {
        Self(value.to_bits())
    }
}
impl Bits {
    pub(crate) fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    Open,
    High,
    Low,
    Close,
    Volume,
    Hl2,
    Hlc3,
    Ohlc4,
}

impl Source {
    pub(crate) const ALL: [(&'static str, Self, &'static str); 8] = [
        ("open", Self::Open, "first price of the candle"),
        ("high", Self::High, "highest price"),
        ("low", Self::Low, "lowest price"),
        ("close", Self::Close, "last price"),
        ("volume", Self::Volume, "traded volume"),
        ("hl2", Self::Hl2, "(high + low) / 2"),
        ("hlc3", Self::Hlc3, "(high + low + close) / 3"),
        ("ohlc4", Self::Ohlc4, "(open + high + low + close) / 4"),
    ];
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, ..)| *known == name).map(|(_, source, _)| *source)
    }
    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, source, _)| *source == self).map_or("", |(name, ..)| name)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum UnaryOp {
    Negate,
    Not,
    Abs,
    Sqrt,
    Log,
    Exp,
}

impl UnaryOp {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Negate => "-",
            Self::Not => "not",
            Self::Abs => "abs",
            Self::Sqrt => "sqrt",
            Self::Log => "log",
            Self::Exp => "exp",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum CrossOp {
    Above,
    Below,
    Either,
}

impl CrossOp {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Above => "cross_above",
            Self::Below => "cross_below",
            Self::Either => "crosses",
        }
    }
}

/// What fills a slot.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Op {
    Number(Bits),
    Bool(bool),
    /// A constant with a name: a label of the regime.
    Label(&'static str, Bits),
    Source(Source),
    /// An indicator's first output; the others are [`Op::Part`] in the slots behind it.
    Call {
        entry: u16,
        params: Vec<Bits>,
        /// As many as the indicator has sources.
        inputs: [Option<Slot>; 2],
    },
    Part {
        call: Slot,
        output: u8,
    },
    Unary(UnaryOp, Slot),
    Binary(BinaryOp, Slot, Slot),
    Select {
        condition: Slot,
        yes: Slot,
        no: Slot,
    },
    Cross(CrossOp, Slot, Slot),
    History {
        input: Slot,
        lag: u32,
    },
    /// A slot of a higher timeframe's frame, as of its last closed candle.
    Higher {
        frame: u32,
        slot: Slot,
        timeframe: Timeframe,
    },
    /// The price at which the position was entered: known to stop and target only.
    EntryPrice,
}

impl Op {
    /// The slots of the same timeframe that it reads.
    fn operands(&self, mut read: impl FnMut(Slot)) {
        match self {
            Self::Number(_)
            | Self::Bool(_)
            | Self::Label(..)
            | Self::Source(_)
            | Self::EntryPrice
            | Self::Higher { .. } => {}
            Self::Call { inputs, .. } => inputs.iter().flatten().for_each(|input| read(*input)),
            Self::Part { call: a, .. } | Self::Unary(_, a) | Self::History { input: a, .. } => read(*a),
            Self::Binary(_, a, b) | Self::Cross(_, a, b) => {
                read(*a);
                read(*b);
            }
            Self::Select { condition, yes, no } => {
                read(*condition);
                read(*yes);
                read(*no);
            }
        }
    }
}

/// The operations of one timeframe.
#[derive(Debug, Clone, Default)]
pub(crate) struct Graph {
    timeframe: Option<Timeframe>,
    ops: Vec<Op>,
    texts: Vec<String>,
    is_bool: Vec<bool>,
    /// Depends on [`Op::EntryPrice`]: evaluated on demand, never per candle.
    late: Vec<bool>,
    known: HashMap<Op, Slot>,
}

impl Graph {
    pub(crate) fn on(timeframe: Timeframe) -> Self {
        Self { timeframe: Some(timeframe), ..Self::default() }
    }
    pub(crate) fn timeframe(&self) -> Option<Timeframe> {
        self.timeframe
    }
    pub(crate) fn ops(&self) -> &[Op] {
        &self.ops
    }
    pub(crate) fn text(&self, slot: Slot) -> &str {
        &self.texts[slot as usize]
    }
    pub(crate) fn is_bool(&self, slot: Slot) -> bool {
        self.is_bool[slot as usize]
    }
    pub(crate) fn is_late(&self, slot: Slot) -> bool {
        self.late[slot as usize]
    }
    pub(crate) fn len(&self) -> usize {
        self.ops.len()
    }
    /// The slots that something reads; of the many outputs of a hidden call that is a few.
    pub(crate) fn read(&self) -> Vec<bool> {
        let mut read = vec![false; self.ops.len()];
        for op in self.ops.iter().filter(|op| !matches!(op, Op::Part { .. })) {
            op.operands(|slot| read[slot as usize] = true);
        }
        read
    }
    /// Whether a slot is an output of a call that has other names than its own: patterns or structure.
    pub(crate) fn is_hidden(&self, slot: Slot) -> bool {
        match &self.ops[slot as usize] {
            Op::Call { entry, .. } => *entry >= indicators::STRUCTURE,
            Op::Part { call, .. } => self.is_hidden(*call),
            _ => false,
        }
    }

    /// The slot that `op` fills, an existing one where the same was asked for before. `text` is only called for a
    /// value that comes from another frame.
    pub(crate) fn add(&mut self, op: Op, higher: Option<(&str, bool)>) -> Slot {
        if let Some(slot) = self.known.get(&op) {
            return *slot;
        }
        let slot = self.ops.len() as Slot;
        let text = self.describe(&op, higher);
        let is_bool = match &op {
            Op::Bool(_) | Op::Unary(UnaryOp::Not, _) | Op::Cross(..) => true,
            Op::Binary(op, ..) => op.power() <= BinaryOp::Less.power(),
            Op::Select { yes, .. } => self.is_bool(*yes),
            Op::History { input, .. } => self.is_bool(*input),
            Op::Higher { .. } => higher.is_some_and(|(_, is_bool)| is_bool),
            _ => false,
        };
        let late = match &op {
            Op::EntryPrice => true,
            Op::Unary(_, a) | Op::History { input: a, .. } => self.is_late(*a),
            Op::Binary(_, a, b) | Op::Cross(_, a, b) => self.is_late(*a) || self.is_late(*b),
            Op::Select { condition, yes, no } => self.is_late(*condition) || self.is_late(*yes) || self.is_late(*no),
            _ => false,
        };
        self.push(op.clone(), text, is_bool, late);
        if let Op::Call { entry, .. } = &op {
            let base = self.texts[slot as usize].clone();
            let outputs = indicators::numbered(*entry).spec.outputs;
            for (index, output) in outputs.iter().enumerate() {
                let text = match output.name {
                    _ if *entry == indicators::STRUCTURE => indicators::market::wording(index),
                    "" => base.clone(),
                    name if *entry == indicators::PATTERNS => format!("pattern({name})"),
                    name => format!("{base}.{name}"),
                };
                if index == 0 {
                    self.texts[slot as usize] = text;
                } else {
                    self.push(Op::Part { call: slot, output: index as u8 }, text, false, false);
                }
            }
        }
        self.known.insert(op, slot);
        slot
    }

    fn push(&mut self, op: Op, text: String, is_bool: bool, late: bool) {
        self.ops.push(op);
        self.texts.push(text);
        self.is_bool.push(is_bool);
        self.late.push(late);
    }

    /// The operation in the language's own words.
    fn describe(&self, op: &Op, higher: Option<(&str, bool)>) -> String {
        match op {
            Op::Number(number) => number.get().to_string(),
            Op::Bool(value) => value.to_string(),
            Op::Label(label, _) => format!("\"{label}\""),
            Op::Source(source) => source.name().to_owned(),
            Op::Call { entry, params, inputs } => {
                let mut text = format!("{}(", indicators::numbered(*entry).spec.name);
                let mut separator = "";
                for input in inputs.iter().flatten() {
                    text.push_str(separator);
                    text.push_str(self.text(*input));
                    separator = ", ";
                }
                for param in params {
                    // Writing to a String cannot fail.
                    let _ = write!(text, "{separator}{}", param.get());
                    separator = ", ";
                }
                text.push(')');
                text
            }
            Op::Part { .. } => String::new(),
            Op::Unary(UnaryOp::Negate, a) => format!("-{}", self.wrapped(*a, crate::expr::NEGATE_POWER)),
            Op::Unary(UnaryOp::Not, a) => format!("not {}", self.wrapped(*a, crate::expr::NOT_POWER)),
            Op::Unary(op, a) => format!("{}({})", op.name(), self.text(*a)),
            Op::Binary(op @ (BinaryOp::Min | BinaryOp::Max), a, b) => {
                format!("{}({}, {})", op.symbol(), self.text(*a), self.text(*b))
            }
            Op::Binary(op, a, b) => {
                let power = op.power();
                // Comparisons do not chain, so an inner one needs brackets on both sides.
                let left = if power == BinaryOp::Less.power() { power + 1 } else { power };
                format!("{} {} {}", self.wrapped(*a, left), op.symbol(), self.wrapped(*b, power + 1))
            }
            Op::Select { condition, yes, no } => {
                format!("if({}, {}, {})", self.text(*condition), self.text(*yes), self.text(*no))
            }
            Op::Cross(op, a, b) => format!("{}({}, {})", op.name(), self.text(*a), self.text(*b)),
            Op::History { input, lag } => format!("{}[{lag}]", self.wrapped(*input, u8::MAX - 1)),
            Op::Higher { timeframe, .. } => format!("on(\"{timeframe}\", {})", higher.map_or("", |(text, _)| text)),
            Op::EntryPrice => "entry".to_owned(),
        }
    }

    /// The text of a slot, in brackets where an operator of `power` would tear it apart.
    fn wrapped(&self, slot: Slot, power: u8) -> String {
        let own = match &self.ops[slot as usize] {
            Op::Binary(op, ..) => op.power(),
            Op::Unary(UnaryOp::Negate, _) => crate::expr::NEGATE_POWER,
            Op::Unary(UnaryOp::Not, _) => crate::expr::NOT_POWER,
            Op::Number(number) if number.get().is_sign_negative() => crate::expr::NEGATE_POWER,
            _ => u8::MAX,
        };
        let own = if matches!(self.ops[slot as usize], Op::Binary(BinaryOp::Min | BinaryOp::Max, ..)) {
            u8::MAX
        } else {
            own
        };
        if own < power { format!("({})", self.text(slot)) } else { self.text(slot).to_owned() }
    }
}

/// Which slots of each graph the outputs depend on.
fn live(graphs: &[Graph], outputs: &[Slot]) -> Vec<Vec<bool>> {
    let mut live: Vec<Vec<bool>> = graphs.iter().map(|graph| vec![false; graph.len()]).collect();
    for output in outputs {
        live[0][*output as usize] = true;
    }
    // Operands come before what uses them, and the base frame before those it reads: one backward pass each.
    for frame in 0..graphs.len() {
        for slot in (0..graphs[frame].len()).rev() {
            if !live[frame][slot] {
                continue;
            }
            graphs[frame].ops[slot].operands(|operand| live[frame][operand as usize] = true);
            if let Op::Higher { frame, slot, .. } = &graphs[frame].ops[slot] {
                live[*frame as usize][*slot as usize] = true;
            }
        }
    }
    live
}

/// Leaves out what no output depends on (a rule that a parameter switched off) and renumbers the rest, so that equal
/// programs are equal however they were written. `outputs` are renumbered with it.
pub(crate) fn compact(graphs: Vec<Graph>, outputs: &mut [Slot]) -> Vec<Graph> {
    let live = live(&graphs, outputs);
    let kept = |graph: &Graph, live: &[bool], slot: usize| match graph.ops[slot] {
        // All outputs of an indicator stay together.
        Op::Part { call, .. } => live[call as usize],
        _ => live[slot],
    };
    let numbers: Vec<Vec<Slot>> = (graphs.iter().zip(&live))
        .map(|(graph, live)| {
            let mut next = 0;
            let number = |slot| {
                let own = next;
                next += Slot::from(kept(graph, live, slot));
                own
            };
            (0..graph.len()).map(number).collect()
        })
        .collect();
    for output in outputs {
        *output = numbers[0][*output as usize];
    }
    // A timeframe that nothing reads is not folded either. The base stays, even if it is empty.
    let used: Vec<bool> = live.iter().enumerate().map(|(frame, live)| frame == 0 || live.contains(&true)).collect();
    let frame_number = |frame: u32| used[..frame as usize].iter().filter(|used| **used).count() as u32;
    let renumber = |frame: usize, graph: &Graph, live: &[bool]| {
        let at = |slot: &Slot| numbers[frame][*slot as usize];
        let mut compact = Graph { timeframe: graph.timeframe, ..Graph::default() };
        for slot in (0..graph.len()).filter(|slot| kept(graph, live, *slot)) {
            let op = match &graph.ops[slot] {
                Op::Number(_) | Op::Bool(_) | Op::Label(..) | Op::Source(_) | Op::EntryPrice => graph.ops[slot].clone(),
                Op::Call { entry, params, inputs } => {
                    let inputs = inputs.map(|input| input.as_ref().map(at));
                    Op::Call { entry: *entry, params: params.clone(), inputs }
                }
                Op::Part { call, output } => Op::Part { call: at(call), output: *output },
                Op::Unary(op, a) => Op::Unary(*op, at(a)),
                Op::Binary(op, a, b) => Op::Binary(*op, at(a), at(b)),
                Op::Select { condition, yes, no } => Op::Select { condition: at(condition), yes: at(yes), no: at(no) },
                Op::Cross(op, a, b) => Op::Cross(*op, at(a), at(b)),
                Op::History { input, lag } => Op::History { input: at(input), lag: *lag },
                Op::Higher { frame, slot, timeframe } => {
                    let slot = numbers[*frame as usize][*slot as usize];
                    Op::Higher { frame: frame_number(*frame), slot, timeframe: *timeframe }
                }
            };
            compact.push(op, graph.texts[slot].clone(), graph.is_bool[slot], graph.late[slot]);
        }
        compact
    };
    (0..graphs.len()).filter(|frame| used[*frame]).map(|frame| renumber(frame, &graphs[frame], &live[frame])).collect()
}

/// Changes when what the steps and indicators remember changes its shape, so that no state of an older shape fits.
const STATE_SHAPE: u8 = 5;

/// FNV-1a over the words of all operations: the same program has the same fingerprint on every machine.
pub(crate) fn fingerprint(graphs: &[Graph], outputs: &[Slot]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    let mut feed = |bytes: &[u8]| {
        for byte in bytes {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    feed(&[STATE_SHAPE]);
    for graph in graphs {
        feed(graph.timeframe.map(|timeframe| timeframe.to_string()).unwrap_or_default().as_bytes());
        for (slot, text) in graph.texts.iter().enumerate() {
            feed(text.as_bytes());
            feed(&[0, u8::from(graph.late[slot])]);
        }
        feed(&[1]);
    }
    for output in outputs {
        feed(&output.to_le_bytes());
    }
    hash
}
