//! Instruments, quotes, candles, charts and indicators; files in and out; the simulated market.

mod analysis;
mod asking;
mod chart;
mod fetch;
mod files;
mod forming;
mod history;
pub(crate) mod mock;
mod patterns;
mod provenance;
mod quotes;
mod remote;
mod sessions;
mod symbols;
mod traded;

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use cw_api::commands::{backtests, data, market, patterns as pattern, sources};
use cw_api::frame::ChartFrame;
use cw_api::services::MarketData;
use cw_api::{ApiError, Caller, FileContent};
use cw_core::{Instrument, InstrumentId, Timestamp};
use cw_market::Provider;
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use super::jobs::Jobs;
use crate::shared::{Shared, storage};

use asking::Asking;
pub(super) use chart::{Study, point};
pub(super) use forming::Folder;
pub(super) use history::Span;
use quotes::DayStats;

/// Who gives candles of instruments that only files know.
const FILE: &str = "FILE";

pub(crate) struct Market {
    shared: Arc<Shared>,
    /// What the last 24 hours were, by the engine's instrument number. Filled when first asked for.
    days: Mutex<Vec<DayStats>>,
    /// Set once the stored candles of the simulated market are known to be of its present seed.
    seed_checked: OnceCell<()>,
    /// What venues are being asked for.
    asking: Asking,
    jobs: Arc<Jobs>,
    /// What a job holds on to.
    me: Weak<Self>,
}

impl Market {
    pub fn new(shared: Arc<Shared>, jobs: Arc<Jobs>) -> Arc<Self> {
        let days = shared.directory.instruments().iter().map(|_| DayStats::default()).collect();
        Arc::new_cyclic(|me| Self {
            shared,
            days: Mutex::new(days),
            seed_checked: OnceCell::new(),
            asking: Asking::default(),
            jobs,
            me: Weak::clone(me),
        })
    }

    /// The market's clock, which runs faster or slower than ours.
    pub fn now(&self) -> Timestamp {
        self.shared.sim.clock().now()
    }

    /// What time it is where an instrument trades.
    fn now_of(&self, id: &InstrumentId) -> Timestamp {
        if self.is_simulated(id) {
            return self.now();
        }
        let ours = self.shared.clock.now();
        self.venue_of(id).map_or(ours, |provider| provider.venue_time(ours))
    }

    /// Whether events of an instrument come in.
    fn is_live(&self, id: &InstrumentId) -> bool {
        if self.is_simulated(id) { self.shared.live } else { self.shared.venues.is_followed(id) }
    }

    /// The venue behind a network that an instrument belongs to, when it is switched on.
    fn venue_of(&self, id: &InstrumentId) -> Option<&dyn Provider> {
        self.shared.venues.of(id).map(|provider| &**provider)
    }

    /// Whether the instrument belongs to the simulated market.
    pub fn is_simulated(&self, id: &InstrumentId) -> bool {
        id.venue() == self.shared.sim.venue()
    }

    /// The specification of an instrument, of a venue or of a file.
    pub async fn instrument(&self, id: &InstrumentId) -> Result<Instrument, ApiError> {
        if let Some(instrument) = self.shared.sim.market().instrument(id) {
            return Ok(instrument.clone());
        }
        let stored =
            if self.is_simulated(id) { None } else { self.shared.store.instrument(id).await.map_err(storage)? };
        stored.ok_or_else(|| ApiError::not_found(format!("instrument {id}")).with_field("instrument"))
    }

    /// Who gives the candles of an instrument, as answers name it.
    pub fn provider_of(&self, id: &InstrumentId) -> String {
        match self.venue_of(id) {
            Some(provider) => provider.source(id),
            None => if self.is_simulated(id) { self.shared.sim.venue() } else { FILE }.to_owned(),
        }
    }
}

#[async_trait]
impl MarketData for Market {
    async fn import_data(&self, caller: &Caller, request: data::ImportData) -> Result<data::ImportReport, ApiError> {
        self.import(caller, request).await
    }
    async fn export_data(&self, _: &Caller, request: data::ExportData) -> Result<FileContent, ApiError> {
        self.export(request).await
    }
    async fn fetch_data(&self, _: &Caller, request: data::FetchData) -> Result<data::FetchReport, ApiError> {
        self.fetch(request, None).await
    }
    async fn start_fetch(&self, _: &Caller, request: data::StartFetch) -> Result<backtests::StartedJob, ApiError> {
        self.begin_fetch(request).await
    }
    async fn list_gaps(&self, _: &Caller, request: sources::ListGaps) -> Result<sources::GapList, ApiError> {
        self.gaps(request).await
    }
    async fn list_quarantine(
        &self,
        _: &Caller,
        request: sources::ListQuarantine,
    ) -> Result<sources::QuarantineList, ApiError> {
        self.quarantined(request).await
    }
    async fn provenance(&self, _: &Caller, request: sources::GetProvenance) -> Result<sources::Provenance, ApiError> {
        self.provenance_of(request).await
    }
    async fn search_symbols(
        &self,
        _: &Caller,
        request: market::SearchSymbols,
    ) -> Result<market::FoundSymbols, ApiError> {
        self.found_symbols(request).await
    }
    async fn coverage(&self, _: &Caller, request: data::DataCoverage) -> Result<data::CoverageList, ApiError> {
        self.covered(request).await
    }
    async fn enable_mock(&self, _: &Caller, request: data::EnableMock) -> Result<data::MockState, ApiError> {
        self.mock_on(request).await
    }
    async fn disable_mock(&self, _: &Caller, _: data::DisableMock) -> Result<data::MockState, ApiError> {
        self.mock_off().await
    }
    async fn set_mock_speed(&self, _: &Caller, request: data::SetMockSpeed) -> Result<data::MockState, ApiError> {
        self.mock_speed(request.speed).await
    }
    async fn test_mock(&self, _: &Caller, request: data::TestMock) -> Result<data::MockReport, ApiError> {
        self.mock_test(request).await
    }
    async fn list_symbols(&self, _: &Caller, request: market::ListSymbols) -> Result<market::SymbolList, ApiError> {
        self.symbols(request).await
    }
    async fn add_symbol(&self, _: &Caller, request: market::AddSymbol) -> Result<market::InstrumentView, ApiError> {
        self.put_symbol(request).await
    }
    async fn remove_symbol(
        &self,
        _: &Caller,
        request: market::RemoveSymbol,
    ) -> Result<market::RemovedSymbol, ApiError> {
        self.drop_symbol(request).await
    }
    async fn list_quotes(&self, _: &Caller, request: market::ListQuotes) -> Result<market::QuoteList, ApiError> {
        let numbers = self.quoted(request.instruments.as_deref())?;
        Ok(market::QuoteList { quotes: self.quotes(&numbers).await? })
    }
    async fn get_candles(&self, _: &Caller, request: market::GetCandles) -> Result<market::CandleSeries, ApiError> {
        self.series(request).await
    }
    async fn chart_window(&self, _: &Caller, request: market::GetChartWindow) -> Result<ChartFrame, ApiError> {
        self.window(request).await
    }
    async fn list_indicators(&self, _: &Caller, _: market::ListIndicators) -> Result<market::IndicatorList, ApiError> {
        Ok(analysis::indicators())
    }
    async fn compute_indicators(
        &self,
        _: &Caller,
        request: market::ComputeIndicators,
    ) -> Result<market::IndicatorTable, ApiError> {
        self.compute(request).await
    }
    async fn list_patterns(&self, _: &Caller, _: pattern::ListPatterns) -> Result<pattern::PatternList, ApiError> {
        Ok(patterns::list())
    }
    async fn scan_patterns(
        &self,
        _: &Caller,
        request: pattern::ScanPatterns,
    ) -> Result<pattern::PatternScan, ApiError> {
        self.patterns(request).await
    }
    async fn check_expression(
        &self,
        _: &Caller,
        request: market::CheckExpression,
    ) -> Result<market::ExpressionCheck, ApiError> {
        Ok(analysis::check(&request))
    }
    async fn complete_expression(
        &self,
        _: &Caller,
        request: market::CompleteExpression,
    ) -> Result<market::Completions, ApiError> {
        Ok(analysis::complete(&request))
    }
}

#[cfg(test)]
mod tests;
