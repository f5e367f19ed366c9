//! What closed candles say. Reading waits for the store; computing has threads of its own.

mod enriched;
mod export;
pub(crate) mod live;
mod similar;
mod structure;
mod validate;
mod words;

use std::sync::Arc;

use async_trait::async_trait;
use cw_analysis::enrich::EnrichedCandle;
use cw_api::commands::enrich::GetEnriched;
use cw_api::commands::narrative::{
    CandleNarrative, DescribeCandle, FoundNarratives, GetNarrative, IndexNarratives, IndexedNarratives,
    SearchNarratives,
};
use cw_api::commands::similar::{SearchSimilar, SimilarMoments};
use cw_api::commands::structure::{GetStructure, StructureView};
use cw_api::commands::training::{
    ExportFeatures, ExportRag, ExportValidity, FeatureList, GetRag, ListFeatures, ListLiveRag, LiveRag, LiveRagList,
    RagReadyCandle, StartLiveRag, StopLiveRag, ValidateExport,
};
use cw_api::{ApiError, Caller, FileContent};
use cw_core::{Candle, InstrumentId, Timeframe, Timestamp};

use super::market::{Market, Span};
use crate::shared::Shared;

#[derive(Clone)]
pub(crate) struct Analysis {
    shared: Arc<Shared>,
    market: Arc<Market>,
    exports: Arc<live::Exports>,
    prepared: Arc<similar::Prepared>,
}

impl Analysis {
    pub fn new(shared: Arc<Shared>, market: Arc<Market>) -> Self {
        Self { shared, market, exports: Arc::default(), prepared: Arc::default() }
    }

    /// The newest `limit` closed candles up to the one that holds `at`; up to the newest without it.
    async fn candles_to(
        &self,
        instrument: &InstrumentId,
        timeframe: Timeframe,
        at: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<Candle>, ApiError> {
        let calendar = self.market.calendar_of(instrument).await?;
        let to = at.map(|at| calendar.window(timeframe, at).close_time);
        let candles = self.market.span(instrument, timeframe, Span { from: None, to, limit: Some(limit) }).await?;
        if let (Some(at), Some(last)) = (at, candles.last())
            && calendar.window(timeframe, last.open_time).close_time <= at
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
    async fn get_enriched(&self, _: &Caller, request: GetEnriched) -> Result<EnrichedCandle, ApiError> {
        self.enriched(&request.instrument, request.timeframe, request.at).await
    }
    async fn describe_candle(&self, _: &Caller, request: DescribeCandle) -> Result<FileContent, ApiError> {
        self.described(request).await
    }
    async fn get_narrative(&self, _: &Caller, request: GetNarrative) -> Result<CandleNarrative, ApiError> {
        self.narrative(request.instrument, request.timeframe, request.at).await
    }
    async fn index_narratives(&self, _: &Caller, request: IndexNarratives) -> Result<IndexedNarratives, ApiError> {
        self.index(request).await
    }
    async fn search_narratives(&self, _: &Caller, request: SearchNarratives) -> Result<FoundNarratives, ApiError> {
        self.find(request).await
    }
    async fn list_features(&self, _: &Caller, _: ListFeatures) -> Result<FeatureList, ApiError> {
        Ok(export::features())
    }
    async fn export_features(&self, _: &Caller, request: ExportFeatures) -> Result<FileContent, ApiError> {
        self.features_file(request).await
    }
    async fn get_rag(&self, _: &Caller, request: GetRag) -> Result<RagReadyCandle, ApiError> {
        self.rag_candle(request).await
    }
    async fn export_rag(&self, _: &Caller, request: ExportRag) -> Result<FileContent, ApiError> {
        self.rag_file(request).await
    }
    async fn list_live_rag(&self, _: &Caller, _: ListLiveRag) -> Result<LiveRagList, ApiError> {
        self.live_exports().await
    }
    async fn start_live_rag(&self, _: &Caller, request: StartLiveRag) -> Result<LiveRag, ApiError> {
        self.start_export(request).await
    }
    async fn stop_live_rag(&self, _: &Caller, request: StopLiveRag) -> Result<LiveRagList, ApiError> {
        self.stop_exports(&request.instrument, request.timeframe).await
    }
    async fn validate_export(&self, _: &Caller, request: ValidateExport) -> Result<ExportValidity, ApiError> {
        self.validate(request).await
    }
    async fn search_similar(&self, _: &Caller, request: SearchSimilar) -> Result<SimilarMoments, ApiError> {
        self.similar(request).await
    }
    async fn get_structure(&self, _: &Caller, request: GetStructure) -> Result<StructureView, ApiError> {
        self.structure(request).await
    }
}

#[cfg(test)]
mod tests;
