//! The commands, one module per area. To add one: write its request and response here, add its line to the registry's
//! list, run `cargo run -p xtask -- codegen`.

pub mod backtests;
pub mod data;
pub mod enrich;
pub mod journal;
pub mod market;
pub mod narrative;
pub mod news;
pub mod orders;
pub mod patterns;
pub mod portfolio;
pub mod registry;
pub mod risk;
pub mod sessions;
pub mod similar;
pub mod sources;
pub mod strategies;
pub mod structure;
pub mod system;
pub mod ticks;
pub mod training;
