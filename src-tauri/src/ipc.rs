//! What the page may call. Every capability goes through `call`; the rest is transport.
//!
//! | command | answer |
//! |---|---|
//! | `call {name, body}` | the response of the registry's command, or its `ApiError` object as rejection |
//! | `call_binary {name, body}` | an `ArrayBuffer`, for what is columns of numbers |
//! | `open_stream {channel}` | once per page; batches of envelopes arrive on the channel |
//! | `subscribe {id, topic, params}` · `unsubscribe {id}` | envelopes carry `id` |
//! | `mark {event}` | a start-up event of the page, for `--timing` |

use std::sync::Arc;

use cw_api::{ApiError, ErrorCode};
use serde_json::Value;
use tauri::State;
use tauri::ipc::{Channel, InvokeResponseBody, Response};

use crate::args::StartupEvent;
use crate::host::{Host, traced};
use crate::startup::Startup;
use crate::stream::Streams;

type TheHost<'a> = State<'a, Arc<Host>>;

#[tauri::command]
pub async fn call(host: TheHost<'_>, name: String, body: Value) -> Result<Value, ApiError> {
    host.call(&name, body).await
}

#[tauri::command]
pub async fn call_binary(host: TheHost<'_>, name: String, body: Value) -> Result<Response, ApiError> {
    host.call_binary(&name, body).await.map(|bytes| Response::new(Vec::from(bytes)))
}

#[tauri::command]
pub fn open_stream(streams: State<'_, Streams>, channel: Channel<InvokeResponseBody>) {
    let mut batches = streams.open();
    tauri::async_runtime::spawn(async move {
        while let Some(batch) = batches.next().await {
            if let Err(error) = channel.send(InvokeResponseBody::Json(batch)) {
                tracing::debug!(%error, "the page is gone; its stream ends");
                break;
            }
        }
    });
}

#[tauri::command]
pub async fn subscribe(
    host: TheHost<'_>,
    streams: State<'_, Streams>,
    id: u64,
    topic: String,
    params: Value,
) -> Result<(), ApiError> {
    let outlet =
        streams.subscribe(id).map_err(|error| traced(ApiError::new(ErrorCode::Conflict, error.to_string())))?;
    let started = host.stream(id, &topic, params, outlet).await;
    if started.is_err() {
        streams.unsubscribe(id);
    }
    started
}

#[tauri::command]
pub fn unsubscribe(streams: State<'_, Streams>, id: u64) {
    streams.unsubscribe(id);
}

#[tauri::command]
pub fn mark(startup: State<'_, Arc<Startup>>, event: StartupEvent) -> Result<(), ApiError> {
    if event != StartupEvent::FirstChart {
        return Err(traced(ApiError::invalid("event", "the page reports first_chart only")));
    }
    startup.mark(event);
    Ok(())
}
