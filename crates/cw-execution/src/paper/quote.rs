//! Fills against live quotes and trades.

use cw_core::{InstrumentId, Liquidity, OrderType, Price, Quantity, Quote, Side, TimeInForce, Timestamp, Trade};

use super::{PaperBroker, Resting, is_stop, reaches};
use crate::broker::VenueReport;

/// What an order does with the market in front of it.
enum Step {
    Wait,
    /// Take what the quote offers at this price.
    Take(Price),
    /// Filled while resting, at its own limit.
    Make(Price),
}

impl PaperBroker {
    /// A new best bid and ask. `now` is our clock, which latency is counted on.
    pub fn on_quote(&mut self, instrument: &InstrumentId, quote: &Quote, now: Timestamp, out: &mut Vec<VenueReport>) {
        match self.books.iter_mut().find(|(id, _)| id == instrument) {
            Some((_, book)) => *book = *quote,
            None => self.books.push((instrument.clone(), *quote)),
        }
        if self.resting.is_empty() {
            return;
        }
        self.expire(now, out);
        self.match_all(instrument, quote, None, now, out);
    }

    /// A public trade: triggers stops and fills resting limits that it traded through.
    pub fn on_trade(&mut self, instrument: &InstrumentId, trade: &Trade, now: Timestamp, out: &mut Vec<VenueReport>) {
        if self.resting.is_empty() {
            return;
        }
        let Some(quote) = self.books.iter().find(|(id, _)| id == instrument).map(|(_, quote)| *quote) else { return };
        self.match_all(instrument, &quote, Some(trade), now, out);
    }

    fn match_all(
        &mut self,
        instrument: &InstrumentId,
        quote: &Quote,
        trade: Option<&Trade>,
        now: Timestamp,
        out: &mut Vec<VenueReport>,
    ) {
        let time = trade.map_or(quote.event_time, |t| t.event_time);
        // What this quote still offers to takers; the next quote brings new.
        let (mut ask_left, mut bid_left) = (quote.ask_qty, quote.bid_qty);
        let mut at = 0;
        while at < self.resting.len() {
            let before = self.resting.len();
            let resting = &mut self.resting[at];
            if resting.order.instrument != *instrument || now < resting.active_from {
                at += 1;
                continue;
            }
            match step(resting, quote, trade) {
                Step::Wait => {
                    if self.resting[at].acts_at_once() {
                        self.kill(at, out);
                        continue;
                    }
                }
                Step::Make(price) => {
                    let leaves = self.resting[at].leaves;
                    self.execute(at, leaves, price, Liquidity::Maker, time, out);
                }
                // A trade does not refresh what the quote offers, so takers fill on quotes only.
                Step::Take(_) if trade.is_some() => {}
                Step::Take(price) => {
                    let side = self.resting[at].order.side;
                    let offered = if side == Side::Buy { ask_left } else { bid_left };
                    let taken = self.take(at, price, offered, time, out);
                    let left = if side == Side::Buy { &mut ask_left } else { &mut bid_left };
                    *left = Quantity::from_raw(offered.raw() - taken.raw());
                }
            }
            if self.resting.len() == before {
                at += 1;
            } else {
                // Orders were removed, perhaps siblings before this place: look again from the start.
                at = 0;
            }
        }
    }

    /// Takes up to `offered`; returns what was taken.
    fn take(
        &mut self,
        at: usize,
        price: Price,
        offered: Quantity,
        time: Timestamp,
        out: &mut Vec<VenueReport>,
    ) -> Quantity {
        let resting = &self.resting[at];
        let leaves = resting.leaves;
        let (tif, is_limit) = (resting.order.time_in_force, resting.order.limit_price.is_some());
        let Ok(slipped) = self.slipped(resting, price) else { return Quantity::ZERO };
        // A limit never trades beyond itself, whatever the slippage model says.
        let price = if is_limit { price } else { slipped };
        let qty = leaves.min(offered);
        if tif == TimeInForce::Fok && qty < leaves {
            self.kill(at, out);
            return Quantity::ZERO;
        }
        if !qty.is_positive() {
            return Quantity::ZERO;
        }
        let gone = self.execute(at, qty, price, Liquidity::Taker, time, out);
        if !gone && tif == TimeInForce::Ioc {
            self.kill(at, out);
        }
        qty
    }

    fn kill(&mut self, at: usize, out: &mut Vec<VenueReport>) {
        let resting = self.resting.remove(at);
        out.push(VenueReport::Canceled {
            client_order_id: resting.order.client_order_id,
            reason: "not fillable at once, as its time in force demands".into(),
        });
    }
}

fn step(resting: &mut Resting, quote: &Quote, trade: Option<&Trade>) -> Step {
    let order = &resting.order;
    let (touch, side) = match order.side {
        Side::Buy => (quote.ask, Side::Buy),
        Side::Sell => (quote.bid, Side::Sell),
    };
    if !touch.is_positive() {
        return Step::Wait;
    }
    if is_stop(order.order_type) && !resting.triggered {
        // Stops watch what was traded, and the price they would have to pay.
        let seen = trade.map_or(touch, |t| t.price);
        let level = match (order.order_type, order.trail_offset) {
            (OrderType::TrailingStop, Some(offset)) => {
                let best = match (side, resting.best) {
                    (_, None) => seen,
                    (Side::Sell, Some(best)) => best.max(seen),
                    (Side::Buy, Some(best)) => best.min(seen),
                };
                resting.best = Some(best);
                match side {
                    Side::Sell => best.checked_sub(offset),
                    Side::Buy => best.checked_add(offset),
                }
                .unwrap_or(best)
            }
            _ => match order.stop_price {
                Some(stop) => stop,
                None => return Step::Wait,
            },
        };
        if !reaches(side, true, seen, level) {
            return Step::Wait;
        }
        resting.triggered = true;
    }
    match order.limit_price {
        None => Step::Take(touch),
        Some(limit) => {
            if reaches(side, false, touch, limit) {
                return if resting.made { Step::Make(limit) } else { Step::Take(touch) };
            }
            resting.made = true;
            // Traded strictly through our price: we were ahead of it in the book.
            match trade {
                Some(t) if t.price != limit && reaches(side, false, t.price, limit) => Step::Make(limit),
                _ => Step::Wait,
            }
        }
    }
}
