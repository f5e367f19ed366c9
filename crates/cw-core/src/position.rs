//! Positions, built from fills and nothing else.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::{AccountId, InstrumentId};
use crate::number::{Amount, NumberError, Price, Quantity};
use crate::order::Side;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum PositionSide {
    Long,
    Short,
    Flat,
}

/// Whether an account keeps one net position per instrument or a long and a short one beside each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum PositionMode {
    #[default]
    Netting,
    Hedge,
}

/// Which position: in netting mode `leg` is `None`, in hedge mode long or short.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PositionKey {
    pub account: AccountId,
    pub instrument: InstrumentId,
    pub leg: Option<PositionSide>,
}

impl PositionKey {
    /// The position that a fill belongs to. In hedge mode a reducing order acts on the opposite leg.
    pub fn for_fill(
        mode: PositionMode,
        account: &AccountId,
        instrument: &InstrumentId,
        side: Side,
        reduce_only: bool,
    ) -> Self {
        let leg = match (mode, side, reduce_only) {
            (PositionMode::Netting, _, _) => None,
            (PositionMode::Hedge, Side::Buy, false) | (PositionMode::Hedge, Side::Sell, true) => {
                Some(PositionSide::Long)
            }
            (PositionMode::Hedge, Side::Sell, false) | (PositionMode::Hedge, Side::Buy, true) => {
                Some(PositionSide::Short)
            }
        };
        Self { account: account.clone(), instrument: instrument.clone(), leg }
    }
}

/// A net quantity with its exact cost.
///
/// `cost` is Σ price × signed quantity of what is still open, so the average entry price is `cost ÷ qty` and no rounding
/// accumulates: closing in parts releases the cost in parts, and the last part takes what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Position {
    /// Positive long, negative short.
    pub signed_qty: Quantity,
    pub cost: Amount,
    /// Result of what was closed, before fees, in the quote currency.
    pub realized: Amount,
    /// Fees paid, in the quote currency.
    pub fees: Amount,
}

/// What a fill did to a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PositionChange {
    pub closed_qty: Quantity,
    pub opened_qty: Quantity,
    /// Result of the closed part, before fees.
    pub realized: Amount,
}

impl Position {
    pub const fn side(&self) -> PositionSide {
        match self.signed_qty.raw() {
            0 => PositionSide::Flat,
            q if q > 0 => PositionSide::Long,
            _ => PositionSide::Short,
        }
    }
    pub fn qty(&self) -> Quantity {
        Quantity::from_raw(self.signed_qty.raw().abs())
    }
    pub fn entry_price(&self) -> Option<Price> {
        self.cost.per_unit(self.signed_qty).ok()
    }
    /// Result if closed at `mark`, before fees.
    pub fn unrealized(&self, mark: Price) -> Result<Amount, NumberError> {
        mark.notional(self.signed_qty)?.checked_sub(self.cost)
    }
    /// Present value of the exposure, signed.
    pub fn notional(&self, mark: Price) -> Result<Amount, NumberError> {
        mark.notional(self.signed_qty)
    }

    /// Books an execution: closes first, and opens the other way with what is left.
    pub fn apply(
        &mut self,
        side: Side,
        qty: Quantity,
        price: Price,
        fee: Amount,
    ) -> Result<PositionChange, NumberError> {
        let signed = qty.raw().checked_mul(side.sign()).ok_or(NumberError::Overflow)?;
        let held = self.signed_qty.raw();
        let closing = if held != 0 && (held > 0) != (signed > 0) { signed.abs().min(held.abs()) } else { 0 };
        let opening = signed.abs() - closing;

        let mut next = *self;
        let mut change = PositionChange::default();
        if closing > 0 {
            let released = if closing == held.abs() { self.cost } else { self.cost.mul_div(closing, held.abs())? };
            let proceeds = price.notional(Quantity::from_raw(closing * held.signum()))?;
            change.realized = proceeds.checked_sub(released)?;
            change.closed_qty = Quantity::from_raw(closing);
            next.cost = next.cost.checked_sub(released)?;
            next.realized = next.realized.checked_add(change.realized)?;
        }
        if opening > 0 {
            change.opened_qty = Quantity::from_raw(opening);
            next.cost = next.cost.checked_add(price.notional(Quantity::from_raw(opening * signed.signum()))?)?;
        }
        next.signed_qty = Quantity::from_raw(held.checked_add(signed).ok_or(NumberError::Overflow)?);
        next.fees = next.fees.checked_add(fee)?;
        *self = next;
        Ok(change)
    }
}

impl fmt::Display for PositionSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Long => "long",
            Self::Short => "short",
            Self::Flat => "flat",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn p(text: &str) -> Price {
        text.parse().unwrap()
    }
    fn q(text: &str) -> Quantity {
        text.parse().unwrap()
    }

    #[test]
    fn add_reduce_flip() {
        let mut position = Position::default();
        position.apply(Side::Buy, q("2"), p("100"), Amount::ZERO).unwrap();
        position.apply(Side::Buy, q("1"), p("103"), Amount::ZERO).unwrap();
        assert_eq!(position.entry_price(), Some(p("101")));
        let change = position.apply(Side::Sell, q("1"), p("110"), Amount::ZERO).unwrap();
        assert_eq!(change.realized.to_string(), "9");
        let change = position.apply(Side::Sell, q("5"), p("90"), Amount::ZERO).unwrap();
        assert_eq!(change.realized.to_string(), "-22");
        assert_eq!((position.signed_qty, position.entry_price()), (q("-3"), Some(p("90"))));
        assert_eq!(position.unrealized(p("80")).unwrap().to_string(), "30");
    }

    #[test]
    fn hedge_mode_keeps_two_legs() {
        let account = AccountId::new("paper").unwrap();
        let instrument = InstrumentId::new("BTC-PERP.SIM").unwrap();
        let leg = |side, reduce| PositionKey::for_fill(PositionMode::Hedge, &account, &instrument, side, reduce).leg;
        assert_eq!(leg(Side::Buy, false), Some(PositionSide::Long));
        assert_eq!(leg(Side::Sell, true), Some(PositionSide::Long));
        assert_eq!(leg(Side::Sell, false), Some(PositionSide::Short));
    }

    proptest! {
        /// Whatever the order of fills: realized + unrealized = cash flow + value of what is held.
        #[test]
        fn result_equals_cash_flow(fills in prop::collection::vec((any::<bool>(), 1i128..5_000_000_000_000, 1i64..90_000_000_000_000), 1..60), mark in 1i64..90_000_000_000_000) {
            let mut position = Position::default();
            let mut cash = 0i128;
            for (buy, qty, price) in fills {
                let side = if buy { Side::Buy } else { Side::Sell };
                let (qty, price) = (Quantity::from_raw(qty), Price::from_raw(price));
                position.apply(side, qty, price, Amount::ZERO).unwrap();
                cash -= side.sign() * price.notional(qty).unwrap().raw();
            }
            let mark = Price::from_raw(mark);
            let result = position.realized.raw() + position.unrealized(mark).unwrap().raw();
            prop_assert_eq!(result, cash + mark.notional(position.signed_qty).unwrap().raw());
            if position.signed_qty.is_zero() {
                prop_assert!(position.cost.is_zero());
            }
        }
    }
}
