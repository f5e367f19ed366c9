//! Milliseconds of one search among a million rows of 64 features, ours and a plain full scan, as JSON lines.
//!
//! `cargo run --profile bench -p cw-analysis --example bench_similar [rows]`
//!
//! One thread, wall time over 40 different moments. Both must find the same rows; `check` is their sum.

use std::hint::black_box;
use std::time::Instant;

use cw_analysis::similar::{Library, Query};

const N: usize = 64;
const SEARCHES: usize = 40;

fn main() {
    let rows: usize = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(1_000_000);
    let library = library(rows);
    let queries: Vec<Query> =
        (0..SEARCHES).map(|k| Query { gap: 20, ..Query::new(rows - 1 - k * (rows / 100 / SEARCHES)) }).collect();
    let last = |query: &Query| query.at + 1 - 60 - query.embargo;

    let mut plain = Vec::new();
    let mut expected = 0;
    for query in queries.iter().step_by(8) {
        let start = Instant::now();
        expected += full_scan(&library, query.at, last(query), query.count, query.gap).iter().sum::<usize>();
        plain.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let (mut ours, mut whole) = (Vec::new(), Vec::new());
    let mut check = 0;
    for (number, query) in queries.iter().enumerate() {
        let start = Instant::now();
        let found = library.index().nearest(library.index().row(query.at), 0..last(query), query.count, query.gap);
        ours.push(start.elapsed().as_secs_f64() * 1e3);
        if number % 8 == 0 {
            check += found.iter().map(|neighbour| neighbour.at).sum::<usize>();
        }
        let start = Instant::now();
        black_box(library.search(query).expect("enough history"));
        whole.push(start.elapsed().as_secs_f64() * 1e3);
    }
    assert_eq!(check, expected, "another answer than a full scan's");
    for (row, share) in [("UNQ-8-p50", 0.5), ("UNQ-8-p95", 0.95)] {
        report("candlewick", row, percentile(&mut ours, share), check);
        report("full f32 scan", row, percentile(&mut plain, share), expected);
    }
    report("candlewick", "UNQ-8 with outcomes, p95", percentile(&mut whole, 0.95), check);
}

#[expect(clippy::print_stdout, reason = "the lines are this program's result")]
fn report(peer: &str, row: &str, millis: f64, check: usize) {
    println!("{}", serde_json::json!({"peer": peer, "row": row, "value": millis, "unit": "ms", "check": check}));
}

fn percentile(values: &mut [f64], share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share).round() as usize]
}

/// Every distance as floats, sorted, and the nearest ones taken that keep the gap.
fn full_scan(library: &Library<N>, at: usize, last: usize, count: usize, gap: usize) -> Vec<usize> {
    let query = library.index().row(at);
    let mut all: Vec<(f32, usize)> = (0..last)
        .map(|row| {
            let mut lanes = [0.0f32; 16];
            for (a, b) in library.index().row(row).chunks_exact(16).zip(query.chunks_exact(16)) {
                for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
                    *lane += (a - b) * (a - b);
                }
            }
            (lanes.iter().sum(), row)
        })
        .collect();
    all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut chosen: Vec<usize> = Vec::new();
    for (_, row) in all {
        if chosen.len() < count && chosen.iter().all(|other| other.abs_diff(row) >= gap) {
            chosen.push(row);
        }
    }
    chosen
}

/// Seeded rows that move smoothly, as features of neighbouring candles do, and a walk of closes.
fn library(rows: usize) -> Library<N> {
    let mut state = 20_260_117u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u32 << 24) as f32
    };
    let mut library = Library::new();
    let mut row = [0.5f32; N];
    let mut close = 100.0;
    for _ in 0..rows {
        for (dimension, value) in row.iter_mut().enumerate() {
            // Slow features beside quick ones.
            let keep = 0.98 - 0.9 * dimension as f32 / N as f32;
            *value = (keep * *value + (1.0 - keep) * 0.5 + (1.0 - keep * keep).sqrt() * 0.5 * (next() - 0.5))
                .clamp(0.0, 1.0);
        }
        close *= 1.0 + 0.001 * f64::from(next() - 0.5);
        library.push(close, Some(&row)).expect("finite numbers");
    }
    library
}
