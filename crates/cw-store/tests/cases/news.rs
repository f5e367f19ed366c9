use cw_core::{NewsItem, Timestamp};
use cw_store::{NewsAnswer, NewsQuery};

use crate::Bench;

fn item(hour: i64, headline: &str, symbols: &[&str], source: &str) -> NewsItem {
    NewsItem {
        id: format!("{hour:032x}"),
        headline: headline.to_owned(),
        summary: String::new(),
        url: format!("https://news.example/{hour}"),
        source: source.to_owned(),
        provider: "alpaca".to_owned(),
        symbols: symbols.iter().map(|symbol| (*symbol).to_owned()).collect(),
        published_at: Timestamp::from_secs(1_700_000_000 + hour * 3_600),
        approximate: hour == 1,
        fetched_at: Timestamp::from_secs(1_800_000_000),
    }
}

pub async fn news_are_found_by_words_symbol_source_and_time(bench: Bench) {
    let first = item(0, "The central bank raises rates", &["SPY"], "benzinga");
    let second = item(1, "Apple's sales fall", &["AAPL", "MSFT"], "reuters.com");
    let third = item(2, "Rate cut expected", &[], "reuters.com");
    bench.store.put_news(&[first.clone(), second.clone(), third.clone()]).await.unwrap();
    let bench = bench.reopen().await;
    let find = async |query: NewsQuery| {
        let found = bench.store.news(&NewsQuery { limit: 10, ..query }).await.unwrap();
        found.iter().map(|item| (item.published_at.as_secs() - 1_700_000_000) / 3_600).collect::<Vec<_>>()
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(find(NewsQuery::default()).await, [2, 1, 0]);
    assert_eq!(find(NewsQuery { words: text("RATE"), ..NewsQuery::default() }).await, [2, 0]);
    assert_eq!(find(NewsQuery { words: text("bank rate"), ..NewsQuery::default() }).await, [0]);
    assert_eq!(find(NewsQuery { symbol: text("MSFT"), ..NewsQuery::default() }).await, [1]);
    assert!(find(NewsQuery { symbol: text("MSF"), ..NewsQuery::default() }).await.is_empty());
    assert_eq!(find(NewsQuery { source: text("reuters.com"), ..NewsQuery::default() }).await, [2, 1]);
    assert_eq!(find(NewsQuery { source: text("alpaca"), ..NewsQuery::default() }).await, [2, 1, 0]);
    let (since, before) = (Some(second.published_at), Some(third.published_at));
    assert_eq!(find(NewsQuery { since, before, ..NewsQuery::default() }).await, [1]);
    assert!(bench.store.news(&NewsQuery { words: text("?!"), ..NewsQuery::default() }).await.is_err());

    // Written again it is found by its new words alone, and comes back exactly.
    let changed = NewsItem { headline: "Nothing new".to_owned(), ..second.clone() };
    bench.store.put_news(std::slice::from_ref(&changed)).await.unwrap();
    assert!(find(NewsQuery { words: text("sales"), ..NewsQuery::default() }).await.is_empty());
    let ids = [changed.id.clone(), "unknown".to_owned()];
    assert_eq!(bench.store.news_by_id(&ids).await.unwrap(), [changed]);
}

pub async fn answers_are_kept_per_question_and_provider(bench: Bench) {
    let answer = NewsAnswer {
        question: "rates".to_owned(),
        provider: "brave".to_owned(),
        answered_at: Timestamp::from_secs(5),
        items: vec!["b".to_owned(), "a".to_owned()],
    };
    bench.store.put_news_answer(&answer).await.unwrap();
    let newer = NewsAnswer { answered_at: Timestamp::from_secs(6), items: Vec::new(), ..answer.clone() };
    assert_eq!(bench.store.news_answer("rates", "brave").await.unwrap(), Some(answer));
    bench.store.put_news_answer(&newer).await.unwrap();
    let bench = bench.reopen().await;
    assert_eq!(bench.store.news_answer("rates", "brave").await.unwrap(), Some(newer));
    assert_eq!(bench.store.news_answer("rates", "alpaca").await.unwrap(), None);
}
