//! Candles as vectors in PostgreSQL, where the extension `vector` (pgvector) is there. It is looked for at run time: a
//! database without it serves everything else as before.

use cw_core::{InstrumentId, Timeframe, Timestamp};
use sqlx::{PgPool, Row};

use crate::db::Db;
use crate::error::{During, Result, StoreError};
use crate::open::Store;

/// Rows that one statement writes.
const BATCH: usize = 500;

/// Whether vectors can be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VectorSupport {
    /// With the extension's version.
    Ready { version: String },
    /// With the reason, in words for a person.
    Missing { reason: String },
}

/// One candle for retrieval.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorRow {
    /// A UUID; a row of the same one is replaced.
    pub id: String,
    pub instrument: InstrumentId,
    pub timeframe: Timeframe,
    pub open_time: Timestamp,
    pub description: String,
    pub keywords: Vec<String>,
    /// What made the vector, and on what scale: only vectors of one model and one scaler can be compared.
    pub model: String,
    pub scaler: String,
    pub schema: String,
    pub vector: Vec<f32>,
}

/// A row near a vector.
#[derive(Debug, Clone, PartialEq)]
pub struct NearVector {
    pub id: String,
    pub open_time: Timestamp,
    /// Euclidean.
    pub distance: f64,
}

const WHAT: &str = "keeping vectors";

impl Store {
    /// Looks for pgvector, creates the extension where it is installed but not yet in this database, and the table.
    pub async fn vector_support(&self) -> Result<VectorSupport> {
        let missing = |reason: &str| Ok(VectorSupport::Missing { reason: reason.to_owned() });
        let Db::Postgres(pool) = self.db() else {
            return missing("the store is SQLite; vectors go to PostgreSQL with pgvector (store.url)");
        };
        let row: Option<(Option<String>,)> =
            sqlx::query_as("SELECT installed_version FROM pg_available_extensions WHERE name = 'vector'")
                .fetch_optional(pool)
                .await
                .during(WHAT)?;
        let Some((installed,)) = row else {
            let server: (i32,) = sqlx::query_as("SELECT current_setting('server_version_num')::int / 10000")
                .fetch_one(pool)
                .await
                .during(WHAT)?;
            return missing(&format!(
                "this PostgreSQL server has no extension `vector`; install pgvector on it (of Debian and Ubuntu the package \
                 postgresql-{}-pgvector), and exports that are started afterwards write vectors",
                server.0
            ));
        };
        if installed.is_none() {
            if self.check_writable(WHAT).is_err() {
                return missing("the extension `vector` is not created, and this program only reads");
            }
            if let Err(error) = sqlx::query("CREATE EXTENSION IF NOT EXISTS vector").execute(pool).await {
                return missing(&format!("the extension `vector` cannot be created: {error}"));
            }
        }
        if self.check_writable(WHAT).is_ok() {
            create(pool).await?;
        }
        let version: (String,) = sqlx::query_as("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
            .fetch_one(pool)
            .await
            .during(WHAT)?;
        Ok(VectorSupport::Ready { version: version.0 })
    }

    /// Writes rows; one of the same id is replaced. Ask [`vector_support`](Self::vector_support) first.
    ///
    /// [`StoreError::Invalid`] where the store is not PostgreSQL, and for a vector with a value that is not finite.
    pub async fn put_vectors(&self, rows: &[VectorRow]) -> Result<()> {
        self.check_writable(WHAT)?;
        let Db::Postgres(pool) = self.db() else {
            return Err(StoreError::invalid("the store is SQLite; vectors go to PostgreSQL"));
        };
        let mut tx = pool.begin().await.during(WHAT)?;
        for batch in rows.chunks(BATCH) {
            let mut vectors = Vec::with_capacity(batch.len());
            for row in batch {
                vectors.push(literal(&row.vector)?);
            }
            let texts = |of: fn(&VectorRow) -> String| batch.iter().map(of).collect::<Vec<String>>();
            sqlx::query(
                "INSERT INTO candle_vectors \
                 (id, instrument, timeframe, open_time, description, keywords, model, scaler, schema, embedding) \
                 SELECT id::uuid, instrument, timeframe, open_time, description, keywords, model, scaler, schema, \
                 embedding::vector FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], \
                 $6::text[], $7::text[], $8::text[], $9::text[], $10::text[]) \
                 AS t(id, instrument, timeframe, open_time, description, keywords, model, scaler, schema, embedding) \
                 ON CONFLICT (id) DO UPDATE SET description = excluded.description, keywords = excluded.keywords, \
                 model = excluded.model, scaler = excluded.scaler, schema = excluded.schema, \
                 embedding = excluded.embedding",
            )
            .bind(texts(|row| row.id.clone()))
            .bind(texts(|row| row.instrument.as_str().to_owned()))
            .bind(texts(|row| row.timeframe.to_string()))
            .bind(batch.iter().map(|row| row.open_time.as_nanos()).collect::<Vec<i64>>())
            .bind(texts(|row| row.description.clone()))
            .bind(texts(|row| row.keywords.join(" ")))
            .bind(texts(|row| row.model.clone()))
            .bind(texts(|row| row.scaler.clone()))
            .bind(texts(|row| row.schema.clone()))
            .bind(vectors)
            .execute(&mut *tx)
            .await
            .during(WHAT)?;
        }
        tx.commit().await.during(WHAT)
    }

    /// The rows of the same scaler that are nearest to a vector, nearest first.
    pub async fn near_vectors(&self, scaler: &str, vector: &[f32], limit: u32) -> Result<Vec<NearVector>> {
        let Db::Postgres(pool) = self.db() else {
            return Err(StoreError::invalid("the store is SQLite; vectors are in PostgreSQL"));
        };
        sqlx::query(
            "SELECT id::text, open_time, embedding <-> $2::vector AS distance FROM candle_vectors \
             WHERE scaler = $1 AND vector_dims(embedding) = $3 ORDER BY distance, open_time LIMIT $4",
        )
        .bind(scaler)
        .bind(literal(vector)?)
        .bind(vector.len() as i32)
        .bind(i64::from(limit))
        .fetch_all(pool)
        .await
        .during("searching vectors")?
        .iter()
        .map(|row| {
            Ok(NearVector {
                id: row.try_get(0).during(WHAT)?,
                open_time: Timestamp::from_nanos(row.try_get(1).during(WHAT)?),
                distance: row.try_get(2).during(WHAT)?,
            })
        })
        .collect()
    }
}

/// The table is no migration: most databases will never have the extension that its column needs.
async fn create(pool: &PgPool) -> Result<()> {
    for statement in [
        "CREATE TABLE IF NOT EXISTS candle_vectors (id uuid PRIMARY KEY, instrument text NOT NULL, \
         timeframe text NOT NULL, open_time bigint NOT NULL, description text NOT NULL, keywords text NOT NULL, \
         model text NOT NULL, scaler text NOT NULL, schema text NOT NULL, embedding vector NOT NULL)",
        "CREATE INDEX IF NOT EXISTS candle_vectors_series ON candle_vectors (instrument, timeframe, open_time)",
    ] {
        sqlx::query(statement).execute(pool).await.during(WHAT)?;
    }
    Ok(())
}

/// As pgvector reads it: `[0.5,1]`.
fn literal(vector: &[f32]) -> Result<String> {
    if let Some(value) = vector.iter().find(|value| !value.is_finite()) {
        return Err(StoreError::invalid(format!("a vector cannot hold {value}")));
    }
    let numbers: Vec<String> = vector.iter().map(f32::to_string).collect();
    Ok(format!("[{}]", numbers.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_is_written_as_pgvector_reads_it() {
        assert_eq!(literal(&[0.5, 1.0, 1e-7]).unwrap(), "[0.5,1,0.0000001]");
        assert!(literal(&[0.5, f32::NAN]).is_err());
    }
}
