//! Any table as a Parquet file, with what describes it inside.

use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, TimestampNanosecondType};
use arrow_array::{
    Array, ArrayRef, FixedSizeListArray, Float64Array, RecordBatch, StringArray, TimestampNanosecondArray,
};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use cw_core::Timestamp;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

/// The values of a column, one per row.
#[derive(Debug, Clone, PartialEq)]
pub enum TableValues {
    /// Nanoseconds, UTC.
    Time(Vec<Timestamp>),
    Text(Vec<String>),
    Number(Vec<f64>),
    /// Rows of equally many short floats: vectors.
    Vector(Vec<Vec<f32>>),
}

impl TableValues {
    /// Values of the same kind, behind these.
    fn append(&mut self, more: Self) {
        match (self, more) {
            (Self::Time(values), Self::Time(mut more)) => values.append(&mut more),
            (Self::Text(values), Self::Text(mut more)) => values.append(&mut more),
            (Self::Number(values), Self::Number(mut more)) => values.append(&mut more),
            (Self::Vector(values), Self::Vector(mut more)) => values.append(&mut more),
            // All batches of a file have its schema.
            _ => {}
        }
    }
    fn bytes(&self, mut feed: impl FnMut(&[u8])) {
        match self {
            Self::Time(times) => times.iter().for_each(|time| feed(&time.as_nanos().to_le_bytes())),
            Self::Text(texts) => texts.iter().for_each(|text| {
                feed(&(text.len() as u64).to_le_bytes());
                feed(text.as_bytes());
            }),
            Self::Number(numbers) => numbers.iter().for_each(|number| feed(&number.to_bits().to_le_bytes())),
            Self::Vector(vectors) => {
                vectors.iter().flatten().for_each(|number| feed(&number.to_bits().to_le_bytes()));
            }
        }
    }
}

/// BLAKE3 of names and values, as lowercase hex: the same table has the same hash however it is stored.
pub fn table_hash(columns: &[(String, TableValues)]) -> String {
    let mut hasher = blake3::Hasher::new();
    for (name, values) in columns {
        hasher.update(name.as_bytes());
        hasher.update(b"\n");
        values.bytes(|bytes| {
            hasher.update(bytes);
        });
    }
    hasher.finalize().to_hex().to_string()
}

/// A table that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub columns: Vec<(String, TableValues)>,
    /// From the file's footer, by key.
    pub metadata: Vec<(String, String)>,
}

/// Reads what [`write_table`] wrote. Errors say what of the file is not that.
pub fn read_table(file: impl Into<bytes::Bytes>) -> io::Result<Table> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file.into()).map_err(io::Error::other)?;
    let metadata = builder.metadata().file_metadata().key_value_metadata().into_iter().flatten();
    let metadata = metadata.filter(|pair| pair.key != ARROW_SCHEMA);
    let metadata = metadata.map(|pair| (pair.key.clone(), pair.value.clone().unwrap_or_default())).collect();
    let schema = builder.schema().clone();
    let mut columns: Vec<(String, TableValues)> = Vec::new();
    for batch in builder.build().map_err(io::Error::other)? {
        let batch = batch.map_err(io::Error::other)?;
        for (place, (field, array)) in schema.fields().iter().zip(batch.columns()).enumerate() {
            let values = values(field.name(), array)?;
            match columns.get_mut(place) {
                Some((_, known)) => known.append(values),
                None => columns.push((field.name().clone(), values)),
            }
        }
    }
    Ok(Table { columns, metadata })
}

/// Where the writer keeps the schema for itself.
const ARROW_SCHEMA: &str = "ARROW:schema";

fn values(name: &str, array: &ArrayRef) -> io::Result<TableValues> {
    if array.null_count() > 0 {
        return Err(io::Error::other(format!("column {name} has values that are missing")));
    }
    Ok(match array.data_type() {
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            let nanos = array.as_primitive::<TimestampNanosecondType>().values();
            TableValues::Time(nanos.iter().map(|nanos| Timestamp::from_nanos(*nanos)).collect())
        }
        DataType::Utf8 => TableValues::Text(array.as_string::<i32>().iter().flatten().map(str::to_owned).collect()),
        DataType::Float64 => TableValues::Number(array.as_primitive::<Float64Type>().values().to_vec()),
        DataType::FixedSizeList(item, width) if *item.data_type() == DataType::Float32 => {
            let items = array.as_fixed_size_list().values();
            let numbers = items.as_primitive::<Float32Type>().values();
            if items.null_count() > 0 || *width < 1 {
                return Err(io::Error::other(format!("column {name} has vectors with holes")));
            }
            TableValues::Vector(numbers.chunks(*width as usize).map(<[f32]>::to_vec).collect())
        }
        kind => return Err(io::Error::other(format!("column {name} is of the kind {kind}"))),
    })
}

/// Writes columns of equal length. `metadata` is kept in the file's footer, by key.
pub fn write_table(
    writer: impl Write + Send,
    columns: Vec<(String, TableValues)>,
    metadata: Vec<(String, String)>,
) -> io::Result<()> {
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) =
        columns.into_iter().map(|(name, values)| column(&name, values)).unzip();
    let schema = Arc::new(Schema::new(fields));
    let footer = metadata.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
    let properties =
        WriterProperties::builder().set_compression(Compression::SNAPPY).set_key_value_metadata(Some(footer)).build();
    let batch = RecordBatch::try_new(schema.clone(), arrays).map_err(io::Error::other)?;
    let mut writer = ArrowWriter::try_new(writer, schema, Some(properties)).map_err(io::Error::other)?;
    writer.write(&batch).map_err(io::Error::other)?;
    writer.close().map(|_| ()).map_err(io::Error::other)
}

fn column(name: &str, values: TableValues) -> (Field, ArrayRef) {
    let array: ArrayRef = match values {
        TableValues::Time(times) => {
            let nanos = times.into_iter().map(Timestamp::as_nanos);
            Arc::new(TimestampNanosecondArray::from_iter_values(nanos).with_timezone("UTC"))
        }
        TableValues::Text(texts) => Arc::new(StringArray::from(texts)),
        TableValues::Number(numbers) => Arc::new(Float64Array::from(numbers)),
        TableValues::Vector(vectors) => {
            let width = vectors.first().map_or(0, Vec::len) as i32;
            let rows = vectors.into_iter().map(|vector| Some(vector.into_iter().map(Some).collect::<Vec<_>>()));
            Arc::new(FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(rows, width))
        }
    };
    let kind = match array.data_type() {
        DataType::Timestamp(..) => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
        kind => kind.clone(),
    };
    (Field::new(name, kind, false), array)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_back_with_its_metadata() {
        let columns = vec![
            ("time".to_owned(), TableValues::Time(vec![Timestamp::EPOCH, Timestamp::from_secs(60)])),
            ("text".to_owned(), TableValues::Text(vec!["a".into(), "b \"c\"".into()])),
            ("number".to_owned(), TableValues::Number(vec![0.1, f64::NAN])),
            ("vector".to_owned(), TableValues::Vector(vec![vec![0.5, 1.0], vec![0.0, 0.25]])),
        ];
        let mut file = Vec::new();
        write_table(&mut file, columns.clone(), vec![("manifest".into(), "{}".into())]).unwrap();
        let read = read_table(file.clone()).unwrap();
        assert_eq!(read.metadata, [("manifest".to_owned(), "{}".to_owned())]);
        // NaN is no equal of itself.
        assert_eq!(format!("{:?}", read.columns), format!("{columns:?}"));
        assert_eq!(table_hash(&read.columns), table_hash(&columns));
        let mut again = Vec::new();
        write_table(&mut again, read.columns, read.metadata).unwrap();
        assert_eq!(again, file, "a table is written the same way each time");
        let mut other = columns.clone();
        other[3].1 = TableValues::Vector(vec![vec![0.5, 1.0], vec![0.0, 0.26]]);
        assert_ne!(table_hash(&other), table_hash(&columns));
        assert!(read_table(b"PAR1 and nothing more".to_vec()).is_err());

        let short =
            vec![("a".to_owned(), TableValues::Number(vec![1.0])), ("b".to_owned(), TableValues::Number(vec![]))];
        assert!(write_table(Vec::new(), short, Vec::new()).is_err());
    }
}
