//! The doors of the engine. REST, the live stream and MCP are loops over `cw-api`'s registry: nothing here knows what a
//! command does.
//!
//! The HTTP server is for this machine's own programs and browser tabs. It binds to loopback only and assumes that any web
//! page may try to reach it: see [`http`] for the order of its checks.

mod doors;
pub mod http;
pub mod mcp;
mod openapi;
mod session;
pub mod ui;

pub use doors::{DoorError, DoorOptions, Doors, EngineFile};
pub use openapi::document as openapi_document;
pub use session::{Sessions, random_token};
