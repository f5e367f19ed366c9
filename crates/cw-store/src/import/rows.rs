//! One row of text into a candle, a trade or a quote, or the reason why not.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};

use cw_core::{Candle, NumberError, Price, Quantity, Quote, Rounding, Side, Timestamp, Trade, Volume};
use tokio::sync::mpsc;

use super::columns::{Columns, DataKind, Prices, SideColumn};
use crate::candles::ROWS_PER_TRANSACTION;

/// Longest piece of a bad row that is kept.
const RAW_LENGTH: usize = 500;

/// Parsed rows on their way to the database.
#[derive(Debug)]
pub(super) struct Batch {
    pub rows: Rows,
    /// The line of each row.
    pub lines: Vec<u64>,
    pub rejected: Vec<Rejected>,
    pub rounded: u64,
    pub price_basis: &'static str,
}

#[derive(Debug)]
pub(super) enum Rows {
    Candles(Vec<Candle>),
    Trades(Vec<Trade>),
    Quotes(Vec<Quote>),
}

#[derive(Debug)]
pub(super) struct Rejected {
    pub line: u64,
    pub reason: String,
    pub raw: String,
}

impl Rows {
    fn new(kind: DataKind) -> Self {
        match kind {
            DataKind::Candles => Self::Candles(Vec::new()),
            DataKind::Trades => Self::Trades(Vec::new()),
            DataKind::Quotes => Self::Quotes(Vec::new()),
        }
    }
    pub(super) const fn kind(&self) -> DataKind {
        match self {
            Self::Candles(_) => DataKind::Candles,
            Self::Trades(_) => DataKind::Trades,
            Self::Quotes(_) => DataKind::Quotes,
        }
    }
    pub(super) fn times(&self) -> Vec<Timestamp> {
        match self {
            Self::Candles(rows) => rows.iter().map(|row| row.open_time).collect(),
            Self::Trades(rows) => rows.iter().map(|row| row.event_time).collect(),
            Self::Quotes(rows) => rows.iter().map(|row| row.event_time).collect(),
        }
    }
}

/// One value of a row, whatever the file's format.
pub(super) enum Cell<'a> {
    Text(Cow<'a, str>),
    /// Only formats with types have it.
    #[cfg(feature = "parquet")]
    Time(Timestamp),
    Missing,
}

/// Gathers rows into batches and sends them off.
pub(super) struct Parser<'a> {
    columns: Columns,
    batch: Batch,
    sender: &'a mpsc::Sender<Batch>,
    cancel: &'a AtomicBool,
}

/// Nobody wants more rows: the import was canceled or the database failed.
pub(super) struct Stopped;

impl<'a> Parser<'a> {
    pub(super) fn new(columns: Columns, sender: &'a mpsc::Sender<Batch>, cancel: &'a AtomicBool) -> Self {
        let batch = empty(&columns);
        Self { columns, batch, sender, cancel }
    }

    /// Reads one row. `cell` gives the value of a column, `raw` the row as it stood in the file.
    pub(super) fn row<'c>(
        &mut self,
        line: u64,
        cell: impl Fn(usize) -> Cell<'c>,
        raw: impl FnOnce() -> String,
    ) -> Result<(), Stopped> {
        let mut rounded = 0;
        match parse(&self.columns, &cell, &mut rounded) {
            Ok(row) => {
                self.batch.lines.push(line);
                self.batch.rounded += rounded;
                match (&mut self.batch.rows, row) {
                    (Rows::Candles(rows), Row::Candle(row)) => rows.push(row),
                    (Rows::Trades(rows), Row::Trade(row)) => rows.push(row),
                    (Rows::Quotes(rows), Row::Quote(row)) => rows.push(row),
                    _ => unreachable!("rows are of the columns' kind"),
                }
            }
            Err(reason) => return self.reject(line, reason, raw()),
        }
        self.send_when_full()
    }

    /// Notes a row that is not even a row.
    pub(super) fn reject(&mut self, line: u64, reason: String, raw: String) -> Result<(), Stopped> {
        // PostgreSQL's text cannot hold a zero byte.
        let raw = raw.chars().take(RAW_LENGTH).map(|c| if c == '\0' { '\u{fffd}' } else { c }).collect();
        self.batch.rejected.push(Rejected { line, reason: reason.replace('\0', "\u{fffd}"), raw });
        self.send_when_full()
    }

    fn send_when_full(&mut self) -> Result<(), Stopped> {
        if self.batch.lines.len() + self.batch.rejected.len() >= ROWS_PER_TRANSACTION { self.send() } else { Ok(()) }
    }

    fn send(&mut self) -> Result<(), Stopped> {
        let batch = std::mem::replace(&mut self.batch, empty(&self.columns));
        self.sender.blocking_send(batch).map_err(|_| Stopped)?;
        if self.cancel.load(Ordering::Relaxed) { Err(Stopped) } else { Ok(()) }
    }

    /// Sends what is left; a file without rows still tells its kind.
    pub(super) fn finish(mut self) {
        // Whoever stopped listening knows why.
        let _: Result<(), Stopped> = self.send();
    }
}

fn empty(columns: &Columns) -> Batch {
    Batch {
        rows: Rows::new(columns.kind()),
        lines: Vec::new(),
        rejected: Vec::new(),
        rounded: 0,
        price_basis: columns.price_basis(),
    }
}

enum Row {
    Candle(Candle),
    Trade(Trade),
    Quote(Quote),
}

fn parse<'c>(
    columns: &Columns,
    cell: &impl Fn(usize) -> Cell<'c>,
    rounded: &mut u64,
) -> std::result::Result<Row, String> {
    match columns {
        Columns::Candles { time, prices, volume } => {
            let open_time = parse_time(cell(*time))?;
            let [open, high, low, close] = match prices {
                Prices::One { ohlc, .. } => four(ohlc, cell, rounded)?,
                Prices::Mid { bid, ask } => {
                    let (bid, ask) = (four(bid, cell, rounded)?, four(ask, cell, rounded)?);
                    let mut mid = [Price::ZERO; 4];
                    for ((mid, bid), ask) in mid.iter_mut().zip(bid).zip(ask) {
                        *mid = half_of_sum(bid, ask, rounded);
                    }
                    mid
                }
            };
            let volume = match volume {
                Some(place) => number::<Volume>("volume", cell(*place), rounded)?,
                None => Volume::ZERO,
            };
            let candle = Candle { open_time, open, high, low, close, volume };
            candle.validate().map_err(|error| error.to_string())?;
            Ok(Row::Candle(candle))
        }
        Columns::Trades { time, price, quantity, trade_id, side } => {
            let trade = Trade {
                event_time: parse_time(cell(*time))?,
                price: positive_price("price", cell(*price), rounded)?,
                qty: number("quantity", cell(*quantity), rounded)?,
                aggressor: side.map(|column| parse_side(column, cell)).transpose()?.flatten(),
                trade_id: trade_id.map_or(Ok(0), |place| parse_id(cell(place)))?,
            };
            if !trade.qty.is_positive() {
                return Err("quantity must be greater than zero".to_owned());
            }
            Ok(Row::Trade(trade))
        }
        Columns::Quotes { time, bid, ask, bid_size, ask_size } => {
            let mut size = |what, place: &Option<usize>| match place {
                Some(place) => number::<Quantity>(what, cell(*place), rounded),
                None => Ok(Quantity::ZERO),
            };
            let (bid_qty, ask_qty) = (size("bid_size", bid_size)?, size("ask_size", ask_size)?);
            let quote = Quote {
                event_time: parse_time(cell(*time))?,
                bid: positive_price("bid", cell(*bid), rounded)?,
                ask: positive_price("ask", cell(*ask), rounded)?,
                bid_qty,
                ask_qty,
            };
            if quote.is_crossed() {
                return Err(format!("bid {} is above ask {}", quote.bid, quote.ask));
            }
            if bid_qty.is_negative() || ask_qty.is_negative() {
                return Err("a size is negative".to_owned());
            }
            Ok(Row::Quote(quote))
        }
    }
}

/// The number types that files hold.
trait Number: std::str::FromStr<Err = NumberError> {
    fn rounded(text: &str) -> std::result::Result<Self, NumberError>;
}
macro_rules! number {
    ($($name:ident),+) => {$(
        impl Number for $name {
            fn rounded(text: &str) -> std::result::Result<Self, NumberError> {
                Self::parse_rounded(text, Rounding::HalfEven)
            }
        }
    )+};
}
number!(Price, Quantity, Volume);

fn number<T: Number>(what: &str, cell: Cell<'_>, rounded: &mut u64) -> std::result::Result<T, String> {
    let text = match &cell {
        Cell::Text(text) => text.trim(),
        #[cfg(feature = "parquet")]
        Cell::Time(_) => return Err(format!("{what} is a time")),
        Cell::Missing => return Err(format!("{what} is missing")),
    };
    if text.is_empty() {
        return Err(format!("{what} is missing"));
    }
    match text.parse() {
        Ok(value) => Ok(value),
        Err(NumberError::TooPrecise { .. }) => {
            *rounded += 1;
            T::rounded(text).map_err(|error| format!("{what}: {error}"))
        }
        Err(error) => Err(format!("{what}: {error}")),
    }
}

fn positive_price(what: &str, cell: Cell<'_>, rounded: &mut u64) -> std::result::Result<Price, String> {
    let price: Price = number(what, cell, rounded)?;
    if price.is_positive() { Ok(price) } else { Err(format!("{what} must be greater than zero")) }
}

fn four<'c>(
    places: &[usize; 4],
    cell: &impl Fn(usize) -> Cell<'c>,
    rounded: &mut u64,
) -> std::result::Result<[Price; 4], String> {
    let mut prices = [Price::ZERO; 4];
    for ((price, place), what) in prices.iter_mut().zip(places).zip(["open", "high", "low", "close"]) {
        *price = number(what, cell(*place), rounded)?;
    }
    Ok(prices)
}

/// The mean of bid and ask at 10⁻⁹, half to even.
fn half_of_sum(bid: Price, ask: Price, rounded: &mut u64) -> Price {
    let sum = i128::from(bid.raw()) + i128::from(ask.raw());
    let half = sum.div_euclid(2);
    let odd = sum.rem_euclid(2) == 1;
    *rounded += u64::from(odd);
    Price::from_raw((half + i128::from(odd && half % 2 != 0)) as i64)
}

fn parse_time(cell: Cell<'_>) -> std::result::Result<Timestamp, String> {
    match cell {
        #[cfg(feature = "parquet")]
        Cell::Time(time) => Ok(time),
        Cell::Text(text) if text.trim().is_empty() => Err("time is missing".to_owned()),
        Cell::Text(text) => Timestamp::parse(&text).map_err(|error| error.to_string()),
        Cell::Missing => Err("time is missing".to_owned()),
    }
}

fn parse_id(cell: Cell<'_>) -> std::result::Result<u64, String> {
    match cell {
        Cell::Text(text) if !text.trim().is_empty() => {
            text.trim().parse().map_err(|_| format!("trade_id \"{}\" is not a number", text.trim()))
        }
        _ => Ok(0),
    }
}

fn parse_side<'c>(column: SideColumn, cell: &impl Fn(usize) -> Cell<'c>) -> std::result::Result<Option<Side>, String> {
    let (place, words) = match column {
        SideColumn::Side(place) => (place, [["buy", "b", "bid", "1"], ["sell", "s", "ask", "-1"]]),
        // The buyer waited in the book: somebody sold to it.
        SideColumn::BuyerMaker(place) => (place, [["false", "0", "f", "no"], ["true", "1", "t", "yes"]]),
    };
    let Cell::Text(text) = cell(place) else { return Ok(None) };
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let is = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match words {
        [buy, _] if is(buy) => Ok(Some(Side::Buy)),
        [_, sell] if is(sell) => Ok(Some(Side::Sell)),
        _ => Err(format!("side \"{}\" is neither buy nor sell", text.chars().take(20).collect::<String>())),
    }
}

pub(super) fn describe_candle(c: &Candle) -> String {
    format!("{},{},{},{},{},{}", c.open_time, c.open, c.high, c.low, c.close, c.volume)
}
pub(super) fn describe_trade(t: &Trade) -> String {
    format!("{},{},{},{}", t.event_time, t.trade_id, t.price, t.qty)
}
pub(super) fn describe_quote(q: &Quote) -> String {
    format!("{},{},{},{},{}", q.event_time, q.bid, q.ask, q.bid_qty, q.ask_qty)
}
