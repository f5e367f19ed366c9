//! From Yahoo's words to ours.

use cw_core::{AssetClass, Candle, Currency, Instrument, InstrumentId, Price, Timeframe, Timestamp, Volume};
use http::StatusCode;

use super::wire;
use crate::net::{Health, Num, Reply, aligned};

/// More decimals than Yahoo shows are noise of single precision; two more than it shows keep what is not.
const SPARE_DECIMALS: u8 = 2;

/// Who is asked for a cookie and crumb reads one of these.
const UNAUTHORIZED: &str = "Unauthorized";
const INVALID_CRUMB: &str = "Invalid Crumb";

/// Whether an answer asks for a cookie and crumb, by its status or by its words.
pub(super) fn is_stranger(reply: &Reply) -> bool {
    if reply.status == StatusCode::UNAUTHORIZED {
        return true;
    }
    let busy = reply.status == StatusCode::TOO_MANY_REQUESTS;
    let told = || problem(&reply.body).is_some_and(|told| told.0 == UNAUTHORIZED || told.1.contains(INVALID_CRUMB));
    reply.status.is_client_error() && !busy && told()
}

/// Code and description of an error's body.
pub(super) fn problem(body: &[u8]) -> Option<(String, String)> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let error = body.pointer("/chart/error").or_else(|| body.pointer("/finance/error"))?;
    let text = |name: &str| error[name].as_str().unwrap_or_default().chars().take(300).collect();
    Some((text("code"), text("description")))
}

pub(super) struct Chart {
    pub meta: wire::Meta,
    pub candles: Vec<Candle>,
}

/// Why an answer holds no chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is none.
    Nothing(String),
    /// Who asks has no cookie and crumb, or wrong ones.
    Stranger(String),
}

/// What a whole answer holds; `Err` inside when Yahoo says why there is no chart.
pub(super) fn chart(
    timeframe: Timeframe,
    body: &[u8],
    health: &Health,
) -> Result<Result<Chart, Refusal>, serde_json::Error> {
    let answer: wire::Answer = serde_json::from_slice(body)?;
    if let Some(problem) = answer.chart.error {
        let stranger = problem.code == UNAUTHORIZED || problem.description.contains(INVALID_CRUMB);
        return Ok(Err(if stranger {
            Refusal::Stranger(problem.description)
        } else {
            Refusal::Nothing(problem.description)
        }));
    }
    let Some(series) = answer.chart.result.and_then(|all| all.into_iter().next()) else {
        return Ok(Err(Refusal::Nothing("an answer without a series".to_owned())));
    };
    let candles = candles(timeframe, &series, health);
    Ok(Ok(Chart { meta: series.meta, candles }))
}

fn candles(timeframe: Timeframe, series: &wire::Series, health: &Health) -> Vec<Candle> {
    let Some(columns) = series.indicators.quote.first() else { return Vec::new() };
    let hint = series.meta.price_hint.integer().ok().and_then(|hint| u8::try_from(hint).ok()).unwrap_or(2);
    let decimals = hint.saturating_add(SPARE_DECIMALS).min(9);
    // No place is further from Greenwich.
    let offset = series.meta.gmtoffset.integer().ok().filter(|offset| (-54_000..=54_000).contains(offset)).unwrap_or(0);
    let mut candles = Vec::with_capacity(series.timestamp.len());
    for (place, time) in series.timestamp.iter().enumerate() {
        let column = |column: &'_ [Num]| column.get(place).cloned().unwrap_or_default();
        let [open, high, low, close] = [&columns.open, &columns.high, &columns.low, &columns.close].map(|c| column(c));
        // Minutes without a trade stand in the columns as nothing.
        if [&open, &high, &low, &close].into_iter().all(|num| *num == Num::Missing) {
            continue;
        }
        let volume = column(&columns.volume);
        let read = || -> Result<Option<Candle>, String> {
            let Some(open_time) = open_time(timeframe, time, offset)? else { return Ok(None) };
            let [open, high, low, close] = [
                open.price_rounded(decimals)?,
                high.price_rounded(decimals)?,
                low.price_rounded(decimals)?,
                close.price_rounded(decimals)?,
            ];
            let volume = if volume == Num::Missing { Volume::ZERO } else { Volume::from(volume.quantity()?) };
            let candle = Candle { open_time, open, high, low, close, volume };
            candle.validate().map_err(|error| error.to_string())?;
            Ok(Some(candle))
        };
        match read() {
            Ok(candle) => candles.extend(candle),
            Err(reason) => health.quarantine(reason, format!("row {place} {time:?} {close:?}").as_bytes()),
        }
    }
    candles
}

/// Days stand at the session's opening in the exchange's time; the last row of shorter candles is the price of now, off
/// the grid, and no candle.
fn open_time(timeframe: Timeframe, time: &Num, offset: i64) -> Result<Option<Timestamp>, String> {
    let time = time.seconds()?;
    if timeframe == Timeframe::D1 {
        let there = time.plus_nanos(offset.saturating_mul(Timestamp::NANOS_PER_SECOND));
        let open_time = timeframe.open_time(there);
        return if open_time < Timestamp::EPOCH { Err(format!("the time {there}")) } else { Ok(Some(open_time)) };
    }
    Ok(aligned(timeframe, time).ok())
}

pub(super) fn instrument(id: &InstrumentId, meta: &wire::Meta) -> Instrument {
    let hint = meta.price_hint.integer().ok().and_then(|hint| u8::try_from(hint).ok()).unwrap_or(2).min(9);
    let mut instrument = Instrument::from_file(id.clone(), hint, 4);
    if let Some(name) = &meta.short_name {
        instrument.name.clone_from(name);
    }
    // The hours of shares are known for New York alone; those of other exchanges would be cut by them.
    let in_new_york = meta.exchange_timezone_name.as_deref().is_none_or(|zone| zone == "America/New_York");
    instrument.asset_class = match meta.instrument_type.as_deref() {
        Some("EQUITY" | "ETF" | "MUTUALFUND") if in_new_york => AssetClass::Equity,
        Some("CURRENCY") => AssetClass::Fx,
        Some("CRYPTOCURRENCY") => AssetClass::Crypto,
        _ => AssetClass::Other,
    };
    // "GBp" is a penny: prices in it are a hundred times the pound's.
    let currency = meta.currency.as_deref().filter(|code| code.bytes().all(|b| b.is_ascii_uppercase()));
    instrument.quote_currency = match (meta.currency.as_deref(), currency) {
        (Some("GBp" | "GBX"), _) => Currency::new("GBX").unwrap_or(Currency::USD),
        (_, Some(code)) => Currency::new(code).unwrap_or(Currency::USD),
        _ => Currency::USD,
    };
    instrument.tick_size = Price::ZERO;
    instrument
}
