use bytes::Bytes;
use cw_core::ManualClock;
use futures_util::FutureExt;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::*;

/// A venue at the end of a channel: greets back, then says what the test says.
struct Channel {
    from_venue: mpsc::UnboundedReceiver<&'static str>,
    to_venue: mpsc::UnboundedSender<String>,
}

impl Wire for Channel {
    fn next(&mut self) -> BoxFuture<'_, Result<Frame, LinkError>> {
        async {
            match self.from_venue.recv().await {
                Some("pulse") => Ok(Frame::Pulse),
                Some(text) => Ok(Frame::Data(Bytes::from(text))),
                None => Err(LinkError::Lost("closed".to_owned())),
            }
        }
        .boxed()
    }
    fn send(&mut self, text: String) -> BoxFuture<'_, Result<(), LinkError>> {
        let sent = self.to_venue.send(text).map_err(|_| LinkError::Lost("closed".to_owned()));
        async move { sent }.boxed()
    }
    fn ping(&mut self) -> BoxFuture<'_, Result<(), LinkError>> {
        self.send("ping".to_owned())
    }
}

type Ends = (mpsc::UnboundedSender<&'static str>, mpsc::UnboundedReceiver<String>);

/// Hands the venue's end of every new connection to the test.
#[derive(Clone)]
struct Venue(mpsc::UnboundedSender<Ends>);

struct Talk(Venue);

impl Dialect for Talk {
    fn connect(&mut self) -> BoxFuture<'_, Result<Box<dyn Wire>, LinkError>> {
        let (venue_says, from_venue) = mpsc::unbounded_channel();
        let (to_venue, venue_hears) = mpsc::unbounded_channel();
        self.0.0.send((venue_says, venue_hears)).unwrap();
        async { Ok(Box::new(Channel { from_venue, to_venue }) as Box<dyn Wire>) }.boxed()
    }
    fn greet(&mut self, out: &mut Out) {
        out.replies.push("subscribe".to_owned());
    }
    fn on_data(&mut self, data: &[u8], _: Timestamp, out: &mut Out) -> Result<(), LinkError> {
        match data {
            b"subscribed" => out.ready = true,
            b"refused" => return Err(LinkError::Refused("wrong key".to_owned())),
            b"0" => out.heard.push(0),
            b"1" => out.heard.push(1),
            _ => {}
        }
        Ok(())
    }
}

struct Fixture {
    connections: mpsc::UnboundedReceiver<Ends>,
    events: mpsc::Receiver<FeedEvent>,
    health: Arc<Health>,
    gate: Gate,
    ended: Arc<Mutex<Option<Result<(), ProviderError>>>>,
}

impl Fixture {
    fn start(pace: Pace) -> Self {
        Self::watched(pace, None)
    }

    /// With somebody who is asked what the venue has.
    fn watched(pace: Pace, canary: Option<Canary>) -> Self {
        let (opened, connections) = mpsc::unbounded_channel();
        let (sink, events) = mpsc::channel(64);
        let clock = Arc::new(ManualClock::new(Timestamp::EPOCH));
        let health = Arc::new(Health::new(Arc::clone(&clock) as Arc<dyn Clock>));
        let gate = Gate::default();
        let ended = Arc::new(Mutex::new(None));
        let (its_health, its_gate, its_end) = (Arc::clone(&health), gate.clone(), Arc::clone(&ended));
        tokio::runtime::Handle::current().spawn(async move {
            let ids: Vec<InstrumentId> = ["A.TEST", "B.TEST"].map(|id| id.parse().unwrap()).into();
            let link = Link {
                venue: "TEST",
                pace,
                instruments: ids.into(),
                events: &sink,
                health: &its_health,
                clock: &*clock,
                random: &Random::seeded(1),
                gate: &its_gate,
                canary: canary.as_ref(),
                time: None,
            };
            let venue = Venue(opened);
            let outcome = run(&link, || Box::new(Talk(venue.clone()))).await;
            *its_end.lock() = Some(outcome);
        });
        Self { connections, events, health, gate, ended }
    }

    /// The next connection, signed in and subscribed.
    async fn connected(&mut self) -> Ends {
        let (venue, mut heard) = self.connections.recv().await.unwrap();
        assert_eq!(heard.recv().await.unwrap(), "subscribe");
        venue.send("subscribed").unwrap();
        assert!(matches!(self.events.recv().await.unwrap(), FeedEvent::Connected { .. }));
        (venue, heard)
    }

    async fn lost(&mut self) -> String {
        match self.events.recv().await.unwrap() {
            FeedEvent::Lost { reason, .. } => reason,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_drops_lose_no_subscription() {
    let mut f = Fixture::start(Pace::default());
    for drops in 0..100 {
        let (venue, mut heard) = f.connected().await;
        drop(venue);
        assert_eq!(f.lost().await, "closed");
        assert_eq!(heard.recv().await, None, "subscribed exactly once");
        assert_eq!(f.health.status().connection.unwrap().reconnects, drops + 1);
    }
    f.connected().await;
}

#[tokio::test(start_paused = true)]
async fn silence_is_noticed_within_its_limit_and_a_pulse_is_no_silence() {
    let mut f = Fixture::start(Pace::default());
    let (venue, mut heard) = f.connected().await;
    for _ in 0..50 {
        assert_eq!(heard.recv().await.unwrap(), "ping");
        venue.send("pulse").unwrap();
    }
    // Half-open: nothing comes any more, not even an answer to a ping.
    let since = Instant::now();
    assert_eq!(f.lost().await, "silent for 10 s");
    assert!(since.elapsed() <= Duration::from_secs(10));
    assert!(!venue.is_closed() || heard.recv().await.is_some());
}

#[tokio::test(start_paused = true)]
async fn one_silent_subscription_is_noticed_while_others_talk() {
    let mut f = Fixture::start(Pace { cadence: Some(Duration::from_secs(8)), ..Pace::default() });
    let (venue, _heard) = f.connected().await;
    let talk = async {
        loop {
            if venue.send("0").is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let since = Instant::now();
    let (reason, ()) = tokio::join!(f.lost(), talk);
    assert_eq!(reason, "B.TEST was silent for 8 s");
    assert!(since.elapsed() < Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_venue_that_never_signs_us_in_is_tried_again() {
    let mut f = Fixture::start(Pace::default());
    let (_mute, _heard) = f.connections.recv().await.unwrap();
    let since = Instant::now();
    f.connections.recv().await.unwrap();
    assert!((10..12).contains(&since.elapsed().as_secs()));
    assert!(f.events.try_recv().is_err(), "a connection that never was is not lost");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_ends_it_and_stays_visible() {
    let mut f = Fixture::start(Pace::default());
    let (venue, _heard) = f.connections.recv().await.unwrap();
    venue.send("refused").unwrap();
    assert_eq!(f.events.recv().await, None);
    assert!(matches!(f.ended.lock().take(), Some(Err(ProviderError::Fatal { .. }))));
    assert_eq!(f.health.status().state, ProviderState::Down);
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_made_anew_before_its_life_ends_and_when_asked_to() {
    let pace = Pace {
        lifetime: Some(Duration::from_mins(1)),
        silence: Duration::from_mins(10),
        ping: None,
        ..Pace::default()
    };
    let mut f = Fixture::start(pace);
    let (_venue, _heard) = f.connected().await;
    assert!(f.lost().await.contains("before the venue ends it"));
    let (_venue, _heard) = f.connected().await;
    tokio::task::yield_now().await;
    f.gate.reconnect("our clock was set");
    assert_eq!(f.lost().await, "our clock was set");
    f.connected().await;
}

#[tokio::test(start_paused = true)]
async fn nobody_listening_ends_it_quietly() {
    let mut f = Fixture::start(Pace::default());
    let (_venue, _heard) = f.connected().await;
    f.events.close();
    while f.ended.lock().is_none() {
        tokio::task::yield_now().await;
    }
    assert!(matches!(f.ended.lock().take(), Some(Ok(()))));
}

/// The newest event of each instrument that the venue would tell who asks, and how often it was asked.
fn canary(newest: [i64; 2]) -> (Canary, Arc<Mutex<u32>>) {
    let asked = Arc::new(Mutex::new(0));
    let count = Arc::clone(&asked);
    let ask = move |ids: Vec<InstrumentId>| {
        *count.lock() += 1;
        let of = |id: &InstrumentId| Some(Timestamp::from_secs(newest[usize::from(id.as_str() == "B.TEST")]));
        let told: Vec<Option<Timestamp>> = ids.iter().map(of).collect();
        async move { Ok(told) }.boxed()
    };
    (Arc::new(ask), asked)
}

async fn talk(venue: &mpsc::UnboundedSender<&'static str>, what: &'static str) {
    while venue.send(what).is_ok() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_subscription_is_noticed_while_pings_flow() {
    for begin in [0, 1_000, 2_500, 4_000] {
        // The venue has something of B that is newer than all we heard; the clock stands at the beginning of time.
        let (canary, _) = canary([0, 60]);
        let mut f = Fixture::watched(Pace::default(), Some(canary));
        let (venue, _heard) = f.connected().await;
        let spoken = Duration::from_millis(begin);
        let _quiet = tokio::time::timeout(spoken, talk(&venue, "1")).await;
        let since = Instant::now();
        let reason = tokio::select! {
            reason = f.lost() => reason,
            () = talk(&venue, "0") => unreachable!("it does not end"),
        };
        assert_eq!(reason, "B.TEST was silent while the venue had news of it");
        assert!(since.elapsed() <= Duration::from_secs(10), "{:?}", since.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_quiet_market_raises_no_alarm_in_a_day() {
    let (canary, asked) = canary([0, 0]);
    let mut f = Fixture::watched(Pace::default(), Some(canary));
    let (venue, mut heard) = f.connected().await;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_hours(24) {
        assert_eq!(heard.recv().await.unwrap(), "ping");
        venue.send("pulse").unwrap();
    }
    assert!(f.events.try_recv().is_err(), "nothing was lost");
    let asked = *asked.lock();
    assert!((10_000..20_000).contains(&asked), "{asked} in a day: a dozen a minute");
}
