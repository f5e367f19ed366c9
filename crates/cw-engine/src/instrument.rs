//! What the engine knows of one instrument's market.

use cw_core::{Instrument, Price, Quote, Side, Timestamp, Trade};
use cw_market::Aggregator;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstrumentState {
    pub instrument: Instrument,
    pub aggregator: Aggregator,
    pub quote: Option<Quote>,
    pub last_trade: Option<Trade>,
    /// Close of the last candle, where the feed has candles only.
    pub last_close: Option<Price>,
    /// Our clock and journal entry at the last price of any kind.
    pub priced_at: Timestamp,
    pub priced_by: u64,
    /// Its candles are its venue's own minutes; trades and quotes only price it.
    pub by_minutes: bool,
}

impl InstrumentState {
    pub(crate) const fn new(instrument: Instrument, aggregator: Aggregator) -> Self {
        Self {
            instrument,
            aggregator,
            quote: None,
            last_trade: None,
            last_close: None,
            priced_at: Timestamp::EPOCH,
            priced_by: 0,
            by_minutes: false,
        }
    }

    /// What a position is valued at: mid of the quote, else the last trade, else the last close.
    pub fn mark(&self) -> Option<Price> {
        self.quote.map(|q| q.mid()).or(self.last_trade.map(|t| t.price)).or(self.last_close)
    }

    /// What an order of this side would trade at now.
    pub fn touch(&self, side: Side) -> Option<Price> {
        match (self.quote, side) {
            (Some(quote), Side::Buy) => Some(quote.ask),
            (Some(quote), Side::Sell) => Some(quote.bid),
            (None, _) => self.mark(),
        }
    }
}
