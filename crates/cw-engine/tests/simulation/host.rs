//! Our side: the engine, its journal, and the program around it that can die at any moment.

use std::collections::{BTreeMap, BTreeSet};

use cw_core::{
    AccountId, Actor, Amount, AssetClass, ClientOrderId, Currency, Instrument, InstrumentId, Mode, OrderId,
    OrderStatus, OrderType, PositionMode, Price, Quantity, Ratio, Side, StrategyId, Surface, Timeframe, Timestamp,
    Trade,
};
use cw_engine::journal::{Block, BlockBuilder, GENESIS_HASH};
use cw_engine::replay::Replay;
use cw_engine::{
    AccountConfig, Command, CommandError, Effect, Engine, EngineConfig, Envelope, FillRecord, Input, Meta,
    OrderRequest, Output, RecordRef, Reply,
};
use cw_execution::VenueReport;
use cw_risk::Limits;

use super::venue::{LONGEST_WAY, Request, Venue, quote};
use super::{Faults, Mutant, Rng};

const STEPS: u64 = 160;
/// After so long, "not known" is proof: everything sent has arrived or never will.
const ACCEPTANCE_WINDOW: u64 = LONGEST_WAY + 2;
const CASH: i128 = 100_000_000_000_000_000_000_000;
/// Largest position that the limit allows, in raw quantity, at the lowest price the market can have.
const MAX_POSITION_NOTIONAL: i128 = 2_000;
const LOWEST_PRICE: i128 = 80;

/// What happened in a seed.
#[derive(Debug, Default, Clone)]
pub struct Outcome {
    pub head: [u8; 32],
    pub orders: u64,
    pub fills: u64,
    pub lost_replies: u64,
    pub repeated: u64,
    pub fills_after_cancel: u64,
    pub crashes: u64,
    pub crashes_before_send: u64,
    pub proven_absent: u64,
    pub legs: u64,
    pub amended: u64,
    pub denied: u64,
    pub sent_while_halted: u64,
}

impl Outcome {
    pub fn add(&mut self, other: &Self) {
        self.orders += other.orders;
        self.fills += other.fills;
        self.lost_replies += other.lost_replies;
        self.repeated += other.repeated;
        self.fills_after_cancel += other.fills_after_cancel;
        self.crashes += other.crashes;
        self.crashes_before_send += other.crashes_before_send;
        self.proven_absent += other.proven_absent;
        self.legs += other.legs;
        self.amended += other.amended;
        self.denied += other.denied;
        self.sent_while_halted += other.sent_while_halted;
    }
}

const STRATEGY: &str = r#"
name = "swing"
title = "Swing"
description = "Buys after a rise and sells after a fall, with exits"
[entry]
long = "close > open"
short = "close < open"
[exit]
long = "close < open"
short = "close > open"
[stop]
long = "entry - 2"
short = "entry + 2"
[target]
long = "entry + 2"
short = "entry - 2"
[size]
units = "1"
"#;

fn instrument() -> Instrument {
    Instrument {
        id: "TEST.SIM".parse().unwrap(),
        name: "Test".into(),
        asset_class: AssetClass::Other,
        base: "TEST".into(),
        quote_currency: Currency::USD,
        tick_size: "0.01".parse().unwrap(),
        quantity_step: "0.1".parse().unwrap(),
        min_quantity: "0.1".parse().unwrap(),
        price_decimals: 2,
        quantity_decimals: 1,
        initial_margin: Ratio::from_bps(1_000),
        taker_fee: Ratio::from_bps(5),
        maker_fee: Ratio::from_bps(-1),
    }
}

fn config(seed: u64) -> EngineConfig {
    EngineConfig {
        seed,
        instance: "sim".into(),
        instruments: vec![instrument()],
        accounts: vec![AccountConfig {
            id: account(),
            venue: "SIM".into(),
            mode: Mode::Paper,
            currency: Currency::USD,
            position_mode: PositionMode::Netting,
            opening_balance: Amount::from_raw(CASH),
            limits: Limits {
                max_position_notional: Some(Amount::from_raw(MAX_POSITION_NOTIONAL * 1_000_000_000_000_000_000)),
                max_open_orders: Some(12),
                ..Limits::unlimited()
            },
            venue_cancels_siblings: seed.is_multiple_of(2),
        }],
        timeframes: vec![Timeframe::M1],
        lateness_ns: 0,
        pegs: Vec::new(),
        closed_orders_kept: 10_000,
    }
}

fn account() -> AccountId {
    "paper".parse().unwrap()
}

fn id() -> InstrumentId {
    "TEST.SIM".parse().unwrap()
}

/// What the disk has.
#[derive(Default)]
struct Disk {
    blocks: Vec<Block>,
    snapshot: Option<(u64, Vec<u8>)>,
}

/// What is in memory and not yet committed.
struct Pending {
    block: BlockBuilder,
    effects: Vec<Effect>,
    fills: Vec<FillRecord>,
    intents: Vec<ClientOrderId>,
    reply: Option<Result<Reply, CommandError>>,
}

impl Pending {
    fn new(seq: u64) -> Self {
        Self { block: BlockBuilder::new(seq), effects: Vec::new(), fills: Vec::new(), intents: Vec::new(), reply: None }
    }
}

impl Output for Pending {
    const TRACE: bool = true;
    fn record(&mut self, meta: Meta, record: RecordRef<'_>) {
        self.block.record(meta, record);
        match record {
            RecordRef::Fill(fill) => self.fills.push(fill.clone()),
            RecordRef::Order(order) => self.intents.push(order.request.client_order_id.clone()),
            _ => {}
        }
    }
    fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }
    fn reply(&mut self, reply: Result<Reply, CommandError>) {
        self.reply = Some(reply);
    }
}

struct World {
    seed: u64,
    mutant: Mutant,
    rng: Rng,
    faults: Faults,
    step: u64,
    price: i64,
    engine: Engine,
    pending: Pending,
    disk: Disk,
    venue: Venue,
    /// When an order became unknown.
    unknown_since: BTreeMap<ClientOrderId, u64>,
    /// Names of orders in the journal.
    intents: BTreeSet<ClientOrderId>,
    /// Fills in the journal, by the venue's id.
    booked: BTreeMap<String, u32>,
    outcome: Outcome,
}

/// Runs one seed to its end; panics where a promise is broken.
pub fn simulate(seed: u64, mutant: Mutant) -> Outcome {
    let mut rng = Rng(seed.wrapping_mul(0x9E37_79B9).wrapping_add(1));
    let faults = Faults::draw(&mut rng);
    let mut world = World {
        seed,
        mutant,
        faults,
        step: 0,
        price: 100_000_000_000,
        engine: Engine::new(config(seed), at(0)),
        pending: Pending::new(1),
        disk: Disk::default(),
        venue: Venue::new(instrument(), Amount::from_raw(CASH), rng.next(), mutant),
        unknown_since: BTreeMap::new(),
        intents: BTreeSet::new(),
        booked: BTreeMap::new(),
        outcome: Outcome::default(),
        rng,
    };
    let config = Box::new(world.engine.config().clone());
    world.apply(&Input::Genesis(config));
    world.commit();
    if world.rng.chance(500) {
        world.start_strategy();
    }
    for _ in 0..STEPS {
        world.turn();
    }
    world.settle();
    world.outcome
}

fn at(step: u64) -> Timestamp {
    Timestamp::from_secs(1_700_000_000 + 10 * step as i64)
}

impl World {
    fn now(&self) -> Timestamp {
        at(self.step)
    }

    fn apply(&mut self, input: &Input) {
        let before = self.pending.effects.len();
        let halted = self.engine.halted().is_some();
        let unknown = self.engine.open_orders().any(|o| o.status == OrderStatus::Unknown);
        self.pending.block.input(self.engine.seq() + 1, self.now(), input);
        self.engine.apply(at(self.step), input, &mut self.pending);
        for effect in &self.pending.effects[before..] {
            let Effect::Submit { order, .. } = effect else { continue };
            let reduces = order.order().reduce_only;
            assert!(
                reduces || !(halted && self.engine.halted().is_some()),
                "seed {}: new risk while halted",
                self.seed
            );
            assert!(reduces || !unknown, "seed {}: new risk beside an order of unknown fate", self.seed);
            self.outcome.sent_while_halted += u64::from(halted);
        }
        self.check_ledger();
    }

    fn command(&mut self, command: Command) -> Option<Result<Reply, CommandError>> {
        let envelope = Envelope { actor: Actor::Operator, surface: Surface::Console, trace_id: String::new(), command };
        self.apply(&Input::Command(Box::new(envelope)));
        let reply = self.pending.reply.take();
        if matches!(reply, Some(Err(CommandError::Denied { .. }))) {
            self.outcome.denied += 1;
        }
        reply
    }

    fn start_strategy(&mut self) {
        let reply = self.command(Command::StartStrategy {
            id: StrategyId::new("swing").unwrap(),
            source: STRATEGY.into(),
            params: BTreeMap::new(),
            account: account(),
            instrument: id(),
            timeframe: Timeframe::M1,
            warmup: Vec::new(),
        });
        assert_eq!(reply, Some(Ok(Reply::Done)));
    }

    /// One step of the world.
    fn turn(&mut self) {
        self.step += 1;
        self.market(true);
        self.hear();
        for _ in 0..self.rng.below(3) {
            self.want();
        }
        self.resolve();
        self.check_reservations();
        if self.step.is_multiple_of(20) {
            self.repeat_requests();
        }
        if self.mutant == Mutant::SendBeforeJournal {
            self.perform(usize::MAX);
        }
        if self.rng.chance(self.faults.crash) {
            self.crash();
        } else if self.rng.chance(750) {
            self.commit();
            self.perform(usize::MAX);
        }
        self.check_venue();
    }

    fn market(&mut self, moves: bool) {
        if moves {
            let step = self.rng.below(121) as i64 - 60;
            self.price = (self.price + step * 10_000_000).clamp(LOWEST_PRICE as i64 * 1_000_000_000, 120_000_000_000);
        }
        let depth = |rng: &mut Rng| Quantity::from_raw(100_000_000 * (1 + i128::from(rng.below(40))));
        let (bid, ask) = (depth(&mut self.rng), depth(&mut self.rng));
        let price = Price::from_raw(self.price);
        let quote = quote(price, self.now(), bid, ask);
        let now = self.now();
        self.venue.act(self.step, now, &quote, &mut self.rng, &self.faults);
        self.apply(&Input::Quote { instrument: 0, quote });
        let trade = Trade { event_time: now, price, qty: bid, aggressor: None, trade_id: self.step };
        self.apply(&Input::Trade { instrument: 0, trade });
        self.apply(&Input::Timer { market_time: now });
    }

    fn hear(&mut self) {
        for report in self.venue.deliver(self.step) {
            self.report(report);
        }
    }

    fn report(&mut self, report: VenueReport) {
        let order = self.engine.order_by_client_id(report.client_order_id());
        if let (VenueReport::Filled { .. }, Some(order)) = (&report, order)
            && order.status.is_fill_suspicious()
        {
            if self.mutant == Mutant::FillAfterCancelDropped {
                return;
            }
            self.outcome.fills_after_cancel += 1;
        }
        match &report {
            VenueReport::ReplyLost { client_order_id, .. } => {
                self.unknown_since.insert(client_order_id.clone(), self.step);
                self.outcome.lost_replies += 1;
            }
            VenueReport::NotFound { .. } => self.outcome.proven_absent += 1,
            VenueReport::Amended { .. } => self.outcome.amended += 1,
            _ => {}
        }
        self.apply(&Input::Report { account: 0, report });
    }

    /// Somebody wants something.
    fn want(&mut self) {
        let tick = |price: i64| Price::from_raw(price / 10_000_000 * 10_000_000);
        match self.rng.below(20) {
            0..=9 => {
                let side = if self.rng.chance(500) { Side::Buy } else { Side::Sell };
                let qty = Quantity::from_raw(100_000_000 * (1 + i128::from(self.rng.below(60))));
                let mut request = OrderRequest::market(account(), id(), side, qty);
                let away = 10_000_000 * (20 + self.rng.below(200) as i64) * side.sign() as i64;
                match self.rng.below(4) {
                    0 => {
                        request.order_type = OrderType::Limit;
                        request.limit_price = Some(tick(self.price - away));
                    }
                    1 => {
                        request.order_type = OrderType::Stop;
                        request.stop_price = Some(tick(self.price + away));
                    }
                    _ => {}
                }
                request.reduce_only = self.rng.chance(150);
                if !request.reduce_only && self.rng.chance(500) {
                    let entry = request.limit_price.or(request.stop_price).map_or(self.price, Price::raw);
                    let sign = side.sign() as i64;
                    let distance = 10_000_000 * (30 + self.rng.below(150) as i64);
                    request.stop_loss = Some(tick(entry - sign * distance));
                    if self.rng.chance(600) {
                        request.take_profit = Some(tick(entry + sign * distance));
                    }
                }
                self.command(Command::PlaceOrder(request));
            }
            10..=13 => {
                let open: Vec<OrderId> = self.engine.open_orders().map(|o| o.id).collect();
                if !open.is_empty() {
                    let order_id = open[self.rng.below(open.len() as u64) as usize];
                    self.command(Command::CancelOrder { order_id });
                }
            }
            14..=15 => {
                self.command(Command::ClosePosition { account: account(), instrument: id(), qty: None });
            }
            16 => {
                self.command(Command::Halt { reason: "test".into() });
            }
            17..=18 => {
                self.command(Command::Resume { reason: "test".into() });
            }
            _ => {
                let swing = StrategyId::new("swing").unwrap();
                let running = self.engine.strategies().iter().any(|s| s.id == swing && s.is_running());
                if running && self.rng.chance(200) {
                    let flatten = self.rng.chance(500);
                    self.command(Command::StopStrategy { id: swing, flatten });
                } else if !running && self.rng.chance(300) {
                    self.start_strategy();
                }
            }
        }
    }

    /// Asks the venue for orders whose fate is unknown, once its acceptance window is over.
    fn resolve(&mut self) {
        let window = if self.mutant == Mutant::AbsentAtOnce { 0 } else { ACCEPTANCE_WINDOW };
        let due: Vec<ClientOrderId> = self
            .engine
            .open_orders()
            .filter(|o| o.status == OrderStatus::Unknown)
            .map(|o| o.request.client_order_id.clone())
            .filter(|id| self.unknown_since.get(id).is_none_or(|since| self.step >= since + window))
            .collect();
        for client_order_id in due {
            let answer = self.venue.ask(&client_order_id);
            if answer.is_empty() {
                self.report(VenueReport::NotFound { client_order_id });
            }
            for report in answer {
                self.report(report);
            }
        }
    }

    fn repeat_requests(&mut self) {
        if self.mutant != Mutant::OutstandingForgotten {
            let outstanding = self.engine.outstanding();
            self.pending.effects.extend(outstanding);
        }
    }

    /// Makes durable what is pending.
    fn commit(&mut self) {
        let pending = std::mem::replace(&mut self.pending, Pending::new(self.engine.seq() + 1));
        self.pending.effects = pending.effects;
        for fill in &pending.fills {
            assert_eq!(fill.postings().iter().map(|p| p.amount).sum::<Amount>(), Amount::ZERO);
            let times = self.booked.entry(fill.fill.venue_fill_id.clone()).or_default();
            *times += 1;
            assert_eq!(*times, 1, "fill {} was booked twice", fill.fill.venue_fill_id);
            self.outcome.fills += 1;
        }
        if pending.block.is_empty() {
            return;
        }
        let head = self.disk.blocks.last().map_or(GENESIS_HASH, |b| b.hash);
        self.disk.blocks.push(pending.block.seal(head));
        self.intents.extend(pending.intents);
        if self.rng.chance(100) {
            self.disk.snapshot = Some((self.engine.seq(), self.engine.snapshot()));
        }
    }

    /// Sends up to `most` effects to the venue.
    fn perform(&mut self, most: usize) {
        let count = most.min(self.pending.effects.len());
        for effect in self.pending.effects.drain(..count).collect::<Vec<_>>() {
            let request = match effect {
                Effect::Submit { order, .. } => {
                    self.outcome.orders += 1;
                    self.outcome.legs += u64::from(order.order().parent.is_some());
                    Request::Submit { order, answer: true }
                }
                Effect::Cancel { client_order_id, .. } => Request::Cancel(client_order_id),
                Effect::Amend { client_order_id, qty, .. } => Request::Amend(client_order_id, qty),
            };
            self.venue.send(self.step, request, &mut self.rng, &self.faults);
        }
    }

    /// The process dies at one of its worst moments, and comes back.
    fn crash(&mut self) {
        self.outcome.crashes += 1;
        match self.rng.below(3) {
            // Before the journal had it.
            0 => {}
            // Between journal and venue, perhaps in the middle of it.
            1 => {
                self.commit();
                let most = self.rng.below(1 + self.pending.effects.len() as u64) as usize;
                if most < self.pending.effects.len() {
                    self.outcome.crashes_before_send += 1;
                }
                self.perform(most);
            }
            _ => {
                self.commit();
                self.perform(usize::MAX);
            }
        }
        self.venue.disconnect();
        self.unknown_since.clear();
        self.recover();
    }

    fn recover(&mut self) {
        let use_snapshot = self.rng.chance(700);
        let (mut replay, from) = match self.disk.snapshot.as_ref().filter(|_| use_snapshot) {
            Some((seq, bytes)) => {
                let engine = Engine::restore(bytes).expect("our own snapshot");
                assert_eq!(engine.snapshot(), *bytes, "a restored state is the saved one");
                (Replay::continuing(engine), *seq)
            }
            None => (Replay::new(), 0),
        };
        let behind = self.disk.blocks.iter().filter(|b| b.first_seq > from);
        let behind = if self.mutant == Mutant::NoReplay && from > 0 { behind.take(0) } else { behind.take(usize::MAX) };
        for block in behind {
            replay.feed(block).expect("our own journal");
        }
        let (engine, report) = replay.finish().expect("a journal with a beginning");
        assert_eq!((report.differences, report.first_difference), (0, None), "replay went another way");
        self.engine = engine;
        self.pending = Pending::new(self.engine.seq() + 1);
        if self.mutant != Mutant::NoReconciliation {
            self.reconcile();
        }
        self.repeat_requests();
    }

    /// Tells the engine what the venue knows of every order; what it does not know may still be on its way.
    fn reconcile(&mut self) {
        let orders: Vec<(ClientOrderId, OrderStatus)> =
            self.engine.orders().map(|o| (o.request.client_order_id.clone(), o.status)).collect();
        for (client_order_id, status) in orders {
            if status == OrderStatus::Denied {
                continue;
            }
            let answer = self.venue.ask(&client_order_id);
            if answer.is_empty() && status == OrderStatus::Sent {
                self.report(VenueReport::ReplyLost {
                    client_order_id: client_order_id.clone(),
                    reason: "restart".into(),
                });
            }
            if status == OrderStatus::Unknown {
                self.unknown_since.insert(client_order_id, self.step);
            }
            for report in answer {
                self.report(report);
            }
        }
    }

    /// The faults stop; within a bounded time everything agrees.
    fn settle(&mut self) {
        self.faults = Faults::NONE;
        for turn in 0..60 {
            self.step += 1;
            self.market(false);
            self.hear();
            self.resolve();
            if turn % 15 == 14 {
                self.repeat_requests();
            }
            self.commit();
            self.perform(usize::MAX);
            self.check_venue();
        }
        let seed = self.seed;
        let outstanding = self.engine.outstanding();
        assert!(outstanding.is_empty(), "seed {seed}: still asked for: {outstanding:?}");
        assert!(self.venue.is_quiet(), "seed {seed}: the line is not quiet");
        for order in self.engine.open_orders() {
            assert_ne!(order.status, OrderStatus::Unknown, "seed {seed}: {} is still unknown", order.id);
            assert_ne!(order.status, OrderStatus::Sent, "seed {seed}: {} is still only sent", order.id);
            assert!(!order.pending_cancel, "seed {seed}: the cancel of {} is still pending", order.id);
        }
        self.check_truth();
        self.check_protection();
        self.check_journal();
    }

    /// Our position, cash and open orders are the venue's.
    fn check_truth(&self) {
        let seed = self.seed;
        let ours: BTreeMap<ClientOrderId, Quantity> =
            self.engine.open_orders().map(|o| (o.request.client_order_id.clone(), o.leaves_qty())).collect();
        assert_eq!(ours, self.venue.open(), "seed {seed}: open orders");
        assert_eq!(self.engine.net_position(0, 0), self.venue.position.signed_qty, "seed {seed}: position");
        // The order in which fills are heard decides what counts as closed, but not what all of them cost together.
        let account = &self.engine.accounts()[0];
        let cost = account.positions.values().map(|p| p.position.cost).sum::<Amount>();
        let paid = account.balances[&Currency::USD].raw() - cost.raw();
        assert_eq!(paid, self.venue.cash.raw() - self.venue.position.cost.raw(), "seed {seed}: cash");
        let fees = account.positions.values().map(|p| p.position.fees).sum::<Amount>();
        assert_eq!(fees, self.venue.position.fees, "seed {seed}: fees");
    }

    /// Exit legs never hold more than the position, one stop and one target per entry.
    fn check_protection(&self) {
        let held = self.engine.net_position(0, 0).raw();
        let mut seen = BTreeMap::new();
        for leg in self.engine.open_orders() {
            let Some(parent) = leg.request.parent else { continue };
            let closes = -leg.request.side.sign() * held;
            assert!(closes > 0, "seed {}: leg {} protects nothing", self.seed, leg.id);
            assert!(leg.leaves_qty().raw() <= closes, "seed {}: leg {} is larger than the position", self.seed, leg.id);
            let twins = seen.entry((parent, leg.request.order_type.eq(&OrderType::Stop))).or_insert(0);
            *twins += 1;
            assert_eq!(*twins, 1, "seed {}: entry {parent} has two legs of one kind", self.seed);
        }
    }

    /// The journal is whole, and running it again gives this state.
    fn check_journal(&mut self) {
        self.apply(&Input::Checkpoint);
        self.commit();
        let mut replay = Replay::new();
        for block in &self.disk.blocks {
            replay.push(block).expect("an unbroken chain");
        }
        let (engine, report) = replay.finish().expect("a journal with a beginning");
        assert_eq!(report.differences, 0, "seed {}", self.seed);
        assert_eq!(report.state_hash, self.engine.state_hash(), "seed {}", self.seed);
        assert_eq!(engine.seq(), self.engine.seq());
        self.outcome.head = self.disk.blocks.last().map_or(GENESIS_HASH, |b| b.hash);
        self.outcome.repeated = self.venue.repeated;
    }

    /// Cash is what was deposited plus results minus fees.
    fn check_ledger(&self) {
        let account = &self.engine.accounts()[0];
        let earned: i128 = account.positions.values().map(|p| p.position.realized.raw() - p.position.fees.raw()).sum();
        assert_eq!(account.balances[&Currency::USD].raw(), CASH + earned, "seed {}: the ledger", self.seed);
    }

    /// What the engine sends keeps the limits, counting all that is on its way.
    fn check_reservations(&self) {
        let most = MAX_POSITION_NOTIONAL * 1_000_000_000 / LOWEST_PRICE;
        for side in [Side::Buy, Side::Sell] {
            let open: i128 = self
                .engine
                .open_orders()
                .filter(|o| o.request.side == side && !o.request.reduce_only)
                .map(|o| o.leaves_qty().raw())
                .sum();
            let adds = self
                .pending
                .effects
                .iter()
                .any(|e| matches!(e, Effect::Submit { order, .. } if order.order().side == side && !order.order().reduce_only));
            let after = self.engine.net_position(0, 0).raw() * side.sign() + open;
            assert!(!adds || after <= most, "seed {}: {side} could reach {after}", self.seed);
        }
    }

    /// Whatever the venue has was in the journal first.
    fn check_venue(&self) {
        for id in self.venue.known.keys() {
            assert!(self.intents.contains(id), "seed {}: {id} is at the venue and not in the journal", self.seed);
        }
    }
}
