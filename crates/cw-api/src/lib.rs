//! The contract of Candlewick: every capability as one typed command.
//!
//! A command is a request type with a handler ([`Command`]). Its name is the REST path, the MCP tool, the console and
//! command-line verb and the IPC name; its doc comment is the help text on all of them; its JSON Schema and TypeScript
//! types are read off it. All surfaces call [`dispatch`] and nothing else, so validation, permission, audit and trace
//! ids are the same everywhere. Live data comes through [`stream`].
//!
//! This crate has no I/O: what a command needs, it asks of [`Services`], which the composition root fills in.

pub mod access;
pub mod args;
mod audit;
pub mod commands;
pub mod console;
mod context;
mod error;
pub mod frame;
mod prelude;
mod registry;
pub mod services;
pub mod stream;
mod suggest;
pub mod table;

use std::collections::BTreeMap;

use serde::Deserialize;

pub use access::{Access, Risk};
pub use context::{Caller, Context, TraceId};
pub use error::{ApiError, ErrorCode};
pub use registry::{COMMANDS, Command, Entry, FileContent, Output, Reply, dispatch, find};
pub use services::Services;

/// Reads a map whose values may be written as text, numbers or booleans: `{"fast": 10, "short": false}`.
fn text_map<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Scalar {
        Text(String),
        Number(serde_json::Number),
        Bool(bool),
    }
    let map = BTreeMap::<String, Scalar>::deserialize(deserializer)?;
    let text = |value| match value {
        Scalar::Text(text) => text,
        Scalar::Number(number) => number.to_string(),
        Scalar::Bool(bool) => bool.to_string(),
    };
    Ok(map.into_iter().map(|(key, value)| (key, text(value))).collect())
}
