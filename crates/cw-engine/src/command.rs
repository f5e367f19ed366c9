//! What people and programs can ask of the engine.

use std::collections::BTreeMap;

use cw_core::{
    AccountId, Actor, Candle, ClientOrderId, Instrument, InstrumentId, OrderId, OrderStatus, OrderType, Price,
    Quantity, Side, StrategyId, Surface, TimeInForce, Timeframe, Timestamp,
};
use cw_risk::{CheckResult, Limits};
use serde::{Deserialize, Serialize};

use crate::config::AccountConfig;

/// A command with who asked, through what, and the id that ties its traces together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    pub actor: Actor,
    pub surface: Surface,
    pub trace_id: String,
    pub command: Command,
}

/// An order as somebody wants it, before it has a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRequest {
    pub account: AccountId,
    pub instrument: InstrumentId,
    pub side: Side,
    pub order_type: OrderType,
    pub qty: Quantity,
    pub limit_price: Option<Price>,
    pub stop_price: Option<Price>,
    pub trail_offset: Option<Price>,
    pub time_in_force: TimeInForce,
    pub expire_time: Option<Timestamp>,
    pub reduce_only: bool,
    pub post_only: bool,
    pub take_profit: Option<Price>,
    pub stop_loss: Option<Price>,
    /// The caller's own name for it: the same name twice is one order.
    pub client_order_id: Option<ClientOrderId>,
}

impl OrderRequest {
    /// A plain market order.
    pub const fn market(account: AccountId, instrument: InstrumentId, side: Side, qty: Quantity) -> Self {
        Self {
            account,
            instrument,
            side,
            order_type: OrderType::Market,
            qty,
            limit_price: None,
            stop_price: None,
            trail_offset: None,
            time_in_force: TimeInForce::Gtc,
            expire_time: None,
            reduce_only: false,
            post_only: false,
            take_profit: None,
            stop_loss: None,
            client_order_id: None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Command {
    PlaceOrder(OrderRequest),
    CancelOrder {
        order_id: OrderId,
    },
    /// Market order against the position; `None` closes all of it. Exit legs without a position are canceled.
    ClosePosition {
        account: AccountId,
        instrument: InstrumentId,
        qty: Option<Quantity>,
    },
    /// Stops new risk everywhere at once. Cancels and what reduces a position still pass.
    Halt {
        reason: String,
    },
    Resume {
        reason: String,
    },
    SetLimit {
        account: AccountId,
        name: String,
        value: String,
    },
    AcceptApproval {
        id: u64,
    },
    DenyApproval {
        id: u64,
        reason: String,
    },
    StartStrategy {
        id: StrategyId,
        /// The strategy's file, whole: the journal must not depend on what a file says later.
        source: String,
        params: BTreeMap<String, String>,
        account: AccountId,
        instrument: InstrumentId,
        timeframe: Timeframe,
        /// Closed candles that the indicators are warmed up with, oldest first.
        warmup: Vec<Candle>,
    },
    StopStrategy {
        id: StrategyId,
        flatten: bool,
    },
    /// Opens one more account.
    OpenAccount(Box<AccountConfig>),
    /// Takes over what is stricter in `limits` and nothing else, so that it needs nobody's consent.
    TightenLimits {
        account: AccountId,
        limits: Box<Limits>,
    },
    /// Takes on one more instrument, whose venue tells its closed minutes. Known ones stay as they are.
    ListInstrument(Box<Instrument>),
}

/// What a command led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    Done,
    Order {
        order_id: OrderId,
        client_order_id: ClientOrderId,
        status: OrderStatus,
    },
    /// A human has to accept it first.
    AwaitsApproval {
        id: u64,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// The risk gate said no.
    #[error("{}", .reasons.iter().map(|r| r.reason.as_str()).collect::<Vec<_>>().join("; "))]
    Denied { order_id: OrderId, reasons: Vec<CheckResult> },
    #[error("{what} {id} is not known")]
    NotFound { what: &'static str, id: String },
    #[error("{message}")]
    Invalid { field: &'static str, message: String },
    #[error("{0}")]
    Conflict(String),
    /// This caller may not do that, whatever the access it came with.
    #[error("{0}")]
    Forbidden(String),
}

/// A request that waits for a human.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The journal entry that asked for it.
    pub id: u64,
    pub actor: Actor,
    pub surface: Surface,
    pub request: OrderRequest,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub state: ApprovalState,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    Pending,
    Accepted {
        order_id: OrderId,
    },
    /// Accepted by the human, refused by the gate.
    Refused {
        reason: String,
    },
    Denied {
        reason: String,
    },
    Expired,
}
