//! Candles found by the words of their description.

use cw_analysis::enrich::{Enricher, HISTORY, schema_hash};
use cw_analysis::narrative::describe;
use cw_api::ApiError;
use cw_api::commands::narrative::{
    FoundNarrative, FoundNarratives, IndexNarratives, IndexedNarratives, SearchNarratives,
};
use cw_core::{Candle, Timestamp};
use cw_store::{Document, DocumentQuery};

use super::{Analysis, apart};
use crate::services::market::Span;
use crate::shared::storage;

/// Candles described when nobody says how many, and at most.
const DEFAULT_INDEXED: u32 = 1_000;
const MOST_INDEXED: u32 = 100_000;
/// Documents written in one transaction.
const BATCH: usize = 1_000;
const DEFAULT_FOUND: u32 = 20;
const MOST_FOUND: u32 = 1_000;

impl Analysis {
    pub(super) async fn index(&self, request: IndexNarratives) -> Result<IndexedNarratives, ApiError> {
        self.shared.writable()?;
        let IndexNarratives { instrument, timeframe, from, to, limit } = request;
        let limit = limit.unwrap_or(if from.is_some() { MOST_INDEXED } else { DEFAULT_INDEXED });
        if limit == 0 || limit > MOST_INDEXED {
            return Err(ApiError::invalid("limit", format!("limit must be from 1 to {MOST_INDEXED}, not {limit}")));
        }
        // What is described needs its history; only what was asked for is written.
        let span = Span { from: None, to, limit: Some(limit as usize + HISTORY) };
        let candles = self.market.span(&instrument, timeframe, span).await?;
        let begin = begin_of(&candles, from, limit as usize);
        let decimals = self.market.price_decimals(&instrument, candles.get(begin..).unwrap_or_default()).await;
        let (provider, now) = (self.market.provider_of(&instrument), self.shared.clock.now());
        let calendar = self.market.calendar_of(&instrument).await?;
        let documents = apart(move || {
            let history = begin.saturating_sub(HISTORY);
            let mut enricher = Enricher::new(instrument.clone(), timeframe, provider).in_calendar(calendar);
            enricher = enricher.with_history(&candles[history..begin], now);
            let describe_one = |candle: &Candle| {
                let narrative = describe(enricher.push(candle, now), decimals);
                Document {
                    instrument: instrument.clone(),
                    timeframe,
                    open_time: candle.open_time,
                    text: narrative.text(),
                    keywords: narrative.keywords,
                    schema: schema_hash().to_owned(),
                }
            };
            Ok(candles[begin..].iter().map(describe_one).collect::<Vec<_>>())
        })
        .await?;
        for batch in documents.chunks(BATCH) {
            self.shared.store.put_documents(batch).await.map_err(storage)?;
        }
        Ok(IndexedNarratives {
            indexed: documents.len() as u32,
            first: documents.first().map(|document| document.open_time),
            last: documents.last().map(|document| document.open_time),
        })
    }

    pub(super) async fn find(&self, request: SearchNarratives) -> Result<FoundNarratives, ApiError> {
        let SearchNarratives { words, instrument, timeframe, from, to, limit } = request;
        if !words.chars().any(char::is_alphanumeric) {
            return Err(ApiError::invalid("words", "there is no word to search for"));
        }
        let limit = limit.unwrap_or(DEFAULT_FOUND).min(MOST_FOUND);
        let query = DocumentQuery { words, instrument, timeframe, from, to, limit };
        let documents = self.shared.store.search_documents(&query).await.map_err(storage)?;
        let view = |document: Document| FoundNarrative {
            instrument: document.instrument,
            timeframe: document.timeframe,
            at: document.open_time,
            text: document.text,
            keywords: document.keywords,
        };
        Ok(FoundNarratives { found: documents.into_iter().map(view).collect() })
    }
}

/// Where the newest `limit` candles that open at or after `from` begin.
fn begin_of(candles: &[Candle], from: Option<Timestamp>, limit: usize) -> usize {
    let newest = candles.len().saturating_sub(limit);
    from.map_or(newest, |from| candles.partition_point(|candle| candle.open_time < from).max(newest))
}
