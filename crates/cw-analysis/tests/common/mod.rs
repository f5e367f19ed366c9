//! Candles for tests: seeded random walks, and real files where a test names one.

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
