//! The journal: whole, repeatable, and able to say why.

mod explain;

use std::sync::Arc;

use async_trait::async_trait;
use cw_api::commands::journal as api;
use cw_api::{ApiError, Caller};
use cw_engine::journal::Verifier;
use cw_engine::replay::Replay;
use futures_util::TryStreamExt;

use crate::recovery::block;
use crate::shared::{Shared, stopped, storage};

pub(crate) struct JournalService {
    shared: Arc<Shared>,
}

impl JournalService {
    pub fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Asks the engine to write its state's hash, so that there is something to compare with. A node that only reads
    /// takes the newest one there is.
    async fn checkpoint(&self) -> Result<u64, ApiError> {
        if self.shared.read_only {
            return Ok(u64::MAX);
        }
        self.shared.engine.checkpoint().await.map_err(stopped)
    }
}

#[async_trait]
impl cw_api::services::Journal for JournalService {
    async fn verify(&self, _: &Caller, _: api::VerifyJournal) -> Result<api::JournalCheck, ApiError> {
        let mut verifier = Verifier::new();
        let mut first_bad = None;
        let mut blocks = Box::pin(self.shared.store.journal().blocks(1));
        loop {
            match blocks.try_next().await {
                Ok(None) => break,
                Ok(Some(stored)) => {
                    if let Err(error) = verifier.check(&block(stored)) {
                        first_bad = Some(error.seq());
                        break;
                    }
                }
                // The store's own check of the links found it first.
                Err(cw_store::StoreError::Corrupt { .. }) => {
                    first_bad = Some(verifier.entries() + 1);
                    break;
                }
                Err(error) => return Err(storage(error)),
            }
        }
        Ok(api::JournalCheck {
            ok: first_bad.is_none(),
            blocks: verifier.blocks(),
            entries: verifier.entries(),
            head_hash: hex::encode(verifier.head()),
            first_bad,
        })
    }

    async fn replay(&self, _: &Caller, _: api::ReplayJournal) -> Result<api::ReplayReport, ApiError> {
        let until = self.checkpoint().await?;
        let mut replay = Replay::new();
        let mut blocks = Box::pin(self.shared.store.journal().blocks(1));
        let mut entries = 0;
        while let Some(stored) = blocks.try_next().await.map_err(storage)? {
            entries = stored.first_seq + u64::from(stored.count) - 1;
            replay.push(&block(stored)).map_err(|error| ApiError::storage(error.to_string()))?;
            // A long journal must not keep everybody else waiting.
            tokio::task::yield_now().await;
            if entries >= until {
                break;
            }
        }
        let (_, report) = replay.finish().map_err(|error| ApiError::storage(error.to_string()))?;
        let recorded = report.recorded_hash.map(|(_, hash)| hash);
        let computed = report.computed_hash.unwrap_or(report.state_hash);
        Ok(api::ReplayReport {
            entries,
            state_hash: hex::encode(computed),
            recorded_hash: recorded.map(hex::encode),
            matches: report.differences == 0 && recorded == Some(computed),
        })
    }

    async fn explain(&self, _: &Caller, request: api::ExplainJournal) -> Result<api::Explanation, ApiError> {
        self.shared.tables_current().await;
        explain::explain(&self.shared, &request.id).await
    }
}
