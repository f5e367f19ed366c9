//! Connections that somebody has begun anew.

use cw_api::ErrorCode;
use cw_api::commands::system::{Connection, RestartConnection};

use super::*;

async fn connection(services: &Services) -> Connection {
    let list = services.system.list_connections(&caller(), ListConnections {}).await.unwrap();
    list.connections.into_iter().find(|c| c.venue == "ALPACA").unwrap()
}

async fn restart(services: &Services, venue: &str) -> Result<Connection, ApiError> {
    services.system.restart_connection(&caller(), RestartConnection { venue: venue.to_owned() }).await
}

fn following(f: &Fixture, key: &str) -> NodeConfig {
    let mut config = f.config();
    config.live = true;
    let alpaca = config.settings.venues.get_mut("alpaca").unwrap();
    alpaca.symbols = vec!["AAPL".to_owned()];
    alpaca.key = Some(key.to_owned());
    config
}

async fn state(services: &Services, wanted: ConnectionState) {
    until("the connection", async || (connection(services).await.state == wanted).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_up_is_made_anew_and_nothing_is_lost() {
    let f = Fixture::new().await;
    let (node, services) = f.open(following(&f, "key")).await;
    state(&services, ConnectionState::Open).await;
    for (minute, name) in [(1, "ALPACA"), (2, "alpaca"), (3, "Alpaca")] {
        let streams = f.exchange.counts().1;
        restart(&services, name).await.unwrap();
        until("another stream", async || (f.exchange.counts().1 > streams).then_some(())).await;
        state(&services, ConnectionState::Open).await;
        let end = ago(0).plus_nanos(minute * MINUTE);
        f.exchange.advance_to(end);
        let told = async || (candles(&services, "AAPL", ago(20)).await == f.truth(0, ago(20), end)).then_some(());
        f.moving("the venue's own minutes", told).await;
    }
    let restarted = connection(&services).await;
    assert!(restarted.reconnects >= 3 && restarted.subscriptions == 1, "{restarted:?}");
    assert!(restarted.last_error.unwrap().contains("by hand"));
    let closed = async || {
        let gaps = services.market.list_gaps(&caller(), no_gap_filter()).await.unwrap().gaps;
        (!gaps.is_empty() && gaps.iter().all(|gap| gap.state == GapState::Backfilled)).then_some(())
    };
    f.moving("outages that are over", closed).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_venue_that_refused_is_asked_again() {
    let f = Fixture::new().await;
    // What the venue does not take.
    let (node, services) = f.open(following(&f, "")).await;
    state(&services, ConnectionState::Closed).await;
    until("the refusal", async || connection(&services).await.last_error).await;
    for _ in 0..2 {
        let streams = f.exchange.counts().1;
        restart(&services, "ALPACA").await.unwrap();
        until("another stream", async || (f.exchange.counts().1 > streams).then_some(())).await;
        until("another refusal", async || {
            let refused = connection(&services).await;
            (refused.state == ConnectionState::Closed && refused.detail.unwrap().contains("402")).then_some(())
        })
        .await;
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_no_connection_says_so() {
    let f = Fixture::new().await;
    let (node, services) = f.open(f.config()).await;
    for (venue, words) in [("SIM", "there may be ALPACA"), ("", "no connection"), ("POLYGON", "venues.polygon.enabled")]
    {
        let error = restart(&services, venue).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidRequest, "{venue}");
        assert!(error.message.contains(words), "{venue}: {}", error.message);
    }
    let error = restart(&services, "ALPACA").await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Unavailable, "{}", error.message);
    assert_eq!(f.exchange.counts(), (0, 0));
    node.stop().await;
}
