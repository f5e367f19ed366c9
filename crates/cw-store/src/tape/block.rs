//! Events to the bytes of a block and back. No files here.

use cw_core::{Price, Quantity, Quote, Side, Timestamp, Trade};

use super::columns::{
    put_quantities, put_signed, put_steps, put_unsigned, take_quantities, take_signed, take_steps, take_unsigned,
};
use super::{TapeEvent, TapeKind};

/// Events of one block at most.
pub(super) const MOST_EVENTS: usize = 4_096;

const TRADE: u64 = 0;
const QUOTE: u64 = 1;
const BREAK: u64 = 2;

/// The columns of some events, in order of arrival. At most 4096 of them; more make one block too large to be read back.
pub fn encode_block(events: &[TapeEvent]) -> Vec<u8> {
    let mut out = Vec::with_capacity(events.len() * 8 + 64);
    let mut kinds = Vec::with_capacity(events.len());
    let (mut trades, mut quotes, mut breaks) = (Vec::new(), Vec::new(), Vec::new());
    for event in events {
        kinds.push(match event.kind {
            TapeKind::Trade(trade) => {
                trades.push(trade);
                TRADE
            }
            TapeKind::Quote(quote) => {
                quotes.push(quote);
                QUOTE
            }
            TapeKind::Break { lost } => {
                breaks.push(lost);
                BREAK
            }
        });
    }
    put_unsigned(&mut out, &kinds);
    put_steps(&mut out, &column(events, |e| e.event_time().as_nanos()));
    let lag = |e: &TapeEvent| e.received_at.as_nanos().wrapping_sub(e.event_time().as_nanos());
    put_signed(&mut out, &column(events, lag));
    if !trades.is_empty() {
        put_steps(&mut out, &column(&trades, |t| t.price.raw()));
        put_quantities(&mut out, &column(&trades, |t| t.qty.raw()));
        put_unsigned(&mut out, &column(&trades, |t| t.aggressor.map_or(0, |side| 1 + u64::from(side == Side::Sell))));
        put_steps(&mut out, &column(&trades, |t| t.trade_id.cast_signed()));
    }
    if !quotes.is_empty() {
        put_steps(&mut out, &column(&quotes, |q| q.bid.raw()));
        put_signed(&mut out, &column(&quotes, |q| q.ask.raw().wrapping_sub(q.bid.raw())));
        put_quantities(&mut out, &column(&quotes, |q| q.bid_qty.raw()));
        put_quantities(&mut out, &column(&quotes, |q| q.ask_qty.raw()));
    }
    if !breaks.is_empty() {
        put_unsigned(&mut out, &breaks);
    }
    out
}

fn column<T, V>(rows: &[T], value: impl Fn(&T) -> V) -> Vec<V> {
    rows.iter().map(value).collect()
}

/// Appends the events of a block; `None` when these bytes are not one of `count` events.
pub fn decode_block(mut bytes: &[u8], count: usize, events: &mut Vec<TapeEvent>) -> Option<()> {
    if count > MOST_EVENTS {
        return None;
    }
    let bytes = &mut bytes;
    let kinds = take_unsigned(bytes, count)?;
    let of = |kind: u64| kinds.iter().filter(|k| **k == kind).count();
    let (trades, quotes, breaks) = (of(TRADE), of(QUOTE), of(BREAK));
    if trades + quotes + breaks != count {
        return None;
    }
    let times = take_steps(bytes, count)?;
    let lags = take_signed(bytes, count)?;
    let mut trades = TradeColumns::take(bytes, trades)?;
    let mut quotes = QuoteColumns::take(bytes, quotes)?;
    let mut breaks = (if breaks > 0 { take_unsigned(bytes, breaks)? } else { Vec::new() }).into_iter();
    if !bytes.is_empty() {
        return None;
    }
    events.reserve(count);
    for ((kind, time), lag) in kinds.into_iter().zip(times).zip(lags) {
        let event_time = Timestamp::from_nanos(time);
        let kind = match kind {
            TRADE => TapeKind::Trade(trades.next(event_time)?),
            QUOTE => TapeKind::Quote(quotes.next(event_time)?),
            _ => TapeKind::Break { lost: breaks.next()? },
        };
        events.push(TapeEvent { received_at: Timestamp::from_nanos(time.wrapping_add(lag)), kind });
    }
    Some(())
}

#[derive(Default)]
struct TradeColumns {
    at: usize,
    price: Vec<i64>,
    qty: Vec<i128>,
    side: Vec<u64>,
    id: Vec<i64>,
}

impl TradeColumns {
    fn take(bytes: &mut &[u8], count: usize) -> Option<Self> {
        if count == 0 {
            return Some(Self::default());
        }
        Some(Self {
            at: 0,
            price: take_steps(bytes, count)?,
            qty: take_quantities(bytes, count)?,
            side: take_unsigned(bytes, count)?,
            id: take_steps(bytes, count)?,
        })
    }

    #[inline]
    fn next(&mut self, event_time: Timestamp) -> Option<Trade> {
        let at = self.at;
        self.at += 1;
        Some(Trade {
            event_time,
            price: Price::from_raw(*self.price.get(at)?),
            qty: Quantity::from_raw(*self.qty.get(at)?),
            aggressor: match self.side.get(at)? {
                0 => None,
                1 => Some(Side::Buy),
                2 => Some(Side::Sell),
                _ => return None,
            },
            trade_id: self.id.get(at)?.cast_unsigned(),
        })
    }
}

#[derive(Default)]
struct QuoteColumns {
    at: usize,
    bid: Vec<i64>,
    spread: Vec<i64>,
    bid_qty: Vec<i128>,
    ask_qty: Vec<i128>,
}

impl QuoteColumns {
    fn take(bytes: &mut &[u8], count: usize) -> Option<Self> {
        if count == 0 {
            return Some(Self::default());
        }
        Some(Self {
            at: 0,
            bid: take_steps(bytes, count)?,
            spread: take_signed(bytes, count)?,
            bid_qty: take_quantities(bytes, count)?,
            ask_qty: take_quantities(bytes, count)?,
        })
    }

    #[inline]
    fn next(&mut self, event_time: Timestamp) -> Option<Quote> {
        let at = self.at;
        self.at += 1;
        let bid = *self.bid.get(at)?;
        Some(Quote {
            event_time,
            bid: Price::from_raw(bid),
            ask: Price::from_raw(bid.wrapping_add(*self.spread.get(at)?)),
            bid_qty: Quantity::from_raw(*self.bid_qty.get(at)?),
            ask_qty: Quantity::from_raw(*self.ask_qty.get(at)?),
        })
    }
}
