//! The trades of one minute: they open, peak, bottom and close exactly as its candle says.

use cw_core::Side;

use super::hash;
use super::market::{MINUTE, MinuteBar};

/// One trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tick {
    /// Place in the minute, from 0.
    pub(super) number: u32,
    /// Nanoseconds since the minute began.
    pub(super) offset: u64,
    pub(super) price: i64,
    pub(super) lots: i64,
    pub(super) aggressor: Side,
}

impl Tick {
    /// Who buys trades at the ask, who sells at the bid.
    pub(super) fn bid_and_ask(&self, spread: i64) -> (i64, i64) {
        match self.aggressor {
            Side::Buy => ((self.price - spread).max(1), self.price.max(2)),
            Side::Sell => (self.price, self.price + spread),
        }
    }
}

pub(super) fn of(bar: &MinuteBar) -> Vec<Tick> {
    let mut ticks = Vec::with_capacity(bar.trades as usize);
    fill(bar, &mut ticks);
    ticks
}

/// Replaces `ticks` by those of `bar`.
pub(super) fn fill(bar: &MinuteBar, ticks: &mut Vec<Tick>) {
    ticks.clear();
    let count = u64::from(bar.trades);
    let slot = MINUTE as u64 / count;
    let (times, sides, sizes) = (hash::key(bar.key, 11), hash::key(bar.key, 12), hash::key(bar.key, 13));
    for number in 0..bar.trades {
        // One trade per slot of time keeps them in order without sorting.
        let offset = u64::from(number) * slot + hash::at(times, u64::from(number)) % slot;
        ticks.push(Tick { number, offset, price: 0, lots: 0, aggressor: Side::Buy });
    }
    prices(bar, ticks);
    quantities(bar, ticks, sizes);
    let mut before: Option<(i64, Side)> = None;
    for tick in ticks {
        let bits = hash::at(sides, u64::from(tick.number));
        let coin = if bits & 1 == 0 { Side::Buy } else { Side::Sell };
        tick.aggressor = match before {
            Some((price, _)) if tick.price > price => Side::Buy,
            Some((price, _)) if tick.price < price => Side::Sell,
            // At an unchanged price the same side mostly goes on.
            Some((_, side)) if bits & 0xe != 0 => side,
            _ => coin,
        };
        // A bid below one tick is none: the lowest possible price is only ever sold at.
        if tick.price <= bar.spread {
            tick.aggressor = Side::Sell;
        }
        before = Some((tick.price, tick.aggressor));
    }
}

/// Walks from open over high and low to close.
fn prices(bar: &MinuteBar, ticks: &mut [Tick]) {
    let last = ticks.len() - 1;
    let bits = hash::at(bar.key, 14);
    // A rising minute mostly sees its low first.
    let rises = bar.close >= bar.open;
    let low_first = if bits.is_multiple_of(4) { !rises } else { rises };
    // Two different places between the ends; a minute has at least four trades.
    let inner = last as u64 - 1;
    let a = 1 + (bits >> 8) % inner;
    let b = 1 + (a + (bits >> 32) % (inner - 1)) % inner;
    let (earlier, later) = (a.min(b) as usize, a.max(b) as usize);
    let (low_at, high_at) = if low_first { (earlier, later) } else { (later, earlier) };
    let mut anchors = [(0, bar.open), (low_at, bar.low), (high_at, bar.high), (last, bar.close)];
    anchors.sort_unstable_by_key(|anchor| anchor.0);
    let step = bar.deviation / (ticks.len() as f64).sqrt();
    let walk_key = hash::key(bar.key, 15);
    for pair in anchors.windows(2) {
        let [(from, begin), (to, end)] = [pair[0], pair[1]];
        let length = to - from;
        // A free walk, bent so that it ends where it must.
        let mut walked = 0.0;
        let total: f64 = (from + 1..=to).map(|at| hash::normal(hash::at(walk_key, at as u64))).sum();
        for tick in &mut ticks[from + 1..to] {
            let part = (tick.number as usize - from) as f64 / length as f64;
            walked += hash::normal(hash::at(walk_key, u64::from(tick.number)));
            let bridge = begin as f64 + (end - begin) as f64 * part + step * (walked - total * part);
            tick.price = (bridge.round_ties_even() as i64).clamp(bar.low, bar.high);
        }
        ticks[from].price = begin;
        ticks[to].price = end;
    }
}

/// Shares out the minute's lots: at least one each, most to few.
fn quantities(bar: &MinuteBar, ticks: &mut [Tick], key: u64) {
    let weight = |number: u32| {
        let u = hash::unit(hash::at(key, u64::from(number)));
        // Heavy-tailed: one trade in a hundred is some fifty times the usual.
        0.2 + 1.0 / (1.02 - u) - 0.98
    };
    let total: f64 = ticks.iter().map(|tick| weight(tick.number)).sum();
    let spare = bar.lots - ticks.len() as i64;
    let (mut sum, mut given) = (0.0, 0);
    let last = ticks.len() - 1;
    for (at, tick) in ticks.iter_mut().enumerate() {
        sum += weight(tick.number);
        let upto = if at == last { spare } else { ((spare as f64 * (sum / total)) as i64).clamp(given, spare) };
        tick.lots = 1 + upto - given;
        given = upto;
    }
}
