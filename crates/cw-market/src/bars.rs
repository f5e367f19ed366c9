//! Candles that end with what was traded and not with the clock: so many trades, so much volume or money, so far a move.
//!
//! They are made of trades in the order in which they come; there is no later correction, because one trade more would
//! move the end of every candle after it.

use std::fmt;
use std::str::FromStr;

use cw_core::{Candle, FormingCandle, Price, Quantity, Timestamp, Trade, Volume};
use serde::{Deserialize, Serialize};

/// Candles that one trade may complete.
const MOST_AT_ONCE: i128 = 100_000;

/// What ends a candle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BarRule {
    /// So many trades: `100t`.
    Trades(u32),
    /// So much volume: `500v`. A trade that is more than what is left is divided, so that every candle has exactly as much.
    Volume(Quantity),
    /// So much money, price × quantity, in the quote currency: `1000000d`. The trade that reaches it is the candle's last.
    Notional(Price),
    /// High and low so far apart: `2.5r`. The trade that would go further begins the next candle.
    Range(Price),
    /// A move by one brick from the last brick's end, by two in the other direction: `10k`. Bricks lie on the grid of their
    /// size; high and low are the brick's own.
    Renko(Price),
}

/// A text that is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is not a kind of bars; use 100t (trades), 500v (volume), 1000000d (money), 2.5r (range) or 10k (renko)"
)]
pub struct BarRuleError(String);

impl FromStr for BarRule {
    type Err = BarRuleError;
    fn from_str(text: &str) -> Result<Self, BarRuleError> {
        let bad = || BarRuleError(text.chars().take(30).collect());
        let number = text.get(..text.len().saturating_sub(1)).ok_or_else(bad)?;
        let price = || number.parse::<Price>().ok().filter(|price| price.is_positive()).ok_or_else(bad);
        if !number.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(bad());
        }
        match text.as_bytes().last() {
            Some(b't') => number.parse().ok().filter(|n| *n > 0).map(Self::Trades).ok_or_else(bad),
            Some(b'v') => {
                number.parse::<Quantity>().ok().filter(|qty| qty.is_positive()).map(Self::Volume).ok_or_else(bad)
            }
            Some(b'd') => price().map(Self::Notional),
            Some(b'r') => price().map(Self::Range),
            Some(b'k') => price().map(Self::Renko),
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for BarRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trades(n) => write!(f, "{n}t"),
            Self::Volume(qty) => write!(f, "{qty}v"),
            Self::Notional(money) => write!(f, "{money}d"),
            Self::Range(price) => write!(f, "{price}r"),
            Self::Renko(price) => write!(f, "{price}k"),
        }
    }
}

impl Serialize for BarRule {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BarRule {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Makes candles of one instrument by one rule. Open times never go back, and two candles may have the same one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bars {
    rule: BarRule,
    current: Option<Candle>,
    newest: Timestamp,
    /// Trades, or money in 10⁻¹⁸, of the current candle.
    count: i128,
    /// Of renko: where the last brick ended and its direction; before the first one, where it begins.
    brick: Option<(i64, i64)>,
}

impl Bars {
    pub const fn new(rule: BarRule) -> Self {
        Self { rule, current: None, newest: Timestamp::MIN, count: 0, brick: None }
    }

    pub const fn rule(&self) -> BarRule {
        self.rule
    }

    /// What is not complete yet.
    pub fn forming(&self) -> Option<FormingCandle> {
        self.current.map(|so_far| FormingCandle { so_far, as_of: self.newest })
    }

    /// Counts a trade and hands out the candles that it completes, oldest first. False when the trade is not taken: no price,
    /// a negative quantity, or one trade that would make more than a hundred thousand candles.
    pub fn on_trade(&mut self, trade: &Trade, out: &mut impl FnMut(Candle)) -> bool {
        if !trade.price.is_positive() || trade.qty.is_negative() || self.would_make(trade) > MOST_AT_ONCE {
            return false;
        }
        // An order of arrival that differs from the time's does not make candles overlap.
        self.newest = self.newest.max(trade.event_time);
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
                let money = i128::from(trade.price.raw()).saturating_mul(trade.qty.raw());
                self.count = self.count.saturating_add(money);
                // Money has twice the decimals of a price.
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
            let open_time = self.newest;
            self.current = Some(Candle { open_time, open: price, high: price, low: price, close: price, volume });
        }
    }

    fn end(&mut self, out: &mut impl FnMut(Candle)) {
        self.count = 0;
        if let Some(candle) = self.current.take() {
            out(candle);
        }
    }

    /// Divides a trade among as many candles as it takes.
    fn fill(&mut self, trade: &Trade, most: Quantity, out: &mut impl FnMut(Candle)) {
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

    fn lay(&mut self, trade: &Trade, size: i64, out: &mut impl FnMut(Candle)) {
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

/// Where the first brick begins: on the grid at or below the first price, and above zero.
fn first_end(price: i64, size: i64) -> i64 {
    (price.div_euclid(size) * size).max(size)
}

/// All complete candles of a run of trades.
pub fn bars(trades: &[Trade], rule: BarRule) -> Vec<Candle> {
    let (mut maker, mut candles) = (Bars::new(rule), Vec::new());
    for trade in trades {
        maker.on_trade(trade, &mut |candle| candles.push(candle));
    }
    candles
}

#[cfg(test)]
mod tests {
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

    /// `open high low close × volume @ second` of each candle of trades at these prices, one a second, of these sizes.
    fn short(rule: &str, trades: &[(i64, i128)]) -> Vec<String> {
        let trades: Vec<Trade> = trades.iter().zip(0..).map(|((price, qty), n)| trade(n, *price, *qty)).collect();
        let text = |c: &Candle| {
            assert!(c.validate().is_ok(), "{c:?}");
            format!("{} {} {} {} x{} @{}", c.open, c.high, c.low, c.close, c.volume, c.open_time.as_secs())
        };
        bars(&trades, rule.parse().unwrap()).iter().map(text).collect()
    }

    #[test]
    fn candles_end_with_what_was_traded() {
        let trades = [(10, 1), (12, 2), (9, 3), (11, 4), (11, 5)];
        assert_eq!(short("2t", &trades), ["10 12 10 12 x3 @0", "9 11 9 11 x7 @2"]);
        // 1 + 2 + 2 of 3, 1 + 4, then 5.
        assert_eq!(short("5v", &trades), ["10 12 9 9 x5 @0", "9 11 9 11 x5 @2", "11 11 11 11 x5 @4"]);
        assert_eq!(short("4v", &[(10, 9)]), ["10 10 10 10 x4 @0", "10 10 10 10 x4 @0"], "one trade fills two");
        // 10 + 24 + 27 = 61 reach 60; 44 + 55 again.
        assert_eq!(short("60d", &trades), ["10 12 9 9 x6 @0", "11 11 11 11 x9 @3"]);
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
    fn rules_are_text() {
        for text in ["100t", "0.5v", "1000000d", "2.5r", "10k"] {
            assert_eq!(text.parse::<BarRule>().unwrap().to_string(), text);
        }
        for text in ["", "t", "0t", "-1v", "0v", "1m", "5", "1.5t", "+1r", "é"] {
            assert!(text.parse::<BarRule>().is_err(), "{text}");
        }
        let mut bars = Bars::new(BarRule::Trades(1));
        assert!(!bars.on_trade(&trade(0, 0, 1), &mut |_| {}) && !bars.on_trade(&trade(0, 1, -1), &mut |_| {}));
        assert_eq!(bars.forming(), None);
        let mut fine = Bars::new("0.000000001v".parse().unwrap());
        assert!(!fine.on_trade(&trade(0, 1, 1), &mut |_| panic!("a thousand million candles of one trade")));
        let mut fine = Bars::new("0.000000001k".parse().unwrap());
        assert!(fine.on_trade(&trade(0, 1, 1), &mut |_| {}));
        assert!(!fine.on_trade(&trade(0, 2, 1), &mut |_| panic!("the same")));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn nothing_is_lost_and_every_rule_holds(
            trades in proptest::collection::vec((0i64..50, 1i64..200, 0i128..40), 1..200),
            rule in proptest::sample::select(["1t", "7t", "25v", "900d", "6r", "5k"].as_slice()),
            cut in 0usize..200,
        ) {
            let rule: BarRule = rule.parse().unwrap();
            let trades: Vec<Trade> = trades.into_iter().map(|(second, price, qty)| trade(second, price, qty)).collect();
            let candles = bars(&trades, rule);
            let mut maker = Bars::new(rule);
            let mut again = Vec::new();
            for (n, trade) in trades.iter().enumerate() {
                if n == cut {
                    maker = postcard::from_bytes(&postcard::to_stdvec(&maker).unwrap()).unwrap();
                }
                maker.on_trade(trade, &mut |candle| again.push(candle));
            }
            prop_assert_eq!(&again, &candles);
            let rest = maker.forming().map(|forming| forming.so_far);
            let volume: i128 = candles.iter().chain(&rest).map(|candle| candle.volume.raw()).sum();
            prop_assert_eq!(volume, trades.iter().map(|trade| trade.qty.raw()).sum::<i128>());
            prop_assert!(candles.iter().all(|candle| candle.validate().is_ok()));
            prop_assert!(candles.windows(2).all(|pair| pair[0].open_time <= pair[1].open_time));
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
