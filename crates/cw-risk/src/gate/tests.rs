use cw_core::{AccountId, Actor, ClientOrderId};
use proptest::prelude::*;

use super::*;

fn instrument() -> Instrument {
    let mut instrument = Instrument::from_file("BTC-PERP.SIM".parse().unwrap(), 1, 3);
    instrument.tick_size = "0.5".parse().unwrap();
    instrument.quantity_step = "0.001".parse().unwrap();
    instrument.min_quantity = "0.001".parse().unwrap();
    instrument.initial_margin = "0.1".parse().unwrap();
    instrument
}

fn order(side: Side, qty: &str) -> NewOrder {
    NewOrder {
        client_order_id: ClientOrderId::new("c1").unwrap(),
        account: AccountId::new("paper").unwrap(),
        instrument: "BTC-PERP.SIM".parse().unwrap(),
        side,
        order_type: OrderType::Market,
        qty: qty.parse().unwrap(),
        limit_price: None,
        stop_price: None,
        trail_offset: None,
        time_in_force: TimeInForce::Gtc,
        expire_time: None,
        reduce_only: false,
        post_only: false,
        take_profit: None,
        stop_loss: None,
        actor: Actor::Operator,
        parent: None,
    }
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

fn book(instrument: &Instrument) -> Book<'_> {
    Book {
        instrument,
        reference_price: Some("50000".parse().unwrap()),
        quote_age_ns: 0,
        conversion: Ratio::ONE,
        position: Quantity::ZERO,
        open_same_side: Quantity::ZERO,
        equity: amount("30000"),
        buying_power: amount("30000"),
        gross_exposure: Amount::ZERO,
        open_orders: 0,
        day_result: Amount::ZERO,
        peak_equity: amount("30000"),
        unresolved: false,
        halted: false,
    }
}

/// The checks that fail for an order in a book, in order.
#[track_caller]
fn check(change: impl FnOnce(&mut NewOrder, &mut Book<'_>), expected: &[Check]) {
    let instrument = instrument();
    let (mut order, mut book) = (order(Side::Buy, "0.4"), book(&instrument));
    change(&mut order, &mut book);
    let failed: Vec<Check> = match OrderGate::new(Limits::default()).check(order, &book, Timestamp::from_secs(1_000)) {
        Ok(_) => Vec::new(),
        Err(denied) => denied.reasons.iter().map(|r| r.check).collect(),
    };
    assert_eq!(failed, expected);
}

#[test]
fn a_plain_order_passes() {
    check(|_, _| (), &[]);
}

#[test]
fn each_limit_denies_with_its_own_reason() {
    check(|_, b| b.halted = true, &[Check::Halted]);
    check(|o, _| o.qty = "0.0005".parse().unwrap(), &[Check::Instrument]);
    check(|o, _| o.qty = "-1".parse().unwrap(), &[Check::Instrument]);
    check(|o, _| o.limit_price = Some("50000".parse().unwrap()), &[Check::Prices]);
    check(|_, b| b.quote_age_ns = 60_000_000_000, &[Check::QuoteAge]);
    check(|_, b| b.reference_price = None, &[Check::QuoteAge, Check::OrderNotional]);
    check(|o, _| o.qty = "2.5".parse().unwrap(), &[Check::OrderNotional]);
    check(|_, b| b.position = "2.8".parse().unwrap(), &[Check::PositionNotional]);
    check(|_, b| b.open_same_side = "2.8".parse().unwrap(), &[Check::PositionNotional]);
    check(|_, b| b.gross_exposure = amount("290000"), &[Check::Leverage]);
    check(|_, b| b.buying_power = amount("1999.99"), &[Check::BuyingPower]);
    check(|_, b| b.open_orders = 50, &[Check::OpenOrders]);
    check(|_, b| b.day_result = amount("-3000"), &[Check::DailyLoss]);
    check(|_, b| b.peak_equity = amount("40000"), &[Check::Drawdown]);
    check(|_, b| b.unresolved = true, &[Check::UnresolvedOrder]);
    check(
        |o, _| {
            o.order_type = OrderType::Limit;
            o.limit_price = Some("60000".parse().unwrap());
        },
        &[Check::PriceCollar],
    );
    check(
        |o, _| {
            o.take_profit = Some("49000".parse().unwrap());
        },
        &[Check::Prices],
    );
    check(|o, _| o.stop_loss = Some("51000".parse().unwrap()), &[Check::Prices]);
    check(|o, _| o.stop_loss = Some("49000.3".parse().unwrap()), &[Check::Prices]);
    check(|o, _| o.reduce_only = true, &[Check::ReduceOnly]);
}

#[test]
fn what_reduces_risk_passes_although_trading_is_halted() {
    check(
        |o, b| {
            o.side = Side::Sell;
            o.reduce_only = true;
            b.position = "0.4".parse().unwrap();
            b.halted = true;
            b.quote_age_ns = i64::MAX;
            b.day_result = amount("-9999");
            b.unresolved = true;
        },
        &[],
    );
}

#[test]
fn a_sell_beyond_the_position_is_new_risk() {
    check(
        |o, b| {
            o.side = Side::Sell;
            b.position = "0.399".parse().unwrap();
            b.halted = true;
        },
        &[Check::Halted],
    );
}

#[test]
fn all_failures_are_named() {
    check(
        |_, b| {
            b.halted = true;
            b.open_orders = 99;
        },
        &[Check::Halted, Check::OpenOrders],
    );
}

#[test]
fn twins_and_bursts_are_stopped() {
    let instrument = instrument();
    let book = book(&instrument);
    let mut gate = OrderGate::new(Limits::default().with("max_orders_per_minute", "3").unwrap());
    let mut try_at = |ms: i64, qty: &str| {
        gate.check(order(Side::Buy, qty), &book, Timestamp::from_millis(ms)).map(|_| ()).map_err(|d| d.reasons[0].check)
    };
    assert_eq!(try_at(0, "0.1"), Ok(()));
    assert_eq!(try_at(499, "0.1"), Err(Check::Duplicate));
    assert_eq!(try_at(499, "0.2"), Ok(()));
    assert_eq!(try_at(500, "0.1"), Ok(()));
    assert_eq!(try_at(2_000, "0.3"), Err(Check::OrderRate));
    assert_eq!(try_at(60_000, "0.3"), Ok(()));
}

#[test]
fn a_preview_lists_every_check_and_counts_nothing() {
    let instrument = instrument();
    let book = book(&instrument);
    let gate = OrderGate::new(Limits::default());
    let before = gate.clone();
    let results = gate.preview(&order(Side::Buy, "0.4"), &book, Timestamp::EPOCH);
    assert!(results.len() >= 10 && results.iter().all(|r| r.pass && !r.reason.is_empty()), "{results:#?}");
    assert_eq!(gate, before);
}

proptest! {
    /// Whatever is asked, what passes stays inside the notional limits, counting what passed before.
    #[test]
    fn reservations_never_exceed_the_position_limit(orders in prop::collection::vec((any::<bool>(), 1i128..3_000), 1..80)) {
        let instrument = instrument();
        let limits = Limits { max_order_notional: None, max_leverage: None, duplicate_window_ms: None, ..Limits::default() };
        let max = limits.max_position_notional.unwrap();
        let mut gate = OrderGate::new(limits);
        let mut open = [Quantity::ZERO; 2];
        for (buy, lots) in orders {
            let side = if buy { Side::Buy } else { Side::Sell };
            let mut o = order(side, "1");
            o.qty = Quantity::from_raw(lots * 1_000_000);
            let mut b = book(&instrument);
            b.open_same_side = open[usize::from(buy)];
            b.buying_power = amount("100000000");
            if gate.check(o.clone(), &b, Timestamp::EPOCH).is_ok() {
                open[usize::from(buy)] = open[usize::from(buy)].checked_add(o.qty).unwrap();
            }
        }
        for qty in open {
            prop_assert!(b_notional(qty) <= max);
        }
    }
}

fn b_notional(qty: Quantity) -> Amount {
    "50000".parse::<Price>().unwrap().notional(qty).unwrap()
}
