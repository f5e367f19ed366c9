//! Columns of integers in as few bytes as a look at them allows.
//!
//! Every value is `base + unit × small`. The small ones are all the same, or bit-packed in groups of 64 of one width, or
//! as bytes of seven bits each; whichever is shortest. Prices on a tick grid, times in whole milliseconds and running
//! numbers shrink by themselves, because their unit is found and not declared. Nothing is ever rounded.

/// Values that share one width.
const GROUP: usize = 64;

const SAME: u8 = 0;
const PACKED: u8 = 1;
const BYTES: u8 = 2;
const ZIGZAG: u8 = 0;
const OFFSET: u8 = 1;
const NARROW: u8 = 0;
const WIDE: u8 = 1;

pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[inline]
pub(super) fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for (at, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            *bytes = &bytes[at + 1..];
            return Some(value);
        }
    }
    None
}

fn take_byte(bytes: &mut &[u8]) -> Option<u8> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*first)
}

const fn zigzag(value: i64) -> u64 {
    (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned()
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Writes a column; its length is not in it.
pub(super) fn put_unsigned(out: &mut Vec<u8>, values: &[u64]) {
    let base = values.iter().copied().min().unwrap_or(0);
    let unit = values.iter().fold(0, |unit, value| if unit == 1 { 1 } else { gcd(value - base, unit) });
    if unit == 0 {
        out.push(SAME);
        return put_varint(out, base);
    }
    let small: Vec<u64> = values.iter().map(|value| (value - base) / unit).collect();
    let packed: usize = small.chunks(GROUP).map(|group| 1 + (group.len() * width(group) as usize).div_ceil(8)).sum();
    let bytes: usize = small.iter().map(|value| (64 - (value | 1).leading_zeros()).div_ceil(7) as usize).sum();
    out.push(if packed <= bytes { PACKED } else { BYTES });
    put_varint(out, base);
    put_varint(out, unit);
    if packed <= bytes {
        small.chunks(GROUP).for_each(|group| pack(out, group));
    } else {
        for value in &small {
            put_varint(out, *value);
        }
    }
}

pub(super) fn take_unsigned(bytes: &mut &[u8], count: usize) -> Option<Vec<u64>> {
    let shape = take_byte(bytes)?;
    let base = take_varint(bytes)?;
    if shape == SAME {
        return Some(vec![base; count]);
    }
    let unit = take_varint(bytes)?;
    let mut values = Vec::with_capacity(count);
    match shape {
        PACKED => {
            while values.len() < count {
                unpack(bytes, GROUP.min(count - values.len()), &mut values)?;
            }
            for value in &mut values {
                *value = value.wrapping_mul(unit).wrapping_add(base);
            }
        }
        BYTES => {
            for _ in 0..count {
                values.push(take_varint(bytes)?.wrapping_mul(unit).wrapping_add(base));
            }
        }
        _ => return None,
    }
    Some(values)
}

fn width(group: &[u64]) -> u32 {
    64 - group.iter().fold(0, |all, value| all | value).leading_zeros()
}

fn pack(out: &mut Vec<u8>, group: &[u64]) {
    let width = width(group);
    out.push(width as u8);
    let (mut buffer, mut filled) = (0u128, 0u32);
    for value in group {
        buffer |= u128::from(*value) << filled;
        filled += width;
        while filled >= 8 {
            out.push(buffer as u8);
            buffer >>= 8;
            filled -= 8;
        }
    }
    if filled > 0 {
        out.push(buffer as u8);
    }
}

#[inline]
fn unpack(bytes: &mut &[u8], count: usize, values: &mut Vec<u64>) -> Option<()> {
    let width = usize::from(take_byte(bytes)?);
    if width > 64 {
        return None;
    }
    let (packed, rest) = bytes.split_at_checked((count * width).div_ceil(8))?;
    *bytes = rest;
    let mask = if width == 64 { u64::MAX } else { (1u64 << width) - 1 };
    // The last values lie too near to the end for eight bytes to be read at once.
    let mut last = [0u8; 32];
    let tail = packed.len().saturating_sub(16);
    last[..packed.len() - tail].copy_from_slice(&packed[tail..]);
    values.extend((0..count).map(|at| {
        let (byte, bit) = (at * width / 8, at * width % 8);
        let eight = |from: &[u8], at: usize| u64::from_le_bytes(from[at..at + 8].try_into().expect("eight bytes"));
        let (from, place) = if byte + 9 <= packed.len() { (packed, byte) } else { (last.as_slice(), byte - tail) };
        let low = eight(from, place) >> bit;
        // Nine bytes are touched only by the widest.
        let high = if width + bit > 64 { u64::from(from[place + 8]) << (64 - bit) } else { 0 };
        (low | high) & mask
    }));
    Some(())
}

/// Writes a column of signed numbers.
pub(super) fn put_signed(out: &mut Vec<u8>, values: &[i64]) {
    let unit = values.iter().fold(0, |unit, value| gcd(value.unsigned_abs(), unit)).max(1);
    let unit = i64::try_from(unit).unwrap_or(1);
    let mut zigzagged = vec![ZIGZAG];
    put_varint(&mut zigzagged, unit.cast_unsigned());
    put_unsigned(&mut zigzagged, &values.iter().map(|value| zigzag(value / unit)).collect::<Vec<_>>());
    let lowest = values.iter().copied().min().unwrap_or(0);
    let mut offset = vec![OFFSET];
    put_varint(&mut offset, zigzag(lowest));
    put_unsigned(&mut offset, &values.iter().map(|v| v.wrapping_sub(lowest).cast_unsigned()).collect::<Vec<_>>());
    out.extend(if offset.len() <= zigzagged.len() { offset } else { zigzagged });
}

pub(super) fn take_signed(bytes: &mut &[u8], count: usize) -> Option<Vec<i64>> {
    match take_byte(bytes)? {
        ZIGZAG => {
            let unit = take_varint(bytes)?.cast_signed();
            let values = take_unsigned(bytes, count)?;
            Some(values.into_iter().map(|value| unzigzag(value).wrapping_mul(unit)).collect())
        }
        OFFSET => {
            let lowest = unzigzag(take_varint(bytes)?);
            let values = take_unsigned(bytes, count)?;
            Some(values.into_iter().map(|value| value.cast_signed().wrapping_add(lowest)).collect())
        }
        _ => None,
    }
}

/// Writes a column whose neighbours are near each other: the first value, then the steps.
pub(super) fn put_steps(out: &mut Vec<u8>, values: &[i64]) {
    let Some(first) = values.first() else { return };
    put_varint(out, zigzag(*first));
    put_signed(out, &values.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect::<Vec<_>>());
}

pub(super) fn take_steps(bytes: &mut &[u8], count: usize) -> Option<Vec<i64>> {
    if count == 0 {
        return Some(Vec::new());
    }
    let mut value = unzigzag(take_varint(bytes)?);
    let mut steps = take_signed(bytes, count - 1)?;
    for step in &mut steps {
        let before = value;
        value = value.wrapping_add(*step);
        *step = before;
    }
    steps.push(value);
    Some(steps)
}

/// Writes a column of quantities.
pub(super) fn put_quantities(out: &mut Vec<u8>, values: &[i128]) {
    let narrow: Option<Vec<u64>> = values.iter().map(|value| u64::try_from(*value).ok()).collect();
    if let Some(narrow) = narrow {
        out.push(NARROW);
        put_unsigned(out, &narrow);
    } else {
        out.push(WIDE);
        for value in values {
            out.extend(value.to_le_bytes());
        }
    }
}

pub(super) fn take_quantities(bytes: &mut &[u8], count: usize) -> Option<Vec<i128>> {
    match take_byte(bytes)? {
        NARROW => Some(take_unsigned(bytes, count)?.into_iter().map(i128::from).collect()),
        WIDE => {
            let (wide, rest) = bytes.split_at_checked(count * 16)?;
            *bytes = rest;
            Some(wide.chunks_exact(16).map(|c| i128::from_le_bytes(c.try_into().expect("sixteen bytes"))).collect())
        }
        _ => None,
    }
}
