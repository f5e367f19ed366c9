//! Topics on a real node whose market runs.

use std::time::Duration;

use cw_api::commands::data::{FetchData, SetMockSpeed};
use cw_api::commands::market::GetCandles;
use cw_api::commands::orders::PlaceOrder;
use cw_api::commands::system::GetMetrics;
use cw_api::stream::{ChartPoint, Topic, Update, UpdateData, UpdateKind};
use cw_api::{Caller, ErrorCode};
use cw_core::{OrderStatus, Surface};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde_json::{Value, json};

use crate::config::NodeConfig;
use crate::logs::LogRing;
use crate::node::Node;

mod enriched;

struct Live {
    _dir: tempfile::TempDir,
    node: Node,
    caller: Caller,
}

impl Live {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let node = Node::open(NodeConfig::live(dir.path().join("data")), LogRing::new()).await.unwrap();
        Self { _dir: dir, node, caller: Caller::operator(Surface::Rest) }
    }

    async fn subscribe(&self, topic: &str, params: Value) -> BoxStream<'static, Update> {
        let topic = Topic::parse(topic, params).unwrap();
        self.node.services().events.subscribe(&self.caller, topic).await.unwrap()
    }
}

/// The next update; the market speaks many times a second, so ten seconds are for ever.
async fn next(updates: &mut BoxStream<'static, Update>) -> Update {
    let waited = tokio::time::timeout(Duration::from_secs(10), updates.next());
    waited.await.expect("an update comes").expect("the topic goes on")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn quotes_begin_with_all_and_go_on_with_what_changed() {
    let live = Live::new().await;
    let mut updates = live.subscribe("quotes", Value::Null).await;
    let first = next(&mut updates).await;
    let UpdateData::Quotes(all) = &first.data else { panic!("{first:?}") };
    assert_eq!((first.kind, all.len()), (UpdateKind::Snapshot, 25));
    let second = next(&mut updates).await;
    let UpdateData::Quotes(changed) = &second.data else { panic!("{second:?}") };
    assert!(second.kind == UpdateKind::Delta && !changed.is_empty());
    let one = live.subscribe("quotes", json!({"instruments": ["SOL-PERP.SIM"]}));
    let mut one = one.await;
    for _ in 0..3 {
        let UpdateData::Quotes(quotes) = next(&mut one).await.data else { panic!() };
        assert_eq!(quotes.iter().map(|q| q.instrument.to_string()).collect::<Vec<_>>(), ["SOL-PERP.SIM"]);
    }
    live.node.stop().await;
    assert_eq!(updates.by_ref().take(100).filter(|_| async { false }).count().await, 0, "it ends with the program");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chart_tells_every_closed_candle_once_and_as_history_has_it() {
    let live = Live::new().await;
    let services = live.node.services();
    // Let the market begin, then ten minutes a second.
    let mut quotes = live.subscribe("quotes", Value::Null).await;
    next(&mut quotes).await;
    next(&mut quotes).await;
    let params = json!({"instrument": "BTC-PERP.SIM", "timeframe": "3m", "set": "ema(5),rsi(14)"});
    let mut updates = live.subscribe("chart", params).await;
    let first = next(&mut updates).await;
    let UpdateData::Chart(snapshot) = first.data else { panic!() };
    assert_eq!((first.kind, snapshot.closed.len()), (UpdateKind::Snapshot, 3));
    services.market.set_mock_speed(&live.caller, SetMockSpeed { speed: 600.0 }).await.unwrap();

    let mut closed: Vec<ChartPoint> = vec![snapshot.closed[2].clone()];
    let mut formed = 0;
    while closed.len() < 8 {
        let update = next(&mut updates).await;
        let UpdateData::Chart(chart) = update.data else { panic!() };
        for point in chart.closed {
            // A snapshot, as after a correction, says again what may have changed; a delta goes on.
            let known = closed.iter().position(|known| known.time == point.time);
            match known {
                Some(known) if update.kind == UpdateKind::Snapshot => closed[known] = point,
                _ if update.kind == UpdateKind::Snapshot && point.time < closed[0].time => {}
                _ => closed.push(point),
            }
        }
        if let Some(forming) = chart.forming {
            formed += 1;
            let last = closed.last().unwrap();
            assert!(forming.time > last.time && forming.plots.iter().all(Option::is_some));
        }
    }
    assert!(formed > 0);
    assert!(closed.windows(2).all(|w| w[1].time == w[0].time + 180.0), "none is left out, none comes twice");
    let time = |point: &ChartPoint| cw_core::Timestamp::from_secs(point.time as i64);
    let history = GetCandles {
        instrument: "BTC-PERP.SIM".parse().unwrap(),
        timeframe: "3m".parse().unwrap(),
        from: Some(time(&closed[0])),
        to: Some(time(closed.last().unwrap()).plus_nanos(1)),
        limit: None,
    };
    let history = services.market.get_candles(&live.caller, history).await.unwrap().candles;
    assert_eq!(history.len(), closed.len());
    for (candle, point) in history.iter().zip(&closed) {
        assert_eq!(
            [candle.open, candle.high, candle.low, candle.close].map(cw_core::Price::to_f64),
            [point.o, point.h, point.l, point.c]
        );
        assert_eq!(candle.volume.to_f64(), point.v);
    }
    live.node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chart_of_trades_grows_as_they_come_and_ends_as_history_has_it() {
    let live = Live::new().await;
    let services = live.node.services();
    let mut quotes = live.subscribe("quotes", Value::Null).await;
    next(&mut quotes).await;
    next(&mut quotes).await;
    services.market.set_mock_speed(&live.caller, SetMockSpeed { speed: 60.0 }).await.unwrap();
    let params = json!({"instrument": "BTC-PERP.SIM", "timeframe": "20t", "set": "ema(5)"});
    let mut updates = live.subscribe("chart", params).await;
    let mut closed: Vec<ChartPoint> = Vec::new();
    let mut formed = 0;
    while closed.len() < 30 {
        let update = next(&mut updates).await;
        let UpdateData::Chart(chart) = update.data else { panic!() };
        for point in chart.closed {
            let last = closed.last().map_or(0.0, |last| last.time);
            // A snapshot repeats what it follows.
            if point.time > last {
                closed.push(point);
            } else {
                assert_eq!(update.kind, UpdateKind::Snapshot);
            }
        }
        if let Some(forming) = chart.forming {
            formed += 1;
            assert!(
                closed.last().is_none_or(|last| forming.time > last.time) && forming.plots.iter().all(Option::is_some)
            );
        }
    }
    assert!(formed > 0);
    let time = |point: &ChartPoint| cw_core::Timestamp::from_nanos((point.time * 1e6).round() as i64 * 1_000);
    let history = GetCandles {
        instrument: "BTC-PERP.SIM".parse().unwrap(),
        timeframe: "20t".parse().unwrap(),
        from: Some(time(&closed[0])),
        to: Some(time(closed.last().unwrap()).plus_nanos(1)),
        limit: None,
    };
    let history = services.market.get_candles(&live.caller, history).await.unwrap().candles;
    assert_eq!(history.iter().map(|c| c.open_time).collect::<Vec<_>>(), closed.iter().map(time).collect::<Vec<_>>());
    for (candle, point) in history.iter().zip(&closed) {
        let prices = [candle.open, candle.high, candle.low, candle.close].map(cw_core::Price::to_f64);
        assert_eq!((prices, candle.volume.to_f64()), ([point.o, point.h, point.l, point.c], point.v));
    }
    live.node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trades_are_whole_and_in_order_and_the_book_stands_around_them() {
    let live = Live::new().await;
    let mut quotes = live.subscribe("quotes", Value::Null).await;
    next(&mut quotes).await;
    next(&mut quotes).await;
    let mut updates = live.subscribe("trades", json!({"instrument": "BTC-PERP.SIM"})).await;
    let mut trades = Vec::new();
    while trades.len() < 80 {
        let UpdateData::Trades(more) = next(&mut updates).await.data else { panic!() };
        trades.extend(more);
    }
    assert!(trades.windows(2).all(|w| w[0].time <= w[1].time));
    // The same prints as the market made: none left out between the first and the last.
    let first = trades[0].time;
    let market = cw_venues::sim::SimMarket::new(1);
    let id = "BTC-PERP.SIM".parse().unwrap();
    let mut expected = Vec::new();
    let mut minute = cw_core::Timeframe::M1.open_time(first);
    while minute <= trades.last().unwrap().time {
        expected.extend(market.trades(&id, minute).unwrap());
        minute = cw_core::Timeframe::M1.close_time(minute);
    }
    let start = expected.iter().position(|t| t.event_time == first && t.price == trades[0].price).unwrap();
    for (expected, got) in expected[start..].iter().zip(&trades) {
        assert_eq!((expected.event_time, expected.price, expected.qty), (got.time, got.price, got.qty));
    }

    let mut book = live.subscribe("depth", json!({"instrument": "BTC-PERP.SIM"})).await;
    let UpdateData::Depth(depth) = next(&mut book).await.data else { panic!() };
    assert_eq!((depth.bids.len(), depth.asks.len()), (20, 20));
    assert!(depth.spread.is_positive() && depth.bids[0].0 < depth.asks[0].0);
    let topic = Topic::parse("depth", json!({"instrument": "GHOST.SIM"})).unwrap();
    let refused = live.node.services().events.subscribe(&live.caller, topic).await;
    assert_eq!(refused.err().map(|e| e.code), Some(ErrorCode::NotFound));
    live.node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_told_step_by_step_with_its_fill_and_what_it_leaves() {
    let live = Live::new().await;
    let services = live.node.services();
    let mut quotes = live.subscribe("quotes", Value::Null).await;
    next(&mut quotes).await;
    next(&mut quotes).await;
    let mut orders = live.subscribe("orders", Value::Null).await;
    let mut fills = live.subscribe("fills", Value::Null).await;
    let mut positions = live.subscribe("positions", Value::Null).await;
    let mut accounts = live.subscribe("accounts", Value::Null).await;
    assert_eq!(next(&mut orders).await.data, UpdateData::Orders(Vec::new()));
    assert_eq!(next(&mut fills).await.data, UpdateData::Fills(Vec::new()));
    let UpdateData::Positions(none) = next(&mut positions).await.data else { panic!() };
    assert!(none.positions.is_empty());
    let UpdateData::Accounts(before) = next(&mut accounts).await.data else { panic!() };

    let order = json!({"account": "paper", "instrument": "BTC-PERP.SIM", "side": "buy", "qty": "0.01"});
    let order: PlaceOrder = serde_json::from_value(order).unwrap();
    let placed = services.trading.place_order(&live.caller, order).await.unwrap();
    let mut steps = Vec::new();
    while steps.last() != Some(&OrderStatus::Filled) {
        let UpdateData::Orders(changed) = next(&mut orders).await.data else { panic!() };
        assert!(changed.iter().all(|o| Some(o.id) == placed.order_id));
        steps.extend(changed.into_iter().map(|o| o.status));
    }
    assert!(steps.contains(&OrderStatus::Sent) && steps.contains(&OrderStatus::Accepted), "{steps:?}");
    let UpdateData::Fills(filled) = next(&mut fills).await.data else { panic!() };
    assert_eq!(Some(filled[0].order_id), placed.order_id);
    let held = loop {
        let update = next(&mut positions).await;
        let UpdateData::Positions(list) = update.data else { panic!() };
        if !list.positions.is_empty() {
            assert_eq!(update.kind, UpdateKind::Snapshot, "the list is whole");
            break list.positions;
        }
    };
    assert_eq!(held[0].qty.to_string(), "0.01");
    loop {
        let UpdateData::Accounts(list) = next(&mut accounts).await.data else { panic!() };
        if list[0].margin_used.is_positive() {
            assert!(list[0].balance < before[0].balance, "the fee is paid");
            break;
        }
    }
    // Who comes later finds it in the snapshot.
    let mut later = live.subscribe("fills", Value::Null).await;
    assert_eq!(next(&mut later).await.data, UpdateData::Fills(filled));
    live.node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_reads_holds_nobody_up_and_begins_again_with_a_snapshot() {
    let live = Live::new().await;
    let services = live.node.services();
    let metric = async |name: &str| {
        let metrics = services.system.metrics(&live.caller, GetMetrics {}).await.unwrap();
        metrics.counters.iter().find(|metric| metric.name == name).map(|metric| metric.value).unwrap()
    };
    let mut stalled = live.subscribe("chart", json!({"instrument": "BTC-PERP.SIM", "timeframe": "1m"})).await;
    let mut reading = live.subscribe("quotes", Value::Null).await;
    assert_eq!(next(&mut reading).await.kind, UpdateKind::Snapshot);
    let taken = metric("candlewick_market_events_total").await;
    // More than is kept for anybody; who reads gets the market's own batches between these.
    for _ in 0..6 {
        for _ in 0..900 {
            live.node.bus().publish(std::sync::Arc::default());
        }
        assert_eq!(next(&mut reading).await.kind, UpdateKind::Delta, "nothing was missed by who reads");
    }
    assert!(metric("candlewick_market_events_total").await > taken, "the market went on");
    assert_eq!(metric("candlewick_subscribers_left_behind_total").await, 0.0, "it does not know yet");

    let first = next(&mut stalled).await;
    assert_eq!(first.kind, UpdateKind::Snapshot, "as it was when the subscription began");
    let again = next(&mut stalled).await;
    let UpdateData::Chart(chart) = &again.data else { panic!("{again:?}") };
    assert!(again.kind == UpdateKind::Snapshot && !chart.closed.is_empty(), "{again:?}");
    assert_eq!(metric("candlewick_subscribers_left_behind_total").await, 1.0);
    assert!(metric("candlewick_missed_batches_total").await >= 4_000.0);
    while next(&mut stalled).await.kind != UpdateKind::Delta {}
    live.node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_come_every_second_and_are_measured() {
    let live = Live::new().await;
    let mut stats = live.subscribe("stats", Value::Null).await;
    next(&mut stats).await;
    let update = next(&mut stats).await;
    let UpdateData::Stats(figures) = update.data else { panic!() };
    assert!(figures.messages_per_s > 0.0 && figures.memory_mb > 1.0, "{figures:?}");
    assert!(figures.event_to_screen_p99_ms > 0.0);
    for topic in ["decisions", "approvals", "jobs", "health", "logs"] {
        let mut updates = live.subscribe(topic, Value::Null).await;
        assert_eq!(next(&mut updates).await.kind, UpdateKind::Snapshot, "{topic}");
    }
    live.node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chart_of_a_file_shows_and_stays() {
    let live = Live::new().await;
    let topic = Topic::parse("chart", json!({"instrument": "GHOST.FILE", "timeframe": "1m"})).unwrap();
    let refused = live.node.services().events.subscribe(&live.caller, topic).await;
    assert_eq!(refused.err().map(|e| e.code), Some(ErrorCode::NotFound));
    // Below a minute there is a past like everywhere.
    let fetch = FetchData {
        instrument: "BTC-PERP.SIM".parse().unwrap(),
        timeframe: "1s".parse().unwrap(),
        from: cw_core::Timestamp::from_secs(1_700_000_000),
        to: Some(cw_core::Timestamp::from_secs(1_700_000_010)),
    };
    assert!(live.node.services().market.fetch_data(&live.caller, fetch).await.unwrap().fetched > 0);
    let mut seconds = live.subscribe("chart", json!({"instrument": "BTC-PERP.SIM", "timeframe": "1s"})).await;
    let UpdateData::Chart(chart) = next(&mut seconds).await.data else { panic!() };
    assert!(chart.forming.is_none() && chart.closed.len() == 3);
    // From then on they form and close like any other, one after the other and each once.
    let mut last = chart.closed[2].time;
    let (mut formed, mut closed) = (false, 0);
    while !formed || closed < 3 {
        let update = next(&mut seconds).await;
        let UpdateData::Chart(chart) = update.data else { panic!() };
        formed |= chart.forming.is_some();
        for candle in chart.closed {
            // A snapshot repeats what it follows.
            if update.kind == UpdateKind::Snapshot && candle.time <= last {
                continue;
            }
            assert!(candle.time > last, "{} after {last}", candle.time);
            last = candle.time;
            closed += 1;
        }
    }
    live.node.stop().await;
}
