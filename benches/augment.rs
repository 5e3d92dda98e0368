//! Distorting an image, with and without the elastic field.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use digit_recognizer::Augmentation;
use digit_recognizer::mnist::{self, Split};

fn augment(criterion: &mut Criterion) {
    let dataset = mnist::load("fixtures/mnist", Split::Train).expect("the sample of MNIST");
    let dataset = dataset.slice(0..1_000);
    let all = Augmentation { shift: 1.0, stroke: 0.5, ..Augmentation::default() };
    let mut group = criterion.benchmark_group("augment");
    // The time of a single image is that of 1,000 by their number.
    group.throughput(Throughput::Elements(1_000));
    for (name, augmentation) in [("all", all), ("affine", Augmentation { alpha: 0.0, ..all })] {
        group.bench_function(name, |bencher| {
            bencher
                .iter(|| augmentation.apply(black_box(&dataset), 42, 1).expect("valid settings"));
        });
    }
    group.finish();
}

criterion_group!(benches, augment);
criterion_main!(benches);
