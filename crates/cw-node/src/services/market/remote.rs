//! Candles of venues behind a network: asked for once, then in the store.

use std::sync::Arc;
use std::time::Duration;

use cw_api::ApiError;
use cw_api::commands::backtests::FetchProgress;
use cw_api::commands::data::FetchedFrom;
use cw_core::{AssetClass, Calendar, Candle, Instrument, InstrumentId, Timeframe, Timestamp};
use cw_market::{CandleRequest, FilterRules, Provider, Purpose, Suspicion};
use cw_store::{Channel, Outage, OutageState, Page, Source, SourceKind, TimeRange};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::asking::Topic;
use super::history::{back, ceil, refused};
use super::{Market, Span, sessions};
use crate::services::jobs::Ticket;
use crate::shared::storage;

/// Markets close for nights and week-ends: for so many candles this many times their length is looked back.
const SLACK: usize = 5;
const DEFAULT_LIMIT: usize = 500;
/// How long a chart that has something to show waits for more.
const PATIENCE: Duration = Duration::from_millis(1_500);
/// What one request may look back for, in candles.
const MOST: usize = 200_000;
/// Candles asked for, and written, at a time: a fetch shows its progress and loses no more than this when it is cut off.
const PAGE: usize = 10_000;

/// What it took to have a range in the store.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Fetched {
    pub candles: u64,
    pub stored: u64,
    pub providers: Vec<FetchedFrom>,
}

impl Fetched {
    pub fn add(&mut self, provider: &str, candles: usize, stored: u64, instead_of: Option<&String>) {
        self.candles += candles as u64;
        self.stored += stored;
        match self.providers.iter_mut().find(|from| from.provider == provider) {
            Some(from) => from.candles += candles as u64,
            None => self.providers.push(FetchedFrom {
                provider: provider.to_owned(),
                candles: candles as u64,
                instead_of: instead_of.cloned(),
            }),
        }
    }
}

/// What was brought of a chart's window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Brought {
    /// Nobody had to be asked.
    Nothing,
    /// All that there is.
    All,
    /// Not all of it yet.
    Behind,
}

/// How far a fetch is, told to whoever watches.
pub(super) struct Meter<'a> {
    ticket: Option<&'a Ticket>,
    progress: FetchProgress,
}

impl<'a> Meter<'a> {
    pub fn new(
        ticket: Option<&'a Ticket>,
        (instrument, timeframe): (&InstrumentId, Timeframe),
        range: TimeRange,
        missing: &[TimeRange],
    ) -> Self {
        let length = timeframe.approx_nanos().max(1);
        let expected = missing.iter().map(|part| (part.to.nanos_since(part.from).max(0) / length) as u64).sum();
        let TimeRange { from, to } = range;
        let done_to = missing.first().map_or(to, |part| part.from);
        let instrument = instrument.clone();
        let progress = FetchProgress { instrument, timeframe, from, to, done_to, candles: 0, expected };
        let meter = Self { ticket, progress };
        meter.tell();
        meter
    }

    pub fn page(&mut self, candles: usize, done_to: Timestamp) {
        self.progress.candles += candles as u64;
        self.progress.done_to = done_to;
        self.tell();
    }

    fn tell(&self) {
        if let Some(ticket) = self.ticket {
            ticket.report_fetch(self.progress.clone());
        }
    }
}

/// Whose candles are brought, and what is believed of them.
struct Series<'a> {
    instrument: &'a InstrumentId,
    timeframe: Timeframe,
    calendar: Calendar,
    rules: FilterRules,
}

/// Whom a fetch asks, in this order. Who has failed is not asked again by the same fetch.
struct Chain {
    links: Vec<(Arc<dyn Provider>, InstrumentId)>,
    turn: usize,
    purpose: Purpose,
    /// What the ones before this turn's said.
    failures: Option<String>,
}

impl Chain {
    /// One page, with who gave it.
    async fn ask(
        &mut self,
        timeframe: Timeframe,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<(&Arc<dyn Provider>, &InstrumentId, Vec<Candle>), ApiError> {
        loop {
            let (provider, id) = &self.links[self.turn];
            let (instrument, purpose) = (id.clone(), self.purpose);
            let request =
                CandleRequest { instrument, timeframe, from: Some(from), to: Some(to), limit: usize::MAX, purpose };
            let error = match provider.candles(&request).await {
                Ok(candles) => {
                    let (provider, id) = &self.links[self.turn];
                    return Ok((provider, id, candles));
                }
                Err(error) => error,
            };
            if self.turn + 1 == self.links.len() {
                return Err(refused(error));
            }
            tracing::warn!(target: "venues", %id, %error, next = self.links[self.turn + 1].0.venue(), "the next provider is asked");
            self.failures.get_or_insert_with(|| error.to_string());
            self.turn += 1;
        }
    }
}

impl Market {
    /// Has every closed candle of [`from`, `to`) in the store that the venue has. Each page is written together with
    /// what it covers and is not asked for again, so that what was cut off goes on where it stopped.
    pub(super) async fn ensure_remote(
        &self,
        provider: &dyn Provider,
        instrument: &InstrumentId,
        timeframe: Timeframe,
        range: TimeRange,
        (purpose, ticket): (Purpose, Option<&Ticket>),
    ) -> Result<Fetched, ApiError> {
        let mut fetched = Fetched::default();
        let range = TimeRange::new(range.from, range.to.min(self.remote_end(provider, timeframe)));
        if range.is_empty() {
            return Ok(fetched);
        }
        let mut missing = self.missing_remote(provider, instrument, timeframe, range).await?;
        if missing.is_empty() {
            return Ok(fetched);
        }
        // What is not over at the venue, whatever our clock says, is not covered by an answer.
        provider.ask_time().await;
        let end = self.remote_end(provider, timeframe);
        missing.retain_mut(|part| {
            part.to = part.to.min(end);
            !part.is_empty()
        });
        self.introduce_remote(provider, instrument).await?;
        let known = self.shared.store.instrument(instrument).await.map_err(storage)?;
        let calendar = known.as_ref().map_or(Calendar::Continuous, Instrument::calendar);
        let rules = FilterRules::of(known.map_or(AssetClass::Other, |known| known.asset_class));
        let series = Series { instrument, timeframe, calendar, rules };
        let mut meter = Meter::new(ticket, (instrument, timeframe), range, &missing);
        let mut chain = Chain { links: self.shared.venues.chain(instrument), turn: 0, purpose, failures: None };
        if chain.links.is_empty() {
            return Err(ApiError::unavailable(format!(
                "none of those that data.priority names for {instrument} is switched on"
            )));
        }
        let page = i64::try_from(provider.capabilities().max_candles.min(PAGE)).unwrap_or(i64::MAX);
        let step = timeframe.approx_nanos().saturating_mul(page);
        for range in missing {
            let mut open = range.from;
            while open < range.to {
                let end = ceil(timeframe, open.plus_nanos(step)).min(range.to);
                let page = TimeRange::new(open, end);
                let asked = self.asking.take(instrument, Topic::Candles(timeframe, page), purpose).await?;
                let mut candles = 0;
                let bringing = async {
                    // Somebody may have brought it in the meantime.
                    let missing = self.missing_remote(provider, instrument, timeframe, page).await?;
                    for part in missing {
                        candles += self.bring(&series, &mut chain, part, &mut fetched).await?;
                    }
                    Ok(())
                };
                let outcome = bringing.await;
                asked.answered(&outcome);
                outcome?;
                meter.page(candles, end);
                open = end;
            }
        }
        Ok(fetched)
    }

    /// Asks for a range and writes what is believed of the answer; how many candles that were.
    async fn bring(
        &self,
        series: &Series<'_>,
        chain: &mut Chain,
        range: TimeRange,
        fetched: &mut Fetched,
    ) -> Result<usize, ApiError> {
        let Series { instrument, timeframe, calendar, rules } = series;
        let (store, timeframe) = (&self.shared.store, *timeframe);
        let (provider, id, mut candles) = chain.ask(timeframe, range.from, range.to).await?;
        if timeframe == Timeframe::D1 && *calendar == Calendar::Nyse {
            sessions::date_by_session(*calendar, &mut candles);
        }
        let source = Source::new(provider.source(id), SourceKind::Backfilled);
        let (candles, refused) = cw_market::believed(&candles, rules);
        let mut covered = Vec::with_capacity(1 + refused.len());
        let mut from = range.from;
        for (candle, suspicion) in &refused {
            let Candle { open_time, open, high, low, close, volume } = candle;
            let words = format!("{id} {timeframe} {open_time} {open} {high} {low} {close} {volume}");
            provider.quarantine(&suspicion.to_string(), &words);
            covered.push(TimeRange::new(from, *open_time));
            from = timeframe.close_time(*open_time);
        }
        covered.push(TimeRange::new(from, range.to));
        covered.retain(|part| !part.is_empty());
        let page = Page { candles: &candles, source: &source, covered: &covered, adjustment: provider.adjustment(id) };
        let written = store.write_page(instrument, timeframe, page).await.map_err(storage)?;
        if timeframe == Timeframe::M1 {
            store.close_gaps(instrument, range).await.map_err(storage)?;
            let noted_at = self.shared.clock.now();
            let gap = |(candle, suspicion): &(Candle, Suspicion)| Outage {
                instrument: (*instrument).clone(),
                from: candle.open_time,
                to: Some(timeframe.close_time(candle.open_time)),
                state: OutageState::Gap,
                reason: suspicion.to_string(),
                candles: 0,
                noted_at,
            };
            let gaps: Vec<Outage> = refused.iter().map(gap).collect();
            store.put_outages(&gaps).await.map_err(storage)?;
        }
        let stored = written.inserted + written.revised;
        fetched.add(&source.provider, candles.len(), stored, chain.failures.as_ref());
        Ok(candles.len())
    }

    /// What nobody answered for yet. A series of the other kind of prices counts for nothing: it is replaced.
    async fn missing_remote(
        &self,
        provider: &dyn Provider,
        instrument: &InstrumentId,
        timeframe: Timeframe,
        range: TimeRange,
    ) -> Result<Vec<TimeRange>, ApiError> {
        let (store, channel) = (&self.shared.store, Channel::Candles(timeframe));
        let kept = store.adjustment(instrument, timeframe).await.map_err(storage)?;
        if kept.is_some_and(|kept| kept != provider.adjustment(instrument)) {
            return Ok(vec![range]);
        }
        store.missing_ranges(instrument, channel, range).await.map_err(storage)
    }

    /// The end of the newest candle that the venue has had time to make.
    pub(super) fn remote_end(&self, provider: &dyn Provider, timeframe: Timeframe) -> Timestamp {
        let delay = i64::from(provider.capabilities().candle_delay_ms) * 1_000_000;
        timeframe.open_time(provider.venue_time(self.shared.clock.now()).plus_nanos(-delay))
    }

    /// Brings what a request is about into the store. A venue that does not answer is no reason not to show what is there.
    pub(super) async fn refresh(
        &self,
        provider: &dyn Provider,
        instrument: &InstrumentId,
        timeframe: Timeframe,
        calendar: Calendar,
        span: Span,
    ) -> Result<(), ApiError> {
        let base = Self::base_at_venue(instrument, calendar, timeframe);
        let to = span
            .to
            .map_or_else(|| self.remote_end(provider, base), |to| ceil(base, sessions::ceil(calendar, timeframe, to)));
        // A session has fewer candles than a day, but a week has five of seven days.
        let slack = if timeframe >= Timeframe::D1 { 2 } else { SLACK };
        let wanted = span.limit.unwrap_or(DEFAULT_LIMIT).saturating_mul(slack).saturating_add(2).min(MOST);
        let from = span.from.unwrap_or_else(|| back(timeframe, to, wanted)).max(back(base, to, MOST));
        let range = TimeRange::new(ceil(base, from), to);
        match self.ensure_remote(provider, instrument, base, range, (Purpose::Look, None)).await {
            Ok(_) => Ok(()),
            Err(error) if self.stored_timeframes(instrument).await?.is_empty() => Err(error),
            Err(error) => {
                tracing::warn!(target: "venues", %instrument, error = error.message, "only what is stored is shown");
                Ok(())
            }
        }
    }

    /// Has what a chart shows brought. When its venue takes its time over that and something to show is stored, the chart
    /// is behind, and it is brought nevertheless.
    pub(super) async fn bring_window(
        &self,
        instrument: &InstrumentId,
        timeframe: Timeframe,
        calendar: Calendar,
        span: Span,
    ) -> Result<Brought, ApiError> {
        let Some(market) = self.me.upgrade().filter(|market| !market.shared.read_only) else {
            return Ok(Brought::Nothing);
        };
        if self.venue_of(instrument).is_none() {
            return Ok(Brought::Nothing);
        }
        let base = Self::base_at_venue(instrument, calendar, timeframe);
        let is_stored = async || self.stored_timeframes(instrument).await.map(|stored| stored.contains(&base));
        // One at a time for a series, however many look at it and however often.
        let mut turn = Box::pin(self.asking.take(instrument, Topic::Window(base), Purpose::Look));
        let asked = match tokio::time::timeout(PATIENCE, &mut turn).await {
            Ok(asked) => asked?,
            Err(_) if is_stored().await? => return Ok(Brought::Behind),
            Err(_) => turn.await?,
        };
        let (tell, mut told) = oneshot::channel();
        let given_up = CancellationToken::new();
        let (id, wanted) = (instrument.clone(), given_up.clone());
        self.shared.supervisor.spawn_until_stopped("bring-candles", async move {
            let bringing = async {
                let Some(provider) = market.venue_of(&id) else { return Ok(()) };
                market.refresh(provider, &id, timeframe, calendar, span).await
            };
            if let Some(outcome) = wanted.run_until_cancelled(bringing).await {
                asked.answered(&outcome);
                // Who looked may have stopped waiting.
                let _gone = tell.send(outcome);
            }
        });
        let unless_detached = given_up.drop_guard();
        let stopped = |_| ApiError::unavailable("the program is stopping");
        if let Ok(outcome) = tokio::time::timeout(PATIENCE, &mut told).await {
            return outcome.map_err(stopped)?.map(|()| Brought::All);
        }
        if is_stored().await? {
            unless_detached.disarm();
            return Ok(Brought::Behind);
        }
        told.await.map_err(stopped)?.map(|()| Brought::All)
    }

    /// Puts an instrument on the list as its venue describes it.
    pub(super) async fn introduce_remote(&self, provider: &dyn Provider, id: &InstrumentId) -> Result<(), ApiError> {
        let known = async || self.shared.store.instrument(id).await.map_err(storage).map(|found| found.is_some());
        if known().await? {
            return Ok(());
        }
        let asked = self.asking.take(id, Topic::Specification, Purpose::Look).await?;
        let describing = async {
            if known().await? {
                return Ok(());
            }
            let mut described = provider.describe(id).await;
            for (other, name) in self.shared.venues.chain(id) {
                if described.is_ok() || name == *id {
                    continue;
                }
                // Whoever gives the candles can say what they are of.
                described = other.describe(&name).await.map(|instrument| Instrument { id: id.clone(), ..instrument });
            }
            self.shared.store.put_instruments(&[described.map_err(refused)?]).await.map_err(storage)
        };
        let outcome = describing.await;
        asked.answered(&outcome);
        outcome
    }
}

#[cfg(test)]
mod tests;
