use cw_core::{ManualClock, SystemClock};
use cw_market::{Aggregator, CandleUpdate, Purpose, fold};

use super::*;

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn provider(now: &str) -> (Arc<ManualClock>, SimProvider) {
    let clock = Arc::new(ManualClock::new(at(now)));
    (clock.clone(), SimProvider::new(1, clock, None))
}

fn request(timeframe: &str, from: Option<&str>, to: Option<&str>, limit: usize) -> CandleRequest {
    CandleRequest {
        instrument: InstrumentId::new("BTC-PERP.SIM").unwrap(),
        timeframe: timeframe.parse().unwrap(),
        from: from.map(at),
        to: to.map(at),
        limit,
        purpose: Purpose::Look,
    }
}

#[track_caller]
fn check(candles: &[Candle], count: usize, first: &str, last: &str) {
    assert_eq!(candles.len(), count);
    assert_eq!(candles[0].open_time, at(first));
    assert_eq!(candles[count - 1].open_time, at(last));
}

#[tokio::test]
async fn history_has_only_closed_candles_of_the_range_asked_for() {
    let (_, provider) = provider("2026-11-21T12:07:30Z");
    let get = async |request: CandleRequest| provider.candles(&request).await.unwrap();
    check(&get(request("15m", None, None, 500)).await, 500, "2026-11-16T07:00:00Z", "2026-11-21T11:45:00Z");
    check(&get(request("1m", None, None, 2)).await, 2, "2026-11-21T12:05:00Z", "2026-11-21T12:06:00Z");
    check(&get(request("1M", None, None, 3)).await, 3, "2026-08-01", "2026-10-01");
    check(&get(request("1w", None, None, 2)).await, 2, "2026-11-02", "2026-11-09");
    let range = request("1h", Some("2026-11-20T00:00:01Z"), Some("2026-11-20T03:00:01Z"), 9);
    check(&get(range).await, 3, "2026-11-20T01:00:00Z", "2026-11-20T03:00:00Z");
    check(&get(request("1d", None, None, 100_000)).await, 4_342, "2015-01-01", "2026-11-20");
    assert_eq!(get(request("1d", Some("2027-01-01"), None, 9)).await, []);
    assert_eq!(get(request("1d", None, None, 0)).await, []);
    let unknown = CandleRequest { instrument: InstrumentId::new("NOPE.SIM").unwrap(), ..request("1d", None, None, 1) };
    assert!(matches!(provider.candles(&unknown).await, Err(ProviderError::Refused { .. })));
}

#[tokio::test]
async fn every_timeframe_is_a_fold_of_the_one_below() {
    let (_, provider) = provider("2026-11-21T12:07:30Z");
    let day = async |timeframe| {
        provider.candles(&request(timeframe, Some("2026-11-18"), Some("2026-11-19"), 100_000)).await.unwrap()
    };
    let (seconds, minutes) = (day("1s").await, day("1m").await);
    assert_eq!(fold(&seconds, Timeframe::M1), minutes);
    assert_eq!(minutes.len(), 1_440);
    for timeframe in ["5m", "15m", "1h", "1d"] {
        assert_eq!(fold(&minutes, timeframe.parse().unwrap()), day(timeframe).await, "{timeframe}");
    }
    for candle in seconds.iter().chain(&minutes) {
        candle.validate().unwrap();
    }
}

#[tokio::test]
async fn the_stream_gives_the_same_candles_as_history() {
    let (clock, provider) = provider("2026-11-18T15:00:30Z");
    let provider = Arc::new(provider);
    let ids: Vec<InstrumentId> = provider.instruments().into_iter().map(|instrument| instrument.id).collect();
    let (sink, mut events) = tokio::sync::mpsc::channel(64);
    let streaming = async { provider.stream(&ids, sink).await };
    let listening = async {
        let mut aggregators: Vec<_> = ids.iter().map(|_| Aggregator::new(&[Timeframe::M1], 0)).collect();
        let mut closed = vec![Vec::new(); ids.len()];
        let mut newest = Timestamp::MIN;
        // Time moves while events are pending: what is due comes out, in order.
        for second in 31.. {
            clock.set(at("2026-11-18T15:00:00Z").plus_nanos(second * 1_000_000_000));
            while let Ok(Some(event)) = tokio::time::timeout(std::time::Duration::from_millis(5), events.recv()).await {
                let event = event.market().unwrap();
                let index = ids.iter().position(|id| *id == event.instrument).unwrap();
                match event.kind {
                    MarketEventKind::Trade(trade) => {
                        assert!(trade.event_time >= newest && trade.event_time <= provider.clock().now());
                        newest = trade.event_time;
                        aggregators[index].on_trade(&trade, 0, &mut |update| {
                            if let CandleUpdate::Closed { candle, .. } = update {
                                closed[index].push(candle);
                            }
                        });
                    }
                    MarketEventKind::Quote(quote) => assert!(!quote.is_crossed() && quote.event_time >= newest),
                }
            }
            if second == 200 {
                break;
            }
        }
        drop(events);
        closed
    };
    let (ended, closed) = tokio::join!(streaming, listening);
    ended.unwrap();
    for (id, closed) in ids.iter().zip(closed) {
        let request = CandleRequest { instrument: id.clone(), ..request("1m", Some("2026-11-18T15:00:00Z"), None, 3) };
        assert_eq!(closed, provider.candles(&request).await.unwrap(), "{id}");
        assert_eq!(closed.len(), 3);
    }
    assert_eq!(provider.status().state, ProviderState::Idle);
}

#[tokio::test]
async fn market_time_waits_for_a_listener_that_does_not() {
    let (clock, provider) = provider("2026-11-18T15:00:00Z");
    let ids: Vec<InstrumentId> = provider.instruments().into_iter().map(|instrument| instrument.id).collect();
    let (sink, mut events) = tokio::sync::mpsc::channel(1);
    let listening = async {
        let mut last = None;
        for count in 0..2_000 {
            // An hour at once, then ten milliseconds per event.
            let jump = if count < 10 { 0 } else { 3_600_000 };
            clock.set(at("2026-11-18T15:00:00Z").plus_nanos((jump + 10 * count) * 1_000_000));
            if let Ok(event) = tokio::time::timeout(std::time::Duration::from_millis(2), events.recv()).await {
                last = event.or(last);
            }
        }
        drop(events);
        last
    };
    let (ended, last) = tokio::join!(provider.stream(&ids, sink), listening);
    ended.unwrap();
    let last = match last.unwrap().market().unwrap().kind {
        MarketEventKind::Trade(trade) => trade.event_time,
        MarketEventKind::Quote(quote) => quote.event_time,
    };
    assert!(last > at("2026-11-18T15:00:00Z"), "the stream goes on");
    assert!(provider.clock().now() < at("2026-11-18T15:10:00Z"), "market time did not jump with ours");
}

#[tokio::test]
async fn quotes_at_a_time_are_those_of_the_stream() {
    let provider = SimProvider::new(3, Arc::new(SystemClock), None);
    let now = provider.clock().now();
    for instrument in provider.instruments() {
        let trades = provider.market().trades(&instrument.id, now).unwrap();
        for trade in trades.iter().take(20) {
            let quote = provider.market().quote(&instrument.id, trade.event_time).unwrap();
            assert_eq!(quote.event_time, trade.event_time);
            assert!(quote.bid < quote.ask && (trade.price == quote.bid || trade.price == quote.ask));
            instrument.check_price("bid", quote.bid).unwrap();
            instrument.check_quantity(trade.qty).unwrap();
            instrument.check_quantity(quote.ask_qty).unwrap();
        }
        let before = provider.market().quote(&instrument.id, trades[0].event_time.plus_nanos(-1)).unwrap();
        assert!(before.event_time < trades[0].event_time);
        let depth = provider.market().depth(&instrument.id, now).unwrap();
        assert_eq!((depth.bids.len(), depth.asks.len()), (20, 20));
        assert!(depth.bids.windows(2).all(|pair| pair[0].price > pair[1].price));
        assert!(depth.asks.windows(2).all(|pair| pair[0].price < pair[1].price));
    }
}
