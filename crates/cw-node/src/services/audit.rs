//! Where calls are recorded: in the store's hash chain when they must outlive the program, in memory otherwise.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use cw_api::commands::system::AuditRow;
use cw_api::services::AuditLog;
use cw_api::{ApiError, find};
use cw_store::AuditEntry;
use parking_lot::Mutex;

use crate::shared::{Shared, storage};

/// Calls kept in memory.
const RECENT: usize = 1_000;

pub(crate) struct Audit {
    shared: Arc<Shared>,
    recent: Mutex<VecDeque<AuditRow>>,
}

impl Audit {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared, recent: Mutex::default() }
    }
}

#[async_trait]
impl AuditLog for Audit {
    async fn record(&self, row: AuditRow) -> Result<(), ApiError> {
        tracing::debug!(target: "audit", trace_id = row.trace_id, command = row.command, outcome = row.outcome,
            actor = row.actor, duration_us = row.duration_us, "called");
        self.shared.counters.timings.call(&row.command, row.duration_us);
        if row.is_durable() && !self.shared.read_only {
            let entry = AuditEntry {
                journal_seq: None,
                time: row.time,
                actor: row.actor.clone(),
                surface: row.surface.as_str().to_owned(),
                command: row.command.clone(),
                outcome: row.outcome.clone(),
                trace_id: row.trace_id.clone(),
                detail: serde_json::json!({
                    "request": row.request, "message": row.message, "duration_us": row.duration_us,
                }),
            };
            return self.shared.store.append_audit(&[entry]).await.map_err(storage);
        }
        let mut recent = self.recent.lock();
        if recent.len() == RECENT {
            recent.pop_front();
        }
        recent.push_back(row);
        Ok(())
    }
}

/// A stored row as the command shows it.
pub(super) fn view(row: cw_store::AuditRow) -> AuditRow {
    let entry = row.entry;
    let known = find(&entry.command);
    AuditRow {
        time: entry.time,
        trace_id: entry.trace_id,
        actor: entry.actor,
        surface: serde_json::from_value(entry.surface.into()).unwrap_or(cw_core::Surface::Engine),
        access: known.map_or(cw_api::Access::Read, |e| e.access),
        risk: known.map_or(cw_api::Risk::None, |e| e.risk),
        command: entry.command,
        request: entry.detail.get("request").cloned().unwrap_or_default(),
        outcome: entry.outcome,
        message: entry.detail.get("message").and_then(|m| m.as_str()).map(str::to_owned),
        duration_us: entry.detail.get("duration_us").and_then(serde_json::Value::as_u64).unwrap_or(0),
    }
}
