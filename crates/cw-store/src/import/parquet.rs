//! Parquet with the same columns as the CSV form, in whatever plain types: times as timestamps, dates, epochs or text,
//! numbers as decimals, floats, integers or text.

use std::borrow::Cow;
use std::io::Read;
use std::sync::atomic::AtomicBool;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use cw_core::Timestamp;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use tokio::sync::mpsc;

use super::ImportOptions;
use super::columns::Columns;
use super::rows::{Batch, Cell, Parser};
use crate::error::{During, Result, StoreError};

/// Rows decoded at a time.
const ROWS: usize = 8192;

/// The file is read into memory first: Parquet begins at its end.
pub(super) fn read(
    mut reader: impl Read,
    options: &ImportOptions,
    sender: &mpsc::Sender<Batch>,
    cancel: &AtomicBool,
) -> Result<()> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).during("reading the file")?;
    // The Arrow schema that writers embed brings dictionaries and views; Parquet's own types are fewer.
    let reading = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes::Bytes::from(bytes), reading)
        .map_err(|error| StoreError::invalid(format!("not a Parquet file: {error}")))?;
    let schema = builder.schema().clone();
    let columns =
        Columns::find(schema.fields().iter().map(|field| field.name().as_str()), &options.columns, options.kind)?;
    for field in schema.fields() {
        if !is_readable(field.data_type()) {
            tracing::warn!(column = field.name(), kind = %field.data_type(), "this column's type is read as missing");
        }
    }
    let batches = builder
        .with_batch_size(ROWS)
        .build()
        .map_err(|error| StoreError::invalid(format!("not a readable Parquet file: {error}")))?;
    let mut parser = Parser::new(columns, sender, cancel);
    let mut line = 0;
    for batch in batches {
        let batch = batch.map_err(|error| StoreError::invalid(format!("damaged Parquet after row {line}: {error}")))?;
        for row in 0..batch.num_rows() {
            line += 1;
            if parser.row(line, |place| value(batch.column(place), row), || raw(&batch, row)).is_err() {
                return Ok(());
            }
        }
    }
    parser.finish();
    Ok(())
}

fn is_readable(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::Timestamp(..)
            | DataType::Date32
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt32
            | DataType::UInt64
            | DataType::Float32
            | DataType::Float64
            | DataType::Decimal128(..)
            | DataType::Utf8
            | DataType::Boolean
    )
}

fn value(column: &ArrayRef, row: usize) -> Cell<'_> {
    if column.is_null(row) {
        return Cell::Missing;
    }
    let owned = |text: String| Cell::Text(Cow::Owned(text));
    let time = |value: i64, unit: i64| {
        value.checked_mul(unit).map_or(Cell::Missing, |nanos| Cell::Time(Timestamp::from_nanos(nanos)))
    };
    match column.data_type() {
        DataType::Utf8 => Cell::Text(Cow::Borrowed(column.as_string::<i32>().value(row))),
        // The shortest text that reads back as the same float is what the writer meant.
        DataType::Float64 => owned(column.as_primitive::<Float64Type>().value(row).to_string()),
        DataType::Float32 => owned(column.as_primitive::<Float32Type>().value(row).to_string()),
        DataType::Decimal128(..) => owned(column.as_primitive::<Decimal128Type>().value_as_string(row)),
        DataType::Int64 => owned(column.as_primitive::<Int64Type>().value(row).to_string()),
        DataType::Int32 => owned(column.as_primitive::<Int32Type>().value(row).to_string()),
        DataType::UInt64 => owned(column.as_primitive::<UInt64Type>().value(row).to_string()),
        DataType::UInt32 => owned(column.as_primitive::<UInt32Type>().value(row).to_string()),
        DataType::Boolean => Cell::Text(Cow::Borrowed(if column.as_boolean().value(row) { "true" } else { "false" })),
        DataType::Date32 => time(i64::from(column.as_primitive::<Date32Type>().value(row)), 86_400_000_000_000),
        DataType::Timestamp(TimeUnit::Second, _) => {
            time(column.as_primitive::<TimestampSecondType>().value(row), 1_000_000_000)
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            time(column.as_primitive::<TimestampMillisecondType>().value(row), 1_000_000)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            time(column.as_primitive::<TimestampMicrosecondType>().value(row), 1_000)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            time(column.as_primitive::<TimestampNanosecondType>().value(row), 1)
        }
        _ => Cell::Missing,
    }
}

fn raw(batch: &RecordBatch, row: usize) -> String {
    let text = |column: &ArrayRef| match value(column, row) {
        Cell::Text(text) => text.into_owned(),
        Cell::Time(time) => time.to_string(),
        Cell::Missing => String::new(),
    };
    batch.columns().iter().map(text).collect::<Vec<_>>().join(",")
}
