//! Alpaca's market data: REST v2 and v1beta3, WebSocket v2.
//! Source: the OpenAPI document "market-data-api" 1.1 and docs.alpaca.markets/docs/streaming-market-data.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cw_core::{Candle, Timestamp};
use serde_json::{Value, json};

use crate::exchange::{Exchange, Tick};
use crate::market::{self, MINUTE};
use crate::server::{Dialect, number, refuse};
use crate::session::{self, Voice};

/// Smaller than the real one, so that pages are met.
const MOST_ROWS: usize = 400;
/// Midnight in New York, in winter.
const NEW_YORK: i64 = 5 * 60 * MINUTE;

pub(crate) fn router() -> Router<Arc<Exchange>> {
    Router::new()
        .route("/v2/stocks/bars", get(stock_bars))
        .route("/v2/stocks/bars/latest", get(latest))
        .route("/v1beta3/crypto/us/bars", get(bars))
        .route("/v1beta3/crypto/us/bars/latest", get(latest))
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
    let limit = text("limit").parse().unwrap_or(1_000).clamp(1, MOST_ROWS);
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

fn bar(candle: &Candle) -> Value {
    let number = |price: cw_core::Price| price.to_f64();
    json!({
        "t": candle.open_time, "o": number(candle.open), "h": number(candle.high), "l": number(candle.low),
        "c": number(candle.close), "v": candle.volume.raw() / 1_000_000_000, "n": 3, "vw": number(candle.close),
    })
}

async fn socket(State(exchange): State<Arc<Exchange>>, upgrade: WebSocketUpgrade) -> Response {
    let talk = Talk { exchange: Arc::clone(&exchange), signed_in: false, channels: BTreeMap::new() };
    upgrade.on_upgrade(move |socket| session::run(socket, exchange, talk))
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

    fn candle(&self, tick: &Tick, wrong: bool) -> Vec<String> {
        let Tick::Minute { symbol, minute } = *tick else { return Vec::new() };
        let name = Dialect::Alpaca.symbols()[symbol];
        let Some(mut candle) = self.exchange.market.candle(symbol, minute, false) else { return Vec::new() };
        if wrong {
            candle.high = cw_core::Price::from_raw(candle.high.raw() + 10_000_000);
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
                for channel in ["trades", "quotes", "bars", "updatedBars", "dailyBars"] {
                    let symbols = message[channel].as_array().into_iter().flatten();
                    let entry = self.channels.entry(channel.to_owned()).or_default();
                    for symbol in symbols.filter_map(Value::as_str).map(str::to_owned) {
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
            Tick::Minute { .. } => return self.candle(tick, false),
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

    fn tell_wrong(&self, tick: &Tick) -> Vec<String> {
        self.candle(tick, true)
    }
}
