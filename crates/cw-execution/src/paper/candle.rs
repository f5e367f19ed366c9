//! Fills against candles, for backtests.

use cw_core::{Candle, InstrumentId, Liquidity, OrderType, Price, Side, Timestamp};

use super::{FillTiming, PaperBroker, is_stop, reaches};
use crate::broker::VenueReport;

impl PaperBroker {
    /// The first moment of a candle: market orders, and everything the open gapped through.
    pub fn on_candle_open(&mut self, instrument: &InstrumentId, candle: &Candle, out: &mut Vec<VenueReport>) {
        if self.resting.is_empty() {
            return;
        }
        self.expire(candle.open_time, out);
        for resting in &mut self.resting {
            resting.born_inside = false;
        }
        self.fill_where(instrument, candle.open_time, out, |broker, at| broker.price_at_open(at, candle.open));
        self.inside_candle = true;
    }

    /// The rest of the candle: levels between low and high, stops before limits. Called again while it reports fills, so
    /// that exit legs born of them are judged too.
    pub fn on_candle_range(
        &mut self,
        instrument: &InstrumentId,
        candle: &Candle,
        close_time: Timestamp,
        out: &mut Vec<VenueReport>,
    ) {
        if self.resting.is_empty() {
            return;
        }
        for stops in [true, false] {
            self.fill_where(instrument, close_time, out, |broker, at| broker.price_in_range(at, candle, stops));
        }
    }

    /// The candle is over: trailing stops move, and what must fill at once or not at all is gone.
    pub fn on_candle_close(
        &mut self,
        instrument: &InstrumentId,
        candle: &Candle,
        close_time: Timestamp,
        out: &mut Vec<VenueReport>,
    ) {
        self.inside_candle = false;
        if self.resting.is_empty() {
            return;
        }
        for resting in &mut self.resting {
            if resting.order.instrument == *instrument && resting.order.order_type == OrderType::TrailingStop {
                resting.best = Some(match (resting.order.side, resting.best) {
                    (Side::Sell, best) => best.map_or(candle.high, |b| b.max(candle.high)),
                    (Side::Buy, best) => best.map_or(candle.low, |b| b.min(candle.low)),
                });
            }
        }
        let before = close_time;
        self.resting.retain(|r| {
            let over = r.order.instrument == *instrument && r.active_from < before && r.acts_at_once();
            if over {
                out.push(VenueReport::Canceled {
                    client_order_id: r.order.client_order_id.clone(),
                    reason: "not fillable at once, as its time in force demands".into(),
                });
            }
            !over
        });
    }

    /// With [`FillTiming::SameClose`]: market orders fill at the close they were decided on.
    pub fn on_decision_close(
        &mut self,
        instrument: &InstrumentId,
        close: Price,
        time: Timestamp,
        out: &mut Vec<VenueReport>,
    ) {
        if self.model.timing == FillTiming::SameClose && !self.resting.is_empty() {
            self.fill_where(instrument, time, out, |broker, at| {
                let resting = &broker.resting[at];
                (resting.order.order_type == OrderType::Market)
                    .then(|| broker.slipped(resting, close).ok().map(|price| (price, Liquidity::Taker)))
                    .flatten()
            });
        }
    }

    /// The data is over: market orders fill at the last close, exactly.
    pub fn on_end(&mut self, instrument: &InstrumentId, close: Price, time: Timestamp, out: &mut Vec<VenueReport>) {
        self.fill_where(instrument, time, out, |broker, at| {
            (broker.resting[at].order.order_type == OrderType::Market).then_some((close, Liquidity::Taker))
        });
    }

    /// Fills, oldest first, each order of the instrument for which `price` has one.
    fn fill_where(
        &mut self,
        instrument: &InstrumentId,
        time: Timestamp,
        out: &mut Vec<VenueReport>,
        price: impl Fn(&mut Self, usize) -> Option<(Price, Liquidity)>,
    ) {
        let mut at = 0;
        while at < self.resting.len() {
            let before = self.resting.len();
            if self.resting[at].order.instrument == *instrument
                && let Some((price, liquidity)) = price(self, at)
            {
                let leaves = self.resting[at].leaves;
                self.execute(at, leaves, price, liquidity, time, out);
            }
            at = if self.resting.len() == before { at + 1 } else { 0 };
        }
    }

    fn price_at_open(&mut self, at: usize, open: Price) -> Option<(Price, Liquidity)> {
        let resting = &self.resting[at];
        let order = &resting.order;
        match order.order_type {
            OrderType::Market => self.slipped(resting, open).ok().map(|p| (p, Liquidity::Taker)),
            OrderType::Limit => {
                let limit = order.limit_price?;
                reaches(order.side, false, open, limit).then_some((open, Liquidity::Taker))
            }
            OrderType::Stop | OrderType::TrailingStop => {
                let level = self.trigger_level(at)?;
                reaches(order.side, true, open, level)
                    .then(|| self.slipped(resting, open).ok().map(|p| (p, Liquidity::Taker)))
                    .flatten()
            }
            OrderType::StopLimit => {
                let (level, limit) = (self.trigger_level(at)?, order.limit_price?);
                let side = order.side;
                if !resting.triggered && !reaches(side, true, open, level) {
                    return None;
                }
                self.resting[at].triggered = true;
                reaches(side, false, open, limit).then_some((open, Liquidity::Taker))
            }
        }
    }

    fn price_in_range(&mut self, at: usize, candle: &Candle, stops: bool) -> Option<(Price, Liquidity)> {
        let resting = &self.resting[at];
        let order = &resting.order;
        let side = order.side;
        let waits_for_stop = is_stop(order.order_type) && !resting.triggered;
        if waits_for_stop != stops {
            return None;
        }
        if waits_for_stop {
            let level = self.trigger_level(at)?;
            let extreme = if side == Side::Buy { candle.high } else { candle.low };
            if !reaches(side, true, extreme, level) {
                return None;
            }
            if order.order_type != OrderType::StopLimit {
                return self.slipped(resting, level).ok().map(|p| (p, Liquidity::Taker));
            }
            let limit = order.limit_price?;
            self.resting[at].triggered = true;
            // Triggered at the stop; fills there when its limit allows, otherwise it rests until the next candle.
            self.resting[at].born_inside = true;
            return reaches(side, false, level, limit).then_some((level, Liquidity::Taker));
        }
        let limit = order.limit_price?;
        if resting.born_inside {
            return None;
        }
        let extreme = if side == Side::Buy { candle.low } else { candle.high };
        reaches(side, false, extreme, limit).then_some((limit, Liquidity::Maker))
    }

    /// The price at which a stop becomes a market order.
    fn trigger_level(&self, at: usize) -> Option<Price> {
        let resting = &self.resting[at];
        match (resting.order.order_type, resting.order.trail_offset, resting.best) {
            (OrderType::TrailingStop, Some(offset), Some(best)) => match resting.order.side {
                Side::Sell => best.checked_sub(offset).ok(),
                Side::Buy => best.checked_add(offset).ok(),
            },
            (OrderType::TrailingStop, ..) => None,
            _ => resting.order.stop_price,
        }
    }
}
