//! Measures the store against SQLite's own shell in the same run and prints one JSON line per row:
//! `cargo run --release -p cw-store --example bench_store -- [ROWS] [DIRECTORY]` (10,000,000 rows, the system's
//! temporary directory). The yardstick needs `sqlite3` in PATH.

#![expect(clippy::print_stdout, reason = "the figures are the program's output")]

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cw_core::{Candle, InstrumentId, Price, Timeframe, Timestamp, Volume};
use cw_store::{CandleQuery, ImportControl, ImportOptions, OnConflict, Source, SourceKind, Store, StoreConfig};

const OURS: &str = "candlewick";

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let rows: u64 = arguments.next().map_or(Ok(10_000_000), |text| text.parse())?;
    let parent = arguments.next().map_or_else(std::env::temp_dir, Into::into);
    let dir = tempfile::tempdir_in(parent)?;
    tokio::runtime::Runtime::new()?.block_on(async {
        shell_import(dir.path(), rows).await?;
        let store = Store::open(&StoreConfig::local(dir.path().join("ours"))).await?;
        our_import(&store, dir.path(), rows).await?;
        write_candles(&store, rows / 10).await?;
        read_ranges(&store, rows).await?;
        journal(&store).await?;
        store.close().await?;
        let size = std::fs::metadata(dir.path().join("ours").join(Store::DATABASE_FILE))?.len();
        // One tenth more was written under another name.
        let (kept, value) = (rows + rows / 10, size as f64 / (rows + rows / 10) as f64);
        println!(
            r#"{{"peer":"candlewick","row":"E-size","value":{value:.1},"unit":"B/candle","check":{{"rows":{kept}}}}}"#
        );
        Ok(())
    })
}

/// A walk that is the same everywhere: minute candles with six-digit prices and fractional volumes.
fn candles(rows: u64) -> impl Iterator<Item = Candle> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut close = 46_319_000_000_000_i64;
    (0..rows).map(move |n| {
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % 1000) as i64
        };
        let open = close;
        close += (random() - 500) * 10_000_000;
        close = close.max(1_000_000_000_000);
        let (high, low) = (open.max(close) + random() * 1_000_000, open.min(close) - random() * 1_000_000);
        Candle {
            open_time: Timestamp::from_secs(1_000_000_020 + 60 * n as i64),
            open: Price::from_raw(open),
            high: Price::from_raw(high),
            low: Price::from_raw(low),
            close: Price::from_raw(close),
            volume: Volume::from_raw(i128::from(random()) * 2_300_413_729),
        }
    })
}

/// A stretch of work on the wall's clock and on the processors'.
struct Stopwatch {
    wall: Instant,
    cpu: f64,
}

impl Stopwatch {
    fn start() -> Self {
        Self { wall: Instant::now(), cpu: cpu_seconds() }
    }
    /// Prints the CPU time per row; the wall's stands in the check, because a disk that others use moves it.
    fn report(&self, peer: &str, row: &str, rows: u64) {
        let (wall, cpu) = (self.wall.elapsed().as_secs_f64(), cpu_seconds() - self.cpu);
        let per_row = |seconds: f64| seconds * 1e9 / rows as f64;
        println!(
            r#"{{"peer":"{peer}","row":"{row}","value":{:.0},"unit":"ns/row","check":{{"rows":{rows},"wall_ns":{:.0}}}}}"#,
            per_row(cpu),
            per_row(wall)
        );
    }
}

/// Processor time of this process, all its threads and its finished children, which other load does not change much.
/// NaN where the system has no /proc.
fn cpu_seconds() -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The fields after the program's name, which stands in parentheses and may hold spaces: the 12th to 15th.
    let Some((_, fields)) = stat.rsplit_once(')') else { return f64::NAN };
    let ticks: f64 = fields.split_whitespace().skip(11).take(4).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / TICKS_PER_SECOND
}

/// The yardstick: `.import` of a CSV whose values are already what the table holds, into the same table.
async fn shell_import(dir: &Path, rows: u64) -> Outcome<()> {
    let csv = dir.join("shell.csv");
    let mut writer = BufWriter::new(File::create(&csv)?);
    for c in candles(rows) {
        let (open, high, low, close) = (c.open.raw(), c.high.raw(), c.low.raw(), c.close.raw());
        let (time, volume) = (c.open_time.as_nanos(), c.volume.raw());
        writeln!(writer, "1,{time},{open},{high},{low},{close},{volume},1,0")?;
    }
    writer.flush()?;
    let store = Store::open(&StoreConfig::local(dir.join("shell"))).await?;
    store.close().await?;
    let database = dir.join("shell").join(Store::DATABASE_FILE);
    let started = Stopwatch::start();
    let mut shell = Command::new("sqlite3").arg(&database).stdin(Stdio::piped()).spawn()?;
    let script = format!(".mode csv\n.import {} candles\n", csv.display());
    shell.stdin.take().ok_or("no stdin")?.write_all(script.as_bytes())?;
    if !shell.wait()?.success() {
        return Err("sqlite3 failed".into());
    }
    started.report("sqlite3 .import", "E-rows", rows);
    let counted = Command::new("sqlite3").arg(&database).arg("SELECT count(*) FROM candles").output()?;
    if String::from_utf8(counted.stdout)?.trim() != rows.to_string() {
        return Err("sqlite3 did not import every row".into());
    }
    std::fs::remove_file(csv)?;
    std::fs::remove_dir_all(dir.join("shell"))?;
    Ok(())
}

fn instrument() -> Outcome<InstrumentId> {
    Ok("BTC-PERP.FILE".parse()?)
}

/// Ours: a CSV as people have it, with ISO times and decimals, parsed, checked and written.
async fn our_import(store: &Store, dir: &Path, rows: u64) -> Outcome<()> {
    let csv = dir.join("ours.csv");
    let mut writer = BufWriter::new(File::create(&csv)?);
    writeln!(writer, "time,open,high,low,close,volume")?;
    for c in candles(rows) {
        writeln!(writer, "{},{},{},{},{},{}", c.open_time, c.open, c.high, c.low, c.close, c.volume)?;
    }
    writer.flush()?;
    let options = ImportOptions::new(instrument()?, Some(Timeframe::M1), "ours.csv");
    let started = Stopwatch::start();
    let done = store.import(File::open(&csv)?, &options, &ImportControl::default()).await?;
    started.report(OURS, "E-rows", done.accepted);
    if done.accepted != rows {
        return Err(format!("imported {} of {rows}", done.accepted).into());
    }
    std::fs::remove_file(csv)?;
    Ok(())
}

async fn write_candles(store: &Store, rows: u64) -> Outcome<()> {
    let all: Vec<Candle> = candles(rows).collect();
    let source = Source::new("bench", SourceKind::Backfilled);
    let other = "ETH-PERP.FILE".parse()?;
    let started = Stopwatch::start();
    store.write_candles(&other, Timeframe::M1, &all, &source, OnConflict::Revise).await?;
    started.report(OURS, "E-write", rows);
    let started = Stopwatch::start();
    store.write_candles(&other, Timeframe::M1, &all, &source, OnConflict::Revise).await?;
    started.report(OURS, "E-write-again", rows);
    Ok(())
}

async fn read_ranges(store: &Store, rows: u64) -> Outcome<()> {
    let wanted = rows.min(100_000);
    let from = Timestamp::from_secs(1_000_000_020 + 60 * (rows - wanted) as i64 / 2);
    let query = CandleQuery { from: Some(from), limit: Some(wanted as u32), ..Default::default() };
    let mut times = Vec::new();
    for _ in 0..9 {
        let started = Instant::now();
        let read = store.read_candles(&instrument()?, Timeframe::M1, &query).await?;
        times.push(started.elapsed());
        if read.len() as u64 != wanted {
            return Err(format!("read {} of {wanted}", read.len()).into());
        }
    }
    times.sort();
    println!(
        r#"{{"peer":"{OURS}","row":"E-range-rows","value":{:.2},"unit":"ms","check":{{"rows":{wanted},"median":{:.2},"max":{:.2}}}}}"#,
        times[0].as_secs_f64() * 1e3,
        times[4].as_secs_f64() * 1e3,
        times[8].as_secs_f64() * 1e3
    );
    Ok(())
}

/// Durable events per second: blocks of entries of 100 bytes, each block on the disk before the next one.
async fn journal(store: &Store) -> Outcome<()> {
    let (mut next, mut prev) = (1, [0; 32]);
    for entries in [100_u32, 1000] {
        let bytes = vec![7_u8; entries as usize * 100];
        let mut slowest = Duration::ZERO;
        let started = Instant::now();
        let mut blocks = 0;
        while started.elapsed() < Duration::from_secs(3) {
            let hash = *blake3::hash(&u64::to_le_bytes(next)).as_bytes();
            let one = Instant::now();
            store.journal().append_block(next, entries, &bytes, prev, hash).await?;
            slowest = slowest.max(one.elapsed());
            (next, prev) = (next + u64::from(entries), hash);
            blocks += 1;
        }
        let seconds = started.elapsed().as_secs_f64();
        println!(
            r#"{{"peer":"{OURS}","row":"journal-{entries}","value":{:.0},"unit":"ns/event","check":{{"blocks":{blocks},"events_per_s":{:.0},"ms_per_block":{:.3},"slowest_ms":{:.1}}}}}"#,
            seconds * 1e9 / (f64::from(blocks) * f64::from(entries)),
            f64::from(blocks) * f64::from(entries) / seconds,
            seconds * 1e3 / f64::from(blocks),
            slowest.as_secs_f64() * 1e3
        );
    }
    Ok(())
}
