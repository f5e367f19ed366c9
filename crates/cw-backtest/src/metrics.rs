//! Figures of a run, each with its definition. Ratios are fractions: 0.1 is ten percent.

use cw_core::{Amount, Timestamp};
use serde::Serialize;

use crate::audit::{EquityPoint, RoundTrip};

/// Results of one run. `None` where a figure has no meaning (no trades, no losing trades, no variation).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    pub trades: u64,
    pub orders: u64,
    pub fills: u64,
    /// Final equity − starting cash.
    pub net_profit: Amount,
    /// Net profit ÷ starting cash.
    pub total_return: f64,
    /// Of all round trips after fees.
    pub win_rate: Option<f64>,
    /// Σ winning results ÷ |Σ losing results|.
    pub profit_factor: Option<f64>,
    /// Mean result of a round trip.
    pub expectancy: Option<f64>,
    pub fees: Amount,
    /// Largest fall of equity below an earlier peak, as a fraction of that peak, at candle closes.
    pub max_drawdown: f64,
    /// Mean ÷ standard deviation (n − 1) of returns per UTC day (per candle where candles are longer), × √(such periods
    /// per year in the data). No risk-free rate. Sharpe 1994.
    pub sharpe_ratio: Option<f64>,
    /// As Sharpe, with the root mean square of negative returns below. Sortino and van der Meer 1991.
    pub sortino_ratio: Option<f64>,
    /// Share of candles with an open position.
    pub exposure: f64,
    /// Return of holding one position from the first open to the last close, before costs.
    pub buy_and_hold_return: Option<f64>,
    /// Return periods behind the two ratios, and how many of them make a year.
    pub return_periods: u64,
    pub periods_per_year: Option<f64>,
}

const YEAR_NS: f64 = 365.25 * 86_400.0 * 1e9;

/// Running figures over the equity curve.
#[derive(Debug)]
pub(crate) struct Curve {
    peak: Amount,
    /// Lowest equity since that peak.
    trough: Amount,
    /// Deepest fall from an earlier peak.
    max_drawdown: f64,
    /// Closes after this moment belong to another UTC day.
    midnight: Timestamp,
    /// Equity at the last close.
    last: Amount,
    /// Equity at the last close of each UTC day.
    daily: Vec<f64>,
    pub candles: u64,
    pub in_market: u64,
    pub points: Vec<EquityPoint>,
    every: u64,
    /// Candles until the next kept point.
    skip: u64,
}

const DAY_NS: i64 = 86_400_000_000_000;

impl Curve {
    /// `every`: how many candles make one point of the kept curve.
    pub fn new(cash: Amount, candles: usize, every: u64) -> Self {
        Self {
            peak: cash,
            trough: cash,
            max_drawdown: 0.0,
            midnight: Timestamp::MIN,
            last: cash,
            daily: Vec::new(),
            candles: 0,
            in_market: 0,
            points: Vec::with_capacity(candles / every as usize + 2),
            every,
            skip: 0,
        }
    }

    /// The account after a candle that closed at `time`.
    #[inline]
    pub fn push(&mut self, time: Timestamp, equity: Amount, in_market: bool) {
        self.in_market += u64::from(in_market);
        if equity != self.last {
            self.weigh(equity);
        }
        // The close of a day's last candle is the next day's midnight, and still belongs to its own day.
        if time > self.midnight {
            self.next_day(time);
        }
        self.last = equity;
        if self.skip == 0 {
            self.points.push(EquityPoint { time, equity });
            self.skip = self.every;
        }
        self.skip -= 1;
        self.candles += 1;
    }

    #[inline]
    fn weigh(&mut self, equity: Amount) {
        if equity > self.peak {
            self.settle_drawdown();
            self.peak = equity;
            self.trough = equity;
        } else if equity < self.trough {
            self.trough = equity;
        }
    }

    /// Counts the fall from the present peak.
    fn settle_drawdown(&mut self) {
        if self.trough < self.peak {
            let drawdown = (self.peak.raw() - self.trough.raw()) as f64 / self.peak.raw() as f64;
            self.max_drawdown = self.max_drawdown.max(drawdown);
        }
    }

    #[cold]
    fn next_day(&mut self, time: Timestamp) {
        if self.midnight != Timestamp::MIN {
            self.daily.push(self.last.to_f64());
        }
        let days = (time.as_nanos() - 1).div_euclid(DAY_NS) + 1;
        self.midnight = Timestamp::from_nanos(days.saturating_mul(DAY_NS));
    }

    /// Closes the curve with the equity after the end.
    pub fn finish(&mut self, time: Timestamp, equity: Amount) {
        self.last = equity;
        self.daily.push(equity.to_f64());
        self.weigh(equity);
        self.settle_drawdown();
        match self.points.last_mut() {
            Some(last) if last.time == time => last.equity = equity,
            _ => self.points.push(EquityPoint { time, equity }),
        }
    }
}

pub(crate) struct Totals<'a> {
    pub cash: Amount,
    pub equity: Amount,
    pub fees: Amount,
    pub orders: u64,
    pub fills: u64,
    pub trades: &'a [RoundTrip],
    pub span: (Timestamp, Timestamp),
    pub buy_and_hold_return: Option<f64>,
}

impl Metrics {
    pub(crate) fn of(curve: &Curve, totals: &Totals<'_>) -> Self {
        let (mut won, mut lost, mut wins) = (0.0, 0.0, 0u64);
        for trade in totals.trades {
            let pnl = trade.pnl.to_f64();
            if pnl > 0.0 {
                won += pnl;
                wins += 1;
            } else {
                lost -= pnl;
            }
        }
        let count = totals.trades.len() as f64;
        let net_profit = Amount::from_raw(totals.equity.raw() - totals.cash.raw());
        let returns: Vec<f64> = std::iter::once(totals.cash.to_f64())
            .chain(curve.daily.iter().copied())
            .collect::<Vec<_>>()
            .windows(2)
            .map(|w| (w[1] - w[0]) / w[0])
            .collect();
        let years = totals.span.1.nanos_since(totals.span.0) as f64 / YEAR_NS;
        let periods_per_year = (years > 0.0).then(|| returns.len() as f64 / years);
        let (sharpe_ratio, sortino_ratio) = ratios(&returns, periods_per_year);
        Self {
            trades: totals.trades.len() as u64,
            orders: totals.orders,
            fills: totals.fills,
            net_profit,
            total_return: net_profit.to_f64() / totals.cash.to_f64(),
            win_rate: (count > 0.0).then(|| wins as f64 / count),
            profit_factor: (lost > 0.0).then(|| won / lost),
            expectancy: (count > 0.0).then(|| (won - lost) / count),
            fees: totals.fees,
            max_drawdown: curve.max_drawdown,
            sharpe_ratio,
            sortino_ratio,
            exposure: if curve.candles == 0 { 0.0 } else { curve.in_market as f64 / curve.candles as f64 },
            buy_and_hold_return: totals.buy_and_hold_return,
            return_periods: returns.len() as u64,
            periods_per_year,
        }
    }
}

fn ratios(returns: &[f64], periods_per_year: Option<f64>) -> (Option<f64>, Option<f64>) {
    let Some(scale) = periods_per_year.map(f64::sqrt).filter(|_| returns.len() >= 2) else { return (None, None) };
    let n = returns.len() as f64;
    let mean = returns.iter().sum::<f64>() / n;
    let variance = returns.iter().map(|r| (r - mean) * (r - mean)).sum::<f64>() / (n - 1.0);
    let downside = returns.iter().map(|r| r.min(0.0) * r.min(0.0)).sum::<f64>() / n;
    let over = |deviation: f64| (deviation > 0.0).then(|| mean / deviation * scale);
    (over(variance.sqrt()), over(downside.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_by_hand() {
        // mean 0.01, n−1 deviation 0.02, downside √(0.01²/3)
        let (sharpe, sortino) = ratios(&[0.03, 0.01, -0.01], Some(4.0));
        assert!((sharpe.unwrap() - 1.0).abs() < 1e-12);
        assert!((sortino.unwrap() - 2.0 * 0.01 / (0.0001f64 / 3.0).sqrt()).abs() < 1e-12);
        assert_eq!(ratios(&[0.0, 0.0], Some(4.0)), (None, None));
        assert_eq!(ratios(&[0.1], Some(4.0)), (None, None));
    }

    #[test]
    fn drawdown_is_below_the_earlier_peak() {
        let amount = |n: i128| Amount::from_raw(n * 1_000_000_000_000_000_000);
        let mut curve = Curve::new(amount(100), 5, 1);
        for (n, equity) in [110, 99, 105, 88, 120].into_iter().enumerate() {
            curve.push(Timestamp::from_secs(60 * (n as i64 + 1)), amount(equity), true);
        }
        assert!((curve.max_drawdown - 0.2).abs() < 1e-12);
    }
}
