//! Volume-weighted prices since an anchor, and levels of the session before.

use cw_core::{Calendar, Timestamp};
use serde::{Deserialize, Serialize};

use crate::indicator::{CHUNK, Group, Indicator, Out, Output, Param, Rows, Spec, row_by_row};
use crate::ohlcv::{ColumnSlice, Ohlcv, typical_prices};
use crate::wide::wide;
use crate::window::{Range, Ring};

const HOUR: i64 = 3_600 * Timestamp::NANOS_PER_SECOND;
const DAY: i64 = 24 * HOUR;
const SESSION: Param = Param { name: "session_hours", default: 24.0, min: 0.0, max: 720.0, integer: true };

/// The sessions of the market's calendar, or sessions of equal length, counted from 1970-01-01 UTC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Sessions {
    /// Nanoseconds; 0 never begins anew.
    length: i64,
    calendar: Calendar,
    /// First moment after the running session, or after the time between two.
    ends: Timestamp,
    started: bool,
    /// The market is open.
    open: bool,
}

impl Sessions {
    fn new(hours: f64) -> Self {
        let calendar = Calendar::Continuous;
        Self { length: hours as i64 * HOUR, calendar, ends: Timestamp::MIN, started: false, open: true }
    }
    /// A day is the market's own; other lengths are counted as they say.
    fn set_calendar(&mut self, calendar: Calendar) {
        if self.length == DAY {
            self.calendar = calendar;
        }
    }
    /// Whether a session begins with this candle.
    #[inline(always)]
    fn begins(&mut self, open_time: Timestamp) -> bool {
        let begins = !self.started || (self.length > 0 && open_time >= self.ends);
        if begins {
            self.begin(open_time);
        }
        begins
    }
    /// Whether a session begins with one of these candles.
    fn ends_within(&self, open_times: &[Timestamp]) -> bool {
        !self.started || (self.length > 0 && open_times.last().is_some_and(|last| *last >= self.ends))
    }
    #[cold]
    fn begin(&mut self, open_time: Timestamp) {
        self.started = true;
        if self.calendar != Calendar::Continuous {
            let span = self.calendar.span_at(open_time);
            (self.ends, self.open) = (span.to, span.session.is_some());
        } else if self.length > 0 {
            let index = open_time.as_nanos().div_euclid(self.length);
            self.ends = Timestamp::from_nanos((index + 1).saturating_mul(self.length));
        }
    }
}

/// Σ price × volume and Σ volume.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Traded {
    value: f64,
    volume: f64,
}

impl Traded {
    /// The mean price so far, the typical price of this candle before the first volume.
    #[inline(always)]
    fn push(&mut self, candle: &Ohlcv) -> f64 {
        let typical = candle.typical();
        self.value += typical * candle.volume;
        self.volume += candle.volume;
        if self.volume > 0.0 { self.value / self.volume } else { typical }
    }
}

wide! {
    /// [`Traded::push`] for many candles: products first, then the sums, then all divisions.
    fn all_traded(traded: &mut Traded, candles: &ColumnSlice<'_>, column: &mut [f64]) {
        let (mut volumes, mut values) = ([0.0; CHUNK], [0.0; CHUNK]);
        let Traded { mut value, mut volume } = *traded;
        typical_prices(candles, column);
        let sums = values.iter_mut().zip(&mut volumes);
        for (((sum, total), typical), traded) in sums.zip(&*column).zip(candles.volume) {
            value += typical * traded;
            volume += traded;
            (*sum, *total) = (value, volume);
        }
        for ((typical, sum), volume) in column.iter_mut().zip(values).zip(volumes) {
            *typical = if volume > 0.0 { sum / volume } else { *typical };
        }
        *traded = Traded { value, volume };
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vwap {
    sessions: Sessions,
    traded: Traded,
}

impl Indicator for Vwap {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::overlay("vwap", "Volume-weighted average price", Group::Overlap)
        .params(&[SESSION])
        .recursive()
        .doc("Σ(typical price × volume) / Σ volume since the session began; the typical price is (high + low + close) / 3. With 24 \
              `session_hours` a session is the market's: the exchange's where it has one, the currencies' day from 17:00 in New \
              York, the UTC day where nothing closes; what is traded between two sessions counts by itself. Other lengths are \
              counted from 1970-01-01 UTC; 0 never begins anew. Before the first volume of a session it is the typical price.", "Berkowitz, Logue, Noser 1988; anchored as on TradingView");

    fn new(params: &[f64]) -> Self {
        Self { sessions: Sessions::new(params[0]), traded: Traded::default() }
    }
    fn set_calendar(&mut self, calendar: Calendar) {
        self.sessions.set_calendar(calendar);
    }
    fn warm_up(_: &[f64]) -> usize {
        0
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        if self.sessions.begins(candle.open_time) {
            self.traded = Traded::default();
        }
        [self.traded.push(&candle)]
    }
    fn batch(&mut self, rows: Rows<'_>, out: Out<'_>) {
        if self.sessions.ends_within(rows.candles.open_time) {
            return row_by_row(self, rows, out);
        }
        let [column] = out.columns();
        all_traded(&mut self.traded, &rows.candles, column);
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AnchoredVwap {
    anchor: Timestamp,
    traded: Traded,
}

impl Indicator for AnchoredVwap {
    type Input = Ohlcv;
    type Output = [f64; 1];
    const SPEC: Spec = Spec::overlay("avwap", "Anchored VWAP", Group::Overlap)
        .params(&[Param { name: "anchor", default: 0.0, min: 0.0, max: 9_000_000_000.0, integer: true }])
        .recursive()
        .doc("vwap since the first candle that opens at `anchor` or later, in seconds since 1970-01-01 UTC; before it there is no \
              value.", "Shannon; Berkowitz, Logue, Noser 1988");

    fn new(params: &[f64]) -> Self {
        Self { anchor: Timestamp::from_secs(params[0] as i64), traded: Traded::default() }
    }
    fn warm_up(_: &[f64]) -> usize {
        0
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 1] {
        [if candle.open_time < self.anchor { f64::NAN } else { self.traded.push(&candle) }]
    }
}

/// High, low and close of the running and of the last session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pivots {
    sessions: Sessions,
    kind: u32,
    running: Option<[f64; 3]>,
    levels: Option<[f64; 7]>,
}

impl Indicator for Pivots {
    type Input = Ohlcv;
    type Output = [f64; 7];
    const SPEC: Spec = Spec::overlay("pivots", "Pivot points", Group::Overlap)
        .params(&[
            Param { min: 1.0, ..SESSION },
            Param { name: "kind", default: 0.0, min: 0.0, max: 3.0, integer: true },
        ])
        .outputs(&[
            Output::new("", "Pivot"),
            Output::new("r1", "Resistance 1"),
            Output::new("s1", "Support 1"),
            Output::new("r2", "Resistance 2"),
            Output::new("s2", "Support 2"),
            Output::new("r3", "Resistance 3"),
            Output::new("s3", "Support 3"),
        ])
        .by_session()
        .doc(
            "Levels from high, low and close of the session before, as `vwap` counts them: \
              `kind` 0 traditional, 1 Fibonacci, 2 Woodie, 3 Camarilla. Unknown in the first session of the data.",
            "Floor traders' pivots, as TradingView's Pivot Points Standard",
        );

    fn new(params: &[f64]) -> Self {
        Self { sessions: Sessions::new(params[0]), kind: params[1] as u32, running: None, levels: None }
    }
    fn set_calendar(&mut self, calendar: Calendar) {
        self.sessions.set_calendar(calendar);
    }
    fn warm_up(_: &[f64]) -> usize {
        1
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 7] {
        let Ohlcv { high, low, close, .. } = candle;
        let begins = self.sessions.begins(candle.open_time);
        if !self.sessions.open {
            // Before and after the session.
            return self.levels.unwrap_or([f64::NAN; 7]);
        }
        self.running = match self.running {
            Some([highest, lowest, _]) if !begins => Some([high.max(highest), low.min(lowest), close]),
            before => {
                self.levels = before.map(|session| levels(self.kind, session)).or(self.levels);
                Some([high, low, close])
            }
        };
        self.levels.unwrap_or([f64::NAN; 7])
    }
}

/// The pivot, then resistance and support from the nearest to the farthest.
fn levels(kind: u32, [high, low, close]: [f64; 3]) -> [f64; 7] {
    let range = high - low;
    let pivot = if kind == 2 { (high + low + 2.0 * close) / 4.0 } else { (high + low + close) / 3.0 };
    let around = |center: f64, [a, b, c]: [f64; 3]| {
        [
            pivot,
            center + a * range,
            center - a * range,
            center + b * range,
            center - b * range,
            center + c * range,
            center - c * range,
        ]
    };
    match kind {
        1 => around(pivot, [0.382, 0.618, 1.0]),
        3 => around(close, [1.1 / 12.0, 1.1 / 6.0, 1.1 / 4.0]),
        _ => [
            pivot,
            2.0 * pivot - low,
            2.0 * pivot - high,
            pivot + range,
            pivot - range,
            high + 2.0 * (pivot - low),
            low - 2.0 * (high - pivot),
        ],
    }
}

/// Where the volume of a window was traded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VolumeProfile {
    range: Range,
    prices: Ring,
    volumes: Ring,
    rows: Vec<f64>,
    bounds: [f64; 2],
    share: f64,
}

impl Indicator for VolumeProfile {
    type Input = Ohlcv;
    type Output = [f64; 3];
    const SPEC: Spec = Spec::overlay("volume_profile", "Volume profile", Group::Volume)
        .params(&[
            Param::period("length", 100, 2),
            Param { name: "rows", default: 24.0, min: 2.0, max: 200.0, integer: true },
            Param::number("percent", 70.0, 1.0, 100.0),
        ])
        .outputs(&[
            Output::new("poc", "Point of control"),
            Output::new("vah", "Value area high"),
            Output::new("val", "Value area low"),
        ])
        .doc("The range of the newest `length` candles in `rows` of equal height; each candle's volume counts in the row of its \
              typical price. The point of control is the middle of the fullest row (the lowest of equals); the value area grows \
              from it, towards the fuller neighbour, until it holds `percent` of the volume.",
            "Steidlmayer's market profile, by typical price");

    fn new(params: &[f64]) -> Self {
        let length = params[0] as usize;
        Self {
            range: Range::new(length as u32),
            prices: Ring::new(length),
            volumes: Ring::new(length),
            rows: vec![0.0; params[1] as usize],
            bounds: [0.0; 2],
            share: params[2] / 100.0,
        }
    }
    fn warm_up(params: &[f64]) -> usize {
        params[0] as usize - 1
    }
    #[inline(always)]
    fn update(&mut self, candle: Ohlcv) -> [f64; 3] {
        let typical = candle.typical();
        let (price, volume) = (self.prices.push(typical), self.volumes.push(candle.volume));
        let Some((high, low)) = self.range.push(candle.high, candle.low) else { return [f64::NAN; 3] };
        if self.bounds == [low, high] && !self.prices.wrapped() {
            let (from, to) = (self.row(price), self.row(typical));
            self.rows[from] -= volume;
            self.rows[to] += candle.volume;
        } else {
            self.bounds = [low, high];
            self.count();
        }
        self.area()
    }
}

impl VolumeProfile {
    fn height(&self) -> f64 {
        (self.bounds[1] - self.bounds[0]) / self.rows.len() as f64
    }
    #[inline]
    fn row(&self, price: f64) -> usize {
        // Without any height the division gives infinity or NaN, which the conversion bounds.
        (((price - self.bounds[0]) / self.height()) as usize).min(self.rows.len() - 1)
    }
    /// From scratch: the rows have moved, or rounding would add up.
    fn count(&mut self) {
        self.rows.fill(0.0);
        for at in 0..self.prices.values().len() {
            let row = self.row(self.prices.values()[at]);
            self.rows[row] += self.volumes.values()[at];
        }
    }
    fn area(&self) -> [f64; 3] {
        let mut top = 0;
        let mut total = 0.0;
        for (row, volume) in self.rows.iter().enumerate() {
            total += volume;
            if *volume > self.rows[top] {
                top = row;
            }
        }
        let (mut low, mut high, mut held) = (top, top, self.rows[top]);
        while held < self.share * total && (low > 0 || high + 1 < self.rows.len()) {
            let below = if low > 0 { self.rows[low - 1] } else { f64::NEG_INFINITY };
            let above = self.rows.get(high + 1).copied().unwrap_or(f64::NEG_INFINITY);
            if above >= below {
                high += 1;
                held += above;
            } else {
                low -= 1;
                held += below;
            }
        }
        let edge = |row: f64| self.bounds[0] + row * self.height();
        [edge(top as f64 + 0.5), edge(high as f64 + 1.0), edge(low as f64)]
    }
}
