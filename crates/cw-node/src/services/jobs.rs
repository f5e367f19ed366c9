//! Long work that goes on after its caller has been answered: listed, watched, canceled.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cw_api::ApiError;
use cw_api::commands::backtests::{self as api, FetchProgress};
use cw_store::{Job, JobState};
use parking_lot::Mutex;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::shared::{Shared, storage};

/// Jobs that may run at once; more wait in the caller's hands.
const MAX_RUNNING: usize = 8;

/// What a job tells of itself and is told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ticket {
    /// In millionths.
    progress: Arc<AtomicU64>,
    fetch: Arc<Mutex<Option<FetchProgress>>>,
    pub canceled: CancellationToken,
}

impl Ticket {
    /// From 0 to 1.
    pub fn report(&self, share: f64) {
        self.progress.store((share * 1e6) as u64, Ordering::Relaxed);
    }

    pub fn report_fetch(&self, fetch: FetchProgress) {
        let whole = fetch.to.nanos_since(fetch.from).max(1) as f64;
        self.report((fetch.done_to.nanos_since(fetch.from) as f64 / whole).clamp(0.0, 1.0));
        *self.fetch.lock() = Some(fetch);
    }

    fn share(&self) -> f64 {
        self.progress.load(Ordering::Relaxed) as f64 / 1e6
    }
}

/// What a job ends with: its result and, where two runs can be the same, the fingerprint.
pub(crate) type Outcome = Result<(Value, Option<String>), ApiError>;

pub(crate) struct Jobs {
    shared: Arc<Shared>,
    running: Arc<Mutex<HashMap<String, (Job, Ticket)>>>,
}

impl Jobs {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared, running: Arc::default() }
    }

    /// Refuses when there is no room for another one.
    pub fn check_room(&self) -> Result<(), ApiError> {
        self.shared.writable()?;
        if self.running.lock().len() >= MAX_RUNNING {
            return Err(ApiError::conflict(format!("{MAX_RUNNING} jobs are running; wait for one or cancel it")));
        }
        Ok(())
    }

    /// Writes the job down, begins it and answers with its id.
    pub async fn start<F>(
        &self,
        kind: &'static str,
        title: String,
        request: Value,
        work: impl FnOnce(Ticket) -> F,
    ) -> Result<String, ApiError>
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        self.check_room()?;
        let mut random = [0u8; 8];
        getrandom::fill(&mut random).map_err(ApiError::internal)?;
        let job = Job {
            id: format!("{}-{}", &kind[..2], hex::encode(random)),
            kind: kind.to_owned(),
            title,
            state: JobState::Running,
            request,
            result: None,
            fingerprint: None,
            error: None,
            created_at: self.shared.clock.now(),
            finished_at: None,
        };
        self.shared.store.put_job(&job).await.map_err(storage)?;
        // Who stops the program need not wait for the end of a fetch.
        let canceled = self.shared.supervisor.token().child_token();
        let (id, ticket) = (job.id.clone(), Ticket { canceled, ..Ticket::default() });
        self.running.lock().insert(id.clone(), (job.clone(), ticket.clone()));
        let (shared, running, canceled) =
            (Arc::clone(&self.shared), Arc::clone(&self.running), ticket.canceled.clone());
        let work = work(ticket);
        self.shared.supervisor.spawn(kind, async move {
            let outcome = work.await;
            let mut job = job;
            job.finished_at = Some(shared.clock.now());
            match outcome {
                Ok((result, fingerprint)) => {
                    job.state = JobState::Done;
                    job.result = Some(result);
                    job.fingerprint = fingerprint;
                }
                Err(_) if canceled.is_cancelled() => job.state = JobState::Canceled,
                Err(error) => {
                    job.state = JobState::Failed;
                    job.error = Some(error.message);
                }
            }
            if let Err(error) = shared.store.put_job(&job).await {
                tracing::error!(target: "jobs", %error, job = job.id, "the job's outcome could not be written");
            }
            running.lock().remove(&job.id);
        });
        Ok(id)
    }

    pub async fn list(&self, limit: u32) -> Result<api::JobList, ApiError> {
        let jobs = self.shared.store.jobs(None, limit).await.map_err(storage)?;
        let running = self.running.lock();
        Ok(api::JobList { jobs: jobs.iter().map(|job| view(job, running.get(&job.id).map(|(_, t)| t))).collect() })
    }

    pub async fn cancel(&self, id: &str) -> Result<api::Job, ApiError> {
        if let Some((job, ticket)) = self.running.lock().get(id) {
            ticket.canceled.cancel();
            return Ok(view(job, Some(ticket)));
        }
        match self.shared.store.job(id).await.map_err(storage)? {
            Some(job) => Err(ApiError::conflict(format!("job {} is {}", job.id, job.state.as_str()))),
            None => Err(ApiError::not_found(format!("job {id}"))),
        }
    }
}

fn view(job: &Job, ticket: Option<&Ticket>) -> api::Job {
    let over = job.state.is_over();
    let progress = ticket.map_or(0.0, Ticket::share);
    let fetch = ticket.and_then(|ticket| ticket.fetch.lock().clone());
    api::Job {
        id: job.id.clone(),
        kind: job.kind.clone(),
        title: job.title.clone(),
        state: match job.state {
            JobState::Queued => api::JobState::Queued,
            JobState::Running => api::JobState::Running,
            JobState::Done => api::JobState::Done,
            JobState::Failed => api::JobState::Failed,
            JobState::Canceled => api::JobState::Canceled,
        },
        progress: if over { 1.0 } else { progress },
        message: match (&job.error, &fetch, over) {
            (Some(error), ..) => error.clone(),
            (None, _, true) => "finished".to_owned(),
            (None, Some(fetch), false) => format!("{} candles, up to {}", fetch.candles, fetch.done_to),
            (None, None, false) => format!("{:.0} %", progress * 100.0),
        },
        started_at: job.created_at,
        finished_at: job.finished_at,
        error: job.error.clone(),
        fetch,
    }
}
