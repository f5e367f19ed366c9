use super::*;
use cw_core::{Candle, Price, Timeframe, Timestamp, Volume};

mod fuzz;
mod market;

/// The canonical wording of a valid expression.
#[track_caller]
fn reads(text: &str, expected: &str) {
    match Expression::parse(text) {
        Ok(expression) => {
            assert_eq!(expression.text(), expected);
            let again = Expression::parse(expected).unwrap();
            assert_eq!(again.text(), expected, "the canonical wording reads as itself");
            assert_eq!(again.program.fingerprint(), expression.program.fingerprint(), "and means the same");
        }
        Err(error) => panic!("{}", error.render(text)),
    }
}

/// The error as a person sees it.
#[track_caller]
fn refuses(text: &str, expected: &str) {
    match Expression::parse(text) {
        Ok(expression) => panic!("accepted as {}", expression.text()),
        Err(error) => assert_eq!(error.render(text), expected),
    }
}

#[test]
fn grammar() {
    reads("close", "close");
    reads("ema(20)", "ema(close, 20)");
    reads("ema", "ema(close, 9)");
    reads("ema()", "ema(close, 9)");
    reads("ema(hl2)", "ema(hl2, 9)");
    reads("ema( rsi( 14 ) , 9)", "ema(rsi(close, 14), 9)");
    reads("sma(close - open, 2*5)", "sma(close - open, 10)");
    reads("1 + close * 2", "1 + close * 2");
    reads("(1 + close) * 2", "(1 + close) * 2");
    reads("close - (open - low)", "close - (open - low)");
    reads("close - open - low", "close - open - low");
    reads("-close + +open", "-close + open");
    reads("-(close + open)", "-(close + open)");
    reads("- -close", "--close");
    reads("close > open and not (low < 5 or high > 6)", "close > open and not (low < 5 or high > 6)");
    reads("close > 1 or close < 2 and close > 3", "close > 1 or close < 2 and close > 3");
    reads("(close > 1 or close < 2) and close > 3", "(close > 1 or close < 2) and close > 3");
    reads("not close > open", "not close > open");
    reads("(close > open) == (close[1] > open[1])", "(close > open) == (close[1] > open[1])");
    reads("close[1]", "close[1]");
    reads("close[0]", "close");
    reads("(close - open)[2]", "(close - open)[2]");
    reads("(close > open)[1]", "(close > open)[1]");
    reads("close[1][2]", "close[1][2]");
    reads("min(close, open, 5)", "min(min(close, open), 5)");
    reads("if(close > open, high, low)", "if(close > open, high, low)");
    reads("change(close)", "close - close[1]");
    reads("abs(change(close, 5))", "abs(close - close[5])");
    reads("macd", "macd(close, 12, 26, 9)");
    reads("macd(3,10,16).signal", "macd(close, 3, 10, 16).signal");
    reads("bb(20, 2).upper", "bb(close, 20, 2).upper");
    reads("bb.upper[1]", "bb(close, 20, 2).upper[1]");
    reads("atr(14) / close", "atr(14) / close");
    reads("on(\"1h\", ema(20)) < close", "on(\"1h\", ema(close, 20)) < close");
    reads("on('4h', close > open)", "on(\"4h\", close > open)");
    reads(
        "cross_above(ema(close, 10), ema(close, 20)) and rsi(close, 14) < 70",
        "cross_above(ema(close, 10), ema(close, 20)) and rsi(close, 14) < 70",
    );
    reads("1.5e3 + .5 + 2", "1502.5");
    reads("sqrt(4) * 3", "6");
    reads("true and close > 1", "close > 1");
    reads("false and close > 1", "false");
    reads("on(\"1h\", 5)", "5");
    reads("  close\n  > open  ", "close > open");
}

#[test]
fn errors_point_at_their_place() {
    refuses("emma(close, 10)", "emma(close, 10)\n^^^^ there is no function `emma`\n     did you mean `ema`?");
    refuses("close > opne", "close > opne\n        ^^^^ there is no `opne`\n             did you mean `open`?");
    refuses(
        "crossover(close, open)",
        "crossover(close, open)\n^^^^^^^^^ there is no function `crossover`\n          did you mean `cross_above`?",
    );
    refuses("close >", "close >\n       ^ expected a value, but the text ends here");
    refuses("", "\n^ expected a value, but the text ends here");
    refuses("(close", "(close\n      ^ expected `)`, but the text ends here");
    refuses("close)", "close)\n     ^ nothing is open that this could close");
    refuses("close open", "close open\n      ^^^^ expected an operator or the end");
    refuses("ema(close 20)", "ema(close 20)\n          ^^ expected `,` or `)`");
    refuses("close = 5", "close = 5\n      ^ `=` means nothing here\n        write `==` to compare");
    refuses(
        "close > 1 && open > 1",
        "close > 1 && open > 1\n          ^^ `&&` means nothing here\n             write `and`",
    );
    refuses(
        "close and open > 1",
        "close and open > 1\n^^^^^ expected a condition, found a number\n      compare it: `x > 0`",
    );
    refuses("(close > 1) + 2", "(close > 1) + 2\n^^^^^^^^^^^ expected a number, found a condition");
    refuses(
        "1 < close < 3",
        "1 < close < 3\n          ^ comparisons cannot be chained\n            write `a < b and b < c`",
    );
    refuses(
        "close[-1]",
        "close[-1]\n      ^^ this would look into the future; only closed candles can be read\n         `[1]` looks that far back",
    );
    refuses(
        "close[1 - 2]",
        "close[1 - 2]\n      ^^^^^ this would look into the future; only closed candles can be read\n            `[1]` looks that far back",
    );
    refuses("close[open]", "close[open]\n      ^^^^ how far back `[ ]` looks must be a constant");
    refuses("close[1.5]", "close[1.5]\n      ^^^ how far back `[ ]` looks must be a whole number, not 1.5");
    refuses("close[9999]", "close[9999]\n      ^^^^ how far back `[ ]` looks must be 0 to 5000, not 9999");
    refuses("ema(0)", "ema(0)\n    ^ length of `ema` must be 1 to 5000, not 0");
    refuses("ema(-5)", "ema(-5)\n    ^^ length of `ema` must be 1 to 5000, not -5");
    refuses("ema(2.5)", "ema(2.5)\n    ^^^ length of `ema` must be a whole number, not 2.5");
    refuses("ema(close, open)", "ema(close, open)\n           ^^^^ length of `ema` must be a constant");
    refuses(
        "atr(close, 14)",
        "atr(close, 14)\n    ^^^^^ `atr` reads whole candles and takes no source\n          write atr(length = 14)",
    );
    refuses(
        "bb(20, 2)",
        "bb(20, 2)\n^^^^^^^^^ `bb` has several outputs: upper, middle, lower\n          name one: `bb(…).upper`",
    );
    refuses(
        "bb(20, 2).uper",
        "bb(20, 2).uper\n          ^^^^ `bb` has no output `uper`\n               did you mean `upper`?",
    );
    refuses(
        "ema(5).value",
        "ema(5).value\n       ^^^^^ `ema` has no output `value`\n             it gives one series: leave the dot away",
    );
    refuses("close.x", "close.x\n      ^ only an indicator has outputs to name");
    refuses("close.", "close.\n      ^ expected the name of an output, but the text ends here");
    refuses("on(1h, close)", "on(1h, close)\n    ^ expected `,` or `)`");
    refuses(
        "on(\"1x\", close)",
        "on(\"1x\", close)\n   ^^^^ \"1x\" is not a timeframe; use a number and s, m, h, d, w or M: 1m, 15m, 4h, 1d, 1M",
    );
    refuses(
        "on(\"1h\", on(\"4h\", close))",
        "on(\"1h\", on(\"4h\", close))\n         ^^^^^^^^^^^^^^^ `on` cannot stand inside another `on`",
    );
    refuses("on(close, 5)", "on(close, 5)\n   ^^^^^ the timeframe stands in quotes\n         write on(\"1h\", …)");
    refuses("\"1h\"", "\"1h\"\n^^^^ text stands only as the timeframe of `on(\"1h\", …)` and as a label of `regime`");
    refuses("\"1h", "\"1h\n^^^ the quote is not closed");
    refuses("close + entry", "close + entry\n        ^^^^^ `entry`, the entry price, is known to stop and target only");
    refuses(
        "cross_above(close)",
        "cross_above(close)\n^^^^^^^^^^^^^^^^^^ `cross_above` cannot take 1 argument\n                   write cross_above(a, b)",
    );
    refuses(
        "close(1)",
        "close(1)\n^^^^^ `close` is no function\n      write `close`, or `close[1]` for the candle before",
    );
    refuses(
        "cross_above > 1",
        "cross_above > 1\n^^^^^^^^^^^ `cross_above` is a function\n            write cross_above(a, b)",
    );
    refuses("1 / 0", "1 / 0\n^^^^^ this constant is inf");
    refuses("1e999", "1e999\n^^^^^ number out of range");
    refuses(
        "close > 5 %",
        "close > 5 %\n          ^ `%` means nothing here\n            there are no percentages: 2 % is 0.02",
    );
    refuses("clöse", "clöse\n  ^ `ö` means nothing here");
    refuses("high\n> clse", "> clse\n  ^^^^ there is no `clse`\n       did you mean `close`?");
}

#[test]
fn names_of_other_platforms_are_known() {
    for (theirs, ours) in [("psar", "sar"), ("lsma", "linreg"), ("smma", "rma"), ("bbands", "bb"), ("variance", "var")]
    {
        let hint = Expression::parse(&format!("{theirs}(5)")).unwrap_err().hint.unwrap();
        assert_eq!(hint, format!("did you mean `{ours}`?"));
        assert!(crate::indicators::find(ours).is_some());
    }
}

#[test]
fn limits_hold() {
    let long = format!("close{}", " + 1".repeat(5_000));
    assert!(Expression::parse(&long).unwrap_err().message.starts_with("too long"));
    for text in ["(".repeat(1_000), "-".repeat(1_000), "not ".repeat(1_000), "abs(".repeat(1_000)] {
        assert!(Expression::parse(&text).unwrap_err().message.starts_with("nested deeper"), "{}", &text[..8]);
    }
    let wide = format!("close{}", "+close".repeat(100));
    assert!(Expression::parse(&wide).unwrap_err().message.starts_with("nested deeper"));
    let hungry: Vec<String> = (0..300).map(|n| format!("sma({})", 5_000 - n)).collect();
    let sets = crate::StudySet::parse(&hungry.join(","));
    assert_eq!(sets.unwrap_err().message, "too large: all lengths together exceed what a program may remember");
    // Each level writes its operand twice.
    let doubling = format!("{}close{}", "change(".repeat(50), ")".repeat(50));
    assert!(Expression::parse(&doubling).unwrap_err().message.starts_with("too large: written out"));
}

#[test]
fn an_expression_of_the_wrong_type_is_refused() {
    assert!(Expression::parse_as("close > 1", Kind::Bool).is_ok());
    let error = Expression::parse_as("close", Kind::Bool).unwrap_err();
    assert_eq!(error.to_string(), "expected a condition, found a number");
}

fn candle(minute: i64, close: f64) -> Candle {
    let price = Price::from_f64(close).unwrap();
    Candle {
        open_time: Timestamp::from_secs(minute * 60),
        open: price,
        high: price,
        low: price,
        close: price,
        volume: Volume::ZERO,
    }
}

/// The values of an expression on one-minute candles with these closes; `x` is unknown.
#[track_caller]
fn gives(text: &str, closes: &[f64], expected: &str) {
    let expression = Expression::parse(text).unwrap();
    let mut state = expression.new_state(Timeframe::M1).unwrap();
    let values: Vec<String> = closes
        .iter()
        .enumerate()
        .map(|(minute, close)| match expression.update(&mut state, &candle(minute as i64, *close)) {
            Value::Number(number) => number.to_string(),
            Value::Bool(value) => if value { "T" } else { "F" }.to_owned(),
            Value::Unknown => "x".to_owned(),
        })
        .collect();
    assert_eq!(values.join(" "), expected);
}

#[test]
fn values() {
    gives("close[2]", &[1.0, 2.0, 3.0, 4.0], "x x 1 2");
    gives("close[1] + 1", &[1.0, 2.0, 3.0], "x 2 3");
    gives("close > close[1]", &[1.0, 2.0, 2.0, 1.0], "x T F F");
    gives("cross_above(close, 2)", &[1.0, 3.0, 2.0, 3.0, 4.0], "x T F T F");
    gives("cross_below(close, 2)", &[3.0, 1.0, 2.0, 1.0, 0.5], "x T F T F");
    gives("crosses(close, 2)", &[3.0, 1.0, 1.0, 3.0], "x T F T");
    gives("if(close > 2, close, -close)", &[1.0, 3.0], "-1 3");
    gives("min(close, 2) + max(close, 2, 3)", &[1.0, 5.0], "4 7");
    gives("sqrt(close) + abs(-close)", &[4.0], "6");
    gives("log(exp(close))", &[1.0], "1");
    gives("close / (close - 1)", &[1.0, 2.0], "x 2");
    gives("sma(close / (close - 1), 2)", &[2.0, 1.0, 3.0], "x x 1.75");
    gives("highest(close, 2)[1]", &[1.0, 5.0, 2.0, 1.0], "x x 5 5");
}

#[test]
fn what_is_unknown_decides_nothing() {
    gives("not rsi(2) < 30", &[3.0, 2.0, 1.0], "x x F");
    gives("close[1] > 0 and close > 5", &[1.0, 1.0, 6.0], "F F T");
    gives("close[1] > 0 and close > 5", &[6.0, 6.0], "x T");
    gives("close[1] > 0 or close > 5", &[1.0, 1.0], "x T");
    gives("close[1] > 0 or close > 5", &[6.0], "T");
    gives("close[1] == close", &[1.0, 1.0], "x T");
    gives("if(close[1] > 0, 1, 2)", &[1.0, 1.0], "x 1");
}

#[test]
fn a_higher_timeframe_is_read_when_it_has_closed() {
    // Minutes 0 to 4 make the first five-minute candle; it closes with minute 4.
    gives("on(\"5m\", close)", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0], "x x x x 5 5 5 5 5 10");
    gives("on(\"5m\", close[1])", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0], "x x x x x x x x x 5");
    gives("on(\"5m\", high - low) > 3", &[1.0, 2.0, 3.0, 4.0, 5.0], "x x x x T");
    gives("close - on(\"1m\", close)", &[1.0, 2.0], "0 0");
    // Where the last minute is missing, the first candle after it closes the five minutes.
    let expression = Expression::parse("on(\"5m\", close)").unwrap();
    let mut state = expression.new_state(Timeframe::M1).unwrap();
    let mut at = |minute| expression.update(&mut state, &candle(minute, minute as f64));
    assert_eq!(at(2), Value::Unknown);
    assert_eq!(at(3), Value::Unknown);
    assert_eq!(at(6), Value::Number(3.0));
    assert_eq!(at(23), Value::Number(6.0));
    let error = expression.new_state(Timeframe::H1).unwrap_err();
    assert_eq!(error.to_string(), "on(\"5m\", …) cannot be folded from 1h candles");
    let error = expression.new_state("100t".parse::<cw_core::Cadence>().unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "on(\"5m\", …) cannot be folded from 100t candles");
}

#[test]
fn rules_that_share_a_part_compute_it_once() {
    let expression = Expression::parse("ema(20) > ema(close, 20)[1] and ema(close, 2 * 10) > 1").unwrap();
    let emas = expression.program.base().steps.iter().filter(|step| format!("{step:?}").starts_with("Call"));
    assert_eq!(emas.count(), 1);
}

#[track_caller]
fn completes(text: &str, expected: &[&str]) {
    let cursor = text.find('|').unwrap();
    let plain = text.replace('|', "");
    let completion = complete(&plain, cursor);
    let inserts: Vec<&str> = completion.items.iter().map(|item| item.insert.as_str()).take(expected.len()).collect();
    assert_eq!(inserts, expected, "{completion:?}");
    assert!(completion.start <= cursor && completion.end <= plain.len());
}

#[test]
fn completion() {
    completes("clo|", &["close"]);
    completes("close > em|", &["ema("]);
    completes("close > em|a(20)", &["ema"]);
    completes("cross_|", &["cross_above(", "cross_below("]);
    completes("macd(12,26,9).|", &["signal", "histogram"]);
    completes("bb(20, (2)).u|", &["upper"]);
    completes("bb.lo|", &["lower"]);
    completes("on(\"1|", &["15m", "1h", "1d", "1w", "1M"]);
    completes("on('4|', close)", &["4h"]);
    completes("close > 5|", &[]);
    completes("an|", &["and"]);
    completes("ab|ove", &["abs("]);
    completes("pattern(hamm|", &["hammer", "inverted_hammer"]);
    let all = complete("", 0);
    for entry in crate::indicators::all() {
        assert!(all.items.iter().any(|item| item.label == entry.spec.name), "{}", entry.spec.name);
    }
    let with = complete_with("fa", 2, &[("fast", "length")]);
    assert_eq!(with.items[0].insert, "fast");
}
