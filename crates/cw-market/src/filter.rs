//! What a venue says is checked before it becomes a candle: numbers that cannot be, and prices that nobody else paid.
//!
//! A price far from the one before is not taken at once. If the next ones agree with it the market has moved, and from
//! then on they are taken; a single one that nobody follows was a mistake. Beyond a factor that no market moves by
//! between two trades it is never taken. Everything that is not is counted by reason.

use cw_core::{AssetClass, Candle, CandleError, MarketEvent, MarketEventKind, Price, Quote, Timestamp, Trade};

/// What is still believed. The defaults per asset class are [`FilterRules::of`]; every one can be changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FilterRules {
    /// A price so many times the one before, or that part of it, waits for others to confirm it; in thousandths: 1500 = 1.5
    /// times.
    pub jump_per_mille: i64,
    /// One that moved by this factor is never taken, confirmed or not; in thousandths.
    pub absurd_per_mille: i64,
    /// So many prices in a row, the first included, that lie within `jump_per_mille` of each other are a move.
    pub confirmations: u32,
    /// A quote whose ask is more than this many times its bid is no quote; in thousandths.
    pub widest_per_mille: i64,
    /// The venue's time may be so much ahead of ours, in nanoseconds.
    pub ahead_ns: i64,
    /// And so much older than the newest of its kind before it is too late for any candle, in nanoseconds.
    pub late_ns: i64,
}

impl FilterRules {
    /// Currencies move by parts of a percent between two quotes, shares by halves after a halt, coins by anything; all of
    /// them pass a fall of ten percent at once.
    pub const fn of(class: AssetClass) -> Self {
        let (jump_per_mille, widest_per_mille) = match class {
            AssetClass::Fx | AssetClass::Metal => (1_150, 1_200),
            AssetClass::Equity => (1_500, 3_000),
            AssetClass::Crypto => (2_000, 3_000),
            AssetClass::Other => (3_000, 10_000),
        };
        Self {
            jump_per_mille,
            absurd_per_mille: 50_000,
            confirmations: 3,
            widest_per_mille,
            ahead_ns: 60 * Timestamp::NANOS_PER_SECOND,
            late_ns: 24 * 3_600 * Timestamp::NANOS_PER_SECOND,
        }
    }
}

/// Why something was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Suspicion {
    #[error("{field} {value} is not greater than zero")]
    NotPositive { field: &'static str, value: String },
    #[error("quantity {0} is below zero")]
    NegativeQuantity(String),
    #[error("bid {bid} is above ask {ask}")]
    Crossed { bid: Price, ask: Price },
    #[error("ask {ask} is too far above bid {bid}")]
    TooWide { bid: Price, ask: Price },
    #[error("price {price} is too far from {before} to be the next one")]
    Spike { price: Price, before: Price },
    #[error("its time {0} is ahead of ours")]
    Ahead(Timestamp),
    #[error("its time {0} is long past")]
    Past(Timestamp),
    #[error("the candle of {0} came before a newer one and is not a correction")]
    Backwards(Timestamp),
    #[error("{0}")]
    NoCandle(CandleError),
}

impl Suspicion {
    /// A word for counting.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotPositive { .. } => "not_positive",
            Self::NegativeQuantity(_) => "negative_quantity",
            Self::Crossed { .. } => "crossed",
            Self::TooWide { .. } => "too_wide",
            Self::Spike { .. } => "spike",
            Self::Ahead(_) => "ahead",
            Self::Past(_) => "past",
            Self::Backwards(_) => "backwards",
            Self::NoCandle(_) => "no_candle",
        }
    }
}

/// How many were not taken, by [`Suspicion::code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quarantined {
    pub spikes: u64,
    pub crossed: u64,
    pub times: u64,
    /// Zero, negative, or candles that contradict themselves.
    pub nonsense: u64,
}

impl Quarantined {
    pub const fn total(&self) -> u64 {
        self.spikes + self.crossed + self.times + self.nonsense
    }
}

/// Prices of one kind, of which the last that was believed is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Level {
    believed: Option<Price>,
    /// A price far away, and how many agree with it so far.
    claimed: Option<(Price, u32)>,
}

/// Watches one instrument.
#[derive(Debug, Clone)]
pub struct Filter {
    rules: FilterRules,
    trades: Level,
    quotes: Level,
    newest: Timestamp,
    quarantined: Quarantined,
}

impl Filter {
    pub const fn new(rules: FilterRules) -> Self {
        let level = Level { believed: None, claimed: None };
        let quarantined = Quarantined { spikes: 0, crossed: 0, times: 0, nonsense: 0 };
        Self { rules, trades: level, quotes: level, newest: Timestamp::MIN, quarantined }
    }

    /// The price that the first one is compared with: the last known close.
    pub const fn with_reference(mut self, price: Price) -> Self {
        self.trades.believed = Some(price);
        self.quotes.believed = Some(price);
        self
    }

    pub const fn quarantined(&self) -> Quarantined {
        self.quarantined
    }

    /// `Ok` = it may go on.
    pub fn check(&mut self, event: &MarketEvent) -> Result<(), Suspicion> {
        let checked = match &event.kind {
            MarketEventKind::Trade(trade) => self.trade(trade, event.received_at),
            MarketEventKind::Quote(quote) => self.quote(quote, event.received_at),
        };
        self.counted(checked)
    }

    /// Checks a closed candle that follows `before`, the newest one believed; the same open time again is a correction.
    pub fn check_candle(&mut self, candle: &Candle, before: Option<&Candle>) -> Result<(), Suspicion> {
        let checked = self.candle(candle, before);
        self.counted(checked)
    }

    fn trade(&mut self, trade: &Trade, now: Timestamp) -> Result<(), Suspicion> {
        positive("price", trade.price)?;
        if trade.qty.is_negative() {
            return Err(Suspicion::NegativeQuantity(trade.qty.to_string()));
        }
        self.time(trade.event_time, now)?;
        self.trades.admit(trade.price, &self.rules)?;
        self.newest = self.newest.max(trade.event_time);
        Ok(())
    }

    fn quote(&mut self, quote: &Quote, now: Timestamp) -> Result<(), Suspicion> {
        let Quote { bid, ask, .. } = *quote;
        positive("bid", bid)?;
        positive("ask", ask)?;
        for qty in [quote.bid_qty, quote.ask_qty] {
            if qty.is_negative() {
                return Err(Suspicion::NegativeQuantity(qty.to_string()));
            }
        }
        if quote.is_crossed() {
            return Err(Suspicion::Crossed { bid, ask });
        }
        if apart(bid, ask, self.rules.widest_per_mille) {
            return Err(Suspicion::TooWide { bid, ask });
        }
        self.time(quote.event_time, now)?;
        self.quotes.admit(quote.mid(), &self.rules)?;
        self.newest = self.newest.max(quote.event_time);
        Ok(())
    }

    fn candle(&mut self, candle: &Candle, before: Option<&Candle>) -> Result<(), Suspicion> {
        candle.validate().map_err(Suspicion::NoCandle)?;
        let Some(before) = before else { return Ok(()) };
        if candle.open_time < before.open_time {
            return Err(Suspicion::Backwards(candle.open_time));
        }
        // Within a candle a market may go far; two neighbours that have no price near each other's are not neighbours.
        for price in [candle.high, candle.low] {
            if apart(price, before.close, self.rules.absurd_per_mille) {
                return Err(Suspicion::Spike { price, before: before.close });
            }
        }
        Ok(())
    }

    fn time(&self, event_time: Timestamp, now: Timestamp) -> Result<(), Suspicion> {
        if event_time.nanos_since(now) > self.rules.ahead_ns {
            return Err(Suspicion::Ahead(event_time));
        }
        if self.newest != Timestamp::MIN && self.newest.nanos_since(event_time) > self.rules.late_ns {
            return Err(Suspicion::Past(event_time));
        }
        Ok(())
    }

    fn counted(&mut self, checked: Result<(), Suspicion>) -> Result<(), Suspicion> {
        let Err(suspicion) = &checked else { return checked };
        let counts = &mut self.quarantined;
        let count = match suspicion {
            Suspicion::Spike { .. } => &mut counts.spikes,
            Suspicion::Crossed { .. } | Suspicion::TooWide { .. } => &mut counts.crossed,
            Suspicion::Ahead(_) | Suspicion::Past(_) | Suspicion::Backwards(_) => &mut counts.times,
            Suspicion::NotPositive { .. } | Suspicion::NegativeQuantity(_) | Suspicion::NoCandle(_) => {
                &mut counts.nonsense
            }
        };
        *count += 1;
        checked
    }
}

impl Level {
    #[inline]
    fn admit(&mut self, price: Price, rules: &FilterRules) -> Result<(), Suspicion> {
        match self.believed {
            Some(before) if apart(price, before, rules.jump_per_mille) => self.doubt(price, before, rules),
            _ => {
                self.believed = Some(price);
                self.claimed = None;
                Ok(())
            }
        }
    }

    #[cold]
    fn doubt(&mut self, price: Price, before: Price, rules: &FilterRules) -> Result<(), Suspicion> {
        let spike = Suspicion::Spike { price, before };
        if apart(price, before, rules.absurd_per_mille) {
            return Err(spike);
        }
        let agreeing = match self.claimed {
            Some((claimed, count)) if !apart(price, claimed, rules.jump_per_mille) => count + 1,
            _ => 1,
        };
        self.claimed = Some((price, agreeing));
        if agreeing < rules.confirmations {
            return Err(spike);
        }
        self.believed = Some(price);
        self.claimed = None;
        Ok(())
    }
}

/// Whether one price is more than `per_mille` thousandths of the other. Both are greater than zero.
#[inline]
fn apart(a: Price, b: Price, per_mille: i64) -> bool {
    let (low, high) = (i128::from(a.min(b).raw()), i128::from(a.max(b).raw()));
    high * 1_000 > low * i128::from(per_mille)
}

fn positive(field: &'static str, value: Price) -> Result<(), Suspicion> {
    if value.is_positive() { Ok(()) } else { Err(Suspicion::NotPositive { field, value: value.to_string() }) }
}

#[cfg(test)]
mod tests {
    use cw_core::{Quantity, Volume};

    use super::*;

    const SECOND: i64 = Timestamp::NANOS_PER_SECOND;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_secs(1_700_000_000 + second)
    }

    fn event(second: i64, kind: MarketEventKind) -> MarketEvent {
        MarketEvent { instrument: "A.TEST".parse().unwrap(), received_at: at(second), kind }
    }

    fn trade(second: i64, price: &str) -> MarketEvent {
        let (price, qty) = (price.parse().unwrap(), Quantity::from_raw(1));
        let trade = Trade { event_time: at(second), price, qty, aggressor: None, trade_id: 0 };
        event(second, MarketEventKind::Trade(trade))
    }

    fn quote(second: i64, bid: &str, ask: &str) -> MarketEvent {
        let quote = Quote {
            event_time: at(second),
            bid: bid.parse().unwrap(),
            ask: ask.parse().unwrap(),
            bid_qty: Quantity::ZERO,
            ask_qty: Quantity::ZERO,
        };
        event(second, MarketEventKind::Quote(quote))
    }

    /// `ok` or the reason, per price, one a second.
    fn prices(class: AssetClass, prices: &[&str]) -> String {
        let mut filter = Filter::new(FilterRules::of(class));
        let words = prices.iter().zip(0..).map(|(price, second)| match filter.check(&trade(second, price)) {
            Ok(()) => "ok",
            Err(suspicion) => suspicion.code(),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_hundredfold_price_is_a_mistake_however_often_it_comes() {
        for class in [AssetClass::Crypto, AssetClass::Equity, AssetClass::Fx, AssetClass::Metal, AssetClass::Other] {
            assert_eq!(prices(class, &["100", "10000", "100.1"]), "ok spike ok", "{class:?}");
            assert_eq!(prices(class, &["100", "1", "1", "1", "1", "99.9"]), "ok spike spike spike spike ok");
        }
        let mut filter = Filter::new(FilterRules::of(AssetClass::Crypto)).with_reference("100".parse().unwrap());
        let error = filter.check(&trade(0, "10000")).unwrap_err();
        assert_eq!(error.to_string(), "price 10000 is too far from 100 to be the next one");
        assert_eq!(filter.quarantined(), Quarantined { spikes: 1, ..Quarantined::default() });
    }

    #[test]
    fn a_market_that_moves_is_believed() {
        // Ten percent at once, as in a flash crash, and back.
        for class in [AssetClass::Crypto, AssetClass::Equity, AssetClass::Fx] {
            assert_eq!(prices(class, &["100", "90", "89.5", "99", "100"]), "ok ok ok ok ok", "{class:?}");
        }
        // A share that opens at a third after a halt: the third trade there settles it.
        assert_eq!(prices(AssetClass::Equity, &["90", "30", "30.1", "29.9", "31"]), "ok spike spike ok ok");
        // Three that do not agree with each other are three mistakes.
        assert_eq!(prices(AssetClass::Equity, &["100", "30", "400", "20", "101"]), "ok spike spike spike ok");
        // The old level in between shows that it was not left.
        let text = prices(AssetClass::Equity, &["100", "30", "100", "30", "100", "30"]);
        assert_eq!(text, "ok spike ok spike ok spike");
    }

    /// The crash of 6 May 2010 in the shape of its minutes: nine percent down in five minutes, up again in twenty, trades
    /// in between that went through empty books at a tenth.
    #[test]
    fn a_flash_crash_passes_and_the_stub_trades_in_it_do_not() {
        let mut filter = Filter::new(FilterRules::of(AssetClass::Equity));
        let (mut taken, mut refused) = (0, 0);
        for second in 0..1_500 {
            let fall = if second < 300 { second as f64 / 300.0 } else { 1.0 - (second - 300) as f64 / 1_200.0 };
            let wobble = ((second * 7_919 % 101) as f64 - 50.0) / 5_000.0;
            let price = format!("{:.2}", 115.0 * (1.0 - 0.09 * fall + wobble));
            assert_eq!(filter.check(&trade(second, &price)), Ok(()), "second {second}");
            taken += 1;
            if second % 100 == 57 {
                assert!(filter.check(&trade(second, "0.01")).is_err());
                refused += 1;
            }
        }
        assert_eq!((taken, filter.quarantined().spikes), (1_500, refused));
    }

    #[test]
    fn quotes_have_two_sides_that_belong_together() {
        let mut filter = Filter::new(FilterRules::of(AssetClass::Fx));
        let codes = [
            quote(0, "1.1212", "1.1217"),
            quote(1, "1.1218", "1.1217"),
            quote(2, "0", "1.1217"),
            quote(3, "1.1212", "1.4"),
            quote(4, "112.12", "112.17"),
            quote(5, "1.1300", "1.1300"),
        ]
        .map(|quote| filter.check(&quote).err().map_or("ok", |suspicion| suspicion.code()));
        assert_eq!(codes, ["ok", "crossed", "not_positive", "too_wide", "spike", "ok"]);
        assert_eq!(filter.quarantined(), Quarantined { spikes: 1, crossed: 2, times: 0, nonsense: 1 });
    }

    #[test]
    fn times_lie_between_long_ago_and_now() {
        let mut filter = Filter::new(FilterRules::of(AssetClass::Crypto));
        let mut ahead = trade(0, "100");
        ahead.received_at = at(-61);
        assert_eq!(filter.check(&ahead).unwrap_err().code(), "ahead");
        ahead.received_at = at(-60);
        assert_eq!(filter.check(&ahead), Ok(()));
        assert_eq!(filter.check(&trade(-86_401, "100")).unwrap_err().code(), "past");
        assert_eq!(filter.check(&trade(-86_400, "100")), Ok(()), "late, but of a candle that may still be corrected");
        let late = FilterRules { late_ns: 5 * SECOND, ..FilterRules::of(AssetClass::Crypto) };
        let mut strict = Filter::new(late);
        assert_eq!(strict.check(&trade(10, "100")), Ok(()));
        assert_eq!(strict.check(&trade(4, "100")).unwrap_err().code(), "past");
        assert_eq!(filter.quarantined().times, 2);
    }

    #[test]
    fn candles_are_sound_and_near_their_neighbours() {
        let candle = |minute: i64, ohlc: [i64; 4]| Candle {
            open_time: at(60 * minute),
            open: Price::from_raw(ohlc[0]),
            high: Price::from_raw(ohlc[1]),
            low: Price::from_raw(ohlc[2]),
            close: Price::from_raw(ohlc[3]),
            volume: Volume::ZERO,
        };
        let mut filter = Filter::new(FilterRules::of(AssetClass::Crypto));
        let before = candle(1, [100, 110, 90, 100]);
        let codes = [
            candle(2, [100, 120, 80, 90]),
            candle(1, [100, 111, 90, 100]),
            candle(0, [100, 110, 90, 100]),
            candle(2, [100, 90, 110, 100]),
            candle(2, [100, 10_000, 90, 100]),
            candle(2, [100, 110, 1, 100]),
        ]
        .map(|candle| filter.check_candle(&candle, Some(&before)).err().map_or("ok", |suspicion| suspicion.code()));
        assert_eq!(codes, ["ok", "ok", "backwards", "no_candle", "spike", "spike"]);
        assert_eq!(filter.quarantined().total(), 4);
    }
}
