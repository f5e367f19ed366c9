//! Whether an exported file is what its manifest says, and whether its texts say what its numbers are.

mod table;
mod text;

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use cw_analysis::features::{self, Scaler, ScalerError};
use cw_analysis::rag::candle_id;
use cw_api::ApiError;
use cw_api::commands::training::{ExportValidity, ValidateExport};
use cw_core::{InstrumentId, Timeframe, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::live::manifest_path;
use super::{Analysis, apart};
use crate::shared::unreadable;

/// Problems that are named; the others are counted.
const NAMED: usize = 20;
/// A longer line is no line of ours.
const LONGEST_LINE: u64 = 1 << 20;

impl Analysis {
    pub(super) async fn validate(&self, request: ValidateExport) -> Result<ExportValidity, ApiError> {
        apart(move || {
            let broken = |error: &std::io::Error| unreadable("file", &request.file, error);
            let path = Path::new(&request.file);
            let file = std::fs::File::open(path).map_err(|error| broken(&error))?;
            let beside = match std::fs::read_to_string(manifest_path(path)) {
                Ok(text) => Some(serde_json::from_str::<Value>(&text).map_err(|error| {
                    ApiError::invalid("file", format!("{}: {error}", manifest_path(path).display()))
                })?),
                Err(_) => None,
            };
            let mut reader = BufReader::new(file);
            if reader.fill_buf().map_err(|error| broken(&error))?.starts_with(table::MAGIC) {
                return table::check(reader).map_err(|error| broken(&error));
            }
            let mut check = Check::new(beside);
            let mut line = Vec::new();
            for number in 1.. {
                line.clear();
                let mut limited = std::io::Read::take(&mut reader, LONGEST_LINE);
                if limited.read_until(b'\n', &mut line).map_err(|error| broken(&error))? == 0 {
                    break;
                }
                check.line(number, &line);
            }
            Ok(check.end())
        })
        .await
    }
}

/// What a line has to be.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Features,
    Rag,
    Points,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Features => "features",
            Self::Rag => "rag",
            Self::Points => "points",
        }
    }
}

/// The first line of a file that has its manifest inside.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head<'a> {
    #[serde(borrow)]
    manifest: &'a RawValue,
    manifest_hash: Option<&'a str>,
}

struct Check {
    manifest: Option<Value>,
    /// The manifest's, where it is whole.
    scaler: Option<Scaler>,
    kind: Option<Kind>,
    hasher: blake3::Hasher,
    rows: u64,
    ids: HashSet<[u8; 16]>,
    replaced: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    previous: Option<Timestamp>,
    schema: Option<String>,
    problem_count: u64,
    problems: Vec<String>,
}

impl Check {
    fn new(manifest: Option<Value>) -> Self {
        let mut check = Self {
            manifest: None,
            scaler: None,
            kind: None,
            hasher: blake3::Hasher::new(),
            rows: 0,
            ids: HashSet::new(),
            replaced: 0,
            first: None,
            last: None,
            previous: None,
            schema: None,
            problem_count: 0,
            problems: Vec::new(),
        };
        if let Some(manifest) = manifest {
            check.take_manifest(manifest);
        }
        check
    }

    fn problem(&mut self, text: impl Into<String>) {
        self.problem_count += 1;
        if self.problems.len() < NAMED {
            self.problems.push(text.into());
        }
    }

    fn take_manifest(&mut self, manifest: Value) {
        self.kind = match manifest["kind"].as_str() {
            Some("features") => Some(Kind::Features),
            Some("rag") => Some(Kind::Rag),
            Some("points") => Some(Kind::Points),
            _ => None,
        };
        if self.kind.is_none() {
            self.problem("the manifest's `kind` is not features, rag or points");
        }
        self.schema = manifest["schema_hash"].as_str().map(str::to_owned);
        match serde_json::from_value::<Scaler>(manifest["scaler"].clone()) {
            Ok(scaler) => match scaler.check() {
                Ok(()) => self.scaler = Some(scaler),
                // Of an earlier program: nothing is wrong with it, see `current_schema`.
                Err(ScalerError::Schema { .. }) => {}
                Err(error) => self.problem(format!("the manifest's scaler: {error}")),
            },
            Err(error) => self.problem(format!("the manifest's scaler: {error}")),
        }
        self.manifest = Some(manifest);
    }

    /// The manifest's text as it stands in the file, with the hash beside it.
    fn seal(&mut self, manifest: &str, hash: &str) {
        if hash != super::export::hash(manifest) {
            self.problem("the manifest is not the one that was written: its hash is another");
        }
    }

    fn line(&mut self, number: u64, bytes: &[u8]) {
        if number == 1
            && self.manifest.is_none()
            && let Ok(head) = serde_json::from_slice::<Head>(bytes)
        {
            // Earlier programs wrote none.
            if let Some(hash) = head.manifest_hash {
                self.seal(head.manifest.get(), hash);
            }
            match serde_json::from_str(head.manifest.get()) {
                Ok(manifest) => self.take_manifest(manifest),
                Err(error) => self.problem(format!("the manifest: {error}")),
            }
            return;
        }
        let parsed = serde_json::from_slice::<Value>(bytes);
        self.hasher.update(bytes);
        self.rows += 1;
        if bytes.last() != Some(&b'\n') {
            self.problem(format!("line {number}: it has no end; the file is cut off"));
        }
        match parsed {
            Ok(value) => {
                if let Err(problem) = self.row(&value) {
                    self.problem(format!("line {number}: {problem}"));
                }
            }
            Err(error) => self.problem(format!("line {number}: {error}")),
        }
    }

    fn row(&mut self, row: &Value) -> Result<(), String> {
        let kind = *self.kind.get_or_insert(if row.get("payload").is_some() {
            Kind::Points
        } else if row.get("features").is_some() {
            Kind::Features
        } else {
            Kind::Rag
        });
        let payload = if kind == Kind::Points { &row["payload"] } else { row };
        let time: Timestamp =
            payload["open_time"].as_str().and_then(|text| text.parse().ok()).ok_or("no `open_time` that is a time")?;
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = self.last.max(Some(time));
        let previous = self.previous.replace(time);
        let vector = match kind {
            Kind::Features => &row["features"],
            Kind::Rag => &row["embedding_vector"],
            Kind::Points => &row["vector"],
        };
        self.vector(vector, kind)?;
        if kind == Kind::Features {
            return if previous >= Some(time) { Err(format!("{time} is not after the line before")) } else { Ok(()) };
        }
        let replaces = self.identity(row, payload, time)?;
        // A corrected candle comes again, and what follows it.
        if !replaces && previous >= Some(time) {
            return Err(format!("{time} is not after the line before"));
        }
        self.texts(payload)?;
        if self.schema.as_deref() == Some(features::schema_hash()) {
            text::agrees(payload, vector, self.scaler.as_ref())?;
        }
        Ok(())
    }

    fn vector(&self, vector: &Value, kind: Kind) -> Result<(), String> {
        let values = vector.as_array().ok_or("there is no vector")?;
        let wanted = self.manifest.as_ref().and_then(|manifest| manifest["embedding"]["dimensions"].as_u64());
        let wanted = wanted.map_or(features::N, |wanted| wanted as usize);
        if values.len() != wanted {
            return Err(format!("the vector has {} values, not {wanted}", values.len()));
        }
        let fits =
            |value: &Value| value.as_f64().is_some_and(|value| kind == Kind::Features || (0.0..=1.0).contains(&value));
        match values.iter().position(|value| !fits(value)) {
            Some(place) => Err(format!("value {place} of the vector is {}", values[place])),
            None => Ok(()),
        }
    }

    /// Whether the id is that of the candle, and whether it came before.
    fn identity(&mut self, row: &Value, payload: &Value, time: Timestamp) -> Result<bool, String> {
        let text = |key: &str| payload[key].as_str().ok_or_else(|| format!("there is no `{key}`"));
        let instrument: InstrumentId = text("instrument")?.parse().map_err(|_| "`instrument` is none")?;
        let timeframe: Timeframe = text("timeframe")?.parse().map_err(|_| "`timeframe` is none")?;
        if let Some(manifest) = &self.manifest
            && (manifest["instrument"] != payload["instrument"] || manifest["timeframe"] != payload["timeframe"])
        {
            return Err("instrument or timeframe is not the manifest's".to_owned());
        }
        let id = candle_id(&instrument, timeframe, time);
        if row["id"] != id.as_str() {
            return Err(format!("the id of this candle is {id}"));
        }
        let mut short = [0; 16];
        short.copy_from_slice(&blake3::hash(id.as_bytes()).as_bytes()[..16]);
        let replaces = !self.ids.insert(short);
        self.replaced += u64::from(replaces);
        Ok(replaces)
    }

    fn texts(&mut self, payload: &Value) -> Result<(), String> {
        for key in ["description", "technical_summary", "embedding_model", "scaler_hash", "schema_hash"] {
            if payload[key].as_str().is_none_or(str::is_empty) {
                return Err(format!("there is no `{key}`"));
            }
        }
        let schema = self.schema.get_or_insert_with(|| payload["schema_hash"].as_str().unwrap_or_default().to_owned());
        if payload["schema_hash"] != schema.as_str() {
            return Err("`schema_hash` is another than before".to_owned());
        }
        if let Some(manifest) = &self.manifest
            && manifest["scaler"]["hash"] != payload["scaler_hash"]
        {
            return Err("`scaler_hash` is not the manifest's".to_owned());
        }
        Ok(())
    }

    fn end(self) -> ExportValidity {
        let hash = self.hasher.finalize().to_hex().to_string();
        self.end_with(&hash)
    }

    /// `hash` is that of the content.
    fn end_with(mut self, hash: &str) -> ExportValidity {
        if let Some(manifest) = self.manifest.clone() {
            let said = |key: &str| manifest[key].as_str().unwrap_or("nothing").to_owned();
            if manifest["content_hash"] != hash {
                self.problem(format!("the rows hash to {hash}, the manifest says {}", said("content_hash")));
            }
            if manifest["rows"] != self.rows {
                self.problem(format!("{} rows, the manifest says {}", self.rows, manifest["rows"]));
            }
            for (key, found) in [("first", self.first), ("last", self.last)] {
                let found = found.map(|time| time.to_string());
                if manifest[key].as_str() != found.as_deref() {
                    let found = found.unwrap_or_else(|| "nothing".to_owned());
                    self.problem(format!("`{key}` is {found}, the manifest says {}", said(key)));
                }
            }
        }
        if self.rows == 0 && self.manifest.is_none() {
            self.problem("the file is empty");
        }
        ExportValidity {
            ok: self.problem_count == 0,
            kind: self.kind.map_or("unknown", Kind::name).to_owned(),
            manifest: self.manifest.is_some(),
            rows: self.rows,
            replaced: self.replaced,
            first: self.first,
            last: self.last,
            current_schema: self.schema.as_deref() == Some(features::schema_hash()),
            problem_count: self.problem_count,
            problems: self.problems,
        }
    }
}
