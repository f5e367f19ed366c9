//! The words every other crate speaks: instrument ids and specs, exact prices, quantities and money, UTC time,
//! timeframes, candles, trades, quotes, orders with their state table, fills, positions and accounts.
//!
//! There is no I/O here, no async and no clock read but [`SystemClock`]. Numbers that touch an order or a ledger are
//! integers with checked arithmetic; floats exist only at the edge to indicators ([`Price::to_f64`]).
//!
//! ```
//! use cw_core::{Price, Quantity};
//! let price: Price = "68412.5".parse()?;
//! let qty: Quantity = "0.4".parse()?;
//! assert_eq!(price.notional(qty)?.to_string(), "27365");
//! # Ok::<(), cw_core::NumberError>(())
//! ```

mod cadence;
mod calendar;
mod clock;
mod decimal;
mod ids;
mod instrument;
mod market;
mod news;
mod number;
mod order;
mod position;
mod schema;
mod timeframe;
mod timestamp;

pub use cadence::{BarRule, Cadence, CadenceError};
pub use calendar::{Calendar, CalendarError, Phase, Session, Span, Window};
pub use clock::{Clock, ManualClock, SystemClock};
pub use ids::{AccountId, ClientOrderId, Currency, IdError, InstrumentId, OrderId, StrategyId, VenueOrderId};
pub use instrument::{Adjustment, AssetClass, Instrument, InstrumentError};
pub use market::{Candle, CandleError, FormingCandle, MarketEvent, MarketEventKind, Quote, Trade};
pub use news::NewsItem;
pub use number::{Amount, Money, NumberError, Price, Quantity, Ratio, Rounding, Volume};
pub use order::{
    Actor, Fill, IllegalTransition, Liquidity, Mode, NewOrder, Order, OrderEvent, OrderStatus, OrderType, Side,
    Surface, TimeInForce,
};
pub use position::{Position, PositionChange, PositionKey, PositionMode, PositionSide};
pub use timeframe::{Timeframe, TimeframeError, TimeframeUnit};
pub use timestamp::{TimeError, Timestamp};
