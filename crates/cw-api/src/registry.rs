//! The registry: what a command is, the list of all of them, and the one way to call one.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use ts_rs::TS;

use crate::access::{Access, Risk};
use crate::audit;
use crate::commands::registry::{CommandInfo, ResponseKind};
use crate::commands::*;
use crate::context::Context;
use crate::error::{ApiError, ErrorCode};
use crate::frame::{ChartFrame, ChartHeader};

/// One capability. The request's doc comment is its help text on every surface.
pub trait Command: DeserializeOwned + JsonSchema + TS + Send + 'static {
    type Response: Reply;
    /// `orders.place`: IPC name, REST path, MCP tool, console verb.
    const NAME: &'static str;
    const ACCESS: Access;
    const RISK: Risk;
    fn run(self, cx: &Context) -> impl Future<Output = Result<Self::Response, ApiError>> + Send;
}

/// Makes a request type a command that one service method answers.
macro_rules! command {
    ($request:ident => $name:literal, $access:ident, $risk:ident, $response:ty, $service:ident.$method:ident) => {
        impl $crate::registry::Command for $request {
            type Response = $response;
            const NAME: &'static str = $name;
            const ACCESS: $crate::access::Access = $crate::access::Access::$access;
            const RISK: $crate::access::Risk = $crate::access::Risk::$risk;
            async fn run(self, cx: &$crate::Context) -> Result<$response, $crate::ApiError> {
                cx.services.$service.$method(&cx.caller, self).await
            }
        }
    };
}
pub(crate) use command;

/// What a command answers with.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    Json(Value),
    Binary { content_type: &'static str, bytes: Bytes },
}

impl Output {
    /// The answer as JSON. Surfaces that have nothing else carry bytes as base64, and text as text.
    pub fn into_json(self) -> Value {
        match self {
            Self::Json(value) => value,
            Self::Binary { content_type, bytes } => {
                let mut object = Map::new();
                object.insert("content_type".into(), content_type.into());
                match std::str::from_utf8(&bytes) {
                    Ok(text) if is_text(content_type) => object.insert("text".into(), text.into()),
                    _ => {
                        use base64::Engine as _;
                        let encoded = base64::engine::general_purpose::STANDARD.encode(&bytes);
                        object.insert("base64".into(), encoded.into())
                    }
                };
                Value::Object(object)
            }
        }
    }
}

fn is_text(content_type: &str) -> bool {
    content_type.starts_with("text/") || matches!(content_type, "application/json" | "application/x-ndjson")
}

/// The bytes of a file that a command made.
#[derive(Debug, Clone, PartialEq)]
pub struct FileContent {
    pub content_type: &'static str,
    pub bytes: Bytes,
}

/// A response type: anything with a schema, or bytes.
pub trait Reply: Send + 'static {
    const KIND: ResponseKind;
    fn schema(generator: &mut SchemaGenerator) -> Schema;
    fn typescript(cfg: &ts_rs::Config) -> String;
    fn into_output(self) -> Result<Output, ApiError>;
}

impl<T: Serialize + JsonSchema + TS + Send + 'static> Reply for T {
    const KIND: ResponseKind = ResponseKind::Json;
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<T>()
    }
    fn typescript(cfg: &ts_rs::Config) -> String {
        <T as TS>::name(cfg)
    }
    fn into_output(self) -> Result<Output, ApiError> {
        serde_json::to_value(self).map(Output::Json).map_err(ApiError::internal)
    }
}

fn bytes_schema() -> Schema {
    schemars::json_schema!({
        "type": "object",
        "description": "Bytes. Surfaces that carry only JSON give text as text and other bytes as base64.",
        "properties": {
            "content_type": { "type": "string" },
            "text": { "type": "string" },
            "base64": { "type": "string" }
        },
        "required": ["content_type"]
    })
}

impl Reply for FileContent {
    const KIND: ResponseKind = ResponseKind::Binary;
    fn schema(_: &mut SchemaGenerator) -> Schema {
        bytes_schema()
    }
    fn typescript(_: &ts_rs::Config) -> String {
        "ArrayBuffer".to_owned()
    }
    fn into_output(self) -> Result<Output, ApiError> {
        Ok(Output::Binary { content_type: self.content_type, bytes: self.bytes })
    }
}

impl Reply for ChartFrame {
    const KIND: ResponseKind = ResponseKind::Binary;
    fn schema(_: &mut SchemaGenerator) -> Schema {
        bytes_schema()
    }
    fn typescript(_: &ts_rs::Config) -> String {
        "ArrayBuffer".to_owned()
    }
    fn into_output(self) -> Result<Output, ApiError> {
        let bytes = self.encode().map_err(ApiError::internal)?;
        Ok(Output::Binary { content_type: "application/octet-stream", bytes })
    }
}

type Run = for<'a> fn(Value, &'a Context) -> BoxFuture<'a, Result<Output, ApiError>>;

/// A line of the list: a command with its types erased.
#[derive(Clone, Copy)]
pub struct Entry {
    pub name: &'static str,
    pub access: Access,
    pub risk: Risk,
    pub response_kind: ResponseKind,
    /// The request's and the response's JSON Schema, for a document that collects definitions.
    pub request: fn(&mut SchemaGenerator) -> Schema,
    pub response: fn(&mut SchemaGenerator) -> Schema,
    /// Names of the request's and the response's TypeScript types.
    pub typescript: fn(&ts_rs::Config) -> (String, String),
    /// Writes the TypeScript of both, with everything they use.
    pub export: fn(&ts_rs::Config) -> Result<(), ts_rs::ExportError>,
    type_name: fn() -> String,
    run: Run,
}

impl Entry {
    const fn of<C: Command>() -> Self
    where
        C::Response: ExportReply,
    {
        Self {
            name: C::NAME,
            access: C::ACCESS,
            risk: C::RISK,
            response_kind: C::Response::KIND,
            request: |generator| generator.subschema_for::<C>(),
            response: C::Response::schema,
            typescript: |cfg| (C::name(cfg), C::Response::typescript(cfg)),
            export: |cfg| {
                C::export_all(cfg)?;
                C::Response::export_reply(cfg)
            },
            type_name: || C::schema_name().into_owned(),
            run: |body, cx| {
                async move {
                    let request: C = read(body)?;
                    request.run(cx).await?.into_output()
                }
                .boxed()
            },
        }
    }

    /// `orders`
    pub fn noun(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(noun, _)| noun)
    }
    /// `place`
    pub fn verb(&self) -> &'static str {
        self.name.split_once('.').map_or("", |(_, verb)| verb)
    }
    /// `orders_place`, a name that every MCP client accepts.
    pub fn tool_name(&self) -> String {
        self.name.replace('.', "_")
    }
    /// "Place order"
    pub fn title(&self) -> String {
        let mut title = String::new();
        for c in (self.type_name)().chars() {
            if c.is_ascii_uppercase() && !title.is_empty() {
                title.push(' ');
                title.push(c.to_ascii_lowercase());
            } else {
                title.push(c);
            }
        }
        title
    }
    /// The request's schema on its own: no references, no formats that validators do not know.
    pub fn request_schema(&self) -> Value {
        inline(self.request)
    }
    /// The response's schema on its own.
    pub fn response_schema(&self) -> Value {
        inline(self.response)
    }
    /// What it does, in the words of its doc comment.
    pub fn description(&self) -> String {
        self.request_schema()["description"].as_str().unwrap_or_default().to_owned()
    }
    pub fn info(&self) -> CommandInfo {
        let request_schema = self.request_schema();
        CommandInfo {
            name: self.name.to_owned(),
            title: self.title(),
            description: request_schema["description"].as_str().unwrap_or_default().to_owned(),
            access: self.access,
            risk: self.risk,
            response: self.response_kind,
            request_schema,
            response_schema: self.response_schema(),
        }
    }
}

/// Writes the TypeScript of a response type.
pub trait ExportReply: Reply {
    fn export_reply(cfg: &ts_rs::Config) -> Result<(), ts_rs::ExportError>;
}
impl<T: Serialize + JsonSchema + TS + Send + 'static> ExportReply for T {
    fn export_reply(cfg: &ts_rs::Config) -> Result<(), ts_rs::ExportError> {
        T::export_all(cfg)
    }
}
impl ExportReply for FileContent {
    fn export_reply(_: &ts_rs::Config) -> Result<(), ts_rs::ExportError> {
        Ok(())
    }
}
impl ExportReply for ChartFrame {
    fn export_reply(cfg: &ts_rs::Config) -> Result<(), ts_rs::ExportError> {
        ChartHeader::export_all(cfg)
    }
}

/// A schema with everything in place. `format` is dropped: schemars writes Rust's number widths there, which validators
/// warn about, and `minimum` says the rest.
fn inline(schema: fn(&mut SchemaGenerator) -> Schema) -> Value {
    let mut generator = SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true).into_generator();
    let mut value = schema(&mut generator).to_value();
    strip_formats(&mut value);
    value
}

fn strip_formats(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if object.get("format").is_some_and(Value::is_string) {
                object.shift_remove("format");
            }
            object.values_mut().for_each(strip_formats);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_formats),
        _ => {}
    }
}

/// Every command, one line each.
pub const COMMANDS: &[Entry] = &[
    Entry::of::<orders::PreviewOrder>(),
    Entry::of::<orders::PlaceOrder>(),
    Entry::of::<orders::CancelOrder>(),
    Entry::of::<orders::ListOrders>(),
    Entry::of::<portfolio::ListPositions>(),
    Entry::of::<portfolio::ClosePosition>(),
    Entry::of::<portfolio::ListFills>(),
    Entry::of::<portfolio::ListAccounts>(),
    Entry::of::<risk::ShowRisk>(),
    Entry::of::<risk::SetRisk>(),
    Entry::of::<risk::HaltTrading>(),
    Entry::of::<risk::ResumeTrading>(),
    Entry::of::<risk::ListApprovals>(),
    Entry::of::<risk::AcceptApproval>(),
    Entry::of::<risk::DenyApproval>(),
    Entry::of::<strategies::ListStrategies>(),
    Entry::of::<strategies::StartStrategy>(),
    Entry::of::<strategies::StopStrategy>(),
    Entry::of::<strategies::RunningStrategies>(),
    Entry::of::<strategies::ListDecisions>(),
    Entry::of::<market::ListSymbols>(),
    Entry::of::<market::SearchSymbols>(),
    Entry::of::<market::AddSymbol>(),
    Entry::of::<market::RemoveSymbol>(),
    Entry::of::<market::ListQuotes>(),
    Entry::of::<sessions::GetSessions>(),
    Entry::of::<market::GetCandles>(),
    Entry::of::<market::GetChartWindow>(),
    Entry::of::<market::ListIndicators>(),
    Entry::of::<market::ComputeIndicators>(),
    Entry::of::<patterns::ListPatterns>(),
    Entry::of::<patterns::ScanPatterns>(),
    Entry::of::<structure::GetStructure>(),
    Entry::of::<market::CheckExpression>(),
    Entry::of::<market::CompleteExpression>(),
    Entry::of::<enrich::GetEnriched>(),
    Entry::of::<narrative::DescribeCandle>(),
    Entry::of::<narrative::GetNarrative>(),
    Entry::of::<narrative::IndexNarratives>(),
    Entry::of::<narrative::SearchNarratives>(),
    Entry::of::<similar::SearchSimilar>(),
    Entry::of::<news::SearchNews>(),
    Entry::of::<news::ListNews>(),
    Entry::of::<training::ListFeatures>(),
    Entry::of::<training::ExportFeatures>(),
    Entry::of::<training::GetRag>(),
    Entry::of::<training::ExportRag>(),
    Entry::of::<training::ListLiveRag>(),
    Entry::of::<training::StartLiveRag>(),
    Entry::of::<training::StopLiveRag>(),
    Entry::of::<training::ValidateExport>(),
    Entry::of::<data::ImportData>(),
    Entry::of::<data::ExportData>(),
    Entry::of::<data::FetchData>(),
    Entry::of::<data::StartFetch>(),
    Entry::of::<data::DataCoverage>(),
    Entry::of::<sources::ListGaps>(),
    Entry::of::<sources::ListQuarantine>(),
    Entry::of::<sources::GetProvenance>(),
    Entry::of::<data::EnableMock>(),
    Entry::of::<data::DisableMock>(),
    Entry::of::<data::SetMockSpeed>(),
    Entry::of::<data::TestMock>(),
    Entry::of::<ticks::StartRecording>(),
    Entry::of::<ticks::StopRecording>(),
    Entry::of::<ticks::ListRecordings>(),
    Entry::of::<ticks::ReplayTicks>(),
    Entry::of::<ticks::ExportTicks>(),
    Entry::of::<backtests::RunBacktest>(),
    Entry::of::<backtests::StartBacktest>(),
    Entry::of::<backtests::GetBacktestResult>(),
    Entry::of::<backtests::ListJobs>(),
    Entry::of::<backtests::CancelJob>(),
    Entry::of::<journal::VerifyJournal>(),
    Entry::of::<journal::ReplayJournal>(),
    Entry::of::<journal::ExplainJournal>(),
    Entry::of::<system::GetHealth>(),
    Entry::of::<system::GetMetrics>(),
    Entry::of::<system::ListConnections>(),
    Entry::of::<system::RestartConnection>(),
    Entry::of::<system::ListLogs>(),
    Entry::of::<system::ListAudit>(),
    Entry::of::<system::GetSetting>(),
    Entry::of::<system::SetSetting>(),
    Entry::of::<system::GetWorkspace>(),
    Entry::of::<system::SaveWorkspace>(),
    Entry::of::<system::MigrateDatabase>(),
    Entry::of::<registry::ListCommands>(),
    Entry::of::<registry::RunConsole>(),
    Entry::of::<registry::CompleteConsole>(),
];

/// The command of this name.
pub fn find(name: &str) -> Option<&'static Entry> {
    COMMANDS.iter().find(|entry| entry.name == name)
}

/// Reads a request; the error names the first argument that does not fit.
fn read<C: DeserializeOwned>(body: Value) -> Result<C, ApiError> {
    let body = if body.is_null() { Value::Object(Map::new()) } else { body };
    if !body.is_object() {
        return Err(ApiError::new(ErrorCode::InvalidRequest, "the arguments have to be a JSON object"));
    }
    serde_path_to_error::deserialize(body).map_err(|error| {
        let path = error.path().to_string();
        let message = error.inner().to_string();
        // A missing or unknown field is reported at its parent, with its name in the message.
        let named = ["missing field `", "unknown field `"]
            .iter()
            .find_map(|start| message.strip_prefix(start))
            .and_then(|rest| rest.split_once('`'))
            .map(|(name, _)| name);
        let path = path.trim_matches('.');
        let field = match named {
            Some(name) if path.is_empty() || path == name || path == "?" => name.to_owned(),
            Some(name) if path.ends_with(&format!(".{name}")) => path.to_owned(),
            Some(name) => format!("{path}.{name}"),
            None => path.to_owned(),
        };
        if field.is_empty() {
            ApiError::new(ErrorCode::InvalidRequest, message)
        } else {
            ApiError::invalid(field, message)
        }
    })
}

/// The only way in: IPC, REST, MCP, console and command line all call this and nothing else.
///
/// Every call leaves an audit row, refused ones too. A handler that panics is an internal error, not a dead server.
pub async fn dispatch(name: &str, body: Value, cx: &Context) -> Result<Output, ApiError> {
    let started = cx.services.clock.now();
    let entry = find(name);
    let request = audit::summary(&body);
    let mut outcome = match entry {
        None => Err(unknown(name)),
        Some(entry) if cx.caller.access < entry.access => Err(ApiError::new(
            ErrorCode::Forbidden,
            format!("{name} needs {} access; this caller has {}", entry.access.as_str(), cx.caller.access.as_str()),
        )),
        Some(entry) => AssertUnwindSafe((entry.run)(body, cx))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Err(ApiError::internal(format!("{name} panicked")))),
    };
    if let Err(error) = &mut outcome {
        cx.caller.trace_id.as_str().clone_into(&mut error.trace_id);
    }
    let row = audit::row(name, entry, request, &outcome, started, cx);
    audit::log(&row);
    if let Err(error) = cx.services.audit.record(row).await {
        tracing::error!(command = name, trace_id = %cx.caller.trace_id, %error, "the audit row could not be written");
    }
    outcome
}

fn unknown(name: &str) -> ApiError {
    let shown: String = name.chars().take(60).collect();
    let hint = crate::suggest::closest(name, COMMANDS.iter().map(|entry| entry.name));
    let hint = hint.map(|name| format!("; did you mean {name}?")).unwrap_or_default();
    ApiError::new(ErrorCode::UnknownCommand, format!("there is no command \"{shown}\"{hint}"))
}
