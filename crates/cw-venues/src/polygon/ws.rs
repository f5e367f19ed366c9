//! Candles, trades and quotes as they happen.

use std::sync::Arc;

use cw_core::{InstrumentId, Timestamp};
use futures_util::FutureExt;
use serde_json::json;
use serde_json::value::RawValue;

use super::{Cluster, Polygon, pair, parse, wire};
use crate::net::{Connection, LinkError, Out, Pace, Room, Secret, Site, Speaker, Trouble, connection};

/// A cluster's address, and what is subscribed of each instrument.
const CLUSTERS: [(Cluster, &str, &[&str]); 3] = [
    (Cluster::Stocks, "/stocks", &["AM", "T", "Q"]),
    (Cluster::Crypto, "/crypto", &["XA", "XT", "XQ"]),
    (Cluster::Forex, "/forex", &["CA", "C"]),
];

/// Requests a minute from which on the stream is watched by asking.
const FEWEST: u32 = 60;

/// One connection per cluster: a second one would end the first.
pub(super) fn connections(polygon: &Polygon, site: &Arc<Site>, instruments: &[InstrumentId]) -> Vec<Connection> {
    let connection = |(cluster, path, topics): (Cluster, &str, &'static [&'static str])| {
        let ids: Vec<InstrumentId> = instruments.iter().filter(|id| Cluster::of(id) == cluster).cloned().collect();
        let speaker = Arc::new(Voice { key: Arc::clone(&polygon.key), topics });
        let (asked, at) = (polygon.clone(), Arc::clone(site));
        let canary = move |ids: Vec<InstrumentId>| {
            let (polygon, site) = (asked.clone(), Arc::clone(&at));
            async move { polygon.latest(&site, &ids).await }.boxed()
        };
        (!ids.is_empty()).then(|| {
            let name = |id: &InstrumentId| name(cluster, id);
            let connection = connection(site, &speaker, polygon.stream.join(path), &ids, name, Pace::default());
            // With five requests a minute nobody can be asked all the time.
            let (_, limit, _) = site.http.budget.left();
            if limit >= FEWEST { connection.watched_by(Arc::new(canary)) } else { connection }
        })
    };
    CLUSTERS.into_iter().filter_map(connection).collect()
}

/// `BTC-USD` and `EUR/USD` in the stream are `X:BTCUSD` and `C:EURUSD` elsewhere.
fn name(cluster: Cluster, id: &InstrumentId) -> String {
    match (cluster, pair(id.symbol())) {
        (Cluster::Crypto, Some((base, quote))) => format!("{base}-{quote}"),
        (Cluster::Forex, Some((base, quote))) => format!("{base}/{quote}"),
        _ => id.symbol().to_owned(),
    }
}

struct Voice {
    key: Arc<Secret>,
    topics: &'static [&'static str],
}

impl Speaker for Voice {
    /// Polygon speaks first.
    fn greet(&self, _: &Room, _: &mut Out) {}

    fn on_frame(&self, room: &Room, data: &[u8], now: Timestamp, out: &mut Out) -> Result<(), Trouble> {
        let rows: Vec<&RawValue> = serde_json::from_slice(data)?;
        for row in rows {
            match serde_json::from_str::<wire::Tag>(row.get()) {
                Err(_) => room.bad("an event without a kind", row),
                Ok(tag) if tag.ev == "status" => self.on_status(room, &tag, row, out)?,
                Ok(tag) => {
                    let quoted = tag.p.as_ref().and_then(|pair| pair.as_str()).filter(|_| tag.ev == "C");
                    let symbol = tag.sym.as_deref().or(tag.pair.as_deref()).or(quoted);
                    room.row(symbol, row, out, |id| parse::event(&tag.ev, id, row, now));
                }
            }
        }
        Ok(())
    }
}

impl Voice {
    fn on_status(&self, room: &Room, tag: &wire::Tag, row: &RawValue, out: &mut Out) -> Result<(), LinkError> {
        let words = tag.message.clone().unwrap_or_default();
        match tag.status.as_deref().unwrap_or_default() {
            "connected" => out.replies.push(json!({"action": "auth", "params": self.key.reveal()}).to_string()),
            "auth_success" => {
                let topics =
                    room.symbols.iter().flat_map(|name| self.topics.iter().map(move |t| format!("{t}.{name}")));
                let topics: Vec<String> = topics.collect();
                out.replies.push(json!({"action": "subscribe", "params": topics.join(",")}).to_string());
            }
            // One per topic; the candles of the last instrument were asked for after all those before.
            "success" => out.ready |= room.symbols.last().is_some_and(|last| words.ends_with(&self.last_topic(last))),
            "auth_failed" => return Err(LinkError::Refused(words)),
            "auth_timeout" | "max_connections" => return Err(LinkError::Lost(words)),
            "error" => return Err(LinkError::Refused(words)),
            _ => room.bad("an unknown status", row),
        }
        Ok(())
    }

    fn last_topic(&self, symbol: &str) -> String {
        format!(" {}.{symbol}", self.topics.last().copied().unwrap_or_default())
    }
}
