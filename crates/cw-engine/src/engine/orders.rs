//! Orders from intent to last fill.

use cw_core::{Actor, ClientOrderId, Fill, NewOrder, Order, OrderEvent, OrderId, OrderStatus, OrderType, Quantity};
use cw_execution::VenueReport;
use cw_risk::{ApprovedOrder, Check, CheckResult, Denied};

use super::{Effect, Engine, OrderState, Output};
use crate::account::PositionState;
use crate::command::OrderRequest;
use crate::record::{FillRecord, Incident, RecordRef};
use crate::strategy::StrategyInstance;

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
        let client_order_id = match &request.client_order_id {
            Some(name) => name.clone(),
            None => self.new_client_order_id(),
        };
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
        let outcome = self.judge(account, instrument, new);
        let event = match &outcome {
            Ok(approved) => {
                // The gate may have bound it to reducing.
                order.request.reduce_only = approved.order().reduce_only;
                OrderEvent::Send
            }
            Err(denied) => {
                let named: Vec<String> =
                    denied.reasons.iter().map(|r| format!("{}: {}", r.check.as_str(), r.reason)).collect();
                order.reason = Some(named.join("; "));
                OrderEvent::Deny
            }
        };
        order.status = order.status.transition(event).expect("an intent can be sent or denied");
        self.state.by_client.insert(order.request.client_order_id.clone(), id);
        let open = order.status.is_open();
        self.state.orders.push(OrderState::new(order, account, instrument));
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

    /// The gate's word on an order.
    fn judge(&mut self, account: u32, instrument: u32, mut order: NewOrder) -> Result<ApprovedOrder, Denied> {
        let figures = match self.figures(account, instrument, order.side, order.reduce_only) {
            Ok(figures) => figures,
            Err(error) => {
                // What cannot be valued must still be closable: the order passes if the venue is held to reducing.
                let held = self.slot_position(account, instrument, order.side, true);
                if held.raw() * order.side.sign() >= 0 || order.qty.raw() > held.raw().abs() {
                    let reason = CheckResult { check: Check::Arithmetic, pass: false, reason: error.to_string() };
                    return Err(Denied { reasons: vec![reason] });
                }
                order.reduce_only = true;
                self.figures_of_reduction(account, instrument, order.side)
            }
        };
        let now = self.state.time;
        let book = figures.book(&self.state.instruments[instrument as usize].instrument);
        self.state.accounts[account as usize].gate.check(order, &book, now)
    }

    /// A closed order moves to the bounded memory of closed ones.
    fn retire(&mut self, id: OrderId) {
        self.state.closed.push_back(id);
        while self.state.closed.len() > self.state.config.closed_orders_kept as usize {
            if let Some(oldest) = self.state.closed.pop_front()
                && let Some(gone) = self.state.orders.remove(oldest)
            {
                self.state.by_client.remove(&gone.order.request.client_order_id);
            }
        }
    }

    fn record_order(&mut self, cause: u64, id: OrderId, out: &mut impl Output) {
        let meta = self.meta(cause);
        if let Some(state) = self.state.orders.get_mut(id) {
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
        let Some(id) = known.filter(|id| self.state.orders.get(*id).is_some_and(|o| o.account == account)) else {
            let text = format!("the venue reports on an order that is not ours: {}", report.client_order_id());
            return self.incident(seq, account, None, text, out);
        };
        if let (VenueReport::Canceled { .. } | VenueReport::Expired { .. }, Some(state)) =
            (report, self.state.orders.get_mut(id))
        {
            state.ended = true;
        }
        match report {
            VenueReport::Accepted { venue_order_id, .. } => {
                if let Some(state) = self.state.orders.get_mut(id) {
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
            VenueReport::Amended { qty, .. } => self.on_amended(seq, id, *qty, out),
            VenueReport::Filled { fill, .. } => self.on_fill(seq, id, fill, out),
        }
    }

    fn on_cancel_rejected(&mut self, seq: u64, id: OrderId, reason: &str, out: &mut impl Output) {
        if let Some(state) = self.state.orders.get_mut(id)
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
        let Some(state) = self.state.orders.get_mut(id) else { return };
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

    /// The venue changed the order's quantity. It may say so before or after fills that it made meanwhile.
    fn on_amended(&mut self, seq: u64, id: OrderId, qty: Quantity, out: &mut impl Output) {
        let Some(state) = self.state.orders.get_mut(id) else { return };
        let before = state.order.status;
        let (account, instrument) = (state.account, state.instrument);
        let completes = state.order.filled_qty >= qty;
        let amended = before.transition(OrderEvent::Amend { completes });
        // Heard late: the order was amended, and then it ended. It does not come back to life.
        let moved = if state.ended && amended.is_ok_and(OrderStatus::is_open) {
            amended.and_then(|after| after.transition(OrderEvent::Cancel))
        } else {
            amended
        };
        match moved {
            Ok(after) => {
                state.order.request.qty = qty;
                state.order.status = after;
                self.settle_open(id, before, after);
                self.record_order(seq, id, out);
                if after.is_terminal() && !before.is_terminal() {
                    self.on_order_closed(seq, id, out);
                }
                // The position may have shrunk while the order grew.
                self.shrink_legs(account, instrument, out);
            }
            Err(error) => self.incident(seq, account, Some(id), error.to_string(), out),
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
                let at = self.state.open.partition_point(|open| *open < id);
                self.state.open.insert(at, id);
                if let Some(instance) = self.entry_of_strategy(id) {
                    instance.working += 1;
                }
            }
            _ => {}
        }
    }

    /// The strategy that waits for this order to end: the one that made it, unless it is an exit leg.
    fn entry_of_strategy(&mut self, id: OrderId) -> Option<&mut StrategyInstance> {
        let request = &self.state.orders.get(id)?.order.request;
        let Actor::Strategy(strategy) = &request.actor else { return None };
        if request.parent.is_some() {
            return None;
        }
        self.state.strategies.iter_mut().rev().find(|s| s.id == *strategy)
    }

    fn on_fill(&mut self, seq: u64, id: OrderId, fill: &Fill, out: &mut impl Output) {
        let Some(state) = self.state.orders.get_mut(id) else { return };
        if state.fill_ids.contains(&fill.venue_fill_id) {
            return;
        }
        let (account, instrument) = (state.account, state.instrument);
        let before = state.order.status;
        let filled = state.order.filled_qty.raw().saturating_add(fill.qty.raw());
        let completes = filled >= state.order.request.qty.raw();
        // The venue's record wins even where the table has no row (a fill beyond the quantity): book it and say so.
        let moved = before.transition(OrderEvent::Fill { completes });
        let after = moved.unwrap_or(OrderStatus::Filled);
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
        let odd = moved.is_err() || before.is_fill_suspicious() || filled > order.request.qty.raw();
        let parent = order.request.parent;
        state.fill_ids.push(fill.venue_fill_id.clone());
        if let Some(entry) = parent.and_then(|parent| self.state.orders.get_mut(parent)) {
            entry.legs_filled = Quantity::from_raw(entry.legs_filled.raw().saturating_add(fill.qty.raw()));
        }
        self.settle_open(id, before, after);
        self.book_fill(seq, id, fill, (account, instrument), out);
        self.record_order(seq, id, out);
        if odd {
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
        let Some(order) = self.state.orders.get(id) else { return };
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
            && let Some(instance) = self.state.strategies.iter_mut().rev().find(|s| s.id == *strategy)
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

    /// Makes or resizes the exit legs of a filled entry, so that what is held is protected from its first fill on: each
    /// leg is as large as what the entry filled and no leg has closed yet, and never larger than the position.
    fn protect(&mut self, seq: u64, id: OrderId, out: &mut impl Output) {
        let Some(state) = self.state.orders.get(id) else { return };
        let request = &state.order.request;
        if request.take_profit.is_none() && request.stop_loss.is_none() {
            return;
        }
        let (account, instrument) = (state.account, state.instrument);
        let uncovered = self.uncovered(state);
        if !uncovered.is_positive() {
            return;
        }
        let mut missing = Vec::new();
        for (order_type, price) in [(OrderType::Stop, request.stop_loss), (OrderType::Limit, request.take_profit)] {
            let Some(price) = price else { continue };
            let resting = state.legs.iter().filter_map(|leg| self.state.orders.get(*leg)).find(|leg| {
                let order = &leg.order;
                order.request.order_type == order_type && order.status.is_open() && !order.pending_cancel
            });
            if let Some(leg) = resting {
                if let Some(qty) = resized(&leg.order, uncovered) {
                    let client_order_id = leg.order.request.client_order_id.clone();
                    out.effect(Effect::Amend { account, client_order_id, qty });
                }
                continue;
            }
            let side = request.side.opposite();
            let mut leg = OrderRequest::market(request.account.clone(), request.instrument.clone(), side, uncovered);
            leg.order_type = order_type;
            leg.reduce_only = true;
            match order_type {
                OrderType::Stop => leg.stop_price = Some(price),
                _ => leg.limit_price = Some(price),
            }
            missing.push((leg, request.actor.clone()));
        }
        for (request, actor) in missing {
            match self.place(seq, &request, actor, Some(id), (account, instrument), out) {
                Ok(leg) => {
                    if let Some(state) = self.state.orders.get_mut(id) {
                        state.legs.push(leg);
                    }
                }
                Err((leg, denied)) => {
                    self.incident(seq, account, Some(leg), format!("the position has no exit leg: {denied}"), out);
                }
            }
        }
    }

    /// What an entry's exit legs have still to close.
    fn uncovered(&self, entry: &OrderState) -> Quantity {
        let request = &entry.order.request;
        let held = self.slot_position(entry.account, entry.instrument, request.side, request.reduce_only);
        let left = entry.order.filled_qty.raw().saturating_sub(entry.legs_filled.raw());
        Quantity::from_raw(left.min(held.raw() * request.side.sign()).max(0))
    }

    /// Cancels exit legs that protect nothing any more and cuts the others to what is left.
    fn drop_orphan_legs(&mut self, seq: u64, id: OrderId, out: &mut impl Output) {
        let Some(state) = self.state.orders.get(id) else { return };
        let (account, instrument) = (state.account, state.instrument);
        if !self.open_legs(account, instrument).any(|_| true) {
            return;
        }
        let request = &state.order.request;
        let strategy_flat = match &request.actor {
            Actor::Strategy(s) => self.state.strategies.iter().any(|i| i.id == *s && i.position.signed_qty.is_zero()),
            _ => false,
        };
        let venue_cancels = self.state.accounts[account as usize].config.venue_cancels_siblings;
        let done = state.order.status == OrderStatus::Filled;
        let orphans: Vec<OrderId> = self
            .open_legs(account, instrument)
            .filter(|leg| {
                let r = &leg.order.request;
                let useless = self.reducible(leg).is_zero();
                let sibling = done && request.parent.is_some() && r.parent == request.parent;
                // A venue that links the legs cancels the sibling by itself and tells us.
                (sibling && !venue_cancels) || (!sibling && (useless || (strategy_flat && r.actor == request.actor)))
            })
            .map(|leg| leg.order.id)
            .collect();
        for orphan in orphans {
            self.request_cancel(seq, orphan, out);
        }
        self.shrink_legs(account, instrument, out);
    }

    /// Exit legs at the venue that are meant to stay there.
    fn open_legs(&self, account: u32, instrument: u32) -> impl Iterator<Item = &OrderState> {
        self.state.open.iter().filter_map(|id| self.state.orders.get(*id)).filter(move |leg| {
            leg.account == account
                && leg.instrument == instrument
                && leg.order.request.parent.is_some()
                && !leg.order.pending_cancel
        })
    }

    /// How much of its position an exit leg could close now.
    fn reducible(&self, leg: &OrderState) -> Quantity {
        let request = &leg.order.request;
        let held = self.slot_position(leg.account, leg.instrument, request.side, request.reduce_only);
        Quantity::from_raw((-request.side.sign() * held.raw()).max(0))
    }

    /// An exit leg larger than what is left would open the other way: it is cut to the position.
    fn shrink_legs(&self, account: u32, instrument: u32, out: &mut impl Output) {
        for leg in self.open_legs(account, instrument) {
            let position = self.reducible(leg);
            if leg.order.leaves_qty() > position && position.is_positive() {
                let client_order_id = leg.order.request.client_order_id.clone();
                let qty = Quantity::from_raw(leg.order.filled_qty.raw() + position.raw());
                out.effect(Effect::Amend { account, client_order_id, qty });
            }
        }
    }

    /// Cancels and amendments that are due and not confirmed. A crash may have swallowed them, the line may have lost
    /// them, and a cancel may have overtaken the order that it meant: they are sent again, now and then, which is
    /// harmless where they had arrived.
    pub fn outstanding(&self) -> Vec<Effect> {
        let mut effects = Vec::new();
        for state in self.state.open.iter().filter_map(|id| self.state.orders.get(*id)) {
            let (account, order) = (state.account, &state.order);
            let client_order_id = || order.request.client_order_id.clone();
            let wanted = order.request.parent.map(|parent| self.wanted(state, parent));
            if order.pending_cancel || wanted.is_some_and(Quantity::is_zero) {
                effects.push(Effect::Cancel { account, client_order_id: client_order_id() });
            } else if let Some(qty) = wanted.and_then(|wanted| resized(order, wanted)) {
                effects.push(Effect::Amend { account, client_order_id: client_order_id(), qty });
            }
        }
        effects
    }

    /// How much of an exit leg should still be open: zero when it protects nothing or a newer one has its place.
    fn wanted(&self, leg: &OrderState, parent: OrderId) -> Quantity {
        let reducible = self.reducible(leg);
        let Some(entry) = self.state.orders.get(parent) else { return reducible.min(leg.order.leaves_qty()) };
        let replaced = entry.legs.iter().filter_map(|id| self.state.orders.get(*id)).any(|other| {
            other.order.id > leg.order.id
                && other.order.request.order_type == leg.order.request.order_type
                && other.order.status.is_open()
                && !other.order.pending_cancel
        });
        if replaced { Quantity::ZERO } else { self.uncovered(entry).min(reducible) }
    }

    /// Asks the venue to cancel. The order lives until it confirms.
    pub(super) fn request_cancel(&mut self, seq: u64, id: OrderId, out: &mut impl Output) {
        let Some(state) = self.state.orders.get_mut(id) else { return };
        if !state.order.status.is_open() || state.order.pending_cancel {
            return;
        }
        state.order.pending_cancel = true;
        let (account, client_order_id) = (state.account, state.order.request.client_order_id.clone());
        self.record_order(seq, id, out);
        out.effect(Effect::Cancel { account, client_order_id });
    }

    /// Asks once more for a cancel that the venue has not confirmed.
    pub(super) fn repeat_cancel(&self, id: OrderId, out: &mut impl Output) {
        if let Some(state) = self.state.orders.get(id) {
            let client_order_id = state.order.request.client_order_id.clone();
            out.effect(Effect::Cancel { account: state.account, client_order_id });
        }
    }

    /// A strategy may decide again once its order has ended, and a position whose exit leg never came to be gets another.
    fn on_order_closed(&mut self, seq: u64, id: OrderId, out: &mut impl Output) {
        if let Some(instance) = self.entry_of_strategy(id) {
            instance.working = instance.working.saturating_sub(1);
        }
        let Some(state) = self.state.orders.get(id) else { return };
        let Some(parent) = state.order.request.parent else { return };
        let (account, status) = (state.account, state.order.status);
        match status {
            // It is proven that the venue never had it, so a new one cannot be a second one.
            OrderStatus::NotAccepted => self.protect(seq, parent, out),
            // A venue that says no will say it again: a human has to look.
            OrderStatus::Rejected => {
                let reason = state.order.reason.as_deref().unwrap_or("no reason given");
                let text = format!("the position has no exit leg: the venue rejected it: {reason}");
                self.incident(seq, account, Some(id), text, out);
            }
            _ => {}
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
}

/// The quantity an exit leg must have so that `open` of it is left, if it has another one now.
fn resized(leg: &Order, open: Quantity) -> Option<Quantity> {
    let qty = Quantity::from_raw(leg.filled_qty.raw().saturating_add(open.raw()));
    (leg.request.qty != qty).then_some(qty)
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
