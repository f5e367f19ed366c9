//! Chance from a seed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A stream of random numbers that every holder of a clone draws from (SplitMix64, Steele et al. 2014). For waiting
/// times, not for secrets.
#[derive(Debug, Clone)]
pub struct Random(Arc<AtomicU64>);

impl Random {
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seed)))
    }

    /// Any 64 bits.
    pub fn bits(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to below 1.
    pub fn fraction(&self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }
}
