//! The configuration file: TOML, read whole, checked whole. Without a file everything has its default.

mod accounts;
mod news;
mod venues;

pub(crate) use venues::link_of;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cw_api::commands::training::LiveRagFormat;
use cw_core::{InstrumentId, Timeframe};
use cw_engine::AccountConfig;
use serde::Deserialize;

pub use accounts::AccountSettings;
pub(crate) use news::NewsSources;

/// How a node is opened.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    pub data_dir: PathBuf,
    pub settings: Settings,
    /// The file that `settings` came from: a live node takes over what is changed there while it runs.
    pub file: Option<PathBuf>,
    /// Start market data and brokers. A one-shot command line verb needs neither.
    pub live: bool,
    /// Read what is there and change nothing.
    pub read_only: bool,
}

impl NodeConfig {
    /// A live node with default settings.
    pub fn live(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), settings: Settings::default(), file: None, live: true, read_only: false }
    }
    /// A node for one command, without market data.
    pub fn offline(data_dir: impl Into<PathBuf>) -> Self {
        Self { live: false, ..Self::live(data_dir) }
    }
}

/// What the configuration file says.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub store: StoreSettings,
    pub mock: MockSettings,
    pub recorder: RecorderSettings,
    pub rag: RagSettings,
    /// Besides the account `paper` on the simulated market, which is always there.
    pub accounts: Vec<AccountSettings>,
    /// Venues behind a network, by name: `[venues.alpaca]`. Off without a line.
    pub venues: BTreeMap<String, cw_venues::catalog::Settings>,
    pub data: DataSettings,
    /// Who is asked for news.
    pub news: cw_venues::news::Settings,
}

/// Where history comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataSettings {
    /// Whom to ask for an instrument's candles, first to last: `"AAPL.ALPACA" = ["ALPACA", "POLYGON"]`. A venue stands
    /// for the same symbol there; another symbol is written out: `"X:BTCUSD.POLYGON"`. Without a line nobody stands in
    /// for an instrument's own venue.
    pub priority: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSettings {
    /// `postgres://…`; SQLite in the data directory without it.
    pub url: Option<String>,
}

/// Recording of trades and quotes as they come.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecorderSettings {
    /// Record `instruments` from the start.
    pub enabled: bool,
    pub instruments: Vec<InstrumentId>,
    /// When all recordings together are larger, the oldest are removed.
    pub max_bytes: u64,
}

impl Default for RecorderSettings {
    fn default() -> Self {
        Self { enabled: false, instruments: Vec::new(), max_bytes: 4 << 30 }
    }
}

/// Candles for retrieval.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RagSettings {
    /// Live exports that start with the program, as `rag.start` starts them.
    pub live: Vec<LiveRagSettings>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveRagSettings {
    pub instrument: InstrumentId,
    pub timeframe: Timeframe,
    #[serde(default)]
    pub format: LiveRagFormat,
}

/// The simulated market.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MockSettings {
    pub enabled: bool,
    pub seed: u64,
    /// Market time per our time: 1, 10, 0.5.
    pub speed: f64,
    /// From sending an order to the simulated venue's acting on it.
    pub latency_ms: u32,
    /// How many of a million orders the simulated venue rejects for no reason of ours.
    pub reject_per_million: u32,
}

impl Default for MockSettings {
    fn default() -> Self {
        Self { enabled: true, seed: 1, speed: 1.0, latency_ms: 40, reject_per_million: 0 }
    }
}

/// Why a configuration was not taken. Nothing of it is in force then.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{path}: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    /// The parser's message names key, line and column.
    #[error("{path}: {message}")]
    Invalid { path: PathBuf, message: String },
    #[error("environment variable {name}: {message}")]
    Environment { name: String, message: String },
}

impl Settings {
    /// Reads a file (or takes the defaults without one), then lets `CANDLEWICK_*` variables override it:
    /// `CANDLEWICK_STORE_URL` is `store.url`.
    pub fn load(file: Option<&Path>, environment: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut settings = match file {
            None => Self::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
                toml::from_str(&text)
                    .map_err(|e| ConfigError::Invalid { path: path.to_owned(), message: e.to_string() })?
            }
        };
        let environment: Vec<(String, String)> = environment.collect();
        settings.name_secrets(&environment).map_err(|message| ConfigError::Invalid {
            path: file.map_or_else(|| PathBuf::from("settings"), Path::to_owned),
            message,
        })?;
        for (name, value) in environment {
            if let Some(key) = name.strip_prefix("CANDLEWICK_") {
                settings
                    .set(key, &value)
                    .map_err(|message| ConfigError::Environment { name: name.clone(), message })?;
            }
        }
        settings.check().map_err(|message| ConfigError::Invalid {
            path: file.map_or_else(|| PathBuf::from("settings"), Path::to_owned),
            message,
        })?;
        Ok(settings)
    }

    /// Every account there should be: `paper` as the file describes it or as it is without one, then the others.
    pub fn account_configs(&self) -> Result<Vec<AccountConfig>, String> {
        let standard = AccountSettings::standard();
        let described = self.accounts.iter().any(|account| account.id == standard.id);
        let all = (!described).then_some(&standard).into_iter().chain(&self.accounts);
        all.map(AccountSettings::config).collect()
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        fn read<T: std::str::FromStr>(value: &str) -> Result<T, String> {
            value.parse().map_err(|_| format!("\"{value}\" does not fit"))
        }
        match key {
            "STORE_URL" => self.store.url = Some(value.to_owned()),
            "NEWS_BRAVE_KEY" => self.news.brave.key = Some(value.to_owned()),
            "NEWS_BRAVE_BASE_URL" => self.news.brave.base_url = Some(value.to_owned()),
            "NEWS_ALPACA_KEY" => self.news.alpaca.key = Some(value.to_owned()),
            "NEWS_ALPACA_SECRET" => self.news.alpaca.secret = Some(value.to_owned()),
            "RECORDER_ENABLED" => self.recorder.enabled = read(value)?,
            "RECORDER_MAX_BYTES" => self.recorder.max_bytes = read(value)?,
            "MOCK_ENABLED" => self.mock.enabled = read(value)?,
            "MOCK_SEED" => self.mock.seed = read(value)?,
            "MOCK_SPEED" => self.mock.speed = read(value)?,
            "MOCK_LATENCY_MS" => self.mock.latency_ms = read(value)?,
            "MOCK_REJECT_PER_MILLION" => self.mock.reject_per_million = read(value)?,
            _ if key.starts_with("VENUES_") => self.set_venue(&key["VENUES_".len()..], value)?,
            // Other programs of ours have variables of their own (the log filter, the tests).
            _ => {}
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        if let Some(name) = self.venues.keys().find(|name| cw_venues::catalog::find(name).is_none()) {
            return Err(crate::venues::unknown(name));
        }
        self.check_priority()?;
        if !(0.1..=1_000.0).contains(&self.mock.speed) {
            return Err(format!("mock.speed must be from 0.1 to 1000, not {}", self.mock.speed));
        }
        for (index, account) in self.accounts.iter().enumerate() {
            account.check()?;
            if self.accounts[..index].iter().any(|earlier| earlier.id == account.id) {
                return Err(format!("accounts: two are called {}", account.id));
            }
        }
        match &self.store.url {
            Some(url) if !url.starts_with("postgres://") && !url.starts_with("postgresql://") => {
                Err("store.url must begin with postgres://".to_owned())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, environment: &[(&str, &str)]) -> Result<Settings, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("candlewick.toml");
        std::fs::write(&path, text).unwrap();
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Settings::load(Some(&path), environment).map_err(|e| e.to_string())
    }

    #[test]
    fn the_default_needs_no_file() {
        assert_eq!(Settings::load(None, std::iter::empty()).unwrap(), Settings::default());
        assert_eq!(load("", &[]).unwrap(), Settings::default());
    }

    #[test]
    fn accounts_come_from_the_file_and_paper_is_always_there() {
        let text = "[[accounts]]\nid = \"swing\"\nopening_balance = 5000\n\
                    [accounts.limits]\nmax_order_notional = 1000\nmax_daily_loss = \"none\"\n";
        let accounts = load(text, &[]).unwrap().account_configs().unwrap();
        let ids: Vec<&str> = accounts.iter().map(|account| account.id.as_str()).collect();
        assert_eq!(ids, ["paper", "swing"]);
        assert_eq!(accounts[1].opening_balance.to_string(), "5000");
        assert_eq!(accounts[1].limits.get("max_order_notional").as_deref(), Some("1000"));
        assert_eq!(accounts[1].limits.get("max_daily_loss"), None);
        assert_eq!(accounts[1].limits.max_open_orders, accounts[0].limits.max_open_orders);
        let text = "[[accounts]]\nid = \"paper\"\nopening_balance = 100\n";
        let accounts = load(text, &[]).unwrap().account_configs().unwrap();
        assert_eq!((accounts.len(), accounts[0].opening_balance.to_string().as_str()), (1, "100"));
    }

    #[test]
    fn the_recorder_is_off_unless_told() {
        assert!(!Settings::default().recorder.enabled);
        let text = "[recorder]\nenabled = true\ninstruments = [\"BTC-PERP.SIM\"]\nmax_bytes = 1000000\n";
        let recorder = load(text, &[("CANDLEWICK_RECORDER_MAX_BYTES", "5")]).unwrap().recorder;
        assert!(recorder.enabled);
        assert_eq!((recorder.instruments[0].as_str(), recorder.max_bytes), ("BTC-PERP.SIM", 5));
        assert!(load("[recorder]\ninstruments = [\"a b\"]\n", &[]).unwrap_err().contains("line 2"));
    }

    #[test]
    fn variables_override_the_file() {
        let settings = load("[mock]\nseed = 3\n", &[("CANDLEWICK_MOCK_SEED", "9"), ("HOME", "/")]).unwrap();
        assert_eq!(settings.mock.seed, 9);
    }

    #[test]
    fn mistakes_name_key_and_line() {
        let error = load("[mock]\nsede = 3\n", &[]).unwrap_err();
        assert!(error.contains("sede") && error.contains("line 2"), "{error}");
        assert!(load("[mock]\nspeed = 5000\n", &[]).unwrap_err().contains("mock.speed"));
        let limits = "[[accounts]]\nid = \"paper\"\n[accounts.limits]\n";
        let error = load(&format!("{limits}max_fun = 3\n"), &[]).unwrap_err();
        assert!(error.contains("accounts.paper.limits.max_fun"), "{error}");
        let error = load(&format!("{limits}max_drawdown = \"much\"\n"), &[]).unwrap_err();
        assert!(error.contains("accounts.paper.limits.max_drawdown"), "{error}");
        let twice = "[[accounts]]\nid = \"a\"\n[[accounts]]\nid = \"a\"\n";
        assert!(load(twice, &[]).unwrap_err().contains("two are called a"));
        let live = "[[accounts]]\nid = \"a\"\nmode = \"live\"\n";
        assert!(load(live, &[]).unwrap_err().contains("accounts.a.mode"));
        assert!(load("[store]\nurl = \"mysql://x\"\n", &[]).unwrap_err().contains("store.url"));
        assert!(load("", &[("CANDLEWICK_MOCK_SEED", "many")]).unwrap_err().contains("CANDLEWICK_MOCK_SEED"));
    }
}
