//! Words of a line, its pipeline, and the command it names.

use crate::args::{ArgError, Kind, Spec, Token};
use crate::registry::{COMMANDS, Entry};
use crate::suggest::closest;

/// Verbs that a noun alone stands for, the first that it has.
const DEFAULT_VERBS: [&str; 5] = ["list", "show", "get", "running", "verify"];

/// A line taken apart.
pub(super) struct Line {
    pub command: Vec<Token>,
    /// Each with at least one token.
    pub filters: Vec<Segment>,
    pub as_job: bool,
    end: usize,
}

/// A filter's words, and its own text for those that are written freely.
pub(super) struct Segment {
    pub tokens: Vec<Token>,
    pub text: String,
    pub start: usize,
}

impl Segment {
    pub fn span(&self) -> (usize, usize) {
        (self.tokens[0].start, self.tokens[0].end)
    }
}

pub(super) struct Resolved<'a> {
    pub entry: &'static Entry,
    pub args: &'a [Token],
}

/// Splits at spaces outside quotes. `|` and a final `&` are words of their own.
pub(super) fn tokenize(text: &str) -> Result<Vec<Token>, ArgError> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        if c.is_whitespace() {
            continue;
        }
        if c == '|' || c == '&' {
            tokens.push(Token { text: c.to_string(), start, end: start + 1, quoted: false });
            continue;
        }
        let mut word = String::new();
        let mut quoted = false;
        let mut end = start;
        let mut next = Some((start, c));
        while let Some((at, c)) = next {
            if c == '"' || c == '\'' {
                quoted = true;
                let mut closed = false;
                end = text.len();
                while let Some((at, inner)) = chars.next() {
                    if inner == c {
                        closed = true;
                        end = at + 1;
                        break;
                    }
                    match inner {
                        '\\' if c == '"' => word.extend(chars.next().map(|(_, escaped)| escaped)),
                        _ => word.push(inner),
                    }
                }
                if !closed {
                    let message = format!("this {c} is never closed");
                    return Err(ArgError { message, field: None, span: Some((at, text.len())) });
                }
            } else {
                word.push(c);
                end = at + c.len_utf8();
            }
            next = chars.next_if(|(_, c)| !c.is_whitespace() && *c != '|');
        }
        // `& ` at the end is the job mark even without a space before it; inside a word it belongs to the word.
        tokens.push(Token { text: word, start, end, quoted });
    }
    Ok(tokens)
}

impl Line {
    pub fn parse(text: &str) -> Result<Self, ArgError> {
        let mut tokens = tokenize(text)?;
        let is_mark = |token: &Token, mark: &str| !token.quoted && token.text == mark;
        let as_job = tokens.last().is_some_and(|token| is_mark(token, "&"));
        if as_job {
            tokens.pop();
        }
        if let Some(stray) = tokens.iter().find(|token| is_mark(token, "&")) {
            let message = "& belongs at the end of the line".to_owned();
            return Err(ArgError { message, field: None, span: Some((stray.start, stray.end)) });
        }
        let mut parts: Vec<(Vec<Token>, usize)> = vec![(Vec::new(), 0)];
        for token in tokens {
            if is_mark(&token, "|") {
                parts.push((Vec::new(), token.end));
            } else {
                parts.last_mut().expect("it starts with one").0.push(token);
            }
        }
        let command = parts.remove(0).0;
        let mut filters = Vec::new();
        for (tokens, bar) in parts {
            let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
                let message = "a filter is missing after |".to_owned();
                return Err(ArgError { message, field: None, span: Some((bar - 1, bar)) });
            };
            let (start, end) = (first.start, last.end);
            filters.push(Segment { text: text[start..end].to_owned(), start, tokens });
        }
        Ok(Self { command, filters, as_job, end: text.trim_end().len() })
    }

    pub fn job_span(&self) -> (usize, usize) {
        (self.end.saturating_sub(1), self.end)
    }

    /// The command that the first words name, and the rest.
    pub fn resolve(&self) -> Result<Resolved<'_>, ArgError> {
        let first = &self.command[0];
        let span = |token: &Token| Some((token.start, token.end));
        let Some(noun) = noun(&first.text) else {
            return Err(ArgError { message: unknown_noun(&first.text), field: None, span: span(first) });
        };
        if let Some(word) = self.command.get(1)
            && let Some(entry) = crate::find(&format!("{noun}.{}", word.text))
        {
            return Ok(Resolved { entry, args: &self.command[2..] });
        }
        let default = DEFAULT_VERBS.iter().find_map(|verb| crate::find(&format!("{noun}.{verb}")));
        match (default, self.command.get(1)) {
            // `candles BTC-PERP.SIM --tf 15m`: a value, not a slip in the verb.
            (Some(entry), Some(word)) if word.text.starts_with("--") || !looks_like_a_verb(&word.text) => {
                Ok(Resolved { entry, args: &self.command[1..] })
            }
            (Some(entry), None) => Ok(Resolved { entry, args: &self.command[1..] }),
            (_, Some(word)) => Err(ArgError { message: unknown_verb(noun, &word.text), field: None, span: span(word) }),
            (None, None) => {
                let message = format!("{noun} needs a verb: {}", verbs(noun).join(", "));
                Err(ArgError { message, field: None, span: span(first) })
            }
        }
    }
}

fn looks_like_a_verb(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_lowercase())
}

pub(super) fn verbs(noun: &str) -> Vec<&'static str> {
    COMMANDS.iter().filter(|entry| entry.noun() == noun).map(Entry::verb).collect()
}

/// The registry's noun for a word: itself, or its plural.
pub fn noun(word: &str) -> Option<&'static str> {
    let word = word.to_ascii_lowercase();
    let mut nouns = COMMANDS.iter().map(Entry::noun);
    nouns.find(|noun| {
        *noun == word
            || noun.strip_suffix('s') == Some(&word)
            || noun.strip_suffix("ies").is_some_and(|stem| word.strip_suffix('y') == Some(stem))
    })
}

/// What to say of a noun that the registry does not have.
pub fn unknown_noun(word: &str) -> String {
    let hint = closest(word, COMMANDS.iter().map(Entry::noun));
    let hint = hint.map(|noun| format!("; did you mean {noun}?")).unwrap_or_default();
    format!("there is no command \"{word}\"{hint}")
}

/// What to say of a verb that the noun does not have.
pub fn unknown_verb(noun: &str, word: &str) -> String {
    let verbs = verbs(noun);
    match closest(word, verbs.iter().copied()) {
        Some(verb) => format!("{noun} has no \"{word}\"; did you mean {verb}?"),
        None => format!("{noun} has no \"{word}\"; it has {}", verbs.join(", ")),
    }
}

/// Where in the line a request's field was written.
pub(super) fn span_of(spec: &Spec, args: &[Token], field: &str) -> Option<(usize, usize)> {
    let field = field.split(['.', '[']).next()?;
    let arg = spec.args.iter().find(|arg| arg.field == field)?;
    let mut values: Vec<&Token> = Vec::new();
    let mut at = 0;
    while let Some(token) = args.get(at) {
        at += 1;
        let Some(named) = token.text.strip_prefix("--").filter(|_| !token.quoted) else {
            values.push(token);
            continue;
        };
        let name = named.split_once('=').map_or(named, |(name, _)| name);
        let switch = spec.by_flag(name).is_some_and(|arg| arg.kind == Kind::Switch);
        let value = (!named.contains('=') && !switch).then(|| args.get(at)).flatten();
        at += usize::from(value.is_some());
        if spec.by_flag(name) == Some(arg) {
            let shown = value.unwrap_or(token);
            return Some((shown.start, shown.end));
        }
    }
    let index = spec.positions().iter().position(|positional| positional.field == field)?;
    values.get(index).map(|token| (token.start, token.end))
}
