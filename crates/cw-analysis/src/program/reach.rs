//! How far back each step remembers: what is older changes nothing, so who wants the newest row alone need not compute it.
//!
//! A mean of twenty candles knows nothing of the twenty-first. Its running sum is taken anew each time its memory has
//! gone round, so that a fresh one that begins at a multiple of twenty goes the same way, bit for bit, as soon as it is
//! full. A test holds every indicator to what is said of it here.

use super::frame::Step;
use super::graph::{Graph, Op, Slot};
use crate::indicators::{self, Entry};

/// What an indicator without recursion remembers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Rows after which a fresh one gives what the one that saw everything gives.
    rows: usize,
    /// Where it may begin: at multiples of this.
    every: usize,
}

/// A step's slots with its memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepReach {
    out: Slot,
    width: Slot,
    inputs: [Option<Slot>; 3],
    memory: Memory,
}

#[derive(Debug, Clone, Copy)]
enum Memory {
    /// Of everything.
    Whole,
    /// Of so many rows before.
    Back(usize),
    Reach(Reach),
}

/// A later beginning than this saves nothing.
const MOST: usize = 1_000;

impl Reach {
    /// `None` where a value depends on all before it.
    pub(crate) fn of(entry: &Entry, params: &[f64]) -> Option<Self> {
        let spec = &entry.spec;
        if spec.recursive || spec.by_session {
            return None;
        }
        let length = |index: usize| params[index] as usize;
        let every = match spec.name {
            // Two means of half the length, and three weighted ones that are derived from it.
            "trima" => (length(0) / 2 + 1) * length(0).div_ceil(2),
            "hma" => {
                let root = params[0].sqrt();
                [length(0), length(0) / 2, root as usize, root.round() as usize].into_iter().fold(1, common)
            }
            // The largest and the smallest value of a window are the same wherever it begins.
            "highest" | "lowest" | "donchian" | "wpr" | "midpoint" | "midprice" | "ichimoku" => 1,
            // What lies a number of candles back is no sum, and a number of rows no length.
            "coppock" | "volume_profile" => length(0),
            // Counts its candles.
            "cti" => return None,
            _ => {
                let lengths = spec.params.iter().zip(params).filter(|(param, _)| param.integer);
                lengths.map(|(_, value)| *value as usize).fold(1, common)
            }
        };
        let rows = entry.warm_up(params) + 1;
        (every <= MOST).then_some(Self { rows, every })
    }

    /// Where to begin so that row `needed` and all behind it are right.
    fn start(self, needed: usize) -> usize {
        (needed + 1).saturating_sub(self.rows) / self.every * self.every
    }
}

/// The smallest number that both go into.
fn common(a: usize, b: usize) -> usize {
    let (mut x, mut y) = (a, b.max(1));
    while y > 0 {
        (x, y) = (y, x % y);
    }
    a / x * b.max(1)
}

impl StepReach {
    /// The slots that it reads.
    pub(super) fn inputs(&self) -> impl Iterator<Item = Slot> {
        self.inputs.into_iter().flatten()
    }
    /// The slots that it fills.
    pub(super) fn outputs(&self) -> std::ops::Range<usize> {
        self.out as usize..(self.out + self.width) as usize
    }
    pub(super) fn of(graph: &Graph, step: &Step) -> Self {
        let one = |out, inputs, memory| Self { out, width: 1, inputs, memory };
        match *step {
            Step::Source { out, .. } => one(out, [None; 3], Memory::Back(0)),
            Step::Unary { a, out, .. } => one(out, [Some(a), None, None], Memory::Back(0)),
            Step::Binary { a, b, out, .. } => one(out, [Some(a), Some(b), None], Memory::Back(0)),
            Step::Select { condition, yes, no, out } => {
                one(out, [Some(condition), Some(yes), Some(no)], Memory::Back(0))
            }
            Step::Cross { a, b, out, .. } => one(out, [Some(a), Some(b), None], Memory::Back(1)),
            Step::History { input, out, .. } => {
                let lag = match &graph.ops()[out as usize] {
                    Op::History { lag, .. } => *lag as usize,
                    _ => 0,
                };
                one(out, [Some(input), None, None], Memory::Back(lag))
            }
            Step::Call { out, width, .. } => {
                let (mut inputs, mut memory) = ([None; 3], Memory::Whole);
                if let Op::Call { entry, params, inputs: given } = &graph.ops()[out as usize] {
                    inputs[..2].copy_from_slice(given);
                    // What may be unknown is passed over, and then rows are no count of what was taken in.
                    let plain = |slot: &Slot| matches!(graph.ops()[*slot as usize], Op::Source(_));
                    let params: Vec<f64> = params.iter().map(|param| param.get()).collect();
                    let reach = Reach::of(indicators::numbered(*entry), &params);
                    if let Some(reach) = reach.filter(|_| given.iter().flatten().all(plain)) {
                        memory = Memory::Reach(reach);
                    }
                }
                Self { out, width, inputs, memory }
            }
        }
    }
}

/// For each step the row at which it may begin, so that the last of `rows` rows and all later ones are right.
pub(super) fn starts(steps: &[StepReach], rows: usize) -> Vec<usize> {
    let last = rows.saturating_sub(1);
    let slots = steps.iter().map(|step| step.out + step.width).max().unwrap_or_default();
    let mut needed = vec![last; slots as usize];
    let mut starts = vec![0; steps.len()];
    // Operands come before what reads them.
    for (step, start) in steps.iter().zip(&mut starts).rev() {
        let needed_here = needed[step.outputs()].iter().copied().min().unwrap_or(last);
        *start = match step.memory {
            Memory::Whole => 0,
            Memory::Back(rows) => needed_here.saturating_sub(rows),
            Memory::Reach(reach) => reach.start(needed_here),
        };
        for input in step.inputs() {
            let place = &mut needed[input as usize];
            *place = (*place).min(*start);
        }
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ohlcv::Ohlcv;
    use crate::testing::walk;
    use crate::wide::Width;

    /// A fresh indicator that begins at a later row says what the one that saw everything says, to the last bit.
    fn check(name: &str, params: &[f64]) {
        let entry = indicators::find(name).unwrap();
        let Some(reach) = Reach::of(entry, params) else { return };
        let candles: Vec<Ohlcv> = walk(7, reach.every * 3 + 2 * reach.rows + 300, 40).iter().map(Ohlcv::from).collect();
        let width = entry.spec.outputs.len();
        let run = |from: usize| {
            let mut cell = entry.build(params);
            let mut rows = Vec::new();
            for candle in &candles[from..] {
                let mut outputs = vec![0.0; width];
                cell.update(Width::of_processor(), candle, [candle.close, candle.volume], &mut outputs);
                rows.push(outputs.iter().map(|value| value.to_bits()).collect::<Vec<_>>());
            }
            rows
        };
        let whole = run(0);
        for from in (reach.every..=3 * reach.every).step_by(reach.every) {
            let (later, rows) = (run(from), reach.rows - 1);
            assert_eq!(later[rows..], whole[from + rows..], "{name}{params:?} from {from}");
        }
        let needed = candles.len() - 1;
        let start = reach.start(needed);
        assert!(start % reach.every == 0 && start + reach.rows <= candles.len(), "{name}: {start}");
        assert!(start + reach.rows + reach.every > candles.len(), "{name}: {start} is too early");
    }

    #[test]
    fn what_is_older_changes_no_bit() {
        let mut bounded = 0;
        for entry in indicators::all() {
            let defaults = entry.defaults();
            check(entry.spec.name, &defaults);
            bounded += usize::from(Reach::of(entry, &defaults).is_some());
            // Lengths that have nothing in common.
            let odd = entry.spec.params.iter().zip(&defaults).zip([7.0_f64, 5.0, 11.0].into_iter().cycle());
            let odd: Vec<f64> = odd
                .map(
                    |((param, default), value)| {
                        if param.integer { value.clamp(param.min, param.max) } else { *default }
                    },
                )
                .collect();
            if !matches!(entry.spec.name, "pivots") {
                check(entry.spec.name, &odd);
            }
        }
        assert!(bounded > 60, "{bounded}");
        for length in [5.0, 20.0, 50.0, 200.0] {
            for name in ["sma", "highest", "lowest", "stddev"] {
                check(name, &[length]);
            }
        }
    }

    #[test]
    fn common_multiples() {
        assert_eq!([(1, 0), (4, 6), (10, 15), (9, 4)].map(|(a, b)| common(a, b)), [1, 12, 30, 36]);
    }
}
