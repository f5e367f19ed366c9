//! Bars, trades and quotes as they happen.

use std::sync::Arc;

use cw_core::{InstrumentId, Timestamp};
use cw_market::ProviderError;
use serde_json::json;
use serde_json::value::RawValue;

use super::{Alpaca, Keys, is_crypto, parse, wire};
use crate::net::{Connection, LinkError, Out, Pace, Room, Site, Speaker, Trouble, connection};

/// One connection for stocks and one for crypto, as Alpaca wants it.
pub(super) fn connections(
    alpaca: &Alpaca,
    site: &Site,
    instruments: &[InstrumentId],
) -> Result<Vec<Connection>, ProviderError> {
    let keys = alpaca.keys.clone().ok_or_else(|| site.refused("its stream needs a key and a secret"))?;
    let speaker = Arc::new(Voice { keys });
    let (crypto, stocks): (Vec<_>, Vec<_>) = instruments.iter().cloned().partition(is_crypto);
    let paths = [(stocks, format!("/v2/{}", alpaca.feed.word())), (crypto, "/v1beta3/crypto/us".to_owned())];
    let some = paths.into_iter().filter(|(ids, _)| !ids.is_empty());
    let name = |id: &InstrumentId| id.symbol().to_owned();
    Ok(some
        .map(|(ids, path)| connection(site, &speaker, alpaca.stream.join(&path), &ids, name, Pace::default()))
        .collect())
}

struct Voice {
    keys: Arc<Keys>,
}

impl Speaker for Voice {
    /// Alpaca speaks first.
    fn greet(&self, _: &Room, _: &mut Out) {}

    fn on_frame(&self, room: &Room, data: &[u8], now: Timestamp, out: &mut Out) -> Result<(), Trouble> {
        let rows: Vec<&RawValue> = serde_json::from_slice(data)?;
        for row in rows {
            match serde_json::from_str::<wire::Tag>(row.get()) {
                Err(_) => room.bad("a message without a kind", row),
                Ok(tag) => match tag.kind.as_str() {
                    "success" => self.on_success(room, row, out),
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

impl Voice {
    fn on_success(&self, room: &Room, row: &RawValue, out: &mut Out) {
        let notice: wire::Notice = serde_json::from_str(row.get()).unwrap_or_default();
        match notice.msg.as_str() {
            "connected" => out.replies.push(
                json!({"action": "auth", "key": self.keys.id.reveal(), "secret": self.keys.secret.reveal()})
                    .to_string(),
            ),
            "authenticated" => {
                let symbols = &room.symbols;
                out.replies.push(
                    json!({"action": "subscribe", "trades": symbols, "quotes": symbols, "bars": symbols,
                        "updatedBars": symbols})
                    .to_string(),
                );
            }
            _ => room.bad("an unknown success", row),
        }
    }
}

/// An old session may linger (406), the venue may be ill (500), we may be slow (407); the rest stays as it is however
/// often we come back.
fn refusal(notice: &wire::Notice) -> LinkError {
    let reason = format!("{} {}", notice.code, notice.msg);
    match notice.code {
        402 | 405 | 408 | 409 | 410 | 411 => LinkError::Refused(reason),
        _ => LinkError::Lost(reason),
    }
}
