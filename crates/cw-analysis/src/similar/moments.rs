//! Candles to a library: features, scaled by the past and weighed.

use cw_core::{Calendar, Candle, Timestamp};

use super::{Findings, Library, Query, SearchError};
use crate::features::{self, Bounds, N, Scaler, WARM_UP, features};
use crate::ohlcv::Columns;

/// The candles of one instrument, made searchable.
#[derive(Debug, Clone)]
pub struct Moments {
    library: Library<N>,
    open_times: Vec<Timestamp>,
    scaler: Scaler,
}

impl Moments {
    /// `candles` end with the one that will be asked about: the bounds that scale the features are fitted on all of them,
    /// so nothing later may be among them.
    pub fn of(candles: &[Candle], calendar: Calendar) -> Result<Self, SearchError> {
        let rows = features::batch(&Columns::from_candles(candles), calendar);
        let too_short = SearchError::TooShort { first: WARM_UP - 1, last: candles.len() as i64 - 1 };
        let scaler = Scaler::fit(&rows, Bounds::default()).map_err(|_| too_short)?;
        let mut library = Library::new();
        for (at, candle) in candles.iter().enumerate() {
            let row = at.checked_sub(WARM_UP - 1).map(|row| weighed(scaler.scale(&rows[row])));
            library
                .push(candle.close.to_f64(), row.as_ref())
                .map_err(|_| SearchError::Invalid("a candle has no positive close"))?;
        }
        Ok(Self { library, open_times: candles.iter().map(|candle| candle.open_time).collect(), scaler })
    }

    /// The moments most like the last candle, whatever `query.at` says: the scales know all candles before it.
    pub fn search(&self, query: &Query) -> Result<Findings, SearchError> {
        self.library.search(&Query { at: self.len().saturating_sub(1), ..query.clone() })
    }
    pub fn library(&self) -> &Library<N> {
        &self.library
    }
    pub fn scaler(&self) -> &Scaler {
        &self.scaler
    }
    /// When candle `at` opened.
    pub fn open_time(&self, at: usize) -> Option<Timestamp> {
        self.open_times.get(at).copied()
    }
    pub fn len(&self) -> usize {
        self.open_times.len()
    }
    pub fn is_empty(&self) -> bool {
        self.open_times.is_empty()
    }

    /// A distance as a likeness: 1 is equal, 0 as different as two moments can be.
    pub fn likeness(distance: f64) -> f64 {
        let farthest: f64 =
            features().iter().map(|feature| f64::from(feature.weight) * f64::from(feature.weight)).sum();
        1.0 - distance / farthest.sqrt()
    }
}

/// Each feature by what it counts for in a comparison.
fn weighed(mut row: [f32; N]) -> [f32; N] {
    for (value, feature) in row.iter_mut().zip(features()) {
        *value *= feature.weight;
    }
    row
}

#[cfg(test)]
mod tests {
    use cw_core::{Price, Volume};

    use super::*;

    /// A walk in which the same 60 candles return, each time at another price and with some noise.
    fn walk_with_motif(seed: u64, planted: &[usize], len: usize) -> Vec<Candle> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 53) as f64
        };
        let motif: Vec<[f64; 4]> = (0..60).map(|_| [next() - 0.5, next(), next(), next()]).collect();
        let mut close = 100.0;
        (0..len)
            .map(|at| {
                let place = planted.iter().find_map(|end| {
                    (end + 1).checked_sub(60).filter(|from| (*from..=*end).contains(&at)).map(|from| at - from)
                });
                let fresh = [next() - 0.5, next(), next(), next()];
                let noise = 0.05 * (next() - 0.5);
                let [change, up, down, volume] = place.map_or(fresh, |place| motif[place].map(|value| value + noise));
                let open = close;
                close *= 1.0 + 0.004 * change;
                let high = open.max(close) * (1.0 + 0.001 * up.abs());
                let low = open.min(close) * (1.0 - 0.001 * down.abs());
                let [open, high, low, close] = [open, high, low, close].map(|price| Price::from_f64(price).unwrap());
                Candle {
                    open_time: Timestamp::from_secs(1_700_006_400 + 3_600 * at as i64),
                    open,
                    high,
                    low,
                    close,
                    volume: Volume::from_f64(100.0 + 900.0 * volume.abs()).unwrap(),
                }
            })
            .collect()
    }

    #[test]
    fn a_motif_of_candles_is_found_wherever_it_was() {
        let planted: Vec<usize> = (0..40).map(|k| 700 + 230 * k + (k * k) % 61).collect();
        let len = planted[39] + 1;
        let moments = Moments::of(&walk_with_motif(3, &planted, len), Calendar::Continuous).unwrap();
        let query = Query { count: 39, gap: 20, ..Query::new(len - 1) };
        let found = moments.search(&query).unwrap();
        let recalled =
            planted[..39].iter().filter(|at| found.neighbours.iter().any(|n| n.at.abs_diff(**at) <= 1)).count();
        assert!(recalled >= 38, "{recalled} of 39");
        let likeness = Moments::likeness(found.neighbours[0].distance);
        assert!((0.8..1.0).contains(&likeness), "{likeness}");
        assert_eq!(moments.open_time(found.neighbours[0].at).unwrap().as_nanos() % 3_600_000_000_000, 0);
    }

    #[test]
    fn it_is_always_the_last_candle_that_is_asked_about() {
        let candles = walk_with_motif(5, &[900], 1_101);
        let moments = Moments::of(&candles, Calendar::Continuous).unwrap();
        let found = moments.search(&Query::new(0)).unwrap();
        assert_eq!(found, moments.search(&Query::new(1_100)).unwrap());
        assert!(found.neighbours.iter().all(|n| n.at >= WARM_UP - 1 && n.at + 120 <= 1_100));
        assert!(matches!(Moments::of(&candles[..150], Calendar::Continuous), Err(SearchError::TooShort { .. })));
    }
}
