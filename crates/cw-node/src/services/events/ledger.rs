//! Orders, fills, positions, accounts, decisions and approvals.
//!
//! What is written once (a fill, a decision) or changes step by step (an order) is told completely and in order. Updates
//! repeat what a snapshot may have held already; rows have ids, so that a repetition changes nothing.

use std::time::Duration;

use cw_api::ApiError;
use cw_api::commands::orders::{ListOrders, OrderView};
use cw_api::commands::portfolio::{AccountView, FillView, ListAccounts, ListFills, ListPositions, PositionList};
use cw_api::commands::risk::{Approval, ListApprovals};
use cw_api::commands::strategies::{Decision, ListDecisions};
use cw_api::services::Trading as _;
use cw_api::stream::{Update, UpdateData};
use cw_engine::Record;
use cw_engine::runtime::Published;

use super::Sources;
use super::feed::{Feed, delta, snapshot};
use crate::services::trading::views;

/// How long what is told completely may gather.
const GATHER: Duration = Duration::from_millis(20);
/// Positions and accounts move with every price.
const MARKS: Duration = Duration::from_millis(250);

pub(super) struct Orders {
    sources: Sources,
    waiting: Vec<OrderView>,
}

impl Orders {
    pub const fn new(sources: Sources) -> Self {
        Self { sources, waiting: Vec::new() }
    }
}

impl Feed for Orders {
    fn period(&self) -> Duration {
        GATHER
    }

    async fn snapshot(&mut self) -> Result<UpdateData, ApiError> {
        self.waiting.clear();
        let request = ListOrders { account: None, instrument: None, open_only: false, limit: None };
        let list = self.sources.trading.list_orders(&self.sources.caller, request).await?;
        Ok(UpdateData::Orders(list.orders))
    }

    fn absorb(&mut self, batch: &Published) -> bool {
        let before = self.waiting.len();
        self.waiting.extend(batch.records.iter().filter_map(|(_, record)| match record {
            Record::Order(order) => Some(views::order(order)),
            _ => None,
        }));
        self.waiting.len() > before
    }

    async fn delta(&mut self) -> Result<Option<Update>, ApiError> {
        let orders = std::mem::take(&mut self.waiting);
        Ok((!orders.is_empty()).then(|| delta(UpdateData::Orders(orders))))
    }
}

pub(super) struct Fills {
    sources: Sources,
    waiting: Vec<FillView>,
}

impl Fills {
    pub const fn new(sources: Sources) -> Self {
        Self { sources, waiting: Vec::new() }
    }
}

impl Feed for Fills {
    fn period(&self) -> Duration {
        GATHER
    }

    async fn snapshot(&mut self) -> Result<UpdateData, ApiError> {
        self.waiting.clear();
        let request = ListFills { account: None, instrument: None, limit: None };
        let list = self.sources.trading.list_fills(&self.sources.caller, request).await?;
        Ok(UpdateData::Fills(list.fills))
    }

    fn absorb(&mut self, batch: &Published) -> bool {
        let before = self.waiting.len();
        self.waiting.extend(batch.records.iter().filter_map(|(_, record)| match record {
            Record::Fill(fill) => Some(views::fill_record(fill)),
            _ => None,
        }));
        self.waiting.len() > before
    }

    async fn delta(&mut self) -> Result<Option<Update>, ApiError> {
        let fills = std::mem::take(&mut self.waiting);
        Ok((!fills.is_empty()).then(|| delta(UpdateData::Fills(fills))))
    }
}

pub(super) struct Decisions {
    sources: Sources,
    waiting: Vec<Decision>,
}

impl Decisions {
    pub const fn new(sources: Sources) -> Self {
        Self { sources, waiting: Vec::new() }
    }
}

impl Feed for Decisions {
    fn period(&self) -> Duration {
        GATHER
    }

    async fn snapshot(&mut self) -> Result<UpdateData, ApiError> {
        self.waiting.clear();
        let request = ListDecisions { instrument: None, strategy: None, limit: None };
        let list = self.sources.trading.list_decisions(&self.sources.caller, request).await?;
        Ok(UpdateData::Decisions(list.decisions))
    }

    fn absorb(&mut self, batch: &Published) -> bool {
        let before = self.waiting.len();
        self.waiting.extend(batch.records.iter().filter_map(|(meta, record)| match record {
            Record::Decision(decision) => Some(views::decision_record(*meta, decision)),
            _ => None,
        }));
        self.waiting.len() > before
    }

    async fn delta(&mut self) -> Result<Option<Update>, ApiError> {
        let decisions = std::mem::take(&mut self.waiting);
        Ok((!decisions.is_empty()).then(|| delta(UpdateData::Decisions(decisions))))
    }
}

/// Proposals: few, and shown with what they would cost now, so each change reads the list and tells what differs.
pub(super) struct Approvals {
    sources: Sources,
    shown: Vec<Approval>,
}

impl Approvals {
    pub const fn new(sources: Sources) -> Self {
        Self { sources, shown: Vec::new() }
    }

    async fn list(&self) -> Result<Vec<Approval>, ApiError> {
        Ok(self.sources.trading.list_approvals(&self.sources.caller, ListApprovals {}).await?.approvals)
    }
}

impl Feed for Approvals {
    fn period(&self) -> Duration {
        GATHER
    }

    async fn snapshot(&mut self) -> Result<UpdateData, ApiError> {
        self.shown = self.list().await?;
        Ok(UpdateData::Approvals(self.shown.clone()))
    }

    fn absorb(&mut self, batch: &Published) -> bool {
        batch.records.iter().any(|(_, record)| matches!(record, Record::Approval(_)))
    }

    async fn delta(&mut self) -> Result<Option<Update>, ApiError> {
        let list = self.list().await?;
        let state = |all: &[Approval], id: &str| all.iter().find(|a| a.id == id).map(|a| a.state);
        // The list has the newest first; updates are in the order in which things happened.
        let mut changed: Vec<Approval> =
            list.iter().filter(|a| state(&self.shown, &a.id) != Some(a.state)).cloned().collect();
        changed.sort_by_key(|a| a.created_at);
        self.shown = list;
        Ok((!changed.is_empty()).then(|| delta(UpdateData::Approvals(changed))))
    }
}

/// Whether a batch can move the value of what we hold: a price, a fill, a change of settings.
fn moves(batch: &Published) -> bool {
    !batch.quotes.is_empty() || !batch.trades.is_empty() || !batch.records.is_empty()
}

/// All open positions, whenever one of them changed or is worth something else.
pub(super) struct Positions {
    sources: Sources,
    shown: Option<PositionList>,
}

impl Positions {
    pub const fn new(sources: Sources) -> Self {
        Self { sources, shown: None }
    }

    async fn list(&self) -> Result<PositionList, ApiError> {
        self.sources.trading.list_positions(&self.sources.caller, ListPositions { account: None }).await
    }
}

impl Feed for Positions {
    fn period(&self) -> Duration {
        MARKS
    }

    async fn snapshot(&mut self) -> Result<UpdateData, ApiError> {
        let list = self.list().await?;
        self.shown = Some(list.clone());
        Ok(UpdateData::Positions(list))
    }

    fn absorb(&mut self, batch: &Published) -> bool {
        moves(batch)
    }

    async fn delta(&mut self) -> Result<Option<Update>, ApiError> {
        let list = self.list().await?;
        if self.shown.as_ref() == Some(&list) {
            return Ok(None);
        }
        self.shown = Some(list.clone());
        // It is the whole list, so that a position that was closed is gone from it.
        Ok(Some(snapshot(UpdateData::Positions(list))))
    }
}

pub(super) struct Accounts {
    sources: Sources,
    shown: Vec<AccountView>,
}

impl Accounts {
    pub const fn new(sources: Sources) -> Self {
        Self { sources, shown: Vec::new() }
    }

    async fn list(&self) -> Result<Vec<AccountView>, ApiError> {
        Ok(self.sources.trading.list_accounts(&self.sources.caller, ListAccounts {}).await?.accounts)
    }
}

impl Feed for Accounts {
    fn period(&self) -> Duration {
        MARKS
    }

    async fn snapshot(&mut self) -> Result<UpdateData, ApiError> {
        self.shown = self.list().await?;
        Ok(UpdateData::Accounts(self.shown.clone()))
    }

    fn absorb(&mut self, batch: &Published) -> bool {
        moves(batch)
    }

    async fn delta(&mut self) -> Result<Option<Update>, ApiError> {
        let list = self.list().await?;
        let changed: Vec<AccountView> = list.iter().filter(|a| !self.shown.contains(a)).cloned().collect();
        self.shown = list;
        Ok((!changed.is_empty()).then(|| delta(UpdateData::Accounts(changed))))
    }
}
