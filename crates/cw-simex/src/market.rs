//! The market that all dialects show: prices and trades as a function of seed, symbol and minute, or candles of a file.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cw_core::{Candle, Price, Timestamp, Volume};

/// Symbols of a seeded market, by number. The second one is quiet: a third of its minutes have no trade.
pub const SYMBOLS: usize = 3;
pub(crate) const MINUTE: i64 = 60_000_000_000;
const CENT: i64 = 10_000_000;
const UNIT: i128 = 1_000_000_000;

/// One print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Print {
    pub time: Timestamp,
    /// Hundredths.
    pub cents: i64,
    pub qty: i64,
    pub id: u64,
    pub buyer_took: bool,
}

/// Why a file was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ReplayError {
    pub line: usize,
    pub problem: String,
}

#[derive(Debug, Clone)]
enum Source {
    /// Behind an `Arc`, so that who shows the market sees another seed at once.
    Seed(Arc<AtomicU64>),
    /// Candles of the first symbol, by minute.
    Replay(BTreeMap<i64, [i64; 5]>),
}

#[derive(Debug, Clone)]
pub struct Market(Source);

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    z = (z ^ (z >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    z ^ (z >> 33)
}

impl Market {
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seed(Arc::new(AtomicU64::new(seed))))
    }

    /// Makes it the market of another seed, past and future; `false` for one that is replayed from a file.
    pub fn reseed(&self, seed: u64) -> bool {
        match &self.0 {
            Source::Seed(kept) => kept.store(seed, Ordering::Release),
            Source::Replay(_) => return false,
        }
        true
    }

    /// Minutes of one symbol from lines of `open_time,open,high,low,close,volume` (prices with at most two decimals).
    pub fn replay(csv: &str) -> Result<Self, ReplayError> {
        let mut minutes = BTreeMap::new();
        for (number, line) in csv.lines().enumerate().skip(1).filter(|(_, line)| !line.trim().is_empty()) {
            let bad = |problem: &str| ReplayError { line: number + 1, problem: problem.to_owned() };
            let mut cells = line.split(',').map(str::trim);
            let time: Timestamp =
                cells.next().unwrap_or_default().parse().map_err(|_| bad("the first cell is no time"))?;
            let mut values = [0; 5];
            for (place, value) in values.iter_mut().enumerate() {
                let price: Price = cells.next().unwrap_or_default().parse().map_err(|_| bad("a cell is no number"))?;
                *value = if place == 4 { price.raw() / 1_000_000_000 } else { price.raw() / CENT };
            }
            minutes.insert(time.as_nanos().div_euclid(MINUTE), values);
        }
        Ok(Self(Source::Replay(minutes)))
    }

    fn hash(seed: u64, symbol: usize, what: u64, at: i64) -> u64 {
        mix(mix(mix(seed ^ 0x5eed).wrapping_add(symbol as u64 * 0x9e37 + what)).wrapping_add(at as u64))
    }

    /// Hundredths at a second: three waves of different length through random points.
    fn level(seed: u64, symbol: usize, second: i64) -> i64 {
        let waves = [(86_400, 4_000), (3_600, 900), (300, 150), (20, 30)];
        let sum: i64 = waves
            .into_iter()
            .enumerate()
            .map(|(number, (length, height))| {
                let (at, into) = (second.div_euclid(length), second.rem_euclid(length));
                let point = |at| (Self::hash(seed, symbol, number as u64, at) % (2 * height as u64)) as i64 - height;
                (point(at) * (length - into) + point(at + 1) * into) / length
            })
            .sum();
        18_000 + 700 * symbol as i64 + sum
    }

    /// The trades of one minute, in order of time.
    pub(crate) fn prints(&self, symbol: usize, minute: i64) -> Vec<Print> {
        let begin = minute * MINUTE;
        match &self.0 {
            Source::Seed(seed) => {
                let seed = seed.load(Ordering::Acquire);
                let draw = Self::hash(seed, symbol, 100, minute);
                if symbol == 1 && draw.is_multiple_of(3) {
                    return Vec::new();
                }
                let count = 1 + (draw >> 8) % 6;
                let print = |number: u64| {
                    let draw = Self::hash(seed, symbol, 200 + number, minute);
                    let second = (60 * number / count + draw % (60 / count)) as i64;
                    Print {
                        time: Timestamp::from_nanos(begin + second * 1_000_000_000),
                        cents: Self::level(seed, symbol, minute * 60 + second),
                        qty: 1 + (draw >> 16) as i64 % 300,
                        id: (minute as u64) * 16 + number,
                        buyer_took: draw & 0x100 == 0,
                    }
                };
                (0..count).map(print).collect()
            }
            Source::Replay(minutes) => {
                let Some([open, high, low, close, volume]) = minutes.get(&minute).copied().filter(|_| symbol == 0)
                else {
                    return Vec::new();
                };
                let parts = [open, high, low, close].into_iter().enumerate();
                let print = |(number, cents): (usize, i64)| Print {
                    time: Timestamp::from_nanos(begin + number as i64 * 15_000_000_000),
                    cents,
                    qty: if number == 3 { volume - 3 * (volume / 4) } else { volume / 4 },
                    id: (minute as u64) * 16 + number as u64,
                    buyer_took: number % 2 == 0,
                };
                parts.map(print).filter(|print| print.qty > 0).collect()
            }
        }
    }

    /// The last trade before a time, within ten hours.
    pub(crate) fn last_print(&self, symbol: usize, time: Timestamp) -> Option<Print> {
        let minute = time.as_nanos().div_euclid(MINUTE);
        (0..600).find_map(|back| self.prints(symbol, minute - back).into_iter().rfind(|print| print.time < time))
    }

    /// Hundredths of bid and ask at a time.
    pub(crate) fn quote(&self, symbol: usize, time: Timestamp) -> (i64, i64) {
        let minute = time.as_nanos().div_euclid(MINUTE);
        let last = self.prints(symbol, minute).into_iter().rfind(|print| print.time <= time);
        let cents = last.map(|print| print.cents).or_else(|| self.last_before(symbol, minute)).unwrap_or(18_000);
        (cents - 1, cents + 1)
    }

    fn last_before(&self, symbol: usize, minute: i64) -> Option<i64> {
        (1..600).find_map(|back| self.prints(symbol, minute - back).last().map(|print| print.cents))
    }

    /// The candle of a minute: of its trades, or flat where every minute has one.
    pub(crate) fn candle(&self, symbol: usize, minute: i64, dense: bool) -> Option<Candle> {
        let prints = self.prints(symbol, minute);
        let flat =
            || dense.then(|| self.last_before(symbol, minute)).flatten().map(|cents| (cents, cents, cents, cents));
        let cents = || prints.iter().map(|print| print.cents);
        let (open, high, low, close) = match (prints.first(), prints.last()) {
            (Some(first), Some(last)) => (first.cents, cents().max()?, cents().min()?, last.cents),
            _ => flat()?,
        };
        let price = |cents: i64| Price::from_raw(cents * CENT);
        let volume: i64 = prints.iter().map(|print| print.qty).sum();
        Some(Candle {
            open_time: Timestamp::from_nanos(minute * MINUTE),
            open: price(open),
            high: price(high),
            low: price(low),
            close: price(close),
            volume: Volume::from_raw(i128::from(volume) * UNIT),
        })
    }

    /// The truth: closed minutes with open times in [`from`, `to`).
    pub fn candles(&self, symbol: usize, from: Timestamp, to: Timestamp, dense: bool) -> Vec<Candle> {
        let first = -(-from.as_nanos()).div_euclid(MINUTE);
        let last = -(-to.as_nanos()).div_euclid(MINUTE);
        (first..last).filter_map(|minute| self.candle(symbol, minute, dense)).collect()
    }
}

/// Minutes to candles of `length` nanoseconds that begin at multiples of it, shifted by `origin`.
pub(crate) fn fold(minutes: &[Candle], length: i64, origin: i64) -> Vec<Candle> {
    let mut folded: Vec<Candle> = Vec::new();
    for minute in minutes {
        let since = minute.open_time.as_nanos() - origin;
        let open_time = Timestamp::from_nanos(since.div_euclid(length) * length + origin);
        match folded.last_mut() {
            Some(last) if last.open_time == open_time => {
                last.high = last.high.max(minute.high);
                last.low = last.low.min(minute.low);
                last.close = minute.close;
                last.volume = last.volume.saturating_add(minute.volume);
            }
            _ => folded.push(Candle { open_time, ..*minute }),
        }
    }
    folded
}

/// `15Min`, `M15`, `15m`, `1/minute` without their unit: a number, and the unit's minutes.
pub(crate) fn length(count: &str, unit_minutes: i64) -> Option<i64> {
    let count: i64 = if count.is_empty() { 1 } else { count.parse().ok()? };
    (1..=59).contains(&count).then_some(count * unit_minutes * MINUTE)
}

/// Hundredths as a decimal number.
pub(crate) fn decimal(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_is_the_same_market_and_every_candle_is_its_trades() {
        let (a, b) = (Market::seeded(1), Market::seeded(2));
        let from: Timestamp = "2026-03-04".parse().unwrap();
        let to = from.plus_nanos(1_440 * MINUTE);
        assert_eq!(a.candles(0, from, to, false), Market::seeded(1).candles(0, from, to, false));
        assert_ne!(a.candles(0, from, to, false), b.candles(0, from, to, false));
        assert_eq!(a.candles(0, from, to, false).len(), 1_440);
        let quiet = a.candles(1, from, to, false).len();
        assert!((800..1_100).contains(&quiet), "{quiet}");
        assert_eq!(a.candles(1, from, to, true).len(), 1_440);
        for candle in a.candles(1, from, to, true) {
            candle.validate().unwrap();
        }
    }

    #[test]
    fn a_file_is_replayed_as_it_is() {
        let csv = "open_time,open,high,low,close,volume\n2026-03-04T12:00:00Z,10.5,11,10.25,10.75,401\n";
        let market = Market::replay(csv).unwrap();
        let from: Timestamp = "2026-03-04T11:59:00Z".parse().unwrap();
        let [candle] = market.candles(0, from, from.plus_nanos(5 * MINUTE), false)[..] else { panic!() };
        let prices = [candle.open, candle.high, candle.low, candle.close].map(|price| price.to_string());
        assert_eq!(prices, ["10.5", "11", "10.25", "10.75"]);
        assert_eq!(candle.volume.to_string(), "401");
        assert_eq!(Market::replay("h\nx,1").unwrap_err().line, 2);
    }
}
