//! One instrument's candles: a pure function of seed and minute.

use std::sync::Arc;

use cw_core::{Candle, Instrument, InstrumentId, Price, Quantity, Quote, Timestamp, Trade, Volume};

use super::activity::{ActivityClock, UNITS_PER_MINUTE};
use super::book::Depth;
use super::catalog::{LISTINGS, Listing};
use super::hash;
use super::noise::Path;
use super::ticks::{self, Tick};

pub(super) const MINUTE: i64 = 60 * Timestamp::NANOS_PER_SECOND;
const WEEKS_PER_YEAR: f64 = 52.178_57;
/// Jumps come at most once per instrument in this many minutes (four days) and wear off over the next as many.
const JUMP_PERIOD: i64 = 5_760;
/// No trade id of a minute is reused in the next: more trades than this never fall into one.
pub(super) const MOST_TRADES: u32 = 4_000;
const IDS_PER_MINUTE: u64 = 4_096;

/// The simulated market for one seed. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SimMarket {
    seed: u64,
    stocks: Arc<Vec<Stock>>,
}

/// What is fixed about one instrument under one seed.
#[derive(Debug)]
pub(super) struct Stock {
    pub(super) listing: &'static Listing,
    pub(super) instrument: Instrument,
    pub(super) key: u64,
    clock: Arc<ActivityClock>,
    shared_path: Path,
    own_path: Path,
    /// Log price per unit of the shared and of the own path.
    shared_scale: f64,
    own_scale: f64,
}

impl std::fmt::Debug for Listing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.symbol)
    }
}

/// Where the price stands between two minutes.
#[derive(Debug, Clone, Copy)]
struct Boundary {
    minute: i64,
    /// Variance of log price per unit of activity, here.
    variance: f64,
    activity: u32,
    /// Close of the minute before, in ticks: jumps at this moment are not in it.
    close: i64,
    /// Open of the minute that begins, before its jitter.
    open: f64,
}

/// One minute in ticks and lots.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct MinuteBar {
    pub(super) minute: i64,
    pub(super) open: i64,
    pub(super) high: i64,
    pub(super) low: i64,
    pub(super) close: i64,
    pub(super) lots: i64,
    pub(super) trades: u32,
    pub(super) spread: i64,
    /// Expected movement over the minute, in ticks.
    pub(super) deviation: f64,
    pub(super) key: u64,
}

/// Reads one instrument's minutes, cheapest in order.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    stock: &'a Stock,
    shared_path: Path,
    own_path: Path,
    last: Option<Boundary>,
}

impl SimMarket {
    pub fn new(seed: u64) -> Self {
        let clock = |class| Arc::new(ActivityClock::new(class));
        use cw_core::AssetClass::{Crypto, Equity, Fx, Metal};
        let clocks = [(Crypto, clock(Crypto)), (Equity, clock(Equity)), (Fx, clock(Fx)), (Metal, clock(Metal))];
        let root = hash::key(hash::mix(seed), hash::name("simulated market"));
        let stock = |listing: &'static Listing| {
            let (class_index, clock) = clocks
                .iter()
                .enumerate()
                .find_map(|(index, (class, clock))| (*class == listing.class).then(|| (index, Arc::clone(clock))))
                .expect("every class in the table has a clock");
            let per_unit = listing.volatility / (WEEKS_PER_YEAR * f64::from(clock.per_week())).sqrt();
            let key = hash::key(root, hash::name(listing.symbol));
            Stock {
                listing,
                instrument: listing.instrument(),
                key,
                clock,
                shared_path: Path::new(hash::key(root, class_index as u64)),
                own_path: Path::new(hash::key(key, 1)),
                shared_scale: per_unit * listing.shared,
                own_scale: per_unit * (1.0 - listing.shared * listing.shared).sqrt(),
            }
        };
        Self { seed, stocks: Arc::new(LISTINGS.iter().map(stock).collect()) }
    }

    pub const fn seed(&self) -> u64 {
        self.seed
    }

    pub fn instruments(&self) -> impl ExactSizeIterator<Item = &Instrument> {
        self.stocks.iter().map(|stock| &stock.instrument)
    }

    pub fn instrument(&self, id: &InstrumentId) -> Option<&Instrument> {
        self.stock(id).map(|stock| &stock.instrument)
    }

    pub(super) fn stock(&self, id: &InstrumentId) -> Option<&Stock> {
        self.stocks.iter().find(|stock| stock.instrument.id == *id)
    }

    pub(super) fn stocks(&self) -> &[Stock] {
        &self.stocks
    }

    /// The 1m candle of the minute that `time` lies in; `None` for an unknown instrument or a time before 1970.
    pub fn candle(&self, id: &InstrumentId, time: Timestamp) -> Option<Candle> {
        let (stock, minute) = self.place(id, time)?;
        Some(stock.candle(&stock.reader().bar(minute)))
    }

    /// The trades of the minute that `time` lies in, in order. They realise exactly [`Self::candle`].
    pub fn trades(&self, id: &InstrumentId, time: Timestamp) -> Option<Vec<Trade>> {
        let (stock, minute) = self.place(id, time)?;
        let bar = stock.reader().bar(minute);
        Some(ticks::of(&bar).iter().map(|tick| stock.trade(&bar, tick)).collect())
    }

    /// Best bid and ask as they stand at `time`, with the time they came about.
    pub fn quote(&self, id: &InstrumentId, time: Timestamp) -> Option<Quote> {
        let (stock, minute) = self.place(id, time)?;
        let mut reader = stock.reader();
        let bar = reader.bar(minute);
        let since = (time.as_nanos() - minute * MINUTE) as u64;
        let ticks = ticks::of(&bar);
        let done = ticks.partition_point(|tick| tick.offset <= since);
        if done > 0 {
            return Some(stock.quote(&bar, &ticks[done - 1]));
        }
        let before = reader.bar(minute - 1);
        ticks::of(&before).last().map(|tick| stock.quote(&before, tick))
    }

    /// Twenty levels to each side of [`Self::quote`].
    pub fn depth(&self, id: &InstrumentId, time: Timestamp) -> Option<Depth> {
        let quote = self.quote(id, time)?;
        Some(Depth::around(&quote, self.stock(id)?, time))
    }

    fn place(&self, id: &InstrumentId, time: Timestamp) -> Option<(&Stock, i64)> {
        let minute = time.as_nanos().div_euclid(MINUTE);
        Some((self.stock(id)?, minute)).filter(|_| minute >= JUMP_PERIOD)
    }
}

impl Stock {
    pub(super) fn reader(&self) -> Reader<'_> {
        Reader { stock: self, shared_path: self.shared_path.clone(), own_path: self.own_path.clone(), last: None }
    }

    pub(super) fn price(&self, ticks: i64) -> Price {
        Price::from_raw(ticks * self.listing.tick)
    }

    pub(super) fn quantity(&self, lots: i64) -> Quantity {
        Quantity::from_raw(i128::from(lots) * i128::from(self.listing.lot))
    }

    pub(super) fn candle(&self, bar: &MinuteBar) -> Candle {
        Candle {
            open_time: Timestamp::from_nanos(bar.minute * MINUTE),
            open: self.price(bar.open),
            high: self.price(bar.high),
            low: self.price(bar.low),
            close: self.price(bar.close),
            volume: Volume::from(self.quantity(bar.lots)),
        }
    }

    pub(super) fn trade(&self, bar: &MinuteBar, tick: &Tick) -> Trade {
        Trade {
            event_time: Timestamp::from_nanos(bar.minute * MINUTE + tick.offset as i64),
            price: self.price(tick.price),
            qty: self.quantity(tick.lots),
            aggressor: Some(tick.aggressor),
            trade_id: bar.minute as u64 * IDS_PER_MINUTE + u64::from(tick.number) + 1,
        }
    }

    pub(super) fn quote(&self, bar: &MinuteBar, tick: &Tick) -> Quote {
        let (bid, ask) = tick.bid_and_ask(bar.spread);
        let usual = (self.listing.volume_lots / self.listing.trades * 3.0).max(1.0);
        let size = |stream: u64| {
            let spread_out = hash::unit(hash::at(bar.key ^ stream, u64::from(tick.number)));
            self.quantity((usual * (0.2 + 2.0 * spread_out * spread_out)) as i64 + 1)
        };
        Quote {
            event_time: Timestamp::from_nanos(bar.minute * MINUTE + tick.offset as i64),
            bid: self.price(bid),
            ask: self.price(ask),
            bid_qty: size(0xb1d),
            ask_qty: size(0xa5c),
        }
    }

    /// The part of the log price that jumps have left behind: just before the beginning of `minute`, and just after.
    fn jump(&self, minute: i64) -> (f64, f64) {
        let effect = |period: i64, minute: i64, or_at: bool| {
            let bits = hash::at(hash::key(self.key, 2), period as u64);
            if bits >> 62 != 0 {
                return 0.0;
            }
            let moment = period * JUMP_PERIOD + (hash::mix(bits) % JUMP_PERIOD as u64) as i64;
            let age = minute - moment;
            if age < 0 || (age == 0 && !or_at) || age >= JUMP_PERIOD {
                return 0.0;
            }
            // About half a day's movement, wearing off as a straight line.
            let size = hash::normal(bits) * self.listing.volatility / 38.0;
            size * (JUMP_PERIOD - age) as f64 / JUMP_PERIOD as f64
        };
        let period = minute / JUMP_PERIOD;
        let older = effect(period - 1, minute, true);
        (older + effect(period, minute, false), older + effect(period, minute, true))
    }
}

impl<'a> Reader<'a> {
    pub(super) const fn stock(&self) -> &'a Stock {
        self.stock
    }

    fn boundary(&mut self, minute: i64) -> Boundary {
        if let Some(last) = self.last
            && last.minute == minute
        {
            return last;
        }
        let stock = self.stock;
        let (time, activity) = stock.clock.at(minute);
        // A handful of straight pieces per minute, however long the minute is.
        let resolution = activity.ilog2().saturating_sub(1);
        let shared = self.shared_path.at(time, resolution);
        let own = self.own_path.at(time, resolution);
        let (shared_rate, own_rate) = (stock.shared_scale * shared.volatility, stock.own_scale * own.volatility);
        let log = stock.shared_scale * shared.value + stock.own_scale * own.value;
        let (jump_before, jump_after) = stock.jump(minute);
        let in_ticks = |log: f64| stock.listing.level * 1e9 / stock.listing.tick as f64 * libm::exp(log);
        let before = in_ticks(log + jump_before);
        let open = if jump_after.to_bits() == jump_before.to_bits() { before } else { in_ticks(log + jump_after) };
        let boundary = Boundary {
            minute,
            variance: shared_rate * shared_rate + own_rate * own_rate,
            activity,
            close: (before.round_ties_even() as i64).max(1),
            open,
        };
        self.last = Some(boundary);
        boundary
    }

    /// The candle of a minute, and what its trades need.
    pub(super) fn bar(&mut self, minute: i64) -> MinuteBar {
        let begin = self.boundary(minute);
        let end = self.boundary(minute + 1);
        let listing = self.stock.listing;
        let key = hash::at(self.stock.key, minute as u64);
        let [b0, b1, b2, b3, b4] = [1, 2, 3, 4, 5].map(|stream| hash::at(key, stream));

        // The first trade seldom hits exactly where the last one was.
        let jitter = listing.spread_ticks as f64 * (hash::unit(b0) - 0.5);
        let open = ((begin.open + jitter).round_ties_even() as i64).max(1);
        let close = end.close;
        let units = f64::from(begin.activity);
        let deviation = begin.open * (begin.variance * units).sqrt();
        // Highest and lowest point of a Brownian bridge from open to close.
        let (from, to) = (open as f64, close as f64);
        let reach = |bits: u64| {
            let across = to - from;
            (across * across - 2.0 * deviation * deviation * libm::log(hash::unit(bits))).sqrt()
        };
        let high = ((from + to + reach(b1)) * 0.5).round_ties_even() as i64;
        let low = ((from + to - reach(b2)) * 0.5).round_ties_even() as i64;
        let (high, low) = (high.max(open).max(close), low.min(open).min(close).max(1));

        let busy = units / f64::from(UNITS_PER_MINUTE);
        // A minute that moves more than expected trades more.
        let unrest = ((high - low) as f64 / (1.6 * deviation + 1.0)).min(4.0);
        let wildness = (begin.variance
            / (self.stock.shared_scale * self.stock.shared_scale + self.stock.own_scale * self.stock.own_scale))
            .sqrt();
        let trades = listing.trades * busy.sqrt() * (0.5 + 0.8 * unrest) * (0.6 + 0.8 * hash::unit(b3));
        let trades = (trades as u32).clamp(4, MOST_TRADES);
        let volume = listing.volume_lots
            * busy
            * (0.3 + 0.7 * unrest)
            * (0.5 + 0.5 * wildness)
            * libm::exp(0.55 * hash::normal(b4) - 0.15);
        let spread = listing.spread_ticks as f64 * (0.6 + 0.4 * wildness) * (1.0 / busy).sqrt().clamp(0.8, 2.0);
        MinuteBar {
            minute,
            open,
            high,
            low,
            close,
            lots: (volume as i64).max(i64::from(trades)),
            trades,
            spread: (spread.round_ties_even() as i64).max(1),
            deviation,
            key,
        }
    }
}
