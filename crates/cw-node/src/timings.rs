//! How long things take: counts per bucket of time, read while they are written.

use std::sync::atomic::{AtomicU64, Ordering};

use cw_api::COMMANDS;

/// Each power of two of microseconds is cut into this many buckets, so a quantile is off by an eighth at most.
const CUTS: u64 = 8;
/// Up to 2³² microseconds, more than an hour; what takes longer counts as that.
const BUCKETS: usize = (32 * CUTS) as usize;

/// Durations of one kind of work, in microseconds. Writers never wait.
#[derive(Debug)]
pub(crate) struct Histogram {
    buckets: Box<[AtomicU64]>,
    count: AtomicU64,
    sum_us: AtomicU64,
    max_us: AtomicU64,
}

/// What a histogram says, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quantiles {
    pub count: u64,
    pub sum_us: u64,
    pub p50_us: u64,
    pub p95_us: u64,
    pub p99_us: u64,
    pub max_us: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        let buckets = (0..BUCKETS).map(|_| AtomicU64::new(0)).collect();
        Self { buckets, count: AtomicU64::new(0), sum_us: AtomicU64::new(0), max_us: AtomicU64::new(0) }
    }
}

/// The bucket of a duration: exact below eight microseconds, then the leading four bits.
fn bucket(us: u64) -> usize {
    if us < CUTS {
        return us as usize;
    }
    let power = u64::from(us.ilog2());
    let cut = (us >> (power - 3)) & (CUTS - 1);
    (((power - 2) * CUTS + cut) as usize).min(BUCKETS - 1)
}

/// The longest duration that falls into a bucket.
fn upper(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < CUTS {
        return bucket;
    }
    let (power, cut) = (bucket / CUTS + 2, bucket % CUTS);
    ((CUTS + cut + 1) << (power - 3)) - 1
}

impl Histogram {
    pub fn record(&self, us: u64) {
        self.buckets[bucket(us)].fetch_add(1, Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(us, Ordering::Relaxed);
        self.max_us.fetch_max(us, Ordering::Relaxed);
    }

    /// `None` until something was recorded.
    pub fn quantiles(&self) -> Option<Quantiles> {
        let counts: Vec<u64> = self.buckets.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let count: u64 = counts.iter().sum();
        let max_us = self.max_us.load(Ordering::Relaxed);
        let quantile = |percent: u64| {
            let rank = (count * percent).div_ceil(100);
            let mut seen = 0;
            let found = counts.iter().position(|count| {
                seen += count;
                seen >= rank
            });
            // The bucket's end may be later than anything in it.
            found.map_or(max_us, upper).min(max_us)
        };
        (count > 0).then(|| Quantiles {
            count,
            sum_us: self.sum_us.load(Ordering::Relaxed),
            p50_us: quantile(50),
            p95_us: quantile(95),
            p99_us: quantile(99),
            max_us,
        })
    }
}

/// Everything that is timed.
#[derive(Debug)]
pub(crate) struct Timings {
    /// Writing a block of the journal to the disk.
    pub journal_commit: Histogram,
    /// Calls by command, in the registry's order.
    calls: Vec<Histogram>,
}

impl Default for Timings {
    fn default() -> Self {
        Self { journal_commit: Histogram::default(), calls: COMMANDS.iter().map(|_| Histogram::default()).collect() }
    }
}

impl Timings {
    /// A call of a command that is not in the registry is not timed: its name is the caller's invention.
    pub fn call(&self, command: &str, us: u64) {
        if let Some(at) = COMMANDS.iter().position(|entry| entry.name == command) {
            self.calls[at].record(us);
        }
    }

    /// Name, help, the command where there is one, and the figures of all that was timed so far.
    pub fn all(&self) -> Vec<(&'static str, &'static str, Option<&'static str>, Quantiles)> {
        let commit = self.journal_commit.quantiles();
        let commit = commit.map(|q| ("candlewick_journal_commit_seconds", "Writing a journal block", None, q));
        let calls = COMMANDS.iter().zip(&self.calls).filter_map(|(entry, histogram)| {
            let quantiles = histogram.quantiles()?;
            Some(("candlewick_call_seconds", "Calls by command", Some(entry.name), quantiles))
        });
        commit.into_iter().chain(calls).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_ends_where_the_next_begins() {
        for at in 0..BUCKETS - 1 {
            assert_eq!(bucket(upper(at)), at, "{at}");
            assert_eq!(bucket(upper(at) + 1), at + 1, "{at}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_near_and_never_beyond_the_longest() {
        let histogram = Histogram::default();
        assert_eq!(histogram.quantiles(), None);
        for us in 1..=10_000 {
            histogram.record(us);
        }
        let q = histogram.quantiles().unwrap();
        assert_eq!((q.count, q.sum_us, q.max_us), (10_000, 50_005_000, 10_000));
        for (found, exact) in [(q.p50_us, 5_000), (q.p95_us, 9_500), (q.p99_us, 9_900)] {
            assert!(found >= exact && found <= exact + exact / 8, "{found} for {exact}");
        }
        let one = Histogram::default();
        one.record(1_000_003);
        assert_eq!(one.quantiles().unwrap().p50_us, 1_000_003);
    }

    #[test]
    fn only_commands_of_the_registry_are_timed() {
        let timings = Timings::default();
        timings.call("made.up", 5);
        timings.call("orders.list", 7);
        let all = timings.all();
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].2, all[0].3.max_us), (Some("orders.list"), 7));
    }
}
