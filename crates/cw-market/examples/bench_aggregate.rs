//! Aggregation speed: trades to 1m, 5m, 15m, 1h and 1d at once, late trades revising their candles.
//!
//! Prints one JSON line per row: `A-batch` (a run of trades handed over at once), `A-live` (one call per trade),
//! `A-live-100` (one call per trade, 100 instruments interleaved) and `A-live-p99` (the slowest percent of single calls,
//! wall time, with the clock's own cost in it). CPU time, minimum of the repetitions. The check is
//! `[candles, Σopen, Σhigh, Σlow, Σclose, Σvolume]` per timeframe, prices × 100 and sizes × 1000.
//!
//! With `BENCH_DATA` set it reads `trades_1.bin` and `trades_100.bin` of that directory (32-byte records, little endian,
//! in order of arrival: nanoseconds i64, price × 100 i64, size × 1000 i64, symbol u32, sequence u32); otherwise it makes
//! trades of the same shape, `BENCH_SCALE` × 10 million of them.
//!
//! There is no yardstick in the same run: the crates that fold trades by time either drop late ones or bring a whole
//! data-frame engine or a license that does not fit.

#![expect(clippy::print_stdout, reason = "the output is the result")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use cw_core::{Candle, Price, Quantity, Timeframe, Timestamp, Trade};
use cw_market::{Aggregator, CandleUpdate};

const TIMEFRAMES: [Timeframe; 5] = [Timeframe::M1, Timeframe::M5, Timeframe::M15, Timeframe::H1, Timeframe::D1];
const LATENESS: i64 = 6_000_000_000;
const REPETITIONS: usize = 7;
const BEGIN: i64 = 1_700_006_400_000_000_000;
const DAYS: f64 = 30.0;

/// One record of the file: nanoseconds, price × 100, size × 1000, symbol, sequence.
#[derive(Clone, Copy)]
struct Record {
    time: i64,
    price: i64,
    size: i64,
    symbol: u32,
    seq: u32,
}

impl Record {
    #[inline]
    fn trade(&self) -> Trade {
        Trade {
            event_time: Timestamp::from_nanos(self.time),
            price: Price::from_raw(self.price * 10_000_000),
            qty: Quantity::from_raw(i128::from(self.size) * 1_000_000),
            aggressor: None,
            trade_id: u64::from(self.seq) + 1,
        }
    }
}

/// What a listener keeps: the newest version of every candle.
#[derive(Default)]
struct Kept {
    candles: [Vec<Candle>; 5],
}

impl Kept {
    fn apply(&mut self, update: CandleUpdate) {
        let slot = |timeframe| TIMEFRAMES.iter().position(|tf| *tf == timeframe).expect("one of those asked for");
        match update {
            CandleUpdate::Closed { timeframe, candle, .. } => self.candles[slot(timeframe)].push(candle),
            CandleUpdate::Revised { timeframe, candle, .. } => {
                let candles = &mut self.candles[slot(timeframe)];
                let at = candles.partition_point(|c| c.open_time < candle.open_time);
                match candles.get_mut(at) {
                    Some(old) if old.open_time == candle.open_time => *old = candle,
                    _ => candles.insert(at, candle),
                }
            }
            CandleUpdate::Gap { .. } => {}
            CandleUpdate::Stale { .. } => unreachable!("only whole candles that are replaced make others stale"),
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let scale: f64 = std::env::var("BENCH_SCALE").map_or(Ok(1.0), |text| text.parse())?;
    let load = |name: &str, symbols: u32| match std::env::var_os("BENCH_DATA") {
        Some(dir) => read(&Path::new(&dir).join(name)),
        None => Ok(generate((10_000_000.0 * scale) as usize, symbols)),
    };
    let records = load("trades_1.bin", 1)?;
    report("A-batch", &records, 1, |aggregators, kept| {
        aggregators[0].on_trades(records.iter().map(Record::trade), 1, &mut |update| kept[0].apply(update));
    });
    report("A-live", &records, 1, |aggregators, kept| {
        for (record, seq) in records.iter().zip(1..) {
            aggregators[0].on_trade(&record.trade(), seq, &mut |update| kept[0].apply(update));
        }
    });
    slowest_percent(&records);
    drop(records);
    let records = load("trades_100.bin", 100)?;
    report("A-live-100", &records, 100, |aggregators, kept| {
        for (record, seq) in records.iter().zip(1..) {
            let symbol = record.symbol as usize;
            aggregators[symbol].on_trade(&record.trade(), seq, &mut |update| kept[symbol].apply(update));
        }
    });
    Ok(())
}

fn report(row: &str, records: &[Record], symbols: usize, mut run: impl FnMut(&mut [Aggregator], &mut [Kept])) {
    let mut best = f64::INFINITY;
    // Reused, so that the repetitions measure aggregation and not how the system hands out memory.
    let mut kept: Vec<Kept> = (0..symbols).map(|_| Kept::default()).collect();
    for _ in 0..REPETITIONS {
        let mut aggregators = vec![Aggregator::new(&TIMEFRAMES, LATENESS); symbols];
        kept.iter_mut().flat_map(|kept| &mut kept.candles).for_each(Vec::clear);
        let before = cpu_ns();
        run(&mut aggregators, &mut kept);
        for (aggregator, kept) in aggregators.iter_mut().zip(&mut kept) {
            aggregator
                .advance(Timestamp::from_nanos(BEGIN + 40 * 86_400_000_000_000), &mut |update| kept.apply(update));
        }
        best = best.min(cpu_ns() - before);
    }
    let check: Vec<String> = sums(&kept).iter().map(|(timeframe, sums)| format!(r#""{timeframe}":{sums:?}"#)).collect();
    println!(
        r#"{{"peer":"candlewick","row":"{row}","value":{:.3},"unit":"ns/trade","check":{{{}}}}}"#,
        best / records.len() as f64,
        check.join(",")
    );
}

fn sums(kept: &[Kept]) -> BTreeMap<Timeframe, [i128; 6]> {
    let mut sums = BTreeMap::new();
    for (slot, timeframe) in TIMEFRAMES.iter().enumerate() {
        let of: &mut [i128; 6] = sums.entry(*timeframe).or_default();
        for candle in kept.iter().flat_map(|kept| &kept.candles[slot]) {
            of[0] += 1;
            for (sum, price) in of[1..5].iter_mut().zip([candle.open, candle.high, candle.low, candle.close]) {
                *sum += i128::from(price.raw() / 10_000_000);
            }
            of[5] += candle.volume.raw() / 1_000_000;
        }
    }
    sums
}

/// The 99th percentile and the worst of single calls.
fn slowest_percent(records: &[Record]) {
    let mut aggregator = Aggregator::new(&TIMEFRAMES, LATENESS);
    let mut closed = 0_u64;
    let mut times: Vec<u32> = Vec::with_capacity(records.len());
    for (record, seq) in records.iter().zip(1..) {
        let begin = Instant::now();
        aggregator.on_trade(&record.trade(), seq, &mut |_| closed += 1);
        times.push(u32::try_from(begin.elapsed().as_nanos()).unwrap_or(u32::MAX));
    }
    times.sort_unstable();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    println!(
        r#"{{"peer":"candlewick","row":"A-live-p99","value":{},"unit":"ns","check":{{"updates":{closed},"p50":{},"p9999":{},"worst":{}}}}}"#,
        at(0.99).max(1),
        at(0.5),
        at(0.9999),
        at(1.0)
    );
}

#[expect(unsafe_code, reason = "CPU time of this process has no safe interface in std")]
fn cpu_ns() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a valid place for the call to write to.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

fn read(path: &Path) -> Result<Vec<Record>, Box<dyn std::error::Error>> {
    let bytes = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let long = |record: &[u8], n: usize| i64::from_le_bytes(record[8 * n..8 * n + 8].try_into().expect("eight bytes"));
    let record = |r: &[u8]| Record {
        time: long(r, 0),
        price: long(r, 1),
        size: long(r, 2),
        symbol: u32::from_le_bytes(r[24..28].try_into().expect("four bytes")),
        seq: u32::from_le_bytes(r[28..32].try_into().expect("four bytes")),
    };
    Ok(bytes.chunks_exact(32).map(record).collect())
}

/// Trades over thirty days at random moments, one in a thousand up to five seconds late, prices on a walk.
fn generate(count: usize, symbols: u32) -> Vec<Record> {
    let mut state = 20_260_117_u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
    };
    let weights: Vec<f64> = (1..=symbols).map(|n| 1.0 / f64::from(n).sqrt()).collect();
    let total: f64 = weights.iter().sum();
    let upto: Vec<f64> = weights
        .iter()
        .scan(0.0, |sum, weight| {
            *sum += weight / total;
            Some(*sum)
        })
        .collect();
    let mut prices: Vec<i64> = (0..i64::from(symbols)).map(|n| 10_000 + 37 * n).collect();
    let step = DAYS * 86_400e9 / count as f64;
    let mut now = 0.0;
    let trade = |seq: usize| {
        now += -random().ln() * step;
        let symbol = upto.partition_point(|upto| *upto < random()).min(prices.len() - 1);
        let moved = prices[symbol] + (random() * 5.0) as i64 - 2;
        prices[symbol] = if moved < 1_000 { 2_000 - moved } else { moved };
        let late = if random() < 0.001 { (random() * 5e9) as i64 } else { 0 };
        Record {
            time: (BEGIN + now as i64 - late).max(BEGIN),
            price: prices[symbol],
            size: 1 + (random() * 4_999.0) as i64,
            symbol: u32::try_from(symbol).expect("a symbol is an index"),
            seq: u32::try_from(seq).expect("fewer than 2³² trades"),
        }
    };
    (0..count).map(trade).collect()
}
