//! A provider, its simulated venue and a follower, over real sockets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cw_core::{AssetClass, Candle, Clock, InstrumentId, Timeframe, Timestamp};
use cw_market::{CandleRequest, Delivery, Followed, Provider, ProviderError, ProviderState, Purpose, Told, follow};
use cw_simex::{Dialect, Exchange, Market, SYMBOLS, Server};
use cw_venues::catalog::{self, Settings};
use cw_venues::net::{Handles, Network, Random};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub const MINUTE: i64 = 60_000_000_000;
/// Of our time, until what is due must be there.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub fn begin() -> Timestamp {
    "2026-03-04T15:00:00Z".parse().unwrap()
}

/// Which provider, and what is particular about the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Setup {
    pub dialect: Dialect,
    pub msgpack: bool,
}

impl From<Dialect> for Setup {
    fn from(dialect: Dialect) -> Self {
        Self { dialect, msgpack: false }
    }
}

impl Setup {
    /// Every provider, and the one of two codecs with both.
    pub fn all() -> Vec<Self> {
        let packed = Self { msgpack: true, ..Dialect::Alpaca.into() };
        Dialect::ALL.map(Self::from).into_iter().chain([packed]).collect()
    }

    pub fn name(self) -> String {
        let name = self.dialect.name();
        if self.msgpack { format!("{name} (msgpack)") } else { name.to_owned() }
    }
}

/// A venue with its provider.
pub struct Rig {
    pub dialect: Dialect,
    pub clock: Arc<dyn Clock>,
    pub exchange: Arc<Exchange>,
    pub provider: Arc<dyn Provider>,
    pub ids: Vec<InstrumentId>,
    _server: Server,
}

impl Rig {
    pub async fn new(setup: impl Into<Setup>, seed: u64) -> Self {
        let exchange = Exchange::new(Market::seeded(seed), begin());
        let clock = Arc::new(exchange.clock());
        Self::with_clock(setup, seed, exchange, clock).await
    }

    /// With a clock of ours that need not be the venue's.
    pub async fn with_clock(
        setup: impl Into<Setup>,
        seed: u64,
        exchange: Arc<Exchange>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let Setup { dialect, msgpack } = setup.into();
        let server = Server::start(dialect, &exchange).await.unwrap();
        let entry = catalog::find(dialect.name()).unwrap();
        let path = if dialect == Dialect::Oanda { "/v3" } else { "" };
        let stream = if dialect == Dialect::Oanda { server.rest_url() } else { server.stream_url() };
        let settings = Settings {
            enabled: true,
            rest_url: Some(format!("{}{path}", server.rest_url())),
            stream_url: Some(format!("{stream}{path}")),
            key: Some("key".to_owned()),
            secret: (dialect == Dialect::Alpaca).then(|| "secret".to_owned()),
            account: Some("101-004-1234567-001".to_owned()),
            requests_per_minute: Some(1_000_000),
            codec: msgpack.then(|| "msgpack".to_owned()),
            trading_url: Some(server.rest_url()),
            cookie_url: Some(server.rest_url()),
            ..Settings::default()
        };
        let handles =
            Handles { clock: Arc::clone(&clock), random: Random::seeded(seed), transport: Arc::new(Network::shared()) };
        let provider = (entry.connect)(&settings, handles).unwrap();
        let ids = dialect.symbols().map(|symbol| format!("{symbol}.{}", entry.code).parse().unwrap());
        Self { dialect, clock, exchange, provider, ids: ids.into(), _server: server }
    }

    pub fn truth(&self, symbol: usize, from: Timestamp, to: Timestamp) -> Vec<Candle> {
        self.exchange.truth(symbol, from, to, self.dialect.is_dense())
    }

    pub async fn history(&self, symbol: usize, timeframe: Timeframe, from: Timestamp, to: Timestamp) -> Vec<Candle> {
        self.ask(symbol, timeframe, from, to).await.unwrap()
    }

    pub async fn ask(
        &self,
        symbol: usize,
        timeframe: Timeframe,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Candle>, ProviderError> {
        let instrument = self.ids[symbol].clone();
        let request = CandleRequest {
            instrument,
            timeframe,
            from: Some(from),
            to: Some(to),
            limit: usize::MAX,
            purpose: Purpose::Follow,
        };
        self.provider.candles(&request).await
    }
}

/// What following brought.
pub struct Following {
    pub rig: Rig,
    pub told: mpsc::Receiver<Told>,
    task: JoinHandle<()>,
    pub table: Vec<BTreeMap<Timestamp, Candle>>,
    pub streamed: u32,
    pub backfilled: u32,
    pub revised: u32,
    pub doubled: u32,
    pub gaps: u32,
    pub outages: u32,
    pub events: u32,
    /// Told before they were over.
    pub early: u32,
}

impl Drop for Following {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Following {
    pub async fn start(rig: Rig, from: Timestamp) -> Self {
        let (sink, told) = mpsc::channel(4_096);
        let one =
            |id: &InstrumentId| Followed { instrument: id.clone(), from, class: AssetClass::Other, reference: None };
        let followed: Vec<Followed> = rig.ids.iter().map(one).collect();
        let (provider, clock) = (Arc::clone(&rig.provider), Arc::clone(&rig.clock));
        let task = tokio::runtime::Handle::current().spawn(async move {
            let ended = follow(&*provider, &followed, &*clock, sink).await;
            ended.unwrap();
        });
        let mut following = Self {
            rig,
            told,
            task,
            table: vec![BTreeMap::new(); SYMBOLS],
            streamed: 0,
            backfilled: 0,
            revised: 0,
            doubled: 0,
            gaps: 0,
            outages: 0,
            events: 0,
            early: 0,
        };
        following.live().await;
        following
    }

    /// Waits until the stream is up and the venue's time is known.
    pub async fn live(&mut self) {
        let begun = Instant::now();
        while self.rig.provider.status().state != ProviderState::Live || self.rig.provider.clock_offset().is_none() {
            assert!(begun.elapsed() < PATIENCE, "{:?}: {:?}", self.rig.dialect, self.rig.provider.status());
            self.drain(Duration::from_millis(10)).await;
        }
    }

    /// Takes what comes until nothing came for `quiet`.
    pub async fn drain(&mut self, quiet: Duration) {
        while let Ok(Some(told)) = tokio::time::timeout(quiet, self.told.recv()).await {
            let symbol = |id: &InstrumentId| self.rig.ids.iter().position(|known| known == id).unwrap();
            match told {
                Told::Candle { instrument, candle, delivery } => {
                    self.early += u32::from(Timeframe::M1.close_time(candle.open_time) > self.rig.exchange.now());
                    let known = self.table[symbol(&instrument)].insert(candle.open_time, candle);
                    match delivery {
                        Delivery::Streamed => self.streamed += 1,
                        Delivery::Backfilled => self.backfilled += 1,
                        Delivery::Revised => self.revised += 1,
                    }
                    self.doubled += u32::from(known.is_some() && delivery != Delivery::Revised);
                }
                Told::Gap { .. } => self.gaps += 1,
                Told::Outage { .. } => self.outages += 1,
                Told::Event(_) => self.events += 1,
                Told::Settled { to, .. } => self.early += u32::from(to > self.rig.exchange.now()),
            }
        }
    }

    pub fn delay(&self) -> i64 {
        i64::from(self.rig.provider.capabilities().candle_delay_ms) * 1_000_000
    }

    /// Candles that differ from the market's record of [`from`, `to`): lost, and misdated or of other values.
    pub fn differences(&self, from: Timestamp, to: Timestamp) -> (u32, u32) {
        let (mut lost, mut wrong) = (0, 0);
        for symbol in 0..SYMBOLS {
            let truth: BTreeMap<Timestamp, Candle> =
                self.rig.truth(symbol, from, to).into_iter().map(|c| (c.open_time, c)).collect();
            let have = &self.table[symbol];
            lost += truth.keys().filter(|time| !have.contains_key(time)).count() as u32;
            wrong += have.iter().filter(|(at, c)| **at < to && truth.get(at) != Some(c)).count() as u32;
        }
        (lost, wrong)
    }

    /// Waits until everything that had its time is there.
    pub async fn settle(&mut self, from: Timestamp) {
        let due = Timeframe::M1.open_time(self.rig.exchange.now().plus_nanos(-self.delay()));
        let begun = Instant::now();
        while self.differences(from, due) != (0, 0) {
            let status = self.rig.provider.status();
            let lost = self.differences(from, due);
            assert!(begun.elapsed() < PATIENCE, "{:?}: {lost:?} until {due}: {status:?}", self.rig.dialect);
            self.drain(Duration::from_millis(10)).await;
        }
    }

    /// One more minute of market time, and the time that a candle may be late.
    pub async fn minute(&mut self, from: Timestamp) {
        let now = self.rig.exchange.now();
        let end = Timeframe::M1.open_time(now).plus_nanos(MINUTE);
        self.rig.exchange.advance_to(end);
        self.drain(Duration::from_millis(40)).await;
        self.rig.exchange.advance_to(end.plus_nanos(self.delay().min(MINUTE / 2) + MINUTE / 60));
        self.settle(from).await;
    }
}
