//! Candles: written once however often they come, read by range.

mod postgres;
mod sqlite;

use cw_core::{Adjustment, Candle, InstrumentId, Timeframe, Timestamp};
use serde::{Deserialize, Serialize};

use crate::coverage::TimeRange;
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

/// What a provider answered: candles, and for which ranges it did, whether or not the market traded in them.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    pub candles: &'a [Candle],
    pub source: &'a Source,
    pub covered: &'a [TimeRange],
    /// What was done to the prices. Where the series holds the other kind, all of it goes before the page is written.
    pub adjustment: Adjustment,
}

/// What a transaction writes beside candles.
#[derive(Debug, Clone, Default)]
struct Beside {
    covered: Vec<TimeRange>,
    adjustment: Option<Adjustment>,
}

/// Whether the series holds prices of the other kind. Parameters: the series, 1 for raw, 2 for splits.
const OTHER_KIND: &str = "SELECT 1 FROM series WHERE id = $1 AND adjustment IS NOT NULL \
     AND adjustment <> CASE $2 WHEN 1 THEN 'raw' ELSE 'splits' END";
/// Parameter: the series.
const FORGET_SERIES: [&str; 4] = [
    "DELETE FROM candles WHERE series = $1",
    "DELETE FROM coverage WHERE series = $1",
    "DELETE FROM gaps WHERE series = $1",
    "UPDATE series SET rows = 0 WHERE id = $1",
];
/// Parameters as of [`OTHER_KIND`].
const SET_KIND: &str = "UPDATE series SET adjustment = CASE $2 WHEN 1 THEN 'raw' ELSE 'splits' END WHERE id = $1";

const fn kind_number(adjustment: Adjustment) -> i64 {
    match adjustment {
        Adjustment::Raw => 1,
        Adjustment::Splits => 2,
    }
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
        self.check_candles(instrument, timeframe, candles)?;
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

    /// Writes what a provider answered, newer values in place of stored ones, in one transaction: after a crash either all
    /// of the page is there with its coverage or nothing of it. A page has at most 50,000 candles.
    pub async fn write_page(
        &self,
        instrument: &InstrumentId,
        timeframe: Timeframe,
        page: Page<'_>,
    ) -> Result<WriteReport> {
        self.check_candles(instrument, timeframe, page.candles)?;
        if page.candles.len() > ROWS_PER_TRANSACTION {
            return Err(StoreError::invalid(format!("a page of {} candles", page.candles.len())));
        }
        if let Some(range) = page.covered.iter().find(|range| range.is_empty()) {
            return Err(StoreError::invalid(format!("an empty range: {} to {}", range.from, range.to)));
        }
        let series = self.series(instrument, Channel::Candles(timeframe)).await?;
        let source = self.source(page.source).await?;
        let beside = Beside { covered: page.covered.to_vec(), adjustment: Some(page.adjustment) };
        let (rows, mut report) = in_order(page.candles, 0, OnConflict::Revise);
        report.add(self.write_rows(series, source, rows, OnConflict::Revise, beside).await?);
        Ok(report)
    }

    fn check_candles(&self, instrument: &InstrumentId, timeframe: Timeframe, candles: &[Candle]) -> Result<()> {
        self.check_writable("writing candles")?;
        for candle in candles {
            candle.validate().map_err(|error| {
                StoreError::invalid(format!("candle of {instrument} {timeframe} at {}: {error}", candle.open_time))
            })?;
        }
        Ok(())
    }

    async fn write_rows(
        &self,
        series: i64,
        source: i64,
        rows: Vec<Row>,
        on_conflict: OnConflict,
        beside: Beside,
    ) -> Result<WriteReport> {
        match self.db() {
            Db::Sqlite(db) => sqlite::write(db, series, source, rows, on_conflict, beside).await,
            Db::Postgres(pool) => postgres::write(pool, series, source, &rows, on_conflict, &beside).await,
        }
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
        report.add(self.write_rows(series, source, rows, on_conflict, Beside::default()).await?);
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
