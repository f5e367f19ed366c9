//! Questions to venues that are under way: what one reader is asking for already, another waits for. A chart, its studies and
//! the panels beside it want the same candles in the same moment, and the venue is asked once.

use std::sync::Arc;

use cw_api::ApiError;
use cw_core::{InstrumentId, Timeframe};
use cw_market::Purpose;
use cw_store::TimeRange;
use parking_lot::Mutex;
use tokio::sync::watch;

type Answer = Result<(), ApiError>;

#[derive(Default)]
pub(super) struct Asking(Arc<Mutex<Vec<Question>>>);

struct Question {
    instrument: InstrumentId,
    topic: Topic,
    purpose: Purpose,
    answer: watch::Receiver<Option<Answer>>,
}

/// What of an instrument is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    Specification,
    /// Candles as somebody looks at them, whatever is missing of them.
    Window(Timeframe),
    Candles(Timeframe, TimeRange),
}

impl Topic {
    fn overlaps(self, other: Self) -> bool {
        match (self, other) {
            (Self::Candles(length, range), Self::Candles(other_length, other)) => {
                length == other_length && range.from < other.to && other.from < range.to
            }
            _ => self == other,
        }
    }

    fn holds(self, other: Self) -> bool {
        match (self, other) {
            (Self::Candles(length, range), Self::Candles(other_length, other)) => {
                length == other_length && range.from <= other.from && other.to <= range.to
            }
            _ => self == other,
        }
    }
}

impl Asking {
    /// Waits until nobody else asks for a part of this, and takes it on. Fails with a question that held all of it. What is
    /// missing has to be looked at afterwards: others may have brought it. One for a less urgent purpose is not waited for:
    /// it may have to wait much longer for leave to ask.
    pub async fn take(&self, instrument: &InstrumentId, topic: Topic, purpose: Purpose) -> Result<Asked, ApiError> {
        loop {
            let (mut answer, holds_all) = {
                let mut under_way = self.0.lock();
                let overlaps = |other: &&Question| {
                    other.instrument == *instrument && other.topic.overlaps(topic) && other.purpose >= purpose
                };
                let Some(other) = under_way.iter().find(overlaps) else {
                    let (tell, answer) = watch::channel(None);
                    under_way.push(Question { instrument: instrument.clone(), topic, purpose, answer });
                    return Ok(Asked { under_way: Arc::clone(&self.0), tell });
                };
                (other.answer.clone(), other.topic.holds(topic))
            };
            // One that was given up half-way tells nothing.
            let told = answer.wait_for(Option::is_some).await.ok().and_then(|told| (*told).clone());
            if let Some(Err(error)) = told
                && holds_all
            {
                return Err(error);
            }
        }
    }
}

/// A question that is ours to ask; over when it is dropped.
pub(super) struct Asked {
    under_way: Arc<Mutex<Vec<Question>>>,
    tell: watch::Sender<Option<Answer>>,
}

impl Asked {
    /// Tells those who wait what became of it.
    pub fn answered<T>(self, outcome: &Result<T, ApiError>) {
        self.over();
        let answer = outcome.as_ref().map(drop).map_err(Clone::clone);
        self.tell.send_replace(Some(answer));
    }

    fn over(&self) {
        let ours = self.tell.subscribe();
        self.under_way.lock().retain(|question| !question.answer.same_channel(&ours));
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.over();
    }
}

#[cfg(test)]
mod tests {
    use cw_core::Timestamp;
    use futures_util::FutureExt;

    use super::*;

    fn span(from: i64, to: i64) -> TimeRange {
        TimeRange::new(Timestamp::from_secs(from), Timestamp::from_secs(to))
    }

    fn candles(from: i64, to: i64) -> Topic {
        Topic::Candles(Timeframe::M1, span(from, to))
    }

    fn id() -> InstrumentId {
        "AAPL.ALPACA".parse().unwrap()
    }

    async fn taken(asking: &Asking, id: &InstrumentId, topic: Topic) -> Result<Asked, ApiError> {
        asking.take(id, topic, Purpose::Look).await
    }

    fn failure() -> ApiError {
        ApiError::unavailable("the venue did not answer")
    }

    #[tokio::test]
    async fn who_wants_a_part_of_it_waits_and_others_do_not() {
        let (asking, id) = (Asking::default(), id());
        let first = taken(&asking, &id, candles(0, 100)).await.unwrap();
        let mut waiting = Box::pin(taken(&asking, &id, candles(50, 150)));
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(taken(&asking, &id, candles(100, 200)).now_or_never().unwrap().unwrap());
        drop(taken(&asking, &id, Topic::Candles(Timeframe::H1, span(0, 100))).now_or_never().unwrap().unwrap());
        drop(taken(&asking, &"MSFT.ALPACA".parse().unwrap(), candles(0, 100)).now_or_never().unwrap().unwrap());
        first.answered(&Ok(()));
        drop(waiting.await.unwrap());
        assert!(asking.0.lock().is_empty());
    }

    #[tokio::test]
    async fn a_failure_is_that_of_all_who_wanted_no_more_than_that() {
        let (asking, id) = (Asking::default(), id());
        let first = taken(&asking, &id, candles(0, 100)).await.unwrap();
        let mut inside = Box::pin(taken(&asking, &id, candles(0, 100)));
        let mut beyond = Box::pin(taken(&asking, &id, candles(50, 101)));
        assert!(inside.as_mut().now_or_never().is_none());
        assert!(beyond.as_mut().now_or_never().is_none());
        first.answered::<()>(&Err(failure()));
        assert_eq!(inside.await.err(), Some(failure()));
        drop(beyond.await.unwrap());
    }

    #[tokio::test]
    async fn who_gave_up_leaves_it_to_the_next() {
        let (asking, id) = (Asking::default(), id());
        let first = taken(&asking, &id, candles(0, 100)).await.unwrap();
        let mut next = Box::pin(taken(&asking, &id, candles(0, 100)));
        assert!(next.as_mut().now_or_never().is_none());
        drop(first);
        next.await.unwrap().answered(&Ok(()));
        assert!(asking.0.lock().is_empty());
    }

    #[tokio::test]
    async fn the_less_urgent_wait_for_the_more_urgent_and_not_the_other_way_round() {
        let (asking, id) = (Asking::default(), id());
        let fetching = asking.take(&id, candles(0, 100), Purpose::Fetch).await.unwrap();
        let looking = asking.take(&id, candles(0, 100), Purpose::Look).now_or_never().unwrap().unwrap();
        drop(fetching);
        assert!(asking.take(&id, candles(0, 100), Purpose::Fetch).now_or_never().is_none());
        drop(looking);
        assert!(asking.take(&id, candles(0, 100), Purpose::Fetch).now_or_never().is_some());
    }
}
