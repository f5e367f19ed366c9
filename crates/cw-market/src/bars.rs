//! Candles that end with what was traded and not with the clock: so many trades, so much volume or notional, so far a
//! move.
//!
//! They are made of trades in the order in which they come; there is no later correction, because one trade more would
//! move the end of every candle after it. For the same reason counting begins anew each day (UTC): the candles of a day
//! follow from that day's trades alone, so that any part of a history is the same whoever asks for it, and one trade that
//! is found later changes a day and not all that follows.

use cw_core::{BarRule, Candle, FormingCandle, Price, Quantity, Timeframe, Timestamp, Trade, Volume};

/// Candles that one trade may complete.
const MOST_AT_ONCE: i128 = 100_000;

/// Open times are a microsecond apart at least: fine enough for what venues say, and coarse enough for the floats that a
/// chart draws from.
const STEP: i64 = 1_000;

/// A candle that ended with what was traded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    pub candle: Candle,
    /// When it was over: with the trade that ended it, or with the day.
    pub closed_at: Timestamp,
}

/// Makes candles of one instrument by one rule.
///
/// A candle opens at its first trade's time, and where that is not after the candle before it opened, a microsecond after
/// that: each has an open time of its own, and they ascend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bars {
    rule: BarRule,
    current: Option<Candle>,
    newest: Timestamp,
    /// First moment after the day that is counted.
    day_end: Timestamp,
    /// Open time of the newest candle of the day.
    opened: Timestamp,
    /// Trades, or notional in 10⁻¹⁸, of the current candle.
    count: i128,
    /// Of renko: where the last brick ended and its direction; before the first one, where it begins.
    brick: Option<(i64, i64)>,
}

impl Bars {
    pub const fn new(rule: BarRule) -> Self {
        Self {
            rule,
            current: None,
            newest: Timestamp::MIN,
            day_end: Timestamp::MIN,
            opened: Timestamp::MIN,
            count: 0,
            brick: None,
        }
    }

    /// What is not complete yet.
    pub fn forming(&self) -> Option<FormingCandle> {
        self.current.map(|so_far| FormingCandle { so_far, as_of: self.newest })
    }

    /// The day is over: ends what is left of it. A move that is no brick yet is none.
    pub fn end_day(&mut self, out: &mut impl FnMut(Bar)) {
        if let Some(candle) = self.current.take()
            && !matches!(self.rule, BarRule::Renko(_))
        {
            out(Bar { candle, closed_at: self.day_end });
        }
        (self.count, self.brick, self.opened) = (0, None, Timestamp::MIN);
    }

    /// Counts a trade and hands out the candles that it completes, oldest first. False when the trade is not taken: no price,
    /// a negative quantity, or one trade that would make more than a hundred thousand candles.
    pub fn on_trade(&mut self, trade: &Trade, out: &mut impl FnMut(Bar)) -> bool {
        if !trade.price.is_positive() || trade.qty.is_negative() || self.would_make(trade) > MOST_AT_ONCE {
            return false;
        }
        // An order of arrival that differs from the time's does not make candles overlap.
        self.newest = self.newest.max(trade.event_time);
        if self.newest >= self.day_end {
            self.end_day(out);
            self.day_end = Timeframe::D1.close_time(Timeframe::D1.open_time(self.newest));
        }
        match self.rule {
            BarRule::Trades(most) => {
                self.add(trade.price, trade.qty);
                self.count += 1;
                if self.count >= i128::from(most) {
                    self.end(out);
                }
            }
            BarRule::Volume(most) => self.fill(trade, most, out),
            BarRule::Notional(most) => {
                self.add(trade.price, trade.qty);
                let notional = i128::from(trade.price.raw()).saturating_mul(trade.qty.raw());
                self.count = self.count.saturating_add(notional);
                // It has twice the decimals of a price.
                if self.count >= i128::from(most.raw()) * 1_000_000_000 {
                    self.end(out);
                }
            }
            BarRule::Range(most) => {
                let beyond = |candle: &Candle| {
                    let high = candle.high.max(trade.price).raw();
                    high.saturating_sub(candle.low.min(trade.price).raw()) > most.raw()
                };
                if self.current.as_ref().is_some_and(beyond) {
                    self.end(out);
                }
                self.add(trade.price, trade.qty);
            }
            BarRule::Renko(size) => self.lay(trade, size.raw(), out),
        }
        true
    }

    /// About how many candles a trade completes.
    fn would_make(&self, trade: &Trade) -> i128 {
        match self.rule {
            BarRule::Volume(most) => trade.qty.raw() / most.raw().max(1),
            BarRule::Renko(size) => {
                let end = self.brick.map_or(trade.price.raw(), |(end, _)| end);
                (i128::from(trade.price.raw()) - i128::from(end)).abs() / i128::from(size.raw().max(1))
            }
            BarRule::Trades(_) | BarRule::Notional(_) | BarRule::Range(_) => 1,
        }
    }

    fn add(&mut self, price: Price, qty: Quantity) {
        let volume = Volume::from(qty);
        if let Some(candle) = &mut self.current {
            candle.high = candle.high.max(price);
            candle.low = candle.low.min(price);
            candle.close = price;
            candle.volume = candle.volume.saturating_add(volume);
        } else {
            let after = self.opened.plus_nanos(STEP);
            let open_time = in_steps(self.newest).max(after).min(self.day_end.plus_nanos(-STEP));
            self.opened = open_time;
            self.current = Some(Candle { open_time, open: price, high: price, low: price, close: price, volume });
        }
    }

    fn end(&mut self, out: &mut impl FnMut(Bar)) {
        self.count = 0;
        if let Some(candle) = self.current.take() {
            out(Bar { candle, closed_at: in_steps(self.newest).max(candle.open_time) });
        }
    }

    /// Divides a trade among as many candles as it takes.
    fn fill(&mut self, trade: &Trade, most: Quantity, out: &mut impl FnMut(Bar)) {
        let mut left = trade.qty.raw();
        loop {
            let room = most.raw() - self.current.map_or(0, |candle| candle.volume.raw());
            let part = left.min(room);
            self.add(trade.price, Quantity::from_raw(part));
            left -= part;
            if part == room {
                self.end(out);
            }
            if left == 0 {
                return;
            }
        }
    }

    fn lay(&mut self, trade: &Trade, size: i64, out: &mut impl FnMut(Bar)) {
        let price = trade.price.raw();
        let (mut end, mut direction) = self.brick.unwrap_or_else(|| (first_end(price, size), 0));
        self.add(trade.price, trade.qty);
        loop {
            // Against the last brick's direction the move is counted from its beginning.
            let up = if direction < 0 { end.saturating_add(size) } else { end };
            let down = if direction > 0 { end - size } else { end };
            let (from, step) = if price >= up.saturating_add(size) {
                (up, 1)
            } else if price <= down - size {
                (down, -1)
            } else {
                break;
            };
            let to = from + step * size;
            let (Some(so_far), low, high) = (self.current, from.min(to), from.max(to)) else { break };
            self.current = Some(Candle {
                open: Price::from_raw(from),
                high: Price::from_raw(high),
                low: Price::from_raw(low),
                close: Price::from_raw(to),
                ..so_far
            });
            self.end(out);
            (end, direction) = (to, step);
            // What follows begins with nothing traded in it yet; several bricks of one trade share no volume.
            self.add(trade.price, Quantity::ZERO);
        }
        self.brick = Some((end, direction));
    }
}

/// The first whole microsecond at or after `time`.
const fn in_steps(time: Timestamp) -> Timestamp {
    Timestamp::from_nanos(time.as_nanos().saturating_add(STEP - 1).div_euclid(STEP).saturating_mul(STEP))
}

/// Where the first brick begins: on the grid at or below the first price, and above zero.
fn first_end(price: i64, size: i64) -> i64 {
    (price.div_euclid(size) * size).max(size)
}

#[cfg(test)]
mod tests {
    use cw_core::Cadence;
    use proptest::prelude::*;

    use super::*;

    const ONE: i64 = 1_000_000_000;

    fn trade(second: i64, price: i64, qty: i128) -> Trade {
        Trade {
            event_time: Timestamp::from_secs(second),
            price: Price::from_raw(price * ONE),
            qty: Quantity::from_raw(qty * i128::from(ONE)),
            aggressor: None,
            trade_id: 0,
        }
    }

    fn rule(text: &str) -> BarRule {
        match text.parse().unwrap() {
            Cadence::Traded(rule) => rule,
            Cadence::Time(_) => panic!("{text}"),
        }
    }

    /// All complete candles, and the maker behind them.
    fn bars(trades: &[Trade], rule: BarRule) -> (Vec<Bar>, Bars) {
        let (mut maker, mut bars) = (Bars::new(rule), Vec::new());
        for trade in trades {
            maker.on_trade(trade, &mut |bar| bars.push(bar));
        }
        (bars, maker)
    }

    /// `open high low close × volume @ second` of each candle of trades at these prices, one a second, of these sizes.
    fn short(text: &str, trades: &[(i64, i128)]) -> Vec<String> {
        let trades: Vec<Trade> = trades.iter().zip(0..).map(|((price, qty), n)| trade(n, *price, *qty)).collect();
        let line = |Bar { candle: c, .. }: &Bar| {
            assert!(c.validate().is_ok(), "{c:?}");
            format!("{} {} {} {} x{} @{}", c.open, c.high, c.low, c.close, c.volume, c.open_time.as_secs())
        };
        bars(&trades, rule(text)).0.iter().map(line).collect()
    }

    #[test]
    fn candles_end_with_what_was_traded() {
        let trades = [(10, 1), (12, 2), (9, 3), (11, 4), (11, 5)];
        assert_eq!(short("2t", &trades), ["10 12 10 12 x3 @0", "9 11 9 11 x7 @2"]);
        // 1 + 2 + 2 of 3, 1 + 4, then 5.
        assert_eq!(short("5v", &trades), ["10 12 9 9 x5 @0", "9 11 9 11 x5 @2", "11 11 11 11 x5 @4"]);
        assert_eq!(short("4v", &[(10, 9)]), ["10 10 10 10 x4 @0", "10 10 10 10 x4 @0"], "one trade fills two");
        // 10 + 24 + 27 = 61 reach 60; 44 + 55 again.
        assert_eq!(short("60n", &trades), ["10 12 9 9 x6 @0", "11 11 11 11 x9 @3"]);
        assert_eq!(short("2r", &trades), ["10 12 10 12 x3 @0"], "9 would make it three wide; 9 to 11 goes on");
    }

    #[test]
    fn bricks_need_one_step_on_and_two_back() {
        let at = |prices: &[i64]| short("10k", &prices.iter().map(|price| (*price, 1)).collect::<Vec<_>>());
        assert_eq!(at(&[100, 105, 109]), Vec::<String>::new());
        assert_eq!(at(&[100, 110]), ["100 110 100 110 x2 @0"]);
        assert_eq!(at(&[100, 110, 101]), ["100 110 100 110 x2 @0"], "less than two steps back");
        assert_eq!(at(&[100, 110, 90]), ["100 110 100 110 x2 @0", "100 100 90 90 x1 @1"]);
        assert_eq!(at(&[103, 131]), ["100 110 100 110 x2 @0", "110 120 110 120 x0 @1", "120 130 120 130 x0 @1"]);
    }

    #[test]
    fn nonsense_is_not_counted() {
        let mut bars = Bars::new(BarRule::Trades(1));
        assert!(!bars.on_trade(&trade(0, 0, 1), &mut |_| {}) && !bars.on_trade(&trade(0, 1, -1), &mut |_| {}));
        assert_eq!(bars.forming(), None);
        let mut fine = Bars::new(rule("0.000000001v"));
        assert!(!fine.on_trade(&trade(0, 1, 1), &mut |_| panic!("a thousand million candles of one trade")));
        let mut fine = Bars::new(rule("0.000000001k"));
        assert!(fine.on_trade(&trade(0, 1, 1), &mut |_| {}));
        assert!(!fine.on_trade(&trade(0, 2, 1), &mut |_| panic!("the same")));
    }

    #[test]
    fn each_candle_has_a_time_of_its_own_and_says_when_it_was_over() {
        let times = |trades: &[Trade], text: &str| {
            let time = |bar: &Bar| (bar.candle.open_time.as_nanos(), bar.closed_at.as_nanos());
            bars(trades, rule(text)).0.iter().map(time).collect::<Vec<_>>()
        };
        let at = |nanos| Trade { event_time: Timestamp::from_nanos(nanos), ..trade(0, 10, 3) };
        assert_eq!(
            times(&[at(5_000)], "1v"),
            [(5_000, 5_000), (6_000, 6_000), (7_000, 7_000)],
            "one trade, three candles"
        );
        assert_eq!(times(&[at(5_000), at(5_000), at(9_000)], "1t"), [(5_000, 5_000), (6_000, 6_000), (9_000, 9_000)]);
        assert_eq!(times(&[at(5_001), at(7_200)], "2t"), [(6_000, 8_000)], "never before its trades");
        let apart = |price, nanos| Trade { event_time: Timestamp::from_nanos(nanos), ..trade(0, price, 1) };
        let wide = [apart(10, 1_000), apart(14, 8_000), apart(15, 20_000)];
        assert_eq!(times(&wide, "3r"), [(1_000, 8_000)], "over with the trade that lies outside");
    }

    #[test]
    fn counting_begins_anew_each_day() {
        let day = 86_400;
        let trades = [trade(day - 3, 10, 1), trade(day - 2, 11, 1), trade(day - 1, 12, 1), trade(day, 13, 1)];
        let (mut made, mut maker) = bars(&trades, BarRule::Trades(2));
        let short = |bar: &Bar| (bar.candle.open_time.as_secs(), bar.candle.close.to_string(), bar.closed_at.as_secs());
        let expected = [(day - 3, "11".to_owned(), day - 2), (day - 1, "12".to_owned(), day)];
        assert_eq!(made.iter().map(short).collect::<Vec<_>>(), expected, "a day ends what is left of it");
        assert_eq!(maker.forming().unwrap().so_far.open.to_string(), "13");
        maker.end_day(&mut |bar| made.push(bar));
        assert_eq!(made.last().map(short), Some((day, "13".to_owned(), 2 * day)));
        let (mut bricks, mut maker) = bars(&trades, rule("2k"));
        maker.end_day(&mut |bar| bricks.push(bar));
        assert_eq!(bricks.len(), 1, "half a move is no brick: 10 to 12, and not from yesterday's end to 13");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn a_day_is_made_of_its_own_trades_alone(
            trades in proptest::collection::vec((0i64..4, 0i64..86_400_000, 1i64..200, 0i128..40), 1..200),
            text in proptest::sample::select(["1t", "7t", "25v", "900n", "6r", "5k"].as_slice()),
        ) {
            let at = |(day, ms, price, qty)| {
                let event_time = Timestamp::from_millis(day * 86_400_000 + ms);
                Trade { event_time, ..trade(0, price, qty) }
            };
            let mut trades: Vec<Trade> = trades.into_iter().map(at).collect();
            trades.sort_by_key(|trade| trade.event_time);
            let (mut whole, mut maker) = bars(&trades, rule(text));
            maker.end_day(&mut |bar| whole.push(bar));
            let mut by_day = Vec::new();
            for day in trades.chunk_by(|a, b| Timeframe::D1.open_time(a.event_time) == Timeframe::D1.open_time(b.event_time)) {
                let (bars, mut maker) = bars(day, rule(text));
                by_day.extend(bars);
                maker.end_day(&mut |bar| by_day.push(bar));
            }
            prop_assert_eq!(whole, by_day);
        }

        #[test]
        fn nothing_is_lost_and_every_rule_holds(
            trades in proptest::collection::vec((0i64..50, 1i64..200, 0i128..40), 1..200),
            text in proptest::sample::select(["1t", "7t", "25v", "900n", "6r", "5k"].as_slice()),
        ) {
            let rule = rule(text);
            let trades: Vec<Trade> = trades.into_iter().map(|(second, price, qty)| trade(second, price, qty)).collect();
            let (made, maker) = bars(&trades, rule);
            let candles: Vec<Candle> = made.iter().map(|bar| bar.candle).collect();
            let rest = maker.forming().map(|forming| forming.so_far);
            let volume: i128 = candles.iter().chain(&rest).map(|candle| candle.volume.raw()).sum();
            prop_assert_eq!(volume, trades.iter().map(|trade| trade.qty.raw()).sum::<i128>());
            prop_assert!(candles.iter().all(|candle| candle.validate().is_ok()));
            prop_assert!(candles.windows(2).all(|pair| pair[0].open_time < pair[1].open_time));
            prop_assert!(made.windows(2).all(|pair| pair[0].closed_at <= pair[1].candle.open_time));
            prop_assert!(made.iter().all(|bar| bar.candle.open_time <= bar.closed_at));
            for candle in &candles {
                let range = candle.high.raw() - candle.low.raw();
                match rule {
                    BarRule::Volume(most) => prop_assert_eq!(candle.volume.raw(), most.raw()),
                    BarRule::Range(most) => prop_assert!(range <= most.raw()),
                    BarRule::Renko(size) => prop_assert_eq!((range, candle.open.raw() % size.raw()), (size.raw(), 0)),
                    BarRule::Trades(_) | BarRule::Notional(_) => {}
                }
            }
            if let BarRule::Renko(_) = rule {
                // Each brick begins where the one before ended, or where it began.
                for pair in candles.windows(2) {
                    prop_assert!(pair[1].open == pair[0].close || pair[1].open == pair[0].open);
                }
            }
        }
    }
}
