use cw_core::{Price, Quantity, Ratio, Side, Timeframe, Trade, Volume};
use cw_market::Bars;

use super::*;
use crate::audit::ExitReason;

fn price(value: f64) -> Price {
    Price::from_f64((value * 100.0).round() / 100.0).unwrap()
}

/// A seeded walk with wicks.
fn walk(seed: u64, n: usize) -> Vec<Candle> {
    let mut state = seed;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1u32 << 31)
    };
    let mut close = 100.0;
    (0..n)
        .map(|i| {
            let open = close;
            close = (open + uniform() - 0.5).max(10.0);
            let (up, down) = (uniform() * 0.3, uniform() * 0.3);
            Candle {
                open_time: Timestamp::from_secs(60 * i as i64),
                open: price(open),
                high: price(open.max(close) + up),
                low: price(open.min(close) - down),
                close: price(close),
                volume: Volume::ZERO,
            }
        })
        .collect()
}

fn params(list: &[(&str, &str)]) -> BTreeMap<String, String> {
    list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn setup(strategy: Strategy) -> Setup {
    Setup {
        strategy,
        instrument: Instrument::from_file("TEST.FILE".parse().unwrap(), 2, 3),
        timeframe: Timeframe::M1.into(),
        cash: "10000".parse().unwrap(),
        fills: FillModel::default(),
        limits: Limits::unlimited(),
    }
}

fn ema_cross(list: &[(&str, &str)]) -> Strategy {
    let shipped = Strategy::shipped().iter().find(|s| s.name == "ema-cross").unwrap();
    Strategy::from_toml(shipped.source, &params(list)).unwrap()
}

fn go(setup: &Setup, candles: &[Candle]) -> BacktestResult {
    run(setup, candles, &mut |_| true).unwrap()
}

/// EMA seeded with the mean of the first n closes, as TA-Lib's.
fn ema(closes: &[f64], n: usize) -> Vec<Option<f64>> {
    let k = 2.0 / (n as f64 + 1.0);
    let mut out = vec![None; closes.len()];
    let mut value = closes[..n].iter().sum::<f64>() / n as f64;
    out[n - 1] = Some(value);
    for i in n..closes.len() {
        value = (closes[i] - value) * k + value;
        out[i] = Some(value);
    }
    out
}

/// The contract's ema-cross, written out by hand: (entry index, entry price, exit index, exit price).
fn by_hand(candles: &[Candle], fast: usize, slow: usize) -> Vec<(usize, Price, usize, Price)> {
    let closes: Vec<f64> = candles.iter().map(|c| c.close.to_f64()).collect();
    let (fast, slow) = (ema(&closes, fast), ema(&closes, slow));
    let mut trades = Vec::new();
    let mut open: Option<(usize, Price)> = None;
    for i in 1..candles.len() {
        let (Some(f0), Some(s0), Some(f1), Some(s1)) = (fast[i - 1], slow[i - 1], fast[i], slow[i]) else { continue };
        let Some(next) = candles.get(i + 1) else { break };
        if f0 <= s0 && f1 > s1 && open.is_none() {
            open = Some((i + 1, next.open));
        } else if f0 >= s0
            && f1 < s1
            && let Some((at, price)) = open.take()
        {
            trades.push((at, price, i + 1, next.open));
        }
    }
    if let Some((at, price)) = open {
        trades.push((at, price, candles.len(), candles[candles.len() - 1].close));
    }
    trades
}

#[test]
fn ema_cross_trades_what_its_definition_says() {
    for seed in 1..6 {
        let candles = walk(seed, 3_000);
        let result = go(&setup(ema_cross(&[])), &candles);
        let expected = by_hand(&candles, 10, 20);
        assert!(expected.len() > 50);
        let found: Vec<_> = result
            .trades
            .iter()
            .map(|t| {
                (
                    (t.entry_time.as_secs() / 60) as usize,
                    t.entry_price,
                    (t.exit_time.as_secs() / 60) as usize,
                    t.exit_price,
                )
            })
            .collect();
        assert_eq!(found, expected, "seed {seed}");
        let sum: i128 = expected.iter().map(|t| i128::from(t.3.raw() - t.1.raw())).sum();
        assert_eq!(result.metrics.net_profit.raw(), sum * 1_000_000_000);
        assert!(result.trades.iter().rev().skip(1).all(|t| t.exit_reason == ExitReason::Signal));
    }
}

#[test]
fn with_short_every_cross_reverses() {
    let candles = walk(9, 2_000);
    let result = go(&setup(ema_cross(&[("short", "true")])), &candles);
    assert!(result.trades.windows(2).all(|w| w[0].side != w[1].side && w[0].exit_time == w[1].entry_time));
    assert_eq!(result.denied, 0, "{:?}", result.last_denial);
}

#[test]
fn the_same_run_has_the_same_fingerprint_and_another_has_not() {
    let candles = walk(3, 2_000);
    let one = go(&setup(ema_cross(&[])), &candles);
    assert_eq!(one, go(&setup(ema_cross(&[])), &candles));
    let mut costly = setup(ema_cross(&[]));
    costly.fills.fee = Some(Ratio::from_bps(1));
    for other in [
        go(&setup(ema_cross(&[("fast", "9")])), &candles),
        go(&costly, &candles),
        go(&setup(ema_cross(&[])), &candles[..1_999]),
    ] {
        assert_ne!(one.fingerprint, other.fingerprint);
    }
}

#[test]
fn fees_and_slippage_cost_exactly_what_they_say() {
    let candles = walk(5, 2_000);
    let free = go(&setup(ema_cross(&[])), &candles);
    let mut costly = setup(ema_cross(&[]));
    costly.fills.fee = Some(Ratio::from_bps(10));
    let result = go(&costly, &candles);
    let expected: Amount = free
        .trades
        .iter()
        .flat_map(|t| [t.entry_price, t.exit_price])
        .map(|p| p.notional(Quantity::from_raw(1_000_000_000)).unwrap().scale(Ratio::from_bps(10)).unwrap())
        .sum();
    assert_eq!(result.metrics.fees, expected);
    assert_eq!(result.metrics.net_profit.checked_add(expected).unwrap(), free.metrics.net_profit);
    assert_eq!(result.trades.iter().map(|t| t.fees).sum::<Amount>(), expected);
}

const BRACKET: &str = r#"
name = "bracket"
title = "Bracket"
description = "Buys one with exits"
[entry]
long = "close > open"
[exit]
long = "false"
[stop]
long = "entry - 1"
[target]
long = "entry + 2"
[size]
units = "1"
"#;

#[test]
fn brackets_end_in_stop_or_target_and_never_leave_a_leg_behind() {
    let candles = walk(11, 5_000);
    let strategy = Strategy::from_toml(BRACKET, &BTreeMap::new()).unwrap();
    let result = go(&setup(strategy), &candles);
    let count = |reason| result.trades.iter().filter(|t| t.exit_reason == reason).count();
    assert!(count(ExitReason::StopLoss) > 20 && count(ExitReason::TakeProfit) > 20, "{:?}", result.metrics);
    assert_eq!(count(ExitReason::Signal), 0);
    assert!(result.trades.iter().all(|t| t.side == Side::Buy && t.qty == Quantity::from_raw(1_000_000_000)));
    assert!(result.trades.windows(2).all(|w| w[0].exit_time <= w[1].entry_time));
}

#[test]
fn an_open_position_is_closed_at_the_last_close() {
    let rising: Vec<Candle> = (0..100)
        .map(|i| {
            // Falls, then rises, so that the fast average crosses above once.
            let level = if i < 40 { 100.0 - f64::from(i) } else { 60.0 + f64::from(i - 40) };
            let p = price(level);
            Candle {
                open_time: Timestamp::from_secs(60 * i64::from(i)),
                open: p,
                high: p,
                low: p,
                close: p,
                volume: Volume::ZERO,
            }
        })
        .collect();
    let result = go(&setup(ema_cross(&[])), &rising);
    let last = result.trades.last().unwrap();
    assert_eq!((last.exit_reason, last.exit_price), (ExitReason::End, price(119.0)));
    assert_eq!(
        result.equity.last().unwrap().equity,
        result.metrics.net_profit.checked_add("10000".parse().unwrap()).unwrap()
    );
}

#[test]
fn bad_input_is_named() {
    let candles = walk(1, 100);
    let setup = setup(ema_cross(&[]));
    assert_eq!(run::<Candle>(&setup, &[], &mut |_| true), Err(BacktestError::NoCandles));
    let swapped = [candles[1], candles[0]];
    assert!(matches!(run(&setup, &swapped, &mut |_| true), Err(BacktestError::OutOfOrder { at: 1, .. })));
    let many = walk(1, 70_000);
    assert_eq!(run(&setup, &many, &mut |_| false), Err(BacktestError::Canceled));
}

/// A trade a second at a seeded walk's prices, of one to seven.
fn prints(seed: u64, n: usize) -> Vec<Trade> {
    let qty = |n: usize| Quantity::from_raw((1 + (n as i128 * 5) % 7) * 1_000_000_000);
    let print = |(n, candle): (usize, &Candle)| Trade {
        event_time: Timestamp::from_millis(n as i64 * 1_000 + 250),
        price: candle.close,
        qty: qty(n),
        aggressor: None,
        trade_id: n as u64 + 1,
    };
    walk(seed, n).iter().enumerate().map(print).collect()
}

fn bars(trades: &[Trade], timeframe: Cadence) -> Vec<Bar> {
    let Cadence::Traded(rule) = timeframe else { panic!("{timeframe}") };
    let (mut maker, mut bars) = (Bars::new(rule), Vec::new());
    for trade in trades {
        assert!(maker.on_trade(trade, &mut |bar| bars.push(bar)));
    }
    bars
}

#[test]
fn candles_of_trades_run_through_the_same_engine() {
    let trades = prints(17, 20_000);
    for text in ["25t", "100v"] {
        let mut setup = setup(ema_cross(&[]));
        setup.timeframe = text.parse().unwrap();
        let candles = bars(&trades, setup.timeframe);
        let result = run(&setup, &candles, &mut |_| true).unwrap();
        assert_eq!(result, run(&setup, &candles, &mut |_| true).unwrap(), "{text}: the same twice");
        // The strategy sees closes and nothing else of them: as if they were a minute each.
        let plain: Vec<Candle> = candles.iter().map(|bar| bar.candle).collect();
        let by_hand = by_hand(&plain, 10, 20);
        assert!(by_hand.len() > 10, "{text}");
        assert_eq!(result.trades.len(), by_hand.len(), "{text}");
        for (trade, (entry, entry_price, exit, exit_price)) in result.trades.iter().zip(by_hand) {
            assert_eq!((trade.entry_time, trade.entry_price), (plain[entry].open_time, entry_price));
            if trade.exit_reason == ExitReason::Signal {
                assert_eq!((trade.exit_time, trade.exit_price), (plain[exit].open_time, exit_price));
            }
        }
        assert_eq!(result.equity[0].time, candles[0].closed_at, "a candle is over with its last trade");
        let note = &result.assumptions["candles"];
        assert!(note.starts_with(&format!("{text} of trades: a candle ends with")), "{note}");
        assert_eq!(note.contains("at that trade's price"), text == "100v");
        let mut other = setup.clone();
        other.timeframe = "26t".parse().unwrap();
        assert_ne!(run(&other, &candles, &mut |_| true).unwrap().fingerprint, result.fingerprint, "the rule is in it");
    }
    let mut wrong = setup(
        Strategy::from_toml(&BRACKET.replace("close > open", "on('1h', close > open)"), &BTreeMap::new()).unwrap(),
    );
    wrong.timeframe = "25t".parse().unwrap();
    let error = run(&wrong, &bars(&trades, wrong.timeframe), &mut |_| true).unwrap_err();
    assert!(error.to_string().contains("1h") && error.to_string().contains("25t"), "{error}");
}
