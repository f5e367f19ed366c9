//! How long to wait before the next try.

use std::time::Duration;

use super::random::Random;

/// Doubles from `base` to `cap`; half of every wait is chance, so that many clients do not return at once.
#[derive(Debug, Clone)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
    tries: u32,
}

impl Backoff {
    pub const fn new(base: Duration, cap: Duration) -> Self {
        Self { base, cap, tries: 0 }
    }

    /// The wait before the next try.
    pub fn next(&mut self, random: &Random) -> Duration {
        let full = self.base.saturating_mul(1 << self.tries.min(20)).min(self.cap);
        self.tries = self.tries.saturating_add(1);
        full / 2 + (full / 2).mul_f64(random.fraction())
    }

    /// It worked: the next failure begins anew.
    pub const fn reset(&mut self) {
        self.tries = 0;
    }

    pub const fn tries(&self) -> u32 {
        self.tries
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap_and_begin_anew() {
        let random = Random::seeded(1);
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
        for expected in [100, 200, 400, 800, 1_600, 2_000, 2_000] {
            let wait = backoff.next(&random).as_millis();
            assert!((expected / 2..=expected).contains(&wait), "{wait} of {expected}");
        }
        backoff.reset();
        assert!(backoff.next(&random) <= Duration::from_millis(100));
    }

    #[test]
    fn two_clients_do_not_return_together() {
        let wait = |seed| Backoff::new(Duration::from_secs(8), Duration::from_secs(8)).next(&Random::seeded(seed));
        let waits: std::collections::BTreeSet<Duration> = (0..100).map(wait).collect();
        assert!(waits.len() > 95);
    }
}
