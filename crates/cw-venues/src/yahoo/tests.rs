use super::*;
use crate::net::hostile::{ends_quietly, handles, sound, torture};

const DAILY: &str = include_str!("testdata/daily.json");
const SUMMER: &str = include_str!("testdata/summer.json");
const EMPTY: &str = include_str!("testdata/empty.json");

fn venue() -> Venue<Yahoo> {
    connect(&Settings::default(), handles()).unwrap()
}

fn chart(timeframe: Timeframe, text: &str) -> parse::Chart {
    parse::chart(timeframe, text.as_bytes(), &venue().site.health).unwrap().unwrap()
}

#[test]
fn a_recorded_day_without_the_noise_of_its_floats() {
    let candle = chart(Timeframe::D1, DAILY).candles[0];
    assert_eq!(candle.open_time.to_string(), "2020-01-02T00:00:00Z");
    let prices = [candle.open, candle.high, candle.low, candle.close].map(|price| price.to_string());
    assert_eq!(prices, ["74.06", "75.15", "73.7975", "75.0875"]);
    assert_eq!(candle.volume.to_string(), "135480400");
}

#[test]
fn days_stand_at_their_date_there_whatever_the_season() {
    let days: Vec<String> = chart(Timeframe::D1, SUMMER).candles.iter().map(|c| c.open_time.to_string()).collect();
    assert_eq!(days, ["2023-08-04T00:00:00Z", "2023-08-07T00:00:00Z", "2023-08-08T00:00:00Z"]);
    // Sydney opens on the evening of the day before, seen from here.
    let sydney = SUMMER.replace("3600", "39600").replace("1691132400", "1691017200");
    assert_eq!(chart(Timeframe::D1, &sydney).candles[0].open_time.to_string(), "2023-08-03T00:00:00Z");
}

#[test]
fn rows_of_nothing_and_the_price_of_now_are_no_candles() {
    let text = SUMMER.replacen("34.25", "null", 1);
    assert_eq!(chart(Timeframe::D1, &text).candles.len(), 2, "half a row is nonsense");
    let mut rows: serde_json::Value = serde_json::from_str(SUMMER).unwrap();
    for name in ["open", "high", "low", "close", "volume"] {
        rows["chart"]["result"][0]["indicators"]["quote"][0][name][1] = serde_json::Value::Null;
    }
    assert_eq!(chart(Timeframe::D1, &rows.to_string()).candles.len(), 2);
    let off_grid = SUMMER.replace("1691478000", "1691478017");
    assert_eq!(chart(Timeframe::H1, &off_grid).candles.len(), 2);
    assert!(chart(Timeframe::M1, EMPTY).candles.is_empty());
}

#[test]
fn yahoo_says_when_there_is_nothing() {
    let text = r#"{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found, symbol may be delisted"}}}"#;
    let answer = parse::chart(Timeframe::D1, text.as_bytes(), &venue().site.health).unwrap();
    assert_eq!(answer.err().unwrap(), "No data found, symbol may be delisted");
}

#[test]
fn what_an_instrument_is() {
    let instrument = parse::instrument(&"WSU.DE.YAHOO".parse().unwrap(), &chart(Timeframe::D1, SUMMER).meta);
    assert_eq!((instrument.quote_currency.to_string(), instrument.price_decimals), ("EUR".to_owned(), 2));
    assert_eq!(instrument.asset_class, cw_core::AssetClass::Other, "not of the hours of New York");
    let apple = parse::instrument(&"AAPL.YAHOO".parse().unwrap(), &chart(Timeframe::D1, DAILY).meta);
    assert_eq!(apple.asset_class, cw_core::AssetClass::Equity);
}

#[tokio::test]
async fn nothing_a_venue_sends_does_harm() {
    let venue = venue();
    for sample in [DAILY, SUMMER, EMPTY] {
        torture(sample, |bytes| {
            if let Ok(Ok(chart)) = parse::chart(Timeframe::D1, bytes, &venue.site.health) {
                sound(&chart.candles);
                parse::instrument(&"X.YAHOO".parse().unwrap(), &chart.meta);
            }
        });
    }
    ends_quietly(&venue, "AAPL.YAHOO").await;
}
