//! Looking back: `x[n]` and the last closed candle of a higher timeframe.

use cw_core::Timeframe;

use super::super::error::{ExprError, Span};
use super::super::parse::{Node, NodeKind};
use super::{Lowering, MAX_TIMEFRAMES, Value, not_late};
use crate::indicator::MAX_PERIOD;
use crate::program::{Graph, Op};

impl Lowering<'_> {
    pub(super) fn history(&mut self, base: &Node, offset: &Node, span: Span) -> Result<Value, ExprError> {
        let number = self.constant(offset, "how far back `[ ]` looks")?;
        if number < 0.0 {
            let error = ExprError::new(offset.span, "this would look into the future; only closed candles can be read");
            return Err(error.hint(format!("`[{}]` looks that far back", -number)));
        }
        let lag = self.whole(offset, "how far back `[ ]` looks", 0, MAX_PERIOD)?;
        let value = self.value(base)?;
        self.lagged(value, lag, base.span, span)
    }

    pub(super) fn lagged(&mut self, value: Value, lag: u32, base_span: Span, span: Span) -> Result<Value, ExprError> {
        not_late(value, base_span)?;
        match value {
            Value::Constant(_) => Ok(value),
            Value::Slot { .. } if lag == 0 => Ok(value),
            Value::Slot { slot, .. } => {
                self.remember(lag as usize, span)?;
                self.add(Op::History { input: slot, lag }, span)
            }
        }
    }

    pub(super) fn on(&mut self, timeframe: &Node, node: &Node, span: Span) -> Result<Value, ExprError> {
        let NodeKind::Text(text) = &timeframe.kind else {
            return Err(ExprError::new(timeframe.span, "the timeframe stands in quotes").hint("write on(\"1h\", …)"));
        };
        let parsed: Timeframe =
            text.parse().map_err(|error: cw_core::TimeframeError| ExprError::new(timeframe.span, error.to_string()))?;
        if self.frame != 0 {
            return Err(ExprError::new(span, "`on` cannot stand inside another `on`"));
        }
        let frame = match self.graphs.iter().position(|graph| graph.timeframe() == Some(parsed)) {
            Some(frame) => frame,
            None if self.graphs.len() > MAX_TIMEFRAMES => {
                return Err(ExprError::new(span, format!("more than {MAX_TIMEFRAMES} timeframes")));
            }
            None => {
                self.graphs.push(Graph::on(parsed));
                self.graphs.len() - 1
            }
        };
        self.frame = frame;
        let lowered = self.value(node);
        let value = match lowered {
            Ok(value @ Value::Constant(_)) => {
                self.frame = 0;
                return Ok(value);
            }
            Ok(Value::Slot { slot, .. }) => slot,
            Err(error) => {
                self.frame = 0;
                return Err(error);
            }
        };
        self.frame = 0;
        let (text, is_bool) = (self.graphs[frame].text(value).to_owned(), self.graphs[frame].is_bool(value));
        let op = Op::Higher { frame: frame as u32, slot: value, timeframe: parsed };
        let slot = self.graphs[0].add(op, Some((&text, is_bool)));
        Ok(self.existing(slot))
    }
}
