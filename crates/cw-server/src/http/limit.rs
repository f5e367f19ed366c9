//! How fast a client may call.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::session::Client;

/// Calls per second, and how many may come at once after a pause.
const RATE: f64 = 50.0;
const BURST: f64 = 100.0;
/// Clients remembered; sessions are bounded as well.
const MAX_CLIENTS: usize = 64;

/// A bucket of tokens per client; all callers without a valid token share one.
#[derive(Default)]
pub(super) struct RateLimit(Mutex<BTreeMap<Option<Client>, Bucket>>);

struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl RateLimit {
    /// Whether this client may call now.
    pub fn take(&self, client: Option<Client>) -> bool {
        let now = Instant::now();
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_CLIENTS && !buckets.contains_key(&client) {
            let oldest = buckets.iter().min_by_key(|(_, bucket)| bucket.filled).map(|(client, _)| client.clone());
            oldest.and_then(|client| buckets.remove(&client));
        }
        let bucket = buckets.entry(client).or_insert(Bucket { tokens: BURST, filled: now });
        bucket.tokens = (bucket.tokens + now.duration_since(bucket.filled).as_secs_f64() * RATE).min(BURST);
        bucket.filled = now;
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_then_fifty_a_second_for_each_client() {
        let limit = RateLimit::default();
        let taken = |n: usize| (0..n).filter(|_| limit.take(None)).count();
        assert_eq!(taken(150), 100);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(taken(80), 50);
        assert!(limit.take(Some(Client::Operator)));
    }
}
