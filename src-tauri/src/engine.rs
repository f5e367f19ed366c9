//! The engine in this process: settings, log, node, and the doors by which the command line and MCP clients of this
//! user reach it. The headless binary opens the same node and the same doors.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use cw_api::{Access, Services};
use cw_node::{LogRing, Node, NodeConfig};
use cw_server::{DoorOptions, Doors};
use tauri::async_runtime::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

/// What a log line needs to be printed, unless `CANDLEWICK_LOG` says otherwise.
const PRINTED: &str = "warn";
/// What a log line needs to be kept for the log panel.
const KEPT: &str = "info";

/// How the engine is to be opened.
pub struct Settings {
    pub data_dir: PathBuf,
    /// The settings file; without one every setting has its default.
    pub config: Option<PathBuf>,
    pub logs: LogRing,
}

/// A running engine.
pub struct Engine {
    node: Node,
    stop: CancellationToken,
    doors: Mutex<Option<JoinHandle<()>>>,
}

impl Engine {
    /// Opens the data directory, recovers what was there and starts the market.
    pub async fn start(settings: Settings) -> anyhow::Result<Self> {
        let run_dir = settings.data_dir.join("run");
        let config = NodeConfig {
            settings: cw_node::Settings::load(settings.config.as_deref(), std::env::vars())?,
            file: settings.config,
            ..NodeConfig::live(settings.data_dir)
        };
        let node = Node::open(config, settings.logs).await?;
        let stop = CancellationToken::new();
        let doors = serve(&run_dir, node.services(), stop.clone()).await;
        Ok(Self { node, stop, doors: Mutex::new(doors) })
    }

    /// What the commands of the registry run with.
    pub fn services(&self) -> Arc<Services> {
        self.node.services()
    }

    /// Stops it in order: no more callers, then the node. Everything it knows is in the journal before this returns.
    pub async fn stop(&self) {
        self.stop.cancel();
        let doors = self.doors.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(doors) = doors
            && let Err(error) = doors.await
        {
            tracing::error!(%error, "the doors did not close in order");
        }
        self.node.stop().await;
    }
}

/// Lets the command line and MCP clients in. The window does not need them, so a door that does not open is a warning.
async fn serve(run_dir: &Path, services: Arc<Services>, stop: CancellationToken) -> Option<JoinHandle<()>> {
    let options = DoorOptions {
        run_dir: run_dir.to_owned(),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        ui: None,
        mcp_http: false,
        mcp_ceiling: Access::Trade,
        version: env!("CARGO_PKG_VERSION"),
    };
    match Doors::open(options, services, stop.clone()).await {
        Ok(doors) => Some(tauri::async_runtime::spawn(doors.serve(stop))),
        Err(error) => {
            tracing::warn!(%error, "the command line and MCP clients cannot reach this engine");
            None
        }
    }
}

/// Prints warnings to standard error and keeps the newest lines for the log panel.
pub fn start_logging() -> anyhow::Result<LogRing> {
    let logs = LogRing::new();
    let printed = EnvFilter::try_from_env("CANDLEWICK_LOG").unwrap_or_else(|_| EnvFilter::new(PRINTED));
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(printed))
        .with(logs.clone().with_filter(EnvFilter::new(KEPT)))
        .try_init()
        .context("the log cannot be started")?;
    Ok(logs)
}
