//! Yahoo's chart endpoint, as recorded answers show it.
//! Source: fixtures of gadicc/node-yahoo-finance2, 2025-03.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cw_core::{Candle, Price, Timestamp};
use serde_json::{Value, json};

use crate::exchange::Exchange;
use crate::market::{self, MINUTE};
use crate::server::{Dialect, number, refuse};

/// The session opens at 09:30 in New York, in winter.
const OPENING: i64 = (14 * 60 + 30) * MINUTE;

pub(crate) fn router() -> Router<Arc<Exchange>> {
    Router::new().route("/v8/finance/chart/{symbol}", get(chart))
}

fn failed(status: u16, code: &str, description: &str) -> Response {
    refuse(status, json!({ "chart": { "result": null, "error": { "code": code, "description": description } } }))
}

async fn chart(
    State(exchange): State<Arc<Exchange>>,
    Path(name): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    let Some(symbol) = number(Dialect::Yahoo, &name) else {
        return failed(404, "Not Found", "No data found, symbol may be delisted");
    };
    let text = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
    let length = match text("interval") {
        "1m" => MINUTE,
        "5m" => 5 * MINUTE,
        "15m" => 15 * MINUTE,
        "1h" | "60m" => 60 * MINUTE,
        "1d" => 1_440 * MINUTE,
        _ => return failed(400, "Bad Request", "Invalid input - interval is not supported"),
    };
    let (Ok(from), Ok(to)) = (text("period1").parse::<i64>(), text("period2").parse::<i64>()) else {
        return failed(400, "Bad Request", "Invalid input - start date or end date is not valid");
    };
    if length == MINUTE && to - from > 8 * 86_400 {
        let words =
            "1m data not available. Only 8 days worth of 1m granularity data are allowed to be fetched per request.";
        return failed(422, "Unprocessable Entity", words);
    }
    let (from, to) = (Timestamp::from_secs(from), Timestamp::from_secs(to));
    let daily = length == 1_440 * MINUTE;
    let minutes = exchange.truth(symbol, from, to, false);
    let mut rows = market::fold(&minutes, length, 0);
    if daily {
        for row in &mut rows {
            row.open_time = row.open_time.plus_nanos(OPENING);
        }
    }
    let mut times: Vec<i64> = rows.iter().map(|row| row.open_time.as_secs()).collect();
    let mut columns: Vec<Vec<Value>> = Vec::new();
    for column in [|c: &Candle| c.open, |c: &Candle| c.high, |c: &Candle| c.low, |c: &Candle| c.close] {
        columns.push(rows.iter().map(|row| noisy(column(row))).collect());
    }
    columns.push(rows.iter().map(|row| json!(row.volume.raw() / 1_000_000_000)).collect());
    // The price of now, off the grid, and before it a minute of nothing.
    if !daily && let Some(last) = times.last().copied() {
        times.extend([last + length / 1_000_000_000, last + length / 1_000_000_000 + 17]);
        for column in &mut columns {
            let now = column.last().cloned().unwrap_or_default();
            column.extend([Value::Null, now]);
        }
    }
    let mut series = json!({
        "meta": { "currency": "USD", "symbol": name, "instrumentType": "EQUITY", "gmtoffset": -18_000,
            "timezone": "EST", "exchangeTimezoneName": "America/New_York", "priceHint": 2,
            "dataGranularity": text("interval"), "range": "" },
        "indicators": { "quote": [{}] },
    });
    if !times.is_empty() {
        series["timestamp"] = json!(times);
        let quote = &mut series["indicators"]["quote"][0];
        for (name, column) in ["open", "high", "low", "close", "volume"].into_iter().zip(columns) {
            quote[name] = json!(column);
        }
    }
    axum::Json(json!({ "chart": { "result": [series], "error": null } })).into_response()
}

/// As a float of single precision, which is what Yahoo keeps.
fn noisy(price: Price) -> Value {
    json!(f64::from(price.to_f64() as f32))
}
