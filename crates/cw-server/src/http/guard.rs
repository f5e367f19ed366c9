//! What every request passes before a handler sees it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use cw_api::ErrorCode;

use super::{App, client_of, refuse};

/// Host and Origin in front, security headers behind.
pub(super) async fn outer(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = match check(app.address, &request) {
        Err((status, message)) if status == StatusCode::LENGTH_REQUIRED => {
            refuse(status, ErrorCode::InvalidRequest, message)
        }
        Err((status, message)) => refuse(status, ErrorCode::Forbidden, message),
        Ok(()) => next.run(request).await,
    };
    let headers = response.headers_mut();
    let set = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in set {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

fn check(address: SocketAddr, request: &Request) -> Result<(), (StatusCode, &'static str)> {
    let headers = request.headers();
    let misdirected = (StatusCode::MISDIRECTED_REQUEST, "the Host header does not name this server");
    let host = only(headers, header::HOST).map_err(|()| misdirected)?.ok_or(misdirected)?;
    if !is_us(address, host) || request.uri().authority().is_some_and(|named| !is_us(address, named.as_str())) {
        return Err(misdirected);
    }
    // Two ways to say where a body ends are how requests are smuggled. No client of ours sends chunks; one way is left.
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return Err((StatusCode::LENGTH_REQUIRED, "send the body with a Content-Length"));
    }
    let foreign = (StatusCode::FORBIDDEN, "requests from other sites are refused");
    match only(headers, header::ORIGIN) {
        Err(()) => return Err(foreign),
        Ok(Some(origin)) if !origin.strip_prefix("http://").is_some_and(|host| is_us(address, host)) => {
            return Err(foreign);
        }
        Ok(_) => {}
    }
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    let from_elsewhere = matches!(site, Some("cross-site" | "same-site"));
    // A link on another site may open our page; it may not call.
    let opens_page = headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate")
        && !request.uri().path().starts_with("/api/");
    if from_elsewhere && !opens_page {
        return Err(foreign);
    }
    Ok(())
}

/// A header that may appear once.
fn only(headers: &HeaderMap, name: HeaderName) -> Result<Option<&str>, ()> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(());
    }
    first.map(|value| value.to_str().map_err(|_| ())).transpose()
}

/// `127.0.0.1:PORT`, `localhost:PORT` or `[::1]:PORT`, with our port.
fn is_us(address: SocketAddr, host: &str) -> bool {
    let Some((name, port)) = host.rsplit_once(':') else { return false };
    port.parse() == Ok(address.port())
        && port.bytes().all(|b| b.is_ascii_digit())
        && (name == "127.0.0.1" || name == "[::1]" || name.eq_ignore_ascii_case("localhost"))
}

/// A valid token, and not too fast.
pub(super) async fn authorize(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let client = client_of(&app, request.headers());
    if !app.limit.take(client.clone()) {
        return too_fast();
    }
    if client.is_none() {
        let message = "send the operator's token as `Authorization: Bearer …`";
        return refuse(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, message);
    }
    if let Some(connection) = request.extensions().get::<super::connections::Guest>() {
        connection.prove();
    }
    next.run(request).await
}

pub(super) fn too_fast() -> Response {
    let mut response =
        refuse(StatusCode::TOO_MANY_REQUESTS, ErrorCode::RateLimited, "more than 50 calls a second; wait a moment");
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// Nothing but our own files; no inline script, no frame around us, no other host.
pub(super) fn content_security_policy(address: SocketAddr) -> HeaderValue {
    let port = address.port();
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data: blob:; \
         connect-src 'self' ws://127.0.0.1:{port} ws://localhost:{port}; worker-src 'self'; manifest-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
    );
    HeaderValue::from_str(&policy).expect("the policy is plain text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_compared_whole() {
        let address = "127.0.0.1:4000".parse().unwrap();
        for host in ["127.0.0.1:4000", "localhost:4000", "LOCALHOST:4000", "[::1]:4000"] {
            assert!(is_us(address, host), "{host}");
        }
        for host in [
            "127.0.0.1",
            "localhost",
            "127.0.0.1:4001",
            "evil.example:4000",
            "localhost.evil.example:4000",
            "127.0.0.1:+4000",
            "localhost:4000:4000",
            "a@localhost:4000",
            "127.0.0.1.evil:4000",
            "",
            ":4000",
            "0.0.0.0:4000",
            "127.1:4000",
        ] {
            assert!(!is_us(address, host), "{host}");
        }
    }
}
