//! Calls over the network.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use futures_util::stream::StreamExt;
use futures_util::{FutureExt, TryStreamExt};
use reqwest::Client;

use super::client::{Call, Parts, Reply, Transport, TransportError};
use super::tls;

const CONNECT: Duration = Duration::from_secs(5);
/// Between two pieces of an answer.
const SILENCE: Duration = Duration::from_secs(15);
/// For a whole answer.
const ANSWER: Duration = Duration::from_secs(45);
/// The largest page any venue sends is about six million bytes.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// Of an error's body.
const MOST_ERROR_BYTES: usize = 64 * 1024;
const USER_AGENT: &str = concat!("candlewick/", env!("CARGO_PKG_VERSION"));

/// [`Transport`] by reqwest: HTTP/1.1 and 2, gzip, no redirects, a limit on everything.
#[derive(Debug, Clone)]
pub struct Network {
    client: Client,
    agent: Option<&'static str>,
}

impl Network {
    /// One connection pool for all venues: they are told apart by their hosts.
    pub fn shared() -> Self {
        static CLIENT: OnceLock<Client> = OnceLock::new();
        let client = CLIENT.get_or_init(|| {
            Client::builder()
                .tls_backend_preconfigured(tls::config(&[b"h2", b"http/1.1"]))
                .connect_timeout(CONNECT)
                .read_timeout(SILENCE)
                .pool_idle_timeout(Duration::from_mins(1))
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .expect("the client's settings are constants that fit together")
        });
        Self { client: client.clone(), agent: None }
    }

    /// Under another name, for venues that answer only to browsers.
    pub fn shared_as(agent: &'static str) -> Arc<dyn Transport> {
        Arc::new(Self { agent: Some(agent), ..Self::shared() })
    }

    async fn ask(&self, call: &Call) -> Result<reqwest::Response, TransportError> {
        let request = self
            .client
            .request(call.method.clone(), call.url.clone())
            .header(http::header::USER_AGENT, self.agent.unwrap_or(USER_AGENT))
            .headers(call.headers.clone())
            .body(call.body.clone());
        request.send().await.map_err(failed)
    }
}

/// The error without the address, whose query may carry a key, and with its causes, which say what happened.
fn failed(error: reqwest::Error) -> TransportError {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    TransportError::Failed(text)
}

async fn collect(response: &mut reqwest::Response, most: usize) -> Result<Bytes, TransportError> {
    let mut body = BytesMut::new();
    while let Some(part) = response.chunk().await.map_err(failed)? {
        if body.len() + part.len() > most {
            return Err(TransportError::TooLarge(most));
        }
        body.extend_from_slice(&part);
    }
    Ok(body.freeze())
}

impl Transport for Network {
    fn send<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<Reply, TransportError>> {
        let whole = async {
            let mut response = self.ask(call).await?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = collect(&mut response, MOST_BYTES).await?;
            Ok(Reply { status, headers, body })
        };
        async move {
            let late = |_| TransportError::Failed(format!("no whole answer in {} s", ANSWER.as_secs()));
            tokio::time::timeout(ANSWER, whole).await.map_err(late)?
        }
        .boxed()
    }

    fn open<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Result<(Reply, Parts), TransportError>> {
        async move {
            let late = |_| TransportError::Failed(format!("no answer in {} s", SILENCE.as_secs()));
            let mut response = tokio::time::timeout(SILENCE, self.ask(call)).await.map_err(late)??;
            let (status, headers) = (response.status(), response.headers().clone());
            let body =
                if status.is_success() { Bytes::new() } else { collect(&mut response, MOST_ERROR_BYTES).await? };
            let parts = response.bytes_stream().map_err(failed).boxed();
            Ok((Reply { status, headers, body }, parts))
        }
        .boxed()
    }
}
