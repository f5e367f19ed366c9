//! Market events and the passing of time.

use cw_core::{Cadence, Candle, Quote, Timeframe, Timestamp, Trade};
use cw_market::{Aggregator, CandleUpdate, SeqRange};

use super::{Engine, Output};
use crate::account::day_of;
use crate::command::ApprovalState;
use crate::record::RecordRef;

impl Engine {
    pub(super) fn on_trade(&mut self, seq: u64, instrument: u32, trade: &Trade, out: &mut impl Output) {
        let Some(state) = self.state.instruments.get_mut(instrument as usize) else { return };
        state.last_trade = Some(*trade);
        state.priced_at = self.state.time;
        state.priced_by = seq;
        if state.by_minutes {
            return;
        }
        let updates = &mut self.updates;
        state.aggregator.on_trade(trade, seq, &mut |update| updates.push(update));
        self.drain_updates(seq, instrument, out);
    }

    pub(super) fn on_quote(&mut self, seq: u64, instrument: u32, quote: &Quote, out: &mut impl Output) {
        let _ = out;
        let Some(state) = self.state.instruments.get_mut(instrument as usize) else { return };
        state.quote = Some(*quote);
        state.priced_at = self.state.time;
        state.priced_by = seq;
    }

    /// A closed candle from a feed without finer events: goes straight to who waits for its timeframe.
    #[inline]
    pub(super) fn on_candle(
        &mut self,
        seq: u64,
        instrument: u32,
        timeframe: Cadence,
        candle: &Candle,
        out: &mut impl Output,
    ) {
        let Some(state) = self.state.instruments.get_mut(instrument as usize) else { return };
        state.last_close = Some(candle.close);
        state.priced_at = self.state.time;
        state.priced_by = seq;
        self.on_closed(seq, instrument, timeframe, candle, SeqRange { first: 0, last: 0 }, out);
    }

    /// A closed minute of a venue that tells them. Longer timeframes are made of it.
    pub(super) fn on_minute(&mut self, seq: u64, instrument: u32, candle: &Candle, fresh: bool, out: &mut impl Output) {
        let Some(state) = self.state.instruments.get_mut(instrument as usize) else { return };
        state.last_close = Some(candle.close);
        // A quote is no younger for a minute that was asked for: it is what orders are priced by.
        if fresh && state.quote.is_none() && state.last_trade.is_none() {
            state.priced_at = self.state.time;
            state.priced_by = seq;
        }
        let updates = &mut self.updates;
        state.aggregator.on_candle(Timeframe::M1, candle, seq, &mut |update| updates.push(update));
        self.quiet = !fresh;
        self.drain_updates(seq, instrument, out);
        self.quiet = false;
    }

    pub(super) fn on_settled(&mut self, seq: u64, instrument: u32, to: Timestamp, out: &mut impl Output) {
        let Some(state) = self.state.instruments.get_mut(instrument as usize).filter(|state| state.by_minutes) else {
            return;
        };
        let updates = &mut self.updates;
        state.aggregator.advance(to, &mut |update| updates.push(update));
        self.drain_updates(seq, instrument, out);
    }

    pub(super) fn on_backfill(&mut self, seq: u64, instrument: u32, candles: &[Candle]) {
        let (timeframes, lateness) = (&self.state.config.timeframes, self.state.config.lateness_ns);
        let Some(state) = self.state.instruments.get_mut(instrument as usize) else { return };
        let aggregator = Aggregator::new(timeframes, lateness).with_calendar(state.instrument.calendar());
        state.aggregator = if state.by_minutes { aggregator.with_grace(0) } else { aggregator };
        for candle in candles {
            state.aggregator.on_candle(Timeframe::M1, candle, seq, &mut |_| {});
        }
        if let Some(last) = candles.last() {
            state.last_close = Some(last.close);
        }
    }

    pub(super) fn on_timer(&mut self, seq: u64, market_time: Timestamp, out: &mut impl Output) {
        self.state.market_time = self.state.market_time.max(market_time);
        for number in 0..self.state.instruments.len() {
            if self.state.instruments[number].by_minutes {
                continue;
            }
            let updates = &mut self.updates;
            self.state.instruments[number].aggregator.advance(market_time, &mut |update| updates.push(update));
            if !self.updates.is_empty() {
                self.drain_updates(seq, number as u32, out);
            }
        }
        self.mark_accounts();
        self.expire_approvals(seq, out);
    }

    fn drain_updates(&mut self, seq: u64, instrument: u32, out: &mut impl Output) {
        if self.updates.is_empty() {
            return;
        }
        let updates = std::mem::take(&mut self.updates);
        for update in &updates {
            out.candle(instrument, update);
            // A revision corrects the record; a decision that was made stays made, so strategies see each candle once.
            if let CandleUpdate::Closed { timeframe, candle, source } = update {
                self.on_closed(seq, instrument, Cadence::Time(*timeframe), candle, *source, out);
            }
        }
        self.updates = updates;
        self.updates.clear();
    }

    /// New day, new high-water mark.
    pub(super) fn mark_accounts(&mut self) {
        let today = day_of(self.state.time);
        for number in 0..self.state.accounts.len() {
            let Ok(summary) = self.summary(number as u32) else { continue };
            let account = &mut self.state.accounts[number];
            account.peak_equity = account.peak_equity.max(summary.equity);
            if account.day != today {
                account.day = today;
                account.day_start_equity = summary.equity;
            }
        }
    }

    fn expire_approvals(&mut self, seq: u64, out: &mut impl Output) {
        let now = self.state.time;
        let expired: Vec<u64> = self
            .state
            .approvals
            .values()
            .filter(|a| a.state == ApprovalState::Pending && now >= a.expires_at)
            .map(|a| a.id)
            .collect();
        for id in expired {
            self.resolve_approval(seq, id, ApprovalState::Expired, out);
        }
    }

    pub(super) fn resolve_approval(&mut self, cause: u64, id: u64, state: ApprovalState, out: &mut impl Output) {
        let meta = self.meta(cause);
        if let Some(approval) = self.state.approvals.get_mut(&id) {
            approval.state = state;
            out.record(meta, RecordRef::Approval(approval));
        }
        // Resolved ones are history; the newest few stay to be shown.
        while self.state.approvals.len() > 100 {
            let Some(oldest) = self.state.approvals.values().find(|a| a.state != ApprovalState::Pending).map(|a| a.id)
            else {
                break;
            };
            self.state.approvals.remove(&oldest);
        }
    }
}
