//! What may come next in a line.

use serde_json::Value;

use super::filter;
use super::line;
use crate::args::{Arg, Kind, Spec, Token};
use crate::commands::market::{Completion, ListSymbols};
use crate::commands::registry::ConsoleCompletions;
use crate::context::Context;
use crate::registry::{COMMANDS, Entry};

/// At most this many proposals.
const LIMIT: usize = 50;
const TIMEFRAMES: [&str; 9] = ["1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w", "1M"];

/// Proposals for the word at the cursor, the likeliest first.
pub async fn complete(text: &str, cursor: usize, cx: &Context) -> ConsoleCompletions {
    let mut cursor = cursor.min(text.len());
    while !text.is_char_boundary(cursor) {
        cursor -= 1;
    }
    let before = &text[..cursor];
    // An open quote: nothing sensible to propose.
    let Ok(tokens) = line::tokenize(before) else {
        return ConsoleCompletions { items: Vec::new(), start: byte(cursor), end: byte(cursor), ghost: None };
    };
    let (done, word, start) = match tokens.split_last() {
        Some((last, rest)) if last.end == cursor && last.text != "|" => (rest, last.text.as_str(), last.start),
        _ => (tokens.as_slice(), "", cursor),
    };
    let mut items = proposals(done, word, cx).await;
    let lower = word.to_lowercase();
    items.retain(|item| item.insert.to_lowercase().contains(&lower));
    items.sort_by_key(|item| !item.insert.to_lowercase().starts_with(&lower));
    items.truncate(LIMIT);
    let ghost = items
        .first()
        .filter(|_| !word.is_empty() && cursor == text.len())
        .and_then(|item| item.insert.strip_prefix(word))
        .filter(|rest| !rest.is_empty())
        .map(str::to_owned);
    ConsoleCompletions { items, start: byte(start), end: byte(cursor), ghost }
}

fn byte(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn item(insert: impl Into<String>, detail: impl Into<String>) -> Completion {
    let insert = insert.into();
    Completion { label: insert.clone(), insert, detail: detail.into() }
}

async fn proposals(done: &[Token], word: &str, cx: &Context) -> Vec<Completion> {
    let bar = done.iter().rposition(|token| token.text == "|" && !token.quoted);
    if let Some(bar) = bar {
        let command = done.split(|token| token.text == "|" && !token.quoted).next().unwrap_or_default();
        return filters(&done[bar + 1..], command);
    }
    match done {
        [] => {
            let mut nouns: Vec<&str> = COMMANDS.iter().map(Entry::noun).chain(["help"]).collect();
            nouns.sort_unstable();
            nouns.dedup();
            nouns.into_iter().map(|noun| item(noun, line::verbs(noun).join(", "))).collect()
        }
        [help] if help.text == "help" => COMMANDS.iter().map(|e| item(e.name.replace('.', " "), e.title())).collect(),
        [noun, rest @ ..] => {
            let Some(noun) = line::noun(&noun.text) else { return Vec::new() };
            let entries = COMMANDS.iter().filter(|entry| entry.noun() == noun);
            match rest.first() {
                None => entries.map(|entry| item(entry.verb(), entry.title())).collect(),
                Some(verb) => match crate::find(&format!("{noun}.{}", verb.text)) {
                    Some(entry) => arguments(entry, &rest[1..], word, cx).await,
                    None => Vec::new(),
                },
            }
        }
    }
}

async fn arguments(entry: &Entry, done: &[Token], word: &str, cx: &Context) -> Vec<Completion> {
    let spec = Spec::from_schema(&entry.request_schema());
    // Walk over what is there: which arguments are used, and is a flag waiting for its value.
    let mut used: Vec<&str> = Vec::new();
    let mut waiting: Option<&Arg> = None;
    let positions = spec.positions();
    let mut position = 0;
    for token in done {
        if waiting.take().is_some() {
            continue;
        }
        if let Some(named) = token.text.strip_prefix("--").filter(|_| !token.quoted) {
            let (name, value) = named.split_once('=').map_or((named, None), |(n, v)| (n, Some(v)));
            if let Some(arg) = spec.by_flag(name) {
                used.push(&arg.field);
                waiting = (value.is_none() && arg.kind != Kind::Switch).then_some(arg);
            }
        } else if let Some(arg) = positions.get(position) {
            used.push(&arg.field);
            position += usize::from(!matches!(arg.kind, Kind::List(_)));
        }
    }
    if let Some(arg) = waiting {
        return values(arg, cx).await;
    }
    let mut items = Vec::new();
    if !word.starts_with('-')
        && let Some(arg) = positions.iter().find(|arg| !used.contains(&arg.field.as_str()))
    {
        items.extend(values(arg, cx).await);
    }
    let mut flags: Vec<&Arg> = spec.args.iter().filter(|arg| arg.position.is_none()).collect();
    flags.retain(|arg| matches!(arg.kind, Kind::Map | Kind::List(_)) || !used.contains(&arg.field.as_str()));
    flags.sort_by_key(|arg| !arg.required);
    items.extend(flags.into_iter().map(|arg| item(format!("--{}", arg.flag), arg.help.clone())));
    items
}

async fn values(arg: &Arg, cx: &Context) -> Vec<Completion> {
    match &arg.kind {
        Kind::Choice(choices) => choices.iter().map(|(name, help)| item(name.clone(), help.clone())).collect(),
        _ if arg.field.starts_with("instrument") => {
            let request = ListSymbols { venue: None, query: None };
            let listed = cx.services.market.list_symbols(&cx.caller, request).await;
            let instruments = listed.map(|list| list.instruments).unwrap_or_default();
            instruments.into_iter().map(|i| item(i.id.as_str(), i.name)).collect()
        }
        _ if arg.field == "timeframe" => TIMEFRAMES.iter().map(|timeframe| item(*timeframe, "")).collect(),
        _ => Vec::new(),
    }
}

fn filters(done: &[Token], command: &[Token]) -> Vec<Completion> {
    let Some(name) = done.first() else {
        return filter::NAMES.iter().map(|(name, help)| item(*name, *help)).collect();
    };
    if !matches!(name.text.as_str(), "where" | "sort" | "cols") {
        return Vec::new();
    }
    let noun = command.first().and_then(|token| line::noun(&token.text));
    let (Some(noun), Some(verb)) = (noun, command.get(1)) else { return Vec::new() };
    let Some(entry) = crate::find(&format!("{noun}.{}", verb.text)) else { return Vec::new() };
    let schema = entry.response_schema();
    let mut lists = schema["properties"].as_object().into_iter().flat_map(serde_json::Map::values);
    let columns = lists.find_map(|list| list["items"]["properties"].as_object());
    let describe = |(column, s): (&String, &Value)| item(column.clone(), s["description"].as_str().unwrap_or_default());
    columns.into_iter().flatten().map(describe).collect()
}
