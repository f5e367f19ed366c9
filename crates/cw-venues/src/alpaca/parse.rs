//! From Alpaca's words to ours.

use cw_core::{Candle, Instrument, InstrumentId, MarketEvent, MarketEventKind, Price, Side, Timeframe, Timestamp};
use cw_market::FeedEvent;
use serde_json::value::RawValue;

use super::wire;
use crate::net::{Health, Num, aligned, candle, parse_rows, plain, quote, read, time, trade};

/// Longer names are cut.
const NAME: usize = 120;

/// A bar of `timeframe`. A day begins at midnight in New York, which is four or five in the morning of the same date here.
pub(super) fn bar(timeframe: Timeframe, bar: &wire::Bar) -> Result<Candle, String> {
    let open_time = time(&bar.t)?;
    let open_time =
        if timeframe == Timeframe::D1 { timeframe.open_time(open_time) } else { aligned(timeframe, open_time)? };
    candle(open_time, [&bar.o, &bar.h, &bar.l, &bar.c], &bar.v)
}

/// A page's bars of one symbol, and the name of the next page.
pub(super) fn page(
    id: &InstrumentId,
    timeframe: Timeframe,
    body: &[u8],
    health: &Health,
) -> Result<(Vec<Candle>, Option<String>), serde_json::Error> {
    let page: wire::BarsPage<'_> = serde_json::from_slice(body)?;
    let rows = page.bars.unwrap_or_default().remove(id.symbol()).flatten().unwrap_or_default();
    Ok((parse_rows(&rows, health, |w: wire::Bar| bar(timeframe, &w)), page.next_page_token))
}

/// The latest bar of one symbol, where it has one.
pub(super) fn latest(id: &InstrumentId, body: &[u8], health: &Health) -> Result<Option<Candle>, serde_json::Error> {
    let latest: wire::LatestBars<'_> = serde_json::from_slice(body)?;
    let row = latest.bars.unwrap_or_default().remove(id.symbol());
    let rows: Vec<&RawValue> = row.into_iter().collect();
    Ok(parse_rows(&rows, health, |w: wire::Bar| bar(Timeframe::M1, &w)).pop())
}

/// When each was quoted last; `None` where it never was or the time makes no sense.
pub(super) fn latest_quotes(ids: &[InstrumentId], body: &[u8]) -> Result<Vec<Option<Timestamp>>, serde_json::Error> {
    let latest: wire::LatestQuotes = serde_json::from_slice(body)?;
    let quotes = latest.quotes.unwrap_or_default();
    Ok(ids.iter().map(|id| time(&quotes.get(id.symbol())?.t).ok()).collect())
}

/// What can be traded.
pub(super) fn assets(code: &str, body: &[u8], health: &Health) -> Result<Vec<Instrument>, serde_json::Error> {
    let rows: Vec<&RawValue> = serde_json::from_slice(body)?;
    let all = parse_rows(&rows, health, |w: wire::Asset| {
        if !matches!(w.class.as_str(), "us_equity" | "crypto") {
            return Ok(None);
        }
        let id = InstrumentId::new(&format!("{}.{code}", w.symbol)).map_err(|error| error.to_string())?;
        let mut instrument = super::instrument(&id);
        let given = |num: &Num| if *num == Num::Missing { Ok(None) } else { num.quantity().map(Some) };
        if let Some(tick) = given(&w.price_increment)?.and_then(|tick| i64::try_from(tick.raw()).ok()) {
            instrument.tick_size = Price::from_raw(tick);
        }
        instrument.quantity_step = given(&w.min_trade_increment)?.unwrap_or(instrument.quantity_step);
        instrument.min_quantity = given(&w.min_order_size)?.unwrap_or(instrument.min_quantity);
        instrument.name = plain(&w.name.unwrap_or_default(), NAME);
        if instrument.name.is_empty() {
            instrument.name = w.symbol;
        }
        Ok(Some(instrument))
    });
    Ok(all.into_iter().flatten().collect())
}

fn id(num: &Num) -> u64 {
    num.integer().ok().and_then(|id| u64::try_from(id).ok()).unwrap_or(0)
}

/// One message about an instrument; `None` for kinds that are known and of no interest.
pub(super) fn event(
    kind: &str,
    instrument: &InstrumentId,
    row: &RawValue,
    received_at: Timestamp,
) -> Result<Option<FeedEvent>, String> {
    let instrument = instrument.clone();
    let market = |kind| Some(FeedEvent::Market(MarketEvent { instrument: instrument.clone(), received_at, kind }));
    Ok(match kind {
        "t" => {
            let w: wire::Trade = read(row)?;
            let side = match w.tks.as_deref() {
                Some("B") => Some(Side::Buy),
                Some("S") => Some(Side::Sell),
                _ => None,
            };
            market(MarketEventKind::Trade(trade(time(&w.t)?, &w.p, &w.s, side, id(&w.i))?))
        }
        "q" => {
            let w: wire::Quote = read(row)?;
            // A price of zero says that nobody is on that side.
            let empty = |num: &Num| num.quantity().is_ok_and(cw_core::Quantity::is_zero);
            if empty(&w.bp) || empty(&w.ap) {
                return Ok(None);
            }
            market(MarketEventKind::Quote(quote(time(&w.t)?, (&w.bp, &w.bs), (&w.ap, &w.ask_size))?))
        }
        "b" | "u" => {
            let timeframe = Timeframe::M1;
            let candle = bar(timeframe, &read(row)?)?;
            Some(FeedEvent::Candle { instrument, timeframe, candle, received_at })
        }
        "c" => {
            let w: wire::Correction = read(row)?;
            let replacement = Some((w.cp.price()?, w.cs.quantity()?));
            Some(FeedEvent::TradeRevised { instrument, trade_id: id(&w.oi), replacement })
        }
        "x" => {
            let w: wire::Cancel = read(row)?;
            Some(FeedEvent::TradeRevised { instrument, trade_id: id(&w.i), replacement: None })
        }
        "d" => {
            let timeframe = Timeframe::D1;
            let candle = bar(timeframe, &read(row)?)?;
            Some(FeedEvent::Forming { instrument, timeframe, candle, received_at })
        }
        // Trading statuses, price bands, imbalances, books.
        "s" | "l" | "i" | "o" => None,
        other => return Err(format!("an unknown kind of message, {other:?}")),
    })
}
