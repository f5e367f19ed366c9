//! Candles, trades, best prices and mark prices as they happen.

use std::sync::Arc;
use std::time::Duration;

use cw_core::{InstrumentId, Timestamp};
use serde_json::json;

use super::{parse, wire};
use crate::net::{BaseUrl, Connection, LinkError, Out, Pace, Room, Site, Speaker, Trouble, connection};

/// Per instrument.
const STREAMS: [&str; 4] = ["aggTrade", "bookTicker", "markPrice@1s", "kline_1m"];
/// A connection carries 200 streams.
const INSTRUMENTS: usize = 200 / STREAMS.len();

const PACE: Pace = Pace {
    handshake: Duration::from_secs(10),
    silence: Duration::from_secs(10),
    // Every symbol has a mark price each second: asking for pulses would prove less.
    ping: None,
    cadence: Some(Duration::from_secs(8)),
    // The venue cuts connections after 24 hours.
    lifetime: Some(Duration::from_mins(23 * 60 + 50)),
    first_wait: Duration::from_millis(500),
    longest_wait: Duration::from_secs(30),
};

/// Of a book that is followed: changes ten times a second, where there are any.
const BOOK: [&str; 2] = ["depth@100ms", "markPrice@1s"];

pub(super) fn connections(base: &BaseUrl, site: &Site, instruments: &[InstrumentId]) -> Vec<Connection> {
    let speaker = Arc::new(Voice(&STREAMS));
    let name = |id: &InstrumentId| id.symbol().to_owned();
    let chunks = instruments.chunks(INSTRUMENTS);
    chunks.map(|ids| connection(site, &speaker, base.join("/stream"), ids, name, PACE)).collect()
}

/// The changes of one order book. A quiet one is told from a silent stream by the mark price, which comes each second.
pub(super) fn book(base: &BaseUrl, site: &Site, id: &InstrumentId) -> Connection {
    let name = |id: &InstrumentId| id.symbol().to_owned();
    connection(site, &Arc::new(Voice(&BOOK)), base.join("/stream"), std::slice::from_ref(id), name, PACE)
}

/// The streams that it asks for.
struct Voice(&'static [&'static str]);

impl Speaker for Voice {
    fn greet(&self, room: &Room, out: &mut Out) {
        let symbols = room.symbols.iter().map(|symbol| symbol.to_lowercase());
        let streams: Vec<String> =
            symbols.flat_map(|symbol| self.0.iter().map(move |stream| format!("{symbol}@{stream}"))).collect();
        out.replies.push(json!({"method": "SUBSCRIBE", "params": streams, "id": 1}).to_string());
    }

    fn on_frame(&self, room: &Room, data: &[u8], now: Timestamp, out: &mut Out) -> Result<(), Trouble> {
        let message: wire::Message<'_> = serde_json::from_slice(data)?;
        match (message.data, message.code, message.id) {
            (Some(row), ..) => match serde_json::from_str::<wire::Tag>(row.get()) {
                Ok(tag) => room.row(Some(&tag.s), row, out, |id| parse::event(&tag.e, id, row, now)),
                Err(_) => room.bad("a message without a kind", row),
            },
            (None, Some(code), _) => {
                let words = message.msg.unwrap_or_default();
                return Err(LinkError::Refused(format!("{code} {words}")).into());
            }
            (None, None, Some(1)) => out.ready = true,
            _ => return Err(Trouble::Garbage("a message without data".to_owned())),
        }
        Ok(())
    }
}
