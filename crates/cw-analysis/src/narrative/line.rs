//! A sentence in the making: words, and values with their places.

use super::{CONSTANTS, Field, FieldValue, Section, Sentence};

/// How a number is printed, always without its sign.
#[derive(Debug, Clone, Copy)]
pub(super) enum As {
    /// With so many decimals.
    Number(usize),
    /// A fraction as percent, with so many decimals.
    Percent(usize),
}

#[derive(Debug)]
pub(super) struct Line {
    section: Section,
    text: String,
    fields: Vec<Field>,
}

impl Line {
    pub(super) fn new(section: Section) -> Self {
        Self { section, text: String::new(), fields: Vec::new() }
    }

    /// Words that hold for any candle: no digits, which would be numbers from nowhere.
    pub(super) fn say(mut self, words: &'static str) -> Self {
        debug_assert!(!words.contains(|c: char| c.is_ascii_digit()), "{words}");
        self.text.push_str(words);
        self
    }

    pub(super) fn number(self, path: impl Into<String>, value: f64, how: As) -> Self {
        let printed = match how {
            As::Number(decimals) => format!("{:.decimals$}", value.abs()),
            As::Percent(decimals) => format!("{:.decimals$} %", (100.0 * value).abs()),
        };
        self.field(path.into(), FieldValue::Number(value), printed)
    }

    /// A constant of a field's definition.
    pub(super) fn constant(self, path: &'static str) -> Self {
        let value = CONSTANTS.iter().find(|(known, _)| *known == path).map_or(f64::NAN, |(_, value)| *value);
        self.number(path, value, As::Number(0))
    }

    /// A judgement: `printed` is what the value of the field is called here.
    pub(super) fn judge(self, path: impl Into<String>, value: impl Into<String>, printed: impl Into<String>) -> Self {
        self.field(path.into(), FieldValue::Text(value.into()), printed.into())
    }

    /// Something that is so.
    pub(super) fn flag(self, path: &'static str, printed: &'static str) -> Self {
        self.field(path.to_owned(), FieldValue::Flag(true), printed.to_owned())
    }

    /// Which of two words a number's sign decided on.
    pub(super) fn sign(self, path: &'static str, value: f64, words: [&'static str; 2]) -> Self {
        let printed = words[usize::from(value < 0.0)].to_owned();
        self.field(path.to_owned(), FieldValue::Number(value), printed)
    }

    fn field(mut self, path: String, value: FieldValue, printed: String) -> Self {
        self.text.push_str(&printed);
        self.fields.push(Field { path, value, printed });
        self
    }

    pub(super) fn end(self) -> Sentence {
        Sentence { section: self.section, text: self.text, fields: self.fields }
    }
}
