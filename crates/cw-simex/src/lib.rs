//! Venues on this machine: servers that speak the wire protocols of Alpaca, AsterDEX, OANDA, Polygon, Yahoo and Brave's
//! news as their public specifications say, over one seeded market or a replayed file.
//!
//! What is in here was written from the specifications and not from our clients, so that the two can disagree. The
//! market's own record is the truth that a test compares with; a plan of faults says what goes wrong and when, and a
//! control port lets another program move the clock, make a plan and take the truth.
//!
//! ```
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! use cw_simex::{Dialect, Exchange, Market, Server};
//! let exchange = Exchange::new(Market::seeded(7), "2026-03-04T12:00:00Z".parse().unwrap());
//! let server = Server::start(Dialect::Aster, &exchange).await?;
//! assert!(server.rest_url().starts_with("http://127.0.0.1:"));
//! # Ok::<(), std::io::Error>(()) })?;
//! # Ok::<(), std::io::Error>(())
//! ```

mod alpaca;
mod aster;
mod brave;
mod control;
mod exchange;
mod fault;
mod market;
mod news;
mod oanda;
mod polygon;
mod server;
mod session;
mod yahoo;

pub use exchange::{Exchange, ExchangeClock};
pub use fault::{Fault, Plan};
pub use market::{Market, ReplayError, SYMBOLS};
pub use news::Article;
pub use server::{Dialect, Server};
