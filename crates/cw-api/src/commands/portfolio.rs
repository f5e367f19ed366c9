//! What we hold: positions, fills, accounts.

use cw_core::{
    AccountId, Amount, InstrumentId, Liquidity, Mode, OrderId, PositionSide, Price, Quantity, Ratio, Side, Timestamp,
};

use super::orders::PlacedOrder;
use crate::prelude::*;

/// Lists open positions with their result at the current mark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ListPositions {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct PositionList {
    pub positions: Vec<PositionView>,
    /// Sums per currency.
    pub totals: Vec<PositionTotal>,
}

/// An open position at the current mark.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
#[schemars(rename = "Position")]
#[ts(rename = "Position")]
pub struct PositionView {
    pub account: AccountId,
    pub instrument: InstrumentId,
    pub side: PositionSide,
    pub qty: Quantity,
    pub entry_price: Price,
    /// The price it is valued at; absent until one has been seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Price>,
    pub notional: Amount,
    pub unrealized_pnl: Amount,
    /// Unrealized result ÷ cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unrealized_ratio: Option<Ratio>,
    /// Result of what was closed, before fees.
    pub realized_pnl: Amount,
    pub fees: Amount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_loss: Option<Price>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub take_profit: Option<Price>,
    /// Who opened it.
    pub source: String,
    pub opened_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct PositionTotal {
    pub currency: String,
    pub unrealized_pnl: Amount,
    pub realized_pnl: Amount,
}

/// Closes a position, or a part of it, with a reduce-only market order. Allowed even when trading is halted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ClosePosition {
    #[schemars(extend("x-position" = 0))]
    pub instrument: InstrumentId,
    /// Needed when more than one account holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// How much of it; all of it without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qty: Option<Quantity>,
}

/// Lists executions, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ListFills {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<InstrumentId>,
    /// At most this many; 200 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct FillList {
    pub fills: Vec<FillView>,
}

/// One execution of an order of ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
#[schemars(rename = "Fill")]
#[ts(rename = "Fill")]
pub struct FillView {
    /// What `journal.explain` takes.
    pub id: String,
    pub order_id: OrderId,
    pub account: AccountId,
    pub instrument: InstrumentId,
    pub side: Side,
    pub qty: Quantity,
    pub price: Price,
    /// Negative is a rebate.
    pub fee: Amount,
    pub liquidity: Liquidity,
    pub event_time: Timestamp,
    /// Result of the part of a position it closed, before fees.
    pub realized_pnl: Amount,
    pub source: String,
}

/// Lists accounts with balance, equity and margin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ListAccounts {}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct AccountList {
    pub accounts: Vec<AccountView>,
}

/// An account of ours at a venue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
#[schemars(rename = "Account")]
#[ts(rename = "Account")]
pub struct AccountView {
    pub id: AccountId,
    pub venue: String,
    pub mode: Mode,
    /// Its venue is the simulated market.
    pub simulated: bool,
    pub currency: String,
    /// Settled cash.
    pub balance: Amount,
    /// Cash and open result.
    pub equity: Amount,
    /// What may still be used.
    pub buying_power: Amount,
    pub margin_used: Amount,
    /// Margin used ÷ equity.
    pub margin_ratio: Ratio,
    /// Result since the start of the trading day.
    pub day_pnl: Amount,
    pub day_pnl_ratio: Ratio,
    pub as_of: Timestamp,
    /// The kill switch is on for it.
    pub halted: bool,
}

command!(ListPositions => "positions.list", Read, None, PositionList, trading.list_positions);
command!(ClosePosition => "positions.close", Trade, High, PlacedOrder, trading.close_position);
command!(ListFills => "fills.list", Read, None, FillList, trading.list_fills);
command!(ListAccounts => "accounts.list", Read, None, AccountList, trading.list_accounts);
