//! The store into files, in a form that [`Store::import`] reads back as the same data.

#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "parquet")]
mod table;

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use cw_core::{Candle, InstrumentId, Quote, Side, Timestamp, Trade};
use serde::{Deserialize, Serialize};

use crate::candles::{CandleQuery, SortOrder};
use crate::error::{During, Result, StoreError};
use crate::open::Store;
use crate::series::Channel;
use crate::tape::{TapeKind, TapeReader};

#[cfg(feature = "parquet")]
pub use table::{Table, TableValues, read_table, table_hash, write_table};

/// Rows read and written at a time.
const PAGE: u32 = 50_000;
const WHAT: &str = "writing the file";

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    Csv,
    /// An array of objects, every number a text.
    Json,
    Parquet,
}

impl FromStr for ExportFormat {
    type Err = StoreError;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "csv" => Ok(Self::Csv),
            "json" => Ok(Self::Json),
            "parquet" => Ok(Self::Parquet),
            other => Err(StoreError::invalid(format!("format \"{other}\"; use csv, json or parquet"))),
        }
    }
}

/// Rows of one kind, as read from the store.
#[derive(Debug)]
enum Page {
    Candles(Vec<Candle>),
    Trades(Vec<Trade>),
    Quotes(Vec<Quote>),
}

impl Page {
    fn len(&self) -> usize {
        match self {
            Self::Candles(rows) => rows.len(),
            Self::Trades(rows) => rows.len(),
            Self::Quotes(rows) => rows.len(),
        }
    }
    fn time(&self, place: usize) -> Option<Timestamp> {
        match self {
            Self::Candles(rows) => rows.get(place).map(|row| row.open_time),
            Self::Trades(rows) => rows.get(place).map(|row| row.event_time),
            Self::Quotes(rows) => rows.get(place).map(|row| row.event_time),
        }
    }
    fn truncate(&mut self, length: usize) {
        match self {
            Self::Candles(rows) => rows.truncate(length),
            Self::Trades(rows) => rows.truncate(length),
            Self::Quotes(rows) => rows.truncate(length),
        }
    }
}

/// One of the formats at work.
trait Encoder: Send {
    fn page(&mut self, page: &Page) -> io::Result<()>;
    fn finish(self: Box<Self>) -> io::Result<()>;
}

impl Store {
    /// Writes a series, or the part of it between `query.from` and `query.to`, oldest first; returns the number of rows.
    pub async fn export(
        &self,
        instrument: &InstrumentId,
        channel: Channel,
        query: &CandleQuery,
        format: ExportFormat,
        writer: impl Write + Send + 'static,
    ) -> Result<u64> {
        let mut encoder: Box<dyn Encoder> = match format {
            ExportFormat::Csv => Box::new(Csv::new(writer, channel).during(WHAT)?),
            ExportFormat::Json => Box::new(Json::new(writer)),
            #[cfg(feature = "parquet")]
            ExportFormat::Parquet => Box::new(parquet::Parquet::new(writer, channel).during(WHAT)?),
            #[cfg(not(feature = "parquet"))]
            ExportFormat::Parquet => return Err(StoreError::invalid("this program was built without Parquet")),
        };
        let mut rows = 0;
        let mut from = query.from;
        let mut left = query.limit.map_or(u64::MAX, u64::from);
        let mut size = PAGE;
        while left > 0 {
            let wanted = u64::from(size).min(left) as u32;
            let part = CandleQuery { from, to: query.to, limit: Some(wanted), order: SortOrder::OldestFirst };
            let mut page = self.page(instrument, channel, &part).await?;
            let full = page.len() == wanted as usize && u64::from(wanted) < left;
            if full {
                // The next page starts at the last moment of this one, of which there may be more ticks.
                let last = page.time(page.len() - 1);
                let keep = (0..page.len()).rev().find(|place| page.time(*place) != last).map_or(0, |place| place + 1);
                if keep == 0 {
                    size = size.saturating_mul(2);
                    continue;
                }
                page.truncate(keep);
                from = last;
            }
            rows += page.len() as u64;
            left -= page.len() as u64;
            encoder = tokio::task::spawn_blocking(move || encoder.page(&page).map(|()| encoder))
                .await
                .during(WHAT)?
                .during(WHAT)?;
            if !full {
                break;
            }
        }
        tokio::task::spawn_blocking(move || encoder.finish()).await.during(WHAT)?.during(WHAT)?;
        Ok(rows)
    }

    async fn page(&self, instrument: &InstrumentId, channel: Channel, query: &CandleQuery) -> Result<Page> {
        Ok(match channel {
            Channel::Candles(timeframe) => Page::Candles(self.read_candles(instrument, timeframe, query).await?),
            Channel::Trades => Page::Trades(self.read_trades(instrument, query).await?),
            Channel::Quotes => Page::Quotes(self.read_quotes(instrument, query).await?),
        })
    }
}

const CANDLE_COLUMNS: [&str; 6] = ["open_time", "open", "high", "low", "close", "volume"];
const TRADE_COLUMNS: [&str; 5] = ["time", "trade_id", "price", "quantity", "side"];
const QUOTE_COLUMNS: [&str; 5] = ["time", "bid", "ask", "bid_size", "ask_size"];

/// Calls `row` with the columns and their values, as things that print themselves; an empty print is a missing value.
fn each_row(
    page: &Page,
    mut row: impl FnMut(&[&'static str], &[&dyn fmt::Display]) -> io::Result<()>,
) -> io::Result<()> {
    match page {
        Page::Candles(rows) => {
            for c in rows {
                row(&CANDLE_COLUMNS, &[&c.open_time, &c.open, &c.high, &c.low, &c.close, &c.volume])?;
            }
        }
        Page::Trades(rows) => {
            for t in rows {
                let id: &dyn fmt::Display = if t.trade_id == 0 { &"" } else { &t.trade_id };
                let side = t.aggressor.map_or("", side_text);
                row(&TRADE_COLUMNS, &[&t.event_time, id, &t.price, &t.qty, &side])?;
            }
        }
        Page::Quotes(rows) => {
            for q in rows {
                row(&QUOTE_COLUMNS, &[&q.event_time, &q.bid, &q.ask, &q.bid_qty, &q.ask_qty])?;
            }
        }
    }
    Ok(())
}

const fn side_text(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

/// A recording's quotes, or its trades, in the columns that imports read.
pub fn ticks_csv(mut reader: TapeReader, quotes: bool) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let channel = if quotes { Channel::Quotes } else { Channel::Trades };
    let mut csv = Box::new(Csv::new(&mut out, channel).during(WHAT)?);
    let mut events = Vec::new();
    while reader.next(&mut events)? {
        let kinds = events.drain(..).map(|event| event.kind);
        let page = if quotes {
            Page::Quotes(kinds.filter_map(TapeKind::quote).collect())
        } else {
            Page::Trades(kinds.filter_map(TapeKind::trade).collect())
        };
        csv.page(&page).during(WHAT)?;
    }
    csv.finish().during(WHAT)?;
    Ok(out)
}

struct Csv<W: Write> {
    writer: io::BufWriter<W>,
}

impl<W: Write> Csv<W> {
    fn new(writer: W, channel: Channel) -> io::Result<Self> {
        let mut writer = io::BufWriter::with_capacity(1 << 16, writer);
        let header = match channel {
            Channel::Candles(_) => CANDLE_COLUMNS.join(","),
            Channel::Trades => TRADE_COLUMNS.join(","),
            Channel::Quotes => QUOTE_COLUMNS.join(","),
        };
        writeln!(writer, "{header}")?;
        Ok(Self { writer })
    }
}

impl<W: Write + Send> Encoder for Csv<W> {
    fn page(&mut self, page: &Page) -> io::Result<()> {
        let writer = &mut self.writer;
        // Times, decimals and buy or sell: nothing in them needs quotes.
        each_row(page, |_, values| {
            for (place, value) in values.iter().enumerate() {
                let comma = if place == 0 { "" } else { "," };
                write!(writer, "{comma}{value}")?;
            }
            writeln!(writer)
        })
    }
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.writer.flush()
    }
}

struct Json<W: Write> {
    writer: io::BufWriter<W>,
    started: bool,
}

impl<W: Write> Json<W> {
    fn new(writer: W) -> Self {
        Self { writer: io::BufWriter::with_capacity(1 << 16, writer), started: false }
    }
}

impl<W: Write + Send> Encoder for Json<W> {
    fn page(&mut self, page: &Page) -> io::Result<()> {
        let Self { writer, started } = self;
        each_row(page, |columns, values| {
            writer.write_all(if *started { b",\n{" } else { b"[\n{" })?;
            *started = true;
            for (place, (column, value)) in columns.iter().zip(values).enumerate() {
                let comma = if place == 0 { "" } else { "," };
                // No value holds a character that JSON escapes.
                write!(writer, "{comma}\"{column}\":\"{value}\"")?;
            }
            writer.write_all(b"}")
        })
    }
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.writer.write_all(if self.started { b"\n]\n" } else { b"[]\n" })?;
        self.writer.flush()
    }
}
