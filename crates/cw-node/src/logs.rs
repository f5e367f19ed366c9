//! The last log lines in memory, for `logs.list` and the log panel.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use cw_api::commands::system::{LogLevel, LogLine};
use cw_core::{Clock, SystemClock};
use parking_lot::Mutex;
use tokio::sync::broadcast;
use tracing::field::{Field, Visit};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Lines kept.
const LINES: usize = 2_000;

/// A tracing layer that keeps the newest lines and tells who listens. Clones share them.
#[derive(Clone)]
pub struct LogRing {
    lines: Arc<Mutex<VecDeque<LogLine>>>,
    live: broadcast::Sender<LogLine>,
}

impl Default for LogRing {
    fn default() -> Self {
        Self { lines: Arc::default(), live: broadcast::channel(1_024).0 }
    }
}

impl LogRing {
    pub fn new() -> Self {
        Self::default()
    }

    /// Newest first: this level and worse, containing `text` in message or component.
    pub fn list(&self, level: Option<LogLevel>, text: Option<&str>, limit: usize) -> Vec<LogLine> {
        let text = text.map(str::to_lowercase);
        let matches = |line: &&LogLine| {
            level.is_none_or(|level| severity(line.level) <= severity(level))
                && text.as_deref().is_none_or(|text| {
                    line.message.to_lowercase().contains(text) || line.component.to_lowercase().contains(text)
                })
        };
        self.lines.lock().iter().rev().filter(matches).take(limit).cloned().collect()
    }

    pub fn listen(&self) -> broadcast::Receiver<LogLine> {
        self.live.subscribe()
    }

    fn push(&self, line: LogLine) {
        let mut lines = self.lines.lock();
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(line.clone());
        drop(lines);
        // Nobody listening is fine.
        let _listeners = self.live.send(line);
    }
}

const fn severity(level: LogLevel) -> u8 {
    match level {
        LogLevel::Error => 0,
        LogLevel::Warn => 1,
        LogLevel::Info => 2,
        LogLevel::Debug => 3,
        LogLevel::Trace => 4,
    }
}

impl<S: tracing::Subscriber> Layer<S> for LogRing {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let meta = event.metadata();
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.push(LogLine {
            time: SystemClock.now(),
            level: match *meta.level() {
                tracing::Level::ERROR => LogLevel::Error,
                tracing::Level::WARN => LogLevel::Warn,
                tracing::Level::INFO => LogLevel::Info,
                tracing::Level::DEBUG => LogLevel::Debug,
                tracing::Level::TRACE => LogLevel::Trace,
            },
            component: meta.target().to_owned(),
            message: fields.message,
            trace_id: fields.fields.remove("trace_id"),
            fields: fields.fields,
        });
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    fields: BTreeMap<String, String>,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let mut text = String::new();
        write!(text, "{value:?}").expect("writing to a string cannot fail");
        if field.name() == "message" {
            self.message = text;
        } else {
            self.fields.insert(field.name().to_owned(), text);
        }
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
        } else {
            self.fields.insert(field.name().to_owned(), value.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn keeps_lines_by_level_and_text() {
        let ring = LogRing::new();
        let subscriber = tracing_subscriber::registry().with(ring.clone());
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(target: "feed", "connected");
            tracing::warn!(target: "feed", trace_id = "t1", attempt = 3, "retrying");
            for _ in 0..LINES {
                tracing::debug!(target: "other", "noise");
            }
            tracing::error!(target: "journal", "disk full");
        });
        assert_eq!(ring.list(None, None, 10_000).len(), LINES);
        let warnings = ring.list(Some(LogLevel::Warn), None, 10);
        assert_eq!(warnings.iter().map(|l| l.message.as_str()).collect::<Vec<_>>(), ["disk full"]);
        assert_eq!(ring.list(None, Some("DISK"), 10).len(), 1);
    }
}
