//! The levels of x86-64.

use std::arch::x86_64::*;

use super::{Kernel, Simd};
use crate::kernel::sparse::{GROUP, MAX_BLOCK, Number, PixelPair};

/// AVX2 and FMA.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

/// AVX-512 F, VL, BW and DQ.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx2 {
    pub(crate) fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        found.then_some(Self(()))
    }

    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx2,fma")]
        fn compiled<K: Kernel>(simd: Avx2, kernel: K) -> K::Output {
            kernel.run(simd)
        }
        // SAFETY: `self` exists, so the processor has AVX2 and FMA.
        unsafe { compiled(self, kernel) }
    }
}

impl Avx512 {
    pub(crate) fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("popcnt")
            && Avx2::detect().is_some();
        found.then_some(Self(()))
    }

    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,popcnt")]
        fn compiled<K: Kernel>(simd: Avx512, kernel: K) -> K::Output {
            kernel.run(simd)
        }
        // SAFETY: `self` exists, so the processor has these features.
        unsafe { compiled(self, kernel) }
    }
}

impl Simd for Avx2 {
    type Vector = __m256;
    const LANES: usize = 8;
    // 12 of the 16 registers; two more hold the row of B, and one the
    // element of A.
    const TILE_ROWS: usize = 6;
    const TILE_VECTORS: usize = 2;

    #[inline(always)]
    fn splat(self, value: f32) -> __m256 {
        // SAFETY: `self` exists, so the processor has AVX2.
        unsafe { _mm256_set1_ps(value) }
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> __m256 {
        let from = &from[..Self::LANES];
        // SAFETY: AVX2 as above; eight floats are there to read.
        unsafe { _mm256_loadu_ps(from.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, vector: __m256, to: &mut [f32]) {
        let to = &mut to[..Self::LANES];
        // SAFETY: AVX2 as above; eight floats are there to write.
        unsafe { _mm256_storeu_ps(to.as_mut_ptr(), vector) }
    }

    #[inline(always)]
    fn mul_add(self, a: __m256, b: __m256, c: __m256) -> __m256 {
        // SAFETY: `self` exists, so the processor has FMA.
        unsafe { _mm256_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn load_pixels(self, from: &[u8]) -> __m256 {
        let from = &from[..Self::LANES];
        // SAFETY: AVX2 and FMA as above; eight bytes are there to read.
        unsafe {
            let pixels = _mm_loadl_epi64(from.as_ptr().cast());
            let pixels = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(pixels));
            let rest = _mm256_mul_ps(pixels, _mm256_set1_ps(RECIPROCAL[1]));
            _mm256_fmadd_ps(pixels, _mm256_set1_ps(RECIPROCAL[0]), rest)
        }
    }
}

/// 1 / 255 as a sum of two numbers: a pixel times both, rounded once after the second,
/// is what a division by 255 gives. (With one number it is not, for every other pixel.)
const RECIPROCAL: [f32; 2] = {
    let first = 1.0 / 255.0_f32;
    [first, (1.0 / 255.0 - first as f64) as f32]
};

impl Simd for Avx512 {
    type Vector = __m512;
    const LANES: usize = 16;
    // 24 of the 32 registers; two more hold the row of B, and elements of A
    // are broadcast from memory.
    const TILE_ROWS: usize = 12;
    const TILE_VECTORS: usize = 2;

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        // SAFETY: `self` exists, so the processor has AVX-512.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> __m512 {
        let from = &from[..Self::LANES];
        // SAFETY: AVX-512 as above; sixteen floats are there to read.
        unsafe { _mm512_loadu_ps(from.as_ptr()) }
    }

    #[inline(always)]
    fn store(self, vector: __m512, to: &mut [f32]) {
        let to = &mut to[..Self::LANES];
        // SAFETY: AVX-512 as above; sixteen floats are there to write.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), vector) }
    }

    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        // SAFETY: `self` exists, so the processor has AVX-512.
        unsafe { _mm512_fmadd_ps(a, b, c) }
    }

    #[inline(always)]
    fn load_pixels(self, from: &[u8]) -> __m512 {
        let from = &from[..Self::LANES];
        // SAFETY: AVX-512 as above; sixteen bytes are there to read.
        unsafe { divide_by_255(_mm_loadu_si128(from.as_ptr().cast())) }
    }

    #[inline(always)]
    fn transpose(self, square: &mut [[f32; GROUP]; GROUP]) {
        // SAFETY: `self` exists, so the processor has AVX-512.
        unsafe { transpose(square) }
    }

    #[inline(always)]
    fn keep_numbers(self, from: &[f32; GROUP], first: u32, to: &mut [Number; GROUP]) -> usize {
        // SAFETY: AVX-512 as above; sixteen floats are there to read.
        unsafe { keep_numbers(_mm512_loadu_ps(from.as_ptr()), first, to) }
    }

    #[inline(always)]
    fn keep_pixels(self, from: [&[[u8; GROUP]]; 2], first: u16, to: &mut [PixelPair]) -> usize {
        // Groups that are all paper, most of them, are told in one go, so that no
        // branch has to be guessed for each.
        const { assert!(MAX_BLOCK / GROUP <= 32, "two bits for each group of a block") };
        let [one, two] = from;
        assert_eq!(one.len(), two.len(), "groups of both images");
        let mut inked = 0_u64;
        for (index, (one, two)) in one.chunks(4).zip(two.chunks(4)).enumerate() {
            let (one, two) = (one.as_flattened(), two.as_flattened());
            let within = u64::MAX >> (64 - one.len());
            // SAFETY: AVX-512 as above; the bytes within are there to read, of both.
            let halves = unsafe {
                let one = _mm512_maskz_loadu_epi8(within, one.as_ptr().cast());
                let two = _mm512_maskz_loadu_epi8(within, two.as_ptr().cast());
                let both = _mm512_or_si512(one, two);
                _mm512_test_epi64_mask(both, both)
            };
            inked |= u64::from(halves) << (8 * index);
        }
        let mut kept = 0;
        while inked != 0 {
            let group = inked.trailing_zeros() as usize / 2;
            inked &= !(3 << (2 * group));
            let to = to[kept..].first_chunk_mut().expect("room for a group");
            let first = first + (group * GROUP) as u16;
            // SAFETY: `self` exists, so the processor has AVX-512.
            kept += unsafe { keep_pixels([&one[group], &two[group]], first, to) };
        }
        kept
    }
}

/// Pixels divided by 255, as a division would round them, without the units that multiply
/// and that have enough to do: n / 255 is 0.nnnn… in base 256. That is cut off after 24
/// bits from the first that is set, and what is lost is at least half of the last one: n's
/// own first bit comes next, and more follow.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn divide_by_255(pixels: __m128i) -> __m512 {
    const FOUR_TIMES_EACH: [u8; 64] = {
        let mut places = [0; 64];
        let mut byte = 0;
        while byte < 64 {
            places[byte] = byte as u8 / 4;
            byte += 1;
        }
        places
    };
    const CUT_OFF: i32 = _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC;
    // SAFETY: these are 64 bytes.
    let places = unsafe { _mm512_loadu_si512(FOUR_TIMES_EACH.as_ptr().cast()) };
    let fourfold = _mm512_shuffle_epi8(_mm512_broadcast_i32x4(pixels), places);
    let bits = _mm512_castps_si512(_mm512_cvt_roundepu32_ps::<CUT_OFF>(fourfold));
    // The last bit more, and 2³² times less; what was 0 is below it then.
    let bits = _mm512_add_epi32(bits, _mm512_set1_epi32(1 - (32 << 23)));
    _mm512_castsi512_ps(_mm512_max_epi32(bits, _mm512_setzero_si512()))
}

/// Exchanges rows and columns: of pairs of rows, of fours, then of the fours' fours.
#[inline]
#[target_feature(enable = "avx512f")]
#[allow(clippy::needless_range_loop, reason = "unrolled, so that the rows are in registers")]
fn transpose(square: &mut [[f32; GROUP]; GROUP]) {
    let mut rows = [_mm512_setzero_ps(); GROUP];
    for row in 0..GROUP {
        // SAFETY: sixteen floats are there to read.
        rows[row] = unsafe { _mm512_loadu_ps(square[row].as_ptr()) };
    }
    let mut fours = [_mm512_setzero_pd(); GROUP];
    for first in (0..GROUP).step_by(4) {
        let low = |row: usize| {
            _mm512_castps_pd(_mm512_unpacklo_ps(rows[first + row], rows[first + row + 1]))
        };
        let high = |row: usize| {
            _mm512_castps_pd(_mm512_unpackhi_ps(rows[first + row], rows[first + row + 1]))
        };
        fours[first] = _mm512_unpacklo_pd(low(0), low(2));
        fours[first + 1] = _mm512_unpackhi_pd(low(0), low(2));
        fours[first + 2] = _mm512_unpacklo_pd(high(0), high(2));
        fours[first + 3] = _mm512_unpackhi_pd(high(0), high(2));
    }
    // Quarter q of fours[4·i + c] is column 4·q + c of the rows from 4·i on.
    for col in 0..4 {
        let quarters = std::array::from_fn(|i| _mm512_castpd_ps(fours[4 * i + col]));
        let [first, second, third, fourth]: [__m512; 4] = quarters;
        const EVEN: i32 = 0b10_00_10_00;
        const ODD: i32 = 0b11_01_11_01;
        let even = [
            _mm512_shuffle_f32x4::<EVEN>(first, second),
            _mm512_shuffle_f32x4::<EVEN>(third, fourth),
        ];
        let odd = [
            _mm512_shuffle_f32x4::<ODD>(first, second),
            _mm512_shuffle_f32x4::<ODD>(third, fourth),
        ];
        let columns = [
            _mm512_shuffle_f32x4::<EVEN>(even[0], even[1]),
            _mm512_shuffle_f32x4::<EVEN>(odd[0], odd[1]),
            _mm512_shuffle_f32x4::<ODD>(even[0], even[1]),
            _mm512_shuffle_f32x4::<ODD>(odd[0], odd[1]),
        ];
        for (quarter, column) in columns.into_iter().enumerate() {
            // SAFETY: sixteen floats are there to write.
            unsafe { _mm512_storeu_ps(square[4 * quarter + col].as_mut_ptr(), column) };
        }
    }
}

/// Writes the columns in which one of two images is not zero to the start of `to`;
/// returns how many.
#[inline]
#[target_feature(enable = "avx512f,popcnt")]
fn keep_pixels(from: [&[u8; GROUP]; 2], first: u16, to: &mut [PixelPair; GROUP]) -> usize {
    let pixels = from.map(|pixels| {
        // SAFETY: sixteen bytes are there to read.
        _mm512_cvtepu8_epi32(unsafe { _mm_loadu_si128(pixels.as_ptr().cast()) })
    });
    let both =
        _mm512_or_si512(_mm512_slli_epi32::<16>(pixels[0]), _mm512_slli_epi32::<24>(pixels[1]));
    let mask = _mm512_test_epi32_mask(both, both);
    let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    let columns = _mm512_add_epi32(_mm512_set1_epi32(i32::from(first)), lanes);
    let kept = _mm512_maskz_compress_epi32(mask, _mm512_or_si512(both, columns));
    // SAFETY: a pair is 32 bits, the column below its pixels, and sixteen are there to
    // write.
    unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), kept) };
    mask.count_ones() as usize
}

/// Writes the lanes that are not zero, with their columns, to the start of `to`;
/// returns how many.
#[inline]
#[target_feature(enable = "avx512f,popcnt")]
fn keep_numbers(values: __m512, first: u32, to: &mut [Number; GROUP]) -> usize {
    // Unordered, so that NaN stays.
    let mask = _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(values, _mm512_setzero_ps());
    let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    let columns = _mm512_add_epi32(_mm512_set1_epi32(first as i32), lanes);
    let values = _mm512_castps_si512(values);
    // Column beside value: lane i of the values is lane 16 + i of both.
    let low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    let high = _mm512_add_epi32(low, _mm512_set1_epi32(8));
    let low = _mm512_permutex2var_epi32(columns, low, values);
    let high = _mm512_permutex2var_epi32(columns, high, values);
    let kept_low = (mask as u8).count_ones() as usize;
    let to = to.as_mut_ptr();
    // SAFETY: a number and its column are 64 bits. Eight are there to write, and eight more after
    // the first, which are at most eight.
    unsafe {
        _mm512_storeu_si512(to.cast(), _mm512_maskz_compress_epi64(mask as u8, low));
        let high = _mm512_maskz_compress_epi64((mask >> 8) as u8, high);
        _mm512_storeu_si512(to.add(kept_low).cast(), high);
    }
    mask.count_ones() as usize
}
