//! Patterns of three candles.

use super::super::view::{Five, Row};
use super::super::words::*;
use super::{Context, Id, Signals};

/// Morning and evening stars.
pub(super) fn stars(c: &Context, out: &mut Signals) {
    let ends = c.valid & c.long(0, 2) & c.long(2, 0);
    let evening = ends & c.white(2) & c.black(0);
    let morning = ends & c.black(2) & c.white(0);
    let (small, doji) = (c.small(1, 1), c.doji(1, 1));
    let falls = |bits| c.columns.keep(bits, |row: Row| row.closes_into_white(2, 0.3));
    let rises = |bits| c.columns.keep(bits, |row: Row| row.close(0) > row.inside_black(2, 0.3));
    let deep = falls(evening & c.at(GAP_UP, 1) & (small | doji));
    out.bear(Id::EveningStar, deep & small);
    out.bear(Id::EveningDojiStar, deep & doji);
    let high = rises(morning & c.at(GAP_DOWN, 1) & (small | doji));
    out.bull(Id::MorningStar, high & small);
    out.bull(Id::MorningDojiStar, high & doji);
    out.bear(Id::AbandonedBaby, falls(evening & doji & c.at(LH_GT, 1) & c.at(HL_LT, 0)));
    out.bull(Id::AbandonedBaby, rises(morning & doji & c.at(HL_LT, 1) & c.at(LH_GT, 0)));
}

pub(super) fn dojis(c: &Context, out: &mut Signals) {
    let (up, down) = (c.at(GAP_UP, 1), c.at(GAP_DOWN, 1));
    // All three are measured by the averages of the first.
    let dojis = c.columns.keep(c.valid & c.doji(0, 2) & (up | down), |row| {
        let limit = row.doji(2);
        row.body(1) <= limit && row.body(0) <= limit
    });
    out.bear(Id::Tristar, c.columns.keep(dojis & up, |row| row.top(0) < row.top(1)));
    out.bull(Id::Tristar, c.columns.keep(dojis & down, |row| row.bottom(0) > row.bottom(1)));
}

pub(super) fn crows(c: &Context, out: &mut Signals) {
    let black = c.black(1) & c.black(0);
    let gap = c.valid & c.white(2) & c.long(0, 2) & black & c.at(GAP_UP, 1);
    let two = c
        .columns
        .keep(gap & c.at(OO_LT, 0) & c.at(OC_GT, 0), |row| row.close(0) > row.open(2) && row.close(0) < row.close(2));
    out.bear(Id::TwoCrows, two);
    let upside = gap & c.small(1, 1) & c.at(OO_GT, 0) & c.at(CC_LT, 0);
    out.bear(Id::UpsideGapTwoCrows, c.columns.keep(upside, |row| row.close(0) > row.close(2)));
    let lower = c.no_lower(0, 2) & c.no_lower(1, 1) & c.no_lower(2, 0) & c.at(CC_LT, 1) & c.at(CC_LT, 0);
    let identical = c.columns.keep(c.valid & c.black(2) & black & lower, |row| {
        row.about(row.open(1), row.close(2), Five::P10, 2) && row.about(row.open(0), row.close(1), Five::P11, 1)
    });
    out.bear(Id::IdenticalThreeCrows, identical);
}

/// Three white candles with higher closes.
pub(super) fn soldiers(c: &Context, out: &mut Signals) {
    let rising = c.valid & c.white(2) & c.white(1) & c.white(0) & c.at(CC_GT, 0) & c.at(CC_GT, 1) & c.at(OO_GT, 1);
    let opens_near = |row: Row| row.open(1) <= row.close(2) + row.near(Five::P10, 2);
    let no_upper = c.no_upper(0, 2) & c.no_upper(1, 1) & c.no_upper(2, 0);
    let soldiers = c.columns.keep(rising & c.at(OO_GT, 0) & no_upper & c.long(2, 0), |row| {
        opens_near(row)
            && row.open(0) <= row.close(1) + row.near(Five::P11, 1)
            && row.body(1) > row.body(2) - row.far(Five::P10, 2)
            && row.body(0) > row.body(1) - row.far(Five::P11, 1)
    });
    out.bull(Id::ThreeWhiteSoldiers, soldiers);

    let stalled = rising & c.long(0, 2) & c.long(1, 1) & c.no_upper(1, 1) & c.short(2, 0);
    let stalled = c
        .columns
        .keep(stalled, |row| opens_near(row) && row.open(0) >= row.close(1) - row.body(0) - row.near(Five::P11, 1));
    out.bear(Id::StalledPattern, stalled);

    let block = rising & c.at(OO_GT, 0) & c.long(0, 2) & c.at(UPPER_SHORT.lt(0), 2);
    let block = c.columns.keep(block, |row| opens_near(row) && row.open(0) <= row.close(1) + row.near(Five::P11, 1));
    let shadows = c.at(UPPER_SHORT.gt(2), 0) | c.at(UPPER_SHORT.gt(1), 1);
    let last_shorter = c.columns.keep(block, |row| row.body(0) < row.body(1));
    let both_shorter = c.columns.keep(last_shorter & shadows, |row| row.body(1) < row.body(2));
    let much_shorter = c.columns.keep(block, |row| {
        row.body(1) < row.body(2) - row.far(Five::P10, 2) && row.body(0) < row.body(1) + row.near(Five::P11, 1)
            || row.body(0) < row.body(1) - row.far(Five::P11, 1)
    });
    out.bear(Id::AdvanceBlock, much_shorter | both_shorter | last_shorter & c.at(UPPER_GT_BODY, 0));
}

/// Two candles with a gap, and a third.
pub(super) fn gaps(c: &Context, out: &mut Signals) {
    let (white, white_1, white_2) = (c.white(0), c.white(1), c.white(2));
    let (up, down) = (c.at(GAP_UP, 1), c.at(GAP_DOWN, 1));

    let lines = c.columns.keep(c.valid & white_1 & white & (up | down), |row| {
        row.body(0) >= row.body(1) - row.near(Five::P6, 1)
            && row.body(0) <= row.body(1) + row.near(Five::P6, 1)
            && row.about(row.open(0), row.open(1), Five::P6, 1)
    });
    out.bull(Id::GapSideBySideWhite, c.columns.keep(lines & up, |row| row.bottom(0) > row.top(2)));
    out.bear(Id::GapSideBySideWhite, c.columns.keep(lines & down, |row| row.top(0) < row.bottom(2)));

    let turns_down = c.valid & up & white_1 & !white & c.at(OC_LT, 0) & c.at(OO_GT, 0);
    let turns_up = c.valid & down & !white_1 & white & c.at(OO_LT, 0) & c.at(OC_GT, 0);
    let alike = |row: Row| (row.body(1) - row.body(0)).abs() < row.near(Five::P6, 1);
    let upside = c.columns.keep(turns_down & c.at(CO_LT, 0), |row| row.close(0) > row.top(2) && alike(row));
    let downside = c.columns.keep(turns_up & c.at(CO_GT, 0), |row| row.close(0) < row.bottom(2) && alike(row));
    out.bull(Id::TasukiGap, upside);
    out.bear(Id::TasukiGap, downside);

    let fills = |bits| c.columns.keep(bits, |row: Row| row.close(0) < row.top(2) && row.close(0) > row.bottom(2));
    out.bull(Id::SideGapThreeMethods, fills(turns_down & white_2));
    out.bear(Id::SideGapThreeMethods, fills(turns_up & !white_2));
}

pub(super) fn lows(c: &Context, out: &mut Signals) {
    let (white, white_1, white_2) = (c.white(0), c.white(1), c.white(2));

    let inside = c.valid & c.at(INSIDE, 1) & (white ^ white_2) & c.long(0, 2) & c.small(1, 1);
    let three_inside = c.columns.keep(inside, |row| {
        if row.close(2) >= row.open(2) { row.close(0) < row.open(2) } else { row.close(0) > row.open(2) }
    });
    out.signed(Id::ThreeInside, three_inside, white);
    let up = white_1 & !white_2 & c.at(CO_GT, 1) & c.at(OC_LT, 1) & c.at(CC_GT, 0);
    let down = !white_1 & white_2 & c.at(OC_GT, 1) & c.at(CO_LT, 1) & c.at(CC_LT, 0);
    out.bull(Id::ThreeOutside, up);
    out.bear(Id::ThreeOutside, down);

    let black = c.valid & !white_2 & !white_1;
    let stars = black
        & !white
        & c.long(0, 2)
        & c.at(LOWER_GT_BODY, 2)
        & c.at(OC_GT, 1)
        & !c.at(LL_LT, 1)
        & c.at(LOWER.gt(1), 1)
        & c.short(2, 0)
        & c.no_lower(2, 0)
        & c.no_upper(2, 0)
        & c.at(LL_GT, 0)
        & c.at(HH_LT, 0);
    let stars = c
        .columns
        .keep(stars, |row| row.body(1) < row.body(2) && row.open(1) <= row.high(2) && row.low(1) < row.close(2));
    out.bull(Id::ThreeStarsInSouth, stars);

    let river = black & white & c.at(CC_GT, 1) & !c.at(OO_GT, 1) & c.at(LL_LT, 1) & c.long(0, 2) & c.short(2, 0);
    out.bull(Id::UniqueThreeRiver, c.columns.keep(river, |row| row.open(0) > row.low(1)));

    let sandwich = c.columns.keep(c.valid & !white_2 & white_1 & !white, |row| {
        row.low(1) > row.close(2) && row.about(row.close(0), row.close(2), Five::P5, 2)
    });
    out.bull(Id::StickSandwich, sandwich);
}
