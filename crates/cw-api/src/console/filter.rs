//! Filters of a pipeline. They work on the command's main table.

use std::cmp::Ordering;

use super::line::Segment;
use crate::args::ArgError;
use crate::suggest::closest;
use crate::table::Table;

pub(super) const NAMES: [(&str, &str); 7] = [
    ("where", "keep rows: where side = buy and qty > 1"),
    ("sort", "order rows: sort price, sort -price"),
    ("top", "the first rows: top 5"),
    ("cols", "choose columns: cols instrument,qty"),
    ("csv", "as comma-separated text"),
    ("json", "as JSON"),
    ("markdown", "as a Markdown table"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Table,
    Csv,
    Json,
    Markdown,
}

pub(super) enum Filter {
    /// Any of these groups, in each all of them.
    Where(Vec<Vec<Condition>>),
    Sort {
        column: Name,
        descending: bool,
    },
    Top(usize),
    Columns(Vec<Name>),
    Shape(Shape),
}

/// A column's name and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Name {
    text: String,
    span: (usize, usize),
}

pub(super) struct Condition {
    column: Name,
    operator: Operator,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
}

fn error(message: impl Into<String>, span: (usize, usize)) -> ArgError {
    ArgError { message: message.into(), field: None, span: Some(span) }
}

impl Filter {
    pub fn parse(segment: &Segment) -> Result<Self, ArgError> {
        let args = &segment.tokens[1..];
        let one = |what: &str| match args {
            [only] => Ok(only),
            [] => Err(error(format!("{} needs {what}", segment.tokens[0].text), segment.span())),
            [_, extra, ..] => Err(error("one value too many", (extra.start, extra.end))),
        };
        let none = |shape| match args.first() {
            None => Ok(Self::Shape(shape)),
            Some(extra) => Err(error("one value too many", (extra.start, extra.end))),
        };
        match segment.tokens[0].text.as_str() {
            "where" => conditions(segment).map(Self::Where),
            "sort" => {
                let token = one("a column")?;
                let (descending, text) =
                    token.text.strip_prefix('-').map_or((false, &*token.text), |rest| (true, rest));
                let column = Name { text: text.to_owned(), span: (token.start, token.end) };
                Ok(Self::Sort { column, descending })
            }
            "top" => {
                let token = one("a number")?;
                let bad = |_| error(format!("\"{}\" is not a number of rows", token.text), (token.start, token.end));
                token.text.parse().map(Self::Top).map_err(bad)
            }
            "cols" => {
                if args.is_empty() {
                    return Err(error("cols needs column names", segment.span()));
                }
                let names = args.iter().flat_map(|token| {
                    let parts = token.text.split(',').filter(|name| !name.is_empty());
                    parts.map(|name| Name { text: name.to_owned(), span: (token.start, token.end) })
                });
                Ok(Self::Columns(names.collect()))
            }
            "csv" => none(Shape::Csv),
            "json" => none(Shape::Json),
            "markdown" => none(Shape::Markdown),
            other => {
                let hint = closest(other, NAMES.iter().map(|(name, _)| *name));
                let hint = hint.map(|name| format!("; did you mean {name}?")).unwrap_or_default();
                Err(error(format!("there is no filter \"{other}\"{hint}"), segment.span()))
            }
        }
    }

    pub fn apply(&self, mut table: Table) -> Result<Table, ArgError> {
        match self {
            Self::Where(groups) => {
                let mut resolved = Vec::new();
                for group in groups {
                    let columns: Result<Vec<usize>, _> = group.iter().map(|c| find(&table, &c.column)).collect();
                    resolved.push((columns?, group));
                }
                table.rows.retain(|row| {
                    let holds = |(column, condition): (&usize, &Condition)| {
                        condition.holds(row.get(*column).and_then(Option::as_deref))
                    };
                    resolved.iter().any(|(columns, group)| columns.iter().zip(group.iter()).all(holds))
                });
            }
            Self::Sort { column, descending } => {
                let column = find(&table, column)?;
                table.rows.sort_by(|a, b| {
                    let order = compare_cells(a[column].as_deref(), b[column].as_deref());
                    if *descending { order.reverse() } else { order }
                });
            }
            Self::Top(count) => table.rows.truncate(*count),
            Self::Columns(names) => {
                let keep = names.iter().map(|name| find(&table, name)).collect::<Result<Vec<_>, _>>()?;
                table = table.select(&keep);
            }
            Self::Shape(_) => {}
        }
        Ok(table)
    }
}

fn find(table: &Table, name: &Name) -> Result<usize, ArgError> {
    table.column(&name.text).ok_or_else(|| {
        let hint = closest(&name.text, table.columns.iter().map(String::as_str));
        let hint = match hint {
            Some(column) => format!("; did you mean {column}?"),
            None => format!("; there are {}", table.columns.join(", ")),
        };
        error(format!("there is no column \"{}\"{hint}", name.text), name.span)
    })
}

/// Numbers as numbers, everything else as text, nothing before something.
fn compare_cells(a: Option<&str>, b: Option<&str>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => compare(a, b),
        _ => a.is_some().cmp(&b.is_some()),
    }
}

fn compare(a: &str, b: &str) -> Ordering {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.total_cmp(&b),
        _ => a.cmp(b),
    }
}

impl Condition {
    fn holds(&self, cell: Option<&str>) -> bool {
        let Some(cell) = cell else {
            return self.operator == Operator::NotEqual && !self.value.is_empty();
        };
        let value = self.value.as_str();
        match self.operator {
            Operator::Contains => cell.to_lowercase().contains(&value.to_lowercase()),
            Operator::Equal => cell.eq_ignore_ascii_case(value) || compare(cell, value).is_eq(),
            Operator::NotEqual => !cell.eq_ignore_ascii_case(value) && compare(cell, value).is_ne(),
            Operator::Less => compare(cell, value).is_lt(),
            Operator::LessOrEqual => compare(cell, value).is_le(),
            Operator::Greater => compare(cell, value).is_gt(),
            Operator::GreaterOrEqual => compare(cell, value).is_ge(),
        }
    }
}

/// `a = 1 and b ~ text or c > 2`: `and` binds before `or`. Spaces around operators are optional.
fn conditions(segment: &Segment) -> Result<Vec<Vec<Condition>>, ArgError> {
    let words = split(segment);
    let mut groups = vec![Vec::new()];
    let mut rest = words.as_slice();
    loop {
        let [column, operator, value, more @ ..] = rest else {
            let span = rest.first().map_or_else(|| segment.span(), |word| word.span);
            return Err(error("write a condition as COLUMN = VALUE, with = != < <= > >= or ~", span));
        };
        let Some(parsed) = parse_operator(&operator.text) else {
            return Err(error(format!("\"{}\" is none of = != < <= > >= ~", operator.text), operator.span));
        };
        groups.last_mut().expect("it starts with one").push(Condition {
            column: column.clone(),
            operator: parsed,
            value: value.text.clone(),
        });
        match more {
            [] => return Ok(groups),
            [word, after @ ..] if word.text == "and" => rest = after,
            [word, after @ ..] if word.text == "or" => {
                groups.push(Vec::new());
                rest = after;
            }
            [word, ..] => return Err(error("only `and` or `or` may follow a condition", word.span)),
        }
    }
}

fn parse_operator(text: &str) -> Option<Operator> {
    Some(match text {
        "=" | "==" => Operator::Equal,
        "!=" => Operator::NotEqual,
        "<" => Operator::Less,
        "<=" => Operator::LessOrEqual,
        ">" => Operator::Greater,
        ">=" => Operator::GreaterOrEqual,
        "~" => Operator::Contains,
        _ => return None,
    })
}

/// Words of a condition: a run of operator characters is a word of its own.
fn split(segment: &Segment) -> Vec<Name> {
    let is_operator = |c: char| matches!(c, '=' | '!' | '<' | '>' | '~');
    let mut words: Vec<Name> = Vec::new();
    for token in &segment.tokens[1..] {
        let raw = &segment.text[token.start - segment.start..token.end - segment.start];
        if token.quoted || raw.len() != token.text.len() {
            words.push(Name { text: token.text.clone(), span: (token.start, token.end) });
            continue;
        }
        let mut start = 0;
        for (at, c) in token.text.char_indices() {
            let before = token.text[start..at].chars().next_back();
            if before.is_some_and(|before| is_operator(before) != is_operator(c)) {
                words.push(Name {
                    text: token.text[start..at].to_owned(),
                    span: (token.start + start, token.start + at),
                });
                start = at;
            }
        }
        words.push(Name { text: token.text[start..].to_owned(), span: (token.start + start, token.end) });
    }
    words
}
