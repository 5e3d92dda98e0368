//! The levels of x86-64.

use std::arch::x86_64::*;

use super::{BYTES, Kernel, Simd};
use crate::kernel::entry::{GROUP, Number, Pixel};

/// AVX2, FMA, and what every processor with these has.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(());

/// AVX-512 F, VL, BW and DQ.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(());

impl Avx2 {
    pub(crate) fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("fma")
            && is_x86_feature_detected!("popcnt")
            && is_x86_feature_detected!("bmi1");
        found.then_some(Self(()))
    }

    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx2,fma,popcnt,bmi1")]
        fn compiled<K: Kernel>(simd: Avx2, kernel: K) -> K::Output {
            kernel.run(simd)
        }
        // SAFETY: `self` exists, so the processor has these features.
        unsafe { compiled(self, kernel) }
    }
}

impl Avx512 {
    pub(crate) fn detect() -> Option<Self> {
        let found = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && Avx2::detect().is_some();
        found.then_some(Self(()))
    }

    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,popcnt,bmi1")]
        fn compiled<K: Kernel>(simd: Avx512, kernel: K) -> K::Output {
            kernel.run(simd)
        }
        // SAFETY: `self` exists, so the processor has these features.
        unsafe { compiled(self, kernel) }
    }
}

impl Simd for Avx2 {
    type Vector = __m256;
    /// 1 / 255 as a sum of two numbers: a pixel times both, rounded once after the second, is
    /// what a division by 255 gives. (With one number it is not, for every other pixel.)
    type PixelScale = [__m256; 2];
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
    fn pixel_scale(self) -> [__m256; 2] {
        // As constants they would be loaded again for each vector of pixels.
        std::hint::black_box(RECIPROCAL).map(|part| self.splat(part))
    }

    #[inline(always)]
    fn load_pixels(self, from: &[u8], [scale, rest]: [__m256; 2]) -> __m256 {
        let from = &from[..Self::LANES];
        // SAFETY: AVX2 and FMA as above; eight bytes are there to read.
        unsafe {
            let pixels = _mm_loadl_epi64(from.as_ptr().cast());
            let pixels = _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(pixels));
            _mm256_fmadd_ps(pixels, scale, _mm256_mul_ps(pixels, rest))
        }
    }

    #[inline(always)]
    fn transpose(self, square: &mut [[f32; GROUP]; GROUP]) {
        // SAFETY: `self` exists, so the processor has AVX2.
        unsafe { transpose_by_eight(square) }
    }

    #[inline(always)]
    fn columns<'a>(self, row: impl Fn(usize) -> &'a [u8; GROUP], to: [&mut [u8; BYTES]; GROUP]) {
        // SAFETY: `self` exists, so the processor has AVX2.
        unsafe { columns(row, to) }
    }

    #[inline(always)]
    fn inked(self, pixels: &[u8; BYTES]) -> u32 {
        // SAFETY: as above.
        unsafe { inked(pixels) }
    }

    #[inline(always)]
    fn keep_numbers(self, from: &[f32; GROUP], first: u32, to: &mut [Number; GROUP]) -> usize {
        // SAFETY: `self` exists, so the processor has these features.
        unsafe { keep_numbers_by_eight(from, first, to) }
    }

    #[inline(always)]
    fn keep_columns(self, from: &[f32; GROUP], first: u32, to: &mut [u32; GROUP]) -> usize {
        // SAFETY: as above.
        unsafe { keep_columns_by_eight(from, first, to) }
    }

    #[inline(always)]
    fn keep_pixels(self, from: &[[u8; GROUP]], first: u8, to: &mut [Pixel]) -> usize {
        // SAFETY: as above.
        unsafe { keep_pixels(from, first, to) }
    }
}

/// 1 / 255, and what is missing there.
const RECIPROCAL: [f32; 2] = {
    let first = 1.0 / 255.0_f32;
    [first, (1.0 / 255.0 - first as f64) as f32]
};

impl Simd for Avx512 {
    type Vector = __m512;
    type PixelScale = ();
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
    fn pixel_scale(self) {}

    #[inline(always)]
    fn load_pixels(self, from: &[u8], (): ()) -> __m512 {
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
    fn keep_columns(self, from: &[f32; GROUP], first: u32, to: &mut [u32; GROUP]) -> usize {
        // SAFETY: as above.
        unsafe { keep_columns(_mm512_loadu_ps(from.as_ptr()), first, to) }
    }

    #[inline(always)]
    fn columns<'a>(self, row: impl Fn(usize) -> &'a [u8; GROUP], to: [&mut [u8; BYTES]; GROUP]) {
        // SAFETY: `self` exists, so the processor has AVX-512, and with it AVX2.
        unsafe { columns(row, to) }
    }

    #[inline(always)]
    fn inked(self, pixels: &[u8; BYTES]) -> u32 {
        // SAFETY: as above.
        unsafe { inked(pixels) }
    }

    #[inline(always)]
    fn keep_pixels(self, from: &[[u8; GROUP]], first: u8, to: &mut [Pixel]) -> usize {
        // SAFETY: as above.
        unsafe { keep_pixels(from, first, to) }
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

/// Exchanges rows and columns, of each quarter and then of the quarters.
#[inline]
#[target_feature(enable = "avx2")]
fn transpose_by_eight(square: &mut [[f32; GROUP]; GROUP]) {
    let from = *square;
    for (top, left) in [(0, 0), (0, 8), (8, 0), (8, 8)] {
        let rows = std::array::from_fn(|row| {
            let row: &[f32; 8] = from[top + row][left..].first_chunk().expect("eight floats");
            // SAFETY: eight floats are there to read.
            unsafe { _mm256_loadu_ps(row.as_ptr()) }
        });
        for (column, to) in transposed(rows).into_iter().zip(&mut square[left..]) {
            let to: &mut [f32; 8] = to[top..].first_chunk_mut().expect("eight floats");
            // SAFETY: eight floats are there to write.
            unsafe { _mm256_storeu_ps(to.as_mut_ptr(), column) };
        }
    }
}

/// Rows and columns exchanged: of pairs of rows, of fours, then of the fours' fours.
#[inline]
#[target_feature(enable = "avx2")]
fn transposed(rows: [__m256; 8]) -> [__m256; 8] {
    let mut fours = [_mm256_setzero_pd(); 8];
    for first in [0, 4] {
        let low = |row: usize| {
            _mm256_castps_pd(_mm256_unpacklo_ps(rows[first + row], rows[first + row + 1]))
        };
        let high = |row: usize| {
            _mm256_castps_pd(_mm256_unpackhi_ps(rows[first + row], rows[first + row + 1]))
        };
        fours[first] = _mm256_unpacklo_pd(low(0), low(2));
        fours[first + 1] = _mm256_unpackhi_pd(low(0), low(2));
        fours[first + 2] = _mm256_unpacklo_pd(high(0), high(2));
        fours[first + 3] = _mm256_unpackhi_pd(high(0), high(2));
    }
    // Half h of fours[4·i + c] is column 4·h + c of the rows from 4·i on.
    let mut columns = [_mm256_setzero_ps(); 8];
    for col in 0..4 {
        let halves = [_mm256_castpd_ps(fours[col]), _mm256_castpd_ps(fours[4 + col])];
        columns[col] = _mm256_permute2f128_ps::<0x20>(halves[0], halves[1]);
        columns[4 + col] = _mm256_permute2f128_ps::<0x31>(halves[0], halves[1]);
    }
    columns
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

/// The columns of 32 rows: four times, of each half of them, row i and row i + 8 become two
/// rows, of elements in turn.
#[inline]
#[target_feature(enable = "avx2")]
fn columns<'a>(row: impl Fn(usize) -> &'a [u8; GROUP], columns: [&mut [u8; BYTES]; GROUP]) {
    let mut rows: [__m256i; GROUP] = std::array::from_fn(|i| {
        // SAFETY: sixteen bytes of each half are there to read.
        unsafe { _mm256_loadu2_m128i(row(GROUP + i).as_ptr().cast(), row(i).as_ptr().cast()) }
    });
    for _ in 0..4 {
        let mut next = rows;
        for i in 0..8 {
            next[2 * i] = _mm256_unpacklo_epi8(rows[i], rows[i + 8]);
            next[2 * i + 1] = _mm256_unpackhi_epi8(rows[i], rows[i + 8]);
        }
        rows = next;
    }
    for (column, row) in columns.into_iter().zip(rows) {
        // SAFETY: 32 bytes are there to write.
        unsafe { _mm256_storeu_si256(column.as_mut_ptr().cast(), row) };
    }
}

/// A bit for each pixel that is not zero.
#[inline]
#[target_feature(enable = "avx2")]
fn inked(pixels: &[u8; BYTES]) -> u32 {
    // SAFETY: 32 bytes are there to read.
    let pixels = unsafe { _mm256_loadu_si256(pixels.as_ptr().cast()) };
    !_mm256_movemask_epi8(_mm256_cmpeq_epi8(pixels, _mm256_setzero_si256())) as u32
}

/// The places of the bits that are set in a byte, in order, counted from 0 and from 8 on.
const PLACES: [[[u8; 8]; 256]; 2] = {
    let mut places = [[[0; 8]; 256]; 2];
    let mut byte = 0;
    while byte < 256 {
        let (mut bit, mut count) = (0, 0);
        while bit < 8 {
            if byte >> bit & 1 == 1 {
                places[0][byte][count] = bit;
                places[1][byte][count] = bit + 8;
                count += 1;
            }
            bit += 1;
        }
        byte += 1;
    }
    places
};

/// Writes the pixels that are not zero, with their columns, to the start of `to`; returns
/// how many.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn keep_pixels(from: &[[u8; GROUP]], first: u8, to: &mut [Pixel]) -> usize {
    let to = &mut to[..from.len() * GROUP];
    let (mut end, mut first) = (0, _mm_set1_epi8(first as i8));
    for group in from {
        // SAFETY: sixteen bytes are there to read.
        let pixels = unsafe { _mm_loadu_si128(group.as_ptr().cast()) };
        let inked = !_mm_movemask_epi8(_mm_cmpeq_epi8(pixels, _mm_setzero_si128()));
        for (inked, places) in [inked as u8, (inked >> 8) as u8].into_iter().zip(&PLACES) {
            // SAFETY: eight bytes are there to read.
            let places = unsafe { _mm_loadl_epi64(places[usize::from(inked)].as_ptr().cast()) };
            let columns = _mm_add_epi8(places, first);
            let kept = _mm_unpacklo_epi8(columns, _mm_shuffle_epi8(pixels, places));
            // SAFETY: a pixel and its column are two bytes. Eight are there to write: at most
            // as many were kept as were looked at before, and these eight have places too.
            unsafe { _mm_storeu_si128(to.as_mut_ptr().add(end).cast(), kept) };
            end += inked.count_ones() as usize;
        }
        first = _mm_add_epi8(first, _mm_set1_epi8(GROUP as i8));
    }
    end
}

/// Eight numbers, the places of those that are not zero, and how many these are.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn places_of_numbers(from: &[f32; 8]) -> (__m256, __m256i, usize) {
    // SAFETY: eight floats are there to read.
    let values = unsafe { _mm256_loadu_ps(from.as_ptr()) };
    // Unordered, so that NaN stays.
    let kept = _mm256_cmp_ps::<_CMP_NEQ_UQ>(values, _mm256_setzero_ps());
    let kept = _mm256_movemask_ps(kept) as u8;
    // SAFETY: eight bytes are there to read.
    let places = unsafe { _mm_loadl_epi64(PLACES[0][usize::from(kept)].as_ptr().cast()) };
    (values, _mm256_cvtepu8_epi32(places), kept.count_ones() as usize)
}

/// Writes the numbers that are not zero, with their columns, to the start of `to`; returns
/// how many.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn keep_numbers_by_eight(from: &[f32; GROUP], first: u32, to: &mut [Number; GROUP]) -> usize {
    let mut end = 0;
    for (from, first) in from.as_chunks::<8>().0.iter().zip([first, first + 8]) {
        let (values, places, count) = places_of_numbers(from);
        let columns = _mm256_add_epi32(places, _mm256_set1_epi32(first as i32));
        let values = _mm256_castps_si256(_mm256_permutevar8x32_ps(values, places));
        // Of the lower and of the upper four, the first two and the last two.
        let (low, high) =
            (_mm256_unpacklo_epi32(columns, values), _mm256_unpackhi_epi32(columns, values));
        // SAFETY: a number and its column are 64 bits. Eight are there to write, and eight more
        // after the first, which are at most eight.
        unsafe {
            let to = to.as_mut_ptr().add(end).cast::<__m256i>();
            _mm256_storeu_si256(to, _mm256_permute2x128_si256::<0x20>(low, high));
            _mm256_storeu_si256(to.add(1), _mm256_permute2x128_si256::<0x31>(low, high));
        }
        end += count;
    }
    end
}

/// Writes the columns of the numbers that are not zero to the start of `to`; returns how many.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
fn keep_columns_by_eight(from: &[f32; GROUP], first: u32, to: &mut [u32; GROUP]) -> usize {
    let mut end = 0;
    for (from, first) in from.as_chunks::<8>().0.iter().zip([first, first + 8]) {
        let (_, places, count) = places_of_numbers(from);
        let columns = _mm256_add_epi32(places, _mm256_set1_epi32(first as i32));
        // SAFETY: eight columns are there to write, and eight more after the first, which are
        // at most eight.
        unsafe { _mm256_storeu_si256(to.as_mut_ptr().add(end).cast(), columns) };
        end += count;
    }
    end
}

/// Which lanes are not zero, and the columns of all.
#[inline]
#[target_feature(enable = "avx512f")]
fn lanes_of_numbers(values: __m512, first: u32) -> (u16, __m512i) {
    let lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    // Unordered, so that NaN stays.
    let mask = _mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(values, _mm512_setzero_ps());
    (mask, _mm512_add_epi32(_mm512_set1_epi32(first as i32), lanes))
}

/// Writes the columns of the lanes that are not zero to the start of `to`; returns how many.
#[inline]
#[target_feature(enable = "avx512f,popcnt")]
fn keep_columns(values: __m512, first: u32, to: &mut [u32; GROUP]) -> usize {
    let (mask, columns) = lanes_of_numbers(values, first);
    // SAFETY: sixteen columns are there to write.
    unsafe {
        _mm512_storeu_si512(to.as_mut_ptr().cast(), _mm512_maskz_compress_epi32(mask, columns));
    }
    mask.count_ones() as usize
}

/// Writes the lanes that are not zero, with their columns, to the start of `to`;
/// returns how many.
#[inline]
#[target_feature(enable = "avx512f,popcnt")]
fn keep_numbers(values: __m512, first: u32, to: &mut [Number; GROUP]) -> usize {
    let (mask, columns) = lanes_of_numbers(values, first);
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
