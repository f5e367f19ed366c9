//! Microseconds of one enriched candle with everything on, as JSON lines.
//!
//! `cargo run --profile bench -p cw-analysis --example bench_enrich [candles]`
//!
//! One thread. Incremental: percentiles over every candle of a series, and over a hundred series taken in turn. Cold: a
//! new series of 500 candles up to its first enriched candle. Growth: by how much memory has grown when a hundred series
//! are through, beside what they had after a tenth. `check` is the sum of all features and indicators given, so that a
//! faster wrong answer shows.

use std::hint::black_box;
use std::time::Instant;

use cw_analysis::enrich::{EnrichedCandle, Enricher};
use cw_core::{Candle, Price, Timeframe, Timestamp, Volume};

const REPETITIONS: usize = 5;
const SERIES: usize = 100;
const COLD: usize = 500;

fn main() {
    let rows: usize = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(100_000);
    let candles = walk(rows);
    // The least disturbed repetition counts; a percentile of all of them would measure the machine.
    let runs: Vec<(Vec<f64>, f64)> = (0..REPETITIONS).map(|_| incremental(&candles, 1)).collect();
    let crowd: Vec<(Vec<f64>, f64)> = (0..REPETITIONS).map(|_| incremental(&candles, SERIES)).collect();
    let best = |runs: &[(Vec<f64>, f64)], share| {
        runs.iter().map(|(sorted, _)| percentile(sorted, share)).fold(f64::INFINITY, f64::min)
    };
    report("ENR", best(&runs, 0.5), runs[0].1);
    report("ENR-p99", best(&runs, 0.99), runs[0].1);
    report("ENR-100", best(&crowd, 0.5), crowd[0].1);
    // A hundred candles of one minute a minute: the mean of them all counts, not what a lucky one needs.
    let mean = |(times, _): &(Vec<f64>, f64)| times.iter().sum::<f64>() / times.len() as f64;
    let micros = crowd.iter().map(mean).fold(f64::INFINITY, f64::min);
    let share = 100.0 * micros * SERIES as f64 / 60e6;
    report_as("ENR-100-load", share, "% of a core", crowd[0].1);
    if let Some(kib) = growth(&candles) {
        report_as("ENR-100-growth", kib, "KiB", crowd[0].1);
    }
    let mut colds: Vec<f64> = Vec::new();
    let mut check = 0.0;
    for _ in 0..20 * REPETITIONS {
        let start = Instant::now();
        let enricher = enricher().with_history(black_box(&candles[..COLD]), Timestamp::EPOCH);
        colds.push(start.elapsed().as_secs_f64() * 1e6);
        check = enricher.latest().map_or(0.0, sum);
    }
    colds.sort_unstable_by(f64::total_cmp);
    report("ENR-cold", percentile(&colds, 0.5), check);
}

fn enricher() -> Enricher {
    Enricher::new("BENCH.SIM".parse().expect("an instrument"), Timeframe::M1, "SIM".to_owned())
}

/// Sorted times of each candle, and the sum of all answers.
fn incremental(candles: &[Candle], series: usize) -> (Vec<f64>, f64) {
    let mut enrichers = vec![enricher(); series];
    let mut times = Vec::with_capacity(candles.len());
    let mut total = 0.0;
    for (number, candle) in candles.iter().enumerate() {
        // Every series sees each of its candles once, in order.
        let enricher = &mut enrichers[number % series];
        let start = Instant::now();
        let enriched = enricher.push(black_box(candle), Timestamp::EPOCH);
        times.push(start.elapsed().as_secs_f64() * 1e6);
        total += sum(enriched);
    }
    times.sort_unstable_by(f64::total_cmp);
    (times, total)
}

/// What a hundred series take more at their end than after a tenth of their candles, in KiB. Linux tells.
fn growth(candles: &[Candle]) -> Option<f64> {
    let resident = || {
        let pages: f64 = std::fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse().ok()?;
        Some(pages * 4.0)
    };
    let mut enrichers = vec![enricher(); SERIES];
    let (tenth, rest) = candles.split_at(candles.len() / 10);
    let mut feed = |candles: &[Candle]| {
        for candle in candles {
            for enricher in &mut enrichers {
                black_box(enricher.push(candle, Timestamp::EPOCH));
            }
        }
    };
    feed(tenth);
    let before = resident()?;
    // Each sees them all: a day and more of minutes.
    feed(&rest[..rest.len().min(2_000)]);
    Some(resident()? - before)
}

fn sum(enriched: &EnrichedCandle) -> f64 {
    let features: f64 = enriched.features.iter().flatten().sum();
    features + enriched.indicators.values().iter().filter(|value| value.is_finite()).sum::<f64>()
}

fn percentile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

#[expect(clippy::print_stdout, reason = "the lines are this program's result")]
fn report_as(row: &str, value: f64, unit: &str, check: f64) {
    let value = (value * 1e6).round() / 1e6;
    println!("{}", serde_json::json!({"peer": "candlewick", "row": row, "value": value, "unit": unit, "check": check}));
}

fn report(row: &str, micros: f64, check: f64) {
    report_as(row, micros, "µs", check);
}

/// A seeded walk of one-minute candles around 100.
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
            let (high, low) = (open.max(close) + next(4), open.min(close) - next(4));
            let [open, high, low, close] = [open, high, low, close].map(|cents| Price::from_raw(cents * 10_000_000));
            let volume = Volume::from_raw(i128::from(next(100_000)) * 1_000_000);
            Candle { open_time: Timestamp::from_secs(1_700_006_400 + 60 * minute), open, high, low, close, volume }
        })
        .collect()
}
