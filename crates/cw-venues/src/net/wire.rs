//! Connections that bring one message after another: WebSockets, and answers of one line per message that do not end.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream};
use url::Url;

use super::client::Parts;
use super::link::LinkError;
use super::packed::{pack, unpack};
use super::tls;

const CONNECT: Duration = Duration::from_secs(10);
/// No venue sends larger messages.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    Data(Bytes),
    /// The other end is there; nothing more.
    Pulse,
}

/// A connection.
pub trait Wire: Send {
    /// The next message; an error when there will be none.
    fn next(&mut self) -> BoxFuture<'_, Result<Frame, LinkError>>;
    fn send(&mut self, text: String) -> BoxFuture<'_, Result<(), LinkError>>;
    /// Asks the other end for a [`Frame::Pulse`], where that is possible.
    fn ping(&mut self) -> BoxFuture<'_, Result<(), LinkError>>;
}

/// A WebSocket.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Messages are MessagePack, on both ways; what is handed out and taken is JSON all the same.
    packed: bool,
}

impl Socket {
    pub async fn open(url: &Url, headers: &[(&'static str, &str)]) -> Result<Self, LinkError> {
        static TLS: OnceLock<Arc<rustls::ClientConfig>> = OnceLock::new();
        let tls = Arc::clone(TLS.get_or_init(|| Arc::new(tls::config(&[]))));
        let mut request = url.as_str().into_client_request().map_err(|error| LinkError::Refused(error.to_string()))?;
        for (name, value) in headers {
            let value = value.parse().map_err(|_| LinkError::Refused(format!("{name} cannot be sent in a header")))?;
            request.headers_mut().insert(*name, value);
        }
        let config = WebSocketConfig::default().max_message_size(Some(MOST_BYTES)).max_frame_size(Some(MOST_BYTES));
        let connect =
            tokio_tungstenite::connect_async_tls_with_config(request, Some(config), true, Some(Connector::Rustls(tls)));
        match tokio::time::timeout(CONNECT, connect).await {
            Ok(Ok((stream, _))) => Ok(Self { stream, packed: false }),
            Ok(Err(Error::Http(answer))) if matches!(answer.status().as_u16(), 401 | 403) => {
                Err(LinkError::Refused(format!("the venue answered {}", answer.status())))
            }
            Ok(Err(error)) => Err(LinkError::Lost(error.to_string())),
            Err(_) => Err(LinkError::Lost(format!("no connection in {} s", CONNECT.as_secs()))),
        }
    }
}

impl Socket {
    /// The same, with messages in MessagePack.
    #[must_use]
    pub fn packed(self) -> Self {
        Self { packed: true, ..self }
    }
}

fn lost(error: Error) -> LinkError {
    LinkError::Lost(error.to_string())
}

impl Wire for Socket {
    fn next(&mut self) -> BoxFuture<'_, Result<Frame, LinkError>> {
        async {
            loop {
                return match self.stream.next().await {
                    None => Err(LinkError::Lost("the venue closed the connection".to_owned())),
                    Some(Err(error)) => Err(lost(error)),
                    Some(Ok(Message::Text(text))) => Ok(Frame::Data(Bytes::from(text))),
                    // Some venues send JSON in binary frames.
                    // What cannot be unpacked is passed on as it is: who reads it counts it as what it is.
                    Some(Ok(Message::Binary(bytes))) if self.packed => {
                        Ok(Frame::Data(unpack(&bytes).map_or(bytes, Bytes::from)))
                    }
                    Some(Ok(Message::Binary(bytes))) => Ok(Frame::Data(bytes)),
                    Some(Ok(Message::Ping(_))) => {
                        // The answer was queued when the ping was read; this sends it.
                        self.stream.flush().await.map_err(lost)?;
                        Ok(Frame::Pulse)
                    }
                    Some(Ok(Message::Pong(_))) => Ok(Frame::Pulse),
                    Some(Ok(Message::Close(why))) => {
                        let why = why.map(|why| format!(": {} {}", why.code, why.reason)).unwrap_or_default();
                        Err(LinkError::Lost(format!("the venue closed the connection{why}")))
                    }
                    Some(Ok(Message::Frame(_))) => continue,
                };
            }
        }
        .boxed()
    }

    fn send(&mut self, text: String) -> BoxFuture<'_, Result<(), LinkError>> {
        async move {
            let packed = if self.packed { pack(&text).ok() } else { None };
            let message = packed.map_or_else(|| Message::Text(text.into()), |bytes| Message::Binary(bytes.into()));
            self.stream.send(message).await.map_err(lost)
        }
        .boxed()
    }

    fn ping(&mut self) -> BoxFuture<'_, Result<(), LinkError>> {
        async move { self.stream.send(Message::Ping(Bytes::new())).await.map_err(lost) }.boxed()
    }
}

/// A body of one message per line.
pub struct Lines {
    parts: Parts,
    buffer: BytesMut,
}

impl Lines {
    pub fn new(parts: Parts) -> Self {
        Self { parts, buffer: BytesMut::new() }
    }

    fn line(&mut self) -> Option<Bytes> {
        loop {
            let end = self.buffer.iter().position(|byte| *byte == b'\n')?;
            let mut line = self.buffer.split_to(end).freeze();
            self.buffer.advance(1);
            while line.last().is_some_and(u8::is_ascii_whitespace) {
                line.truncate(line.len() - 1);
            }
            if !line.is_empty() {
                return Some(line);
            }
        }
    }
}

impl Wire for Lines {
    fn next(&mut self) -> BoxFuture<'_, Result<Frame, LinkError>> {
        async {
            loop {
                if let Some(line) = self.line() {
                    return Ok(Frame::Data(line));
                }
                if self.buffer.len() > MOST_BYTES {
                    return Err(LinkError::Lost(format!("a line of more than {MOST_BYTES} bytes")));
                }
                match self.parts.next().await {
                    Some(Ok(part)) => self.buffer.extend_from_slice(&part),
                    Some(Err(error)) => return Err(LinkError::Lost(error.to_string())),
                    None => return Err(LinkError::Lost("the venue ended the stream".to_owned())),
                }
            }
        }
        .boxed()
    }

    fn send(&mut self, _: String) -> BoxFuture<'_, Result<(), LinkError>> {
        async { Ok(()) }.boxed()
    }

    fn ping(&mut self) -> BoxFuture<'_, Result<(), LinkError>> {
        async { Ok(()) }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    async fn lines(parts: &[&str]) -> Vec<String> {
        let parts: Vec<_> = parts.iter().map(|part| Ok(Bytes::from((*part).to_owned()))).collect();
        let mut lines = Lines::new(stream::iter(parts).boxed());
        let mut all = Vec::new();
        while let Ok(Frame::Data(line)) = lines.next().await {
            all.push(String::from_utf8(line.to_vec()).unwrap());
        }
        all
    }

    #[tokio::test]
    async fn lines_are_put_together_from_any_pieces() {
        let whole = "{\"a\":1}\n\n  \r\n{\"b\":2}\r\n{\"c\":3}\nrest";
        let expected = ["{\"a\":1}", "{\"b\":2}", "{\"c\":3}"];
        assert_eq!(lines(&[whole]).await, expected);
        for cut in 1..whole.len() {
            let (head, tail) = whole.split_at(cut);
            assert_eq!(lines(&[head, tail]).await, expected, "cut at {cut}");
        }
    }
}
