//! Segments on the disk: appended to, cut where a crash tore them, listed, read by time, dropped when they are too many.

use std::fs::{self, File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use cw_core::{InstrumentId, Timestamp};

use super::block::{MOST_EVENTS, decode_block, encode_block};
use super::{TapeEvent, TapeKind};
use crate::error::{During, Result};

/// The first bytes of a segment; the last but one is the format's version.
const MAGIC: &[u8; 8] = b"CWTAPE\x01\n";
/// The first bytes of a block: length of the payload, events, our clock at its first and last event, checksum.
const BLOCK: &[u8; 4] = b"BLK\n";
const BLOCK_HEAD: usize = 36;
/// A segment that has grown to this is followed by another one.
const SEGMENT_BYTES: u64 = 32 << 20;
const EXTENSION: &str = "cwt";

/// The recordings below one data directory.
#[derive(Debug, Clone)]
pub struct Tapes {
    dir: PathBuf,
}

/// What is recorded of one instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    pub instrument: InstrumentId,
    pub first: Timestamp,
    pub last: Timestamp,
    pub events: u64,
    pub bytes: u64,
    pub segments: u32,
}

impl Tapes {
    /// Recordings lie in `recordings` below the data directory. Nothing is made before something is recorded.
    pub fn new(data_dir: &Path) -> Self {
        Self { dir: data_dir.join("recordings") }
    }

    /// Goes on with the recording of an instrument. Also says how many bytes of an unfinished block were cut off.
    pub fn writer(&self, instrument: &InstrumentId) -> Result<(TapeWriter, u64)> {
        let dir = self.dir.join(folder(instrument));
        fs::create_dir_all(&dir).during("making the folder of a recording")?;
        let mut writer = TapeWriter { instrument: instrument.clone(), dir, file: None, waiting: Vec::new() };
        let mut cut = 0;
        if let Some(newest) = segments(&writer.dir)?.pop() {
            let bytes = fs::read(&newest).during("reading a recording")?;
            let head = head(instrument);
            let Some(blocks) = scan(&bytes, instrument) else {
                // Torn in its head there is nothing in it. A head of something else is left alone.
                if head.starts_with(&bytes) {
                    fs::remove_file(&newest).during("removing an unfinished segment")?;
                    cut = bytes.len() as u64;
                }
                return Ok((writer, cut));
            };
            let end = blocks.last().map_or(head.len(), |block| block.end);
            cut = (bytes.len() - end) as u64;
            if (end as u64) < SEGMENT_BYTES {
                let mut file = OpenOptions::new().write(true).open(&newest).during("opening a recording")?;
                file.set_len(end as u64).during("cutting a recording")?;
                file.seek(SeekFrom::End(0)).during("opening a recording")?;
                writer.file = Some((file, end as u64));
            }
        }
        Ok((writer, cut))
    }

    /// Reads what was recorded of an instrument with our clock in [`from`, `to`), in order of arrival.
    pub fn read(&self, instrument: &InstrumentId, from: Timestamp, to: Timestamp) -> Result<TapeReader> {
        let mut segments = segments(&self.dir.join(folder(instrument)))?;
        // What lies before the segment that begins last before `from` ends before it.
        let begun = segments.iter().rposition(|path| started(path).is_some_and(|at| at <= from)).unwrap_or(0);
        segments.drain(..begun);
        segments.retain(|path| started(path).is_none_or(|at| at < to));
        segments.reverse();
        Ok(TapeReader {
            instrument: instrument.clone(),
            segments,
            bytes: Vec::new(),
            blocks: Vec::new(),
            from,
            to,
            damaged: 0,
        })
    }

    /// When the recording of an instrument begins and ends, by our clock.
    pub fn range(&self, instrument: &InstrumentId) -> Result<Option<(Timestamp, Timestamp)>> {
        let segments = segments(&self.dir.join(folder(instrument)))?;
        let Some(first) = segments.first().and_then(|path| started(path)) else { return Ok(None) };
        for newest in segments.iter().rev() {
            let bytes = fs::read(newest).during("reading a recording")?;
            if let Some(last) = scan(&bytes, instrument).unwrap_or_default().last() {
                return Ok(Some((first, last.last)));
            }
        }
        Ok(None)
    }

    /// Everything that is recorded, by instrument.
    pub fn list(&self) -> Result<Vec<Recording>> {
        let mut all = Vec::new();
        let folders = match fs::read_dir(&self.dir) {
            Ok(folders) => folders,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(all),
            Err(error) => return Err(error).during("listing recordings"),
        };
        for entry in folders {
            let path = entry.during("listing recordings")?.path();
            let Some(instrument) = path.file_name().and_then(|name| unfold(name.to_str()?)) else { continue };
            let mut found: Option<Recording> = None;
            for segment in segments(&path)? {
                let bytes = fs::read(&segment).during("reading a recording")?;
                let blocks = scan(&bytes, &instrument).unwrap_or_default();
                let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else { continue };
                let recording = found.get_or_insert(Recording {
                    instrument: instrument.clone(),
                    first: first.first,
                    last: last.last,
                    events: 0,
                    bytes: 0,
                    segments: 0,
                });
                recording.last = recording.last.max(last.last);
                recording.events += blocks.iter().map(|block| block.count as u64).sum::<u64>();
                recording.bytes += bytes.len() as u64;
                recording.segments += 1;
            }
            all.extend(found);
        }
        all.sort_by(|a, b| a.instrument.cmp(&b.instrument));
        Ok(all)
    }

    /// Removes the oldest segments until no more than `most` bytes are left; the newest of each instrument stays. Answers
    /// with the bytes that were freed.
    pub fn retain(&self, most: u64) -> Result<u64> {
        let Ok(folders) = fs::read_dir(&self.dir) else { return Ok(0) };
        let (mut total, mut old) = (0, Vec::new());
        for entry in folders {
            let mut of_one = Vec::new();
            for path in segments(&entry.during("listing recordings")?.path())? {
                let size = fs::metadata(&path).during("listing recordings")?.len();
                total += size;
                of_one.push((started(&path), path, size));
            }
            of_one.pop();
            old.extend(of_one);
        }
        old.sort();
        let mut freed = 0;
        for (_, path, size) in old {
            if total - freed <= most {
                break;
            }
            fs::remove_file(&path).during("removing an old recording")?;
            freed += size;
        }
        Ok(freed)
    }
}

/// Appends to the recording of one instrument.
#[derive(Debug)]
pub struct TapeWriter {
    instrument: InstrumentId,
    dir: PathBuf,
    /// The newest segment and its length, unless the next event begins another one.
    file: Option<(File, u64)>,
    waiting: Vec<TapeEvent>,
}

impl TapeWriter {
    /// Takes an event. It is written with others, when there are enough of them or at the next [`Self::flush`].
    pub fn push(&mut self, event: TapeEvent) -> Result<()> {
        self.waiting.push(event);
        if self.waiting.len() == MOST_EVENTS { self.flush() } else { Ok(()) }
    }

    /// Writes what waits. What could not be written waits on, up to a block; then it is let go, and a break says how much
    /// that was.
    pub fn flush(&mut self) -> Result<()> {
        let (Some(first), Some(last)) = (self.waiting.first(), self.waiting.last()) else { return Ok(()) };
        let (first, last) = (first.received_at, last.received_at);
        let frame = frame(first, last, self.waiting.len(), &encode_block(&self.waiting));
        let written = self.append(first, &frame);
        if written.is_ok() {
            self.waiting.clear();
        } else if self.waiting.len() >= MOST_EVENTS {
            let missing = |event: &TapeEvent| if let TapeKind::Break { lost } = event.kind { lost } else { 1 };
            let lost = self.waiting.iter().map(missing).sum();
            self.waiting.clear();
            self.waiting.push(TapeEvent::lost(last, lost));
        }
        written
    }

    fn append(&mut self, first: Timestamp, frame: &[u8]) -> Result<()> {
        let (mut file, length) = match self.file.take() {
            Some((file, length)) if length < SEGMENT_BYTES => (file, length),
            _ => self.begin(first)?,
        };
        if let Err(error) = file.write_all(frame) {
            // Half a block would hide the ones after it.
            let repaired = file.set_len(length).and_then(|()| file.seek(SeekFrom::Start(length)));
            self.file = repaired.is_ok().then_some((file, length));
            return Err(error).during("writing a recording");
        }
        self.file = Some((file, length + frame.len() as u64));
        Ok(())
    }

    fn begin(&self, first: Timestamp) -> Result<(File, u64)> {
        let mut nanos = first.as_nanos().max(0);
        loop {
            let path = self.dir.join(format!("{nanos:019}.{EXTENSION}"));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(mut file) => {
                    let head = head(&self.instrument);
                    file.write_all(&head).during("beginning a segment")?;
                    return Ok((file, head.len() as u64));
                }
                // Another one began at this moment; a clock that was set back does that.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => nanos = nanos.saturating_add(1),
                Err(error) => return Err(error).during("beginning a segment"),
            }
        }
    }

    /// Writes what waits and hands it to the disk.
    pub fn finish(mut self) -> Result<()> {
        self.flush()?;
        match &self.file {
            Some((file, _)) => file.sync_data().during("writing a recording"),
            None => Ok(()),
        }
    }
}

/// Plays a recording block by block.
#[derive(Debug)]
pub struct TapeReader {
    instrument: InstrumentId,
    /// Newest first.
    segments: Vec<PathBuf>,
    bytes: Vec<u8>,
    /// Of the open segment, newest first.
    blocks: Vec<Block>,
    from: Timestamp,
    to: Timestamp,
    damaged: u64,
}

impl TapeReader {
    /// Appends the events of the next block; false at the end.
    pub fn next(&mut self, events: &mut Vec<TapeEvent>) -> Result<bool> {
        loop {
            while let Some(block) = self.blocks.pop() {
                if block.last < self.from || block.first >= self.to {
                    continue;
                }
                let begin = events.len();
                let payload = &self.bytes[block.payload..block.end];
                if decode_block(payload, block.count, events).is_none() {
                    events.truncate(begin);
                    self.damaged += payload.len() as u64;
                    continue;
                }
                if block.first < self.from || block.last >= self.to {
                    let inside = |event: &TapeEvent| event.received_at >= self.from && event.received_at < self.to;
                    let wanted: Vec<TapeEvent> = events.drain(begin..).filter(inside).collect();
                    events.extend(wanted);
                }
                return Ok(true);
            }
            let Some(path) = self.segments.pop() else { return Ok(false) };
            self.bytes = fs::read(&path).during("reading a recording")?;
            let Some(blocks) = scan(&self.bytes, &self.instrument) else {
                self.damaged += self.bytes.len() as u64;
                continue;
            };
            let whole: usize = blocks.iter().map(|block| block.end + BLOCK_HEAD - block.payload).sum();
            self.damaged += (self.bytes.len() - whole - head(&self.instrument).len()) as u64;
            self.blocks = blocks;
            self.blocks.reverse();
        }
    }

    /// Bytes passed over so far, because they are not what was written.
    pub const fn damaged(&self) -> u64 {
        self.damaged
    }
}

/// A whole block of a segment.
#[derive(Debug, Clone, Copy)]
struct Block {
    payload: usize,
    end: usize,
    count: usize,
    first: Timestamp,
    last: Timestamp,
}

fn head(instrument: &InstrumentId) -> Vec<u8> {
    let name = instrument.as_str().as_bytes();
    let mut head = MAGIC.to_vec();
    head.extend((name.len() as u16).to_le_bytes());
    head.extend(name);
    head
}

fn frame(first: Timestamp, last: Timestamp, count: usize, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(BLOCK_HEAD + payload.len());
    frame.extend(BLOCK);
    frame.extend((payload.len() as u32).to_le_bytes());
    frame.extend((count as u32).to_le_bytes());
    frame.extend(first.as_nanos().to_le_bytes());
    frame.extend(last.as_nanos().to_le_bytes());
    frame.extend(checksum(&frame, payload));
    frame.extend(payload);
    frame
}

fn checksum(head: &[u8], payload: &[u8]) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new();
    let hash = hasher.update(head).update(payload).finalize();
    hash.as_bytes()[..8].try_into().expect("a hash has 32 bytes")
}

/// The whole blocks of a segment, passing over what is damaged; `None` when it is not one of this instrument.
fn scan(bytes: &[u8], instrument: &InstrumentId) -> Option<Vec<Block>> {
    let mut at = head(instrument).len();
    if bytes.get(..at)? != head(instrument) {
        return None;
    }
    let mut blocks = Vec::new();
    while at < bytes.len() {
        if let Some(block) = block_at(bytes, at) {
            at = block.end;
            blocks.push(block);
        } else {
            // The next one begins where such bytes stand and are one.
            let next = bytes[at + 1..].windows(BLOCK.len()).position(|window| window == BLOCK);
            match next {
                Some(next) => at += 1 + next,
                None => break,
            }
        }
    }
    Some(blocks)
}

fn block_at(bytes: &[u8], at: usize) -> Option<Block> {
    let head = bytes.get(at..at + BLOCK_HEAD)?;
    if head[..4] != *BLOCK {
        return None;
    }
    let short = |n: usize| u32::from_le_bytes(head[n..n + 4].try_into().expect("four bytes")) as usize;
    let long = |n: usize| i64::from_le_bytes(head[n..n + 8].try_into().expect("eight bytes"));
    let payload = at + BLOCK_HEAD;
    let end = payload.checked_add(short(4))?;
    let sound = checksum(&head[..28], bytes.get(payload..end)?) == head[28..];
    let (first, last) = (Timestamp::from_nanos(long(12)), Timestamp::from_nanos(long(20)));
    sound.then(|| Block { payload, end, count: short(8), first, last })
}

/// A folder's segments, oldest first.
fn segments(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).during("listing recordings"),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.during("listing recordings")?.path();
        if started(&path).is_some() {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// When a segment begins, by its name.
fn started(path: &Path) -> Option<Timestamp> {
    let name = path.file_name()?.to_str()?.strip_suffix(EXTENSION)?.strip_suffix('.')?;
    name.parse().ok().map(Timestamp::from_nanos)
}

/// A folder's name for an instrument: what no file system minds as it is, the rest as `%2F`.
fn folder(instrument: &InstrumentId) -> String {
    use std::fmt::Write as _;
    let mut name = String::new();
    for byte in instrument.as_str().bytes() {
        // A file system may not tell capital letters from small ones.
        if byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_' | b'.') {
            name.push(char::from(byte));
        } else {
            write!(name, "%{byte:02X}").expect("a string takes what is written");
        }
    }
    name
}

fn unfold(name: &str) -> Option<InstrumentId> {
    let mut text = String::new();
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('%') {
        text.push_str(before);
        text.push(char::from(u8::from_str_radix(after.get(..2)?, 16).ok()?));
        rest = &after[2..];
    }
    text.push_str(rest);
    text.parse().ok()
}
