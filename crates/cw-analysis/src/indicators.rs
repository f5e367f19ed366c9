//! The registry of indicators.
//!
//! To add one: write its module beside the others, declare it here and give it one line in [`registry!`]. It then
//! appears by itself in the expression language, in study sets, in `indicators list` and in the tests that hold for
//! every indicator (batch equals incremental bit for bit, warm-up as declared, preview leaves no trace, state survives
//! serialization).

mod adaptive;
mod atr;
mod average;
mod averages;
mod bands;
mod change;
mod directional;
mod extremes;
mod hilbert;
mod kc;
mod macd;
pub(crate) mod market;
mod oscillators;
mod patterns;
mod price;
mod regression;
mod statistics;
mod stoch;
mod trend;
mod volatility;
mod volume;
mod vwap;
mod weighted;

use cw_core::Calendar;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use averages::{Ema, Sma};
pub(crate) use hilbert::Cycles;
pub use oscillators::Rsi;

use crate::indicator::{Indicator, Input, InputKind, Out, Rows, Spec};
use crate::ohlcv::Ohlcv;
use crate::wide::Width;

/// A type without values that names a formula.
pub trait Marker: Clone + PartialEq + Serialize + DeserializeOwned {}
impl<T: Clone + PartialEq + Serialize + DeserializeOwned> Marker for T {}

/// Declares types that name formulas.
macro_rules! formulas {
    ($($name:ident),+ $(,)?) => {$(
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub struct $name;
    )+};
}
pub(crate) use formulas;

/// Generates the list of specs, and an enum over all states so that calls need no virtual dispatch.
///
/// Saved states hold the line number of an indicator: append, do not reorder.
macro_rules! registry {
    ($($variant:ident => $indicator:ty),+ $(,)?) => {
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub(crate) enum Cell {
            /// All candlestick patterns: not listed, but called as `pattern(name)`.
            Patterns(patterns::Patterns),
            /// The market's structure, read as `support`, `regime`, `chart_pattern(name)` and so on.
            Structure(market::Market),
            $($variant($indicator)),+
        }

        static REGISTRY: &[Entry] = &[$(Entry {
            spec: <$indicator as Indicator>::SPEC,
            input: <<$indicator as Indicator>::Input as Input>::KIND,
            build: |params| Cell::$variant(<$indicator as Indicator>::new(params)),
            warm_up: <$indicator as Indicator>::warm_up,
        }),+];

        impl Cell {
            #[inline(always)]
            pub(crate) fn update(&mut self, width: Width, candle: &Ohlcv, values: [f64; 2], outputs: &mut [f64]) {
                match self {
                    Self::Patterns(state) => update_one(width, state, candle, values, outputs),
                    Self::Structure(state) => update_one(width, state, candle, values, outputs),
                    $(Self::$variant(state) => update_one(width, state, candle, values, outputs)),+
                }
            }
            pub(crate) fn set_calendar(&mut self, calendar: Calendar) {
                match self {
                    Self::Patterns(_) | Self::Structure(_) => {}
                    $(Self::$variant(state) => state.set_calendar(calendar)),+
                }
            }
            pub(crate) fn batch(&mut self, rows: Rows<'_>, out: Out<'_>) {
                match self {
                    Self::Patterns(state) => state.batch(rows, out),
                    Self::Structure(state) => state.batch(rows, out),
                    $(Self::$variant(state) => state.batch(rows, out)),+
                }
            }
        }
    };
}

registry! {
    Sma => Sma,
    Ema => Ema,
    Rsi => Rsi,
    Macd => macd::Macd,
    Bb => bands::Bb,
    Atr => atr::Atr,
    Vwap => vwap::Vwap,
    Highest => extremes::OneSide<true>,
    Lowest => extremes::OneSide<false>,
    Wma => averages::Wma,
    Stddev => bands::Dispersion<bands::Stddev>,
    Roc => change::Change<change::Roc>,
    Obv => volume::Running<volume::Obv>,
    Donchian => extremes::Donchian,
    Stoch => stoch::Stoch,
    Wpr => extremes::Ranged<extremes::Wpr>,
    Adx => directional::Adx,
    Cci => oscillators::Cci,
    Mfi => volume::Mfi,
    Kc => kc::Kc,
    Rma => averages::Rma,
    Dema => averages::Chained<averages::Dema>,
    Tema => averages::Chained<averages::Tema>,
    T3 => averages::Chained<averages::T3>,
    Trix => averages::Trix,
    Zlema => averages::Zlema,
    Trima => weighted::Trima,
    Hma => weighted::Hma,
    Alma => weighted::Alma,
    Vwma => weighted::Vwma,
    Swma => weighted::Swma,
    Kama => adaptive::Kama,
    Vidya => adaptive::Vidya,
    Frama => adaptive::Frama,
    McGinley => adaptive::McGinley,
    Er => adaptive::Er,
    Vhf => adaptive::Vhf,
    Cmou => adaptive::Cmou,
    Ma => average::Ma,
    VolumeMa => average::VolumeMa,
    Apo => average::Distance<average::Apo>,
    Ppo => average::Distance<average::Ppo>,
    Pvo => average::Distance<average::Pvo>,
    MacdExt => average::MacdExt,
    MacdFix => macd::MacdFix,
    Coppock => average::Coppock,
    Var => bands::Dispersion<bands::Var>,
    Zscore => bands::Dispersion<bands::Zscore>,
    PercentB => bands::Dispersion<bands::PercentB>,
    BbWidth => bands::Dispersion<bands::BbWidth>,
    Mom => change::Change<change::Mom>,
    Rocp => change::Change<change::Rocp>,
    Rocr => change::Change<change::Rocr>,
    Rocr100 => change::Change<change::Rocr100>,
    PlusDm => directional::Directional<directional::PlusDm>,
    MinusDm => directional::Directional<directional::MinusDm>,
    PlusDi => directional::Directional<directional::PlusDi>,
    MinusDi => directional::Directional<directional::MinusDi>,
    Dx => directional::Directional<directional::Dx>,
    Adxr => directional::Adxr,
    Vortex => directional::Vortex,
    HighestBars => extremes::BarsSince<true>,
    LowestBars => extremes::BarsSince<false>,
    MidPoint => extremes::Ranged<extremes::MidPoint>,
    MidPrice => extremes::Ranged<extremes::MidPrice>,
    Aroon => extremes::Aroon,
    AroonOscillator => extremes::AroonOscillator,
    Ichimoku => extremes::Ichimoku,
    Fisher => extremes::Fisher,
    Ulcer => extremes::Ulcer,
    DcPeriod => hilbert::DcPeriod,
    DcPhase => hilbert::DcPhase,
    PhasorParts => hilbert::PhasorParts,
    Sine => hilbert::Sine,
    Trendline => hilbert::Trendline,
    TrendMode => hilbert::TrendMode,
    Mama => hilbert::Mama,
    Natr => atr::Natr,
    Trange => atr::Trange,
    AccBands => kc::AccBands,
    Eri => kc::Eri,
    Cksp => kc::Cksp,
    Cmo => oscillators::Cmo,
    ConnorsRsi => oscillators::ConnorsRsi,
    Awesome => oscillators::Awesome,
    Accelerator => oscillators::Accelerator,
    Dpo => oscillators::Dpo,
    Kst => oscillators::Kst,
    Imi => oscillators::Imi,
    Qstick => oscillators::Qstick,
    Vigor => oscillators::Vigor,
    WaveTrend => oscillators::WaveTrend,
    PremierStochastic => oscillators::PremierStochastic,
    AvgPrice => price::Price<price::AvgPrice>,
    MedPrice => price::Price<price::MedPrice>,
    TypPrice => price::Price<price::TypPrice>,
    WclPrice => price::Price<price::WclPrice>,
    Bop => price::Price<price::Bop>,
    Ibs => price::Price<price::Ibs>,
    MarketFi => price::Price<price::MarketFi>,
    LinReg => regression::Regression<regression::LinReg>,
    Slope => regression::Regression<regression::Slope>,
    Intercept => regression::Regression<regression::Intercept>,
    Angle => regression::Regression<regression::Angle>,
    Forecast => regression::Regression<regression::Forecast>,
    Fosc => regression::Fosc,
    Squeeze => regression::Squeeze,
    AvgDev => statistics::Windowed<statistics::AvgDev>,
    Skew => statistics::Windowed<statistics::Skew>,
    Kurtosis => statistics::Windowed<statistics::Kurtosis>,
    Percentile => statistics::Percentile,
    Median => statistics::Median,
    PercentRank => statistics::PercentRank,
    Correl => statistics::Correl,
    Cti => statistics::Cti,
    Beta => statistics::Beta,
    Hurst => statistics::Hurst,
    StochFast => stoch::StochFast,
    StochRsi => stoch::StochRsi,
    Kdj => stoch::Kdj,
    Smi => stoch::Smi,
    Tsi => stoch::Tsi,
    Stc => stoch::Stc,
    SuperTrend => trend::SuperTrend,
    Sar => trend::Stop<trend::Sar>,
    SarExt => trend::Stop<trend::SarExt>,
    Parkinson => volatility::Estimated<volatility::Parkinson>,
    GarmanKlass => volatility::Estimated<volatility::GarmanKlass>,
    RogersSatchell => volatility::Estimated<volatility::RogersSatchell>,
    YangZhang => volatility::YangZhang,
    HistoricalVolatility => volatility::HistoricalVolatility,
    Chop => volatility::Chop,
    Cvi => volatility::Cvi,
    AverageDayRange => volatility::AverageDayRange,
    MassIndex => volatility::MassIndex,
    RelativeVolatility => volatility::RelativeVolatility,
    UltOsc => volatility::UltOsc,
    Ad => volume::Running<volume::Ad>,
    Nvi => volume::Running<volume::Nvi>,
    Pvi => volume::Running<volume::Pvi>,
    Pvt => volume::Running<volume::Pvt>,
    Wad => volume::Running<volume::Wad>,
    AdOsc => volume::AdOsc,
    Cmf => volume::Cmf,
    Efi => volume::Efi,
    EaseOfMovement => volume::EaseOfMovement,
    RelativeVolume => volume::RelativeVolume,
    Kvo => volume::Kvo,
    AnchoredVwap => vwap::AnchoredVwap,
    Pivots => vwap::Pivots,
    VolumeProfile => vwap::VolumeProfile,
}

/// A registered indicator.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Entry {
    #[serde(flatten)]
    pub spec: Spec,
    pub input: InputKind,
    #[serde(skip)]
    build: fn(&[f64]) -> Cell,
    #[serde(skip)]
    warm_up: fn(&[f64]) -> usize,
}

impl Entry {
    pub(crate) fn build(&self, params: &[f64]) -> Cell {
        (self.build)(params)
    }
    /// How many candles give no complete output with these parameters (one per parameter of the spec, in range).
    pub fn warm_up(&self, params: &[f64]) -> usize {
        (self.warm_up)(params)
    }
    /// `macd(source = close, fast = 12, slow = 26, signal = 9)`.
    pub fn signature(&self) -> String {
        crate::expr::signature(self)
    }
    /// The default of each parameter.
    pub fn defaults(&self) -> Vec<f64> {
        self.spec.params.iter().map(|param| param.default).collect()
    }
}

/// All indicators, in the order they were added.
pub fn all() -> &'static [Entry] {
    REGISTRY
}

/// What a call's number stands for: an indicator's place in [`all`], [`PATTERNS`] or [`STRUCTURE`].
pub(crate) fn numbered(number: u16) -> &'static Entry {
    match number {
        PATTERNS => &HIDDEN[0],
        STRUCTURE => &HIDDEN[1],
        number => &REGISTRY[usize::from(number)],
    }
}

/// The number of the candlestick patterns, and that of the market's structure.
pub(crate) const PATTERNS: u16 = u16::MAX;
pub(crate) const STRUCTURE: u16 = u16::MAX - 1;

/// Called by other names than their own.
static HIDDEN: [Entry; 2] = [
    Entry {
        spec: <patterns::Patterns as Indicator>::SPEC,
        input: InputKind::Candle,
        build: |params| Cell::Patterns(<patterns::Patterns as Indicator>::new(params)),
        warm_up: <patterns::Patterns as Indicator>::warm_up,
    },
    Entry {
        spec: <market::Market as Indicator>::SPEC,
        input: InputKind::Candle,
        build: |params| Cell::Structure(<market::Market as Indicator>::new(params)),
        warm_up: <market::Market as Indicator>::warm_up,
    },
];

pub fn find(name: &str) -> Option<&'static Entry> {
    REGISTRY.iter().find(|entry| entry.spec.name == name)
}

/// A step of an indicator, compiled for what the processor has. Calls, because the loop over all steps would otherwise
/// compute for every candle what any of all the indicators begins with.
#[inline(always)]
fn update_one<I: Indicator>(width: Width, state: &mut I, candle: &Ohlcv, values: [f64; 2], outputs: &mut [f64]) {
    #[cfg(target_arch = "x86_64")]
    if width.is_wide() {
        #[inline(never)]
        #[target_feature(enable = "avx2,fma")]
        fn wide<I: Indicator>(state: &mut I, candle: &Ohlcv, values: [f64; 2], outputs: &mut [f64]) {
            update_as(state, candle, values, outputs);
        }
        #[expect(unsafe_code, reason = "a call into instructions that not every processor has")]
        // SAFETY: the processor was asked for both features.
        return unsafe { wide(state, candle, values, outputs) };
    }
    #[inline(never)]
    fn narrow<I: Indicator>(state: &mut I, candle: &Ohlcv, values: [f64; 2], outputs: &mut [f64]) {
        update_as(state, candle, values, outputs);
    }
    narrow(state, candle, values, outputs);
}

#[inline(always)]
fn update_as<I: Indicator>(state: &mut I, candle: &Ohlcv, values: [f64; 2], outputs: &mut [f64]) {
    let input = I::Input::pick(candle, values);
    if input.is_usable() {
        outputs.copy_from_slice(state.update(input).as_ref());
    } else {
        outputs.fill(f64::NAN);
    }
}
