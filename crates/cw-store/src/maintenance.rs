//! Looking after the databases: checking, backing up, asking anything.

use std::path::Path;
use std::time::Duration;

use futures_util::TryStreamExt;
use serde::Serialize;
use serde_json::Value;
use sqlx::postgres::PgRow;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, Column, Connection, Row, TypeInfo, ValueRef};

use crate::db::{Db, sqlite_options};
use crate::error::{During, Result, StoreError};
use crate::open::Store;

/// A question of a person may take this long.
const QUERY_TIMEOUT: Duration = Duration::from_secs(30);

/// The answer to a free question.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QueryResult {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Value>>,
    /// There were more rows than asked for.
    pub truncated: bool,
}

impl Store {
    /// Looks for damage in the local files: page structure, order of rows, missing index entries. Reads everything once.
    pub async fn check(&self) -> Result<()> {
        const WHAT: &str = "checking the databases";
        let mut findings = self.journal().check().await?;
        if let Db::Sqlite(db) = self.db() {
            let rows: Vec<String> =
                sqlx::query_scalar("PRAGMA quick_check(10)").fetch_all(&db.reader).await.during(WHAT)?;
            findings.extend(rows);
        }
        findings.retain(|line| line != "ok");
        if findings.is_empty() { Ok(()) } else { Err(StoreError::corrupt(findings.join("; "))) }
    }

    /// Writes a consistent copy of the local files into an empty or new directory, while everything goes on. A store can
    /// be opened there. PostgreSQL's part is left to PostgreSQL's own tools.
    pub async fn backup(&self, dir: &Path) -> Result<()> {
        const WHAT: &str = "writing a backup";
        std::fs::create_dir_all(dir).during(WHAT)?;
        for file in [Self::JOURNAL_FILE, Self::DATABASE_FILE] {
            if dir.join(file).exists() {
                return Err(StoreError::conflict(format!("{} exists already", dir.join(file).display())));
            }
        }
        // The main database first: the journal may be ahead of the projections, never behind.
        if let Db::Sqlite(db) = self.db() {
            sqlx::query("VACUUM INTO $1")
                .bind(path_text(dir, Self::DATABASE_FILE)?)
                .execute(&db.reader)
                .await
                .during(WHAT)?;
        }
        self.journal().backup(&path_text(dir, Self::JOURNAL_FILE)?).await
    }

    /// Answers any SQL question that only reads, with at most `limit` rows. In SQLite the journal's tables are there too,
    /// as `journal.…`.
    ///
    /// [`StoreError::Invalid`] with the database's own words when it cannot be understood or would write.
    pub async fn query(&self, sql: &str, limit: usize) -> Result<QueryResult> {
        let answer = async {
            match self.db() {
                Db::Sqlite(_) => self.query_sqlite(sql, limit).await,
                Db::Postgres(pool) => query_postgres(pool, sql, limit).await,
            }
        };
        match tokio::time::timeout(QUERY_TIMEOUT, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(StoreError::invalid(format!("the query took longer than {} s", QUERY_TIMEOUT.as_secs()))),
        }
    }

    async fn query_sqlite(&self, sql: &str, limit: usize) -> Result<QueryResult> {
        const WHAT: &str = "opening the database";
        // A connection of its own: whatever the question sets or attaches ends with it.
        let options = sqlite_options(&self.data_dir().join(Self::DATABASE_FILE), true);
        let mut connection = SqliteConnection::connect_with(&options).await.during(WHAT)?;
        sqlx::query("ATTACH $1 AS journal")
            .bind(path_text(self.data_dir(), Self::JOURNAL_FILE)?)
            .execute(&mut connection)
            .await
            .during(WHAT)?;
        let mut rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch(&mut connection);
        let mut result = QueryResult { columns: Vec::new(), rows: Vec::new(), truncated: false };
        while let Some(row) = rows.try_next().await.map_err(refused)? {
            if result.rows.len() == limit {
                result.truncated = true;
                break;
            }
            if result.columns.is_empty() {
                result.columns = row.columns().iter().map(|column| column.name().to_owned()).collect();
            }
            result.rows.push((0..row.len()).map(|place| sqlite_value(&row, place)).collect());
        }
        Ok(result)
    }
}

async fn query_postgres(pool: &sqlx::PgPool, sql: &str, limit: usize) -> Result<QueryResult> {
    const WHAT: &str = "asking the database";
    let mut tx = pool.begin_with("BEGIN READ ONLY").await.during(WHAT)?;
    let mut result = QueryResult { columns: Vec::new(), rows: Vec::new(), truncated: false };
    {
        let mut rows = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch(&mut *tx);
        while let Some(row) = rows.try_next().await.map_err(refused)? {
            if result.rows.len() == limit {
                result.truncated = true;
                break;
            }
            if result.columns.is_empty() {
                result.columns = row.columns().iter().map(|column| column.name().to_owned()).collect();
            }
            result.rows.push((0..row.len()).map(|place| postgres_value(&row, place)).collect());
        }
    }
    tx.rollback().await.during(WHAT)?;
    Ok(result)
}

fn refused(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(error) => StoreError::invalid(error.message().to_owned()),
        error => StoreError::Unavailable { what: "asking the database", source: error.into() },
    }
}

fn path_text(dir: &Path, file: &str) -> Result<String> {
    let path = dir.join(file);
    path.to_str()
        .map(str::to_owned)
        .ok_or_else(|| StoreError::invalid(format!("{} is not a path that SQLite can open", path.display())))
}

fn sqlite_value(row: &SqliteRow, place: usize) -> Value {
    let Ok(raw) = row.try_get_raw(place) else { return Value::Null };
    if raw.is_null() {
        return Value::Null;
    }
    let kind = raw.type_info().name().to_owned();
    let value = match kind.as_str() {
        "INTEGER" => row.try_get_unchecked::<i64, _>(place).map(Value::from),
        "REAL" => row.try_get_unchecked::<f64, _>(place).map(Value::from),
        "BLOB" => row.try_get_unchecked::<Vec<u8>, _>(place).map(|bytes| Value::from(hex::encode(bytes))),
        _ => row.try_get_unchecked::<String, _>(place).map(Value::from),
    };
    value.unwrap_or(Value::Null)
}

fn postgres_value(row: &PgRow, place: usize) -> Value {
    let kind = row.column(place).type_info().name().to_owned();
    let value = match kind.as_str() {
        "INT8" => row.try_get::<Option<i64>, _>(place).map(Value::from),
        "INT4" => row.try_get::<Option<i32>, _>(place).map(Value::from),
        "INT2" => row.try_get::<Option<i16>, _>(place).map(Value::from),
        "FLOAT8" => row.try_get::<Option<f64>, _>(place).map(Value::from),
        "FLOAT4" => row.try_get::<Option<f32>, _>(place).map(Value::from),
        "BOOL" => row.try_get::<Option<bool>, _>(place).map(Value::from),
        "JSON" | "JSONB" => row.try_get::<Option<Value>, _>(place).map(Value::from),
        "BYTEA" => row.try_get::<Option<Vec<u8>>, _>(place).map(|bytes| Value::from(bytes.map(hex::encode))),
        "TEXT" | "VARCHAR" | "BPCHAR" | "NAME" | "CHAR" => row.try_get::<Option<String>, _>(place).map(Value::from),
        // Decimals have no type of ours here: say so instead of showing nothing.
        other => return Value::from(format!("({other}: cast it with ::text)")),
    };
    value.unwrap_or(Value::Null)
}
