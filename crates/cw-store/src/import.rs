//! Files into the store: CSV and Parquet with candles, trades or quotes.
//!
//! A bad row never stops an import: it is counted, listed with its line and reason, and kept in the `quarantine` table.
//! Reading and writing overlap: one thread parses, the database takes chunks.

mod columns;
mod csv;
#[cfg(feature = "parquet")]
mod parquet;
mod rows;

pub use columns::{DataKind, FileFormat, parse_column_mapping};

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cw_core::{InstrumentId, Timeframe, Timestamp};
use serde::Serialize;
use sqlx::Row;
use tokio::sync::mpsc;

use crate::candles::{OnConflict, WriteReport};
use crate::coverage::{Gap, GapFinder, TimeRange};
use crate::db::{reading, writing};
use crate::error::{During, Result, StoreError};
use crate::open::Store;
use crate::series::{Channel, Source, SourceKind};
use crate::ticks::Ordinals;
use rows::{Batch, Rejected, Rows};

/// Rejected rows and gaps that a report lists; the totals are counted beside.
const LISTED: usize = 1_000;
/// Rejected rows of one import that are kept in quarantine.
const QUARANTINED: u64 = 10_000;
/// Chunks that may wait between parser and database.
const CHUNKS_WAITING: usize = 2;

/// What to import, as what.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    pub instrument: InstrumentId,
    /// Needed for candles, meaningless for ticks.
    pub timeframe: Option<Timeframe>,
    /// `None`: told by the columns.
    pub kind: Option<DataKind>,
    pub format: FileFormat,
    /// Our column name → the file's, where the file uses another: `open_time` → `Date`.
    pub columns: BTreeMap<String, String>,
    /// What happens to candles that are stored with other values.
    pub on_conflict: OnConflict,
    /// Who gave the data.
    pub provider: String,
    /// What the import is called in the list of imports: the file's name.
    pub name: String,
}

impl ImportOptions {
    /// Candles, trades or quotes of `instrument` from a file of this name, told by its columns.
    pub fn new(instrument: InstrumentId, timeframe: Option<Timeframe>, file_name: &str) -> Self {
        Self {
            instrument,
            timeframe,
            kind: None,
            format: FileFormat::of(file_name),
            columns: BTreeMap::new(),
            on_conflict: OnConflict::Keep,
            provider: "file".to_owned(),
            name: file_name.to_owned(),
        }
    }
}

/// How far an import is, and a way to stop it.
#[derive(Clone, Default)]
pub struct ImportControl {
    /// Called with the rows read so far after every chunk, from the importing task.
    pub progress: Option<Arc<dyn Fn(u64) + Send + Sync>>,
    /// Set to stop after the chunk at hand. What was written stays.
    pub cancel: Arc<AtomicBool>,
}

/// A row that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectedRow {
    /// In the file, from 1; in Parquet the row, from 1.
    pub line: u64,
    pub reason: String,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportReport {
    pub kind: DataKind,
    pub instrument: InstrumentId,
    pub timeframe: Option<Timeframe>,
    /// Rows in the file, without the header.
    pub rows: u64,
    /// Written: new ones, and revisions where asked for.
    pub accepted: u64,
    pub rejected_total: u64,
    /// The first thousand.
    pub rejected: Vec<RejectedRow>,
    /// Rows that were there already with the same values, in the store or earlier in the file.
    pub duplicates: u64,
    /// Numbers with more than nine decimals, rounded half to even.
    pub rounded: u64,
    /// Rows that came before an earlier one; they were sorted in.
    pub out_of_order: u64,
    pub gaps_total: u64,
    pub missing_total: u64,
    /// Gaps in the imported range and at its ends, the first thousand.
    pub gaps: Vec<Gap>,
    /// Time of the first and the last valid row.
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    /// Which prices candles are made of: `trade`, `bid`, `ask` or `mid` (bid and ask given: their mean).
    pub price_basis: &'static str,
    pub canceled: bool,
}

impl Store {
    /// Imports everything that `reader` gives. Blocking reads happen on a thread of their own.
    ///
    /// [`StoreError::Invalid`] when the file as a whole cannot be understood (no header, no known columns, not Parquet):
    /// nothing is written then. An error of the reader or the database in the middle leaves what was written before; the
    /// same import again completes it.
    pub async fn import(
        &self,
        reader: impl Read + Send + 'static,
        options: &ImportOptions,
        control: &ImportControl,
    ) -> Result<ImportReport> {
        self.check_writable("importing")?;
        let (sender, mut batches) = mpsc::channel(CHUNKS_WAITING);
        let (parsed, cancel) = (options.clone(), control.cancel.clone());
        let parser = tokio::task::spawn_blocking(move || match parsed.format {
            FileFormat::Csv => csv::read(reader, &parsed, &sender, &cancel),
            #[cfg(feature = "parquet")]
            FileFormat::Parquet => parquet::read(reader, &parsed, &sender, &cancel),
            #[cfg(not(feature = "parquet"))]
            FileFormat::Parquet => Err(StoreError::invalid("this program was built without Parquet")),
        });
        let mut import: Option<Import> = None;
        let mut written = Ok(());
        while let Some(batch) = batches.recv().await {
            written = async {
                let import = match &mut import {
                    Some(import) => import,
                    none => none.insert(Import::begin(self, options, &batch).await?),
                };
                import.take(batch).await?;
                if let Some(progress) = &control.progress {
                    progress(import.report.rows);
                }
                Ok(())
            }
            .await;
            if written.is_err() {
                break;
            }
        }
        // The parser ends when nobody receives any more.
        drop(batches);
        let parsed = parser.await.during("parsing the file")?;
        written?;
        parsed?;
        let import = import.ok_or_else(|| StoreError::invalid("the file holds no header"))?;
        import.finish(control.cancel.load(Ordering::Relaxed)).await
    }
}

/// A rejected row as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuarantinedRow {
    /// Name of the file.
    pub file: String,
    pub instrument: InstrumentId,
    /// A timeframe, `trades` or `quotes`.
    pub channel: String,
    pub imported_at: Timestamp,
    pub line: u64,
    pub reason: String,
    /// The beginning of the row as it stood in the file.
    pub raw: String,
}

impl Store {
    /// Rejected rows, of the newest import first, in the order of their lines.
    pub async fn quarantine(&self, limit: u32) -> Result<Vec<QuarantinedRow>> {
        const WHAT: &str = "reading the quarantine";
        reading!(self.db(), |pool, sql| {
            let rows =
                sqlx::query(sql("SELECT i.name, s.instrument, s.channel, i.started_at, q.line, q.reason, q.raw \
                 FROM quarantine q JOIN imports i ON i.id = q.import JOIN series s ON s.id = i.series \
                 ORDER BY q.import DESC, q.line LIMIT $1"))
                .bind(i64::from(limit))
                .fetch_all(pool)
                .await
                .during(WHAT)?;
            rows.iter()
                .map(|row| {
                    let text = |column: usize| row.try_get::<String, _>(column).during(WHAT);
                    Ok(QuarantinedRow {
                        file: text(0)?,
                        instrument: text(1)?
                            .parse()
                            .map_err(|error| StoreError::corrupt(format!("a stored instrument: {error}")))?,
                        channel: text(2)?,
                        imported_at: Timestamp::from_nanos(row.try_get(3).during(WHAT)?),
                        line: row.try_get::<i64, _>(4).during(WHAT)? as u64,
                        reason: text(5)?,
                        raw: text(6)?,
                    })
                })
                .collect()
        })
    }
}

/// An import under way.
struct Import<'a> {
    store: &'a Store,
    options: &'a ImportOptions,
    channel: Channel,
    series: i64,
    source: i64,
    record: i64,
    report: ImportReport,
    ordinals: Ordinals,
    /// Finds gaps on the way, while rows come in order into a series that was empty.
    gaps: Option<GapFinder>,
    newest: Option<Timestamp>,
    quarantined: u64,
}

impl<'a> Import<'a> {
    async fn begin(store: &'a Store, options: &'a ImportOptions, first: &Batch) -> Result<Self> {
        let kind = first.rows.kind();
        let channel = match (kind, options.timeframe) {
            (DataKind::Candles, Some(timeframe)) => Channel::Candles(timeframe),
            (DataKind::Candles, None) => return Err(StoreError::invalid("candles need a timeframe")),
            (DataKind::Trades, _) => Channel::Trades,
            (DataKind::Quotes, _) => Channel::Quotes,
        };
        let timeframe = match channel {
            Channel::Candles(timeframe) => Some(timeframe),
            _ => None,
        };
        let series = store.series(&options.instrument, channel).await?;
        let source = store.source(&Source::new(options.provider.clone(), SourceKind::Imported)).await?;
        let now = store.now().as_nanos();
        let record: i64 = writing!(store, "recording an import", |tx, sql| {
            sqlx::query_scalar(sql("INSERT INTO imports (series, name, started_at, accepted, rejected, duplicates, \
                    rounded) VALUES ($1, $2, $3, 0, 0, 0, 0) RETURNING id"))
            .bind(series)
            .bind(&options.name)
            .bind(now)
            .fetch_one(&mut *tx)
            .await
            .during("recording an import")?
        })?;
        let was_empty = match timeframe {
            Some(timeframe) => store.is_empty_series(&options.instrument, timeframe).await?,
            None => false,
        };
        Ok(Self {
            store,
            options,
            channel,
            series,
            source,
            record,
            report: ImportReport {
                kind,
                instrument: options.instrument.clone(),
                timeframe,
                rows: 0,
                accepted: 0,
                rejected_total: 0,
                rejected: Vec::new(),
                duplicates: 0,
                rounded: 0,
                out_of_order: 0,
                gaps_total: 0,
                missing_total: 0,
                gaps: Vec::new(),
                first: None,
                last: None,
                price_basis: first.price_basis,
                canceled: false,
            },
            ordinals: Ordinals::default(),
            gaps: timeframe.filter(|_| was_empty).map(GapFinder::new),
            newest: None,
            quarantined: 0,
        })
    }

    async fn take(&mut self, batch: Batch) -> Result<()> {
        let Batch { rows, lines, rejected, rounded, .. } = batch;
        self.report.rows += (lines.len() + rejected.len()) as u64;
        self.report.rounded += rounded;
        for time in rows.times() {
            if self.newest.is_some_and(|newest| time < newest) {
                self.report.out_of_order += 1;
                // What came before may have closed or opened gaps: they are looked for in the store at the end.
                self.gaps = None;
            } else {
                self.newest = Some(time);
                if let Some(gap) = self.gaps.as_mut().and_then(|finder| finder.next(time)) {
                    self.report.gaps_total += 1;
                    self.report.missing_total += gap.missing;
                    self.report.gaps.push(gap);
                }
            }
            self.report.first = Some(self.report.first.map_or(time, |first| first.min(time)));
            self.report.last = Some(self.report.last.map_or(time, |last| last.max(time)));
        }
        let mut refused = rejected;
        let (described, written): (Vec<String>, WriteReport) = match &rows {
            Rows::Candles(candles) => {
                let report =
                    self.store.write_chunk(self.series, self.source, candles, 0, self.options.on_conflict).await?;
                (report.conflicts.iter().map(|place| rows::describe_candle(&candles[*place])).collect(), report)
            }
            Rows::Trades(trades) => {
                let ticks: Vec<_> = trades.iter().map(|trade| self.ordinals.trade(trade)).collect();
                let report = self.store.write_tick_chunk(self.channel, self.series, self.source, &ticks, 0).await?;
                (report.conflicts.iter().map(|place| rows::describe_trade(&trades[*place])).collect(), report)
            }
            Rows::Quotes(quotes) => {
                let ticks: Vec<_> = quotes.iter().map(|quote| self.ordinals.quote(quote)).collect();
                let report = self.store.write_tick_chunk(self.channel, self.series, self.source, &ticks, 0).await?;
                (report.conflicts.iter().map(|place| rows::describe_quote(&quotes[*place])).collect(), report)
            }
        };
        self.report.accepted += written.inserted + written.revised;
        self.report.duplicates += written.unchanged;
        for (place, raw) in written.conflicts.iter().zip(described) {
            refused.push(Rejected {
                line: lines[*place],
                reason: "contradicts what is stored for the same time".to_owned(),
                raw,
            });
        }
        refused.sort_by_key(|row| row.line);
        self.refuse(refused).await
    }

    async fn refuse(&mut self, refused: Vec<Rejected>) -> Result<()> {
        self.report.rejected_total += refused.len() as u64;
        let room = LISTED.saturating_sub(self.report.rejected.len());
        self.report
            .rejected
            .extend(refused.iter().take(room).map(|row| RejectedRow { line: row.line, reason: row.reason.clone() }));
        let keep = refused.len().min((QUARANTINED - self.quarantined) as usize);
        if keep == 0 {
            return Ok(());
        }
        self.quarantined += keep as u64;
        writing!(self.store, "writing to quarantine", |tx, sql| {
            for row in &refused[..keep] {
                sqlx::query(sql("INSERT INTO quarantine (import, line, reason, raw) VALUES ($1, $2, $3, $4)"))
                    .bind(self.record)
                    .bind(row.line as i64)
                    .bind(&row.reason)
                    .bind(&row.raw)
                    .execute(&mut *tx)
                    .await
                    .during("writing to quarantine")?;
            }
        })
    }

    async fn finish(mut self, canceled: bool) -> Result<ImportReport> {
        const WHAT: &str = "recording an import";
        self.report.canceled = canceled;
        if let (Some(first), Some(last)) = (self.report.first, self.report.last) {
            let end = match self.channel {
                Channel::Candles(timeframe) => timeframe.close_time(last),
                _ => last.plus_nanos(1),
            };
            let range = TimeRange::new(first, end);
            self.store.add_coverage(&self.options.instrument, self.channel, range, &self.options.provider).await?;
            if let Channel::Candles(timeframe) = self.channel {
                if self.gaps.is_some() {
                    self.store.replace_gaps(self.series, range, &self.report.gaps).await?;
                } else {
                    let gaps = self.store.update_gaps(&self.options.instrument, timeframe, range).await?;
                    self.report.gaps_total = gaps.len() as u64;
                    self.report.missing_total = gaps.iter().map(|gap| gap.missing).sum();
                    self.report.gaps = gaps;
                }
                self.report.gaps.truncate(LISTED);
            }
        }
        let report = &self.report;
        let counts = [report.accepted, report.rejected_total, report.duplicates, report.rounded].map(|n| n as i64);
        writing!(self.store, "recording an import", |tx, sql| {
            sqlx::query(sql("UPDATE imports SET accepted = $2, rejected = $3, duplicates = $4, rounded = $5 \
                 WHERE id = $1"))
            .bind(self.record)
            .bind(counts[0])
            .bind(counts[1])
            .bind(counts[2])
            .bind(counts[3])
            .execute(&mut *tx)
            .await
            .during(WHAT)?;
        })?;
        Ok(self.report)
    }
}
