//! Candlestick patterns against TA-Lib, on every row, and one by one against all at once.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

#[path = "common/ta_candles.rs"]
mod ta_candles;

use cw_analysis::candlestick::{self, COUNT, Direction, PATTERNS, Scanner};
use cw_analysis::{Columns, Ohlcv, StudySet};
use cw_core::{Timeframe, Timestamp};
use ta_lib::Core;

/// Seeded noise.
struct Noise(u64);

impl Noise {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) % n
    }
    fn unit(&mut self) -> f64 {
        self.below(1 << 40) as f64 / (1u64 << 40) as f64
    }
    /// Between −1 and 1, most values near 0.
    fn bell(&mut self) -> f64 {
        self.unit() + self.unit() + self.unit() - 1.5
    }
}

/// How candles of a kind are made.
#[derive(Debug, Clone, Copy)]
struct Shape {
    name: &'static str,
    /// The size of a body, of a gap before it and of shadows, in ticks.
    body: f64,
    gap: f64,
    shadow: f64,
    /// How often, of 16: no gap, no body, no upper shadow, no lower shadow, twice and ten times the size.
    chances: [u64; 6],
    tick: f64,
    /// Whether prices are whole ticks.
    rounded: bool,
    start: f64,
}

const SMOOTH: Shape = Shape {
    name: "smooth",
    body: 5.0,
    gap: 0.3,
    shadow: 2.0,
    chances: [8, 0, 0, 0, 0, 0],
    tick: 0.01,
    rounded: false,
    start: 100.0,
};

fn shapes() -> Vec<Shape> {
    let ticks = Shape { name: "ticks", rounded: true, chances: [10, 2, 3, 3, 2, 0], ..SMOOTH };
    vec![
        SMOOTH,
        ticks,
        Shape { name: "gaps", gap: 6.0, chances: [2, 1, 4, 4, 2, 1], ..ticks },
        Shape { name: "dojis", body: 0.8, gap: 1.0, chances: [4, 6, 4, 4, 2, 2], ..ticks },
        Shape { name: "few ticks", body: 1.5, gap: 0.7, shadow: 1.0, tick: 0.25, start: 50.0, ..ticks },
        Shape { name: "bare", gap: 2.0, shadow: 0.4, chances: [4, 0, 10, 10, 4, 0], ..ticks },
        Shape { name: "bare and smooth", gap: 2.0, shadow: 0.4, chances: [4, 0, 10, 10, 4, 0], ..SMOOTH },
        Shape { name: "tiny", tick: 1e-9, start: 1e-6, ..ticks },
        Shape { name: "huge", tick: 1e6, start: 1e12, ..ticks },
        Shape { name: "jumps", body: 10.0, chances: [4, 1, 4, 4, 4, 4], tick: 1.0, start: 3e4, ..ticks },
        Shape { name: "constant", body: 0.0, gap: 0.0, shadow: 0.0, ..ticks },
    ]
}

fn candles(shape: &Shape, seed: u64, rows: usize) -> Vec<Ohlcv> {
    let mut noise = Noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut level = 0.0;
    (0..rows)
        .map(|row| {
            let [no_gap, no_body, no_upper, no_lower, double, tenfold] = shape.chances;
            let scale = if noise.below(16) < tenfold { 10.0 } else { 1.0 };
            let scale = if noise.below(16) < double { 2.0 * scale } else { scale };
            let unless = |noise: &mut Noise, chance, size: f64| {
                if noise.below(16) < chance { 0.0 } else { size * scale }
            };
            let gap = unless(&mut noise, no_gap, shape.gap) * noise.bell();
            let body = unless(&mut noise, no_body, shape.body) * noise.bell() * 2.0;
            let upper = unless(&mut noise, no_upper, shape.shadow) * noise.unit();
            let lower = unless(&mut noise, no_lower, shape.shadow) * noise.unit();
            let whole = |ticks: f64| if shape.rounded { ticks.round() } else { ticks };
            let open = whole(level + gap);
            let close = whole(open + body);
            let (high, low) = (whole(open.max(close) + upper), whole(open.min(close) - lower));
            // Back towards the start, so that prices stay positive.
            level = close * 0.999;
            let price = |ticks: f64| {
                let price = shape.start + ticks * shape.tick;
                // A decimal as a file has it, whose last digits are not those of the sum.
                if shape.rounded && shape.tick > 1e-3 { (price * 100.0).round() / 100.0 } else { price }
            };
            let open_time = Timestamp::from_secs(60 * row as i64);
            Ohlcv { open_time, open: price(open), high: price(high), low: price(low), close: price(close), volume: 1.0 }
        })
        .collect()
}

/// Noise with the rarest pattern planted over and over, more or less well.
fn stars_in_the_south(seed: u64) -> Vec<Ohlcv> {
    let mut noise = Noise(seed);
    let mut candles = candles(&shapes()[1], seed, 4_000);
    for three in candles.chunks_exact_mut(20) {
        let start = three[16].close;
        let mut price = |ticks: i32| start + (f64::from(ticks) + noise.below(4) as f64) / 100.0;
        for (candle, [open, high, low, close]) in
            three[17..].iter_mut().zip([[0, 4, -50, -25], [-15, -10, -46, -25], [-35, -35, -39, -39]])
        {
            (candle.open, candle.close) = (price(open), price(close));
            (candle.high, candle.low) = (price(high).max(candle.open), price(low).min(candle.close));
        }
    }
    candles
}

fn columns(candles: &[Ohlcv]) -> Columns {
    let column = |pick: fn(&Ohlcv) -> f64| candles.iter().map(pick).collect();
    let times = candles.iter().map(|candle| candle.open_time).collect();
    Columns::try_new(
        times,
        column(|c| c.open),
        column(|c| c.high),
        column(|c| c.low),
        column(|c| c.close),
        column(|c| c.volume),
    )
    .unwrap()
}

/// Every row of every pattern; how often each one was there is added to `seen`, by sign.
fn check_against_ta_lib(name: &str, candles: &Columns, seen: &mut [[usize; 2]; COUNT]) {
    let scan = candlestick::scan(candles);
    let core = Core::new();
    let mut out = vec![0i32; candles.len()];
    for (pattern, (function, run, _)) in ta_candles::FUNCTIONS.iter().enumerate() {
        let (first, theirs) = ta_candles::run(&core, *run, candles, &mut out);
        let ours = scan.column(pattern);
        assert_eq!(first, usize::from(PATTERNS[pattern].warm_up).min(candles.len()), "{function}");
        assert!(ours[..first].iter().all(|signal| *signal == 0), "{function} on {name} while warming up");
        for (row, (ours, theirs)) in ours[first..].iter().zip(theirs).enumerate() {
            assert_eq!(i32::from(*ours), *theirs, "{function} on {name}, row {}", row + first);
            seen[pattern][usize::from(*ours < 0)] += usize::from(*ours != 0);
        }
    }
}

#[test]
fn the_list_is_ta_libs() {
    assert_eq!(COUNT, ta_candles::FUNCTIONS.len());
    for (pattern, (function, ..)) in PATTERNS.iter().zip(ta_candles::FUNCTIONS) {
        assert_eq!(pattern.ta_lib.to_ascii_lowercase(), *function);
        assert!(pattern.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", pattern.name);
        assert!(pattern.doc.ends_with('.') && pattern.doc.len() > 40, "{}", pattern.name);
        assert!((1..=5).contains(&pattern.candles), "{}", pattern.name);
    }
    for (index, pattern) in PATTERNS.iter().enumerate() {
        assert_eq!(candlestick::find(pattern.name), Some(index));
        assert_eq!(candlestick::find(pattern.ta_lib), Some(index));
    }
    assert_eq!(candlestick::find("3whitesoldiers"), candlestick::find("three_white_soldiers"));
    assert_eq!(candlestick::find("hamme"), None);
}

#[test]
fn every_row_of_every_pattern_is_ta_libs() {
    let mut seen = [[0; 2]; COUNT];
    for shape in shapes() {
        for seed in 1..=4 {
            check_against_ta_lib(shape.name, &columns(&candles(&shape, seed, 25_000)), &mut seen);
        }
    }
    check_against_ta_lib("stars in the south", &columns(&stars_in_the_south(5)), &mut seen);
    for (pattern, [up, down]) in PATTERNS.iter().zip(seen) {
        let (bullish, bearish) = match pattern.direction {
            Direction::Bullish => (true, false),
            Direction::Bearish => (false, true),
            Direction::Both => (true, true),
            Direction::Neutral => (true, down > 0),
        };
        assert_eq!((up > 0, down > 0), (bullish, bearish), "{} was seen {up} and {down} times", pattern.name);
    }
}

fn sample() -> Vec<Ohlcv> {
    let text = include_str!("../testdata/btcusd_1m.csv");
    let rows = text.lines().skip(1).enumerate().map(|(row, line)| {
        let numbers: Vec<f64> = line.split(',').skip(1).map(|number| number.parse().unwrap()).collect();
        let &[open, high, low, close, volume] = numbers.as_slice() else { panic!("five numbers in {line}") };
        Ohlcv { open_time: Timestamp::from_secs(60 * row as i64), open, high, low, close, volume }
    });
    rows.collect()
}

/// TA-Lib's own streams, which the benchmark runs, agree as well.
#[test]
fn streams_of_ta_lib_go_on_with_the_same() {
    let sample = sample();
    let (scan, columns) = (candlestick::scan(&columns(&sample)), columns(&sample));
    let core = Core::new();
    let start = 64;
    for (pattern, (function, _, open)) in ta_candles::FUNCTIONS.iter().enumerate() {
        let mut stream = open(
            &core,
            &columns.open()[..start],
            &columns.high()[..start],
            &columns.low()[..start],
            &columns.close()[..start],
        );
        for (row, candle) in sample.iter().enumerate().skip(start) {
            assert_eq!(stream(candle), i32::from(scan.rows()[row].signal(pattern)), "{function}, row {row}");
        }
    }
}

#[test]
fn a_real_day_is_as_ta_lib_reads_it() {
    let mut seen = [[0; 2]; COUNT];
    check_against_ta_lib("a day of BTC-USD", &columns(&sample()), &mut seen);
    assert!(seen.iter().filter(|[up, down]| up + down > 0).count() > 30);
}

/// One by one, through saved states and after previews: what the whole series gives.
#[test]
fn one_candle_at_a_time_gives_the_same() {
    let series = shapes().into_iter().map(|shape| candles(&shape, 9, 700)).chain([sample(), candles(&SMOOTH, 3, 7)]);
    for candles in series {
        let scan = candlestick::scan(&columns(&candles));
        let mut scanner = Scanner::new();
        for (row, candle) in candles.iter().enumerate() {
            if row % 7 == 3 {
                let saved = postcard::to_stdvec(&scanner).unwrap();
                scanner = postcard::from_bytes(&saved).unwrap();
            }
            let untouched = scanner.clone();
            let preview = scanner.preview(candle);
            assert_eq!(scanner, untouched, "a preview leaves no trace");
            assert_eq!(scanner.push(candle), preview, "a preview is what comes");
            assert_eq!(preview, scan.rows()[row], "row {row}");
        }
    }
}

/// Series that end anywhere in a block of 64 rows are the beginning of longer ones.
#[test]
fn a_shorter_series_is_the_beginning_of_a_longer_one() {
    let candles = candles(&shapes()[2], 17, 200);
    let whole = candlestick::scan(&columns(&candles));
    for rows in 0..=candles.len() {
        assert_eq!(candlestick::scan(&columns(&candles[..rows])).rows(), &whole.rows()[..rows]);
    }
    let hits: Vec<_> = whole.hits().collect();
    assert!(hits.is_sorted_by_key(|hit| (hit.row, hit.pattern)) && hits.len() > 100);
    assert!(hits.iter().all(|hit| whole.rows()[hit.row].signal(hit.pattern) == hit.signal && hit.signal != 0));
}

/// In the strategy language a pattern is a number like any other, whichever way it is computed.
#[test]
fn expressions_read_patterns() {
    let candles = candles(&shapes()[2], 23, 300);
    let scan = candlestick::scan(&columns(&candles));
    let set = StudySet::parse("pattern(doji), pattern(CDLENGULFING)[1], pattern(hammer) - pattern(hikkake)").unwrap();
    let mut state = set.new_state(Timeframe::M1).unwrap();
    let values = set.batch(&mut state, &columns(&candles));
    let signal = |row: usize, name| f64::from(scan.rows()[row].signal(candlestick::find(name).unwrap()));
    let [dojis, engulfing, differences] = values.as_slice() else { panic!("three columns") };
    for row in 20..candles.len() {
        let expected =
            (signal(row, "doji"), signal(row - 1, "engulfing"), signal(row, "hammer") - signal(row, "hikkake"));
        assert_eq!((dojis[row], engulfing[row], differences[row]), expected, "row {row}");
    }
    assert!(dojis[9].is_nan() && dojis[10].is_finite(), "warming up");
    let error = StudySet::parse("pattern(hamer)").unwrap_err();
    assert_eq!((error.start, error.end, error.hint.as_deref()), (8, 13, Some("did you mean `hammer`?")));
    assert!(StudySet::parse("pattern(5)").is_err() && StudySet::parse("pattern").is_err());
}
