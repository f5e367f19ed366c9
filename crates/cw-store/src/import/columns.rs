//! Which column of a file is what, under the many names that files use.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Result, StoreError};

/// What the rows of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataKind {
    Candles,
    Trades,
    Quotes,
}

impl fmt::Display for DataKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Candles => "candles",
            Self::Trades => "trades",
            Self::Quotes => "quotes",
        })
    }
}

impl FromStr for DataKind {
    type Err = StoreError;
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "candles" => Ok(Self::Candles),
            "trades" => Ok(Self::Trades),
            "quotes" => Ok(Self::Quotes),
            other => Err(StoreError::invalid(format!("kind \"{other}\"; use candles, trades or quotes"))),
        }
    }
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    Csv,
    Parquet,
}

impl FileFormat {
    /// By the file name's extension; anything but `.parquet` is taken for CSV.
    pub fn of(file_name: &str) -> Self {
        match file_name.rsplit_once('.') {
            Some((_, extension)) if extension.eq_ignore_ascii_case("parquet") => Self::Parquet,
            _ => Self::Csv,
        }
    }
}

/// Reads `open_time=Date,close=Last` into a mapping from our column to the file's.
pub fn parse_column_mapping(text: &str) -> Result<BTreeMap<String, String>> {
    text.split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.split_once('=') {
            Some((ours, theirs)) if !ours.trim().is_empty() && !theirs.trim().is_empty() => {
                Ok((ours.trim().to_lowercase(), theirs.trim().to_owned()))
            }
            _ => {
                Err(StoreError::invalid(format!("column mapping \"{pair}\"; write ours=theirs, as in open_time=Date")))
            }
        })
        .collect()
}

/// Places of the columns that rows are read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Columns {
    Candles { time: usize, prices: Prices, volume: Option<usize> },
    Trades { time: usize, price: usize, quantity: usize, trade_id: Option<usize>, side: Option<SideColumn> },
    Quotes { time: usize, bid: usize, ask: usize, bid_size: Option<usize>, ask_size: Option<usize> },
}

/// Open, high, low, close: of one kind of price, or of bid and ask, whose mean is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Prices {
    One { basis: &'static str, ohlc: [usize; 4] },
    Mid { bid: [usize; 4], ask: [usize; 4] },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SideColumn {
    /// buy or sell: what the taker did.
    Side(usize),
    /// true when the buyer was the maker, so that the taker sold.
    BuyerMaker(usize),
}

const TIME: [&str; 6] = ["open_time", "time", "timestamp", "date", "datetime", "event_time"];
const VOLUME: [&str; 3] = ["volume", "vol", "base_volume"];
const QUANTITY: [&str; 4] = ["quantity", "qty", "size", "amount"];
const TRADE_ID: [&str; 4] = ["trade_id", "id", "agg_trade_id", "tid"];
const BUYER_MAKER: [&str; 2] = ["buyer_maker", "is_buyer_maker"];
const BID: [&str; 2] = ["bid", "bid_price"];
const ASK: [&str; 2] = ["ask", "ask_price"];
const BID_SIZE: [&str; 3] = ["bid_size", "bid_qty", "bid_volume"];
const ASK_SIZE: [&str; 3] = ["ask_size", "ask_qty", "ask_volume"];

struct Header<'a> {
    names: Vec<String>,
    mapping: &'a BTreeMap<String, String>,
}

impl Header<'_> {
    /// The column under the first of our names that the mapping or the file has.
    fn find(&self, names: &[&str]) -> Option<usize> {
        let mapped = names.iter().find_map(|name| self.mapping.get(*name));
        match mapped {
            Some(theirs) => self.names.iter().position(|name| *name == normal(theirs)),
            None => names.iter().find_map(|wanted| self.names.iter().position(|name| name == wanted)),
        }
    }
    fn ohlc(&self, prefix: &str) -> Option<[usize; 4]> {
        let mut places = [0; 4];
        for (place, name) in places.iter_mut().zip(["open", "high", "low", "close"]) {
            *place = self.find(&[&format!("{prefix}{name}")])?;
        }
        Some(places)
    }
}

fn normal(name: &str) -> String {
    name.trim().trim_start_matches('\u{feff}').to_lowercase().replace([' ', '-'], "_")
}

impl Columns {
    /// Finds the columns of the wanted kind, or of the first kind whose columns are all there.
    pub(super) fn find<'a>(
        header: impl IntoIterator<Item = &'a str>,
        mapping: &BTreeMap<String, String>,
        wanted: Option<DataKind>,
    ) -> Result<Self> {
        let header = Header { names: header.into_iter().map(normal).collect(), mapping };
        for theirs in mapping.values() {
            if !header.names.contains(&normal(theirs)) {
                return Err(StoreError::invalid(format!(
                    "the file has no column \"{theirs}\"; it has {}",
                    header.names.join(", ")
                )));
            }
        }
        let kinds = match wanted {
            Some(kind) => vec![kind],
            None => vec![DataKind::Candles, DataKind::Trades, DataKind::Quotes],
        };
        kinds.into_iter().find_map(|kind| Self::of_kind(&header, kind)).ok_or_else(|| {
            StoreError::invalid(format!(
                "cannot tell what the columns {} are{}; candles need a time, open, high, low and close; trades a time, \
                 price and quantity; quotes a time, bid and ask; map other names with columns",
                header.names.join(", "),
                wanted.map(|kind| format!(" as {kind}")).unwrap_or_default()
            ))
        })
    }

    fn of_kind(header: &Header<'_>, kind: DataKind) -> Option<Self> {
        let time = header.find(&TIME)?;
        Some(match kind {
            DataKind::Candles => {
                let prices = match (header.ohlc(""), header.ohlc("bid_"), header.ohlc("ask_")) {
                    (Some(ohlc), ..) => Prices::One { basis: "trade", ohlc },
                    (None, Some(bid), Some(ask)) => Prices::Mid { bid, ask },
                    (None, Some(ohlc), None) => Prices::One { basis: "bid", ohlc },
                    (None, None, Some(ohlc)) => Prices::One { basis: "ask", ohlc },
                    (None, None, None) => return None,
                };
                Self::Candles { time, prices, volume: header.find(&VOLUME) }
            }
            DataKind::Trades => Self::Trades {
                time,
                price: header.find(&["price"])?,
                quantity: header.find(&QUANTITY)?,
                trade_id: header.find(&TRADE_ID),
                side: header
                    .find(&["side"])
                    .map(SideColumn::Side)
                    .or_else(|| header.find(&BUYER_MAKER).map(SideColumn::BuyerMaker)),
            },
            DataKind::Quotes => Self::Quotes {
                time,
                bid: header.find(&BID)?,
                ask: header.find(&ASK)?,
                bid_size: header.find(&BID_SIZE),
                ask_size: header.find(&ASK_SIZE),
            },
        })
    }

    pub(super) fn kind(&self) -> DataKind {
        match self {
            Self::Candles { .. } => DataKind::Candles,
            Self::Trades { .. } => DataKind::Trades,
            Self::Quotes { .. } => DataKind::Quotes,
        }
    }
    pub(super) fn price_basis(&self) -> &'static str {
        match self {
            Self::Candles { prices: Prices::One { basis, .. }, .. } => basis,
            Self::Candles { prices: Prices::Mid { .. }, .. } => "mid",
            Self::Trades { .. } => "trade",
            Self::Quotes { .. } => "quote",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(header: &str, mapping: &str, kind: Option<DataKind>) -> std::result::Result<Columns, String> {
        let mapping = parse_column_mapping(mapping).map_err(|e| e.to_string())?;
        Columns::find(header.split(','), &mapping, kind).map_err(|e| e.to_string())
    }

    #[test]
    fn kinds_are_told_by_their_columns() {
        for (header, kind, basis) in [
            ("time,open,high,low,close,volume", DataKind::Candles, "trade"),
            ("\u{feff}Date,Open,High,Low,Close", DataKind::Candles, "trade"),
            ("time,bid_open,bid_high,bid_low,bid_close", DataKind::Candles, "bid"),
            ("time,ask open,ask high,ask low,ask close", DataKind::Candles, "ask"),
            ("time,bid_open,bid_high,bid_low,bid_close,ask_open,ask_high,ask_low,ask_close", DataKind::Candles, "mid"),
            ("time,trade_id,price,quantity,buyer_maker", DataKind::Trades, "trade"),
            ("timestamp,price,qty", DataKind::Trades, "trade"),
            ("time,bid,ask", DataKind::Quotes, "quote"),
        ] {
            let columns = find(header, "", None).unwrap();
            assert_eq!((columns.kind(), columns.price_basis()), (kind, basis), "{header}");
        }
    }

    #[test]
    fn other_names_are_mapped() {
        let columns = find("t,o,h,l,c", "time=t, open=o,high=h,low=l,close=c", None).unwrap();
        assert_eq!(
            columns,
            Columns::Candles { time: 0, prices: Prices::One { basis: "trade", ohlc: [1, 2, 3, 4] }, volume: None }
        );
        assert!(find("t,o", "time=x", None).unwrap_err().contains("no column \"x\""));
        assert!(find("t,o", "time", None).unwrap_err().contains("ours=theirs"));
    }

    #[test]
    fn unknown_columns_are_an_error_that_says_what_is_needed() {
        let error = find("a,b", "", None).unwrap_err();
        assert!(error.contains("cannot tell what the columns a, b are; candles need a time"), "{error}");
        let error = find("time,bid,ask", "", Some(DataKind::Candles)).unwrap_err();
        assert!(error.contains("are as candles"), "{error}");
    }
}
