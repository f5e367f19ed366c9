//! How live data fared: the ledger of outages and gaps, and what providers sent that was not taken.

use cw_core::{InstrumentId, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::Row;

use crate::coverage::TimeRange;
use crate::db::{reading, writing};
use crate::error::{During, Result, StoreError};
use crate::open::Store;

/// Rows kept of what one provider sent that was not taken; older ones go.
pub const REFUSED_KEPT: i64 = 10_000;

/// What became of the candles of an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutageState {
    /// The stream is away, or the venue has not answered yet.
    Open,
    /// The venue told what was there.
    Backfilled,
    /// The venue could not say.
    Gap,
}

impl OutageState {
    const ALL: [Self; 3] = [Self::Open, Self::Backfilled, Self::Gap];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Backfilled => "backfilled",
            Self::Gap => "gap",
        }
    }
}

/// A stretch in which an instrument's stream was away, or in which its venue could not say what was there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    pub instrument: InstrumentId,
    pub from: Timestamp,
    /// `None` while the stream is away.
    pub to: Option<Timestamp>,
    pub state: OutageState,
    pub reason: String,
    /// One-minute candles in it that came by asking.
    pub candles: u64,
    pub noted_at: Timestamp,
}

/// Which outages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutageQuery {
    pub instrument: Option<InstrumentId>,
    /// Of the instruments' ids.
    pub venue: Option<String>,
    /// Those that touch [`from`, `to`).
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub state: Option<OutageState>,
    pub limit: u32,
}

/// Something a provider sent that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub provider: String,
    pub reason: String,
    /// Its beginning, as it came.
    pub raw: String,
    /// How often the same came.
    pub count: u64,
    pub first_time: Timestamp,
    pub last_time: Timestamp,
}

const OUTAGES_COUNTED: &str = "SELECT count(*) FROM outages WHERE ($1 = '' OR instrument = $1) \
     AND ($2 = '' OR instrument LIKE '%.' || $2) AND coalesce(to_time, $5) > $3 AND from_time < $4 \
     AND ($6 = '' OR state = $6)";
const OUTAGES_LISTED: &str = "SELECT instrument, from_time, to_time, state, reason, candles, noted_at FROM outages \
     WHERE ($1 = '' OR instrument = $1) AND ($2 = '' OR instrument LIKE '%.' || $2) \
     AND coalesce(to_time, $5) > $3 AND from_time < $4 AND ($6 = '' OR state = $6) \
     ORDER BY from_time DESC, instrument LIMIT $7";

macro_rules! outage {
    ($row:expr) => {{
        const WHAT: &str = "reading the gap ledger";
        let row = $row;
        let state: String = row.try_get(3).during(WHAT)?;
        Ok(Outage {
            instrument: row
                .try_get::<String, _>(0)
                .during(WHAT)?
                .parse()
                .map_err(|error| StoreError::corrupt(format!("a stored instrument: {error}")))?,
            from: Timestamp::from_nanos(row.try_get(1).during(WHAT)?),
            to: row.try_get::<Option<i64>, _>(2).during(WHAT)?.map(Timestamp::from_nanos),
            state: OutageState::ALL
                .into_iter()
                .find(|known| known.as_str() == state)
                .ok_or_else(|| StoreError::corrupt(format!("an outage's state {state:?}")))?,
            reason: row.try_get(4).during(WHAT)?,
            candles: row.try_get::<i64, _>(5).during(WHAT)? as u64,
            noted_at: Timestamp::from_nanos(row.try_get(6).during(WHAT)?),
        })
    }};
}

impl Store {
    /// Writes outages as they stand now, new or known: one of the same instrument and beginning is replaced.
    pub async fn put_outages(&self, outages: &[Outage]) -> Result<()> {
        if outages.is_empty() {
            return Ok(());
        }
        writing!(self, "writing the gap ledger", |tx, sql| {
            for outage in outages {
                sqlx::query(sql(
                    "INSERT INTO outages (instrument, from_time, to_time, state, reason, candles, noted_at) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (instrument, from_time) DO UPDATE \
                     SET to_time = excluded.to_time, state = excluded.state, reason = excluded.reason, \
                        candles = excluded.candles",
                ))
                .bind(outage.instrument.as_str())
                .bind(outage.from.as_nanos())
                .bind(outage.to.map(Timestamp::as_nanos))
                .bind(outage.state.as_str())
                .bind(&outage.reason)
                .bind(outage.candles as i64)
                .bind(outage.noted_at.as_nanos())
                .execute(&mut *tx)
                .await
                .during("writing the gap ledger")?;
            }
        })
    }

    /// Gaps that lie in a range that has been fetched since are none any more; how many there were.
    pub async fn close_gaps(&self, instrument: &InstrumentId, range: TimeRange) -> Result<u64> {
        writing!(self, "writing the gap ledger", |tx, sql| {
            sqlx::query(sql("UPDATE outages SET state = 'backfilled' WHERE instrument = $1 AND state = 'gap' \
                 AND from_time >= $2 AND to_time <= $3"))
            .bind(instrument.as_str())
            .bind(range.from.as_nanos())
            .bind(range.to.as_nanos())
            .execute(&mut *tx)
            .await
            .during("writing the gap ledger")?
            .rows_affected()
        })
    }

    /// How many outages match, and the newest of them.
    pub async fn outages(&self, query: &OutageQuery) -> Result<(u64, Vec<Outage>)> {
        const WHAT: &str = "reading the gap ledger";
        let instrument = query.instrument.as_ref().map(InstrumentId::as_str).unwrap_or_default();
        let venue = query.venue.as_deref().unwrap_or_default();
        let from = query.from.unwrap_or(Timestamp::MIN).as_nanos();
        let to = query.to.unwrap_or(Timestamp::MAX).as_nanos();
        let state = query.state.map(OutageState::as_str).unwrap_or_default();
        macro_rules! bind {
            ($statement:expr) => {
                $statement.bind(instrument).bind(venue).bind(from).bind(to).bind(i64::MAX).bind(state)
            };
        }
        reading!(self.db(), |pool, sql| {
            let total: i64 = bind!(sqlx::query_scalar(sql(OUTAGES_COUNTED))).fetch_one(pool).await.during(WHAT)?;
            let rows = bind!(sqlx::query(sql(OUTAGES_LISTED)))
                .bind(i64::from(query.limit))
                .fetch_all(pool)
                .await
                .during(WHAT)?;
            let rows = rows.iter().map(|row| outage!(row)).collect::<Result<_>>()?;
            Ok((total as u64, rows))
        })
    }

    /// Notes what was not taken; the same again counts up. The newest [`REFUSED_KEPT`] of each provider stay.
    pub async fn add_refused(&self, refused: &[Refused]) -> Result<()> {
        if refused.is_empty() {
            return Ok(());
        }
        let mut providers: Vec<&str> = refused.iter().map(|row| row.provider.as_str()).collect();
        providers.sort_unstable();
        providers.dedup();
        writing!(self, "writing to quarantine", |tx, sql| {
            for row in refused {
                sqlx::query(sql("INSERT INTO refused AS r (provider, reason, raw, count, first_time, last_time) \
                     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (provider, reason, raw) DO UPDATE \
                     SET count = r.count + excluded.count, last_time = excluded.last_time"))
                .bind(&row.provider)
                .bind(&row.reason)
                // PostgreSQL's text has no zero character.
                .bind(row.raw.replace('\0', "\u{fffd}"))
                .bind(row.count as i64)
                .bind(row.first_time.as_nanos())
                .bind(row.last_time.as_nanos())
                .execute(&mut *tx)
                .await
                .during("writing to quarantine")?;
            }
            for provider in providers {
                sqlx::query(sql("DELETE FROM refused WHERE provider = $1 AND last_time < \
                     (SELECT last_time FROM refused WHERE provider = $1 ORDER BY last_time DESC LIMIT 1 OFFSET $2)"))
                .bind(provider)
                .bind(REFUSED_KEPT - 1)
                .execute(&mut *tx)
                .await
                .during("writing to quarantine")?;
            }
        })
    }

    /// How often something that is kept was refused, and the newest of it; of one provider when asked.
    pub async fn refused(&self, provider: Option<&str>, limit: u32) -> Result<(u64, Vec<Refused>)> {
        const WHAT: &str = "reading the quarantine";
        let provider = provider.unwrap_or_default();
        reading!(self.db(), |pool, sql| {
            let total: i64 = sqlx::query_scalar(sql(
                "SELECT CAST(coalesce(sum(count), 0) AS BIGINT) FROM refused WHERE ($1 = '' OR provider = $1)",
            ))
            .bind(provider)
            .fetch_one(pool)
            .await
            .during(WHAT)?;
            let rows = sqlx::query(sql("SELECT provider, reason, raw, count, first_time, last_time FROM refused \
                 WHERE ($1 = '' OR provider = $1) ORDER BY last_time DESC, provider, reason, raw LIMIT $2"))
            .bind(provider)
            .bind(i64::from(limit))
            .fetch_all(pool)
            .await
            .during(WHAT)?;
            let row = |row: &_| -> Result<Refused> {
                let text = |column: usize| Row::try_get::<String, _>(row, column).during(WHAT);
                let number = |column: usize| Row::try_get::<i64, _>(row, column).during(WHAT);
                Ok(Refused {
                    provider: text(0)?,
                    reason: text(1)?,
                    raw: text(2)?,
                    count: number(3)? as u64,
                    first_time: Timestamp::from_nanos(number(4)?),
                    last_time: Timestamp::from_nanos(number(5)?),
                })
            };
            let rows = rows.iter().map(row).collect::<Result<_>>()?;
            Ok((total as u64, rows))
        })
    }
}
