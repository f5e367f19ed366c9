//! Candlestick patterns, as commands tell of them.

use cw_analysis::Columns;
use cw_analysis::candlestick::{self, Direction, PATTERNS};
use cw_api::ApiError;
use cw_api::commands::patterns::{
    PatternDirection, PatternInfo, PatternList, PatternScan, PatternSignal, ScanPatterns,
};

use super::history::default_limit;
use super::{Market, Span};

/// Candles of a file that are looked at by default: patterns are sparse, and a file has an end.
const FILE_LIMIT: u32 = 50_000;

pub(super) fn list() -> PatternList {
    let info = |pattern: &candlestick::Pattern| PatternInfo {
        name: pattern.name.to_owned(),
        ta_lib: pattern.ta_lib.to_owned(),
        title: pattern.title.to_owned(),
        candles: pattern.candles.into(),
        direction: match pattern.direction {
            Direction::Bullish => PatternDirection::Bullish,
            Direction::Bearish => PatternDirection::Bearish,
            Direction::Both => PatternDirection::Both,
            Direction::Neutral => PatternDirection::Neutral,
        },
        doc: pattern.doc.to_owned(),
        source: pattern.source.to_owned(),
    };
    PatternList { patterns: PATTERNS.iter().map(info).collect() }
}

/// A bit for each pattern that is asked for.
fn wanted(only: Option<&[String]>) -> Result<u64, ApiError> {
    let Some(names) = only else { return Ok(u64::MAX) };
    names.iter().try_fold(0, |mask, name| match candlestick::find(name) {
        Some(pattern) => Ok(mask | 1 << pattern),
        None => Err(ApiError::invalid("only", format!("no pattern is named {name:?}; see patterns list"))),
    })
}

impl Market {
    pub(super) async fn patterns(&self, request: ScanPatterns) -> Result<PatternScan, ApiError> {
        let wanted = wanted(request.only.as_deref())?;
        let simulated = self.is_simulated(&request.instrument);
        let limit = match default_limit(request.from, request.to, request.limit) {
            Some(_) if request.limit.is_none() && !simulated => Some(FILE_LIMIT as usize),
            limit => limit,
        };
        let span = Span { from: request.from, to: request.to, limit };
        let shown = self.span(&request.instrument, request.timeframe, span).await?;
        let mut scan = PatternScan { instrument: request.instrument, timeframe: request.timeframe, hits: Vec::new() };
        let (Some(first), Some(last)) = (shown.first(), shown.last()) else { return Ok(scan) };
        // A file's series begins where TA-Lib would begin it; of the simulated market only what patterns look back to.
        let longest = PATTERNS.iter().map(|pattern| usize::from(pattern.warm_up)).max().unwrap_or_default();
        let depth = simulated.then_some(longest + shown.len());
        let span = Span { from: None, to: Some(last.open_time.plus_nanos(1)), limit: depth };
        let candles = self.span(&scan.instrument, scan.timeframe, span).await?;
        let start = candles.partition_point(|c| c.open_time < first.open_time);
        let found = candlestick::scan(&Columns::from_candles(&candles));
        let rows = candles.iter().zip(found.rows()).skip(start).filter(|(_, signals)| signals.any_of(wanted));
        for (candle, signals) in rows {
            let hits = signals.iter().filter(|(pattern, _)| wanted >> pattern & 1 == 1);
            scan.hits.extend(hits.map(|(pattern, signal)| PatternSignal {
                open_time: candle.open_time,
                pattern: PATTERNS[pattern].name.to_owned(),
                signal: signal.into(),
            }));
        }
        Ok(scan)
    }
}
