//! Which trades were already counted.

use serde::{Deserialize, Serialize};

/// How many trade ids are remembered. A trade whose id is older than all of them cannot be told from a repetition.
const REMEMBERED: usize = 1024;

/// What is known about a trade id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    New,
    Repeated,
    /// Older than everything remembered.
    Forgotten,
}

/// The last ids of one venue's running numbers, in order of arrival.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct SeenIds {
    newest: u64,
    /// The highest id that was overwritten.
    forgotten: u64,
    /// Where the next id goes once the ring is full.
    at: usize,
    ring: Vec<u64>,
}

impl SeenIds {
    /// Records `id`, which is not zero, unless it was there.
    #[inline]
    pub(crate) fn admit(&mut self, id: u64) -> Seen {
        if self.admit_newer(id) { Seen::New } else { self.admit_older(id) }
    }

    /// Records `id` if it is newer than all others; false = [`Self::admit`] has to look.
    #[inline]
    pub(crate) fn admit_newer(&mut self, id: u64) -> bool {
        let newer = id > self.newest;
        if newer {
            self.newest = id;
            self.push(id);
        }
        newer
    }

    #[inline(never)]
    fn admit_older(&mut self, id: u64) -> Seen {
        if self.ring.contains(&id) {
            return Seen::Repeated;
        }
        if id <= self.forgotten {
            return Seen::Forgotten;
        }
        self.push(id);
        Seen::New
    }

    #[inline]
    fn push(&mut self, id: u64) {
        if let Some(slot) = self.ring.get_mut(self.at) {
            self.forgotten = self.forgotten.max(*slot);
            *slot = id;
            self.at = (self.at + 1) % REMEMBERED;
        } else {
            self.grow(id);
        }
    }

    #[cold]
    fn grow(&mut self, id: u64) {
        if self.ring.capacity() < REMEMBERED {
            self.ring.reserve_exact(REMEMBERED - self.ring.len());
        }
        self.ring.push(id);
        self.at = self.ring.len() % REMEMBERED;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_a_bounded_number_of_ids() {
        let mut seen = SeenIds::default();
        for id in 1..=REMEMBERED as u64 {
            assert_eq!(seen.admit(id * 2), Seen::New);
            assert_eq!(seen.admit(id * 2), Seen::Repeated);
        }
        assert_eq!(seen.admit(3), Seen::New, "an id between two known ones");
        assert_eq!(seen.admit(3), Seen::Repeated);
        assert_eq!(seen.admit(1), Seen::Forgotten, "2 was overwritten by 3, so 1 may have been too");
        assert_eq!(seen.ring.len(), REMEMBERED);
    }
}
