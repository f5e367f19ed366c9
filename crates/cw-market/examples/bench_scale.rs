//! Scale: 500 instruments × 20 events a second through candles of five timeframes, as it happens.
//!
//! One thread makes events at their time, one worker takes them in, one listener empties its mailbox every frame and one
//! never does. Rows: `SCALE-p99` (µs, from the moment an event was made to its candle being in the mailboxes, the
//! worker's sleep included), `SCALE-cpu` (percent of one core that the worker took), `SCALE-memory` (KiB that the process
//! grew by between the first second and the last), `SCALE-work` (ns of CPU time per event). The check says what went
//! through. `BENCH_SCALE` × 10 seconds.

#![expect(clippy::print_stdout, reason = "the output is the result")]

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use cw_core::{Calendar, InstrumentId, MarketEvent, MarketEventKind, Price, Quantity, Timeframe, Timestamp, Trade};
use cw_market::{CandleUpdate, Hub};

const INSTRUMENTS: usize = 500;
const PER_SECOND: u64 = 20;
const TIMEFRAMES: [Timeframe; 5] = [Timeframe::S1, Timeframe::M1, Timeframe::M5, Timeframe::H1, Timeframe::D1];
/// Just before a day ends, so that candles of every timeframe close.
const BEGIN: i64 = 1_700_006_400_000_000_000 - 5_000_000_000;
/// Events are made so often, a few at a time.
const STEP: Duration = Duration::from_micros(500);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let scale: f64 = std::env::var("BENCH_SCALE").map_or(Ok(1.0), |text| text.parse())?;
    let length = Duration::from_secs_f64((10.0 * scale).max(2.0));
    let ids: Vec<InstrumentId> =
        (0..INSTRUMENTS).map(|n| format!("S{n}.BENCH").parse()).collect::<Result<_, cw_core::IdError>>()?;
    let mut hub = Hub::new(&TIMEFRAMES, 2_000_000_000);
    for id in &ids {
        hub.add(id, Calendar::Continuous);
    }
    let (listener, stalled) = (hub.listen(65_536), hub.listen(1_024));
    let (events, queue) = mpsc::sync_channel::<(Instant, MarketEvent)>(65_536);
    let feed = thread::spawn(move || make(&ids, length, &events));
    let worker = thread::spawn(move || work(&mut hub, &queue));
    let mut closed = 0_u64;
    let (mut first_kib, mut frames) = (0, 0);
    let begun = Instant::now();
    while !worker.is_finished() {
        thread::sleep(Duration::from_millis(16));
        let mail = listener.take();
        if !mail.missed.is_empty() {
            return Err("a listener that reads every frame missed something".into());
        }
        closed +=
            mail.updates.iter().filter(|(_, update)| matches!(update, CandleUpdate::Closed { .. })).count() as u64;
        frames += 1;
        if first_kib == 0 && begun.elapsed() > Duration::from_secs(1) {
            first_kib = resident_kib();
        }
    }
    let made = feed.join().map_err(|_| "the feed failed")?;
    let mut done = worker.join().map_err(|_| "the worker failed")?;
    let grown = resident_kib() - first_kib;
    let left = stalled.take();
    let missed: u64 = left.missed.values().map(|missed| missed.count).sum();
    if done.nanos.len() as u64 != made || left.updates.len() > 1_024 {
        return Err(format!("{} of {made} events went through", done.nanos.len()).into());
    }
    done.nanos.sort_unstable();
    let at = |part: f64| f64::from(done.nanos[((done.nanos.len() - 1) as f64 * part) as usize]) / 1_000.0;
    let check = format!(
        r#"{{"events":{made},"closed":{closed},"frames":{frames},"stalled_missed":{missed},"p50_us":{:.1},"worst_us":{:.0}}}"#,
        at(0.5),
        at(1.0)
    );
    let percent = 100.0 * done.cpu_ns / done.wall.as_nanos() as f64;
    for (row, value, unit) in [
        ("SCALE-p99", at(0.99), "µs"),
        ("SCALE-cpu", percent, "% of a core"),
        ("SCALE-memory", grown.max(0) as f64, "KiB"),
        ("SCALE-work", done.cpu_ns / made as f64, "ns/event"),
    ] {
        println!(r#"{{"peer":"candlewick","row":"{row}","value":{value:.2},"unit":"{unit}","check":{check}}}"#);
    }
    Ok(())
}

/// Makes every event at its time, instruments in turn.
fn make(ids: &[InstrumentId], length: Duration, events: &mpsc::SyncSender<(Instant, MarketEvent)>) -> u64 {
    let (begun, mut made, mut state) = (Instant::now(), 0_u64, 1_u64);
    let mut prices = vec![100_000_i64; ids.len()];
    let per_second = ids.len() as u64 * PER_SECOND;
    while begun.elapsed() < length {
        let now = begun.elapsed();
        let due = now.as_nanos() as u64 * per_second / 1_000_000_000;
        while made < due {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let of = (made % ids.len() as u64) as usize;
            prices[of] = (prices[of] + (state >> 60) as i64 - 7).max(1_000);
            let event_time = Timestamp::from_nanos(BEGIN + now.as_nanos() as i64);
            let trade = Trade {
                event_time,
                price: Price::from_raw(prices[of] * 10_000_000),
                qty: Quantity::from_raw(i128::from(state >> 50) * 1_000_000),
                aggressor: None,
                trade_id: made + 1,
            };
            let event = MarketEvent {
                instrument: ids[of].clone(),
                received_at: event_time,
                kind: MarketEventKind::Trade(trade),
            };
            made += 1;
            if events.send((Instant::now(), event)).is_err() {
                return made;
            }
        }
        thread::sleep(STEP);
    }
    made
}

struct Done {
    nanos: Vec<u32>,
    cpu_ns: f64,
    wall: Duration,
}

fn work(hub: &mut Hub, queue: &mpsc::Receiver<(Instant, MarketEvent)>) -> Done {
    // All of it is touched before the measuring begins, so that growth is the hub's.
    let mut nanos = vec![1_u32; 2_000_000];
    nanos.clear();
    let (begun, before, mut advanced) = (Instant::now(), thread_cpu_ns(), BEGIN);
    while let Ok((made, event)) = queue.recv() {
        hub.on_event(&event);
        if event.received_at.as_nanos() - advanced > 250_000_000 {
            advanced = event.received_at.as_nanos();
            hub.advance(event.received_at);
        }
        nanos.push(u32::try_from(made.elapsed().as_nanos()).unwrap_or(u32::MAX));
    }
    Done { nanos, cpu_ns: thread_cpu_ns() - before, wall: begun.elapsed() }
}

#[expect(unsafe_code, reason = "CPU time of this thread has no safe interface in std")]
fn thread_cpu_ns() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the call to write to.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// Memory of the process; zero where the system does not say.
fn resident_kib() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
