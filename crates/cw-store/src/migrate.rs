//! Schema versions: what is applied, going up, going down.

use serde::Serialize;
use sqlx::migrate::{Migrate, MigrateError, Migrator};

use crate::db::Db;
use crate::error::{During, Result, StoreError};

pub(crate) static SQLITE: Migrator = sqlx::migrate!("../../migrations/sqlite");
pub(crate) static POSTGRES: Migrator = sqlx::migrate!("../../migrations/postgres");
pub(crate) static JOURNAL: Migrator = sqlx::migrate!("../../migrations/journal");

/// One step of the schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MigrationStatus {
    pub version: i64,
    pub description: String,
    pub applied: bool,
}

pub(crate) fn newest(migrator: &Migrator) -> i64 {
    migrator.iter().map(|m| m.version).max().unwrap_or(0)
}

/// Versions that the database has applied, in order; empty for a new database.
async fn applied<C: Migrate>(connection: &mut C, migrator: &Migrator) -> Result<Vec<i64>> {
    let list = connection.list_applied_migrations(&migrator.table_name).await;
    // A database without the table is a new one.
    Ok(list.map(|list| list.into_iter().map(|m| m.version).collect()).unwrap_or_default())
}

/// Refuses a database that a newer program wrote, before anything in it is touched.
pub(crate) async fn check<C: Migrate>(connection: &mut C, migrator: &Migrator, database: &'static str) -> Result<i64> {
    let found = applied(connection, migrator).await?.into_iter().max().unwrap_or(0);
    let known = newest(migrator);
    if found > known {
        return Err(StoreError::NewerSchema { database, found, known });
    }
    Ok(found)
}

/// Applies what is missing, each step in its own transaction.
pub(crate) async fn up<C: Migrate>(connection: &mut C, migrator: &Migrator, database: &'static str) -> Result<()> {
    check(connection, migrator, database).await?;
    migrator.run_direct(None, connection, false).await.map_err(|error| from_migrate(error, database))
}

pub(crate) fn from_migrate(error: MigrateError, database: &'static str) -> StoreError {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            match Err::<(), _>(error).during("migrating the schema") {
                Err(error) => error,
                Ok(()) => unreachable!("an error stays an error"),
            }
        }
        MigrateError::VersionMismatch(version) => StoreError::corrupt(format!(
            "migration {version} of the {database} database is not the one that this program carries"
        )),
        error => StoreError::corrupt(format!("schema of the {database} database: {error}")),
    }
}

pub(crate) async fn status(db: &Db) -> Result<Vec<MigrationStatus>> {
    const WHAT: &str = "reading the schema version";
    let (migrator, applied) = match db {
        Db::Sqlite(db) => (&SQLITE, applied(&mut *db.reader.acquire().await.during(WHAT)?, &SQLITE).await?),
        Db::Postgres(pool) => (&POSTGRES, applied(&mut *pool.acquire().await.during(WHAT)?, &POSTGRES).await?),
    };
    Ok(migrator
        .iter()
        .filter(|m| m.migration_type.is_up_migration())
        .map(|m| MigrationStatus {
            version: m.version,
            description: m.description.to_string(),
            applied: applied.contains(&m.version),
        })
        .collect())
}

pub(crate) async fn run(db: &Db) -> Result<()> {
    const WHAT: &str = "migrating the schema";
    match db {
        Db::Sqlite(db) => up(&mut *db.writer.acquire().await.during(WHAT)?, &SQLITE, "sqlite").await,
        Db::Postgres(pool) => up(&mut *pool.acquire().await.during(WHAT)?, &POSTGRES, "postgres").await,
    }
}

/// Rolls back every step above `target`, newest first.
pub(crate) async fn undo(db: &Db, target: i64) -> Result<()> {
    match db {
        Db::Sqlite(db) => SQLITE.undo(&db.writer, target).await,
        Db::Postgres(pool) => POSTGRES.undo(pool, target).await,
    }
    .map_err(|error| from_migrate(error, db.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_databases_have_the_same_steps_and_each_can_be_undone() {
        let steps = |m: &Migrator, up: bool| -> Vec<(i64, String)> {
            m.iter()
                .filter(|m| m.migration_type.is_up_migration() == up)
                .map(|m| (m.version, m.description.to_string()))
                .collect()
        };
        assert_eq!(steps(&SQLITE, true), steps(&POSTGRES, true));
        for migrator in [&SQLITE, &POSTGRES, &JOURNAL] {
            assert!(!steps(migrator, true).is_empty());
            assert_eq!(steps(migrator, true), steps(migrator, false));
        }
    }
}
