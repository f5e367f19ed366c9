//! The file of a live export: lines that are only ever appended, and a manifest beside it that is replaced with each.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use cw_core::Timestamp;
use serde_json::{Value, json};

/// Where the manifest of a file is that does not begin with it.
pub(in crate::services::analysis) fn manifest_path(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".manifest.json");
    PathBuf::from(name)
}

pub(super) struct LiveFile {
    path: PathBuf,
    file: std::fs::File,
    /// Bytes of whole lines.
    whole: u64,
    hasher: blake3::Hasher,
    /// What does not change while the file grows.
    manifest: Value,
    pub(super) rows: u64,
    pub(super) first: Option<Timestamp>,
    pub(super) last: Option<Timestamp>,
}

/// The open time in a line, which a Qdrant point has in its payload.
pub(super) fn open_time(line: &Value) -> Option<Timestamp> {
    line.get("open_time").or_else(|| line.get("payload")?.get("open_time"))?.as_str()?.parse().ok()
}

impl LiveFile {
    /// The manifest of a file that an earlier run left, if there is one.
    pub(super) fn manifest_of(path: &Path) -> Option<Value> {
        let text = std::fs::read_to_string(manifest_path(path)).ok()?;
        path.exists().then(|| serde_json::from_str(&text).ok()).flatten()
    }

    /// Opens a file to go on behind its last whole line; `manifest` says what its lines are.
    pub(super) fn open(path: PathBuf, manifest: Value) -> std::io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = std::fs::OpenOptions::new().create(true).truncate(false).read(true).append(true).open(&path)?;
        let mut live =
            Self { path, file, whole: 0, hasher: blake3::Hasher::new(), manifest, rows: 0, first: None, last: None };
        let mut reader = BufReader::new(live.file.try_clone()?);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line)?;
            // A line without its end was being written when the program was killed.
            if read == 0 || line.last() != Some(&b'\n') {
                break;
            }
            live.whole += read as u64;
            live.hasher.update(&line);
            live.rows += 1;
            let time = serde_json::from_slice::<Value>(&line).ok().as_ref().and_then(open_time);
            live.first = live.first.or(time);
            live.last = live.last.max(time);
        }
        live.file.set_len(live.whole)?;
        Ok(live)
    }

    /// Appends whole lines. On return they are on disk, and the manifest tells of them.
    pub(super) fn append(&mut self, lines: &str, rows: u64, range: [Timestamp; 2]) -> std::io::Result<()> {
        if let Err(error) = self.file.write_all(lines.as_bytes()).and_then(|()| self.file.sync_data()) {
            // What is half there would stand before what is written next.
            self.file.set_len(self.whole)?;
            return Err(error);
        }
        self.whole += lines.len() as u64;
        self.hasher.update(lines.as_bytes());
        self.rows += rows;
        self.first = self.first.or(Some(range[0]));
        self.last = self.last.max(Some(range[1]));
        self.write_manifest()
    }

    /// Replaces the manifest, so that a reader finds the old or the new one and never half of it.
    pub(super) fn write_manifest(&mut self) -> std::io::Result<()> {
        for (key, value) in [
            ("rows", json!(self.rows)),
            ("first", json!(self.first)),
            ("last", json!(self.last)),
            ("content_hash", json!(self.hasher.finalize().to_hex().as_str())),
        ] {
            self.manifest[key] = value;
        }
        let path = manifest_path(&self.path);
        let new = path.with_extension("json.new");
        let mut file = std::fs::File::create(&new)?;
        file.write_all(format!("{:#}\n", self.manifest).as_bytes())?;
        file.sync_data()?;
        std::fs::rename(new, path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(hour: i64) -> String {
        format!("{{\"open_time\":\"{}\"}}\n", Timestamp::from_secs(hour * 3_600))
    }

    #[test]
    fn a_file_goes_on_behind_its_last_whole_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rag/x.jsonl");
        let hours = |from: i64, to: i64| [Timestamp::from_secs(from * 3_600), Timestamp::from_secs(to * 3_600)];
        let mut file = LiveFile::open(path.clone(), json!({"kind": "rag"})).unwrap();
        file.append(&(line(1) + &line(2)), 2, hours(1, 2)).unwrap();
        // A kill in the middle of a line, before the manifest was replaced.
        std::fs::write(&path, line(1) + &line(2) + &line(3) + "{\"open_ti").unwrap();
        let manifest = LiveFile::manifest_of(&path).unwrap();
        assert_eq!((&manifest["rows"], &manifest["kind"]), (&json!(2), &json!("rag")));
        let mut file = LiveFile::open(path.clone(), manifest).unwrap();
        assert_eq!((file.rows, file.last), (3, Some(hours(3, 3)[0])));
        file.append(&line(4), 1, hours(4, 4)).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, (1..=4).map(line).collect::<String>());
        let manifest = LiveFile::manifest_of(&path).unwrap();
        assert_eq!(manifest["content_hash"], blake3::hash(text.as_bytes()).to_hex().as_str());
        assert_eq!((&manifest["rows"], &manifest["last"]), (&json!(4), &json!(hours(4, 4)[0])));
    }
}
