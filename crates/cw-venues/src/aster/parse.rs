//! From AsterDEX's words to ours.

use cw_core::{
    AssetClass, Candle, Currency, Instrument, InstrumentId, MarketEvent, MarketEventKind, Price, Quantity, Ratio, Side,
    Timeframe, Timestamp,
};
use cw_market::{BookDiff, BookSnapshot, FeedEvent, Funding, Level};
use serde_json::value::RawValue;

use super::wire;
use crate::net::{Health, Num, aligned, candle, parse_rows, quote, read, trade};

/// Rows of `GET klines`.
pub(super) fn klines(timeframe: Timeframe, body: &[u8], health: &Health) -> Result<Vec<Candle>, serde_json::Error> {
    let rows: Vec<&RawValue> = serde_json::from_slice(body)?;
    Ok(parse_rows(&rows, health, |w: wire::Kline| {
        candle(aligned(timeframe, w.0.millis()?)?, [&w.1, &w.2, &w.3, &w.4], &w.5)
    }))
}

/// What is listed and trades.
pub(super) fn instruments(code: &str, body: &[u8], health: &Health) -> Result<Vec<Instrument>, serde_json::Error> {
    let info: wire::ExchangeInfo<'_> = serde_json::from_slice(body)?;
    let all = parse_rows(&info.symbols, health, |w: wire::Symbol| {
        let traded = w.status == "TRADING";
        instrument(code, w).map(|instrument| traded.then_some(instrument))
    });
    Ok(all.into_iter().flatten().collect())
}

fn instrument(code: &str, w: wire::Symbol) -> Result<Instrument, String> {
    let id = InstrumentId::new(&format!("{}.{code}", w.name)).map_err(|error| error.to_string())?;
    let filter = |name: &str| w.filters.iter().find(|filter| filter.kind == name);
    // Zero switches a rule off; the "precision" fields are about display and are not steps.
    let tick = filter("PRICE_FILTER").map_or(Ok(Quantity::ZERO), |filter| filter.tick_size.quantity())?;
    let tick = i64::try_from(tick.raw()).map_err(|_| "a tick size that is no price".to_owned())?;
    let lot = filter("LOT_SIZE");
    let step = lot.map_or(Ok(Quantity::ZERO), |filter| filter.step_size.quantity())?;
    let min = lot.map_or(Ok(Quantity::ZERO), |filter| filter.min_qty.quantity())?;
    Ok(Instrument {
        name: format!("{} perpetual", w.base_asset),
        id,
        asset_class: AssetClass::Crypto,
        base: w.base_asset,
        quote_currency: Currency::new(&w.quote_asset).map_err(|error| error.to_string())?,
        tick_size: Price::from_raw(tick),
        quantity_step: step,
        min_quantity: min,
        price_decimals: decimals(i128::from(tick)),
        quantity_decimals: decimals(step.raw()),
        // What an account may use is its own setting; until it is read, no leverage is assumed.
        initial_margin: Ratio::ONE,
        taker_fee: Ratio::ZERO,
        maker_fee: Ratio::ZERO,
    })
}

/// Decimals of a step; all nine where there is none.
fn decimals(step: i128) -> u8 {
    (0..9).find(|decimals| step > 0 && step % 10_i128.pow(9 - u32::from(*decimals)) == 0).unwrap_or(9)
}

/// A snapshot; `Err` inside where it makes no sense.
pub(super) fn book(body: &[u8]) -> Result<Result<BookSnapshot, String>, serde_json::Error> {
    let w: wire::Book = serde_json::from_slice(body)?;
    let read = || {
        let last = u64::try_from(w.last_update_id.integer()?).map_err(|_| "a number below zero".to_owned())?;
        Ok(BookSnapshot { last, bids: levels(&w.bids)?, asks: levels(&w.asks)? })
    };
    Ok(read())
}

/// Prices with their quantities, of which zero means that there is none.
fn levels(rows: &[Vec<Num>]) -> Result<Vec<Level>, String> {
    let level = |row: &Vec<Num>| match &row[..] {
        [price, qty, ..] => Ok((price.price()?, qty.quantity()?)),
        _ => Err("a level without price and quantity".to_owned()),
    };
    rows.iter().map(level).collect()
}

/// One message of a stream; `None` for what is known and of no interest, as a candle that is still forming.
pub(super) fn event(
    kind: &str,
    instrument: &InstrumentId,
    row: &RawValue,
    received_at: Timestamp,
) -> Result<Option<FeedEvent>, String> {
    let instrument = instrument.clone();
    let market = |instrument, kind| Some(FeedEvent::Market(MarketEvent { instrument, received_at, kind }));
    Ok(match kind {
        "aggTrade" => {
            let w: wire::AggTrade = read(row)?;
            let side = w.m.map(|buyer_was_there| if buyer_was_there { Side::Sell } else { Side::Buy });
            let id = w.a.integer().ok().and_then(|id| u64::try_from(id).ok()).unwrap_or(0);
            market(instrument, MarketEventKind::Trade(trade(w.time.millis()?, &w.p, &w.q, side, id)?))
        }
        "bookTicker" => {
            let w: wire::BookTicker = read(row)?;
            let quote = quote(w.time.millis()?, (&w.b, &w.bid_size), (&w.a, &w.ask_size))?;
            market(instrument, MarketEventKind::Quote(quote))
        }
        "markPriceUpdate" => {
            let w: wire::MarkPrice = read(row)?;
            // Between contracts there is no funding: the rate is an empty text then.
            let funding = match (w.r.ratio(), w.next.millis()) {
                (Ok(rate), Ok(next)) if next > Timestamp::EPOCH => Some(Funding { rate, next }),
                _ => None,
            };
            Some(FeedEvent::Mark { instrument, event_time: w.time.millis()?, price: w.p.price()?, funding })
        }
        "depthUpdate" => {
            let w: wire::DepthUpdate = read(row)?;
            let number = |num: &Num| u64::try_from(num.integer()?).map_err(|_| "a number below zero".to_owned());
            Some(FeedEvent::Book(Box::new(BookDiff {
                instrument,
                event_time: w.time.millis()?,
                first: number(&w.first)?,
                last: number(&w.last)?,
                previous: number(&w.previous)?,
                bids: levels(&w.bids)?,
                asks: levels(&w.asks)?,
            })))
        }
        "kline" => {
            let w = read::<wire::KlineEvent>(row)?.k;
            if !w.x {
                return Ok(None);
            }
            let timeframe: Timeframe = w.i.parse().map_err(|error: cw_core::TimeframeError| error.to_string())?;
            let open_time = aligned(timeframe, w.t.millis()?)?;
            let candle = candle(open_time, [&w.o, &w.h, &w.l, &w.c], &w.v)?;
            Some(FeedEvent::Candle { instrument, timeframe, candle, received_at })
        }
        other => return Err(format!("an unknown kind of message, {other:?}")),
    })
}
