//! Nanoseconds per candle of indicators and strategies, ours beside TA-Lib's, wickra's and yata's, in one run, as JSON
//! lines.
//!
//! `cargo run --profile bench -p cw-analysis --example bench_indicators [candles]`
//!
//! CPU time of the one thread, the minimum of the repetitions. B-batch is the sixteen of the yardstick over columns at
//! once, B-incr the same one candle at a time, B-all every indicator at its defaults one candle at a time. With `BENCH_DATA` set the candles are
//! those of `candles_1m.bin` there (48-byte records, see the yardstick's generator), else a seeded walk of the same
//! shape. `check` is the count of finite values and their sum, so that a faster wrong answer shows.

use std::collections::BTreeMap;
use std::hint::black_box;

use cw_analysis::{Columns, Strategy, StudySet, indicators};
use cw_core::{Candle, Price, Timeframe, Timestamp, Volume};
use ta_lib::{Core, MAType};

#[path = "bench_indicators/peers.rs"]
mod peers;

const REPETITIONS: usize = 7;
/// The sixteen of the yardstick.
const SET: [&str; 16] = [
    "sma(20)",
    "ema(20)",
    "macd(12,26,9)",
    "rsi(14)",
    "stoch(5,3,3)",
    "wpr(14)",
    "bb(20,2)",
    "atr(14)",
    "adx(14)",
    "cci(14)",
    "mfi(14)",
    "obv",
    "vwap(0)",
    "roc(10)",
    "kc(20,10,2)",
    "donchian(20)",
];

fn main() {
    let wanted = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(1_000_000);
    let candles = read_candles(wanted).unwrap_or_else(|| walk(wanted));
    let rows = candles.len();
    let columns = Columns::from_candles(&candles);
    let mut sums = [0.0, 0.0];
    for set in SET {
        let ours = batch(set, set, &columns);
        let theirs = ta_lib(set, &columns);
        sums[0] += ours;
        sums[1] += theirs;
    }
    report("candlewick", "B 16 one after the other", sums[0], (0, 0.0));
    report("ta-lib", "B 16 one after the other", sums[1], (0, 0.0));
    report("ta-lib", "B-batch", sums[1], (0, 0.0));
    let foreign = peers::wickra_candles(&columns);
    peer("wickra", "B-batch", rows, || peers::wickra_batch(&foreign));
    batch("B-batch", &SET.join(","), &columns);
    peer("wickra", "B-incr", rows, || peers::wickra_incremental(&foreign));
    let foreign = peers::yata_candles(&columns);
    peer("yata, 13 of them", "B-incr", rows, || peers::yata_incremental(&foreign));
    incremental("B-incr", &SET.join(","), &candles);
    let all: Vec<&str> = indicators::all().iter().map(|entry| entry.spec.name).collect();
    incremental(&format!("B-all {}", all.len()), &all.join(","), &candles[..rows / 10]);
    for shipped in Strategy::shipped() {
        strategy(shipped.name, shipped.source, &candles);
    }
}

/// Count of finite values and their sum.
type Check = (usize, f64);

fn check<'a>(columns: impl IntoIterator<Item = &'a [f64]>) -> Check {
    let mut check = (0, 0.0);
    for value in columns.into_iter().flatten().filter(|value| value.is_finite()) {
        check.0 += 1;
        check.1 += value;
    }
    check
}

#[expect(clippy::print_stdout, reason = "the lines are this program's result")]
fn report(peer: &str, row: &str, nanos: f64, check: impl serde::Serialize) {
    let value = (nanos * 100.0).round() / 100.0;
    let line = serde_json::json!({"peer": peer, "row": row, "value": value, "unit": "ns/candle", "check": check});
    println!("{line}");
}

/// The fastest of the repetitions, per candle.
fn measure(rows: usize, mut run: impl FnMut()) -> f64 {
    let once = |run: &mut dyn FnMut()| {
        let start = cpu_ns();
        run();
        (cpu_ns() - start) / rows as f64
    };
    (0..REPETITIONS).map(|_| once(&mut run)).fold(f64::INFINITY, f64::min)
}

#[expect(unsafe_code, reason = "the clock of CPU time has no safe interface")]
fn cpu_ns() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec of ours, which the call fills.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// Another library, which says how many values it gave.
fn peer(name: &str, row: &str, rows: usize, mut run: impl FnMut() -> usize) {
    let mut count = 0;
    let nanos = measure(rows, || count = run());
    report(name, row, nanos, (count, 0.0));
}

fn batch(row: &str, set: &str, columns: &Columns) -> f64 {
    let set = StudySet::parse(set).expect("a valid set");
    let mut output = Vec::new();
    let nanos = measure(columns.len(), || {
        let mut state = set.new_state(Timeframe::M1).expect("no other timeframe");
        set.batch_into(&mut state, black_box(columns), &mut output);
    });
    let checks: Vec<Check> = output.iter().map(|column| check([column.as_slice()])).collect();
    report("candlewick", row, nanos, checks);
    nanos
}

fn incremental(row: &str, set: &str, candles: &[Candle]) {
    let set = StudySet::parse(set).expect("a valid set");
    let nanos = measure(candles.len(), || one_by_one(&set, candles, |_| {}));
    // What it gives is counted in a run of its own.
    let mut checks = vec![(0, 0.0); set.columns().len()];
    one_by_one(&set, candles, |values| {
        for (check, value) in checks.iter_mut().zip(values).filter(|(_, value)| value.is_finite()) {
            *check = (check.0 + 1, check.1 + value);
        }
    });
    report("candlewick", row, nanos, checks);
}

fn one_by_one(set: &StudySet, candles: &[Candle], mut take: impl FnMut(&[f64])) {
    let mut values = Vec::new();
    let mut state = set.new_state(Timeframe::M1).expect("no other timeframe");
    for candle in candles {
        set.push(&mut state, black_box(candle), &mut values);
        take(black_box(&values));
    }
}

fn strategy(name: &str, source: &str, candles: &[Candle]) {
    let strategy = Strategy::from_toml(source, &BTreeMap::new()).expect("a shipped strategy");
    let mut signals = 0;
    let nanos = measure(candles.len(), || {
        let mut state = strategy.new_state(Timeframe::M1).expect("no other timeframe");
        signals = 0;
        for candle in candles {
            let said = strategy.update(&mut state, black_box(candle));
            signals += usize::from(said.enter_long) + usize::from(said.exit_long);
        }
    });
    report("candlewick", name, nanos, (signals, 0.0));
}

fn ta_lib(set: &str, x: &Columns) -> f64 {
    let core = Core::new();
    let n = x.len();
    let mut out = [vec![0.0; n], vec![0.0; n], vec![0.0; n]];
    let mut count = 0;
    let mut used = 1;
    let nanos = measure(n, || {
        let [a, b, c] = &mut out;
        let range = match set {
            "sma(20)" => core.sma(0, n - 1, x.close(), 20, a),
            "ema(20)" => core.ema(0, n - 1, x.close(), 20, a),
            "rsi(14)" => core.rsi(0, n - 1, x.close(), 14, a),
            "wpr(14)" => core.willr(0, n - 1, x.high(), x.low(), x.close(), 14, a),
            "atr(14)" => core.atr(0, n - 1, x.high(), x.low(), x.close(), 14, a),
            "cci(14)" => core.cci(0, n - 1, x.high(), x.low(), x.close(), 14, a),
            "mfi(14)" => core.mfi(0, n - 1, x.high(), x.low(), x.close(), x.volume(), 14, a),
            "obv" => core.obv(0, n - 1, x.close(), x.volume(), a),
            "vwap(0)" => core.vwap(0, n - 1, x.high(), x.low(), x.close(), x.volume(), a),
            "roc(10)" => core.roc(0, n - 1, x.close(), 10, a),
            // Ours gives both directional indicators with it: three calls here.
            "adx(14)" => {
                used = 3;
                core.plus_di(0, n - 1, x.high(), x.low(), x.close(), 14, b).expect("enough candles");
                core.minus_di(0, n - 1, x.high(), x.low(), x.close(), 14, c).expect("enough candles");
                core.adx(0, n - 1, x.high(), x.low(), x.close(), 14, a)
            }
            "macd(12,26,9)" => {
                used = 3;
                core.macd(0, n - 1, x.close(), 12, 26, 9, a, b, c)
            }
            "bb(20,2)" => {
                used = 3;
                core.bbands(0, n - 1, x.close(), 20, 2.0, 2.0, MAType::SMA, a, b, c)
            }
            "donchian(20)" => {
                used = 3;
                core.donchian(0, n - 1, x.high(), x.low(), 20, a, b, c)
            }
            "kc(20,10,2)" => {
                used = 3;
                core.kc(0, n - 1, x.high(), x.low(), x.close(), 20, 10, 2.0, a, b, c)
            }
            _ => {
                used = 2;
                core.stoch(0, n - 1, x.high(), x.low(), x.close(), 5, 3, MAType::SMA, 3, MAType::SMA, a, b)
            }
        };
        count = range.expect("enough candles").count;
        black_box(&out);
    });
    report("ta-lib", set, nanos, check(out[..used].iter().map(|column| &column[..count])));
    nanos
}

/// Prices in cents, volume in thousandths, as in the yardstick's file.
fn candle(seconds: i64, [open, high, low, close]: [i64; 4], milli_volume: i64) -> Candle {
    let price = |cents: i64| Price::from_raw(cents * 10_000_000);
    Candle {
        open_time: Timestamp::from_secs(seconds),
        open: price(open),
        high: price(high),
        low: price(low),
        close: price(close),
        volume: Volume::from_raw(i128::from(milli_volume) * 1_000_000),
    }
}

fn read_candles(rows: usize) -> Option<Vec<Candle>> {
    let folder = std::env::var_os("BENCH_DATA")?;
    let bytes = std::fs::read(std::path::Path::new(&folder).join("candles_1m.bin")).ok()?;
    let records = bytes.as_chunks::<48>().0.iter().take(rows);
    let field = |record: &[u8; 48], at: usize| <[u8; 8]>::try_from(&record[at..at + 8]).expect("eight bytes");
    let cents = |record: &[u8; 48], at: usize| (f64::from_le_bytes(field(record, at)) * 100.0).round() as i64;
    Some(
        records
            .map(|record| {
                let prices = [8, 16, 24, 32].map(|at| cents(record, at));
                let volume = (f64::from_le_bytes(field(record, 40)) * 1_000.0).round() as i64;
                candle(i64::from_le_bytes(field(record, 0)), prices, volume)
            })
            .collect(),
    )
}

/// A seeded walk of one-minute candles around 100, some six basis points a minute.
fn walk(rows: usize) -> Vec<Candle> {
    let mut state = 20_260_117u64;
    let mut next = |range: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((state >> 33) % range) as i64
    };
    let mut close = 10_000i64;
    (0..rows as i64)
        .map(|minute| {
            let open = close;
            close = (close + next(13) - 6).max(1_000);
            let prices = [open, open.max(close) + next(4), open.min(close) - next(4), close];
            candle(1_700_006_400 + 60 * minute, prices, next(100_000))
        })
        .collect()
}
