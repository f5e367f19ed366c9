//! Running the journal again: recovery after a stop, and proof that the same inputs give the same outcome.

use std::collections::VecDeque;

use cw_core::Timestamp;

use crate::engine::{Effect, Engine, Output};
use crate::input::Input;
use crate::journal::{Block, Body, Entry, JournalError, Verifier};
use crate::record::{Meta, Record, RecordRef};

/// Feeds a journal to an engine and compares what comes out with what was written.
#[derive(Debug)]
pub struct Replay {
    engine: Option<Engine>,
    verifier: Verifier,
    /// What the engine says now and the journal has not confirmed yet.
    expected: Expected,
    differences: u64,
    first_difference: Option<u64>,
    last_recorded_hash: Option<(u64, [u8; 32])>,
    last_computed_hash: Option<[u8; 32]>,
}

/// What a replay found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayReport {
    pub entries: u64,
    /// Hash of the state after the last entry.
    pub state_hash: [u8; 32],
    /// The newest state hash in the journal, and its entry.
    pub recorded_hash: Option<(u64, [u8; 32])>,
    /// What this replay computed at that same entry.
    pub computed_hash: Option<[u8; 32]>,
    /// Records that came out otherwise than they were written.
    pub differences: u64,
    pub first_difference: Option<u64>,
}

#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("the journal does not begin with its configuration")]
    NoGenesis,
    #[error("the journal is empty")]
    Empty,
}

#[derive(Debug, Default)]
struct Expected(VecDeque<(Meta, Record)>);

impl Output for Expected {
    const TRACE: bool = true;
    fn record(&mut self, meta: Meta, record: RecordRef<'_>) {
        self.0.push_back((meta, record.to_owned()));
    }
    /// Nothing is sent: what a venue answered then is in the journal.
    fn effect(&mut self, _effect: Effect) {}
}

impl Replay {
    /// From the very beginning.
    pub fn new() -> Self {
        Self::with(None, Verifier::new())
    }

    fn with(engine: Option<Engine>, verifier: Verifier) -> Self {
        Self {
            engine,
            verifier,
            expected: Expected::default(),
            differences: 0,
            first_difference: None,
            last_recorded_hash: None,
            last_computed_hash: None,
        }
    }

    /// From an engine restored at the end of some block; feed it the blocks behind that with [`Replay::feed`].
    pub fn continuing(engine: Engine) -> Self {
        Self::with(Some(engine), Verifier::new())
    }

    /// The next block, which must continue the chain from the first one.
    pub fn push(&mut self, block: &Block) -> Result<(), ReplayError> {
        self.verifier.check(block)?;
        self.feed(block)
    }

    /// The next block, whose place in the chain somebody else has checked.
    pub fn feed(&mut self, block: &Block) -> Result<(), ReplayError> {
        for entry in block.entries()? {
            self.entry(entry)?;
        }
        Ok(())
    }

    fn entry(&mut self, entry: Entry) -> Result<(), ReplayError> {
        match entry.body {
            Body::Input(input) => self.input(entry.meta, &input),
            Body::Record(record) => {
                if let Record::StateHash(hash) = &*record {
                    self.last_recorded_hash = Some((entry.meta.seq, *hash));
                }
                let expected = self.expected.0.pop_front();
                if let Some((_, Record::StateHash(hash))) = &expected {
                    self.last_computed_hash = Some(*hash);
                }
                if expected != Some((entry.meta, *record)) {
                    self.differ(entry.meta.seq);
                }
                Ok(())
            }
        }
    }

    fn input(&mut self, meta: Meta, input: &Input) -> Result<(), ReplayError> {
        // What came out then and does not now, or the other way round.
        while self.expected.0.pop_front().is_some() {
            self.differ(meta.seq);
        }
        let engine = match (&mut self.engine, input) {
            (Some(engine), _) => engine,
            (None, Input::Genesis(config)) => self.engine.insert(Engine::new((**config).clone(), meta.time)),
            (None, _) => return Err(ReplayError::NoGenesis),
        };
        engine.apply(meta.time, input, &mut self.expected);
        Ok(())
    }

    fn differ(&mut self, seq: u64) {
        self.differences += 1;
        self.first_difference.get_or_insert(seq);
    }

    /// The engine as it is now, and what was found on the way.
    pub fn finish(mut self) -> Result<(Engine, ReplayReport), ReplayError> {
        let Some(engine) = self.engine.take() else { return Err(ReplayError::Empty) };
        let report = ReplayReport {
            entries: engine.seq(),
            state_hash: engine.state_hash(),
            recorded_hash: self.last_recorded_hash,
            computed_hash: self.last_computed_hash,
            differences: self.differences + self.expected.0.len() as u64,
            first_difference: self.first_difference.or(self.expected.0.front().map(|(meta, _)| meta.seq)),
        };
        Ok((engine, report))
    }
}

impl Default for Replay {
    fn default() -> Self {
        Self::new()
    }
}

/// The newest time in a block, for showing progress.
pub fn block_time(block: &Block) -> Option<Timestamp> {
    block.entries().ok()?.last().map(|e| e.meta.time)
}

#[cfg(test)]
mod tests;
