//! MCP over the local socket, spoken by hand: what a client sees of the registry and what it may do.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![cfg(unix)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use cw_api::Access;
use cw_server::mcp::{McpOptions, McpSocket, connect, socket_path};
use serde_json::{Value, json};
use support::Fake;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

struct Engine {
    fake: Arc<Fake>,
    path: std::path::PathBuf,
    stop: CancellationToken,
    tasks: TaskTracker,
    _dir: tempfile::TempDir,
}

async fn start() -> Engine {
    let (fake, services) = support::services();
    let dir = tempfile::tempdir().unwrap();
    let socket = McpSocket::bind(socket_path(&dir.path().join("run"))).await.unwrap();
    let path = socket.path().to_owned();
    let stop = CancellationToken::new();
    let options = McpOptions { version: "0.0.0", ceiling: Access::Trade };
    let tasks = TaskTracker::new();
    tasks.spawn(socket.serve(services, options, stop.clone()));
    tasks.close();
    Engine { fake, path, stop, tasks, _dir: dir }
}

/// One client's end of the line.
struct Line<S> {
    stream: BufReader<S>,
    next: u64,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    async fn send(&mut self, message: Value) {
        self.stream.get_mut().write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }
    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        self.send(json!({"jsonrpc": "2.0", "id": self.next, "method": method, "params": params})).await;
        loop {
            let mut line = String::new();
            let read = tokio::time::timeout(Duration::from_secs(10), self.stream.read_line(&mut line));
            assert!(read.await.expect("an answer").unwrap() > 0, "the server closed");
            let answer: Value = serde_json::from_str(&line).unwrap();
            if answer["id"] == self.next {
                return answer;
            }
        }
    }
    async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({"name": tool, "arguments": arguments})).await["result"].clone()
    }
    /// The handshake of every revision before 2026-07-28.
    async fn greet(&mut self, version: &str) -> Value {
        let client = json!({"name": "test client", "version": "1"});
        let params = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": client});
        let answer = self.ask("initialize", params).await;
        self.send(json!({"jsonrpc": "2.0", "method": "notifications/initialized"})).await;
        answer["result"].clone()
    }
}

async fn line(engine: &Engine) -> Line<impl AsyncRead + AsyncWrite + Unpin> {
    Line { stream: BufReader::new(connect(&engine.path).await.unwrap()), next: 0 }
}

fn names(answer: &Value) -> Vec<&str> {
    answer["result"]["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn every_revision_with_a_handshake_is_spoken() {
    let engine = start().await;
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut line = line(&engine).await;
        let hello = line.greet(version).await;
        assert_eq!(hello["protocolVersion"], version);
        assert_eq!(hello["serverInfo"]["name"], "candlewick");
        assert!(hello["capabilities"]["tools"].is_object());
    }
}

#[tokio::test]
async fn the_stateless_revision_needs_no_handshake() {
    let engine = start().await;
    let mut line = line(&engine).await;
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "modern", "version": "1"},
    });
    let found = line.ask("server/discover", json!({"_meta": meta})).await;
    let versions = found["result"]["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&json!("2026-07-28")), "{found}");
    let arguments = json!({"instrument": "BTC-PERP.SIM", "timeframe": "1m", "limit": 1});
    let answer = line.ask("tools/call", json!({"_meta": meta, "name": "candles_get", "arguments": arguments})).await;
    assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
    assert_eq!(answer["result"]["structuredContent"]["candles"][0]["close"], "101");
    assert_eq!(engine.fake.audit.lock().unwrap()[0].actor, "agent modern");
}

#[tokio::test]
async fn clients_read_until_the_operator_lets_them_propose() {
    let engine = start().await;
    let mut line = line(&engine).await;
    line.greet("2025-11-25").await;
    let listed = line.ask("tools/list", json!({})).await;
    assert!(names(&listed).contains(&"candles_get"));
    for hidden in ["orders_place", "risk_set", "settings_set", "approvals_accept"] {
        assert!(!names(&listed).contains(&hidden), "{hidden}");
    }
    for tool in listed["result"]["tools"].as_array().unwrap() {
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{}", tool["name"]);
        assert_eq!(tool["outputSchema"]["type"], "object", "{}", tool["name"]);
    }
    let order = json!({"instrument": "BTC-PERP.SIM", "side": "buy", "qty": "1"});
    let refused = line.call("orders_place", order.clone()).await;
    assert_eq!(refused["isError"], true);
    let text: Value = serde_json::from_str(refused["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text["code"], "forbidden");
    assert!(text["message"].as_str().unwrap().contains("mcp.access"));

    engine.fake.settings.lock().unwrap().insert("mcp.access".into(), json!("trade"));
    let listed = line.ask("tools/list", json!({})).await;
    assert!(names(&listed).contains(&"orders_place") && !names(&listed).contains(&"risk_set"));
    let proposed = line.call("orders_place", order).await;
    assert_eq!(proposed["structuredContent"]["approval_id"], "a-1", "a proposal, not an order");
    assert!(engine.fake.orders.lock().unwrap().is_empty());
    // The engine's word for it is `admin`: no setting gives that to a client.
    engine.fake.settings.lock().unwrap().insert("mcp.access".into(), json!("admin"));
    let refused = line.call("risk_set", json!({"account": "paper", "limit": "x", "value": "1"})).await;
    assert_eq!(refused["isError"], true);

    let rows = engine.fake.audit.lock().unwrap();
    let seen: Vec<(&str, &str)> = rows.iter().map(|row| (row.command.as_str(), row.outcome.as_str())).collect();
    assert_eq!(seen, [("orders.place", "forbidden"), ("orders.place", "ok"), ("risk.set", "forbidden")]);
    assert!(rows.iter().all(|row| row.actor == "agent test-client" && row.surface == cw_core::Surface::Mcp));
}

#[tokio::test]
async fn wrong_input_is_an_answer_the_model_can_use() {
    let engine = start().await;
    let mut line = line(&engine).await;
    line.greet("2025-06-18").await;
    // Models write numbers as text.
    let arguments = json!({"instrument": "BTC-PERP.SIM", "timeframe": "1m", "limit": "2"});
    let read = line.call("candles_get", arguments).await;
    assert_eq!(read["structuredContent"]["candles"].as_array().unwrap().len(), 2);
    let text: Value = serde_json::from_str(read["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, read["structuredContent"]);
    let bad = line.call("candles_get", json!({"instrument": "nowhere", "timeframe": "1m"})).await;
    assert_eq!(bad["isError"], true);
    let error: Value = serde_json::from_str(bad["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!((&error["code"], &error["field"]), (&json!("invalid_request"), &json!("instrument")));

    let arguments = json!({"instrument": "BTC-PERP.SIM", "timeframe": "1m", "limit": 1});
    let chart = line.call("chart_window", arguments).await;
    assert_eq!(chart["structuredContent"]["content_type"], "application/octet-stream");
    assert!(chart["structuredContent"]["base64"].as_str().unwrap().starts_with("Q1dGM"), "CWF1 in base64");

    let unknown = line.ask("tools/call", json!({"name": "orders_destroy", "arguments": {}})).await;
    assert_eq!(unknown["error"]["code"], -32602);
    let unknown = line.ask("no/such/method", json!({})).await;
    assert_eq!(unknown["error"]["code"], -32601);
    assert!(line.ask("ping", json!({})).await["result"].is_object());
}

#[tokio::test]
async fn one_client_too_many_is_turned_away_and_the_socket_goes_with_the_engine() {
    let engine = start().await;
    let mut lines = Vec::new();
    for _ in 0..16 {
        let mut line = line(&engine).await;
        line.greet("2025-11-25").await;
        lines.push(line);
    }
    let mut extra = BufReader::new(connect(&engine.path).await.unwrap());
    let mut text = String::new();
    let read = tokio::time::timeout(Duration::from_secs(5), extra.read_line(&mut text)).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)), "closed without a word");
    engine.stop.cancel();
    tokio::time::timeout(Duration::from_secs(5), engine.tasks.wait()).await.expect("it ends with clients connected");
    assert!(!engine.path.exists());
}
