//! From what the market says to candles: the [`Aggregator`] folds trades, quotes and candles of one instrument into any
//! set of timeframes by event time, [`fold`] does the same for a finished series, and [`Provider`] is what every source
//! of market data implements.
//!
//! The aggregator is part of the engine's deterministic state: it reads no clock, keeps no hash map and computes no
//! float. There is no I/O in this crate; a provider's network lives with its venue.
//!
//! ```
//! use cw_core::{Timeframe, Timestamp, Trade};
//! use cw_market::{Aggregator, CandleUpdate};
//!
//! let mut aggregator = Aggregator::new(&[Timeframe::M1, Timeframe::M5], 5_000_000_000);
//! let mut closed = Vec::new();
//! for (seq, (time, price)) in [("2024-01-01T12:00:10Z", "100"), ("2024-01-01T12:01:10Z", "101")].iter().enumerate() {
//!     let trade = Trade { event_time: time.parse()?, price: price.parse()?, qty: "1".parse()?, aggressor: None, trade_id: 0 };
//!     aggregator.on_trade(&trade, seq as u64, &mut |update| closed.push(update));
//! }
//! assert!(matches!(closed[..], [CandleUpdate::Closed { timeframe: Timeframe::M1, .. }]));
//! assert_eq!(aggregator.forming(Timeframe::M5).unwrap().so_far.close.to_string(), "101");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod aggregator;
mod bars;
mod book;
mod bucket;
mod filter;
mod fold;
mod follow;
mod keeper;
mod news;
mod provider;
mod seen;

pub use aggregator::{Aggregator, CandleUpdate, Discarded, SeqRange, Verdict};
pub use bars::{Bar, Bars};
pub use book::{Book, BookDiff, BookGap, BookSnapshot, Depth, Level};
pub use filter::{Filter, FilterRules, Quarantined, Suspicion, believed};
pub use fold::{fold, fold_sessions};
pub use follow::{Followed, Told, follow};
pub use keeper::{Delivery, Keeper, Kept, Question};
pub use news::{Absorbed, NewsProvider, NewsRequest, SAME_STORY_NANOS, absorb, same_story};
pub use provider::{
    BreakerState, CandleRequest, Capabilities, ConnectionStatus, EventSink, FeedEvent, Funding, Pacing, Provider,
    ProviderError, ProviderState, ProviderStatus, Purpose, Refused, matches,
};
