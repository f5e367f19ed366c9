use cw_core::Timestamp;
use cw_store::{StoreError, VectorRow, VectorSupport};

use crate::Bench;

fn row(id: u8, hour: i64, scaler: &str, vector: [f32; 3]) -> VectorRow {
    VectorRow {
        id: format!("00000000-0000-8000-8000-0000000000{id:02x}"),
        instrument: "BTC-PERP.SIM".parse().unwrap(),
        timeframe: "1h".parse().unwrap(),
        open_time: Timestamp::from_secs(1_700_000_000 + hour * 3_600),
        description: "A candle's \"words\"; with {braces}, commas".to_owned(),
        keywords: vec!["hammer".to_owned(), "trend_up".to_owned()],
        model: "test-1".to_owned(),
        scaler: scaler.to_owned(),
        schema: "s1".to_owned(),
        vector: vector.to_vec(),
    }
}

/// With pgvector the nearest are found; without it the reason is told and nothing else breaks.
pub async fn vectors_where_the_extension_is(bench: Bench) {
    let store = &bench.store;
    let rows = [
        row(1, 0, "a", [0.0, 0.0, 0.0]),
        row(2, 1, "a", [1.0, 0.0, 0.0]),
        row(3, 2, "a", [0.0, 0.25, 0.0]),
        row(4, 3, "b", [0.0, 0.0, 0.0]),
    ];
    match store.vector_support().await.unwrap() {
        VectorSupport::Missing { reason } => {
            let sqlite = bench.config.url.is_none();
            assert_eq!(reason.contains("SQLite"), sqlite, "{reason}");
            // The package by its name, because it goes by the server's version.
            assert!(sqlite || reason.contains("install pgvector") && reason.contains("postgresql-1"), "{reason}");
            let error = store.put_vectors(&rows).await.unwrap_err();
            assert_eq!(matches!(error, StoreError::Invalid { .. }), sqlite, "{error}");
            assert!(store.near_vectors("a", &[0.0; 3], 2).await.is_err());
        }
        VectorSupport::Ready { version } => {
            assert!(version.contains('.'), "{version}");
            store.put_vectors(&rows).await.unwrap();
            let near = store.near_vectors("a", &[0.0, 0.1, 0.0], 2).await.unwrap();
            let ids: Vec<&str> = near.iter().map(|near| &near.id[34..]).collect();
            assert_eq!(ids, ["01", "03"]);
            assert!((near[1].distance - 0.15).abs() < 1e-6, "{near:?}");
            assert_eq!(near[1].open_time, rows[2].open_time);
            // The same id again is the same row, with its new vector; other scalers and lengths are not compared.
            store.put_vectors(&[row(1, 0, "a", [9.0, 9.0, 9.0])]).await.unwrap();
            let near = store.near_vectors("a", &[0.0, 0.1, 0.0], 9).await.unwrap();
            assert_eq!((near.len(), &near[0].id[34..]), (3, "03"));
            assert!(store.near_vectors("a", &[0.0; 2], 9).await.unwrap().is_empty());
            let bad = store.put_vectors(&[row(1, 0, "a", [f32::NAN, 0.0, 0.0])]).await.unwrap_err();
            assert!(matches!(bad, StoreError::Invalid { .. }), "{bad}");
            assert_eq!(store.vector_support().await.unwrap(), VectorSupport::Ready { version });
        }
    }
}
