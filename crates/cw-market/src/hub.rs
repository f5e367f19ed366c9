//! Candles of many instruments on one worker, told to listeners that may be slow.
//!
//! Taking an event in never waits for anybody: a listener has a mailbox of fixed size. Forming candles are conflated
//! there, the newest of an instrument wins; closed candles and revisions queue up, and when there are too many of them
//! the oldest go, counted and marked as missed, so that who listens knows what to ask the store for.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use cw_core::{Calendar, Candle, FormingCandle, InstrumentId, MarketEvent, MarketEventKind, Timeframe, Timestamp};
use tokio::sync::Notify;

use crate::aggregator::{Aggregator, CandleUpdate, Discarded, Verdict};

/// One worker's instruments. They come and go while it runs.
#[derive(Debug)]
pub struct Hub {
    timeframes: Vec<Timeframe>,
    lateness: i64,
    slots: BTreeMap<InstrumentId, Aggregator>,
    listeners: Vec<Weak<Mailbox>>,
    seq: u64,
}

impl Hub {
    /// Every instrument gets these timeframes; see [`Aggregator::new`].
    pub fn new(timeframes: &[Timeframe], lateness: i64) -> Self {
        Self { timeframes: timeframes.to_vec(), lateness, slots: BTreeMap::new(), listeners: Vec::new(), seq: 0 }
    }

    /// Takes an instrument in; false when it is there already.
    pub fn add(&mut self, id: &InstrumentId, calendar: Calendar) -> bool {
        let new = !self.slots.contains_key(id);
        if new {
            let aggregator = Aggregator::new(&self.timeframes, self.lateness).with_calendar(calendar);
            self.slots.insert(id.clone(), aggregator);
        }
        new
    }

    /// Lets an instrument go with everything that is kept of it; false when it is not there.
    pub fn remove(&mut self, id: &InstrumentId) -> bool {
        let known = self.slots.remove(id).is_some();
        if known {
            self.each_listener(|mailbox| {
                let mut held = mailbox.lock();
                held.forming.remove(id);
                held.missed.retain(|(of, _), _| of != id);
            });
        }
        known
    }

    pub fn len(&self) -> usize {
        self.slots.len()
    }

    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// A mailbox for what happens from now on, with room for `capacity` closed candles and revisions. Dropping it ends it.
    pub fn listen(&mut self, capacity: usize) -> Listener {
        let mailbox = Arc::new(Mailbox { capacity: capacity.max(1), ..Mailbox::default() });
        self.listeners.push(Arc::downgrade(&mailbox));
        Listener(mailbox)
    }

    /// Counts a trade, or a quote of an instrument without trades. `None` for an instrument that is not here.
    pub fn on_event(&mut self, event: &MarketEvent) -> Option<Verdict> {
        let aggregator = self.slots.get_mut(&event.instrument)?;
        self.seq += 1;
        let (seq, id, listeners) = (self.seq, &event.instrument, &self.listeners);
        let mut out = |update| tell(listeners, id, update);
        let verdict = match &event.kind {
            MarketEventKind::Trade(trade) => aggregator.on_trade(trade, seq, &mut out),
            MarketEventKind::Quote(quote) => aggregator.on_quote(quote, seq, &mut out),
        };
        if verdict == Verdict::Accepted
            && let Some(forming) = self.timeframes.iter().min().and_then(|finest| aggregator.forming(*finest))
        {
            for mailbox in self.listeners.iter().filter_map(Weak::upgrade) {
                mailbox.form(&event.instrument, forming);
            }
        }
        Some(verdict)
    }

    /// Closes what is over at `now`; see [`Aggregator::advance`].
    pub fn advance(&mut self, now: Timestamp) {
        let listeners = &self.listeners;
        for (id, aggregator) in &mut self.slots {
            aggregator.advance(now, &mut |update| tell(listeners, id, update));
        }
        self.listeners.retain(|mailbox| mailbox.strong_count() > 0);
    }

    pub fn forming(&self, id: &InstrumentId, timeframe: Timeframe) -> Option<FormingCandle> {
        self.slots.get(id)?.forming(timeframe)
    }

    /// Events of an instrument that went into no candle.
    pub fn discarded(&self, id: &InstrumentId) -> Option<Discarded> {
        self.slots.get(id).map(Aggregator::discarded)
    }

    fn each_listener(&self, mut act: impl FnMut(&Mailbox)) {
        self.listeners.iter().filter_map(Weak::upgrade).for_each(|mailbox| act(&mailbox));
    }
}

fn tell(listeners: &[Weak<Mailbox>], id: &InstrumentId, update: CandleUpdate) {
    for mailbox in listeners.iter().filter_map(Weak::upgrade) {
        mailbox.post(id, update);
    }
}

/// What a listener missed of one timeframe: `count` updates about candles in [`from`, `to`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed {
    pub from: Timestamp,
    pub to: Timestamp,
    pub count: u64,
}

/// What was in a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mail {
    /// What had to be thrown away before `updates`.
    pub missed: BTreeMap<(InstrumentId, Timeframe), Missed>,
    /// In order, as the aggregator said them.
    pub updates: VecDeque<(InstrumentId, CandleUpdate)>,
    /// The newest forming candle of the finest timeframe, of instruments where it changed.
    pub forming: BTreeMap<InstrumentId, FormingCandle>,
}

#[derive(Debug, Default)]
struct Mailbox {
    capacity: usize,
    held: Mutex<Mail>,
    filled: Notify,
}

impl Mailbox {
    fn lock(&self) -> MutexGuard<'_, Mail> {
        // Nothing in here can be left half done.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn form(&self, id: &InstrumentId, forming: FormingCandle) {
        let mut held = self.lock();
        match held.forming.get_mut(id) {
            Some(known) => *known = forming,
            None => drop(held.forming.insert(id.clone(), forming)),
        }
        drop(held);
        self.filled.notify_one();
    }

    fn post(&self, id: &InstrumentId, update: CandleUpdate) {
        let mut held = self.lock();
        if held.updates.len() == self.capacity
            && let Some((id, oldest)) = held.updates.pop_front()
        {
            held.miss(id, &oldest);
        }
        held.updates.push_back((id.clone(), update));
        drop(held);
        self.filled.notify_one();
    }
}

impl Mail {
    pub fn is_empty(&self) -> bool {
        self.updates.is_empty() && self.forming.is_empty() && self.missed.is_empty()
    }

    fn miss(&mut self, id: InstrumentId, update: &CandleUpdate) {
        let span = |timeframe: Timeframe, candle: &Candle| {
            (timeframe, candle.open_time, timeframe.close_time(candle.open_time))
        };
        let (timeframe, from, to) = match update {
            CandleUpdate::Closed { timeframe, candle, .. } | CandleUpdate::Revised { timeframe, candle, .. } => {
                span(*timeframe, candle)
            }
            CandleUpdate::Gap { timeframe, from, to } => (*timeframe, *from, *to),
            CandleUpdate::Stale { timeframe, open_time } => (*timeframe, *open_time, timeframe.close_time(*open_time)),
        };
        let missed = self.missed.entry((id, timeframe)).or_insert(Missed { from, to, count: 0 });
        *missed = Missed { from: missed.from.min(from), to: missed.to.max(to), count: missed.count + 1 };
    }
}

/// The reading side of a mailbox.
#[derive(Debug)]
pub struct Listener(Arc<Mailbox>);

impl Listener {
    /// Empties the mailbox.
    pub fn take(&self) -> Mail {
        std::mem::take(&mut *self.0.lock())
    }

    /// Waits until there is something in the mailbox, and empties it.
    pub async fn next(&self) -> Mail {
        loop {
            let mail = self.take();
            if !mail.is_empty() {
                return mail;
            }
            self.0.filled.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use cw_core::{Price, Quantity, Trade};

    use super::*;

    const SECOND: i64 = Timestamp::NANOS_PER_SECOND;

    fn id(n: usize) -> InstrumentId {
        format!("S{n}.TEST").parse().unwrap()
    }

    fn trade(n: usize, second: i64) -> MarketEvent {
        let event_time = Timestamp::from_secs(1_700_000_000 + second);
        let (price, qty) = (Price::from_raw(1_000 + second % 7), Quantity::from_raw(1));
        let trade = Trade { event_time, price, qty, aggressor: None, trade_id: 0 };
        MarketEvent { instrument: id(n), received_at: event_time, kind: MarketEventKind::Trade(trade) }
    }

    #[test]
    fn a_stalled_listener_costs_others_nothing_and_learns_what_it_missed() {
        let mut hub = Hub::new(&[Timeframe::S1, Timeframe::M1], 0);
        hub.add(&id(0), Calendar::Continuous);
        hub.add(&id(1), Calendar::Continuous);
        let (stalled, awake) = (hub.listen(10), hub.listen(10));
        let mut heard = Vec::new();
        for second in 0..200 {
            hub.on_event(&trade(0, second));
            if second % 2 == 0 {
                hub.on_event(&trade(1, second));
            }
            let mail = awake.take();
            assert!(mail.missed.is_empty());
            heard.extend(mail.updates);
        }
        let late = stalled.take();
        assert_eq!(late.updates.len(), 10);
        assert!(
            heard.ends_with(late.updates.iter().cloned().collect::<Vec<_>>().as_slice()),
            "the newest are there, in order"
        );
        let missed: u64 = late.missed.values().map(|missed| missed.count).sum();
        assert_eq!(missed as usize + late.updates.len(), heard.len(), "nothing goes without being counted");
        let seconds = late.missed[&(id(0), Timeframe::S1)];
        assert_eq!(seconds.from, Timestamp::from_secs(1_700_000_000));
        let first_kept = late.updates.iter().find_map(|(of, update)| match update {
            CandleUpdate::Closed { timeframe: Timeframe::S1, candle, .. } if *of == id(0) => Some(candle.open_time),
            _ => None,
        });
        assert_eq!(Some(seconds.to), first_kept, "what was missed ends where what is there begins");
        assert_eq!(late.forming.len(), 2, "one forming candle each, the newest");
        assert_eq!(late.forming[&id(0)].as_of, Timestamp::from_secs(1_700_000_199));
        assert!(stalled.take().is_empty());
    }

    #[tokio::test]
    async fn who_waits_is_woken() {
        let mut hub = Hub::new(&[Timeframe::M1], 0);
        hub.add(&id(0), Calendar::Continuous);
        let listener = hub.listen(4);
        let (mail, ()) = tokio::join!(listener.next(), async {
            tokio::task::yield_now().await;
            hub.on_event(&trade(0, 0));
        });
        assert_eq!(mail.forming[&id(0)].so_far.open.raw(), 1_000);
    }

    #[test]
    fn instruments_come_and_go_and_leave_nothing() {
        let mut hub = Hub::new(&[Timeframe::S1, Timeframe::M1], SECOND);
        let listener = hub.listen(4);
        for round in 0..20 {
            (0..500).for_each(|n| assert!(hub.add(&id(n), Calendar::Continuous)));
            assert!(!hub.add(&id(3), Calendar::Continuous));
            (0..500).for_each(|n| {
                (0..3).for_each(|second| assert!(hub.on_event(&trade(n, round * 3 + second)).is_some()));
            });
            (0..500).for_each(|n| assert!(hub.remove(&id(n))));
            assert!(!hub.remove(&id(3)) && hub.is_empty());
            assert_eq!(hub.on_event(&trade(3, 0)), None);
            let held = listener.0.lock();
            assert!(held.forming.is_empty() && held.missed.is_empty() && held.updates.len() <= 4);
        }
        let gone = hub.listen(4);
        drop((gone, listener));
        hub.advance(Timestamp::from_secs(1_700_000_100));
        assert!(hub.listeners.is_empty());
    }
}
