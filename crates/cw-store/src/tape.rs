//! Recordings of what a feed brought, event by event, in files beside the database.
//!
//! `recordings/INSTRUMENT/TIME.cwt` is a segment: a short head, then blocks of up to 4096 events. A block holds its
//! events column by column, each column in the smallest of a few shapes of integers ([`columns`]), with a checksum over
//! all of it. Segments are only ever appended to. What a crash tears off the end is cut before more is written, and said;
//! a block that was damaged later is passed over, and said.
//!
//! A block comes back as the very events that went into it, in the form that aggregation takes; `bench_tape` says how fast.

mod block;
mod columns;
mod segment;
#[cfg(test)]
mod tests;

use cw_core::{MarketEventKind, Quote, Timestamp, Trade};

pub use block::{decode_block, encode_block};
pub use segment::{Recording, TapeReader, TapeWriter, Tapes};

/// One event as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TapeEvent {
    /// Our clock when it came in.
    pub received_at: Timestamp,
    pub kind: TapeKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TapeKind {
    Trade(Trade),
    Quote(Quote),
    /// Between the event before and the next one some are missing: `lost` that are known of. A recording begins with one.
    Break {
        lost: u64,
    },
}

impl TapeKind {
    pub const fn trade(self) -> Option<Trade> {
        if let Self::Trade(trade) = self { Some(trade) } else { None }
    }
    pub const fn quote(self) -> Option<Quote> {
        if let Self::Quote(quote) = self { Some(quote) } else { None }
    }
}

impl TapeEvent {
    pub const fn new(received_at: Timestamp, event: MarketEventKind) -> Self {
        let kind = match event {
            MarketEventKind::Trade(trade) => TapeKind::Trade(trade),
            MarketEventKind::Quote(quote) => TapeKind::Quote(quote),
        };
        Self { received_at, kind }
    }

    pub const fn lost(received_at: Timestamp, lost: u64) -> Self {
        Self { received_at, kind: TapeKind::Break { lost } }
    }

    /// The venue's time, ours where a break has none.
    pub const fn event_time(&self) -> Timestamp {
        match self.kind {
            TapeKind::Trade(trade) => trade.event_time,
            TapeKind::Quote(quote) => quote.event_time,
            TapeKind::Break { .. } => self.received_at,
        }
    }
}
