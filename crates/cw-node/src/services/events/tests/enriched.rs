//! The topic `enriched` while the market runs.

use cw_analysis::enrich::EnrichedCandle;
use cw_api::commands::enrich::GetEnriched;

use super::*;

/// What an update holds.
#[track_caller]
fn enriched(update: Update) -> (UpdateKind, Vec<EnrichedCandle>) {
    let UpdateData::Enriched(candles) = update.data else { panic!("{:?}", update.data) };
    (update.kind, candles)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_closed_candle_comes_enriched_once_and_as_it_is_found_later() {
    let live = Live::new().await;
    let services = live.node.services();
    let params = json!({"instrument": "ETH-PERP.SIM", "timeframe": "1m"});
    let mut updates = live.subscribe("enriched", params).await;
    let (kind, first) = enriched(next(&mut updates).await);
    assert_eq!((kind, first.len()), (UpdateKind::Snapshot, 1), "the newest closed candle at once");
    assert!(first[0].metadata.ready && first[0].features.is_some());
    services.market.set_mock_speed(&live.caller, SetMockSpeed { speed: 600.0 }).await.unwrap();

    let mut candles = first;
    while candles.len() < 12 {
        let (kind, closed) = enriched(next(&mut updates).await);
        for candle in closed {
            let last = candles[candles.len() - 1].ohlcv.open_time;
            // A snapshot, as after a correction, may say the newest again.
            if kind == UpdateKind::Snapshot && candle.ohlcv.open_time <= last {
                candles.pop();
            } else {
                assert_eq!(
                    candle.ohlcv.open_time,
                    last.plus_nanos(60_000_000_000),
                    "none is left out, none comes twice"
                );
            }
            candles.push(candle);
        }
    }
    // Recursive indicators and the structure began elsewhere; what is read of the candle itself is the same.
    for told in &candles[candles.len() - 3..] {
        let request = GetEnriched {
            instrument: "ETH-PERP.SIM".parse().unwrap(),
            timeframe: "1m".parse().unwrap(),
            at: Some(told.ohlcv.open_time),
        };
        let found = services.analysis.get_enriched(&live.caller, request).await.unwrap();
        assert_eq!(found.ohlcv, told.ohlcv);
        assert_eq!(found.metadata.instrument, told.metadata.instrument);
        let (found, told) = (found.features.unwrap(), told.features.unwrap());
        let far = found.iter().zip(&told).filter(|(found, told)| (*found - *told).abs() > 1e-3 * (1.0 + told.abs()));
        assert_eq!(far.count(), 0, "{found:?}\n{told:?}");
    }
    live.node.stop().await;
    let rest = updates.by_ref().take(1_000).map(enriched).collect::<Vec<_>>().await;
    assert!(rest.len() < 1_000, "it ends with the program");
}
