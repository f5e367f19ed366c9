//! Ehlers' dominant cycle by the Hilbert transform, and what is read off it.

use std::f64::consts::{PI, TAU};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::filter::ratio;
use crate::indicator::{Group, Indicator, Output, Param, Spec, VALUE};
use crate::window::sum_of;

const DEGREES: f64 = 180.0 / PI;

/// The newest seven values of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Stage([f64; 7]);

impl Stage {
    /// Takes a value and gives the stage's Hilbert transform.
    #[inline(always)]
    fn push(&mut self, value: f64, adjustment: f64) -> f64 {
        self.0.copy_within(1.., 0);
        self.0[6] = value;
        let [oldest, _, fourth, _, second, _, newest] = self.0;
        (0.0962 * (newest - oldest) + 0.5769 * (second - fourth)) * adjustment
    }
    /// The value three candles ago.
    #[inline]
    fn delayed(&self) -> f64 {
        self.0[3]
    }
}

/// The in-phase and quadrature parts of a candle.
#[derive(Debug, Clone, Copy)]
pub struct Phasor {
    in_phase: f64,
    quadrature: f64,
    /// The price smoothed over four candles.
    smooth: f64,
    /// The dominant cycle's period, smoothed.
    period: f64,
}

/// The part that all of them share: the price is smoothed, detrended and split into phase and quadrature, and their
/// turning gives the period of the dominant cycle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Cycle {
    newest: [f64; 4],
    stages: [Stage; 4],
    parts: [f64; 2],
    products: [f64; 2],
    period: f64,
    smooth_period: f64,
    /// Candles to be left out before the transform begins.
    missing: u32,
}

impl Cycle {
    /// `start` is the first candle that is transformed: 12 or 37 in TA-Lib, depending on the function.
    fn new(start: u32) -> Self {
        Self {
            newest: [0.0; 4],
            stages: [Stage::default(); 4],
            parts: [0.0; 2],
            products: [0.0; 2],
            period: 0.0,
            smooth_period: 0.0,
            missing: start,
        }
    }
    #[inline(always)]
    fn push(&mut self, value: f64) -> Option<Phasor> {
        self.newest.rotate_left(1);
        self.newest[3] = value;
        if self.missing > 0 {
            self.missing -= 1;
            return None;
        }
        let [fourth, third, second, first] = self.newest;
        let smooth = (4.0 * first + 3.0 * second + 2.0 * third + fourth) * 0.1;
        let adjustment = 0.075 * self.period + 0.54;
        let [detrend, quadrature, in_phase, turned] = &mut self.stages;
        let detrended = detrend.push(smooth, adjustment);
        // The stage after holds what was detrended.
        let q = quadrature.push(detrended, adjustment);
        let i = quadrature.delayed();
        let (turned_i, turned_q) = (in_phase.push(i, adjustment), turned.push(q, adjustment));
        let [last_i, last_q] = self.parts;
        let (i2, q2) = (0.2 * (i - turned_q) + 0.8 * last_i, 0.2 * (q + turned_i) + 0.8 * last_q);
        self.parts = [i2, q2];
        let [re, im] = &mut self.products;
        *re = 0.2 * (i2 * last_i + q2 * last_q) + 0.8 * *re;
        *im = 0.2 * (i2 * last_q - q2 * last_i) + 0.8 * *im;
        let last = self.period;
        let mut period = last;
        if *im != 0.0 && *re != 0.0 {
            period = 360.0 / (libm::atan(*im / *re) * DEGREES);
        }
        // As in the original, one bound after the other: in the beginning they contradict each other.
        period = if period > 1.5 * last { 1.5 * last } else { period };
        period = if period < 0.67 * last { 0.67 * last } else { period };
        period = period.clamp(6.0, 50.0);
        self.period = 0.2 * period + 0.8 * last;
        self.smooth_period = 0.33 * self.period + 0.67 * self.smooth_period;
        Some(Phasor { in_phase: i, quadrature: q, smooth, period: self.smooth_period })
    }
}

/// The newest fifty values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct History {
    values: Vec<f64>,
    head: usize,
}

const HISTORY: usize = 50;

impl History {
    fn new() -> Self {
        // Twice, so that any window is one slice.
        Self { values: vec![0.0; 2 * HISTORY], head: 0 }
    }
    #[inline(always)]
    fn push(&mut self, value: f64) {
        self.head = if self.head == 0 { HISTORY - 1 } else { self.head - 1 };
        self.values[self.head] = value;
        self.values[self.head + HISTORY] = value;
    }
    /// The newest `count` values, newest first.
    #[inline]
    fn newest(&self, count: usize) -> &[f64] {
        &self.values[self.head..self.head + count]
    }
}

/// Sines and cosines of the steps of a cycle of 0 to 50 candles, one cycle after the other.
static WAVES: LazyLock<Vec<[f64; 2]>> = LazyLock::new(|| {
    let steps = (0..=HISTORY).flat_map(|length| (0..length).map(move |step| TAU * step as f64 / length as f64));
    steps.map(|angle| [libm::sin(angle), libm::cos(angle)]).collect()
});

/// What the longer functions add: the phase within the cycle and the price without it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Waves {
    cycle: Cycle,
    smooth: History,
    prices: History,
    phase: f64,
    trends: [f64; 3],
    sines: [f64; 2],
    days_in_trend: f64,
    missing: u32,
}

/// What [`Waves`] gives for a candle.
#[derive(Debug, Clone, Copy)]
pub struct Wave {
    phase: f64,
    trendline: f64,
    trending: bool,
    sines: [f64; 2],
}

impl Waves {
    fn new() -> Self {
        Self {
            cycle: Cycle::new(37),
            smooth: History::new(),
            prices: History::new(),
            phase: 0.0,
            trends: [0.0; 3],
            sines: [0.0; 2],
            days_in_trend: 0.0,
            missing: 63,
        }
    }
    /// The phase if `PHASE`, its sines if `SINES`, the trendline if `TREND`: each costs as much as all the rest.
    #[inline(always)]
    fn push<const PHASE: bool, const SINES: bool, const TREND: bool>(&mut self, value: f64) -> Option<Wave> {
        if TREND {
            self.prices.push(value);
        }
        let missing = self.missing;
        self.missing = missing.saturating_sub(1);
        let phasor = self.cycle.push(value)?;
        if PHASE {
            self.smooth.push(phasor.smooth);
        }
        let length = (phasor.period + 0.5) as usize;
        let last_phase = self.phase;
        if PHASE {
            self.turn(length, phasor.period);
        }
        let trendline = if TREND { self.trend(length) } else { 0.0 };
        if !SINES {
            let known = Wave { phase: self.phase, trendline, trending: false, sines: [0.0; 2] };
            return (missing == 0).then_some(known);
        }
        let [last_sine, last_lead] = self.sines;
        let (sine, lead) = (libm::sin(self.phase / DEGREES), libm::sin((self.phase + 45.0) / DEGREES));
        self.sines = [sine, lead];
        let crossed = (sine > lead && last_sine <= last_lead) || (sine < lead && last_sine >= last_lead);
        self.days_in_trend = if crossed { 1.0 } else { self.days_in_trend + 1.0 };
        let turned = self.phase - last_phase;
        let pace = 360.0 / phasor.period;
        let cycling = crossed
            || self.days_in_trend < 0.5 * phasor.period
            || (phasor.period != 0.0 && turned > 0.67 * pace && turned < 1.5 * pace);
        let away = trendline != 0.0 && ((phasor.smooth - trendline) / trendline).abs() >= 0.015;
        (missing == 0).then_some(Wave { phase: self.phase, trendline, trending: !cycling || away, sines: self.sines })
    }
    /// The mean over the cycle, smoothed over four candles.
    fn trend(&mut self, length: usize) -> f64 {
        let mean = ratio(sum_of(self.prices.newest(length.min(HISTORY)), |price| price), length as f64, 0.0);
        let [first, second, third] = self.trends;
        self.trends = [mean, first, second];
        (4.0 * mean + 3.0 * first + 2.0 * second + third) / 10.0
    }
    /// The phase of a wave of `length` candles in the smoothed price.
    fn turn(&mut self, length: usize, period: f64) {
        let length = length.min(HISTORY);
        let first = length * length.saturating_sub(1) / 2;
        let (mut real, mut imaginary) = (0.0, 0.0);
        for (price, [sine, cosine]) in self.smooth.newest(length).iter().zip(&WAVES[first..first + length]) {
            real += sine * price;
            imaginary += cosine * price;
        }
        if imaginary.abs() > 0.0 {
            self.phase = libm::atan(real / imaginary) * DEGREES;
        } else if real < 0.0 {
            self.phase -= 90.0;
        } else if real > 0.0 {
            self.phase += 90.0;
        }
        // One candle of lag is made up for.
        self.phase += 90.0 + 360.0 / period;
        if imaginary < 0.0 {
            self.phase += 180.0;
        }
        if self.phase > 315.0 {
            self.phase -= 360.0;
        }
    }
}

/// What is read off the phasor (32 candles) or the wave (63).
macro_rules! cycles {
    ($($name:ident[$width:literal]($core:ty).$push:ident $(::<$($flag:literal),+>)? = $build:expr, $warm_up:literal, $spec:expr, |$given:ident| $of:expr;)+) => {$(
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub struct $name(Box<$core>, u32);

        impl Indicator for $name {
            type Input = f64;
            type Output = [f64; $width];
            const SPEC: Spec = $spec.recursive();

            fn new(_: &[f64]) -> Self {
                Self(Box::new($build), $warm_up)
            }
            fn warm_up(_: &[f64]) -> usize {
                $warm_up
            }
            #[inline(always)]
            fn update(&mut self, value: f64) -> [f64; $width] {
                let given = self.0.$push $(::<$($flag),+>)? (value);
                if self.1 > 0 {
                    self.1 -= 1;
                    return [f64::NAN; $width];
                }
                given.map_or([f64::NAN; $width], |$given| $of)
            }
        }
    )+};
}

cycles! {
    DcPeriod[1](Cycle).push = Cycle::new(12), 32, Spec::new("ht_dcperiod", "Dominant cycle period", Group::Cycle).doc(
        "The period in candles of the dominant cycle, 6 to 50, by the Hilbert transform, smoothed.",
        "TA-Lib HT_DCPERIOD (Ehlers 2001)"), |phasor| [phasor.period];
    PhasorParts[2](Cycle).push = Cycle::new(12), 32, Spec::new("ht_phasor", "Phasor components", Group::Cycle)
        .outputs(&[Output::new("in_phase", "In phase"), Output::new("quadrature", "Quadrature")]).doc(
        "The in-phase and quadrature parts of the detrended price.", "TA-Lib HT_PHASOR (Ehlers 2001)"),
        |phasor| [phasor.in_phase, phasor.quadrature];
    DcPhase[1](Waves).push::<true, false, false> = Waves::new(), 63, Spec::new("ht_dcphase", "Dominant cycle phase", Group::Cycle).doc(
        "The phase in degrees within the dominant cycle, −45 to 315.", "TA-Lib HT_DCPHASE (Ehlers 2001)"), |wave| [wave.phase];
    Sine[2](Waves).push::<true, true, false> = Waves::new(), 63, Spec::new("ht_sine", "Sine wave", Group::Cycle)
        .outputs(&[Output::new("sine", "Sine"), Output::new("lead", "Lead sine")]).doc(
        "The sine of the dominant cycle's phase, and that of 45 degrees ahead.", "TA-Lib HT_SINE (Ehlers 2001)"),
        |wave| wave.sines;
    Trendline[1](Waves).push::<false, false, true> = Waves::new(), 63,
        Spec::overlay("ht_trendline", "Instantaneous trendline", Group::Cycle).doc(
        "The price without its dominant cycle: the mean over the cycle's period, smoothed over four candles.",
        "TA-Lib HT_TRENDLINE (Ehlers 2001)"), |wave| [wave.trendline];
    TrendMode[1](Waves).push::<true, true, true> = Waves::new(), 63, Spec::new("ht_trendmode", "Trend or cycle", Group::Cycle).outputs(VALUE).doc(
        "1 while the price trends, 0 while it cycles: while the phase turns at the cycle's pace and soon after the sine waves \
         crossed, unless the price is 1.5 % away from its trendline.", "TA-Lib HT_TRENDMODE (Ehlers 2001)"),
        |wave| [f64::from(u8::from(wave.trending))];
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mama {
    cycle: Box<Cycle>,
    limits: [f64; 2],
    phase: f64,
    averages: [f64; 2],
    missing: u32,
}

impl Indicator for Mama {
    type Input = f64;
    type Output = [f64; 2];
    const SPEC: Spec = Spec::overlay("mama", "MESA adaptive moving average", Group::Overlap)
        .params(&[Param::number("fast", 0.5, 0.01, 0.99), Param::number("slow", 0.05, 0.01, 0.99)])
        .outputs(&[Output::new("", "MAMA"), Output::new("fama", "FAMA")])
        .recursive()
        .doc("An EMA whose weight is `fast` divided by how many degrees the phase fell, at least `slow`; FAMA follows it with half \
              of that weight.", "TA-Lib MAMA (Ehlers 2001)");

    fn new(params: &[f64]) -> Self {
        Self {
            cycle: Box::new(Cycle::new(12)),
            limits: [params[0], params[1]],
            phase: 0.0,
            averages: [0.0; 2],
            missing: 32,
        }
    }
    fn warm_up(_: &[f64]) -> usize {
        32
    }
    #[inline(always)]
    fn update(&mut self, value: f64) -> [f64; 2] {
        let phasor = self.cycle.push(value);
        self.follow(value, phasor)
    }
}

impl Mama {
    #[inline]
    fn follow(&mut self, value: f64, phasor: Option<Phasor>) -> [f64; 2] {
        let missing = self.missing;
        self.missing = missing.saturating_sub(1);
        let Some(phasor) = phasor else { return [f64::NAN; 2] };
        let phase = libm::atan(ratio(phasor.quadrature, phasor.in_phase, 0.0)) * DEGREES;
        let turned = self.phase - phase;
        self.phase = phase;
        let [fast, slow] = self.limits;
        let weight = if turned > 1.0 { (fast / turned).max(slow) } else { fast };
        let [mama, fama] = &mut self.averages;
        *mama = weight * value + (1.0 - weight) * *mama;
        *fama = 0.5 * weight * *mama + (1.0 - 0.5 * weight) * *fama;
        if missing > 0 { [f64::NAN; 2] } else { [*mama, *fama] }
    }
}

/// All cycle indicators of one series: a transform for each of the two beginnings instead of one for each indicator.
#[derive(Debug, Clone)]
pub(crate) struct Cycles {
    /// Has the cycle that begins at candle 12.
    mama: Mama,
    /// Has the one that begins at candle 37.
    waves: Waves,
    /// Values so far, counted as far as warming up needs.
    seen: u8,
}

impl Cycles {
    /// What they are called, and the columns of a study that [`push`](Self::push) gives.
    pub(crate) const INDICATORS: [&'static str; 7] =
        ["ht_dcperiod", "ht_phasor", "mama", "ht_dcphase", "ht_sine", "ht_trendline", "ht_trendmode"];
    pub(crate) const COLUMNS: [&'static str; 10] = [
        "ht_dcperiod",
        "ht_phasor.in_phase",
        "ht_phasor.quadrature",
        "mama(0.5,0.05)",
        "mama(0.5,0.05).fama",
        "ht_dcphase",
        "ht_sine.sine",
        "ht_sine.lead",
        "ht_trendline",
        "ht_trendmode",
    ];
    /// So many prices make a trendline: four means of at most [`HISTORY`].
    const TREND: usize = HISTORY + 4;

    pub(crate) fn new() -> Self {
        Self { mama: Mama::new(&[0.5, 0.05]), waves: Waves::new(), seen: 0 }
    }

    /// The values at the next price.
    #[inline]
    pub(crate) fn push(&mut self, price: f64) -> [f64; Self::COLUMNS.len()] {
        self.take::<true>(price)
    }

    /// Takes in a series without its values: the trendline remembers the newest prices alone.
    pub(crate) fn warm_up(&mut self, prices: &[f64]) {
        let (older, newer) = prices.split_at(prices.len().saturating_sub(Self::TREND));
        for price in older {
            self.take::<false>(*price);
        }
        for price in newer {
            self.take::<true>(*price);
        }
    }

    #[inline]
    fn take<const TREND: bool>(&mut self, price: f64) -> [f64; Self::COLUMNS.len()] {
        let seen = usize::from(self.seen);
        self.seen = self.seen.saturating_add(1);
        let phasor = self.mama.cycle.push(price);
        let wave = self.waves.push::<true, true, TREND>(price);
        let [mama, fama] = self.mama.follow(price, phasor);
        let mut values = [f64::NAN; Self::COLUMNS.len()];
        let (short, long) = values.split_at_mut(5);
        if let Some(phasor) = phasor.filter(|_| seen >= DcPeriod::warm_up(&[])) {
            short.copy_from_slice(&[phasor.period, phasor.in_phase, phasor.quadrature, mama, fama]);
        }
        if let Some(wave) = wave.filter(|_| seen >= DcPhase::warm_up(&[])) {
            let [sine, lead] = wave.sines;
            long.copy_from_slice(&[wave.phase, sine, lead, wave.trendline, f64::from(u8::from(wave.trending))]);
        }
        values
    }
}
