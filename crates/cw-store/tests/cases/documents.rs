use cw_core::Timestamp;
use cw_store::{Document, DocumentQuery, StoreError};

use crate::Bench;

fn document(hour: i64, instrument: &str, text: &str, keywords: &[&str]) -> Document {
    Document {
        instrument: instrument.parse().unwrap(),
        timeframe: "1h".parse().unwrap(),
        open_time: Timestamp::from_secs(1_700_000_000 + hour * 3_600),
        text: text.to_owned(),
        keywords: keywords.iter().map(|word| (*word).to_owned()).collect(),
        schema: "s1".to_owned(),
    }
}

pub async fn documents_are_found_by_words(bench: Bench) {
    let first = document(0, "BTC-PERP.SIM", "The price breaks the support at 80,000.", &["breakdown", "trend_down"]);
    let second = document(1, "BTC-PERP.SIM", "A hammer at support after a fall of 2.5 %.", &["hammer"]);
    let third = document(2, "ETH-PERP.SIM", "The price broke resistance; support is below.", &["breakout"]);
    bench.store.put_documents(&[first.clone(), second.clone(), third.clone()]).await.unwrap();
    let bench = bench.reopen().await;
    let store = &bench.store;
    let find = async |words: &str, instrument: Option<&str>| {
        let instrument = instrument.map(|id| id.parse().unwrap());
        let query = DocumentQuery { words: words.to_owned(), instrument, limit: 10, ..DocumentQuery::default() };
        let found = store.search_documents(&query).await.unwrap();
        let mut hours: Vec<i64> = found.iter().map(|d| (d.open_time.as_secs() - 1_700_000_000) / 3_600).collect();
        hours.sort_unstable();
        hours
    };
    assert_eq!(find("support", None).await, [0, 1, 2]);
    assert_eq!(find("Supports", Some("BTC-PERP.SIM")).await, [0, 1], "another form of the word");
    assert_eq!(find("support falls", None).await, [1], "all the words");
    assert_eq!(find("hammer", None).await, [1], "keywords count");
    assert_eq!(find("80,000", None).await, [0]);
    assert!(find("moonshot", None).await.is_empty());
    assert!(find("\" OR 1=1; --", None).await.is_empty(), "no operators");

    // Written again, it is found by its new words alone; the range is half open.
    let changed = Document { text: "Quiet.".to_owned(), schema: "s2".to_owned(), ..second.clone() };
    store.put_documents(std::slice::from_ref(&changed)).await.unwrap();
    assert!(find("fall", None).await.is_empty());
    let query = DocumentQuery {
        words: "hammer quiet".to_owned(),
        timeframe: Some("1h".parse().unwrap()),
        from: Some(second.open_time),
        to: Some(third.open_time),
        limit: 1,
        ..DocumentQuery::default()
    };
    assert_eq!(store.search_documents(&query).await.unwrap(), [changed]);
    let empty = store.search_documents(&DocumentQuery { words: "...".to_owned(), ..query }).await.unwrap_err();
    assert!(matches!(empty, StoreError::Invalid { .. }), "{empty}");
}
