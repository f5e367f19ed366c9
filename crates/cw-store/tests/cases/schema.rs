use cw_store::{Store, StoreError};
use sqlx::{Connection, PgConnection, Row, SqliteConnection};

use crate::Bench;

/// Every table, column, index, constraint and view, as the database itself describes them.
async fn schema(bench: &Bench) -> Vec<String> {
    if let Some(url) = &bench.config.url {
        let mut connection = PgConnection::connect(url).await.unwrap();
        let rows = sqlx::query(
            "SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable \
                 || ' ' || coalesce(column_default, '') FROM information_schema.columns WHERE table_schema = 'public' \
             UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public' \
             UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || pg_get_constraintdef(oid) \
                 FROM pg_constraint WHERE connamespace = 'public'::regnamespace \
             UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal \
             UNION ALL SELECT 'view ' || viewname || definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        return rows.iter().map(|row| row.get(0)).collect();
    }
    let path = bench.config.data_dir.join(Store::DATABASE_FILE);
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    let rows = sqlx::query("SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY 1")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

pub async fn up_down_up_gives_the_same_schema(bench: Bench) {
    let before = schema(&bench).await;
    assert!(before.iter().any(|line| line.contains("candles")), "{before:#?}");
    bench.store.migrate_down(0).await.unwrap();
    let empty = schema(&bench).await;
    assert!(empty.iter().all(|line| line.contains("_sqlx_migrations")), "left behind: {empty:#?}");
    assert!(bench.store.migration_status().await.unwrap().iter().all(|step| !step.applied));
    bench.store.migrate_up().await.unwrap();
    assert_eq!(schema(&bench).await, before);
}

pub async fn status_names_every_step(bench: Bench) {
    let status = bench.store.migration_status().await.unwrap();
    assert_eq!((status[0].version, status[0].description.as_str(), status[0].applied), (1, "market data", true));
    let versions: Vec<i64> = status.iter().map(|step| step.version).collect();
    assert_eq!(versions, (1..=status.len() as i64).collect::<Vec<_>>());
    bench.store.migrate_down(1).await.unwrap();
    let applied: Vec<bool> =
        bench.store.migration_status().await.unwrap().into_iter().map(|step| step.applied).collect();
    assert!(applied[0] && applied[1..].iter().all(|applied| !applied), "{applied:?}");
}

pub async fn a_newer_schema_is_refused(bench: Bench) {
    const FUTURE: &str = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                          VALUES (9000, 'from the future', true, '', 0)";
    bench.store.close().await.unwrap();
    let Bench { config, store, dir: _dir } = bench;
    drop(store);
    if let Some(url) = &config.url {
        let mut connection = PgConnection::connect(url).await.unwrap();
        sqlx::query(FUTURE).execute(&mut connection).await.unwrap();
    } else {
        let path = config.data_dir.join(Store::DATABASE_FILE);
        let mut connection = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
        sqlx::query(FUTURE).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
    let error = Store::open(&config).await.unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema { found: 9000, .. }), "{error}");
    assert!(error.to_string().contains("schema version 9000"), "{error}");
}
