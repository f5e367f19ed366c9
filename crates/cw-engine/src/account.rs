//! Balances, positions and gate of one account.

use std::collections::BTreeMap;

use cw_core::{Actor, Amount, Currency, NumberError, Position, PositionSide, Timestamp};
use cw_risk::OrderGate;
use serde::{Deserialize, Serialize};

use crate::config::AccountConfig;

/// Number of an instrument and, in hedge mode, the leg.
pub(crate) type Slot = (u32, Option<PositionSide>);

/// A position with where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionState {
    pub position: Position,
    pub opened_at: Timestamp,
    /// Who opened it.
    pub opened_by: Actor,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountState {
    pub config: AccountConfig,
    pub gate: OrderGate,
    /// Settled cash per currency: capital + results − fees.
    pub balances: BTreeMap<Currency, Amount>,
    pub positions: BTreeMap<Slot, PositionState>,
    pub peak_equity: Amount,
    /// UTC day of `day_start_equity`, as days since the epoch.
    pub day: i64,
    pub day_start_equity: Amount,
}

impl AccountState {
    pub(crate) fn new(config: AccountConfig, now: Timestamp) -> Self {
        Self {
            gate: OrderGate::new(config.limits.clone()),
            balances: BTreeMap::from([(config.currency, config.opening_balance)]),
            positions: BTreeMap::new(),
            peak_equity: config.opening_balance,
            day: day_of(now),
            day_start_equity: config.opening_balance,
            config,
        }
    }

    pub(crate) fn credit(&mut self, currency: Currency, amount: Amount) -> Result<(), NumberError> {
        let balance = self.balances.entry(currency).or_default();
        *balance = balance.checked_add(amount)?;
        Ok(())
    }
}

pub(crate) const fn day_of(time: Timestamp) -> i64 {
    time.as_secs().div_euclid(86_400)
}
