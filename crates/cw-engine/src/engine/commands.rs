//! Commands of people and programs.

use cw_analysis::{Strategy, TimeframeMismatch};
use cw_core::{Actor, Candle, ClientOrderId, OrderId, StrategyId, Timeframe};
use cw_risk::Denied;

use super::{Engine, Output};
use crate::command::{Approval, ApprovalState, Command, CommandError, Envelope, OrderRequest, Reply};
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
                self.request_cancel(seq, *order_id, out);
                let order = self.order(*order_id).ok_or_else(|| not_found("order", order_id))?;
                Ok(reply_for(order))
            }
            Command::ClosePosition { account, instrument, qty } => {
                let request = self.closing_request(account, instrument, *qty)?;
                if by_agent {
                    return self.ask(seq, envelope, &request, out);
                }
                self.place_order(seq, &request, envelope.actor.clone(), out)
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
        }
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
        let same = known.account == request.account
            && known.instrument == request.instrument
            && known.side == request.side
            && known.order_type == request.order_type
            && known.qty == request.qty
            && known.limit_price == request.limit_price
            && known.stop_price == request.stop_price;
        if same {
            Ok(Some(reply_for(order)))
        } else {
            Err(CommandError::Conflict(format!("client order id {} names another order", known.client_order_id)))
        }
    }

    fn closing_request(
        &self,
        account: &cw_core::AccountId,
        instrument: &cw_core::InstrumentId,
        qty: Option<cw_core::Quantity>,
    ) -> Result<OrderRequest, CommandError> {
        let number = self.account_number(account).ok_or_else(|| not_found("account", account))?;
        let instrument_number =
            self.instrument_number(instrument).ok_or_else(|| not_found("instrument", instrument))?;
        let (side, held) = self
            .closing_side(number, instrument_number)
            .ok_or_else(|| CommandError::NotFound { what: "position in", id: instrument.to_string() })?;
        let qty = qty.unwrap_or(held);
        if qty > held {
            return Err(CommandError::Invalid {
                field: "qty",
                message: format!("cannot close {qty} of a position of {held}"),
            });
        }
        let mut request = OrderRequest::market(account.clone(), instrument.clone(), side, qty);
        request.reduce_only = true;
        Ok(request)
    }

    /// Parks an agent's order until a human decides.
    fn ask(&mut self, seq: u64, envelope: &Envelope, request: &OrderRequest, out: &mut impl Output) -> Answer {
        self.resolve(request)?;
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
            *timeframe,
            self.state.time,
        )
        .map_err(|error| CommandError::Invalid { field: "timeframe", message: error.to_string() })?;
        warm_up(&mut instance, warmup);
        let name = instance.name.clone();
        self.forget_stopped(id);
        self.state.strategies.push(instance);
        self.note(seq, &Notice::StrategyStarted { id: id.clone(), strategy: name }, out);
        Ok(Reply::Done)
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
        timeframe: Timeframe,
    ) -> Result<(), TimeframeMismatch> {
        let since = self.state.time;
        let instance = StrategyInstance::new(
            id,
            strategy,
            String::new(),
            std::collections::BTreeMap::new(),
            0,
            instrument,
            timeframe,
            since,
        )?;
        self.state.strategies.push(instance);
        Ok(())
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
