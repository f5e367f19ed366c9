//! Orders, positions, accounts, risk, approvals and strategies, asked of the engine.

pub(super) mod views;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use cw_analysis::Strategy;
use cw_api::commands::{orders, portfolio, risk, strategies};
use cw_api::{ApiError, Caller};
use cw_core::{AccountId, Actor, ClientOrderId, OrderId, OrderType, StrategyId};
use cw_engine::{ApprovalState, Command, CommandError, Engine, Envelope, OrderRequest, PreviewError, Reply};
use cw_market::{CandleRequest, Provider as _, Purpose};
use cw_store::{FillQuery, OrderQuery};

use crate::shared::{Shared, stopped, storage, unreadable};
use crate::words;

/// Rows of a list when the caller names no number, and the most it may name.
const DEFAULT_LIMIT: u32 = 200;
const MAX_LIMIT: u32 = 5_000;
/// Candles that a strategy's indicators are warmed up with.
const WARMUP: usize = 1_000;

pub(crate) struct Trading {
    shared: Arc<Shared>,
}

fn limit(asked: Option<u32>) -> usize {
    asked.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT) as usize
}

/// What the engine's refusal means to a caller.
fn refused(error: CommandError) -> ApiError {
    match error {
        CommandError::Denied { reasons, .. } => {
            let texts: Vec<String> = reasons.iter().map(|r| format!("{}: {}", r.check.as_str(), r.reason)).collect();
            ApiError::denied(format!("the risk gate said no: {}", reasons_sentence(&reasons)), texts)
        }
        CommandError::NotFound { what, id } => ApiError::not_found(format!("{what} {id}")),
        CommandError::Invalid { field, message } => ApiError::invalid(field, message),
        CommandError::Conflict(message) => ApiError::conflict(message),
        CommandError::Forbidden(message) => ApiError::new(cw_api::ErrorCode::Forbidden, message),
    }
}

fn reasons_sentence(reasons: &[cw_risk::CheckResult]) -> String {
    reasons.iter().map(|r| r.reason.as_str()).collect::<Vec<_>>().join("; ")
}

fn preview_error(error: PreviewError) -> ApiError {
    match error {
        PreviewError::Account(id) => ApiError::not_found(format!("account {id}")),
        PreviewError::Instrument(id) => ApiError::not_found(format!("instrument {id}")),
        PreviewError::NoPrice(_) | PreviewError::NoRate(_) => ApiError::unavailable(error.to_string()),
        PreviewError::Number(_) => ApiError::invalid("qty", error.to_string()),
    }
}

/// The ticket as the engine takes it; the type follows from the prices when it is not named.
fn request(ticket: &orders::OrderTicket) -> OrderRequest {
    let order_type = ticket.order_type.unwrap_or(match (ticket.price, ticket.stop, ticket.trail) {
        (_, _, Some(_)) => OrderType::TrailingStop,
        (Some(_), Some(_), None) => OrderType::StopLimit,
        (Some(_), None, None) => OrderType::Limit,
        (None, Some(_), None) => OrderType::Stop,
        (None, None, None) => OrderType::Market,
    });
    OrderRequest {
        account: ticket.account.clone(),
        instrument: ticket.instrument.clone(),
        side: ticket.side,
        order_type,
        qty: ticket.qty,
        limit_price: ticket.price,
        stop_price: ticket.stop,
        trail_offset: ticket.trail,
        time_in_force: ticket.tif.unwrap_or_default(),
        expire_time: ticket.expire_time,
        reduce_only: ticket.reduce_only,
        post_only: ticket.post_only,
        take_profit: ticket.take_profit,
        stop_loss: ticket.stop_loss,
        client_order_id: ticket.client_order_id.clone(),
    }
}

/// A name for a request that waits for a human, so that the caller can find its order later.
fn random_name() -> Result<ClientOrderId, ApiError> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(ApiError::internal)?;
    ClientOrderId::new(&hex::encode(bytes)).map_err(ApiError::internal)
}

impl Trading {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    async fn read<T: Send + 'static>(&self, read: impl FnOnce(&Engine) -> T + Send + 'static) -> Result<T, ApiError> {
        self.shared.engine.read(read).await.map_err(stopped)
    }

    async fn command(&self, caller: &Caller, command: Command) -> Result<Reply, ApiError> {
        self.shared.writable()?;
        let envelope = Envelope {
            actor: caller.actor.clone(),
            surface: caller.surface,
            trace_id: caller.trace_id.to_string(),
            command,
        };
        self.shared.engine.command(envelope).await.map_err(stopped)?.map_err(refused)
    }

    async fn place(&self, caller: &Caller, mut request: OrderRequest) -> Result<orders::PlacedOrder, ApiError> {
        if matches!(caller.actor, Actor::Agent(_)) && request.client_order_id.is_none() {
            request.client_order_id = Some(random_name()?);
        }
        let name = request.client_order_id.clone();
        let reply = self.command(caller, Command::PlaceOrder(request)).await?;
        placed(reply, name)
    }

    async fn order_id(&self, request: &orders::CancelOrder) -> Result<OrderId, ApiError> {
        match (request.order_id, &request.client_order_id) {
            (Some(id), _) => Ok(id),
            (None, Some(name)) => {
                let wanted = name.clone();
                self.read(move |e| e.order_by_client_id(&wanted).map(|o| o.id))
                    .await?
                    .ok_or_else(|| ApiError::not_found(format!("order {name}")))
            }
            (None, None) => Err(ApiError::invalid("order_id", "name the order by order_id or client_order_id")),
        }
    }

    async fn risk_view(&self) -> Result<risk::RiskView, ApiError> {
        self.read(views::risk).await
    }
}

fn placed(reply: Reply, name: Option<ClientOrderId>) -> Result<orders::PlacedOrder, ApiError> {
    Ok(match reply {
        Reply::Order { order_id, client_order_id, status } => {
            orders::PlacedOrder { order_id: Some(order_id), client_order_id, status: Some(status), approval_id: None }
        }
        Reply::AwaitsApproval { id } => orders::PlacedOrder {
            order_id: None,
            client_order_id: match name {
                Some(name) => name,
                None => random_name()?,
            },
            status: None,
            approval_id: Some(id.to_string()),
        },
        Reply::Done => return Err(ApiError::internal("an order was answered without an order")),
    })
}

fn approval_id(id: &str) -> Result<u64, ApiError> {
    id.parse().map_err(|_| ApiError::not_found(format!("approval {id}")))
}

/// The text of a shipped strategy or of a file.
pub(super) fn strategy_source(name: &str, caller: &Caller) -> Result<String, ApiError> {
    if let Some(shipped) = Strategy::shipped().iter().find(|s| s.name == name) {
        return Ok(shipped.source.to_owned());
    }
    let is_file = std::path::Path::new(name).extension().is_some_and(|e| e.eq_ignore_ascii_case("toml"));
    if !is_file {
        let names: Vec<&str> = Strategy::shipped().iter().map(|s| s.name).collect();
        return Err(ApiError::not_found(format!("strategy \"{name}\"; there are {} and TOML files", names.join(", "))));
    }
    if matches!(caller.actor, Actor::Agent(_)) {
        return Err(ApiError::new(
            cw_api::ErrorCode::Forbidden,
            "a program may not name files; use a shipped strategy",
        ));
    }
    std::fs::read_to_string(name).map_err(|error| unreadable("strategy", name, &error))
}

#[async_trait]
impl cw_api::services::Trading for Trading {
    async fn preview_order(&self, _: &Caller, asked: orders::PreviewOrder) -> Result<orders::OrderPreview, ApiError> {
        let request = request(&asked.0);
        self.read(move |engine| views::preview(engine, &request)).await?.map_err(preview_error)
    }

    async fn place_order(&self, caller: &Caller, asked: orders::PlaceOrder) -> Result<orders::PlacedOrder, ApiError> {
        self.place(caller, request(&asked.0)).await
    }

    async fn cancel_order(
        &self,
        caller: &Caller,
        asked: orders::CancelOrder,
    ) -> Result<orders::CanceledOrder, ApiError> {
        let order_id = self.order_id(&asked).await?;
        self.command(caller, Command::CancelOrder { order_id }).await?;
        let order = self
            .read(move |e| e.order(order_id).cloned())
            .await?
            .ok_or_else(|| ApiError::not_found(format!("order {order_id}")))?;
        Ok(orders::CanceledOrder { order_id, status: order.status, pending_cancel: order.pending_cancel })
    }

    async fn list_orders(&self, _: &Caller, asked: orders::ListOrders) -> Result<orders::OrderList, ApiError> {
        let count = limit(asked.limit);
        let (account, instrument, open_only) = (asked.account.clone(), asked.instrument.clone(), asked.open_only);
        let mut found = self
            .read(move |engine| {
                engine
                    .orders()
                    .rev()
                    .filter(|o| account.as_ref().is_none_or(|a| o.request.account == *a))
                    .filter(|o| instrument.as_ref().is_none_or(|i| o.request.instrument == *i))
                    .filter(|o| !open_only || o.status.is_open())
                    .take(count)
                    .cloned()
                    .collect::<Vec<_>>()
            })
            .await?;
        if !asked.open_only && found.len() < count {
            // Older than what the engine keeps in memory.
            let query = OrderQuery {
                account: asked.account,
                instrument: asked.instrument,
                open_only: false,
                before: found.last().map(|o| o.id),
                limit: Some((count - found.len()) as u32),
            };
            found.extend(self.shared.store.orders(&query).await.map_err(storage)?);
        }
        Ok(orders::OrderList { orders: found.iter().map(views::order).collect() })
    }

    async fn list_positions(
        &self,
        _: &Caller,
        asked: portfolio::ListPositions,
    ) -> Result<portfolio::PositionList, ApiError> {
        self.read(move |engine| views::positions(engine, asked.account.as_ref())).await
    }

    async fn close_position(
        &self,
        caller: &Caller,
        asked: portfolio::ClosePosition,
    ) -> Result<orders::PlacedOrder, ApiError> {
        let instrument = asked.instrument.clone();
        let holders: Vec<AccountId> = self
            .read(move |engine| {
                let Some(number) = engine.instrument_number(&instrument) else { return Vec::new() };
                (0u32..)
                    .zip(engine.accounts())
                    .filter(|(n, _)| !engine.net_position(*n, number).is_zero())
                    .map(|(_, a)| a.config.id.clone())
                    .collect()
            })
            .await?;
        let account = match (asked.account, holders.as_slice()) {
            (Some(account), _) => account,
            (None, [only]) => only.clone(),
            (None, []) => return Err(ApiError::not_found(format!("position in {}", asked.instrument))),
            (None, _) => return Err(ApiError::invalid("account", "several accounts hold it; name one")),
        };
        let command = Command::ClosePosition { account, instrument: asked.instrument, qty: asked.qty };
        let reply = self.command(caller, command).await?;
        placed(reply, None)
    }

    async fn list_fills(&self, _: &Caller, asked: portfolio::ListFills) -> Result<portfolio::FillList, ApiError> {
        self.shared.tables_current().await;
        let query = FillQuery {
            account: asked.account,
            instrument: asked.instrument,
            limit: Some(limit(asked.limit) as u32),
            ..FillQuery::default()
        };
        let rows = self.shared.store.fills(&query).await.map_err(storage)?;
        Ok(portfolio::FillList { fills: rows.iter().map(views::fill_row).collect() })
    }

    async fn list_accounts(&self, _: &Caller, _: portfolio::ListAccounts) -> Result<portfolio::AccountList, ApiError> {
        let accounts = self.read(views::accounts).await?;
        Ok(portfolio::AccountList { accounts })
    }

    async fn show_risk(&self, _: &Caller, _: risk::ShowRisk) -> Result<risk::RiskView, ApiError> {
        self.risk_view().await
    }

    async fn set_risk(&self, caller: &Caller, asked: risk::SetRisk) -> Result<risk::RiskView, ApiError> {
        let command = Command::SetLimit { account: asked.account, name: asked.limit, value: asked.value };
        self.command(caller, command).await?;
        self.risk_view().await
    }

    async fn halt(&self, caller: &Caller, asked: risk::HaltTrading) -> Result<risk::RiskView, ApiError> {
        let reason = asked.reason.unwrap_or_else(|| format!("halted by {}", caller.actor));
        self.command(caller, Command::Halt { reason }).await?;
        self.risk_view().await
    }

    async fn resume(&self, caller: &Caller, asked: risk::ResumeTrading) -> Result<risk::RiskView, ApiError> {
        if asked.scope.as_deref().is_some_and(|s| s != "all") {
            return Err(ApiError::invalid("scope", "trading is halted and resumed as a whole"));
        }
        self.command(caller, Command::Resume { reason: asked.reason }).await?;
        self.risk_view().await
    }

    async fn list_approvals(&self, _: &Caller, _: risk::ListApprovals) -> Result<risk::ApprovalList, ApiError> {
        let approvals = self.read(views::approvals).await?;
        Ok(risk::ApprovalList { approvals })
    }

    async fn accept_approval(
        &self,
        caller: &Caller,
        asked: risk::AcceptApproval,
    ) -> Result<risk::ApprovalOutcome, ApiError> {
        let id = approval_id(&asked.id)?;
        let reply = self.command(caller, Command::AcceptApproval { id }).await?;
        let order = Some(placed(reply, None)?);
        Ok(risk::ApprovalOutcome { id: asked.id, state: risk::ApprovalState::Accepted, order })
    }

    async fn deny_approval(
        &self,
        caller: &Caller,
        asked: risk::DenyApproval,
    ) -> Result<risk::ApprovalOutcome, ApiError> {
        let id = approval_id(&asked.id)?;
        let reason = asked.reason.unwrap_or_else(|| "denied by a human".to_owned());
        self.command(caller, Command::DenyApproval { id, reason }).await?;
        Ok(risk::ApprovalOutcome { id: asked.id, state: risk::ApprovalState::Denied, order: None })
    }

    async fn list_strategies(
        &self,
        _: &Caller,
        _: strategies::ListStrategies,
    ) -> Result<strategies::StrategyList, ApiError> {
        let mut list = Vec::new();
        for shipped in Strategy::shipped() {
            let strategy = Strategy::from_toml(shipped.source, &BTreeMap::new()).map_err(ApiError::internal)?;
            list.push(views::strategy(&strategy, "shipped"));
        }
        Ok(strategies::StrategyList { strategies: list })
    }

    async fn start_strategy(
        &self,
        caller: &Caller,
        asked: strategies::StartStrategy,
    ) -> Result<strategies::StartedStrategy, ApiError> {
        let source = strategy_source(&asked.strategy, caller)?;
        let strategy = Strategy::from_toml(&source, &asked.params)
            .map_err(|error| ApiError::invalid("strategy", error.to_string()))?;
        let name = strategy.name().to_owned();
        let id = self
            .read(move |engine| {
                let mut candidates = (1u32..).map(|n| format!("{name}-{n}"));
                candidates.find(|c| !engine.strategies().iter().any(|s| s.id.as_str() == c))
            })
            .await?
            .and_then(|text| StrategyId::new(&text).ok())
            .ok_or_else(|| ApiError::invalid("strategy", "its name cannot name a running strategy"))?;
        let warmup = self
            .shared
            .sim
            .candles(&CandleRequest {
                instrument: asked.instrument.clone(),
                timeframe: asked.timeframe,
                from: None,
                to: Some(self.shared.sim.clock().now()),
                limit: WARMUP,
                purpose: Purpose::Look,
            })
            .await
            .map_err(|error| ApiError::unavailable(error.to_string()))?;
        let command = Command::StartStrategy {
            id: id.clone(),
            source,
            params: asked.params,
            account: asked.account,
            instrument: asked.instrument,
            timeframe: asked.timeframe,
            warmup,
        };
        self.command(caller, command).await?;
        Ok(strategies::StartedStrategy { id })
    }

    async fn stop_strategy(
        &self,
        caller: &Caller,
        asked: strategies::StopStrategy,
    ) -> Result<strategies::RunningStrategy, ApiError> {
        let id = asked.id.clone();
        self.command(caller, Command::StopStrategy { id: asked.id, flatten: asked.flatten }).await?;
        let wanted = id.clone();
        self.read(move |engine| {
            engine.strategies().iter().rev().find(|s| s.id == wanted).map(|s| views::running(engine, s))
        })
        .await?
        .ok_or_else(|| ApiError::not_found(format!("strategy {id}")))
    }

    async fn running_strategies(
        &self,
        _: &Caller,
        _: strategies::RunningStrategies,
    ) -> Result<strategies::RunningStrategyList, ApiError> {
        let strategies =
            self.read(|engine| engine.strategies().iter().map(|s| views::running(engine, s)).collect()).await?;
        Ok(strategies::RunningStrategyList { strategies })
    }

    async fn list_decisions(
        &self,
        _: &Caller,
        asked: strategies::ListDecisions,
    ) -> Result<strategies::DecisionList, ApiError> {
        self.shared.tables_current().await;
        let count = limit(asked.limit);
        let rows = self.shared.store.decisions(Some(MAX_LIMIT)).await.map_err(storage)?;
        let decisions = rows
            .into_iter()
            .filter(|d| asked.instrument.as_ref().is_none_or(|i| d.instrument == *i))
            .filter(|d| asked.strategy.as_ref().is_none_or(|s| d.strategy == *s))
            .take(count)
            .map(views::decision_row)
            .collect();
        Ok(strategies::DecisionList { decisions })
    }
}

/// The state of an approval as callers see it.
pub(super) const fn approval_state(state: &ApprovalState) -> risk::ApprovalState {
    match state {
        ApprovalState::Pending => risk::ApprovalState::Waiting,
        ApprovalState::Accepted { .. } => risk::ApprovalState::Accepted,
        ApprovalState::Refused { .. } | ApprovalState::Denied { .. } => risk::ApprovalState::Denied,
        ApprovalState::Expired => risk::ApprovalState::Expired,
    }
}

pub(super) use words::request as sentence;
