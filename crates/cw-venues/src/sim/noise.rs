//! A Brownian path that can be read anywhere at the cost of a few dozen operations.
//!
//! Time is an integer count of units. The path is fixed at multiples of 2²⁸ units and refined by halving: the middle of
//! a span lies halfway between its ends plus a normal number times half the square root of the span (Lévy). Each
//! halving also multiplies the volatility of both halves by a factor of its own, which makes the increments heavy-tailed
//! and their size persistent (a multiplicative cascade).

use super::hash;

/// A span of 2²⁸ units is half a year when a unit is a 1024th of an average minute.
const TOP: u32 = 28;
/// How far apart the fixed points lie, as a part of what a free path would reach. Keeps prices near their level.
const FIXED_SPREAD: f64 = 0.3;
/// Volatility factors lie in 1 ± this.
const CASCADE: f64 = 0.19;

/// A part of the path: one node of the tree of halvings.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    index: u64,
    left: f64,
    right: f64,
    volatility: f64,
}

/// A point of the path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    /// In units of standard deviation: the path varies by about √n over n units.
    pub value: f64,
    /// Local standard deviation per √unit; its square is 1 on average.
    pub volatility: f64,
}

/// Reads one path. It remembers where it read last, so that reading onwards costs a few halvings instead of twenty;
/// what it gives does not depend on that.
#[derive(Debug, Clone)]
pub(super) struct Path {
    keys: [u64; TOP as usize + 1],
    /// Half the square root of each span's length.
    scale: [f64; TOP as usize + 1],
    spans: [Span; TOP as usize + 1],
    /// The finest span that is filled in; above `TOP` = none.
    finest: u32,
}

impl Path {
    pub(super) fn new(key: u64) -> Self {
        let mut path = Self {
            keys: [0; TOP as usize + 1],
            scale: [0.0; TOP as usize + 1],
            spans: [Span::default(); TOP as usize + 1],
            finest: TOP + 1,
        };
        let mut length = 1.0_f64;
        for level in 0..=TOP as usize {
            path.keys[level] = hash::key(key, level as u64);
            path.scale[level] = length.sqrt() / 2.0;
            length *= 2.0;
        }
        path
    }

    /// The path at `time`, refined down to spans of 2^`resolution` units and straight inside those.
    pub(super) fn at(&mut self, time: u64, resolution: u32) -> Point {
        let mut level = self.finest;
        while level <= TOP && self.spans[level as usize].index != time >> level {
            level += 1;
        }
        if level > TOP {
            let index = time >> TOP;
            let (left, right) = (self.fixed(index), self.fixed(index + 1));
            self.spans[TOP as usize] = Span { index, left, right, volatility: 1.0 };
            level = TOP;
        }
        self.finest = level;
        while level > resolution {
            self.spans[level as usize - 1] = self.half(level, time);
            level -= 1;
            self.finest = level;
        }
        let span = &self.spans[resolution as usize];
        let inside = (time - (span.index << resolution)) as f64 / (1_u64 << resolution) as f64;
        Point { value: span.left + (span.right - span.left) * inside, volatility: span.volatility }
    }

    fn fixed(&self, index: u64) -> f64 {
        hash::normal(hash::mix(hash::at(self.keys[TOP as usize], index))) * self.scale[TOP as usize] * FIXED_SPREAD
    }

    /// The half of the span at `level` that `time` lies in.
    #[inline]
    fn half(&self, level: u32, time: u64) -> Span {
        let span = &self.spans[level as usize];
        let bits = hash::at(self.keys[level as usize], span.index);
        let middle = (span.left + span.right) * 0.5 + hash::normal(bits) * self.scale[level as usize] * span.volatility;
        // The upper 16 bits, which `normal` leaves alone: uniform in 1 ± CASCADE with a mean square of 1.
        let factor = 1.0 + CASCADE * (((bits >> 48) as f64 - 32_767.5) / 32_768.0);
        let volatility = span.volatility * factor / (1.0 + CASCADE * CASCADE / 3.0).sqrt();
        let index = time >> (level - 1);
        if index & 1 == 0 {
            Span { index, left: span.left, right: middle, volatility }
        } else {
            Span { index, left: middle, right: span.right, volatility }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_does_not_depend_on_what_was_read_before() {
        let mut onwards = Path::new(7);
        for step in 0..5_000u64 {
            let time = 3_000_000_000 + step * 700 + (hash::mix(step) & 255);
            let resolution = (step % 6) as u32 + 4;
            let (a, b) = (onwards.at(time, resolution), Path::new(7).at(time, resolution));
            assert_eq!((a.value.to_bits(), a.volatility.to_bits()), (b.value.to_bits(), b.volatility.to_bits()));
        }
    }

    #[test]
    fn increments_grow_with_the_square_root_of_time() {
        for (span, resolution) in [(1u64 << 10, 8), (1 << 14, 8), (1 << 18, 10)] {
            let mut sum = 0.0;
            let count = 2_000u64;
            for seed in 0..count {
                let mut path = Path::new(seed);
                let start = 5_000_000_000 + (hash::mix(seed) & 0xfff_ffff);
                let step = path.at(start + span, resolution).value - path.at(start, resolution).value;
                sum += step * step;
            }
            let ratio = sum / count as f64 / span as f64;
            assert!((0.75..1.25).contains(&ratio), "{span}: variance per unit {ratio}");
        }
    }
}
