//! Reading a strategy file. Whatever is wrong is reported with its key, line and column.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use toml::{Spanned, Value as Toml};

use super::{ParamValue, SizeUnit, Strategy, StrategyParam};
use crate::expr::{self, Constant, ExprError, Kind, Lowering};
use crate::program::{Program, Slot};

/// Longest file, in bytes.
const MAX_FILE: usize = 64 * 1024;

/// Why a strategy file or its parameters were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct StrategyError {
    /// `entry.long`, `params.fast`; empty where the file is no TOML at all.
    pub key: String,
    pub message: String,
    /// From 1; 0 where the fault is not in the file (a parameter given from outside).
    pub line: usize,
    /// In characters, from 1; 0 as above.
    pub column: usize,
    pub hint: Option<String>,
    /// The line with carets under the fault; empty where the fault is not in the file.
    pub excerpt: String,
}

impl fmt::Display for StrategyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {}: ", self.line)?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Spanned<String>,
    title: Option<String>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    params: BTreeMap<Spanned<String>, Spanned<Toml>>,
    entry: Spanned<Sides>,
    #[serde(default)]
    exit: Sides,
    #[serde(default)]
    stop: Sides,
    #[serde(default)]
    target: Sides,
    size: Option<Spanned<SizeFile>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sides {
    long: Option<Spanned<String>>,
    short: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SizeFile {
    units: Option<Spanned<Toml>>,
    notional: Option<Spanned<Toml>>,
    equity_percent: Option<Spanned<Toml>>,
    risk_percent: Option<Spanned<Toml>>,
}

pub(super) fn compile(text: &str, given: &BTreeMap<String, String>) -> Result<Strategy, StrategyError> {
    let source = Source { text };
    if text.len() > MAX_FILE {
        return Err(Source::outside("", format!("the file has {} bytes, at most {MAX_FILE} are read", text.len())));
    }
    let file: File = toml::from_str(text).map_err(|error| source.toml(&error))?;
    check_name(&source, &file.name)?;
    let params = parameters(&source, &file.params, given)?;
    let constants: BTreeMap<String, Constant> = params
        .iter()
        .map(|param| {
            let constant = match param.value {
                ParamValue::Number(number) => Constant::Number(number),
                ParamValue::Bool(value) => Constant::Bool(value),
            };
            (param.name.clone(), constant)
        })
        .collect();

    let sides = file.entry.get_ref();
    if sides.long.is_none() && sides.short.is_none() {
        return Err(source.at("entry", file.entry.span(), "an entry needs `long`, `short` or both"));
    }
    for (side, entry, has_way_out) in [
        ("long", &sides.long, file.exit.long.is_some() || file.stop.long.is_some() || file.target.long.is_some()),
        ("short", &sides.short, file.exit.short.is_some() || file.stop.short.is_some() || file.target.short.is_some()),
    ] {
        if let Some(entry) = entry
            && !has_way_out
        {
            let message = format!("nothing ends a {side} position: give exit.{side}, stop.{side} or target.{side}");
            return Err(source.at(&format!("entry.{side}"), entry.span(), message));
        }
    }

    let mut lowering = Lowering::new(&constants);
    let mut rule = |key: &str, text: &Option<Spanned<String>>, kind: Kind, late: bool| match text {
        Some(text) => lower(&source, &mut lowering, key, text.get_ref(), &text.span(), kind, late).map(Some),
        None => Ok(None),
    };
    let rules = [
        rule("entry.long", &sides.long, Kind::Bool, false)?,
        rule("exit.long", &file.exit.long, Kind::Bool, false)?,
        rule("entry.short", &sides.short, Kind::Bool, false)?,
        rule("exit.short", &file.exit.short, Kind::Bool, false)?,
    ];
    let stop = [
        rule("stop.long", &file.stop.long, Kind::Number, true)?,
        rule("stop.short", &file.stop.short, Kind::Number, true)?,
    ];
    let target = [
        rule("target.long", &file.target.long, Kind::Number, true)?,
        rule("target.short", &file.target.short, Kind::Number, true)?,
    ];
    let size = size(&source, &mut lowering, file.size.as_ref(), sides_with_entry(sides), stop)?;
    let never = lowering.never();
    let rules = rules.map(|slot| slot.unwrap_or(never));

    let outputs = rules.into_iter().chain(stop.into_iter().chain(target).flatten()).chain([size.1]).collect();
    let program = Program::new(lowering.into_graphs(), outputs);
    // The program renumbers its slots; they come back in the same order.
    let mut slots = program.outputs().iter().copied();
    let mut next = || slots.next().expect("one slot per output");
    Ok(Strategy {
        title: file.title.unwrap_or_else(|| file.name.get_ref().clone()),
        name: file.name.into_inner(),
        description: file.description,
        params,
        rules: rules.map(|_| next()),
        stop: stop.map(|slot| slot.map(|_| next())),
        target: target.map(|slot| slot.map(|_| next())),
        size: (size.0, next()),
        program,
    })
}

fn sides_with_entry(sides: &Sides) -> [bool; 2] {
    [sides.long.is_some(), sides.short.is_some()]
}

fn check_name(source: &Source<'_>, name: &Spanned<String>) -> Result<(), StrategyError> {
    let text = name.get_ref();
    let fine = !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_');
    if fine {
        return Ok(());
    }
    Err(source.at("name", name.span(), "a name has 1 to 64 lower-case letters, digits, `-` and `_`"))
}

fn parameters(
    source: &Source<'_>,
    file: &BTreeMap<Spanned<String>, Spanned<Toml>>,
    given: &BTreeMap<String, String>,
) -> Result<Vec<StrategyParam>, StrategyError> {
    let mut declared: Vec<_> = file.iter().collect();
    declared.sort_by_key(|(name, _)| name.span().start);
    let mut params = Vec::with_capacity(declared.len());
    for (name, declaration) in declared {
        let mut param = declare(source, name, declaration)?;
        if let Some(text) = given.get(&param.name) {
            param.value = read(&param, text)?;
        }
        params.push(param);
    }
    for name in given.keys() {
        if !params.iter().any(|param| param.name == *name) {
            let mut error = Source::outside(&format!("params.{name}"), format!("there is no parameter `{name}`"));
            let known: Vec<&str> = params.iter().map(|param| param.name.as_str()).collect();
            error.hint = match expr::nearest(name, known.iter().copied()) {
                Some(meant) => Some(format!("did you mean `{meant}`?")),
                None if known.is_empty() => Some("this strategy has none".to_owned()),
                None => Some(format!("it has {}", known.join(", "))),
            };
            return Err(error);
        }
    }
    Ok(params)
}

fn declare(
    source: &Source<'_>,
    name: &Spanned<String>,
    declaration: &Spanned<Toml>,
) -> Result<StrategyParam, StrategyError> {
    let key = format!("params.{}", name.get_ref());
    if let Err(message) = expr::check_param_name(name.get_ref()) {
        return Err(source.at(&key, name.span(), message));
    }
    let fault = |message: String| source.at(&key, declaration.span(), message);
    let value = |toml: &Toml| match toml {
        Toml::Boolean(value) => Some(ParamValue::Bool(*value)),
        other => number(other).map(ParamValue::Number),
    };
    let mut param = StrategyParam {
        name: name.get_ref().clone(),
        default: ParamValue::Bool(false),
        min: None,
        max: None,
        description: String::new(),
        value: ParamValue::Bool(false),
    };
    let default = match declaration.get_ref() {
        Toml::Table(table) => {
            for (field, toml) in table {
                let wants = |what: &str| fault(format!("`{field}` must be {what}"));
                match field.as_str() {
                    "default" => {}
                    "min" => param.min = Some(number(toml).ok_or_else(|| wants("a number"))?),
                    "max" => param.max = Some(number(toml).ok_or_else(|| wants("a number"))?),
                    "description" => toml.as_str().ok_or_else(|| wants("text"))?.clone_into(&mut param.description),
                    _ => {
                        let message = format!("unknown key `{field}`, expected default, min, max or description");
                        return Err(fault(message));
                    }
                }
            }
            table.get("default").ok_or_else(|| fault("`default` is missing".to_owned()))?
        }
        plain => plain,
    };
    param.default = value(default).ok_or_else(|| fault("a parameter is a number, true or false".to_owned()))?;
    param.value = param.default;
    in_range(&param, param.default).map_err(fault)?;
    Ok(param)
}

fn number(toml: &Toml) -> Option<f64> {
    match toml {
        Toml::Integer(number) => Some(*number as f64),
        Toml::Float(number) if number.is_finite() => Some(*number),
        _ => None,
    }
}

fn in_range(param: &StrategyParam, value: ParamValue) -> Result<(), String> {
    let ParamValue::Number(value) = value else { return Ok(()) };
    match (param.min, param.max) {
        (Some(min), _) if value < min => Err(format!("must be at least {min}, not {value}")),
        (_, Some(max)) if value > max => Err(format!("must be at most {max}, not {value}")),
        _ => Ok(()),
    }
}

/// A parameter given from outside.
fn read(param: &StrategyParam, text: &str) -> Result<ParamValue, StrategyError> {
    let fault = |message: String| Source::outside(&format!("params.{}", param.name), message);
    let text = text.trim();
    let value = match param.default {
        ParamValue::Bool(_) => match text {
            "true" => ParamValue::Bool(true),
            "false" => ParamValue::Bool(false),
            _ => return Err(fault(format!("must be true or false, not \"{text}\""))),
        },
        ParamValue::Number(_) => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => ParamValue::Number(number),
            _ => return Err(fault(format!("must be a number, not \"{text}\""))),
        },
    };
    in_range(param, value).map_err(fault)?;
    Ok(value)
}

fn lower(
    source: &Source<'_>,
    lowering: &mut Lowering<'_>,
    key: &str,
    text: &str,
    span: &std::ops::Range<usize>,
    kind: Kind,
    late: bool,
) -> Result<Slot, StrategyError> {
    let result = expr::parse(text).and_then(|node| lowering.lower(&node, Some(kind), late));
    result.map(|(slot, _)| slot).map_err(|error| source.expression(key, text, span, error))
}

fn size(
    source: &Source<'_>,
    lowering: &mut Lowering<'_>,
    file: Option<&Spanned<SizeFile>>,
    entries: [bool; 2],
    stop: [Option<Slot>; 2],
) -> Result<(SizeUnit, Slot), StrategyError> {
    let Some(file) = file else {
        return Err(Source::outside(
            "size",
            "[size] is missing: give units, notional, equity_percent or risk_percent".into(),
        ));
    };
    let sizes = file.get_ref();
    let given: Vec<_> = [
        (SizeUnit::Units, "size.units", &sizes.units),
        (SizeUnit::Notional, "size.notional", &sizes.notional),
        (SizeUnit::EquityPercent, "size.equity_percent", &sizes.equity_percent),
        (SizeUnit::RiskPercent, "size.risk_percent", &sizes.risk_percent),
    ]
    .into_iter()
    .filter_map(|(unit, key, value)| value.as_ref().map(|value| (unit, key, value)))
    .collect();
    let [(unit, key, value)] = given[..] else {
        let message = "give exactly one of units, notional, equity_percent and risk_percent";
        return Err(source.at("size", file.span(), message));
    };
    if unit == SizeUnit::RiskPercent && entries.iter().zip(stop).any(|(entered, stop)| *entered && stop.is_none()) {
        let message = "a size by risk needs a stop for each side that is entered";
        return Err(source.at(key, value.span(), message));
    }
    let text = match value.get_ref() {
        Toml::String(text) => text.clone(),
        other => match number(other) {
            Some(number) => number.to_string(),
            None => return Err(source.at(key, value.span(), "must be a number or an expression in quotes")),
        },
    };
    let slot = lower(source, lowering, key, &text, &value.span(), Kind::Number, false)?;
    Ok((unit, slot))
}

struct Source<'a> {
    text: &'a str,
}

impl Source<'_> {
    /// A fault that has no place in the file.
    fn outside(key: &str, message: String) -> StrategyError {
        StrategyError { key: key.to_owned(), message, line: 0, column: 0, hint: None, excerpt: String::new() }
    }

    fn at(&self, key: &str, span: std::ops::Range<usize>, message: impl Into<String>) -> StrategyError {
        self.place(key, ExprError { message: message.into(), start: span.start, end: span.end, hint: None })
    }

    /// `error` has offsets into the file.
    fn place(&self, key: &str, error: ExprError) -> StrategyError {
        let start = expr::floor_boundary(self.text, error.start);
        let before = &self.text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        StrategyError {
            key: key.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            excerpt: error.render(self.text),
            message: error.message,
            hint: error.hint,
        }
    }

    /// An error inside an expression, whose text stands somewhere within `span`.
    fn expression(&self, key: &str, text: &str, span: &std::ops::Range<usize>, error: ExprError) -> StrategyError {
        let quoted = self.text.get(span.clone()).unwrap_or("");
        match quoted.find(text) {
            Some(offset) => {
                let from = span.start + offset;
                self.place(key, ExprError { start: from + error.start, end: from + error.end, ..error })
            }
            // Escapes inside the string: the offsets do not carry over, so point at all of it.
            None => self.place(key, ExprError { start: span.start, end: span.end, ..error }),
        }
    }

    fn toml(&self, error: &toml::de::Error) -> StrategyError {
        let span = error.span().unwrap_or(0..0);
        self.at("", span, error.message())
    }
}
