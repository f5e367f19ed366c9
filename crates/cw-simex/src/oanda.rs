//! OANDA v20: candles by request and prices as a body that does not end.
//! Source: v20-openapi 3.0.25 and the development guide.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cw_core::{Candle, Timestamp};
use serde_json::{Value, json};
use tokio::sync::{broadcast, mpsc};

use crate::exchange::{Exchange, Tick};
use crate::fault::Fault;
use crate::market::{self, MINUTE, decimal};
use crate::server::{Dialect, number, refuse};

/// The real one sends every five seconds.
const HEARTBEAT: Duration = Duration::from_secs(1);
const STALL: i64 = 3;

pub(crate) fn router() -> Router<Arc<Exchange>> {
    Router::new()
        .route("/v3/instruments/{name}/candles", get(candles))
        .route("/v3/accounts/{account}/instruments", get(instruments))
        .route("/v3/accounts/{account}/pricing", get(pricing))
        .route("/v3/accounts/{account}/pricing/stream", get(stream))
}

fn forbidden(headers: &HeaderMap) -> Option<Response> {
    let token = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    token
        .is_none_or(str::is_empty)
        .then(|| refuse(401, json!({ "errorMessage": "Insufficient authorization to perform request." })))
}

fn length(word: &str) -> Option<i64> {
    if word == "D" {
        return Some(1_440 * MINUTE);
    }
    let units = [("M", 1), ("H", 60)];
    let (count, unit) = units.into_iter().find_map(|(unit, minutes)| Some((word.strip_prefix(unit)?, minutes)))?;
    market::length(count, unit)
}

async fn candles(
    State(exchange): State<Arc<Exchange>>,
    Path(name): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = forbidden(&headers) {
        return refusal;
    }
    let text = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let bad = |message: String| refuse(400, json!({ "errorMessage": message }));
    let Some(symbol) = number(Dialect::Oanda, &name) else {
        return bad(format!("Invalid value specified for 'instrument': {name}"));
    };
    let Some(length) = length(text("granularity")) else { return bad("Invalid granularity".to_owned()) };
    let (Ok(from), Ok(to)) = (text("from").parse::<Timestamp>(), text("to").parse::<Timestamp>()) else {
        return bad("Invalid value specified for 'from' or 'to'".to_owned());
    };
    let now = exchange.now();
    if to > now {
        return bad("Invalid value specified for 'to'. Time is in the future".to_owned());
    }
    if to.nanos_since(from) / length > 5_000 {
        return bad("Maximum value for 'count' exceeded".to_owned());
    }
    // Days that begin at 17:00 in New York unless asked otherwise.
    let utc = text("dailyAlignment") == "0" && text("alignmentTimezone") == "UTC";
    let origin = if length == 1_440 * MINUTE && !utc { 22 * 60 * MINUTE } else { 0 };
    let begin = Timestamp::from_nanos((from.as_nanos() - origin).div_euclid(length) * length + origin);
    let minutes = exchange.market.candles(symbol, begin, now.min(to.plus_nanos(length)).plus_nanos(1), false);
    let rows = market::fold(&minutes, length, origin).into_iter().filter(|c| c.open_time >= from && c.open_time <= to);
    let price = text("price");
    let rows: Vec<Value> = rows.map(|c| row(&c, length, now, if price.is_empty() { "M" } else { price })).collect();
    axum::Json(json!({ "instrument": name, "granularity": text("granularity"), "candles": rows })).into_response()
}

fn row(c: &Candle, length: i64, now: Timestamp, sides: &str) -> Value {
    let prices = |shift: i64| {
        let text = |price: cw_core::Price| cw_core::Price::from_raw(price.raw() + shift).display(2).to_string();
        json!({ "o": text(c.open), "h": text(c.high), "l": text(c.low), "c": text(c.close) })
    };
    let mut row = json!({
        "time": c.open_time, "volume": c.volume.raw() / 1_000_000_000,
        "complete": c.open_time.plus_nanos(length) <= now,
    });
    for (side, name, shift) in [('M', "mid", 0), ('B', "bid", -10_000_000), ('A', "ask", 10_000_000)] {
        if sides.contains(side) {
            row[name] = prices(shift);
        }
    }
    row
}

async fn instruments(headers: HeaderMap) -> Response {
    if let Some(refusal) = forbidden(&headers) {
        return refusal;
    }
    let row = |name: &&str| {
        json!({ "name": name, "type": "CURRENCY", "displayName": name.replace('_', "/"), "pipLocation": -2,
            "displayPrecision": 2, "tradeUnitsPrecision": 0, "minimumTradeSize": "1", "marginRate": "0.05" })
    };
    let rows: Vec<Value> = Dialect::Oanda.symbols().iter().map(row).collect();
    axum::Json(json!({ "instruments": rows, "lastTransactionID": "1" })).into_response()
}

async fn pricing(
    State(exchange): State<Arc<Exchange>>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = forbidden(&headers) {
        return refusal;
    }
    let names = query.get("instruments").map(String::as_str).unwrap_or_default();
    let now = exchange.now();
    let row = |symbol: usize| -> Option<Value> {
        let last = exchange.market.last_print(symbol, now)?;
        serde_json::from_str(&price(symbol, last.time, last.cents - 1, last.cents + 1)).ok()
    };
    let prices: Vec<Value> = names.split(',').filter_map(|name| number(Dialect::Oanda, name)).filter_map(row).collect();
    axum::Json(json!({ "prices": prices, "time": now })).into_response()
}

async fn stream(
    State(exchange): State<Arc<Exchange>>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = forbidden(&headers) {
        return refusal;
    }
    let names = query.get("instruments").map(String::as_str).unwrap_or_default();
    let symbols: Vec<usize> = names.split(',').filter_map(|name| number(Dialect::Oanda, name)).collect();
    if symbols.is_empty() {
        return refuse(400, json!({ "errorMessage": "Invalid value specified for 'instruments'" }));
    }
    // Nothing that happens after the subscription is seen may be missed.
    let ticks = exchange.listen();
    names.split(',').for_each(|name| exchange.subscribed(name));
    let (lines, mut body) = mpsc::channel::<String>(1_024);
    tokio::runtime::Handle::current().spawn(tell(exchange, ticks, symbols, lines));
    let parts = futures_util::stream::poll_fn(move |cx| {
        body.poll_recv(cx).map(|line| line.map(|line| Ok::<_, Infallible>(Bytes::from(line))))
    });
    Body::from_stream(parts).into_response()
}

fn price(symbol: usize, time: Timestamp, bid: i64, ask: i64) -> String {
    let level = |cents: i64| json!([{ "price": decimal(cents), "liquidity": 1_000_000 }]);
    let line = json!({
        "type": "PRICE", "time": time, "bids": level(bid), "asks": level(ask), "closeoutBid": decimal(bid - 1),
        "closeoutAsk": decimal(ask + 1), "status": "tradeable", "tradeable": true,
        "instrument": Dialect::Oanda.symbols()[symbol],
    });
    format!("{line}\n")
}

/// Ends when the listener is gone or the plan says so.
async fn tell(
    exchange: Arc<Exchange>,
    mut ticks: broadcast::Receiver<Arc<Tick>>,
    symbols: Vec<usize>,
    lines: mpsc::Sender<String>,
) {
    let mut stalled_until = i64::MIN;
    let mut heartbeat = tokio::time::interval(HEARTBEAT);
    for symbol in &symbols {
        let (bid, ask) = exchange.market.quote(*symbol, exchange.now());
        if lines.send(price(*symbol, exchange.now(), bid, ask)).await.is_err() {
            return;
        }
    }
    loop {
        let line = tokio::select! {
            biased;
            tick = ticks.recv() => {
                let Ok(tick) = tick else { return };
                match *tick {
                    Tick::Quote { symbol, time, bid, ask } if symbols.contains(&symbol) => {
                        let minute = time.as_nanos().div_euclid(MINUTE);
                        if minute < stalled_until { continue }
                        let again = exchange.fault_at(minute).and_then(|fault| tick.spoiled(fault));
                        let again = match again {
                            Some(Tick::Quote { time, bid, ask, .. }) => price(symbol, time, bid, ask),
                            _ => String::new(),
                        };
                        price(symbol, time, bid, ask) + &again
                    }
                    Tick::Minute { minute, .. } => match exchange.fault_at(minute) {
                        Some(Fault::Drop) => return,
                        Some(Fault::HalfOpen) => std::future::pending().await,
                        Some(Fault::Stall) => { stalled_until = minute + STALL; continue }
                        Some(Fault::Garbage) => "\n{\"type\":\"PRICE\",\nnonsense\n\u{0}\n".to_owned(),
                        _ => continue,
                    },
                    _ => continue,
                }
            }
            _ = heartbeat.tick() => format!("{}\n", json!({ "type": "HEARTBEAT", "time": exchange.now() })),
        };
        if lines.send(line).await.is_err() {
            return;
        }
    }
}
