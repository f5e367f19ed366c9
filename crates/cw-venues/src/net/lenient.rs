//! Numbers and rows as venues send them: mostly right.

use std::fmt;

use cw_core::{
    Candle, NumberError, Price, Quantity, Quote, Ratio, Rounding, Side, Timeframe, Timestamp, Trade, Volume,
};
use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::health::Health;

/// A number that came as a number or as text. Reading one never fails; what it is shows when it is used, so that one bad
/// field costs its row and not the page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Num {
    Text(String),
    /// `null`, or not there.
    #[default]
    Missing,
    /// A list, an object, a truth value.
    Odd,
}

impl Num {
    fn text(&self) -> Result<&str, String> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Missing => Err("a number is missing".to_owned()),
            Self::Odd => Err("a number is something else".to_owned()),
        }
    }

    /// A price above zero, rounded half to even at nine decimals.
    pub fn price(&self) -> Result<Price, String> {
        let price = Price::parse_rounded(self.text()?, Rounding::HalfEven).map_err(explain)?;
        if price.is_positive() { Ok(price) } else { Err(format!("the price {price}")) }
    }

    /// The price with at most `decimals` decimals: for venues that send floats of single precision.
    pub fn price_rounded(&self, decimals: u8) -> Result<Price, String> {
        let tick = Price::from_raw(10_i64.pow(9 - u32::from(decimals.min(9))));
        let price = self.price()?.round_to(tick, Rounding::HalfEven).map_err(explain)?;
        if price.is_positive() { Ok(price) } else { Err("a price that rounds to zero".to_owned()) }
    }

    /// An amount of zero or more, rounded half to even at nine decimals.
    pub fn quantity(&self) -> Result<Quantity, String> {
        let quantity = Quantity::parse_rounded(self.text()?, Rounding::HalfEven).map_err(explain)?;
        if quantity.is_negative() { Err(format!("the quantity {quantity}")) } else { Ok(quantity) }
    }

    /// A share of one, also below zero, rounded half to even at nine decimals.
    pub fn ratio(&self) -> Result<Ratio, String> {
        Ratio::parse_rounded(self.text()?, Rounding::HalfEven).map_err(explain)
    }

    /// A whole number; digits behind the point are refused.
    pub fn integer(&self) -> Result<i64, String> {
        let raw = Quantity::parse_rounded(self.text()?, Rounding::HalfEven).map_err(explain)?.raw();
        let whole = (raw % 1_000_000_000 == 0).then_some(raw / 1_000_000_000);
        whole.and_then(|whole| i64::try_from(whole).ok()).ok_or_else(|| "a number that is not whole".to_owned())
    }

    /// A moment as milliseconds since 1970, within a century of it.
    pub fn millis(&self) -> Result<Timestamp, String> {
        self.moment(1_000)
    }

    /// A moment as seconds since 1970.
    pub fn seconds(&self) -> Result<Timestamp, String> {
        self.moment(1)
    }

    fn moment(&self, per_second: i64) -> Result<Timestamp, String> {
        let value = self.integer()?;
        if !(0..4_102_444_800 * per_second).contains(&value) {
            return Err(format!("the time {value}"));
        }
        Ok(Timestamp::from_nanos(value * (1_000_000_000 / per_second)))
    }
}

fn explain(error: NumberError) -> String {
    error.to_string()
}

impl<'de> Deserialize<'de> for Num {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Num;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Num, E> {
                // Longer than any number; kept short because it may end in a message.
                Ok(if text.len() > 60 { Num::Odd } else { Num::Text(text.to_owned()) })
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Num, E> {
                Ok(Num::Text(value.to_string()))
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Num, E> {
                Ok(Num::Text(value.to_string()))
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Num, E> {
                // The shortest text that reads back as the same float is what was written.
                Ok(Num::Text(format!("{value:e}")))
            }
            fn visit_unit<E: de::Error>(self) -> Result<Num, E> {
                Ok(Num::Missing)
            }
            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Num, E> {
                Ok(Num::Odd)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Num, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Num::Odd)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Num, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Num::Odd)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// A moment as text, with any offset, in a year in which there were markets like these.
pub fn time(text: &str) -> Result<Timestamp, String> {
    let time = Timestamp::parse(text).map_err(|error| error.to_string())?;
    if (Timestamp::EPOCH..Timestamp::from_secs(4_102_444_800)).contains(&time) {
        Ok(time)
    } else {
        Err(format!("the time {time}"))
    }
}

/// The open time as the venue said it, when a candle of that length can begin there. Another one would land in the wrong
/// place of a chart.
pub fn aligned(timeframe: Timeframe, open_time: Timestamp) -> Result<Timestamp, String> {
    if timeframe.open_time(open_time) == open_time {
        Ok(open_time)
    } else {
        Err(format!("a {timeframe} candle cannot begin at {open_time}"))
    }
}

/// A candle from its numbers, checked.
pub fn candle(open_time: Timestamp, [open, high, low, close]: [&Num; 4], volume: &Num) -> Result<Candle, String> {
    let candle = Candle {
        open_time,
        open: open.price()?,
        high: high.price()?,
        low: low.price()?,
        close: close.price()?,
        volume: Volume::from(volume.quantity()?),
    };
    candle.validate().map_err(|error| error.to_string())?;
    Ok(candle)
}

/// Best bid and ask; sizes that are missing count as zero.
pub fn quote(event_time: Timestamp, bid: (&Num, &Num), ask: (&Num, &Num)) -> Result<Quote, String> {
    let size = |num: &Num| if *num == Num::Missing { Ok(Quantity::ZERO) } else { num.quantity() };
    let (bid_qty, ask_qty) = (size(bid.1)?, size(ask.1)?);
    let quote = Quote { event_time, bid: bid.0.price()?, ask: ask.0.price()?, bid_qty, ask_qty };
    if quote.is_crossed() { Err(format!("bid {} above ask {}", quote.bid, quote.ask)) } else { Ok(quote) }
}

/// A trade of more than nothing.
pub fn trade(
    event_time: Timestamp,
    price: &Num,
    qty: &Num,
    aggressor: Option<Side>,
    trade_id: u64,
) -> Result<Trade, String> {
    let (price, qty) = (price.price()?, qty.quantity()?);
    if qty.is_zero() {
        Err("a trade of nothing".to_owned())
    } else {
        Ok(Trade { event_time, price, qty, aggressor, trade_id })
    }
}

/// Reads one row.
pub fn read<'a, T: Deserialize<'a>>(row: &'a RawValue) -> Result<T, String> {
    serde_json::from_str(row.get()).map_err(|error| error.to_string())
}

/// Reads rows one by one; those that make no sense are counted and left out.
pub fn parse_rows<'a, W: Deserialize<'a>, T>(
    rows: &[&'a RawValue],
    health: &Health,
    mut take: impl FnMut(W) -> Result<T, String>,
) -> Vec<T> {
    let mut taken = Vec::with_capacity(rows.len());
    for row in rows {
        match read::<W>(row).and_then(&mut take) {
            Ok(value) => taken.push(value),
            Err(reason) => health.quarantine(reason, row.get().as_bytes()),
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn num(json: &str) -> Num {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn numbers_are_read_as_they_were_written() {
        for (json, price) in [
            ("138.29", "138.29"),
            ("\"0.01634790\"", "0.0163479"),
            ("1e3", "1000"),
            ("2.5e-7", "0.00000025"),
            ("\"1.0000000005\"", "1"),
            ("0.1234567891", "0.123456789"),
        ] {
            assert_eq!(num(json).price().unwrap().to_string(), price, "{json}");
        }
        assert_eq!(num("166.69000244140625").price_rounded(2).unwrap().to_string(), "166.69");
        assert_eq!(num("895.36742328").quantity().unwrap().to_string(), "895.36742328");
        assert_eq!(num("1e+09").quantity().unwrap().to_string(), "1000000000");
        assert_eq!(num("1499040000000").millis().unwrap().to_string(), "2017-07-03T00:00:00Z");
    }

    #[test]
    fn nonsense_is_an_error_when_it_is_used() {
        for json in
            ["0", "-1", "1e300", "\"NaN\"", "\"inf\"", "\"\"", "null", "true", "[1]", "{\"a\":{}}", "\"1,5\"", "1e-12"]
        {
            assert!(num(json).price().is_err(), "{json}");
        }
        for json in ["1.5", "-1", "1e18", "9999999999999999"] {
            assert!(num(json).millis().is_err(), "{json}");
        }
        assert!(num("0.001").price_rounded(2).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_a_number_or_an_error(text in "\\PC{0,80}") {
            let json = serde_json::to_string(&text).unwrap();
            let num = num(&json);
            let (_, _, _) = (num.price(), num.quantity(), num.millis());
        }

        #[test]
        fn decimals_survive(units in 1i64..9_000_000_000, cents in 0i64..1_000_000) {
            let text = format!("{units}.{cents:06}");
            prop_assert_eq!(num(&format!("\"{text}\"")).price().unwrap(), text.parse().unwrap());
            // As a bare number, up to the fifteen digits that a float holds.
            if text.len() <= 16 {
                prop_assert_eq!(num(&text).price().unwrap(), text.parse().unwrap());
            }
        }
    }
}
