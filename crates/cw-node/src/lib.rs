//! The composition root: reads settings, opens the store, recovers the engine, starts the venues, and fills in the
//! services behind every command. Surfaces (server, command line, desktop) get [`Node::services`] and nothing else.
//!
//! Starting and recovering are one path: open the store, restore the newest snapshot, replay the journal behind it, bring
//! the tables up to date, hand open orders back to their venue and settle those of unknown fate, and only then let market
//! data in.

mod broker;
mod config;
mod enforce;
mod feed;
mod host;
mod logs;
mod node;
mod projector;
mod recorder;
mod recovery;
mod services;
mod shared;
mod timings;
mod venues;
mod words;

pub use config::{AccountSettings, ConfigError, NodeConfig, Settings};
pub use logs::LogRing;
pub use node::{Node, NodeError};
