use cw_core::{MarketEventKind, Timeframe};
use cw_market::FeedEvent;

use super::*;
use crate::net::LinkError;
use crate::net::hostile::{ends_quietly, handles, heard, sound, torture, torture_stream};

const BARS: &str = include_str!("testdata/bars.json");
const CRYPTO: &str = include_str!("testdata/crypto_bars.json");
const STREAM: &str = include_str!("testdata/stream.json");
const REVISIONS: &str = r#"[{"T":"b","S":"AAPL","o":1,"h":2,"l":0.5,"c":1.5,"v":100,"n":3,"vw":1.2,"t":"2024-01-02T15:00:00Z"},
    {"T":"u","S":"AAPL","o":1,"h":3,"l":0.5,"c":1.5,"v":120,"n":4,"vw":1.3,"t":"2024-01-02T15:00:00Z"},
    {"T":"c","S":"AAPL","x":"D","oi":7,"op":1,"os":2,"oc":["@"],"ci":8,"cp":1.25,"cs":3,"cc":["@"],"t":"2024-01-02T15:00:30Z","z":"C"},
    {"T":"x","S":"AAPL","i":9,"x":"D","p":1.1,"s":5,"a":"C","t":"2024-01-02T15:00:31Z","z":"C"},
    {"T":"zz","S":"AAPL"},{"T":"b","S":"MSFT"},{"no":"kind"}]"#;

fn venue() -> Venue<Alpaca> {
    let settings = Settings { key: Some("id".into()), secret: Some("hush".into()), ..Settings::default() };
    connect(&settings, handles()).unwrap()
}

fn id(text: &str) -> InstrumentId {
    text.parse().unwrap()
}

fn page(timeframe: Timeframe, symbol: &str, text: &str) -> (Vec<Candle>, Option<String>) {
    parse::page(&id(symbol), timeframe, text.as_bytes(), &venue().site.health).unwrap()
}

#[test]
fn a_recorded_page_of_days() {
    let (bars, next) = page(Timeframe::D1, "GE.ALPACA", BARS);
    let text: Vec<String> =
        bars.iter().map(|b| format!("{} {} {} {}", b.open_time, b.open, b.close, b.volume)).collect();
    assert_eq!(text, ["2024-04-01T00:00:00Z 138.48 138.29 5905509", "2024-04-02T00:00:00Z 138.96 134.94 20490401"]);
    assert_eq!(next.as_deref(), Some("R0V8RHwxNzEyMTE2ODAwMDAwMDAwMDAw"));
    assert!(page(Timeframe::M1, "X.ALPACA", r#"{"bars":null,"next_page_token":null}"#).0.is_empty());
    assert!(page(Timeframe::M1, "X.ALPACA", r#"{"bars":{"X":null}}"#).0.is_empty());
}

#[test]
fn a_recorded_page_of_crypto() {
    let (bars, next) = page(Timeframe::H1, "BTC/USD.ALPACA", CRYPTO);
    assert_eq!((bars[0].high.to_string(), bars[0].volume.to_string()), ("59700".to_owned(), "542.20811667".to_owned()));
    assert_eq!(next, None);
}

#[test]
fn recorded_messages_of_the_stream() {
    let (out, _) = heard(&venue(), "NVDA.ALPACA", &[STREAM]);
    let FeedEvent::Market(event) = &out.events[0] else { panic!("{out:?}") };
    let MarketEventKind::Quote(quote) = event.kind else { panic!("{out:?}") };
    assert_eq!((quote.bid.to_string(), quote.ask_qty.to_string()), ("258.8".to_owned(), "5".to_owned()));
    assert_eq!(quote.event_time.to_string(), "2022-01-18T23:09:42.151875584Z");
    let (out, _) = heard(&venue(), "AAPL.ALPACA", &[STREAM]);
    let FeedEvent::Market(event) = &out.events[0] else { panic!("{out:?}") };
    let MarketEventKind::Trade(trade) = event.kind else { panic!("{out:?}") };
    assert_eq!((trade.price.to_string(), trade.trade_id), ("126.55".to_owned(), 96_921));
}

#[test]
fn updated_bars_corrections_and_cancels() {
    let venue = venue();
    let (out, _) = heard(&venue, "AAPL.ALPACA", &[REVISIONS]);
    let highs: Vec<String> = out
        .events
        .iter()
        .filter_map(|event| match event {
            FeedEvent::Candle { candle, .. } => Some(candle.high.to_string()),
            _ => None,
        })
        .collect();
    assert_eq!(highs, ["2", "3"]);
    let revised: Vec<(u64, bool)> = out
        .events
        .iter()
        .filter_map(|event| match event {
            FeedEvent::TradeRevised { trade_id, replacement, .. } => Some((*trade_id, replacement.is_some())),
            _ => None,
        })
        .collect();
    assert_eq!(revised, [(7, true), (9, false)]);
    assert_eq!(venue.site.health.quarantine_count(), 3, "{:?}", venue.site.health.quarantined());
}

#[test]
fn signing_in_and_subscribing() {
    let connected = r#"[{"T":"success","msg":"connected"}]"#;
    let authenticated = r#"[{"T":"success","msg":"authenticated"}]"#;
    let (out, _) = heard(&venue(), "AAPL.ALPACA", &[connected, authenticated]);
    assert_eq!(out.replies[0], r#"{"action":"auth","key":"id","secret":"hush"}"#);
    assert!(out.replies[1].contains(r#""updatedBars":["AAPL"]"#) && !out.ready);
    let (out, _) = heard(&venue(), "AAPL.ALPACA", &[r#"[{"T":"subscription","bars":["VOO"]}]"#]);
    assert!(!out.ready, "not ours");
    let (out, _) = heard(&venue(), "AAPL.ALPACA", &[r#"[{"T":"subscription","bars":["AAPL","VOO"]}]"#]);
    assert!(out.ready);
    for (code, refused) in [(402, true), (406, false), (407, false), (409, true), (500, false)] {
        let error = format!(r#"[{{"T":"error","code":{code},"msg":"no"}}]"#);
        let (_, results) = heard(&venue(), "AAPL.ALPACA", &[&error]);
        assert_eq!(matches!(results[0], Err(LinkError::Refused(_))), refused, "{code}");
    }
}

#[test]
fn nothing_a_venue_sends_does_harm() {
    let health = &venue().site.health;
    for (symbol, sample) in [("GE.ALPACA", BARS), ("BTC/USD.ALPACA", CRYPTO)] {
        torture(sample, |bytes| {
            if let Ok((bars, _)) = parse::page(&id(symbol), Timeframe::D1, bytes, health) {
                sound(&bars);
            }
        });
    }
    torture_stream(&venue(), "AAPL.ALPACA", STREAM);
    torture_stream(&venue(), "AAPL.ALPACA", REVISIONS);
}

#[tokio::test]
async fn settings_are_checked() {
    for (settings, part) in [
        (Settings { rest_url: Some("http://data.alpaca.markets".into()), ..Settings::default() }, "encrypted"),
        (Settings { feed: Some("all".into()), ..Settings::default() }, "delayed_sip"),
        (Settings { key: Some("id".into()), ..Settings::default() }, "secret"),
    ] {
        let error = connect(&settings, handles()).err().unwrap();
        assert!(error.to_string().contains(part), "{error}");
    }
    ends_quietly(&venue(), "AAPL.ALPACA").await;
}

#[test]
fn packed_messages_are_read_like_written_ones_and_do_no_harm_either() {
    for sample in [STREAM, REVISIONS] {
        let packed = crate::net::pack(sample).unwrap();
        let unpacked = crate::net::unpack(&packed).unwrap();
        let value = |json: &[u8]| serde_json::from_slice::<serde_json::Value>(json).unwrap();
        assert_eq!(value(&unpacked), value(sample.as_bytes()));
        let stream = DECODERS.iter().find(|decoder| decoder.what == "stream").unwrap();
        assert_eq!(stream.read(&packed), stream.read(sample.as_bytes()));
        crate::net::hostile::mutations(&packed, 5_000).for_each(|changed| drop(stream.read(&changed)));
    }
}

#[test]
fn the_delayed_feed_is_late_by_agreement_and_its_history_is_the_whole_market_s() {
    let with = |feed: &str| {
        let settings = Settings { feed: Some(feed.into()), ..Settings::default() };
        connect(&settings, handles())
            .map(|venue| (venue.kind.capabilities().candle_delay_ms, venue.kind.feed.historical()))
    };
    assert_eq!(with("delayed_sip").unwrap(), (905_000, "sip"));
    assert_eq!(with("iex").unwrap(), (3_000, "iex"));
    assert!(with("pigeon").is_err());
    assert!(connect(&Settings { codec: Some("xml".into()), ..Settings::default() }, handles()).is_err());
}
