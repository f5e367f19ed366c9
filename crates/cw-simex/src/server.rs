//! Starting a dialect on a port of this machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use cw_core::Clock;
use jiff::fmt::rfc2822::DateTimePrinter;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::exchange::Exchange;
use crate::fault::Fault;
use crate::{alpaca, aster, brave, control, oanda, polygon, yahoo};

/// Whose protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    Alpaca,
    Aster,
    Oanda,
    Polygon,
    Yahoo,
}

impl Dialect {
    pub const ALL: [Self; 5] = [Self::Alpaca, Self::Aster, Self::Oanda, Self::Polygon, Self::Yahoo];

    /// What the venue calls the market's symbols, by their number.
    pub const fn symbols(self) -> [&'static str; crate::SYMBOLS] {
        match self {
            Self::Alpaca => ["AAPL", "MSFT", "BTC/USD"],
            Self::Aster => ["BTCUSDT", "ETHUSDT", "SOLUSDT"],
            Self::Oanda => ["EUR_USD", "USD_JPY", "XAU_USD"],
            Self::Polygon => ["AAPL", "MSFT", "X:BTCUSD"],
            Self::Yahoo => ["AAPL", "MSFT", "BTC-USD"],
        }
    }

    /// As the configuration and the control port name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alpaca => "alpaca",
            Self::Aster => "aster",
            Self::Oanda => "oanda",
            Self::Polygon => "polygon",
            Self::Yahoo => "yahoo",
        }
    }

    /// Whether the venue has a candle for minutes in which nobody traded.
    pub const fn is_dense(self) -> bool {
        matches!(self, Self::Aster)
    }

    fn router(self) -> Router<Arc<Exchange>> {
        match self {
            Self::Alpaca => alpaca::router(),
            Self::Aster => aster::router(),
            Self::Oanda => oanda::router(),
            Self::Polygon => polygon::router(),
            Self::Yahoo => yahoo::router(),
        }
    }
}

/// The number of a symbol under a venue's name for it.
pub(crate) fn number(dialect: Dialect, symbol: &str) -> Option<usize> {
    dialect.symbols().iter().position(|name| *name == symbol)
}

/// A dialect that listens. Stops when it is dropped.
pub struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Listens on a free port of this machine.
    pub async fn start(dialect: Dialect, exchange: &Arc<Exchange>) -> std::io::Result<Self> {
        Self::start_at(dialect, exchange, 0).await
    }

    /// Listens on a port of this machine; 0 = a free one.
    pub async fn start_at(dialect: Dialect, exchange: &Arc<Exchange>, port: u16) -> std::io::Result<Self> {
        let spoil = middleware::from_fn_with_state(Arc::clone(exchange), spoil);
        Self::serve(dialect.router().layer(spoil), exchange, port).await
    }

    /// Brave's news about what Alpaca's symbols do.
    pub async fn news(exchange: &Arc<Exchange>) -> std::io::Result<Self> {
        Self::news_at(exchange, 0).await
    }

    /// The same on a port of this machine; 0 = a free one.
    pub async fn news_at(exchange: &Arc<Exchange>, port: u16) -> std::io::Result<Self> {
        let spoil = middleware::from_fn_with_state(Arc::clone(exchange), spoil);
        Self::serve(brave::router().layer(spoil), exchange, port).await
    }

    /// The port through which another program moves the clock, plans faults and takes the truth.
    pub async fn control(exchange: &Arc<Exchange>) -> std::io::Result<Self> {
        Self::serve(control::router(), exchange, 0).await
    }

    /// One such port for several exchanges, each below its name: `/alpaca/plan`.
    pub async fn control_of(exchanges: &[(&str, Arc<Exchange>)], port: u16) -> std::io::Result<Self> {
        let Some((_, first)) = exchanges.first() else {
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "there is no exchange to control"));
        };
        let each = |router: Router<Arc<Exchange>>, (name, exchange): &(&str, Arc<Exchange>)| {
            router.nest(&format!("/{name}"), control::router().with_state(Arc::clone(exchange)))
        };
        Self::serve(exchanges.iter().fold(Router::new(), each), first, port).await
    }

    async fn serve(router: Router<Arc<Exchange>>, exchange: &Arc<Exchange>, port: u16) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let clock = exchange.clock();
        let date = middleware::map_response(move |mut answer: Response| {
            // The exchange's time, not this machine's.
            let now = DateTimePrinter::new().timestamp_to_rfc9110_string(&clock.now().to_jiff());
            if let Some(now) = now.ok().and_then(|now| now.parse().ok()) {
                answer.headers_mut().insert(header::DATE, now);
            }
            std::future::ready(answer)
        });
        let router = router.layer(date).with_state(Arc::clone(exchange));
        let task = tokio::runtime::Handle::current().spawn(async move {
            // It ends with the process or with the handle.
            let _ended = axum::serve(listener, router).await;
        });
        Ok(Self { address, task })
    }

    pub fn rest_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn stream_url(&self) -> String {
        format!("ws://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers a request that is to be spoiled; streams have faults of their own.
async fn spoil(State(exchange): State<Arc<Exchange>>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if request.headers().contains_key("upgrade") || path.ends_with("/stream") {
        return next.run(request).await;
    }
    if exchange.is_held() {
        exchange.offended();
    }
    // Who asks for the time alone gets nothing that could be spoiled.
    let spoiled = if request.method() == Method::HEAD { exchange.count_request() } else { exchange.request() };
    match spoiled {
        Some(Fault::Throttle) => {
            exchange.hold(Duration::from_secs(1));
            (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "1")], "Too Many Requests").into_response()
        }
        Some(Fault::ServerError) => (StatusCode::INTERNAL_SERVER_ERROR, "<html>oops</html>").into_response(),
        Some(Fault::GarbageBody) => "<html>not what was asked for</html>".into_response(),
        Some(Fault::Busy) => (StatusCode::TOO_MANY_REQUESTS, "Too Many Requests").into_response(),
        Some(Fault::Unwelcome) => refuse_in_words(999, "Unable to process request at this time -- error 999."),
        Some(Fault::Down) => {
            Html("<html><title>Yahoo</title><body>Will be right back...</body></html>").into_response()
        }
        Some(Fault::CutBody) => {
            let answer = next.run(request).await;
            let whole = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap_or_default();
            Body::from(whole.slice(..whole.len() / 2)).into_response()
        }
        _ => next.run(request).await,
    }
}

/// An error as a page.
pub(crate) fn refuse_in_words(status: u16, words: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, Html(format!("<html><body>{words}</body></html>"))).into_response()
}

/// An error as JSON.
pub(crate) fn refuse(status: u16, body: serde_json::Value) -> Response {
    (StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), axum::Json(body)).into_response()
}
