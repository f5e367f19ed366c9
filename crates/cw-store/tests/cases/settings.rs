use cw_store::{StoreError, WORKSPACE_REVISIONS};
use serde_json::json;

use crate::Bench;

pub async fn settings_are_kept(bench: Bench) {
    assert_eq!(bench.store.setting("theme").await.unwrap(), None);
    bench.store.set_setting("theme", &json!("dark")).await.unwrap();
    bench.store.set_setting("theme", &json!({"name": "light", "scale": 1.25})).await.unwrap();
    bench.store.set_setting("ähnlich 'quoted'", &json!(null)).await.unwrap();
    let bench = bench.reopen().await;
    assert_eq!(bench.store.setting("theme").await.unwrap(), Some(json!({"name": "light", "scale": 1.25})));
    let all: Vec<String> = bench.store.settings().await.unwrap().into_iter().map(|(key, _)| key).collect();
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(bench.store.remove_setting("theme").await.unwrap());
    assert!(!bench.store.remove_setting("theme").await.unwrap());
    assert_eq!(bench.store.setting("theme").await.unwrap(), None);
}

pub async fn workspaces_keep_their_last_revisions(bench: Bench) {
    let store = &bench.store;
    assert!(store.workspace("main", None).await.unwrap().is_none());
    let saves = WORKSPACE_REVISIONS as u32 + 5;
    for n in 1..=saves {
        assert_eq!(store.save_workspace("main", &json!({"n": n}), 3, None).await.unwrap(), n);
    }
    store.save_workspace("other", &json!([]), 3, None).await.unwrap();
    let newest = store.workspace("main", None).await.unwrap().unwrap();
    assert_eq!((newest.revision, newest.schema_version, newest.layout), (saves, 3, json!({"n": saves})));
    assert!(store.workspace("main", Some(5)).await.unwrap().is_none(), "dropped");
    assert_eq!(store.workspace("main", Some(6)).await.unwrap().unwrap().layout, json!({"n": 6}));
    assert_eq!(store.workspaces().await.unwrap(), [("main".to_owned(), saves), ("other".to_owned(), 1)]);
}

pub async fn a_workspace_saved_elsewhere_is_a_conflict(bench: Bench) {
    let store = &bench.store;
    assert_eq!(store.save_workspace("main", &json!(1), 1, Some(0)).await.unwrap(), 1);
    assert_eq!(store.save_workspace("main", &json!(2), 1, Some(1)).await.unwrap(), 2);
    let error = store.save_workspace("main", &json!(3), 1, Some(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
    assert_eq!(store.workspace("main", None).await.unwrap().unwrap().layout, json!(2));
}

pub async fn free_questions_only_read(bench: Bench) {
    bench.store.set_setting("theme", &json!("dark")).await.unwrap();
    let answer = bench.store.query("SELECT key, updated_at > 0 AS dated, 7 AS n FROM settings", 10).await.unwrap();
    assert_eq!(answer.columns, ["key", "dated", "n"]);
    assert_eq!((&answer.rows[0][0], &answer.rows[0][2]), (&json!("theme"), &json!(7)));
    let error = bench.store.query("DELETE FROM settings", 10).await.unwrap_err();
    assert!(matches!(error, StoreError::Invalid { .. }), "{error}");
    assert_eq!(bench.store.setting("theme").await.unwrap(), Some(json!("dark")));
}
