//! Prints what the simulated market's self-test finds, and how long history takes.
//!
//! `cargo run --release -p cw-venues --example simulated_market [SEED]`

use std::sync::Arc;
use std::time::Instant;

use cw_core::{InstrumentId, SystemClock};
use cw_market::{CandleRequest, Provider, Purpose};
use cw_venues::sim::SimProvider;

#[expect(clippy::print_stdout, reason = "this example prints")]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seed = std::env::args().nth(1).map_or(Ok(1), |text| text.parse())?;
    let begin = Instant::now();
    let report = cw_venues::sim::test(seed);
    println!(
        "seed {seed}, {}, {:.0?}\nhash {}",
        if report.passed { "passed" } else { "FAILED" },
        begin.elapsed(),
        report.hash
    );
    for check in &report.checks {
        let verdict = if check.passed { "ok  " } else { "FAIL" };
        println!("{verdict} {:44} {} (expected {})", check.name, check.value, check.expected);
    }
    let provider = SimProvider::new(seed, Arc::new(SystemClock), None);
    for (timeframe, limit) in [("15m", 500), ("1h", 500), ("1d", 300), ("1M", 100)] {
        let request = CandleRequest {
            instrument: InstrumentId::new("BTC-PERP.SIM")?,
            timeframe: timeframe.parse()?,
            from: None,
            to: None,
            limit,
            purpose: Purpose::Look,
        };
        let begin = Instant::now();
        let candles = provider.candles(&request).await?;
        println!("{timeframe} x {}: {:.2?}", candles.len(), begin.elapsed());
    }
    for instrument in provider.instruments() {
        let now = provider.clock().now();
        let quote = provider.market().quote(&instrument.id, now).ok_or("every instrument has a quote")?;
        println!(
            "{:14} {} / {}",
            instrument.id,
            quote.bid.display(instrument.price_decimals),
            quote.ask.display(instrument.price_decimals)
        );
    }
    Ok(())
}
