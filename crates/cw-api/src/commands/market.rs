//! Instruments, quotes, candles and charts.

use cw_core::{AssetClass, Cadence, Candle, Currency, InstrumentId, Price, Quantity, Ratio, Timestamp, Volume};

use crate::frame::ChartFrame;
use crate::prelude::*;

/// The full specification of something that can be charted or traded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
#[schemars(rename = "Instrument")]
#[ts(rename = "Instrument")]
pub struct InstrumentView {
    pub id: InstrumentId,
    /// The venue's own text.
    pub symbol: String,
    pub venue: String,
    /// What people call it.
    pub name: String,
    pub asset_class: AssetClass,
    /// What one unit is.
    pub base: String,
    /// What the price is counted in.
    pub quote_currency: Currency,
    /// Smallest price step; 0 = any.
    pub tick_size: Price,
    /// Smallest quantity step; 0 = any.
    pub quantity_step: Quantity,
    pub min_quantity: Quantity,
    /// Decimals to show a price with.
    pub price_decimals: u8,
    /// Decimals to show a quantity with.
    pub quantity_decimals: u8,
    /// Fraction of notional that a new position needs as margin.
    pub initial_margin: Ratio,
    /// Fractions of notional.
    pub taker_fee: Ratio,
    pub maker_fee: Ratio,
}

impl From<&cw_core::Instrument> for InstrumentView {
    fn from(i: &cw_core::Instrument) -> Self {
        Self {
            id: i.id.clone(),
            symbol: i.id.symbol().to_owned(),
            venue: i.id.venue().to_owned(),
            name: i.name.clone(),
            asset_class: i.asset_class,
            base: i.base.clone(),
            quote_currency: i.quote_currency,
            tick_size: i.tick_size,
            quantity_step: i.quantity_step,
            min_quantity: i.min_quantity,
            price_decimals: i.price_decimals,
            quantity_decimals: i.quantity_decimals,
            initial_margin: i.initial_margin,
            taker_fee: i.taker_fee,
            maker_fee: i.maker_fee,
        }
    }
}

/// Lists instruments that are known here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ListSymbols {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub venue: Option<String>,
    /// Part of an id or a name.
    #[schemars(extend("x-position" = 0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct SymbolList {
    pub instruments: Vec<InstrumentView>,
}

/// Looks for instruments by a part of their id or name, in what is known here and at the venues that are switched on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct SearchSymbols {
    /// Part of an id or a name.
    #[schemars(extend("x-position" = 0))]
    pub text: String,
    /// Only this venue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub venue: Option<String>,
    /// Ask the venues as well: for their lists where they have one, otherwise for a symbol of exactly this text. Costs a
    /// request each.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub online: bool,
    /// At most this many; 50 without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct FoundSymbols {
    /// The best match first; among equals, those that are known here.
    pub symbols: Vec<FoundSymbol>,
    /// Venues that could not be asked.
    #[serde(default)]
    pub unavailable: Vec<UnavailableVenue>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct FoundSymbol {
    pub instrument: InstrumentId,
    /// Who gives its data.
    pub provider: String,
    pub name: String,
    pub asset_class: AssetClass,
    pub quote_currency: Currency,
    /// It is on the list of instruments already.
    pub known: bool,
    /// It is kept current while the program runs.
    pub live: bool,
    /// What a person must know about the provider: delayed, unofficial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
}

/// A venue that did not answer a search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct UnavailableVenue {
    pub venue: String,
    pub reason: String,
}

/// Adds an instrument: of a venue that is switched on, which then keeps it current; or one that only files know. Changes
/// the specification of one that is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct AddSymbol {
    #[schemars(extend("x-position" = 0))]
    pub instrument: InstrumentId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset_class: Option<AssetClass>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote_currency: Option<Currency>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tick_size: Option<Price>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity_step: Option<Quantity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_quantity: Option<Quantity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_decimals: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity_decimals: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_margin: Option<Ratio>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taker_fee: Option<Ratio>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maker_fee: Option<Ratio>,
}

/// Takes an instrument off the list. Its candles stay unless told otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct RemoveSymbol {
    #[schemars(extend("x-position" = 0))]
    pub instrument: InstrumentId,
    /// Delete its stored candles as well.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub delete_data: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct RemovedSymbol {
    pub instrument: InstrumentId,
    pub deleted_candles: u64,
}

/// Lists the newest quotes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ListQuotes {
    /// Only these; all without it.
    #[schemars(extend("x-position" = 0))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instruments: Option<Vec<InstrumentId>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct QuoteList {
    pub quotes: Vec<QuoteView>,
}

/// Best bid and ask with the day's summary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
#[schemars(rename = "Quote")]
#[ts(rename = "Quote")]
pub struct QuoteView {
    pub instrument: InstrumentId,
    pub bid: Price,
    pub ask: Price,
    pub bid_qty: Quantity,
    pub ask_qty: Quantity,
    pub last: Price,
    /// Change over 24 hours as a fraction: 0.0125 = +1.25 %.
    pub change_24h: Ratio,
    pub high_24h: Price,
    pub low_24h: Price,
    pub volume_24h: Volume,
    pub event_time: Timestamp,
    /// Older than three times its expected interval.
    pub stale: bool,
    /// 24 hourly closes, oldest first, for the small line.
    pub spark: Vec<f64>,
    pub simulated: bool,
}

/// Gets closed candles, oldest first; without `from`, the newest ones. Candles by what was traded (`100t`, `500v`) are
/// made of the instrument's trades, and anew each day (UTC).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct GetCandles {
    #[schemars(extend("x-position" = 0))]
    pub instrument: InstrumentId,
    #[schemars(extend("x-alias" = "tf"))]
    pub timeframe: Cadence,
    /// First open time, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Last open time, exclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// At most this many; 500 without it, or all of the range when both ends are given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct CandleSeries {
    pub instrument: InstrumentId,
    pub timeframe: Cadence,
    #[schemars(extend("x-rows" = true))]
    pub candles: Vec<Candle>,
    /// Who gave them: `SIM`, `FILE`.
    pub provider: String,
    /// The candle that is not closed yet, when the range reaches it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forming: Option<FormingCandleView>,
}

/// A candle that still changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
#[schemars(rename = "FormingCandle")]
#[ts(rename = "FormingCandle")]
pub struct FormingCandleView {
    pub open_time: Timestamp,
    pub open: Price,
    pub high: Price,
    pub low: Price,
    pub close: Price,
    pub volume: Volume,
    /// Time of the last event in it.
    pub as_of: Timestamp,
}

/// Gets a window of candles with indicators as one binary frame of columns of floats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct GetChartWindow {
    #[schemars(extend("x-position" = 0))]
    pub instrument: InstrumentId,
    #[schemars(extend("x-alias" = "tf"))]
    pub timeframe: Cadence,
    /// Only candles that open before this; the newest without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Timestamp>,
    /// Rows, at most 20,000.
    #[schemars(range(min = 1, max = 20000))]
    pub limit: u32,
    /// Indicators: `ema(21),bb(20,2),rsi(14)`.
    #[serde(default)]
    #[ts(optional, as = "Option<_>")]
    pub set: String,
}

/// Lists the indicators with their parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ListIndicators {}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct IndicatorList {
    pub indicators: Vec<IndicatorInfo>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct IndicatorInfo {
    pub name: String,
    pub title: String,
    pub group: String,
    pub params: Vec<IndicatorParam>,
    pub outputs: Vec<IndicatorOutput>,
    /// Levels by which it is usually read, to be drawn as thin lines in its pane.
    pub guides: Vec<f64>,
    /// Drawn over the candles, not in a pane of its own.
    pub overlay: bool,
    /// Its first argument is a series, the close without one; otherwise it reads whole candles.
    pub takes_series: bool,
    /// Candles without a value before the first one, with the default parameters.
    pub warm_up: u32,
    pub doc: String,
    /// Where the definition comes from.
    pub source: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct IndicatorParam {
    pub name: String,
    pub default: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Only whole numbers make sense.
    pub integer: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct IndicatorOutput {
    pub name: String,
    pub title: String,
}

/// Computes indicators over closed candles. An empty cell is warming up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct ComputeIndicators {
    #[schemars(extend("x-position" = 0))]
    pub instrument: InstrumentId,
    #[schemars(extend("x-alias" = "tf"))]
    pub timeframe: Cadence,
    /// Indicators: `ema(20),rsi(14),macd(12,26,9)`.
    pub set: String,
    /// First open time, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Last open time, exclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// The newest of the range; 500 without it, or all of the range when both ends are given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct IndicatorTable {
    /// `open_time`, then one per output.
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Option<String>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(rename_all = "snake_case")]
pub enum ExpressionKind {
    Bool,
    Number,
}

/// Checks an expression of the strategy language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct CheckExpression {
    #[schemars(extend("x-position" = 0))]
    pub text: String,
    /// What it has to be; either without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ExpressionKind>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct ExpressionCheck {
    pub ok: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ExpressionError>,
    /// What it is.
    #[serde(rename = "type")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ExpressionKind>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct ExpressionError {
    pub message: String,
    /// First byte of the bad part.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// Proposes what may come next in an expression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(deny_unknown_fields)]
#[ts(optional_fields)]
pub struct CompleteExpression {
    #[schemars(extend("x-position" = 0))]
    pub text: String,
    /// Where the cursor is, in bytes.
    pub cursor: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct Completions {
    pub items: Vec<Completion>,
    /// First byte of what an item replaces.
    pub start: u32,
    /// One past its last byte.
    pub end: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema, TS)]
#[ts(optional_fields)]
pub struct Completion {
    pub insert: String,
    pub label: String,
    pub detail: String,
}

command!(ListSymbols => "symbols.list", Read, None, SymbolList, market.list_symbols);
command!(SearchSymbols => "symbols.search", Read, None, FoundSymbols, market.search_symbols);
command!(AddSymbol => "symbols.add", Admin, Low, InstrumentView, market.add_symbol);
command!(RemoveSymbol => "symbols.remove", Admin, Low, RemovedSymbol, market.remove_symbol);
command!(ListQuotes => "quotes.list", Read, None, QuoteList, market.list_quotes);
command!(GetCandles => "candles.get", Read, None, CandleSeries, market.get_candles);
command!(GetChartWindow => "chart.window", Read, None, ChartFrame, market.chart_window);
command!(ListIndicators => "indicators.list", Read, None, IndicatorList, market.list_indicators);
command!(ComputeIndicators => "indicators.compute", Read, None, IndicatorTable, market.compute_indicators);
command!(CheckExpression => "expressions.check", Read, None, ExpressionCheck, market.check_expression);
command!(CompleteExpression => "expressions.complete", Read, None, Completions, market.complete_expression);
