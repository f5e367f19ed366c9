//! Nanoseconds per candle of the 61 candlestick patterns, ours and TA-Lib's, in one run, as JSON lines.
//!
//! `cargo run --profile bench -p cw-analysis --example bench_patterns [candles]`
//!
//! CPU time of the one thread, the minimum of the repetitions. With `BENCH_DATA` set the candles are those of
//! `candles_1m.bin` there (48-byte records, see the yardstick's generator), else a seeded walk of the same shape.
//! `check` is, for each pattern in TA-Lib's order, how many rows have a signal and the sum of the signals.

use std::hint::black_box;

use cw_analysis::candlestick::{self, COUNT, PATTERNS, Scan, Scanner};
use cw_analysis::{Columns, Ohlcv};
use cw_core::Timestamp;
use ta_lib::Core;

#[path = "../tests/common/ta_candles.rs"]
mod ta_candles;

const REPETITIONS: usize = 9;
/// Candles that TA-Lib's streams are opened with.
const STREAMS_FROM: usize = 64;

fn main() {
    let rows = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(1_000_000);
    let candles = read_candles(rows).unwrap_or_else(|| walk(rows));
    let columns = columns(&candles);

    let mut scan = Scan::default();
    let batch = measure(rows, || candlestick::scan_into(black_box(&columns), &mut scan));
    let ours = Check::of_rows(scan.rows().iter().copied());
    report("candlewick", "C-batch", batch, &ours);

    let mut signals = Vec::with_capacity(candles.len());
    let incremental = measure(rows, || {
        let mut scanner = Scanner::new();
        signals.clear();
        signals.extend(candles.iter().map(|candle| scanner.push(black_box(candle))));
    });
    report("candlewick", "C-incr", incremental, &Check::of_rows(signals.iter().copied()));

    let core = Core::new();
    let mut out = vec![0i32; candles.len()];
    let mut theirs = Check::default();
    let ta_lib = ta_candles::FUNCTIONS.iter().enumerate().map(|(pattern, (_, run, _))| {
        let nanos = measure(rows, || {
            black_box(ta_candles::run(&core, *run, black_box(&columns), &mut out));
        });
        let (_, column) = ta_candles::run(&core, *run, &columns, &mut out);
        for signal in column {
            theirs.add(pattern, *signal);
        }
        nanos
    });
    let ta_lib = ta_lib.sum();
    report("ta-lib", "C-batch", ta_lib, &theirs);
    assert!(ours == theirs, "every signal is TA-Lib's");
    ta_lib_streams(&candles, &columns, &theirs);
}

/// TA-Lib's streams, one per pattern, each called with every candle.
fn ta_lib_streams(candles: &[Ohlcv], columns: &Columns, expected: &Check) {
    let core = Core::new();
    let start = STREAMS_FROM.min(candles.len());
    let mut check = Check::default();
    let nanos = measure(candles.len() - start, || {
        let mut streams: Vec<_> = ta_candles::FUNCTIONS
            .iter()
            .map(|(_, _, open)| {
                let columns = [columns.open(), columns.high(), columns.low(), columns.close()];
                let [o, h, l, c] = columns.map(|column| &column[..start]);
                open(&core, o, h, l, c)
            })
            .collect();
        check = Check::of_rows(candlestick::scan(&self::columns(&candles[..start])).rows().iter().copied());
        for candle in &candles[start..] {
            for (pattern, stream) in streams.iter_mut().enumerate() {
                check.add(pattern, stream(black_box(candle)));
            }
        }
    });
    report("ta-lib", "C-incr", nanos, &check);
    assert!(check == *expected, "its streams say the same");
}

/// Signals that are not 0 and their sum, by pattern.
#[derive(PartialEq)]
struct Check([(u64, i64); COUNT]);

impl Default for Check {
    fn default() -> Self {
        Self([(0, 0); COUNT])
    }
}

impl Check {
    fn add(&mut self, pattern: usize, signal: i32) {
        self.0[pattern].0 += u64::from(signal != 0);
        self.0[pattern].1 += i64::from(signal);
    }
    fn of_rows(rows: impl Iterator<Item = candlestick::RowSignals>) -> Self {
        let mut check = Self::default();
        for (pattern, signal) in rows.flat_map(candlestick::RowSignals::iter) {
            check.add(pattern, signal.into());
        }
        check
    }
}

#[expect(clippy::print_stdout, reason = "the lines are this program's result")]
fn report(peer: &str, row: &str, nanos: f64, check: &Check) {
    let value = (nanos * 100.0).round() / 100.0;
    let names = PATTERNS.iter().map(|pattern| pattern.name);
    let check: serde_json::Map<_, _> =
        names.zip(check.0).map(|(name, check)| (name.to_owned(), serde_json::json!(check))).collect();
    println!("{}", serde_json::json!({"peer": peer, "row": row, "value": value, "unit": "ns/candle", "check": check}));
}

/// The fastest of the repetitions, per candle.
fn measure(rows: usize, mut run: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..REPETITIONS {
        let before = cpu_ns();
        run();
        best = best.min(cpu_ns() - before);
    }
    best / rows as f64
}

#[expect(unsafe_code, reason = "the clock of CPU time has no safe interface")]
fn cpu_ns() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes one timespec, which lives through it.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

fn columns(candles: &[Ohlcv]) -> Columns {
    let column = |pick: fn(&Ohlcv) -> f64| candles.iter().map(pick).collect();
    let times = candles.iter().map(|candle| candle.open_time).collect();
    let columns = [column(|c| c.open), column(|c| c.high), column(|c| c.low), column(|c| c.close)];
    let [open, high, low, close] = columns;
    Columns::try_new(times, open, high, low, close, column(|c| c.volume)).expect("finite numbers")
}

fn read_candles(rows: usize) -> Option<Vec<Ohlcv>> {
    let folder = std::env::var_os("BENCH_DATA")?;
    let bytes = std::fs::read(std::path::Path::new(&folder).join("candles_1m.bin")).ok()?;
    let records = bytes.as_chunks::<48>().0.iter().take(rows);
    Some(
        records
            .map(|record| {
                let [time, numbers @ ..] = record.as_chunks::<8>().0 else { unreachable!("48 bytes are 6 fields") };
                let number = |index: usize| f64::from_le_bytes(numbers[index]);
                let open_time = Timestamp::from_secs(i64::from_le_bytes(*time));
                let [open, high, low, close] = [0, 1, 2, 3].map(number);
                Ohlcv { open_time, open, high, low, close, volume: number(4) }
            })
            .collect(),
    )
}

/// A seeded walk of one-minute candles around 100 in cents: some six basis points a minute with fat tails, and every
/// tenth candle opens away from the close before, as in the yardstick's file.
fn walk(rows: usize) -> Vec<Ohlcv> {
    let mut state = 20_260_117u64;
    let mut unit = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut close = 10_000.0f64;
    (0..rows as i64)
        .map(|minute| {
            let mut bell = |size: f64| (unit() + unit() + unit() + unit() - 2.0) * size / (0.2 + unit());
            let gap = if bell(1.0) > 0.65 { bell(10.0) } else { 0.0 };
            let open = (close + gap).round();
            close = (open + bell(4.0)).round().max(1_000.0);
            let (high, low) = (open.max(close) + bell(3.0).abs(), open.min(close) - bell(3.0).abs());
            let [open, high, low, close] = [open, high.round(), low.round(), close].map(|cents| cents / 100.0);
            let open_time = Timestamp::from_secs(1_700_006_400 + 60 * minute);
            Ohlcv { open_time, open, high, low, close, volume: 1.0 }
        })
        .collect()
}
