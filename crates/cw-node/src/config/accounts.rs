//! `[[accounts]]` of the configuration file.

use std::collections::{BTreeMap, BTreeSet};

use cw_core::{AccountId, Amount, Currency, InstrumentId, Mode, PositionMode};
use cw_engine::AccountConfig;
use cw_risk::Limits;
use serde::Deserialize;

/// One account of ours at a venue.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountSettings {
    pub id: AccountId,
    #[serde(default = "simulated")]
    pub venue: String,
    #[serde(default = "paper")]
    pub mode: Mode,
    #[serde(default = "dollars")]
    pub currency: Currency,
    #[serde(default)]
    pub position_mode: PositionMode,
    /// Deposited when the account is opened, and only then.
    #[serde(default = "opening_balance")]
    pub opening_balance: Amount,
    /// A limit that is not named has its default in a new account; in one that exists, it stays as it is.
    #[serde(default)]
    pub limits: BTreeMap<String, toml::Value>,
}

fn simulated() -> String {
    "SIM".to_owned()
}
const fn paper() -> Mode {
    Mode::Paper
}
const fn dollars() -> Currency {
    Currency::USD
}
const fn opening_balance() -> Amount {
    Amount::from_raw(30_000_000_000_000_000_000_000)
}

impl AccountSettings {
    /// The account that there is without a configuration.
    pub fn standard() -> Self {
        Self {
            id: AccountId::new("paper").expect("a plain word"),
            venue: simulated(),
            mode: paper(),
            currency: dollars(),
            position_mode: PositionMode::default(),
            opening_balance: opening_balance(),
            limits: BTreeMap::new(),
        }
    }

    /// The account to open.
    pub fn config(&self) -> Result<AccountConfig, String> {
        Ok(AccountConfig {
            id: self.id.clone(),
            venue: self.venue.clone(),
            mode: self.mode,
            currency: self.currency,
            position_mode: self.position_mode,
            opening_balance: self.opening_balance,
            limits: self.limits_over(Limits::default())?,
            venue_cancels_siblings: true,
        })
    }

    /// `base` with what the file names.
    pub fn limits_over(&self, base: Limits) -> Result<Limits, String> {
        let mut limits = base;
        for (name, value) in &self.limits {
            let key = || format!("accounts.{}.limits.{name}", self.id);
            if name == "restricted" {
                let list = BTreeSet::<InstrumentId>::deserialize(value.clone());
                limits.restricted = list.map_err(|error| format!("{}: {error}", key()))?;
                continue;
            }
            let text = match value {
                toml::Value::String(text) => text.clone(),
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Float(number) => number.to_string(),
                _ => return Err(format!("{} must be a number or \"none\"", key())),
            };
            limits = limits.with(name, &text).map_err(|error| format!("{}: {error}", key()))?;
        }
        Ok(limits)
    }

    pub(super) fn check(&self) -> Result<(), String> {
        if self.mode != Mode::Paper {
            return Err(format!("accounts.{}.mode: only \"paper\" is possible: no live venue is connected", self.id));
        }
        if self.venue != simulated() {
            return Err(format!(
                "accounts.{}.venue: there is only the simulated venue SIM, no {}",
                self.id, self.venue
            ));
        }
        if self.opening_balance.is_negative() {
            return Err(format!("accounts.{}.opening_balance must not be negative", self.id));
        }
        self.config().map(drop)
    }
}
