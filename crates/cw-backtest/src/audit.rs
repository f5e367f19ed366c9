//! What a run leaves behind: fills, round trips, equity.

use cw_core::{Amount, NumberError, OrderId, OrderType, Price, Quantity, Side, Timestamp};
use cw_engine::{Effect, FillRecord, Meta, Output, RecordRef};
use serde::Serialize;

/// Why a round trip ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExitReason {
    /// The strategy's exit rule, or its opposite entry.
    Signal,
    StopLoss,
    TakeProfit,
    /// The data was over.
    End,
}

impl ExitReason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signal => "signal",
            Self::StopLoss => "stop_loss",
            Self::TakeProfit => "take_profit",
            Self::End => "end",
        }
    }
}

/// Entry to exit, with its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoundTrip {
    /// Side of the entry.
    pub side: Side,
    pub qty: Quantity,
    pub entry_time: Timestamp,
    /// Mean price of the entry's fills.
    pub entry_price: Price,
    pub exit_time: Timestamp,
    pub exit_price: Price,
    /// After fees of both ends.
    pub pnl: Amount,
    pub fees: Amount,
    pub exit_reason: ExitReason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct EquityPoint {
    /// Close of the candle.
    pub time: Timestamp,
    pub equity: Amount,
}

/// The open position as the fills made it, with its share of the entry fees.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Holding {
    pub signed_qty: Quantity,
    pub cost: Amount,
    pub fees: Amount,
    pub since: Timestamp,
}

/// Collects what the engine says during a run.
pub(crate) struct Audit {
    pub effects: Vec<Effect>,
    pub fills: u64,
    pub orders: u64,
    pub denied: u64,
    pub last_denial: Option<String>,
    pub trades: Vec<RoundTrip>,
    pub holding: Holding,
    /// Settled cash.
    pub cash: Amount,
    pub fees: Amount,
    pub ending: bool,
    /// Exit legs that are open, with what their fill means.
    legs: Vec<(OrderId, ExitReason)>,
    pub overflow: Option<NumberError>,
    /// What makes two runs equal, on its way into the fingerprint.
    unhashed: Vec<u8>,
    fingerprint: blake3::Hasher,
}

/// Bytes that are hashed at once: enough for BLAKE3 to work on several pieces in parallel.
const HASH_BLOCK: usize = 16 * 1024;

impl Audit {
    pub fn new(cash: Amount) -> Self {
        Self {
            effects: Vec::new(),
            fills: 0,
            orders: 0,
            denied: 0,
            last_denial: None,
            trades: Vec::new(),
            holding: Holding::default(),
            cash,
            fees: Amount::ZERO,
            ending: false,
            legs: Vec::new(),
            overflow: None,
            unhashed: Vec::with_capacity(HASH_BLOCK),
            fingerprint: blake3::Hasher::new(),
        }
    }

    /// When, which way, how much, at what price and cost.
    fn stamp(&mut self, record: &FillRecord) {
        let fill = &record.fill;
        self.unhashed.extend_from_slice(&fill.event_time.as_nanos().to_le_bytes());
        self.unhashed.extend_from_slice(&(fill.qty.raw() * record.side.sign()).to_le_bytes());
        self.unhashed.extend_from_slice(&fill.price.raw().to_le_bytes());
        self.unhashed.extend_from_slice(&fill.fee.raw().to_le_bytes());
        if self.unhashed.len() > HASH_BLOCK - 48 {
            self.fingerprint.update(&self.unhashed);
            self.unhashed.clear();
        }
    }

    /// The hash over every fill so far.
    pub fn fingerprint(&self) -> blake3::Hasher {
        let mut hasher = self.fingerprint.clone();
        hasher.update(&self.unhashed);
        hasher
    }

    /// Books a fill into cash, the holding and the round trips. The engine has booked the same into its ledger; the two
    /// are compared at the end of a run.
    fn book(&mut self, record: &FillRecord) -> Result<(), NumberError> {
        let fill = &record.fill;
        let held = self.holding.signed_qty;
        let signed = fill.qty.raw() * record.side.sign();
        let closing = if held.raw() * signed < 0 { fill.qty.raw().min(held.raw().abs()) } else { 0 };
        let opening = fill.qty.raw() - closing;
        self.cash = self.cash.checked_add(record.realized)?.checked_sub(fill.fee)?;
        self.fees = self.fees.checked_add(fill.fee)?;
        if closing > 0 {
            let share = |whole: Amount| {
                if closing == held.raw().abs() { Ok(whole) } else { whole.mul_div(closing, held.raw().abs()) }
            };
            let (cost, entry_fees) = (share(self.holding.cost)?, share(self.holding.fees)?);
            let exit_fee = if opening == 0 { fill.fee } else { fill.fee.mul_div(closing, fill.qty.raw())? };
            let fees = entry_fees.checked_add(exit_fee)?;
            let qty = Quantity::from_raw(closing);
            let leg = self.legs.iter().position(|(id, _)| *id == record.order_id);
            let exit_reason = match (self.ending, leg) {
                (true, _) => ExitReason::End,
                (false, Some(at)) => self.legs[at].1,
                (false, None) => ExitReason::Signal,
            };
            self.trades.push(RoundTrip {
                side: if held.is_positive() { Side::Buy } else { Side::Sell },
                qty,
                entry_time: self.holding.since,
                entry_price: cost.per_unit(Quantity::from_raw(closing * held.raw().signum()))?,
                exit_time: fill.event_time,
                exit_price: fill.price,
                pnl: record.realized.checked_sub(fees)?,
                fees,
                exit_reason,
            });
            self.holding.cost = self.holding.cost.checked_sub(cost)?;
            self.holding.fees = self.holding.fees.checked_sub(entry_fees)?;
        }
        if opening > 0 {
            if held.is_zero() || closing > 0 {
                self.holding.since = fill.event_time;
            }
            let entry_fee = if closing == 0 { fill.fee } else { fill.fee.mul_div(opening, fill.qty.raw())? };
            let cost = fill.price.notional(Quantity::from_raw(opening * signed.signum()))?;
            self.holding.cost = self.holding.cost.checked_add(cost)?;
            self.holding.fees = self.holding.fees.checked_add(entry_fee)?;
        }
        self.holding.signed_qty = Quantity::from_raw(held.raw() + signed);
        Ok(())
    }
}

impl Output for Audit {
    const TRACE: bool = false;

    fn record(&mut self, _meta: Meta, record: RecordRef<'_>) {
        match record {
            RecordRef::Fill(fill) => {
                self.fills += 1;
                self.stamp(fill);
                if let Err(error) = self.book(fill) {
                    self.overflow = Some(error);
                }
            }
            RecordRef::Order(order) => {
                use cw_core::OrderStatus as S;
                match order.status {
                    S::Sent => {
                        self.orders += 1;
                        if order.request.parent.is_some() {
                            let reason = match order.request.order_type {
                                OrderType::Limit => ExitReason::TakeProfit,
                                _ => ExitReason::StopLoss,
                            };
                            self.legs.push((order.id, reason));
                        }
                    }
                    S::Denied => {
                        self.denied += 1;
                        self.last_denial.clone_from(&order.reason);
                    }
                    status if status.is_terminal() && !self.legs.is_empty() => {
                        self.legs.retain(|(id, _)| *id != order.id);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }
}
