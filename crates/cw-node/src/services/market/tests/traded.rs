//! Candles that end with what was traded, of every source of trades.

use cw_api::commands::backtests::{BacktestRequest, BacktestResult, RunBacktest};
use cw_core::{Cadence, MarketEventKind, Price, Quantity, Trade};
use cw_market::{Bar, Bars};
use cw_store::{TapeEvent, Tapes};
use cw_venues::sim::SimMarket;

use super::*;

/// All candles of trades, those that days left over included.
fn made(trades: &[Trade], text: &str) -> Vec<Candle> {
    let Cadence::Traded(rule) = text.parse().unwrap() else { panic!("{text}") };
    let (mut maker, mut bars): (Bars, Vec<Bar>) = (Bars::new(rule), Vec::new());
    for trade in trades {
        maker.on_trade(trade, &mut |bar| bars.push(bar));
    }
    maker.end_day(&mut |bar| bars.push(bar));
    bars.iter().map(|bar| bar.candle).collect()
}

fn trade(ms: i64, price: i64, qty: i128) -> Trade {
    Trade {
        event_time: at("2024-01-01T23:00:00Z").plus_nanos(ms * 1_000_000),
        price: Price::from_raw(price * 1_000_000_000),
        qty: Quantity::from_raw(qty * 1_000_000_000),
        aggressor: None,
        trade_id: 0,
    }
}

/// Two hours around a midnight: a trade each 700 ms that wanders up and down.
fn trades() -> Vec<Trade> {
    let level = |n: i64| 100 + (n / 9) % 20 - (n / 23) % 11 + n % 3;
    (0..10_000).map(|n| trade(n * 700, level(n), i128::from(1 + n % 7))).collect()
}

fn csv(trades: &[Trade]) -> String {
    let row = |trade: &Trade| format!("{},{},{}\n", trade.event_time, trade.price, trade.qty);
    format!("time,price,quantity\n{}", trades.iter().map(row).collect::<String>())
}

#[tokio::test]
async fn imported_trades_become_candles_of_any_rule() {
    let f = Fixture::new().await;
    let trades = trades();
    f.import("trades.csv", &csv(&trades), None).await.unwrap();
    for text in ["100t", "250v", "40000n", "5r", "3k"] {
        let all = made(&trades, text);
        assert!(all.len() > 20, "{text}: {}", all.len());
        let newest = f.candles("X.FILE", text, None, None, Some(10_000)).await.unwrap();
        assert_eq!(newest, all, "{text}");
        let (from, to) = (all[7].open_time, all[15].open_time);
        let part = GetCandles {
            instrument: id("X.FILE"),
            timeframe: text.parse().unwrap(),
            from: Some(from),
            to: Some(to),
            limit: None,
        };
        let part = f.services.market.get_candles(&f.caller, part).await.unwrap();
        assert_eq!((part.candles.as_slice(), part.forming), (&all[7..15], None), "{text}");
        let few = f.candles("X.FILE", text, None, None, Some(3)).await.unwrap();
        assert_eq!(few, all[all.len() - 3..], "{text}");
    }
    f.node.stop().await;
}

#[tokio::test]
async fn a_chart_of_them_pages_without_a_seam_and_shows_indicators() {
    let f = Fixture::new().await;
    f.import("trades.csv", &csv(&trades()), None).await.unwrap();
    let window = async |before: Option<Timestamp>, limit, set: &str| {
        let (instrument, timeframe) = (id("X.FILE"), "20v".parse().unwrap());
        let request = GetChartWindow { instrument, timeframe, before, limit, set: set.to_owned() };
        f.services.market.chart_window(&f.caller, request).await.unwrap()
    };
    let whole = window(None, 20_000, "ema(5)").await;
    assert!(whole.header.rows > 1_500 && !whole.header.has_more_before && !whole.header.forming);
    let times = &whole.columns[0];
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "a trade of seven ends two: each has a time of its own");
    assert!(times.iter().any(|time| time.fract() != 0.0));

    let mut pages: Vec<Vec<f64>> = vec![Vec::new(); whole.columns.len()];
    let mut before = None;
    loop {
        let page = window(before, 400, "ema(5)").await;
        for (all, mut column) in pages.iter_mut().zip(page.columns) {
            column.append(all);
            *all = column;
        }
        if !page.header.has_more_before {
            break;
        }
        // As a chart tells it back: a float of seconds, good to the microsecond.
        before = Some(Timestamp::from_nanos((pages[0][0] * 1e6).round() as i64 * 1_000));
    }
    assert_eq!(pages[..6], whole.columns[..6]);
    for (a, b) in pages[6].iter().zip(&whole.columns[6]) {
        assert!((a.is_nan() && b.is_nan()) || (a - b).abs() < 1e-6, "{a} and {b}");
    }
    let compute = ComputeIndicators {
        instrument: id("X.FILE"),
        timeframe: "20v".parse().unwrap(),
        set: "ema(5),on(\"1h\", ema(5))".to_owned(),
        from: None,
        to: None,
        limit: Some(2),
    };
    let error = f.services.market.compute_indicators(&f.caller, compute.clone()).await.unwrap_err();
    assert!(error.field.as_deref() == Some("set") && error.message.contains("20v"), "{}", error.message);
    let compute = ComputeIndicators { set: "ema(5)".to_owned(), ..compute };
    let table = f.services.market.compute_indicators(&f.caller, compute).await.unwrap();
    let last: f64 = table.rows[1][1].as_deref().unwrap().parse().unwrap();
    assert!((last - whole.columns[6][whole.columns[6].len() - 1]).abs() < 1e-6);
    f.node.stop().await;
}

#[tokio::test]
async fn the_simulated_market_has_them_of_its_own_trades() {
    let f = Fixture::new().await;
    let (market, bitcoin) = (SimMarket::new(1), id("BTC-PERP.SIM"));
    let day = |day: &str, until: &str| {
        let mut trades = Vec::new();
        let mut minute = at(day);
        while minute < at(until) {
            trades.extend(market.trades(&bitcoin, minute).unwrap());
            minute = minute.plus_nanos(60_000_000_000);
        }
        trades.retain(|trade| trade.event_time <= at("2026-03-04T12:00:30Z"));
        trades
    };
    let (yesterday, today) = (day("2026-03-03", "2026-03-04"), day("2026-03-04", "2026-03-04T12:01:00Z"));
    let mut expected = made(&yesterday, "100t");
    expected.extend(made(&today, "100t"));
    let request = GetCandles {
        instrument: bitcoin.clone(),
        timeframe: "100t".parse().unwrap(),
        from: Some(at("2026-03-03")),
        to: Some(at("2026-03-05")),
        limit: None,
    };
    let got = f.services.market.get_candles(&f.caller, request).await.unwrap();
    let forming = expected.pop().unwrap();
    assert_eq!(got.candles, expected);
    let got = got.forming.expect("noon is in the middle of a candle");
    assert_eq!((got.open_time, got.close, got.volume), (forming.open_time, forming.close, forming.volume));
    assert!(today.len() % 100 != 0 && today.len() > 1_000);
    f.node.stop().await;
}

#[tokio::test]
async fn what_was_recorded_is_taken_where_nothing_was_imported() {
    let dir = tempfile::tempdir().unwrap();
    let trades = trades();
    let (mut writer, _) = Tapes::new(&dir.path().join("data")).writer(&id("TAPE.FILE")).unwrap();
    for trade in &trades {
        let received_at = trade.event_time.plus_nanos(40_000_000);
        writer.push(TapeEvent::new(received_at, MarketEventKind::Trade(*trade))).unwrap();
    }
    writer.finish().unwrap();
    let f = Fixture::open(dir, 1).await;
    assert_eq!(f.candles("TAPE.FILE", "100t", None, None, Some(10_000)).await.unwrap(), made(&trades, "100t"));
    // A day that somebody imports is that day; the other one stays as it was recorded.
    let second = &trades[trades.partition_point(|trade| trade.event_time < at("2024-01-02"))..];
    let thinned: Vec<Trade> = second.iter().step_by(2).copied().collect();
    let file = f.dir.path().join("second.csv");
    std::fs::write(&file, csv(&thinned)).unwrap();
    f.import_file(&file, "TAPE.FILE", None).await.unwrap();
    let mut expected = made(&trades[..trades.len() - second.len()], "100t");
    expected.extend(made(&thinned, "100t"));
    assert_eq!(f.candles("TAPE.FILE", "100t", None, None, Some(10_000)).await.unwrap(), expected);
    f.node.stop().await;
}

#[tokio::test]
async fn without_trades_there_are_none_and_the_answer_says_what_to_do() {
    let f = Fixture::new().await;
    f.import("x.csv", &minutes(0, 5), Some("1m")).await.unwrap();
    let error = f.candles("X.FILE", "100t", None, None, None).await.unwrap_err();
    assert_eq!((error.code, error.field.as_deref()), (ErrorCode::NotFound, Some("instrument")));
    assert!(error.message.contains("--kind trades") && error.message.contains("ticks start"), "{}", error.message);
    for unknown in ["GHOST.FILE", "GHOST.SIM"] {
        let error = f.candles(unknown, "100t", None, None, None).await.unwrap_err();
        assert!(error.code == ErrorCode::NotFound && error.message.contains(unknown), "{}", error.message);
    }
    let endless = f.candles("BTC-PERP.SIM", "1t", Some("2015-01-01"), Some("2026-01-01"), None).await.unwrap_err();
    assert_eq!((endless.code, endless.field.as_deref()), (ErrorCode::InvalidRequest, Some("from")));
    assert_eq!(f.candles("BTC-PERP.SIM", "100t", Some("2027-01-01"), None, None).await.unwrap(), []);
    f.node.stop().await;
}

#[tokio::test]
async fn a_backtest_over_them_says_so_and_comes_out_the_same_twice() {
    let f = Fixture::new().await;
    f.import("trades.csv", &csv(&trades()), None).await.unwrap();
    let run = async |timeframe: &str| -> Result<BacktestResult, ApiError> {
        let request: BacktestRequest = serde_json::from_value(serde_json::json!({
            "strategy": "ema-cross", "params": {"fast": "3", "slow": "8"}, "instrument": "X.FILE", "timeframe": timeframe,
        }))
        .unwrap();
        f.services.backtests.run(&f.caller, RunBacktest(request)).await
    };
    let trades_run = run("50t").await.unwrap();
    assert!(trades_run.trades.len() > 5, "{:?}", trades_run.metrics);
    assert_eq!(run("50t").await.unwrap(), trades_run);
    assert!(trades_run.assumptions["candles"].starts_with("50t of trades"), "{:?}", trades_run.assumptions);
    let candles = made(&trades(), "50t");
    let opens = |time| candles.iter().find(|candle| candle.open_time == time).map(|candle| candle.open);
    assert!(trades_run.trades.iter().all(|trade| opens(trade.entry_time) == Some(trade.entry_price)));
    let volume_run = run("200v").await.unwrap();
    assert_ne!(volume_run.fingerprint, trades_run.fingerprint);
    assert!(volume_run.assumptions["candles"].starts_with("200v of trades"));
    f.node.stop().await;
}
