//! Candles for tests.

use cw_core::{Candle, Price, Timestamp, Volume};

/// A seeded walk of one-minute candles around 100, changes of less than `step` cents; 0 stands still.
pub(crate) fn walk(seed: u64, len: usize, step: i64) -> Vec<Candle> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = |range: i64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        if range == 0 { 0 } else { (state >> 33) as i64 % range }
    };
    let mut close = 10_000i64;
    (0..len as i64)
        .map(|minute| {
            let open = close;
            close = (close + next(2 * step) - step).max(500);
            let (high, low) = (open.max(close) + next(step / 2), open.min(close) - next(step / 2));
            let [open, high, low, close] = [open, high, low, close].map(|cents| Price::from_raw(cents * 10_000_000));
            let volume = Volume::from_raw(i128::from(next(50 * step)) * 1_000_000);
            Candle { open_time: Timestamp::from_secs(1_700_006_400 + 60 * minute), open, high, low, close, volume }
        })
        .collect()
}
