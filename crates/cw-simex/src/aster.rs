//! AsterDEX futures: REST v3 and market streams.
//! Source: "aster-finance-futures-api-v3" of asterdex/api-docs, 2026-06-30.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cw_core::{Candle, Price, Quantity, Timestamp};
use serde_json::{Value, json};

use crate::exchange::{Exchange, Tick};
use crate::fault::Wrong;
use crate::market::{self, Print, decimal};
use crate::server::{Dialect, number, refuse};
use crate::session::{self, Codec, Voice};

pub(crate) fn router() -> Router<Arc<Exchange>> {
    Router::new()
        .route("/fapi/v3/klines", get(klines))
        .route("/fapi/v3/exchangeInfo", get(info))
        .route("/fapi/v3/depth", get(depth))
        .route("/stream", get(socket))
}

fn length(word: &str) -> Option<i64> {
    let units = [("m", 1), ("h", 60), ("d", 1_440)];
    let (count, unit) = units.into_iter().find_map(|(unit, minutes)| Some((word.strip_suffix(unit)?, minutes)))?;
    market::length(count, unit)
}

async fn klines(State(exchange): State<Arc<Exchange>>, Query(query): Query<BTreeMap<String, String>>) -> Response {
    let text = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let Some(symbol) = number(Dialect::Aster, text("symbol")) else {
        return refuse(400, json!({ "code": -1121, "msg": "Invalid symbol." }));
    };
    let Some(length) = length(text("interval")) else {
        return refuse(400, json!({ "code": -1120, "msg": "Invalid interval." }));
    };
    let limit = text("limit").parse().unwrap_or(500usize);
    if limit > 1_500 {
        return refuse(400, json!({ "code": -1130, "msg": "Data sent for parameter 'limit' is not valid." }));
    }
    let now = exchange.now();
    let end = text("endTime").parse().map_or(now, |ms: i64| Timestamp::from_millis(ms).min(now));
    let start = text("startTime").parse().map_or(end.plus_nanos(-(limit as i64) * length), Timestamp::from_millis);
    let first = Timestamp::from_nanos(-(-start.as_nanos()).div_euclid(length) * length);
    // Up to and with the one that is forming.
    let minutes = exchange.market.candles(symbol, first, now.min(end.plus_nanos(length)).plus_nanos(1), true);
    let mut rows = market::fold(&minutes, length, 0);
    rows.retain(|row| row.open_time >= start && row.open_time <= end);
    rows.truncate(limit);
    let rows: Vec<Value> = rows.iter().map(|row| kline(row, length)).collect();
    let weight = match limit {
        ..100 => 1,
        100..500 => 2,
        500..=1_000 => 5,
        _ => 10,
    };
    ([("x-mbx-used-weight-1m", weight.to_string())], axum::Json(rows)).into_response()
}

fn kline(c: &Candle, length: i64) -> Value {
    let price = |price: cw_core::Price| price.display(8).to_string();
    json!([
        c.open_time.as_millis(),
        price(c.open),
        price(c.high),
        price(c.low),
        price(c.close),
        c.volume.display(8).to_string(),
        c.open_time.as_millis() + length / 1_000_000 - 1,
        "1.0",
        3,
        "1.0",
        "1.0",
        "0"
    ])
}

async fn info() -> axum::Json<Value> {
    let symbol = |name: &&str| {
        json!({
            "symbol": name, "pair": name, "contractType": "PERPETUAL", "status": "TRADING",
            "baseAsset": name.trim_end_matches("USDT"), "quoteAsset": "USDT", "marginAsset": "USDT",
            "pricePrecision": 5, "quantityPrecision": 5,
            "filters": [
                { "filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "100000", "tickSize": "0.01" },
                { "filterType": "LOT_SIZE", "minQty": "1", "maxQty": "100000", "stepSize": "1" },
            ],
        })
    };
    let symbols: Vec<Value> = Dialect::Aster.symbols().iter().map(symbol).collect();
    axum::Json(json!({ "timezone": "UTC", "rateLimits": [], "symbols": symbols }))
}

/// Price and quantity.
type Level = (Price, Quantity);

/// Levels on each side of the last trade.
const LEVELS: i64 = 10;

/// The book after a trade: its best prices are a cent from the trade's, further levels hold more.
fn book(print: &Print) -> [BTreeMap<i64, i64>; 2] {
    let level = |step: i64| 10 + (print.qty + step * 7) % 50;
    let side = |sign: i64| (1..=LEVELS).map(|step| (print.cents + sign * step, level(step))).collect();
    [side(-1), side(1)]
}

fn levels(side: &BTreeMap<i64, i64>, best_last: bool) -> Vec<Value> {
    let row = |(cents, qty): (&i64, &i64)| json!([decimal(*cents), qty.to_string()]);
    if best_last { side.iter().rev().map(row).collect() } else { side.iter().map(row).collect() }
}

async fn depth(State(exchange): State<Arc<Exchange>>, Query(query): Query<BTreeMap<String, String>>) -> Response {
    let name = query.get("symbol").map(String::as_str).unwrap_or_default();
    let Some(symbol) = number(Dialect::Aster, name) else {
        return refuse(400, json!({ "code": -1121, "msg": "Invalid symbol." }));
    };
    let now = exchange.now();
    let Some(print) = exchange.market.last_print(symbol, now) else {
        return refuse(503, json!({ "code": -1000, "msg": "An unknown error occurred." }));
    };
    let [bids, asks] = book(&print);
    let ms = now.as_millis();
    axum::Json(json!({ "lastUpdateId": print.id * 10, "E": ms, "T": ms, "bids": levels(&bids, true), "asks": levels(&asks, false) }))
        .into_response()
}

impl Exchange {
    /// The best levels of AsterDEX's book, bids and asks, the best first.
    pub fn book(&self, symbol: usize, count: usize) -> Option<(Vec<Level>, Vec<Level>)> {
        let [bids, asks] = book(&self.market.last_print(symbol, self.now())?);
        let level = |(cents, qty): (&i64, &i64)| {
            (Price::from_raw(cents * 10_000_000), Quantity::from_raw(i128::from(*qty) * 1_000_000_000))
        };
        Some((bids.iter().rev().take(count).map(level).collect(), asks.iter().take(count).map(level).collect()))
    }
}

/// What a trade changed in the book.
fn change(name: &str, before: &Print, print: &Print) -> Value {
    let side = |before: &BTreeMap<i64, i64>, after: &BTreeMap<i64, i64>| -> Vec<Value> {
        let gone = before.keys().filter(|cents| !after.contains_key(cents)).map(|cents| json!([decimal(*cents), "0"]));
        gone.chain(levels(after, false)).collect()
    };
    let ([bids, asks], [old_bids, old_asks]) = (book(print), book(before));
    let ms = print.time.as_millis();
    json!({ "e": "depthUpdate", "E": ms, "T": ms, "s": name, "U": before.id * 10 + 1, "u": print.id * 10,
        "pu": before.id * 10, "b": side(&old_bids, &bids), "a": side(&old_asks, &asks) })
}

async fn socket(State(exchange): State<Arc<Exchange>>, upgrade: WebSocketUpgrade) -> Response {
    let talk = Talk { exchange: Arc::clone(&exchange), streams: BTreeSet::new() };
    upgrade.on_upgrade(move |socket| session::run(socket, exchange, talk, Codec::Json))
}

struct Talk {
    exchange: Arc<Exchange>,
    streams: BTreeSet<String>,
}

impl Talk {
    fn frame(&self, symbol: usize, stream: &str, data: impl FnOnce(&str) -> Value) -> Vec<String> {
        let name = Dialect::Aster.symbols()[symbol];
        let stream = format!("{}@{stream}", name.to_lowercase());
        if !self.streams.contains(&stream) {
            return Vec::new();
        }
        vec![json!({ "stream": stream, "data": data(name) }).to_string()]
    }

    fn candle(&self, tick: &Tick, wrong: Option<Wrong>) -> Vec<String> {
        let Tick::Minute { symbol, minute } = *tick else { return Vec::new() };
        let Some(c) = self.exchange.market.candle(symbol, minute, true) else { return Vec::new() };
        let high = wrong.map_or(c.high.raw(), |wrong| wrong.high(c.high.raw()));
        let price = |price: cw_core::Price| price.display(2).to_string();
        let begin = c.open_time.as_millis();
        self.frame(symbol, "kline_1m", |name| {
            json!({ "e": "kline", "E": begin + 60_000, "s": name, "k": {
                "t": begin, "T": begin + 59_999, "s": name, "i": "1m", "f": 1, "L": 2, "o": price(c.open),
                "c": price(c.close), "h": price(cw_core::Price::from_raw(high)), "l": price(c.low),
                "v": c.volume.to_string(), "n": 2, "x": true, "q": "1", "V": "1", "Q": "1", "B": "0" } })
        })
    }
}

impl Voice for Talk {
    fn greet(&mut self) -> Vec<String> {
        Vec::new()
    }

    fn hear(&mut self, text: &str) -> Option<Vec<String>> {
        let Ok(message) = serde_json::from_str::<Value>(text) else {
            return Some(vec![json!({ "code": 3, "msg": "Invalid JSON" }).to_string()]);
        };
        let params = message["params"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
        match message["method"].as_str() {
            Some("SUBSCRIBE") => self.streams.extend(params.inspect(|topic| self.exchange.subscribed(topic.as_str()))),
            Some("UNSUBSCRIBE") => params.for_each(|stream| {
                self.streams.remove(&stream);
            }),
            _ => return Some(vec![json!({ "code": 2, "msg": "Invalid request" }).to_string()]),
        }
        Some(vec![json!({ "result": null, "id": message["id"] }).to_string()])
    }

    fn tell(&self, tick: &Tick) -> Vec<String> {
        match tick {
            Tick::Minute { .. } => self.candle(tick, None),
            Tick::Trade { symbol, print } => {
                let trade = self.frame(*symbol, "aggTrade", |name| {
                    json!({ "e": "aggTrade", "E": print.time.as_millis(), "s": name, "a": print.id,
                        "p": decimal(print.cents), "q": print.qty.to_string(), "f": 1, "l": 1,
                        "T": print.time.as_millis(), "m": !print.buyer_took })
                });
                let before = self.exchange.market.last_print(*symbol, print.time);
                let book = before.map(|before| self.frame(*symbol, "depth@100ms", |name| change(name, &before, print)));
                [trade, book.unwrap_or_default()].concat()
            }
            Tick::Quote { symbol, time, bid, ask } => self.frame(*symbol, "bookTicker", |name| {
                json!({ "e": "bookTicker", "u": 1, "E": time.as_millis(), "T": time.as_millis(), "s": name,
                    "b": decimal(*bid), "B": "10", "a": decimal(*ask), "A": "20" })
            }),
        }
    }

    fn tell_wrong(&self, tick: &Tick, wrong: Wrong) -> Vec<String> {
        self.candle(tick, Some(wrong))
    }

    fn pulse(&self) -> Vec<String> {
        let now = self.exchange.now();
        let mark = |symbol| {
            let (bid, _) = self.exchange.market.quote(symbol, now);
            self.frame(symbol, "markPrice@1s", |name| {
                json!({ "e": "markPriceUpdate", "E": now.as_millis(), "s": name, "p": decimal(bid), "i": decimal(bid),
                    "P": decimal(bid), "r": "0.0001", "T": now.as_millis() + 3_600_000 })
            })
        };
        (0..crate::SYMBOLS).flat_map(mark).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::MINUTE;

    #[test]
    fn intervals_are_the_documented_ones() {
        assert_eq!(length("15m"), Some(15 * MINUTE));
        assert_eq!(length("1d"), Some(1_440 * MINUTE));
        assert_eq!(length("minute"), None);
    }
}
