//! Scale: 500 instruments × 20 events a second through the running engine, as it happens.
//!
//! The way of the product: a feed's queue, the engine thread with candles of five timeframes, its journal in SQLite on the
//! disk, and what is published once the journal has it. One subscriber reads every 33 ms, as a chart does; one never does.
//! Rows: `SCALE-p99` (µs, from the moment an event was made to its candle in the engine, asked on the engine thread for one
//! event in 16), `SCALE-told` (ms, p99, from there to the subscriber that reads: the journal gathers for 15 ms and the
//! subscriber looks every 33), `SCALE-cpu` (percent of one core that the process took without the thread that makes the
//! events), `SCALE-memory` (KiB that it grew by between the first third and the end), `SCALE-work` (ns of CPU time per
//! event). The check says what went through. `BENCH_SCALE` × 20 seconds.

#![expect(clippy::print_stdout, reason = "the output is the result")]

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use cw_core::{Clock, Instrument, Price, Quantity, SystemClock, Timeframe, Timestamp, Trade};
use cw_engine::journal::{Block, GENESIS_HASH};
use cw_engine::runtime::{self, EngineHandle, Host, Published, Start, Supervisor};
use cw_engine::{Effect, Engine, EngineConfig};
use cw_store::{Store, StoreConfig};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::sync::{broadcast, mpsc};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const INSTRUMENTS: u32 = 500;
const PER_SECOND: u64 = 20;
const TIMEFRAMES: [Timeframe; 5] = [Timeframe::M1, Timeframe::M5, Timeframe::M15, Timeframe::H1, Timeframe::D1];
/// Just before a day ends, so that candles of every timeframe close.
const BEGIN: i64 = 1_700_006_400_000_000_000 - 10_000_000_000;
/// Events are made so often, a few at a time.
const STEP: Duration = Duration::from_micros(500);
/// As the node has them: between provider and engine, and batches kept for a subscriber.
const QUEUE: usize = 4_096;
const BUS: usize = 1_024;
/// One event in so many is followed into its candle.
const PROBE: u64 = 16;

/// Writes the journal and tells everybody, as the node does.
struct Desk {
    store: Store,
    bus: broadcast::Sender<Arc<Published>>,
    blocks: Arc<AtomicU64>,
}

impl Host for Desk {
    fn commit<'a>(&'a mut self, block: &'a Block) -> BoxFuture<'a, Result<(), String>> {
        async move {
            let count = u32::try_from(block.count).map_err(|error| error.to_string())?;
            let journal = self.store.journal();
            let written = journal.append_block(block.first_seq, count, &block.bytes, block.previous_hash, block.hash);
            written.await.map_err(|error| error.to_string())?;
            self.blocks.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
        .boxed()
    }
    fn keep_snapshot(&mut self, _: u64, _: Vec<u8>) -> BoxFuture<'_, ()> {
        async {}.boxed()
    }
    fn perform(&mut self, _: Effect) {}
    fn publish(&mut self, batch: Published) {
        // Somebody always listens here.
        let _listeners = self.bus.send(Arc::new(batch));
    }
}

/// When each event was made, by its number, in nanoseconds since `begun`. Touched beforehand, so that growth is the
/// engine's.
struct Times {
    begun: Instant,
    made: Vec<AtomicI64>,
}

impl Times {
    fn new(events: usize) -> Self {
        Self { begun: Instant::now(), made: (0..events).map(|_| AtomicI64::new(1)).collect() }
    }
    fn now(&self) -> i64 {
        self.begun.elapsed().as_nanos() as i64
    }
    fn note(&self, id: u64) {
        self.made[id as usize].store(self.now(), Ordering::Relaxed);
    }
    fn since(&self, id: u64) -> i64 {
        self.now() - self.made[id as usize].load(Ordering::Relaxed)
    }
}

fn main() -> Result<(), Failure> {
    let scale: f64 = std::env::var("BENCH_SCALE").map_or(Ok(1.0), |text| text.parse())?;
    let length = Duration::from_secs_f64((20.0 * scale).max(3.0));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(measure(length))
}

async fn measure(length: Duration) -> Result<(), Failure> {
    let dir = tempfile::tempdir()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let config = StoreConfig { data_dir: dir.path().to_owned(), url: None, read_only: false };
    let store = Store::open_with_clock(&config, Arc::clone(&clock)).await?;
    let events = (length.as_secs_f64() * f64::from(INSTRUMENTS) * PER_SECOND as f64 * 1.2) as usize + 10_000;
    let times = Arc::new(Times::new(events));
    let (bus, listener) = broadcast::channel(BUS);
    let mut stalled = bus.subscribe();
    let blocks = Arc::new(AtomicU64::new(0));
    let host = Desk { store: store.clone(), bus, blocks: Arc::clone(&blocks) };
    let supervisor = Supervisor::new();
    let start = Start { engine: Engine::new(engine_config()?, clock.now()), previous_hash: GENESIS_HASH };
    let engine = runtime::start(start, host, Arc::clone(&clock), &supervisor)?;

    let (queue, waiting) = mpsc::channel(QUEUE);
    let probes = Arc::new(Mutex::new(Vec::with_capacity(events / PROBE as usize + 1)));
    let told = Arc::new(Mutex::new(Told { nanos: vec![1; events], ..Told::default() }));
    told.lock().unwrap_or_else(PoisonError::into_inner).nanos.clear();
    supervisor.spawn("feed", feed(engine.clone(), waiting, Arc::clone(&times), Arc::clone(&probes)));
    supervisor.spawn("chart", read(listener, Arc::clone(&times), Arc::clone(&told)));
    let timer = engine.clone();
    supervisor.spawn_until_stopped("timer", async move { tick(timer).await });

    let maker = thread::spawn({
        let times = Arc::clone(&times);
        move || make(length, &queue, &times)
    });
    let (wall, before) = (Instant::now(), cpu_ns(libc::CLOCK_PROCESS_CPUTIME_ID));
    tokio::time::sleep(length / 3).await;
    let first_kib = resident_kib();
    let (made, makers_ns) = tokio::task::spawn_blocking(move || maker.join()).await?.map_err(|_| "the feed failed")?;
    let (wall, cpu) = (wall.elapsed(), cpu_ns(libc::CLOCK_PROCESS_CPUTIME_ID) - before - makers_ns);
    let grown = resident_kib() - first_kib;
    supervisor.stop();
    engine.stop().await;
    drop(engine);
    supervisor.wait().await;

    let missed = match stalled.try_recv() {
        Err(TryRecvError::Lagged(missed)) => missed,
        _ => 0,
    };
    let told = std::mem::take(&mut *told.lock().unwrap_or_else(PoisonError::into_inner));
    let (worst, closed, lagged) = (sorted(told.nanos), told.closed, told.lagged);
    let probes = sorted(std::mem::take(&mut *probes.lock().unwrap_or_else(PoisonError::into_inner)));
    if worst.len() as u64 != made || lagged > 0 || (probes.len() as u64) < made / PROBE {
        return Err(format!("{} of {made} events were told, {} of them followed", worst.len(), probes.len()).into());
    }
    let check = format!(
        r#"{{"events":{made},"closed":{closed},"blocks":{},"stalled_missed":{missed},"p50_us":{:.1},"worst_us":{:.0}}}"#,
        blocks.load(Ordering::Relaxed),
        at(&probes, 0.5) / 1e3,
        at(&probes, 1.0) / 1e3
    );
    for (row, value, unit) in [
        ("SCALE-p99", at(&probes, 0.99) / 1e3, "µs"),
        ("SCALE-told", at(&worst, 0.99) / 1e6, "ms"),
        ("SCALE-cpu", 100.0 * cpu / wall.as_nanos() as f64, "% of a core"),
        ("SCALE-memory", grown.max(0) as f64, "KiB"),
        ("SCALE-work", cpu / made as f64, "ns/event"),
    ] {
        println!(r#"{{"peer":"candlewick","row":"{row}","value":{value:.2},"unit":"{unit}","check":{check}}}"#);
    }
    store.close().await?;
    Ok(())
}

fn engine_config() -> Result<EngineConfig, Failure> {
    let instrument = |n: u32| -> Result<Instrument, cw_core::IdError> {
        Ok(Instrument::from_file(format!("S{n}.BENCH").parse()?, 2, 3))
    };
    Ok(EngineConfig {
        seed: 1,
        instance: "scale".to_owned(),
        instruments: (0..INSTRUMENTS).map(instrument).collect::<Result<_, _>>()?,
        accounts: Vec::new(),
        timeframes: TIMEFRAMES.to_vec(),
        lateness_ns: 2_000_000_000,
        pegs: Vec::new(),
        closed_orders_kept: 16,
    })
}

/// Makes every event at its time, instruments in turn.
fn make(length: Duration, queue: &mpsc::Sender<(u32, Trade)>, times: &Times) -> (u64, f64) {
    let (begun, before, mut made, mut state) = (Instant::now(), cpu_ns(libc::CLOCK_THREAD_CPUTIME_ID), 0_u64, 1_u64);
    let mut prices = vec![100_000_i64; INSTRUMENTS as usize];
    let per_second = u64::from(INSTRUMENTS) * PER_SECOND;
    while begun.elapsed() < length {
        let now = begun.elapsed();
        let due = now.as_nanos() as u64 * per_second / 1_000_000_000;
        while made < due {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let number = (made % u64::from(INSTRUMENTS)) as u32;
            let price = &mut prices[number as usize];
            *price = (*price + (state >> 60) as i64 - 7).max(1_000);
            let trade = Trade {
                event_time: Timestamp::from_nanos(BEGIN + now.as_nanos() as i64),
                price: Price::from_raw(*price * 10_000_000),
                qty: Quantity::from_raw(i128::from(state >> 50) * 1_000_000),
                aggressor: None,
                trade_id: made + 1,
            };
            times.note(trade.trade_id);
            made += 1;
            if queue.blocking_send((number, trade)).is_err() {
                break;
            }
        }
        thread::sleep(STEP);
    }
    (made, cpu_ns(libc::CLOCK_THREAD_CPUTIME_ID) - before)
}

/// From the queue to the engine; behind some events a question that the engine thread answers when it gets there.
async fn feed(
    engine: EngineHandle,
    mut queue: mpsc::Receiver<(u32, Trade)>,
    times: Arc<Times>,
    probes: Arc<Mutex<Vec<i64>>>,
) {
    while let Some((number, trade)) = queue.recv().await {
        if engine.trade(number, trade).await.is_err() {
            return;
        }
        if trade.trade_id.is_multiple_of(PROBE) {
            let (times, probes) = (Arc::clone(&times), Arc::clone(&probes));
            let question = engine.read(move |engine| {
                let forming = engine.instruments()[number as usize].aggregator.forming(Timeframe::M1);
                // A candle that has closed at this very event has no successor yet that would hold it.
                if forming.is_some() {
                    probes.lock().unwrap_or_else(PoisonError::into_inner).push(times.since(trade.trade_id));
                }
            });
            // Asked; nobody waits for the answer.
            let _asked = question.now_or_never();
        }
    }
}

async fn tick(engine: EngineHandle) {
    let begun = Instant::now();
    let mut interval = tokio::time::interval(Duration::from_millis(250));
    loop {
        interval.tick().await;
        let now = Timestamp::from_nanos(BEGIN + begun.elapsed().as_nanos() as i64);
        if engine.timer(now).await.is_err() {
            return;
        }
    }
}

#[derive(Default)]
struct Told {
    nanos: Vec<i64>,
    closed: u64,
    lagged: u64,
}

/// Takes all that was published, 30 times a second.
async fn read(mut bus: broadcast::Receiver<Arc<Published>>, times: Arc<Times>, told: Arc<Mutex<Told>>) {
    let mut interval = tokio::time::interval(Duration::from_millis(33));
    loop {
        interval.tick().await;
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match bus.try_recv() {
                Ok(batch) => {
                    told.nanos.extend(batch.trades.iter().map(|(_, trade)| times.since(trade.trade_id)));
                    let closed = |update: &&(u32, cw_market::CandleUpdate)| {
                        matches!(update.1, cw_market::CandleUpdate::Closed { .. })
                    };
                    told.closed += batch.candles.iter().filter(closed).count() as u64;
                }
                Err(TryRecvError::Lagged(missed)) => told.lagged += missed,
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Closed) => return,
            }
        }
    }
}

fn sorted(mut nanos: Vec<i64>) -> Vec<i64> {
    nanos.sort_unstable();
    nanos
}

fn at(sorted: &[i64], part: f64) -> f64 {
    sorted.get((sorted.len().saturating_sub(1) as f64 * part) as usize).map_or(f64::NAN, |nanos| *nanos as f64)
}

#[expect(unsafe_code, reason = "CPU time has no safe interface in std")]
fn cpu_ns(clock: libc::clockid_t) -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the call to write to.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// Memory of the process; zero where the system does not say.
fn resident_kib() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
