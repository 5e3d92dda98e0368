//! Vectors of `f32`: the operations that differ between instruction sets.

use crate::kernel::sparse::{GROUP, Number, PixelPair};

/// An instruction set, as a value that exists only where the processor has it.
pub(crate) trait Simd: Copy {
    /// Some `f32`, side by side.
    type Vector: Copy;

    /// How many.
    const LANES: usize;

    /// Rows of the tile that the matrix product keeps in registers.
    const TILE_ROWS: usize;

    /// Vectors in a row of that tile.
    const TILE_VECTORS: usize;

    /// `value` in each lane.
    fn splat(self, value: f32) -> Self::Vector;

    /// The first values of `from`.
    ///
    /// # Panics
    /// If there are fewer than `LANES`.
    fn load(self, from: &[f32]) -> Self::Vector;

    /// Writes the lanes to the start of `to`.
    ///
    /// # Panics
    /// If it has fewer than `LANES` places.
    fn store(self, vector: Self::Vector, to: &mut [f32]);

    /// `a * b + c` in each lane, rounded once.
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;

    /// Writes the numbers that are not zero to the start of `to`; returns how many. What is
    /// after them in `to` is unspecified. `first` is the column of the first within its
    /// block.
    #[inline(always)]
    fn keep_numbers(self, from: &[f32; GROUP], first: u32, to: &mut [Number; GROUP]) -> usize {
        let mut kept = 0;
        for (column, &value) in (first..).zip(from) {
            // To the next place, which is used again if it is not kept: no branch to guess.
            to[kept] = Number { column, value };
            kept += usize::from(value != 0.0);
        }
        kept
    }

    /// Writes the columns of some groups in which one of two images is not zero, as above;
    /// there is room for a group more.
    ///
    /// # Panics
    /// If the images have not as many groups.
    #[inline(always)]
    fn keep_pixels(self, from: [&[[u8; GROUP]]; 2], first: u16, to: &mut [PixelPair]) -> usize {
        let [one, two] = from;
        assert_eq!(one.len(), two.len(), "groups of both images");
        let mut kept = 0;
        for ((one, two), first) in one.iter().zip(two).zip((first..).step_by(GROUP)) {
            // Most of an image is paper.
            if (u128::from_ne_bytes(*one) | u128::from_ne_bytes(*two)) == 0 {
                continue;
            }
            let to: &mut [PixelPair; GROUP] =
                to[kept..].first_chunk_mut().expect("room for a group");
            let mut here = 0;
            for ((column, &one), &two) in (first..).zip(one).zip(two) {
                to[here] = PixelPair { column, pixels: [one, two] };
                here += usize::from((one | two) != 0);
            }
            kept += here;
        }
        kept
    }
}

/// A loop that is written once and compiled for each level.
pub(crate) trait Kernel {
    type Output;

    /// Must be `#[inline(always)]`, as everything that it calls: what is not
    /// inlined is compiled for the portable level.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// Any processor.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

impl Simd for Portable {
    type Vector = [f32; 8];
    const LANES: usize = 8;
    // 16 of the 32 vector registers of aarch64.
    const TILE_ROWS: usize = 4;
    const TILE_VECTORS: usize = 2;

    #[inline(always)]
    fn splat(self, value: f32) -> [f32; 8] {
        [value; 8]
    }

    #[inline(always)]
    fn load(self, from: &[f32]) -> [f32; 8] {
        *from.first_chunk().expect("values for each lane")
    }

    #[inline(always)]
    fn store(self, vector: [f32; 8], to: &mut [f32]) {
        *to.first_chunk_mut().expect("places for each lane") = vector;
    }

    #[inline(always)]
    fn mul_add(self, a: [f32; 8], b: [f32; 8], c: [f32; 8]) -> [f32; 8] {
        std::array::from_fn(|lane| a[lane].mul_add(b[lane], c[lane]))
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86_64::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86_64 {
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
    }

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
}
