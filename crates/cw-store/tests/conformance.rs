//! One suite, two databases: every case runs on SQLite and on a real PostgreSQL that the test starts.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/postgres.rs"]
mod postgres;

mod cases {
    pub mod candles;
    pub mod documents;
    pub mod import;
    pub mod live_data;
    pub mod news;
    pub mod schema;
    pub mod settings;
    pub mod trading;
    pub mod vectors;
}

use std::panic::AssertUnwindSafe;

use cw_store::{Store, StoreConfig};
use tempfile::TempDir;

/// An empty database of its own for one case.
pub struct Bench {
    pub config: StoreConfig,
    pub store: Store,
    /// Removed when the case ends.
    pub dir: TempDir,
}

impl Bench {
    async fn new(url: Option<String>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let config = StoreConfig { url, ..StoreConfig::local(dir.path()) };
        let store = Store::open(&config).await.unwrap();
        Self { config, store, dir }
    }

    /// Closes the store and opens it again, as a restart does.
    pub async fn reopen(self) -> Self {
        let Self { config, store, dir } = self;
        store.close().await.unwrap();
        drop(store);
        let store = Store::open(&config).await.unwrap();
        Self { config, store, dir }
    }
}

fn block_on(future: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future);
}

macro_rules! suite {
    ($($module:ident :: $case:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $case() {
                super::block_on(async { super::cases::$module::$case(super::Bench::new(None).await).await });
            })+
        }

        /// One test, because one server serves all cases, each in a database of its own.
        #[test]
        fn postgres_passes_every_case() {
            let Some(server) = postgres::Server::start() else {
                eprintln!("skipped: CANDLEWICK_TEST_PG=skip");
                return;
            };
            let mut failed = Vec::new();
            $({
                let name = stringify!($case);
                let run = std::panic::catch_unwind(AssertUnwindSafe(|| {
                    block_on(async {
                        create_database(&server, name).await;
                        cases::$module::$case(Bench::new(Some(server.url(name))).await).await;
                    });
                }));
                if run.is_err() {
                    failed.push(name);
                }
            })+
            assert!(failed.is_empty(), "failed on PostgreSQL: {failed:?}");
        }
    };
}

async fn create_database(server: &postgres::Server, name: &str) {
    use sqlx::Connection;
    let mut admin = sqlx::PgConnection::connect(&server.url("postgres")).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await.unwrap();
    admin.close().await.unwrap();
}

suite! {
    schema::up_down_up_gives_the_same_schema,
    schema::a_newer_schema_is_refused,
    schema::status_names_every_step,
    settings::settings_are_kept,
    settings::free_questions_only_read,
    settings::workspaces_keep_their_last_revisions,
    settings::a_workspace_saved_elsewhere_is_a_conflict,
    trading::a_batch_is_written_once,
    trading::orders_are_listed_newest_first_with_filters,
    trading::fills_and_decisions_come_back_exactly,
    trading::an_unbalanced_transaction_is_refused_whole,
    trading::the_ledger_can_be_verified,
    trading::projections_can_be_rebuilt,
    trading::every_edit_of_the_audit_log_is_found,
    trading::instruments_are_kept,
    trading::jobs_are_kept_with_their_results,
    import::recorded_candles_are_imported_exactly,
    import::recorded_ticks_are_imported_exactly,
    import::bad_rows_never_stop_an_import,
    import::duplicates_are_counted_and_contradictions_rejected,
    import::every_form_of_time_and_header_is_understood,
    import::a_file_that_makes_no_sense_writes_nothing,
    import::hostile_bytes_are_rejected_row_by_row,
    import::an_import_reports_progress_and_can_be_stopped,
    import::a_reader_that_fails_is_an_error,
    import::gaps_and_coverage_follow_what_is_there,
    import::import_of_export_is_the_same,
    import::long_exports_lose_no_row_between_pages,
    import::json_is_an_array_of_texts,
    candles::writing_twice_changes_nothing,
    candles::ranges_are_half_open_and_limits_count_from_either_end,
    candles::a_changed_candle_is_a_revision,
    candles::kept_candles_are_reported_as_conflicts,
    candles::input_may_come_in_any_order,
    candles::senseless_candles_are_refused,
    candles::volumes_beyond_64_bits_are_kept_exactly,
    candles::many_chunks_are_one_series,
    candles::what_was_written_survives_a_restart,
    live_data::a_page_is_written_with_what_it_covers,
    live_data::prices_of_both_kinds_never_share_a_series,
    live_data::outages_are_rows_until_they_are_filled_and_after,
    live_data::what_is_refused_again_counts_up_and_old_rows_go,
    documents::documents_are_found_by_words,
    news::news_are_found_by_words_symbol_source_and_time,
    news::answers_are_kept_per_question_and_provider,
    vectors::vectors_where_the_extension_is,
}
