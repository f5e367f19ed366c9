//! Nanoseconds per candle of indicators and strategies, ours and TA-Lib's, in one run, as JSON lines.
//!
//! `cargo run --profile bench -p cw-analysis --example bench_indicators [candles]`
//!
//! Wall time, the minimum of the repetitions; everything runs on one thread. With `BENCH_DATA` set the candles are
//! those of `candles_1m.bin` there (48-byte records, see the yardstick's generator), else a seeded walk of the same
//! shape. `check` is the count of finite values and their sum, so that a faster wrong answer shows.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use cw_analysis::{Columns, Strategy, StudySet};
use cw_core::{Candle, Price, Timeframe, Timestamp, Volume};
use ta_lib::{Core, MAType};

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
    "vwap",
    "roc(10)",
    "kc(20,10,2)",
    "donchian(20)",
];

fn main() {
    let rows = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(1_000_000);
    let candles = read_candles(rows).unwrap_or_else(|| walk(rows));
    let columns = Columns::from_candles(&candles);
    let mut sums = [0.0, 0.0];
    for set in SET {
        let ours = batch(set, set, &columns);
        let theirs = ta_lib(set, &columns);
        sums[0] += ours;
        sums[1] += theirs;
    }
    report("candlewick", "16 in sum", sums[0], (0, 0.0));
    report("ta-lib", "16 in sum", sums[1], (0, 0.0));
    batch("16 fused", &SET.join(","), &columns);
    incremental("16 one by one", &SET.join(","), &candles);
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
fn report(peer: &str, row: &str, nanos: f64, check: Check) {
    let line = serde_json::json!({"peer": peer, "row": row, "value": (nanos * 100.0).round() / 100.0, "unit": "ns/candle", "check": [check.0, check.1]});
    println!("{line}");
}

/// The fastest of the repetitions, per candle.
fn measure(rows: usize, mut run: impl FnMut()) -> f64 {
    let once = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed().as_nanos() as f64 / rows as f64
    };
    (0..REPETITIONS).map(|_| once(&mut run)).fold(f64::INFINITY, f64::min)
}

fn batch(row: &str, set: &str, columns: &Columns) -> f64 {
    let set = StudySet::parse(set).expect("a valid set");
    let mut output = Vec::new();
    let nanos = measure(columns.len(), || {
        let mut state = set.new_state(Timeframe::M1).expect("no other timeframe");
        set.batch_into(&mut state, black_box(columns), &mut output);
    });
    report("candlewick", row, nanos, check(output.iter().map(Vec::as_slice)));
    nanos
}

fn incremental(row: &str, set: &str, candles: &[Candle]) {
    let set = StudySet::parse(set).expect("a valid set");
    let mut values = Vec::new();
    let mut total = (0, 0.0);
    let nanos = measure(candles.len(), || {
        let mut state = set.new_state(Timeframe::M1).expect("no other timeframe");
        total = (0, 0.0);
        for candle in candles {
            set.push(&mut state, black_box(candle), &mut values);
            let last = values.last().copied().unwrap_or_default();
            if last.is_finite() {
                total.0 += 1;
                total.1 += last;
            }
        }
    });
    report("candlewick", row, nanos, total);
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
            "vwap" => core.vwap(0, n - 1, x.high(), x.low(), x.close(), x.volume(), a),
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
