//! Why did it trade: from a fill or an order back to the ticks, entry by entry.

use cw_api::ApiError;
use cw_api::commands::journal::{ExplainStep, Explanation};
use cw_core::{Order, OrderId, OrderStatus};
use cw_engine::journal::{Body, Entry};
use cw_engine::{Command, Decision, Envelope, Input, Meta, Record};
use cw_store::{FillQuery, FillRow};
use futures_util::TryStreamExt;
use serde_json::{Map, Value, json};

use crate::recovery::block;
use crate::shared::{Shared, storage};
use crate::words;

/// Entries looked through for the last quote before a human's order.
const QUOTE_SEARCH: u64 = 5_000;
/// Entries behind an order's cause in which its first record stands.
const ORDER_SEARCH: u64 = 500;
/// Parents followed: an exit leg has one.
const MAX_PARENTS: usize = 4;
/// Fills looked through for one by its id.
const FILL_SEARCH: u32 = 5_000;

pub(super) async fn explain(shared: &Shared, id: &str) -> Result<Explanation, ApiError> {
    let mut walk = Walk { shared, steps: Vec::new() };
    let fill = find_fill(shared, id).await?;
    let mut order_id = match (&fill, id.parse::<u64>()) {
        (Some(fill), _) => fill.order_id,
        (None, Ok(number)) => OrderId(number),
        (None, Err(_)) => return Err(ApiError::not_found(format!("fill or order {id}"))),
    };
    if let Some(fill) = &fill {
        walk.fill(fill).await?;
    }
    for _ in 0..MAX_PARENTS {
        let Some(order) = shared.store.order(order_id).await.map_err(storage)? else {
            return Err(ApiError::not_found(format!("order {order_id}")));
        };
        walk.order(&order).await?;
        let Some(parent) = order.request.parent else {
            walk.cause(&order).await?;
            break;
        };
        order_id = parent;
    }
    // A cause that is not among the steps (a timer, an entry of another kind) would point to nothing.
    let shown: std::collections::BTreeSet<u64> = walk.steps.iter().map(|step| step.seq).collect();
    for step in &mut walk.steps {
        step.caused_by = step.caused_by.filter(|seq| shown.contains(seq) && *seq != step.seq);
    }
    Ok(Explanation { steps: walk.steps })
}

async fn find_fill(shared: &Shared, id: &str) -> Result<Option<FillRow>, ApiError> {
    let query = FillQuery { limit: Some(FILL_SEARCH), ..FillQuery::default() };
    let fills = shared.store.fills(&query).await.map_err(storage)?;
    Ok(fills.into_iter().find(|f| f.fill.venue_fill_id == id))
}

struct Walk<'a> {
    shared: &'a Shared,
    steps: Vec<ExplainStep>,
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

impl Walk<'_> {
    fn step(&mut self, meta: Meta, kind: &str, title: String, detail: Value) {
        let caused_by = (meta.caused_by != meta.seq).then_some(meta.caused_by);
        self.steps.push(ExplainStep {
            seq: meta.seq,
            time: meta.time,
            kind: kind.to_owned(),
            title,
            detail: object(detail),
            caused_by,
        });
    }

    async fn entry(&self, seq: u64) -> Result<Option<Entry>, ApiError> {
        let stored = Box::pin(self.shared.store.journal().blocks(seq)).try_next().await.map_err(storage)?;
        let Some(stored) = stored else { return Ok(None) };
        let entries = block(stored).entries().map_err(|error| ApiError::storage(error.to_string()))?;
        Ok(entries.into_iter().find(|e| e.meta.seq == seq))
    }

    async fn fill(&mut self, fill: &FillRow) -> Result<(), ApiError> {
        let Some(entry) = self.entry(fill.seq).await? else { return Ok(()) };
        self.step(
            entry.meta,
            "fill",
            format!("{} {} {} at {}", fill.side, fill.fill.qty, fill.instrument, fill.fill.price),
            json!({
                "fill": fill.fill.venue_fill_id, "fee": fill.fill.fee, "liquidity": fill.fill.liquidity,
                "realized_pnl": fill.realized_pnl, "event_time": fill.fill.event_time, "account": fill.account,
            }),
        );
        let Some(report) = self.entry(entry.meta.caused_by).await? else { return Ok(()) };
        if let Body::Input(Input::Report { report: what, .. }) = &report.body {
            self.step(
                report.meta,
                "venue_report",
                format!("{} reported the execution", fill.instrument.venue()),
                json!({ "client_order_id": what.client_order_id() }),
            );
        }
        Ok(())
    }

    /// The entry that first told of an order: right behind what caused it.
    async fn first_record(&self, order: &Order) -> Result<Option<Meta>, ApiError> {
        let mut blocks = Box::pin(self.shared.store.journal().blocks(order.caused_by));
        while let Some(stored) = blocks.try_next().await.map_err(storage)? {
            for entry in block(stored).entries().map_err(|error| ApiError::storage(error.to_string()))? {
                if entry.meta.seq > order.caused_by + ORDER_SEARCH {
                    return Ok(None);
                }
                if let Body::Record(record) = &entry.body
                    && matches!(&**record, Record::Order(o) if o.id == order.id)
                {
                    return Ok(Some(entry.meta));
                }
            }
        }
        Ok(None)
    }

    async fn order(&mut self, order: &Order) -> Result<(), ApiError> {
        let (title, verdict) = match order.status {
            OrderStatus::Denied => ("order denied by the risk gate", order.reason.clone()),
            _ => ("order passed the risk gate", None),
        };
        let role = match order.request.parent {
            Some(parent) => format!("exit leg of order {parent}"),
            None => order.request.actor.to_string(),
        };
        let recorded = self.first_record(order).await?;
        let known = Meta { seq: order.caused_by, time: order.created_at, caused_by: order.caused_by };
        let meta = recorded.unwrap_or(known);
        // What was told before follows from this order: the venue's report, or the leg that it is the entry of.
        if let Some(later) = self.steps.last_mut().filter(|step| step.seq > meta.seq) {
            later.caused_by = Some(meta.seq);
        }
        let title = format!("{title}: {}", words::order(&order.request));
        self.step(
            meta,
            "order",
            title,
            json!({
                "order_id": order.id, "client_order_id": order.request.client_order_id, "status": order.status,
                "venue_order_id": order.venue_order_id, "source": role, "denied_because": verdict,
                "filled_qty": order.filled_qty, "average_price": order.average_price(),
            }),
        );
        Ok(())
    }

    /// What made somebody place it.
    async fn cause(&mut self, order: &Order) -> Result<(), ApiError> {
        let Some(entry) = self.entry(order.caused_by).await? else { return Ok(()) };
        match &entry.body {
            Body::Record(record) => {
                if let Record::Decision(decision) = &**record {
                    self.decision(entry.meta, decision).await?;
                }
            }
            Body::Input(Input::Command(envelope)) => self.command(entry.meta, envelope, order).await?,
            Body::Input(_) => {}
        }
        Ok(())
    }

    async fn decision(&mut self, meta: Meta, decision: &Decision) -> Result<(), ApiError> {
        let values: Map<String, Value> = decision.trace.iter().map(|(k, v)| (k.clone(), v.clone().into())).collect();
        self.step(
            meta,
            "decision",
            format!("strategy {} decided to {}: {}", decision.strategy, decision.verdict.as_str(), decision.reason),
            json!({ "strategy": decision.strategy, "timeframe": decision.timeframe, "qty": decision.qty, "values": values }),
        );
        let candle = &decision.candle;
        let (first, last) = decision.ticks;
        self.steps.push(ExplainStep {
            seq: meta.caused_by,
            // A candle that ends with a trade was over when it was decided on.
            time: decision.timeframe.timeframe().map_or(meta.time, |timeframe| timeframe.close_time(candle.open_time)),
            kind: "candle".to_owned(),
            title: format!("{} {} candle of {} closed", decision.instrument, decision.timeframe, candle.open_time),
            detail: object(json!({
                "open": candle.open, "high": candle.high, "low": candle.low, "close": candle.close,
                "volume": candle.volume, "first_tick": first, "last_tick": last,
            })),
            caused_by: Some(last),
        });
        for (seq, which) in [(last, "last"), (first, "first")] {
            if seq > 0 && (which == "last" || first != last) {
                self.tick(seq, which).await?;
            }
        }
        Ok(())
    }

    async fn tick(&mut self, seq: u64, which: &str) -> Result<(), ApiError> {
        let Some(entry) = self.entry(seq).await? else { return Ok(()) };
        match &entry.body {
            Body::Input(Input::Trade { instrument, trade }) => {
                let name = self.name(*instrument);
                self.step(
                    entry.meta,
                    "trade",
                    format!("{which} trade of that candle: {} {name} at {}", trade.qty, trade.price),
                    json!({ "event_time": trade.event_time, "trade_id": trade.trade_id, "aggressor": trade.aggressor }),
                );
            }
            Body::Input(Input::Minute { instrument, candle, .. }) => {
                let name = self.name(*instrument);
                let text = format!("{which} minute of that candle, as {name}'s venue told it: close {}", candle.close);
                self.step(entry.meta, "minute", text, json!({ "open_time": candle.open_time }));
            }
            Body::Input(Input::Backfill { instrument, candles }) => {
                let name = self.name(*instrument);
                self.step(
                    entry.meta,
                    "backfill",
                    format!("{which} part of that candle came from {name}'s history when the feed began"),
                    json!({ "candles": candles.len() }),
                );
            }
            _ => {}
        }
        Ok(())
    }

    fn name(&self, instrument: u32) -> String {
        self.shared.directory.instrument(instrument).map_or_else(|| "?".to_owned(), |i| i.id.to_string())
    }

    async fn command(&mut self, meta: Meta, envelope: &Envelope, order: &Order) -> Result<(), ApiError> {
        let what = match &envelope.command {
            Command::AcceptApproval { id } => format!("accepted the request {id}"),
            Command::ClosePosition { .. } => "asked to close the position".to_owned(),
            _ => "placed it".to_owned(),
        };
        self.step(
            meta,
            "command",
            format!("{} {what} through {}", envelope.actor, envelope.surface.as_str()),
            json!({ "trace_id": envelope.trace_id, "surface": envelope.surface }),
        );
        let Some(number) = self.shared.directory.number(&order.request.instrument) else { return Ok(()) };
        let from = meta.seq.saturating_sub(QUOTE_SEARCH).max(1);
        let mut blocks = Box::pin(self.shared.store.journal().blocks(from));
        let mut last = None;
        'search: while let Some(stored) = blocks.try_next().await.map_err(storage)? {
            for entry in block(stored).entries().map_err(|error| ApiError::storage(error.to_string()))? {
                if entry.meta.seq >= meta.seq {
                    break 'search;
                }
                if let Body::Input(Input::Quote { instrument, quote }) = &entry.body
                    && *instrument == number
                {
                    last = Some((entry.meta, *quote));
                }
            }
        }
        if let Some((meta, quote)) = last {
            self.step(
                meta,
                "quote",
                format!("the market then: {} bid {}, ask {}", order.request.instrument, quote.bid, quote.ask),
                json!({ "bid": quote.bid, "ask": quote.ask, "bid_qty": quote.bid_qty, "ask_qty": quote.ask_qty,
                        "event_time": quote.event_time }),
            );
        }
        Ok(())
    }
}
