//! Everything that can change a decision. What is not an input cannot.

use cw_core::{Candle, Quote, Timeframe, Timestamp, Trade};
use cw_execution::VenueReport;
use serde::{Deserialize, Serialize};

use crate::command::Envelope;
use crate::config::EngineConfig;

/// One input. Instruments and accounts are named by their number in the engine's lists, which the journal holds too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Input {
    /// Always the first, and only the first.
    Genesis(Box<EngineConfig>),
    Trade {
        instrument: u32,
        trade: Trade,
    },
    Quote {
        instrument: u32,
        quote: Quote,
    },
    /// A closed candle from a source that has no finer events.
    Candle {
        instrument: u32,
        timeframe: Timeframe,
        candle: Candle,
    },
    /// The feed of an instrument begins, or begins again: its forming candles are built anew from these closed 1m
    /// candles, oldest first. Nothing is decided on them; they are the past.
    Backfill {
        instrument: u32,
        candles: Vec<Candle>,
    },
    /// What a venue says about an order of ours.
    Report {
        account: u32,
        report: VenueReport,
    },
    /// Time passes. `market_time` is the market's clock, which a simulated venue may run faster or slower than ours.
    Timer {
        market_time: Timestamp,
    },
    Command(Box<Envelope>),
    /// Asks for the state's hash, for the journal.
    Checkpoint,
    /// A closed minute as its venue has it: once, in order, and again with other values when it was corrected. One that
    /// is not `fresh` came late, by asking: indicators take it in, and nothing is done because of it.
    Minute {
        instrument: u32,
        candle: Candle,
        fresh: bool,
    },
    /// Everything of an instrument before `to` is told: candles of longer timeframes that end there are over.
    Settled {
        instrument: u32,
        to: Timestamp,
    },
}
