//! Journal records to rows in tables: orders, fills, ledger, decisions, closed candles.
//!
//! The tables follow the journal and can be made again from it. Each batch goes in with the number of its last entry in
//! one transaction, so nothing is written twice and nothing is left out, whenever the process ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cw_core::{Candle, Timeframe};
use cw_engine::journal::{Body, Entry};
use cw_engine::runtime::Published;
use cw_engine::{Meta, Notice, Record, Verdict};
use cw_market::CandleUpdate;
use cw_store::{DecisionRow, FillRow, OnConflict, Posting, ProjectionBatch, Source, SourceKind, Store};
use tokio::sync::mpsc;

use crate::shared::{Counters, Directory};

/// Adds what one journal record changes to a batch.
fn project(meta: Meta, record: &Record, batch: &mut ProjectionBatch) {
    match record {
        Record::Order(order) => {
            // The newest state of an order is the only one that counts.
            match batch.orders.iter_mut().find(|o| o.id == order.id) {
                Some(known) => known.clone_from(order),
                None => batch.orders.push(order.clone()),
            }
        }
        Record::Fill(fill) => {
            batch.fills.push(FillRow {
                seq: meta.seq,
                order_id: fill.order_id,
                account: fill.account.clone(),
                instrument: fill.instrument.clone(),
                side: fill.side,
                fill: fill.fill.clone(),
                realized_pnl: fill.realized,
                source: fill.actor.to_string(),
            });
            for (line, posting) in fill.postings().into_iter().enumerate() {
                batch.postings.push(Posting {
                    seq: meta.seq,
                    line: line as u32,
                    account: format!("{}:{}", fill.account, posting.account.as_str()),
                    currency: posting.currency,
                    amount: posting.amount,
                    time: meta.time,
                    memo: format!("fill {} of order {}", fill.fill.venue_fill_id, fill.order_id),
                });
            }
        }
        Record::Notice(Notice::AccountOpened { account, currency, amount }) => {
            let other = cw_core::Amount::from_raw(-amount.raw());
            for (line, name, amount) in [(0, "cash", *amount), (1, "capital", other)] {
                batch.postings.push(Posting {
                    seq: meta.seq,
                    line,
                    account: format!("{account}:{name}"),
                    currency: *currency,
                    amount,
                    time: meta.time,
                    memo: "opening balance".to_owned(),
                });
            }
        }
        Record::Decision(decision) => batch.decisions.push(DecisionRow {
            seq: meta.seq,
            time: meta.time,
            instrument: decision.instrument.clone(),
            strategy: decision.strategy.clone(),
            verdict: match decision.verdict {
                Verdict::Buy => cw_store::Verdict::Buy,
                Verdict::Sell => cw_store::Verdict::Sell,
                Verdict::Skip => cw_store::Verdict::Skip,
                Verdict::Block => cw_store::Verdict::Block,
                Verdict::Error => cw_store::Verdict::Error,
            },
            qty: decision.qty,
            price: Some(decision.candle.close),
            confidence: None,
            order_id: None,
            reason: decision.reason.clone(),
        }),
        Record::Approval(_) | Record::Incident(_) | Record::Notice(_) | Record::StateHash(_) => {}
    }
    batch.upto_seq = meta.seq;
}

/// Brings the tables up to the journal's end. Called once at start, before anything new is written.
pub(crate) async fn catch_up(store: &Store, entries: Vec<Entry>) -> Result<(), cw_store::StoreError> {
    let mut batch = ProjectionBatch::default();
    for entry in entries {
        if let Body::Record(record) = &entry.body {
            project(entry.meta, record, &mut batch);
        }
        batch.upto_seq = entry.meta.seq;
        if batch.orders.len() + batch.fills.len() + batch.decisions.len() >= 500 {
            store.project(&std::mem::take(&mut batch)).await?;
        }
    }
    if batch.upto_seq > 0 {
        store.project(&batch).await?;
    }
    Ok(())
}

/// Writes what is published until the queue ends.
pub(crate) async fn run(
    store: Store,
    directory: Arc<Directory>,
    counters: Arc<Counters>,
    mut queue: mpsc::Receiver<Arc<Published>>,
) {
    let mut waiting = Vec::new();
    while queue.recv_many(&mut waiting, 256).await > 0 {
        let mut batch = ProjectionBatch::default();
        let mut candles: BTreeMap<(u32, bool), Vec<Candle>> = BTreeMap::new();
        for published in waiting.drain(..) {
            for (meta, record) in &published.records {
                project(*meta, record, &mut batch);
            }
            for (instrument, update) in &published.candles {
                // Only the finest candles are kept; the others are made of them.
                match update {
                    CandleUpdate::Closed { timeframe: Timeframe::M1, candle, .. } => {
                        candles.entry((*instrument, false)).or_default().push(*candle);
                    }
                    CandleUpdate::Revised { timeframe: Timeframe::M1, candle, .. } => {
                        candles.entry((*instrument, true)).or_default().push(*candle);
                    }
                    _ => {}
                }
            }
        }
        if batch.upto_seq > 0 {
            if let Err(error) = store.project(&batch).await {
                tracing::error!(target: "store", %error,
                    "the tables could not be written; they catch up from the journal at the next start");
            }
            counters.projected.store(batch.upto_seq, Ordering::Release);
        }
        for ((number, is_revision), candles) in candles {
            let Some(instrument) = directory.instrument(number) else { continue };
            // Who follows a venue writes its minutes, with the name of who gave them.
            if cw_venues::catalog::find(instrument.id.venue()).is_some() {
                continue;
            }
            let kind = if is_revision { SourceKind::Revised } else { SourceKind::Simulated };
            let source = Source::new(instrument.id.venue(), kind);
            let written =
                store.write_candles(&instrument.id, Timeframe::M1, &candles, &source, OnConflict::Revise).await;
            if let Err(error) = written {
                tracing::error!(target: "store", %error, instrument = %instrument.id, "candles could not be written");
            }
        }
    }
}
