//! Calls of indicators: sources and parameters from arguments, outputs by name.

use super::super::Kind;
use super::super::error::{ExprError, Span};
use super::super::parse::Node;
use super::names::signature;
use super::{DEFAULT_SOURCES, Lowering, Value, expect_kind, not_late};
use crate::indicator::{InputKind, Param};
use crate::indicators::{self, Entry};
use crate::program::{Op, Slot};

impl Lowering<'_> {
    /// Resolves arguments to source and parameters and gives the slot of the first output.
    pub(super) fn indicator(&mut self, entry: &'static Entry, args: &[Node], span: Span) -> Result<Slot, ExprError> {
        let spec = &entry.spec;
        let mut sources: [Option<Slot>; 2] = [None; 2];
        let mut args = args;
        let wanted = match entry.input {
            InputKind::Candle => 0,
            InputKind::Series => 1,
            InputKind::Pair => 2,
        };
        // One place is looked at even where none is wanted, to say what is wrong.
        for place in sources.iter_mut().take(wanted.max(1)) {
            let Some((first, rest)) = args.split_first() else { break };
            let value = self.value(first)?;
            let is_source = matches!(value, Value::Slot { .. }) || args.len() > spec.params.len();
            if !is_source {
                break;
            }
            if wanted == 0 {
                let message = format!("`{}` reads whole candles and takes no source", spec.name);
                return Err(ExprError::new(first.span, message).hint(format!("write {}", signature(entry))));
            }
            expect_kind(value, Kind::Number, first.span)?;
            if let Value::Constant(_) = value {
                return Err(Self::too_many(entry, args.len(), span));
            }
            not_late(value, first.span)?;
            *place = Some(self.slot(value));
            args = rest;
        }
        if args.len() > spec.params.len() {
            return Err(Self::too_many(entry, args.len(), span));
        }
        let mut params = entry.defaults();
        for ((arg, param), value) in args.iter().zip(spec.params).zip(&mut params) {
            *value = self.parameter(arg, param, spec.name)?;
        }
        for (source, default) in sources[..wanted].iter_mut().zip(DEFAULT_SOURCES) {
            *source = Some(source.unwrap_or_else(|| self.graph().add(Op::Source(default), None)));
        }
        // Rings are the bulk of an indicator's memory, and a handful of them hold one value per candle of warm-up.
        self.remember(64 + 8 * entry.warm_up(&params), span)?;
        let index = indicators::all().iter().position(|known| std::ptr::eq(known, entry)).unwrap_or(0);
        let params = params.into_iter().map(Into::into).collect();
        let value = self.add(Op::Call { entry: index as u16, params, inputs: sources }, span)?;
        Ok(self.slot(value))
    }

    pub(super) fn too_many(entry: &Entry, given: usize, span: Span) -> ExprError {
        ExprError::new(span, format!("`{}` cannot take {given} arguments like these", entry.spec.name))
            .hint(format!("write {}", signature(entry)))
    }

    pub(super) fn parameter(&mut self, node: &Node, param: &Param, indicator: &str) -> Result<f64, ExprError> {
        let what = format!("{} of `{indicator}`", param.name);
        let value = self.constant(node, &what)?;
        if param.integer && value.fract() != 0.0 {
            return Err(ExprError::new(node.span, format!("{what} must be a whole number, not {value}")));
        }
        if value < param.min || value > param.max {
            let message = format!("{what} must be {} to {}, not {value}", param.min, param.max);
            return Err(ExprError::new(node.span, message));
        }
        Ok(value)
    }
}
