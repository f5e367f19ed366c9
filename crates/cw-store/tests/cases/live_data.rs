use cw_core::{Adjustment, InstrumentId, Timeframe, Timestamp};
use cw_store::{
    CandleQuery, Channel, Outage, OutageQuery, OutageState, Page, REFUSED_KEPT, Refused, Source, SourceKind, TimeRange,
};

use super::candles::{candle, minute};
use crate::Bench;

fn id() -> InstrumentId {
    "AAPL.ALPACA".parse().unwrap()
}

fn range(from: i64, to: i64) -> TimeRange {
    TimeRange::new(minute(from), minute(to))
}

async fn write(bench: &Bench, minutes: std::ops::Range<i64>, provider: &str, adjustment: Adjustment) {
    let candles: Vec<_> = minutes.clone().map(candle).collect();
    let source = Source::new(provider, SourceKind::Backfilled);
    let covered = [range(minutes.start, minutes.end)];
    let page = Page { candles: &candles, source: &source, covered: &covered, adjustment };
    bench.store.write_page(&id(), Timeframe::M1, page).await.unwrap();
}

async fn missing(bench: &Bench) -> Vec<TimeRange> {
    bench.store.missing_ranges(&id(), Channel::Candles(Timeframe::M1), range(0, 100)).await.unwrap()
}

pub async fn a_page_is_written_with_what_it_covers(bench: Bench) {
    write(&bench, 10..20, "A", Adjustment::Raw).await;
    write(&bench, 20..25, "A", Adjustment::Raw).await;
    write(&bench, 40..50, "B", Adjustment::Raw).await;
    assert_eq!(missing(&bench).await, [range(0, 10), range(25, 40), range(50, 100)]);
    // A page without candles says that there are none.
    let (source, covered) = (Source::new("A", SourceKind::Backfilled), [range(22, 41), range(90, 100)]);
    let page = Page { candles: &[], source: &source, covered: &covered, adjustment: Adjustment::Raw };
    bench.store.write_page(&id(), Timeframe::M1, page).await.unwrap();
    assert_eq!(missing(&bench).await, [range(0, 10), range(50, 90)]);
    let series = bench.store.coverage(Some(&id())).await.unwrap().remove(0);
    let ranges: Vec<_> = series.ranges.iter().map(|r| (r.provider.as_str(), r.from, r.to)).collect();
    assert_eq!(ranges, [("A", minute(10), minute(41)), ("B", minute(40), minute(50)), ("A", minute(90), minute(100))]);
    assert_eq!((series.rows, series.adjustment), (25, Some(Adjustment::Raw)));
    let empty = [TimeRange::new(minute(3), minute(3))];
    let page = Page { candles: &[], source: &source, covered: &empty, adjustment: Adjustment::Raw };
    bench.store.write_page(&id(), Timeframe::M1, page).await.unwrap_err();
}

pub async fn prices_of_both_kinds_never_share_a_series(bench: Bench) {
    write(&bench, 0..50, "A", Adjustment::Raw).await;
    assert_eq!(bench.store.adjustment(&id(), Timeframe::M1).await.unwrap(), Some(Adjustment::Raw));
    write(&bench, 10..20, "A", Adjustment::Splits).await;
    assert_eq!(bench.store.adjustment(&id(), Timeframe::M1).await.unwrap(), Some(Adjustment::Splits));
    let candles = bench.store.read_candles(&id(), Timeframe::M1, &CandleQuery::default()).await.unwrap();
    assert_eq!((candles.len(), candles[0].open_time), (10, minute(10)));
    assert_eq!(missing(&bench).await, [range(0, 10), range(20, 100)]);
    assert_eq!(bench.store.coverage(Some(&id())).await.unwrap()[0].rows, 10);
    assert_eq!(bench.store.adjustment(&id(), Timeframe::H1).await.unwrap(), None);
}

pub async fn outages_are_rows_until_they_are_filled_and_after(bench: Bench) {
    let outage = |from: i64, to: Option<i64>, state| Outage {
        instrument: id(),
        from: minute(from),
        to: to.map(minute),
        state,
        reason: "cut".to_owned(),
        candles: 0,
        noted_at: minute(from),
    };
    let other = Outage { instrument: "EUR_USD.OANDA".parse().unwrap(), ..outage(7, Some(8), OutageState::Gap) };
    let rows = [outage(0, Some(5), OutageState::Gap), outage(10, None, OutageState::Open), other.clone()];
    bench.store.put_outages(&rows).await.unwrap();
    let all = OutageQuery { limit: 10, ..OutageQuery::default() };
    let read = async |query: &OutageQuery| bench.store.outages(query).await.unwrap();
    assert_eq!(read(&all).await, (3, vec![rows[1].clone(), other.clone(), rows[0].clone()]));
    assert_eq!(read(&OutageQuery { limit: 1, ..all.clone() }).await, (3, vec![rows[1].clone()]));
    assert_eq!(read(&OutageQuery { venue: Some("OANDA".to_owned()), ..all.clone() }).await, (1, vec![other.clone()]));
    let open = OutageQuery { state: Some(OutageState::Open), instrument: Some(id()), ..all.clone() };
    assert_eq!(read(&open).await.0, 1);
    let touching = OutageQuery { from: Some(minute(5)), to: Some(minute(10)), ..all.clone() };
    assert_eq!(read(&touching).await, (1, vec![other]));
    // One that goes on touches everything after it.
    assert_eq!(read(&OutageQuery { from: Some(minute(1_000)), ..all.clone() }).await.0, 1);
    let filled = Outage { to: Some(minute(12)), state: OutageState::Backfilled, candles: 2, ..rows[1].clone() };
    bench.store.put_outages(std::slice::from_ref(&filled)).await.unwrap();
    assert_eq!(read(&open).await.0, 0);
    assert_eq!(bench.store.close_gaps(&id(), range(1, 100)).await.unwrap(), 0, "not all of it was fetched");
    assert_eq!(bench.store.close_gaps(&id(), range(0, 5)).await.unwrap(), 1);
    let gaps = OutageQuery { state: Some(OutageState::Gap), ..all };
    assert_eq!(read(&gaps).await.0, 1);
}

pub async fn what_is_refused_again_counts_up_and_old_rows_go(bench: Bench) {
    let refused = |raw: String, time: i64| Refused {
        provider: "ALPACA".to_owned(),
        reason: "nonsense".to_owned(),
        raw,
        count: 1,
        first_time: Timestamp::from_secs(time),
        last_time: Timestamp::from_secs(time),
    };
    let nul = || "a\0b".to_owned();
    bench.store.add_refused(&[refused(nul(), 1), refused(nul(), 2), refused("x".to_owned(), 3)]).await.unwrap();
    let (total, rows) = bench.store.refused(Some("ALPACA"), 10).await.unwrap();
    assert_eq!((total, rows.len()), (3, 2));
    assert_eq!((rows[1].count, rows[1].raw.as_str()), (2, "a\u{fffd}b"));
    assert_eq!((rows[1].first_time.as_secs(), rows[1].last_time.as_secs()), (1, 2));
    assert_eq!(bench.store.refused(Some("OANDA"), 10).await.unwrap(), (0, Vec::new()));
    let flood: Vec<Refused> = (0..REFUSED_KEPT + 50).map(|n| refused(format!("r{n}"), 100 + n)).collect();
    bench.store.add_refused(&flood).await.unwrap();
    let (total, rows) = bench.store.refused(None, 1).await.unwrap();
    assert_eq!((total, rows[0].raw.clone()), (REFUSED_KEPT as u64, flood[flood.len() - 1].raw.clone()));
}
