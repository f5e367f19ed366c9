//! What an instrument is: its steps, its currencies, its precision.

use serde::{Deserialize, Serialize};

use crate::ids::{Currency, InstrumentId};
use crate::number::{NumberError, Price, Quantity, Ratio};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum AssetClass {
    Crypto,
    Equity,
    Fx,
    Metal,
    Other,
}

/// What was done to the prices of a series. Both kinds are never mixed in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Adjustment {
    /// As they were paid.
    Raw,
    /// For splits, as of the day they were fetched; dividends are left in.
    Splits,
}

/// Why an order does not fit its instrument.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstrumentError {
    #[error("{field} {value} of {instrument} is not a multiple of its step {step}")]
    OffStep { instrument: InstrumentId, field: &'static str, value: String, step: String },
    #[error("quantity {value} of {instrument} is below the minimum {minimum}")]
    BelowMinimum { instrument: InstrumentId, value: Quantity, minimum: Quantity },
    #[error("{field} of {instrument} must be greater than zero")]
    NotPositive { instrument: InstrumentId, field: &'static str },
}

/// The full specification of something that can be charted or traded. Linear: profit = price change × quantity, in the
/// quote currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instrument {
    pub id: InstrumentId,
    /// What people call it: "Bitcoin perpetual".
    pub name: String,
    pub asset_class: AssetClass,
    /// What one unit is: `BTC`, `AAPL`, `EUR`.
    pub base: String,
    /// What the price and the result are counted in.
    pub quote_currency: Currency,
    /// Smallest price step; zero = any price of nine decimals.
    pub tick_size: Price,
    /// Smallest quantity step; zero = any quantity of nine decimals.
    pub quantity_step: Quantity,
    pub min_quantity: Quantity,
    /// Decimals to show a price with.
    pub price_decimals: u8,
    /// Decimals to show a quantity with.
    pub quantity_decimals: u8,
    /// Fraction of notional that a new position needs as margin: 1 = fully paid, 0.1 = ten times leverage.
    pub initial_margin: Ratio,
    /// Fee as a fraction of notional, for orders that take and that make liquidity.
    pub taker_fee: Ratio,
    pub maker_fee: Ratio,
}

impl Instrument {
    /// An instrument known only from a file: prices and quantities as they come, no fee, fully paid.
    pub fn from_file(id: InstrumentId, price_decimals: u8, quantity_decimals: u8) -> Self {
        let base = id.symbol().to_owned();
        Self {
            name: base.clone(),
            id,
            asset_class: AssetClass::Other,
            base,
            quote_currency: Currency::USD,
            tick_size: Price::ZERO,
            quantity_step: Quantity::ZERO,
            min_quantity: Quantity::ZERO,
            price_decimals,
            quantity_decimals,
            initial_margin: Ratio::ONE,
            taker_fee: Ratio::ZERO,
            maker_fee: Ratio::ZERO,
        }
    }

    /// Checks that a price lies on the tick grid and is greater than zero.
    pub fn check_price(&self, field: &'static str, price: Price) -> Result<(), InstrumentError> {
        if !price.is_positive() {
            return Err(InstrumentError::NotPositive { instrument: self.id.clone(), field });
        }
        if !price.is_multiple_of(self.tick_size) {
            return Err(InstrumentError::OffStep {
                instrument: self.id.clone(),
                field,
                value: price.to_string(),
                step: self.tick_size.to_string(),
            });
        }
        Ok(())
    }

    /// Checks that a quantity lies on the lot grid and is not below the minimum.
    pub fn check_quantity(&self, qty: Quantity) -> Result<(), InstrumentError> {
        if !qty.is_positive() {
            return Err(InstrumentError::NotPositive { instrument: self.id.clone(), field: "quantity" });
        }
        if !qty.is_multiple_of(self.quantity_step) {
            return Err(InstrumentError::OffStep {
                instrument: self.id.clone(),
                field: "quantity",
                value: qty.to_string(),
                step: self.quantity_step.to_string(),
            });
        }
        if qty < self.min_quantity {
            return Err(InstrumentError::BelowMinimum {
                instrument: self.id.clone(),
                value: qty,
                minimum: self.min_quantity,
            });
        }
        Ok(())
    }

    /// Margin that a position of this size needs.
    pub fn margin(&self, price: Price, qty: Quantity) -> Result<crate::Amount, NumberError> {
        price.notional(qty.checked_abs()?)?.scale(self.initial_margin)
    }
}
