//! The HTTP door over a real socket: what it lets in and what it turns away.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cw_server::Sessions;
use cw_server::http::{HttpError, HttpOptions, HttpServer};
use serde_json::{Value, json};
use support::Fake;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

struct Running {
    address: SocketAddr,
    fake: Arc<Fake>,
    sessions: Arc<Sessions>,
    stop: CancellationToken,
    tasks: TaskTracker,
    _ui: tempfile::TempDir,
}

impl Running {
    async fn start() -> Self {
        let (fake, services) = support::services();
        let sessions = Arc::new(Sessions::new(TOKEN.to_owned()));
        let ui = tempfile::tempdir().unwrap();
        std::fs::write(ui.path().join("index.html"), "<!doctype html><title>Candlewick</title>").unwrap();
        std::fs::create_dir(ui.path().join("assets")).unwrap();
        std::fs::write(ui.path().join("assets/app-1a2b.js"), "export {}").unwrap();
        let assets: Arc<dyn cw_server::ui::UiAssets> = Arc::new(cw_server::ui::UiDirectory::open(ui.path()).unwrap());
        let stop = CancellationToken::new();
        let options = HttpOptions {
            listen: "127.0.0.1:0".parse().unwrap(),
            services,
            sessions: Arc::clone(&sessions),
            ui: Some(assets),
            version: "0.0.0",
            mcp: None,
        };
        let server = HttpServer::bind(options, stop.clone()).await.unwrap();
        let address = server.address();
        let tasks = TaskTracker::new();
        tasks.spawn(server.serve(stop.clone()));
        tasks.close();
        Self { address, fake, sessions, stop, tasks, _ui: ui }
    }

    /// Sends bytes and reads until the server closes or has answered once.
    async fn raw(&self, bytes: &[u8]) -> (u16, String, Vec<u8>) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        read_answer(&mut stream).await
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let body = body.to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        let (status, _, body) = self.raw(request.as_bytes()).await;
        (status, serde_json::from_slice(&body).unwrap())
    }
}

/// Status, head and body of one answer; status 0 when the server closed without one.
async fn read_answer(stream: &mut TcpStream) -> (u16, String, Vec<u8>) {
    let mut bytes = Vec::new();
    let mut buffer = vec![0u8; 16 * 1024];
    loop {
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
            });
            if bytes.len() >= end + 4 + length.unwrap_or(0) {
                let status = head.split(' ').nth(1).unwrap().parse().unwrap();
                return (status, head, bytes.split_off(end + 4));
            }
        }
        match tokio::time::timeout(Duration::from_secs(20), stream.read(&mut buffer)).await.expect("an answer") {
            Ok(0) | Err(_) => return (0, String::new(), bytes),
            Ok(n) => bytes.extend_from_slice(&buffer[..n]),
        }
    }
}

/// `{}` in a case stands for the server's address, `{p}` for its port, `{t}` for the token.
#[tokio::test]
async fn the_table_of_requests() {
    const OK: &str = "Host: {}\r\nAuthorization: Bearer {t}\r\nContent-Type: application/json\r\n";
    let server = Running::start().await;
    let read = "POST /api/v1/symbols/list HTTP/1.1\r\n";
    let with = |head: &str, body: &str| format!("{read}{head}Content-Length: {}\r\n\r\n{body}", body.len());
    let big = format!("{{\"query\":\"{}\"}}", "x".repeat(1 << 20));
    let cases: Vec<(&str, u16, String)> = vec![
        // What a client of ours sends.
        ("a call", 200, with(OK, "{}")),
        ("an empty body is no arguments", 200, with(OK, "")),
        ("a charset", 200, with(&OK.replace("json\r", "json; charset=utf-8\r"), "{}")),
        ("localhost", 200, with(&OK.replace("{}", "localhost:{p}"), "{}")),
        ("the scheme in lower case", 200, with(&OK.replace("Bearer", "bearer"), "{}")),
        ("our own page", 200, with(&format!("{OK}Origin: http://{{}}\r\nSec-Fetch-Site: same-origin\r\n"), "{}")),
        ("a chunked body", 411, format!("{read}{OK}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n")),
        // Other names for us: DNS rebinding.
        ("a rebound name", 421, with(&OK.replace("{}", "evil.example:{p}"), "{}")),
        ("a rebound name without a port", 421, with(&OK.replace("{}", "evil.example"), "{}")),
        ("a name that begins like ours", 421, with(&OK.replace("{}", "127.0.0.1.evil.example:{p}"), "{}")),
        ("another port", 421, with(&OK.replace("{}", "127.0.0.1:1"), "{}")),
        ("no port", 421, with(&OK.replace("{}", "127.0.0.1"), "{}")),
        ("no host", 421, with(&OK.replace("Host: {}\r\n", ""), "{}")),
        ("two hosts", 421, with(&format!("{OK}Host: evil.example\r\n"), "{}")),
        ("an absolute target", 421, with(OK, "{}").replace("POST /", "POST http://evil.example/")),
        ("a rebound page", 421, "GET / HTTP/1.1\r\nHost: evil.example:{p}\r\n\r\n".into()),
        ("a rebound health check", 421, "GET /api/v1/health HTTP/1.1\r\nHost: evil.example\r\n\r\n".into()),
        // Pages of other sites.
        ("a foreign page", 403, with(&format!("{OK}Origin: https://evil.example\r\n"), "{}")),
        ("a sandboxed page", 403, with(&format!("{OK}Origin: null\r\n"), "{}")),
        ("a page of another port", 403, with(&format!("{OK}Origin: http://127.0.0.1:1\r\n"), "{}")),
        ("our name over https", 403, with(&format!("{OK}Origin: https://{{}}\r\n"), "{}")),
        ("two origins", 403, with(&format!("{OK}Origin: http://{{}}\r\nOrigin: http://evil.example\r\n"), "{}")),
        ("a fetch from elsewhere", 403, with(&format!("{OK}Sec-Fetch-Site: cross-site\r\n"), "{}")),
        (
            "a preflight from elsewhere",
            403,
            "OPTIONS /api/v1/orders/place HTTP/1.1\r\nHost: {}\r\nOrigin: https://evil.example\r\n\
          Access-Control-Request-Method: POST\r\n\r\n"
                .into(),
        ),
        ("a preflight", 405, "OPTIONS /api/v1/orders/place HTTP/1.1\r\nHost: {}\r\n\r\n".into()),
        // Forms.
        ("a form", 415, with(&OK.replace("application/json", "application/x-www-form-urlencoded"), "a=1")),
        ("a form of JSON as text", 415, with(&OK.replace("application/json", "text/plain"), "{}")),
        ("an upload", 415, with(&OK.replace("application/json", "multipart/form-data; boundary=x"), "{}")),
        ("no type", 415, with(&OK.replace("Content-Type: application/json\r\n", ""), "{}")),
        // Tokens.
        ("no token", 401, with(&OK.replace("Authorization: Bearer {t}\r\n", ""), "{}")),
        ("a wrong token", 401, with(&OK.replace("{t}", "wrong"), "{}")),
        ("an empty token", 401, with(&OK.replace("{t}", ""), "{}")),
        ("half a token", 401, with(&OK.replace("{t}", &TOKEN[..32]), "{}")),
        ("another scheme", 401, with(&OK.replace("Bearer", "Basic"), "{}")),
        ("a token in a cookie", 401, with(&OK.replace("Authorization: Bearer ", "Cookie: token="), "{}")),
        (
            "a token in the query",
            401,
            with(&OK.replace("Authorization: Bearer {t}\r\n", ""), "{}").replace("list HTTP", "list?token={t} HTTP"),
        ),
        ("metrics without a token", 401, "GET /metrics HTTP/1.1\r\nHost: {}\r\n\r\n".into()),
        // Shapes.
        ("a GET of a command", 405, format!("GET /api/v1/symbols/list HTTP/1.1\r\n{OK}\r\n")),
        ("an unknown command", 404, with(OK, "{}").replace("symbols/list", "symbols/lsit")),
        ("an unknown path", 404, with(OK, "{}").replace("symbols/list", "a/b/c")),
        ("not JSON", 400, with(OK, "{")),
        ("not an object", 400, with(OK, "[1]")),
        ("an unknown argument", 400, with(OK, "{\"bogus\":1}")),
        ("deep JSON", 400, with(OK, &"[".repeat(100_000))),
        // Sizes.
        ("a body over 1 MiB", 413, with(OK, &big)),
        (
            "a chunked body over 1 MiB",
            411,
            format!("{read}{OK}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{big}\r\n0\r\n\r\n", big.len()),
        ),
        ("a head over 16 KiB", 431, format!("{read}{OK}X-Long: {}\r\n\r\n", "x".repeat(20_000))),
        // Smuggling.
        (
            "a length and chunks",
            411,
            format!("{read}{OK}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        ),
        ("two lengths", 400, format!("{read}{OK}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}")),
        ("a folded header", 400, format!("{read}{OK}X-A: 1\r\n 2\r\nContent-Length: 2\r\n\r\n{{}}")),
        ("a space before the colon", 400, format!("{read}{OK}Content-Length : 2\r\n\r\n{{}}")),
        ("not HTTP", 400, "HELLO\r\n\r\n".into()),
    ];
    assert!(cases.len() >= 40);
    let address = server.address.to_string();
    let port = server.address.port().to_string();
    for (what, expected, request) in cases {
        // JSON's own braces come in pairs as well: the address goes into the head alone.
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let head = head.replace("{}", &address).replace("{p}", &port).replace("{t}", TOKEN);
        let (status, answer, body) = server.raw(format!("{head}\r\n\r\n{body}").as_bytes()).await;
        assert_eq!(status, expected, "{what}: {answer}\n{}", String::from_utf8_lossy(&body));
        let lower = answer.to_lowercase();
        assert!(!lower.contains("access-control-") && !lower.contains("set-cookie"), "{what}: {answer}");
        // 400 and 431 of the parser itself have no body.
        if status >= 400 && !body.is_empty() {
            let error: Value = serde_json::from_slice(&body).unwrap();
            assert!(error["code"].is_string() && error["trace_id"].as_str().is_some_and(|t| t.len() >= 8), "{what}");
        }
        // Fifty calls a second are allowed, with a reserve of a hundred: the table stays below.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn what_is_open_and_what_the_page_may_do() {
    let server = Running::start().await;
    let host = server.address;
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");

    let (status, _, body) = server.raw(get("/api/v1/health").as_bytes()).await;
    assert_eq!((status, body.as_slice()), (200, br#"{"status":"ok"}"#.as_slice()));
    *server.fake.status.lock().unwrap() = Some(cw_api::commands::system::HealthStatus::Down);
    let (status, _, body) = server.raw(get("/api/v1/health").as_bytes()).await;
    assert_eq!((status, body.as_slice()), (503, br#"{"status":"down"}"#.as_slice()));

    let (status, head, _) = server.raw(get("/").as_bytes()).await;
    let head = head.to_lowercase();
    assert_eq!(status, 200);
    for part in ["default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "nosniff", "no-referrer"] {
        assert!(head.contains(part), "{part} in {head}");
    }
    assert!(!head.contains("unsafe"), "{head}");
    let (status, head, _) = server.raw(get("/assets/app-1a2b.js").as_bytes()).await;
    assert!(status == 200 && head.contains("immutable") && head.contains("text/javascript"), "{head}");
    assert_eq!(server.raw(get("/workspace/trade").as_bytes()).await.0, 200);
    assert_eq!(server.raw(get("/assets/gone.js").as_bytes()).await.0, 404);
    assert_eq!(server.raw(get("/../../etc/passwd").as_bytes()).await.0, 200, "the page, never the file");
    assert_eq!(server.raw(get("/%2e%2e/%2e%2e/etc/passwd.txt").as_bytes()).await.0, 404);

    let (status, _, body) = server.raw(get("/api/v1/openapi.json").as_bytes()).await;
    let document: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, &document["openapi"]), (200, &json!("3.1.0")));

    let metrics = format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n");
    let (status, _, body) = server.raw(metrics.as_bytes()).await;
    assert!(status == 200 && String::from_utf8(body).unwrap().contains("candlewick_up 1"));
}

#[tokio::test]
async fn calls_are_answered_and_refusals_are_audited() {
    let server = Running::start().await;
    let (status, answer) =
        server.post("/api/v1/candles/get", &json!({"instrument": "BTC-PERP.SIM", "timeframe": "1m", "limit": 2})).await;
    assert_eq!(status, 200);
    assert_eq!(answer["candles"][1]["close"], "102");

    let (status, error) =
        server.post("/api/v1/candles/get", &json!({"instrument": "nowhere", "timeframe": "1m"})).await;
    assert_eq!((status, &error["code"], &error["field"]), (400, &json!("invalid_request"), &json!("instrument")));
    let (status, error) = server.post("/api/v1/candles/get", &json!({"instrument": "BTC-PERP.SIM"})).await;
    assert_eq!((status, &error["field"]), (400, &json!("timeframe")));
    let order = json!({"instrument": "BTC-PERP.SIM", "side": "buy", "qty": "5000"});
    let (status, error) = server.post("/api/v1/orders/place", &order).await;
    assert_eq!((status, &error["code"], &error["reasons"]), (422, &json!("denied"), &json!(["max_qty: 1000"])));
    let (status, error) = server.post("/api/v1/journal/explain", &json!({"id": "panic"})).await;
    assert_eq!((status, &error["code"]), (500, &json!("internal")), "a broken handler is an answer");

    let rows = server.fake.audit.lock().unwrap().clone();
    let outcomes: Vec<(&str, &str)> = rows.iter().map(|row| (row.command.as_str(), row.outcome.as_str())).collect();
    assert_eq!(
        outcomes,
        [
            ("candles.get", "ok"),
            ("candles.get", "invalid_request"),
            ("candles.get", "invalid_request"),
            ("orders.place", "denied"),
            ("journal.explain", "internal"),
        ]
    );
    assert!(rows.iter().all(|row| row.surface == cw_core::Surface::Rest && row.actor == "operator"));
    assert_eq!(Some(rows[4].trace_id.as_str()), error["trace_id"].as_str());
}

#[tokio::test]
async fn a_chart_window_is_bytes() {
    let server = Running::start().await;
    let body = r#"{"instrument":"BTC-PERP.SIM","timeframe":"15m","limit":3}"#;
    let request = format!(
        "POST /api/v1/chart/window HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        server.address,
        body.len()
    );
    let (status, head, bytes) = server.raw(request.as_bytes()).await;
    assert_eq!(status, 200);
    assert!(head.to_lowercase().contains("content-type: application/octet-stream"), "{head}");
    let frame = cw_api::frame::ChartFrame::decode(&bytes).unwrap();
    assert_eq!((frame.header.rows, frame.columns.len()), (3, 6));
}

#[tokio::test]
async fn a_browser_pairs_once() {
    let server = Running::start().await;
    let code = server.sessions.new_code();
    let pair = |code: &str| {
        let body = json!({ "code": code }).to_string();
        format!(
            "POST /api/v1/session/pair HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nContent-Type: application/json\r\n\
             Content-Length: {1}\r\n\r\n{body}",
            server.address,
            body.len()
        )
    };
    assert_eq!(server.raw(pair("guess").as_bytes()).await.0, 401);
    let (status, _, body) = server.raw(pair(&code).as_bytes()).await;
    assert_eq!(status, 200);
    let answer: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(server.raw(pair(&code).as_bytes()).await.0, 401, "a code works once");
    let call = format!(
        "POST /api/v1/symbols/list HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: 2\r\n\r\n{{}}",
        server.address,
        answer["token"].as_str().unwrap()
    );
    assert_eq!(server.raw(call.as_bytes()).await.0, 200);
}

#[tokio::test]
async fn fifty_calls_a_second() {
    let server = Running::start().await;
    let call = format!(
        "POST /api/v1/symbols/list HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n\
         Content-Length: 2\r\n\r\n{{}}",
        server.address
    );
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let mut statuses = Vec::new();
    for _ in 0..300 {
        stream.write_all(call.as_bytes()).await.unwrap();
        statuses.push(read_answer(&mut stream).await.0);
        if statuses.last() == Some(&429) {
            break;
        }
    }
    assert_eq!(statuses.last(), Some(&429));
    assert!(statuses.len() > 100, "the reserve is a hundred");
}

#[tokio::test]
async fn silent_connections_do_not_keep_a_client_out() {
    let server = Running::start().await;
    let mut silent = Vec::new();
    for _ in 0..500 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(b"POST /api/v1/symbols/list HTTP/1.1\r\nHost: ").await.unwrap();
        silent.push(stream);
    }
    let mut times = Vec::new();
    for _ in 0..50 {
        let started = tokio::time::Instant::now();
        let (status, _) = server.post("/api/v1/symbols/list", &json!({})).await;
        assert_eq!(status, 200);
        times.push(started.elapsed());
    }
    times.sort();
    assert!(times[49] < Duration::from_millis(500), "slowest {:?}", times[49]);
}

#[tokio::test]
async fn a_stop_finishes_in_time_and_other_addresses_are_refused() {
    let server = Running::start().await;
    let idle = TcpStream::connect(server.address).await.unwrap();
    server.stop.cancel();
    tokio::time::timeout(Duration::from_secs(6), server.tasks.wait()).await.expect("it stops with a client connected");
    drop(idle);

    let (_, services) = support::services();
    let options = HttpOptions {
        listen: "0.0.0.0:0".parse().unwrap(),
        services,
        sessions: Arc::new(Sessions::new(TOKEN.to_owned())),
        ui: None,
        version: "0.0.0",
        mcp: None,
    };
    let refused = HttpServer::bind(options, CancellationToken::new()).await;
    assert!(matches!(refused, Err(HttpError::NotLoopback(_))));
}

mod live {
    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio_tungstenite::tungstenite::Message;
    use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

    use super::*;

    type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<TcpStream>>;

    async fn open(server: &Running) -> Socket {
        let url = format!("ws://{}/api/v1/stream", server.address);
        tokio_tungstenite::connect_async(url).await.unwrap().0
    }

    async fn say(socket: &mut Socket, value: Value) {
        socket.send(Message::text(value.to_string())).await.unwrap();
    }

    async fn hear(socket: &mut Socket) -> Value {
        loop {
            let message = tokio::time::timeout(Duration::from_secs(10), socket.next()).await.unwrap().unwrap().unwrap();
            match message {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Close(frame) => return json!({ "closed": frame.map(|f| u16::from(f.code)) }),
                _ => {}
            }
        }
    }

    #[tokio::test]
    async fn topics_begin_with_a_snapshot_and_are_numbered() {
        let server = Running::start().await;
        let order = json!({"instrument": "BTC-PERP.SIM", "side": "buy", "qty": "1"});
        assert_eq!(server.post("/api/v1/orders/place", &order).await.0, 200);

        let mut socket = open(&server).await;
        say(&mut socket, json!({"op": "auth", "token": TOKEN})).await;
        say(&mut socket, json!({"op": "ping"})).await;
        assert_eq!(hear(&mut socket).await, json!({"op": "pong"}));
        say(&mut socket, json!({"op": "subscribe", "id": 7, "topic": "orders", "params": {}})).await;
        for (seq, kind) in [(1, "snapshot"), (2, "delta")] {
            let update = hear(&mut socket).await;
            assert_eq!((&update["id"], &update["topic"]), (&json!(7), &json!("orders")));
            assert_eq!((&update["seq"], &update["kind"]), (&json!(seq), &json!(kind)));
            assert_eq!(update["data"][0]["qty"], "1");
        }
        say(&mut socket, json!({"op": "subscribe", "id": 7, "topic": "orders"})).await;
        assert_eq!(hear(&mut socket).await["error"]["code"], "conflict");
        say(&mut socket, json!({"op": "subscribe", "id": 8, "topic": "gossip"})).await;
        let error = hear(&mut socket).await;
        assert_eq!((&error["id"], &error["error"]["code"]), (&json!(8), &json!("not_found")));
        say(&mut socket, json!({"op": "dance"})).await;
        assert_eq!(hear(&mut socket).await["error"]["code"], "invalid_request");
        say(&mut socket, json!({"op": "unsubscribe", "id": 7})).await;
        say(&mut socket, json!({"op": "subscribe", "id": 7, "topic": "orders"})).await;
        assert_eq!(hear(&mut socket).await["seq"], 1, "a new subscription counts anew");
    }

    #[tokio::test]
    async fn a_topic_whose_venue_does_not_answer_holds_up_no_other() {
        let server = Running::start().await;
        let order = json!({"instrument": "BTC-PERP.SIM", "side": "buy", "qty": "1"});
        assert_eq!(server.post("/api/v1/orders/place", &order).await.0, 200);
        let mut socket = open(&server).await;
        say(&mut socket, json!({"op": "auth", "token": TOKEN})).await;
        let chart = json!({"instrument": "AAPL.ALPACA", "timeframe": "1h", "set": ""});
        say(&mut socket, json!({"op": "subscribe", "id": 1, "topic": "chart", "params": chart})).await;
        say(&mut socket, json!({"op": "subscribe", "id": 2, "topic": "orders"})).await;
        assert_eq!((&hear(&mut socket).await["id"], &hear(&mut socket).await["id"]), (&json!(2), &json!(2)));
        say(&mut socket, json!({"op": "subscribe", "id": 3, "topic": "stats"})).await;
        let refused = hear(&mut socket).await;
        assert_eq!((&refused["id"], &refused["error"]["code"]), (&json!(3), &json!("unavailable")));
        // What was refused, and what was taken back before it began, can be asked for again.
        say(&mut socket, json!({"op": "unsubscribe", "id": 1})).await;
        for id in [1, 3] {
            say(&mut socket, json!({"op": "subscribe", "id": id, "topic": "orders"})).await;
            assert_eq!((&hear(&mut socket).await["id"], &hear(&mut socket).await["id"]), (&json!(id), &json!(id)));
        }
    }

    #[tokio::test]
    async fn strangers_are_turned_away() {
        let server = Running::start().await;
        let mut socket = open(&server).await;
        say(&mut socket, json!({"op": "subscribe", "id": 1, "topic": "orders"})).await;
        assert_eq!(hear(&mut socket).await, json!({"closed": 1008}));
        let mut socket = open(&server).await;
        say(&mut socket, json!({"op": "auth", "token": "wrong"})).await;
        assert_eq!(hear(&mut socket).await, json!({"closed": 1008}));

        let mut request = format!("ws://{}/api/v1/stream", server.address).into_client_request().unwrap();
        request.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
        let refused = tokio_tungstenite::connect_async(request).await.unwrap_err().to_string();
        assert!(refused.contains("403"), "{refused}");
    }

    #[tokio::test]
    async fn a_client_that_does_not_read_is_dropped_and_others_go_on() {
        let server = Running::start().await;
        let mut frozen = open(&server).await;
        say(&mut frozen, json!({"op": "auth", "token": TOKEN})).await;
        // This topic is as fast as it is read; nobody reads it here.
        say(&mut frozen, json!({"op": "subscribe", "id": 1, "topic": "jobs"})).await;
        let mut reader = open(&server).await;
        say(&mut reader, json!({"op": "auth", "token": TOKEN})).await;
        for _ in 0..20 {
            say(&mut reader, json!({"op": "ping"})).await;
            assert_eq!(hear(&mut reader).await, json!({"op": "pong"}));
        }
    }

    #[tokio::test]
    async fn the_stream_ends_with_the_engine() {
        let server = Running::start().await;
        let mut socket = open(&server).await;
        say(&mut socket, json!({"op": "auth", "token": TOKEN})).await;
        say(&mut socket, json!({"op": "ping"})).await;
        hear(&mut socket).await;
        server.stop.cancel();
        assert_eq!(hear(&mut socket).await, json!({"closed": 1001}));
    }
}
