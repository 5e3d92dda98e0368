//! From a decoded picture to the 28×28 image.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use digit_recognizer::{Picture, preprocess};

/// A ring of ink on paper, as a hand-drawn 0.
fn zero(side: usize) -> Picture {
    let ink = |i: usize| {
        let offset = |position: usize| position as f32 / side as f32 - 0.5;
        let distance = offset(i % side).hypot(offset(i / side));
        if (distance - 0.3).abs() < 0.04 { 20 } else { 235 }
    };
    let gray: Vec<u8> = (0..side * side).map(ink).collect();
    Picture::from_gray8(side, side, &gray).expect("a gray value for each pixel")
}

fn preprocessing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("preprocess");
    for side in [28, 280, 1000] {
        let picture = zero(side);
        group.bench_function(BenchmarkId::from_parameter(format!("{side}x{side}")), |bencher| {
            bencher.iter(|| preprocess(black_box(&picture)).expect("ink"));
        });
    }
    group.finish();
}

criterion_group!(benches, preprocessing);
criterion_main!(benches);
