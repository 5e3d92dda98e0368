//! One prediction, and a thousand at once, of 784-128-10 on real images.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use digit_recognizer::mnist::{self, Split};
use digit_recognizer::{Activation, DigitImage, Matrix, Network, Predictor};

fn predict(criterion: &mut Criterion) {
    let images = mnist::load("fixtures/mnist", Split::Test).expect("the sample of MNIST");
    let images = images.images().slice(0..1_000);
    let network = Network::new(&[784, 128, 10], Activation::Relu, 1).expect("sizes");
    let mut group = criterion.benchmark_group("predict");

    let bytes = images.image(0).try_into().expect("784 pixels");
    let image = DigitImage::from_bytes(bytes);
    group.throughput(Throughput::Elements(1));
    let mut predictor = Predictor::new(&network, 1);
    group.bench_function("one", |bencher| {
        bencher.iter(|| predictor.predict(black_box(&image))[0]);
    });

    group.throughput(Throughput::Elements(1_000));
    group.bench_function("1000", |bencher| {
        let mut probabilities = Matrix::default();
        bencher.iter(|| {
            predictor.predict_images(black_box(&images), &mut probabilities).expect("784 pixels");
        });
    });
    group.finish();
}

criterion_group!(benches, predict);
criterion_main!(benches);
