//! From the engine's topics to the page: one channel per page, many subscriptions on it, one message per screen frame.
//!
//! The page hands over its channel once (`open_stream`). A second page, or the same one reloaded, replaces it and ends
//! every subscription of the first, so nothing keeps producing for a page that is gone.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// One envelope of the stream, already JSON: `{"id","topic","seq","kind","data"}` or `{"id","error"}`.
pub type Envelope = Box<RawValue>;

/// Envelopes are collected this long and sent as one array: a page paints no faster, and one call into the web
/// engine costs far more than the bytes.
const FRAME: Duration = Duration::from_millis(16);

/// Envelopes waiting for the page. When it is full the subscriptions wait, and their sources conflate.
const QUEUE: usize = 1_024;

/// Subscriptions a page may hold at once: the four workspaces together use less than a tenth.
const MAX_SUBSCRIPTIONS: usize = 256;

/// The page's side of the stream.
#[derive(Debug, Default)]
pub struct Streams {
    page: Mutex<Option<Page>>,
}

#[derive(Debug)]
struct Page {
    queue: mpsc::Sender<Envelope>,
    all: CancellationToken,
    subscriptions: HashMap<u64, CancellationToken>,
}

impl Drop for Page {
    fn drop(&mut self) {
        self.all.cancel();
    }
}

/// What a new subscription needs: where its envelopes go and when it must end.
#[derive(Debug)]
pub struct Outlet {
    pub queue: mpsc::Sender<Envelope>,
    pub end: CancellationToken,
}

/// Why a subscription cannot begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("this page has not opened its stream")]
    NotOpen,
    #[error("this page holds too many subscriptions")]
    TooMany,
}

impl Streams {
    /// Replaces the page. The answer yields the batches to deliver; it ends when the next page opens.
    pub fn open(&self) -> Batches {
        let (queue, envelopes) = mpsc::channel(QUEUE);
        let all = CancellationToken::new();
        let page = Page { queue, all: all.clone(), subscriptions: HashMap::new() };
        *self.page.lock().unwrap_or_else(PoisonError::into_inner) = Some(page);
        Batches { envelopes, end: all, not_before: Instant::now() }
    }

    /// Begins subscription `id`; an older one with the same id ends.
    pub fn subscribe(&self, id: u64) -> Result<Outlet, Refused> {
        let mut page = self.page.lock().unwrap_or_else(PoisonError::into_inner);
        let page = page.as_mut().ok_or(Refused::NotOpen)?;
        if page.subscriptions.len() >= MAX_SUBSCRIPTIONS && !page.subscriptions.contains_key(&id) {
            return Err(Refused::TooMany);
        }
        let end = page.all.child_token();
        if let Some(older) = page.subscriptions.insert(id, end.clone()) {
            older.cancel();
        }
        Ok(Outlet { queue: page.queue.clone(), end })
    }

    /// Ends subscription `id`; unknown ids are ignored, because a page and its source may end one at the same time.
    pub fn unsubscribe(&self, id: u64) {
        let mut page = self.page.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(end) = page.as_mut().and_then(|page| page.subscriptions.remove(&id)) {
            end.cancel();
        }
    }

    /// Ends everything; for shutdown.
    pub fn close(&self) {
        self.page.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// The batches of one page.
#[derive(Debug)]
pub struct Batches {
    envelopes: mpsc::Receiver<Envelope>,
    end: CancellationToken,
    /// No batch leaves before this: one per frame.
    not_before: Instant,
}

impl Batches {
    /// The next envelopes as a JSON array, oldest first; `None` when the page was replaced or closed.
    /// After a quiet frame the first envelope leaves at once; what follows within the frame waits for its end.
    pub async fn next(&mut self) -> Option<String> {
        let first = tokio::select! {
            biased;
            () = self.end.cancelled() => return None,
            envelope = self.envelopes.recv() => envelope?,
        };
        tokio::select! {
            biased;
            () = self.end.cancelled() => return None,
            () = tokio::time::sleep_until(self.not_before) => {}
        }
        self.not_before = Instant::now() + FRAME;
        let mut batch = String::from("[");
        batch.push_str(first.get());
        while let Ok(envelope) = self.envelopes.try_recv() {
            batch.push(',');
            batch.push_str(envelope.get());
        }
        batch.push(']');
        Some(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(text: &str) -> Envelope {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn after_quiet_the_first_envelope_leaves_at_once_and_the_rest_of_the_frame_together() {
        let streams = Streams::default();
        let mut batches = streams.open();
        let outlet = streams.subscribe(1).unwrap();
        let began = Instant::now();
        outlet.queue.send(envelope("0")).await.unwrap();
        assert_eq!(batches.next().await.as_deref(), Some("[0]"));
        assert_eq!(began.elapsed(), Duration::ZERO);
        for n in 1..4 {
            outlet.queue.send(envelope(&n.to_string())).await.unwrap();
        }
        assert_eq!(batches.next().await.as_deref(), Some("[1,2,3]"));
        assert_eq!(began.elapsed(), FRAME);
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_source_costs_one_message_a_frame() {
        let streams = Streams::default();
        let mut batches = streams.open();
        let outlet = streams.subscribe(1).unwrap();
        let source = async {
            for n in 0..160 {
                outlet.queue.send(envelope(&n.to_string())).await.unwrap();
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            streams.close();
        };
        let mut messages = Vec::new();
        let sink = async {
            while let Some(batch) = batches.next().await {
                messages.push(batch);
            }
        };
        tokio::join!(source, sink);
        assert_eq!(messages.len(), 10);
        let all: Vec<u32> =
            messages.iter().flat_map(|batch| serde_json::from_str::<Vec<u32>>(batch).unwrap()).collect();
        assert_eq!(all, (0..all.len() as u32).collect::<Vec<_>>(), "nothing lost, nothing out of order");
    }

    #[tokio::test(start_paused = true)]
    async fn a_reloaded_page_ends_the_subscriptions_of_the_old_one() {
        let streams = Streams::default();
        let mut old = streams.open();
        let subscription = streams.subscribe(7).unwrap();
        let mut new = streams.open();
        assert!(subscription.end.is_cancelled());
        assert_eq!(old.next().await, None);
        let again = streams.subscribe(7).unwrap();
        again.queue.send(envelope("1")).await.unwrap();
        assert_eq!(new.next().await.as_deref(), Some("[1]"));
    }

    #[test]
    fn subscriptions_need_a_page_and_have_a_limit() {
        let streams = Streams::default();
        assert_eq!(streams.subscribe(0).unwrap_err(), Refused::NotOpen);
        let _batches = streams.open();
        for id in 0..MAX_SUBSCRIPTIONS as u64 {
            streams.subscribe(id).unwrap();
        }
        assert_eq!(streams.subscribe(u64::MAX).unwrap_err(), Refused::TooMany);
        let replaced = streams.subscribe(3).unwrap();
        streams.unsubscribe(3);
        assert!(replaced.end.is_cancelled());
        streams.subscribe(u64::MAX).unwrap();
        streams.unsubscribe(12_345);
    }
}
