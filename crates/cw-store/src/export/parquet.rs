//! Exact Parquet: nanosecond timestamps and decimals of nine places.

use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array, RecordBatch, StringArray, TimestampNanosecondArray, UInt64Array};
use arrow_schema::{ArrowError, DataType, Field, Schema, TimeUnit};
use cw_core::{Price, Timestamp};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::{CANDLE_COLUMNS, Encoder, Page, QUOTE_COLUMNS, TRADE_COLUMNS, side_text};
use crate::series::Channel;

const DECIMALS: i8 = 9;
/// Digits of the largest price and of the widest quantity.
const PRICE_DIGITS: u8 = 19;
const WIDE_DIGITS: u8 = 38;

pub(super) struct Parquet<W: Write + Send> {
    writer: ArrowWriter<W>,
    schema: Arc<Schema>,
}

impl<W: Write + Send> Parquet<W> {
    pub(super) fn new(writer: W, channel: Channel) -> io::Result<Self> {
        let fields: Vec<Field> = match channel {
            Channel::Candles(_) => {
                CANDLE_COLUMNS.iter().zip([time(), price(), price(), price(), price(), wide()]).map(field).collect()
            }
            Channel::Trades => {
                let kinds = [time(), DataType::UInt64, price(), wide(), DataType::Utf8];
                TRADE_COLUMNS.iter().zip(kinds).map(field).collect()
            }
            Channel::Quotes => {
                QUOTE_COLUMNS.iter().zip([time(), price(), price(), wide(), wide()]).map(field).collect()
            }
        };
        let schema = Arc::new(Schema::new(fields));
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let writer = ArrowWriter::try_new(writer, schema.clone(), Some(properties)).map_err(failed)?;
        Ok(Self { writer, schema })
    }
}

fn field((name, kind): (&&'static str, DataType)) -> Field {
    Field::new(*name, kind, true)
}
fn time() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}
const fn price() -> DataType {
    DataType::Decimal128(PRICE_DIGITS, DECIMALS)
}
const fn wide() -> DataType {
    DataType::Decimal128(WIDE_DIGITS, DECIMALS)
}

fn times(times: impl Iterator<Item = Timestamp>) -> ArrayRef {
    Arc::new(TimestampNanosecondArray::from_iter_values(times.map(Timestamp::as_nanos)).with_timezone("UTC"))
}
fn prices(prices: impl Iterator<Item = Price>) -> Result<ArrayRef, ArrowError> {
    decimals(prices.map(|price| i128::from(price.raw())), PRICE_DIGITS)
}
fn decimals(values: impl Iterator<Item = i128>, digits: u8) -> Result<ArrayRef, ArrowError> {
    Ok(Arc::new(Decimal128Array::from_iter_values(values).with_precision_and_scale(digits, DECIMALS)?))
}

fn columns(page: &Page) -> Result<Vec<ArrayRef>, ArrowError> {
    Ok(match page {
        Page::Candles(rows) => vec![
            times(rows.iter().map(|row| row.open_time)),
            prices(rows.iter().map(|row| row.open))?,
            prices(rows.iter().map(|row| row.high))?,
            prices(rows.iter().map(|row| row.low))?,
            prices(rows.iter().map(|row| row.close))?,
            decimals(rows.iter().map(|row| row.volume.raw()), WIDE_DIGITS)?,
        ],
        Page::Trades(rows) => vec![
            times(rows.iter().map(|row| row.event_time)),
            Arc::new(rows.iter().map(|row| (row.trade_id != 0).then_some(row.trade_id)).collect::<UInt64Array>()),
            prices(rows.iter().map(|row| row.price))?,
            decimals(rows.iter().map(|row| row.qty.raw()), WIDE_DIGITS)?,
            Arc::new(rows.iter().map(|row| row.aggressor.map(side_text)).collect::<StringArray>()),
        ],
        Page::Quotes(rows) => vec![
            times(rows.iter().map(|row| row.event_time)),
            prices(rows.iter().map(|row| row.bid))?,
            prices(rows.iter().map(|row| row.ask))?,
            decimals(rows.iter().map(|row| row.bid_qty.raw()), WIDE_DIGITS)?,
            decimals(rows.iter().map(|row| row.ask_qty.raw()), WIDE_DIGITS)?,
        ],
    })
}

impl<W: Write + Send> Encoder for Parquet<W> {
    fn page(&mut self, page: &Page) -> io::Result<()> {
        let batch = columns(page)
            .and_then(|columns| RecordBatch::try_new(self.schema.clone(), columns))
            .map_err(io::Error::other)?;
        self.writer.write(&batch).map_err(failed)
    }
    fn finish(self: Box<Self>) -> io::Result<()> {
        self.writer.close().map(|_| ()).map_err(failed)
    }
}

fn failed(error: ParquetError) -> io::Error {
    io::Error::other(error)
}
