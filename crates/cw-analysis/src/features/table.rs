//! The features, one line each, in the order of the vector. Appending or changing one is a new [`VERSION`](super::VERSION).

use super::{Definition, Feature, Unit};

const fn feature(name: &'static str, unit: Unit, definition: &'static str, doc: &'static str) -> Feature {
    Feature { name, unit, definition: Definition::Expression(definition), doc, weight: 1.0 }
}
/// Is so, or is not: a whole unit of distance, which would outweigh what moves by degrees.
const fn flag(name: &'static str, definition: &'static str, doc: &'static str) -> Feature {
    feature(name, Share, definition, doc).weighing(0.5)
}
const fn computed(name: &'static str, unit: Unit, definition: &'static str, doc: &'static str) -> Feature {
    Feature { name, unit, definition: Definition::Computed(definition), doc, weight: 1.0 }
}
impl Feature {
    const fn weighing(self, weight: f32) -> Self {
        Self { weight, ..self }
    }
}

use Unit::{Atrs, LogReturn, Ratio, Share, Signed};

/// How many expressions stand before what is computed otherwise.
pub(super) const EXPRESSIONS: usize = 58;

pub(super) static FEATURES: [Feature; super::N] = [
    // Price action.
    feature("return_1", LogReturn, "log(close / close[1])", "one candle"),
    feature("return_2", LogReturn, "log(close / close[2])", "two candles"),
    feature("return_3", LogReturn, "log(close / close[3])", "three candles"),
    feature("return_5", LogReturn, "log(close / close[5])", "five candles"),
    feature("return_10", LogReturn, "log(close / close[10])", "ten candles"),
    feature("return_20", LogReturn, "log(close / close[20])", "twenty candles"),
    feature("return_60", LogReturn, "log(close / close[60])", "sixty candles"),
    // Trend.
    feature("ema_9_distance", Atrs, "(close - ema(9)) / atr(14)", "above the short average"),
    feature("ema_21_distance", Atrs, "(close - ema(21)) / atr(14)", "above the average of a month of days"),
    feature("ema_50_distance", Atrs, "(close - ema(50)) / atr(14)", "above the medium average"),
    feature("ema_200_distance", Atrs, "(close - ema(200)) / atr(14)", "above the long average"),
    feature("ema_21_slope", Atrs, "(ema(21) - ema(21)[5]) / atr(14)", "what EMA 21 gained in five candles"),
    feature("ema_50_slope", Atrs, "(ema(50) - ema(50)[10]) / atr(14)", "what EMA 50 gained in ten candles"),
    feature("sma_20_50", Atrs, "(sma(20) - sma(50)) / atr(14)", "the short mean above the medium one"),
    feature("vwap_distance", Atrs, "(close - vwap) / atr(14)", "above the session's volume-weighted price"),
    feature("adx", Share, "adx(14) / 100", "how much movement has a direction"),
    feature("di_balance", Signed, "(adx(14).plus_di - adx(14).minus_di) / 100", "which direction has it"),
    feature(
        "efficiency",
        Signed,
        "(close - close[20]) / (20 * sma(abs(change(close)), 20))",
        "net movement of twenty candles over the path walked (Kaufman), with its sign",
    ),
    feature("up_share", Share, "sma(if(close > close[1], 1, 0), 10)", "of the last ten closes, those that rose"),
    // Momentum.
    feature("rsi_14", Share, "rsi(14) / 100", "relative strength"),
    feature("rsi_5", Share, "rsi(5) / 100", "relative strength of a few candles"),
    feature("rsi_slope", Signed, "(rsi(14) - rsi(14)[5]) / 100", "what it gained in five candles"),
    feature("stoch_k", Share, "stoch(14, 3, 3).k / 100", "stochastic"),
    feature("stoch_d", Share, "stoch(14, 3, 3).d / 100", "its average"),
    feature("cci", Ratio, "cci(20) / 200", "commodity channel index; ±1 is ±200"),
    feature("mfi", Share, "mfi(14) / 100", "relative strength by money flow"),
    feature("macd", Atrs, "macd(12, 26, 9) / atr(14)", "difference of two averages"),
    feature("macd_histogram", Atrs, "macd(12, 26, 9).histogram / atr(14)", "and of it from its signal"),
    // Volatility.
    feature("atr_share", Ratio, "atr(14) / close", "true range as a part of the price"),
    feature("atr_ratio", Ratio, "atr(5) / atr(50)", "the newest ranges beside usual ones"),
    feature("range", Atrs, "(high - low) / atr(14)[1]", "this candle's range"),
    feature("bb_width", Ratio, "(bb(20, 2).upper - bb(20, 2).lower) / bb(20, 2).middle", "Bollinger width over price"),
    feature(
        "bb_position",
        Ratio,
        "(close - bb(20, 2).lower) / (bb(20, 2).upper - bb(20, 2).lower)",
        "0 at the lower band, 1 at the upper",
    ),
    feature(
        "squeeze",
        Ratio,
        "(bb(20, 2).upper - bb(20, 2).lower) / (kc(20, 20, 1.5).upper - kc(20, 20, 1.5).lower)",
        "Bollinger width over Keltner width; below 1 is a squeeze",
    ),
    feature(
        "volatility_ratio",
        Ratio,
        "stddev(log(close / close[1]), 20) / stddev(log(close / close[1]), 100)",
        "deviation of returns beside the usual one",
    ),
    // Volume.
    feature("volume_20", Share, "volume / (volume + sma(volume, 20))", "0.5 is the mean of twenty candles"),
    feature(
        "volume_5_50",
        Share,
        "sma(volume, 5) / (sma(volume, 5) + sma(volume, 50))",
        "0.5 where the newest five are as usual",
    ),
    feature(
        "volume_balance",
        Signed,
        "sma(if(close > close[1], volume, if(close < close[1], -volume, 0)), 20) / sma(volume, 20)",
        "volume of rising minus that of falling closes",
    ),
    feature("volume_trend", Share, "ema(volume, 10) / (ema(volume, 10) + ema(volume, 50))", "0.5 is no trend"),
    // The candle.
    feature("body", Signed, "(close - open) / (high - low)", "its body as a part of its range, with its sign"),
    feature("upper_wick", Share, "(high - max(open, close)) / (high - low)", "the part above the body"),
    feature("lower_wick", Share, "(min(open, close) - low) / (high - low)", "the part below the body"),
    feature("close_location", Share, "(close - low) / (high - low)", "where in its range it closed"),
    feature("gap", Atrs, "(open - close[1]) / atr(14)[1]", "from the close before to its open"),
    feature("body_size", Atrs, "(close - open) / atr(14)[1]", "its body"),
    feature("body_1", Signed, "((close - open) / (high - low))[1]", "the body one candle before"),
    feature("body_2", Signed, "((close - open) / (high - low))[2]", "the body two candles before"),
    // Where in the picture.
    feature(
        "channel_20",
        Share,
        "(close - lowest(low, 20)) / (highest(high, 20) - lowest(low, 20))",
        "place in the range of twenty candles",
    ),
    feature(
        "channel_60",
        Share,
        "(close - lowest(low, 60)) / (highest(high, 60) - lowest(low, 60))",
        "place in the range of sixty candles",
    ),
    feature(
        "channel_200",
        Share,
        "(close - lowest(low, 200)) / (highest(high, 200) - lowest(low, 200))",
        "place in the range of two hundred candles",
    ),
    feature("high_60_distance", Atrs, "(highest(high, 60) - close) / atr(14)", "below the high of sixty candles"),
    feature("low_60_distance", Atrs, "(close - lowest(low, 60)) / atr(14)", "above the low of sixty candles"),
    feature(
        "high_touches",
        Share,
        "sma(if(high >= highest(high, 60) - 0.5 * atr(14), 1, 0), 20)",
        "of the last twenty candles, those that came within half an ATR of the high",
    ),
    feature(
        "low_touches",
        Share,
        "sma(if(low <= lowest(low, 60) + 0.5 * atr(14), 1, 0), 20)",
        "of the last twenty candles, those that came within half an ATR of the low",
    ),
    // Regime.
    flag("trend_up", "if(adx(14) >= 25 and ema(21) > ema(50), 1, 0)", "there is an upward trend"),
    flag("trend_down", "if(adx(14) >= 25 and ema(21) < ema(50), 1, 0)", "there is a downward trend"),
    flag("ranging", "if(adx(14) < 20, 1, 0)", "there is none"),
    flag(
        "volatile",
        "if(stddev(log(close / close[1]), 20) > 1.5 * stddev(log(close / close[1]), 100), 1, 0)",
        "it moves more than usual",
    ),
    // Candlestick patterns.
    computed(
        "pattern_bias",
        Signed,
        "(bullish − bearish) / (bullish + bearish) candlestick patterns of five candles",
        "which way the newest patterns point",
    )
    .weighing(0.5),
    computed("pattern_count", Share, "n / (n + 5), n candlestick patterns of five candles", "how many there are")
        .weighing(0.5),
    // The clock: two moments need not be of one hour to be alike.
    computed("day_sin", Signed, "sin(2π · UTC time of day of the open)", "time of day, east and west").weighing(0.25),
    computed("day_cos", Signed, "cos(2π · UTC time of day of the open)", "time of day, north and south").weighing(0.25),
    computed("week_sin", Signed, "sin(2π · time since Monday 00:00 UTC of the open)", "time of week, east and west")
        .weighing(0.25),
    computed("week_cos", Signed, "cos(2π · time since Monday 00:00 UTC of the open)", "time of week, north and south")
        .weighing(0.25),
];
