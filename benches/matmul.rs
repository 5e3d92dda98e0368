//! The three products at the shapes of training 784-512-10 and beside them.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use digit_recognizer::Matrix;

fn numbers(rows: usize, cols: usize) -> Matrix {
    Matrix::from_fn(rows, cols, |i, j| ((i * 31 + j * 17) % 13) as f32 / 6.0 - 1.0)
}

fn matmul(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("matmul");
    // (m, n, k) of C = A·B.
    for (m, n, k) in [(128, 512, 784), (64, 128, 784), (512, 512, 512), (1024, 1024, 1024)] {
        let (a, b, mut c) = (numbers(m, k), numbers(k, n), Matrix::zeros(m, n));
        group.throughput(Throughput::Elements((2 * m * n * k) as u64));
        group.bench_function(BenchmarkId::new("A·B", format!("{m}x{n}x{k}")), |bencher| {
            bencher.iter(|| black_box(&a).multiply_into(black_box(&b), &mut c));
        });
    }
    let (a, b, mut c) = (numbers(128, 784), numbers(128, 512), Matrix::zeros(784, 512));
    group.throughput(Throughput::Elements(2 * 784 * 512 * 128));
    group.bench_function(BenchmarkId::new("Aᵀ·B", "784x512x128"), |bencher| {
        bencher.iter(|| black_box(&a).transpose_multiply_into(black_box(&b), &mut c));
    });
    let (a, b, mut c) = (numbers(128, 512), numbers(784, 512), Matrix::zeros(128, 784));
    group.bench_function(BenchmarkId::new("A·Bᵀ", "128x784x512"), |bencher| {
        bencher.iter(|| black_box(&a).multiply_transpose_into(black_box(&b), &mut c));
    });
    group.finish();
}

criterion_group!(benches, matmul);
criterion_main!(benches);
