use cw_core::{
    AccountId, Actor, Amount, Currency, Fill, Instrument, InstrumentId, Liquidity, NewOrder, Order, OrderId,
    OrderStatus, OrderType, Quantity, Side, StrategyId, TimeInForce, Timestamp,
};
use cw_store::{
    AuditEntry, DecisionRow, FillQuery, FillRow, Job, JobState, LedgerBalance, OrderQuery, Posting, ProjectionBatch,
    Store, StoreError, Verdict,
};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use crate::Bench;

fn time(n: u64) -> Timestamp {
    Timestamp::from_secs(1_700_000_000 + n as i64)
}

fn order(id: u64, instrument: &str, status: OrderStatus) -> Order {
    Order {
        id: OrderId(id),
        request: NewOrder {
            client_order_id: format!("cw-{id}").parse().unwrap(),
            account: "paper".parse().unwrap(),
            instrument: instrument.parse().unwrap(),
            side: Side::Buy,
            order_type: OrderType::Limit,
            qty: "0.4".parse().unwrap(),
            limit_price: Some("68412.5".parse().unwrap()),
            stop_price: None,
            trail_offset: None,
            time_in_force: TimeInForce::Gtc,
            expire_time: None,
            reduce_only: false,
            post_only: true,
            take_profit: None,
            stop_loss: Some("60000".parse().unwrap()),
            actor: Actor::Strategy("ema-cross-1".parse().unwrap()),
            parent: None,
        },
        status,
        venue_order_id: Some("v/1:2".parse().unwrap()),
        filled_qty: Quantity::ZERO,
        filled_notional: Amount::ZERO,
        fees: Amount::ZERO,
        pending_cancel: false,
        reason: Some("quoted 'reason' — ü".to_owned()),
        created_at: time(id),
        updated_at: time(id + 1),
        caused_by: id,
    }
}

fn fill(seq: u64, venue_fill_id: &str) -> FillRow {
    FillRow {
        seq,
        order_id: OrderId(1),
        account: "paper".parse().unwrap(),
        instrument: "BTC-PERP.SIM".parse().unwrap(),
        side: Side::Sell,
        fill: Fill {
            venue_fill_id: venue_fill_id.to_owned(),
            event_time: time(seq),
            price: "68412.123456789".parse().unwrap(),
            qty: Quantity::from_raw(i128::MAX / 3),
            fee: "-0.000000000000000001".parse().unwrap(),
            liquidity: Liquidity::Maker,
        },
        realized_pnl: "-12.345678901234567891".parse().unwrap(),
        source: "strategy ema-cross-1".to_owned(),
    }
}

fn transfer(seq: u64, from: &str, to: &str, currency: Currency, amount: &str) -> [Posting; 2] {
    let amount: Amount = amount.parse().unwrap();
    [(0, from, amount.checked_neg().unwrap()), (1, to, amount)].map(|(line, account, amount)| Posting {
        seq,
        line,
        account: account.to_owned(),
        currency,
        amount,
        time: time(seq),
        memo: "test".to_owned(),
    })
}

fn audit(journal_seq: Option<u64>, command: &str) -> AuditEntry {
    AuditEntry {
        journal_seq,
        time: time(journal_seq.unwrap_or(0)),
        actor: "agent claude".to_owned(),
        surface: "mcp".to_owned(),
        command: command.to_owned(),
        outcome: "ok".to_owned(),
        trace_id: "t-1".to_owned(),
        detail: json!({"qty": "0.4", "z": 1, "a": [1.50, null]}),
    }
}

fn batch(upto_seq: u64) -> ProjectionBatch {
    ProjectionBatch {
        orders: vec![order(1, "BTC-PERP.SIM", OrderStatus::Accepted)],
        fills: vec![fill(2, "f1")],
        postings: transfer(2, "venue:SIM", "paper:cash", Currency::USD, "30000").to_vec(),
        decisions: vec![DecisionRow {
            seq: 1,
            time: time(1),
            instrument: "BTC-PERP.SIM".parse().unwrap(),
            strategy: StrategyId::new("ema-cross-1").unwrap(),
            verdict: Verdict::Buy,
            qty: Some("0.4".parse().unwrap()),
            price: None,
            confidence: Some("0.75".parse().unwrap()),
            order_id: Some(OrderId(1)),
            reason: "cross_above(ema(10), ema(20))".to_owned(),
        }],
        audit: vec![audit(Some(1), "orders.place")],
        upto_seq,
    }
}

pub async fn a_batch_is_written_once(bench: Bench) {
    let store = &bench.store;
    assert_eq!(store.projected_upto().await.unwrap(), None);
    assert!(store.project(&batch(2)).await.unwrap());
    assert!(!store.project(&batch(2)).await.unwrap(), "the same batch again");
    assert!(!store.project(&ProjectionBatch { upto_seq: 1, ..batch(1) }).await.unwrap(), "an older one");
    // Cut differently after a crash: entries 1 and 2 come again together with entry 3.
    let mut longer = batch(3);
    longer.orders = vec![order(1, "BTC-PERP.SIM", OrderStatus::Canceled)];
    longer.fills.push(fill(3, "f2"));
    longer.fills.push(fill(3, "f1")); // the venue delivers a fill twice
    longer.audit.push(audit(Some(3), "orders.cancel"));
    assert!(store.project(&longer).await.unwrap());

    assert_eq!(store.projected_upto().await.unwrap(), Some(3));
    assert_eq!(store.orders(&OrderQuery::default()).await.unwrap(), longer.orders);
    let fills: Vec<String> =
        store.fills(&FillQuery::default()).await.unwrap().into_iter().map(|row| row.fill.venue_fill_id).collect();
    assert_eq!(fills, ["f2", "f1"]);
    assert_eq!(store.decisions(None).await.unwrap().len(), 1);
    let audit: Vec<String> =
        store.audit_log(10, None).await.unwrap().into_iter().map(|row| row.entry.command).collect();
    assert_eq!(audit, ["orders.cancel", "orders.place"]);
    assert_eq!(store.verify_ledger().await.unwrap().postings, 2);
}

pub async fn orders_are_listed_newest_first_with_filters(bench: Bench) {
    let store = &bench.store;
    let orders = vec![
        order(1, "BTC-PERP.SIM", OrderStatus::Filled),
        order(2, "ETH-PERP.SIM", OrderStatus::Accepted),
        order(3, "BTC-PERP.SIM", OrderStatus::Intent),
        order(4, "BTC-PERP.SIM", OrderStatus::Denied),
    ];
    store.project(&ProjectionBatch { orders: orders.clone(), upto_seq: 9, ..Default::default() }).await.unwrap();
    let ids = async |query: OrderQuery| -> Vec<u64> {
        store.orders(&query).await.unwrap().into_iter().map(|order| order.id.0).collect()
    };
    assert_eq!(ids(OrderQuery::default()).await, [4, 3, 2, 1]);
    assert_eq!(ids(OrderQuery { open_only: true, ..Default::default() }).await, [3, 2]);
    let btc: InstrumentId = "BTC-PERP.SIM".parse().unwrap();
    assert_eq!(ids(OrderQuery { instrument: Some(btc), limit: Some(2), ..Default::default() }).await, [4, 3]);
    assert_eq!(ids(OrderQuery { before: Some(OrderId(3)), ..Default::default() }).await, [2, 1]);
    let nobody = Some(AccountId::new("nobody").unwrap());
    assert_eq!(ids(OrderQuery { account: nobody, ..Default::default() }).await, [0u64; 0]);
    assert_eq!(store.order(OrderId(2)).await.unwrap().as_ref(), Some(&orders[1]));
    assert_eq!(store.order(OrderId(77)).await.unwrap(), None);
    assert_eq!(store.order_by_client_id(&"cw-3".parse().unwrap()).await.unwrap().as_ref(), Some(&orders[2]));
}

pub async fn fills_and_decisions_come_back_exactly(bench: Bench) {
    let written = batch(5);
    bench.store.project(&written).await.unwrap();
    let bench = bench.reopen().await;
    assert_eq!(bench.store.fills(&FillQuery::default()).await.unwrap(), written.fills);
    let by_order = FillQuery { order_id: Some(OrderId(1)), ..Default::default() };
    assert_eq!(bench.store.fills(&by_order).await.unwrap(), written.fills);
    let of_another = FillQuery { order_id: Some(OrderId(2)), ..Default::default() };
    assert_eq!(bench.store.fills(&of_another).await.unwrap(), []);
    assert_eq!(bench.store.fills(&FillQuery { before_seq: Some(2), ..Default::default() }).await.unwrap(), []);
    assert_eq!(bench.store.decisions(Some(5)).await.unwrap(), written.decisions);
}

pub async fn an_unbalanced_transaction_is_refused_whole(bench: Bench) {
    let store = &bench.store;
    let mut bad = batch(2);
    bad.postings[1].amount = "29999.999999999999999999".parse().unwrap();
    let error = store.project(&bad).await.unwrap_err();
    assert!(matches!(error, StoreError::Invalid { .. }), "{error}");
    assert!(error.to_string().contains("-0.000000000000000001 USD are left over"), "{error}");
    // Two currencies never balance one another.
    let mut mixed = batch(2);
    mixed.postings[1].currency = Currency::USDT;
    store.project(&mixed).await.unwrap_err();
    assert_eq!(store.orders(&OrderQuery::default()).await.unwrap(), []);
    assert_eq!(store.projected_upto().await.unwrap(), None);
}

pub async fn the_ledger_can_be_verified(bench: Bench) {
    let store = &bench.store;
    let mut postings = Vec::new();
    for seq in 1..=30 {
        postings.extend(transfer(seq, "venue:SIM", "paper:cash", Currency::USD, &format!("{seq}.000000000000000001")));
    }
    postings.extend(transfer(31, "paper:cash", "venue:SIM:fees", Currency::USDT, "170000000000000000000"));
    store.project(&ProjectionBatch { postings, upto_seq: 31, ..Default::default() }).await.unwrap();
    let report = store.verify_ledger().await.unwrap();
    assert_eq!((report.transactions, report.postings, report.unbalanced), (31, 62, vec![]));
    let balance = |account: &str, currency, balance: &str| LedgerBalance {
        account: account.to_owned(),
        currency,
        balance: balance.parse().unwrap(),
    };
    let balances = store.ledger_balances().await.unwrap();
    assert_eq!(
        balances,
        [
            balance("paper:cash", Currency::USD, "465.00000000000000003"),
            balance("paper:cash", Currency::USDT, "-170000000000000000000"),
            balance("venue:SIM", Currency::USD, "-465.00000000000000003"),
            balance("venue:SIM:fees", Currency::USDT, "170000000000000000000"),
        ]
    );
    execute(&bench, "UPDATE ledger_postings SET amount = '7' WHERE seq = 12 AND line = 0").await;
    let report = bench.store.verify_ledger().await.unwrap();
    assert_eq!(report.unbalanced, [(12, Currency::USD, "19.000000000000000001".parse().unwrap())]);
}

pub async fn projections_can_be_rebuilt(bench: Bench) {
    let store = &bench.store;
    store.project(&batch(2)).await.unwrap();
    let before = (store.orders(&OrderQuery::default()).await.unwrap(), store.audit_log(10, None).await.unwrap());
    store.clear_projections().await.unwrap();
    assert_eq!(store.projected_upto().await.unwrap(), None);
    assert_eq!(store.fills(&FillQuery::default()).await.unwrap(), []);
    assert!(store.project(&batch(2)).await.unwrap());
    let after = (store.orders(&OrderQuery::default()).await.unwrap(), store.audit_log(10, None).await.unwrap());
    assert_eq!(before, after);
    assert_eq!(store.verify_audit().await.unwrap().first_bad, None);
}

pub async fn every_edit_of_the_audit_log_is_found(bench: Bench) {
    for n in 1..=40 {
        bench.store.append_audit(&[audit(None, &format!("orders.list{n}"))]).await.unwrap();
    }
    let report = bench.store.verify_audit().await.unwrap();
    assert_eq!((report.rows, report.first_bad), (40, None));
    let (drop_guard, restore) = if bench.config.url.is_some() {
        (
            "ALTER TABLE audit_log DISABLE TRIGGER ALL",
            "TRUNCATE audit_log; INSERT INTO audit_log SELECT * FROM original",
        )
    } else {
        (
            "DROP TRIGGER audit_log_no_update; DROP TRIGGER audit_log_no_delete",
            "DELETE FROM audit_log; INSERT INTO audit_log SELECT * FROM original",
        )
    };
    assert!(try_execute(&bench, "UPDATE audit_log SET actor = 'nobody'").await.unwrap_err().contains("append-only"));
    assert!(try_execute(&bench, "DELETE FROM audit_log").await.unwrap_err().contains("append-only"));
    execute(&bench, drop_guard).await;
    execute(&bench, "CREATE TABLE original AS SELECT * FROM audit_log").await;
    for (edit, first_bad) in [
        ("UPDATE audit_log SET actor = 'operator' WHERE number = 17", 17),
        ("UPDATE audit_log SET detail = '{}' WHERE number = 40", 40),
        ("UPDATE audit_log SET time = time + 1 WHERE number = 1", 1),
        ("DELETE FROM audit_log WHERE number = 20", 20),
        ("DELETE FROM audit_log WHERE number > 38", 39),
        ("DELETE FROM audit_log", 1),
        ("UPDATE audit_log SET number = 100 WHERE number = 3; UPDATE audit_log SET number = 3 WHERE number = 4", 3),
        ("UPDATE audit_log SET journal_seq = 5 WHERE number = 9", 9),
    ] {
        execute(&bench, edit).await;
        assert_eq!(bench.store.verify_audit().await.unwrap().first_bad, Some(first_bad), "{edit}");
        execute(&bench, restore).await;
        assert_eq!(bench.store.verify_audit().await.unwrap().first_bad, None, "restored after {edit}");
    }
}

pub async fn instruments_are_kept(bench: Bench) {
    let store = &bench.store;
    let mut btc = Instrument::from_file("BTCUSDT.FILE".parse().unwrap(), 2, 6);
    let eur = Instrument::from_file("EUR/USD.SIM".parse().unwrap(), 5, 0);
    store.put_instruments(&[btc.clone(), eur.clone()]).await.unwrap();
    "Bitcoin".clone_into(&mut btc.name);
    btc.tick_size = "0.01".parse().unwrap();
    store.put_instruments(std::slice::from_ref(&btc)).await.unwrap();
    assert_eq!(store.instruments(None, None).await.unwrap(), [btc.clone(), eur.clone()]);
    assert_eq!(store.instruments(Some("SIM"), None).await.unwrap(), std::slice::from_ref(&eur));
    assert_eq!(store.instruments(None, Some("bitc")).await.unwrap(), [btc.clone()]);
    assert_eq!(store.instrument(&btc.id).await.unwrap(), Some(btc.clone()));
    assert!(store.remove_instrument(&btc.id).await.unwrap());
    assert!(!store.remove_instrument(&btc.id).await.unwrap());
    assert_eq!(store.instrument(&btc.id).await.unwrap(), None);
}

pub async fn jobs_are_kept_with_their_results(bench: Bench) {
    let store = &bench.store;
    let mut job = Job {
        id: "j1".to_owned(),
        kind: "backtest".to_owned(),
        title: "ema-cross on BTC-PERP.SIM 1m".to_owned(),
        state: JobState::Running,
        request: json!({"strategy": "ema-cross"}),
        result: None,
        fingerprint: None,
        error: None,
        created_at: time(1),
        finished_at: None,
    };
    store.put_job(&job).await.unwrap();
    job.state = JobState::Done;
    job.result = Some(json!({"trades": [{"pnl": "12.5"}]}));
    job.fingerprint = Some("abc".to_owned());
    job.finished_at = Some(time(2));
    store.put_job(&job).await.unwrap();
    let running = Job { id: "j2".to_owned(), kind: "fetch".to_owned(), state: JobState::Running, ..job.clone() };
    store.put_job(&running).await.unwrap();
    assert_eq!(store.job("j1").await.unwrap().as_ref(), Some(&job));
    assert_eq!(store.job("j9").await.unwrap(), None);
    let listed = store.jobs(Some("backtest"), 10).await.unwrap();
    assert_eq!(listed, [Job { result: None, ..job.clone() }]);
    assert_eq!(store.jobs(None, 10).await.unwrap().len(), 2);
    assert_eq!(store.fail_interrupted_jobs().await.unwrap(), 1);
    let interrupted = store.job("j2").await.unwrap().unwrap();
    assert_eq!(interrupted.state, JobState::Failed);
    assert!(interrupted.error.unwrap().contains("ended before"));
}

/// Runs statements on a connection of the test's own, as an intruder would.
async fn try_execute(bench: &Bench, statements: &str) -> Result<(), String> {
    let sql = AssertSqlSafe(statements.to_owned());
    if let Some(url) = &bench.config.url {
        let mut connection = PgConnection::connect(url).await.unwrap();
        return sqlx::raw_sql(sql).execute(&mut connection).await.map(|_| ()).map_err(|error| error.to_string());
    }
    let path = bench.config.data_dir.join(Store::DATABASE_FILE);
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.map(|_| ()).map_err(|error| error.to_string())
}

async fn execute(bench: &Bench, statements: &str) {
    try_execute(bench, statements).await.unwrap();
}
