//! Candles below a minute as they form. The engine keeps none: no decision needs them, and the journal would grow by one
//! per instrument and second. Whoever looks at such a chart has them made from the trades that pass by.

use cw_core::{Candle, FormingCandle, Timeframe, Timestamp, Trade};
use cw_market::{Aggregator, CandleUpdate};

/// How late a trade may come and still revise its candle, as in the engine.
const LATENESS_NS: i64 = 2_000_000_000;

/// What the last trades did to a chart.
#[derive(Debug, Default, PartialEq)]
pub(in crate::services) struct Told {
    pub closed: Vec<Candle>,
    /// The earliest candle that has to be read again: corrected, or begun before anybody looked.
    pub reread: Option<Timestamp>,
}

/// One instrument's candles of one timeframe below a minute.
pub(in crate::services) struct Seconds {
    number: u32,
    timeframe: Timeframe,
    aggregator: Aggregator,
    /// The candle that was forming when the chart was opened lacks its first trades.
    whole_from: Timestamp,
}

impl Seconds {
    pub fn new(number: u32, timeframe: Timeframe, now: Timestamp) -> Self {
        let whole_from = timeframe.close_time(timeframe.open_time(now));
        Self { number, timeframe, aggregator: Aggregator::new(&[timeframe], LATENESS_NS), whole_from }
    }

    /// Takes a batch's trades; `None` when it had none of this instrument.
    pub fn absorb(&mut self, trades: &[(u32, Trade)], seq: u64) -> Option<Told> {
        let mut told = None;
        for (_, trade) in trades.iter().filter(|(number, _)| *number == self.number) {
            let told: &mut Told = told.get_or_insert_default();
            let whole_from = self.whole_from;
            self.aggregator.on_trade(trade, seq, &mut |update| match update {
                CandleUpdate::Closed { candle, .. } if candle.open_time >= whole_from => told.closed.push(candle),
                CandleUpdate::Closed { candle: Candle { open_time: time, .. }, .. }
                | CandleUpdate::Revised { candle: Candle { open_time: time, .. }, .. }
                | CandleUpdate::Stale { open_time: time, .. } => {
                    told.reread = Some(told.reread.map_or(time, |earliest| earliest.min(time)));
                }
                // Nobody traded: there is nothing to draw.
                CandleUpdate::Gap { .. } => {}
            });
        }
        told
    }

    /// The forming candle, once it has all its trades.
    pub fn forming(&self) -> Option<FormingCandle> {
        self.aggregator.forming(self.timeframe).filter(|forming| forming.so_far.open_time >= self.whole_from)
    }
}

#[cfg(test)]
mod tests {
    use cw_core::{Price, Quantity};

    use super::*;

    fn trade(ms: i64, price: i64) -> (u32, Trade) {
        let qty = Quantity::from_raw(1_000_000_000);
        let event_time = Timestamp::from_millis(ms);
        (7, Trade { event_time, price: Price::from_raw(price), qty, aggressor: None, trade_id: 0 })
    }

    #[test]
    fn a_candle_that_began_before_anybody_looked_is_read_again() {
        let mut seconds = Seconds::new(7, "5s".parse().unwrap(), Timestamp::from_secs(102));
        assert_eq!(seconds.absorb(&[(8, trade(103_000, 5).1)], 1), None, "another instrument");
        assert_eq!(seconds.absorb(&[trade(103_000, 5)], 2), Some(Told::default()));
        assert_eq!(seconds.forming(), None, "its beginning is not known");
        let told = seconds.absorb(&[trade(105_500, 6), trade(109_000, 8)], 3).unwrap();
        assert_eq!((told.closed.len(), told.reread), (0, Some(Timestamp::from_secs(100))));
        let forming = seconds.forming().unwrap().so_far;
        assert_eq!((forming.open.raw(), forming.close.raw()), (6, 8));
        let told = seconds.absorb(&[trade(110_100, 9)], 4).unwrap();
        assert_eq!((told.closed.len(), told.reread), (1, None));
        assert_eq!(told.closed[0].open_time, Timestamp::from_secs(105));
        // Late by less than the lateness: what was closed is corrected.
        let told = seconds.absorb(&[trade(109_900, 12)], 5).unwrap();
        assert_eq!((told.closed.len(), told.reread), (0, Some(Timestamp::from_secs(105))));
    }
}
