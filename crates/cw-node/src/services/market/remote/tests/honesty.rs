//! What a venue says is not believed blindly, and what is old is not traded on.

use super::*;

/// Alpaca's connection.
async fn connection(services: &Services) -> cw_api::commands::system::Connection {
    let list = services.system.list_connections(&caller(), ListConnections {}).await.unwrap();
    list.connections.into_iter().find(|c| c.venue == "ALPACA").unwrap()
}

async fn quote(services: &Services) -> Option<QuoteView> {
    let list = services.market.list_quotes(&caller(), ListQuotes { instruments: None }).await.unwrap();
    list.quotes.into_iter().find(|q| q.instrument.as_str() == "AAPL.ALPACA")
}

fn following(f: &Fixture) -> NodeConfig {
    let mut config = f.config();
    config.live = true;
    config.settings.venues.get_mut("alpaca").unwrap().symbols = vec!["AAPL".to_owned()];
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prices_that_cannot_be_are_in_quarantine_and_nowhere_else() {
    let f = Fixture::new().await;
    f.exchange.set_plan(Plan { faults: vec![(1, Fault::Spike), (2, Fault::Cross), (3, Fault::Ahead)] });
    let (node, services) = f.open(following(&f)).await;
    until("a connection", async || (connection(&services).await.state == ConnectionState::Open).then_some(())).await;
    for minute in 1..=6 {
        let end = ago(0).plus_nanos(minute * MINUTE);
        f.exchange.advance_to(end);
        let told = async || (candles(&services, "AAPL", ago(20)).await == f.truth(0, ago(20), end)).then_some(());
        // What is refused of the stream is asked for.
        f.moving("the venue's own minutes", told).await;
        let Some(quote) = quote(&services).await else { continue };
        let near = |price: cw_core::Price| (100.0..400.0).contains(&price.to_f64());
        assert!([quote.bid, quote.ask, quote.last, quote.high_24h].into_iter().all(near), "{quote:?}");
        assert!(quote.event_time.nanos_since(f.exchange.now()) <= 0, "{quote:?}");
    }
    let wanted = ["too far from", "above ask", "is ahead of ours"];
    let rows = until("the reasons", async || {
        let request = ListQuarantine { provider: Some("ALPACA".to_owned()), limit: None };
        let list = services.market.list_quarantine(&caller(), request).await.unwrap();
        let named = |part: &&str| list.rows.iter().any(|row| row.reason.contains(*part) && row.text.contains("AAPL"));
        wanted.iter().all(named).then_some(list)
    });
    let list = rows.await;
    assert!(list.rows.iter().any(|row| row.text.contains("AAPL.ALPACA 1m")), "the candle as well: {list:?}");
    let connection = connection(&services).await;
    assert!(connection.quarantined.unwrap() >= list.rows.len() as u64, "{connection:?}");
    let gaps = services.market.list_gaps(&caller(), no_gap_filter()).await.unwrap();
    assert!(gaps.gaps.iter().all(|gap| gap.state != GapState::Gap), "the venue had better ones: {gaps:?}");
    node.stop().await;
}
