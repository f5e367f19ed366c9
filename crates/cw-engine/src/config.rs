//! What an engine starts with. The first entry of every journal, so that a replay needs nothing else.

use cw_core::{AccountId, Amount, Currency, Instrument, Mode, PositionMode, Timeframe};
use cw_risk::Limits;
use serde::{Deserialize, Serialize};

/// An account of ours at a venue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountConfig {
    pub id: AccountId,
    /// The venue whose instruments it trades, as instrument ids carry it.
    pub venue: String,
    pub mode: Mode,
    pub currency: Currency,
    pub position_mode: PositionMode,
    /// Deposited when the account is opened.
    pub opening_balance: Amount,
    pub limits: Limits,
    /// The venue cancels the other exit leg by itself.
    pub venue_cancels_siblings: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineConfig {
    /// Makes client order ids unique and unguessable; drawn once, then journaled.
    pub seed: u64,
    /// Part of every client order id, so that two installations never share one. At most six plain characters.
    pub instance: String,
    pub instruments: Vec<Instrument>,
    pub accounts: Vec<AccountConfig>,
    /// Timeframes that are aggregated for every instrument.
    pub timeframes: Vec<Timeframe>,
    /// How late an event may come and still revise its candle.
    pub lateness_ns: i64,
    /// Currencies taken as worth the same, for valuation only: (USDT, USD).
    pub pegs: Vec<(Currency, Currency)>,
    /// Closed orders kept in memory, for late fills; older ones are in the store.
    pub closed_orders_kept: u32,
}
