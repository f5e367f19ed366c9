//! The desktop workstation: one window on the same registry that the headless engine serves, with the engine in
//! this process.
//!
//! Not here: what a command does (cw-api), what the page shows (ui/), how the engine is put together (cw-node).
//! This crate is the only one that names tauri, so that the headless binary builds without a web engine.

// No console window beside the real one on Windows; debug builds keep theirs for the log.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod args;
mod engine;
#[cfg(target_os = "linux")]
mod gpu;
mod host;
mod ipc;
mod startup;
mod stream;
mod timing;
mod tray;
mod window;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;
use std::sync::Arc;

use clap::Parser as _;
use tauri::{AppHandle, Manager as _, RunEvent, WindowEvent};

use crate::args::{Args, StartupEvent};
use crate::engine::Settings;
use crate::host::Host;
use crate::startup::Startup;
use crate::stream::Streams;
use crate::timing::Timing;

fn main() -> anyhow::Result<()> {
    #[cfg(target_os = "linux")]
    gpu::choose_painting();
    let args = Args::parse();
    let startup = Arc::new(Startup::new(Timing::start(args.timing), args.exit_after));
    let data_dir = args.data_dir()?;
    let logs = engine::start_logging()?;

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("cw-async").build()?;
    tauri::async_runtime::set(runtime.handle().clone());

    // The engine starts while the window opens. In a second start, which ends below, it finds the data directory taken.
    let host = Arc::new(Host::new());
    let settings = Settings { data_dir: data_dir.clone(), config: args.config, logs };
    runtime.spawn(start_engine(Arc::clone(&host), settings, Arc::clone(&startup)));

    let window_state = path_text(&data_dir.join("window.json"))?;
    let app = tauri::Builder::default()
        // First, so that a second start ends before it opens anything.
        .plugin(single_instance(&data_dir))
        .plugin(tauri_plugin_window_state::Builder::new().with_filename(window_state).build())
        .manage(Arc::clone(&host))
        .manage(Arc::clone(&startup))
        .manage(Streams::default())
        .invoke_handler(tauri::generate_handler![
            ipc::call,
            ipc::call_binary,
            ipc::open_stream,
            ipc::subscribe,
            ipc::unsubscribe,
            ipc::mark
        ])
        .setup(move |app| {
            window::open(app, &data_dir)?;
            tray::build(app);
            tauri::async_runtime::spawn(end_on_signal(app.handle().clone()));
            app.state::<Arc<Startup>>().attach(app.handle());
            Ok(())
        })
        .build(tauri::generate_context!())?;

    let code = app.run_return(move |app, event| match event {
        // The screen has given the window its place and size: it is there.
        RunEvent::WindowEvent { event: WindowEvent::Resized(_), .. } => startup.mark(StartupEvent::WindowShown),
        // The one way out: window closed, Ctrl-C, SIGTERM, tray, `--exit-after`.
        RunEvent::Exit => {
            app.state::<Streams>().close();
            tauri::async_runtime::block_on(host.stop());
        }
        _ => {}
    });
    std::process::exit(code)
}

async fn start_engine(host: Arc<Host>, settings: Settings, startup: Arc<Startup>) {
    if host.start(settings).await {
        startup.mark(StartupEvent::EngineReady);
    }
}

/// One window per data directory: a second start brings the first window to the front and ends.
fn single_instance(data_dir: &Path) -> tauri::plugin::TauriPlugin<tauri::Wry> {
    let mut hasher = DefaultHasher::new();
    data_dir.hash(&mut hasher);
    tauri_plugin_single_instance::Builder::new()
        .dbus_id(format!("dev.candlewick.desktop.d{:016x}", hasher.finish()))
        .callback(|app, _args, _directory| window::show(app))
        .build()
}

/// Ends the program as closing the window does: the window's place is saved, the engine stops in order.
async fn end_on_signal(app: AppHandle) {
    match signal().await {
        Ok(name) => {
            tracing::info!(signal = name, "stopping");
            app.exit(0);
        }
        Err(error) => tracing::error!(%error, "signals are not handled: end the program by its window"),
    }
}

#[cfg(unix)]
async fn signal() -> std::io::Result<&'static str> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    })
}

#[cfg(not(unix))]
async fn signal() -> std::io::Result<&'static str> {
    tokio::signal::ctrl_c().await.map(|()| "Ctrl-C")
}

fn path_text(path: &Path) -> anyhow::Result<String> {
    path.to_str().map(str::to_owned).ok_or_else(|| anyhow::anyhow!("{} is not valid Unicode", path.display()))
}
