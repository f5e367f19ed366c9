//! The running engine: what leaves, and when.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cw_core::{
    Actor, Amount, Clock, Currency, Instrument, ManualClock, Mode, OrderStatus, OrderType, PositionMode, Price,
    Quantity, Quote, Side, Surface, Timeframe, Timestamp,
};
use cw_engine::journal::{Block, GENESIS_HASH};
use cw_engine::runtime::{self, EngineHandle, Host, Published, Start, Supervisor};
use cw_engine::{AccountConfig, Command, Effect, Engine, EngineConfig, Envelope, OrderRequest, Reply};
use cw_execution::VenueReport;
use cw_risk::Limits;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

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
            opening_balance: Amount::from_raw(10_000_000_000_000_000_000_000),
            limits: Limits::default(),
            venue_cancels_siblings: true,
        }],
        timeframes: vec![Timeframe::M1],
        lateness_ns: 0,
        pegs: Vec::new(),
        closed_orders_kept: 100,
    }
}

/// A host that keeps what left, in order, and whose disk can be told to fail.
#[derive(Clone, Default)]
struct Desk {
    left: Arc<Mutex<Vec<String>>>,
    broken: Arc<AtomicBool>,
}

impl Desk {
    fn left(&self) -> Vec<String> {
        self.left.lock().unwrap().clone()
    }
    /// Waits until `count` effects whose text begins with `kind` have left.
    async fn until(&self, kind: &str, count: usize) {
        let found = || self.left().iter().filter(|text| text.starts_with(kind)).count();
        let wait = async {
            while found() < count {
                tokio::task::yield_now().await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(10), wait).await;
        assert!(waited.is_ok(), "{count} of {kind} never left: {:?}", self.left());
    }
}

impl Host for Desk {
    fn commit<'a>(&'a mut self, _: &'a Block) -> BoxFuture<'a, Result<(), String>> {
        let answer = if self.broken.load(Ordering::SeqCst) { Err("no space left".to_owned()) } else { Ok(()) };
        async move { answer }.boxed()
    }
    fn keep_snapshot(&mut self, _: u64, _: Vec<u8>) -> BoxFuture<'_, ()> {
        async {}.boxed()
    }
    fn perform(&mut self, effect: Effect) {
        let text = match effect {
            Effect::Submit { order, .. } => format!("submit {}", order.order().client_order_id),
            Effect::Cancel { client_order_id, .. } => format!("cancel {client_order_id}"),
            Effect::Amend { client_order_id, .. } => format!("amend {client_order_id}"),
        };
        self.left.lock().unwrap().push(text);
    }
    fn publish(&mut self, _: Published) {}
}

struct World {
    engine: EngineHandle,
    clock: Arc<ManualClock>,
    desk: Desk,
    /// Holds the tasks.
    _supervisor: Supervisor,
}

impl World {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_secs(1_700_000_000)));
        let supervisor = Supervisor::new();
        let desk = Desk::default();
        let start = Start { engine: Engine::new(config(), clock.now()), previous_hash: GENESIS_HASH };
        let engine = runtime::start(start, desk.clone(), Arc::clone(&clock) as Arc<dyn Clock>, &supervisor).unwrap();
        let (price, qty) = (Price::from_raw(100_000_000_000), Quantity::from_raw(5_000_000_000));
        let quote = Quote { event_time: clock.now(), bid: price, ask: price, bid_qty: qty, ask_qty: qty };
        engine.quote(0, quote).await.unwrap();
        Self { engine, clock, desk, _supervisor: supervisor }
    }

    async fn command(&self, command: Command) -> Reply {
        let envelope = Envelope { actor: Actor::Operator, surface: Surface::Rest, trace_id: "t".into(), command };
        self.engine.command(envelope).await.unwrap().unwrap()
    }

    /// A resting limit order that the venue has accepted, canceled by the operator; the venue never answers that.
    async fn unanswered_cancel(&self) {
        let (account, instrument) = ("paper".parse().unwrap(), "TEST.SIM".parse().unwrap());
        let request = OrderRequest {
            order_type: OrderType::Limit,
            limit_price: Some(Price::from_raw(99_000_000_000)),
            ..OrderRequest::market(account, instrument, Side::Buy, Quantity::from_raw(1_000_000_000))
        };
        let Reply::Order { order_id, client_order_id, .. } = self.command(Command::PlaceOrder(request)).await else {
            panic!("an order is answered with an order")
        };
        let accepted = VenueReport::Accepted { client_order_id, venue_order_id: "V1".parse().unwrap() };
        self.engine.report(0, accepted).await.unwrap();
        self.command(Command::CancelOrder { order_id }).await;
        self.desk.until("cancel", 1).await;
    }

    async fn pass(&self, seconds: i64) {
        self.clock.set(self.clock.now().plus_nanos(seconds * 1_000_000_000));
        self.engine.timer(self.clock.now()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_nobody_confirms_is_sent_again() {
    let world = World::new().await;
    world.unanswered_cancel().await;
    world.pass(1).await;
    world.desk.until("cancel", 2).await;
    world.pass(1).await;
    world.pass(6).await;
    world.desk.until("cancel", 3).await;

    let status = world.engine.read(|engine| engine.open_orders().map(|o| o.status).collect::<Vec<_>>()).await.unwrap();
    assert_eq!(status, [OrderStatus::Accepted], "it lives until the venue says otherwise");
    assert_eq!(world.desk.left().iter().filter(|text| text.starts_with("submit")).count(), 1, "an order goes out once");
    world.engine.stop().await;
    assert_eq!(world.desk.left().len(), 4, "once per period: {:?}", world.desk.left());
}

/// A clock that can be set.
struct Settable {
    now: AtomicI64,
    steady: AtomicI64,
}

impl Clock for Settable {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.now.load(Ordering::SeqCst))
    }
    fn steady(&self) -> i64 {
        self.steady.load(Ordering::SeqCst)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_makes_no_quote_younger() {
    const SECOND: i64 = 1_000_000_000;
    let clock = Arc::new(Settable { now: AtomicI64::new(1_700_000_000 * SECOND), steady: AtomicI64::new(0) });
    let supervisor = Supervisor::new();
    let start = Start { engine: Engine::new(config(), clock.now()), previous_hash: GENESIS_HASH };
    let ours = Arc::clone(&clock) as Arc<dyn Clock>;
    let engine = runtime::start(start, Desk::default(), ours, &supervisor).unwrap();
    let (price, qty) = (Price::from_raw(100_000_000_000), Quantity::from_raw(5_000_000_000));
    let quote = Quote { event_time: clock.now(), bid: price, ask: price, bid_qty: qty, ask_qty: qty };
    let buy = async || {
        let (account, instrument) = ("paper".parse().unwrap(), "TEST.SIM".parse().unwrap());
        let request = OrderRequest::market(account, instrument, Side::Buy, Quantity::from_raw(1_000_000_000));
        let command = Command::PlaceOrder(request);
        let envelope = Envelope { actor: Actor::Operator, surface: Surface::Rest, trace_id: "t".into(), command };
        engine.command(envelope).await.unwrap()
    };
    engine.quote(0, quote).await.unwrap();
    clock.now.fetch_add(-3_600 * SECOND, Ordering::SeqCst);
    assert!(buy().await.is_ok());
    for _ in 0..60 {
        clock.now.fetch_add(SECOND, Ordering::SeqCst);
        clock.steady.fetch_add(SECOND, Ordering::SeqCst);
        engine.timer(clock.now()).await.unwrap();
    }
    let denied = format!("{:?}", buy().await.unwrap_err());
    assert!(denied.contains("ms old, limit 15000 ms"), "{denied}");
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaves_while_the_journal_cannot_be_written() {
    let world = World::new().await;
    world.unanswered_cancel().await;
    let before = world.desk.left();
    world.desk.broken.store(true, Ordering::SeqCst);
    world.pass(10).await;
    // The engine has taken the timer once it answers a question that was asked behind it.
    world.engine.read(|_| ()).await.unwrap();
    assert_eq!(world.desk.left(), before);
    world.desk.broken.store(false, Ordering::SeqCst);
    world.desk.until("cancel", 2).await;
    world.engine.stop().await;
}

#[tokio::test]
async fn symbols_that_come_again_take_no_more_room() {
    let world = World::new().await;
    let ids: Vec<String> = (0..500).map(|n| format!("S{n}.FAR")).collect();
    let add = async || {
        for id in &ids {
            let instrument = Box::new(Instrument::from_file(id.parse().unwrap(), 2, 1));
            assert_eq!(world.command(Command::ListInstrument(instrument)).await, Reply::Done);
        }
    };
    // The journal names an instrument by its number, so what was there once keeps its place, and only that.
    let size =
        async || world.engine.read(|engine| (engine.instruments().len(), engine.snapshot().len())).await.unwrap();
    add().await;
    let once = size().await;
    assert_eq!(once.0, 501);
    for _ in 0..3 {
        add().await;
    }
    let again = size().await;
    assert!(again.0 == 501 && again.1.abs_diff(once.1) < 100, "{once:?} and {again:?}: counters may be a digit longer");
    // All of them are fed as before.
    for number in 0..501 {
        let price = Price::from_raw(100_000_000_000 + i64::from(number));
        let quote = Quote {
            event_time: world.clock.now(),
            bid: price,
            ask: price,
            bid_qty: Quantity::from_raw(1),
            ask_qty: Quantity::from_raw(1),
        };
        world.engine.quote(number, quote).await.unwrap();
    }
    let last = world.engine.read(|engine| engine.instruments()[500].quote).await.unwrap();
    assert_eq!(last.unwrap().bid.raw(), 100_000_000_500);
}
