//! What every venue's stream does alike: knows its instruments by the venue's symbols, counts what cannot be read, and
//! gives a connection up that brings nothing else.

use std::collections::HashMap;
use std::sync::Arc;

use cw_core::{InstrumentId, Timestamp};
use cw_market::FeedEvent;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::value::RawValue;
use url::Url;

use super::health::Health;
use super::link::{Dialect, LinkError, Out, Pace};
use super::venue::{Connection, Site};
use super::wire::{Socket, Wire};

/// Frames in a row that cannot be read before a connection is given up.
const MOST_GARBAGE: u32 = 20;

/// Why a frame was not taken.
#[derive(Debug)]
pub enum Trouble {
    /// It cannot be read at all; it is counted.
    Garbage(String),
    /// The connection ends with it.
    Link(LinkError),
}

impl From<serde_json::Error> for Trouble {
    fn from(error: serde_json::Error) -> Self {
        Self::Garbage(format!("a frame: {error}"))
    }
}

impl From<LinkError> for Trouble {
    fn from(error: LinkError) -> Self {
        Self::Link(error)
    }
}

/// What a venue says and understands.
pub trait Speaker: Send + Sync + 'static {
    /// A WebSocket at the room's address, unless the venue streams otherwise.
    fn connect<'a>(&'a self, room: &'a Room) -> BoxFuture<'a, Result<Box<dyn Wire>, LinkError>> {
        async { Ok(Box::new(Socket::open(&room.url, &[]).await?) as Box<dyn Wire>) }.boxed()
    }
    /// What we say first; nothing where the venue begins.
    fn greet(&self, room: &Room, out: &mut Out);
    fn on_frame(&self, room: &Room, data: &[u8], now: Timestamp, out: &mut Out) -> Result<(), Trouble>;
}

/// What one connection is about.
pub struct Room {
    pub url: Url,
    pub ids: Arc<[InstrumentId]>,
    /// As the stream writes them, in the order of `ids`.
    pub symbols: Vec<String>,
    places: HashMap<String, usize>,
    health: Arc<Health>,
}

impl Room {
    /// Has a row about `symbol` read; what cannot be read is counted.
    pub fn row(
        &self,
        symbol: Option<&str>,
        row: &RawValue,
        out: &mut Out,
        read: impl FnOnce(&InstrumentId) -> Result<Option<FeedEvent>, String>,
    ) {
        let Some(place) = symbol.and_then(|symbol| self.places.get(symbol)).copied() else {
            return self.bad("a message about something else", row);
        };
        out.heard.push(place);
        match read(&self.ids[place]) {
            Ok(event) => out.events.extend(event),
            Err(reason) => self.bad(reason, row),
        }
    }

    /// Counts a row that is not taken.
    pub fn bad(&self, reason: impl Into<String>, row: &RawValue) {
        self.health.quarantine(reason, row.get().as_bytes());
    }
}

/// A connection for these instruments, under the names that `symbol` gives them.
pub fn connection<S: Speaker>(
    site: &Site,
    speaker: &Arc<S>,
    url: Url,
    ids: &[InstrumentId],
    symbol: impl Fn(&InstrumentId) -> String,
    pace: Pace,
) -> Connection {
    let symbols: Vec<String> = ids.iter().map(symbol).collect();
    let places = symbols.iter().cloned().zip(0..).collect();
    let instruments: Arc<[InstrumentId]> = ids.into();
    let ids = Arc::clone(&instruments);
    let room = Arc::new(Room { url, ids, symbols, places, health: Arc::clone(&site.health) });
    let speaker = Arc::clone(speaker);
    let dialect = move || -> Box<dyn Dialect> {
        Box::new(Talk { room: Arc::clone(&room), speaker: Arc::clone(&speaker), garbage: 0 })
    };
    Connection { pace, instruments, dialect: Box::new(dialect), canary: None }
}

struct Talk<S> {
    room: Arc<Room>,
    speaker: Arc<S>,
    garbage: u32,
}

impl<S: Speaker> Dialect for Talk<S> {
    fn connect(&mut self) -> BoxFuture<'_, Result<Box<dyn Wire>, LinkError>> {
        self.speaker.connect(&self.room)
    }

    fn greet(&mut self, out: &mut Out) {
        self.speaker.greet(&self.room, out);
    }

    fn on_data(&mut self, data: &[u8], now: Timestamp, out: &mut Out) -> Result<(), LinkError> {
        match self.speaker.on_frame(&self.room, data, now, out) {
            Ok(()) => self.garbage = 0,
            Err(Trouble::Link(error)) => return Err(error),
            Err(Trouble::Garbage(reason)) => {
                self.room.health.quarantine(reason, data);
                self.garbage += 1;
                if self.garbage == MOST_GARBAGE {
                    return Err(LinkError::Lost(format!("{MOST_GARBAGE} frames in a row cannot be read")));
                }
            }
        }
        Ok(())
    }
}
