//! Backups, damage and free questions, on the local files.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use cw_core::{Candle, Timeframe, Timestamp};
use cw_store::{CandleQuery, OnConflict, Source, SourceKind, Store, StoreConfig, StoreError};
use serde_json::json;

async fn filled(dir: &Path) -> Store {
    let store = Store::open(&StoreConfig::local(dir)).await.unwrap();
    let price = "1.5".parse().unwrap();
    let candles: Vec<Candle> = (0..20_000)
        .map(|n| Candle {
            open_time: Timestamp::from_secs(60 * n),
            open: price,
            high: price,
            low: price,
            close: price,
            volume: "2".parse().unwrap(),
        })
        .collect();
    let source = Source::new("SIM", SourceKind::Simulated);
    let instrument = "BTC-PERP.SIM".parse().unwrap();
    store.write_candles(&instrument, Timeframe::M1, &candles, &source, OnConflict::Revise).await.unwrap();
    for n in 1..=50u64 {
        let hash = |n: u64| *blake3::hash(&n.to_le_bytes()).as_bytes();
        let prev = if n == 1 { [0; 32] } else { hash(n - 1) };
        store.journal().append_block(n, 1, &[n as u8; 900], prev, hash(n)).await.unwrap();
    }
    store
}

#[tokio::test]
async fn a_backup_opens_as_a_store_with_everything_in_it() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = filled(dir.path()).await;
    let target = copy.path().join("backup");
    store.backup(&target).await.unwrap();
    let again = store.backup(&target).await.unwrap_err();
    assert!(matches!(again, StoreError::Conflict { .. }), "{again}");
    let restored = Store::open(&StoreConfig::local(&target)).await.unwrap();
    restored.check().await.unwrap();
    assert_eq!(restored.journal().head().await.unwrap(), store.journal().head().await.unwrap());
    assert_eq!(restored.journal().instance(), store.journal().instance());
    let (id, all) = ("BTC-PERP.SIM".parse().unwrap(), CandleQuery::default());
    assert_eq!(
        restored.read_candles(&id, Timeframe::M1, &all).await.unwrap(),
        store.read_candles(&id, Timeframe::M1, &all).await.unwrap()
    );
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_as_corrupt() {
    for file in [Store::DATABASE_FILE, Store::JOURNAL_FILE] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(file), "this is not a database, it only has its name".repeat(100)).unwrap();
        let error = Store::open(&StoreConfig::local(dir.path())).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt { .. }), "{file}: {error}");
    }
}

/// Flipped bytes anywhere in the file: every answer is either right or a refusal.
#[tokio::test]
async fn damage_is_never_a_silently_wrong_journal() {
    use futures_util::TryStreamExt;
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    let right: Vec<_> = store.journal().blocks(0).try_collect().await.unwrap();
    store.close().await.unwrap();
    drop(store);
    let intact = std::fs::read(dir.path().join(Store::JOURNAL_FILE)).unwrap();
    let mut refused = 0;
    for n in 0..60 {
        let broken = tempfile::tempdir().unwrap();
        let mut bytes = intact.clone();
        let place = n * bytes.len() / 60 + n * 37 % 97;
        for byte in &mut bytes[place..place + 24] {
            *byte ^= 0x5a;
        }
        std::fs::write(broken.path().join(Store::JOURNAL_FILE), bytes).unwrap();
        let read = async {
            let store = Store::open(&StoreConfig::local(broken.path())).await?;
            let blocks: Vec<_> = store.journal().blocks(0).try_collect().await?;
            store.check().await?;
            Ok::<_, StoreError>(blocks)
        };
        match read.await {
            Err(_) => refused += 1,
            // A block's content is the engine's to verify with its hash; the store vouches for the chain.
            Ok(blocks) => {
                let chain = |blocks: &[cw_store::JournalBlock]| {
                    blocks.iter().map(|block| (block.first_seq, block.prev_hash, block.hash)).collect::<Vec<_>>()
                };
                assert_eq!(chain(&blocks), chain(&right), "bytes {place}");
            }
        }
    }
    assert!(refused > 0);
}

#[tokio::test]
async fn questions_read_and_never_write() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path()).await;
    let answer = store
        .query(
            "SELECT instrument, timeframe, open, volume, NULL AS missing FROM candles_readable ORDER BY open_time",
            2,
        )
        .await
        .unwrap();
    assert_eq!(answer.columns, ["instrument", "timeframe", "open", "volume", "missing"]);
    assert_eq!(answer.rows[0], [json!("BTC-PERP.SIM"), json!("1m"), json!(1.5), json!(2.0), json!(null)]);
    assert_eq!((answer.rows.len(), answer.truncated), (2, true));
    let blocks = store.query("SELECT count(*) AS n FROM journal.journal_blocks", 10).await.unwrap();
    assert_eq!((blocks.rows, blocks.truncated), (vec![vec![json!(50)]], false));
    for writing in ["DELETE FROM candles", "DROP TABLE candles", "DELETE FROM journal.snapshots", "SELEC 1"] {
        let error = store.query(writing, 10).await.unwrap_err();
        assert!(matches!(error, StoreError::Invalid { .. }), "{writing}: {error}");
    }
}
