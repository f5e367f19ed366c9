//! What is written can be read, and running it again shows every difference.

use std::collections::BTreeMap;

use cw_core::{
    Actor, Amount, Currency, Instrument, Mode, PositionMode, Price, Quantity, Quote, Side, StrategyId, Surface,
    Timeframe, Trade,
};
use cw_execution::{FillModel, PaperBroker, VenueReport};
use cw_risk::Limits;

use super::*;
use crate::journal::{BlockBuilder, GENESIS_HASH, chain_hash};
use crate::record::Decision;
use crate::{AccountConfig, Approval, ApprovalState, Command, EngineConfig, Envelope, Notice, OrderRequest, Verdict};

fn config() -> EngineConfig {
    EngineConfig {
        seed: 7,
        instance: "t".into(),
        instruments: vec![Instrument::from_file("TEST.SIM".parse().unwrap(), 2, 1)],
        accounts: vec![AccountConfig {
            id: "paper".parse().unwrap(),
            venue: "SIM".into(),
            mode: Mode::Paper,
            currency: Currency::USD,
            position_mode: PositionMode::Netting,
            opening_balance: "10000".parse().unwrap(),
            limits: Limits::default(),
            venue_cancels_siblings: true,
        }],
        timeframes: vec![Timeframe::M1],
        lateness_ns: 0,
        pegs: Vec::new(),
        closed_orders_kept: 100,
    }
}

/// Writes everything into one block per input.
struct Scribe {
    block: BlockBuilder,
    effects: Vec<Effect>,
}
impl Output for Scribe {
    const TRACE: bool = true;
    fn record(&mut self, meta: Meta, record: RecordRef<'_>) {
        self.block.record(meta, record);
    }
    fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }
}

struct Session {
    engine: Engine,
    broker: PaperBroker,
    blocks: Vec<Block>,
    now: Timestamp,
}

impl Session {
    fn apply(&mut self, input: &Input) {
        let mut scribe = Scribe { block: BlockBuilder::new(self.engine.seq() + 1), effects: Vec::new() };
        scribe.block.input(self.engine.seq() + 1, self.now, input);
        self.engine.apply(self.now, input, &mut scribe);
        let head = self.blocks.last().map_or(GENESIS_HASH, |b| b.hash);
        self.blocks.push(scribe.block.seal(head));
        let mut reports = Vec::new();
        for effect in scribe.effects {
            match effect {
                Effect::Submit { order, .. } => {
                    let instrument = &self.engine.instruments()[0].instrument;
                    self.broker.submit(order, instrument, self.now, &mut reports);
                }
                Effect::Cancel { client_order_id, .. } => self.broker.cancel(&client_order_id, &mut reports),
                Effect::Amend { client_order_id, qty, .. } => {
                    self.broker.amend_quantity(&client_order_id, qty, &mut reports);
                }
            }
        }
        for report in reports {
            self.apply(&Input::Report { account: 0, report });
        }
    }

    fn command(&mut self, actor: Actor, command: Command) {
        let envelope = Envelope { actor, surface: Surface::Rest, trace_id: "t".into(), command };
        self.apply(&Input::Command(Box::new(envelope)));
    }

    fn market(&mut self, price: i64) {
        self.now = self.now.plus_nanos(20_000_000_000);
        let (price, qty) = (Price::from_raw(price), Quantity::from_raw(5_000_000_000));
        let quote = Quote { event_time: self.now, bid: price, ask: price, bid_qty: qty, ask_qty: qty };
        let mut reports = Vec::new();
        self.broker.on_quote(&"TEST.SIM".parse().unwrap(), &quote, self.now, &mut reports);
        self.apply(&Input::Quote { instrument: 0, quote });
        let trade =
            Trade { event_time: self.now, price, qty, aggressor: Some(Side::Buy), trade_id: self.now.as_secs() as u64 };
        self.apply(&Input::Trade { instrument: 0, trade });
        for report in reports {
            self.apply(&Input::Report { account: 0, report });
        }
        self.apply(&Input::Timer { market_time: self.now });
    }
}

/// A session with something of everything: a strategy, a bracket, a denial, an approval, a halt, an incident.
fn session() -> Session {
    let now = Timestamp::from_secs(1_700_000_000);
    let mut session = Session {
        engine: Engine::new(config(), now),
        broker: PaperBroker::new(FillModel::default(), "V"),
        blocks: Vec::new(),
        now,
    };
    session.apply(&Input::Genesis(Box::new(config())));
    let source = cw_analysis::Strategy::shipped().iter().find(|s| s.name == "ema-cross").unwrap().source;
    session.command(
        Actor::Operator,
        Command::StartStrategy {
            id: StrategyId::new("cross").unwrap(),
            source: source.into(),
            params: BTreeMap::from([("fast".into(), "2".into()), ("slow".into(), "3".into())]),
            account: "paper".parse().unwrap(),
            instrument: "TEST.SIM".parse().unwrap(),
            timeframe: Timeframe::M1,
            warmup: Vec::new(),
        },
    );
    for n in 0..240i64 {
        session.market(100_000_000_000 + ((n / 9 % 2) * 9 + n % 5) * 100_000_000);
        let order = |side, qty: &str| {
            OrderRequest::market("paper".parse().unwrap(), "TEST.SIM".parse().unwrap(), side, qty.parse().unwrap())
        };
        match n {
            5 => {
                let mut bracket = order(Side::Buy, "2");
                bracket.stop_loss = Some("90".parse().unwrap());
                bracket.take_profit = Some("120".parse().unwrap());
                session.command(Actor::Operator, Command::PlaceOrder(bracket));
            }
            9 => session.command(Actor::Agent("claude".into()), Command::PlaceOrder(order(Side::Buy, "1"))),
            12 => session.command(Actor::Operator, Command::PlaceOrder(order(Side::Buy, "1000000"))),
            20 => session.command(Actor::System, Command::Halt { reason: "test".into() }),
            24 => session.command(Actor::Operator, Command::Resume { reason: "test".into() }),
            30 => {
                let client_order_id = "stranger".parse().unwrap();
                session.apply(&Input::Report { account: 0, report: VenueReport::Expired { client_order_id } });
            }
            _ => {}
        }
    }
    session.apply(&Input::Checkpoint);
    session
}

fn replay(blocks: &[Block]) -> Result<ReplayReport, ReplayError> {
    let mut replay = Replay::new();
    blocks.iter().try_for_each(|block| replay.push(block))?;
    replay.finish().map(|(_, report)| report)
}

#[test]
fn a_recorded_session_replays_without_a_difference() {
    let session = session();
    let report = replay(&session.blocks).unwrap();
    assert_eq!((report.differences, report.first_difference), (0, None));
    assert_eq!(report.state_hash, session.engine.state_hash());
    assert_eq!(report.entries, session.engine.seq());
    assert!(report.recorded_hash.is_some());
    let has = |found: fn(&Record) -> bool| {
        session.blocks.iter().flat_map(|b| b.entries().unwrap()).any(|e| match e.body {
            Body::Record(record) => found(&record),
            Body::Input(_) => false,
        })
    };
    assert!(has(|r| matches!(r, Record::Fill(fill) if fill.actor != Actor::Operator)), "the strategy traded");
    assert!(has(|r| matches!(r, Record::Decision(decision) if !decision.trace.is_empty())));
    assert!(has(|r| matches!(r, Record::Approval(a) if a.state == ApprovalState::Expired)));
    assert!(has(|r| matches!(r, Record::Incident(_))));
    assert!(has(|r| matches!(r, Record::Order(order) if order.request.parent.is_some())));
    assert!(has(|r| matches!(r, Record::Order(order) if order.reason.is_some())));
}

/// Candles that closed, by instrument and timeframe.
#[derive(Default)]
struct Closed(Vec<(u32, Timeframe, i64)>);
impl Output for Closed {
    const TRACE: bool = false;
    fn record(&mut self, _: Meta, _: RecordRef<'_>) {}
    fn effect(&mut self, _: Effect) {}
    fn candle(&mut self, instrument: u32, update: &cw_market::CandleUpdate) {
        if let cw_market::CandleUpdate::Closed { timeframe, candle, .. } = update {
            self.0.push((instrument, *timeframe, candle.open_time.as_secs() / 60));
        }
    }
}

#[test]
fn minutes_that_a_venue_tells_close_once_and_by_nothing_else() {
    let now = Timestamp::from_secs(1_700_000_100 / 300 * 300);
    let mut engine = Engine::new(EngineConfig { timeframes: vec![Timeframe::M1, Timeframe::M5], ..config() }, now);
    let mut closed = Closed::default();
    let list = |symbol: &str| {
        let instrument = Instrument::from_file(symbol.parse().unwrap(), 2, 1);
        let command = Command::ListInstrument(Box::new(instrument));
        let envelope = Envelope { actor: Actor::System, surface: Surface::Rest, trace_id: "t".into(), command };
        Input::Command(Box::new(envelope))
    };
    for _ in 0..2 {
        engine.apply(now, &list("AAPL.ALPACA"), &mut closed);
    }
    assert_eq!(engine.instruments().len(), 2, "known ones stay as they are");
    let first = now.as_secs() / 60;
    let candle = |minute: i64, close: i64| {
        let price = Price::from_raw(close);
        let open_time = Timestamp::from_secs((first + minute) * 60);
        cw_core::Candle { open_time, open: price, high: price, low: price, close: price, volume: cw_core::Volume::ZERO }
    };
    let tell = |engine: &mut Engine, closed: &mut Closed, minute, close| {
        let input = Input::Minute { instrument: 1, candle: candle(minute, close), fresh: minute != 1 };
        engine.apply(now, &input, closed);
    };
    let trade = Trade {
        event_time: now.plus_nanos(1),
        price: Price::from_raw(7),
        qty: Quantity::from_raw(1),
        aggressor: None,
        trade_id: 1,
    };
    engine.apply(now, &Input::Trade { instrument: 1, trade }, &mut closed);
    engine.apply(now, &Input::Timer { market_time: now.plus_nanos(600_000_000_000) }, &mut closed);
    assert!(closed.0.is_empty(), "trades and time say nothing of a venue's candles");
    assert_eq!(engine.instruments()[1].mark(), Some(Price::from_raw(7)));
    for minute in [0, 1, 1, 3] {
        tell(&mut engine, &mut closed, minute, 10 + minute);
    }
    // Corrected: the record changes, and nobody decides twice.
    tell(&mut engine, &mut closed, 3, 20);
    let m1 = |minute| (1, Timeframe::M1, first + minute);
    assert_eq!(closed.0, [m1(0), m1(1), m1(3)]);
    // Nobody traded in the last minute.
    let settled = Input::Settled { instrument: 1, to: Timestamp::from_secs((first + 5) * 60) };
    engine.apply(now, &settled, &mut closed);
    assert_eq!(closed.0[3..], [(1, Timeframe::M5, first)]);
    engine.apply(now, &settled, &mut closed);
    tell(&mut engine, &mut closed, 5, 11);
    assert_eq!(closed.0[4..], [m1(5)]);
    assert_eq!(engine.instruments()[1].last_close, Some(Price::from_raw(11)));
    // Orders are priced by what was traded, which is no younger for a minute that was asked for.
    let before = engine.instruments()[1].priced_at;
    let late = Input::Minute { instrument: 1, candle: candle(6, 12), fresh: true };
    engine.apply(now.plus_nanos(420_000_000_000), &late, &mut closed);
    assert_eq!((engine.instruments()[1].priced_at, before), (before, now));
}

#[test]
fn going_on_from_a_snapshot_is_never_having_stopped() {
    let session = session();
    for cut in [1, 40, session.blocks.len() / 2, session.blocks.len() - 1] {
        let mut front = Replay::new();
        session.blocks[..cut].iter().for_each(|b| front.push(b).unwrap());
        let (engine, _) = front.finish().unwrap();
        let restored = Engine::restore(&engine.snapshot()).unwrap();
        assert_eq!(restored.state_hash(), engine.state_hash());
        let mut back = Replay::continuing(restored);
        session.blocks[cut..].iter().for_each(|b| back.feed(b).unwrap());
        let (_, report) = back.finish().unwrap();
        assert_eq!((report.differences, report.state_hash), (0, session.engine.state_hash()), "cut at {cut}");
    }
}

/// Changes one record and closes the chain again, as somebody who knows how would.
fn forge(blocks: &[Block], at: usize) -> Vec<Block> {
    let mut forged = blocks.to_vec();
    for n in at..forged.len() {
        let previous = if n == 0 { GENESIS_HASH } else { forged[n - 1].hash };
        let block = &mut forged[n];
        block.previous_hash = previous;
        block.hash = chain_hash(&previous, block.first_seq, block.count, &block.bytes);
    }
    forged
}

#[test]
fn a_changed_block_breaks_the_chain_and_a_forged_record_differs() {
    let session = session();
    for at in 0..session.blocks.len() {
        let mut blocks = session.blocks.clone();
        let last = blocks[at].bytes.len() - 1;
        blocks[at].bytes[last] ^= 1;
        assert!(matches!(replay(&blocks), Err(ReplayError::Journal(JournalError::Changed { .. }))), "block {at}");
        // With records behind the input, the last byte belongs to one of them.
        if blocks[at].count > 1 {
            match replay(&forge(&blocks, at)) {
                Ok(report) => assert!(report.differences > 0, "block {at}"),
                Err(ReplayError::Journal(JournalError::Unreadable { .. })) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[test]
fn every_kind_of_record_and_input_can_be_read_back() {
    let order = session().engine.orders().next().unwrap().clone();
    let approval = |state| Approval {
        id: 1,
        actor: Actor::Agent("a".into()),
        surface: Surface::Mcp,
        request: OrderRequest::market("a".parse().unwrap(), "X.SIM".parse().unwrap(), Side::Buy, Quantity::ZERO),
        created_at: Timestamp::EPOCH,
        expires_at: Timestamp::EPOCH,
        state,
    };
    let id = || StrategyId::new("s").unwrap();
    let (account, client_order_id) = (|| "a".parse().unwrap(), || "c".parse().unwrap());
    let records = [
        Record::Order(order),
        Record::Decision(Decision {
            strategy: id(),
            account: account(),
            instrument: "X.SIM".parse().unwrap(),
            timeframe: Timeframe::MN1.into(),
            candle: cw_core::Candle {
                open_time: Timestamp::EPOCH,
                open: Price::MAX,
                high: Price::MAX,
                low: Price::ZERO,
                close: Price::ZERO,
                volume: cw_core::Volume::MAX,
            },
            ticks: (1, u64::MAX),
            verdict: Verdict::Skip,
            qty: None,
            reason: String::new(),
            trace: vec![("a".into(), "b".into())],
        }),
        Record::Approval(approval(ApprovalState::Pending)),
        Record::Approval(approval(ApprovalState::Accepted { order_id: cw_core::OrderId(1) })),
        Record::Approval(approval(ApprovalState::Refused { reason: "r".into() })),
        Record::Approval(approval(ApprovalState::Denied { reason: "r".into() })),
        Record::Approval(approval(ApprovalState::Expired)),
        Record::Notice(Notice::Halted { reason: "r".into() }),
        Record::Notice(Notice::Resumed { reason: "r".into() }),
        Record::Notice(Notice::LimitSet { account: account(), name: "n".into(), value: "v".into() }),
        Record::Notice(Notice::AccountOpened { account: account(), currency: Currency::USD, amount: Amount::MAX }),
        Record::Notice(Notice::StrategyStarted { id: id(), strategy: "s".into() }),
        Record::Notice(Notice::StrategyStopped { id: id(), reason: "r".into() }),
        Record::StateHash([7; 32]),
    ];
    for record in records {
        let bytes = postcard::to_stdvec(&record.as_ref()).unwrap();
        assert_eq!(postcard::from_bytes::<Record>(&bytes), Ok(record));
    }
    let reason = || "r".to_owned();
    let reports = [
        VenueReport::Accepted { client_order_id: client_order_id(), venue_order_id: "v".parse().unwrap() },
        VenueReport::Rejected { client_order_id: client_order_id(), reason: reason() },
        VenueReport::Canceled { client_order_id: client_order_id(), reason: reason() },
        VenueReport::CancelRejected { client_order_id: client_order_id(), reason: reason() },
        VenueReport::Expired { client_order_id: client_order_id() },
        VenueReport::Amended { client_order_id: client_order_id(), qty: Quantity::MAX },
        VenueReport::ReplyLost { client_order_id: client_order_id(), reason: reason() },
        VenueReport::NotFound { client_order_id: client_order_id() },
    ];
    for report in reports {
        let input = Input::Report { account: 3, report };
        let bytes = postcard::to_stdvec(&input).unwrap();
        assert_eq!(postcard::from_bytes::<Input>(&bytes), Ok(input));
    }
    for actor in [Actor::Operator, Actor::System, Actor::Agent("a".into()), Actor::Strategy(id())] {
        let bytes = postcard::to_stdvec(&actor).unwrap();
        assert_eq!(postcard::from_bytes::<Actor>(&bytes), Ok(actor));
    }
}
