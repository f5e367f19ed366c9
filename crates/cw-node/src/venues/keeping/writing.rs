//! From what a venue told to the tables.

use std::collections::BTreeMap;

use cw_core::{Candle, InstrumentId, Timeframe, Timestamp};
use cw_market::{Delivery, FeedEvent, Told};
use cw_store::{Page, Source, SourceKind, StoreError, TimeRange};

use super::Keeping;

/// Candles of one instrument that came in one way, with the ranges that they settle.
type Parts = BTreeMap<(InstrumentId, &'static str), (SourceKind, Vec<Candle>)>;
impl Keeping<'_> {
    /// Writes what was told.
    pub(super) async fn write(&mut self, batch: &[Told]) -> Result<(), StoreError> {
        let mut covered: BTreeMap<InstrumentId, Vec<TimeRange>> = BTreeMap::new();
        let mut parts: Parts = BTreeMap::new();
        let now = self.shared.clock.now();
        for told in batch {
            match told {
                Told::Candle { instrument, candle, delivery } => {
                    let kind = match delivery {
                        Delivery::Streamed => SourceKind::Streamed,
                        Delivery::Backfilled => SourceKind::Backfilled,
                        Delivery::Revised => SourceKind::Revised,
                    };
                    if kind == SourceKind::Backfilled {
                        self.ledger.backfilled(instrument, candle.open_time);
                    }
                    // A revision says nothing about what lies around it.
                    if kind != SourceKind::Revised {
                        self.settle(instrument, Timeframe::M1.close_time(candle.open_time), &mut covered);
                    }
                    self.shared.venues.heard(instrument, now);
                    parts.entry((instrument.clone(), kind.as_str())).or_insert((kind, Vec::new())).1.push(*candle);
                }
                Told::Gap { instrument, from, to, reason } => {
                    tracing::warn!(target: "venues", %instrument, %from, %to, reason, "a gap that the venue cannot fill");
                    self.settle(instrument, *from, &mut covered);
                    self.settled.insert(instrument.clone(), *to);
                    self.ledger.gap(instrument, *from, *to, reason, now);
                    self.ledger.settled(instrument, *to);
                }
                Told::Outage { instrument, from, to, reason } => {
                    self.ledger.back(instrument, *from, *to, reason, now);
                }
                Told::Settled { instrument, to } => self.settle(instrument, *to, &mut covered),
                Told::Event(FeedEvent::Lost { at, instruments, reason }) => {
                    instruments.iter().for_each(|id| self.ledger.lost(id, *at, reason, now));
                }
                Told::Event(_) => {}
            }
        }
        self.write_parts(parts, covered).await?;
        self.shared.store.put_outages(&self.ledger.take()).await
    }

    /// Everything of an instrument before `to` is told.
    fn settle(&mut self, id: &InstrumentId, to: Timestamp, covered: &mut BTreeMap<InstrumentId, Vec<TimeRange>>) {
        let begin = self.settled.get(id).copied().unwrap_or(to);
        if begin < to {
            self.settled.insert(id.clone(), to);
            let ranges = covered.entry(id.clone()).or_default();
            match ranges.last_mut().filter(|last| last.to == begin) {
                Some(last) => last.to = to,
                None => ranges.push(TimeRange::new(begin, to)),
            }
        }
        self.ledger.settled(id, to.max(begin));
    }

    async fn write_parts(
        &self,
        parts: Parts,
        mut covered: BTreeMap<InstrumentId, Vec<TimeRange>>,
    ) -> Result<(), StoreError> {
        let store = &self.shared.store;
        let page =
            |id: &InstrumentId, kind| (Source::new(self.provider.source(id), kind), self.provider.adjustment(id));
        let mut last_part: BTreeMap<&InstrumentId, SourceKind> = BTreeMap::new();
        for ((id, _), (kind, _)) in &parts {
            last_part.insert(id, *kind);
        }
        for ((id, _), (kind, candles)) in &parts {
            let (source, adjustment) = page(id, *kind);
            // The ranges go with the last of an instrument's candles: then all that they cover is there.
            let last = last_part.get(id) == Some(kind);
            let ranges = if last { covered.remove(id).unwrap_or_default() } else { Vec::new() };
            let page = Page { candles, source: &source, covered: &ranges, adjustment };
            store.write_page(id, Timeframe::M1, page).await?;
            if let (Some(first), Some(last)) = (candles.first(), candles.last()) {
                let range = TimeRange::new(first.open_time, Timeframe::M1.close_time(last.open_time));
                store.update_gaps(id, Timeframe::M1, range).await?;
            }
        }
        for (id, ranges) in covered {
            let (source, adjustment) = page(&id, SourceKind::Backfilled);
            store
                .write_page(&id, Timeframe::M1, Page { candles: &[], source: &source, covered: &ranges, adjustment })
                .await?;
        }
        Ok(())
    }
}
