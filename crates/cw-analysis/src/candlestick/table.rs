//! The list of patterns, in TA-Lib's order.

use serde::Serialize;

/// Which way a pattern's signal points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The signal is never negative and is read as bullish.
    Bullish,
    /// The signal is never positive and is read as bearish.
    Bearish,
    /// Positive is bullish, negative is bearish.
    Both,
    /// Indecision or plain shape: the sign is no direction (TA-Lib gives 100, or the candle's color).
    Neutral,
}

/// Everything the outside knows about a candlestick pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Pattern {
    /// Its name in commands and expressions.
    pub name: &'static str,
    /// TA-Lib's function.
    pub ta_lib: &'static str,
    pub title: &'static str,
    /// How many candles it is made of, the one that completes it included.
    pub candles: u8,
    /// The first row that can have a signal: candles of the pattern and of the averages that it is measured by.
    pub warm_up: u8,
    pub direction: Direction,
    /// The definition in plain words. "Long", "short", "hardly any" and "about" are TA-Lib's default candle settings:
    /// averages of the five or ten candles before.
    pub doc: &'static str,
    /// Where the definition comes from.
    pub source: &'static str,
}

/// Patterns are counted in their order in this list: a saved mask of signals depends on it. Append, do not reorder.
macro_rules! patterns {
    ($($id:ident: $name:literal, $ta_lib:literal, $title:literal, $candles:literal, $warm_up:literal,
        $direction:ident, $source:ident, $doc:literal;)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Id { $($id),+ }

        /// All patterns. A [`Hit`](super::Hit)'s `pattern` is the index here.
        pub const PATTERNS: &[Pattern] = &[$(Pattern {
            name: $name, ta_lib: $ta_lib, title: $title, candles: $candles, warm_up: $warm_up,
            direction: Direction::$direction, doc: $doc, source: concat!("TA-Lib ", $ta_lib, "; ", $source!()),
        }),+];
    };
}

macro_rules! NISON {
    () => {
        "Nison, Japanese Candlestick Charting Techniques"
    };
}
macro_rules! MORRIS {
    () => {
        "Morris, Candlestick Charting Explained"
    };
}
macro_rules! CHESLER {
    () => {
        "Chesler, Active Trader, April 2004"
    };
}

patterns! {
    TwoCrows: "two_crows", "CDL2CROWS", "Two crows", 3, 12, Bearish, MORRIS,
        "A long white candle, then a black one whose body gaps up, then a black one that opens inside that body and closes inside the first.";
    ThreeBlackCrows: "three_black_crows", "CDL3BLACKCROWS", "Three black crows", 4, 13, Bearish, NISON,
        "After a white candle, three black ones with hardly any lower shadow, each opening inside the body before it and closing lower.";
    ThreeInside: "three_inside", "CDL3INSIDE", "Three inside up or down", 3, 12, Both, MORRIS,
        "A long body, then a short one inside it, then a candle of the color opposite to the first that closes past the first one's open.";
    ThreeLineStrike: "three_line_strike", "CDL3LINESTRIKE", "Three-line strike", 4, 8, Both, MORRIS,
        "Three candles of one color, each opening in or near the body before it and closing further, then one of the other color that opens beyond them and closes past the first one's open; the sign is the color of the three.";
    ThreeOutside: "three_outside", "CDL3OUTSIDE", "Three outside up or down", 3, 3, Both, MORRIS,
        "A body that engulfs the opposite one before it, then a close further in its direction.";
    ThreeStarsInSouth: "three_stars_in_south", "CDL3STARSINSOUTH", "Three stars in the south", 3, 12, Bullish, MORRIS,
        "Three ever smaller black candles: a long one with a long lower shadow, one that holds above its low, and a short one without shadows inside that one's range.";
    ThreeWhiteSoldiers: "three_white_soldiers", "CDL3WHITESOLDIERS", "Three advancing white soldiers", 3, 12, Bullish, NISON,
        "Three white candles with higher closes and hardly any upper shadow, each opening in or near the body before it and none much shorter than the one before.";
    AbandonedBaby: "abandoned_baby", "CDLABANDONEDBABY", "Abandoned baby", 3, 12, Both, NISON,
        "A long body, then a doji that gaps away from it shadows and all, then an opposite body that gaps back and closes more than 30 % into the first.";
    AdvanceBlock: "advance_block", "CDLADVANCEBLOCK", "Advance block", 3, 12, Bearish, NISON,
        "Three white candles with higher closes whose advance weakens: the bodies shrink or the upper shadows grow.";
    BeltHold: "belt_hold", "CDLBELTHOLD", "Belt hold", 1, 10, Both, NISON,
        "A long body that opens at its extreme: white with hardly any lower shadow, or black with hardly any upper one.";
    Breakaway: "breakaway", "CDLBREAKAWAY", "Breakaway", 5, 14, Both, MORRIS,
        "A long candle, one of its color that gaps away, two more that go further, then one of the other color that closes inside the gap.";
    ClosingMarubozu: "closing_marubozu", "CDLCLOSINGMARUBOZU", "Closing marubozu", 1, 10, Both, MORRIS,
        "A long body that closes at its extreme: white with hardly any upper shadow, or black with hardly any lower one.";
    ConcealBabySwallow: "conceal_baby_swallow", "CDLCONCEALBABYSWALL", "Concealing baby swallow", 4, 13, Bullish, MORRIS,
        "Two black candles without shadows, then a black one that gaps down and pokes its upper shadow into the second, then a black one whose range engulfs the third.";
    Counterattack: "counterattack", "CDLCOUNTERATTACK", "Counterattack", 2, 11, Both, NISON,
        "Two long bodies of opposite colors that close at about the same price; the sign is the color of the second.";
    DarkCloudCover: "dark_cloud_cover", "CDLDARKCLOUDCOVER", "Dark cloud cover", 2, 11, Bearish, NISON,
        "A long white candle, then a black one that opens above its high and closes below the middle of its body.";
    Doji: "doji", "CDLDOJI", "Doji", 1, 10, Neutral, NISON,
        "Open and close are at most a tenth of the usual range apart.";
    DojiStar: "doji_star", "CDLDOJISTAR", "Doji star", 2, 11, Both, NISON,
        "A long body, then a doji that gaps away in its direction; the sign is opposite to the long body's color.";
    DragonflyDoji: "dragonfly_doji", "CDLDRAGONFLYDOJI", "Dragonfly doji", 1, 10, Neutral, NISON,
        "A doji at the top of its range: hardly any upper shadow, a longer lower one.";
    Engulfing: "engulfing", "CDLENGULFING", "Engulfing", 2, 2, Both, NISON,
        "A body that engulfs the opposite one before it; 80 instead of 100 where they share an end.";
    EveningDojiStar: "evening_doji_star", "CDLEVENINGDOJISTAR", "Evening doji star", 3, 12, Bearish, NISON,
        "A long white candle, then a doji that gaps up, then a black candle that closes more than 30 % into the first body.";
    EveningStar: "evening_star", "CDLEVENINGSTAR", "Evening star", 3, 12, Bearish, NISON,
        "A long white candle, then a short body that gaps up, then a black candle that closes more than 30 % into the first body.";
    GapSideBySideWhite: "gap_side_by_side_white", "CDLGAPSIDESIDEWHITE", "Side-by-side white lines after a gap", 3, 7, Both, NISON,
        "Two white candles of about the same open and body, both gapping in one direction from the candle before them; the sign is the gap's direction.";
    GravestoneDoji: "gravestone_doji", "CDLGRAVESTONEDOJI", "Gravestone doji", 1, 10, Neutral, NISON,
        "A doji at the bottom of its range: hardly any lower shadow, a longer upper one.";
    Hammer: "hammer", "CDLHAMMER", "Hammer", 2, 11, Bullish, NISON,
        "A short body at or below the low of the candle before, with a lower shadow longer than the body and hardly any upper one.";
    HangingMan: "hanging_man", "CDLHANGINGMAN", "Hanging man", 2, 11, Bearish, NISON,
        "A short body at or above the high of the candle before, with a lower shadow longer than the body and hardly any upper one.";
    Harami: "harami", "CDLHARAMI", "Harami", 2, 11, Both, NISON,
        "A long body, then a short one inside it; the sign is opposite to the long body's color, 80 instead of 100 where they share an end.";
    HaramiCross: "harami_cross", "CDLHARAMICROSS", "Harami cross", 2, 11, Both, NISON,
        "A long body, then a doji inside it; the sign is opposite to the long body's color, 80 instead of 100 where they share an end.";
    HighWave: "high_wave", "CDLHIGHWAVE", "High wave", 1, 10, Neutral, NISON,
        "A short body with both shadows more than twice as long; the sign is only the candle's color.";
    Hikkake: "hikkake", "CDLHIKKAKE", "Hikkake", 3, 5, Both, CHESLER,
        "An inside candle, then one that leaves its range on the wrong side (100); 200 where one of the next three closes beyond the inside candle on the other side.";
    ModifiedHikkake: "modified_hikkake", "CDLHIKKAKEMOD", "Modified hikkake", 4, 10, Both, CHESLER,
        "Two ever narrower inside candles, the first closing near its extreme, then one that leaves the range on that side (100); 200 where one of the next three closes beyond the other side.";
    HomingPigeon: "homing_pigeon", "CDLHOMINGPIGEON", "Homing pigeon", 2, 11, Bullish, MORRIS,
        "A long black candle, then a short black one inside its body.";
    IdenticalThreeCrows: "identical_three_crows", "CDLIDENTICAL3CROWS", "Identical three crows", 3, 12, Bearish, MORRIS,
        "Three black candles with hardly any lower shadow and lower closes, each opening at about the close before it.";
    InNeck: "in_neck", "CDLINNECK", "In-neck line", 2, 11, Bearish, NISON,
        "A long black candle, then a white one that opens below its low and closes at or barely above its close.";
    InvertedHammer: "inverted_hammer", "CDLINVERTEDHAMMER", "Inverted hammer", 2, 11, Bullish, NISON,
        "A short body that gaps down, with an upper shadow longer than the body and hardly any lower one.";
    Kicking: "kicking", "CDLKICKING", "Kicking", 2, 11, Both, MORRIS,
        "Two long bodies without shadows, of opposite colors, with a gap between them; the sign is the color of the second.";
    KickingByLength: "kicking_by_length", "CDLKICKINGBYLENGTH", "Kicking, by the longer candle", 2, 11, Both, MORRIS,
        "Two long bodies without shadows, of opposite colors, with a gap between them; the sign is the color of the longer one.";
    LadderBottom: "ladder_bottom", "CDLLADDERBOTTOM", "Ladder bottom", 5, 14, Bullish, MORRIS,
        "Three black candles with lower opens and closes, a fourth black one with an upper shadow, then a white one that opens above its open and closes above its high.";
    LongLeggedDoji: "long_legged_doji", "CDLLONGLEGGEDDOJI", "Long-legged doji", 1, 10, Neutral, NISON,
        "A doji with at least one shadow longer than its body.";
    LongLine: "long_line", "CDLLONGLINE", "Long line", 1, 10, Neutral, MORRIS,
        "A long body with short shadows; the sign is only the candle's color.";
    Marubozu: "marubozu", "CDLMARUBOZU", "Marubozu", 1, 10, Both, NISON,
        "A long body with hardly any shadow at either end.";
    MatchingLow: "matching_low", "CDLMATCHINGLOW", "Matching low", 2, 6, Bullish, MORRIS,
        "Two black candles that close at about the same price.";
    MatHold: "mat_hold", "CDLMATHOLD", "Mat hold", 5, 14, Bullish, NISON,
        "A long white candle, a short black one that gaps up, two short ones that sink but hold above the middle of the first body, then a white one that closes above all their highs.";
    MorningDojiStar: "morning_doji_star", "CDLMORNINGDOJISTAR", "Morning doji star", 3, 12, Bullish, NISON,
        "A long black candle, then a doji that gaps down, then a white candle that closes more than 30 % into the first body.";
    MorningStar: "morning_star", "CDLMORNINGSTAR", "Morning star", 3, 12, Bullish, NISON,
        "A long black candle, then a short body that gaps down, then a white candle that closes more than 30 % into the first body.";
    OnNeck: "on_neck", "CDLONNECK", "On-neck line", 2, 11, Bearish, NISON,
        "A long black candle, then a white one that opens below its low and closes at about that low.";
    Piercing: "piercing", "CDLPIERCING", "Piercing line", 2, 11, Bullish, NISON,
        "A long black candle, then a long white one that opens below its low and closes above the middle of its body.";
    RickshawMan: "rickshaw_man", "CDLRICKSHAWMAN", "Rickshaw man", 1, 10, Neutral, NISON,
        "A doji with both shadows longer than its body and the body near the middle of the range.";
    RiseFallThreeMethods: "rise_fall_three_methods", "CDLRISEFALL3METHODS", "Rising or falling three methods", 5, 14, Both, NISON,
        "A long candle, three short ones of the other color that stay partly in its range, then a long one of its color that closes beyond it.";
    SeparatingLines: "separating_lines", "CDLSEPARATINGLINES", "Separating lines", 2, 11, Both, NISON,
        "Two candles of opposite colors that open at about the same price, the second a belt hold; the sign is the second's color.";
    ShootingStar: "shooting_star", "CDLSHOOTINGSTAR", "Shooting star", 2, 11, Bearish, NISON,
        "A short body that gaps up, with an upper shadow longer than the body and hardly any lower one.";
    ShortLine: "short_line", "CDLSHORTLINE", "Short line", 1, 10, Neutral, MORRIS,
        "A short body with short shadows; the sign is only the candle's color.";
    SpinningTop: "spinning_top", "CDLSPINNINGTOP", "Spinning top", 1, 10, Neutral, NISON,
        "A short body with both shadows longer than it; the sign is only the candle's color.";
    StalledPattern: "stalled_pattern", "CDLSTALLEDPATTERN", "Stalled pattern", 3, 12, Bearish, NISON,
        "Two long white candles with higher closes, then a short white one that opens near the second's close.";
    StickSandwich: "stick_sandwich", "CDLSTICKSANDWICH", "Stick sandwich", 3, 7, Bullish, MORRIS,
        "Black, white, black: the white candle trades above the first close, and the last closes at about that price again.";
    Takuri: "takuri", "CDLTAKURI", "Takuri line", 1, 10, Neutral, MORRIS,
        "A dragonfly doji whose lower shadow is more than twice its body.";
    TasukiGap: "tasuki_gap", "CDLTASUKIGAP", "Tasuki gap", 3, 7, Both, NISON,
        "A body that gaps away, then an opposite one of about the same length that opens inside it and closes in the gap; the sign is the direction of the gap.";
    Thrusting: "thrusting", "CDLTHRUSTING", "Thrusting line", 2, 11, Bearish, NISON,
        "A long black candle, then a white one that opens below its low and closes inside its body, but not above the middle.";
    Tristar: "tristar", "CDLTRISTAR", "Tri-star", 3, 12, Both, NISON,
        "Three dojis, the middle one gapping away: up is bearish, down is bullish.";
    UniqueThreeRiver: "unique_three_river", "CDLUNIQUE3RIVER", "Unique three-river bottom", 3, 12, Bullish, NISON,
        "A long black candle, a black one inside its body with a lower low, then a short white one that opens above that low.";
    UpsideGapTwoCrows: "upside_gap_two_crows", "CDLUPSIDEGAP2CROWS", "Upside gap two crows", 3, 12, Bearish, NISON,
        "A long white candle, a short black one that gaps up, then a black one that engulfs it and still closes above the first.";
    SideGapThreeMethods: "side_gap_three_methods", "CDLXSIDEGAP3METHODS", "Upside or downside gap three methods", 3, 2, Both, MORRIS,
        "Two candles of one color with a gap between their bodies, then one of the other color that opens inside the second and closes inside the first; the sign is the color of the two.";
}

/// How many patterns there are.
pub const COUNT: usize = PATTERNS.len();

/// The index of a pattern by its name or TA-Lib's, in any case and with or without `CDL`.
pub fn find(name: &str) -> Option<usize> {
    let name = name.trim();
    PATTERNS.iter().position(|pattern| {
        name.eq_ignore_ascii_case(pattern.name)
            || name.eq_ignore_ascii_case(pattern.ta_lib)
            || name.eq_ignore_ascii_case(&pattern.ta_lib[3..])
    })
}
