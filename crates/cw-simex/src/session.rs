//! One WebSocket of any dialect, with what goes wrong on it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use cw_core::Timestamp;
use futures_util::StreamExt;
use serde_json::Value;

use crate::exchange::{Exchange, Tick};
use crate::fault::{Fault, Wrong};

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
    fn tell_wrong(&self, tick: &Tick, wrong: Wrong) -> Vec<String>;
    /// What comes every second by itself.
    fn pulse(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What messages are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Json,
    Msgpack,
}

pub(crate) async fn run(socket: WebSocket, exchange: Arc<Exchange>, mut voice: impl Voice, codec: Codec) {
    let mut socket = Line { socket, codec };
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
            message = socket.socket.next() => {
                let text = match message {
                    Some(Ok(Message::Text(text))) => text.to_string(),
                    Some(Ok(Message::Binary(bytes))) if codec == Codec::Msgpack => {
                        let Ok(message) = rmp_serde::from_slice::<Value>(&bytes) else { return };
                        message.to_string()
                    }
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
            Some(fault) => {
                let again = tick.spoiled(fault).map(|tick| voice.tell(&tick));
                [frames, again.unwrap_or_default()].concat()
            }
            None => frames,
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
        Some(Fault::Lose) => Vec::new(),
        Some(fault) if fault.requests() > 0 => Vec::new(),
        Some(Fault::Duplicate) => [frames.clone(), frames].concat(),
        Some(Fault::Revise) => [voice.tell_wrong(tick, Wrong::Cent), frames].concat(),
        Some(Fault::Mistell) => voice.tell_wrong(tick, Wrong::Cent),
        Some(Fault::Spike) => voice.tell_wrong(tick, Wrong::Hundredfold),
        Some(Fault::Ahead) => {
            [voice.tell(&Tick::Minute { symbol, minute: minute + crate::exchange::AHEAD }), frames].concat()
        }
        Some(Fault::Reorder) => {
            held.push((symbol, frames));
            return Some(Frames::Say(Vec::new()));
        }
        Some(_) | None => frames,
    };
    for (_, late) in held.extract_if(.., |(of, _)| *of == symbol) {
        frames.extend(late);
    }
    Some(Frames::Say(frames))
}

/// A WebSocket and how messages are written on it.
struct Line {
    socket: WebSocket,
    codec: Codec,
}

async fn say(line: &mut Line, frames: Vec<String>) -> Result<(), axum::Error> {
    for frame in frames {
        let message = match (line.codec, serde_json::from_str::<Value>(&frame)) {
            (Codec::Msgpack, Ok(value)) => {
                let mut packed = Vec::new();
                pack(&value, &mut packed).map_err(axum::Error::new)?;
                Message::Binary(packed.into())
            }
            _ => Message::Text(frame.into()),
        };
        line.socket.send(message).await?;
    }
    Ok(())
}

/// As Alpaca's servers write it: the field `t` is a timestamp of eight bytes, floats are floats of eight.
fn pack(value: &Value, out: &mut Vec<u8>) -> Result<(), rmp::encode::ValueWriteError> {
    match value {
        Value::Null => {
            out.push(rmp::Marker::Null.to_u8());
            Ok(())
        }
        Value::Bool(yes) => {
            out.push(if *yes { rmp::Marker::True } else { rmp::Marker::False }.to_u8());
            Ok(())
        }
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => rmp::encode::write_sint(out, whole).map(drop),
            (None, float) => rmp::encode::write_f64(out, float.unwrap_or_default()),
        },
        Value::String(text) => rmp::encode::write_str(out, text),
        Value::Array(all) => {
            rmp::encode::write_array_len(out, all.len() as u32)?;
            all.iter().try_for_each(|value| pack(value, out))
        }
        Value::Object(fields) => {
            rmp::encode::write_map_len(out, fields.len() as u32)?;
            for (name, value) in fields {
                rmp::encode::write_str(out, name)?;
                match value.as_str().filter(|_| name == "t").and_then(|text| text.parse::<Timestamp>().ok()) {
                    Some(time) => moment(time, out),
                    None => pack(value, out)?,
                }
            }
            Ok(())
        }
    }
}

/// Nanoseconds in thirty bits, seconds in thirty-four.
fn moment(time: Timestamp, out: &mut Vec<u8>) {
    let (seconds, nanos) = (time.as_secs(), time.as_nanos().rem_euclid(1_000_000_000));
    // The type of a timestamp is −1.
    out.extend([rmp::Marker::FixExt8.to_u8(), 0xff]);
    out.extend(((nanos as u64) << 34 | seconds as u64).to_be_bytes());
}

async fn garbage(line: &mut Line) -> Result<(), axum::Error> {
    for text in ["", "nonsense", "[{\"T\":\"b\",\"S\":", "{\"stream\":1}", "[[[[]]]]", "null"] {
        line.socket.send(Message::Text(text.into())).await?;
    }
    for bytes in [&[0, 159, 146, 150, 255][..], &[0x91, 0x82, 0xa1, b'T'], &[0xc1], &[0x91, 0xcb, 0x7f]] {
        line.socket.send(Message::Binary(bytes::Bytes::copy_from_slice(bytes))).await?;
    }
    Ok(())
}
