//! The same steps over columns: one step at a time over a chunk of candles, so that each indicator runs in a tight
//! loop. Every slot sees the same operations in the same order as in [`Program::update`], so the bits are the same.

use super::copy::Copier;
use super::frame::{self, Frame, FrameState, Step};
use super::graph::{Slot, Source};
use super::reach::StepReach;
use super::{Program, State};
use crate::indicator::{CHUNK, Out, Rows};
use crate::ohlcv::{ColumnSlice, Columns};
use crate::window::Values;

/// Where each slot's column of a chunk is.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    columns: Vec<u32>,
    count: usize,
}

impl Layout {
    /// One column per slot.
    fn wide(slots: usize) -> Self {
        Self { columns: (0..slots as u32).collect(), count: slots }
    }

    /// As few columns as possible, so that they stay in the cache: a slot that nobody reads any more makes room. Results
    /// are still behind their operands.
    pub(super) fn narrow(steps: &[StepReach], slots: usize) -> Self {
        let mut last_read = vec![0; slots];
        for (number, step) in steps.iter().enumerate() {
            step.inputs().for_each(|input| last_read[input as usize] = number);
        }
        let mut filled = vec![false; slots];
        for step in steps {
            filled[step.outputs()].fill(true);
        }
        // Constants are there all the time.
        let mut columns: Vec<u32> = vec![0; slots];
        let mut busy_until: Vec<usize> = Vec::new();
        for slot in (0..slots).filter(|slot| !filled[*slot]) {
            columns[slot] = busy_until.len() as u32;
            busy_until.push(usize::MAX);
        }
        for (number, step) in steps.iter().enumerate() {
            let outputs = step.outputs();
            let width = outputs.len();
            let behind = step.inputs().map(|input| columns[input as usize] as usize + 1).max().unwrap_or_default();
            let is_free = |column: usize| busy_until.get(column).is_none_or(|until| *until < number);
            let first = (behind..=behind.max(busy_until.len())).find(|first| (*first..first + width).all(is_free));
            let first = first.unwrap_or(behind);
            if busy_until.len() < first + width {
                busy_until.resize(first + width, 0);
            }
            for (place, slot) in outputs.enumerate() {
                columns[slot] = (first + place) as u32;
                busy_until[first + place] = last_read[slot].max(number);
            }
        }
        Self { columns, count: busy_until.len() }
    }

    #[inline]
    fn start(&self, slot: u32) -> usize {
        self.columns[slot as usize] as usize * CHUNK
    }
}

impl Program {
    /// Runs all candles and gives one column per output; `state` ends as if they had come one by one.
    pub(crate) fn batch(&self, state: &mut State, candles: &Columns, columns: &mut Vec<Vec<f64>>) {
        columns.resize_with(self.outputs.len(), Vec::new);
        for column in columns.iter_mut() {
            if column.is_empty() {
                // Zeros from the operating system cost nothing until they are written.
                *column = vec![0.0; candles.len()];
            } else {
                column.resize(candles.len(), 0.0);
            }
        }
        let layout = Layout::wide(state.frames[0].values.0.len());
        self.run_chunks(state, candles, &layout, &[], columns);
    }

    /// Runs all candles for a fresh state behind them, without what nothing there depends on any more; outputs can be read
    /// there. All that follows is as if the candles had come one by one.
    pub(crate) fn warm_up(&self, state: &mut State, candles: &Columns) {
        if let [frame] = &self.frames[..] {
            self.run_chunks(state, candles, frame.narrow(), &frame.starts(candles.len()), &mut []);
        } else {
            let layout = Layout::wide(state.frames[0].values.0.len());
            self.run_chunks(state, candles, &layout, &[], &mut []);
        }
    }

    /// Runs chunk by chunk, each step from its row in `starts`, from the first one where there is none. Each output is copied
    /// as soon as it is computed: while one is on its way to the memory, the next is computed.
    fn run_chunks(
        &self,
        state: &mut State,
        candles: &Columns,
        layout: &Layout,
        starts: &[usize],
        columns: &mut [Vec<f64>],
    ) {
        let frame = &self.frames[0];
        let mut buffer = vec![0.0; layout.count * CHUNK];
        for (slot, value) in state.frames[0].values.0.iter().enumerate() {
            // Constants; every other slot is overwritten.
            buffer[layout.start(slot as Slot)..][..CHUNK].fill(*value);
        }
        let copies = self.copies(columns.len());
        let copier = Copier::new(columns);
        for from in (0..candles.len()).step_by(CHUNK) {
            let slice = candles.slice(from, candles.len().min(from + CHUNK));
            if self.frames.len() > 1 {
                self.fold_rows(state, &slice, &mut buffer);
            }
            let skip = |step: usize| starts.get(step).map_or(0, |start| start.saturating_sub(from));
            run_chunk(frame, &mut state.frames[0], &slice, (layout, &mut buffer), skip, |step, buffer| {
                for (column, slot) in &copies[step] {
                    let values = column_of(frame, &slice, buffer, (*slot, layout.start(*slot)));
                    copier.copy(values, &mut columns[*column][from..from + values.len()]);
                }
            });
        }
        copier.finish();
    }

    /// Which column each step's slots are copied to; behind the last step those of constants and higher timeframes.
    fn copies(&self, columns: usize) -> Vec<Vec<(usize, Slot)>> {
        let steps = &self.frames[0].steps;
        let mut copies = vec![Vec::new(); steps.len() + 1];
        for (column, slot) in self.outputs.iter().enumerate().take(columns) {
            let step = steps.iter().position(|step| step.fills().contains(slot)).unwrap_or(steps.len());
            copies[step].push((column, *slot));
        }
        copies
    }

    fn fold_rows(&self, state: &mut State, candles: &ColumnSlice<'_>, buffer: &mut [f64]) {
        for row in 0..candles.len() {
            self.update_folds(state, &candles.row(row));
            for copy in &self.frames[0].higher {
                let value = state.frames[copy.frame as usize + 1].value(copy.slot);
                buffer[copy.out as usize * CHUNK + row] = value;
                state.frames[0].values.0[copy.out as usize] = value;
            }
        }
    }
}

/// The values of a slot for these candles: their own column, or what is in the buffer from its place on.
fn column_of<'a>(
    frame: &Frame,
    candles: &ColumnSlice<'a>,
    buffer: &'a [f64],
    (slot, start): (Slot, usize),
) -> &'a [f64] {
    if let Some(source) = frame.plain_source(slot) {
        return source_column(source, candles).unwrap_or_default();
    }
    // A candle indicator has no input; it may well be the first slot.
    let values = buffer.get(start..);
    values.and_then(|values| values.get(..candles.len())).unwrap_or_default()
}

/// Runs a chunk through all steps and tells `done` of each, with the buffer as far as it is filled; at last of no step.
/// `skip` says how many rows of the chunk a step, by its number, leaves out at the beginning.
fn run_chunk(
    frame: &Frame,
    state: &mut FrameState,
    all: &ColumnSlice<'_>,
    (layout, buffer): (&Layout, &mut [f64]),
    skip: impl Fn(usize) -> usize,
    mut done: impl FnMut(usize, &[f64]),
) {
    let FrameState { values: Values(newest), cells, rings, memory: Values(memory) } = state;
    for (number, step) in frame.steps.iter().enumerate() {
        let skip = skip(number);
        if skip >= all.len() {
            continue;
        }
        let candles = &all.after(skip);
        let rows = candles.len();
        // Operands have lower columns than results.
        let (before, after) = buffer.split_at_mut(layout.start(step.fills().start));
        let after = &mut after[skip..];
        let column = |slot: Slot| column_of(frame, candles, before, (slot, layout.start(slot) + skip));
        match *step {
            Step::Source { source, .. } => {
                if source_column(source, candles).is_none() {
                    for (row, value) in after[..rows].iter_mut().enumerate() {
                        *value = frame::read_source(source, &candles.row(row));
                    }
                }
            }
            Step::Call { cell, inputs, .. } => {
                let finite = frame.is_source(inputs[0]);
                let rows_in = Rows { candles: *candles, values: inputs.map(column), finite };
                cells[cell as usize].batch(rows_in, Out { values: after, stride: CHUNK, rows });
            }
            Step::Unary { op, a, .. } => {
                for (value, a) in after[..rows].iter_mut().zip(column(a)) {
                    *value = frame::unary(op, *a);
                }
            }
            Step::Binary { op, a, b, .. } => {
                for ((value, a), b) in after[..rows].iter_mut().zip(column(a)).zip(column(b)) {
                    *value = frame::binary(op, *a, *b);
                }
            }
            Step::Select { condition, yes, no, .. } => {
                let operands = column(condition).iter().zip(column(yes)).zip(column(no));
                for (value, ((condition, yes), no)) in after[..rows].iter_mut().zip(operands) {
                    *value = frame::select(*condition, *yes, *no);
                }
            }
            Step::Cross { op, a, b, memory: at, .. } => {
                let mut previous = memory[at as usize];
                for ((value, a), b) in after[..rows].iter_mut().zip(column(a)).zip(column(b)) {
                    let difference = a - b;
                    *value = frame::cross(op, previous, difference);
                    previous = difference;
                }
                memory[at as usize] = previous;
            }
            Step::History { ring, input, .. } => {
                let ring = &mut rings[ring as usize];
                for (value, input) in after[..rows].iter_mut().zip(column(input)) {
                    *value = ring.push(*input);
                }
            }
        }
        for slot in step.fills() {
            if let Some(last) = column_of(frame, all, buffer, (slot, layout.start(slot))).last() {
                newest[slot as usize] = *last;
            }
        }
        done(number, buffer);
    }
    done(frame.steps.len(), buffer);
}

/// A source that is a column of the candles.
fn source_column<'a>(source: Source, candles: &ColumnSlice<'a>) -> Option<&'a [f64]> {
    match source {
        Source::Open => Some(candles.open),
        Source::High => Some(candles.high),
        Source::Low => Some(candles.low),
        Source::Close => Some(candles.close),
        Source::Volume => Some(candles.volume),
        Source::Hl2 | Source::Hlc3 | Source::Ohlc4 => None,
    }
}
