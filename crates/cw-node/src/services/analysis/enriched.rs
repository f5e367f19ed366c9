//! Candles with everything that is known of them, and in words.

use cw_analysis::enrich::{EnrichedCandle, Enricher, HISTORY};
use cw_analysis::narrative::describe;
use cw_api::commands::narrative::{CandleNarrative, DescribeCandle, NarrativeFormat};
use cw_api::{ApiError, FileContent};
use cw_core::{InstrumentId, Timeframe, Timestamp};

use super::{Analysis, apart};

impl Analysis {
    pub(super) async fn enriched(
        &self,
        instrument: &InstrumentId,
        timeframe: Timeframe,
        at: Option<Timestamp>,
    ) -> Result<EnrichedCandle, ApiError> {
        let candles = self.candles_to(instrument, timeframe, at, HISTORY).await?;
        let (instrument, provider) = (instrument.clone(), self.market.provider_of(instrument));
        let (now, calendar) = (self.shared.clock.now(), self.market.calendar_of(&instrument).await?);
        apart(move || {
            let none = ApiError::not_found(format!("closed candle of {instrument}"));
            let enricher = Enricher::new(instrument, timeframe, provider).in_calendar(calendar);
            let enricher = enricher.with_history(&candles, now);
            enricher.latest().cloned().ok_or(none)
        })
        .await
    }

    pub(super) async fn narrative(
        &self,
        instrument: InstrumentId,
        timeframe: Timeframe,
        at: Option<Timestamp>,
    ) -> Result<CandleNarrative, ApiError> {
        let candle = self.enriched(&instrument, timeframe, at).await?;
        let narrative = describe(&candle, self.market.price_decimals(&instrument, &[candle.ohlcv]).await);
        let (text, markdown) = (narrative.text(), narrative.markdown());
        Ok(CandleNarrative { at: candle.ohlcv.open_time, instrument, timeframe, narrative, text, markdown })
    }

    pub(super) async fn described(&self, request: DescribeCandle) -> Result<FileContent, ApiError> {
        let said = self.narrative(request.instrument, request.timeframe, request.at).await?;
        Ok(match request.narrative_format.unwrap_or_default() {
            NarrativeFormat::Text => FileContent { content_type: "text/plain; charset=utf-8", bytes: said.text.into() },
            NarrativeFormat::Markdown => {
                FileContent { content_type: "text/markdown; charset=utf-8", bytes: said.markdown.into() }
            }
            NarrativeFormat::Json => {
                let mut bytes = serde_json::to_vec_pretty(&said).map_err(ApiError::internal)?;
                bytes.push(b'\n');
                FileContent { content_type: "application/json", bytes: bytes.into() }
            }
        })
    }
}
