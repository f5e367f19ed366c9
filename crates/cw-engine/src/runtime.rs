//! Drives an engine in a running program.
//!
//! One thread owns the engine and takes one input at a time; it never waits for a disk or a network. What comes out goes
//! to the committer, which writes the journal and only then answers commands, performs effects and publishes. While a
//! write is under way, everything that arrives joins the next block, so a slow disk makes larger blocks, not a longer
//! queue. When writing fails nothing is sent: it is tried again until it succeeds, and the queues behind it fill up to
//! the providers, who wait.

mod committer;
mod supervisor;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cw_core::{Candle, Clock, Quote, Timestamp, Trade};
use cw_execution::VenueReport;
use cw_market::CandleUpdate;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

use crate::command::{CommandError, Envelope, Reply};
use crate::engine::{Effect, Engine, Output};
use crate::input::Input;
use crate::journal::{Block, BlockBuilder};
use crate::record::{Meta, Record, RecordRef};

pub use supervisor::Supervisor;

/// Inputs that may wait for the engine. Providers and callers wait when it is full.
const INBOX: usize = 16_384;
/// Batches that may wait for the journal.
const OUTBOX: usize = 64;
/// Inputs taken into one batch.
const BATCH: usize = 1_024;
/// A checkpoint and a snapshot are made after so many entries, or so much time.
const CHECKPOINT_ENTRIES: u64 = 250_000;
const CHECKPOINT_NS: i64 = 300 * 1_000_000_000;
/// How often cancels and amendments that no venue has confirmed are sent again; the first time is right after the start,
/// because a crash may have swallowed them.
const REPEAT_NS: i64 = 5 * 1_000_000_000;

/// What the world around the engine does for it.
pub trait Host: Send + 'static {
    /// Writes a block durably. Called again with the same block when it fails.
    fn commit<'a>(&'a mut self, block: &'a Block) -> BoxFuture<'a, Result<(), String>>;
    /// Keeps a snapshot of the state after entry `seq`. Failing costs only time at the next start.
    fn keep_snapshot(&mut self, seq: u64, bytes: Vec<u8>) -> BoxFuture<'_, ()>;
    /// Hands an effect to its broker. Must not block.
    fn perform(&mut self, effect: Effect);
    /// Tells everybody. Must not block.
    fn publish(&mut self, batch: Published);
}

/// What happened in one committed batch.
#[derive(Debug, Default)]
pub struct Published {
    pub records: Vec<(Meta, Record)>,
    pub candles: Vec<(u32, CandleUpdate)>,
    pub trades: Vec<(u32, Trade)>,
    pub quotes: Vec<(u32, Quote)>,
    /// Number of the last entry.
    pub seq: u64,
}

impl Published {
    fn absorb(&mut self, next: Self) {
        self.records.extend(next.records);
        self.candles.extend(next.candles);
        self.trades.extend(next.trades);
        self.quotes.extend(next.quotes);
        self.seq = next.seq;
    }
}

enum Message {
    Trade(u32, Trade),
    Quote(u32, Quote),
    Backfill(u32, Vec<Candle>),
    Minute(u32, Candle, bool),
    Settled(u32, Timestamp),
    Report(u32, VenueReport),
    Timer(Timestamp),
    Command(Box<Envelope>, oneshot::Sender<Result<Reply, CommandError>>, Option<ComingHalt>),
    Read(Box<dyn FnOnce(&Engine) + Send>),
    Checkpoint(oneshot::Sender<u64>),
    Stop(oneshot::Sender<()>),
}

/// The engine is gone: the program is shutting down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the engine has stopped")]
pub struct Stopped;

/// The way to a running engine. Cheap to clone.
#[derive(Clone)]
pub struct EngineHandle {
    inbox: mpsc::Sender<Message>,
    halt: Arc<HaltFlag>,
}

/// Whether new risk may leave, for readers beside the engine.
#[derive(Debug, Default)]
struct HaltFlag {
    /// What the engine's state says.
    engine: AtomicBool,
    /// Halts on their way to the engine. They count from the moment they are asked for, and nothing that the engine
    /// does before it gets to them takes that back.
    coming: AtomicUsize,
}

/// A halt on its way; over when the engine has it or nobody will bring it there.
struct ComingHalt(Arc<HaltFlag>);

impl ComingHalt {
    fn new(flag: &Arc<HaltFlag>) -> Self {
        flag.coming.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(flag))
    }
}

impl Drop for ComingHalt {
    fn drop(&mut self) {
        self.0.coming.fetch_sub(1, Ordering::SeqCst);
    }
}

impl EngineHandle {
    pub async fn trade(&self, instrument: u32, trade: Trade) -> Result<(), Stopped> {
        self.send(Message::Trade(instrument, trade)).await
    }
    pub async fn quote(&self, instrument: u32, quote: Quote) -> Result<(), Stopped> {
        self.send(Message::Quote(instrument, quote)).await
    }
    /// The feed begins: closed 1m candles up to now, oldest first.
    pub async fn backfill(&self, instrument: u32, candles: Vec<Candle>) -> Result<(), Stopped> {
        self.send(Message::Backfill(instrument, candles)).await
    }
    /// A closed minute of an instrument whose venue tells them.
    pub async fn minute(&self, instrument: u32, candle: Candle, fresh: bool) -> Result<(), Stopped> {
        self.send(Message::Minute(instrument, candle, fresh)).await
    }
    /// Everything of such an instrument before `to` is told.
    pub async fn settled(&self, instrument: u32, to: Timestamp) -> Result<(), Stopped> {
        self.send(Message::Settled(instrument, to)).await
    }
    pub async fn report(&self, account: u32, report: VenueReport) -> Result<(), Stopped> {
        self.send(Message::Report(account, report)).await
    }
    /// Time passed; `market_time` is the market's clock.
    pub async fn timer(&self, market_time: Timestamp) -> Result<(), Stopped> {
        self.send(Message::Timer(market_time)).await
    }

    /// Applies a command; answered once the journal has it.
    pub async fn command(&self, envelope: Envelope) -> Result<Result<Reply, CommandError>, Stopped> {
        // Nothing more leaves from here on, whatever still waits in the queues.
        let halt =
            matches!(envelope.command, crate::command::Command::Halt { .. }).then(|| ComingHalt::new(&self.halt));
        let (answer, reply) = oneshot::channel();
        self.send(Message::Command(Box::new(envelope), answer, halt)).await?;
        reply.await.map_err(|_| Stopped)
    }

    /// Reads the state between two inputs. `read` must be quick: the engine waits for it.
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Engine) -> T + Send + 'static,
    ) -> Result<T, Stopped> {
        let (answer, reply) = oneshot::channel();
        let job = Box::new(move |engine: &Engine| {
            // Who asked may have gone away meanwhile.
            let _sent = answer.send(read(engine));
        });
        self.send(Message::Read(job)).await?;
        reply.await.map_err(|_| Stopped)
    }

    /// Writes the state's hash into the journal and keeps a snapshot; answers with the journal's last entry once all of
    /// it is on the disk.
    pub async fn checkpoint(&self) -> Result<u64, Stopped> {
        let (answer, reply) = oneshot::channel();
        self.send(Message::Checkpoint(answer)).await?;
        reply.await.map_err(|_| Stopped)
    }

    /// Takes no more inputs, writes what there is, checkpoints. Returns when the journal is complete.
    pub async fn stop(&self) {
        let (done, stopped) = oneshot::channel();
        if self.send(Message::Stop(done)).await.is_ok() {
            // An error means that it has stopped already.
            let _stopped = stopped.await;
        }
    }

    /// Whether new risk is halted, without asking the engine: what a broker task looks at last, right before the wire.
    pub fn is_halted(&self) -> bool {
        self.halt.coming.load(Ordering::SeqCst) > 0 || self.halt.engine.load(Ordering::SeqCst)
    }

    /// Inputs that wait for the engine now.
    pub fn queue_depth(&self) -> usize {
        self.inbox.max_capacity() - self.inbox.capacity()
    }

    async fn send(&self, message: Message) -> Result<(), Stopped> {
        self.inbox.send(message).await.map_err(|_| Stopped)
    }
}

/// One batch on its way to the journal.
struct Batch {
    block: BlockBuilder,
    effects: Vec<Effect>,
    answers: Vec<Answer>,
    checkpoints: Vec<(oneshot::Sender<u64>, u64)>,
    published: Published,
    snapshot: Option<(u64, Vec<u8>)>,
    stop: Option<oneshot::Sender<()>>,
}

type Answer = (oneshot::Sender<Result<Reply, CommandError>>, Result<Reply, CommandError>);

impl Batch {
    fn new(first_seq: u64) -> Self {
        Self {
            block: BlockBuilder::new(first_seq),
            effects: Vec::new(),
            answers: Vec::new(),
            checkpoints: Vec::new(),
            published: Published::default(),
            snapshot: None,
            stop: None,
        }
    }
    /// Joins the batch behind this one to it.
    fn absorb(&mut self, next: Self) {
        self.block.absorb(next.block);
        self.effects.extend(next.effects);
        self.answers.extend(next.answers);
        self.checkpoints.extend(next.checkpoints);
        self.published.absorb(next.published);
        self.snapshot = next.snapshot.or_else(|| self.snapshot.take());
        self.stop = next.stop.or_else(|| self.stop.take());
    }
    /// Somebody waits for this one.
    fn is_urgent(&self) -> bool {
        !self.effects.is_empty() || !self.answers.is_empty() || !self.checkpoints.is_empty() || self.stop.is_some()
    }
}

/// An engine that was told to start, with the hash its journal ended with.
pub struct Start {
    pub engine: Engine,
    pub previous_hash: [u8; 32],
}

/// Starts the engine thread and the committer task.
pub fn start(
    start: Start,
    host: impl Host,
    clock: Arc<dyn Clock>,
    supervisor: &Supervisor,
) -> std::io::Result<EngineHandle> {
    let (inbox, messages) = mpsc::channel(INBOX);
    let (outbox, batches) = mpsc::channel(OUTBOX);
    let halt = Arc::new(HaltFlag::default());
    halt.engine.store(start.engine.halted().is_some(), Ordering::SeqCst);
    supervisor.spawn("journal", committer::run(batches, host, start.previous_hash));
    let mut worker = Worker {
        engine: start.engine,
        steady: clock.steady(),
        clock,
        halt: Arc::clone(&halt),
        outbox,
        checkpoint_seq: 0,
        checkpoint_at: Timestamp::EPOCH,
        repeat_at: Timestamp::EPOCH,
    };
    worker.checkpoint_seq = worker.engine.seq();
    worker.checkpoint_at = worker.clock.now();
    std::thread::Builder::new().name("engine".into()).spawn(move || worker.run(messages))?;
    Ok(EngineHandle { inbox, halt })
}

/// The thread that owns the engine.
struct Worker {
    engine: Engine,
    clock: Arc<dyn Clock>,
    halt: Arc<HaltFlag>,
    outbox: mpsc::Sender<Batch>,
    checkpoint_seq: u64,
    checkpoint_at: Timestamp,
    /// The steady clock at the last input.
    steady: i64,
    /// When what is outstanding goes out again.
    repeat_at: Timestamp,
}

impl Worker {
    fn run(mut self, mut messages: mpsc::Receiver<Message>) {
        let mut batch = Batch::new(self.engine.seq() + 1);
        if self.engine.seq() == 0 {
            // A new journal begins with what the engine was made of.
            let config = Box::new(self.engine.config().clone());
            self.apply(&Input::Genesis(config), &mut batch);
        }
        while let Some(first) = messages.blocking_recv() {
            let mut next = Some(first);
            let mut stopping = false;
            let mut taken = 0;
            while let Some(message) = next {
                stopping |= self.take(message, &mut batch);
                taken += 1;
                next = if stopping || taken == BATCH { None } else { messages.try_recv().ok() };
            }
            if stopping || self.is_checkpoint_due() {
                self.checkpoint(&mut batch);
            }
            if batch.block.is_empty() && batch.stop.is_none() {
                continue;
            }
            batch.published.seq = self.engine.seq();
            let full = std::mem::replace(&mut batch, Batch::new(self.engine.seq() + 1));
            if self.outbox.blocking_send(full).is_err() || stopping {
                return;
            }
        }
    }

    /// Takes one message; true when it was the last.
    fn take(&mut self, message: Message, batch: &mut Batch) -> bool {
        match message {
            Message::Trade(instrument, trade) => {
                batch.published.trades.push((instrument, trade));
                self.apply(&Input::Trade { instrument, trade }, batch);
            }
            Message::Quote(instrument, quote) => {
                batch.published.quotes.push((instrument, quote));
                self.apply(&Input::Quote { instrument, quote }, batch);
            }
            Message::Backfill(instrument, candles) => self.apply(&Input::Backfill { instrument, candles }, batch),
            Message::Minute(instrument, candle, fresh) => {
                self.apply(&Input::Minute { instrument, candle, fresh }, batch);
            }
            Message::Settled(instrument, to) => self.apply(&Input::Settled { instrument, to }, batch),
            Message::Report(account, report) => self.apply(&Input::Report { account, report }, batch),
            Message::Timer(market_time) => {
                self.apply(&Input::Timer { market_time }, batch);
                self.repeat_outstanding(batch);
            }
            Message::Command(envelope, answer, coming) => {
                let mut reply = None;
                self.apply_with(&Input::Command(envelope), batch, &mut reply);
                self.halt.engine.store(self.engine.halted().is_some(), Ordering::SeqCst);
                drop(coming);
                if let Some(reply) = reply {
                    batch.answers.push((answer, reply));
                }
            }
            Message::Read(read) => read(&self.engine),
            Message::Checkpoint(answer) => {
                self.checkpoint(batch);
                batch.checkpoints.push((answer, self.engine.seq()));
            }
            Message::Stop(done) => {
                batch.stop = Some(done);
                return true;
            }
        }
        false
    }

    /// Our clock's. When it is set back, time goes on at half its pace until the clock has caught up: it never runs
    /// backwards, and while it stood still no quote would get older.
    fn time(&mut self) -> Timestamp {
        let steady = self.clock.steady();
        let passed = (steady - std::mem::replace(&mut self.steady, steady)).max(0);
        let (ours, newest) = (self.clock.now(), self.engine.time());
        if ours >= newest { ours } else { newest.plus_nanos(passed / 2) }
    }

    fn apply(&mut self, input: &Input, batch: &mut Batch) {
        self.apply_with(input, batch, &mut None);
    }

    fn apply_with(&mut self, input: &Input, batch: &mut Batch, reply: &mut Option<Result<Reply, CommandError>>) {
        let now = self.time();
        // The input's number is the next one; it is written before what it causes.
        batch.block.input(self.engine.seq() + 1, now, input);
        let mut output = Collect { batch, reply };
        self.engine.apply(now, input, &mut output);
    }

    /// With the timer's entry in the same batch, so that nothing leaves before what it follows from is on the disk.
    fn repeat_outstanding(&mut self, batch: &mut Batch) {
        let now = self.engine.time();
        if now >= self.repeat_at {
            self.repeat_at = now.plus_nanos(REPEAT_NS);
            batch.effects.extend(self.engine.outstanding());
        }
    }

    fn is_checkpoint_due(&self) -> bool {
        self.engine.seq() - self.checkpoint_seq >= CHECKPOINT_ENTRIES
            || self.engine.time().nanos_since(self.checkpoint_at) >= CHECKPOINT_NS
    }

    fn checkpoint(&mut self, batch: &mut Batch) {
        self.apply(&Input::Checkpoint, batch);
        self.checkpoint_seq = self.engine.seq();
        self.checkpoint_at = self.engine.time();
        batch.snapshot = Some((self.engine.seq(), self.engine.snapshot()));
    }
}

struct Collect<'a> {
    batch: &'a mut Batch,
    reply: &'a mut Option<Result<Reply, CommandError>>,
}

impl Output for Collect<'_> {
    const TRACE: bool = true;
    fn record(&mut self, meta: Meta, record: RecordRef<'_>) {
        self.batch.block.record(meta, record);
        self.batch.published.records.push((meta, record.to_owned()));
    }
    fn effect(&mut self, effect: Effect) {
        self.batch.effects.push(effect);
    }
    fn candle(&mut self, instrument: u32, update: &CandleUpdate) {
        self.batch.published.candles.push((instrument, *update));
    }
    fn reply(&mut self, reply: Result<Reply, CommandError>) {
        *self.reply = Some(reply);
    }
}
