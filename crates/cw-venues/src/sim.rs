//! The simulated market, venue code `SIM`.
//!
//! A price is a pure function of (seed, instrument, time). Nothing is stored and nothing is stepped: the candle of any
//! minute since 2015 costs the same, the trades inside it realise exactly that candle, and the same seed gives the same
//! bytes on every machine (integers, `+ − × ÷ √`, which IEEE 754 fixes, and the portable `libm` for exp and ln).
//!
//! How a price comes about:
//! - [`activity`]: a clock that runs faster when a market is busy (New York hours for shares, the week from Sunday to
//!   Friday for currencies). It never stops: there is always something to see.
//! - [`noise`]: a Brownian path over that clock, refined by halving. Its volatility is multiplied by a random factor at
//!   every halving, so calm and wild spells, trends and ranges come at all scales and last as long as their scale.
//! - [`market`]: an instrument's log price is its level plus a path that its asset class shares plus one of its own
//!   plus rare jumps; highest and lowest price follow from the law of a Brownian bridge.
//! - [`ticks`]: the trades of one minute, and the best bid and ask around each.

mod activity;
mod book;
mod catalog;
mod clock;
mod hash;
mod market;
mod noise;
mod provider;
mod selftest;
mod ticks;

pub use book::{Depth, DepthLevel};
pub use clock::{MarketClock, Speed, SpeedError};
pub use market::SimMarket;
pub use provider::SimProvider;
pub use selftest::{Check, Report, test};
