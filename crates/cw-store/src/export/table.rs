//! Any table as a Parquet file, with what describes it inside.

use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::types::Float32Type;
use arrow_array::{ArrayRef, FixedSizeListArray, Float64Array, RecordBatch, StringArray, TimestampNanosecondArray};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use cw_core::Timestamp;
use parquet::arrow::ArrowWriter;
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
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

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
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(file)).unwrap();
        let footer = reader.metadata().file_metadata().key_value_metadata().unwrap().clone();
        assert!(footer.iter().any(|pair| pair.key == "manifest" && pair.value.as_deref() == Some("{}")));
        let batch = reader.build().unwrap().next().unwrap().unwrap();
        let expected: Vec<ArrayRef> = columns.into_iter().map(|(name, values)| column(&name, values).1).collect();
        assert_eq!(batch.num_rows(), 2);
        assert_eq!(format!("{:?}", batch.columns()), format!("{expected:?}"));

        let short =
            vec![("a".to_owned(), TableValues::Number(vec![1.0])), ("b".to_owned(), TableValues::Number(vec![]))];
        assert!(write_table(Vec::new(), short, Vec::new()).is_err());
    }
}
