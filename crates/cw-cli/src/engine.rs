//! The engine opened inside this process.

use std::sync::Arc;

use cw_api::{ApiError, Caller, Context, ErrorCode, Services, dispatch};
use cw_core::Surface;
use cw_node::{LogRing, Node, NodeConfig, NodeError, Settings};
use serde_json::Value;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::options::Globals;

/// What it is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Market data and brokers run until it is closed.
    Live,
    /// One command on the store.
    OneCommand,
    /// Looking only; nothing is written.
    ReadOnly,
}

/// An open engine.
pub struct Opened(Node);

pub async fn open(globals: &Globals, mode: Mode) -> Result<Opened, ApiError> {
    let settings = Settings::load(globals.config.as_deref(), settings_variables())
        .map_err(|error| ApiError::invalid("config", error.to_string()))?;
    let config = NodeConfig {
        data_dir: globals.data_dir.clone(),
        settings,
        file: globals.config.clone(),
        live: mode == Mode::Live,
        read_only: mode == Mode::ReadOnly,
    };
    let logs = LogRing::default();
    start_logging(mode, &logs);
    // Starting takes deep stacks in an unoptimised build; its future lives on the heap.
    Box::pin(Node::open(config, logs)).await.map(Opened).map_err(refused)
}

/// `CANDLEWICK_*` variables that name settings; those of this program itself do not.
fn settings_variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars().filter(|(name, _)| !matches!(name.as_str(), "CANDLEWICK_DATA_DIR" | "CANDLEWICK_LOG"))
}

/// JSON lines on stderr: warnings alone for one command, the engine's steps for a running one. `CANDLEWICK_LOG` says
/// otherwise, in the words of `tracing-subscriber`.
fn start_logging(mode: Mode, logs: &LogRing) {
    let default = if mode == Mode::Live { "info" } else { "error" };
    let filter = EnvFilter::try_from_env("CANDLEWICK_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(std::io::stderr);
    // A second engine in one process keeps the first one's subscriber.
    drop(tracing_subscriber::registry().with(filter).with(lines).with(logs.clone()).try_init());
}

fn refused(error: NodeError) -> ApiError {
    let message = error.to_string();
    match error {
        NodeError::Store(_) | NodeError::Replay(_) | NodeError::Journal(_) => ApiError::storage(message),
        NodeError::Setup(_) => ApiError::new(ErrorCode::InvalidRequest, message),
        NodeError::Thread(_) => ApiError::unavailable(message),
    }
}

impl Opened {
    pub fn services(&self) -> Arc<Services> {
        self.0.services()
    }
    /// Stops it in order: no new intents, journal, venues, store.
    pub async fn close(self) {
        self.0.stop().await;
    }
}

/// Its health, opened for the question alone.
pub async fn health(globals: &Globals) -> Result<Value, ApiError> {
    let opened = open(globals, Mode::OneCommand).await?;
    let cx = Context::new(Caller::operator(Surface::Cli), opened.services());
    let outcome = dispatch("health.get", Value::Null, &cx).await.map(cw_api::Output::into_json);
    drop(cx);
    opened.close().await;
    outcome
}
