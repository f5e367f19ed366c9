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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn candles_of_a_share_are_those_of_its_sessions_closed_and_forming() {
    let f = Fixture::new().await;
    let (node, services) = f.open(following(&f)).await;
    let instrument: cw_core::InstrumentId = "AAPL.ALPACA".parse().unwrap();
    let from = ago(5 * 1_440);
    for (timeframe, least) in [(Timeframe::H1, 15), (Timeframe::H4, 5), (Timeframe::D1, 2)] {
        let get = async || {
            let request = GetCandles {
                instrument: instrument.clone(),
                timeframe,
                from: Some(from),
                to: None,
                limit: Some(1_000),
            };
            services.market.get_candles(&caller(), request).await.unwrap()
        };
        let calendar = cw_core::Calendar::Nyse;
        let series = f.moving("a forming candle", async || Some(get().await).filter(|s| s.forming.is_some())).await;
        let minutes = f.truth(0, from, f.exchange.now());
        let mut truth = cw_market::fold_sessions(&minutes, timeframe, calendar);
        let now = f.exchange.now();
        truth.retain(|c| c.open_time >= from && calendar.window(timeframe, c.open_time).close_time <= now);
        // The first one began before the range.
        if truth.first().is_some_and(|first| minutes[0].open_time > first.open_time) {
            truth.remove(0);
        }
        assert!(truth.len() >= least, "{timeframe}: {}", truth.len());
        assert_eq!(series.candles, truth, "{timeframe}");
        let (forming, last) = (series.forming.unwrap(), series.candles.last().unwrap());
        assert!(forming.open_time >= calendar.window(timeframe, last.open_time).close_time, "{timeframe}: no overlap");
        assert_eq!(forming.open_time, calendar.window(timeframe, now).open_time, "{timeframe}");
    }
    node.stop().await;
}
