//! Candles in SQLite, on the raw interface: one prepared insert, stepped once per row.

use cw_core::{Candle, Price, Timestamp, Volume};

use super::{
    Beside, CandleQuery, FORGET_SERIES, OTHER_KIND, OnConflict, Row, SET_KIND, WriteReport, kind_number, select,
};
use crate::coverage::{COVER, FORGET, JOINED};
use crate::db::SqliteDb;
use crate::error::{Result, StoreError};
use crate::raw::{Connection, Statement, with_connection};

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
    beside: Beside,
) -> Result<WriteReport> {
    with_connection(&db.writer, "writing candles", move |connection| {
        connection.transaction(|| {
            write_beside(connection, series, source, &beside)?;
            write_candles(connection, series, source, &rows, on_conflict)
        })
    })
    .await
}

fn bound<'c>(connection: &'c Connection<'_>, sql: &str, values: &[i64]) -> Result<Statement<'c>> {
    let mut statement = connection.prepare(sql)?;
    for (parameter, value) in (1..).zip(values) {
        statement.bind(parameter, *value)?;
    }
    Ok(statement)
}

fn write_beside(connection: &Connection<'_>, series: i64, source: i64, beside: &Beside) -> Result<()> {
    if let Some(kind) = beside.adjustment.map(kind_number) {
        if bound(connection, OTHER_KIND, &[series, kind])?.step()? {
            for statement in FORGET_SERIES {
                bound(connection, statement, &[series])?.step()?;
            }
        }
        bound(connection, SET_KIND, &[series, kind])?.step()?;
    }
    for range in &beside.covered {
        let mut joined = bound(connection, JOINED, &[series, source, range.from.as_nanos(), range.to.as_nanos()])?;
        joined.step()?;
        let values = [series, source, joined.column(0), joined.column(1)];
        joined.reset();
        bound(connection, FORGET, &values)?.step()?;
        bound(connection, COVER, &values)?.step()?;
    }
    Ok(())
}

fn write_candles(
    connection: &Connection<'_>,
    series: i64,
    source: i64,
    rows: &[Row],
    on_conflict: OnConflict,
) -> Result<WriteReport> {
    let mut report = WriteReport::default();
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(report) };
    let ends = [series, first.candle.open_time.as_nanos(), last.candle.open_time.as_nanos()];
    // Nothing there, as in a first import: no row needs to be looked up.
    let look_up = bound(connection, ANY_IN_RANGE, &ends)?.step()?;

    let mut insert = bound(connection, INSERT, &[series, source])?;
    let mut revise = bound(connection, REVISE, &[series, source])?;
    let mut find = bound(connection, FIND, &[series])?;
    for row in rows {
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
    let inserted = report.inserted as i64;
    bound(connection, "UPDATE series SET rows = rows + $2 WHERE id = $1", &[series, inserted])?.step()?;
    Ok(report)
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
