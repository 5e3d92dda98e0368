//! Vectors of `f32`: the operations that differ between instruction sets.

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
                && Avx2::detect().is_some();
            found.then_some(Self(()))
        }

        pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
            #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
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
    }
}
