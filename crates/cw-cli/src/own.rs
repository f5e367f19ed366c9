//! The program's own verbs, which are not commands of the registry. Their arguments are described the same way, so that
//! one parser and one help serve all.

use cw_api::args::Spec;
use schemars::JsonSchema;
use serde::Deserialize;

/// Runs the engine without a window and serves its UI, its API and MCP on this machine until it is told to stop.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunOptions {
    /// Loopback address and port of the HTTP server; port 0 takes any free one. Without it 127.0.0.1:7480, or any free
    /// port when that is taken.
    #[serde(default)]
    pub listen: Option<String>,
    /// Serve MCP over HTTP at /mcp as well.
    #[serde(default)]
    pub mcp_http: bool,
    /// Folder of a UI to serve instead of the built-in one.
    #[serde(default)]
    pub ui: Option<String>,
}

/// Runs the simulated venues alone: servers on this machine that speak the protocols of Alpaca, AsterDEX, OANDA, Polygon,
/// Yahoo and Brave's news, and a port to plan faults. Prints a configuration that connects an engine to them.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SimOptions {
    /// The same seed gives the same market; 1 without it.
    #[serde(default)]
    pub seed: Option<u64>,
    /// The control port, the venues having the five after it and the news the sixth; free ports without it.
    #[serde(default)]
    pub port: Option<u16>,
    /// Write the configuration into this file as well.
    #[serde(default)]
    pub write_config: Option<String>,
}

/// Serves MCP over standard input and output: a bridge to the running engine, or the store read-only when none runs.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct McpCommand {}

/// Writes this program into Claude Desktop's configuration; what is there stays, and the old file is kept beside it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct McpInstall {
    /// The configuration file; Claude Desktop's own without it.
    #[serde(default)]
    pub file: Option<String>,
    /// Show what would be written and write nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// Checks what the program needs: data directory, database, running engine, permissions, disk, UI.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Doctor {}

/// Prints a new address with a one-time code that opens the running engine's UI in a browser.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Url {}

/// Prints a script that lets a shell complete verbs, flags and their values.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Completions {
    /// The shell it is for.
    #[schemars(extend("x-position" = 0))]
    pub shell: Shell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// The arguments of an own verb.
pub fn spec<T: JsonSchema>() -> Spec {
    let mut settings = schemars::generate::SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    Spec::from_schema(&settings.into_generator().into_root_schema_for::<T>().to_value())
}

/// Every own verb: its words and its arguments.
pub fn all() -> [(&'static str, Spec); 7] {
    [
        ("run", spec::<RunOptions>()),
        ("sim", spec::<SimOptions>()),
        ("mcp", spec::<McpCommand>()),
        ("mcp install", spec::<McpInstall>()),
        ("doctor", spec::<Doctor>()),
        ("url", spec::<Url>()),
        ("completions", spec::<Completions>()),
    ]
}
