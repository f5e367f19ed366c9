use cw_core::{MarketEventKind, Timeframe};
use cw_market::FeedEvent;

use super::*;
use crate::net::LinkError;
use crate::net::hostile::{handles, heard, sound, torture, torture_stream};

const PREVIOUS: &str = include_str!("testdata/prev.json");
const STREAM: &str = include_str!("testdata/stream.json");
const MINUTE: &str = r#"[{"ev":"AM","sym":"MSFT","v":4110,"av":9470157,"op":0.4372,"vw":0.4488,"o":0.4488,"c":0.4486,"h":0.4489,
    "l":0.4486,"a":0.4352,"z":685,"s":1610144640000,"e":1610144700000}]"#;

fn venue() -> Venue<Polygon> {
    connect(&Settings { key: Some("key".into()), ..Settings::default() }, handles()).unwrap()
}

fn only(id: &str, frame: &str) -> FeedEvent {
    let (out, _) = heard(&venue(), id, &[frame]);
    let [event] = &out.events[..] else { panic!("{out:?}") };
    event.clone()
}

#[test]
fn a_recorded_day() {
    let (days, next) = parse::page(Timeframe::D1, PREVIOUS.as_bytes(), &venue().site.health).unwrap();
    assert_eq!(
        (days[0].open_time.to_string(), days[0].volume.to_string(), next),
        ("2022-04-26T00:00:00Z".to_owned(), "95595226".to_owned(), None)
    );
    let (none, _) = parse::page(Timeframe::D1, br#"{"status":"OK","resultsCount":0}"#, &venue().site.health).unwrap();
    assert_eq!(none, []);
}

#[test]
fn recorded_messages_of_the_streams() {
    let FeedEvent::Market(trade) = only("MSFT.POLYGON", STREAM) else { panic!() };
    let MarketEventKind::Trade(trade) = trade.kind else { panic!() };
    assert_eq!((trade.price.to_string(), trade.event_time.as_millis()), ("114.125".to_owned(), 1_536_036_818_784));
    let FeedEvent::Market(quote) = only("C:USDCNH.POLYGON", STREAM) else { panic!() };
    let MarketEventKind::Quote(quote) = quote.kind else { panic!() };
    assert_eq!((quote.bid.to_string(), quote.ask.to_string()), ("6.83363".to_owned(), "6.83366".to_owned()));
    let FeedEvent::Candle { candle, .. } = only("X:BCDUSD.POLYGON", STREAM) else { panic!() };
    assert_eq!((candle.open_time.as_millis(), candle.low.to_string()), (1_610_463_240_000, "0.771".to_owned()));
    let FeedEvent::Candle { candle, .. } = only("MSFT.POLYGON", MINUTE) else { panic!() };
    assert_eq!((candle.open_time.as_millis(), candle.volume.to_string()), (1_610_144_640_000, "4110".to_owned()));
}

#[test]
fn signing_in_and_subscribing() {
    let status = |status: &str, words: &str| format!(r#"[{{"ev":"status","status":"{status}","message":"{words}"}}]"#);
    let (out, _) = heard(&venue(), "X:BTCUSD.POLYGON", &[&status("connected", ""), &status("auth_success", "")]);
    assert_eq!(out.replies[0], r#"{"action":"auth","params":"key"}"#);
    assert_eq!(out.replies[1], r#"{"action":"subscribe","params":"XA.BTC-USD,XT.BTC-USD,XQ.BTC-USD"}"#);
    let (out, _) = heard(&venue(), "AAPL.POLYGON", &[&status("success", "subscribed to: AM.AAPL")]);
    assert!(!out.ready);
    let (out, _) = heard(&venue(), "AAPL.POLYGON", &[&status("success", "subscribed to: Q.AAPL")]);
    assert!(out.ready);
    for (words, refused) in [("auth_failed", true), ("error", true), ("max_connections", false)] {
        let (_, results) = heard(&venue(), "AAPL.POLYGON", &[&status(words, "no")]);
        assert_eq!(matches!(results[0], Err(LinkError::Refused(_))), refused, "{words}");
    }
}

#[test]
fn each_cluster_has_its_connection() {
    let venue = venue();
    let ids = ["AAPL.POLYGON", "X:BTCUSDT.POLYGON", "MSFT.POLYGON", "C:EURUSD.POLYGON"].map(|id| id.parse().unwrap());
    let sizes: Vec<usize> =
        venue.kind.connections(&venue.site, &ids).unwrap().iter().map(|c| c.instruments.len()).collect();
    assert_eq!(sizes, [2, 1, 1]);
    assert_eq!(pair("X:BTCUSDT"), Some(("BTC", "USDT")));
    assert_eq!(pair("X:é"), None);
}

#[test]
fn nothing_a_venue_sends_does_harm() {
    let venue = venue();
    torture(PREVIOUS, |bytes| {
        sound(&parse::page(Timeframe::D1, bytes, &venue.site.health).map(|page| page.0).unwrap_or_default());
    });
    for (id, sample) in
        [("MSFT.POLYGON", STREAM), ("MSFT.POLYGON", MINUTE), ("C:USDCNH.POLYGON", STREAM), ("X:BCDUSD.POLYGON", STREAM)]
    {
        torture_stream(&venue, id, sample);
    }
}
