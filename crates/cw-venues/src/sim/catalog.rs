//! The instruments of the simulated market and how each behaves.

use cw_core::{AssetClass, Currency, Instrument, InstrumentId, Price, Quantity, Ratio};

/// One line per instrument.
pub(super) struct Listing {
    pub symbol: &'static str,
    pub name: &'static str,
    pub class: AssetClass,
    pub base: &'static str,
    pub quote: &'static str,
    /// The price it hovers around.
    pub level: f64,
    /// In 10⁻⁹ of the quote currency.
    pub tick: i64,
    pub price_decimals: u8,
    /// In 10⁻⁹ of a unit.
    pub lot: i64,
    pub quantity_decimals: u8,
    /// Standard deviation of a year's log return.
    pub volatility: f64,
    /// How much of its movement its asset class shares: a correlation, negative for prices quoted the other way round.
    pub shared: f64,
    /// Usual distance of bid and ask.
    pub spread_ticks: i64,
    /// Lots in an average minute.
    pub volume_lots: f64,
    /// Trades in an average minute.
    pub trades: f64,
    /// Millionths of notional.
    pub margin: i64,
    pub taker_fee: i64,
    pub maker_fee: i64,
}

impl Listing {
    pub(super) fn instrument(&self) -> Instrument {
        let id = InstrumentId::new(&format!("{}.{}", self.symbol, super::provider::VENUE));
        let ratio = |millionths: i64| Ratio::from_raw(millionths * 1_000);
        Instrument {
            id: id.expect("the table below holds valid symbols"),
            name: self.name.to_owned(),
            asset_class: self.class,
            base: self.base.to_owned(),
            quote_currency: Currency::new(self.quote).expect("the table below holds valid currencies"),
            tick_size: Price::from_raw(self.tick),
            quantity_step: Quantity::from_raw(i128::from(self.lot)),
            min_quantity: Quantity::from_raw(i128::from(self.lot)),
            price_decimals: self.price_decimals,
            quantity_decimals: self.quantity_decimals,
            initial_margin: ratio(self.margin),
            taker_fee: ratio(self.taker_fee),
            maker_fee: ratio(self.maker_fee),
        }
    }
}

/// A perpetual: quoted in USDT, ten times leverage, 0.04 % to take and 0.02 % to make.
#[expect(clippy::too_many_arguments, reason = "a table: one line per instrument, one column per property")]
const fn perpetual(
    symbol: &'static str,
    name: &'static str,
    base: &'static str,
    level: f64,
    (tick, price_decimals): (i64, u8),
    (lot, quantity_decimals): (i64, u8),
    volatility: f64,
    shared: f64,
    spread_ticks: i64,
    (volume_lots, trades): (f64, f64),
) -> Listing {
    Listing {
        symbol,
        name,
        class: AssetClass::Crypto,
        base,
        quote: "USDT",
        level,
        tick,
        price_decimals,
        lot,
        quantity_decimals,
        volatility,
        shared,
        spread_ticks,
        volume_lots,
        trades,
        margin: 100_000,
        taker_fee: 400,
        maker_fee: 200,
    }
}

/// A share: whole shares, cents, half the value as margin, no commission.
const fn share(
    symbol: &'static str,
    name: &'static str,
    level: f64,
    volatility: f64,
    shared: f64,
    spread_ticks: i64,
    (volume_lots, trades): (f64, f64),
) -> Listing {
    Listing {
        symbol,
        name,
        class: AssetClass::Equity,
        base: symbol,
        quote: "USD",
        level,
        tick: 10_000_000,
        price_decimals: 2,
        lot: 1_000_000_000,
        quantity_decimals: 0,
        volatility,
        shared,
        spread_ticks,
        volume_lots,
        trades,
        margin: 500_000,
        taker_fee: 0,
        maker_fee: 0,
    }
}

/// A currency pair or metal: single units, the spread is the cost.
#[expect(clippy::too_many_arguments, reason = "a table: one line per instrument, one column per property")]
const fn pair(
    symbol: &'static str,
    name: &'static str,
    class: AssetClass,
    (base, quote): (&'static str, &'static str),
    level: f64,
    (tick, price_decimals): (i64, u8),
    volatility: f64,
    shared: f64,
    spread_ticks: i64,
    (volume_lots, trades): (f64, f64),
    margin: i64,
) -> Listing {
    Listing {
        symbol,
        name,
        class,
        base,
        quote,
        level,
        tick,
        price_decimals,
        lot: 1_000_000_000,
        quantity_decimals: 0,
        volatility,
        shared,
        spread_ticks,
        volume_lots,
        trades,
        margin,
        taker_fee: 0,
        maker_fee: 0,
    }
}

const FX: AssetClass = AssetClass::Fx;
const METAL: AssetClass = AssetClass::Metal;

#[rustfmt::skip]
pub(super) const LISTINGS: &[Listing] = &[
    perpetual("BTC-PERP",  "Bitcoin perpetual",   "BTC",  67_500.0, (500_000_000, 1), (1_000_000, 3),         0.50, 0.90, 1, (9_000.0, 480.0)),
    perpetual("ETH-PERP",  "Ether perpetual",     "ETH",  3_560.0,  (10_000_000, 2),  (1_000_000, 3),         0.62, 0.88, 2, (160_000.0, 360.0)),
    perpetual("SOL-PERP",  "Solana perpetual",    "SOL",  172.0,    (10_000_000, 2),  (10_000_000, 2),        0.80, 0.80, 1, (190_000.0, 240.0)),
    perpetual("BNB-PERP",  "BNB perpetual",       "BNB",  612.0,    (10_000_000, 2),  (10_000_000, 2),        0.55, 0.75, 2, (22_000.0, 150.0)),
    perpetual("DOGE-PERP", "Dogecoin perpetual",  "DOGE", 0.1625,   (10_000, 5),      (1_000_000_000, 0),     0.90, 0.75, 1, (2_400_000.0, 180.0)),
    perpetual("LINK-PERP", "Chainlink perpetual", "LINK", 14.85,    (1_000_000, 3),   (10_000_000, 2),        0.80, 0.78, 2, (1_100_000.0, 110.0)),
    perpetual("AVAX-PERP", "Avalanche perpetual", "AVAX", 27.4,     (1_000_000, 3),   (100_000_000, 1),       0.85, 0.78, 3, (70_000.0, 110.0)),
    perpetual("XRP-PERP",  "XRP perpetual",       "XRP",  0.583,    (10_000, 5),      (100_000_000, 1),       0.75, 0.70, 2, (6_000_000.0, 180.0)),
    share("AAPL", "Apple",                  227.0,  0.26, 0.70, 1, (26_000.0, 110.0)),
    share("NVDA", "NVIDIA",                 142.0,  0.46, 0.72, 1, (95_000.0, 160.0)),
    share("TSLA", "Tesla",                  336.0,  0.55, 0.60, 2, (45_000.0, 150.0)),
    share("SPY",  "S&P 500 fund",           611.0,  0.15, 0.97, 1, (30_000.0, 150.0)),
    share("AMD",  "Advanced Micro Devices", 163.5,  0.48, 0.68, 1, (22_000.0, 90.0)),
    share("MSFT", "Microsoft",              470.0,  0.23, 0.74, 2, (10_000.0, 90.0)),
    share("AMZN", "Amazon",                 220.0,  0.30, 0.70, 1, (20_000.0, 100.0)),
    share("QQQ",  "Nasdaq 100 fund",        530.0,  0.19, 0.96, 1, (19_000.0, 130.0)),
    share("COIN", "Coinbase",               262.0,  0.75, 0.55, 6, (5_000.0, 80.0)),
    pair("EUR/USD", "Euro / US dollar",                 FX, ("EUR", "USD"), 1.0840,  (10_000, 5),    0.075,  0.80, 8,  (16_000_000.0, 110.0), 33_333),
    pair("USD/JPY", "US dollar / yen",                  FX, ("USD", "JPY"), 154.2,   (1_000_000, 3), 0.095, -0.60, 12, (13_000_000.0, 110.0), 33_333),
    pair("GBP/USD", "Pound / US dollar",                FX, ("GBP", "USD"), 1.2715,  (10_000, 5),    0.085,  0.75, 11, (8_000_000.0, 90.0),   33_333),
    pair("AUD/USD", "Australian dollar / US dollar",    FX, ("AUD", "USD"), 0.6552,  (10_000, 5),    0.100,  0.70, 10, (5_000_000.0, 80.0),   33_333),
    pair("USD/CAD", "US dollar / Canadian dollar",      FX, ("USD", "CAD"), 1.3690,  (10_000, 5),    0.065, -0.70, 14, (4_000_000.0, 70.0),   33_333),
    pair("EUR/GBP", "Euro / pound",                     FX, ("EUR", "GBP"), 0.8526,  (10_000, 5),    0.055,  0.15, 11, (3_000_000.0, 60.0),   33_333),
    pair("XAU/USD", "Gold",                          METAL, ("XAU", "USD"), 2_680.0, (10_000_000, 2), 0.15,  0.80, 30, (4_500.0, 110.0),     50_000),
    pair("XAG/USD", "Silver",                        METAL, ("XAG", "USD"), 31.45,   (1_000_000, 3), 0.28,   0.80, 20, (130_000.0, 80.0),    100_000),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listing_is_a_valid_instrument_on_its_own_grid() {
        let mut ids = std::collections::BTreeSet::new();
        for listing in LISTINGS {
            let instrument = listing.instrument();
            assert!(ids.insert(instrument.id.clone()), "{} twice", instrument.id);
            assert_eq!(instrument.id.symbol(), listing.symbol);
            // The decimals shown are those of the steps.
            assert_eq!(listing.tick % 10i64.pow(9 - u32::from(listing.price_decimals)), 0, "{}", listing.symbol);
            assert_eq!(listing.lot % 10i64.pow(9 - u32::from(listing.quantity_decimals)), 0, "{}", listing.symbol);
            assert!(listing.shared.abs() < 1.0 && listing.volatility > 0.0, "{}", listing.symbol);
        }
        assert_eq!(ids.len(), 25);
    }
}
