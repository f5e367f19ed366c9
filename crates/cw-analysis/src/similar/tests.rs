use proptest::prelude::*;

use super::*;

/// Seeded uniform numbers from 0 to 1.
fn uniform(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn rows<const N: usize>(count: usize, seed: u64) -> Vec<[f32; N]> {
    let mut next = uniform(seed);
    (0..count).map(|_| std::array::from_fn(|_| next() as f32)).collect()
}

fn library<const N: usize>(rows: &[[f32; N]], seed: u64) -> Library<N> {
    let mut next = uniform(seed);
    let mut close = 100.0;
    let mut library = Library::new();
    for row in rows {
        close *= 1.0 + 0.01 * (next() - 0.5);
        library.push(close, Some(row)).unwrap();
    }
    library
}

/// What a full scan and the rule in words give.
fn by_definition<const N: usize>(
    rows: &[[f32; N]],
    query: &[f32; N],
    within: std::ops::Range<usize>,
    count: usize,
    gap: usize,
) -> Vec<usize> {
    let distance = |at: usize| -> f64 {
        rows[at].iter().zip(query).map(|(a, b)| (f64::from(*a) - f64::from(*b)) * (f64::from(*a) - f64::from(*b))).sum()
    };
    let mut all: Vec<(f64, usize)> = within.map(|at| (distance(at), at)).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut chosen: Vec<usize> = Vec::new();
    for (_, at) in all {
        if chosen.len() < count && chosen.iter().all(|other| other.abs_diff(at) >= gap.max(1)) {
            chosen.push(at);
        }
    }
    chosen
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_answer_is_that_of_a_full_scan(
        seed in 1u64..u64::MAX, len in 1usize..1_500, from in 0usize..800, count in 1usize..50, gap in 0usize..90,
        spread in 0.0f64..3.0, smooth in 0.0f64..1.0,
    ) {
        // Neighbouring rows are alike, and some values lie outside 0–1.
        let mut rows = rows::<24>(len, seed);
        for at in 1..len {
            let before = rows[at - 1];
            for (value, before) in rows[at].iter_mut().zip(before) {
                *value = (smooth * f64::from(before) + (1.0 - smooth) * (0.5 + spread * (f64::from(*value) - 0.5))) as f32;
            }
        }
        let mut index = Index::new();
        for row in &rows {
            index.push(row).unwrap();
        }
        let query = rows[len - 1];
        let found: Vec<usize> = index.nearest(&query, from..len, count, gap).iter().map(|n| n.at).collect();
        prop_assert_eq!(found, by_definition(&rows, &query, from..len, count, gap));
    }

    #[test]
    fn what_comes_later_changes_nothing(seed in 1u64..u64::MAX, at in 400usize..900) {
        let all = rows::<16>(1_000, seed);
        let mut other = all.clone();
        other.truncate(at + 1);
        other.extend(rows::<16>(300, seed ^ 1));
        let query = Query { count: 10, gap: 20, horizons: vec![1, 7, 30], embargo: 25, ..Query::new(at) };
        let (a, mut b) = (library(&all, 3), library(&other[..=at], 3));
        for row in &other[at + 1..] {
            b.push(1e6, Some(row)).unwrap();
        }
        let (a, b) = (a.search(&query).unwrap(), b.search(&query).unwrap());
        prop_assert!(a.neighbours.iter().all(|n| n.at + 30 + 25 <= at));
        prop_assert_eq!(a, b);
    }
}

#[test]
fn planted_motifs_are_found_again() {
    let mut all = rows::<64>(20_000, 11);
    let motif = rows::<64>(1, 12)[0];
    let mut noise = uniform(13);
    let planted: Vec<usize> = (1..=100).map(|k| 150 * k + (k * k) % 37).collect();
    for &at in &planted {
        all[at] = motif.map(|value| value + 0.25 * (noise() - 0.5) as f32);
    }
    all[19_999] = motif;
    let query = Query { count: 100, gap: 60, ..Query::new(19_999) };
    let found = library(&all, 5).search(&query).unwrap();
    let recalled = planted.iter().filter(|at| found.neighbours.iter().any(|n| n.at == **at)).count();
    assert!(recalled >= 95, "{recalled} of 100");
    assert!(found.neighbours.is_sorted_by(|a, b| a.distance <= b.distance));
}

#[test]
fn a_planted_edge_shows_beside_the_base_rate() {
    // After each motif the close rises by two percent; everywhere else it goes nowhere.
    let mut all = rows::<16>(9_000, 21);
    let motif = rows::<16>(1, 22)[0];
    let mut next = uniform(23);
    let mut library = Library::<16>::new();
    let mut close = 100.0;
    for (at, row) in all.iter_mut().enumerate() {
        if at % 200 == 199 {
            *row = motif;
        }
        if at % 200 == 2 && at > 199 {
            close *= 1.02;
        }
        close *= 1.0 + 0.002 * (next() - 0.5);
        library.push(close, Some(row)).unwrap();
        close = if at % 200 == 100 { 100.0 } else { close };
    }
    let query = Query { count: 30, gap: 50, horizons: vec![5, 20], embargo: 50, ..Query::new(8_999) };
    let found = library.search(&query).unwrap();
    for outcome in &found.outcomes {
        assert_eq!(outcome.similar.up, 1.0);
        assert!((outcome.similar.quantiles[2] - 0.02).abs() < 0.005, "{outcome:?}");
        assert!(outcome.base.up < 0.7 && outcome.base.quantiles[2].abs() < 0.005, "{outcome:?}");
        assert!(outcome.p_adjusted < 1e-3 && outcome.p_adjusted >= outcome.p_value);
        assert!(outcome.up_interval.low > 0.85 && outcome.up_interval.high == 1.0);
        assert!(outcome.median_interval.low <= outcome.similar.quantiles[2]);
        assert!(outcome.median_interval.high >= outcome.similar.quantiles[2]);
    }
    assert_eq!(found.fan.len(), 20);
    assert_eq!(found.fan[4].quantiles, found.outcomes[0].similar.quantiles);
    assert_eq!(library.search(&query).unwrap(), found);
}

#[test]
fn refusals_say_why() {
    let library = library(&rows::<8>(200, 1), 1);
    let refuse = |query: Query, expected: &str| {
        assert_eq!(library.search(&query).unwrap_err().to_string(), expected);
    };
    refuse(Query::new(200), "candle 200 is not among the 200 known ones");
    refuse(
        Query::new(100),
        "too little history: the first comparable candle is 0, the last one whose outcome is known -20",
    );
    refuse(Query { count: 0, ..Query::new(199) }, "the count must be from 1 to 1000");
    refuse(
        Query { horizons: vec![0], ..Query::new(199) },
        "each horizon must be from 1 to 10000 candles, and there must be one",
    );
    let mut late = Library::<8>::new();
    late.push(1.0, None).unwrap();
    assert_eq!(late.push(f64::NAN, None), Err(NotFinite));
    assert_eq!(late.push(1.0, Some(&[f32::NAN; 8])), Err(NotFinite));
    assert_eq!(late.search(&Query::new(0)), Err(SearchError::WarmingUp { at: 0, first: 1 }));
}

#[test]
fn statistics_equal_the_textbook() {
    // The formulas in exact arithmetic; quantiles as R's quantile(1:10).
    let interval = wilson(30, 40, 0.95);
    assert!((interval.low - 0.598_060_4).abs() < 1e-6 && (interval.high - 0.858_128_8).abs() < 1e-6, "{interval:?}");
    assert!((binomial_p_value(30, 40, 0.5) - 0.002_221_433_8).abs() < 1e-9);
    assert_eq!(binomial_p_value(0, 0, 0.5), 1.0);
    assert_eq!(holm(&[0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
    let ten: Vec<f64> = (1..=10).map(f64::from).collect();
    assert_eq!(QUANTILES.map(|q| quantile(&ten, q)), [1.45, 3.25, 5.5, 7.75, 9.549_999_999_999_999]);
    assert!(quantile(&[], 0.5).is_nan());
}
