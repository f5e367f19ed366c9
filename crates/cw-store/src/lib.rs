//! Everything that outlives the process: the journal's blocks, candles and ticks, projections of orders and fills,
//! settings, in SQLite or PostgreSQL behind one API. The only crate with SQL.
//!
//! It decides nothing: blocks are opaque, projections come ready, and only what was observed is stored (raw candles, no
//! indicator ever).
//!
//! | file in the data directory | holds |
//! |---|---|
//! | `journal.db` | the journal and the engine's snapshots, always here |
//! | `candlewick.db` | everything else, unless `postgres://…` is configured |
//! | `recordings/` | what feeds brought, event by event, when that is recorded |
//! | `candlewick.lock`, `candlewick.pid` | the writer's lock and who holds it |
//!
//! ```
//! use cw_core::{Candle, InstrumentId, Timeframe, Timestamp};
//! use cw_store::{CandleQuery, OnConflict, Source, SourceKind, Store, StoreConfig};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! let store = Store::open(&StoreConfig::local(dir.path())).await?;
//! let instrument: InstrumentId = "BTC-PERP.SIM".parse()?;
//! let candle = Candle {
//!     open_time: Timestamp::EPOCH,
//!     open: "100".parse()?,
//!     high: "102".parse()?,
//!     low: "99".parse()?,
//!     close: "101".parse()?,
//!     volume: "12.5".parse()?,
//! };
//! let source = Source::new("SIM", SourceKind::Simulated);
//! store.write_candles(&instrument, Timeframe::M1, &[candle], &source, OnConflict::Revise).await?;
//! assert_eq!(store.read_candles(&instrument, Timeframe::M1, &CandleQuery::default()).await?, [candle]);
//! # store.close().await?;
//! # Ok(())
//! # }
//! ```

mod audit;
mod candles;
mod coverage;
mod db;
mod documents;
mod error;
mod export;
mod import;
mod instruments;
mod jobs;
mod journal;
mod lock;
mod maintenance;
mod migrate;
mod news;
mod open;
mod outages;
mod projections;
mod raw;
mod series;
mod settings;
mod tape;
mod ticks;
mod vectors;

pub use audit::{AuditEntry, AuditReport, AuditRow};
pub use candles::{CandleQuery, OnConflict, Page, SortOrder, StoredCandle, WriteReport};
pub use coverage::{CoveredRange, GAPS_LISTED, Gap, SeriesCoverage, TimeRange};
pub use documents::{Document, DocumentQuery};
pub use error::{Result, StoreError};
pub use export::{ExportFormat, ticks_csv};
#[cfg(feature = "parquet")]
pub use export::{Table, TableValues, read_table, table_hash, write_table};
pub use import::{
    DataKind, FileFormat, ImportControl, ImportOptions, ImportReport, QuarantinedRow, RejectedRow, parse_column_mapping,
};
pub use jobs::{Job, JobState};
pub use journal::{Hash, Journal, JournalBlock, JournalHead, SNAPSHOTS_KEPT, Snapshot};
pub use maintenance::QueryResult;
pub use migrate::MigrationStatus;
pub use news::{NewsAnswer, NewsQuery};
pub use open::{Store, StoreConfig};
pub use outages::{Outage, OutageQuery, OutageState, REFUSED_KEPT, Refused};
pub use projections::{
    DecisionRow, FillQuery, FillRow, LedgerBalance, LedgerReport, OrderQuery, Posting, ProjectionBatch, Verdict,
};
pub use series::{Channel, Source, SourceKind};
pub use settings::{WORKSPACE_REVISIONS, Workspace};
pub use tape::{Recording, TapeEvent, TapeKind, TapeReader, TapeWriter, Tapes, decode_block, encode_block};
pub use vectors::{NearVector, VectorRow, VectorSupport};
