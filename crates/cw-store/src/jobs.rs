//! Long work and its results: backtests, sweeps, fetches.

use cw_core::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::Row;

use crate::db::{reading, writing};
use crate::error::{During, Result, StoreError};
use crate::open::Store;
use crate::settings::parse_json;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    Queued,
    Running,
    Done,
    Failed,
    Canceled,
}

impl JobState {
    const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Done, Self::Failed, Self::Canceled];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Canceled)
    }
}

/// One piece of long work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Unique for ever; the caller makes it.
    pub id: String,
    /// `backtest`, `sweep`, `fetch`.
    pub kind: String,
    /// For people: "ema-cross on BTC-PERP.SIM 1m".
    pub title: String,
    pub state: JobState,
    pub request: Value,
    pub result: Option<Value>,
    /// Of the inputs and the answer: equal fingerprints mean the same run.
    pub fingerprint: Option<String>,
    pub error: Option<String>,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

const COLUMNS_OF_ONE: &str = "SELECT id, kind, title, state, request::text, result::text, fingerprint, error, \
     created_at, finished_at FROM jobs WHERE id = $1";
/// Results are large; a list leaves them out.
const COLUMNS_OF_LIST: &str = "SELECT id, kind, title, state, request::text, NULL::text, fingerprint, error, \
     created_at, finished_at FROM jobs WHERE ($1 = '' OR kind = $1) ORDER BY created_at DESC, id DESC LIMIT $2";

macro_rules! job {
    ($row:expr) => {{
        const WHAT: &str = "reading a job";
        let row = $row;
        let column = |index: usize| row.try_get::<String, _>(index).during(WHAT);
        let optional = |index: usize| row.try_get::<Option<String>, _>(index).during(WHAT);
        let state = column(3)?;
        Ok(Job {
            id: column(0)?,
            kind: column(1)?,
            title: column(2)?,
            state: JobState::ALL
                .into_iter()
                .find(|known| known.as_str() == state)
                .ok_or_else(|| StoreError::corrupt(format!("a job's state {state:?}")))?,
            request: parse_json(&column(4)?, "a job's request")?,
            result: optional(5)?.map(|text| parse_json(&text, "a job's result")).transpose()?,
            fingerprint: optional(6)?,
            error: optional(7)?,
            created_at: Timestamp::from_nanos(row.try_get(8).during(WHAT)?),
            finished_at: row.try_get::<Option<i64>, _>(9).during(WHAT)?.map(Timestamp::from_nanos),
        })
    }};
}

impl Store {
    /// Writes a job as it stands now, new or known.
    pub async fn put_job(&self, job: &Job) -> Result<()> {
        let (request, result) = (job.request.to_string(), job.result.as_ref().map(Value::to_string));
        writing!(self, "writing a job", |tx, sql| {
            sqlx::query(sql(
                "INSERT INTO jobs (id, instance, kind, title, state, request, result, fingerprint, error, \
                    created_at, finished_at) VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb, $8, $9, $10, $11) \
                 ON CONFLICT (id) DO UPDATE SET state = excluded.state, result = excluded.result, \
                    fingerprint = excluded.fingerprint, error = excluded.error, finished_at = excluded.finished_at",
            ))
            .bind(&job.id)
            .bind(self.journal().instance())
            .bind(&job.kind)
            .bind(&job.title)
            .bind(job.state.as_str())
            .bind(&request)
            .bind(&result)
            .bind(&job.fingerprint)
            .bind(&job.error)
            .bind(job.created_at.as_nanos())
            .bind(job.finished_at.map(Timestamp::as_nanos))
            .execute(&mut *tx)
            .await
            .during("writing a job")?;
        })
    }

    /// One job with its result; `None` when there is none of that id.
    pub async fn job(&self, id: &str) -> Result<Option<Job>> {
        reading!(self.db(), |pool, sql| {
            let row = sqlx::query(sql(COLUMNS_OF_ONE)).bind(id).fetch_optional(pool).await.during("reading a job")?;
            row.map(|row| job!(&row)).transpose()
        })
    }

    /// Jobs, newest first, without their results; of one kind when asked.
    pub async fn jobs(&self, kind: Option<&str>, limit: u32) -> Result<Vec<Job>> {
        reading!(self.db(), |pool, sql| {
            let rows = sqlx::query(sql(COLUMNS_OF_LIST))
                .bind(kind.unwrap_or_default().to_owned())
                .bind(i64::from(limit))
                .fetch_all(pool)
                .await
                .during("reading jobs")?;
            rows.iter().map(|row| job!(row)).collect()
        })
    }

    /// Marks as failed what this data directory left queued or running when its process ended; how many there were.
    pub async fn fail_interrupted_jobs(&self) -> Result<u64> {
        let now = self.now().as_nanos();
        writing!(self, "closing interrupted jobs", |tx, sql| {
            sqlx::query(sql("UPDATE jobs SET state = 'failed', error = 'the program ended before the job did', \
                    finished_at = $2 WHERE instance = $1 AND state IN ('queued', 'running')"))
            .bind(self.journal().instance())
            .bind(now)
            .execute(&mut *tx)
            .await
            .during("closing interrupted jobs")?
            .rows_affected()
        })
    }
}
