//! MessagePack where a venue speaks it in place of JSON: every message is turned into the JSON that says the same, so
//! that there is one parser and one quarantine for both.
//!
//! Source: github.com/msgpack/msgpack, `spec.md`, with its timestamp extension (type −1).

use cw_core::Timestamp;
use serde_json::Value;

/// Deeper than any message of a venue.
const DEEPEST: u32 = 32;
const TIMESTAMP: i8 = -1;

/// What is wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    #[error("it ends too early")]
    Short,
    #[error("it goes on behind its end")]
    Long,
    #[error("it is nested too deeply")]
    Deep,
    #[error("it has a byte that means nothing, a text that is none, or a name that is no text")]
    Odd,
}

/// The JSON that says what a message says. Times become text; bytes, other extensions and floats that are no numbers become
/// `null`.
pub fn unpack(message: &[u8]) -> Result<Vec<u8>, PackError> {
    let mut reader = Reader { rest: message, json: Vec::with_capacity(message.len() * 2) };
    reader.value(0)?;
    if reader.rest.is_empty() { Ok(reader.json) } else { Err(PackError::Long) }
}

struct Reader<'a> {
    rest: &'a [u8],
    json: Vec<u8>,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], PackError> {
        let (head, rest) = self.rest.split_at_checked(count).ok_or(PackError::Short)?;
        self.rest = rest;
        Ok(head)
    }

    /// An unsigned number of `count` bytes, the highest first.
    fn number(&mut self, count: usize) -> Result<u64, PackError> {
        Ok(self.take(count)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn length(&mut self, count: usize) -> Result<usize, PackError> {
        usize::try_from(self.number(count)?).map_err(|_| PackError::Short)
    }

    fn put(&mut self, value: &impl serde::Serialize) -> Result<(), PackError> {
        serde_json::to_writer(&mut self.json, value).map_err(|_| PackError::Odd)
    }

    fn value(&mut self, depth: u32) -> Result<(), PackError> {
        if depth > DEEPEST {
            return Err(PackError::Deep);
        }
        let marker = self.take(1)?[0];
        match marker {
            0x00..=0x7f => self.put(&marker),
            0x80..=0x8f => self.map(usize::from(marker & 0x0f), depth),
            0x90..=0x9f => self.array(usize::from(marker & 0x0f), depth),
            0xa0..=0xbf => self.text(usize::from(marker & 0x1f)),
            0xc0 => self.put(&()),
            0xc1 => Err(PackError::Odd),
            0xc2 | 0xc3 => self.put(&(marker == 0xc3)),
            0xc4..=0xc6 => {
                let length = self.length(1 << (marker - 0xc4))?;
                self.take(length)?;
                self.put(&())
            }
            0xc7..=0xc9 => {
                let length = self.length(1 << (marker - 0xc7))?;
                self.extension(length)
            }
            0xca => {
                let bits = self.number(4)? as u32;
                self.put(&f32::from_bits(bits))
            }
            0xcb => {
                let bits = self.number(8)?;
                self.put(&f64::from_bits(bits))
            }
            0xcc..=0xcf => {
                let number = self.number(1 << (marker - 0xcc))?;
                self.put(&number)
            }
            0xd0..=0xd3 => {
                let bytes = 1 << (marker - 0xd0);
                let unused = 64 - 8 * bytes as u32;
                // The sign is the first bit of what was sent.
                let number = (self.number(bytes)? << unused) as i64 >> unused;
                self.put(&number)
            }
            0xd4..=0xd8 => self.extension(1 << (marker - 0xd4)),
            0xd9..=0xdb => {
                let length = self.length(1 << (marker - 0xd9))?;
                self.text(length)
            }
            0xdc | 0xdd => {
                let length = self.length(2 << (marker - 0xdc))?;
                self.array(length, depth)
            }
            0xde | 0xdf => {
                let length = self.length(2 << (marker - 0xde))?;
                self.map(length, depth)
            }
            0xe0..=0xff => self.put(&marker.cast_signed()),
        }
    }

    fn text(&mut self, length: usize) -> Result<(), PackError> {
        let text = std::str::from_utf8(self.take(length)?).map_err(|_| PackError::Odd)?;
        self.put(&text)
    }

    fn array(&mut self, length: usize, depth: u32) -> Result<(), PackError> {
        self.json.push(b'[');
        for place in 0..length {
            if place > 0 {
                self.json.push(b',');
            }
            self.value(depth + 1)?;
        }
        self.json.push(b']');
        Ok(())
    }

    fn map(&mut self, length: usize, depth: u32) -> Result<(), PackError> {
        self.json.push(b'{');
        for place in 0..length {
            if place > 0 {
                self.json.push(b',');
            }
            if !matches!(self.rest.first(), Some(0xa0..=0xbf | 0xd9..=0xdb)) {
                return Err(if self.rest.is_empty() { PackError::Short } else { PackError::Odd });
            }
            self.value(depth + 1)?;
            self.json.push(b':');
            self.value(depth + 1)?;
        }
        self.json.push(b'}');
        Ok(())
    }

    fn extension(&mut self, length: usize) -> Result<(), PackError> {
        let kind = self.take(1)?[0].cast_signed();
        let mut data = Reader { rest: self.take(length)?, json: Vec::new() };
        let time = match (kind, length) {
            (TIMESTAMP, 4) => Some((0, data.number(4)?)),
            (TIMESTAMP, 8) => {
                let both = data.number(8)?;
                Some((both >> 34, both & 0x3_ffff_ffff))
            }
            (TIMESTAMP, 12) => Some((data.number(4)?, data.number(8)?)),
            _ => None,
        };
        match time.and_then(|(nanos, seconds)| moment(nanos, seconds.cast_signed())) {
            Some(time) => self.put(&time),
            None => self.put(&()),
        }
    }
}

fn moment(nanos: u64, seconds: i64) -> Option<Timestamp> {
    let nanos = i64::try_from(nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos).map(Timestamp::from_nanos)
}

/// The message that says what a JSON text says.
pub fn pack(json: &str) -> Result<Vec<u8>, serde_json::Error> {
    let mut message = Vec::with_capacity(json.len());
    write(&serde_json::from_str(json)?, &mut message);
    Ok(message)
}

/// A marker with a length in as few bytes as it takes: `short` below `most`, else the marker for one, two or four bytes.
fn head(message: &mut Vec<u8>, length: usize, (short, most): (u8, usize), long: [Option<u8>; 3]) {
    if length < most {
        return message.push(short | length as u8);
    }
    let [one, two, four] = long;
    match (one, two, four) {
        (Some(one), ..) if length < 1 << 8 => message.extend([one, length as u8]),
        (_, Some(two), _) if length < 1 << 16 => {
            message.push(two);
            message.extend((length as u16).to_be_bytes());
        }
        (.., four) => {
            message.extend(four);
            message.extend((length as u32).to_be_bytes());
        }
    }
}

fn write(value: &Value, message: &mut Vec<u8>) {
    match value {
        Value::Null => message.push(0xc0),
        Value::Bool(yes) => message.push(0xc2 | u8::from(*yes)),
        Value::Number(number) => {
            if let Some(number) = number.as_u64() {
                message.push(0xcf);
                message.extend(number.to_be_bytes());
            } else if let Some(number) = number.as_i64() {
                message.push(0xd3);
                message.extend(number.to_be_bytes());
            } else {
                message.push(0xcb);
                message.extend(number.as_f64().unwrap_or(f64::NAN).to_be_bytes());
            }
        }
        Value::String(text) => {
            head(message, text.len(), (0xa0, 32), [Some(0xd9), Some(0xda), Some(0xdb)]);
            message.extend(text.as_bytes());
        }
        Value::Array(all) => {
            head(message, all.len(), (0x90, 16), [None, Some(0xdc), Some(0xdd)]);
            for value in all {
                write(value, message);
            }
        }
        Value::Object(fields) => {
            head(message, fields.len(), (0x80, 16), [None, Some(0xde), Some(0xdf)]);
            for (name, value) in fields {
                write(&Value::String(name.clone()), message);
                write(value, message);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(message: &[u8]) -> Result<String, PackError> {
        unpack(message).map(|json| String::from_utf8(json).unwrap())
    }

    #[test]
    fn every_form_of_the_format_is_read() {
        let long = [&[0xda, 0x01, 0x00][..], &[b'x'; 256]].concat();
        let expected = format!("\"{}\"", "x".repeat(256));
        let good: &[(&[u8], &str)] = &[
            (&[0x7f], "127"),
            (&[0xe0], "-32"),
            (&[0xcc, 0xff], "255"),
            (&[0xcd, 0x01, 0x00], "256"),
            (&[0xce, 0, 1, 0, 0], "65536"),
            (&[0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "18446744073709551615"),
            (&[0xd0, 0x80], "-128"),
            (&[0xd1, 0xff, 0x00], "-256"),
            (&[0xd2, 0xff, 0xff, 0xff, 0xfe], "-2"),
            (&[0xd3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "-1"),
            (&[0xca, 0x3f, 0xc0, 0, 0], "1.5"),
            (&[0xcb, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0], "1.5"),
            (&[0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0], "null"),
            (&[0xc0], "null"),
            (&[0xc3], "true"),
            (&[0xa2, b'"', b'\n'], "\"\\\"\\n\""),
            (&[0xc4, 2, 1, 2], "null"),
            (&[0x92, 0x01, 0x80], "[1,{}]"),
            (&[0xdc, 0, 1, 0xc2], "[false]"),
            (&[0x81, 0xa1, b'a', 0xd9, 1, b'b'], "{\"a\":\"b\"}"),
            (&[0xdf, 0, 0, 0, 1, 0xa1, b'a', 0x02], "{\"a\":2}"),
            // The seconds alone, with nanoseconds in 30 bits, and with a sign.
            (&[0xd6, 0xff, 0x65, 0x53, 0xf1, 0x00], "\"2023-11-14T22:13:20Z\""),
            (&[0xd7, 0xff, 0x77, 0x35, 0x94, 0x00, 0x65, 0x53, 0xf1, 0x00], "\"2023-11-14T22:13:20.5Z\""),
            (&[0xc7, 12, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], "\"1969-12-31T23:59:59Z\""),
            (&[0xd4, 5, 0], "null"),
            (&long, expected.as_str()),
        ];
        for (message, json) in good {
            assert_eq!(text(message).as_deref(), Ok(*json), "{message:02x?}");
        }
        let bad: &[(&[u8], PackError)] = &[
            (&[], PackError::Short),
            (&[0xc1], PackError::Odd),
            (&[0x01, 0x01], PackError::Long),
            (&[0xdd, 0xff, 0xff, 0xff, 0xff], PackError::Short),
            (&[0xdb, 0xff, 0xff, 0xff, 0xff, b'a'], PackError::Short),
            (&[0x81, 0x01, 0x01], PackError::Odd),
            (&[0xa1, 0xff], PackError::Odd),
            (&[0x91; 5_000], PackError::Deep),
        ];
        for (message, error) in bad {
            assert_eq!(unpack(message), Err(*error), "{:02x?}", &message[..message.len().min(8)]);
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<i32>().prop_map(|thousandths| Value::from(f64::from(thousandths) / 1_000.0)),
            "\\PC{0,40}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 20, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..20).prop_map(Value::from),
                prop::collection::vec(("[a-z]{1,6}", inner), 0..20)
                    .prop_map(|all| Value::Object(all.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked_the_same(value in json()) {
            let packed = pack(&value.to_string()).unwrap();
            prop_assert_eq!(serde_json::from_slice::<Value>(&unpack(&packed).unwrap()).unwrap(), value);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(json) = unpack(&bytes) {
                prop_assert!(serde_json::from_slice::<Value>(&json).is_ok());
            }
        }
    }
}
