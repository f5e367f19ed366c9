//! The audit row of a call: who, by which door, what with, and how it ended.

use cw_core::Timestamp;
use serde_json::{Map, Value};

use crate::access::{Access, Risk};
use crate::commands::system::AuditRow;
use crate::context::Context;
use crate::error::ApiError;
use crate::registry::{Entry, Output};

/// Text longer than this is cut.
const MAX_TEXT: usize = 300;
/// Containers with more items than this, or nested deeper than `MAX_DEPTH`, are told by their size alone.
const MAX_ITEMS: usize = 50;
const MAX_DEPTH: usize = 4;

/// Names whose values are never written down.
const SECRET_WORDS: [&str; 6] = ["secret", "password", "passphrase", "token", "api_key", "credential"];

/// The arguments as they may be kept: secrets masked, long text cut, large structures told by their size.
pub(crate) fn summary(body: &Value) -> Value {
    shorten(body, 0)
}

fn shorten(value: &Value, depth: usize) -> Value {
    match value {
        Value::String(text) if text.len() > MAX_TEXT => {
            let kept: String = text.chars().take(MAX_TEXT).collect();
            format!("{kept}… ({} bytes)", text.len()).into()
        }
        Value::Array(items) if items.len() > MAX_ITEMS || depth >= MAX_DEPTH => {
            format!("({} items)", items.len()).into()
        }
        Value::Array(items) => items.iter().map(|item| shorten(item, depth + 1)).collect(),
        Value::Object(object) if object.len() > MAX_ITEMS || depth >= MAX_DEPTH => {
            format!("({} fields)", object.len()).into()
        }
        Value::Object(object) => {
            // `settings.set` names its secret in `key`.
            let named = object.get("key").and_then(Value::as_str).is_some_and(is_secret);
            let masked = |(key, item): (&String, &Value)| {
                let hide = is_secret(key) || (named && key == "value");
                (key.clone(), if hide { "***".into() } else { shorten(item, depth + 1) })
            };
            Value::Object(object.iter().map(masked).collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    SECRET_WORDS.iter().any(|word| key.contains(word))
}

pub(crate) fn row(
    name: &str,
    entry: Option<&Entry>,
    request: Value,
    outcome: &Result<Output, ApiError>,
    started: Timestamp,
    cx: &Context,
) -> AuditRow {
    let caller = &cx.caller;
    let nanos = cx.services.clock.now().nanos_since(started).max(0);
    AuditRow {
        time: started,
        trace_id: caller.trace_id.to_string(),
        actor: caller.actor.to_string(),
        surface: caller.surface,
        command: name.chars().take(60).collect(),
        access: entry.map_or(Access::Read, |entry| entry.access),
        risk: entry.map_or(Risk::None, |entry| entry.risk),
        request,
        outcome: outcome.as_ref().map_or_else(|error| error.code.as_str(), |_| "ok").to_owned(),
        message: outcome.as_ref().err().map(|error| error.message.clone()),
        duration_us: nanos.unsigned_abs() / 1_000,
    }
}

/// The call in the log, under the trace id that the caller got. Arguments stay out of it.
pub(crate) fn log(row: &AuditRow) {
    let AuditRow { command, trace_id, actor, outcome, duration_us, .. } = row;
    let surface = row.surface.as_str();
    if row.is_durable() {
        tracing::info!(target: "api", command, trace_id, surface, actor, outcome, duration_us, "call");
    } else {
        tracing::debug!(target: "api", command, trace_id, surface, actor, outcome, duration_us, "call");
    }
}

impl AuditRow {
    /// Whether the row has to outlive the program: everything but the operator's own successful looking around, which
    /// a chart does many times a second.
    pub fn is_durable(&self) -> bool {
        self.access > Access::Read || self.outcome != "ok" || self.actor != "operator"
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_masked_and_large_things_are_told_by_size() {
        let body = json!({
            "key": "venues.alpaca.api_key", "value": "AK123",
            "password": "hunter2", "nested": {"access_token": "x", "plain": 1},
            "text": "x".repeat(1000), "list": vec![0; 60],
        });
        let kept = summary(&body);
        assert_eq!(kept["value"], "***");
        assert_eq!(kept["password"], "***");
        assert_eq!(kept["nested"], json!({"access_token": "***", "plain": 1}));
        assert!(kept["text"].as_str().unwrap().len() < 340);
        assert_eq!(kept["list"], "(60 items)");
        assert_eq!(summary(&json!({"key": "theme", "value": "dark"})), json!({"key": "theme", "value": "dark"}));
    }
}
