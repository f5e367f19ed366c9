//! Results on stdout in the wanted format; everything else on stderr.

use std::io::{self, IsTerminal as _, Write};

use cw_api::Output;
use cw_api::table::Sections;
use serde_json::Value;

use crate::Failure;
use crate::options::{Format, Globals};

/// Writes to stdout. A reader that left (`| head`) is no error.
fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(cw_api::ApiError::storage(format!("cannot write to standard output: {error}")).into())
        }
        _ => Ok(()),
    }
}

pub fn text(text: &str) -> Result<(), Failure> {
    write(format!("{}\n", text.trim_end()).as_bytes())
}

/// A line on stderr. There is nowhere to say that stderr is gone.
pub fn error_line(line: &str) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}

pub fn note(globals: &Globals, line: &str) {
    if !globals.quiet {
        error_line(line);
    }
}

/// A command's answer.
pub fn answer(globals: &Globals, output: Output, schema: &Value) -> Result<(), Failure> {
    match output {
        Output::Json(result) => value(globals, &result, schema),
        // A file: its bytes as they are, for a redirection or a pipe.
        Output::Binary { bytes, .. } => write(&bytes),
    }
}

pub fn value(globals: &Globals, value: &Value, schema: &Value) -> Result<(), Failure> {
    match globals.format {
        Format::Json => {
            let text = if io::stdout().is_terminal() {
                serde_json::to_string_pretty(value)
            } else {
                serde_json::to_string(value)
            };
            self::text(&text.map_err(cw_api::ApiError::internal)?)
        }
        Format::Csv => write(Sections::of(value, schema).main_table().to_csv().as_bytes()),
        Format::Markdown => text(&Sections::of(value, schema).main_table().without_empty_columns().to_markdown()),
        Format::Table => {
            let sections = Sections::of(value, schema);
            let mut parts: Vec<String> = Vec::new();
            if !sections.facts.rows.is_empty() {
                let width = sections.facts.rows.iter().filter_map(|row| row[0].as_ref()).map(String::len).max();
                let line = |row: &Vec<Option<String>>| {
                    let cell = |index: usize| row.get(index).and_then(Option::as_deref).unwrap_or_default();
                    format!("{:width$}  {}", cell(0), cell(1), width = width.unwrap_or(0)).trim_end().to_owned()
                };
                parts.push(sections.facts.rows.iter().map(line).collect::<Vec<_>>().join("\n"));
            }
            let several = sections.lists.len() > 1 || !sections.facts.rows.is_empty();
            for (name, table) in sections.lists {
                let head = if several { format!("{}\n", name.replace('_', " ")) } else { String::new() };
                let body =
                    if table.rows.is_empty() { "(none)".to_owned() } else { table.without_empty_columns().to_text() };
                parts.push(format!("{head}{}", body.trim_end()));
            }
            text(&parts.join("\n\n"))
        }
    }
}
