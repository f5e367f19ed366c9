//! Does the simulated market look like a market, and is it the same one everywhere? What `mock test` runs.

use cw_core::{InstrumentId, Timestamp};
use serde::Serialize;

use super::market::{MINUTE, MinuteBar, SimMarket, Stock};
use super::ticks;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub passed: bool,
    pub value: String,
    pub expected: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub seed: u64,
    pub passed: bool,
    /// BLAKE3 of all candles and trades of [`HASHED_MINUTES`] minutes: equal on every machine for one seed.
    pub hash: String,
    pub checks: Vec<Check>,
}

/// Monday 2024-03-04, a week before New York's clocks change: both kinds of week are in what is looked at.
const BEGIN: Timestamp = Timestamp::from_secs(1_709_510_400);
const HASHED_MINUTES: i64 = 240;
const DAYS: i64 = 42;
const PER_DAY: i64 = 1_440;

/// Runs every check. Takes about a second.
pub fn test(seed: u64) -> Report {
    let market = SimMarket::new(seed);
    let begin = BEGIN.as_nanos() / MINUTE;
    let bars: Vec<Vec<MinuteBar>> = market
        .stocks()
        .iter()
        .map(|stock| {
            let mut reader = stock.reader();
            (begin..begin + DAYS * PER_DAY).map(|minute| reader.bar(minute)).collect()
        })
        .collect();
    let hash = hash(&market, begin);
    let mut checks = vec![
        deterministic(seed, begin, &hash),
        trades_realise_candles(&market, &bars),
        last_between_bid_and_ask(&market, &bars),
        volatility(&market, &bars),
        heavy_tails(&bars),
        clustering(&bars),
        correlation(&market, &bars),
        regimes(&bars),
        spreads(&market, &bars),
        volumes(&market, &bars),
        levels(&market),
        rate(&bars, begin),
    ];
    checks.push(gaps(&market, &bars));
    Report { seed, passed: checks.iter().all(|check| check.passed), hash: hash.to_hex().to_string(), checks }
}

fn check(name: &'static str, passed: bool, value: String, expected: impl Into<String>) -> Check {
    Check { name, passed, value, expected: expected.into() }
}

/// Whether the smallest and the largest of some values lie where they should.
fn within(name: &'static str, values: impl Iterator<Item = f64>, low: f64, high: f64) -> Check {
    let (min, max) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(min, max), v| (min.min(v), max.max(v)));
    check(name, min >= low && max <= high, format!("{min:.3} to {max:.3}"), format!("{low} to {high}"))
}

fn hash(market: &SimMarket, begin: i64) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    let mut trades = Vec::new();
    for stock in market.stocks() {
        hasher.update(stock.listing.symbol.as_bytes());
        let mut reader = stock.reader();
        for minute in begin..begin + HASHED_MINUTES {
            let bar = reader.bar(minute);
            ticks::fill(&bar, &mut trades);
            for number in [bar.open, bar.high, bar.low, bar.close, bar.lots, bar.spread] {
                hasher.update(&number.to_le_bytes());
            }
            for tick in &trades {
                for number in [tick.offset as i64, tick.price, tick.lots, tick.aggressor as i64] {
                    hasher.update(&number.to_le_bytes());
                }
            }
        }
    }
    hasher.finalize()
}

/// A second market, read in another order, gives the same bytes.
fn deterministic(seed: u64, begin: i64, hash_before: &blake3::Hash) -> Check {
    let market = SimMarket::new(seed);
    let mut same = hash(&market, begin) == *hash_before;
    for stock in market.stocks() {
        let mut onwards = stock.reader();
        let mut jumping = stock.reader();
        for step in 0..HASHED_MINUTES {
            let minute = begin + (step * 97) % HASHED_MINUTES;
            same &= jumping.bar(minute) == stock.reader().bar(minute);
            same &= onwards.bar(begin + step) == stock.reader().bar(begin + step);
        }
    }
    let value = if same { "same bytes" } else { "different bytes" };
    check("determinism", same, value.to_owned(), "same bytes in any order of reading")
}

fn trades_realise_candles(market: &SimMarket, bars: &[Vec<MinuteBar>]) -> Check {
    let (mut minutes, mut wrong) = (0, 0);
    for (stock, bars) in market.stocks().iter().zip(bars) {
        for bar in bars.iter().step_by(211) {
            let ticks = ticks::of(bar);
            let trades = ticks.iter().map(|tick| stock.trade(bar, tick));
            let candle = trades.fold(None::<cw_core::Candle>, |so_far, trade| {
                let single = cw_core::Candle {
                    open_time: Timestamp::from_nanos(bar.minute * MINUTE),
                    open: trade.price,
                    high: trade.price,
                    low: trade.price,
                    close: trade.price,
                    volume: trade.qty.into(),
                };
                Some(so_far.map_or(single, |so_far| cw_core::Candle {
                    open: so_far.open,
                    high: so_far.high.max(single.high),
                    low: so_far.low.min(single.low),
                    volume: so_far.volume.saturating_add(single.volume),
                    ..single
                }))
            });
            let ordered = ticks.windows(2).all(|pair| pair[0].offset < pair[1].offset);
            let inside = ticks.iter().all(|tick| tick.offset < MINUTE as u64 && tick.lots > 0);
            minutes += 1;
            wrong += i32::from(candle != Some(stock.candle(bar)) || !ordered || !inside);
        }
    }
    check("candle = fold of its trades", wrong == 0, format!("{wrong} of {minutes} differ"), "none differs")
}

fn last_between_bid_and_ask(market: &SimMarket, bars: &[Vec<MinuteBar>]) -> Check {
    let (mut quotes, mut wrong) = (0, 0);
    for (stock, bars) in market.stocks().iter().zip(bars) {
        for bar in bars.iter().step_by(997) {
            for tick in ticks::of(bar) {
                let quote = stock.quote(bar, &tick);
                let price = stock.price(tick.price);
                quotes += 1;
                wrong += i32::from(!(quote.bid <= price && price <= quote.ask && quote.bid < quote.ask));
            }
        }
    }
    check("bid <= last <= ask", wrong == 0, format!("{wrong} of {quotes} outside"), "none outside")
}

/// Log returns over `step` minutes.
fn returns(bars: &[MinuteBar], step: usize) -> Vec<f64> {
    let closes: Vec<f64> = bars.iter().step_by(step).map(|bar| libm::log(bar.close as f64)).collect();
    closes.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1) as f64;
    values.sum::<f64>() / count
}

fn volatility(market: &SimMarket, bars: &[Vec<MinuteBar>]) -> Check {
    let ratio = |(stock, bars): (&Stock, &Vec<MinuteBar>)| {
        let variance = mean(returns(bars, 60).iter().map(|r| r * r)) * 24.0 * 365.25;
        variance.sqrt() / stock.listing.volatility
    };
    within("volatility, realised to nominal", market.stocks().iter().zip(bars).map(ratio), 0.4, 2.5)
}

fn heavy_tails(bars: &[Vec<MinuteBar>]) -> Check {
    let kurtosis = |bars: &Vec<MinuteBar>| {
        let returns = returns(bars, 5);
        let second = mean(returns.iter().map(|r| r * r));
        mean(returns.iter().map(|r| r * r * r * r)) / (second * second)
    };
    within("kurtosis of 5m returns", bars.iter().map(kurtosis), 3.5, 400.0)
}

fn correlate(pairs: &[(f64, f64)]) -> f64 {
    let (a, b) = (mean(pairs.iter().map(|p| p.0)), mean(pairs.iter().map(|p| p.1)));
    let sum = |f: fn(f64, f64) -> f64| pairs.iter().map(|p| f(p.0 - a, p.1 - b)).sum::<f64>();
    sum(|x, y| x * y) / (sum(|x, _| x * x) * sum(|_, y| y * y)).sqrt()
}

/// Wild minutes follow wild minutes, also an hour later.
fn clustering(bars: &[Vec<MinuteBar>]) -> Check {
    let memory = |bars: &Vec<MinuteBar>| {
        let size: Vec<f64> = returns(bars, 5).iter().map(|r| r.abs()).collect();
        let pairs: Vec<_> = size.iter().copied().zip(size.iter().copied().skip(12)).collect();
        correlate(&pairs)
    };
    within("autocorrelation of |5m return| after 1 h", bars.iter().map(memory), 0.02, 0.9)
}

fn correlation(market: &SimMarket, bars: &[Vec<MinuteBar>]) -> Check {
    let series = |symbol: &str| {
        let at = market.stocks().iter().position(|stock| stock.listing.symbol == symbol).expect("a listed symbol");
        returns(&bars[at], 15)
    };
    let between = |a: &str, b: &str| {
        let pairs: Vec<_> = series(a).into_iter().zip(series(b)).collect();
        correlate(&pairs)
    };
    let (crypto, shares, dollar, apart) = (
        between("BTC-PERP", "ETH-PERP"),
        between("AAPL", "SPY"),
        between("EUR/USD", "USD/JPY"),
        between("BTC-PERP", "AAPL"),
    );
    let passed = crypto > 0.5 && shares > 0.4 && dollar < -0.2 && apart.abs() < 0.2;
    check(
        "correlation of 15m returns",
        passed,
        format!("BTC-ETH {crypto:.2}, AAPL-SPY {shares:.2}, EUR/USD-USD/JPY {dollar:.2}, BTC-AAPL {apart:.2}"),
        "> 0.5, > 0.4, < -0.2, within 0.2",
    )
}

/// How straight the way was over each half day: both trends and ranges occur.
fn regimes(bars: &[Vec<MinuteBar>]) -> Check {
    let mut efficiency: Vec<f64> = Vec::new();
    for bars in bars {
        for part in returns(bars, 15).chunks_exact(48) {
            let way = part.iter().map(|r| r.abs()).sum::<f64>();
            if way > 0.0 {
                efficiency.push(part.iter().sum::<f64>().abs() / way);
            }
        }
    }
    let share = |f: fn(f64) -> bool| efficiency.iter().filter(|e| f(**e)).count() as f64 / efficiency.len() as f64;
    let (trends, ranges) = (share(|e| e > 0.25), share(|e| e < 0.08));
    check(
        "half days that trend, that range",
        trends > 0.05 && ranges > 0.2,
        format!("{:.0} %, {:.0} %", trends * 100.0, ranges * 100.0),
        "> 5 %, > 20 %",
    )
}

fn spreads(market: &SimMarket, bars: &[Vec<MinuteBar>]) -> Check {
    let basis_points = |(_, bars): (&Stock, &Vec<MinuteBar>)| {
        mean(bars.iter().map(|bar| bar.spread as f64 / bar.close as f64 * 10_000.0))
    };
    within("mean spread, basis points", market.stocks().iter().zip(bars).map(basis_points), 0.05, 10.0)
}

fn volumes(market: &SimMarket, bars: &[Vec<MinuteBar>]) -> Check {
    let ratio = |(stock, bars): (&Stock, &Vec<MinuteBar>)| {
        mean(bars.iter().map(|bar| bar.lots as f64)) / stock.listing.volume_lots
    };
    within("volume, mean to nominal", market.stocks().iter().zip(bars).map(ratio), 0.5, 2.5)
}

/// Prices stay in a region around their level for ever: one look every ten days from 2015 to 2035.
fn levels(market: &SimMarket) -> Check {
    let mut ratios = Vec::new();
    for stock in market.stocks() {
        let mut reader = stock.reader();
        for look in 0..730 {
            let bar = reader.bar(23_667_840 + look * 10 * PER_DAY);
            ratios.push(bar.close as f64 * stock.listing.tick as f64 / 1e9 / stock.listing.level);
        }
    }
    within("price to level, 2015 to 2035", ratios.into_iter(), 0.2, 5.0)
}

/// Trades and as many quotes, over all instruments, on a Wednesday from 15:00 to 16:00 UTC and on a Saturday.
fn rate(bars: &[Vec<MinuteBar>], begin: i64) -> Check {
    let per_second = |day: i64, hour: i64| {
        let first = (day * PER_DAY + hour * 60) as usize;
        debug_assert_eq!(bars[0][first].minute, begin + first as i64);
        bars.iter().flat_map(|bars| &bars[first..first + 60]).map(|bar| f64::from(bar.trades)).sum::<f64>() * 2.0
            / 3_600.0
    };
    within("events per second, busy and quiet hour", [per_second(2, 15), per_second(5, 12)].into_iter(), 60.0, 600.0)
}

/// Mostly a candle opens about where the last one closed; now and then it jumps.
fn gaps(market: &SimMarket, bars: &[Vec<MinuteBar>]) -> Check {
    let (mut far, mut all) = (0, 0);
    for (stock, bars) in market.stocks().iter().zip(bars) {
        for pair in bars.windows(2) {
            all += 1;
            far += i32::from((pair[1].open - pair[0].close).abs() > stock.listing.spread_ticks + 1);
        }
    }
    check("jumps between candles", far > 0 && far < all / 2_000, format!("{far} of {all}"), "a few, under 0.05 %")
}

impl SimMarket {
    /// All instruments' ids, for callers that subscribe to everything.
    pub fn ids(&self) -> Vec<InstrumentId> {
        self.instruments().map(|instrument| instrument.id.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed once; another value on some machine means that its arithmetic differs.
    #[test]
    fn the_bytes_of_a_seed_never_change() {
        assert_eq!(test(1).hash, "87ccbfcc6e5ad63ecb330ead51589dced436d107bc6dab738b37b885e228fbd2");
        assert_ne!(test(2).hash, test(1).hash);
    }

    #[test]
    fn the_market_passes_its_own_checks() {
        for seed in [0, 1, 42, u64::MAX] {
            let report = test(seed);
            let failed: Vec<_> = report.checks.iter().filter(|check| !check.passed).collect();
            assert!(failed.is_empty(), "seed {seed}: {failed:#?}");
        }
    }
}
