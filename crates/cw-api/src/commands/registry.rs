//! The registry about itself, and the console.

use super::market::Completion;
use crate::access::{Access, Risk};
use crate::context::Context;
use crate::error::ApiError;
use crate::prelude::*;
use crate::registry::{COMMANDS, Command, Entry};

/// Lists every command with its schemas, access and risk class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ListCommands {}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct CommandList {
    pub commands: Vec<CommandInfo>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct CommandInfo {
    /// `orders.place`: also the REST path, the MCP tool and the console verb.
    pub name: String,
    pub title: String,
    pub description: String,
    pub access: Access,
    pub risk: Risk,
    /// `json` or `binary`.
    pub response: ResponseKind,
    /// JSON Schema of the arguments.
    pub request_schema: Value,
    /// JSON Schema of the result.
    pub response_schema: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum ResponseKind {
    Json,
    Binary,
}

/// Runs one line of the console.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct RunConsole {
    #[schemars(extend("x-position" = 0))]
    pub line: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct ConsoleOutput {
    pub blocks: Vec<ConsoleBlock>,
}

/// A piece of a console answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ConsoleBlock {
    Table {
        columns: Vec<String>,
        rows: Vec<Vec<Option<String>>>,
    },
    Text {
        text: String,
    },
    Json {
        value: Value,
    },
    /// `caret` is the first byte of the bad part of the line and one past its last.
    Error {
        error: crate::ApiError,
        #[serde(skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        caret: Option<Caret>,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct Caret {
    pub start: u32,
    pub end: u32,
}

/// Proposes what may come next in a line of the console.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct CompleteConsole {
    #[schemars(extend("x-position" = 0))]
    pub line: String,
    /// Where the cursor is, in bytes; the end without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct ConsoleCompletions {
    pub items: Vec<Completion>,
    /// First byte of what an item replaces.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
    /// What would follow the cursor if the first item were taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ghost: Option<String>,
}

impl Command for ListCommands {
    type Response = CommandList;
    const NAME: &'static str = "commands.list";
    const ACCESS: Access = Access::Read;
    const RISK: Risk = Risk::None;
    async fn run(self, _: &Context) -> Result<CommandList, ApiError> {
        Ok(CommandList { commands: COMMANDS.iter().map(Entry::info).collect() })
    }
}

impl Command for RunConsole {
    type Response = ConsoleOutput;
    const NAME: &'static str = "console.run";
    /// Reading alone: what a line asks for is checked by its own command.
    const ACCESS: Access = Access::Read;
    const RISK: Risk = Risk::None;
    async fn run(self, cx: &Context) -> Result<ConsoleOutput, ApiError> {
        Ok(crate::console::run(&self.line, cx).await)
    }
}

impl Command for CompleteConsole {
    type Response = ConsoleCompletions;
    const NAME: &'static str = "console.complete";
    const ACCESS: Access = Access::Read;
    const RISK: Risk = Risk::None;
    async fn run(self, cx: &Context) -> Result<ConsoleCompletions, ApiError> {
        let cursor = self.cursor.map_or(self.line.len(), |cursor| cursor as usize);
        Ok(crate::console::complete(&self.line, cursor, cx).await)
    }
}
