//! REST, the live stream and the UI over HTTP on loopback.
//!
//! Checks of a request, in order: head complete in 5 s and at most 16 KiB · `Host` names this server (else 421, which
//! stops DNS rebinding) · a body has a
//! length (else 411, which leaves one way to read it) · `Origin`, if any, is this server (else 403) · method and path · token, compared in constant
//! time · rate · `Content-Type: application/json` (else 415, which stops forms) · body at most 1 MiB, complete in 10 s.
//! There are no cookies and no CORS headers, so a page of another site can neither ride on a session nor read an answer.

mod connections;
mod guard;
mod limit;
mod stream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use bytes::Bytes;
use cw_api::commands::system::HealthStatus;
use cw_api::{ApiError, Caller, Context, ErrorCode, Output, Services, TraceId, dispatch};
use cw_core::Surface;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::session::{Client, Sessions};
use crate::ui::{UiAssets, content_type};
use limit::RateLimit;

pub(crate) const MAX_BODY: usize = 1 << 20;
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// What a handler may take. Long work is a job.
const CALL_TIMEOUT: Duration = Duration::from_mins(2);

/// What the server serves, and to whom.
pub struct HttpOptions {
    /// A loopback address; port 0 = any free one.
    pub listen: SocketAddr,
    pub services: Arc<Services>,
    pub sessions: Arc<Sessions>,
    /// The UI's files, if they are built.
    pub ui: Option<Arc<dyn UiAssets>>,
    pub version: &'static str,
    /// MCP over streamable HTTP at `/mcp`.
    pub mcp: Option<crate::mcp::McpOptions>,
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("{0} is not a loopback address; Candlewick serves this machine only")]
    NotLoopback(SocketAddr),
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
}

/// A server that has its port but does not accept yet.
pub struct HttpServer {
    listener: TcpListener,
    address: SocketAddr,
    router: Router,
}

pub(crate) struct App {
    services: Arc<Services>,
    sessions: Arc<Sessions>,
    ui: Option<Arc<dyn UiAssets>>,
    limit: RateLimit,
    openapi: Bytes,
    address: SocketAddr,
    stop: CancellationToken,
}

impl HttpServer {
    pub async fn bind(options: HttpOptions, stop: CancellationToken) -> Result<Self, HttpError> {
        if !options.listen.ip().is_loopback() {
            return Err(HttpError::NotLoopback(options.listen));
        }
        let failed = |source| HttpError::Listen { address: options.listen, source };
        let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let app = Arc::new(App {
            services: options.services,
            sessions: options.sessions,
            ui: options.ui,
            limit: RateLimit::default(),
            openapi: crate::openapi_document(options.version).to_string().into(),
            address,
            stop: stop.clone(),
        });
        let mut private = Router::new()
            .route("/api/v1/{noun}/{verb}", post(call))
            .route("/api/v1/session/code", post(new_code))
            .route("/metrics", get(prometheus));
        if let Some(mcp) = options.mcp {
            private = private.route_service("/mcp", crate::mcp::http_service(mcp, &app.services, stop));
        }
        let private = private.route_layer(middleware::from_fn_with_state(Arc::clone(&app), guard::authorize));
        let router = Router::new()
            .route("/api/v1/health", get(health))
            .route("/api/v1/openapi.json", get(openapi))
            .route("/api/v1/session/pair", post(pair))
            .route("/api/v1/stream", any(stream::upgrade))
            .merge(private)
            .method_not_allowed_fallback(wrong_method)
            .fallback(file)
            .layer(middleware::from_fn_with_state(Arc::clone(&app), guard::outer))
            .with_state(app);
        Ok(Self { listener, address, router })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts until `stop`, then finishes what is under way and returns within five seconds.
    pub async fn serve(self, stop: CancellationToken) {
        connections::serve(self.listener, self.router, stop).await;
    }
}

/// The answer that an error is.
pub(crate) fn failure(error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    failure_with(status, error)
}

pub(crate) fn failure_with(status: StatusCode, error: &ApiError) -> Response {
    let mut response = json_response(status, serde_json::to_vec(error).unwrap_or_default());
    if status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// An error of the transport itself, before any command.
pub(crate) fn refuse(status: StatusCode, code: ErrorCode, message: &str) -> Response {
    let mut error = ApiError::new(code, message);
    error.trace_id = TraceId::random().to_string();
    failure_with(status, &error)
}

fn json_response(status: StatusCode, body: impl Into<Body>) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.into()).into_response()
}

async fn wrong_method() -> Response {
    refuse(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::InvalidRequest, "this path does not take this method")
}

pub(crate) fn trace_id(headers: &HeaderMap) -> TraceId {
    let sent = headers.get("x-trace-id").and_then(|value| value.to_str().ok());
    sent.and_then(TraceId::from_caller).unwrap_or_else(TraceId::random)
}

/// A JSON body, or the refusal.
async fn read_json(request: Request) -> Result<Value, Box<Response>> {
    let refuse = |status, message: &str| Box::new(refuse(status, ErrorCode::InvalidRequest, message));
    let sent = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = sent.split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/json") {
        return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send the arguments as application/json"));
    }
    let body = tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(request.into_body(), MAX_BODY));
    let bytes = match body.await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(error)) => {
            // Only the limit's error says so; the rest is a broken connection or framing.
            let too_large = std::error::Error::source(&error).is_some_and(|cause| cause.to_string().contains("limit"));
            return Err(if too_large {
                refuse(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 1 MiB")
            } else {
                refuse(StatusCode::BAD_REQUEST, "the body could not be read")
            });
        }
        Err(_) => return Err(refuse(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time")),
    };
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&bytes)
        .map_err(|error| refuse(StatusCode::BAD_REQUEST, &format!("the body is not valid JSON: {error}")))
}

/// `POST /api/v1/noun/verb`
async fn call(State(app): State<Arc<App>>, Path((noun, verb)): Path<(String, String)>, request: Request) -> Response {
    let trace_id = trace_id(request.headers());
    // The command line of the same user comes through here as well and says so, for the audit.
    let surface = match request.headers().get("x-surface").map(HeaderValue::as_bytes) {
        Some(b"cli") => Surface::Cli,
        _ => Surface::Rest,
    };
    let body = match read_json(request).await {
        Ok(body) => body,
        Err(response) => return *response,
    };
    let caller = Caller { trace_id: trace_id.clone(), ..Caller::operator(surface) };
    let cx = Context::new(caller, Arc::clone(&app.services));
    let name = format!("{noun}.{verb}");
    let outcome = tokio::time::timeout(CALL_TIMEOUT, dispatch(&name, body, &cx)).await.unwrap_or_else(|_| {
        let mut error = ApiError::new(ErrorCode::Timeout, format!("{name} took longer than {CALL_TIMEOUT:?}"));
        trace_id.as_str().clone_into(&mut error.trace_id);
        Err(error)
    });
    let mut response = match outcome {
        Ok(Output::Json(value)) => match serde_json::to_vec(&value) {
            Ok(body) => json_response(StatusCode::OK, body),
            Err(error) => failure(&ApiError::internal(error)),
        },
        Ok(Output::Binary { content_type, bytes }) => {
            ([(header::CONTENT_TYPE, content_type)], Body::from(bytes)).into_response()
        }
        Err(error) => failure(&error),
    };
    if let Ok(value) = HeaderValue::from_str(trace_id.as_str()) {
        response.headers_mut().insert("x-trace-id", value);
    }
    response
}

async fn health(State(app): State<Arc<App>>) -> Response {
    let status = app.services.system.status();
    let http = if status == HealthStatus::Down { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    json_response(http, json!({ "status": status }).to_string())
}

async fn openapi(State(app): State<Arc<App>>) -> Response {
    json_response(StatusCode::OK, app.openapi.clone())
}

async fn prometheus(State(app): State<Arc<App>>) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (headers, app.services.system.prometheus()).into_response()
}

/// Exchanges a pairing code for a token. Wrong codes count against the rate of callers without a token.
async fn pair(State(app): State<Arc<App>>, request: Request) -> Response {
    if !app.limit.take(None) {
        return guard::too_fast();
    }
    let body = match read_json(request).await {
        Ok(body) => body,
        Err(response) => return *response,
    };
    match body["code"].as_str().and_then(|code| app.sessions.pair(code)) {
        Some(token) => json_response(StatusCode::OK, json!({ "token": token }).to_string()),
        None => refuse(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, "this pairing code is wrong or was used"),
    }
}

/// A new pairing code for somebody who has a token.
async fn new_code(State(app): State<Arc<App>>) -> Response {
    let code = app.sessions.new_code();
    let url = format!("http://{}/#pair={code}", app.address);
    json_response(StatusCode::OK, json!({ "code": code, "url": url }).to_string())
}

/// A file of the UI, or its page for a path that the UI itself knows.
async fn file(State(app): State<Arc<App>>, request: Request) -> Response {
    let path = request.uri().path();
    if path.starts_with("/api/") {
        return refuse(StatusCode::NOT_FOUND, ErrorCode::NotFound, "there is nothing at this path");
    }
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return wrong_method().await;
    }
    let Some(ui) = &app.ui else {
        let text = "The engine runs. Its UI is not built: run `npm start` in the repository.\n";
        return (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response();
    };
    let wanted = path.trim_start_matches('/');
    let (name, bytes) = match ui.get(wanted) {
        Some(bytes) => (wanted, Some(bytes)),
        None if wanted.rsplit('/').next().is_some_and(|last| last.contains('.')) => (wanted, None),
        None => ("index.html", ui.get("index.html")),
    };
    let Some(bytes) = bytes else {
        return refuse(StatusCode::NOT_FOUND, ErrorCode::NotFound, "there is nothing at this path");
    };
    // Names below assets/ carry a hash of their content.
    let cache = if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type(name))),
        (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
        (header::CONTENT_SECURITY_POLICY, guard::content_security_policy(app.address)),
    ];
    (headers, bytes).into_response()
}

/// The client that a request's token belongs to.
pub(crate) fn client_of(app: &App, headers: &HeaderMap) -> Option<Client> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| app.sessions.client(token.trim())).flatten()
}
