//! Services for tests of the surfaces: a small instrument, its candles, an order book in memory and a list of audit rows.
//! What no test of a surface asks for is answered with `unavailable`, which is an answer like any other.

#![allow(dead_code, reason = "each test crate uses a part of it")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use cw_api::commands::market::*;
use cw_api::commands::orders::*;
use cw_api::commands::system::*;
use cw_api::commands::*;
use cw_api::frame::{ChartFrame, ChartHeader};
use cw_api::services::*;
use cw_api::stream::{Topic, Update, UpdateData, UpdateKind};
use cw_api::{ApiError, Caller, FileContent, Services};
use cw_core::{Actor, Candle, ManualClock, OrderId, OrderStatus, OrderType, TimeInForce, Timestamp};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;

/// What the fake remembers.
#[derive(Default)]
pub struct Fake {
    pub audit: Mutex<Vec<AuditRow>>,
    pub orders: Mutex<Vec<OrderView>>,
    pub settings: Mutex<std::collections::BTreeMap<String, serde_json::Value>>,
    pub status: Mutex<Option<HealthStatus>>,
}

pub const NOW: &str = "2024-05-01T12:00:00Z";

pub fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// A fake and the services it fills.
pub fn services() -> (Arc<Fake>, Arc<Services>) {
    let fake = Arc::new(Fake::default());
    let services = Services {
        trading: fake.clone(),
        market: fake.clone(),
        feeds: fake.clone(),
        analysis: fake.clone(),
        news: fake.clone(),
        backtests: fake.clone(),
        journal: fake.clone(),
        system: fake.clone(),
        events: fake.clone(),
        audit: fake.clone(),
        clock: Arc::new(ManualClock::new(now())),
    };
    (fake, Arc::new(services))
}

fn not_here<T>(method: &str) -> Result<T, ApiError> {
    Err(ApiError::unavailable(format!("{method} is not part of this test")))
}

pub fn candles() -> Vec<Candle> {
    let price = |n: i64| cw_core::Price::from_raw(n * 1_000_000_000);
    (0..5)
        .map(|n| Candle {
            open_time: Timestamp::from_secs(1_700_000_000 / 60 * 60 + n * 60),
            open: price(100 + n),
            high: price(102 + n),
            low: price(99 + n),
            close: price(101 + n),
            volume: "1.5".parse().unwrap(),
        })
        .collect()
}

#[async_trait]
impl AuditLog for Fake {
    async fn record(&self, row: AuditRow) -> Result<(), ApiError> {
        self.audit.lock().unwrap().push(row);
        Ok(())
    }
}

#[async_trait]
impl Events for Fake {
    async fn subscribe(&self, _: &Caller, topic: Topic) -> Result<BoxStream<'static, Update>, ApiError> {
        match topic {
            Topic::Orders(_) => {
                let orders = self.orders.lock().unwrap().clone();
                let update = |kind| Update { kind, data: UpdateData::Orders(orders.clone()) };
                let updates = vec![update(UpdateKind::Snapshot), update(UpdateKind::Delta)];
                Ok(futures_util::stream::iter(updates).chain(futures_util::stream::pending()).boxed())
            }
            // As fast as the client takes them.
            Topic::Jobs(_) => {
                let update = || Update { kind: UpdateKind::Snapshot, data: UpdateData::Jobs(Vec::new()) };
                Ok(futures_util::stream::repeat_with(update).boxed())
            }
            // Its venue does not answer.
            Topic::Chart(_) => std::future::pending().await,
            other => not_here(other.name()),
        }
    }
}

#[async_trait]
impl Trading for Fake {
    async fn preview_order(&self, _: &Caller, _: orders::PreviewOrder) -> Result<orders::OrderPreview, ApiError> {
        not_here("preview_order")
    }
    async fn place_order(&self, caller: &Caller, request: orders::PlaceOrder) -> Result<orders::PlacedOrder, ApiError> {
        let ticket = request.0;
        let client_order_id = ticket.client_order_id.clone().unwrap_or_else(|| "c-1".parse().unwrap());
        if matches!(caller.actor, Actor::Agent(_)) {
            let approval_id = Some("a-1".to_owned());
            return Ok(PlacedOrder { order_id: None, client_order_id, status: None, approval_id });
        }
        if ticket.qty.to_f64() > 1000.0 {
            let reasons = vec!["max_qty: 1000".to_owned()];
            return Err(ApiError::denied("the risk gate denied the order", reasons));
        }
        let mut orders = self.orders.lock().unwrap();
        let id = OrderId(orders.len() as u64 + 1);
        orders.push(OrderView {
            id,
            client_order_id: client_order_id.clone(),
            venue_order_id: None,
            account: ticket.account,
            instrument: ticket.instrument,
            side: ticket.side,
            order_type: ticket.order_type.unwrap_or(OrderType::Market),
            qty: ticket.qty,
            filled_qty: cw_core::Quantity::ZERO,
            price: ticket.price,
            stop: ticket.stop,
            average_price: None,
            status: OrderStatus::Accepted,
            tif: ticket.tif.unwrap_or(TimeInForce::Gtc),
            reduce_only: ticket.reduce_only,
            take_profit: ticket.take_profit,
            stop_loss: ticket.stop_loss,
            parent: None,
            source: caller.actor.to_string(),
            reason: None,
            pending_cancel: false,
            created_at: now(),
            updated_at: now(),
            fees: cw_core::Amount::ZERO,
        });
        Ok(PlacedOrder { order_id: Some(id), client_order_id, status: Some(OrderStatus::Accepted), approval_id: None })
    }
    async fn cancel_order(&self, _: &Caller, _: orders::CancelOrder) -> Result<orders::CanceledOrder, ApiError> {
        not_here("cancel_order")
    }
    async fn list_orders(&self, _: &Caller, request: orders::ListOrders) -> Result<orders::OrderList, ApiError> {
        let orders = self.orders.lock().unwrap();
        let wanted = |o: &&OrderView| request.instrument.as_ref().is_none_or(|i| o.instrument == *i);
        Ok(OrderList { orders: orders.iter().rev().filter(wanted).cloned().collect() })
    }
    async fn list_positions(
        &self,
        _: &Caller,
        _: portfolio::ListPositions,
    ) -> Result<portfolio::PositionList, ApiError> {
        not_here("list_positions")
    }
    async fn close_position(&self, _: &Caller, _: portfolio::ClosePosition) -> Result<orders::PlacedOrder, ApiError> {
        not_here("close_position")
    }
    async fn list_fills(&self, _: &Caller, _: portfolio::ListFills) -> Result<portfolio::FillList, ApiError> {
        not_here("list_fills")
    }
    async fn list_accounts(&self, _: &Caller, _: portfolio::ListAccounts) -> Result<portfolio::AccountList, ApiError> {
        not_here("list_accounts")
    }
    async fn show_risk(&self, _: &Caller, _: risk::ShowRisk) -> Result<risk::RiskView, ApiError> {
        not_here("show_risk")
    }
    async fn set_risk(&self, _: &Caller, _: risk::SetRisk) -> Result<risk::RiskView, ApiError> {
        not_here("set_risk")
    }
    async fn halt(&self, _: &Caller, _: risk::HaltTrading) -> Result<risk::RiskView, ApiError> {
        not_here("halt")
    }
    async fn resume(&self, _: &Caller, _: risk::ResumeTrading) -> Result<risk::RiskView, ApiError> {
        not_here("resume")
    }
    async fn list_approvals(&self, _: &Caller, _: risk::ListApprovals) -> Result<risk::ApprovalList, ApiError> {
        not_here("list_approvals")
    }
    async fn accept_approval(&self, _: &Caller, _: risk::AcceptApproval) -> Result<risk::ApprovalOutcome, ApiError> {
        not_here("accept_approval")
    }
    async fn deny_approval(&self, _: &Caller, _: risk::DenyApproval) -> Result<risk::ApprovalOutcome, ApiError> {
        not_here("deny_approval")
    }
    async fn list_strategies(
        &self,
        _: &Caller,
        _: strategies::ListStrategies,
    ) -> Result<strategies::StrategyList, ApiError> {
        not_here("list_strategies")
    }
    async fn start_strategy(
        &self,
        _: &Caller,
        _: strategies::StartStrategy,
    ) -> Result<strategies::StartedStrategy, ApiError> {
        not_here("start_strategy")
    }
    async fn stop_strategy(
        &self,
        _: &Caller,
        _: strategies::StopStrategy,
    ) -> Result<strategies::RunningStrategy, ApiError> {
        not_here("stop_strategy")
    }
    async fn running_strategies(
        &self,
        _: &Caller,
        _: strategies::RunningStrategies,
    ) -> Result<strategies::RunningStrategyList, ApiError> {
        not_here("running_strategies")
    }
    async fn list_decisions(
        &self,
        _: &Caller,
        _: strategies::ListDecisions,
    ) -> Result<strategies::DecisionList, ApiError> {
        not_here("list_decisions")
    }
}

#[async_trait]
impl MarketData for Fake {
    async fn import_data(&self, _: &Caller, _: data::ImportData) -> Result<data::ImportReport, ApiError> {
        not_here("import_data")
    }
    async fn export_data(&self, _: &Caller, _: data::ExportData) -> Result<FileContent, ApiError> {
        Ok(FileContent { content_type: "text/csv", bytes: "open_time,open\n".into() })
    }
    async fn fetch_data(&self, _: &Caller, _: data::FetchData) -> Result<data::FetchReport, ApiError> {
        not_here("fetch_data")
    }
    async fn coverage(&self, _: &Caller, _: data::DataCoverage) -> Result<data::CoverageList, ApiError> {
        not_here("coverage")
    }
    async fn start_fetch(&self, _: &Caller, _: data::StartFetch) -> Result<backtests::StartedJob, ApiError> {
        not_here("start_fetch")
    }
    async fn list_gaps(&self, _: &Caller, _: sources::ListGaps) -> Result<sources::GapList, ApiError> {
        not_here("list_gaps")
    }
    async fn list_quarantine(
        &self,
        _: &Caller,
        _: sources::ListQuarantine,
    ) -> Result<sources::QuarantineList, ApiError> {
        not_here("list_quarantine")
    }
    async fn provenance(&self, _: &Caller, _: sources::GetProvenance) -> Result<sources::Provenance, ApiError> {
        not_here("provenance")
    }
    async fn search_symbols(&self, _: &Caller, _: market::SearchSymbols) -> Result<market::FoundSymbols, ApiError> {
        not_here("search_symbols")
    }
    async fn enable_mock(&self, _: &Caller, _: data::EnableMock) -> Result<data::MockState, ApiError> {
        not_here("enable_mock")
    }
    async fn disable_mock(&self, _: &Caller, _: data::DisableMock) -> Result<data::MockState, ApiError> {
        not_here("disable_mock")
    }
    async fn set_mock_speed(&self, _: &Caller, _: data::SetMockSpeed) -> Result<data::MockState, ApiError> {
        not_here("set_mock_speed")
    }
    async fn test_mock(&self, _: &Caller, _: data::TestMock) -> Result<data::MockReport, ApiError> {
        not_here("test_mock")
    }
    async fn list_symbols(&self, _: &Caller, request: market::ListSymbols) -> Result<market::SymbolList, ApiError> {
        let instrument = cw_core::Instrument::from_file("BTC-PERP.SIM".parse().unwrap(), 1, 3);
        let all = vec![InstrumentView::from(&instrument)];
        let matches = |i: &InstrumentView| request.query.as_deref().is_none_or(|q| i.id.as_str().contains(q));
        Ok(SymbolList { instruments: all.into_iter().filter(matches).collect() })
    }
    async fn add_symbol(&self, _: &Caller, _: market::AddSymbol) -> Result<market::InstrumentView, ApiError> {
        not_here("add_symbol")
    }
    async fn remove_symbol(&self, _: &Caller, _: market::RemoveSymbol) -> Result<market::RemovedSymbol, ApiError> {
        not_here("remove_symbol")
    }
    async fn list_quotes(&self, _: &Caller, _: market::ListQuotes) -> Result<market::QuoteList, ApiError> {
        not_here("list_quotes")
    }
    async fn get_candles(&self, _: &Caller, request: market::GetCandles) -> Result<market::CandleSeries, ApiError> {
        if request.instrument.as_str() != "BTC-PERP.SIM" {
            return Err(ApiError::not_found(&request.instrument).with_field("instrument"));
        }
        let limit = request.limit.unwrap_or(500) as usize;
        let candles = candles().into_iter().take(limit).collect();
        let (instrument, timeframe) = (request.instrument, request.timeframe);
        Ok(CandleSeries { instrument, timeframe, candles, provider: "SIM".into(), forming: None })
    }
    async fn chart_window(&self, _: &Caller, request: market::GetChartWindow) -> Result<ChartFrame, ApiError> {
        let names = ["time", "open", "high", "low", "close", "volume"];
        Ok(ChartFrame {
            header: ChartHeader {
                instrument: request.instrument,
                timeframe: request.timeframe,
                rows: request.limit,
                columns: names.map(str::to_owned).to_vec(),
                price_decimals: 1,
                provider: "SIM".into(),
                has_more_before: false,
                catching_up: false,
                forming: false,
            },
            columns: vec![vec![1.5; request.limit as usize]; names.len()],
        })
    }
    async fn list_indicators(&self, _: &Caller, _: market::ListIndicators) -> Result<market::IndicatorList, ApiError> {
        not_here("list_indicators")
    }
    async fn compute_indicators(
        &self,
        _: &Caller,
        _: market::ComputeIndicators,
    ) -> Result<market::IndicatorTable, ApiError> {
        not_here("compute_indicators")
    }
    async fn list_patterns(&self, _: &Caller, _: patterns::ListPatterns) -> Result<patterns::PatternList, ApiError> {
        not_here("list_patterns")
    }
    async fn scan_patterns(&self, _: &Caller, _: patterns::ScanPatterns) -> Result<patterns::PatternScan, ApiError> {
        not_here("scan_patterns")
    }
    async fn check_expression(
        &self,
        _: &Caller,
        _: market::CheckExpression,
    ) -> Result<market::ExpressionCheck, ApiError> {
        not_here("check_expression")
    }
    async fn complete_expression(
        &self,
        _: &Caller,
        _: market::CompleteExpression,
    ) -> Result<market::Completions, ApiError> {
        not_here("complete_expression")
    }
}

#[async_trait]
impl Feeds for Fake {
    async fn sessions(&self, _: &Caller, request: sessions::GetSessions) -> Result<sessions::MarketSessions, ApiError> {
        let (instrument, at) = (request.instrument, request.at.unwrap_or_else(now));
        let (calendar, phase) = (cw_core::Calendar::Continuous, cw_core::Phase::Open);
        Ok(sessions::MarketSessions { instrument, calendar, at, phase, opens: None, closes: None, sessions: vec![] })
    }
    async fn start_recording(&self, _: &Caller, _: ticks::StartRecording) -> Result<ticks::RecordingList, ApiError> {
        not_here("start_recording")
    }
    async fn stop_recording(&self, _: &Caller, _: ticks::StopRecording) -> Result<ticks::RecordingList, ApiError> {
        not_here("stop_recording")
    }
    async fn list_recordings(&self, _: &Caller, _: ticks::ListRecordings) -> Result<ticks::RecordingList, ApiError> {
        Ok(ticks::RecordingList { recordings: vec![], bytes: 0, max_bytes: 1 << 30 })
    }
    async fn replay_ticks(&self, _: &Caller, _: ticks::ReplayTicks) -> Result<ticks::TickReplay, ApiError> {
        not_here("replay_ticks")
    }
    async fn export_ticks(&self, _: &Caller, _: ticks::ExportTicks) -> Result<FileContent, ApiError> {
        not_here("export_ticks")
    }
}

#[async_trait]
impl Analysis for Fake {
    async fn get_enriched(&self, _: &Caller, _: enrich::GetEnriched) -> Result<enrich::EnrichedCandle, ApiError> {
        not_here("get_enriched")
    }
    async fn describe_candle(&self, _: &Caller, _: narrative::DescribeCandle) -> Result<FileContent, ApiError> {
        Ok(FileContent { content_type: "text/plain; charset=utf-8", bytes: "It closed.\n".into() })
    }
    async fn get_narrative(
        &self,
        _: &Caller,
        _: narrative::GetNarrative,
    ) -> Result<narrative::CandleNarrative, ApiError> {
        not_here("get_narrative")
    }
    async fn index_narratives(
        &self,
        _: &Caller,
        _: narrative::IndexNarratives,
    ) -> Result<narrative::IndexedNarratives, ApiError> {
        not_here("index_narratives")
    }
    async fn search_narratives(
        &self,
        _: &Caller,
        _: narrative::SearchNarratives,
    ) -> Result<narrative::FoundNarratives, ApiError> {
        not_here("search_narratives")
    }
    async fn list_features(&self, _: &Caller, _: training::ListFeatures) -> Result<training::FeatureList, ApiError> {
        not_here("list_features")
    }
    async fn export_features(&self, _: &Caller, _: training::ExportFeatures) -> Result<FileContent, ApiError> {
        Ok(FileContent { content_type: "application/x-ndjson", bytes: "{}\n".into() })
    }
    async fn get_rag(&self, _: &Caller, _: training::GetRag) -> Result<training::RagReadyCandle, ApiError> {
        not_here("get_rag")
    }
    async fn export_rag(&self, _: &Caller, _: training::ExportRag) -> Result<FileContent, ApiError> {
        not_here("export_rag")
    }
    async fn list_live_rag(&self, _: &Caller, _: training::ListLiveRag) -> Result<training::LiveRagList, ApiError> {
        not_here("list_live_rag")
    }
    async fn start_live_rag(&self, _: &Caller, _: training::StartLiveRag) -> Result<training::LiveRag, ApiError> {
        not_here("start_live_rag")
    }
    async fn stop_live_rag(&self, _: &Caller, _: training::StopLiveRag) -> Result<training::LiveRagList, ApiError> {
        not_here("stop_live_rag")
    }
    async fn validate_export(
        &self,
        _: &Caller,
        _: training::ValidateExport,
    ) -> Result<training::ExportValidity, ApiError> {
        not_here("validate_export")
    }
    async fn search_similar(&self, _: &Caller, _: similar::SearchSimilar) -> Result<similar::SimilarMoments, ApiError> {
        not_here("search_similar")
    }
    async fn get_structure(
        &self,
        _: &Caller,
        _: structure::GetStructure,
    ) -> Result<structure::StructureView, ApiError> {
        not_here("get_structure")
    }
}

#[async_trait]
impl News for Fake {
    async fn search(&self, _: &Caller, _: news::SearchNews) -> Result<news::NewsList, ApiError> {
        not_here("search")
    }
    async fn list(&self, _: &Caller, _: news::ListNews) -> Result<news::NewsList, ApiError> {
        Ok(news::NewsList { items: Vec::new(), providers: Vec::new() })
    }
}

#[async_trait]
impl Backtests for Fake {
    async fn run(&self, _: &Caller, _: backtests::RunBacktest) -> Result<backtests::BacktestResult, ApiError> {
        not_here("run")
    }
    async fn start(&self, _: &Caller, _: backtests::StartBacktest) -> Result<backtests::StartedJob, ApiError> {
        not_here("start")
    }
    async fn result(&self, _: &Caller, _: backtests::GetBacktestResult) -> Result<backtests::BacktestResult, ApiError> {
        not_here("result")
    }
    async fn list_jobs(&self, _: &Caller, _: backtests::ListJobs) -> Result<backtests::JobList, ApiError> {
        not_here("list_jobs")
    }
    async fn cancel_job(&self, _: &Caller, _: backtests::CancelJob) -> Result<backtests::Job, ApiError> {
        not_here("cancel_job")
    }
}

#[async_trait]
impl Journal for Fake {
    async fn verify(&self, _: &Caller, _: journal::VerifyJournal) -> Result<journal::JournalCheck, ApiError> {
        not_here("verify")
    }
    async fn replay(&self, _: &Caller, _: journal::ReplayJournal) -> Result<journal::ReplayReport, ApiError> {
        not_here("replay")
    }
    async fn explain(&self, _: &Caller, request: journal::ExplainJournal) -> Result<journal::Explanation, ApiError> {
        // A handler that is broken: what a surface must survive.
        assert!(request.id != "panic", "as asked");
        not_here("explain")
    }
}

#[async_trait]
impl System for Fake {
    fn status(&self) -> HealthStatus {
        self.status.lock().unwrap().unwrap_or(HealthStatus::Ok)
    }
    fn prometheus(&self) -> String {
        "# TYPE candlewick_up gauge\ncandlewick_up 1\n".into()
    }
    async fn health(&self, _: &Caller, _: system::GetHealth) -> Result<system::Health, ApiError> {
        let components = vec![Component {
            name: "engine".into(),
            status: HealthStatus::Ok,
            detail: "running".into(),
            since: now(),
            parent: None,
        }];
        Ok(Health { status: self.status(), version: "0.0.0".into(), uptime_s: 1, components })
    }
    async fn metrics(&self, _: &Caller, _: system::GetMetrics) -> Result<system::Metrics, ApiError> {
        not_here("metrics")
    }
    async fn list_connections(
        &self,
        _: &Caller,
        _: system::ListConnections,
    ) -> Result<system::ConnectionList, ApiError> {
        not_here("list_connections")
    }
    async fn restart_connection(
        &self,
        _: &Caller,
        _: system::RestartConnection,
    ) -> Result<system::Connection, ApiError> {
        not_here("restart_connection")
    }
    async fn list_logs(&self, _: &Caller, _: system::ListLogs) -> Result<system::LogList, ApiError> {
        not_here("list_logs")
    }
    async fn list_audit(&self, _: &Caller, request: system::ListAudit) -> Result<system::AuditList, ApiError> {
        let rows = self.audit.lock().unwrap();
        let wanted = |row: &&AuditRow| request.command.as_ref().is_none_or(|c| row.command == *c);
        Ok(AuditList { rows: rows.iter().rev().filter(wanted).cloned().collect() })
    }
    async fn get_setting(&self, _: &Caller, request: system::GetSetting) -> Result<system::Setting, ApiError> {
        let value = self.settings.lock().unwrap().get(&request.key).cloned().unwrap_or_default();
        Ok(Setting { key: request.key, value })
    }
    async fn set_setting(&self, _: &Caller, request: system::SetSetting) -> Result<system::Setting, ApiError> {
        self.settings.lock().unwrap().insert(request.key.clone(), request.value.clone());
        Ok(Setting { key: request.key, value: request.value })
    }
    async fn get_workspace(&self, _: &Caller, _: system::GetWorkspace) -> Result<system::Workspace, ApiError> {
        not_here("get_workspace")
    }
    async fn save_workspace(&self, _: &Caller, _: system::SaveWorkspace) -> Result<system::Workspace, ApiError> {
        not_here("save_workspace")
    }
    async fn migrate(&self, _: &Caller, _: system::MigrateDatabase) -> Result<system::MigrationStatus, ApiError> {
        not_here("migrate")
    }
}
