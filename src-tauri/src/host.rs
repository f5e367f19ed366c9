//! The engine behind the window. Both start at the same time, so a call that comes early waits for the engine instead
//! of failing.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cw_api::stream::{Topic, Update, UpdateData, UpdateKind};
use cw_api::{ApiError, Caller, Context, Output, TraceId, dispatch};
use cw_core::Surface;
use futures_util::StreamExt as _;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::to_raw_value;
use tokio::sync::{mpsc, watch};

use crate::engine::{Engine, Settings};
use crate::stream::{self, Outlet};

/// Stopping has this long for everything: open orders as the user chose, the journal, the store.
const STOP_DEADLINE: Duration = Duration::from_secs(9);

const STOPPING: &str = "the engine is stopping";

/// How far the engine has come.
enum Phase {
    Starting,
    Ready(Arc<Engine>),
    /// It did not start: what every call answers.
    Failed(ApiError),
    Stopped,
}

/// The shell's handle on the engine.
pub struct Host {
    phase: watch::Sender<Phase>,
}

impl Host {
    pub fn new() -> Self {
        Self { phase: watch::Sender::new(Phase::Starting) }
    }

    /// Starts the engine and answers whether it runs. Call once.
    pub async fn start(&self, settings: Settings) -> bool {
        let phase = match Engine::start(settings).await {
            Ok(engine) => Phase::Ready(Arc::new(engine)),
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "the engine did not start");
                let message = format!("the engine did not start: {error:#}");
                Phase::Failed(ApiError::unavailable(message).with_retryable(false))
            }
        };
        let ready = matches!(phase, Phase::Ready(_));
        // Stopped in the meantime: the engine is dropped again, unused.
        self.phase.send_if_modified(|current| {
            let starting = matches!(current, Phase::Starting);
            if starting {
                *current = phase;
            }
            starting
        }) && ready
    }

    /// The engine, as soon as it runs; the error if it never will.
    async fn engine(&self) -> Result<Arc<Engine>, ApiError> {
        let mut phase = self.phase.subscribe();
        let phase = phase.wait_for(|phase| !matches!(phase, Phase::Starting)).await;
        match phase.as_deref() {
            Ok(Phase::Ready(engine)) => Ok(Arc::clone(engine)),
            Ok(Phase::Failed(error)) => Err(traced(error.clone())),
            Ok(Phase::Starting | Phase::Stopped) | Err(_) => Err(traced(ApiError::unavailable(STOPPING))),
        }
    }

    async fn context(&self) -> Result<Context, ApiError> {
        let engine = self.engine().await?;
        Ok(Context::new(Caller::operator(Surface::Desktop), engine.services()))
    }

    /// One command of the registry. Bytes come as the registry writes them into JSON.
    pub async fn call(&self, name: &str, body: Value) -> Result<Value, ApiError> {
        let context = self.context().await?;
        dispatch(name, body, &context).await.map(Output::into_json)
    }

    /// One command that answers bytes.
    pub async fn call_binary(&self, name: &str, body: Value) -> Result<Bytes, ApiError> {
        let context = self.context().await?;
        match dispatch(name, body, &context).await? {
            Output::Binary { bytes, .. } => Ok(bytes),
            Output::Json(_) => {
                Err(traced(ApiError::invalid("name", format!("{name} answers JSON: use call instead of call_binary"))))
            }
        }
    }

    /// Feeds `outlet` with `topic` until it ends; returns when the subscription stands.
    pub async fn stream(&self, id: u64, topic: &str, params: Value, outlet: Outlet) -> Result<(), ApiError> {
        let topic = Topic::parse(topic, params).map_err(traced)?;
        let name = topic.name();
        let context = self.context().await?;
        let mut updates = context.services.events.subscribe(&context.caller, topic).await.map_err(traced)?;
        tauri::async_runtime::spawn(async move {
            let mut seq = 0;
            let feed = async {
                while let Some(Update { kind, data }) = updates.next().await {
                    seq += 1;
                    deliver(&outlet.queue, &Envelope { id, topic: name, seq, kind, data }).await;
                }
                // A source ends only with the engine.
                deliver(&outlet.queue, &Ended { id, error: traced(ApiError::unavailable(STOPPING)) }).await;
            };
            outlet.end.run_until_cancelled(feed).await;
        });
        Ok(())
    }

    /// Stops the engine in order, within `STOP_DEADLINE`. Nothing can be called afterwards.
    pub async fn stop(&self) {
        let Phase::Ready(engine) = self.phase.send_replace(Phase::Stopped) else { return };
        if tokio::time::timeout(STOP_DEADLINE, engine.stop()).await.is_err() {
            // What is in the journal is safe; the next start recovers from it as after a crash.
            tracing::error!(deadline = ?STOP_DEADLINE, "the engine did not stop in time");
        }
    }
}

/// A message of a subscription as the page reads it; the WebSocket's are the same.
#[derive(Serialize)]
struct Envelope {
    id: u64,
    topic: &'static str,
    /// Counts from 1, so that the page notices a gap.
    seq: u64,
    kind: UpdateKind,
    data: UpdateData,
}

/// The last message of a subscription that the engine ended.
#[derive(Serialize)]
struct Ended {
    id: u64,
    error: ApiError,
}

/// An error that did not pass the dispatcher, which names every other one.
pub fn traced(mut error: ApiError) -> ApiError {
    TraceId::random().as_str().clone_into(&mut error.trace_id);
    tracing::warn!(trace_id = error.trace_id, %error, "refused before the registry");
    error
}

async fn deliver(queue: &mpsc::Sender<stream::Envelope>, message: &impl Serialize) {
    match to_raw_value(message) {
        // A closed queue means that the page is gone; its token ends this subscription.
        Ok(json) => drop(queue.send(json).await),
        Err(error) => tracing::error!(%error, "an update that is not JSON"),
    }
}
