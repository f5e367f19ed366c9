//! The journal's blocks and the engine's snapshots, in a SQLite file of their own.
//!
//! The store keeps the chain whole (no gap, every block names the one before it) and durable (`synchronous=FULL`); what
//! is inside a block, and how its hash is made, is the engine's business.

use std::path::Path;
use std::time::Duration;

use futures_util::stream::{self, Stream};
use sqlx::sqlite::{SqliteConnection, SqlitePoolOptions, SqliteRow};
use sqlx::{Connection, Row, SqlitePool};
use tokio::sync::Mutex;

use crate::db::sqlite_options;
use crate::error::{During, Result, StoreError};
use crate::migrate;

/// A hash as the engine makes it.
pub type Hash = [u8; 32];

/// Snapshots that are kept; older ones are dropped as new ones come.
pub const SNAPSHOTS_KEPT: i64 = 3;
/// Largest number of blocks, and roughly of bytes, that one page of [`Journal::blocks`] holds in memory.
const PAGE_BLOCKS: i64 = 256;

/// Some consecutive journal entries, as the engine packed them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalBlock {
    /// Number of the first entry in it.
    pub first_seq: u64,
    /// How many entries it holds.
    pub count: u32,
    /// Hash of the block before; zeros in the first block.
    pub prev_hash: Hash,
    pub hash: Hash,
    pub bytes: Vec<u8>,
}

/// Where the journal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalHead {
    /// The number that the next entry gets.
    pub next_seq: u64,
    /// Hash of the last block.
    pub hash: Hash,
}

/// An engine state to start a replay from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The last entry that the state includes.
    pub seq: u64,
    pub hash: Hash,
    pub state: Vec<u8>,
}

/// The journal of one data directory.
#[derive(Debug)]
pub struct Journal {
    writer: Option<Mutex<Writer>>,
    reader: SqlitePool,
    instance: String,
}

#[derive(Debug)]
struct Writer {
    /// `None` once closed.
    connection: Option<SqliteConnection>,
    head: Head,
}

/// What the writer knows about the end of the journal.
#[derive(Debug, Clone, Copy)]
enum Head {
    Known(Option<JournalHead>),
    /// A write was cut off half way (its future was dropped); the file knows whether it happened.
    Unknown,
}

impl Journal {
    pub(crate) async fn open(path: &Path, read_only: bool) -> Result<Self> {
        const WHAT: &str = "opening the journal";
        if read_only && !path.is_file() {
            return Err(StoreError::NotFound { what: format!("the journal {}", path.display()) });
        }
        let options = sqlite_options(path, read_only);
        let writer = if read_only {
            None
        } else {
            let mut connection = SqliteConnection::connect_with(&options).await.during(WHAT)?;
            migrate::up(&mut connection, &migrate::JOURNAL, "journal").await?;
            create_instance(&mut connection).await?;
            let head = read_head(&mut connection).await?;
            Some(Mutex::new(Writer { connection: Some(connection), head: Head::Known(head) }))
        };
        let reader = SqlitePoolOptions::new()
            .max_connections(2)
            .acquire_timeout(Duration::from_secs(10))
            .connect_with(options.read_only(true).create_if_missing(false))
            .await
            .during(WHAT)?;
        if read_only {
            let mut connection = reader.acquire().await.during(WHAT)?;
            migrate::check(&mut *connection, &migrate::JOURNAL, "journal").await?;
        }
        let instance = sqlx::query_scalar("SELECT value FROM meta WHERE key = 'instance'")
            .fetch_one(&reader)
            .await
            .during("reading the journal's instance")?;
        Ok(Self { writer, reader, instance })
    }

    /// The name of this data directory, random, the same for ever. Rows in a shared database carry it.
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// Appends one block and returns once it is on the disk.
    ///
    /// The first block of an empty journal starts the numbering where it likes and has a `prev_hash` of zeros. After
    /// that, [`StoreError::Conflict`] when `first_seq` is not the next number or `prev_hash` is not the last hash:
    /// nothing is written then.
    pub async fn append_block(
        &self,
        first_seq: u64,
        count: u32,
        bytes: &[u8],
        prev_hash: Hash,
        hash: Hash,
    ) -> Result<()> {
        const WHAT: &str = "appending to the journal";
        let mut writer = self.writer.as_ref().ok_or(StoreError::ReadOnly { what: WHAT })?.lock().await;
        let Writer { connection, head } = &mut *writer;
        let connection = connection.as_mut().ok_or_else(closed)?;
        let last = match *head {
            Head::Known(head) => head,
            Head::Unknown => read_head(connection).await?,
        };
        check_continues(last, first_seq, count, prev_hash)?;
        let next_seq = i64::try_from(first_seq)
            .ok()
            .and_then(|first| first.checked_add(i64::from(count)))
            .ok_or_else(|| StoreError::invalid("a journal sequence number beyond 2^63"))?;
        *head = Head::Unknown;
        sqlx::query(
            "INSERT INTO journal_blocks (first_seq, count, prev_hash, hash, bytes) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(first_seq as i64)
        .bind(i64::from(count))
        .bind(prev_hash.to_vec())
        .bind(hash.to_vec())
        .bind(bytes.to_vec())
        .execute(connection)
        .await
        .during(WHAT)?;
        *head = Head::Known(Some(JournalHead { next_seq: next_seq as u64, hash }));
        Ok(())
    }

    /// Where the journal ends; `None` while it is empty.
    pub async fn head(&self) -> Result<Option<JournalHead>> {
        let mut connection = self.reader.acquire().await.during("reading the journal")?;
        read_head(&mut connection).await
    }

    /// The newest block.
    pub async fn last_block(&self) -> Result<Option<JournalBlock>> {
        sqlx::query(
            "SELECT first_seq, count, prev_hash, hash, bytes FROM journal_blocks ORDER BY first_seq DESC LIMIT 1",
        )
        .fetch_optional(&self.reader)
        .await
        .during("reading the journal")?
        .map(|row| block(&row))
        .transpose()
    }

    /// Every block from the one that holds entry `from_seq`, in order. A broken link (a missing block, a `prev_hash` that
    /// is not the hash before) ends the stream with [`StoreError::Corrupt`].
    ///
    /// The stream reads page by page and holds no transaction open, so blocks appended meanwhile are included.
    pub fn blocks(&self, from_seq: u64) -> impl Stream<Item = Result<JournalBlock>> + Send + use<> {
        struct Cursor {
            reader: SqlitePool,
            from: i64,
            first_page: bool,
            last: Option<JournalHead>,
            page: std::collections::VecDeque<JournalBlock>,
            done: bool,
        }
        let cursor = Cursor {
            reader: self.reader.clone(),
            from: i64::try_from(from_seq).unwrap_or(i64::MAX),
            first_page: true,
            last: None,
            page: std::collections::VecDeque::new(),
            done: false,
        };
        stream::try_unfold(cursor, |mut cursor| async move {
            if cursor.page.is_empty() && !cursor.done {
                cursor.page = read_page(&cursor.reader, cursor.from, cursor.first_page).await?.into();
                cursor.done = cursor.page.is_empty();
                cursor.first_page = false;
            }
            let Some(block) = cursor.page.pop_front() else {
                return Ok(None);
            };
            if cursor.last.is_some() {
                check_continues(cursor.last, block.first_seq, block.count, block.prev_hash)
                    .map_err(|error| StoreError::corrupt(format!("journal chain: {error}")))?;
            }
            let next_seq = block.first_seq + u64::from(block.count);
            cursor.last = Some(JournalHead { next_seq, hash: block.hash });
            cursor.from = next_seq as i64;
            Ok(Some((block, cursor)))
        })
    }

    /// Keeps an engine state that includes every entry up to `seq`, and drops all but the newest few.
    pub async fn put_snapshot(&self, seq: u64, hash: Hash, state: &[u8]) -> Result<()> {
        const WHAT: &str = "writing a snapshot";
        let mut writer = self.writer.as_ref().ok_or(StoreError::ReadOnly { what: WHAT })?.lock().await;
        let connection = writer.connection.as_mut().ok_or_else(closed)?;
        let mut tx = connection.begin().await.during(WHAT)?;
        sqlx::query(
            "INSERT INTO snapshots (seq, hash, state) VALUES ($1, $2, $3) \
             ON CONFLICT (seq) DO UPDATE SET hash = excluded.hash, state = excluded.state",
        )
        .bind(seq as i64)
        .bind(hash.to_vec())
        .bind(state.to_vec())
        .execute(&mut *tx)
        .await
        .during(WHAT)?;
        sqlx::query("DELETE FROM snapshots WHERE seq NOT IN (SELECT seq FROM snapshots ORDER BY seq DESC LIMIT $1)")
            .bind(SNAPSHOTS_KEPT)
            .execute(&mut *tx)
            .await
            .during(WHAT)?;
        tx.commit().await.during(WHAT)
    }

    /// The kept snapshots, newest first.
    pub async fn snapshots(&self) -> Result<Vec<Snapshot>> {
        const WHAT: &str = "reading snapshots";
        let rows = sqlx::query("SELECT seq, hash, state FROM snapshots ORDER BY seq DESC")
            .fetch_all(&self.reader)
            .await
            .during(WHAT)?;
        rows.iter()
            .map(|row| {
                Ok(Snapshot {
                    seq: row.try_get::<i64, _>(0).during(WHAT)? as u64,
                    hash: hash_of(row.try_get(1).during(WHAT)?)?,
                    state: row.try_get(2).during(WHAT)?,
                })
            })
            .collect()
    }

    /// Remembers the audit log's newest row where an editor of the log does not reach.
    pub(crate) async fn put_audit_head(&self, (number, hash): (i64, Hash)) -> Result<()> {
        const WHAT: &str = "keeping the audit log's head";
        let mut writer = self.writer.as_ref().ok_or(StoreError::ReadOnly { what: WHAT })?.lock().await;
        let connection = writer.connection.as_mut().ok_or_else(closed)?;
        // Two appends may finish in the other order.
        sqlx::query(
            "INSERT INTO meta (key, value) VALUES ('audit_head', $1) ON CONFLICT (key) DO UPDATE \
             SET value = excluded.value WHERE CAST(excluded.value AS INTEGER) > CAST(value AS INTEGER)",
        )
        .bind(format!("{number} {}", hex::encode(hash)))
        .execute(connection)
        .await
        .during(WHAT)
        .map(|_| ())
    }

    pub(crate) async fn audit_head(&self) -> Result<Option<(i64, Hash)>> {
        let text: Option<String> = sqlx::query_scalar("SELECT value FROM meta WHERE key = 'audit_head'")
            .fetch_optional(&self.reader)
            .await
            .during("reading the audit log's head")?;
        text.map(|text| {
            let damaged = || StoreError::corrupt(format!("the audit log's head {text:?}"));
            let (number, hash) = text.split_once(' ').ok_or_else(damaged)?;
            let hash = hex::decode(hash).map_err(|_| damaged())?;
            Ok((number.parse().map_err(|_| damaged())?, hash_of(hash)?))
        })
        .transpose()
    }

    pub(crate) async fn check(&self) -> Result<Vec<String>> {
        sqlx::query_scalar("PRAGMA quick_check(10)").fetch_all(&self.reader).await.during("checking the journal")
    }

    pub(crate) async fn backup(&self, path: &str) -> Result<()> {
        const WHAT: &str = "writing a backup of the journal";
        sqlx::query("VACUUM INTO $1").bind(path.to_owned()).execute(&self.reader).await.during(WHAT).map(|_| ())
    }

    pub(crate) async fn close(&self) -> Result<()> {
        self.reader.close().await;
        if let Some(writer) = &self.writer
            && let Some(connection) = writer.lock().await.connection.take()
        {
            connection.close().await.during("closing the journal")?;
        }
        Ok(())
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable { what: "appending to the journal", source: "the journal is closed".into() }
}

/// The rule of the chain, asked at the write and again at the read.
fn check_continues(last: Option<JournalHead>, first_seq: u64, count: u32, prev_hash: Hash) -> Result<()> {
    if count == 0 {
        return Err(StoreError::invalid("a journal block without entries"));
    }
    match last {
        None if prev_hash != [0; 32] => {
            Err(StoreError::conflict("the first journal block must have a previous hash of zeros"))
        }
        Some(head) if head.next_seq != first_seq => {
            Err(StoreError::conflict(format!("the next journal entry is {}, not {first_seq}", head.next_seq)))
        }
        Some(head) if head.hash != prev_hash => Err(StoreError::conflict(format!(
            "block {first_seq} follows {}, but the last block is {}",
            hex::encode(prev_hash),
            hex::encode(head.hash)
        ))),
        _ => Ok(()),
    }
}

async fn create_instance(connection: &mut SqliteConnection) -> Result<()> {
    const WHAT: &str = "naming the data directory";
    let mut random = [0u8; 8];
    getrandom::fill(&mut random)
        .map_err(|error| StoreError::Unavailable { what: WHAT, source: error.to_string().into() })?;
    sqlx::query("INSERT INTO meta (key, value) VALUES ('instance', $1) ON CONFLICT DO NOTHING")
        .bind(hex::encode(random))
        .execute(connection)
        .await
        .during(WHAT)
        .map(|_| ())
}

async fn read_head(connection: &mut SqliteConnection) -> Result<Option<JournalHead>> {
    const WHAT: &str = "reading the journal's head";
    let row = sqlx::query("SELECT first_seq, count, hash FROM journal_blocks ORDER BY first_seq DESC LIMIT 1")
        .fetch_optional(connection)
        .await
        .during(WHAT)?;
    let Some(row) = row else { return Ok(None) };
    let (first, count): (i64, i64) = (row.try_get(0).during(WHAT)?, row.try_get(1).during(WHAT)?);
    Ok(Some(JournalHead { next_seq: (first + count) as u64, hash: hash_of(row.try_get(2).during(WHAT)?)? }))
}

async fn read_page(reader: &SqlitePool, from: i64, first_page: bool) -> Result<Vec<JournalBlock>> {
    // The block that holds an entry starts at or before it.
    let start = if first_page {
        "(SELECT coalesce(max(first_seq), $1) FROM journal_blocks WHERE first_seq <= $1)"
    } else {
        "$1"
    };
    let sql = format!(
        "SELECT first_seq, count, prev_hash, hash, bytes FROM journal_blocks WHERE first_seq >= {start} \
         AND first_seq + count > $1 ORDER BY first_seq LIMIT {PAGE_BLOCKS}"
    );
    let rows =
        sqlx::query(sqlx::AssertSqlSafe(sql)).bind(from).fetch_all(reader).await.during("reading the journal")?;
    rows.iter().map(block).collect()
}

fn block(row: &SqliteRow) -> Result<JournalBlock> {
    const WHAT: &str = "reading a journal block";
    let first_seq: i64 = row.try_get(0).during(WHAT)?;
    let count: i64 = row.try_get(1).during(WHAT)?;
    Ok(JournalBlock {
        first_seq: first_seq as u64,
        count: u32::try_from(count)
            .map_err(|_| StoreError::corrupt(format!("journal block {first_seq}: count {count}")))?,
        prev_hash: hash_of(row.try_get(2).during(WHAT)?)?,
        hash: hash_of(row.try_get(3).during(WHAT)?)?,
        bytes: row.try_get(4).during(WHAT)?,
    })
}

pub(crate) fn hash_of(bytes: Vec<u8>) -> Result<Hash> {
    bytes.try_into().map_err(|_| StoreError::corrupt("a journal hash that is not 32 bytes long"))
}
