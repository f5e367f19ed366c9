//! What AsterDEX sends, as it sends it.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::net::Num;

/// `GET /fapi/v3/klines`: open time, open, high, low, close, volume, close time, and more that we do not use.
#[derive(Debug, Deserialize)]
pub(super) struct Kline(
    pub Num,
    pub Num,
    pub Num,
    pub Num,
    pub Num,
    pub Num,
    #[serde(default)] pub serde::de::IgnoredAny,
    #[serde(default)] pub serde::de::IgnoredAny,
    #[serde(default)] pub serde::de::IgnoredAny,
    #[serde(default)] pub serde::de::IgnoredAny,
    #[serde(default)] pub serde::de::IgnoredAny,
    #[serde(default)] pub serde::de::IgnoredAny,
);

/// `GET /fapi/v3/exchangeInfo`.
#[derive(Debug, Deserialize)]
pub(super) struct ExchangeInfo<'a> {
    #[serde(borrow, default)]
    pub symbols: Vec<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Symbol {
    #[serde(rename = "symbol")]
    pub name: String,
    #[serde(default)]
    pub status: String,
    #[serde(default)]
    pub base_asset: String,
    #[serde(default)]
    pub quote_asset: String,
    #[serde(default)]
    pub filters: Vec<Filter>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Filter {
    #[serde(rename = "filterType")]
    pub kind: String,
    pub tick_size: Num,
    pub step_size: Num,
    pub min_qty: Num,
}

/// Any message of a stream, in its wrapper or without.
#[derive(Debug, Deserialize)]
pub(super) struct Message<'a> {
    #[serde(borrow, default)]
    pub data: Option<&'a RawValue>,
    /// The answer to a request of ours.
    #[serde(default)]
    pub id: Option<u64>,
    #[serde(default)]
    pub code: Option<i64>,
    #[serde(default)]
    pub msg: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Tag {
    pub e: String,
    #[serde(default)]
    pub s: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct AggTrade {
    #[serde(default)]
    pub a: Num,
    #[serde(default)]
    pub p: Num,
    #[serde(default)]
    pub q: Num,
    #[serde(rename = "T", default)]
    pub time: Num,
    /// The buyer was there first.
    #[serde(default)]
    pub m: Option<bool>,
}

#[derive(Debug, Deserialize)]
pub(super) struct BookTicker {
    #[serde(rename = "T", default)]
    pub time: Num,
    #[serde(default)]
    pub b: Num,
    #[serde(rename = "B", default)]
    pub bid_size: Num,
    #[serde(default)]
    pub a: Num,
    #[serde(rename = "A", default)]
    pub ask_size: Num,
}

#[derive(Debug, Deserialize)]
pub(super) struct MarkPrice {
    #[serde(rename = "E", default)]
    pub time: Num,
    #[serde(default)]
    pub p: Num,
    /// The funding rate, and when it is paid the next time.
    #[serde(default)]
    pub r: Num,
    #[serde(rename = "T", default)]
    pub next: Num,
}

/// `GET /fapi/v3/depth`: levels are price and quantity.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Book {
    #[serde(default)]
    pub last_update_id: Num,
    #[serde(default)]
    pub bids: Vec<Vec<Num>>,
    #[serde(default)]
    pub asks: Vec<Vec<Num>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct DepthUpdate {
    #[serde(rename = "E", default)]
    pub time: Num,
    #[serde(rename = "U", default)]
    pub first: Num,
    #[serde(rename = "u", default)]
    pub last: Num,
    /// `last` of the update before.
    #[serde(rename = "pu", default)]
    pub previous: Num,
    #[serde(rename = "b", default)]
    pub bids: Vec<Vec<Num>>,
    #[serde(rename = "a", default)]
    pub asks: Vec<Vec<Num>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct KlineEvent {
    pub k: StreamedKline,
}

#[derive(Debug, Deserialize)]
pub(super) struct StreamedKline {
    #[serde(default)]
    pub t: Num,
    #[serde(default)]
    pub i: String,
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
    /// Its time is over.
    #[serde(default)]
    pub x: bool,
}
