//! Features and descriptions as files, each with a manifest that says what it holds.

use cw_analysis::enrich::Enricher;
use cw_analysis::features::{self, Bounds, Definition, FeatureState, Scaler, Vector, WARM_UP};
use cw_analysis::rag::{EMBEDDING_MODEL, RagReadyCandle};
use cw_api::commands::training::{
    ExportFeatures, ExportRag, FeatureFormat, FeatureInfo, FeatureList, GetRag, RagFormat,
};
use cw_api::{ApiError, FileContent};
use cw_core::{Calendar, Candle, InstrumentId, Timeframe, Timestamp};
use cw_store::{TableValues, table_hash, write_table};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Analysis, apart};
use crate::services::market::Span;

/// Candles before a range that its scale is fitted on, at most.
const FITTED: usize = 5_000;
/// And at least, where a file begins with the range.
const LEAST_FITTED: usize = 200;
const FEATURE_LIMITS: [usize; 2] = [5_000, 200_000];
const RAG_LIMITS: [usize; 2] = [1_000, 50_000];
/// The key of the manifest in a Parquet file's footer, and that of its hash.
pub(super) const MANIFEST: &str = "candlewick.manifest";
pub(super) const MANIFEST_HASH: &str = "candlewick.manifest_hash";

pub(super) fn features() -> FeatureList {
    let info = |feature: &features::Feature| {
        let (Definition::Expression(definition) | Definition::Computed(definition)) = feature.definition;
        let unit = serde_json::to_value(feature.unit).ok().and_then(|unit| unit.as_str().map(str::to_owned));
        FeatureInfo {
            name: feature.name.to_owned(),
            unit: unit.unwrap_or_default(),
            doc: feature.doc.to_owned(),
            definition: definition.to_owned(),
        }
    };
    FeatureList {
        features: features::features().iter().map(info).collect(),
        schema_hash: features::schema_hash().to_owned(),
        schema_version: features::VERSION,
        warm_up: WARM_UP as u32,
    }
}

/// A range of candles with those before it.
pub(super) struct Series {
    pub(super) instrument: InstrumentId,
    timeframe: Timeframe,
    pub(super) calendar: Calendar,
    pub(super) provider: String,
    pub(super) price_decimals: u8,
    pub(super) candles: Vec<Candle>,
    /// The first candle to export.
    pub(super) first: usize,
}

/// The candles of a range in numbers, with the scale that those before it gave.
pub(super) struct Scaled {
    vectors: Vec<Vector>,
    pub(super) scaler: Scaler,
    fitted: [Timestamp; 2],
}

impl Series {
    /// The vectors of the exported candles, and the scale that those before them gave.
    pub(super) fn scaled(&self) -> Result<Scaled, ApiError> {
        let mut state = FeatureState::new().in_calendar(self.calendar);
        let rows: Vec<Option<Vector>> = self.candles.iter().map(|candle| state.push(candle)).collect();
        let before: Vec<&Vector> = rows[..self.first].iter().flatten().collect();
        let scaler = Scaler::fit(before, Bounds::default()).map_err(ApiError::internal)?;
        let fitted = [self.candles[WARM_UP - 1].open_time, self.candles[self.first - 1].open_time];
        Ok(Scaled { vectors: rows[self.first..].iter().flatten().copied().collect(), scaler, fitted })
    }

    fn exported(&self) -> &[Candle] {
        &self.candles[self.first..]
    }

    /// `content_hash` is that of the lines, or of the table's columns.
    pub(super) fn manifest(&self, kind: &str, scaled: &Scaled, content_hash: &str) -> Value {
        let exported = self.exported();
        json!({
            "kind": kind,
            "instrument": self.instrument,
            "timeframe": self.timeframe,
            "provider": self.provider,
            "rows": exported.len(),
            "first": exported.first().map(|candle| candle.open_time),
            "last": exported.last().map(|candle| candle.open_time),
            "features": features::features().iter().map(|feature| feature.name).collect::<Vec<_>>(),
            "schema_hash": features::schema_hash(),
            "schema_version": features::VERSION,
            "embedding": { "model": EMBEDDING_MODEL, "dimensions": features::N },
            "scaler": scaled.scaler,
            "scaler_fitted": { "first": scaled.fitted[0], "last": scaled.fitted[1] },
            "content_hash": content_hash,
            "program": concat!("candlewick ", env!("CARGO_PKG_VERSION")),
        })
    }
}

/// One JSON object per line.
pub(super) fn lines<T: Serialize>(rows: impl IntoIterator<Item = T>) -> Result<String, ApiError> {
    let mut text = String::new();
    for row in rows {
        text.push_str(&serde_json::to_string(&row).map_err(ApiError::internal)?);
        text.push('\n');
    }
    Ok(text)
}

/// BLAKE3, as lowercase hex.
pub(super) fn hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

/// Behind the manifest stands its own hash: what it says of its file is checked by it, and it by this.
fn with_manifest(manifest: &Value, content: &str) -> FileContent {
    let manifest = manifest.to_string();
    let text = format!("{{\"manifest\":{manifest},\"manifest_hash\":\"{}\"}}\n{content}", hash(&manifest));
    FileContent { content_type: "application/x-ndjson", bytes: text.into() }
}

fn parquet(manifest: &Value, columns: Vec<(String, TableValues)>) -> Result<FileContent, ApiError> {
    let mut bytes = Vec::new();
    let manifest = manifest.to_string();
    let hash = hash(&manifest);
    let footer = vec![(MANIFEST.to_owned(), manifest), (MANIFEST_HASH.to_owned(), hash)];
    write_table(&mut bytes, columns, footer).map_err(ApiError::internal)?;
    Ok(FileContent { content_type: "application/vnd.apache.parquet", bytes: bytes.into() })
}

impl Analysis {
    pub(super) async fn export_series(
        &self,
        instrument: InstrumentId,
        timeframe: Timeframe,
        [from, to]: [Option<Timestamp>; 2],
        limit: usize,
    ) -> Result<Series, ApiError> {
        let span = Span { from, to, limit: Some(limit) };
        let wanted = self.market.span(&instrument, timeframe, span).await?;
        let (Some(oldest), Some(newest)) = (wanted.first(), wanted.last()) else {
            return Err(ApiError::not_found(format!("closed {timeframe} candle of {instrument} in this range")));
        };
        let end = Some(newest.open_time.plus_nanos(1));
        let depth = wanted.len() + FITTED + WARM_UP;
        let span = Span { from: None, to: end, limit: Some(depth) };
        let candles = self.market.span(&instrument, timeframe, span).await?;
        let first = candles.partition_point(|candle| candle.open_time < oldest.open_time);
        // Where a file begins with the range, its oldest candles are what the scale is fitted on.
        let first = first.max(WARM_UP - 1 + LEAST_FITTED);
        if first >= candles.len() {
            let message = format!(
                "{} candles are known up to the end of the range; {} are needed before the first vector",
                candles.len(),
                first
            );
            return Err(ApiError::invalid("from", message));
        }
        let provider = self.market.provider_of(&instrument);
        let calendar = self.market.calendar_of(&instrument).await?;
        let price_decimals =
            self.market.price_decimals(&instrument, &candles[candles.len().saturating_sub(200)..]).await;
        Ok(Series { instrument, timeframe, calendar, provider, price_decimals, candles, first })
    }

    pub(super) async fn features_file(&self, request: ExportFeatures) -> Result<FileContent, ApiError> {
        let limit = limit(request.limit, FEATURE_LIMITS)?;
        let range = [request.from, request.to];
        let series = self.export_series(request.instrument, request.timeframe, range, limit).await?;
        apart(move || {
            let scaled = series.scaled()?;
            let candles = series.exported();
            if request.file_format.unwrap_or_default() == FeatureFormat::Parquet {
                let close = candles.iter().map(|candle| candle.close.to_f64()).collect();
                let mut columns = vec![
                    ("open_time".to_owned(), times(candles.iter().map(|candle| candle.open_time))),
                    ("close".to_owned(), TableValues::Number(close)),
                ];
                columns.extend(features::features().iter().enumerate().map(|(place, feature)| {
                    let values = scaled.vectors.iter().map(|vector| vector[place]).collect();
                    (feature.name.to_owned(), TableValues::Number(values))
                }));
                return parquet(&series.manifest("features", &scaled, &table_hash(&columns)), columns);
            }
            let content = lines(candles.iter().zip(&scaled.vectors).map(|(candle, vector)| {
                json!({ "open_time": candle.open_time, "close": candle.close, "features": vector.as_slice() })
            }))?;
            Ok(with_manifest(&series.manifest("features", &scaled, &hash(&content)), &content))
        })
        .await
    }

    pub(super) async fn rag_file(&self, request: ExportRag) -> Result<FileContent, ApiError> {
        let limit = limit(request.limit, RAG_LIMITS)?;
        let range = [request.from, request.to];
        let series = self.export_series(request.instrument, request.timeframe, range, limit).await?;
        let now = self.shared.clock.now();
        apart(move || {
            let scaled = series.scaled()?;
            let rows = ready(&series, &scaled.scaler, now);
            let format = request.file_format.unwrap_or_default();
            if format == RagFormat::Qdrant {
                let bytes = lines(rows.iter().map(point))?.into();
                return Ok(FileContent { content_type: "application/x-ndjson", bytes });
            }
            if format == RagFormat::Parquet {
                let columns = rag_columns(rows);
                return parquet(&series.manifest("rag", &scaled, &table_hash(&columns)), columns);
            }
            let content = lines(&rows)?;
            Ok(with_manifest(&series.manifest("rag", &scaled, &hash(&content)), &content))
        })
        .await
    }

    pub(super) async fn rag_candle(&self, request: GetRag) -> Result<RagReadyCandle, ApiError> {
        let newest = self.candles_to(&request.instrument, request.timeframe, request.at, 1).await?;
        let to = newest.last().map(|candle| candle.open_time.plus_nanos(1));
        let series = self.export_series(request.instrument, request.timeframe, [None, to], 1).await?;
        let now = self.shared.clock.now();
        apart(move || {
            let scaler = series.scaled()?.scaler;
            ready(&series, &scaler, now).pop().ok_or_else(|| ApiError::not_found("candle with features"))
        })
        .await
    }
}

fn limit(asked: Option<u32>, [usual, most]: [usize; 2]) -> Result<usize, ApiError> {
    match asked.map_or(usual, |asked| asked as usize) {
        limit if (1..=most).contains(&limit) => Ok(limit),
        limit => Err(ApiError::invalid("limit", format!("limit must be from 1 to {most}, not {limit}"))),
    }
}

fn times(times: impl Iterator<Item = Timestamp>) -> TableValues {
    TableValues::Time(times.collect())
}

/// The exported candles, ready for retrieval.
fn ready(series: &Series, scaler: &Scaler, now: Timestamp) -> Vec<RagReadyCandle> {
    let mut enricher = Enricher::new(series.instrument.clone(), series.timeframe, series.provider.clone());
    enricher = enricher.in_calendar(series.calendar).with_history(&series.candles[..series.first], now);
    let exported = series.exported().iter();
    exported
        .filter_map(|candle| RagReadyCandle::of(enricher.push(candle, now), scaler, series.price_decimals))
        .collect()
}

/// As Qdrant takes it.
#[derive(Serialize)]
pub(super) struct Point<'a> {
    id: &'a str,
    vector: &'a [f32],
    payload: Value,
}

pub(super) fn point(row: &RagReadyCandle) -> Point<'_> {
    let payload = json!({
        "instrument": row.instrument,
        "timeframe": row.timeframe,
        "open_time": row.open_time,
        "description": row.description,
        "search_keywords": row.search_keywords,
        "technical_summary": row.technical_summary,
        "pattern_explanation": row.pattern_explanation,
        "embedding_model": row.embedding_model,
        "scaler_hash": row.scaler_hash,
        "schema_hash": row.schema_hash,
    });
    Point { id: &row.id, vector: &row.embedding_vector, payload }
}

fn rag_columns(rows: Vec<RagReadyCandle>) -> Vec<(String, TableValues)> {
    let text = |value: fn(&RagReadyCandle) -> String| TableValues::Text(rows.iter().map(value).collect());
    let mut columns = vec![
        ("id".to_owned(), text(|row| row.id.clone())),
        ("open_time".to_owned(), times(rows.iter().map(|row| row.open_time))),
        ("description".to_owned(), text(|row| row.description.clone())),
        ("search_keywords".to_owned(), text(|row| row.search_keywords.join(" "))),
        ("technical_summary".to_owned(), text(|row| row.technical_summary.clone())),
        ("pattern_explanation".to_owned(), text(|row| row.pattern_explanation.clone())),
    ];
    let vectors = rows.into_iter().map(|row| row.embedding_vector).collect();
    columns.push(("embedding_vector".to_owned(), TableValues::Vector(vectors)));
    columns
}
