//! Moments like the present one.

use std::sync::Arc;

use cw_analysis::features;
use cw_analysis::similar::{Findings, Moments, Outcome, Query, SearchError};
use cw_api::ApiError;
use cw_api::commands::similar::{FanPoint, SearchSimilar, SimilarMoment, SimilarMoments, SimilarOutcome};
use cw_core::{Calendar, Candle};
use parking_lot::Mutex;

use super::{Analysis, apart};

/// What a request gets that does not say how much to search.
const DEFAULT_LIMIT: usize = 50_000;
const MOST_LIMIT: usize = 2_000_000;
const MOST_HORIZONS: usize = 16;
/// Candles that stay prepared over all series, some 400 bytes each.
const MOST_PREPARED: usize = 110_000;

impl Analysis {
    pub(super) async fn similar(&self, request: SearchSimilar) -> Result<SimilarMoments, ApiError> {
        let limit = request.limit.map_or(DEFAULT_LIMIT, |limit| (limit as usize).min(MOST_LIMIT));
        let query = query(&request)?;
        let candles = self.candles_to(&request.instrument, request.timeframe, request.at, limit).await?;
        let (prepared, calendar) = (Arc::clone(&self.prepared), self.market.calendar_of(&request.instrument).await?);
        apart(move || {
            let found = prepared.moments(&candles, calendar).and_then(|moments| moments.search(&query));
            view(request, &query, &candles, &found.map_err(|error| refused(&error))?)
        })
        .await
    }
}

/// What the last searches compared with. Making it takes most of a search's time, and a person asks several times about
/// the same moment. It is found by the candles themselves, so that a corrected one is never answered from here.
#[derive(Default)]
pub(super) struct Prepared(Mutex<Vec<Made>>);

struct Made {
    calendar: Calendar,
    candles: Vec<Candle>,
    moments: Arc<Moments>,
}

impl Prepared {
    fn moments(&self, candles: &[Candle], calendar: Calendar) -> Result<Arc<Moments>, SearchError> {
        {
            let mut made = self.0.lock();
            if let Some(at) = made.iter().position(|made| made.calendar == calendar && made.candles == candles) {
                // The newest stand last.
                made[at..].rotate_left(1);
                return Ok(Arc::clone(&made[made.len() - 1].moments));
            }
        }
        let moments = Arc::new(Moments::of(candles, calendar)?);
        if candles.len() <= MOST_PREPARED {
            let mut made = self.0.lock();
            made.push(Made { calendar, candles: candles.to_vec(), moments: Arc::clone(&moments) });
            while made.iter().map(|made| made.candles.len()).sum::<usize>() > MOST_PREPARED {
                made.remove(0);
            }
        }
        Ok(moments)
    }
}

fn query(request: &SearchSimilar) -> Result<Query, ApiError> {
    let mut query = Query::new(0);
    if let Some(horizons) = &request.horizons {
        if horizons.len() > MOST_HORIZONS {
            return Err(ApiError::invalid("horizons", format!("at most {MOST_HORIZONS} horizons at a time")));
        }
        query.horizons = horizons.iter().map(|horizon| *horizon as usize).collect();
    }
    if let Some(top) = request.top {
        query.count = top as usize;
    }
    query.gap = request.gap.map_or_else(|| query.horizons.iter().copied().max().unwrap_or(1), |gap| gap as usize);
    Ok(query)
}

fn refused(error: &SearchError) -> ApiError {
    let field = match error {
        SearchError::NoCandle { .. } | SearchError::WarmingUp { .. } => "at",
        SearchError::Invalid(_) => "horizons",
        SearchError::TooShort { .. } => "limit",
    };
    ApiError::invalid(field, error.to_string())
}

fn view(
    request: SearchSimilar,
    query: &Query,
    candles: &[Candle],
    found: &Findings,
) -> Result<SimilarMoments, ApiError> {
    let last = candles.last().ok_or_else(|| ApiError::not_found("candle"))?;
    let returns = |at: usize| {
        let after = |horizon: &usize| candles[at + horizon].close.to_f64() / candles[at].close.to_f64() - 1.0;
        query.horizons.iter().map(after).collect()
    };
    let moments = found.neighbours.iter().map(|neighbour| SimilarMoment {
        open_time: candles[neighbour.at].open_time,
        likeness: Moments::likeness(neighbour.distance),
        distance: neighbour.distance,
        close: candles[neighbour.at].close,
        returns: returns(neighbour.at),
    });
    let fan = found.fan.iter().map(|step| {
        let [q05, q25, median, q75, q95] = step.quantiles;
        FanPoint { step: step.step as u32, q05, q25, median, q75, q95 }
    });
    Ok(SimilarMoments {
        at: last.open_time,
        close: last.close,
        moments: moments.collect(),
        outcomes: found.outcomes.iter().map(outcome).collect(),
        fan: fan.collect(),
        searched: found.searched as u64,
        searched_from: candles[found.first].open_time,
        searched_to: candles[found.first + found.searched - 1].open_time,
        schema_hash: features::schema_hash().to_owned(),
        note: found.note.clone(),
        instrument: request.instrument,
        timeframe: request.timeframe,
    })
}

fn outcome(outcome: &Outcome) -> SimilarOutcome {
    let [q05, q25, median, q75, q95] = outcome.similar.quantiles;
    let [base_q05, base_q25, base_median, base_q75, base_q95] = outcome.base.quantiles;
    SimilarOutcome {
        horizon: outcome.horizon as u32,
        count: outcome.similar.count as u32,
        up: outcome.similar.up,
        up_low: outcome.up_interval.low,
        up_high: outcome.up_interval.high,
        base_up: outcome.base.up,
        p_value: outcome.p_value,
        p_adjusted: outcome.p_adjusted,
        median,
        median_low: outcome.median_interval.low,
        median_high: outcome.median_interval.high,
        base_median,
        mean: outcome.similar.mean,
        base_mean: outcome.base.mean,
        q05,
        q25,
        q75,
        q95,
        base_q05,
        base_q25,
        base_q75,
        base_q95,
    }
}

#[cfg(test)]
mod tests {
    use cw_core::{Price, Timestamp, Volume};

    use super::*;

    fn candles(seed: i64, len: i64) -> Vec<Candle> {
        let price = |at: i64| Price::from_raw((10_000 + (at * at * 31 + seed * at) % 997) * 10_000_000);
        let candle = |at: i64| {
            let (open, close) = (price(at), price(at + 1));
            let open_time = Timestamp::from_secs(60 * at);
            let volume = Volume::from_raw(1_000_000_000 * i128::from(1 + at % 7));
            Candle { open_time, open, high: open.max(close), low: open.min(close), close, volume }
        };
        (0..len).map(candle).collect()
    }

    #[test]
    fn the_same_candles_are_prepared_once_and_corrected_ones_anew() {
        let prepared = Prepared::default();
        let series = candles(1, 400);
        let first = prepared.moments(&series, Calendar::Continuous).unwrap();
        assert!(Arc::ptr_eq(&first, &prepared.moments(&series.clone(), Calendar::Continuous).unwrap()));
        let mut corrected = series.clone();
        corrected[10].volume = Volume::from_raw(1);
        assert!(!Arc::ptr_eq(&first, &prepared.moments(&corrected, Calendar::Continuous).unwrap()));
        assert!(Arc::ptr_eq(&first, &prepared.moments(&series, Calendar::Continuous).unwrap()), "it is still there");
        assert!(prepared.moments(&series[..50], Calendar::Continuous).is_err());
        // What does not fit any more leaves, the oldest first; the first was asked for since.
        for seed in 2..4 {
            prepared.moments(&candles(seed, MOST_PREPARED as i64 / 2 - 300), Calendar::Continuous).unwrap();
        }
        let kept: Vec<usize> = prepared.0.lock().iter().map(|made| made.candles.len()).collect();
        assert!(kept.iter().sum::<usize>() <= MOST_PREPARED && kept.len() == 3, "{kept:?}");
        assert!(Arc::ptr_eq(&first, &prepared.moments(&series, Calendar::Continuous).unwrap()));
    }
}
