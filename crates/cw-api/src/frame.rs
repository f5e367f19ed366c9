//! The binary answer of `chart.window`: a small JSON header and columns of floats.
//!
//! Little endian: magic `CWF1` · u32 length of the header · the header, padded with spaces so that what follows starts
//! at a multiple of eight · each column's rows as f64. A viewer reads the columns in place, without a copy.

use bytes::Bytes;
use cw_core::{Cadence, InstrumentId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub const MAGIC: &[u8; 4] = b"CWF1";

/// What a chart frame says about its columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
pub struct ChartHeader {
    pub instrument: InstrumentId,
    pub timeframe: Cadence,
    pub rows: u32,
    /// `time` (Unix seconds), `open`, `high`, `low`, `close`, `volume`, then one per output of the set.
    pub columns: Vec<String>,
    pub price_decimals: u8,
    pub provider: String,
    /// There are older candles.
    pub has_more_before: bool,
    /// The last row is a candle that is not closed yet.
    pub forming: bool,
    /// The venue has not answered yet: this is what is stored, and asking again in a moment shows more.
    #[serde(default)]
    pub catching_up: bool,
}

/// A window of candles with indicators. Each column has `header.rows` values; NaN is warming up.
#[derive(Debug, Clone, PartialEq)]
pub struct ChartFrame {
    pub header: ChartHeader,
    pub columns: Vec<Vec<f64>>,
}

/// Why bytes are not a chart frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a chart frame: {0}")]
pub struct FrameError(&'static str);

impl ChartFrame {
    /// The bytes on the wire. Every column must have `header.rows` values.
    pub fn encode(&self) -> Result<Bytes, FrameError> {
        let rows = self.header.rows as usize;
        if self.columns.len() != self.header.columns.len() || self.columns.iter().any(|c| c.len() != rows) {
            return Err(FrameError("its columns do not match its header"));
        }
        let mut header = serde_json::to_vec(&self.header).map_err(|_| FrameError("its header is not JSON"))?;
        while (header.len() + 8) % 8 != 0 {
            header.push(b' ');
        }
        let mut bytes = Vec::with_capacity(8 + header.len() + self.columns.len() * rows * 8);
        bytes.extend_from_slice(MAGIC);
        let length = u32::try_from(header.len()).map_err(|_| FrameError("its header is too long"))?;
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&header);
        for column in &self.columns {
            for value in column {
                bytes.extend_from_slice(&value.to_le_bytes());
            }
        }
        Ok(bytes.into())
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(FrameError("it does not start with CWF1"))?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or(FrameError("it is cut"))?;
        let length = u32::from_le_bytes(*length) as usize;
        if length > rest.len() {
            return Err(FrameError("it is cut"));
        }
        let (header, rest) = rest.split_at(length);
        let header: ChartHeader = serde_json::from_slice(header).map_err(|_| FrameError("its header is not JSON"))?;
        let rows = header.rows as usize;
        let expected = header.columns.len().checked_mul(rows).and_then(|n| n.checked_mul(8));
        if expected != Some(rest.len()) {
            return Err(FrameError("its length does not match its header"));
        }
        let columns = if rows == 0 {
            vec![Vec::new(); header.columns.len()]
        } else {
            let value = |b: &[u8]| f64::from_le_bytes(b.try_into().expect("chunks of eight bytes"));
            rest.chunks_exact(rows * 8).map(|column| column.chunks_exact(8).map(value).collect()).collect()
        };
        Ok(Self { header, columns })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(rows: u32) -> ChartFrame {
        let columns = ["time", "open", "high", "low", "close", "volume", "ema(21)"].map(str::to_owned).to_vec();
        ChartFrame {
            columns: (0..columns.len()).map(|c| (0..rows).map(|r| f64::from(r) + c as f64 / 10.0).collect()).collect(),
            header: ChartHeader {
                instrument: "BTC-PERP.SIM".parse().unwrap(),
                timeframe: "15m".parse().unwrap(),
                rows,
                columns,
                price_decimals: 1,
                provider: "SIM".into(),
                has_more_before: true,
                forming: false,
                catching_up: false,
            },
        }
    }

    #[test]
    fn decode_of_encode_is_identity() {
        for rows in [0, 1, 3, 500] {
            let frame = frame(rows);
            let bytes = frame.encode().unwrap();
            assert_eq!(ChartFrame::decode(&bytes), Ok(frame));
        }
    }

    #[test]
    fn columns_start_at_a_multiple_of_eight() {
        let bytes = frame(2).encode().unwrap();
        let header = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
        assert_eq!((8 + header) % 8, 0);
        assert_eq!(bytes.len(), 8 + header + 7 * 2 * 8);
    }

    #[test]
    fn a_column_of_another_length_is_refused() {
        let mut frame = frame(2);
        frame.columns[3].pop();
        assert!(frame.encode().is_err());
    }

    proptest::proptest! {
        #[test]
        fn hostile_bytes_are_an_error(tail in proptest::collection::vec(proptest::num::u8::ANY, 0..64)) {
            let mut bytes = MAGIC.to_vec();
            bytes.extend(tail);
            proptest::prop_assert!(ChartFrame::decode(&bytes).is_err());
        }
    }
}
