//! Candles of venues behind a network: asked for once, then in the store.

use cw_api::ApiError;
use cw_core::{InstrumentId, Timeframe, Timestamp};
use cw_market::{CandleRequest, Provider};
use cw_store::{Channel, OnConflict, Source, SourceKind, TimeRange};

use super::history::{Fetched, back, ceil, refused};
use super::{Market, Span};
use crate::shared::storage;

/// Markets close for nights and week-ends: for so many candles this many times their length is looked back.
const SLACK: usize = 5;
const DEFAULT_LIMIT: usize = 500;
/// What one request may look back for, in candles.
const MOST: usize = 200_000;

impl Market {
    /// Has every closed candle of [`from`, `to`) in the store that the venue has. Pages that are there are not asked for
    /// again, so that what was cut off goes on where it stopped.
    pub(super) async fn ensure_remote(
        &self,
        provider: &dyn Provider,
        instrument: &InstrumentId,
        timeframe: Timeframe,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Fetched, ApiError> {
        let mut fetched = Fetched::default();
        let to = to.min(self.remote_end(provider, timeframe));
        if from >= to {
            return Ok(fetched);
        }
        let store = &self.shared.store;
        let channel = Channel::Candles(timeframe);
        let missing = store.missing_ranges(instrument, channel, TimeRange::new(from, to)).await.map_err(storage)?;
        if !missing.is_empty() {
            self.introduce_remote(provider, instrument).await?;
        }
        let source = Source::new(provider.source(instrument), SourceKind::Backfilled);
        let page = i64::try_from(provider.capabilities().max_candles).unwrap_or(i64::MAX);
        for range in missing {
            let mut open = range.from;
            while open < range.to {
                let end = ceil(timeframe, open.plus_nanos(timeframe.approx_nanos().saturating_mul(page))).min(range.to);
                let request = CandleRequest {
                    instrument: instrument.clone(),
                    timeframe,
                    from: Some(open),
                    to: Some(end),
                    limit: usize::MAX,
                };
                let candles = provider.candles(&request).await.map_err(refused)?;
                let written = store.write_candles(instrument, timeframe, &candles, &source, OnConflict::Revise).await;
                let written = written.map_err(storage)?;
                let part = TimeRange::new(open, end);
                store.add_coverage(instrument, channel, part, &source.provider).await.map_err(storage)?;
                fetched.candles += candles.len() as u64;
                fetched.stored += written.inserted + written.revised;
                open = end;
            }
        }
        Ok(fetched)
    }

    /// The end of the newest candle that the venue has had time to make.
    pub(super) fn remote_end(&self, provider: &dyn Provider, timeframe: Timeframe) -> Timestamp {
        let delay = i64::from(provider.capabilities().candle_delay_ms) * 1_000_000;
        timeframe.open_time(self.shared.clock.now().plus_nanos(-delay))
    }

    /// Brings what a request is about into the store. A venue that does not answer is no reason not to show what is there.
    pub(super) async fn refresh(
        &self,
        provider: &dyn Provider,
        instrument: &InstrumentId,
        timeframe: Timeframe,
        span: Span,
    ) -> Result<(), ApiError> {
        let to = span.to.map_or_else(|| self.remote_end(provider, timeframe), |to| ceil(timeframe, to));
        let wanted = span.limit.unwrap_or(DEFAULT_LIMIT).saturating_mul(SLACK).min(MOST);
        let from = span.from.map_or_else(|| back(timeframe, to, wanted), |from| ceil(timeframe, from));
        match self.ensure_remote(provider, instrument, timeframe, from, to).await {
            Ok(_) => Ok(()),
            Err(error) if self.stored_timeframes(instrument).await?.is_empty() => Err(error),
            Err(error) => {
                tracing::warn!(target: "venues", %instrument, error = error.message, "only what is stored is shown");
                Ok(())
            }
        }
    }

    /// Puts an instrument on the list as its venue describes it.
    async fn introduce_remote(&self, provider: &dyn Provider, id: &InstrumentId) -> Result<(), ApiError> {
        if self.shared.store.instrument(id).await.map_err(storage)?.is_some() {
            return Ok(());
        }
        let instrument = provider.describe(id).await.map_err(refused)?;
        self.shared.store.put_instruments(&[instrument]).await.map_err(storage)
    }
}

#[cfg(test)]
mod tests;
