//! Backtests, at once or as jobs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use cw_analysis::Strategy;
use cw_api::commands::backtests::{self as api, BacktestRequest, BacktestResult, FillRule};
use cw_api::{ApiError, Caller, ErrorCode};
use cw_backtest::{BacktestError, Setup};
use cw_core::{Amount, Candle, Instrument, Ratio};
use cw_execution::{FillModel, FillTiming};
use cw_risk::Limits;
use cw_store::{Job, JobState};
use parking_lot::Mutex;

use super::market::Market;
use super::trading::strategy_source;
use crate::shared::{Shared, storage};

/// Jobs that may run at once; more wait in the caller's hands.
const MAX_RUNNING: usize = 8;

/// A job that runs now.
struct Running {
    job: Job,
    /// In millionths.
    progress: Arc<AtomicU64>,
    canceled: Arc<AtomicBool>,
}

pub(crate) struct Backtests {
    shared: Arc<Shared>,
    market: Arc<Market>,
    running: Arc<Mutex<HashMap<String, Running>>>,
}

/// Everything a run needs, read before it starts.
struct Prepared {
    setup: Setup,
    candles: Vec<Candle>,
    title: String,
}

impl Backtests {
    pub fn new(shared: Arc<Shared>, market: Arc<Market>) -> Self {
        Self { shared, market, running: Arc::default() }
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
        let candles =
            self.market.history(&request.instrument, request.timeframe, request.from, request.to, None).await?;
        let mut instrument: Instrument = self.market.instrument(&request.instrument).await?;
        // A strategy that says "one unit" buys one unit, whatever the starting cash; the report says so.
        instrument.initial_margin = Ratio::ZERO;
        let title = format!("{} on {} {}", strategy.name(), instrument.id, request.timeframe);
        let setup =
            Setup { strategy, instrument, timeframe: request.timeframe, cash, fills, limits: Limits::unlimited() };
        Ok(Prepared { setup, candles, title })
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
async fn run_apart(
    prepared: Prepared,
    progress: Arc<AtomicU64>,
    canceled: Arc<AtomicBool>,
) -> Result<BacktestResult, ApiError> {
    tokio::task::spawn_blocking(move || {
        let mut report = |share: f64| {
            progress.store((share * 1e6) as u64, Ordering::Relaxed);
            !canceled.load(Ordering::Relaxed)
        };
        let result = cw_backtest::run(&prepared.setup, &prepared.candles, &mut report).map_err(failed)?;
        Ok(view(&result, &prepared.setup))
    })
    .await
    .map_err(ApiError::internal)?
}

fn job_view(job: &Job, progress: f64) -> api::Job {
    let over = job.state.is_over();
    api::Job {
        id: job.id.clone(),
        kind: job.kind.clone(),
        title: job.title.clone(),
        state: match job.state {
            JobState::Queued => api::JobState::Queued,
            JobState::Running => api::JobState::Running,
            JobState::Done => api::JobState::Done,
            JobState::Failed => api::JobState::Failed,
            JobState::Canceled => api::JobState::Canceled,
        },
        progress: if over { 1.0 } else { progress },
        message: match (&job.error, over) {
            (Some(error), _) => error.clone(),
            (None, true) => "finished".to_owned(),
            (None, false) => format!("{:.0} %", progress * 100.0),
        },
        started_at: job.created_at,
        finished_at: job.finished_at,
        error: job.error.clone(),
    }
}

#[async_trait]
impl cw_api::services::Backtests for Backtests {
    async fn run(&self, caller: &Caller, request: api::RunBacktest) -> Result<BacktestResult, ApiError> {
        let prepared = self.prepare(&request.0, caller).await?;
        run_apart(prepared, Arc::default(), Arc::default()).await
    }

    async fn start(&self, caller: &Caller, request: api::StartBacktest) -> Result<api::StartedJob, ApiError> {
        self.shared.writable()?;
        if self.running.lock().len() >= MAX_RUNNING {
            return Err(ApiError::conflict(format!("{MAX_RUNNING} jobs are running; wait for one or cancel it")));
        }
        let prepared = self.prepare(&request.0, caller).await?;
        let mut random = [0u8; 8];
        getrandom::fill(&mut random).map_err(ApiError::internal)?;
        let id = format!("bt-{}", hex::encode(random));
        let job = Job {
            id: id.clone(),
            kind: "backtest".to_owned(),
            title: prepared.title.clone(),
            state: JobState::Running,
            request: serde_json::to_value(&request.0).map_err(ApiError::internal)?,
            result: None,
            fingerprint: None,
            error: None,
            created_at: self.shared.clock.now(),
            finished_at: None,
        };
        self.shared.store.put_job(&job).await.map_err(storage)?;
        let (progress, canceled) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let running = Running { job: job.clone(), progress: Arc::clone(&progress), canceled: Arc::clone(&canceled) };
        self.running.lock().insert(id.clone(), running);
        let (shared, list) = (Arc::clone(&self.shared), Arc::clone(&self.running));
        self.shared.supervisor.spawn("backtest", async move {
            let outcome = run_apart(prepared, progress, Arc::clone(&canceled)).await;
            let mut job = job;
            job.finished_at = Some(shared.clock.now());
            match outcome.and_then(|r| Ok((serde_json::to_value(&r).map_err(ApiError::internal)?, r.fingerprint))) {
                Ok((value, fingerprint)) => {
                    job.state = JobState::Done;
                    job.result = Some(value);
                    job.fingerprint = Some(fingerprint);
                }
                Err(_) if canceled.load(Ordering::Relaxed) => job.state = JobState::Canceled,
                Err(error) => {
                    job.state = JobState::Failed;
                    job.error = Some(error.message);
                }
            }
            if let Err(error) = shared.store.put_job(&job).await {
                tracing::error!(target: "backtest", %error, job = job.id, "the job's outcome could not be written");
            }
            list.lock().remove(&job.id);
        });
        Ok(api::StartedJob { job_id: id })
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
        let jobs = self.shared.store.jobs(None, request.limit.unwrap_or(100).min(1_000)).await.map_err(storage)?;
        let running = self.running.lock();
        let progress = |id: &str| running.get(id).map_or(0.0, |r| r.progress.load(Ordering::Relaxed) as f64 / 1e6);
        Ok(api::JobList { jobs: jobs.iter().map(|j| job_view(j, progress(&j.id))).collect() })
    }

    async fn cancel_job(&self, _: &Caller, request: api::CancelJob) -> Result<api::Job, ApiError> {
        if let Some(running) = self.running.lock().get(&request.job_id) {
            running.canceled.store(true, Ordering::Relaxed);
            return Ok(job_view(&running.job, running.progress.load(Ordering::Relaxed) as f64 / 1e6));
        }
        match self.shared.store.job(&request.job_id).await.map_err(storage)? {
            Some(job) => Err(ApiError::conflict(format!("job {} is {}", job.id, job.state.as_str()))),
            None => Err(ApiError::not_found(format!("job {}", request.job_id))),
        }
    }
}
