//! Arguments in words: the one parser that the command line and the console share, driven by a request's JSON Schema.
//!
//! ```text
//! arg = value | --name value | --name=value | --switch
//! ```
//! Values without a name fill the positions in order. A list is separated by commas or repeated; a map is `name=value`,
//! repeated. Positions may be given by name as well.

use serde_json::{Map, Value};

use crate::suggest::closest;

/// A word of the input with where it stands in its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    /// First byte.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// It was in quotes, so it is never a flag or a separator.
    pub quoted: bool,
}

impl Token {
    /// Words of a command line, which the shell has split already.
    pub fn from_words(words: impl IntoIterator<Item = String>) -> Vec<Self> {
        let mut at = 0;
        words
            .into_iter()
            .map(|text| {
                let token = Self { start: at, end: at + text.len(), quoted: false, text };
                at = token.end + 1;
                token
            })
            .collect()
    }
}

/// What is wrong with the words, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ArgError {
    pub message: String,
    /// The argument's name in the request.
    pub field: Option<String>,
    /// The bad words' bytes in the line; `None` = something is missing at the end.
    pub span: Option<(usize, usize)>,
}

/// What a value has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// One of these, each with what it means.
    Choice(Vec<(String, String)>),
    Integer,
    /// With a suffix that may be written after it: `10x`.
    Number(Option<String>),
    Switch,
    List(Box<Kind>),
    Map,
    Json,
}

/// One argument of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arg {
    /// Name in the request.
    pub field: String,
    /// Name after `--`.
    pub flag: String,
    pub aliases: Vec<String>,
    pub kind: Kind,
    pub required: bool,
    pub position: Option<u64>,
    pub help: String,
    /// The regular expression that text has to match, from the schema.
    pub pattern: Option<String>,
    /// It is a path of a file of the caller's.
    pub is_file: bool,
}

/// All arguments of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    pub help: String,
    pub args: Vec<Arg>,
}

impl Spec {
    /// Reads a request's schema, as [`crate::Entry::request_schema`] gives it.
    pub fn from_schema(schema: &Value) -> Self {
        let required: Vec<&str> =
            schema["required"].as_array().map(|r| r.iter().filter_map(Value::as_str).collect()).unwrap_or_default();
        let arg = |(field, property): (&String, &Value)| Arg {
            field: field.clone(),
            flag: property["x-flag"].as_str().map_or_else(|| field.replace('_', "-"), str::to_owned),
            aliases: [property["x-alias"].as_str().map(str::to_owned), Some(field.clone())]
                .into_iter()
                .flatten()
                .collect(),
            kind: kind(property),
            required: required.contains(&field.as_str()),
            position: property["x-position"].as_u64(),
            help: property["description"].as_str().unwrap_or_default().replace('\n', " "),
            pattern: alternatives(property).find_map(|p| p["pattern"].as_str()).map(str::to_owned),
            is_file: property["x-file"].as_bool().unwrap_or(false),
        };
        Self {
            help: schema["description"].as_str().unwrap_or_default().replace('\n', " "),
            args: schema["properties"].as_object().map(|p| p.iter().map(arg).collect()).unwrap_or_default(),
        }
    }

    /// Arguments that need no name, in order.
    pub fn positions(&self) -> Vec<&Arg> {
        let mut positions: Vec<&Arg> = self.args.iter().filter(|arg| arg.position.is_some()).collect();
        positions.sort_by_key(|arg| arg.position);
        positions
    }

    pub fn by_flag(&self, name: &str) -> Option<&Arg> {
        self.args.iter().find(|arg| arg.flag == name || arg.aliases.iter().any(|alias| alias == name))
    }

    /// Turns words into a request.
    pub fn parse(&self, tokens: &[Token]) -> Result<Value, ArgError> {
        let mut request = Map::new();
        let positions = self.positions();
        let mut position = 0;
        let mut rest = tokens.iter();
        let mut only_values = false;
        while let Some(token) = rest.next() {
            let span = Some((token.start, token.end));
            let Some(named) = token.text.strip_prefix("--").filter(|_| !token.quoted && !only_values) else {
                let Some(arg) = positions[position.min(positions.len())..]
                    .iter()
                    .find(|arg| !request.contains_key(&arg.field) || matches!(arg.kind, Kind::List(_)))
                else {
                    let message = format!("\"{}\" is one value too many", token.text);
                    return Err(ArgError { message, field: None, span });
                };
                put(&mut request, arg, &token.text, span)?;
                if !matches!(arg.kind, Kind::List(_)) {
                    position += 1;
                }
                continue;
            };
            if named.is_empty() {
                only_values = true;
                continue;
            }
            let (name, inline_value) = named.split_once('=').map_or((named, None), |(n, v)| (n, Some(v)));
            let Some(arg) = self.by_flag(name) else {
                let hint = closest(name, self.args.iter().map(|arg| arg.flag.as_str()));
                let hint = hint.map(|flag| format!("; did you mean --{flag}?")).unwrap_or_default();
                let message = format!("there is no argument --{name}{hint}");
                return Err(ArgError { message, field: Some(name.to_owned()), span });
            };
            if request.contains_key(&arg.field) && !matches!(arg.kind, Kind::List(_) | Kind::Map) {
                let message = format!("--{name} is given twice");
                return Err(ArgError { message, field: Some(arg.field.clone()), span });
            }
            match (inline_value, &arg.kind) {
                (Some(value), _) => put(&mut request, arg, value, span)?,
                (None, Kind::Switch) => {
                    request.insert(arg.field.clone(), true.into());
                }
                (None, _) => {
                    let Some(value) = rest.next() else {
                        let message = format!("--{name} needs a value");
                        return Err(ArgError { message, field: Some(arg.field.clone()), span });
                    };
                    put(&mut request, arg, &value.text, Some((value.start, value.end)))?;
                }
            }
        }
        if let Some(missing) = self.args.iter().find(|arg| arg.required && !request.contains_key(&arg.field)) {
            let name = match missing.position {
                Some(_) => missing.field.to_uppercase(),
                None => format!("--{}", missing.flag),
            };
            let message = format!("{name} is missing");
            return Err(ArgError { message, field: Some(missing.field.clone()), span: None });
        }
        Ok(Value::Object(request))
    }

    /// One line of how to write it: `INSTRUMENT --timeframe TEXT [--from TEXT]`.
    pub fn usage(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        for arg in self.positions() {
            let name = arg.field.to_uppercase();
            parts.push(if arg.required { name } else { format!("[{name}]") });
        }
        for arg in self.args.iter().filter(|arg| arg.position.is_none()) {
            let text = match &arg.kind {
                Kind::Switch => format!("--{}", arg.flag),
                Kind::Map => format!("--{} NAME=VALUE…", arg.flag),
                kind => format!("--{} {}", arg.flag, kind.word()),
            };
            parts.push(if arg.required { text } else { format!("[{text}]") });
        }
        parts.join(" ")
    }
}

impl Kind {
    /// How a value is called in a usage line.
    pub fn word(&self) -> String {
        match self {
            Self::Text => "TEXT".to_owned(),
            Self::Choice(choices) => choices.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join("|"),
            Self::Integer | Self::Number(_) => "NUMBER".to_owned(),
            Self::Switch => String::new(),
            Self::List(item) => format!("{},…", item.word()),
            Self::Map => "NAME=VALUE".to_owned(),
            Self::Json => "JSON".to_owned(),
        }
    }

    /// Reads one written value.
    pub fn read(&self, text: &str) -> Result<Value, String> {
        match self {
            Self::Text => Ok(text.into()),
            Self::Choice(choices) => {
                let wanted = plain(text);
                choices.iter().find(|(name, _)| plain(name) == wanted).map(|(name, _)| name.as_str().into()).ok_or_else(
                    || {
                        let names: Vec<&str> = choices.iter().map(|(name, _)| name.as_str()).collect();
                        format!("\"{text}\" is not one of {}", names.join(", "))
                    },
                )
            }
            Self::Integer => {
                let digits = text.replace('_', "");
                digits
                    .parse::<u64>()
                    .map(Value::from)
                    .or_else(|_| digits.parse::<i64>().map(Value::from))
                    .map_err(|_| format!("\"{text}\" is not a whole number"))
            }
            Self::Number(suffix) => {
                let digits = suffix.as_ref().and_then(|suffix| text.strip_suffix(suffix.as_str())).unwrap_or(text);
                let number: Option<f64> = digits.parse().ok();
                number
                    .and_then(serde_json::Number::from_f64)
                    .map(Value::Number)
                    .ok_or_else(|| format!("\"{text}\" is not a number"))
            }
            Self::Switch => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Ok(true.into()),
                "false" | "no" | "off" | "0" => Ok(false.into()),
                _ => Err(format!("\"{text}\" is neither true nor false")),
            },
            Self::List(item) => text.split(',').map(|part| item.read(part.trim())).collect(),
            Self::Map => {
                let (name, value) =
                    text.split_once('=').ok_or_else(|| format!("\"{text}\" is not written NAME=VALUE"))?;
                let mut map = Map::new();
                map.insert(name.trim().to_owned(), value.trim().into());
                Ok(Value::Object(map))
            }
            Self::Json => Ok(serde_json::from_str(text).unwrap_or_else(|_| text.into())),
        }
    }
}

/// `stop-limit`, `Stop_Limit` and `stop_limit` are the same choice.
fn plain(text: &str) -> String {
    text.to_ascii_lowercase().replace('-', "_")
}

fn put(request: &mut Map<String, Value>, arg: &Arg, text: &str, span: Option<(usize, usize)>) -> Result<(), ArgError> {
    let value = arg.kind.read(text).map_err(|message| {
        let message = format!("{}: {message}", arg.flag);
        ArgError { message, field: Some(arg.field.clone()), span }
    })?;
    match (request.get_mut(&arg.field), value) {
        (Some(Value::Array(items)), Value::Array(more)) => items.extend(more),
        (Some(Value::Object(map)), Value::Object(more)) => map.extend(more),
        (_, value) => {
            request.insert(arg.field.clone(), value);
        }
    }
    Ok(())
}

/// The schemas that a value may satisfy, without "or null".
fn alternatives(schema: &Value) -> impl Iterator<Item = &Value> {
    let listed = ["anyOf", "oneOf"].iter().filter_map(|key| schema[*key].as_array()).flatten();
    std::iter::once(schema).chain(listed.filter(|s| s["type"] != "null"))
}

fn has_type(schema: &Value, name: &str) -> bool {
    match &schema["type"] {
        Value::String(one) => one == name,
        Value::Array(several) => several.iter().any(|one| one == name),
        _ => false,
    }
}

fn kind(schema: &Value) -> Kind {
    let all: Vec<&Value> = alternatives(schema).collect();
    let mut choices: Vec<(String, String)> = Vec::new();
    for part in all.iter().flat_map(|part| alternatives(part)) {
        if let Some(name) = part["const"].as_str() {
            let help = part["description"].as_str().unwrap_or_default().to_owned();
            choices.push((name.to_owned(), help));
        }
        for name in part["enum"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            choices.push((name.to_owned(), String::new()));
        }
    }
    // An inner list is met both on its own and through its parent.
    let mut seen = std::collections::BTreeSet::new();
    choices.retain(|(name, _)| seen.insert(name.clone()));
    if !choices.is_empty() {
        return Kind::Choice(choices);
    }
    let is = |name: &str| all.iter().any(|part| has_type(part, name));
    if is("boolean") {
        Kind::Switch
    } else if is("string") {
        Kind::Text
    } else if is("integer") {
        Kind::Integer
    } else if is("number") {
        Kind::Number(schema["x-number-suffix"].as_str().map(str::to_owned))
    } else if is("array") {
        let items = all.iter().find_map(|part| part.get("items"));
        Kind::List(Box::new(items.map_or(Kind::Text, kind)))
    } else if is("object") && all.iter().any(|part| part["additionalProperties"].is_object()) {
        Kind::Map
    } else {
        Kind::Json
    }
}

/// Reads numbers, booleans, lists and objects that a language model wrote as text: `"5"` where a number belongs,
/// `"[1,2]"` where a list does. Anything else stays, for the dispatcher to judge.
pub fn lenient(schema: &Value, mut request: Value) -> Value {
    let (Some(properties), Some(fields)) = (schema["properties"].as_object(), request.as_object_mut()) else {
        return request;
    };
    for (field, value) in fields.iter_mut() {
        let Some(property) = properties.get(field) else { continue };
        let wanted = kind(property);
        let replacement = match (&wanted, &*value) {
            (Kind::Integer | Kind::Number(_) | Kind::Switch | Kind::Choice(_), Value::String(text)) => {
                wanted.read(text.trim()).ok()
            }
            (Kind::Integer, Value::Number(number)) => {
                let whole = number.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < 9e15 && !number.is_u64());
                whole.map(|n| if n < 0.0 { Value::from(n as i64) } else { Value::from(n as u64) })
            }
            (Kind::Text, Value::Number(number)) => Some(number.to_string().into()),
            (Kind::List(_), Value::String(text)) => match serde_json::from_str::<Value>(text) {
                Ok(list @ Value::Array(_)) => Some(list),
                _ => wanted.read(text).ok(),
            },
            (Kind::Map | Kind::Json, Value::String(text)) => {
                serde_json::from_str::<Value>(text).ok().filter(|read| read.is_object() || wanted == Kind::Json)
            }
            _ => None,
        };
        if let Some(replacement) = replacement {
            *value = replacement;
        }
    }
    request
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec(command: &str) -> Spec {
        Spec::from_schema(&crate::find(command).unwrap().request_schema())
    }

    #[track_caller]
    fn check(command: &str, words: &str, expected: Value) {
        let tokens = Token::from_words(words.split_whitespace().map(str::to_owned));
        assert_eq!(spec(command).parse(&tokens), Ok(expected), "{command} {words}");
    }

    #[track_caller]
    fn refuse(command: &str, words: &str, expected: &str) {
        let tokens = Token::from_words(words.split_whitespace().map(str::to_owned));
        assert_eq!(spec(command).parse(&tokens).unwrap_err().message, expected, "{command} {words}");
    }

    #[test]
    fn words_become_requests() {
        check(
            "candles.get",
            "BTC-PERP.SIM --tf 15m --limit 3",
            json!({"instrument": "BTC-PERP.SIM", "timeframe": "15m", "limit": 3}),
        );
        check(
            "candles.get",
            "--timeframe=1h --instrument BTC-PERP.SIM",
            json!({"timeframe": "1h", "instrument": "BTC-PERP.SIM"}),
        );
        check(
            "orders.place",
            "--account paper --instrument BTC-PERP.SIM --side BUY --type stop-limit --qty 0.4 --take-profit 70000 --reduce-only",
            json!({"account": "paper", "instrument": "BTC-PERP.SIM", "side": "buy", "order_type": "stop_limit",
                   "qty": "0.4", "take_profit": "70000", "reduce_only": true}),
        );
        check(
            "backtest.run",
            "--strategy ema-cross --param fast=10 --param slow=20 --instrument X.FILE --timeframe 1m --fill next-open",
            json!({"strategy": "ema-cross", "params": {"fast": "10", "slow": "20"}, "instrument": "X.FILE",
                   "timeframe": "1m", "fill": "next-open"}),
        );
        check("quotes.list", "A.SIM,B.SIM C.SIM", json!({"instruments": ["A.SIM", "B.SIM", "C.SIM"]}));
        check("mock.speed", "10x", json!({"speed": 10.0}));
        check("orders.cancel", "7", json!({"order_id": 7}));
        check("settings.set", "theme \"dark\"", json!({"key": "theme", "value": "dark"}));
        check("db.migrate", "status", json!({"action": "status"}));
        check("journal.explain", "-- --odd", json!({"id": "--odd"}));
    }

    #[test]
    fn errors_name_the_argument() {
        refuse("candles.get", "BTC-PERP.SIM", "--timeframe is missing");
        refuse("candles.get", "--timeframe 1m", "INSTRUMENT is missing");
        refuse("candles.get", "A.SIM B.SIM --timeframe 1m", "\"B.SIM\" is one value too many");
        refuse("candles.get", "A.SIM --timefame 1m", "there is no argument --timefame; did you mean --timeframe?");
        refuse("candles.get", "A.SIM --limit many", "limit: \"many\" is not a whole number");
        refuse("candles.get", "A.SIM --limit 1 --limit 2", "--limit is given twice");
        refuse("candles.get", "A.SIM --limit", "--limit needs a value");
        refuse("orders.place", "A.SIM --side up", "side: \"up\" is not one of buy, sell");
        refuse("backtest.run", "--param fast", "param: \"fast\" is not written NAME=VALUE");
    }

    #[test]
    fn a_models_slips_are_read() {
        let schema = crate::find("candles.get").unwrap().request_schema();
        let request = json!({"instrument": "A.SIM", "timeframe": "1m", "limit": "5", "bogus": "7"});
        assert_eq!(lenient(&schema, request)["limit"], json!(5));
        assert_eq!(lenient(&schema, json!({"limit": 5.0}))["limit"], json!(5));
        assert_eq!(lenient(&schema, json!({"limit": "five"}))["limit"], json!("five"));
        let schema = crate::find("quotes.list").unwrap().request_schema();
        assert_eq!(lenient(&schema, json!({"instruments": "[\"A.SIM\"]"})), json!({"instruments": ["A.SIM"]}));
        assert_eq!(lenient(&schema, json!({"instruments": "A.SIM,B.SIM"})), json!({"instruments": ["A.SIM", "B.SIM"]}));
        let schema = crate::find("orders.place").unwrap().request_schema();
        assert_eq!(lenient(&schema, json!({"qty": 0.4, "side": "BUY"})), json!({"qty": "0.4", "side": "buy"}));
    }
}
