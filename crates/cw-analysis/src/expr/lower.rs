//! Syntax tree to graph: names, types, constants and limits are settled here.

mod calls;
mod names;
mod outputs;
mod past;

use std::collections::BTreeMap;

use super::error::{ExprError, Span};
use super::parse::{BinaryOp, Node, NodeKind};
use super::{Kind, functions};
use crate::indicator::MAX_PERIOD;
use crate::program::{CrossOp, Graph, Op, Slot, Source, UnaryOp};

pub(crate) use names::signature;

/// Most operations in one program, over all its expressions.
const MAX_OPS: usize = 4_096;
/// Longest canonical wording of one value, in bytes.
const MAX_WORDING: usize = 65_536;
/// Most values that all indicators of one program remember together (8 bytes each).
const MAX_MEMORY: usize = 2_000_000;
/// Most timeframes besides the base.
const MAX_TIMEFRAMES: usize = 8;

/// What an indicator reads where no source is named.
const DEFAULT_SOURCES: [Source; 2] = [Source::Close, Source::Volume];

/// A parameter's value inside expressions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Constant {
    Number(f64),
    Bool(bool),
}

impl Constant {
    fn kind(self) -> Kind {
        match self {
            Self::Number(_) => Kind::Number,
            Self::Bool(_) => Kind::Bool,
        }
    }
    fn as_f64(self) -> f64 {
        match self {
            Self::Number(number) => number,
            Self::Bool(value) => f64::from(u8::from(value)),
        }
    }
}

/// What a node came to.
#[derive(Debug, Clone, Copy)]
enum Value {
    Constant(Constant),
    Slot { slot: Slot, kind: Kind, late: bool },
}

impl Value {
    fn kind(self) -> Kind {
        match self {
            Self::Constant(constant) => constant.kind(),
            Self::Slot { kind, .. } => kind,
        }
    }
}

/// Lowers the expressions of one program into shared graphs.
pub(crate) struct Lowering<'a> {
    params: &'a BTreeMap<String, Constant>,
    graphs: Vec<Graph>,
    frame: usize,
    entry_allowed: bool,
    memory: usize,
}

impl<'a> Lowering<'a> {
    pub(crate) fn new(params: &'a BTreeMap<String, Constant>) -> Self {
        Self { params, graphs: vec![Graph::default()], frame: 0, entry_allowed: false, memory: 0 }
    }

    /// A slot that is always false.
    pub(crate) fn never(&mut self) -> Slot {
        self.graphs[0].add(Op::Bool(false), None)
    }

    pub(crate) fn into_graphs(self) -> Vec<Graph> {
        self.graphs
    }

    /// Lowers one expression that must be of `kind`, if one is asked for. With `entry_allowed` it may use the entry
    /// price and is then not evaluated per candle.
    pub(crate) fn lower(
        &mut self,
        node: &Node,
        kind: Option<Kind>,
        entry_allowed: bool,
    ) -> Result<(Slot, Kind), ExprError> {
        self.entry_allowed = entry_allowed;
        let value = self.value(node)?;
        if let Some(kind) = kind {
            expect_kind(value, kind, node.span)?;
        }
        Ok((self.slot(value), value.kind()))
    }

    /// All outputs of an indicator called at the top, with the suffix of each; one value for anything else.
    pub(crate) fn lower_study(&mut self, node: &Node) -> Result<Vec<(Slot, &'static str)>, ExprError> {
        self.entry_allowed = false;
        if let Some(called) = self.top_call(node)? {
            let outputs = called.outputs.iter().enumerate();
            return Ok(outputs.map(|(index, output)| (called.first + index as Slot, output.name)).collect());
        }
        let value = self.value(node)?;
        Ok(vec![(self.slot(value), "")])
    }

    fn graph(&mut self) -> &mut Graph {
        &mut self.graphs[self.frame]
    }

    fn slot(&mut self, value: Value) -> Slot {
        match value {
            Value::Slot { slot, .. } => slot,
            Value::Constant(Constant::Number(number)) => self.graph().add(Op::Number(number.into()), None),
            Value::Constant(Constant::Bool(value)) => self.graph().add(Op::Bool(value), None),
        }
    }

    fn add(&mut self, op: Op, span: Span) -> Result<Value, ExprError> {
        let slot = self.graph().add(op, None);
        // `change(change(…))` doubles its wording with every level.
        if self.graph().text(slot).len() > MAX_WORDING {
            return Err(ExprError::new(span, format!("too large: written out, this is over {MAX_WORDING} bytes")));
        }
        if self.graphs.iter().map(Graph::len).sum::<usize>() > MAX_OPS {
            return Err(ExprError::new(span, format!("too large: more than {MAX_OPS} operations")));
        }
        Ok(self.existing(slot))
    }

    fn existing(&mut self, slot: Slot) -> Value {
        let graph = self.graph();
        let kind = if graph.is_bool(slot) { Kind::Bool } else { Kind::Number };
        Value::Slot { slot, kind, late: graph.is_late(slot) }
    }

    fn remember(&mut self, values: usize, span: Span) -> Result<(), ExprError> {
        self.memory += values;
        if self.memory > MAX_MEMORY {
            return Err(ExprError::new(span, "too large: all lengths together exceed what a program may remember"));
        }
        Ok(())
    }

    fn value(&mut self, node: &Node) -> Result<Value, ExprError> {
        match &node.kind {
            NodeKind::Number(number) => Ok(Value::Constant(Constant::Number(*number))),
            NodeKind::Bool(value) => Ok(Value::Constant(Constant::Bool(*value))),
            NodeKind::Text(_) => Err(ExprError::new(
                node.span,
                "text stands only as the timeframe of `on(\"1h\", …)` and as a label of `regime`",
            )),
            NodeKind::Name(name) => self.name(name, node.span),
            NodeKind::Negate(a) => self.unary(UnaryOp::Negate, a, node.span),
            NodeKind::Not(a) => self.unary(UnaryOp::Not, a, node.span),
            NodeKind::Binary(op, a, b) => {
                let (left, right) = match op {
                    BinaryOp::Equal | BinaryOp::NotEqual => self.compared(a, b)?,
                    _ => (self.value(a)?, self.value(b)?),
                };
                Self::check_operands(*op, left, a.span, right, b.span)?;
                self.binary(*op, left, right, node.span)
            }
            NodeKind::Call { name, name_span, args } => self.call(name, *name_span, args, node.span),
            NodeKind::Field { base, name, name_span } => self.field(base, name, *name_span),
            NodeKind::History { base, offset } => self.history(base, offset, node.span),
        }
    }

    fn name(&mut self, name: &str, span: Span) -> Result<Value, ExprError> {
        if let Some(source) = Source::named(name) {
            return self.add(Op::Source(source), span);
        }
        if let Some(constant) = self.params.get(name) {
            return Ok(Value::Constant(*constant));
        }
        if name == "entry" {
            if self.entry_allowed && self.frame == 0 {
                return self.add(Op::EntryPrice, span);
            }
            return Err(ExprError::new(span, "`entry`, the entry price, is known to stop and target only"));
        }
        if let Some(called) = self.called(name, &[], span)? {
            return self.main_output(called, span);
        }
        if let Some(function) = functions::find(name) {
            return Err(
                ExprError::new(span, format!("`{name}` is a function")).hint(format!("write {}", function.signature))
            );
        }
        Err(self.unknown(name, span, "there is no"))
    }

    fn unary(&mut self, op: UnaryOp, operand: &Node, span: Span) -> Result<Value, ExprError> {
        let value = self.value(operand)?;
        let kind = if op == UnaryOp::Not { Kind::Bool } else { Kind::Number };
        expect_kind(value, kind, operand.span)?;
        if let Value::Constant(constant) = value {
            return constant_of(kind, crate::program::unary(op, constant.as_f64()), span);
        }
        let slot = self.slot(value);
        self.add(Op::Unary(op, slot), span)
    }

    fn check_operands(
        op: BinaryOp,
        left: Value,
        left_span: Span,
        right: Value,
        right_span: Span,
    ) -> Result<(), ExprError> {
        match op {
            BinaryOp::And | BinaryOp::Or => {
                expect_kind(left, Kind::Bool, left_span)?;
                expect_kind(right, Kind::Bool, right_span)
            }
            BinaryOp::Equal | BinaryOp::NotEqual => expect_kind(right, left.kind(), right_span),
            _ => {
                expect_kind(left, Kind::Number, left_span)?;
                expect_kind(right, Kind::Number, right_span)
            }
        }
    }

    fn binary(&mut self, op: BinaryOp, left: Value, right: Value, span: Span) -> Result<Value, ExprError> {
        let kind = if op.power() <= BinaryOp::Less.power() { Kind::Bool } else { Kind::Number };
        // A parameter that switches a rule off takes its indicators with it.
        for (one, other) in [(left, right), (right, left)] {
            match (op, one) {
                (BinaryOp::And, Value::Constant(Constant::Bool(true)))
                | (BinaryOp::Or, Value::Constant(Constant::Bool(false))) => return Ok(other),
                (BinaryOp::And, Value::Constant(Constant::Bool(false)))
                | (BinaryOp::Or, Value::Constant(Constant::Bool(true))) => return Ok(one),
                _ => {}
            }
        }
        if let (Value::Constant(a), Value::Constant(b)) = (left, right) {
            return constant_of(kind, crate::program::binary(op, a.as_f64(), b.as_f64()), span);
        }
        let (a, b) = (self.slot(left), self.slot(right));
        self.add(Op::Binary(op, a, b), span)
    }

    fn call(&mut self, name: &str, name_span: Span, args: &[Node], span: Span) -> Result<Value, ExprError> {
        if let Some(called) = self.called(name, args, span)? {
            return self.main_output(called, span);
        }
        let Some(function) = functions::find(name) else {
            if Source::named(name).is_some() || self.params.contains_key(name) {
                let hint = format!("write `{name}`, or `{name}[1]` for the candle before");
                return Err(ExprError::new(name_span, format!("`{name}` is no function")).hint(hint));
            }
            return Err(self.unknown(name, name_span, "there is no function"));
        };
        let arity = |range: std::ops::RangeInclusive<usize>| {
            if range.contains(&args.len()) {
                return Ok(());
            }
            let message =
                format!("`{name}` cannot take {} argument{}", args.len(), if args.len() == 1 { "" } else { "s" });
            Err(ExprError::new(span, message).hint(format!("write {}", function.signature)))
        };
        match name {
            "on" => {
                arity(2..=2)?;
                self.on(&args[0], &args[1], span)
            }
            "cross_above" | "cross_below" | "crosses" => {
                arity(2..=2)?;
                let op = match name {
                    "cross_above" => CrossOp::Above,
                    "cross_below" => CrossOp::Below,
                    _ => CrossOp::Either,
                };
                let (a, b) = (self.series(&args[0])?, self.series(&args[1])?);
                self.remember(1, span)?;
                self.add(Op::Cross(op, a, b), span)
            }
            "pattern" => {
                arity(1..=1)?;
                self.pattern(&args[0], span)
            }
            "min" | "max" => {
                arity(2..=16)?;
                let op = if name == "min" { BinaryOp::Min } else { BinaryOp::Max };
                let mut result = self.number(&args[0])?;
                for arg in &args[1..] {
                    let next = self.number(arg)?;
                    result = self.binary(op, result, next, span)?;
                }
                Ok(result)
            }
            "if" => {
                arity(3..=3)?;
                let (condition, yes, no) = (self.value(&args[0])?, self.value(&args[1])?, self.value(&args[2])?);
                expect_kind(condition, Kind::Bool, args[0].span)?;
                expect_kind(no, yes.kind(), args[2].span)?;
                if let Value::Constant(Constant::Bool(condition)) = condition {
                    return Ok(if condition { yes } else { no });
                }
                let (condition, yes, no) = (self.slot(condition), self.slot(yes), self.slot(no));
                self.add(Op::Select { condition, yes, no }, span)
            }
            "change" => {
                arity(1..=2)?;
                let now = self.number(&args[0])?;
                let lag = match args.get(1) {
                    Some(lag) => self.whole(lag, "the distance of `change`", 1, MAX_PERIOD)?,
                    None => 1,
                };
                let before = self.lagged(now, lag, args[0].span, span)?;
                self.binary(BinaryOp::Sub, now, before, span)
            }
            _ => {
                arity(1..=1)?;
                let op = match name {
                    "abs" => UnaryOp::Abs,
                    "sqrt" => UnaryOp::Sqrt,
                    "log" => UnaryOp::Log,
                    _ => UnaryOp::Exp,
                };
                self.unary(op, &args[0], span)
            }
        }
    }

    fn number(&mut self, node: &Node) -> Result<Value, ExprError> {
        let value = self.value(node)?;
        expect_kind(value, Kind::Number, node.span)?;
        Ok(value)
    }

    /// A number that is fed into something with memory.
    fn series(&mut self, node: &Node) -> Result<Slot, ExprError> {
        let value = self.number(node)?;
        not_late(value, node.span)?;
        Ok(self.slot(value))
    }

    /// A constant number.
    fn constant(&mut self, node: &Node, what: &str) -> Result<f64, ExprError> {
        match self.number(node)? {
            Value::Constant(constant) => Ok(constant.as_f64()),
            Value::Slot { .. } => Err(ExprError::new(node.span, format!("{what} must be a constant"))),
        }
    }

    fn whole(&mut self, node: &Node, what: &str, min: u32, max: u32) -> Result<u32, ExprError> {
        let number = self.constant(node, what)?;
        if number.fract() != 0.0 {
            return Err(ExprError::new(node.span, format!("{what} must be a whole number, not {number}")));
        }
        if number < f64::from(min) || number > f64::from(max) {
            return Err(ExprError::new(node.span, format!("{what} must be {min} to {max}, not {number}")));
        }
        Ok(number as u32)
    }
}

fn expect_kind(value: Value, kind: Kind, span: Span) -> Result<(), ExprError> {
    if value.kind() == kind {
        return Ok(());
    }
    Err(match kind {
        Kind::Bool => ExprError::new(span, "expected a condition, found a number").hint("compare it: `x > 0`"),
        Kind::Number => ExprError::new(span, "expected a number, found a condition"),
    })
}

fn not_late(value: Value, span: Span) -> Result<(), ExprError> {
    if let Value::Slot { late: true, .. } = value {
        return Err(ExprError::new(span, "the entry price has no history: it cannot go into an indicator or `[ ]`"));
    }
    Ok(())
}

fn constant_of(kind: Kind, value: f64, span: Span) -> Result<Value, ExprError> {
    match kind {
        Kind::Bool => Ok(Value::Constant(Constant::Bool(value == 1.0))),
        Kind::Number if value.is_finite() => Ok(Value::Constant(Constant::Number(value))),
        Kind::Number => Err(ExprError::new(span, format!("this constant is {value}"))),
    }
}
