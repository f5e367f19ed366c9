//! TA-Lib's 61 candlestick functions as columns.

use cw_analysis::{Columns, Ohlcv};
use ta_lib::{Core, OutRange, RetCode};

type Function = fn(&Core, usize, &[f64], &[f64], &[f64], &[f64], &mut [i32]) -> Result<OutRange, RetCode>;

/// One signal per candle.
pub type Stream = Box<dyn FnMut(&Ohlcv) -> i32>;
type Open = fn(&Core, &[f64], &[f64], &[f64], &[f64]) -> Stream;

macro_rules! functions {
    ($($function:ident $open:ident $(($penetration:literal))?),+ $(,)?) => {
        /// Name, function and its stream, in the order of TA-Lib's list, with its default penetrations.
        pub const FUNCTIONS: &[(&str, Function, Open)] = &[$((
            stringify!($function),
            |core, end, open, high, low, close, out| {
                core.$function(0, end, open, high, low, close, $($penetration,)? out)
            },
            |core, open, high, low, close| {
                let (mut stream, _) = core.$open(open, high, low, close $(, $penetration)?).expect("enough candles");
                Box::new(move |c| stream.update(c.open, c.high, c.low, c.close).expect("finite prices"))
            },
        )),+];
    };
}

functions! {
    cdl2crows cdl2crows_open,
    cdl3blackcrows cdl3blackcrows_open,
    cdl3inside cdl3inside_open,
    cdl3linestrike cdl3linestrike_open,
    cdl3outside cdl3outside_open,
    cdl3starsinsouth cdl3starsinsouth_open,
    cdl3whitesoldiers cdl3whitesoldiers_open,
    cdlabandonedbaby cdlabandonedbaby_open(0.3),
    cdladvanceblock cdladvanceblock_open,
    cdlbelthold cdlbelthold_open,
    cdlbreakaway cdlbreakaway_open,
    cdlclosingmarubozu cdlclosingmarubozu_open,
    cdlconcealbabyswall cdlconcealbabyswall_open,
    cdlcounterattack cdlcounterattack_open,
    cdldarkcloudcover cdldarkcloudcover_open(0.5),
    cdldoji cdldoji_open,
    cdldojistar cdldojistar_open,
    cdldragonflydoji cdldragonflydoji_open,
    cdlengulfing cdlengulfing_open,
    cdleveningdojistar cdleveningdojistar_open(0.3),
    cdleveningstar cdleveningstar_open(0.3),
    cdlgapsidesidewhite cdlgapsidesidewhite_open,
    cdlgravestonedoji cdlgravestonedoji_open,
    cdlhammer cdlhammer_open,
    cdlhangingman cdlhangingman_open,
    cdlharami cdlharami_open,
    cdlharamicross cdlharamicross_open,
    cdlhighwave cdlhighwave_open,
    cdlhikkake cdlhikkake_open,
    cdlhikkakemod cdlhikkakemod_open,
    cdlhomingpigeon cdlhomingpigeon_open,
    cdlidentical3crows cdlidentical3crows_open,
    cdlinneck cdlinneck_open,
    cdlinvertedhammer cdlinvertedhammer_open,
    cdlkicking cdlkicking_open,
    cdlkickingbylength cdlkickingbylength_open,
    cdlladderbottom cdlladderbottom_open,
    cdllongleggeddoji cdllongleggeddoji_open,
    cdllongline cdllongline_open,
    cdlmarubozu cdlmarubozu_open,
    cdlmatchinglow cdlmatchinglow_open,
    cdlmathold cdlmathold_open(0.5),
    cdlmorningdojistar cdlmorningdojistar_open(0.3),
    cdlmorningstar cdlmorningstar_open(0.3),
    cdlonneck cdlonneck_open,
    cdlpiercing cdlpiercing_open,
    cdlrickshawman cdlrickshawman_open,
    cdlrisefall3methods cdlrisefall3methods_open,
    cdlseparatinglines cdlseparatinglines_open,
    cdlshootingstar cdlshootingstar_open,
    cdlshortline cdlshortline_open,
    cdlspinningtop cdlspinningtop_open,
    cdlstalledpattern cdlstalledpattern_open,
    cdlsticksandwich cdlsticksandwich_open,
    cdltakuri cdltakuri_open,
    cdltasukigap cdltasukigap_open,
    cdlthrusting cdlthrusting_open,
    cdltristar cdltristar_open,
    cdlunique3river cdlunique3river_open,
    cdlupsidegap2crows cdlupsidegap2crows_open,
    cdlxsidegap3methods cdlxsidegap3methods_open,
}

/// The signals of one function from its first row, which comes with them.
pub fn run<'a>(core: &Core, function: Function, candles: &Columns, out: &'a mut [i32]) -> (usize, &'a [i32]) {
    let (open, high, low, close) = (candles.open(), candles.high(), candles.low(), candles.close());
    let range = function(core, candles.len() - 1, open, high, low, close, out).expect("valid columns");
    (range.beg_idx, &out[..range.count])
}
