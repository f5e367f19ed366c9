//! The risk gate. [`OrderGate::check`] is the only maker of [`ApprovedOrder`], and an approved order is the only thing a
//! broker accepts, so there is no way around it: not from a strategy, a console, an MCP client or a test.
//!
//! Pure: the gate sees a [`Book`] (what the engine knows right now) and its own counters, and answers. No I/O, no clock.
//!
//! A second crate cannot build an approved order:
//!
//! ```compile_fail
//! fn forge(order: cw_core::NewOrder) -> cw_risk::ApprovedOrder {
//!     cw_risk::ApprovedOrder(order)
//! }
//! ```

mod gate;
mod limits;

pub use gate::{ApprovedOrder, Book, Check, CheckResult, Denied, OrderGate};
pub use limits::{LimitError, Limits};
