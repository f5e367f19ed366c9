//! Opening and closing: lock, check, migrate, serve.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cw_core::{Clock, SystemClock, Timestamp};

use crate::db::{Db, SqliteDb};
use crate::error::{During, Result, StoreError};
use crate::journal::Journal;
use crate::lock::DirLock;
use crate::migrate::{self, MigrationStatus};

/// Where the data is.
#[derive(Clone, Default)]
pub struct StoreConfig {
    /// Everything local lives below it; created when missing.
    pub data_dir: PathBuf,
    /// `postgres://…` moves everything but the journal there; `None` is SQLite in the data directory.
    pub url: Option<String>,
    /// Look, never touch: no lock, no migration.
    pub read_only: bool,
}

impl StoreConfig {
    /// SQLite below `data_dir`, for writing.
    pub fn local(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), url: None, read_only: false }
    }
}

impl fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreConfig")
            .field("data_dir", &self.data_dir)
            .field("url", &self.url.as_ref().map(|_| "***"))
            .field("read_only", &self.read_only)
            .finish()
    }
}

/// The open store. Cloning shares it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    db: Db,
    journal: Journal,
    data_dir: PathBuf,
    read_only: bool,
    clock: Arc<dyn Clock>,
    // Last, so that it is dropped after the connections.
    /// Until the store is closed, or dropped without.
    lock: Mutex<Option<DirLock>>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("data_dir", &self.0.data_dir).field("backend", &self.backend()).finish()
    }
}

impl Store {
    /// Name of the main database file in the data directory, when it is SQLite.
    pub const DATABASE_FILE: &'static str = "candlewick.db";
    /// Name of the journal's file. It is a file of its own, so that an order's journal entry never waits behind a bulk
    /// import: SQLite lets one transaction write to a file at a time.
    pub const JOURNAL_FILE: &'static str = "journal.db";

    /// Opens the store and brings its schema up to date.
    ///
    /// Fails with [`StoreError::Locked`] when another process writes there, with [`StoreError::NewerSchema`] when a
    /// newer program wrote it, with [`StoreError::Corrupt`] when SQLite finds damage.
    pub async fn open(config: &StoreConfig) -> Result<Self> {
        Self::open_with_clock(config, Arc::new(SystemClock)).await
    }

    /// As [`Store::open`]; `clock` stamps what the store itself dates (settings, imports).
    pub async fn open_with_clock(config: &StoreConfig, clock: Arc<dyn Clock>) -> Result<Self> {
        let dir = &config.data_dir;
        let lock = if config.read_only {
            if !dir.is_dir() {
                return Err(StoreError::NotFound { what: format!("the data directory {}", dir.display()) });
            }
            None
        } else {
            if !dir.is_dir() {
                create_private_dir(dir).during("creating the data directory")?;
            }
            Some(DirLock::acquire(dir)?)
        };
        let journal = Journal::open(&dir.join(Self::JOURNAL_FILE), config.read_only).await?;
        let db = match &config.url {
            None => {
                let path = dir.join(Self::DATABASE_FILE);
                if config.read_only && !path.is_file() {
                    return Err(StoreError::NotFound { what: format!("the database {}", path.display()) });
                }
                Db::Sqlite(SqliteDb::open(&path, config.read_only).await?)
            }
            Some(url) => Db::open_postgres(url, config.read_only).await?,
        };
        if config.read_only {
            let status = migrate::status(&db).await?;
            if let Some(step) = status.iter().find(|step| !step.applied) {
                return Err(StoreError::invalid(format!(
                    "the {} database lacks migration {} ({}); open it once for writing",
                    db.name(),
                    step.version,
                    step.description
                )));
            }
        } else {
            migrate::run(&db).await?;
        }
        Ok(Self(Arc::new(Inner {
            db,
            journal,
            data_dir: dir.clone(),
            read_only: config.read_only,
            clock,
            lock: Mutex::new(lock),
        })))
    }

    /// The journal, in local SQLite whatever the main database is.
    pub fn journal(&self) -> &Journal {
        &self.0.journal
    }
    /// `sqlite` or `postgres`.
    pub fn backend(&self) -> &'static str {
        self.0.db.name()
    }
    pub fn data_dir(&self) -> &Path {
        &self.0.data_dir
    }
    pub fn is_read_only(&self) -> bool {
        self.0.read_only
    }

    /// Which schema steps exist and which are applied.
    pub async fn migration_status(&self) -> Result<Vec<MigrationStatus>> {
        migrate::status(self.db()).await
    }
    /// Applies every missing schema step.
    pub async fn migrate_up(&self) -> Result<()> {
        self.check_writable("migrating")?;
        migrate::run(self.db()).await
    }
    /// Rolls back every schema step above `target` (0 = all), with the data in it.
    pub async fn migrate_down(&self, target: i64) -> Result<()> {
        self.check_writable("migrating")?;
        migrate::undo(self.db(), target).await
    }

    /// Whether both databases answer: one trivial statement each.
    pub async fn ping(&self) -> Result<()> {
        crate::db::reading!(self.db(), |pool, sql| {
            sqlx::query(sql("SELECT 1")).execute(pool).await.during("asking the database").map(|_| ())
        })?;
        self.journal().last_block().await.map(|_| ())
    }

    /// Waits for running statements, closes every connection and frees the data directory for the next writer.
    pub async fn close(&self) -> Result<()> {
        self.0.db.close().await;
        let closed = self.0.journal.close().await;
        // Whoever still holds the store cannot write any more, so the next one may.
        self.0.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
        closed
    }

    pub(crate) fn db(&self) -> &Db {
        &self.0.db
    }
    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
    pub(crate) fn check_writable(&self, what: &'static str) -> Result<()> {
        if self.0.read_only { Err(StoreError::ReadOnly { what }) } else { Ok(()) }
    }
}

/// A directory that we make is ours alone; one that exists keeps the rights its owner chose.
fn create_private_dir(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}
