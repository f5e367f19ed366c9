//! Best bid and ask with what the last 24 hours were.

use std::collections::VecDeque;

use cw_api::ApiError;
use cw_api::commands::market::QuoteView;
use cw_core::{Candle, InstrumentId, Price, Quote, Ratio, Timeframe, Timestamp, Volume};
use cw_store::CandleQuery;

use super::Market;
use crate::shared::{stopped, storage};

const MINUTE: i64 = 60 * Timestamp::NANOS_PER_SECOND;
const DAY: i64 = 24 * 60 * MINUTE;
/// The quietest instrument trades about once a second in its busy hours and every few seconds in its quiet ones.
const EXPECTED_INTERVAL: i64 = 10 * Timestamp::NANOS_PER_SECOND;
/// Points of the small line.
const SPARK: usize = 24;

/// The closed minutes of the last 24 hours of one instrument, and their sum.
///
/// Nothing is kept up to date while nobody asks: who asks brings the missing minutes, all of a day the first time and
/// usually one.
#[derive(Debug, Default)]
pub(super) struct DayStats {
    minutes: VecDeque<Candle>,
    summary: Option<Summary>,
}

/// What is left of a day's minutes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Summary {
    /// Price 24 hours ago.
    open: Price,
    high: Price,
    low: Price,
    volume: Volume,
    /// Closes, an hour apart; the last one is replaced by the newest price.
    spark: [f64; SPARK],
}

impl DayStats {
    /// The minutes that are missing before `now`: nothing, or a range that ends with the last closed one.
    fn missing(&self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let end = Timeframe::M1.open_time(now);
        let begin = end.plus_nanos(-DAY);
        let from = self.minutes.back().map_or(begin, |last| Timeframe::M1.close_time(last.open_time).max(begin));
        (from < end).then_some((from, end))
    }

    /// Takes minutes in order and lets go of those older than a day at `now`. Minutes known already are passed over.
    fn extend(&mut self, candles: &[Candle], now: Timestamp) {
        let newest = self.minutes.back().map(|c| c.open_time);
        self.minutes.extend(candles.iter().filter(|c| newest.is_none_or(|newest| c.open_time > newest)));
        let begin = Timeframe::M1.open_time(now).plus_nanos(-DAY);
        while self.minutes.front().is_some_and(|c| c.open_time < begin) {
            self.minutes.pop_front();
        }
        self.summary = self.summarize(now);
    }

    fn summarize(&self, now: Timestamp) -> Option<Summary> {
        let first = self.minutes.front()?;
        let mut summary =
            Summary { open: first.open, high: first.high, low: first.low, volume: Volume::ZERO, spark: [0.0; SPARK] };
        // The oldest point is 23 hours old, so that with the newest price there are 24.
        let mut close = first.open;
        let mut at = 0;
        for minute in &self.minutes {
            let age = now.nanos_since(minute.open_time);
            while at < SPARK && age <= (SPARK - 1 - at) as i64 * DAY / 24 {
                summary.spark[at] = close.to_f64();
                at += 1;
            }
            summary.high = summary.high.max(minute.high);
            summary.low = summary.low.min(minute.low);
            summary.volume = summary.volume.saturating_add(minute.volume);
            close = minute.close;
        }
        summary.spark[at..].fill(close.to_f64());
        Some(summary)
    }
}

/// `now` ÷ `before` − 1, rounded half away from zero at 10⁻⁹; zero where there is nothing to compare with.
fn change(now: Price, before: Price) -> Ratio {
    if !before.is_positive() {
        return Ratio::ZERO;
    }
    let (difference, whole) = (i128::from(now.raw()) - i128::from(before.raw()), i128::from(before.raw()));
    let scaled = difference * i128::from(Ratio::ONE.raw());
    let rounded = (scaled + scaled.signum() * (whole / 2)) / whole;
    Ratio::from_raw(i64::try_from(rounded).unwrap_or(if difference < 0 { i64::MIN } else { i64::MAX }))
}

/// The newest of one instrument.
#[derive(Debug, Clone, Copy)]
struct Newest {
    quote: Quote,
    last: Price,
    /// The minute that is not closed yet.
    forming: Option<Candle>,
}

fn view(id: &InstrumentId, newest: &Newest, day: Option<&Summary>, stale: bool, simulated: bool) -> QuoteView {
    let Newest { quote, last, forming } = *newest;
    let (mut high, mut low) = (last, last);
    let mut volume = Volume::ZERO;
    if let Some(day) = day {
        (high, low, volume) = (high.max(day.high), low.min(day.low), day.volume);
    }
    if let Some(forming) = forming {
        (high, low) = (high.max(forming.high), low.min(forming.low));
        volume = volume.saturating_add(forming.volume);
    }
    let mut spark = day.map_or_else(|| vec![last.to_f64(); SPARK], |day| day.spark.to_vec());
    if let Some(newest) = spark.last_mut() {
        *newest = last.to_f64();
    }
    QuoteView {
        instrument: id.clone(),
        bid: quote.bid,
        ask: quote.ask,
        bid_qty: quote.bid_qty,
        ask_qty: quote.ask_qty,
        last,
        change_24h: day.map_or(Ratio::ZERO, |day| change(last, day.open)),
        high_24h: high,
        low_24h: low,
        volume_24h: volume,
        event_time: quote.event_time,
        stale,
        spark,
        simulated,
    }
}

impl Market {
    /// The numbers of the instruments that have quotes: all, or those that are named.
    pub(in crate::services) fn quoted(&self, instruments: Option<&[InstrumentId]>) -> Result<Vec<u32>, ApiError> {
        let directory = &self.shared.directory;
        match instruments {
            None => Ok((0..directory.instruments().len() as u32).collect()),
            Some(ids) => ids
                .iter()
                .map(|id| {
                    directory.number(id).ok_or_else(|| {
                        ApiError::not_found(format!("instrument {id} with quotes")).with_field("instruments")
                    })
                })
                .collect(),
        }
    }

    /// The newest quotes of these instruments, in the same order.
    pub(in crate::services) async fn quotes(&self, numbers: &[u32]) -> Result<Vec<QuoteView>, ApiError> {
        let now = self.now();
        self.bring_days(numbers, now).await?;
        let newest = self.newest(numbers, now).await?;
        let paused = self.shared.sim.clock().is_paused();
        let days = self.days.lock();
        let views = numbers.iter().zip(&newest).filter_map(|(number, newest)| {
            let (instrument, newest) = (self.shared.directory.instrument(*number)?, newest.as_ref()?);
            let id = &instrument.id;
            let (simulated, now) = (self.is_simulated(id), self.now_of(id));
            let age = now.nanos_since(newest.quote.event_time);
            // A closed market has nothing to say.
            let closed = !instrument.calendar().is_open(now);
            let stale = (simulated && paused) || (age > 3 * EXPECTED_INTERVAL && !closed);
            let day = days.get(*number as usize).and_then(|day| day.summary.as_ref());
            Some(view(id, newest, day, stale, simulated))
        });
        Ok(views.collect())
    }

    /// Reads the minutes that the last day lacks.
    async fn bring_days(&self, numbers: &[u32], now: Timestamp) -> Result<(), ApiError> {
        let missing: Vec<_> = {
            let mut days = self.days.lock();
            let listed = numbers.iter().max().map_or(0, |newest| *newest as usize + 1);
            if days.len() < listed {
                days.resize_with(listed, DayStats::default);
            }
            let missing = |number: &u32| {
                let instrument = self.shared.directory.instrument(*number)?;
                let now = if self.is_simulated(&instrument.id) { now } else { self.now_of(&instrument.id) };
                Some((*number, instrument, now, days.get(*number as usize)?.missing(now)?))
            };
            numbers.iter().filter_map(missing).collect()
        };
        for (number, instrument, now, (from, to)) in missing {
            let candles = if self.is_simulated(&instrument.id) {
                // Straight from the provider: a day of minutes is a third of a millisecond there, and reading it does
                // not mean that somebody wants it kept.
                self.ask(&instrument.id, Timeframe::M1, from, to).await?
            } else {
                let query = CandleQuery { from: Some(from), to: Some(to), ..CandleQuery::default() };
                self.shared.store.read_candles(&instrument.id, Timeframe::M1, &query).await.map_err(storage)?
            };
            if let Some(day) = self.days.lock().get_mut(number as usize) {
                day.extend(&candles, now);
            }
        }
        Ok(())
    }

    /// What the engine knows; what the simulated market would say where the engine was told nothing, because it does not
    /// run live here or has just begun.
    async fn newest(&self, numbers: &[u32], now: Timestamp) -> Result<Vec<Option<Newest>>, ApiError> {
        let wanted = numbers.to_vec();
        let live = self.shared.live;
        let read = self.shared.engine.read(move |engine| -> Vec<Option<Newest>> {
            let newest = |number: &u32| {
                let state = engine.instruments().get(*number as usize).filter(|state| live || state.by_minutes)?;
                let quote = state.quote?;
                let last = state.last_trade.map_or_else(|| quote.mid(), |trade| trade.price);
                let forming = state.aggregator.forming(Timeframe::M1).map(|forming| forming.so_far);
                Some(Newest { quote, last, forming })
            };
            wanted.iter().map(newest).collect()
        });
        let mut all = read.await.map_err(stopped)?;
        for (number, newest) in numbers.iter().zip(&mut all).filter(|(_, newest)| newest.is_none()) {
            *newest = self.computed(*number, now);
        }
        for (number, newest) in numbers.iter().zip(&mut all) {
            let Some(newest) = newest.as_mut().filter(|newest| newest.forming.is_none()) else { continue };
            let instrument = self.shared.directory.instrument(*number);
            newest.forming = instrument.and_then(|i| self.shared.venues.forming(&i.id)).map(|forming| forming.so_far);
        }
        Ok(all)
    }

    fn computed(&self, number: u32, now: Timestamp) -> Option<Newest> {
        let instrument = self.shared.directory.instrument(number)?;
        let id = &instrument.id;
        let market = self.shared.sim.market();
        let quote = market.quote(id, now)?;
        let last = market.trades(id, now)?.into_iter().rev().find(|trade| trade.event_time <= now);
        Some(Newest { quote, last: last.map_or_else(|| quote.mid(), |trade| trade.price), forming: None })
    }
}

#[cfg(test)]
mod tests {
    use cw_core::Quantity;

    use super::*;

    fn minute(at: i64, close: i64) -> Candle {
        let price = Price::from_raw(close);
        Candle {
            open_time: Timestamp::from_nanos(at * MINUTE),
            open: price,
            high: Price::from_raw(close + 5),
            low: Price::from_raw(close - 5),
            close: price,
            volume: Volume::from_raw(2),
        }
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_nanos(minutes * MINUTE)
    }

    #[test]
    fn a_day_rolls_on_minute_by_minute() {
        let mut day = DayStats::default();
        let start = 100_000;
        assert_eq!(day.missing(at(start)), Some((at(start - 1_440), at(start))));
        let minutes: Vec<Candle> = (start - 1_440..start).map(|m| minute(m, m)).collect();
        day.extend(&minutes, at(start));
        assert_eq!(day.missing(at(start).plus_nanos(MINUTE - 1)), None);
        let summary = day.summary.unwrap();
        assert_eq!((summary.open.raw(), summary.low.raw()), (start - 1_440, start - 1_445));
        assert_eq!((summary.high.raw(), summary.volume.raw()), (start + 4, 2_880));

        assert_eq!(day.missing(at(start + 1)), Some((at(start), at(start + 1))));
        // The one before comes again with it, as after a late answer.
        day.extend(&[minute(start - 1, start - 1), minute(start, start)], at(start + 1));
        let summary = day.summary.unwrap();
        assert_eq!(day.minutes.len(), 1_440);
        assert_eq!(
            (summary.open.raw(), summary.low.raw(), summary.high.raw()),
            (start - 1_439, start - 1_444, start + 5)
        );
    }

    #[test]
    fn nobody_asked_for_days() {
        let mut day = DayStats::default();
        day.extend(&[minute(10, 1_000)], at(11));
        assert_eq!(day.missing(at(100_000)), Some((at(98_560), at(100_000))), "no more than a day is read");
        day.extend(&[minute(99_999, 50)], at(100_000));
        assert_eq!(day.minutes.len(), 1);
    }

    #[test]
    fn the_line_has_a_point_per_hour() {
        let mut day = DayStats::default();
        let minutes: Vec<Candle> = (0..1_440).map(|m| minute(m, 1_000_000_000 * (1 + m))).collect();
        day.extend(&minutes, at(1_440));
        let spark = day.summary.unwrap().spark;
        // The close of the last minute before each full hour.
        let expected: Vec<f64> = (1..=24).map(|hour| f64::from(60 * hour)).collect();
        assert_eq!(spark.to_vec(), expected);
    }

    #[test]
    fn the_change_is_a_ratio_of_the_price_a_day_ago() {
        let price = |text: &str| text.parse::<Price>().unwrap();
        assert_eq!(change(price("101.25"), price("100")).to_string(), "0.0125");
        assert_eq!(change(price("2"), price("3")).to_string(), "-0.333333333");
        assert_eq!(change(price("1"), Price::ZERO), Ratio::ZERO);
    }

    #[test]
    fn the_running_minute_belongs_to_the_day() {
        let quote = Quote {
            event_time: at(1_440),
            bid: Price::from_raw(90),
            ask: Price::from_raw(92),
            bid_qty: Quantity::ZERO,
            ask_qty: Quantity::ZERO,
        };
        let mut day = DayStats::default();
        day.extend(&[minute(1_439, 100)], at(1_440));
        let newest = Newest { quote, last: Price::from_raw(80), forming: Some(minute(1_440, 120)) };
        let view = view(&"BTC-PERP.SIM".parse().unwrap(), &newest, day.summary.as_ref(), false, true);
        assert_eq!((view.high_24h.raw(), view.low_24h.raw(), view.volume_24h.raw()), (125, 80, 4));
        assert_eq!((view.change_24h.to_string(), view.spark.len()), ("-0.2".to_owned(), 24));
        assert_eq!(view.spark.last(), Some(&8e-8));
    }
}
