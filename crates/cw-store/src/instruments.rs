//! The instruments that this installation knows.

use cw_core::{Instrument, InstrumentId};

use crate::db::{reading, writing};
use crate::error::{During, Result, StoreError};
use crate::open::Store;

impl Store {
    /// Writes specifications, new or changed.
    pub async fn put_instruments(&self, instruments: &[Instrument]) -> Result<()> {
        let now = self.now().as_nanos();
        writing!(self, "writing instruments", |tx, sql| {
            for instrument in instruments {
                let spec = serde_json::to_string(instrument)
                    .map_err(|error| StoreError::invalid(format!("instrument {}: {error}", instrument.id)))?;
                let class = serde_json::to_value(instrument.asset_class)
                    .map_err(|error| StoreError::invalid(format!("instrument {}: {error}", instrument.id)))?;
                sqlx::query(sql("INSERT INTO instruments (id, venue, symbol, name, asset_class, spec, updated_at) \
                     VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7) \
                     ON CONFLICT (id) DO UPDATE SET name = excluded.name, asset_class = excluded.asset_class, \
                        spec = excluded.spec, updated_at = excluded.updated_at"))
                .bind(instrument.id.as_str())
                .bind(instrument.id.venue())
                .bind(instrument.id.symbol())
                .bind(&instrument.name)
                .bind(class.as_str().unwrap_or("other").to_owned())
                .bind(spec)
                .bind(now)
                .execute(&mut *tx)
                .await
                .during("writing instruments")?;
            }
        })
    }

    /// One specification; `None` when it is not known.
    pub async fn instrument(&self, id: &InstrumentId) -> Result<Option<Instrument>> {
        let spec: Option<String> = reading!(self.db(), |pool, sql| {
            sqlx::query_scalar(sql("SELECT spec::text FROM instruments WHERE id = $1"))
                .bind(id.as_str())
                .fetch_optional(pool)
                .await
                .during("reading an instrument")
        })?;
        spec.map(|spec| parse(&spec)).transpose()
    }

    /// Every specification by id; of one venue, or with a text in id or name, when asked.
    pub async fn instruments(&self, venue: Option<&str>, query: Option<&str>) -> Result<Vec<Instrument>> {
        let specs: Vec<String> = reading!(self.db(), |pool, sql| {
            sqlx::query_scalar(sql("SELECT spec::text FROM instruments WHERE ($1 = '' OR venue = $1) ORDER BY id"))
                .bind(venue.unwrap_or_default().to_owned())
                .fetch_all(pool)
                .await
                .during("reading instruments")
        })?;
        let wanted = query.unwrap_or_default().to_lowercase();
        let mut found = specs.iter().map(|spec| parse(spec)).collect::<Result<Vec<_>>>()?;
        found.retain(|i| i.id.as_str().to_lowercase().contains(&wanted) || i.name.to_lowercase().contains(&wanted));
        Ok(found)
    }

    /// Forgets a specification; whether there was one. Its candles stay.
    pub async fn remove_instrument(&self, id: &InstrumentId) -> Result<bool> {
        writing!(self, "removing an instrument", |tx, sql| {
            sqlx::query(sql("DELETE FROM instruments WHERE id = $1"))
                .bind(id.as_str())
                .execute(&mut *tx)
                .await
                .during("removing an instrument")?
                .rows_affected()
                > 0
        })
    }
}

fn parse(spec: &str) -> Result<Instrument> {
    serde_json::from_str(spec).map_err(|error| StoreError::corrupt(format!("a stored instrument: {error}")))
}
