//! From what is on the disk to a running state: the same path after a clean stop, a crash and the very first start.

use cw_core::{Clock, Currency, Instrument, Order, OrderStatus, Timeframe};
use cw_engine::journal::{Block, Entry, GENESIS_HASH};
use cw_engine::replay::Replay;
use cw_engine::{AccountConfig, Engine, EngineConfig, state_hash_of};
use cw_execution::{PaperBroker, VenueReport};
use cw_store::{JournalBlock, Store};
use futures_util::TryStreamExt;

use crate::node::NodeError;
use crate::projector;
use crate::shared::Directory;

/// Timeframes that the engine aggregates from ticks; all others are folded from stored candles.
const TIMEFRAMES: [Timeframe; 7] =
    [Timeframe::M1, Timeframe::M5, Timeframe::M15, Timeframe::M30, Timeframe::H1, Timeframe::H4, Timeframe::D1];

/// What recovery found.
pub(crate) struct Recovered {
    pub engine: Engine,
    pub head: [u8; 32],
    pub replayed: u64,
}

/// A journal block as the engine reads it.
pub(crate) fn block(stored: JournalBlock) -> Block {
    Block {
        first_seq: stored.first_seq,
        count: u64::from(stored.count),
        bytes: stored.bytes,
        previous_hash: stored.prev_hash,
        hash: stored.hash,
    }
}

/// The configuration of a new installation: the simulated market's instruments and the accounts to open.
fn first_config(instruments: Vec<Instrument>, accounts: Vec<AccountConfig>) -> Result<EngineConfig, NodeError> {
    let mut random = [0u8; 8];
    getrandom::fill(&mut random).map_err(|e| NodeError::Setup(format!("no random numbers: {e}")))?;
    let mut name = [0u8; 3];
    getrandom::fill(&mut name).map_err(|e| NodeError::Setup(format!("no random numbers: {e}")))?;
    Ok(EngineConfig {
        seed: u64::from_le_bytes(random),
        instance: hex::encode(name),
        instruments,
        accounts,
        timeframes: TIMEFRAMES.to_vec(),
        lateness_ns: 2_000_000_000,
        pegs: vec![(Currency::USDT, Currency::USD)],
        closed_orders_kept: 1_000,
    })
}

/// Opens the engine as the journal left it.
pub(crate) async fn recover(
    store: &Store,
    instruments: Vec<Instrument>,
    accounts: Vec<AccountConfig>,
    clock: &dyn Clock,
) -> Result<Recovered, NodeError> {
    let Some(head) = store.journal().head().await? else {
        let engine = Engine::new(first_config(instruments, accounts)?, clock.now());
        return Ok(Recovered { engine, head: GENESIS_HASH, replayed: 0 });
    };
    let (mut replay, from) = match newest_snapshot(store).await? {
        Some((engine, seq)) => (Replay::continuing(engine), seq + 1),
        None => (Replay::new(), 1),
    };
    let mut replayed = 0;
    if from < head.next_seq {
        let mut blocks = Box::pin(store.journal().blocks(from));
        while let Some(stored) = blocks.try_next().await? {
            let block = block(stored);
            replayed += block.count;
            if from == 1 { replay.push(&block) } else { replay.feed(&block) }?;
        }
    }
    let (engine, report) = replay.finish()?;
    if report.differences > 0 {
        // A newer program may decide otherwise than the one that wrote the journal; what happened stays in the tables.
        tracing::warn!(target: "recovery", differences = report.differences, first = report.first_difference,
            "the journal replays differently under this version");
    }
    Ok(Recovered { engine, head: head.hash, replayed })
}

async fn newest_snapshot(store: &Store) -> Result<Option<(Engine, u64)>, NodeError> {
    for snapshot in store.journal().snapshots().await? {
        if state_hash_of(&snapshot.state) != snapshot.hash {
            tracing::warn!(target: "recovery", seq = snapshot.seq, "a snapshot is damaged; an older one is taken");
            continue;
        }
        match Engine::restore(&snapshot.state) {
            Ok(engine) => return Ok(Some((engine, snapshot.seq))),
            Err(error) => tracing::warn!(target: "recovery", %error, seq = snapshot.seq, "a snapshot cannot be used"),
        }
    }
    Ok(None)
}

/// Brings the tables up to the journal.
pub(crate) async fn catch_up(store: &Store) -> Result<(), NodeError> {
    let Some(head) = store.journal().head().await? else { return Ok(()) };
    let from = store.projected_upto().await?.map_or(1, |seq| seq + 1);
    if from >= head.next_seq {
        return Ok(());
    }
    let mut blocks = Box::pin(store.journal().blocks(from));
    let mut entries: Vec<Entry> = Vec::new();
    while let Some(stored) = blocks.try_next().await? {
        entries.extend(block(stored).entries()?.into_iter().filter(|e| e.meta.seq >= from));
        if entries.len() > 100_000 {
            projector::catch_up(store, std::mem::take(&mut entries)).await?;
        }
    }
    projector::catch_up(store, entries).await?;
    Ok(())
}

/// Hands a paper venue its open orders and positions back. A paper venue lives in this process, so what it had not
/// acknowledged it never took: those orders are reported as lost and then as proven absent.
pub(crate) fn hand_back(
    engine: &Engine,
    account: u32,
    directory: &Directory,
    broker: &mut PaperBroker,
) -> Vec<VenueReport> {
    let mut reports = Vec::new();
    for (number, instrument) in directory.instruments().iter().enumerate() {
        broker.restore_position(&instrument.id, engine.net_position(account, number as u32));
    }
    let mine = engine.accounts().get(account as usize).map(|a| a.config.id.clone());
    let open: Vec<Order> =
        engine.open_orders().filter(|o| Some(&o.request.account) == mine.as_ref()).cloned().collect();
    for order in open {
        let client_order_id = order.request.client_order_id.clone();
        match order.status {
            OrderStatus::Sent | OrderStatus::Unknown => {
                if order.status == OrderStatus::Sent {
                    let reason = "the program stopped before the venue answered".to_owned();
                    reports.push(VenueReport::ReplyLost { client_order_id: client_order_id.clone(), reason });
                }
                reports.push(VenueReport::NotFound { client_order_id });
            }
            _ if order.pending_cancel => {
                reports.push(VenueReport::Canceled { client_order_id, reason: "canceled on request".to_owned() });
            }
            _ => {
                if let Some(instrument) =
                    directory.number(&order.request.instrument).and_then(|n| directory.instrument(n))
                {
                    broker.restore(&order, &instrument);
                }
            }
        }
    }
    reports
}
