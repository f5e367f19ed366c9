//! One WebSocket of any dialect, with what goes wrong on it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use futures_util::StreamExt;

use crate::exchange::{Exchange, Tick};
use crate::fault::Fault;

/// How long a stall lasts, in minutes of market time.
const STALL: i64 = 3;

/// A dialect's side of a conversation.
pub(crate) trait Voice: Send {
    /// What is said to whoever connects.
    fn greet(&mut self) -> Vec<String>;
    /// Takes a message and answers it; `None` closes the connection.
    fn hear(&mut self, text: &str) -> Option<Vec<String>>;
    /// The frames of something that happened; none where nobody subscribed it.
    fn tell(&self, tick: &Tick) -> Vec<String>;
    /// As [`Voice::tell`] for a minute's candle, with a wrong high: what a correction corrects.
    fn tell_wrong(&self, tick: &Tick) -> Vec<String>;
    /// What comes every second by itself.
    fn pulse(&self) -> Vec<String> {
        Vec::new()
    }
}

pub(crate) async fn run(mut socket: WebSocket, exchange: Arc<Exchange>, mut voice: impl Voice) {
    let mut ticks = exchange.listen();
    let mut stalled_until = i64::MIN;
    let mut held: Vec<(usize, Vec<String>)> = Vec::new();
    let mut pulse = tokio::time::interval(Duration::from_secs(1));
    if say(&mut socket, voice.greet()).await.is_err() {
        return;
    }
    loop {
        tokio::select! {
            biased;
            message = socket.next() => {
                let text = match message {
                    Some(Ok(Message::Text(text))) => text,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                    // Pings are answered below us.
                    Some(Ok(_)) => continue,
                };
                match voice.hear(&text) {
                    Some(answers) => if say(&mut socket, answers).await.is_err() { return },
                    None => return,
                }
            }
            tick = ticks.recv() => {
                // Too slow a listener is cut.
                let Ok(tick) = tick else { return };
                let Some(frames) = spoiled(&exchange, &voice, &tick, &mut stalled_until, &mut held) else {
                    return;
                };
                match frames {
                    Frames::Say(frames) => if say(&mut socket, frames).await.is_err() { return },
                    Frames::Garbage => if garbage(&mut socket).await.is_err() { return },
                    Frames::Silence => std::future::pending().await,
                }
            }
            _ = pulse.tick() => if say(&mut socket, voice.pulse()).await.is_err() { return },
        }
    }
}

enum Frames {
    Say(Vec<String>),
    Garbage,
    /// For ever.
    Silence,
}

/// What is said of a tick; `None` cuts the connection.
fn spoiled(
    exchange: &Exchange,
    voice: &impl Voice,
    tick: &Tick,
    stalled_until: &mut i64,
    held: &mut Vec<(usize, Vec<String>)>,
) -> Option<Frames> {
    let frames = voice.tell(tick);
    let Tick::Minute { symbol, minute } = *tick else {
        let time = match tick {
            Tick::Trade { print, .. } => print.time,
            Tick::Quote { time, .. } => *time,
            Tick::Minute { .. } => return Some(Frames::Say(Vec::new())),
        };
        let minute = time.as_nanos().div_euclid(crate::market::MINUTE);
        return Some(Frames::Say(match exchange.fault_at(minute) {
            _ if minute < *stalled_until => Vec::new(),
            Some(Fault::Duplicate) => [frames.clone(), frames].concat(),
            _ => frames,
        }));
    };
    let fault = exchange.fault_at(minute);
    if fault == Some(Fault::Stall) {
        *stalled_until = minute + STALL;
    }
    if minute < *stalled_until {
        return Some(Frames::Say(Vec::new()));
    }
    let mut frames = match fault {
        Some(Fault::Drop) => return None,
        Some(Fault::HalfOpen) => return Some(Frames::Silence),
        Some(Fault::Garbage) => return Some(Frames::Garbage),
        Some(Fault::Lose | Fault::Throttle | Fault::ServerError | Fault::GarbageBody | Fault::CutBody) => Vec::new(),
        Some(Fault::Duplicate) => [frames.clone(), frames].concat(),
        Some(Fault::Revise) => [voice.tell_wrong(tick), frames].concat(),
        Some(Fault::Reorder) => {
            held.push((symbol, frames));
            return Some(Frames::Say(Vec::new()));
        }
        Some(Fault::Stall) | None => frames,
    };
    for (_, late) in held.extract_if(.., |(of, _)| *of == symbol) {
        frames.extend(late);
    }
    Some(Frames::Say(frames))
}

async fn say(socket: &mut WebSocket, frames: Vec<String>) -> Result<(), axum::Error> {
    for frame in frames {
        socket.send(Message::Text(frame.into())).await?;
    }
    Ok(())
}

async fn garbage(socket: &mut WebSocket) -> Result<(), axum::Error> {
    for text in ["", "nonsense", "[{\"T\":\"b\",\"S\":", "{\"stream\":1}", "[[[[]]]]", "null"] {
        socket.send(Message::Text(text.into())).await?;
    }
    socket.send(Message::Binary(bytes::Bytes::from_static(&[0, 159, 146, 150, 255]))).await
}
