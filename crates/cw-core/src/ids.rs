//! Names as types: a symbol is never a path, an account never an order.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} \"{value}\" {problem}")]
pub struct IdError {
    pub what: &'static str,
    pub value: String,
    pub problem: String,
}

fn refuse(what: &'static str, value: &str, problem: impl Into<String>) -> IdError {
    IdError { what, value: value.chars().take(60).collect(), problem: problem.into() }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "schema", derive(ts_rs::TS), ts(type = "string"))]
        pub struct $name(Arc<str>);
        crate::schema::text_schema!($name, concat!("The name of one ", $what), "^[!-~]+$");

        impl $name {
            pub fn new(text: &str) -> Result<Self, IdError> {
                let allowed: fn(char) -> bool = $allowed;
                if text.is_empty() {
                    return Err(refuse($what, text, "is empty"));
                }
                if text.len() > $max {
                    return Err(refuse($what, text, concat!("is longer than ", $max, " characters")));
                }
                match text.chars().find(|c| !allowed(*c)) {
                    Some(c) => Err(refuse($what, text, format!("contains {c:?}"))),
                    None => Ok(Self(text.into())),
                }
            }
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        id_traits!($name);
    };
}

/// A name that is made for every order: its text stands in the value itself, so that making and dropping one touches no
/// allocator.
macro_rules! inline_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "schema", derive(ts_rs::TS), ts(type = "string"))]
        pub struct $name {
            /// ASCII, filled up with zeros, which no name contains: comparing it compares the text.
            text: [u8; $max],
            len: u8,
        }
        crate::schema::text_schema!($name, concat!("The name of one ", $what), "^[!-~]+$");

        impl $name {
            pub fn new(text: &str) -> Result<Self, IdError> {
                let allowed = $allowed;
                if text.is_empty() {
                    return Err(refuse($what, text, "is empty"));
                }
                if text.len() > $max {
                    return Err(refuse($what, text, concat!("is longer than ", $max, " characters")));
                }
                // No early exit: names are mostly good, and so the loop runs on many bytes at a time.
                if !text.bytes().fold(true, |good, byte| good & allowed(byte)) {
                    let bad = text.chars().find(|c| !u8::try_from(*c).is_ok_and(allowed));
                    return Err(refuse($what, text, format!("contains {:?}", bad.unwrap_or_default())));
                }
                let mut bytes = [0; $max];
                bytes[..text.len()].copy_from_slice(text.as_bytes());
                Ok(Self { text: bytes, len: text.len() as u8 })
            }
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.text[..usize::from(self.len)]).expect("only ASCII is let in")
            }
        }
        id_traits!($name);
    };
}

macro_rules! id_traits {
    ($name:ident) => {
        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.as_str())
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

const fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

text_id!(
    /// An account of ours at a venue, as the configuration names it: `paper`, `aster-main`.
    AccountId, "account", 40, is_plain
);
inline_id!(
    /// Our own name for an order, unique for ever, at most 36 characters (the tightest venue's limit).
    ClientOrderId, "client order id", 36, |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')
);
inline_id!(
    /// The venue's name for an order.
    VenueOrderId, "venue order id", 64, |b: u8| b.is_ascii_graphic()
);
text_id!(
    /// A running strategy: `ema-cross-1`.
    StrategyId, "strategy", 60, is_plain
);

/// Our number for an order: its place in the order of intents, unique inside one journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS), ts(type = "number"))]
pub struct OrderId(pub u64);

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A symbol and the venue it belongs to: `BTC-PERP.SIM`, `EUR/USD.OANDA`, `BTCUSDT.FILE`.
///
/// The venue is what follows the last point: letters, digits and `-`. The symbol is the venue's own text without
/// control characters, spaces or path tricks (`..`, a leading `/`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(ts_rs::TS), ts(type = "string"))]
pub struct InstrumentId(Arc<str>);
crate::schema::text_schema!(InstrumentId, "SYMBOL.VENUE, for example BTC-PERP.SIM", r"^[^ ]+\.[A-Z0-9-]+$");

impl InstrumentId {
    pub fn new(text: &str) -> Result<Self, IdError> {
        const WHAT: &str = "instrument";
        if text.len() > 48 {
            return Err(refuse(WHAT, text, "is longer than 48 characters"));
        }
        let Some((symbol, venue)) = text.rsplit_once('.') else {
            return Err(refuse(WHAT, text, "has no venue; write SYMBOL.VENUE, for example BTC-PERP.SIM"));
        };
        if venue.is_empty() || !venue.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-') {
            return Err(refuse(WHAT, text, "has a venue that is not upper-case letters, digits or '-'"));
        }
        let symbol_ok =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/' | '=' | '^' | ':' | '.' | '@' | '&');
        if symbol.is_empty()
            || symbol.starts_with(['/', '.'])
            || symbol.contains("..")
            || !symbol.chars().all(symbol_ok)
        {
            return Err(refuse(WHAT, text, "has a symbol that is empty or contains characters no venue uses"));
        }
        Ok(Self(text.into()))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
    pub fn symbol(&self) -> &str {
        self.0.rsplit_once('.').map_or(&*self.0, |(symbol, _)| symbol)
    }
    pub fn venue(&self) -> &str {
        self.0.rsplit_once('.').map_or("", |(_, venue)| venue)
    }
}
id_traits!(InstrumentId);

/// A currency or settlement asset: `USD`, `USDT`, `BTC`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(ts_rs::TS), ts(type = "string"))]
pub struct Currency([u8; 8]);
crate::schema::text_schema!(Currency, "A currency code, for example USD", "^[A-Z0-9]{1,8}$");

impl Currency {
    pub const USD: Self = Self(*b"USD\0\0\0\0\0");
    pub const USDT: Self = Self(*b"USDT\0\0\0\0");

    pub fn new(text: &str) -> Result<Self, IdError> {
        if text.is_empty() || text.len() > 8 || !text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
            return Err(refuse("currency", text, "is not 1 to 8 upper-case letters or digits"));
        }
        let mut code = [0; 8];
        code[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self(code))
    }
    pub fn as_str(&self) -> &str {
        let len = self.0.iter().position(|b| *b == 0).unwrap_or(8);
        std::str::from_utf8(&self.0[..len]).unwrap_or("?")
    }
}
id_traits!(Currency);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instrument_ids_split_at_the_last_point() {
        let id: InstrumentId = "EUR/USD.SIM".parse().unwrap();
        assert_eq!((id.symbol(), id.venue()), ("EUR/USD", "SIM"));
        let id: InstrumentId = "BRK.B.ALPACA".parse().unwrap();
        assert_eq!((id.symbol(), id.venue()), ("BRK.B", "ALPACA"));
    }

    #[test]
    fn instrument_ids_are_never_paths() {
        for text in
            ["../etc/passwd.SIM", "/etc.SIM", "a b.SIM", "BTC", "BTC.", ".SIM", "BTC.sim", "a..b.SIM", "A\n.SIM"]
        {
            assert!(InstrumentId::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn errors_name_what_and_why() {
        let error = AccountId::new("my account").unwrap_err();
        assert_eq!(error.to_string(), "account \"my account\" contains ' '");
        assert!(ClientOrderId::new(&"x".repeat(37)).is_err());
        assert!(ClientOrderId::new("").is_err());
        let error = ClientOrderId::new("zwölf").unwrap_err();
        assert_eq!(error.to_string(), "client order id \"zwölf\" contains 'ö'");
    }

    #[test]
    fn names_in_place_compare_and_read_like_their_text() {
        let mut texts =
            ["b", "a", "ab", "a-1", "Z", "0123456789012345678901234567890123456"].map(|t| &t[..t.len().min(36)]);
        let mut ids = texts.map(|t| ClientOrderId::new(t).unwrap());
        assert_eq!(ids.each_ref().map(ClientOrderId::as_str), texts);
        texts.sort_unstable();
        ids.sort_unstable();
        assert_eq!(ids.each_ref().map(ClientOrderId::as_str), texts);
    }

    #[test]
    fn currencies_round_trip() {
        assert_eq!(Currency::new("USDT").unwrap(), Currency::USDT);
        assert_eq!(Currency::USD.to_string(), "USD");
        assert!(Currency::new("usd").is_err());
    }
}
