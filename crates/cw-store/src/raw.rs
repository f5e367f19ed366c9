//! The two loops that move millions of rows, straight on SQLite's C interface.
//!
//! sqlx hands every value of every row through a channel to another thread: about 1 µs per row read and 2 µs per row
//! written, where SQLite itself needs 0.05 and 0.5. Everything else goes through sqlx; this module is for candles and
//! ticks only, borrows a pooled connection of sqlx for as long as it runs, and is the one place with `unsafe`.
#![expect(unsafe_code, reason = "SQLite's C interface, see the module's comment")]

use std::ffi::{CStr, c_int};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use libsqlite3_sys as ffi;
use sqlx::SqlitePool;
use sqlx::sqlite::LockedSqliteHandle;

use crate::error::{During, Result, StoreError, from_sqlite_code};

/// Runs `work` with exclusive use of one connection of the pool, on a thread that may block.
pub(crate) async fn with_connection<T: Send + 'static>(
    pool: &SqlitePool,
    what: &'static str,
    work: impl FnOnce(&Connection<'_>) -> Result<T> + Send + 'static,
) -> Result<T> {
    let mut pooled = pool.acquire().await.during(what)?;
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let mut locked = runtime.block_on(pooled.lock_handle()).during(what)?;
        let db = locked.as_raw_handle();
        work(&Connection { db, what, _locked: locked })
    })
    .await
    .during(what)?
}

/// A connection that nobody else uses meanwhile.
pub(crate) struct Connection<'c> {
    db: NonNull<ffi::sqlite3>,
    what: &'static str,
    _locked: LockedSqliteHandle<'c>,
}

impl Connection<'_> {
    fn check(&self, code: c_int) -> Result<()> {
        if matches!(code, ffi::SQLITE_OK | ffi::SQLITE_ROW | ffi::SQLITE_DONE) { Ok(()) } else { Err(self.error(code)) }
    }

    fn error(&self, code: c_int) -> StoreError {
        // SAFETY: `db` is open; the message is a valid C string until the next call on this connection, and is copied.
        let message = unsafe { CStr::from_ptr(ffi::sqlite3_errmsg(self.db.as_ptr())) }.to_string_lossy().into_owned();
        from_sqlite_code(code, &message.clone(), self.what, message)
    }

    /// `$1` is parameter 1, as in PostgreSQL; SQLite itself would take it for a name and number it by appearance.
    pub(crate) fn prepare(&self, sql: &str) -> Result<Statement<'_>> {
        let sql = sql.replace('$', "?");
        let mut statement = ptr::null_mut();
        let length = c_int::try_from(sql.len()).map_err(|_| StoreError::invalid("a statement of 2 GiB"))?;
        // SAFETY: `db` is open, the text is valid for `length` bytes and is read before the call returns.
        let code = unsafe {
            ffi::sqlite3_prepare_v3(
                self.db.as_ptr(),
                sql.as_ptr().cast(),
                length,
                ffi::SQLITE_PREPARE_PERSISTENT as _,
                &raw mut statement,
                ptr::null_mut(),
            )
        };
        self.check(code)?;
        let raw = NonNull::new(statement).ok_or_else(|| StoreError::invalid("an empty statement"))?;
        Ok(Statement { raw, connection: self, _not_sync: PhantomData })
    }

    /// Runs one statement without parameters to its end.
    pub(crate) fn execute(&self, sql: &str) -> Result<()> {
        let mut statement = self.prepare(sql)?;
        while statement.step()? {}
        Ok(())
    }

    /// Runs `work` in a transaction: committed when it returns `Ok`, rolled back when it fails or panics.
    pub(crate) fn transaction<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        struct Rollback<'a, 'c>(Option<&'a Connection<'c>>);
        impl Drop for Rollback<'_, '_> {
            fn drop(&mut self) {
                if let Some(connection) = self.0
                    && let Err(error) = connection.execute("ROLLBACK")
                {
                    // SQLite has already rolled back by itself after a full disk or an I/O error.
                    tracing::debug!(%error, "rollback");
                }
            }
        }
        self.execute("BEGIN IMMEDIATE")?;
        let mut guard = Rollback(Some(self));
        let value = work()?;
        self.execute("COMMIT")?;
        guard.0 = None;
        Ok(value)
    }
}

/// A prepared statement; parameters and columns are counted as SQLite does: from 1 and from 0.
pub(crate) struct Statement<'a> {
    raw: NonNull<ffi::sqlite3_stmt>,
    connection: &'a Connection<'a>,
    _not_sync: PhantomData<*mut ()>,
}

impl Statement<'_> {
    pub(crate) fn bind(&mut self, parameter: c_int, value: i64) -> Result<()> {
        // SAFETY: the statement is live; a wrong parameter number is an error code.
        self.connection.check(unsafe { ffi::sqlite3_bind_int64(self.raw.as_ptr(), parameter, value) })
    }

    /// Binds 128 bits: as an integer where it fits 64, else as the text of the same number.
    pub(crate) fn bind_wide(&mut self, parameter: c_int, value: i128) -> Result<()> {
        if let Ok(value) = i64::try_from(value) {
            return self.bind(parameter, value);
        }
        let text = value.to_string();
        // SAFETY: the text is valid for its length, and SQLITE_TRANSIENT makes SQLite copy it before the call returns.
        self.connection.check(unsafe {
            ffi::sqlite3_bind_text(
                self.raw.as_ptr(),
                parameter,
                text.as_ptr().cast(),
                text.len() as c_int,
                ffi::SQLITE_TRANSIENT(),
            )
        })
    }

    /// Advances to the next row; `false` at the end, where the statement resets itself for the next run.
    pub(crate) fn step(&mut self) -> Result<bool> {
        // SAFETY: the statement is live and used by this thread only.
        let code = unsafe { ffi::sqlite3_step(self.raw.as_ptr()) };
        match code {
            ffi::SQLITE_ROW => Ok(true),
            ffi::SQLITE_DONE => {
                self.reset();
                Ok(false)
            }
            code => {
                let error = self.connection.error(code);
                self.reset();
                Err(error)
            }
        }
    }

    /// Back to before the first row; the parameters stay bound.
    pub(crate) fn reset(&mut self) {
        // SAFETY: the statement is live. The code repeats the last step's error, which was reported then.
        unsafe { ffi::sqlite3_reset(self.raw.as_ptr()) };
    }

    pub(crate) fn column(&self, column: c_int) -> i64 {
        // SAFETY: the statement stands on a row; an absent column reads as zero.
        unsafe { ffi::sqlite3_column_int64(self.raw.as_ptr(), column) }
    }

    /// Reads what [`Statement::bind_wide`] wrote.
    pub(crate) fn column_wide(&self, column: c_int) -> Result<i128> {
        // SAFETY: the statement stands on a row.
        if unsafe { ffi::sqlite3_column_type(self.raw.as_ptr(), column) } == ffi::SQLITE_INTEGER {
            return Ok(i128::from(self.column(column)));
        }
        // SAFETY: the text is valid, with its length, until the next call on this statement, and is parsed before that.
        let text = unsafe {
            let start = ffi::sqlite3_column_text(self.raw.as_ptr(), column);
            let length = ffi::sqlite3_column_bytes(self.raw.as_ptr(), column);
            if start.is_null() { &[][..] } else { std::slice::from_raw_parts(start, length as usize) }
        };
        std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| StoreError::corrupt(format!("{}: a number that is not one", self.connection.what)))
    }
}

impl Drop for Statement<'_> {
    fn drop(&mut self) {
        // SAFETY: finalized once, here.
        unsafe { ffi::sqlite3_finalize(self.raw.as_ptr()) };
    }
}
