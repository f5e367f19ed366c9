//! What every command module needs.

pub(crate) use schemars::JsonSchema;
pub(crate) use serde::{Deserialize, Serialize};
pub(crate) use serde_json::Value;
pub(crate) use ts_rs::TS;

pub(crate) use crate::registry::{FileContent, command};
