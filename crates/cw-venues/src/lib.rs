//! The venues, one folder each. A venue's raw types never leave its folder; what comes out speaks the words of
//! `cw-core` and the [`cw_market::Provider`] trait.
//!
//! | venue | code | gives |
//! |---|---|---|
//! | [`sim`] | `SIM` | a simulated market: 25 instruments, any history, a live stream with a clock of its own |
//! | [`alpaca`] | `ALPACA` | US stocks and crypto: history, and a stream of candles, trades and quotes |
//! | [`aster`] | `ASTER` | perpetual futures: history, and a stream of candles, trades, best and mark prices |
//! | [`oanda`] | `OANDA` | currencies and CFDs: history of bid, ask or their middle, and a stream of prices |
//! | [`polygon`] | `POLYGON` | US stocks, currencies and crypto: history and a stream of candles, trades and quotes |
//! | [`yahoo`] | `YAHOO` | history without a key, delayed and unofficial |
//!
//! [`catalog`] is the table of those behind a network, [`news`] of those that tell what publishers write ([`brave`] and
//! [`alpaca`]); [`net`] is what all of them share.

pub mod alpaca;
pub mod aster;
pub mod brave;
pub mod catalog;
pub mod decode;
pub mod net;
pub mod news;
pub mod oanda;
pub mod polygon;
pub mod sim;
pub mod yahoo;
