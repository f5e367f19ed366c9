//! Closed candles: of the simulated market from the store and, where it has none, from the provider; of files from the
//! store, folded where a higher timeframe is asked for.

use cw_api::ApiError;
use cw_api::commands::market::{CandleSeries, FormingCandleView, GetCandles};
use cw_core::{Adjustment, Calendar, Candle, FormingCandle, InstrumentId, Timeframe, Timestamp};
use cw_market::{CandleRequest, Provider, ProviderError, Purpose};
use cw_store::{CandleQuery, Channel, Page, SortOrder, Source, SourceKind, TimeRange};
use serde_json::json;

use super::remote::{Fetched, Meter};
use super::{Market, sessions};
use crate::services::jobs::Ticket;
use crate::shared::storage;

/// What a request gets that does not say how much it wants.
const DEFAULT_LIMIT: usize = 500;
/// The simulated market has a past without end; who asks for all of it gets this much.
pub(super) const DEFAULT_HISTORY: usize = 50_000;
/// More candles than this are not answered at once.
pub(super) const MOST: usize = 2_000_000;
/// Candles asked of a provider, and written, at a time.
const PAGE: usize = 50_000;
/// Candles read at first when a file's candles are folded.
const FOLD_PAGE: usize = 2_000;
/// Where the store notes whose candles it keeps: the seed of the simulated market.
const SEED_KEY: &str = "mock.stored_seed";

/// Which candles: open times in [`from`, `to`), the newest `limit` of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::services) struct Span {
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    pub limit: Option<usize>,
}

/// What a request's missing limit means: everything between two ends, the newest 500 otherwise.
pub(super) fn default_limit(from: Option<Timestamp>, to: Option<Timestamp>, limit: Option<u32>) -> Option<usize> {
    match limit {
        Some(limit) => Some(limit as usize),
        None if from.is_some() && to.is_some() => None,
        None => Some(DEFAULT_LIMIT),
    }
}

/// The first open time at or after `time`.
pub(super) fn ceil(timeframe: Timeframe, time: Timestamp) -> Timestamp {
    let open = timeframe.open_time(time);
    if open < time { timeframe.close_time(open) } else { open }
}

/// The open time `count` candles before the open time `to`.
pub(super) fn back(timeframe: Timeframe, to: Timestamp, count: usize) -> Timestamp {
    match timeframe.fixed_nanos() {
        Some(length) => to.plus_nanos(length.saturating_mul(count as i64).saturating_neg()),
        None => (0..count.min(12_000)).fold(to, |time, _| timeframe.open_time(time.plus_nanos(-1))),
    }
}

/// How many candles fit between two open times, roughly for months.
fn count_between(timeframe: Timeframe, from: Timestamp, to: Timestamp) -> usize {
    (to.nanos_since(from).max(0) / timeframe.approx_nanos().max(1)) as usize
}

pub(super) fn refused(error: ProviderError) -> ApiError {
    match error {
        ProviderError::Retryable { .. } | ProviderError::Fatal { .. } => ApiError::unavailable(error.to_string()),
        ProviderError::Refused { reason, .. } => ApiError::invalid("instrument", reason),
    }
}

impl Market {
    /// Closed candles, oldest first; with neither `from` nor `limit`, all that a file has and the newest fifty thousand
    /// of the simulated market.
    pub(in crate::services) async fn span(
        &self,
        instrument: &InstrumentId,
        timeframe: Timeframe,
        span: Span,
    ) -> Result<Vec<Candle>, ApiError> {
        if !self.is_simulated(instrument) {
            let calendar = self.calendar_of(instrument).await?;
            if let Some(provider) = self.venue_of(instrument).filter(|_| !self.shared.read_only) {
                self.refresh(provider, instrument, timeframe, calendar, span).await?;
            }
            return self.stored(instrument, timeframe, calendar, span).await;
        }
        self.instrument(instrument).await?;
        let Some((from, to)) = self.bounds(timeframe, span)? else { return Ok(Vec::new()) };
        if self.shared.read_only {
            return self.provided(instrument, timeframe, from, to).await;
        }
        self.ensure(instrument, timeframe, TimeRange::new(from, to), None).await?;
        let query = CandleQuery { from: Some(from), to: Some(to), ..CandleQuery::default() };
        self.shared.store.read_candles(instrument, timeframe, &query).await.map_err(storage)
    }

    /// The span in whole candles that are closed now. The simulated market never closes, so the newest `limit` candles
    /// lie side by side.
    fn bounds(&self, timeframe: Timeframe, span: Span) -> Result<Option<(Timestamp, Timestamp)>, ApiError> {
        let end = timeframe.open_time(self.now());
        let to = span.to.map_or(end, |to| ceil(timeframe, to).min(end));
        let limit = span.limit.or_else(|| span.from.is_none().then_some(DEFAULT_HISTORY));
        let newest = limit.map(|limit| back(timeframe, to, limit.min(MOST)));
        let from = match (span.from.map(|from| ceil(timeframe, from)), newest) {
            (Some(from), Some(newest)) => from.max(newest),
            (Some(from), None) => from,
            (None, newest) => newest.unwrap_or(to),
        };
        let count = count_between(timeframe, from, to);
        if count > MOST {
            let message = format!("the range holds {count} candles; ask for at most {MOST} at a time");
            return Err(ApiError::invalid("from", message));
        }
        Ok((from < to).then_some((from, to)))
    }

    /// Has every candle of [`from`, `to`), both boundaries, in the store: asks the provider for what nobody asked before.
    ///
    /// Each timeframe is kept as the provider gave it. The simulated one is a pure function of time, so its timeframes
    /// agree with each other, and one rule for all of them needs no folding here.
    pub(super) async fn ensure(
        &self,
        instrument: &InstrumentId,
        timeframe: Timeframe,
        range: TimeRange,
        ticket: Option<&Ticket>,
    ) -> Result<Fetched, ApiError> {
        self.check_seed().await?;
        let store = &self.shared.store;
        let channel = Channel::Candles(timeframe);
        let source = Source::new(self.shared.sim.venue(), SourceKind::Simulated);
        let mut fetched = Fetched::default();
        let missing = store.missing_ranges(instrument, channel, range).await.map_err(storage)?;
        let mut meter = Meter::new(ticket, (instrument, timeframe), range, &missing);
        for range in missing {
            let mut open = range.from;
            while open < range.to {
                let end = ceil(timeframe, open.plus_nanos(timeframe.approx_nanos().saturating_mul(PAGE as i64)));
                let end = end.min(range.to);
                let candles = self.ask(instrument, timeframe, open, end).await?;
                let covered = [TimeRange::new(open, end)];
                let page = Page { candles: &candles, source: &source, covered: &covered, adjustment: Adjustment::Raw };
                let written = store.write_page(instrument, timeframe, page).await.map_err(storage)?;
                fetched.add(&source.provider, candles.len(), written.inserted + written.revised, None);
                meter.page(candles.len(), end);
                open = end;
            }
        }
        Ok(fetched)
    }

    /// The provider's own answer, past the store.
    async fn provided(
        &self,
        instrument: &InstrumentId,
        timeframe: Timeframe,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Candle>, ApiError> {
        let mut all = Vec::new();
        let mut open = from;
        while open < to {
            let end = ceil(timeframe, open.plus_nanos(timeframe.approx_nanos().saturating_mul(PAGE as i64))).min(to);
            all.extend(self.ask(instrument, timeframe, open, end).await?);
            open = end;
        }
        Ok(all)
    }

    pub(super) async fn ask(
        &self,
        instrument: &InstrumentId,
        timeframe: Timeframe,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Candle>, ApiError> {
        let sim = &self.shared.sim;
        // A month is sometimes shorter than thirty days: a page of months may hold some more than its size.
        let limit = sim.capabilities().max_candles.min(2 * PAGE);
        let (instrument, purpose) = (instrument.clone(), Purpose::Look);
        let request = CandleRequest { instrument, timeframe, from: Some(from), to: Some(to), limit, purpose };
        sim.candles(&request).await.map_err(refused)
    }

    /// Candles of another seed are of another market: they are forgotten before they are mixed with those of this one.
    async fn check_seed(&self) -> Result<(), ApiError> {
        let check = async || {
            let store = &self.shared.store;
            let seed = json!(self.shared.sim.market().seed());
            let stored = store.setting(SEED_KEY).await.map_err(storage)?;
            if stored.as_ref() == Some(&seed) {
                return Ok(());
            }
            if stored.is_some() {
                tracing::info!(target: "market", %seed, "the simulated market has another seed; its stored candles are dropped");
                for instrument in self.shared.sim.instruments() {
                    store.delete_market_data(&instrument.id).await.map_err(storage)?;
                }
            }
            store.set_setting(SEED_KEY, &seed).await.map_err(storage)
        };
        self.seed_checked.get_or_try_init(check).await.copied()
    }

    /// Candles of files and venues, at their own timeframe or folded: of venues from what sessions are made of, of files from
    /// the finest one that divides the one asked for.
    pub(super) async fn stored(
        &self,
        instrument: &InstrumentId,
        timeframe: Timeframe,
        calendar: Calendar,
        span: Span,
    ) -> Result<Vec<Candle>, ApiError> {
        let base = Self::base_at_venue(instrument, calendar, timeframe);
        if base == timeframe {
            let candles = self.read_span(instrument, timeframe, span).await?;
            if !candles.is_empty() {
                return Ok(candles);
            }
        }
        let have = self.stored_timeframes(instrument).await?;
        if base == timeframe && have.contains(&timeframe) {
            return Ok(Vec::new());
        }
        if have.is_empty() {
            self.instrument(instrument).await?;
            let message = format!("candle of {instrument}; import a file first");
            return Err(ApiError::not_found(message).with_field("instrument"));
        }
        let made_of = made_of(&have, calendar, timeframe, base);
        if made_of.is_none() && have.contains(&timeframe) {
            // Of a file, or of a time before: better than nothing.
            return self.read_span(instrument, timeframe, span).await;
        }
        let base = made_of.ok_or_else(|| {
            let have: Vec<String> = have.iter().map(Timeframe::to_string).collect();
            let message = format!("{instrument} is stored as {}, of which {timeframe} cannot be made", have.join(", "));
            ApiError::invalid("timeframe", message)
        })?;
        self.folded(instrument, base, timeframe, calendar, span).await
    }

    async fn folded(
        &self,
        instrument: &InstrumentId,
        base: Timeframe,
        timeframe: Timeframe,
        calendar: Calendar,
        span: Span,
    ) -> Result<Vec<Candle>, ApiError> {
        let from = span.from.map(|from| sessions::ceil(calendar, timeframe, from));
        let to = span.to.map(|to| sessions::ceil(calendar, timeframe, to));
        // What is over at the venue; a file is as long as it is.
        let over = self.venue_of(instrument).map(|provider| self.remote_end(provider, base));
        let is_over =
            |candle: &Candle| over.is_none_or(|over| calendar.window(timeframe, candle.open_time).close_time <= over);
        let ratio = (timeframe.approx_nanos() / base.approx_nanos().max(1)).max(1) as usize;
        // Files have holes (nights, week-ends): read backwards until enough candles have come together.
        let mut rows = span.limit.map(|limit| limit.saturating_add(1).saturating_mul(ratio).max(FOLD_PAGE));
        loop {
            let candles = self.read_span(instrument, base, Span { from, to, limit: rows }).await?;
            let cut = rows.is_some_and(|rows| candles.len() == rows);
            let mut folded = cw_market::fold_sessions(&candles, timeframe, calendar);
            if folded.last().is_some_and(|last| !is_over(last)) {
                folded.pop();
            }
            if cut && !folded.is_empty() {
                // The oldest one lacks what was not read.
                folded.remove(0);
            }
            match (span.limit, rows) {
                (Some(limit), Some(read)) if cut && folded.len() < limit => rows = Some(read.saturating_mul(4)),
                (Some(limit), _) => return Ok(folded.split_off(folded.len().saturating_sub(limit))),
                (None, _) => return Ok(folded),
            }
        }
    }

    async fn read_span(
        &self,
        instrument: &InstrumentId,
        timeframe: Timeframe,
        span: Span,
    ) -> Result<Vec<Candle>, ApiError> {
        let Span { from, to, limit } = span;
        let limit = limit.map(|limit| u32::try_from(limit).unwrap_or(u32::MAX));
        // The limit counts from the newest end.
        let order = if limit.is_some() { SortOrder::NewestFirst } else { SortOrder::OldestFirst };
        let query = CandleQuery { from, to, limit, order };
        let mut candles = self.shared.store.read_candles(instrument, timeframe, &query).await.map_err(storage)?;
        if order == SortOrder::NewestFirst {
            candles.reverse();
        }
        Ok(candles)
    }

    /// The timeframes of an instrument that the store has candles of, finest first.
    pub(super) async fn stored_timeframes(&self, instrument: &InstrumentId) -> Result<Vec<Timeframe>, ApiError> {
        let series = self.shared.store.coverage(Some(instrument)).await.map_err(storage)?;
        let mut have: Vec<Timeframe> =
            series.iter().filter(|s| s.rows > 0).filter_map(|s| s.channel.parse().ok()).collect();
        have.sort_unstable();
        Ok(have)
    }

    pub(super) async fn series(&self, request: GetCandles) -> Result<CandleSeries, ApiError> {
        let GetCandles { instrument, timeframe, from, to, limit } = request;
        let limit = default_limit(from, to, limit);
        let newest = self.recent(&instrument, timeframe, Span { from, to, limit }, true).await?;
        let candles = newest.candles;
        let forming = newest.forming.filter(|f| follows(f, candles.last()) && reaches(f, from, to)).map(|f| view(&f));
        let provider = self.provider_of(&instrument);
        Ok(CandleSeries { instrument, timeframe, candles, provider, forming })
    }
}

/// The stored candles that those of `timeframe` are folded from: `base` where it is there, else the finest that divides them.
pub(super) fn made_of(
    have: &[Timeframe],
    calendar: Calendar,
    timeframe: Timeframe,
    base: Timeframe,
) -> Option<Timeframe> {
    let fits = |finer: &Timeframe| timeframe.is_multiple_of(*finer) && !calendar.anchors(*finer);
    let known = Some(base).filter(|base| *base != timeframe && have.contains(base));
    known.or_else(|| have.iter().copied().filter(fits).min())
}

/// Whether a forming candle is newer than the last closed one. Market time may be a moment ahead of the engine, which then
/// still holds a candle open that the provider counts as closed.
pub(super) fn follows(forming: &FormingCandle, last: Option<&Candle>) -> bool {
    last.is_none_or(|last| forming.so_far.open_time > last.open_time)
}

fn reaches(forming: &FormingCandle, from: Option<Timestamp>, to: Option<Timestamp>) -> bool {
    let open_time = forming.so_far.open_time;
    from.is_none_or(|from| open_time >= from) && to.is_none_or(|to| open_time < to)
}

fn view(forming: &FormingCandle) -> FormingCandleView {
    let Candle { open_time, open, high, low, close, volume } = forming.so_far;
    FormingCandleView { open_time, open, high, low, close, volume, as_of: forming.as_of }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn boundaries_step_in_whole_candles() {
        let h1 = Timeframe::H1;
        assert_eq!(ceil(h1, at("2024-01-01T00:00:00Z")), at("2024-01-01T00:00:00Z"));
        assert_eq!(ceil(h1, at("2024-01-01T00:00:01Z")), at("2024-01-01T01:00:00Z"));
        assert_eq!(back(h1, at("2024-01-01T00:00:00Z"), 25), at("2023-12-30T23:00:00Z"));
        assert_eq!(back(Timeframe::MN1, at("2024-03-01T00:00:00Z"), 3), at("2023-12-01T00:00:00Z"));
    }

    #[test]
    fn a_missing_limit_means_all_only_between_two_ends() {
        let (a, b) = (Some(Timestamp::EPOCH), Some(at("2024-01-01")));
        assert_eq!(default_limit(a, b, None), None);
        assert_eq!(default_limit(a, None, None), Some(500));
        assert_eq!(default_limit(None, b, None), Some(500));
        assert_eq!(default_limit(a, b, Some(7)), Some(7));
    }
}
