//! Shapes in the newest swings.
//!
//! Tops and bottoms are one definition: prices are multiplied by the sign that makes the newest swing a high.

use super::pattern::{ChartKind, Line, Plan};
use super::swing::Pivot;

/// A shape that the newest swing completes: its kind, how many swings it is made of, what it waits for.
pub(super) struct Draft {
    pub(super) kind: ChartKind,
    pub(super) points: usize,
    pub(super) plan: Plan,
}

/// All shapes of the newest swings.
pub(super) fn detect(pivots: &[Pivot], atr: f64) -> impl Iterator<Item = Draft> + use<> {
    [double(pivots, atr), triple(pivots, atr), head_and_shoulders(pivots, atr), flag(pivots, atr), lines(pivots, atr)]
        .into_iter()
        .flatten()
}

/// Two prices are about equal when they differ by no more than this.
fn tolerance(atr: f64, height: f64) -> f64 {
    (0.5 * atr).max(0.1 * height)
}

/// The newest `N` swings, seen so that the newest is a high: the sign and the prices.
fn mirrored<const N: usize>(pivots: &[Pivot]) -> Option<(f64, &[Pivot; N], [f64; N])> {
    let points = pivots.last_chunk::<N>()?;
    let sign = if points[N - 1].high { 1.0 } else { -1.0 };
    Some((sign, points, points.map(|pivot| pivot.price * sign)))
}

fn pick(sign: f64, top: ChartKind, bottom: ChartKind) -> ChartKind {
    if sign > 0.0 { top } else { bottom }
}

fn length(points: &[Pivot]) -> u64 {
    match points {
        [first, .., last] => last.index - first.index,
        _ => 0,
    }
}

/// A top that is confirmed by a close below `neck` and void above `roof`, or the mirror image of it.
fn top(sign: f64, neck: Line, roof: f64, height: f64, length: u64) -> Plan {
    let roof = Some(Line::flat(roof * sign));
    let none = Plan { above: None, below: None, void_above: None, void_below: None, height, target: None, length };
    if sign > 0.0 {
        Plan { below: Some(neck), void_above: roof, ..none }
    } else {
        Plan { above: Some(neck), void_below: roof, ..none }
    }
}

/// Low, high, low, high: a rise into two highs about equal.
fn double(pivots: &[Pivot], atr: f64) -> Option<Draft> {
    let (sign, points, [before, first, valley, second]) = mirrored::<4>(pivots)?;
    let height = first.min(second) - valley;
    let equal = tolerance(atr, height);
    ((first - second).abs() <= equal && before < valley - equal).then(|| Draft {
        kind: pick(sign, ChartKind::DoubleTop, ChartKind::DoubleBottom),
        points: 3,
        plan: top(sign, Line::flat(points[2].price), first.max(second) + equal, height, length(&points[1..])),
    })
}

fn triple(pivots: &[Pivot], atr: f64) -> Option<Draft> {
    let (sign, points, [before, first, low, second, low_2, third]) = mirrored::<6>(pivots)?;
    let (highest, lowest) = (first.max(second).max(third), first.min(second).min(third));
    let valley = low.min(low_2);
    let height = lowest - valley;
    let equal = tolerance(atr, height);
    (highest - lowest <= equal && before < valley - equal).then(|| Draft {
        kind: pick(sign, ChartKind::TripleTop, ChartKind::TripleBottom),
        points: 5,
        plan: top(sign, Line::flat(valley * sign), highest + equal, height, length(&points[1..])),
    })
}

fn head_and_shoulders(pivots: &[Pivot], atr: f64) -> Option<Draft> {
    let (sign, points, [before, left, low, head, low_2, right]) = mirrored::<6>(pivots)?;
    let neck = Line::through(&points[2], &points[4]);
    let height = head - neck.price_at(points[3].index) * sign;
    let is_head = head - left.max(right) >= (height / 7.0).max(0.5 * atr);
    let even = (left - right).abs() <= height / 3.0 && (low - low_2).abs() <= height / 3.0;
    (is_head && even && before < low.min(low_2)).then(|| Draft {
        kind: pick(sign, ChartKind::HeadAndShoulders, ChartKind::InverseHeadAndShoulders),
        points: 5,
        plan: top(sign, neck, right + tolerance(atr, height), height, length(&points[1..])),
    })
}

/// A fall (the pole) from the first swing to the second, then a rest.
fn flag(pivots: &[Pivot], atr: f64) -> Option<Draft> {
    let (sign, points, [start, foot, high, low, high_2]) = mirrored::<5>(pivots)?;
    let pole = start - foot;
    let rest = high.max(high_2) - foot.min(low);
    let (pole_length, rest_length) = (points[1].index - points[0].index, length(&points[1..]));
    let equal = tolerance(atr, rest);
    if pole < 5.0 * atr || rest > 0.5 * pole || rest_length > 3 * pole_length.max(10) || low < foot - equal {
        return None;
    }
    let converging = low > foot + equal && high_2 < high - equal;
    let kind = if converging {
        pick(sign, ChartKind::BearPennant, ChartKind::BullPennant)
    } else if high_2 >= high - equal && (high_2 - high - (low - foot)).abs() <= 0.5 * rest {
        pick(sign, ChartKind::BearFlag, ChartKind::BullFlag)
    } else {
        return None;
    };
    let roof = high.max(high_2) + equal;
    Some(Draft {
        kind,
        points: 5,
        plan: top(sign, Line::through(&points[1], &points[3]), roof, pole, rest_length.max(1)),
    })
}

/// A slope counts as flat below this part of the width over the whole length.
const FLAT: f64 = 0.15;

/// Five swings between two lines: three touches on the side of the newest, two on the other.
fn lines(pivots: &[Pivot], atr: f64) -> Option<Draft> {
    let points = pivots.last_chunk::<5>()?;
    let [first, second, third, fourth, fifth] = points;
    let (three, two) = (Line::through(first, fifth), Line::through(second, fourth));
    let (upper, lower) = if fifth.high { (three, two) } else { (two, three) };
    let width = |index| upper.price_at(index) - lower.price_at(index);
    let (before, after) = (width(first.index), width(fifth.index));
    let widest = before.max(after);
    let third_fits = (third.price - three.price_at(third.index)).abs() <= tolerance(atr, widest);
    if before <= 0.0 || after <= 0.0 || !third_fits {
        return None;
    }
    let length = length(points);
    let steep = |line: Line| line.slope * length as f64 / widest;
    let (rise, floor) = (steep(upper), steep(lower));
    let kind = classify(rise, floor, after / before)?;
    let (top, bottom) = points.iter().fold((f64::NEG_INFINITY, f64::INFINITY), |(top, bottom), pivot| {
        (top.max(pivot.price), bottom.min(pivot.price))
    });
    let plan = Plan {
        above: Some(upper),
        below: Some(lower),
        void_above: None,
        void_below: None,
        // A triangle's height is that of its swings; its lines may be far apart where nothing was.
        height: if is_parallel(kind) { widest } else { top - bottom },
        target: None,
        length,
    };
    let up_only = Plan { below: None, void_below: Some(lower), ..plan };
    let down_only = Plan { above: None, void_above: Some(upper), ..plan };
    let plan = match kind {
        ChartKind::AscendingTriangle => up_only,
        ChartKind::DescendingTriangle => down_only,
        ChartKind::RisingWedge => Plan { target: Some(bottom), ..down_only },
        ChartKind::FallingWedge => Plan { target: Some(top), ..up_only },
        _ => plan,
    };
    Some(Draft { kind, points: 5, plan })
}

fn is_parallel(kind: ChartKind) -> bool {
    matches!(kind, ChartKind::Rectangle | ChartKind::RisingChannel | ChartKind::FallingChannel)
}

/// The kind by the lines' steepness (change over the length, in widths) and the width at the end over that at the start.
fn classify(upper: f64, lower: f64, narrowing: f64) -> Option<ChartKind> {
    let side = |steep: f64| i8::from(steep > FLAT) - i8::from(steep < -FLAT);
    let parallel = (0.75..=1.35).contains(&narrowing);
    Some(match (side(upper), side(lower)) {
        (0, 0) => ChartKind::Rectangle,
        (0, 1) => ChartKind::AscendingTriangle,
        (-1, 0) => ChartKind::DescendingTriangle,
        (-1, 1) => ChartKind::SymmetricalTriangle,
        (1, 1) if parallel => ChartKind::RisingChannel,
        (-1, -1) if parallel => ChartKind::FallingChannel,
        (1, 1) if narrowing < 0.75 => ChartKind::RisingWedge,
        (-1, -1) if narrowing < 0.75 => ChartKind::FallingWedge,
        _ => return None,
    })
}
