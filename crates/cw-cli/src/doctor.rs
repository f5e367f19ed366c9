//! `candlewick doctor`: what the program needs, and whether it is there.

use std::path::Path;

use cw_api::{ApiError, ErrorCode};
use serde_json::{Value, json};

use crate::client::Client;
use crate::options::Globals;
use crate::ui::Bundle;
use crate::{Failure, engine, output};

struct Finding {
    check: &'static str,
    /// `ok`, `warning` or `failed`.
    status: &'static str,
    detail: String,
}

fn finding(check: &'static str, status: &'static str, detail: impl Into<String>) -> Finding {
    Finding { check, status, detail: detail.into() }
}

pub async fn run(globals: &Globals) -> Result<(), Failure> {
    let mut findings = vec![data_dir(&globals.data_dir)];
    findings.push(permissions(&globals.run_dir()));
    findings.extend(engine(globals).await);
    findings.push(match Bundle::get() {
        Some(_) => finding("ui", "ok", "built in"),
        None => finding("ui", "warning", "this program was built without the UI; `npm start` builds both"),
    });
    let failed = findings.iter().filter(|f| f.status == "failed").count();
    let rows: Vec<Value> =
        findings.into_iter().map(|f| json!({ "check": f.check, "status": f.status, "detail": f.detail })).collect();
    let report = json!({ "checks": rows });
    let schema = json!({ "properties": { "checks": { "type": "array", "items": { "properties": {
        "check": {}, "status": {}, "detail": {} } } } } });
    output::value(globals, &report, &schema)?;
    if failed > 0 {
        return Err(ApiError::new(ErrorCode::Unavailable, format!("{failed} checks failed")).into());
    }
    Ok(())
}

fn data_dir(path: &Path) -> Finding {
    let probe = path.join(format!(".doctor-{}", std::process::id()));
    let outcome = std::fs::create_dir_all(path)
        .and_then(|()| std::fs::write(&probe, b"x"))
        .and_then(|()| std::fs::remove_file(&probe));
    match outcome {
        Ok(()) => finding("data directory", "ok", path.display().to_string()),
        Err(error) => finding("data directory", "failed", format!("{} cannot be written: {error}", path.display())),
    }
}

#[cfg(unix)]
fn private(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    const OTHERS: u32 = 0o077;
    let open_to_others = metadata.permissions().mode() & OTHERS;
    open_to_others == 0
}

#[cfg(unix)]
fn permissions(run_dir: &Path) -> Finding {
    match std::fs::metadata(run_dir) {
        Err(_) => finding("permissions", "ok", "no engine has run here yet"),
        Ok(metadata) if private(&metadata) => finding("permissions", "ok", "run/ is open to this user alone"),
        Ok(_) => {
            finding("permissions", "failed", format!("{} is open to other users; chmod 700 it", run_dir.display()))
        }
    }
}

#[cfg(not(unix))]
fn permissions(_: &Path) -> Finding {
    finding("permissions", "ok", "the profile folder is this user's alone")
}

/// The running engine's health, or the store's when none runs.
async fn engine(globals: &Globals) -> Vec<Finding> {
    let empty = Value::Object(serde_json::Map::new());
    let (running, health) = if let Some(client) = Client::find(&globals.run_dir()).await {
        let detail = format!("pid {}, http://{}, version {}", client.file.pid, client.file.http, client.file.version);
        (finding("engine", "ok", detail), client.command("health.get", &empty).await.map(cw_api::Output::into_json))
    } else {
        let running = finding("engine", "ok", "not running; commands open the store themselves");
        (running, engine::health(globals).await)
    };
    let mut findings = vec![running];
    match health {
        Err(error) => findings.push(finding("health", "failed", error.message)),
        Ok(health) => {
            let status = health["status"].as_str().unwrap_or_default();
            let known = match status {
                "ok" => "ok",
                "degraded" => "warning",
                _ => "failed",
            };
            let bad = health["components"].as_array().into_iter().flatten().filter(|c| c["status"] != "ok");
            let words: Vec<String> = bad
                .map(|c| {
                    format!("{}: {}", c["name"].as_str().unwrap_or_default(), c["detail"].as_str().unwrap_or_default())
                })
                .collect();
            findings.push(finding(
                "health",
                known,
                if words.is_empty() { status.to_owned() } else { words.join("; ") },
            ));
        }
    }
    findings
}
