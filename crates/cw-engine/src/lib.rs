//! The engine: the one owner of trading state.
//!
//! [`Engine::apply`] is a synchronous function of (state, input): it changes the state, and hands out what happened
//! ([`Record`]s for the journal), what must be done outside ([`Effect`]s) and what people want to see (candles). It reads
//! no clock, draws no outside randomness and awaits nothing, so the same inputs give the same state on every machine.
//!
//! Live, paper, backtest and replay run this same engine; they differ in who feeds it and who performs its effects:
//!
//! | | inputs from | effects to |
//! |---|---|---|
//! | live, paper | providers, brokers, people, through [`runtime`] | brokers, after the journal has them |
//! | backtest | historical candles | the paper broker, at once |
//! | replay | the journal | nobody; they are compared with what is written |
//!
//! The engine knows no venue and no store: the journal goes out as bytes through [`runtime::Host`].

mod account;
mod command;
mod config;
mod engine;
mod input;
mod instrument;
pub mod journal;
mod record;
pub mod replay;
pub mod runtime;
mod strategy;

pub use account::{AccountState, PositionState};
pub use command::{Approval, ApprovalState, Command, CommandError, Envelope, OrderRequest, Reply};
pub use config::{AccountConfig, EngineConfig};
pub use engine::{AccountSummary, Effect, Engine, Output, Preview, PreviewError, RestoreError, state_hash_of};
pub use input::Input;
pub use instrument::InstrumentState;
pub use record::{Decision, FillRecord, Incident, LedgerAccount, Meta, Notice, Posting, Record, RecordRef, Verdict};
pub use strategy::{StrategyInstance, StrategyStatus};
