//! A book around the best bid and ask.

use cw_core::{Price, Quantity, Quote, Timestamp};
use serde::Serialize;

use super::hash;
use super::market::Stock;

const LEVELS: i64 = 20;
/// Sizes away from the top change this often.
const REFRESH: i64 = 2 * Timestamp::NANOS_PER_SECOND;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DepthLevel {
    pub price: Price,
    pub qty: Quantity,
}

/// Bids and asks, best first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Depth {
    pub event_time: Timestamp,
    pub bids: Vec<DepthLevel>,
    pub asks: Vec<DepthLevel>,
}

impl Depth {
    pub(super) fn around(quote: &Quote, stock: &Stock, time: Timestamp) -> Self {
        let listing = stock.listing;
        let step = listing.spread_ticks.max(1);
        let usual = (listing.volume_lots / listing.trades * 4.0).max(2.0);
        let key = hash::key(stock.key, 21);
        let side = |best: Price, best_qty: Quantity, direction: i64| {
            let best_ticks = best.raw() / listing.tick;
            let mut levels = vec![DepthLevel { price: best, qty: best_qty }];
            for level in 1..LEVELS {
                let ticks = best_ticks + direction * level * step;
                if ticks < 1 {
                    break;
                }
                // Each price changes its size at moments of its own.
                let own = hash::at(key, ticks as u64);
                let phase = (time.as_nanos() + (own % REFRESH as u64) as i64) / REFRESH;
                let u = hash::unit(hash::at(own, phase as u64));
                let deeper = 1.0 + 0.15 * level as f64;
                let lots = (usual * deeper * (0.1 + 1.5 * u * u)) as i64 + 1;
                levels.push(DepthLevel { price: stock.price(ticks), qty: stock.quantity(lots) });
            }
            levels
        };
        Self {
            event_time: quote.event_time,
            bids: side(quote.bid, quote.bid_qty, -1),
            asks: side(quote.ask, quote.ask_qty, 1),
        }
    }
}
