//! The two databases behind one type, and the few things that differ between their SQL.

use std::path::Path;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, PgPool, SqlSafeStr, SqlStr, SqlitePool};

use crate::error::{During, Result, StoreError};

/// Connections that read at the same time; a write never waits for them.
const SQLITE_READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 8;
/// How long a statement may wait for a connection or a lock before the caller is told.
const WAIT: Duration = Duration::from_secs(10);

/// Where everything but the journal lives.
#[derive(Debug, Clone)]
pub(crate) enum Db {
    Sqlite(SqliteDb),
    Postgres(PgPool),
}

/// SQLite has one writer at a time, so there is one connection for it: writes queue here instead of failing as busy.
#[derive(Debug, Clone)]
pub(crate) struct SqliteDb {
    pub(crate) writer: SqlitePool,
    pub(crate) reader: SqlitePool,
}

/// Options that every connection to a SQLite file of ours shares.
pub(crate) fn sqlite_options(path: &Path, read_only: bool) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new().filename(path).foreign_keys(true).busy_timeout(WAIT).read_only(read_only);
    if read_only {
        options
    } else {
        options.create_if_missing(true).journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full)
    }
}

impl SqliteDb {
    pub(crate) async fn open(path: &Path, read_only: bool) -> Result<Self> {
        const WHAT: &str = "opening the database";
        let options = sqlite_options(path, read_only).pragma("cache_size", "-32768");
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(Duration::from_mins(1))
            .connect_with(options.clone())
            .await
            .during(WHAT)?;
        let reader = SqlitePoolOptions::new()
            .max_connections(SQLITE_READERS)
            .acquire_timeout(WAIT)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await
            .during(WHAT)?;
        Ok(Self { writer, reader })
    }
}

impl Db {
    pub(crate) async fn open_postgres(url: &str, read_only: bool) -> Result<Self> {
        // The error of a bad address must not repeat it: it may hold a password.
        let mut options: PgConnectOptions = url
            .parse()
            .map_err(|_| StoreError::invalid("store.url is not a PostgreSQL address like postgres://user@host/db"))?;
        options = options.application_name("candlewick");
        if read_only {
            options = options.options([("default_transaction_read_only", "on")]);
        }
        PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS)
            .acquire_timeout(WAIT)
            .connect_with(options)
            .await
            .map(Self::Postgres)
            .during("connecting to PostgreSQL")
    }

    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(db) => {
                db.reader.close().await;
                db.writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// Statements are written once, for PostgreSQL; SQLite takes the same text without the casts, because its columns are
/// not typed as finely.
pub(crate) fn postgres_sql(text: &'static str) -> SqlStr {
    text.into_sql_str()
}

pub(crate) fn sqlite_sql(text: &'static str) -> SqlStr {
    if !text.contains("::") {
        return text.into_sql_str();
    }
    let mut sql = text.to_owned();
    for cast in ["::numeric", "::jsonb", "::text", "::bigint"] {
        sql = sql.replace(cast, "");
    }
    AssertSqlSafe(sql).into_sql_str()
}

/// Runs the same body against whichever database is open, outside a transaction.
/// `$c` is the pool, `$sql` turns a static text into this database's statement.
macro_rules! reading {
    ($db:expr, |$c:ident, $sql:ident| $body:expr) => {
        match $db {
            $crate::db::Db::Sqlite(db) => {
                let ($c, $sql) = (&db.reader, $crate::db::sqlite_sql);
                $body
            }
            $crate::db::Db::Postgres(pool) => {
                let ($c, $sql) = (pool, $crate::db::postgres_sql);
                $body
            }
        }
    };
}

/// Runs the same body in a transaction that is committed when it returns `Ok` and rolled back otherwise.
macro_rules! writing {
    ($store:expr, $what:literal, |$tx:ident, $sql:ident| $body:block) => {{
        $store.check_writable($what)?;
        match $store.db() {
            $crate::db::Db::Sqlite(db) => {
                let $sql = $crate::db::sqlite_sql;
                let mut $tx = db.writer.begin_with("BEGIN IMMEDIATE").await.during($what)?;
                let value = $body;
                $tx.commit().await.during($what)?;
                Ok(value)
            }
            $crate::db::Db::Postgres(pool) => {
                let $sql = $crate::db::postgres_sql;
                let mut $tx = pool.begin().await.during($what)?;
                let value = $body;
                $tx.commit().await.during($what)?;
                Ok(value)
            }
        }
    }};
}

pub(crate) use {reading, writing};
