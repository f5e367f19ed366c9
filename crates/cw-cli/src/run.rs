//! The headless engine.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use cw_api::{Access, ApiError};
use cw_server::http::HttpError;
use cw_server::mcp::SocketError;
use cw_server::ui::{UiAssets, UiDirectory};
use cw_server::{DoorError, DoorOptions, Doors};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::options::Globals;
use crate::own::RunOptions;
use crate::ui::Bundle;
use crate::{Failure, engine, output};

const DEFAULT_PORT: u16 = 7480;

pub async fn run(globals: &Globals, options: RunOptions) -> Result<(), Failure> {
    let listen = options.listen.as_deref().map(parse_listen).transpose()?;
    let ui = ui(options.ui.as_deref())?;
    // Caught from here on: a signal during a long recovery ends it in order as well.
    let stop = CancellationToken::new();
    let signals = wait_for_signal()?;
    let opened = engine::open(globals, engine::Mode::Live).await?;
    let door_options = |listen| DoorOptions {
        run_dir: globals.run_dir(),
        listen,
        ui: ui.clone(),
        mcp_http: options.mcp_http,
        mcp_ceiling: Access::Trade,
        version: env!("CARGO_PKG_VERSION"),
    };
    let default = SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT));
    let mut doors = Doors::open(door_options(listen.unwrap_or(default)), opened.services(), stop.clone()).await;
    if listen.is_none() && matches!(doors, Err(DoorError::Http(HttpError::Listen { .. }))) {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        doors = Doors::open(door_options(any), opened.services(), stop.clone()).await;
    }
    let doors = match doors {
        Ok(doors) => doors,
        Err(error) => {
            opened.close().await;
            return Err(refused(error).into());
        }
    };
    let file = doors.file();
    let ready = json!({
        "event": "ready",
        "http": file.http.to_string(),
        "grpc": null,
        "mcp": file.mcp,
        "pid": file.pid,
        "version": file.version,
    });
    output::text(&ready.to_string())?;
    output::note(globals, &format!("Candlewick runs. Open {} in a browser (works once;", doors.pairing_url()));
    output::note(globals, "`candlewick url` prints a new one). Ctrl-C stops it.");

    let serving = doors.serve(stop.clone());
    tokio::pin!(serving);
    tokio::select! {
        () = signals => {}
        () = &mut serving => {}
    }
    stop.cancel();
    serving.await;
    opened.close().await;
    Ok(())
}

fn parse_listen(text: &str) -> Result<SocketAddr, Failure> {
    let text = text.replace("localhost:", "127.0.0.1:");
    text.parse().map_err(|_| {
        let message = format!("listen: \"{text}\" is not an address and port such as 127.0.0.1:0");
        Failure::Usage(message, Some("listen".to_owned()))
    })
}

fn ui(folder: Option<&str>) -> Result<Option<Arc<dyn UiAssets>>, Failure> {
    match folder {
        None => Ok(Bundle::get().map(|bundle| Arc::new(bundle) as Arc<dyn UiAssets>)),
        Some(folder) => match UiDirectory::open(Path::new(folder)) {
            Some(directory) => Ok(Some(Arc::new(directory))),
            None => Err(Failure::Usage(format!("ui: {folder} has no index.html"), Some("ui".to_owned()))),
        },
    }
}

fn refused(error: DoorError) -> ApiError {
    let message = error.to_string();
    match error {
        DoorError::Http(HttpError::NotLoopback(_)) => ApiError::invalid("listen", message),
        DoorError::Http(_) => ApiError::unavailable(message),
        DoorError::Socket(SocketError::InUse(_)) => ApiError::conflict(message),
        DoorError::Socket(_) | DoorError::Write { .. } => ApiError::storage(message),
    }
}

/// Ends when the system or a person asks the program to stop.
pub fn wait_for_signal() -> Result<impl Future<Output = ()>, ApiError> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind| signal(kind).map_err(|error| ApiError::internal(format!("no signals: {error}")));
        let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
        Ok(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
    }
    #[cfg(windows)]
    {
        let mut close = tokio::signal::windows::ctrl_close().map_err(ApiError::internal)?;
        let mut interrupt = tokio::signal::windows::ctrl_c().map_err(ApiError::internal)?;
        Ok(async move {
            tokio::select! {
                _ = close.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
    }
}
