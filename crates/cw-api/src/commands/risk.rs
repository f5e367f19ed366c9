//! Limits, the kill switch, and the proposals that wait for a human.

use cw_core::{AccountId, Timestamp};

use super::orders::{OrderPreview, PlacedOrder};
use crate::prelude::*;

/// Shows limits with what is used of them, the kill switch and recent denials.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ShowRisk {}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct RiskView {
    pub halted: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub halt_reason: Option<String>,
    #[schemars(extend("x-rows" = true))]
    pub limits: Vec<RiskLimit>,
    pub recent_denials: Vec<RiskDenial>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct RiskLimit {
    pub account: AccountId,
    /// Name of the limit: `max_order_notional`.
    pub name: String,
    /// The limit, as decimal text.
    pub limit: String,
    /// What is used of it now, as decimal text.
    pub used: String,
    /// `USD`, `orders/min`, `ratio`.
    pub unit: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct RiskDenial {
    pub time: Timestamp,
    pub account: AccountId,
    pub instrument: String,
    pub check: String,
    pub reason: String,
}

/// Sets one limit of an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct SetRisk {
    pub account: AccountId,
    /// Name of the limit, as `risk show` prints it.
    #[schemars(extend("x-position" = 0))]
    pub limit: String,
    /// New value, as decimal text in the limit's unit.
    #[schemars(extend("x-position" = 1))]
    pub value: String,
}

/// Stops all new orders at once; open orders that add risk are canceled. Exits and cancels still pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct HaltTrading {
    #[schemars(extend("x-position" = 0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Lets new orders pass again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ResumeTrading {
    /// Why it is safe; kept in the audit log.
    #[schemars(extend("x-position" = 0))]
    pub reason: String,
    /// An account's name; everything without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// Lists proposals that wait for a human, then those decided, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ListApprovals {}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct ApprovalList {
    pub approvals: Vec<Approval>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    Waiting,
    Accepted,
    Denied,
    Expired,
}

/// Something that an agent wants done and a human decides on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct Approval {
    pub id: String,
    /// Who asks: `agent claude`.
    pub actor: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    /// Name of the command it would run.
    pub command: String,
    /// The command's arguments, exactly as they will be run.
    pub request: Value,
    /// What would happen, in words.
    pub sentence: String,
    /// For an order: what it would cost, as of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<OrderPreview>,
    pub state: ApprovalState,
}

/// Accepts a proposal: the order goes through the risk gate now, in the proposer's name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct AcceptApproval {
    #[schemars(extend("x-position" = 0))]
    pub id: String,
}

/// Turns a proposal down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct DenyApproval {
    #[schemars(extend("x-position" = 0))]
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct ApprovalOutcome {
    pub id: String,
    pub state: ApprovalState,
    /// What was placed, when it was an order and it passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<PlacedOrder>,
}

command!(ShowRisk => "risk.show", Read, None, RiskView, trading.show_risk);
command!(SetRisk => "risk.set", Admin, High, RiskView, trading.set_risk);
command!(HaltTrading => "risk.halt", Trade, Low, RiskView, trading.halt);
command!(ResumeTrading => "risk.resume", Admin, High, RiskView, trading.resume);
command!(ListApprovals => "approvals.list", Read, None, ApprovalList, trading.list_approvals);
command!(AcceptApproval => "approvals.accept", Admin, High, ApprovalOutcome, trading.accept_approval);
command!(DenyApproval => "approvals.deny", Admin, Low, ApprovalOutcome, trading.deny_approval);
