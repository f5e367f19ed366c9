//! What the engine decided and learned. Journaled behind the input that caused it.

use cw_core::{
    AccountId, Actor, Amount, Cadence, Candle, Currency, Fill, InstrumentId, Order, OrderId, Price, Quantity, Side,
    StrategyId, Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::command::Approval;

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    pub seq: u64,
    pub time: Timestamp,
    /// The entry that led to this one.
    pub caused_by: u64,
}

/// A strategy acted, or wanted to and did not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    pub strategy: StrategyId,
    pub account: AccountId,
    pub instrument: InstrumentId,
    pub timeframe: Cadence,
    /// The closed candle it was made on.
    pub candle: Candle,
    /// Journal entries of the first and last market event in that candle; 0 where it came whole from a file.
    pub ticks: (u64, u64),
    pub verdict: Verdict,
    pub qty: Option<Quantity>,
    pub reason: String,
    /// The rule's parts with their values at that candle.
    pub trace: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Buy,
    Sell,
    /// The rules said trade; something else said no. The reason tells what.
    Skip,
    /// The risk gate said no.
    Block,
    Error,
}

impl Verdict {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
            Self::Skip => "skip",
            Self::Block => "block",
            Self::Error => "error",
        }
    }
}

/// An execution with what it did to us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FillRecord {
    pub order_id: OrderId,
    pub account: AccountId,
    pub instrument: InstrumentId,
    pub side: Side,
    pub actor: Actor,
    pub fill: Fill,
    /// Result of the part that closed something, before fees, in `currency`.
    pub realized: Amount,
    pub currency: Currency,
    /// Position of the account after it.
    pub position: Quantity,
    pub entry_price: Option<Price>,
}

/// The accounts of the ledger. Every transaction's postings sum to zero per currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerAccount {
    Cash,
    TradingResult,
    Fees,
    Capital,
}

impl LedgerAccount {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::TradingResult => "trading_result",
            Self::Fees => "fees",
            Self::Capital => "capital",
        }
    }
}

/// One side of a transaction: positive is a debit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    pub account: LedgerAccount,
    pub currency: Currency,
    pub amount: Amount,
}

/// The two postings that move `amount` into cash from `counter`.
pub(crate) fn transfer(counter: LedgerAccount, currency: Currency, amount: Amount) -> [Posting; 2] {
    let other = Amount::from_raw(-amount.raw());
    [Posting { account: LedgerAccount::Cash, currency, amount }, Posting { account: counter, currency, amount: other }]
}

impl FillRecord {
    /// The transaction of this fill: result into cash, fee out of it.
    pub fn postings(&self) -> [Posting; 4] {
        let [cash, result] = transfer(LedgerAccount::TradingResult, self.currency, self.realized);
        let [paid, fee] = transfer(LedgerAccount::Fees, self.currency, Amount::from_raw(-self.fill.fee.raw()));
        [cash, result, paid, fee]
    }
}

/// Something that should not have happened, and what was done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    pub account: Option<AccountId>,
    pub order_id: Option<OrderId>,
    pub text: String,
}

/// Changes of the engine's own settings, as people see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    Halted { reason: String },
    Resumed { reason: String },
    LimitSet { account: AccountId, name: String, value: String },
    AccountOpened { account: AccountId, currency: Currency, amount: Amount },
    StrategyStarted { id: StrategyId, strategy: String },
    StrategyStopped { id: StrategyId, reason: String },
}

macro_rules! records {
    ($($(#[$doc:meta])* $name:ident($type:ty)),* $(,)?) => {
        /// A journaled outcome, owned: what a reader of the journal gets.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        pub enum Record {
            $($(#[$doc])* $name($type)),*
        }
        /// The same, borrowed from the engine's state: what a writer of the journal is handed. Both have one encoding.
        #[derive(Debug, Clone, Copy, PartialEq, Serialize)]
        pub enum RecordRef<'a> {
            $($name(&'a $type)),*
        }
        impl Record {
            pub const fn as_ref(&self) -> RecordRef<'_> {
                match self {
                    $(Self::$name(value) => RecordRef::$name(value)),*
                }
            }
        }
        impl RecordRef<'_> {
            pub fn to_owned(self) -> Record {
                match self {
                    $(Self::$name(value) => Record::$name(value.clone())),*
                }
            }
        }
    };
}

records! {
    /// An order was made or changed: its whole present state.
    Order(Order),
    Fill(FillRecord),
    Decision(Decision),
    Approval(Approval),
    Incident(Incident),
    Notice(Notice),
    /// BLAKE3 of the whole state after everything before this entry.
    StateHash([u8; 32]),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postings_of_a_fill_sum_to_zero() {
        let record = FillRecord {
            order_id: OrderId(1),
            account: AccountId::new("paper").unwrap(),
            instrument: "BTC-PERP.SIM".parse().unwrap(),
            side: Side::Buy,
            actor: Actor::Operator,
            fill: Fill {
                venue_fill_id: "f".into(),
                event_time: Timestamp::EPOCH,
                price: "100".parse().unwrap(),
                qty: "1".parse().unwrap(),
                fee: "0.05".parse().unwrap(),
                liquidity: cw_core::Liquidity::Taker,
            },
            realized: "12.5".parse().unwrap(),
            currency: Currency::USD,
            position: Quantity::ZERO,
            entry_price: None,
        };
        let postings = record.postings();
        assert_eq!(postings.iter().map(|p| p.amount).sum::<Amount>(), Amount::ZERO);
        let cash: Amount = postings.iter().filter(|p| p.account == LedgerAccount::Cash).map(|p| p.amount).sum();
        assert_eq!(cash.to_string(), "12.45");
    }

    #[test]
    fn both_forms_of_a_record_have_one_encoding() {
        let record = Record::Incident(Incident { account: None, order_id: Some(OrderId(3)), text: "x".into() });
        let bytes = postcard::to_stdvec(&record.as_ref()).unwrap();
        assert_eq!(bytes, postcard::to_stdvec(&record).unwrap());
        assert_eq!(postcard::from_bytes::<Record>(&bytes).unwrap(), record);
    }
}
