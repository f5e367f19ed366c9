use std::io::{Cursor, Read};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use cw_core::{Candle, InstrumentId, Price, Quantity, Quote, Side, Timeframe, Timestamp, Trade, Volume};
use cw_store::{
    CandleQuery, Channel, DataKind, ExportFormat, FileFormat, ImportControl, ImportOptions, ImportReport, OnConflict,
    Source, SourceKind, Store, StoreError, TimeRange, parse_column_mapping,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

use super::candles::{candle, minute};
use crate::Bench;

const NOISE: &str = include_str!("../../testdata/candles_5m_float_noise.csv");
const TRADES: &str = include_str!("../../testdata/trades_buyer_maker.csv");
const QUOTES: &str = include_str!("../../testdata/quotes.csv");

fn id() -> InstrumentId {
    "BTCUSDT.FILE".parse().unwrap()
}

async fn import_with(
    store: &Store,
    text: impl Into<Vec<u8>>,
    options: ImportOptions,
) -> Result<ImportReport, StoreError> {
    store.import(Cursor::new(text.into()), &options, &ImportControl::default()).await
}

async fn import(bench: &Bench, timeframe: &str, text: &str) -> ImportReport {
    let timeframe = (!timeframe.is_empty()).then(|| timeframe.parse().unwrap());
    import_with(&bench.store, text, ImportOptions::new(id(), timeframe, "test.csv")).await.unwrap()
}

async fn read(bench: &Bench, timeframe: &str) -> Vec<Candle> {
    bench.store.read_candles(&id(), timeframe.parse().unwrap(), &CandleQuery::default()).await.unwrap()
}

fn rejected(report: &ImportReport) -> Vec<(u64, &str)> {
    report.rejected.iter().map(|row| (row.line, row.reason.as_str())).collect()
}

pub async fn recorded_candles_are_imported_exactly(bench: Bench) {
    let report = import(&bench, "5m", NOISE).await;
    assert_eq!((report.kind, report.rows, report.accepted, report.rejected_total), (DataKind::Candles, 20, 20, 0));
    assert_eq!(report.first.unwrap().to_string(), "2018-01-10T04:55:00Z");
    let candles = read(&bench, "5m").await;
    // 0.09946999000000001 in the file.
    assert_eq!((candles[1].open.to_string(), candles[1].close.to_string()), ("0.09946999".into(), "0.09969".into()));
    let noisy = NOISE.lines().skip(1).flat_map(|line| line.split(',').skip(1));
    let too_long = noisy.filter(|n| n.split_once('.').is_some_and(|(_, decimals)| decimals.len() > 9)).count();
    assert_eq!(report.rounded, too_long as u64);
    let again = import(&bench, "5m", NOISE).await;
    assert_eq!((again.accepted, again.duplicates), (0, 20));
}

pub async fn recorded_ticks_are_imported_exactly(bench: Bench) {
    let report = import(&bench, "", TRADES).await;
    assert_eq!((report.kind, report.accepted, report.rejected_total), (DataKind::Trades, 30, 0));
    let trades = bench.store.read_trades(&id(), &CandleQuery::default()).await.unwrap();
    let first = Trade {
        event_time: "2021-01-08T00:00:00.278Z".parse().unwrap(),
        price: "39432.48".parse().unwrap(),
        qty: "0.000263".parse().unwrap(),
        aggressor: Some(Side::Sell),
        trade_id: 553_287_559,
    };
    assert_eq!((trades.len(), trades[0], trades[1].aggressor), (30, first, Some(Side::Buy)));
    let report = import(&bench, "", QUOTES).await;
    assert_eq!((report.kind, report.accepted, report.rejected_total), (DataKind::Quotes, 30, 0));
    let quotes = bench.store.read_quotes(&id(), &CandleQuery::default()).await.unwrap();
    assert_eq!((quotes[0].bid.to_string(), quotes[0].ask.to_string()), ("1.1212".into(), "1.12172".into()));
    for text in [TRADES, QUOTES] {
        let again = import(&bench, "", text).await;
        assert_eq!((again.accepted, again.duplicates, again.rejected_total), (0, 30, 0));
    }
}

pub async fn bad_rows_never_stop_an_import(bench: Bench) {
    let text = "time,open,high,low,close,volume\n\
        2024-01-01T00:00:00Z,10,11,9,10,1\n\
        2024-01-01T00:01:00Z,NaN,11,9,10,1\n\
        2024-01-01T00:02:00Z,10,9,11,10,1\n\
        2024-01-01T00:03:00Z,-10,11,9,10,1\n\
        yesterday,10,11,9,10,1\n\
        2024-01-01T00:04:00Z,10,11,9,10,-1\n\
        2024-01-01T00:05:00Z,10,11,9\n\
        2024-01-01T00:06:00Z,12,11,9,10,1\n\
        2024-01-01T00:07:00Z,,11,9,10,1\n\
        2024-01-01T00:08:00Z,10,99999999999,9,10,1\n\
        2024-01-01T00:09:00Z,10,1e1,9,10,1e3\n";
    let report = import(&bench, "1m", text).await;
    assert_eq!((report.rows, report.accepted, report.rejected_total), (11, 2, 9));
    assert_eq!(
        rejected(&report),
        [
            (3, "open: \"NaN\" is not a decimal number"),
            (4, "high 9 is below low 11"),
            (5, "open must be greater than zero"),
            (
                6,
                "\"yesterday\" is not a time; use ISO-8601 (2024-01-31 or 2024-01-31T12:00:00Z) or a Unix epoch in s, ms, us or ns"
            ),
            (7, "volume is negative"),
            (8, "4 fields, the header has 6"),
            (9, "open 12 lies outside low 9 and high 11"),
            (10, "open is missing"),
            (11, "high: number out of range"),
        ]
    );
    assert_eq!(report.gaps_total, 1);
    assert_eq!(read(&bench, "1m").await.len(), 2);
    let quarantine = bench.store.quarantine(20).await.unwrap();
    assert_eq!(quarantine.len(), 9);
    assert_eq!((quarantine[0].line, quarantine[0].raw.as_str()), (3, "2024-01-01T00:01:00Z,NaN,11,9,10,1"));
    assert_eq!((quarantine[0].file.as_str(), &quarantine[0].instrument), ("test.csv", &id()));
}

pub async fn duplicates_are_counted_and_contradictions_rejected(bench: Bench) {
    let text = "time,open,high,low,close,volume\n\
        2024-01-01T00:02:00Z,10,11,9,10,1\n\
        2024-01-01T00:00:00Z,10,11,9,10,1\n\
        2024-01-01T00:02:00Z,10.0,11.00,9,10,1\n\
        2024-01-01T00:00:00Z,10,11,9,10.5,1\n";
    let report = import(&bench, "1m", text).await;
    assert_eq!((report.accepted, report.duplicates, report.out_of_order), (2, 1, 2));
    assert_eq!(rejected(&report), [(5, "contradicts what is stored for the same time")]);
    // The same with what an earlier import stored; revising takes it.
    let other = "time,open,high,low,close\n1704067200,10,11,9,10.25\n1704067260,10,11,9,10\n";
    let report = import(&bench, "1m", other).await;
    assert_eq!((report.accepted, rejected(&report).len()), (1, 1));
    let revise = ImportOptions {
        on_conflict: OnConflict::Revise,
        ..ImportOptions::new(id(), Some(Timeframe::M1), "corrections.csv")
    };
    let report = import_with(&bench.store, other, revise).await.unwrap();
    assert_eq!((report.accepted, report.duplicates, report.rejected_total), (1, 1, 0));
    assert_eq!(read(&bench, "1m").await[0].close.to_string(), "10.25");
}

pub async fn every_form_of_time_and_header_is_understood(bench: Bench) {
    for (n, text) in [
        "open_time,open,high,low,close,volume\n1704067200,1,1,1,1,1\n",
        "timestamp,open,high,low,close,volume\n1704067200000,1,1,1,1,1\n",
        "date,open,high,low,close,volume\n1704067200000000000,1,1,1,1,1\n",
        "\u{feff}Date;Open;High;Low;Close;Volume\r\n2024-01-01;1;1;1;1;1\r\n",
        "time\topen\thigh\tlow\tclose\tvolume\n2024-01-01 00:00:00\t1\t1\t1\t1\t1\n",
        "\"time\",\"open\",\"high\",\"low\",\"close\",\"volume\",note\n\"2024-01-01T01:00:00+01:00\",1,1,1,1,1,\"a, b\"\n",
        "time,bid_open,bid_high,bid_low,bid_close,volume\n2024-01-01,1,1,1,1,1\n",
        "volume,close,low,high,open,time\n1,1,1,1,1,2024-01-01",
    ]
    .into_iter()
    .enumerate()
    {
        let timeframe = format!("{}m", n + 1);
        let report = import(&bench, &timeframe, text).await;
        assert_eq!((report.accepted, report.rejected_total), (1, 0), "{text:?}: {:?}", report.rejected);
        let candles = read(&bench, &timeframe).await;
        assert_eq!(candles[0].open_time.to_string(), "2024-01-01T00:00:00Z", "{text:?}");
        assert_eq!(candles[0].volume.to_string(), "1", "{text:?}");
    }
    let mapped = ImportOptions {
        columns: parse_column_mapping("open_time=When,open=O,high=H,low=L,close=C").unwrap(),
        ..ImportOptions::new(id(), Some(Timeframe::H1), "odd.csv")
    };
    let report = import_with(&bench.store, "When,O,H,L,C\n2024-01-01,1,1,1,1\n", mapped).await.unwrap();
    assert_eq!(report.accepted, 1);
    let mid = "time,bid_open,bid_high,bid_low,bid_close,ask_open,ask_high,ask_low,ask_close\n\
               2024-01-01,1.1,1.2,1.0,1.15,1.2,1.3,1.1,1.150000001\n";
    let report = import(&bench, "1d", mid).await;
    assert_eq!((report.price_basis, report.rounded), ("mid", 1));
    let candle = read(&bench, "1d").await[0];
    assert_eq!((candle.open.to_string(), candle.close.to_string()), ("1.15".into(), "1.15".into()));
}

pub async fn a_file_that_makes_no_sense_writes_nothing(bench: Bench) {
    for (timeframe, text, expected) in [
        (Some(Timeframe::M1), "", "no header"),
        (Some(Timeframe::M1), "a,b,c\n1,2,3\n", "cannot tell what the columns a, b, c are"),
        (None, "time,open,high,low,close\n2024-01-01,1,1,1,1\n", "candles need a timeframe"),
        (Some(Timeframe::M1), "\0\u{1}\u{2}", "cannot tell"),
    ] {
        let error = import_with(&bench.store, text, ImportOptions::new(id(), timeframe, "bad.csv")).await.unwrap_err();
        assert!(matches!(error, StoreError::Invalid { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
    let not_parquet = ImportOptions::new(id(), Some(Timeframe::M1), "x.parquet");
    assert_eq!(not_parquet.format, FileFormat::Parquet);
    let error = import_with(&bench.store, "PAR1 not really", not_parquet).await.unwrap_err();
    assert!(error.to_string().contains("not a Parquet file"), "{error}");
    assert!(bench.store.coverage(None).await.unwrap().is_empty());
    let header_only = import(&bench, "1m", "time,open,high,low,close\n").await;
    assert_eq!((header_only.rows, header_only.first), (0, None));
}

pub async fn hostile_bytes_are_rejected_row_by_row(bench: Bench) {
    let mut bytes = b"time,open,high,low,close,volume\n2024-01-01,1,1,1,1,1\n".to_vec();
    bytes.extend(b"\xff\xfe\0,1,1,1,1,1\n,,,,,\n2024-01-02,\xc3\x28,1,1,1,1\n2024-01-03,1,1,1,1,\0\n");
    bytes.extend(b"2024-01-04,1,1,1,1,99999999999999999999999999999999999999999999\n2024-01-05,1,1,1,1,1\n");
    let report =
        import_with(&bench.store, bytes, ImportOptions::new(id(), Some(Timeframe::D1), "bytes.csv")).await.unwrap();
    assert_eq!((report.accepted, report.rejected_total), (2, 5), "{:?}", report.rejected);
    assert_eq!(bench.store.quarantine(100).await.unwrap().len(), 5);
}

pub async fn an_import_reports_progress_and_can_be_stopped(bench: Bench) {
    let rows: Vec<String> = (0..120_000).map(|n| format!("{},1,1,1,1,1\n", 1_600_000_000 + n * 60)).collect();
    let text = format!("time,open,high,low,close,volume\n{}", rows.concat());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let control = ImportControl::default();
    let (list, cancel) = (seen.clone(), control.cancel.clone());
    let control = ImportControl {
        progress: Some(Arc::new(move |rows| {
            list.lock().unwrap().push(rows);
            cancel.store(rows >= 100_000, Ordering::Relaxed);
        })),
        ..control
    };
    let options = ImportOptions::new(id(), Some(Timeframe::M1), "long.csv");
    let report = bench.store.import(Cursor::new(text.clone()), &options, &control).await.unwrap();
    assert!(report.canceled);
    assert_eq!(seen.lock().unwrap()[..2], [50_000, 100_000]);
    // The same import again completes it.
    let report = import(&bench, "1m", &text).await;
    assert_eq!(report.accepted + report.duplicates, 120_000);
    assert_eq!(bench.store.coverage(Some(&id())).await.unwrap()[0].rows, 120_000);
}

pub async fn a_reader_that_fails_is_an_error(bench: Bench) {
    struct Torn(Cursor<Vec<u8>>);
    impl Read for Torn {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(std::io::Error::other("the cable came out")),
                n => Ok(n),
            }
        }
    }
    let options = ImportOptions::new(id(), Some(Timeframe::D1), "torn.csv");
    let torn = Torn(Cursor::new(b"time,open,high,low,close\n2024-01-01,1,1,1,1\n".to_vec()));
    let error = bench.store.import(torn, &options, &ImportControl::default()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
    assert!(error.to_string().contains("the cable came out"), "{error}");
}

pub async fn gaps_and_coverage_follow_what_is_there(bench: Bench) {
    let row = |n: i64| format!("{},1,1,1,1,1\n", minute(n).as_secs());
    let file =
        |rows: &[i64]| rows.iter().fold(String::from("time,open,high,low,close,volume\n"), |text, n| text + &row(*n));
    let report = import(&bench, "1m", &file(&[0, 1, 5, 6, 20])).await;
    let gaps = |report: &ImportReport| report.gaps.iter().map(|gap| (gap.from, gap.missing)).collect::<Vec<_>>();
    assert_eq!(gaps(&report), [(minute(2), 3), (minute(7), 13)]);
    // A second file closes one gap, splits another and adds one behind.
    let report = import(&bench, "1m", &file(&[2, 3, 4, 10, 30])).await;
    assert_eq!(gaps(&report), [(minute(7), 3), (minute(11), 9), (minute(21), 9)]);
    let coverage = &bench.store.coverage(None).await.unwrap()[0];
    assert_eq!((coverage.rows, coverage.gaps_total, coverage.missing_total), (10, 3, 21));
    assert_eq!((coverage.first, coverage.last), (Some(minute(0)), Some(minute(30))));
    assert_eq!(coverage.gaps, report.gaps);
    assert_eq!((coverage.ranges[0].from, coverage.ranges[0].to), (minute(0), minute(31)));

    let store = &bench.store;
    let candles = Channel::Candles(Timeframe::M1);
    let missing = async |from: i64, to: i64| -> Vec<(i64, i64)> {
        let range = TimeRange::new(minute(from), minute(to));
        let at = |time: Timestamp| time.nanos_since(minute(0)) / 60_000_000_000;
        let missing = store.missing_ranges(&id(), candles, range).await.unwrap();
        missing.into_iter().map(|range| (at(range.from), at(range.to))).collect()
    };
    assert_eq!(missing(-5, 40).await, [(-5, 0), (31, 40)]);
    store.add_coverage(&id(), candles, TimeRange::new(minute(35), minute(38)), "SIM").await.unwrap();
    store.add_coverage(&id(), candles, TimeRange::new(minute(31), minute(35)), "SIM").await.unwrap();
    store.add_coverage(&id(), candles, TimeRange::new(minute(-2), minute(2)), "SIM").await.unwrap();
    assert_eq!(missing(-5, 40).await, [(-5, -2), (38, 40)]);
    assert_eq!(missing(0, 31).await, []);
    assert_eq!(missing(50, 50).await, []);
    let ranges = store.coverage(None).await.unwrap()[0].ranges.len();
    assert_eq!(ranges, 3, "touching ranges of one provider are one");
    let unknown: InstrumentId = "NEW.SIM".parse().unwrap();
    let range = TimeRange::new(minute(0), minute(1));
    assert_eq!(store.missing_ranges(&unknown, candles, range).await.unwrap(), [range]);
}

async fn export(store: &Store, channel: Channel, format: ExportFormat) -> Vec<u8> {
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);
    impl std::io::Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let shared = Shared::default();
    store.export(&id(), channel, &CandleQuery::default(), format, shared.clone()).await.unwrap();
    shared.0.lock().unwrap().clone()
}

/// What is exported and imported under another name is the same.
async fn round_trip(store: &Store, channel: Channel, format: ExportFormat) {
    let other: InstrumentId = "COPY.FILE".parse().unwrap();
    let (timeframe, file) = match channel {
        Channel::Candles(timeframe) => (Some(timeframe), format),
        _ => (None, format),
    };
    let name = if file == ExportFormat::Parquet { "x.parquet" } else { "x.csv" };
    let bytes = export(store, channel, format).await;
    let report = import_with(store, bytes, ImportOptions::new(other.clone(), timeframe, name)).await.unwrap();
    assert_eq!((report.rejected_total, report.rounded), (0, 0), "{:?}", report.rejected);
    let all = CandleQuery::default();
    match channel {
        Channel::Candles(timeframe) => assert_eq!(
            store.read_candles(&id(), timeframe, &all).await.unwrap(),
            store.read_candles(&other, timeframe, &all).await.unwrap()
        ),
        Channel::Trades => {
            assert_eq!(store.read_trades(&id(), &all).await.unwrap(), store.read_trades(&other, &all).await.unwrap());
        }
        Channel::Quotes => {
            assert_eq!(store.read_quotes(&id(), &all).await.unwrap(), store.read_quotes(&other, &all).await.unwrap());
        }
    }
}

fn any_candle() -> impl Strategy<Value = Candle> {
    let volume = prop_oneof![0..i128::from(i64::MAX), 0..10i128.pow(38)];
    (any::<i32>(), 1..i64::MAX, 1..i64::MAX, 0.0..1.0f64, 0.0..1.0f64, volume).prop_map(|(t, a, b, x, y, volume)| {
        let (low, high) = (a.min(b), a.max(b));
        let between = |x: f64| Price::from_raw((low + ((high - low) as f64 * x) as i64).clamp(low, high));
        Candle {
            open_time: Timestamp::from_secs(i64::from(t)),
            open: between(x),
            high: Price::from_raw(high),
            low: Price::from_raw(low),
            close: between(y),
            volume: Volume::from_raw(volume),
        }
    })
}

fn any_trade() -> impl Strategy<Value = Trade> {
    // Few moments and few ids, so that many trades share them.
    let side = prop_oneof![Just(None), Just(Some(Side::Buy)), Just(Some(Side::Sell))];
    let id = prop_oneof![Just(0u64), any::<u64>()];
    (0..5i64, 1..i64::MAX, 1..10i128.pow(30), side, id).prop_map(|(t, price, qty, aggressor, trade_id)| Trade {
        event_time: Timestamp::from_nanos(1_700_000_000_000_000_000 + t),
        price: Price::from_raw(price),
        qty: Quantity::from_raw(qty),
        aggressor,
        trade_id,
    })
}

fn any_quote() -> impl Strategy<Value = Quote> {
    (0..5i64, 1..i64::MAX, 1..i64::MAX, 0..10i128.pow(30)).prop_map(|(t, a, b, qty)| Quote {
        event_time: Timestamp::from_nanos(1_700_000_000_000_000_000 + t),
        bid: Price::from_raw(a.min(b)),
        ask: Price::from_raw(a.max(b)),
        bid_qty: Quantity::from_raw(qty),
        ask_qty: Quantity::from_raw(qty / 7),
    })
}

pub async fn import_of_export_is_the_same(bench: Bench) {
    let mut runner = TestRunner::new(Config { cases: 1, failure_persistence: None, ..Config::default() });
    let mut sample = |n| {
        let strategies = (
            prop::collection::vec(any_candle(), n),
            prop::collection::vec(any_trade(), n),
            prop::collection::vec(any_quote(), n),
        );
        strategies.new_tree(&mut runner).unwrap().current()
    };
    let source = Source::new("test", SourceKind::Backfilled);
    // Each round adds to what is there, so later rounds are larger.
    for n in [0, 1, 5, 40] {
        let (candles, trades, mut quotes) = sample(n);
        let store = &bench.store;
        store.write_candles(&id(), Timeframe::S1, &candles, &source, OnConflict::Revise).await.unwrap();
        store.write_trades(&id(), &trades, &source).await.unwrap();
        quotes.sort_by_key(|quote| quote.event_time);
        store.write_quotes(&id(), &quotes, &source).await.unwrap();
        for format in [ExportFormat::Csv, ExportFormat::Parquet] {
            for channel in [Channel::Candles(Timeframe::S1), Channel::Trades, Channel::Quotes] {
                // A fresh copy each time: the second format must not find the first one's rows.
                let copy = tempfile::tempdir().unwrap();
                let bytes_into = copy_of(store, channel, copy.path()).await;
                round_trip(&bytes_into, channel, format).await;
                bytes_into.close().await.unwrap();
            }
        }
    }
}

/// A store of its own with the same series.
async fn copy_of(store: &Store, channel: Channel, dir: &std::path::Path) -> Store {
    let copy = Store::open(&cw_store::StoreConfig::local(dir)).await.unwrap();
    let (all, source) = (CandleQuery::default(), Source::new("test", SourceKind::Backfilled));
    match channel {
        Channel::Candles(timeframe) => {
            let candles = store.read_candles(&id(), timeframe, &all).await.unwrap();
            copy.write_candles(&id(), timeframe, &candles, &source, OnConflict::Revise).await.unwrap();
        }
        Channel::Trades => {
            let trades = store.read_trades(&id(), &all).await.unwrap();
            copy.write_trades(&id(), &trades, &source).await.unwrap();
        }
        Channel::Quotes => {
            let quotes = store.read_quotes(&id(), &all).await.unwrap();
            copy.write_quotes(&id(), &quotes, &source).await.unwrap();
        }
    }
    copy
}

pub async fn long_exports_lose_no_row_between_pages(bench: Bench) {
    let candles: Vec<Candle> = (0..120_000).map(candle).collect();
    let source = Source::new("test", SourceKind::Backfilled);
    bench.store.write_candles(&id(), Timeframe::M1, &candles, &source, OnConflict::Revise).await.unwrap();
    // More quotes of one moment than a page holds, between two others.
    let quote = |n: i64, moment: i64| Quote {
        event_time: Timestamp::from_secs(1_700_000_000 + moment),
        bid: Price::from_raw(1 + n),
        ask: Price::from_raw(2 + n),
        bid_qty: Quantity::ZERO,
        ask_qty: Quantity::ZERO,
    };
    let quotes: Vec<Quote> =
        (0..60_002).map(|n| quote(n, if n == 0 { 0 } else { 1 + i64::from(n == 60_001) })).collect();
    bench.store.write_quotes(&id(), &quotes, &source).await.unwrap();
    round_trip(&bench.store, Channel::Candles(Timeframe::M1), ExportFormat::Csv).await;
    round_trip(&bench.store, Channel::Quotes, ExportFormat::Parquet).await;
    let all = bench.store.read_quotes(&id(), &CandleQuery::default()).await.unwrap();
    assert_eq!(all.len(), 60_002);
}

pub async fn json_is_an_array_of_texts(bench: Bench) {
    let source = Source::new("test", SourceKind::Backfilled);
    let empty: serde_json::Value =
        serde_json::from_slice(&export(&bench.store, Channel::Trades, ExportFormat::Json).await).unwrap();
    assert_eq!(empty, serde_json::json!([]));
    let candles = [candle(0), candle(1)];
    bench.store.write_candles(&id(), Timeframe::M1, &candles, &source, OnConflict::Revise).await.unwrap();
    let bytes = export(&bench.store, Channel::Candles(Timeframe::M1), ExportFormat::Json).await;
    let read: Vec<Candle> = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(read, candles);
    let csv = export(&bench.store, Channel::Candles(Timeframe::M1), ExportFormat::Csv).await;
    assert!(csv.starts_with(b"open_time,open,high,low,close,volume\n2023-11-14T22:14:00Z,100,"), "{csv:?}");
}
