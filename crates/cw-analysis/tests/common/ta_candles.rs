//! TA-Lib's 61 candlestick functions as columns.

use cw_analysis::Columns;
use ta_lib::{Core, OutRange, RetCode};

type Function = fn(&Core, usize, &[f64], &[f64], &[f64], &[f64], &mut [i32]) -> Result<OutRange, RetCode>;

macro_rules! functions {
    ($($function:ident $(($penetration:literal))?),+ $(,)?) => {
        /// Name and function, in the order of TA-Lib's list, with its default penetrations.
        pub const FUNCTIONS: &[(&str, Function)] = &[$((
            stringify!($function),
            |core, end, open, high, low, close, out| {
                core.$function(0, end, open, high, low, close, $($penetration,)? out)
            },
        )),+];
    };
}

functions! {
    cdl2crows, cdl3blackcrows, cdl3inside, cdl3linestrike, cdl3outside, cdl3starsinsouth, cdl3whitesoldiers,
    cdlabandonedbaby(0.3), cdladvanceblock, cdlbelthold, cdlbreakaway, cdlclosingmarubozu, cdlconcealbabyswall,
    cdlcounterattack, cdldarkcloudcover(0.5), cdldoji, cdldojistar, cdldragonflydoji, cdlengulfing,
    cdleveningdojistar(0.3), cdleveningstar(0.3), cdlgapsidesidewhite, cdlgravestonedoji, cdlhammer, cdlhangingman,
    cdlharami, cdlharamicross, cdlhighwave, cdlhikkake, cdlhikkakemod, cdlhomingpigeon, cdlidentical3crows, cdlinneck,
    cdlinvertedhammer, cdlkicking, cdlkickingbylength, cdlladderbottom, cdllongleggeddoji, cdllongline, cdlmarubozu,
    cdlmatchinglow, cdlmathold(0.5), cdlmorningdojistar(0.3), cdlmorningstar(0.3), cdlonneck, cdlpiercing,
    cdlrickshawman, cdlrisefall3methods, cdlseparatinglines, cdlshootingstar, cdlshortline, cdlspinningtop,
    cdlstalledpattern, cdlsticksandwich, cdltakuri, cdltasukigap, cdlthrusting, cdltristar, cdlunique3river,
    cdlupsidegap2crows, cdlxsidegap3methods,
}

/// The signals of one function from its first row, which comes with them.
pub fn run<'a>(core: &Core, function: Function, candles: &Columns, out: &'a mut [i32]) -> (usize, &'a [i32]) {
    let (open, high, low, close) = (candles.open(), candles.high(), candles.low(), candles.close());
    let range = function(core, candles.len() - 1, open, high, low, close, out).expect("valid columns");
    (range.beg_idx, &out[..range.count])
}
