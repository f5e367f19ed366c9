//! Completion: what could stand at the cursor.

use serde::{Deserialize, Serialize};

use super::error::floor_boundary;
use super::functions::FUNCTIONS;
use super::lower::signature;
use super::token::KEYWORDS;
use crate::candlestick::PATTERNS;
use crate::indicators;
use crate::indicators::market::{self, Argument, TREND_LABELS, VOLATILITY_LABELS};
use crate::program::Source;

/// Timeframes offered inside `on("…`.
const TIMEFRAMES: &[(&str, &str)] = &[
    ("5m", "5 minutes"),
    ("15m", "15 minutes"),
    ("30m", "30 minutes"),
    ("1h", "1 hour"),
    ("4h", "4 hours"),
    ("1d", "1 day"),
    ("1w", "1 week, from Monday"),
    ("1M", "1 month"),
];

/// Replace bytes `start..end` of the text with an item's `insert`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    pub items: Vec<CompletionItem>,
    pub start: usize,
    pub end: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletionItem {
    /// The text to put in; a function ends in its opening bracket.
    pub insert: String,
    pub label: String,
    /// One line: signature or meaning.
    pub detail: String,
}

/// What could stand at byte `cursor` of `text`, best first.
pub fn complete(text: &str, cursor: usize) -> Completion {
    complete_with(text, cursor, &[])
}

/// The same inside a strategy: `params` are its parameters with a line about each.
pub fn complete_with(text: &str, cursor: usize, params: &[(&str, &str)]) -> Completion {
    let cursor = floor_boundary(text, cursor);
    let before = &text[..cursor];
    if let Some(quote) = open_quote(before) {
        let end = cursor + text[cursor..].find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len() - cursor);
        return Completion { items: quoted(&before[..quote], &before[quote + 1..]), start: quote + 1, end };
    }
    let start =
        before.rfind(|c| !is_word(c)).map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let end = cursor + text[cursor..].find(|c| !is_word(c)).unwrap_or(text.len() - cursor);
    let typed = &before[start..];
    if typed.starts_with(|c: char| c.is_ascii_digit()) {
        return Completion { items: Vec::new(), start, end };
    }
    if let Some(base) = before[..start].trim_end().strip_suffix('.') {
        return Completion { items: outputs(base, typed), start, end };
    }
    if let Some(base) = before[..start].trim_end().strip_suffix('(') {
        let items = match base.trim_end().rsplit(|c| !is_word(c)).next() {
            Some("pattern") => ranked(PATTERNS.iter().map(|pattern| (pattern.name, pattern.title)), typed),
            Some("chart_pattern") => ranked(market::chart_names().map(|name| (name, "chart pattern")), typed),
            _ => Vec::new(),
        };
        if !items.is_empty() {
            return Completion { items, start, end };
        }
    }
    // A name that is followed by a bracket already needs none.
    let bracket = if text[end..].trim_start().starts_with('(') { "" } else { "(" };
    let mut ranked: Vec<(u8, CompletionItem)> = Vec::new();
    let mut offer = |name: &str, suffix: &str, detail: &str| {
        if let Some(rank) = rank(name, typed) {
            ranked.push((rank, item(&format!("{name}{suffix}"), name, detail)));
        }
    };
    for (name, detail) in params {
        offer(name, "", detail);
    }
    for (name, _, detail) in Source::ALL {
        offer(name, "", detail);
    }
    for function in FUNCTIONS {
        offer(function.name, bracket, &format!("{}: {}", function.signature, function.doc));
    }
    for series in market::SERIES {
        // What has defaults is called without brackets.
        let suffix = if series.argument == Argument::ChartPattern { bracket } else { "" };
        offer(series.name, suffix, &format!("{}: {}", series.signature, series.doc));
    }
    for entry in indicators::all() {
        offer(entry.spec.name, bracket, &format!("{}: {}", signature(entry), entry.spec.title));
    }
    for keyword in KEYWORDS {
        offer(keyword, "", "keyword");
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    Completion { items: ranked.into_iter().map(|(_, item)| item).collect(), start, end }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Names that match what is typed, best first.
fn ranked<'a>(names: impl Iterator<Item = (&'a str, &'a str)>, typed: &str) -> Vec<CompletionItem> {
    let mut ranked: Vec<_> = names.filter_map(|(name, detail)| Some((rank(name, typed)?, name, detail))).collect();
    ranked.sort_by_key(|(rank, ..)| *rank);
    ranked.into_iter().map(|(_, name, detail)| item(name, name, detail)).collect()
}

/// What could stand in quotes behind `before`: a timeframe in `on("…`, a label behind `regime == "…`. An apostrophe or
/// quote elsewhere has nothing to offer.
fn quoted(before: &str, typed: &str) -> Vec<CompletionItem> {
    let before = before.trim_end();
    if before.strip_suffix('(').is_some_and(|rest| rest.trim_end().ends_with("on")) {
        let timeframes = TIMEFRAMES.iter().filter(|(name, _)| name.starts_with(typed));
        return timeframes.map(|(name, detail)| item(name, name, detail)).collect();
    }
    let Some(operand) = before.strip_suffix("==").or_else(|| before.strip_suffix("!=")) else { return Vec::new() };
    // `on("1h", regime)[1] == "` is about the last name in it.
    let operand = operand.trim_end_matches(|c: char| c.is_whitespace() || c.is_ascii_digit() || "[])(".contains(c));
    let labels = match operand.rsplit(|c| !is_word(c)).next() {
        Some("regime") => TREND_LABELS,
        Some("volatility") => VOLATILITY_LABELS,
        _ => return Vec::new(),
    };
    ranked(labels.iter().map(|(label, _)| (*label, "label of the regime")), typed)
}

fn item(insert: &str, label: &str, detail: &str) -> CompletionItem {
    CompletionItem { insert: insert.to_owned(), label: label.to_owned(), detail: detail.to_owned() }
}

/// Prefix before inside before scattered letters; `None` does not match.
fn rank(name: &str, typed: &str) -> Option<u8> {
    let typed = typed.to_ascii_lowercase();
    if name.starts_with(&typed) {
        return Some(0);
    }
    if name.contains(&typed) {
        return Some(1);
    }
    let mut letters = name.chars();
    typed.chars().all(|wanted| letters.any(|letter| letter == wanted)).then_some(2)
}

/// The position of a quote that is open at the end of `text`.
fn open_quote(text: &str) -> Option<usize> {
    let mut open = None;
    for (at, c) in text.char_indices() {
        match open {
            None if c == '"' || c == '\'' => open = Some((at, c)),
            Some((_, quote)) if c == quote => open = None,
            _ => {}
        }
    }
    open.map(|(at, _)| at)
}

/// The outputs of the indicator that `base` ends with.
fn outputs(base: &str, typed: &str) -> Vec<CompletionItem> {
    let base = base.trim_end();
    let call = if base.ends_with(')') {
        let mut depth = 0usize;
        let opening = base.char_indices().rev().find(|(_, c)| {
            match c {
                ')' => depth += 1,
                '(' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        opening.map_or("", |(at, _)| &base[..at])
    } else {
        base
    };
    let call = call.trim_end();
    let name = &call
        [call.rfind(|c: char| !is_word(c)).map_or(0, |at| at + call[at..].chars().next().map_or(1, char::len_utf8))..];
    let series = || market::find(name).map_or(&[][..], |series| series.outputs);
    let outputs = indicators::find(name).map_or_else(series, |entry| entry.spec.outputs);
    let matching = outputs.iter().filter(|output| !output.name.is_empty() && rank(output.name, typed).is_some());
    matching.map(|output| item(output.name, output.name, output.title)).collect()
}
