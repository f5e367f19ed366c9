//! The local socket that MCP clients reach the running engine by: a Unix socket that only this user can open, or a named
//! pipe on Windows.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cw_api::Services;
use interprocess::local_socket::tokio::prelude::*;
use interprocess::local_socket::tokio::{Listener, Stream};
use interprocess::local_socket::{ListenerOptions, Name};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{McpOptions, Tools};

/// Clients at a time.
const MAX_CLIENTS: usize = 16;
const DRAIN: Duration = Duration::from_secs(2);
/// What the kernel takes as a socket's path, on the strictest of our systems.
#[cfg(unix)]
const MAX_PATH: usize = 103;

/// Why the socket cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    #[error("{} is not ours alone: {problem}", path.display())]
    Unsafe { path: PathBuf, problem: &'static str },
    #[error("another engine already listens on {}", .0.display())]
    InUse(PathBuf),
    #[error("cannot use the socket {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
}

/// A socket that listens but does not accept yet.
pub struct McpSocket {
    path: PathBuf,
    listener: Listener,
}

/// Where the socket of a data directory is: `run/mcp.sock` in it, or, when that is longer than the system takes, a folder
/// of this user's named after it.
#[cfg(unix)]
pub fn socket_path(run_dir: &Path) -> PathBuf {
    let near = run_dir.join("mcp.sock");
    if near.as_os_str().len() <= MAX_PATH {
        return near;
    }
    let folder = format!("candlewick-{}", short_hash(run_dir));
    std::env::var_os("XDG_RUNTIME_DIR").map_or_else(std::env::temp_dir, PathBuf::from).join(folder).join("mcp.sock")
}

#[cfg(windows)]
pub fn socket_path(run_dir: &Path) -> PathBuf {
    PathBuf::from(format!(r"\\.\pipe\candlewick-{}", short_hash(run_dir)))
}

/// FNV-1a: names a folder, protects nothing.
fn short_hash(path: &Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{hash:016x}")
}

fn name(path: &Path) -> io::Result<Name<'_>> {
    #[cfg(unix)]
    return path.to_fs_name::<interprocess::local_socket::GenericFilePath>();
    #[cfg(windows)]
    return path.to_fs_name::<interprocess::os::windows::local_socket::NamedPipe>();
}

/// Opens the socket of a running engine.
pub async fn connect(path: &Path) -> io::Result<Stream> {
    Stream::connect(name(path)?).await
}

impl McpSocket {
    /// Makes the socket. What stands in its place is removed only when it is a socket that nobody answers.
    pub async fn bind(path: PathBuf) -> Result<Self, SocketError> {
        let failed = |source| SocketError::Io { path: path.clone(), source };
        #[cfg(unix)]
        prepare(&path).await?;
        let options = || name(&path).map(|name| ListenerOptions::new().name(name).reclaim_name(true));
        #[cfg(unix)]
        let listener = {
            use interprocess::os::unix::local_socket::ListenerOptionsExt as _;
            match options().map_err(failed)?.mode(0o600).create_tokio() {
                // Some systems cannot set a socket's mode before it is bound; its folder is ours alone already.
                Err(error) if error.kind() == io::ErrorKind::Unsupported => options().map_err(failed)?.create_tokio(),
                other => other,
            }
        };
        #[cfg(windows)]
        let listener = options().map_err(failed)?.create_tokio();
        let listener = listener.map_err(failed)?;
        Ok(Self { path, listener })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Serves clients until `stop`, then waits a moment for them to leave. The socket goes away with it.
    pub async fn serve(self, services: Arc<Services>, options: McpOptions, stop: CancellationToken) {
        let tasks = TaskTracker::new();
        let places = Arc::new(Semaphore::new(MAX_CLIENTS));
        loop {
            let stream = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                accepted = self.listener.accept() => match accepted {
                    Ok(stream) => stream,
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept an MCP client");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                },
            };
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                tracing::warn!("more than {MAX_CLIENTS} MCP clients; one was turned away");
                continue;
            };
            let tools = Tools::new(Arc::clone(&services), options.clone());
            let stop = stop.clone();
            tasks.spawn(async move {
                let (read, write) = tokio::io::split(stream);
                tools.serve(read, write, stop).await;
                drop(place);
            });
        }
        tasks.close();
        if tokio::time::timeout(DRAIN, tasks.wait()).await.is_err() {
            tracing::warn!("some MCP clients did not end in time");
        }
    }
}

/// The folder is ours and closed to others; nothing squats on the name.
#[cfg(unix)]
async fn prepare(path: &Path) -> Result<(), SocketError> {
    use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _};

    let failed = |source| SocketError::Io { path: path.to_owned(), source };
    let folder = path.parent().ok_or_else(|| failed(io::Error::other("it has no folder")))?;
    match std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(failed(error)),
    }
    let unsafe_folder = |problem| SocketError::Unsafe { path: folder.to_owned(), problem };
    let metadata = std::fs::symlink_metadata(folder).map_err(failed)?;
    if !metadata.is_dir() {
        return Err(unsafe_folder("it is not a folder"));
    }
    // A file that we make belongs to us: its owner is how a program learns who it is without unsafe code.
    let probe = folder.join(format!(".probe-{}", std::process::id()));
    std::fs::write(&probe, []).map_err(failed)?;
    let us = std::fs::metadata(&probe).map(|probe| probe.uid());
    std::fs::remove_file(&probe).map_err(failed)?;
    if us.map_err(failed)? != metadata.uid() {
        return Err(unsafe_folder("it belongs to another user"));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(error)),
        Ok(there) if !there.file_type().is_socket() => {
            Err(SocketError::Unsafe { path: path.to_owned(), problem: "something that is not a socket has its name" })
        }
        Ok(_) => match connect(path).await {
            Ok(_) => Err(SocketError::InUse(path.to_owned())),
            Err(_) => std::fs::remove_file(path).map_err(failed),
        },
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn the_socket_and_its_folder_are_ours_alone() {
        let root = tempfile::tempdir().unwrap();
        let socket = McpSocket::bind(socket_path(&root.path().join("run"))).await.unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(socket.path()), 0o600);
        assert_eq!(mode(socket.path().parent().unwrap()), 0o700);
    }

    #[tokio::test]
    async fn a_squatted_name_and_a_live_socket_are_refused() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("run/mcp.sock");
        std::fs::create_dir(root.path().join("run")).unwrap();
        std::fs::write(&path, "not a socket").unwrap();
        assert!(matches!(McpSocket::bind(path.clone()).await, Err(SocketError::Unsafe { .. })));
        std::fs::remove_file(&path).unwrap();
        let first = McpSocket::bind(path.clone()).await.unwrap();
        assert!(matches!(McpSocket::bind(path.clone()).await, Err(SocketError::InUse(_))));
        drop(first);
        McpSocket::bind(path).await.unwrap();
    }

    #[test]
    fn long_data_directories_get_a_short_socket() {
        let long = PathBuf::from(format!("/{}/run", "x".repeat(200)));
        assert!(socket_path(&long).as_os_str().len() <= MAX_PATH);
    }
}
