//! The registry of indicators.
//!
//! To add one: write its module beside the others, declare it here and give it one line in [`registry!`]. It then
//! appears by itself in the expression language, in study sets, in `indicators list` and in the tests that hold for
//! every indicator (batch equals incremental bit for bit, warm-up as declared, preview leaves no trace, state survives
//! serialization).

mod adx;
mod atr;
mod bb;
mod cci;
mod donchian;
mod ema;
mod highest;
mod kc;
mod lowest;
mod macd;
mod mfi;
mod obv;
mod roc;
mod rsi;
mod sma;
mod stddev;
mod stoch;
mod vwap;
mod wma;
mod wpr;

use serde::{Deserialize, Serialize};

pub use ema::Ema;
pub use rsi::Rsi;
pub use sma::Sma;

use crate::indicator::{Indicator, Input, InputKind, Spec};
use crate::ohlcv::{ColumnSlice, Ohlcv};

/// Generates the list of specs, and an enum over all states so that calls need no virtual dispatch.
///
/// Saved states hold the line number of an indicator: append, do not reorder.
macro_rules! registry {
    ($($variant:ident => $indicator:ty),+ $(,)?) => {
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub(crate) enum Cell { $($variant($indicator)),+ }

        static REGISTRY: &[Entry] = &[$(Entry {
            spec: <$indicator as Indicator>::SPEC,
            input: <<$indicator as Indicator>::Input as Input>::KIND,
            build: |params| Cell::$variant(<$indicator>::new(params)),
        }),+];

        impl Cell {
            #[inline]
            pub(crate) fn update(&mut self, candle: &Ohlcv, value: f64, outputs: &mut [f64]) {
                match self { $(Self::$variant(state) => update_one(state, candle, value, outputs)),+ }
            }
            pub(crate) fn batch(
                &mut self, candles: &ColumnSlice<'_>, values: &[f64], outputs: &mut [f64], stride: usize,
            ) {
                match self { $(Self::$variant(state) => batch_one(state, candles, values, outputs, stride)),+ }
            }
            pub(crate) fn warm_up(&self) -> usize {
                match self { $(Self::$variant(state) => state.warm_up()),+ }
            }
        }
    };
}

registry! {
    Sma => Sma,
    Ema => Ema,
    Rsi => Rsi,
    Macd => macd::Macd,
    Bb => bb::Bb,
    Atr => atr::Atr,
    Vwap => vwap::Vwap,
    Highest => highest::Highest,
    Lowest => lowest::Lowest,
    Wma => wma::Wma,
    Stddev => stddev::Stddev,
    Roc => roc::Roc,
    Obv => obv::Obv,
    Donchian => donchian::Donchian,
    Stoch => stoch::Stoch,
    Wpr => wpr::Wpr,
    Adx => adx::Adx,
    Cci => cci::Cci,
    Mfi => mfi::Mfi,
    Kc => kc::Kc,
}

/// A registered indicator.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Entry {
    #[serde(flatten)]
    pub spec: Spec,
    pub input: InputKind,
    #[serde(skip)]
    build: fn(&[f64]) -> Cell,
}

impl Entry {
    pub(crate) fn build(&self, params: &[f64]) -> Cell {
        (self.build)(params)
    }
    /// How many candles give no complete output with these parameters (one per parameter of the spec, in range).
    pub fn warm_up(&self, params: &[f64]) -> usize {
        self.build(params).warm_up()
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

pub fn find(name: &str) -> Option<&'static Entry> {
    REGISTRY.iter().find(|entry| entry.spec.name == name)
}

#[inline]
fn update_one<I: Indicator>(state: &mut I, candle: &Ohlcv, value: f64, outputs: &mut [f64]) {
    let input = I::Input::pick(candle, value);
    if input.is_usable() {
        outputs.copy_from_slice(state.update(input).as_ref());
    } else {
        outputs.fill(f64::NAN);
    }
}

/// Output `k` of row `r` goes to `outputs[k * stride + r]`.
fn batch_one<I: Indicator>(
    state: &mut I,
    candles: &ColumnSlice<'_>,
    values: &[f64],
    outputs: &mut [f64],
    stride: usize,
) {
    let width = I::SPEC.outputs.len();
    if width == 1 {
        for (row, output) in outputs[..candles.len()].iter_mut().enumerate() {
            let input = I::Input::pick_row(candles, values, row);
            *output = if input.is_usable() { state.update(input).as_ref()[0] } else { f64::NAN };
        }
        return;
    }
    for row in 0..candles.len() {
        let input = I::Input::pick_row(candles, values, row);
        if input.is_usable() {
            let result = state.update(input);
            for (output, value) in result.as_ref().iter().enumerate() {
                outputs[output * stride + row] = *value;
            }
        } else {
            for output in 0..width {
                outputs[output * stride + row] = f64::NAN;
            }
        }
    }
}
