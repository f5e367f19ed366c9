//! State and the one function that changes it.

mod commands;
mod market;
mod order_list;
mod orders;
mod strategies;
mod valuation;

use std::collections::{BTreeMap, VecDeque};

use cw_core::{AccountId, ClientOrderId, Instrument, InstrumentId, Order, OrderId, Quantity, Timestamp};
use cw_market::{Aggregator, CandleUpdate};
use cw_risk::ApprovedOrder;
use serde::{Deserialize, Serialize};

use crate::account::{AccountState, day_of};
use crate::command::{Approval, CommandError, Reply};
use crate::config::EngineConfig;
use crate::input::Input;
use crate::instrument::InstrumentState;
use crate::record::{Meta, Notice, RecordRef};
use crate::strategy::StrategyInstance;

use order_list::OrderList;
pub use valuation::{AccountSummary, Preview, PreviewError};

/// What must be done outside, once the journal has what led to it. Accounts by their number.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect {
    Submit { account: u32, order: ApprovedOrder },
    Cancel { account: u32, client_order_id: ClientOrderId },
    Amend { account: u32, client_order_id: ClientOrderId, qty: Quantity },
}

/// Where the engine puts what it has to say, in the order in which it happened.
pub trait Output {
    /// Whether decisions carry the values of their rule's parts. Costs text per decision.
    const TRACE: bool;
    fn record(&mut self, meta: Meta, record: RecordRef<'_>);
    fn effect(&mut self, effect: Effect);
    fn candle(&mut self, _instrument: u32, _update: &CandleUpdate) {}
    /// The answer to the command that was just applied.
    fn reply(&mut self, _reply: Result<Reply, CommandError>) {}
}

/// An order with what only the engine needs to know of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OrderState {
    pub order: Order,
    pub account: u32,
    pub instrument: u32,
    /// Fills already counted, by the venue's id.
    pub fill_ids: Vec<String>,
    /// Exit legs made for it.
    pub legs: Vec<OrderId>,
    /// What its exit legs have closed.
    pub legs_filled: Quantity,
    /// The venue said that it is over, perhaps before what it did until then was heard.
    pub ended: bool,
}

impl OrderState {
    const fn new(order: Order, account: u32, instrument: u32) -> Self {
        Self {
            order,
            account,
            instrument,
            fill_ids: Vec::new(),
            legs: Vec::new(),
            legs_filled: Quantity::ZERO,
            ended: false,
        }
    }
}

/// Everything a decision can depend on. Two engines with equal states behave alike for ever.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    pub config: EngineConfig,
    pub seq: u64,
    pub time: Timestamp,
    pub market_time: Timestamp,
    pub instruments: Vec<InstrumentState>,
    pub instrument_numbers: BTreeMap<InstrumentId, u32>,
    pub accounts: Vec<AccountState>,
    /// Open orders and the last closed ones.
    pub orders: OrderList,
    /// Open ones among them, oldest first.
    pub open: Vec<OrderId>,
    /// Closed ones among them, oldest first.
    pub closed: VecDeque<OrderId>,
    pub by_client: BTreeMap<ClientOrderId, OrderId>,
    pub next_order: u64,
    /// State of the generator that names orders.
    pub rng: u64,
    pub strategies: Vec<StrategyInstance>,
    pub approvals: BTreeMap<u64, Approval>,
    pub halted: Option<String>,
}

/// The engine. See the crate's documentation.
#[derive(Debug)]
pub struct Engine {
    pub(crate) state: State,
    /// Reused per event; empty between inputs.
    updates: Vec<CandleUpdate>,
    /// While a candle is taken that came too late to act on; false between inputs.
    quiet: bool,
}

/// Why an engine could not be made from a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error("the snapshot is not readable: {0}")]
    Unreadable(#[from] postcard::Error),
    #[error("strategy {id} of the snapshot does not compile any more: {message}")]
    Strategy { id: String, message: String },
}

/// The state hash of a snapshot.
pub fn state_hash_of(snapshot: &[u8]) -> [u8; 32] {
    *blake3::hash(snapshot).as_bytes()
}

impl Engine {
    /// An engine from its configuration. The first input of its journal is this configuration; [`Engine::apply`] is not
    /// called with it.
    pub fn new(config: EngineConfig, now: Timestamp) -> Self {
        let accounts = config.accounts.iter().map(|a| AccountState::new(a.clone(), now)).collect();
        let mut engine = Self {
            state: State {
                seq: 0,
                time: now,
                market_time: Timestamp::MIN,
                instruments: Vec::new(),
                instrument_numbers: BTreeMap::new(),
                accounts,
                orders: OrderList::default(),
                open: Vec::new(),
                closed: VecDeque::new(),
                by_client: BTreeMap::new(),
                next_order: 1,
                rng: config.seed,
                strategies: Vec::new(),
                approvals: BTreeMap::new(),
                halted: None,
                config,
            },
            updates: Vec::new(),
            quiet: false,
        };
        for instrument in engine.state.config.instruments.clone() {
            engine.list(instrument, false);
        }
        engine
    }

    /// Takes on an instrument under the next number.
    fn list(&mut self, instrument: Instrument, by_minutes: bool) {
        let state = &mut self.state;
        let aggregator =
            Aggregator::new(&state.config.timeframes, state.config.lateness_ns).with_calendar(instrument.calendar());
        // What is told is certain; there is nothing to wait for.
        let aggregator = if by_minutes { aggregator.with_grace(0) } else { aggregator };
        state.instrument_numbers.insert(instrument.id.clone(), state.instruments.len() as u32);
        state.instruments.push(InstrumentState { by_minutes, ..InstrumentState::new(instrument, aggregator) });
    }

    /// Writes the opening entries behind the genesis input: one notice per account.
    pub fn open_accounts(&mut self, cause: u64, out: &mut impl Output) {
        let notices: Vec<Notice> = self
            .state
            .accounts
            .iter()
            .map(|a| Notice::AccountOpened {
                account: a.config.id.clone(),
                currency: a.config.currency,
                amount: a.config.opening_balance,
            })
            .collect();
        for notice in &notices {
            let meta = self.meta(cause);
            out.record(meta, RecordRef::Notice(notice));
        }
    }

    /// Takes one input. Time never runs backwards: an earlier `time` counts as the newest one seen.
    ///
    /// Returns the input's journal number.
    pub fn apply(&mut self, time: Timestamp, input: &Input, out: &mut impl Output) -> u64 {
        self.state.time = self.state.time.max(time);
        self.state.seq += 1;
        let seq = self.state.seq;
        match input {
            Input::Genesis(_) => {
                // The journal's time of birth, not the constructor's, is what a replay knows.
                for account in &mut self.state.accounts {
                    account.day = day_of(self.state.time);
                }
                self.open_accounts(seq, out);
            }
            Input::Trade { instrument, trade } => self.on_trade(seq, *instrument, trade, out),
            Input::Quote { instrument, quote } => self.on_quote(seq, *instrument, quote, out),
            Input::Candle { instrument, timeframe, candle } => {
                self.on_candle(seq, *instrument, cw_core::Cadence::Time(*timeframe), candle, out);
            }
            Input::Minute { instrument, candle, fresh } => self.on_minute(seq, *instrument, candle, *fresh, out),
            Input::Settled { instrument, to } => self.on_settled(seq, *instrument, *to, out),
            Input::Backfill { instrument, candles } => self.on_backfill(seq, *instrument, candles),
            Input::Report { account, report } => self.on_report(seq, *account, report, out),
            Input::Timer { market_time } => self.on_timer(seq, *market_time, out),
            Input::Command(envelope) => {
                let reply = self.on_command(seq, envelope, out);
                out.reply(reply);
            }
            Input::Checkpoint => {
                let hash = self.state_hash();
                let meta = self.meta(seq);
                out.record(meta, RecordRef::StateHash(&hash));
            }
        }
        seq
    }

    /// The hot path of a backtest: a closed candle, without building an [`Input`].
    #[inline]
    pub fn apply_candle(
        &mut self,
        time: Timestamp,
        instrument: u32,
        timeframe: cw_core::Cadence,
        candle: &cw_core::Candle,
        out: &mut impl Output,
    ) {
        self.state.time = time;
        self.state.seq += 1;
        let seq = self.state.seq;
        self.on_candle(seq, instrument, timeframe, candle, out);
    }

    /// The next entry's place, caused by `cause`.
    pub(crate) fn meta(&mut self, cause: u64) -> Meta {
        self.state.seq += 1;
        Meta { seq: self.state.seq, time: self.state.time, caused_by: cause }
    }

    /// Number of the last journal entry.
    pub const fn seq(&self) -> u64 {
        self.state.seq
    }
    /// The engine's clock: the time of the last input.
    pub const fn time(&self) -> Timestamp {
        self.state.time
    }
    /// The market's clock, as the last timer told it.
    pub const fn market_time(&self) -> Timestamp {
        self.state.market_time
    }
    pub const fn config(&self) -> &EngineConfig {
        &self.state.config
    }
    pub fn instruments(&self) -> &[InstrumentState] {
        &self.state.instruments
    }
    pub fn instrument_number(&self, id: &InstrumentId) -> Option<u32> {
        self.state.instrument_numbers.get(id).copied()
    }
    pub fn accounts(&self) -> &[AccountState] {
        &self.state.accounts
    }
    pub fn account_number(&self, id: &AccountId) -> Option<u32> {
        self.state.accounts.iter().position(|a| a.config.id == *id).map(|n| n as u32)
    }
    /// Open orders and the last closed ones, oldest first.
    pub fn orders(&self) -> impl DoubleEndedIterator<Item = &Order> {
        self.state.orders.iter().map(|o| &o.order)
    }
    pub fn open_orders(&self) -> impl Iterator<Item = &Order> {
        self.state.open.iter().filter_map(|id| self.state.orders.get(*id)).map(|o| &o.order)
    }
    pub fn order(&self, id: OrderId) -> Option<&Order> {
        self.state.orders.get(id).map(|o| &o.order)
    }
    pub fn order_by_client_id(&self, id: &ClientOrderId) -> Option<&Order> {
        self.state.by_client.get(id).and_then(|id| self.order(*id))
    }
    pub fn strategies(&self) -> &[StrategyInstance] {
        &self.state.strategies
    }
    pub fn approvals(&self) -> impl Iterator<Item = &Approval> {
        self.state.approvals.values()
    }
    /// Why trading is halted, if it is.
    pub fn halted(&self) -> Option<&str> {
        self.state.halted.as_deref()
    }

    /// BLAKE3 of the whole state. Equal on every machine for equal inputs.
    pub fn state_hash(&self) -> [u8; 32] {
        state_hash_of(&self.snapshot())
    }

    /// The whole state as bytes, for [`Engine::restore`].
    pub fn snapshot(&self) -> Vec<u8> {
        postcard::to_stdvec(&self.state).expect("the state has only types that serialise")
    }

    pub fn restore(bytes: &[u8]) -> Result<Self, RestoreError> {
        let mut state: State = postcard::from_bytes(bytes)?;
        for strategy in &mut state.strategies {
            strategy.compile().map_err(|message| RestoreError::Strategy { id: strategy.id.to_string(), message })?;
        }
        for instrument in &mut state.instruments {
            instrument.aggregator.set_calendar(instrument.instrument.calendar());
        }
        Ok(Self { state, updates: Vec::new(), quiet: false })
    }
}
