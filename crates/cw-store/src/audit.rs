//! The audit log: who asked for what and what came of it, chained so that an edit is seen.

use cw_core::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::Row;

use crate::db::{reading, writing};
use crate::error::{During, Result, StoreError};
use crate::journal::Hash;
use crate::open::Store;

/// One request that was answered, refused ones included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// The journal entry, for requests that reached the engine.
    pub journal_seq: Option<u64>,
    pub time: Timestamp,
    /// `operator`, `agent claude`, `strategy ema-cross-1`.
    pub actor: String,
    pub surface: String,
    /// The registry's name: `orders.place`.
    pub command: String,
    /// `ok` or the error's code.
    pub outcome: String,
    pub trace_id: String,
    pub detail: Value,
}

impl Eq for AuditEntry {}

/// An entry as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditRow {
    /// Its place, from 1.
    pub number: u64,
    #[serde(flatten)]
    pub entry: AuditEntry,
    /// In hexadecimal.
    pub hash: String,
}

/// What [`Store::verify_audit`] found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    pub rows: u64,
    /// Number of the first row that is missing, changed or out of place.
    pub first_bad: Option<u64>,
}

/// Place and hash of the newest row.
pub(crate) type AuditHead = (i64, Hash);

/// The hash of a row: over the one before and every field, each with its length, so that no two rows look alike.
pub(crate) fn row_hash(prev: &Hash, number: i64, entry: &AuditEntry, detail: &str) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(prev).update(&number.to_le_bytes());
    match entry.journal_seq {
        None => hasher.update(&[0]),
        Some(seq) => hasher.update(&[1]).update(&seq.to_le_bytes()),
    };
    hasher.update(&entry.time.as_nanos().to_le_bytes());
    for field in [&entry.actor, &entry.surface, &entry.command, &entry.outcome, &entry.trace_id, detail] {
        hasher.update(&(field.len() as u64).to_le_bytes()).update(field.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

/// Appends entries inside a transaction and leaves the new head in `$head`. A macro, because the two transactions are
/// two types.
macro_rules! append_audit {
    ($tx:ident, $sql:ident, $instance:expr, $entries:expr, $head:ident) => {{
        const WHAT: &str = "writing the audit log";
        let entries: &[$crate::audit::AuditEntry] = $entries;
        if !entries.is_empty() {
            let last: Option<(i64, Vec<u8>)> = sqlx::query_as($sql(
                "SELECT number, hash FROM audit_log WHERE instance = $1 ORDER BY number DESC LIMIT 1",
            ))
            .bind($instance)
            .fetch_optional(&mut *$tx)
            .await
            .during(WHAT)?;
            let (mut number, mut prev) = match last {
                None => (0, [0; 32]),
                Some((number, hash)) => (number, $crate::journal::hash_of(hash)?),
            };
            for entry in entries {
                let detail = entry.detail.to_string();
                let journal_seq = entry.journal_seq.map($crate::projections::seq_to_sql).transpose()?;
                let hash = $crate::audit::row_hash(&prev, number + 1, entry, &detail);
                let inserted = sqlx::query($sql(
                    "INSERT INTO audit_log (instance, number, journal_seq, time, actor, surface, command, outcome, \
                        trace_id, detail, prev_hash, hash) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
                     ON CONFLICT (instance, journal_seq) DO NOTHING",
                ))
                .bind($instance)
                .bind(number + 1)
                .bind(journal_seq)
                .bind(entry.time.as_nanos())
                .bind(&entry.actor)
                .bind(&entry.surface)
                .bind(&entry.command)
                .bind(&entry.outcome)
                .bind(&entry.trace_id)
                .bind(&detail)
                .bind(prev.to_vec())
                .bind(hash.to_vec())
                .execute(&mut *$tx)
                .await
                .during(WHAT)?;
                if inserted.rows_affected() == 1 {
                    (number, prev) = (number + 1, hash);
                    $head = Some((number, hash));
                }
            }
        }
    }};
}
pub(crate) use append_audit;

impl Store {
    /// Appends entries that did not come through the journal: refusals, reads, logins.
    pub async fn append_audit(&self, entries: &[AuditEntry]) -> Result<()> {
        let mut head: Option<AuditHead> = None;
        let instance = self.journal().instance();
        writing!(self, "writing the audit log", |tx, sql| {
            append_audit!(tx, sql, instance, entries, head);
        })?;
        self.keep_audit_head(head).await
    }

    /// The newest entries, newest first.
    pub async fn audit_log(&self, limit: u32, before: Option<u64>) -> Result<Vec<AuditRow>> {
        let before = before.map_or(Ok(i64::MAX), crate::projections::seq_to_sql)?;
        let rows = self.audit_page("number < $2 ORDER BY number DESC", before, i64::from(limit)).await?;
        rows.into_iter()
            .map(|row| {
                let detail = serde_json::from_str(&row.detail)
                    .map_err(|error| StoreError::corrupt(format!("the detail of audit row {}: {error}", row.number)))?;
                let entry = AuditEntry { detail, ..row.entry };
                Ok(AuditRow { number: row.number as u64, entry, hash: hex::encode(row.hash) })
            })
            .collect()
    }

    /// Follows the chain from the first row to the head that the journal's file remembers.
    pub async fn verify_audit(&self) -> Result<AuditReport> {
        const PAGE: i64 = 5_000;
        let (mut number, mut prev): AuditHead = (0, [0; 32]);
        loop {
            let page = self.audit_page("number > $2 ORDER BY number", number, PAGE).await?;
            if page.is_empty() {
                break;
            }
            for row in page {
                if row.number != number + 1 || row.prev != prev || row.hash != row.expected_hash() {
                    return Ok(AuditReport { rows: number as u64, first_bad: Some(number as u64 + 1) });
                }
                (number, prev) = (row.number, row.hash);
            }
        }
        // Rows cut off at the end leave a whole chain behind; only a witness elsewhere knows of them.
        let cut = match self.journal().audit_head().await? {
            Some((kept, hash)) if kept > number || (kept == number && hash != prev) => Some(number as u64 + 1),
            _ => None,
        };
        Ok(AuditReport { rows: number as u64, first_bad: cut })
    }

    pub(crate) async fn keep_audit_head(&self, head: Option<AuditHead>) -> Result<()> {
        match head {
            None => Ok(()),
            Some(head) => self.journal().put_audit_head(head).await,
        }
    }

    async fn audit_page(&self, filter: &'static str, bound: i64, limit: i64) -> Result<Vec<StoredRow>> {
        const WHAT: &str = "reading the audit log";
        let statement = format!(
            "SELECT number, journal_seq, time, actor, surface, command, outcome, trace_id, detail, prev_hash, hash \
             FROM audit_log WHERE instance = $1 AND {filter} LIMIT $3"
        );
        reading!(self.db(), |pool, _sql| {
            let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
                .bind(self.journal().instance())
                .bind(bound)
                .bind(limit)
                .fetch_all(pool)
                .await
                .during(WHAT)?;
            rows.iter()
                .map(|row| {
                    let column = |index: usize| row.try_get::<String, _>(index).during(WHAT);
                    Ok(StoredRow {
                        number: row.try_get(0).during(WHAT)?,
                        entry: AuditEntry {
                            journal_seq: row.try_get::<Option<i64>, _>(1).during(WHAT)?.map(|seq| seq as u64),
                            time: Timestamp::from_nanos(row.try_get(2).during(WHAT)?),
                            actor: column(3)?,
                            surface: column(4)?,
                            command: column(5)?,
                            outcome: column(6)?,
                            trace_id: column(7)?,
                            detail: Value::Null,
                        },
                        detail: column(8)?,
                        prev: crate::journal::hash_of(row.try_get(9).during(WHAT)?)?,
                        hash: crate::journal::hash_of(row.try_get(10).during(WHAT)?)?,
                    })
                })
                .collect()
        })
    }
}

/// A row as the database has it: the detail is the exact text that was hashed, `entry.detail` is empty.
struct StoredRow {
    number: i64,
    entry: AuditEntry,
    detail: String,
    prev: Hash,
    hash: Hash,
}

impl StoredRow {
    fn expected_hash(&self) -> Hash {
        row_hash(&self.prev, self.number, &self.entry, &self.detail)
    }
}
