//! The same steps over columns: one step at a time over a chunk of candles, so that each indicator runs in a tight
//! loop. Every slot sees the same operations in the same order as in [`Program::update`], so the bits are the same.

use super::frame::{self, Frame, FrameState, Step};
use super::graph::Source;
use super::{Program, State};
use crate::indicator::{CHUNK, Out, Rows};
use crate::ohlcv::{ColumnSlice, Columns};
use crate::window::Values;

impl Program {
    /// Runs all candles and gives one column per output; `state` ends as if they had come one by one.
    pub(crate) fn batch(&self, state: &mut State, candles: &Columns, columns: &mut Vec<Vec<f64>>) {
        columns.resize_with(self.outputs.len(), Vec::new);
        for column in columns.iter_mut() {
            column.clear();
            column.reserve(candles.len());
        }
        self.run_chunks(state, candles, |buffer, rows| {
            for (column, slot) in columns.iter_mut().zip(&self.outputs) {
                column.extend_from_slice(&buffer[*slot as usize * CHUNK..][..rows]);
            }
        });
    }

    /// Runs all candles for the state behind them; outputs can be read there.
    pub(crate) fn warm_up(&self, state: &mut State, candles: &Columns) {
        self.run_chunks(state, candles, |_, _| {});
    }

    /// Hands each chunk's values, a column of [`CHUNK`] per slot, to `take` with the number of rows in it.
    fn run_chunks(&self, state: &mut State, candles: &Columns, mut take: impl FnMut(&[f64], usize)) {
        let mut buffer = vec![0.0; state.frames[0].values.0.len() * CHUNK];
        for (slot, value) in state.frames[0].values.0.iter().enumerate() {
            // Constants; every other slot is overwritten.
            buffer[slot * CHUNK..][..CHUNK].fill(*value);
        }
        for from in (0..candles.len()).step_by(CHUNK) {
            let slice = candles.slice(from, candles.len().min(from + CHUNK));
            if self.frames.len() > 1 {
                self.fold_rows(state, &slice, &mut buffer);
            }
            run_chunk(&self.frames[0], &mut state.frames[0], &slice, &mut buffer);
            take(&buffer, slice.len());
            for (slot, value) in state.frames[0].values.0.iter_mut().enumerate() {
                *value = buffer[slot * CHUNK + slice.len() - 1];
            }
        }
    }

    fn fold_rows(&self, state: &mut State, candles: &ColumnSlice<'_>, buffer: &mut [f64]) {
        for row in 0..candles.len() {
            self.update_folds(state, &candles.row(row));
            for copy in &self.frames[0].higher {
                buffer[copy.out as usize * CHUNK + row] = state.frames[copy.frame as usize + 1].value(copy.slot);
            }
        }
    }
}

fn run_chunk(frame: &Frame, state: &mut FrameState, candles: &ColumnSlice<'_>, buffer: &mut [f64]) {
    let rows = candles.len();
    let FrameState { cells, rings, memory: Values(memory), .. } = state;
    for step in &frame.steps {
        let out = match *step {
            Step::Source { out, .. }
            | Step::Call { out, .. }
            | Step::Unary { out, .. }
            | Step::Binary { out, .. }
            | Step::Select { out, .. }
            | Step::Cross { out, .. }
            | Step::History { out, .. } => out as usize,
        };
        // Operands have lower slots than results.
        let (before, after) = buffer.split_at_mut(out * CHUNK);
        let column = |slot: u32| &before[slot as usize * CHUNK..][..rows];
        match *step {
            Step::Source { source, .. } => read_column(source, candles, &mut after[..rows]),
            Step::Call { cell, inputs, .. } => {
                // A candle indicator has no input; it may well be the first slot.
                let values = inputs.map(|input| {
                    before.get(input as usize * CHUNK..).and_then(|values| values.get(..rows)).unwrap_or(&[])
                });
                let out = Out { values: after, stride: CHUNK, rows };
                cells[cell as usize].batch(Rows { candles: *candles, values }, out);
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
    }
}

fn read_column(source: Source, candles: &ColumnSlice<'_>, out: &mut [f64]) {
    let plain = match source {
        Source::Open => candles.open,
        Source::High => candles.high,
        Source::Low => candles.low,
        Source::Close => candles.close,
        Source::Volume => candles.volume,
        Source::Hl2 | Source::Hlc3 | Source::Ohlc4 => {
            for (row, value) in out.iter_mut().enumerate() {
                *value = frame::read_source(source, &candles.row(row));
            }
            return;
        }
    };
    out.copy_from_slice(plain);
}
