//! The program from outside: a headless engine on a fresh data directory, asked over the command line, REST, MCP and the
//! console.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

fn candlewick(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_candlewick"));
    command.arg("--data-dir").arg(data_dir).env_remove("CANDLEWICK_LOG");
    command
}

/// Exit code, standard output and standard error of one verb.
fn verb(data_dir: &Path, words: &[&str]) -> (i32, String, String) {
    let done = candlewick(data_dir).args(words).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap_or(-1), text(done.stdout), text(done.stderr))
}

fn json_verb(data_dir: &Path, words: &[&str]) -> Value {
    let (code, out, err) = verb(data_dir, &[&["--format", "json"], words].concat());
    assert_eq!(code, 0, "{words:?}: {err}");
    serde_json::from_str(&out).unwrap()
}

struct Engine {
    child: Child,
    ready: Value,
    data_dir: PathBuf,
}

impl Engine {
    fn start(data_dir: &Path) -> Self {
        let mut child = candlewick(data_dir)
            .args(["run", "--listen", "127.0.0.1:0", "--mcp-http"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
        Self { child, ready, data_dir: data_dir.to_owned() }
    }

    fn token(&self) -> String {
        std::fs::read_to_string(self.data_dir.join("run/operator.token")).unwrap()
    }

    fn http(&self, path: &str, extra: &str, body: &Value) -> (u16, Vec<u8>) {
        let address = self.ready["http"].as_str().unwrap();
        let body = body.to_string();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n{extra}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.token().trim(),
            body.len()
        )
        .unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        let status = String::from_utf8_lossy(&bytes[9..12]).parse().unwrap();
        (status, bytes.split_off(end + 4))
    }

    fn rest(&self, command: &str, request: &Value) -> Value {
        let (status, body) = self.http(&format!("/api/v1/{}", command.replace('.', "/")), "", request);
        assert_eq!(status, 200, "{command}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }

    /// Asks it to stop; exit code and how long it took.
    fn stop(mut self) -> (i32, Duration) {
        let started = Instant::now();
        self.signal("TERM");
        let status = self.child.wait().unwrap();
        (status.code().unwrap_or(-1), started.elapsed())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // After a failed test; a stopped engine is gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// An MCP client on the bridge.
struct Mcp {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
    next: u64,
}

impl Mcp {
    fn open(data_dir: &Path) -> Self {
        let mut child = candlewick(data_dir)
            .arg("mcp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let mut mcp = Self { child, lines, next: 0 };
        let client = json!({"name": "tester", "version": "1"});
        mcp.ask("initialize", &json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client}));
        mcp.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        mcp
    }
    fn send(&mut self, message: &Value) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{message}").unwrap();
    }
    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.next += 1;
        let id = self.next;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let mut line = String::new();
            assert!(self.lines.read_line(&mut line).unwrap() > 0, "the bridge closed");
            let answer: Value = serde_json::from_str(&line).unwrap();
            if answer["id"] == id {
                return answer["result"].clone();
            }
        }
    }
    fn call(&mut self, command: &str, request: &Value) -> Value {
        self.ask("tools/call", &json!({"name": command.replace('.', "_"), "arguments": request}))
    }
    /// Its input ends; it has to as well.
    fn close(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

/// What changes from one moment to the next, taken out.
fn settled(mut value: Value) -> Value {
    fn clean(value: &mut Value) {
        match value {
            Value::Object(object) => {
                for name in ["as_of", "trace_id", "forming", "uptime_s"] {
                    object.remove(name);
                }
                object.values_mut().for_each(clean);
            }
            Value::Array(items) => items.iter_mut().for_each(clean),
            _ => {}
        }
    }
    clean(&mut value);
    value
}

#[test]
fn one_engine_gives_the_same_answer_by_every_door() {
    let dir = tempfile::tempdir().unwrap();
    let engine = Engine::start(dir.path());
    assert_eq!(engine.ready["event"], "ready");
    assert_eq!(engine.ready["grpc"], Value::Null);
    assert_eq!(engine.ready["pid"], engine.child.id());
    assert!(Path::new(engine.ready["mcp"].as_str().unwrap()).exists());

    let range = ["--timeframe", "1m", "--from", "2026-01-05T00:00:00Z", "--to", "2026-01-05T02:00:00Z"];
    let range_json = json!({"timeframe": "1m", "from": "2026-01-05T00:00:00Z", "to": "2026-01-05T02:00:00Z", "instrument": "BTC-PERP.SIM"});
    let with = |more: Value| {
        let mut request = range_json.clone();
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        request
    };
    let strategy =
        ["--strategy", "ema-cross", "--param", "fast=3", "--param", "slow=8", "--instrument", "BTC-PERP.SIM"];
    let cases: Vec<(&str, Vec<&str>, Value)> = vec![
        ("symbols.list", vec![], json!({})),
        ("candles.get", [&["BTC-PERP.SIM"], &range[..]].concat(), range_json.clone()),
        (
            "indicators.compute",
            [&["BTC-PERP.SIM", "--set", "ema(5),macd(12,26,9)"], &range[..]].concat(),
            with(json!({"set": "ema(5),macd(12,26,9)"})),
        ),
        (
            "backtest.run",
            [&strategy[..], &range[..]].concat(),
            with(json!({"strategy": "ema-cross", "params": {"fast": "3", "slow": "8"}})),
        ),
        ("indicators.list", vec![], json!({})),
        ("strategies.list", vec![], json!({})),
        ("expressions.check", vec!["close >> 1"], json!({"text": "close >> 1"})),
        ("accounts.list", vec![], json!({})),
        ("risk.show", vec![], json!({})),
        ("orders.list", vec![], json!({})),
        ("commands.list", vec![], json!({})),
    ];
    let mut mcp = Mcp::open(dir.path());
    for (command, words, request) in cases {
        let noun_verb: Vec<&str> = command.split('.').collect();
        let expected = settled(engine.rest(command, &request));
        let cli = json_verb(dir.path(), &[&noun_verb[..], &words[..]].concat());
        assert_eq!(settled(cli), expected, "{command} on the command line");
        let answer = mcp.call(command, &request);
        assert_eq!(answer["isError"], false, "{command}: {answer}");
        assert_eq!(settled(answer["structuredContent"].clone()), expected, "{command} over MCP");
        let quoted: Vec<String> = words
            .iter()
            .map(|word| if word.starts_with("--") { (*word).to_owned() } else { format!("\"{word}\"") })
            .collect();
        let line = format!("{} {} | json", noun_verb.join(" "), quoted.join(" "));
        let console = engine.rest("console.run", &json!({ "line": line }));
        assert_eq!(settled(console["blocks"][0]["value"].clone()), expected, "{line}: {console}");
    }
    mcp.close();

    // The same change by each door leaves the same row.
    engine.rest("settings.set", &json!({"key": "theme", "value": "light"}));
    json_verb(dir.path(), &["settings", "set", "theme", "light"]);
    engine.rest("console.run", &json!({"line": "settings set theme light"}));
    let rows = json_verb(dir.path(), &["audit", "list", "--command", "settings.set"]);
    let rows = rows["rows"].as_array().unwrap();
    let seen: Vec<&str> = rows.iter().rev().map(|row| row["surface"].as_str().unwrap()).collect();
    assert_eq!(seen, ["rest", "cli", "console"]);
    for row in rows {
        assert_eq!(row["request"], json!({"key": "theme", "value": "light"}));
        assert_eq!((&row["actor"], &row["outcome"]), (&json!("operator"), &json!("ok")));
    }

    // MCP over HTTP is the same server.
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "web", "version": "1"}}});
    let (status, body) = engine.http("/mcp", "Accept: application/json, text/event-stream\r\n", &hello);
    let body = String::from_utf8_lossy(&body).into_owned();
    assert!(status == 200 && body.contains("\"serverInfo\""), "{status} {body}");

    let (code, took) = engine.stop();
    assert_eq!(code, 0);
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert!(!dir.path().join("run/engine.json").exists());
}

#[test]
fn exit_codes_and_errors_are_the_contracts() {
    let dir = tempfile::tempdir().unwrap();
    let check = |words: &[&str], expected: i32, code: &str| {
        let (status, out, err) = verb(dir.path(), &[&["--format", "json"], words].concat());
        assert_eq!(status, expected, "{words:?}: {err}");
        assert!(out.is_empty(), "{words:?}: {out}");
        let line = err.lines().last().unwrap_or_default();
        let error: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{words:?}: {err}"));
        assert_eq!(error["code"], code, "{words:?}");
        assert!(error["message"].is_string() && error["retryable"].is_boolean() && error["trace_id"].is_string());
    };
    check(&["candles", "gte"], 2, "invalid_request");
    check(&["candles", "get"], 2, "invalid_request");
    check(&["candles", "get", "nowhere", "--timeframe", "1m"], 3, "invalid_request");
    check(&["candles", "get", "NOPE.FILE", "--timeframe", "1m"], 4, "not_found");
    check(&["data", "import", "/nowhere.csv", "--instrument", "A.FILE", "--timeframe", "1m"], 4, "not_found");
    check(&["run", "--listen", "0.0.0.0:0"], 3, "invalid_request");
    check(&["run", "--listen", "here"], 2, "invalid_request");
    check(&["url"], 5, "unavailable");
}

#[test]
fn a_file_goes_in_and_comes_out_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("candles.csv");
    let mut text = String::from("open_time,open,high,low,close,volume\n");
    for minute in 0..30 {
        let close = 100 + minute % 7;
        let row = format!("2024-01-01T00:{minute:02}:00Z,100,110,90,{close},1.5\n");
        text.push_str(&row);
    }
    std::fs::write(&file, &text).unwrap();
    let place = ["--instrument", "TEST.FILE", "--timeframe", "1m"];
    let name = file.to_str().unwrap();
    let report = json_verb(dir.path(), &[&["data", "import", name], &place[..]].concat());
    assert_eq!((&report["accepted"], &report["rejected_count"]), (&json!(30), &json!(0)), "{report}");
    let report = json_verb(dir.path(), &[&["data", "import", name], &place[..]].concat());
    assert_eq!(report["duplicates"], 30, "{report}");

    let (code, out, err) = verb(dir.path(), &[&["data", "export"], &place[..], &["--format", "csv"]].concat());
    assert_eq!(code, 0, "{err}");
    assert_eq!(out, text);
    let (code, out, err) =
        verb(dir.path(), &["candles", "get", "TEST.FILE", "--timeframe", "1m", "--limit", "2", "--format", "csv"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("open_time,open,high,low,close,volume\n") && out.lines().count() == 3, "{out}");

    // From standard input, into the running engine.
    let engine = Engine::start(dir.path());
    let mut import = candlewick(dir.path())
        .args(["--format", "json", "data", "import", "-", "--instrument", "PIPE.FILE", "--timeframe", "1m"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    import.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let done = import.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(report["accepted"], 30);
    assert_eq!(std::fs::read_dir(dir.path().join("tmp")).unwrap().count(), 0, "what was kept for it is gone");
    let (code, out, _) = verb(dir.path(), &["doctor"]);
    assert_eq!(code, 0, "{out}");
    assert_eq!(engine.stop().0, 0);
}

#[test]
fn trades_from_a_file_are_candles_of_any_kind_and_are_tested_on() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("trades.csv");
    let mut text = String::from("time,price,quantity\n");
    for second in 0..3_000 {
        let price = 100 + (second / 40) % 9 - (second / 90) % 5;
        let row = format!("{},{price},{}\n", 1_704_067_200 + second, 1 + second % 4);
        text.push_str(&row);
    }
    std::fs::write(&file, &text).unwrap();
    let name = file.to_str().unwrap();
    let report = json_verb(dir.path(), &["data", "import", name, "--instrument", "T.FILE", "--kind", "trades"]);
    assert_eq!(report["accepted"], 3_000, "{report}");
    let get = |timeframe: &str| json_verb(dir.path(), &["candles", "get", "T.FILE", "--timeframe", timeframe]);
    let by_trades = get("100t");
    assert_eq!((&by_trades["timeframe"], by_trades["candles"].as_array().unwrap().len()), (&json!("100t"), 30));
    assert_eq!(by_trades["candles"][1]["volume"], "250");
    let by_volume = get("500v");
    let volumes: Vec<&Value> =
        by_volume["candles"].as_array().unwrap().iter().map(|candle| &candle["volume"]).collect();
    assert_eq!(volumes, [&json!("500"); 15]);

    let run = [
        "backtest",
        "run",
        "--strategy",
        "ema-cross",
        "--param",
        "fast=3",
        "--param",
        "slow=8",
        "--instrument",
        "T.FILE",
    ];
    let run = |timeframe: &str| json_verb(dir.path(), &[&run[..], &["--timeframe", timeframe]].concat());
    let result = run("50t");
    assert!(result["trades"].as_array().unwrap().len() > 3, "{result}");
    assert_eq!(run("50t")["fingerprint"], result["fingerprint"]);
    assert!(result["assumptions"]["candles"].as_str().unwrap().starts_with("50t of trades"), "{result}");

    for (words, status, part) in [
        (["candles", "get", "T.FILE", "--timeframe", "100x"], 3, "100t (trades)"),
        (["candles", "get", "NOPE.FILE", "--timeframe", "100t"], 4, "NOPE.FILE"),
    ] {
        let (code, _, err) = verb(dir.path(), &words);
        assert!(code == status && err.contains(part), "{code}: {err}");
    }
}
