//! What goes wrong, and when.

use serde::{Deserialize, Serialize};

/// One thing that goes wrong in one minute of market time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Streams are cut without a word before the minute's candle.
    Drop,
    /// Streams stay open and never say anything again, not even to a ping.
    HalfOpen,
    /// Streams answer pings and keep their heartbeat, and tell nothing of the market for three minutes.
    Stall,
    /// The minute's candle is replaced by frames that are no messages.
    Garbage,
    /// The minute's candle is not told.
    Lose,
    /// The minute's messages are told twice.
    Duplicate,
    /// The minute's candle is told after the next one.
    Reorder,
    /// The minute's candle is told with other values first.
    Revise,
    /// The minute's candle is told with other values and never put right: only who compares it with the history finds out.
    /// Not among [`ALL`](Self::ALL), which are over within a minute.
    Mistell,
    /// The minute's trades and quotes are told again at a hundred times their price, and so is the candle's high.
    Spike,
    /// The minute's quotes are told again with the bid above the ask.
    Cross,
    /// What happened in the minute is told again as if it were an hour later, the candle included.
    Ahead,
    /// The minute's candle is lost, and the next three requests are answered 429 with `Retry-After: 1`.
    Throttle,
    /// The minute's candle is lost, and the next two requests are answered 500.
    ServerError,
    /// The minute's candle is lost, and the next two requests are answered with something that is not JSON.
    GarbageBody,
    /// The minute's candle is lost, and the next two answers end in the middle.
    CutBody,
    /// The minute's candle is lost, and the next three requests are answered 429, in plain text and without a word about how
    /// long to wait. Like those below not among [`ALL`](Self::ALL).
    Busy,
    /// The minute's candle is lost, and the next three requests are answered 999, as Yahoo answers programs.
    Unwelcome,
    /// The minute's candle is lost, and the next three requests are answered 200 and with Yahoo's page for when it is down.
    Down,
    /// From the minute's end on Yahoo gives charts only to who shows its cookie and crumb, and answers 401 to others.
    Demand,
    /// As [`Demand`](Self::Demand), and cookies and crumbs that were given before are worth nothing.
    Expire,
    /// As [`Demand`](Self::Demand), and nobody's cookie and crumb are taken.
    Deny,
    /// As [`Demand`](Self::Demand), and who wants a cookie is sent to the European Union's page of consent.
    Consent,
    /// From the minute's end on Yahoo demands nothing.
    Admit,
}

impl Fault {
    pub const ALL: [Self; 15] = [
        Self::Drop,
        Self::HalfOpen,
        Self::Stall,
        Self::Garbage,
        Self::Lose,
        Self::Duplicate,
        Self::Reorder,
        Self::Revise,
        Self::Spike,
        Self::Cross,
        Self::Ahead,
        Self::Throttle,
        Self::ServerError,
        Self::GarbageBody,
        Self::CutBody,
    ];

    /// Whether it changes what Yahoo demands, until another one does.
    pub(crate) const fn is_lasting(self) -> bool {
        matches!(self, Self::Demand | Self::Expire | Self::Deny | Self::Consent | Self::Admit)
    }

    /// How many requests it spoils.
    pub(crate) const fn requests(self) -> u32 {
        match self {
            Self::Throttle | Self::Busy | Self::Unwelcome | Self::Down => 3,
            Self::ServerError | Self::GarbageBody | Self::CutBody => 2,
            _ => 0,
        }
    }
}

/// What a fault makes of prices that are right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// A cent more.
    Cent,
    Hundredfold,
}

impl Wrong {
    /// The high of a candle, in billionths.
    pub fn high(self, raw: i64) -> i64 {
        match self {
            Self::Cent => raw + 10_000_000,
            Self::Hundredfold => raw * 100,
        }
    }
}

/// Faults by minute, counted from the exchange's start. Drawn before a run, so that a run can be repeated.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub faults: Vec<(u32, Fault)>,
}

impl Plan {
    /// One fault in one minute.
    pub fn one(minute: u32, fault: Fault) -> Self {
        Self { faults: vec![(minute, fault)] }
    }

    /// A fault in every third of `minutes`, of the kinds given, as the seed has it.
    pub fn drawn(seed: u64, minutes: u32, kinds: &[Fault]) -> Self {
        let mut state = seed;
        let mut draw = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below.max(1)
        };
        let faults = (0..minutes).filter_map(|minute| {
            let hit = draw(3) == 0 && !kinds.is_empty();
            hit.then(|| (minute, kinds[draw(kinds.len() as u64) as usize]))
        });
        Self { faults: faults.collect() }
    }

    pub(crate) fn at(&self, minute: i64) -> Option<Fault> {
        self.faults.iter().find(|(at, _)| i64::from(*at) == minute).map(|(_, fault)| *fault)
    }
}
