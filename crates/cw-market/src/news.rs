//! Where news come from, and which of them tell the same.

use std::collections::BTreeSet;

use cw_core::{NewsItem, Timestamp};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::{ProviderError, ProviderStatus};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewsRequest {
    /// In words; empty = whatever is new.
    pub text: String,
    /// As items carry it: `AAPL`, `BTCUSD`.
    pub symbol: Option<String>,
    pub since: Option<Timestamp>,
    /// A publisher's host, where the provider can restrict itself to one.
    pub site: Option<String>,
    pub limit: usize,
}

/// A source of news. What it hands out is clean: plain text without markup, of limited length, with an address.
pub trait NewsProvider: Send + Sync {
    /// `brave`, `alpaca`.
    fn name(&self) -> &'static str;

    /// Whether it searches for words. Otherwise it answers with all it has of a symbol and time, whatever the words.
    fn finds_words(&self) -> bool {
        true
    }

    /// What it has for the request, the best or newest first, each item once.
    fn search<'a>(&'a self, request: &'a NewsRequest) -> BoxFuture<'a, Result<Vec<NewsItem>, ProviderError>>;

    /// Puts news into `items` as they are published, until the receiver is gone (`Ok`) or the provider refuses for good.
    /// One that can only be asked waits.
    fn stream(&self, items: tokio::sync::mpsc::Sender<NewsItem>) -> BoxFuture<'_, Result<(), ProviderError>> {
        async move {
            items.closed().await;
            Ok(())
        }
        .boxed()
    }

    fn status(&self) -> ProviderStatus;
}

/// How far apart two publications of one story may lie.
pub const SAME_STORY_NANOS: i64 = 48 * 3_600 * Timestamp::NANOS_PER_SECOND;
/// Shorter headlines ("Market update") are used again and again.
const FEWEST_WORDS: usize = 4;

fn words(headline: &str) -> BTreeSet<String> {
    let lower = headline.to_lowercase();
    let parts = lower.split(|c: char| !c.is_alphanumeric());
    parts.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Whether two items tell the same story: the same address, or within two days headlines of which four words in five are
/// common and every number is ("raises target to $28" is not "raises target to $32").
pub fn same_story(a: &NewsItem, b: &NewsItem) -> bool {
    if a.id == b.id {
        return true;
    }
    if a.published_at.nanos_since(b.published_at).abs() > SAME_STORY_NANOS {
        return false;
    }
    alike(&words(&a.headline), &words(&b.headline))
}

fn alike(left: &BTreeSet<String>, right: &BTreeSet<String>) -> bool {
    let (shorter, longer) = (left.len().min(right.len()), left.len().max(right.len()));
    if shorter < FEWEST_WORDS || shorter * 5 < longer * 4 {
        return false;
    }
    let common = left.intersection(right).count();
    let all = shorter + longer - common;
    let has_digit = |word: &&String| word.bytes().any(|b| b.is_ascii_digit());
    let numbers_agree = left.symmetric_difference(right).find(has_digit).is_none();
    common >= FEWEST_WORDS && common * 5 >= all * 4 && numbers_agree
}

/// What becomes of items that were told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Absorbed {
    /// New items, and known ones that became richer.
    pub write: Vec<NewsItem>,
    /// For everything told, in its order, the id under which it is known now; each once.
    pub ids: Vec<String>,
}

/// Fits items into what is known: of several that tell the same the one known first stays, gains the others' symbols, and
/// takes over the words of a later version of itself. The result depends on nothing but the arguments' order.
pub fn absorb(known: &[NewsItem], told: &[NewsItem]) -> Absorbed {
    let story = |item: &NewsItem, changed| Story { words: words(&item.headline), item: item.clone(), changed };
    let mut all: Vec<Story> = known.iter().map(|item| story(item, false)).collect();
    let mut ids: Vec<String> = Vec::new();
    for item in told {
        let new = story(item, true);
        // The same address before a like headline.
        let place = all.iter().position(|have| have.item.id == item.id);
        let id = match place.or_else(|| all.iter().position(|have| have.tells(&new))) {
            None => {
                all.push(new);
                item.id.clone()
            }
            Some(place) => {
                let have = &mut all[place];
                have.changed |= merge(&mut have.item, item);
                have.words = words(&have.item.headline);
                have.item.id.clone()
            }
        };
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let write = all.into_iter().filter(|story| story.changed).map(|story| story.item).collect();
    Absorbed { write, ids }
}

struct Story {
    item: NewsItem,
    words: BTreeSet<String>,
    changed: bool,
}

impl Story {
    fn tells(&self, other: &Self) -> bool {
        let apart = self.item.published_at.nanos_since(other.item.published_at).abs();
        apart <= SAME_STORY_NANOS && alike(&self.words, &other.words)
    }
}

/// Whether `have` changed.
fn merge(have: &mut NewsItem, other: &NewsItem) -> bool {
    let before = have.clone();
    for symbol in &other.symbols {
        if !have.symbols.contains(symbol) {
            have.symbols.push(symbol.clone());
        }
    }
    if have.id == other.id && have.provider == other.provider {
        have.headline.clone_from(&other.headline);
        have.summary.clone_from(&other.summary);
    }
    if have.summary.is_empty() {
        have.summary.clone_from(&other.summary);
    }
    // An exact time is worth more than a guess.
    if have.approximate && !other.approximate {
        (have.published_at, have.approximate) = (other.published_at, false);
    }
    *have != before
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn item(id: &str, headline: &str, hour: i64) -> NewsItem {
        NewsItem {
            id: id.to_owned(),
            headline: headline.to_owned(),
            summary: String::new(),
            url: format!("https://x.example/{id}"),
            source: "x.example".to_owned(),
            provider: "brave".to_owned(),
            symbols: Vec::new(),
            published_at: Timestamp::from_secs(1_700_000_000 + hour * 3_600),
            approximate: false,
            fetched_at: Timestamp::from_secs(1_800_000_000),
        }
    }

    #[test]
    fn stories_are_the_same_by_address_or_nearly_the_same_headline() {
        let first = item("a", "Apple raises price target of iPhone maker to $28", 0);
        for (other, same) in [
            (item("a", "Something else entirely", 900), true),
            (item("b", "APPLE raises price target of iPhone-maker to $28!", 20), true),
            (item("b", "Apple raises the price target of iPhone maker to $28", 20), true),
            (item("b", "Apple raises price target of iPhone maker to $32", 20), false),
            (item("b", "Apple raises price target of iPhone maker to $28", 49), false),
            (item("b", "Apple cuts its outlook", 0), false),
        ] {
            assert_eq!(same_story(&first, &other), same, "{}", other.headline);
            assert_eq!(same_story(&other, &first), same, "{}", other.headline);
        }
        let short = |id| item(id, "Stocks to watch", 0);
        assert!(!same_story(&short("a"), &short("b")), "a headline that comes every day");
    }

    #[test]
    fn the_first_one_stays_and_becomes_richer() {
        let known = NewsItem { approximate: true, ..item("a", "The central bank raises rates again", 0) };
        let again = NewsItem {
            provider: "alpaca".to_owned(),
            symbols: vec!["SPY".to_owned()],
            summary: "By a quarter.".to_owned(),
            ..item("b", "Central bank raises rates again", 1)
        };
        let other = item("c", "Oil falls below seventy dollars", 2);
        let absorbed = absorb(std::slice::from_ref(&known), &[other.clone(), again.clone(), other.clone()]);
        assert_eq!(absorbed.ids, ["c", "a"]);
        let richer = NewsItem {
            symbols: again.symbols,
            summary: again.summary,
            published_at: again.published_at,
            approximate: false,
            ..known
        };
        assert_eq!(absorbed.write, [richer.clone(), other.clone()]);
        // Told again it changes nothing.
        let told = absorb(&[richer, other.clone()], &[other]);
        assert_eq!(told, Absorbed { write: Vec::new(), ids: vec!["c".to_owned()] });
    }

    proptest! {
        #[test]
        fn absorbing_twice_changes_nothing(told in prop::collection::vec((0u8..6, 0usize..4, 0i64..90), 0..20)) {
            const HEADLINES: [&str; 4] = [
                "Rates rise again in the euro area", "Rates rise again in the euro area today", "Oil falls",
                "A bank reports a loss of 3 billion",
            ];
            let told: Vec<NewsItem> =
                told.into_iter().map(|(id, headline, hour)| item(&id.to_string(), HEADLINES[headline], hour)).collect();
            let once = absorb(&[], &told);
            // Words follow the latest version of an item, so a second round may only repeat what the first ended with.
            let twice = absorb(&once.write, &once.write);
            prop_assert_eq!(twice.write, Vec::<NewsItem>::new());
            let known: BTreeSet<&String> = once.write.iter().map(|item| &item.id).collect();
            prop_assert_eq!(once.ids.iter().collect::<BTreeSet<_>>(), known);
        }
    }
}
