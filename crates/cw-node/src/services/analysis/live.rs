//! Live exports for retrieval: each candle that closes becomes a line of a file and, where pgvector is, a row.
//!
//! What is written is derived from the newest candle in the file: a restart, a gap in the feed and a failed write are all
//! made good by the next look at the candles behind it. A candle that is corrected is written again under the same id.

mod file;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cw_analysis::enrich::{Enricher, HISTORY};
use cw_analysis::features::{self, Scaler};
use cw_analysis::rag::RagReadyCandle;
use cw_api::commands::training::{LiveRag, LiveRagFormat, LiveRagList, StartLiveRag};
use cw_api::{ApiError, Caller};
use cw_core::{Calendar, InstrumentId, Surface, Timeframe, Timestamp};
use cw_engine::runtime::Published;
use cw_market::CandleUpdate;
use cw_store::{VectorRow, VectorSupport};
use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use file::LiveFile;
pub(super) use file::manifest_path;

use super::export::{hash, lines, point};
use super::{Analysis, apart};
use crate::config::LiveRagSettings;
use crate::services::market::Span;
use crate::shared::storage;

/// Exports at a time.
const MOST_EXPORTS: usize = 200;
/// Without news the candles are looked at as often as this: of some instruments nothing is published.
const LOOK: Duration = Duration::from_secs(20);
/// Candles that are made good after a pause; a longer one leaves a gap.
const MOST_MISSED: usize = 50_000;
/// Rows that wait for PostgreSQL when it is away; the oldest are dropped from there, not from the file.
const MOST_WAITING: usize = 10_000;

/// How long stopping waits for what is being written.
const STOP: Duration = Duration::from_secs(10);
/// How long a configured export that cannot be started waits before it is tried again.
const RETRY: Duration = Duration::from_secs(15);

/// Starts what the configuration names, each as soon as its candles are there.
pub(crate) async fn start_configured(analysis: Arc<dyn cw_api::services::Analysis>, mut wanted: Vec<LiveRagSettings>) {
    let caller = Caller::operator(Surface::Engine);
    while !wanted.is_empty() {
        let mut failed = Vec::new();
        for LiveRagSettings { instrument, timeframe, format } in wanted {
            let request = StartLiveRag { instrument: instrument.clone(), timeframe, file_format: Some(format) };
            match analysis.start_live_rag(&caller, request).await {
                Ok(started) => {
                    tracing::info!(target: "rag", %instrument, %timeframe, file = started.file, "a live export runs");
                }
                Err(error) => {
                    tracing::warn!(target: "rag", %instrument, %timeframe, %error, "a live export cannot start yet");
                    failed.push(LiveRagSettings { instrument, timeframe, format });
                }
            }
        }
        wanted = failed;
        if !wanted.is_empty() {
            tokio::time::sleep(RETRY).await;
        }
    }
}

type Key = (InstrumentId, Timeframe, LiveRagFormat);

/// The exports that run.
#[derive(Default)]
pub(super) struct Exports {
    running: Mutex<BTreeMap<Key, Running>>,
    /// Held while one starts: two writers of one file would write every candle twice.
    starting: tokio::sync::Mutex<()>,
}

struct Running {
    token: CancellationToken,
    /// Nothing more is written.
    ended: CancellationToken,
    view: Arc<Mutex<LiveRag>>,
}

struct Export {
    analysis: Analysis,
    key: Key,
    file: Arc<Mutex<LiveFile>>,
    scaler: Scaler,
    calendar: Calendar,
    provider: String,
    price_decimals: u8,
    /// With all candles up to `last`.
    enricher: Option<Box<Enricher>>,
    last: Timestamp,
    vectors: bool,
    waiting: Vec<VectorRow>,
    view: Arc<Mutex<LiveRag>>,
}

impl Analysis {
    pub(super) async fn live_exports(&self) -> Result<LiveRagList, ApiError> {
        let support = self.shared.store.vector_support().await.map_err(storage)?;
        let (vectors, vectors_detail) = match support {
            VectorSupport::Ready { version } => (true, format!("pgvector {version}")),
            VectorSupport::Missing { reason } => (false, reason),
        };
        let exports = self.exports.running.lock().values().map(|running| running.view.lock().clone()).collect();
        Ok(LiveRagList { exports, vectors, vectors_detail })
    }

    pub(crate) async fn start_export(&self, request: StartLiveRag) -> Result<LiveRag, ApiError> {
        self.shared.writable()?;
        if !self.shared.live {
            return Err(ApiError::unavailable("nothing closes here: a live export needs a running engine"));
        }
        let key = (request.instrument, request.timeframe, request.file_format.unwrap_or_default());
        let _one_at_a_time = self.exports.starting.lock().await;
        let known = self.exports.running.lock().get(&key).map(|running| Arc::clone(&running.view));
        if let Some(view) = known {
            return Ok(view.lock().clone());
        }
        if self.exports.running.lock().len() >= MOST_EXPORTS {
            return Err(ApiError::conflict(format!("{MOST_EXPORTS} live exports run already; stop one first")));
        }
        let mut export = self.open_export(key.clone()).await?;
        // What closed since the file ended, so that a failure shows here and not in a log.
        export.catch_up().await?;
        let (view, token) = (Arc::clone(&export.view), self.shared.supervisor.token().child_token());
        let started = view.lock().clone();
        let ended = CancellationToken::new();
        let running = Running { token: token.clone(), ended: ended.clone(), view };
        self.exports.running.lock().insert(key, running);
        self.shared.supervisor.spawn("rag-live", async move {
            // Also when it panics.
            let _ended = ended.drop_guard();
            export.run(token).await;
        });
        Ok(started)
    }

    pub(super) async fn stop_exports(
        &self,
        instrument: &InstrumentId,
        timeframe: Timeframe,
    ) -> Result<LiveRagList, ApiError> {
        let mut stopped = Vec::new();
        self.exports.running.lock().retain(|(id, tf, _), running| {
            let is_it = id == instrument && *tf == timeframe;
            if is_it {
                running.token.cancel();
                stopped.push(running.ended.clone());
            }
            !is_it
        });
        if stopped.is_empty() {
            return Err(ApiError::not_found(format!("live export of {instrument} {timeframe}")));
        }
        // Who starts it again finds files that nobody writes any more.
        for ended in stopped {
            if tokio::time::timeout(STOP, ended.cancelled()).await.is_err() {
                return Err(ApiError::unavailable("the export is still writing; it ends with this candle"));
            }
        }
        self.live_exports().await
    }

    /// Goes on with the file of an earlier run, or fits a scale and begins one with the newest closed candle.
    async fn open_export(&self, key: Key) -> Result<Export, ApiError> {
        let (instrument, timeframe, format) = key.clone();
        let series = self.export_series(instrument.clone(), timeframe, [None, None], 1).await?;
        let (provider, price_decimals, calendar) = (series.provider.clone(), series.price_decimals, series.calendar);
        let before = series.candles[series.first - 1].open_time;
        // Vectors of another schema or scale do not belong into the same file.
        let suffix = if format == LiveRagFormat::Qdrant { "qdrant.jsonl" } else { "jsonl" };
        let schema = features::schema_hash();
        // Some file systems do not tell a minute's `m` from a month's `M`.
        let length = timeframe.to_string().replace('M', "mo");
        let name = format!("{instrument}-{length}-{}.{suffix}", &schema[..8]);
        let safe: String =
            name.chars().map(|c| if c.is_ascii_alphanumeric() || "-._".contains(c) { c } else { '_' }).collect();
        let path = self.shared.data_dir.join("rag").join(safe);
        let (file, scaler) = apart(move || {
            let kept = LiveFile::manifest_of(&path).filter(|manifest| manifest["schema_hash"] == schema);
            let kept_scaler =
                kept.as_ref().and_then(|manifest| serde_json::from_value::<Scaler>(manifest["scaler"].clone()).ok());
            let (manifest, scaler) = if let (Some(manifest), Some(scaler)) = (kept, kept_scaler) {
                (manifest, scaler)
            } else {
                // Lines on a scale that nobody knows any more make room.
                if path.exists() {
                    std::fs::rename(&path, path.with_extension("old")).map_err(ApiError::internal)?;
                }
                let scaled = series.scaled()?;
                let kind = if format == LiveRagFormat::Qdrant { "points" } else { "rag" };
                let mut manifest = series.manifest(kind, &scaled, &hash(""));
                manifest["live"] = json!(true);
                (manifest, scaled.scaler)
            };
            let mut file = LiveFile::open(path, manifest).map_err(ApiError::internal)?;
            file.write_manifest().map_err(ApiError::internal)?;
            Ok((file, scaler))
        })
        .await?;
        let vectors = matches!(self.shared.store.vector_support().await.map_err(storage)?, VectorSupport::Ready { .. });
        let view = LiveRag {
            instrument,
            timeframe,
            format,
            file: file.path().display().to_string(),
            rows: file.rows,
            last: file.last,
            vectors_written: 0,
            problem: None,
        };
        Ok(Export {
            analysis: self.clone(),
            key,
            last: file.last.unwrap_or(before),
            file: Arc::new(Mutex::new(file)),
            scaler,
            calendar,
            provider,
            price_decimals,
            enricher: None,
            vectors,
            waiting: Vec::new(),
            view: Arc::new(Mutex::new(view)),
        })
    }
}

impl Export {
    /// Until it is stopped, which is between two candles and never in the middle of a line.
    async fn run(mut self, token: CancellationToken) {
        let (shared, (instrument, timeframe, _)) = (Arc::clone(&self.analysis.shared), self.key.clone());
        let mut batches = shared.bus.listen();
        let number = shared.directory.number(&instrument);
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = token.cancelled() => return,
                batch = batches.recv() => match batch {
                    Ok(batch) => {
                        if !self.concerns(&batch, number, timeframe) {
                            continue;
                        }
                    }
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                },
                _ = look.tick() => {}
            }
            if let Err(error) = self.catch_up().await {
                tracing::warn!(target: "rag", %instrument, %timeframe, %error, "a live export waits");
                self.view.lock().problem = Some(error.to_string());
                // What failed half way is computed again.
                self.enricher = None;
            }
        }
    }

    /// Whether a candle of the series may have closed; a correction goes back to the corrected candle.
    fn concerns(&mut self, batch: &Published, number: Option<u32>, timeframe: Timeframe) -> bool {
        let mut news = false;
        for (_, update) in batch.candles.iter().filter(|(instrument, _)| Some(*instrument) == number) {
            match update {
                CandleUpdate::Closed { .. } => news = true,
                CandleUpdate::Revised { candle, .. } => {
                    let revised = self.calendar.window(timeframe, candle.open_time).open_time;
                    if revised <= self.last && self.file.lock().first.is_some_and(|first| revised >= first) {
                        // It and what follows it are written again.
                        self.last = revised.plus_nanos(-1);
                        self.enricher = None;
                    }
                    news = true;
                }
                _ => {}
            }
        }
        news
    }

    /// Writes what has closed behind the last written candle.
    async fn catch_up(&mut self) -> Result<(), ApiError> {
        loop {
            let (instrument, timeframe, format) = self.key.clone();
            let (market, now) = (Arc::clone(&self.analysis.market), self.analysis.shared.clock.now());
            let from = self.last.plus_nanos(1);
            let span = Span { from: Some(from), to: None, limit: Some(MOST_MISSED) };
            let new = market.span(&instrument, timeframe, span).await?;
            if new.is_empty() {
                return self.flush_vectors().await;
            }
            let enricher = self.enricher.take();
            let history = if enricher.is_none() {
                market.span(&instrument, timeframe, Span { from: None, to: Some(from), limit: Some(HISTORY) }).await?
            } else {
                Vec::new()
            };
            let (scaler, provider, decimals) = (self.scaler.clone(), self.provider.clone(), self.price_decimals);
            let calendar = self.calendar;
            let (enricher, rows, last) = apart(move || {
                let mut enricher = enricher.unwrap_or_else(|| {
                    let enricher = Enricher::new(instrument, timeframe, provider).in_calendar(calendar);
                    Box::new(enricher.with_history(&history, now))
                });
                let ready = |candle| RagReadyCandle::of(enricher.push(candle, now), &scaler, decimals);
                let rows: Vec<RagReadyCandle> = new.iter().filter_map(ready).collect();
                let last = new.last().map(|candle| candle.open_time);
                Ok((enricher, rows, last))
            })
            .await?;
            let text = match format {
                LiveRagFormat::Jsonl => lines(&rows)?,
                LiveRagFormat::Qdrant => lines(rows.iter().map(point))?,
            };
            if let (Some(first), Some(newest)) = (rows.first(), rows.last()) {
                let (file, count, range) =
                    (Arc::clone(&self.file), rows.len() as u64, [first.open_time, newest.open_time]);
                apart(move || file.lock().append(&text, count, range).map_err(ApiError::internal)).await?;
            }
            self.enricher = Some(enricher);
            self.last = last.unwrap_or(self.last);
            {
                let (file, mut view) = (self.file.lock(), self.view.lock());
                (view.rows, view.last, view.problem) = (file.rows, file.last, None);
            }
            if self.vectors {
                self.waiting.extend(rows.into_iter().map(vector_row));
                let excess = self.waiting.len().saturating_sub(MOST_WAITING);
                self.waiting.drain(..excess);
            }
            self.flush_vectors().await?;
        }
    }

    async fn flush_vectors(&mut self) -> Result<(), ApiError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.analysis.shared.store.put_vectors(&self.waiting).await.map_err(storage)?;
        self.view.lock().vectors_written += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }
}

fn vector_row(row: RagReadyCandle) -> VectorRow {
    VectorRow {
        id: row.id,
        instrument: row.instrument,
        timeframe: row.timeframe,
        open_time: row.open_time,
        description: row.description,
        keywords: row.search_keywords,
        model: row.embedding_model.to_owned(),
        scaler: row.scaler_hash,
        schema: row.schema_hash.to_owned(),
        vector: row.embedding_vector,
    }
}
