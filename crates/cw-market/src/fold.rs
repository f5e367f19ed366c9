//! A finished series of candles to a higher timeframe.

use cw_core::{Calendar, Candle, Span, Timeframe, Timestamp};

/// Folds closed candles, ordered by open time, into candles of `to`.
///
/// `to` must be a multiple of the candles' own timeframe ([`Timeframe::is_multiple_of`]); each candle then lies inside
/// exactly one result. A bucket without candles gives no candle. The first and the last result cover only what was
/// handed in.
pub fn fold(candles: &[Candle], to: Timeframe) -> Vec<Candle> {
    fold_sessions(candles, to, Calendar::Continuous)
}

/// [`fold`] for a market with sessions: candles from outside of them are in no result whose timeframe is counted from the
/// sessions' beginning ([`Calendar::anchors`]).
pub fn fold_sessions(candles: &[Candle], to: Timeframe, calendar: Calendar) -> Vec<Candle> {
    let anchored = calendar.anchors(to);
    let mut folded: Vec<Candle> = Vec::new();
    let mut end = Timestamp::MIN;
    // The session, or the time between two, that was looked up last.
    let mut span = Span { from: end, to: end, session: None };
    for candle in candles {
        if anchored {
            if candle.open_time >= span.to {
                span = calendar.span_at(candle.open_time);
            }
            if span.session.is_none() {
                continue;
            }
        }
        match folded.last_mut() {
            Some(last) if candle.open_time < end => {
                last.high = last.high.max(candle.high);
                last.low = last.low.min(candle.low);
                last.close = candle.close;
                last.volume = last.volume.saturating_add(candle.volume);
            }
            _ => {
                let window = calendar.window(to, candle.open_time);
                end = window.close_time;
                folded.push(Candle { open_time: window.open_time, ..*candle });
            }
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use cw_core::{Price, Volume};

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

    #[test]
    fn a_daily_candle_is_the_session() {
        let halves = [
            // Before the opening, in it, after it; then the day after the holiday, an hour of summer time later in UTC.
            candle("2024-11-01T13:00:00Z", [5, 5, 1, 5], 1),
            candle("2024-11-01T13:30:00Z", [10, 12, 9, 11], 5),
            candle("2024-11-01T19:30:00Z", [11, 13, 8, 9], 6),
            candle("2024-11-01T20:00:00Z", [9, 99, 9, 99], 7),
            candle("2024-11-04T14:00:00Z", [20, 20, 20, 20], 1),
            candle("2024-11-04T14:30:00Z", [30, 31, 29, 30], 2),
        ];
        let days =
            [candle("2024-11-01T13:30:00Z", [10, 13, 8, 9], 11), candle("2024-11-04T14:30:00Z", [30, 31, 29, 30], 2)];
        assert_eq!(fold_sessions(&halves, Timeframe::D1, Calendar::Nyse), days);
        assert_eq!(
            fold_sessions(&halves, Timeframe::W1, Calendar::Nyse),
            [candle("2024-10-28T13:30:00Z", [10, 13, 8, 9], 11), days[1]]
        );
    }
}
