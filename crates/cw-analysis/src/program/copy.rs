//! Finished values on their way into columns.
//!
//! A processor reads a line of memory before it writes to it, which a column that is written once and too long to stay in
//! the cache does not need: storing past the cache halves the traffic, and that is most of what many outputs of many
//! candles cost.

/// Columns of together more bytes than this are stored past the cache.
const CACHE: usize = 4 << 20;
/// Bytes that are stored at once, and at a multiple of which.
const LINE: usize = 64;
const PER_LINE: usize = LINE / size_of::<f64>();

pub(super) struct Copier {
    past_cache: bool,
}

impl Copier {
    pub(super) fn new(columns: &[Vec<f64>]) -> Self {
        let bytes: usize = columns.iter().map(|column| size_of_val(column.as_slice())).sum();
        Self { past_cache: bytes > CACHE && streaming() }
    }
    #[inline]
    pub(super) fn copy(&self, values: &[f64], column: &mut [f64]) {
        #[cfg(target_arch = "x86_64")]
        if self.past_cache {
            return stream(values, column);
        }
        column.copy_from_slice(values);
    }
    /// Makes what was stored past the cache visible to other threads.
    pub(super) fn finish(self) {
        #[cfg(target_arch = "x86_64")]
        if self.past_cache {
            #[expect(unsafe_code, reason = "an instruction of the processor")]
            // SAFETY: a fence has no precondition; SSE is part of every x86-64 processor.
            unsafe {
                std::arch::x86_64::_mm_sfence();
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn streaming() -> bool {
    crate::wide::available()
}
#[cfg(not(target_arch = "x86_64"))]
fn streaming() -> bool {
    false
}

/// Copies whole lines past the cache, and what is before and behind them through it: the next piece of the column will
/// complete that line.
#[cfg(target_arch = "x86_64")]
#[inline]
fn stream(values: &[f64], column: &mut [f64]) {
    use std::arch::x86_64::{_mm256_loadu_pd, _mm256_stream_pd};

    #[target_feature(enable = "avx")]
    fn lines(values: &[[f64; PER_LINE]], column: &mut [[f64; PER_LINE]]) {
        for (line, place) in values.iter().zip(column) {
            #[expect(unsafe_code, reason = "no safe operation stores past the cache")]
            // SAFETY: all pointers are to four of the eight floats; the places are at multiples of 32 bytes, as the first
            // line is at a multiple of 64 and each is as long.
            unsafe {
                _mm256_stream_pd(place.as_mut_ptr(), _mm256_loadu_pd(line.as_ptr()));
                _mm256_stream_pd(place[4..].as_mut_ptr(), _mm256_loadu_pd(line[4..].as_ptr()));
            }
        }
    }

    let before = (column.as_ptr().addr().wrapping_neg() % LINE / size_of::<f64>()).min(column.len());
    let ((early, values), (early_places, column)) = (values.split_at(before), column.split_at_mut(before));
    early_places.copy_from_slice(early);
    let ((whole, rest), (places, rest_places)) = (values.as_chunks(), column.as_chunks_mut());
    rest_places.copy_from_slice(rest);
    assert!(places.is_empty() || places.as_ptr().addr().is_multiple_of(LINE));
    #[expect(unsafe_code, reason = "a call into instructions that not every processor has")]
    // SAFETY: a copier asks for this only where the processor has AVX2, and the first line is at a multiple of its size.
    unsafe {
        lines(whole, places);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_arrives_wherever_a_column_begins() {
        let values: Vec<f64> = (0..300).map(f64::from).collect();
        for past_cache in [false, streaming()] {
            let copier = Copier { past_cache };
            for begin in 0..9 {
                for len in [0, 1, 7, 8, 9, 64, 255] {
                    let mut column = vec![-1.0; 300];
                    copier.copy(&values[..len], &mut column[begin..begin + len]);
                    assert_eq!(column[begin..begin + len], values[..len]);
                    assert!(column[..begin].iter().chain(&column[begin + len..]).all(|value| *value == -1.0));
                }
            }
            copier.finish();
        }
    }
}
