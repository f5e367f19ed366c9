//! What Yahoo asks of some callers: a cookie and crumb, and patience.

use std::time::Duration;

use cw_core::{Candle, Timeframe};
use cw_market::{BreakerState, ConnectionStatus, ProviderError};
use cw_simex::{Dialect, Fault, Plan};
use futures_util::future;
use tokio::time::Instant;

use super::rig::{MINUTE, PATIENCE, Rig, begin};

type Answer = Result<Vec<Candle>, ProviderError>;

async fn rig() -> Rig {
    let rig = Rig::new(Dialect::Yahoo, 7).await;
    rig.exchange.advance_to(begin().plus_nanos(5 * MINUTE));
    // Asked once, so that requests that are counted are those for charts.
    rig.provider.ask_time().await;
    rig
}

/// What is demanded from the end of the next minute on.
fn change(rig: &Rig, fault: Fault) {
    let minute = rig.exchange.now().nanos_since(begin()) / MINUTE;
    rig.exchange.set_plan(Plan::one(u32::try_from(minute).unwrap(), fault));
    rig.exchange.advance_to(rig.exchange.now().plus_nanos(MINUTE));
}

async fn ask(rig: &Rig, symbol: usize) -> Answer {
    let (from, to) = (begin().plus_nanos(-90 * MINUTE), rig.exchange.now());
    let answer = rig.ask(symbol, Timeframe::M1, from, to).await;
    if let Ok(candles) = &answer {
        assert_eq!(*candles, rig.truth(symbol, from, to));
        assert!(candles.len() > 50);
    }
    answer
}

/// The answer, and how many requests it took.
async fn counted(rig: &Rig, symbol: usize) -> (Answer, u64) {
    let before = rig.exchange.counts().0;
    let answer = ask(rig, symbol).await;
    (answer, rig.exchange.counts().0 - before)
}

fn connection(rig: &Rig) -> ConnectionStatus {
    rig.provider.status().connection.unwrap()
}

/// Nothing that is shown has a cookie or crumb in it.
fn keeps_its_secrets(rig: &Rig, error: Option<&ProviderError>) {
    let shown = format!("{:?} {:?} {error:?}", rig.provider.status(), rig.provider.refused());
    assert!(!shown.contains("AQA") && !shown.contains("x.Y"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cookie_and_crumb_are_fetched_when_they_are_demanded_and_kept() {
    let rig = rig().await;
    assert_eq!(counted(&rig, 0).await.1, 1, "nothing is fetched that nobody asks for");
    change(&rig, Fault::Demand);
    let (answer, requests) = counted(&rig, 0).await;
    answer.unwrap();
    assert_eq!(requests, 4, "refused, cookie, crumb, chart");
    for symbol in [1, 2, 0] {
        let (answer, requests) = counted(&rig, symbol).await;
        answer.unwrap();
        assert_eq!(requests, 1, "kept");
    }
    change(&rig, Fault::Expire);
    let (answer, requests) = counted(&rig, 0).await;
    answer.unwrap();
    assert_eq!(requests, 4, "renewed");
    assert_eq!(counted(&rig, 1).await.1, 1, "once");
    assert_eq!(connection(&rig).last_error, None, "nothing of it is a failure");
    keeps_its_secrets(&rig, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_refused_meanwhile_takes_what_another_request_fetched() {
    let rig = rig().await;
    change(&rig, Fault::Demand);
    let before = rig.exchange.counts().0;
    for answer in future::join_all([0, 1, 2].map(|symbol| ask(&rig, symbol))).await {
        answer.unwrap();
    }
    let requests = rig.exchange.counts().0 - before;
    assert!((6..=8).contains(&requests), "one cookie and one crumb, and up to three that were refused: {requests}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_for_good_is_an_error_and_no_loop() {
    let rig = rig().await;
    change(&rig, Fault::Deny);
    for expected in [4, 1, 1] {
        let (answer, requests) = counted(&rig, 0).await;
        let error = answer.unwrap_err();
        assert_eq!(requests, expected, "refused, cookie, crumb, refused; then no session is asked for: {error}");
        assert!(matches!(error, ProviderError::Fatal { .. }), "{error}");
        let words = error.to_string();
        assert!(words.contains("cookie and crumb") && words.contains("Invalid Crumb"), "{words}");
        assert_eq!(connection(&rig).last_error, Some(words));
        keeps_its_secrets(&rig, Some(&error));
    }
    assert_eq!(connection(&rig).breaker, BreakerState::Closed, "it answers");
    change(&rig, Fault::Admit);
    let (answer, requests) = counted(&rig, 0).await;
    answer.unwrap();
    assert_eq!(requests, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_consent_is_named() {
    let rig = rig().await;
    change(&rig, Fault::Consent);
    let (answer, requests) = counted(&rig, 0).await;
    let error = answer.unwrap_err();
    assert_eq!(requests, 2, "refused, and no cookie: {error}");
    assert!(matches!(error, ProviderError::Fatal { .. }) && error.to_string().contains("consent"), "{error}");
}

/// Lets time pass for whoever waits; what is under way on the network takes as long as it takes.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn who_is_told_to_go_away_stays_away_for_longer_and_longer() {
    for (fault, words) in [(Fault::Busy, "429"), (Fault::Unwelcome, "error 999"), (Fault::Down, "right back")] {
        let rig = rig().await;
        let before = rig.exchange.counts().0;
        let requests = || rig.exchange.counts().0 - before;
        rig.exchange.spoil(fault, 3);

        // The first one waits, and so does everybody else.
        let meanwhile = async {
            let begun = Instant::now();
            while connection(&rig).held_until.is_none() {
                assert!(begun.elapsed() < PATIENCE, "{fault:?}: {:?}", connection(&rig));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let status = connection(&rig);
            assert!(status.last_error.as_ref().is_some_and(|error| error.contains(words)), "{fault:?}: {status:?}");
            assert_eq!((status.breaker, requests()), (BreakerState::Closed, 1), "{fault:?}");
            let held = status.held_until.unwrap().nanos_since(rig.exchange.now());
            assert!((0..=MINUTE).contains(&held), "{fault:?}: {held}");
            let passed = async { pass(Duration::from_mins(1)).await };
            future::join(ask(&rig, 1), passed).await.0
        };
        for answer in <[Answer; 2]>::from(future::join(ask(&rig, 0), meanwhile).await) {
            assert!(answer.unwrap_err().is_retryable(), "{fault:?}");
        }
        assert_eq!(requests(), 2, "{fault:?}: one of the two asked and was refused, the other heard that");
        ask(&rig, 0).await.unwrap_err();
        assert_eq!(requests(), 2, "{fault:?}: too long to wait for");

        // The third failure opens the breaker.
        pass(Duration::from_mins(2)).await;
        ask(&rig, 0).await.unwrap_err();
        let status = connection(&rig);
        assert_eq!((status.breaker, requests()), (BreakerState::Open, 3), "{fault:?}");
        let held = status.held_until.unwrap().nanos_since(rig.exchange.now());
        assert!((MINUTE..=4 * MINUTE).contains(&held), "{fault:?}: {held}");
        ask(&rig, 0).await.unwrap_err();
        assert_eq!(requests(), 3, "{fault:?}");

        pass(Duration::from_mins(4)).await;
        ask(&rig, 0).await.unwrap();
        let status = connection(&rig);
        assert_eq!((status.breaker, status.held_until, requests()), (BreakerState::Closed, None, 4), "{fault:?}");
    }
}
