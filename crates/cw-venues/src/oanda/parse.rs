//! From OANDA's words to ours.

use cw_core::{
    AssetClass, Candle, Currency, Instrument, InstrumentId, MarketEvent, MarketEventKind, Price, Quantity, Ratio,
    Timeframe, Timestamp,
};
use cw_market::FeedEvent;
use serde_json::value::RawValue;

use super::{Side, wire};
use crate::net::{Health, aligned, candle, parse_rows, quote, read, time};

/// Complete candles of one side; the one that is forming is left out.
pub(super) fn candles(
    timeframe: Timeframe,
    side: Side,
    body: &[u8],
    health: &Health,
) -> Result<Vec<Candle>, serde_json::Error> {
    let page: wire::Candles<'_> = serde_json::from_slice(body)?;
    let all = parse_rows(&page.candles, health, |w: wire::Candle| {
        if !w.complete {
            return Ok(None);
        }
        let prices = match side {
            Side::Mid => w.mid,
            Side::Bid => w.bid,
            Side::Ask => w.ask,
        };
        let prices = prices.ok_or("a candle without the prices that were asked for")?;
        let open_time = aligned(timeframe, time(&w.time)?)?;
        candle(open_time, [&prices.o, &prices.h, &prices.l, &prices.c], &w.volume).map(Some)
    });
    Ok(all.into_iter().flatten().collect())
}

/// What an account may trade.
pub(super) fn instruments(code: &str, body: &[u8], health: &Health) -> Result<Vec<Instrument>, serde_json::Error> {
    let list: wire::Instruments<'_> = serde_json::from_slice(body)?;
    Ok(parse_rows(&list.instruments, health, |w: wire::Instrument| instrument(code, w)))
}

fn instrument(code: &str, w: wire::Instrument) -> Result<Instrument, String> {
    let id = InstrumentId::new(&format!("{}.{code}", w.name)).map_err(|error| error.to_string())?;
    let (base, quote) = w.name.split_once('_').ok_or("a name without its two currencies")?;
    let decimals = |num: &crate::net::Num| num.integer().ok().and_then(|n| u8::try_from(n).ok()).filter(|n| *n <= 9);
    let price_decimals = decimals(&w.display_precision).ok_or("a display precision that is none")?;
    let quantity_decimals = decimals(&w.trade_units_precision).ok_or("a unit precision that is none")?;
    let margin = w.margin_rate.quantity().ok().and_then(|rate| i64::try_from(rate.raw()).ok());
    Ok(Instrument {
        id,
        name: if w.display_name.is_empty() { w.name.clone() } else { w.display_name },
        asset_class: match w.kind.as_str() {
            "CURRENCY" => AssetClass::Fx,
            "METAL" => AssetClass::Metal,
            _ => AssetClass::Other,
        },
        base: base.to_owned(),
        quote_currency: Currency::new(quote).map_err(|error| error.to_string())?,
        tick_size: Price::from_raw(10_i64.pow(9 - u32::from(price_decimals))),
        quantity_step: Quantity::from_raw(10_i128.pow(9 - u32::from(quantity_decimals))),
        min_quantity: w.minimum_trade_size.quantity().unwrap_or(Quantity::ZERO),
        price_decimals,
        quantity_decimals,
        initial_margin: margin.filter(|margin| *margin > 0).map_or(Ratio::ONE, Ratio::from_raw),
        taker_fee: Ratio::ZERO,
        maker_fee: Ratio::ZERO,
    })
}

/// When the price of each changed last; `None` where nothing is known of it or its market is closed.
pub(super) fn latest_prices(ids: &[InstrumentId], body: &[u8]) -> Result<Vec<Option<Timestamp>>, serde_json::Error> {
    let pricing: wire::Pricing = serde_json::from_slice(body)?;
    let of = |id: &InstrumentId| {
        let line = pricing.prices.iter().find(|line| line.instrument.as_deref() == Some(id.symbol()))?;
        time(&line.time).ok().filter(|_| line.tradeable != Some(false))
    };
    Ok(ids.iter().map(of).collect())
}

/// A line of the price stream; `None` while the market is closed.
pub(super) fn price(
    instrument: &InstrumentId,
    row: &RawValue,
    received_at: Timestamp,
) -> Result<Option<FeedEvent>, String> {
    let w: wire::Line = read(row)?;
    if w.tradeable == Some(false) {
        return Ok(None);
    }
    // Without depth there still are the prices at which a position would be closed.
    let closeout = |price| wire::Level { price, ..wire::Level::default() };
    let bid = w.bids.into_iter().next().unwrap_or_else(|| closeout(w.closeout_bid));
    let ask = w.asks.into_iter().next().unwrap_or_else(|| closeout(w.closeout_ask));
    let quote = quote(time(&w.time)?, (&bid.price, &bid.liquidity), (&ask.price, &ask.liquidity))?;
    let kind = MarketEventKind::Quote(quote);
    Ok(Some(FeedEvent::Market(MarketEvent { instrument: instrument.clone(), received_at, kind })))
}
