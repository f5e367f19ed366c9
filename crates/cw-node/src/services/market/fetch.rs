//! Candles on purpose: fetched, at once or as a job, and what of them is there.

use cw_api::ApiError;
use cw_api::commands::backtests::StartedJob;
use cw_api::commands::data::{
    Coverage, CoverageGap, CoverageList, CoveredRange, DataCoverage, FetchData, FetchReport, GapReason, StartFetch,
    TimeRange as RangeView,
};
use cw_core::{InstrumentId, Timeframe, Timestamp};
use cw_market::Purpose;
use cw_store::{OutageQuery, OutageState, SeriesCoverage, TimeRange};
use cw_venues::catalog;

use super::history::ceil;
use super::{FILE, Market};
use crate::services::jobs::Ticket;
use crate::shared::storage;

impl Market {
    fn nobody(instrument: &InstrumentId) -> ApiError {
        let message = match catalog::VENUES.iter().find(|entry| entry.code == instrument.venue()) {
            Some(entry) => {
                format!("{} is switched off; set venues.{}.enabled in the configuration", entry.code, entry.name)
            }
            None => format!("no provider gives candles of {instrument}; import them from a file"),
        };
        ApiError::invalid("instrument", message)
    }

    pub(super) async fn fetch(&self, request: FetchData, ticket: Option<&Ticket>) -> Result<FetchReport, ApiError> {
        self.shared.writable()?;
        let FetchData { instrument, timeframe, from, to } = request;
        let remote = self.venue_of(&instrument);
        if remote.is_none() && !self.is_simulated(&instrument) {
            return Err(Self::nobody(&instrument));
        }
        let calendar = self.calendar_of(&instrument).await?;
        // Candles of sessions are folded from what is fetched.
        let timeframe = match remote {
            Some(_) => Self::base_at_venue(&instrument, calendar, timeframe),
            None => timeframe,
        };
        let end = match remote {
            Some(provider) => self.remote_end(provider, timeframe),
            None => timeframe.open_time(self.now()),
        };
        let (from, to) = (ceil(timeframe, from), to.map_or(end, |to| ceil(timeframe, to).min(end)));
        let range = TimeRange::new(from, to);
        let mut report =
            FetchReport { instrument, timeframe, fetched: 0, stored: 0, gaps: Vec::new(), providers: Vec::new() };
        if range.is_empty() {
            return Ok(report);
        }
        let fetched = if let Some(provider) = remote {
            self.ensure_remote(provider, &report.instrument, timeframe, range, (Purpose::Fetch, ticket)).await?
        } else {
            self.instrument(&report.instrument).await?;
            self.ensure(&report.instrument, timeframe, range, ticket).await?
        };
        let gaps = self.shared.store.update_gaps(&report.instrument, timeframe, range).await.map_err(storage)?;
        report.fetched = fetched.candles;
        report.stored = fetched.stored;
        report.providers = fetched.providers;
        report.gaps = gaps.iter().map(|gap| RangeView { from: gap.from, to: gap.to }).collect();
        Ok(report)
    }

    pub(super) async fn begin_fetch(&self, request: StartFetch) -> Result<StartedJob, ApiError> {
        self.jobs.check_room()?;
        let StartFetch(request) = request;
        if self.venue_of(&request.instrument).is_none() && !self.is_simulated(&request.instrument) {
            return Err(Self::nobody(&request.instrument));
        }
        let market = self.me.upgrade().ok_or_else(|| ApiError::unavailable("the program is stopping"))?;
        let title = format!("{} {} from {}", request.instrument, request.timeframe, request.from);
        let body = serde_json::to_value(&request).map_err(ApiError::internal)?;
        let work = |ticket: Ticket| async move {
            let fetching = market.fetch(request, Some(&ticket));
            tokio::select! {
                biased;
                () = ticket.canceled.cancelled() => Err(ApiError::conflict("the fetch was canceled")),
                report = fetching => Ok((serde_json::to_value(report?).map_err(ApiError::internal)?, None)),
            }
        };
        Ok(StartedJob { job_id: self.jobs.start("fetch", title, body, work).await? })
    }

    pub(super) async fn covered(&self, request: DataCoverage) -> Result<CoverageList, ApiError> {
        let series = self.shared.store.coverage(request.instrument.as_ref()).await.map_err(storage)?;
        let mut coverage = Vec::with_capacity(series.len());
        for series in series {
            // Trades and quotes are kept as well; they have no timeframe.
            let Ok(timeframe) = series.channel.parse::<Timeframe>() else { continue };
            let (Some(first), Some(last)) = (series.first, series.last) else { continue };
            if request.timeframe.is_some_and(|wanted| wanted != timeframe) {
                continue;
            }
            let known = Known::of(self, &series).await?;
            let gap = |gap: &cw_store::Gap| CoverageGap {
                from: gap.from,
                to: gap.to,
                missing: gap.missing,
                reason: known.reason(gap.from, gap.to),
            };
            coverage.push(Coverage {
                timeframe,
                first,
                last,
                candles: series.rows,
                gap_count: series.gaps_total,
                gaps: series.gaps.iter().map(gap).collect(),
                adjustment: series.adjustment,
                ranges: series.ranges.iter().map(range_view).collect(),
                instrument: series.instrument,
            });
        }
        Ok(CoverageList { coverage })
    }
}

fn range_view(range: &cw_store::CoveredRange) -> CoveredRange {
    CoveredRange { from: range.from, to: range.to, provider: range.provider.clone() }
}

/// What is known of the stretches of a series that have no candles.
pub(super) struct Known {
    /// What a provider answered for, oldest first.
    covered: Vec<TimeRange>,
    pub lost: Vec<cw_store::Outage>,
    only_files: bool,
}

impl Known {
    pub async fn of(market: &Market, series: &SeriesCoverage) -> Result<Self, ApiError> {
        let query = OutageQuery {
            instrument: Some(series.instrument.clone()),
            state: Some(OutageState::Gap),
            limit: u32::MAX,
            ..OutageQuery::default()
        };
        let (_, lost) = market.shared.store.outages(&query).await.map_err(storage)?;
        let asked = series.ranges.iter().filter(|range| range.provider != FILE);
        let covered: Vec<TimeRange> = asked.map(|range| TimeRange::new(range.from, range.to)).collect();
        let only_files = covered.is_empty();
        Ok(Self { covered, lost, only_files })
    }

    /// Why there is nothing in [`from`, `to`).
    pub fn reason(&self, from: Timestamp, to: Timestamp) -> GapReason {
        if self.lost.iter().any(|gap| gap.from < to && gap.to.is_none_or(|end| from < end)) {
            return GapReason::Lost;
        }
        if self.only_files {
            return GapReason::Unknown;
        }
        let mut open = from;
        for range in self.covered.iter().filter(|range| range.to > from && range.from < to) {
            if range.from > open {
                return GapReason::NotFetched;
            }
            open = open.max(range.to);
        }
        if open < to { GapReason::NotFetched } else { GapReason::NoTrades }
    }
}
