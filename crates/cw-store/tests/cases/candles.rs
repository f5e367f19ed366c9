use cw_core::{Candle, InstrumentId, Price, Timeframe, Timestamp, Volume};
use cw_store::{CandleQuery, OnConflict, SortOrder, Source, SourceKind, StoreError, WriteReport};

use crate::Bench;

pub fn instrument() -> InstrumentId {
    "BTC-PERP.SIM".parse().unwrap()
}
pub fn source() -> Source {
    Source::new("SIM", SourceKind::Simulated)
}
pub fn minute(n: i64) -> Timestamp {
    Timestamp::from_secs(1_700_000_040 + 60 * n)
}
pub fn candle(n: i64) -> Candle {
    let open = 100_000_000_000 + n * 1_000_000;
    Candle {
        open_time: minute(n),
        open: Price::from_raw(open),
        high: Price::from_raw(open + 5),
        low: Price::from_raw(open - 7),
        close: Price::from_raw(open + 1),
        volume: Volume::from_raw(i128::from(n) * 1_500_000_000),
    }
}

async fn write(bench: &Bench, candles: &[Candle], on_conflict: OnConflict) -> WriteReport {
    bench.store.write_candles(&instrument(), Timeframe::M1, candles, &source(), on_conflict).await.unwrap()
}
async fn read(bench: &Bench, query: CandleQuery) -> Vec<Candle> {
    bench.store.read_candles(&instrument(), Timeframe::M1, &query).await.unwrap()
}

pub async fn writing_twice_changes_nothing(bench: Bench) {
    let candles: Vec<Candle> = (0..100).map(candle).collect();
    assert_eq!(read(&bench, CandleQuery::default()).await, []);
    assert_eq!(write(&bench, &candles, OnConflict::Revise).await, WriteReport { inserted: 100, ..Default::default() });
    assert_eq!(write(&bench, &candles, OnConflict::Revise).await, WriteReport { unchanged: 100, ..Default::default() });
    assert_eq!(write(&bench, &[], OnConflict::Revise).await, WriteReport::default());
    assert_eq!(read(&bench, CandleQuery::default()).await, candles);
    // Another timeframe and another instrument are other series.
    assert_eq!(bench.store.read_candles(&instrument(), Timeframe::M5, &CandleQuery::default()).await.unwrap(), []);
    let other = "ETH-PERP.SIM".parse().unwrap();
    assert_eq!(bench.store.read_candles(&other, Timeframe::M1, &CandleQuery::default()).await.unwrap(), []);
}

pub async fn ranges_are_half_open_and_limits_count_from_either_end(bench: Bench) {
    let candles: Vec<Candle> = (0..50).map(candle).collect();
    write(&bench, &candles, OnConflict::Revise).await;
    let range = CandleQuery { from: Some(minute(10)), to: Some(minute(20)), ..Default::default() };
    assert_eq!(read(&bench, range).await, candles[10..20]);
    assert_eq!(read(&bench, CandleQuery { limit: Some(3), ..range }).await, candles[10..13]);
    let newest = CandleQuery { limit: Some(3), order: SortOrder::NewestFirst, ..range };
    assert_eq!(read(&bench, newest).await, [candles[19], candles[18], candles[17]]);
    assert_eq!(read(&bench, CandleQuery::newest(1)).await, candles[49..]);
    assert_eq!(read(&bench, CandleQuery { from: Some(minute(50)), ..Default::default() }).await, []);
    assert_eq!(read(&bench, CandleQuery { to: Some(minute(0)), ..Default::default() }).await, []);
    assert_eq!(read(&bench, CandleQuery { limit: Some(0), ..Default::default() }).await, []);
}

pub async fn a_changed_candle_is_a_revision(bench: Bench) {
    write(&bench, &[candle(0), candle(1)], OnConflict::Revise).await;
    let mut changed = candle(1);
    changed.close = changed.low;
    let revised = Source::new("SIM", SourceKind::Revised);
    for expected in
        [WriteReport { revised: 1, ..Default::default() }, WriteReport { unchanged: 1, ..Default::default() }]
    {
        let report = bench
            .store
            .write_candles(&instrument(), Timeframe::M1, &[changed], &revised, OnConflict::Revise)
            .await
            .unwrap();
        assert_eq!(report, expected);
    }
    let stored = bench.store.read_stored_candles(&instrument(), Timeframe::M1, &CandleQuery::default()).await.unwrap();
    assert_eq!((stored[0].candle, stored[0].revision, &stored[0].source), (candle(0), 0, &source()));
    assert_eq!((stored[1].candle, stored[1].revision, &stored[1].source), (changed, 1, &revised));
}

pub async fn kept_candles_are_reported_as_conflicts(bench: Bench) {
    write(&bench, &[candle(0), candle(1)], OnConflict::Keep).await;
    let mut changed = candle(1);
    changed.close = changed.low;
    let report = write(&bench, &[candle(0), changed, candle(2)], OnConflict::Keep).await;
    assert_eq!(report, WriteReport { inserted: 1, unchanged: 1, revised: 0, conflicts: vec![1] });
    assert_eq!(read(&bench, CandleQuery::default()).await, [candle(0), candle(1), candle(2)]);
}

pub async fn input_may_come_in_any_order(bench: Bench) {
    let mut changed = candle(3);
    changed.close = changed.low;
    let input = [candle(3), candle(1), candle(2), candle(1), changed];
    let report = write(&bench, &input, OnConflict::Keep).await;
    assert_eq!(report, WriteReport { inserted: 3, unchanged: 1, revised: 0, conflicts: vec![4] });
    assert_eq!(read(&bench, CandleQuery::default()).await, [candle(1), candle(2), candle(3)]);
    write(&bench, &input, OnConflict::Revise).await;
    assert_eq!(read(&bench, CandleQuery::default()).await, [candle(1), candle(2), changed], "the last one wins");
}

pub async fn senseless_candles_are_refused(bench: Bench) {
    let mut bad = candle(1);
    bad.high = Price::from_raw(bad.low.raw() - 1);
    let result =
        bench.store.write_candles(&instrument(), Timeframe::M1, &[candle(0), bad], &source(), OnConflict::Revise).await;
    let error = result.unwrap_err();
    assert!(matches!(error, StoreError::Invalid { .. }), "{error}");
    assert!(error.to_string().contains("BTC-PERP.SIM 1m at 2023-11-14T22:15:00Z: high"), "{error}");
    assert_eq!(read(&bench, CandleQuery::default()).await, []);
}

pub async fn volumes_beyond_64_bits_are_kept_exactly(bench: Bench) {
    let mut huge = candle(0);
    huge.volume = Volume::from_raw(i128::MAX);
    let mut edge = candle(1);
    edge.volume = Volume::from_raw(i128::from(i64::MAX) + 1);
    let candles = [huge, edge, candle(2)];
    assert_eq!(write(&bench, &candles, OnConflict::Revise).await.inserted, 3);
    assert_eq!(write(&bench, &candles, OnConflict::Revise).await.unchanged, 3);
    assert_eq!(read(&bench, CandleQuery::default()).await, candles);
}

pub async fn many_chunks_are_one_series(bench: Bench) {
    let candles: Vec<Candle> = (0..120_001).map(candle).collect();
    assert_eq!(write(&bench, &candles[..60_000], OnConflict::Revise).await.inserted, 60_000);
    let mut changed = candles.clone();
    changed[119_999].close = changed[119_999].low;
    assert_eq!(write(&bench, &candles, OnConflict::Keep).await.inserted, 60_001);
    assert_eq!(write(&bench, &changed, OnConflict::Keep).await.conflicts, [119_999]);
    assert_eq!(read(&bench, CandleQuery::default()).await, candles);
}

pub async fn what_was_written_survives_a_restart(bench: Bench) {
    write(&bench, &[candle(0), candle(1)], OnConflict::Revise).await;
    let bench = bench.reopen().await;
    assert_eq!(read(&bench, CandleQuery::default()).await, [candle(0), candle(1)]);
}
