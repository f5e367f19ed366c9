//! The highest and the lowest of a window.

use serde::{Deserialize, Serialize};

use super::trail::{better, extremes};
use super::{Ring, Values};

/// The extreme of the newest `len` values: of those since the ring last began anew, which is kept as they come, and of
/// those from before, whose extremes from each place to the end were computed then (van Herk, Gil and Werman). Two
/// comparisons per value, whatever the values are. Which of two zeros is the larger depends on the order in which they are
/// compared, so a zero that comes out has no sign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Extreme<const HIGHEST: bool> {
    /// The values since the ring last began anew, then, per place, the extreme of the older ones from there on. The
    /// last place is for what is beyond the end: no value at all.
    values: Values,
    /// The extreme of those since the ring last began anew.
    newer: f64,
    head: u32,
    filled: bool,
}

impl<const HIGHEST: bool> Extreme<HIGHEST> {
    const NONE: f64 = if HIGHEST { f64::NEG_INFINITY } else { f64::INFINITY };

    pub(crate) fn new(len: usize) -> Self {
        Self { values: Values(vec![Self::NONE; len.max(1) + 1]), newer: Self::NONE, head: 0, filled: false }
    }
    #[inline(always)]
    pub(crate) fn push(&mut self, value: f64) -> Option<f64> {
        let head = self.head as usize;
        self.newer = better::<HIGHEST>(value, self.newer);
        let [place, after] = &mut self.values.0[head..head + 2] else { return None };
        *place = value;
        let extreme = better::<HIGHEST>(*after, self.newer) + 0.0;
        self.head += 1;
        if head + 2 == self.values.0.len() {
            self.begin_anew();
        }
        self.filled.then_some(extreme)
    }
    /// The same for the values of a chunk, NaN until there are enough.
    pub(crate) fn run(&mut self, inputs: &[f64], outputs: &mut [f64]) {
        let len = self.values.0.len() - 1;
        if inputs.len() < 3 * len {
            return self.follow(inputs, outputs);
        }
        // Windows that begin before the chunk, then those within it.
        let (early, rest) = outputs.split_at_mut(len - 1);
        self.follow(&inputs[..len - 1], early);
        extremes::<HIGHEST>(inputs, len, rest);
        // Where the ring would have begun anew for the last time, after which whole round, and what came since.
        let anew = inputs.len() - (self.head as usize + rest.len()) % len;
        self.values.0[..len].copy_from_slice(&inputs[anew - len..anew]);
        self.begin_anew();
        let newest = &inputs[anew..];
        self.values.0[..newest.len()].copy_from_slice(newest);
        self.newer = newest.iter().fold(self.newer, |newer, value| better::<HIGHEST>(*value, newer));
        self.head = newest.len() as u32;
    }
    /// [`push`](Self::push) one by one.
    fn follow(&mut self, inputs: &[f64], outputs: &mut [f64]) {
        let (mut inputs, mut outputs) = (inputs, outputs);
        while !inputs.is_empty() {
            let head = self.head as usize;
            let places = &mut self.values.0[head..];
            let rows = inputs.len().min(outputs.len()).min(places.len() - 1);
            let (now, later) = inputs.split_at(rows);
            let (out, out_later) = outputs.split_at_mut(rows);
            let mut newer = self.newer;
            // What a place is overwritten with is no longer needed: the extreme after it was read before.
            for ((place, value), out) in places[1..].iter().zip(now).zip(out.iter_mut()) {
                newer = better::<HIGHEST>(*value, newer);
                *out = better::<HIGHEST>(*place, newer) + 0.0;
            }
            places[..rows].copy_from_slice(now);
            let filled = self.filled;
            self.newer = newer;
            self.head += rows as u32;
            if self.head as usize + 1 == self.values.0.len() {
                self.begin_anew();
                if !filled && let [early @ .., _] = out {
                    early.fill(f64::NAN);
                }
            } else if !filled {
                out.fill(f64::NAN);
            }
            (inputs, outputs) = (later, out_later);
        }
    }
    /// Turns the values into the extremes from each of them to the end.
    fn begin_anew(&mut self) {
        let mut extreme = Self::NONE;
        for value in self.values.0.iter_mut().rev() {
            extreme = better::<HIGHEST>(*value, extreme);
            *value = extreme;
        }
        (self.head, self.newer, self.filled) = (0, Self::NONE, true);
    }
}

/// The extreme of the newest `len` values and when it was, amortised O(1): a ring plus the age of the current extreme.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Dated<const HIGHEST: bool> {
    ring: Ring,
    value: f64,
    /// How many pushes ago the extreme came in.
    age: u32,
    len: u32,
}

impl<const HIGHEST: bool> Dated<HIGHEST> {
    pub(crate) fn new(len: usize) -> Self {
        let start = if HIGHEST { f64::NEG_INFINITY } else { f64::INFINITY };
        Self { ring: Ring::new(len), value: start, age: 0, len: len as u32 }
    }
    #[inline(always)]
    fn beats(a: f64, b: f64) -> bool {
        if HIGHEST { a >= b } else { a <= b }
    }
    #[inline(always)]
    pub(crate) fn push(&mut self, value: f64) -> Option<f64> {
        self.ring.push(value);
        self.age += 1;
        if Self::beats(value, self.value) {
            self.value = value;
            self.age = 0;
        } else if self.age >= self.len {
            self.rescan();
        }
        self.ring.is_full().then_some(self.value)
    }
    /// How many pushes ago the extreme came in, the newest of equals.
    #[inline(always)]
    pub(crate) fn age(&self) -> u32 {
        self.age
    }
    /// Finds the extreme among the values that are left, and how long ago it came in last.
    #[inline(never)]
    fn rescan(&mut self) {
        let start = if HIGHEST { f64::NEG_INFINITY } else { f64::INFINITY };
        // Four lanes side by side, so that the comparisons do not wait for one another.
        let mut lanes = [start; 4];
        let (chunks, rest) = self.ring.values().as_chunks::<4>();
        for chunk in chunks {
            for (lane, value) in lanes.iter_mut().zip(chunk) {
                *lane = better::<HIGHEST>(*value, *lane);
            }
        }
        let all = lanes.iter().chain(rest).fold(start, |best, value| better::<HIGHEST>(*value, best));
        let (newer, older) = self.ring.split();
        let age = match newer.iter().rposition(|value| *value == all) {
            Some(at) => newer.len() - 1 - at,
            None => newer.len() + older.iter().rev().take_while(|value| **value != all).count(),
        };
        self.value = all;
        self.age = age as u32;
    }
}

/// The highest of one series and the lowest of another over the same window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Range {
    pub(crate) highest: Extreme<true>,
    pub(crate) lowest: Extreme<false>,
}

impl Range {
    pub(crate) fn new(len: u32) -> Self {
        Self { highest: Extreme::new(len as usize), lowest: Extreme::new(len as usize) }
    }
    /// Highest and lowest, `None` until the window is full.
    #[inline(always)]
    pub(crate) fn push(&mut self, high: f64, low: f64) -> Option<(f64, f64)> {
        let (high, low) = (self.highest.push(high), self.lowest.push(low));
        Some((high?, low?))
    }
    /// The same for many pairs, NaN until there are enough.
    pub(crate) fn run(&mut self, highs: &[f64], lows: &[f64], highest: &mut [f64], lowest: &mut [f64]) {
        self.highest.run(highs, highest);
        self.lowest.run(lows, lowest);
    }
}
