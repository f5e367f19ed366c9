//! What can go wrong, by what the caller can do about it.

use std::path::PathBuf;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such thing. Ask for another.
    #[error("{what} does not exist")]
    NotFound { what: String },
    /// It contradicts what is stored: a gap in the journal, an outdated revision, an existing key. Read again, decide again.
    #[error("{what}")]
    Conflict { what: String },
    /// Another process writes to this data directory. Talk to it, or stop it.
    #[error("the data directory {} is in use by {}", path.display(), holder(*pid))]
    Locked { path: PathBuf, pid: Option<u32> },
    /// The database was written by a newer version of the program. Update the program.
    #[error(
        "the {database} database has schema version {found}, this program knows versions up to {known}; \
         use the newer program that wrote it, or roll its migrations back with that program"
    )]
    NewerSchema { database: &'static str, found: i64, known: i64 },
    /// What is stored is damaged. Restore a backup.
    #[error("stored data is damaged: {what}")]
    Corrupt { what: String },
    /// The database cannot be reached, the disk is full, or it answers with an error that may pass. Try again later.
    #[error("storage is unavailable while {what}: {source}")]
    Unavailable {
        what: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The request makes no sense. Change it.
    #[error("{what}")]
    Invalid { what: String },
    /// The store was opened read-only.
    #[error("the store is open read-only; {what} needs to write")]
    ReadOnly { what: &'static str },
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

pub type Result<T> = std::result::Result<T, StoreError>;

impl StoreError {
    pub(crate) fn invalid(what: impl Into<String>) -> Self {
        Self::Invalid { what: what.into() }
    }
    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt { what: what.into() }
    }
    pub(crate) fn conflict(what: impl Into<String>) -> Self {
        Self::Conflict { what: what.into() }
    }
    /// Whether the same call may succeed later without any change.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Locked { .. })
    }
}

/// Adds what was tried to an error of the layers below.
pub(crate) trait During<T> {
    fn during(self, what: &'static str) -> Result<T>;
}

impl<T> During<T> for std::result::Result<T, sqlx::Error> {
    fn during(self, what: &'static str) -> Result<T> {
        self.map_err(|error| from_sqlx(error, what))
    }
}

impl<T> During<T> for std::result::Result<T, std::io::Error> {
    fn during(self, what: &'static str) -> Result<T> {
        self.map_err(|source| StoreError::Unavailable { what, source: source.into() })
    }
}

impl<T> During<T> for std::result::Result<T, tokio::task::JoinError> {
    fn during(self, what: &'static str) -> Result<T> {
        self.map_err(|source| StoreError::Unavailable { what, source: source.into() })
    }
}

fn from_sqlx(error: sqlx::Error, what: &'static str) -> StoreError {
    if let sqlx::Error::Database(db) = &error {
        let code = db.code().unwrap_or_default().into_owned();
        let message = db.message().to_owned();
        if db.is_unique_violation() {
            return StoreError::conflict(format!("{what}: {message}"));
        }
        if db.is_check_violation() || db.is_foreign_key_violation() {
            return StoreError::invalid(format!("{what}: {message}"));
        }
        if db.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
            return from_sqlite_code(code.parse().unwrap_or(1), &message, what, error);
        }
        // PostgreSQL: class 22 = bad data, XX001/XX002 = damaged pages; everything else may pass.
        if code.starts_with("22") {
            return StoreError::invalid(format!("{what}: {message}"));
        }
        if code == "XX001" || code == "XX002" {
            return StoreError::corrupt(format!("{what}: {message}"));
        }
    }
    match error {
        sqlx::Error::RowNotFound => StoreError::NotFound { what: what.to_owned() },
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => StoreError::corrupt(format!("{what}: {error}")),
        error => StoreError::Unavailable { what, source: error.into() },
    }
}

/// SQLite's primary result codes that change what the caller can do.
pub(crate) fn from_sqlite_code(
    code: i32,
    message: &str,
    what: &'static str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    match code & 0xff {
        libsqlite3_sys::SQLITE_CORRUPT | libsqlite3_sys::SQLITE_NOTADB => {
            StoreError::corrupt(format!("{what}: {message}"))
        }
        libsqlite3_sys::SQLITE_CONSTRAINT => StoreError::conflict(format!("{what}: {message}")),
        libsqlite3_sys::SQLITE_READONLY => StoreError::ReadOnly { what },
        _ => StoreError::Unavailable { what, source: source.into() },
    }
}
