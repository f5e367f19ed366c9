//! Polygon (Massive): aggregates by request and WebSocket clusters.
//! Source: `.massive/rest.json` and `.massive/websocket.json` of massive-com/client-python, 2026-07-09.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cw_core::{Candle, Timestamp};
use serde_json::{Value, json};

use crate::exchange::{Exchange, Tick};
use crate::fault::Wrong;
use crate::market::{self, MINUTE};
use crate::server::{Dialect, number, refuse};
use crate::session::{self, Codec, Voice};

/// Aggregates in a page, and in one of a test.
const MOST_ROWS: usize = 50_000;
const FEW_ROWS: usize = 700;
/// Midnight in New York, in winter.
const NEW_YORK: i64 = 5 * 60 * MINUTE;

pub(crate) fn router() -> Router<Arc<Exchange>> {
    Router::new()
        .route("/v2/aggs/ticker/{ticker}/range/{count}/{span}/{from}/{to}", get(aggregates))
        .route("/v2/aggs/ticker/{ticker}/prev", get(previous))
        .route("/v3/snapshot", get(snapshot))
        .route("/v3/reference/tickers", get(tickers))
        .route("/stocks", get(socket))
        .route("/crypto", get(socket))
}

fn forbidden(headers: &HeaderMap) -> Option<Response> {
    let token = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let unknown = || refuse(401, json!({ "status": "ERROR", "request_id": "1", "error": "Unknown API Key" }));
    token.is_none_or(str::is_empty).then(unknown)
}

/// A date or milliseconds.
fn moment(text: &str) -> Option<Timestamp> {
    text.parse::<i64>().map(Timestamp::from_millis).ok().or_else(|| text.parse().ok())
}

async fn aggregates(
    State(exchange): State<Arc<Exchange>>,
    Path((ticker, count, span, from, to)): Path<(String, String, String, String, String)>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = forbidden(&headers) {
        return refusal;
    }
    let unit = match span.as_str() {
        "minute" => Some(1),
        "hour" => Some(60),
        "day" => Some(1_440),
        _ => None,
    };
    let bad = |error: &str| refuse(400, json!({ "status": "ERROR", "request_id": "1", "error": error }));
    let Some(length) = unit.and_then(|unit| market::length(&count, unit)) else { return bad("bad range") };
    let (Some(from), Some(to)) = (moment(&from), moment(&to)) else { return bad("bad dates") };
    let empty = json!({ "ticker": ticker, "status": "OK", "request_id": "1", "queryCount": 0, "resultsCount": 0 });
    let Some(symbol) = number(Dialect::Polygon, &ticker) else { return axum::Json(empty).into_response() };
    let origin = if length == 1_440 * MINUTE { NEW_YORK } else { 0 };
    let minutes = exchange.truth(symbol, from.plus_nanos(-length), to.plus_nanos(length + 1), false);
    let mut rows = market::fold(&minutes, length, origin);
    rows.retain(|row| row.open_time >= from && row.open_time <= to);
    if rows.is_empty() {
        return axum::Json(empty).into_response();
    }
    let begin: usize = query.get("cursor").map_or(Some(0), |cursor| cursor.parse().ok()).unwrap_or(usize::MAX);
    let end = begin.saturating_add(exchange.page(FEW_ROWS, MOST_ROWS)).min(rows.len());
    let page: Vec<Value> = rows.get(begin..end).unwrap_or_default().iter().map(aggregate).collect();
    let mut body = json!({ "ticker": ticker, "status": "OK", "request_id": "1", "adjusted": false,
        "queryCount": page.len(), "resultsCount": page.len(), "count": page.len(), "results": page });
    if end < rows.len() {
        // Under its old name, as real answers still have it.
        body["next_url"] = json!(format!(
            "https://api.polygon.io/v2/aggs/ticker/{ticker}/range/{count}/{span}/{}/{}?cursor={end}",
            from.as_millis(),
            to.as_millis()
        ));
    }
    axum::Json(body).into_response()
}

async fn previous(State(exchange): State<Arc<Exchange>>, Path(ticker): Path<String>) -> Response {
    let now = exchange.now();
    let symbol = number(Dialect::Polygon, &ticker);
    let minutes = symbol.map(|symbol| exchange.truth(symbol, now.plus_nanos(-1_440 * MINUTE), now, false));
    let day = market::fold(&minutes.unwrap_or_default(), 1_440 * MINUTE, NEW_YORK);
    let rows: Vec<Value> = day.first().into_iter().map(aggregate).collect();
    axum::Json(json!({ "ticker": ticker, "status": "OK", "results": rows })).into_response()
}

async fn snapshot(State(exchange): State<Arc<Exchange>>, Query(query): Query<BTreeMap<String, String>>) -> Response {
    let names = query.get("ticker.any_of").map(String::as_str).unwrap_or_default();
    let row = |name: &str| match number(Dialect::Polygon, name) {
        None => json!({ "ticker": name, "error": "NOT_FOUND", "message": "Ticker not found." }),
        Some(symbol) => {
            let time = exchange.market.last_print(symbol, exchange.now()).map(|print| print.time.as_nanos());
            json!({ "ticker": name, "type": "stocks", "last_quote": { "last_updated": time, "timeframe": "REAL-TIME" },
                "last_trade": { "sip_timestamp": time } })
        }
    };
    let rows: Vec<Value> = names.split(',').map(row).collect();
    axum::Json(json!({ "status": "OK", "request_id": "1", "results": rows })).into_response()
}

async fn tickers(Query(query): Query<BTreeMap<String, String>>, headers: HeaderMap) -> Response {
    if let Some(refusal) = forbidden(&headers) {
        return refusal;
    }
    let search = query.get("search").map(|text| text.to_uppercase()).unwrap_or_default();
    let symbols = Dialect::Polygon.symbols();
    let rows = symbols.iter().filter(|name| name.contains(&search));
    let rows: Vec<Value> =
        rows.map(|name| json!({ "ticker": name, "name": name, "market": "stocks", "active": true })).collect();
    axum::Json(json!({ "status": "OK", "request_id": "1", "count": rows.len(), "results": rows })).into_response()
}

fn aggregate(c: &Candle) -> Value {
    json!({ "t": c.open_time.as_millis(), "o": c.open.to_f64(), "h": c.high.to_f64(), "l": c.low.to_f64(),
        "c": c.close.to_f64(), "v": c.volume.to_f64(), "vw": c.close.to_f64(), "n": 3 })
}

async fn socket(State(exchange): State<Arc<Exchange>>, upgrade: WebSocketUpgrade) -> Response {
    let talk = Talk { exchange: Arc::clone(&exchange), signed_in: false, topics: BTreeSet::new() };
    upgrade.on_upgrade(move |socket| session::run(socket, exchange, talk, Codec::Json))
}

struct Talk {
    exchange: Arc<Exchange>,
    signed_in: bool,
    topics: BTreeSet<String>,
}

impl Talk {
    /// A message in the words of the symbol's cluster, where it was asked for.
    fn event(&self, symbol: usize, stock: &str, crypto: &str, mut fields: Value) -> Vec<String> {
        let ticker = Dialect::Polygon.symbols()[symbol];
        let (kind, field, name) = match ticker.strip_prefix("X:") {
            Some(pair) => (crypto, "pair", format!("{}-USD", pair.trim_end_matches("USD"))),
            None => (stock, "sym", ticker.to_owned()),
        };
        if !self.topics.contains(&format!("{kind}.{name}")) {
            return Vec::new();
        }
        fields["ev"] = json!(kind);
        fields[field] = json!(name);
        vec![json!([fields]).to_string()]
    }

    fn candle(&self, tick: &Tick, wrong: Option<Wrong>) -> Vec<String> {
        let Tick::Minute { symbol, minute } = *tick else { return Vec::new() };
        let Some(c) = self.exchange.market.candle(symbol, minute, false) else { return Vec::new() };
        let high = wrong.map_or(c.high.raw(), |wrong| wrong.high(c.high.raw()));
        let high = cw_core::Price::from_raw(high).to_f64();
        let begin = c.open_time.as_millis();
        let fields = json!({ "v": c.volume.to_f64(), "vw": c.close.to_f64(), "o": c.open.to_f64(), "h": high,
            "l": c.low.to_f64(), "c": c.close.to_f64(), "s": begin, "e": begin + 60_000, "z": 10 });
        self.event(symbol, "AM", "XA", fields)
    }
}

fn status(status: &str, message: &str) -> String {
    json!([{ "ev": "status", "status": status, "message": message }]).to_string()
}

impl Voice for Talk {
    fn greet(&mut self) -> Vec<String> {
        vec![status("connected", "Connected Successfully")]
    }

    fn hear(&mut self, text: &str) -> Option<Vec<String>> {
        let message: Value = serde_json::from_str(text).unwrap_or_default();
        let params = message["params"].as_str().unwrap_or_default().to_owned();
        match message["action"].as_str() {
            Some("auth") if params.is_empty() => None,
            Some("auth") => {
                self.signed_in = true;
                Some(vec![status("auth_success", "authenticated")])
            }
            Some("subscribe") if self.signed_in => {
                params.split(',').for_each(|topic| self.exchange.subscribed(topic));
                self.topics.extend(params.split(',').map(str::to_owned));
                Some(params.split(',').map(|topic| status("success", &format!("subscribed to: {topic}"))).collect())
            }
            _ => Some(vec![status("error", "not authorized")]),
        }
    }

    fn tell(&self, tick: &Tick) -> Vec<String> {
        let cents = |cents: i64| cents as f64 / 100.0;
        match tick {
            Tick::Minute { .. } => self.candle(tick, None),
            Tick::Trade { symbol, print } => self.event(
                *symbol,
                "T",
                "XT",
                json!({
                "x": 4, "i": print.id.to_string(), "z": 3, "p": cents(print.cents), "s": print.qty, "c": [0],
                "t": print.time.as_millis(), "q": print.id }),
            ),
            Tick::Quote { symbol, time, bid, ask } => self.event(
                *symbol,
                "Q",
                "XQ",
                json!({
                "bx": 4, "bp": cents(*bid), "bs": 1, "ax": 4, "ap": cents(*ask), "as": 2, "c": 0,
                "t": time.as_millis(), "q": 1, "z": 3 }),
            ),
        }
    }

    fn tell_wrong(&self, tick: &Tick, wrong: Wrong) -> Vec<String> {
        self.candle(tick, Some(wrong))
    }
}
