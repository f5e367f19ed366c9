//! Trades and quotes as they came, for files with ticks.

mod table;

use cw_core::{InstrumentId, Price, Quantity, Quote, Side, Timestamp, Trade};

use crate::candles::{CandleQuery, ROWS_PER_TRANSACTION, WriteReport};
use crate::db::Db;
use crate::error::{Result, StoreError};
use crate::open::Store;
use crate::series::{Channel, Source};
use table::{QUOTES, TRADES, Table};

/// What trades and quotes have in common in their tables: `(time, ordinal, a, b, x, y)`.
///
/// A trade is (price, side, quantity, trade id), a quote (bid, ask, bid quantity, ask quantity). `ordinal` counts ticks
/// that nothing else tells apart: quotes of one moment, and trades of one moment and one id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tick {
    time: i64,
    ordinal: i64,
    a: i64,
    b: i64,
    x: i128,
    y: i128,
}

impl From<&Trade> for Tick {
    fn from(trade: &Trade) -> Self {
        Self {
            time: trade.event_time.as_nanos(),
            ordinal: 0,
            a: trade.price.raw(),
            b: trade.aggressor.map_or(0, |side| side.sign() as i64),
            x: trade.qty.raw(),
            // Only the bits matter: the id is compared, never ordered across the sign.
            y: i128::from(trade.trade_id as i64),
        }
    }
}

impl From<&Quote> for Tick {
    fn from(quote: &Quote) -> Self {
        Self {
            time: quote.event_time.as_nanos(),
            ordinal: 0,
            a: quote.bid.raw(),
            b: quote.ask.raw(),
            x: quote.bid_qty.raw(),
            y: quote.ask_qty.raw(),
        }
    }
}

impl Tick {
    fn trade(self) -> Result<Trade> {
        Ok(Trade {
            event_time: Timestamp::from_nanos(self.time),
            price: Price::from_raw(self.a),
            qty: Quantity::from_raw(self.x),
            aggressor: match self.b {
                1 => Some(Side::Buy),
                -1 => Some(Side::Sell),
                _ => None,
            },
            trade_id: i64::try_from(self.y).map_err(|_| StoreError::corrupt("a trade id beyond 64 bits"))? as u64,
        })
    }
    fn quote(self) -> Quote {
        Quote {
            event_time: Timestamp::from_nanos(self.time),
            bid: Price::from_raw(self.a),
            ask: Price::from_raw(self.b),
            bid_qty: Quantity::from_raw(self.x),
            ask_qty: Quantity::from_raw(self.y),
        }
    }
}

/// Numbers ticks that nothing else tells apart, in the order in which they come.
#[derive(Debug, Default)]
pub(crate) struct Ordinals {
    time: i64,
    /// How many came at `time` so far, by trade id.
    seen: std::collections::HashMap<i128, i64>,
}

impl Ordinals {
    fn number(&mut self, tick: &mut Tick, key: i128) {
        if tick.time != self.time {
            self.time = tick.time;
            self.seen.clear();
        }
        let count = self.seen.entry(key).or_default();
        tick.ordinal = *count;
        *count += 1;
    }
    pub(crate) fn trade(&mut self, trade: &Trade) -> Tick {
        let mut tick = Tick::from(trade);
        // A venue's id names the trade: the same one again is a duplicate, not a second print.
        if trade.trade_id == 0 {
            self.number(&mut tick, 0);
        }
        tick
    }
    pub(crate) fn quote(&mut self, quote: &Quote) -> Tick {
        let mut tick = Tick::from(quote);
        self.number(&mut tick, 0);
        tick
    }
}

impl Store {
    /// Writes trades; the same ones again change nothing. A trade that contradicts a stored one of the same time and id
    /// is reported as a conflict and not written. Trades without an id count by their place among those of the same
    /// moment, which therefore must come together.
    pub async fn write_trades(
        &self,
        instrument: &InstrumentId,
        trades: &[Trade],
        source: &Source,
    ) -> Result<WriteReport> {
        let mut ordinals = Ordinals::default();
        let ticks = trades.iter().map(|trade| ordinals.trade(trade)).collect();
        self.write_ticks(instrument, Channel::Trades, ticks, source).await
    }

    /// Writes quotes; the same ones again change nothing, as with [`Store::write_trades`].
    pub async fn write_quotes(
        &self,
        instrument: &InstrumentId,
        quotes: &[Quote],
        source: &Source,
    ) -> Result<WriteReport> {
        let mut ordinals = Ordinals::default();
        let ticks = quotes.iter().map(|quote| ordinals.quote(quote)).collect();
        self.write_ticks(instrument, Channel::Quotes, ticks, source).await
    }

    async fn write_ticks(
        &self,
        instrument: &InstrumentId,
        channel: Channel,
        ticks: Vec<Tick>,
        source: &Source,
    ) -> Result<WriteReport> {
        self.check_writable("writing ticks")?;
        let series = self.series(instrument, channel).await?;
        let source = self.source(source).await?;
        let mut report = WriteReport::default();
        for (chunk, part) in ticks.chunks(ROWS_PER_TRANSACTION).enumerate() {
            report.add(self.write_tick_chunk(channel, series, source, part, chunk * ROWS_PER_TRANSACTION).await?);
        }
        Ok(report)
    }

    /// One transaction's worth; `offset` is the place of `ticks[0]` in the caller's input.
    pub(crate) async fn write_tick_chunk(
        &self,
        channel: Channel,
        series: i64,
        source: i64,
        ticks: &[Tick],
        offset: usize,
    ) -> Result<WriteReport> {
        let table = table_of(channel)?;
        // In the key's order, which is where they will lie.
        let mut order: Vec<usize> = (0..ticks.len()).collect();
        if !ticks.is_sorted_by_key(|tick| tick.time) {
            order.sort_by_key(|place| ticks[*place].time);
        }
        match self.db() {
            Db::Sqlite(db) => table::write_sqlite(db, table, series, source, ticks.to_vec(), order, offset).await,
            Db::Postgres(pool) => table::write_postgres(pool, table, series, source, ticks, &order, offset).await,
        }
    }

    /// The trades of a range of event times, in order.
    pub async fn read_trades(&self, instrument: &InstrumentId, query: &CandleQuery) -> Result<Vec<Trade>> {
        self.read_ticks(instrument, Channel::Trades, query).await?.into_iter().map(Tick::trade).collect()
    }

    /// The quotes of a range of event times, in order.
    pub async fn read_quotes(&self, instrument: &InstrumentId, query: &CandleQuery) -> Result<Vec<Quote>> {
        Ok(self.read_ticks(instrument, Channel::Quotes, query).await?.into_iter().map(Tick::quote).collect())
    }

    async fn read_ticks(&self, instrument: &InstrumentId, channel: Channel, query: &CandleQuery) -> Result<Vec<Tick>> {
        let table = table_of(channel)?;
        let Some(series) = self.find_series(instrument, channel).await? else { return Ok(Vec::new()) };
        match self.db() {
            Db::Sqlite(db) => table::read_sqlite(db, table, series, *query).await,
            Db::Postgres(pool) => table::read_postgres(pool, table, series, query).await,
        }
    }
}

fn table_of(channel: Channel) -> Result<&'static Table> {
    match channel {
        Channel::Trades => Ok(&TRADES),
        Channel::Quotes => Ok(&QUOTES),
        Channel::Candles(_) => Err(StoreError::invalid("candles are not ticks")),
    }
}
