//! Closed candles to decisions to orders.

use cw_analysis::{Signals, Size};
use cw_core::{Actor, Cadence, Candle, InstrumentId, Price, Quantity, Rounding, Side};
use cw_market::SeqRange;
use cw_risk::Denied;

use super::{Engine, Output};
use crate::command::OrderRequest;
use crate::record::{Decision, RecordRef, Verdict};
use crate::strategy::StrategyStatus;

/// One order that a strategy wants.
struct Wish {
    side: Side,
    qty: Quantity,
    closes: bool,
}

impl Engine {
    /// Hands a closed candle to the strategies that wait for it.
    #[inline]
    pub(super) fn on_closed(
        &mut self,
        cause: u64,
        instrument: u32,
        timeframe: Cadence,
        candle: &Candle,
        ticks: SeqRange,
        out: &mut impl Output,
    ) {
        for number in 0..self.state.strategies.len() {
            let instance = &mut self.state.strategies[number];
            if instance.instrument != instrument || instance.timeframe != timeframe || !instance.is_running() {
                continue;
            }
            let Some((strategy, state)) = instance.parts() else { continue };
            let signals = strategy.update(state, candle);
            if signals.any() && !self.quiet {
                self.act(cause, number, signals, candle, ticks, out);
            }
        }
    }

    /// Turns signals into orders. A strategy with an order on its way waits for it.
    fn act(
        &mut self,
        cause: u64,
        number: usize,
        signals: Signals,
        candle: &Candle,
        ticks: SeqRange,
        out: &mut impl Output,
    ) {
        let instance = &mut self.state.strategies[number];
        let held = instance.position.signed_qty;
        let (close, open) = match held.raw() {
            0 if signals.enter_long => (false, Some(Side::Buy)),
            0 if signals.enter_short => (false, Some(Side::Sell)),
            h if h > 0 && signals.enter_short => (true, Some(Side::Sell)),
            h if h > 0 && signals.exit_long => (true, None),
            h if h < 0 && signals.enter_long => (true, Some(Side::Buy)),
            h if h < 0 && signals.exit_short => (true, None),
            // Says what is so already: nothing to do, nothing to record.
            _ => return,
        };
        instance.signals += 1;
        if instance.working > 0 {
            let side = open.unwrap_or(if held.raw() > 0 { Side::Sell } else { Side::Buy });
            let wish = Wish { side, qty: Quantity::ZERO, closes: close };
            self.decide(
                cause,
                number,
                &wish,
                candle,
                ticks,
                Verdict::Skip,
                "an earlier order is still working".into(),
                out,
            );
            return;
        }
        if close {
            let side = if held.raw() > 0 { Side::Sell } else { Side::Buy };
            let qty = Quantity::from_raw(held.raw().abs());
            let closing = self.send(cause, number, Wish { side, qty, closes: true }, candle, ticks, out);
            if !closing {
                // Opening the other way on top of what could not be closed is not what the rules meant.
                return;
            }
        }
        if let Some(side) = open {
            match self.size(number, side, candle.close) {
                Ok(qty) => {
                    self.send(cause, number, Wish { side, qty, closes: false }, candle, ticks, out);
                }
                Err(reason) => {
                    let wish = Wish { side, qty: Quantity::ZERO, closes: false };
                    self.decide(cause, number, &wish, candle, ticks, Verdict::Skip, reason, out);
                }
            }
        }
    }

    /// Decides for an order and places it. False when it did not leave.
    fn send(
        &mut self,
        cause: u64,
        number: usize,
        wish: Wish,
        candle: &Candle,
        ticks: SeqRange,
        out: &mut impl Output,
    ) -> bool {
        let instance = &self.state.strategies[number];
        let (account, instrument) = (instance.account, instance.instrument);
        let spec = &self.state.instruments[instrument as usize].instrument;
        let level = |price: Option<f64>| {
            price
                .and_then(|p| Price::from_f64(p).ok())
                .and_then(|p| p.round_to(spec.tick_size, Rounding::HalfEven).ok())
        };
        let (take_profit, stop_loss) = match (wish.closes, instance.strategy()) {
            (false, Some(strategy)) => {
                let entry = candle.close.to_f64();
                (
                    level(strategy.target_price(instance.state(), wish.side, entry)),
                    level(strategy.stop_price(instance.state(), wish.side, entry)),
                )
            }
            _ => (None, None),
        };
        let naked = !wish.closes && stop_loss.is_none() && instance.strategy().is_some_and(|s| s.has_stop(wish.side));
        if naked {
            let reason = "the stop rule gives no price, and a position without its stop is not opened";
            self.decide(cause, number, &wish, candle, ticks, Verdict::Skip, reason.into(), out);
            return false;
        }
        let mut request = OrderRequest::market(
            self.state.accounts[account as usize].config.id.clone(),
            spec.id.clone(),
            wish.side,
            wish.qty,
        );
        request.reduce_only = wish.closes;
        request.take_profit = take_profit;
        request.stop_loss = stop_loss;
        let actor = Actor::Strategy(instance.id.clone());
        let verdict = if wish.side == Side::Buy { Verdict::Buy } else { Verdict::Sell };
        let reason = if wish.closes { "the exit rule is true" } else { "the entry rule is true" };
        let decision = self.decide(cause, number, &wish, candle, ticks, verdict, reason.into(), out);
        match self.place(decision, &request, actor, None, (account, instrument), out) {
            Ok(_) => {
                let instance = &mut self.state.strategies[number];
                instance.working += 1;
                instance.orders += 1;
                true
            }
            Err((_, Denied { reasons })) => {
                let reason = reasons.first().map_or_else(String::new, |r| r.reason.clone());
                self.decide(decision, number, &wish, candle, ticks, Verdict::Block, reason, out);
                false
            }
        }
    }

    /// Journals what was decided and why; returns the entry's number.
    #[expect(clippy::too_many_arguments, reason = "a decision has that many parts")]
    fn decide<O: Output>(
        &mut self,
        cause: u64,
        number: usize,
        wish: &Wish,
        candle: &Candle,
        ticks: SeqRange,
        verdict: Verdict,
        reason: String,
        out: &mut O,
    ) -> u64 {
        let meta = self.meta(cause);
        let instance = &self.state.strategies[number];
        let trace = match (O::TRACE, instance.strategy()) {
            (true, Some(strategy)) => {
                strategy.trace(instance.state()).into_iter().map(|t| (t.expr, show(t.value))).collect()
            }
            _ => Vec::new(),
        };
        let decision = Decision {
            strategy: instance.id.clone(),
            account: self.state.accounts[instance.account as usize].config.id.clone(),
            instrument: self.instrument_id(instance.instrument),
            timeframe: instance.timeframe,
            candle: *candle,
            ticks: (ticks.first, ticks.last),
            verdict,
            qty: (!wish.qty.is_zero()).then_some(wish.qty),
            reason,
            trace,
        };
        out.record(meta, RecordRef::Decision(&decision));
        meta.seq
    }

    fn instrument_id(&self, number: u32) -> InstrumentId {
        self.state.instruments[number as usize].instrument.id.clone()
    }

    /// The strategy's size rule as a quantity on the lot grid, rounded down.
    fn size(&self, number: usize, side: Side, price: Price) -> Result<Quantity, String> {
        let instance = &self.state.strategies[number];
        let strategy = instance.strategy().ok_or("the strategy is not compiled")?;
        let spec = &self.state.instruments[instance.instrument as usize].instrument;
        let size = strategy.size(instance.state()).ok_or("the size rule gives no positive number")?;
        let (value, kind) = match size {
            Size::Units(units) => (units, SizeKind::Units),
            Size::Notional(amount) => (amount, SizeKind::Notional),
            Size::EquityPercent(percent) => (percent / 100.0, SizeKind::Equity),
            Size::RiskPercent(percent) => (percent / 100.0, SizeKind::Risk),
        };
        let equity = || -> Result<f64, String> {
            let account = &self.state.accounts[instance.account as usize];
            let summary = self.summary(instance.account).map_err(|e| e.to_string())?;
            let rate = self.conversion(spec.quote_currency, account.config.currency).map_err(|e| e.to_string())?;
            Ok(summary.equity.to_f64() / rate.to_f64())
        };
        let units = match kind {
            SizeKind::Units => value,
            SizeKind::Notional => value / price.to_f64(),
            SizeKind::Equity => equity()? * value / price.to_f64(),
            SizeKind::Risk => {
                let entry = price.to_f64();
                let stop = strategy
                    .stop_price(instance.state(), side, entry)
                    .ok_or("a size by risk needs a stop rule with a value")?;
                let distance = (entry - stop).abs();
                if distance <= 0.0 {
                    return Err("the stop is at the entry, so risk has no size".into());
                }
                equity()? * value / distance
            }
        };
        let qty = Quantity::from_f64(units).map_err(|e| e.to_string())?.round_to(spec.quantity_step, Rounding::Floor);
        if qty.is_positive() { Ok(qty) } else { Err(format!("the size of {units} is below one lot")) }
    }

    /// Stops a strategy; its resting orders are canceled, its position closed if asked.
    pub(super) fn stop_strategy(
        &mut self,
        cause: u64,
        number: usize,
        reason: &str,
        flatten: bool,
        out: &mut impl Output,
    ) {
        let instance = &mut self.state.strategies[number];
        instance.status = StrategyStatus::Stopped { reason: reason.to_owned() };
        let (id, held) = (instance.id.clone(), instance.position.signed_qty);
        let (account, instrument) = (instance.account, instance.instrument);
        let open: Vec<_> = self
            .state
            .open
            .iter()
            .filter(|o| {
                self.state.orders.get(**o).is_some_and(|o| {
                    // Exit legs keep protecting a position that stays.
                    o.order.request.actor == Actor::Strategy(id.clone())
                        && (flatten || o.order.request.parent.is_none())
                })
            })
            .copied()
            .collect();
        for order in open {
            self.request_cancel(cause, order, out);
        }
        if flatten && !held.is_zero() {
            let side = if held.is_positive() { Side::Sell } else { Side::Buy };
            let mut request = OrderRequest::market(
                self.state.accounts[account as usize].config.id.clone(),
                self.instrument_id(instrument),
                side,
                Quantity::from_raw(held.raw().abs()),
            );
            request.reduce_only = true;
            // Denied only when there is nothing to reduce; the order's record says so.
            let _placed = self.place(cause, &request, Actor::Strategy(id), None, (account, instrument), out);
        }
    }
}

fn show(value: cw_analysis::Value) -> String {
    match value {
        cw_analysis::Value::Number(number) => number.to_string(),
        cw_analysis::Value::Bool(yes) => yes.to_string(),
        cw_analysis::Value::Unknown => "unknown".to_owned(),
    }
}

enum SizeKind {
    Units,
    Notional,
    Equity,
    Risk,
}
