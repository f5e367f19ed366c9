//! A node's life on a real store: trade on the simulated market, stop, start again, replay.

use std::sync::Arc;
use std::time::Duration;

use cw_api::{Access, ApiError, Caller, Context, ErrorCode, Output, Services, dispatch};
use cw_core::Surface;
use cw_node::{LogRing, Node, NodeConfig};
use serde_json::{Value, json};

async fn open(dir: &std::path::Path) -> Node {
    Node::open(NodeConfig::live(dir), LogRing::new()).await.expect("the node opens")
}

async fn call_as(services: &Arc<Services>, caller: Caller, name: &str, body: Value) -> Result<Value, ApiError> {
    let context = Context::new(caller, Arc::clone(services));
    dispatch(name, body, &context).await.map(Output::into_json)
}

async fn call(services: &Arc<Services>, name: &str, body: Value) -> Value {
    let answer = call_as(services, Caller::operator(Surface::Rest), name, body.clone()).await;
    answer.unwrap_or_else(|error| panic!("{name} {body}: {error:?}"))
}

/// Asks until the answer satisfies `done`.
async fn until(services: &Arc<Services>, name: &str, body: Value, done: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..600 {
        last = call(services, name, body.clone()).await;
        if done(&last) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{name} never got there: {last:#}");
}

/// Waits until the engine has a price for the order and its gate would let it pass.
async fn passes(services: &Arc<Services>, order: &Value) {
    for _ in 0..600 {
        let preview = call_as(services, Caller::operator(Surface::Rest), "orders.preview", order.clone()).await;
        let checks = preview.ok().and_then(|p| p["checks"].as_array().cloned()).unwrap_or_default();
        if !checks.is_empty() && checks.iter().all(|c| c["pass"] == true) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the gate never lets {order} pass");
}

fn len(value: &Value) -> usize {
    value.as_array().map_or(0, Vec::len)
}

/// Waits for a quote and buys with both exits five percent away.
async fn buy_bracket(services: &Arc<Services>, qty: &str) -> Value {
    let quotes = until(services, "quotes.list", json!({"instruments": ["BTC-PERP.SIM"]}), |q| {
        q["quotes"][0]["bid"].as_str().is_some_and(|b| b != "0") && q["quotes"][0]["stale"] == false
    })
    .await;
    let bid: f64 = quotes["quotes"][0]["bid"].as_str().and_then(|b| b.parse().ok()).expect("a bid");
    let order = json!({
        "account": "paper", "instrument": "BTC-PERP.SIM", "side": "buy", "qty": qty,
        "take_profit": format!("{:.0}", bid * 1.05), "stop_loss": format!("{:.0}", bid * 0.95),
    });
    passes(services, &order).await;
    call(services, "orders.place", order).await
}

#[tokio::test(flavor = "multi_thread")]
async fn trades_survives_and_replays() {
    let dir = tempfile::tempdir().unwrap();
    let node = open(dir.path()).await;
    let services = node.services();

    let placed = buy_bracket(&services, "0.1").await;
    assert_eq!(placed["status"], "sent");
    // It may fill in parts; the exits follow its size.
    let positions = until(&services, "positions.list", json!({}), |p| p["positions"][0]["qty"] == "0.1").await;
    until(&services, "orders.list", json!({"open_only": true}), |o| {
        let working = |o: &Value| o["status"] == "accepted" && o["qty"] == "0.1";
        len(&o["orders"]) == 2 && o["orders"].as_array().unwrap().iter().all(working)
    })
    .await;
    let fills = call(&services, "fills.list", json!({})).await;
    let count = len(&fills["fills"]);
    assert!(count >= 1);

    let why = call(&services, "journal.explain", json!({"id": fills["fills"][0]["id"]})).await;
    let kinds: Vec<&str> = why["steps"].as_array().unwrap().iter().filter_map(|s| s["kind"].as_str()).collect();
    assert_eq!(kinds, ["fill", "venue_report", "order", "command", "quote"]);

    let verified = call(&services, "journal.verify", json!({})).await;
    assert_eq!(verified["ok"], true, "{verified}");
    let replay = call(&services, "journal.replay", json!({})).await;
    assert_eq!(replay["matches"], true, "{replay}");

    let accounts = call(&services, "accounts.list", json!({})).await;
    node.stop().await;
    drop(services);
    drop(node);

    // Started again: the same position, the same orders, nothing twice.
    let node = open(dir.path()).await;
    let services = node.services();
    let again = call(&services, "positions.list", json!({})).await;
    assert_eq!(again["positions"][0]["entry_price"], positions["positions"][0]["entry_price"]);
    assert_eq!(len(&call(&services, "fills.list", json!({})).await["fills"]), count);
    assert_eq!(len(&call(&services, "orders.list", json!({"open_only": true})).await["orders"]), 2);
    let balance = |a: &Value| a["accounts"][0]["balance"].clone();
    assert_eq!(balance(&call(&services, "accounts.list", json!({})).await), balance(&accounts));

    // Closing it takes the exits with it.
    let sell = json!({"account": "paper", "instrument": "BTC-PERP.SIM", "side": "sell", "qty": "0.1"});
    passes(&services, &sell).await;
    call(&services, "positions.close", json!({"instrument": "BTC-PERP.SIM"})).await;
    until(&services, "positions.list", json!({}), |p| len(&p["positions"]) == 0).await;
    until(&services, "orders.list", json!({"open_only": true}), |o| len(&o["orders"]) == 0).await;
    let replay = call(&services, "journal.replay", json!({})).await;
    assert_eq!(replay["matches"], true, "{replay}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_halt_stops_new_risk_and_only_that_and_survives() {
    let dir = tempfile::tempdir().unwrap();
    let node = open(dir.path()).await;
    let services = node.services();
    buy_bracket(&services, "0.1").await;
    until(&services, "positions.list", json!({}), |p| p["positions"][0]["qty"] == "0.1").await;
    call(&services, "risk.halt", json!({"reason": "testing"})).await;
    let order = json!({"account": "paper", "instrument": "ETH-PERP.SIM", "side": "buy", "qty": "1"});
    let refused = call_as(&services, Caller::operator(Surface::Rest), "orders.place", order.clone()).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Denied);
    assert!(refused.reasons.iter().any(|r| r.starts_with("halted")), "{refused:?}");
    node.stop().await;
    drop(services);
    drop(node);

    let node = open(dir.path()).await;
    let services = node.services();
    assert_eq!(call(&services, "risk.show", json!({})).await["halted"], true);
    call(&services, "positions.close", json!({"instrument": "BTC-PERP.SIM"})).await;
    until(&services, "positions.list", json!({}), |p| len(&p["positions"]) == 0).await;
    call(&services, "risk.resume", json!({"reason": "tested"})).await;
    passes(&services, &order).await;
    call(&services, "orders.place", order).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_proposes_and_a_human_decides() {
    let dir = tempfile::tempdir().unwrap();
    let node = open(dir.path()).await;
    let services = node.services();
    let agent = || Caller::agent("claude", Access::Trade, Surface::Mcp);
    let order = json!({"account": "paper", "instrument": "BTC-PERP.SIM", "side": "buy", "qty": "0.05"});
    passes(&services, &order).await;
    let asked = call_as(&services, agent(), "orders.place", order).await.unwrap();
    let id = asked["approval_id"].clone();
    assert!(asked["order_id"].is_null() && id.is_string(), "{asked}");
    let own = call_as(&services, agent(), "approvals.accept", json!({"id": id})).await.unwrap_err();
    assert_eq!(own.code, ErrorCode::Forbidden);
    assert_eq!(len(&call(&services, "orders.list", json!({})).await["orders"]), 0);

    let accepted = call(&services, "approvals.accept", json!({"id": id})).await;
    assert_eq!(accepted["state"], "accepted");
    let order = until(&services, "orders.list", json!({}), |o| o["orders"][0]["status"] == "filled").await;
    assert_eq!(order["orders"][0]["source"], "agent claude");
    let twice = call_as(&services, Caller::operator(Surface::Rest), "approvals.accept", json!({"id": id})).await;
    assert_eq!(twice.unwrap_err().code, ErrorCode::Conflict);
    node.stop().await;
}

/// The value of a limit of an account now.
async fn limit(services: &Arc<Services>, account: &str, name: &str) -> Value {
    let risk = call(services, "risk.show", json!({})).await;
    let limits = risk["limits"].as_array().expect("limits");
    let found = limits.iter().find(|l| l["account"] == account && l["name"] == name);
    found.unwrap_or_else(|| panic!("{account} {name} in {risk:#}"))["limit"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_opens_accounts_and_tightens_limits_while_it_runs() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("candlewick.toml");
    let write = |paper: &str, swing: &str| {
        let account = |id: &str, limit: &str| {
            format!("[[accounts]]\nid = \"{id}\"\n[accounts.limits]\nmax_order_notional = {limit}\n")
        };
        std::fs::write(&file, account("paper", paper) + &account("swing", swing)).unwrap();
    };
    let start = async || {
        let settings = cw_node::Settings::load(Some(&file), std::iter::empty()).unwrap();
        let config = NodeConfig { settings, file: Some(file.clone()), ..NodeConfig::live(dir.path().join("data")) };
        Node::open(config, LogRing::new()).await.unwrap()
    };
    // An installation that knows only the standard account.
    open(&dir.path().join("data")).await.stop().await;

    write("50000", "2000");
    let node = start().await;
    let services = node.services();
    assert_eq!(limit(&services, "paper", "max_order_notional").await, "50000");
    assert_eq!(limit(&services, "swing", "max_order_notional").await, "2000");

    // Lower at once, higher not at all: a person did not say so.
    write("90000", "1500");
    for _ in 0..100 {
        if limit(&services, "swing", "max_order_notional").await == "1500" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(limit(&services, "swing", "max_order_notional").await, "1500");
    assert_eq!(limit(&services, "paper", "max_order_notional").await, "50000");
    node.stop().await;
    drop((services, node));

    // The account trades, and comes back.
    let node = start().await;
    let services = node.services();
    let order = json!({"account": "swing", "instrument": "ETH-PERP.SIM", "side": "buy", "qty": "0.1"});
    passes(&services, &order).await;
    call(&services, "orders.place", order).await;
    until(&services, "positions.list", json!({"account": "swing"}), |p| len(&p["positions"]) == 1).await;
    let replay = call(&services, "journal.replay", json!({})).await;
    assert_eq!(replay["matches"], true, "{replay}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_simulated_market_starts_as_it_was_left() {
    let dir = tempfile::tempdir().unwrap();
    let node = open(dir.path()).await;
    call(&node.services(), "mock.speed", json!({"speed": 10})).await;
    let state = call(&node.services(), "mock.disable", json!({})).await;
    assert_eq!((&state["enabled"], state["speed"].as_f64()), (&json!(false), Some(10.0)));
    node.stop().await;
    drop(node);
    let node = open(dir.path()).await;
    let state = call(&node.services(), "mock.enable", json!({})).await;
    assert_eq!(state["speed"].as_f64(), Some(10.0), "{state}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_in_is_recorded_and_comes_back_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let node = open(dir.path()).await;
    let services = node.services();
    call(&services, "mock.speed", json!({"speed": 50})).await;
    let id = "BTC-PERP.SIM";
    let list = call(&services, "ticks.start", json!({"instruments": [id]})).await;
    assert_eq!(list["recordings"][0]["recording"], true);
    until(&services, "ticks.list", json!({}), |list| list["recordings"][0]["events"].as_u64() > Some(200)).await;
    let list = call(&services, "ticks.stop", json!({})).await;
    let recording = &list["recordings"][0];
    assert_eq!((&recording["recording"], &recording["dropped"]), (&json!(false), &json!(0)));
    let events = recording["events"].as_u64().unwrap();
    assert!(recording["bytes"].as_u64().unwrap() < events * 20, "{recording}");

    let body = json!({"instrument": id, "timeframe": "1s", "limit": 5});
    let replay = call(&services, "ticks.replay", body.clone()).await;
    let trades = replay["trades"].as_u64().unwrap();
    assert_eq!(trades + replay["quotes"].as_u64().unwrap() + replay["breaks"].as_u64().unwrap(), events);
    assert_eq!((&replay["lost"], &replay["damaged_bytes"], &replay["discarded"]), (&json!(0), &json!(0), &json!(0)));
    assert_eq!(len(&replay["candles"]), 5);
    assert_eq!(call(&services, "ticks.replay", body).await, replay, "twice the same");

    let export = call(&services, "ticks.export", json!({"instrument": id})).await;
    let csv = export["text"].as_str().unwrap();
    assert_eq!(csv.lines().count() as u64, trades + 1);
    // What it says is imported under another name and candles of both agree.
    std::fs::write(dir.path().join("trades.csv"), csv).unwrap();
    let file = dir.path().join("trades.csv").to_string_lossy().into_owned();
    let body = json!({"file": file, "instrument": "COPY.FILE", "timeframe": "1s"});
    let import = call(&services, "data.import", body).await;
    assert_eq!(import["rejected_count"], 0, "{import}");
    let copy = call(&services, "candles.get", json!({"instrument": "COPY.FILE", "timeframe": "1s", "limit": 5})).await;
    assert_eq!(copy["candles"], replay["candles"]);
    node.stop().await;

    let node = open(dir.path()).await;
    let again = call(&node.services(), "ticks.list", json!({})).await;
    assert_eq!(again["recordings"][0]["events"], events);
    let sessions = call(&node.services(), "market.sessions", json!({"instrument": id, "limit": 2})).await;
    assert_eq!((&sessions["calendar"], &sessions["phase"]), (&json!("24x7"), &json!("open")));
    assert_eq!(len(&sessions["sessions"]), 2);
    node.stop().await;
}
