//! Records what feeds bring, beside their way to the engine: an offer never waits, and what the disk cannot follow is
//! counted and marked in the recording.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use cw_core::{Clock, InstrumentId, MarketEvent, Timestamp};
use cw_store::{Result, StoreError, TapeEvent, TapeWriter, Tapes};
use parking_lot::RwLock;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::config::RecorderSettings;

/// Events that may wait for the disk: some seconds of five hundred busy instruments.
const QUEUE: usize = 65_536;
/// Taken from the queue at a time.
const BATCH: usize = 4_096;
/// What a crash may cost at most.
const FLUSH: Duration = Duration::from_secs(30);

/// One instrument's place in the recorder.
#[derive(Debug, Default)]
struct Slot {
    active: AtomicBool,
    /// Not yet marked in the recording.
    missing: AtomicU64,
    dropped: AtomicU64,
}

enum Work {
    Event(TapeEvent),
    /// Write what came before, close the recording if this is its end, and say so.
    Settle {
        end: bool,
        done: oneshot::Sender<()>,
    },
}

/// The side that feeds and commands use.
pub(crate) struct Recorder {
    tapes: Tapes,
    pub max_bytes: u64,
    clock: Arc<dyn Clock>,
    slots: RwLock<HashMap<InstrumentId, Arc<Slot>>>,
    queue: mpsc::Sender<(InstrumentId, Work)>,
}

/// The side that writes.
pub(crate) struct Recording {
    tapes: Tapes,
    max_bytes: u64,
    queue: mpsc::Receiver<(InstrumentId, Work)>,
}

impl Recorder {
    /// Nothing is recorded before somebody says what.
    pub fn new(tapes: Tapes, settings: &RecorderSettings, clock: Arc<dyn Clock>) -> (Self, Recording) {
        Self::with_queue(tapes, settings, clock, QUEUE)
    }

    fn with_queue(tapes: Tapes, settings: &RecorderSettings, clock: Arc<dyn Clock>, size: usize) -> (Self, Recording) {
        let (sender, queue) = mpsc::channel(size);
        let max_bytes = settings.max_bytes;
        let recorder = Self { tapes: tapes.clone(), max_bytes, clock, slots: RwLock::default(), queue: sender };
        (recorder, Recording { tapes, max_bytes, queue })
    }

    pub const fn tapes(&self) -> &Tapes {
        &self.tapes
    }

    /// Whether anybody writes.
    pub fn is_running(&self) -> bool {
        !self.queue.is_closed()
    }

    /// Records an instrument from now on.
    pub fn start(&self, id: &InstrumentId) {
        let slot = Arc::clone(self.slots.write().entry(id.clone()).or_default());
        if !slot.active.swap(true, Ordering::AcqRel) {
            self.put(id, &slot, TapeEvent::lost(self.clock.now(), 0));
        }
    }

    /// Ends a recording and waits until all of it is written. False when there was none.
    pub async fn stop(&self, id: &InstrumentId) -> bool {
        let slot = self.slots.read().get(id).cloned();
        let stopped = slot.is_some_and(|slot| slot.active.swap(false, Ordering::AcqRel));
        if stopped {
            self.settle(id, true).await;
        }
        stopped
    }

    /// Waits until everything that was offered before is written.
    pub async fn written(&self) {
        for (id, active, _) in self.state() {
            if active {
                self.settle(&id, false).await;
            }
        }
    }

    async fn settle(&self, id: &InstrumentId, end: bool) {
        let (done, settled) = oneshot::channel();
        // The writer is gone only when the program ends, which writes everything.
        if self.queue.send((id.clone(), Work::Settle { end, done })).await.is_ok() {
            let _gone = settled.await;
        }
    }

    /// Instruments with whether they are being recorded and how many of their events were dropped.
    pub fn state(&self) -> Vec<(InstrumentId, bool, u64)> {
        let state = |(id, slot): (&InstrumentId, &Arc<Slot>)| {
            (id.clone(), slot.active.load(Ordering::Acquire), slot.dropped.load(Ordering::Relaxed))
        };
        self.slots.read().iter().map(state).collect()
    }

    /// Takes an event if its instrument is recorded. Never waits.
    pub fn offer(&self, event: &MarketEvent) {
        let slots = self.slots.read();
        let Some(slot) = slots.get(&event.instrument).filter(|slot| slot.active.load(Ordering::Acquire)) else {
            return;
        };
        let missing = slot.missing.swap(0, Ordering::AcqRel);
        if missing > 0 && !self.put(&event.instrument, slot, TapeEvent::lost(event.received_at, missing)) {
            // The mark was counted as one more; it stands for those before it.
            slot.missing.fetch_add(missing - 1, Ordering::AcqRel);
            slot.dropped.fetch_sub(1, Ordering::Relaxed);
        }
        self.put(&event.instrument, slot, TapeEvent::new(event.received_at, event.kind));
    }

    fn put(&self, id: &InstrumentId, slot: &Slot, event: TapeEvent) -> bool {
        let sent = self.queue.try_send((id.clone(), Work::Event(event))).is_ok();
        if !sent {
            slot.missing.fetch_add(1, Ordering::AcqRel);
            slot.dropped.fetch_add(1, Ordering::Relaxed);
        }
        sent
    }
}

impl Recording {
    /// Writes until the program stops, then what is left.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut desk = Desk::new(self.tapes, self.max_bytes);
        let mut flush = tokio::time::interval(FLUSH);
        flush.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let mut batch = Vec::with_capacity(BATCH);
            let (stopping, due) = tokio::select! {
                biased;
                () = stop.cancelled() => (true, true),
                _ = flush.tick() => (false, true),
                count = self.queue.recv_many(&mut batch, BATCH) => (count == 0, count == 0),
            };
            while stopping && let Ok(work) = self.queue.try_recv() {
                batch.push(work);
            }
            // Files do not belong on the threads that answer people.
            let wrote = tokio::task::spawn_blocking(move || {
                desk.write(batch, due, stopping);
                desk
            });
            desk = match wrote.await {
                Ok(desk) => desk,
                Err(error) => {
                    tracing::error!(target: "recorder", %error, "nothing is recorded any more");
                    return;
                }
            };
            if stopping {
                return;
            }
        }
    }
}

/// The open recordings.
struct Desk {
    tapes: Tapes,
    max_bytes: u64,
    writers: HashMap<InstrumentId, TapeWriter>,
    /// Recordings that could not be opened, with the newest event that was for them and how many; tried again at each
    /// flush.
    failing: HashMap<InstrumentId, (Timestamp, u64)>,
}

impl Desk {
    fn new(tapes: Tapes, max_bytes: u64) -> Self {
        Self { tapes, max_bytes, writers: HashMap::new(), failing: HashMap::new() }
    }

    fn write(&mut self, batch: Vec<(InstrumentId, Work)>, flush: bool, stopping: bool) {
        for (id, work) in batch {
            let done = match work {
                Work::Event(event) => self.put(&id, event),
                Work::Settle { end, done } => {
                    let settled = if end {
                        self.writers.remove(&id).map_or(Ok(()), TapeWriter::finish)
                    } else {
                        self.writers.get_mut(&id).map_or(Ok(()), TapeWriter::flush)
                    };
                    // Who asked may have gone.
                    let _asked = done.send(());
                    settled
                }
            };
            said(&id, done);
        }
        if flush {
            self.try_again();
        }
        if stopping {
            for (id, writer) in self.writers.drain() {
                said(&id, writer.finish());
            }
        } else if flush {
            for (id, writer) in &mut self.writers {
                said(id, writer.flush());
            }
        }
        if flush {
            match self.tapes.retain(self.max_bytes) {
                Ok(0) => {}
                Ok(freed) => tracing::info!(target: "recorder", freed, "the oldest recordings were removed"),
                Err(error) => tracing::warn!(target: "recorder", %error, "old recordings could not be removed"),
            }
        }
    }

    /// One that cannot be opened is reported once per flush and not once per event.
    fn put(&mut self, id: &InstrumentId, event: TapeEvent) -> Result<()> {
        if let Some((newest, missing)) = self.failing.get_mut(id) {
            *newest = event.received_at;
            *missing += 1;
            return Ok(());
        }
        match self.writer(id) {
            Ok(writer) => writer.push(event),
            Err(error) => {
                self.failing.insert(id.clone(), (event.received_at, 1));
                Err(error)
            }
        }
    }

    fn try_again(&mut self) {
        for (id, (newest, missing)) in std::mem::take(&mut self.failing) {
            match self.writer(&id) {
                Ok(writer) => {
                    let marked = writer.push(TapeEvent::lost(newest, missing));
                    said(&id, marked);
                }
                Err(error) => {
                    said(&id, Err(error));
                    self.failing.insert(id, (newest, missing));
                }
            }
        }
    }

    fn writer(&mut self, id: &InstrumentId) -> Result<&mut TapeWriter> {
        if !self.writers.contains_key(id) {
            let (writer, cut) = self.tapes.writer(id)?;
            if cut > 0 {
                tracing::warn!(target: "recorder", instrument = %id, bytes = cut, "an unfinished block was cut off");
            }
            self.writers.insert(id.clone(), writer);
        }
        self.writers.get_mut(id).ok_or_else(|| StoreError::NotFound { what: format!("recording of {id}") })
    }
}

fn said(id: &InstrumentId, done: Result<()>) {
    if let Err(error) = done {
        tracing::error!(target: "recorder", %error, instrument = %id, "events were not recorded");
    }
}

/// All of a recording that a request names.
pub(crate) fn whole(from: Option<Timestamp>, to: Option<Timestamp>) -> (Timestamp, Timestamp) {
    (from.unwrap_or(Timestamp::MIN), to.unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use cw_core::{ManualClock, MarketEventKind, Price, Quantity, Trade};
    use cw_store::TapeKind;

    use super::*;

    fn trade(n: i64) -> MarketEvent {
        let event_time = Timestamp::from_millis(n);
        let (price, qty) = (Price::from_raw(n), Quantity::from_raw(1));
        let kind = MarketEventKind::Trade(Trade { event_time, price, qty, aggressor: None, trade_id: n as u64 });
        MarketEvent { instrument: id(), received_at: event_time, kind }
    }

    fn id() -> InstrumentId {
        "BTC-PERP.SIM".parse().unwrap()
    }

    fn read(tapes: &Tapes) -> Vec<TapeEvent> {
        let mut reader = tapes.read(&id(), Timestamp::MIN, Timestamp::MAX).unwrap();
        let mut events = Vec::new();
        while reader.next(&mut events).unwrap() {}
        events
    }

    #[test]
    fn a_recording_that_cannot_be_opened_says_later_what_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        // A file stands where the folder should be.
        let place = dir.path().join("recordings");
        std::fs::write(&place, "").unwrap();
        let tapes = Tapes::new(dir.path());
        let mut desk = Desk::new(tapes.clone(), u64::MAX);
        let event = |n| (id(), Work::Event(TapeEvent::new(trade(n).received_at, trade(n).kind)));
        desk.write((1..=3).map(event).collect(), false, false);
        assert_eq!(desk.failing[&id()], (Timestamp::from_millis(3), 3));
        std::fs::remove_file(&place).unwrap();
        desk.write(Vec::new(), true, false);
        desk.write(vec![event(4)], true, true);
        let kinds: Vec<TapeKind> = read(&tapes).iter().map(|event| event.kind).collect();
        assert_eq!(kinds.len(), 2, "{kinds:?}");
        assert_eq!(kinds[0], TapeKind::Break { lost: 3 });
        assert!(kinds[1].trade().is_some());
    }

    #[tokio::test]
    async fn a_full_queue_never_waits_and_the_recording_says_what_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        let tapes = Tapes::new(dir.path());
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1)));
        let settings = RecorderSettings::default();
        let (recorder, mut recording) = Recorder::with_queue(tapes.clone(), &settings, clock, 4);
        recorder.offer(&trade(2));
        recorder.start(&id());
        // One place is taken by the beginning's mark; nobody writes yet.
        (3..=10).for_each(|n| recorder.offer(&trade(n)));
        assert_eq!(recorder.state(), [(id(), true, 5)]);
        let mut desk = Desk::new(tapes.clone(), u64::MAX);
        let mut taken = Vec::new();
        while let Ok(work) = recording.queue.try_recv() {
            taken.push(work);
        }
        desk.write(taken, false, false);
        (11..=12).for_each(|n| recorder.offer(&trade(n)));
        desk.writers.drain().for_each(|(_, writer)| writer.finish().unwrap());
        let stop = CancellationToken::new();
        stop.cancel();
        recording.run(stop).await;
        let short = |event: &TapeEvent| match event.kind {
            TapeKind::Trade(trade) => trade.price.raw(),
            TapeKind::Break { lost } => -(lost as i64),
            TapeKind::Quote(_) => 0,
        };
        assert_eq!(read(&tapes).iter().map(short).collect::<Vec<_>>(), [0, 3, 4, 5, -5, 11, 12]);
        assert_eq!(recorder.state(), [(id(), true, 5)]);
    }
}
