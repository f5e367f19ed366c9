//! Exports that are Parquet.

use std::io::{self, Read};

use cw_api::commands::training::ExportValidity;
use cw_store::{Table, TableValues, read_table, table_hash, write_table};
use serde_json::{Value, json};

use super::super::export::{MANIFEST, MANIFEST_HASH};
use super::{Check, Kind};

/// How such a file begins.
pub(super) const MAGIC: &[u8] = b"PAR1";
/// It is read whole, because Parquet begins at its end. A larger one is none of ours.
const LARGEST: u64 = 1 << 30;

const RAG: [&str; 7] = [
    "id",
    "open_time",
    "description",
    "search_keywords",
    "technical_summary",
    "pattern_explanation",
    "embedding_vector",
];

pub(super) fn check(reader: impl Read) -> io::Result<ExportValidity> {
    let mut bytes = Vec::new();
    reader.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other(format!("larger than {LARGEST} bytes")));
    }
    let mut check = Check::new(None);
    let table = match read_table(bytes.clone()) {
        Ok(table) => table,
        Err(error) => {
            check.problem(format!("it cannot be read: {error}"));
            return Ok(check.end_with(""));
        }
    };
    let footer = |key: &str| table.metadata.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str());
    match footer(MANIFEST) {
        None => check.problem(format!("the footer has no `{MANIFEST}`")),
        Some(text) => {
            check.seal(text, footer(MANIFEST_HASH).unwrap_or_default());
            match serde_json::from_str(text) {
                Ok(manifest) => check.take_manifest(manifest),
                Err(error) => check.problem(format!("the manifest: {error}")),
            }
        }
    }
    let hash = table_hash(&table.columns);
    columns(&mut check, &table);
    rows(&mut check, &table);
    // Statistics, offsets and the like are in no hash: the file as it is written of what was read has them too.
    let mut written = Vec::new();
    write_table(&mut written, table.columns, table.metadata)?;
    if let Some(place) = differs(&bytes, &written) {
        check.problem(format!("byte {place} is not what is written for this content"));
    }
    Ok(check.end_with(&hash))
}

/// Where two files differ first.
fn differs(file: &[u8], written: &[u8]) -> Option<usize> {
    let place = file.iter().zip(written).position(|(a, b)| a != b);
    place.or((file.len() != written.len()).then(|| file.len().min(written.len())))
}

/// The schema: names in their order, and what is in them.
fn columns(check: &mut Check, table: &Table) {
    let expected: Vec<&str> = match check.kind {
        Some(Kind::Rag) => RAG.to_vec(),
        Some(Kind::Features) => {
            // Of an earlier program's features the manifest knows the names.
            let manifest = check.manifest.as_ref().map(|manifest| &manifest["features"]);
            let names = manifest.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            ["open_time", "close"].into_iter().chain(names).collect()
        }
        _ => {
            check.problem("the manifest's `kind` is of no table");
            return;
        }
    };
    let found: Vec<&str> = table.columns.iter().map(|(name, _)| name.as_str()).collect();
    let problem =
        (found != expected).then(|| format!("the columns are {}, not {}", found.join(", "), expected.join(", ")));
    let wrong = table.columns.iter().find(|(name, values)| match (name.as_str(), values) {
        ("open_time", TableValues::Time(_)) | ("embedding_vector", TableValues::Vector(_)) => false,
        (_, TableValues::Number(numbers)) => {
            check.kind != Some(Kind::Features) || numbers.iter().any(|number| !number.is_finite())
        }
        (_, TableValues::Text(_)) => check.kind != Some(Kind::Rag),
        _ => true,
    });
    let wrong = wrong.map(|(name, _)| format!("column {name} is of another kind, or holds what is no number"));
    for problem in [problem, wrong].into_iter().flatten() {
        check.problem(problem);
    }
}

/// Each row as the line that says the same.
fn rows(check: &mut Check, table: &Table) {
    let column = |name: &str| table.columns.iter().find(|(known, _)| known == name).map(|(_, values)| values);
    let Some(TableValues::Time(times)) = column("open_time") else { return };
    let manifest = check.manifest.clone().unwrap_or_default();
    for (number, time) in times.iter().enumerate() {
        let row = if check.kind == Some(Kind::Features) {
            let numbers = table.columns.iter().filter(|(name, _)| name != "open_time" && name != "close");
            let values: Vec<Value> = numbers.map(|(_, values)| cell(values, number)).collect();
            json!({ "open_time": time, "features": values })
        } else {
            let mut row = json!({
                "open_time": time,
                "instrument": manifest["instrument"],
                "timeframe": manifest["timeframe"],
                "embedding_model": manifest["embedding"]["model"],
                "scaler_hash": manifest["scaler"]["hash"],
                "schema_hash": manifest["schema_hash"],
            });
            for name in RAG.iter().filter(|name| **name != "open_time") {
                row[*name] = column(name).map_or(Value::Null, |values| cell(values, number));
            }
            row
        };
        check.rows += 1;
        if let Err(problem) = check.row(&row) {
            check.problem(format!("row {}: {problem}", number + 1));
        }
    }
}

fn cell(values: &TableValues, row: usize) -> Value {
    match values {
        TableValues::Time(values) => json!(values.get(row)),
        TableValues::Text(values) => json!(values.get(row)),
        TableValues::Number(values) => json!(values.get(row)),
        TableValues::Vector(values) => json!(values.get(row)),
    }
}
