//! What has outputs to name: indicators, and the series of the market's structure.

use super::super::error::{ExprError, Span, nearest};
use super::super::parse::{Node, NodeKind};
use super::{Lowering, Value};
use crate::candlestick;
use crate::indicator::Output;
use crate::indicators;
use crate::indicators::market::{self, Argument, Labels, MOST_TOUCHES, Series, TREND_LABELS, VOLATILITY_LABELS};
use crate::program::{Op, Slot, Source};

/// Outputs in slots one behind the other.
#[derive(Clone, Copy)]
pub(super) struct Called {
    name: &'static str,
    pub(super) outputs: &'static [Output],
    pub(super) first: Slot,
}

impl Lowering<'_> {
    /// What `node` calls, with brackets or, where the defaults are meant, without.
    pub(super) fn top_call(&mut self, node: &Node) -> Result<Option<Called>, ExprError> {
        match &node.kind {
            NodeKind::Name(name) if Source::named(name).is_none() && !self.params.contains_key(name) => {
                self.called(name, &[], node.span)
            }
            NodeKind::Call { name, args, .. } => self.called(name, args, node.span),
            _ => Ok(None),
        }
    }

    pub(super) fn called(&mut self, name: &str, args: &[Node], span: Span) -> Result<Option<Called>, ExprError> {
        if let Some(entry) = indicators::find(name) {
            let first = self.indicator(entry, args, span)?;
            return Ok(Some(Called { name: entry.spec.name, outputs: entry.spec.outputs, first }));
        }
        let Some(series) = market::find(name) else { return Ok(None) };
        let argument = self.argument(series, args, span)?;
        let call = self.hidden_call(indicators::STRUCTURE, span)?;
        let first = call + series.first_output(argument) as Slot;
        Ok(Some(Called { name: series.name, outputs: series.outputs, first }))
    }

    /// A call that many names of a program share.
    fn hidden_call(&mut self, entry: u16, span: Span) -> Result<Slot, ExprError> {
        self.remember(512, span)?;
        let value = self.add(Op::Call { entry, params: Vec::new(), inputs: [None; 2] }, span)?;
        Ok(self.slot(value))
    }

    fn argument(&mut self, series: &Series, args: &[Node], span: Span) -> Result<usize, ExprError> {
        let write = |error: ExprError| error.hint(format!("write {}", series.signature));
        match (series.argument, args) {
            (Argument::None | Argument::Touches, []) => Ok(0),
            (Argument::Touches, [touches]) => {
                let what = format!("touches of `{}`", series.name);
                self.whole(touches, &what, 1, MOST_TOUCHES as u32).map(|touches| touches as usize - 1)
            }
            (Argument::ChartPattern, [node]) => {
                let NodeKind::Name(name) = &node.kind else {
                    return Err(ExprError::new(node.span, "a chart pattern's name stands here")
                        .hint("write chart_pattern(double_top)"));
                };
                market::chart_pattern(name).ok_or_else(|| {
                    let error = ExprError::new(node.span, format!("there is no chart pattern `{name}`"));
                    match (nearest(name, market::chart_names()), candlestick::find(name)) {
                        (_, Some(_)) => error.hint(format!("a candlestick pattern: write pattern({name})")),
                        (Some(meant), None) => error.hint(format!("did you mean `{meant}`?")),
                        (None, None) => {
                            let names: Vec<&str> = market::chart_names().collect();
                            error.hint(format!("one of {}", names.join(", ")))
                        }
                    }
                })
            }
            (Argument::ChartPattern, []) => {
                Err(write(ExprError::new(span, format!("`{}` wants a pattern's name", series.name))))
            }
            (_, [.., last]) => {
                Err(write(ExprError::new(last.span, format!("`{}` takes no such argument", series.name))))
            }
        }
    }

    /// A candlestick pattern's signal. All of a program's patterns are outputs of one call.
    pub(super) fn pattern(&mut self, node: &Node, span: Span) -> Result<Value, ExprError> {
        let NodeKind::Name(name) = &node.kind else {
            return Err(ExprError::new(node.span, "a pattern's name stands here").hint("write pattern(hammer)"));
        };
        let Some(pattern) = candlestick::find(name) else {
            let error = ExprError::new(node.span, format!("there is no pattern `{name}`"));
            if market::chart_pattern(name).is_some() {
                return Err(error.hint(format!("a chart pattern: write chart_pattern({name})")));
            }
            let names = candlestick::PATTERNS.iter().map(|pattern| pattern.name);
            return Err(match nearest(name, names) {
                Some(meant) => error.hint(format!("did you mean `{meant}`?")),
                None => error.hint("`patterns list` names them"),
            });
        };
        let call = self.hidden_call(indicators::PATTERNS, span)?;
        Ok(self.existing(call + pattern as Slot))
    }

    /// The output that the bare name means.
    pub(super) fn main_output(&mut self, called: Called, span: Span) -> Result<Value, ExprError> {
        if let Some(output) = called.outputs.iter().position(|output| output.name.is_empty()) {
            return Ok(self.existing(called.first + output as Slot));
        }
        let first = called.outputs.first().map_or("", |output| output.name);
        let names: Vec<&str> = called.outputs.iter().map(|output| output.name).collect();
        let message = format!("`{}` has several outputs: {}", called.name, names.join(", "));
        Err(ExprError::new(span, message).hint(format!("name one: `{}(…).{first}`", called.name)))
    }

    pub(super) fn field(&mut self, base: &Node, name: &str, name_span: Span) -> Result<Value, ExprError> {
        let Some(called) = self.top_call(base)? else {
            return Err(ExprError::new(name_span, "only an indicator has outputs to name"));
        };
        if let Some(output) = called.outputs.iter().position(|output| output.name == name) {
            return Ok(self.existing(called.first + output as Slot));
        }
        let error = ExprError::new(name_span, format!("`{}` has no output `{name}`", called.name));
        let names: Vec<&str> =
            called.outputs.iter().map(|output| output.name).filter(|name| !name.is_empty()).collect();
        Err(match (nearest(name, names.iter().copied()), names.is_empty()) {
            (Some(meant), _) => error.hint(format!("did you mean `{meant}`?")),
            (None, false) => error.hint(format!("it has {}", names.join(", "))),
            (None, true) => error.hint("it gives one series: leave the dot away"),
        })
    }

    /// Both sides of `==` or `!=`: where one is the regime or the volatility, the other may be a label in quotes.
    pub(super) fn compared(&mut self, left: &Node, right: &Node) -> Result<(Value, Value), ExprError> {
        if let Some(labels) = self.labels_of(left) {
            let value = self.value(left)?;
            return Ok((value, self.label_or_value(labels, right)?));
        }
        if let Some(labels) = self.labels_of(right) {
            let value = self.label_or_value(labels, left)?;
            return Ok((value, self.value(right)?));
        }
        Ok((self.value(left)?, self.value(right)?))
    }

    fn label_or_value(&mut self, labels: Labels, node: &Node) -> Result<Value, ExprError> {
        let known = |name: &str| labels.iter().find(|(label, _)| *label == name);
        match &node.kind {
            NodeKind::Text(text) => {
                let (label, value) = known(text).ok_or_else(|| no_label(labels, text, node.span))?;
                self.add(Op::Label(label, (*value).into()), node.span)
            }
            NodeKind::Name(name) if known(name).is_some() && !self.params.contains_key(name) => {
                let error = ExprError::new(node.span, "a label stands in quotes");
                Err(error.hint(format!("write \"{name}\"")))
            }
            _ => self.value(node),
        }
    }

    /// The labels of what `node` gives, where it gives some.
    fn labels_of(&self, node: &Node) -> Option<Labels> {
        match &node.kind {
            NodeKind::Name(name) if !self.params.contains_key(name) => (name == "regime").then_some(TREND_LABELS),
            NodeKind::Call { name, args, .. } => match (name.as_str(), &args[..]) {
                ("regime", _) => Some(TREND_LABELS),
                ("on", [_, inner]) => self.labels_of(inner),
                ("if", [_, yes, _]) => self.labels_of(yes),
                _ => None,
            },
            NodeKind::Field { base, name, .. } if name == "volatility" => {
                self.labels_of(base).map(|_| VOLATILITY_LABELS)
            }
            NodeKind::History { base, .. } => self.labels_of(base),
            _ => None,
        }
    }
}

fn no_label(labels: Labels, text: &str, span: Span) -> ExprError {
    let names = || labels.iter().map(|(label, _)| *label);
    let list: Vec<String> = names().map(|label| format!("\"{label}\"")).collect();
    ExprError::new(span, format!("there is no label \"{text}\"")).hint(match nearest(text, names()) {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None => format!("one of {}", list.join(", ")),
    })
}
