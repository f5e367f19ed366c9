//! What the command line may say. The headless binary's global flags keep their names and meanings here.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use serde::Deserialize;

/// The Candlewick trading workstation.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Args {
    /// Everything the program writes stays below this directory (default: the platform's data directory).
    #[arg(long, value_name = "DIR", env = "CANDLEWICK_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// Settings file (TOML); without one the built-in simulated market runs.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print one JSON line on stdout per start-up event, in milliseconds since the process began.
    #[arg(long)]
    pub timing: bool,
    /// End with exit code 0 when this start-up event has happened.
    #[arg(long, value_name = "EVENT")]
    pub exit_after: Option<StartupEvent>,
}

/// The start-up events of `--timing`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[value(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum StartupEvent {
    /// The window is on the screen.
    WindowShown,
    /// The engine answers commands.
    EngineReady,
    /// The page has painted its first chart with candles in it.
    FirstChart,
}

impl StartupEvent {
    pub const fn name(self) -> &'static str {
        match self {
            Self::WindowShown => "window_shown",
            Self::EngineReady => "engine_ready",
            Self::FirstChart => "first_chart",
        }
    }
}

impl Args {
    /// The data directory, made if it is not there.
    pub fn data_dir(&self) -> anyhow::Result<PathBuf> {
        let dir = match &self.data_dir {
            Some(dir) => dir.clone(),
            None => directories::ProjectDirs::from("dev", "candlewick", "candlewick")
                .context("this account has no home directory; name one with --data-dir")?
                .data_dir()
                .to_owned(),
        };
        std::fs::create_dir_all(&dir).with_context(|| format!("cannot make the data directory {}", dir.display()))?;
        std::fs::canonicalize(&dir).with_context(|| format!("cannot read the data directory {}", dir.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_on_the_command_line_are_the_names_in_the_output() {
        for event in StartupEvent::value_variants() {
            let args = Args::try_parse_from(["candlewick-desktop", "--exit-after", event.name()]).unwrap();
            assert_eq!(args.exit_after, Some(*event));
        }
        assert!(Args::try_parse_from(["candlewick-desktop", "--exit-after", "lunch"]).is_err());
    }
}
