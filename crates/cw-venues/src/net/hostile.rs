//! What every parser must survive: a recorded sample, cut, with bytes changed, and with every value replaced by what a
//! broken venue might send.

use cw_core::{Candle, Clock, InstrumentId, ManualClock, MarketEventKind, Timestamp};
use cw_market::{EventSink, FeedEvent};
use serde_json::{Value, json};
use std::sync::Arc;

use super::link::{LinkError, Out};
use super::random::Random;
use super::venue::{Handles, Kind, Venue};
use crate::decode::Nowhere;

/// The time of everything that is heard.
pub const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

pub fn handles() -> Handles {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(NOW));
    Handles { clock, random: Random::seeded(1), transport: Arc::new(Nowhere) }
}

fn replacements() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!([]),
        json!({}),
        json!(0),
        json!(-1),
        json!(1e300),
        json!(-1e-300),
        json!(i64::MIN),
        json!(u64::MAX),
        json!("NaN"),
        json!("-Infinity"),
        json!(""),
        json!("\u{0}\u{202e}é"),
        json!("9".repeat(400)),
        json!("2024-13-45T99:99:99Z"),
        json!([[[[]]]]),
    ]
}

/// Every document that differs from this one in one value.
fn variants(value: &Value) -> Vec<Value> {
    let mut all = replacements();
    match value {
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                for variant in variants(item) {
                    let mut items = items.clone();
                    items[place] = variant;
                    all.push(Value::Array(items));
                }
            }
            all.push(Value::Array(items.iter().rev().cloned().collect()));
            all.push(Value::Array(items.iter().chain(items).cloned().collect()));
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                for variant in variants(field) {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), variant);
                    all.push(Value::Object(fields));
                }
                let mut fewer = fields.clone();
                fewer.remove(name);
                all.push(Value::Object(fewer));
            }
            let mut more = fields.clone();
            more.insert("a field of next year".to_owned(), json!({"x": [1]}));
            all.push(Value::Object(more));
        }
        // A number as text, text as it may be a number.
        Value::Number(number) => all.push(json!(number.to_string())),
        Value::String(text) => all.extend(text.parse::<f64>().ok().map(|number| json!(number))),
        Value::Null | Value::Bool(_) => {}
    }
    all
}

/// The bytes with some of them changed, cut out or doubled: the same ones at every call.
pub fn mutations(bytes: &[u8], count: usize) -> impl Iterator<Item = Vec<u8>> {
    let random = Random::seeded(7);
    (0..count).map(move |_| {
        let mut changed = bytes.to_vec();
        for _ in 0..=random.bits() % 4 {
            if changed.is_empty() {
                break;
            }
            let place = random.bits() as usize % changed.len();
            match random.bits() % 8 {
                0 => drop(changed.remove(place)),
                1 => changed.insert(place, random.bits() as u8),
                _ => changed[place] = random.bits() as u8,
            }
        }
        changed
    })
}

/// Feeds a parser every variant of a sample.
pub fn torture(sample: &str, mut parse: impl FnMut(&[u8])) {
    let bytes = sample.as_bytes();
    for end in 0..=bytes.len() {
        parse(&bytes[..end]);
    }
    mutations(bytes, 5_000).for_each(|changed| parse(&changed));
    for variant in variants(&serde_json::from_str(sample).unwrap()) {
        parse(variant.to_string().as_bytes());
    }
}

/// Nothing that came out of a parser may be nonsense.
pub fn sound(candles: &[Candle]) {
    for candle in candles {
        candle.validate().unwrap();
        assert!(candle.open_time >= Timestamp::EPOCH);
    }
}

/// What a stream makes of one message after having been let in.
pub fn heard<K: Kind>(venue: &Venue<K>, id: &str, frames: &[&str]) -> (Out, Vec<Result<(), LinkError>>) {
    let ids: [InstrumentId; 1] = [id.parse().unwrap()];
    let connections = venue.kind.connections(&venue.site, &ids).unwrap();
    let mut dialect = (connections[0].dialect)();
    let mut out = Out::default();
    dialect.greet(&mut out);
    let results = frames.iter().map(|frame| dialect.on_data(frame.as_bytes(), NOW, &mut out)).collect();
    (out, results)
}

/// Tortures a stream's parser with one message.
pub fn torture_stream<K: Kind>(venue: &Venue<K>, id: &str, frame: &str) {
    let ids: [InstrumentId; 1] = [id.parse().unwrap()];
    let connections = venue.kind.connections(&venue.site, &ids).unwrap();
    torture(frame, |bytes| {
        let mut dialect = (connections[0].dialect)();
        let mut out = Out::default();
        // It may end the connection; it may not make nonsense of it.
        let _ended = dialect.on_data(bytes, NOW, &mut out);
        for event in out.events {
            match event {
                FeedEvent::Market(event) => match event.kind {
                    MarketEventKind::Trade(trade) => assert!(trade.price.is_positive() && trade.qty.is_positive()),
                    MarketEventKind::Quote(quote) => assert!(quote.bid.is_positive() && !quote.is_crossed()),
                },
                FeedEvent::Candle { timeframe, candle, .. } => {
                    sound(&[candle]);
                    assert_eq!(timeframe.open_time(candle.open_time), candle.open_time);
                }
                FeedEvent::Mark { price, .. } => assert!(price.is_positive()),
                _ => {}
            }
        }
    });
}

/// Whether a stream without a network ends with its listener.
pub async fn ends_quietly<K: Kind>(venue: &Venue<K>, id: &str) {
    let (sink, events): (EventSink, _) = tokio::sync::mpsc::channel(1);
    drop(events);
    cw_market::Provider::stream(venue, &[id.parse().unwrap()], sink).await.unwrap();
}
