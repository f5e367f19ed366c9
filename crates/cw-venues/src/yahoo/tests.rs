use std::time::Duration;

use bytes::Bytes;
use cw_core::Clock;
use futures_util::future;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::*;
use crate::net::hostile::{ends_quietly, handles, sound, torture};
use crate::net::{Call, Parts, Reply, Transport, TransportError};

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
    assert_eq!(answer.err().unwrap(), parse::Refusal::Nothing("No data found, symbol may be delisted".to_owned()));
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

/// What is answered, by path: a status, the cookies that are set, a body.
type Page = (u16, &'static [&'static str], &'static str);

/// A Yahoo of few words, each of which takes a second.
#[derive(Default)]
struct Script {
    pages: Mutex<Vec<(&'static str, Page)>>,
    asked: Mutex<Vec<(Instant, String)>>,
    under_way: Mutex<(u32, u32)>,
}

impl Transport for Script {
    fn send<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Reply, TransportError>> {
        async move {
            let crumb = call.url.query_pairs().find(|(name, _)| name == "crumb").map(|(_, crumb)| crumb.into_owned());
            let cookie = call.headers.get("cookie").map(|cookie| cookie.to_str().unwrap().to_owned());
            let told = [Some(call.url.path().to_owned()), cookie, crumb];
            self.asked.lock().push((Instant::now(), told.into_iter().flatten().collect::<Vec<_>>().join(" ")));
            {
                let mut under_way = self.under_way.lock();
                under_way.0 += 1;
                under_way.1 = under_way.1.max(under_way.0);
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            self.under_way.lock().0 -= 1;
            let path = call.url.path();
            // Who has a crumb is let in, unless there is a page for it.
            let known = call.url.query().is_some_and(|query| query.contains("crumb="));
            let wanted = if known && path.starts_with("/v8") { "known" } else { path };
            let pages = self.pages.lock();
            let (status, cookies, body) = pages.iter().find(|(at, _)| wanted.starts_with(at)).unwrap().1;
            let mut headers = http::HeaderMap::new();
            for cookie in cookies {
                headers.append("set-cookie", cookie.parse().unwrap());
            }
            Ok(Reply {
                status: http::StatusCode::from_u16(status).unwrap(),
                headers,
                body: Bytes::from_static(body.as_bytes()),
            })
        }
        .boxed()
    }

    fn open<'a>(&'a self, _: &'a Call) -> BoxFuture<'a, Result<(Reply, Parts), TransportError>> {
        async { Err(TransportError::Failed("nothing here streams".to_owned())) }.boxed()
    }
}

struct Scripted {
    venue: Venue<Yahoo>,
    script: Arc<Script>,
}

impl Scripted {
    fn new(pages: &[(&'static str, Page)]) -> Self {
        let script = Arc::new(Script { pages: Mutex::new(pages.to_vec()), ..Script::default() });
        let transport = Arc::clone(&script) as Arc<dyn Transport>;
        let venue = connect(&Settings::default(), Handles { transport, ..handles() }).unwrap();
        Self { venue, script }
    }
    async fn chart(&self) -> Result<parse::Chart, ProviderError> {
        let id = "AAPL.YAHOO".parse().unwrap();
        let (from, to) = (Timestamp::EPOCH, Timestamp::from_secs(60));
        let (wanted, asked) = (Timeframe::D1, Timeframe::D1);
        let plan = Plan { wanted, asked, word: "1d", from, to, limit: 1, lane: Lane::Look };
        self.venue.kind.chart(&self.venue.site, &id, &plan, from, to).await
    }
    fn asked(&self) -> Vec<String> {
        self.script.asked.lock().iter().map(|(_, what)| what.clone()).collect()
    }
    fn gaps(&self) -> Vec<u64> {
        let asked = self.script.asked.lock();
        asked.windows(2).map(|pair| (pair[1].0 - pair[0].0).as_secs()).collect()
    }
}

const CHART: &str = "/v8/finance/chart/AAPL";
const STRANGER: (&str, Page) = (CHART, (401, &[], r#"{"finance":{"result":null,"error":{"code":"Unauthorized"}}}"#));
const KNOWN: (&str, Page) = ("known", (200, &[], DAILY));
const CRUMB: (&str, Page) = ("/v1/test/getcrumb", (200, &[], "a+b/c="));
const COOKIE: (&str, Page) = ("/", (404, &["A1=x; Path=/", "A3=d=secret&S=y; Max-Age=600; Secure"], "<html></html>"));

#[tokio::test(start_paused = true)]
async fn one_request_in_two_seconds_and_one_at_a_time() {
    let yahoo = Scripted::new(&[(CHART, (200, &[], DAILY))]);
    for answer in future::join_all((0..5).map(|_| yahoo.chart())).await {
        answer.unwrap();
    }
    assert!(yahoo.gaps().into_iter().all(|gap| gap >= 2), "{:?}", yahoo.gaps());
    let slow = Scripted::new(&[(CHART, (503, &[], ""))]);
    future::join_all((0..3).map(|_| slow.chart())).await;
    assert_eq!((yahoo.script.under_way.lock().1, slow.script.under_way.lock().1), (1, 1));
    assert_eq!(slow.asked().len(), 3, "the third failure opens the breaker");
}

#[tokio::test(start_paused = true)]
async fn whoever_is_not_wanted_waits_from_half_a_minute_to_a_quarter_of_an_hour() {
    for page in [(429, "Too Many Requests"), (429, "<html><b>Too many</b> requests</html>"), (999, ""), (200, DOWN)] {
        let yahoo = Scripted::new(&[(CHART, (page.0, &[], page.1))]);
        while yahoo.asked().len() < 9 {
            yahoo.chart().await.err().unwrap();
            let status = yahoo.venue.site.health.status().connection.unwrap();
            let held = status.held_until.map_or(0, |until| until.nanos_since(crate::net::hostile::NOW));
            assert!(!status.last_error.unwrap().contains('<'), "{page:?}");
            tokio::time::sleep(Duration::from_nanos(u64::try_from(held).unwrap())).await;
        }
        for (gap, least) in yahoo.gaps().into_iter().zip([30, 60, 120, 240, 450, 450, 450, 450]) {
            assert!((least..=2 * least + 2).contains(&gap), "{page:?}: {:?}", yahoo.gaps());
        }
    }
}

const DOWN: &str = "<html><body>Will be right back...</body></html>";

#[tokio::test(start_paused = true)]
async fn a_session_is_fetched_with_its_cookie_and_kept_until_it_is_over() {
    let clock = Arc::new(cw_core::ManualClock::new(crate::net::hostile::NOW));
    let mut yahoo = Scripted::new(&[STRANGER, CRUMB, COOKIE, KNOWN]);
    let transport = Arc::clone(&yahoo.script) as Arc<dyn Transport>;
    let shared = Arc::clone(&clock) as Arc<dyn Clock>;
    yahoo.venue = connect(&Settings::default(), Handles { transport, clock: shared, ..handles() }).unwrap();
    yahoo.chart().await.unwrap();
    yahoo.chart().await.unwrap();
    let known = format!("{CHART} A3=d=secret&S=y a+b/c=");
    let fetched = [CHART, "/", "/v1/test/getcrumb A3=d=secret&S=y", known.as_str()];
    assert_eq!(yahoo.asked(), [&fetched[..], &[known.as_str()]].concat());
    yahoo.script.asked.lock().clear();
    clock.set(crate::net::hostile::NOW.plus_nanos(601 * Timestamp::NANOS_PER_SECOND));
    yahoo.chart().await.unwrap();
    assert_eq!(yahoo.asked(), fetched, "a cookie that is over is not sent");
}

#[tokio::test(start_paused = true)]
async fn what_failed_on_the_way_to_a_session_is_named() {
    const CONSENT: &str = "<html><form action=\"https://consent.yahoo.com/v2/collectConsent\"></form></html>";
    let bare: (&str, Page) = ("/", (404, &["A1=x"], "<html></html>"));
    let over: (&str, Page) = ("/", (200, &["A3=x; Max-Age=0"], ""));
    let crumb = |status, body| ("/v1/test/getcrumb", (status, &[] as &[&str], body));
    for (pages, words, requests, again) in [
        (vec![STRANGER, CRUMB, bare], "no cookie", 2, false),
        (vec![STRANGER, CRUMB, over], "no cookie", 2, false),
        (vec![STRANGER, CRUMB, ("/", (200, &[], CONSENT))], "no cookie: 200 OK: it wants consent", 2, false),
        (vec![STRANGER, crumb(200, ""), COOKIE], "no crumb", 3, false),
        (vec![STRANGER, crumb(200, "<html>x</html>"), COOKIE], "no crumb", 3, false),
        (vec![STRANGER, crumb(500, "oops"), COOKIE], "no crumb: 500 Internal Server Error: oops", 5, true),
        (vec![STRANGER, crumb(429, "Too Many Requests"), COOKIE], "no crumb: 429", 4, true),
        (vec![STRANGER, CRUMB, COOKIE, ("known", STRANGER.1)], "those that it gave are refused", 4, false),
    ] {
        let yahoo = Scripted::new(&pages);
        let error = yahoo.chart().await.err().unwrap();
        assert!(error.to_string().contains(words), "{words}: {error}");
        assert_eq!((yahoo.asked().len(), error.is_retryable()), (requests, again), "{words}: {:?}", yahoo.asked());
        assert!(yahoo.venue.site.health.status().connection.unwrap().last_error.is_some());
        if !again {
            // No other session is asked for at once.
            assert_eq!(yahoo.chart().await.err().unwrap().to_string(), error.to_string());
            assert_eq!(yahoo.asked().len(), requests + 1, "{words}: {:?}", yahoo.asked());
        }
        let shown = format!("{:?} {error:?}", yahoo.venue.site.health.status());
        assert!(!shown.contains("secret") && !shown.contains("a+b"), "{shown}");
        // Once nothing is demanded any more it is as before.
        yahoo.script.pages.lock().splice(..0, [(CHART, (200, &[] as &[&str], DAILY)), KNOWN]);
        tokio::time::sleep(Duration::from_mins(5)).await;
        yahoo.chart().await.unwrap();
    }
}
