//! The live stream: one WebSocket, many numbered subscriptions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use cw_api::stream::{Topic, Update, UpdateData, UpdateKind};
use cw_api::{ApiError, Caller, ErrorCode};
use cw_core::Surface;
use futures_util::stream::{self, BoxStream, SelectAll, Stream};
use futures_util::{FutureExt as _, StreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::connections::Guest;
use super::{App, client_of, refuse};

const MAX_MESSAGE: usize = 64 * 1024;
const MAX_SUBSCRIPTIONS: usize = 64;
/// How long a client may take to say who it is.
const AUTH_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one message may take to be sent before the client counts as gone.
const SEND_TIMEOUT: Duration = Duration::from_secs(15);
/// A client that says nothing for this long is asked; one that does not answer is gone.
const PING_AFTER: Duration = Duration::from_secs(30);
/// Messages a client may send per second.
const MAX_MESSAGES: u32 = 50;

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
enum ClientMessage {
    Auth {
        token: String,
    },
    Subscribe {
        id: u64,
        topic: String,
        #[serde(default)]
        params: Value,
    },
    Unsubscribe {
        id: u64,
    },
    Ping,
}

#[derive(Serialize)]
struct Numbered<'a> {
    id: u64,
    topic: &'a str,
    seq: u64,
    kind: UpdateKind,
    data: &'a UpdateData,
}

pub(super) async fn upgrade(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    guest: Option<Extension<Guest>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let client = client_of(&app, &headers);
    let authorized = client.is_some();
    if headers.contains_key(header::AUTHORIZATION) && !authorized {
        return refuse(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, "the token is not valid");
    }
    if !app.limit.take(client) {
        return super::guard::too_fast();
    }
    let guest = guest.map(|Extension(guest)| guest);
    let Ok(upgrade) = upgrade else {
        let message = "this path takes WebSocket connections";
        return refuse(StatusCode::UPGRADE_REQUIRED, ErrorCode::InvalidRequest, message);
    };
    upgrade.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE).on_upgrade(move |socket| async move {
        let closed = guest.as_ref().map(Guest::closed).unwrap_or_default();
        let session = Session { socket, app, subscriptions: BTreeMap::new(), updates: SelectAll::new() };
        tokio::select! {
            biased;
            () = closed.cancelled() => {}
            () = session.run(authorized, guest.as_ref()) => {}
        }
    })
}

struct Subscription {
    topic: &'static str,
    seq: u64,
    cancel: CancellationToken,
    /// Told apart from an earlier subscription under the same id, whose last updates may still come.
    generation: u64,
}

struct Session {
    socket: WebSocket,
    app: Arc<App>,
    subscriptions: BTreeMap<u64, Subscription>,
    updates: SelectAll<BoxStream<'static, (u64, u64, Word)>>,
}

/// What a subscription says.
enum Word {
    Update(Update),
    Refused(ApiError),
    Ended,
}

/// Why a session ends.
enum End {
    Gone,
    Close(u16, &'static str),
}

impl Session {
    async fn run(mut self, authorized: bool, guest: Option<&Guest>) {
        let end = match self.authorize(authorized).await {
            Ok(()) => {
                if let Some(guest) = guest {
                    guest.prove();
                }
                self.serve().await
            }
            Err(end) => end,
        };
        if let End::Close(code, reason) = end {
            let frame = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
            // The client may be gone already; there is nobody left to tell.
            drop(timeout(SEND_TIMEOUT, self.socket.send(frame)).await);
        }
    }

    async fn authorize(&mut self, authorized: bool) -> Result<(), End> {
        if authorized {
            return Ok(());
        }
        let refused = End::Close(close_code::POLICY, "the first message has to be {\"op\":\"auth\",\"token\":…}");
        let Ok(Some(Ok(Message::Text(text)))) = timeout(AUTH_TIMEOUT, self.socket.recv()).await else {
            return Err(refused);
        };
        match serde_json::from_str(&text) {
            Ok(ClientMessage::Auth { token }) if self.app.sessions.client(&token).is_some() => Ok(()),
            _ => Err(refused),
        }
    }

    async fn serve(&mut self) -> End {
        let stop = self.app.stop.clone();
        let mut generation = 0;
        let mut heard = Instant::now();
        let mut asked = false;
        let mut window = (Instant::now(), 0u32);
        loop {
            let message = tokio::select! {
                biased;
                () = stop.cancelled() => return End::Close(close_code::AWAY, "the engine stops"),
                message = self.socket.recv() => match message {
                    Some(Ok(message)) => message,
                    Some(Err(_)) | None => return End::Gone,
                },
                () = tokio::time::sleep_until(heard + PING_AFTER) => {
                    if asked {
                        return End::Close(close_code::POLICY, "no answer to a ping");
                    }
                    asked = true;
                    heard = Instant::now();
                    if self.send(Message::Ping(bytes::Bytes::new())).await.is_err() {
                        return End::Gone;
                    }
                    continue;
                }
                Some((id, of, word)) = self.updates.next(), if !self.updates.is_empty() => {
                    if self.forward(id, of, word).await.is_err() {
                        return End::Gone;
                    }
                    continue;
                }
            };
            heard = Instant::now();
            asked = false;
            let text = match message {
                Message::Text(text) => text,
                Message::Close(_) => return End::Gone,
                Message::Binary(_) => return End::Close(close_code::UNSUPPORTED, "only text messages are read"),
                Message::Ping(_) | Message::Pong(_) => continue,
            };
            if window.0.elapsed() >= Duration::from_secs(1) {
                window = (heard, 0);
            }
            window.1 += 1;
            if window.1 > MAX_MESSAGES {
                return End::Close(close_code::POLICY, "more than 50 messages a second");
            }
            generation += 1;
            if self.handle(&text, generation).await.is_err() {
                return End::Gone;
            }
        }
    }

    async fn handle(&mut self, text: &str, generation: u64) -> Result<(), ()> {
        let request = match serde_json::from_str::<ClientMessage>(text) {
            Ok(request) => request,
            Err(error) => return self.fail(None, ApiError::new(ErrorCode::InvalidRequest, error.to_string())).await,
        };
        match request {
            ClientMessage::Auth { .. } => Ok(()),
            ClientMessage::Ping => self.send_json(&serde_json::json!({ "op": "pong" })).await,
            ClientMessage::Unsubscribe { id } => {
                if let Some(subscription) = self.subscriptions.remove(&id) {
                    subscription.cancel.cancel();
                }
                Ok(())
            }
            ClientMessage::Subscribe { id, topic, params } => match self.subscribe(id, &topic, params, generation) {
                Ok(()) => Ok(()),
                Err(error) => self.fail(Some(id), error).await,
            },
        }
    }

    /// Its snapshot may take long, when a venue has to be asked for it: the other subscriptions go on meanwhile.
    fn subscribe(&mut self, id: u64, topic: &str, params: Value, generation: u64) -> Result<(), ApiError> {
        if self.subscriptions.contains_key(&id) {
            return Err(ApiError::conflict(format!("subscription {id} is there already")).with_field("id"));
        }
        if self.subscriptions.len() >= MAX_SUBSCRIPTIONS {
            return Err(ApiError::new(ErrorCode::InvalidRequest, "more than 64 subscriptions on one connection"));
        }
        let topic = Topic::parse(topic, params)?;
        let name = topic.name();
        let caller = Caller::operator(Surface::Rest);
        let app = Arc::clone(&self.app);
        let words = async move {
            match app.services.events.subscribe(&caller, topic).await {
                Ok(updates) => updates.map(Word::Update).chain(only(Word::Ended)).boxed(),
                Err(mut error) => {
                    caller.trace_id.as_str().clone_into(&mut error.trace_id);
                    only(Word::Refused(error)).boxed()
                }
            }
        };
        let cancel = CancellationToken::new();
        let until = cancel.clone().cancelled_owned();
        let tagged = words.flatten_stream().map(move |word| (id, generation, word));
        self.updates.push(tagged.take_until(until).boxed());
        self.subscriptions.insert(id, Subscription { topic: name, seq: 0, cancel, generation });
        Ok(())
    }

    async fn forward(&mut self, id: u64, generation: u64, word: Word) -> Result<(), ()> {
        let Some(subscription) = self.subscriptions.get_mut(&id).filter(|s| s.generation == generation) else {
            return Ok(());
        };
        let update = match word {
            Word::Update(update) => update,
            Word::Refused(error) => {
                self.subscriptions.remove(&id);
                return self.fail(Some(id), error).await;
            }
            Word::Ended => {
                self.subscriptions.remove(&id);
                return self.fail(Some(id), ApiError::unavailable("this topic ended; subscribe again")).await;
            }
        };
        subscription.seq += 1;
        let message =
            Numbered { id, topic: subscription.topic, seq: subscription.seq, kind: update.kind, data: &update.data };
        let text = serde_json::to_string(&message).map_err(|error| tracing::error!(%error, "an update is not JSON"))?;
        self.send(Message::Text(text.into())).await
    }

    async fn fail(&mut self, id: Option<u64>, mut error: ApiError) -> Result<(), ()> {
        if error.trace_id.is_empty() {
            error.trace_id = cw_api::TraceId::random().to_string();
        }
        self.send_json(&serde_json::json!({ "id": id, "error": error })).await
    }

    async fn send_json(&mut self, value: &Value) -> Result<(), ()> {
        self.send(Message::Text(value.to_string().into())).await
    }

    /// While a client is slow, nothing is taken from its streams: they conflate, and the engine never waits.
    async fn send(&mut self, message: Message) -> Result<(), ()> {
        match timeout(SEND_TIMEOUT, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(()),
        }
    }
}

fn only(word: Word) -> impl Stream<Item = Word> + Send + 'static {
    stream::once(async move { word })
}
