//! Small machines that take one number and give one, NaN until they have enough: what indicators are made of.

use serde::{Deserialize, Serialize};

use crate::indicator::CHUNK;
use crate::wide::wide;
use crate::window::{MovingSum, Ring};

pub(crate) trait Filter {
    fn push(&mut self, value: f64) -> f64;
    /// The same behind another filter: what is still warming up there is passed over here.
    #[inline(always)]
    fn feed(&mut self, value: f64) -> f64 {
        if value.is_nan() { f64::NAN } else { self.push(value) }
    }
    /// [`feed`](Self::feed) for many values in place.
    fn run(&mut self, column: &mut [f64]) {
        for value in column {
            *value = self.feed(*value);
        }
    }
    /// The same from one column of at most [`CHUNK`] values into another.
    fn run_into(&mut self, input: &[f64], out: &mut [f64]) {
        out.copy_from_slice(input);
        self.run(out);
    }
}

/// A column without the values at its beginning that are still warming up.
#[inline]
fn known(column: &mut [f64]) -> &mut [f64] {
    let unknown = column.iter().take_while(|value| value.is_nan()).count();
    &mut column[unknown..]
}

/// Exponential smoothing with a given weight, seeded with the mean of its first values.
///
/// `average ← k × average + w × value` taken two steps at once, from the average before the last one:
/// `k² × before + (1 − k²) × value + k w × (last value − value)`. Two such averages, of the odd and of the even candles,
/// do not wait for each other, and all that is not `k² × before` is computed for many candles at once; a recursion's step
/// lasts four times as long as it takes the processor to begin another. As the factors add up to exactly 1, an average
/// of equal values is that value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Smoothing {
    keep: f64,
    weight: f64,
    turn: f64,
    /// The average; while seeding, the sum so far.
    value: f64,
    /// The average before, and the last value. Where the seed takes both places (of a sum, the last value's), the
    /// step is the plain one.
    before: f64,
    last: f64,
    /// Values that make the seed.
    seed: u32,
    /// Values still missing: those to be left out first, then the seed.
    missing: u32,
}

/// Neighbouring values that are computed together.
pub(crate) const BLOCK: usize = 8;
pub(crate) type Block = [f64; BLOCK];

/// The values one place later, behind the one before them, which becomes their last.
#[inline(always)]
pub(crate) fn shifted(previous: &mut f64, values: Block) -> Block {
    let [a, b, c, d, e, f, g, h] = values;
    [std::mem::replace(previous, h), a, b, c, d, e, f, g]
}

impl Smoothing {
    pub(crate) fn new(weight: f64, seed: u32) -> Self {
        Self::keeping(1.0 - weight, seed)
    }
    fn keeping(keep: f64, seed: u32) -> Self {
        let twice = keep * keep;
        // A difference from 1 is exact if the other operand is at least a half.
        let weight = 1.0 - twice;
        let (twice, turn) = (if twice < 0.5 { 1.0 - weight } else { twice }, keep * (1.0 - keep));
        Self { keep: twice, weight, turn, value: 0.0, before: 0.0, last: 0.0, seed, missing: seed }
    }
    /// Weight 2 / (length + 1): an EMA.
    pub(crate) fn exponential(length: u32) -> Self {
        Self::keeping((f64::from(length) - 1.0) / (f64::from(length) + 1.0), length)
    }
    /// Weight 1 / length: Wilder's.
    pub(crate) fn wilder(length: u32) -> Self {
        Self::keeping((f64::from(length) - 1.0) / f64::from(length), length)
    }
    /// Not an average but a sum of which a step leaves 1 − 1 / length, seeded with the sum of the first `length` − 1
    /// values: Wilder's, too. A length of at least 2.
    pub(crate) fn wilder_sum(length: u32) -> Self {
        let keep = (f64::from(length) - 1.0) / f64::from(length);
        let (seed, missing) = (length - 1, length - 1);
        Self { keep: keep * keep, weight: 1.0 + keep, turn: keep, value: 0.0, before: 0.0, last: 0.0, seed, missing }
    }
    /// Leaves the first values out, so that two averages can be seeded at the same candle.
    pub(crate) fn after(self, left_out: u32) -> Self {
        Self { missing: self.missing + left_out, ..self }
    }
    /// Begins with its first value instead of a mean.
    pub(crate) fn beginning_at_first(self) -> Self {
        Self { seed: 1, missing: 1, ..self }
    }
    /// The average or sum so far.
    #[inline(always)]
    pub(crate) fn value(&self) -> f64 {
        self.value
    }
    /// Whether the seed is complete.
    #[inline(always)]
    pub(crate) fn is_seeded(&self) -> bool {
        self.missing == 0
    }
    #[cold]
    fn start(&mut self, value: f64) -> f64 {
        self.missing -= 1;
        if self.missing >= self.seed {
            return f64::NAN;
        }
        self.value += value;
        if self.missing > 0 {
            return f64::NAN;
        }
        // The factors of an average add up to 1.
        let is_sum = self.weight > 1.0;
        if is_sum {
            (self.before, self.last) = (0.0, self.value);
        } else {
            self.value /= f64::from(self.seed);
            (self.before, self.last) = (self.value, self.value);
        }
        self.value
    }
    #[inline(always)]
    fn step(&mut self, value: f64) -> f64 {
        let change = self.turn.mul_add(self.last - value, self.weight * value);
        let next = self.keep.mul_add(self.before, change);
        (self.before, self.value, self.last) = (self.value, next, value);
        next
    }
    /// [`push`](Filter::push) for neighbouring values once the seed is complete.
    #[inline(always)]
    pub(crate) fn block(&mut self, values: Block) -> Block {
        let last = shifted(&mut self.last, values);
        let mut changes = [0.0; BLOCK];
        for ((change, value), last) in changes.iter_mut().zip(values).zip(last) {
            *change = self.turn.mul_add(last - value, self.weight * value);
        }
        let mut pair = [self.before, self.value];
        let mut averages = [0.0; BLOCK];
        for (averages, changes) in averages.as_chunks_mut::<2>().0.iter_mut().zip(changes.as_chunks::<2>().0) {
            pair = [self.keep.mul_add(pair[0], changes[0]), self.keep.mul_add(pair[1], changes[1])];
            *averages = pair;
        }
        [self.before, self.value] = pair;
        averages
    }
}

impl Filter for Smoothing {
    #[inline(always)]
    fn push(&mut self, value: f64) -> f64 {
        if self.missing == 0 { self.step(value) } else { self.start(value) }
    }
    fn run(&mut self, column: &mut [f64]) {
        for column in column.chunks_mut(CHUNK) {
            let mut input = [0.0; CHUNK];
            let input = &mut input[..column.len()];
            input.copy_from_slice(column);
            self.run_into(input, column);
        }
    }
    fn run_into(&mut self, input: &[f64], out: &mut [f64]) {
        let mut from = 0;
        while from < input.len() && (self.missing > 0 || input[from].is_nan()) {
            out[from] = self.feed(input[from]);
            from += 1;
        }
        smooth(self, &input[from..], &mut out[from..]);
    }
}

wide! {
    /// Smooths what comes after the seed.
    fn smooth(state: &mut Smoothing, input: &[f64], out: &mut [f64]) {
        // Apart from the memory that is written, so that it stays in registers.
        let mut own = state.clone();
        let (inputs, rest) = input.as_chunks::<BLOCK>();
        let (outs, rest_out) = out.as_chunks_mut::<BLOCK>();
        for (input, out) in inputs.iter().zip(outs) {
            *out = own.block(*input);
        }
        for (input, out) in rest.iter().zip(rest_out) {
            *out = own.step(*input);
        }
        *state = own;
    }
}

/// Three of them side by side and in place, past their seeds, over columns of one length.
#[inline(always)]
pub(crate) fn smooth_three(states: &mut [Smoothing; 3], columns: [&mut [f64]; 3]) {
    let [mut a, mut b, mut c] = states.clone();
    let [(blocks_a, rest_a), (blocks_b, rest_b), (blocks_c, rest_c)] = columns.map(|column| column.as_chunks_mut());
    for ((column_a, column_b), column_c) in blocks_a.iter_mut().zip(blocks_b).zip(blocks_c) {
        (*column_a, *column_b, *column_c) = (a.block(*column_a), b.block(*column_b), c.block(*column_c));
    }
    for (state, rest) in [(&mut a, rest_a), (&mut b, rest_b), (&mut c, rest_c)] {
        for value in rest {
            *value = state.step(*value);
        }
    }
    *states = [a, b, c];
}

/// Exponential smoothing one step at a time, rounded as the original: for what is so sensitive to rounding that another
/// order of the operations shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stepwise {
    weight: f64,
    keep: f64,
    value: f64,
    seed: u32,
    missing: u32,
}

impl Stepwise {
    /// An EMA whose first value comes after the first `left_out` and `length` more.
    pub(crate) fn exponential(length: u32, left_out: u32) -> Self {
        let keep = (f64::from(length) - 1.0) / (f64::from(length) + 1.0);
        let weight = 1.0 - keep;
        let keep = if keep < 0.5 { 1.0 - weight } else { keep };
        Self { weight, keep, value: 0.0, seed: length, missing: length + left_out }
    }
    #[cold]
    fn start(&mut self, value: f64) -> f64 {
        self.missing -= 1;
        if self.missing >= self.seed {
            return f64::NAN;
        }
        self.value += value;
        if self.missing > 0 {
            return f64::NAN;
        }
        self.value /= f64::from(self.seed);
        self.value
    }
}

impl Filter for Stepwise {
    #[inline(always)]
    fn push(&mut self, value: f64) -> f64 {
        if self.missing == 0 {
            self.value = self.keep.mul_add(self.value, self.weight * value);
            return self.value;
        }
        self.start(value)
    }
}

/// The mean of the newest values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mean {
    sum: MovingSum,
    inverse: f64,
}

impl Mean {
    pub(crate) fn new(length: u32) -> Self {
        Self { sum: MovingSum::new(length as usize), inverse: 1.0 / f64::from(length) }
    }
    /// What the last push gave.
    #[inline(always)]
    pub(crate) fn last(&self) -> f64 {
        if self.sum.is_full() { self.sum.so_far() * self.inverse } else { f64::NAN }
    }
}

impl Filter for Mean {
    #[inline(always)]
    fn push(&mut self, value: f64) -> f64 {
        self.sum.push(value).map_or(f64::NAN, |sum| sum * self.inverse)
    }
    fn run(&mut self, column: &mut [f64]) {
        self.sum.run(known(column), self.inverse);
    }
    fn run_into(&mut self, input: &[f64], out: &mut [f64]) {
        let unknown = input.iter().take_while(|value| value.is_nan()).count();
        out[..unknown].fill(f64::NAN);
        self.sum.run_into(&input[unknown..], &mut out[unknown..], self.inverse);
    }
}

/// The mean of the newest values, weighted 1 for the oldest to `length` for the newest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Weighted {
    ring: Ring,
    sum: f64,
    products: f64,
    length: f64,
    divider: f64,
}

impl Weighted {
    pub(crate) fn new(length: u32) -> Self {
        let n = f64::from(length);
        Self { ring: Ring::new(length as usize), sum: 0.0, products: 0.0, length: n, divider: 2.0 / (n * (n + 1.0)) }
    }
}

impl Filter for Weighted {
    #[inline(always)]
    fn push(&mut self, value: f64) -> f64 {
        let old = self.ring.push(value);
        if self.ring.wrapped() {
            // The memory is in order of time at this point: start from scratch, so that rounding does not add up.
            (self.sum, self.products) = (0.0, 0.0);
            for (index, value) in self.ring.values().iter().enumerate() {
                self.sum += value;
                self.products += value * (index + 1) as f64;
            }
        } else if self.ring.is_full() {
            self.products += value * self.length - self.sum;
            self.sum += value - old;
        } else {
            return f64::NAN;
        }
        self.products * self.divider
    }
}

/// The value `distance` pushes ago.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lag(Option<Ring>);

impl Lag {
    pub(crate) fn new(distance: u32) -> Self {
        Self((distance > 0).then(|| Ring::full_of(distance as usize, f64::NAN)))
    }
}

impl Filter for Lag {
    #[inline(always)]
    fn push(&mut self, value: f64) -> f64 {
        self.0.as_mut().map_or(value, |ring| ring.push(value))
    }
    fn run(&mut self, column: &mut [f64]) {
        if let Some(ring) = &mut self.0 {
            ring.run(known(column));
        }
    }
    fn run_into(&mut self, input: &[f64], out: &mut [f64]) {
        let Some(ring) = &mut self.0 else { return out.copy_from_slice(input) };
        let unknown = input.iter().take_while(|value| value.is_nan()).count();
        out[..unknown].fill(f64::NAN);
        ring.delay(&input[unknown..], &mut out[unknown..]);
    }
}

/// Exponential averages of one another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Chain(Vec<Smoothing>);

impl Chain {
    pub(crate) fn new(length: u32, stages: usize) -> Self {
        Self(vec![Smoothing::exponential(length); stages])
    }
    /// The averages from the first stage to the last, NaN where one is still warming up.
    #[inline(always)]
    pub(crate) fn push<const N: usize>(&mut self, value: f64) -> [f64; N] {
        let mut values = [f64::NAN; N];
        let mut value = value;
        for (stage, out) in self.0.iter_mut().zip(&mut values) {
            value = stage.push(value);
            if value.is_nan() {
                break;
            }
            *out = value;
        }
        values
    }
}

/// The change if it is not a fall, else 0.
#[inline(always)]
fn rise(change: f64) -> f64 {
    if change < 0.0 { 0.0 } else { change }
}

wide! {
    /// The strengths of a series, all averages being past their seed.
    fn all_strengths(swings: &mut Swings, previous: f64, series: &[f64], out: &mut [f64]) {
        let (mut own, mut previous) = (swings.clone(), previous);
        let (inputs, rest) = series.as_chunks::<BLOCK>();
        let (outs, rest_out) = out.as_chunks_mut::<BLOCK>();
        for (values, out) in inputs.iter().zip(outs) {
            let before = shifted(&mut previous, *values);
            let (mut gains, mut losses) = ([0.0; BLOCK], [0.0; BLOCK]);
            for row in 0..BLOCK {
                let change = values[row] - before[row];
                gains[row] = rise(change);
                losses[row] = gains[row] - change;
            }
            (gains, losses) = (own.gain.block(gains), own.loss.block(losses));
            for row in 0..BLOCK {
                out[row] = strength([gains[row], losses[row]]);
            }
        }
        own.previous = Some(previous);
        for (value, out) in rest.iter().zip(rest_out) {
            *out = own.strength(*value);
        }
        *swings = own;
    }
}

/// Wilder's averages of rises and falls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Swings {
    gain: Smoothing,
    loss: Smoothing,
    previous: Option<f64>,
}

impl Swings {
    pub(crate) fn new(length: u32) -> Self {
        Self { gain: Smoothing::wilder(length), loss: Smoothing::wilder(length), previous: None }
    }
    /// The average rise and the average fall, both NaN while seeding.
    #[inline(always)]
    pub(crate) fn push(&mut self, value: f64) -> [f64; 2] {
        let Some(previous) = self.previous.replace(value) else { return [f64::NAN; 2] };
        let change = value - previous;
        let up = rise(change);
        [self.gain.push(up), self.loss.push(up - change)]
    }
    /// [`strength`](Self::strength) for a series.
    pub(crate) fn run(&mut self, series: &[f64], out: &mut [f64]) {
        let mut from = 0;
        while from < series.len() && !self.loss.is_seeded() {
            out[from] = self.strength(series[from]);
            from += 1;
        }
        if let Some(previous) = self.previous {
            all_strengths(self, previous, &series[from..], &mut out[from..]);
        }
    }
    /// The share of rises in percent, 50 where nothing has moved.
    #[inline(always)]
    pub(crate) fn strength(&mut self, value: f64) -> f64 {
        strength(self.push(value))
    }
}

/// The share of the gain in percent, 50 where there is neither.
#[inline(always)]
pub(crate) fn strength([gain, loss]: [f64; 2]) -> f64 {
    let total = gain + loss;
    // NaN while seeding stays.
    if total == 0.0 { 50.0 } else { 100.0 * (gain / total) }
}

/// `part / whole`, or `otherwise` where the whole is nothing.
#[inline(always)]
pub(crate) fn ratio(part: f64, whole: f64, otherwise: f64) -> f64 {
    if whole == 0.0 { otherwise } else { part / whole }
}
