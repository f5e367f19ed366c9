//! All doors of an engine at once: the HTTP server, the MCP socket, and the files in `run/` by which other programs of
//! this user find them.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cw_api::{Access, Services};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::http::{HttpError, HttpOptions, HttpServer};
use crate::mcp::{McpOptions, McpSocket, SocketError, socket_path};
use crate::session::{Sessions, random_token};
use crate::ui::UiAssets;

/// How the doors are opened.
pub struct DoorOptions {
    /// `run/` in the data directory.
    pub run_dir: PathBuf,
    /// A loopback address; port 0 = any free one.
    pub listen: SocketAddr,
    pub ui: Option<Arc<dyn UiAssets>>,
    /// Serve MCP over HTTP as well.
    pub mcp_http: bool,
    /// The most an MCP client may have, whatever the setting says.
    pub mcp_ceiling: Access,
    pub version: &'static str,
}

/// Why a door does not open.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Socket(#[from] SocketError),
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// Where a running engine can be reached: `run/engine.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineFile {
    pub pid: u32,
    pub http: SocketAddr,
    pub mcp: PathBuf,
    pub version: String,
}

impl EngineFile {
    const NAME: &'static str = "engine.json";

    /// What the engine of this data directory wrote, if one did. It may be gone since.
    pub fn read(run_dir: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(run_dir.join(Self::NAME)).ok()?).ok()
    }
    /// The operator's token of this data directory.
    pub fn token(run_dir: &Path) -> Option<String> {
        Some(std::fs::read_to_string(run_dir.join(TOKEN)).ok()?.trim().to_owned())
    }
}

const TOKEN: &str = "operator.token";

/// Open doors that nobody is let through yet.
pub struct Doors {
    http: HttpServer,
    socket: McpSocket,
    sessions: Arc<Sessions>,
    services: Arc<Services>,
    mcp: McpOptions,
    file: EngineFile,
    run_dir: PathBuf,
}

impl Doors {
    /// Takes the port and the socket and makes a new operator's token.
    pub async fn open(
        options: DoorOptions,
        services: Arc<Services>,
        stop: CancellationToken,
    ) -> Result<Self, DoorError> {
        let mcp = McpOptions { version: options.version, ceiling: options.mcp_ceiling.min(Access::Trade) };
        private_dir(&options.run_dir)?;
        let socket = McpSocket::bind(socket_path(&options.run_dir)).await?;
        let token = random_token();
        write_private(&options.run_dir.join(TOKEN), token.as_bytes())?;
        let sessions = Arc::new(Sessions::new(token));
        let http = HttpOptions {
            listen: options.listen,
            services: Arc::clone(&services),
            sessions: Arc::clone(&sessions),
            ui: options.ui,
            version: options.version,
            mcp: options.mcp_http.then(|| mcp.clone()),
        };
        let http = HttpServer::bind(http, stop).await?;
        let file = EngineFile {
            pid: std::process::id(),
            http: http.address(),
            mcp: socket.path().to_owned(),
            version: options.version.to_owned(),
        };
        let text = serde_json::to_vec(&file).expect("an address and a path are JSON");
        write_private(&options.run_dir.join(EngineFile::NAME), &text)?;
        Ok(Self { http, socket, sessions, services, mcp, file, run_dir: options.run_dir })
    }

    pub fn file(&self) -> &EngineFile {
        &self.file
    }

    /// The address a person opens in a browser. It works once.
    pub fn pairing_url(&self) -> String {
        format!("http://{}/#pair={}", self.file.http, self.sessions.new_code())
    }

    /// Lets clients in until `stop`, then ends within a few seconds.
    pub async fn serve(self, stop: CancellationToken) {
        let socket = self.socket.serve(self.services, self.mcp, stop.clone());
        tokio::join!(self.http.serve(stop), socket);
        for name in [EngineFile::NAME, TOKEN] {
            if let Err(error) = std::fs::remove_file(self.run_dir.join(name)) {
                tracing::debug!(%error, name, "could not be removed");
            }
        }
    }
}

fn private_dir(path: &Path) -> Result<(), DoorError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|source| DoorError::Write { path: path.to_owned(), source })
}

/// Writes a file that only this user can read, whole or not at all.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), DoorError> {
    let failed = |source| DoorError::Write { path: path.to_owned(), source };
    let fresh = path.with_extension(format!("new-{}", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&fresh).map_err(failed)?;
    io::Write::write_all(&mut file, bytes).map_err(failed)?;
    drop(file);
    std::fs::rename(&fresh, path).map_err(failed)
}
