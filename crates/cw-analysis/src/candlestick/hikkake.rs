//! The two patterns that remember: a hikkake is confirmed by one of the three candles after it.

use serde::{Deserialize, Serialize};

use super::rules::{Context, Signals};
use super::table::Id;
use super::view::{Five, Row};
use super::words::*;

/// How many candles may confirm.
const CONFIRM: u8 = 3;
/// The first rows whose events TA-Lib remembers, three before its first output.
const FIRST: [u64; 2] = [2, 7];

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Memory {
    /// Candles that may still confirm.
    left: u8,
    up: bool,
    /// The range of the inside candle.
    high: f64,
    low: f64,
}

/// What is remembered of the last hikkake and the last modified one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Hikkakes([Memory; 2]);

impl Hikkakes {
    pub(super) const NONE: Self = Self([Memory { left: 0, up: false, high: 0.0, low: 0.0 }; 2]);

    /// The signals of the valid rows; `from_row(n)` has the bits of rows not before row `n` of the series.
    #[inline]
    pub(super) fn evaluate(&mut self, c: &Context, from_row: impl Fn(u64) -> u64, out: &mut Signals) {
        let at = |word, lag| c.frame.at(word, lag);
        let inside = |lag| at(HH_LT, lag) & at(LL_GT, lag);
        let (down, up) = (at(HH_LT, 0) & at(LL_LT, 0), at(HH_GT, 0) & at(LL_GT, 0));

        let events = inside(1) & c.valid & from_row(FIRST[0]);
        self.0[0].run(c, [events & down, events & up], Id::Hikkake, &mut out.odd[3], (&mut out.bull, &mut out.bear));

        let events = events & inside(2) & from_row(FIRST[1]);
        let bull = c.columns.keep(events & down, |row: Row| row.close(2) <= row.low(2) + row.near(Five::P5, 2));
        let bear = c.columns.keep(events & up, |row: Row| row.close(2) >= row.high(2) - row.near(Five::P5, 2));
        let id = Id::ModifiedHikkake;
        self.0[1].run(c, [bull, bear], id, &mut out.odd[4], (&mut out.bull, &mut out.bear));
    }
}

impl Memory {
    #[inline]
    fn run(
        &mut self,
        c: &Context,
        [bull, bear]: [u64; 2],
        id: Id,
        confirmed: &mut u64,
        (out_bull, out_bear): (&mut [u64; 64], &mut [u64; 64]),
    ) {
        let events = bull | bear;
        let mut signals = [bear, bull];
        let mut todo = c.valid;
        *confirmed = 0;
        loop {
            if self.left == 0 {
                // Nothing can happen before the next event.
                todo &= match events & todo {
                    0 => 0,
                    next => u64::MAX << next.trailing_zeros(),
                };
            }
            if todo == 0 {
                break;
            }
            let bit = todo.trailing_zeros();
            todo &= todo - 1;
            let row = c.columns.row(bit);
            if events >> bit & 1 == 1 {
                *self = Self { left: CONFIRM, up: bull >> bit & 1 == 1, high: row.high(1), low: row.low(1) };
            } else if if self.up { row.close(0) > self.high } else { row.close(0) < self.low } {
                signals[usize::from(self.up)] |= 1 << bit;
                *confirmed |= 1 << bit;
                self.left = 0;
            } else {
                self.left -= 1;
            }
        }
        out_bull[id as usize] = signals[1];
        out_bear[id as usize] = signals[0];
    }
}
