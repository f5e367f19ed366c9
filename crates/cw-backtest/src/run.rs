//! The run itself.

use std::collections::BTreeMap;

use cw_analysis::{Strategy, TimeframeMismatch};
use cw_core::{
    AccountId, Actor, Amount, BarRule, Cadence, Candle, Instrument, Mode, NumberError, PositionMode, StrategyId,
    Surface, Timeframe, Timestamp,
};
use cw_engine::{AccountConfig, Command, Effect, Engine, EngineConfig, Envelope, Input};
use cw_execution::{FillModel, FillTiming, PaperBroker, VenueReport};
use cw_market::Bar;
use cw_risk::Limits;

use crate::audit::{Audit, EquityPoint, RoundTrip};
use crate::metrics::{Curve, Metrics, Totals};

/// What to run.
#[derive(Debug, Clone)]
pub struct Setup {
    pub strategy: Strategy,
    pub instrument: Instrument,
    pub timeframe: Cadence,
    /// Starting cash, in the instrument's quote currency.
    pub cash: Amount,
    pub fills: FillModel,
    pub limits: Limits,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BacktestError {
    #[error("there are no candles to run on")]
    NoCandles,
    #[error("starting cash must be greater than zero")]
    NoCash,
    #[error("candle {at} opens at {open_time}, which is not after the one before it")]
    OutOfOrder { at: usize, open_time: Timestamp },
    #[error(transparent)]
    Timeframe(#[from] TimeframeMismatch),
    #[error("the figures of this run are out of range: {0}")]
    Number(#[from] NumberError),
    #[error("canceled")]
    Canceled,
}

#[derive(Debug, Clone, PartialEq)]
pub struct BacktestResult {
    pub trades: Vec<RoundTrip>,
    /// Equity at candle closes, thinned evenly beyond 100,000 candles; the last point is after the end.
    pub equity: Vec<EquityPoint>,
    pub metrics: Metrics,
    /// Everything assumed, in words.
    pub assumptions: BTreeMap<String, String>,
    /// BLAKE3 over rules, parameters, data range and every fill: equal runs have equal fingerprints.
    pub fingerprint: String,
    /// Orders that the gate refused, and why the last one.
    pub denied: u64,
    pub last_denial: Option<String>,
}

/// Points of the equity curve that are kept.
const MAX_POINTS: usize = 100_000;
/// Candles between two looks at whether to go on.
const STRIDE: usize = 65_536;

/// A candle that a run can be made over.
pub trait Closed {
    fn candle(&self) -> &Candle;
    /// When it was over, where its timeframe does not say that.
    #[inline]
    fn closed_at(&self) -> Option<Timestamp> {
        None
    }
}

impl Closed for Candle {
    #[inline]
    fn candle(&self) -> &Candle {
        self
    }
}

impl Closed for Bar {
    fn candle(&self) -> &Candle {
        &self.candle
    }
    fn closed_at(&self) -> Option<Timestamp> {
        Some(self.closed_at)
    }
}

/// Runs a strategy over candles, oldest first. `progress` is told the share done now and then; `false` cancels.
pub fn run<C: Closed>(
    setup: &Setup,
    candles: &[C],
    progress: &mut dyn FnMut(f64) -> bool,
) -> Result<BacktestResult, BacktestError> {
    let first = candles.first().ok_or(BacktestError::NoCandles)?.candle();
    if !setup.cash.is_positive() {
        return Err(BacktestError::NoCash);
    }
    let mut run = Run::new(setup, candles.len(), first.open_time)?;
    let mut previous = Timestamp::MIN;
    let mut gaps = 0;
    // Between candles of trades there is always time, and nothing is missing in it.
    let timed = setup.timeframe.timeframe().is_some();
    for (at, closed) in candles.iter().enumerate() {
        let candle = closed.candle();
        if candle.open_time <= previous {
            return Err(BacktestError::OutOfOrder { at, open_time: candle.open_time });
        }
        previous = candle.open_time;
        gaps += u64::from(candle.open_time > run.closed_at && at > 0 && timed);
        run.candle(candle, closed.closed_at());
        if at % STRIDE == STRIDE - 1 && !progress(at as f64 / candles.len() as f64) {
            return Err(BacktestError::Canceled);
        }
    }
    let last = candles[candles.len() - 1].candle();
    let result = run.finish(first, last, candles.len(), gaps)?;
    progress(1.0);
    Ok(result)
}

struct Run<'a> {
    setup: &'a Setup,
    engine: Engine,
    broker: PaperBroker,
    audit: Audit,
    curve: Curve,
    /// What the broker said and the engine has not heard.
    reports: Vec<VenueReport>,
    /// Reports that the engine is being told; empty between, kept for its memory.
    in_hand: Vec<VenueReport>,
    /// The engine is told the time after each candle: some limit looks at the day or at the peak.
    marks: bool,
    length: Option<i64>,
    /// Close of the newest candle.
    closed_at: Timestamp,
}

impl<'a> Run<'a> {
    fn new(setup: &'a Setup, candles: usize, start: Timestamp) -> Result<Self, BacktestError> {
        let currency = setup.instrument.quote_currency;
        let mut engine = Engine::new(
            EngineConfig {
                seed: setup.fills.seed,
                instance: "bt".into(),
                instruments: vec![setup.instrument.clone()],
                accounts: vec![AccountConfig {
                    id: AccountId::new("backtest").expect("a plain word"),
                    venue: setup.instrument.id.venue().to_owned(),
                    mode: Mode::Backtest,
                    currency,
                    position_mode: PositionMode::Netting,
                    opening_balance: setup.cash,
                    limits: setup.limits.clone(),
                    venue_cancels_siblings: true,
                }],
                timeframes: setup.timeframe.timeframe().into_iter().collect(),
                lateness_ns: 0,
                pegs: Vec::new(),
                closed_orders_kept: 16,
            },
            start,
        );
        let id = StrategyId::new(setup.strategy.name())
            .unwrap_or_else(|_| StrategyId::new("strategy").expect("a plain word"));
        engine.add_strategy(id, setup.strategy.clone(), 0, setup.timeframe)?;
        Ok(Self {
            engine,
            broker: PaperBroker::new(setup.fills, "B"),
            audit: Audit::new(setup.cash),
            curve: Curve::new(setup.cash, candles, candles.div_ceil(MAX_POINTS).max(1) as u64),
            reports: Vec::new(),
            in_hand: Vec::new(),
            length: setup.timeframe.timeframe().and_then(Timeframe::fixed_nanos),
            marks: setup.limits.max_daily_loss.is_some() || setup.limits.max_drawdown.is_some(),
            closed_at: start,
            setup,
        })
    }

    #[inline]
    fn candle(&mut self, candle: &Candle, closed_at: Option<Timestamp>) {
        let close_time = match (closed_at, self.length) {
            (Some(time), _) => time,
            (None, Some(length)) => candle.open_time.plus_nanos(length),
            (None, None) => {
                let timeframe = self.setup.timeframe.timeframe();
                timeframe.map_or(candle.open_time, |timeframe| timeframe.close_time(candle.open_time))
            }
        };
        self.closed_at = close_time;
        if !self.broker.is_idle() {
            self.fill_inside(candle, close_time);
        }
        self.engine.apply_candle(close_time, 0, self.setup.timeframe, candle, &mut self.audit);
        if self.marks {
            self.engine.apply(close_time, &Input::Timer { market_time: close_time }, &mut self.audit);
        }
        if !self.audit.effects.is_empty() {
            self.perform(close_time);
            self.settle(close_time);
            if self.setup.fills.timing == FillTiming::SameClose {
                let id = &self.setup.instrument.id;
                self.broker.on_decision_close(id, candle.close, close_time, &mut self.reports);
                self.settle(close_time);
            }
        }
        let holding = &self.audit.holding;
        let in_market = !holding.signed_qty.is_zero();
        let equity = if in_market {
            let open = i128::from(candle.close.raw()) * holding.signed_qty.raw() - holding.cost.raw();
            Amount::from_raw(self.audit.cash.raw() + open)
        } else {
            self.audit.cash
        };
        self.curve.push(close_time, equity, in_market);
    }

    /// What the resting orders do in this candle, from its first moment to its last.
    #[inline(never)]
    fn fill_inside(&mut self, candle: &Candle, close_time: Timestamp) {
        let id = &self.setup.instrument.id;
        self.broker.on_candle_open(id, candle, &mut self.reports);
        self.settle(candle.open_time);
        // Exit legs born of a fill inside the candle are judged in it too; each pass can only end orders, so it ends.
        loop {
            self.broker.on_candle_range(id, candle, close_time, &mut self.reports);
            if self.reports.is_empty() {
                break;
            }
            self.settle(close_time);
        }
        self.broker.on_candle_close(id, candle, close_time, &mut self.reports);
        self.settle(close_time);
    }

    /// Brings the broker's reports to the engine and the engine's effects to the broker until both are silent.
    fn settle(&mut self, now: Timestamp) {
        while !self.reports.is_empty() {
            std::mem::swap(&mut self.reports, &mut self.in_hand);
            for report in self.in_hand.drain(..) {
                self.engine.apply(now, &Input::Report { account: 0, report }, &mut self.audit);
            }
            self.perform(now);
        }
    }

    /// Hands the engine's effects to the broker.
    fn perform(&mut self, now: Timestamp) {
        for effect in self.audit.effects.drain(..) {
            match effect {
                Effect::Submit { order, .. } => {
                    self.broker.submit(order, &self.setup.instrument, now, &mut self.reports);
                }
                Effect::Cancel { client_order_id, .. } => self.broker.cancel(&client_order_id, &mut self.reports),
                Effect::Amend { client_order_id, qty, .. } => {
                    self.broker.amend_quantity(&client_order_id, qty, &mut self.reports);
                }
            }
        }
    }

    /// Closes what is open at the last close, through the same path as any order.
    fn close_out(&mut self, last: &Candle) {
        let time = self.closed_at;
        self.audit.ending = true;
        let account = AccountId::new("backtest").expect("a plain word");
        let command = Command::ClosePosition { account, instrument: self.setup.instrument.id.clone(), qty: None };
        let envelope = Envelope { actor: Actor::System, surface: Surface::Engine, trace_id: String::new(), command };
        self.engine.apply(time, &Input::Command(Box::new(envelope)), &mut self.audit);
        self.perform(time);
        self.settle(time);
        self.broker.on_end(&self.setup.instrument.id, last.close, time, &mut self.reports);
        self.settle(time);
    }

    fn finish(
        mut self,
        first: &Candle,
        last: &Candle,
        candles: usize,
        gaps: u64,
    ) -> Result<BacktestResult, BacktestError> {
        let end = self.closed_at;
        if !self.audit.holding.signed_qty.is_zero() {
            self.close_out(last);
        }
        if let Some(error) = self.audit.overflow {
            return Err(error.into());
        }
        let open = last.close.notional(self.audit.holding.signed_qty)?.checked_sub(self.audit.holding.cost)?;
        let equity = self.audit.cash.checked_add(open)?;
        debug_assert_eq!(self.engine.summary(0).map(|s| s.balance), Ok(self.audit.cash));
        self.curve.finish(end, equity);
        let totals = Totals {
            cash: self.setup.cash,
            equity,
            fees: self.audit.fees,
            orders: self.audit.orders,
            fills: self.audit.fills,
            trades: &self.audit.trades,
            span: (first.open_time, end),
            buy_and_hold_return: (!first.open.is_zero())
                .then(|| (last.close.to_f64() - first.open.to_f64()) / first.open.to_f64()),
        };
        let metrics = Metrics::of(&self.curve, &totals);
        let mut hasher = self.audit.fingerprint();
        for part in [
            self.setup.strategy.fingerprint().to_le_bytes(),
            (candles as u64).to_le_bytes(),
            first.open_time.as_nanos().to_le_bytes(),
            last.open_time.as_nanos().to_le_bytes(),
        ] {
            hasher.update(&part);
        }
        hasher.update(&equity.raw().to_le_bytes());
        hasher.update(self.setup.instrument.id.as_str().as_bytes());
        // A timeframe shows in the number of candles and their range; the fingerprints of earlier runs stay what they were.
        if let Cadence::Traded(rule) = self.setup.timeframe {
            hasher.update(rule.to_string().as_bytes());
        }
        Ok(BacktestResult {
            trades: self.audit.trades,
            equity: self.curve.points,
            metrics,
            assumptions: assumptions(self.setup, gaps),
            fingerprint: hasher.finalize().to_hex()[..32].to_owned(),
            denied: self.audit.denied,
            last_denial: self.audit.last_denial,
        })
    }
}

/// Every assumption behind the figures, for the report.
fn assumptions(setup: &Setup, gaps: u64) -> BTreeMap<String, String> {
    let fee = setup.fills.fee.map_or_else(
        || format!("taker {} and maker {} of notional", setup.instrument.taker_fee, setup.instrument.maker_fee),
        |fee| format!("{fee} of notional"),
    );
    let timing = match setup.fills.timing {
        FillTiming::NextOpen => "market orders fill at the next candle's open",
        FillTiming::SameClose => "market orders fill at the close they were decided on (optimistic: nobody can)",
    };
    let limited = if setup.limits == Limits::unlimited() { "none" } else { "as configured" };
    let mut notes = BTreeMap::new();
    for (name, text) in [
        ("fills", timing.to_owned()),
        ("limit_orders", "fill at their price, or at a better open; no queue".to_owned()),
        ("stops", "fill at their price, or at a worse open".to_owned()),
        ("same_candle", "when a stop and a target lie in one candle, the stop came first".to_owned()),
        ("slippage", format!("{} of price against us on market and stop fills", setup.fills.slippage)),
        ("fees", fee),
        ("latency", format!("{} ms", setup.fills.latency_ns / 1_000_000)),
        ("market_impact", "none: every quantity fills in full".to_owned()),
        ("financing", "none: no interest, funding, dividends or borrow fees".to_owned()),
        ("risk_limits", limited.to_owned()),
        (
            "buying_power",
            if setup.instrument.initial_margin.is_positive() {
                format!("orders need {} of their notional as margin", setup.instrument.initial_margin)
            } else {
                "not checked: a position may be worth more than the cash".to_owned()
            },
        ),
        ("end", "an open position is closed at the last close".to_owned()),
        ("candles", candles_note(setup.timeframe)),
        (
            "gaps",
            match setup.timeframe {
                Cadence::Time(_) => format!("{gaps} gaps between candles; nothing is filled or decided in them"),
                Cadence::Traded(_) => "not known: a stretch without trades may be silence or missing data".to_owned(),
            },
        ),
        ("currency", setup.instrument.quote_currency.to_string()),
        ("cash", setup.cash.to_string()),
    ] {
        notes.insert(name.to_owned(), text);
    }
    notes
}

fn candles_note(timeframe: Cadence) -> String {
    let Cadence::Traded(rule) = timeframe else { return format!("of {timeframe}") };
    // What is decided at the end of one candle is filled at the beginning of the next.
    let shared = match rule {
        BarRule::Volume(_) | BarRule::Renko(_) => {
            "; where one trade ends a candle and begins the next, orders fill at that trade's price"
        }
        BarRule::Trades(_) | BarRule::Notional(_) | BarRule::Range(_) => "",
    };
    format!("{rule} of trades: {}, or with the UTC day{shared}", rule.describe())
}

#[cfg(test)]
mod tests;
