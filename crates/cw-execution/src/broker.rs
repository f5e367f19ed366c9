//! The seam to a venue's order side.

use cw_core::{ClientOrderId, Fill, Quantity, VenueOrderId};
use cw_risk::ApprovedOrder;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

/// What a venue tells about an order of ours. An input of the engine, so it is journaled before it counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VenueReport {
    Accepted {
        client_order_id: ClientOrderId,
        venue_order_id: VenueOrderId,
    },
    /// The venue's explicit no.
    Rejected {
        client_order_id: ClientOrderId,
        reason: String,
    },
    Filled {
        client_order_id: ClientOrderId,
        fill: Fill,
    },
    Canceled {
        client_order_id: ClientOrderId,
        reason: String,
    },
    /// The order could not be canceled, for example because it is filled.
    CancelRejected {
        client_order_id: ClientOrderId,
        reason: String,
    },
    Expired {
        client_order_id: ClientOrderId,
    },
    /// The resting order now has this quantity.
    Amended {
        client_order_id: ClientOrderId,
        qty: Quantity,
    },
    /// Timeout, reset or an unreadable answer: accepted or not, nobody knows yet.
    ReplyLost {
        client_order_id: ClientOrderId,
        reason: String,
    },
    /// Proof that the venue never took the order.
    NotFound {
        client_order_id: ClientOrderId,
    },
}

impl VenueReport {
    pub const fn client_order_id(&self) -> &ClientOrderId {
        match self {
            Self::Accepted { client_order_id, .. }
            | Self::Rejected { client_order_id, .. }
            | Self::Filled { client_order_id, .. }
            | Self::Canceled { client_order_id, .. }
            | Self::CancelRejected { client_order_id, .. }
            | Self::Expired { client_order_id }
            | Self::Amended { client_order_id, .. }
            | Self::ReplyLost { client_order_id, .. }
            | Self::NotFound { client_order_id } => client_order_id,
        }
    }
}

/// The venue took the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ack {
    pub client_order_id: ClientOrderId,
    pub venue_order_id: VenueOrderId,
}

/// Why a request to a venue did not succeed, by what the caller can do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BrokerError {
    /// The venue said no, in its own words. Final.
    #[error("{0}")]
    Refused(String),
    /// No answer, or none that could be read. The order may live: ask by client order id, never resend.
    #[error("no clear answer from the venue: {0}")]
    Unknown(String),
    /// Nothing was sent: not connected, or held back by our own limiter.
    #[error("not sent: {0}")]
    NotSent(String),
}

/// A venue's order side. Takes only what passed the gate.
pub trait Broker: Send + Sync {
    fn submit(&self, order: ApprovedOrder) -> BoxFuture<'_, Result<Ack, BrokerError>>;
    fn cancel(&self, client_order_id: &ClientOrderId) -> BoxFuture<'_, Result<(), BrokerError>>;
    fn amend_quantity(&self, client_order_id: &ClientOrderId, qty: Quantity) -> BoxFuture<'_, Result<(), BrokerError>>;
}
