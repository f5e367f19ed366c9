//! Orders from intent to last fill.

use cw_core::{
    Actor, ClientOrderId, Fill, NewOrder, Order, OrderEvent, OrderId, OrderStatus, OrderType, Quantity, Side,
    TimeInForce,
};
use cw_execution::VenueReport;
use cw_risk::{Check, CheckResult, Denied, Limits, OrderGate};

use super::{Effect, Engine, OrderState, Output};
use crate::account::PositionState;
use crate::command::OrderRequest;
use crate::record::{FillRecord, Incident, RecordRef};

impl Engine {
    /// A request as an order without a name of its own yet, for previews.
    pub(super) fn draft(request: &OrderRequest) -> NewOrder {
        let client_order_id =
            request.client_order_id.clone().unwrap_or_else(|| ClientOrderId::new("draft").expect("a plain word"));
        new_order(request, client_order_id, Actor::Operator, None)
    }

    /// Names, journals and judges an order, and sends it if the gate lets it pass. Every order goes through here.
    pub(super) fn place(
        &mut self,
        cause: u64,
        request: &OrderRequest,
        actor: Actor,
        parent: Option<OrderId>,
        numbers: (u32, u32),
        out: &mut impl Output,
    ) -> Result<OrderId, (OrderId, Denied)> {
        let (account, instrument) = numbers;
        let id = OrderId(self.state.next_order);
        self.state.next_order += 1;
        let client_order_id = request.client_order_id.clone().unwrap_or_else(|| self.new_client_order_id());
        let new = new_order(request, client_order_id, actor, parent);
        let now = self.state.time;
        let mut order = Order {
            id,
            request: new.clone(),
            status: OrderStatus::Intent,
            venue_order_id: None,
            filled_qty: Quantity::ZERO,
            filled_notional: cw_core::Amount::ZERO,
            fees: cw_core::Amount::ZERO,
            pending_cancel: false,
            reason: None,
            created_at: now,
            updated_at: now,
            caused_by: cause,
        };
        // The gate is lifted out of the state for the moment of the check, which reads the rest of it.
        let idle = OrderGate::new(Limits::unlimited());
        let mut gate = std::mem::replace(&mut self.state.accounts[account as usize].gate, idle);
        let verdict = match self.book(account, instrument, new.side) {
            Ok(book) => gate.check(new, &book, now),
            Err(error) => Err(Denied {
                reasons: vec![CheckResult { check: Check::Arithmetic, pass: false, reason: error.to_string() }],
            }),
        };
        self.state.accounts[account as usize].gate = gate;
        let (event, outcome) = match verdict {
            Ok(approved) => (OrderEvent::Send, Ok(approved)),
            Err(denied) => {
                let named: Vec<String> =
                    denied.reasons.iter().map(|r| format!("{}: {}", r.check.as_str(), r.reason)).collect();
                order.reason = Some(named.join("; "));
                (OrderEvent::Deny, Err(denied))
            }
        };
        order.status = order.status.transition(event).expect("an intent can be sent or denied");
        self.state.by_client.insert(order.request.client_order_id.clone(), id);
        let open = order.status.is_open();
        self.state.orders.insert(id, OrderState { order, account, instrument, fill_ids: Vec::new(), legs: Vec::new() });
        if open {
            self.state.open.push(id);
        } else {
            self.retire(id);
        }
        self.record_order(cause, id, out);
        match outcome {
            Ok(order) => {
                out.effect(Effect::Submit { account, order });
                Ok(id)
            }
            Err(denied) => Err((id, denied)),
        }
    }

    /// A closed order moves to the bounded memory of closed ones.
    fn retire(&mut self, id: OrderId) {
        self.state.closed.push_back(id);
        while self.state.closed.len() > self.state.config.closed_orders_kept as usize {
            if let Some(oldest) = self.state.closed.pop_front()
                && let Some(gone) = self.state.orders.remove(&oldest)
            {
                self.state.by_client.remove(&gone.order.request.client_order_id);
            }
        }
    }

    fn record_order(&mut self, cause: u64, id: OrderId, out: &mut impl Output) {
        let meta = self.meta(cause);
        if let Some(state) = self.state.orders.get_mut(&id) {
            state.order.updated_at = meta.time;
            out.record(meta, RecordRef::Order(&state.order));
        }
    }

    fn incident(&mut self, cause: u64, account: u32, order_id: Option<OrderId>, text: String, out: &mut impl Output) {
        let account = self.state.accounts.get(account as usize).map(|a| a.config.id.clone());
        let meta = self.meta(cause);
        out.record(meta, RecordRef::Incident(&Incident { account, order_id, text }));
    }

    pub(super) fn on_report(&mut self, seq: u64, account: u32, report: &VenueReport, out: &mut impl Output) {
        let known = self.state.by_client.get(report.client_order_id()).copied();
        let Some(id) = known.filter(|id| self.state.orders.get(id).is_some_and(|o| o.account == account)) else {
            let text = format!("the venue reports on an order that is not ours: {}", report.client_order_id());
            return self.incident(seq, account, None, text, out);
        };
        match report {
            VenueReport::Accepted { venue_order_id, .. } => {
                if let Some(state) = self.state.orders.get_mut(&id) {
                    state.order.venue_order_id = Some(venue_order_id.clone());
                }
                self.move_order(seq, id, OrderEvent::Accept, None, out);
            }
            VenueReport::Rejected { reason, .. } => self.move_order(seq, id, OrderEvent::Reject, Some(reason), out),
            VenueReport::Canceled { reason, .. } => self.move_order(seq, id, OrderEvent::Cancel, Some(reason), out),
            VenueReport::Expired { .. } => self.move_order(seq, id, OrderEvent::Expire, None, out),
            VenueReport::ReplyLost { reason, .. } => self.move_order(seq, id, OrderEvent::LoseReply, Some(reason), out),
            VenueReport::NotFound { .. } => {
                let reason = "the venue has no such order".to_owned();
                self.move_order(seq, id, OrderEvent::ProveAbsent, Some(&reason), out);
            }
            VenueReport::CancelRejected { reason, .. } => self.on_cancel_rejected(seq, id, reason, out),
            VenueReport::Amended { qty, .. } => {
                if let Some(state) = self.state.orders.get_mut(&id) {
                    state.order.request.qty = *qty;
                }
                self.record_order(seq, id, out);
            }
            VenueReport::Filled { fill, .. } => self.on_fill(seq, id, fill, out),
        }
    }

    fn on_cancel_rejected(&mut self, seq: u64, id: OrderId, reason: &str, out: &mut impl Output) {
        if let Some(state) = self.state.orders.get_mut(&id)
            && state.order.status.is_open()
            && state.order.pending_cancel
        {
            state.order.pending_cancel = false;
            state.order.reason = Some(format!("cancel refused: {reason}"));
            self.record_order(seq, id, out);
        }
    }

    /// Moves an order through the state table and journals it. What the table does not have is an incident.
    fn move_order(&mut self, seq: u64, id: OrderId, event: OrderEvent, reason: Option<&String>, out: &mut impl Output) {
        let Some(state) = self.state.orders.get_mut(&id) else { return };
        let before = state.order.status;
        match before.transition(event) {
            Ok(after) => {
                state.order.status = after;
                if let Some(reason) = reason {
                    state.order.reason = Some(reason.clone());
                }
                if after.is_terminal() {
                    state.order.pending_cancel = false;
                }
                self.settle_open(id, before, after);
                self.record_order(seq, id, out);
                if after.is_terminal() && !before.is_terminal() {
                    self.on_order_closed(seq, id, out);
                }
            }
            Err(error) => {
                let account = state.account;
                self.incident(seq, account, Some(id), error.to_string(), out);
            }
        }
    }

    fn settle_open(&mut self, id: OrderId, before: OrderStatus, after: OrderStatus) {
        match (before.is_open(), after.is_open()) {
            (true, false) => {
                self.state.open.retain(|open| *open != id);
                self.retire(id);
            }
            (false, true) => {
                self.state.closed.retain(|closed| *closed != id);
                self.state.open.push(id);
            }
            _ => {}
        }
    }

    fn on_fill(&mut self, seq: u64, id: OrderId, fill: &Fill, out: &mut impl Output) {
        let Some(state) = self.state.orders.get_mut(&id) else { return };
        if state.fill_ids.contains(&fill.venue_fill_id) {
            return;
        }
        let (account, instrument) = (state.account, state.instrument);
        let before = state.order.status;
        let filled = state.order.filled_qty.raw().saturating_add(fill.qty.raw());
        let completes = filled >= state.order.request.qty.raw();
        let after = match before.transition(OrderEvent::Fill { completes }) {
            Ok(after) => after,
            // The venue's record wins even where the table has no row (a fill beyond the quantity): book it and say so.
            Err(_) => OrderStatus::Filled,
        };
        let overfilled = filled > state.order.request.qty.raw();
        let order = &mut state.order;
        let booked = fill
            .price
            .notional(fill.qty)
            .and_then(|n| Ok((order.filled_notional.checked_add(n)?, order.fees.checked_add(fill.fee)?)));
        let Ok((notional, fees)) = booked else {
            return self.incident(seq, account, Some(id), format!("fill {} is out of range", fill.venue_fill_id), out);
        };
        order.filled_notional = notional;
        order.fees = fees;
        order.filled_qty = Quantity::from_raw(filled);
        order.status = after;
        if after.is_terminal() {
            order.pending_cancel = false;
        }
        state.fill_ids.push(fill.venue_fill_id.clone());
        self.settle_open(id, before, after);
        self.book_fill(seq, id, fill, (account, instrument), out);
        self.record_order(seq, id, out);
        if before.is_fill_suspicious() || overfilled {
            let text = format!("fill {} of an order that was {}", fill.venue_fill_id, before.as_str());
            self.incident(seq, account, Some(id), text, out);
        }
        self.protect(seq, id, out);
        if after.is_terminal() && !before.is_terminal() {
            self.on_order_closed(seq, id, out);
        }
        self.drop_orphan_legs(seq, id, out);
    }

    /// Position, balances and ledger of one fill.
    fn book_fill(&mut self, seq: u64, id: OrderId, fill: &Fill, numbers: (u32, u32), out: &mut impl Output) {
        let (account, instrument) = numbers;
        let Some(order) = self.state.orders.get(&id) else { return };
        let (side, reduce_only) = (order.order.request.side, order.order.request.reduce_only);
        let actor = order.order.request.actor.clone();
        let spec = &self.state.instruments[instrument as usize].instrument;
        let (currency, instrument_id) = (spec.quote_currency, spec.id.clone());
        let now = self.state.time;
        let account_state = &mut self.state.accounts[account as usize];
        let slot = Self::slot(account_state.config.position_mode, instrument, side, reduce_only);
        let entry = account_state.positions.entry(slot).or_insert_with(|| PositionState {
            position: cw_core::Position::default(),
            opened_at: now,
            opened_by: actor.clone(),
        });
        let was_flat = entry.position.signed_qty.is_zero();
        let change = match entry.position.apply(side, fill.qty, fill.price, fill.fee) {
            Ok(change) => change,
            Err(error) => {
                let text = format!("fill {} cannot be booked: {error}", fill.venue_fill_id);
                return self.incident(seq, account, Some(id), text, out);
            }
        };
        if was_flat || (!change.opened_qty.is_zero() && !change.closed_qty.is_zero()) {
            entry.opened_at = now;
            entry.opened_by = actor.clone();
        }
        let (position, entry_price) = (entry.position.signed_qty, entry.position.entry_price());
        let net = change.realized.checked_sub(fill.fee);
        if net.and_then(|net| account_state.credit(currency, net)).is_err() {
            let text = format!("balance out of range after fill {}", fill.venue_fill_id);
            self.incident(seq, account, Some(id), text, out);
        }
        if let Actor::Strategy(strategy) = &actor
            && let Some(instance) = self.state.strategies.iter_mut().find(|s| s.id == *strategy)
        {
            // The same arithmetic on its own fills; what cannot overflow above cannot overflow here.
            let _change = instance.position.apply(side, fill.qty, fill.price, fill.fee);
        }
        let account_id = self.state.accounts[account as usize].config.id.clone();
        let record = FillRecord {
            order_id: id,
            account: account_id,
            instrument: instrument_id,
            side,
            actor,
            fill: fill.clone(),
            realized: change.realized,
            currency,
            position,
            entry_price,
        };
        let meta = self.meta(seq);
        out.record(meta, RecordRef::Fill(&record));
    }

    /// Makes or resizes the exit legs of a filled entry, so that what is held is protected from its first fill on.
    fn protect(&mut self, seq: u64, id: OrderId, out: &mut impl Output) {
        let Some(state) = self.state.orders.get(&id) else { return };
        let request = &state.order.request;
        if request.take_profit.is_none() && request.stop_loss.is_none() {
            return;
        }
        let (account, instrument, filled) = (state.account, state.instrument, state.order.filled_qty);
        if !state.legs.is_empty() {
            for leg in state.legs.clone() {
                let Some(leg) = self.state.orders.get(&leg) else { continue };
                if leg.order.status.is_open() && leg.order.request.qty != filled {
                    let client_order_id = leg.order.request.client_order_id.clone();
                    out.effect(Effect::Amend { account, client_order_id, qty: filled });
                }
            }
            return;
        }
        let leg = |order_type, limit_price, stop_price| OrderRequest {
            account: request.account.clone(),
            instrument: request.instrument.clone(),
            side: request.side.opposite(),
            order_type,
            qty: filled,
            limit_price,
            stop_price,
            trail_offset: None,
            time_in_force: TimeInForce::Gtc,
            expire_time: None,
            reduce_only: true,
            post_only: false,
            take_profit: None,
            stop_loss: None,
            client_order_id: None,
        };
        let actor = request.actor.clone();
        let legs: Vec<OrderRequest> = [
            request.stop_loss.map(|price| leg(OrderType::Stop, None, Some(price))),
            request.take_profit.map(|price| leg(OrderType::Limit, Some(price), None)),
        ]
        .into_iter()
        .flatten()
        .collect();
        for request in legs {
            match self.place(seq, &request, actor.clone(), Some(id), (account, instrument), out) {
                Ok(leg) => {
                    if let Some(state) = self.state.orders.get_mut(&id) {
                        state.legs.push(leg);
                    }
                }
                Err((leg, denied)) => {
                    self.incident(seq, account, Some(leg), format!("the position has no exit leg: {denied}"), out);
                }
            }
        }
    }

    /// Cancels exit legs that protect nothing any more.
    fn drop_orphan_legs(&mut self, seq: u64, id: OrderId, out: &mut impl Output) {
        let Some(state) = self.state.orders.get(&id) else { return };
        let (account, instrument) = (state.account, state.instrument);
        let request = &state.order.request;
        let mode = self.state.accounts[account as usize].config.position_mode;
        let slot = Self::slot(mode, instrument, request.side, request.reduce_only);
        let position =
            self.state.accounts[account as usize].positions.get(&slot).map_or(0, |p| p.position.signed_qty.raw());
        let strategy_flat = match &request.actor {
            Actor::Strategy(s) => self.state.strategies.iter().any(|i| i.id == *s && i.position.signed_qty.is_zero()),
            _ => false,
        };
        let actor = request.actor.clone();
        let parent = request.parent;
        let venue_cancels = self.state.accounts[account as usize].config.venue_cancels_siblings;
        let done = state.order.status == OrderStatus::Filled;
        let orphans: Vec<OrderId> = self
            .state
            .open
            .iter()
            .filter(|open| {
                let Some(leg) = self.state.orders.get(open) else { return false };
                let r = &leg.order.request;
                if leg.account != account
                    || leg.instrument != instrument
                    || r.parent.is_none()
                    || leg.order.pending_cancel
                {
                    return false;
                }
                let useless = r.side.sign() * position >= 0;
                let sibling = done && parent.is_some() && r.parent == parent;
                // A venue that links the legs cancels the sibling by itself and tells us.
                (sibling && !venue_cancels) || (!sibling && (useless || (strategy_flat && r.actor == actor)))
            })
            .copied()
            .collect();
        for orphan in orphans {
            self.request_cancel(seq, orphan, out);
        }
        self.shrink_legs(account, instrument, Quantity::from_raw(position.abs()), out);
    }

    /// An exit leg larger than what is left would open the other way: it is cut to the position.
    fn shrink_legs(&self, account: u32, instrument: u32, position: Quantity, out: &mut impl Output) {
        for id in &self.state.open {
            let Some(leg) = self.state.orders.get(id) else { continue };
            let request = &leg.order.request;
            let ours = leg.account == account && leg.instrument == instrument && request.parent.is_some();
            if ours && !leg.order.pending_cancel && leg.order.leaves_qty() > position && position.is_positive() {
                let qty = Quantity::from_raw(leg.order.filled_qty.raw() + position.raw());
                out.effect(Effect::Amend { account, client_order_id: request.client_order_id.clone(), qty });
            }
        }
    }

    /// Asks the venue to cancel. The order lives until it confirms.
    pub(super) fn request_cancel(&mut self, seq: u64, id: OrderId, out: &mut impl Output) {
        let Some(state) = self.state.orders.get_mut(&id) else { return };
        if !state.order.status.is_open() || state.order.pending_cancel {
            return;
        }
        state.order.pending_cancel = true;
        let (account, client_order_id) = (state.account, state.order.request.client_order_id.clone());
        self.record_order(seq, id, out);
        out.effect(Effect::Cancel { account, client_order_id });
    }

    /// An entry that ended without a fill takes nothing with it; one that ended partly filled leaves its legs sized to
    /// what was filled, which `protect` has done.
    fn on_order_closed(&mut self, _seq: u64, id: OrderId, _out: &mut impl Output) {
        let Some(state) = self.state.orders.get(&id) else { return };
        if state.order.request.parent.is_none()
            && let Actor::Strategy(strategy) = &state.order.request.actor
            && let Some(instance) = self.state.strategies.iter_mut().find(|s| s.id == *strategy)
        {
            instance.working = instance.working.saturating_sub(1);
        }
    }

    /// Twenty-six random letters and digits behind the installation's own: unique for ever, and no counter.
    fn new_client_order_id(&mut self) -> ClientOrderId {
        const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let mut text = [b'-'; 36];
        let instance = self.state.config.instance.as_bytes();
        let len = instance.len().min(6);
        text[..len].copy_from_slice(&instance[..len]);
        let mut at = len + 1;
        for _ in 0..2 {
            let mut bits = self.next_random();
            for _ in 0..12 {
                text[at] = DIGITS[(bits & 31) as usize];
                bits >>= 5;
                at += 1;
            }
        }
        let text = std::str::from_utf8(&text[..at]).expect("letters and digits");
        ClientOrderId::new(text).expect("an instance name is plain and the rest is letters and digits")
    }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    fn next_random(&mut self) -> u64 {
        self.state.rng = self.state.rng.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state.rng;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Whether a side would take the position further from zero.
    pub(super) fn closing_side(&self, account: u32, instrument: u32) -> Option<(Side, Quantity)> {
        let position = self.net_position(account, instrument);
        match position.raw() {
            0 => None,
            q if q > 0 => Some((Side::Sell, position)),
            q => Some((Side::Buy, Quantity::from_raw(-q))),
        }
    }
}

fn new_order(
    request: &OrderRequest,
    client_order_id: ClientOrderId,
    actor: Actor,
    parent: Option<OrderId>,
) -> NewOrder {
    NewOrder {
        client_order_id,
        account: request.account.clone(),
        instrument: request.instrument.clone(),
        side: request.side,
        order_type: request.order_type,
        qty: request.qty,
        limit_price: request.limit_price,
        stop_price: request.stop_price,
        trail_offset: request.trail_offset,
        time_in_force: request.time_in_force,
        expire_time: request.expire_time,
        reduce_only: request.reduce_only,
        post_only: request.post_only,
        take_profit: request.take_profit,
        stop_loss: request.stop_loss,
        actor,
        parent,
    }
}
