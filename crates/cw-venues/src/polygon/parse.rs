//! From Polygon's words to ours.

use cw_core::{Candle, Instrument, InstrumentId, MarketEvent, MarketEventKind, Quantity, Timeframe, Timestamp};
use cw_market::FeedEvent;
use serde_json::value::RawValue;

use super::wire;
use crate::net::{Health, Num, aligned, candle, parse_rows, plain, quote, read, trade};

/// Shares in a round lot, which the stream counts quotes of stocks in.
const ROUND_LOT: i128 = 100;

fn aggregate(timeframe: Timeframe, w: &wire::Aggregate) -> Result<Candle, String> {
    let time = w.t.millis()?;
    // A day of stocks begins at midnight in New York, which is the same date here.
    let open_time = if timeframe == Timeframe::D1 { timeframe.open_time(time) } else { aligned(timeframe, time)? };
    candle(open_time, [&w.o, &w.h, &w.l, &w.c], &w.v)
}

/// A page of candles, and where the next one is.
pub(super) fn page(
    timeframe: Timeframe,
    body: &[u8],
    health: &Health,
) -> Result<(Vec<Candle>, Option<String>), serde_json::Error> {
    let page: wire::Aggregates<'_> = serde_json::from_slice(body)?;
    Ok((parse_rows(&page.results, health, |w: wire::Aggregate| aggregate(timeframe, &w)), page.next_url))
}

/// When each was traded or quoted last; `None` where nothing is known of it.
pub(super) fn latest(ids: &[InstrumentId], body: &[u8]) -> Result<Vec<Option<Timestamp>>, serde_json::Error> {
    let page: wire::Snapshots = serde_json::from_slice(body)?;
    let moment = |w: &Option<wire::Updated>| {
        let w = w.as_ref()?;
        let nanos = [&w.last_updated, &w.sip_timestamp].into_iter().find_map(|nanos| nanos.integer().ok());
        nanos.filter(|nanos| *nanos > 0).map(Timestamp::from_nanos)
    };
    let of = |id: &InstrumentId| {
        let row = page.results.iter().find(|row| row.ticker == id.symbol())?;
        moment(&row.last_quote).max(moment(&row.last_trade))
    };
    Ok(ids.iter().map(of).collect())
}

/// Instruments that were found.
pub(super) fn tickers(code: &str, body: &[u8], health: &Health) -> Result<Vec<Instrument>, serde_json::Error> {
    let page: wire::Tickers<'_> = serde_json::from_slice(body)?;
    Ok(parse_rows(&page.results, health, |w: wire::Ticker| {
        let id = InstrumentId::new(&format!("{}.{code}", w.ticker)).map_err(|error| error.to_string())?;
        let mut instrument = super::instrument(&id);
        let name = plain(&w.name.unwrap_or_default(), 120);
        instrument.name = if name.is_empty() { w.ticker } else { name };
        Ok(instrument)
    }))
}

/// One event of the stream; `None` for what is known and of no interest.
pub(super) fn event(
    kind: &str,
    instrument: &InstrumentId,
    row: &RawValue,
    received_at: Timestamp,
) -> Result<Option<FeedEvent>, String> {
    let instrument = instrument.clone();
    let market = |instrument, kind| Some(FeedEvent::Market(MarketEvent { instrument, received_at, kind }));
    Ok(match kind {
        "AM" | "XA" | "CA" => {
            let timeframe = Timeframe::M1;
            let candle = aggregate(timeframe, &read(row)?)?;
            Some(FeedEvent::Candle { instrument, timeframe, candle, received_at })
        }
        "T" | "XT" => {
            let w: wire::Trade = read(row)?;
            let id = w.q.integer().ok().and_then(|id| u64::try_from(id).ok()).unwrap_or(0);
            market(instrument, MarketEventKind::Trade(trade(w.t.millis()?, &w.p, &w.s, None, id)?))
        }
        "Q" | "XQ" => {
            let w: wire::Quote = read(row)?;
            let mut quote = quote(w.t.millis()?, (&w.bp, &w.bs), (&w.ap, &w.ask_size))?;
            if kind == "Q" {
                let shares = |lots: Quantity| Quantity::from_raw(lots.raw().saturating_mul(ROUND_LOT));
                (quote.bid_qty, quote.ask_qty) = (shares(quote.bid_qty), shares(quote.ask_qty));
            }
            market(instrument, MarketEventKind::Quote(quote))
        }
        "C" => {
            let w: wire::Currency = read(row)?;
            let quote = quote(w.t.millis()?, (&w.b, &Num::Missing), (&w.a, &Num::Missing))?;
            market(instrument, MarketEventKind::Quote(quote))
        }
        "A" | "XAS" | "CAS" | "LULD" | "NOI" | "FMV" | "LV" | "XL2" => None,
        other => return Err(format!("an unknown kind of event, {other:?}")),
    })
}
