//! What the node does for the engine: writes its journal, performs its effects, tells everybody.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use cw_core::Clock;
use cw_engine::Effect;
use cw_engine::journal::Block;
use cw_engine::runtime::{Host, Published};
use cw_store::Store;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

use crate::shared::{Bus, Counters};

/// Records on their way into the tables.
pub(crate) type ProjectionQueue = mpsc::Sender<Arc<Published>>;

pub(crate) struct NodeHost {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub bus: Bus,
    /// One per account, by its number.
    pub brokers: Vec<mpsc::Sender<Effect>>,
    pub projections: ProjectionQueue,
    pub counters: Arc<Counters>,
    /// Nothing is written: the node only reads.
    pub read_only: bool,
}

impl Host for NodeHost {
    fn commit<'a>(&'a mut self, block: &'a Block) -> BoxFuture<'a, Result<(), String>> {
        async move {
            if self.read_only {
                return Ok(());
            }
            let started = self.clock.now();
            let count = u32::try_from(block.count).map_err(|_| "a block of more than 2^32 entries".to_owned())?;
            let journal = self.store.journal();
            match journal.append_block(block.first_seq, count, &block.bytes, block.previous_hash, block.hash).await {
                Ok(()) => {}
                // A commit whose answer was lost: the block is there, and nobody else writes here.
                Err(error) => match journal.head().await {
                    Ok(Some(head)) if head.hash == block.hash => {}
                    _ => return Err(error.to_string()),
                },
            }
            let micros = u64::try_from(self.clock.now().nanos_since(started).max(0) / 1_000).unwrap_or(0);
            self.counters.blocks.fetch_add(1, Ordering::Relaxed);
            self.counters.entries.fetch_add(block.count, Ordering::Relaxed);
            self.counters.commit_us.fetch_add(micros, Ordering::Relaxed);
            self.counters.timings.journal_commit.record(micros);
            Ok(())
        }
        .boxed()
    }

    fn keep_snapshot(&mut self, seq: u64, bytes: Vec<u8>) -> BoxFuture<'_, ()> {
        async move {
            if self.read_only {
                return;
            }
            let hash = cw_engine::state_hash_of(&bytes);
            if let Err(error) = self.store.journal().put_snapshot(seq, hash, &bytes).await {
                tracing::warn!(target: "journal", %error, "a snapshot could not be kept; the next start takes longer");
            }
        }
        .boxed()
    }

    fn perform(&mut self, effect: Effect) {
        let account = match &effect {
            Effect::Submit { account, .. } | Effect::Cancel { account, .. } | Effect::Amend { account, .. } => *account,
        };
        let Some(broker) = self.brokers.get(account as usize) else { return };
        if let Err(error) = broker.try_send(effect) {
            // The order stays `sent`; recovery asks the venue, which does not know it.
            tracing::error!(target: "execution", %error, account, "the broker does not keep up; an instruction was not sent");
        }
    }

    fn publish(&mut self, batch: Published) {
        let batch = Arc::new(batch);
        if let Some((meta, _)) = batch.records.last() {
            self.counters.recorded.store(meta.seq, Ordering::Release);
        }
        self.counters.published.store(batch.seq, Ordering::Release);
        let has_rows = !batch.records.is_empty() || !batch.candles.is_empty();
        if !self.read_only
            && has_rows
            && let Err(error) = self.projections.try_send(Arc::clone(&batch))
        {
            // The tables catch up from the journal at the next start.
            tracing::error!(target: "store", %error, "the tables do not keep up with the journal");
        }
        self.bus.publish(batch);
    }
}
