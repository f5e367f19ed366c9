//! What the tasks and services of a node share.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cw_api::ApiError;
use cw_core::{Clock, Instrument, InstrumentId, Timestamp};
use cw_engine::runtime::{EngineHandle, Published, Stopped, Supervisor};
use cw_store::Store;
use cw_venues::sim::SimProvider;
use parking_lot::{Mutex, RwLock};
use tokio::sync::broadcast;

use crate::logs::LogRing;
use crate::timings::Timings;
use crate::venues::Venues;

/// Committed batches that a slow listener may be behind before it has to take a new snapshot.
const BUS: usize = 1_024;

/// Everything that happened, in committed batches. A listener that falls behind is told how many it missed.
#[derive(Debug, Clone)]
pub(crate) struct Bus(broadcast::Sender<Arc<Published>>);

impl Bus {
    pub fn new() -> Self {
        Self(broadcast::channel(BUS).0)
    }
    pub fn publish(&self, batch: Arc<Published>) {
        // Nobody listening is fine.
        let _listeners = self.0.send(batch);
    }
    pub fn listen(&self) -> broadcast::Receiver<Arc<Published>> {
        self.0.subscribe()
    }
}

/// The engine's instruments by number. They stay as they are while the engine runs; more may come.
#[derive(Debug)]
pub(crate) struct Directory {
    instruments: RwLock<Vec<Arc<Instrument>>>,
}

impl Directory {
    pub fn new(instruments: Vec<Instrument>) -> Self {
        Self { instruments: RwLock::new(instruments.into_iter().map(Arc::new).collect()) }
    }
    pub fn instrument(&self, number: u32) -> Option<Arc<Instrument>> {
        self.instruments.read().get(number as usize).cloned()
    }
    pub fn number(&self, id: &InstrumentId) -> Option<u32> {
        self.instruments.read().iter().position(|i| i.id == *id).map(|n| n as u32)
    }
    pub fn instruments(&self) -> Vec<Arc<Instrument>> {
        self.instruments.read().clone()
    }
    /// Under its number in the engine; what stood between is the engine's as well.
    pub fn add(&self, engines: &[Instrument]) {
        let mut known = self.instruments.write();
        let new = engines.iter().skip(known.len()).cloned().map(Arc::new);
        known.extend(new.collect::<Vec<_>>());
    }
}

/// Counters that the status bar and the metrics read.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Market events taken in.
    pub market_events: AtomicU64,
    /// Subscribers that were too slow and began again with a snapshot, and the batches that they missed.
    pub left_behind: AtomicU64,
    pub missed_batches: AtomicU64,
    /// Journal blocks and entries written since start, and the time spent writing, in microseconds.
    pub blocks: AtomicU64,
    pub entries: AtomicU64,
    pub commit_us: AtomicU64,
    pub timings: Timings,
    pub last_event_ns: std::sync::atomic::AtomicI64,
    /// The newest journal record that was published, and the newest that the tables have.
    pub recorded: AtomicU64,
    /// The newest journal entry that was published.
    pub published: AtomicU64,
    pub projected: AtomicU64,
}

impl Counters {
    pub fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::Relaxed);
    }
}

pub(crate) struct Shared {
    pub store: Store,
    pub engine: EngineHandle,
    pub clock: Arc<dyn Clock>,
    pub supervisor: Supervisor,
    pub directory: Arc<Directory>,
    pub bus: Bus,
    /// The simulated market, when it is on. History is served from it even when it is not streaming.
    pub sim: Arc<SimProvider>,
    /// Those behind a network that are switched on.
    pub venues: Venues,
    pub recorder: crate::recorder::Recorder,
    pub data_dir: PathBuf,
    pub logs: LogRing,
    pub counters: Arc<Counters>,
    pub started_at: Timestamp,
    /// `mock.speed` as configured.
    pub mock_speed: Mutex<f64>,
    /// Market data and brokers run.
    pub live: bool,
    pub read_only: bool,
}

impl Shared {
    /// Waits until the tables have what the engine had before this call, so that who has just seen an order as filled also
    /// finds its fills in a list. Gives up after a second: a list that lacks the newest row is better than none.
    pub async fn tables_current(&self) {
        if self.read_only {
            return;
        }
        let counters = &self.counters;
        let Ok(made) = self.engine.read(cw_engine::Engine::seq).await else { return };
        let mut wanted = None;
        for _ in 0..200 {
            if wanted.is_none() && counters.published.load(Ordering::Acquire) >= made {
                wanted = Some(counters.recorded.load(Ordering::Acquire));
            }
            if wanted.is_some_and(|wanted| counters.projected.load(Ordering::Acquire) >= wanted) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// Refuses what would change something on a node that only reads.
    pub fn writable(&self) -> Result<(), ApiError> {
        if self.read_only {
            return Err(ApiError::unavailable("this program only reads here; start the engine to change anything"));
        }
        Ok(())
    }
}

/// The engine went away under a call: the program is shutting down.
pub(crate) fn stopped(_: Stopped) -> ApiError {
    ApiError::unavailable("the engine has stopped")
}

/// What became of a file that a caller named.
pub(crate) fn unreadable(field: &str, file: &str, error: &std::io::Error) -> ApiError {
    if error.kind() == std::io::ErrorKind::NotFound {
        ApiError::not_found(format!("file {file}")).with_field(field)
    } else {
        ApiError::invalid(field, format!("{file}: {error}"))
    }
}

/// What a failure of the store means to a caller.
pub(crate) fn storage(error: cw_store::StoreError) -> ApiError {
    use cw_store::StoreError as E;
    match error {
        E::NotFound { what } => ApiError::not_found(what),
        E::Invalid { .. } => ApiError::invalid("request", error.to_string()),
        E::Conflict { .. } => ApiError::conflict(error.to_string()),
        E::Unavailable { .. } => ApiError::unavailable(error.to_string()),
        other => ApiError::storage(other.to_string()),
    }
}
