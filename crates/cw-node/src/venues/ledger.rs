//! Which stretches a venue's streams missed, and what became of them.

use std::collections::BTreeMap;

use cw_core::{InstrumentId, Timeframe, Timestamp};
use cw_store::{Outage, OutageState};

/// The outages of one venue's followed instruments that are not settled yet.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    open: BTreeMap<InstrumentId, Vec<Outage>>,
    /// Rows that differ from what is written.
    changed: BTreeMap<(InstrumentId, Timestamp), Outage>,
}

impl Ledger {
    /// What an earlier run of the program left open: it is over now, and what it lost is about to be asked for.
    pub fn resume(&mut self, left: Vec<Outage>, now: Timestamp) {
        for mut outage in left {
            outage.to.get_or_insert(now);
            self.put(outage);
        }
    }

    /// The stream of an instrument is away.
    pub fn lost(&mut self, instrument: &InstrumentId, from: Timestamp, reason: &str, now: Timestamp) {
        let rows = self.open.get(instrument).map_or(&[][..], Vec::as_slice);
        if rows.iter().all(|row| row.to.is_some()) {
            self.put(row(instrument, from, None, reason, now));
        }
    }

    /// It is back; what it lost is being asked for.
    pub fn back(&mut self, instrument: &InstrumentId, from: Timestamp, to: Timestamp, reason: &str, now: Timestamp) {
        let away = self.open.get(instrument).and_then(|rows| rows.iter().find(|row| row.to.is_none()));
        let mut outage = away.cloned().unwrap_or_else(|| row(instrument, from, None, reason, now));
        outage.to = Some(to.max(outage.from.plus_nanos(1)));
        self.put(outage);
    }

    /// A minute came by asking.
    pub fn backfilled(&mut self, instrument: &InstrumentId, open_time: Timestamp) {
        let end = Timeframe::M1.close_time(open_time);
        let rows = self.open.get_mut(instrument).into_iter().flatten();
        for row in rows.filter(|row| row.from < end && row.to.is_none_or(|to| open_time < to)) {
            row.candles += 1;
            self.changed.insert((instrument.clone(), row.from), row.clone());
        }
    }

    /// The venue could not say what was in a stretch.
    pub fn gap(&mut self, instrument: &InstrumentId, from: Timestamp, to: Timestamp, reason: &str, now: Timestamp) {
        let touched = self.open.get_mut(instrument).into_iter().flatten();
        for row in touched.filter(|row| row.from < to && row.to.is_none_or(|end| from < end)) {
            row.state = OutageState::Gap;
        }
        let gap = Outage { state: OutageState::Gap, ..row(instrument, from, Some(to), reason, now) };
        self.changed.insert((instrument.clone(), from), gap);
    }

    /// Everything before `to` is told: outages that lie before it are over.
    pub fn settled(&mut self, instrument: &InstrumentId, to: Timestamp) {
        let Some(rows) = self.open.get_mut(instrument) else { return };
        let over = |row: &Outage| row.to.is_some_and(|end| Timeframe::M1.open_time(end) <= to);
        for mut row in rows.extract_if(.., |row| over(row)) {
            if row.state == OutageState::Open {
                row.state = OutageState::Backfilled;
            }
            self.changed.insert((instrument.clone(), row.from), row);
        }
        if rows.is_empty() {
            self.open.remove(instrument);
        }
    }

    /// What has to be written.
    pub fn take(&mut self) -> Vec<Outage> {
        let changed = std::mem::take(&mut self.changed).into_values();
        // A row is marked before it is known how it ends.
        let waiting = |row: &Outage| {
            self.open.get(&row.instrument).is_some_and(|rows| rows.iter().any(|open| open.from == row.from))
        };
        changed.map(|row| if waiting(&row) { Outage { state: OutageState::Open, ..row } } else { row }).collect()
    }

    fn put(&mut self, outage: Outage) {
        self.changed.insert((outage.instrument.clone(), outage.from), outage.clone());
        let rows = self.open.entry(outage.instrument.clone()).or_default();
        match rows.iter_mut().find(|row| row.from == outage.from) {
            Some(known) => *known = outage,
            None => rows.push(outage),
        }
    }
}

pub(super) fn row(
    instrument: &InstrumentId,
    from: Timestamp,
    to: Option<Timestamp>,
    reason: &str,
    noted_at: Timestamp,
) -> Outage {
    let (instrument, reason) = (instrument.clone(), reason.to_owned());
    Outage { instrument, from, to, state: OutageState::Open, reason, candles: 0, noted_at }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_700_000_040 + seconds)
    }

    fn states(ledger: &mut Ledger) -> Vec<(i64, Option<i64>, OutageState, u64)> {
        let seconds = |time: Timestamp| time.as_secs() - at(0).as_secs();
        ledger.take().iter().map(|o| (seconds(o.from), o.to.map(seconds), o.state, o.candles)).collect()
    }

    #[test]
    fn an_outage_is_open_until_everything_before_its_end_is_told() {
        let (id, mut ledger) = ("AAPL.ALPACA".parse().unwrap(), Ledger::default());
        ledger.lost(&id, at(70), "cut", at(71));
        ledger.lost(&id, at(80), "again", at(80));
        assert_eq!(states(&mut ledger), [(70, None, OutageState::Open, 0)]);
        ledger.back(&id, at(70), at(200), "cut", at(200));
        ledger.backfilled(&id, at(0));
        ledger.backfilled(&id, at(60));
        ledger.backfilled(&id, at(120));
        ledger.settled(&id, at(120));
        assert_eq!(states(&mut ledger), [(70, Some(200), OutageState::Open, 2)]);
        // The minute in which it came back is not over; it comes by the stream.
        ledger.settled(&id, at(180));
        assert_eq!(states(&mut ledger), [(70, Some(200), OutageState::Backfilled, 2)]);
        assert!(states(&mut ledger).is_empty());
    }

    #[test]
    fn what_the_venue_cannot_say_is_a_gap_of_the_outage_as_well() {
        let (id, mut ledger) = ("AAPL.ALPACA".parse().unwrap(), Ledger::default());
        ledger.resume(vec![row(&id, at(0), None, "the program ended", at(0))], at(300));
        ledger.gap(&id, at(60), at(120), "not known", at(301));
        assert_eq!(states(&mut ledger), [(0, Some(300), OutageState::Open, 0), (60, Some(120), OutageState::Gap, 0)]);
        ledger.settled(&id, at(300));
        assert_eq!(states(&mut ledger), [(0, Some(300), OutageState::Gap, 0)]);
    }
}
