//! An order book that is kept current: a snapshot by request, joined with the stream's changes by their numbers.

use std::sync::Arc;
use std::time::Duration;

use cw_core::InstrumentId;
use cw_market::{Book, BookSnapshot, Depth, FeedEvent, ProviderError, ProviderState};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{Aster, parse, ws};
use crate::net::{Call, Site};

/// Changes that may wait while a snapshot is asked for: at ten a second almost two minutes.
const QUEUE: usize = 1_024;
/// Levels in a snapshot, and what asking for them weighs.
const LEVELS: &str = "1000";
const WEIGHT: u32 = 20;
/// Between two snapshots, at least.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells the best levels until nobody listens.
pub(super) async fn follow(
    aster: &Aster,
    site: &Arc<Site>,
    id: &InstrumentId,
    levels: usize,
    depths: mpsc::Sender<Depth>,
) -> Result<(), ProviderError> {
    let (sink, mut events) = mpsc::channel(QUEUE);
    let keep = async {
        let mut book = Book::default();
        let mut asked: Option<Instant> = None;
        while let Some(event) = events.recv().await {
            let mut changed = false;
            match event {
                FeedEvent::Connected { .. } => book.clear(),
                FeedEvent::Book(diff) => {
                    changed = true;
                    if let Err(gap) = book.change(*diff) {
                        tracing::info!(target: "venues", venue = site.code, instrument = %id, %gap, "the book is asked for again");
                    }
                }
                // The mark price, which comes each second: time to ask again where there is no book.
                _ => {}
            }
            if !book.is_current() && asked.is_none_or(|asked| asked.elapsed() >= PAUSE) {
                asked = Some(Instant::now());
                match aster.snapshot(site, id).await {
                    // What does not join is a gap: it is asked for again.
                    Ok(snapshot) => changed = book.snapshot(&snapshot).is_ok(),
                    Err(error @ ProviderError::Retryable { .. }) => {
                        tracing::warn!(target: "venues", venue = site.code, %error, "no order book");
                    }
                    Err(error) => return Err(error),
                }
            }
            if changed
                && let Some(depth) = book.depth(id, levels)
                && depths.send(depth).await.is_err()
            {
                break;
            }
        }
        Ok(())
    };
    let connection = ws::book(&aster.stream, site, id);
    tokio::select! {
        biased;
        () = depths.closed() => Ok(()),
        kept = keep => kept,
        ended = site.run(connection, sink) => ended,
    }
    .inspect(|()| site.health.become_state(ProviderState::Idle, "nobody listens"))
}

impl Aster {
    async fn snapshot(&self, site: &Site, id: &InstrumentId) -> Result<BookSnapshot, ProviderError> {
        let mut url = self.rest.join("/fapi/v3/depth");
        url.query_pairs_mut().append_pair("symbol", id.symbol()).append_pair("limit", LEVELS);
        let call = Call::get(url).weight(WEIGHT);
        let read = site.get(&call, "an order book", parse::book).await?;
        read.map_err(|reason| ProviderError::Retryable { venue: site.code, reason, retry_after_ms: None })
    }
}
