//! Backtests, at once or as jobs.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use cw_analysis::Strategy;
use cw_api::commands::backtests::{self as api, BacktestRequest, BacktestResult, FillRule};
use cw_api::{ApiError, Caller, ErrorCode};
use cw_backtest::{BacktestError, Setup};
use cw_core::{Amount, Cadence, Candle, Instrument, Ratio};
use cw_execution::{FillModel, FillTiming};
use cw_market::Bar;
use cw_risk::Limits;
use cw_store::JobState;

use super::jobs::{Jobs, Ticket};
use super::market::{Market, Span};
use super::trading::strategy_source;
use crate::shared::{Shared, storage};

pub(crate) struct Backtests {
    shared: Arc<Shared>,
    market: Arc<Market>,
    jobs: Arc<Jobs>,
}

/// Everything a run needs, read before it starts.
struct Prepared {
    setup: Setup,
    series: Series,
    title: String,
}

/// What is run over.
enum Series {
    Timed(Vec<Candle>),
    Traded(Vec<Bar>),
}

impl Backtests {
    pub const fn new(shared: Arc<Shared>, market: Arc<Market>, jobs: Arc<Jobs>) -> Self {
        Self { shared, market, jobs }
    }

    async fn prepare(&self, request: &BacktestRequest, caller: &Caller) -> Result<Prepared, ApiError> {
        let source = strategy_source(&request.strategy, caller)?;
        let strategy = Strategy::from_toml(&source, &request.params)
            .map_err(|error| ApiError::invalid("params", error.to_string()))?;
        let cash = request.cash.unwrap_or_else(|| Amount::from_raw(10_000_000_000_000_000_000_000));
        let bps = |field: &str, value: Option<Ratio>| match value {
            Some(v) if v.is_negative() => Err(ApiError::invalid(field, format!("{field} must not be negative"))),
            // A basis point is a ten-thousandth.
            other => Ok(other.map(|v| Ratio::from_raw(v.raw() / 10_000))),
        };
        let fills = FillModel {
            timing: match request.fill {
                None | Some(FillRule::NextOpen) => FillTiming::NextOpen,
                Some(FillRule::SameClose) => FillTiming::SameClose,
            },
            slippage: bps("slippage_bps", request.slippage_bps)?.unwrap_or(Ratio::ZERO),
            fee: bps("fee_bps", request.fee_bps)?,
            ..FillModel::default()
        };
        let span = Span { from: request.from, to: request.to, limit: None };
        let series = match request.timeframe {
            Cadence::Time(timeframe) => Series::Timed(self.market.span(&request.instrument, timeframe, span).await?),
            Cadence::Traded(rule) => Series::Traded(self.market.traded(&request.instrument, rule, span).await?.bars),
        };
        let mut instrument: Instrument = self.market.instrument(&request.instrument).await?;
        // A strategy that says "one unit" buys one unit, whatever the starting cash; the report says so.
        instrument.initial_margin = Ratio::ZERO;
        let title = format!("{} on {} {}", strategy.name(), instrument.id, request.timeframe);
        let setup =
            Setup { strategy, instrument, timeframe: request.timeframe, cash, fills, limits: Limits::unlimited() };
        Ok(Prepared { setup, series, title })
    }
}

fn failed(error: BacktestError) -> ApiError {
    match error {
        BacktestError::NoCandles => ApiError::not_found("candle in that range"),
        BacktestError::NoCash => ApiError::invalid("cash", error.to_string()),
        BacktestError::Timeframe(_) => ApiError::invalid("timeframe", error.to_string()),
        BacktestError::Canceled => ApiError::conflict("the backtest was canceled"),
        BacktestError::OutOfOrder { .. } | BacktestError::Number(_) => {
            ApiError::invalid("instrument", error.to_string())
        }
    }
}

/// Decimal text of a ratio, eight places; NaN has none.
fn text(value: f64) -> Option<String> {
    value.is_finite().then(|| {
        let text = format!("{value:.8}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        if text == "-0" { "0".to_owned() } else { text.to_owned() }
    })
}

fn view(result: &cw_backtest::BacktestResult, setup: &Setup) -> BacktestResult {
    let m = &result.metrics;
    let optional = |value: Option<f64>| value.and_then(text);
    let mut metrics: BTreeMap<String, Option<String>> = [
        ("trades", Some(m.trades.to_string())),
        ("orders", Some(m.orders.to_string())),
        ("fills", Some(m.fills.to_string())),
        ("denied_orders", Some(result.denied.to_string())),
        ("net_profit", Some(m.net_profit.to_string())),
        ("total_return", text(m.total_return)),
        ("win_rate", optional(m.win_rate)),
        ("profit_factor", optional(m.profit_factor)),
        ("expectancy", optional(m.expectancy)),
        ("fees", Some(m.fees.to_string())),
        ("max_drawdown", text(m.max_drawdown)),
        ("sharpe_ratio", optional(m.sharpe_ratio)),
        ("sortino_ratio", optional(m.sortino_ratio)),
        ("exposure", text(m.exposure)),
        ("buy_and_hold_return", optional(m.buy_and_hold_return)),
        ("return_periods", Some(m.return_periods.to_string())),
        ("periods_per_year", optional(m.periods_per_year)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    if let Some(reason) = &result.last_denial {
        metrics.insert("last_denial".to_owned(), Some(reason.clone()));
    }
    let mut peak = setup.cash;
    BacktestResult {
        trades: result
            .trades
            .iter()
            .map(|t| api::RoundTrip {
                side: t.side,
                qty: t.qty,
                entry_time: t.entry_time,
                entry_price: t.entry_price,
                exit_time: t.exit_time,
                exit_price: t.exit_price,
                pnl: t.pnl,
                fees: t.fees,
                exit_reason: match t.exit_reason {
                    cw_backtest::ExitReason::Signal => "signal",
                    cw_backtest::ExitReason::StopLoss => "stop",
                    cw_backtest::ExitReason::TakeProfit => "target",
                    cw_backtest::ExitReason::End => "end",
                }
                .to_owned(),
            })
            .collect(),
        equity: result
            .equity
            .iter()
            .map(|p| {
                peak = peak.max(p.equity);
                let lost = Amount::from_raw(peak.raw() - p.equity.raw());
                api::EquityPoint {
                    time: p.time,
                    equity: p.equity,
                    drawdown: lost.ratio_to(peak).unwrap_or(Ratio::ZERO),
                }
            })
            .collect(),
        metrics,
        assumptions: result.assumptions.clone(),
        fingerprint: result.fingerprint.clone(),
    }
}

/// Runs on a thread of its own, so that nothing else waits for it.
async fn run_apart(prepared: Prepared, ticket: Ticket) -> Result<BacktestResult, ApiError> {
    tokio::task::spawn_blocking(move || {
        let mut report = |share: f64| {
            ticket.report(share);
            !ticket.canceled.is_cancelled()
        };
        let result = match &prepared.series {
            Series::Timed(candles) => cw_backtest::run(&prepared.setup, candles, &mut report),
            Series::Traded(bars) => cw_backtest::run(&prepared.setup, bars, &mut report),
        };
        let result = result.map_err(failed)?;
        Ok(view(&result, &prepared.setup))
    })
    .await
    .map_err(ApiError::internal)?
}

#[async_trait]
impl cw_api::services::Backtests for Backtests {
    async fn run(&self, caller: &Caller, request: api::RunBacktest) -> Result<BacktestResult, ApiError> {
        let prepared = self.prepare(&request.0, caller).await?;
        run_apart(prepared, Ticket::default()).await
    }

    async fn start(&self, caller: &Caller, request: api::StartBacktest) -> Result<api::StartedJob, ApiError> {
        self.jobs.check_room()?;
        let prepared = self.prepare(&request.0, caller).await?;
        let title = prepared.title.clone();
        let request = serde_json::to_value(&request.0).map_err(ApiError::internal)?;
        let work = |ticket| async move {
            let result = run_apart(prepared, ticket).await?;
            Ok((serde_json::to_value(&result).map_err(ApiError::internal)?, Some(result.fingerprint)))
        };
        Ok(api::StartedJob { job_id: self.jobs.start("backtest", title, request, work).await? })
    }

    async fn result(&self, _: &Caller, request: api::GetBacktestResult) -> Result<BacktestResult, ApiError> {
        let known = self.shared.store.job(&request.job_id).await.map_err(storage)?;
        let job = known.ok_or_else(|| ApiError::not_found(format!("job {}", request.job_id)))?;
        match (job.state, job.result) {
            (JobState::Done, Some(value)) => {
                serde_json::from_value::<BacktestResult>(value).map_err(ApiError::internal)
            }
            (JobState::Failed, _) => {
                Err(ApiError::conflict(format!("the job failed: {}", job.error.unwrap_or_default())))
            }
            (JobState::Canceled, _) => Err(ApiError::conflict("the job was canceled")),
            _ => Err(ApiError::new(ErrorCode::Unavailable, "the job is still running")),
        }
    }

    async fn list_jobs(&self, _: &Caller, request: api::ListJobs) -> Result<api::JobList, ApiError> {
        self.jobs.list(request.limit.unwrap_or(100).min(1_000)).await
    }

    async fn cancel_job(&self, _: &Caller, request: api::CancelJob) -> Result<api::Job, ApiError> {
        self.jobs.cancel(&request.job_id).await
    }
}
