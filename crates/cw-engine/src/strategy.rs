//! A running strategy: compiled rules, their indicators' state, and the position its own fills made.

use std::collections::BTreeMap;

use cw_analysis::{Strategy, StrategyState, TimeframeMismatch};
use cw_core::{Cadence, Calendar, Position, StrategyId, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StrategyStatus {
    Running,
    /// Stopped by a human, or because something went wrong; it makes no orders any more.
    Stopped {
        reason: String,
    },
}

/// Compiled rules. Not part of the state: they follow from the source, which is.
#[derive(Debug, Clone, Default)]
struct Compiled(Option<Box<Strategy>>);

impl PartialEq for Compiled {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// One strategy on one instrument and timeframe of one account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StrategyInstance {
    pub id: StrategyId,
    /// The strategy's name, as its file gives it.
    pub name: String,
    pub source: String,
    pub params: BTreeMap<String, String>,
    pub account: u32,
    pub instrument: u32,
    pub timeframe: Cadence,
    pub status: StrategyStatus,
    pub since: Timestamp,
    /// From its own fills only, so that two strategies on one instrument do not see each other's.
    pub position: Position,
    /// Its orders on their way; it decides nothing while there are any.
    pub working: u32,
    pub signals: u64,
    pub orders: u64,
    pub(crate) state: StrategyState,
    #[serde(skip)]
    compiled: Compiled,
}

impl StrategyInstance {
    #[expect(clippy::too_many_arguments, reason = "a constructor of a record")]
    pub(crate) fn new(
        id: StrategyId,
        strategy: Strategy,
        source: String,
        params: BTreeMap<String, String>,
        account: u32,
        instrument: u32,
        calendar: Calendar,
        timeframe: Cadence,
        since: Timestamp,
    ) -> Result<Self, TimeframeMismatch> {
        Ok(Self {
            id,
            name: strategy.name().to_owned(),
            source,
            params,
            account,
            instrument,
            timeframe,
            status: StrategyStatus::Running,
            since,
            position: Position::default(),
            working: 0,
            signals: 0,
            orders: 0,
            state: strategy.new_state(timeframe)?.in_calendar(calendar),
            compiled: Compiled(Some(Box::new(strategy))),
        })
    }

    /// The compiled rules with the state they work on.
    #[inline]
    pub(crate) fn parts(&mut self) -> Option<(&Strategy, &mut StrategyState)> {
        self.compiled.0.as_deref().map(|strategy| (strategy, &mut self.state))
    }

    pub fn strategy(&self) -> Option<&Strategy> {
        self.compiled.0.as_deref()
    }

    pub(crate) const fn state(&self) -> &StrategyState {
        &self.state
    }

    pub const fn is_running(&self) -> bool {
        matches!(self.status, StrategyStatus::Running)
    }

    /// Makes the rules again after the state was read from a snapshot.
    pub(crate) fn compile(&mut self) -> Result<(), String> {
        let strategy = Strategy::from_toml(&self.source, &self.params).map_err(|error| error.to_string())?;
        if !strategy.fits(&self.state) {
            return Err("its rules are not the ones the saved state belongs to".to_owned());
        }
        self.compiled = Compiled(Some(Box::new(strategy)));
        Ok(())
    }
}
