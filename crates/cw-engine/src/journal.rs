//! The journal's form: entries, blocks, and the chain of hashes through them.
//!
//! A block is what is committed at once: a run of entries, each an input or a record, numbered without a gap. Its hash
//! covers the hash before it, so whoever changes, drops, adds or swaps anything breaks the chain from there on:
//! `hash = BLAKE3(previous hash ‖ first seq ‖ count ‖ bytes)`, numbers little-endian.
//!
//! Bytes: one version byte, then per entry its kind (0 input, 1 record), the nanoseconds since the entry before it, for
//! records how many entries back their cause stands, and the body, all in postcard's variable-length encoding.

use cw_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::input::Input;
use crate::record::{Meta, Record, RecordRef};

/// The hash before the first block.
pub const GENESIS_HASH: [u8; 32] = [0; 32];

const VERSION: u8 = 1;

/// One journal entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// For inputs `caused_by` is the entry itself: they come from outside.
    pub meta: Meta,
    pub body: Body,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    Input(Input),
    Record(Box<Record>),
}

/// A run of entries with its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub first_seq: u64,
    pub count: u64,
    pub bytes: Vec<u8>,
    pub previous_hash: [u8; 32],
    pub hash: [u8; 32],
}

/// Why a journal is not what was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    #[error("entry {expected} is missing: the next block starts at {found}")]
    Gap { expected: u64, found: u64 },
    #[error("the block at entry {first_seq} does not continue the chain")]
    BrokenChain { first_seq: u64 },
    #[error("the block at entry {first_seq} was changed: its hash does not fit its content")]
    Changed { first_seq: u64 },
    #[error("the block at entry {first_seq} cannot be read: {reason}")]
    Unreadable { first_seq: u64, reason: String },
}

impl JournalError {
    /// The first entry that is in doubt.
    pub const fn seq(&self) -> u64 {
        match self {
            Self::Gap { expected, .. } => *expected,
            Self::BrokenChain { first_seq } | Self::Changed { first_seq } | Self::Unreadable { first_seq, .. } => {
                *first_seq
            }
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    kind: u8,
    elapsed: i64,
    /// Entries between a record and its cause; 0 for inputs.
    back: u64,
}

/// Collects entries until they are committed.
#[derive(Debug)]
pub struct BlockBuilder {
    first_seq: u64,
    count: u64,
    last_time: i64,
    /// The first entry's head and its length in bytes, for [`BlockBuilder::absorb`].
    first: Option<(Head, usize)>,
    bytes: Vec<u8>,
}

impl BlockBuilder {
    /// A block whose first entry will be `first_seq`.
    pub fn new(first_seq: u64) -> Self {
        Self { first_seq, count: 0, last_time: 0, first: None, bytes: vec![VERSION] }
    }
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }
    pub const fn count(&self) -> u64 {
        self.count
    }

    pub fn input(&mut self, seq: u64, time: Timestamp, input: &Input) {
        self.entry(Meta { seq, time, caused_by: seq }, 0, input);
    }
    pub fn record(&mut self, meta: Meta, record: RecordRef<'_>) {
        self.entry(meta, 1, &record);
    }

    fn entry(&mut self, meta: Meta, kind: u8, body: &impl Serialize) {
        assert_eq!(meta.seq, self.first_seq + self.count, "journal entries are numbered without a gap");
        let head =
            Head { kind, elapsed: meta.time.as_nanos().wrapping_sub(self.last_time), back: meta.seq - meta.caused_by };
        self.last_time = meta.time.as_nanos();
        self.count += 1;
        let bytes = std::mem::take(&mut self.bytes);
        let before = bytes.len();
        let bytes = postcard::to_extend(&head, bytes).expect("writing to memory cannot fail");
        if self.first.is_none() {
            self.first = Some((head, bytes.len() - before));
        }
        self.bytes = postcard::to_extend(body, bytes).expect("inputs and records have only types that serialise");
    }

    /// Appends the entries of the builder that follows this one, so that both are committed at once.
    pub fn absorb(&mut self, next: Self) {
        let Some((head, length)) = next.first else { return };
        assert_eq!(next.first_seq, self.first_seq + self.count, "journal entries are numbered without a gap");
        let head = Head { elapsed: head.elapsed.wrapping_sub(self.last_time), ..head };
        let bytes = std::mem::take(&mut self.bytes);
        let before = bytes.len();
        self.bytes = postcard::to_extend(&head, bytes).expect("writing to memory cannot fail");
        if self.first.is_none() {
            self.first = Some((head, self.bytes.len() - before));
        }
        self.bytes.extend_from_slice(&next.bytes[1 + length..]);
        self.count += next.count;
        self.last_time = next.last_time;
    }

    /// Closes the block behind `previous_hash`.
    pub fn seal(self, previous_hash: [u8; 32]) -> Block {
        let hash = chain_hash(&previous_hash, self.first_seq, self.count, &self.bytes);
        Block { first_seq: self.first_seq, count: self.count, bytes: self.bytes, previous_hash, hash }
    }
}

/// The hash of a block behind `previous`.
pub fn chain_hash(previous: &[u8; 32], first_seq: u64, count: u64, bytes: &[u8]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(previous);
    hasher.update(&first_seq.to_le_bytes());
    hasher.update(&count.to_le_bytes());
    hasher.update(bytes);
    *hasher.finalize().as_bytes()
}

impl Block {
    /// Reads the entries back.
    pub fn entries(&self) -> Result<Vec<Entry>, JournalError> {
        let bad = |reason: String| JournalError::Unreadable { first_seq: self.first_seq, reason };
        let Some((&VERSION, mut rest)) = self.bytes.split_first() else {
            return Err(bad(format!("version {:?} is not {VERSION}", self.bytes.first())));
        };
        // A count can lie; the bytes cannot be shorter than their entries.
        let mut entries = Vec::with_capacity(usize::try_from(self.count).unwrap_or(0).min(self.bytes.len()));
        let mut time = 0i64;
        for seq in self.first_seq..self.first_seq.saturating_add(self.count) {
            let (head, after) = postcard::take_from_bytes::<Head>(rest).map_err(|e| bad(e.to_string()))?;
            time = time.wrapping_add(head.elapsed);
            let (body, after) = match head.kind {
                0 => postcard::take_from_bytes(after).map(|(input, after)| (Body::Input(input), after)),
                1 => postcard::take_from_bytes(after).map(|(record, after)| (Body::Record(Box::new(record)), after)),
                other => return Err(bad(format!("entry {seq} has the unknown kind {other}"))),
            }
            .map_err(|e| bad(format!("entry {seq}: {e}")))?;
            let caused_by = seq.checked_sub(head.back).ok_or_else(|| bad(format!("entry {seq} has no cause")))?;
            entries.push(Entry { meta: Meta { seq, time: Timestamp::from_nanos(time), caused_by }, body });
            rest = after;
        }
        if rest.is_empty() { Ok(entries) } else { Err(bad(format!("{} bytes too many", rest.len()))) }
    }
}

/// Walks the chain block by block.
#[derive(Debug, Clone)]
pub struct Verifier {
    next_seq: u64,
    head: [u8; 32],
    blocks: u64,
}

impl Verifier {
    /// From the first block on.
    pub const fn new() -> Self {
        Self { next_seq: 1, head: GENESIS_HASH, blocks: 0 }
    }
    /// The next block of the journal.
    pub fn check(&mut self, block: &Block) -> Result<(), JournalError> {
        if block.first_seq != self.next_seq {
            return Err(JournalError::Gap { expected: self.next_seq, found: block.first_seq });
        }
        if block.previous_hash != self.head {
            return Err(JournalError::BrokenChain { first_seq: block.first_seq });
        }
        if chain_hash(&self.head, block.first_seq, block.count, &block.bytes) != block.hash {
            return Err(JournalError::Changed { first_seq: block.first_seq });
        }
        self.next_seq += block.count;
        self.head = block.hash;
        self.blocks += 1;
        Ok(())
    }
    /// Entries seen so far.
    pub const fn entries(&self) -> u64 {
        self.next_seq - 1
    }
    pub const fn blocks(&self) -> u64 {
        self.blocks
    }
    /// Hash of the last block.
    pub const fn head(&self) -> [u8; 32] {
        self.head
    }
}

impl Default for Verifier {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::Incident;

    fn journal(blocks: u64) -> Vec<Block> {
        let (mut seq, mut head, mut all) = (1, GENESIS_HASH, Vec::new());
        for n in 0..blocks {
            let mut builder = BlockBuilder::new(seq);
            for i in 0..=n {
                let time = Timestamp::from_millis((n * 1_000 + i) as i64);
                builder.input(seq, time, &Input::Timer { market_time: time });
                let incident = Incident { account: None, order_id: None, text: format!("{n} {i}") };
                builder.record(Meta { seq: seq + 1, time, caused_by: seq }, RecordRef::Incident(&incident));
                seq += 2;
            }
            let block = builder.seal(head);
            head = block.hash;
            all.push(block);
        }
        all
    }

    fn verify(blocks: &[Block]) -> Result<u64, JournalError> {
        let mut verifier = Verifier::new();
        blocks.iter().try_for_each(|b| verifier.check(b))?;
        Ok(verifier.entries())
    }

    #[test]
    fn entries_come_back_with_time_and_cause() {
        let blocks = journal(3);
        let entries = blocks[2].entries().unwrap();
        assert_eq!(entries.len(), 6);
        assert_eq!(entries[3].meta, Meta { seq: 10, time: Timestamp::from_millis(2_001), caused_by: 9 });
        assert_eq!(verify(&blocks), Ok(12));
    }

    /// The journal's encoding describes itself nowhere, so serde's tagged enums cannot be read back: none may be used.
    #[test]
    fn every_kind_of_content_can_be_read_back() {
        use cw_core::{AccountId, Actor, Amount, ClientOrderId, Currency, StrategyId, Surface};
        use cw_execution::VenueReport;

        use crate::command::{Approval, ApprovalState, Command, Envelope, OrderRequest};
        use crate::record::Notice;

        let account = AccountId::new("paper").unwrap();
        let request =
            OrderRequest::market(account.clone(), "A.SIM".parse().unwrap(), cw_core::Side::Buy, "1".parse().unwrap());
        let mut builder = BlockBuilder::new(1);
        let mut seq = 0;
        for actor in
            [Actor::Operator, Actor::System, Actor::Agent("x".into()), Actor::Strategy(StrategyId::new("s").unwrap())]
        {
            let envelope = Envelope {
                actor: actor.clone(),
                surface: Surface::Mcp,
                trace_id: "t".into(),
                command: Command::PlaceOrder(request.clone()),
            };
            seq += 1;
            builder.input(seq, Timestamp::EPOCH, &Input::Command(Box::new(envelope)));
            for state in [ApprovalState::Pending, ApprovalState::Expired, ApprovalState::Denied { reason: "r".into() }]
            {
                seq += 1;
                let approval = Approval {
                    id: seq,
                    actor: actor.clone(),
                    surface: Surface::Mcp,
                    request: request.clone(),
                    created_at: Timestamp::EPOCH,
                    expires_at: Timestamp::EPOCH,
                    state,
                };
                let meta = Meta { seq, time: Timestamp::EPOCH, caused_by: 1 };
                builder.record(meta, RecordRef::Approval(&approval));
            }
        }
        let client_order_id = ClientOrderId::new("c").unwrap();
        for report in [
            VenueReport::Expired { client_order_id: client_order_id.clone() },
            VenueReport::Amended { client_order_id, qty: "2".parse().unwrap() },
        ] {
            seq += 1;
            builder.input(seq, Timestamp::EPOCH, &Input::Report { account: 0, report });
        }
        seq += 1;
        let notice = Notice::AccountOpened { account, currency: Currency::USD, amount: Amount::ZERO };
        builder.record(Meta { seq, time: Timestamp::EPOCH, caused_by: 1 }, RecordRef::Notice(&notice));
        let entries = builder.seal(GENESIS_HASH).entries().unwrap();
        assert_eq!(entries.len() as u64, seq);
        assert_eq!(entries.last().unwrap().body, Body::Record(Box::new(Record::Notice(notice))));
    }

    #[test]
    fn absorbed_builders_make_the_same_block_as_one() {
        let timer = |ms| Input::Timer { market_time: Timestamp::from_millis(ms) };
        let mut whole = BlockBuilder::new(1);
        let mut parts = BlockBuilder::new(1);
        for (n, cut) in [(1, false), (2, true), (3, false), (4, true), (5, true)] {
            let at = Timestamp::from_millis(7 * n);
            whole.input(n as u64, at, &timer(n));
            if cut {
                let mut next = BlockBuilder::new(n as u64);
                next.input(n as u64, at, &timer(n));
                parts.absorb(next);
            } else {
                parts.input(n as u64, at, &timer(n));
            }
        }
        parts.absorb(BlockBuilder::new(6));
        let mut late = BlockBuilder::new(1);
        late.absorb(whole);
        assert_eq!(late.seal(GENESIS_HASH), parts.seal(GENESIS_HASH));
    }

    proptest! {
        /// Whatever is edited, deleted, swapped or cut out of the middle is found.
        #[test]
        fn tampering_is_found(block in 0usize..8, byte in any::<prop::sample::Index>(), bit in 0u8..8, how in 0u8..4) {
            let mut blocks = journal(8);
            match how {
                0 => {
                    let bytes = &mut blocks[block].bytes;
                    let at = byte.index(bytes.len());
                    bytes[at] ^= 1 << bit;
                }
                1 if block < 7 => drop(blocks.remove(block)),
                2 if block < 7 => blocks.swap(block, block + 1),
                _ => {
                    // Re-sealed by somebody who has the code: the next block gives it away.
                    if block == 7 { return Ok(()); }
                    let mut builder = BlockBuilder::new(blocks[block].first_seq);
                    for _ in 0..blocks[block].count {
                        let seq = builder.first_seq + builder.count();
                        builder.input(seq, Timestamp::EPOCH, &Input::Checkpoint);
                    }
                    blocks[block] = builder.seal(blocks[block].previous_hash);
                }
            }
            prop_assert!(verify(&blocks).is_err());
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), count in any::<u64>()) {
            let block = Block { first_seq: 1, count, bytes, previous_hash: GENESIS_HASH, hash: GENESIS_HASH };
            let _entries = block.entries();
        }
    }
}
