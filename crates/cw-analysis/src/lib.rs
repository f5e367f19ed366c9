//! Indicators, the expression language and rule strategies: everything between a closed candle and a decision.
//!
//! Pure: no clock, no I/O, no randomness, and floats only through `+ - * / sqrt`, `mul_add` and `libm`, so that a run
//! gives the same bits on every machine. Floats end here; whoever turns a value into an order rounds it to the instrument.
//!
//! ```
//! use std::collections::BTreeMap;
//! use cw_analysis::Strategy;
//! use cw_core::{Candle, Price, Timeframe, Timestamp, Volume};
//!
//! let ema_cross = Strategy::shipped()[0].source;
//! let params = BTreeMap::from([("fast".to_owned(), "2".to_owned()), ("slow".to_owned(), "3".to_owned())]);
//! let strategy = Strategy::from_toml(ema_cross, &params)?;
//! let mut state = strategy.new_state(Timeframe::M1)?;
//! let mut entries = Vec::new();
//! for (minute, close) in [10, 9, 8, 7, 9, 12].into_iter().enumerate() {
//!     let price = Price::from_raw(close * 1_000_000_000);
//!     let open_time = Timestamp::from_secs(60 * minute as i64);
//!     let candle = Candle { open_time, open: price, high: price, low: price, close: price, volume: Volume::ZERO };
//!     if strategy.update(&mut state, &candle).enter_long {
//!         entries.push(minute);
//!     }
//! }
//! assert_eq!(entries, [5]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![expect(clippy::inline_always, reason = "what is compiled for wider instructions has to be part of what says so")]

pub mod candlestick;
pub mod enrich;
mod expr;
pub mod features;
mod filter;
mod indicator;
pub mod indicators;
pub mod narrative;
mod ohlcv;
mod program;
pub mod rag;
pub mod similar;
mod strategy;
pub mod structure;
mod study;
#[cfg(test)]
mod testing;
mod wide;
mod window;

pub use expr::{
    Completion, CompletionItem, ExprError, Expression, ExpressionState, Kind, MAX_DEPTH, MAX_TEXT, Value, complete,
    complete_with,
};
pub use indicator::{Group, Indicator, Input, InputKind, MAX_PERIOD, Output, Pane, Param, Spec};
#[doc(hidden)]
pub use indicator::{Out, Rows};
pub use ohlcv::{Columns, ColumnsError, Ohlcv};
pub use program::TimeframeMismatch;
pub use strategy::{
    ParamValue, Shipped, Signals, Size, Strategy, StrategyError, StrategyParam, StrategyState, TraceValue,
};
pub use study::{StudySet, StudyState};
