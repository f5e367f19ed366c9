//! Where candles come from, and what was not taken.

use cw_api::ApiError;
use cw_api::commands::data::GapReason;
use cw_api::commands::sources::{
    Freshness, GapList, GapRow, GapState, GetProvenance, ListGaps, ListQuarantine, Provenance, ProvenanceKind,
    ProvenanceSegment, QuarantineList, QuarantinedRow,
};
use cw_core::{InstrumentId, Timeframe, Timestamp};
use cw_market::{Pacing, Provider, ProviderState};
use cw_store::{CandleQuery, Outage, OutageQuery, OutageState, SortOrder, SourceKind, StoredCandle};

use super::fetch::Known;
use super::history::{ceil, made_of};
use super::{FILE, Market};
use crate::shared::storage;

/// Candles that are told about when no range is named.
const NEWEST: u32 = 500;
/// The longest range, in stored candles.
const MOST: u32 = 200_000;
/// A venue that was not heard for longer tells nothing new.
const SILENCE: i64 = 60 * Timestamp::NANOS_PER_SECOND;

impl Market {
    pub(super) async fn gaps(&self, request: ListGaps) -> Result<GapList, ApiError> {
        let ListGaps { instrument, venue, from, to, state, limit } = request;
        let state = state.map(|state| match state {
            GapState::Open => OutageState::Open,
            GapState::Backfilled => OutageState::Backfilled,
            GapState::Gap => OutageState::Gap,
        });
        let limit = limit.unwrap_or(200).min(10_000);
        let query = OutageQuery { instrument, venue, from, to, state, limit };
        let (total, rows) = self.shared.store.outages(&query).await.map_err(storage)?;
        Ok(GapList { total, gaps: rows.into_iter().map(gap_row).collect() })
    }

    pub(super) async fn quarantined(&self, request: ListQuarantine) -> Result<QuarantineList, ApiError> {
        let ListQuarantine { provider, limit } = request;
        let limit = limit.unwrap_or(200).min(10_000);
        let store = &self.shared.store;
        let (mut total, rows) = store.refused(provider.as_deref(), limit).await.map_err(storage)?;
        let mut rows: Vec<QuarantinedRow> = rows
            .into_iter()
            .map(|row| QuarantinedRow {
                time: row.last_time,
                first_time: row.first_time,
                provider: row.provider,
                reason: row.reason,
                text: row.raw,
                count: row.count,
                place: None,
            })
            .collect();
        if provider.as_deref().is_none_or(|provider| provider == FILE) {
            let lines = store.quarantine(limit).await.map_err(storage)?;
            total += lines.len() as u64;
            rows.extend(lines.into_iter().map(|line| QuarantinedRow {
                time: line.imported_at,
                first_time: line.imported_at,
                provider: FILE.to_owned(),
                reason: line.reason,
                text: line.raw,
                count: 1,
                place: Some(format!("{} line {}", line.file, line.line)),
            }));
            rows.sort_by_key(|row| std::cmp::Reverse(row.time));
            rows.truncate(limit as usize);
        }
        Ok(QuarantineList { total, rows })
    }

    pub(super) async fn provenance_of(&self, request: GetProvenance) -> Result<Provenance, ApiError> {
        let GetProvenance { instrument, timeframe, from, to } = request;
        self.instrument(&instrument).await?;
        let base = self.base_of(&instrument, timeframe).await?;
        let ratio = u32::try_from(timeframe.approx_nanos() / base.approx_nanos().max(1)).unwrap_or(1).max(1);
        let query = CandleQuery {
            from: from.map(|from| ceil(timeframe, from)),
            to: to.map(|to| ceil(timeframe, to)),
            limit: Some(if from.is_some() { MOST } else { NEWEST.saturating_mul(ratio).min(MOST) }),
            order: SortOrder::NewestFirst,
        };
        let store = &self.shared.store;
        let mut candles = store.read_stored_candles(&instrument, base, &query).await.map_err(storage)?;
        candles.reverse();
        let series = store.coverage(Some(&instrument)).await.map_err(storage)?;
        let series = series.into_iter().find(|series| series.channel == base.to_string());
        let known = match &series {
            Some(series) => Some(Known::of(self, series).await?),
            None => None,
        };
        let segments = segments(base, &candles, known.as_ref());
        let (freshness, last_update) = self.freshness(&instrument);
        let age = |at: Timestamp| self.shared.clock.now().nanos_since(at).max(0) as f64 / 1e9;
        let notice = self.venue_of(&instrument).map(|provider| provider.capabilities().notice);
        Ok(Provenance {
            provider: self.provider_of(&instrument),
            freshness,
            adjustment: series.and_then(|series| series.adjustment),
            notice: notice.filter(|notice| !notice.is_empty()).map(str::to_owned),
            last_update,
            last_update_age_s: last_update.map(age),
            gap_count: segments.iter().filter(|s| s.kind == ProvenanceKind::Gap).count() as u64,
            revised_count: candles.iter().filter(|candle| candle.revision > 0).count() as u64,
            segments,
            instrument,
            timeframe,
        })
    }

    /// The stored timeframe that candles of this one are made of.
    async fn base_of(&self, instrument: &InstrumentId, timeframe: Timeframe) -> Result<Timeframe, ApiError> {
        let calendar = self.calendar_of(instrument).await?;
        let base = Self::base_at_venue(instrument, calendar, timeframe);
        let have = self.stored_timeframes(instrument).await?;
        if base == timeframe && have.contains(&timeframe) {
            return Ok(timeframe);
        }
        Ok(made_of(&have, calendar, timeframe, base).unwrap_or(timeframe))
    }

    fn freshness(&self, instrument: &InstrumentId) -> (Freshness, Option<Timestamp>) {
        let now = self.shared.clock.now();
        if self.is_simulated(instrument) {
            return (Freshness::Simulated, self.shared.sim.status().last_event);
        }
        let heard = self.shared.venues.last_heard(instrument);
        let Some(provider) = self.venue_of(instrument).filter(|_| self.shared.venues.is_followed(instrument)) else {
            return (Freshness::Stored, heard);
        };
        let status = provider.status();
        let message = status.connection.and_then(|link| link.last_message);
        let silent = message.is_none_or(|at| now.nanos_since(at) > SILENCE);
        let freshness = match (status.state, provider.capabilities().pacing) {
            (ProviderState::Live, Pacing::Delayed) => Freshness::Delayed,
            (ProviderState::Live, _) if !silent => Freshness::Live,
            _ => Freshness::Stale,
        };
        (freshness, heard)
    }
}

fn gap_row(row: Outage) -> GapRow {
    GapRow {
        venue: row.instrument.venue().to_owned(),
        instrument: row.instrument,
        from: row.from,
        to: row.to,
        state: match row.state {
            OutageState::Open => GapState::Open,
            OutageState::Backfilled => GapState::Backfilled,
            OutageState::Gap => GapState::Gap,
        },
        reason: row.reason,
        candles: row.candles,
        noted_at: row.noted_at,
    }
}

const fn kind_of(kind: SourceKind) -> ProvenanceKind {
    match kind {
        SourceKind::Streamed => ProvenanceKind::Streamed,
        SourceKind::Backfilled => ProvenanceKind::Backfilled,
        SourceKind::Revised => ProvenanceKind::Revised,
        SourceKind::Imported => ProvenanceKind::Imported,
        SourceKind::Simulated => ProvenanceKind::Simulated,
    }
}

/// Candles side by side that came from the same provider in the same way, and the gaps between them. A stretch in which
/// nobody traded is no gap.
fn segments(timeframe: Timeframe, candles: &[StoredCandle], known: Option<&Known>) -> Vec<ProvenanceSegment> {
    let mut segments: Vec<ProvenanceSegment> = Vec::new();
    for StoredCandle { candle, source, .. } in candles {
        let (from, to) = (candle.open_time, timeframe.close_time(candle.open_time));
        if let (Some(last), Some(known)) = (segments.last().map(|last| last.to), known)
            && last < from
            && let Some(gap) = gap(last, from, known)
        {
            segments.push(gap);
        }
        let kind = kind_of(source.kind);
        match segments.last_mut() {
            Some(last) if last.kind == kind && last.provider.as_deref() == Some(&source.provider) => {
                last.to = to;
                last.candles += 1;
            }
            _ => segments.push(ProvenanceSegment {
                from,
                to,
                kind,
                provider: Some(source.provider.clone()),
                candles: 1,
                reason: None,
            }),
        }
    }
    segments
}

fn gap(from: Timestamp, to: Timestamp, known: &Known) -> Option<ProvenanceSegment> {
    let reason = match known.reason(from, to) {
        GapReason::Lost => {
            let lost = known.lost.iter().find(|gap| gap.from < to && gap.to.is_none_or(|end| from < end));
            lost.map_or_else(|| "lost".to_owned(), |gap| gap.reason.clone())
        }
        GapReason::NotFetched => "nobody was asked".to_owned(),
        GapReason::NoTrades | GapReason::Unknown => return None,
    };
    Some(ProvenanceSegment { from, to, kind: ProvenanceKind::Gap, provider: None, candles: 0, reason: Some(reason) })
}

#[cfg(test)]
mod tests {
    use cw_core::{Candle, Price, Volume};
    use cw_store::Source;

    use super::*;

    #[test]
    fn candles_of_one_origin_are_one_segment() {
        use ProvenanceKind::{Backfilled, Revised, Streamed};

        let candle = |minute: i64, kind| StoredCandle {
            candle: Candle {
                open_time: Timestamp::from_secs(minute * 60),
                open: Price::from_raw(1),
                high: Price::from_raw(1),
                low: Price::from_raw(1),
                close: Price::from_raw(1),
                volume: Volume::ZERO,
            },
            source: Source::new("A", kind),
            revision: 0,
        };
        let candles = [
            candle(0, SourceKind::Backfilled),
            // Nobody traded in minute 1.
            candle(2, SourceKind::Backfilled),
            candle(3, SourceKind::Streamed),
            candle(4, SourceKind::Revised),
            candle(5, SourceKind::Streamed),
        ];
        let found = segments(Timeframe::M1, &candles, None);
        let summary: Vec<_> = found.iter().map(|s| (s.from.as_secs() / 60, s.to.as_secs() / 60, s.kind)).collect();
        assert_eq!(summary, [(0, 3, Backfilled), (3, 4, Streamed), (4, 5, Revised), (5, 6, Streamed)]);
    }
}
