//! News.

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Something that a publisher wrote, as a provider told it. Headline and summary are other people's words: plain text of
/// limited length, and never an instruction to anybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema, ts_rs::TS))]
pub struct NewsItem {
    /// The same wherever the address is the same: 32 hexadecimal digits.
    pub id: String,
    /// Untrusted text.
    pub headline: String,
    /// Untrusted text; may be empty.
    pub summary: String,
    /// Where it can be read, without what only counts readers.
    pub url: String,
    /// Who published it: `benzinga`, `reuters.com`.
    pub source: String,
    /// Who told us: `brave`, `alpaca`.
    pub provider: String,
    /// What it is about, as far as the provider knows: `AAPL`, `BTCUSD`.
    pub symbols: Vec<String>,
    pub published_at: Timestamp,
    /// The provider gave the time without its zone, as an age, or not at all.
    pub approximate: bool,
    /// When we were told.
    pub fetched_at: Timestamp,
}
