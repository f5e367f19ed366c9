//! The ledger's one law: in a transaction, every currency adds up to zero.

use std::collections::BTreeMap;

use cw_core::{Amount, Currency};
use serde::Serialize;
use sqlx::Row;

use super::Posting;
use crate::db::reading;
use crate::error::{During, Result, StoreError};
use crate::open::Store;

/// What one account of the ledger holds in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerBalance {
    pub account: String,
    pub currency: Currency,
    pub balance: Amount,
}

/// What [`Store::verify_ledger`] found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LedgerReport {
    pub transactions: u64,
    pub postings: u64,
    /// Journal entries whose postings do not add up to zero, with the currency and what is left.
    pub unbalanced: Vec<(u64, Currency, Amount)>,
}

pub(super) fn check_balanced(postings: &[Posting]) -> Result<()> {
    let mut sums: BTreeMap<(u64, Currency), Amount> = BTreeMap::new();
    for posting in postings {
        let sum = sums.entry((posting.seq, posting.currency)).or_default();
        *sum = sum
            .checked_add(posting.amount)
            .map_err(|error| StoreError::invalid(format!("ledger transaction {}: {error}", posting.seq)))?;
    }
    match sums.into_iter().find(|(_, sum)| !sum.is_zero()) {
        None => Ok(()),
        Some(((seq, currency), sum)) => Err(StoreError::invalid(format!(
            "ledger transaction {seq} does not balance: {sum} {currency} are left over"
        ))),
    }
}

impl Store {
    /// Balances of every ledger account of this data directory, by account and currency.
    pub async fn ledger_balances(&self) -> Result<Vec<LedgerBalance>> {
        let mut sums: BTreeMap<(String, Currency), Amount> = BTreeMap::new();
        self.each_posting(|_, account, currency, amount| {
            let sum = sums.entry((account, currency)).or_default();
            *sum = sum.checked_add(amount).map_err(|error| StoreError::corrupt(format!("the ledger: {error}")))?;
            Ok(())
        })
        .await?;
        Ok(sums
            .into_iter()
            .map(|((account, currency), balance)| LedgerBalance { account, currency, balance })
            .collect())
    }

    /// Adds up every transaction again.
    pub async fn verify_ledger(&self) -> Result<LedgerReport> {
        let mut report = LedgerReport { transactions: 0, postings: 0, unbalanced: Vec::new() };
        let mut open: (u64, BTreeMap<Currency, Amount>) = (0, BTreeMap::new());
        let finish = |report: &mut LedgerReport, (seq, sums): (u64, BTreeMap<Currency, Amount>)| {
            report.transactions += u64::from(!sums.is_empty());
            report
                .unbalanced
                .extend(sums.into_iter().filter(|(_, sum)| !sum.is_zero()).map(|(currency, sum)| (seq, currency, sum)));
        };
        self.each_posting(|seq, _, currency, amount| {
            if seq != open.0 {
                finish(&mut report, std::mem::replace(&mut open, (seq, BTreeMap::new())));
            }
            report.postings += 1;
            let sum = open.1.entry(currency).or_default();
            *sum = sum.checked_add(amount).map_err(|error| StoreError::corrupt(format!("the ledger: {error}")))?;
            Ok(())
        })
        .await?;
        finish(&mut report, open);
        Ok(report)
    }

    /// Visits every posting in the order of transactions, a page at a time.
    async fn each_posting(&self, mut visit: impl FnMut(u64, String, Currency, Amount) -> Result<()>) -> Result<()> {
        const WHAT: &str = "reading the ledger";
        const PAGE: i64 = 10_000;
        let (mut seq, mut line) = (-1i64, -1i64);
        loop {
            let rows: Vec<(i64, i64, String, String, String)> = reading!(self.db(), |pool, sql| {
                let rows = sqlx::query(sql("SELECT seq, line, account, currency, amount::text FROM ledger_postings \
                     WHERE instance = $1 AND (seq, line) > ($2, $3) ORDER BY seq, line LIMIT $4"))
                .bind(self.journal().instance())
                .bind(seq)
                .bind(line)
                .bind(PAGE)
                .fetch_all(pool)
                .await
                .during(WHAT)?;
                rows.iter()
                    .map(|row| {
                        Ok((
                            row.try_get(0).during(WHAT)?,
                            row.try_get(1).during(WHAT)?,
                            row.try_get(2).during(WHAT)?,
                            row.try_get(3).during(WHAT)?,
                            row.try_get(4).during(WHAT)?,
                        ))
                    })
                    .collect::<Result<_>>()
            })?;
            let Some(last) = rows.last() else { return Ok(()) };
            (seq, line) = (last.0, last.1);
            for (seq, _, account, currency, amount) in rows {
                visit(
                    seq as u64,
                    account,
                    super::read::parse(&currency, "currency")?,
                    super::read::parse(&amount, "amount")?,
                )?;
            }
        }
    }
}
