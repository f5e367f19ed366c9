//! `candlewick`: every command of the registry from a terminal, the headless engine, and the MCP bridge.
//!
//! `candlewick noun verb …` runs a command: in the running engine of its data directory, or on the store itself when there
//! is none. Words are read by the parser that the console uses as well, from the same schemas; there is no second list of
//! flags. Results go to stdout, everything else to stderr.

mod claude;
mod client;
mod completions;
mod doctor;
mod engine;
mod mcp;
mod options;
mod output;
mod own;
mod run;
mod sim;
mod ui;
mod verb;

use std::process::ExitCode;

use cw_api::{ApiError, ErrorCode, TraceId};

use options::{Format, Invocation, Plan};

/// Exit codes that no error code stands for.
pub(crate) const EXIT_USAGE: u8 = 2;

/// Why a run of the program failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The words do not fit; printed with a pointer to the help.
    Usage(String, Option<String>),
    Api(ApiError),
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl Failure {
    fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(..) => EXIT_USAGE,
            Self::Api(error) => error.code.exit_code(),
        }
    }
    fn into_error(self) -> ApiError {
        let mut error = match self {
            Self::Api(error) => error,
            Self::Usage(message, field) => ApiError { field, ..ApiError::new(ErrorCode::InvalidRequest, message) },
        };
        if error.trace_id.is_empty() {
            TraceId::random().as_str().clone_into(&mut error.trace_id);
        }
        error
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let json = words.windows(2).any(|pair| pair[0] == "--format" && pair[1] == "json")
        || words.iter().any(|word| word == "--format=json");
    let outcome = Invocation::parse(words).and_then(|invocation| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| ApiError::internal(format!("the runtime cannot start: {error}")))?;
        let outcome = runtime.block_on(act(invocation));
        // A blocking read of a terminal must not hold the exit up.
        runtime.shutdown_background();
        outcome
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let code = failure.exit_code();
            let usage = matches!(failure, Failure::Usage(..));
            let error = failure.into_error();
            if json {
                output::error_line(&serde_json::to_string(&error).unwrap_or_else(|_| error.message.clone()));
            } else {
                output::error_line(&format!("error: {}", error.message));
                for reason in &error.reasons {
                    output::error_line(&format!("  {reason}"));
                }
                if usage {
                    output::error_line(
                        "`candlewick help` lists the commands, `candlewick help NOUN VERB` explains one.",
                    );
                }
            }
            ExitCode::from(code)
        }
    }
}

async fn act(invocation: Invocation) -> Result<(), Failure> {
    let Invocation { globals, plan } = invocation;
    match plan {
        Plan::Text(text) => output::text(&text),
        Plan::Verb { entry, request } => verb::run(&globals, entry, request).await,
        Plan::Run(options) => run::run(&globals, options).await,
        Plan::Sim(options) => sim::run(&globals, options).await,
        Plan::Mcp => mcp::serve(&globals).await,
        Plan::McpInstall(options) => {
            let report = claude::install(&globals, &options)?;
            output::value(&globals, &report, &serde_json::Value::Null)
        }
        Plan::Completions(options) => output::text(&completions::script(options.shell)),
        Plan::Doctor => doctor::run(&globals).await,
        Plan::Url => {
            let url = verb::pairing_url(&globals).await?;
            match globals.format {
                Format::Json => output::value(&globals, &serde_json::json!({ "url": url }), &serde_json::Value::Null),
                _ => output::text(&url),
            }
        }
    }
}
