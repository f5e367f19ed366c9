//! Candles: written once however often they come, read by range.

mod postgres;
mod sqlite;

use cw_core::{Candle, InstrumentId, Timeframe, Timestamp};
use serde::{Deserialize, Serialize};

use crate::db::Db;
use crate::error::{Result, StoreError};
use crate::open::Store;
use crate::series::{Channel, Source};

/// Rows per transaction: large enough that the commit costs nothing per row, small enough that a live candle waits for
/// less than a tenth of a second behind an import.
pub(crate) const ROWS_PER_TRANSACTION: usize = 50_000;

/// What happens to a candle whose open time is stored with other values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// The new values replace the old ones and the row's revision goes up by one.
    #[default]
    Revise,
    /// The stored values stay; the candle is reported as a conflict.
    Keep,
}

/// What [`Store::write_candles`] did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WriteReport {
    pub inserted: u64,
    /// Were stored already, with the same values (or stood twice in the input).
    pub unchanged: u64,
    /// Replaced other values.
    pub revised: u64,
    /// Indexes into the input of candles that contradict a stored one and were not written ([`OnConflict::Keep`]).
    pub conflicts: Vec<usize>,
}

impl WriteReport {
    pub(crate) fn add(&mut self, other: Self) {
        self.inserted += other.inserted;
        self.unchanged += other.unchanged;
        self.revised += other.revised;
        self.conflicts.extend(other.conflicts);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SortOrder {
    #[default]
    OldestFirst,
    NewestFirst,
}

/// Which candles of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CandleQuery {
    /// Open time at or after.
    pub from: Option<Timestamp>,
    /// Open time before.
    pub to: Option<Timestamp>,
    pub limit: Option<u32>,
    /// Also which end `limit` counts from.
    pub order: SortOrder,
}

impl CandleQuery {
    /// The newest `count` candles, newest first.
    pub fn newest(count: u32) -> Self {
        Self { limit: Some(count), order: SortOrder::NewestFirst, ..Self::default() }
    }
    pub(crate) fn bounds(&self) -> (i64, i64, i64) {
        (
            self.from.unwrap_or(Timestamp::MIN).as_nanos(),
            self.to.unwrap_or(Timestamp::MAX).as_nanos(),
            self.limit.map_or(i64::MAX, i64::from),
        )
    }
}

/// A stored candle with where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCandle {
    pub candle: Candle,
    pub source: Source,
    /// How often its values changed after they were first written.
    pub revision: u32,
}

/// Candles to write: by open time, each once, with their place in the caller's input.
#[derive(Debug, Clone)]
struct Row {
    index: usize,
    candle: Candle,
}

impl Store {
    /// Writes candles; writing the same ones again changes nothing.
    ///
    /// The input may be in any order. Candles that make no sense ([`Candle::validate`]) are refused as a whole with
    /// [`StoreError::Invalid`]: whoever brings data in checks it first.
    pub async fn write_candles(
        &self,
        instrument: &InstrumentId,
        timeframe: Timeframe,
        candles: &[Candle],
        source: &Source,
        on_conflict: OnConflict,
    ) -> Result<WriteReport> {
        self.check_writable("writing candles")?;
        for candle in candles {
            candle.validate().map_err(|error| {
                StoreError::invalid(format!("candle of {instrument} {timeframe} at {}: {error}", candle.open_time))
            })?;
        }
        let mut report = WriteReport::default();
        if candles.is_empty() {
            return Ok(report);
        }
        let series = self.series(instrument, Channel::Candles(timeframe)).await?;
        let source = self.source(source).await?;
        for (chunk, part) in candles.chunks(ROWS_PER_TRANSACTION).enumerate() {
            let offset = chunk * ROWS_PER_TRANSACTION;
            report.add(self.write_chunk(series, source, part, offset, on_conflict).await?);
        }
        Ok(report)
    }

    /// One transaction's worth; `offset` is the place of `candles[0]` in the caller's input.
    pub(crate) async fn write_chunk(
        &self,
        series: i64,
        source: i64,
        candles: &[Candle],
        offset: usize,
        on_conflict: OnConflict,
    ) -> Result<WriteReport> {
        let (rows, mut report) = in_order(candles, offset, on_conflict);
        report.add(match self.db() {
            Db::Sqlite(db) => sqlite::write(db, series, source, rows, on_conflict).await?,
            Db::Postgres(pool) => postgres::write(pool, series, source, &rows, on_conflict).await?,
        });
        Ok(report)
    }

    pub(crate) async fn is_empty_series(&self, instrument: &InstrumentId, timeframe: Timeframe) -> Result<bool> {
        Ok(self.read_candles(instrument, timeframe, &CandleQuery::newest(1)).await?.is_empty())
    }

    /// The candles of a range; empty when nothing was stored.
    pub async fn read_candles(
        &self,
        instrument: &InstrumentId,
        timeframe: Timeframe,
        query: &CandleQuery,
    ) -> Result<Vec<Candle>> {
        let Some(series) = self.find_series(instrument, Channel::Candles(timeframe)).await? else {
            return Ok(Vec::new());
        };
        match self.db() {
            Db::Sqlite(db) => sqlite::read(db, series, *query).await,
            Db::Postgres(pool) => postgres::read(pool, series, query).await,
        }
    }

    /// As [`Store::read_candles`], with source and revision of each.
    pub async fn read_stored_candles(
        &self,
        instrument: &InstrumentId,
        timeframe: Timeframe,
        query: &CandleQuery,
    ) -> Result<Vec<StoredCandle>> {
        let Some(series) = self.find_series(instrument, Channel::Candles(timeframe)).await? else {
            return Ok(Vec::new());
        };
        let sources = self.sources().await?;
        let rows = match self.db() {
            Db::Sqlite(db) => sqlite::read_with_source(db, series, *query).await?,
            Db::Postgres(pool) => postgres::read_with_source(pool, series, query).await?,
        };
        rows.into_iter()
            .map(|(candle, source, revision)| {
                let source = sources
                    .get(&source)
                    .cloned()
                    .ok_or_else(|| StoreError::corrupt(format!("a candle names source {source}, which is unknown")))?;
                Ok(StoredCandle { candle, source, revision })
            })
            .collect()
    }
}

/// Sorts where needed and drops what stands twice: the last one wins when revising, the first one when keeping.
fn in_order(candles: &[Candle], offset: usize, on_conflict: OnConflict) -> (Vec<Row>, WriteReport) {
    let mut report = WriteReport::default();
    let mut rows: Vec<Row> =
        candles.iter().enumerate().map(|(i, candle)| Row { index: offset + i, candle: *candle }).collect();
    if rows.is_sorted_by(|a, b| a.candle.open_time < b.candle.open_time) {
        return (rows, report);
    }
    rows.sort_by_key(|row| row.candle.open_time);
    rows.dedup_by(|later, kept| {
        if later.candle.open_time != kept.candle.open_time {
            return false;
        }
        match on_conflict {
            _ if later.candle == kept.candle => report.unchanged += 1,
            OnConflict::Keep => report.conflicts.push(later.index),
            OnConflict::Revise => {
                report.unchanged += 1;
                kept.candle = later.candle;
            }
        }
        true
    });
    (rows, report)
}

/// The statement with the direction filled in; both databases take the same one.
fn select(columns: &'static str, order: SortOrder) -> String {
    let direction = match order {
        SortOrder::OldestFirst => "",
        SortOrder::NewestFirst => " DESC",
    };
    format!(
        "SELECT {columns} FROM candles WHERE series = $1 AND open_time >= $2 AND open_time < $3 \
         ORDER BY open_time{direction} LIMIT $4"
    )
}
