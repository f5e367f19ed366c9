use cw_core::{AccountId, Actor, Amount, Candle, InstrumentId, NewOrder, OrderId, Trade, Volume};
use cw_risk::{Book, Limits, OrderGate};
use proptest::prelude::*;

use super::*;

fn instrument() -> Instrument {
    let mut instrument = Instrument::from_file("BTC-PERP.SIM".parse().unwrap(), 1, 3);
    instrument.tick_size = "0.5".parse().unwrap();
    instrument.taker_fee = Ratio::from_bps(5);
    instrument.maker_fee = Ratio::from_bps(1);
    instrument.initial_margin = Ratio::ZERO;
    instrument
}

fn id() -> InstrumentId {
    "BTC-PERP.SIM".parse().unwrap()
}

fn market(side: Side, qty: &str) -> NewOrder {
    NewOrder {
        client_order_id: ClientOrderId::new("c1").unwrap(),
        account: AccountId::new("paper").unwrap(),
        instrument: id(),
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

fn limit(side: Side, qty: &str, price: &str) -> NewOrder {
    NewOrder { order_type: OrderType::Limit, limit_price: Some(price.parse().unwrap()), ..market(side, qty) }
}

fn stop(side: Side, qty: &str, price: &str) -> NewOrder {
    NewOrder { order_type: OrderType::Stop, stop_price: Some(price.parse().unwrap()), ..market(side, qty) }
}

/// Through the real gate with nothing limited: there is no other way to an approved order.
fn approve(order: NewOrder) -> ApprovedOrder {
    let instrument = instrument();
    // A position against the order, large enough for reduce-only legs.
    let held = if order.reduce_only { -order.side.sign() * order.qty.raw() } else { 0 };
    let book = Book {
        instrument: &instrument,
        reference_price: None,
        quote_age_ns: 0,
        conversion: Ratio::ONE,
        position: Quantity::from_raw(held),
        open_same_side: Quantity::ZERO,
        equity: Amount::ZERO,
        buying_power: Amount::ZERO,
        gross_exposure: Amount::ZERO,
        open_orders: 0,
        day_result: Amount::ZERO,
        peak_equity: Amount::ZERO,
        unresolved: false,
        halted: false,
    };
    OrderGate::new(Limits::unlimited()).check(order, &book, Timestamp::EPOCH).unwrap()
}

fn broker(model: FillModel, orders: impl IntoIterator<Item = NewOrder>) -> PaperBroker {
    let mut broker = PaperBroker::new(model, "T");
    for (n, mut order) in orders.into_iter().enumerate() {
        order.client_order_id = ClientOrderId::new(&format!("c{n}")).unwrap();
        if order.reduce_only {
            broker.restore_position(&id(), Quantity::from_raw(-order.side.sign() * order.qty.raw()));
        }
        broker.submit(approve(order), &instrument(), Timestamp::EPOCH, &mut Vec::new());
    }
    broker
}

fn candle(o: &str, h: &str, l: &str, c: &str) -> Candle {
    let p = |t: &str| t.parse().unwrap();
    Candle { open_time: Timestamp::from_secs(60), open: p(o), high: p(h), low: p(l), close: p(c), volume: Volume::ZERO }
}

/// `c0 buy 1 @ 100` for fills, `c1 canceled`, … in order.
fn say(reports: &[VenueReport]) -> Vec<String> {
    reports
        .iter()
        .map(|report| match report {
            VenueReport::Filled { client_order_id, fill } => {
                format!("{client_order_id} {} @ {} {:?}", fill.qty, fill.price, fill.liquidity).to_lowercase()
            }
            VenueReport::Canceled { client_order_id, .. } => format!("{client_order_id} canceled"),
            VenueReport::Expired { client_order_id } => format!("{client_order_id} expired"),
            VenueReport::Rejected { client_order_id, .. } => format!("{client_order_id} rejected"),
            VenueReport::Accepted { client_order_id, .. } => format!("{client_order_id} accepted"),
            other => format!("{other:?}"),
        })
        .collect()
}

#[track_caller]
fn on_candle(orders: Vec<NewOrder>, candle: &Candle, expected: &[&str]) {
    let mut broker = broker(FillModel::default(), orders);
    let mut out = Vec::new();
    broker.on_candle_open(&id(), candle, &mut out);
    broker.on_candle_range(&id(), candle, Timestamp::from_secs(120), &mut out);
    broker.on_candle_close(&id(), candle, Timestamp::from_secs(120), &mut out);
    assert_eq!(say(&out), expected);
}

#[test]
fn candle_fills_follow_the_stated_rules() {
    let c = candle("100", "110", "90", "105");
    on_candle(vec![market(Side::Buy, "1")], &c, &["c0 1 @ 100 taker"]);
    on_candle(vec![limit(Side::Buy, "1", "95")], &c, &["c0 1 @ 95 maker"]);
    on_candle(vec![limit(Side::Buy, "1", "102")], &c, &["c0 1 @ 100 taker"]);
    on_candle(vec![limit(Side::Buy, "1", "89.5")], &c, &[]);
    on_candle(vec![limit(Side::Sell, "1", "108")], &c, &["c0 1 @ 108 maker"]);
    on_candle(vec![stop(Side::Buy, "1", "108")], &c, &["c0 1 @ 108 taker"]);
    on_candle(vec![stop(Side::Buy, "1", "99")], &c, &["c0 1 @ 100 taker"]);
    on_candle(vec![stop(Side::Sell, "1", "92")], &c, &["c0 1 @ 92 taker"]);
    on_candle(vec![stop(Side::Sell, "1", "101")], &c, &["c0 1 @ 100 taker"]);
}

#[test]
fn a_stop_and_a_target_inside_one_candle_are_the_stop() {
    let leg = |order| NewOrder { reduce_only: true, parent: Some(OrderId(7)), ..order };
    let c = candle("100", "110", "90", "105");
    on_candle(
        vec![leg(limit(Side::Sell, "1", "108")), leg(stop(Side::Sell, "1", "92"))],
        &c,
        &["c1 1 @ 92 taker", "c0 canceled"],
    );
}

#[test]
fn a_leg_born_inside_a_candle_can_lose_in_it_but_not_win() {
    let c = candle("100", "110", "90", "105");
    for (leg, expected) in
        [(stop(Side::Sell, "1", "92"), vec!["c2 1 @ 92 taker"]), (limit(Side::Sell, "1", "108"), vec![])]
    {
        let mut broker = broker(FillModel::default(), [limit(Side::Buy, "1", "95")]);
        let mut out = Vec::new();
        broker.on_candle_open(&id(), &c, &mut out);
        broker.on_candle_range(&id(), &c, Timestamp::from_secs(120), &mut out);
        assert_eq!(say(&out), ["c0 1 @ 95 maker"]);
        out.clear();
        let leg = NewOrder {
            reduce_only: true,
            parent: Some(OrderId(1)),
            client_order_id: ClientOrderId::new("c2").unwrap(),
            ..leg
        };
        broker.submit(approve(leg), &instrument(), Timestamp::from_secs(60), &mut Vec::new());
        broker.on_candle_range(&id(), &c, Timestamp::from_secs(120), &mut out);
        assert_eq!(say(&out), expected);
    }
}

#[test]
fn slippage_is_against_us_and_on_the_grid() {
    let model = FillModel { slippage: Ratio::from_bps(7), ..FillModel::default() };
    let c = candle("100", "110", "90", "105");
    for (side, expected) in [(Side::Buy, "c0 1 @ 100.5 taker"), (Side::Sell, "c0 1 @ 99.5 taker")] {
        let mut broker = broker(model, [market(side, "1")]);
        let mut out = Vec::new();
        broker.on_candle_open(&id(), &c, &mut out);
        assert_eq!(say(&out), [expected]);
    }
}

#[test]
fn a_trailing_stop_follows_and_never_retreats() {
    let trail = NewOrder {
        order_type: OrderType::TrailingStop,
        trail_offset: Some("5".parse().unwrap()),
        ..market(Side::Sell, "1")
    };
    let mut broker = broker(FillModel::default(), [trail]);
    let mut out = Vec::new();
    for c in [candle("100", "104", "99", "103"), candle("103", "112", "102", "111"), candle("111", "111", "106", "108")]
    {
        broker.on_candle_open(&id(), &c, &mut out);
        broker.on_candle_range(&id(), &c, Timestamp::from_secs(120), &mut out);
        broker.on_candle_close(&id(), &c, Timestamp::from_secs(120), &mut out);
    }
    assert_eq!(say(&out), ["c0 1 @ 107 taker"]);
}

fn quote(bid: &str, ask: &str, qty: &str) -> Quote {
    Quote {
        event_time: Timestamp::from_secs(1),
        bid: bid.parse().unwrap(),
        ask: ask.parse().unwrap(),
        bid_qty: qty.parse().unwrap(),
        ask_qty: qty.parse().unwrap(),
    }
}

#[track_caller]
fn on_quotes(order: NewOrder, quotes: &[Quote], expected: &[&str]) {
    let mut broker = broker(FillModel::default(), [order]);
    let mut out = Vec::new();
    for q in quotes {
        broker.on_quote(&id(), q, Timestamp::from_secs(1), &mut out);
    }
    assert_eq!(say(&out), expected);
}

#[test]
fn quotes_fill_what_they_offer() {
    let q = quote("99.5", "100", "2");
    on_quotes(market(Side::Buy, "1"), &[q], &["c0 1 @ 100 taker"]);
    on_quotes(market(Side::Buy, "3"), &[q, q], &["c0 2 @ 100 taker", "c0 1 @ 100 taker"]);
    on_quotes(limit(Side::Sell, "1", "99.5"), &[q], &["c0 1 @ 99.5 taker"]);
    on_quotes(limit(Side::Buy, "1", "99"), &[q, quote("98", "98.5", "2")], &["c0 1 @ 99 maker"]);
    let ioc = NewOrder { time_in_force: TimeInForce::Ioc, ..market(Side::Buy, "3") };
    on_quotes(ioc, &[q], &["c0 2 @ 100 taker", "c0 canceled"]);
    let fok = NewOrder { time_in_force: TimeInForce::Fok, ..market(Side::Buy, "3") };
    on_quotes(fok, &[q], &["c0 canceled"]);
    on_quotes(stop(Side::Sell, "1", "98"), &[q, quote("97.5", "98", "2")], &["c0 1 @ 97.5 taker"]);
}

#[test]
fn a_trade_through_a_resting_limit_fills_it() {
    let mut broker = broker(FillModel::default(), [limit(Side::Buy, "1", "99")]);
    let mut out = Vec::new();
    broker.on_quote(&id(), &quote("99.5", "100", "2"), Timestamp::from_secs(1), &mut out);
    let trade = |price: &str| Trade {
        event_time: Timestamp::from_secs(2),
        price: price.parse().unwrap(),
        qty: "1".parse().unwrap(),
        aggressor: None,
        trade_id: 0,
    };
    broker.on_trade(&id(), &trade("99"), Timestamp::from_secs(2), &mut out);
    assert!(out.is_empty(), "a trade at our price may have been somebody before us in the queue");
    broker.on_trade(&id(), &trade("98.5"), Timestamp::from_secs(2), &mut out);
    assert_eq!(say(&out), ["c0 1 @ 99 maker"]);
}

#[test]
fn latency_holds_orders_back() {
    let model = FillModel { latency_ns: 5_000_000_000, ..FillModel::default() };
    let mut broker = broker(model, [market(Side::Buy, "1")]);
    let mut out = Vec::new();
    broker.on_quote(&id(), &quote("99.5", "100", "2"), Timestamp::from_secs(4), &mut out);
    assert!(out.is_empty());
    broker.on_quote(&id(), &quote("100.5", "101", "2"), Timestamp::from_secs(5), &mut out);
    assert_eq!(say(&out), ["c0 1 @ 101 taker"]);
}

#[test]
fn cancel_amend_and_what_is_not_there() {
    let mut broker = broker(FillModel::default(), [limit(Side::Buy, "2", "90")]);
    let c0 = ClientOrderId::new("c0").unwrap();
    let mut out = Vec::new();
    broker.amend_quantity(&c0, "5".parse().unwrap(), &mut out);
    broker.on_quote(&id(), &quote("99.5", "100", "2"), Timestamp::from_secs(1), &mut Vec::new());
    broker.cancel(&c0, &mut out);
    broker.cancel(&c0, &mut out);
    assert!(matches!(
        out[..],
        [VenueReport::Amended { .. }, VenueReport::Canceled { .. }, VenueReport::CancelRejected { .. }]
    ));
}

#[test]
fn post_only_never_takes() {
    let mut broker = broker(FillModel::default(), []);
    broker.on_quote(&id(), &quote("99.5", "100", "2"), Timestamp::from_secs(1), &mut Vec::new());
    for (price, expected) in [("100", "c9 rejected"), ("99.5", "c9 accepted")] {
        let mut order = NewOrder { post_only: true, ..limit(Side::Buy, "1", price) };
        order.client_order_id = ClientOrderId::new("c9").unwrap();
        let mut out = Vec::new();
        broker.submit(approve(order), &instrument(), Timestamp::EPOCH, &mut out);
        assert_eq!(say(&out), [expected]);
    }
}

#[test]
fn simulated_rejects_are_seeded() {
    let run = |seed| {
        let model = FillModel { reject_per_million: 300_000, seed, ..FillModel::default() };
        let mut broker = PaperBroker::new(model, "T");
        let mut out = Vec::new();
        for _ in 0..100 {
            broker.submit(approve(market(Side::Buy, "1")), &instrument(), Timestamp::EPOCH, &mut out);
        }
        out.iter().map(|r| matches!(r, VenueReport::Rejected { .. })).collect::<Vec<_>>()
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
    let rejected = run(7).iter().filter(|r| **r).count();
    assert!((15..45).contains(&rejected), "{rejected} of 100");
}

#[test]
fn reduce_only_never_opens() {
    let close = |qty| NewOrder { reduce_only: true, ..market(Side::Sell, qty) };
    let c = candle("100", "110", "90", "105");
    for (held, expected) in [
        ("0.4", vec!["c0 0.4 @ 100 taker", "c0 canceled"]),
        ("0", vec!["c0 canceled"]),
        ("2", vec!["c0 1 @ 100 taker"]),
    ] {
        let mut broker = broker(FillModel::default(), [close("1")]);
        broker.restore_position(&id(), held.parse().unwrap());
        let mut out = Vec::new();
        broker.on_candle_open(&id(), &c, &mut out);
        assert_eq!(say(&out), expected);
    }
}

proptest! {
    /// However the market moves: never more filled than ordered, never beyond a limit, ids never repeat.
    #[test]
    fn fills_respect_quantity_limit_and_identity(
        orders in prop::collection::vec((any::<bool>(), 1i128..9, 80i64..120, 0u8..3), 1..12),
        walk in prop::collection::vec((80i64..120, 1i64..4, 1i128..6), 1..60),
    ) {
        let unit = 1_000_000_000;
        let list: Vec<NewOrder> = orders.iter().map(|(buy, qty, price, kind)| {
            let side = if *buy { Side::Buy } else { Side::Sell };
            let (qty, price) = (qty.to_string(), price.to_string());
            match kind { 0 => market(side, &qty), 1 => limit(side, &qty, &price), _ => stop(side, &qty, &price) }
        }).collect();
        let mut broker = broker(FillModel::default(), list.clone());
        let mut out = Vec::new();
        for (bid, spread, qty) in walk {
            let q = Quote {
                event_time: Timestamp::from_secs(1),
                bid: Price::from_raw(bid * unit), ask: Price::from_raw((bid + spread) * unit),
                bid_qty: Quantity::from_raw(qty * i128::from(unit)), ask_qty: Quantity::from_raw(qty * i128::from(unit)),
            };
            let before = out.len();
            broker.on_quote(&id(), &q, Timestamp::from_secs(1), &mut out);
            let taken: i128 = out[before..].iter().filter_map(|r| match r {
                VenueReport::Filled { fill, .. } if fill.liquidity == Liquidity::Taker => Some(fill.qty.raw()), _ => None,
            }).sum();
            prop_assert!(taken <= 2 * qty * i128::from(unit));
        }
        let mut ids = std::collections::BTreeSet::new();
        for (n, order) in list.iter().enumerate() {
            let mine = format!("c{n}");
            let mut filled = 0;
            for report in &out {
                if let VenueReport::Filled { client_order_id, fill } = report && client_order_id.as_str() == mine {
                    prop_assert!(ids.insert(fill.venue_fill_id.clone()));
                    filled += fill.qty.raw();
                    if let Some(limit) = order.limit_price {
                        prop_assert!(reaches(order.side, false, fill.price, limit));
                    }
                }
            }
            prop_assert!(filled <= order.qty.raw());
        }
    }
}
