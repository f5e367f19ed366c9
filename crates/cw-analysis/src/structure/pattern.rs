//! A chart pattern from its last point to its end.

use cw_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::levels::Breakout;
use super::swing::Pivot;
use crate::ohlcv::Ohlcv;

/// Patterns that are followed at a time, and ended ones that are remembered.
pub(super) const MOST_ACTIVE: usize = 16;
pub(super) const MOST_ENDED: usize = 16;
/// Candles in which a broken level has to be tested again.
const RETEST_WITHIN: u64 = 40;

/// The shapes. Definitions after Bulkowski, Encyclopedia of Chart Patterns, and Edwards & Magee; "about equal" is half
/// an average true range or a tenth of the pattern's height, whichever is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChartKind {
    /// Two highs about equal after a rise; confirmed below the low between them.
    DoubleTop,
    DoubleBottom,
    /// Three highs about equal after a rise; confirmed below the lower of the two lows between them.
    TripleTop,
    TripleBottom,
    /// Three highs after a rise, the middle one higher by a seventh of the height or more, the outer ones within a
    /// third of it; confirmed below the line through the two lows.
    HeadAndShoulders,
    InverseHeadAndShoulders,
    /// Five swings between a flat upper and a rising lower line; confirmed above.
    AscendingTriangle,
    /// Five swings between a falling upper and a flat lower line; confirmed below.
    DescendingTriangle,
    /// Five swings between lines that converge from both sides; confirmed beyond either.
    SymmetricalTriangle,
    /// Two rising lines that converge; confirmed below.
    RisingWedge,
    /// Two falling lines that converge; confirmed above.
    FallingWedge,
    /// Two parallel rising or falling lines; confirmed beyond either.
    RisingChannel,
    FallingChannel,
    /// Two flat lines; confirmed beyond either.
    Rectangle,
    /// A move of five average true ranges or more, then four swings of at most half its height in parallel lines that
    /// do not go on with it; confirmed in its direction.
    BullFlag,
    BearFlag,
    /// The same with lines that converge.
    BullPennant,
    BearPennant,
    /// A close through a level at which three swings or more had turned; confirmed when the price came back to its zone within 40
    /// candles and closed away from it again.
    BreakoutUp,
    BreakoutDown,
}

macro_rules! kinds {
    ($($kind:ident $name:literal),+ $(,)?) => {
        impl ChartKind {
            /// All of them, in the order of the declaration.
            pub const ALL: [Self; 20] = [$(Self::$kind),+];
            /// As it is written in JSON and in expressions.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name),+ }
            }
        }
    };
}

kinds! {
    DoubleTop "double_top",
    DoubleBottom "double_bottom",
    TripleTop "triple_top",
    TripleBottom "triple_bottom",
    HeadAndShoulders "head_and_shoulders",
    InverseHeadAndShoulders "inverse_head_and_shoulders",
    AscendingTriangle "ascending_triangle",
    DescendingTriangle "descending_triangle",
    SymmetricalTriangle "symmetrical_triangle",
    RisingWedge "rising_wedge",
    FallingWedge "falling_wedge",
    RisingChannel "rising_channel",
    FallingChannel "falling_channel",
    Rectangle "rectangle",
    BullFlag "bull_flag",
    BearFlag "bear_flag",
    BullPennant "bull_pennant",
    BearPennant "bear_pennant",
    BreakoutUp "breakout_up",
    BreakoutDown "breakout_down",
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All points are there; the close beyond its line is not.
    Forming,
    /// A candle closed beyond the line that the definition names.
    Confirmed,
    /// Confirmed, and then a candle closed back beyond the middle of the pattern before the target was reached.
    Broken,
    /// A candle closed on the wrong side first, or nothing came of it in time.
    Failed,
}

/// A straight line: the price at a candle, and the change per candle.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Line {
    pub index: u64,
    pub price: f64,
    pub slope: f64,
}

impl Line {
    pub(super) fn flat(price: f64) -> Self {
        Self { index: 0, price, slope: 0.0 }
    }
    pub(super) fn through(from: &Pivot, to: &Pivot) -> Self {
        Self { index: from.index, price: from.price, slope: super::levels::slope(from, to) }
    }
    /// The price at candle `index`.
    pub fn price_at(&self, index: u64) -> f64 {
        self.price + self.slope * (index as f64 - self.index as f64)
    }
    /// The same line, higher by `by`.
    pub(super) fn raised(self, by: f64) -> Self {
        Self { price: self.price + by, ..self }
    }
}

/// What a shape waits for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Plan {
    /// A close above or below confirms.
    pub(super) above: Option<Line>,
    pub(super) below: Option<Line>,
    /// A close above or below ends it before.
    pub(super) void_above: Option<Line>,
    pub(super) void_below: Option<Line>,
    /// The usual measure: the target's distance from the broken line.
    pub(super) height: f64,
    /// A target that does not depend on where the line breaks.
    pub(super) target: Option<f64>,
    /// How long the pattern is, in candles: it has twice that to confirm and four times that to reach its target.
    pub(super) length: u64,
}

/// A chart pattern: the points that made it, what it became and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChartPattern {
    /// Number of the pattern in its series, counted from 1.
    pub id: u64,
    pub kind: ChartKind,
    pub status: Status,
    /// The swings that made it, oldest first; none for a breakout, which has a level.
    pub points: Vec<Pivot>,
    /// The level that broke.
    pub level: Option<u64>,
    /// The candle at which it was seen: the one that confirmed its last point, or broke its level.
    pub formed_index: u64,
    pub formed_at: Timestamp,
    pub confirmed_index: Option<u64>,
    pub confirmed_at: Option<Timestamp>,
    /// Which way it was confirmed.
    pub up: Option<bool>,
    /// The line's price where it broke.
    pub break_price: Option<f64>,
    /// The usual measure: the pattern's height (a flag's pole) from the broken line; a wedge's beginning.
    pub target: Option<f64>,
    pub reached_index: Option<u64>,
    /// The first candle that came back to the broken line and closed on the far side of it.
    pub retested_index: Option<u64>,
    /// When nothing more could become of it.
    pub ended_index: Option<u64>,
    /// The lines that confirm it upwards and downwards.
    pub above: Option<Line>,
    pub below: Option<Line>,
    plan: Plan,
    /// For a breakout: the zone's half height, and whether the price came back to it.
    zone: f64,
    touched: bool,
}

impl ChartPattern {
    pub(super) fn new(id: u64, kind: ChartKind, points: &[Pivot], plan: Plan, (index, time): (u64, Timestamp)) -> Self {
        Self {
            id,
            kind,
            status: Status::Forming,
            points: points.to_vec(),
            level: None,
            formed_index: index,
            formed_at: time,
            confirmed_index: None,
            confirmed_at: None,
            up: None,
            break_price: None,
            target: None,
            reached_index: None,
            retested_index: None,
            ended_index: None,
            above: plan.above,
            below: plan.below,
            plan,
            zone: 0.0,
            touched: false,
        }
    }

    /// A level that just broke. `height` is the move that broke it.
    pub(super) fn breakout(id: u64, breakout: &Breakout, height: f64, at: (u64, Timestamp)) -> Self {
        let level = &breakout.level;
        let (edge, far) = (Line::flat(level.price).raised(level.zone), Line::flat(level.price).raised(-level.zone));
        let mut plan = Plan {
            above: None,
            below: None,
            void_above: None,
            void_below: None,
            height,
            target: None,
            length: RETEST_WITHIN / 2,
        };
        let kind = if breakout.up {
            (plan.above, plan.void_below) = (Some(edge), Some(far));
            ChartKind::BreakoutUp
        } else {
            (plan.below, plan.void_above) = (Some(far), Some(edge));
            ChartKind::BreakoutDown
        };
        Self { level: Some(level.id), zone: level.zone, ..Self::new(id, kind, &[], plan, at) }
    }

    pub(super) fn is_ended(&self) -> bool {
        self.ended_index.is_some()
    }

    /// What candle `index` makes of it.
    pub(super) fn follow(&mut self, index: u64, candle: &Ohlcv, atr: f64) {
        match self.status {
            Status::Forming => self.wait(index, candle),
            Status::Confirmed => self.go_on(index, candle, atr),
            Status::Broken | Status::Failed => {}
        }
    }

    fn wait(&mut self, index: u64, candle: &Ohlcv) {
        let at = |line: Option<Line>| line.map(|line| line.price_at(index));
        let over = |line: Option<Line>| at(line).filter(|price| candle.close > *price);
        let under = |line: Option<Line>| at(line).filter(|price| candle.close < *price);
        if self.level.is_some() && !self.touched {
            // Only a close after the price came back counts.
            self.touched = index > self.formed_index
                && (at(self.plan.above).is_some_and(|edge| candle.low <= edge)
                    || at(self.plan.below).is_some_and(|edge| candle.high >= edge));
            if !self.touched {
                self.expire(index);
                return;
            }
        }
        if let Some(price) = over(self.plan.above) {
            self.confirm(index, candle, price, true);
        } else if let Some(price) = under(self.plan.below) {
            self.confirm(index, candle, price, false);
        } else if over(self.plan.void_above).or(under(self.plan.void_below)).is_some() {
            self.end(index, Status::Failed);
        } else {
            self.expire(index);
        }
    }

    fn expire(&mut self, index: u64) {
        let crossed = match (self.plan.above, self.plan.below) {
            (Some(above), Some(below)) => above.price_at(index) <= below.price_at(index),
            _ => false,
        };
        if crossed || index - self.formed_index >= 2 * self.plan.length.max(1) {
            self.end(index, Status::Failed);
        }
    }

    fn confirm(&mut self, index: u64, candle: &Ohlcv, price: f64, up: bool) {
        let measured = if up { price + self.plan.height } else { price - self.plan.height };
        self.status = Status::Confirmed;
        self.confirmed_index = Some(index);
        self.confirmed_at = Some(candle.open_time);
        self.up = Some(up);
        self.break_price = Some(price);
        self.target = Some(self.plan.target.unwrap_or(measured));
        if self.level.is_some() {
            self.retested_index = Some(index);
        }
    }

    fn go_on(&mut self, index: u64, candle: &Ohlcv, atr: f64) {
        let (Some(up), Some(price), Some(target)) = (self.up, self.break_price, self.target) else { return };
        let sign = if up { 1.0 } else { -1.0 };
        // Seen in the direction of the break: how far prices are beyond the line.
        let close = (candle.close - price) * sign;
        let (best, worst) = if up { (candle.high, candle.low) } else { (candle.low, candle.high) };
        if self.retested_index.is_none() && (worst - price) * sign <= 0.25 * atr && close > 0.0 {
            self.retested_index = Some(index);
        }
        if (best - target) * sign >= 0.0 {
            self.reached_index = Some(index);
            self.ended_index = Some(index);
        } else if close < -(0.5 * self.plan.height).max(self.zone) {
            self.end(index, Status::Broken);
        } else if self.confirmed_index.is_some_and(|at| index - at >= 4 * self.plan.length.max(1)) {
            self.ended_index = Some(index);
        }
    }

    pub(super) fn end(&mut self, index: u64, status: Status) {
        self.status = status;
        self.ended_index = Some(index);
    }
}
