//! The small integers that stand for (instrument, channel) and for a source in the large tables.

use std::collections::BTreeMap;
use std::fmt;

use cw_core::{InstrumentId, Timeframe};
use serde::{Deserialize, Serialize};
use sqlx::Row;

use crate::db::{reading, writing};
use crate::error::{During, Result, StoreError};
use crate::open::Store;

/// How data came to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// Live, as it happened.
    Streamed,
    /// Asked for afterwards.
    Backfilled,
    /// Corrected by the provider or by late events.
    Revised,
    /// From a file.
    Imported,
    /// From the simulated market.
    Simulated,
}

impl SourceKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Streamed => "streamed",
            Self::Backfilled => "backfilled",
            Self::Revised => "revised",
            Self::Imported => "imported",
            Self::Simulated => "simulated",
        }
    }
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        [Self::Streamed, Self::Backfilled, Self::Revised, Self::Imported, Self::Simulated]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// Who gave data, and how.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Source {
    pub provider: String,
    pub kind: SourceKind,
}

impl Source {
    pub fn new(provider: impl Into<String>, kind: SourceKind) -> Self {
        Self { provider: provider.into(), kind }
    }
}

/// What a series holds: candles of one length, trades or quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    Candles(Timeframe),
    Trades,
    Quotes,
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Candles(timeframe) => timeframe.fmt(f),
            Self::Trades => f.write_str("trades"),
            Self::Quotes => f.write_str("quotes"),
        }
    }
}

impl Store {
    /// The series' id, when anything was ever written to it.
    pub(crate) async fn find_series(&self, instrument: &InstrumentId, channel: Channel) -> Result<Option<i64>> {
        reading!(self.db(), |pool, sql| {
            sqlx::query_scalar(sql("SELECT id FROM series WHERE instrument = $1 AND channel = $2"))
                .bind(instrument.as_str())
                .bind(channel.to_string())
                .fetch_optional(pool)
                .await
                .during("looking up a series")
        })
    }

    pub(crate) async fn series(&self, instrument: &InstrumentId, channel: Channel) -> Result<i64> {
        if let Some(id) = self.find_series(instrument, channel).await? {
            return Ok(id);
        }
        writing!(self, "adding a series", |tx, sql| {
            // Setting the row to itself makes RETURNING answer also when another connection was faster.
            sqlx::query_scalar::<_, i64>(sql("INSERT INTO series (instrument, channel) VALUES ($1, $2) \
                 ON CONFLICT (instrument, channel) DO UPDATE SET channel = excluded.channel RETURNING id"))
            .bind(instrument.as_str())
            .bind(channel.to_string())
            .fetch_one(&mut *tx)
            .await
            .during("adding a series")?
        })
    }

    /// Forgets an instrument's candles, trades and quotes with what is known of their coverage; returns how many candles
    /// there were. The list of imports stays: it says what was done, not what is there.
    pub async fn delete_market_data(&self, instrument: &InstrumentId) -> Result<u64> {
        const WHAT: &str = "deleting market data";
        writing!(self, "deleting market data", |tx, sql| {
            let candles: u64 =
                sqlx::query(sql("DELETE FROM candles WHERE series IN (SELECT id FROM series WHERE instrument = $1)"))
                    .bind(instrument.as_str())
                    .execute(&mut *tx)
                    .await
                    .during(WHAT)?
                    .rows_affected();
            for statement in [
                "DELETE FROM trades WHERE series IN (SELECT id FROM series WHERE instrument = $1)",
                "DELETE FROM quotes WHERE series IN (SELECT id FROM series WHERE instrument = $1)",
                "DELETE FROM coverage WHERE series IN (SELECT id FROM series WHERE instrument = $1)",
                "DELETE FROM gaps WHERE series IN (SELECT id FROM series WHERE instrument = $1)",
                "UPDATE series SET rows = 0 WHERE instrument = $1",
            ] {
                sqlx::query(sql(statement)).bind(instrument.as_str()).execute(&mut *tx).await.during(WHAT)?;
            }
            candles
        })
    }

    pub(crate) async fn sources(&self) -> Result<BTreeMap<i64, Source>> {
        const WHAT: &str = "reading the sources";
        reading!(self.db(), |pool, sql| {
            let rows = sqlx::query(sql("SELECT id, provider, kind FROM sources")).fetch_all(pool).await.during(WHAT)?;
            rows.iter()
                .map(|row| {
                    let kind: String = row.try_get(2).during(WHAT)?;
                    let kind = SourceKind::from_text(&kind)
                        .ok_or_else(|| StoreError::corrupt(format!("source kind {kind:?}")))?;
                    Ok((row.try_get(0).during(WHAT)?, Source { provider: row.try_get(1).during(WHAT)?, kind }))
                })
                .collect()
        })
    }

    pub(crate) async fn source(&self, source: &Source) -> Result<i64> {
        const FIND: &str = "SELECT id FROM sources WHERE provider = $1 AND kind = $2";
        let found: Option<i64> = reading!(self.db(), |pool, sql| {
            sqlx::query_scalar(sql(FIND))
                .bind(&source.provider)
                .bind(source.kind.as_str())
                .fetch_optional(pool)
                .await
                .during("looking up a source")
        })?;
        if let Some(id) = found {
            return Ok(id);
        }
        writing!(self, "adding a source", |tx, sql| {
            sqlx::query_scalar::<_, i64>(sql("INSERT INTO sources (provider, kind) VALUES ($1, $2) \
                 ON CONFLICT (provider, kind) DO UPDATE SET kind = excluded.kind RETURNING id"))
            .bind(&source.provider)
            .bind(source.kind.as_str())
            .fetch_one(&mut *tx)
            .await
            .during("adding a source")?
        })
    }
}
