//! CSV with a header, comma, semicolon or tab between the fields.

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read};
use std::sync::atomic::AtomicBool;

use csv::{ByteRecord, ReaderBuilder};
use tokio::sync::mpsc;

use super::ImportOptions;
use super::columns::Columns;
use super::rows::{Batch, Cell, Parser};
use crate::error::{During, Result, StoreError};

const WHAT: &str = "reading the file";
const BUFFER: usize = 1 << 18;

pub(super) fn read(
    reader: impl Read,
    options: &ImportOptions,
    sender: &mpsc::Sender<Batch>,
    cancel: &AtomicBool,
) -> Result<()> {
    let mut reader = BufReader::with_capacity(BUFFER, reader);
    let delimiter = delimiter(reader.fill_buf().during(WHAT)?);
    let mut csv = ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .quoting(true)
        .buffer_capacity(BUFFER)
        .from_reader(reader);
    let header = csv.byte_headers().map_err(broken)?.clone();
    if header.is_empty() || header.iter().all(<[u8]>::is_empty) {
        return Err(StoreError::invalid("the file holds no header"));
    }
    let names: Vec<Cow<'_, str>> = header.iter().map(String::from_utf8_lossy).collect();
    let columns = Columns::find(names.iter().map(AsRef::as_ref), &options.columns, options.kind)?;
    let mut parser = Parser::new(columns, sender, cancel);
    let mut record = ByteRecord::new();
    while csv.read_byte_record(&mut record).map_err(broken)? {
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != header.len() {
            let reason = format!("{} fields, the header has {}", record.len(), header.len());
            if parser.reject(line, reason, raw(&record)).is_err() {
                return Ok(());
            }
            continue;
        }
        let cell = |place: usize| match record.get(place).map(std::str::from_utf8) {
            Some(Ok(text)) => Cell::Text(Cow::Borrowed(text)),
            Some(Err(_)) => Cell::Text(Cow::Borrowed("\u{fffd}")),
            None => Cell::Missing,
        };
        if parser.row(line, cell, || raw(&record)).is_err() {
            return Ok(());
        }
    }
    parser.finish();
    Ok(())
}

/// The first of the three that the header line has; a comma when it has none.
fn delimiter(start: &[u8]) -> u8 {
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    [b',', b';', b'\t'].into_iter().find(|delimiter| line.contains(delimiter)).unwrap_or(b',')
}

fn raw(record: &ByteRecord) -> String {
    record.iter().map(String::from_utf8_lossy).collect::<Vec<_>>().join(",")
}

fn broken(error: csv::Error) -> StoreError {
    StoreError::Unavailable { what: WHAT, source: error.into() }
}
