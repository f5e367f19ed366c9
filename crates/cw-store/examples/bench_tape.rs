//! Recordings of ticks: bytes per trade and per quote, time per event to write and to play back, from and to files.
//!
//! Prints one JSON line per row: `TAPE-size-trades`, `TAPE-size-quotes` (B/event), `TAPE-write` and `TAPE-replay`
//! (ns/event, CPU time where the system says it, minimum of the repetitions; replay ends in trades and quotes as the
//! aggregator takes them). The check counts and sums what came back.
//!
//! Without arguments the events are made up in the shape of a busy crypto venue's trades and an FX venue's quotes;
//! `BENCH_SCALE` × 4 million of them. `bench_tape TRADES.csv QUOTES.csv` measures files as `data import` reads them
//! instead (`time,trade_id,price,quantity,buyer_maker` and `time,bid,ask`).

#![expect(clippy::print_stdout, reason = "the output is the result")]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use cw_core::{InstrumentId, MarketEventKind, Price, Quantity, Quote, Rounding, Side, Timestamp, Trade};
use cw_store::{TapeEvent, TapeKind, Tapes};

const REPETITIONS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let scale: f64 = std::env::var("BENCH_SCALE").map_or(Ok(1.0), |text| text.parse())?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (trades, quotes) = match arguments.as_slice() {
        [trades, quotes] => (read(Path::new(trades), trade_of)?, read(Path::new(quotes), quote_of)?),
        _ => (made_trades((4e6 * scale) as usize), made_quotes((1e6 * scale) as usize)),
    };
    let dir = tempfile::tempdir()?;
    let trade_tape = Tapes::new(&dir.path().join("trades"));
    let quote_tape = Tapes::new(&dir.path().join("quotes"));
    let id: InstrumentId = "BTC-USDT.BENCH".parse()?;
    let mut write_ns = f64::INFINITY;
    for repetition in 0..REPETITIONS {
        let tapes = Tapes::new(&dir.path().join(format!("again{repetition}")));
        write_ns = write_ns.min(write(if repetition == 0 { &trade_tape } else { &tapes }, &id, &trades)?);
    }
    write(&quote_tape, &id, &quotes)?;
    for (row, tapes, events) in [("TAPE-size-trades", &trade_tape, &trades), ("TAPE-size-quotes", &quote_tape, &quotes)]
    {
        let list = tapes.list()?;
        let bytes = list.iter().map(|recording| recording.bytes).sum::<u64>();
        println!(
            r#"{{"peer":"candlewick","row":"{row}","value":{:.2},"unit":"B/event","check":{{"events":{},"bytes":{bytes}}}}}"#,
            bytes as f64 / events.len() as f64,
            events.len()
        );
    }
    println!(
        r#"{{"peer":"candlewick","row":"TAPE-write","value":{:.1},"unit":"ns/event","check":{{"events":{}}}}}"#,
        write_ns / trades.len() as f64,
        trades.len()
    );
    let (mut best, mut check) = (f64::INFINITY, (0, 0, 0));
    for _ in 0..REPETITIONS {
        let begun = Instant::now();
        check = play(&trade_tape, &id)?;
        best = best.min(begun.elapsed().as_nanos() as f64);
    }
    let expected = sums(&trades);
    if check != expected {
        return Err(format!("{check:?} came back of {expected:?}").into());
    }
    println!(
        r#"{{"peer":"candlewick","row":"TAPE-replay","value":{:.1},"unit":"ns/event","check":{{"events":{},"price":{},"qty":{}}}}}"#,
        best / trades.len() as f64,
        check.0,
        check.1,
        check.2
    );
    Ok(())
}

fn write(tapes: &Tapes, id: &InstrumentId, events: &[TapeEvent]) -> Result<f64, Box<dyn Error>> {
    let (mut writer, _) = tapes.writer(id)?;
    let begun = Instant::now();
    for event in events {
        writer.push(*event)?;
    }
    writer.flush()?;
    let took = begun.elapsed().as_nanos() as f64;
    writer.finish()?;
    Ok(took)
}

fn play(tapes: &Tapes, id: &InstrumentId) -> Result<(u64, i128, i128), Box<dyn Error>> {
    let mut reader = tapes.read(id, Timestamp::MIN, Timestamp::MAX)?;
    let (mut events, mut sum) = (Vec::new(), (0, 0, 0));
    while reader.next(&mut events)? {
        let block = sums(&events);
        sum = (sum.0 + block.0, sum.1 + block.1, sum.2 + block.2);
        events.clear();
    }
    Ok(sum)
}

fn sums(events: &[TapeEvent]) -> (u64, i128, i128) {
    events.iter().fold((0, 0, 0), |(count, price, qty), event| match event.kind {
        TapeKind::Trade(trade) => (count + 1, price + i128::from(trade.price.raw()), qty + trade.qty.raw()),
        TapeKind::Quote(quote) => (count + 1, price + i128::from(quote.bid.raw()), qty + quote.bid_qty.raw()),
        TapeKind::Break { .. } => (count, price, qty),
    })
}

/// As it would have come over a network: some milliseconds after the venue's time, no two the same.
fn received(event_time: Timestamp, kind: MarketEventKind, noise: u64) -> TapeEvent {
    TapeEvent::new(event_time.plus_nanos(3_000_000 + (noise % 4_000_000) as i64), kind)
}

fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Trades at random whole milliseconds, bouncing between bid and ask on a grid of 0.01, sizes of very different length.
fn made_trades(count: usize) -> Vec<TapeEvent> {
    let (mut state, mut time, mut price) = (20_260_117_u64, 1_610_064_000_000_i64, 3_943_248_i64);
    let trade = |n: usize| {
        let [a, b, c, d] = [0; 4].map(|_| random(&mut state));
        time += [0, 0, 1, 7, 20, 61][(a % 6) as usize] + (a >> 8) as i64 % 5;
        price += (b % 7) as i64 - 3 + if (b >> 8).trailing_zeros() >= 6 { (b >> 16) as i64 % 801 - 400 } else { 0 };
        price = price.max(1_000_000);
        let trade = Trade {
            event_time: Timestamp::from_millis(time),
            price: Price::from_raw((price + if c & 1 == 0 { 85 } else { 0 }) * 10_000_000),
            qty: Quantity::from_raw(i128::from(1 + (c >> 1) % (1 << (6 + c % 15))) * 1_000),
            aggressor: Some(if c & 1 == 0 { Side::Buy } else { Side::Sell }),
            trade_id: 553_287_559 + n as u64,
        };
        received(trade.event_time, MarketEventKind::Trade(trade), d)
    };
    (0..count).map(trade).collect()
}

fn made_quotes(count: usize) -> Vec<TapeEvent> {
    let (mut state, mut time, mut bid) = (7_u64, 1_577_916_000_000_i64, 112_120_i64);
    let quote = |_| {
        let [a, b, c] = [0; 3].map(|_| random(&mut state));
        time += 50 + (a % 4_000) as i64;
        bid += (b % 9) as i64 - 4;
        let spread = 20 + (b >> 8) as i64 % 40;
        let quote = Quote {
            event_time: Timestamp::from_millis(time),
            bid: Price::from_raw(bid * 10_000),
            ask: Price::from_raw((bid + spread) * 10_000),
            bid_qty: Quantity::ZERO,
            ask_qty: Quantity::ZERO,
        };
        received(quote.event_time, MarketEventKind::Quote(quote), c)
    };
    (0..count).map(quote).collect()
}

type Row = fn(&[&str]) -> Option<MarketEventKind>;

fn read(path: &Path, row: Row) -> Result<Vec<TapeEvent>, Box<dyn Error>> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut state = 1_u64;
    let event = |line: &str| {
        let cells: Vec<&str> = line.trim().split(',').collect();
        let kind = row(&cells).ok_or_else(|| format!("{}: {line}", path.display()))?;
        let time = match kind {
            MarketEventKind::Trade(trade) => trade.event_time,
            MarketEventKind::Quote(quote) => quote.event_time,
        };
        Ok(received(time, kind, random(&mut state)))
    };
    text.lines().skip(1).map(event).collect()
}

fn trade_of(cells: &[&str]) -> Option<MarketEventKind> {
    let [time, id, price, qty, buyer_maker] = cells else { return None };
    Some(MarketEventKind::Trade(Trade {
        event_time: time.parse().ok()?,
        price: price.parse().ok()?,
        qty: Quantity::parse_rounded(qty, Rounding::HalfEven).ok()?,
        aggressor: Some(if *buyer_maker == "True" { Side::Sell } else { Side::Buy }),
        trade_id: id.parse().ok()?,
    }))
}

fn quote_of(cells: &[&str]) -> Option<MarketEventKind> {
    let [time, bid, ask] = cells else { return None };
    Some(MarketEventKind::Quote(Quote {
        event_time: time.parse().ok()?,
        bid: bid.parse().ok()?,
        ask: ask.parse().ok()?,
        bid_qty: Quantity::ZERO,
        ask_qty: Quantity::ZERO,
    }))
}
