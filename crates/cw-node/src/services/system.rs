//! Health, metrics, connections, logs, audit, settings, workspaces, migrations.

mod connections;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use cw_api::commands::system::{self as api, Component, Health, HealthStatus, Metric};
use cw_api::{ApiError, Caller};
use cw_core::Timestamp;
use cw_market::{Provider as _, ProviderState};
use serde_json::Value;

use super::audit;
use crate::shared::{Shared, storage};
use crate::timings::Quantiles;

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The setting that names the workspace used last.
const LAST_WORKSPACE: &str = "workspace.last";
const DEFAULT_WORKSPACE: &str = "default";
/// Version of the layout documents that the screen writes.
const LAYOUT_VERSION: u32 = 1;
/// A market that sent nothing for this long is not well.
const SILENCE_NS: i64 = 15_000_000_000;

pub(crate) struct System {
    shared: Arc<Shared>,
}

impl System {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    fn uptime_ns(&self) -> i64 {
        self.shared.clock.now().nanos_since(self.shared.started_at)
    }

    fn feed(&self) -> (HealthStatus, String) {
        if !self.shared.live {
            return (HealthStatus::Ok, "off".to_owned());
        }
        let status = self.shared.sim.status();
        let age = status.last_event.map(|at| self.shared.sim.clock().now().nanos_since(at));
        let silent = age.is_none_or(|age| age > SILENCE_NS) && self.uptime_ns() > SILENCE_NS;
        let health = match status.state {
            ProviderState::Live if !silent || self.shared.sim.clock().is_paused() => HealthStatus::Ok,
            ProviderState::Connecting | ProviderState::Idle if !silent => HealthStatus::Ok,
            ProviderState::Down => HealthStatus::Down,
            _ => HealthStatus::Degraded,
        };
        (health, status.detail)
    }

    fn components(&self) -> Vec<Component> {
        let since = self.shared.started_at;
        let part = |name: &str, status, detail: String, parent: Option<&str>| Component {
            name: name.to_owned(),
            status,
            detail,
            since,
            parent: parent.map(str::to_owned),
        };
        let counters = &self.shared.counters;
        let (feed, feed_detail) = self.feed();
        let behind =
            counters.recorded.load(Ordering::Relaxed).saturating_sub(counters.projected.load(Ordering::Relaxed));
        let tables = if behind > 10_000 { HealthStatus::Degraded } else { HealthStatus::Ok };
        let depth = self.shared.engine.queue_depth();
        let engine = if depth > 8_192 { HealthStatus::Degraded } else { HealthStatus::Ok };
        let halted = self.shared.engine.is_halted();
        let mut components = vec![
            part("engine", engine, format!("{VERSION} · {depth} inputs waiting"), None),
            part(
                "journal",
                HealthStatus::Ok,
                format!("{} blocks since start", counters.blocks.load(Ordering::Relaxed)),
                Some("engine"),
            ),
            part("database", tables, self.shared.store.backend().to_owned(), None),
            part("market_data", feed, feed_detail.clone(), None),
            part("simulated_market", feed, feed_detail, Some("market_data")),
            part(
                "execution",
                if halted { HealthStatus::Degraded } else { HealthStatus::Ok },
                if halted { "trading is halted".to_owned() } else { "paper".to_owned() },
                None,
            ),
        ];
        components.extend(self.venue_components());
        components
    }
}

fn worst(components: &[Component]) -> HealthStatus {
    let mut status = HealthStatus::Ok;
    for component in components {
        match (component.status, status) {
            (HealthStatus::Down, _) => return HealthStatus::Down,
            (HealthStatus::Degraded, HealthStatus::Ok) => status = HealthStatus::Degraded,
            _ => {}
        }
    }
    status
}

impl System {
    fn counters(&self) -> Vec<(&'static str, &'static str, f64)> {
        let c = &self.shared.counters;
        let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed) as f64;
        vec![
            ("candlewick_market_events_total", "Market events taken in", read(&c.market_events)),
            (
                "candlewick_subscribers_left_behind_total",
                "Subscribers that began again with a snapshot",
                read(&c.left_behind),
            ),
            ("candlewick_missed_batches_total", "Batches that slow subscribers missed", read(&c.missed_batches)),
            ("candlewick_journal_blocks_total", "Journal blocks written", read(&c.blocks)),
            ("candlewick_journal_entries_total", "Journal entries written", read(&c.entries)),
            ("candlewick_journal_commit_seconds_total", "Time spent writing the journal", read(&c.commit_us) / 1e6),
        ]
    }

    fn gauges(&self) -> Vec<(&'static str, &'static str, f64)> {
        let c = &self.shared.counters;
        let now = self.shared.sim.clock().now();
        let last = c.last_event_ns.load(Ordering::Relaxed);
        let age = if last == 0 { f64::NAN } else { now.nanos_since(Timestamp::from_nanos(last)) as f64 / 1e9 };
        let behind = c.recorded.load(Ordering::Relaxed).saturating_sub(c.projected.load(Ordering::Relaxed));
        let up = match worst(&self.components()) {
            HealthStatus::Ok => 1.0,
            HealthStatus::Degraded => 0.5,
            HealthStatus::Down => 0.0,
        };
        vec![
            ("candlewick_up", "1 well, 0.5 degraded, 0 down", up),
            ("candlewick_uptime_seconds", "Since the program started", self.uptime_ns() as f64 / 1e9),
            (
                "candlewick_engine_queue_depth",
                "Inputs that wait for the engine",
                self.shared.engine.queue_depth() as f64,
            ),
            ("candlewick_tables_behind_entries", "Journal entries that the tables lack", behind as f64),
            ("candlewick_market_data_age_seconds", "Since the newest market event", age),
            (
                "candlewick_trading_halted",
                "1 while the kill switch is on",
                f64::from(u8::from(self.shared.engine.is_halted())),
            ),
        ]
    }
}

/// A histogram as the command shows it, in milliseconds.
fn histogram((name, _, command, q): (&'static str, &'static str, Option<&'static str>, Quantiles)) -> api::Histogram {
    let ms = |us: u64| us as f64 / 1e3;
    api::Histogram {
        name: name.replace("_seconds", ""),
        labels: command.map(|command| ("command".to_owned(), command.to_owned())).into_iter().collect(),
        unit: "ms".to_owned(),
        count: q.count,
        sum: ms(q.sum_us),
        p50: ms(q.p50_us),
        p95: ms(q.p95_us),
        p99: ms(q.p99_us),
        max: ms(q.max_us),
    }
}

#[async_trait]
impl cw_api::services::System for System {
    fn status(&self) -> HealthStatus {
        worst(&self.components())
    }

    fn prometheus(&self) -> String {
        let mut text = String::new();
        let series =
            self.counters().into_iter().map(|m| (m, "counter")).chain(self.gauges().into_iter().map(|m| (m, "gauge")));
        for ((name, help, value), kind) in series {
            if value.is_nan() {
                continue;
            }
            writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}")
                .expect("writing to a string cannot fail");
        }
        let mut described = "";
        for (name, help, command, q) in self.shared.counters.timings.all() {
            if name != described {
                writeln!(text, "# HELP {name} {help}\n# TYPE {name} summary").expect("writing to a string cannot fail");
                described = name;
            }
            let label = command.map_or_else(String::new, |command| format!("command=\"{command}\","));
            for (quantile, us) in [("0.5", q.p50_us), ("0.95", q.p95_us), ("0.99", q.p99_us)] {
                writeln!(text, "{name}{{{label}quantile=\"{quantile}\"}} {}", us as f64 / 1e6)
                    .expect("writing to a string cannot fail");
            }
            let label = label.strip_suffix(',').map_or_else(String::new, |label| format!("{{{label}}}"));
            writeln!(text, "{name}_sum{label} {}\n{name}_count{label} {}", q.sum_us as f64 / 1e6, q.count)
                .expect("writing to a string cannot fail");
        }
        text
    }

    async fn health(&self, _: &Caller, _: api::GetHealth) -> Result<Health, ApiError> {
        let mut components = self.components();
        if let Err(error) = self.shared.store.ping().await {
            for component in &mut components {
                if component.name == "database" {
                    component.status = HealthStatus::Down;
                    component.detail = error.to_string();
                }
            }
        }
        Ok(Health {
            status: worst(&components),
            version: VERSION.to_owned(),
            uptime_s: u64::try_from(self.uptime_ns() / 1_000_000_000).unwrap_or(0),
            components,
        })
    }

    async fn metrics(&self, _: &Caller, _: api::GetMetrics) -> Result<api::Metrics, ApiError> {
        let metric =
            |(name, _, value): (&str, &str, f64)| Metric { name: name.to_owned(), labels: BTreeMap::new(), value };
        let known = |m: &(&str, &str, f64)| !m.2.is_nan();
        Ok(api::Metrics {
            counters: self.counters().into_iter().filter(known).map(metric).collect(),
            gauges: self.gauges().into_iter().filter(known).map(metric).collect(),
            histograms: self.shared.counters.timings.all().into_iter().map(histogram).collect(),
        })
    }

    async fn list_connections(&self, _: &Caller, _: api::ListConnections) -> Result<api::ConnectionList, ApiError> {
        Ok(api::ConnectionList { connections: self.connections() })
    }

    async fn restart_connection(
        &self,
        _: &Caller,
        request: api::RestartConnection,
    ) -> Result<api::Connection, ApiError> {
        self.restart(&request.venue)
    }

    async fn list_logs(&self, _: &Caller, request: api::ListLogs) -> Result<api::LogList, ApiError> {
        let limit = request.limit.unwrap_or(200).min(2_000) as usize;
        Ok(api::LogList { logs: self.shared.logs.list(request.level, request.text.as_deref(), limit) })
    }

    async fn list_audit(&self, _: &Caller, request: api::ListAudit) -> Result<api::AuditList, ApiError> {
        let limit = request.limit.unwrap_or(200).min(2_000);
        let mut rows = Vec::new();
        let mut before = None;
        // A filter by command may need more than one page.
        while rows.len() < limit as usize {
            let page = self.shared.store.audit_log(500, before).await.map_err(storage)?;
            let Some(last) = page.last() else { break };
            before = Some(last.number);
            let wanted = |row: &cw_store::AuditRow| request.command.as_ref().is_none_or(|c| row.entry.command == *c);
            rows.extend(page.into_iter().filter(wanted).map(audit::view));
        }
        rows.truncate(limit as usize);
        Ok(api::AuditList { rows })
    }

    async fn get_setting(&self, _: &Caller, request: api::GetSetting) -> Result<api::Setting, ApiError> {
        let value = self.shared.store.setting(&request.key).await.map_err(storage)?;
        Ok(api::Setting { key: request.key, value: value.unwrap_or(Value::Null) })
    }

    async fn set_setting(&self, _: &Caller, request: api::SetSetting) -> Result<api::Setting, ApiError> {
        self.shared.writable()?;
        self.shared.store.set_setting(&request.key, &request.value).await.map_err(storage)?;
        Ok(api::Setting { key: request.key, value: request.value })
    }

    async fn get_workspace(&self, _: &Caller, request: api::GetWorkspace) -> Result<api::Workspace, ApiError> {
        let name = match request.name {
            Some(name) => name,
            None => match self.shared.store.setting(LAST_WORKSPACE).await.map_err(storage)? {
                Some(Value::String(name)) => name,
                _ => DEFAULT_WORKSPACE.to_owned(),
            },
        };
        let found = self.shared.store.workspace(&name, None).await.map_err(storage)?;
        Ok(match found {
            Some(w) => api::Workspace {
                name: w.name,
                layout: w.layout,
                schema_version: w.schema_version,
                revision: u64::from(w.revision),
            },
            None => api::Workspace { name, layout: Value::Null, schema_version: LAYOUT_VERSION, revision: 0 },
        })
    }

    async fn save_workspace(&self, _: &Caller, request: api::SaveWorkspace) -> Result<api::Workspace, ApiError> {
        self.shared.writable()?;
        let base = request.base_revision.and_then(|r| u32::try_from(r).ok());
        let store = &self.shared.store;
        let revision =
            store.save_workspace(&request.name, &request.layout, LAYOUT_VERSION, base).await.map_err(storage)?;
        store.set_setting(LAST_WORKSPACE, &Value::String(request.name.clone())).await.map_err(storage)?;
        Ok(api::Workspace {
            name: request.name,
            layout: request.layout,
            schema_version: LAYOUT_VERSION,
            revision: u64::from(revision),
        })
    }

    async fn migrate(&self, _: &Caller, request: api::MigrateDatabase) -> Result<api::MigrationStatus, ApiError> {
        let store = &self.shared.store;
        match request.action {
            api::MigrateAction::Status => {}
            api::MigrateAction::Up => {
                self.shared.writable()?;
                store.migrate_up().await.map_err(storage)?;
            }
            api::MigrateAction::Down => {
                self.shared.writable()?;
                if self.shared.live {
                    return Err(ApiError::conflict("stop the engine first; its tables are in use"));
                }
                let applied: Vec<i64> = store
                    .migration_status()
                    .await
                    .map_err(storage)?
                    .iter()
                    .filter(|m| m.applied)
                    .map(|m| m.version)
                    .collect();
                let target = applied.iter().rev().nth(1).copied().unwrap_or(0);
                store.migrate_down(target).await.map_err(storage)?;
            }
        }
        let status = store.migration_status().await.map_err(storage)?;
        Ok(api::MigrationStatus {
            backend: store.backend().to_owned(),
            version: status.iter().filter(|m| m.applied).map(|m| m.version).max().unwrap_or(0),
            migrations: status
                .into_iter()
                .map(|m| api::Migration { version: m.version, name: m.description, applied: m.applied })
                .collect(),
        })
    }
}
