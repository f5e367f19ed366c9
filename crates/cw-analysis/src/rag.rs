//! A closed candle ready for retrieval: words to read, words to search by, and a vector to compare.

use std::fmt::Write as _;

use cw_core::{InstrumentId, Timeframe, Timestamp};
use serde::Serialize;

use crate::enrich::EnrichedCandle;
use crate::features::{self, Scaler};
use crate::narrative::describe;

/// What makes the vectors: the features of this program, scaled. Works without a network and gives the same bits anywhere.
pub const EMBEDDING_MODEL: &str = "candlewick-features-1";

/// A closed candle ready for retrieval.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[cfg_attr(feature = "schema", ts(rename = "RAGReadyCandle"), schemars(rename = "RAGReadyCandle"))]
pub struct RagReadyCandle {
    /// The same candle has the same id wherever it is exported: a UUID.
    pub id: String,
    pub instrument: InstrumentId,
    pub timeframe: Timeframe,
    pub open_time: Timestamp,
    /// The candle in words.
    pub description: String,
    /// The features at 0–1.
    pub embedding_vector: Vec<f32>,
    pub search_keywords: Vec<String>,
    /// The readings in one line.
    pub technical_summary: String,
    /// What the newest candlestick patterns are.
    pub pattern_explanation: String,
    /// What made the vector.
    pub embedding_model: &'static str,
    /// Of the scaler that brought it to 0–1: vectors of different scalers are not comparable.
    pub scaler_hash: String,
    pub schema_hash: &'static str,
}

impl RagReadyCandle {
    /// `None` while the features are warming up. The scaler has to know the past of the candle alone.
    pub fn of(candle: &EnrichedCandle, scaler: &Scaler, price_decimals: u8) -> Option<Self> {
        let vector = candle.features.as_ref()?;
        let narrative = describe(candle, price_decimals);
        let (metadata, open_time) = (&candle.metadata, candle.ohlcv.open_time);
        Some(Self {
            id: candle_id(&metadata.instrument, metadata.timeframe, open_time),
            instrument: metadata.instrument.clone(),
            timeframe: metadata.timeframe,
            open_time,
            description: narrative.text(),
            embedding_vector: scaler.scale(vector).to_vec(),
            search_keywords: narrative.keywords,
            technical_summary: narrative.technical_summary.text,
            pattern_explanation: narrative.pattern_explanation.text,
            embedding_model: EMBEDDING_MODEL,
            scaler_hash: scaler.hash.clone(),
            schema_hash: features::schema_hash(),
        })
    }
}

/// A UUID of the custom kind (version 8 of RFC 9562) from what names the candle.
pub fn candle_id(instrument: &InstrumentId, timeframe: Timeframe, open_time: Timestamp) -> String {
    let hash = blake3::hash(format!("{instrument}\t{timeframe}\t{}", open_time.as_nanos()).as_bytes());
    let mut text = String::with_capacity(36);
    for (at, byte) in hash.as_bytes()[..16].iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let byte = match at {
            6 => byte & 0x0f | 0x80,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        // Writing to a string cannot fail.
        let _written = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enrich::Enricher;
    use crate::features::{Bounds, FeatureState, N};
    use crate::testing::walk;

    #[test]
    fn it_has_the_fields_that_retrieval_reads() {
        let candles = walk(3, 700, 40);
        let mut state = FeatureState::new();
        let rows: Vec<_> = candles[..500].iter().filter_map(|candle| state.push(candle)).collect();
        let scaler = Scaler::fit(&rows, Bounds::default()).unwrap();
        let enrich = |len: usize| {
            let enricher = Enricher::new("BTC-PERP.SIM".parse().unwrap(), Timeframe::H1, "SIM".into());
            enricher.with_history(&candles[..len], Timestamp::EPOCH).latest().unwrap().clone()
        };
        let ready = RagReadyCandle::of(&enrich(700), &scaler, 2).unwrap();
        let json = serde_json::to_value(&ready).unwrap();
        for text in ["description", "technical_summary", "pattern_explanation", "id", "scaler_hash", "schema_hash"] {
            assert!(json[text].as_str().is_some_and(|text| !text.is_empty()), "{text}");
        }
        let vector = json["embedding_vector"].as_array().unwrap();
        assert_eq!(vector.len(), N);
        assert!(vector.iter().all(|value| value.as_f64().is_some_and(|value| (0.0..=1.0).contains(&value))));
        assert_eq!(json["search_keywords"][0], "BTC-PERP.SIM");
        assert_eq!(ready, RagReadyCandle::of(&enrich(700), &scaler, 2).unwrap());
        assert!(RagReadyCandle::of(&enrich(100), &scaler, 2).is_none());
        let other = RagReadyCandle::of(&enrich(699), &scaler, 2).unwrap();
        assert_ne!(other.id, ready.id);
        let groups: Vec<usize> = ready.id.split('-').map(str::len).collect();
        assert_eq!((groups.as_slice(), &ready.id[14..15]), ([8, 4, 4, 4, 12].as_slice(), "8"));
    }
}
