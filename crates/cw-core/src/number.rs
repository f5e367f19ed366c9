//! Exact prices, quantities and money as scaled integers.
//!
//! | type | integer | unit | range | for |
//! |---|---|---|---|---|
//! | [`Price`] | `i64` | 10⁻⁹ | ±9.2 × 10⁹ | a price; may be zero or negative (spreads, power) |
//! | [`Quantity`] | `i128` | 10⁻⁹ | ±1.7 × 10²⁹ | ours: orders, fills, positions |
//! | [`Volume`] | `i128` | 10⁻⁹ | ≥ 0 | the market's |
//! | [`Amount`] | `i128` | 10⁻¹⁸ | ±1.7 × 10²⁰ | money without its currency |
//! | [`Money`] | amount + currency | | | balances, fees, results |
//! | [`Ratio`] | `i64` | 10⁻⁹ | | fees, limits, leverage, percentages as fractions |
//!
//! A price times a quantity is an [`Amount`] without any rounding, because 10⁻⁹ × 10⁻⁹ = 10⁻¹⁸.
//! Every operation is checked; every type is text on the wire.

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::decimal;
use crate::ids::Currency;

/// Decimals of [`Price`], [`Quantity`], [`Volume`] and [`Ratio`].
pub(crate) const NANO_SCALE: u32 = 9;
const NANO: i128 = 1_000_000_000;
/// Decimals of [`Amount`].
const ATTO_SCALE: u32 = 18;

/// Why a number could not be read or computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    #[error("\"{0}\" is not a decimal number")]
    Syntax(String),
    #[error("\"{text}\" has more than {decimals} decimals")]
    TooPrecise { text: String, decimals: u32 },
    #[error("number out of range")]
    Overflow,
    #[error("{what} must be {rule}, not {value}")]
    OutOfRange { what: &'static str, rule: &'static str, value: String },
    #[error("cannot mix {0} and {1}")]
    CurrencyMismatch(Currency, Currency),
}

/// How digits that do not fit are dropped. There is no default: a caller says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    /// Towards −∞.
    Floor,
    /// Towards +∞.
    Ceil,
    /// To the nearest, ties to even.
    HalfEven,
}

macro_rules! fixed_point {
    ($(#[$doc:meta])* $name:ident, $int:ty, $scale:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        #[cfg_attr(feature = "schema", derive(ts_rs::TS), ts(type = "string"))]
        pub struct $name($int);
        crate::schema::text_schema!($name, "A decimal number as text", r"^[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?$");

        impl $name {
            pub const ZERO: Self = Self(0);
            pub const MAX: Self = Self(<$int>::MAX);

            /// From the scaled integer itself.
            pub const fn from_raw(raw: $int) -> Self {
                Self(raw)
            }
            /// The scaled integer.
            pub const fn raw(self) -> $int {
                self.0
            }
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }
            pub const fn is_positive(self) -> bool {
                self.0 > 0
            }
            pub const fn is_negative(self) -> bool {
                self.0 < 0
            }
            pub fn checked_add(self, other: Self) -> Result<Self, NumberError> {
                self.0.checked_add(other.0).map(Self).ok_or(NumberError::Overflow)
            }
            pub fn checked_sub(self, other: Self) -> Result<Self, NumberError> {
                self.0.checked_sub(other.0).map(Self).ok_or(NumberError::Overflow)
            }
            pub fn checked_neg(self) -> Result<Self, NumberError> {
                self.0.checked_neg().map(Self).ok_or(NumberError::Overflow)
            }
            pub fn checked_abs(self) -> Result<Self, NumberError> {
                self.0.checked_abs().map(Self).ok_or(NumberError::Overflow)
            }
            /// For indicators, models and chart series only; the float never comes back as money.
            #[inline]
            pub fn to_f64(self) -> f64 {
                #[cold]
                #[inline(never)]
                fn long_way(raw: $int) -> f64 {
                    raw as f64
                }
                // The same float, but one instruction where a wide integer takes a call.
                let raw = i64::try_from(self.0).map_or_else(|_| long_way(self.0), |raw| raw as f64);
                raw / TEN_TO[$scale as usize]
            }
            /// Nearest representable value of a float, for simulated markets and sizing. NaN and infinities are errors.
            pub fn from_f64(value: f64) -> Result<Self, NumberError> {
                let scaled = (value * TEN_TO[$scale as usize]).round_ties_even();
                if scaled.is_finite() && scaled.abs() < <$int>::MAX as f64 {
                    Ok(Self(scaled as $int))
                } else {
                    Err(NumberError::Overflow)
                }
            }
            /// Parses text that may carry more decimals than fit, rounding as told.
            pub fn parse_rounded(text: &str, rounding: Rounding) -> Result<Self, NumberError> {
                decimal::parse(text, $scale, Some(rounding))
                    .and_then(|raw| <$int>::try_from(raw).map(Self).map_err(|_| NumberError::Overflow))
            }
            /// The text with at least `decimals` decimals, as an instrument's precision asks.
            pub fn display(self, decimals: u8) -> impl fmt::Display {
                DisplayFixed { raw: i128::from(self.0), scale: $scale, min: u32::from(decimals).min($scale) }
            }
        }

        impl FromStr for $name {
            type Err = NumberError;
            fn from_str(text: &str) -> Result<Self, NumberError> {
                decimal::parse(text, $scale, None)
                    .and_then(|raw| <$int>::try_from(raw).map(Self).map_err(|_| NumberError::Overflow))
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                decimal::format(i128::from(self.0), $scale, 0, f)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    deserializer.deserialize_any(NumberVisitor)?.parse().map_err(serde::de::Error::custom)
                } else {
                    <$int>::deserialize(deserializer).map(Self)
                }
            }
        }
        impl Sum for $name {
            /// Panics on overflow, which no realistic sum reaches; use `checked_add` on outside data.
            fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
                Self(iter.map(|n| n.0).sum())
            }
        }
    };
}

/// 10ⁿ, exact in a float for every n used here.
const TEN_TO: [f64; 19] =
    [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18];

/// Accepts the text form everywhere and plain JSON numbers, which people and language models write.
struct NumberVisitor;
impl serde::de::Visitor<'_> for NumberVisitor {
    type Value = String;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal number as text")
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<String, E> {
        Ok(value.to_string())
    }
    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<String, E> {
        Ok(value.to_string())
    }
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<String, E> {
        // The shortest text that reads back as the same float is what was written.
        Ok(value.to_string())
    }
}

struct DisplayFixed {
    raw: i128,
    scale: u32,
    min: u32,
}
impl fmt::Display for DisplayFixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        decimal::format(self.raw, self.scale, self.min, f)
    }
}

fixed_point!(
    /// A price, in 10⁻⁹ of the quote currency.
    Price,
    i64,
    NANO_SCALE
);
fixed_point!(
    /// How much of an instrument we order, hold or filled, in 10⁻⁹ of its unit.
    Quantity,
    i128,
    NANO_SCALE
);
fixed_point!(
    /// How much of an instrument the market traded, in 10⁻⁹ of its unit.
    Volume,
    i128,
    NANO_SCALE
);
fixed_point!(
    /// An amount of money whose currency is known from where it stands, in 10⁻¹⁸.
    Amount,
    i128,
    ATTO_SCALE
);
fixed_point!(
    /// A dimensionless fraction: 0.01 is one percent, 0.0001 one basis point, 3 is three times.
    Ratio,
    i64,
    NANO_SCALE
);

impl Price {
    /// price × quantity, exact.
    pub fn notional(self, qty: Quantity) -> Result<Amount, NumberError> {
        i128::from(self.0).checked_mul(qty.0).map(Amount).ok_or(NumberError::Overflow)
    }
    /// The nearest multiple of `tick` in the direction of `rounding`. A zero tick leaves the price as it is.
    pub fn round_to(self, tick: Price, rounding: Rounding) -> Result<Self, NumberError> {
        if tick.0 <= 0 {
            return Ok(self);
        }
        let steps = decimal::div_round(i128::from(self.0), i128::from(tick.0), rounding);
        i64::try_from(steps * i128::from(tick.0)).map(Self).map_err(|_| NumberError::Overflow)
    }
    pub const fn is_multiple_of(self, tick: Price) -> bool {
        tick.0 <= 0 || self.0 % tick.0 == 0
    }
    /// price × ratio, rounded half to even at 10⁻⁹.
    pub fn scale(self, ratio: Ratio) -> Result<Self, NumberError> {
        let raw = decimal::div_round(i128::from(self.0) * i128::from(ratio.0), NANO, Rounding::HalfEven);
        i64::try_from(raw).map(Self).map_err(|_| NumberError::Overflow)
    }
}

impl Quantity {
    /// The nearest multiple of `step` in the direction of `rounding`. A zero step leaves the quantity as it is.
    pub fn round_to(self, step: Quantity, rounding: Rounding) -> Self {
        if step.0 <= 0 { self } else { Self(decimal::div_round(self.0, step.0, rounding) * step.0) }
    }
    pub const fn is_multiple_of(self, step: Quantity) -> bool {
        step.0 <= 0 || self.0 % step.0 == 0
    }
    /// quantity × ratio, rounded half to even at 10⁻⁹.
    pub fn scale(self, ratio: Ratio) -> Result<Self, NumberError> {
        let raw = self.0.checked_mul(i128::from(ratio.0)).ok_or(NumberError::Overflow)?;
        Ok(Self(decimal::div_round(raw, NANO, Rounding::HalfEven)))
    }
}

impl Amount {
    /// amount × ratio, rounded half to even at 10⁻¹⁸.
    pub fn scale(self, ratio: Ratio) -> Result<Self, NumberError> {
        self.mul_div(i128::from(ratio.0), NANO)
    }
    /// amount × numerator ÷ denominator, rounded half to even at 10⁻¹⁸. The denominator is positive.
    pub fn mul_div(self, numerator: i128, denominator: i128) -> Result<Self, NumberError> {
        if denominator <= 0 {
            return Err(NumberError::Overflow);
        }
        // Split so that the product of the quotient part cannot overflow where the result does not.
        let (whole, rest) = (self.0.div_euclid(denominator), self.0.rem_euclid(denominator));
        let high = whole.checked_mul(numerator).ok_or(NumberError::Overflow)?;
        let low = rest.checked_mul(numerator).ok_or(NumberError::Overflow)?;
        high.checked_add(decimal::div_round(low, denominator, Rounding::HalfEven))
            .map(Self)
            .ok_or(NumberError::Overflow)
    }
    /// The price that gives this amount for `qty`, rounded half to even at 10⁻⁹.
    pub fn per_unit(self, qty: Quantity) -> Result<Price, NumberError> {
        if qty.0 == 0 {
            return Err(NumberError::Overflow);
        }
        let (numerator, denominator) = if qty.0 < 0 { (-self.0, -qty.0) } else { (self.0, qty.0) };
        i64::try_from(decimal::div_round(numerator, denominator, Rounding::HalfEven))
            .map(Price)
            .map_err(|_| NumberError::Overflow)
    }
    /// This amount as a fraction of `whole`, rounded half to even at 10⁻⁹; `None` when `whole` is zero.
    pub fn ratio_to(self, whole: Amount) -> Option<Ratio> {
        if whole.0 == 0 {
            return None;
        }
        let (n, d) = if whole.0 < 0 { (-self.0, -whole.0) } else { (self.0, whole.0) };
        // Keep nine more digits where they fit; otherwise both sides are so large that dropping them loses nothing seen.
        let raw = match n.checked_mul(NANO) {
            Some(scaled) => decimal::div_round(scaled, d, Rounding::HalfEven),
            None => decimal::div_round(n, (d / NANO).max(1), Rounding::HalfEven),
        };
        i64::try_from(raw).ok().map(Ratio)
    }
    /// Rounds to `decimals` places, as a currency's statements do.
    pub fn round_to_decimals(self, decimals: u8, rounding: Rounding) -> Self {
        let unit = 10i128.pow(ATTO_SCALE - u32::from(decimals).min(ATTO_SCALE));
        Self(decimal::div_round(self.0, unit, rounding) * unit)
    }
    pub const fn of(self, currency: Currency) -> Money {
        Money { amount: self, currency }
    }
}

impl Volume {
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl From<Quantity> for Volume {
    fn from(qty: Quantity) -> Self {
        Self(qty.0)
    }
}

impl Ratio {
    pub const ONE: Self = Self(1_000_000_000);
    pub const fn from_bps(bps: i64) -> Self {
        Self(bps * 100_000)
    }
}

/// An amount with its currency. Adding two currencies is an error, never a guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    pub amount: Amount,
    pub currency: Currency,
}

impl Money {
    pub const fn new(amount: Amount, currency: Currency) -> Self {
        Self { amount, currency }
    }
    pub const fn zero(currency: Currency) -> Self {
        Self { amount: Amount::ZERO, currency }
    }
    pub fn checked_add(self, other: Self) -> Result<Self, NumberError> {
        if self.currency != other.currency {
            return Err(NumberError::CurrencyMismatch(self.currency, other.currency));
        }
        Ok(Self { amount: self.amount.checked_add(other.amount)?, currency: self.currency })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(text.parse::<Price>().map(|p| p.to_string()).map_err(|e| e.to_string()), Ok(expected.to_owned()));
    }

    #[test]
    fn reads_and_prints_decimals() {
        check("68412.5", "68412.5");
        check("-0.000000001", "-0.000000001");
        check("1.5e-3", "0.0015");
        check("100.00", "100");
        check(".5", "0.5");
        check("0", "0");
        check("+7", "7");
    }

    #[test]
    fn refuses_what_does_not_fit() {
        for (text, expected) in [
            ("", "\"\" is not a decimal number"),
            ("abc", "\"abc\" is not a decimal number"),
            ("NaN", "\"NaN\" is not a decimal number"),
            ("1.2.3", "\"1.2.3\" is not a decimal number"),
            ("1e", "\"1e\" is not a decimal number"),
            ("0.0000000001", "\"0.0000000001\" has more than 9 decimals"),
            ("99999999999", "number out of range"),
        ] {
            assert_eq!(text.parse::<Price>().unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn rounds_only_when_told() {
        assert!("0.09946999000000001".parse::<Price>().is_err());
        let price = Price::parse_rounded("0.09946999000000001", Rounding::HalfEven).unwrap();
        assert_eq!(price.to_string(), "0.09946999");
        assert_eq!(Price::parse_rounded("0.0000000005", Rounding::HalfEven).unwrap().raw(), 0);
        assert_eq!(Price::parse_rounded("0.0000000015", Rounding::HalfEven).unwrap().raw(), 2);
        assert_eq!(Price::parse_rounded("-0.0000000001", Rounding::Floor).unwrap().raw(), -1);
    }

    #[test]
    fn notional_is_exact() {
        let price: Price = "39432.48".parse().unwrap();
        let qty: Quantity = "0.000263".parse().unwrap();
        assert_eq!(price.notional(qty).unwrap().to_string(), "10.37074224");
    }

    #[test]
    fn shows_an_instruments_precision() {
        let price: Price = "68412.5".parse().unwrap();
        assert_eq!(price.display(2).to_string(), "68412.50");
        assert_eq!(Price::ZERO.display(1).to_string(), "0.0");
    }

    #[test]
    fn rounds_to_a_tick() {
        let price: Price = "101.37".parse().unwrap();
        let tick: Price = "0.5".parse().unwrap();
        assert_eq!(price.round_to(tick, Rounding::Floor).unwrap().to_string(), "101");
        assert_eq!(price.round_to(tick, Rounding::Ceil).unwrap().to_string(), "101.5");
        assert_eq!(price.round_to(tick, Rounding::HalfEven).unwrap().to_string(), "101.5");
    }

    #[test]
    fn json_is_text_and_reads_numbers_too() {
        let price: Price = "1.10".parse().unwrap();
        assert_eq!(serde_json::to_string(&price).unwrap(), "\"1.1\"");
        assert_eq!(serde_json::from_str::<Price>("1.1").unwrap(), price);
        assert!(serde_json::from_str::<Price>("true").is_err());
    }

    proptest! {
        #[test]
        fn parse_of_print_is_identity(raw in any::<i64>(), big in any::<i128>()) {
            let price = Price::from_raw(raw);
            prop_assert_eq!(price.to_string().parse::<Price>(), Ok(price));
            let amount = Amount::from_raw(big);
            prop_assert_eq!(amount.to_string().parse::<Amount>(), Ok(amount));
            prop_assert_eq!(postcard::from_bytes::<Amount>(&postcard::to_stdvec(&amount).unwrap()).unwrap(), amount);
        }

        #[test]
        fn parsing_never_panics(text in "[-+0-9.eE]{0,45}") {
            let _unused = text.parse::<Amount>();
            let _unused = Amount::parse_rounded(&text, Rounding::HalfEven);
        }

        #[test]
        fn mul_div_splits_without_loss(amount in -1_000_000_000_000_000_000_000i128..1_000_000_000_000_000_000_000, part in 0i128..1_000_000_000, whole in 1i128..1_000_000_000) {
            let part = part.min(whole);
            let a = Amount::from_raw(amount).mul_div(part, whole).unwrap();
            let exact = amount * part;
            prop_assert!((a.raw() * whole - exact).abs() * 2 <= whole);
        }
    }
}
