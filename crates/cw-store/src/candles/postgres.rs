//! Candles in PostgreSQL: a chunk travels as one array per column.

use cw_core::{Candle, Price, Timestamp, Volume};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, Row as _};

use super::{
    Beside, CandleQuery, FORGET_SERIES, OTHER_KIND, OnConflict, Row, SET_KIND, WriteReport, kind_number, select,
};
use crate::coverage::{COVER, FORGET, JOINED};
use crate::error::{During, Result, StoreError};

const WRITE: &str = "writing candles";
const READ: &str = "reading candles";
const COLUMNS: &str = "open_time, open, high, low, close, volume::text";

/// Open times that are stored already, and whether with the same values.
const EXISTING: &str = "SELECT i.place, (c.open, c.high, c.low, c.close, c.volume) \
        = (i.open, i.high, i.low, i.close, i.volume::numeric) \
     FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[]) \
        WITH ORDINALITY AS i (open_time, open, high, low, close, volume, place) \
     JOIN candles c ON c.series = $1 AND c.open_time = i.open_time";
/// Another program may insert the same candle between the look and the write: then its values count as stored.
const INSERT: &str = "INSERT INTO candles (series, source, revision, open_time, open, high, low, close, volume) \
     SELECT $1, $8, 0, i.open_time, i.open, i.high, i.low, i.close, i.volume::numeric \
     FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[]) \
        AS i (open_time, open, high, low, close, volume) \
     ON CONFLICT (series, open_time) DO NOTHING";
const REVISE: &str = "UPDATE candles c SET source = $8, revision = c.revision + 1, open = i.open, high = i.high, \
        low = i.low, close = i.close, volume = i.volume::numeric \
     FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[]) \
        AS i (open_time, open, high, low, close, volume) \
     WHERE c.series = $1 AND c.open_time = i.open_time";

#[derive(Default)]
struct Columns {
    open_time: Vec<i64>,
    open: Vec<i64>,
    high: Vec<i64>,
    low: Vec<i64>,
    close: Vec<i64>,
    volume: Vec<String>,
}

impl<'a> FromIterator<&'a Row> for Columns {
    fn from_iter<I: IntoIterator<Item = &'a Row>>(rows: I) -> Self {
        let mut columns = Self::default();
        for Row { candle, .. } in rows {
            columns.open_time.push(candle.open_time.as_nanos());
            columns.open.push(candle.open.raw());
            columns.high.push(candle.high.raw());
            columns.low.push(candle.low.raw());
            columns.close.push(candle.close.raw());
            columns.volume.push(candle.volume.raw().to_string());
        }
        columns
    }
}

/// Binds the series and the six columns.
macro_rules! bind {
    ($statement:expr, $series:expr, $columns:expr) => {
        sqlx::query($statement)
            .bind($series)
            .bind(&$columns.open_time)
            .bind(&$columns.open)
            .bind(&$columns.high)
            .bind(&$columns.low)
            .bind(&$columns.close)
            .bind(&$columns.volume)
    };
}

pub(super) async fn write(
    pool: &PgPool,
    series: i64,
    source: i64,
    rows: &[Row],
    on_conflict: OnConflict,
    beside: &Beside,
) -> Result<WriteReport> {
    let mut report = WriteReport::default();
    let mut tx = pool.begin().await.during(WRITE)?;
    write_beside(&mut tx, series, source, beside).await?;
    if rows.is_empty() {
        tx.commit().await.during(WRITE)?;
        return Ok(report);
    }
    let existing = bind!(EXISTING, series, rows.iter().collect::<Columns>()).fetch_all(&mut *tx).await.during(WRITE)?;
    let mut stored = vec![false; rows.len()];
    let mut differing = Vec::new();
    for row in &existing {
        let place = row.try_get::<i64, _>(0).during(WRITE)? as usize - 1;
        stored[place] = true;
        if row.try_get::<bool, _>(1).during(WRITE)? {
            report.unchanged += 1;
        } else {
            differing.push(&rows[place]);
        }
    }
    match on_conflict {
        OnConflict::Keep => report.conflicts = differing.iter().map(|row| row.index).collect(),
        OnConflict::Revise if differing.is_empty() => {}
        OnConflict::Revise => {
            let columns: Columns = differing.into_iter().collect();
            report.revised =
                bind!(REVISE, series, columns).bind(source).execute(&mut *tx).await.during(WRITE)?.rows_affected();
        }
    }
    let new: Columns = rows.iter().zip(&stored).filter(|(_, stored)| !**stored).map(|(row, _)| row).collect();
    if !new.open_time.is_empty() {
        report.inserted =
            bind!(INSERT, series, new).bind(source).execute(&mut *tx).await.during(WRITE)?.rows_affected();
        report.unchanged += new.open_time.len() as u64 - report.inserted;
        sqlx::query("UPDATE series SET rows = rows + $2 WHERE id = $1")
            .bind(series)
            .bind(report.inserted as i64)
            .execute(&mut *tx)
            .await
            .during(WRITE)?;
    }
    tx.commit().await.during(WRITE)?;
    Ok(report)
}

async fn write_beside(tx: &mut PgConnection, series: i64, source: i64, beside: &Beside) -> Result<()> {
    if let Some(kind) = beside.adjustment.map(kind_number) {
        let other: Option<i32> =
            sqlx::query_scalar(OTHER_KIND).bind(series).bind(kind).fetch_optional(&mut *tx).await.during(WRITE)?;
        if other.is_some() {
            for statement in FORGET_SERIES {
                sqlx::query(statement).bind(series).execute(&mut *tx).await.during(WRITE)?;
            }
        }
        sqlx::query(SET_KIND).bind(series).bind(kind).execute(&mut *tx).await.during(WRITE)?;
    }
    for range in &beside.covered {
        let (from, to): (i64, i64) = sqlx::query_as(JOINED)
            .bind(series)
            .bind(source)
            .bind(range.from.as_nanos())
            .bind(range.to.as_nanos())
            .fetch_one(&mut *tx)
            .await
            .during(WRITE)?;
        for statement in [FORGET, COVER] {
            let statement = sqlx::query(statement).bind(series).bind(source).bind(from).bind(to);
            statement.execute(&mut *tx).await.during(WRITE)?;
        }
    }
    Ok(())
}

fn read_row(row: &PgRow) -> Result<Candle> {
    let price = |column: usize| row.try_get(column).map(Price::from_raw).during(READ);
    let volume: String = row.try_get(5).during(READ)?;
    Ok(Candle {
        open_time: Timestamp::from_nanos(row.try_get(0).during(READ)?),
        open: price(1)?,
        high: price(2)?,
        low: price(3)?,
        close: price(4)?,
        volume: Volume::from_raw(
            volume.parse().map_err(|_| StoreError::corrupt(format!("a candle's volume {volume:?}")))?,
        ),
    })
}

async fn read_rows(pool: &PgPool, columns: &'static str, series: i64, query: &CandleQuery) -> Result<Vec<PgRow>> {
    let (from, to, limit) = query.bounds();
    sqlx::query(AssertSqlSafe(select(columns, query.order)))
        .bind(series)
        .bind(from)
        .bind(to)
        .bind(limit)
        .fetch_all(pool)
        .await
        .during(READ)
}

pub(super) async fn read(pool: &PgPool, series: i64, query: &CandleQuery) -> Result<Vec<Candle>> {
    read_rows(pool, COLUMNS, series, query).await?.iter().map(read_row).collect()
}

pub(super) async fn read_with_source(
    pool: &PgPool,
    series: i64,
    query: &CandleQuery,
) -> Result<Vec<(Candle, i64, u32)>> {
    let rows =
        read_rows(pool, "open_time, open, high, low, close, volume::text, source, revision", series, query).await?;
    rows.iter()
        .map(|row| {
            let revision = row.try_get::<i64, _>(7).during(READ)?;
            let revision =
                u32::try_from(revision).map_err(|_| StoreError::corrupt("a candle with a negative revision"))?;
            Ok((read_row(row)?, row.try_get(6).during(READ)?, revision))
        })
        .collect()
}
