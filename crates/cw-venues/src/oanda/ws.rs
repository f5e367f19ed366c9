//! Prices as they happen: an answer that does not end, one line each. Not a WebSocket, but in the place of one.

use std::sync::Arc;
use std::time::Duration;

use cw_core::{InstrumentId, Timestamp};
use cw_market::ProviderError;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::value::RawValue;

use super::rest::signed;
use super::{Oanda, parse, wire};
use crate::net::{
    Call, Connection, HttpClient, Lines, LinkError, Out, Pace, Room, Secret, Site, Speaker, Trouble, Wire, connection,
};

/// A heartbeat comes every five seconds.
const PACE: Pace = Pace {
    handshake: Duration::from_secs(10),
    silence: Duration::from_secs(10),
    ping: None,
    cadence: None,
    lifetime: None,
    // Two new connections a second are allowed.
    first_wait: Duration::from_secs(1),
    longest_wait: Duration::from_secs(30),
};

pub(super) fn connections(oanda: &Oanda, site: &Arc<Site>, instruments: &[InstrumentId]) -> Vec<Connection> {
    if instruments.is_empty() {
        return Vec::new();
    }
    let mut url = oanda.stream.join(&format!("/accounts/{}/pricing/stream", oanda.account));
    let names: Vec<&str> = instruments.iter().map(InstrumentId::symbol).collect();
    url.query_pairs_mut().append_pair("instruments", &names.join(",")).append_pair("snapshot", "true");
    let speaker = Arc::new(Voice { http: Arc::clone(&site.http), token: Arc::clone(&oanda.token) });
    let (oanda, asked) = (oanda.clone(), Arc::clone(site));
    let canary = move |ids: Vec<InstrumentId>| {
        let (oanda, site) = (oanda.clone(), Arc::clone(&asked));
        async move { oanda.latest_prices(&site, &ids).await }.boxed()
    };
    let connection = connection(site, &speaker, url, instruments, |id| id.symbol().to_owned(), PACE);
    vec![connection.watched_by(Arc::new(canary))]
}

struct Voice {
    http: Arc<HttpClient>,
    token: Arc<Secret>,
}

impl Speaker for Voice {
    fn connect<'a>(&'a self, room: &'a Room) -> BoxFuture<'a, Result<Box<dyn Wire>, LinkError>> {
        async {
            let call = signed(Call::get(room.url.clone()), &self.token);
            match self.http.open(&call).await {
                Ok(parts) => Ok(Box::new(Lines::new(parts)) as Box<dyn Wire>),
                Err(error @ ProviderError::Retryable { .. }) => Err(LinkError::Lost(error.to_string())),
                Err(error) => Err(LinkError::Refused(error.to_string())),
            }
        }
        .boxed()
    }

    fn greet(&self, _: &Room, _: &mut Out) {}

    fn on_frame(&self, room: &Room, data: &[u8], now: Timestamp, out: &mut Out) -> Result<(), Trouble> {
        let row: &RawValue = serde_json::from_slice(data)?;
        let line: wire::Line = serde_json::from_str(row.get())?;
        match line.kind.as_str() {
            "HEARTBEAT" => {}
            "PRICE" => room.row(line.instrument.as_deref(), row, out, |id| parse::price(id, row, now)),
            other => return Err(Trouble::Garbage(format!("an unknown kind of line, {other:?}"))),
        }
        // Whatever the first line says, it says that we were let in.
        out.ready = true;
        Ok(())
    }
}
