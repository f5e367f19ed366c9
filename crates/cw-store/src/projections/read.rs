//! Lists out of the projected tables, newest first.

use std::str::FromStr;

use cw_core::{AccountId, ClientOrderId, Fill, InstrumentId, Liquidity, Order, OrderId, Side, Timestamp};
use sqlx::Row;

use super::{DecisionRow, FillRow, Verdict, seq_to_sql};
use crate::db::reading;
use crate::error::{During, Result, StoreError};
use crate::open::Store;

/// Rows that a list gives at most when the caller names no limit.
const DEFAULT_LIMIT: u32 = 1000;

/// Which orders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderQuery {
    pub account: Option<AccountId>,
    pub instrument: Option<InstrumentId>,
    /// Only those that something may still happen to.
    pub open_only: bool,
    /// Only those older than this one: the next page.
    pub before: Option<OrderId>,
    pub limit: Option<u32>,
}

/// Which fills.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FillQuery {
    pub account: Option<AccountId>,
    pub instrument: Option<InstrumentId>,
    pub order_id: Option<OrderId>,
    /// Only those of earlier journal entries: the next page.
    pub before_seq: Option<u64>,
    pub limit: Option<u32>,
}

/// A filter that is not asked for is an empty text, which no id can be.
fn text(filter: Option<&str>) -> String {
    filter.unwrap_or_default().to_owned()
}

impl Store {
    /// Orders, newest first.
    pub async fn orders(&self, query: &OrderQuery) -> Result<Vec<Order>> {
        const WHAT: &str = "reading orders";
        const ALL: &str = "SELECT document::text FROM orders WHERE instance = $1 AND id < $2 \
             AND ($3 = '' OR account = $3) AND ($4 = '' OR instrument = $4) ORDER BY id DESC LIMIT $5";
        // A statement of its own, so that the index over open orders is used.
        const OPEN: &str = "SELECT document::text FROM orders WHERE is_open AND instance = $1 AND id < $2 \
             AND ($3 = '' OR account = $3) AND ($4 = '' OR instrument = $4) ORDER BY id DESC LIMIT $5";
        let before = query.before.map_or(Ok(i64::MAX), |id| seq_to_sql(id.0))?;
        let documents: Vec<String> = reading!(self.db(), |pool, sql| {
            sqlx::query_scalar(sql(if query.open_only { OPEN } else { ALL }))
                .bind(self.journal().instance())
                .bind(before)
                .bind(text(query.account.as_ref().map(AccountId::as_str)))
                .bind(text(query.instrument.as_ref().map(InstrumentId::as_str)))
                .bind(i64::from(query.limit.unwrap_or(DEFAULT_LIMIT)))
                .fetch_all(pool)
                .await
                .during(WHAT)
        })?;
        documents.iter().map(|document| order(document)).collect()
    }

    /// One order by our number; `None` when there is none.
    pub async fn order(&self, id: OrderId) -> Result<Option<Order>> {
        let id = seq_to_sql(id.0)?;
        let document: Option<String> = reading!(self.db(), |pool, sql| {
            sqlx::query_scalar(sql("SELECT document::text FROM orders WHERE instance = $1 AND id = $2"))
                .bind(self.journal().instance())
                .bind(id)
                .fetch_optional(pool)
                .await
                .during("reading an order")
        })?;
        document.map(|document| order(&document)).transpose()
    }

    /// One order by the name that the venue knows it under; `None` when there is none.
    pub async fn order_by_client_id(&self, id: &ClientOrderId) -> Result<Option<Order>> {
        let document: Option<String> = reading!(self.db(), |pool, sql| {
            sqlx::query_scalar(sql("SELECT document::text FROM orders WHERE client_order_id = $2 AND instance = $1"))
                .bind(self.journal().instance())
                .bind(id.as_str())
                .fetch_optional(pool)
                .await
                .during("reading an order")
        })?;
        document.map(|document| order(&document)).transpose()
    }

    /// Fills, newest first.
    pub async fn fills(&self, query: &FillQuery) -> Result<Vec<FillRow>> {
        const WHAT: &str = "reading fills";
        let before = query.before_seq.map_or(Ok(i64::MAX), seq_to_sql)?;
        let order_id = query.order_id.map_or(Ok(-1), |id| seq_to_sql(id.0))?;
        reading!(self.db(), |pool, sql| {
            let rows = sqlx::query(sql("SELECT seq, order_id, account, instrument, side, venue_fill_id, event_time, \
                    price::text, qty::text, fee::text, liquidity, realized_pnl::text, source FROM fills \
                 WHERE instance = $1 AND seq < $2 AND ($3 = '' OR account = $3) AND ($4 = '' OR instrument = $4) \
                    AND ($5 < 0 OR order_id = $5) ORDER BY seq DESC, venue_fill_id DESC LIMIT $6"))
            .bind(self.journal().instance())
            .bind(before)
            .bind(text(query.account.as_ref().map(AccountId::as_str)))
            .bind(text(query.instrument.as_ref().map(InstrumentId::as_str)))
            .bind(order_id)
            .bind(i64::from(query.limit.unwrap_or(DEFAULT_LIMIT)))
            .fetch_all(pool)
            .await
            .during(WHAT)?;
            rows.iter()
                .map(|row| {
                    let column = |index: usize| row.try_get::<String, _>(index).during(WHAT);
                    Ok(FillRow {
                        seq: row.try_get::<i64, _>(0).during(WHAT)? as u64,
                        order_id: OrderId(row.try_get::<i64, _>(1).during(WHAT)? as u64),
                        account: parse(&column(2)?, "account")?,
                        instrument: parse(&column(3)?, "instrument")?,
                        side: side(&column(4)?)?,
                        fill: Fill {
                            venue_fill_id: column(5)?,
                            event_time: Timestamp::from_nanos(row.try_get(6).during(WHAT)?),
                            price: parse(&column(7)?, "price")?,
                            qty: parse(&column(8)?, "quantity")?,
                            fee: parse(&column(9)?, "fee")?,
                            liquidity: liquidity(&column(10)?)?,
                        },
                        realized_pnl: parse(&column(11)?, "result")?,
                        source: column(12)?,
                    })
                })
                .collect()
        })
    }

    /// Decisions, newest first.
    pub async fn decisions(&self, limit: Option<u32>) -> Result<Vec<DecisionRow>> {
        const WHAT: &str = "reading decisions";
        reading!(self.db(), |pool, sql| {
            let rows = sqlx::query(sql("SELECT seq, time, instrument, strategy, verdict, qty::text, price::text, \
                    confidence::text, order_id, reason FROM decisions WHERE instance = $1 ORDER BY seq DESC LIMIT $2"))
            .bind(self.journal().instance())
            .bind(i64::from(limit.unwrap_or(DEFAULT_LIMIT)))
            .fetch_all(pool)
            .await
            .during(WHAT)?;
            rows.iter()
                .map(|row| {
                    let column = |index: usize| row.try_get::<String, _>(index).during(WHAT);
                    let optional = |index: usize| row.try_get::<Option<String>, _>(index).during(WHAT);
                    Ok(DecisionRow {
                        seq: row.try_get::<i64, _>(0).during(WHAT)? as u64,
                        time: Timestamp::from_nanos(row.try_get(1).during(WHAT)?),
                        instrument: parse(&column(2)?, "instrument")?,
                        strategy: parse(&column(3)?, "strategy")?,
                        verdict: verdict(&column(4)?)?,
                        qty: optional(5)?.map(|text| parse(&text, "quantity")).transpose()?,
                        price: optional(6)?.map(|text| parse(&text, "price")).transpose()?,
                        confidence: optional(7)?.map(|text| parse(&text, "confidence")).transpose()?,
                        order_id: row.try_get::<Option<i64>, _>(8).during(WHAT)?.map(|id| OrderId(id as u64)),
                        reason: column(9)?,
                    })
                })
                .collect()
        })
    }
}

fn order(document: &str) -> Result<Order> {
    serde_json::from_str(document).map_err(|error| StoreError::corrupt(format!("a stored order: {error}")))
}

pub(super) fn parse<T: FromStr<Err: std::fmt::Display>>(text: &str, what: &str) -> Result<T> {
    text.parse().map_err(|error| StoreError::corrupt(format!("a stored {what}: {error}")))
}

pub(super) const fn liquidity_text(liquidity: Liquidity) -> &'static str {
    match liquidity {
        Liquidity::Maker => "maker",
        Liquidity::Taker => "taker",
    }
}

fn liquidity(text: &str) -> Result<Liquidity> {
    match text {
        "maker" => Ok(Liquidity::Maker),
        "taker" => Ok(Liquidity::Taker),
        other => Err(StoreError::corrupt(format!("a stored liquidity {other:?}"))),
    }
}

fn side(text: &str) -> Result<Side> {
    match text {
        "buy" => Ok(Side::Buy),
        "sell" => Ok(Side::Sell),
        other => Err(StoreError::corrupt(format!("a stored side {other:?}"))),
    }
}

fn verdict(text: &str) -> Result<Verdict> {
    [Verdict::Buy, Verdict::Sell, Verdict::Hold, Verdict::Skip, Verdict::Block, Verdict::Error]
        .into_iter()
        .find(|verdict| verdict.as_str() == text)
        .ok_or_else(|| StoreError::corrupt(format!("a stored verdict {text:?}")))
}
