//! One study for everything: indicators, what the context is judged by, and the features share what they have in common.

use std::sync::OnceLock;

use cw_core::Timeframe;

use super::VERSION;
use crate::features;
use crate::indicators::{self, Cycles};
use crate::ohlcv::{Columns, Ohlcv};
use crate::study::{StudySet, StudyState, column_name};

/// Indicators at settings that are in common use beside the default ones.
const USUAL: [&str; 9] =
    ["ema(9)", "ema(21)", "ema(50)", "ema(200)", "sma(20)", "sma(50)", "sma(200)", "bb(20,2)", "atr(14)"];

macro_rules! helpers {
    ($($name:ident: $text:literal,)+) => {
        /// Values that the context is judged by; NaN while warming up.
        #[derive(Debug, Clone, Copy)]
        pub(super) struct Helpers { $(pub(super) $name: f64),+ }

        const HELPERS: &[&str] = &[$($text),+];

        impl Helpers {
            #[inline]
            pub(super) fn read(plan: &Plan, row: &[f64]) -> Self {
                let mut places = plan.helpers.iter().map(|place| row[*place as usize]);
                $(let $name = places.next().unwrap_or(f64::NAN);)+
                Self { $($name),+ }
            }
        }
    };
}

helpers! {
    close_1: "close[1]",
    close_20: "close[20]",
    high_20: "highest(high, 20)[1]",
    low_20: "lowest(low, 20)[1]",
    ema_21: "ema(21)",
    ema_50: "ema(50)",
    ema_200: "ema(200)",
    ema_50_before: "ema(50)[10]",
    adx: "adx(14)",
    plus_di: "adx(14).plus_di",
    minus_di: "adx(14).minus_di",
    rsi: "rsi(14)",
    rsi_before: "rsi(14)[5]",
    histogram: "macd(12, 26, 9).histogram",
    histogram_before: "macd(12, 26, 9).histogram[1]",
    stoch_k: "stoch(14, 3, 3).k",
    atr: "atr(14)",
    atr_before: "atr(14)[1]",
    deviation: "stddev(log(close / close[1]), 20)",
    usual_deviation: "stddev(log(close / close[1]), 100)",
    upper: "bb(20, 2).upper",
    lower: "bb(20, 2).lower",
    keltner_width: "kc(20, 20, 1.5).upper - kc(20, 20, 1.5).lower",
    mean_volume: "sma(volume, 20)",
    volume_balance: "sma(if(close > close[1], volume, if(close < close[1], -volume, 0)), 20)",
}

#[derive(Debug)]
pub(super) struct Plan {
    /// All but the cycle indicators, which share their transforms.
    study: StudySet,
    names: Vec<String>,
    /// Where the values of each indicator, of the helpers and of the features' expressions are in a row of the study.
    indicators: Vec<u32>,
    helpers: Vec<u32>,
    features: Vec<u32>,
    /// Which indicators the cycle indicators are.
    cycles: [usize; Cycles::COLUMNS.len()],
}

pub(super) fn plan() -> &'static Plan {
    static PLAN: OnceLock<Plan> = OnceLock::new();
    PLAN.get_or_init(Plan::new)
}

impl Plan {
    fn new() -> Self {
        let listed = listed();
        let names = StudySet::parse(&listed.join(", ")).expect("each part was parsed before").columns().to_vec();
        let is_cycle = |text: &str| text.split('(').next().is_some_and(|name| Cycles::INDICATORS.contains(&name));
        let plain = listed.iter().map(String::as_str).filter(|text| !is_cycle(text));
        let mut text = plain.collect::<Vec<_>>().join(", ");
        for helper in HELPERS.iter().copied().chain(features::expressions()) {
            text = text + ", " + helper;
        }
        let study = StudySet::parse(&text).expect("helpers and features are checked by tests");
        let column = |name: &str| study.columns().iter().position(|column| column == name);
        let place =
            |text: &str| study.places()[column(&column_name(text)).expect("each text gave a column of its name")];
        let cycles = Cycles::COLUMNS
            .map(|cycle| names.iter().position(|name| name == cycle).expect("they are indicators at their defaults"));
        let indicators = names.iter().map(|name| column(name).map_or(0, |column| study.places()[column]));
        Self {
            indicators: indicators.collect(),
            helpers: HELPERS.iter().map(|text| place(text)).collect(),
            features: features::expressions().map(place).collect(),
            cycles,
            names,
            study,
        }
    }

    pub(super) fn indicators(&self) -> &[String] {
        &self.names
    }
    pub(super) fn new_state(&self) -> StudyState {
        self.study.new_state(Timeframe::M1).expect("nothing here reads another timeframe")
    }
    #[inline]
    pub(super) fn push(&self, state: &mut StudyState, candle: &Ohlcv) {
        self.study.advance(state, candle);
    }
    pub(super) fn warm_up(&self, state: &mut StudyState, candles: &Columns) {
        self.study.warm_up(state, candles);
    }
    #[inline]
    pub(super) fn read_indicators(&self, row: &[f64], cycles: [f64; Cycles::COLUMNS.len()], values: &mut [f64]) {
        for (value, place) in values.iter_mut().zip(&self.indicators) {
            *value = row[*place as usize];
        }
        for (place, value) in self.cycles.iter().zip(cycles) {
            values[*place] = value;
        }
    }
    #[inline]
    pub(super) fn feature_values(&self, row: &[f64]) -> impl Iterator<Item = f64> {
        self.features.iter().map(|place| row[*place as usize])
    }

    pub(super) fn schema_hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        let mut line = |parts: &[&str]| {
            hasher.update(parts.join("\t").as_bytes());
            hasher.update(b"\n");
        };
        line(&["candlewick enriched candle", &VERSION.to_string()]);
        for name in &self.names {
            line(&["indicator", name]);
        }
        for entry in indicators::all() {
            line(&["definition", entry.spec.name, entry.spec.doc]);
        }
        for text in HELPERS {
            line(&["context", text]);
        }
        line(&["features", features::schema_hash()]);
        hasher.finalize().to_hex().to_string()
    }
}

/// Every registered indicator with its defaults, and the usual ones.
pub(super) fn listed() -> Vec<String> {
    let defaults = indicators::all().iter().map(|entry| {
        let params: Vec<String> = entry.defaults().iter().map(f64::to_string).collect();
        if params.is_empty() {
            entry.spec.name.to_owned()
        } else {
            format!("{}({})", entry.spec.name, params.join(","))
        }
    });
    let mut texts: Vec<String> = USUAL.map(str::to_owned).to_vec();
    texts.extend(defaults);
    // What needs more than its defaults, such as a second source, stays out.
    texts.retain(|text| StudySet::parse(text).is_ok());
    let mut seen = std::collections::BTreeSet::new();
    texts.retain(|text| seen.insert(text.clone()));
    texts
}
