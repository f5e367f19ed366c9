//! Patterns of one candle.

use super::super::view::Five;
use super::super::words::*;
use super::{Context, Id, Signals};

pub(super) fn shapes(c: &Context, out: &mut Signals) {
    let (long, short, white) = (c.long(0, 0), c.short(0, 0), c.white(0));
    let (no_upper, no_lower) = (c.no_upper(0, 0), c.no_lower(0, 0));
    let short_shadows = c.at(UPPER_SHORT.lt(0), 0) & c.at(LOWER_SHORT.lt(0), 0);
    out.bull(Id::BeltHold, long & white & no_lower);
    out.bear(Id::BeltHold, long & !white & no_upper);
    out.bull(Id::ClosingMarubozu, long & white & no_upper);
    out.bear(Id::ClosingMarubozu, long & !white & no_lower);
    out.signed(Id::Marubozu, long & no_upper & no_lower, white);
    out.signed(Id::LongLine, long & short_shadows, white);
    out.signed(Id::ShortLine, short & short_shadows, white);
    out.signed(Id::SpinningTop, short & c.at(UPPER_GT_BODY, 0) & c.at(LOWER_GT_BODY, 0), white);
    out.signed(Id::HighWave, short & c.at(UPPER_GT_TWICE, 0) & c.at(LOWER_GT_TWICE, 0), white);
}

pub(super) fn dojis(c: &Context, out: &mut Signals) {
    let doji = c.doji(0, 0);
    let (no_upper, no_lower) = (c.no_upper(0, 0), c.no_lower(0, 0));
    let (long_upper, long_lower) = (c.at(UPPER_GT_BODY, 0), c.at(LOWER_GT_BODY, 0));
    out.bull(Id::Doji, doji);
    out.bull(Id::DragonflyDoji, doji & no_upper & c.at(LOWER.gt(0), 0));
    out.bull(Id::GravestoneDoji, doji & no_lower & c.at(UPPER.gt(0), 0));
    out.bull(Id::LongLeggedDoji, doji & (long_upper | long_lower));
    out.bull(Id::Takuri, doji & no_upper & c.at(LOWER_GT_TWICE, 0));
    let rickshaw = c.columns.keep(c.valid & doji & long_upper & long_lower, |row| {
        let (middle, near) = (row.low(0) + (row.high(0) - row.low(0)) / 2.0, row.near(Five::P10, 0));
        row.bottom(0) <= middle + near && row.top(0) >= middle - near
    });
    out.bull(Id::RickshawMan, rickshaw);
}
