//! What the commands ask for. The composition root implements these traits against the engine and the store; tests
//! implement them by hand.
//!
//! One method per command, named by what it does, taking the request as the caller wrote it. A method checks what only it
//! can know (does the order exist); shape, permission and audit are the dispatcher's.

use std::sync::Arc;

use async_trait::async_trait;
use cw_core::Clock;
use futures_util::stream::BoxStream;

use crate::commands::system::{AuditRow, HealthStatus};
use crate::commands::*;
use crate::context::Caller;
use crate::error::ApiError;
use crate::frame::ChartFrame;
use crate::registry::FileContent;
use crate::stream::{Topic, Update};

/// Everything a command may use.
pub struct Services {
    pub trading: Arc<dyn Trading>,
    pub market: Arc<dyn MarketData>,
    pub feeds: Arc<dyn Feeds>,
    pub analysis: Arc<dyn Analysis>,
    pub news: Arc<dyn News>,
    pub backtests: Arc<dyn Backtests>,
    pub journal: Arc<dyn Journal>,
    pub system: Arc<dyn System>,
    pub events: Arc<dyn Events>,
    pub audit: Arc<dyn AuditLog>,
    pub clock: Arc<dyn Clock>,
}

/// Live data.
#[async_trait]
pub trait Events: Send + Sync {
    /// Starts a stream. Its first update is a snapshot. A consumer that falls behind is given a new snapshot, never a
    /// growing queue; orders and fills are always complete in it.
    async fn subscribe(&self, caller: &Caller, topic: Topic) -> Result<BoxStream<'static, Update>, ApiError>;
}

/// Where calls are recorded.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Keeps a row. Rows that are not [`AuditRow::is_durable`] may be kept in the log alone.
    async fn record(&self, row: AuditRow) -> Result<(), ApiError>;
}

/// Orders, positions, accounts, risk, approvals, strategies and their decisions.
#[async_trait]
pub trait Trading: Send + Sync {
    async fn preview_order(
        &self,
        caller: &Caller,
        request: orders::PreviewOrder,
    ) -> Result<orders::OrderPreview, ApiError>;
    async fn place_order(&self, caller: &Caller, request: orders::PlaceOrder) -> Result<orders::PlacedOrder, ApiError>;
    async fn cancel_order(
        &self,
        caller: &Caller,
        request: orders::CancelOrder,
    ) -> Result<orders::CanceledOrder, ApiError>;
    async fn list_orders(&self, caller: &Caller, request: orders::ListOrders) -> Result<orders::OrderList, ApiError>;
    async fn list_positions(
        &self,
        caller: &Caller,
        request: portfolio::ListPositions,
    ) -> Result<portfolio::PositionList, ApiError>;
    async fn close_position(
        &self,
        caller: &Caller,
        request: portfolio::ClosePosition,
    ) -> Result<orders::PlacedOrder, ApiError>;
    async fn list_fills(&self, caller: &Caller, request: portfolio::ListFills)
    -> Result<portfolio::FillList, ApiError>;
    async fn list_accounts(
        &self,
        caller: &Caller,
        request: portfolio::ListAccounts,
    ) -> Result<portfolio::AccountList, ApiError>;
    async fn show_risk(&self, caller: &Caller, request: risk::ShowRisk) -> Result<risk::RiskView, ApiError>;
    async fn set_risk(&self, caller: &Caller, request: risk::SetRisk) -> Result<risk::RiskView, ApiError>;
    async fn halt(&self, caller: &Caller, request: risk::HaltTrading) -> Result<risk::RiskView, ApiError>;
    async fn resume(&self, caller: &Caller, request: risk::ResumeTrading) -> Result<risk::RiskView, ApiError>;
    async fn list_approvals(
        &self,
        caller: &Caller,
        request: risk::ListApprovals,
    ) -> Result<risk::ApprovalList, ApiError>;
    async fn accept_approval(
        &self,
        caller: &Caller,
        request: risk::AcceptApproval,
    ) -> Result<risk::ApprovalOutcome, ApiError>;
    async fn deny_approval(
        &self,
        caller: &Caller,
        request: risk::DenyApproval,
    ) -> Result<risk::ApprovalOutcome, ApiError>;
    async fn list_strategies(
        &self,
        caller: &Caller,
        request: strategies::ListStrategies,
    ) -> Result<strategies::StrategyList, ApiError>;
    async fn start_strategy(
        &self,
        caller: &Caller,
        request: strategies::StartStrategy,
    ) -> Result<strategies::StartedStrategy, ApiError>;
    async fn stop_strategy(
        &self,
        caller: &Caller,
        request: strategies::StopStrategy,
    ) -> Result<strategies::RunningStrategy, ApiError>;
    async fn running_strategies(
        &self,
        caller: &Caller,
        request: strategies::RunningStrategies,
    ) -> Result<strategies::RunningStrategyList, ApiError>;
    async fn list_decisions(
        &self,
        caller: &Caller,
        request: strategies::ListDecisions,
    ) -> Result<strategies::DecisionList, ApiError>;
}

/// Instruments, quotes, candles, indicators, files and the simulated market.
#[async_trait]
pub trait MarketData: Send + Sync {
    async fn import_data(&self, caller: &Caller, request: data::ImportData) -> Result<data::ImportReport, ApiError>;
    async fn export_data(&self, caller: &Caller, request: data::ExportData) -> Result<FileContent, ApiError>;
    async fn fetch_data(&self, caller: &Caller, request: data::FetchData) -> Result<data::FetchReport, ApiError>;
    async fn start_fetch(&self, caller: &Caller, request: data::StartFetch) -> Result<backtests::StartedJob, ApiError>;
    async fn coverage(&self, caller: &Caller, request: data::DataCoverage) -> Result<data::CoverageList, ApiError>;
    async fn list_gaps(&self, caller: &Caller, request: sources::ListGaps) -> Result<sources::GapList, ApiError>;
    async fn list_quarantine(
        &self,
        caller: &Caller,
        request: sources::ListQuarantine,
    ) -> Result<sources::QuarantineList, ApiError>;
    async fn provenance(
        &self,
        caller: &Caller,
        request: sources::GetProvenance,
    ) -> Result<sources::Provenance, ApiError>;
    async fn search_symbols(
        &self,
        caller: &Caller,
        request: market::SearchSymbols,
    ) -> Result<market::FoundSymbols, ApiError>;
    async fn enable_mock(&self, caller: &Caller, request: data::EnableMock) -> Result<data::MockState, ApiError>;
    async fn disable_mock(&self, caller: &Caller, request: data::DisableMock) -> Result<data::MockState, ApiError>;
    async fn set_mock_speed(&self, caller: &Caller, request: data::SetMockSpeed) -> Result<data::MockState, ApiError>;
    async fn test_mock(&self, caller: &Caller, request: data::TestMock) -> Result<data::MockReport, ApiError>;
    async fn list_symbols(&self, caller: &Caller, request: market::ListSymbols)
    -> Result<market::SymbolList, ApiError>;
    async fn add_symbol(&self, caller: &Caller, request: market::AddSymbol)
    -> Result<market::InstrumentView, ApiError>;
    async fn remove_symbol(
        &self,
        caller: &Caller,
        request: market::RemoveSymbol,
    ) -> Result<market::RemovedSymbol, ApiError>;
    async fn list_quotes(&self, caller: &Caller, request: market::ListQuotes) -> Result<market::QuoteList, ApiError>;
    async fn get_candles(&self, caller: &Caller, request: market::GetCandles)
    -> Result<market::CandleSeries, ApiError>;
    async fn chart_window(&self, caller: &Caller, request: market::GetChartWindow) -> Result<ChartFrame, ApiError>;
    async fn list_indicators(
        &self,
        caller: &Caller,
        request: market::ListIndicators,
    ) -> Result<market::IndicatorList, ApiError>;
    async fn compute_indicators(
        &self,
        caller: &Caller,
        request: market::ComputeIndicators,
    ) -> Result<market::IndicatorTable, ApiError>;
    async fn list_patterns(
        &self,
        caller: &Caller,
        request: patterns::ListPatterns,
    ) -> Result<patterns::PatternList, ApiError>;
    async fn scan_patterns(
        &self,
        caller: &Caller,
        request: patterns::ScanPatterns,
    ) -> Result<patterns::PatternScan, ApiError>;
    async fn check_expression(
        &self,
        caller: &Caller,
        request: market::CheckExpression,
    ) -> Result<market::ExpressionCheck, ApiError>;
    async fn complete_expression(
        &self,
        caller: &Caller,
        request: market::CompleteExpression,
    ) -> Result<market::Completions, ApiError>;
}

/// What feeds bring, and when: sessions and recordings.
#[async_trait]
pub trait Feeds: Send + Sync {
    async fn sessions(
        &self,
        caller: &Caller,
        request: sessions::GetSessions,
    ) -> Result<sessions::MarketSessions, ApiError>;
    async fn start_recording(
        &self,
        caller: &Caller,
        request: ticks::StartRecording,
    ) -> Result<ticks::RecordingList, ApiError>;
    async fn stop_recording(
        &self,
        caller: &Caller,
        request: ticks::StopRecording,
    ) -> Result<ticks::RecordingList, ApiError>;
    async fn list_recordings(
        &self,
        caller: &Caller,
        request: ticks::ListRecordings,
    ) -> Result<ticks::RecordingList, ApiError>;
    async fn replay_ticks(&self, caller: &Caller, request: ticks::ReplayTicks) -> Result<ticks::TickReplay, ApiError>;
    async fn export_ticks(&self, caller: &Caller, request: ticks::ExportTicks) -> Result<FileContent, ApiError>;
}

/// What closed candles say: context, words, and moments alike.
#[async_trait]
pub trait Analysis: Send + Sync {
    async fn get_enriched(
        &self,
        caller: &Caller,
        request: enrich::GetEnriched,
    ) -> Result<enrich::EnrichedCandle, ApiError>;
    async fn describe_candle(
        &self,
        caller: &Caller,
        request: narrative::DescribeCandle,
    ) -> Result<FileContent, ApiError>;
    async fn get_narrative(
        &self,
        caller: &Caller,
        request: narrative::GetNarrative,
    ) -> Result<narrative::CandleNarrative, ApiError>;
    async fn index_narratives(
        &self,
        caller: &Caller,
        request: narrative::IndexNarratives,
    ) -> Result<narrative::IndexedNarratives, ApiError>;
    async fn search_narratives(
        &self,
        caller: &Caller,
        request: narrative::SearchNarratives,
    ) -> Result<narrative::FoundNarratives, ApiError>;
    async fn list_features(
        &self,
        caller: &Caller,
        request: training::ListFeatures,
    ) -> Result<training::FeatureList, ApiError>;
    async fn export_features(
        &self,
        caller: &Caller,
        request: training::ExportFeatures,
    ) -> Result<FileContent, ApiError>;
    async fn get_rag(&self, caller: &Caller, request: training::GetRag) -> Result<training::RagReadyCandle, ApiError>;
    async fn export_rag(&self, caller: &Caller, request: training::ExportRag) -> Result<FileContent, ApiError>;
    async fn list_live_rag(
        &self,
        caller: &Caller,
        request: training::ListLiveRag,
    ) -> Result<training::LiveRagList, ApiError>;
    async fn start_live_rag(
        &self,
        caller: &Caller,
        request: training::StartLiveRag,
    ) -> Result<training::LiveRag, ApiError>;
    async fn stop_live_rag(
        &self,
        caller: &Caller,
        request: training::StopLiveRag,
    ) -> Result<training::LiveRagList, ApiError>;
    async fn validate_export(
        &self,
        caller: &Caller,
        request: training::ValidateExport,
    ) -> Result<training::ExportValidity, ApiError>;
    async fn search_similar(
        &self,
        caller: &Caller,
        request: similar::SearchSimilar,
    ) -> Result<similar::SimilarMoments, ApiError>;
    async fn get_structure(
        &self,
        caller: &Caller,
        request: structure::GetStructure,
    ) -> Result<structure::StructureView, ApiError>;
}

/// What publishers write.
#[async_trait]
pub trait News: Send + Sync {
    async fn search(&self, caller: &Caller, request: news::SearchNews) -> Result<news::NewsList, ApiError>;
    async fn list(&self, caller: &Caller, request: news::ListNews) -> Result<news::NewsList, ApiError>;
}

/// Backtests and jobs.
#[async_trait]
pub trait Backtests: Send + Sync {
    async fn run(
        &self,
        caller: &Caller,
        request: backtests::RunBacktest,
    ) -> Result<backtests::BacktestResult, ApiError>;
    async fn start(
        &self,
        caller: &Caller,
        request: backtests::StartBacktest,
    ) -> Result<backtests::StartedJob, ApiError>;
    async fn result(
        &self,
        caller: &Caller,
        request: backtests::GetBacktestResult,
    ) -> Result<backtests::BacktestResult, ApiError>;
    async fn list_jobs(&self, caller: &Caller, request: backtests::ListJobs) -> Result<backtests::JobList, ApiError>;
    async fn cancel_job(&self, caller: &Caller, request: backtests::CancelJob) -> Result<backtests::Job, ApiError>;
}

/// The journal of everything that happened.
#[async_trait]
pub trait Journal: Send + Sync {
    async fn verify(&self, caller: &Caller, request: journal::VerifyJournal)
    -> Result<journal::JournalCheck, ApiError>;
    async fn replay(&self, caller: &Caller, request: journal::ReplayJournal)
    -> Result<journal::ReplayReport, ApiError>;
    async fn explain(
        &self,
        caller: &Caller,
        request: journal::ExplainJournal,
    ) -> Result<journal::Explanation, ApiError>;
}

/// The program itself.
#[async_trait]
pub trait System: Send + Sync {
    /// The worst status of all components, without asking any of them.
    fn status(&self) -> HealthStatus;
    /// All metrics in the text format of Prometheus.
    fn prometheus(&self) -> String;
    async fn health(&self, caller: &Caller, request: system::GetHealth) -> Result<system::Health, ApiError>;
    async fn metrics(&self, caller: &Caller, request: system::GetMetrics) -> Result<system::Metrics, ApiError>;
    async fn list_connections(
        &self,
        caller: &Caller,
        request: system::ListConnections,
    ) -> Result<system::ConnectionList, ApiError>;
    async fn restart_connection(
        &self,
        caller: &Caller,
        request: system::RestartConnection,
    ) -> Result<system::Connection, ApiError>;
    async fn list_logs(&self, caller: &Caller, request: system::ListLogs) -> Result<system::LogList, ApiError>;
    async fn list_audit(&self, caller: &Caller, request: system::ListAudit) -> Result<system::AuditList, ApiError>;
    async fn get_setting(&self, caller: &Caller, request: system::GetSetting) -> Result<system::Setting, ApiError>;
    async fn set_setting(&self, caller: &Caller, request: system::SetSetting) -> Result<system::Setting, ApiError>;
    async fn get_workspace(
        &self,
        caller: &Caller,
        request: system::GetWorkspace,
    ) -> Result<system::Workspace, ApiError>;
    async fn save_workspace(
        &self,
        caller: &Caller,
        request: system::SaveWorkspace,
    ) -> Result<system::Workspace, ApiError>;
    async fn migrate(
        &self,
        caller: &Caller,
        request: system::MigrateDatabase,
    ) -> Result<system::MigrationStatus, ApiError>;
}
