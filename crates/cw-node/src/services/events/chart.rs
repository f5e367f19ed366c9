//! The forming candle with its indicators, and candles as they close.

use std::collections::VecDeque;
use std::time::Duration;

use cw_analysis::StudyState;
use cw_api::ApiError;
use cw_api::stream::{ChartParams, ChartPoint, ChartUpdate, Update, UpdateData};
use cw_core::{BarRule, Cadence, Candle, FormingCandle, Timeframe, Timestamp};
use cw_engine::runtime::Published;
use cw_market::CandleUpdate;

use super::Sources;
use super::feed::{Feed, delta, snapshot};
use super::seconds::Seconds;
use super::ticks::Ticks;
use crate::services::market::{Folder, Span, Study, point};

/// Closed candles that a first snapshot repeats: a window that was read a moment before lacks at most these.
const OVERLAP: usize = 3;
/// Closed candles that a later snapshot brings at most; whoever missed more reads its window again.
const CATCH_UP: usize = 500;

/// Live state of one chart.
pub(super) struct Chart {
    sources: Sources,
    params: ChartParams,
    study: Option<Study>,
    /// Behind the last closed candle.
    state: Option<StudyState>,
    live: Option<Live>,
    /// In place of the engine's, below a minute.
    seconds: Option<Seconds>,
    /// In place of the engine's, where candles end with what was traded.
    ticks: Option<Ticks>,
    /// The last closed candle that was told.
    last: Option<Timestamp>,
    closed: VecDeque<ChartPoint>,
    /// The earliest closed candle that was corrected: from there on indicators have to be computed again.
    revised: Option<Timestamp>,
    row: Vec<f64>,
}

/// Where the live data of a chart comes from.
struct Live {
    number: u32,
    folder: Folder,
    /// The newest entry that was published.
    published: u64,
    /// A forming candle that may be ahead of closed ones waits until everything up to here is published.
    wait_for: Option<u64>,
}

impl Chart {
    pub fn new(sources: Sources, params: ChartParams) -> Result<Self, ApiError> {
        let study = Study::parse(&params.set, params.timeframe)?;
        Ok(Self {
            sources,
            params,
            study,
            state: None,
            live: None,
            seconds: None,
            ticks: None,
            last: None,
            closed: VecDeque::new(),
            revised: None,
            row: Vec::new(),
        })
    }

    /// Reads history anew; hands out what closed since the last candle told, and what was corrected.
    async fn reload(&mut self) -> Result<ChartUpdate, ApiError> {
        let calendar = self.sources.market.calendar_of(&self.params.instrument).await?;
        self.study = self.study.take().map(|study| study.in_calendar(calendar));
        let limit = self.study.as_ref().map_or(0, Study::warm_up) + CATCH_UP;
        let candles = match self.params.timeframe {
            Cadence::Time(timeframe) => self.read(timeframe, limit).await?,
            Cadence::Traded(rule) => self.read_traded(rule, limit).await?,
        };
        let plots = match &self.study {
            Some(study) => {
                let (state, plots) = study.batch(&candles)?;
                self.state = Some(state);
                plots
            }
            None => Vec::new(),
        };
        let repeat = candles.len().saturating_sub(OVERLAP);
        let from = match self.last {
            Some(last) => candles.partition_point(|c| c.open_time <= last).min(repeat),
            None => repeat,
        };
        let corrected = self.revised.take().map(|time| match self.params.timeframe {
            Cadence::Time(timeframe) => calendar.window(timeframe, time).open_time,
            Cadence::Traded(_) => time,
        });
        let from = corrected.map_or(from, |time| candles.partition_point(|c| c.open_time < time).min(from));
        let from = from.max(candles.len().saturating_sub(CATCH_UP));
        let row = |at: usize| plots.iter().map(|plot| plot[at]).collect::<Vec<f64>>();
        let closed = (from..candles.len()).map(|at| point(&candles[at], &row(at))).collect();
        self.last = candles.last().map(|c| c.open_time);
        self.closed.clear();
        Ok(ChartUpdate { forming: self.forming().await?, closed })
    }

    /// Closed candles of a timeframe, and where the live ones come from.
    async fn read(&mut self, timeframe: Timeframe, limit: usize) -> Result<Vec<Candle>, ApiError> {
        let (market, instrument) = (&self.sources.market, &self.params.instrument);
        // The parts of the forming candle are read before the closed ones: what closes in between is published, and passed
        // over because it is among the closed ones.
        self.live = match market.base(instrument, timeframe).await? {
            None => {
                if self.seconds.is_none() {
                    self.seconds = market.below_a_minute(instrument, timeframe);
                }
                None
            }
            Some((number, base)) => {
                let folder = market.folder(instrument, base, timeframe).await?;
                let published = self.live.as_ref().map_or(0, |live| live.published);
                Some(Live { number, folder, published, wait_for: None })
            }
        };
        market.span(instrument, timeframe, Span { limit: Some(limit), ..Span::default() }).await
    }

    async fn read_traded(&mut self, rule: BarRule, limit: usize) -> Result<Vec<Candle>, ApiError> {
        let (made, ticks) = self.sources.market.traded_live(&self.params.instrument, rule, limit).await?;
        self.ticks = ticks;
        Ok(made.candles())
    }

    fn close(&mut self, candle: &Candle) {
        if self.last.is_some_and(|last| candle.open_time <= last) {
            return;
        }
        self.last = Some(candle.open_time);
        self.row.clear();
        if let (Some(study), Some(state)) = (&self.study, &mut self.state) {
            study.push(state, candle, &mut self.row);
        }
        self.closed.push_back(point(candle, &self.row));
    }

    /// The engine's forming candle of now, unless candles before it have closed that nobody was told of yet.
    async fn forming(&mut self) -> Result<Option<ChartPoint>, ApiError> {
        let seconds = self.seconds.as_ref().and_then(Seconds::forming);
        if let Some(forming) = seconds.or_else(|| self.ticks.as_ref().and_then(Ticks::forming)) {
            return Ok(self.preview(&forming));
        }
        let Some(live) = &mut self.live else { return Ok(None) };
        let (seq, forming) = self.sources.market.engine_forming(live.number, live.folder.base()).await?;
        let Some(forming) = forming else { return Ok(None) };
        if live.holds_back(&forming, seq) {
            return Ok(None);
        }
        let Some(forming) = live.folder.forming(&forming) else { return Ok(None) };
        Ok(self.preview(&forming))
    }

    /// The forming candle with its indicators, unless it is among the closed ones already.
    fn preview(&mut self, forming: &FormingCandle) -> Option<ChartPoint> {
        if self.last.is_some_and(|last| forming.so_far.open_time <= last) {
            return None;
        }
        self.row.clear();
        if let (Some(study), Some(state)) = (&self.study, &self.state) {
            study.preview(state, forming, &mut self.row);
        }
        Some(point(&forming.so_far, &self.row))
    }

    /// What a batch did to a chart below a minute.
    fn absorb_seconds(&mut self, batch: &Published) -> bool {
        let Some(told) = self.seconds.as_mut().and_then(|seconds| seconds.absorb(&batch.trades, batch.seq)) else {
            return false;
        };
        if let Some(time) = told.reread {
            self.reread(time);
        }
        for candle in &told.closed {
            self.close(candle);
        }
        true
    }

    /// What a batch did to a chart of candles that end with what was traded.
    fn absorb_ticks(&mut self, batch: &Published) -> bool {
        let Some(bars) = self.ticks.as_mut().and_then(|ticks| ticks.absorb(&batch.trades, batch.seq)) else {
            return false;
        };
        for bar in bars {
            self.close(&bar.candle);
        }
        true
    }

    /// The candle that holds `time` was corrected.
    fn reread(&mut self, time: Timestamp) {
        self.revised = Some(self.revised.map_or(time, |earliest| earliest.min(time)));
    }
}

impl Live {
    /// The engine is a moment ahead of what it has published. A forming candle that does not touch the last closed one
    /// leaves a hole behind, which is either silence or a candle on its way; once everything that the engine knew when
    /// it was first seen is published, it is silence.
    fn holds_back(&mut self, forming: &FormingCandle, seq: u64) -> bool {
        if self.folder.touches(forming) {
            self.wait_for = None;
            return false;
        }
        let wait_for = *self.wait_for.get_or_insert(seq);
        self.published < wait_for
    }
}

impl Feed for Chart {
    fn period(&self) -> Duration {
        Duration::from_millis(33)
    }

    async fn snapshot(&mut self) -> Result<UpdateData, ApiError> {
        Ok(UpdateData::Chart(self.reload().await?))
    }

    fn absorb(&mut self, batch: &Published) -> bool {
        if self.ticks.is_some() {
            return self.absorb_ticks(batch);
        }
        let Some(live) = &mut self.live else { return self.absorb_seconds(batch) };
        live.published = live.published.max(batch.seq);
        let (number, base) = (live.number, live.folder.base());
        let (mut closed, mut revised) = (Vec::new(), Vec::new());
        for (_, update) in batch.candles.iter().filter(|(instrument, _)| *instrument == number) {
            match update {
                CandleUpdate::Closed { timeframe, candle, .. } if *timeframe == base => {
                    live.folder.push(candle, |candle| closed.push(candle));
                }
                CandleUpdate::Revised { timeframe, candle, .. } if *timeframe == base => {
                    revised.push(candle.open_time);
                }
                _ => {}
            }
        }
        let waiting = live.wait_for.is_some();
        for time in revised {
            self.reread(time);
        }
        for candle in &closed {
            self.close(candle);
        }
        // A market without public trades moves with its quotes.
        let traded = batch.trades.iter().any(|(instrument, _)| *instrument == number)
            || batch.quotes.iter().any(|(instrument, _)| *instrument == number);
        traded || waiting || self.revised.is_some() || !closed.is_empty()
    }

    async fn delta(&mut self) -> Result<Option<Update>, ApiError> {
        if self.revised.is_some() {
            return Ok(Some(snapshot(UpdateData::Chart(self.reload().await?))));
        }
        let forming = self.forming().await?;
        let closed: Vec<ChartPoint> = self.closed.drain(..).collect();
        if forming.is_none() && closed.is_empty() {
            return Ok(None);
        }
        Ok(Some(delta(UpdateData::Chart(ChartUpdate { forming, closed }))))
    }
}

#[cfg(test)]
mod tests {
    use cw_core::{Price, Timeframe, Volume};

    use super::*;

    fn candle(minute: i64) -> Candle {
        let price = Price::from_raw(5);
        let open_time = Timestamp::from_secs(minute * 60);
        Candle { open_time, open: price, high: price, low: price, close: price, volume: Volume::ZERO }
    }

    #[test]
    fn a_forming_candle_waits_for_the_closed_one_before_it() {
        let mut folder = Folder::new(Timeframe::M1, Timeframe::M1, cw_core::Calendar::Continuous);
        folder.push(&candle(0), |_| {});
        let mut live = Live { number: 0, folder, published: 10, wait_for: None };
        let forming = |minute| FormingCandle { so_far: candle(minute), as_of: Timestamp::EPOCH };
        assert!(!live.holds_back(&forming(1), 12), "it touches the last closed one");
        assert!(live.holds_back(&forming(2), 15), "minute 1 is closed but not published");
        live.published = 14;
        assert!(live.holds_back(&forming(2), 19), "what counts is when it was first seen");
        live.published = 15;
        assert!(!live.holds_back(&forming(2), 21), "minute 1 was silent");
        live.folder.push(&candle(1), |_| {});
        assert!(!live.holds_back(&forming(2), 22));
        assert_eq!(live.wait_for, None);
    }
}
