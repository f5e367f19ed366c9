//! Patterns of four and five candles.

use super::super::view::{Five, Row};
use super::super::words::*;
use super::{Context, Id, Signals};

pub(super) fn four(c: &Context, out: &mut Signals) {
    let (white, white_1, white_2, white_3) = (c.white(0), c.white(1), c.white(2), c.white(3));
    let near_body = |row: Row, lag: usize, phase: Five| {
        let (open, near) = (row.open(lag - 1), row.near(phase, lag));
        open >= row.bottom(lag) - near && open <= row.top(lag) + near
    };
    let steps = |row: Row| near_body(row, 3, Five::P5) && near_body(row, 2, Five::P6);
    let up = c.valid & white_3 & white_2 & white_1 & !white & c.at(CC_GT, 1) & c.at(CC_GT, 2) & c.at(OC_GT, 0);
    out.bull(Id::ThreeLineStrike, c.columns.keep(up, |row| row.close(0) < row.open(3) && steps(row)));
    let down = c.valid & !(white_3 | white_2 | white_1) & white & c.at(CC_LT, 1) & c.at(CC_LT, 2) & c.at(OC_LT, 0);
    out.bear(Id::ThreeLineStrike, c.columns.keep(down, |row| row.close(0) > row.open(3) && steps(row)));

    let black = c.valid & !(white_2 | white_1 | white);
    let opens_inside = c.at(OO_LT, 1) & c.at(OC_GT, 1) & c.at(OO_LT, 0) & c.at(OC_GT, 0);
    let no_lower = c.no_lower(1, 2) & c.no_lower(2, 1) & c.no_lower(3, 0);
    let crows = black & white_3 & opens_inside & no_lower & c.at(CC_LT, 1) & c.at(CC_LT, 0);
    out.bear(Id::ThreeBlackCrows, c.columns.keep(crows, |row| row.high(3) > row.close(2)));

    let bare = c.no_lower(0, 3) & c.no_upper(0, 3) & c.no_lower(1, 2) & c.no_upper(1, 2);
    let pokes = c.at(GAP_DOWN, 1) & c.at(UPPER.gt(2), 1) & c.at(HH_GT, 0) & c.at(LL_LT, 0);
    let swallow = c.columns.keep(black & !white_3 & bare & pokes, |row| row.high(1) > row.close(2));
    out.bull(Id::ConcealBabySwallow, swallow);
}

pub(super) fn breakaway(c: &Context, out: &mut Signals) {
    let (white, white_1, white_3, white_4) = (c.white(0), c.white(1), c.white(3), c.white(4));
    let long = c.valid & c.long(0, 4);
    let falls = c.at(HH_LT, 2) & c.at(LL_LT, 2) & c.at(HH_LT, 1) & c.at(LL_LT, 1);
    let up = c.columns.keep(long & !(white_4 | white_3 | white_1) & white & c.at(GAP_DOWN, 3) & falls, |row| {
        row.close(0) > row.open(3) && row.close(0) < row.close(4)
    });
    out.bull(Id::Breakaway, up);
    let rises = c.at(HH_GT, 2) & c.at(LL_GT, 2) & c.at(HH_GT, 1) & c.at(LL_GT, 1);
    let down = c.columns.keep(long & white_4 & white_3 & white_1 & !white & c.at(GAP_UP, 3) & rises, |row| {
        row.close(0) < row.open(3) && row.close(0) > row.close(4)
    });
    out.bear(Id::Breakaway, down);
}

pub(super) fn bottoms(c: &Context, out: &mut Signals) {
    let black = !(c.white(4) | c.white(3) | c.white(2) | c.white(1));
    let lower = c.at(OO_LT, 3) & c.at(OO_LT, 2) & c.at(CC_LT, 3) & c.at(CC_LT, 2);
    let ladder = c.valid & black & lower & c.at(UPPER.gt(3), 1) & c.white(0) & c.at(OO_GT, 0);
    out.bull(Id::LadderBottom, c.columns.keep(ladder, |row| row.close(0) > row.high(1)));
}

/// A long candle and three short ones, each in the phase of its place.
fn pause(c: &Context) -> u64 {
    c.valid & c.long(0, 4) & c.short(1, 3) & c.short(2, 2) & c.short(3, 1)
}

pub(super) fn mat_hold(c: &Context, out: &mut Signals) {
    let mat = pause(c) & c.white(4) & c.black(3) & c.white(0) & c.at(GAP_UP, 3) & c.at(OC_GT, 0);
    let hold = c.columns.keep(mat, |row| {
        let (close, floor) = (row.close(4), row.close(4) - row.body(4) * 0.5);
        let holds = |lag: usize| row.bottom(lag) < close && row.bottom(lag) > floor;
        holds(2)
            && holds(1)
            && row.top(2) < row.open(3)
            && row.top(1) < row.top(2)
            && row.close(0) > row.high(3).max(row.high(2)).max(row.high(1))
    });
    out.bull(Id::MatHold, hold);
}

pub(super) fn three_methods(c: &Context, out: &mut Signals) {
    let ends = pause(c) & c.long(4, 0);
    let in_range = |row: Row| [3, 2, 1].iter().all(|&lag| row.bottom(lag) < row.high(4) && row.top(lag) > row.low(4));
    let (white, white_1, white_2, white_3, white_4) = (c.white(0), c.white(1), c.white(2), c.white(3), c.white(4));
    let rising = ends & white_4 & !(white_3 | white_2 | white_1) & white;
    let rising = rising & c.at(CC_LT, 2) & c.at(CC_LT, 1) & c.at(OC_GT, 0);
    out.bull(Id::RiseFallThreeMethods, c.columns.keep(rising, |row| row.close(0) > row.close(4) && in_range(row)));
    let falling = ends & !white_4 & white_3 & white_2 & white_1 & !white;
    let falling = falling & c.at(CC_GT, 2) & c.at(CC_GT, 1) & c.at(OC_LT, 0);
    out.bear(Id::RiseFallThreeMethods, c.columns.keep(falling, |row| row.close(0) < row.close(4) && in_range(row)));
}
