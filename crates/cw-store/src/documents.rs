//! Candles in words, found by words: FTS5 in SQLite, `tsvector` in PostgreSQL, the same questions to both.

use cw_core::{InstrumentId, Timeframe, Timestamp};
use serde::Serialize;
use sqlx::Row;

use crate::db::{Db, writing};
use crate::error::{During, Result, StoreError};
use crate::open::Store;

/// One candle in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Document {
    pub instrument: InstrumentId,
    pub timeframe: Timeframe,
    pub open_time: Timestamp,
    pub text: String,
    /// Single words: `bullish_engulfing`, `range`.
    pub keywords: Vec<String>,
    /// Hash of what text and keywords were made by.
    pub schema: String,
}

/// What to look for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DocumentQuery {
    /// Words that all have to occur, in any form English knows of them: "broke support" finds "breaks the support".
    pub words: String,
    pub instrument: Option<InstrumentId>,
    pub timeframe: Option<Timeframe>,
    /// Open times, inclusive and exclusive.
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub limit: u32,
}

/// Words as FTS5 reads them, each quoted so that none is an operator. `None` when there is no word.
pub(crate) fn fts5(words: &str) -> Option<String> {
    let quoted: Vec<String> = words
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| format!("\"{word}\""))
        .collect();
    (!quoted.is_empty()).then(|| quoted.join(" "))
}

impl Store {
    /// Writes documents; one of the same candle is replaced.
    pub async fn put_documents(&self, documents: &[Document]) -> Result<()> {
        writing!(self, "writing documents", |tx, sql| {
            for document in documents {
                sqlx::query(sql("INSERT INTO documents (instrument, timeframe, open_time, text, keywords, schema) \
                     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (instrument, timeframe, open_time) DO UPDATE \
                     SET text = excluded.text, keywords = excluded.keywords, schema = excluded.schema"))
                .bind(document.instrument.as_str())
                .bind(document.timeframe.to_string())
                .bind(document.open_time.as_nanos())
                .bind(&document.text)
                .bind(document.keywords.join(" "))
                .bind(&document.schema)
                .execute(&mut *tx)
                .await
                .during("writing documents")?;
            }
        })
    }

    /// Documents with all the words, the best match first, the newest first among equals.
    ///
    /// [`StoreError::Invalid`] when there is no word to look for.
    pub async fn search_documents(&self, query: &DocumentQuery) -> Result<Vec<Document>> {
        const WHAT: &str = "searching documents";
        let words = fts5(&query.words).ok_or_else(|| StoreError::invalid("there is no word to search for"))?;
        let instrument = query.instrument.as_ref().map(|id| id.as_str().to_owned());
        let timeframe = query.timeframe.map(|timeframe| timeframe.to_string());
        let from = query.from.unwrap_or(Timestamp::MIN).as_nanos();
        let to = query.to.unwrap_or(Timestamp::MAX).as_nanos();
        macro_rules! rows {
            ($pool:expr, $words:expr, $sql:literal) => {
                sqlx::query($sql)
                    .bind($words)
                    .bind(instrument)
                    .bind(timeframe)
                    .bind(from)
                    .bind(to)
                    .bind(i64::from(query.limit))
                    .fetch_all($pool)
                    .await
                    .during(WHAT)?
                    .iter()
                    .map(|row| {
                        document(
                            [row.try_get(0), row.try_get(1), row.try_get(3), row.try_get(4), row.try_get(5)],
                            row.try_get(2),
                        )
                    })
                    .collect()
            };
        }
        match self.db() {
            Db::Sqlite(db) => rows!(
                &db.reader,
                words,
                "SELECT d.instrument, d.timeframe, d.open_time, d.text, d.keywords, d.schema \
                 FROM documents_fts JOIN documents AS d ON d.id = documents_fts.rowid \
                 WHERE documents_fts MATCH $1 AND ($2 IS NULL OR d.instrument = $2) \
                 AND ($3 IS NULL OR d.timeframe = $3) AND d.open_time >= $4 AND d.open_time < $5 \
                 ORDER BY round(bm25(documents_fts), 6), d.open_time DESC LIMIT $6"
            ),
            Db::Postgres(pool) => rows!(
                pool,
                words.replace('"', ""),
                "SELECT instrument, timeframe, open_time, text, keywords, schema \
                 FROM documents, plainto_tsquery('english', $1) AS wanted \
                 WHERE search @@ wanted AND ($2::text IS NULL OR instrument = $2) \
                 AND ($3::text IS NULL OR timeframe = $3) AND open_time >= $4 AND open_time < $5 \
                 ORDER BY round(ts_rank(search, wanted)::numeric, 6) DESC, open_time DESC LIMIT $6"
            ),
        }
    }
}

/// `texts` are instrument, timeframe, text, keywords and schema.
fn document(texts: [sqlx::Result<String>; 5], open_time: sqlx::Result<i64>) -> Result<Document> {
    const WHAT: &str = "reading a document";
    let [instrument, timeframe, text, keywords, schema] = texts;
    let broken = |what: &str| StoreError::corrupt(format!("a document's {what} cannot be read"));
    Ok(Document {
        instrument: instrument.during(WHAT)?.parse().map_err(|_| broken("instrument"))?,
        timeframe: timeframe.during(WHAT)?.parse().map_err(|_| broken("timeframe"))?,
        open_time: Timestamp::from_nanos(open_time.during(WHAT)?),
        text: text.during(WHAT)?,
        keywords: keywords.during(WHAT)?.split_whitespace().map(str::to_owned).collect(),
        schema: schema.during(WHAT)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_only_words() {
        for (text, expected) in [
            ("broke support", Some("\"broke\" \"support\"")),
            ("NEAR(a b) OR \"x\"* -y", Some("\"NEAR\" \"a\" \"b\" \"OR\" \"x\" \"y\"")),
            ("  ?! ", None),
        ] {
            assert_eq!(fts5(text).as_deref(), expected, "{text}");
        }
    }
}
