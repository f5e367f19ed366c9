//! Levels, lines, swings, regime, trend strength and chart patterns in expressions.

use super::*;
use crate::ohlcv::Ohlcv;
use crate::structure::{ChartKind, Structure, Trend};

#[test]
fn grammar() {
    reads("support", "support(1)");
    reads("support() < close", "support(1) < close");
    reads("resistance(2).distance < 0.5", "resistance(2).distance < 0.5");
    reads("support.touches[1]", "support(1).touches[1]");
    reads("regime == \"up\"", "regime == \"up\"");
    reads("'down' != regime[1]", "\"down\" != regime[1]");
    reads("regime > 0 and regime.confidence > 0.6", "regime > 0 and regime.confidence > 0.6");
    reads("regime.volatility == 'high'", "regime.volatility == \"high\"");
    reads("on('1h', regime) == 'up'", "on(\"1h\", regime) == \"up\"");
    reads("on('1h', regime == 'up')", "on(\"1h\", regime == \"up\")");
    reads("on('4h', support(2).strength)", "on(\"4h\", support(2).strength)");
    reads("if(close > 1, regime, 0) == 'range'", "if(close > 1, regime, 0) == \"range\"");
    reads("chart_pattern(double_top) < 0", "chart_pattern(double_top) < 0");
    reads("chart_pattern(any).forming > 1", "chart_pattern(any).forming > 1");
    reads("trend_strength.r_squared", "trend_strength.r_squared");
    reads("cross_above(close, resistance_line)", "cross_above(close, resistance_line)");
    reads("swing_low - atr", "swing_low - atr(14)");
}

#[test]
fn errors() {
    refuses("suport > 1", "suport > 1\n^^^^^^ there is no `suport`\n       did you mean `support`?");
    refuses("support(4)", "support(4)\n        ^ touches of `support` must be 1 to 3, not 4");
    refuses(
        "support(1, 2)",
        "support(1, 2)\n           ^ `support` takes no such argument\n             write support(touches = 1)",
    );
    refuses(
        "swing_high(3)",
        "swing_high(3)\n           ^ `swing_high` takes no such argument\n             write swing_high",
    );
    refuses(
        "support.distanc > 1",
        "support.distanc > 1\n        ^^^^^^^ `support` has no output `distanc`\n                did you mean `distance`?",
    );
    refuses(
        "chart_pattern(double_tip)",
        "chart_pattern(double_tip)\n              ^^^^^^^^^^ there is no chart pattern `double_tip`\n                         did you mean `double_top`?",
    );
    refuses(
        "chart_pattern(hammer)",
        "chart_pattern(hammer)\n              ^^^^^^ there is no chart pattern `hammer`\n                     a candlestick pattern: write pattern(hammer)",
    );
    refuses(
        "pattern(double_top)",
        "pattern(double_top)\n        ^^^^^^^^^^ there is no pattern `double_top`\n                   a chart pattern: write chart_pattern(double_top)",
    );
    refuses(
        "chart_pattern > 0",
        "chart_pattern > 0\n^^^^^^^^^^^^^ `chart_pattern` wants a pattern's name\n              write chart_pattern(name)",
    );
    refuses("regime == up", "regime == up\n          ^^ a label stands in quotes\n             write \"up\"");
    refuses(
        "regime == \"upp\"",
        "regime == \"upp\"\n          ^^^^^ there is no label \"upp\"\n                did you mean \"up\"?",
    );
    refuses(
        "regime.volatility == 'sideways'",
        "regime.volatility == 'sideways'\n                     ^^^^^^^^^^ there is no label \"sideways\"\n                                one of \"high\", \"normal\", \"low\"",
    );
    refuses(
        "regime < \"up\"",
        "regime < \"up\"\n         ^^^^ text stands only as the timeframe of `on(\"1h\", …)` and as a label of `regime`",
    );
    refuses("trend > 1", "trend > 1\n^^^^^ there is no `trend`\n      did you mean `trend_strength`?");
}

#[test]
fn completion() {
    completes("supp|", &["support", "support_line"]);
    completes("support.d|", &["distance"]);
    completes("resistance(2).|", &["distance", "touches", "strength", "breaks", "age"]);
    completes("chart_pattern(double|", &["double_top", "double_bottom"]);
    completes("chart_p|", &["chart_pattern("]);
    completes("regime == \"|", &["up", "range", "down"]);
    completes("regime[1] != 'd|'", &["down"]);
    completes("on(\"1h\", regime.volatility) == \"h|", &["high"]);
    completes("close == \"|", &[]);
}

/// Swings of different length around a slow wave, so that levels, lines, patterns and both trends occur.
fn swinging(n: usize) -> Vec<Candle> {
    let mut close = 100.0f64;
    (0..n)
        .map(|minute| {
            let t = minute as f64;
            let open = close;
            close = 100.0
                + 6.0 * libm::sin(t / 90.0)
                + 3.0 * libm::sin(t / 11.0)
                + 2.0 * libm::sin(t / 4.3) * libm::sin(t / 37.0);
            let price = |price: f64| Price::from_f64((price * 100.0).round() / 100.0).unwrap();
            Candle {
                high: price(open.max(close) + 0.1),
                low: price(open.min(close) - 0.1),
                ..Candle { open: price(open), close: price(close), ..candle(minute as i64, 1.0) }
            }
        })
        .collect()
}

/// What an expression gives on every candle beside what the structure says there, NaN where it says nothing.
#[track_caller]
fn is(text: &str, of: impl Fn(&Structure, &Candle) -> Option<f64>) {
    let expression = Expression::parse(text).unwrap();
    let mut state = expression.new_state(Timeframe::M1).unwrap();
    let mut structure = Structure::new();
    let mut known = 0;
    for candle in swinging(3_000) {
        structure.push(&Ohlcv::from(&candle));
        expression.update(&mut state, &candle);
        let given = expression.program.output(&state.0, 0);
        let expected = of(&structure, &candle).unwrap_or(f64::NAN);
        assert!(
            given.to_bits() == expected.to_bits() || given.is_nan() && expected.is_nan(),
            "{text}: {given} {expected}"
        );
        known += usize::from(!given.is_nan() && given != 0.0);
    }
    assert!(known > 0, "{text} says nothing");
}

#[test]
fn values_are_those_of_the_structure() {
    let nearest = |structure: &Structure, close: f64, touches: u32| {
        let below = structure.levels().iter().filter(|level| level.touches >= touches && level.price <= close);
        below.max_by(|a, b| a.price.total_cmp(&b.price)).copied()
    };
    let of = |candle: &Candle| candle.close.to_f64();
    is("support", |s, c| nearest(s, of(c), 1).map(|level| level.price));
    is("support(3).touches", |s, c| nearest(s, of(c), 3).map(|level| f64::from(level.touches)));
    is("support.strength", |s, c| nearest(s, of(c), 1).map(|level| level.strength(s.len() - 1)));
    is("support(2).distance", |s, c| nearest(s, of(c), 2).map(|level| (level.price - of(c)).abs() / s.atr()));
    is("resistance", |s, c| {
        s.levels().iter().map(|level| level.price).filter(|price| *price > of(c)).min_by(f64::total_cmp)
    });
    is("swing_high", |s, _| s.pivots().iter().rfind(|pivot| pivot.high).map(|pivot| pivot.price));
    is("support_line", |s, _| s.trend_lines().find(|line| line.is_support()).map(|line| line.price_at(s.len() - 1)));
    is("regime", |s, _| {
        s.regime().map(|regime| match regime.trend {
            Trend::Up => 1.0,
            Trend::Range => 0.0,
            Trend::Down => -1.0,
        })
    });
    is("regime == 'up'", |s, _| s.regime().map(|regime| f64::from(u8::from(regime.trend == Trend::Up))));
    is("regime.confidence", |s, _| s.regime().map(|regime| regime.confidence));
    is("trend_strength.slope", |s, _| s.regime().map(|_| s.strength().slope));
    let confirmed = |s: &Structure, kind: Option<ChartKind>| {
        let all = s.ended_patterns().iter().chain(s.active_patterns());
        let mut now = all.filter(|p| kind.is_none_or(|kind| p.kind == kind) && p.confirmed_index == Some(s.len() - 1));
        now.next_back().map_or(0.0, |pattern| if pattern.up == Some(true) { 100.0 } else { -100.0 })
    };
    is("chart_pattern(any)", |s, _| Some(confirmed(s, None)));
    is("chart_pattern(breakout_up)", |s, _| Some(confirmed(s, Some(ChartKind::BreakoutUp))));
    is("chart_pattern(any).forming", |s, _| {
        Some(s.active_patterns().iter().filter(|p| p.status == crate::structure::Status::Forming).count() as f64)
    });
}

/// Whatever reads the structure of a timeframe, it is computed once there.
#[test]
fn the_structure_is_computed_once() {
    let text = "support(2) < close and regime == 'up' and chart_pattern(any) > 0 and on('5m', regime) == 'up'";
    let expression = Expression::parse(text).unwrap();
    let calls = expression.program.base().steps.iter().filter(|step| format!("{step:?}").starts_with("Call"));
    assert_eq!(calls.count(), 1);
}
