//! Patterns of two candles.

use super::super::view::Five;
use super::super::words::*;
use super::{Context, Id, Signals};

/// One body inside or around another.
pub(super) fn bodies(c: &Context, out: &mut Signals) {
    let at = |word| c.at(word, 0);
    let (white, white_before) = (c.white(0), c.white(1));
    let up = white & !white_before & (!at(CO_LT) & at(OC_LT) | at(CO_GT) & !at(OC_GT));
    let down = !white & white_before & (!at(OC_LT) & at(CO_LT) | at(OC_GT) & !at(CO_GT));
    out.bull(Id::Engulfing, up);
    out.bear(Id::Engulfing, down);
    let shared_end = !(at(OC_GT) | at(OC_LT)) | !(at(CO_GT) | at(CO_LT));
    out.odd[0] = (up | down) & shared_end;

    let inside = at(INSIDE_OR_EQUAL) & c.long(0, 1);
    let (harami, cross) = (inside & c.small(1, 0), inside & c.doji(1, 0));
    out.signed(Id::Harami, harami, !white_before);
    out.odd[1] = harami & !at(INSIDE);
    out.signed(Id::HaramiCross, cross, !white_before);
    out.odd[2] = cross & !at(INSIDE);

    let star = c.long(0, 1) & c.doji(1, 0);
    out.bull(Id::DojiStar, star & !white_before & at(GAP_DOWN));
    out.bear(Id::DojiStar, star & white_before & at(GAP_UP));
    out.bull(Id::HomingPigeon, c.black(1) & c.black(0) & c.long(0, 1) & c.small(1, 0) & at(OO_LT) & at(CC_GT));
}

/// Short bodies with one long shadow, told apart by where they stand.
pub(super) fn hammers(c: &Context, out: &mut Signals) {
    let short = c.short(1, 0);
    let hanging = c.valid & short & c.at(LOWER_GT_BODY, 0) & c.no_upper(1, 0);
    let hammer = c.columns.keep(hanging, |row| row.bottom(0) <= row.low(1) + row.near(Five::P10, 1));
    let hanging_man = c.columns.keep(hanging, |row| row.bottom(0) >= row.high(1) - row.near(Five::P10, 1));
    out.bull(Id::Hammer, hammer);
    out.bear(Id::HangingMan, hanging_man);
    let standing = short & c.at(UPPER_GT_BODY, 0) & c.no_lower(1, 0);
    out.bull(Id::InvertedHammer, standing & c.at(GAP_DOWN, 0));
    out.bear(Id::ShootingStar, standing & c.at(GAP_UP, 0));
}

/// A white candle that opens below the low of a long black one: how far it comes back is the pattern.
pub(super) fn necks(c: &Context, out: &mut Signals) {
    let below = c.valid & c.black(1) & c.long(0, 1) & c.white(0) & c.at(OL_LT, 0);
    let in_neck = below & !c.at(CC_LT, 0);
    let in_neck = c.columns.keep(in_neck, |row| row.at_most(row.close(0), row.close(1), Five::P10, 1));
    out.bear(Id::InNeck, in_neck);
    let on_neck = c.columns.keep(below, |row| row.about(row.close(0), row.low(1), Five::P10, 1));
    out.bear(Id::OnNeck, on_neck);
    let thrusting = c.columns.keep(below, |row| {
        !row.at_most(row.close(0), row.close(1), Five::P10, 1) && row.close(0) <= row.inside_black(1, 0.5)
    });
    out.bear(Id::Thrusting, thrusting);
    let piercing = below & c.long(1, 0) & c.at(CO_LT, 0);
    out.bull(Id::Piercing, c.columns.keep(piercing, |row| row.close(0) > row.inside_black(1, 0.5)));
}

pub(super) fn reversals(c: &Context, out: &mut Signals) {
    let (white, white_before) = (c.white(0), c.white(1));
    let opposite = c.valid & (white ^ white_before);

    let cover = c.valid & white_before & c.long(0, 1) & !white & c.at(OH_GT, 0) & c.at(CO_GT, 0);
    out.bear(Id::DarkCloudCover, c.columns.keep(cover, |row| row.closes_into_white(1, 0.5)));

    let counter = opposite & c.long(0, 1) & c.long(1, 0);
    let counter = c.columns.keep(counter, |row| row.about(row.close(0), row.close(1), Five::P10, 1));
    out.signed(Id::Counterattack, counter, white);

    let opening_end = white & c.no_lower(1, 0) | !white & c.no_upper(1, 0);
    let lines = opposite & c.long(1, 0) & opening_end;
    let lines = c.columns.keep(lines, |row| row.about(row.open(0), row.open(1), Five::P10, 1));
    out.signed(Id::SeparatingLines, lines, white);

    let gap = !white_before & c.at(LH_GT, 0) | white_before & c.at(HL_LT, 0);
    let kicking = opposite & c.marubozu(0, 1) & c.marubozu(1, 0) & gap;
    out.signed(Id::Kicking, kicking, white);
    let later = c.columns.keep(kicking, |row| row.body(0) > row.body(1));
    out.signed(Id::KickingByLength, kicking, later & white | !later & white_before);

    let lows = c.valid & !white_before & !white;
    out.bull(Id::MatchingLow, c.columns.keep(lows, |row| row.about(row.close(0), row.close(1), Five::P5, 1)));
}
