//! What Yahoo sends, as it sends it.

use serde::Deserialize;

use crate::net::Num;

#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    pub chart: Chart,
}

#[derive(Debug, Deserialize)]
pub(super) struct Chart {
    #[serde(default)]
    pub result: Option<Vec<Series>>,
    #[serde(default)]
    pub error: Option<Problem>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Problem {
    #[serde(default)]
    pub code: String,
    #[serde(default)]
    pub description: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Series {
    pub meta: Meta,
    /// Missing where there is no data.
    #[serde(default)]
    pub timestamp: Vec<Num>,
    #[serde(default)]
    pub indicators: Indicators,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Meta {
    pub currency: Option<String>,
    pub instrument_type: Option<String>,
    pub short_name: Option<String>,
    /// Seconds from UTC at the exchange, now.
    pub gmtoffset: Num,
    pub exchange_timezone_name: Option<String>,
    pub price_hint: Num,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Indicators {
    pub quote: Vec<Columns>,
}

/// Columns beside `timestamp`; single values may be null.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Columns {
    pub open: Vec<Num>,
    pub high: Vec<Num>,
    pub low: Vec<Num>,
    pub close: Vec<Num>,
    pub volume: Vec<Num>,
}
