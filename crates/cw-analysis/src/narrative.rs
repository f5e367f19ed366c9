//! A closed candle in words, in the manner of a technician who promises nothing.
//!
//! Templates, no model: the same candle has the same text. Every number printed names the field that it came from, so that
//! a reader, a program or a test can go back to it ([`Field`]); every word that judges names the field that was judged.

mod compose;
mod line;

use serde::Serialize;

use crate::enrich::EnrichedCandle;

/// Constants that a text names, by path: the length in `ema(50)`, the candles of a look-back.
pub const CONSTANTS: [(&str, f64); 4] = [
    ("context.price.change_20#candles", 20.0),
    ("context.price.breakout#candles", 20.0),
    ("indicators.ema(50)#length", 50.0),
    ("indicators.ema(200)#length", 200.0),
];

/// What holds for every text.
const NOTE: &str = "A description of closed candles, no advice and no forecast.";

/// What a sentence is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", ts(rename = "NarrativeSection"), schemars(rename = "NarrativeSection"))]
pub enum Section {
    Headline,
    Price,
    Trend,
    Momentum,
    Volatility,
    Volume,
    Patterns,
    Levels,
    Regime,
    /// What would change the view.
    Change,
    /// How far the numbers can be trusted.
    Caution,
}

impl Section {
    const fn title(self) -> &'static str {
        match self {
            Self::Headline => "Summary",
            Self::Price => "Price",
            Self::Trend => "Trend",
            Self::Momentum => "Momentum",
            Self::Volatility => "Volatility",
            Self::Volume => "Volume",
            Self::Patterns => "Patterns",
            Self::Levels => "Levels",
            Self::Regime => "Regime",
            Self::Change => "What would change the view",
            Self::Caution => "Caution",
        }
    }
}

/// A value of an enriched candle.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(untagged)]
#[cfg_attr(feature = "schema", ts(rename = "NarrativeFieldValue"), schemars(rename = "NarrativeFieldValue"))]
pub enum FieldValue {
    Number(f64),
    Text(String),
    Flag(bool),
}

/// Where a part of a sentence came from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[cfg_attr(feature = "schema", ts(rename = "NarrativeField"), schemars(rename = "NarrativeField"))]
pub struct Field {
    /// Its place in the enriched candle: `context.momentum.rsi`, `indicators.ema(50)`. After a `#` stands a constant of
    /// its definition, see [`CONSTANTS`].
    pub path: String,
    pub value: FieldValue,
    /// How it stands in the text: without its sign where a word says it, fractions as percent. Fields stand in the order
    /// in which they are printed.
    pub printed: String,
}

/// A sentence with what it came from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[cfg_attr(feature = "schema", ts(rename = "NarrativeSentence"), schemars(rename = "NarrativeSentence"))]
pub struct Sentence {
    pub section: Section,
    pub text: String,
    pub fields: Vec<Field>,
}

/// A candle in words.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct Narrative {
    /// In the order of reading.
    pub sentences: Vec<Sentence>,
    /// The readings in one line.
    pub technical_summary: Sentence,
    /// What the newest candlestick patterns are.
    pub pattern_explanation: Sentence,
    /// Words to find it by.
    pub keywords: Vec<String>,
    pub note: &'static str,
}

/// Describes a candle. `price_decimals` are those that the instrument's prices are shown with.
pub fn describe(candle: &EnrichedCandle, price_decimals: u8) -> Narrative {
    let composer = compose::Composer { candle, decimals: usize::from(price_decimals) };
    Narrative {
        sentences: composer.sentences(),
        technical_summary: composer.summary(),
        pattern_explanation: composer.patterns_explained(),
        keywords: composer.keywords(),
        note: NOTE,
    }
}

impl Narrative {
    /// Plain text: one paragraph per section.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut section = None;
        for sentence in &self.sentences {
            if let Some(before) = section {
                text.push(if before == sentence.section { ' ' } else { '\n' });
            }
            text.push_str(&sentence.text);
            section = Some(sentence.section);
        }
        text + "\n" + self.note + "\n"
    }

    /// Markdown: the headline as a heading, one item per section.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        let mut section = None;
        for sentence in &self.sentences {
            if section == Some(sentence.section) {
                text.push(' ');
            } else if sentence.section == Section::Headline {
                text.push_str("## ");
            } else {
                let blank = if section == Some(Section::Headline) { "\n\n" } else { "\n" };
                text = text + blank + "- **" + sentence.section.title() + ".** ";
            }
            text.push_str(&escaped(&sentence.text));
            section = Some(sentence.section);
        }
        text + "\n\n*" + self.note + "*\n"
    }
}

/// Instruments may hold what Markdown would read as emphasis.
fn escaped(text: &str) -> String {
    text.replace('*', "\\*").replace('_', "\\_")
}

#[cfg(test)]
mod tests;
