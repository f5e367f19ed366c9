//! Yahoo's chart endpoint, as recorded answers show it, and the cookie and crumb that it asks some callers for.
//! Sources: fixtures of gadicc/node-yahoo-finance2, 2025-03; the requests of ranaroussi/yfinance, 2026-08.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cw_core::{Candle, Price, Timestamp};
use jiff::fmt::rfc2822::DateTimePrinter;
use serde_json::{Value, json};

use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::market::{self, MINUTE};
use crate::server::{Dialect, number, refuse, refuse_in_words};

/// The session opens at 09:30 in New York, in winter.
const OPENING: i64 = (14 * 60 + 30) * MINUTE;

pub(crate) fn router() -> Router<Arc<Exchange>> {
    Router::new()
        .route("/v8/finance/chart/{symbol}", get(chart))
        .route("/v1/test/getcrumb", get(crumb))
        // The host that gives cookies, whose page is not there. Who asks for its time gets none.
        .route("/", get(cookie).head(|| async { StatusCode::NOT_FOUND }))
}

/// Whom Yahoo lets in.
#[derive(Debug, Default)]
pub(crate) struct Door {
    demands: bool,
    /// What it gives it does not take.
    shut: bool,
    /// Cookies are given for consent alone.
    consent: bool,
    /// Cookies given, each with its number, of which those up to `over` are worth nothing any more.
    given: u64,
    over: u64,
}

impl Door {
    pub fn turn(&mut self, fault: Fault) {
        self.demands = fault != Fault::Admit;
        self.shut = fault == Fault::Deny;
        self.consent = fault == Fault::Consent;
        if fault == Fault::Expire {
            self.over = self.given;
        }
    }

    /// The number of the cookie that a request carries, as long as it is worth something.
    fn guest(&self, headers: &HeaderMap) -> Option<u64> {
        let all = headers.get(header::COOKIE)?.to_str().ok()?;
        let value = all.split(';').find_map(|pair| pair.trim().strip_prefix("A3="))?;
        let number = value.strip_prefix("d=AQABB")?.split('&').next()?.parse().ok()?;
        (self.over < number && number <= self.given && value == cookie_of(number)).then_some(number)
    }

    fn lets_in(&self, headers: &HeaderMap, crumb: &str) -> bool {
        !self.demands || (!self.shut && self.guest(headers).is_some_and(|number| crumb == crumb_of(number)))
    }
}

fn cookie_of(number: u64) -> String {
    format!("d=AQABB{number}&S=AQAAAsimulated")
}

/// With letters that mean something else in an address.
fn crumb_of(number: u64) -> String {
    format!("c/{number}+x.Y=")
}

async fn cookie(State(exchange): State<Arc<Exchange>>) -> Response {
    let number = {
        let mut door = exchange.door.lock();
        if door.consent {
            let to = "https://guce.yahoo.com/consent?brandType=nonEu&gcrumb=x";
            return (StatusCode::FOUND, [(header::LOCATION, to)]).into_response();
        }
        door.given += 1;
        door.given
    };
    let year = exchange.now().plus_nanos(31_557_600_000_000_000).to_jiff();
    let expires = DateTimePrinter::new().timestamp_to_rfc9110_string(&year).unwrap_or_default();
    let rest = format!("Expires={expires}; Max-Age=31557600; Path=/; SameSite=None; Secure; HttpOnly");
    let cookies = [format!("A1=d=other; {rest}"), format!("A3={}; {rest}", cookie_of(number)), "A1S=d=last".to_owned()];
    let mut answer = refuse_in_words(404, "Not Found");
    for cookie in cookies.iter().filter_map(|cookie| cookie.parse().ok()) {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    answer
}

async fn crumb(State(exchange): State<Arc<Exchange>>, headers: HeaderMap) -> Response {
    match exchange.door.lock().guest(&headers) {
        Some(number) => crumb_of(number).into_response(),
        None => stranger("Invalid Cookie"),
    }
}

fn stranger(description: &str) -> Response {
    let error = json!({ "code": "Unauthorized", "description": description });
    refuse(401, json!({ "finance": { "result": null, "error": error } }))
}

fn failed(status: u16, code: &str, description: &str) -> Response {
    refuse(status, json!({ "chart": { "result": null, "error": { "code": code, "description": description } } }))
}

async fn chart(
    State(exchange): State<Arc<Exchange>>,
    Path(name): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if !exchange.door.lock().lets_in(&headers, query.get("crumb").map_or("", String::as_str)) {
        return stranger("Invalid Crumb");
    }
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
