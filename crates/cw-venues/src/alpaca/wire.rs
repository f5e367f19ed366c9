//! What Alpaca sends, as it sends it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::net::Num;

/// `GET /v2/stocks/bars`, `GET /v1beta3/crypto/us/bars`.
#[derive(Debug, Deserialize)]
pub(super) struct BarsPage<'a> {
    #[serde(borrow, default)]
    pub bars: Option<BTreeMap<String, Option<Vec<&'a RawValue>>>>,
    #[serde(default)]
    pub next_page_token: Option<String>,
}

/// `GET …/bars/latest`.
#[derive(Debug, Deserialize)]
pub(super) struct LatestBars<'a> {
    #[serde(borrow, default)]
    pub bars: Option<BTreeMap<String, &'a RawValue>>,
}

/// `GET …/quotes/latest`.
#[derive(Debug, Deserialize)]
pub(super) struct LatestQuotes {
    #[serde(default)]
    pub quotes: Option<BTreeMap<String, Moment>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Moment {
    pub t: String,
}

/// A row of `GET /v2/assets`.
#[derive(Debug, Deserialize)]
pub(super) struct Asset {
    pub symbol: String,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub class: String,
    #[serde(default)]
    pub price_increment: Num,
    #[serde(default)]
    pub min_order_size: Num,
    #[serde(default)]
    pub min_trade_increment: Num,
}

#[derive(Debug, Deserialize)]
pub(super) struct Bar {
    pub t: String,
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

/// Any message of the stream: its kind, and its symbol where it has one.
#[derive(Debug, Deserialize)]
pub(super) struct Tag {
    #[serde(rename = "T")]
    pub kind: String,
    #[serde(rename = "S", default)]
    pub symbol: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Trade {
    pub t: String,
    #[serde(default)]
    pub i: Num,
    #[serde(default)]
    pub p: Num,
    #[serde(default)]
    pub s: Num,
    /// Crypto only: the side that took, `B` or `S`.
    #[serde(default)]
    pub tks: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Quote {
    pub t: String,
    #[serde(default)]
    pub bp: Num,
    #[serde(default)]
    pub bs: Num,
    #[serde(default)]
    pub ap: Num,
    #[serde(rename = "as", default)]
    pub ask_size: Num,
}

/// `c`: a trade with other numbers than were told.
#[derive(Debug, Deserialize)]
pub(super) struct Correction {
    #[serde(default)]
    pub oi: Num,
    #[serde(default)]
    pub cp: Num,
    #[serde(default)]
    pub cs: Num,
}

/// `x`: a trade that never was.
#[derive(Debug, Deserialize)]
pub(super) struct Cancel {
    #[serde(default)]
    pub i: Num,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Notice {
    #[serde(default)]
    pub msg: String,
    #[serde(default)]
    pub code: u32,
}

/// What is subscribed now.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Subscription {
    #[serde(default)]
    pub bars: Vec<String>,
}
