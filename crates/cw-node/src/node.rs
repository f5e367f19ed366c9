//! Starting and stopping everything.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cw_api::Services;
use cw_core::{Clock, SystemClock};
use cw_engine::Command;
use cw_engine::journal::JournalError;
use cw_engine::replay::ReplayError;
use cw_engine::runtime::{self, Start, Supervisor};
use cw_execution::{FillModel, FillTiming, PaperBroker};
use cw_store::{Store, StoreConfig, StoreError, Tapes};
use cw_venues::sim::SimProvider;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::broker::{EFFECTS, PaperVenue, TICKS};
use crate::config::{NewsSources, NodeConfig};
use crate::host::NodeHost;
use crate::logs::LogRing;
use crate::recorder::Recorder;
use crate::services::market::mock::{SWITCH_KEY, Switch};
use crate::shared::{Bus, Counters, Directory, Shared};
use crate::venues::Venues;
use crate::{enforce, feed, projector, recovery, services, venues};

/// Batches that may wait for the tables.
const PROJECTIONS: usize = 16_384;
/// How long each step of stopping may take.
const STOP_STEP: Duration = Duration::from_secs(3);

#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the journal cannot be replayed: {0}")]
    Replay(#[from] ReplayError),
    #[error("the journal is damaged: {0}")]
    Journal(#[from] JournalError),
    #[error("{0}")]
    Setup(String),
    #[error("the engine thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// A running program without its surfaces.
pub struct Node {
    shared: Arc<Shared>,
    services: Arc<Services>,
}

impl Node {
    /// Opens a data directory and starts what `config` asks for. `logs` is the ring that the program's subscriber writes.
    pub async fn open(config: NodeConfig, logs: LogRing) -> Result<Self, NodeError> {
        Self::open_with_clock(config, logs, Arc::new(SystemClock)).await
    }

    pub async fn open_with_clock(config: NodeConfig, logs: LogRing, clock: Arc<dyn Clock>) -> Result<Self, NodeError> {
        let store_config = StoreConfig {
            data_dir: config.data_dir.clone(),
            url: config.settings.store.url.clone(),
            read_only: config.read_only,
        };
        let store = Store::open_with_clock(&store_config, Arc::clone(&clock)).await?;
        let accounts = config.settings.account_configs().map_err(NodeError::Setup)?;
        let probe = SimProvider::new(config.settings.mock.seed, Arc::clone(&clock), None);
        let instruments = cw_market::Provider::instruments(&probe);
        let recovered = recovery::recover(&store, instruments.clone(), accounts, &*clock).await?;
        if !config.read_only {
            recovery::catch_up(&store).await?;
            store.put_instruments(&instruments).await?;
            store.fail_interrupted_jobs().await?;
        }
        tracing::info!(target: "recovery", entries = recovered.engine.seq(), replayed = recovered.replayed, "the engine is recovered");
        let node = Self::start(config, store, recovered, logs, clock).await?;
        Ok(node)
    }

    async fn start(
        config: NodeConfig,
        store: Store,
        recovered: recovery::Recovered,
        logs: LogRing,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, NodeError> {
        let engine = recovered.engine;
        let resume = (engine.market_time() > cw_core::Timestamp::EPOCH).then(|| engine.market_time());
        let sim = Arc::new(SimProvider::new(config.settings.mock.seed, Arc::clone(&clock), resume));
        let kept = store.setting(SWITCH_KEY).await?;
        let (speed, paused) = Switch::start(kept.as_ref(), config.settings.mock.speed);
        sim.set_speed(speed.to_string().parse().map_err(|e| NodeError::Setup(format!("mock.speed: {e}")))?);
        sim.clock().set_paused(paused);
        let providers =
            Venues::new(&config.settings.venues, &config.settings.data.priority, &clock).map_err(NodeError::Setup)?;
        let directory = Arc::new(Directory::new(engine.instruments().iter().map(|i| i.instrument.clone()).collect()));
        let supervisor = Supervisor::new();
        let bus = Bus::new();
        let counters = Arc::new(Counters::default());
        let started_at = clock.now();
        let session = format!("{:x}", started_at.as_millis());
        let mut papers = Vec::new();
        let mut effect_queues = Vec::new();
        let opened = engine.accounts().len() as u32;
        let new = if config.read_only {
            Vec::new()
        } else {
            enforce::missing_accounts(&engine, &config.settings).map_err(NodeError::Setup)?
        };
        for account in 0..opened + new.len() as u32 {
            let mut broker = PaperBroker::new(fill_model(&config), &format!("S{session}"));
            let reports = if account < opened {
                recovery::hand_back(&engine, account, &directory, &mut broker)
            } else {
                Vec::new()
            };
            let (effects, queue) = mpsc::channel(EFFECTS);
            effect_queues.push(effects);
            papers.push((account, broker, reports, queue));
        }
        let (projections, projection_queue) = mpsc::channel(PROJECTIONS);
        let host = NodeHost {
            store: store.clone(),
            clock: Arc::clone(&clock),
            bus: bus.clone(),
            brokers: effect_queues,
            projections,
            counters: Arc::clone(&counters),
            read_only: config.read_only,
        };
        counters.published.store(engine.seq(), Ordering::Release);
        let start = Start { engine, previous_hash: recovered.head };
        let handle = runtime::start(start, host, Arc::clone(&clock), &supervisor)?;
        supervisor.spawn(
            "projector",
            projector::run(store.clone(), Arc::clone(&directory), Arc::clone(&counters), projection_queue),
        );
        let (recorder, recording) =
            Recorder::new(Tapes::new(&config.data_dir), &config.settings.recorder, Arc::clone(&clock));
        let shared = Arc::new(Shared {
            recorder,
            store,
            engine: handle.clone(),
            clock: Arc::clone(&clock),
            supervisor,
            directory: Arc::clone(&directory),
            bus,
            venues: providers,
            sim,
            mock_speed: Mutex::new(config.settings.mock.speed),
            live: config.live && !config.read_only && config.settings.mock.enabled,
            read_only: config.read_only,
            data_dir: config.data_dir.clone(),
            logs,
            counters,
            started_at,
        });
        for account in new {
            tracing::info!(target: "config", account = %account.id, "an account is opened");
            enforce::command(&shared, Command::OpenAccount(Box::new(account))).await.map_err(NodeError::Setup)?;
        }
        if !shared.read_only {
            enforce::tighten(&shared, &config.settings).await.map_err(NodeError::Setup)?;
        }
        let mut tick_queues = Vec::new();
        for (account, broker, reports, effects) in papers {
            for report in reports {
                // The engine has just started; it takes its first inputs from here.
                handle.report(account, report).await.map_err(|e| NodeError::Setup(e.to_string()))?;
            }
            let (ticks, tick_queue) = mpsc::channel(TICKS);
            tick_queues.push(ticks);
            let venue = PaperVenue {
                account,
                broker,
                directory: Arc::clone(&directory),
                engine: handle.clone(),
                clock: Arc::clone(&clock),
            };
            shared.supervisor.spawn("paper-venue", venue.run(effects, tick_queue));
        }
        let follows = config.live && !shared.read_only;
        let news = NewsSources::connect(&config.settings, &clock, follows).map_err(NodeError::Setup)?;
        if follows {
            let settings = &config.settings.recorder;
            settings.instruments.iter().filter(|_| settings.enabled).for_each(|id| shared.recorder.start(id));
            shared.supervisor.spawn("recorder", recording.run(shared.supervisor.token().clone()));
        }
        let services = services::build(&shared, news);
        let exports = config.settings.rag.live.clone();
        if let Some(file) = config.file.filter(|_| shared.live) {
            let watch = enforce::watch(Arc::clone(&shared), file, config.settings);
            shared.supervisor.spawn_until_stopped("config", watch);
        }
        if shared.live {
            shared.supervisor.spawn_until_stopped("feed", feed::run(Arc::clone(&shared), tick_queues.clone()));
        }
        if shared.live || (follows && !shared.venues.all().is_empty()) {
            shared.supervisor.spawn_until_stopped("timer", feed::tick(Arc::clone(&shared)));
            let exports = services::analysis::live::start_configured(Arc::clone(&services.analysis), exports);
            shared.supervisor.spawn_until_stopped("rag", exports);
        }
        if !shared.read_only && !shared.venues.all().is_empty() {
            shared.supervisor.spawn_until_stopped("quarantine", venues::keep_refused(Arc::clone(&shared)));
        }
        if follows {
            venues::follow_added(&shared).await?;
            for venue in shared.venues.all() {
                let keeping = venues::keep_current(Arc::clone(&shared), venue.provider.venue(), tick_queues.clone());
                shared.supervisor.spawn_until_stopped("venue", keeping);
            }
        }
        Ok(Self { shared, services })
    }

    /// What every surface calls.
    pub fn services(&self) -> Arc<Services> {
        Arc::clone(&self.services)
    }

    pub fn data_dir(&self) -> &Path {
        &self.shared.data_dir
    }

    pub fn supervisor(&self) -> &Supervisor {
        &self.shared.supervisor
    }

    #[cfg(test)]
    pub(crate) fn bus(&self) -> &Bus {
        &self.shared.bus
    }

    /// Stops in order: market data, engine and journal, tables, store. Each step has its time; what does not end in it is
    /// left behind and said so.
    pub async fn stop(&self) {
        self.shared.supervisor.stop();
        step("the engine", self.shared.engine.stop()).await;
        step("the tasks", self.shared.supervisor.wait()).await;
        if let Err(error) = self.shared.store.close().await {
            tracing::error!(target: "store", %error, "the store did not close cleanly");
        }
    }
}

async fn step(what: &str, work: impl Future<Output = ()>) {
    if tokio::time::timeout(STOP_STEP, work).await.is_err() {
        tracing::warn!(target: "shutdown", what, "did not stop in time");
    }
}

fn fill_model(config: &NodeConfig) -> FillModel {
    FillModel {
        timing: FillTiming::NextOpen,
        latency_ns: i64::from(config.settings.mock.latency_ms) * 1_000_000,
        reject_per_million: config.settings.mock.reject_per_million,
        seed: config.settings.mock.seed,
        ..FillModel::default()
    }
}
