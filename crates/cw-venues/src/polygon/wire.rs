//! What Polygon sends, as it sends it.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::net::Num;

/// `GET /v2/aggs/…`. Without results there is no list.
#[derive(Debug, Deserialize)]
pub(super) struct Aggregates<'a> {
    #[serde(borrow, default)]
    pub results: Vec<&'a RawValue>,
    #[serde(default)]
    pub next_url: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Aggregate {
    /// Its beginning; `s` in the stream.
    #[serde(alias = "s", default)]
    pub t: Num,
    #[serde(default)]
    pub o: Num,
    #[serde(default)]
    pub h: Num,
    #[serde(default)]
    pub l: Num,
    #[serde(default)]
    pub c: Num,
    #[serde(default)]
    pub v: Num,
}

/// Any event of the stream.
#[derive(Debug, Deserialize)]
pub(super) struct Tag {
    pub ev: String,
    #[serde(default)]
    pub sym: Option<String>,
    #[serde(default)]
    pub pair: Option<String>,
    /// The pair of a currency's quote.
    #[serde(default)]
    pub p: Option<serde_json::Value>,
    #[serde(default)]
    pub status: Option<String>,
    #[serde(default)]
    pub message: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Trade {
    #[serde(default)]
    pub p: Num,
    #[serde(default)]
    pub s: Num,
    #[serde(default)]
    pub t: Num,
    /// Running number of the symbol's messages.
    #[serde(default)]
    pub q: Num,
}

#[derive(Debug, Deserialize)]
pub(super) struct Quote {
    #[serde(default)]
    pub bp: Num,
    #[serde(default)]
    pub bs: Num,
    #[serde(default)]
    pub ap: Num,
    #[serde(rename = "as", default)]
    pub ask_size: Num,
    #[serde(default)]
    pub t: Num,
}

/// `C`: a currency's quote.
#[derive(Debug, Deserialize)]
pub(super) struct Currency {
    #[serde(default)]
    pub b: Num,
    #[serde(default)]
    pub a: Num,
    #[serde(default)]
    pub t: Num,
}

/// `GET /v3/snapshot`.
#[derive(Debug, Deserialize)]
pub(super) struct Snapshots {
    #[serde(default)]
    pub results: Vec<Snapshot>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Snapshot {
    #[serde(default)]
    pub ticker: String,
    #[serde(default)]
    pub last_quote: Option<Updated>,
    #[serde(default)]
    pub last_trade: Option<Updated>,
}

/// Nanoseconds since 1970, under one name or the other.
#[derive(Debug, Deserialize)]
pub(super) struct Updated {
    #[serde(default)]
    pub last_updated: Num,
    #[serde(default)]
    pub sip_timestamp: Num,
}

/// `GET /v3/reference/tickers`.
#[derive(Debug, Deserialize)]
pub(super) struct Tickers<'a> {
    #[serde(borrow, default)]
    pub results: Vec<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Ticker {
    pub ticker: String,
    #[serde(default)]
    pub name: Option<String>,
}
