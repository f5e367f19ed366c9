//! The engine's state as commands show it.

use std::collections::BTreeMap;

use cw_analysis::Strategy;
use cw_api::commands::{orders, portfolio, risk, strategies};
use cw_core::{AccountId, Amount, Order, OrderStatus, OrderType, Ratio};
use cw_engine::{
    AccountSummary, ApprovalState, Decision, Engine, FillRecord, Meta, OrderRequest, PreviewError, StrategyInstance,
    StrategyStatus, Verdict,
};
use cw_risk::Limits;
use cw_store::{DecisionRow, FillRow};

use super::{approval_state, sentence};

pub(in crate::services) fn order(order: &Order) -> orders::OrderView {
    let request = &order.request;
    orders::OrderView {
        id: order.id,
        client_order_id: request.client_order_id.clone(),
        venue_order_id: order.venue_order_id.clone(),
        account: request.account.clone(),
        instrument: request.instrument.clone(),
        side: request.side,
        order_type: request.order_type,
        qty: request.qty,
        filled_qty: order.filled_qty,
        price: request.limit_price,
        stop: request.stop_price,
        average_price: order.average_price(),
        status: order.status,
        tif: request.time_in_force,
        reduce_only: request.reduce_only,
        take_profit: request.take_profit,
        stop_loss: request.stop_loss,
        parent: request.parent,
        source: request.actor.to_string(),
        reason: order.reason.clone(),
        pending_cancel: order.pending_cancel,
        created_at: order.created_at,
        updated_at: order.updated_at,
        fees: order.fees,
    }
}

pub(in crate::services) fn fill_row(row: &FillRow) -> portfolio::FillView {
    portfolio::FillView {
        id: row.fill.venue_fill_id.clone(),
        order_id: row.order_id,
        account: row.account.clone(),
        instrument: row.instrument.clone(),
        side: row.side,
        qty: row.fill.qty,
        price: row.fill.price,
        fee: row.fill.fee,
        liquidity: row.fill.liquidity,
        event_time: row.fill.event_time,
        realized_pnl: row.realized_pnl,
        source: row.source.clone(),
    }
}

/// A fill as it is published, before the tables have it.
pub(in crate::services) fn fill_record(record: &FillRecord) -> portfolio::FillView {
    portfolio::FillView {
        id: record.fill.venue_fill_id.clone(),
        order_id: record.order_id,
        account: record.account.clone(),
        instrument: record.instrument.clone(),
        side: record.side,
        qty: record.fill.qty,
        price: record.fill.price,
        fee: record.fill.fee,
        liquidity: record.fill.liquidity,
        event_time: record.fill.event_time,
        realized_pnl: record.realized,
        source: record.actor.to_string(),
    }
}

pub(super) fn positions(engine: &Engine, account: Option<&AccountId>) -> portfolio::PositionList {
    let mut list = Vec::new();
    let mut totals: BTreeMap<String, (Amount, Amount)> = BTreeMap::new();
    for state in engine.accounts().iter().filter(|a| account.is_none_or(|wanted| a.config.id == *wanted)) {
        for ((number, _), held) in &state.positions {
            let market = &engine.instruments()[*number as usize];
            let instrument = &market.instrument;
            let position = &held.position;
            let mark = market.mark();
            let unrealized = mark.and_then(|m| position.unrealized(m).ok()).unwrap_or_default();
            let total = totals.entry(instrument.quote_currency.to_string()).or_default();
            total.0 = total.0.checked_add(unrealized).unwrap_or(total.0);
            total.1 = total.1.checked_add(position.realized).unwrap_or(total.1);
            let Some(entry_price) = position.entry_price() else { continue };
            let leg = |wanted: OrderType| {
                engine.open_orders().find(|o| {
                    o.request.parent.is_some()
                        && o.request.order_type == wanted
                        && o.request.account == state.config.id
                        && o.request.instrument == instrument.id
                })
            };
            let cost = Amount::from_raw(position.cost.raw().abs());
            list.push(portfolio::PositionView {
                account: state.config.id.clone(),
                instrument: instrument.id.clone(),
                side: position.side(),
                qty: position.qty(),
                entry_price,
                mark,
                notional: mark.and_then(|m| position.notional(m).ok()).unwrap_or(position.cost),
                unrealized_pnl: unrealized,
                unrealized_ratio: unrealized.ratio_to(cost),
                realized_pnl: position.realized,
                fees: position.fees,
                stop_loss: leg(OrderType::Stop).and_then(|o| o.request.stop_price),
                take_profit: leg(OrderType::Limit).and_then(|o| o.request.limit_price),
                source: held.opened_by.to_string(),
                opened_at: held.opened_at,
            });
        }
    }
    let totals = totals
        .into_iter()
        .map(|(currency, (unrealized_pnl, realized_pnl))| portfolio::PositionTotal {
            currency,
            unrealized_pnl,
            realized_pnl,
        })
        .collect();
    portfolio::PositionList { positions: list, totals }
}

pub(in crate::services) fn accounts(engine: &Engine) -> Vec<portfolio::AccountView> {
    (0u32..)
        .zip(engine.accounts())
        .map(|(number, state)| {
            // Until every currency held can be valued, the settled cash of the account's own currency is what is known.
            let summary = engine.summary(number).unwrap_or_else(|_| {
                let cash = state.balances.get(&state.config.currency).copied().unwrap_or_default();
                AccountSummary { balance: cash, equity: cash, ..AccountSummary::default() }
            });
            portfolio::AccountView {
                id: state.config.id.clone(),
                venue: state.config.venue.clone(),
                mode: state.config.mode,
                simulated: state.config.venue == "SIM",
                currency: state.config.currency.to_string(),
                balance: summary.balance,
                equity: summary.equity,
                buying_power: summary.buying_power,
                margin_used: summary.margin_used,
                margin_ratio: summary.margin_used.ratio_to(summary.equity).unwrap_or(Ratio::ZERO),
                day_pnl: summary.day_result,
                day_pnl_ratio: summary.day_result.ratio_to(state.day_start_equity).unwrap_or(Ratio::ZERO),
                as_of: engine.time(),
                halted: engine.halted().is_some(),
            }
        })
        .collect()
}

pub(super) fn preview(engine: &Engine, request: &OrderRequest) -> Result<orders::OrderPreview, PreviewError> {
    let preview = engine.preview(request)?;
    let account = engine.accounts().iter().find(|a| a.config.id == request.account);
    let account = account.ok_or_else(|| PreviewError::Account(request.account.clone()))?;
    Ok(orders::OrderPreview {
        notional: preview.notional,
        margin: preview.margin,
        fee: preview.fee,
        loss_at_stop: preview.loss_at_stop,
        gain_at_target: preview.gain_at_target,
        risk_reward: preview.risk_reward,
        loss_at_stop_equity_ratio: preview.loss_at_stop_to_equity,
        currency: preview.currency.to_string(),
        checks: preview
            .checks
            .into_iter()
            .map(|c| orders::RiskCheck { check: c.check.as_str().to_owned(), pass: c.pass, reason: c.reason })
            .collect(),
        sentence: sentence(request),
        account: request.account.clone(),
        mode: account.config.mode,
        venue: account.config.venue.clone(),
    })
}

/// What is used of a limit now, and its unit.
fn usage(engine: &Engine, number: u32, summary: &AccountSummary, name: &str, currency: &str) -> (String, String) {
    let state = &engine.accounts()[number as usize];
    let open = || engine.open_orders().filter(|o| o.request.account == state.config.id);
    let money =
        |amount: Amount| (amount.round_to_decimals(2, cw_core::Rounding::HalfEven).to_string(), currency.to_owned());
    let below_peak = || {
        let lost = state.peak_equity.checked_sub(summary.equity).unwrap_or_default().max(Amount::ZERO);
        lost.ratio_to(state.peak_equity).unwrap_or(Ratio::ZERO)
    };
    match name {
        "max_order_notional" => {
            let largest = open().filter_map(|o| o.request.limit_price?.notional(o.leaves_qty()).ok()).max();
            money(largest.unwrap_or_default())
        }
        "max_position_notional" => {
            let largest = state.positions.iter().filter_map(|((instrument, _), held)| {
                let mark = engine.instruments()[*instrument as usize].mark()?;
                held.position.notional(mark).ok()?.checked_abs().ok()
            });
            money(largest.max().unwrap_or_default())
        }
        "max_leverage" => {
            (summary.gross_exposure.ratio_to(summary.equity).unwrap_or(Ratio::ZERO).to_string(), "ratio".into())
        }
        "max_open_orders" => (open().count().to_string(), "orders".into()),
        "max_orders_per_minute" => {
            let since = engine.time().plus_nanos(-60_000_000_000);
            let recent = engine.orders().rev().take_while(|o| o.created_at > since);
            (recent.filter(|o| o.request.account == state.config.id).count().to_string(), "orders/min".into())
        }
        "max_daily_loss" => money(Amount::from_raw((-summary.day_result.raw()).max(0))),
        "max_drawdown" => (below_peak().to_string(), "ratio".into()),
        "price_collar" => ("0".into(), "ratio".into()),
        _ => ("0".into(), "ms".into()),
    }
}

pub(super) fn risk(engine: &Engine) -> risk::RiskView {
    let mut limits = Vec::new();
    for (number, state) in (0u32..).zip(engine.accounts()) {
        let summary = engine.summary(number).unwrap_or_default();
        let currency = state.config.currency.to_string();
        for name in Limits::NAMES {
            let Some(limit) = state.gate.limits.get(name) else { continue };
            let (used, unit) = usage(engine, number, &summary, name, &currency);
            limits.push(risk::RiskLimit { account: state.config.id.clone(), name: name.to_owned(), limit, used, unit });
        }
    }
    let denied = engine.orders().rev().filter(|o| o.status == OrderStatus::Denied).take(20);
    let recent_denials = denied
        .map(|o| {
            let text = o.reason.clone().unwrap_or_default();
            let (check, reason) = text.split_once(": ").unwrap_or(("gate", &text));
            risk::RiskDenial {
                time: o.created_at,
                account: o.request.account.clone(),
                instrument: o.request.instrument.to_string(),
                check: check.to_owned(),
                reason: reason.to_owned(),
            }
        })
        .collect();
    risk::RiskView {
        halted: engine.halted().is_some(),
        halt_reason: engine.halted().map(str::to_owned),
        limits,
        recent_denials,
    }
}

/// Waiting ones first, then the decided ones, newest first.
pub(in crate::services) fn approvals(engine: &Engine) -> Vec<risk::Approval> {
    let mut all: Vec<_> = engine.approvals().collect();
    all.sort_by_key(|a| (a.state != ApprovalState::Pending, std::cmp::Reverse(a.id)));
    all.into_iter().map(|a| approval(engine, a)).collect()
}

fn approval(engine: &Engine, approval: &cw_engine::Approval) -> risk::Approval {
    let request = &approval.request;
    risk::Approval {
        id: approval.id.to_string(),
        actor: approval.actor.to_string(),
        created_at: approval.created_at,
        expires_at: approval.expires_at,
        command: "orders.place".to_owned(),
        request: serde_json::to_value(request).unwrap_or_default(),
        sentence: sentence(request),
        preview: (approval.state == ApprovalState::Pending).then(|| preview(engine, request).ok()).flatten(),
        state: approval_state(&approval.state),
    }
}

pub(super) fn strategy(strategy: &Strategy, source: &str) -> strategies::StrategyInfo {
    strategies::StrategyInfo {
        name: strategy.name().to_owned(),
        title: strategy.title().to_owned(),
        description: strategy.description().to_owned(),
        params: strategy
            .params()
            .iter()
            .map(|p| strategies::StrategyParam {
                name: p.name.clone(),
                default: p.default.to_string(),
                description: (!p.description.is_empty()).then(|| p.description.clone()),
                min: p.min.map(|m| m.to_string()),
                max: p.max.map(|m| m.to_string()),
            })
            .collect(),
        source: source.to_owned(),
    }
}

pub(super) fn running(engine: &Engine, instance: &StrategyInstance) -> strategies::RunningStrategy {
    strategies::RunningStrategy {
        id: instance.id.clone(),
        strategy: instance.name.clone(),
        instrument: engine.instruments()[instance.instrument as usize].instrument.id.clone(),
        timeframe: instance.timeframe,
        account: engine.accounts()[instance.account as usize].config.id.clone(),
        params: instance.params.clone(),
        state: match instance.status {
            StrategyStatus::Running => strategies::StrategyState::Running,
            StrategyStatus::Stopped { .. } => strategies::StrategyState::Stopped,
        },
        signal_count: instance.signals,
        order_count: instance.orders,
        since: instance.since,
    }
}

pub(super) fn decision_row(row: DecisionRow) -> strategies::Decision {
    strategies::Decision {
        id: row.seq.to_string(),
        time: row.time,
        instrument: row.instrument,
        strategy: row.strategy,
        verdict: match row.verdict {
            cw_store::Verdict::Buy => strategies::Verdict::Buy,
            cw_store::Verdict::Sell => strategies::Verdict::Sell,
            cw_store::Verdict::Hold => strategies::Verdict::Hold,
            cw_store::Verdict::Skip => strategies::Verdict::Skip,
            cw_store::Verdict::Block => strategies::Verdict::Block,
            cw_store::Verdict::Error => strategies::Verdict::Error,
        },
        qty: row.qty,
        price: row.price,
        reason: row.reason,
        confidence: row.confidence.map(Ratio::to_f64),
        order_id: row.order_id,
    }
}

/// A decision as it is published, before the tables have it.
pub(in crate::services) fn decision_record(meta: Meta, decision: &Decision) -> strategies::Decision {
    strategies::Decision {
        id: meta.seq.to_string(),
        time: meta.time,
        instrument: decision.instrument.clone(),
        strategy: decision.strategy.clone(),
        verdict: match decision.verdict {
            Verdict::Buy => strategies::Verdict::Buy,
            Verdict::Sell => strategies::Verdict::Sell,
            Verdict::Skip => strategies::Verdict::Skip,
            Verdict::Block => strategies::Verdict::Block,
            Verdict::Error => strategies::Verdict::Error,
        },
        qty: decision.qty,
        price: Some(decision.candle.close),
        reason: decision.reason.clone(),
        confidence: None,
        order_id: None,
    }
}
