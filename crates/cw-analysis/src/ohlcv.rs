//! Closed candles as floats: what indicators read.

use cw_core::{Candle, Timestamp};
use serde::{Deserialize, Serialize};

use crate::filter::{BLOCK, Block};
use crate::wide::wide;

/// A candle's prices and volume as the nearest floats. All of them are finite, because [`Candle`] holds integers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ohlcv {
    pub open_time: Timestamp,
    pub open: f64,
    pub high: f64,
    pub low: f64,
    pub close: f64,
    pub volume: f64,
}

impl Ohlcv {
    pub(crate) const EMPTY: Self =
        Self { open_time: Timestamp::EPOCH, open: 0.0, high: 0.0, low: 0.0, close: 0.0, volume: 0.0 };

    /// (high + low) / 2.
    #[inline(always)]
    pub fn median(&self) -> f64 {
        0.5 * (self.high + self.low)
    }
    /// (high + low + close) / 3.
    #[inline(always)]
    pub fn typical(&self) -> f64 {
        typical(self.high, self.low, self.close)
    }
}

/// Times a third, because a division takes several times as long. A third is rounded by so little that three equal
/// prices still give that price.
#[inline(always)]
pub(crate) fn typical(high: f64, low: f64, close: f64) -> f64 {
    (high + low + close) * (1.0 / 3.0)
}

impl From<&Candle> for Ohlcv {
    #[inline]
    fn from(candle: &Candle) -> Self {
        Self {
            open_time: candle.open_time,
            open: candle.open.to_f64(),
            high: candle.high.to_f64(),
            low: candle.low.to_f64(),
            close: candle.close.to_f64(),
            volume: candle.volume.to_f64(),
        }
    }
}

/// Candles by column, oldest first: the input of batch computation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Columns {
    open_time: Vec<Timestamp>,
    open: Vec<f64>,
    high: Vec<f64>,
    low: Vec<f64>,
    close: Vec<f64>,
    volume: Vec<f64>,
}

/// Why columns are no candles.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColumnsError {
    #[error("column {column} has {len} rows, open_time has {expected}")]
    Length { column: &'static str, len: usize, expected: usize },
    #[error("column {column}, row {row}: not a finite number")]
    NotFinite { column: &'static str, row: usize },
}

impl Columns {
    pub fn from_candles(candles: &[Candle]) -> Self {
        let mut columns = Self {
            open_time: Vec::with_capacity(candles.len()),
            open: Vec::with_capacity(candles.len()),
            high: Vec::with_capacity(candles.len()),
            low: Vec::with_capacity(candles.len()),
            close: Vec::with_capacity(candles.len()),
            volume: Vec::with_capacity(candles.len()),
        };
        for candle in candles {
            columns.push(&Ohlcv::from(candle));
        }
        columns
    }

    /// Takes columns as they come from a file or another program. NaN and infinities are refused here, so that nothing
    /// behind this door has to ask again.
    pub fn try_new(
        open_time: Vec<Timestamp>,
        open: Vec<f64>,
        high: Vec<f64>,
        low: Vec<f64>,
        close: Vec<f64>,
        volume: Vec<f64>,
    ) -> Result<Self, ColumnsError> {
        let expected = open_time.len();
        for (column, values) in
            [("open", &open), ("high", &high), ("low", &low), ("close", &close), ("volume", &volume)]
        {
            if values.len() != expected {
                return Err(ColumnsError::Length { column, len: values.len(), expected });
            }
            if let Some(row) = values.iter().position(|value| !value.is_finite()) {
                return Err(ColumnsError::NotFinite { column, row });
            }
        }
        Ok(Self { open_time, open, high, low, close, volume })
    }

    fn push(&mut self, candle: &Ohlcv) {
        self.open_time.push(candle.open_time);
        self.open.push(candle.open);
        self.high.push(candle.high);
        self.low.push(candle.low);
        self.close.push(candle.close);
        self.volume.push(candle.volume);
    }

    pub fn len(&self) -> usize {
        self.open_time.len()
    }
    pub fn is_empty(&self) -> bool {
        self.open_time.is_empty()
    }
    pub fn open_time(&self) -> &[Timestamp] {
        &self.open_time
    }
    pub fn open(&self) -> &[f64] {
        &self.open
    }
    pub fn high(&self) -> &[f64] {
        &self.high
    }
    pub fn low(&self) -> &[f64] {
        &self.low
    }
    pub fn close(&self) -> &[f64] {
        &self.close
    }
    pub fn volume(&self) -> &[f64] {
        &self.volume
    }

    /// The rows before `at`, and those from there.
    pub(crate) fn split(&self, at: usize) -> (ColumnSlice<'_>, ColumnSlice<'_>) {
        (self.slice(0, at), self.slice(at, self.len()))
    }

    /// All rows as one slice per column, for loops without bounds checks.
    pub(crate) fn slice(&self, from: usize, to: usize) -> ColumnSlice<'_> {
        ColumnSlice {
            open_time: &self.open_time[from..to],
            open: &self.open[from..to],
            high: &self.high[from..to],
            low: &self.low[from..to],
            close: &self.close[from..to],
            volume: &self.volume[from..to],
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) struct ColumnSlice<'a> {
    pub(crate) open_time: &'a [Timestamp],
    pub(crate) open: &'a [f64],
    pub(crate) high: &'a [f64],
    pub(crate) low: &'a [f64],
    pub(crate) close: &'a [f64],
    pub(crate) volume: &'a [f64],
}

impl ColumnSlice<'_> {
    pub(crate) fn len(&self) -> usize {
        self.open_time.len()
    }
    pub(crate) fn rows(&self) -> impl Iterator<Item = Ohlcv> {
        (0..self.len()).map(|row| self.row(row))
    }
    /// Without the first rows.
    pub(crate) fn after(&self, skipped: usize) -> Self {
        Self {
            open_time: &self.open_time[skipped..],
            open: &self.open[skipped..],
            high: &self.high[skipped..],
            low: &self.low[skipped..],
            close: &self.close[skipped..],
            volume: &self.volume[skipped..],
        }
    }
    /// The same with the compiler knowing that all columns have one length.
    #[inline]
    pub(crate) fn of_one_length(&self) -> Self {
        let rows = self.len();
        Self {
            open_time: &self.open_time[..rows],
            open: &self.open[..rows],
            high: &self.high[..rows],
            low: &self.low[..rows],
            close: &self.close[..rows],
            volume: &self.volume[..rows],
        }
    }
    #[inline]
    pub(crate) fn first(&self) -> Option<Ohlcv> {
        (self.len() > 0).then(|| self.row(0))
    }
    #[inline]
    pub(crate) fn last(&self) -> Option<Ohlcv> {
        self.len().checked_sub(1).map(|row| self.row(row))
    }
    /// High, low and close of every [`BLOCK`] neighbouring candles.
    #[inline]
    pub(crate) fn sides(&self) -> impl Iterator<Item = [&Block; 3]> {
        let [high, low, close] = [self.high, self.low, self.close].map(|column| column.as_chunks::<BLOCK>().0);
        high.iter().zip(low).zip(close).map(|((high, low), close)| [high, low, close])
    }
    /// The rows behind those.
    #[inline]
    pub(crate) fn rest(&self) -> std::ops::Range<usize> {
        self.len() / BLOCK * BLOCK..self.len()
    }
    #[inline]
    pub(crate) fn row(&self, row: usize) -> Ohlcv {
        Ohlcv {
            open_time: self.open_time[row],
            open: self.open[row],
            high: self.high[row],
            low: self.low[row],
            close: self.close[row],
            volume: self.volume[row],
        }
    }
}

wide! {
    pub(crate) fn typical_prices(candles: &ColumnSlice<'_>, column: &mut [f64]) {
        let sides = candles.high.iter().zip(candles.low).zip(candles.close);
        for (price, ((high, low), close)) in column.iter_mut().zip(sides) {
            *price = typical(*high, *low, *close);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_a_number_stays_outside() {
        let time = vec![Timestamp::EPOCH; 2];
        let ok = || vec![1.0, 2.0];
        let bad = Columns::try_new(time.clone(), ok(), ok(), vec![1.0, f64::NAN], ok(), ok());
        assert_eq!(bad.unwrap_err().to_string(), "column low, row 1: not a finite number");
        let short = Columns::try_new(time, ok(), ok(), ok(), vec![1.0], ok());
        assert_eq!(short.unwrap_err().to_string(), "column close has 1 rows, open_time has 2");
    }
}
