//! One writer per data directory, by a lock that the operating system drops when the process dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::error::{During, Result, StoreError};

/// Held for as long as the store is open for writing.
#[derive(Debug)]
pub(crate) struct DirLock {
    _file: File,
}

impl DirLock {
    pub(crate) fn acquire(dir: &Path) -> Result<Self> {
        const WHAT: &str = "locking the data directory";
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(dir.join("candlewick.lock"))
            .during(WHAT)?;
        // The pid stands in a second file: a locked file cannot be read on Windows.
        let pid_path = dir.join("candlewick.pid");
        match file.try_lock() {
            Ok(()) => {
                std::fs::write(&pid_path, std::process::id().to_string()).during(WHAT)?;
                Ok(Self { _file: file })
            }
            Err(TryLockError::WouldBlock) => {
                let pid = std::fs::read_to_string(&pid_path).ok().and_then(|text| text.trim().parse().ok());
                Err(StoreError::Locked { path: dir.to_owned(), pid })
            }
            Err(TryLockError::Error(error)) => Err(error).during(WHAT),
        }
    }
}
