//! Text to tokens.

use super::error::{ExprError, Span};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    Number(f64),
    /// Between quotes; the language has no escapes.
    Text(String),
    Name(String),
    And,
    Or,
    Not,
    True,
    False,
    Plus,
    Minus,
    Star,
    Slash,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    Comma,
    Dot,
    End,
}

/// Words that name no series, function or parameter.
pub(crate) const KEYWORDS: &[&str] = &["and", "or", "not", "true", "false"];

pub(crate) fn tokenize(text: &str) -> Result<Vec<(Token, Span)>, ExprError> {
    let mut tokens = Vec::new();
    let mut lexer = Lexer { text, at: 0 };
    while let Some(token) = lexer.next_token()? {
        tokens.push(token);
    }
    tokens.push((Token::End, Span { start: text.trim_end().len(), end: text.trim_end().len() }));
    Ok(tokens)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl Lexer<'_> {
    fn next_token(&mut self) -> Result<Option<(Token, Span)>, ExprError> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        let start = self.at;
        let bytes = &self.text.as_bytes()[start..];
        let Some(&first) = bytes.first() else { return Ok(None) };
        let second = bytes.get(1).copied();
        let (token, len) = match (first, second) {
            (b'<', Some(b'=')) => (Token::LessEqual, 2),
            (b'>', Some(b'=')) => (Token::GreaterEqual, 2),
            (b'=', Some(b'=')) => (Token::Equal, 2),
            (b'!', Some(b'=')) => (Token::NotEqual, 2),
            (b'<', _) => (Token::Less, 1),
            (b'>', _) => (Token::Greater, 1),
            (b'+', _) => (Token::Plus, 1),
            (b'-', _) => (Token::Minus, 1),
            (b'*', _) => (Token::Star, 1),
            (b'/', _) => (Token::Slash, 1),
            (b'(', _) => (Token::Open, 1),
            (b')', _) => (Token::Close, 1),
            (b'[', _) => (Token::OpenBracket, 1),
            (b']', _) => (Token::CloseBracket, 1),
            (b',', _) => (Token::Comma, 1),
            (b'"' | b'\'', _) => self.quoted(first)?,
            (b'0'..=b'9', _) | (b'.', Some(b'0'..=b'9')) => self.number()?,
            (b'.', _) => (Token::Dot, 1),
            (b'a'..=b'z' | b'A'..=b'Z' | b'_', _) => self.word(),
            _ => return Err(self.unknown(first, second)),
        };
        self.at = start + len;
        Ok(Some((token, Span { start, end: self.at })))
    }

    fn word(&self) -> (Token, usize) {
        let rest = &self.text[self.at..];
        let len = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let token = match &rest[..len] {
            "and" => Token::And,
            "or" => Token::Or,
            "not" => Token::Not,
            "true" => Token::True,
            "false" => Token::False,
            name => Token::Name(name.to_owned()),
        };
        (token, len)
    }

    fn number(&self) -> Result<(Token, usize), ExprError> {
        let bytes = &self.text.as_bytes()[self.at..];
        let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        let mut len = digits(0);
        if bytes.get(len) == Some(&b'.') && bytes.get(len + 1).is_some_and(u8::is_ascii_digit) {
            len += 1 + digits(len + 1);
        }
        if matches!(bytes.get(len), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(len + 1), Some(b'+' | b'-')));
            let exponent = digits((len + 1 + sign).min(bytes.len()));
            if exponent > 0 {
                len += 1 + sign + exponent;
            }
        }
        let span = Span { start: self.at, end: self.at + len };
        match self.text[span.start..span.end].parse::<f64>() {
            Ok(number) if number.is_finite() => Ok((Token::Number(number), len)),
            _ => Err(ExprError::new(span, "number out of range")),
        }
    }

    fn quoted(&self, quote: u8) -> Result<(Token, usize), ExprError> {
        let inner = &self.text[self.at + 1..];
        if let Some(len) = inner.find(quote as char) {
            return Ok((Token::Text(inner[..len].to_owned()), len + 2));
        }
        Err(ExprError::new(Span { start: self.at, end: self.text.len() }, "the quote is not closed"))
    }

    fn unknown(&self, first: u8, second: Option<u8>) -> ExprError {
        let symbol = self.text[self.at..].chars().next().unwrap_or(' ');
        let len = symbol.len_utf8() + usize::from(matches!((first, second), (b'&', Some(b'&')) | (b'|', Some(b'|'))));
        let span = Span { start: self.at, end: self.at + len };
        let error = ExprError::new(span, format!("`{}` means nothing here", &self.text[span.start..span.end]));
        match first {
            b'&' => error.hint("write `and`"),
            b'|' => error.hint("write `or`"),
            b'!' => error.hint("write `not`"),
            b'=' => error.hint("write `==` to compare"),
            b'%' => error.hint("there are no percentages: 2 % is 0.02"),
            b'^' => error.hint("multiply: `x * x`"),
            _ => error,
        }
    }
}
