//! A finished series of candles to a higher timeframe.

use cw_core::{Candle, Timeframe};

/// Folds closed candles, ordered by open time, into candles of `to`.
///
/// `to` must be a multiple of the candles' own timeframe ([`Timeframe::is_multiple_of`]); each candle then lies inside
/// exactly one result. A bucket without candles gives no candle. The first and the last result cover only what was
/// handed in.
pub fn fold(candles: &[Candle], to: Timeframe) -> Vec<Candle> {
    let mut folded: Vec<Candle> = Vec::new();
    let mut end = cw_core::Timestamp::MIN;
    for candle in candles {
        match folded.last_mut() {
            Some(last) if candle.open_time < end => {
                last.high = last.high.max(candle.high);
                last.low = last.low.min(candle.low);
                last.close = candle.close;
                last.volume = last.volume.saturating_add(candle.volume);
            }
            _ => {
                let open_time = to.open_time(candle.open_time);
                end = to.close_time(open_time);
                folded.push(Candle { open_time, ..*candle });
            }
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use cw_core::{Price, Timestamp, Volume};

    use super::*;

    fn candle(time: &str, ohlc: [i64; 4], volume: i128) -> Candle {
        Candle {
            open_time: time.parse::<Timestamp>().unwrap(),
            open: Price::from_raw(ohlc[0]),
            high: Price::from_raw(ohlc[1]),
            low: Price::from_raw(ohlc[2]),
            close: Price::from_raw(ohlc[3]),
            volume: Volume::from_raw(volume),
        }
    }

    #[test]
    fn folds_by_bucket_and_invents_nothing() {
        let minutes = [
            candle("2024-03-31T00:03:00Z", [10, 12, 9, 11], 5),
            candle("2024-03-31T00:04:00Z", [11, 11, 7, 8], 6),
            // 00:05 to 00:10 is silent.
            candle("2024-03-31T00:11:00Z", [8, 9, 8, 9], 1),
        ];
        assert_eq!(
            fold(&minutes, Timeframe::M5),
            [candle("2024-03-31T00:00:00Z", [10, 12, 7, 8], 11), candle("2024-03-31T00:10:00Z", [8, 9, 8, 9], 1),]
        );
        assert_eq!(fold(&minutes, Timeframe::MN1), [candle("2024-03-01T00:00:00Z", [10, 12, 7, 9], 12)]);
        assert_eq!(fold(&[], Timeframe::H1), []);
    }
}
