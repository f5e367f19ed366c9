//! Backtest speed: EMA 10/20 through decision, gate, broker, fill, position and ledger.
//!
//! Prints one JSON line per row. With `BENCH_DATA` set it reads `candles_1m.bin` of that directory (48-byte records:
//! seconds i64, then open, high, low, close, volume as f64, little endian); otherwise it makes a walk of its own.

#![expect(clippy::print_stdout, reason = "the output is the result")]

use std::collections::BTreeMap;
use std::io::{BufReader, Read as _};
use std::path::Path;

use cw_analysis::Strategy;
use cw_backtest::{ExitReason, Setup, run};
use cw_core::{Candle, Instrument, Price, Timeframe, Timestamp, Volume};
use cw_execution::FillModel;
use cw_risk::Limits;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let candles = match std::env::var_os("BENCH_DATA") {
        Some(dir) => read(&Path::new(&dir).join("candles_1m.bin"))?,
        None => walk(1_000_000),
    };
    let shipped = Strategy::shipped().iter().find(|s| s.name == "ema-cross").ok_or("ema-cross is shipped")?;
    let setup = Setup {
        strategy: Strategy::from_toml(shipped.source, &BTreeMap::new())?,
        instrument: Instrument::from_file("BENCH.FILE".parse()?, 2, 3),
        timeframe: Timeframe::M1.into(),
        cash: "10000".parse()?,
        fills: FillModel::default(),
        limits: Limits::unlimited(),
    };
    for (row, n) in [("D-bar", candles.len()), ("D-bar-100k", candles.len().min(100_000))] {
        let (best, result) = best_of(7, || run(&setup, &candles[..n], &mut |_| true));
        let result = result?;
        println!(
            r#"{{"peer":"candlewick","row":"{row}","value":{:.2},"unit":"ns/bar","check":{{"fills":{},"pnl":{}}}}}"#,
            best / n as f64,
            // The close-out after the last candle is no fill of the strategy's; its result counts.
            result.metrics.fills - u64::from(result.trades.last().is_some_and(|t| t.exit_reason == ExitReason::End)),
            result.metrics.net_profit
        );
    }
    // What an order costs: the same candles with and without rules that trade, per order of difference.
    let idle = Setup {
        strategy: Strategy::from_toml(
            shipped.source,
            &BTreeMap::from([("slow".to_owned(), "400".to_owned()), ("fast".to_owned(), "399".to_owned())]),
        )?,
        ..setup.clone()
    };
    let (busy_ns, busy) = best_of(5, || run(&setup, &candles, &mut |_| true));
    let (idle_ns, quiet) = best_of(5, || run(&idle, &candles, &mut |_| true));
    let orders = busy?.metrics.orders.saturating_sub(quiet?.metrics.orders);
    println!(
        r#"{{"peer":"candlewick","row":"D-order","value":{:.0},"unit":"ns","check":{{"orders":{orders}}}}}"#,
        (busy_ns - idle_ns) / orders as f64
    );
    println!(
        r#"{{"peer":"candlewick","row":"D-mem","value":{:.1},"unit":"MB","check":{{"bars":{}}}}}"#,
        peak_memory_mb(),
        candles.len()
    );
    Ok(())
}

/// Least CPU time of some repetitions, in nanoseconds, with the last answer.
fn best_of<T>(times: usize, mut work: impl FnMut() -> T) -> (f64, T) {
    let mut once = || {
        let before = cpu_ns();
        let answer = std::hint::black_box(work());
        (cpu_ns() - before, answer)
    };
    let (mut best, mut answer) = once();
    for _ in 1..times {
        let (time, next) = once();
        best = best.min(time);
        answer = next;
    }
    (best, answer)
}

#[expect(unsafe_code, reason = "CPU time of this process has no safe interface in std")]
fn cpu_ns() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the call to write to.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

#[expect(unsafe_code, reason = "peak memory of this process has no safe interface in std")]
fn peak_memory_mb() -> f64 {
    // SAFETY: an all-zero rusage is valid, and the call only writes to it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    usage.ru_maxrss as f64 / 1024.0
}

/// Reads record by record, so that the file does not stand in memory beside the candles.
fn read(path: &Path) -> Result<Vec<Candle>, Box<dyn std::error::Error>> {
    const RECORD: usize = 48;
    let file = std::fs::File::open(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let count = file.metadata()?.len() as usize / RECORD;
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let mut candles = Vec::with_capacity(count);
    let mut record = [0; RECORD];
    for _ in 0..count {
        reader.read_exact(&mut record)?;
        let field = |n: usize| f64::from_le_bytes(record[8 * n..8 * n + 8].try_into().expect("eight bytes"));
        candles.push(Candle {
            open_time: Timestamp::from_secs(i64::from_le_bytes(record[..8].try_into()?)),
            open: Price::from_f64(field(1))?,
            high: Price::from_f64(field(2))?,
            low: Price::from_f64(field(3))?,
            close: Price::from_f64(field(4))?,
            volume: Volume::from_f64(field(5))?,
        });
    }
    Ok(candles)
}

/// A seeded walk of the same shape as the shared data: about six basis points a minute.
fn walk(n: usize) -> Vec<Candle> {
    let mut state = 20_260_117u64;
    let mut uniform = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1u32 << 31)
    };
    let cents = |value: f64| Price::from_raw((value * 100.0).round() as i64 * 10_000_000);
    let mut close = 100.0f64;
    (0..n)
        .map(|i| {
            let open = close;
            let step: f64 = (0..4).map(|_| uniform() - 0.5).sum();
            close = (open * (1.0 + 1e-3 * step)).clamp(20.0, 500.0);
            let (up, down) = (uniform() * 4e-4 * close, uniform() * 4e-4 * close);
            Candle {
                open_time: Timestamp::from_secs(1_700_006_400 + 60 * i as i64),
                open: cents(open),
                high: cents(open.max(close) + up),
                low: cents(open.min(close) - down),
                close: cents(close),
                volume: Volume::from_raw(20_000_000_000),
            }
        })
        .collect()
}
