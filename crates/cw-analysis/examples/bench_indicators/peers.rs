//! The sixteen as other libraries have them.

use std::hint::black_box;

use cw_analysis::Columns;
use wickra::Indicator as _;
use yata::core::Candle;
use yata::methods::{EMA, RMA, RateOfChange, SMA, TR};
use yata::prelude::*;

/// wickra's candles.
pub fn wickra_candles(columns: &Columns) -> Vec<wickra::Candle> {
    let candle = |row: usize| {
        let prices = [columns.open()[row], columns.high()[row], columns.low()[row], columns.close()[row]];
        let [open, high, low, close] = prices;
        wickra::Candle::new_unchecked(open, high, low, close, columns.volume()[row], columns.open_time()[row].as_secs())
    };
    (0..columns.len()).map(candle).collect()
}

/// Declares the sixteen: those that read a price, then those that read a candle.
macro_rules! sixteen {
    ({$($series:ident = $new_series:expr;)+} {$($candle:ident = $new_candle:expr;)+}) => {
        /// One indicator after the other over all candles: how many values they gave.
        pub fn wickra_batch(candles: &[wickra::Candle]) -> usize {
            let mut count = 0;
            $(
                let mut indicator = $new_series;
                for candle in candles {
                    count += usize::from(black_box(indicator.update(candle.close)).is_some());
                }
            )+
            $(
                let mut indicator = $new_candle;
                for candle in candles {
                    count += usize::from(black_box(indicator.update(*candle)).is_some());
                }
            )+
            count
        }

        /// All for one candle, then the next: how many values they gave.
        pub fn wickra_incremental(candles: &[wickra::Candle]) -> usize {
            let mut count = 0;
            $(let mut $series = $new_series;)+
            $(let mut $candle = $new_candle;)+
            for candle in candles {
                let candle = black_box(candle);
                $(count += usize::from(black_box($series.update(candle.close)).is_some());)+
                $(count += usize::from(black_box($candle.update(*candle)).is_some());)+
            }
            count
        }
    };
}

const VALID: &str = "parameters within their range";

sixteen! {
    {
        sma = wickra::Sma::new(20).expect(VALID);
        ema = wickra::Ema::new(20).expect(VALID);
        rsi = wickra::Rsi::new(14).expect(VALID);
        roc = wickra::Roc::new(10).expect(VALID);
        macd = wickra::MacdIndicator::new(12, 26, 9).expect(VALID);
        bb = wickra::BollingerBands::new(20, 2.0).expect(VALID);
    }
    {
        stoch = wickra::Stochastic::new(5, 3).expect(VALID);
        wpr = wickra::WilliamsR::new(14).expect(VALID);
        atr = wickra::Atr::new(14).expect(VALID);
        adx = wickra::Adx::new(14).expect(VALID);
        cci = wickra::Cci::new(14).expect(VALID);
        mfi = wickra::Mfi::new(14).expect(VALID);
        obv = wickra::Obv::new();
        vwap = wickra::Vwap::new();
        kc = wickra::Keltner::new(20, 10, 2.0).expect(VALID);
        donchian = wickra::Donchian::new(20).expect(VALID);
    }
}

pub fn yata_candles(columns: &Columns) -> Vec<Candle> {
    let candle = |row: usize| Candle {
        open: columns.open()[row],
        high: columns.high()[row],
        low: columns.low()[row],
        close: columns.close()[row],
        volume: columns.volume()[row],
    };
    (0..columns.len()).map(candle).collect()
}

/// The twelve that yata has, at its own lengths where its indicator is a strategy: how many candles were taken.
pub fn yata_incremental(candles: &[Candle]) -> usize {
    use yata::indicators;
    let Some(first) = candles.first() else { return 0 };
    let mut sma = SMA::new(20, &first.close).expect(VALID);
    let mut ema = EMA::new(20, &first.close).expect(VALID);
    let mut roc = RateOfChange::new(10, &first.close).expect(VALID);
    let (mut range, mut atr) = (TR::new(first).expect(VALID), RMA::new(14, &0.0).expect(VALID));
    let mut macd = indicators::MACD::default().init(first).expect(VALID);
    let mut rsi = indicators::RSI::default().init(first).expect(VALID);
    let mut stoch = indicators::StochasticOscillator::default().init(first).expect(VALID);
    let mut bb = indicators::BollingerBands::default().init(first).expect(VALID);
    let mut adx = indicators::AverageDirectionalIndex::default().init(first).expect(VALID);
    let mut cci = indicators::CommodityChannelIndex::default().init(first).expect(VALID);
    let mut mfi = indicators::MoneyFlowIndex::default().init(first).expect(VALID);
    let mut kc = indicators::KeltnerChannel::default().init(first).expect(VALID);
    let mut donchian = indicators::DonchianChannel::default().init(first).expect(VALID);
    for candle in candles {
        let candle = black_box(candle);
        black_box((sma.next(&candle.close), ema.next(&candle.close), roc.next(&candle.close)));
        black_box(atr.next(&range.next(candle)));
        black_box((macd.next(candle), rsi.next(candle), stoch.next(candle), bb.next(candle), adx.next(candle)));
        black_box((cci.next(candle), mfi.next(candle), kc.next(candle), donchian.next(candle)));
    }
    candles.len()
}
