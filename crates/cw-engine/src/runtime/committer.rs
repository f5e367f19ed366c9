//! Writes batches to the journal and lets them out into the world, in that order.

use std::time::Duration;

use tokio::sync::mpsc;

use super::{Batch, Host};

/// Market data alone may wait this long for company, so that a quiet market does not make a block per quote.
const GATHER: Duration = Duration::from_millis(15);
const RETRY: Duration = Duration::from_millis(250);

pub(super) async fn run(mut batches: mpsc::Receiver<Batch>, mut host: impl Host, mut previous_hash: [u8; 32]) {
    let mut waiting: Vec<Batch> = Vec::new();
    loop {
        if waiting.is_empty() && batches.recv_many(&mut waiting, 64).await == 0 {
            return;
        }
        if !waiting.iter().any(Batch::is_urgent) {
            gather(&mut batches, &mut waiting).await;
        }
        let mut batches_out = waiting.drain(..);
        let Some(mut all) = batches_out.next() else { continue };
        for batch in batches_out {
            all.absorb(batch);
        }
        let Batch { block, effects, answers, checkpoints, published, snapshot, stop } = all;
        if !block.is_empty() {
            let block = block.seal(previous_hash);
            while let Err(error) = host.commit(&block).await {
                tracing::error!(target: "journal", %error, first_seq = block.first_seq,
                    "the journal cannot be written; nothing is sent until it can");
                tokio::time::sleep(RETRY).await;
            }
            previous_hash = block.hash;
        }
        for effect in effects {
            host.perform(effect);
        }
        host.publish(published);
        for (answer, reply) in answers {
            // Who asked may have gone away meanwhile; the journal has it all the same.
            let _sent = answer.send(reply);
        }
        if let Some((seq, bytes)) = snapshot {
            host.keep_snapshot(seq, bytes).await;
        }
        for (answer, seq) in checkpoints {
            let _sent = answer.send(seq);
        }
        if let Some(done) = stop {
            let _sent = done.send(());
            return;
        }
    }
}

/// Waits a moment for more market data, or for something that cannot wait.
async fn gather(batches: &mut mpsc::Receiver<Batch>, waiting: &mut Vec<Batch>) {
    let deadline = tokio::time::Instant::now() + GATHER;
    while let Ok(Some(batch)) = tokio::time::timeout_at(deadline, batches.recv()).await {
        let urgent = batch.is_urgent();
        waiting.push(batch);
        if urgent || waiting.len() >= 256 {
            return;
        }
    }
}
