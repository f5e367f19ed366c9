//! Candles in SQLite, on the raw interface: one prepared insert, stepped once per row.

use cw_core::{Candle, Price, Timestamp, Volume};

use super::{CandleQuery, OnConflict, Row, WriteReport, select};
use crate::db::SqliteDb;
use crate::error::{Result, StoreError};
use crate::raw::{Statement, with_connection};

const COLUMNS: &str = "open_time, open, high, low, close, volume";
const INSERT: &str = "INSERT INTO candles (series, source, revision, open_time, open, high, low, close, volume) \
                      VALUES ($1, $2, 0, $3, $4, $5, $6, $7, $8)";
const ANY_IN_RANGE: &str = "SELECT 1 FROM candles WHERE series = $1 AND open_time BETWEEN $2 AND $3 LIMIT 1";
const FIND: &str = "SELECT open_time, open, high, low, close, volume FROM candles WHERE series = $1 AND open_time = $2";
const REVISE: &str = "UPDATE candles SET source = $2, revision = revision + 1, open = $4, high = $5, low = $6, \
                      close = $7, volume = $8 WHERE series = $1 AND open_time = $3";

pub(super) async fn write(
    db: &SqliteDb,
    series: i64,
    source: i64,
    rows: Vec<Row>,
    on_conflict: OnConflict,
) -> Result<WriteReport> {
    with_connection(&db.writer, "writing candles", move |connection| {
        connection.transaction(|| {
            let mut report = WriteReport::default();
            let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(report) };
            let mut any = connection.prepare(ANY_IN_RANGE)?;
            any.bind(1, series)?;
            any.bind(2, first.candle.open_time.as_nanos())?;
            any.bind(3, last.candle.open_time.as_nanos())?;
            // Nothing there, as in a first import: no row needs to be looked up.
            let look_up = any.step()?;
            any.reset();

            let mut insert = connection.prepare(INSERT)?;
            let mut revise = connection.prepare(REVISE)?;
            for statement in [&mut insert, &mut revise] {
                statement.bind(1, series)?;
                statement.bind(2, source)?;
            }
            let mut find = connection.prepare(FIND)?;
            find.bind(1, series)?;
            for row in &rows {
                let stored = if look_up {
                    find.bind(2, row.candle.open_time.as_nanos())?;
                    let stored = if find.step()? { Some(read_row(&find)?) } else { None };
                    find.reset();
                    stored
                } else {
                    None
                };
                match stored {
                    None => {
                        run(&mut insert, &row.candle)?;
                        report.inserted += 1;
                    }
                    Some(stored) if stored == row.candle => report.unchanged += 1,
                    Some(_) if on_conflict == OnConflict::Keep => report.conflicts.push(row.index),
                    Some(_) => {
                        run(&mut revise, &row.candle)?;
                        report.revised += 1;
                    }
                }
            }
            let mut count = connection.prepare("UPDATE series SET rows = rows + $2 WHERE id = $1")?;
            count.bind(1, series)?;
            count.bind(2, report.inserted as i64)?;
            count.step()?;
            Ok(report)
        })
    })
    .await
}

fn run(statement: &mut Statement<'_>, candle: &Candle) -> Result<()> {
    statement.bind(3, candle.open_time.as_nanos())?;
    statement.bind(4, candle.open.raw())?;
    statement.bind(5, candle.high.raw())?;
    statement.bind(6, candle.low.raw())?;
    statement.bind(7, candle.close.raw())?;
    statement.bind_wide(8, candle.volume.raw())?;
    statement.step().map(|_| ())
}

fn read_row(statement: &Statement<'_>) -> Result<Candle> {
    Ok(Candle {
        open_time: Timestamp::from_nanos(statement.column(0)),
        open: Price::from_raw(statement.column(1)),
        high: Price::from_raw(statement.column(2)),
        low: Price::from_raw(statement.column(3)),
        close: Price::from_raw(statement.column(4)),
        volume: Volume::from_raw(statement.column_wide(5)?),
    })
}

async fn read_rows<T: Send + 'static>(
    db: &SqliteDb,
    columns: &'static str,
    series: i64,
    query: CandleQuery,
    row: impl Fn(&Statement<'_>) -> Result<T> + Send + 'static,
) -> Result<Vec<T>> {
    with_connection(&db.reader, "reading candles", move |connection| {
        let mut statement = connection.prepare(&select(columns, query.order))?;
        let (from, to, limit) = query.bounds();
        for (parameter, value) in (1..).zip([series, from, to, limit]) {
            statement.bind(parameter, value)?;
        }
        let mut rows = Vec::new();
        while statement.step()? {
            rows.push(row(&statement)?);
        }
        Ok(rows)
    })
    .await
}

pub(super) async fn read(db: &SqliteDb, series: i64, query: CandleQuery) -> Result<Vec<Candle>> {
    read_rows(db, COLUMNS, series, query, read_row).await
}

pub(super) async fn read_with_source(
    db: &SqliteDb,
    series: i64,
    query: CandleQuery,
) -> Result<Vec<(Candle, i64, u32)>> {
    read_rows(db, "open_time, open, high, low, close, volume, source, revision", series, query, |statement| {
        let revision =
            u32::try_from(statement.column(7)).map_err(|_| StoreError::corrupt("a candle with a negative revision"))?;
        Ok((read_row(statement)?, statement.column(6), revision))
    })
    .await
}
