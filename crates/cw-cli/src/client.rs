//! Calls to the running engine of a data directory.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use cw_api::commands::registry::ResponseKind;
use cw_api::{ApiError, ErrorCode, Output};
use cw_server::EngineFile;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// A little longer than the engine itself gives a call.
const TIMEOUT: Duration = Duration::from_secs(130);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A running engine.
pub struct Client {
    pub file: EngineFile,
    token: String,
}

impl Client {
    /// The engine that runs on this data directory; `None` when there is none, also when a killed one left its files.
    pub async fn find(run_dir: &Path) -> Option<Self> {
        let file = EngineFile::read(run_dir)?;
        let token = EngineFile::token(run_dir)?;
        connect(file.http).await.ok()?;
        let client = Self { file, token };
        // Another program may have the port by now: only our own engine knows our token.
        client.call("/api/v1/health/get", &Value::Object(serde_json::Map::new())).await.ok()?;
        Some(client)
    }

    pub async fn command(&self, name: &str, request: &Value) -> Result<Output, ApiError> {
        let path = format!("/api/v1/{}", name.replace('.', "/"));
        // What a command answers with is the registry's to say: a file may well be JSON.
        let is_file = cw_api::find(name).is_some_and(|entry| entry.response_kind == ResponseKind::Binary);
        self.timed(&path, request, is_file).await
    }

    pub async fn call(&self, path: &str, request: &Value) -> Result<Output, ApiError> {
        self.timed(path, request, false).await
    }

    async fn timed(&self, path: &str, request: &Value, is_file: bool) -> Result<Output, ApiError> {
        let late =
            |_| ApiError::new(ErrorCode::Timeout, "the engine did not answer in time; whether it acted is not known");
        tokio::time::timeout(TIMEOUT, self.exchange(path, request, is_file)).await.map_err(late)?
    }

    async fn exchange(&self, path: &str, request: &Value, is_file: bool) -> Result<Output, ApiError> {
        let lost =
            |error: &dyn std::fmt::Display| ApiError::unavailable(format!("the engine cannot be reached: {error}"));
        let stream = connect(self.file.http).await.map_err(|error| lost(&error))?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| lost(&error))?;
        let request = Request::post(path)
            .header(HOST, self.file.http.to_string())
            .header(AUTHORIZATION, format!("Bearer {}", self.token))
            .header(CONTENT_TYPE, "application/json")
            .header("x-surface", "cli")
            .body(Full::new(Bytes::from(request.to_string())))
            .map_err(ApiError::internal)?;
        let exchange = async move {
            let response = sender.send_request(request).await.map_err(|error| {
                // It was sent: the engine may have acted on it.
                ApiError::new(ErrorCode::Timeout, format!("the engine went away before it answered: {error}"))
            })?;
            let status = response.status();
            let body = response.into_body().collect().await.map_err(|error| lost(&error))?.to_bytes();
            if !status.is_success() {
                return Err(serde_json::from_slice(&body)
                    .unwrap_or_else(|_| ApiError::internal(format!("the engine answered {status}"))));
            }
            if is_file {
                return Ok(Output::Binary { content_type: "application/octet-stream", bytes: body });
            }
            serde_json::from_slice(&body).map(Output::Json).map_err(ApiError::internal)
        };
        // The connection ends when the sender goes out of scope, after the body was read.
        let (_, outcome) = tokio::join!(connection, exchange);
        outcome
    }
}

async fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await?
}
