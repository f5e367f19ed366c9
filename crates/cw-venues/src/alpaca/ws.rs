//! Bars, trades and quotes as they happen.

use std::sync::Arc;

use cw_core::{InstrumentId, Timestamp};
use cw_market::ProviderError;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::json;
use serde_json::value::RawValue;

use super::{Alpaca, Codec, Keys, is_crypto, parse, wire};
use crate::net::{Connection, LinkError, Out, Pace, Room, Site, Socket, Speaker, Trouble, Wire, connection};

/// One connection for stocks and one for crypto, as Alpaca wants it.
pub(super) fn connections(
    alpaca: &Alpaca,
    site: &Arc<Site>,
    instruments: &[InstrumentId],
) -> Result<Vec<Connection>, ProviderError> {
    let keys = alpaca.keys.clone().ok_or_else(|| site.refused("its stream needs a key and a secret"))?;
    let speaker = Arc::new(Voice { keys, codec: alpaca.codec });
    let (crypto, stocks): (Vec<_>, Vec<_>) = instruments.iter().cloned().partition(is_crypto);
    let paths = [(stocks, format!("/v2/{}", alpaca.feed.word())), (crypto, "/v1beta3/crypto/us".to_owned())];
    let some = paths.into_iter().filter(|(ids, _)| !ids.is_empty());
    let name = |id: &InstrumentId| id.symbol().to_owned();
    Ok(some
        .map(|(ids, path)| {
            let (alpaca, site) = (alpaca.clone(), Arc::clone(site));
            connection(&site, &speaker, alpaca.stream.join(&path), &ids, name, Pace::default()).watched_by(Arc::new(
                move |ids: Vec<InstrumentId>| {
                    let (alpaca, site) = (alpaca.clone(), Arc::clone(&site));
                    async move { alpaca.latest_quotes(&site, &ids).await }.boxed()
                },
            ))
        })
        .collect())
}

struct Voice {
    keys: Arc<Keys>,
    codec: Codec,
}

/// A WebSocket with messages written as the configuration says.
pub(super) async fn open(room: &Room, codec: Codec) -> Result<Box<dyn Wire>, LinkError> {
    Ok(match codec {
        Codec::Json => Box::new(Socket::open(&room.url, &[]).await?),
        Codec::Msgpack => Box::new(Socket::open(&room.url, &[("content-type", "application/msgpack")]).await?.packed()),
    })
}

impl Speaker for Voice {
    fn connect<'a>(&'a self, room: &'a Room) -> BoxFuture<'a, Result<Box<dyn Wire>, LinkError>> {
        open(room, self.codec).boxed()
    }

    /// Alpaca speaks first.
    fn greet(&self, _: &Room, _: &mut Out) {}

    fn on_frame(&self, room: &Room, data: &[u8], now: Timestamp, out: &mut Out) -> Result<(), Trouble> {
        let rows: Vec<&RawValue> = serde_json::from_slice(data)?;
        for row in rows {
            match serde_json::from_str::<wire::Tag>(row.get()) {
                Err(_) => room.bad("a message without a kind", row),
                Ok(tag) => match tag.kind.as_str() {
                    "success" => match on_success(&self.keys, row) {
                        Some(Success::Greeted(reply)) => out.replies.push(reply),
                        Some(Success::LetIn) => out.replies.push(subscription(&room.symbols)),
                        None => room.bad("an unknown success", row),
                    },
                    "error" => return Err(refusal(&serde_json::from_str(row.get())?).into()),
                    "subscription" => {
                        let now: wire::Subscription = serde_json::from_str(row.get())?;
                        out.ready |= room.symbols.iter().all(|symbol| now.bars.contains(symbol));
                    }
                    kind => room.row(tag.symbol.as_deref(), row, out, |id| parse::event(kind, id, row, now)),
                },
            }
        }
        Ok(())
    }
}

fn subscription(symbols: &[String]) -> String {
    json!({"action": "subscribe", "trades": symbols, "quotes": symbols, "bars": symbols, "updatedBars": symbols,
        "dailyBars": symbols})
    .to_string()
}

/// The steps of signing in.
pub(super) enum Success {
    /// It waits for our keys: this is to be sent.
    Greeted(String),
    /// It waits for what we want.
    LetIn,
}

pub(super) fn on_success(keys: &Keys, row: &RawValue) -> Option<Success> {
    let notice: wire::Notice = serde_json::from_str(row.get()).ok()?;
    match notice.msg.as_str() {
        "connected" => {
            let auth = json!({"action": "auth", "key": keys.id.reveal(), "secret": keys.secret.reveal()});
            Some(Success::Greeted(auth.to_string()))
        }
        "authenticated" => Some(Success::LetIn),
        _ => None,
    }
}

/// An old session may linger (406), the venue may be ill (500), we may be slow (407); the rest stays as it is however
/// often we come back.
pub(super) fn refusal(notice: &wire::Notice) -> LinkError {
    let reason = format!("{} {}", notice.code, notice.msg);
    match notice.code {
        402 | 405 | 408 | 409 | 410 | 411 => LinkError::Refused(reason),
        _ => LinkError::Lost(reason),
    }
}
