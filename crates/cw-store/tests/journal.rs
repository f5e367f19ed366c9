//! The journal: order, chain, read-only, and what is there after a SIGKILL.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use cw_store::{Hash, JournalBlock, Store, StoreConfig, StoreError};
use futures_util::TryStreamExt;

const CHILD_DIR: &str = "CW_STORE_TEST_CHILD_DIR";

fn hash(seq: u64) -> Hash {
    *blake3::hash(&seq.to_le_bytes()).as_bytes()
}

/// Block number `n` of the test's chain: `count` entries from `first_seq`.
async fn append(store: &Store, first_seq: u64, count: u32) -> Result<(), StoreError> {
    let bytes = format!("entries from {first_seq}").repeat(count as usize).into_bytes();
    let prev = match store.journal().head().await? {
        Some(head) => head.hash,
        None => [0; 32],
    };
    store.journal().append_block(first_seq, count, &bytes, prev, hash(first_seq)).await
}

async fn open(dir: &Path) -> Store {
    Store::open(&StoreConfig::local(dir)).await.unwrap()
}

async fn all(store: &Store, from: u64) -> Vec<JournalBlock> {
    store.journal().blocks(from).try_collect().await.unwrap()
}

#[tokio::test]
async fn blocks_come_back_in_order_from_any_entry() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    assert_eq!(store.journal().head().await.unwrap(), None);
    assert!(all(&store, 0).await.is_empty());
    let mut next = 1;
    for n in 0..600u32 {
        append(&store, next, n % 5 + 1).await.unwrap();
        next += u64::from(n % 5 + 1);
    }
    let blocks = all(&store, 0).await;
    assert_eq!(blocks.len(), 600);
    assert_eq!(store.journal().head().await.unwrap().unwrap().next_seq, next);
    assert_eq!(store.journal().last_block().await.unwrap().as_ref(), blocks.last());
    // Entry 5 lies inside the block that starts at 4.
    let from_the_middle = all(&store, 5).await;
    assert_eq!(from_the_middle[0].first_seq, 4);
    assert_eq!(from_the_middle[..], blocks[2..]);
    assert!(all(&store, next).await.is_empty());
}

#[tokio::test]
async fn gaps_and_foreign_blocks_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    let journal = store.journal();
    let conflict = |result: Result<(), StoreError>| {
        let error = result.unwrap_err();
        assert!(matches!(error, StoreError::Conflict { .. }), "{error}");
    };
    conflict(journal.append_block(1, 1, b"x", hash(7), hash(1)).await);
    journal.append_block(1, 10, b"x", [0; 32], hash(1)).await.unwrap();
    conflict(journal.append_block(12, 1, b"x", hash(1), hash(2)).await);
    conflict(journal.append_block(10, 1, b"x", hash(1), hash(2)).await);
    conflict(journal.append_block(11, 1, b"x", hash(3), hash(2)).await);
    assert!(journal.append_block(11, 0, b"x", hash(1), hash(2)).await.is_err());
    journal.append_block(11, 1, b"x", hash(1), hash(2)).await.unwrap();
    assert_eq!(all(&store, 0).await.len(), 2);
}

#[tokio::test]
async fn a_write_that_is_cut_off_leaves_a_usable_journal() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    for n in 0..200u64 {
        // Whether the block was written is unknown after this, as after a timeout.
        let cut = tokio::time::timeout(Duration::from_micros(n * 3), append(&store, n + 1, 1)).await;
        let next = store.journal().head().await.unwrap().map_or(1, |head| head.next_seq);
        if cut.is_err() && next == n + 1 {
            // It may still be on its way; the next append finds out.
            match append(&store, n + 1, 1).await {
                Ok(()) | Err(StoreError::Conflict { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(store.journal().head().await.unwrap().unwrap().next_seq, n + 2);
    }
    assert_eq!(all(&store, 0).await.len(), 200);
}

#[tokio::test]
async fn an_edited_journal_is_noticed() {
    use sqlx::{Connection, SqliteConnection};
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    for n in 1..=20 {
        append(&store, n, 1).await.unwrap();
    }
    store.close().await.unwrap();
    drop(store);
    let path = dir.path().join(Store::JOURNAL_FILE);
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap();
    let refused = sqlx::query("DELETE FROM journal_blocks WHERE first_seq = 7").execute(&mut connection).await;
    assert!(refused.unwrap_err().to_string().contains("append-only"));
    sqlx::query("DROP TRIGGER journal_blocks_no_delete").execute(&mut connection).await.unwrap();
    sqlx::query("DELETE FROM journal_blocks WHERE first_seq = 7").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();

    let store = open(dir.path()).await;
    let read: Result<Vec<JournalBlock>, StoreError> = store.journal().blocks(0).try_collect().await;
    let error = read.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("the next journal entry is 7, not 8"), "{error}");
}

#[tokio::test]
async fn only_the_newest_snapshots_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).await;
    for seq in 1..=10u64 {
        store.journal().put_snapshot(seq * 100, hash(seq), &[seq as u8; 1000]).await.unwrap();
    }
    let kept = store.journal().snapshots().await.unwrap();
    assert_eq!(kept.iter().map(|snapshot| snapshot.seq).collect::<Vec<_>>(), [1000, 900, 800]);
    assert_eq!((kept[0].hash, kept[0].state.len()), (hash(10), 1000));
}

#[tokio::test]
async fn one_writer_at_a_time_and_readers_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let config = StoreConfig::local(dir.path());
    let read_only = StoreConfig { read_only: true, ..config.clone() };
    assert!(matches!(Store::open(&read_only).await.unwrap_err(), StoreError::NotFound { .. }));
    let store = open(dir.path()).await;
    append(&store, 1, 5).await.unwrap();
    let error = Store::open(&config).await.unwrap_err();
    assert!(matches!(error, StoreError::Locked { pid: Some(pid), .. } if pid == std::process::id()), "{error}");
    assert!(error.to_string().ends_with(&format!("is in use by process {}", std::process::id())), "{error}");

    let observer = Store::open(&read_only).await.unwrap();
    assert_eq!(observer.journal().head().await.unwrap().unwrap().next_seq, 6);
    assert_eq!(observer.journal().instance(), store.journal().instance());
    let refused = observer.set_setting("theme", &serde_json::json!(1)).await.unwrap_err();
    assert!(matches!(refused, StoreError::ReadOnly { .. }), "{refused}");
    assert!(matches!(append(&observer, 6, 1).await.unwrap_err(), StoreError::ReadOnly { .. }));
    append(&store, 6, 1).await.unwrap();
    assert_eq!(observer.journal().head().await.unwrap().unwrap().next_seq, 7);

    let instance = store.journal().instance().to_owned();
    store.close().await.unwrap();
    drop(store);
    assert_eq!(open(dir.path()).await.journal().instance(), instance);
}

/// Not a test by itself: what [`acknowledged_blocks_survive_a_kill`] runs in a process of its own.
#[test]
fn child_that_appends_until_it_is_killed() {
    let Some(dir) = std::env::var_os(CHILD_DIR) else { return };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = open(Path::new(&dir)).await;
        loop {
            let next = store.journal().head().await.unwrap().map_or(1, |head| head.next_seq);
            append(&store, next, (next % 97 + 1) as u32).await.unwrap();
            println!("ack {next}");
        }
    });
}

#[test]
fn acknowledged_blocks_survive_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut last_acknowledged = 0;
    for round in 0..25u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_appends_until_it_is_killed", "--nocapture"])
            .env(CHILD_DIR, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let reader = std::thread::spawn(move || {
            let acks = stdout.lines().map_while(Result::ok).filter_map(|line| line.strip_prefix("ack ")?.parse().ok());
            acks.last().unwrap_or(0u64)
        });
        // Some rounds die while opening, some in the middle of an append.
        std::thread::sleep(Duration::from_millis(5 + round * round * 37 % 400));
        child.kill().unwrap();
        child.wait().unwrap();
        last_acknowledged = reader.join().unwrap().max(last_acknowledged);
        runtime.block_on(async {
            let store = open(dir.path()).await;
            let blocks = all(&store, 0).await;
            if last_acknowledged > 0 {
                assert!(blocks.iter().any(|block| block.first_seq == last_acknowledged), "round {round}");
            }
            assert!(blocks.iter().all(|block| block.hash == hash(block.first_seq)));
            store.close().await.unwrap();
        });
    }
    assert!(last_acknowledged > 1000, "the child got to work: {last_acknowledged}");
}
