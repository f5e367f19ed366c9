//! Market structure, as the command tells of it.

use cw_analysis::Ohlcv;
use cw_analysis::structure::{ChartPattern, Level, Line, Pivot, Regime, Status, Structure, Trend, Volatility};
use cw_api::ApiError;
use cw_api::commands::structure::{
    ChartPatternSide, ChartPatternStatus, ChartPatternView, GetStructure, LevelSide, LevelView, LineView, PivotView,
    RegimeReason, RegimeView, StructureView, TrendLabel, TrendLineView, TrendStrength, VolatilityLabel,
};
use cw_core::{Candle, Timestamp};
use serde::Serialize;

use super::{Analysis, apart};

const DEFAULT_LIMIT: u32 = 2_000;

impl Analysis {
    pub(super) async fn structure(&self, request: GetStructure) -> Result<StructureView, ApiError> {
        let limit = request.limit.unwrap_or(DEFAULT_LIMIT) as usize;
        let candles = self.candles_to(&request.instrument, request.timeframe, request.at, limit).await?;
        apart(move || {
            let last = candles.last().ok_or_else(|| ApiError::not_found("candle"))?;
            let mut structure = Structure::new();
            for candle in &candles {
                structure.push(&Ohlcv::from(candle));
            }
            Ok(view(request, &candles, last, &structure))
        })
        .await
    }
}

/// The word that the library saves a name as.
fn word(name: impl Serialize) -> String {
    serde_json::to_value(name).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn view(request: GetStructure, candles: &[Candle], last: &Candle, structure: &Structure) -> StructureView {
    let now = structure.len() - 1;
    let time = |index: u64| candles.get(index as usize).map_or(last.open_time, |candle| candle.open_time);
    let strength = structure.strength();
    let mut levels: Vec<LevelView> = structure.levels().iter().map(|level| level_view(level, now)).collect();
    levels.sort_by(|a, b| b.strength.total_cmp(&a.strength));
    let patterns = structure.active_patterns().iter().chain(structure.ended_patterns());
    let lines = structure.trend_lines().map(|line| TrendLineView {
        side: if line.is_support() { LevelSide::Support } else { LevelSide::Resistance },
        line: LineView {
            from_time: line.from.time,
            from_price: line.from.price,
            to_time: last.open_time,
            to_price: line.price_at(now),
        },
        touches: line.touches,
        slope: line.slope(),
        confirmed_at: line.to.confirmed_at,
    });
    StructureView {
        instrument: request.instrument,
        timeframe: request.timeframe,
        at: last.open_time,
        close: last.close.to_f64(),
        atr: structure.atr(),
        levels,
        patterns: patterns.map(|pattern| pattern_view(pattern, now, &time)).collect(),
        pivots: structure.pivots().iter().map(pivot_view).collect(),
        trend_lines: lines.collect(),
        regime: structure.regime().map(|regime| regime_view(&regime, &time)),
        strength: TrendStrength {
            adx: strength.adx,
            plus_di: strength.plus_di,
            minus_di: strength.minus_di,
            slope: strength.slope,
            r_squared: strength.r_squared,
        },
    }
}

fn level_view(level: &Level, now: u64) -> LevelView {
    LevelView {
        id: format!("level-{}", level.first_time),
        price: level.price,
        zone: level.zone,
        side: if level.support { LevelSide::Support } else { LevelSide::Resistance },
        touches: level.touches,
        breaks: level.breaks,
        strength: level.strength(now),
        age: level.age(now),
        first_touch: level.first_time,
        last_touch: level.last_time,
        confirmed_at: level.confirmed_at,
    }
}

fn pivot_view(pivot: &Pivot) -> PivotView {
    PivotView { time: pivot.time, price: pivot.price, high: pivot.high, confirmed_at: pivot.confirmed_at }
}

fn pattern_view(pattern: &ChartPattern, now: u64, time: &impl Fn(u64) -> Timestamp) -> ChartPatternView {
    let kind = word(pattern.kind);
    let (first, end) = (pattern.points.first().map_or(pattern.formed_index, |p| p.index), pattern.ended_index);
    let end = end.unwrap_or(now);
    let line = |line: &Line| LineView {
        from_time: time(first),
        from_price: line.price_at(first),
        to_time: time(end),
        to_price: line.price_at(end),
    };
    ChartPatternView {
        id: format!("{kind}-{}", pattern.formed_at),
        kind,
        status: match pattern.status {
            Status::Forming => ChartPatternStatus::Forming,
            Status::Confirmed => ChartPatternStatus::Confirmed,
            Status::Broken => ChartPatternStatus::Broken,
            Status::Failed => ChartPatternStatus::Failed,
        },
        points: pattern.points.iter().map(pivot_view).collect(),
        formed_at: pattern.formed_at,
        confirmed_at: pattern.confirmed_at,
        side: pattern.up.map(|up| if up { ChartPatternSide::Up } else { ChartPatternSide::Down }),
        break_price: pattern.break_price,
        target: pattern.target,
        target_reached_at: pattern.reached_index.map(time),
        retested_at: pattern.retested_index.map(time),
        ended_at: pattern.ended_index.map(time),
        above: pattern.above.as_ref().map(line),
        below: pattern.below.as_ref().map(line),
    }
}

fn trend(trend: Trend) -> TrendLabel {
    match trend {
        Trend::Up => TrendLabel::Up,
        Trend::Down => TrendLabel::Down,
        Trend::Range => TrendLabel::Range,
    }
}

fn volatility(volatility: Volatility) -> VolatilityLabel {
    match volatility {
        Volatility::High => VolatilityLabel::High,
        Volatility::Normal => VolatilityLabel::Normal,
        Volatility::Low => VolatilityLabel::Low,
    }
}

fn regime_view(regime: &Regime, time: &impl Fn(u64) -> Timestamp) -> RegimeView {
    let reasons = regime.reasons.iter();
    RegimeView {
        trend: trend(regime.trend),
        volatility: volatility(regime.volatility),
        confidence: regime.confidence,
        since: time(regime.since_index),
        asks_trend: trend(regime.asks_trend),
        asks_volatility: volatility(regime.asks_volatility),
        range_ratio: regime.range_ratio,
        reasons: reasons.map(|r| RegimeReason { feature: word(r.feature), value: r.value, adds: r.adds }).collect(),
    }
}
