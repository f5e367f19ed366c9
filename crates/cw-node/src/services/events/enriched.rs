//! Enriched candles as they close.

use std::time::Duration;

use cw_analysis::enrich::{EnrichedCandle, Enricher, HISTORY};
use cw_api::ApiError;
use cw_api::stream::{SeriesParams, Update, UpdateData};
use cw_core::{Candle, Timeframe, Timestamp};
use cw_engine::runtime::Published;
use cw_market::CandleUpdate;

use super::Sources;
use super::feed::{Feed, delta, snapshot};
use crate::services::market::{Folder, Span};

/// Live state of one series.
pub(super) struct Enriched {
    sources: Sources,
    params: SeriesParams,
    /// Some kilobytes: on the heap, so that the stream is small.
    enricher: Option<Box<Enricher>>,
    /// The engine's number of the instrument, and what folds its candles into the ones asked for.
    live: Option<(u32, Folder)>,
    /// The last candle taken in.
    last: Option<Timestamp>,
    closed: Vec<EnrichedCandle>,
    /// A candle was corrected: all that recursive indicators remember has to be computed again.
    revised: bool,
}

impl Enriched {
    pub fn new(sources: Sources, params: SeriesParams) -> Self {
        Self { sources, params, enricher: None, live: None, last: None, closed: Vec::new(), revised: false }
    }

    fn close(&mut self, candle: &Candle) {
        if self.last.is_some_and(|last| candle.open_time <= last) {
            return;
        }
        self.last = Some(candle.open_time);
        let now = self.sources.shared.clock.now();
        if let Some(enricher) = &mut self.enricher {
            self.closed.push(enricher.push(candle, now).clone());
        }
    }

    fn take_in(&mut self, update: &CandleUpdate, base: Timeframe, closed: &mut Vec<Candle>) {
        match update {
            CandleUpdate::Closed { timeframe, candle, .. } if *timeframe == base => {
                if let Some((_, folder)) = &mut self.live {
                    folder.push(candle, |candle| closed.push(candle));
                }
            }
            CandleUpdate::Revised { timeframe, .. } if *timeframe == base => self.revised = true,
            _ => {}
        }
    }
}

impl Feed for Enriched {
    fn period(&self) -> Duration {
        Duration::from_millis(100)
    }

    /// The newest closed candle.
    async fn snapshot(&mut self) -> Result<UpdateData, ApiError> {
        let (market, SeriesParams { instrument, timeframe }) = (&self.sources.market, &self.params);
        // What closes while history is read is published, and passed over because it is among what was read.
        self.live = match market.base(instrument, *timeframe).await? {
            Some((number, base)) => Some((number, market.folder(instrument, base, *timeframe).await?)),
            None => None,
        };
        let span = Span { limit: Some(HISTORY), ..Span::default() };
        let candles = market.span(instrument, *timeframe, span).await?;
        let (instrument, timeframe, provider) = (instrument.clone(), *timeframe, market.provider_of(instrument));
        let (now, calendar) = (self.sources.shared.clock.now(), market.calendar_of(&instrument).await?);
        self.last = candles.last().map(|candle| candle.open_time);
        let compute = move || {
            let enricher = Enricher::new(instrument, timeframe, provider).in_calendar(calendar);
            Box::new(enricher.with_history(&candles, now))
        };
        let enricher = tokio::task::spawn_blocking(compute).await.map_err(ApiError::internal)?;
        let newest = enricher.latest().cloned();
        self.enricher = Some(enricher);
        self.closed.clear();
        self.revised = false;
        Ok(UpdateData::Enriched(newest.into_iter().collect()))
    }

    fn absorb(&mut self, batch: &Published) -> bool {
        let Some((number, base)) = self.live.as_ref().map(|(number, folder)| (*number, folder.base())) else {
            return false;
        };
        let mut closed = Vec::new();
        for (_, update) in batch.candles.iter().filter(|(instrument, _)| *instrument == number) {
            self.take_in(update, base, &mut closed);
        }
        for candle in &closed {
            self.close(candle);
        }
        self.revised || !closed.is_empty()
    }

    async fn delta(&mut self) -> Result<Option<Update>, ApiError> {
        if self.revised {
            return Ok(Some(snapshot(self.snapshot().await?)));
        }
        let closed = std::mem::take(&mut self.closed);
        Ok((!closed.is_empty()).then(|| delta(UpdateData::Enriched(closed))))
    }
}
