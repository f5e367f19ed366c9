//! The OpenAPI document, read off the registry.

use cw_api::commands::registry::ResponseKind;
use cw_api::{ApiError, COMMANDS, Entry, ErrorCode};
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// The whole API as OpenAPI 3.1, whose schemas are JSON Schema 2020-12 as they are.
pub fn document(version: &str) -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut generator = settings.into_generator();
    let error = generator.subschema_for::<ApiError>().to_value();

    let mut paths = Map::new();
    for entry in COMMANDS {
        let path = format!("/api/v1/{}/{}", entry.noun(), entry.verb());
        paths.insert(path, json!({ "post": operation(entry, &mut generator) }));
    }
    for (path, item) in fixed() {
        paths.insert(path.to_owned(), item);
    }
    let mut schemas = Value::Object(generator.take_definitions(true));
    drop_unknown_formats(&mut schemas);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Candlewick",
            "version": version,
            "description": "Every capability is one POST whose body is its arguments. Prices, quantities and money are \
                            decimal text, times RFC 3339 text in UTC. The server listens on this machine only.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }],
        "tags": tags(),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "token": {
                "type": "http", "scheme": "bearer",
                "description": "The operator's token from run/operator.token in the data directory, or a session's token.",
            } },
            "responses": responses(&error),
        },
    })
}

fn tags() -> Vec<Value> {
    let mut nouns: Vec<&str> = COMMANDS.iter().map(Entry::noun).collect();
    nouns.dedup();
    let mut seen = std::collections::BTreeSet::new();
    nouns.into_iter().filter(|noun| seen.insert(*noun)).map(|noun| json!({ "name": noun })).collect()
}

fn operation(entry: &Entry, generator: &mut SchemaGenerator) -> Value {
    let request = (entry.request)(generator).to_value();
    let content = match entry.response_kind {
        ResponseKind::Json => json!({ "application/json": { "schema": (entry.response)(generator).to_value() } }),
        ResponseKind::Binary => json!({ "application/octet-stream": {} }),
    };
    let mut responses = Map::new();
    responses.insert("200".into(), json!({ "description": entry.title(), "content": content }));
    for status in statuses() {
        responses.insert(status.to_string(), json!({ "$ref": format!("#/components/responses/Error{status}") }));
    }
    json!({
        "operationId": entry.tool_name(),
        "tags": [entry.noun()],
        "summary": entry.title(),
        "description": entry.description(),
        "x-access": entry.access,
        "x-risk": entry.risk,
        "requestBody": { "required": true, "content": { "application/json": { "schema": request } } },
        "responses": responses,
    })
}

/// Every status that an error can have: those of the codes, and those of the transport itself.
fn statuses() -> Vec<u16> {
    let mut all: Vec<u16> =
        ErrorCode::ALL.iter().map(|code| code.http_status()).chain([405, 408, 411, 413, 415, 421]).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn responses(error: &Value) -> Value {
    let mut responses = Map::new();
    for status in statuses() {
        let codes: Vec<&str> =
            ErrorCode::ALL.iter().filter(|code| code.http_status() == status).map(|code| code.as_str()).collect();
        let description = if codes.is_empty() { transport_words(status).to_owned() } else { codes.join(", ") };
        let content = json!({ "application/json": { "schema": error } });
        responses.insert(format!("Error{status}"), json!({ "description": description, "content": content }));
    }
    Value::Object(responses)
}

fn transport_words(status: u16) -> &'static str {
    match status {
        405 => "another method than the path takes",
        408 => "the body did not arrive in time",
        411 => "the body has no Content-Length",
        413 => "the body is larger than 1 MiB",
        415 => "the body is not application/json",
        _ => "the Host header does not name this server",
    }
}

fn fixed() -> [(&'static str, Value); 5] {
    let word = json!({ "type": "object", "required": ["status"], "properties": {
        "status": { "type": "string", "enum": ["ok", "degraded", "down"] } } });
    let word = json!({ "application/json": { "schema": word } });
    let text = |value: &str, required: &str| json!({ "type": "object", "required": [required], "properties": { value: { "type": "string" } } });
    [
        (
            "/api/v1/health",
            json!({ "get": {
            "operationId": "health", "tags": ["health"], "summary": "Status word, without a token", "security": [],
            "responses": { "200": { "description": "ok or degraded", "content": word },
                           "503": { "description": "down", "content": word } } } }),
        ),
        (
            "/api/v1/openapi.json",
            json!({ "get": {
            "operationId": "openapi", "summary": "This document", "security": [],
            "responses": { "200": { "description": "OpenAPI 3.1", "content": { "application/json": {} } } } } }),
        ),
        (
            "/api/v1/session/pair",
            json!({ "post": {
            "operationId": "session_pair", "summary": "Exchange a one-time pairing code for a session's token",
            "security": [],
            "requestBody": { "required": true,
                "content": { "application/json": { "schema": text("code", "code") } } },
            "responses": {
                "200": { "description": "The token", "content": { "application/json": { "schema": text("token", "token") } } },
                "401": { "$ref": "#/components/responses/Error401" } } } }),
        ),
        (
            "/api/v1/stream",
            json!({ "get": {
            "operationId": "stream", "summary": "WebSocket of live topics",
            "responses": { "101": { "description": "Switching to WebSocket" } } } }),
        ),
        (
            "/metrics",
            json!({ "get": {
            "operationId": "metrics_text", "tags": ["metrics"], "summary": "Metrics in Prometheus' text format",
            "responses": { "200": { "description": "Metrics", "content": { "text/plain": {} } },
                           "401": { "$ref": "#/components/responses/Error401" } } } }),
        ),
    ]
}

/// schemars writes Rust's number widths as `format`; only the registered ones mean something to others.
fn drop_unknown_formats(value: &mut Value) {
    match value {
        Value::Object(object) => {
            let known = |format: &str| matches!(format, "int32" | "int64" | "float" | "double");
            if object.get("format").and_then(Value::as_str).is_some_and(|format| !known(format)) {
                object.shift_remove("format");
            }
            object.values_mut().for_each(drop_unknown_formats);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_unknown_formats),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_path_and_every_reference_a_target() {
        let document = document("1.2.3");
        for entry in COMMANDS {
            let operation = &document["paths"][format!("/api/v1/{}/{}", entry.noun(), entry.verb())]["post"];
            assert_eq!(operation["operationId"], entry.tool_name());
        }
        let mut references = Vec::new();
        collect(&document, &mut references);
        assert!(references.len() > 100);
        for reference in references {
            let pointer = reference.strip_prefix('#').expect("references stay inside the document");
            assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
        }
    }

    fn collect(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                if let Some(Value::String(reference)) = object.get("$ref") {
                    found.push(reference.clone());
                }
                object.values().for_each(|item| collect(item, found));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            _ => {}
        }
    }
}
