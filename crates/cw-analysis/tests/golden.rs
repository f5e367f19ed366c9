//! Equality with TA-Lib (its own port to Rust, the `ta-lib` crate) to 1e-9, for every function that it has and we have.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod common;

use cw_analysis::{Columns, StudySet};
use cw_core::Timeframe;
use ta_lib::{Core, MAType, OutRange};

/// A TA-Lib call: fills one column per output.
type Oracle = fn(&Core, &Columns, &mut [Vec<f64>]) -> OutRange;

/// One line per function: ours, the suffixes of our outputs in the oracle's order, TA-Lib's with its inputs and
/// parameters.
macro_rules! golden {
    ($($set:literal [$($suffix:literal),+] $function:ident($($column:ident)+ $(; $($argument:expr),+)?);)+) => {
        &[$(($set, &[$($suffix),+], |core, candles, outputs| {
            let mut outputs = outputs.iter_mut();
            core.$function(
                0, candles.len() - 1, $(candles.$column(),)+ $($($argument,)+)?
                $({ let _suffix: &str = $suffix; outputs.next().unwrap() },)+
            ).unwrap()
        })),+]
    };
}

const GOLDEN: &[(&str, &[&str], Oracle)] = golden! {
    "sma(20)" [""] sma(close; 20);
    "ema(20)" [""] ema(close; 20);
    "wma(9)" [""] wma(close; 9);
    "rma(14)" [""] rma(close; 14);
    "dema(9)" [""] dema(close; 9);
    "tema(9)" [""] tema(close; 9);
    "t3(5,0.7)" [""] t3(close; 5, 0.7);
    "trima(18)" [""] trima(close; 18);
    "trima(9)" [""] trima(close; 9);
    "kama(10)" [""] kama(close; 10);
    "mama(0.5,0.05)" ["", "fama"] mama(close; 0.5, 0.05);
    "hma(9)" [""] hma(close; 9);
    "hma(20)" [""] hma(close; 20);
    "alma(9,0.85,6,1)" [""] alma(close; 9, 6.0, 0.85);
    "vwma(20)" [""] vwma(close volume; 20);
    "zlema(9)" [""] zlema(close; 9);
    "vidya(12,9)" [""] vidya(close; 12, 9);
    "frama(16)" [""] frama(high low; 16);
    "mcginley(14)" [""] mcgd(close; 14);
    "ma(30,2)" [""] ma(close; 30, MAType::WMA);
    "ma(10,3)" [""] ma(close; 10, MAType::DEMA);
    "ma(10,4)" [""] ma(close; 10, MAType::TEMA);
    "ma(10,5)" [""] ma(close; 10, MAType::TRIMA);
    "ma(10,6)" [""] ma(close; 10, MAType::KAMA);
    "ma(10,7)" [""] ma(close; 10, MAType::MAMA);
    "ma(10,8)" [""] ma(close; 10, MAType::T3);
    "ma(10,9)" [""] ma(close; 10, MAType::HMA);
    "midpoint(14)" [""] midpoint(close; 14);
    "midprice(14)" [""] midprice(high low; 14);
    "bb(20,2)" ["upper", "middle", "lower"] bbands(close; 20, 2.0, 2.0, MAType::SMA);
    "percent_b(20,2)" [""] percentb(close; 20, 2.0, 2.0, MAType::SMA);
    "bb_width(20,2)" [""] bbw(close; 20, 2.0, 2.0, MAType::SMA);
    "donchian(20)" ["upper", "middle", "lower"] donchian(high low; 20);
    "kc(20,10,2)" ["upper", "middle", "lower"] kc(high low close; 20, 10, 2.0);
    "accbands(20)" ["upper", "middle", "lower"] accbands(high low close; 20);
    "ichimoku(9,26,52,1)" ["conversion", "base", "span_a", "span_b"] ichimoku(high low; 9, 26, 52);
    "cksp(10,1,9)" ["long", "short"] cksp(high low close; 10, 1.0, 9);
    "sar(0.02,0.2)" [""] sar(high low; 0.02, 0.2);
    "sar(0.3,0.2)" [""] sar(high low; 0.3, 0.2);
    "sarext(0,0,0.02,0.02,0.2,0.02,0.02,0.2)" [""] sarext(high low; 0.0, 0.0, 0.02, 0.02, 0.2, 0.02, 0.02, 0.2);
    "sarext(0,0.05,0.01,0.03,0.3,0.02,0.04,0.1)" [""] sarext(high low; 0.0, 0.05, 0.01, 0.03, 0.3, 0.02, 0.04, 0.1);
    "vwap(0)" [""] vwap(high low close volume);
    "avwap(0)" [""] vwap(high low close volume);
    "ht_trendline()" [""] ht_trendline(close);
    "avgprice()" [""] avgprice(open high low close);
    "medprice()" [""] medprice(high low);
    "typprice()" [""] typprice(high low close);
    "wclprice()" [""] wclprice(high low close);

    "rsi(14)" [""] rsi(close; 14);
    "cmo(14)" [""] cmo(close; 14);
    "cmou(9)" [""] cmou(close; 9);
    "crsi(3,2,100)" [""] crsi(close; 3, 2, 100);
    "stoch(14,1,3)" ["k", "d"] stoch(high low close; 14, 1, MAType::SMA, 3, MAType::SMA);
    "stoch(5,3,3)" ["k", "d"] stoch(high low close; 5, 3, MAType::SMA, 3, MAType::SMA);
    "stochf(5,3)" ["k", "d"] stochf(high low close; 5, 3, MAType::SMA);
    "stochrsi(14,5,1,3)" ["k", "d"] stochrsi(close; 14, 5, 3, MAType::SMA);
    "kdj(9,3,3)" ["k", "d", "j"] kdj(high low close; 9, 3, MAType::RMA, 3, MAType::RMA);
    "smi(13,2,25,9)" ["", "signal"] smi(high low close; 13, 2, 25, 9);
    "stc(23,50,10)" [""] stc(close; 23, 50, 10);
    "pso(8,5)" [""] pso(high low close; 8, 5);
    "macd(12,26,9)" ["", "signal", "histogram"] macd(close; 12, 26, 9);
    "macdfix(9)" ["", "signal", "histogram"] macdfix(close; 9);
    "macdext(12,0,26,2,9,1)" ["", "signal", "histogram"]
        macdext(close; 12, MAType::SMA, 26, MAType::WMA, 9, MAType::EMA);
    "macdext(12,3,26,1,9,0)" ["", "signal", "histogram"]
        macdext(close; 12, MAType::DEMA, 26, MAType::EMA, 9, MAType::SMA);
    "apo(12,26,1)" [""] apo(close; 12, 26, MAType::EMA);
    "apo(12,26,0)" [""] apo(close; 12, 26, MAType::SMA);
    "ppo(12,26,1)" [""] ppo(close; 12, 26, MAType::EMA);
    "pvo(12,26,1)" [""] pvo(volume; 12, 26, MAType::EMA);
    "mom(10)" [""] mom(close; 10);
    "roc(9)" [""] roc(close; 9);
    "rocp(10)" [""] rocp(close; 10);
    "rocr(10)" [""] rocr(close; 10);
    "rocr100(10)" [""] rocr100(close; 10);
    "trix(18)" [""] trix(close; 18);
    "coppock(10,14,11)" [""] coppock(close; 10, 11, 14);
    "kst" ["", "signal"] kst(close; 10, 15, 20, 30, 10, 10, 10, 15, 9);
    "tsi(25,13)" [""] tsi(close; 25, 13);
    "ao(5,34)" [""] ao(high low; 5, 34);
    "ac(5,34,5)" [""] ac(high low; 5, 34, 5);
    "dpo(21)" [""] dpo(close; 21);
    "dpo(2)" [""] dpo(close; 2);
    "cci(20)" [""] cci(high low close; 20);
    "wpr(14)" [""] willr(high low close; 14);
    "ultosc(7,14,28)" [""] ultosc(high low close; 7, 14, 28);
    "aroon(14)" ["down", "up"] aroon(high low; 14);
    "aroonosc(14)" [""] aroonosc(high low; 14);
    "adx(14)" [""] adx(high low close; 14);
    "adx(14)" ["plus_di"] plus_di(high low close; 14);
    "adx(14)" ["minus_di"] minus_di(high low close; 14);
    "adxr(14)" [""] adxr(high low close; 14);
    "dx(14)" [""] dx(high low close; 14);
    "plus_di(14)" [""] plus_di(high low close; 14);
    "minus_di(14)" [""] minus_di(high low close; 14);
    "plus_dm(14)" [""] plus_dm(high low; 14);
    "minus_dm(14)" [""] minus_dm(high low; 14);
    "vortex(14)" ["plus", "minus"] vortex(high low close; 14);
    "fisher(9)" ["", "trigger"] fisher(high low; 9);
    "bop()" [""] bop(open high low close);
    "ibs()" [""] ibs(high low close);
    "imi(14)" [""] imi(open close; 14);
    "qstick(14)" [""] qstick(open close; 14);
    "er(10)" [""] er(close; 10);
    "vhf(28)" [""] vhf(close; 28);
    "cti(20)" [""] cti(close; 20);
    "fosc(5)" [""] fosc(close; 5);
    "eri(13)" ["bull", "bear"] eri(high low close; 13);
    "wavetrend(10,21,4)" ["", "signal"] wavetrend(high low close; 10, 21, 4);

    "atr(14)" [""] atr(high low close; 14);
    "natr(14)" [""] natr(high low close; 14);
    "trange()" [""] trange(high low close);
    "adr(14)" [""] adr(high low; 14);
    "chop(14)" [""] chop(high low close; 14);
    "cvi(10,10)" [""] cvi(high low; 10, 10);
    "massi(9,25)" [""] massi(high low; 9, 25);
    "rvi(14,10)" [""] rvi(close; 14, 10);
    "rogers_satchell(10,252)" [""] rogerssatchell(open high low close; 10, 252.0);

    "obv()" [""] obv(close volume);
    "ad()" [""] ad(high low close volume);
    "adosc(3,10)" [""] adosc(high low close volume; 3, 10);
    "cmf(20)" [""] cmf(high low close volume; 20);
    "efi(13)" [""] efi(close volume; 13);
    "eom(14,10000)" [""] emv(high low volume; 14, 10_000.0);
    "nvi()" [""] nvi(close volume);
    "pvi()" [""] pvi(close volume);
    "pvt()" [""] pvt(close volume);
    "wad()" [""] wad(high low close);
    "kvo(34,55,13)" ["", "signal"] kvo(high low close volume; 34, 55, 13);
    "mfi(14)" [""] mfi(high low close volume; 14);
    "rvol(20)" [""] rvol(volume; 20);
    "vol_ma(20,0)" [""] sma(volume; 20);
    "marketfi()" [""] marketfi(high low volume);

    "stddev(20)" [""] stddev(close; 20, 1.0);
    "var(20)" [""] var(close; 20, 1.0);
    "highest(high,20)" [""] max(high; 20);
    "lowest(low,20)" [""] min(low; 20);
    "linreg(14)" [""] linearreg(close; 14);
    "linreg_slope(14)" [""] linearreg_slope(close; 14);
    "linreg_intercept(14)" [""] linearreg_intercept(close; 14);
    "linreg_angle(14)" [""] linearreg_angle(close; 14);
    "tsf(14)" [""] tsf(close; 14);
    "correl(high,low,30)" [""] correl(high low; 30);
    "correl(30)" [""] correl(close volume; 30);
    "beta(high,low,5)" [""] beta(high low; 5);
    "avgdev(14)" [""] avgdev(close; 14);
    "kurtosis(30)" [""] kurtosis(close; 30);
    "median(30)" [""] median(close; 30);
    "median(9)" [""] median(close; 9);
    "percentile(30,80)" [""] percentile(close; 30, 80.0);
    "percentrank(100)" [""] percentrank(close; 100);

    "ht_dcperiod()" [""] ht_dcperiod(close);
    "ht_dcphase()" [""] ht_dcphase(close);
    "ht_phasor()" ["in_phase", "quadrature"] ht_phasor(close);
    "ht_sine()" ["sine", "lead"] ht_sine(close);
};

/// Those that give whole numbers.
const WHOLE: &[(&str, &[&str], Oracle)] = &[
    ("supertrend(10,3)", &["", "direction"], |core, x, outputs| {
        let mut trend = vec![0; x.len()];
        let range = core.supertrend(0, x.len() - 1, x.high(), x.low(), x.close(), 10, 3.0, &mut outputs[0], &mut trend);
        outputs[1] = trend.into_iter().map(f64::from).collect();
        range.unwrap()
    }),
    ("squeeze(20,2,20)", &["", "state"], |core, x, outputs| {
        let mut state = vec![0; x.len()];
        let (high, low, close) = (x.high(), x.low(), x.close());
        let range =
            core.sqzmom(0, x.len() - 1, high, low, close, 20, 2.0, 20, 2.0, 1.5, 1.0, &mut outputs[0], &mut state);
        outputs[1] = state.into_iter().map(f64::from).collect();
        range.unwrap()
    }),
    ("ht_trendmode()", &[""], |core, x, outputs| {
        let mut mode = vec![0; x.len()];
        let range = core.ht_trendmode(0, x.len() - 1, x.close(), &mut mode);
        outputs[0] = mode.into_iter().map(f64::from).collect();
        range.unwrap()
    }),
    ("highest_bars(high,20)", &[""], |core, x, outputs| {
        let mut at = vec![0; x.len()];
        let range = core.maxindex(0, x.len() - 1, x.high(), 20, &mut at).unwrap();
        outputs[0] = at.iter().enumerate().map(|(t, at)| (t + range.beg_idx) as f64 - f64::from(*at)).collect();
        range
    }),
    ("lowest_bars(low,20)", &[""], |core, x, outputs| {
        let mut at = vec![0; x.len()];
        let range = core.minindex(0, x.len() - 1, x.low(), 20, &mut at).unwrap();
        outputs[0] = at.iter().enumerate().map(|(t, at)| (t + range.beg_idx) as f64 - f64::from(*at)).collect();
        range
    }),
];

/// The largest error of each row, relative to the value or, where a difference of nearly equal numbers is small by
/// itself, to 1 or what is less: the largest value of the column.
fn errors(columns: &Columns, skip: impl Fn(&str) -> bool) -> Vec<(String, f64, String)> {
    let core = Core::new();
    // What rounding alone makes of a price.
    let noise = 8.0 * f64::EPSILON * columns.close().iter().fold(0.0f64, |a, b| a.max(b.abs()));
    let mut errors = Vec::new();
    for (set, suffixes, oracle) in GOLDEN.iter().chain(WHOLE).filter(|(set, ..)| !skip(set)) {
        let mut expected = vec![vec![0.0; columns.len()]; suffixes.len()];
        let range = oracle(&core, columns, &mut expected);
        let study = StudySet::parse(set).unwrap();
        let ours = study.batch(&mut study.new_state(Timeframe::M1).unwrap(), columns);
        for (suffix, expected) in suffixes.iter().zip(&expected) {
            let column = if suffix.is_empty() { (*set).to_owned() } else { format!("{set}.{suffix}") };
            let index = study.columns().iter().position(|name| *name == column).unwrap();
            let first = ours[index].iter().position(|value| !value.is_nan());
            // Ours shows each line of the cloud as soon as it is known.
            let early = set.starts_with("ichimoku") && first < Some(range.beg_idx);
            if first != Some(range.beg_idx) && !early {
                errors.push((column, f64::INFINITY, format!("begins at {first:?}, not {}", range.beg_idx)));
                continue;
            }
            let mut worst = (0.0, String::new());
            let scale =
                expected[..range.count].iter().fold(0.0f64, |a, b| a.max(b.abs())).clamp(f64::MIN_POSITIVE, 1.0);
            for (row, (ours, expected)) in ours[index][range.beg_idx..].iter().zip(&expected[..range.count]).enumerate()
            {
                let error =
                    if ours == expected { 0.0 } else { ((ours - expected).abs() - noise) / expected.abs().max(scale) };
                if error.is_nan() || error > worst.0 {
                    worst = (error, format!("row {}: {ours} is not {expected}", row + range.beg_idx));
                }
            }
            errors.push((column, worst.0, worst.1));
        }
    }
    errors
}

/// Every row that is not within `tolerance`.
fn wrong(name: &str, columns: &Columns, tolerance: f64, skip: impl Fn(&str) -> bool) -> Vec<String> {
    errors(columns, skip)
        .into_iter()
        .filter(|(column, error, _)| {
            // The phase is the ratio of two sums that all but cancel.
            let tolerance = if column.starts_with("ht_") { 10.0 * tolerance } else { tolerance };
            // TA-Lib's line is summed around zero, ours around the window's mean.
            let rough = name == "far from zero" && column.starts_with("linreg_");
            let tolerance = if rough { 1e-3 } else { tolerance };
            error.is_nan() || *error > tolerance
        })
        .map(|(column, error, place)| format!("{column} on {name}: {error:e}, {place}"))
        .collect()
}

fn none(wrong: impl Iterator<Item = Vec<String>>) {
    let wrong: Vec<String> = wrong.flatten().collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn equals_ta_lib_on_walks() {
    none((0..6).map(|seed| {
        wrong(&format!("walk {seed}"), &Columns::from_candles(&common::walk(seed, 3_000)), 1e-9, |_| false)
    }));
}

#[test]
fn equals_ta_lib_on_a_market() {
    none((0..6).map(|seed| {
        wrong(&format!("market {seed}"), &Columns::from_candles(&common::market(seed, 3_000)), 1e-9, |_| false)
    }));
}

/// What TA-Lib has no answer for, or none that means anything.
fn has_no_oracle(set: &str, data: &str) -> bool {
    let is = |names: &[&str]| names.iter().any(|name| set.starts_with(name));
    match data {
        // The phase of nothing is a rounding error; kurtosis is 0/0, ours 0.
        "constant" | "stops moving" => {
            // Its line through equal values leans by a rounding error.
            let leans = data == "constant" && is(&["fosc", "linreg_angle"]);
            leans || is(&["ht_dcphase", "ht_sine", "ht_trendmode", "kurtosis"])
        }
        // Weighted means without weights are 0 or NaN, which no chart can show beside prices; ours are plain means.
        "constant without volume" => is(&["vwap", "avwap", "vwma", "rvol", "ht_", "kurtosis"]),
        // Its running sums keep what rounding left of a rate of change of ten million percent.
        "gap" => is(&["kst", "coppock"]),
        // Its running sums keep what rounding left of a spike: its MFI is off by a hundredth for ever.
        "spike" => true,
        _ => false,
    }
}

#[test]
fn equals_ta_lib_on_hostile_input() {
    none(common::hostile().into_iter().map(|(name, columns)| {
        let tolerance = match name {
            // A candle moves by the ninth digit of its price: a float leaves six of the movement, whoever computes.
            "far from zero" => 1e-4,
            _ => 1e-9,
        };
        wrong(name, &columns, tolerance, |set| has_no_oracle(set, name))
    }));
}
