//! Orders, fills, ledger and decisions in tables: written from journal entries, each entry exactly once.

mod ledger;
mod read;

pub use ledger::{LedgerBalance, LedgerReport};
pub use read::{FillQuery, OrderQuery};

use cw_core::{
    AccountId, Amount, Currency, Fill, InstrumentId, Order, OrderId, OrderStatus, Price, Quantity, Ratio, Side,
    StrategyId, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::audit::{AuditEntry, append_audit};
use crate::db::writing;
use crate::error::{During, Result, StoreError};
use crate::open::Store;

/// One execution with the order and the journal entry that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FillRow {
    /// The journal entry.
    pub seq: u64,
    pub order_id: OrderId,
    pub account: AccountId,
    pub instrument: InstrumentId,
    pub side: Side,
    pub fill: Fill,
    /// Result that this fill closed, before its fee, in the instrument's quote currency.
    pub realized_pnl: Amount,
    /// Who wanted the order: `operator`, `strategy ema-cross-1`.
    pub source: String,
}

/// One line of a ledger transaction. The lines of one `seq` add up to zero in every currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// The journal entry, which is the transaction.
    pub seq: u64,
    /// Place in the transaction.
    pub line: u32,
    /// The ledger's account: `paper:cash`, `venue:SIM:fees`.
    pub account: String,
    pub currency: Currency,
    pub amount: Amount,
    pub time: Timestamp,
    pub memo: String,
}

/// What a decider concluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Buy,
    Sell,
    Hold,
    Skip,
    Block,
    Error,
}

impl Verdict {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
            Self::Hold => "hold",
            Self::Skip => "skip",
            Self::Block => "block",
            Self::Error => "error",
        }
    }
}

/// One decision of a strategy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionRow {
    /// The journal entry.
    pub seq: u64,
    pub time: Timestamp,
    pub instrument: InstrumentId,
    pub strategy: StrategyId,
    pub verdict: Verdict,
    pub qty: Option<Quantity>,
    pub price: Option<Price>,
    /// 0 to 1.
    pub confidence: Option<Ratio>,
    pub order_id: Option<OrderId>,
    pub reason: String,
}

/// What a stretch of the journal changes in the tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectionBatch {
    /// Orders as they stand after `upto_seq`.
    pub orders: Vec<Order>,
    pub fills: Vec<FillRow>,
    pub postings: Vec<Posting>,
    pub decisions: Vec<DecisionRow>,
    /// Audit rows that came through the journal; each names its entry.
    pub audit: Vec<AuditEntry>,
    /// The last journal entry that the batch includes.
    pub upto_seq: u64,
}

impl Store {
    /// Writes a batch in one transaction and moves the watermark to its `upto_seq`.
    ///
    /// Entries at or below the watermark are skipped, so that a batch may come again after a crash, whole or cut
    /// differently. Returns whether anything was new. [`StoreError::Invalid`] when postings do not add up to zero:
    /// nothing is written then.
    pub async fn project(&self, batch: &ProjectionBatch) -> Result<bool> {
        const WHAT: &str = "writing projections";
        ledger::check_balanced(&batch.postings)?;
        let instance = self.journal().instance();
        let upto = seq_to_sql(batch.upto_seq)?;
        let mut audit_head = None;
        let written = writing!(self, "writing projections", |tx, sql| {
            let mark: Option<i64> = sqlx::query_scalar(sql("SELECT upto_seq FROM projection WHERE instance = $1"))
                .bind(instance)
                .fetch_optional(&mut *tx)
                .await
                .during(WHAT)?;
            let mark = mark.map_or(0, |mark| mark as u64);
            if batch.upto_seq <= mark {
                return Ok(false);
            }
            for order in &batch.orders {
                let document = serde_json::to_string(order)
                    .map_err(|error| StoreError::invalid(format!("order {}: {error}", order.id)))?;
                sqlx::query(sql("INSERT INTO orders (instance, id, client_order_id, venue_order_id, account, \
                        instrument, side, status, is_open, qty, filled_qty, created_at, updated_at, document) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::numeric, $11::numeric, $12, $13, $14::jsonb) \
                     ON CONFLICT (instance, id) DO UPDATE SET venue_order_id = excluded.venue_order_id, \
                        status = excluded.status, is_open = excluded.is_open, qty = excluded.qty, \
                        filled_qty = excluded.filled_qty, updated_at = excluded.updated_at, \
                        document = excluded.document"))
                .bind(instance)
                .bind(seq_to_sql(order.id.0)?)
                .bind(order.request.client_order_id.as_str())
                .bind(order.venue_order_id.as_ref().map(|id| id.as_str().to_owned()))
                .bind(order.request.account.as_str())
                .bind(order.request.instrument.as_str())
                .bind(order.request.side.to_string())
                .bind(order.status.as_str())
                .bind(is_alive(order.status))
                .bind(order.request.qty.to_string())
                .bind(order.filled_qty.to_string())
                .bind(order.created_at.as_nanos())
                .bind(order.updated_at.as_nanos())
                .bind(document)
                .execute(&mut *tx)
                .await
                .during(WHAT)?;
            }
            for row in batch.fills.iter().filter(|row| row.seq > mark) {
                // The venue's id makes a fill count once, whatever the journal says.
                sqlx::query(sql(
                    "INSERT INTO fills (instance, account, venue_fill_id, seq, order_id, instrument, side, \
                        price, qty, fee, liquidity, realized_pnl, event_time, source) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8::numeric, $9::numeric, $10::numeric, $11, $12::numeric, \
                        $13, $14) ON CONFLICT (instance, account, venue_fill_id) DO NOTHING",
                ))
                .bind(instance)
                .bind(row.account.as_str())
                .bind(&row.fill.venue_fill_id)
                .bind(seq_to_sql(row.seq)?)
                .bind(seq_to_sql(row.order_id.0)?)
                .bind(row.instrument.as_str())
                .bind(row.side.to_string())
                .bind(row.fill.price.to_string())
                .bind(row.fill.qty.to_string())
                .bind(row.fill.fee.to_string())
                .bind(read::liquidity_text(row.fill.liquidity))
                .bind(row.realized_pnl.to_string())
                .bind(row.fill.event_time.as_nanos())
                .bind(&row.source)
                .execute(&mut *tx)
                .await
                .during(WHAT)?;
            }
            for posting in batch.postings.iter().filter(|posting| posting.seq > mark) {
                sqlx::query(sql(
                    "INSERT INTO ledger_postings (instance, seq, line, account, currency, amount, time, memo) \
                     VALUES ($1, $2, $3, $4, $5, $6::numeric, $7, $8)",
                ))
                .bind(instance)
                .bind(seq_to_sql(posting.seq)?)
                .bind(i64::from(posting.line))
                .bind(&posting.account)
                .bind(posting.currency.as_str().to_owned())
                .bind(posting.amount.to_string())
                .bind(posting.time.as_nanos())
                .bind(&posting.memo)
                .execute(&mut *tx)
                .await
                .during(WHAT)?;
            }
            for row in batch.decisions.iter().filter(|row| row.seq > mark) {
                sqlx::query(sql(
                    "INSERT INTO decisions (instance, seq, time, instrument, strategy, verdict, qty, price, \
                        confidence, order_id, reason) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7::numeric, $8::numeric, $9::numeric, $10, $11)",
                ))
                .bind(instance)
                .bind(seq_to_sql(row.seq)?)
                .bind(row.time.as_nanos())
                .bind(row.instrument.as_str())
                .bind(row.strategy.as_str())
                .bind(row.verdict.as_str())
                .bind(row.qty.map(|n| n.to_string()))
                .bind(row.price.map(|n| n.to_string()))
                .bind(row.confidence.map(|n| n.to_string()))
                .bind(row.order_id.map(|id| id.0 as i64))
                .bind(&row.reason)
                .execute(&mut *tx)
                .await
                .during(WHAT)?;
            }
            append_audit!(tx, sql, instance, &batch.audit, audit_head);
            sqlx::query(sql("INSERT INTO projection (instance, upto_seq) VALUES ($1, $2) \
                 ON CONFLICT (instance) DO UPDATE SET upto_seq = excluded.upto_seq"))
            .bind(instance)
            .bind(upto)
            .execute(&mut *tx)
            .await
            .during(WHAT)?;
            true
        })?;
        self.keep_audit_head(audit_head).await?;
        Ok(written)
    }

    /// The last journal entry that the tables include; `None` before the first batch.
    pub async fn projected_upto(&self) -> Result<Option<u64>> {
        let mark: Option<i64> = crate::db::reading!(self.db(), |pool, sql| {
            sqlx::query_scalar(sql("SELECT upto_seq FROM projection WHERE instance = $1"))
                .bind(self.journal().instance())
                .fetch_optional(pool)
                .await
                .during("reading the projections' watermark")
        })?;
        Ok(mark.map(|mark| mark as u64))
    }

    /// Empties the projected tables, so that they can be written again from the journal's start. The audit log stays:
    /// its rows are recognised when they come again.
    pub async fn clear_projections(&self) -> Result<()> {
        writing!(self, "clearing projections", |tx, sql| {
            for statement in [
                "DELETE FROM orders WHERE instance = $1",
                "DELETE FROM fills WHERE instance = $1",
                "DELETE FROM ledger_postings WHERE instance = $1",
                "DELETE FROM decisions WHERE instance = $1",
                "DELETE FROM projection WHERE instance = $1",
            ] {
                sqlx::query(sql(statement))
                    .bind(self.journal().instance())
                    .execute(&mut *tx)
                    .await
                    .during("clearing projections")?;
            }
        })
    }
}

/// Whether something may still happen to it, from the moment it is written down.
const fn is_alive(status: OrderStatus) -> bool {
    status.is_open() || matches!(status, OrderStatus::Intent)
}

pub(crate) fn seq_to_sql(seq: u64) -> Result<i64> {
    i64::try_from(seq).map_err(|_| StoreError::invalid(format!("number {seq} is beyond 2^63")))
}
