//! The port through which another program moves the clock, plans faults and takes the truth.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use cw_core::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::exchange::Exchange;
use crate::fault::{Fault, Plan};
use crate::server::{Dialect, refuse};

#[derive(Debug, Deserialize)]
struct Advance {
    to: Timestamp,
}

#[derive(Debug, Deserialize)]
struct Seed {
    seed: u64,
}

#[derive(Debug, Deserialize)]
struct Truth {
    dialect: Dialect,
    symbol: String,
    from: Timestamp,
    to: Timestamp,
}

pub(crate) fn router() -> Router<Arc<Exchange>> {
    Router::new()
        .route("/clock", get(clock).post(advance))
        .route("/seed", post(seed))
        .route("/plan", post(plan))
        .route("/spoil", post(spoil))
        .route("/truth", get(truth))
        .route("/counts", get(counts))
}

async fn clock(State(exchange): State<Arc<Exchange>>) -> Json<Value> {
    Json(json!({ "now": exchange.now() }))
}

async fn advance(State(exchange): State<Arc<Exchange>>, Json(request): Json<Advance>) -> Json<Value> {
    exchange.advance_to(request.to);
    Json(json!({ "now": exchange.now() }))
}

async fn plan(State(exchange): State<Arc<Exchange>>, Json(plan): Json<Plan>) -> Json<Value> {
    let faults = plan.faults.len();
    exchange.set_plan(plan);
    Json(json!({ "faults": faults }))
}

#[derive(Debug, Deserialize)]
struct Spoil {
    fault: Fault,
    /// None are spoiled any more with zero.
    requests: Option<u32>,
}

/// Spoils the next requests at once, or changes what Yahoo demands; faults of streams need a plan.
async fn spoil(State(exchange): State<Arc<Exchange>>, Json(Spoil { fault, requests }): Json<Spoil>) -> Response {
    if fault.is_lasting() {
        exchange.door.lock().turn(fault);
        return Json(json!({ "fault": fault })).into_response();
    }
    if fault.requests() == 0 {
        return refuse(400, json!({ "error": "this fault is one of streams; plan it for a minute" }));
    }
    let Some(requests) = requests else {
        return refuse(400, json!({ "error": "say how many requests it spoils: {\"fault\": …, \"requests\": 3}" }));
    };
    exchange.spoil(fault, requests);
    Json(json!({ "requests": requests })).into_response()
}

async fn seed(State(exchange): State<Arc<Exchange>>, Json(request): Json<Seed>) -> Result<Json<Value>, Response> {
    if exchange.reseed(request.seed) {
        return Ok(Json(json!({ "seed": request.seed })));
    }
    Err(refuse(409, json!({ "error": "this market is replayed from a file" })))
}

async fn counts(State(exchange): State<Arc<Exchange>>) -> Json<Value> {
    let (requests, streams) = exchange.counts();
    Json(json!({ "requests": requests, "streams": streams, "offenses": exchange.offenses() }))
}

async fn truth(State(exchange): State<Arc<Exchange>>, Query(query): Query<Truth>) -> Result<Json<Value>, Response> {
    let symbol = crate::server::number(query.dialect, &query.symbol)
        .ok_or_else(|| refuse(404, json!({ "error": format!("there is no symbol {}", query.symbol) })))?;
    Ok(Json(json!({ "candles": exchange.truth(symbol, query.from, query.to, query.dialect.is_dense()) })))
}
