//! Quotes, trades and order books.

use std::time::Duration;

use cw_api::ApiError;
use cw_api::stream::{DepthLevel, DepthView, QuotesParams, TradeView, Update, UpdateData};
use cw_core::{InstrumentId, Quantity, Timestamp, Trade};
use cw_engine::runtime::Published;

use super::Sources;
use super::feed::{Feed, delta};
use crate::shared::stopped;

/// Public trades shown when a subscription begins.
const TRADES_SHOWN: usize = 60;
const MINUTE: i64 = 60 * Timestamp::NANOS_PER_SECOND;

/// The newest quote of each instrument that changed; what came between is left out.
pub(super) struct Quotes {
    sources: Sources,
    wanted: Vec<u32>,
    /// By instrument number: is wanted, has changed.
    changed: Vec<(bool, bool)>,
}

impl Quotes {
    pub fn new(sources: Sources, params: QuotesParams) -> Result<Self, ApiError> {
        let wanted = sources.market.quoted(params.instruments.as_deref())?;
        let mut changed = vec![(false, false); sources.shared.directory.instruments().len()];
        for number in &wanted {
            changed[*number as usize].0 = true;
        }
        Ok(Self { sources, wanted, changed })
    }
}

impl Feed for Quotes {
    fn period(&self) -> Duration {
        Duration::from_millis(100)
    }

    async fn snapshot(&mut self) -> Result<UpdateData, ApiError> {
        for (_, changed) in &mut self.changed {
            *changed = false;
        }
        Ok(UpdateData::Quotes(self.sources.market.quotes(&self.wanted).await?))
    }

    fn absorb(&mut self, batch: &Published) -> bool {
        let mut any = false;
        let quotes = batch.quotes.iter().map(|(number, _)| *number);
        for number in quotes.chain(batch.trades.iter().map(|(number, _)| *number)) {
            if let Some((true, changed)) = self.changed.get_mut(number as usize) {
                *changed = true;
                any = true;
            }
        }
        any
    }

    async fn delta(&mut self) -> Result<Option<Update>, ApiError> {
        let mut numbers = Vec::new();
        for (number, (_, changed)) in (0u32..).zip(&mut self.changed) {
            if std::mem::take(changed) {
                numbers.push(number);
            }
        }
        let quotes = self.sources.market.quotes(&numbers).await?;
        Ok((!quotes.is_empty()).then(|| delta(UpdateData::Quotes(quotes))))
    }
}

/// Every public trade of one instrument, in order.
pub(super) struct Trades {
    sources: Sources,
    instrument: InstrumentId,
    number: u32,
    waiting: Vec<TradeView>,
    /// The newest trade handed out: venues number them in order.
    last: u64,
}

fn trade_view(trade: &Trade) -> TradeView {
    TradeView { time: trade.event_time, price: trade.price, qty: trade.qty, side: trade.aggressor }
}

fn live_number(sources: &Sources, instrument: &InstrumentId) -> Result<u32, ApiError> {
    sources
        .shared
        .directory
        .number(instrument)
        .ok_or_else(|| ApiError::not_found(format!("instrument {instrument} with live data")).with_field("instrument"))
}

impl Trades {
    pub fn new(sources: Sources, instrument: InstrumentId) -> Result<Self, ApiError> {
        let number = live_number(&sources, &instrument)?;
        Ok(Self { sources, instrument, number, waiting: Vec::new(), last: 0 })
    }
}

impl Feed for Trades {
    fn period(&self) -> Duration {
        Duration::from_millis(20)
    }

    /// The newest trades, oldest first, up to the one that the engine took last.
    async fn snapshot(&mut self) -> Result<UpdateData, ApiError> {
        self.waiting.clear();
        let number = self.number as usize;
        let read = self.sources.shared.engine.read(move |engine| engine.instruments().get(number)?.last_trade);
        let Some(last) = read.await.map_err(stopped)? else { return Ok(UpdateData::Trades(Vec::new())) };
        self.last = last.trade_id;
        let market = self.sources.shared.sim.market();
        let minute = |time| market.trades(&self.instrument, time).unwrap_or_default();
        let mut trades = minute(last.event_time.plus_nanos(-MINUTE));
        trades.extend(minute(last.event_time));
        trades.retain(|trade| trade.trade_id <= last.trade_id);
        let newest = trades.len().saturating_sub(TRADES_SHOWN);
        Ok(UpdateData::Trades(trades[newest..].iter().map(trade_view).collect()))
    }

    fn absorb(&mut self, batch: &Published) -> bool {
        let mine = batch.trades.iter().filter(|(number, trade)| *number == self.number && trade.trade_id > self.last);
        let before = self.waiting.len();
        let mut last = self.last;
        self.waiting.extend(mine.map(|(_, trade)| {
            last = last.max(trade.trade_id);
            trade_view(trade)
        }));
        self.last = last;
        self.waiting.len() > before
    }

    async fn delta(&mut self) -> Result<Option<Update>, ApiError> {
        let trades = std::mem::take(&mut self.waiting);
        Ok((!trades.is_empty()).then(|| delta(UpdateData::Trades(trades))))
    }
}

/// The order book of the simulated market at market time.
pub(super) struct Depth {
    sources: Sources,
    instrument: InstrumentId,
    number: u32,
    shown: Option<DepthView>,
}

impl Depth {
    pub fn new(sources: Sources, instrument: InstrumentId) -> Result<Self, ApiError> {
        let number = live_number(&sources, &instrument)?;
        Ok(Self { sources, instrument, number, shown: None })
    }

    fn book(&self) -> Result<DepthView, ApiError> {
        let depth = self.sources.shared.sim.market().depth(&self.instrument, self.sources.market.now());
        let depth = depth.ok_or_else(|| ApiError::unavailable(format!("{} has no order book", self.instrument)))?;
        Ok(depth_view(&depth))
    }
}

fn depth_view(depth: &cw_venues::sim::Depth) -> DepthView {
    let levels = |side: &[cw_venues::sim::DepthLevel]| {
        let mut total = Quantity::ZERO;
        let level = |level: &cw_venues::sim::DepthLevel| {
            // Twenty sizes of the simulated market are far from what a quantity can hold.
            total = total.checked_add(level.qty).unwrap_or(total);
            DepthLevel(level.price, level.qty, total)
        };
        side.iter().map(level).collect()
    };
    let (bid, ask) = (depth.bids.first().map(|l| l.price), depth.asks.first().map(|l| l.price));
    let (bid, ask) = (bid.unwrap_or_default(), ask.unwrap_or_default());
    let spread = ask.checked_sub(bid).unwrap_or_default();
    let mid = f64::midpoint(bid.to_f64(), ask.to_f64());
    let spread_bp = if mid > 0.0 { spread.to_f64() / mid * 10_000.0 } else { 0.0 };
    DepthView { bids: levels(&depth.bids), asks: levels(&depth.asks), spread, spread_bp }
}

impl Feed for Depth {
    fn period(&self) -> Duration {
        Duration::from_millis(200)
    }

    async fn snapshot(&mut self) -> Result<UpdateData, ApiError> {
        let book = self.book()?;
        self.shown = Some(book.clone());
        Ok(UpdateData::Depth(book))
    }

    fn absorb(&mut self, batch: &Published) -> bool {
        batch.quotes.iter().any(|(number, _)| *number == self.number)
    }

    async fn delta(&mut self) -> Result<Option<Update>, ApiError> {
        let book = self.book()?;
        if self.shown.as_ref() == Some(&book) {
            return Ok(None);
        }
        self.shown = Some(book.clone());
        Ok(Some(delta(UpdateData::Depth(book))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_book_adds_up_from_the_best_price_outwards() {
        let level = |price: &str, qty: &str| cw_venues::sim::DepthLevel {
            price: price.parse().unwrap(),
            qty: qty.parse().unwrap(),
        };
        let depth = cw_venues::sim::Depth {
            event_time: Timestamp::EPOCH,
            bids: vec![level("99.9", "1"), level("99.8", "2.5")],
            asks: vec![level("100.1", "3")],
        };
        let view = depth_view(&depth);
        assert_eq!(view.bids[1], DepthLevel("99.8".parse().unwrap(), "2.5".parse().unwrap(), "3.5".parse().unwrap()));
        assert_eq!(view.spread.to_string(), "0.2");
        assert!((view.spread_bp - 20.0).abs() < 1e-9);
    }
}
