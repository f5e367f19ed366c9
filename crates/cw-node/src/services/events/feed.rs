//! What all topics have in common: a snapshot, then what changed, no more often than the topic's period.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use cw_api::ApiError;
use cw_api::stream::{Update, UpdateData, UpdateKind};
use cw_engine::runtime::Published;
use futures_util::Stream;
use futures_util::stream;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Interval, MissedTickBehavior};

use crate::shared::Counters;

/// How long a feed that fails waits before it tries again.
const RETRY: Duration = Duration::from_secs(1);

/// One topic for one subscriber.
pub(super) trait Feed: Send + 'static {
    /// The shortest time between two updates. Zero is not a period: topics that leave nothing out say how long they
    /// gather.
    fn period(&self) -> Duration;

    /// Whether there is something to do at all when nothing is published.
    fn polls(&self) -> bool {
        false
    }

    /// Everything there is. What is published later than the call begins is taken in afterwards, perhaps a second time.
    fn snapshot(&mut self) -> impl Future<Output = Result<UpdateData, ApiError>> + Send;

    /// Takes note of a batch; whether there may be something to tell.
    fn absorb(&mut self, batch: &Published) -> bool;

    /// What has changed; `None` when it turns out to be nothing.
    fn delta(&mut self) -> impl Future<Output = Result<Option<Update>, ApiError>> + Send;
}

pub(super) fn delta(data: UpdateData) -> Update {
    Update { kind: UpdateKind::Delta, data }
}

pub(super) fn snapshot(data: UpdateData) -> Update {
    Update { kind: UpdateKind::Snapshot, data }
}

struct Driver<F> {
    feed: F,
    batches: broadcast::Receiver<Arc<Published>>,
    counters: Arc<Counters>,
    interval: Interval,
    /// Taken already, not handed out yet.
    first: Option<Update>,
    dirty: bool,
    /// Something was missed: only a snapshot helps.
    lost: bool,
}

impl<F: Feed> Driver<F> {
    async fn next(&mut self) -> Option<Update> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            if self.lost {
                match self.feed.snapshot().await {
                    Ok(data) => {
                        (self.lost, self.dirty) = (false, false);
                        return Some(snapshot(data));
                    }
                    Err(error) => retry_after(&error).await,
                }
                continue;
            }
            tokio::select! {
                biased;
                // Everything that waits is merged before the next update is made.
                batch = self.batches.recv() => match batch {
                    Ok(batch) => self.dirty |= self.feed.absorb(&batch),
                    Err(RecvError::Lagged(missed)) => {
                        Counters::add(&self.counters.left_behind, 1);
                        Counters::add(&self.counters.missed_batches, missed);
                        tracing::debug!(target: "events", missed, "a subscriber was left behind; it gets a snapshot");
                        self.lost = true;
                    }
                    Err(RecvError::Closed) => return None,
                },
                _ = self.interval.tick(), if self.dirty || self.feed.polls() => {
                    self.dirty = false;
                    match self.feed.delta().await {
                        Ok(Some(update)) => return Some(update),
                        Ok(None) => {}
                        Err(error) => {
                            self.lost = true;
                            retry_after(&error).await;
                        }
                    }
                }
            }
        }
    }
}

async fn retry_after(error: &ApiError) {
    tracing::warn!(target: "events", %error, "a topic cannot be read; it is tried again");
    tokio::time::sleep(RETRY).await;
}

/// Begins a topic. Who calls listens already, so that nothing falls between the snapshot and what follows.
pub(super) async fn start<F: Feed>(
    batches: broadcast::Receiver<Arc<Published>>,
    counters: Arc<Counters>,
    mut feed: F,
) -> Result<impl Stream<Item = Update> + Send + 'static, ApiError> {
    let first = Some(snapshot(feed.snapshot().await?));
    let mut interval = tokio::time::interval(feed.period());
    // A tick that is late is not made up for: the period is what a subscriber can take.
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // An interval's first tick is due at once; the snapshot was that.
    interval.reset();
    let driver = Driver { feed, batches, counters, interval, first, dirty: false, lost: false };
    Ok(stream::unfold(driver, |mut driver| async move { driver.next().await.map(|update| (update, driver)) }))
}

#[cfg(test)]
mod tests {
    use cw_api::commands::system::{LogLevel, LogLine};
    use cw_core::Timestamp;
    use futures_util::StreamExt;

    use super::*;

    /// Tells the numbers of the batches it was given, as log lines.
    #[derive(Default)]
    struct Numbers {
        waiting: Vec<u64>,
        newest: Arc<std::sync::atomic::AtomicU64>,
    }

    fn lines(numbers: &[u64]) -> UpdateData {
        let line = |n: &u64| LogLine {
            time: Timestamp::EPOCH,
            level: LogLevel::Info,
            component: String::new(),
            message: n.to_string(),
            trace_id: None,
            fields: [].into(),
        };
        UpdateData::Logs(numbers.iter().map(line).collect())
    }

    impl Feed for Numbers {
        fn period(&self) -> Duration {
            Duration::from_millis(5)
        }
        async fn snapshot(&mut self) -> Result<UpdateData, ApiError> {
            self.waiting.clear();
            Ok(lines(&[self.newest.load(std::sync::atomic::Ordering::Relaxed)]))
        }
        fn absorb(&mut self, batch: &Published) -> bool {
            self.waiting.push(batch.seq);
            batch.seq.is_multiple_of(2)
        }
        async fn delta(&mut self) -> Result<Option<Update>, ApiError> {
            Ok(Some(delta(lines(&std::mem::take(&mut self.waiting)))))
        }
    }

    fn batch(seq: u64) -> Arc<Published> {
        Arc::new(Published { seq, ..Published::default() })
    }

    #[tokio::test]
    async fn what_waits_becomes_one_update_and_a_quiet_batch_none() {
        let (bus, batches) = broadcast::channel(16);
        let mut updates = Box::pin(start(batches, Arc::default(), Numbers::default()).await.unwrap());
        for seq in [1, 2, 3] {
            bus.send(batch(seq)).unwrap();
        }
        assert_eq!(updates.next().await, Some(snapshot(lines(&[0]))));
        assert_eq!(updates.next().await, Some(delta(lines(&[1, 2, 3]))), "merged, although only one of them tells");
        bus.send(batch(5)).unwrap();
        let quiet = tokio::time::timeout(Duration::from_millis(50), updates.next()).await;
        assert!(quiet.is_err(), "there is nothing to tell");
        bus.send(batch(6)).unwrap();
        assert_eq!(updates.next().await, Some(delta(lines(&[5, 6]))));
        drop(bus);
        assert_eq!(updates.next().await, None);
    }

    #[tokio::test]
    async fn who_is_left_behind_begins_again() {
        let (bus, batches) = broadcast::channel(4);
        let feed = Numbers::default();
        let newest = Arc::clone(&feed.newest);
        let counters: Arc<Counters> = Arc::default();
        let mut updates = Box::pin(start(batches, Arc::clone(&counters), feed).await.unwrap());
        assert_eq!(updates.next().await, Some(snapshot(lines(&[0]))));
        for seq in 1..=9 {
            bus.send(batch(seq)).unwrap();
        }
        newest.store(9, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(updates.next().await, Some(snapshot(lines(&[9]))), "five of nine were missed");
        let read = |counter: &std::sync::atomic::AtomicU64| counter.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!((read(&counters.left_behind), read(&counters.missed_batches)), (1, 5));
        // What was still in the channel is in the snapshot too; saying it again changes nothing for rows with ids.
        assert_eq!(updates.next().await, Some(delta(lines(&[6, 7, 8, 9]))));
    }
}
