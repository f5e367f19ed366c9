//! Candles, trades and quotes from files and into files.

use std::fs::File;
use std::io::{self, Cursor, Read, Write};
use std::sync::Arc;

use cw_api::commands::data::{
    DataKind, ExportData, FileFormat, ImportData, ImportReport, RejectedLine, TimeRange as RangeView,
};
use cw_api::{ApiError, Caller, FileContent};
use cw_core::{Candle, Instrument, InstrumentId, Price, Surface, Timeframe, Timestamp, Volume};
use cw_store::{
    CandleQuery, Channel, ExportFormat, ImportControl, ImportOptions, OnConflict, Source, SourceKind, StoreError,
    TimeRange,
};
use parking_lot::Mutex;
use serde_json::Value;

use super::chart::decimals;
use super::{Market, Span};
use crate::shared::{storage, unreadable};

/// Standard input, as command lines name it.
const STDIN: &str = "-";
/// What the store calls whoever gave a file's data.
const PROVIDER: &str = "file";
/// Ticks are made into candles this much of their time at a time.
const TICKS_PER_TURN: i64 = 24 * 3_600 * Timestamp::NANOS_PER_SECOND;

/// What the store says of a file as a whole is about the file.
fn refused(error: StoreError) -> ApiError {
    match error {
        StoreError::Invalid { what } => ApiError::invalid("file", what),
        other => storage(other),
    }
}

fn format_of(name: &str) -> FileFormat {
    match name.rsplit_once('.') {
        Some((_, extension)) if extension.eq_ignore_ascii_case("parquet") => FileFormat::Parquet,
        Some((_, extension)) if extension.eq_ignore_ascii_case("json") => FileFormat::Json,
        _ => FileFormat::Csv,
    }
}

const fn stored_kind(kind: DataKind) -> cw_store::DataKind {
    match kind {
        DataKind::Candles => cw_store::DataKind::Candles,
        DataKind::Trades => cw_store::DataKind::Trades,
        DataKind::Quotes => cw_store::DataKind::Quotes,
    }
}

const fn kind_view(kind: cw_store::DataKind) -> DataKind {
    match kind {
        cw_store::DataKind::Candles => DataKind::Candles,
        cw_store::DataKind::Trades => DataKind::Trades,
        cw_store::DataKind::Quotes => DataKind::Quotes,
    }
}

/// A tick as the candle that it alone would make.
fn print(time: Timestamp, price: Price, volume: Volume) -> Candle {
    Candle { open_time: time, open: price, high: price, low: price, close: price, volume }
}

/// An array of objects, as exports write it, in the form that imports read: the columns are the first object's, the rest
/// must have the same.
fn json_to_csv(mut reader: impl Read) -> Result<Vec<u8>, String> {
    let mut text = String::new();
    reader.read_to_string(&mut text).map_err(|error| error.to_string())?;
    let rows: Vec<serde_json::Map<String, Value>> =
        serde_json::from_str(&text).map_err(|error| format!("not an array of objects: {error}"))?;
    let columns: Vec<String> = rows.first().map(|row| row.keys().cloned().collect()).unwrap_or_default();
    if columns.is_empty() {
        return Err("the array is empty".to_owned());
    }
    let field = |value: &str| {
        if value.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", value.replace('"', "\"\""))
        } else {
            value.to_owned()
        }
    };
    let mut csv = columns.iter().map(|name| field(name)).collect::<Vec<_>>().join(",");
    csv.push('\n');
    for (place, row) in rows.iter().enumerate() {
        if let Some(unknown) = row.keys().find(|key| !columns.contains(key)) {
            return Err(format!("object {} has \"{unknown}\", which the first one has not", place + 1));
        }
        let values: Vec<String> = columns
            .iter()
            .map(|column| match row.get(column) {
                None | Some(Value::Null) => String::new(),
                Some(Value::String(text)) => field(text),
                Some(other) => field(&other.to_string()),
            })
            .collect();
        csv.push_str(&values.join(","));
        csv.push('\n');
    }
    Ok(csv.into_bytes())
}

/// Bytes that are written on one thread and taken on another.
#[derive(Debug, Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Market {
    pub(super) async fn import(&self, caller: &Caller, request: ImportData) -> Result<ImportReport, ApiError> {
        self.shared.writable()?;
        let id = request.instrument.clone();
        if self.is_simulated(&id) {
            let message = format!(
                "{} is the simulated market; give the file's instrument a venue of its own, as in {}.FILE",
                id.venue(),
                id.symbol()
            );
            return Err(ApiError::invalid("instrument", message));
        }
        let reader = open(caller, &request.file, self.shared.live).await?;
        let format = request.file_format.unwrap_or_else(|| format_of(&request.file));
        let mut options = ImportOptions::new(id.clone(), request.timeframe, &request.file);
        options.kind = request.kind.map(stored_kind);
        PROVIDER.clone_into(&mut options.provider);
        options.columns = request.columns;
        options.format =
            if format == FileFormat::Parquet { cw_store::FileFormat::Parquet } else { cw_store::FileFormat::Csv };
        let reader: Box<dyn Read + Send> = if format == FileFormat::Json {
            let csv = tokio::task::spawn_blocking(move || json_to_csv(reader)).await.map_err(ApiError::internal)?;
            Box::new(Cursor::new(csv.map_err(|error| ApiError::invalid("file", format!("{}: {error}", request.file)))?))
        } else {
            reader
        };
        let report = self.shared.store.import(reader, &options, &ImportControl::default()).await.map_err(refused)?;
        let mut view = ImportReport {
            instrument: report.instrument,
            kind: kind_view(report.kind),
            timeframe: report.timeframe,
            accepted: report.accepted,
            rejected_count: report.rejected_total,
            rejected: report.rejected.into_iter().map(|r| RejectedLine { line: r.line, reason: r.reason }).collect(),
            duplicates: report.duplicates,
            rounded: report.rounded,
            gap_count: report.gaps_total,
            gaps: report.gaps.iter().map(|gap| RangeView { from: gap.from, to: gap.to }).collect(),
            first: report.first,
            last: report.last,
        };
        if let (Some(first), Some(last)) = (view.first, view.last) {
            if view.kind != DataKind::Candles {
                let timeframe = request.timeframe.unwrap_or(Timeframe::M1);
                view.timeframe = Some(timeframe);
                let gaps = self.candles_of_ticks(&id, view.kind, timeframe, first, last).await?;
                view.gap_count = gaps.len() as u64;
                view.gaps = gaps;
                view.gaps.truncate(1_000);
            }
            self.introduce(&id, view.timeframe.unwrap_or(Timeframe::M1)).await?;
        }
        Ok(view)
    }

    /// Makes the candles of a range of stored trades, or of the middle of stored quotes; returns the gaps between them.
    async fn candles_of_ticks(
        &self,
        id: &InstrumentId,
        kind: DataKind,
        timeframe: Timeframe,
        first: Timestamp,
        last: Timestamp,
    ) -> Result<Vec<RangeView>, ApiError> {
        let store = &self.shared.store;
        let source = Source::new(PROVIDER, SourceKind::Imported);
        let begin = timeframe.open_time(first);
        let end = timeframe.close_time(timeframe.open_time(last));
        let mut from = begin;
        while from < end {
            let next = timeframe.close_time(timeframe.open_time(from.plus_nanos(TICKS_PER_TURN))).min(end);
            let query = CandleQuery { from: Some(from), to: Some(next), ..CandleQuery::default() };
            let prints: Vec<Candle> = if kind == DataKind::Quotes {
                let quotes = store.read_quotes(id, &query).await.map_err(storage)?;
                let sound = quotes.iter().filter(|q| !q.is_crossed() && q.bid.is_positive());
                sound.map(|q| print(q.event_time, q.mid(), Volume::ZERO)).collect()
            } else {
                let trades = store.read_trades(id, &query).await.map_err(storage)?;
                let sound = trades.iter().filter(|t| t.price.is_positive());
                sound.map(|t| print(t.event_time, t.price, Volume::from(t.qty))).collect()
            };
            let candles = cw_market::fold(&prints, timeframe);
            // Ticks that came later may have changed a candle that was made before.
            let written = store.write_candles(id, timeframe, &candles, &source, OnConflict::Revise).await;
            written.map_err(storage)?;
            from = next;
        }
        let range = TimeRange::new(begin, end);
        store.add_coverage(id, Channel::Candles(timeframe), range, PROVIDER).await.map_err(storage)?;
        let gaps = store.update_gaps(id, timeframe, range).await.map_err(storage)?;
        Ok(gaps.iter().map(|gap| RangeView { from: gap.from, to: gap.to }).collect())
    }

    /// Puts an instrument on the list that was not known before, with the decimals that its prices have.
    async fn introduce(&self, id: &InstrumentId, timeframe: Timeframe) -> Result<(), ApiError> {
        if self.shared.store.instrument(id).await.map_err(storage)?.is_some() {
            return Ok(());
        }
        let newest = Span { limit: Some(1_000), ..Span::default() };
        let candles = self.span(id, timeframe, newest).await?;
        let instrument = Instrument::from_file(id.clone(), decimals(&candles), 4);
        self.shared.store.put_instruments(&[instrument]).await.map_err(storage)
    }

    pub(super) async fn export(&self, request: ExportData) -> Result<FileContent, ApiError> {
        let ExportData { instrument, timeframe, kind, from, to, file_format } = request;
        let channel = match kind.unwrap_or(DataKind::Candles) {
            DataKind::Candles => {
                let missing = || ApiError::invalid("timeframe", "name the timeframe of the candles, for example 1m");
                let timeframe = timeframe.ok_or_else(missing)?;
                if self.is_simulated(&instrument) && from.is_some() && !self.shared.read_only {
                    // What the simulated market has in a named range is a request away; nobody has to fetch it first.
                    self.span(&instrument, timeframe, Span { from, to, limit: None }).await?;
                } else if !self.stored_timeframes(&instrument).await?.contains(&timeframe) {
                    return Err(self.not_stored(&instrument, timeframe).await?);
                }
                Channel::Candles(timeframe)
            }
            DataKind::Trades => Channel::Trades,
            DataKind::Quotes => Channel::Quotes,
        };
        if let Channel::Trades | Channel::Quotes = channel {
            if timeframe.is_some() {
                let message = format!("{channel} have no timeframe; leave it out, or export the candles");
                return Err(ApiError::invalid("timeframe", message));
            }
            let series = self.shared.store.coverage(Some(&instrument)).await.map_err(storage)?;
            if !series.iter().any(|series| series.rows > 0 && series.channel == channel.to_string()) {
                let message = format!("stored series of {channel} of {instrument}; import a file with some first");
                return Err(ApiError::not_found(message).with_field("kind"));
            }
        }
        let (format, content_type) = match file_format.unwrap_or(FileFormat::Csv) {
            FileFormat::Csv => (ExportFormat::Csv, "text/csv"),
            FileFormat::Json => (ExportFormat::Json, "application/json"),
            FileFormat::Parquet => (ExportFormat::Parquet, "application/vnd.apache.parquet"),
        };
        let buffer = Buffer::default();
        let query = CandleQuery { from, to, ..CandleQuery::default() };
        self.shared.store.export(&instrument, channel, &query, format, buffer.clone()).await.map_err(storage)?;
        let bytes = std::mem::take(&mut *buffer.0.lock());
        Ok(FileContent { content_type, bytes: bytes.into() })
    }

    async fn not_stored(&self, instrument: &InstrumentId, timeframe: Timeframe) -> Result<ApiError, ApiError> {
        let have: Vec<String> = self.stored_timeframes(instrument).await?.iter().map(Timeframe::to_string).collect();
        let message = match (have.as_slice(), self.is_simulated(instrument)) {
            ([], true) => format!("stored candle of {instrument}; fetch some, or name a range with `from`"),
            ([], false) => format!("stored candle of {instrument}; import a file first"),
            (have, _) => format!("stored {timeframe} candle of {instrument}; it is stored as {}", have.join(", ")),
        };
        Ok(ApiError::not_found(message).with_field("timeframe"))
    }
}

async fn open(caller: &Caller, file: &str, live: bool) -> Result<Box<dyn Read + Send>, ApiError> {
    if file == STDIN {
        // Ours is the caller's only where the command runs in the caller's own process.
        if caller.surface != Surface::Cli || live {
            return Err(ApiError::invalid("file", "standard input is the command line's; give a path on this machine"));
        }
        return Ok(Box::new(io::stdin()));
    }
    let path = file.to_owned();
    let opened = tokio::task::spawn_blocking(move || {
        let file = File::open(&path)?;
        // A directory can be opened, and fails only when it is read.
        if file.metadata()?.is_dir() { Err(io::Error::from(io::ErrorKind::IsADirectory)) } else { Ok(file) }
    });
    match opened.await.map_err(ApiError::internal)? {
        Ok(file) => Ok(Box::new(file)),
        Err(error) => Err(unreadable("file", file, &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_becomes_what_csv_would_have_been() {
        let json =
            r#"[{"open_time":"2024-01-01T00:00:00Z","close":"1.5"},{"close":2,"open_time":"a,\"b\""},{"close":null}]"#;
        let csv = String::from_utf8(json_to_csv(json.as_bytes()).unwrap()).unwrap();
        assert_eq!(csv, "open_time,close\n2024-01-01T00:00:00Z,1.5\n\"a,\"\"b\"\"\",2\n,\n");
        for (bad, part) in [("[]", "empty"), ("{}", "array"), (r#"[{"a":1},{"b":2}]"#, "\"b\"")] {
            assert!(json_to_csv(bad.as_bytes()).unwrap_err().contains(part), "{bad}");
        }
    }

    #[test]
    fn formats_are_told_by_the_name() {
        assert_eq!(format_of("a.parquet"), FileFormat::Parquet);
        assert_eq!(format_of("a.b.JSON"), FileFormat::Json);
        assert_eq!(format_of("-"), FileFormat::Csv);
    }
}
