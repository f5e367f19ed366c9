//! What looking at charts costs of a venue's requests, and what it leaves to following.

use cw_api::commands::market::GetChartWindow;
use cw_api::frame::ChartFrame;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_many_look_at_in_one_moment_is_asked_for_once() {
    let requests_of = async |readers: usize| {
        let f = Fixture::new().await;
        let (node, services) = f.open(f.config()).await;
        // The venue's time is known from then on.
        candles(&services, "MSFT", ago(10)).await;
        let (before, _) = f.exchange.counts();
        let reading = (0..readers).map(|_| candles(&services, "AAPL", ago(1_500)));
        for seen in futures_util::future::join_all(reading).await {
            assert_eq!(seen, f.truth(0, ago(1_500), ago(0)));
        }
        node.stop().await;
        f.exchange.counts().0 - before
    };
    let alone = requests_of(1).await;
    assert!(alone > 1);
    assert_eq!(requests_of(8).await, alone);
}

async fn window(services: &Services, symbol: &str) -> ChartFrame {
    let request = GetChartWindow {
        instrument: format!("{symbol}.ALPACA").parse().unwrap(),
        timeframe: Timeframe::M1.into(),
        before: None,
        limit: 100,
        set: String::new(),
    };
    services.market.chart_window(&caller(), request).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fetch_of_months_makes_nothing_late_that_is_followed_and_charts_show_what_is_stored() {
    let f = Fixture::new().await;
    f.exchange.set_plan(Plan::one(2, Fault::Drop));
    let mut config = f.config();
    config.live = true;
    config.settings.venues.get_mut("alpaca").unwrap().symbols = vec!["MSFT".to_owned()];
    let (node, services) = f.open(config).await;
    let connection = async || {
        let list = services.system.list_connections(&caller(), ListConnections {}).await.unwrap();
        list.connections.into_iter().find(|c| c.venue == "ALPACA").unwrap()
    };
    until("the stream", async || (connection().await.state == ConnectionState::Open).then_some(())).await;
    candles(&services, "MSFT", ago(30)).await;
    until("a chart", async || (!window(&services, "BTC/USD").await.header.catching_up).then_some(())).await;

    let months = FetchData {
        instrument: "AAPL.ALPACA".parse().unwrap(),
        timeframe: Timeframe::M1,
        from: ago(100 * 1_440),
        to: Some(ago(0)),
    };
    let job = services.market.start_fetch(&caller(), StartFetch(months)).await.unwrap().job_id;
    let left = async |share: u32| {
        until("what may be spent to be spent", async || {
            let connection = connection().await;
            (connection.budget_left? <= connection.budget_limit? * share / 100).then_some(())
        })
        .await;
    };
    left(50).await;
    // Followed through a lost connection, and looked at, as if there were no fetch.
    let minutes = 4;
    for minute in 1..=minutes {
        f.exchange.advance_to(ago(0).plus_nanos(minute * MINUTE));
    }
    let truth = f.truth(1, ago(30), ago(0).plus_nanos(minutes * MINUTE));
    f.moving("what was missed", async || (candles(&services, "MSFT", ago(30)).await.starts_with(&truth)).then_some(()))
        .await;
    assert!(connection().await.reconnects >= 1, "it had to be asked for");
    let whole = async || (!window(&services, "BTC/USD").await.header.catching_up).then_some(());
    until("what a chart lacks", whole).await;
    let waiting = jobs(&services).await;
    assert!(waiting.iter().any(|j| j.id == job && j.finished_at.is_none()), "the fetch waits: {waiting:?}");

    // Somebody looks at more than may be looked at in a minute.
    let greedy = candles(&services, "BTC/USD", ago(60 * 1_440));
    let meanwhile = async {
        left(35).await;
        f.exchange.advance_to(f.exchange.now().plus_nanos(2 * MINUTE));
        let frame = window(&services, "BTC/USD").await;
        assert!(frame.header.catching_up && frame.header.rows == 100, "{:?}", frame.header);
        let truth = f.truth(1, ago(30), Timeframe::M1.open_time(f.exchange.now()));
        let followed = async || candles(&services, "MSFT", ago(30)).await.starts_with(&truth).then_some(());
        f.moving("what is followed", followed).await;
    };
    tokio::select! {
        biased;
        () = meanwhile => {}
        _ = greedy => panic!("two months in less than a minute's requests"),
    }
    services.backtests.cancel_job(&caller(), CancelJob { job_id: job }).await.unwrap();
    node.stop().await;
}
