//! Settings by key, and screen layouts with their history.

use cw_core::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sqlx::Row;

use crate::db::{reading, writing};
use crate::error::{During, Result, StoreError};
use crate::open::Store;

/// Revisions of a workspace that can be gone back to.
pub const WORKSPACE_REVISIONS: i64 = 20;

/// A screen layout as it was saved once.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Workspace {
    pub name: String,
    /// 1 for the first save, then one more each time.
    pub revision: u32,
    /// Which layout format it is in; the UI migrates older ones.
    pub schema_version: u32,
    pub layout: Value,
    pub saved_at: Timestamp,
}

impl Store {
    /// The setting's value, `None` when it was never set.
    pub async fn setting(&self, key: &str) -> Result<Option<Value>> {
        const WHAT: &str = "reading a setting";
        let text: Option<String> = reading!(self.db(), |pool, sql| {
            sqlx::query_scalar(sql("SELECT value::text FROM settings WHERE key = $1"))
                .bind(key)
                .fetch_optional(pool)
                .await
                .during(WHAT)
        })?;
        text.map(|text| parse_json(&text, "a setting")).transpose()
    }

    /// Every setting, by key.
    pub async fn settings(&self) -> Result<Vec<(String, Value)>> {
        const WHAT: &str = "reading the settings";
        reading!(self.db(), |pool, sql| {
            let rows = sqlx::query(sql("SELECT key, value::text FROM settings ORDER BY key"))
                .fetch_all(pool)
                .await
                .during(WHAT)?;
            rows.iter()
                .map(|row| {
                    let text: String = row.try_get(1).during(WHAT)?;
                    Ok((row.try_get(0).during(WHAT)?, parse_json(&text, "a setting")?))
                })
                .collect()
        })
    }

    pub async fn set_setting(&self, key: &str, value: &Value) -> Result<()> {
        let (text, now) = (value.to_string(), self.now().as_nanos());
        writing!(self, "writing a setting", |tx, sql| {
            sqlx::query(sql("INSERT INTO settings (key, value, updated_at) VALUES ($1, $2::jsonb, $3) \
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at"))
            .bind(key)
            .bind(&text)
            .bind(now)
            .execute(&mut *tx)
            .await
            .during("writing a setting")?;
        })
    }

    /// Forgets a setting; whether there was one.
    pub async fn remove_setting(&self, key: &str) -> Result<bool> {
        writing!(self, "removing a setting", |tx, sql| {
            sqlx::query(sql("DELETE FROM settings WHERE key = $1"))
                .bind(key)
                .execute(&mut *tx)
                .await
                .during("removing a setting")?
                .rows_affected()
                > 0
        })
    }

    /// The newest revision of a workspace, or the one asked for; `None` when there is no such workspace or revision.
    pub async fn workspace(&self, name: &str, revision: Option<u32>) -> Result<Option<Workspace>> {
        const WHAT: &str = "reading a workspace";
        reading!(self.db(), |pool, sql| {
            let row = sqlx::query(sql("SELECT revision, schema_version, layout::text, saved_at FROM workspaces \
                 WHERE name = $1 AND ($2 = 0 OR revision = $2) ORDER BY revision DESC LIMIT 1"))
            .bind(name)
            .bind(i64::from(revision.unwrap_or(0)))
            .fetch_optional(pool)
            .await
            .during(WHAT)?;
            row.map(|row| {
                let layout: String = row.try_get(2).during(WHAT)?;
                Ok(Workspace {
                    name: name.to_owned(),
                    revision: row.try_get::<i64, _>(0).during(WHAT)? as u32,
                    schema_version: row.try_get::<i64, _>(1).during(WHAT)? as u32,
                    layout: parse_json(&layout, "a workspace")?,
                    saved_at: Timestamp::from_nanos(row.try_get(3).during(WHAT)?),
                })
            })
            .transpose()
        })
    }

    /// Names of the saved workspaces with their newest revision.
    pub async fn workspaces(&self) -> Result<Vec<(String, u32)>> {
        const WHAT: &str = "listing workspaces";
        reading!(self.db(), |pool, sql| {
            let rows = sqlx::query(sql("SELECT name, max(revision) FROM workspaces GROUP BY name ORDER BY name"))
                .fetch_all(pool)
                .await
                .during(WHAT)?;
            rows.iter()
                .map(|row| Ok((row.try_get(0).during(WHAT)?, row.try_get::<i64, _>(1).during(WHAT)? as u32)))
                .collect()
        })
    }

    /// Saves a workspace as a new revision and returns its number; the oldest beyond [`WORKSPACE_REVISIONS`] are dropped.
    ///
    /// With `based_on`, [`StoreError::Conflict`] when somebody saved another revision meanwhile (0 = there is none yet).
    pub async fn save_workspace(
        &self,
        name: &str,
        layout: &Value,
        schema_version: u32,
        based_on: Option<u32>,
    ) -> Result<u32> {
        const WHAT: &str = "saving a workspace";
        let (text, now) = (layout.to_string(), self.now().as_nanos());
        writing!(self, "saving a workspace", |tx, sql| {
            let last: i64 =
                sqlx::query_scalar(sql("SELECT coalesce(max(revision), 0) FROM workspaces WHERE name = $1"))
                    .bind(name)
                    .fetch_one(&mut *tx)
                    .await
                    .during(WHAT)?;
            if let Some(expected) = based_on
                && i64::from(expected) != last
            {
                return Err(StoreError::conflict(format!(
                    "workspace \"{name}\" is at revision {last}, not {expected}: it was saved elsewhere"
                )));
            }
            sqlx::query(sql("INSERT INTO workspaces (name, revision, schema_version, layout, saved_at) \
                 VALUES ($1, $2, $3, $4::jsonb, $5)"))
            .bind(name)
            .bind(last + 1)
            .bind(i64::from(schema_version))
            .bind(&text)
            .bind(now)
            .execute(&mut *tx)
            .await
            .during(WHAT)?;
            sqlx::query(sql("DELETE FROM workspaces WHERE name = $1 AND revision <= $2"))
                .bind(name)
                .bind(last + 1 - WORKSPACE_REVISIONS)
                .execute(&mut *tx)
                .await
                .during(WHAT)?;
            (last + 1) as u32
        })
    }
}

pub(crate) fn parse_json(text: &str, what: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| StoreError::corrupt(format!("{what} is not JSON: {error}")))
}
