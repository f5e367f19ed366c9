//! What of a series is there: ranges that were asked for and answered, and the gaps between candles.

use cw_core::{Adjustment, Calendar, InstrumentId, Session, Timeframe, TimeframeUnit, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::Row;

use crate::candles::{CandleQuery, SortOrder};
use crate::db::{reading, writing};
use crate::error::{During, Result, StoreError};
use crate::open::Store;
use crate::series::{Channel, Source, SourceKind};

/// Gaps that one [`SeriesCoverage`] lists; the total is counted beside.
pub const GAPS_LISTED: i64 = 1_000;
/// Candles read at a time when gaps are looked for.
const PAGE: u32 = 100_000;

/// Ranges of a provider that overlap or touch become one. Parameters: the series, a source of the provider, from, to.
pub(crate) const JOINED: &str = "SELECT coalesce(min(CASE WHEN from_time < $3 THEN from_time END), $3), \
     coalesce(max(CASE WHEN to_time > $4 THEN to_time END), $4) FROM coverage WHERE series = $1 \
     AND provider = (SELECT provider FROM sources WHERE id = $2) AND from_time <= $4 AND to_time >= $3";
/// What the joined range replaces.
pub(crate) const FORGET: &str = "DELETE FROM coverage WHERE series = $1 \
     AND provider = (SELECT provider FROM sources WHERE id = $2) AND from_time >= $3 AND to_time <= $4";
pub(crate) const COVER: &str = "INSERT INTO coverage (series, provider, from_time, to_time) \
     SELECT CAST($1 AS BIGINT), provider, CAST($3 AS BIGINT), CAST($4 AS BIGINT) FROM sources WHERE id = $2";

/// From `from` until before `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeRange {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl TimeRange {
    pub const fn new(from: Timestamp, to: Timestamp) -> Self {
        Self { from, to }
    }
    pub fn is_empty(self) -> bool {
        self.from >= self.to
    }
}

/// A stretch between two candles where others would fit. Often a closed market: a file does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    pub from: Timestamp,
    pub to: Timestamp,
    /// How many candles would fit.
    pub missing: u64,
}

/// A range that a provider answered for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoveredRange {
    pub from: Timestamp,
    pub to: Timestamp,
    pub provider: String,
}

/// One series with all that is known about its completeness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SeriesCoverage {
    pub instrument: InstrumentId,
    /// A timeframe, `trades` or `quotes`.
    pub channel: String,
    pub rows: u64,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    pub ranges: Vec<CoveredRange>,
    /// The newest [`GAPS_LISTED`].
    pub gaps: Vec<Gap>,
    pub gaps_total: u64,
    pub missing_total: u64,
    /// What was done to its prices; `None` where nobody said.
    pub adjustment: Option<Adjustment>,
}

impl Store {
    /// Notes that `provider` answered for a range, whether or not the market traded in it.
    pub async fn add_coverage(
        &self,
        instrument: &InstrumentId,
        channel: Channel,
        range: TimeRange,
        provider: &str,
    ) -> Result<()> {
        const WHAT: &str = "noting coverage";
        if range.is_empty() {
            return Err(StoreError::invalid(format!("an empty range: {} to {}", range.from, range.to)));
        }
        let series = self.series(instrument, channel).await?;
        let source = self.source(&Source::new(provider, SourceKind::Backfilled)).await?;
        writing!(self, "noting coverage", |tx, sql| {
            let (from, to): (i64, i64) = sqlx::query_as(sql(JOINED))
                .bind(series)
                .bind(source)
                .bind(range.from.as_nanos())
                .bind(range.to.as_nanos())
                .fetch_one(&mut *tx)
                .await
                .during(WHAT)?;
            for statement in [FORGET, COVER] {
                sqlx::query(sql(statement))
                    .bind(series)
                    .bind(source)
                    .bind(from)
                    .bind(to)
                    .execute(&mut *tx)
                    .await
                    .during(WHAT)?;
            }
        })
    }

    /// The parts of `range` that nobody answered for yet: what has to be fetched.
    pub async fn missing_ranges(
        &self,
        instrument: &InstrumentId,
        channel: Channel,
        range: TimeRange,
    ) -> Result<Vec<TimeRange>> {
        const WHAT: &str = "reading coverage";
        let covered: Vec<(i64, i64)> = match self.find_series(instrument, channel).await? {
            None => Vec::new(),
            Some(series) => reading!(self.db(), |pool, sql| {
                sqlx::query_as(sql("SELECT from_time, to_time FROM coverage WHERE series = $1 AND from_time < $3 \
                     AND to_time > $2 ORDER BY from_time"))
                .bind(series)
                .bind(range.from.as_nanos())
                .bind(range.to.as_nanos())
                .fetch_all(pool)
                .await
                .during(WHAT)
            })?,
        };
        let mut missing = Vec::new();
        let mut open = range.from;
        for (from, to) in covered {
            if Timestamp::from_nanos(from) > open {
                missing.push(TimeRange::new(open, Timestamp::from_nanos(from)));
            }
            open = open.max(Timestamp::from_nanos(to));
        }
        if open < range.to {
            missing.push(TimeRange::new(open, range.to));
        }
        Ok(missing)
    }

    /// What was done to a series' prices, where a provider said.
    pub async fn adjustment(&self, instrument: &InstrumentId, timeframe: Timeframe) -> Result<Option<Adjustment>> {
        let Some(series) = self.find_series(instrument, Channel::Candles(timeframe)).await? else { return Ok(None) };
        let text: Option<String> = reading!(self.db(), |pool, sql| {
            sqlx::query_scalar(sql("SELECT adjustment FROM series WHERE id = $1"))
                .bind(series)
                .fetch_one(pool)
                .await
                .during("reading a series")
        })?;
        Ok(text.and_then(|text| adjustment_of(&text)))
    }

    /// Every series, or those of one instrument: how much is there, which ranges were answered for, which gaps are known.
    pub async fn coverage(&self, instrument: Option<&InstrumentId>) -> Result<Vec<SeriesCoverage>> {
        const WHAT: &str = "reading coverage";
        let series: Vec<(i64, String, String, i64, Option<String>)> = reading!(self.db(), |pool, sql| {
            sqlx::query_as(sql(
                "SELECT id, instrument, channel, rows, adjustment FROM series WHERE ($1 = '' OR instrument = $1) \
                 ORDER BY instrument, channel",
            ))
            .bind(instrument.map(InstrumentId::as_str).unwrap_or_default().to_owned())
            .fetch_all(pool)
            .await
            .during(WHAT)
        })?;
        let mut all = Vec::with_capacity(series.len());
        for (id, instrument, channel, rows, adjustment) in series {
            let mut coverage = self.series_coverage(id, &instrument, channel, rows).await?;
            coverage.adjustment = adjustment.and_then(|text| adjustment_of(&text));
            all.push(coverage);
        }
        Ok(all)
    }

    async fn series_coverage(
        &self,
        series: i64,
        instrument: &str,
        channel: String,
        rows: i64,
    ) -> Result<SeriesCoverage> {
        const WHAT: &str = "reading coverage";
        let ends = match channel.as_str() {
            "trades" => "SELECT min(event_time), max(event_time) FROM trades WHERE series = $1",
            "quotes" => "SELECT min(event_time), max(event_time) FROM quotes WHERE series = $1",
            // Two look-ups at the ends of the index; min and max in one statement would walk the whole series.
            _ => {
                "SELECT (SELECT open_time FROM candles WHERE series = $1 ORDER BY open_time LIMIT 1), \
                 (SELECT open_time FROM candles WHERE series = $1 ORDER BY open_time DESC LIMIT 1)"
            }
        };
        reading!(self.db(), |pool, sql| {
            let (first, last): (Option<i64>, Option<i64>) =
                sqlx::query_as(sql(ends)).bind(series).fetch_one(pool).await.during(WHAT)?;
            let ranges = sqlx::query(sql(
                "SELECT from_time, to_time, provider FROM coverage WHERE series = $1 ORDER BY from_time, provider",
            ))
            .bind(series)
            .fetch_all(pool)
            .await
            .during(WHAT)?;
            let totals: (i64, i64) = sqlx::query_as(sql(
                "SELECT count(*), CAST(coalesce(sum(missing), 0) AS BIGINT) FROM gaps WHERE series = $1",
            ))
            .bind(series)
            .fetch_one(pool)
            .await
            .during(WHAT)?;
            let gaps: Vec<(i64, i64, i64)> = sqlx::query_as(sql("SELECT from_time, to_time, missing FROM gaps \
                 WHERE series = $1 ORDER BY from_time DESC LIMIT $2"))
            .bind(series)
            .bind(GAPS_LISTED)
            .fetch_all(pool)
            .await
            .during(WHAT)?;
            Ok(SeriesCoverage {
                instrument: instrument
                    .parse()
                    .map_err(|error| StoreError::corrupt(format!("a stored instrument: {error}")))?,
                channel,
                rows: rows as u64,
                first: first.map(Timestamp::from_nanos),
                last: last.map(Timestamp::from_nanos),
                ranges: ranges
                    .iter()
                    .map(|row| {
                        Ok(CoveredRange {
                            from: Timestamp::from_nanos(row.try_get(0).during(WHAT)?),
                            to: Timestamp::from_nanos(row.try_get(1).during(WHAT)?),
                            provider: row.try_get(2).during(WHAT)?,
                        })
                    })
                    .collect::<Result<_>>()?,
                gaps: gaps
                    .into_iter()
                    .rev()
                    .map(|(from, to, missing)| Gap {
                        from: Timestamp::from_nanos(from),
                        to: Timestamp::from_nanos(to),
                        missing: missing as u64,
                    })
                    .collect(),
                gaps_total: totals.0 as u64,
                missing_total: totals.1 as u64,
                adjustment: None,
            })
        })
    }

    /// Looks for gaps around and inside a range of candles anew and replaces what the ledger said about it.
    pub async fn update_gaps(
        &self,
        instrument: &InstrumentId,
        timeframe: Timeframe,
        range: TimeRange,
    ) -> Result<Vec<Gap>> {
        let Some(series) = self.find_series(instrument, Channel::Candles(timeframe)).await? else {
            return Ok(Vec::new());
        };
        // From the last candle before to the first one after: a gap may have been closed at either end.
        let before = CandleQuery { to: Some(range.from), ..CandleQuery::newest(1) };
        let after = CandleQuery { from: Some(range.to), limit: Some(1), ..Default::default() };
        let first = self.read_candles(instrument, timeframe, &before).await?.first().map(|c| c.open_time);
        let last = self.read_candles(instrument, timeframe, &after).await?.first().map(|c| c.open_time);
        let calendar = self.instrument(instrument).await?.map_or(Calendar::Continuous, |known| known.calendar());
        let mut finder = GapFinder::new(timeframe).with_calendar(calendar);
        let mut gaps = Vec::new();
        let mut from = first.unwrap_or(range.from);
        let to = last.map_or(range.to, |last| last.plus_nanos(1));
        loop {
            let query =
                CandleQuery { from: Some(from), to: Some(to), limit: Some(PAGE), order: SortOrder::OldestFirst };
            let page = self.read_candles(instrument, timeframe, &query).await?;
            gaps.extend(page.iter().filter_map(|candle| finder.next(candle.open_time)));
            match page.last() {
                Some(last) if page.len() == PAGE as usize => from = last.open_time.plus_nanos(1),
                _ => break,
            }
        }
        self.replace_gaps(series, TimeRange::new(first.unwrap_or(range.from), to), &gaps).await?;
        Ok(gaps)
    }

    pub(crate) async fn replace_gaps(&self, series: i64, range: TimeRange, gaps: &[Gap]) -> Result<()> {
        const WHAT: &str = "writing the gap ledger";
        writing!(self, "writing the gap ledger", |tx, sql| {
            sqlx::query(sql("DELETE FROM gaps WHERE series = $1 AND from_time < $3 AND to_time > $2"))
                .bind(series)
                .bind(range.from.as_nanos())
                .bind(range.to.as_nanos())
                .execute(&mut *tx)
                .await
                .during(WHAT)?;
            for gap in gaps {
                sqlx::query(sql("INSERT INTO gaps (series, from_time, to_time, missing) VALUES ($1, $2, $3, $4)"))
                    .bind(series)
                    .bind(gap.from.as_nanos())
                    .bind(gap.to.as_nanos())
                    .bind(gap.missing as i64)
                    .execute(&mut *tx)
                    .await
                    .during(WHAT)?;
            }
        })
    }
}

fn adjustment_of(text: &str) -> Option<Adjustment> {
    match text {
        "raw" => Some(Adjustment::Raw),
        "splits" => Some(Adjustment::Splits),
        _ => None,
    }
}

/// Finds gaps in open times that come in order. Where the market was closed nothing is missing.
#[derive(Debug)]
pub(crate) struct GapFinder {
    timeframe: Timeframe,
    calendar: Calendar,
    last: Option<Timestamp>,
}

impl GapFinder {
    pub(crate) const fn new(timeframe: Timeframe) -> Self {
        Self { timeframe, calendar: Calendar::Continuous, last: None }
    }

    pub(crate) const fn with_calendar(self, calendar: Calendar) -> Self {
        Self { calendar, ..self }
    }

    /// The gap between the candle before and this one, if there is one.
    pub(crate) fn next(&mut self, open_time: Timestamp) -> Option<Gap> {
        let last = self.last.replace(open_time)?;
        match self.timeframe.unit() {
            _ if self.calendar == Calendar::Continuous => self.between(last, open_time),
            TimeframeUnit::Day if self.timeframe.count() == 1 => self.days(last, open_time),
            // Longer ones are as many as ever, though they do not begin at midnight.
            TimeframeUnit::Day | TimeframeUnit::Week | TimeframeUnit::Month => {
                let gap = self.between(self.timeframe.open_time(last), self.timeframe.open_time(open_time))?;
                Some(Gap { to: open_time, ..gap })
            }
            _ => self.hours(last, open_time),
        }
    }

    fn between(&self, last: Timestamp, open_time: Timestamp) -> Option<Gap> {
        let from = self.timeframe.close_time(last);
        if from >= open_time {
            return None;
        }
        let missing = if let Some(length) = self.timeframe.fixed_nanos() {
            // Candles off the grid may stand closer than one length behind: nothing fits between.
            (open_time.nanos_since(from) / length) as u64
        } else {
            let starts = std::iter::successors(Some(from), |at| Some(self.timeframe.close_time(*at)));
            starts.take_while(|at| *at < open_time).count() as u64
        };
        (missing > 0).then_some(Gap { from, to: open_time, missing })
    }

    /// Daily candles are named by their session's opening or, by some venues, by the midnight of its date.
    fn days(&self, last: Timestamp, open_time: Timestamp) -> Option<Gap> {
        let ends = |at: Timestamp| match self.calendar.span_at(at).session {
            Some(session) => session.close,
            None => self.calendar.session(at.to_civil().date()).map_or(at, |session| session.close),
        };
        let (from, to) = (ends(last), ends(open_time));
        let follow = |session: &Session| self.calendar.session_from(session.close);
        let sessions = std::iter::successors(self.calendar.session_from(from), follow);
        let missed: Vec<Session> = sessions.take_while(|session| session.close < to).collect();
        let (first, last) = (missed.first()?, missed.last()?);
        Some(Gap { from: first.open, to: last.close, missing: missed.len() as u64 })
    }

    fn hours(&self, last: Timestamp, open_time: Timestamp) -> Option<Gap> {
        let length = self.timeframe.approx_nanos();
        let from = self.calendar.window(self.timeframe, last).close_time;
        let mut gap: Option<Gap> = None;
        for (from, to) in self.calendar.open_spans(from, open_time) {
            let missing = (to.nanos_since(from) as u64).div_ceil(length as u64);
            let known = gap.get_or_insert(Gap { from, to, missing: 0 });
            known.to = to;
            known.missing += missing;
        }
        gap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(timeframe: &str, times: &[&str]) -> Vec<(String, String, u64)> {
        find_in(Calendar::Continuous, timeframe, times)
    }

    fn find_in(calendar: Calendar, timeframe: &str, times: &[&str]) -> Vec<(String, String, u64)> {
        let mut finder = GapFinder::new(timeframe.parse().unwrap()).with_calendar(calendar);
        times
            .iter()
            .filter_map(|time| finder.next(time.parse().unwrap()))
            .map(|gap| (gap.from.to_string(), gap.to.to_string(), gap.missing))
            .collect()
    }

    #[test]
    fn a_closed_market_is_no_gap() {
        let gap = |from: &str, to: &str, missing| (from.to_owned(), to.to_owned(), missing);
        let nyse = |timeframe, times: &[&str]| find_in(Calendar::Nyse, timeframe, times);
        // Half a day, a holiday, a day; then a week-end with a missing minute before and two after it.
        let minutes = ["2024-07-03T16:59:00Z", "2024-07-05T13:30:00Z", "2024-07-05T13:31:00Z"];
        assert_eq!(nyse("1m", &minutes), []);
        let minutes = ["2024-07-05T19:58:00Z", "2024-07-08T13:32:00Z"];
        assert_eq!(nyse("1m", &minutes), [gap("2024-07-05T19:59:00Z", "2024-07-08T13:32:00Z", 3)]);
        assert_eq!(nyse("1h", &["2024-07-03T16:30:00Z", "2024-07-05T13:30:00Z"]), []);
        let hours = ["2024-07-03T13:30:00Z", "2024-07-05T13:30:00Z"];
        assert_eq!(nyse("1h", &hours), [gap("2024-07-03T14:30:00Z", "2024-07-03T17:00:00Z", 3)]);
        for days in [
            ["2024-07-02T13:30:00Z", "2024-07-03T13:30:00Z", "2024-07-09T13:30:00Z"],
            ["2024-07-02T00:00:00Z", "2024-07-03T00:00:00Z", "2024-07-09T00:00:00Z"],
        ] {
            assert_eq!(nyse("1d", &days), [gap("2024-07-05T13:30:00Z", "2024-07-08T20:00:00Z", 2)]);
        }
        assert_eq!(nyse("1w", &["2024-10-28T13:30:00Z", "2024-11-04T14:30:00Z"]), []);
        assert_eq!(nyse("1M", &["2024-06-03T13:30:00Z", "2024-07-01T13:30:00Z"]), []);
        assert_eq!(nyse("1M", &["2024-06-03T13:30:00Z", "2024-08-01T13:30:00Z"])[0].2, 1);
        assert_eq!(find_in(Calendar::Fx, "1h", &["2024-07-05T20:00:00Z", "2024-07-07T21:00:00Z"]), []);
        assert_eq!(find_in(Calendar::Fx, "1h", &["2024-07-05T19:00:00Z", "2024-07-07T22:00:00Z"])[0].2, 2);
    }

    #[test]
    fn gaps_are_counted_in_candles() {
        assert_eq!(find("1m", &["2024-01-01T00:00:00Z", "2024-01-01T00:01:00Z"]), []);
        assert_eq!(
            find("1m", &["2024-01-01T00:00:00Z", "2024-01-01T00:04:00Z"]),
            [("2024-01-01T00:01:00Z".to_owned(), "2024-01-01T00:04:00Z".to_owned(), 3)]
        );
        assert_eq!(
            find("1M", &["2024-01-01T00:00:00Z", "2024-04-01T00:00:00Z"]),
            [("2024-02-01T00:00:00Z".to_owned(), "2024-04-01T00:00:00Z".to_owned(), 2)]
        );
        // Half an hour late is not a missing hour.
        assert_eq!(find("1h", &["2024-01-01T00:00:00Z", "2024-01-01T01:30:00Z"]), []);
    }
}
