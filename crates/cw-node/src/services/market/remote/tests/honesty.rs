//! What a venue says is not believed blindly, and what is old is not traded on.

use cw_api::commands::orders::{PlaceOrder, PreviewOrder};
use cw_api::commands::portfolio::ListPositions;
use serde_json::json;

use super::*;
use crate::config::AccountSettings;

/// Alpaca's connection.
async fn connection(services: &Services) -> cw_api::commands::system::Connection {
    let list = services.system.list_connections(&caller(), ListConnections {}).await.unwrap();
    list.connections.into_iter().find(|c| c.venue == "ALPACA").unwrap()
}

async fn provenance(services: &Services) -> cw_api::commands::sources::Provenance {
    let instrument = "AAPL.ALPACA".parse().unwrap();
    let request = GetProvenance { instrument, timeframe: Timeframe::M1, from: None, to: None };
    services.market.provenance(&caller(), request).await.unwrap()
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
async fn a_feed_that_is_dead_adds_no_risk_and_lets_out_and_what_it_missed_is_the_truth() {
    let mut f = Fixture::new().await;
    let mut config = following(&f);
    let shares =
        AccountSettings { id: "shares".parse().unwrap(), venue: "ALPACA".to_owned(), ..AccountSettings::standard() };
    config.settings.accounts = vec![shares];
    let (node, services) = f.open(config).await;
    let order = |side: &str, qty: &str, reduce_only: bool| json!({ "account": "shares", "instrument": "AAPL.ALPACA", "side": side, "qty": qty, "reduce_only": reduce_only });
    let place = async |order: serde_json::Value| {
        let order: PlaceOrder = serde_json::from_value(order).unwrap();
        services.trading.place_order(&caller(), order).await
    };
    // What the gate says of an order that adds risk: nothing where it lets it pass.
    let objections = async || -> Vec<String> {
        let order: PreviewOrder = serde_json::from_value(order("buy", "2", false)).unwrap();
        match services.trading.preview_order(&caller(), order).await {
            Ok(preview) => preview.checks.into_iter().filter(|check| !check.pass).map(|check| check.reason).collect(),
            // The engine has not taken it on yet.
            Err(error) => vec![error.message],
        }
    };
    f.moving("a price", async || objections().await.is_empty().then_some(())).await;
    place(order("buy", "2", false)).await.unwrap();
    f.moving("a position", async || {
        let request = ListPositions { account: None };
        let list = services.trading.list_positions(&caller(), request).await.unwrap();
        list.positions.into_iter().find(|position| position.instrument.as_str() == "AAPL.ALPACA")
    })
    .await;
    // The stream says nothing more from this minute's end on, and nobody lets us in again.
    let minute = f.exchange.now().nanos_since(ago(0)) / MINUTE;
    f.exchange.set_plan(Plan::one(u32::try_from(minute).unwrap(), Fault::HalfOpen));
    f.exchange.advance_to(ago(0).plus_nanos((minute + 1) * MINUTE));
    let port = f.server.rest_url().rsplit(':').next().unwrap().parse().unwrap();
    let nobody = Server::start(Dialect::Alpaca, &Exchange::new(Market::seeded(1), begin())).await.unwrap();
    drop(std::mem::replace(&mut f.server, nobody));
    let old = f.moving("an old price", async || {
        objections().await.into_iter().find(|reason| reason.contains("ms old, limit 15000 ms"))
    });
    assert!(old.await.starts_with("quote is"));
    let denied = place(order("buy", "2", false)).await.unwrap_err();
    assert!(denied.message.contains("ms old, limit 15000 ms"), "{}", denied.message);
    place(order("sell", "1", true)).await.unwrap();
    f.exchange.advance_to(f.exchange.now().plus_nanos(MINUTE));
    assert!(quote(&services).await.unwrap().stale);
    until("the strip", async || (provenance(&services).await.freshness == Freshness::Stale).then_some(())).await;
    let open = until("an open outage", async || {
        let gaps = services.market.list_gaps(&caller(), no_gap_filter()).await.unwrap();
        gaps.gaps.into_iter().find(|gap| gap.state == GapState::Open && gap.to.is_none())
    });
    assert!(open.await.reason.contains("silent"));
    f.exchange.advance_to(f.exchange.now().plus_nanos(2 * MINUTE));
    assert!(place(order("buy", "2", false)).await.is_err());
    // It is back.
    f.server = Server::start_at(Dialect::Alpaca, &f.exchange, port).await.unwrap();
    f.exchange.set_plan(Plan::default());
    f.moving("the stream", async || (provenance(&services).await.freshness == Freshness::Live).then_some(())).await;
    f.moving("a price", async || objections().await.is_empty().then_some(())).await;
    place(order("buy", "2", false)).await.unwrap();
    let end = Timeframe::M1.open_time(f.exchange.now());
    let settled = async || {
        let gaps = services.market.list_gaps(&caller(), no_gap_filter()).await.unwrap();
        let row = gaps.gaps.into_iter().find(|gap| gap.reason.contains("silent")).unwrap();
        (row.state == GapState::Backfilled && row.candles >= 2).then_some(())
    };
    f.moving("the outage's end", settled).await;
    let mut found = candles(&services, "AAPL", ago(20)).await;
    found.retain(|candle| candle.open_time < end);
    assert_eq!(found, f.truth(0, ago(20), end));
    let kinds: Vec<_> = provenance(&services).await.segments.iter().map(|segment| segment.kind).collect();
    assert!(kinds.contains(&ProvenanceKind::Backfilled), "{kinds:?}");
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
                timeframe: timeframe.into(),
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
