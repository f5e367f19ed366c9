//! Sessions, and recordings of what feeds bring.

use std::sync::Arc;

use async_trait::async_trait;
use cw_api::commands::{sessions, ticks};
use cw_api::services::Feeds;
use cw_api::{ApiError, Caller, FileContent};
use cw_core::{Candle, InstrumentId, Timeframe, Timestamp};
use cw_market::{Aggregator, CandleUpdate};
use cw_store::{Recording, TapeKind, TapeReader, ticks_csv};

use super::market::Market;
use crate::recorder::whole;
use crate::shared::{Shared, storage};

const DEFAULT_SESSIONS: u32 = 5;
const MOST_SESSIONS: u32 = 366;
const DEFAULT_CANDLES: u32 = 500;
/// Trades in a recording may be so much out of order.
const LATENESS_NS: i64 = 5 * Timestamp::NANOS_PER_SECOND;

pub(crate) struct FeedService {
    shared: Arc<Shared>,
    market: Arc<Market>,
}

impl FeedService {
    pub fn new(shared: Arc<Shared>, market: Arc<Market>) -> Self {
        Self { shared, market }
    }

    async fn list(&self) -> Result<ticks::RecordingList, ApiError> {
        self.shared.recorder.written().await;
        let tapes = self.shared.recorder.tapes().clone();
        let written = apart(move || tapes.list().map_err(storage)).await?;
        let state = self.shared.recorder.state();
        let view = |id: &InstrumentId| {
            let (recording, dropped) =
                state.iter().find(|(known, ..)| known == id).map_or((false, 0), |(_, active, lost)| (*active, *lost));
            let on_disk = written.iter().find(|written| written.instrument == *id);
            let count = |of: fn(&Recording) -> u64| on_disk.map_or(0, of);
            ticks::RecordingView {
                instrument: id.clone(),
                recording,
                first: on_disk.map(|written| written.first),
                last: on_disk.map(|written| written.last),
                events: count(|written| written.events),
                bytes: count(|written| written.bytes),
                segments: on_disk.map_or(0, |written| written.segments),
                dropped,
            }
        };
        let active = state.iter().filter(|(_, active, _)| *active).map(|(id, ..)| id);
        let mut ids: Vec<&InstrumentId> = written.iter().map(|written| &written.instrument).chain(active).collect();
        ids.sort();
        ids.dedup();
        Ok(ticks::RecordingList {
            recordings: ids.into_iter().map(view).collect(),
            bytes: written.iter().map(|written| written.bytes).sum(),
            max_bytes: self.shared.recorder.max_bytes,
        })
    }

    async fn reader(
        &self,
        id: &InstrumentId,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Result<TapeReader, ApiError> {
        self.shared.recorder.written().await;
        let (from, to) = whole(from, to);
        self.shared.recorder.tapes().read(id, from, to).map_err(storage)
    }
}

/// Runs work on files away from the threads that answer people.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> Result<T, ApiError> + Send + 'static) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)?
}

#[async_trait]
impl Feeds for FeedService {
    async fn sessions(&self, _: &Caller, request: sessions::GetSessions) -> Result<sessions::MarketSessions, ApiError> {
        let limit = request.limit.unwrap_or(DEFAULT_SESSIONS);
        if limit > MOST_SESSIONS {
            return Err(ApiError::invalid("limit", format!("limit must be at most {MOST_SESSIONS}, not {limit}")));
        }
        let instrument = self.market.instrument(&request.instrument).await?;
        let simulated = self.market.is_simulated(&instrument.id);
        let now = if simulated { self.market.now() } else { self.shared.clock.now() };
        let (calendar, at) = (instrument.calendar(), request.at.unwrap_or(now));
        let running = calendar.span_at(at).session;
        let follow = |session: &cw_core::Session| calendar.session_from(session.close);
        let first = running.or_else(|| calendar.session_from(at));
        let view = |session: cw_core::Session| sessions::SessionView {
            date: session.date.to_string(),
            open: session.open,
            close: session.close,
            half_day: session.half_day,
        };
        Ok(sessions::MarketSessions {
            instrument: instrument.id,
            calendar,
            at,
            phase: calendar.phase(at),
            opens: calendar.next_open(at),
            closes: calendar.next_close(at),
            sessions: std::iter::successors(first, follow).take(limit as usize).map(view).collect(),
        })
    }

    async fn start_recording(
        &self,
        _: &Caller,
        request: ticks::StartRecording,
    ) -> Result<ticks::RecordingList, ApiError> {
        self.shared.writable()?;
        if !self.shared.recorder.is_running() {
            return Err(ApiError::unavailable("no feed runs here; start the engine to record one"));
        }
        if request.instruments.is_empty() {
            return Err(ApiError::invalid("instruments", "name at least one instrument"));
        }
        for id in &request.instruments {
            self.market.instrument(id).await?;
        }
        request.instruments.iter().for_each(|id| self.shared.recorder.start(id));
        self.list().await
    }

    async fn stop_recording(
        &self,
        _: &Caller,
        request: ticks::StopRecording,
    ) -> Result<ticks::RecordingList, ApiError> {
        let running: Vec<InstrumentId> =
            self.shared.recorder.state().into_iter().filter(|(_, active, _)| *active).map(|(id, ..)| id).collect();
        if let Some(unknown) = request.instruments.iter().flatten().find(|id| !running.contains(id)) {
            return Err(ApiError::not_found(format!("running recording of {unknown}")).with_field("instruments"));
        }
        for id in request.instruments.as_ref().unwrap_or(&running) {
            self.shared.recorder.stop(id).await;
        }
        self.list().await
    }

    async fn list_recordings(&self, _: &Caller, _: ticks::ListRecordings) -> Result<ticks::RecordingList, ApiError> {
        self.list().await
    }

    async fn replay_ticks(&self, _: &Caller, request: ticks::ReplayTicks) -> Result<ticks::TickReplay, ApiError> {
        let ticks::ReplayTicks { instrument, timeframe, from, to, limit } = request;
        let calendar = self.market.instrument(&instrument).await?.calendar();
        let reader = self.reader(&instrument, from, to).await?;
        let aggregator = Aggregator::new(&[timeframe], LATENESS_NS).with_calendar(calendar);
        let mut replay = apart(move || replay(reader, aggregator, instrument, timeframe)).await?;
        if replay.breaks + replay.trades + replay.quotes == 0 {
            return Err(ApiError::not_found(format!("recording of {} there", replay.instrument)));
        }
        let keep = limit.unwrap_or(DEFAULT_CANDLES) as usize;
        replay.candles.drain(..replay.candles.len().saturating_sub(keep));
        Ok(replay)
    }

    async fn export_ticks(&self, _: &Caller, request: ticks::ExportTicks) -> Result<FileContent, ApiError> {
        let quotes = request.kind.unwrap_or_default() == ticks::TickKind::Quotes;
        let reader = self.reader(&request.instrument, request.from, request.to).await?;
        let bytes = apart(move || ticks_csv(reader, quotes).map_err(storage)).await?;
        Ok(FileContent { content_type: "text/csv; charset=utf-8", bytes: bytes.into() })
    }
}

/// Candles of a recording: of its trades, or of its quotes' middle when it has no trades.
fn replay(
    mut reader: TapeReader,
    mut of_trades: Aggregator,
    instrument: InstrumentId,
    timeframe: Timeframe,
) -> Result<ticks::TickReplay, ApiError> {
    let mut of_quotes = of_trades.clone();
    let (mut from_trades, mut from_quotes) = (Vec::new(), Vec::new());
    let mut answer = ticks::TickReplay {
        instrument,
        timeframe,
        trades: 0,
        quotes: 0,
        breaks: 0,
        lost: 0,
        damaged_bytes: 0,
        discarded: 0,
        candles: Vec::new(),
    };
    let (mut events, mut seq) = (Vec::new(), 0);
    while reader.next(&mut events).map_err(storage)? {
        for event in events.drain(..) {
            seq += 1;
            match event.kind {
                TapeKind::Trade(trade) => {
                    answer.trades += 1;
                    of_trades.on_trade(&trade, seq, &mut |update| take(&mut from_trades, update));
                }
                TapeKind::Quote(quote) => {
                    answer.quotes += 1;
                    // A recording with trades makes no candles of its quotes.
                    if answer.trades == 0 {
                        of_quotes.on_quote(&quote, seq, &mut |update| take(&mut from_quotes, update));
                    }
                }
                TapeKind::Break { lost } => {
                    answer.breaks += 1;
                    answer.lost += lost;
                }
            }
        }
    }
    let (aggregator, mut candles) = if answer.trades > 0 { (of_trades, from_trades) } else { (of_quotes, from_quotes) };
    candles.extend(aggregator.forming(timeframe).map(|forming| forming.so_far));
    let discarded = aggregator.discarded();
    answer.discarded = discarded.duplicate + discarded.too_late + discarded.invalid;
    answer.damaged_bytes = reader.damaged();
    answer.candles = candles;
    Ok(answer)
}

fn take(candles: &mut Vec<Candle>, update: CandleUpdate) {
    match update {
        CandleUpdate::Closed { candle, .. } => candles.push(candle),
        CandleUpdate::Revised { candle, .. } => {
            let at = candles.partition_point(|known| known.open_time < candle.open_time);
            match candles.get_mut(at) {
                Some(known) if known.open_time == candle.open_time => *known = candle,
                _ => candles.insert(at, candle),
            }
        }
        CandleUpdate::Gap { .. } | CandleUpdate::Stale { .. } => {}
    }
}
