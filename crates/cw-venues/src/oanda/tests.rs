use cw_core::{MarketEventKind, Timeframe};
use cw_market::FeedEvent;

use super::*;
use crate::net::hostile::{handles, heard, sound, torture, torture_stream};

const CANDLES: &str = include_str!("testdata/candles.json");
const HOURS: &str = include_str!("testdata/candles_h1.json");
const PRICE: &str = include_str!("testdata/price.json");
const INSTRUMENTS: &str = r#"{"instruments":[{"name":"EUR_USD","type":"CURRENCY","displayName":"EUR/USD","pipLocation":-4,
    "displayPrecision":5,"tradeUnitsPrecision":0,"minimumTradeSize":"1","marginRate":"0.0333"}],"lastTransactionID":"6"}"#;

fn settings() -> Settings {
    Settings { key: Some("token".into()), account: Some("101-004-1234567-001".into()), ..Settings::default() }
}

fn venue() -> Venue<Oanda> {
    connect(&settings(), handles()).unwrap()
}

fn candles(timeframe: Timeframe, side: Side, text: &str) -> Vec<Candle> {
    parse::candles(timeframe, side, text.as_bytes(), &venue().site.health).unwrap()
}

#[test]
fn recorded_candles() {
    let five = candles(Timeframe::M5, Side::Mid, CANDLES);
    assert_eq!(five.len(), 5);
    assert_eq!(
        (five[0].open_time.to_string(), five[0].high.to_string(), five[0].volume.to_string()),
        ("2016-10-17T19:35:00Z".to_owned(), "10508".to_owned(), "132".to_owned())
    );
    assert_eq!(candles(Timeframe::H1, Side::Mid, HOURS).len(), 3);
    assert_eq!(candles(Timeframe::M5, Side::Bid, CANDLES), [], "another side is not a substitute");
    assert_eq!(candles(Timeframe::H1, Side::Mid, CANDLES).len(), 0, "five past the hour is no hour");
}

#[test]
fn a_candle_that_is_not_complete_is_none() {
    let text = CANDLES.replacen("\"complete\": true", "\"complete\": false", 1);
    assert_eq!(candles(Timeframe::M5, Side::Mid, &text).len(), 4);
}

#[test]
fn a_recorded_price_and_a_heartbeat() {
    let (out, results) =
        heard(&venue(), "EUR_USD.OANDA", &[r#"{"type":"HEARTBEAT","time":"2016-10-05T05:28:16.729643492Z"}"#]);
    assert!(out.ready && out.events.is_empty() && results[0].is_ok());
    let (out, _) = heard(&venue(), "EUR_USD.OANDA", &[PRICE]);
    let FeedEvent::Market(event) = &out.events[0] else { panic!("{out:?}") };
    let MarketEventKind::Quote(quote) = event.kind else { panic!("{out:?}") };
    assert_eq!(
        (quote.bid.to_string(), quote.ask.to_string(), quote.bid_qty.to_string()),
        ("1.12157".to_owned(), "1.1217".to_owned(), "10000000".to_owned())
    );
    let mut empty: serde_json::Value = serde_json::from_str(PRICE).unwrap();
    empty["bids"] = serde_json::json!([]);
    let (out, _) = heard(&venue(), "EUR_USD.OANDA", &[&empty.to_string()]);
    let FeedEvent::Market(event) = &out.events[0] else { panic!("{out:?}") };
    let MarketEventKind::Quote(quote) = event.kind else { panic!("{out:?}") };
    assert_eq!(quote.bid.to_string(), "1.12153", "the price at which a position would be closed");
    empty["tradeable"] = serde_json::json!(false);
    assert!(heard(&venue(), "EUR_USD.OANDA", &[&empty.to_string()]).0.events.is_empty());
}

#[test]
fn what_an_account_may_trade() {
    let all = parse::instruments("OANDA", INSTRUMENTS.as_bytes(), &venue().site.health).unwrap();
    assert_eq!(
        (all[0].tick_size.to_string(), all[0].quantity_step.to_string()),
        ("0.00001".to_owned(), "1".to_owned())
    );
    assert_eq!((all[0].base.as_str(), all[0].initial_margin.to_string()), ("EUR", "0.0333".to_owned()));
}

#[test]
fn nothing_a_venue_sends_does_harm() {
    let venue = venue();
    for sample in [CANDLES, HOURS] {
        torture(sample, |bytes| {
            sound(&parse::candles(Timeframe::M5, Side::Mid, bytes, &venue.site.health).unwrap_or_default());
        });
    }
    torture(INSTRUMENTS, |bytes| drop(parse::instruments("OANDA", bytes, &venue.site.health)));
    torture_stream(&venue, "EUR_USD.OANDA", PRICE);
}

#[test]
fn settings_are_checked() {
    for (settings, part) in [
        (Settings { account: None, ..settings() }, "account"),
        (Settings { account: Some("../x".into()), ..settings() }, "account"),
        (Settings { key: None, ..settings() }, "key"),
        (Settings { feed: Some("last".into()), ..settings() }, "mid"),
        (Settings { stream_url: Some("http://x.example".into()), ..settings() }, "encrypted"),
    ] {
        let error = connect(&settings, handles()).err().unwrap();
        assert!(error.to_string().contains(part), "{error}");
    }
}
