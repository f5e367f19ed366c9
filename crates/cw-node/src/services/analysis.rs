//! What closed candles say. Reading waits for the store; computing has threads of its own.

mod similar;

use std::sync::Arc;

use async_trait::async_trait;
use cw_api::commands::similar::{SearchSimilar, SimilarMoments};
use cw_api::{ApiError, Caller};
use cw_core::{Candle, InstrumentId, Timeframe, Timestamp};

use super::market::{Market, Span};

pub(crate) struct Analysis {
    market: Arc<Market>,
}

impl Analysis {
    pub fn new(market: Arc<Market>) -> Self {
        Self { market }
    }

    /// The newest `limit` closed candles up to the one that holds `at`; up to the newest without it.
    async fn candles_to(
        &self,
        instrument: &InstrumentId,
        timeframe: Timeframe,
        at: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<Candle>, ApiError> {
        let to = at.map(|at| timeframe.close_time(timeframe.open_time(at)));
        let candles = self.market.span(instrument, timeframe, Span { from: None, to, limit: Some(limit) }).await?;
        if let (Some(at), Some(last)) = (at, candles.last())
            && timeframe.close_time(last.open_time) <= at
        {
            let message = format!(
                "no closed {timeframe} candle of {instrument} holds {at}; the last before it opens at {}",
                last.open_time
            );
            return Err(ApiError::invalid("at", message));
        }
        Ok(candles)
    }
}

/// Computes on a thread of its own, so that nothing else waits for it.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> Result<T, ApiError> + Send + 'static) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)?
}

#[async_trait]
impl cw_api::services::Analysis for Analysis {
    async fn search_similar(&self, _: &Caller, request: SearchSimilar) -> Result<SimilarMoments, ApiError> {
        self.similar(request).await
    }
}

#[cfg(test)]
mod tests;
