//! Commands of people and programs.

use cw_analysis::{Strategy, TimeframeMismatch};
use cw_core::{
    AccountId, Actor, Cadence, Calendar, Candle, ClientOrderId, Instrument, OrderId, Quantity, Side, StrategyId,
};
use cw_risk::{Denied, Limits};

use super::{Engine, Output};
use crate::account::AccountState;
use crate::command::{Approval, ApprovalState, Command, CommandError, Envelope, OrderRequest, Reply};
use crate::config::AccountConfig;
use crate::record::{Notice, RecordRef};
use crate::strategy::{StrategyInstance, StrategyStatus};

/// How long a request waits for a human.
const APPROVAL_LIFE_NS: i64 = 5 * 60 * 1_000_000_000;
/// Requests of one kind of caller that may wait at once; more would hide the one that matters.
const MAX_PENDING_APPROVALS: usize = 20;

type Answer = Result<Reply, CommandError>;

fn not_found(what: &'static str, id: impl ToString) -> CommandError {
    CommandError::NotFound { what, id: id.to_string() }
}

impl Engine {
    pub(super) fn on_command(&mut self, seq: u64, envelope: &Envelope, out: &mut impl Output) -> Answer {
        let by_agent = matches!(envelope.actor, Actor::Agent(_));
        let only_people = |what: &str| {
            if by_agent {
                Err(CommandError::Forbidden(format!("only a person at this machine can {what}")))
            } else {
                Ok(())
            }
        };
        match &envelope.command {
            Command::PlaceOrder(request) if by_agent => self.ask(seq, envelope, request, out),
            Command::PlaceOrder(request) => self.place_order(seq, request, envelope.actor.clone(), out),
            Command::CancelOrder { order_id } => {
                let order = self.order(*order_id).ok_or_else(|| not_found("order", order_id))?;
                if !order.status.is_open() {
                    return Err(CommandError::Conflict(format!("order {order_id} is {}", order.status.as_str())));
                }
                if by_agent && order.request.parent.is_some() {
                    return Err(CommandError::Forbidden("only a person can take a position's protection away".into()));
                }
                if order.pending_cancel {
                    // The first request, or its answer, may have been lost on the way; asking again is harmless.
                    self.repeat_cancel(*order_id, out);
                } else {
                    self.request_cancel(seq, *order_id, out);
                }
                let order = self.order(*order_id).ok_or_else(|| not_found("order", order_id))?;
                Ok(reply_for(order))
            }
            Command::ClosePosition { account, instrument, qty } => {
                let mut answer = Ok(Reply::Done);
                for request in self.closing_requests(account, instrument, *qty)? {
                    answer = if by_agent {
                        self.ask(seq, envelope, &request, out)
                    } else {
                        self.place_order(seq, &request, envelope.actor.clone(), out)
                    };
                    if answer.is_err() {
                        break;
                    }
                }
                answer
            }
            Command::Halt { reason } => {
                // Anybody may stop; only a person may go on.
                self.state.halted = Some(reason.clone());
                self.note(seq, &Notice::Halted { reason: reason.clone() }, out);
                Ok(Reply::Done)
            }
            Command::Resume { reason } => {
                only_people("resume trading")?;
                if self.state.halted.take().is_none() {
                    return Err(CommandError::Conflict("trading is not halted".into()));
                }
                self.note(seq, &Notice::Resumed { reason: reason.clone() }, out);
                Ok(Reply::Done)
            }
            Command::SetLimit { account, name, value } => {
                only_people("change a limit")?;
                let number = self.account_number(account).ok_or_else(|| not_found("account", account))?;
                let gate = &mut self.state.accounts[number as usize].gate;
                gate.limits = gate
                    .limits
                    .with(name, value)
                    .map_err(|e| CommandError::Invalid { field: "value", message: e.to_string() })?;
                let notice = Notice::LimitSet { account: account.clone(), name: name.clone(), value: value.clone() };
                self.note(seq, &notice, out);
                Ok(Reply::Done)
            }
            Command::AcceptApproval { id } => {
                only_people("accept a request")?;
                self.accept(seq, *id, out)
            }
            Command::DenyApproval { id, reason } => {
                only_people("deny a request")?;
                self.pending(*id)?;
                self.resolve_approval(seq, *id, ApprovalState::Denied { reason: reason.clone() }, out);
                Ok(Reply::Done)
            }
            Command::StartStrategy { .. } => {
                only_people("start a strategy")?;
                self.start_strategy(seq, &envelope.command, out)
            }
            Command::StopStrategy { id, flatten } => {
                let number = self
                    .state
                    .strategies
                    .iter()
                    .position(|s| s.id == *id && s.is_running())
                    .ok_or_else(|| not_found("running strategy", id))?;
                let reason = format!("stopped by {}", envelope.actor);
                self.stop_strategy(seq, number, &reason, *flatten, out);
                self.note(seq, &Notice::StrategyStopped { id: id.clone(), reason }, out);
                Ok(Reply::Done)
            }
            Command::OpenAccount(config) => {
                only_people("open an account")?;
                self.open_account(seq, config, out)
            }
            Command::TightenLimits { account, limits } => self.tighten_limits(seq, account, limits, out),
            Command::ListInstrument(instrument) => {
                only_people("add an instrument")?;
                if self.instrument_number(&instrument.id).is_none() {
                    self.list(Instrument::clone(instrument), true);
                }
                Ok(Reply::Done)
            }
        }
    }

    fn open_account(&mut self, seq: u64, config: &AccountConfig, out: &mut impl Output) -> Answer {
        if self.account_number(&config.id).is_some() {
            return Err(CommandError::Conflict(format!("there is an account {}", config.id)));
        }
        if config.opening_balance.is_negative() {
            let message = format!("an account cannot open with {}", config.opening_balance);
            return Err(CommandError::Invalid { field: "opening_balance", message });
        }
        self.state.accounts.push(AccountState::new(config.clone(), self.state.time));
        let notice = Notice::AccountOpened {
            account: config.id.clone(),
            currency: config.currency,
            amount: config.opening_balance,
        };
        self.note(seq, &notice, out);
        Ok(Reply::Done)
    }

    fn tighten_limits(&mut self, seq: u64, account: &AccountId, limits: &Limits, out: &mut impl Output) -> Answer {
        let number = self.account_number(account).ok_or_else(|| not_found("account", account))?;
        let gate = &mut self.state.accounts[number as usize].gate;
        let tight = gate.limits.tightened(limits);
        let changes = gate.limits.changes(&tight);
        gate.limits = tight;
        for (name, value) in changes {
            let notice = Notice::LimitSet { account: account.clone(), name: name.to_owned(), value };
            self.note(seq, &notice, out);
        }
        Ok(Reply::Done)
    }

    fn note(&mut self, cause: u64, notice: &Notice, out: &mut impl Output) {
        let meta = self.meta(cause);
        out.record(meta, RecordRef::Notice(notice));
    }

    /// Numbers of an order's account and instrument, which must be of one venue.
    fn resolve(&self, request: &OrderRequest) -> Result<(u32, u32), CommandError> {
        let account = self.account_number(&request.account).ok_or_else(|| not_found("account", &request.account))?;
        let instrument =
            self.instrument_number(&request.instrument).ok_or_else(|| not_found("instrument", &request.instrument))?;
        let venue = &self.state.accounts[account as usize].config.venue;
        if request.instrument.venue() != venue {
            return Err(CommandError::Invalid {
                field: "instrument",
                message: format!("account {} trades at {venue}, not {}", request.account, request.instrument.venue()),
            });
        }
        Ok((account, instrument))
    }

    fn place_order(&mut self, seq: u64, request: &OrderRequest, actor: Actor, out: &mut impl Output) -> Answer {
        let numbers = self.resolve(request)?;
        if let Some(twin) = self.twin(request.client_order_id.as_ref(), request)? {
            return Ok(twin);
        }
        let placed = self.place(seq, request, actor, None, numbers, out);
        self.answer(placed)
    }

    fn answer(&self, placed: Result<OrderId, (OrderId, Denied)>) -> Answer {
        match placed {
            Ok(id) => self.order(id).map(reply_for).ok_or_else(|| not_found("order", id)),
            Err((order_id, denied)) => Err(CommandError::Denied { order_id, reasons: denied.reasons }),
        }
    }

    /// The caller used this name before: the same request is answered with the order it made, another one is refused.
    fn twin(&self, name: Option<&ClientOrderId>, request: &OrderRequest) -> Result<Option<Reply>, CommandError> {
        let Some(order) = name.and_then(|name| self.order_by_client_id(name)) else { return Ok(None) };
        let known = &order.request;
        // The gate may have bound the order to reducing; the caller's own word is then no difference.
        let same = known.account == request.account
            && known.instrument == request.instrument
            && known.side == request.side
            && known.order_type == request.order_type
            && known.qty == request.qty
            && known.limit_price == request.limit_price
            && known.stop_price == request.stop_price
            && known.trail_offset == request.trail_offset
            && known.time_in_force == request.time_in_force
            && known.expire_time == request.expire_time
            && known.post_only == request.post_only
            && known.take_profit == request.take_profit
            && known.stop_loss == request.stop_loss
            && (known.reduce_only || !request.reduce_only);
        if same {
            Ok(Some(reply_for(order)))
        } else {
            Err(CommandError::Conflict(format!("client order id {} names another order", known.client_order_id)))
        }
    }

    /// Orders that close a position: one, or two for an account that holds a long and a short leg.
    fn closing_requests(
        &self,
        account: &cw_core::AccountId,
        instrument: &cw_core::InstrumentId,
        qty: Option<Quantity>,
    ) -> Result<Vec<OrderRequest>, CommandError> {
        let number = self.account_number(account).ok_or_else(|| not_found("account", account))?;
        let instrument_number =
            self.instrument_number(instrument).ok_or_else(|| not_found("instrument", instrument))?;
        let legs: Vec<(Side, Quantity)> = [Side::Sell, Side::Buy]
            .into_iter()
            .filter_map(|side| {
                let held = self.slot_position(number, instrument_number, side, true).raw() * -side.sign();
                (held > 0).then_some((side, Quantity::from_raw(held)))
            })
            .collect();
        let invalid = |message: String| Err(CommandError::Invalid { field: "qty", message });
        match (legs.as_slice(), qty) {
            ([], _) => return Err(CommandError::NotFound { what: "position in", id: instrument.to_string() }),
            ([_, _], Some(_)) => {
                return invalid(
                    "there is a long and a short position; close both, or place a reduce-only order".into(),
                );
            }
            ([(_, held)], Some(qty)) if qty > *held => {
                return invalid(format!("cannot close {qty} of a position of {held}"));
            }
            _ => {}
        }
        Ok(legs
            .into_iter()
            .map(|(side, held)| {
                let qty = qty.unwrap_or(held);
                let mut request = OrderRequest::market(account.clone(), instrument.clone(), side, qty);
                request.reduce_only = true;
                request
            })
            .collect())
    }

    /// Parks an agent's order until a human decides.
    fn ask(&mut self, seq: u64, envelope: &Envelope, request: &OrderRequest, out: &mut impl Output) -> Answer {
        self.resolve(request)?;
        if let Some(twin) = self.twin(request.client_order_id.as_ref(), request)? {
            return Ok(twin);
        }
        let pending = self.state.approvals.values().filter(|a| a.state == ApprovalState::Pending).count();
        if pending >= MAX_PENDING_APPROVALS {
            return Err(CommandError::Conflict(format!("{pending} requests already wait for a decision")));
        }
        let meta = self.meta(seq);
        let approval = Approval {
            id: meta.seq,
            actor: envelope.actor.clone(),
            surface: envelope.surface,
            request: request.clone(),
            created_at: meta.time,
            expires_at: meta.time.plus_nanos(APPROVAL_LIFE_NS),
            state: ApprovalState::Pending,
        };
        out.record(meta, RecordRef::Approval(&approval));
        self.state.approvals.insert(meta.seq, approval);
        Ok(Reply::AwaitsApproval { id: meta.seq })
    }

    fn pending(&self, id: u64) -> Result<&Approval, CommandError> {
        let approval = self.state.approvals.get(&id).ok_or_else(|| not_found("approval", id))?;
        if approval.state != ApprovalState::Pending {
            return Err(CommandError::Conflict(format!("approval {id} is already decided")));
        }
        if self.state.time >= approval.expires_at {
            return Err(CommandError::Conflict(format!("approval {id} has expired")));
        }
        Ok(approval)
    }

    fn accept(&mut self, seq: u64, id: u64, out: &mut impl Output) -> Answer {
        let approval = self.pending(id)?;
        let (request, actor) = (approval.request.clone(), approval.actor.clone());
        let numbers = self.resolve(&request)?;
        if let Some(name) = &request.client_order_id
            && self.order_by_client_id(name).is_some()
        {
            // Two requests of one name: the first that was accepted made the order.
            let reason = format!("client order id {name} names an order that exists already");
            self.resolve_approval(seq, id, ApprovalState::Refused { reason: reason.clone() }, out);
            return Err(CommandError::Conflict(reason));
        }
        let placed = self.place(seq, &request, actor, None, numbers, out);
        let state = match &placed {
            Ok(order_id) => ApprovalState::Accepted { order_id: *order_id },
            Err((_, denied)) => ApprovalState::Refused { reason: denied.to_string() },
        };
        self.resolve_approval(seq, id, state, out);
        self.answer(placed)
    }

    fn start_strategy(&mut self, seq: u64, command: &Command, out: &mut impl Output) -> Answer {
        let Command::StartStrategy { id, source, params, account, instrument, timeframe, warmup } = command else {
            return Ok(Reply::Done);
        };
        let account_number = self.account_number(account).ok_or_else(|| not_found("account", account))?;
        let instrument_number =
            self.instrument_number(instrument).ok_or_else(|| not_found("instrument", instrument))?;
        if self.state.strategies.iter().any(|s| s.id == *id && s.is_running()) {
            return Err(CommandError::Conflict(format!("strategy {id} is already running")));
        }
        let strategy = Strategy::from_toml(source, params)
            .map_err(|error| CommandError::Invalid { field: "strategy", message: error.to_string() })?;
        let mut instance = StrategyInstance::new(
            id.clone(),
            strategy,
            source.clone(),
            params.clone(),
            account_number,
            instrument_number,
            self.calendar(instrument_number),
            Cadence::Time(*timeframe),
            self.state.time,
        )
        .map_err(|error| CommandError::Invalid { field: "timeframe", message: error.to_string() })?;
        warm_up(&mut instance, warmup);
        self.take_over(&mut instance)?;
        let name = instance.name.clone();
        self.forget_stopped(id);
        self.state.strategies.push(instance);
        self.note(seq, &Notice::StrategyStarted { id: id.clone(), strategy: name }, out);
        Ok(Reply::Done)
    }

    /// What an earlier run of the same name left: its position and the orders still on their way are the new run's, for
    /// their fills carry its name.
    fn take_over(&self, instance: &mut StrategyInstance) -> Result<(), CommandError> {
        let Some(before) = self.state.strategies.iter().rev().find(|s| s.id == instance.id) else { return Ok(()) };
        let ours = Actor::Strategy(instance.id.clone());
        let open =
            self.open_orders().filter(|order| order.request.actor == ours && order.request.parent.is_none()).count()
                as u32;
        if (before.account, before.instrument) == (instance.account, instance.instrument) {
            instance.position = before.position;
            instance.working = open;
            return Ok(());
        }
        if before.position.signed_qty.is_zero() && open == 0 {
            return Ok(());
        }
        Err(CommandError::Conflict(format!(
            "{} still holds {} of another instrument or account; close that first, or use another name",
            instance.id, before.position.signed_qty
        )))
    }

    /// A stopped strategy of the same name makes room; of the others the newest stay to be shown.
    fn forget_stopped(&mut self, id: &StrategyId) {
        self.state.strategies.retain(|s| s.is_running() || s.id != *id);
        while self.state.strategies.len() >= 200 {
            let Some(oldest) =
                self.state.strategies.iter().position(|s| matches!(s.status, StrategyStatus::Stopped { .. }))
            else {
                break;
            };
            self.state.strategies.remove(oldest);
        }
    }

    /// A strategy on one instrument from its first candle on, for backtests: no command, no warm-up.
    pub fn add_strategy(
        &mut self,
        id: StrategyId,
        strategy: Strategy,
        instrument: u32,
        timeframe: Cadence,
    ) -> Result<(), TimeframeMismatch> {
        let since = self.state.time;
        let instance = StrategyInstance::new(
            id,
            strategy,
            String::new(),
            std::collections::BTreeMap::new(),
            0,
            instrument,
            self.calendar(instrument),
            timeframe,
            since,
        )?;
        self.state.strategies.push(instance);
        Ok(())
    }

    fn calendar(&self, instrument: u32) -> Calendar {
        let known = self.state.instruments.get(instrument as usize);
        known.map_or(Calendar::Continuous, |state| state.instrument.calendar())
    }
}

/// Feeds history to the indicators; what the rules say about it is not acted on.
fn warm_up(instance: &mut StrategyInstance, candles: &[Candle]) {
    if let Some((strategy, state)) = instance.parts() {
        for candle in candles {
            let _signals = strategy.update(state, candle);
        }
    }
}

fn reply_for(order: &cw_core::Order) -> Reply {
    Reply::Order { order_id: order.id, client_order_id: order.request.client_order_id.clone(), status: order.status }
}
