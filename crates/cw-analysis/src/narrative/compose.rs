//! The sentences.

use super::line::{As, Line};
use super::{Section, Sentence};
use crate::candlestick;
use crate::enrich::{EnrichedCandle, Level, MomentumState, PatternHit, RegimeKind, TrendDirection, Usual};

/// Patterns that an explanation goes into.
const EXPLAINED: usize = 3;
/// A level nearer than this many average true ranges is near.
const NEAR: f64 = 1.0;

pub(super) struct Composer<'a> {
    pub(super) candle: &'a EnrichedCandle,
    pub(super) decimals: usize,
}

const ATRS: As = As::Number(1);

impl Composer<'_> {
    pub(super) fn sentences(&self) -> Vec<Sentence> {
        let mut sentences = vec![self.headline(), self.close()];
        let more = [
            self.run(),
            self.breakout(),
            self.trend(),
            self.averages(),
            self.momentum(),
            self.volatility(),
            self.squeeze(),
            self.volume(),
            self.chart_pattern(),
            self.patterns(),
            self.level(true),
            self.level(false),
        ];
        sentences.extend(more.into_iter().flatten());
        sentences.push(self.regime());
        sentences.extend(self.change());
        sentences.extend(self.caution());
        sentences
    }

    fn price(&self) -> As {
        As::Number(self.decimals)
    }

    fn named(&self, section: Section) -> Line {
        let metadata = &self.candle.metadata;
        let instrument = metadata.instrument.to_string();
        let timeframe = metadata.timeframe.to_string();
        Line::new(section).judge("metadata.instrument", instrument.clone(), instrument).say(", ").judge(
            "metadata.timeframe",
            timeframe.clone(),
            timeframe,
        )
    }

    fn headline(&self) -> Sentence {
        let context = &self.candle.context;
        let line = self.judged_regime(self.named(Section::Headline).say(": "));
        let line = self.judged_momentum(line.say(", "), "momentum is ");
        let state = context.volatility.state;
        line.say(", volatility is ").judge("context.volatility.state", state.name(), state.name()).end()
    }

    fn judged_regime(&self, line: Line) -> Line {
        let kind = self.candle.context.regime.kind;
        let printed = match kind {
            RegimeKind::TrendUp => "an upward trend",
            RegimeKind::TrendDown => "a downward trend",
            RegimeKind::Range => "a range",
            RegimeKind::Unknown => "a market not yet known",
        };
        line.judge("context.regime.kind", kind.name(), printed)
    }

    fn judged_momentum(&self, line: Line, before: &'static str) -> Line {
        let state = self.candle.context.momentum.state;
        line.say(before).judge("context.momentum.state", state.name(), state.name())
    }

    fn close(&self) -> Sentence {
        let price = &self.candle.context.price;
        let close = self.candle.ohlcv.close.to_f64();
        let mut line =
            Line::new(Section::Price).say("The candle closed at ").number("ohlcv.close", close, self.price());
        if let Some(change) = price.change {
            line = line.say(", ").sign("context.price.change", change, ["up", "down"]).say(" ");
            line = line.number("context.price.change", change, As::Percent(2));
        }
        if let Some(change) = price.change_atr {
            line =
                line.say(" (").number("context.price.change_atr", change, As::Number(2)).say(" average true ranges)");
        }
        let place = match price.close_location {
            place if place >= 2.0 / 3.0 => "in the upper third",
            place if place <= 1.0 / 3.0 => "in the lower third",
            _ => "in the middle",
        };
        let place_value = format!("{:.2}", price.close_location);
        line.say(", ").judge("context.price.close_location", place_value, place).say(" of its range.").end()
    }

    fn run(&self) -> Option<Sentence> {
        let price = &self.candle.context.price;
        let change = price.change_20?;
        let mut line = Line::new(Section::Price);
        if price.streak.abs() >= 3 {
            let streak = f64::from(price.streak);
            line = line
                .say("It is close number ")
                .number("context.price.streak", streak, As::Number(0))
                .say(" in a row that ");
            line = line.sign("context.price.streak", streak, ["rose", "fell"]).say("; over ");
        } else {
            line = line.say("Over ");
        }
        let line = line.constant("context.price.change_20#candles").say(" candles the price ");
        let line = line.sign("context.price.change_20", change, ["gained", "lost"]).say(" ");
        Some(line.number("context.price.change_20", change, As::Percent(2)).say(".").end())
    }

    fn breakout(&self) -> Option<Sentence> {
        let price = &self.candle.context.price;
        let line = Line::new(Section::Price).say("It closed ");
        let line = if price.breakout {
            line.flag("context.price.breakout", "above the high")
        } else if price.breakdown {
            line.flag("context.price.breakdown", "below the low")
        } else {
            return None;
        };
        Some(line.say(" of the ").constant("context.price.breakout#candles").say(" candles before.").end())
    }

    fn trend(&self) -> Option<Sentence> {
        let trend = &self.candle.context.trend;
        let adx = trend.adx?;
        let direction = match trend.direction {
            TrendDirection::Up => "points up",
            TrendDirection::Down => "points down",
            TrendDirection::Flat => "has no direction",
        };
        let strength = match adx {
            adx if adx >= 40.0 => "very strong",
            adx if adx >= 25.0 => "strong",
            adx if adx >= 20.0 => "hardly a trend",
            _ => "no trend to speak of",
        };
        let line = Line::new(Section::Trend)
            .say("The trend ")
            .judge("context.trend.direction", trend.direction.name(), direction)
            .say(" (score ")
            .sign("context.trend.score", trend.score, ["+", "−"])
            .number("context.trend.score", trend.score, As::Number(1))
            .say("); ADX at ")
            .number("context.trend.adx", adx, As::Number(0))
            .say(" calls it ");
        Some(line.judge("context.trend.adx", format!("{adx:.2}"), strength).say(".").end())
    }

    fn averages(&self) -> Option<Sentence> {
        let trend = &self.candle.context.trend;
        let one = |line: Line, distance: f64, path: &'static str, length: &'static str| {
            line.number(path, distance, ATRS)
                .say(" average true ranges ")
                .sign(path, distance, ["above", "below"])
                .say(" the average of ")
                .constant(length)
                .say(" candles")
        };
        let line = Line::new(Section::Trend).say("The price stands ");
        let mut line = one(line, trend.ema_50_distance?, "context.trend.ema_50_distance", "indicators.ema(50)#length");
        if let Some(distance) = trend.ema_200_distance {
            line = one(line.say(" and "), distance, "context.trend.ema_200_distance", "indicators.ema(200)#length");
        }
        Some(line.say(".").end())
    }

    fn momentum(&self) -> Option<Sentence> {
        let momentum = &self.candle.context.momentum;
        let line = self.judged_momentum(Line::new(Section::Momentum), "Momentum is ").say(": RSI at ");
        let mut line = line.number("context.momentum.rsi", momentum.rsi?, As::Number(1));
        if let Some(change) = momentum.rsi_change {
            line = line.say(", ").number("context.momentum.rsi_change", change, As::Number(1)).say(" ");
            line = line.sign("context.momentum.rsi_change", change, ["higher", "lower"]).say(" than five candles ago");
        }
        if let (Some(histogram), Some(change)) = (momentum.macd_histogram, momentum.macd_histogram_change) {
            line = line.say("; MACD is ").sign("context.momentum.macd_histogram", histogram, ["above", "below"]);
            line = line.say(" its signal, the histogram ");
            line = line.sign("context.momentum.macd_histogram_change", change, ["rising", "falling"]);
        }
        Some(line.say(".").end())
    }

    fn volatility(&self) -> Option<Sentence> {
        let volatility = &self.candle.context.volatility;
        let line = Line::new(Section::Volatility).say("The average true range is ");
        let line = line.number("context.volatility.atr", volatility.atr?, self.price()).say(", ");
        let line =
            line.number("context.volatility.atr_share", volatility.atr_share?, As::Percent(2)).say(" of the price");
        let Some(ratio) = volatility.ratio else { return Some(line.say(".").end()) };
        let state = volatility.state.name();
        let line = line.say("; volatility is ").judge("context.volatility.state", state, state).say(", ");
        Some(line.number("context.volatility.ratio", ratio, As::Number(2)).say(" times its longer measure.").end())
    }

    fn squeeze(&self) -> Option<Sentence> {
        let volatility = &self.candle.context.volatility;
        let line = Line::new(Section::Volatility);
        if volatility.squeeze {
            let line = line.flag("context.volatility.squeeze", "The Bollinger bands lie inside the Keltner channel");
            return Some(line.say(": a squeeze, after which moves have often been larger, in either direction.").end());
        }
        let position = volatility.bb_position.filter(|position| !(0.0..=1.0).contains(position))?;
        let printed = if position > 1.0 { "above the upper" } else { "below the lower" };
        let line =
            line.say("The close lies ").judge("context.volatility.bb_position", format!("{position:.2}"), printed);
        Some(line.say(" Bollinger band.").end())
    }

    fn volume(&self) -> Option<Sentence> {
        let volume = &self.candle.context.volume;
        let line = Line::new(Section::Volume).say("Volume was ");
        let line =
            line.number("context.volume.ratio", volume.ratio?, As::Number(2)).say(" times its average, which is ");
        let line = line.judge("context.volume.state", volume.state.name(), volume.state.name());
        let Some(balance) = volume.balance else { return Some(line.say(".").end()) };
        let line = line.say("; more of it came with ").sign("context.volume.balance", balance, ["rising", "falling"]);
        let line = line.say(" closes (balance ").sign("context.volume.balance", balance, ["+", "−"]);
        Some(line.number("context.volume.balance", balance, As::Number(2)).say(").").end())
    }

    fn hits(&self) -> Vec<PatternHit> {
        self.candle.context.patterns.iter().take(EXPLAINED).collect()
    }

    fn named_hit(line: Line, at: usize, hit: &PatternHit) -> Line {
        let path = |field: &str| format!("context.patterns.{at}.{field}");
        let reading = match hit.direction {
            1 => "bullish",
            -1 => "bearish",
            _ => "neither way",
        };
        let line = line.judge(path("title"), hit.title, hit.title.to_lowercase()).say(" (");
        let line = line.judge(path("direction"), hit.direction.to_string(), reading);
        match hit.age {
            0 => line.say(", on this candle)"),
            1 => line.say(", one candle ago)"),
            age => line.say(", ").number(path("age"), f64::from(age), As::Number(0)).say(" candles ago)"),
        }
    }

    fn patterns(&self) -> Option<Sentence> {
        let hits = self.hits();
        if hits.is_empty() {
            return None;
        }
        let mut line = Line::new(Section::Patterns).say("Candlestick patterns: ");
        for (at, hit) in hits.iter().enumerate() {
            line = Self::named_hit(if at > 0 { line.say(", ") } else { line }, at, hit);
        }
        Some(line.say(".").end())
    }

    pub(super) fn patterns_explained(&self) -> Sentence {
        let hits = self.hits();
        let mut line = Line::new(Section::Patterns);
        if hits.is_empty() {
            return line.say("The newest candles complete no candlestick pattern.").end();
        }
        let mut explained = Vec::new();
        for (at, hit) in hits.iter().enumerate() {
            // The same one on two candles is told once.
            if explained.contains(&hit.name) {
                continue;
            }
            explained.push(hit.name);
            line = Self::named_hit(if at > 0 { line.say(" ") } else { line }, at, hit).say(": ");
            let doc = candlestick::find(hit.name).map_or("", |pattern| candlestick::PATTERNS[pattern].doc);
            line = line.judge(format!("context.patterns.{at}.name"), hit.name, doc);
        }
        line.end()
    }

    /// The level above or below the close.
    fn nearest(&self, above: bool) -> Option<(Level, [&'static str; 5], &'static str)> {
        let levels = &self.candle.context.levels;
        macro_rules! paths {
            ($side:literal) => {
                [
                    concat!("context.levels.", $side, ".price"),
                    concat!("context.levels.", $side, ".distance_atr"),
                    concat!("context.levels.", $side, ".touches"),
                    concat!("context.levels.", $side, ".age"),
                    concat!("context.levels.", $side, ".strength"),
                ]
            };
        }
        if above {
            levels.resistance.map(|level| (level, paths!("resistance"), "Resistance"))
        } else {
            levels.support.map(|level| (level, paths!("support"), "Support"))
        }
    }

    fn level(&self, above: bool) -> Option<Sentence> {
        let (level, paths, name) = self.nearest(above)?;
        let [price, distance, touches, age, strength] = paths;
        let line =
            Line::new(Section::Levels).say(name).say(" is at ").number(price, level.price, self.price()).say(", ");
        let line =
            line.number(distance, level.distance_atr, ATRS).say(" average true ranges away; swings turned there ");
        let line = line.number(touches, f64::from(level.touches), As::Number(0)).say(" times since ");
        let line = line.number(age, level.age as f64, As::Number(0)).say(" candles ago (strength ");
        Some(line.number(strength, level.strength, As::Number(2)).say(").").end())
    }

    fn chart_pattern(&self) -> Option<Sentence> {
        let shape = self.candle.context.chart_patterns[0]?;
        let kind = shape.kind.name();
        let line = Line::new(Section::Patterns).say("Chart pattern: ");
        let line = line.judge("context.chart_patterns.0.kind", kind, kind.replace('_', " ")).say(", ");
        let line = if shape.confirmed {
            line.flag("context.chart_patterns.0.confirmed", "confirmed")
        } else {
            line.say("not confirmed, seen ")
                .number("context.chart_patterns.0.age", shape.age as f64, As::Number(0))
                .say(" candles ago")
        };
        let Some(target) = shape.target else { return Some(line.say(".").end()) };
        let line =
            line.say("; its height measures to ").number("context.chart_patterns.0.target", target, self.price());
        Some(line.say(".").end())
    }

    fn regime(&self) -> Sentence {
        let regime = &self.candle.context.regime;
        let line = self.judged_regime(Line::new(Section::Regime).say("All in all this is ")).say(" (confidence ");
        let line =
            line.number("context.regime.confidence", regime.confidence, As::Number(2)).say("), as for the last ");
        line.number("context.regime.age", regime.age as f64, As::Number(0)).say(" candles.").end()
    }

    /// What would change the view.
    fn change(&self) -> Vec<Sentence> {
        let context = &self.candle.context;
        let close_beyond = |above: bool, consequence: &'static str| {
            let (level, [price, ..], _) = self.nearest(above)?;
            let line = Line::new(Section::Change).say(if above { "A close above " } else { "A close below " });
            Some(line.number(price, level.price, self.price()).say(consequence).end())
        };
        let through_average = |words: [&'static str; 2]| {
            let average = self.candle.indicators.get("ema(50)")?;
            let line =
                Line::new(Section::Change).say(words[0]).constant("indicators.ema(50)#length").say(" candles at ");
            Some(line.number("indicators.ema(50)", average, self.price()).say(words[1]).end())
        };
        let told = match context.regime.kind {
            RegimeKind::TrendUp => [
                through_average(["A close below the average of ", " would put the upward view in question."]),
                close_beyond(false, " would end the rising sequence."),
            ],
            RegimeKind::TrendDown => [
                through_average(["A close above the average of ", " would put the downward view in question."]),
                close_beyond(true, " would end the falling sequence."),
            ],
            RegimeKind::Range | RegimeKind::Unknown => [
                close_beyond(true, " would speak for a move up."),
                close_beyond(false, " would speak for a move down."),
            ],
        };
        told.into_iter().flatten().collect()
    }

    fn caution(&self) -> Option<Sentence> {
        let confidence = self.candle.confidence;
        if confidence >= 1.0 {
            return None;
        }
        let candles = self.candle.metadata.candles as f64;
        let line = Line::new(Section::Caution).number("metadata.candles", candles, As::Number(0));
        let line = line.say(" candles are known; averages may not have settled or volume is missing (confidence ");
        Some(line.number("confidence", confidence, As::Number(2)).say(").").end())
    }

    pub(super) fn summary(&self) -> Sentence {
        let context = &self.candle.context;
        let mut line = self.judged_regime(self.named(Section::Headline).say(": "));
        let close = self.candle.ohlcv.close.to_f64();
        line = line.say("; close ").number("ohlcv.close", close, self.price());
        let readings = [
            ("; ADX ", "context.trend.adx", context.trend.adx, As::Number(0)),
            ("; RSI ", "context.momentum.rsi", context.momentum.rsi, As::Number(0)),
            ("; true range ", "context.volatility.atr_share", context.volatility.atr_share, As::Percent(2)),
            ("; volume times average ", "context.volume.ratio", context.volume.ratio, As::Number(1)),
        ];
        for (words, path, value, how) in readings {
            if let Some(value) = value {
                line = line.say(words).number(path, value, how);
            }
        }
        for (above, words) in [(true, "; resistance "), (false, "; support ")] {
            if let Some((level, [price, ..], _)) = self.nearest(above) {
                line = line.say(words).number(price, level.price, self.price());
            }
        }
        line.say(".").end()
    }

    pub(super) fn keywords(&self) -> Vec<String> {
        let (context, metadata) = (&self.candle.context, &self.candle.metadata);
        let mut words = vec![metadata.instrument.to_string(), metadata.timeframe.to_string()];
        let mut add = |word: &str| {
            if !words.iter().any(|known| known == word) {
                words.push(word.to_owned());
            }
        };
        add(context.regime.kind.name());
        add(match context.trend.direction {
            TrendDirection::Up => "uptrend",
            TrendDirection::Down => "downtrend",
            TrendDirection::Flat => "sideways",
        });
        add(match context.momentum.state {
            MomentumState::Overbought => "overbought",
            MomentumState::Strong => "strong_momentum",
            MomentumState::Neutral => "neutral_momentum",
            MomentumState::Weak => "weak_momentum",
            MomentumState::Oversold => "oversold",
        });
        for (state, low, high) in [
            (context.volatility.state, "low_volatility", "high_volatility"),
            (context.volume.state, "low_volume", "high_volume"),
        ] {
            match state {
                Usual::Low => add(low),
                Usual::Usual => {}
                Usual::High => add(high),
            }
        }
        let near = |level: &Option<Level>| level.is_some_and(|level| level.distance_atr <= NEAR);
        for (is_so, word) in [
            (context.volatility.squeeze, "squeeze"),
            (context.price.breakout, "breakout"),
            (context.price.breakdown, "breakdown"),
            (near(&context.levels.resistance), "near_resistance"),
            (near(&context.levels.support), "near_support"),
        ] {
            if is_so {
                add(word);
            }
        }
        for shape in context.chart_patterns.iter().flatten() {
            add(shape.kind.name());
        }
        for hit in context.patterns.iter() {
            add(hit.name);
        }
        words
    }
}
