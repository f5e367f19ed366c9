//! One candle under construction or recently closed, with what is needed to correct it later.

use cw_core::{Candle, Price, Timestamp, Volume};
use serde::{Deserialize, Serialize};

use crate::aggregator::SeqRange;

/// A trade, or a quote's middle with no volume, as the aggregator sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Print {
    pub time: i64,
    pub price: i64,
    pub volume: i128,
    /// Breaks ties of time; zero = order of arrival.
    pub id: u64,
    pub seq: u64,
}

/// Where an event stands in a candle: time first, then the venue's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Place {
    pub time: i64,
    pub id: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bucket {
    pub open_time: i64,
    pub open: i64,
    pub high: i64,
    pub low: i64,
    pub close: i64,
    pub volume: i128,
    pub first: Place,
    pub last: Place,
    pub first_seq: u64,
    pub last_seq: u64,
    pub revision: u32,
}

impl Bucket {
    /// Holds nothing. Its last place lies after every event, so that no event counts as the next one in order.
    pub(crate) const EMPTY: Self = Self {
        open_time: 0,
        open: 0,
        high: 0,
        low: 0,
        close: 0,
        volume: 0,
        first: Place { time: i64::MAX, id: 0 },
        last: Place { time: i64::MAX, id: u64::MAX },
        first_seq: 0,
        last_seq: 0,
        revision: 0,
    };

    pub(crate) fn is_empty(&self) -> bool {
        self.first.time == i64::MAX
    }

    pub(crate) fn start(open_time: i64, print: &Print) -> Self {
        let place = Place { time: print.time, id: print.id };
        Self {
            open_time,
            open: print.price,
            high: print.price,
            low: print.price,
            close: print.price,
            volume: print.volume,
            first: place,
            last: place,
            first_seq: print.seq,
            last_seq: print.seq,
            revision: 0,
        }
    }

    /// A candle that came as a whole. It counts as first and last event of its time.
    pub(crate) fn whole(candle: &Candle, close_time: i64, seq: u64) -> Self {
        let open_time = candle.open_time.as_nanos();
        Self {
            open_time,
            open: candle.open.raw(),
            high: candle.high.raw(),
            low: candle.low.raw(),
            close: candle.close.raw(),
            volume: candle.volume.raw(),
            first: Place { time: open_time, id: 0 },
            last: Place { time: close_time - 1, id: u64::MAX },
            first_seq: seq,
            last_seq: seq,
            revision: 0,
        }
    }

    /// Whether `print` comes after everything in here; equal places keep their order of arrival.
    #[inline]
    pub(crate) fn precedes(&self, print: &Print) -> bool {
        print.time > self.last.time || (print.time == self.last.time && print.id >= self.last.id)
    }

    /// Adds the event that comes after everything in here.
    #[inline]
    pub(crate) fn append(&mut self, print: &Print) {
        self.high = self.high.max(print.price);
        self.low = self.low.min(print.price);
        self.close = print.price;
        self.volume += print.volume;
        self.last = Place { time: print.time, id: print.id };
        self.last_seq = print.seq;
    }

    /// Adds an event wherever it belongs.
    pub(crate) fn insert(&mut self, print: &Print) {
        let place = Place { time: print.time, id: print.id };
        if place < self.first {
            self.first = place;
            self.open = print.price;
        }
        if self.precedes(print) {
            self.last = place;
            self.close = print.price;
        }
        self.high = self.high.max(print.price);
        self.low = self.low.min(print.price);
        self.volume += print.volume;
        self.first_seq = self.first_seq.min(print.seq);
        self.last_seq = self.last_seq.max(print.seq);
    }

    /// Adds a finer candle that comes after everything in here.
    pub(crate) fn append_bucket(&mut self, open_time: i64, next: &Bucket) {
        if self.is_empty() {
            *self = Bucket { open_time, revision: 0, ..*next };
            return;
        }
        self.high = self.high.max(next.high);
        self.low = self.low.min(next.low);
        self.close = next.close;
        self.volume += next.volume;
        self.last = next.last;
        self.first_seq = self.first_seq.min(next.first_seq);
        self.last_seq = self.last_seq.max(next.last_seq);
    }

    pub(crate) fn candle(&self) -> Candle {
        Candle {
            open_time: Timestamp::from_nanos(self.open_time),
            open: Price::from_raw(self.open),
            high: Price::from_raw(self.high),
            low: Price::from_raw(self.low),
            close: Price::from_raw(self.close),
            volume: Volume::from_raw(self.volume),
        }
    }

    pub(crate) fn source(&self) -> SeqRange {
        SeqRange { first: self.first_seq, last: self.last_seq }
    }
}
