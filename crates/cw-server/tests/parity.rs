//! Every command over every surface: the same input has the same answer and leaves the same audit row.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![cfg(unix)]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use cw_api::args::{Spec, Token};
use cw_api::commands::registry::{ConsoleBlock, ResponseKind};
use cw_api::commands::system::AuditRow;
use cw_api::{Access, ApiError, COMMANDS, Caller, Context, Entry, Output, dispatch};
use cw_core::Surface;
use cw_server::http::{HttpOptions, HttpServer};
use cw_server::mcp::{McpOptions, Tools};
use cw_server::{Sessions, random_token};
use serde_json::{Value, json};
use support::Fake;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Every command as a person types it. The words are the one source: the request that the other surfaces send is what
/// the shared parser makes of them.
const LINES: &[&str] = &[
    "orders preview BTC-PERP.SIM --side buy --qty 0.4 --price 60000 --stop-loss 59000",
    "orders place BTC-PERP.SIM --side buy --type limit --qty 0.4 --price 60000 --take-profit 65000 --client-order-id me-1",
    "orders place BTC-PERP.SIM --side buy --qty 5000",
    "orders cancel 7",
    "orders list --open-only --limit 5",
    "positions list --account paper",
    "positions close BTC-PERP.SIM --qty 0.1",
    "fills list --instrument BTC-PERP.SIM",
    "accounts list",
    "risk show",
    "risk set max_order_notional 1000 --account paper",
    "risk halt \"going home\"",
    "risk resume \"back again\"",
    "approvals list",
    "approvals accept a-1",
    "approvals deny a-1 --reason no",
    "strategies list",
    "strategies start ema-cross --param fast=10 --instrument BTC-PERP.SIM --timeframe 1m --account paper",
    "strategies stop ema-cross-1 --flatten",
    "strategies running",
    "decisions list --limit 3",
    "symbols list BTC",
    "symbols add BTCUSDT.FILE --price-decimals 2",
    "symbols remove BTCUSDT.FILE",
    "quotes list BTC-PERP.SIM",
    "market sessions BTC-PERP.SIM --at 2024-07-03T15:00:00Z",
    "ticks start BTC-PERP.SIM",
    "ticks stop BTC-PERP.SIM",
    "ticks list",
    "ticks replay BTC-PERP.SIM --timeframe 1m --limit 3",
    "ticks export BTC-PERP.SIM --kind quotes",
    "candles get BTC-PERP.SIM --timeframe 1m --limit 3",
    "candles get NOPE.SIM --timeframe 1m",
    "candles get nowhere --timeframe 1m",
    "chart window BTC-PERP.SIM --timeframe 15m --limit 4",
    "indicators list",
    "indicators compute BTC-PERP.SIM --timeframe 1m --set \"ema(2),rsi(14)\"",
    "enrich get BTC-PERP.SIM --timeframe 1h",
    "narrative describe BTC-PERP.SIM --timeframe 1h --format markdown",
    "narrative index BTC-PERP.SIM --timeframe 1h --limit 5",
    "narrative search \"hammer support\" --instrument BTC-PERP.SIM",
    "news search \"rate decision\" --symbol AAPL --since 2024-01-01T00:00:00Z --limit 5 --source reuters.com",
    "news list --symbol AAPL.ALPACA --before 2024-01-01T00:00:00Z",
    "narrative get BTC-PERP.SIM --timeframe 1h --at 2024-01-01T00:00:00Z",
    "features list",
    "features export BTC-PERP.SIM --timeframe 1h --limit 10",
    "rag get BTC-PERP.SIM --timeframe 1h",
    "rag export BTC-PERP.SIM --timeframe 1h --limit 10 --format qdrant",
    "rag live",
    "rag start BTC-PERP.SIM --timeframe 1m --format qdrant",
    "rag stop BTC-PERP.SIM --timeframe 1m",
    "rag validate /nowhere/export.jsonl",
    "similar search BTC-PERP.SIM --timeframe 1h --top 20 --horizons 5,20",
    "patterns list",
    "patterns scan BTC-PERP.SIM --timeframe 1h --only hammer,engulfing",
    "structure get BTC-PERP.SIM --timeframe 1h --at 2026-03-01T00:00:00Z",
    "expressions check \"close > ema(20)\" --kind bool",
    "expressions complete clo --cursor 3",
    "data import /nowhere/file.csv --instrument BTCUSDT.FILE --timeframe 1m",
    "data export BTC-PERP.SIM --timeframe 1m --format csv",
    "data fetch BTC-PERP.SIM --timeframe 1d --from 2024-01-01",
    "fetch start BTC-PERP.SIM --timeframe 1d --from 2024-01-01",
    "data gaps AAPL.ALPACA --limit 5",
    "data quarantine ALPACA --limit 5",
    "data provenance BTC-PERP.SIM --timeframe 1m",
    "symbols search apple --venue ALPACA --limit 5",
    "data coverage",
    "mock enable --seed 7 --speed 10x",
    "mock disable",
    "mock speed 10x",
    "mock test --seed 7",
    "backtest run --strategy ema-cross --param fast=10 --param slow=20 --instrument BTC-PERP.SIM --timeframe 1m",
    "backtest start --strategy ema-cross --instrument BTC-PERP.SIM --timeframe 1m",
    "backtest result job-1",
    "jobs list",
    "jobs cancel job-1",
    "journal verify",
    "journal replay",
    "journal explain f-1",
    "health get",
    "metrics get",
    "connections list",
    "connections restart ALPACA",
    "logs list --level warn",
    "audit list --limit 2",
    "settings get theme",
    "settings set theme dark",
    "workspaces get",
    "workspaces save trade --layout []",
    "db migrate status",
    "commands list",
    "console run \"symbols list\"",
    "console complete ord",
];

/// The result of a call on some surface.
#[derive(Debug, Clone, PartialEq)]
enum Answer {
    Json(Value),
    Bytes(Vec<u8>),
    /// Code and field.
    Error(String, Option<String>),
}

fn error(error: &ApiError) -> Answer {
    Answer::Error(error.code.as_str().to_owned(), error.field.clone())
}

fn error_json(value: &Value) -> Answer {
    Answer::Error(value["code"].as_str().unwrap_or("?").to_owned(), value["field"].as_str().map(str::to_owned))
}

/// Trace ids are each call's own; a console answer carries those of the calls inside it.
fn without_traces(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.shift_remove("trace_id");
            object.values_mut().for_each(without_traces);
        }
        Value::Array(items) => items.iter_mut().for_each(without_traces),
        _ => {}
    }
}

/// What of an audit row has to be equal: everything but who, by which door, when and the trace.
fn shape(row: &AuditRow) -> (String, Access, String, String) {
    (row.command.clone(), row.access, row.request.to_string(), row.outcome.clone())
}

struct Case {
    entry: &'static Entry,
    line: &'static str,
    request: Value,
}

fn case(line: &'static str) -> Case {
    // The console's tokens and the shell's words are the same here: quotes are the only thing both take away.
    let mut words: Vec<String> = Vec::new();
    let mut quoted = false;
    let mut word = String::new();
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(std::mem::take(&mut word)),
            _ => word.push(c),
        }
    }
    words.push(word);
    let name = format!("{}.{}", words[0], words[1]);
    let entry = cw_api::find(&name).unwrap_or_else(|| panic!("{name} is not a command"));
    let tokens = Token::from_words(words.split_off(2));
    let request = Spec::from_schema(&entry.request_schema()).parse(&tokens).unwrap_or_else(|e| panic!("{line}: {e}"));
    Case { entry, line, request }
}

async fn direct(case: &Case) -> (Answer, Vec<AuditRow>) {
    let (fake, services) = support::services();
    let cx = Context::new(Caller::operator(Surface::Desktop), services);
    let answer = match dispatch(case.entry.name, case.request.clone(), &cx).await {
        Ok(Output::Json(value)) => Answer::Json(value),
        Ok(Output::Binary { bytes, .. }) => Answer::Bytes(bytes.to_vec()),
        Err(failed) => error(&failed),
    };
    (answer, rows(&fake))
}

fn rows(fake: &Arc<Fake>) -> Vec<AuditRow> {
    fake.audit.lock().unwrap().clone()
}

/// Over HTTP; `surface` is what the command line adds to say that it is one.
async fn rest(case: &Case, surface: &str) -> (Answer, Vec<AuditRow>) {
    let (fake, services) = support::services();
    let token = random_token();
    let stop = CancellationToken::new();
    let options = HttpOptions {
        listen: "127.0.0.1:0".parse().unwrap(),
        services,
        sessions: Arc::new(Sessions::new(token.clone())),
        ui: None,
        version: "0.0.0",
        mcp: None,
    };
    let server = HttpServer::bind(options, stop.clone()).await.unwrap();
    let address = server.address();
    let tasks = TaskTracker::new();
    tasks.spawn(server.serve(stop.clone()));
    let body = case.request.to_string();
    let request = format!(
        "POST /api/v1/{}/{} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
         Content-Type: application/json\r\n{surface}Content-Length: {}\r\n\r\n{body}",
        case.entry.noun(),
        case.entry.verb(),
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    stop.cancel();
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let (head, body) = (String::from_utf8_lossy(&bytes[..end]).to_lowercase(), bytes[end + 4..].to_vec());
    let answer = if !head.starts_with("http/1.1 200") {
        error_json(&serde_json::from_slice(&body).unwrap())
    } else if case.entry.response_kind == ResponseKind::Binary {
        Answer::Bytes(body)
    } else {
        Answer::Json(serde_json::from_slice(&body).unwrap())
    };
    (answer, rows(&fake))
}

/// A client that the operator lets propose trades.
async fn mcp(case: &Case) -> (Answer, Vec<AuditRow>) {
    let (fake, services) = support::services();
    fake.settings.lock().unwrap().insert("mcp.access".into(), json!("trade"));
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let (read, write) = tokio::io::split(theirs);
    let stop = CancellationToken::new();
    let options = McpOptions { version: "0.0.0", ceiling: Access::Trade };
    let tasks = TaskTracker::new();
    tasks.spawn(Tools::new(services, options).serve(read, write, stop.clone()));
    let mut line = BufReader::new(ours);
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "parity", "version": "1"}}});
    let greeted = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let call = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call",
        "params": {"name": case.entry.tool_name(), "arguments": case.request}});
    line.get_mut().write_all(format!("{hello}\n").as_bytes()).await.unwrap();
    let mut text = String::new();
    line.read_line(&mut text).await.unwrap();
    line.get_mut().write_all(format!("{greeted}\n{call}\n").as_bytes()).await.unwrap();
    let result = loop {
        text.clear();
        assert!(line.read_line(&mut text).await.unwrap() > 0, "{}: the server closed", case.line);
        let message: Value = serde_json::from_str(&text).unwrap();
        if message["id"] == 2 {
            break message["result"].clone();
        }
    };
    stop.cancel();
    let answer = if result["isError"] == true {
        error_json(&serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap())
    } else if case.entry.response_kind == ResponseKind::Binary {
        let content = &result["structuredContent"];
        Answer::Bytes(match content["text"].as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => base64::engine::general_purpose::STANDARD.decode(content["base64"].as_str().unwrap()).unwrap(),
        })
    } else {
        Answer::Json(result["structuredContent"].clone())
    };
    (answer, rows(&fake))
}

async fn console(case: &Case) -> (Option<Answer>, Vec<AuditRow>) {
    let (fake, services) = support::services();
    let cx = Context::new(Caller::operator(Surface::Desktop), services);
    let line = match case.entry.response_kind {
        ResponseKind::Json => format!("{} | json", case.line),
        ResponseKind::Binary => case.line.to_owned(),
    };
    let output = cw_api::console::run(&line, &cx).await;
    assert_eq!(output.blocks.len(), 1, "{line}");
    let answer = match output.blocks.into_iter().next().unwrap() {
        ConsoleBlock::Json { value } => Some(Answer::Json(value)),
        ConsoleBlock::Error { error: failed, .. } => Some(error(&failed)),
        // Bytes are not shown, text is.
        ConsoleBlock::Text { text } => text.contains(',').then(|| Answer::Bytes(text.into_bytes())),
        ConsoleBlock::Table { .. } => panic!("{line} is a table"),
    };
    (answer, rows(&fake))
}

fn clean(answer: Answer) -> Answer {
    match answer {
        Answer::Json(mut value) => {
            without_traces(&mut value);
            Answer::Json(value)
        }
        other => other,
    }
}

#[tokio::test]
async fn every_surface_gives_the_same_answer_and_the_same_audit_row() {
    let cases: Vec<Case> = LINES.iter().map(|line| case(line)).collect();
    let covered: BTreeSet<&str> = cases.iter().map(|case| case.entry.name).collect();
    let missing: Vec<&str> = COMMANDS.iter().map(|entry| entry.name).filter(|name| !covered.contains(name)).collect();
    assert!(missing.is_empty(), "no line for {missing:?}");

    for case in &cases {
        let what = case.line;
        let (expected, audit) = direct(case).await;
        let expected = clean(expected);
        // A console line leaves rows of the commands inside it; the call itself is the last to end.
        let row = audit.last().expect("a call leaves a row");
        assert_eq!((row.surface, row.actor.as_str()), (Surface::Desktop, "operator"), "{what}");

        for (header, surface) in [("", Surface::Rest), ("X-Surface: cli\r\n", Surface::Cli)] {
            let (answer, audit) = rest(case, header).await;
            let there = audit.last().unwrap();
            // `audit.list` and `console.run` see their own surface; only those may differ in what they show.
            assert_eq!(clean(answer), expected, "{what} over REST");
            assert_eq!(shape(there), shape(row), "{what} over REST");
            assert_eq!((there.surface, there.actor.as_str()), (surface, "operator"), "{what}");
        }

        let (answer, audit) = console(case).await;
        if let Some(answer) = answer {
            assert_eq!(clean(answer), expected, "{what} in the console");
        }
        let there = audit.last().unwrap();
        assert_eq!(shape(there), shape(row), "{what} in the console");
        assert_eq!(there.surface, Surface::Console, "{what}");

        let (answer, audit) = mcp(case).await;
        let there = audit.last().unwrap();
        assert_eq!((there.surface, there.actor.as_str()), (Surface::Mcp, "agent parity"), "{what}");
        assert_eq!(
            (&there.command, there.access, &there.request),
            (&row.command, row.access, &row.request),
            "{what} over MCP"
        );
        match case.entry.access {
            Access::Admin => {
                assert_eq!(answer, Answer::Error("forbidden".into(), None), "{what}: never for a client");
                assert_eq!(there.outcome, "forbidden", "{what}");
            }
            Access::Trade if case.entry.name == "orders.place" => {
                let Answer::Json(placed) = answer else { panic!("{what}: {answer:?}") };
                assert_eq!(placed["approval_id"], "a-1", "{what}: a proposal");
            }
            Access::Read | Access::Trade => {
                assert_eq!(clean(answer), expected, "{what} over MCP");
                assert_eq!(shape(there), shape(row), "{what} over MCP");
            }
        }
    }
}

#[tokio::test]
async fn a_caller_with_less_than_a_command_needs_is_refused_and_recorded() {
    for entry in COMMANDS.iter().filter(|entry| entry.access > Access::Read) {
        let (fake, services) = support::services();
        let cx = Context::new(Caller::agent("curious", Access::Read, Surface::Mcp), services);
        let refused = dispatch(entry.name, json!({}), &cx).await.unwrap_err();
        assert_eq!(refused.code, cw_api::ErrorCode::Forbidden, "{}", entry.name);
        let rows = rows(&fake);
        assert_eq!((rows.len(), rows[0].outcome.as_str()), (1, "forbidden"), "{}", entry.name);
        assert!(rows[0].is_durable());
        assert_eq!(rows[0].trace_id, refused.trace_id);
    }
}
