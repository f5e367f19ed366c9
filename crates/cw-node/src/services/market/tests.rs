//! The market's commands on a real node in a directory of its own.

use std::path::Path;
use std::sync::Arc;

use cw_api::commands::data::{DataCoverage, DataKind, ExportData, FetchData, FileFormat, ImportData, ImportReport};
use cw_api::commands::market::{
    AddSymbol, ComputeIndicators, GetCandles, GetChartWindow, ListQuotes, ListSymbols, RemoveSymbol,
};
use cw_api::commands::patterns::{ListPatterns, PatternDirection, ScanPatterns};
use cw_api::{ApiError, Caller, ErrorCode, Services};
use cw_core::{Candle, InstrumentId, ManualClock, Surface, Timeframe, Timestamp};

use crate::config::NodeConfig;
use crate::logs::LogRing;
use crate::node::Node;

mod traded;

/// A node that stands still at noon of a Wednesday.
struct Fixture {
    dir: tempfile::TempDir,
    node: Node,
    services: Arc<Services>,
    caller: Caller,
}

impl Fixture {
    async fn new() -> Self {
        Self::open(tempfile::tempdir().unwrap(), 1).await
    }

    async fn open(dir: tempfile::TempDir, seed: u64) -> Self {
        let mut config = NodeConfig::offline(dir.path().join("data"));
        config.settings.mock.seed = seed;
        let clock = Arc::new(ManualClock::new(at("2026-03-04T12:00:30Z")));
        let node = Node::open_with_clock(config, LogRing::new(), clock).await.unwrap();
        let services = node.services();
        Self { dir, node, services, caller: Caller::operator(Surface::Rest) }
    }

    async fn candles(
        &self,
        instrument: &str,
        timeframe: &str,
        from: Option<&str>,
        to: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Vec<Candle>, ApiError> {
        let (from, to) = (from.map(at), to.map(at));
        let request = GetCandles { instrument: id(instrument), timeframe: timeframe.parse().unwrap(), from, to, limit };
        self.services.market.get_candles(&self.caller, request).await.map(|series| series.candles)
    }

    async fn import(&self, name: &str, text: &str, timeframe: Option<&str>) -> Result<ImportReport, ApiError> {
        let file = self.dir.path().join(name);
        std::fs::write(&file, text).unwrap();
        self.import_file(&file, "X.FILE", timeframe).await
    }

    async fn import_file(&self, file: &Path, to: &str, timeframe: Option<&str>) -> Result<ImportReport, ApiError> {
        let request = ImportData {
            file: file.to_str().unwrap().to_owned(),
            instrument: id(to),
            timeframe: timeframe.map(tf),
            kind: None,
            file_format: None,
            columns: [].into(),
        };
        self.services.market.import_data(&self.caller, request).await
    }
}

fn id(text: &str) -> InstrumentId {
    text.parse().unwrap()
}
fn tf(text: &str) -> Timeframe {
    text.parse().unwrap()
}
fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Minutes from midnight that close at 101, 102, …
fn minutes(from: usize, to: usize) -> String {
    let row = |m: usize| {
        let (hour, minute, close) = (m / 60, m % 60, 101 + m);
        format!("2024-01-01T{hour:02}:{minute:02}:00Z,{},{},{},{close}.25,1\n", close - 1, close + 1, close - 2)
    };
    let rows: String = (from..to).map(row).collect();
    format!("open_time,open,high,low,close,volume\n{rows}")
}

#[tokio::test]
async fn what_was_fetched_once_is_read_from_the_store() {
    let f = Fixture::new().await;
    let request = || FetchData {
        instrument: id("BTC-PERP.SIM"),
        timeframe: tf("15m"),
        from: at("2026-03-01"),
        to: Some(at("2026-03-02")),
    };
    let first = f.services.market.fetch_data(&f.caller, request()).await.unwrap();
    assert_eq!((first.fetched, first.stored, first.gaps.len()), (96, 96, 0));
    let again = f.services.market.fetch_data(&f.caller, request()).await.unwrap();
    assert_eq!((again.fetched, again.stored), (0, 0));

    let candles =
        f.candles("BTC-PERP.SIM", "15m", Some("2026-02-28T12:00:00Z"), Some("2026-03-02"), None).await.unwrap();
    assert_eq!(candles.len(), 144, "half a day came from the provider, a day from the store");
    let hours = f.candles("BTC-PERP.SIM", "1h", Some("2026-02-28T12:00:00Z"), Some("2026-03-02"), None).await.unwrap();
    assert_eq!(cw_market::fold(&candles, tf("1h")), hours, "timeframes agree with each other");
    f.node.stop().await;
}

#[tokio::test]
async fn only_closed_candles_are_history_and_ends_are_half_open() {
    let f = Fixture::new().await;
    let newest = f.candles("EUR/USD.SIM", "1m", None, None, Some(3)).await.unwrap();
    let times: Vec<String> = newest.iter().map(|c| c.open_time.to_string()).collect();
    assert_eq!(times, ["2026-03-04T11:57:00Z", "2026-03-04T11:58:00Z", "2026-03-04T11:59:00Z"]);
    let part = f.candles("EUR/USD.SIM", "1m", Some("2026-03-04T11:58:00Z"), Some("2026-03-04T11:59:00Z"), None).await;
    assert_eq!(part.unwrap(), newest[1..2]);
    assert_eq!(f.candles("EUR/USD.SIM", "1m", None, None, None).await.unwrap().len(), 500);
    let months = f.candles("EUR/USD.SIM", "1M", None, None, Some(2)).await.unwrap();
    assert_eq!(months.iter().map(|c| c.open_time).collect::<Vec<_>>(), [at("2026-01-01"), at("2026-02-01")]);
    let all = f.candles("EUR/USD.SIM", "1s", Some("2015-01-01"), Some("2026-01-01"), None).await.unwrap_err();
    assert_eq!((all.code, all.field.as_deref()), (ErrorCode::InvalidRequest, Some("from")));
    let unknown = f.candles("GHOST.SIM", "1m", None, None, None).await.unwrap_err();
    assert_eq!(unknown.code, ErrorCode::NotFound);
    f.node.stop().await;
}

#[tokio::test]
async fn another_seed_is_another_market() {
    let f = Fixture::new().await;
    let range = (Some("2026-03-01"), Some("2026-03-02"));
    let before = f.candles("BTC-PERP.SIM", "1h", range.0, range.1, None).await.unwrap();
    f.node.stop().await;
    let Fixture { dir, node, services, .. } = f;
    drop((node, services));
    let f = Fixture::open(dir, 2).await;
    let after = f.candles("BTC-PERP.SIM", "1h", range.0, range.1, None).await.unwrap();
    assert_eq!(after.len(), 24);
    assert!(before.iter().zip(&after).all(|(a, b)| a != b), "nothing of the old market is left");
    f.node.stop().await;
}

#[tokio::test]
async fn a_window_is_what_the_indicators_of_the_whole_series_are() {
    let f = Fixture::new().await;
    let set = "ema(21),ema(55),bb(20,2),rsi(14),macd(12,26,9)";
    let request = |before: Option<Timestamp>, limit| GetChartWindow {
        instrument: id("BTC-PERP.SIM"),
        timeframe: tf("15m").into(),
        before,
        limit,
        set: set.to_owned(),
    };
    let frame = f.services.market.chart_window(&f.caller, request(None, 500)).await.unwrap();
    assert_eq!((frame.header.rows, frame.header.forming, frame.header.has_more_before), (500, false, true));
    assert_eq!(&frame.header.columns[..7], ["time", "open", "high", "low", "close", "volume", "ema(21)"]);
    assert_eq!(frame.header.price_decimals, 1);
    assert!(frame.encode().is_ok() && frame.columns.iter().flatten().all(|value| value.is_finite()));

    // The page before joins it, and both say the same where they meet.
    let oldest = Timestamp::from_secs(frame.columns[0][0] as i64);
    let page = f.services.market.chart_window(&f.caller, request(Some(oldest), 2_000)).await.unwrap();
    assert_eq!(page.columns[0].last().map(|time| time + 900.0), Some(frame.columns[0][0]));
    let overlap = f.services.market.chart_window(&f.caller, request(None, 2_500)).await.unwrap();
    for (column, long) in frame.columns.iter().zip(&overlap.columns).skip(6) {
        for (a, b) in column.iter().zip(&long[2_000..]) {
            assert!((a - b).abs() <= 1e-8 * a.abs().max(1.0), "{a} and {b}");
        }
    }

    let compute = ComputeIndicators {
        instrument: id("BTC-PERP.SIM"),
        timeframe: tf("15m").into(),
        set: "rsi(14)".to_owned(),
        from: None,
        to: None,
        limit: Some(3),
    };
    let table = f.services.market.compute_indicators(&f.caller, compute).await.unwrap();
    assert_eq!(table.columns, ["open_time", "rsi(14)"]);
    let rsi = frame.header.columns.iter().position(|c| c == "rsi(14)").unwrap();
    let value: f64 = table.rows[2][1].as_deref().unwrap().parse().unwrap();
    assert!((value - frame.columns[rsi][499]).abs() < 1e-6);

    let refused = f.services.market.chart_window(&f.caller, request(None, 20_001)).await.unwrap_err();
    assert_eq!(refused.field.as_deref(), Some("limit"));
    f.node.stop().await;
}

#[tokio::test]
async fn patterns_of_a_part_are_those_of_the_whole() {
    let f = Fixture::new().await;
    let request = |instrument: &str, only: &[&str], limit| ScanPatterns {
        instrument: id(instrument),
        timeframe: tf("1m"),
        only: (!only.is_empty()).then(|| only.iter().map(|name| (*name).to_owned()).collect()),
        from: None,
        to: None,
        limit,
    };
    let all = f.services.market.scan_patterns(&f.caller, request("BTC-PERP.SIM", &[], None)).await.unwrap();
    assert!(all.hits.len() > 200, "{}", all.hits.len());
    assert!(all.hits.is_sorted_by_key(|hit| hit.open_time));
    let some = f
        .services
        .market
        .scan_patterns(&f.caller, request("BTC-PERP.SIM", &["doji", "CDLENGULFING"], Some(200)))
        .await
        .unwrap();
    let first = f.candles("BTC-PERP.SIM", "1m", None, None, Some(200)).await.unwrap()[0].open_time;
    let expected: Vec<_> = all
        .hits
        .iter()
        .filter(|hit| hit.open_time >= first && ["doji", "engulfing"].contains(&hit.pattern.as_str()))
        .cloned()
        .collect();
    assert!(!some.hits.is_empty());
    assert_eq!(some.hits, expected);

    f.import("x.csv", &minutes(0, 600), Some("1m")).await.unwrap();
    let file = f.services.market.scan_patterns(&f.caller, request("X.FILE", &[], None)).await.unwrap();
    assert!(file.hits.iter().all(|hit| hit.signal != 0 && hit.signal.abs() <= 200));
    let unknown = f.services.market.scan_patterns(&f.caller, request("X.FILE", &["hamer"], None)).await.unwrap_err();
    assert!(unknown.field.as_deref() == Some("only") && unknown.message.contains("hamer"), "{}", unknown.message);
    let list = f.services.market.list_patterns(&f.caller, ListPatterns {}).await.unwrap().patterns;
    assert!(list.len() == 61 && list.iter().any(|p| p.name == "hammer" && p.direction == PatternDirection::Bullish));
    f.node.stop().await;
}

#[tokio::test]
async fn a_file_serves_its_timeframe_and_every_multiple() {
    let f = Fixture::new().await;
    let report = f.import("x.csv", &minutes(0, 600), Some("1m")).await.unwrap();
    assert_eq!((report.accepted, report.rejected_count, report.gap_count), (600, 0, 0));
    assert_eq!(f.candles("X.FILE", "1m", None, None, None).await.unwrap().len(), 500);
    let hours = f.candles("X.FILE", "1h", None, None, Some(3)).await.unwrap();
    assert_eq!(hours.iter().map(|c| c.open_time).collect::<Vec<_>>()[0], at("2024-01-01T07:00:00Z"));
    assert_eq!((hours[2].open.to_string(), hours[2].close.to_string()), ("640".into(), "700.25".into()));
    let part =
        f.candles("X.FILE", "1h", Some("2024-01-01T01:00:00Z"), Some("2024-01-01T03:00:00Z"), None).await.unwrap();
    assert_eq!(part.len(), 2);
    assert_eq!(part[1].volume.to_string(), "60");
    let error = f.candles("X.FILE", "30s", None, None, None).await.unwrap_err();
    assert!(error.field.as_deref() == Some("timeframe") && error.message.contains("1m"), "{}", error.message);
    let error = f.candles("Y.FILE", "1m", None, None, None).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::NotFound);

    let frame = GetChartWindow {
        instrument: id("X.FILE"),
        timeframe: tf("5m").into(),
        before: None,
        limit: 500,
        set: "sma(3)".into(),
    };
    let frame = f.services.market.chart_window(&f.caller, frame).await.unwrap();
    assert_eq!((frame.header.rows, frame.header.price_decimals, frame.header.has_more_before), (120, 2, false));
    assert_eq!(frame.header.provider, "FILE");
    assert!(frame.columns[6][1].is_nan() && frame.columns[6][2].is_finite());

    let list = f.services.market.coverage(&f.caller, DataCoverage { instrument: None, timeframe: None }).await.unwrap();
    assert_eq!(list.coverage.iter().map(|c| c.candles).collect::<Vec<_>>(), [600]);
    f.node.stop().await;
}

#[tokio::test]
async fn what_is_exported_imports_to_the_same_in_every_format() {
    let f = Fixture::new().await;
    f.import("x.csv", &minutes(0, 90), Some("1m")).await.unwrap();
    let original = f.candles("X.FILE", "1m", None, None, None).await.unwrap();
    for (format, name) in [(FileFormat::Csv, "a.csv"), (FileFormat::Json, "a.json"), (FileFormat::Parquet, "a.parquet")]
    {
        let export = ExportData {
            instrument: id("X.FILE"),
            timeframe: Some(tf("1m")),
            kind: None,
            from: None,
            to: None,
            file_format: Some(format),
        };
        let content = f.services.market.export_data(&f.caller, export).await.unwrap();
        let file = f.dir.path().join(name);
        std::fs::write(&file, &content.bytes).unwrap();
        let target = format!("{}.FILE", name.replace('.', "-").to_uppercase());
        let report = f.import_file(&file, &target, Some("1m")).await.unwrap();
        assert_eq!((report.accepted, report.rejected_count), (90, 0), "{name}");
        assert_eq!(f.candles(&target, "1m", None, None, None).await.unwrap(), original, "{name}");
    }
    let export = ExportData {
        instrument: id("X.FILE"),
        timeframe: Some(tf("1h")),
        kind: None,
        from: None,
        to: None,
        file_format: None,
    };
    let error = f.services.market.export_data(&f.caller, export).await.unwrap_err();
    assert!(error.code == ErrorCode::NotFound && error.message.contains("1m"), "{}", error.message);
    f.node.stop().await;
}

#[tokio::test]
async fn trades_and_quotes_come_out_as_they_went_in() {
    let f = Fixture::new().await;
    let trades = "time,trade_id,price,quantity,side\n2024-01-01T00:00:01.000000001Z,7,10.5,1,buy\n\
                  2024-01-01T00:00:01.000000001Z,8,10.5,0.000000001,sell\n2024-01-02T00:00:00Z,,11,2,\n\
                  2024-01-02T00:00:00Z,,11,2,\n";
    let quotes =
        "time,bid,ask,bid_size,ask_size\n2024-01-01T00:00:01.5Z,10,10.1,5,6\n2024-01-01T00:00:01.5Z,10,10.2,5,0\n";
    for (kind, text) in [(DataKind::Trades, trades), (DataKind::Quotes, quotes)] {
        let export = async |instrument: &str, file_format| {
            let export = ExportData {
                instrument: id(instrument),
                timeframe: None,
                kind: Some(kind),
                from: None,
                to: None,
                file_format: Some(file_format),
            };
            f.services.market.export_data(&f.caller, export).await
        };
        let none = export("X.FILE", FileFormat::Csv).await.unwrap_err();
        assert_eq!((none.code, none.field.as_deref()), (ErrorCode::NotFound, Some("kind")));
        f.import("x.csv", text, None).await.unwrap();
        assert_eq!(export("X.FILE", FileFormat::Csv).await.unwrap().bytes, text.as_bytes());
        for (format, name) in [(FileFormat::Csv, "csv"), (FileFormat::Json, "json"), (FileFormat::Parquet, "parquet")] {
            let file = f.dir.path().join(format!("again.{name}"));
            std::fs::write(&file, export("X.FILE", format).await.unwrap().bytes).unwrap();
            let target = format!("{kind:?}-{name}.FILE").to_uppercase();
            let report = f.import_file(&file, &target, None).await.unwrap();
            assert_eq!((report.kind, report.rejected_count, report.rounded), (kind, 0, 0), "{name}");
            assert_eq!(export(&target, FileFormat::Csv).await.unwrap().bytes, text.as_bytes(), "{name}");
        }
        let candles = f.candles("X.FILE", "1m", None, None, None).await.unwrap();
        assert!(!candles.is_empty());
        let part = ExportData {
            instrument: id("X.FILE"),
            timeframe: None,
            kind: Some(kind),
            from: Some(at("2024-01-01")),
            to: Some(at("2024-01-01T00:00:01.5Z")),
            file_format: None,
        };
        let part = f.services.market.export_data(&f.caller, part).await.unwrap().bytes;
        let expected = if kind == DataKind::Trades { 3 } else { 1 };
        assert_eq!(part.split_inclusive(|byte| *byte == b'\n').count(), expected);
    }
    let export = |kind, timeframe| ExportData {
        instrument: id("X.FILE"),
        timeframe,
        kind,
        from: None,
        to: None,
        file_format: None,
    };
    for wrong in [export(None, None), export(Some(DataKind::Trades), Some(tf("1m")))] {
        let error = f.services.market.export_data(&f.caller, wrong).await.unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::InvalidRequest, Some("timeframe")));
    }
    f.node.stop().await;
}

#[tokio::test]
async fn trades_and_quotes_of_a_file_become_candles() {
    let f = Fixture::new().await;
    let trades =
        "time,price,quantity\n2024-01-01T00:00:01Z,10,1\n2024-01-01T00:00:50Z,12,2\n2024-01-01T00:03:00Z,11,1\n";
    let report = f.import("t.csv", trades, None).await.unwrap();
    assert_eq!((report.kind, report.timeframe, report.accepted), (DataKind::Trades, Some(tf("1m")), 3));
    assert_eq!(report.gap_count, 1, "two silent minutes");
    let candles = f.candles("X.FILE", "1m", None, None, None).await.unwrap();
    assert_eq!(candles.len(), 2);
    assert_eq!((candles[0].high.to_string(), candles[0].volume.to_string()), ("12".into(), "3".into()));

    // A trade that comes with a later file changes the candle it belongs to.
    f.import("late.csv", "time,price,quantity\n2024-01-01T00:00:30Z,20,1\n", None).await.unwrap();
    assert_eq!(f.candles("X.FILE", "1m", None, None, None).await.unwrap()[0].high.to_string(), "20");

    let file = f.dir.path().join("q.csv");
    std::fs::write(&file, "time,bid,ask\n2024-01-01T00:00:01Z,1.0,1.2\n2024-01-01T00:00:02Z,1.2,1.4\n").unwrap();
    f.import_file(&file, "Q.FILE", Some("5m")).await.unwrap();
    let candles = f.candles("Q.FILE", "5m", None, None, None).await.unwrap();
    assert_eq!((candles[0].open.to_string(), candles[0].close.to_string()), ("1.1".into(), "1.3".into()));
    f.node.stop().await;
}

#[tokio::test]
async fn imports_that_cannot_be_are_refused_by_argument() {
    let f = Fixture::new().await;
    let field = |result: Result<ImportReport, ApiError>| result.unwrap_err().field.unwrap();
    let missing = f.import_file(Path::new("/nowhere/x.csv"), "X.FILE", Some("1m")).await.unwrap_err();
    assert_eq!((missing.code, missing.field.as_deref()), (ErrorCode::NotFound, Some("file")));
    assert_eq!(field(f.import_file(f.dir.path(), "X.FILE", Some("1m")).await), "file");
    assert_eq!(field(f.import_file(Path::new("-"), "X.FILE", Some("1m")).await), "file");
    assert_eq!(field(f.import_file(Path::new("x.csv"), "BTC-PERP.SIM", Some("1m")).await), "instrument");
    assert_eq!(field(f.import("bad.json", "{}", Some("1m")).await), "file");
    f.node.stop().await;
}

#[tokio::test]
async fn instruments_of_files_come_and_go() {
    let f = Fixture::new().await;
    let symbols = async |venue: Option<&str>, query: Option<&str>| {
        let request = ListSymbols { venue: venue.map(str::to_owned), query: query.map(str::to_owned) };
        let list = f.services.market.list_symbols(&f.caller, request).await.unwrap();
        list.instruments.into_iter().map(|i| i.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(symbols(Some("SIM"), None).await.len(), 25);
    f.import("x.csv", &minutes(0, 5), Some("1m")).await.unwrap();
    assert_eq!(symbols(None, Some("x.fi")).await, ["X.FILE"]);

    let add = |instrument: &str, decimals| {
        let json = serde_json::json!({"instrument": instrument, "name": "Ten", "price_decimals": decimals});
        serde_json::from_value::<AddSymbol>(json).unwrap()
    };
    let added = f.services.market.add_symbol(&f.caller, add("X.FILE", 4)).await.unwrap();
    assert_eq!((added.name.as_str(), added.price_decimals, added.quantity_decimals), ("Ten", 4, 4));
    let refused = f.services.market.add_symbol(&f.caller, add("X.FILE", 12)).await.unwrap_err();
    assert_eq!(refused.field.as_deref(), Some("price_decimals"));
    assert!(f.services.market.add_symbol(&f.caller, add("NEW.SIM", 2)).await.is_err());

    let remove = async |instrument: &str, delete_data| {
        let request = RemoveSymbol { instrument: id(instrument), delete_data };
        f.services.market.remove_symbol(&f.caller, request).await
    };
    assert_eq!(remove("BTC-PERP.SIM", true).await.unwrap_err().code, ErrorCode::Conflict);
    assert_eq!(remove("X.FILE", false).await.unwrap().deleted_candles, 0);
    assert_eq!(f.candles("X.FILE", "1m", None, None, None).await.unwrap().len(), 5, "its candles stayed");
    assert_eq!(remove("X.FILE", true).await.unwrap().deleted_candles, 5);
    assert_eq!(remove("X.FILE", true).await.unwrap_err().code, ErrorCode::NotFound);
    assert!(f.candles("X.FILE", "1m", None, None, None).await.is_err());
    f.node.stop().await;
}

#[tokio::test]
async fn quotes_carry_the_day() {
    let f = Fixture::new().await;
    let all = f.services.market.list_quotes(&f.caller, ListQuotes { instruments: None }).await.unwrap().quotes;
    assert_eq!(all.len(), 25);
    let day = f.candles("BTC-PERP.SIM", "1m", Some("2026-03-03T12:00:00Z"), None, Some(1_440)).await.unwrap();
    let quote = all.iter().find(|q| q.instrument == id("BTC-PERP.SIM")).unwrap();
    assert!(quote.bid < quote.ask && quote.simulated && !quote.stale && quote.spark.len() == 24);
    assert_eq!(quote.high_24h, day.iter().map(|c| c.high).max().unwrap().max(quote.last));
    assert_eq!(quote.low_24h, day.iter().map(|c| c.low).min().unwrap().min(quote.last));
    let expected = quote.last.to_f64() / day[0].open.to_f64() - 1.0;
    assert!((quote.change_24h.to_f64() - expected).abs() < 1e-8);
    let named = ListQuotes { instruments: Some(vec![id("GHOST.SIM")]) };
    assert_eq!(f.services.market.list_quotes(&f.caller, named).await.unwrap_err().code, ErrorCode::NotFound);
    f.node.stop().await;
}
