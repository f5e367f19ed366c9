//! What every venue behind a network shares, once: addresses, HTTP with time limits, retries, a request budget and a
//! circuit breaker, connections that come back, and numbers that may be nonsense.
//!
//! A venue's folder says what is particular to it; nothing in here knows a venue. Waiting is tokio's time, so that tests
//! run it paused; dates come from a [`cw_core::Clock`], chance from a seeded [`Random`].

mod backoff;
mod base_url;
mod breaker;
mod budget;
mod client;
mod health;
mod history;
mod lenient;
mod link;
mod random;
mod secret;
mod tls;
mod transport;
mod wire;

pub use backoff::Backoff;
pub use base_url::{BaseUrl, UrlError, segment};
pub use breaker::Breaker;
pub use budget::{Budget, Hint, Lane, Limits};
pub use client::{Call, HttpClient, Manner, Parts, Reply, Transport, TransportError};
pub use health::{Health, Quarantined};
pub use history::{Native, Plan, page_through, plan, within};
pub use lenient::{Num, candle, parse_rows};
pub use link::{Dialect, Gate, Link, LinkError, Out, Pace, run};
pub use random::Random;
pub use secret::Secret;
pub use transport::Network;
pub use wire::{Frame, Lines, Socket, Wire};
