//! The simulated world of one seed.

mod host;
mod venue;

pub use host::{Outcome, simulate};

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Debug, Clone)]
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
    /// True so many times in a thousand.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }
}

/// How often what goes wrong, in times per thousand. Each seed has its own set, many of them zero.
#[derive(Debug, Clone)]
pub struct Faults {
    pub lost_before: u64,
    pub lost_after: u64,
    pub lost_request: u64,
    pub repeated: u64,
    pub delayed: u64,
    pub crash: u64,
}

impl Faults {
    pub fn draw(rng: &mut Rng) -> Self {
        let mut rate = |most: u64| if rng.chance(400) { 0 } else { rng.below(most) };
        Self {
            lost_before: rate(150),
            lost_after: rate(150),
            lost_request: rate(200),
            repeated: rate(400),
            delayed: rate(600),
            crash: rate(40),
        }
    }
    pub const NONE: Self = Self { lost_before: 0, lost_after: 0, lost_request: 0, repeated: 0, delayed: 0, crash: 0 };
}

/// A mistake that the checks must find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    None,
    /// A lost reply is answered by sending the order again.
    BlindResend,
    /// Effects leave before the journal has what led to them.
    SendBeforeJournal,
    /// A repeated report counts as a new fill.
    NoFillDedupe,
    /// What fills after a cancel was confirmed is not reported.
    FillAfterCancelDropped,
    /// A lost reply is taken for a rejection.
    LostIsRejected,
    /// The venue's first "not known" is taken as proof, while the order is on its way.
    AbsentAtOnce,
    /// Recovery stops at the snapshot.
    NoReplay,
    /// Requests whose answers are missing are not repeated.
    OutstandingForgotten,
    /// Orders in doubt after a crash are not asked for.
    NoReconciliation,
}

impl Mutant {
    pub const ALL: [Self; 9] = [
        Self::BlindResend,
        Self::SendBeforeJournal,
        Self::NoFillDedupe,
        Self::FillAfterCancelDropped,
        Self::LostIsRejected,
        Self::AbsentAtOnce,
        Self::NoReplay,
        Self::OutstandingForgotten,
        Self::NoReconciliation,
    ];
}
