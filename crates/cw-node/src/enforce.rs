//! What the configuration says about accounts, limits and the simulated market, put into force at the start and again
//! when its file changes. A file may tighten a limit; only a person, with `risk set`, may loosen one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use cw_core::{Actor, Surface};
use cw_engine::{AccountConfig, Command, Engine, Envelope};
use cw_risk::Limits;

use crate::config::Settings;
use crate::shared::Shared;

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Configured accounts that the journal does not know yet.
pub(crate) fn missing_accounts(engine: &Engine, settings: &Settings) -> Result<Vec<AccountConfig>, String> {
    let mut accounts = settings.account_configs()?;
    accounts.retain(|account| engine.accounts().iter().all(|known| known.config.id != account.id));
    Ok(accounts)
}

/// A command of the program's own.
pub(crate) async fn command(shared: &Shared, command: Command) -> Result<(), String> {
    let trace_id = "configuration".to_owned();
    let envelope = Envelope { actor: Actor::System, surface: Surface::Engine, trace_id, command };
    let answer = shared.engine.command(envelope).await.map_err(|stopped| stopped.to_string())?;
    answer.map(drop).map_err(|refused| refused.to_string())
}

/// Tightens what the file has stricter and says what it has looser.
pub(crate) async fn tighten(shared: &Shared, settings: &Settings) -> Result<(), String> {
    for account in &settings.accounts {
        let wanted = account.limits_over(Limits::unlimited())?;
        let id = account.id.clone();
        let now = shared
            .engine
            .read(move |engine| {
                engine.accounts().iter().find(|known| known.config.id == id).map(|known| known.gate.limits.clone())
            })
            .await
            .map_err(|stopped| stopped.to_string())?;
        // An account that is new in the file is opened at the next start.
        let Some(now) = now else { continue };
        let named = account.limits_over(now.clone())?;
        let tight = now.tightened(&wanted);
        for (limit, value) in tight.changes(&named) {
            tracing::warn!(target: "config", account = %account.id, limit, value,
                "the file has a looser limit than the one in force, which stays; to loosen it, use: risk set");
        }
        if tight != now {
            let limits = Box::new(wanted);
            command(shared, Command::TightenLimits { account: account.id.clone(), limits }).await?;
        }
    }
    Ok(())
}

/// Takes over a changed file, whole or not at all.
async fn reload(shared: &Shared, file: &Path, before: &Settings) -> Result<Settings, String> {
    let settings = Settings::load(Some(file), std::env::vars()).map_err(|error| error.to_string())?;
    if settings.store != before.store
        || settings.mock.seed != before.mock.seed
        || settings.mock.enabled != before.mock.enabled
        || settings.account_configs()?.len() != before.account_configs()?.len()
    {
        tracing::warn!(target: "config", "store, mock.seed, mock.enabled and new accounts take effect at the next start");
    }
    let speed = settings.mock.speed.to_string().parse().map_err(|error| format!("mock.speed: {error}"))?;
    tighten(shared, &settings).await?;
    if settings.mock.speed.to_bits() != before.mock.speed.to_bits() {
        *shared.mock_speed.lock() = settings.mock.speed;
        shared.sim.set_speed(speed);
    }
    Ok(settings)
}

fn modified(file: &Path) -> Option<SystemTime> {
    std::fs::metadata(file).and_then(|metadata| metadata.modified()).ok()
}

/// Looks at the file now and then. A file that cannot be used changes nothing, and the log says why.
pub(crate) async fn watch(shared: Arc<Shared>, file: PathBuf, mut settings: Settings) {
    // The first look reads it again: it may have changed while the program started.
    let mut seen = None;
    let mut interval = tokio::time::interval(LOOK);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        interval.tick().await;
        let now = modified(&file);
        if now == seen {
            continue;
        }
        seen = now;
        match reload(&shared, &file, &settings).await {
            Ok(new) if new == settings => {}
            Ok(new) => {
                tracing::info!(target: "config", file = %file.display(), "the configuration was read again");
                settings = new;
            }
            Err(error) => tracing::error!(target: "config", error, "the changed configuration is not taken over"),
        }
    }
}
