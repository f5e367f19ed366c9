//! Every decoder of every venue in one table, to be run on payloads that lie in files: recorded ones, and the kept corpus of
//! hostile ones. Nothing here is used while the program runs.

use std::collections::BTreeSet;
use std::sync::Arc;

use cw_core::{Clock, InstrumentId, ManualClock, Timestamp};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::net::{Call, Handles, Health, Kind, Out, Parts, Random, Reply, Transport, TransportError, Venue, unpack};
use crate::{alpaca, aster, brave, oanda, polygon, yahoo};

/// The time of everything that is decoded: 2030, so that nothing recorded is of the future.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_893_456_000);

/// One kind of payload.
#[derive(Clone, Copy)]
pub struct Decoder {
    pub venue: &'static str,
    pub what: &'static str,
    /// How many values came out, and what was put aside.
    read: fn(&[u8]) -> Decoded,
}

/// What became of a payload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decoded {
    /// Candles, events, items, instruments.
    pub taken: usize,
    /// Rows and frames that were not taken.
    pub quarantined: u64,
    /// Why nothing of it could be read.
    pub error: Option<String>,
}

impl Decoder {
    pub const fn new(venue: &'static str, what: &'static str, read: fn(&[u8]) -> Decoded) -> Self {
        Self { venue, what, read }
    }
    pub fn read(&self, payload: &[u8]) -> Decoded {
        (self.read)(payload)
    }
}

/// All of them.
pub fn decoders() -> Vec<Decoder> {
    [alpaca::DECODERS, aster::DECODERS, brave::DECODERS, oanda::DECODERS, polygon::DECODERS, yahoo::DECODERS].concat()
}

/// Reads an answer.
pub(crate) fn answer<T>(read: impl FnOnce(&Health) -> Result<Vec<T>, serde_json::Error>) -> Decoded {
    let health = Health::new(clock());
    match read(&health) {
        Ok(values) => Decoded { taken: values.len(), quarantined: health.quarantine_count(), error: None },
        Err(error) => Decoded { error: Some(error.to_string()), ..Decoded::default() },
    }
}

/// Reads a message of a stream that is subscribed for everything the message is about. `id` makes an instrument of a
/// symbol as the stream writes it.
pub(crate) fn message<K: Kind>(venue: &Venue<K>, payload: &[u8], id: impl Fn(&str) -> String) -> Decoded {
    let unpacked = unpack(payload);
    let payload = unpacked.as_deref().unwrap_or(payload);
    let mut symbols = BTreeSet::new();
    if let Ok(value) = serde_json::from_slice::<Value>(payload) {
        collect(&value, 0, &mut symbols);
    }
    let ids: Vec<InstrumentId> = symbols.iter().filter_map(|symbol| id(symbol).parse().ok()).take(50).collect();
    let connections = venue.kind.connections(&venue.site, &ids).unwrap_or_default();
    let mut best = Decoded { error: Some("a message about nothing".to_owned()), ..Decoded::default() };
    for connection in connections {
        let before = venue.site.health.quarantine_count();
        let mut out = Out::default();
        let heard = (connection.dialect)().on_data(payload, NOW, &mut out);
        let taken = out.events.len() + out.replies.len() + usize::from(out.ready) + out.heard.len();
        let quarantined = venue.site.health.quarantine_count() - before;
        let error = heard.err().map(|error| error.to_string());
        if best.error.is_some() || taken > best.taken {
            best = Decoded { taken, quarantined, error };
        }
    }
    best
}

/// Every text that may be a symbol.
fn collect(value: &Value, depth: u32, symbols: &mut BTreeSet<String>) {
    match value {
        Value::Array(all) if depth < 8 => all.iter().for_each(|value| collect(value, depth + 1, symbols)),
        Value::Object(fields) if depth < 8 => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(text) if ["S", "s", "sym", "pair", "p", "instrument", "T"].contains(&name.as_str()) => {
                        symbols.extend((!text.is_empty() && text.len() < 30).then(|| text.to_owned()));
                    }
                    _ => collect(value, depth + 1, symbols),
                }
            }
        }
        _ => {}
    }
}

/// A venue that cannot be made.
pub(crate) fn unusable(error: crate::catalog::SetupError) -> Decoded {
    Decoded { error: Some(error.to_string()), ..Decoded::default() }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(ManualClock::new(NOW))
}

/// What a venue is made with where nothing is sent.
pub(crate) fn handles() -> Handles {
    Handles { clock: clock(), random: Random::seeded(1), transport: Arc::new(Nowhere) }
}

/// A network that is not there: decoders need none.
pub(crate) struct Nowhere;

impl Transport for Nowhere {
    fn send<'a>(&'a self, _: &'a Call) -> BoxFuture<'a, Result<Reply, TransportError>> {
        async { Err(TransportError::Failed("there is no network here".to_owned())) }.boxed()
    }
    fn open<'a>(&'a self, _: &'a Call) -> BoxFuture<'a, Result<(Reply, Parts), TransportError>> {
        async { Err(TransportError::Failed("there is no network here".to_owned())) }.boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::net::hostile::mutations;

    fn files(folder: &Path) -> Vec<PathBuf> {
        let mut all: Vec<PathBuf> = std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flat_map(|entry| {
                let path = entry.unwrap().path();
                if path.is_dir() { files(&path) } else { vec![path] }
            })
            .collect();
        all.sort();
        all
    }

    fn testdata(kind: &str) -> Vec<PathBuf> {
        let all = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
        let inside = |path: &PathBuf| path.parent().is_some_and(|folder| folder.ends_with(kind));
        all.into_iter().filter(inside).collect()
    }

    /// Whatever lies in the corpus: each decoder of each venue reads it, and small changes of it, or says why not.
    #[test]
    fn the_kept_corpus_does_no_harm() {
        let corpus = testdata("testdata/corpus");
        assert!(corpus.len() >= 30, "{} files", corpus.len());
        for path in corpus {
            let payload = std::fs::read(&path).unwrap();
            for decoder in decoders() {
                decoder.read(&payload);
                for changed in mutations(&payload, 40) {
                    decoder.read(&changed);
                }
            }
        }
    }

    /// What is recorded is read by the decoders of its venue.
    #[test]
    fn every_sample_is_taken_by_a_decoder() {
        let samples = testdata("testdata");
        assert!(samples.len() >= 17, "{} files", samples.len());
        for path in samples {
            let payload = std::fs::read(&path).unwrap();
            let venue = path.ancestors().nth(2).and_then(Path::file_name).unwrap().to_string_lossy().into_owned();
            let read = |decoder: &Decoder| decoder.read(&payload);
            let all: Vec<Decoded> = decoders().iter().filter(|d| d.venue == venue).map(read).collect();
            let empty = path.ends_with("empty.json");
            assert!(empty || all.iter().any(|decoded| decoded.taken > 0), "{}: {all:?}", path.display());
        }
    }

    /// Nonsense is counted, row by row, and what stands beside it is taken.
    #[test]
    fn nonsense_is_quarantined_with_a_count() {
        let check = |venue: &str, what: &str, payload: &str, taken: usize, quarantined: u64| {
            let decoder = decoders().into_iter().find(|d| d.venue == venue && d.what == what).unwrap();
            let expected = Decoded { taken, quarantined, error: None };
            assert_eq!(decoder.read(payload.as_bytes()), expected, "{venue} {what}");
        };
        let good = r#"[1638747600000,"1","2","0.5","1.5","10",1638747659999,"1",3,"1","1","0"]"#;
        let bad = r#"[1638747660000,"NaN","2","0.5","1.5","10",1]"#;
        check("aster", "klines", &format!("[{good},{bad},{good},7]"), 2, 2);
        let article = r#"{"title":"A","url":"https://x.example/1"}"#;
        check("brave", "news", &format!(r#"{{"results":[{article},{{"title":7}},{{}}],"new":1}}"#), 1, 2);
        check("oanda", "candles", r#"{"candles":[{"time":"x","complete":true},{"complete":true},5]}"#, 0, 3);
    }
}
