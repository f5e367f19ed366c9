use cw_core::ManualClock;
use futures_util::FutureExt;
use futures_util::stream::StreamExt;
use parking_lot::Mutex;
use tokio::time::Instant;

use super::*;

/// Answers in turn and notes when it was asked; the last answer is repeated.
struct Script {
    answers: Vec<(u16, &'static [(&'static str, &'static str)])>,
    asked: Mutex<Vec<Instant>>,
}

impl Transport for Script {
    fn send<'a>(&'a self, _: &'a Call) -> BoxFuture<'a, Result<Reply, TransportError>> {
        let mut asked = self.asked.lock();
        let (status, headers) = self.answers[asked.len().min(self.answers.len() - 1)];
        asked.push(Instant::now());
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        async move {
            match status {
                0 => Err(TransportError::Failed("connection reset".to_owned())),
                status => Ok(Reply {
                    status: StatusCode::from_u16(status).unwrap(),
                    headers: map,
                    body: Bytes::from_static(b"<html>busy</html>"),
                }),
            }
        }
        .boxed()
    }

    fn open<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<(Reply, Parts), TransportError>> {
        async move { Ok((self.send(call).await?, futures_util::stream::empty().boxed())) }.boxed()
    }
}

struct Fixture {
    client: HttpClient,
    script: Arc<Script>,
    health: Arc<Health>,
    begun: Instant,
}

fn fixture(answers: &[(u16, &'static [(&'static str, &'static str)])]) -> Fixture {
    with_manner(answers, Manner::USUAL)
}

fn with_manner(answers: &[(u16, &'static [(&'static str, &'static str)])], manner: Manner) -> Fixture {
    let script = Arc::new(Script { answers: answers.to_vec(), asked: Mutex::default() });
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new("2026-11-20T12:00:00Z".parse().unwrap()));
    let health = Arc::new(Health::new(Arc::clone(&clock)));
    let limits = Limits { per_window: 200, window: Duration::from_mins(1), spacing: Duration::ZERO };
    let manner = Manner { limits, ..manner };
    let transport = Arc::clone(&script) as Arc<dyn Transport>;
    let client = HttpClient::new("TEST", transport, manner, Arc::clone(&health), clock, Random::seeded(1));
    Fixture { client, script, health, begun: Instant::now() }
}

fn call() -> Call {
    Call::get("https://x.example/bars".parse().unwrap())
}

#[tokio::test(start_paused = true)]
async fn reading_is_tried_again_after_a_failure_and_writing_never() {
    let f = fixture(&[(0, &[]), (503, &[]), (200, &[])]);
    assert_eq!(f.client.call(&call()).await.unwrap().status, 200);
    let asked = f.script.asked.lock().clone();
    assert_eq!(asked.len(), 3);
    assert!(asked[1] - asked[0] >= FIRST_WAIT / 2 && asked[2] - asked[1] >= FIRST_WAIT);
    let f = fixture(&[(503, &[])]);
    let post = Call { method: Method::POST, ..call() };
    assert!(f.client.call(&post).await.unwrap_err().is_retryable());
    assert_eq!(f.script.asked.lock().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_storm_of_429_is_met_with_the_patience_it_asks_for() {
    let f = fixture(&[(429, &[("retry-after", "7")]), (429, &[("retry-after", "11")]), (200, &[])]);
    f.client.call(&call()).await.unwrap();
    let asked = f.script.asked.lock().clone();
    assert!(asked[1] - f.begun >= Duration::from_secs(7));
    assert!(asked[2] - asked[1] >= Duration::from_secs(11));
}

#[tokio::test(start_paused = true)]
async fn other_calls_wait_as_well() {
    let f = fixture(&[(429, &[("retry-after", "30")]), (200, &[])]);
    let ((), ()) = tokio::join!(async { drop(f.client.call(&call()).await.unwrap()) }, async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        f.client.call(&call()).await.unwrap();
    });
    let asked = f.script.asked.lock().clone();
    assert_eq!(asked.len(), 3);
    assert!(asked[1..].iter().all(|at| *at - f.begun >= Duration::from_secs(30)));
}

#[tokio::test(start_paused = true)]
async fn a_date_says_when_and_a_lockout_silences_everything() {
    let f = fixture(&[(429, &[("retry-after", "Fri, 20 Nov 2026 12:00:20 GMT")]), (200, &[])]);
    f.client.call(&call()).await.unwrap();
    assert!(f.begun.elapsed() >= Duration::from_secs(20));
    let f = fixture(&[(418, &[])]);
    let error = f.client.call(&call()).await.unwrap_err();
    assert!(matches!(error, ProviderError::Retryable { retry_after_ms: Some(120_000), .. }), "{error:?}");
    let error = f.client.call(&call()).await.unwrap_err();
    assert!(matches!(error, ProviderError::Retryable { retry_after_ms: Some(120_000), .. }), "{error:?}");
    assert_eq!(f.script.asked.lock().len(), 1, "nothing was sent while locked out");
}

#[tokio::test(start_paused = true)]
async fn what_the_venue_refuses_is_not_asked_again() {
    for (status, fatal) in [(400, false), (403, false), (404, false), (422, false), (401, true)] {
        let f = fixture(&[(status, &[])]);
        let error = f.client.call(&call()).await.unwrap_err();
        assert_eq!(matches!(error, ProviderError::Fatal { .. }), fatal, "{error}");
        assert!(error.to_string().contains("busy"), "{error}");
        assert_eq!(f.script.asked.lock().len(), 1);
        assert_eq!(f.health.status().connection.unwrap().breaker, cw_market::BreakerState::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_venue_is_left_alone() {
    let f = fixture(&[(0, &[])]);
    f.client.call(&call()).await.unwrap_err();
    f.client.call(&call()).await.unwrap_err();
    assert_eq!(f.script.asked.lock().len(), 5, "the fifth failure opened the breaker");
    assert_eq!(f.health.status().connection.unwrap().breaker, cw_market::BreakerState::Open);
    let error = f.client.call(&call()).await.unwrap_err();
    assert!(matches!(error, ProviderError::Retryable { retry_after_ms: Some(_), .. }), "{error:?}");
    assert_eq!(f.script.asked.lock().len(), 5);
    tokio::time::sleep(Duration::from_secs(10)).await;
    f.client.call(&call()).await.unwrap_err();
    assert_eq!(f.script.asked.lock().len(), 6, "one probe");
}

#[tokio::test(start_paused = true)]
async fn every_answer_tells_the_time() {
    let f = fixture(&[(200, &[("date", "Fri, 20 Nov 2026 12:00:30 GMT")])]);
    f.client.call(&call()).await.unwrap();
    assert_eq!(f.health.status().connection.unwrap().clock_offset_ms, Some(30_500));
}
