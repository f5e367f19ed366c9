//! What accounts are worth, and what the gate is told.

use cw_core::{
    AccountId, Amount, Currency, Instrument, NumberError, OrderStatus, PositionMode, Price, Quantity, Ratio, Side,
};
use cw_risk::{Book, Check, CheckResult};

use super::Engine;
use crate::account::Slot;
use crate::command::OrderRequest;

/// An account's figures in its own currency, at the engine's present prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AccountSummary {
    /// Settled cash, all currencies converted.
    pub balance: Amount,
    /// Balance plus the open result.
    pub equity: Amount,
    pub unrealized: Amount,
    /// Bound by positions and by open orders that would add to them.
    pub margin_used: Amount,
    /// Equity minus margin used, not below zero.
    pub buying_power: Amount,
    /// Σ |notional| of positions and of open orders that would add to them.
    pub gross_exposure: Amount,
    pub day_result: Amount,
}

/// What an order would need and mean, for the ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    pub price: Price,
    pub currency: Currency,
    pub notional: Amount,
    pub margin: Amount,
    pub fee: Amount,
    pub loss_at_stop: Option<Amount>,
    pub gain_at_target: Option<Amount>,
    pub loss_at_stop_to_equity: Option<Ratio>,
    pub risk_reward: Option<Ratio>,
    pub checks: Vec<CheckResult>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PreviewError {
    #[error("account {0} is not known")]
    Account(AccountId),
    #[error("instrument {0} is not known")]
    Instrument(cw_core::InstrumentId),
    #[error("there is no price for {0} yet")]
    NoPrice(cw_core::InstrumentId),
    #[error(transparent)]
    Number(#[from] NumberError),
    #[error(transparent)]
    NoRate(#[from] NoRate),
}

/// A currency cannot be valued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is no exchange rate from {0} to {1} yet")]
pub struct NoRate(pub Currency, pub Currency);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValuationError {
    #[error(transparent)]
    Number(#[from] NumberError),
    #[error(transparent)]
    NoRate(#[from] NoRate),
}

/// [`Book`] without its instrument.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Figures {
    reference_price: Option<Price>,
    quote_age_ns: i64,
    conversion: Ratio,
    position: Quantity,
    open_same_side: Quantity,
    equity: Amount,
    buying_power: Amount,
    gross_exposure: Amount,
    open_orders: u32,
    day_result: Amount,
    peak_equity: Amount,
    unresolved: bool,
    halted: bool,
}

impl Figures {
    pub(super) const fn book(self, instrument: &Instrument) -> Book<'_> {
        Book {
            instrument,
            reference_price: self.reference_price,
            quote_age_ns: self.quote_age_ns,
            conversion: self.conversion,
            position: self.position,
            open_same_side: self.open_same_side,
            equity: self.equity,
            buying_power: self.buying_power,
            gross_exposure: self.gross_exposure,
            open_orders: self.open_orders,
            day_result: self.day_result,
            peak_equity: self.peak_equity,
            unresolved: self.unresolved,
            halted: self.halted,
        }
    }
}

impl Engine {
    /// Worth of one unit of `from` in `to`: 1 for the same or pegged currencies, else from a currency pair's mid price.
    pub fn conversion(&self, from: Currency, to: Currency) -> Result<Ratio, NoRate> {
        let pegged = |a: Currency, b: Currency| {
            a == b || self.state.config.pegs.iter().any(|(x, y)| (*x, *y) == (a, b) || (*y, *x) == (a, b))
        };
        if pegged(from, to) {
            return Ok(Ratio::ONE);
        }
        for state in &self.state.instruments {
            let Some(mark) = state.mark().filter(|m| m.is_positive()) else { continue };
            let instrument = &state.instrument;
            let quote = instrument.quote_currency;
            if instrument.base == from.as_str() && pegged(quote, to) {
                return Ok(Ratio::from_raw(mark.raw()));
            }
            if instrument.base == to.as_str() && pegged(quote, from) {
                let inverse = 1_000_000_000_000_000_000i128 / i128::from(mark.raw());
                return i64::try_from(inverse).map(Ratio::from_raw).map_err(|_| NoRate(from, to));
            }
        }
        Err(NoRate(from, to))
    }

    /// The account's figures now. An error when a currency it holds cannot be valued.
    pub fn summary(&self, account: u32) -> Result<AccountSummary, ValuationError> {
        let account_state = self.state.accounts.get(account as usize).ok_or(NumberError::Overflow)?;
        let currency = account_state.config.currency;
        let mut sum = AccountSummary::default();
        for (held, amount) in &account_state.balances {
            if !amount.is_zero() {
                sum.balance = sum.balance.checked_add(amount.scale(self.conversion(*held, currency)?)?)?;
            }
        }
        for ((number, _), state) in &account_state.positions {
            if state.position.signed_qty.is_zero() {
                continue;
            }
            let instrument = &self.state.instruments[*number as usize];
            let Some(mark) = instrument.mark() else { continue };
            let rate = self.conversion(instrument.instrument.quote_currency, currency)?;
            sum.unrealized = sum.unrealized.checked_add(state.position.unrealized(mark)?.scale(rate)?)?;
            let notional = state.position.notional(mark)?.checked_abs()?.scale(rate)?;
            sum.gross_exposure = sum.gross_exposure.checked_add(notional)?;
            sum.margin_used = sum.margin_used.checked_add(notional.scale(instrument.instrument.initial_margin)?)?;
        }
        for id in &self.state.open {
            let order = &self.state.orders[*id];
            if order.account != account || order.order.request.reduce_only {
                continue;
            }
            let instrument = &self.state.instruments[order.instrument as usize];
            let request = &order.order.request;
            let Some(price) = request.limit_price.or(request.stop_price).or(instrument.mark()) else { continue };
            let rate = self.conversion(instrument.instrument.quote_currency, currency)?;
            let notional = price.notional(order.order.leaves_qty())?.scale(rate)?;
            sum.gross_exposure = sum.gross_exposure.checked_add(notional)?;
            sum.margin_used = sum.margin_used.checked_add(notional.scale(instrument.instrument.initial_margin)?)?;
        }
        sum.equity = sum.balance.checked_add(sum.unrealized)?;
        sum.buying_power = sum.equity.checked_sub(sum.margin_used)?.max(Amount::ZERO);
        sum.day_result = sum.equity.checked_sub(account_state.day_start_equity)?;
        Ok(sum)
    }

    /// What the gate may know when it judges an order of this side.
    pub(super) fn figures(
        &self,
        account: u32,
        instrument: u32,
        side: Side,
        reduce_only: bool,
    ) -> Result<Figures, ValuationError> {
        let mut figures = self.figures_of_reduction(account, instrument, side);
        if reduce_only {
            return Ok(figures);
        }
        let account_state = &self.state.accounts[account as usize];
        let state = &self.state.instruments[instrument as usize];
        let summary = self.summary(account)?;
        figures.position = self.slot_position(account, instrument, side, false);
        figures.conversion = self.conversion(state.instrument.quote_currency, account_state.config.currency)?;
        figures.equity = summary.equity;
        figures.buying_power = summary.buying_power;
        figures.gross_exposure = summary.gross_exposure;
        figures.day_result = summary.day_result;
        figures.peak_equity = account_state.peak_equity;
        figures.halted = self.state.halted.is_some();
        for id in &self.state.open {
            let order = &self.state.orders[*id];
            if order.account != account {
                continue;
            }
            figures.open_orders += 1;
            if order.instrument == instrument {
                figures.unresolved |= order.order.status == OrderStatus::Unknown;
                if order.order.request.side == side && !order.order.request.reduce_only {
                    let sum = figures.open_same_side.raw().saturating_add(order.order.leaves_qty().raw());
                    figures.open_same_side = Quantity::from_raw(sum);
                }
            }
        }
        Ok(figures)
    }

    /// The figures for an order that can only reduce: price and position. Nothing in them needs an exchange rate, so
    /// what cannot be valued can still be closed.
    pub(super) fn figures_of_reduction(&self, account: u32, instrument: u32, side: Side) -> Figures {
        let state = &self.state.instruments[instrument as usize];
        Figures {
            reference_price: state.touch(side),
            quote_age_ns: self.state.time.nanos_since(state.priced_at),
            conversion: Ratio::ONE,
            position: self.slot_position(account, instrument, side, true),
            ..Figures::default()
        }
    }

    /// The position that an order of this side would change: the net one or, in hedge mode, the leg.
    pub(super) fn slot_position(&self, account: u32, instrument: u32, side: Side, reduce_only: bool) -> Quantity {
        let account = &self.state.accounts[account as usize];
        let slot = Self::slot(account.config.position_mode, instrument, side, reduce_only);
        account.positions.get(&slot).map_or(Quantity::ZERO, |p| p.position.signed_qty)
    }

    /// Net position over both legs.
    pub fn net_position(&self, account: u32, instrument: u32) -> Quantity {
        let range: std::ops::RangeInclusive<Slot> =
            (instrument, None)..=(instrument, Some(cw_core::PositionSide::Flat));
        self.state.accounts[account as usize].positions.range(range).map(|(_, p)| p.position.signed_qty).sum()
    }

    pub(super) const fn slot(mode: PositionMode, instrument: u32, side: Side, reduce_only: bool) -> Slot {
        use cw_core::PositionSide::{Long, Short};
        match (mode, side, reduce_only) {
            (PositionMode::Netting, ..) => (instrument, None),
            (PositionMode::Hedge, Side::Buy, false) | (PositionMode::Hedge, Side::Sell, true) => {
                (instrument, Some(Long))
            }
            (PositionMode::Hedge, ..) => (instrument, Some(Short)),
        }
    }

    /// What an order would need, cost and risk, and whether it would pass. Changes nothing.
    pub fn preview(&self, request: &OrderRequest) -> Result<Preview, PreviewError> {
        let account =
            self.account_number(&request.account).ok_or_else(|| PreviewError::Account(request.account.clone()))?;
        let number = self
            .instrument_number(&request.instrument)
            .ok_or_else(|| PreviewError::Instrument(request.instrument.clone()))?;
        let state = &self.state.instruments[number as usize];
        let instrument = &state.instrument;
        let price = match (request.limit_price, request.stop_price, state.touch(request.side)) {
            (Some(limit), _, Some(touch)) => match request.side {
                Side::Buy => limit.min(touch.max(limit)),
                Side::Sell => limit.max(touch.min(limit)),
            },
            (Some(price), ..) | (None, Some(price), _) | (None, None, Some(price)) => price,
            (None, None, None) => return Err(PreviewError::NoPrice(request.instrument.clone())),
        };
        let notional = price.notional(request.qty)?;
        let takes = request.limit_price.is_none()
            || state.touch(request.side).is_some_and(|touch| match request.side {
                Side::Buy => price >= touch,
                Side::Sell => price <= touch,
            });
        let fee = notional.scale(if takes { instrument.taker_fee } else { instrument.maker_fee })?;
        // After both fees: exits are counted as taking liquidity, the dearer case.
        let result_at = |exit: Price| -> Result<Amount, NumberError> {
            let signed = Quantity::from_raw(request.qty.raw() * request.side.sign());
            let gross = exit.notional(signed)?.checked_sub(price.notional(signed)?)?;
            gross.checked_sub(fee)?.checked_sub(exit.notional(request.qty)?.scale(instrument.taker_fee)?)
        };
        let loss_at_stop = request.stop_loss.map(result_at).transpose()?;
        let gain_at_target = request.take_profit.map(result_at).transpose()?;
        let risk_reward = match (gain_at_target, loss_at_stop) {
            (Some(gain), Some(loss)) if !loss.is_zero() => gain.ratio_to(loss.checked_neg()?),
            _ => None,
        };
        let (checks, equity) = match self.figures(account, number, request.side, request.reduce_only) {
            Ok(figures) => {
                let book = figures.book(instrument);
                let order = Self::draft(request);
                let gate = &self.state.accounts[account as usize].gate;
                (
                    gate.preview(&order, &book, self.state.time),
                    (!request.reduce_only).then_some((book.equity, book.conversion)),
                )
            }
            Err(error) => {
                (vec![CheckResult { check: Check::Arithmetic, pass: false, reason: error.to_string() }], None)
            }
        };
        let loss_at_stop_to_equity = match (loss_at_stop, equity) {
            (Some(loss), Some((equity, rate))) => loss.scale(rate)?.ratio_to(equity),
            _ => None,
        };
        Ok(Preview {
            price,
            currency: instrument.quote_currency,
            notional,
            margin: instrument.margin(price, request.qty)?,
            fee,
            loss_at_stop,
            gain_at_target,
            loss_at_stop_to_equity,
            risk_reward,
            checks,
        })
    }
}
