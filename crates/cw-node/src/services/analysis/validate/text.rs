//! Numbers in a text against the numbers of its candle.

use cw_analysis::features::{self, Scaler};
use serde_json::Value;

/// A number that a text names and the vector holds.
struct Reading {
    /// Of the row, the text it is in.
    text: &'static str,
    /// The words before it.
    behind: &'static str,
    feature: &'static str,
    /// What one of the feature's units is called there.
    times: f64,
}

const READINGS: [Reading; 4] = [
    Reading { text: "technical_summary", behind: "; ADX ", feature: "adx", times: 100.0 },
    Reading { text: "technical_summary", behind: "; RSI ", feature: "rsi_14", times: 100.0 },
    Reading { text: "technical_summary", behind: "; true range ", feature: "atr_share", times: 100.0 },
    Reading { text: "description", behind: ": RSI at ", feature: "rsi_14", times: 100.0 },
];

/// What a short float between 0 and 1 may be off.
const SHORT: f64 = 1e-7;

/// Every reading that a text names is the number in the candle's vector, under the text's rounding. `scaler` says what the
/// vector's values were before they were brought to 0–1.
pub(super) fn agrees(row: &Value, vector: &Value, scaler: Option<&Scaler>) -> Result<(), String> {
    for reading in &READINGS {
        let Some((printed, decimals)) = row[reading.text].as_str().and_then(|text| number(text, reading.behind)) else {
            continue;
        };
        let Some(place) = features::position(reading.feature) else { continue };
        let Some(scaled) = vector[place].as_f64() else { continue };
        let bounds = features::features()[place].unit.bounds();
        let bounds = bounds.or_else(|| {
            // Outside of what the scale was fitted on, the vector does not tell how far.
            let scaler = scaler.filter(|_| scaled > 0.0 && scaled < 1.0)?;
            Some((f64::from(scaler.low[place]), f64::from(scaler.high[place])))
        });
        let Some((low, high)) = bounds else { continue };
        let value = (low + scaled * (high - low)) * reading.times;
        let tolerance = 0.5 * 0.1_f64.powi(decimals) + (high - low).abs() * reading.times * SHORT;
        if (value - printed).abs() > tolerance * 1.000_001 {
            let Reading { text, feature, .. } = reading;
            return Err(format!("`{text}` says {printed} where the vector's {feature} is {value:.4}"));
        }
    }
    Ok(())
}

/// The number behind some words, and how many decimals it has.
fn number(text: &str, behind: &str) -> Option<(f64, i32)> {
    let (_, rest) = text.split_once(behind)?;
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let digits = rest[..end].trim_end_matches('.');
    let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    Some((digits.parse().ok()?, decimals as i32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_ends_where_its_digits_do() {
        let text = "BTC, 1h: range; close 64,000; ADX 23; RSI 55.3; true range 0.41 %.";
        assert_eq!(number(text, "; RSI "), Some((55.3, 1)));
        assert_eq!(number(text, "; ADX "), Some((23.0, 0)));
        assert_eq!(number(text, "; true range "), Some((0.41, 2)));
        assert_eq!(number("RSI 7.", "RSI "), Some((7.0, 0)));
        assert_eq!(number(text, "; CCI "), None);
        assert_eq!(number("; RSI high", "; RSI "), None);
    }
}
