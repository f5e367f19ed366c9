//! How the program is doing: jobs, health, log lines, figures.

use std::sync::atomic::Ordering;
use std::time::Duration;

use cw_api::ApiError;
use cw_api::commands::backtests::{Job, ListJobs};
use cw_api::commands::strategies::{RunningStrategies, StrategyState};
use cw_api::commands::system::{GetHealth, LogLine};
use cw_api::services::{Backtests as _, System as _, Trading as _};
use cw_api::stream::{AutomationStats, Stats, Update, UpdateData};
use cw_core::Timestamp;
use cw_engine::runtime::Published;
use futures_util::Stream;
use futures_util::stream;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use super::Sources;
use super::feed::{Feed, delta, snapshot};

/// Log lines shown when a subscription begins.
const LINES_SHOWN: usize = 500;
/// How long log lines may gather: a burst becomes one update.
const GATHER_LINES: Duration = Duration::from_millis(100);
/// Latencies that the 99th percentile is taken of.
const LATENCIES: usize = 4_096;

/// Jobs. Their progress is not published anywhere, so it is looked at.
pub(super) struct Jobs {
    sources: Sources,
    shown: Vec<Job>,
}

impl Jobs {
    pub const fn new(sources: Sources) -> Self {
        Self { sources, shown: Vec::new() }
    }

    async fn list(&self) -> Result<Vec<Job>, ApiError> {
        Ok(self.sources.backtests.list_jobs(&self.sources.caller, ListJobs { limit: None }).await?.jobs)
    }
}

impl Feed for Jobs {
    fn period(&self) -> Duration {
        Duration::from_millis(500)
    }

    fn polls(&self) -> bool {
        true
    }

    async fn snapshot(&mut self) -> Result<UpdateData, ApiError> {
        self.shown = self.list().await?;
        Ok(UpdateData::Jobs(self.shown.clone()))
    }

    fn absorb(&mut self, _: &Published) -> bool {
        false
    }

    async fn delta(&mut self) -> Result<Option<Update>, ApiError> {
        let list = self.list().await?;
        // Newest first in the list, oldest first in updates.
        let changed: Vec<Job> = list.iter().rev().filter(|job| !self.shown.contains(job)).cloned().collect();
        self.shown = list;
        Ok((!changed.is_empty()).then(|| delta(UpdateData::Jobs(changed))))
    }
}

pub(super) struct HealthOf {
    sources: Sources,
}

impl HealthOf {
    pub const fn new(sources: Sources) -> Self {
        Self { sources }
    }
}

impl Feed for HealthOf {
    fn period(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn polls(&self) -> bool {
        true
    }

    async fn snapshot(&mut self) -> Result<UpdateData, ApiError> {
        Ok(UpdateData::Health(self.sources.system.health(&self.sources.caller, GetHealth {}).await?))
    }

    fn absorb(&mut self, _: &Published) -> bool {
        false
    }

    async fn delta(&mut self) -> Result<Option<Update>, ApiError> {
        Ok(Some(snapshot(self.snapshot().await?)))
    }
}

/// Log lines: those in memory, oldest first, then new ones.
pub(super) fn logs(sources: Sources) -> impl Stream<Item = Update> + Send + 'static {
    let lines = sources.shared.logs.listen();
    stream::unfold((sources, lines, true), |(sources, mut lines, mut lost)| async move {
        let update = if lost { None } else { more_lines(&mut lines).await? };
        let update = update.unwrap_or_else(|| {
            // Lines that waited are in memory as well.
            lines = lines.resubscribe();
            let mut shown = sources.shared.logs.list(None, None, LINES_SHOWN);
            shown.reverse();
            snapshot(UpdateData::Logs(shown))
        });
        lost = false;
        Some((update, (sources, lines, lost)))
    })
}

/// The lines of the next moment in which there are some; `Some(None)` when some were missed, `None` at the end.
async fn more_lines(lines: &mut Receiver<LogLine>) -> Option<Option<Update>> {
    let mut new = match lines.recv().await {
        Ok(line) => vec![line],
        Err(RecvError::Lagged(_)) => return Some(None),
        Err(RecvError::Closed) => return None,
    };
    tokio::time::sleep(GATHER_LINES).await;
    loop {
        match lines.try_recv() {
            Ok(line) => new.push(line),
            Err(TryRecvError::Lagged(_)) => return Some(None),
            Err(TryRecvError::Empty | TryRecvError::Closed) => return Some(Some(delta(UpdateData::Logs(new)))),
        }
    }
}

/// The newest latencies, in milliseconds.
#[derive(Debug, Default)]
struct Latencies {
    ring: Vec<f32>,
    next: usize,
}

impl Latencies {
    fn add(&mut self, ms: f32) {
        if self.ring.len() < LATENCIES {
            self.ring.push(ms);
        } else {
            self.ring[self.next] = ms;
            self.next = (self.next + 1) % LATENCIES;
        }
    }

    /// What 99 of 100 stay below; 0 without any.
    fn p99(&self) -> f64 {
        if self.ring.is_empty() {
            return 0.0;
        }
        let mut all = self.ring.clone();
        let place = (all.len() * 99).div_ceil(100).saturating_sub(1);
        let (_, value, _) = all.select_nth_unstable_by(place, f32::total_cmp);
        f64::from(*value)
    }
}

/// Figures of the status bar.
pub(super) struct StatsOf {
    sources: Sources,
    /// This process in the system's list of processes, where the system has one.
    process: Option<(sysinfo::System, Pid)>,
    latencies: Latencies,
    /// Market events counted so far, and when that was.
    counted: (u64, Timestamp),
}

impl StatsOf {
    pub fn new(sources: Sources) -> Self {
        let counted = (sources.shared.counters.market_events.load(Ordering::Relaxed), sources.shared.clock.now());
        let process = sysinfo::System::new().ok().zip(sysinfo::get_current_pid().ok());
        Self { sources, process, latencies: Latencies::default(), counted }
    }

    /// Share of one core and megabytes of this process; zero where the system does not tell.
    fn usage(&mut self) -> (f64, f64) {
        let Some((system, pid)) = &mut self.process else { return (0.0, 0.0) };
        let kind = ProcessRefreshKind::nothing().with_cpu().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[*pid]), true, kind);
        let process = system.process(*pid);
        process.map_or((0.0, 0.0), |p| (f64::from(p.cpu_usage()) / 100.0, p.memory() as f64 / 1e6))
    }

    async fn read(&mut self) -> Result<Stats, ApiError> {
        let shared = &self.sources.shared;
        let (events, now) = (shared.counters.market_events.load(Ordering::Relaxed), shared.clock.now());
        let seconds = now.nanos_since(self.counted.1) as f64 / 1e9;
        let messages_per_s = if seconds > 0.0 { events.saturating_sub(self.counted.0) as f64 / seconds } else { 0.0 };
        self.counted = (events, now);
        let queue_depth = shared.engine.queue_depth() as u32;
        let running = self.sources.trading.running_strategies(&self.sources.caller, RunningStrategies {}).await?;
        let count =
            |wanted: &[StrategyState]| running.strategies.iter().filter(|s| wanted.contains(&s.state)).count() as u32;
        let automation = AutomationStats {
            running: count(&[StrategyState::Running, StrategyState::Warming]),
            paused: count(&[StrategyState::Paused]),
        };
        let (cpu, memory_mb) = self.usage();
        Ok(Stats {
            messages_per_s,
            event_to_screen_p99_ms: self.latencies.p99(),
            cpu,
            memory_mb,
            queue_depth,
            automation,
        })
    }
}

impl Feed for StatsOf {
    fn period(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn polls(&self) -> bool {
        true
    }

    async fn snapshot(&mut self) -> Result<UpdateData, ApiError> {
        Ok(UpdateData::Stats(self.read().await?))
    }

    /// From the moment an event happened to the moment a subscriber is told of it: provider, engine, journal and bus. What
    /// the screen needs after that is the screen's to measure.
    ///
    /// Event times are market time, which runs faster or slower than ours.
    fn absorb(&mut self, batch: &Published) -> bool {
        let clock = self.sources.shared.sim.clock();
        let now = clock.now();
        let speed: f64 = clock.speed().to_string().trim_end_matches('x').parse().unwrap_or(1.0);
        for (_, trade) in &batch.trades {
            self.latencies.add((now.nanos_since(trade.event_time).max(0) as f64 / speed / 1e6) as f32);
        }
        false
    }

    async fn delta(&mut self) -> Result<Option<Update>, ApiError> {
        Ok(Some(snapshot(UpdateData::Stats(self.read().await?))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_hundredth_is_left_out() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.p99(), 0.0);
        for ms in 1..=200 {
            latencies.add(ms as f32);
        }
        assert_eq!(latencies.p99(), 198.0);
        for _ in 0..LATENCIES {
            latencies.add(3.0);
        }
        assert_eq!(latencies.p99(), 3.0, "old ones are forgotten");
    }
}
