//! Decimal text to scaled integers and back, without floats. Shared by every number type.

use crate::number::{NumberError, Rounding};

/// Parses `text` as a decimal number scaled by `10^scale`.
///
/// Accepts an optional sign, digits, one point, and an exponent (`1.5e-3`), which recorded market data contains.
/// Digits beyond `scale` are an error unless `rounding` says how to drop them.
pub(crate) fn parse(text: &str, scale: u32, rounding: Option<Rounding>) -> Result<i128, NumberError> {
    let bad = || NumberError::Syntax(text.chars().take(40).collect());
    let bytes = text.as_bytes();
    let (negative, mut i) = match bytes.first() {
        Some(b'-') => (true, 1),
        Some(b'+') => (false, 1),
        Some(_) => (false, 0),
        None => return Err(bad()),
    };
    let mut value: i128 = 0;
    let mut digits = 0u32;
    let mut fraction_digits: i64 = 0;
    let mut seen_point = false;
    // Digits past what an i128 holds are counted, not kept: only zeros may be dropped silently.
    let mut dropped: i64 = 0;
    let mut dropped_nonzero = false;
    while i < bytes.len() {
        match bytes[i] {
            b @ b'0'..=b'9' => {
                digits += 1;
                if value > (i128::MAX - 9) / 10 {
                    dropped += 1;
                    dropped_nonzero |= b != b'0';
                    if seen_point {
                        dropped -= 1;
                    }
                } else {
                    value = value * 10 + i128::from(b - b'0');
                    if seen_point {
                        fraction_digits += 1;
                    }
                }
            }
            b'.' if !seen_point => seen_point = true,
            b'e' | b'E' => break,
            _ => return Err(bad()),
        }
        i += 1;
    }
    if digits == 0 {
        return Err(bad());
    }
    let mut exponent: i64 = 0;
    if i < bytes.len() {
        exponent = text[i + 1..].parse::<i16>().map_err(|_| bad())?.into();
    }
    let shift = i64::from(scale) - fraction_digits + exponent + dropped;
    let magnitude = if value == 0 && !dropped_nonzero {
        0
    } else if shift >= 0 {
        if dropped_nonzero {
            return Err(NumberError::TooPrecise { text: text.to_owned(), decimals: scale });
        }
        u32::try_from(shift)
            .ok()
            .and_then(|s| 10i128.checked_pow(s))
            .and_then(|p| value.checked_mul(p))
            .ok_or(NumberError::Overflow)?
    } else {
        let drop = u32::try_from(-shift).unwrap_or(u32::MAX);
        let divisor = 10i128.checked_pow(drop);
        match (divisor, rounding) {
            (Some(d), _) if value % d == 0 && !dropped_nonzero => value / d,
            (_, None) => return Err(NumberError::TooPrecise { text: text.to_owned(), decimals: scale }),
            (Some(d), Some(mode)) => return Ok(div_round(if negative { -value } else { value }, d, mode)),
            (None, Some(_)) => 0,
        }
    };
    Ok(if negative { -magnitude } else { magnitude })
}

/// `numerator / denominator` rounded as told. The denominator is positive.
pub(crate) fn div_round(numerator: i128, denominator: i128, mode: Rounding) -> i128 {
    let quotient = numerator.div_euclid(denominator);
    let remainder = numerator.rem_euclid(denominator);
    if remainder == 0 {
        return quotient;
    }
    match mode {
        Rounding::Floor => quotient,
        Rounding::Ceil => quotient + 1,
        Rounding::HalfEven => {
            let other = denominator - remainder;
            if remainder > other || (remainder == other && quotient % 2 != 0) { quotient + 1 } else { quotient }
        }
    }
}

/// Prints `raw / 10^scale` with no trailing zeros but at least `min_decimals` of them.
pub(crate) fn format(raw: i128, scale: u32, min_decimals: u32, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    use std::fmt::Write as _;
    let mut buffer = [0u8; 48];
    let mut at = buffer.len();
    let mut rest = raw.unsigned_abs();
    let mut decimals = scale;
    while decimals > min_decimals && rest.is_multiple_of(10) {
        rest /= 10;
        decimals -= 1;
    }
    let mut written = 0;
    loop {
        if written == decimals && decimals > 0 {
            at -= 1;
            buffer[at] = b'.';
        }
        at -= 1;
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        written += 1;
        if rest == 0 && written > decimals {
            break;
        }
    }
    if raw < 0 {
        f.write_char('-')?;
    }
    f.write_str(std::str::from_utf8(&buffer[at..]).map_err(|_| std::fmt::Error)?)
}
