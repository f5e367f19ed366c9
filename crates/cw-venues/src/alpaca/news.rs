//! News as Alpaca passes them on, by request and as they happen.
//!
//! Alpaca finds news by symbol and time, not by words: whoever looks for words looks through what it told.

use std::sync::Arc;
use std::time::Duration;

use cw_core::{NewsItem, Timestamp};
use cw_market::{FeedEvent, NewsProvider, NewsRequest, ProviderError, ProviderState, ProviderStatus};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use super::{Alpaca, Codec, Keys, wire, ws};
use crate::catalog::{Settings, SetupError};
use crate::net::{
    Connection, Handles, Health, LinkError, Num, Out, Pace, Room, Site, Speaker, Trouble, Wire, address, connection,
    parse_rows, plain, read, symbol, time,
};

const HEADLINE: usize = 300;
const SUMMARY: usize = 1_000;
const MOST_SYMBOLS: usize = 50;
/// The most that one page holds.
const PAGE: usize = 50;
const MOST_PAGES: usize = 4;
/// How far back is asked where nobody says.
const BACK: i64 = 3 * 24 * 3_600 * Timestamp::NANOS_PER_SECOND;
/// How far back is asked after a connection was made, behind the newest that is known.
const OVERLAP: i64 = 3_600 * Timestamp::NANOS_PER_SECOND;
/// News wait here for whoever takes them.
const QUEUE: usize = 64;

/// `GET /v1beta1/news`.
#[derive(Debug, Deserialize)]
struct Page<'a> {
    #[serde(borrow, default)]
    news: Option<Vec<&'a RawValue>>,
    #[serde(default)]
    next_page_token: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Article {
    #[serde(default)]
    id: Num,
    headline: String,
    #[serde(default)]
    summary: Option<String>,
    created_at: String,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    symbols: Option<Vec<String>>,
    #[serde(default)]
    source: Option<String>,
}

/// Alpaca's news.
pub struct AlpacaNews {
    alpaca: Alpaca,
    site: Arc<Site>,
}

impl AlpacaNews {
    pub(super) fn new(alpaca: Alpaca, settings: &Settings, handles: Handles) -> Result<Self, SetupError> {
        if alpaca.keys.is_none() {
            return Err(SetupError::Missing("news.alpaca.key and news.alpaca.secret"));
        }
        let site = Site::new("ALPACA", settings.manner(super::rest::MANNER), handles);
        Ok(Self { alpaca, site: Arc::new(site) })
    }

    async fn ask(&self, request: &NewsRequest) -> Result<Vec<NewsItem>, ProviderError> {
        let now = self.site.handles.clock.now();
        let start = request.since.unwrap_or(now.plus_nanos(-BACK)).to_string();
        let mut items: Vec<NewsItem> = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut url = self.alpaca.rest.join("/v1beta1/news");
            let limit = PAGE.to_string();
            url.query_pairs_mut().extend_pairs([("start", start.as_str()), ("limit", &limit), ("sort", "desc")]);
            url.query_pairs_mut().extend_pairs(request.symbol.iter().map(|symbol| ("symbols", symbol)));
            url.query_pairs_mut().extend_pairs(token.iter().map(|token| ("page_token", token)));
            let call = self.alpaca.signed(url);
            let read = |body: &[u8]| page(body, now, &self.site.health);
            let (more, next) = self.site.get(&call, "a page of news", read).await?;
            for item in more {
                if items.iter().all(|have| have.id != item.id) {
                    items.push(item);
                }
            }
            if next.is_none() || next == token {
                break;
            }
            token = next;
        }
        Ok(items)
    }

    /// What was published since then. Without an answer it is asked for by the next search.
    async fn missed(&self, since: Timestamp) -> Vec<NewsItem> {
        let asked = self.ask(&NewsRequest { since: Some(since), ..NewsRequest::default() }).await;
        asked.unwrap_or_else(|error| {
            tracing::warn!(target: "news", %error, "what was published meanwhile is not known");
            Vec::new()
        })
    }

    fn connection(&self) -> Option<Connection> {
        let keys = Arc::clone(self.alpaca.keys.as_ref()?);
        let url = self.alpaca.stream.join("/v1beta1/news");
        // News come when they come: a minute without any is nothing, a minute without an answer to a ping is.
        let pace = Pace { ping: Some(Duration::from_secs(8)), silence: Duration::from_secs(20), ..Pace::default() };
        let voice = Arc::new(Voice { keys, codec: self.alpaca.codec, health: Arc::clone(&self.site.health) });
        Some(connection(&self.site, &voice, url, &[], |id| id.symbol().to_owned(), pace))
    }
}

impl NewsProvider for AlpacaNews {
    fn name(&self) -> &'static str {
        "alpaca"
    }

    fn finds_words(&self) -> bool {
        false
    }

    fn search<'a>(&'a self, request: &'a NewsRequest) -> BoxFuture<'a, Result<Vec<NewsItem>, ProviderError>> {
        self.ask(request).boxed()
    }

    fn stream(&self, items: mpsc::Sender<NewsItem>) -> BoxFuture<'_, Result<(), ProviderError>> {
        async move {
            let connection = self.connection().ok_or_else(|| self.site.refused("its news need a key and a secret"))?;
            let (sink, mut events) = mpsc::channel(QUEUE);
            let forward = async {
                let mut newest = self.site.handles.clock.now().plus_nanos(-OVERLAP);
                while let Some(event) = events.recv().await {
                    let told = match event {
                        FeedEvent::News(item) => vec![*item],
                        // What was published while there was no connection.
                        FeedEvent::Connected { .. } => self.missed(newest.plus_nanos(-OVERLAP)).await,
                        _ => Vec::new(),
                    };
                    for item in told {
                        newest = newest.max(item.published_at);
                        if items.send(item).await.is_err() {
                            return;
                        }
                    }
                }
            };
            tokio::select! {
                biased;
                () = items.closed() => {}
                () = forward => {}
                ended = self.site.run(connection, sink) => ended?,
            }
            self.site.health.become_state(ProviderState::Idle, "nobody listens");
            Ok(())
        }
        .boxed()
    }

    fn status(&self) -> ProviderStatus {
        self.site.health.status()
    }
}

pub(super) fn page(
    body: &[u8],
    now: Timestamp,
    health: &Health,
) -> Result<(Vec<NewsItem>, Option<String>), serde_json::Error> {
    let page: Page<'_> = serde_json::from_slice(body)?;
    let rows = page.news.unwrap_or_default();
    Ok((parse_rows(&rows, health, |article: Article| item(&article, now)), page.next_page_token))
}

fn item(article: &Article, now: Timestamp) -> Result<NewsItem, String> {
    let headline = plain(&article.headline, HEADLINE);
    if headline.is_empty() {
        return Err("an article without a headline".to_owned());
    }
    // An article without an address is known by its number.
    let given = article.url.as_deref().filter(|url| !url.is_empty());
    let fallback = || Ok::<_, String>(format!("https://alpaca.markets/news/{}", article.id.integer()?));
    let address = address(&given.map_or_else(fallback, |url| Ok(url.to_owned()))?).ok_or("an address that is none")?;
    let published_at = time(&article.created_at)?;
    let source = plain(article.source.as_deref().unwrap_or_default(), 60).to_lowercase();
    let mut symbols: Vec<String> = article.symbols.iter().flatten().filter_map(|name| symbol(name)).collect();
    symbols.truncate(MOST_SYMBOLS);
    Ok(NewsItem {
        id: address.id,
        headline,
        summary: plain(article.summary.as_deref().unwrap_or_default(), SUMMARY),
        url: address.url,
        source: if source.is_empty() { address.host } else { source },
        provider: "alpaca".to_owned(),
        symbols,
        published_at: published_at.min(now),
        approximate: published_at > now,
        fetched_at: now,
    })
}

struct Voice {
    keys: Arc<Keys>,
    codec: Codec,
    health: Arc<Health>,
}

impl Speaker for Voice {
    fn connect<'a>(&'a self, room: &'a Room) -> BoxFuture<'a, Result<Box<dyn Wire>, LinkError>> {
        ws::open(room, self.codec).boxed()
    }

    fn greet(&self, _: &Room, _: &mut Out) {}

    fn on_frame(&self, room: &Room, data: &[u8], now: Timestamp, out: &mut Out) -> Result<(), Trouble> {
        for row in serde_json::from_slice::<Vec<&RawValue>>(data)? {
            let Ok(tag) = serde_json::from_str::<wire::Tag>(row.get()) else {
                room.bad("a message without a kind", row);
                continue;
            };
            match tag.kind.as_str() {
                "success" => match ws::on_success(&self.keys, row) {
                    Some(ws::Success::Greeted(reply)) => out.replies.push(reply),
                    Some(ws::Success::LetIn) => {
                        out.replies.push(json!({"action": "subscribe", "news": ["*"]}).to_string());
                    }
                    None => room.bad("an unknown success", row),
                },
                "error" => return Err(ws::refusal(&serde_json::from_str(row.get())?).into()),
                "subscription" => out.ready = true,
                "n" => match read(row).and_then(|article: Article| item(&article, now)) {
                    Ok(item) => out.events.push(FeedEvent::News(Box::new(item))),
                    Err(reason) => self.health.quarantine(reason, row.get().as_bytes()),
                },
                _ => room.bad("an unknown kind of message", row),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::hostile::{NOW, handles, torture};

    const PAGE: &str = include_str!("testdata/news.json");
    const STREAMED: &str = r#"[{"T":"n","id":24918784,"headline":"Corsair <b>Reports</b> Purchase",
        "summary":"It has completed &amp; closed.","author":"x","created_at":"2022-01-05T22:00:37Z","updated_at":"2022-01-05T22:00:38Z",
        "url":"https://www.benzinga.com/m-a/22/01/24918784/corsair?utm_source=alpaca","content":"",
        "symbols":["CRSR","BTC/USD"],"source":"benzinga"}]"#;

    fn news() -> AlpacaNews {
        let settings = Settings { key: Some("id".into()), secret: Some("hush".into()), ..Settings::default() };
        super::super::news(&settings, handles()).unwrap()
    }

    fn heard(frame: &[u8]) -> Out {
        let news = news();
        let connection = news.connection().unwrap();
        let mut out = Out::default();
        let _ended = (connection.dialect)().on_data(frame, NOW, &mut out);
        out
    }

    #[test]
    fn a_recorded_page() {
        let (items, next) = page(PAGE.as_bytes(), NOW, &news().site.health).unwrap();
        let [first, second] = &items[..] else { panic!("{items:?}") };
        assert_eq!(first.headline, "Is Now The Time To Buy Stock In Tesla Or Ford?");
        assert_eq!(first.summary, "Traders ask “Why Is It Moving?” That’s why.");
        assert_eq!((first.symbols.join(" "), first.source.as_str()), ("F TSLA".to_owned(), "benzinga.com"));
        assert_eq!(first.published_at, "2021-04-03T12:31:15Z".parse().unwrap());
        assert_eq!((second.source.as_str(), second.summary.as_str()), ("benzinga", ""));
        assert_eq!(next.as_deref(), Some("MTY3"));
    }

    #[test]
    fn a_message_of_the_stream() {
        let out = heard(STREAMED.as_bytes());
        let [FeedEvent::News(item)] = &out.events[..] else { panic!("{out:?}") };
        assert_eq!(
            (item.headline.as_str(), item.summary.as_str()),
            ("Corsair Reports Purchase", "It has completed & closed.")
        );
        assert_eq!(item.url, "https://www.benzinga.com/m-a/22/01/24918784/corsair");
        assert_eq!(item.symbols, ["CRSR", "BTCUSD"]);
        let replies = |frame: &str| heard(frame.as_bytes()).replies;
        assert!(replies(r#"[{"T":"success","msg":"connected"}]"#)[0].contains("hush"));
        assert!(replies(r#"[{"T":"success","msg":"authenticated"}]"#)[0].contains(r#""news":["*"]"#));
        assert!(heard(br#"[{"T":"subscription","news":["*"]}]"#).ready);
    }

    #[test]
    fn nothing_that_is_sent_does_harm() {
        let sound = |item: &NewsItem| {
            assert!(!item.headline.is_empty() && item.headline.chars().count() <= HEADLINE);
            assert!(item.url.starts_with("http") && item.id.len() == 32 && item.symbols.len() <= MOST_SYMBOLS);
            assert!(item.published_at >= Timestamp::EPOCH);
        };
        let health = news().site.health.clone();
        torture(PAGE, |bytes| page(bytes, NOW, &health).iter().flat_map(|(items, _)| items).for_each(sound));
        torture(STREAMED, |bytes| {
            for event in heard(bytes).events {
                if let FeedEvent::News(item) = event {
                    sound(&item);
                }
            }
        });
    }
}
