//! The statements of the two tick tables and how each database runs them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgPool, Row};

use super::Tick;
use crate::candles::{CandleQuery, SortOrder, WriteReport};
use crate::db::SqliteDb;
use crate::error::{During, Result, StoreError};
use crate::raw::{Statement, with_connection};

const WRITE: &str = "writing ticks";
const READ: &str = "reading ticks";

/// Parameters: series, source, time, ordinal, a, b, x, y.
pub(super) struct Table {
    insert: &'static str,
    /// Columns ordinal, a, b, x, y of the row with the same key; parameters series, time, ordinal, y.
    find: &'static str,
    /// The same rows of a chunk, as places and "equal"; parameters series, times, ordinals, as, bs, xs, ys.
    existing: &'static str,
    /// Parameters as `existing`, then source.
    insert_many: &'static str,
    /// Columns time, ordinal, a, b, x, y.
    select: &'static str,
    order: [&'static str; 2],
    /// Whether `y` (a trade's id) is part of the key.
    keyed_by_y: bool,
}

pub(super) static TRADES: Table = Table {
    insert: "INSERT INTO trades (series, source, event_time, ordinal, price, side, qty, trade_id) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    find: "SELECT event_time, ordinal, price, side, qty, trade_id FROM trades \
           WHERE series = $1 AND event_time = $2 AND ordinal = $3 AND trade_id = $4",
    existing: "SELECT i.place, (t.price, t.side, t.qty) = (i.a, i.b, i.x::numeric) \
           FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[]) \
              WITH ORDINALITY AS i (time, ordinal, a, b, x, y, place) JOIN trades t ON t.series = $1 \
              AND t.event_time = i.time AND t.ordinal = i.ordinal AND t.trade_id = i.y::bigint",
    insert_many: "INSERT INTO trades (series, source, event_time, ordinal, price, side, qty, trade_id) \
           SELECT $1, $8, time, ordinal, a, b, x::numeric, y::bigint \
           FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[]) \
              AS i (time, ordinal, a, b, x, y) ON CONFLICT DO NOTHING",
    select: "SELECT event_time, ordinal, price, side, qty::text, trade_id::text FROM trades",
    order: ["event_time, trade_id, ordinal", "event_time DESC, trade_id DESC, ordinal DESC"],
    keyed_by_y: true,
};

pub(super) static QUOTES: Table = Table {
    insert: "INSERT INTO quotes (series, source, event_time, ordinal, bid, ask, bid_qty, ask_qty) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    // The fourth parameter is not part of a quote's key, and is named so that both statements take the same.
    find: "SELECT event_time, ordinal, bid, ask, bid_qty, ask_qty FROM quotes \
           WHERE series = $1 AND event_time = $2 AND ordinal = $3 AND $4 IS NOT NULL",
    existing: "SELECT i.place, (q.bid, q.ask, q.bid_qty, q.ask_qty) = (i.a, i.b, i.x::numeric, i.y::numeric) \
           FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[]) \
              WITH ORDINALITY AS i (time, ordinal, a, b, x, y, place) JOIN quotes q ON q.series = $1 \
              AND q.event_time = i.time AND q.ordinal = i.ordinal",
    insert_many: "INSERT INTO quotes (series, source, event_time, ordinal, bid, ask, bid_qty, ask_qty) \
           SELECT $1, $8, time, ordinal, a, b, x::numeric, y::numeric \
           FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[]) \
              AS i (time, ordinal, a, b, x, y) ON CONFLICT DO NOTHING",
    select: "SELECT event_time, ordinal, bid, ask, bid_qty::text, ask_qty::text FROM quotes",
    order: ["event_time, ordinal", "event_time DESC, ordinal DESC"],
    keyed_by_y: false,
};

impl Table {
    fn range(&self, order: SortOrder) -> String {
        let order = self.order[usize::from(order == SortOrder::NewestFirst)];
        format!("{} WHERE series = $1 AND event_time >= $2 AND event_time < $3 ORDER BY {order} LIMIT $4", self.select)
    }
}

pub(super) async fn write_sqlite(
    db: &SqliteDb,
    table: &'static Table,
    series: i64,
    source: i64,
    ticks: Vec<Tick>,
    order: Vec<usize>,
    offset: usize,
) -> Result<WriteReport> {
    with_connection(&db.writer, WRITE, move |connection| {
        connection.transaction(|| {
            let mut report = WriteReport::default();
            let mut insert = connection.prepare(table.insert)?;
            insert.bind(1, series)?;
            insert.bind(2, source)?;
            let mut find = connection.prepare(table.find)?;
            find.bind(1, series)?;
            for place in order {
                let tick = ticks[place];
                find.bind(2, tick.time)?;
                find.bind(3, tick.ordinal)?;
                find.bind_wide(4, tick.y)?;
                let stored = if find.step()? { Some(read_row(&find)?) } else { None };
                find.reset();
                match stored {
                    Some(stored) if stored == tick => report.unchanged += 1,
                    Some(_) => report.conflicts.push(offset + place),
                    None => {
                        for (parameter, value) in (3..).zip([tick.time, tick.ordinal, tick.a, tick.b]) {
                            insert.bind(parameter, value)?;
                        }
                        insert.bind_wide(7, tick.x)?;
                        insert.bind_wide(8, tick.y)?;
                        insert.step()?;
                        report.inserted += 1;
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

fn read_row(statement: &Statement<'_>) -> Result<Tick> {
    Ok(Tick {
        time: statement.column(0),
        ordinal: statement.column(1),
        a: statement.column(2),
        b: statement.column(3),
        x: statement.column_wide(4)?,
        y: statement.column_wide(5)?,
    })
}

pub(super) async fn read_sqlite(
    db: &SqliteDb,
    table: &'static Table,
    series: i64,
    query: CandleQuery,
) -> Result<Vec<Tick>> {
    with_connection(&db.reader, READ, move |connection| {
        let mut statement = connection.prepare(&table.range(query.order).replace("::text", ""))?;
        let (from, to, limit) = query.bounds();
        for (parameter, value) in (1..).zip([series, from, to, limit]) {
            statement.bind(parameter, value)?;
        }
        let mut ticks = Vec::new();
        while statement.step()? {
            ticks.push(read_row(&statement)?);
        }
        Ok(ticks)
    })
    .await
}

/// One array per column, in the given order.
struct Columns {
    fixed: [Vec<i64>; 4],
    wide: [Vec<String>; 2],
}

impl Columns {
    fn of<'a>(ticks: impl Iterator<Item = &'a Tick> + Clone) -> Self {
        let fixed = |field: fn(&Tick) -> i64| ticks.clone().map(field).collect();
        let wide = |field: fn(&Tick) -> i128| ticks.clone().map(|tick| field(tick).to_string()).collect();
        Self {
            fixed: [fixed(|tick| tick.time), fixed(|tick| tick.ordinal), fixed(|tick| tick.a), fixed(|tick| tick.b)],
            wide: [wide(|tick| tick.x), wide(|tick| tick.y)],
        }
    }
}

macro_rules! bind {
    ($statement:expr, $series:expr, $columns:expr) => {
        sqlx::query($statement)
            .bind($series)
            .bind(&$columns.fixed[0])
            .bind(&$columns.fixed[1])
            .bind(&$columns.fixed[2])
            .bind(&$columns.fixed[3])
            .bind(&$columns.wide[0])
            .bind(&$columns.wide[1])
    };
}

pub(super) async fn write_postgres(
    pool: &PgPool,
    table: &'static Table,
    series: i64,
    source: i64,
    ticks: &[Tick],
    order: &[usize],
    offset: usize,
) -> Result<WriteReport> {
    let mut report = WriteReport::default();
    // What stands twice in the chunk itself: the first one counts, as if they had come one by one.
    let mut first: HashMap<(i64, i64, i128), usize> = HashMap::new();
    let mut unique = Vec::with_capacity(order.len());
    for &place in order {
        let tick = &ticks[place];
        match first.entry((tick.time, tick.ordinal, if table.keyed_by_y { tick.y } else { 0 })) {
            Entry::Vacant(entry) => {
                entry.insert(place);
                unique.push(place);
            }
            Entry::Occupied(entry) if ticks[*entry.get()] == *tick => report.unchanged += 1,
            Entry::Occupied(_) => report.conflicts.push(offset + place),
        }
    }
    let mut tx = pool.begin().await.during(WRITE)?;
    let columns = Columns::of(unique.iter().map(|place| &ticks[*place]));
    let existing = bind!(table.existing, series, columns).fetch_all(&mut *tx).await.during(WRITE)?;
    let mut stored = vec![false; unique.len()];
    for row in &existing {
        let place = row.try_get::<i64, _>(0).during(WRITE)? as usize - 1;
        stored[place] = true;
        if row.try_get::<bool, _>(1).during(WRITE)? {
            report.unchanged += 1;
        } else {
            report.conflicts.push(offset + unique[place]);
        }
    }
    let new = unique.iter().zip(&stored).filter(|(_, stored)| !**stored).map(|(place, _)| &ticks[*place]);
    let columns = Columns::of(new);
    report.inserted =
        bind!(table.insert_many, series, columns).bind(source).execute(&mut *tx).await.during(WRITE)?.rows_affected();
    report.unchanged += columns.fixed[0].len() as u64 - report.inserted;
    sqlx::query("UPDATE series SET rows = rows + $2 WHERE id = $1")
        .bind(series)
        .bind(report.inserted as i64)
        .execute(&mut *tx)
        .await
        .during(WRITE)?;
    tx.commit().await.during(WRITE)?;
    Ok(report)
}

pub(super) async fn read_postgres(
    pool: &PgPool,
    table: &'static Table,
    series: i64,
    query: &CandleQuery,
) -> Result<Vec<Tick>> {
    let (from, to, limit) = query.bounds();
    let rows = sqlx::query(AssertSqlSafe(table.range(query.order)))
        .bind(series)
        .bind(from)
        .bind(to)
        .bind(limit)
        .fetch_all(pool)
        .await
        .during(READ)?;
    rows.iter()
        .map(|row: &PgRow| {
            let fixed = |column: usize| row.try_get::<i64, _>(column).during(READ);
            let wide = |column: usize| {
                let text: String = row.try_get(column).during(READ)?;
                text.parse::<i128>().map_err(|_| StoreError::corrupt(format!("a tick's number {text:?}")))
            };
            Ok(Tick { time: fixed(0)?, ordinal: fixed(1)?, a: fixed(2)?, b: fixed(3)?, x: wide(4)?, y: wide(5)? })
        })
        .collect()
}
