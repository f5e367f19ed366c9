//! Candles that end with what was traded, as they form: of the trades that are published, from the one on that history
//! ended with.

use cw_core::{FormingCandle, Trade};
use cw_market::{Bar, Bars};

/// One instrument's candles of one rule.
pub(in crate::services) struct Ticks {
    number: u32,
    maker: Bars,
    /// What was published up to here is counted.
    counted: u64,
    /// The newest trade counted, as long as a batch may hold it and others before it.
    last: Option<Trade>,
}

impl Ticks {
    /// Goes on with what has counted everything up to `last`, the engine's newest trade when `seq` was its newest entry.
    pub const fn new(number: u32, maker: Bars, last: Option<Trade>, seq: u64) -> Self {
        Self { number, maker, counted: seq, last }
    }

    /// Takes a batch's trades and hands out what they complete; `None` when it had none of this instrument.
    pub fn absorb(&mut self, trades: &[(u32, Trade)], seq: u64) -> Option<Vec<Bar>> {
        if seq <= self.counted {
            return None;
        }
        let mine: Vec<&Trade> =
            trades.iter().filter(|(number, _)| *number == self.number).map(|(_, trade)| trade).collect();
        // The first batch that reaches further may begin before.
        let known = self.last.take().and_then(|last| mine.iter().position(|trade| **trade == last));
        self.counted = seq;
        let new = &mine[known.map_or(0, |at| at + 1)..];
        let mut bars = Vec::new();
        for trade in new {
            self.maker.on_trade(trade, &mut |bar| bars.push(bar));
        }
        (!new.is_empty()).then_some(bars)
    }

    pub fn forming(&self) -> Option<FormingCandle> {
        self.maker.forming()
    }
}

#[cfg(test)]
mod tests {
    use cw_core::{BarRule, Price, Quantity, Timestamp};

    use super::*;

    fn trade(n: i64) -> (u32, Trade) {
        let (price, qty) = (Price::from_raw(n), Quantity::from_raw(1));
        (7, Trade { event_time: Timestamp::from_secs(n), price, qty, aggressor: None, trade_id: 0 })
    }

    #[test]
    fn each_trade_is_counted_once_where_history_and_the_stream_meet() {
        let mut maker = Bars::new(BarRule::Trades(2));
        (1..=3).for_each(|n| assert!(maker.on_trade(&trade(n).1, &mut |_| {})));
        let mut ticks = Ticks::new(7, maker, Some(trade(3).1), 30);
        assert_eq!(ticks.absorb(&[trade(1), trade(2)], 29), None, "all of it is counted");
        assert_eq!(ticks.absorb(&[(8, trade(9).1)], 29), None);
        let closed =
            |bars: Option<Vec<Bar>>| bars.unwrap().iter().map(|bar| bar.candle.close.raw()).collect::<Vec<_>>();
        assert_eq!(closed(ticks.absorb(&[trade(2), trade(3), (8, trade(3).1), trade(4), trade(5)], 33)), [4]);
        assert_eq!(ticks.forming().unwrap().so_far.open.raw(), 5);
        assert_eq!(closed(ticks.absorb(&[trade(3), trade(6)], 36)), [3], "the same again later is another trade");
        let mut quiet = Ticks::new(7, Bars::new(BarRule::Trades(1)), Some(trade(3).1), 30);
        assert_eq!(quiet.absorb(&[(8, trade(1).1)], 31), None);
        assert_eq!(
            closed(quiet.absorb(&[trade(3)], 32)),
            [3],
            "what the first batch did not hold was in an earlier one"
        );
    }
}
