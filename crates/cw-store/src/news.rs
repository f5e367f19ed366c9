//! News that were told, and what was asked for: found by words, symbol, source and time, without a network.

use cw_core::{NewsItem, Timestamp};
use sqlx::Row;

use crate::db::{Db, reading, writing};
use crate::documents::fts5;
use crate::error::{During, Result, StoreError};
use crate::open::Store;

/// Items kept; the ones told first go first.
const MOST_ITEMS: i64 = 200_000;
/// Answers kept; the oldest go first.
const MOST_ANSWERS: i64 = 10_000;

/// Which items are wanted, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewsQuery {
    /// Words that all have to occur in headline or summary, in any form English knows of them. Without any: all items.
    pub words: Option<String>,
    /// As items carry it: `AAPL`.
    pub symbol: Option<String>,
    /// Publisher or provider.
    pub source: Option<String>,
    /// Published in [`since`, `before`).
    pub since: Option<Timestamp>,
    pub before: Option<Timestamp>,
    pub limit: u32,
}

/// What a provider answered to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewsAnswer {
    pub question: String,
    pub provider: String,
    pub answered_at: Timestamp,
    /// Ids of items, in the provider's order.
    pub items: Vec<String>,
}

/// Texts between spaces, so that ` AAPL ` is found in ` AAPL MSFT `.
fn spaced(texts: &[String]) -> String {
    format!(" {} ", texts.join(" "))
}

fn unspaced(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

impl Store {
    /// Writes items; one of the same id is replaced.
    pub async fn put_news(&self, items: &[NewsItem]) -> Result<()> {
        writing!(self, "writing news", |tx, sql| {
            for item in items {
                sqlx::query(sql(
                    "INSERT INTO news (id, provider, source, headline, summary, url, symbols, published_at, \
                     approximate, fetched_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
                     ON CONFLICT (id) DO UPDATE SET provider = excluded.provider, source = excluded.source, \
                     headline = excluded.headline, summary = excluded.summary, url = excluded.url, \
                     symbols = excluded.symbols, published_at = excluded.published_at, \
                     approximate = excluded.approximate, fetched_at = excluded.fetched_at",
                ))
                .bind(&item.id)
                .bind(&item.provider)
                .bind(&item.source)
                .bind(&item.headline)
                .bind(&item.summary)
                .bind(&item.url)
                .bind(spaced(&item.symbols))
                .bind(item.published_at.as_nanos())
                .bind(item.approximate)
                .bind(item.fetched_at.as_nanos())
                .execute(&mut *tx)
                .await
                .during("writing news")?;
            }
            sqlx::query(sql("DELETE FROM news WHERE number <= (SELECT max(number) FROM news) - $1"))
                .bind(MOST_ITEMS)
                .execute(&mut *tx)
                .await
                .during("writing news")?;
        })
    }

    /// The newest items that fit, newest first.
    ///
    /// [`StoreError::Invalid`] when there are words to look for and none of them has a letter or a digit.
    pub async fn news(&self, query: &NewsQuery) -> Result<Vec<NewsItem>> {
        const WHAT: &str = "reading news";
        let no_word = || StoreError::invalid("there is no word to search for");
        let words = query.words.as_deref().map(|words| fts5(words).ok_or_else(no_word)).transpose()?;
        macro_rules! rows {
            ($pool:expr, $words:expr, $found:literal) => {
                sqlx::query(concat!(
                    "SELECT id, provider, source, headline, summary, url, symbols, published_at, approximate, fetched_at \
                     FROM news WHERE ",
                    $found,
                    " AND ($2 IS NULL OR symbols LIKE '% ' || $2 || ' %') AND ($3 IS NULL OR source = $3 OR provider = $3) \
                     AND published_at >= $4 AND published_at < $5 ORDER BY published_at DESC, id LIMIT $6"
                ))
                .bind($words)
                .bind(&query.symbol)
                .bind(&query.source)
                .bind(query.since.unwrap_or(Timestamp::MIN).as_nanos())
                .bind(query.before.unwrap_or(Timestamp::MAX).as_nanos())
                .bind(i64::from(query.limit))
                .fetch_all($pool)
                .await
                .during(WHAT)?
                .iter()
                .map(|row| read(row).during(WHAT))
                .collect()
            };
        }
        match self.db() {
            Db::Sqlite(db) => rows!(
                &db.reader,
                words,
                "($1 IS NULL OR number IN (SELECT rowid FROM news_fts WHERE news_fts MATCH $1))"
            ),
            Db::Postgres(pool) => rows!(
                pool,
                words.map(|words| words.replace('"', "")),
                "($1::text IS NULL OR search @@ plainto_tsquery('english', $1))"
            ),
        }
    }

    /// The items of these ids that are known, in no particular order.
    pub async fn news_by_id(&self, ids: &[String]) -> Result<Vec<NewsItem>> {
        const WHAT: &str = "reading news";
        let mut items = Vec::with_capacity(ids.len());
        reading!(self.db(), |pool, sql| {
            for id in ids {
                let row = sqlx::query(sql(
                    "SELECT id, provider, source, headline, summary, url, symbols, published_at, approximate, fetched_at \
                     FROM news WHERE id = $1",
                ))
                .bind(id)
                .fetch_optional(pool)
                .await
                .during(WHAT)?;
                items.extend(row.as_ref().map(read).transpose().during(WHAT)?);
            }
        });
        Ok(items)
    }

    /// Keeps what a provider answered, in place of what it answered to the same question before.
    pub async fn put_news_answer(&self, answer: &NewsAnswer) -> Result<()> {
        writing!(self, "writing what was asked of a news provider", |tx, sql| {
            const WHAT: &str = "writing what was asked of a news provider";
            sqlx::query(sql(
                "INSERT INTO news_answers (question, provider, answered_at, items) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (question, provider) DO UPDATE SET answered_at = excluded.answered_at, \
                 items = excluded.items",
            ))
            .bind(&answer.question)
            .bind(&answer.provider)
            .bind(answer.answered_at.as_nanos())
            .bind(spaced(&answer.items))
            .execute(&mut *tx)
            .await
            .during(WHAT)?;
            sqlx::query(sql("DELETE FROM news_answers WHERE answered_at < \
                 (SELECT answered_at FROM news_answers ORDER BY answered_at DESC LIMIT 1 OFFSET $1)"))
            .bind(MOST_ANSWERS)
            .execute(&mut *tx)
            .await
            .during(WHAT)?;
        })
    }

    /// What a provider answered to a question the last time it did.
    pub async fn news_answer(&self, question: &str, provider: &str) -> Result<Option<NewsAnswer>> {
        const WHAT: &str = "reading what was asked of a news provider";
        reading!(self.db(), |pool, sql| {
            let row =
                sqlx::query(sql("SELECT answered_at, items FROM news_answers WHERE question = $1 AND provider = $2"))
                    .bind(question)
                    .bind(provider)
                    .fetch_optional(pool)
                    .await
                    .during(WHAT)?;
            let Some(row) = row else { return Ok(None) };
            Ok(Some(NewsAnswer {
                question: question.to_owned(),
                provider: provider.to_owned(),
                answered_at: Timestamp::from_nanos(row.try_get(0).during(WHAT)?),
                items: unspaced(row.try_get(1).during(WHAT)?),
            }))
        })
    }
}

fn read<'r, R: Row>(row: &'r R) -> sqlx::Result<NewsItem>
where
    usize: sqlx::ColumnIndex<R>,
    String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    i64: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    bool: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    Ok(NewsItem {
        id: row.try_get(0)?,
        provider: row.try_get(1)?,
        source: row.try_get(2)?,
        headline: row.try_get(3)?,
        summary: row.try_get(4)?,
        url: row.try_get(5)?,
        symbols: unspaced(&row.try_get::<String, _>(6)?),
        published_at: Timestamp::from_nanos(row.try_get(7)?),
        approximate: row.try_get(8)?,
        fetched_at: Timestamp::from_nanos(row.try_get(9)?),
    })
}
