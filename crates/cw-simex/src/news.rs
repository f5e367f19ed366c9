//! What publishers write about the market: an article every seven minutes, as a function of seed and time.

use cw_core::Timestamp;

use crate::exchange::Exchange;
use crate::market::{MINUTE, SYMBOLS};

/// Minutes from one article to the next.
const EVERY: i64 = 7;
const TOPICS: [&str; 5] =
    ["earnings of the quarter", "a ruling in court", "the central bank's words", "a large order", "news from a rival"];

/// An article that every source of news tells in its own way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    pub number: u64,
    pub time: Timestamp,
    /// Which of the market's symbols it is about.
    pub symbol: usize,
    /// Plain text; sources add markup of their own.
    pub headline: String,
    pub summary: String,
}

impl Article {
    pub fn url(&self) -> String {
        format!("https://wire{}.example/{}/story", self.number % 3, self.number)
    }
    pub fn host(&self) -> String {
        format!("wire{}.example", self.number % 3)
    }
}

impl Exchange {
    /// The articles published in [`from`, `to`) up to now, oldest first. `names` are the symbols' names.
    pub fn articles(&self, from: Timestamp, to: Timestamp, names: [&str; SYMBOLS]) -> Vec<Article> {
        let to = to.min(self.now().plus_nanos(1));
        let step = EVERY * MINUTE;
        let first = -(-from.as_nanos()).div_euclid(step);
        let last = -(-to.as_nanos()).div_euclid(step);
        (first..last).map(|place| article(place, step, names)).collect()
    }
}

fn article(place: i64, step: i64, names: [&str; SYMBOLS]) -> Article {
    let number = place.unsigned_abs();
    let symbol = (number % SYMBOLS as u64) as usize;
    let (topic, name) = (TOPICS[(number % 5) as usize], names[symbol]);
    let moves = if number.is_multiple_of(2) { "rises" } else { "falls" };
    Article {
        number,
        time: Timestamp::from_nanos(place * step),
        symbol,
        headline: format!("{name} {moves} by {}.{} percent after {topic}", number % 7 + 1, number % 10),
        summary: format!("Report {number}: what moved {name} & what others say about {topic}."),
    }
}
