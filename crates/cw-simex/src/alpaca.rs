//! Alpaca's market data: REST v2 and v1beta3, WebSocket v2.
//! Source: the OpenAPI document "market-data-api" 1.1 and docs.alpaca.markets/docs/streaming-market-data.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cw_core::{Candle, Timestamp};
use serde_json::{Value, json};

use crate::exchange::{Exchange, Tick};
use crate::fault::Wrong;
use crate::market::{self, MINUTE};
use crate::news::Article;
use crate::server::{Dialect, number, refuse};
use crate::session::{self, Codec, Voice};

/// Bars in a page, and in one of a test.
const MOST_ROWS: usize = 10_000;
const FEW_ROWS: usize = 400;
/// Midnight in New York, in winter.
const NEW_YORK: i64 = 5 * 60 * MINUTE;

pub(crate) fn router() -> Router<Arc<Exchange>> {
    Router::new()
        .route("/v2/stocks/bars", get(stock_bars))
        .route("/v2/stocks/bars/latest", get(latest))
        .route("/v1beta3/crypto/us/bars", get(bars))
        .route("/v1beta3/crypto/us/bars/latest", get(latest))
        .route("/v2/stocks/quotes/latest", get(latest_quotes))
        .route("/v1beta3/crypto/us/latest/quotes", get(latest_quotes))
        .route("/v2/assets", get(assets))
        .route("/v1beta1/news", get(news))
        .route("/v2/{feed}", get(socket))
        .route("/v1beta3/crypto/us", get(socket))
}

fn forbidden(headers: &HeaderMap) -> Option<Response> {
    let has = |name| headers.get(name).is_some_and(|value| !value.is_empty());
    (!has("apca-api-key-id") || !has("apca-api-secret-key")).then(|| refuse(401, json!({ "message": "unauthorized." })))
}

async fn stock_bars(
    exchange: State<Arc<Exchange>>,
    query: Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = forbidden(&headers) {
        return refusal;
    }
    bars(exchange, query).await
}

fn length(word: &str) -> Option<i64> {
    let units = [("Min", 1), ("T", 1), ("Hour", 60), ("H", 60), ("Day", 1_440), ("D", 1_440)];
    let (count, unit) = units.into_iter().find_map(|(unit, minutes)| Some((word.strip_suffix(unit)?, minutes)))?;
    market::length(count, unit)
}

async fn bars(State(exchange): State<Arc<Exchange>>, Query(query): Query<BTreeMap<String, String>>) -> Response {
    let text = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let bad = |message: &str| refuse(400, json!({ "message": message }));
    let Some(length) = length(text("timeframe")) else { return bad("invalid timeframe") };
    let (Ok(start), Ok(end)) = (text("start").parse::<Timestamp>(), text("end").parse::<Timestamp>()) else {
        return bad("invalid start or end");
    };
    let origin = if length == 1_440 * MINUTE { NEW_YORK } else { 0 };
    let mut rows: Vec<(&str, Candle)> = Vec::new();
    for name in text("symbols").split(',') {
        let Some(symbol) = number(Dialect::Alpaca, name) else { continue };
        // Whole bars: both ends are inclusive and count a bar's beginning.
        let minutes = exchange.truth(symbol, start.plus_nanos(-length), end.plus_nanos(length + 1), false);
        let folded = market::fold(&minutes, length, origin).into_iter();
        rows.extend(folded.filter(|c| c.open_time >= start && c.open_time <= end).map(|c| (name, c)));
    }
    let limit = text("limit").parse().unwrap_or(1_000).clamp(1, exchange.page(FEW_ROWS, MOST_ROWS));
    // `row-400` is the place of the next row; the page before it comes once more, empty, under the name `wait-400`.
    let (begin, empty) = match text("page_token").split_once('-') {
        Some((kind @ ("row" | "wait"), place)) => (place.parse().unwrap_or(usize::MAX), kind == "wait"),
        Some(_) => return bad("invalid page_token"),
        None => (0, false),
    };
    let begin: usize = begin;
    let end = if empty { begin } else { begin.saturating_add(limit).min(rows.len()) };
    let mut map: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (name, candle) in rows.get(begin..end).unwrap_or_default() {
        map.entry(name).or_default().push(bar(candle));
    }
    let kind = if end == limit && !empty { "wait" } else { "row" };
    let token = (end < rows.len()).then(|| format!("{kind}-{end}"));
    axum::Json(json!({ "bars": map, "next_page_token": token })).into_response()
}

async fn latest(State(exchange): State<Arc<Exchange>>, Query(query): Query<BTreeMap<String, String>>) -> Response {
    let mut map = BTreeMap::new();
    for name in query.get("symbols").map(String::as_str).unwrap_or_default().split(',') {
        let Some(symbol) = number(Dialect::Alpaca, name) else { continue };
        let now = exchange.now();
        if let Some(candle) = exchange.truth(symbol, now.plus_nanos(-60 * MINUTE), now, false).last() {
            map.insert(name, bar(candle));
        }
    }
    axum::Json(json!({ "bars": map })).into_response()
}

async fn latest_quotes(
    State(exchange): State<Arc<Exchange>>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let mut map = BTreeMap::new();
    for name in query.get("symbols").map(String::as_str).unwrap_or_default().split(',') {
        let Some(symbol) = number(Dialect::Alpaca, name) else { continue };
        if let Some(print) = exchange.market.last_print(symbol, exchange.now()) {
            let cents = |cents: i64| cents as f64 / 100.0;
            map.insert(name, json!({ "t": print.time, "bp": cents(print.cents - 1), "ap": cents(print.cents + 1) }));
        }
    }
    axum::Json(json!({ "quotes": map })).into_response()
}

/// Of the trading side, with some that are nobody's business here.
async fn assets(headers: HeaderMap) -> Response {
    if let Some(refusal) = forbidden(&headers) {
        return refusal;
    }
    let row = |name: &&str| {
        let class = if name.contains('/') { "crypto" } else { "us_equity" };
        let mut row = json!({ "id": "b0b6dd9d-8b9b-48a9-ba46-b9d54906e415", "class": class, "exchange": "NASDAQ",
            "symbol": name, "name": format!("{name} of the simulated market"), "status": "active", "tradable": true });
        if class == "crypto" {
            row["min_order_size"] = json!("0.0001");
            row["min_trade_increment"] = json!("0.000000001");
            row["price_increment"] = json!("0.01");
        }
        row
    };
    let mut rows: Vec<Value> = Dialect::Alpaca.symbols().iter().map(row).collect();
    rows.push(json!({ "class": "us_option", "symbol": "AAPL260320C00150000", "status": "active" }));
    axum::Json(rows).into_response()
}

fn bar(candle: &Candle) -> Value {
    let number = |price: cw_core::Price| price.to_f64();
    json!({
        "t": candle.open_time, "o": number(candle.open), "h": number(candle.high), "l": number(candle.low),
        "c": number(candle.close), "v": candle.volume.raw() / 1_000_000_000, "n": 3, "vw": number(candle.close),
    })
}

async fn socket(State(exchange): State<Arc<Exchange>>, headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    let talk = Talk { exchange: Arc::clone(&exchange), signed_in: false, channels: BTreeMap::new() };
    let packed = headers.get("content-type").is_some_and(|codec| codec == "application/msgpack");
    let codec = if packed { Codec::Msgpack } else { Codec::Json };
    upgrade.on_upgrade(move |socket| session::run(socket, exchange, talk, codec))
}

/// News by request and, to who asks for a WebSocket, as they happen.
async fn news(
    State(exchange): State<Arc<Exchange>>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    if let Ok(upgrade) = upgrade {
        return socket(State(exchange), headers, upgrade).await;
    }
    if let Some(refusal) = forbidden(&headers) {
        return refusal;
    }
    let text = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let moment = |name: &str, or: Timestamp| if text(name).is_empty() { Ok(or) } else { text(name).parse() };
    let (Ok(start), Ok(end)) = (moment("start", Timestamp::EPOCH), moment("end", exchange.now())) else {
        return refuse(400, json!({ "message": "invalid start or end" }));
    };
    let limit = text("limit").parse().unwrap_or(10usize);
    let token = text("page_token");
    let begin = if token.is_empty() { Some(0) } else { token.strip_prefix("n-").and_then(|place| place.parse().ok()) };
    let Some(begin) = begin.filter(|_| (1..=50).contains(&limit)) else {
        return refuse(400, json!({ "message": "invalid limit or page_token" }));
    };
    // What is longer ago than a month is not kept here.
    let start = start.max(exchange.now().plus_nanos(-31 * 1_440 * MINUTE));
    let mut found = exchange.articles(start, end.plus_nanos(1), Dialect::Alpaca.symbols());
    let wanted: Vec<&str> = text("symbols").split(',').filter(|name| !name.is_empty()).collect();
    found.retain(|article| wanted.is_empty() || wanted.contains(&news_symbol(article).as_str()));
    if text("sort") != "asc" {
        found.reverse();
    }
    let rows: Vec<Value> = found.iter().skip(begin).take(limit).map(article).collect();
    let token = (begin + limit < found.len()).then(|| format!("n-{}", begin + limit));
    axum::Json(json!({ "news": rows, "next_page_token": token })).into_response()
}

/// Crypto has no slash here.
fn news_symbol(article: &Article) -> String {
    Dialect::Alpaca.symbols()[article.symbol].replace('/', "")
}

fn article(article: &Article) -> Value {
    json!({
        "id": article.number, "headline": article.headline, "author": "Newsdesk", "created_at": article.time,
        "updated_at": article.time, "summary": article.summary, "content": "<p>whole</p>", "images": [],
        "symbols": [news_symbol(article)], "source": article.host(), "url": article.url(),
    })
}

struct Talk {
    exchange: Arc<Exchange>,
    signed_in: bool,
    /// Symbols by channel.
    channels: BTreeMap<String, BTreeSet<String>>,
}

impl Talk {
    fn wants(&self, channel: &str, name: &str) -> bool {
        self.channels.get(channel).is_some_and(|symbols| symbols.contains(name) || symbols.contains("*"))
    }

    /// The articles of a minute about a symbol.
    fn articles(&self, symbol: usize, minute: i64) -> Vec<String> {
        if !self.wants("news", "*") {
            return Vec::new();
        }
        let begin = Timestamp::from_nanos(minute * MINUTE);
        let all = self.exchange.articles(begin, begin.plus_nanos(MINUTE), Dialect::Alpaca.symbols());
        let row = |article: Value| {
            let mut message = json!({ "T": "n" });
            if let (Some(message), Some(fields)) = (message.as_object_mut(), article.as_object()) {
                message.extend(fields.clone());
            }
            json!([message]).to_string()
        };
        all.iter().filter(|one| one.symbol == symbol).map(|one| row(article(one))).collect()
    }

    /// The day so far, after each minute.
    fn day(&self, symbol: usize, minute: i64) -> Vec<String> {
        let name = Dialect::Alpaca.symbols()[symbol];
        if !self.wants("dailyBars", name) {
            return Vec::new();
        }
        let day = 1_440 * MINUTE;
        let begin = Timestamp::from_nanos((minute * MINUTE - NEW_YORK).div_euclid(day) * day + NEW_YORK);
        // The last hour stands for all of it: nobody compares it with anything.
        let begin_of_hour = Timestamp::from_nanos((minute - 59) * MINUTE);
        let end = Timestamp::from_nanos((minute + 1) * MINUTE);
        let minutes = self.exchange.market.candles(symbol, begin.max(begin_of_hour), end, false);
        let Some(mut so_far) = market::fold(&minutes, 2 * day, 0).pop() else { return Vec::new() };
        so_far.open_time = begin;
        let mut message = json!({ "T": "d", "S": name });
        if let (Some(message), Some(bar)) = (message.as_object_mut(), bar(&so_far).as_object()) {
            message.extend(bar.clone());
        }
        vec![json!([message]).to_string()]
    }

    fn candle(&self, tick: &Tick, wrong: Option<Wrong>) -> Vec<String> {
        let Tick::Minute { symbol, minute } = *tick else { return Vec::new() };
        let name = Dialect::Alpaca.symbols()[symbol];
        let Some(mut candle) = self.exchange.market.candle(symbol, minute, false) else { return Vec::new() };
        if let Some(wrong) = wrong {
            candle.high = cw_core::Price::from_raw(wrong.high(candle.high.raw()));
        }
        if !self.wants("bars", name) {
            return Vec::new();
        }
        let mut message = json!({ "T": "b", "S": name });
        if let (Some(message), Some(bar)) = (message.as_object_mut(), bar(&candle).as_object()) {
            message.extend(bar.clone());
        }
        vec![json!([message]).to_string()]
    }
}

impl Voice for Talk {
    fn greet(&mut self) -> Vec<String> {
        vec![json!([{ "T": "success", "msg": "connected" }]).to_string()]
    }

    fn hear(&mut self, text: &str) -> Option<Vec<String>> {
        let error = |code: u32, msg: &str| Some(vec![json!([{ "T": "error", "code": code, "msg": msg }]).to_string()]);
        let Ok(message) = serde_json::from_str::<Value>(text) else { return error(400, "invalid syntax") };
        match message["action"].as_str() {
            Some("auth") if message["key"].as_str().is_some_and(|key| !key.is_empty()) => {
                self.signed_in = true;
                Some(vec![json!([{ "T": "success", "msg": "authenticated" }]).to_string()])
            }
            Some("auth") => error(402, "auth failed"),
            Some(action @ ("subscribe" | "unsubscribe")) if self.signed_in => {
                for channel in ["trades", "quotes", "bars", "updatedBars", "dailyBars", "news"] {
                    let symbols = message[channel].as_array().into_iter().flatten();
                    let entry = self.channels.entry(channel.to_owned()).or_default();
                    for symbol in symbols.filter_map(Value::as_str).map(str::to_owned) {
                        if action == "subscribe" {
                            self.exchange.subscribed(format!("{channel}.{symbol}"));
                        }
                        let _changed = if action == "subscribe" { entry.insert(symbol) } else { entry.remove(&symbol) };
                    }
                }
                let mut answer = json!({ "T": "subscription", "statuses": [], "lulds": [] });
                for (channel, symbols) in &self.channels {
                    answer[channel] = json!(symbols);
                }
                Some(vec![json!([answer]).to_string()])
            }
            Some("subscribe" | "unsubscribe") => error(401, "not authenticated"),
            _ => error(400, "invalid syntax"),
        }
    }

    fn tell(&self, tick: &Tick) -> Vec<String> {
        let cents = |cents: i64| cents as f64 / 100.0;
        let message = match tick {
            Tick::Minute { symbol, minute } => {
                let day = self.day(*symbol, *minute);
                return [self.candle(tick, None), day, self.articles(*symbol, *minute)].concat();
            }
            Tick::Trade { symbol, print } => {
                let name = Dialect::Alpaca.symbols()[*symbol];
                if !self.wants("trades", name) {
                    return Vec::new();
                }
                json!({ "T": "t", "S": name, "i": print.id, "x": "V", "p": cents(print.cents), "s": print.qty,
                    "c": ["@"], "z": "C", "t": print.time })
            }
            Tick::Quote { symbol, time, bid, ask } => {
                let name = Dialect::Alpaca.symbols()[*symbol];
                if !self.wants("quotes", name) {
                    return Vec::new();
                }
                json!({ "T": "q", "S": name, "bx": "V", "bp": cents(*bid), "bs": 100, "ax": "V", "ap": cents(*ask),
                    "as": 200, "c": ["R"], "z": "C", "t": time })
            }
        };
        vec![json!([message]).to_string()]
    }

    fn tell_wrong(&self, tick: &Tick, wrong: Wrong) -> Vec<String> {
        self.candle(tick, Some(wrong))
    }
}
