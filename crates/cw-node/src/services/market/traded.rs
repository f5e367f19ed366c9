//! Candles that end with what was traded, made of an instrument's trades when somebody asks: of the simulated market's, of
//! imported ones, and on days without those of recorded ones.
//!
//! None are stored. A day's candles follow from that day's trades, so a window costs the days that it lies in.

use cw_api::ApiError;
use cw_core::{BarRule, Cadence, Candle, FormingCandle, InstrumentId, Timeframe, Timestamp, Trade};
use cw_market::{Bar, Bars};
use cw_store::{CandleQuery, SortOrder, TapeReader};
use cw_venues::sim::SimMarket;

use super::history::{DEFAULT_HISTORY, MOST};
use super::{Market, Span};
use crate::services::events::Ticks;
use crate::shared::{stopped, storage};

const MINUTE: i64 = 60 * Timestamp::NANOS_PER_SECOND;
const HOUR: i64 = 60 * MINUTE;
/// Trades read from the store at a time, if that is a whole day; otherwise an hour is read at a time.
const PAGE: usize = 200_000;
/// What is read for the newest so many candles; who wants more asks for those before them.
const ENOUGH_TRADES: u64 = 10_000_000;
/// More trades than this are not read for one answer.
const MOST_TRADES: u64 = 200_000_000;

/// What was made of trades, oldest first.
pub(in crate::services) struct Traded {
    pub bars: Vec<Bar>,
    /// What has begun and is not complete.
    pub forming: Option<FormingCandle>,
    /// There may be older ones, which were not read.
    pub cut: bool,
    /// Goes on behind the newest trade.
    maker: Bars,
}

impl Traded {
    pub fn candles(&self) -> Vec<Candle> {
        self.bars.iter().map(|bar| bar.candle).collect()
    }
}

/// The end of a series.
pub(super) struct Newest {
    pub candles: Vec<Candle>,
    pub forming: Option<FormingCandle>,
    /// There may be older ones although fewer came than were asked for.
    pub cut: bool,
}

/// Up to where trades count.
struct Present {
    time: Timestamp,
    /// The newest one that the engine has, and the number of its newest entry: what it publishes later goes on from there.
    engine: Option<(u32, Option<Trade>, u64)>,
}

impl Present {
    const fn last(&self) -> Option<Trade> {
        match self.engine {
            Some((_, last, _)) => last,
            None => None,
        }
    }
}

/// One day in the making.
struct Day {
    open: Timestamp,
    end: Timestamp,
    /// Not after this.
    until: Timestamp,
    /// Nor behind this one.
    last: Option<Trade>,
    maker: Bars,
    bars: Vec<Bar>,
    trades: u64,
}

impl Day {
    fn new(rule: BarRule, open: Timestamp, present: &Present) -> Self {
        let end = Timeframe::D1.close_time(open);
        let (until, last) = (present.time, present.last());
        Self { open, end, until, last, maker: Bars::new(rule), bars: Vec::new(), trades: 0 }
    }

    /// Counts a trade of this day; false when it is the last that counts.
    fn count(&mut self, trade: &Trade) -> bool {
        if trade.event_time > self.until {
            return false;
        }
        self.trades += 1;
        let bars = &mut self.bars;
        self.maker.on_trade(trade, &mut |bar| bars.push(bar));
        self.last != Some(*trade)
    }

    fn simulate(mut self, market: &SimMarket, instrument: &InstrumentId) -> Self {
        let mut minute = self.open;
        while minute < self.end && minute <= self.until {
            let trades = market.trades(instrument, minute).unwrap_or_default();
            if !trades.iter().all(|trade| self.count(trade)) {
                break;
            }
            minute = minute.plus_nanos(MINUTE);
        }
        self
    }

    /// In the order in which they came. What came late, after midnight, is of the day that had begun.
    fn replay(mut self, mut tape: TapeReader) -> Result<Self, ApiError> {
        let (mut events, mut newest) = (Vec::new(), Timestamp::MIN);
        while tape.next(&mut events).map_err(storage)? {
            for trade in events.drain(..).filter_map(|event| event.kind.trade()) {
                newest = newest.max(trade.event_time);
                if newest >= self.end || (newest >= self.open && !self.count(&trade)) {
                    return Ok(self);
                }
            }
        }
        Ok(self)
    }
}

impl Market {
    /// Closed candles of either kind, oldest first.
    pub(in crate::services) async fn closed(
        &self,
        instrument: &InstrumentId,
        timeframe: Cadence,
        span: Span,
    ) -> Result<Vec<Candle>, ApiError> {
        match timeframe {
            Cadence::Time(timeframe) => self.span(instrument, timeframe, span).await,
            Cadence::Traded(rule) => Ok(self.traded(instrument, rule, span).await?.candles()),
        }
    }

    /// Closed candles of either kind and, if wanted, the one that is forming, which may be among them already.
    pub(super) async fn recent(
        &self,
        instrument: &InstrumentId,
        timeframe: Cadence,
        span: Span,
        with_forming: bool,
    ) -> Result<Newest, ApiError> {
        match timeframe {
            Cadence::Time(timeframe) => {
                let forming = if with_forming { self.forming(instrument, timeframe).await? } else { None };
                Ok(Newest { candles: self.span(instrument, timeframe, span).await?, forming, cut: false })
            }
            Cadence::Traded(rule) => {
                let made = self.traded(instrument, rule, span).await?;
                let forming = made.forming.filter(|_| with_forming);
                Ok(Newest { candles: made.candles(), forming, cut: made.cut })
            }
        }
    }

    /// The newest `limit` candles of a span, by open time.
    pub(in crate::services) async fn traded(
        &self,
        instrument: &InstrumentId,
        rule: BarRule,
        span: Span,
    ) -> Result<Traded, ApiError> {
        let present = self.present(instrument).await?;
        self.made(instrument, rule, span, &present).await
    }

    /// The newest `limit` candles with what makes the next ones of the trades that are published from now on; without the
    /// latter where trades are not at hand without a hole.
    pub(in crate::services) async fn traded_live(
        &self,
        instrument: &InstrumentId,
        rule: BarRule,
        limit: usize,
    ) -> Result<(Traded, Option<Ticks>), ApiError> {
        let present = self.present(instrument).await?;
        let made = self.made(instrument, rule, Span { limit: Some(limit), ..Span::default() }, &present).await?;
        let ticks = present.engine.map(|(number, last, seq)| Ticks::new(number, made.maker.clone(), last, seq));
        Ok((made, ticks))
    }

    /// Whose trades are published, and whose earlier ones are known as well.
    fn streams_trades(&self, instrument: &InstrumentId) -> Option<u32> {
        let known = self.is_simulated(instrument)
            || self.shared.recorder.state().iter().any(|(id, active, _)| *active && id == instrument);
        self.shared.directory.number(instrument).filter(|_| known && self.is_live(instrument))
    }

    async fn present(&self, instrument: &InstrumentId) -> Result<Present, ApiError> {
        let Some(number) = self.streams_trades(instrument) else {
            return Ok(Present { time: self.now_of(instrument), engine: None });
        };
        let read = self.shared.engine.read(move |engine| {
            let state = engine.instruments().get(number as usize);
            (state.and_then(|state| state.last_trade), engine.seq())
        });
        let (last, seq) = read.await.map_err(stopped)?;
        // Market time may be a moment ahead of the engine; a day is over with the first trade after it.
        let time = last.map_or_else(|| self.now_of(instrument), |last| last.event_time);
        Ok(Present { time, engine: Some((number, last, seq)) })
    }

    async fn made(
        &self,
        instrument: &InstrumentId,
        rule: BarRule,
        span: Span,
        present: &Present,
    ) -> Result<Traded, ApiError> {
        let simulated = self.is_simulated(instrument);
        if simulated {
            self.instrument(instrument).await?;
        } else if self.day_before(instrument, Timestamp::MAX).await?.is_none() {
            self.instrument(instrument).await?;
            let message = format!(
                "trade of {instrument}, of which {rule} candles are made; import some with `data import --kind trades` or \
                 record them with `ticks start`"
            );
            return Err(ApiError::not_found(message).with_field("instrument"));
        }
        let limit = span.limit.or_else(|| (simulated && span.from.is_none()).then_some(DEFAULT_HISTORY));
        let now = present.time.plus_nanos(1);
        let to = span.to.map_or(now, |to| to.min(now));
        let (mut days, mut count, mut trades) = (Vec::new(), 0, 0);
        let mut made = Traded { bars: Vec::new(), forming: None, cut: false, maker: Bars::new(rule) };
        let mut before = to;
        while let Some(open) = self.day_before(instrument, before).await? {
            if span.from.is_some_and(|from| Timeframe::D1.close_time(open) <= from) {
                break;
            }
            let mut day = self.day(instrument, Day::new(rule, open, present)).await?;
            if day.end <= present.time {
                day.maker.end_day(&mut |bar| day.bars.push(bar));
            }
            if days.is_empty() {
                made.forming = day.maker.forming();
                made.maker = day.maker;
            }
            day.bars
                .retain(|bar| bar.candle.open_time < to && span.from.is_none_or(|from| bar.candle.open_time >= from));
            count += day.bars.len();
            trades += day.trades;
            days.push(day.bars);
            before = open;
            match limit {
                Some(limit) if count >= limit => break,
                Some(_) if trades >= ENOUGH_TRADES => {
                    made.cut = true;
                    break;
                }
                Some(_) => {}
                None if count > MOST || trades > MOST_TRADES => {
                    let message = format!(
                        "the range holds more than {MOST} candles or {MOST_TRADES} trades; ask for less at a time"
                    );
                    return Err(ApiError::invalid("from", message));
                }
                None => {}
            }
        }
        made.bars = days.into_iter().rev().flatten().collect();
        let surplus = limit.map_or(0, |limit| made.bars.len().saturating_sub(limit));
        made.bars.drain(..surplus);
        Ok(made)
    }

    /// The newest day before `to` that may have trades.
    async fn day_before(&self, instrument: &InstrumentId, to: Timestamp) -> Result<Option<Timestamp>, ApiError> {
        let day_of = |time| Timeframe::D1.open_time(time);
        let newest = day_of(to.plus_nanos(-1));
        if self.is_simulated(instrument) {
            return Ok((newest > Timestamp::EPOCH).then_some(newest));
        }
        let one = CandleQuery { to: Some(to), limit: Some(1), order: SortOrder::NewestFirst, ..CandleQuery::default() };
        let stored = self.shared.store.read_trades(instrument, &one).await.map_err(storage)?;
        let stored = stored.first().map(|trade| day_of(trade.event_time));
        let recorded = self.shared.recorder.tapes().range(instrument).map_err(storage)?;
        let recorded = recorded.filter(|(first, _)| *first < to).map(|(_, last)| day_of(last).min(newest));
        Ok(stored.max(recorded))
    }

    async fn day(&self, instrument: &InstrumentId, mut day: Day) -> Result<Day, ApiError> {
        if self.is_simulated(instrument) {
            let (market, id) = (self.shared.sim.market().clone(), instrument.clone());
            return tokio::task::spawn_blocking(move || day.simulate(&market, &id)).await.map_err(ApiError::internal);
        }
        let query = |from, to, limit| CandleQuery { from: Some(from), to: Some(to), limit, ..CandleQuery::default() };
        let first = query(day.open, day.end, Some(PAGE as u32));
        let stored = self.shared.store.read_trades(instrument, &first).await.map_err(storage)?;
        if stored.is_empty() {
            if self.streams_trades(instrument).is_some() {
                self.shared.recorder.written().await;
            }
            // Our clock and the venue's may differ, and what is told may be late.
            let (from, to) = (day.open.plus_nanos(-HOUR), day.end.plus_nanos(HOUR));
            let tape = self.shared.recorder.tapes().read(instrument, from, to).map_err(storage)?;
            return tokio::task::spawn_blocking(move || day.replay(tape)).await.map_err(ApiError::internal)?;
        }
        if stored.len() < PAGE {
            let _all = stored.iter().all(|trade| day.count(trade));
            return Ok(day);
        }
        let mut from = day.open;
        while from < day.end {
            let to = from.plus_nanos(HOUR);
            let stored = self.shared.store.read_trades(instrument, &query(from, to, None)).await.map_err(storage)?;
            if !stored.iter().all(|trade| day.count(trade)) {
                break;
            }
            from = to;
        }
        Ok(day)
    }
}
