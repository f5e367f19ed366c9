//! The paper broker: fills orders against quotes and trades (paper accounts, the simulated venue) or candles (backtests).
//!
//! Candle fills are pessimistic where a candle leaves the order of events open:
//! - a market order fills at the next candle's open, with slippage against us;
//! - a limit fills at its price, or at the open when the candle gaps through it in our favor;
//! - a stop fills at its price, or at the open when the candle gaps through it against us, with slippage;
//! - when a stop and a limit could both have filled inside one candle, the stop did;
//! - an order that was born inside a candle (an exit leg of an entry that filled there) can be stopped out in it, but
//!   takes no profit in it.

mod candle;
mod quote;

use cw_core::{
    ClientOrderId, Fill, Instrument, InstrumentId, Liquidity, NewOrder, NumberError, Order, OrderId, OrderType, Price,
    Quantity, Quote, Ratio, Rounding, Side, TimeInForce, Timestamp, VenueOrderId,
};
use cw_risk::ApprovedOrder;
use serde::{Deserialize, Serialize};

use crate::broker::VenueReport;

/// When a market order fills in a backtest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FillTiming {
    /// At the open of the candle after the decision.
    #[default]
    NextOpen,
    /// At the close that the decision was made on: optimistic, for comparison only.
    SameClose,
}

/// How the paper broker fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FillModel {
    pub timing: FillTiming,
    /// Added against us to market and stop fills, as a fraction of price.
    pub slippage: Ratio,
    /// Replaces the instrument's own fees.
    pub fee: Option<Ratio>,
    /// From our sending to the venue's acting.
    pub latency_ns: i64,
    /// How many of a million orders the venue rejects for no reason of ours.
    pub reject_per_million: u32,
    pub seed: u64,
}

impl Default for FillModel {
    fn default() -> Self {
        Self {
            timing: FillTiming::NextOpen,
            slippage: Ratio::ZERO,
            fee: None,
            latency_ns: 0,
            reject_per_million: 0,
            seed: 1,
        }
    }
}

/// An order at the venue.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Resting {
    order: NewOrder,
    venue_order_id: VenueOrderId,
    leaves: Quantity,
    taker_fee: Ratio,
    maker_fee: Ratio,
    tick_size: Price,
    /// The venue acts on it from here on.
    active_from: Timestamp,
    /// A stop-limit whose stop was reached, or a trailing stop turned market.
    triggered: bool,
    /// Rested in the book at least once, so its fills make liquidity.
    made: bool,
    /// The best price a trailing stop has seen.
    best: Option<Price>,
    /// Arrived while the candle being matched was already running.
    born_inside: bool,
}

impl Resting {
    /// It must fill now or not at all. A stop's time in force begins when its price is reached.
    fn acts_at_once(&self) -> bool {
        matches!(self.order.time_in_force, TimeInForce::Ioc | TimeInForce::Fok)
            && (self.triggered || !is_stop(self.order.order_type))
    }
}

/// A deterministic venue for paper money.
#[derive(Debug, Clone)]
pub struct PaperBroker {
    model: FillModel,
    /// Makes venue ids unique across restarts.
    session: String,
    next_number: u64,
    rng: u64,
    resting: Vec<Resting>,
    books: Vec<(InstrumentId, Quote)>,
    /// Net positions that its fills made: what reduce-only orders may reduce.
    positions: Vec<(InstrumentId, i128)>,
    inside_candle: bool,
    /// Where names are put together; kept for its memory.
    text: String,
}

impl PaperBroker {
    /// `session` becomes part of every venue id; two brokers of one account must not share it.
    pub fn new(model: FillModel, session: &str) -> Self {
        Self {
            model,
            session: session.to_owned(),
            next_number: 0,
            rng: model.seed,
            resting: Vec::new(),
            books: Vec::new(),
            positions: Vec::new(),
            inside_candle: false,
            text: String::new(),
        }
    }

    /// Whether nothing rests, so that a market event can change nothing.
    #[inline]
    pub fn is_idle(&self) -> bool {
        self.resting.is_empty()
    }

    /// Takes over an order that an earlier run of this broker had accepted.
    pub fn restore(&mut self, order: &Order, instrument: &Instrument) {
        let Some(venue_order_id) = order.venue_order_id.clone() else { return };
        self.resting.push(Resting {
            leaves: order.leaves_qty(),
            venue_order_id,
            taker_fee: self.model.fee.unwrap_or(instrument.taker_fee),
            maker_fee: self.model.fee.unwrap_or(instrument.maker_fee),
            tick_size: instrument.tick_size,
            active_from: order.created_at,
            triggered: false,
            made: true,
            best: None,
            born_inside: false,
            order: order.request.clone(),
        });
    }

    /// Takes over a position that an earlier run of this broker had made.
    pub fn restore_position(&mut self, instrument: &InstrumentId, signed_qty: Quantity) {
        *self.position(instrument) = signed_qty.raw();
    }

    fn position(&mut self, instrument: &InstrumentId) -> &mut i128 {
        let at = self.positions.iter().position(|(id, _)| id == instrument).unwrap_or_else(|| {
            self.positions.push((instrument.clone(), 0));
            self.positions.len() - 1
        });
        &mut self.positions[at].1
    }

    /// Whether this broker holds an open order of that name.
    pub fn knows(&self, client_order_id: &ClientOrderId) -> bool {
        self.resting.iter().any(|r| r.order.client_order_id == *client_order_id)
    }

    /// Takes an order. Reports its acceptance or rejection at once; fills follow with the market.
    pub fn submit(
        &mut self,
        order: ApprovedOrder,
        instrument: &Instrument,
        now: Timestamp,
        out: &mut Vec<VenueReport>,
    ) {
        let order = order.into_order();
        let client_order_id = order.client_order_id.clone();
        if self.draw_per_million() < self.model.reject_per_million {
            out.push(VenueReport::Rejected { client_order_id, reason: "simulated venue rejected the order".into() });
            return;
        }
        if order.post_only && self.would_take(&order) {
            out.push(VenueReport::Rejected {
                client_order_id,
                reason: "a post-only order would have taken liquidity".into(),
            });
            return;
        }
        let venue_order_id = self.new_venue_order_id();
        out.push(VenueReport::Accepted { client_order_id, venue_order_id: venue_order_id.clone() });
        self.resting.push(Resting {
            leaves: order.qty,
            venue_order_id,
            taker_fee: self.model.fee.unwrap_or(instrument.taker_fee),
            maker_fee: self.model.fee.unwrap_or(instrument.maker_fee),
            tick_size: instrument.tick_size,
            active_from: now.plus_nanos(self.model.latency_ns),
            triggered: false,
            made: false,
            best: None,
            born_inside: self.inside_candle,
            order,
        });
    }

    pub fn cancel(&mut self, client_order_id: &ClientOrderId, out: &mut Vec<VenueReport>) {
        let client_order_id = client_order_id.clone();
        match self.resting.iter().position(|r| r.order.client_order_id == client_order_id) {
            Some(at) => {
                self.resting.remove(at);
                out.push(VenueReport::Canceled { client_order_id, reason: "canceled on request".into() });
            }
            None => out.push(VenueReport::CancelRejected { client_order_id, reason: "no such open order".into() }),
        }
    }

    /// Sets the total quantity of a resting order. What is already filled counts; where that is all of it or more, the
    /// order is done with what it has.
    pub fn amend_quantity(&mut self, client_order_id: &ClientOrderId, qty: Quantity, out: &mut Vec<VenueReport>) {
        let Some(at) = self.resting.iter().position(|r| r.order.client_order_id == *client_order_id) else {
            let reason = "no such open order to amend".into();
            out.push(VenueReport::CancelRejected { client_order_id: client_order_id.clone(), reason });
            return;
        };
        let resting = &mut self.resting[at];
        let filled = resting.order.qty.raw() - resting.leaves.raw();
        if qty.raw() > filled {
            resting.leaves = Quantity::from_raw(qty.raw() - filled);
            resting.order.qty = qty;
            out.push(VenueReport::Amended { client_order_id: client_order_id.clone(), qty });
        } else if filled > 0 {
            self.resting.remove(at);
            let qty = Quantity::from_raw(filled);
            out.push(VenueReport::Amended { client_order_id: client_order_id.clone(), qty });
        } else {
            self.cancel(client_order_id, out);
        }
    }

    fn new_venue_order_id(&mut self) -> VenueOrderId {
        self.next_number += 1;
        self.text.clear();
        self.text.push_str(&self.session);
        self.text.push('-');
        push_number(&mut self.text, self.next_number);
        VenueOrderId::new(&self.text).expect("a session name and a number are short printable text")
    }

    /// SplitMix64 (Steele, Lea, Flood 2014): the next pseudo-random number of the seed.
    fn draw_per_million(&mut self) -> u32 {
        self.rng = self.rng.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.rng;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % 1_000_000) as u32
    }

    fn would_take(&self, order: &NewOrder) -> bool {
        let Some((_, quote)) = self.books.iter().find(|(id, _)| *id == order.instrument) else { return false };
        match (order.side, order.limit_price) {
            (Side::Buy, Some(limit)) => limit >= quote.ask,
            (Side::Sell, Some(limit)) => limit <= quote.bid,
            (_, None) => true,
        }
    }

    /// Books an execution of the order at `at`, reports it, and drops the order (and its OCO siblings) when it is done.
    /// Returns whether the order is gone.
    fn execute(
        &mut self,
        at: usize,
        qty: Quantity,
        price: Price,
        liquidity: Liquidity,
        time: Timestamp,
        out: &mut Vec<VenueReport>,
    ) -> bool {
        let resting = &self.resting[at];
        let rate = match liquidity {
            Liquidity::Maker => resting.maker_fee,
            Liquidity::Taker => resting.taker_fee,
        };
        let (side, reduce_only) = (resting.order.side, resting.order.reduce_only);
        let instrument = resting.order.instrument.clone();
        let reducible = (-side.sign() * *self.position(&instrument)).max(0);
        if reduce_only && reducible == 0 {
            self.drop_spent(at, out);
            return true;
        }
        let qty = if reduce_only { qty.min(Quantity::from_raw(reducible)) } else { qty };
        // A figure that does not fit cannot be booked; the order stays and the next event tries again.
        let Ok(fee) = price.notional(qty).and_then(|n| n.scale(rate)) else { return false };
        *self.position(&instrument) += side.sign() * qty.raw();
        self.next_number += 1;
        let number = self.next_number;
        let resting = &mut self.resting[at];
        resting.leaves = Quantity::from_raw(resting.leaves.raw() - qty.raw());
        let mut venue_fill_id = String::with_capacity(self.session.len() + 22);
        venue_fill_id.push_str(&self.session);
        venue_fill_id.push_str("-f");
        push_number(&mut venue_fill_id, number);
        let fill = Fill { venue_fill_id, event_time: time, price, qty, fee, liquidity };
        out.push(VenueReport::Filled { client_order_id: resting.order.client_order_id.clone(), fill });
        if !resting.leaves.is_zero() {
            if reduce_only && reducible == qty.raw() {
                // It took all there was; what is left of it could only open the other way.
                self.drop_spent(at, out);
                return true;
            }
            return false;
        }
        let done = self.resting.remove(at);
        if let (Some(parent), true) = (done.order.parent, done.order.reduce_only) {
            self.cancel_siblings(parent, &done.order.instrument, out);
        }
        true
    }

    fn drop_spent(&mut self, at: usize, out: &mut Vec<VenueReport>) {
        let resting = self.resting.remove(at);
        out.push(VenueReport::Canceled {
            client_order_id: resting.order.client_order_id,
            reason: "reduce-only, and there is nothing left to reduce".into(),
        });
    }

    /// One exit leg filled: the other is canceled by the venue, as one-cancels-other orders are.
    fn cancel_siblings(&mut self, parent: OrderId, instrument: &InstrumentId, out: &mut Vec<VenueReport>) {
        self.resting.retain(|r| {
            let sibling = r.order.parent == Some(parent) && r.order.reduce_only && r.order.instrument == *instrument;
            if sibling {
                out.push(VenueReport::Canceled {
                    client_order_id: r.order.client_order_id.clone(),
                    reason: "the other exit leg filled".into(),
                });
            }
            !sibling
        });
    }

    /// The price after slippage against us, on the tick grid.
    fn slipped(&self, resting: &Resting, price: Price) -> Result<Price, NumberError> {
        if self.model.slippage.is_zero() {
            return Ok(price);
        }
        let slip = price.scale(self.model.slippage)?;
        match resting.order.side {
            Side::Buy => price.checked_add(slip)?.round_to(resting.tick_size, Rounding::Ceil),
            Side::Sell => price.checked_sub(slip)?.round_to(resting.tick_size, Rounding::Floor),
        }
    }

    /// Ends orders whose time is over.
    fn expire(&mut self, now: Timestamp, out: &mut Vec<VenueReport>) {
        self.resting.retain(|r| {
            let over = match r.order.time_in_force {
                TimeInForce::Gtd => r.order.expire_time.is_some_and(|at| now >= at),
                TimeInForce::Day => now.as_secs().div_euclid(86_400) > r.active_from.as_secs().div_euclid(86_400),
                _ => false,
            };
            if over {
                out.push(VenueReport::Expired { client_order_id: r.order.client_order_id.clone() });
            }
            !over
        });
    }
}

/// Appends a number in decimal.
fn push_number(text: &mut String, mut number: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.extend(digits[at..].iter().map(|digit| char::from(*digit)));
}

/// The limit or trigger test in one place: is `price` at or beyond `level`, seen from the order's side?
const fn reaches(side: Side, order_type_is_stop: bool, price: Price, level: Price) -> bool {
    match (side, order_type_is_stop) {
        (Side::Buy, true) | (Side::Sell, false) => price.raw() >= level.raw(),
        (Side::Sell, true) | (Side::Buy, false) => price.raw() <= level.raw(),
    }
}

const fn is_stop(order_type: OrderType) -> bool {
    matches!(order_type, OrderType::Stop | OrderType::StopLimit | OrderType::TrailingStop)
}

#[cfg(test)]
mod tests;
