//! What OANDA sends, as it sends it.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::net::Num;

/// `GET /instruments/{name}/candles`.
#[derive(Debug, Deserialize)]
pub(super) struct Candles<'a> {
    #[serde(borrow)]
    pub candles: Vec<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Candle {
    pub time: String,
    /// Its time is over.
    #[serde(default)]
    pub complete: bool,
    #[serde(default)]
    pub volume: Num,
    #[serde(default)]
    pub mid: Option<Prices>,
    #[serde(default)]
    pub bid: Option<Prices>,
    #[serde(default)]
    pub ask: Option<Prices>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Prices {
    #[serde(default)]
    pub o: Num,
    #[serde(default)]
    pub h: Num,
    #[serde(default)]
    pub l: Num,
    #[serde(default)]
    pub c: Num,
}

/// `GET /accounts/{id}/instruments`.
#[derive(Debug, Deserialize)]
pub(super) struct Instruments<'a> {
    #[serde(borrow)]
    pub instruments: Vec<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Instrument {
    pub name: String,
    #[serde(rename = "type", default)]
    pub kind: String,
    #[serde(default)]
    pub display_name: String,
    #[serde(default)]
    pub display_precision: Num,
    #[serde(default)]
    pub trade_units_precision: Num,
    #[serde(default)]
    pub minimum_trade_size: Num,
    #[serde(default)]
    pub margin_rate: Num,
}

/// `GET /accounts/{id}/pricing`.
#[derive(Debug, Deserialize)]
pub(super) struct Pricing {
    #[serde(default)]
    pub prices: Vec<Line>,
}

/// A line of the price stream.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Line {
    #[serde(rename = "type", default)]
    pub kind: String,
    #[serde(default)]
    pub instrument: Option<String>,
    #[serde(default)]
    pub time: String,
    #[serde(default)]
    pub tradeable: Option<bool>,
    #[serde(default)]
    pub bids: Vec<Level>,
    #[serde(default)]
    pub asks: Vec<Level>,
    #[serde(default)]
    pub closeout_bid: Num,
    #[serde(default)]
    pub closeout_ask: Num,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Level {
    #[serde(default)]
    pub price: Num,
    #[serde(default)]
    pub liquidity: Num,
}
