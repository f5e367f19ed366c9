//! Candles for tests: seeded random walks, markets with jumps and pauses, and series that break careless arithmetic.

#![allow(dead_code, reason = "each test file uses its part")]

use cw_analysis::Columns;
use cw_core::{Candle, Price, Timestamp, Volume};

/// A seeded random walk of `n` one-minute candles around 100, ticks of 0.01.
pub fn walk(seed: u64, n: usize) -> Vec<Candle> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = |range: i64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 33) as i64 % range
    };
    let tick = 10_000_000;
    let mut close = 10_000i64;
    (0..n)
        .map(|minute| {
            let open = close;
            close = (close + next(81) - 40).max(500);
            let high = open.max(close) + next(20);
            let low = open.min(close) - next(20);
            Candle {
                open_time: Timestamp::from_secs(1_700_006_400 + 60 * minute as i64),
                open: Price::from_raw(open * tick),
                high: Price::from_raw(high * tick),
                low: Price::from_raw(low * tick),
                close: Price::from_raw(close * tick),
                volume: Volume::from_raw(i128::from(next(5_000)) * 1_000_000),
            }
        })
        .collect()
}

/// Like a real market: quiet and wild hours, fat tails, gaps over night, candles without trades, doji, ticks of 0.01.
pub fn market(seed: u64, n: usize) -> Vec<Candle> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let (mut close, mut volatility) = (250.0f64, 0.001f64);
    let cents = |price: f64| (price * 100.0).round().max(1.0) as i64;
    let price = |cents: i64| Price::from_raw(cents * 10_000_000);
    (0..n)
        .map(|minute| {
            // A sum of uniforms is nearly normal; dividing by another makes the tails fat.
            let normal = |next: &mut dyn FnMut() -> f64| (0..6).map(|_| next()).sum::<f64>() - 3.0;
            let shock = normal(&mut next) / (0.3 + next());
            volatility = (0.9 * volatility + 0.0001 * shock.abs() + 0.00002).min(0.01);
            let gap = if minute % 390 == 389 { 0.01 * normal(&mut next) } else { 0.0 };
            let open = close * (1.0 + gap);
            let quiet = next() < 0.04;
            let step = if quiet { 0.0 } else { volatility * shock };
            close = (open * (1.0 + step)).clamp(5.0, 100_000.0);
            let reach = if quiet { 0.0 } else { volatility * open };
            let (high, low) = (open.max(close) + reach * next(), (open.min(close) - reach * next()).max(1.0));
            let volume = if quiet { 0.0 } else { (1.0 + shock.abs()) * 40_000.0 * next() };
            let (open, close) = (cents(open), cents(close));
            Candle {
                open_time: Timestamp::from_secs(1_700_006_400 + 60 * minute as i64),
                open: price(open),
                high: price(cents(high).max(open).max(close)),
                low: price(cents(low).min(open).min(close)),
                close: price(close),
                volume: Volume::from_raw((volume as i128) * 1_000_000),
            }
        })
        .collect()
}

/// Named series of candles that break careless arithmetic.
pub fn hostile() -> Vec<(&'static str, Columns)> {
    let n = 600usize;
    let time: Vec<Timestamp> = (0..n).map(|t| Timestamp::from_secs(60 * t as i64)).collect();
    // High, low, close and volume of a row.
    let make = |f: &dyn Fn(usize) -> (f64, f64, f64, f64)| {
        let rows: Vec<[f64; 4]> = (0..n).map(f).map(<[f64; 4]>::from).collect();
        let column = |index: usize| rows.iter().map(|row| row[index]).collect::<Vec<f64>>();
        let close = column(2);
        Columns::try_new(time.clone(), close.clone(), column(0), column(1), close, column(3))
            .expect("finite columns of one length")
    };
    let wave = |t: usize| ((t * 7_919 % 101) as f64 - 50.0) / 50.0;
    let around = move |base: f64, swing: f64, volume: f64| {
        move |t: usize| {
            let close = base + swing * wave(t);
            (
                close + swing * 0.3 * wave(t + 5).abs(),
                close - swing * 0.2 * wave(t + 9).abs(),
                close,
                volume * (1.0 + wave(t + 3)),
            )
        }
    };
    vec![
        ("constant", make(&|_| (0.1, 0.1, 0.1, 3.0))),
        ("constant without volume", make(&|_| (68_412.5, 68_412.5, 68_412.5, 0.0))),
        ("huge", make(&around(1e15, 1e13, 1e12))),
        ("tiny", make(&around(1e-9, 1e-10, 1e-3))),
        ("far from zero", make(&around(9_000_000.0, 0.01, 10.0))),
        ("gap", make(&|t| if t < 300 { around(10.0, 1.0, 5.0)(t) } else { around(1e6, 1e3, 5.0)(t) })),
        ("spike", make(&|t| if t == 300 { (1e9, 1e9, 1e9, 1e9) } else { around(10.0, 1.0, 5.0)(t) })),
        ("stops moving", make(&|t| if t < 200 { around(10.0, 1.0, 5.0)(t) } else { (10.0, 10.0, 10.0, 5.0) })),
    ]
}
