//! Orders: preview, place, cancel, list.

use cw_core::{
    AccountId, Amount, ClientOrderId, InstrumentId, Mode, OrderId, OrderStatus, OrderType, Price, Quantity, Ratio,
    Side, TimeInForce, Timestamp, VenueOrderId,
};

use crate::prelude::*;

/// What an order asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct OrderTicket {
    /// Account that trades, as the configuration names it.
    #[serde(default = "paper")]
    #[ts(optional, as = "Option<_>")]
    pub account: AccountId,
    /// What to trade, for example BTC-PERP.SIM.
    #[schemars(extend("x-position" = 0))]
    pub instrument: InstrumentId,
    pub side: Side,
    /// How it executes. Without it: limit when a price is given, stop when a trigger is given, else market.
    #[serde(alias = "type")]
    #[schemars(extend("x-flag" = "type"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_type: Option<OrderType>,
    /// How much, in units of the instrument.
    pub qty: Quantity,
    /// Limit price; for limit and stop-limit orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// Trigger price; for stop and stop-limit orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Price>,
    /// Distance that a trailing stop keeps from the best price seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trail: Option<Price>,
    /// How long it works; without it, until canceled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tif: Option<TimeInForce>,
    /// End of a good-till-date order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expire_time: Option<Timestamp>,
    /// Price of the exit leg that takes the profit; placed when the entry fills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub take_profit: Option<Price>,
    /// Trigger of the exit leg that stops the loss; placed when the entry fills.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_loss: Option<Price>,
    /// Only ever makes a position smaller.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub reduce_only: bool,
    /// Only ever rests in the book; refused if it would trade at once.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub post_only: bool,
    /// Your own unique name for it; the same name twice is answered with the first order, never with a second one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_order_id: Option<ClientOrderId>,
}

fn paper() -> AccountId {
    AccountId::new("paper").expect("the name is plain")
}

/// What an order would cost and whether the risk gate would let it pass. Nothing is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(transparent)]
pub struct PreviewOrder(pub OrderTicket);

/// One check of the risk gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct RiskCheck {
    /// Name of the check: `max_notional`.
    pub check: String,
    pub pass: bool,
    /// What was compared with what.
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct OrderPreview {
    pub notional: Amount,
    /// Margin that would be taken from buying power.
    pub margin: Amount,
    /// Estimated fee.
    pub fee: Amount,
    /// Result if the stop loss fills at its price, after fees; negative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_at_stop: Option<Amount>,
    /// Result if the take profit fills at its price, after fees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gain_at_target: Option<Amount>,
    /// Gain at target ÷ loss at stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk_reward: Option<Ratio>,
    /// Loss at stop ÷ equity of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_at_stop_equity_ratio: Option<Ratio>,
    /// Currency of the amounts.
    pub currency: String,
    pub checks: Vec<RiskCheck>,
    /// The order in words, as the confirmation button says it.
    pub sentence: String,
    pub account: AccountId,
    pub mode: Mode,
    pub venue: String,
}

/// Sends an order through the risk gate to its venue. From an agent it becomes a proposal that a human accepts or denies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(transparent)]
pub struct PlaceOrder(pub OrderTicket);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct PlacedOrder {
    /// Our number for it; absent while it waits for an approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    pub client_order_id: ClientOrderId,
    /// Absent while it waits for an approval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<OrderStatus>,
    /// The proposal that a human has to accept first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval_id: Option<String>,
}

/// Takes an order back. Allowed even when trading is halted. Name it by our number or by your own name for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct CancelOrder {
    #[schemars(extend("x-position" = 0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_order_id: Option<ClientOrderId>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct CanceledOrder {
    pub order_id: OrderId,
    /// Where it is now; `pending_cancel` until the venue confirms.
    pub status: OrderStatus,
    pub pending_cancel: bool,
}

/// Lists orders, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ListOrders {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<InstrumentId>,
    /// Only those that may still execute.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub open_only: bool,
    /// At most this many; 200 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct OrderList {
    pub orders: Vec<OrderView>,
}

/// An order of ours with everything known about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
#[schemars(rename = "Order")]
#[ts(rename = "Order")]
pub struct OrderView {
    pub id: OrderId,
    pub client_order_id: ClientOrderId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub venue_order_id: Option<VenueOrderId>,
    pub account: AccountId,
    pub instrument: InstrumentId,
    pub side: Side,
    pub order_type: OrderType,
    pub qty: Quantity,
    pub filled_qty: Quantity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Price>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average_price: Option<Price>,
    pub status: OrderStatus,
    pub tif: TimeInForce,
    pub reduce_only: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub take_profit: Option<Price>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_loss: Option<Price>,
    /// For an exit leg: the entry it protects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<OrderId>,
    /// Who wanted it: `operator`, `strategy ema-cross-1`, `agent claude`.
    pub source: String,
    /// Why it was denied, rejected or canceled, or why it still waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub pending_cancel: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub fees: Amount,
}

command!(PreviewOrder => "orders.preview", Read, None, OrderPreview, trading.preview_order);
command!(PlaceOrder => "orders.place", Trade, High, PlacedOrder, trading.place_order);
command!(CancelOrder => "orders.cancel", Trade, Low, CanceledOrder, trading.cancel_order);
command!(ListOrders => "orders.list", Read, None, OrderList, trading.list_orders);
