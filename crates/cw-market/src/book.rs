//! A venue's order book from a snapshot and numbered changes.

use std::collections::BTreeMap;

use cw_core::{InstrumentId, Price, Quantity, Timestamp};

/// Changes that may wait for a snapshot; more of them mean that none comes.
const MOST_WAITING: usize = 2_000;

/// Price and quantity of one level.
pub type Level = (Price, Quantity);

/// A whole book, or its best levels, as a venue gives it on request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BookSnapshot {
    /// The number of the last change that it holds.
    pub last: u64,
    pub bids: Vec<Level>,
    pub asks: Vec<Level>,
}

/// What changed: levels with their new quantity; zero removes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookDiff {
    pub instrument: InstrumentId,
    pub event_time: Timestamp,
    /// It holds the changes of these numbers.
    pub first: u64,
    pub last: u64,
    /// `last` of the change before this one.
    pub previous: u64,
    pub bids: Vec<Level>,
    pub asks: Vec<Level>,
}

/// The best levels of a book, the best first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Depth {
    pub instrument: InstrumentId,
    /// Of the newest change in it; `None` where it is as the snapshot was.
    pub event_time: Option<Timestamp>,
    pub bids: Vec<Level>,
    pub asks: Vec<Level>,
}

/// A change is missing: the book must be asked for again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the book's changes do not follow one another: {0}")]
pub struct BookGap(String);

/// A book that is kept current.
///
/// Changes wait until there is a snapshot. Then those that it holds already are dropped; the first that is applied must
/// begin at or before the snapshot's number, and each one after it must name its predecessor. Anything else is a gap, and
/// the book is empty until the next snapshot: a wrong book is worse than none.
#[derive(Debug, Clone, Default)]
pub struct Book {
    bids: BTreeMap<Price, Quantity>,
    asks: BTreeMap<Price, Quantity>,
    /// The number of the last change; `None` without a snapshot.
    last: Option<u64>,
    /// A change was applied since the snapshot.
    joined: bool,
    event_time: Option<Timestamp>,
    waiting: Vec<BookDiff>,
}

impl Book {
    /// Whether it is what the venue has.
    pub const fn is_current(&self) -> bool {
        self.last.is_some()
    }

    /// Forgets everything: the connection is another one.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes the venue's book, then what waited for it.
    pub fn snapshot(&mut self, snapshot: &BookSnapshot) -> Result<(), BookGap> {
        let waiting = std::mem::take(&mut self.waiting);
        *self = Self { last: Some(snapshot.last), ..Self::default() };
        set(&mut self.bids, &snapshot.bids);
        set(&mut self.asks, &snapshot.asks);
        waiting.iter().try_for_each(|diff| self.apply(diff))
    }

    /// Takes a change. Without a snapshot it waits.
    pub fn change(&mut self, diff: BookDiff) -> Result<(), BookGap> {
        if self.is_current() {
            return self.apply(&diff);
        }
        if self.waiting.len() == MOST_WAITING {
            self.clear();
            return Err(BookGap(format!("{MOST_WAITING} wait for a snapshot")));
        }
        self.waiting.push(diff);
        Ok(())
    }

    fn apply(&mut self, diff: &BookDiff) -> Result<(), BookGap> {
        let Some(last) = self.last else { return Ok(()) };
        // What is in the book already, told before the snapshot or twice.
        if diff.last < last || (self.joined && diff.last == last) {
            return Ok(());
        }
        let joins = !self.joined && diff.first <= last && last <= diff.last;
        let follows = joins || diff.previous == last;
        if !follows || diff.last < diff.first {
            let gap = format!("{}–{} (after {}) behind {last}", diff.first, diff.last, diff.previous);
            self.clear();
            return Err(BookGap(gap));
        }
        set(&mut self.bids, &diff.bids);
        set(&mut self.asks, &diff.asks);
        (self.last, self.joined, self.event_time) = (Some(diff.last), true, Some(diff.event_time));
        if self.bids.keys().next_back().zip(self.asks.keys().next()).is_some_and(|(bid, ask)| bid >= ask) {
            self.clear();
            return Err(BookGap("a bid meets an ask".to_owned()));
        }
        Ok(())
    }

    /// The best `levels` of each side; `None` where the book is not current.
    pub fn depth(&self, instrument: &InstrumentId, levels: usize) -> Option<Depth> {
        self.is_current().then(|| Depth {
            instrument: instrument.clone(),
            event_time: self.event_time,
            bids: self.bids.iter().rev().take(levels).map(|(price, qty)| (*price, *qty)).collect(),
            asks: self.asks.iter().take(levels).map(|(price, qty)| (*price, *qty)).collect(),
        })
    }
}

fn set(side: &mut BTreeMap<Price, Quantity>, levels: &[Level]) {
    for (price, qty) in levels {
        if qty.is_zero() {
            side.remove(price);
        } else {
            side.insert(*price, *qty);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn level(price: i64, qty: i64) -> Level {
        (Price::from_raw(price * 1_000_000_000), Quantity::from_raw(i128::from(qty) * 1_000_000_000))
    }

    fn diff((first, last, previous): (u64, u64, u64), bids: &[(i64, i64)]) -> BookDiff {
        BookDiff {
            instrument: "BTCUSDT.ASTER".parse().unwrap(),
            event_time: Timestamp::from_secs(last as i64),
            first,
            last,
            previous,
            bids: bids.iter().map(|(price, qty)| level(*price, *qty)).collect(),
            asks: Vec::new(),
        }
    }

    fn snapshot(last: u64) -> BookSnapshot {
        BookSnapshot { last, bids: vec![level(99, 1), level(98, 2)], asks: vec![level(101, 3)] }
    }

    fn bids(book: &Book) -> Vec<Level> {
        book.depth(&"BTCUSDT.ASTER".parse().unwrap(), 5).unwrap().bids
    }

    #[test]
    fn changes_wait_for_the_snapshot_and_follow_one_another() {
        let mut book = Book::default();
        for change in [diff((1, 4, 0), &[(50, 1)]), diff((5, 9, 4), &[(97, 5)]), diff((10, 12, 9), &[(99, 0)])] {
            book.change(change).unwrap();
        }
        assert!(!book.is_current() && book.depth(&"X.Y".parse().unwrap(), 1).is_none());
        book.snapshot(&snapshot(7)).unwrap();
        assert_eq!(bids(&book), [level(98, 2), level(97, 5)], "what the snapshot holds is not applied again");
        book.change(diff((13, 13, 12), &[(98, 4)])).unwrap();
        assert_eq!(bids(&book)[0], level(98, 4));
        // One is missing.
        book.change(diff((20, 22, 19), &[(98, 9)])).unwrap_err();
        assert!(!book.is_current());
        book.snapshot(&snapshot(22)).unwrap();
        book.change(diff((22, 25, 19), &[])).unwrap();
        assert!(book.is_current());
    }

    #[test]
    fn a_snapshot_that_is_too_new_or_too_old_is_a_gap() {
        let mut book = Book::default();
        book.change(diff((10, 12, 9), &[])).unwrap();
        book.snapshot(&snapshot(8)).unwrap_err();
        assert!(!book.is_current());
        book.change(diff((10, 12, 9), &[])).unwrap();
        book.snapshot(&snapshot(20)).unwrap();
        assert!(book.is_current(), "nothing came since");
        let mut crossed = Book::default();
        crossed.snapshot(&snapshot(1)).unwrap();
        crossed.change(diff((1, 2, 0), &[(101, 1)])).unwrap_err();
        assert!(!crossed.is_current());
    }

    proptest! {
        /// Whatever is lost, doubled or late: the book is the venue's or none.
        #[test]
        fn a_book_is_right_or_not_there(
            changes in prop::collection::vec((90i64..100, 0i64..5), 1..60),
            fates in prop::collection::vec(0u8..12, 60),
            asked in 0usize..60,
        ) {
            let mut truth: BTreeMap<i64, i64> = BTreeMap::new();
            let mut states = vec![truth.clone()];
            for (price, qty) in &changes {
                if *qty == 0 { truth.remove(price); } else { truth.insert(*price, *qty); }
                states.push(truth.clone());
            }
            let mut book = Book::default();
            for (place, (price, qty)) in changes.iter().enumerate() {
                let number = place as u64 + 1;
                let change = diff((number, number, number - 1), &[(*price, *qty)]);
                let copies = match fates[place] { 0 => 0, 1 => 2, _ => 1 };
                for _ in 0..copies {
                    let _gap = book.change(change.clone());
                }
                if place == asked || (!book.is_current() && place % 5 == 4) {
                    let bids = states[place + 1].iter().map(|(price, qty)| level(*price, *qty)).collect();
                    let _gap = book.snapshot(&BookSnapshot { last: number, bids, asks: Vec::new() });
                }
                if let Some(last) = book.last {
                    let expected: Vec<Level> =
                        states[last as usize].iter().map(|(price, qty)| level(*price, *qty)).collect();
                    let have: Vec<Level> = book.bids.iter().map(|(price, qty)| (*price, *qty)).collect();
                    prop_assert_eq!(have, expected);
                }
            }
        }
    }
}
