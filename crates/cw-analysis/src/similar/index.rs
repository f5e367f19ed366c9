//! Exact search: a first pass over bytes rules out nearly all rows, the rest is compared as floats.
//!
//! Each value is rounded to one of 128 steps, and each row keeps how far the rounding moved it. By the triangle
//! inequality the true distance is no less than the distance of the rounded rows minus what both were moved, so a row that
//! is ruled out by that bound cannot be among the nearest: the answer is that of a full scan.
//!
//! Bytes lie in blocks of 64 rows, one dimension after the other (Kuffo, Krippner and Boncz 2025): the inner loops have no
//! sums across lanes, and a block is left as soon as all of its rows are too far, which with features that move slowly
//! happens early.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Steps per unit: features lie between 0 and 1; what lies outside is found as well, only later ruled out. Four squares
/// of a difference still fit 16 bits.
const STEPS: f64 = 127.0;
/// Rows of one block.
const BLOCK: usize = 64;
/// Dimensions after which a block may be left.
const STRIDE: usize = 16;
/// The relative error that the bound allows its own arithmetic in `f32`.
const SLACK: f32 = 1.000_01;

/// A value that is no number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a finite number")]
pub struct NotFinite;

/// A moment like the one asked about.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Neighbour {
    /// Its number.
    pub at: usize,
    /// Euclidean distance of the two rows of features; 0 is equal.
    pub distance: f64,
}

/// Bytes of one block by dimension, then by row.
type Codes<const N: usize> = [[u8; BLOCK]; N];

/// Rows of `N` features, oldest first, 5·N + 4 bytes each.
#[derive(Debug, Clone, Default)]
pub struct Index<const N: usize> {
    rows: Vec<[f32; N]>,
    codes: Vec<Codes<N>>,
    /// How far rounding to bytes moved each row.
    moved: Vec<f32>,
}

impl<const N: usize> Index<N> {
    pub fn new() -> Self {
        Self { rows: Vec::new(), codes: Vec::new(), moved: Vec::new() }
    }
    pub fn len(&self) -> usize {
        self.rows.len()
    }
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
    /// # Panics
    /// Where there is no such row.
    pub fn row(&self, at: usize) -> &[f32; N] {
        &self.rows[at]
    }

    /// Appends a row of finite numbers, scaled to 0–1.
    pub fn push(&mut self, row: &[f32; N]) -> Result<(), NotFinite> {
        if row.iter().any(|value| !value.is_finite()) {
            return Err(NotFinite);
        }
        let code = row.map(encode);
        let column = self.rows.len() % BLOCK;
        if column == 0 {
            self.codes.push([[0; BLOCK]; N]);
        }
        if let Some(block) = self.codes.last_mut() {
            for (dimension, code) in block.iter_mut().zip(code) {
                dimension[column] = code;
            }
        }
        self.moved.push(moved(row, &code));
        self.rows.push(*row);
        Ok(())
    }

    /// The `count` rows of `within` nearest to `query`, nearest first, such that any two are at least `gap` rows apart:
    /// the nearest is taken, then the nearest of those far enough from it, and so on. Of equally near rows the older
    /// comes first. Fewer where there are not so many.
    pub fn nearest(&self, query: &[f32; N], within: Range<usize>, count: usize, gap: usize) -> Vec<Neighbour> {
        let within = within.start.min(self.len())..within.end.min(self.len());
        let gap = gap.max(1);
        if within.is_empty() || count == 0 {
            return Vec::new();
        }
        // A chosen row rules out at most 2 · gap − 2 others, so this many surely hold the answer. Far fewer usually do.
        let surely = (count - 1).saturating_mul(2 * gap - 1).saturating_add(1);
        let mut wanted = count.saturating_mul(16);
        loop {
            let candidates = self.scan(query, within.clone(), wanted.min(surely));
            let all = candidates.len() < wanted || wanted >= surely;
            let chosen = spread(&candidates, count, gap);
            if all || chosen.len() == count {
                return chosen;
            }
            wanted = wanted.saturating_mul(8);
        }
    }

    /// The `count` nearest rows, nearest first.
    fn scan(&self, query: &[f32; N], within: Range<usize>, count: usize) -> Vec<Neighbour> {
        let code = query.map(encode);
        let wide = code.map(i16::from);
        let query_moved = moved(query, &code);
        let unit = (1.0 / (STEPS * STEPS)) as f32;
        let mut best = Best::new(count);
        let mut reach = f32::INFINITY;
        let mut squares = [0u32; BLOCK];
        for block in within.start / BLOCK..within.end.div_ceil(BLOCK) {
            let first = block * BLOCK;
            let rows = within.start.max(first)..within.end.min(first + BLOCK);
            let farthest = self.moved[rows.clone()].iter().copied().fold(0.0, f32::max);
            let bound = (reach + farthest) * SLACK;
            if !byte_distances(&wide, &self.codes[block], bound * bound / unit, &mut squares) {
                continue;
            }
            for at in rows {
                let bound = (reach + self.moved[at]) * SLACK;
                if squares[at - first] as f32 * unit > bound * bound {
                    continue;
                }
                if let Some(squared) = squared_distance(query, &self.rows[at], best.limit)
                    && best.offer(at, squared)
                {
                    // Rounded up, so that the bound stays one.
                    reach = best.limit.sqrt() as f32 * SLACK + query_moved;
                }
            }
        }
        best.into_sorted()
    }
}

fn encode(value: f32) -> u8 {
    (f64::from(value) * STEPS + 0.5).clamp(0.0, STEPS) as u8
}

/// The distance between a row and what its bytes say, rounded up.
fn moved<const N: usize>(row: &[f32; N], code: &[u8; N]) -> f32 {
    let sum: f64 = row
        .iter()
        .zip(code)
        .map(|(value, code)| {
            let error = f64::from(*value) - f64::from(*code) / STEPS;
            error * error
        })
        .sum();
    sum.sqrt() as f32 * SLACK
}

/// The squared distance of each row of a block, in steps. False, with the squares unfinished, once all are above `limit`.
#[inline]
fn byte_distances<const N: usize>(query: &[i16; N], block: &Codes<N>, limit: f32, squares: &mut [u32; BLOCK]) -> bool {
    *squares = [0; BLOCK];
    for (query, dimensions) in query.chunks(STRIDE).zip(block.chunks(STRIDE)) {
        for (query, dimensions) in query.chunks(4).zip(dimensions.chunks(4)) {
            // Sixteen bits as long as they suffice: twice as many lanes.
            let mut four = [0u16; BLOCK];
            for (asked, dimension) in query.iter().zip(dimensions) {
                for (sum, code) in four.iter_mut().zip(dimension) {
                    let apart = asked - i16::from(*code);
                    *sum = sum.wrapping_add(apart.wrapping_mul(apart).cast_unsigned());
                }
            }
            for (sum, four) in squares.iter_mut().zip(&four) {
                *sum += u32::from(*four);
            }
        }
        let nearest = squares.iter().copied().min().unwrap_or(0);
        if nearest as f32 > limit {
            return false;
        }
    }
    true
}

/// The squared distance, `None` as soon as it is not below `limit`. Summed in a fixed order.
#[inline]
fn squared_distance<const N: usize>(a: &[f32; N], b: &[f32; N], limit: f64) -> Option<f64> {
    let mut sum = 0.0;
    for (a, b) in a.chunks(16).zip(b.chunks(16)) {
        let mut lanes = [0.0f64; 4];
        for (a, b) in a.chunks(4).zip(b.chunks(4)) {
            for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
                let difference = f64::from(*a) - f64::from(*b);
                *lane += difference * difference;
            }
        }
        sum += (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
        if sum >= limit {
            return None;
        }
    }
    Some(sum)
}

/// The nearest so many of what is offered in ascending order of rows.
struct Best {
    /// Up to twice as many as wanted, squared distances.
    kept: Vec<Neighbour>,
    wanted: usize,
    /// What is not below it need not be offered.
    limit: f64,
}

impl Best {
    fn new(wanted: usize) -> Self {
        Self { kept: Vec::new(), wanted, limit: f64::INFINITY }
    }
    /// Whether the limit has become lower.
    #[inline]
    fn offer(&mut self, at: usize, squared: f64) -> bool {
        self.kept.push(Neighbour { at, distance: squared });
        // Half as many again, so that halving pays and the limit is still a fresh one.
        if self.kept.len() < self.wanted + self.wanted / 2 + 8 {
            return false;
        }
        self.kept.select_nth_unstable_by(self.wanted - 1, order);
        self.kept.truncate(self.wanted);
        let limit = self.kept[self.wanted - 1].distance;
        let lower = limit < self.limit;
        self.limit = limit;
        lower
    }
    fn into_sorted(mut self) -> Vec<Neighbour> {
        self.kept.sort_unstable_by(order);
        self.kept.truncate(self.wanted);
        for neighbour in &mut self.kept {
            neighbour.distance = neighbour.distance.sqrt();
        }
        self.kept
    }
}

fn order(a: &Neighbour, b: &Neighbour) -> std::cmp::Ordering {
    a.distance.total_cmp(&b.distance).then(a.at.cmp(&b.at))
}

/// Of rows sorted by distance, each that is at least `gap` away from all taken before it.
fn spread(sorted: &[Neighbour], count: usize, gap: usize) -> Vec<Neighbour> {
    let mut taken: Vec<usize> = Vec::with_capacity(count);
    let mut chosen = Vec::with_capacity(count);
    for neighbour in sorted {
        let place = taken.partition_point(|at| *at < neighbour.at);
        let near = |other: Option<&usize>| other.is_some_and(|other| other.abs_diff(neighbour.at) < gap);
        if near(taken.get(place)) || near(place.checked_sub(1).and_then(|before| taken.get(before))) {
            continue;
        }
        taken.insert(place, neighbour.at);
        chosen.push(*neighbour);
        if chosen.len() == count {
            break;
        }
    }
    chosen
}
