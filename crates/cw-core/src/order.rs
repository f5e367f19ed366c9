//! Orders, their state table and their fills.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, ClientOrderId, InstrumentId, OrderId, StrategyId, VenueOrderId};
use crate::number::{Amount, Price, Quantity};
use crate::timestamp::Timestamp;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Side {
    Buy,
    Sell,
}

impl Side {
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
    /// +1 for a buy, −1 for a sell.
    pub const fn sign(self) -> i128 {
        match self {
            Self::Buy => 1,
            Self::Sell => -1,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum OrderType {
    Market,
    Limit,
    Stop,
    StopLimit,
    TrailingStop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum TimeInForce {
    /// Until canceled.
    #[default]
    Gtc,
    /// Until the end of the trading day.
    Day,
    /// What can be filled at once; the rest is canceled.
    Ioc,
    /// All of it at once or nothing.
    Fok,
    /// Until a given time.
    Gtd,
}

/// Where orders go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    Live,
    Paper,
    Backtest,
}

/// Who wants something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The human at this machine.
    Operator,
    /// A strategy of ours.
    Strategy(StrategyId),
    /// A program on another's behalf: an MCP client, by the name it gave.
    Agent(String),
    /// The engine itself: brackets, recovery, end of data.
    System,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator => f.write_str("operator"),
            Self::Strategy(id) => write!(f, "strategy {id}"),
            Self::Agent(name) => write!(f, "agent {name}"),
            Self::System => f.write_str("system"),
        }
    }
}

/// The way a request came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Surface {
    Desktop,
    Rest,
    Grpc,
    Mcp,
    Console,
    Cli,
    Engine,
}

impl Surface {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Desktop => "desktop",
            Self::Rest => "rest",
            Self::Grpc => "grpc",
            Self::Mcp => "mcp",
            Self::Console => "console",
            Self::Cli => "cli",
            Self::Engine => "engine",
        }
    }
}

/// A sized request, before the risk gate has seen it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewOrder {
    pub client_order_id: ClientOrderId,
    pub account: AccountId,
    pub instrument: InstrumentId,
    pub side: Side,
    pub order_type: OrderType,
    pub qty: Quantity,
    /// Limit price; for limit and stop-limit orders.
    pub limit_price: Option<Price>,
    /// Trigger price; for stop, stop-limit and trailing-stop orders.
    pub stop_price: Option<Price>,
    /// Distance that a trailing stop keeps from the best price seen.
    pub trail_offset: Option<Price>,
    pub time_in_force: TimeInForce,
    pub expire_time: Option<Timestamp>,
    pub reduce_only: bool,
    pub post_only: bool,
    /// Exit legs that the engine places once this order fills; one cancels the other.
    pub take_profit: Option<Price>,
    pub stop_loss: Option<Price>,
    pub actor: Actor,
    /// For a bracket's exit leg: the entry it protects.
    pub parent: Option<OrderId>,
}

/// One execution of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fill {
    /// The venue's id, unique per account: what makes a fill count once.
    pub venue_fill_id: String,
    pub event_time: Timestamp,
    pub price: Price,
    pub qty: Quantity,
    /// In the instrument's quote currency; negative is a rebate.
    pub fee: Amount,
    pub liquidity: Liquidity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Liquidity {
    Maker,
    Taker,
}

/// Where an order is in its life.
///
/// ```text
/// Intent ─▶ Denied
///    └────▶ Sent ─▶ Rejected
///             ├───▶ Unknown ─▶ Rejected | NotAccepted (proof of absence) | Accepted
///             └───▶ Accepted ─▶ PartiallyFilled ─▶ Filled | Canceled | Expired
/// ```
/// Fills are legal in every state after `Sent`, also after a cancel: the venue's record wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Written to the journal, not yet judged or sent.
    Intent,
    /// Our gate said no.
    Denied,
    /// On its way; the venue has not answered.
    Sent,
    /// The answer was lost. Neither accepted nor rejected until the venue, asked, tells.
    Unknown,
    /// The venue said no.
    Rejected,
    /// Proven never to have reached the venue.
    NotAccepted,
    /// Resting or working at the venue.
    Accepted,
    PartiallyFilled,
    Filled,
    Canceled,
    Expired,
}

/// What moves an order on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderEvent {
    Deny,
    Send,
    Accept,
    Reject,
    /// Timeout, reset, 5xx, unreadable reply.
    LoseReply,
    /// The venue's acceptance window is over and two of its endpoints say it does not exist.
    ProveAbsent,
    /// An execution; `completes` when nothing is left.
    Fill {
        completes: bool,
    },
    Cancel,
    Expire,
    /// The venue changed its quantity; `completes` when what is filled is all of it now.
    Amend {
        completes: bool,
    },
}

/// A move that the table does not have. Recorded as an incident, never a panic on venue input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an order that is {from:?} cannot take {event:?}")]
pub struct IllegalTransition {
    pub from: OrderStatus,
    pub event: OrderEvent,
}

impl OrderStatus {
    /// The one table of legal moves.
    pub const fn transition(self, event: OrderEvent) -> Result<Self, IllegalTransition> {
        use OrderEvent as E;
        use OrderStatus as S;
        Ok(match (self, event) {
            (S::Intent, E::Deny) => S::Denied,
            (S::Intent, E::Send) => S::Sent,
            (S::Sent | S::Unknown, E::Accept) => S::Accepted,
            // A late acknowledgement of what is known to be alive or over changes nothing.
            (S::Accepted | S::PartiallyFilled | S::Filled | S::Canceled | S::Expired, E::Accept) => self,
            (S::Sent | S::Unknown, E::Reject) => S::Rejected,
            (S::Sent, E::LoseReply) => S::Unknown,
            (S::Unknown, E::ProveAbsent) => S::NotAccepted,
            // A fill proves that the order lived, whatever was believed before.
            (
                S::Sent
                | S::Unknown
                | S::Accepted
                | S::PartiallyFilled
                | S::Canceled
                | S::Expired
                | S::NotAccepted
                | S::Rejected,
                E::Fill { completes: true },
            ) => S::Filled,
            (S::Sent | S::Unknown | S::Accepted | S::PartiallyFilled, E::Fill { completes: false }) => {
                S::PartiallyFilled
            }
            (S::Canceled | S::Expired, E::Fill { completes: false }) => self,
            (S::NotAccepted | S::Rejected, E::Fill { completes: false }) => S::PartiallyFilled,
            (S::Sent | S::Unknown | S::Accepted | S::PartiallyFilled, E::Amend { completes: true }) => S::Filled,
            // An order that is amended at the venue lives there, although its acknowledgement may still be on its way.
            (S::Sent | S::Unknown, E::Amend { completes: false }) => S::Accepted,
            (S::Accepted | S::PartiallyFilled, E::Amend { completes: false }) => self,
            // Enlarged at the venue before the fill that seemed to be its last.
            (S::Filled, E::Amend { completes: false }) => S::PartiallyFilled,
            (S::Filled | S::Canceled | S::Expired, E::Amend { .. }) => self,
            (S::Sent | S::Unknown | S::Accepted | S::PartiallyFilled, E::Cancel) => S::Canceled,
            (S::Sent | S::Unknown | S::Accepted | S::PartiallyFilled, E::Expire) => S::Expired,
            _ => return Err(IllegalTransition { from: self, event }),
        })
    }

    /// Nothing more is expected of it (though a late fill may still come).
    pub const fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Denied | Self::Rejected | Self::NotAccepted | Self::Filled | Self::Canceled | Self::Expired
        )
    }
    /// It may still execute at the venue.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Sent | Self::Unknown | Self::Accepted | Self::PartiallyFilled)
    }
    /// A fill in this state contradicts what we believed and raises an alarm.
    pub const fn is_fill_suspicious(self) -> bool {
        matches!(self, Self::Canceled | Self::Expired | Self::NotAccepted | Self::Rejected)
    }
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Denied => "denied",
            Self::Sent => "sent",
            Self::Unknown => "unknown",
            Self::Rejected => "rejected",
            Self::NotAccepted => "not_accepted",
            Self::Accepted => "accepted",
            Self::PartiallyFilled => "partially_filled",
            Self::Filled => "filled",
            Self::Canceled => "canceled",
            Self::Expired => "expired",
        }
    }
}

/// An order of ours with everything known about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub id: OrderId,
    pub request: NewOrder,
    pub status: OrderStatus,
    pub venue_order_id: Option<VenueOrderId>,
    pub filled_qty: Quantity,
    /// Σ price × quantity of the fills.
    pub filled_notional: Amount,
    pub fees: Amount,
    /// A cancel is on its way; the order lives until the venue confirms.
    pub pending_cancel: bool,
    /// Why it was denied, rejected or canceled, or why it still waits.
    pub reason: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// The journal entry that caused it.
    pub caused_by: u64,
}

impl Order {
    pub fn leaves_qty(&self) -> Quantity {
        Quantity::from_raw((self.request.qty.raw() - self.filled_qty.raw()).max(0))
    }
    /// Mean price of its fills.
    pub fn average_price(&self) -> Option<Price> {
        self.filled_notional.per_unit(self.filled_qty).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [OrderStatus; 11] = [
        OrderStatus::Intent,
        OrderStatus::Denied,
        OrderStatus::Sent,
        OrderStatus::Unknown,
        OrderStatus::Rejected,
        OrderStatus::NotAccepted,
        OrderStatus::Accepted,
        OrderStatus::PartiallyFilled,
        OrderStatus::Filled,
        OrderStatus::Canceled,
        OrderStatus::Expired,
    ];

    #[test]
    fn a_fill_after_a_cancel_is_legal() {
        assert_eq!(OrderStatus::Canceled.transition(OrderEvent::Fill { completes: false }), Ok(OrderStatus::Canceled));
        assert_eq!(OrderStatus::Canceled.transition(OrderEvent::Fill { completes: true }), Ok(OrderStatus::Filled));
        assert!(OrderStatus::Canceled.is_fill_suspicious());
    }

    #[test]
    fn a_lost_reply_is_not_a_rejection() {
        assert_eq!(OrderStatus::Sent.transition(OrderEvent::LoseReply), Ok(OrderStatus::Unknown));
        assert!(OrderStatus::Sent.transition(OrderEvent::ProveAbsent).is_err());
        assert_eq!(OrderStatus::Unknown.transition(OrderEvent::ProveAbsent), Ok(OrderStatus::NotAccepted));
    }

    #[test]
    fn nothing_leaves_denied_and_nothing_reaches_the_venue_unsent() {
        for event in [
            OrderEvent::Deny,
            OrderEvent::Send,
            OrderEvent::Accept,
            OrderEvent::Reject,
            OrderEvent::LoseReply,
            OrderEvent::ProveAbsent,
            OrderEvent::Fill { completes: true },
            OrderEvent::Fill { completes: false },
            OrderEvent::Cancel,
            OrderEvent::Expire,
        ] {
            assert!(OrderStatus::Denied.transition(event).is_err());
            if !matches!(event, OrderEvent::Deny | OrderEvent::Send) {
                assert!(OrderStatus::Intent.transition(event).is_err());
            }
        }
    }

    #[test]
    fn no_event_leads_back_to_before() {
        for from in ALL {
            for event in [OrderEvent::Accept, OrderEvent::Cancel, OrderEvent::Fill { completes: true }] {
                if let Ok(to) = from.transition(event) {
                    assert!(
                        !matches!(to, OrderStatus::Intent | OrderStatus::Sent | OrderStatus::Unknown),
                        "{from:?} {event:?}"
                    );
                }
            }
        }
    }
}
