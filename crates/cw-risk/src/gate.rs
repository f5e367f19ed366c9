//! The checks, and the type that proves they were made.

use std::collections::VecDeque;
use std::fmt;

use cw_core::{
    Amount, Instrument, InstrumentId, NewOrder, NumberError, OrderType, Price, Quantity, Ratio, Side, TimeInForce,
    Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::limits::Limits;

/// An order that passed the gate. Only [`OrderGate::check`] makes one; it can be neither copied nor read from outside.
#[derive(Debug, PartialEq, Eq)]
pub struct ApprovedOrder(NewOrder);

impl ApprovedOrder {
    pub const fn order(&self) -> &NewOrder {
        &self.0
    }
    pub fn into_order(self) -> NewOrder {
        self.0
    }
}

/// What is checked. The names are stable: they are shown, journaled and matched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    Halted,
    Restricted,
    Instrument,
    Prices,
    QuoteAge,
    PriceCollar,
    OrderNotional,
    PositionNotional,
    Leverage,
    BuyingPower,
    OpenOrders,
    OrderRate,
    Duplicate,
    DailyLoss,
    Drawdown,
    UnresolvedOrder,
    ReduceOnly,
    Arithmetic,
}

impl Check {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Halted => "halted",
            Self::Restricted => "restricted",
            Self::Instrument => "instrument",
            Self::Prices => "prices",
            Self::QuoteAge => "quote_age",
            Self::PriceCollar => "price_collar",
            Self::OrderNotional => "order_notional",
            Self::PositionNotional => "position_notional",
            Self::Leverage => "leverage",
            Self::BuyingPower => "buying_power",
            Self::OpenOrders => "open_orders",
            Self::OrderRate => "order_rate",
            Self::Duplicate => "duplicate",
            Self::DailyLoss => "daily_loss",
            Self::Drawdown => "drawdown",
            Self::UnresolvedOrder => "unresolved_order",
            Self::ReduceOnly => "reduce_only",
            Self::Arithmetic => "arithmetic",
        }
    }
}

/// One check's outcome with the figures it was decided on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    pub check: Check,
    pub pass: bool,
    /// A sentence with the figures.
    pub reason: String,
}

/// The gate said no: every failed check, not only the first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denied {
    pub reasons: Vec<CheckResult>,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, reason) in self.reasons.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            f.write_str(&reason.reason)?;
        }
        Ok(())
    }
}
impl std::error::Error for Denied {}

/// What the engine knows at the moment of the check. Amounts in the account's currency.
#[derive(Debug, Clone, Copy)]
pub struct Book<'a> {
    pub instrument: &'a Instrument,
    /// What an order of this side would trade at: ask for a buy, bid for a sell, last close in a backtest.
    pub reference_price: Option<Price>,
    /// Age of that price.
    pub quote_age_ns: i64,
    /// Worth of one unit of the instrument's quote currency in the account's currency.
    pub conversion: Ratio,
    pub position: Quantity,
    /// Open quantity of orders on the same side as this one, not counting reduce-only ones.
    pub open_same_side: Quantity,
    pub equity: Amount,
    /// Equity not yet bound by positions and open orders.
    pub buying_power: Amount,
    /// Σ |notional| of all positions and of open orders that add to them.
    pub gross_exposure: Amount,
    pub open_orders: u32,
    pub day_result: Amount,
    pub peak_equity: Amount,
    /// An order of this account and instrument has no known fate.
    pub unresolved: bool,
    pub halted: bool,
}

/// Key of an order for the duplicate check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Fingerprint {
    at: Timestamp,
    instrument: InstrumentId,
    side: Side,
    order_type: OrderType,
    qty: Quantity,
    limit_price: Option<Price>,
    stop_price: Option<Price>,
}

/// One account's gate: its limits and the memory that rate and duplicate checks need. Part of the engine's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderGate {
    pub limits: Limits,
    recent: VecDeque<Fingerprint>,
}

const MINUTE_NS: i64 = 60_000_000_000;
/// Orders remembered for rate and duplicate checks; a rate limit above this could not be kept and is capped to it.
const MEMORY: usize = 4_096;

impl OrderGate {
    pub const fn new(limits: Limits) -> Self {
        Self { limits, recent: VecDeque::new() }
    }

    /// Judges an order. On success it counts against the limits at once, before anything is sent.
    ///
    /// An order that would be refused, and passes only because it takes risk away, leaves as reduce-only: by the time
    /// the venue acts on it the position may be gone, and then it must not open another one.
    pub fn check(&mut self, mut order: NewOrder, book: &Book<'_>, now: Timestamp) -> Result<ApprovedOrder, Denied> {
        self.forget(now);
        let mut failed = Failures(Vec::new());
        self.check_shape(&order, book, &mut failed);
        if !order.reduce_only {
            let before = failed.0.len();
            self.check_risk(&order, book, now, &mut failed);
            if failed.0.len() > before && reduces(&order, book) {
                failed.0.truncate(before);
                order.reduce_only = true;
            }
        }
        if !failed.0.is_empty() {
            return Err(Denied { reasons: failed.0 });
        }
        if self.remembers() && order.parent.is_none() {
            if self.recent.len() == MEMORY {
                self.recent.pop_front();
            }
            self.recent.push_back(Fingerprint {
                at: now,
                instrument: order.instrument.clone(),
                side: order.side,
                order_type: order.order_type,
                qty: order.qty,
                limit_price: order.limit_price,
                stop_price: order.stop_price,
            });
        }
        Ok(ApprovedOrder(order))
    }

    /// Every check with its figures, for the order ticket. Changes nothing.
    pub fn preview(&self, order: &NewOrder, book: &Book<'_>, now: Timestamp) -> Vec<CheckResult> {
        let mut all = Everything(Vec::new());
        self.evaluate(order, book, now, &mut all);
        all.0
    }

    const fn remembers(&self) -> bool {
        self.limits.max_orders_per_minute.is_some() || self.limits.duplicate_window_ms.is_some()
    }

    fn forget(&mut self, now: Timestamp) {
        let window = MINUTE_NS.max(self.duplicate_window_ns().unwrap_or(0));
        while self.recent.front().is_some_and(|f| now.nanos_since(f.at) >= window) {
            self.recent.pop_front();
        }
    }

    fn duplicate_window_ns(&self) -> Option<i64> {
        self.limits.duplicate_window_ms.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX).saturating_mul(1_000_000))
    }

    fn evaluate(&self, order: &NewOrder, book: &Book<'_>, now: Timestamp, out: &mut impl Collector) {
        self.check_shape(order, book, out);
        // What takes risk away passes although trading is halted, quotes are old or losses are high.
        if !reduces(order, book) {
            self.check_risk(order, book, now, out);
        }
    }

    /// Whether an order that may add risk may pass.
    fn check_risk(&self, order: &NewOrder, book: &Book<'_>, now: Timestamp, out: &mut impl Collector) {
        out.check(Check::Halted, !book.halted, || {
            if book.halted { "trading is halted".into() } else { "trading is on".into() }
        });
        if !self.limits.restricted.is_empty() {
            out.check(Check::Restricted, !self.limits.restricted.contains(&order.instrument), || {
                format!("{} is on the restricted list", order.instrument)
            });
        }
        out.check(Check::UnresolvedOrder, !book.unresolved, || {
            if book.unresolved {
                "an earlier order on this instrument has no known fate yet".into()
            } else {
                "no order of unknown fate".into()
            }
        });
        self.check_market(order, book, out);
        if self.check_exposure(order, book, out).is_err() {
            out.check(Check::Arithmetic, false, || "the order's figures are out of range".into());
        }
        self.check_pace(order, book, now, out);
        self.check_losses(book, out);
    }

    /// Whether the order makes sense for its instrument and type.
    #[expect(clippy::unused_self, reason = "one family of checks, called alike")]
    fn check_shape(&self, order: &NewOrder, book: &Book<'_>, out: &mut impl Collector) {
        if order.reduce_only {
            out.check(Check::ReduceOnly, reduces(order, book), || {
                format!("reduce-only {} {} against a position of {}", order.side, order.qty, book.position)
            });
        }
        let quantity = book.instrument.check_quantity(order.qty);
        out.check(Check::Instrument, quantity.is_ok(), || match &quantity {
            Ok(()) => format!("quantity fits {}", book.instrument.id),
            Err(error) => error.to_string(),
        });
        let prices = check_prices(order, book);
        out.check(Check::Prices, prices.is_ok(), || match &prices {
            Ok(()) => "prices fit the order type".into(),
            Err(reason) => reason.clone(),
        });
    }

    fn check_market(&self, order: &NewOrder, book: &Book<'_>, out: &mut impl Collector) {
        if let Some(max_ms) = self.limits.max_quote_age_ms {
            let age_ms = book.quote_age_ns / 1_000_000;
            let fresh = book.reference_price.is_some() && age_ms <= i64::try_from(max_ms).unwrap_or(i64::MAX);
            out.check(Check::QuoteAge, fresh, || match book.reference_price {
                Some(_) => format!("quote is {age_ms} ms old, limit {max_ms} ms"),
                None => format!("no quote for {} yet", book.instrument.id),
            });
        }
        if let (Some(collar), Some(reference)) = (self.limits.price_collar, book.reference_price) {
            for price in [order.limit_price, order.stop_price].into_iter().flatten() {
                let distance = i128::from(price.raw()).abs_diff(i128::from(reference.raw()));
                let allowed = i128::from(reference.raw()).unsigned_abs() * u128::from(collar.raw().unsigned_abs())
                    / 1_000_000_000;
                out.check(Check::PriceCollar, distance <= allowed, || {
                    format!("price {price} against a market of {reference}, collar {collar}")
                });
            }
        }
    }

    fn check_exposure(&self, order: &NewOrder, book: &Book<'_>, out: &mut impl Collector) -> Result<(), NumberError> {
        let Some(price) = worst_price(order, book) else {
            // Without any price nothing can be weighed; that is a failure only where something is limited.
            if self.limits.max_order_notional.is_some() || self.limits.max_position_notional.is_some() {
                out.check(Check::OrderNotional, false, || {
                    format!("no price for {} to weigh the order with", order.instrument)
                });
            }
            return Ok(());
        };
        let notional = price.notional(order.qty)?.scale(book.conversion)?;
        if let Some(max) = self.limits.max_order_notional {
            out.check(Check::OrderNotional, notional <= max, || format!("order notional {notional}, limit {max}"));
        }
        // The position if this order and all open ones on its side fill.
        let after = abs(Quantity::from_raw(
            (book.position.raw() * order.side.sign())
                .checked_add(book.open_same_side.raw())
                .and_then(|q| q.checked_add(order.qty.raw()))
                .ok_or(NumberError::Overflow)?,
        ));
        if let Some(max) = self.limits.max_position_notional {
            let position_after = price.notional(after)?.scale(book.conversion)?;
            out.check(Check::PositionNotional, position_after <= max, || {
                format!("position notional would be {position_after}, limit {max}")
            });
        }
        if let Some(max) = self.limits.max_leverage {
            let gross = book.gross_exposure.checked_add(notional)?;
            let allowed = book.equity.scale(max)?;
            out.check(Check::Leverage, gross <= allowed, || {
                format!("gross exposure would be {gross}, limit {max} times equity of {}", book.equity)
            });
        }
        if book.instrument.initial_margin.is_positive() {
            let opening = opening_qty(order, book);
            let margin = price.notional(opening)?.scale(book.instrument.initial_margin)?.scale(book.conversion)?;
            out.check(Check::BuyingPower, margin <= book.buying_power, || {
                format!("needs margin of {margin}, buying power is {}", book.buying_power)
            });
        }
        Ok(())
    }

    fn check_pace(&self, order: &NewOrder, book: &Book<'_>, now: Timestamp, out: &mut impl Collector) {
        if let Some(max) = self.limits.max_open_orders {
            out.check(Check::OpenOrders, book.open_orders < max, || {
                format!("{} orders open, limit {max}", book.open_orders)
            });
        }
        if let Some(max) = self.limits.max_orders_per_minute {
            let used = self.recent.iter().rev().take_while(|f| now.nanos_since(f.at) < MINUTE_NS).count();
            let max = (max as usize).min(MEMORY);
            out.check(Check::OrderRate, used < max, || format!("{used} orders in the last minute, limit {max}"));
        }
        if let Some(window) = self.duplicate_window_ns() {
            let twin = self.recent.iter().rev().take_while(|f| now.nanos_since(f.at) < window).any(|f| {
                f.instrument == order.instrument
                    && f.side == order.side
                    && f.order_type == order.order_type
                    && f.qty == order.qty
                    && f.limit_price == order.limit_price
                    && f.stop_price == order.stop_price
            });
            out.check(Check::Duplicate, !twin, || {
                if twin {
                    format!("the same order was placed less than {} ms ago", window / 1_000_000)
                } else {
                    "no twin of this order just before".into()
                }
            });
        }
    }

    fn check_losses(&self, book: &Book<'_>, out: &mut impl Collector) {
        if let Some(max) = self.limits.max_daily_loss {
            let floor = max.checked_neg().unwrap_or(Amount::ZERO);
            out.check(
                Check::DailyLoss,
                book.day_result > floor || max.is_zero() && !book.day_result.is_negative(),
                || format!("today's result is {}, limit −{max}", book.day_result),
            );
        }
        if let Some(max) = self.limits.max_drawdown {
            let lost = book.peak_equity.checked_sub(book.equity).unwrap_or(Amount::ZERO);
            let drawdown = lost.ratio_to(book.peak_equity).unwrap_or(Ratio::ZERO);
            out.check(Check::Drawdown, drawdown < max || drawdown.is_zero(), || {
                format!("equity is {drawdown} below its peak, limit {max}")
            });
        }
    }
}

/// Where check results go: all of them for a preview, failures only on the way to the market (no text is made for what
/// passes).
trait Collector {
    fn check(&mut self, check: Check, pass: bool, reason: impl FnOnce() -> String);
}
struct Failures(Vec<CheckResult>);
impl Collector for Failures {
    #[inline]
    fn check(&mut self, check: Check, pass: bool, reason: impl FnOnce() -> String) {
        if !pass {
            self.0.push(CheckResult { check, pass, reason: reason() });
        }
    }
}
struct Everything(Vec<CheckResult>);
impl Collector for Everything {
    fn check(&mut self, check: Check, pass: bool, reason: impl FnOnce() -> String) {
        self.0.push(CheckResult { check, pass, reason: reason() });
    }
}

fn abs(qty: Quantity) -> Quantity {
    Quantity::from_raw(qty.raw().saturating_abs())
}

/// Whether all of the order goes against the position.
fn reduces(order: &NewOrder, book: &Book<'_>) -> bool {
    order.side.sign() * book.position.raw() < 0 && order.qty <= abs(book.position)
}

/// The part of the order that opens rather than closes.
fn opening_qty(order: &NewOrder, book: &Book<'_>) -> Quantity {
    let against = (-book.position.raw() * order.side.sign()).max(0);
    Quantity::from_raw((order.qty.raw() - against).max(0))
}

/// The least favourable price the order can be expected to trade at.
fn worst_price(order: &NewOrder, book: &Book<'_>) -> Option<Price> {
    let own = match order.order_type {
        OrderType::Limit | OrderType::StopLimit => order.limit_price,
        OrderType::Stop => order.stop_price,
        OrderType::Market | OrderType::TrailingStop => None,
    };
    match (own, book.reference_price) {
        (Some(own), Some(reference)) => Some(own.max(reference)),
        (own, reference) => own.or(reference),
    }
}

/// Which prices an order type needs, on the grid, and exits on the right side of the entry.
fn check_prices(order: &NewOrder, book: &Book<'_>) -> Result<(), String> {
    let need = |field: &str, price: Option<Price>, wanted: bool| match (price, wanted) {
        (None, true) => Err(format!("a {} order needs a {field}", type_name(order.order_type))),
        (Some(_), false) => Err(format!("a {} order takes no {field}", type_name(order.order_type))),
        _ => Ok(()),
    };
    let kind = order.order_type;
    need("limit price", order.limit_price, matches!(kind, OrderType::Limit | OrderType::StopLimit))?;
    need("stop price", order.stop_price, matches!(kind, OrderType::Stop | OrderType::StopLimit))?;
    need("trail offset", order.trail_offset, kind == OrderType::TrailingStop)?;
    if order.time_in_force == TimeInForce::Gtd && order.expire_time.is_none() {
        return Err("a GTD order needs an expire time".into());
    }
    if order.post_only && !matches!(kind, OrderType::Limit | OrderType::StopLimit) {
        return Err(format!("a {} order cannot be post-only", type_name(kind)));
    }
    if order.reduce_only && (order.take_profit.is_some() || order.stop_loss.is_some()) {
        return Err("a reduce-only order leaves nothing that exit legs could protect".into());
    }
    for (field, price) in [
        ("limit price", order.limit_price),
        ("stop price", order.stop_price),
        ("trail offset", order.trail_offset),
        ("take profit", order.take_profit),
        ("stop loss", order.stop_loss),
    ] {
        if let Some(price) = price {
            book.instrument.check_price(field, price).map_err(|error| error.to_string())?;
        }
    }
    let entry = order.limit_price.or(order.stop_price).or(book.reference_price);
    if let Some(entry) = entry {
        let sign = order.side.sign();
        let beyond = |price: Price| (i128::from(price.raw()) - i128::from(entry.raw())) * sign;
        if let Some(price) = order.take_profit.filter(|p| beyond(*p) <= 0) {
            return Err(format!("take profit {price} is on the losing side of the entry at {entry}"));
        }
        if let Some(price) = order.stop_loss.filter(|p| beyond(*p) >= 0) {
            return Err(format!("stop loss {price} is on the winning side of the entry at {entry}"));
        }
    }
    Ok(())
}

const fn type_name(kind: OrderType) -> &'static str {
    match kind {
        OrderType::Market => "market",
        OrderType::Limit => "limit",
        OrderType::Stop => "stop",
        OrderType::StopLimit => "stop-limit",
        OrderType::TrailingStop => "trailing-stop",
    }
}

#[cfg(test)]
mod tests;
