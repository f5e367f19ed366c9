//! Start-up events for `--timing`: one JSON line each on stdout, in milliseconds since the process began.
//!
//! "Began" means when the kernel created the process, not when `main` ran: loading a web engine's shared libraries
//! is part of what a user waits for.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Writes each start-up event once.
#[derive(Debug)]
pub struct Timing {
    /// When `main` ran, and how long the process existed by then.
    main: Instant,
    before_main: Duration,
    print: bool,
    seen: Mutex<BTreeSet<String>>,
}

impl Timing {
    /// Call first thing in `main`. With `print` unset, events are remembered but not written.
    pub fn start(print: bool) -> Self {
        Self { main: Instant::now(), before_main: process_age().unwrap_or_default(), print, seen: Mutex::default() }
    }

    /// Since the process began.
    pub fn elapsed(&self) -> Duration {
        self.before_main + self.main.elapsed()
    }

    /// Records `event`; a repeated event (a page that was reloaded) is not start-up and is ignored.
    /// Returns whether it was the first of its name.
    pub fn mark(&self, event: &str) -> bool {
        let at = self.elapsed();
        if !self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(event.to_owned()) {
            return false;
        }
        tracing::info!(event, ms = at.as_secs_f64() * 1e3, "start-up");
        if self.print {
            let line = serde_json::json!({ "event": event, "ms": (at.as_secs_f64() * 1e4).round() / 10.0 });
            let mut out = std::io::stdout().lock();
            // A closed pipe is the reader's choice and no reason to stop trading.
            if writeln!(out, "{line}").and_then(|()| out.flush()).is_err() {
                tracing::debug!("stdout is closed; start-up event not printed");
            }
        }
        true
    }
}

/// How long this process has existed, to the kernel's 10 ms; `None` where the platform does not tell cheaply.
#[cfg(target_os = "linux")]
fn process_age() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    age_of(&stat, &uptime)
}

#[cfg(not(target_os = "linux"))]
fn process_age() -> Option<Duration> {
    None
}

/// Field 22 of `/proc/self/stat` is the start in clock ticks since boot; the kernel shows 100 of them per second.
#[cfg(any(target_os = "linux", test))]
fn age_of(stat: &str, uptime: &str) -> Option<Duration> {
    // The second field is the program's name in parentheses and may itself hold spaces and parentheses.
    let (_, after_name) = stat.rsplit_once(')')?;
    let ticks: f64 = after_name.split_whitespace().nth(19)?.parse().ok()?;
    let uptime: f64 = uptime.split_whitespace().next()?.parse().ok()?;
    Duration::try_from_secs_f64(uptime - ticks / 100.0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_age_past_a_hostile_program_name() {
        let stat = "7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 1200 20 21";
        assert_eq!(age_of(stat, "12.50 3.00"), Some(Duration::from_millis(500)));
    }

    #[test]
    fn a_truncated_stat_is_no_age() {
        assert_eq!(age_of("7 (x) S 1 2", "12.5 3.0"), None);
        assert_eq!(age_of("", ""), None);
    }

    #[test]
    fn an_event_counts_once() {
        let timing = Timing::start(false);
        assert!(timing.mark("first_chart"));
        assert!(!timing.mark("first_chart"), "a reloaded page must not report start-up again");
        assert!(timing.mark("engine_ready"));
    }
}
