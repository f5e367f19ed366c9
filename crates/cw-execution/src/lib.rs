//! Brokers: what they accept ([`cw_risk::ApprovedOrder`] and nothing else), what they report ([`VenueReport`]), and the
//! [`PaperBroker`], the matching core behind backtests and the simulated venue.
//!
//! The paper broker is synchronous and deterministic: the same orders and the same market give the same reports.

mod broker;
mod paper;

pub use broker::{Ack, Broker, BrokerError, VenueReport};
pub use paper::{FillModel, FillTiming, PaperBroker};
