//! A backtest is the engine of the live program, fed with historical candles and answered by the paper broker.
//!
//! Every order takes the whole path: decision, risk gate, broker, report, fill, position, ledger. Nothing here knows a
//! shortcut, so what a backtest does, paper and live trading do.

mod audit;
mod metrics;
mod run;

pub use audit::{EquityPoint, ExitReason, RoundTrip};
pub use metrics::Metrics;
pub use run::{BacktestError, BacktestResult, Closed, Setup, run};
