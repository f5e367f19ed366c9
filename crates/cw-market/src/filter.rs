//! What a venue says is checked before it becomes a candle: numbers that cannot be, and prices that nobody else paid.
//!
//! A price far from the one before is not taken at once. If the next ones agree with it the market has moved, and from
//! then on they are taken; a single one that nobody follows was a mistake. Beyond a factor that no market moves by
//! between two trades it is never taken, unless a session lies between them: over night a share may be split. Everything
//! that is not taken is counted by reason.

use cw_core::{
    AssetClass, Calendar, Candle, CandleError, MarketEvent, MarketEventKind, Price, Quote, Timestamp, Trade,
};

/// What is still believed. The defaults per asset class are [`FilterRules::of`]; every one can be changed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FilterRules {
    /// A price so many times the one before, or that part of it, waits for others to confirm it; in thousandths: 1500 = 1.5
    /// times.
    pub jump_per_mille: i64,
    /// One that moved by this factor within a session is never taken, confirmed or not; in thousandths.
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
    /// The market opened or closed since the last that was believed: it may be anywhere.
    reopened: bool,
}

/// Watches one instrument.
#[derive(Debug, Clone)]
pub struct Filter {
    rules: FilterRules,
    calendar: Calendar,
    /// The end of the session, or of the time between two, in which the newest came.
    span_ends: Timestamp,
    trades: Level,
    quotes: Level,
    candles: Level,
    newest: Timestamp,
    newest_candle: Timestamp,
    quarantined: Quarantined,
}

impl Filter {
    pub const fn new(rules: FilterRules) -> Self {
        let level = Level { believed: None, claimed: None, reopened: false };
        Self {
            rules,
            calendar: Calendar::Continuous,
            span_ends: Timestamp::MIN,
            trades: level,
            quotes: level,
            candles: level,
            newest: Timestamp::MIN,
            newest_candle: Timestamp::MIN,
            quarantined: Quarantined { spikes: 0, crossed: 0, times: 0, nonsense: 0 },
        }
    }

    /// The price that the first one is compared with: the last known close.
    pub const fn with_reference(mut self, price: Price) -> Self {
        self.trades.believed = Some(price);
        self.quotes.believed = Some(price);
        self.candles.believed = Some(price);
        self
    }

    /// When the market opens and closes.
    pub const fn with_calendar(mut self, calendar: Calendar) -> Self {
        self.calendar = calendar;
        self
    }

    pub const fn quarantined(&self) -> Quarantined {
        self.quarantined
    }

    /// `Ok` = it may go on. `now` is the venue's time, as far as it is known.
    pub fn check(&mut self, event: &MarketEvent, now: Option<Timestamp>) -> Result<(), Suspicion> {
        let checked = match &event.kind {
            MarketEventKind::Trade(trade) => self.trade(trade, now),
            MarketEventKind::Quote(quote) => self.quote(quote, now),
        };
        self.counted(checked)
    }

    /// Checks a candle that ends at `close_time`.
    pub fn check_candle(
        &mut self,
        candle: &Candle,
        close_time: Timestamp,
        now: Option<Timestamp>,
    ) -> Result<(), Suspicion> {
        let checked = self.candle(candle, close_time, now);
        self.counted(checked)
    }

    fn trade(&mut self, trade: &Trade, now: Option<Timestamp>) -> Result<(), Suspicion> {
        positive("price", trade.price)?;
        if trade.qty.is_negative() {
            return Err(Suspicion::NegativeQuantity(trade.qty.to_string()));
        }
        self.time(trade.event_time, now)?;
        self.trades.admit(trade.price, &self.rules)?;
        self.newest = self.newest.max(trade.event_time);
        Ok(())
    }

    fn quote(&mut self, quote: &Quote, now: Option<Timestamp>) -> Result<(), Suspicion> {
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

    fn candle(&mut self, candle: &Candle, close_time: Timestamp, now: Option<Timestamp>) -> Result<(), Suspicion> {
        candle.validate().map_err(Suspicion::NoCandle)?;
        if now.is_some_and(|now| close_time.nanos_since(now) > self.rules.ahead_ns) {
            return Err(Suspicion::Ahead(close_time));
        }
        self.look_at_calendar(candle.open_time);
        // Within a candle a market may go far; two neighbours that have no price near each other's are not neighbours.
        let rules = FilterRules { jump_per_mille: self.rules.absurd_per_mille, ..self.rules };
        let mut level = self.candles;
        for price in [candle.high, candle.low] {
            if let Some(before) = level.believed.filter(|before| apart(price, *before, rules.absurd_per_mille)) {
                if !level.reopened {
                    return Err(Suspicion::Spike { price, before });
                }
                let confirmed = self.candles.doubt(candle.close, before, &rules);
                return confirmed.map_err(|_| Suspicion::Spike { price, before });
            }
        }
        // A correction of an older one says nothing about where the market is.
        if candle.open_time >= self.newest_candle {
            level = Level { believed: Some(candle.close), claimed: None, reopened: false };
            (self.candles, self.newest_candle) = (level, candle.open_time);
        }
        Ok(())
    }

    fn time(&mut self, event_time: Timestamp, now: Option<Timestamp>) -> Result<(), Suspicion> {
        if now.is_some_and(|now| event_time.nanos_since(now) > self.rules.ahead_ns) {
            return Err(Suspicion::Ahead(event_time));
        }
        if self.newest != Timestamp::MIN && self.newest.nanos_since(event_time) > self.rules.late_ns {
            return Err(Suspicion::Past(event_time));
        }
        self.look_at_calendar(event_time);
        Ok(())
    }

    #[inline]
    fn look_at_calendar(&mut self, time: Timestamp) {
        if self.calendar != Calendar::Continuous && time >= self.span_ends {
            self.turn_over(time);
        }
    }

    #[cold]
    fn turn_over(&mut self, time: Timestamp) {
        let first = self.span_ends == Timestamp::MIN;
        self.span_ends = self.calendar.span_at(time).to;
        // At the start a reference is of a time that nobody said.
        for level in [&mut self.trades, &mut self.quotes, &mut self.candles] {
            level.reopened = !first || level.believed.is_some();
        }
    }

    fn counted(&mut self, checked: Result<(), Suspicion>) -> Result<(), Suspicion> {
        let Err(suspicion) = &checked else { return checked };
        let counts = &mut self.quarantined;
        let count = match suspicion {
            Suspicion::Spike { .. } => &mut counts.spikes,
            Suspicion::Crossed { .. } | Suspicion::TooWide { .. } => &mut counts.crossed,
            Suspicion::Ahead(_) | Suspicion::Past(_) => &mut counts.times,
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
                *self = Self { believed: Some(price), claimed: None, reopened: false };
                Ok(())
            }
        }
    }

    #[cold]
    fn doubt(&mut self, price: Price, before: Price, rules: &FilterRules) -> Result<(), Suspicion> {
        let spike = Suspicion::Spike { price, before };
        if !self.reopened && apart(price, before, rules.absurd_per_mille) {
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
        *self = Self { believed: Some(price), claimed: None, reopened: false };
        Ok(())
    }
}

/// Tells the candles of a finished series, in order of time, that are believed from those that are not. One that lies far
/// from the one before is believed when the next one lies near it: then the market moved, or a share was split.
pub fn believed(candles: &[Candle], rules: &FilterRules) -> (Vec<Candle>, Vec<(Candle, Suspicion)>) {
    let far =
        |a: &Candle, b: &Candle| [a.high, a.low].into_iter().any(|price| apart(price, b.close, rules.absurd_per_mille));
    let sound = |candle: &Candle| candle.validate().map_err(Suspicion::NoCandle);
    let (mut taken, mut refused): (Vec<Candle>, Vec<(Candle, Suspicion)>) =
        (Vec::with_capacity(candles.len()), Vec::new());
    for (place, candle) in candles.iter().enumerate() {
        if let Err(suspicion) = sound(candle) {
            refused.push((*candle, suspicion));
            continue;
        }
        let mut after = candles[place + 1..].iter().filter(|next| next.validate().is_ok());
        let (next, third) = (after.next(), after.next());
        let spike = match (taken.last(), next, third) {
            (Some(before), next, _) => far(candle, before) && next.is_none_or(|next| far(next, candle)),
            // The first has none before it: two that agree with each other know better.
            (None, Some(next), Some(third)) => far(candle, next) && !far(third, next),
            (None, ..) => false,
        };
        if spike {
            let before = taken.last().or(next).map_or(candle.close, |near| near.close);
            let price = if apart(candle.high, before, rules.absurd_per_mille) { candle.high } else { candle.low };
            refused.push((*candle, Suspicion::Spike { price, before }));
        } else {
            taken.push(*candle);
        }
    }
    (taken, refused)
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
        let words = prices.iter().zip(0..).map(|(price, second)| match filter.check(&trade(second, price), None) {
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
        let error = filter.check(&trade(0, "10000"), None).unwrap_err();
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
            assert_eq!(filter.check(&trade(second, &price), None), Ok(()), "second {second}");
            taken += 1;
            if second % 100 == 57 {
                assert!(filter.check(&trade(second, "0.01"), None).is_err());
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
        .map(|quote| filter.check(&quote, None).err().map_or("ok", |suspicion| suspicion.code()));
        assert_eq!(codes, ["ok", "crossed", "not_positive", "too_wide", "spike", "ok"]);
        assert_eq!(filter.quarantined(), Quarantined { spikes: 1, crossed: 2, times: 0, nonsense: 1 });
    }

    #[test]
    fn times_lie_between_long_ago_and_now() {
        let mut filter = Filter::new(FilterRules::of(AssetClass::Crypto));
        assert_eq!(filter.check(&trade(0, "100"), Some(at(-61))).unwrap_err().code(), "ahead");
        assert_eq!(filter.check(&trade(0, "100"), Some(at(-60))), Ok(()));
        assert_eq!(filter.check(&trade(-86_401, "100"), None).unwrap_err().code(), "past");
        let late = filter.check(&trade(-86_400, "100"), None);
        assert_eq!(late, Ok(()), "late, but of a candle that may still be corrected");
        let late = FilterRules { late_ns: 5 * SECOND, ..FilterRules::of(AssetClass::Crypto) };
        let mut strict = Filter::new(late);
        assert_eq!(strict.check(&trade(10, "100"), None), Ok(()));
        assert_eq!(strict.check(&trade(4, "100"), None).unwrap_err().code(), "past");
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
        let codes = [
            candle(1, [100, 110, 90, 100]),
            candle(2, [100, 120, 80, 90]),
            candle(1, [100, 111, 90, 100]),
            candle(3, [100, 90, 110, 100]),
            candle(3, [100, 10_000, 90, 100]),
            candle(3, [100, 110, 1, 100]),
            candle(3, [10_000, 10_000, 10_000, 10_000]),
            candle(4, [10_000, 10_000, 10_000, 10_000]),
            candle(5, [10_000, 10_000, 10_000, 10_000]),
            candle(5, [100, 110, 90, 100]),
            candle(65, [100, 110, 90, 100]),
        ]
        .map(|candle| {
            let close_time = candle.open_time.plus_nanos(60 * SECOND);
            filter.check_candle(&candle, close_time, Some(at(6 * 60))).err().map_or("ok", |suspicion| suspicion.code())
        });
        assert_eq!(codes, ["ok", "ok", "ok", "no_candle", "spike", "spike", "spike", "spike", "spike", "ok", "ahead"]);
        assert_eq!(filter.quarantined().total(), 7);
    }

    #[test]
    fn a_finished_series_tells_a_mistake_from_a_split() {
        let candle = |minute: i64, price: i64| Candle {
            open_time: at(60 * minute),
            open: Price::from_raw(price),
            high: Price::from_raw(price),
            low: Price::from_raw(price),
            close: Price::from_raw(price),
            volume: Volume::ZERO,
        };
        let refused = |prices: &[i64]| {
            let candles: Vec<Candle> = prices.iter().zip(0..).map(|(price, minute)| candle(minute, *price)).collect();
            let (taken, refused) = believed(&candles, &FilterRules::of(AssetClass::Equity));
            assert_eq!(taken.len() + refused.len(), prices.len());
            refused.iter().map(|(candle, _)| candle.open_time.nanos_since(at(0)) / (60 * SECOND)).collect::<Vec<_>>()
        };
        assert_eq!(refused(&[10, 1_000, 11, 12, 0, 10, 1_000]), [1, 4, 6]);
        assert_eq!(refused(&[1_000, 10, 11, 12]), [0]);
        assert_eq!(refused(&[10, 11, 1_000, 1_010, 990]), [0_i64; 0], "a reverse split");
        assert_eq!(refused(&[10, 1_000]), [1], "nobody confirms it");
        assert_eq!(refused(&[10]), [0_i64; 0]);
    }

    #[test]
    fn a_share_that_was_split_over_night_is_believed_when_others_confirm_it() {
        let evening: Timestamp = "2024-07-01T19:59:00Z".parse().unwrap();
        let morning: Timestamp = "2024-07-02T13:30:00Z".parse().unwrap();
        let mut filter = Filter::new(FilterRules::of(AssetClass::Equity)).with_calendar(Calendar::Nyse);
        let mut code = |time: Timestamp, price: &str| {
            let mut event = trade(0, price);
            if let MarketEventKind::Trade(trade) = &mut event.kind {
                trade.event_time = time;
            }
            filter.check(&event, None).err().map_or("ok", |suspicion| suspicion.code())
        };
        let evening = ["1.00", "100.00", "100.10", "99.90", "100.00", "1.01"].map(|price| code(evening, price));
        assert_eq!(evening, ["ok", "spike", "spike", "spike", "spike", "ok"]);
        let morning = ["100.00", "100.10", "99.90", "100.00", "1.01"].map(|price| code(morning, price));
        assert_eq!(morning, ["spike", "spike", "ok", "ok", "spike"]);
    }
}
