use cw_core::{MarketEventKind, Side, Timeframe};
use cw_market::FeedEvent;

use super::*;
use crate::net::LinkError;
use crate::net::hostile::{handles, heard, sound, torture, torture_stream};

const KLINES: &str = include_str!("testdata/klines.json");
const INFO: &str = r#"{"symbols":[{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT","pricePrecision":8,
    "filters":[{"filterType":"PRICE_FILTER","minPrice":"0.1","maxPrice":"1000000","tickSize":"0.10"},
    {"filterType":"LOT_SIZE","minQty":"0.00100000","maxQty":"1000","stepSize":"0.00100000"},
    {"filterType":"A_NEW_ONE","limit":5}]},{"symbol":"OLDUSDT","status":"CLOSE","baseAsset":"OLD","quoteAsset":"USDT"}]}"#;
const KLINE: &str = r#"{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":1638747660000,"s":"BTCUSDT","k":{"t":1638747600000,
    "T":1638747659999,"s":"BTCUSDT","i":"1m","f":100,"L":200,"o":"0.01634790","c":"0.01577100","h":"0.80000000","l":"0.01575800",
    "v":"148976.11427815","n":308,"x":true,"q":"1.0","V":"500","Q":"0.500","B":"0"}}}"#;

fn venue() -> Venue<Aster> {
    connect(&Settings::default(), handles()).unwrap()
}

fn wrapped(sample: &str) -> String {
    format!(r#"{{"stream":"x","data":{sample}}}"#)
}

#[test]
fn a_recorded_page_and_the_stream_give_the_same_candle() {
    let health = &venue().site.health;
    let recorded = KLINES.replace("1499040000000", "1638747600000");
    let page = parse::klines(Timeframe::M1, recorded.as_bytes(), health).unwrap();
    let (out, _) = heard(&venue(), "BTCUSDT.ASTER", &[KLINE]);
    let [FeedEvent::Candle { candle, timeframe: Timeframe::M1, .. }] = out.events[..] else { panic!("{out:?}") };
    assert_eq!(page, [candle]);
    assert_eq!((candle.high.to_string(), candle.volume.to_string()), ("0.8".to_owned(), "148976.11427815".to_owned()));
    let (out, _) = heard(&venue(), "BTCUSDT.ASTER", &[&KLINE.replace("\"x\":true", "\"x\":false")]);
    assert!(out.events.is_empty() && out.heard == [0], "a forming candle is none, but a sign of life");
}

#[test]
fn recorded_messages_of_the_stream() {
    let (out, _) = heard(&venue(), "BTCUSDT.ASTER", &[&wrapped(include_str!("testdata/agg_trade.json"))]);
    let FeedEvent::Market(event) = &out.events[0] else { panic!("{out:?}") };
    let MarketEventKind::Trade(trade) = event.kind else { panic!("{out:?}") };
    assert_eq!(
        (trade.trade_id, trade.aggressor, trade.price.to_string()),
        (5_933_014, Some(Side::Sell), "0.001".to_owned())
    );
    let (out, _) = heard(&venue(), "BNBUSDT.ASTER", &[&wrapped(include_str!("testdata/book_ticker.json"))]);
    let FeedEvent::Market(event) = &out.events[0] else { panic!("{out:?}") };
    let MarketEventKind::Quote(quote) = event.kind else { panic!("{out:?}") };
    assert_eq!((quote.bid.to_string(), quote.event_time.as_millis()), ("25.3519".to_owned(), 1_568_014_460_891));
    let (out, _) = heard(&venue(), "BTCUSDT.ASTER", &[&wrapped(include_str!("testdata/mark_price.json"))]);
    let FeedEvent::Mark { price, .. } = &out.events[0] else { panic!("{out:?}") };
    assert_eq!(price.to_string(), "11185.87786614");
}

#[test]
fn steps_come_from_filters_and_not_from_precisions() {
    let listed = parse::instruments("ASTER", INFO.as_bytes(), &venue().site.health).unwrap();
    let [btc] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!((btc.tick_size.to_string(), btc.quantity_step.to_string()), ("0.1".to_owned(), "0.001".to_owned()));
    assert_eq!((btc.price_decimals, btc.quantity_decimals), (1, 3));
}

#[test]
fn subscribing_is_answered_or_refused() {
    let (out, _) = heard(&venue(), "BTCUSDT.ASTER", &[r#"{"result":null,"id":1}"#]);
    assert!(out.ready && out.replies[0].contains("btcusdt@kline_1m"));
    let (_, results) = heard(&venue(), "BTCUSDT.ASTER", &[r#"{"code":2,"msg":"Invalid request"}"#]);
    assert!(matches!(results[0], Err(LinkError::Refused(_))));
    let garbage = vec!["<html>"; 20];
    let (_, results) = heard(&venue(), "BTCUSDT.ASTER", &garbage);
    assert!(results[18].is_ok() && matches!(results[19], Err(LinkError::Lost(_))));
}

#[test]
fn more_than_fifty_instruments_take_another_connection() {
    let ids: Vec<InstrumentId> = (0..120).map(|n| format!("A{n}USDT.ASTER").parse().unwrap()).collect();
    let venue = venue();
    let connections = venue.kind.connections(&venue.site, &ids).unwrap();
    assert_eq!(connections.iter().map(|c| c.instruments.len()).collect::<Vec<_>>(), [50, 50, 20]);
}

#[test]
fn nothing_a_venue_sends_does_harm() {
    let venue = venue();
    torture(KLINES, |bytes| sound(&parse::klines(Timeframe::M1, bytes, &venue.site.health).unwrap_or_default()));
    torture(INFO, |bytes| {
        for instrument in parse::instruments("ASTER", bytes, &venue.site.health).unwrap_or_default() {
            assert!(!instrument.tick_size.is_negative() && !instrument.quantity_step.is_negative());
        }
    });
    for sample in [
        KLINE,
        &wrapped(include_str!("testdata/agg_trade.json")),
        &wrapped(include_str!("testdata/mark_price.json")),
        &wrapped(&include_str!("testdata/book_ticker.json").replace("BNB", "BTC")),
    ] {
        torture_stream(&venue, "BTCUSDT.ASTER", sample);
    }
}
