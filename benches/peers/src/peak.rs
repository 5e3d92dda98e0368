//! The most fused multiply-adds that one core does: no memory, only registers.

use std::arch::x86_64::*;
use std::hint::black_box;
use std::time::Instant;

/// Accumulators; more than latency × units, which is 4 or 5 × 2, and few enough
/// for the 16 registers of AVX2.
const CHAINS: usize = 12;
const STEPS: usize = 2_000_000;

/// GFLOP/s of one core in f32; `None` on a CPU without fused multiply-add.
pub fn measure() -> Option<f64> {
    let start = Instant::now();
    let lanes = if is_x86_feature_detected!("avx512f") {
        // SAFETY: the CPU has AVX-512F.
        black_box(unsafe { avx512(black_box(1e-9)) });
        16
    } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the CPU has AVX2 and FMA.
        black_box(unsafe { avx2(black_box(1e-9)) });
        8
    } else {
        return None;
    };
    Some((2 * lanes * CHAINS * STEPS) as f64 / start.elapsed().as_secs_f64() / 1e9)
}

#[target_feature(enable = "avx512f")]
fn avx512(x: f32) -> f32 {
    let x = _mm512_set1_ps(x);
    let mut sums = starts().map(|start| _mm512_set1_ps(start));
    for _ in 0..STEPS {
        for sum in &mut sums {
            *sum = _mm512_fmadd_ps(x, x, *sum);
        }
    }
    sums.into_iter().map(|sum| _mm512_reduce_add_ps(sum)).sum()
}

#[target_feature(enable = "avx2,fma")]
fn avx2(x: f32) -> f32 {
    let x = _mm256_set1_ps(x);
    let mut sums = starts().map(|start| _mm256_set1_ps(start));
    for _ in 0..STEPS {
        for sum in &mut sums {
            *sum = _mm256_fmadd_ps(x, x, *sum);
        }
    }
    sums.into_iter().map(|sum| _mm256_cvtss_f32(sum)).sum()
}

/// A start for each chain; where they were equal, the compiler could keep one.
fn starts() -> [f32; CHAINS] {
    black_box(std::array::from_fn(|chain| chain as f32))
}
