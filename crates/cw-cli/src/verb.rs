//! Running one command: in the running engine, or on the store itself.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use cw_api::args::Spec;
use cw_api::commands::registry::CommandList;
use cw_api::{ApiError, COMMANDS, Caller, Context, Entry, dispatch};
use cw_core::Surface;
use serde_json::Value;

use crate::client::Client;
use crate::options::{Format, Globals};
use crate::{Failure, engine, output};

pub async fn run(globals: &Globals, entry: &'static Entry, mut request: Value) -> Result<(), Failure> {
    // The registry describes itself: no engine and no store is needed to ask it.
    if entry.name == "commands.list" {
        return list_commands(globals, entry);
    }
    let spooled = resolve_files(globals, entry, &mut request)?;
    let outcome = match Client::find(&globals.run_dir()).await {
        Some(client) => client.command(entry.name, &request).await,
        None => in_process(globals, entry, request).await,
    };
    if let Some(path) = spooled
        && let Err(error) = std::fs::remove_file(&path)
    {
        output::note(globals, &format!("{} could not be removed: {error}", path.display()));
    }
    output::answer(globals, outcome?, &entry.response_schema())
}

fn list_commands(globals: &Globals, entry: &Entry) -> Result<(), Failure> {
    if globals.format == Format::Table {
        return output::text(&cw_api::console::overview());
    }
    let commands: Vec<_> = COMMANDS.iter().map(Entry::info).collect();
    let list = serde_json::to_value(CommandList { commands }).map_err(ApiError::internal)?;
    output::value(globals, &list, &entry.response_schema())
}

async fn in_process(globals: &Globals, entry: &Entry, request: Value) -> Result<cw_api::Output, ApiError> {
    let opened = engine::open(globals, engine::Mode::OneCommand).await?;
    let cx = Context::new(Caller::operator(Surface::Cli), opened.services());
    let outcome = dispatch(entry.name, request, &cx).await;
    drop(cx);
    opened.close().await;
    outcome
}

/// Paths are the caller's: made absolute for an engine with another working directory. `-` is standard input, kept in a
/// file of the data directory while the command runs.
fn resolve_files(globals: &Globals, entry: &Entry, request: &mut Value) -> Result<Option<PathBuf>, Failure> {
    let mut spooled = None;
    for arg in Spec::from_schema(&entry.request_schema()).args.into_iter().filter(|arg| arg.is_file) {
        let Some(Value::String(text)) = request.get_mut(&arg.field) else { continue };
        if text == "-" {
            let path = spool(&globals.data_dir)?;
            *text = path.to_string_lossy().into_owned();
            spooled = Some(path);
        } else if Path::new(&*text).is_file()
            && let Ok(path) = std::path::absolute(&*text)
        {
            *text = path.to_string_lossy().into_owned();
        }
    }
    Ok(spooled)
}

fn spool(data_dir: &Path) -> Result<PathBuf, ApiError> {
    let failed = |error: std::io::Error| ApiError::storage(format!("standard input cannot be kept: {error}"));
    let folder = data_dir.join("tmp");
    std::fs::create_dir_all(&folder).map_err(failed)?;
    let mut start = Vec::new();
    let mut input = std::io::stdin().lock();
    input.by_ref().take(4).read_to_end(&mut start).map_err(failed)?;
    // Parquet files begin with their magic; everything else is text.
    let extension = if start == b"PAR1" { "parquet" } else { "csv" };
    let path = folder.join(format!("stdin-{}.{extension}", std::process::id()));
    let mut file = std::fs::File::create(&path).map_err(failed)?;
    std::io::copy(&mut start.as_slice().chain(input), &mut file).map_err(failed)?;
    Ok(path)
}

/// A new one-time address of the running engine's UI.
pub async fn pairing_url(globals: &Globals) -> Result<String, ApiError> {
    let client = Client::find(&globals.run_dir()).await;
    let client = client.ok_or_else(|| ApiError::unavailable("no engine runs on this data directory"))?;
    let answer = client.call("/api/v1/session/code", &Value::Null).await?.into_json();
    answer["url"].as_str().map(str::to_owned).ok_or_else(|| ApiError::internal("the engine sent no address"))
}
