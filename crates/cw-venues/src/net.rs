//! What every venue behind a network shares, once: addresses, HTTP with time limits, retries, a request budget and a
//! circuit breaker, connections that come back, and numbers that may be nonsense.
//!
//! A venue's folder says what is particular to it; nothing in here knows a venue. Waiting is tokio's time, so that tests
//! run it paused; dates come from a [`cw_core::Clock`], chance from a seeded [`Random`].

mod backoff;
mod base_url;
mod breaker;
mod budget;
mod canary;
mod client;
mod health;
mod history;
#[cfg(test)]
pub(crate) mod hostile;
mod lenient;
mod link;
mod listing;
mod outside;
mod packed;
mod random;
mod secret;
mod talk;
mod tls;
mod transport;
mod venue;
mod wire;

pub use backoff::Backoff;
pub use base_url::{BaseUrl, UrlError, segment};
pub use breaker::{Breaker, Tolerance};
pub use budget::{Budget, Hint, Lane, Limits};
pub use client::{Call, HttpClient, Manner, Meaning, Parts, Reply, Transport, TransportError, http_date};
pub use health::Health;
pub use history::{Native, Plan, page_through, plan, within};
pub use lenient::{Num, aligned, candle, parse_rows, quote, read, time, trade};
pub use link::{Canary, Dialect, Gate, Link, LinkError, Out, Pace, run};
pub use listing::Listing;
pub use outside::{Address, address, plain, symbol};
pub use packed::{PackError, pack, unpack};
pub use random::Random;
pub use secret::Secret;
pub use talk::{Room, Speaker, Trouble, connection};
pub use transport::Network;
pub use venue::{Connection, Handles, Kind, Site, Venue};
pub use wire::{Frame, Lines, Socket, Wire};
