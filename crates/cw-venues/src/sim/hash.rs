//! Randomness by place instead of by order: the same (key, index) always gives the same bits.

/// Mixes 64 bits well enough that neighboring inputs give unrelated outputs (David Stafford's variant 13).
#[inline]
pub(super) const fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A stream of random bits of its own inside `key`.
#[inline]
pub(super) const fn key(key: u64, stream: u64) -> u64 {
    mix(key ^ mix(stream.wrapping_mul(0xd6e8_feb8_6659_fd93)))
}

#[inline]
pub(super) const fn at(key: u64, index: u64) -> u64 {
    mix(key ^ index.wrapping_mul(0xa076_1d64_78bd_642f))
}

/// A number in (0, 1), from the upper 52 bits; never 0, never 1.
#[inline]
pub(super) fn unit(bits: u64) -> f64 {
    ((bits >> 12) as f64 + 0.5) / 4_503_599_627_370_496.0
}

/// Nearly normal, mean 0, variance 1, at most 3 away: three uniform numbers added, from the lower 48 bits.
#[inline]
pub(super) fn normal(bits: u64) -> f64 {
    let sum = (bits & 0xffff) + ((bits >> 16) & 0xffff) + ((bits >> 32) & 0xffff);
    (sum as f64 - 98_302.5) / 32_768.0
}

/// Text to a key, for names that must keep their randomness when a table is reordered.
pub(super) fn name(text: &str) -> u64 {
    // FNV-1a.
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
