//! From words to a plan: global flags, which verb, and its request.

use std::fmt::Write as _;
use std::path::PathBuf;

use cw_api::args::{Spec, Token};
use cw_api::{COMMANDS, Entry, console};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Failure;
use crate::own::{self, Completions, McpInstall, RunOptions, SimOptions};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Table,
    Json,
    Csv,
    Markdown,
}

/// Flags that every verb takes.
#[derive(Debug, Clone)]
pub struct Globals {
    pub data_dir: PathBuf,
    pub config: Option<PathBuf>,
    pub format: Format,
    pub quiet: bool,
}

impl Globals {
    pub fn run_dir(&self) -> PathBuf {
        self.data_dir.join("run")
    }
}

/// What the words ask for.
pub enum Plan {
    Text(String),
    Verb { entry: &'static Entry, request: Value },
    Run(RunOptions),
    Sim(SimOptions),
    Mcp,
    McpInstall(McpInstall),
    Completions(Completions),
    Doctor,
    Url,
}

pub struct Invocation {
    pub globals: Globals,
    pub plan: Plan,
}

#[derive(Default)]
struct GlobalWords {
    data_dir: Option<String>,
    config: Option<String>,
    format: Option<String>,
    quiet: bool,
    help: bool,
    version: bool,
}

impl GlobalWords {
    /// Takes a global flag (and its value) off the front, unless the verb has a flag of that name.
    fn take(
        &mut self,
        words: &mut std::iter::Peekable<std::vec::IntoIter<String>>,
        own: Option<&Spec>,
    ) -> Result<bool, Failure> {
        let Some(word) = words.peek() else { return Ok(false) };
        let (name, inline) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word.clone(), None),
        };
        if name.strip_prefix("--").is_some_and(|flag| own.is_some_and(|spec| spec.by_flag(flag).is_some())) {
            return Ok(false);
        }
        let switch = match name.as_str() {
            "--quiet" | "-q" => Some(&mut self.quiet),
            "--help" | "-h" => Some(&mut self.help),
            "--version" | "-V" => Some(&mut self.version),
            _ => None,
        };
        if let Some(switch) = switch {
            *switch = true;
            words.next();
            return Ok(true);
        }
        let slot = match name.as_str() {
            "--data-dir" => &mut self.data_dir,
            "--config" => &mut self.config,
            "--format" => &mut self.format,
            _ => return Ok(false),
        };
        words.next();
        let value = match inline {
            Some(value) => value,
            None => words.next().ok_or_else(|| usage(format!("{name} needs a value")))?,
        };
        *slot = Some(value);
        Ok(true)
    }
}

fn usage(message: impl Into<String>) -> Failure {
    Failure::Usage(message.into(), None)
}

impl Invocation {
    pub fn parse(words: Vec<String>) -> Result<Self, Failure> {
        let mut found = GlobalWords::default();
        let mut words = words.into_iter().peekable();
        while found.take(&mut words, None)? {}
        // Up to two plain words name the verb.
        let mut named: Vec<String> = Vec::new();
        while named.len() < 2 && words.peek().is_some_and(|word| !word.starts_with('-')) {
            named.extend(words.next());
            if named.len() == 1 && !takes_a_verb(&named[0], words.peek().map(String::as_str)) {
                break;
            }
            while found.take(&mut words, None)? {}
        }
        let target = Target::find(&named)?;
        let spec = target.spec();
        let mut rest: Vec<String> = Vec::new();
        while words.peek().is_some() {
            if rest.last().is_none_or(|last| last != "--") && found.take(&mut words, spec.as_ref())? {
                continue;
            }
            rest.extend(words.next());
        }
        let plan = if found.version {
            Plan::Text(format!("candlewick {}", env!("CARGO_PKG_VERSION")))
        } else if found.help {
            Plan::Text(target.help(&[]))
        } else {
            target.plan(rest)?
        };
        Ok(Self { globals: globals(found)?, plan })
    }
}

/// `run` stands alone; `mcp` may be followed by `install`; `help` takes any words; a noun of the registry takes a verb.
fn takes_a_verb(first: &str, next: Option<&str>) -> bool {
    match first {
        "run" | "sim" | "doctor" | "url" | "help" => false,
        "mcp" => next == Some("install"),
        _ => true,
    }
}

fn globals(found: GlobalWords) -> Result<Globals, Failure> {
    let format = match found.format.as_deref() {
        None | Some("table") => Format::Table,
        Some("json") => Format::Json,
        Some("csv") => Format::Csv,
        Some("markdown") => Format::Markdown,
        Some(other) => return Err(usage(format!("--format: \"{other}\" is not one of table, json, csv, markdown"))),
    };
    let data_dir = match found.data_dir.or_else(|| std::env::var("CANDLEWICK_DATA_DIR").ok()) {
        Some(given) => PathBuf::from(given),
        None => directories::ProjectDirs::from("", "", "Candlewick")
            .map(|dirs| dirs.data_dir().to_owned())
            .ok_or_else(|| usage("this system has no place for data; name one with --data-dir"))?,
    };
    // Absolute, because the running engine has another working directory.
    let data_dir = std::path::absolute(&data_dir).unwrap_or(data_dir);
    Ok(Globals { data_dir, config: found.config.map(PathBuf::from), format, quiet: found.quiet })
}

enum Target {
    Help,
    Own(&'static str),
    Command(&'static Entry),
    Noun(String),
}

impl Target {
    fn find(named: &[String]) -> Result<Self, Failure> {
        let named: Vec<&str> = named.iter().map(String::as_str).collect();
        Ok(match named.as_slice() {
            [] | ["help"] => Self::Help,
            ["run"] => Self::Own("run"),
            ["sim"] => Self::Own("sim"),
            ["doctor"] => Self::Own("doctor"),
            ["url"] => Self::Own("url"),
            ["mcp"] => Self::Own("mcp"),
            ["mcp", "install"] => Self::Own("mcp install"),
            [noun, verb, ..] => {
                let noun = console::noun(noun).ok_or_else(|| usage(console::unknown_noun(noun)))?;
                let entry = cw_api::find(&format!("{noun}.{verb}"));
                Self::Command(entry.ok_or_else(|| usage(console::unknown_verb(noun, verb)))?)
            }
            [noun] => {
                let noun = console::noun(noun).ok_or_else(|| usage(console::unknown_noun(noun)))?;
                Self::Noun(noun.to_owned())
            }
        })
    }

    fn spec(&self) -> Option<Spec> {
        match self {
            Self::Command(entry) => Some(Spec::from_schema(&entry.request_schema())),
            Self::Own(name) => own::all().into_iter().find(|(own, _)| own == name).map(|(_, spec)| spec),
            Self::Help | Self::Noun(_) => None,
        }
    }

    fn help(&self, about: &[String]) -> String {
        match self {
            Self::Command(entry) => console::command_help(entry),
            Self::Own(name) => self.spec().map(|spec| console::spec_help(name, &spec, "")).unwrap_or_default(),
            Self::Noun(noun) => console::noun_help(noun),
            Self::Help => match Self::find(about) {
                Ok(Self::Help) => overview(),
                Ok(target) => target.help(&[]),
                Err(Failure::Usage(message, _)) => message,
                Err(Failure::Api(error)) => error.message,
            },
        }
    }

    fn plan(self, rest: Vec<String>) -> Result<Plan, Failure> {
        let Some(spec) = self.spec() else {
            return match &self {
                Self::Noun(noun) => Err(usage(format!("{noun} needs a verb\n{}", console::noun_help(noun)))),
                _ => Ok(Plan::Text(self.help(&rest))),
            };
        };
        let request =
            spec.parse(&Token::from_words(rest)).map_err(|error| Failure::Usage(error.message, error.field))?;
        Ok(match self {
            Self::Command(entry) => Plan::Verb { entry, request },
            Self::Own("run") => Plan::Run(read(request)?),
            Self::Own("sim") => Plan::Sim(read(request)?),
            Self::Own("mcp install") => Plan::McpInstall(read(request)?),
            Self::Own("mcp") => Plan::Mcp,
            Self::Own("completions") => Plan::Completions(read(request)?),
            Self::Own("doctor") => Plan::Doctor,
            _ => Plan::Url,
        })
    }
}

fn read<T: DeserializeOwned>(request: Value) -> Result<T, Failure> {
    serde_json::from_value(request).map_err(|error| usage(error.to_string()))
}

fn overview() -> String {
    let mut text = String::from(
        "candlewick [--data-dir DIR] [--config FILE] [--format table|json|csv|markdown] [--quiet] VERB …\n\n",
    );
    for (name, spec) in own::all() {
        let sentence = spec.help.split_once(['.', ':']).map_or(spec.help.as_str(), |(first, _)| first);
        writeln!(text, "{name:12} {sentence}").expect("writing to a String cannot fail");
    }
    text.push('\n');
    text.push_str(&console::overview());
    write!(text, "\n{} commands; `candlewick help NOUN VERB` explains one.", COMMANDS.len())
        .expect("writing to a String cannot fail");
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(line: &str) -> Result<Invocation, Failure> {
        Invocation::parse(line.split_whitespace().map(str::to_owned).collect())
    }

    #[track_caller]
    fn check(line: &str, command: &str, request: Value) -> Globals {
        let invocation = parse(line).unwrap_or_else(|failure| panic!("{line}: {failure:?}"));
        match invocation.plan {
            Plan::Verb { entry, request: parsed } => assert_eq!((entry.name, parsed), (command, request), "{line}"),
            _ => panic!("{line} is not a command"),
        }
        invocation.globals
    }

    #[test]
    fn global_flags_may_stand_anywhere() {
        let request = json!({"instrument": "A.SIM", "timeframe": "1m"});
        for line in [
            "--data-dir /d --format json candles get A.SIM --timeframe 1m",
            "candles --data-dir /d get --format json A.SIM --timeframe 1m",
            "candle get A.SIM --timeframe 1m --format=json --data-dir=/d",
        ] {
            let globals = check(line, "candles.get", request.clone());
            assert_eq!((globals.data_dir, globals.format), (PathBuf::from("/d"), Format::Json), "{line}");
        }
    }

    #[test]
    fn a_verbs_own_format_is_its_own() {
        let line = "data export --instrument A.FILE --timeframe 1m --format csv";
        let globals =
            check(line, "data.export", json!({"instrument": "A.FILE", "timeframe": "1m", "file_format": "csv"}));
        assert_eq!(globals.format, Format::Table);
    }

    #[test]
    fn wrong_words_are_a_usage_error_that_helps() {
        let message = |line: &str| match parse(line) {
            Err(Failure::Usage(message, _)) => message,
            _ => panic!("{line} passed"),
        };
        assert_eq!(message("candels get"), "there is no command \"candels\"; did you mean candles?");
        assert_eq!(message("orders plcae"), "orders has no \"plcae\"; did you mean place?");
        assert_eq!(message("candles get"), "INSTRUMENT is missing");
        assert!(message("orders").starts_with("orders needs a verb"));
        assert!(message("run --listn x").contains("did you mean --listen?"));
    }

    #[test]
    fn own_verbs_and_help() {
        assert!(matches!(
            parse("run --listen 127.0.0.1:0 --mcp-http").unwrap().plan,
            Plan::Run(RunOptions { mcp_http: true, .. })
        ));
        assert!(matches!(parse("mcp --data-dir /d").unwrap().plan, Plan::Mcp));
        assert!(matches!(parse("mcp install --file /x").unwrap().plan, Plan::McpInstall(_)));
        for line in ["help", "", "help orders place", "orders place --help", "run --help", "--version"] {
            assert!(matches!(parse(line).unwrap().plan, Plan::Text(_)), "{line}");
        }
    }
}
