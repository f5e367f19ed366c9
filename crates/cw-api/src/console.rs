//! The console: one line in, blocks out; and what may come next in a line.
//!
//! ```text
//! line     = pipeline [ "&" ]                  & = run as a job
//! pipeline = command { "|" filter }
//! command  = noun [ verb ] { arg }             the singular of a noun is accepted
//! filter   = where COND · sort [-]COLUMN · top N · cols A,B · csv · json · markdown
//! ```

mod complete;
mod filter;
mod line;

use std::fmt::Write as _;

use cw_core::Surface;
use serde_json::Value;

pub use complete::complete;
use filter::{Filter, Shape};
use line::{Line, Resolved};
pub use line::{noun, unknown_noun, unknown_verb};

use crate::access::Access;
use crate::args::{ArgError, Spec};
use crate::commands::registry::{Caret, ConsoleBlock, ConsoleOutput};
use crate::context::Context;
use crate::error::{ApiError, ErrorCode};
use crate::registry::{COMMANDS, Entry, Output, dispatch};
use crate::table::{Sections, Table};

/// Runs a line. What is wrong with it comes back as a block with a caret, not as a failed call.
pub async fn run(text: &str, cx: &Context) -> ConsoleOutput {
    let blocks = match run_line(text, cx).await {
        Ok(blocks) => blocks,
        Err(Problem { mut error, caret }) => {
            if error.trace_id.is_empty() {
                cx.caller.trace_id.as_str().clone_into(&mut error.trace_id);
            }
            vec![ConsoleBlock::Error { error, caret }]
        }
    };
    ConsoleOutput { blocks }
}

/// An error with the part of the line it is about.
struct Problem {
    error: ApiError,
    caret: Option<Caret>,
}

impl Problem {
    fn at(span: (usize, usize), message: impl Into<String>) -> Self {
        Self { error: ApiError::new(ErrorCode::InvalidRequest, message), caret: Some(caret(span)) }
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        Self { error, caret: None }
    }
}

fn caret((start, end): (usize, usize)) -> Caret {
    let byte = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    Caret { start: byte(start), end: byte(end) }
}

async fn run_line(text: &str, cx: &Context) -> Result<Vec<ConsoleBlock>, Problem> {
    let line = Line::parse(text).map_err(|error| problem(error, text))?;
    if line.command.is_empty() {
        return match line.filters.first() {
            Some(filter) => Err(Problem::at(filter.span(), "there is nothing to filter")),
            None => Ok(Vec::new()),
        };
    }
    if line.command[0].text == "help" {
        return help(&line).map(|text| vec![ConsoleBlock::Text { text }]);
    }
    let Resolved { mut entry, args } = line.resolve().map_err(|error| problem(error, text))?;
    let filters =
        line.filters.iter().map(Filter::parse).collect::<Result<Vec<_>, _>>().map_err(|e| problem(e, text))?;
    let spec = Spec::from_schema(&entry.request_schema());
    let request = spec.parse(args).map_err(|error| problem(error, text))?;
    if line.as_job {
        entry = job_of(entry).ok_or_else(|| {
            let span = line.job_span();
            Problem::at(span, format!("{} answers at once and cannot run as a job", entry.name.replace('.', " ")))
        })?;
    }

    let mut call = cx.next_call();
    call.caller.surface = Surface::Console;
    let output = Box::pin(dispatch(entry.name, request, &call)).await.map_err(|error| {
        // The words of the argument that the command refused.
        let caret = error.field.as_deref().and_then(|field| line::span_of(&spec, args, field)).map(caret);
        Problem { error, caret }
    })?;
    show(entry, output, &filters).map_err(|error| problem(error, text))
}

/// The command that does the same in the background.
fn job_of(entry: &Entry) -> Option<&'static Entry> {
    (entry.name == "backtest.run").then(|| crate::find("backtest.start")).flatten()
}

fn problem(error: ArgError, text: &str) -> Problem {
    let span = error.span.unwrap_or((text.trim_end().len(), text.trim_end().len()));
    let mut problem = Problem::at(span, error.message);
    problem.error.field = error.field;
    problem
}

/// The answer as blocks, after the filters.
fn show(entry: &Entry, output: Output, filters: &[Filter]) -> Result<Vec<ConsoleBlock>, ArgError> {
    let value = match output {
        Output::Json(value) => value,
        Output::Binary { content_type, bytes } if content_type.starts_with("text/") && filters.is_empty() => {
            return Ok(vec![ConsoleBlock::Text { text: String::from_utf8_lossy(&bytes).into_owned() }]);
        }
        Output::Binary { content_type, bytes } => {
            return Ok(vec![ConsoleBlock::Text { text: format!("{} bytes of {content_type}", bytes.len()) }]);
        }
    };
    if filters.is_empty() && entry.name == "commands.list" {
        return Ok(vec![ConsoleBlock::Text { text: overview() }]);
    }
    if let [Filter::Shape(Shape::Json)] = filters {
        return Ok(vec![ConsoleBlock::Json { value }]);
    }
    let sections = Sections::of(&value, &entry.response_schema());
    if filters.is_empty() {
        return Ok(whole(sections));
    }
    let mut table = sections.main_table();
    let mut shape = Shape::Table;
    for filter in filters {
        match filter {
            Filter::Shape(wanted) => shape = *wanted,
            other => table = other.apply(table)?,
        }
    }
    let table = table.without_empty_columns();
    Ok(vec![match shape {
        Shape::Table => ConsoleBlock::Table { columns: table.columns, rows: table.rows },
        Shape::Csv => ConsoleBlock::Text { text: table.to_csv() },
        Shape::Markdown => ConsoleBlock::Text { text: table.to_markdown() },
        Shape::Json => ConsoleBlock::Json { value: as_json(table) },
    }])
}

fn as_json(table: Table) -> Value {
    let row = |row: Vec<Option<String>>| {
        Value::Object(table.columns.iter().cloned().zip(row.into_iter().map(Value::from)).collect())
    };
    table.rows.into_iter().map(row).collect()
}

fn whole(sections: Sections) -> Vec<ConsoleBlock> {
    let mut blocks = Vec::new();
    let block = |table: Table| {
        let table = table.without_empty_columns();
        ConsoleBlock::Table { columns: table.columns, rows: table.rows }
    };
    if !sections.facts.rows.is_empty() {
        blocks.push(block(sections.facts));
    }
    let several = sections.lists.len() > 1;
    for (name, table) in sections.lists {
        if several {
            blocks.push(ConsoleBlock::Text { text: name.replace('_', " ") });
        }
        blocks.push(block(table));
    }
    blocks
}

fn help(line: &Line) -> Result<String, Problem> {
    let about = &line.command[1..];
    let Some(first) = about.first() else { return Ok(overview()) };
    let Some(noun) = line::noun(&first.text) else {
        return Err(Problem::at((first.start, first.end), line::unknown_noun(&first.text)));
    };
    match about.get(1) {
        None => Ok(noun_help(noun)),
        Some(verb) => match crate::find(&format!("{noun}.{}", verb.text)) {
            Some(entry) => Ok(command_help(entry)),
            None => Err(Problem::at((verb.start, verb.end), line::unknown_verb(noun, &verb.text))),
        },
    }
}

/// Every noun with its verbs.
pub fn overview() -> String {
    let mut text = String::new();
    let mut nouns: Vec<&str> = COMMANDS.iter().map(Entry::noun).collect();
    nouns.sort_unstable();
    nouns.dedup();
    let width = nouns.iter().map(|noun| noun.len()).max().unwrap_or(0);
    for noun in nouns {
        let verbs: Vec<&str> = COMMANDS.iter().filter(|e| e.noun() == noun).map(Entry::verb).collect();
        writeln!(text, "{noun:width$}  {}", verbs.join(" ")).expect("writing to a String cannot fail");
    }
    text
}

/// The verbs of a noun, each with the first sentence of its help.
pub fn noun_help(noun: &str) -> String {
    let mut text = String::new();
    for entry in COMMANDS.iter().filter(|entry| entry.noun() == noun) {
        let help = entry.description();
        let sentence = help.split_once(". ").map_or(help.as_str(), |(first, _)| first);
        writeln!(text, "{noun} {:10}  {}", entry.verb(), sentence.trim_end_matches('.'))
            .expect("writing to a String cannot fail");
    }
    text
}

/// What a command does, how it is written, and every argument.
pub fn command_help(entry: &Entry) -> String {
    let spec = Spec::from_schema(&entry.request_schema());
    let needs = match entry.access {
        Access::Read => "",
        Access::Trade => "\nNeeds trade access.",
        Access::Admin => "\nNeeds admin access.",
    };
    spec_help(&entry.name.replace('.', " "), &spec, needs)
}

/// The help text of anything that takes arguments.
pub fn spec_help(name: &str, spec: &Spec, remark: &str) -> String {
    let mut text = format!("{}{remark}\n\n{name} {}\n", spec.help, spec.usage());
    for arg in &spec.args {
        let name = if arg.position.is_some() { arg.field.to_uppercase() } else { format!("--{}", arg.flag) };
        let choices = match &arg.kind {
            crate::args::Kind::Choice(_) => format!(" ({})", arg.kind.word()),
            _ => String::new(),
        };
        writeln!(text, "  {name:20} {}{choices}", arg.help).expect("writing to a String cannot fail");
    }
    text
}
